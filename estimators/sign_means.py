"""Means over all signs of suprema of finite sets, and Gaussian means, each with its error: small sets only.

A set A of m vectors in R^n is an array (..., m, n); leading axes are further sets. R_hat(A) = E max_a (1/n) sum_i eps_i
a_i over all 2^n sign vectors, G_hat the same with standard normal g_i.
"""

import functools
import math
from typing import Any

import numpy as np
from jaxtyping import Float, Float64

from estimators.estimate import Estimate
from estimators.signs import all_sign_classes

EPS = 2.0**-52
MOST_SAMPLES = 12
SMALLEST, LARGEST = 1e-100, 1e100
DRAWS, FAILURE = 4000, 1e-6
ENUMERATED = "all signs"


@functools.cache
def all_signs(sample_size: int) -> Float64[np.ndarray, "signs n"]:
    """All 2^n sign vectors; refuses n > 12."""
    if not 1 <= sample_size <= MOST_SAMPLES:
        raise ValueError(f"all signs are enumerated for 1 to {MOST_SAMPLES} samples, got {sample_size}: use fewer")
    half = all_sign_classes(sample_size)
    return np.concatenate([half, -half])


def finite_array(word: str, numbers: Any, dimensions: int) -> np.ndarray:
    """A float64 array with this number of axes, not empty; ValueError for others, and for numbers whose squares leave
    the range of float64."""
    array = np.asarray(numbers, dtype=np.float64)
    if array.ndim != dimensions or array.size == 0:
        raise ValueError(f"{word} must have {dimensions} axes, got shape {array.shape}: nest its lists that deep")
    size = float(np.abs(array).max())
    if not (size == 0 or SMALLEST <= size <= LARGEST):
        raise ValueError(f"{word} must be finite, with a largest number from {SMALLEST} to {LARGEST}: rescale the case")
    return array


def suprema(vectors: Float[np.ndarray, "*sets m n"]) -> Float[np.ndarray, "*sets signs"]:
    """max_a sum_i eps_i a_i for all signs."""
    return (vectors @ all_signs(vectors.shape[-1]).T).max(axis=-2)


def complexity(vectors: Float[np.ndarray, "*sets m n"]) -> Float[np.ndarray, "*sets"]:
    """R_hat of each set."""
    return np.asarray(suprema(vectors).mean(axis=-1) / vectors.shape[-1])


def complexity_error(vectors: Float64[np.ndarray, "m n"], relative: float = 0.0) -> float:
    """Bound on the rounding error of `complexity`, for entries wrong by `relative` times the largest of them."""
    n = vectors.shape[1]
    return (EPS * (n + 16) + relative) * float(np.abs(vectors).max())


def between(value: float, error: float) -> tuple[float, float]:
    """Floats (lower, upper) around a nonnegative number known to +-error."""
    return max(math.nextafter(value - error, -math.inf), 0.0), math.nextafter(value + error, math.inf)


def euclidean(numbers: Any, terms: int) -> tuple[float, float]:
    """(lower, upper) around the largest l2 norm of the rows of an array with `terms` columns."""
    size = float(np.linalg.norm(numbers, axis=-1).max())
    return between(size, EPS * (terms + 4) * size)


def energy(array: np.ndarray) -> tuple[float, float]:
    """(lower, upper) around the sum of squares."""
    total = float((array**2).sum())
    return between(total, EPS * (array.size + 2) * total)


def gaussian_complexity(vectors: Float64[np.ndarray, "m n"], seed: int) -> Estimate:
    """G_hat(A): exact for n <= 2, else the mean of 4,000 draws and an interval that fails with probability 1e-6.

    n <= 2: E max_a <g, a> = perimeter of the convex hull / (2 sqrt(2 pi)), for E|g|_2 = sqrt(pi/2) in the plane and the
    perimeter is the integral of the support function over the directions. Else: max_a <g, a - c> is Lipschitz in g with
    constant r = max |a - c|_2, so a mean of K draws is off by s with probability at most 2 exp(-K s^2/(2 r^2)).
    """
    m, n = vectors.shape
    centred = vectors - vectors.mean(axis=0)
    if n <= 2:
        value = hull_perimeter(np.column_stack([centred[:, 0], centred[:, 1] if n == 2 else np.zeros(m)])) / (
            2 * math.sqrt(2 * math.pi) * n
        )
        ends = between(value, EPS * (2 * m + 16) * float(np.abs(vectors).max()))
        return Estimate(*ends, 1.0, "perimeter")
    draws = np.random.default_rng(seed).standard_normal((DRAWS, n))
    value = float((draws @ centred.T).max(axis=1).mean()) / n
    reach = float(np.linalg.norm(centred, axis=1).max()) / n
    radius = reach * (math.sqrt(2 * math.log(2 / FAILURE) / DRAWS) + 1e-12)
    return Estimate(max(value - radius, 0.0), value + radius, 1 - FAILURE, f"{DRAWS} Gaussian draws")


def hull_perimeter(points: Float64[np.ndarray, "m 2"]) -> float:
    """Length of the boundary of the convex hull (Andrew's monotone chain); twice the length of a segment."""
    ordered = points[np.lexsort((points[:, 1], points[:, 0]))]
    if len(ordered) < 2:
        return 0.0
    return sum(float(np.linalg.norm(np.diff(_chain(side), axis=0), axis=1).sum()) for side in (ordered, ordered[::-1]))


def _chain(points: Float64[np.ndarray, "m 2"]) -> Float64[np.ndarray, "k 2"]:
    kept: list[np.ndarray] = []
    for point in points:
        while len(kept) >= 2:
            (ax, ay), (bx, by) = kept[-1] - kept[-2], point - kept[-1]
            if ax * by - ay * bx > 0:
                break
            kept.pop()
        kept.append(point)
    return np.array(kept)
