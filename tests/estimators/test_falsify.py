"""`python -m estimators.falsify`: the search finds what is there, is deterministic, and claims nothing more."""

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_claims import honest, with_faults

from estimators import falsification
from estimators import falsify as module
from estimators.claim import Claim, Measurement
from estimators.command_line import run
from estimators.counterexample import replay
from estimators.estimate import exact
from estimators.perturbation import free_numbers, moved, with_numbers
from theory.bound import Bound, Relation
from theory.notation import length, logit_bound


def between():
    """Upper: a bump of height 2 at 3/5 stays below 1."""
    return Bound("q", Relation.AT_MOST, 1 + 0 * logit_bound, "toy")


def bump(*, place):
    if place < 0:
        raise ValueError("place must be nonnegative")
    return Measurement(exact(2 * math.exp(-50 * (place - 0.6) ** 2)), {})


def away(rng, thorough):
    yield {"place": 0.1}
    yield {"place": 1.4}


HIDDEN = Claim(between, bump, away, free=("place",))


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    monkeypatch.setattr(module, "CLAIMS", with_faults() | {"toy-hidden": HIDDEN})


def call(*words):
    return run(module.falsify, [str(word) for word in words])


def test_it_finds_a_violation_that_no_case_shows_and_saves_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call("toy-hidden", "--evaluations", 500) == 1
    out = capsys.readouterr().out
    assert "violated" in out
    (path,) = tmp_path.glob("*.json")
    assert path.name in out
    found = replay(path, {"toy-hidden": HIDDEN})
    assert found.status == 1
    assert abs(found.check.case["place"] - 0.6) < 1e-3  # the hardest, not the first
    assert module.ADVICE not in out


def test_a_true_statement_is_attained_and_not_broken(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call("toy-slack", "--evaluations", 1) == 0  # no free entries: its own cases only
    capsys.readouterr()
    assert call("toy-tight", "--evaluations", 1200, "--json", "-") == 0
    document = json.loads(capsys.readouterr().out)
    assert 1 - 1e-9 < document["slack_at_most"] < 1 + 1e-6
    assert document["evaluations"] == 1200
    assert document["says"] == module.ADVICE
    assert list(tmp_path.iterdir()) == []


def test_the_search_attains_equality_from_random_cases_alone():
    claim = dataclasses.replace(honest()["toy-tight"], cases=honest()["toy-quarter"].cases)
    state = falsification.Search(lambda case: module.check("x", claim, case), 3000.0, math.inf)
    falsification.explore(state, claim, "x", seed=0)
    assert falsification.margin(state.best) < 1 + 1e-3


def test_same_seed_and_evaluations_same_result(capsys):
    def result(*words):
        assert call("toy-quarter", "--evaluations", 300, "--json", "-", *words) == 0
        document = json.loads(capsys.readouterr().out)
        return document["check"], document["rejected"], document["climbs"]

    assert result() == result() != result("--seed", 1)
    longer = json.loads((call("toy-quarter", "--evaluations", 900, "--json", "-"), capsys.readouterr().out)[1])
    assert longer["slack_at_most"] <= result()[0]["slack_at_most"]


def test_factor_says_how_far_the_constant_is_from_the_best_one(tmp_path, capsys):
    assert call("toy-tight", "--factor", "9/10", "--evaluations", 50, "--counterexamples", tmp_path / "new") == 0
    assert "9/10 x toy-tight" in capsys.readouterr().out
    (path,) = (tmp_path / "new").glob("*-twin-*.json")
    assert replay(path, with_faults()).status == 0


def test_a_wrong_statement_is_status_0(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call("toy-wrong", "--evaluations", 50) == 0
    assert "kept because it is wrong" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_time_ends_it_and_so_does_the_keyboard(monkeypatch, capsys):
    assert call("toy-quarter", "--seconds", 0.3) == 0
    honest_check, seen = module.check, []

    def stopping(*arguments):
        seen.append(arguments)
        if len(seen) == 30:
            raise KeyboardInterrupt
        return honest_check(*arguments)

    monkeypatch.setattr(module, "check", stopping)
    capsys.readouterr()
    assert call("toy-quarter", "--evaluations", 1000) == 130
    assert "in 30 cases" in capsys.readouterr().out
    monkeypatch.setattr(module, "check", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
    assert call("toy-quarter") == 130


def test_inadmissible_candidates_are_counted(capsys):
    assert call("toy-hidden", "--evaluations", 400, "--factor", 3, "--json", "-") == 0
    assert json.loads(capsys.readouterr().out)["rejected"] > 0


def test_bugs_of_a_measurement_are_not_hidden(monkeypatch):
    def buggy(**case):
        raise KeyError("bug")

    broken = dataclasses.replace(HIDDEN, measure=buggy)
    monkeypatch.setattr(module, "CLAIMS", {"toy-hidden": broken})
    with pytest.raises(KeyError):
        call("toy-hidden")


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ([], "required: CLAIM"),
        (["toy-hiden"], "no claim 'toy-hiden': did you mean toy-hidden?"),
        (["toy-hidden", "--seconds", "0"], "--seconds must be positive"),
        (["toy-hidden", "--evaluations", "-1"], "--evaluations must be positive"),
        (["toy-hidden", "--factor", "0"], "--factor must be positive"),
        (["toy-hidden", "--factor", "one"], "must be a fraction"),
        (["toy-hidden", "--factor", "1/0"], "must be a fraction"),
    ],
)
def test_bad_arguments(capsys, words, advice):
    assert call(*words) == 2
    assert advice in capsys.readouterr().err


def test_nothing_could_be_measured(monkeypatch, capsys):
    refused = dataclasses.replace(HIDDEN, cases=lambda rng, thorough: [{"place": -1.0}], free=())
    monkeypatch.setattr(module, "CLAIMS", {"toy-hidden": refused})
    assert call("toy-hidden", "--evaluations", 5) == 2
    assert "place must be nonnegative" in capsys.readouterr().err


# ---- moves

numbers = st.floats(-1e6, 1e6) | st.integers(-100, 100)
nested = st.recursive(numbers, lambda inner: st.lists(inner, min_size=1, max_size=4), max_leaves=12)


@given(st.fixed_dictionaries({"a": nested, "b": nested}), st.integers(0, 1000), st.floats(1e-6, 3.0))
def test_moves_keep_shape_type_and_what_is_not_free(case, seed, step):
    case = case | {"kept": [1.0, "x"]}
    found = free_numbers(case, ("b", "a"))
    assert with_numbers(case, ("b", "a"), found) == case
    new = with_numbers(case, ("b", "a"), moved(np.random.default_rng(seed), found, step))

    def shape(value):
        return [shape(item) for item in value] if isinstance(value, list) else type(value)

    assert shape(new["a"]) == shape(case["a"])
    assert shape(new["b"]) == shape(case["b"])
    assert new["kept"] == case["kept"]
    assert set(new) == set(case)


def test_infinite_entries_stay_and_integers_move():
    case = {"bias": [0.0, -math.inf, 1.0], "count": 5}
    assert free_numbers(case, ("bias", "count")) == [[0.0, 1.0], [5]]
    changed = with_numbers(case, ("bias",), [[2.0, 3.0]])
    assert changed["bias"] == [2.0, -math.inf, 3.0]
    rng = np.random.default_rng(0)
    seen = {moved(rng, [[5]], 1e-3)[0][0] for _ in range(200)}
    assert seen == {4, 6, -5}


def test_entries_that_cannot_be_moved():
    for case, free, advice in (
        ({"a": 1.0}, ("b",), "is missing"),
        ({"a": "x"}, ("a",), "only numbers"),
        ({"a": [True]}, ("a",), "only numbers"),
    ):
        with pytest.raises(ValueError, match=advice):
            free_numbers(case, free)
    with pytest.raises(ValueError, match="no number to move"):
        moved(np.random.default_rng(0), [[]], 1.0)
    assert length.is_integer
