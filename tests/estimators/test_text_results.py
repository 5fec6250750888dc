"""The documents that a command writes about one predictor."""

import json
import math

import numpy as np
import pytest

from estimators.output_files import write_json
from estimators.summaries import Pair
from estimators.text_batches import scored_passages
from estimators.text_documents import Document
from estimators.text_results import summary_results, text_results


def unigram(inputs):
    """Symbol k has probability proportional to k + 1, whatever came before."""
    weights = np.arange(1, 259) / np.arange(1, 259).sum()
    return np.broadcast_to(np.log(weights), (*inputs.shape, 258))


@pytest.fixture(scope="module")
def passages():
    rng = np.random.default_rng(0)
    return scored_passages([Document(f"d{i}", rng.bytes(20 * i)) for i in range(1, 9)], length=32, limit=3)


def test_text(passages, tmp_path):
    write_json(tmp_path / "a.json", text_results(unigram, passages, [32, 8, 8], train_length=8, stride=16, scored=32))
    found = json.loads((tmp_path / "a.json").read_text())
    rows = found["results"]
    assert [(row["mode"], row["length"], row["stride"], row["position_range"]) for row in rows] == [
        ("sliding", 8, 8, [0, 7]),
        *[("sliding", 8, 8, ends) for ends in ([0, 0], [1, 1], [2, 3], [4, 7])],
        ("non-overlapping", 8, 8, [0, 7]),
        *[("non-overlapping", 8, 8, ends) for ends in ([0, 0], [1, 1], [2, 3], [4, 7])],
        ("sliding", 32, 16, [16, 31]),
        ("non-overlapping", 32, 32, [0, 31]),
        *[("non-overlapping", 32, 32, ends) for ends in ([0, 0], [1, 1], [2, 3], [4, 7], [8, 15], [16, 31])],
    ]
    assert {row["bytes_scored"] for row in rows if row["position_range"] in ([0, 7], [16, 31], [0, 31])} >= {96}
    assert len({row["mean"] for row in rows if row["position_range"] in ([0, 7], [0, 31])}) == 1
    assert [row["visible"] for row in found["context_use"]] == [1, 2, 4, 8, 16, 32]
    assert found["documents_too_short"] == 3
    assert found["documents_unused"] == 2
    assert len(found["documents"]) == len(rows[0]["per_document"]) == 3
    for row in rows:
        assert row["lower"] <= row["mean"] <= row["upper"]
        assert row["confidence"] == row["smoothed"]["confidence"] == 0.95


def test_summaries(tmp_path):
    pairs = [Pair(f"m{i % 4}", b"x" * length, b"a") for i, length in enumerate((3, 5, 5, 30, 31, 99))]
    pairs.append(Pair("m", b"x", b"long" * 9))
    write_json(tmp_path / "a.json", summary_results(unigram, pairs, [12, 20, 40], summary_limit=5, decoded=0))
    found = json.loads((tmp_path / "a.json").read_text())
    assert (found["summary_too_long"], found["source_too_long"], found["empty_lengths"]) == (1, 1, [20])
    expected = -(math.log2(98) + math.log2(258) - 2 * math.log2(258 * 259 / 2)) / 2  # bytes "a" = 97 and END = 257
    for row, count in zip(found["results"], (3, 2), strict=True):
        assert row["pairs"] == count
        assert row["mean"] == pytest.approx(expected, rel=1e-12)


def test_no_lengths(passages):
    for call in (lambda: text_results(unigram, passages, []), lambda: summary_results(unigram, [], [])):
        with pytest.raises(ValueError, match="lengths is empty"):
            call()
