"""Point estimates of I(label; vector) in nats beside an interval: what each says of permuted labels, and its flags.

No estimate here is a bound, at any number of points. Values are never clipped: above ln N (N labels seen) or below 0
they are impossible and flagged. Methods: `estimators.information_nearest`, `estimators.information_contrastive`.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from estimators.information_contrastive import infonce
from estimators.information_nearest import as_classes, as_points, gao, ksg, ross

__all__ = ["METHODS", "PointEstimate", "disagreement", "gao", "infonce", "ksg", "point_estimates", "ross"]
ABOVE, NEGATIVE, SPURIOUS = "above ln N", "negative", "not above permutation"
ROUNDING = 1e-12  # nats, of sums of logarithms


@dataclass(frozen=True)
class PointEstimate:
    """value: nats, as estimated. null_mean, null_upper: mean and largest value over `permutations` permuted labels.

    If label and vector are independent and the observations exchangeable, the value exceeds null_upper with probability
    at most 1/(permutations + 1). null_mean is the bias there, where the truth is 0: it is not subtracted.
    """

    value: float
    method: str
    null_mean: float
    null_upper: float
    permutations: int
    flags: tuple[str, ...]


def ksg_of_labels(labels: Any, points: Any, *, seed: int, neighbours: int = 3) -> float:
    """`ksg` of the label's rank plus uniform noise on [0, 1): the noise is independent, and the floor gives the label
    back, so that the information is unchanged and the first variable has a density. Assumes that the order means
    something."""
    table = as_points(points)
    classes = as_classes(labels, len(table))
    return ksg(classes + np.random.default_rng(seed).random(len(table)), table, neighbours=neighbours)


METHODS: dict[str, Callable[..., float]] = {
    "ross": lambda labels, points, *, seed: ross(labels, points),
    "gao": lambda labels, points, *, seed: gao(labels, points),
    "ksg": ksg_of_labels,
    "infonce": infonce,
}


def point_estimates(
    labels: Any, points: Any, *, seed: int, permutations: int = 20, methods: Sequence[str] = tuple(METHODS)
) -> dict[str, PointEstimate]:
    """Every method on the data and on `permutations` permutations of the labels, the same for all methods.

    Cost: permutations + 1 runs of each method; infonce trains its critic anew each time.
    """
    unknown = [name for name in methods if name not in METHODS]
    if unknown or not methods:
        raise ValueError(f"unknown methods {unknown}: choose from {', '.join(METHODS)}")
    if permutations < 1 or int(permutations) != permutations:
        raise ValueError(f"permutations must be a whole number of at least 1, got {permutations}: use 20")
    table = as_points(points)
    classes = as_classes(labels, len(table))
    seeds = np.random.SeedSequence(seed).generate_state(permutations + 1).tolist()
    permuted = [np.random.default_rng(one).permutation(classes) for one in seeds[1:]]
    ceiling = math.log(int(classes.max()) + 1)
    found = {}
    for name in methods:
        run = METHODS[name]
        value = run(classes, table, seed=seeds[0])
        null = [run(again, table, seed=one) for again, one in zip(permuted, seeds[1:], strict=True)]
        flags = [(ABOVE, value > ceiling + ROUNDING), (NEGATIVE, value < -ROUNDING), (SPURIOUS, value <= max(null))]
        raised = tuple(flag for flag, holds in flags if holds)
        found[name] = PointEstimate(value, name, math.fsum(null) / permutations, max(null), int(permutations), raised)
    return found


def disagreement(estimates: Mapping[str, PointEstimate], *, tolerance: float = 0.1) -> tuple[str, ...]:
    """One sentence per impossible value and per pair of methods that differ by more than `tolerance` nats."""
    if not (tolerance >= 0 and math.isfinite(tolerance)):
        raise ValueError(f"tolerance must be finite and at least 0 nats, got {tolerance}: use for example 0.1")
    said = []
    for name, one in estimates.items():
        impossible = [flag for flag in one.flags if flag in (ABOVE, NEGATIVE)]
        said += [f"{name} gives {one.value:.4g} nats, which is impossible: {flag}" for flag in impossible]
    for (first, one), (second, other) in itertools.combinations(estimates.items(), 2):
        gap = abs(one.value - other.value)
        if gap > tolerance:
            said.append(
                f"{first} ({one.value:.4g}) and {second} ({other.value:.4g}) differ by {gap:.3g} nats, "
                f"more than {tolerance:g}: trust the interval"
            )
    return tuple(said)
