"""Seeded draws as exact dyadic rationals, so that the symbolic side defines a random table exactly.

Uniforms come from `random.Random("STREAM/SEED")`, whose `random()` is stable across Python versions and
platforms;
`stream` is the encoding's name, so that two encodings with one seed are independent.
"""

import random
from functools import lru_cache

import mpmath
import sympy as sp

from theory.encodings.exact import Table, rational

GAUSSIAN_BITS = 40


@lru_cache(maxsize=256)
def gaussian_integers(stream: str, seed: int, count: int) -> tuple[int, ...]:
    """`count` standard normal draws in units of 2^-40 (Box-Muller at 80 bits, rounded to nearest)."""
    source = random.Random(f"{stream}/{seed}")
    draws: list[int] = []
    with mpmath.workprec(80):
        while len(draws) < count:
            radius = mpmath.sqrt(-2 * mpmath.log(1 - mpmath.mpf(source.random())))
            cosine, sine = mpmath.cos_sin(2 * mpmath.pi * mpmath.mpf(source.random()))
            draws += [
                int(mpmath.nint(mpmath.ldexp(radius * cosine, GAUSSIAN_BITS))),
                int(mpmath.nint(mpmath.ldexp(radius * sine, GAUSSIAN_BITS))),
            ]
    return tuple(draws[:count])


@lru_cache(maxsize=64)
def gaussian_table(stream: str, seed: int, rows: int, columns: int, std: sp.Rational) -> Table:
    """rows x columns independent N(0, std^2) draws, row by row: a longer table begins with the shorter
    one."""
    draws = gaussian_integers(stream, seed, rows * columns)
    unit = sp.Integer(2) ** GAUSSIAN_BITS
    entries = [rational(int(draw) * std.p, unit * std.q) for draw in draws]
    return tuple(tuple(entries[row * columns : (row + 1) * columns]) for row in range(rows))


@lru_cache(maxsize=256)
def uniforms(stream: str, seed: int, count: int) -> tuple[sp.Rational, ...]:
    """`count` independent uniform draws on [0, 1), exact multiples of 2^-53."""
    source = random.Random(f"{stream}/{seed}")
    return tuple(rational(int(source.random() * 2**53), 2**53) for _ in range(count))


FIXED_BITS = 160
FLOAT_BITS = 53


@lru_cache(maxsize=64)
def orthonormal_table(stream: str, seed: int, rows: int, columns: int, centred: bool) -> Table:
    """Orthonormal columns of a Gaussian rows x columns table (columns <= rows, one fewer if centred).

    Gram-Schmidt, twice, in 160-bit fixed point; with `centred` the constant vector goes first and is dropped.
    Entries are rounded to multiples of 2^-53, which float64 holds exactly. Uniform on orthonormal frames up
    to that rounding.
    """
    draws = gaussian_integers(stream, seed, rows * columns)
    lift = FIXED_BITS - GAUSSIAN_BITS
    candidates = [[draws[row * columns + column] << lift for row in range(rows)] for column in range(columns)]
    if centred:
        candidates.insert(0, [1 << FIXED_BITS] * rows)
    basis: list[list[int]] = []
    for vector in candidates:
        for _ in range(2):
            for unit in basis:
                overlap = _dot(vector, unit)
                vector = [v - (overlap * u >> FIXED_BITS) for v, u in zip(vector, unit, strict=True)]
        norm = int(sp.integer_nthroot(_dot(vector, vector) << FIXED_BITS, 2)[0])
        basis.append([(v << FIXED_BITS) // norm for v in vector])
    kept = basis[centred:]
    drop = FIXED_BITS - FLOAT_BITS
    return tuple(
        tuple(rational((column[row] + (1 << (drop - 1))) >> drop, 2**FLOAT_BITS) for column in kept)
        for row in range(rows)
    )


def _dot(left: list[int], right: list[int]) -> int:
    return sum(a * b for a, b in zip(left, right, strict=True)) >> FIXED_BITS
