"""Whether an expression increases or decreases in a symbol, decided by structure: sums, products of nonnegative
factors, powers, ratios of Gamma functions, and monotone functions of monotone arguments. An answer is proved; None says
nothing."""

from collections.abc import Iterable
from typing import Any

import sympy as sp

_RISING = (
    *(sp.exp, sp.log, sp.sinh, sp.tanh, sp.asinh, sp.atanh, sp.atan, sp.asin, sp.erf),
    *(sp.floor, sp.ceiling, sp.LambertW),
)
_FALLING = (sp.erfc, sp.acos)
SMALL = 40  # operations up to which a derivative is factored


def direction(expression: Any, symbol: sp.Symbol) -> int | None:
    """1 if `expression` never decreases as `symbol` grows over its domain, -1 if it never increases, 0 if it does not
    depend on it, None if this is not decided here (which does not say that it is false)."""
    node = sp.sympify(expression)
    if symbol not in node.free_symbols:
        return 0
    match node:
        case sp.Symbol():
            return 1
        case sp.Add() | sp.Min() | sp.Max():
            found = _common(direction(part, symbol) for part in node.args)
        case sp.Mul():
            found = _product(node.args, symbol)
        case sp.Pow():
            found = _power(node.base, node.exp, symbol)
        case sp.Piecewise():
            found = _switched(node, symbol)
        case sp.cosh() if node.args[0].is_nonnegative:
            found = direction(node.args[0], symbol)
        case _ if isinstance(node, _RISING):
            found = direction(node.args[0], symbol)
        case _ if isinstance(node, _FALLING):
            found = _flipped(direction(node.args[0], symbol))
        case _:
            found = None
    return found if found is not None else _by_slope(node, symbol)


def _flipped(found: int | None) -> int | None:
    return None if found is None else -found


def _common(directions: Iterable[int | None]) -> int | None:
    """The direction that all share, those that do not move left out."""
    several = set(directions) - {0}
    return several.pop() if len(several) == 1 else None if several else 0


def _nonnegative(node: sp.Expr) -> bool:
    """What SymPy knows, and ln of what is at least 1 because counts are; ceilings of the nonnegative."""
    match node:
        case _ if node.is_nonnegative:
            return True
        case sp.Add() | sp.Mul():
            return all(map(_nonnegative, node.args))
        case sp.ceiling():
            return _nonnegative(node.args[0])
        case sp.Pow():
            return _nonnegative(node.base)
        case sp.log():
            counts = [symbol for symbol in node.free_symbols if symbol.is_integer and symbol.is_positive]
            shifted = [(symbol, sp.Dummy(integer=True, nonnegative=True) + 1) for symbol in counts]
            rest = sp.expand(node.args[0].subs(shifted) - 1)
            return all(map(_nonnegative, sp.Add.make_args(rest)))
    return False


def _product(factors: Iterable[sp.Expr], symbol: sp.Symbol) -> int | None:
    """|f| |g| ... times the product of the signs, where every sign is known."""
    sign, moves, left = 1, [], list(factors)
    for over, under, argument, _, _ in gamma_ratios(left):
        left = [factor for factor in left if factor not in (over, under)]
        moves.append(direction(argument, symbol) if argument.is_positive else None)  # as digamma increases
    for factor in left:
        move = direction(factor, symbol)
        if _nonnegative(factor):
            moves.append(move)
        elif factor.is_nonpositive:
            sign = -sign
            moves.append(_flipped(move))
        else:
            return None
    found = _common(moves)
    return None if found is None else sign * found


def gamma_ratios(factors: Iterable[sp.Expr]) -> list[tuple[sp.Expr, sp.Expr, sp.Expr, sp.Expr, sp.Expr]]:
    """Pairs among the factors of a product that are Gamma(b + h)^e and Gamma(b)^-e with numbers h, e > 0, such as the
    mean norm m_d = sqrt2 Gamma((d+1)/2)/Gamma(d/2): (first factor, second factor, b, h, e)."""
    powers: list[Any] = [(factor, *factor.as_base_exp()) for factor in factors]
    gammas = [(factor, base.args[0], power) for factor, base, power in powers if isinstance(base, sp.gamma)]
    found = []
    for over, above, power in [entry for entry in gammas if entry[2].is_positive and entry[2].is_number]:
        for under, below, other in gammas:
            step = sp.expand(above - below)  # type: ignore[operator]  # args are Basic, here Expr
            if other == -power and step.is_number and step > 0:
                found.append((over, under, below, step, power))
                break
    return found


def _power(base: sp.Expr, exponent: sp.Expr, symbol: sp.Symbol) -> int | None:
    if symbol not in exponent.free_symbols:
        move = direction(base, symbol)
        if exponent.is_nonnegative and (base.is_nonnegative or (exponent.is_integer and exponent.is_odd)):
            return move
        return _flipped(move) if exponent.is_nonpositive and base.is_nonnegative else None
    if not base.is_positive:
        return None
    return direction(exponent * sp.log(base), symbol)


def _switched(node: sp.Piecewise, symbol: sp.Symbol) -> int | None:
    """`(value, left > right), (floor, True)` with value >= floor: rises if value and left - right do."""
    pieces: Any = node.args
    if len(pieces) != 2 or pieces[1][1] != sp.true or not isinstance(pieces[0][1], sp.Gt | sp.Ge):
        return None
    (value, condition), (floor, _) = pieces
    if direction(floor, symbol) != 0 or not (value - floor).is_nonnegative:
        return None
    found = _common([direction(value, symbol), direction(condition.lhs - condition.rhs, symbol)])
    return found if found == 1 else None


def _by_slope(node: sp.Expr, symbol: sp.Symbol) -> int | None:
    """By the sign of the derivative, for smooth expressions that SymPy can differentiate."""
    if node.has(sp.Min, sp.Max, sp.Piecewise, sp.Abs, sp.floor, sp.ceiling, sp.Sum, sp.Product, sp.Integral):
        return None
    slope = sp.diff(node, symbol)
    if slope.count_ops() < SMALL:
        slope = sp.factor(slope)
    return 1 if slope.is_nonnegative else -1 if slope.is_nonpositive else None
