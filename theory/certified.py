"""Certified evaluation: a SymPy expression at exact rational values, enclosed in interval arithmetic.

The tree is walked node by node and every leaf enters as the rational number it is. Printers and `lambdify`
turn 1/3 into the nearest float first, and a ball around that float does not contain the answer.

The arithmetics are in `theory.interval_arithmetic`.
"""

import functools
import math
import operator
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral, Rational
from typing import Any

import sympy as sp
from mpmath.libmp import ComplexResult
from sympy.logic.boolalg import ITE, And, BooleanFalse, BooleanTrue, Not, Or

from theory.interval_arithmetic import ARITHMETICS, AbstractArithmetic, default_arithmetic
from theory.undecided import Undecided

DIGITS_LIMIT = 1000
RELATIVE_WIDTH = 1e-12
TERMS_LIMIT = 1_000_000


def exact_number(word: str, value: Any) -> sp.Expr:
    """`value` as an exact SymPy number; a float becomes the rational number that its bits store.

    Exact SymPy constants such as sqrt(2) pass unchanged. ValueError for NaN, infinity, Booleans and anything
    else.
    """
    if isinstance(value, sp.Expr) and not value.free_symbols and not value.atoms(sp.Float) and value.is_finite:
        return value
    if isinstance(value, Integral) and not isinstance(value, bool):
        return sp.Integer(int(value))
    if isinstance(value, Rational) and not isinstance(value, bool):
        return sp.Rational(int(value.numerator), int(value.denominator))
    if isinstance(value, bool | str | complex):
        raise ValueError(f"{word} must be a real number, got {value!r}: pass an int, float, Fraction or SymPy number")
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{word} must be one real number, got {value!r}: pass an int or a float") from error
    if not math.isfinite(number):
        raise ValueError(f"{word} must be finite, got {number}: check the computation that produced it")
    return sp.Rational(*number.as_integer_ratio())


@dataclass(frozen=True)
class _Walk:
    """One pass over a tree at one precision. `values` maps symbols to exact numbers."""

    use: AbstractArithmetic
    values: Mapping[sp.Basic, sp.Expr]

    def exact(self, node: Any) -> sp.Rational | None:
        """The node as an exact rational number, if SymPy's exact arithmetic finds one."""
        number = node.subs(dict(self.values))  # type: ignore[arg-type]  # subs takes a dict of Basic
        return number if isinstance(number, sp.Rational) else None

    def __call__(self, node: Any) -> Any:
        use = self.use
        match node:
            case sp.Float():
                raise ValueError(f"the expression contains the float {node}: write it as an exact sp.Rational")
            case sp.Rational():
                return use.interval(node.p, node.p) / use.interval(node.q, node.q)
            case sp.Symbol():
                if node not in self.values:
                    raise ValueError(f"symbol {node} has no value: pass one in `values`")
                return self(self.values[node])
            case _ if node in use.constants:
                return use.constants[node]()
            case sp.Add() | sp.Mul():
                combine = operator.add if isinstance(node, sp.Add) else operator.mul
                return functools.reduce(combine, map(self, node.args))
            case sp.Pow():
                exponent = self.exact(node.exp)
                if exponent is not None and exponent.q == 1:
                    positive = self(node.base) ** abs(exponent.p)
                    return positive if exponent.p >= 0 else 1 / positive
                return use.power(self(node.base), self(node.exp), node.base.is_nonnegative is True)
            case sp.Min() | sp.Max():
                return use.extreme([self(part) for part in node.args], min if isinstance(node, sp.Min) else max)
            case sp.Piecewise():
                pieces: Any = node.args
                return self(next((value for value, condition in pieces if self.holds(condition)), sp.nan))
            case sp.Sum() | sp.Product():
                return self.accumulate(node)
        known = use.functions.get(node.func)
        if known is not None:
            return known(*map(self, node.args))
        number = self.exact(node)
        if number is None:
            raise ValueError(f"{node.func.__name__} has no certified evaluation: {use.remedy}")
        return self(number)

    def accumulate(self, node: Any) -> Any:
        """Finite sum or product, term by term; the last limit of SymPy is the outermost."""
        *inner, (index, start, stop) = node.limits
        first, last = self.exact(start), self.exact(stop)
        if first is None or last is None or first.q != 1 or last.q != 1 or last - first >= TERMS_LIMIT:
            raise ValueError(f"{index} runs from {start} to {stop}: needs whole ends, at most {TERMS_LIMIT} terms")
        term = node.func(node.function, *inner) if inner else node.function
        empty, combine = (0, operator.add) if isinstance(node, sp.Sum) else (1, operator.mul)
        total = self.use.interval(empty, empty)
        for k in range(int(first), int(last) + 1):
            total = combine(total, _Walk(self.use, {**self.values, index: sp.Integer(k)})(term))
        return total

    def holds(self, condition: Any) -> bool:
        """Truth of a condition; Undecided where the two sides cannot be told apart."""
        match condition:
            case bool() | BooleanTrue() | BooleanFalse():
                return bool(condition)
            case And():
                return all(map(self.holds, condition.args))
            case Or():
                return any(map(self.holds, condition.args))
            case Not():
                return not self.holds(condition.args[0])
            case ITE():
                question, yes, no = condition.args
                return self.holds(yes if self.holds(question) else no)
        difference = condition.lhs - condition.rhs
        exact = self.exact(difference)
        if exact is not None:
            return bool(condition.func(exact, 0))
        low, high = self.use.signs(self(difference))
        if low != high:
            raise Undecided(f"whether {condition}")
        return bool(condition.func(low, 0))


def _outward(mantissa: int, exponent: int, towards: float) -> float:
    """The float nearest to mantissa * 2^exponent on the side of `towards` (plus or minus infinity)."""
    size = mantissa.bit_length() + exponent
    sign = 1.0 if mantissa > 0 else -1.0
    if mantissa == 0:
        return 0.0
    if size > 1024 or size < -1080:  # beyond the floats: the first one outwards, or the last one inwards
        beyond, last = (math.inf, sys.float_info.max) if size > 0 else (math.ulp(0.0), 0.0)
        return sign * (beyond if sign * towards > 0 else last)
    exact = Fraction(mantissa) * Fraction(2) ** exponent
    try:
        rounded = float(exact)
    except OverflowError:
        rounded = sign * sys.float_info.max
    wrong = rounded < exact if towards > 0 else rounded > exact
    return math.nextafter(rounded, towards) if wrong else rounded


def enclose(
    expression: sp.Expr,
    values: Mapping[Any, Any] | None = None,
    digits: int = 30,
    arithmetic: str | None = None,
) -> tuple[float, float]:
    """Floats (lower, upper) with lower <= expression <= upper, exactly, at the given values.

    values: symbol (or its name) -> exact number; a float stands for the rational number it stores. digits:
    decimal digits to begin with; they are doubled until the relative width is below 1e-12 or 1000 digits are
    passed (an exact zero that is not recognised as one returns a tiny interval around zero). arithmetic:
    "arb" or "mpmath"; default is Arb where python-flint is installed. ValueError for a function without
    certified evaluation, a symbol without value, a float inside the expression, and where 1000 digits leave
    a sign, a domain or a condition undecided.
    """
    name = arithmetic or default_arithmetic()
    if name not in ARITHMETICS or (name == "arb" and default_arithmetic() != "arb"):
        raise ValueError(f"no interval arithmetic {name!r}: use 'mpmath', or 'arb' with the extra `certify` installed")
    use = ARITHMETICS[name]()
    expression = sp.sympify(expression)
    given = {str(key): value for key, value in (values or {}).items()}
    exact = {s: exact_number(str(s), given[str(s)]) for s in expression.free_symbols if str(s) in given}
    while True:
        try:
            with use.precision(digits):
                low, high = use.ends(_Walk(use, exact)(expression))
                lower, upper = _outward(*use.dyadic(low), -math.inf), _outward(*use.dyadic(high), math.inf)
            if upper - lower <= RELATIVE_WIDTH * max(abs(lower), abs(upper)) or digits > DIGITS_LIMIT:
                return lower, upper
        except (Undecided, ZeroDivisionError, ComplexResult) as undecided:
            if digits > DIGITS_LIMIT:
                raise ValueError(
                    f"{digits} digits do not decide {undecided} in {expression} at {exact}: "
                    "the value may not be a finite real number; rewrite the expression or move the value"
                ) from undecided
        digits *= 2
