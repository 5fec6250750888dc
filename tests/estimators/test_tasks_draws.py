"""Draws of every task: shapes, laws, streams, mixed lengths, how far targets look, bad input."""

import collections

import numpy as np
import pytest

from estimators.tasks import TASKS, draw, draw_mixed, find_task, listed
from estimators.tasks_base import LONGEST, Layout, make_task
from estimators.tasks_formal import dyck_depth_task
from estimators.tasks_global import induction_task, permutation_task, sort_task
from estimators.tasks_local import shift_task, shift_values_task, window_mean_task, window_sum_task
from estimators.tasks_running import cycle_task, modular_sum_task, prefix_sum_task

EVERY = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)


def shortest_lengths(task, most):
    """Lengths from the least on at which at most `most` inputs are to be listed."""
    for length in range(task.least_length, task.least_length + 12):
        if np.prod([float(size) for size in task.sizes(length)]) > most:
            return
        yield length


@EVERY
def test_contract_of_examples(task):
    for found, longest in ((draw(task, 0, 40, 33), 33), (draw_mixed(task, 0, 300, 24), 24)):
        assert [part.dtype.name for part in found] == ["int32", "float64", "bool", "int32"]
        count = len(found.lengths)
        assert found.inputs.shape == found.targets.shape == found.scored.shape == (count, longest)
        assert found.inputs.min() >= 0
        assert found.inputs.max() < task.symbols <= 32
        beyond = np.arange(longest) >= found.lengths[:, None]
        assert not found.inputs[beyond].any()
        assert not found.scored[beyond].any()
        assert not found.targets[~found.scored].any()
        assert found.scored.any(axis=1).all()
        assert np.isfinite(found.targets).all()
        if task.kind == "symbols":
            assert set(np.unique(found.targets[found.scored])) <= set(range(task.outputs))
        else:
            assert task.outputs == 1


@EVERY
def test_every_symbol_and_class_occurs(task):
    found = draw(task, 2, 3000, 12)
    assert set(np.unique(found.inputs)) == set(range(task.symbols))
    if task.kind == "symbols":
        assert set(np.unique(found.targets[found.scored])) == set(range(task.outputs))


COUNTED = [task for task in TASKS.values() if list(shortest_lengths(task, 1500))]
SMALLER = [shift_task(2, 4), shift_values_task(2, 4), sort_task(3, 2), induction_task(2, 2)]


@pytest.mark.parametrize("task", COUNTED + SMALLER, ids=lambda task: task.name)
def test_draws_are_the_law_of_the_listed_inputs(task):
    """Frequencies of whole inputs within 5 deviations, and no other input."""
    assert frequencies_differ(task, list(shortest_lengths(task, 1500))[-1]) < 5


def frequencies_differ(task, length, count=20_000):
    """Largest deviation of an input's frequency from its probability, in standard deviations."""
    every = collections.Counter(map(tuple, listed(task, length).inputs.tolist()))
    drawn = collections.Counter(map(tuple, draw(task, 3, count, length).inputs.tolist()))
    assert set(drawn) <= set(every)
    total = sum(every.values())
    p = np.array([n / total for n in every.values()])
    q = np.array([drawn[x] / count for x in every])
    return float(np.max(np.abs(q - p) / np.sqrt(p * (1 - p) / count + 1e-12)))


@EVERY
def test_same_seed_same_numbers_and_prefixes(task):
    small, large = draw(task, 7, 5, 20), draw(task, 7, 12, 20)
    for a, b in zip(small, large, strict=True):
        np.testing.assert_array_equal(a, b[:5])
    assert (draw(task, 8, 12, 20).inputs != large.inputs).any()
    mixed = draw_mixed(task, 7, 12, 20)
    for a, b in zip(draw_mixed(task, 7, 5, 20), mixed, strict=True):
        np.testing.assert_array_equal(a, b[:5])


def test_tasks_and_lengths_have_streams_of_their_own():
    one, other = shift_task(1), shift_task(2)
    assert (draw(one, 0, 50, 9).inputs != draw(other, 0, 50, 9).inputs).any()
    assert (draw(one, 0, 50, 9).inputs[:, :8] != draw(one, 0, 50, 8).inputs).any()
    mixed = draw_mixed(one, 0, 4000, 9)
    rows = {tuple(x) for x in mixed.inputs[mixed.lengths == 9].tolist()}
    assert len(rows & {tuple(x) for x in draw(one, 0, 400, 9).inputs.tolist()}) == 0


@EVERY
def test_mixed_lengths_are_uniform(task):
    lengths = draw_mixed(task, 5, 4000, task.least_length + 9).lengths
    counts = np.bincount(lengths, minlength=task.least_length + 10)[task.least_length :]
    assert counts.sum() == 4000
    assert counts.size == 10
    assert np.abs(counts - 400).max() < 5 * np.sqrt(400 * 0.9)


@EVERY
def test_reach_is_how_far_one_function_looks(task):
    """A target within reach is the same function of the last `reach` tokens at all positions, and of no fewer."""
    if task.reach is None:
        return
    assert task.causal
    answers, shorter = collections.defaultdict(set), collections.defaultdict(set)
    for x, y, scored in zip(*(part.tolist() for part in draw(task, 4, 6000, task.reach + 3)[:3]), strict=True):
        for i in np.flatnonzero(scored):
            answers[tuple(x[i - task.reach + 1 : i + 1])].add(y[i])
            shorter[tuple(x[i - task.reach + 2 : i + 1])].add(y[i])
    assert all(max(found) - min(found) < 1e-12 for found in answers.values())
    assert any(max(found) - min(found) > 1e-3 for found in shorter.values())


@EVERY
def test_causal_targets_do_not_look_ahead(task):
    """Two inputs that agree up to i have the same target there; tasks that are not causal have a pair that does not."""
    known = collections.defaultdict(set)
    length = max(4, task.least_length)
    found = draw(task, 0, 4000, length) if task.name == "induction" else listed(task, length)
    for x, y, scored in zip(*(part.tolist() for part in found[:3]), strict=True):
        for i in np.flatnonzero(scored):
            known[tuple(x[: i + 1])].add(y[i])
    ahead = any(max(found) - min(found) > 1e-12 for found in known.values())
    assert ahead != task.causal


def test_find_task():
    assert find_task("reversal") is TASKS["reversal"]
    assert all(name == task.name and task.description for name, task in TASKS.items())
    with pytest.raises(ValueError, match="did you mean 'prefix-parity'"):
        find_task("prefx-parity")
    with pytest.raises(ValueError, match="use one of shift-1, shift-4"):
        find_task("")


@EVERY
def test_shorter_than_defined_is_refused(task):
    for call in (
        lambda n: draw(task, 0, 1, n),
        lambda n: draw_mixed(task, 0, 1, n),
        task.chance,
        lambda n: task.ceiling(n, 1),
        lambda n: listed(task, n),
    ):
        with pytest.raises(ValueError, match="use length="):
            call(task.least_length - 1)


SHIFT = TASKS["shift-1"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: draw(SHIFT, 0, 0, 8), "count must be at least 1"),
        (lambda: draw_mixed(SHIFT, 0, 0, 8), "count must be at least 1"),
        (lambda: draw(SHIFT, -1, 1, 8), "seed must be at least 0"),
        (lambda: draw(SHIFT, 0, 2**20, 2**10), "draw fewer"),
        (lambda: draw_mixed(SHIFT, 0, 2**20, 2**10), "draw fewer"),
        (lambda: draw(SHIFT, 0, 1, LONGEST + 1), "use a shorter one"),
        (lambda: SHIFT.ceiling(8, 0), "window must be at least 1"),
        (lambda: listed(SHIFT, 30), "too many inputs"),
        (lambda: shift_task(0), "distance must be at least 1"),
        (lambda: shift_task(1, symbols=33), "1 to 32 symbols"),
        (lambda: shift_values_task(0), "distance must be at least 1"),
        (lambda: shift_values_task(1, symbols=1), "symbols must be at least 2"),
        (lambda: window_sum_task(0), "reach must be at least 1"),
        (lambda: window_mean_task(0), "reach must be at least 1"),
        (lambda: permutation_task(0), "block must be at least 1"),
        (lambda: modular_sum_task(1), "modulus must be at least 2"),
        (lambda: cycle_task(1), "places must be at least 2"),
        (lambda: dyck_depth_task(0), "deepest must be at least 1"),
        (lambda: prefix_sum_task(unit_length=0), "unit_length must be at least 1"),
        (lambda: induction_task(20, 20), "1 to 32 symbols"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_task_made_by_hand_has_scores_by_listing():
    """Fair bits, target whether both bits of the sequence are ones: chance 3/4, one bit 3/4, both 1."""
    task = make_task(
        name="both",
        description="whether both bits are ones",
        symbols=2,
        outputs=2,
        sizes=lambda length: [2] * length,
        layout=lambda raw, length: Layout(raw, np.cumprod(raw, axis=1), np.arange(length)[None, :] == length - 1),
        chance=lambda length: 1 - 0.5**length,
        least_length=2,
    )
    assert task.ceiling(2, 1) == 0.75
    assert task.ceiling(2, 2) == 1
    assert task.ceiling(64, 3) is None
