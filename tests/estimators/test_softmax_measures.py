"""Softmax weights, cumulants and the box-tilted simplex against 50 digits, corners and a second linear programme."""

import itertools
import math

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from estimators import softmax_objectives as objectives
from estimators.box_tilted import largest_mean
from estimators.claim import Claim, check
from estimators.softmax_cumulants import cumulant, mixed_cumulant, normalised_variation, normaliser, weight_gradient
from estimators.softmax_weights import (
    effective_length,
    lipschitz_constant,
    tilted_weight,
    total_variation,
    weight_change,
)
from theory import softmax

few = settings(max_examples=25, deadline=None)
number = st.floats(-20, 20).map(lambda x: round(x, 3))


def rows(count):
    """`count` lists of one length."""
    return st.integers(2, 5).flatmap(lambda n: st.tuples(*[st.lists(number, min_size=n, max_size=n)] * count))


def weights(logits):
    raised = [mpmath.exp(mpmath.mpf(x)) for x in logits]
    return [x / sum(raised) for x in raised]


def plus(*lists):
    return [sum(map(mpmath.mpf, parts)) for parts in zip(*lists, strict=True)]


def mean(alpha, readings):
    return mpmath.fsum(a * r for a, r in zip(alpha, readings, strict=True))


def contains(estimate, value, relative=1e-13):
    """Encloses a 50-digit number, in a narrow interval."""
    inside = mpmath.mpf(estimate.lower) <= value <= mpmath.mpf(estimate.upper)
    return inside and estimate.width <= relative * float(abs(value)) + 1e-25


@few
@given(rows(2))
def test_weights_and_moves(lists):
    s, b = lists
    with mpmath.workdps(50):
        pi, alpha = weights(b), weights(plus(s, b))
        found = tilted_weight(bias=b, logits=s, position=1, words=("bias_weight", "logit_bound", "length"))
        assert contains(found.estimate, alpha[1])
        assert mpmath.mpf(found.parameters["bias_weight"][0]) <= pi[1] <= mpmath.mpf(found.parameters["bias_weight"][1])
        assert found.parameters["logit_bound"] == max(map(abs, s))
        assert found.parameters["length"] == len(s)
        gaps = [mpmath.mpf(x) - mpmath.mpf(y) for x, y in zip(s, b, strict=True)]
        assume(max(gaps) != min(gaps))
        moved = mpmath.fsum(abs(x - y) for x, y in zip(weights(s), weights(b), strict=True))
        varied, changed = total_variation(logits=s, other=b), weight_change(logits=s, other=b)
        assert contains(varied.estimate, moved / 2)
        assert contains(changed.estimate, moved)
        low, high = varied.parameters["logit_oscillation"]
        assert mpmath.mpf(low) <= max(gaps) - min(gaps) <= mpmath.mpf(high)
        low, high = changed.parameters["logit_distance"]
        assert mpmath.mpf(low) <= max(map(abs, gaps)) <= mpmath.mpf(high)


@few
@given(rows(1), st.floats(0, 3))
def test_effective_length_is_the_sum_of_the_best_corners(lists, bound):
    (b,) = lists
    with mpmath.workdps(50):
        corners = [weights(plus(b, s)) for s in itertools.product((-bound, bound), repeat=len(b))]
        true = mpmath.fsum(max(alpha[j] for alpha in corners) for j in range(len(b)))
        assert contains(effective_length(bias=b, logit_bound=bound).estimate, true)
        assert contains(effective_length(bias=b, logit_bound=-bound).estimate, true)


@pytest.mark.parametrize("order", [1, 1.5, 2, "inf"])
def test_lipschitz_constant_is_one_half_in_every_norm(order):
    found = lipschitz_constant(logits=[1.0, 0.0, -2.0], other=[0.5, 0.0, 2.0], order=order).estimate
    assert 0.5 in found
    assert found.width < 1e-12
    claim = Claim(softmax.lipschitz_constant, lipschitz_constant, lambda *_: [])
    case = {"logits": [1.0, 0.0], "other": [0.0, 0.0], "order": order}
    assert check("", claim, case, factor=sp.Rational(99, 100)).verdict == "violated"


def log_normaliser(logits, values, keys, *steps):
    return mpmath.log(
        mpmath.fsum(
            mpmath.exp(mpmath.mpf(s) + steps[0] * mpmath.mpf(y) + steps[1] * mpmath.mpf(t))
            for s, y, t in zip(logits, values, keys, strict=True)
        )
    )


@few
@given(rows(3), st.integers(1, 3))
def test_cumulants_are_derivatives_of_the_logarithm_of_the_sum(lists, order):
    s, y, t = lists
    assume(np.ptp(y) > 0.01 and np.ptp(t) > 0.01)
    found = cumulant(logits=s, values=y, keys=t, order=order)
    with mpmath.workdps(60):
        true = abs(mpmath.diff(lambda a, b: log_normaliser(s, y, t, a, b), (0, 0), (1, order)))
        slack = mpmath.mpf(10) ** -12 * (1 + true)
        assert found.estimate.lower - slack <= true <= found.estimate.upper + slack
        assert found.estimate.width < 1e-12 * float(1 + true)
    assert found.parameters["readout_diameter"][0] <= max(y) - min(y) + 1e-12
    share = objectives.cumulant_share(np.array([[*s, *y, *t]]), order=order)[0]
    assert share * np.ptp(y) * np.ptp(t) ** order == pytest.approx(float(true), rel=1e-6, abs=1e-9 * 40 ** (order + 1))


@few
@given(rows(4))
def test_mixed_cumulant_and_gradient(lists):
    s, y, t, r = lists
    assume(min(np.ptp(y), np.ptp(t), np.ptp(r)) > 0.01)
    with mpmath.workdps(50):
        alpha = weights(s)
        centred = [[mpmath.mpf(x) - mean(alpha, one) for x in one] for one in (y, t, r)]
        true = abs(mean(alpha, [a * b * c for a, b, c in zip(*centred, strict=True)]))
        found = mixed_cumulant(logits=s, values=y, keys=t, others=r)
        slack = mpmath.mpf(10) ** -24
        assert found.estimate.lower - slack <= true <= found.estimate.upper + slack
        assert found.estimate.width < 1e-13 * float(true) + 1e-22
        low, high = found.parameters["logit_diameter"]
        assert mpmath.mpf(low) <= max(np.ptp(t), np.ptp(r)) * (1 + 1e-15)
        assert high >= max(np.ptp(t), np.ptp(r)) * (1 - 1e-15)
        norm = mpmath.sqrt(mpmath.fsum((a * c) ** 2 for a, c in zip(alpha, centred[0], strict=True)))
        assert contains(weight_gradient(logits=s, values=y).estimate, norm, 1e-12)
    points = np.array([[*s, *y, *t, *r]])
    size = np.ptp(y) * max(np.ptp(t), np.ptp(r)) ** 2
    assert objectives.mixed_share(points)[0] * size == pytest.approx(float(true), rel=1e-9, abs=1e-8)
    share = objectives.gradient_share(np.array([[*s, *y]]))[0]
    assert share * np.ptp(y) == pytest.approx(float(norm), rel=1e-9, abs=1e-11)


@few
@given(rows(2))
def test_normaliser_and_variation(lists):
    b, t = lists
    assume(np.ptp(t) > 0)
    with mpmath.workdps(50):
        pi = weights(b)
        centred = [mpmath.mpf(x) - mean(pi, t) for x in t]
        z = mean(pi, [mpmath.exp(x) for x in centred])
        moved = mpmath.fsum(abs(p - a) for p, a in zip(pi, weights(plus(b, t)), strict=True)) / 2
        found = normaliser(bias=b, logits=t, words=("exponent", "logit_oscillation"))
        assert contains(found.estimate, z)
        assert mpmath.mpf(found.parameters["exponent"][0]) <= max(map(abs, centred)) + mpmath.mpf(10) ** -30
        assert mpmath.mpf(found.parameters["exponent"][1]) >= max(map(abs, centred)) - mpmath.mpf(10) ** -30
        variation = normalised_variation(bias=b, logits=t).estimate
        assert mpmath.mpf(variation.lower) <= moved / z <= mpmath.mpf(variation.upper)
    assert objectives.normalised_variation(np.array([[*b, *t]]))[0] == pytest.approx(
        float(moved / z), rel=1e-8, abs=1e-14
    )


def test_objectives_of_a_move_a_box_and_a_length():
    points = np.array([[0.3, -0.7, 1.0, 1.0, 2.0, -1.0], [0.0, 1.0, 2.0, 0.0, 1.0, 5.0]])
    for row, found in zip(points, objectives.variation(points, oscillation=0.8), strict=True):
        other = row[:3] + row[3:] * 0.8 / np.ptp(row[3:])
        assert found == pytest.approx(total_variation(logits=row[:3].tolist(), other=other.tolist()).estimate.lower)
    bias = np.array([0.5, 0.0, -1.0])
    for sign in (1.0, -1.0):
        logits = np.clip(points[:, :3], -0.5, 0.5)
        for row, found in zip(logits, objectives.tilted(points[:, :3], bias=bias, radius=0.5 * sign), strict=True):
            assert sign * found == pytest.approx(tilted_weight(bias=bias.tolist(), logits=row.tolist()).estimate.lower)
    for row, found in zip(points, objectives.spread_length(points, radius=0.4), strict=True):
        assert found == pytest.approx(effective_length(bias=row.tolist(), logit_bound=0.4).estimate.lower)
    law, scaled = objectives.centred_logits(points, 0.6)
    assert np.abs(scaled).max(axis=1) == pytest.approx([0.6, 0.6])
    for b, t, found in zip(law, scaled, objectives.normaliser(points, largest=0.6), strict=True):
        assert found == pytest.approx(normaliser(bias=b.tolist(), logits=t.tolist(), words=()).estimate.lower)
    np.testing.assert_array_equal(objectives.boxed(points, 1.0)[1], [[1.0, 1.0, -1.0], [0.0, 1.0, 1.0]])


@few
@given(rows(3))
def test_largest_mean_over_the_box_by_corners_and_by_linprog(lists):
    y, b, radii = lists
    radii = [abs(r) / 5 for r in radii]
    found = largest_mean(values=y, bias=b, radii=radii).estimate
    with mpmath.workdps(50):
        corners = itertools.product(*[(mpmath.mpf(-r), mpmath.mpf(r)) for r in radii])
        true = max(mean(weights(plus(b, corner)), y) for corner in corners)
        slack = mpmath.mpf(10) ** -27
        assert mpmath.mpf(found.lower) - slack <= true <= mpmath.mpf(found.upper) + slack
    assert found.width <= 1e-5 * np.ptp(y) + 1e-14
    low, high = (np.exp(np.array(b) - max(b) + sign * np.array(radii)) for sign in (-1, 1))
    solved = linprog(
        [*-np.array(y), 0.0],
        A_ub=np.vstack([np.c_[np.eye(len(y)), -high], np.c_[-np.eye(len(y)), low]]),
        b_ub=np.zeros(2 * len(y)),
        A_eq=[[1.0] * len(y) + [0.0]],
        b_eq=[1.0],
    )
    assert -solved.fun == pytest.approx(float(true), abs=1e-5 * (1 + np.ptp(y)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tilted_weight(bias=[], logits=[]), "one per position"),
        (lambda: tilted_weight(bias=[0.0], logits=[0.0, 1.0]), "list of 1 numbers"),
        (lambda: tilted_weight(bias=[0.0], logits=[math.nan]), "rescale"),
        (lambda: tilted_weight(bias=[0.0], logits=[1e7]), "rescale"),
        (lambda: tilted_weight(bias=[0.0], logits=[0.0], position=1), "position must be one of"),
        (lambda: effective_length(bias=[0.0], logit_bound=math.inf), "rescale"),
        (lambda: total_variation(logits=[0.0, 1.0], other=[1.0, 2.0]), "move one"),
        (lambda: weight_change(logits=[0.0], other=[1.0]), "move one"),
        (lambda: lipschitz_constant(logits=[0.0], other=[1.0], order=2), "two positions"),
        (lambda: lipschitz_constant(logits=[0.0, 1.0], other=[1.0, 0.0], order=0.5), "from 1 on"),
        (lambda: lipschitz_constant(logits=[0.0, 1.0], other=[1.0, 0.0], order=math.nan), "from 1 on"),
        (lambda: cumulant(logits=[0.0, 1.0], values=[0.0, 1.0], keys=[0.0, 1.0], order=4), "1, 2 or 3"),
        (lambda: cumulant(logits=[0.0, 1.0], values=[1.0, 1.0], keys=[0.0, 1.0], order=1), "move one"),
        (lambda: weight_gradient(logits=[0.0], values=[0.0, 1.0]), "one per position"),
        (lambda: normaliser(bias=[0.0, 0.0], logits=[1.0, 1.0], words=()), "move one"),
        (lambda: largest_mean(values=[0.0, 1.0], bias=[0.0], radii=[0.0]), "one per position"),
        (lambda: largest_mean(values=[math.nan], bias=[0.0], radii=[0.0]), "rescale"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_box_tilted_interval_is_narrow_over_many_orders_of_weights():
    rng = np.random.default_rng(3)
    bias = np.sort(np.concatenate([rng.uniform(40, 48, 12), [52.2, 57.4, 62.1, 64.0]]))
    for _ in range(5):
        values, radii = rng.normal(size=16), rng.uniform(0, 3, 16)
        found = largest_mean(values=values.tolist(), bias=bias.tolist(), radii=radii.tolist()).estimate
        assert found.width < 1e-12, "a linear programme in float64 alone leaves 1e-6"
