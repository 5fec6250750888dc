"""theory/approximation_polynomial.py against quadrature, numpy.polynomial, mpmath and linear programmes."""

import math

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import chebyshev as cheb
from numpy.polynomial import legendre as leg
from programme_oracle import best_sup
from scipy.fft import dct

from theory import approximation_polynomial as poly

FAST = settings(max_examples=25, deadline=None)
TWIN = sp.Rational(1, 100)


def legendre_coefficients(kinks, weights, order, count):
    """a_k of sum w (x - t)_+^order, exactly, by Gauss-Legendre on both sides of every kink."""
    nodes, mass = leg.leggauss(count)
    total = np.zeros(count)
    for place, weight in zip(kinks, weights, strict=True):
        half = (1 - place) / 2
        points = place + half * (nodes + 1)
        total += weight * half * (leg.legvander(points, count - 1).T @ (mass * (points - place) ** order))
    return total * (np.arange(count) + 0.5)


@FAST
@given(
    st.lists(st.tuples(st.floats(-0.95, 0.95), st.floats(-2, 2)), min_size=1, max_size=4),
    st.integers(0, 3),
    st.integers(1, 25),
)
def test_legendre_and_chebyshev_bounds_on_random_splines(kinks, order, further):
    places, weights = map(np.array, zip(*kinks, strict=True))
    size = math.factorial(order) * np.abs(weights).sum()
    degree, count = order + further, 50
    exact = legendre_coefficients(places, weights, order, count)
    at = {"variation_order": order, "variation": size}
    for k in range(order + 1, count):
        assert abs(exact[k]) <= poly.legendre_coefficient().safe(coefficient_index=k, **at) * (1 + 1e-9) + 1e-12
    tail = math.fsum(2 * a * a / (2 * k + 1) for k, a in enumerate(exact) if k > degree)
    assert math.sqrt(tail) <= poly.legendre_variation().safe(degree=degree, **at) + 1e-12
    angles = (np.arange(4000) + 0.5) * np.pi / 4000
    values = (
        weights[:, None]
        * np.clip(np.cos(angles) - places[:, None], 0, None) ** order
        * (np.cos(angles) > places[:, None])
    ).sum(axis=0)
    series = dct(values) / 4000
    for k in range(order + 1, 60):
        bound = poly.chebyshev_coefficient().safe(coefficient_index=k, **at)
        assert abs(series[k]) <= bound + size * 2e-3
    if order:
        series[0] /= 2
        error = np.abs(values - cheb.chebval(np.cos(angles), series[: degree + 1])).max()
        sharper = poly.chebyshev_product().safe(degree=degree, **at)
        assert error <= sharper + size * 1e-5
        assert sharper <= poly.chebyshev_variation().safe(degree=degree, **at) * (1 + 1e-12)


def test_polynomial_twins_and_sharp_cases():
    """sign(x) attains the Chebyshev coefficients; |x| nearly attains Legendre's: 0.9995 at degree 4000."""
    for k in (1, 3, 9):
        value = poly.chebyshev_coefficient().evaluate(coefficient_index=k, variation_order=0, variation=2)
        assert value == pytest.approx(4 / (math.pi * k), rel=1e-12)
    k = 4000
    with mpmath.workdps(30):  # |x|: a_2m = (-1)^(m+1) (4m+1) C(2m, m)/4^m / ((2m-1)(2m+2))
        m = k // 2
        true = float((4 * m + 1) * mpmath.binomial(2 * m, m) / mpmath.mpf(4) ** m / ((2 * m - 1) * (2 * m + 2)))
    bound = poly.legendre_coefficient()
    ratio = true / bound.evaluate(coefficient_index=k, variation_order=1, variation=2)
    assert 0.9994 < ratio < 0.9996
    grid = np.linspace(-1, 1, 100001)
    near = leg.legval(grid, [0.5, 0, 5 / 8])  # the first terms confirm the closed form
    assert np.trapezoid((np.abs(grid) - near) * leg.legval(grid, [0, 0, 1]), grid) == pytest.approx(0, abs=1e-8)
    tail = math.sqrt(
        sum(2 * a * a / (2 * j + 1) for j, a in enumerate(legendre_coefficients([0], [2], 1, 200)) if j > 9)
    )
    at = {"degree": 9, "variation_order": 1, "variation": 2}
    assert poly.legendre_variation().scaled(TWIN).safe(**at) < tail <= poly.legendre_variation().safe(**at)
    assert poly.legendre_error().evaluate(coefficient_tail=4) == 2


def test_pole_error_is_the_best_one():
    grid = -np.cos(np.linspace(0, np.pi, 801))
    for place in (1.25, 17 / 16, 3):
        for degree in (0, 1, 2, 5):
            exact = poly.pole_error().evaluate(pole=place, residue=2, degree=degree)
            found = best_sup(2 / (place - grid), cheb.chebvander(grid, degree))
            assert found == pytest.approx(exact, rel=2e-3)
            below = best_sup(-2 / (place + grid), cheb.chebvander(grid, degree))
            assert below == pytest.approx(exact, rel=2e-3)


def test_analytic_bounds_at_a_pole():
    for place, radius in ((sp.Rational(5, 4), sp.Rational(3, 2)), (2, 3)):
        major = (radius + 1 / radius) / 2
        largest = 1 / (place - major)
        for degree in (1, 5, 12):
            at = {"ellipse_radius": radius, "function_bound": largest, "degree": degree}
            series = cheb.chebinterpolate(lambda t, p=float(place): 1 / (p - t), 120)
            grid = np.linspace(-1, 1, 999)
            error = np.abs(1 / (float(place) - grid) - cheb.chebval(grid, series[: degree + 1])).max()
            assert error <= poly.chebyshev_analytic().safe(**at)
            assert math.sqrt(2) * error <= poly.legendre_analytic().safe(**at)
    sharp = {
        "ellipse_radius": sp.Rational(3, 2),
        "function_bound": 1 / (sp.Rational(5, 4) - sp.Rational(13, 12)),
        "degree": 0,
    }
    assert poly.chebyshev_analytic().scaled(sp.Rational(1, 100)).safe(**sharp) < 1


def test_legendre_lebesgue_constant():
    angles = (np.arange(20000) + 0.5) * np.pi / 20000
    found = {}
    for degree in (0, 1, 3, 8, 100, 400):
        kernel = leg.legval(np.cos(angles), np.arange(degree + 1) + 0.5)  # K(1, t); x = 1 is the worst place
        found[degree] = (np.abs(kernel) * np.sin(angles)).sum() * np.pi / 20000
        assert found[degree] <= poly.legendre_lebesgue().safe(degree=degree) * (1 + 1e-6)
    assert found[1] == pytest.approx(5 / 3, rel=1e-6)
    assert found[8] > poly.legendre_lebesgue().scaled(TWIN).safe(degree=8)
    assert (found[400] - found[100]) / 10 == pytest.approx(math.sqrt(8 / math.pi), rel=5e-3)
    nodes, mass = leg.leggauss(200)
    values = np.abs(nodes)
    coefficients = leg.legvander(nodes, 8).T @ (mass * values) * (np.arange(9) + 0.5)
    error = np.abs(values - leg.legval(nodes, coefficients)).max()
    best = best_sup(values, cheb.chebvander(nodes, 8))
    assert error <= poly.legendre_sup().evaluate(lebesgue_constant=9, best_error=best)


def markov(degree):
    derivative = np.zeros((degree + 1, degree + 1))
    for k in range(1, degree + 1):
        row = leg.legder(np.eye(degree + 1)[k] * math.sqrt(k + 0.5))
        derivative[: len(row), k] = row / np.sqrt(np.arange(len(row)) + 0.5)
    return np.linalg.norm(derivative, 2)


def gram(degree, positions):
    grid = (np.arange(positions) + 0.5) * 2 / positions - 1
    table = leg.legvander(grid, degree) * np.sqrt((np.arange(degree + 1) + 0.5) * 2 / positions)
    return table.T @ table


def test_markov_constant_and_sampling():
    assert markov(1) == pytest.approx(poly.markov_bound().evaluate(polynomial_degree=1), rel=1e-12)
    for degree in (2, 5, 20):
        assert markov(degree) <= poly.markov_bound().safe(polynomial_degree=degree) < 1.6 * markov(degree)
    for positions, expected in ((64, (1.10, 1.49, 3.24, 214)), (256, (1.07, 1.37, 2.65, 114))):
        for ratio, condition in zip((1, 1.5, 2, 3), expected, strict=True):
            degree = round(ratio * math.sqrt(positions))
            found = np.linalg.eigvalsh(gram(degree, positions))
            at = {"markov_constant": markov(degree), "position_count": positions}
            assert np.abs(found - 1).max() <= poly.sampling_eigenvalues().safe(**at)
            assert found[-1] / found[0] == pytest.approx(condition, rel=6e-3)
            if 2 * at["markov_constant"] < positions:
                assert found[-1] / found[0] <= poly.sampling_condition().safe(**at)
    at = {"markov_constant": markov(3), "position_count": 8}
    assert np.abs(np.linalg.eigvalsh(gram(3, 8)) - 1).max() > poly.sampling_eigenvalues().scaled(TWIN).safe(**at)


def test_algebraic_jackson_on_random_lipschitz_functions():
    rng = np.random.default_rng(0)
    grid = -np.cos(np.linspace(0, np.pi, 301))
    for degree in (0, 1, 3, 6):
        values = np.interp(grid, np.linspace(-1, 1, 9), np.cumsum(rng.choice([-1, 1], 9)) / 4)
        found = best_sup(values, cheb.chebvander(grid, degree))
        bound = poly.algebraic_jackson()
        assert found <= bound.safe(degree=degree, smoothness_order=1, derivative_maximum=1)
        assert degree == 1 or found > bound.scaled(TWIN).safe(degree=degree, smoothness_order=1, derivative_maximum=1)
