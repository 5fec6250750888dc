"""Pairs as sequences: batches, buckets, losses, greedy summaries and ROUGE of predictors that are known exactly."""

import json
import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.output_files import write_json
from estimators.rouge import rouge_scores
from estimators.summaries import Pair
from estimators.summary_batches import (
    END,
    SEPARATOR,
    SYMBOLS,
    buckets,
    clipped,
    padded,
    read_sequence,
    sequence,
    source_room,
    training_pairs,
)
from estimators.summary_model import greedy, summary_row


def advice(call, *parts):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        call()
    message = str(error.value)
    assert "\n" not in message
    for part in parts:
        assert part in message, (part, message)


# ---- sequences, batches, buckets

PAIRS = [Pair(f"m{i % 3}", bytes([65 + i]) * (4 * i + 3), b"s" * (i + 1)) for i in range(6)]  # sources 3, 7, .. 23


@given(source=st.binary(max_size=40), summary=st.binary(max_size=20))
def test_sequences_round_trip(source, summary):
    symbols = sequence(source, summary)
    assert read_sequence(symbols) == (source, summary)
    assert max(symbols) < SYMBOLS
    advice(lambda: read_sequence(symbols[:-1]), "no sequence of a pair")
    advice(lambda: read_sequence([SEPARATOR, *symbols]), "no sequence of a pair")


def test_training_pairs_can_be_read_back_and_score_the_summary_alone():
    batches, counts = training_pairs(PAIRS, steps=20, batch=8, length=30, summary_limit=5, seed=2)
    assert counts == {"pairs": 5, "summary_too_long": 1, "source_too_long": 0, "source_clipped": 0}
    known = {(pair.source, pair.summary) for pair in PAIRS[:5]}
    for inputs, targets, scored in zip(*(part.reshape(-1, 30) for part in batches), strict=True):
        last = np.flatnonzero(scored)[-1]
        source, summary = read_sequence(np.append(inputs[: last + 1], targets[last]))
        assert (source, summary) in known
        assert targets[scored].tolist() == [*summary, END]
        assert scored.sum() == len(summary) + 1
        assert inputs[scored][0] == SEPARATOR
        assert (inputs[last + 1 :] == END).all()
        assert (targets[~scored] == 0).all()
    few, _ = training_pairs(PAIRS, steps=5, batch=8, length=30, summary_limit=5, seed=2)
    np.testing.assert_array_equal(few.inputs, batches.inputs[:5])


def test_what_is_left_out_or_clipped_is_counted():
    sizes = {"steps": 30, "batch": 4, "length": 18, "summary_limit": 5}  # room 12: sources 3, 7, 11 fit
    _, counts = training_pairs(PAIRS, **sizes)
    assert counts == {"pairs": 3, "summary_too_long": 1, "source_too_long": 2, "source_clipped": 0}
    batches, counts = training_pairs(PAIRS, **sizes, long="clip")
    assert counts == {"pairs": 5, "summary_too_long": 1, "source_too_long": 0, "source_clipped": 2}
    # Clipped sources end at one place, whatever the length of their summaries.
    separators = {int(np.flatnonzero(row == SEPARATOR)[0]) for row in batches.inputs.reshape(-1, 18)}
    assert separators == {3, 7, 11, 12}
    advice(lambda: training_pairs(PAIRS[5:], **sizes), "none of 1 pairs fits length 18", "12 source bytes")
    advice(lambda: source_room(6, 5), "no room", "at least 7")


def test_clipping_keeps_whole_characters():
    text = "aä€b".encode()  # a, 2 bytes, 3 bytes, b
    kept = [clipped(text, room).decode() for room in range(8)]
    assert kept == ["", "a", "a", "aä", "aä", "aä", "aä€", "aä€b"]


def test_buckets_hold_every_pair_that_fits_once():
    found, counts = buckets(PAIRS, [30, 10, 18, 10], summary_limit=5)  # rooms 4, 12, 24
    assert [(b.length, b.source_range, [len(p.source) for p in b.pairs]) for b in found] == [
        (10, (1, 4), [3]),
        (18, (5, 12), [7, 11]),
        (30, (13, 24), [15, 19]),
    ]
    assert counts == {"summary_too_long": 1, "source_too_long": 0}
    assert buckets(PAIRS, [18], summary_limit=5)[1] == {"summary_too_long": 1, "source_too_long": 2}
    advice(lambda: buckets(PAIRS[4:], [10], summary_limit=6), "no pair fits the lengths 10")


# ---- losses, greedy summaries, ROUGE


def uniform(inputs):
    return np.full((*inputs.shape, SYMBOLS), -math.log(SYMBOLS), dtype=np.float32)


def copier(words):
    """Says `words` and END after SEPARATOR, each with probability 1/2, the rest spread evenly; END after END."""
    said = [*words, END]

    def predict(inputs):
        logs = np.full((*inputs.shape, SYMBOLS), math.log(0.5 / (SYMBOLS - 1)))
        for row, symbols in enumerate(inputs):
            seen = np.cumsum(symbols == SEPARATOR).astype(bool)
            number = np.cumsum(seen) - 1
            for t, k in enumerate(number):
                logs[row, t, said[min(k, len(said) - 1)] if seen[t] else 0] = math.log(0.5)
        return logs

    return predict


def test_uniform_costs_the_logarithm_of_the_alphabet_at_every_length():
    for bucket in buckets(PAIRS, [10, 18, 30], summary_limit=6)[0]:
        row = summary_row(uniform, bucket, summary_limit=6, decoded=0)
        assert row.mean == pytest.approx(math.log2(258), rel=1e-13)
        assert row.bytes_scored == sum(len(pair.summary) + 1 for pair in bucket.pairs)
        assert row.rouge is None


def test_loss_of_a_known_predictor_by_hand():
    pairs = [Pair("m", b"x", b"ab"), Pair("m", b"yy", b"ac"), Pair("n", b"z", b"abc")]
    (bucket,), _ = buckets(pairs, [12], summary_limit=4)
    row = summary_row(copier(b"ab"), bucket, summary_limit=4, decoded=0)
    miss = math.log2(2 * (SYMBOLS - 1))
    by_pair = {"ab": 1.0, "ac": (1 + miss + 1) / 3, "abc": (1 + 1 + miss + 1) / 4}
    means = sorted([(by_pair["ab"] + by_pair["ac"]) / 2, by_pair["abc"]])
    assert sorted(row.per_document) == pytest.approx(means, rel=1e-12)
    assert row.mean == pytest.approx(sum(means) / 2, rel=1e-12)
    assert row.lower <= row.mean <= row.upper
    assert row.smoothed["lower"] <= row.smoothed["mean"] <= row.smoothed["upper"]


def test_greedy_says_what_the_predictor_says():
    sources = [b"", b"abc", b"x" * 20]
    for words in (b"", b"some words", b"twelve bytes"):
        assert greedy(copier(words), sources, 40, 12) == [words] * 3
    assert greedy(copier(b"more than twelve"), sources, 40, 12) == [b"more than tw"] * 3
    # All probabilities equal: the smallest symbol, byte 0, and no end.
    assert greedy(uniform, [b"a"], 40, 12) == [bytes(12)]
    advice(lambda: greedy(uniform, [b"x" * 28], 40, 12), "a source has 28 bytes", "leaves 27")


def test_greedy_reads_the_last_visible_symbol_alone():
    """The next byte is the last one plus 1: each row goes on from its own place, and rows end by themselves."""

    def counter(inputs):
        logs = np.full((*inputs.shape, SYMBOLS), math.log(0.5 / (SYMBOLS - 1)))
        separators = inputs == SEPARATOR
        before = np.concatenate([np.zeros((len(inputs), 1), int), inputs[:, :-1]], axis=1)
        following = np.where(separators, before + 1, inputs + 1)
        following = np.where((following % 10 == 0) | (inputs >= END), END, following)
        np.put_along_axis(logs, following[..., None], math.log(0.5), axis=-1)
        return logs

    found = greedy(counter, [bytes([1, 2]), bytes([15]), bytes([28]), bytes([9])], 40, 12)
    assert found == [bytes(range(3, 10)), bytes(range(16, 20)), bytes([29]), b""]


def test_separator_is_never_said():
    def fond(inputs):
        logs = np.full((*inputs.shape, SYMBOLS), math.log(0.1 / (SYMBOLS - 2)))
        logs[..., SEPARATOR], logs[..., 65] = math.log(0.6), math.log(0.3)
        return logs

    assert greedy(fond, [b"a"], 20, 3) == [b"AAA"]


def test_rouge_by_hand():
    pytest.importorskip("rouge_score", reason="needs the extra summaries")
    found = rouge_scores([b"the cat sat", b"dog"], [b"The cat, on the mat!", b"dog"], np.array([0, 1]))
    # 1: overlap the, cat of 3 and 5 words; 2: "the cat" of 2 and 4 pairs; L: the cat.
    assert found["rouge1"]["mean"] == pytest.approx((0.5 + 1) / 2)
    assert found["rouge2"]["mean"] == pytest.approx((1 / 3 + 0) / 2)
    assert found["rougeL"]["mean"] == pytest.approx((0.5 + 1) / 2)
    for score in found.values():
        assert 0 <= score["lower"] <= score["mean"] <= score["upper"] <= 1
        assert score["pairs"] == 2
    one = rouge_scores([b"\xff", b"a"], ["é".encode(), b"a"], np.array([7, 7]))
    assert one["rouge1"]["mean"] == 0.5
    assert one["rouge1"]["without_words"] == 1
    advice(lambda: rouge_scores([], [], np.array([], dtype=int)), "at least one")


def test_rouge_of_a_perfect_and_of_a_silent_predictor(tmp_path):
    pytest.importorskip("rouge_score", reason="needs the extra summaries")
    pairs = [Pair(f"m{i}", b"x" * (i + 1), b"two words") for i in range(30)]
    (bucket,), _ = buckets(pairs, [60], summary_limit=12)
    perfect = summary_row(copier(b"two words"), bucket, summary_limit=12, decoded=20)
    silent = summary_row(copier(b""), bucket, summary_limit=12, decoded=20)
    for name in ("rouge1", "rouge2", "rougeL"):
        assert perfect.rouge[name]["mean"] == perfect.rouge[name]["upper"] == 1
        assert perfect.rouge[name]["lower"] > 0.7
        assert silent.rouge[name]["mean"] == silent.rouge[name]["lower"] == 0
        assert silent.rouge[name]["upper"] < 0.3
    assert perfect.rouge["rouge1"]["pairs"] == 20
    assert perfect.pairs == 30
    write_json(tmp_path / "rows.json", [perfect, silent])
    assert json.loads((tmp_path / "rows.json").read_text())[0]["source_range"] == [1, 47]


def test_without_the_package_one_line_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "rouge_score.rouge_scorer", None)
    advice(lambda: rouge_scores([b"a"], [b"a"], np.array([0])), "pip install", "rouge-score")


def test_a_network_of_bytes_alone_is_told():
    (bucket,), _ = buckets(PAIRS[:1], [10], summary_limit=5)
    small = lambda inputs: np.full((*inputs.shape, 256), -math.log(256))  # noqa: E731
    advice(lambda: summary_row(small, bucket, summary_limit=5, decoded=0), "the text holds 257", "at least 258 symbols")
    advice(lambda: greedy(small, [b"a"], 10, 5), "at least 258 symbols")


def test_padded_shapes():
    inputs, targets, scored = padded(PAIRS[:2], 12)
    assert inputs.shape == targets.shape == scored.shape == (2, 12)
    assert scored.sum(axis=1).tolist() == [2, 3]
