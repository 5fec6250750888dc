"""Array forms of the formulae of `theory.encodings` at exact positions, in float64.

By default a form is compiled from the SymPy formula (`lambdify`). Where that loses digits (high-degree
polynomials), is slow or has no closed form (tables), a stable form is registered by type. One generic test
holds all of them against 30-digit SymPy.
"""

import functools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from theory.encodings.base import AbstractRelativeEncoding
from theory.encodings.cells import cell, grid_size, level_and_shift
from theory.encodings.chebyshev import Chebyshev
from theory.encodings.daubechies import BITS, Daubechies, prototype
from theory.encodings.fire import Fire
from theory.encodings.haar import Haar
from theory.encodings.legendre import Legendre, gram_norm
from theory.encodings.t5 import T5
from theory.encodings.table import AbstractTableEncoding

Positions = Sequence[sp.Rational]


@functools.singledispatch
def additive_form(encoding: Any, positions: Positions) -> np.ndarray:
    """p at exact positions, (len(positions), dim)."""
    t = sp.Symbol("t", real=True)
    compiled = sp.lambdify(t, [encoding.feature(t, k) for k in range(encoding.dim)], "numpy")
    at = floats(positions)
    return np.stack([np.broadcast_to(np.asarray(column, float), at.shape) for column in compiled(at)], axis=-1)


@additive_form.register
def _(encoding: AbstractTableEncoding, positions: Positions) -> np.ndarray:
    table = np.array([floats(row) for row in encoding.table()])
    at = floats(positions)
    below = np.minimum(np.floor(at).astype(int), max(encoding.train_length - 2, 0))
    weight = (at - below)[:, None]
    above = np.minimum(below + 1, encoding.train_length - 1)
    return (1 - weight) * table[below] + weight * table[above]


@additive_form.register
def _(encoding: Haar, positions: Positions) -> np.ndarray:
    size = grid_size(encoding.train_length)
    cells = np.array([cell(t, encoding.train_length) for t in positions])
    columns = []
    for k in range(not encoding.constant, encoding.dim + (not encoding.constant)):
        level, shift = level_and_shift(k) if k else (0, 0)
        half = cells * 2 ** (level + 1) // size - 2 * shift
        inside = (half >= 0) & (half <= 1) & (k < size)
        sign = np.where((half == 1) & (k > 0), -1.0, 1.0)
        columns.append(np.where(inside, sign * math.sqrt(2**level / encoding.train_length), 0.0))
    return np.stack(columns, axis=-1)


@additive_form.register
def _(encoding: Daubechies, positions: Positions) -> np.ndarray:
    size = grid_size(encoding.train_length)
    depth = size.bit_length() - 1
    cells = np.array([cell(t, encoding.train_length) for t in positions])
    columns = []
    for k in range(not encoding.constant, encoding.dim + (not encoding.constant)):
        level, shift = level_and_shift(k) if k else (-1, 0)
        start = shift << (depth - level) if 0 < k < size else 0
        values = prototype(encoding.order, level, depth) if k < size else (0,) * size
        columns.append(np.array([value / 2**BITS for value in values])[(cells - start) % size])
    return np.stack(columns, axis=-1) * math.sqrt(size / encoding.train_length)


@additive_form.register
def _(encoding: Chebyshev, positions: Positions) -> np.ndarray:
    return _recurrence(encoding, positions, lambda k: (2.0, 1.0))


@additive_form.register
def _(encoding: Legendre, positions: Positions) -> np.ndarray:
    first, degrees = int(not encoding.constant), encoding.dim + (not encoding.constant)
    if encoding.form == "orthonormal":
        return np.stack([_gram_row(encoding.train_length, degrees, t)[first:] for t in positions])
    table = _recurrence(encoding, positions, lambda k: ((2 * k + 1) / (k + 1), k / (k + 1)))
    return table * np.sqrt(2 * np.arange(first, degrees) + 1) if encoding.form == "normalised" else table


def _recurrence(
    encoding: Chebyshev | Legendre, positions: Positions, factors: Callable[[int], tuple[float, float]]
) -> np.ndarray:
    """Polynomials with p_0 = 1, p_1 = x, p_k+1 = a_k x p_k - b_k p_k-1, (a_k, b_k) = factors(k), by degree."""
    degrees = encoding.dim + (not encoding.constant)
    x = floats([2 * t / sp.Integer(encoding.train_length - 1) - 1 for t in positions])
    columns = [np.ones_like(x), x]
    # An overflow far beyond the interval shows as infinity or NaN, which the caller refuses.
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(1, degrees):
            ahead, behind = factors(k)
            columns.append(ahead * x * columns[-1] - behind * columns[-2])
    return np.stack(columns[not encoding.constant : degrees], axis=-1)


def _gram_row(size: int, degrees: int, t: sp.Rational) -> list[float]:
    """Discrete Chebyshev polynomials at t by their recurrence in exact arithmetic (in floating point it
    diverges from degree 2 sqrt N on), each divided by its norm."""
    point = Fraction(int(t.p), int(t.q))
    values = [Fraction(1), 2 * point - size + 1]
    for k in range(1, degrees):
        ahead, behind = (2 * k + 1) * values[1] * values[-1], k * (size * size - k * k) * values[-2]
        values.append((ahead - behind) / (k + 1))
    return [_over_root(values[k], int(gram_norm(k, size))) if k < size else 0.0 for k in range(degrees)]


def _over_root(value: Fraction, square: int) -> float:
    return math.copysign(math.sqrt(value * value / square), value)


@functools.singledispatch
def bias_form(encoding: Any, distances: Positions | np.ndarray, head: int, query: int | None) -> np.ndarray:
    """b_head at exact signed distances, (len(distances),); floats do where the formula takes any real number."""
    distance = sp.Symbol("distance", real=True)
    compiled = sp.lambdify(distance, encoding.bias(distance, head), "numpy")
    at = floats(distances)
    return np.broadcast_to(np.asarray(compiled(at), float), at.shape)


@bias_form.register
def _(encoding: T5, distances: Positions, head: int, query: int | None) -> np.ndarray:
    return floats([encoding.bias(distance, head) for distance in distances])


@bias_form.register
def _(encoding: Fire, distances: Positions | np.ndarray, head: int, query: int | None) -> np.ndarray:
    weights, offsets, rows, last = encoding.layers()
    encoding._head(head)
    scale = float(encoding.scale)
    top = math.log1p(scale * max(float(encoding.threshold), query or 0))
    x = np.log1p(scale * np.abs(floats(distances))) / top
    hidden = np.maximum(0, np.outer(x, floats(weights)) + floats(offsets))  # (len, width)
    return (hidden @ floats(rows[head]) + float(last[head])) / math.sqrt(encoding.width)


def relative_form(encoding: AbstractRelativeEncoding, offsets: Positions) -> np.ndarray:
    """r at exact offsets, (len(offsets), dim)."""
    rows = {offset: floats([encoding.feature(offset, k) for k in range(encoding.dim)]) for offset in set(offsets)}
    return np.stack([rows[offset] for offset in offsets])


def floats(numbers: Any) -> np.ndarray:
    """Exact rationals, each rounded once; an array is passed on."""
    if isinstance(numbers, np.ndarray):
        return numbers
    # int/int rounds once; float(sympy.Rational) goes through mpmath and is ten times slower.
    return np.array([int(number.p) / int(number.q) for number in numbers], dtype=np.float64)
