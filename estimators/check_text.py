"""One case of a claim in numbers and words: how near it comes to a violation, and the cells of its row."""

import math

from estimators.claim import Check
from estimators.display import html_table, rounded
from estimators.verdict import EQUALITY_AT_ZERO, EQUALITY_WIDTH, ratio
from theory.bound import Relation

SIGN = {Relation.AT_MOST.value: "≤", Relation.AT_LEAST.value: "≥", Relation.EQUAL.value: "="}


def margin(check: Check) -> float:
    """At most this many times too weak is the bound on this case; below 1 it is violated.

    From the end of the interval that could refute it, so that a search, [witness, infinity), has one too. For an
    equality 1/(1 + relative distance of the farther end).
    """
    if check.relation == Relation.AT_MOST.value:
        return ratio(check.bound, check.lower)
    if check.relation == Relation.AT_LEAST.value:
        return ratio(check.upper, check.bound)
    return 1 / check.slack


def settled(check: Check) -> str:
    """The verdict, but `holds` for a case that attains the bound so nearly that only rounding leaves it undecided: the
    quantity may pass the bound by at most 1e-9 of it."""
    beyond = check.upper - check.bound if check.relation == Relation.AT_MOST.value else check.bound - check.lower
    near = beyond <= max(EQUALITY_WIDTH * abs(check.bound), EQUALITY_AT_ZERO)
    inequality = check.relation != Relation.EQUAL.value
    return "holds" if check.verdict == "undecided" and inequality and near else check.verdict


def nearness(check: Check, digits: int = 8) -> str:
    """How near one case comes to a violation, in words."""
    if check.relation == Relation.EQUAL.value:
        return f"relative distance {check.slack - 1:.3g}"
    return f"slack {margin(check):.{digits}g}"


def interval(check: Check) -> str:
    """Both ends rounded outwards, so that what is printed contains what was certified, to 1e-9 of it."""
    right = f"{rounded(check.upper, True)}]" if math.isfinite(check.upper) else "∞)"
    return f"[{rounded(check.lower, False)}, {right}"


def bound_text(check: Check) -> str:
    """The relation and the value, rounded to the side on which the statement says less."""
    return f"{SIGN[check.relation]} {rounded(check.bound, check.relation != Relation.AT_LEAST.value)}"


def slack_text(check: Check) -> str:
    if check.relation == Relation.EQUAL.value:
        return f"off by {check.slack - 1:.1e}"
    if check.verdict == "undecided" and settled(check) == "holds":
        return "1"
    if check.verdict == "undecided":
        return f"≤ {rounded(margin(check), True)}"
    return rounded(check.slack if check.verdict == "holds" else margin(check), False)


def html_check(check: Check) -> str:
    """One case of a claim for Jupyter."""
    cells = (check.claim, check.encoding or "-", bound_text(check), interval(check), slack_text(check), check.verdict)
    headings = ("claim", "encoding", "bound", "interval", "slack", "verdict")
    return html_table(headings, [cells], caption=check.method, right=headings[2:5])
