"""Every task against a plain loop over one sequence."""

import numpy as np
import pytest

from estimators.tasks import TASKS, Examples, draw, draw_mixed, listed
from estimators.tasks_global import permutation_task
from estimators.tasks_running import prefix_sum_task

EVERY = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
ORDER = np.random.default_rng(0).permutation(32).tolist()  # the permutation that the task documents


def value(symbol, symbols, variance=1.0):
    """Equally spaced values with mean 0 and the given variance."""
    spread = sum((a - (symbols - 1) / 2) ** 2 for a in range(symbols)) / symbols
    return (symbol - (symbols - 1) / 2) * (variance / spread) ** 0.5


def shift(distance):
    return lambda x: {i: x[i - distance] for i in range(distance, len(x))}


def last(reach, function):
    return lambda x: {i: function(x[i - reach + 1 : i + 1]) for i in range(reach - 1, len(x))}


def prefix(function):
    return lambda x: {i: function(x[: i + 1]) for i in range(len(x))}


def copy(x):
    mark = x.index(8)
    return {mark + k: x[k] for k in range(len(x) - mark)}


def permutation(x):
    found = {}
    for i in range(len(x)):
        source = 32 * (i // 32) + ORDER[i % 32]
        if source < len(x):
            found[i] = x[source]
    return found


def induction(x):
    known, found = {}, {}
    for i in range(0, len(x), 2):
        if x[i] in known:
            found[i] = known[x[i]]
        if i + 1 < len(x):
            assert known.get(x[i], x[i + 1] - 8) == x[i + 1] - 8
            known[x[i]] = x[i + 1] - 8
    return found


def even_pairs(x):
    changes, found = 0, {}
    for i in range(1, len(x)):
        changes += x[i] != x[i - 1]
        found[i] = int(changes % 2 == 0)
    return found


def missing_duplicate(x):
    (hole,) = [i for i, a in enumerate(x) if a == 4]
    half = (len(x) + 1) // 2
    other = hole + half if hole < half else hole - half
    return {hole: x[other]}


def stack_top(x):
    stack, found = [], {}
    for i, a in enumerate(x):
        if a < 2:
            stack.append(a + 1)
        elif stack:
            stack.pop()
        found[i] = stack[-1] if stack else 0
    return found


def addition(x):
    plus = x.index(2)
    a, b = x[:plus], x[plus + 1 :]
    total = sum(bit << k for k, bit in enumerate(a)) + sum(bit << k for k, bit in enumerate(b))
    return {k: total >> k & 1 for k in range(len(b) + 1)}


def cycle(moves):
    place = 0
    for move in moves:
        place = (place + {0: 0, 1: 1, 2: -1}[move]) % 5
    return place


REFERENCES = {
    "shift-1": shift(1),
    "shift-4": shift(4),
    "shift-4-values": lambda x: {i: value(x[i - 4], 8) for i in range(4, len(x))},
    "window-sum-4": last(4, sum),
    "window-mean-4": last(4, lambda x: sum(value(a, 4) for a in x) / 2),
    "copy": copy,
    "permutation": permutation,
    "reversal": lambda x: dict(enumerate(reversed(x))),
    "reversal-end-mark": lambda x: dict(enumerate(reversed(x[:-1]))),
    "odds-first": lambda x: dict(enumerate(x[::2] + x[1::2])),
    "sort": lambda x: dict(enumerate(sorted(x))),
    "induction": induction,
    "majority": prefix(lambda x: int(x.count(1) > x.count(0))),
    "prefix-sum": prefix(lambda x: sum(value(a, 4, 1 / 32) for a in x)),
    "prefix-mean": prefix(lambda x: sum(value(a, 4) for a in x) / len(x)),
    "prefix-parity": prefix(lambda x: x.count(1) % 2),
    "modular-sum-3": prefix(lambda x: sum(x) % 3),
    "cycle-navigation-5": prefix(cycle),
    "even-pairs": even_pairs,
    "missing-duplicate": missing_duplicate,
    "dyck-depth-4": prefix(lambda x: x.count(0) - x.count(1)),
    "stack-top": stack_top,
    "binary-addition": addition,
}


def disagreements(task, found: Examples):
    """How many sequences differ from the reference, in targets or in what is scored."""
    wrong = 0
    for x, y, scored, length in zip(*(part.tolist() for part in found), strict=True):
        answers = REFERENCES[task.name](x[:length])
        wanted = [answers.get(i, 0) for i in range(len(x))]
        same = y == wanted if task.kind == "symbols" else y == pytest.approx(wanted, abs=1e-12)
        wrong += not (same and scored == [i in answers for i in range(len(x))] and not any(x[length:]))
    return wrong


@EVERY
def test_targets_are_those_of_a_plain_loop(task):
    assert task.name in REFERENCES, "write a reference for the new task"
    lengths = [task.least_length, task.least_length + 1, 31, 32, 33, 70]
    assert all(disagreements(task, draw(task, 1, 150, length)) == 0 for length in lengths)
    assert disagreements(task, draw_mixed(task, 1, 500, 40)) == 0
    found = draw(task, 1, 150, 32)
    broken = found.targets.copy()
    broken[3, np.flatnonzero(found.scored[3])[0]] += 1
    assert disagreements(task, found._replace(targets=broken)) == 1


def shortest_lengths(task, most):
    """Lengths from the least on at which at most `most` inputs are to be listed."""
    for length in range(task.least_length, task.least_length + 12):
        if np.prod([float(size) for size in task.sizes(length)]) > most:
            return
        yield length


@EVERY
def test_targets_of_every_short_input(task):
    for length in shortest_lengths(task, 5000):
        assert disagreements(task, listed(task, length)) == 0


def test_prefix_sums_have_variance_1_at_the_unit_length():
    task = prefix_sum_task(unit_length=8)
    assert draw(task, 0, 40_000, 8).targets[:, 7].var() == pytest.approx(1, rel=0.05)


def test_permutation_of_another_block_and_seed():
    task = permutation_task(block=5, symbols=3, seed=4)
    order = np.random.default_rng(4).permutation(5)
    found = draw(task, 0, 20, 10)
    np.testing.assert_array_equal(found.targets[:, :5], found.inputs[:, order])
    np.testing.assert_array_equal(found.targets[:, 5:], found.inputs[:, 5 + order])
