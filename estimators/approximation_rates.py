"""Rates of `python -m estimators.approximation`: the fitted exponent of certified errors against that of a bound."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from estimators.approximation_rows import Norm, Row
from estimators.estimate import Estimate
from estimators.rates_fit import fitted_slope, plain_slope
from theory.asymptotics import Asymptotics, asymptotics
from theory.bound import Bound
from theory.leading_term import Undetermined

FEWEST, WIDEST = 3, 1.05  # points of a fit; upper over lower end of those that tell something
AGREES = "agrees"


@dataclass(frozen=True)
class Rate:
    """slope: interval of the least-squares slope of ln error against ln n over `points`, None for fewer than three.
    bound: the least one at the largest n, with its leading term as n grows (n far below N), and the slope of its values
    over the same points."""

    encoding: str
    target: str
    norm: Norm
    points: tuple[int, ...]
    slope: Estimate | None
    bound: str | None
    growth: Asymptotics | None
    own: float | None

    @property
    def exponent(self) -> float | None:
        """Of n in the limit; minus infinity for geometric decay, None where there is no bound."""
        return None if self.growth is None else _exponent(self.growth)

    @property
    def limit(self) -> str | None:
        """How the error falls over this range beside the order of the bound."""
        return _compared(self.exponent, self.slope)

    @property
    def over_range(self) -> str | None:
        """How the error falls beside the values of the bound over the same points."""
        return _compared(self.own, self.slope)

    @property
    def order(self) -> str:
        """For example n^(-1) or 0.451^n."""
        if self.growth is None:
            return "-"
        parts = []
        if self.growth.exponential != 0:
            parts.append(f"{math.exp(float((self.growth.exponential / self.growth.variable).evalf())):.4g}^n")
        if self.growth.exponent != 0:
            parts.append(f"n^({self.growth.exponent})")
        if self.growth.log_power != 0:
            parts.append(f"(ln n)^({self.growth.log_power})")
        return " ".join(parts) or "1"


def rate_of(rows: Sequence[Row], statements: Mapping[str, Bound]) -> Rate:
    """Of rows that differ in `channels` only."""
    used = [row for row in rows if row.error.lower > 0 and row.error.upper <= WIDEST * row.error.lower]
    points = tuple(row.channels for row in used)
    slope = fitted_slope([float(n) for n in points], [row.error for row in used]) if len(used) >= FEWEST else None
    last = max((row for row in rows if row.bounds), key=lambda row: row.channels, default=None)
    name = last.tightest if last else None
    growth = own = None
    if name is not None:
        growth = leading(statements[name])
        values = [(row.channels, row.bounds[name]) for row in used if row.bounds.get(name, 0) > 0]
        if len(values) == len(used) >= FEWEST:
            own = plain_slope([float(n) for n, _ in values], [value for _, value in values])
    return Rate(rows[0].encoding, rows[0].target, rows[0].norm, points, slope, name, growth, own)


def leading(bound: Bound) -> Asymptotics | None:
    """Leading term as n grows, n far below N: sines of n/N are their arguments. None where it is not found."""
    slow: Any = bound.expression.replace(sp.sin, lambda angle: angle)
    for expression in (bound.expression, slow):
        try:
            return asymptotics(expression, "channels")
        except Undetermined:
            continue
    return None


def _exponent(growth: Asymptotics) -> float | None:
    if growth.exponential != 0:
        return -math.inf if sp.limit(growth.exponential, growth.variable, sp.oo) == -sp.oo else None
    return float(growth.exponent) if growth.exponent.is_number else None


def _compared(exponent: float | None, slope: Estimate | None) -> str | None:
    if exponent is None or slope is None:
        return None
    # A slope of equal values has their rounding.
    if slope.lower - 1e-9 <= exponent <= slope.upper + 1e-9:
        return AGREES
    if exponent > slope.upper:
        return f"faster by {math.floor(1000 * (exponent - slope.upper)) / 1000:.3f}"
    gap = slope.lower - exponent
    return "slower" if math.isinf(gap) else f"slower by {math.floor(1000 * gap) / 1000:.3f}"
