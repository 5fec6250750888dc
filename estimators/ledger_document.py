"""The JSON document of the ledger: checks, claims, and the verdicts on the source's claims, numbers unrounded."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp

from estimators.check_text import margin
from estimators.claim import Check, Claim
from estimators.claims.sources import SourceVerdict
from estimators.ledger import Ledger, Outcome
from estimators.ledger_rows import findings
from estimators.results import versions
from theory.bound import Bound

CHECK_WORDS = (
    *("claim", "encoding", "bound", "lower", "upper", "relation", "slack", "proof", "verdict"),
    *("confidence", "method", "case"),
)
CLAIM_WORDS = (
    *("claim", "true", "form", "verdict", "standing", "tight", "attained", "encodings", "seconds", "error"),
    "factor",
)


def as_document(
    ledger: Ledger, claims: Mapping[str, Claim], sources: Sequence[SourceVerdict], parameters: dict[str, Any]
) -> dict[str, Any]:
    """`checks`, one object per case; `claims`, one per statement; `sources`; `findings`, sentences; versions, seed,
    elapsed seconds.

    An infinite number is null. slack: the bound is at least this many times too weak on the case, slack_at_most: at
    most; for an equality slack is 1 + relative distance.
    """
    return {
        "checks": [check_entry(check, one.factor) for one in ledger.outcomes for check in one.checks],
        "claims": [_claim(one, claims[one.claim]) for one in ledger.outcomes],
        "sources": list(sources),
        "findings": findings(ledger),
        "missing": list(ledger.missing),
        "interrupted": ledger.interrupted,
        "seconds": ledger.seconds,
        "parameters": parameters,
        "versions": versions(),
        "seed": parameters["seed"],
    }


def check_entry(check: Check, factor: str = "1") -> dict[str, Any]:
    """One case: claim, encoding, parameters, bound, lower, upper, relation, slack, proof, verdict and the case."""
    entry = {word: getattr(check, word) for word in CHECK_WORDS}
    entry["parameters"] = {word: _number(value) for word, value in check.parameters.items()}
    return entry | {"slack_at_most": margin(check), "factor": factor}


def _claim(outcome: Outcome, claim: Claim) -> dict[str, Any]:
    worst, bound = outcome.worst, symbolic(outcome, claim)
    entry = {word: getattr(outcome, word) for word in CLAIM_WORDS} | {"cases": len(outcome.checks)}
    entry |= {"slack": worst and worst.slack, "slack_at_most": worst and margin(worst)}
    entry |= {"proof": None, "reference": None, "latex": None, "assumptions": None}
    if bound is not None:
        entry |= {"proof": bound.proof.value, "reference": bound.reference, "latex": bound.latex}
        entry |= {"assumptions": str(bound.assumptions)}
    return entry


def symbolic(outcome: Outcome, claim: Claim) -> Bound | None:
    """The statement with free symbols; where its shape depends on the case, that of the hardest case; None if neither
    can be had."""
    try:
        inspect.signature(claim.statement).bind()
    except TypeError:
        worst = outcome.worst
        return None if worst is None else claim.statement(**claim.measure(**worst.case).arguments)
    return claim.statement()


def _number(value: Any) -> Any:
    """JSON's form of a parameter: exact numbers that no float stores become texts such as 1/3."""
    if isinstance(value, tuple | list):
        return [_number(item) for item in value]
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, sp.Integer):
        return int(value)
    try:
        exact = sp.sympify(value)
        near = float(exact)
    except (TypeError, ValueError, OverflowError, sp.SympifyError):
        return value
    return near if sp.Rational(*near.as_integer_ratio()) == exact else str(exact)
