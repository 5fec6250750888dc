"""Loss and greedy summaries of a predictor on pairs (source, summary), by length of the source."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from estimators.document_means import bounded, document_means, student
from estimators.rouge import rouge_scores
from estimators.samples import positive
from estimators.summary_batches import END, SEPARATOR, SUMMARY_LIMIT, Bucket, padded, source_room
from estimators.text_model import UNIFORM_SHARE, smoothed_bits, smoothed_row
from estimators.text_predictor import TOKENS_AT_ONCE, Predict, checked_symbols, normalised, target_log_probabilities


@dataclass(frozen=True)
class SummaryRow:
    """One bucket. mean: bits per summary byte, END counted as one; a mean over documents, each of its pairs' means.

    `lower`, `upper` and `smoothed` as in `estimators.text_model.TextRow`. `rouge`: for rouge1, rouge2 and rougeL the
    mean F-measure of greedy summaries with an interval that holds for independent documents, or None.
    """

    length: int
    source_range: tuple[int, int]
    pairs: int
    pairs_available: int
    documents: int
    bytes_scored: int
    mean: float
    lower: float
    upper: float
    confidence: float
    method: str
    smoothed: dict[str, Any]
    per_document: tuple[float, ...]
    rouge: dict[str, dict[str, Any]] | None


def summary_row(
    predict: Predict,
    bucket: Bucket,
    *,
    limit: int = 200,
    decoded: int = 32,
    summary_limit: int = SUMMARY_LIMIT,
    confidence: float = 0.95,
    seed: int = 0,
) -> SummaryRow:
    """Loss on at most `limit` pairs of a bucket, ROUGE of greedy summaries of the first `decoded` of them.

    The pairs are drawn from the seed, so all models of one seed meet the same ones. Decoding costs up to
    `decoded` M sequences; decoded=0 leaves ROUGE out.
    """
    rng = np.random.default_rng([positive("seed", seed, least=0), 0x62636B])
    order = rng.permutation(len(bucket.pairs))[: positive("limit", limit)]
    pairs = [bucket.pairs[index] for index in order]
    names = list(dict.fromkeys(pair.document for pair in pairs))
    document = np.array([names.index(pair.document) for pair in pairs])
    inputs, targets, scored = padded(pairs, bucket.length)
    logs, symbols = target_log_probabilities(predict, inputs, targets, scored)
    bits, counts = np.maximum(-logs, 0.0) / math.log(2), scored.sum(axis=1)
    means = document_means(bits.sum(axis=1) / counts, document, len(names))
    smooth = np.where(scored, smoothed_bits(bits, symbols), 0.0).sum(axis=1) / counts
    smooth = document_means(smooth, document, len(names))
    found = student(means, confidence=confidence, minimum=0.0)
    sure = bounded(smooth, maximum=math.log2(symbols / UNIFORM_SHARE), confidence=confidence)
    rouge = None
    if number := min(positive("decoded", decoded, least=0), len(pairs)):
        said = greedy(predict, [pair.source for pair in pairs[:number]], bucket.length, summary_limit)
        rouge = rouge_scores(said, [pair.summary for pair in pairs[:number]], document[:number], confidence)
    return SummaryRow(
        *(bucket.length, bucket.source_range, len(pairs), len(bucket.pairs), len(names), int(counts.sum())),
        mean=float(means.mean()),
        lower=found.lower,
        upper=found.upper,
        confidence=found.confidence,
        method=found.method,
        smoothed=smoothed_row(float(smooth.mean()), sure),
        per_document=tuple(means.tolist()),
        rouge=rouge,
    )


def greedy(predict: Predict, sources: Sequence[bytes], length: int, summary_limit: int = SUMMARY_LIMIT) -> list[bytes]:
    """The summary of each source by the most probable next symbol, until END or `summary_limit` bytes.

    SEPARATOR and symbols beyond END are never chosen; of equal probabilities the smallest symbol wins. Every call of
    `predict` has one shape.

    Raises:
        ValueError: a source of more than `source_room` bytes, or what `predict` returned.
    """
    room = source_room(length, summary_limit)
    if longest := max((len(source) for source in sources if len(source) > room), default=0):
        raise ValueError(f"a source has {longest} bytes, length {length} leaves {room}: use a longer length")
    rows = max(1, min(len(sources), TOKENS_AT_ONCE // length))
    found: list[bytes] = []
    for start in range(0, len(sources), rows):
        found += _greedy_chunk(predict, sources[start : start + rows], rows, length, summary_limit)
    return found


def _greedy_chunk(
    predict: Predict, sources: Sequence[bytes], rows: int, length: int, summary_limit: int
) -> list[bytes]:
    count = len(sources)
    inputs = np.full((rows, length), END, dtype=np.int32)
    for row, source in enumerate(sources):
        inputs[row, : len(source) + 1] = [*source, SEPARATOR]
    row, last = np.arange(count), np.array([len(source) for source in sources])  # last: index of the last input
    open_rows = np.ones(count, dtype=bool)
    for _ in range(summary_limit):
        given = np.asarray(predict(inputs.copy()))
        checked_symbols(given, (rows, length), END)
        logs = normalised(given[row, last])[:, : END + 1]
        logs[:, SEPARATOR] = -math.inf
        chosen = logs.argmax(axis=1)
        open_rows &= chosen != END
        if not open_rows.any():
            break
        last = last + open_rows
        inputs[row[open_rows], last[open_rows]] = chosen[open_rows]
    return [bytes(inputs[r, len(source) + 1 : last[r] + 1].astype(np.uint8)) for r, source in enumerate(sources)]
