"""`estimators.rates`: slopes of intervals, derived exponents, and the command."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators import rates_cases, rates_fit, rates_statements
from estimators.class_brackets import query_class
from estimators.enumerated_classes import scaled_complexity
from estimators.estimate import Estimate
from estimators.rates_fit import AGREES, DIFFERS, FASTER, SLOWER, UNDECIDED, compare, fitted_slope, local_slopes
from estimators.rates_heads import HeadCase, rotations, sphere
from estimators.rates_report import Fitted, verdict_text
from estimators.signs import all_sign_classes
from theory.bound import Relation
from theory.encodings import parse
from theory.rademacher_depth import residual_depth

X = (4.0, 8.0, 16.0, 32.0, 64.0)
AT_MOST, EQUAL = Relation.AT_MOST, Relation.EQUAL


def around(values, below, above, confidence=1.0):
    return [
        Estimate(y / (1 + a), y * (1 + b), confidence, "given") for y, a, b in zip(values, below, above, strict=True)
    ]


points = st.lists(st.floats(0.01, 1e4), min_size=2, max_size=8, unique_by=lambda x: round(math.log(x), 2))
widths = st.lists(st.floats(0, 0.5), min_size=8, max_size=8)


@settings(max_examples=150, deadline=None)
@given(points, st.floats(-4, 4), st.floats(1e-3, 1e3), widths, widths)
def test_a_power_law_inside_its_brackets_has_its_exponent_in_the_interval(x, exponent, factor, below, above):
    estimates = around([factor * one**exponent for one in x], below[: len(x)], above[: len(x)])
    slope = fitted_slope(x, estimates)
    assert slope.lower <= exponent <= slope.upper


@settings(max_examples=150, deadline=None)
@given(points, st.data(), widths, widths)
def test_any_values_inside_their_brackets_have_their_slope_in_the_interval(x, data, below, above):
    """Against numpy's polyfit, and the ends are attained by corners: nothing narrower would do."""
    y = data.draw(st.lists(st.floats(0.1, 10), min_size=len(x), max_size=len(x)))
    estimates = around(y, below[: len(x)], above[: len(x)])
    slope = fitted_slope(x, estimates)

    def polyfit(values):
        return np.polyfit(np.log(x), np.log(values), 1)[0]

    assert slope.lower - 1e-9 <= polyfit(y) <= slope.upper + 1e-9
    right = np.log(x) > np.log(x).mean()
    high = polyfit([e.upper if r else e.lower for e, r in zip(estimates, right, strict=True)])
    low = polyfit([e.lower if r else e.upper for e, r in zip(estimates, right, strict=True)])
    size = 1e-7 * (1 + abs(low) + abs(high))
    assert abs(slope.upper - high) < size
    assert abs(slope.lower - low) < size


@pytest.mark.parametrize("exponent", [-0.5, 0.0, 1.0, 3.0])
def test_a_wrong_exponent_is_found_to_differ(exponent):
    slope = fitted_slope(X, around([2 * x**exponent for x in X], [0.1] * 5, [0.15] * 5))
    for relation in Relation:
        assert compare(exponent, slope, relation).verdict == AGREES
    for wrong, verdict in ((exponent + 0.5, FASTER), (exponent - 0.5, SLOWER)):
        assert compare(wrong, slope, EQUAL).verdict == DIFFERS
        found = compare(wrong, slope, AT_MOST)
        assert found.verdict == verdict
        assert 0 < found.gap < 0.5
    assert compare(math.inf, slope, AT_MOST).verdict == FASTER


def test_wide_and_infinite_brackets_tell_nothing_apart():
    wide = fitted_slope(X, around([1.0] * 5, [3.0] * 5, [3.0] * 5))
    assert compare(0.0, wide, AT_MOST).verdict == UNDECIDED
    unknown = fitted_slope((1.0, 2.0), [Estimate(1.0, 2.0, 1.0, ""), Estimate(1.0, math.inf, 1.0, "")])
    assert unknown.upper == math.inf
    assert unknown.lower == pytest.approx(-1)
    assert compare(math.inf, unknown, AT_MOST).verdict == UNDECIDED
    zero = fitted_slope((1.0, 2.0), [Estimate(0.0, 2.0, 1.0, ""), Estimate(1.0, 3.0, 1.0, "")])
    assert zero.upper == math.inf
    assert verdict_text(compare(-2.0005, zero, AT_MOST)) == "slower by 1.000"


def test_confidences_add_up_and_neighbours_are_fitted_alone():
    estimates = around([1 / math.sqrt(x) for x in X], [0.01] * 5, [0.01] * 5, confidence=0.998)
    assert fitted_slope(X, estimates).confidence == pytest.approx(0.99)
    local = local_slopes(X, estimates)
    assert len(local) == 4
    for one in local:
        assert one.lower == pytest.approx(-0.5 - 2 * math.log(1.01) / math.log(2))
        assert one.confidence == pytest.approx(0.996)


def test_bad_points_are_refused():
    one = Estimate(1.0, 2.0, 0.4, "")
    for x, estimates, words in (
        ((1.0,), [one], "two positive"),
        ((1.0, 0.0), [one, one], "positive"),
        ((2.0, 2.0), [one, one], "two different"),
        ((1.0, 2.0), [one], "one for each"),
        ((1.0, 2.0), [one, one], "union bound"),
        ((1.0, 2.0), [Estimate(-1.0, 1.0, 1.0, ""), Estimate(1.0, 1.0, 1.0, "")], "negative"),
    ):
        with pytest.raises(ValueError, match=words):
            fitted_slope(x, estimates)
    with pytest.raises(ValueError, match="positive finite"):
        rates_fit.plain_slope((1.0, 2.0), (0.0, 1.0))
    with pytest.raises(ValueError, match="NaN"):
        compare(math.nan, one, EQUAL)


def test_derived_exponents():
    def table(statements):
        return {(one.bound, one.given): (one.exponent, one.order) for one in statements}

    names = (*rates_cases.OF_QUERY, "covering", "linear")
    assert {one.order for one in rates_statements.in_sample_size(*names)} == {"n^(-1/2)"}
    scaled = table(rates_statements.in_scale("U2-width", "after-Trauger-Tewari", "covering", bilinear=True))
    assert scaled["U2-width", ""] == scaled["after-Trauger-Tewari", ""] == (3.0, "c^3")
    assert scaled["covering", ""] == (1.0, "c ln(c)^(1/2)")
    assert table(rates_statements.in_scale("U2-width"))["U2-width", ""] == (2.0, "c^2")
    assert {one.exponent for one in rates_statements.in_scale("linear-upper", "linear-lower")} == {1.0}
    assert {one.exponent for one in rates_statements.in_alibi_slope("covering", "U2-width")} == {0.0}
    assert table(rates_statements.in_length("U2-width", "U3-contraction")) == {
        ("U2-width", ""): (0.0, "1"),
        ("U3-contraction", ""): (0.5, "T^(1/2)"),
    }
    assert rates_statements.in_length_bounded("U3-contraction").exponent == 0
    assert rates_statements.in_length_averaged("linear").order == "T^(-1/2)"
    assert table(rates_statements.in_dimension("U2-width", "U3-contraction")) == {
        ("U2-width", ""): (0.5, "d^(1/2)"),
        ("U3-contraction", ""): (0.0, "1"),
    }
    assert [(one.exponent, one.order) for one in rates_statements.in_depth()] == [
        (math.inf, "exp(L)"),
        (math.inf, "exp(L^2)"),
    ]


def test_u7_has_the_order_of_its_first_value_block():
    """It exceeds the block for every L, and ln U7 / ln block -> 1: far out both are L^2 ln(1 + nu)."""
    given = {"sample_size": 9, "dim": 4, "readout_norm": 1, "logit_norm": 1, "value_norm": 1}
    given |= {"token_norm": 1, "token_diameter": 2}
    block = rates_statements.first_value_block()
    ratios = []
    for layers in (2, 5, 30):
        values = {s: given.get(s.name, layers) for s in block.free_symbols}
        small, large = float(block.subs(values)), residual_depth(layers).evaluate(**given)
        assert small <= large
        ratios.append(math.log(large) / math.log(small))
    assert 1 < ratios[2] < 1.1 < ratios[1]


def test_padding_changes_nothing():
    """Samples beyond n and repeated tokens leave classes and bounds as they are: closed form, and unpadded brackets."""
    tokens, encoding = sphere(6, 4, 2, 1), parse("alibi:slope=0.5", dim=2, train_length=4)
    weights = np.exp(-0.5 * np.arange(1, -1, -1))
    outputs = np.einsum("j,njd->nd", weights / weights.sum(), tokens[:4, :2])
    truth = scaled_complexity(outputs)
    case = HeadCase("frozen", tokens[:, :2], encoding, 4, (4, 3))
    found = case.measure(all_sign_classes(6), 0.99, ("linear", "U2-width"), enumerated=True)
    assert found.estimate.lower - 1e-12 <= truth.lower / 2 <= found.estimate.upper + 1e-12
    assert found.estimate.width < 1e-9
    assert found.values["linear"] == pytest.approx(np.linalg.norm(outputs) / 4)
    plain = HeadCase("frozen", tokens[:4, :2], encoding, 4, (2, 2)).measure(
        all_sign_classes(4), 0.99, ("linear", "U2-width"), enumerated=True
    )
    assert found.values["U2-width"] == pytest.approx(plain.values["U2-width"])
    learned = HeadCase("query", tokens[:, :2], encoding, 4, (4, 2))
    bracket = learned.measure(all_sign_classes(6), 0.99, (), enumerated=True).estimate
    exact = query_class(tokens=tokens[:4, :2].tolist(), encoding="alibi:slope=0.5").estimate
    assert bracket.upper / bracket.lower < 1.02
    assert max(bracket.lower, exact.lower) <= min(bracket.upper, exact.upper)


def test_rotated_samples_have_equal_statistics():
    x = rotations(5, 7, 3, 2)
    gram = np.einsum("ntd,nsd->nts", x, x)
    assert np.allclose(gram, gram[0], atol=1e-13)
    assert np.allclose(np.diagonal(gram[0]), 1)
    assert abs(x[0] - x[1]).max() > 0.1


def test_scale_of_a_linear_class_against_bilinear_bounds():
    """1 against 3: the truth of the linear class on orthogonal tokens and codes is sqrt(1 + c^2) up to a constant."""
    settings_ = rates_cases.Settings("none", "sinusoidal", 8, 0)
    linear, bilinear = rates_cases.in_encoding_scale(settings_)
    found = Fitted(linear, [linear.measure(x, 0.99) for x in linear.x])
    expected = rates_fit.plain_slope(linear.x, [math.sqrt(1 + x**2) for x in linear.x])
    assert found.slope.lower == pytest.approx(expected, abs=0.01)
    assert {one.bound: one.exponent for one in bilinear.statements}["U2-width"] == 3
    (cubic,) = [one for one in bilinear.statements if one.bound == "U2-width"]
    assert compare(cubic.exponent, found.slope, AT_MOST).gap > 1.9
    with pytest.raises(ValueError, match="use an additive encoding"):
        next(rates_cases.in_encoding_scale(rates_cases.Settings("none", "alibi", 8, 0)))
