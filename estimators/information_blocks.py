"""Neighbours by blocks of distances, for many channels: products of matrices screen, differences decide.

|x - y|^2 = |x|^2 + |y|^2 - 2 x.y is computed in float32 with a bound on its error; only pairs that the bound leaves
open are measured by differences in float64. Memory is bounded by BLOCK pairs and PAIRS gathered coordinates.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64, Int

BLOCK = 1 << 20  # pairs of one block: 4 MB in float32
PAIRS = 1 << 21  # coordinates gathered at once
PILOT = 2048  # points of the subset that bounds the k-th distance from above
CROWDED = 0.02  # share of open pairs in a block above which it is screened again in float64
EMPTY = np.empty(0, dtype=np.int64)
Points = Float64[np.ndarray, "n _"]
Radii = Float64[np.ndarray, " n"]


class _Screen:
    """Squared distances of one table, less |x_i|^2, and their errors.

    After centring the points are scaled by a power of two to norms below 1. Error of |y|^2 - 2 x.y in d + 1 products:
    at most (d + 8) u (|x| + max |y|)^2 with rounding unit u, inputs rounded included, and what centring has moved.
    """

    def __init__(self, points: Points, precision: type = np.float32) -> None:
        centred = points - points.mean(axis=0)
        self.exponent = math.frexp(float(np.linalg.norm(centred, axis=1).max()))[1]
        centred = np.ldexp(centred, -self.exponent)
        self.squares = (centred**2).sum(axis=1)
        self.precision = precision
        self.left = np.hstack([centred, np.ones((len(points), 1))]).astype(precision)
        self.right = np.vstack([-2 * centred.T, self.squares]).astype(precision)
        dim, unit = points.shape[1], float(np.finfo(precision).eps) / 2
        reach = np.sqrt(self.squares) + math.sqrt(self.squares.max())
        moved = math.ldexp(math.sqrt(dim) * 2.0**-50 * float(np.abs(points).max()), -self.exponent)
        self.error = (dim + 8) * unit * reach**2 + moved * (reach + moved)

        size = max(BLOCK, len(points))
        # Written anew for every block: fresh memory would cost more than the arithmetic.
        self.room = np.empty(size, dtype=precision)
        self.masks = {sign: np.empty(size, dtype=bool) for sign in (-1, 1)}

    def products(self, rows: slice) -> np.ndarray:
        """|y|^2 - 2 x.y of a block of rows, valid until the next call."""
        shape = rows.stop - rows.start, self.right.shape[1]
        return np.matmul(self.left[rows], self.right, out=self.room[: shape[0] * shape[1]].reshape(shape))

    def close(
        self, products: np.ndarray, radii: Float64[np.ndarray, " b"], rows: slice, sign: int
    ) -> Bool[np.ndarray, "b n"]:
        """sign +1: every pair within its radius, and perhaps others; -1: no other pair, and perhaps not all."""
        room = self.masks[sign][: products.size].reshape(products.shape)
        return np.less_equal(products, self.thresholds(radii, rows, sign), out=room)

    def thresholds(self, radii: Float64[np.ndarray, " b"], rows: slice, sign: int) -> np.ndarray:
        """sign +1: no pair within the radius has a product above; -1: no pair beyond it has one below."""
        limits = np.ldexp(radii, -self.exponent) ** 2 - self.squares[rows] + sign * self.error[rows]
        rounded = limits.astype(self.precision)
        return np.nextafter(rounded, np.asarray(sign * np.inf, dtype=self.precision))[:, None]

    def bounds(self, rows: slice, columns: Int[np.ndarray, " m"]) -> np.ndarray:
        """Squared distances, at least."""
        found = self.left[rows] @ self.right[:, columns] + (self.squares[rows] + 2 * self.error[rows])[:, None]
        return np.ldexp(np.maximum(found, 0.0), 2 * self.exponent)


def _measured(parts: Sequence[Points], i: Int[np.ndarray, " m"], j: Int[np.ndarray, " m"]) -> Float64[np.ndarray, " m"]:
    """max over the parts of |x_i - x_j|, by differences, a bounded number of coordinates at a time."""
    found = np.zeros(i.size)
    for part in parts:
        step = max(1, PAIRS // part.shape[1])
        for start in range(0, i.size, step):
            some = slice(start, start + step)
            gap = part[i[some]] - part[j[some]]
            np.maximum(found[some], np.sqrt(np.einsum("md,md->m", gap, gap)), out=found[some])
    return found


def _rows(count: int) -> list[slice]:
    step = max(1, BLOCK // count)
    return [slice(start, min(count, start + step)) for start in range(0, count, step)]


def _tally(mask: Bool[np.ndarray, "rows n"]) -> Int[np.ndarray, " rows"]:
    """Number of true entries of every row, eight at a time."""
    return np.bitwise_count(np.packbits(mask, axis=1)).sum(axis=1, dtype=np.int64)


def _true_pairs(mask: Bool[np.ndarray, "rows n"]) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    """(row, column) of the true entries, by rows."""
    return np.divmod(np.flatnonzero(mask), mask.shape[1])


def _compared(screen: _Screen, radii: Radii, rows: slice) -> tuple[Bool[np.ndarray, "b n"], Bool[np.ndarray, "b n"]]:
    """Which pairs are surely, and which are possibly, within radii."""
    products = screen.products(rows)
    return screen.close(products, radii[rows], rows, -1), screen.close(products, radii[rows], rows, 1)


def counts_by_blocks(points: Points, radii: Radii) -> Int[np.ndarray, " n"]:
    """How many points lie within radii[i] >= 0 of point i, itself included."""
    found = np.empty(len(points), dtype=np.int64)
    screen = _Screen(points)
    for rows in _rows(len(points)):
        surely, possibly = _compared(screen, radii, rows)
        sure = _tally(surely)
        left_open = _tally(possibly) - sure
        if screen.precision is np.float32 and left_open.sum() > CROWDED * surely.size:
            screen = _Screen(points, np.float64)
            surely, possibly = _compared(screen, radii, rows)
            sure = _tally(surely)
            left_open = _tally(possibly) - sure
        i, j = _true_pairs(np.not_equal(possibly, surely, out=possibly)) if left_open.any() else (EMPTY, EMPTY)
        close = _measured([points], rows.start + i, j) <= radii[rows][i]
        found[rows] = sure + np.bincount(i[close], minlength=sure.size)
    return found


def kth_by_blocks(
    parts: Sequence[Points], neighbours: int, tie: float, floor: Radii
) -> tuple[Radii, Int[np.ndarray, " n"]]:
    """Distance r_i of every point to its k-th nearest other one, the largest over the parts, and how many are as near.

    The second counts the others within r_i (1 + tie) + floor_i. The k-th distance to a subset bounds r_i from above;
    all pairs within that bound are measured.
    """
    count = len(parts[0])
    size = min(count, max(PILOT, 8 * neighbours))
    pilot = np.arange(size) * count // size
    radii, within = np.empty(count), np.empty(count, dtype=np.int64)
    screens = [_Screen(part) for part in parts]
    for rows in _rows(count):
        i, j = _candidates(screens, rows, pilot, neighbours, tie, floor[rows])
        if screens[0].precision is np.float32 and i.size > CROWDED * (rows.stop - rows.start) * count:
            screens = [_Screen(part, np.float64) for part in parts]
            i, j = _candidates(screens, rows, pilot, neighbours, tie, floor[rows])
        distances = _measured(parts, rows.start + i, j)
        order = np.lexsort((distances, i))
        first = np.searchsorted(i, np.arange(rows.stop - rows.start))
        radii[rows] = distances[order[first + neighbours - 1]]
        tied = distances <= radii[rows][i] * (1 + tie) + floor[rows][i]
        within[rows] = np.bincount(i[tied], minlength=first.size)
    return radii, within


def _candidates(
    screens: Sequence[_Screen], rows: slice, pilot: Int[np.ndarray, " s"], neighbours: int, tie: float, floor: Radii
) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    """Pairs (row of the block, other point), by rows, that contain every pair up to the k-th distance and its ties."""
    bounds = np.max([screen.bounds(rows, pilot) for screen in screens], axis=0)
    # One more than k: the point itself may be in the subset.
    upper = np.sqrt(np.partition(bounds, neighbours, axis=1)[:, neighbours]) * (1 + 2 * tie) + 2 * floor
    mask, *others = (screen.close(screen.products(rows), upper, rows, 1) for screen in screens)
    for other in others:
        mask &= other
    own = np.arange(rows.start, rows.stop)
    mask[own - rows.start, own] = False
    return _true_pairs(mask)
