"""Leading terms of expressions as the symbol Y -> infinity: the engine of `theory.asymptotics`.

Every node of the tree gets its leading term C e^(E(Y)) Y^a (ln Y)^b from those of its parts: E is a sum of terms that
grow faster than ln Y. Sums keep the dominant part; where the dominant parts cancel, the difference is simplified, and
expanded by SymPy's series if need be. All other symbols must be positive and fixed.
"""

import functools
from dataclasses import dataclass
from typing import Any

import sympy as sp
from sympy.logic.boolalg import And, BooleanFalse, BooleanTrue, Not, Or

from theory.monotone import gamma_ratios

Y = sp.Dummy("y", positive=True)
MOST_STEPS = 24  # terms peeled off an exponent


class Undetermined(ValueError):
    """No leading term of the form C e^E Y^a (ln Y)^b was found."""


@dataclass(frozen=True)
class LeadingTerm:
    """coefficient * e^exponential * Y^exponent * (ln Y)^log_power; exponential: terms that outgrow ln Y."""

    coefficient: Any
    exponent: Any = sp.S.Zero
    log_power: Any = sp.S.Zero
    exponential: Any = sp.S.Zero

    def __mul__(self, other: "LeadingTerm") -> "LeadingTerm":
        return LeadingTerm(
            self.coefficient * other.coefficient,
            self.exponent + other.exponent,
            self.log_power + other.log_power,
            self.exponential + other.exponential,
        )

    def __pow__(self, power: Any) -> "LeadingTerm":
        parts = (self.exponent, self.log_power, self.exponential)
        return LeadingTerm(self.coefficient**power, *(sp.expand(part * power) for part in parts))

    @property
    def expression(self) -> sp.Expr:
        return self.coefficient * sp.exp(self.exponential) * Y**self.exponent * sp.log(Y) ** self.log_power

    @property
    def size(self) -> int:
        """1 if it tends to infinity, 0 to a constant, -1 to 0."""
        return 0 if self.coefficient == 0 else _compare(self, LeadingTerm(sp.Integer(1)))


def _sign(number: Any) -> int:
    """Sign of an expression in positive symbols."""
    if _vanishes(number):
        return 0
    for form in (number, sp.factor(number), sp.simplify(number)):
        if form.is_positive or form.is_negative:
            return 1 if form.is_positive else -1
    raise Undetermined(f"the sign of {number} depends on its symbols: substitute numbers for some of them")


@functools.cache
def _vanishes(number: Any) -> bool:
    if number.is_positive or number.is_negative or number.is_zero:
        return bool(number.is_zero)
    return bool(sp.simplify(number) == 0)


def _compare(first: LeadingTerm, second: LeadingTerm) -> int:
    """1 if first / second tends to infinity, -1 if to 0, else 0."""
    gap = sp.expand(first.exponential - second.exponential)
    if gap != 0:
        return _sign(leading_term(gap).coefficient)
    for one, other in ((first.exponent, second.exponent), (first.log_power, second.log_power)):
        if difference := _sign(sp.sympify(one - other)):
            return difference
    return 0


def leading_term(node: Any, tries: int = 3) -> LeadingTerm:
    """Leading term of `node` as Y -> infinity; `Undetermined` if it has none of this form, or none was found."""
    if Y not in node.free_symbols:
        return LeadingTerm(node)
    match node:
        case sp.Symbol():
            return LeadingTerm(sp.Integer(1), sp.Integer(1))
        case sp.Add():
            return _sum(node, tries)
        case sp.Mul():
            return _product(list(node.args))
        case sp.exp():
            return _exponential(node.args[0])
        case sp.Pow():
            if Y in node.exp.free_symbols:
                return _exponential(node.exp * sp.log(node.base))
            return leading_term(node.base) ** node.exp
        case sp.log():
            return _logarithm(node.args[0])
        case sp.Min() | sp.Max():
            terms = [leading_term(part) for part in node.args]
            return functools.reduce(functools.partial(_extreme, node.func), terms)
        case sp.Piecewise():
            pieces: Any = node.args
            return leading_term(next((value for value, condition in pieces if _eventually(condition)), sp.nan))
        case sp.Sum() | sp.Product() | sp.Integral() | sp.factorial() | sp.binomial():
            closed = node.doit() if not isinstance(node, sp.factorial | sp.binomial) else node.rewrite(sp.gamma)
            if isinstance(closed, sp.Sum | sp.Product | sp.Integral):
                raise Undetermined(f"{node} has no closed form that SymPy knows: replace it by a bound first")
            return leading_term(closed)
        case sp.ceiling() | sp.floor():
            return _rounded(node)
        case sp.Abs():
            term = leading_term(node.args[0])
            return LeadingTerm(sp.Abs(term.coefficient), term.exponent, term.log_power, term.exponential)
        case sp.gamma():
            return _gamma(node.args[0])
    return _function(node)


def _sum(node: Any, tries: int) -> LeadingTerm:
    parts = [term for term in map(leading_term, node.args) if term.coefficient != 0]
    best = functools.reduce(lambda one, other: other if _compare(other, one) > 0 else one, parts)
    same = [part for part in parts if _compare(part, best) == 0]
    coefficient = sp.Add(*(part.coefficient for part in same))
    if not _vanishes(coefficient):
        return LeadingTerm(coefficient, best.exponent, best.log_power, best.exponential)
    if tries == 0:
        raise Undetermined(f"the leading parts of {node} cancel: simplify it first")
    for form in (sp.together(node), sp.simplify(node), sp.expand_log(sp.expand(node))):
        if form != node:
            return leading_term(form, tries - 1)
    u = sp.Dummy("u", positive=True)
    term = node.subs(Y, 1 / u).as_leading_term(u)
    return leading_term(term.subs(u, 1 / Y), 0)


def _product(factors: list[Any]) -> LeadingTerm:
    found = LeadingTerm(sp.Integer(1))
    for over, under, argument, step, power in gamma_ratios(factors):
        if over in factors and under in factors and leading_term(argument).size > 0:
            factors = [factor for factor in factors if factor not in (over, under)]
            found *= leading_term(argument) ** (step * power)
    for factor in factors:
        found *= leading_term(factor)
    return found


def _extreme(kind: Any, first: LeadingTerm, second: LeadingTerm) -> LeadingTerm:
    """The smaller or larger of two terms, signs included."""
    order = -1 if first.coefficient == 0 else 1 if second.coefficient == 0 else _compare(first, second)
    if order == 0:
        coefficient = kind(first.coefficient, second.coefficient)
        return LeadingTerm(coefficient, first.exponent, first.log_power, first.exponential)
    large, small = (first, second)[::order]
    return large if (_sign(large.coefficient) >= 0) == (kind is sp.Max) else small


def _exponential(argument: Any) -> LeadingTerm:
    """e^argument: what grows faster than ln y stays in the exponent, ln y gives a power, a constant a factor."""
    found, rest = LeadingTerm(sp.Integer(1)), sp.expand(argument)
    for _ in range(MOST_STEPS):
        term = leading_term(rest)
        if term.size <= 0:
            return found * LeadingTerm(sp.exp(term.coefficient) if term.size == 0 else sp.Integer(1))
        slow = term.exponential == 0 and term.exponent == 0
        if slow and term.log_power == 1:
            found *= LeadingTerm(sp.Integer(1), term.coefficient)
        elif slow and _sign(term.log_power - 1) < 0:
            raise Undetermined(f"e^({argument}) grows slower than powers and faster than logarithms")
        else:
            found *= LeadingTerm(sp.Integer(1), exponential=term.expression)
        rest = sp.expand(sp.expand_log(rest - term.expression))
        if rest == 0:
            return found
    raise Undetermined(f"the exponent {argument} has more than {MOST_STEPS} growing terms")


def _logarithm(argument: Any) -> LeadingTerm:
    term = leading_term(argument)
    if term.exponential != 0:
        return leading_term(term.exponential)
    if term.exponent != 0:
        return LeadingTerm(term.exponent, log_power=sp.Integer(1))
    if term.log_power != 0:
        raise Undetermined(f"ln({argument}) is an iterated logarithm, which has no power of ln")
    if _vanishes(term.coefficient - 1):
        return leading_term(argument - 1)  # ln(1 + x) ~ x
    return LeadingTerm(sp.log(term.coefficient))


def _gamma(argument: Any) -> LeadingTerm:
    """Stirling at argument = c y^p + h: sqrt(2 pi) e^(-c y^p) (c y^p)^(c y^p + h - 1/2)."""
    term = leading_term(argument)
    if term.size <= 0:
        return LeadingTerm(sp.gamma(term.coefficient)) if term.size == 0 else term ** sp.Integer(-1)
    shift = sp.expand(argument - term.expression)
    if Y in shift.free_symbols or term.log_power != 0 or term.exponential != 0:
        raise Undetermined(f"no leading term of gamma({argument}) alone: only in a ratio of two, or of a power")
    c, p, large = term.coefficient, term.exponent, term.expression
    inside = sp.expand(large * (p * sp.log(Y) + sp.log(c) - 1))
    half = shift - sp.Rational(1, 2)
    return LeadingTerm(sp.sqrt(2 * sp.pi) * c**half, p * half, exponential=inside)


def _rounded(node: Any) -> LeadingTerm:
    term = leading_term(node.args[0])
    if term.size > 0:
        return term
    limit = term.coefficient if term.size == 0 else sp.Integer(0)
    rounded = node.func(limit)
    if not limit.is_integer:
        return LeadingTerm(rounded)
    side = _sign(leading_term(node.args[0] - limit).coefficient)
    beyond = 1 if isinstance(node, sp.ceiling) else -1
    return LeadingTerm(rounded + (beyond if side == beyond else 0))


_AT_INFINITY: dict[Any, Any] = {
    sp.tanh: lambda x: sp.Integer(1),
    sp.coth: lambda x: sp.Integer(1),
    sp.erf: lambda x: sp.Integer(1),
    sp.atan: lambda x: sp.pi / 2,
    sp.sinh: lambda x: sp.exp(x) / 2,
    sp.cosh: lambda x: sp.exp(x) / 2,
    sp.asinh: lambda x: sp.log(2 * x),
    sp.acosh: lambda x: sp.log(2 * x),
    sp.erfc: lambda x: sp.exp(-(x**2)) / (sp.sqrt(sp.pi) * x),
    sp.loggamma: lambda x: x * sp.log(x),
    sp.digamma: sp.log,
    sp.harmonic: sp.log,
    sp.LambertW: sp.log,
}


def _function(node: Any) -> LeadingTerm:
    """A function of one part: its known form at infinity, or its first Taylor term at a finite limit."""
    if isinstance(node, sp.zeta) and len(node.args) == 2 and leading_term(node.args[1]).size > 0:
        power, start = list[Any](node.args)  # Hurwitz: sum (k + a)^-s ~ a^(1-s)/(s-1)
        return leading_term(start ** (1 - power) / (power - 1))
    if isinstance(node, sp.polygamma) and node.args[0] == 0:
        node = sp.Function("digamma")(node.args[1])
        return leading_term(sp.log(node.args[0]))
    if len(node.args) != 1:
        raise Undetermined(f"no leading term of {node}: substitute numbers for its other arguments")
    argument: Any = node.args[0]
    term = leading_term(argument)
    if term.size > 0:
        if _sign(term.coefficient) > 0 and node.func in _AT_INFINITY:
            return leading_term(_AT_INFINITY[node.func](argument))
        if _sign(term.coefficient) < 0 and isinstance(node, sp.tanh | sp.erf | sp.atan | sp.sinh | sp.cosh):
            return leading_term(node.func(-argument)) * LeadingTerm(sp.Integer(1 if isinstance(node, sp.cosh) else -1))
        raise Undetermined(f"no leading term of {node} where its argument is unbounded")
    limit = term.coefficient if term.size == 0 else sp.Integer(0)
    value = node.func(limit)
    if value.is_finite is False:
        raise Undetermined(f"{node} is unbounded at its limit {limit}")
    if not _vanishes(value):
        return LeadingTerm(value)
    inside = sp.Dummy()
    slope = sp.diff(node.func(inside), inside).subs(inside, limit)
    if slope.is_finite is False or _vanishes(slope):
        raise Undetermined(f"{node} has no linear term at its limit")
    return LeadingTerm(slope) * leading_term(argument - limit)


def _eventually(condition: Any) -> bool:
    """Truth of a condition for all large y."""
    match condition:
        case bool() | BooleanTrue() | BooleanFalse():
            return bool(condition)
        case And():
            return all(map(_eventually, condition.args))
        case Or():
            return any(map(_eventually, condition.args))
        case Not():
            return not _eventually(condition.args[0])
    term = leading_term(sp.expand(condition.lhs - condition.rhs))
    return bool(condition.func(_sign(term.coefficient), 0))
