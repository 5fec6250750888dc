"""What trained ensembles show: scores by length with intervals, paired differences, and the local/global rule.

Learned: the mean score in range is at least `LEARNED` of the threshold's scale. The rule (theory 5.5): a network whose
attention decays keeps a local task (the target looks back a bounded distance) at every length, and cannot keep a global
one above the ceiling of what its window sees. Each is judged by intervals: holds, violated or undecided.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from estimators.estimate import Estimate
from estimators.extrapolation_runs import Plan, Scores, position_ranges
from estimators.seed_statistics import Difference, paired_differences, seed_mean
from estimators.tasks import find_task
from estimators.training_job import Trained

LEARNED = 0.99
KEPT = 0.05  # a score that falls by less from the training length to a test length is kept
REFERENCES = ("none", "random-orthogonal")  # names of encodings, whatever their options

Key = tuple[str, str]  # task, encoding


@dataclass(frozen=True)
class Row:
    """One task, encoding, length and range of positions: the mean score over seeds."""

    task: str
    encoding: str
    specification: str
    seed_count: int
    length: int
    position_range: str
    estimate: Estimate
    values: tuple[float, ...]
    steps_to_threshold: tuple[int | None, ...]
    rates: tuple[float, ...]
    chance: float
    predicted_horizon: float | None


@dataclass(frozen=True)
class Comparison:
    """Mean score of an encoding minus that of a reference, seed by seed, over one range of positions."""

    task: str
    encoding: str
    reference: str
    length: int
    position_range: str
    difference: Difference


@dataclass(frozen=True)
class RuleCheck:
    """The local/global rule on one task and encoding at one length; `why` says what was compared."""

    task: str
    encoding: str
    length: int
    verdict: str
    why: str


def floor_of(plan: Plan, kind: str) -> float:
    """The least deviation that equal scores on a test set leave open: half a sequence, a thousandth for numbers."""
    return 0.5 / plan.sequences if kind == "symbols" else 1e-3


def score_rows(
    plan: Plan,
    trained: Sequence[Trained],
    scores: Sequence[Scores],
    horizons: Mapping[Key, float],
    confidence: float,
) -> list[Row]:
    """All rows, in the order tasks x encodings x lengths x ranges."""
    members: dict[Key, list[Trained]] = {}
    for one in trained:
        members.setdefault((one.task, one.label), []).append(one)
    grouped: dict[tuple[str, str, int], list[Scores]] = {}
    for one in scores:
        grouped.setdefault((one.task, one.encoding, one.length), []).append(one)
    rows = []
    for (task, encoding, length), group in grouped.items():
        mine = members[task, encoding]
        known = find_task(task.removesuffix("-mixed"))
        for name, first, last in position_ranges(length, plan.train_length):
            values = [one.over(first, last) for one in group]
            if any(value is None for value in values):
                continue  # nothing is scored there, in any seed
            numbers = tuple(float(value) for value in values if value is not None)
            limits = {"least": 0.0 if known.kind == "symbols" else -math.inf, "most": 1.0}
            estimate = seed_mean(numbers, confidence=confidence, floor=floor_of(plan, known.kind), **limits)
            chance = known.chance(length) if known.kind == "symbols" else 0.0
            rows.append(
                Row(
                    task,
                    encoding,
                    mine[0].member.specification,
                    len(group),
                    length,
                    name,
                    estimate,
                    numbers,
                    tuple(one.steps_to_threshold for one in mine),
                    tuple(one.rate for one in mine),
                    chance,
                    horizons.get((task, encoding)),
                )
            )
    return rows


def comparisons(plan: Plan, rows: Sequence[Row], confidence: float) -> list[Comparison]:
    """Every encoding against the references, in range and at the longest test length: one family."""
    lengths = sorted({plan.train_length, max(plan.test_lengths)} & {row.length for row in rows})
    table = {(row.task, row.encoding, row.length): row for row in rows if row.position_range == "all"}
    named = [
        (row, other)
        for row in table.values()
        for other in table.values()
        if (row.task, row.length) == (other.task, other.length) and row.length in lengths
        if other.encoding.partition(":")[0] in REFERENCES and other.encoding != row.encoding
    ]
    floor = max(floor_of(plan, "symbols"), 1e-3)
    found = paired_differences([(a.values, b.values) for a, b in named], confidence=confidence, floor=floor)
    return [
        Comparison(a.task, a.encoding, b.encoding, a.length, a.position_range, difference)
        for (a, b), difference in zip(named, found, strict=True)
    ]


def rule_checks(plan: Plan, rows: Sequence[Row]) -> list[RuleCheck]:
    """The rule at the longest test length, for encodings with a horizon of their own."""
    table = {(row.task, row.encoding, row.length): row for row in rows if row.position_range == "all"}
    longest, found = max(plan.test_lengths), []
    for (task, encoding, length), row in table.items():
        start = table.get((task, encoding, plan.train_length))
        if length != longest or longest <= plan.train_length or row.predicted_horizon is None or start is None:
            continue
        known = find_task(task.removesuffix("-mixed"))
        if known.reach is not None:
            found.append(_local(row, start))
        elif known.kind == "symbols":
            found.append(_global(row, known))
    return found


def _local(row: Row, start: Row) -> RuleCheck:
    """A learned local task keeps its score within `KEPT`."""
    if start.estimate.upper < LEARNED:
        why = f"not learned in range ({start.estimate.upper:.3f} at most): the rule says nothing"
        return RuleCheck(row.task, row.encoding, row.length, "undecided", why)
    least, most = start.estimate.lower - KEPT, start.estimate.upper - KEPT
    why = f"local: {_mean(start):.3f} in range, {_mean(row):.3f} at {row.length} tokens, kept within {KEPT:g}?"
    return RuleCheck(row.task, row.encoding, row.length, _judge(row.estimate, least, most, at_least=True), why)


def _global(row: Row, task: Any) -> RuleCheck:
    """A global task stays at or below what a window of the predicted horizon can reach."""
    horizon = row.predicted_horizon
    if horizon is None or horizon >= row.length:
        why = f"the predicted window of {horizon:.0f} tokens covers the whole sequence: the theorem is silent"
        return RuleCheck(row.task, row.encoding, row.length, "undecided", why)
    ceiling = task.ceiling(row.length, math.ceil(horizon))
    if ceiling is None:
        why = "no exact ceiling is known for this task at this length"
        return RuleCheck(row.task, row.encoding, row.length, "undecided", why)
    why = f"global: {_mean(row):.3f} at {row.length} tokens against a ceiling of {ceiling:.3f} for {horizon:.0f} tokens"
    return RuleCheck(row.task, row.encoding, row.length, _judge(row.estimate, ceiling, ceiling, at_least=False), why)


def _judge(estimate: Estimate, low: float, high: float, *, at_least: bool) -> str:
    if at_least:
        return "holds" if estimate.lower >= high else "violated" if estimate.upper < low else "undecided"
    return "holds" if estimate.upper <= low else "violated" if estimate.lower > high else "undecided"


def _mean(row: Row) -> float:
    return sum(row.values) / len(row.values)
