"""Means over trained seeds, and paired differences, with intervals.

A trained ensemble has few seeds, and a score in [0, 1] of few seeds has no useful distribution-free interval (five
equal scores still leave a width of about 1/2). So these intervals assume that seed means are normally distributed
(Student's t), and every `method` says so: they describe the spread over seeds, they are no guarantee. The deviation is
taken to be at least `floor`, since equal scores on a finite test set do not show that seeds agree exactly. Beside a
paired difference stands its sign-flip p-value, which needs only that the differences are symmetric if nothing differs.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from estimators.estimate import Estimate

MOST_FLIPS = 16  # seeds up to which all sign flips are listed


@dataclass(frozen=True)
class Difference:
    """A mean paired difference. `estimate` holds at its confidence together with all others of its family; p_value is
    that of the exact sign-flip test, two-sided, p_holm the same after Holm's step-down over the family."""

    estimate: Estimate
    seeds: int
    p_value: float
    p_holm: float

    @property
    def sign(self) -> int:
        """1 or -1 where the interval excludes 0, else 0."""
        return 1 if self.estimate.lower > 0 else -1 if self.estimate.upper < 0 else 0


def seed_mean(
    values: Sequence[float],
    *,
    confidence: float = 0.95,
    least: float = -math.inf,
    most: float = math.inf,
    floor: float = 0.0,
) -> Estimate:
    """The mean over seeds, Student's t; one seed gives [least, most]. Ends cut at the possible range are said.

    Raises:
        ValueError: no seed, a NaN, or values outside [least, most].
    """
    data = np.asarray(values, dtype=np.float64)
    if data.ndim != 1 or data.size == 0 or not np.isfinite(data).all():
        raise ValueError(f"need one finite score per seed, got {data.size}, some not finite: train first")
    if data.min() < least or data.max() > most:
        raise ValueError(f"scores must lie in [{least:g}, {most:g}], got {data.min():g} to {data.max():g}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}: use 0.95")
    if data.size == 1:
        return Estimate(least, most, confidence, "one seed says nothing about others")
    radius = _radius(data, floor, 1 - confidence)
    mean = float(data.mean())
    method = f"Student's t over {data.size} seeds, assumes normal seed means"
    low, high = mean - radius, mean + radius
    if low < least or high > most:
        method += ", cut at the possible range"
    return Estimate(max(low, least), min(high, most), confidence, method)


def paired_differences(
    pairs: Sequence[tuple[Sequence[float], Sequence[float]]], *, confidence: float = 0.95, floor: float = 0.0
) -> list[Difference]:
    """Mean of first minus second, seed by seed, for a family of comparisons.

    Intervals are simultaneous (Bonferroni: each has confidence 1 - (1-confidence)/m, m comparisons).
    """
    gaps = [np.asarray(first, float) - np.asarray(second, float) for first, second in pairs]
    for gap in gaps:
        if gap.ndim != 1 or gap.size == 0 or not np.isfinite(gap).all():
            raise ValueError("paired scores must be finite and of the same seeds: train both with the same seeds")
    share = (1 - confidence) / max(len(gaps), 1)
    values = [sign_flip(gap) for gap in gaps]
    adjusted = holm(values)
    found = []
    for gap, value, holms in zip(gaps, values, adjusted, strict=True):
        mean, radius = float(gap.mean()), math.inf if gap.size == 1 else _radius(gap, floor * math.sqrt(2), share)
        method = f"paired Student's t over {gap.size} seeds, assumes normal differences, simultaneous over {len(gaps)}"
        found.append(Difference(Estimate(mean - radius, mean + radius, confidence, method), gap.size, value, holms))
    return found


def sign_flip(differences: Sequence[float] | np.ndarray) -> float:
    """Two-sided p-value of the mean under all 2^n sign flips; beyond 16 seeds under 65,536 seeded random ones."""
    data = np.asarray(differences, dtype=np.float64)
    size = data.size
    if size <= MOST_FLIPS:
        flips = np.array(list(itertools.product((1.0, -1.0), repeat=size)))
    else:
        flips = np.random.default_rng(size).choice((-1.0, 1.0), size=(1 << MOST_FLIPS, size))
        flips[0] = 1.0
    sums = np.abs(flips @ data)
    return float(np.mean(sums >= abs(data.sum()) - 1e-12 * np.abs(data).sum()))


def holm(values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p-values, in the order given."""
    order = np.argsort(values, kind="stable")
    adjusted, running = np.zeros(len(values)), 0.0
    for rank, place in enumerate(order):
        running = max(running, min(1.0, (len(values) - rank) * values[place]))
        adjusted[place] = running
    return adjusted.tolist()


def _radius(data: np.ndarray, floor: float, alpha: float) -> float:
    deviation = max(float(data.std(ddof=1)), floor)
    return float(student.isf(alpha / 2, data.size - 1)) * deviation / math.sqrt(data.size)
