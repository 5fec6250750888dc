"""The span of the columns of a table, with an orthonormal basis whose distance from it is known.

A table A (N, d) is scaled to columns of norm in [1/2, 2) by powers of two and factorised, A = Q R, R P = Q' R'
(pivoted: rank-revealing). Kept are the r columns S (N, r) with |R'_kk| > max(N, d) eps |R'_11|; every other column is
within about that much of their span. T = R'^-1 makes B = S T nearly orthonormal; where columns are nearly dependent, T
has more digits and S T is summed in twice the precision. B is in float64; the exact S T differs from it by at most
`deviation` (Frobenius norm), and its least singular value is at least `least`. Both are computed with bounds on
rounding, not assumed: whatever holds for S T holds for the span of S.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64, Shaped
from scipy.linalg import cholesky, qr, solve_triangular

from estimators.compensated import product

Array = np.ndarray
UNIT = 2.0**-53
EPS = 2.0**-52
EXTENDED = float(np.finfo(np.longdouble).eps)
ROWS = 4096  # at a time
LOOSE = 1e-4
LARGEST = 1 << 26  # multiplications in extended precision
CANCELLING = 1e3


@dataclass(frozen=True)
class Span:
    """channels: d. kept: indices of the r kept columns. scales (r,): S = A[:, kept] * scales, powers of two.
    condition: largest over smallest singular value of A itself, infinite if r < d. See the module for the others.
    """

    channels: int
    kept: Int64[Array, " r"]
    scales: Float64[Array, " r"]
    columns: Float64[Array, "N r"]
    transform: Shaped[Array, "r r"]
    orthonormal: Float64[Array, "N r"]
    deviation: float
    least: float
    condition: float

    @property
    def rank(self) -> int:
        return len(self.kept)

    @property
    def positions(self) -> int:
        return len(self.columns)

    def weights(self, scaled: Shaped[Array, " r"]) -> Float64[Array, " d"]:
        """Weights of all d channels from those of the kept scaled columns."""
        found = np.zeros(self.channels)
        found[self.kept] = scaled * self.scales
        return found


def gamma(terms: int) -> float:
    """Bound terms u/(1 - terms u) on the relative rounding of a sum of `terms` products, u = 2^-53, any order."""
    return terms * UNIT / (1 - terms * UNIT)


def span_of(basis: Any) -> Span:
    """The span of the columns of `basis` (N, d). ValueError for an empty, infinite or too wide table."""
    table = np.asarray(basis, dtype=np.float64)
    if table.ndim != 2 or 0 in table.shape:
        raise ValueError(f"a basis must be a table (positions, channels), got shape {table.shape}: add channels")
    if not np.isfinite(table).all():
        raise ValueError("the basis must be finite, got NaN or infinity: use fewer channels or another encoding")
    length, channels = table.shape
    if channels > length:
        raise ValueError(f"{channels} channels exceed {length} positions: use at most {length} channels")
    largest = np.abs(table).max(axis=0)
    nonzero = np.flatnonzero(largest > 0)
    if nonzero.size == 0:
        empty = np.zeros((length, 0))
        return Span(channels, nonzero, np.zeros(0), empty, np.zeros((0, 0)), empty, 0.0, 1.0, np.inf)
    # Powers of two scale without rounding; the largest entry first, so that squares neither overflow nor vanish.
    first = _power_of_two(largest[nonzero])
    scaled = table[:, nonzero] * first
    second = _power_of_two(np.linalg.norm(scaled, axis=0))
    scales = first * second
    scaled *= second
    triangle = _triangle(scaled)
    factors: Any = qr(triangle, mode="r", pivoting=True)
    pivoted, order = factors
    diagonal = np.abs(np.diag(pivoted))
    rank = int(np.sum(diagonal > max(length, channels) * EPS * diagonal[0]))
    chosen = order[:rank]
    columns = np.ascontiguousarray(scaled[:, chosen])
    transform = solve_triangular(pivoted[:rank, :rank], np.eye(rank))
    loose = diagonal[rank - 1] < LOOSE * diagonal[0] and length * rank**2 <= LARGEST
    transform, orthonormal, unit = _extended(columns, transform) if loose else (transform, columns @ transform, UNIT)
    deviation, least = _quality(columns, transform, orthonormal, unit)
    condition = _condition(triangle, scales) if rank == channels else np.inf
    kept = nonzero[chosen].astype(np.int64)
    return Span(channels, kept, scales[chosen], columns, transform, orthonormal, deviation, least, condition)


def _triangle(table: Array) -> Array:
    """R of A = Q R: of the Gram matrix where that loses little, else by blocks of rows that fit the cache."""
    if table.size > LARGEST >> 6:
        gram = table.T @ table
        spectrum = np.linalg.eigvalsh(gram)
        if spectrum[0] > LOOSE * spectrum[-1]:
            return cholesky(gram)
    blocks: list[Any] = [np.linalg.qr(table[start : start + ROWS], mode="r") for start in range(0, len(table), ROWS)]
    return blocks[0] if len(blocks) == 1 else np.asarray(np.linalg.qr(np.vstack(blocks), mode="r"))


def _extended(columns: Array, transform: Array) -> tuple[Array, Array, float]:
    """T and B = S T for nearly dependent columns: T orthonormalised twice in extended precision; the unit of S T."""
    long = columns.astype(np.longdouble)
    transform = transform.astype(np.longdouble)
    for _ in range(2):
        turn = np.linalg.qr((long @ transform).astype(np.float64), mode="r")
        transform = transform @ solve_triangular(turn, np.eye(len(turn))).astype(np.longdouble)
    return transform, product(columns, transform), gamma(4 * len(transform) + 8) ** 2


def _power_of_two(sizes: Array) -> Array:
    """2^-k with size 2^-k in [1/2, 1), within the range of float64."""
    return np.ldexp(1.0, np.clip(-np.frexp(sizes)[1], -1022, 1000))


def _condition(triangle: Array, scales: Array) -> float:
    with np.errstate(over="ignore"):
        singular = np.linalg.svd(triangle * (scales.min() / scales), compute_uv=False)
    return float(singular[0] / singular[-1]) if singular[-1] > 0 else np.inf


def _quality(columns: Array, transform: Array, orthonormal: Array, unit: float) -> tuple[float, float]:
    """|S T - B|_F at most, and the least singular value of S T at least (0 if nothing is known).

    B was computed with relative rounding `unit` and then rounded to float64.
    """
    length, rank = columns.shape
    # Single precision is enough for a bound on rounding, and halves the time.
    size_of_terms = np.abs(columns).astype(np.float32) @ np.abs(transform).astype(np.float32)
    spread = 1.01 * float(np.linalg.norm(size_of_terms)) + 1e-20
    deviation = 1.01 * ((rank + 2) * unit * spread + UNIT * float(np.linalg.norm(orthonormal)))
    gram = orthonormal.T @ orthonormal
    size = float(np.linalg.norm(orthonormal)) * (1 + 1e-6)
    wrong = float(np.linalg.norm(gram - np.eye(rank))) * (1 + 1e-6) + gamma(length + 2) * (size**2 + rank)
    return deviation, max(float(np.sqrt(max(1 - wrong, 0.0))) - deviation, 0.0)


def residual(
    values: Float64[Array, " N"], columns: Float64[Array, "N r"], weights: Shaped[Array, " r"]
) -> tuple[Float64[Array, " N"], Float64[Array, " N"]]:
    """f - S c in extended precision, rounded to float64, and a bound on its rounding at every position.

    Large weights that cancel are summed in twice the precision (`estimators.compensated`).
    """
    long = np.asarray(weights, dtype=np.longdouble)
    size = np.abs(values) + np.abs(columns) @ np.abs(weights).astype(np.float64)
    if size.max() > CANCELLING * np.abs(values).max():
        found = product(columns, -long[:, None], values[:, None])[:, 0]
        return found, 1.01 * (gamma(4 * len(weights) + 8) ** 2 * size + UNIT * np.abs(found))
    found = np.empty(len(values))
    for start in range(0, len(values), ROWS):
        part = slice(start, start + ROWS)
        found[part] = values[part] - columns[part].astype(np.longdouble) @ long
    return found, 1.01 * ((len(weights) + 2) * EXTENDED * size + UNIT * np.abs(found))


def checked_values(values: Any, positions: int) -> Float64[Array, " N"]:
    """Values (N,) as float64; ValueError unless they are finite and there are `positions` of them."""
    found = np.asarray(values, dtype=np.float64)
    if found.shape != (positions,):
        raise ValueError(f"values must have shape ({positions},) like the rows of the basis, got {found.shape}")
    if not np.isfinite(found).all():
        raise ValueError("values must be finite, got NaN or infinity: choose another target or other positions")
    return found
