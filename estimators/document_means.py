"""Means over independent documents: of losses without an upper end, of bounded scores, of paired differences."""

import math

import numpy as np
from jaxtyping import Float, Float64
from scipy.special import stdtrit

from estimators.estimate import Estimate, best

Array = np.ndarray
HAIR = 1e-9  # relative; what summing losses may add to their largest value


def student(values: Float[Array, " documents"], *, confidence: float = 0.95, minimum: float = -math.inf) -> Estimate:
    """mean -+ t sd/sqrt(K), t the (1 + confidence)/2 quantile of Student's law with K - 1 degrees of freedom.

    The confidence is approximate, as `method` says: exact for independent normal values, nearly so for many independent
    values of light tails. A loss has no upper end, and without one no interval from data holds for every distribution;
    `bounded` is for what has one. `minimum` is below every possible value. One document, or an infinite value (a symbol
    of probability 0), gives [minimum, inf).
    """
    values = checked_values(values, confidence)
    count, mean = len(values), float(np.mean(values))
    if not math.isfinite(mean):
        return Estimate(minimum, math.inf, confidence, "none: a scored symbol had probability 0")
    if count == 1:
        return Estimate(minimum, math.inf, confidence, "none: one document")
    radius = float(stdtrit(count - 1, (1 + confidence) / 2) * np.std(values, ddof=1) / math.sqrt(count))
    return Estimate(max(mean - radius, minimum), mean + radius, confidence,
                    f"Student t over {count} documents (approximate)")  # fmt: skip


def bounded(values: Float[Array, " documents"], *, maximum: float, confidence: float = 0.95) -> Estimate:
    """`estimators.estimate.best` for values in [0, maximum]: holds for independent documents, however few."""
    values = checked_values(values, confidence)
    end = maximum * (1 + HAIR)
    return best(values, values, minimum=0.0, maximum=end, confidence=confidence)


def document_means(values: Float[Array, " rows"], document: Array, documents: int) -> Float64[Array, " documents"]:
    """The mean of the rows of each document; ValueError for a document without rows."""
    counts = np.bincount(document, minlength=documents)
    if len(counts) > documents or not counts.all():
        raise ValueError(f"every one of {documents} documents needs a value, got counts {counts.tolist()[:8]}: "
                         "leave out documents without scored symbols")  # fmt: skip
    return np.bincount(document, weights=np.asarray(values, dtype=np.float64), minlength=documents) / counts


def checked_values(values: Float[Array, " documents"], confidence: float) -> Float64[Array, " documents"]:
    """Values in float64; ValueError unless they are one per document, not NaN, and the confidence is inside (0, 1)."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or not len(values):
        raise ValueError(f"values must be one per document, at least one, got shape {values.shape}: score a document")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie strictly between 0 and 1, got {confidence}: use for example 0.95")
    if np.isnan(values).any():
        raise ValueError("a document has the value NaN: find the computation that failed before it")
    return values
