"""What an encoding is, before any training: symmetries of random networks, its table of vectors, look-ups, smooth
functions.

Numbers of one encoding on N positions, d channels, tables at mean power 1. Its vectors u are
  additive   p_t, by position t = 0 .. N-1
  relative   r_D, by distance D = i - j = 0 .. N-1
  rotary     (cos(theta_k D), sin(theta_k D))_k (2/d)^(1/2), by distance
  bias       (b_1(D), .., b_8(D)), by distance, unscaled.
`theory.expressiveness`: everything but `additive` acts through the logits alone.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from estimators.attention_map import encoding_arrays
from estimators.best_approximation import best_l2
from estimators.encoding_tables import TableReport, code, table_report
from estimators.equivariance import draw_layers, network
from estimators.estimate import Estimate
from estimators.features import additive_table, bias_row, relative_table, rotation_angles
from estimators.lookup import least_norm, problem
from theory.encodings import parse
from theory.encodings.base import (
    AbstractAdditiveEncoding,
    AbstractBiasEncoding,
    AbstractEncoding,
    AbstractRelativeEncoding,
    AbstractRotaryEncoding,
)

Array = np.ndarray
KINDS = {
    AbstractAdditiveEncoding: "additive",
    AbstractRelativeEncoding: "relative",
    AbstractRotaryEncoding: "rotary",
    AbstractBiasEncoding: "bias",
}
EQUAL = 1e-12  # relative, of rows that are equal in exact arithmetic
SAME = 1e-9  # relative, of two vectors that count as one
NETWORKS = 3
FARTHER = 8  # times the training length: how far positions are searched for a repeated code
STEPS = {2.0: 200, math.inf: 60}
SHIFT = 1


@dataclass(frozen=True)
class Horizon:
    """The first `distinct` positions (distances) differ pairwise; `searched` of them were compared."""

    distinct: int
    searched: int


@dataclass(frozen=True)
class Structure:
    """Everything of one encoding that needs no training.

    row_spread: max_ij |f_i - f_j|/max |f| on equal tokens, the largest of some random networks, with and without causal
    mask. permutation_spread: max |f(PX) - P f(X)|/max |f(X)|, without mask. operator, frobenius: least |A|, |A|_F of
    scores p_i^T A p_j with margin 1 for the shift j = i + 1; for vectors of distances the least |w| of <w, u_D> that
    singles out D = -1. Both None for biases and without encoding, [infinity, infinity] where two positions share a
    code. smooth: least |f - P c|_2/|f|_2 of f = e^x, x from -1 to 1 over the positions; None if not additive, or d > N.
    """

    encoding: str
    kind: str
    row_spread: float
    permutation_spread: float
    table: TableReport | None
    horizon: Horizon | None
    operator: Estimate | None
    frobenius: Estimate | None
    smooth: Estimate | None

    @property
    def logit_only(self) -> bool:
        """Whether the encoding acts through the logits alone."""
        return self.kind != "additive"

    @property
    def equal_rows(self) -> bool:
        return self.row_spread <= EQUAL

    @property
    def equivariant(self) -> bool:
        return self.permutation_spread <= EQUAL


def kind_of(encoding: AbstractEncoding) -> str:
    """additive, relative, rotary, bias or none."""
    return next((word for kind, word in KINDS.items() if isinstance(encoding, kind)), "none")


def structure(specification: str, *, length: int, dim: int, depth: int, seed: int = 0) -> Structure:
    """All numbers of the encoding NAME[:key=value,...]; depth: layers of the random networks."""
    encoding = parse(specification, dim=dim, train_length=length)
    kind = kind_of(encoding)
    seeds = range(seed, seed + NETWORKS)
    spreads = [row_spread(specification, length, dim, depth, k, causal) for k in seeds for causal in (False, True)]
    moved = [permutation_spread(specification, length, dim, depth, k) for k in seeds]
    rows = vectors(encoding, length)
    asked = look_up(specification, kind, length, dim)
    return Structure(
        encoding=specification,
        kind=kind,
        row_spread=max(spreads),
        permutation_spread=max(moved),
        table=None if rows is None else table_report(_scaled(rows, kind)),
        horizon=None if rows is None else horizon(encoding, length),
        operator=None if asked is None else asked[0],
        frobenius=None if asked is None else asked[1],
        smooth=smooth_error(specification, length, dim) if kind == "additive" and dim <= length else None,
    )


def row_spread(specification: str, length: int, dim: int, depth: int, seed: int, causal: bool) -> float:
    """max_ij |f_i - f_j|_inf / max |f| on `length` equal normal tokens, float64."""
    token = np.random.default_rng([seed, 1]).normal(size=dim)
    arrays = encoding_arrays(specification, length, dim, causal, 0)
    rows = network(draw_layers(seed, depth, dim), arrays, np.tile(token, (length, 1)), rounded=True)
    return float(np.ptp(rows, axis=0).max() / np.abs(rows).max())


def permutation_spread(specification: str, length: int, dim: int, depth: int, seed: int) -> float:
    """max |f(PX) - P f(X)| / max |f(X)| for normal tokens X and a cyclic shift P by one, no mask, float64."""
    tokens = np.random.default_rng([seed, 2]).normal(size=(length, dim))
    layers, arrays = draw_layers(seed, depth, dim), encoding_arrays(specification, length, dim, False, 0)
    rows = network(layers, arrays, tokens, rounded=True)
    moved = network(layers, arrays, np.roll(tokens, 1, axis=0), rounded=True)
    return float(np.abs(moved - np.roll(rows, 1, axis=0)).max() / np.abs(rows).max())


def vectors(encoding: AbstractEncoding, length: int) -> Float64[Array, "length channels"] | None:
    """u at 0 .. length-1, read by the encoding's rule beyond its training length, unscaled; None without encoding."""
    if isinstance(encoding, AbstractAdditiveEncoding):
        return np.asarray(additive_table(encoding, length))
    if isinstance(encoding, AbstractRelativeEncoding):
        return np.asarray(relative_table(encoding, length))[::-1]
    if isinstance(encoding, AbstractRotaryEncoding):
        angles = np.asarray(rotation_angles(encoding, length))
        return np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    if isinstance(encoding, AbstractBiasEncoding):
        return np.stack([np.asarray(bias_row(encoding, length, head))[::-1] for head in range(encoding.heads)], axis=1)
    return None


def _scaled(rows: Array, kind: str) -> Array:
    """Mean power 1, biases as they are."""
    power = float((rows**2).sum(axis=1).mean())
    return rows if kind == "bias" or power == 0 else rows / math.sqrt(power)


def horizon(encoding: AbstractEncoding, length: int) -> Horizon:
    """How many leading positions have pairwise different vectors, |u_s - u_t| > 1e-9 max(|u_s|, |u_t|).

    Of 8 N positions, or as many as the encoding's rule and float64 allow.
    """
    for count in (FARTHER * length, FARTHER * length // 2, 2 * length, length):
        try:
            rows = vectors(encoding, count)
        except ValueError:  # refused, or overflows
            continue
        if rows is not None:
            return Horizon(_leading_distinct(rows), count)
    raise ValueError(f"{encoding.name} cannot be read at its {length} training positions: use another length")


def _leading_distinct(rows: Float64[Array, "N channels"]) -> int:
    sizes = np.linalg.norm(rows, axis=1)
    for t in range(1, len(rows)):
        gaps = np.linalg.norm(rows[:t] - rows[t], axis=1)
        if (gaps <= SAME * np.maximum(sizes[:t], sizes[t])).any():
            return t
    return len(rows)


def look_up(specification: str, kind: str, length: int, dim: int) -> tuple[Estimate, Estimate] | None:
    """Least |A| and |A|_F of the shift by one (`Structure`), each between a dual and a primal certificate."""
    if kind == "additive":
        table = code(specification, dim, length)
        queries, keys, targets = table[:-SHIFT], table, np.arange(SHIFT, length)
    elif kind in ("relative", "rotary"):
        keys = _by_offset(specification, kind, length, dim)
        queries, targets = np.eye(1, keys.shape[1]), np.array([length - 1 - SHIFT])
    else:
        return None
    made = problem(queries, keys, targets)
    found = []
    for exponent in (math.inf, 2.0):
        try:
            found.append(least_norm(made, exponent, steps=STEPS[exponent]))
        except ValueError:  # two positions with one code
            found.append(Estimate(math.inf, math.inf, 1.0, "two positions have one code"))
    operator, frobenius = found  # |A| <= |A|_F for every A, so for the least ones
    return (
        Estimate(operator.lower, min(operator.upper, frobenius.upper), 1.0, operator.method),
        Estimate(max(operator.lower, frobenius.lower), frobenius.upper, 1.0, frobenius.method),
    )


def _by_offset(specification: str, kind: str, length: int, dim: int) -> Float64[Array, "offsets channels"]:
    """u_D for D = 1-N .. N-1, at mean power 1."""
    if kind == "relative":
        return _scaled(encoding_arrays(specification, length, dim, False, 0)[3], kind)
    encoding = parse(specification, dim=dim, train_length=length)
    angles = np.asarray(rotation_angles(encoding, length))
    forward, back = (np.concatenate([np.cos(angles), turn * np.sin(angles)], axis=1) for turn in (1.0, -1.0))
    return _scaled(np.concatenate([back[:0:-1], forward]), kind)


def smooth_error(specification: str, length: int, dim: int) -> Estimate:
    """min_c |f - P c|_2/|f|_2, f_t = e^x at x = -1 .. 1 equidistant."""
    values = np.exp(np.linspace(-1.0, 1.0, length))
    error = best_l2(values, code(specification, dim, length)).error
    size = float(np.linalg.norm(values))
    return Estimate(error.lower / size * (1 - 1e-12), error.upper / size * (1 + 1e-12), 1.0, error.method)
