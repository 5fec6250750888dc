"""Trained ensembles on tasks, scored at every position of every test length.

All encodings of one seed share sequences, first matrices and test sequences, so that differences are paired. Scores:
accuracy for symbols; for numbers the share of the variance explained, 1 - mean square error / variance, which has no
lower limit. Test sequences depend on task and length only.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from estimators.network_member import Model
from estimators.network_positions import check_lengths, network_encoding
from estimators.tasks import Examples, Task, draw, draw_mixed, find_task
from estimators.training import RATES, choose_rates, predict, train
from estimators.training_job import Job, Lessons, Settings, Trained
from theory.encodings.base import AbstractEncoding

TEST_SEED, CHECK_SEED, CHECK_SEQUENCES = 2_000_003, 2_000_029, 128
FIRST_UNSEEN = 8
LONGEST = 8192
# All tasks share one compiled program, so symbols and outputs are padded to the largest of any.
SYMBOLS = OUTPUTS = 32


@dataclass(frozen=True)
class Plan:
    """What is run. beyond: the rule beyond the training length for every encoding that has it, None for its own.
    mixed: train on lengths up to train_length instead of train_length alone. rates: tried by pilots, one per encoding
    and task is chosen; a single one is taken as it is."""

    tasks: tuple[str, ...]
    encodings: tuple[str, ...]
    train_length: int = 32
    test_lengths: tuple[int, ...] = (32, 64, 128, 256)
    seeds: int = 5
    seed: int = 0
    power: float = 1.0
    beyond: str | None = None
    mixed: bool = False
    dim: int = 32
    layers: int = 2
    heads: int = 4
    sequences: int = 128
    rates: tuple[float, ...] = RATES
    pilot_steps: int = 150


@dataclass(frozen=True, eq=False)
class Scores:
    """One member at one length: for every position the number of scored outputs, and of right ones; for numbers the
    sums of squared errors and of squared deviations from the position's mean."""

    task: str
    encoding: str
    seed: int
    length: int
    kind: str
    scored: Float64[np.ndarray, " T"]
    right: Float64[np.ndarray, " T"]
    spread: Float64[np.ndarray, " T"]

    def over(self, first: int, last: int) -> float | None:
        """The score over positions first .. last-1; None where nothing is scored there."""
        part = slice(first, last)
        count, spread = self.scored[part].sum(), self.spread[part].sum()
        if count == 0 or (self.kind == "numbers" and spread == 0):
            return None
        if self.kind == "symbols":
            return float(self.right[part].sum() / count)
        return 1 - float(self.right[part].sum() / spread)


def position_ranges(length: int, train_length: int) -> list[tuple[str, int, int]]:
    """(name, first, last + 1): all positions, and beyond the training length the seen, the first unseen, the others."""
    ranges = [("all", 0, length)]
    if length > train_length:
        near = min(train_length + FIRST_UNSEEN, length)
        ranges += [("seen", 0, train_length), (f"first {near - train_length} unseen", train_length, near)]
        if near < length:
            ranges.append(("other unseen", near, length))
    return ranges


def task_encodings(plan: Plan, task: Task) -> list[AbstractEncoding]:
    """The encodings of a plan, for the mask of a task; ValueError where one is not defined at a test length."""
    sizes = {"dim": plan.dim, "heads": plan.heads, "train_length": plan.train_length}
    made = [network_encoding(words, causal=task.causal, beyond=plan.beyond, **sizes) for words in plan.encodings]
    for encoding in made:
        check_lengths(encoding, max(plan.test_lengths))
    return made


def lessons_of(plan: Plan, task: Task) -> Lessons:
    """A task at the training length, or at lengths up to it."""
    model = Model(SYMBOLS, OUTPUTS, plan.dim, plan.layers, plan.heads, 2 * plan.dim, task.causal, plan.power)
    length, drawn = plan.train_length, draw_mixed if plan.mixed else draw
    name = f"{task.name}-mixed" if plan.mixed else task.name
    held_out = drawn(task, CHECK_SEED, CHECK_SEQUENCES, length)
    return Lessons(name, model, task.outputs, task.kind, lambda seed, n: drawn(task, seed, n, length), held_out)


def check_plan(plan: Plan, *, with_tasks: bool = True) -> None:
    """ValueError, before any work, for unknown names and lengths that a task or an encoding does not have."""
    for word in ("tasks", "encodings", "test_lengths", "rates"):
        values = getattr(plan, word)
        if not values and (with_tasks or word != "tasks"):
            raise ValueError(f"{word.replace('_', ' ')} must name at least one")
        if len(set(values)) < len(values):
            twice = next(value for value in values if values.count(value) > 1)
            raise ValueError(f"{twice} is given twice: give it once")
    if plan.seeds < 1 or plan.sequences < 1 or plan.pilot_steps < 1:
        raise ValueError("seeds, sequences and pilot steps must be at least 1")
    longest = max(plan.train_length, *plan.test_lengths)
    if longest > LONGEST:
        raise ValueError(f"lengths up to {LONGEST} tokens fit in memory, got {longest}: use a shorter one")
    if min(plan.rates) <= 0:
        raise ValueError(f"learning rates must be positive, got {min(plan.rates)}: use for example 0.003")
    for name in plan.tasks:
        task = find_task(name)
        for length in (plan.train_length, *plan.test_lengths):
            task.checked_length(length)
        task_encodings(plan, task)


def run(
    plan: Plan, settings: Settings, *, checkpoint: Path | None = None, advance: Callable[..., None] | None = None
) -> tuple[list[Trained], list[Scores]]:
    """Pilots, training and tests of a plan; members in the order tasks x encodings x seeds.

    `advance(steps)` counts training steps, `total_steps` of them.
    """
    check_plan(plan)
    lessons = {name: lessons_of(plan, find_task(name)) for name in plan.tasks}
    pairs = [
        Job(lessons[name], encoding, plan.seed, plan.rates[0], label=words)
        for name in plan.tasks
        for words, encoding in zip(plan.encodings, task_encodings(plan, find_task(name)), strict=True)
    ]
    jobs, trained = train_chosen(plan, pairs, settings, checkpoint=checkpoint, advance=advance)
    tests = {
        (name, length): draw(find_task(name), TEST_SEED, plan.sequences, length)
        for name in plan.tasks
        for length in plan.test_lengths
    }

    def scores_of(pair: tuple[Job, Trained]) -> list[Scores]:
        job, one = pair
        name = job.lessons.name.removesuffix("-mixed")
        return [score_member(one, job.lessons, tests[name, length]) for length in plan.test_lengths]

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = list(pool.map(scores_of, zip(jobs, trained, strict=True)))
    return trained, [score for several in found for score in several]


def train_chosen(
    plan: Plan, pairs: list[Job], settings: Settings, **options: Any
) -> tuple[list[Job], list[Trained]]:
    """Every (task, encoding) at the rate that its pilots choose, with all seeds; jobs in the order pairs x seeds."""
    rates = [plan.rates[0]] * len(pairs)
    if len(plan.rates) > 1:
        rates = choose_rates(pairs, settings, steps=plan.pilot_steps, rates=plan.rates, **options)
    chosen = [job._replace(rate=rate) for job, rate in zip(pairs, rates, strict=True)]
    jobs = [job._replace(seed=plan.seed + k) for job in chosen for k in range(plan.seeds)]
    return jobs, train(jobs, settings, **options)


def total_steps(plan: Plan, settings: Settings, tasks: int) -> int:
    """The most training steps that so many tasks take."""
    pairs = tasks * len(plan.encodings)
    pilots = len(plan.rates) * min(plan.pilot_steps, settings.steps) if len(plan.rates) > 1 else 0
    return pairs * (pilots + plan.seeds * settings.steps)


def score_member(trained: Trained, lessons: Lessons, examples: Examples) -> Scores:
    """Sums over sequences at every position."""
    found = predict(trained, lessons, examples)
    scored, targets = examples.scored, examples.targets
    if lessons.kind == "symbols":
        right = (found[..., : lessons.outputs].argmax(axis=-1) == targets) & scored
        spread = np.zeros(scored.shape[1])
    else:
        right = np.where(scored, (found[..., 0].astype(np.float64) - targets) ** 2, 0.0)
        count = np.maximum(scored.sum(axis=0), 1)
        middle = np.where(scored, targets, 0.0).sum(axis=0) / count
        spread = np.where(scored, (targets - middle) ** 2, 0.0).sum(axis=0)
    count, sums = (np.asarray(block, dtype=np.float64).sum(axis=0) for block in (scored, right))
    member, length = trained.member, scored.shape[1]
    return Scores(trained.task, trained.label, member.seed, length, lessons.kind, count, sums, spread)

