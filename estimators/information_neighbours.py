"""Distances to k-th nearest neighbours and counts of points within radii, by k-d tree or by blocks: both exact.

Two distances that agree to TIE relative, or that differ by less than the rounding of the coordinates, are tied: a
rotation may not change which points are tied. Blocks: `estimators.information_blocks`.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64, Int
from scipy.spatial import KDTree

from estimators.information_blocks import counts_by_blocks, kth_by_blocks

TIE = 1e-9
FLOOR = 2.0**-46  # of the largest coordinate of a point: 64 units of its rounding at least
# The faster way on two cores, for 500 to 20,000 Gaussian points in 2 to 64 channels.
NEIGHBOUR_TREE_DIM, NEIGHBOUR_TREE_POINTS, COUNT_TREE_DIM = 8, 200, 4
CHUNK = 1 << 21  # coordinates gathered at once
Points = Float64[np.ndarray, "n _"]
Radii = Float64[np.ndarray, " n"]
Counts = Int[np.ndarray, " n"]


class Nearest(NamedTuple):
    """Per point: the distance to its k-th nearest other point, and how many others are as near or tied (k at least)."""

    radii: Radii
    within: Counts
    floor: Radii

    @property
    def closed(self) -> Radii:
        """Radii that include every point tied with the k-th."""
        return self.radii * (1 + TIE) + self.floor

    @property
    def opened(self) -> Radii:
        """Radii that exclude every point tied with the k-th; negative near 0."""
        return self.radii * (1 - TIE) - self.floor


def nearest(parts: Sequence[Points], neighbours: int, *, tree: bool | None = None) -> Nearest:
    """k-th nearest other points, distances Euclidean in each part and the largest over the parts; more than k points.

    tree: None takes the way that is faster as measured (few channels or few points: the tree).
    """
    floor = FLOOR * np.max([np.abs(part).max(axis=1) for part in parts], axis=0)
    if _by_tree(len(parts[0]), sum(part.shape[1] for part in parts), tree):
        found = _by_one_or_more(parts, neighbours, floor)
    else:
        found = kth_by_blocks(parts, neighbours, TIE, floor)
    return Nearest(*found, floor)


def nearest_of_class(points: Points, classes: Counts, neighbours: int, *, tree: bool | None = None) -> Nearest:
    """k-th nearest other points of the same class; radius infinite and count 0 in classes of k points or fewer.

    classes: 0 .. C-1. The tree keeps them apart by one more coordinate, with steps longer than any distance.
    """
    sizes = np.bincount(classes)
    floor = FLOOR * np.abs(points).max(axis=1)
    radii, within = np.full(len(points), math.inf), np.zeros(len(points), dtype=np.int64)
    enough = sizes[classes] > neighbours
    if enough.any() and _by_tree(int(sizes.max()), points.shape[1], tree):
        apart = 8.0 * float(np.abs(points).max()) * math.sqrt(points.shape[1]) * classes[enough, None]
        radii[enough], within[enough] = _by_one_tree(np.hstack([points[enough], apart]), neighbours, floor[enough])
    elif enough.any():
        order = np.argsort(classes, kind="stable")
        for members in np.split(order, np.cumsum(sizes)[:-1]):
            if members.size > neighbours:
                radii[members], within[members] = kth_by_blocks([points[members]], neighbours, TIE, floor[members])
    return Nearest(radii, within, floor)


def counts(points: Points, radii: Radii, *, tree: bool | None = None) -> Counts:
    """How many other points lie within radii[i] of point i; 0 for negative radii. tree: as in `nearest`."""
    found = np.zeros(len(points), dtype=np.int64)
    inside = radii >= 0
    if not inside.any():
        return found
    if points.shape[1] == 1 and tree is None:
        line, at, reach = np.sort(points[:, 0]), points[inside, 0], radii[inside]
        reached = np.searchsorted(line, at + reach, side="right") - np.searchsorted(line, at - reach, side="left")
    elif points.shape[1] <= COUNT_TREE_DIM if tree is None else tree:
        built = KDTree(points, balanced_tree=False)
        reached = built.query_ball_point(points[inside], radii[inside], workers=-1, return_length=True)
    else:
        reached = counts_by_blocks(points, np.maximum(radii, 0.0))[inside]
    found[inside] = np.asarray(reached, dtype=np.int64) - 1
    return found


def _by_tree(count: int, dim: int, tree: bool | None) -> bool:
    return dim <= NEIGHBOUR_TREE_DIM or count <= NEIGHBOUR_TREE_POINTS if tree is None else tree


def _by_one_tree(points: Points, neighbours: int, floor: Radii) -> tuple[Radii, Counts]:
    tree = KDTree(points, balanced_tree=False)
    ranks: Any = [neighbours + 1, neighbours + 2]
    found = tree.query(points, ranks, workers=-1)[0]  # infinite beyond the last point
    radii, within = found[:, 0], np.full(len(points), neighbours)
    limits = radii * (1 + TIE) + floor
    tied = np.flatnonzero(found[:, 1] <= limits)
    if tied.size:
        within[tied] = tree.query_ball_point(points[tied], limits[tied], workers=-1, return_length=True) - 1
    return radii, within


def _by_one_or_more(parts: Sequence[Points], neighbours: int, floor: Radii) -> tuple[Radii, Counts]:
    """The tree is Euclidean in all coordinates: max_parts <= |.| <= sqrt(parts) max_parts says when to look further."""
    if len(parts) == 1:
        return _by_one_tree(parts[0], neighbours, floor)
    table = np.hstack(parts)
    tree = KDTree(table, balanced_tree=False)
    count, wanted = len(table), 2 * neighbours + 2
    radii, within, rest = np.empty(count), np.empty(count, dtype=np.int64), np.arange(count)
    while rest.size:
        wanted = min(count, 2 * wanted)
        step, unsure = max(1, CHUNK // (wanted * table.shape[1])), []
        for start in range(0, rest.size, step):
            rows = rest[start : start + step]
            reached, among = tree.query(table[rows], wanted, workers=-1)
            largest = np.max([np.linalg.norm(part[rows, None] - part[among], axis=2) for part in parts], axis=0)
            radii[rows] = np.partition(largest, neighbours, axis=1)[:, neighbours]  # the point itself is one of them
            limits = radii[rows] * (1 + TIE) + floor[rows]
            within[rows] = (largest <= limits[:, None]).sum(axis=1) - 1
            # A point not looked at is at least reached/sqrt(parts) away in some part.
            missed = reached[:, -1] < math.sqrt(len(parts)) * limits * (1 + TIE)
            unsure.append(rows[missed] if wanted < count else rows[:0])
        rest = np.concatenate(unsure)
    return radii, within
