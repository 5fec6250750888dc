"""Every claim of the ledger: its name, its cases as JSON, its free entries, and a replay from a file."""

import inspect
import re
from fractions import Fraction

import numpy as np
import pytest

from estimators.check_text import margin
from estimators.claim import check
from estimators.claims import CLAIMS
from estimators.counterexample import document, replay, save
from estimators.perturbation import free_numbers

each = pytest.mark.parametrize("name", CLAIMS)


def first_case(name):
    return next(iter(CLAIMS[name].cases(np.random.default_rng([0, *name.encode()]), False)))


def test_names_are_kebab_case_and_fit_a_table():
    for name in CLAIMS:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name), name
        assert len(name) <= 50, name


@each
def test_first_case_is_saved_and_replayed_exactly(name, tmp_path):
    claim, case = CLAIMS[name], first_case(name)
    inspect.signature(claim.measure).bind(**case)
    one = check(name, claim, case)
    assert document(one)["case"] == case, "tuples and arrays are not what a file gives back: use lists"
    assert margin(one) is not None
    found = replay(save(tmp_path, one), CLAIMS)
    assert found.same_numbers
    assert found.check.verdict == one.verdict


@each
def test_free_entries_are_numbers(name):
    claim = CLAIMS[name]
    if claim.free:
        assert any(free_numbers(first_case(name), claim.free))


@each
def test_factor_of_the_twin_makes_the_statement_stronger(name):
    assert 0 < Fraction(str(CLAIMS[name].twin)) < 1
