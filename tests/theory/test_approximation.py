"""theory/approximation.py: widths against singular values and sign patterns, certificates against programmes."""

import math

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import legendre as leg
from programme_oracle import best_sup
from scipy.fft import dct

from theory import approximation as widths

FAST = settings(max_examples=25, deadline=None)


def difference(length):
    return np.diff(np.eye(length), axis=0)


def worst(basis):
    """max |f - Pi f|_2 over |Delta f|_2 <= 1; the basis has the constant in its span."""
    orthonormal = np.linalg.qr(basis)[0]
    rest = np.eye(len(basis)) - orthonormal @ orthonormal.T
    return np.linalg.norm(rest @ np.linalg.pinv(difference(len(basis))), 2)


def cells(length, count):
    return np.kron(np.eye(count), np.ones((length // count, 1)))


@pytest.mark.parametrize(("length", "count"), [(12, 1), (12, 3), (12, 11), (64, 4), (64, 8), (64, 16), (64, 32)])
def test_difference_width_is_a_singular_value_and_attained(length, count):
    at = {"channels": count, "position_count": length}
    singular = np.linalg.svd(np.linalg.pinv(difference(length)), compute_uv=False)
    value = widths.difference_width().evaluate(**at)
    assert value == pytest.approx(singular[count - 1], rel=1e-10)
    cosines = dct(np.eye(length), norm="ortho", axis=0)[:count].T
    assert worst(cosines) == pytest.approx(widths.cosine_worst_error().evaluate(**at), rel=1e-10)
    if length % count == 0:
        assert worst(cells(length, count)) == pytest.approx(widths.haar_worst_error().evaluate(**at), rel=1e-10)
    target = dct(np.eye(length), norm="ortho", axis=0)[count]
    size = np.linalg.norm(np.diff(target))
    assert widths.difference_error().evaluate(**at, difference_norm=size) == pytest.approx(1, rel=1e-10)


def test_the_numbers_of_the_table_at_64_positions():
    found = [round(widths.difference_width().evaluate(channels=n, position_count=64), 2) for n in (4, 8, 16, 32)]
    assert found == [5.1, 2.56, 1.31, 0.71]
    grid = np.linspace(-1, 1, 64)
    legendre = [worst(leg.legvander(grid, n - 1)) for n in (4, 8, 16, 32)]
    assert np.allclose(legendre, [5.56, 3.05, 1.66, 0.89], atol=6e-3)
    assert legendre[1] > 1.1 * widths.every_orthonormal_code().evaluate(channels=8, position_count=64)


@FAST
@given(st.integers(2, 14), st.data())
def test_no_span_beats_the_width(length, data):
    count = data.draw(st.integers(1, length - 1))
    seed = data.draw(st.integers(0, 10**6))
    basis = np.c_[np.ones(length), np.random.default_rng(seed).standard_normal((length, count - 1))]
    bound = widths.worst_difference_error()
    assert bound.safe(channels=count, position_count=length) <= worst(basis) * (1 + 1e-9)
    assert bound.scaled(100).safe(channels=count, position_count=length) > worst(basis) or count > 1
    assert bound.scaled(sp.Rational(101, 100)).safe(channels=1, position_count=length) > worst(np.ones((length, 1)))


def test_ellipsoid_width_for_second_differences():
    operator = np.diff(np.eye(20), n=2, axis=0)
    left, singular, _ = np.linalg.svd(np.linalg.pinv(operator))
    line = np.c_[np.ones(20), np.arange(20.0)]
    for count in (2, 3, 7):
        basis = np.linalg.qr(np.c_[line, left[:, : count - 2]])[0]
        reached = np.linalg.norm((np.eye(20) - basis @ basis.T) @ np.linalg.pinv(operator), 2)
        value = singular[count - 2]
        bound = widths.ellipsoid_width()
        assert reached == pytest.approx(bound.evaluate(channels=count, null_dim=2, singular_value=value), rel=1e-9)
    with pytest.raises(ValueError, match="assumes"):
        widths.ellipsoid_width().evaluate(channels=1, null_dim=2, singular_value=1)


def test_periodic_width_is_the_spectrum_of_the_bernoulli_kernel():
    """f = mean + int B_r kernel f^(r): singular values of the kernel sampled on the circle, and the constant."""
    count = 200
    grid = np.arange(count) / count
    for order in (2, 3):
        kernel = (
            -((2 * math.pi) ** order)
            / math.factorial(order)
            * np.array([float(mpmath.bernpoly(order, t)) for t in grid])
        )
        table = kernel[(np.arange(count)[:, None] - np.arange(count)) % count] / count
        singular = np.linalg.svd(table, compute_uv=False)
        for channels in range(1, 9):
            value = widths.periodic_sobolev_width().evaluate(channels=channels, smoothness_order=order)
            assert value == pytest.approx(singular[channels - 1], rel=2e-3)


def test_sobolev_width_is_the_limit_of_the_discrete_one():
    length = 4096
    for count in (1, 3, 10):
        spacing = 2 / length
        discrete = widths.difference_width().evaluate(channels=count, position_count=length) * spacing
        limit = widths.sobolev_width().evaluate(channels=count, interval_length=2)
        assert discrete == pytest.approx(limit, rel=1e-4)


@FAST
@given(st.integers(0, 10**6), st.integers(2, 12), st.integers(1, 4))
def test_certificates_against_linear_programmes(seed, length, count):
    count = min(count, length - 1)
    rng = np.random.default_rng(seed)
    basis, values = rng.standard_normal((length, count)), rng.standard_normal(length)
    least = best_sup(values, basis)
    dual = rng.standard_normal(length)
    dual -= basis @ np.linalg.lstsq(basis, dual, rcond=None)[0]
    bound = widths.dual_certificate().safe(dual_pairing=abs(dual @ values), dual_norm=np.abs(dual).sum())
    assert bound <= least * (1 + 1e-7)
    rest = values - basis @ np.linalg.lstsq(basis, values, rcond=None)[0]
    euclidean = np.linalg.norm(rest)
    at = {"euclidean_error": euclidean}
    assert widths.sup_above_euclidean().safe(position_count=length, **at) <= least * (1 + 1e-7)
    assert least <= widths.sup_below_euclidean().safe(**at) * (1 + 1e-7)
    projected = values - rest
    exact = widths.projected_rest().evaluate(target_energy=values @ values, projected_energy=projected @ projected)
    assert exact == pytest.approx(euclidean, rel=1e-6)


def test_discrete_lipschitz_width():
    """The cell construction above, and the sign pattern below: a class member that n channels miss by that much."""
    for length, count in ((10, 3), (64, 8), (7, 6), (9, 2)):
        value = widths.discrete_lipschitz_width().evaluate(channels=count, position_count=length)
        pieces = np.array_split(np.arange(length), count)
        assert max(np.ptp(piece) for piece in pieces) / 2 == value
        step = (length - 1) // count
        points = np.arange(count + 1) * step
        basis = np.random.default_rng(0).standard_normal((length, count))
        dual = np.linalg.svd(basis[points].T)[2][-1]
        member = np.interp(np.arange(length), points, value * np.sign(dual))
        assert np.abs(np.diff(member)).max() <= 1
        assert best_sup(member, basis) >= value * (1 - 1e-9)


def test_wrong_statements_are_not_among_the_true_ones():
    assert not set(widths.APPROXIMATION_REFUTED) & set(widths.APPROXIMATION_BOUNDS)


def test_no_polynomial_jumps():
    """sign(x) at two points closer and closer to 0: the best error tends to J/2 = 1, which 0 reaches."""
    bound = widths.jump_obstruction().safe(jump_size=2)
    for degree in (1, 5, 9):
        places = np.r_[-1e-9, 1e-9, np.linspace(-1, 1, 50)]
        found = best_sup(np.sign(places), leg.legvander(places, degree))
        assert bound * (1 - 1e-6) <= found <= 1 + 1e-9
        assert found < widths.jump_obstruction().scaled(sp.Rational(11, 10)).safe(jump_size=2)


def test_favard_width_is_reached_and_not_beaten_by_random_spaces():
    """Perfect splines f^(r) = +-1 with n sign changes: some one of them is missed by K_r m^(-r) by any n functions."""
    rng = np.random.default_rng(3)
    value = widths.periodic_favard_width(1).evaluate(channels=2)
    grid = np.arange(120) * 2 * np.pi / 120
    shifts = [np.abs((grid - s + np.pi) % (2 * np.pi) - np.pi) for s in grid[:60:4]]
    for _ in range(3):
        basis = np.c_[np.ones(120), rng.standard_normal((120, 1))]
        assert max(best_sup(shift, basis) for shift in shifts) >= value * 0.98
