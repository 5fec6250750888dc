"""Bits per byte of predictors whose losses are known exactly: uniform, one that repeats, and ones that are wrong."""

import json
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.output_files import write_json
from estimators.text_batches import scored_passages
from estimators.text_context import context_use
from estimators.text_documents import Document
from estimators.text_model import non_overlapping, position_ranges, sliding
from estimators.text_predictor import TOKENS_AT_ONCE, target_log_probabilities


def uniform(symbols=256):
    return lambda inputs: np.full((*inputs.shape, symbols), -math.log(symbols), dtype=np.float32)


@pytest.fixture(scope="module")
def random_passages():
    rng = np.random.default_rng(1)
    documents = [Document(f"d{i}", rng.bytes(size)) for i, size in enumerate((40, 64, 100, 300, 90))]
    return scored_passages(documents, length=32, per_document=3)


# ---- the uniform predictor


@given(length=st.integers(1, 32), stride=st.integers(1, 32))
@settings(max_examples=20, deadline=None)
def test_uniform_is_eight_bits_in_both_modes_at_every_position(random_passages, length, stride):
    stride = min(stride, length)
    for losses in (non_overlapping(uniform(), random_passages, length),
                   sliding(uniform(), random_passages, length, stride=stride)):  # fmt: skip
        np.testing.assert_allclose(losses.bits, 8, rtol=1e-14)
    assert sliding(uniform(512), random_passages, length).row().mean == pytest.approx(9, rel=1e-14)


def test_uniform_rows(random_passages):
    for row in non_overlapping(uniform(), random_passages, 16).rows(5):
        assert row.mean == pytest.approx(8, rel=1e-14)
        assert row.lower == pytest.approx(8, rel=1e-12)
        assert row.upper == pytest.approx(8, rel=1e-12)
        assert row.smoothed["mean"] == pytest.approx(8, rel=1e-12)
        assert row.smoothed["lower"] < 8 < row.smoothed["upper"]
    assert all(row.mean == pytest.approx(8) and row.excess == 0 for row in context_use(uniform(), random_passages))


# ---- which bytes are scored, and what is visible


class Recorder:
    """Uniform; keeps the inputs of its calls and their shapes."""

    def __init__(self):
        self.shapes, self.inputs = set(), []

    def __call__(self, inputs):
        self.shapes.add(inputs.shape)
        self.inputs.append(inputs)
        return uniform()(inputs)


@pytest.mark.parametrize("length", [1, 7, 16, 32])
def test_non_overlapping_scores_every_byte_once_with_its_block_visible(random_passages, length):
    losses = non_overlapping(uniform(), random_passages, length)
    assert len(losses.bits) == random_passages.text.shape[0] * 32
    counts = Counter(losses.position.tolist())
    assert sum(counts.values()) == len(losses.bits)
    assert all(counts[t] == random_passages.text.shape[0] * len(range(t, 32, length)) for t in range(length))
    rows = losses.rows()
    assert sum(row.bytes_scored for row in rows[1:]) == (rows[0].bytes_scored if length > 1 else 0)


def echo(inputs):
    """Probability 1/2 on the last input, the rest spread evenly."""
    logs = np.full((*inputs.shape, 256), math.log(0.5 / 255))
    np.put_along_axis(logs, inputs[..., None].astype(np.int64), math.log(0.5), axis=-1)
    return logs


@pytest.mark.parametrize(("length", "stride"), [(1, 1), (5, 1), (32, 1), (5, 3), (32, 32)])
def test_echo_is_scored_on_neighbouring_bytes(random_passages, length, stride):
    """Losses byte by byte against ones computed from the passage: inputs and targets fit together in both modes."""
    text = random_passages.text.astype(int)
    expected = np.where(text[:, 31:-1] == text[:, 32:], 1.0, math.log2(510))
    found = non_overlapping(echo, random_passages, length)
    np.testing.assert_allclose(found.bits, expected.ravel(), rtol=1e-12)
    slid = sliding(echo, random_passages, length, stride=stride, scored=100)
    np.testing.assert_allclose(slid.bits, expected[:, : 32 // stride * stride].ravel(), rtol=1e-12)
    assert set(slid.position) == set(range(length - stride, length))


def test_sliding_gives_exactly_the_last_bytes(random_passages):
    seen = Recorder()
    losses = sliding(seen, random_passages, 6, scored=32)
    windows = np.concatenate(seen.inputs)[: len(losses.bits)]
    expected = np.lib.stride_tricks.sliding_window_view(random_passages.text, 6, axis=1)[:, 26:58]
    np.testing.assert_array_equal(windows, expected.reshape(-1, 6))


def test_all_lengths_score_the_same_bytes(random_passages):
    """With the loss a function of the scored byte alone, a unigram predictor, the losses agree byte by byte."""
    weights = np.random.default_rng(0).dirichlet(np.ones(256))
    unigram = lambda inputs: np.broadcast_to(np.log(weights), (*inputs.shape, 256))  # noqa: E731
    losses = [sliding(unigram, random_passages, length, scored=9, seed=4).bits for length in (1, 8, 32)]
    np.testing.assert_array_equal(losses[0], losses[1])
    np.testing.assert_array_equal(losses[0], losses[2])
    other = sliding(unigram, random_passages, 8, scored=9, seed=5).bits
    assert (other != losses[0]).any()
    blocks = [non_overlapping(unigram, random_passages, length).bits for length in (1, 8, 11, 32)]
    assert all((block == blocks[0]).all() for block in blocks)
    np.testing.assert_allclose(blocks[0], -np.log2(weights[random_passages.text[:, 32:].ravel()]))


def test_one_shape_per_length():
    documents = [Document(f"d{i}", bytes(4096)) for i in range(40)]
    passages = scored_passages(documents, length=2048)
    for length in (2048, 1000):
        seen = Recorder()
        non_overlapping(seen, passages, length)
        sliding(seen, passages, length, scored=2)
        assert seen.shapes == {(TOKENS_AT_ONCE // length, length)}


# ---- rows


def test_one_document_has_no_interval():
    rng = np.random.default_rng(0)
    passages = scored_passages([Document("only", rng.bytes(500))], length=16, per_document=9)
    row = non_overlapping(echo, passages, 8).row()
    assert (row.lower, row.upper, row.method) == (0, math.inf, "none: one document")
    assert row.smoothed["lower"] < row.smoothed["mean"] < row.smoothed["upper"] <= 14 + 1e-6


def test_probability_zero_is_infinite_and_said(random_passages):
    def certain(inputs):
        logs = np.full((*inputs.shape, 256), -np.inf)
        logs[..., 0] = 0
        return logs

    row = non_overlapping(certain, random_passages, 8).row()
    assert (row.mean, row.lower, row.upper) == (math.inf, 0, math.inf)
    assert "probability 0" in row.method
    assert row.smoothed["mean"] == pytest.approx(14, rel=0.02)
    assert context_use(certain, random_passages, [1, 4])[0].excess == math.inf


def test_rows_are_json(random_passages, tmp_path):
    rows = [*non_overlapping(echo, random_passages, 16).rows(8), *context_use(echo, random_passages)]
    write_json(tmp_path / "rows.json", rows)
    document = json.loads((tmp_path / "rows.json").read_text())
    assert {row["mode"] for row in document if "mode" in row} == {"non-overlapping"}
    assert document[0]["position_range"] == [0, 15]
    assert len(document[0]["per_document"]) == document[0]["documents"] == 4


# ---- ranges and errors


@given(length=st.integers(1, 300), train=st.integers(1, 400))
def test_position_ranges_are_a_partition(length, train):
    ranges = position_ranges(length, train)
    assert [t for first, last in ranges for t in range(first, last + 1)] == list(range(length))
    assert train >= length or any(first == train for first, _ in ranges)


@pytest.mark.parametrize(
    ("predict", "words"),
    [
        (lambda x: uniform()(x) + 1, "sum to 2.71828, not to 1"),
        (lambda x: uniform()(x) * np.nan, "NaN"),
        (lambda x: uniform()(x)[:, -1], "must return log-probabilities"),
        (lambda x: uniform()(x)[:, 1:], "must return log-probabilities"),
        (uniform(128), "knows symbols 0 to 127"),
        (lambda x: uniform()(x) - np.inf, "sum to 0, not to 1"),
    ],
)
def test_wrong_predictors_are_told(random_passages, predict, words):
    for mode in (non_overlapping, sliding):
        with pytest.raises(ValueError, match=words):
            mode(predict, random_passages, 8)


def test_a_predictor_that_sees_its_targets_is_told(random_passages):
    def peeking(inputs):
        return echo(np.concatenate([inputs[:, 1:], inputs[:, -1:]], axis=1))

    with pytest.raises(ValueError, match="not causal"):
        non_overlapping(peeking, random_passages, 8)


def test_lengths_and_strides_are_checked(random_passages):
    for call, words in (
        (lambda: non_overlapping(uniform(), random_passages, 33), "passages hold 32 bytes of context"),
        (lambda: sliding(uniform(), random_passages, 8, stride=9), "stride must be at most"),
        (lambda: context_use(uniform(), random_passages, []), "visible is empty"),
        (lambda: sliding(uniform(), random_passages, 8).row(0, 3), "no byte is scored at positions 0 to 3"),
        (lambda: target_log_probabilities(uniform(), np.zeros((0, 2), int), np.zeros((0, 2), int),
                                          np.zeros((0, 2), bool)), "nothing to score"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            call()
