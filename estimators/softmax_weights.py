"""How far logits move the weights of softmax: one case at a time, in 40-digit arithmetic.

alpha = softmax(s + b): `logits` s and `bias` b, one number per position; pi = softmax(b). Sizes that enter a bound are
given as (lower, upper).
"""

import math
from collections.abc import Sequence
from typing import Any

import mpmath
import numpy as np

from estimators.claim import Measurement
from estimators.estimate import Estimate
from estimators.multiprecision import digits, enclosure, exactly, exponential

SLIP = 1e-30  # error of a few hundred operations in 40 digits, relative to the terms that are added
LARGEST = 1e6  # |logit|, |bias|, |reading|: beyond it 40 digits are no longer so many
METHOD = "40 digits"
LARGEST_COLUMN = 0.5  # max of 2 a (1 - a)
Numbers = Sequence[float]


def vector(word: str, numbers: Any, length: int | None = None) -> np.ndarray:
    """Finite numbers as an array of mpmath numbers; ValueError for a wrong length, none, or sizes above 10^6."""
    array = np.asarray(numbers, dtype=np.float64)
    if array.ndim != 1 or array.size == 0 or (length is not None and array.size != length):
        wanted = f"{length} numbers" if length else "numbers"
        raise ValueError(f"{word} must be a list of {wanted}, got shape {array.shape}: pass one per position")
    if not (np.abs(array) <= LARGEST).all():
        raise ValueError(f"{word} must be finite and at most {LARGEST:g} in size: rescale the case")
    return exactly(array)


def weights(logits: np.ndarray) -> np.ndarray:
    """softmax of mpmath numbers."""
    grown = exponential(logits - max(logits))
    return grown / sum(grown)


def ends(value: Any) -> tuple[float, float]:
    """Floats (lower, upper) around a nonnegative mpmath number with relative error `SLIP`."""
    found = enclosure(value, abs(value) * SLIP, "size")
    return max(found.lower, 0.0), found.upper


def spread(readings: np.ndarray) -> Any:
    """max - min."""
    return max(readings) - min(readings)


def tilted_weight(
    *,
    bias: Numbers,
    logits: Numbers,
    position: int = 0,
    encoding: str = "",
    words: tuple[str, ...] = ("bias_weight", "logit_bound"),
) -> Measurement:
    """softmax(s + b)_j at j = `position`; B = max |s_k|. words: which of pi_j, B and T to give."""
    with digits():
        b = vector("bias", bias)
        s = vector("logits", logits, len(b))
        if not 0 <= position < len(b):
            raise ValueError(f"position must be one of 0 .. {len(b) - 1}, got {position}")
        low, high = ends(weights(b)[position])
        found = weights(s + b)[position]
        known = {
            "bias_weight": (low, min(high, 1.0)),
            "logit_bound": float(max(abs(s))),
            "length": len(b),
        }
        estimate = enclosure(found, found * SLIP, METHOD)
    return Measurement(estimate, {word: known[word] for word in words}, encoding)


def effective_length(*, bias: Numbers, logit_bound: float, encoding: str = "") -> Measurement:
    """T_eff = sum_j max {softmax(s+b)_j: |s_k| <= B}. alpha_j increases in s_j and decreases in the other logits, so
    its maximum is at s_j = B, s_k = -B."""
    with digits():
        b = vector("bias", bias)
        radius = vector("logit_bound", [abs(logit_bound)])[0]
        largest = []
        for j in range(len(b)):
            s = np.array([-radius] * len(b), dtype=object)
            s[j] = radius
            largest.append(weights(s + b)[j])
        total = sum(largest)
        estimate = enclosure(total, total * SLIP, METHOD)
    return Measurement(estimate, {"length": len(b), "logit_bound": abs(logit_bound)}, encoding)


def _two(logits: Numbers, other: Numbers) -> tuple[np.ndarray, np.ndarray]:
    """s and s', refused where they differ by a constant only."""
    s = vector("logits", logits)
    r = vector("other", other, len(s))
    if spread(s - r) == 0:
        raise ValueError("logits and other differ by a constant, which softmax does not see: move one of them")
    return s, r


def total_variation(*, logits: Numbers, other: Numbers) -> Measurement:
    """TV(softmax s, softmax s') = half the l1 distance, s' = `other`; osc(s - s')."""
    with digits():
        s, r = _two(logits, other)
        found = sum(abs(weights(s) - weights(r))) / 2
        return Measurement(enclosure(found, SLIP, METHOD), {"logit_oscillation": ends(spread(s - r))})


def weight_change(*, logits: Numbers, other: Numbers) -> Measurement:
    """|softmax s - softmax s'|_1; |s - s'|_inf."""
    with digits():
        s, r = _two(logits, other)
        found = sum(abs(weights(s) - weights(r)))
        return Measurement(enclosure(found, SLIP, METHOD), {"logit_distance": ends(max(abs(s - r)))})


def lipschitz_constant(*, logits: Numbers, other: Numbers, order: float | int | str) -> Measurement:
    """Interval of the l_p -> l_p Lipschitz constant of softmax on T = len(logits) positions, p = `order` (a number from
    1 on, or "inf").

    Lower end: the larger quotient |softmax s - softmax s'|_p / |s - s'|_p of two pairs, the given one and two positions
    a hair apart with all others far below. Upper end: the Jacobian is symmetric, its l1 -> l1 and l_inf -> l_inf norms
    are max_j 2 alpha_j (1 - alpha_j), largest at alpha_j = 1/2, and Riesz-Thorin covers the p between.
    """
    p = float(order)
    if not p >= 1:
        raise ValueError(f"order must be a number from 1 on, or 'inf', got {order}: l_p is a norm only then")
    with digits():
        s = vector("logits", logits)
        r = vector("other", other, len(s))
        if len(s) < 2:
            raise ValueError("logits must have two positions at least: the softmax of one position is constant")
        near = exactly([1e-8, -1e-8, *[-90.0] * (len(s) - 2)])
        found = [_quotient(near, near * exactly([-1.0, -1.0, *[1.0] * (len(s) - 2)]), p)]
        found += [_quotient(s, r, p)] if any(s != r) else []
        lower = enclosure(max(found), 0, METHOD).lower
    return Measurement(Estimate(lower, max(lower, LARGEST_COLUMN), 1.0, METHOD), {})


def _quotient(s: np.ndarray, r: np.ndarray, order: float) -> Any:
    """|softmax s - softmax r|_p / |s - r|_p, less its rounding error: weights are known to 1e-38."""
    apart = _norm(s - r, order)
    return (_norm(weights(s) - weights(r), order) - SLIP) / apart


def _norm(numbers: np.ndarray, order: float) -> Any:
    sizes = abs(numbers)
    return max(sizes) if order == math.inf else mpmath.power(sum(x**order for x in sizes if x), 1 / mpmath.mpf(order))
