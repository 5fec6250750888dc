"""One result of `python -m estimators.approximation`: error interval, width, bounds that apply, n-term error."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import sympy as sp

from estimators.approximation_spans import complete_wavelets, family, has_constant, spans
from estimators.best_approximation import best_l2
from estimators.ellipsoid_widths import difference_error, difference_width, lipschitz_width
from estimators.estimate import Estimate
from estimators.nterm import best_terms_of
from estimators.span import Span, span_of
from estimators.sup_approximation import best_sup
from estimators.targets import Target
from theory.approximation_choice import applicable
from theory.bound import Bound, Relation
from theory.function_classes import FUNCTIONS
from theory.points import holds

Norm = Literal["l2", "sup", "sobolev"]
BALL = "sobolev"  # the target of the worst case: {f : |Delta f|_2 <= 1}
Advance = Callable[..., None]


@dataclass(frozen=True)
class Row:
    """error: of the best combination of `channels` channels (l2: Euclidean over positions; sup: largest; sobolev:
    worst Euclidean over |Delta f|_2 <= 1). width: the least worst error of any encoding with so many channels over the
    smallest class of its kind that contains the target (l2: all f with the same |Delta f|_2; sup: the same largest
    step; sobolev: the class itself), so an error below it shows an easier target than the worst. bounds: values of
    upper bounds and equalities that apply, by name; below: of lower bounds. terms: best error of so many terms of the
    complete wavelet basis, l2 only. with_constant: sobolev, with the constant as one more channel where it is missing.
    """

    encoding: str
    target: str
    norm: Norm
    channels: int
    error: Estimate
    width: float
    bounds: Mapping[str, float]
    below: Mapping[str, float]
    rank: int
    condition: float
    terms: Estimate | None = None
    with_constant: Estimate | None = None

    @property
    def ratio(self) -> float | None:
        """Upper end over width; None where one of them is infinite or the width 0."""
        return self.error.upper / self.width if self.width > 0 and np.isfinite(self.error.upper) else None

    @property
    def tightest(self) -> str | None:
        """The name of the least upper bound that applies."""
        return min(self.bounds, key=lambda name: self.bounds[name]) if self.bounds else None


def widths(norm: Norm, values: np.ndarray | None, channels: int, length: int) -> float:
    """The width of `Row` for values (N,), None for the sobolev norm."""
    if norm == "sobolev" or values is None:
        return difference_width(channels, length)
    steps = np.diff(values)
    if steps.size == 0:
        return 0.0
    if norm == "l2":
        return float(np.linalg.norm(steps)) * difference_width(channels, length)
    return float(np.abs(steps).max()) * lipschitz_width(channels, length)


def rows_of(
    encoding: str,
    targets: Sequence[Target],
    norms: Sequence[Norm],
    channels: Sequence[int],
    length: int,
    advance: Advance,
) -> Iterator[Row]:
    """All rows of one encoding; the sobolev norm has one target, the ball itself."""
    found = spans(encoding, channels, length)
    space, constant = family(encoding, length), has_constant(encoding, length)
    for norm, target in itertools.product(norms, [None, *targets]):
        if (norm == "sobolev") is not (target is None):
            continue
        statements = statements_for(target, norm, space, length)
        terms = dict(zip(channels, _terms(encoding, target, norm, channels, length), strict=True))
        for n, span in found.items():
            advance(0, description=f"{encoding} {norm}")
            upper, lower = _valued(statements, n) if span.rank == n else ({}, {})
            width = widths(norm, None if target is None else target.values, n, length)
            error, more = _measured(span, target, norm, width, constant)
            name = BALL if target is None else target.name
            row = Row(encoding, name, norm, n, error, width, upper, lower, span.rank, span.condition, terms[n], more)
            yield row
            advance(1)


def statements_for(target: Target | None, norm: Norm, space: str, length: int) -> dict[str, Bound]:
    """The bounds that apply to a target on `length` positions, by its smoothness; none for values from a file, for
    paths, and for constants, whose constants of smoothness are all 0."""
    known = FUNCTIONS[BALL] if target is None else target.known
    if known is None or known.random or length < 2:
        return {}
    if known.expression is not None and not known.expression.free_symbols:
        return {}
    return applicable(known, norm, space, length)


def _measured(
    span: Span, target: Target | None, norm: Norm, width: float, constant: bool
) -> tuple[Estimate, Estimate | None]:
    if target is not None:
        return (best_l2 if norm == "l2" else best_sup)(target.values, span).error, None
    if constant or span.rank == span.positions:
        return difference_error(span), None
    more = difference_error(span_of(np.column_stack([np.ones(span.positions), span.columns])))
    # What is missed with the constant is missed without it, and no encoding is below the width.
    return Estimate(max(width, more.lower), np.inf, 1.0, "the constant is not in the span"), more


def _terms(
    encoding: str, target: Target | None, norm: Norm, channels: Sequence[int], length: int
) -> Sequence[Estimate | None]:
    basis = complete_wavelets(encoding, length) if norm == "l2" and target is not None else None
    return (
        [None] * len(channels) if basis is None or target is None else best_terms_of(target.values, basis, [*channels])
    )


def _valued(statements: Mapping[str, Bound], channels: int) -> tuple[dict[str, float], dict[str, float]]:
    """Values at n of the bounds whose assumptions hold: upper ones and equalities, lower ones."""
    upper: dict[str, float] = {}
    lower: dict[str, float] = {}
    for name, bound in statements.items():
        point: Any = {"channels": channels} if bound.symbols else {}
        if bound.assumptions != sp.true and not holds(bound, point):
            continue
        low, high = bound.certified(**point)
        if bound.relation is Relation.AT_LEAST:
            lower[name] = low
        elif np.isfinite(high):
            upper[name] = high
    return upper, lower
