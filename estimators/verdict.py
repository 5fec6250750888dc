"""Verdicts by interval comparison: a number can refute a bound, it never proves one."""

import math
from dataclasses import dataclass
from typing import Any

from estimators.display import html_table, rounded
from estimators.estimate import Estimate
from theory.bound import Bound, Relation

# An interval that meets an asserted equality confirms it if it is narrower than this: relative, absolute around 0.
EQUALITY_WIDTH, EQUALITY_AT_ZERO = 1e-9, 1e-12
JUDGEMENT_HEADINGS = ("value", "times too weak", "verdict")


@dataclass(frozen=True)
class Judgement:
    """One symbolic bound against an interval: its value, `slack` >= 1 where it holds (how many times weaker than the
    interval's end it is at least), and holds / violated / undecided. For an equality, slack = 1 + relative distance of
    the farther end."""

    value: float
    slack: float
    verdict: str

    @property
    def cells(self) -> tuple[str, str, str]:
        """Under JUDGEMENT_HEADINGS; the slack is rounded down, so that a bound is never called weaker than it is."""
        return f"{self.value:.5g}", rounded(self.slack, False, 4), self.verdict

    def _repr_html_(self) -> str:
        return html_table(JUDGEMENT_HEADINGS, [self.cells], right=JUDGEMENT_HEADINGS[:2])


def judge(value: float, relation: Relation, estimate: Estimate) -> Judgement:
    """An upper (lower) bound whose safe value is `value`, against the interval of the quantity."""
    near, far = (estimate.upper, estimate.lower) if relation is Relation.AT_MOST else (estimate.lower, estimate.upper)
    slack = ratio(value, near) if relation is Relation.AT_MOST else ratio(near, value)
    holds = near <= value if relation is Relation.AT_MOST else near >= value
    violated = far > value if relation is Relation.AT_MOST else far < value
    return Judgement(value, slack, _word(holds, violated))


def judge_bound(bound: Bound, parameters: dict[str, Any], estimate: Estimate) -> Judgement:
    """The bound at `parameters`, evaluated certified, against the interval of its quantity.

    parameters: a number for every symbol of the bound, or a pair (lower, upper) for a statistic in which the bound
    increases: an upper bound takes its upper end, a lower bound the lower one. An equality holds where the interval
    meets the value and is narrower than 1e-9 of it, and is violated where they are disjoint.
    """
    end = 0 if bound.relation is Relation.AT_LEAST else 1
    exact = {word: value[end] if isinstance(value, tuple) else value for word, value in parameters.items()}
    if bound.relation is not Relation.EQUAL:
        return judge(bound.safe(**exact), bound.relation, estimate)
    low, high = bound.certified(**exact)
    size = max(abs(low), abs(high), abs(estimate.lower), abs(estimate.upper))
    far = max(estimate.upper - low, high - estimate.lower, 0.0)
    slack = 1 + (far / size if 0 < size < math.inf else 0.0 if far == 0 else math.inf)
    violated = estimate.lower > high or estimate.upper < low
    holds = not violated and far <= max(EQUALITY_WIDTH * size, EQUALITY_AT_ZERO)
    return Judgement((low + high) / 2, slack, _word(holds, violated))


def _word(holds: bool, violated: bool) -> str:
    return "holds" if holds else "violated" if violated else "undecided"


def ratio(numerator: float, denominator: float) -> float:
    """numerator/denominator of nonnegative numbers; 1 for 0/0, infinity for x/0."""
    return numerator / denominator if denominator > 0 else (1.0 if numerator == denominator else math.inf)
