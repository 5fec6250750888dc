"""Encodings beyond the training length against mpmath's Legendre polynomials, periods and rotations by hand."""

import math

import mpmath
import numpy as np
import pytest

from estimators.beyond_range import (
    code_norm,
    distinct_codes,
    doubling_point,
    end_norm,
    kernel_sign_changes,
    legendre_square,
    legendre_value,
    rotary_kernel,
    rotary_score,
    rotation,
    unfinished_periods,
)


@pytest.mark.parametrize("degree", [0, 1, 2, 7, 60])
@pytest.mark.parametrize("point", [1.0, 1.03125, 3.7])
def test_legendre_value_is_rounded_outwards_from_the_exact_one(degree, point):
    found = legendre_value(degree=degree, point=point).estimate
    with mpmath.workdps(80):
        true = mpmath.legendre(degree, mpmath.mpf(point))
        assert (
            mpmath.mpf(found.lower) - mpmath.mpf(10) ** -60
            <= true
            <= mpmath.mpf(found.upper) * (1 + mpmath.mpf(10) ** -60)
        )
    assert found.upper <= math.nextafter(found.lower, math.inf)
    assert legendre_square(degree + 1, point) == pytest.approx(
        sum(float(mpmath.legendre(k, point)) ** 2 for k in range(degree + 1)), rel=1e-11
    )


@pytest.mark.parametrize(("dim", "train_length"), [(2, 16), (8, 64), (32, 512)])
def test_doubling_point_solves_its_equation(dim, train_length):
    found = doubling_point(dim=dim, train_length=train_length).estimate
    assert found.width < 1e-14 * train_length
    with mpmath.workdps(40):
        x = 1 + 2 * mpmath.mpf(found.lower) / (train_length - 1)
        square = mpmath.fsum(mpmath.legendre(k, x) ** 2 for k in range(dim))
    assert float(square) == pytest.approx(4 * dim, rel=1e-11)


def test_norms_of_codes():
    sine = code_norm(encoding="sinusoidal", dim=8, train_length=16, position=1000).estimate
    assert 2.0 in sine
    for position in (0, 3, 9):
        x = 2 * position / 9 - 1
        true = math.sqrt(sum(float(mpmath.legendre(k, x)) ** 2 for k in range(6)))
        found = code_norm(encoding="legendre", dim=6, train_length=10, position=position).estimate
        assert true in found
        assert 1.0001 * true not in found
    end = end_norm(encoding="legendre", dim=6, train_length=10)
    assert math.sqrt(6) in end.estimate
    assert end.parameters == {"dim": 6, "position_count": 10}


def test_distinct_codes_by_hand():
    found = distinct_codes(encoding="sinusoidal", dim=4, train_length=4, length=30).estimate
    assert found.lower == found.upper == 30
    repeated = distinct_codes(encoding="sinusoidal", dim=2, train_length=4, length=30).estimate
    assert repeated.lower == 30


@pytest.mark.parametrize(("dim", "train_length"), [(8, 1), (8, 10), (32, 100), (64, 512)])
def test_unfinished_periods_by_their_frequencies(dim, train_length):
    found = unfinished_periods(encoding="sinusoidal", dim=dim, train_length=train_length)
    true = sum(train_length * 10000 ** (-2 * i / dim) < 2 * math.pi for i in range(dim // 2))
    assert found.estimate.lower == found.estimate.upper == true
    assert found.parameters["frequency_base"] == 10000.0
    other = unfinished_periods(encoding="sinusoidal:base=10", dim=dim, train_length=train_length).estimate
    assert other.upper == sum(train_length * 10 ** (-2 * i / dim) < 2 * math.pi for i in range(dim // 2))


@pytest.mark.parametrize("distance", [0, 1, 57, 4000])
def test_rotations(distance):
    turned, base = rotation("rotary", 6, distance)
    angles = [distance * 10000 ** (-2 * k / 6) for k in range(3)]
    assert base == 10000.0
    np.testing.assert_allclose(turned @ turned.T, np.eye(6), atol=1e-14)
    for k, angle in enumerate(angles):
        block = turned[2 * k : 2 * k + 2, 2 * k : 2 * k + 2]
        cosine, sine = math.cos(angle), math.sin(angle)
        np.testing.assert_allclose(block, [[cosine, -sine], [sine, cosine]], atol=1e-12)
    score = rotary_score(encoding="rotary", dim=6, distance=distance, words=("dim", "distance"))
    assert 1.0 in score.estimate
    assert 0.99 not in score.estimate
    assert score.parameters == {"dim": 6, "distance": distance}
    kernel = rotary_kernel(encoding="rotary", dim=6, distance=distance).estimate
    with mpmath.workdps(30):
        exact = mpmath.fsum(mpmath.cos(distance * mpmath.mpf(10000) ** (-mpmath.mpf(k) / 3)) for k in range(3)) / 3
        assert mpmath.mpf(kernel.lower) <= exact <= mpmath.mpf(kernel.upper)
    assert kernel.width < 1e-10


def test_sign_changes_of_the_mean_kernel():
    kernel = [sum(math.cos(d * 10000 ** (-2 * k / 8)) for k in range(4)) for d in range(400)]
    true = [d for d in range(1, 400) if (kernel[d] < 0) != (kernel[d - 1] < 0)]
    assert kernel_sign_changes(encoding="rotary", dim=8, length=400) == true
    short = [d for d in range(1, 50) if (math.cos(d) < 0) != (math.cos(d - 1) < 0)]
    assert kernel_sign_changes(encoding="rotary", dim=2, length=50) == short


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: legendre_value(degree=-1, point=1.5), "use degree=3"),
        (lambda: legendre_value(degree=2001, point=1.5), "use degree=3"),
        (lambda: legendre_value(degree=3, point=0.5), "use degree=3"),
        (lambda: legendre_value(degree=3, point=math.nan), "use degree=3"),
        (lambda: doubling_point(dim=1, train_length=64), "use dim=32"),
        (lambda: doubling_point(dim=8, train_length=1), "use dim=32"),
        (lambda: code_norm(encoding="alibi", dim=4, train_length=8, position=1), "not additive"),
        (lambda: code_norm(encoding="sinusoidal", dim=4, train_length=8, position=-1), "positions"),
        (lambda: code_norm(encoding="sinusoidal", dim=4, train_length=8, position=10**6), "use 1 to"),
        (lambda: unfinished_periods(encoding="rotary", dim=4, train_length=8), "use sinusoidal"),
        (lambda: rotary_score(encoding="sinusoidal", dim=4, distance=3), "use rotary"),
        (lambda: rotary_kernel(encoding="rotary", dim=4, distance=-1), "use 1 to"),
        (lambda: kernel_sign_changes(encoding="alibi", dim=4, length=8), "rotary"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
