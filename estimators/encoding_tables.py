"""Codes as tables of vectors: how distinct, dependent and close their rows are, and sinusoidal codes over 10^6
positions.

P is the table (N, d) of an additive encoding, row p_t. Sinusoidal codes depend on the distance k of two positions only:
|p_{t+k} - p_t|^2 = 4 sum_i sin^2(omega_i k/2), omega_i = base^(-2i/d), i < d/2.
"""

from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from jaxtyping import Float64

from estimators.claim import Measurement
from estimators.estimate import Estimate, exact
from estimators.features import additive_table
from estimators.multiprecision import digits, enclosure
from theory.encodings import parse

Array = np.ndarray
EPS = 2.0**-52
BLOCK = 1 << 16  # distances at a time: fits the cache


@dataclass(frozen=True)
class TableReport:
    """rank: singular values above N d eps times the largest. condition: largest over smallest singular value of P
    (infinity if the columns are dependent). coherence: largest |cosine| of two rows. distinct: different rows, up to
    1e-9 of the largest entry. closest, closest_pair: the least distance of two rows, and the first pair that has it.
    """

    rank: int
    condition: float
    coherence: float
    distinct: int
    closest: float
    closest_pair: tuple[int, int]


def code(encoding: str, dim: int, length: int, *, power: float | int | None = 1) -> Float64[Array, "length dim"]:
    """The table of an additive encoding NAME[:key=value,...] on its training positions, at mean power 1."""
    return np.asarray(additive_table(parse(encoding, dim=dim, train_length=length), length, power=power))


def table_report(table: Float64[Array, "N d"]) -> TableReport:
    """What a table of codes looks like; ValueError for fewer than two rows."""
    rows = np.asarray(table, dtype=np.float64)
    if rows.ndim != 2 or len(rows) < 2 or not np.isfinite(rows).all():
        raise ValueError(f"a finite table of at least two rows is needed, got shape {rows.shape}: add positions")
    singular = np.linalg.svd(rows, compute_uv=False)
    rank = int(np.sum(singular > max(rows.shape) * min(rows.shape) * EPS * singular[0]))
    full = rank == rows.shape[1]
    norms = np.linalg.norm(rows, axis=1)
    turned = rows / np.where(norms > 0, norms, 1.0)[:, None]
    off = ~np.eye(len(rows), dtype=bool)
    distances = np.where(off, np.linalg.norm(rows[:, None] - rows[None], axis=2), np.inf)
    pair = np.unravel_index(distances.argmin(), distances.shape)
    return TableReport(
        rank=rank,
        condition=float(singular[0] / singular[-1]) if full else float("inf"),
        coherence=float(np.abs(turned @ turned.T)[off].max()),
        distinct=_distinct(rows),
        closest=float(distances.min()),
        closest_pair=(int(pair[0]), int(pair[1])),
    )


def _distinct(rows: Array) -> int:
    grid = np.round(rows / (1e-9 * max(float(np.abs(rows).max()), np.finfo(float).tiny)))
    return len(np.unique(grid, axis=0))


def distinct_rows(
    *, encoding: str, dim: int, length: int, words: tuple[str, ...] = ("dim", "position_count")
) -> Measurement:
    """Number of different rows of a code, up to 1e-9 of its largest entry."""
    found = exact(float(_distinct(code(encoding, dim, length))), 0.0, "rows of the table")
    known = {"dim": dim, "position_count": length}
    return Measurement(found, {word: known[word] for word in words}, encoding)


def gram_condition(*, encoding: str, dim: int, length: int) -> Measurement:
    """Condition number of P^T P: (largest/smallest singular value of P)^2; dependent columns are refused."""
    singular = np.linalg.svd(code(encoding, dim, length), compute_uv=False)
    wrong = 8 * max(dim, length) * EPS * float(singular[0])
    # Fewer rows than columns leave out the singular values that are 0.
    if length < dim or singular[-1] <= 2 * wrong:
        raise ValueError(f"{encoding} has dependent columns at dim {dim}, length {length}: use a smaller dim")
    ends = ((singular[0] - wrong) / (singular[-1] + wrong), (singular[0] + wrong) / (singular[-1] - wrong))
    return Measurement(Estimate(float(ends[0]) ** 2, float(ends[1]) ** 2, 1.0, "singular values"), {}, encoding)


def frequencies(dim: int, base: float = 10000.0) -> Float64[Array, " pairs"]:
    """omega_i = base^(-2i/d); d even."""
    if dim < 2 or dim % 2:
        raise ValueError(f"dim must be even and at least 2 for sinusoidal, got {dim}: use dim={max(dim + dim % 2, 2)}")
    return base ** (-2 * np.arange(dim // 2) / dim)


def closest_approach(dim: int, *, first: int = 1, last: int = 1_000_000, base: float = 10000.0) -> tuple[int, Estimate]:
    """The distance k in first .. last at which sinusoidal codes come closest, and |p_{t+k} - p_t| there, certified.

    Partial sums over the frequencies only grow, so a distance is dropped once its partial sum passes the least full
    sum seen. float64 phases are wrong by at most 2 eps omega k; those within that error of the least are redone in 40
    digits.
    """
    if not 1 <= first <= last:
        raise ValueError(f"distances must satisfy 1 <= first <= last, got {first} and {last}: use first=1")
    omega = frequencies(dim, base)
    wrong = 8 * EPS * last * float(omega.sum()) + 16 * EPS * dim
    least, near = np.inf, np.empty((0, 2))
    for start in range(first, last + 1, BLOCK):
        lags = np.arange(start, min(start + BLOCK, last + 1), dtype=np.float64)
        squares = np.zeros_like(lags)
        for frequency in omega:
            squares += 4 * np.sin(lags * (frequency / 2)) ** 2
            kept = squares <= least + 2 * wrong
            lags, squares = lags[kept], squares[kept]
        if lags.size:
            least = min(least, float(squares.min()))
            near = np.vstack([near, np.stack([lags, squares], axis=1)])
            near = near[near[:, 1] <= least + 2 * wrong]
    with digits():
        sharp = {int(lag): _squared_distance(dim, int(lag), base) for lag in near[:, 0]}
        best = min(sharp, key=lambda lag: sharp[lag])
        return best, enclosure(mpmath.sqrt(sharp[best]), 1e-20, "all distances, the nearest in 40 digits")


def _squared_distance(dim: int, lag: int, base: float) -> Any:
    """4 sum_i sin^2(omega_i k/2) in the current precision of mpmath; base as the exact float."""
    angles = (mpmath.mpf(base) ** (-mpmath.mpf(2 * i) / dim) * lag / 2 for i in range(dim // 2))
    return 4 * mpmath.fsum(mpmath.sin(angle) ** 2 for angle in angles)


def sinusoidal_closest(*, dim: int, first: int = 1, last: int = 1_000_000) -> Measurement:
    """min |p_{t+k} - p_t| over the distances k = first .. last of the sinusoidal code of base 10000."""
    return Measurement(closest_approach(dim, first=first, last=last)[1], {"dim": dim}, "sinusoidal")
