"""The latent position of content-free heads: known values, 30-digit quadrature, and one map or layer."""

import math

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.information_layers import averaged_code, gained_code, head_on_noise, quantised_code
from estimators.latent_position import (
    alibi_variance,
    encoding_variances,
    head_information,
    head_variance,
    latent_information,
    variance,
)
from theory import information_latent


@pytest.mark.parametrize(
    ("encoding", "positions", "known"),
    [
        ("none", 16, 0.120),
        ("alibi:slope=1/4", 16, 0.075),
        ("alibi:slope=1", 16, 0.011),
        ("none", 64, 0.155),
        ("alibi:slope=1/4", 64, 0.035),
        ("alibi:slope=1", 64, 0.003),
    ],
)
def test_known_information_in_one_dimension(encoding, positions, known):
    found = latent_information(encoding_variances(encoding, positions, 0, 1.0, 0.0), 1)
    assert found.width < 1e-12
    assert round(found.lower, 3) == known


def by_mpmath(variances, dim):
    """Quadrature over r = |H|, in 30 digits."""
    with mpmath.workdps(30):
        v = [mpmath.mpf(x) for x in variances]
        constant = 2 ** (mpmath.mpf(dim) / 2 - 1) * mpmath.gamma(mpmath.mpf(dim) / 2)

        def integrand(r):
            densities = [r ** (dim - 1) * mpmath.exp(-(r**2) / (2 * x)) / (x ** (mpmath.mpf(dim) / 2)) for x in v]
            mean = mpmath.fsum(densities) / len(v)
            return mpmath.fsum(f * mpmath.log(f / mean) for f in densities if f > 0) / len(v) / constant

        edges = sorted({mpmath.mpf(0), *(k * mpmath.sqrt(x) for x in v for k in (0.3, 1, 2, 5, 12))})
        return float(mpmath.quad(integrand, edges))


@pytest.mark.parametrize(
    ("variances", "dim"), [([1.0, 0.5, 0.1], 1), ([1.0, 0.5, 0.1], 2), ([2.0, 1.0], 5), ([1.0, 1.001], 1)]
)
def test_quadrature_contains_the_30_digit_value(variances, dim):
    found = latent_information(variances, dim)
    truth = by_mpmath(variances, dim)
    assert found.lower <= truth <= found.upper
    assert found.width < 1e-12
    assert truth > found.upper / 100


def test_two_dimensions_and_two_far_variances_reach_ln_2():
    assert math.log(2) == pytest.approx(latent_information([1.0, 0.001], 30).lower, abs=1e-9)
    assert latent_information([3.0, 3.0, 3.0], 4).upper == 0.0


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=5), st.integers(1, 8))
def test_pairwise_bounds_enclose_the_information(variances, dim):
    found = latent_information(variances, dim)
    assert found.lower <= information_latent.latent_pairwise_upper(variances).safe(**_dim(variances, dim)) + 1e-13
    assert found.upper >= information_latent.latent_pairwise_lower(variances).safe(**_dim(variances, dim)) - 1e-13


def _dim(variances, dim):
    return {"dim": dim} if len(set(variances)) > 1 else {}


def test_twins_of_the_pairwise_bounds_fail():
    found = latent_information([1.0, 0.5, 0.1], 2)
    upper = information_latent.latent_pairwise_upper([1.0, 0.5, 0.1]).scaled(sp.Rational(1, 100))
    lower = information_latent.latent_pairwise_lower([1.0, 0.5, 0.1]).scaled(100)
    assert found.lower > upper.safe(dim=2)
    assert found.upper < lower.safe(dim=2)


@pytest.mark.parametrize("count", [1, 2, 30])
def test_variances_contain_their_closed_forms(count):
    found = alibi_variance(alibi_slope=0.125, seen_count=count, value_scale=1.5)
    low, high = information_latent.variance_with_alibi().certified(**found.parameters)
    assert found.estimate.lower <= low <= high <= found.estimate.upper
    assert found.estimate.width < 1e-13
    plain = head_variance(encoding="none", seen_count=count, value_scale=1.5).estimate
    assert 2.25 / count in plain
    assert head_variance(encoding="alibi:slope=1/8", seen_count=count, value_scale=1.5).estimate == found.estimate


def test_noise_adds_to_every_variance_and_the_cap_uses_their_mean():
    found = head_information(encoding="none", length=4, dim=3, noise_scale=0.5)
    assert found.arguments["variances"] == pytest.approx([1 / i + 0.25 for i in range(1, 5)])
    determinant = ((25 / 48 + 0.25) / 0.25) ** 3
    assert found.parameters["code_determinant"] == pytest.approx((determinant, determinant))


def test_a_gain_before_the_noise_raises_information_but_cells_after_it_lower_it():
    code = [[-0.3], [0.3]]
    raised = gained_code(code=code, gain=10.0, noise_scale=1.0)
    assert raised.parameters["position_information"] == pytest.approx((0.0431, 0.0431), abs=5e-5)
    assert raised.estimate.lower == pytest.approx(0.6893, abs=5e-5)
    cut = quantised_code(code=code, noise_scale=1.0, cuts=[0.0])
    flip = 0.5 * math.erfc(0.3 / math.sqrt(2))
    assert math.log(2) + flip * math.log(flip) + (1 - flip) * math.log1p(-flip) == pytest.approx(cut.estimate.lower)
    assert cut.estimate.upper < cut.parameters["position_information"][0]


def test_depth_raises_and_lowers_information():
    up = head_on_noise(biases=[[0.0] * i for i in range(1, 17)], dim=1, value_scale=2.0, noise_scale=0.0)
    assert up.parameters["position_information"] == (0.0, 0.0)
    assert round(up.estimate.lower, 3) == 0.120
    down = averaged_code(code=[[float((-1) ** i)] for i in range(16)], noise_scale=0.5)
    assert down.estimate.upper < 0.102 < 0.632 < down.parameters["position_information"][0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: latent_information([1.0, 0.0], 1), "must be positive"),
        (lambda: latent_information([], 1), "must be positive"),
        (lambda: latent_information([1.0, 2.0], 0), "dim must be"),
        (lambda: latent_information([1.0, 1e-12], 1), "raise the noise"),
        (lambda: variance([0.0, -math.inf], 1.0), "leave masked keys out"),
        (lambda: variance([0.0], 0.0), "value_scale must be positive"),
        (lambda: alibi_variance(alibi_slope=0.0, seen_count=3, value_scale=1.0), "alibi_slope must be positive"),
        (lambda: head_on_noise(biases=[[0.0]], dim=1, value_scale=1.0, noise_scale=-1.0), "at least 0"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_variance_of_a_long_row_is_not_spoiled_by_far_keys():
    found = variance((-0.25 * np.arange(4000.0)).tolist(), 1.0)
    assert found.width < 1e-14
    assert math.tanh(0.125) in found
