"""Covering numbers of small balls: explicit covers from above, separated points and volumes from below.

N(eps) is the least number of closed balls of radius eps that cover, their centres anywhere. ln N is an interval.
"""

import math
from fractions import Fraction

import numpy as np

from estimators.claim import Measurement
from estimators.estimate import Estimate

MOST_CELLS = 1_000_000
METHOD = "lattice cover; diameter and volume"
HAIR = 1e-12


def lattice_cover(dim: int, radius: float, half_side: float, order: int) -> int:
    """Cells of a cubic lattice, side 2 half_side, that meet the l_`order` ball (order 1 or 2) of `radius` in R^dim.

    Each coordinate has the origin in the middle or at a corner of its cell: the best of the dim + 1 choices. Together
    the cells cover the ball.
    """
    reach = math.ceil(radius / (2 * half_side)) + 1
    if (2 * reach + 1) ** dim > MOST_CELLS:
        raise ValueError(f"the cover has more than {MOST_CELLS} cells: use a larger scale or fewer parameters")
    best = None
    for shifted in range(dim + 1):
        axes = [2 * half_side * (np.arange(-reach, reach + 1) + (0.5 if k < shifted else 0.0)) for k in range(dim)]
        nearest = [np.maximum(np.abs(axis) - half_side, 0.0) for axis in axes]
        total = sum(np.meshgrid(*(part**order for part in nearest), indexing="ij", sparse=True), np.zeros(()))
        count = int((total <= radius**order * (1 + HAIR)).sum())
        best = count if best is None else min(best, count)
    return best or 1


def _interval(ratio: Fraction, cover: int, volume: float) -> Estimate:
    """[max{ln ceil(R/eps), volume}, ln cover], R/eps = `ratio`: a ball of radius eps covers a length of 2 eps at most
    of a segment of length 2 R. volume: ln of a ratio of volumes."""
    if ratio <= 1:
        return Estimate(0.0, 0.0, 1.0, "one ball")
    diameter = math.log(math.ceil(ratio))
    return Estimate(max(diameter, volume, 0.0) * (1 - HAIR), math.log(cover) * (1 + HAIR), 1.0, METHOD)


def _positive(**sizes: float) -> list[float]:
    for word, size in sizes.items():
        if not 0 < size < math.inf:
            raise ValueError(f"{word} must be positive and finite, got {size}")
    return list(sizes.values())


def _log_ball(dim: int) -> float:
    """ln of the volume of the unit l2 ball."""
    return dim / 2 * math.log(math.pi) - math.lgamma(dim / 2 + 1)


def ball_cover(*, dim: int, radius: float, scale: float) -> Measurement:
    """The l2 ball of radius B_p in R^p by l2 balls: cells of diameter 2 eps."""
    r, eps = _positive(radius=radius, scale=scale)
    cover = lattice_cover(dim, r, eps / math.sqrt(dim) * (1 - HAIR), 2)
    found = _interval(Fraction(r) / Fraction(eps), cover, dim * math.log(r / eps))
    return Measurement(found, {"parameter_count": dim, "parameter_norm": r, "cover_scale": eps})


def matrix_cover(*, rows: int, columns: int, radius: float, input_norm: float, scale: float) -> Measurement:
    """{W: sum |W_jk| <= B_p} in sup over |x|_2 <= B_x of |(W - W')x|_2 <= B_x |W - W'|_F: Frobenius balls cover.

    Where B_p B_x <= 2 eps, the 2 d_1 d_2 balls around +-(B_p/2) E_jk do: if w is the largest |W_jk|, its own ball has
    |W - W'|_F^2 <= |W|_F^2 - B_p w + B_p^2/4 <= B_p^2/4. From below: one entry of W alone is a segment.
    """
    r, size, eps = _positive(radius=radius, input_norm=input_norm, scale=scale)
    dim = rows * columns
    cover = lattice_cover(dim, r, eps / size / math.sqrt(dim) * (1 - HAIR), 1)
    ratio = Fraction(r) * Fraction(size) / Fraction(eps)
    cover = min(cover, 2 * dim) if ratio <= 2 else cover
    words = {"rows": rows, "columns": columns, "parameter_norm": r, "input_norm": size, "cover_scale": eps}
    return Measurement(_interval(ratio, cover, 0.0), words)


def orthogonal_cover(*, sample_size: int, radius: float, input_norm: float, scale: float) -> Measurement:
    """{x -> <w, x>: |w|_2 <= B_p} on n orthogonal inputs of norm B_x, in max_i |.|: the l2 ball of radius B_p B_x in
    R^n by cubes of half side eps."""
    r, size, eps = _positive(radius=radius, input_norm=input_norm, scale=scale)
    ratio = Fraction(r) * Fraction(size) / Fraction(eps)
    cover = lattice_cover(sample_size, r * size * (1 + HAIR), eps * (1 - HAIR), 2)
    volume = _log_ball(sample_size) + sample_size * math.log(float(ratio) / 2)
    words = {"sample_size": sample_size, "parameter_norm": r, "input_norm": size, "cover_scale": eps}
    return Measurement(_interval(ratio, cover, volume), words)
