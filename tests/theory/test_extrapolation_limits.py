"""theory/extrapolation_limits.py: growth of Legendre polynomials, the constants of the doubling, counts, kernels."""

from fractions import Fraction
from math import comb, factorial

import mpmath
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import extrapolation_limits as limits


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 30), st.fractions(min_value=1, max_value=20, max_denominator=1000))
def test_legendre_lies_between_its_bounds(degree, x):
    with mpmath.workdps(60):
        truth = mpmath.legendre(degree, mpmath.mpf(x.numerator) / x.denominator)
    point = {"polynomial_degree": degree, "argument": x}
    upper, lower = limits.legendre_growth(), limits.legendre_growth_lower()
    assert lower.safe(**point) <= truth * (1 + mpmath.mpf(10) ** -14)
    assert truth <= upper.safe(**point) * (1 + mpmath.mpf(10) ** -14)
    assert truth > upper.scaled(sp.Rational(1, 100)).safe(**point) or degree > 5
    if degree <= 1:
        assert float(truth) == pytest.approx(lower.safe(**point), rel=1e-10)


def test_both_bounds_are_attained_at_one():
    for degree in (0, 1, 17):
        for bound in (limits.legendre_growth(), limits.legendre_growth_lower()):
            assert bound.certified(polynomial_degree=degree, argument=1) == pytest.approx((1.0, 1.0), abs=1e-10)
    with pytest.raises(ValueError, match="argument >= 1"):
        limits.legendre_growth().certified(polynomial_degree=2, argument=Fraction(1, 2))


def test_constants_of_the_doubling_are_rounded_to_the_safe_side():
    def series(c, terms=40):
        return sum(Fraction(comb(2 * j, j)) * c**j / (factorial(j) ** 2 * (2 * j + 1)) for j in range(terms))

    floor = Fraction(931, 500)
    assert series(floor) < 4 < series(floor + Fraction(1, 1000))
    ceiling = Fraction(51, 20)
    assert (
        1 + 2 * ceiling / 3 + ceiling**2 / 5
        >= 4
        > 1 + 2 * (ceiling - Fraction(1, 1000)) / 3 + (ceiling - Fraction(1, 1000)) ** 2 / 5
    )
    k, d = sp.symbols("k d", integer=True, positive=True)
    assert sp.expand(sp.summation(k * (k + 1), (k, 0, d - 1)) - d * (d**2 - 1) / 3) == 0
    square = sp.summation((k * (k + 1)) ** 2, (k, 0, d - 1))
    assert sp.expand(square - d * (d**2 - 1) * (3 * d**2 - 2) / 15) == 0


def test_series_of_a_legendre_polynomial_at_one():
    """P_k(1 + 2a) = sum_j (k+j)!/((k-j)! j!^2) a^j, each term at most (k(k+1) a)^j/j!^2."""
    a = sp.Symbol("a")
    for k in (0, 1, 2, 5, 8):
        terms = [sp.Rational(factorial(k + j), factorial(k - j) * factorial(j) ** 2) for j in range(k + 1)]
        assert sp.expand(sp.legendre(k, 1 + 2 * a) - sum(c * a**j for j, c in enumerate(terms))) == 0
        assert all(c <= sp.Rational((k * (k + 1)) ** j, factorial(j) ** 2) for j, c in enumerate(terms))


def test_known_numbers():
    count = limits.unfinished_periods()
    assert count.certified(dim=32, position_count=64, frequency_base=10000) == (11.0, 11.0)
    assert count.certified(dim=32, position_count=1, frequency_base=10000) == (16.0, 16.0)
    assert count.certified(dim=32, position_count=10**6, frequency_base=10000) == (0.0, 0.0)
    kernel = limits.rotary_mean_kernel()
    assert kernel.evaluate(dim=8, distance=0, frequency_base=10000) == 1
    assert kernel.evaluate(dim=2, distance=3, frequency_base=10000) == pytest.approx(float(sp.cos(3)), abs=1e-12)
    with pytest.raises(ValueError, match="which is false"):
        kernel.evaluate(dim=3, distance=1, frequency_base=10000)
    assert limits.legendre_normalised_peak().evaluate(dim=32, position_count=64) == 32
    assert limits.rotary_largest_score().evaluate() == 1
