"""Every claim of positional information: its verdict, its tightness, its falsified twin, and cases that replay."""

import json

import numpy as np
import pytest

from estimators.claim import check, checks, form, overall
from estimators.claims.information import CLAIMS
from estimators.claims.information_cases import additive, encoding_heads
from theory.encodings import ENCODINGS, parse
from theory.encodings.base import AbstractAdditiveEncoding, AbstractBiasEncoding


@pytest.mark.parametrize("name", CLAIMS)
def test_claims_have_their_verdict_and_their_twins_fail(name):
    claim = CLAIMS[name]
    assert form(claim) in ("tight", "upper", "lower")
    found = list(checks(name, claim))
    assert overall(one.verdict for one in found) == ("holds" if claim.true else "violated")
    assert all(json.loads(json.dumps(one.case)) == one.case for one in found)
    if claim.tight:
        assert min(one.slack for one in found) < 1 + 1e-6
    if claim.true:
        twins = (check(name, claim, one.case, claim.twin).verdict for one in found)
        assert "violated" in twins


def test_every_encoding_of_the_kind_is_covered():
    def names(cases):
        return {case["encoding"].partition(":")[0] for case in cases(np.random.default_rng(0), False)}

    made = {name: parse(name, dim=4, train_length=8) for name in ENCODINGS}
    assert names(additive) == {name for name, code in made.items() if isinstance(code, AbstractAdditiveEncoding)}
    assert names(encoding_heads) == {name for name, code in made.items() if isinstance(code, AbstractBiasEncoding)}
