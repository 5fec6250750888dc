"""Numbers behind the lemmas of the series bounds: 50 digits, enumeration of signs, direct integration."""

import itertools
import math

import mpmath
import numpy as np
import pytest

from estimators.series_lemmas import (
    chosen_function,
    divergence,
    exponential_tail,
    series_tail,
    spread,
)


@pytest.mark.parametrize("seed", range(3))
def test_chosen_function_over_all_signs(seed):
    functions = np.random.default_rng(seed).normal(size=(4, 5))
    every = [max(np.dot(e, h) for h in functions) for e in itertools.product((-1, 1), repeat=5)]
    found = chosen_function(functions=functions.tolist())
    assert float(np.mean(every)) in found.estimate
    assert found.parameters["divergence"] == pytest.approx((math.log(4),) * 2)
    assert found.parameters["weak_variance"] == pytest.approx((max((functions**2).sum(axis=1)),) * 2)
    # Massart's lemma, which the posterior bound contains, and its twin.
    bound = math.sqrt(2 * math.log(4) * found.parameters["weak_variance"][1])
    assert bound / 100 < found.estimate.lower <= bound


def test_divergence_of_gaussians_by_integration():
    found = divergence(logit_norm=0.8, smoothing_scale=0.5, readout_scale=0.7, logit_dim=3, dim=2).estimate
    total = mpmath.mpf(0)
    # One coordinate has the whole mean, the others none.
    for radius, mean, scale, size in ((0.8, 0.8, 0.5, 3), (0.8, 0.0, 0.5, 3), (1.0, 1.0, 0.7, 2), (1.0, 0.0, 0.7, 2)):
        prior = math.sqrt(scale**2 + radius**2 / size)

        def integrand(x, mean=mean, scale=scale, prior=prior):
            own = mpmath.npdf(x, mean, scale)
            return own * mpmath.log(own / mpmath.npdf(x, 0, prior))

        total += (1 if mean else size - 1) * mpmath.quad(integrand, [mean - 9 * scale, mean, mean + 9 * scale])
    assert float(total) == pytest.approx(found.lower, rel=1e-10)
    assert found.width < 1e-11


@pytest.mark.parametrize("mixing", [0.0, 0.3, 0.8, 1.0])
def test_spread_by_a_search(mixing):
    found = spread(mixing=mixing, largest_normaliser=3.0).estimate
    every = max(abs(1 / z - mixing) for z in np.linspace(1, 3, 10001))
    assert found.lower == pytest.approx(every, abs=1e-12)


@pytest.mark.parametrize(("exponent", "order"), [(0.1, 1), (1e-3, 3), (5.0, 2), (40.0, 10)])
def test_tail_of_the_exponential_series(exponent, order):
    found = exponential_tail(exponent=exponent, order=order).estimate
    with mpmath.workdps(60):
        x = mpmath.mpf(exponent)
        true = mpmath.exp(x) - mpmath.fsum(x**q / mpmath.factorial(q) for q in range(order + 1))
        assert mpmath.mpf(found.lower) <= true <= mpmath.mpf(found.upper)
    assert found.width < 1e-12 * found.upper


def test_tail_of_a_series_of_norms():
    beta = [[1.0, -2.0, 0.5], [0.25, 1.0, 4.0]]
    found = series_tail(coefficients=beta, order=1, logit_norm=0.5, series_radius=2.0)
    true = 0.25 * math.hypot(2, 1) + 0.125 * math.hypot(0.5, 4)
    assert true in found.estimate
    assert 1.001 * true not in found.estimate
    energy = (1 * 2 + 2 * 4 + 0.5 * 8) ** 2 + (0.25 * 2 + 1 * 4 + 4 * 8) ** 2
    assert found.parameters["majorant_energy"] == pytest.approx((energy, energy))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: chosen_function(functions=[]), "one row per function"),
        (lambda: chosen_function(functions=[[math.nan]]), "one row per function"),
        (
            lambda: divergence(logit_norm=1.0, smoothing_scale=0.0, readout_scale=1.0, logit_dim=1, dim=1),
            "must be positive",
        ),
        (lambda: spread(mixing=0.5, largest_normaliser=0.5), "at least 1"),
        (lambda: exponential_tail(exponent=-1.0, order=2), "exponent"),
        (lambda: exponential_tail(exponent=1.0, order=-1), "order"),
        (
            lambda: series_tail(coefficients=[[math.nan]], order=1, logit_norm=1.0, series_radius=1.0),
            "one row per sample",
        ),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
