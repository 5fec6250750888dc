"""How far the output of one head moves when it sees only the keys of a window: |o - o_w|, in 40 digits."""

from collections.abc import Sequence

import mpmath
import numpy as np

from estimators.claim import Measurement
from estimators.multiprecision import digits, enclosure, exactly, exponential
from estimators.tail_mass import log_odds, relative_error, row_of, scaled_logits, words_of

WORKING_ERROR = 1e-30  # relative, of sums in 40 digits


def truncation_error(
    *,
    logits: Sequence[float],
    values: Sequence[Sequence[float]],
    logit_bound: float,
    window: int,
    encoding: str = "",
    head: int = 0,
    bias: Sequence[float] | None = None,
    words: tuple[str, ...] = ("tail_mass", "value_diameter"),
) -> Measurement:
    """|o - o_w|_2, o = sum_k alpha_k v_k, o_w the same over distances below `window` with their weights renormalised.

    logits (T,), scaled to max |s_k| = B, values (T, d), biases of the encoding or given (T,), all by distance. The
    float64 biases are taken as they are for the measured tail mass; where the bound knows the slope, `words` names it
    and the interval is widened by the rounding of the biases.
    """
    s = scaled_logits(logits, logit_bound)
    row = row_of(bias, encoding, s.size, head)
    v = np.asarray(values, dtype=np.float64)
    if v.ndim != 2 or v.shape[0] != s.size or v.shape[1] < 1 or not np.isfinite(v).all():
        raise ValueError(f"values must be {s.size} finite vectors, got shape {v.shape}: pass one per key")
    log_odds(s + row, window)
    with digits():
        weights = exponential(exactly(s) + exactly(row))  # (T,)
        v40 = exactly(v)
        whole = (weights[:, None] * v40).sum(axis=0) / weights.sum()
        near = weights[:window]
        kept = (near[:, None] * v40[:window]).sum(axis=0) / near.sum()
        moved = mpmath.sqrt(sum(x * x for x in whole - kept))
        mass = mpmath.fsum(weights[window:]) / weights.sum()
        gaps = v40[:, None, :] - v40[None, :, :]
        diameter = mpmath.sqrt(max(sum(x * x for x in gap) for gap in gaps.reshape(-1, v.shape[1])))
        slack = WORKING_ERROR * float(np.abs(v).max()) * s.size
        if "alibi_slope" in words:
            slack += float(mass * diameter) * relative_error(np.abs(s) + np.abs(row))
        found = enclosure(moved, slack, "two outputs in 40 digits")
        masses, diameters = (enclosure(x, WORKING_ERROR * float(x), "") for x in (mass, diameter))
    known = words_of(encoding, row, window, head) | {"logit_bound": logit_bound}
    known |= {"tail_mass": (masses.lower, masses.upper), "value_diameter": (diameters.lower, diameters.upper)}
    return Measurement(found, {word: known[word] for word in words}, encoding)


def worst_values(size: int, window: int, dim: int) -> list[list[float]]:
    """One value near, another far, at distance 1: the truncation moves the output by all of the tail mass."""
    far = (np.arange(size) >= window).astype(float)
    return np.outer(far, np.eye(dim)[0]).tolist()
