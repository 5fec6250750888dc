"""Random admissible points of a bound: exact numbers in the domains of its symbols at which its assumptions hold."""

import random
from fractions import Fraction

import sympy as sp

from theory.bound import Bound

Point = dict[str, int | Fraction]
TRIES = 3000  # per point
ZEROS = 1 / 16  # share of zeros where a symbol may be zero
LARGEST_COUNT, OCTAVES = 48, 4


def admissible_points(bound: Bound, count: int, seed: int = 0) -> list[Point]:
    """`count` random points (word -> number) that `bound` accepts; the same for the same seed.

    Counts are log-uniform in 1 .. 48, other numbers in 1/16 .. 16 with six binary digits, so that a float holds them;
    where zero is allowed, one in 16 is zero. Points that break `bound.assumptions` are drawn again; ValueError if
    3,000 draws in a row do.
    """
    source = random.Random(seed)
    found: list[Point] = []
    while len(found) < count:
        for _ in range(TRIES):
            point = {symbol.name: _number(symbol, source) for symbol in bound.symbols}
            if holds(bound, point):
                found.append(point)
                break
        else:
            raise ValueError(
                f"no random point satisfies {bound.assumptions} in {TRIES} draws: substitute what it fixes first"
            )
    return found


def holds(bound: Bound, point: Point) -> bool:
    """Whether the assumptions are true at a point of the symbols' domains."""
    exact = [(symbol, sp.Rational(point[symbol.name])) for symbol in bound.symbols]
    return bool(bound.assumptions.subs(exact) == sp.true)


def breaking_point(bound: Bound, seed: int = 0) -> Point | None:
    """A random point of the symbols' domains at which an assumption is false; None if none was found."""
    source = random.Random(seed)
    for _ in range(TRIES if bound.assumptions != sp.true else 0):
        point = {symbol.name: _number(symbol, source) for symbol in bound.symbols}
        exact = [(symbol, sp.Rational(point[symbol.name])) for symbol in bound.symbols]
        if bound.assumptions.subs(exact) == sp.false:
            return point
    return None


def _number(symbol: sp.Symbol, source: random.Random) -> int | Fraction:
    falling = bool(symbol.is_negative or symbol.is_nonpositive)
    either = not falling and not (symbol.is_positive or symbol.is_nonnegative)
    sign = -1 if falling or (either and source.random() < 1 / 2) else 1
    if not (symbol.is_nonzero or symbol.is_positive or symbol.is_negative) and source.random() < ZEROS:
        return 0
    if symbol.is_integer:
        size = round((LARGEST_COUNT + 0.5) ** source.random())
        if symbol.is_even or symbol.is_odd:
            size += size % 2 != (1 if symbol.is_odd else 0)
        return sign * size
    return sign * Fraction(round(2 ** source.uniform(0, 2 * OCTAVES) * 4), 64)
