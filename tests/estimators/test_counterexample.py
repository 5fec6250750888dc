"""Counterexamples: saved, replayed with the same numbers, and refused where they are not what they say."""

import dataclasses
import json
from fractions import Fraction

import pytest
from toy_claims import with_faults

from estimators.claim import check
from estimators.counterexample import load, replay, save, save_all
from estimators.ledger import check_all, check_claim

CLAIMS = with_faults()


@pytest.fixture
def saved(tmp_path):
    outcome = check_claim("toy-wrong", CLAIMS["toy-wrong"])
    return save(tmp_path, outcome.worst)


def rewrite(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


def test_replay_gives_the_same_numbers(saved):
    found = replay(saved, CLAIMS)
    assert found.reproduced
    assert found.same_numbers
    assert not found.true
    assert found.status == 0
    assert found.check.case == load(saved)["case"]
    assert "python" in found.made_with


def test_a_broken_true_statement_is_status_1_and_its_twin_0(tmp_path):
    outcome = check_claim("toy-broken", CLAIMS["toy-broken"])
    assert replay(save(tmp_path, outcome.worst), CLAIMS).status == 1
    twin = check_claim("toy-quarter", CLAIMS["toy-quarter"], factor=Fraction(1, 100))
    path = save(tmp_path, twin.worst, twin.factor)
    assert "twin" in path.name
    assert replay(path, CLAIMS).status == 0


def test_a_repaired_statement_does_not_reproduce(saved):
    repaired = CLAIMS | {"toy-wrong": dataclasses.replace(CLAIMS["toy-quarter"], true=False)}
    found = replay(saved, repaired)
    assert not found.reproduced
    assert not found.same_numbers
    assert found.status == 3


def test_every_violated_case_of_a_run_has_a_file_once(tmp_path):
    ledger = check_all(CLAIMS)
    violated = [one for outcome in ledger.outcomes for one in outcome.checks if one.verdict == "violated"]
    paths, failed = save_all(tmp_path, ledger.outcomes)
    assert failed == []
    assert len(set(paths)) == len(violated) > 4
    assert set(save_all(tmp_path, ledger.outcomes)[0]) == set(paths)
    assert all(replay(path, CLAIMS).reproduced for path in paths)


def test_infinite_ends_and_cases_without_json(tmp_path):
    case = {"logits": [3.0, 0.0, 0.0], "other": [0.0, 0.0, 3.0]}
    one = check("toy-searched", CLAIMS["toy-searched"], case, Fraction(1, 100))
    found = replay(save(tmp_path, one, "1/100"), CLAIMS)
    assert found.found["upper"] is None
    assert found.same_numbers
    with pytest.raises(ValueError, match="a case of toy-searched cannot be saved"):
        save(tmp_path, dataclasses.replace(one, case=case | {"logits": [float("inf")]}))
    outcome = check_claim("toy-wrong", CLAIMS["toy-wrong"])
    unsaved = dataclasses.replace(outcome.worst, case={"logits": {1, 2}})
    paths, failed = save_all(tmp_path, [dataclasses.replace(outcome, checks=(unsaved, outcome.worst))])
    assert len(paths) == len(failed) == 1


def test_files_that_are_no_counterexample(tmp_path):
    path = tmp_path / "x.json"
    for content, advice in (
        (b"{", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"x": NaN}', "NaN is no JSON number"),
        (b"\xff\xfe", "is not text"),
        (b"[]", "is not a counterexample"),
        (b'{"format": "other"}', "is not a counterexample"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=advice):
            replay(path, CLAIMS)
    with pytest.raises(FileNotFoundError):
        replay(tmp_path / "missing.json", CLAIMS)


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (lambda c: c.update(format_version=2), "has format version 2, this program reads 1"),
        (lambda c: c.update(format_version=True), "has format version True"),
        (lambda c: c["case"]["logits"].__setitem__(0, 9.0), "was changed after it was saved"),
        (lambda c: c["found"].update(bound=9.0), "was changed after it was saved"),
        (lambda c: c.update(factor="1/2"), "was changed after it was saved"),
        (lambda c: c.update(digest="0"), "was changed after it was saved"),
        (lambda c: c.pop("case"), "has no 'case' that is dict"),
        (lambda c: c.update(claim=3), "has no 'claim' that is str"),
    ],
)
def test_changed_files(saved, change, advice):
    with pytest.raises(ValueError, match=advice):
        replay(rewrite(saved, change), CLAIMS)


def test_claims_that_are_gone_or_changed(saved):
    with pytest.raises(ValueError, match="no claim 'toy-wrong': did you mean toy-wring"):
        replay(saved, {"toy-wring": CLAIMS["toy-wrong"]})
    other = dataclasses.replace(CLAIMS["toy-wrong"], measure=lambda *, weights: None)
    with pytest.raises(ValueError, match=r"does not fit toy-wrong .*: it was written by version"):
        replay(saved, {"toy-wrong": other})

    def refusing(**case):
        raise ValueError("dim must be even")

    refused = dataclasses.replace(CLAIMS["toy-wrong"], measure=refusing)
    with pytest.raises(ValueError, match=r"cannot be measured \(dim must be even\)"):
        replay(saved, {"toy-wrong": refused})
