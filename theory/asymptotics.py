"""Leading order of a bound as one of its symbols grows to infinity, or falls to 0: derived from its expression."""

from dataclasses import dataclass

import sympy as sp

from theory import notation
from theory.bound import Bound
from theory.leading_term import Undetermined, Y, leading_term


@dataclass(frozen=True)
class Asymptotics:
    """The bound is asymptotic to coefficient * e^exponential * x^exponent * (ln x)^log_power, x = `variable`.

    At 0 the logarithm is ln(1/x), so that it is positive. `leading` is that expression.
    """

    variable: sp.Symbol
    at_zero: bool
    coefficient: sp.Expr
    exponent: sp.Expr
    log_power: sp.Expr
    exponential: sp.Expr

    @property
    def order(self) -> sp.Expr:
        """The leading term without its coefficient."""
        logarithm = sp.log(1 / self.variable if self.at_zero else self.variable)
        return sp.exp(self.exponential) * self.variable**self.exponent * logarithm**self.log_power

    @property
    def leading(self) -> sp.Expr:
        return self.coefficient * self.order

    def _repr_latex_(self) -> str:
        letter, limit = notation.latex(self.variable), "0" if self.at_zero else r"\infty"
        return rf"$\displaystyle {notation.latex(self.leading)}\quad({letter}\to {limit})$"


def asymptotics(bound: Bound | sp.Expr, variable: sp.Symbol | str, *, at_zero: bool = False) -> Asymptotics:
    """Leading term of a bound (or an expression) as `variable` -> infinity, or -> 0 from above.

    U2 falls like n^(-1/2): asymptotics(per_sample(width()), "sample_size").exponent (`theory.growth`); m_d grows like
    sqrt d. A variable that does not occur gives the expression itself, exponent 0. ValueError for an unknown word, for
    an integer at 0, and where no leading term of this form is found. Other symbols are positive, fixed and generic:
    where special values of them make the coefficient vanish or infinite, the order is another. State the growth of
    those that depend on `variable` first (`theory.composition.substitute`, `theory.growth`).
    """
    symbol = notation.symbol(variable) if isinstance(variable, str) else variable
    if at_zero and symbol.is_integer:
        raise ValueError(f"{symbol} is a count and does not tend to 0: leave at_zero out")
    expression = bound.expression if isinstance(bound, Bound) else sp.sympify(bound)
    others = [s for s in expression.free_symbols if s != symbol and s.is_nonnegative]
    positive = {s: sp.Dummy(str(s), positive=True, integer=s.is_integer or None) for s in others}
    inside = expression.subs({**positive, symbol: 1 / Y if at_zero else Y})
    try:
        term = leading_term(inside)
    except (RecursionError, NotImplementedError) as error:  # where SymPy itself gives up, deep in a limit or a series
        raise Undetermined(f"no leading term of {expression} in {symbol} was found: simplify it first") from error
    back = {dummy: s for s, dummy in positive.items()}
    x = 1 / symbol if at_zero else symbol
    return Asymptotics(
        variable=symbol,
        at_zero=at_zero,
        coefficient=sp.powdenest(sp.powsimp(term.coefficient.subs(back))),
        exponent=sp.nsimplify(term.exponent.subs(back)) * (-1 if at_zero else 1),
        log_power=term.log_power.subs(back),
        exponential=term.exponential.subs(back).subs(Y, x),
    )
