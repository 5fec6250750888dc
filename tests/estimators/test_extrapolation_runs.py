"""Plans, scores, rows, comparisons and the local/global rule, on predictors whose scores are known."""

import math
from dataclasses import replace

import numpy as np
import pytest

from estimators import extrapolation_runs, extrapolation_windows
from estimators.estimate import Estimate
from estimators.extrapolation_findings import Row, comparisons, rule_checks, score_rows
from estimators.extrapolation_report import as_results, learned_after
from estimators.extrapolation_runs import Plan, Scores, check_plan, lessons_of, position_ranges, run, total_steps
from estimators.extrapolation_windows import bound_check, bound_line, network_windows, summable
from estimators.network_member import Model, random_member
from estimators.network_positions import network_encoding
from estimators.tasks import TASKS, draw, find_task
from estimators.training_job import Settings, Trained

TINY = Plan(("shift-1",), ("none", "haar"), train_length=8, test_lengths=(8, 12), seeds=2, dim=16, layers=1, heads=2,
            sequences=16, rates=(0.01,))  # fmt: skip


def scored(monkeypatch, answer, task, length):
    """`score_member` of a predictor that returns `answer(examples)`."""
    monkeypatch.setattr(extrapolation_runs, "predict", lambda trained, lessons, examples: answer(examples))
    member = random_member("none", Model(32, 32, 16, 1, 2, 16, task.causal), train_length=8)
    trained = Trained(member, task.name, "none", 0.01, (), 0.99)
    return extrapolation_runs.score_member(trained, lessons_of(TINY, task), draw(task, 1, 200, length))


@pytest.mark.parametrize("name", TASKS)
def test_the_right_answer_scores_one_at_every_position(name, monkeypatch):
    task = find_task(name)
    length = max(12, task.least_length)

    def right(examples):
        if task.kind == "numbers":
            return examples.targets[..., None]
        return np.eye(32)[examples.targets.astype(int)]

    found = scored(monkeypatch, right, task, length)
    assert found.over(0, length) == 1
    for place in range(length):
        value = found.over(place, place + 1)
        assert value is None or value == 1


def test_a_constant_answer_scores_chance(monkeypatch):
    task = find_task("shift-1")
    found = scored(monkeypatch, lambda e: np.zeros((*e.inputs.shape, 32)), task, 12)
    assert found.over(0, 12) == pytest.approx(1 / 8, abs=0.02)
    number = find_task("prefix-mean")
    found = scored(monkeypatch, lambda e: np.zeros((*e.inputs.shape, 32)), number, 12)
    assert found.over(0, 12) == pytest.approx(0, abs=0.05)
    wrong = scored(monkeypatch, lambda e: e.targets[..., None] + 10, number, 12)
    assert wrong.over(0, 12) < -10


def test_position_ranges_leave_no_position_out():
    assert position_ranges(8, 8) == [("all", 0, 8)]
    for length in (9, 16, 17, 40, 300):
        parts = position_ranges(length, 8)[1:]
        covered = [place for _, first, last in parts for place in range(first, last)]
        assert covered == list(range(length))


def test_run_scores_every_length_and_seed():
    settings = Settings(steps=10, batch=4, chunk=5)
    trained, scores = run(TINY, settings)
    assert [(one.encoding, one.seed, one.length) for one in scores] == [
        (encoding, seed, length) for encoding in ("none", "haar") for seed in (0, 1) for length in (8, 12)
    ]
    rows = score_rows(TINY, trained, scores, {}, 0.95)
    by_key = {(row.encoding, row.length, row.position_range): row for row in rows}
    assert set(by_key) >= {("none", 8, "all"), ("haar", 12, "seen"), ("haar", 12, "first 4 unseen")}
    row = by_key["haar", 12, "all"]
    mine = [one for one in scores if one.encoding == "haar" and one.length == 12]
    mean = np.mean([one.right.sum() / one.scored.sum() for one in mine])
    assert np.mean(row.values) == pytest.approx(mean)
    assert row.estimate.lower <= mean <= row.estimate.upper
    assert as_results(rows)[0]["position_range"] == "all"
    again = run(TINY, settings)[1]
    assert all(np.array_equal(a.right, b.right) for a, b in zip(scores, again, strict=True))


def test_total_steps_counts_pilots():
    settings = Settings(steps=10, batch=4, chunk=5)
    counted = []
    plan = replace(TINY, rates=(0.001, 0.01), pilot_steps=5)
    run(plan, settings, advance=counted.append)
    assert sum(counted) == total_steps(plan, settings, 1)


def make_row(task, encoding, length, values, horizon=None, where="all"):
    mean, width = float(np.mean(values)), 0.02
    estimate = Estimate(max(mean - width, 0.0), min(mean + width, 1.0), 0.95, "given")
    return Row(task, encoding, encoding, len(values), length, where, estimate, tuple(values), (50,) * len(values),
               (0.01,), 0.1, horizon)  # fmt: skip


RULE = Plan(("shift-1", "reversal"), ("alibi",), train_length=32, test_lengths=(32, 256))


@pytest.mark.parametrize(
    ("task", "start", "end", "horizon", "verdict"),
    [
        ("shift-1", 1.0, 0.999, 20.0, "holds"),
        ("shift-1", 1.0, 0.5, 20.0, "violated"),
        ("shift-1", 0.6, 0.6, 20.0, "undecided"),  # not learned
        ("shift-1", 1.0, 0.95, 20.0, "undecided"),  # the interval straddles what must be kept
        ("reversal", 0.3, 0.197, 20.0, "undecided"),  # and the ceiling
        ("reversal", 0.3, 0.15, 20.0, "holds"),
        ("reversal", 0.3, 0.9, 20.0, "violated"),
        ("reversal", 0.3, 0.9, 400.0, "undecided"),  # the window covers everything
    ],
)
def test_the_rule_reads_both_ways(task, start, end, horizon, verdict):
    rows = [make_row(task, "alibi", 32, [start] * 3, horizon), make_row(task, "alibi", 256, [end] * 3, horizon)]
    (found,) = rule_checks(RULE, rows)
    assert found.verdict == verdict


def test_encodings_without_a_horizon_are_not_judged():
    rows = [make_row("shift-1", "none", n, [0.5] * 3) for n in (32, 256)]
    assert rule_checks(RULE, rows) == []


def test_comparisons_name_both_references_once():
    plan = replace(RULE, encodings=("none", "random-orthogonal:beyond=clip", "haar"))
    rows = [
        make_row("shift-1", encoding, n, [score, score + 0.01, score])
        for n in (32, 256)
        for encoding, score in (("none", 0.2), ("random-orthogonal:beyond=clip", 0.9), ("haar", 0.9))
    ]
    found = comparisons(plan, rows, 0.95)
    assert {(one.encoding, one.reference, one.difference.sign) for one in found} == {
        ("none", "random-orthogonal:beyond=clip", -1),
        ("random-orthogonal:beyond=clip", "none", 1),
        ("haar", "none", 1),
        ("haar", "random-orthogonal:beyond=clip", 0),
    }


def test_learned_after_is_a_median_that_waits_for_half():
    row = make_row("shift-1", "none", 32, [1.0] * 3)
    assert learned_after(row) == 50
    assert learned_after(replace(row, steps_to_threshold=(75, None, 50))) == 75
    assert learned_after(replace(row, steps_to_threshold=(None, None, 50))) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tasks": ("shft-1",)}, "did you mean 'shift-1'"),
        ({"tasks": ()}, "at least one"),
        ({"encodings": ("learned",)}, "learned is defined for 8 positions"),
        ({"encodings": ("none", "none")}, "given twice"),
        ({"test_lengths": (0,)}, "length"),
        ({"test_lengths": (100_000,)}, "fit in memory"),
        ({"seeds": 0}, "at least 1"),
        ({"rates": (-0.1,)}, "positive"),
    ],
)
def test_bad_plans_are_refused_before_any_work(change, message):
    with pytest.raises(ValueError, match=message):
        check_plan(replace(TINY, **change))


def test_rules_beyond_are_passed_on():
    check_plan(replace(TINY, encodings=("learned", "alibi"), beyond="clip"))
    with pytest.raises(ValueError, match="haar is defined for 8 positions"):
        check_plan(replace(TINY, encodings=("haar",), beyond="refuse"))


def encoding(words):
    return network_encoding(words, dim=16, heads=2, train_length=8)


def test_summable_biases():
    assert summable(encoding("alibi"))
    assert summable(encoding("kerple-power"))
    assert summable(encoding("kerple-log:r1=2"))
    assert not summable(encoding("kerple-log:r1=1"))
    for words in ("none", "t5", "rotary", "sinusoidal", "sandwich", "fire", "alibi:beyond=clip"):
        assert not summable(encoding(words))


def test_windows_of_a_network():
    """Without content logits A_w of slope m is the geometric tail, so every head's window is the closed form."""
    member = random_member("alibi:slope=1", Model(8, 8, 16, 2, 2, 16), train_length=8)
    silent = member.network._replace(queries=member.network.queries * 0)
    member = replace(member, network=silent)
    found = network_windows(member, draw(find_task("shift-1"), 0, 2, 64).inputs)
    head = math.ceil(math.log(1 + 0.99 / 0.01))  # ceil(ln(1 + (1 - eps)/eps)/m), B = 0
    assert found.predicted == found.seen == 1 + 2 * (head - 1)
    checked = bound_check([found])
    assert checked is not None
    assert checked.violated == 0
    assert checked.bounds == len(found.rows)
    assert "none violated" in bound_line(checked)
    assert bound_check([]) is None


def test_the_widest_head_of_a_layer_counts_in_any_order():
    assert extrapolation_windows._field([(0, 5), (0, 3), (1, 2)]) == 1 + 4 + 1
    assert extrapolation_windows._field([(0, 3), (0, 5), (1, 2)]) == 1 + 4 + 1


def test_a_violated_bound_is_shouted():
    member = random_member("alibi:slope=1", Model(8, 8, 16, 1, 2, 16), train_length=8)
    found = network_windows(member, draw(find_task("shift-1"), 0, 2, 32).inputs)
    broken = replace(found, rows=tuple(replace(row, verdict="violated") for row in found.rows))
    checked = bound_check([broken])
    assert checked is not None
    assert "VIOLATED" in bound_line(checked)


def test_scores_over_nothing_scored_are_none():
    zeros = np.zeros(4)
    assert Scores("t", "e", 0, 4, "symbols", zeros, zeros, zeros).over(0, 4) is None
    assert Scores("t", "e", 0, 4, "numbers", zeros + 1, zeros, zeros).over(0, 4) is None
