"""theory/approximation_fourier.py against mpmath, series in closed form and linear programmes."""

import math

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from programme_oracle import best_sup

from theory import approximation_fourier as fourier

FAST = settings(max_examples=25, deadline=None)
TWIN = sp.Rational(1, 100)


def test_favard_constants():
    exact = [1, sp.pi / 2, sp.pi**2 / 8, sp.pi**3 / 24, 5 * sp.pi**4 / 384]
    assert [fourier.favard_constant(order) for order in range(5)] == exact
    for order in range(1, 9):
        series = mpmath.nsum(lambda k, r=order: ((-1) ** int(k) / (2 * k + 1)) ** (r + 1), [0, mpmath.inf])
        assert float(fourier.favard_constant(order)) == pytest.approx(float(4 / mpmath.pi * series), rel=1e-10)
    with pytest.raises(ValueError, match="order of at least 0"):
        fourier.favard_constant(-1)


@pytest.mark.parametrize(("order", "degree"), [(1, 2), (2, 2), (3, 3)])
def test_jackson_is_attained_by_euler_splines(order, degree):
    """f^(r) = sgn cos((n+1) t): f from its Fourier series; the best trigonometric polynomial is 0."""
    grid = np.linspace(0, 2 * np.pi, 481)[:-1]
    odd = np.arange(1, 4001, 2)
    spline = (4 / np.pi * (-1.0) ** ((odd - 1) // 2) / odd ** (order + 1)) @ np.cos(
        np.outer(odd, (degree + 1) * grid) - order * np.pi / 2
    )
    values = spline / (degree + 1) ** order
    basis = np.c_[np.ones(480), *(np.array([np.cos(k * grid), np.sin(k * grid)]).T for k in range(1, degree + 1))]
    bound = fourier.periodic_jackson(order)
    found = best_sup(values, basis)
    value = bound.evaluate(degree=degree, derivative_maximum=1)
    assert found == pytest.approx(value, rel=2e-3)
    assert found > bound.scaled(sp.Rational(9, 10)).safe(degree=degree, derivative_maximum=1)


@FAST
@given(
    st.lists(st.tuples(st.floats(0, 6.28), st.floats(-2, 2)), min_size=2, max_size=5),
    st.integers(0, 3),
    st.integers(1, 12),
)
def test_fourier_bounds_on_random_splines(parts, order, degree):
    """f^(r) is a step function of mean 0 on the circle, given by its jumps: c_k = sum J e^(-ikt)/(2 pi (ik)^(r+1))."""
    places, jumps = (np.array(one) for one in zip(*parts, strict=True))
    jumps = jumps - jumps.mean()
    size = np.abs(jumps).sum()
    k = np.arange(1, 20001)
    series = (jumps @ np.exp(-1j * np.outer(places, k))) / (2 * np.pi * (1j * k) ** (order + 1))
    at = {"variation_order": order, "variation": size}
    bound = fourier.fourier_coefficient().safe(coefficient_index=degree, **at)
    assert abs(series[degree - 1]) <= bound * (1 + 1e-9) + 1e-15
    mean = math.sqrt(4 * math.pi * math.fsum(np.abs(series[degree:]) ** 2))
    assert mean <= fourier.fourier_variation_mean().safe(degree=degree, **at) * (1 + 1e-9) + 1e-15
    if order:
        angles = np.linspace(0, 2 * np.pi, 97)
        rest = 2 * (series[degree:2000] @ np.exp(1j * np.outer(k[degree:2000], angles))).real
        assert np.abs(rest).max() <= fourier.fourier_variation().safe(degree=degree, **at) * (1 + 1e-9) + 1e-15


def test_fourier_sharp_cases_and_the_refuted_jumps():
    for n in (0, 1, 7, 40):
        exact = math.sqrt(float(mpmath.zeta(2, n + 1)) / math.pi)
        assert fourier.sawtooth_lower().safe(degree=n, jump_size=1) <= exact
        assert exact <= fourier.sawtooth_upper().safe(degree=n, jump_size=1)
        assert exact > fourier.sawtooth_upper().scaled(sp.Rational(9, 10)).safe(degree=n, jump_size=1) or n == 0
    odd = math.sqrt(
        4 / math.pi * sum(1 / k**2 for k in range(11, 10**5, 2))
    )  # square wave of jumps 1, |c_k| = 1/(pi k)
    assert odd > 1.3 * fourier.jumps_like_one().safe(degree=10, jump_size=1)
    for n in (1, 2, 9, 100):
        angles = np.linspace(1e-6, np.pi, 40001)
        k = np.arange(1, n + 1)
        largest = max((np.sin(np.outer(part, k)) / k).sum(axis=1).max() for part in np.array_split(angles, 50)) / np.pi
        exact = fourier.gibbs_overshoot().evaluate(degree=n, jump_size=1)
        assert largest - 0.5 == pytest.approx(exact, abs=1e-6)
        assert exact <= fourier.gibbs_limit().safe(jump_size=1)
    limit = float(mpmath.si(mpmath.pi) / mpmath.pi - mpmath.mpf(1) / 2)
    assert limit - 1 / 200 < exact < limit  # largest values are J/(2(n+1)) below J/2 + overshoot
    assert limit <= fourier.gibbs_limit().safe(jump_size=1) < limit + 2e-7
    for width, n in ((0.3, 4), (math.log(1.5), 9)):  # 3/(5 - 4 cos t) has c_k = 2^-|k|
        largest = 3 / (5 - 4 * math.cosh(width))
        at = {"strip_width": width, "function_bound": largest, "degree": n}
        assert 2.0**-n * 2 <= fourier.fourier_strip().safe(**at)
    assert fourier.fourier_strip().scaled(TWIN).safe(**at | {"degree": 0}) < 2
