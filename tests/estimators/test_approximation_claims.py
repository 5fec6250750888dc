"""Claims of approximation: verdicts, attained bounds, twins; the numerics behind them against other computations."""

import itertools
import json
import math

import mpmath
import numpy as np
import pytest
import pywt
from numpy.polynomial import chebyshev, legendre
from scipy.integrate import quad

from estimators import cell_errors, series_errors
from estimators.approximation_measures import markov_constant, pole_error
from estimators.claims.approximation import CLAIMS
from estimators.ledger import check_claim, check_twin
from theory.approximation import APPROXIMATION_BOUNDS, APPROXIMATION_REFUTED

UNDECIDABLE = {  # over continuous classes, or on the open interval: tests/theory/test_approximation.py
    *("approximation-periodic-sobolev-width", "approximation-periodic-favard-width", "approximation-sobolev-width"),
    *("approximation-hoelder-width", "approximation-discrete-lipschitz-width", "approximation-jump-obstruction"),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_claims_have_their_verdict_and_their_twins_fail(name):
    claim = CLAIMS[name]
    found = check_claim(name, claim)
    assert not found.error
    assert found.standing == ("holds" if claim.true else "refuted")
    assert found.attained or not claim.tight
    assert found.tight or found.form != "tight"
    assert check_twin(name, claim).verdict == "violated"
    assert all(json.loads(json.dumps(one.case)) == one.case for one in found.checks)


def test_every_statement_has_a_claim():
    assert set(APPROXIMATION_BOUNDS) - set(CLAIMS) == UNDECIDABLE
    assert set(APPROXIMATION_REFUTED) == {name for name, claim in CLAIMS.items() if not claim.true}


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_spline_coefficients_against_quadrature(order):
    places, weights = np.array([-0.4, 0.3]), np.array([1.5, -2.0])

    def value(t):
        return float((weights * np.clip(t - places, 0, None) ** order * (t > places)).sum()) / math.factorial(order)

    cuts = [-1, *places, 1]
    by_chebyshev = series_errors.chebyshev_series(places, weights, order, 9)
    by_legendre = series_errors.legendre_series(places, weights, order, 9)
    for k in range(order + 1, 10):
        wave = lambda t, k=k: value(math.cos(t)) * math.cos(k * t)  # noqa: E731
        true = 2 / math.pi * quad(wave, 0, math.pi, points=np.arccos(places), limit=200)[0]
        assert by_chebyshev[k - 1] == pytest.approx(true, abs=1e-9)
        product = lambda t, k=k: value(t) * legendre.legval(t, np.eye(k + 1)[k])  # noqa: E731
        parts = [quad(product, a, b)[0] for a, b in itertools.pairwise(cuts)]
        assert by_legendre[k - 1] == pytest.approx((k + 0.5) * sum(parts), abs=1e-9)


def test_series_errors_against_other_sums():
    found = series_errors.pole_series(pole=1.25, share=0.5, degree=6, norm="sup").estimate
    series = chebyshev.chebinterpolate(lambda t: 1 / (1.25 - t), 150)
    grid = np.linspace(-1, 1, 2001)
    assert np.abs(1 / (1.25 - grid) - chebyshev.chebval(grid, series[:7])).max() == pytest.approx(found.upper, rel=1e-9)
    assert 5 / 3 in series_errors.lebesgue_constant(degree=1).estimate
    kernel = lambda t: abs(legendre.legval(t, np.arange(6) + 0.5))  # noqa: E731
    assert quad(kernel, -1, 1, limit=400)[0] == pytest.approx(series_errors.lebesgue_constant(degree=5).estimate.upper)
    limit = float(mpmath.si(mpmath.pi) / mpmath.pi) - 0.5
    far = series_errors.gibbs_overshoot(jump=1.0, degree=300).estimate.upper
    assert far == pytest.approx(limit, abs=2e-3)
    assert pole_error(pole=2.0, degree=3).estimate.upper == pytest.approx((2 - math.sqrt(3)) ** 3 / 3, rel=1e-9)


def test_markov_constants_against_rayleigh_quotients():
    rng = np.random.default_rng(0)
    nodes, mass = legendre.leggauss(20)
    for degree in (1, 4, 9):
        for _ in range(20):
            series = rng.standard_normal(degree + 1)
            value, slope = legendre.legval(nodes, series), legendre.legval(nodes, legendre.legder(series))
            assert mass @ slope**2 <= markov_constant(degree) ** 2 * (mass @ value**2) * (1 + 1e-9)
    assert markov_constant(1) == pytest.approx(math.sqrt(3))


def test_cell_errors_against_samples():
    rng = np.random.default_rng(2)
    grid = (np.arange(60_000) + 0.5) / 60_000
    for channels in (1, 4):
        weights = rng.standard_normal(5)
        rows = (weights @ np.cos(np.pi * np.outer(np.arange(1, 6), grid))).reshape(channels, -1)
        error = math.sqrt(np.mean((rows - rows.mean(axis=1, keepdims=True)) ** 2))
        case = {"weights": weights.tolist(), "interval": 1.0, "channels": channels}
        assert cell_errors.cosine_sum_error(**case).estimate.upper == pytest.approx(error, rel=1e-6)
        cone = 2 * np.abs(grid - 0.3) ** 0.5
        rows = cone.reshape(channels, -1)
        case = {"place": 0.3, "exponent": 0.5, "constant": 2.0, "interval": 1.0, "channels": channels}
        best = cell_errors.cone_error(**case, projected=False).estimate.upper
        assert np.ptp(rows, axis=1).max() / 2 == pytest.approx(best, rel=1e-2)
        means = cell_errors.cone_error(**case, projected=True).estimate.upper
        assert np.abs(rows - rows.mean(axis=1, keepdims=True)).max() == pytest.approx(means, rel=2e-2)


def test_free_cells_against_all_partitions():
    path = [0.0, 1.0, 0.2, 3.0, 2.5]
    dense = np.interp(np.linspace(0, 4, 201), np.arange(5), path)
    least = min(max(np.ptp(dense[:k]), np.ptp(dense[k - 1 :])) / 2 for k in range(1, 202))
    assert cell_errors.free_cell_error(path=path, channels=2).estimate.upper == pytest.approx(least, abs=0.02)


@pytest.mark.parametrize("moments", [1, 2, 4])
def test_wavelet_moments_against_pywavelets(moments):
    _, psi, grid = pywt.Wavelet(f"db{moments}").wavefun(level=12)
    true = abs(np.sum(grid**moments * psi) * (grid[1] - grid[0])) / math.factorial(moments)
    for level in (0, 2):
        found = cell_errors.wavelet_moment(moments=moments, level=level).estimate.upper
        assert found == pytest.approx(true * 2.0 ** (-level * (moments + 0.5)), rel=1e-6)
