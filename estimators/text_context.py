"""How much of its context a predictor uses: its loss on the same bytes against the number of visible bytes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from estimators.document_means import student
from estimators.text_batches import Passages
from estimators.text_model import sliding
from estimators.text_predictor import Predict


@dataclass(frozen=True)
class ContextRow:
    """Loss with `visible` bytes, and its excess over the loss on the same bytes with the most visible bytes.

    Both means and Student's intervals are over documents; those of the excess are of paired differences.
    """

    visible: int
    documents: int
    bytes_scored: int
    mean: float
    lower: float
    upper: float
    excess: float
    excess_lower: float
    excess_upper: float
    confidence: float
    method: str
    per_document: tuple[float, ...]


def context_use(
    predict: Predict,
    passages: Passages,
    visible: Sequence[int] | None = None,
    *,
    scored: int = 64,
    seed: int = 0,
    confidence: float = 0.95,
) -> list[ContextRow]:
    """The loss on the same bytes against the number c of bytes before them that the predictor is given.

    The predictor gets the last c bytes alone, as a sequence of length c: sliding mode, stride 1, length c. `visible`
    is 1, 2, 4 ... and T by default. Each interval has `confidence` by itself, not all together.
    """
    T = passages.length
    chosen = sorted({2**power for power in range(T.bit_length())} | {T}) if visible is None else sorted(set(visible))
    if not chosen:
        raise ValueError("visible is empty: give numbers of visible bytes, for example 1 2 4 8")
    losses = [sliding(predict, passages, c, scored=scored, seed=seed) for c in chosen]
    rows = [one.row(confidence=confidence) for one in losses]
    longest = np.array(rows[-1].per_document)
    found = []
    for c, row in zip(chosen, rows, strict=True):
        infinite = not (np.isfinite(row.per_document).all() and np.isfinite(longest).all())
        difference = np.full(len(longest), math.inf) if infinite else np.array(row.per_document) - longest
        excess = student(difference, confidence=confidence)
        ends = {"excess": float(difference.mean()), "excess_lower": excess.lower, "excess_upper": excess.upper}
        shared = (c, row.documents, row.bytes_scored, row.mean, row.lower, row.upper)
        how = {"confidence": confidence, "method": row.method, "per_document": row.per_document}
        found.append(ContextRow(*shared, **ends, **how))
    return found
