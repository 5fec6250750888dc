"""Least-squares exponents of quantities known as intervals, and how an exponent derived from a bound compares.

The slope of ln y against ln x by least squares is linear in the ln y_k: slope = sum_k a_k ln y_k, a_k = (ln x_k -
mean)/sum_l (ln x_l - mean)^2. Where each y_k lies in [lower_k, upper_k], it is at least sum a_k ln e_k with e_k =
lower_k for a_k > 0, else upper_k, and at most the reverse. That interval contains the slope of the true values with
probability at least 1 - sum_k (1 - confidence_k): no Gaussian errors, no independence. It is the slope over this range
of x, not an exponent as x -> infinity.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from estimators.estimate import Estimate
from theory.bound import Relation

RESOLUTION = 0.5  # rates differ by powers of a root: a wider interval tells nothing apart
ROUNDING = 1e-12
METHOD = "least-squares slope of the interval ends over this range"
AGREES, DIFFERS, UNDECIDED, FASTER, SLOWER = "agrees", "differs", "undecided", "grows faster", "grows slower"


@dataclass(frozen=True)
class Comparison:
    """An exponent against the interval of a fitted slope. gap: distance between the two, 0 where it is inside."""

    verdict: str
    gap: float


def slope_weights(x: Sequence[float]) -> Float64[np.ndarray, " points"]:
    """a_k; their sum is 0 and sum a_k ln x_k = 1. ValueError for fewer than two different positive x."""
    values = np.asarray(x, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2 or not (np.isfinite(values) & (values > 0)).all():
        raise ValueError(
            f"a slope needs two positive finite points at least, got {list(x)}: add values of the variable"
        )
    logs = np.log(values)
    centred = logs - logs.mean()
    total = float(centred @ centred)
    if total == 0:
        raise ValueError(f"all points are at {values[0]:g}: a slope needs two different values of the variable")
    return centred / total


def fitted_slope(x: Sequence[float], estimates: Sequence[Estimate]) -> Estimate:
    """Interval of the least-squares slope of ln y against ln x. x (points,), one interval of y >= 0 for each; ends may
    be 0 or infinity, which makes an end of the slope infinite.

    The confidence is 1 - sum (1 - confidence_k), by the union bound. ValueError where that is not above 0.
    """
    weights = slope_weights(x)
    if len(estimates) != len(weights):
        raise ValueError(f"{len(estimates)} intervals for {len(weights)} points: pass one for each")
    if any(one.lower < 0 for one in estimates):
        raise ValueError("an interval has a negative end and no logarithm: pass nonnegative quantities")
    confidence = 1 - sum(1 - one.confidence for one in estimates)
    if confidence <= 0:
        raise ValueError("the confidences leave nothing by the union bound: raise the confidence of the points")
    low = _combined(weights, [one.lower if a > 0 else one.upper for a, one in zip(weights, estimates, strict=True)], -1)
    high = _combined(weights, [one.upper if a > 0 else one.lower for a, one in zip(weights, estimates, strict=True)], 1)
    return Estimate(low, high, confidence, METHOD)


def plain_slope(x: Sequence[float], y: Sequence[float]) -> float:
    """The least-squares slope of numbers y > 0; exactly 0 for equal ones. ValueError for y <= 0."""
    if not all(math.isfinite(value) and value > 0 for value in y):
        raise ValueError(f"a slope needs positive finite values, got {list(y)}: leave out what is 0 or infinite")
    return float(slope_weights(x) @ np.log(np.asarray(y) / y[0]))


def local_slopes(x: Sequence[float], estimates: Sequence[Estimate]) -> list[Estimate]:
    """Interval of the slope between each point and the next; x must increase."""
    pairs = zip(itertools.pairwise(x), itertools.pairwise(estimates), strict=True)
    return [fitted_slope(ends, both) for ends, both in pairs]


def compare(exponent: float, slope: Estimate, relation: Relation) -> Comparison:
    """Where `exponent` of a bound (infinite: faster than every power) lies with respect to the slope of the truth.

    Inside: `agrees`, or `undecided` where the interval is wider than RESOLUTION. Outside: `differs` for an equality;
    for an upper or lower bound the bound `grows faster` or `grows slower` than the truth over this range.
    """
    if math.isnan(exponent):
        raise ValueError("the exponent is NaN: check the bound")
    if slope.lower <= exponent <= slope.upper:
        return Comparison(AGREES if slope.width <= RESOLUTION else UNDECIDED, 0.0)
    above = exponent > slope.upper
    gap = exponent - slope.upper if above else slope.lower - exponent
    if relation is Relation.EQUAL:
        return Comparison(DIFFERS, gap)
    return Comparison(FASTER if above else SLOWER, gap)


def _combined(weights: Float64[np.ndarray, " points"], ends: list[float], side: int) -> float:
    """sum a_k ln end_k, moved outwards by more than rounding."""
    used = [(a, end) for a, end in zip(weights, ends, strict=True) if a != 0]
    if any(end == 0 or math.isinf(end) for _, end in used):
        return side * math.inf
    logs = [math.log(end) for _, end in used]
    middle = sum(logs) / len(logs)  # the weights add up to 0
    total = sum(a * (log - middle) for (a, _), log in zip(used, logs, strict=True))
    size = sum(abs(a) * (abs(log) + abs(middle)) for (a, _), log in zip(used, logs, strict=True))
    return total + side * ROUNDING * (size + abs(total))
