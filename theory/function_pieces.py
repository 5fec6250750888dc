"""Formulas in x cut into pieces without |.|, sign, Max and Min, and what is known of each: zeros, variation, maximum.

Exact where the derivative has one sign, or its zeros are those of a polynomial with roots that SymPy can write;
otherwise an upper bound from interval arithmetic, rounded up to nine digits.
"""

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy as sp

from theory.function_ranges import Singular, cells, enclosure, size, span
from theory.function_text import x

BREAKING = (sp.Abs, sp.sign, sp.Max, sp.Min)
COARSE, FINE = 32, 5  # cells of a piece, halvings of those in which the derivative may vanish
MOST_PIECES = 64


def rounded_up(value: float) -> Any:
    """A rational number of nine digits, at least `value`."""
    if value == 0:
        return sp.Integer(0)
    scale = Fraction(10) ** (8 - math.floor(math.log10(value)))
    return sp.Rational(math.ceil(Fraction(value) * scale)) / sp.Rational(scale.numerator, scale.denominator)


def derivative_of(expression: Any, order: int = 1) -> Any:
    """With powers collected: the derivative of (-x)^(3/2) is written without a division by x."""
    return sp.powsimp(sp.diff(expression, x, order))


@dataclass(frozen=True)
class Piece:
    """The formula without breaks on [low, high]."""

    low: Any
    high: Any
    expression: Any

    def derivative(self, order: int) -> "Piece":
        return Piece(self.low, self.high, derivative_of(self.expression, order)) if order else self

    def at(self, point: Any) -> Any:
        return sp.simplify(self.expression.subs(x, point))

    @cached_property
    def turns(self) -> tuple[Any, ...] | None:
        """Both ends and the zeros of the derivative between them, exactly; None where they were not found."""
        slope: Any = derivative_of(self.expression)
        if slope == 0 or (len(self.runs) == 1 and self.runs[0][2] != 0):
            return self.low, self.high
        top: Any = sp.numer(sp.together(slope))
        if not top.is_polynomial(x):
            return None
        inside = _roots_inside(top, self.low, self.high)
        return None if inside is None else (self.low, *inside, self.high)

    @cached_property
    def runs(self) -> tuple[tuple[Any, Any, int], ...]:
        """(low, high, sign of the derivative), in order, 0 where it may vanish. `Singular` where it may be infinite."""
        slope: Any = derivative_of(self.expression)
        found: list[tuple[Any, Any, int]] = []
        for low, high in cells(self.low, self.high, COARSE):
            for a, b, sign in _signed(slope, low, high, FINE):
                if found and sign and found[-1][2] == sign:
                    found[-1] = (found[-1][0], b, sign)
                else:
                    found.append((a, b, sign))
        return tuple(found)

    @cached_property
    def variation(self) -> Any:
        """Total variation, or an upper bound. `Singular` where none was found."""
        if self.turns is not None:
            values = [self.at(point) for point in self.turns]
            return sp.simplify(sp.Add(*(sp.Abs(b - a) for a, b in itertools.pairwise(values))))
        slope, total = derivative_of(self.expression), 0.0
        for low, high, sign in self.runs:
            if sign:
                total += size(enclosure(self.expression, span(high, high)) - enclosure(self.expression, span(low, low)))
            else:
                total += size(enclosure(slope, span(low, high)) * (span(high, high) - span(low, low)))
        return rounded_up(total * (1 + 1e-12))

    @cached_property
    def largest(self) -> Any:
        """max |f|, or an upper bound, also where the derivative is infinite."""
        try:
            turns = self.turns
        except Singular:
            parts = cells(self.low, self.high, 8 * COARSE)
            return rounded_up(max(size(enclosure(self.expression, span(low, high))) for low, high in parts))
        if turns is not None:
            return sp.Max(*(sp.Abs(self.at(point)) for point in turns))
        ends = [size(enclosure(self.expression, span(p, p))) for low, high, _ in self.runs for p in (low, high)]
        slope: Any = derivative_of(self.expression)
        inner = [self._near(slope, low, high) for low, high, sign in self.runs if not sign]
        return rounded_up(max(ends + inner))

    def _near(self, slope: Any, low: Any, high: Any) -> float:
        """|f| at the middle plus half the width times |f'|: less than the range of f where f' almost vanishes."""
        middle, cell = (low + high) / 2, span(low, high)
        by_slope = abs(enclosure(self.expression, span(middle, middle))) + abs(enclosure(slope, cell)) * (
            span(high, high) - span(middle, middle)
        )
        return min(size(by_slope), size(enclosure(self.expression, cell)))

    @cached_property
    def energy(self) -> Any:
        """Integral of f^2, or an upper bound."""
        square: Any = self.expression**2
        if self.expression.is_rational_function(x):
            found: Any = sp.integrate(sp.apart(square, x), (x, self.low, self.high))
            if not found.has(sp.Integral):
                return sp.simplify(found)
        bend: Any = derivative_of(square, 2)
        total = 0.0
        for low, high in cells(self.low, self.high, 4 * COARSE):  # midpoint rule, error at most width^3/24 max (f^2)''
            middle, width = (low + high) / 2, span(high, high) - span(low, low)
            try:
                curved = size(enclosure(bend, span(low, high)) * width**3) / 24
                total += size(enclosure(square, span(middle, middle)) * width) + curved
            except Singular:
                total += size(enclosure(square, span(low, high)) * width)
        return rounded_up(total * (1 + 1e-12))


def _signed(slope: sp.Expr, low: Any, high: Any, halvings: int) -> list[tuple[Any, Any, int]]:
    value = enclosure(slope, span(low, high))
    if not math.isfinite(size(value)):
        raise Singular("an infinite derivative")
    if value.a > 0 or value.b < 0 or halvings == 0:
        return [(low, high, int(value.a > 0) - int(value.b < 0))]
    middle = (low + high) / 2
    return _signed(slope, low, middle, halvings - 1) + _signed(slope, middle, high, halvings - 1)


def pieces(expression: Any) -> tuple[Piece, ...] | None:
    """The formula cut at the zeros of what is inside |.|, sign, Max and Min; None where these are not polynomials."""
    done, waiting = [], [Piece(sp.Integer(-1), sp.Integer(1), expression)]
    while waiting:
        piece = waiting.pop()
        inner: Any = [
            node for node in piece.expression.atoms(*BREAKING) if not any(a.has(*BREAKING) for a in node.args)
        ]
        if not inner:
            done.append(piece)
            continue
        node: Any = min(inner, key=sp.default_sort_key)
        inside: Any = node.args
        decides = inside[0] - inside[1] if isinstance(node, sp.Max | sp.Min) else inside[0]
        zeros = _zeros(decides, piece)
        if zeros is None or len(done) + len(waiting) > MOST_PIECES:
            return None
        ends = [piece.low, *zeros, piece.high]
        for low, high in itertools.pairwise(ends):
            positive = bool(decides.subs(x, (low + high) / 2) > 0)
            waiting.append(Piece(low, high, piece.expression.xreplace({node: _chosen(node, positive)})))
    return tuple(sorted(done, key=lambda piece: piece.low))


def _chosen(node: Any, positive: bool) -> Any:
    if isinstance(node, sp.Abs):
        return node.args[0] if positive else -node.args[0]
    if isinstance(node, sp.sign):
        return sp.Integer(1 if positive else -1)
    first, second, *rest = node.args
    return node.func(first if positive == isinstance(node, sp.Max) else second, *rest)


def _roots_inside(polynomial: Any, low: Any, high: Any) -> list[Any] | None:
    """Real roots strictly between the ends, in order; None where SymPy cannot write one in radicals."""
    try:
        roots: Any = sp.real_roots(sp.Poly(polynomial, x))
    except (NotImplementedError, sp.PolynomialError):  # coefficients that are not algebraic, such as pi
        return None
    inside = sorted({root for root in roots if low < root < high})
    return None if any(root.has(sp.CRootOf) for root in inside) else inside


def _zeros(decides: Any, piece: Piece) -> list[Any] | None:
    if decides.is_polynomial(x):
        return _roots_inside(decides, piece.low, piece.high)
    try:
        signs = {sign for low, high in cells(piece.low, piece.high) for *_, sign in _signed(decides, low, high, FINE)}
    except Singular:
        return None
    return [] if 0 not in signs and len(signs) == 1 else None
