"""Margin and weight of a look-up against 50-digit softmax."""

import math

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.target_weight import margin_for_weight, weight_for_margin

scores = st.lists(st.floats(-30, 30), min_size=2, max_size=6)


@settings(max_examples=40, deadline=None)
@given(scores)
def test_margin_and_deficit(given_scores):
    found = margin_for_weight(scores=given_scores)
    with mpmath.workdps(50):
        first, *others = map(mpmath.mpf, given_scores)
        margin = min(first - other for other in others)
        slack = mpmath.mpf(10) ** -28
        assert found.estimate.lower - slack <= margin <= found.estimate.upper + slack
        assert found.estimate.width <= 1e-15 * (1 + abs(float(margin)))
        raised = [mpmath.exp(x) for x in (first, *others)]
        deficit = 1 - raised[0] / mpmath.fsum(raised)
        assert deficit * (1 - mpmath.mpf(10) ** -15) <= found.parameters["attention_deficit"]
        assert found.parameters["attention_deficit"] <= deficit * (1 + mpmath.mpf(10) ** -15) + mpmath.mpf(10) ** -29


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.01, 30), min_size=1, max_size=5), st.floats(-5, 5))
def test_weight_of_a_target_ahead(leads, top):
    given_scores = [top, *(top - lead for lead in leads)]
    found = weight_for_margin(scores=given_scores)
    with mpmath.workdps(50):
        exact = [mpmath.mpf(x) for x in given_scores]
        true = 1 / mpmath.fsum(mpmath.exp(x - exact[0]) for x in exact)
        assert mpmath.mpf(found.estimate.lower) <= true <= mpmath.mpf(found.estimate.upper)
        low, high = found.parameters["margin"]
        assert mpmath.mpf(low) <= exact[0] - max(exact[1:]) <= mpmath.mpf(high)
        assert true >= 1 / (1 + len(leads) * mpmath.exp(-mpmath.mpf(low)))
    assert found.parameters["position_count"] == len(given_scores)


def test_equal_rivals_attain_the_bound_and_its_twin_fails():
    found = weight_for_margin(scores=[2.0, 0.0, 0.0, 0.0])
    assert found.estimate.lower == pytest.approx(1 / (1 + 3 * math.exp(-2)), rel=1e-15)
    assert found.estimate.upper < 1 / (1 + 3 * math.exp(-2 * 1.01))


@pytest.mark.parametrize("call", [margin_for_weight, weight_for_margin])
@pytest.mark.parametrize("given_scores", [[1.0], [], [math.nan, 1.0], [math.inf, 1.0]])
def test_bad_scores_are_refused(call, given_scores):
    with pytest.raises(ValueError, match="two or more finite numbers, the target's first"):
        call(scores=given_scores)


def test_target_must_lead():
    with pytest.raises(ValueError, match="the largest score"):
        weight_for_margin(scores=[1.0, 1.0])
