"""Chance levels and ceilings of tasks against plain enumeration in fractions, and against the theory's statements."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.tasks import TASKS, draw, listed, listed_score
from estimators.tasks_formal import dyck_depth_task, stack_top_task
from estimators.tasks_global import (
    copy_task,
    induction_task,
    odds_first_task,
    permutation_task,
    reversal_task,
    sort_task,
)
from estimators.tasks_local import shift_task, shift_values_task, window_mean_task, window_sum_task
from estimators.tasks_running import cycle_task, modular_sum_task, prefix_mean_task, prefix_sum_task, walk_task
from theory import extrapolation_tasks as theory

EVERY = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)

# Small alphabets, so that the targets look far beyond the window in inputs that can be listed.
SMALL = {
    "shift": shift_task(2, symbols=2),
    "shift-values": shift_values_task(2, symbols=3),
    "window-sum": window_sum_task(5),
    "window-mean": window_mean_task(3, symbols=2),
    "copy": copy_task(symbols=2),
    "permutation": permutation_task(block=5, symbols=2),
    "reversal": reversal_task(symbols=2),
    "reversal-end-mark": reversal_task(symbols=2, end_mark=True),
    "odds-first": odds_first_task(symbols=2),
    "sort": sort_task(symbols=3, levels=2),
    "induction": induction_task(keys=2, values=2),
    "induction-more-values": induction_task(keys=2, values=3),
    "induction-more-keys": induction_task(keys=3, values=2),
    "majority": TASKS["majority"],
    "prefix-sum": prefix_sum_task(symbols=2),
    "prefix-mean": prefix_mean_task(symbols=2),
    "prefix-parity": TASKS["prefix-parity"],
    "modular-sum": modular_sum_task(3),
    "cycle-navigation": cycle_task(4),
    "walk": walk_task("walk", 4, [0, 0, 1], "two steps of three stay"),
    "even-pairs": TASKS["even-pairs"],
    "missing-duplicate": TASKS["missing-duplicate"],
    "dyck-depth": dyck_depth_task(2),
    "stack-top": stack_top_task(),
    "binary-addition": TASKS["binary-addition"],
}


def plain_score(task, length, window):
    """Best score of predictors that see a window (0: nothing), in fractions for classes, by dictionaries."""
    right, scored_count = Fraction(0), 0
    answers = {}
    for x, y, scored in zip(*(part.tolist() for part in listed(task, length)[:3]), strict=True):
        for i in itertools.compress(range(length), scored):
            first, end = max(0, i - window + 1), i + 1 if task.causal else i + window
            content = (i, *x[first:end]) if window else (i,)
            answers.setdefault(content, []).append(y[i])
            scored_count += 1
    for found in answers.values():
        if task.kind == "symbols":
            right += max(found.count(y) for y in set(found))
        else:
            mean = sum(map(Fraction, found)) / len(found)
            right += sum((Fraction(y) - mean) ** 2 for y in found)
    return float(right / scored_count)


def short_lengths(task, most):
    for length in range(task.least_length, 12):
        if np.prod([float(size) for size in task.sizes(length)]) > most:
            return
        yield length


@pytest.mark.parametrize("task", SMALL.values(), ids=SMALL)
def test_scores_are_those_of_plain_enumeration(task):
    lengths = list(short_lengths(task, 800))
    assert len(lengths) >= 2
    for length in lengths:
        assert task.chance(length) == pytest.approx(plain_score(task, length, 0), abs=1e-12)
        for window in range(1, length + 2):
            assert task.ceiling(length, window) == pytest.approx(plain_score(task, length, window), abs=1e-12)


@EVERY
def test_scores_of_the_registered_tasks_are_those_of_listing(task):
    for length in short_lengths(task, 20_000):
        assert task.chance(length) == pytest.approx(listed_score(task, length, 0), abs=1e-12)
        for window in range(1, length + 1):
            assert task.ceiling(length, window) == pytest.approx(listed_score(task, length, window), abs=1e-12)


@EVERY
def test_seeing_more_never_hurts_and_all_is_enough(task):
    length = 24
    found = [task.ceiling(length, window) for window in (1, 2, 3, 5, 8, 13, 23, 24, 30)]
    better = -1 if task.kind == "numbers" else 1
    known = [better * score for score in (task.chance(length), *found) if score is not None]
    assert all(low <= high + 1e-12 for low, high in itertools.pairwise(known))
    assert known[0] < known[-1]
    assert found[-1] == found[-2] == (0 if task.kind == "numbers" else 1)
    if task.reach is not None:
        assert task.ceiling(200, task.reach) == task.ceiling(24, 24)


@EVERY
def test_chance_is_the_best_constant_of_many_draws(task):
    """Per position, at a length where nothing can be listed: within 5 deviations of the draws' own best constants."""
    count, length = 4000, 33
    found = draw(task, 0, count, length)
    positions = np.flatnonzero(found.scored.sum(axis=0) > 50)
    right = total = 0.0
    for i in positions:
        y = found.targets[found.scored[:, i], i]
        right += y.size * y.var() if task.kind == "numbers" else np.bincount(y.astype(int)).max()
        total += y.size
    spread = 5 / np.sqrt(count) if task.kind == "symbols" else 0.1 * task.chance(length)
    if task.name == "missing-duplicate":  # one scored position a sequence
        spread *= 6
    assert right / total == pytest.approx(task.chance(length), abs=spread)


@settings(max_examples=40, deadline=None)
@given(length=st.integers(1, 40), window=st.integers(1, 40))
def test_scores_are_the_statements_of_the_theory(length, window):
    window = min(window, length)
    seen = range(window, length + 1)

    def within(bound, found, **words):
        low, high = bound.certified(**words)
        return low - 1e-12 <= found <= high + 1e-12

    reversal = TASKS["reversal"].ceiling(length, window)
    assert within(theory.reversal_accuracy(), reversal, length=length, window=window, vocabulary_size=8)
    assert reversal <= window / length + (1 - window / length) / 8 + 1e-12
    for name, bound, words, start in (
        ("prefix-parity", theory.prefix_parity_accuracy(), {"bit_probability": Fraction(1, 2)}, window - 1),
        ("prefix-sum", theory.prefix_sum_floor(), {"token_variance": Fraction(1, 32)}, 0),
        ("prefix-mean", theory.prefix_mean_floor(), {"token_variance": 1}, 0),
    ):
        wanted = sum(bound.evaluate(seen_count=i, window=window, **words) for i in seen) + start
        assert TASKS[name].ceiling(length, window) == pytest.approx(wanted / length, rel=1e-12, abs=1e-15)
    if length > 4:
        floor = theory.copy_floor().evaluate(token_variance=1) if window <= 4 < length else 0.0
        assert TASKS["shift-4-values"].ceiling(length, window) == (floor if window < length else 0.0)


def stack_guess(content, before):
    """The top after `content`, or the likelier of empty and symbol 1, from the number of tokens before."""
    pops = 0
    for token in reversed(content):
        if token == 2:
            pops += 1
        elif pops:
            pops -= 1
        else:
            return token + 1
    law = {0: 1.0}
    for _ in range(before):
        following = {}
        for height, p in law.items():
            for new in (height + 1, max(height - 1, 0)):
                following[new] = following.get(new, 0) + p / 2
        law = following
    empty = sum(p for height, p in law.items() if height <= pops)
    return 0 if empty > (1 - empty) / 2 else 1


def recall_guess(content):
    """The value of the last key among the pairs before it, else a value seen without its key, else value 0."""
    key = content[-1]
    for at in range(len(content) - 3, -1, -2):
        if content[at] == key:
            return content[at + 1] - 8
    return content[0] - 8 if len(content) % 2 == 0 else 0


@pytest.mark.parametrize("window", [3, 6])
@pytest.mark.parametrize("name", ["stack-top", "induction"])
def test_a_predictor_written_by_hand_attains_the_ceiling_at_longer_lengths(name, window):
    task, count, length = TASKS[name], 1500, 22
    found = draw(task, 0, count, length)
    right = []
    for x, y, scored in zip(*(part.tolist() for part in found[:3]), strict=True):
        for i in itertools.compress(range(length), scored):
            first = max(0, i - window + 1)
            content = x[first : i + 1]
            guess = stack_guess(content, first) if name == "stack-top" else recall_guess(content)
            right.append(guess == y[i])
    ceiling = task.ceiling(length, window)
    assert np.mean(right) == pytest.approx(ceiling, abs=5 * 0.5 / np.sqrt(count))
    assert abs(np.mean(right) - ceiling) < 0.25 * (ceiling - task.chance(length))
