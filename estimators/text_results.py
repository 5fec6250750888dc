"""Everything measured about one predictor on text, and on pairs, as one JSON-able document each."""

from collections.abc import Sequence
from typing import Any

from estimators.samples import positive
from estimators.summaries import Pair
from estimators.summary_batches import SUMMARY_LIMIT, buckets
from estimators.summary_model import summary_row
from estimators.text_batches import Passages
from estimators.text_context import context_use
from estimators.text_model import non_overlapping, sliding
from estimators.text_predictor import Predict


def text_results(
    predict: Predict,
    passages: Passages,
    lengths: Sequence[int],
    *,
    train_length: int | None = None,
    stride: int = 1,
    scored: int = 64,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Any]:
    """`results`: rows (`TextRow`) of both modes at every length; `context_use`: rows (`ContextRow`) up to the longest.

    All lengths of a mode score the same bytes. `train_length` cuts the position ranges. A stride longer than a length
    is shortened to it, which the row says. `documents` lists the documents in the order of `per_document`.

    Raises:
        ValueError: no length, or what `non_overlapping`, `sliding` and `context_use` raise.
    """
    ordered = _ordered(lengths)
    rows = []
    for length in ordered:
        both = (
            sliding(predict, passages, length, stride=min(stride, length), scored=scored, seed=seed),
            non_overlapping(predict, passages, length),
        )
        rows += [row for losses in both for row in losses.rows(train_length, confidence=confidence)]
    visible = [2**power for power in range(ordered[-1].bit_length())]
    curve = context_use(predict, passages, [*visible, ordered[-1]], scored=scored, seed=seed, confidence=confidence)
    return {
        "task": "text",
        "unit": "bits per byte",
        "documents": list(passages.names),
        "documents_too_short": passages.too_short,
        "documents_unused": passages.unused,
        "results": rows,
        "context_use": curve,
    }


def summary_results(
    predict: Predict,
    pairs: Sequence[Pair],
    lengths: Sequence[int],
    *,
    limit: int = 200,
    decoded: int = 32,
    summary_limit: int = SUMMARY_LIMIT,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Any]:
    """`results`: one row (`SummaryRow`) per length at which some source fits; `empty_lengths`: the others.

    `summary_too_long` and `source_too_long` count the pairs that no row holds.

    Raises:
        ValueError: no length, or what `buckets` and `summary_row` raise.
    """
    ordered = _ordered(lengths)
    found, counts = buckets(pairs, ordered, summary_limit)
    options: dict[str, Any] = {"limit": limit, "decoded": decoded, "summary_limit": summary_limit, "seed": seed}
    return {
        "task": "summary",
        "unit": "bits per byte, the end mark counted as one",
        "summary_limit": summary_limit,
        **counts,
        "empty_lengths": sorted(set(ordered) - {bucket.length for bucket in found}),
        "results": [summary_row(predict, bucket, confidence=confidence, **options) for bucket in found],
    }


def _ordered(lengths: Sequence[int]) -> list[int]:
    if not lengths:
        raise ValueError("lengths is empty: give test lengths, for example 32 64 128")
    return sorted({positive("length", length) for length in lengths})
