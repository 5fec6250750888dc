"""Lemmas of theory/rademacher_series.py against closed forms, 60-digit numbers and power series."""

import itertools
import math

import mpmath
import numpy as np
import pytest
import sympy as sp

from theory import rademacher_series as series
from theory.certified import enclose


def test_gaussian_divergence_is_the_largest_of_its_posteriors():
    p, d, radius, tau, sigma = 3, 2, 1.25, 0.75, 0.5

    def gaussian(mean_square, variance, prior, size):
        return 0.5 * (size * variance / prior + mean_square / prior - size + size * math.log(prior / variance))

    found = [
        gaussian(w**2, tau**2, tau**2 + radius**2 / p, p) + gaussian(u**2, sigma**2, sigma**2 + 1 / d, d)
        for w, u in itertools.product((0.0, 0.7, 1.0, radius), (0.0, 0.5, 1.0))
    ]
    bound = series.divergence_bound()
    low, high = bound.certified(dim=d, logit_dim=p, logit_norm=radius, smoothing_scale=tau, readout_scale=sigma)
    assert low * (1 - 1e-12) <= max(found) <= high * (1 + 1e-12)
    assert high <= radius**2 / (2 * tau**2) + 1 / (2 * sigma**2)


def test_change_of_measure_on_all_sign_patterns():
    """KL of a point mass from the uniform prior on 2^n functions is n ln 2; the mean supremum is n exactly."""
    n = 6
    bound = series.change_of_measure()
    values = {"divergence": n * math.log(2) * (1 + 1e-15), "weak_variance": n}
    assert n <= bound.safe(**values)
    assert n > bound.scaled(sp.Rational(4, 5)).safe(**values)


def test_spread_is_the_largest_deviation():
    for theta, z in itertools.product((0.0, 0.3, 0.8, 1.0, 1.4), (1.0, 1.5, 6.0)):
        worst = max(abs(1 / x - theta) for x in np.linspace(1, z, 200))
        assert series.spread().evaluate(mixing=theta, largest_normaliser=z) == pytest.approx(worst)
    with pytest.raises(ValueError, match="false"):
        series.spread().evaluate(mixing=0.5, largest_normaliser=0.5)


@pytest.mark.parametrize(("order", "x"), [(0, 0.5), (3, 2.0), (12, 0.25), (20, 30.0)])
def test_exponential_tail(order, x):
    with mpmath.workdps(60):
        truth = mpmath.exp(x) - sum(mpmath.mpf(x) ** q / mpmath.factorial(q) for q in range(order + 1))
    low, high = enclose(series.exponential_tail(order, sp.Rational(x)))
    assert low <= truth <= high
    bound = series.exponential_tail_bound()
    assert truth <= bound.safe(exponent=x, series_order=order)
    assert truth > bound.scaled(sp.exp(-x) / 2).safe(exponent=x, series_order=order) or x > 10
    with pytest.raises(ValueError, match="at least 0"):
        series.exponential_tail(-1)


def test_beta_is_the_quotient_of_generating_functions():
    r = sp.Symbol("r")
    values, keys = (
        [sp.Rational(k + 2, 5) for k in range(7)],
        [sp.Integer(0), *(sp.Rational(1, k + 3) for k in range(6))],
    )
    nu = sum(value * r**q for q, value in enumerate(values, start=1))
    zeta = sum(key * r**p for p, key in enumerate(keys, start=1))
    expanded = sp.series(nu / (1 - zeta), r, 0, 8).removeO()
    assert [expanded.coeff(r, q) for q in range(1, 8)] == list(series.bombieri_coefficients(values, keys))
    with pytest.raises(ValueError, match="same order"):
        series.bombieri_coefficients(values, keys[:-1])
