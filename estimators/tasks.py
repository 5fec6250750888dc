"""Synthetic sequence tasks with exact answers, chance levels and ceilings for windows: `TASKS`, and draws from them.

Draws of one (seed, task, length) are rows of one stream: the first rows of a larger draw are those of a smaller one.
Mixed draws use other streams, so a seed shared by training and test shares no sequence by construction.
"""

import difflib
import zlib

import numpy as np

from estimators.samples import positive
from estimators.tasks_base import MOST_TOKENS, Examples, Task, listed, listed_score
from estimators.tasks_formal import (
    binary_addition_task,
    dyck_depth_task,
    even_pairs_task,
    missing_duplicate_task,
    stack_top_task,
)
from estimators.tasks_global import (
    copy_task,
    induction_task,
    odds_first_task,
    permutation_task,
    reversal_task,
    sort_task,
)
from estimators.tasks_local import shift_task, shift_values_task, window_mean_task, window_sum_task
from estimators.tasks_running import (
    cycle_task,
    majority_task,
    modular_sum_task,
    prefix_mean_task,
    prefix_parity_task,
    prefix_sum_task,
)

__all__ = ["TASKS", "Examples", "Task", "draw", "draw_mixed", "find_task", "listed", "listed_score"]

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        shift_task(1),
        shift_task(4),
        shift_values_task(4),
        window_sum_task(4),
        window_mean_task(4),
        copy_task(),
        permutation_task(),
        reversal_task(),
        reversal_task(end_mark=True),
        odds_first_task(),
        sort_task(),
        induction_task(),
        majority_task(),
        prefix_sum_task(),
        prefix_mean_task(),
        prefix_parity_task(),
        modular_sum_task(3),
        cycle_task(5),
        even_pairs_task(),
        missing_duplicate_task(),
        dyck_depth_task(4),
        stack_top_task(),
        binary_addition_task(),
    )
}


def find_task(name: str) -> Task:
    """The task of that name; ValueError with the nearest name otherwise."""
    if name in TASKS:
        return TASKS[name]
    near = difflib.get_close_matches(str(name), TASKS, 1)
    advice = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(TASKS)}"
    raise ValueError(f"unknown task {name!r}: {advice}")


def draw(task: Task, seed: int, count: int, length: int) -> Examples:
    """`count` sequences of exactly `length` tokens.

    Raises:
        ValueError: count below 1, a length below `task.least_length`, a negative seed, or too much for one draw.
    """
    length = task.checked_length(length)
    return task.draw(_generator(task, seed, "fixed", length), positive("count", count), length)


def draw_mixed(task: Task, seed: int, count: int, longest: int) -> Examples:
    """`count` sequences of lengths uniform on least_length .. longest, all padded to `longest` tokens.

    Raises:
        ValueError: as `draw`.
    """
    count, longest = positive("count", count), task.checked_length(longest)
    if count * longest > MOST_TOKENS:
        raise ValueError(f"{count} x {longest} tokens are more than {MOST_TOKENS}: draw fewer at a time")
    choice = _generator(task, seed, "lengths", longest)
    lengths = choice.integers(task.least_length, longest + 1, count).astype(np.int32)
    shape = (count, longest)
    mixed = Examples(np.zeros(shape, np.int32), np.zeros(shape), np.zeros(shape, bool), lengths)
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == length)
        part = task.draw(_generator(task, seed, "mixed", length), rows.size, length)
        for whole, values in zip(mixed[:3], part[:3], strict=True):
            whole[rows, :length] = values
    return mixed


def _generator(task: Task, seed: int, purpose: str, length: int) -> np.random.Generator:
    """Independent streams of one seed, told apart by task, purpose and length."""
    key = zlib.crc32(f"{task.name}/{purpose}".encode()), length
    sequence = np.random.SeedSequence(positive("seed", seed, least=0), spawn_key=key)
    return np.random.Generator(np.random.Philox(sequence))
