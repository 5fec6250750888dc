"""Where formulas in x are finite, and how large they are: enclosures on intervals and on complex rectangles.

Interval arithmetic of mpmath: an enclosure contains every value on the interval, so that what it shows is proved.
"""

import functools
import math
import operator
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import mpmath
import sympy as sp

from theory.function_text import x
from theory.interval_arithmetic import MpmathIntervals

DIGITS = 25
CELLS, HALVINGS, MOST_SPLIT = 64, 12, 256
Number = int | Fraction
iv: Any = mpmath.iv
ARITHMETIC = MpmathIntervals()
MONOTONE = {sp.atan: mpmath.atan, sp.asin: mpmath.asin, sp.acos: mpmath.acos}


class Singular(ArithmeticError):
    """The enclosure touches a pole, a branch cut or numbers where the formula is not real."""


def span(low: Any, high: Any) -> Any:
    """The interval between two exact real numbers (int, Fraction, SymPy)."""
    return iv.mpf([_number(low).a, _number(high).b])


def _number(value: Any) -> Any:
    if isinstance(value, sp.Expr) and not isinstance(value, sp.Rational):
        return _Walk(None, True)(value)
    return iv.mpf(value.numerator) / iv.mpf(value.denominator)


def enclosure(expression: sp.Expr, at: Any, edge: bool = False) -> Any:
    """Interval of the values for x in `at`, an interval of mpmath.iv (complex: a rectangle); `Singular` where it is not
    finite, real (for real x) or analytic (for complex x).

    edge: roots of enclosures that reach below zero are taken from zero, for cells in which they are known to be real.
    """
    with ARITHMETIC.precision(DIGITS):
        return _Walk(at, edge)(expression)


def _complex(value: Any) -> bool:
    return isinstance(value, iv.mpc)


def _holds_zero(value: Any) -> bool:
    parts = (value.real, value.imag) if _complex(value) else (value,)
    return all(part.a <= 0 <= part.b for part in parts)


def _log(value: Any) -> Any:
    if _complex(value):
        if value.real.a <= 0 and value.imag.a <= 0 <= value.imag.b:
            raise Singular("a branch cut")
    elif value.a <= 0:
        raise Singular("a logarithm of zero or of a negative number")
    return iv.log(value)


class _Walk:
    """One pass over a tree; parts that occur again are not computed again."""

    def __init__(self, at: Any, edge: bool) -> None:
        self.at, self.edge = at, edge
        self.seen: dict[Any, Any] = {x: at}

    def __call__(self, node: Any) -> Any:
        if node not in self.seen:
            self.seen[node] = self.value(node)
        return self.seen[node]

    def value(self, node: Any) -> Any:
        match node:
            case sp.Rational():
                return iv.mpf(node.p) / iv.mpf(node.q)
            case _ if node in ARITHMETIC.constants:
                return ARITHMETIC.constants[node]()
            case sp.Add() | sp.Mul():
                combine = operator.add if isinstance(node, sp.Add) else operator.mul
                return functools.reduce(combine, map(self, node.args))
            case sp.Pow():
                return self.power(self(node.base), node.exp)
        return _function(node.func, [self(part) for part in node.args])

    def power(self, base: Any, exponent: Any) -> Any:
        if isinstance(exponent, sp.Integer):
            positive = base ** abs(int(exponent))
            if exponent >= 0:
                return positive
            if _holds_zero(base):
                raise Singular("a division by zero")
            return 1 / positive
        power = self(exponent)
        if not _complex(base):
            if base.b < 0 or (base.a < 0 and not self.edge):
                raise Singular("a root of a negative number")
            if base.a <= 0:
                if _complex(power) or not power.a > 0:
                    raise Singular("a division by zero")
                ends = [iv.exp(iv.mpf(end) * iv.log(iv.mpf(base.b))).b for end in (power.a, power.b) if base.b > 0]
                return iv.mpf([0, max([iv.mpf(0).b, *ends])])
        return iv.exp(power * _log(base))


def _function(kind: Any, parts: list[Any]) -> Any:
    first = parts[0]
    if kind is sp.log:
        return _log(first)
    if kind in (sp.exp, sp.sin, sp.cos):
        return ARITHMETIC.functions[kind](first)
    if kind is sp.tan:
        return _ratio(iv.sin(first), iv.cos(first))
    if kind in (sp.sinh, sp.cosh, sp.tanh):
        grown, fallen = iv.exp(first), iv.exp(-first)
        top, bottom = grown - fallen, grown + fallen
        return top / 2 if kind is sp.sinh else bottom / 2 if kind is sp.cosh else _ratio(top, bottom)
    if any(map(_complex, parts)):
        raise Singular(f"{kind.__name__}, of which no analytic continuation is known here")
    if kind is sp.Abs:
        return abs(first)
    if kind is sp.sign:
        return iv.mpf([-1 if first.a < 0 else int(first.a > 0), 1 if first.b > 0 else -int(first.b < 0)])
    if kind in (sp.Min, sp.Max):
        choose = min if kind is sp.Min else max
        return iv.mpf([choose(part.a for part in parts), choose(part.b for part in parts)])
    if kind in MONOTONE:
        if kind is not sp.atan and (first.a < -1 or first.b > 1):
            raise Singular(f"{kind.__name__} beyond -1 .. 1")
        with mpmath.workdps(2 * DIGITS):
            ends = sorted(MONOTONE[kind](mpmath.mpf(end)) for end in (mpmath.mpf(first.a.mid), mpmath.mpf(first.b.mid)))
        return iv.mpf(ends) + iv.mpf([-1, 1]) * iv.mpf(10) ** -DIGITS
    raise Singular(f"{kind.__name__}, which has no enclosure")


def _ratio(top: Any, bottom: Any) -> Any:
    if _holds_zero(bottom):
        raise Singular("a division by zero")
    return top / bottom


def size(value: Any) -> float:
    """Upper end of |value| as a float."""
    top = abs(value).b
    return math.nextafter(float(mpmath.mpf(top.mid)), math.inf)


def cells(low: Any, high: Any, count: int = CELLS) -> Iterator[tuple[Any, Any]]:
    """Equal parts of [low, high], exact ends."""
    step = (sp.sympify(high) - sp.sympify(low)) / count
    for k in range(count):
        yield low + k * step, low + (k + 1) * step


def require_finite(expression: sp.Expr, text: str) -> None:
    """ValueError in one line unless the formula is shown to be finite and real everywhere on [-1, 1]."""
    waiting = [(sp.Integer(-1), sp.Integer(1))]
    for point in (sp.Rational(k, 16) for k in range(-16, 17)):
        _require_value(expression, point, text)
    for depth in range(HALVINGS + 1):
        failed = [(a, b) for a, b in waiting if not _finite(expression, a, b, edge=depth == HALVINGS)]
        if not failed or len(failed) > MOST_SPLIT:
            waiting = failed
            break
        waiting = (
            failed if depth == HALVINGS else [half for a, b in failed for half in ((a, (a + b) / 2), ((a + b) / 2, b))]
        )
    if waiting:
        place = f"{float(waiting[0][0]):.6g}"
        raise ValueError(
            f"target {text[:60]!r}: not finite and real near x = {place}: move the singularity off [-1, 1]"
        )


def _require_value(expression: Any, point: Any, text: str) -> None:
    value: Any = expression.subs(x, point)
    if value.is_finite is not True or value.is_real is not True:
        number: Any = sp.N(value)
        if not (number.is_finite and number.is_real):
            wrong = "real" if number.is_finite else "finite"
            raise ValueError(
                f"target {text[:60]!r}: not {wrong} at x = {point}: targets need a number on all of [-1, 1]"
            )


def _finite(expression: sp.Expr, low: Any, high: Any, edge: bool) -> bool:
    try:
        return math.isfinite(size(enclosure(expression, span(low, high), edge)))
    except (Singular, ZeroDivisionError, ValueError):
        return False
