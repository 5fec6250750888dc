"""Smoothed heads against quadrature at 30 digits; the l1 class between random points of its ball and the l2 ball."""

import itertools

import mpmath
import numpy as np
import pytest

from estimators.class_brackets import head_class
from estimators.class_entrywise import attained, entrywise_class, points_of_l1_ball
from estimators.class_smoothed import averages, smoothed_head


def average(tokens, w, scale, power):
    with mpmath.workdps(30):

        def integrand(g):
            grown = [mpmath.exp((w + scale * g) * mpmath.mpf(x)) for x in tokens]
            mean = mpmath.fsum(e * mpmath.mpf(x) for e, x in zip(grown, tokens, strict=True)) / mpmath.fsum(grown)
            return mpmath.npdf(g) * mean**power

        return float(mpmath.quad(integrand, [-10, -4, 0, 4, 10]))


@pytest.mark.parametrize(("scale", "w"), [(0.3, 0.0), (1.0, -0.7), (3.0, 2.0)])
def test_gaussian_averages(scale, w):
    tokens = np.random.default_rng(1).uniform(-1, 1, (2, 4))
    first, second = averages(tokens, np.array([w]), scale)
    for i in range(2):
        assert first[i, 0] == pytest.approx(average(tokens[i], w, scale, 1), abs=1e-11)
        assert second[i, 0] == pytest.approx(average(tokens[i], w, scale, 2), abs=1e-11)


def test_smoothed_head_over_all_signs():
    tokens = np.random.default_rng(2).uniform(-1, 1, (3, 4, 1))
    found = smoothed_head(tokens=tokens.tolist(), logit_norm=1.5, smoothing_scale=0.5, readout_scale=1.0)
    points = np.linspace(-1.5, 1.5, 37)
    first, second = averages(tokens[:, :, 0], points, 0.5)
    signs = itertools.product((-1, 1), repeat=3)
    truth = np.mean([np.abs(np.array(e) @ first).max() for e in signs])
    assert found.estimate.lower <= truth + 1e-3
    assert found.estimate.upper >= truth
    assert found.estimate.width < 0.02
    assert second.sum(axis=0).max() <= found.parameters["weak_value_energy"] < 1.1 * second.sum(axis=0).max()


@pytest.mark.parametrize("seed", range(3))
def test_entrywise_class(seed):
    rng = np.random.default_rng(seed)
    case = {"tokens": rng.normal(size=(4, 5, 2)).tolist(), "encoding": ("none", "alibi", "t5")[seed], "logit_norm": 2.0}
    found = head_class(**case, readout_ball="l1")
    points = points_of_l1_ball(2, 2.0)
    assert np.abs(points).sum(axis=1).max() <= 2.0
    inner = 2.0 * rng.dirichlet([1, 1, 1], size=2000)[:, :2] * rng.choice([-1, 1], size=(2000, 2))
    estimate = entrywise_class(**case).estimate
    assert estimate.lower == pytest.approx(attained(found, points), rel=1e-9)
    assert attained(found, inner) <= estimate.upper
    assert estimate.lower >= 0.97 * attained(found, inner), "the rings reach what random points of the ball reach"
    assert attained(found, points_of_l1_ball(2, 8.0)) > estimate.lower


@pytest.mark.parametrize(
    "change",
    [{"tokens": [[[1.0, 2.0]]]}, {"tokens": [[[float("nan")]]]}, {"logit_norm": 0.0}, {"smoothing_scale": 9.0}],
)
def test_bad_input_says_what_to_change(change):
    case = {"tokens": [[[1.0], [0.5]]], "logit_norm": 1.0, "smoothing_scale": 1.0, "readout_scale": 1.0} | change
    with pytest.raises(ValueError, match=r"use scalar tokens|change them"):
        smoothed_head(**case)
