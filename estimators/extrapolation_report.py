"""What `python -m estimators.extrapolation` shows: scores by length, comparisons, the rule, how to read them, JSON."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from estimators.command_line import console
from estimators.estimate import Estimate
from estimators.extrapolation_findings import LEARNED, Comparison, Row, RuleCheck
from estimators.tasks import find_task

READING = """How to read this. Scores are means over seeds: accuracy, or for numbers the share of variance explained.
Brackets are Student's t intervals over seeds: they assume normally distributed seed means and are no guarantee. All
encodings of a seed share training sequences, first matrices and test sequences. `learned after`: median number of steps
until a held-out score of 99 % in range (- if fewer than half of the seeds reach it); a score after a fixed number of
steps measures speed of optimisation. `window`: predicted, the tokens outside which the heads can put at most 1 % of
their attention, from the biases and the measured logit bound of each head (5.2); seen, the same from the attention
itself. The rule (5.5): decaying attention keeps local tasks at every length and cannot pass the ceiling of its window
on global ones. better, worse: the interval, simultaneous over the table, excludes 0; p is the exact sign-flip test,
which cannot fall below 2/2^seeds before Holm's correction. undecided: the intervals do not tell, or the theorem is
silent."""


def interval(estimate: Estimate) -> str:
    """[lower, upper] with three digits."""
    return f"[{estimate.lower:.3f}, {estimate.upper:.3f}]"


def learned_after(row: Row) -> float | None:
    """The median number of steps to the threshold; None if fewer than half of the seeds reached it."""
    reached = sorted(step for step in row.steps_to_threshold if step is not None)
    if 2 * len(reached) < row.seed_count:
        return None
    missing = [float("inf")] * (row.seed_count - len(reached))
    middle = statistics.median([*map(float, reached), *missing])
    return middle if middle < float("inf") else float(reached[-1])


def show(
    rows: Sequence[Row],
    compared: Sequence[Comparison],
    rules: Sequence[RuleCheck],
    seen: Mapping[tuple[str, str], float],
    train_length: int,
) -> None:
    """Print every table and how to read them."""
    out = console()
    for task in dict.fromkeys(row.task for row in rows):
        out.print(_scores([row for row in rows if row.task == task], seen, train_length))
        out.print()
    for line in notes(rows, train_length):
        out.print(line)
    if compared:
        out.print(_comparisons(compared))
        out.print()
    if rules:
        out.print(_rules(rules))
        out.print()
    out.print(READING)


def notes(rows: Sequence[Row], train_length: int) -> list[str]:
    """Which tasks no encoding learned in range, and which were not expected to be."""
    lines = []
    for task in dict.fromkeys(row.task for row in rows):
        known = find_task(task.removesuffix("-mixed"))
        mine = [row for row in rows if row.task == task and row.position_range == "all" and row.length == train_length]
        best = max(mine, key=lambda row: statistics.fmean(row.values), default=None)
        if best is not None and statistics.fmean(best.values) < LEARNED:
            expected = "" if known.learnable else " (not expected at this size)"
            score = statistics.fmean(best.values)
            lines.append(
                f"{task}: learned by no encoding within these steps{expected}; the best is {best.encoding}, {score:.3f}"
            )
    return lines


def _table(title: str, headings: Sequence[str], left: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in left else "right", overflow="fold")
    return table


def _scores(rows: Sequence[Row], seen: Mapping[tuple[str, str], float], train_length: int) -> Table:
    task, first = find_task(rows[0].task.removesuffix("-mixed")), rows[0]
    lengths = list(dict.fromkeys(row.length for row in rows))
    reach = "global" if task.reach is None else f"looks back {task.reach} token{'s' * (task.reach > 1)}"
    mixed = f", trained on lengths up to {train_length}" if first.task.endswith("-mixed") else ""
    title = f"{first.task}: {task.description} ({reach}{mixed}; {first.seed_count} seeds)"
    names = [f"{n} tokens" if n <= train_length else f"{n}" for n in lengths]
    unseen = next((row.position_range for row in rows if row.position_range.startswith("first")), None)
    headings = ["encoding", "learned after", "rate", *names, *([unseen] if unseen else []), "window: predicted", "seen"]
    table = _table(title, headings, ("encoding",))
    for encoding in dict.fromkeys(row.encoding for row in rows):
        own = {(row.length, row.position_range): row for row in rows if row.encoding == encoding}
        any_row = next(iter(own.values()))
        after = learned_after(any_row)
        cells = [encoding, "-" if after is None else f"{after:.0f}", f"{any_row.rates[0]:g}"]
        cells += [interval(own[n, "all"].estimate) if (n, "all") in own else "-" for n in lengths]
        if unseen:
            near = next((row for (_, part), row in own.items() if part == unseen), None)
            cells.append("-" if near is None else interval(near.estimate))
        horizon, window = any_row.predicted_horizon, seen.get((first.task, encoding))
        cells += ["-" if horizon is None else f"{horizon:.0f}", "-" if window is None else f"{window:.0f}"]
        table.add_row(*cells)
    if task.kind == "symbols":
        chance = [f"{task.chance(n):.3f}" for n in lengths]
        table.add_section()
        table.add_row("chance", "", "", *chance, *([""] if unseen else []), "", "")
    return table


def _comparisons(compared: Sequence[Comparison]) -> Table:
    confidence = compared[0].difference.estimate.confidence
    title = f"Differences to the references, seed by seed; {len(compared)} intervals, together at {confidence:g}"
    headings = ("task", "encoding", "minus", "length", "difference", "p (Holm)", "reads")
    table = _table(title, headings, ("task", "encoding", "minus", "reads"))
    for one in compared:
        sign = one.difference.sign
        if sign == 0 and len(compared) > 40:
            continue
        reads = "undecided" if sign == 0 else "better" if sign > 0 else "worse"
        p = f"{one.difference.p_holm:.2g}"
        words = one.task, one.encoding, one.reference, str(one.length), interval(one.difference.estimate), p, reads
        table.add_row(*words)
    left = sum(one.difference.sign == 0 for one in compared)
    if len(compared) > 40:
        table.caption = f"{left} undecided comparisons are not listed (they are in the JSON document)"
    return table


def _rules(rules: Sequence[RuleCheck]) -> Table:
    headings = ("task", "encoding", "length", "verdict", "why")
    table = _table("The local/global rule", headings, ("task", "encoding", "why"))
    for one in rules:
        table.add_row(one.task, one.encoding, str(one.length), one.verdict, one.why)
    return table


def as_results(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """`results[]` of the JSON document."""
    return [
        {
            "task": row.task,
            "encoding": row.encoding,
            "specification": row.specification,
            "seed_count": row.seed_count,
            "length": row.length,
            "position_range": row.position_range,
            "mean": statistics.fmean(row.values),
            "lower": row.estimate.lower,
            "upper": row.estimate.upper,
            "confidence": row.estimate.confidence,
            "method": row.estimate.method,
            "values": row.values,
            "steps_to_threshold": row.steps_to_threshold,
            "rates": row.rates,
            "chance": row.chance,
            "predicted_horizon": row.predicted_horizon,
        }
        for row in rows
    ]


def as_comparisons(compared: Sequence[Comparison]) -> list[dict[str, Any]]:
    """`differences[]` of the JSON document."""
    return [
        {
            "task": one.task,
            "encoding": one.encoding,
            "reference": one.reference,
            "length": one.length,
            "position_range": one.position_range,
            "lower": one.difference.estimate.lower,
            "upper": one.difference.estimate.upper,
            "confidence": one.difference.estimate.confidence,
            "method": one.difference.estimate.method,
            "p_value": one.difference.p_value,
            "p_holm": one.difference.p_holm,
        }
        for one in compared
    ]
