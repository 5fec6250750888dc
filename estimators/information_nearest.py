"""Mutual information from nearest neighbours, in nats: point estimates without any guarantee, never clipped.

Ross (PLoS ONE 9, 2014), Gao, Kannan, Oh and Viswanath (NeurIPS 2017), Kraskov, Stoegbauer and Grassberger (Physical
Review E 69, 2004): formulas recalled. Distances of vectors are Euclidean, so that rotations change nothing. In many
channels all of them fall far below the truth at any sample size one can afford.

Ties: distances that agree to 1e-9 count as equal. Where the k-th neighbour is tied, k is replaced by the number of
points as near, as Gao et al. do at distance 0: for a discrete vector the estimates become counts, without log 0.
"""

import math
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int
from scipy.special import digamma

from estimators.information_neighbours import Nearest, counts, nearest, nearest_of_class

Points = Float64[np.ndarray, "n _"]
Classes = Int[np.ndarray, " n"]


def as_points(points: Any, name: str = "points") -> Points:
    """Float64 (n, d) after checks; a vector becomes one column."""
    try:
        table = np.asarray(points)
    except ValueError as error:
        raise ValueError(f"{name} must be one rectangular array, got rows of different lengths: {error}") from None
    if table.dtype.kind not in "fiub" and table.dtype.name != "bfloat16":
        raise ValueError(f"{name} must be real numbers, got dtype {table.dtype}: convert them first")
    table = table.astype(np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or 0 in table.shape:
        raise ValueError(f"{name} need shape (n, d), one row per observation, got {table.shape}: reshape them")
    if not np.isfinite(table).all():
        raise ValueError(f"{name} hold NaN or infinite values: drop those rows")
    largest = float(np.abs(table).max())
    # A power of two changes no estimate, and squares can then neither overflow nor vanish.
    return np.ldexp(table, -math.frexp(largest)[1])


def as_classes(labels: Any, count: int) -> Classes:
    """Labels of any sortable kind as 0 .. C-1, C >= 2, after checks."""
    table = np.asarray(labels)
    if table.ndim != 1 or table.size != count:
        raise ValueError(f"labels need one entry per point: got shape {table.shape} for {count} points")
    if table.dtype.kind not in "fiubUS" or (table.dtype.kind == "f" and not np.isfinite(table).all()):
        raise ValueError("labels must be integers, strings or finite numbers without NaN: encode them first")
    values, classes = np.unique(table, return_inverse=True)
    if values.size < 2:
        raise ValueError("the labels take one value, and their information is 0: give at least two classes")
    return classes.astype(np.int64)


def _checked_neighbours(neighbours: int, count: int) -> int:
    if isinstance(neighbours, bool) or neighbours < 1 or int(neighbours) != neighbours:
        raise ValueError(f"neighbours must be a whole number of at least 1, got {neighbours}: use neighbours=3")
    if neighbours >= count:
        raise ValueError(f"{count} points have at most {count - 1} neighbours, got neighbours={neighbours}: use fewer")
    return int(neighbours)


def _with_classes(labels: Any, points: Any, neighbours: int, method: str) -> tuple[Classes, Points, int]:
    """Checked input; ValueError where a class has no k-th neighbour of its own."""
    table = as_points(points)
    classes = as_classes(labels, len(table))
    k = _checked_neighbours(neighbours, len(table))
    sizes = np.bincount(classes)
    if sizes.min() <= k:
        small = int(sizes.argmin())
        raise ValueError(
            f"{method} needs more than neighbours={k} points in every class, got {sizes[small]} of label "
            f"{np.unique(np.asarray(labels))[small]}: use fewer neighbours, more points, or drop the class"
        )
    return classes, table, k


def ross(labels: Any, points: Any, *, neighbours: int = 3) -> float:
    """psi(n) + mean_i [psi(k) - psi(n_i) - psi(m_i)], Ross 2014.

    n_i: points of the class of i; m_i: other points within the distance to the k-th nearest of its class. Every class
    needs more than k points.
    """
    classes, table, k = _with_classes(labels, points, neighbours, "ross")
    found = nearest_of_class(table, classes, k)
    sizes = np.bincount(classes)[classes]
    reached = counts(table, found.closed)
    return float(digamma(len(table)) + np.mean(digamma(found.within) - digamma(sizes) - digamma(reached)))


def gao(labels_or_x: Any, points: Any, *, neighbours: int = 3, label_distance: float = 1.0) -> float:
    """ln n + mean_i [psi(k_i) - psi(a_i) - psi(m_i)], Gao et al. 2017 with the digamma functions of their program.

    The first variable is discrete if it holds integers, booleans or strings, one per point, else a vector; vectors are
    scaled to unit root-mean-square deviation. a_i, m_i: points in the first and second variable strictly nearer than
    the k-th in the larger of both distances, i included, and k_i = k; where the k-th is tied, points as near or nearer
    in the first, in the second and in both.

    Different labels are `label_distance` apart: 1 is the 0/1 metric. A point whose k-th of its class is not nearer adds
    ln n - psi(n), about 0, as all that are tied there count: isolated points pull the estimate down. Up to that term
    and to ties the rest is `ross`; math.inf needs more than k points in every class.
    """
    first = np.asarray(labels_or_x)
    if first.ndim == 1 and first.dtype.kind in "iubUS":
        return _gao_of_labels(first, points, neighbours, label_distance)
    parts = [_standardised(part) for part in _pair(first, points)]
    found = nearest(parts, _checked_neighbours(neighbours, len(first)))
    tied, radii = _tied(found, neighbours)
    inside = sum(digamma(counts(part, radii) + 1) for part in parts)
    return float(math.log(len(first)) + np.mean(digamma(np.where(tied, found.within + 1, neighbours)) - inside))


def _tied(found: Nearest, neighbours: int) -> tuple[Bool[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Where the k-th neighbour is tied or coincides, and the radii that count: closed there, open elsewhere."""
    tied = (found.within > neighbours) | (found.radii <= found.floor)
    return tied, np.where(tied, found.closed, found.opened)


def _gao_of_labels(labels: Any, points: Any, neighbours: int, label_distance: float) -> float:
    if not label_distance > 0:
        raise ValueError(f"label_distance must be positive, got {label_distance}: use 1 for the 0/1 metric")
    if math.isinf(label_distance):
        classes, table, k = _with_classes(labels, points, neighbours, "gao at infinite label_distance")
    else:
        table = as_points(points)
        classes = as_classes(labels, len(table))
        k = _checked_neighbours(neighbours, len(table))
    table = _standardised(table)
    found = nearest_of_class(table, classes, k)
    tied, radii = _tied(found, k)
    near = found.radii < label_distance
    reached = counts(table, np.where(near, radii, -1.0)) + 1
    terms = digamma(np.where(tied, found.within + 1, k)) - digamma(np.bincount(classes)[classes]) - digamma(reached)
    n = len(table)
    return float(math.log(n) + np.mean(np.where(near, terms, -digamma(n))))


def ksg(x: Any, y: Any, *, neighbours: int = 3) -> float:
    """psi(k) + psi(n) - mean_i [psi(a_i + 1) + psi(b_i + 1)], estimator 1 of Kraskov et al. 2004, continuous x and y.

    a_i, b_i: others strictly nearer in x, and in y, than the k-th in the larger of both distances. x and y are scaled
    to unit root-mean-square deviation. Pairs that repeat are refused: the estimator is for densities.
    """
    parts = [_standardised(part) for part in _pair(x, y)]
    found = nearest(parts, _checked_neighbours(neighbours, len(parts[0])))
    if (found.radii <= found.floor).any():
        raise ValueError(f"ksg: more than {neighbours} pairs (x, y) coincide: use gao or ross for discrete values")
    inside = sum(digamma(counts(part, found.opened) + 1) for part in parts)
    return float(digamma(neighbours) + digamma(len(parts[0])) - np.mean(inside))


def _pair(x: Any, y: Any) -> tuple[Points, Points]:
    first, second = as_points(x, "x"), as_points(y, "y")
    if len(first) != len(second):
        raise ValueError(f"x and y need one row per observation each, got {len(first)} and {len(second)}: align them")
    return first, second


def _standardised(points: Points) -> Points:
    """Divided by the root-mean-square distance from the mean; constants stay as they are."""
    deviation = math.sqrt(float(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean()))
    return points / deviation if deviation > 0 else points
