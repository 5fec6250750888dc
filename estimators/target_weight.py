"""Margin and attention of one look-up: how much weight the target gets for how large a lead of its score."""

from typing import Any

import mpmath
import numpy as np

from estimators.claim import Measurement
from estimators.multiprecision import digits, enclosure, exactly, exponential

# Of 40-digit sums of exponentials, relative
ERROR = 1e-30


def _scores(scores: list[float]) -> tuple[Any, Any]:
    """The target's lead over every other key, in 40 digits: the target comes first; two keys or more."""
    s = np.asarray(scores, dtype=np.float64)
    if s.ndim != 1 or s.size < 2 or not np.isfinite(s).all():
        raise ValueError(f"scores must be two or more finite numbers, the target's first, got shape {s.shape}")
    exact = exactly(s)
    return exact[0] - exact[1:], exponential(exact[1:] - exact[0]).sum()


def margin_for_weight(*, scores: list[float]) -> Measurement:
    """The margin min_j s_1 - s_j of these scores, target first, and eta = 1 - weight of the target (rounded up)."""
    with digits():
        leads, others = _scores(scores)
        deficit = enclosure(others / (1 + others), ERROR, "softmax in 40 digits").upper
        found = enclosure(min(leads), ERROR * float(1 + abs(min(leads))), "difference of scores")
    return Measurement(found, {"attention_deficit": deficit})


def weight_for_margin(*, scores: list[float]) -> Measurement:
    """The weight of the target of these scores, target first and ahead of all others, and its margin."""
    with digits():
        leads, others = _scores(scores)
        least = min(leads)
        if least <= 0:
            raise ValueError(f"the target leads by {mpmath.nstr(least, 5)}: give it, the first, the largest score")
        lead = enclosure(least, ERROR * float(least), "difference of scores")
        found = enclosure(1 / (1 + others), ERROR, "softmax in 40 digits")
    return Measurement(found, {"margin": (lead.lower, lead.upper), "position_count": len(scores)})
