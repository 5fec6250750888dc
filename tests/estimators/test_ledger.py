"""The ledger: verdicts per claim, errors that cost one row only, interruption, exit statuses, twins."""

import dataclasses
import math

import pytest
import sympy as sp
from toy_claims import honest, with_faults

from estimators import ledger as module
from estimators.check_text import margin, nearness, settled
from estimators.claim import Claim
from estimators.claims import merged
from estimators.ledger import check_all, check_claim, check_twin, exit_status, named

CLAIMS = with_faults()


def one(name, **changes):
    return check_claim(name, dataclasses.replace(CLAIMS[name], **changes))


def test_standing_of_every_kind_of_claim():
    found = {outcome.claim: outcome.standing for outcome in check_all(CLAIMS).outcomes}
    assert found == {
        "toy-quarter": "holds",
        "toy-tight": "holds",
        "toy-searched": "undecided",
        "toy-shaped": "undecided",
        "toy-wrong": "refuted",
        "toy-failing": "error",
        "toy-broken": "violated",
        "toy-recalled": "violated",
        "toy-survivor": "not refuted",
        "toy-slack": "holds",
    }


def test_equality_case_is_undecided_only_by_rounding():
    outcome = one("toy-tight")
    extreme = outcome.checks[0]
    assert extreme.verdict == "undecided"
    assert settled(extreme) == "holds"
    assert outcome.attained
    assert outcome.worst is extreme
    assert math.isclose(margin(extreme), 1, abs_tol=1e-10)
    wider = dataclasses.replace(extreme, upper=extreme.bound * (1 + 3e-9))
    assert settled(wider) == "undecided"
    assert not one("toy-slack").attained
    lower = dataclasses.replace(extreme, relation=">=")
    assert settled(lower) == "holds"
    assert settled(dataclasses.replace(lower, lower=extreme.bound * (1 - 3e-9))) == "undecided"


def test_margin_is_what_could_refute():
    check = one("toy-searched").worst
    assert check.upper == math.inf
    assert check.slack == 0
    assert margin(check) == check.bound / check.lower >= 1
    assert margin(dataclasses.replace(check, relation=">=", upper=4.0, bound=2.0)) == 2
    equal = dataclasses.replace(check, relation="=", slack=1.25)
    assert margin(equal) == 0.8
    assert nearness(equal) == "relative distance 0.25"
    assert nearness(check).startswith("slack 1.")


def test_worst_case_and_encodings():
    outcome = one("toy-quarter")
    assert outcome.encodings == ("code0", "code1", "code2", "code3")
    assert outcome.worst.slack == min(check.slack for check in outcome.checks)
    assert one("toy-wrong").worst.verdict == "violated"


def test_error_keeps_what_came_before_and_the_other_claims():
    found = {outcome.claim: outcome for outcome in check_all(CLAIMS).outcomes}
    assert found["toy-failing"].error == "RuntimeError: no convergence"
    assert len(found["toy-failing"].checks) == 2
    assert found["toy-broken"].checks
    nothing = check_claim("empty", dataclasses.replace(CLAIMS["toy-quarter"], cases=lambda rng, thorough: []))
    assert nothing.verdict == "error"
    assert "no case" in nothing.error
    assert nothing.worst is None
    unnamed = check_claim("x", dataclasses.replace(CLAIMS["toy-quarter"], statement=lambda: None))
    assert "docstring" in unnamed.error


def test_exit_status():
    assert exit_status(check_all(honest())) == 0
    assert exit_status(check_all({"toy-failing": CLAIMS["toy-failing"]})) == 3
    assert exit_status(check_all({name: CLAIMS[name] for name in ("toy-failing", "toy-broken")})) == 1
    assert exit_status(check_all({"toy-recalled": CLAIMS["toy-recalled"]})) == 0
    assert exit_status(check_all({"toy-survivor": CLAIMS["toy-survivor"]})) == 0
    ledger = check_all({"toy-quarter": CLAIMS["toy-quarter"]})
    assert exit_status(dataclasses.replace(ledger, missing=("toy-tight",))) == 130


def test_twins_of_true_claims_and_wrong_claims_are_caught_at_the_first_case():
    ledger = check_all(honest(), twins=True)
    assert {outcome.verdict for outcome in ledger.outcomes} == {"violated"}
    assert [outcome.factor for outcome in ledger.outcomes] == ["1/100"] * 4 + ["1"]
    assert len(ledger.outcomes[0].checks) == 1
    assert exit_status(ledger, twins=True) == 0
    toothless = check_twin("toy-quarter", dataclasses.replace(CLAIMS["toy-quarter"], twin=sp.Integer(1)))
    assert toothless.verdict == "holds"
    assert exit_status(dataclasses.replace(ledger, outcomes=(toothless,)), twins=True) == 1
    assert exit_status(check_all({"toy-survivor": CLAIMS["toy-survivor"]}, twins=True), twins=True) == 1


def test_seed_and_thorough_change_the_cases_only():
    def cases(**options):
        return [check.case for check in check_claim("toy-quarter", CLAIMS["toy-quarter"], **options).checks]

    assert cases() == cases() != cases(seed=1)
    assert len(cases(thorough=True)) == 10 * len(cases())


def test_interruption_keeps_finished_claims(monkeypatch):
    honest_check = module.check_claim

    def interrupted(name, claim, **options):
        if name == "toy-searched":
            raise KeyboardInterrupt
        return honest_check(name, claim, **options)

    monkeypatch.setattr(module, "check_claim", interrupted)
    ledger = check_all(honest())
    assert [outcome.claim for outcome in ledger.outcomes] == ["toy-quarter", "toy-tight"]
    assert ledger.missing == ("toy-searched", "toy-shaped", "toy-wrong")
    assert exit_status(ledger) == 130


def test_names():
    assert list(named(CLAIMS, ["toy-wrong", "toy-tight"])) == ["toy-tight", "toy-wrong"]
    with pytest.raises(ValueError, match="did you mean toy-tight"):
        named(CLAIMS, ["toy-tigt"])
    with pytest.raises(ValueError, match="--list"):
        named(CLAIMS, ["zzz"])


def test_a_name_of_two_topics_is_refused():
    claim = CLAIMS["toy-tight"]
    assert merged({"a": claim}, {"b": claim}) == {"a": claim, "b": claim}
    with pytest.raises(ValueError, match="'b' is there twice"):
        merged({"a": claim, "b": claim}, {"b": claim})
    assert isinstance(claim, Claim)
