"""A claim: one symbolic statement, how its quantity is measured on a case, and the cases it is checked on.

Topic estimators know no claims: they turn a case (plain numbers, texts and lists, so that it can be saved and replayed)
into a `Measurement`. `estimators.claims` wires them to the statements of `theory`, one line each.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy as sp

from estimators.estimate import Estimate
from estimators.verdict import judge_bound
from theory.bound import Bound, Relation

Case = dict[str, Any]
Cases = Callable[[np.random.Generator, bool], Iterable[Case]]
FORMS = ("tight", "upper", "lower")
TWIN: sp.Expr = sp.Rational(1, 100)


@dataclass(frozen=True)
class Measurement:
    """What was found on one case.

    estimate: interval of the quantity of the bound. parameters: a number for every symbol of the bound, or (lower,
    upper) for a statistic in which it increases (`estimators.verdict.judge_bound`). encoding: its specification, where
    one matters. arguments: keywords of the function that makes the bound, where its shape depends on the case.
    """

    estimate: Estimate
    parameters: dict[str, Any]
    encoding: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """`statement(**arguments)` is checked on `measure(**case)` for every case of `cases(rng, thorough)`.

    The form is said by the docstring of the statement, which begins `Upper`, `Lower`, `Exact` or contains `tight`.
    free: entries of a case (numbers or nested lists of numbers) that a search may move to break the claim. true: False
    for a statement kept because it is wrong; it must come out violated. twin: factor of the falsified twin, smaller
    where the bound is known to be more than 100 times too weak. tight: some case must come within 1e-6 of the bound.
    """

    statement: Callable[..., Bound]
    measure: Callable[..., Measurement]
    cases: Cases
    free: tuple[str, ...] = ()
    true: bool = True
    tight: bool = False
    twin: sp.Expr = TWIN


@dataclass(frozen=True)
class Check:
    """One case of one claim: the bound's value, the interval of its quantity, and the verdict. `case` replays it."""

    claim: str
    encoding: str
    parameters: dict[str, Any]
    relation: str
    bound: float
    lower: float
    upper: float
    confidence: float
    method: str
    slack: float
    proof: str
    verdict: str
    case: Case

    def _repr_html_(self) -> str:
        from estimators.check_text import html_check  # which imports this module

        return html_check(self)


def check(name: str, claim: Claim, case: Case, factor: Any = 1) -> Check:
    """The claim on one case; with a factor, its falsified twin (an upper bound times it, a lower one divided by it)."""
    found = claim.measure(**case)
    bound = claim.statement(**found.arguments)
    if factor != 1:
        bound = bound.scaled(factor if bound.relation is not Relation.AT_LEAST else 1 / sp.sympify(factor))
    judged = judge_bound(bound, found.parameters, found.estimate)
    estimate = found.estimate
    return Check(
        claim=name,
        encoding=found.encoding,
        parameters=found.parameters,
        relation=bound.relation.value,
        bound=judged.value,
        lower=estimate.lower,
        upper=estimate.upper,
        confidence=estimate.confidence,
        method=estimate.method,
        slack=judged.slack,
        proof=bound.proof.value,
        verdict=judged.verdict,
        case=case,
    )


def checks(name: str, claim: Claim, *, seed: int = 0, thorough: bool = False, factor: Any = 1) -> Iterator[Check]:
    """All cases of a claim, in order; the same seed gives the same cases whatever else is checked."""
    for case in claim.cases(np.random.default_rng([seed, *name.encode()]), thorough):
        yield check(name, claim, case, factor)


def overall(verdicts: Iterable[str]) -> str:
    """violated if any is, holds if all do, else undecided."""
    found = list(verdicts)
    if not found:
        raise ValueError("no case was checked: a claim needs at least one")
    return "violated" if "violated" in found else "holds" if set(found) == {"holds"} else "undecided"


def form(claim: Claim) -> str:
    """tight / upper / lower, as the statement's docstring says; ValueError if it says none."""
    text = claim.statement.__doc__ or ""
    first = text.split("\n\n")[0]
    if re.search(r"\b(tight|exact|sharp|equality)\b", first, flags=re.IGNORECASE):
        return "tight"
    for word in ("upper", "lower"):
        if re.search(rf"\b{word}\b", first, flags=re.IGNORECASE):
            return word
    raise ValueError(f"the docstring of {claim.statement.__name__} says none of {', '.join(FORMS)}: begin it with one")
