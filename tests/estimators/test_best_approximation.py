"""Euclidean best approximation against exact arithmetic, closed forms and other libraries."""

import resource
import time

import mpmath
import numpy as np
import pytest
import scipy.fft
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import legendre

from estimators.best_approximation import best_l2
from estimators.compensated import product
from estimators.encoding_tables import code
from estimators.estimate import Estimate
from estimators.span import gamma, residual, span_of
from estimators.sup_approximation import best_sup
from estimators.targets import midpoints


def exact_distance(values, basis, digits=60):
    """Distance of f from the span of independent columns by Gram-Schmidt in 60 digits."""
    with mpmath.workdps(digits):
        units = []
        for column in basis.T:
            rest = [mpmath.mpf(float(v)) for v in column]
            for _ in range(2):
                for unit in units:
                    overlap = mpmath.fdot(unit, rest)
                    rest = [a - overlap * b for a, b in zip(rest, unit, strict=True)]
            size = mpmath.sqrt(mpmath.fdot(rest, rest))
            units.append([a / size for a in rest])
        rest = [mpmath.mpf(float(v)) for v in values]
        for _ in range(2):
            for unit in units:
                overlap = mpmath.fdot(unit, rest)
                rest = [a - overlap * b for a, b in zip(rest, unit, strict=True)]
        return mpmath.sqrt(mpmath.fdot(rest, rest))


def contains(estimate: Estimate, truth) -> bool:
    return mpmath.mpf(estimate.lower) <= truth <= mpmath.mpf(estimate.upper)


@given(st.integers(0, 10**6), st.integers(2, 9), st.integers(1, 4), st.floats(-60, 60))
@settings(max_examples=25, deadline=None)
def test_the_interval_contains_the_exact_distance(seed, rows, columns, power):
    rng = np.random.default_rng(seed)
    basis = rng.standard_normal((rows, min(columns, rows)))
    values = rng.standard_normal(rows) * 10.0**power
    found = best_l2(values, basis).error
    assert contains(found, exact_distance(values, basis))
    assert found.width <= 1e-12 * np.linalg.norm(values)
    moved = Estimate(found.lower * 1.001, found.upper * 1.001, 1.0, "twin")
    if found.lower > 1e-9 * np.linalg.norm(values):
        assert not contains(moved, exact_distance(values, basis))


def nearly_dependent(kind, length=24, channels=7):
    x = midpoints(length)
    if kind == "powers":
        return np.stack([(1 + x / 20) ** k for k in range(channels)], axis=1)
    if kind == "hilbert":
        return 1 / (1 + np.add.outer(np.arange(length), np.arange(channels)))
    return code("sinusoidal", 12, length)


@pytest.mark.parametrize("kind", ["powers", "hilbert", "sinusoidal"])
def test_nearly_dependent_columns_are_certified_too(kind):
    basis = nearly_dependent(kind)
    for values in (np.abs(midpoints(len(basis))), np.random.default_rng(0).standard_normal(len(basis))):
        found = best_l2(values, basis)
        assert found.condition > 1e7
        assert found.rank == basis.shape[1]
        assert contains(found.error, exact_distance(values, basis))
        assert found.error.width <= 1e-7 * found.error.upper


def test_the_weights_attain_the_upper_end():
    rng = np.random.default_rng(1)
    basis, values = rng.standard_normal((50, 7)) * 10.0 ** np.arange(-3, 4), rng.standard_normal(50)
    found = best_l2(values, basis)
    assert np.linalg.norm(values - basis @ found.weights) == pytest.approx(found.error.upper, rel=1e-12)
    assert found.weights == pytest.approx(np.linalg.lstsq(basis, values, rcond=None)[0], rel=1e-9)


def test_dependent_and_zero_columns_are_left_out():
    rng = np.random.default_rng(2)
    basis, values = rng.standard_normal((40, 4)), rng.standard_normal(40)
    wide = np.column_stack([basis, basis @ [1, 2, 3, 4], np.zeros(40), 5 * basis[:, 0]])
    plain, found = best_l2(values, basis), best_l2(values, wide)
    assert (found.rank, found.condition) == (4, np.inf)
    assert found.error.lower == pytest.approx(plain.error.upper, rel=1e-11)
    assert np.linalg.norm(values - wide @ found.weights) == pytest.approx(plain.error.upper, rel=1e-11)
    nothing = best_l2(values, np.zeros((40, 2)))
    assert nothing.rank == 0
    assert contains(nothing.error, mpmath.mpf(float(np.linalg.norm(values))) * (1 + mpmath.mpf(0)))


def test_members_of_the_span_have_no_error():
    basis = np.kron(np.eye(8), np.ones((8, 1)))
    for values in (basis @ np.arange(8.0), np.zeros(64)):
        found = best_l2(values, basis).error
        assert found.lower == 0
        assert found.upper <= 1e-13
    assert best_l2(np.arange(8.0), np.eye(8)).error.upper <= 1e-14


@pytest.mark.parametrize("scale", [1e300, 1e-250, 1e-305])
def test_extreme_scales(scale):
    rng = np.random.default_rng(3)
    basis, values = rng.standard_normal((30, 5)), rng.standard_normal(30)
    plain, found = best_l2(values, basis).error, best_l2(values * scale, basis * scale).error
    assert found.lower == pytest.approx(plain.lower * scale, rel=1e-11)
    assert found.upper == pytest.approx(plain.upper * scale, rel=1e-11)


def test_cosine_coefficients():
    values = np.exp(midpoints(128))
    coefficients = np.asarray(scipy.fft.dct(values, norm="ortho"))
    for n in (1, 5, 20):
        found = best_l2(values, code("cosine", n, 128)).error
        assert found.lower <= np.linalg.norm(coefficients[n:]) * (1 + 1e-10)
        assert found.upper >= np.linalg.norm(coefficients[n:]) * (1 - 1e-10)


def test_legendre_series_by_numpy():
    x = midpoints(200)
    for degree in (3, 10):
        fitted = legendre.Legendre.fit(x, np.abs(x), degree, domain=[-1, 1])
        error = np.linalg.norm(np.abs(x) - fitted(x))
        for form in ("raw", "orthonormal"):
            found = best_l2(np.abs(x), code(f"legendre:form={form}", degree + 1, 200)).error
            assert found.lower == pytest.approx(error, rel=1e-10)
            assert found.upper == pytest.approx(error, rel=1e-10)


@pytest.mark.parametrize(("length", "wanted"), [(64, (1.10, 1.49, 3.24, 214)), (256, (1.07, 1.37, 2.65, 114))])
def test_conditioning_of_sampled_legendre(length, wanted):
    """Gram matrix of orthonormal Legendre of degree <= K at midpoints: its condition is that of the table squared."""
    x = midpoints(length)
    for ratio, condition in zip((1, 1.5, 2, 3), wanted, strict=True):
        degree = round(ratio * length**0.5)
        table = legendre.legvander(x, degree) * np.sqrt(2 * np.arange(degree + 1) + 1)
        assert span_of(table).condition ** 2 == pytest.approx(condition, rel=5e-3)
        assert span_of(code("legendre:form=orthonormal", degree + 1, length)).condition == pytest.approx(1, abs=1e-12)


def test_compensated_products():
    rng = np.random.default_rng(7)
    columns, weights = rng.standard_normal((6, 5)), rng.standard_normal((5, 1)) * 1e12
    start = -(columns @ weights)
    with mpmath.workdps(50):
        exact = [
            mpmath.mpf(float(s)) + mpmath.fdot([float(v) for v in row], [float(w) for w in weights[:, 0]])
            for row, s in zip(columns, start[:, 0], strict=True)
        ]
    found = product(columns, weights, start)[:, 0]
    for a, b in zip(found, exact, strict=True):
        assert abs(a - b) <= 2.0**-52 * abs(b) + gamma(28) ** 2 * 1e14
    rest, wrong = residual(start[:, 0], columns, -weights[:, 0])
    assert all(abs(mpmath.mpf(float(r)) - b) <= w for r, b, w in zip(rest, exact, wrong, strict=True))
    assert (
        max(abs(float(p) - float(b)) for p, b in zip(start[:, 0] + columns @ weights[:, 0], exact, strict=True)) > 1e-6
    )


@pytest.mark.parametrize(
    ("values", "basis", "words"),
    [
        ([1.0, 2.0], np.ones((2, 3)), "3 channels exceed 2 positions"),
        ([1.0, np.nan], np.ones((2, 1)), "finite"),
        ([1.0, 2.0, 3.0], np.ones((2, 1)), "shape"),
        ([1.0, 2.0], np.array([[np.inf], [1.0]]), "finite"),
        ([1.0, 2.0], np.ones(2), "table"),
    ],
)
def test_bad_input(values, basis, words):
    for best in (best_l2, best_sup):
        with pytest.raises(ValueError, match=words):
            best(values, basis)


@pytest.mark.slow
def test_scale():
    """65,536 positions, 256 channels."""
    rng = np.random.default_rng(8)
    basis, values = rng.standard_normal((65536, 256)), rng.standard_normal(65536)
    started = time.perf_counter()
    found = best_l2(values, basis)
    assert time.perf_counter() - started < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 4e6
    assert found.error.width <= 1e-8 * found.error.upper


@pytest.mark.parametrize("name", ["cosine", "chebyshev", "gaussian"])
def test_many_positions(name):
    """The path of large tables: errors by another factorisation."""
    basis = code(name, 32, 512)
    tall = np.tile(basis, (68, 1)) * np.repeat(np.linspace(1, 2, 68), 512)[:, None]
    values = np.random.default_rng(9).standard_normal(len(tall))
    q = np.linalg.qr(tall)[0]
    error = float(np.linalg.norm(values - q @ (q.T @ values)))
    found = best_l2(values, tall).error
    assert found.lower <= error * (1 + 1e-12)
    assert error * (1 - 1e-12) <= found.upper <= found.lower * (1 + 1e-8)
