"""Claims of the classical tools: their verdicts, attained bounds and twins; extremal cases with known numbers."""

import json
import math

import pytest

from estimators.claims.classical import CLAIMS
from estimators.claims.classical_cases import masked_attention
from estimators.ledger import check_claim, check_twin


@pytest.mark.parametrize("name", CLAIMS)
def test_claims_have_their_verdict_and_their_twins_fail(name):
    claim = CLAIMS[name]
    found = check_claim(name, claim)
    assert not found.error
    assert found.standing == ("holds" if claim.true else "refuted")
    assert found.attained or not claim.tight
    assert check_twin(name, claim).verdict == "violated"
    assert all(json.loads(json.dumps(one.case)) == one.case for one in found.checks)


@pytest.mark.parametrize("n", [2, 4, 6])
def test_masked_attention_is_the_counterexample_of_shared_signs(n):
    found = CLAIMS["classical-shared-sign-contraction"].measure(**masked_attention(n, 0.3))
    assert math.tanh(0.3) in found.estimate
    low, high = found.parameters["inner_complexity"]
    assert low <= 0.3 * math.sqrt(2 / n) <= high
    low, high = found.parameters["lipschitz"]
    assert low <= 1 / math.sqrt(2) <= high
