"""theory/approximation_wavelet.py against samples and PyWavelets."""

import math

import numpy as np
import pytest
import pywt
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import approximation as widths
from theory import approximation_wavelet as wave

FAST = settings(max_examples=25, deadline=None)
TWIN = sp.Rational(1, 100)


def hoelder(rng, exponent, constant, grid):
    """The least function above random cones: |f(s) - f(t)| <= L |s-t|^alpha."""
    places, heights = rng.uniform(-1, 1, 6), rng.uniform(-1, 1, 6)
    return (heights[:, None] + constant * np.abs(grid - places[:, None]) ** exponent).min(axis=0)


@FAST
@given(st.integers(0, 10**6), st.integers(1, 12), st.sampled_from([0.3, 0.5, 1.0]), st.floats(0.1, 4))
def test_cells_on_random_hoelder_functions(seed, count, exponent, constant):
    grid = (np.arange(count * 200) + 0.5) * 2 / (count * 200) - 1
    rows = hoelder(np.random.default_rng(seed), exponent, constant, grid).reshape(count, 200)
    at = {"channels": count, "hoelder_exponent": exponent, "hoelder_constant": constant, "interval_length": 2}
    best = np.ptp(rows, axis=1).max() / 2
    projected = np.abs(rows - rows.mean(axis=1, keepdims=True)).max()
    assert best <= wave.hoelder_best().safe(**at) * (1 + 1e-9)
    assert projected <= wave.hoelder_projection().safe(**at) * (1 + 1e-2)
    assert widths.hoelder_width().evaluate(**at) == pytest.approx(wave.hoelder_best().evaluate(**at))


def test_cells_attain_their_bounds():
    grid = np.linspace(0, 2, 40001)[1:]
    for count, exponent in ((1, 0.5), (4, 0.5), (5, 1.0)):
        at = {"channels": count, "hoelder_exponent": exponent, "hoelder_constant": 3, "interval_length": 2}
        first = 3 * grid[: len(grid) // count] ** exponent
        assert first.mean() == pytest.approx(wave.hoelder_projection().evaluate(**at), rel=1e-3)
        assert first.max() / 2 == pytest.approx(wave.hoelder_best().evaluate(**at), rel=1e-3)
    at = {"lipschitz": 3, "interval_length": 2, "channels": 5}
    assert wave.lipschitz_best().evaluate(**at) == pytest.approx(3 / 5)
    assert wave.smooth_by_cells().evaluate(derivative_maximum=0, interval_length=2, channels=5) < 3 / 5
    for count in (1, 3, 8):
        rows = np.cos(np.pi * count * (np.arange(count * 2000) + 0.5) / (count * 2000)).reshape(count, 2000)
        error = math.sqrt(2 * np.mean((rows - rows.mean(axis=1, keepdims=True)) ** 2))
        size = math.sqrt((np.pi * count / 2) ** 2)  # |f'|_2 over length 2
        value = wave.sobolev_projection().evaluate(channels=count, interval_length=2, derivative_norm=size)
        assert error == pytest.approx(value, rel=1e-6)
        step = (np.arange(count * 2000) >= 1000).astype(float).reshape(count, 2000)
        error = math.sqrt(2 * np.mean((step - step.mean(axis=1, keepdims=True)) ** 2))
        at = {"channels": count, "interval_length": 2, "variation": 1}
        assert error == pytest.approx(wave.variation_projection().evaluate(**at), rel=1e-9)
        assert error > wave.variation_projection().scaled(TWIN).safe(**at)


@FAST
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=40), st.integers(1, 8))
def test_variation_of_random_steps(values, count):
    rows = np.repeat(values, count).reshape(count, -1)
    size = np.abs(np.diff(values)).sum()
    error = math.sqrt(2 * np.mean((rows - rows.mean(axis=1, keepdims=True)) ** 2))
    at = {"channels": count, "interval_length": 2, "variation": size}
    assert error <= wave.variation_projection().safe(**at) + 1e-12


def test_free_cells_and_haar_terms():
    """Cells of equal variation, by the cumulated variation; steps by PyWavelets' Haar transform."""
    rng = np.random.default_rng(1)
    path = np.interp(np.linspace(0, 1, 20001), np.linspace(0, 1, 30), rng.standard_normal(30))
    grown = np.r_[0, np.abs(np.diff(path)).cumsum()]
    for count in (1, 3, 10):
        piece = np.minimum((grown / grown[-1] * count).astype(int), count - 1)
        error = max(np.ptp(path[piece == k]) / 2 for k in range(count))
        bound = wave.free_cells()
        assert error <= bound.safe(variation=grown[-1], channels=count) * (1 + 1e-3)
    monotone = np.linspace(0, 1, 3001)
    assert np.ptp(monotone[:1000]) / 2 == pytest.approx(wave.free_cells().evaluate(variation=1, channels=3), rel=2e-3)
    length = 1024
    for place in (512, 341, 700, 1, 1023):
        step = (np.arange(length) >= place).astype(float)
        coefficients = np.sort(np.abs(np.concatenate(pywt.wavedec(step, "haar"))))[::-1]
        for terms in (1, 3, 8):
            error = math.sqrt(max((coefficients[terms:] ** 2).sum(), 0) * 2 / length)
            value = wave.haar_terms().safe(jump_size=1, interval_length=2, channels=terms)
            assert error <= value * (1 + 1e-9)
    third = (np.arange(length) >= 512 + 256 + 128).astype(float)  # the middle of a cell on three levels only
    error = math.sqrt(np.var(third[768:]) * 256 * 2 / length)
    assert error == pytest.approx(wave.haar_terms().evaluate(jump_size=1, interval_length=2, channels=3), rel=1e-9)


@pytest.mark.parametrize("moments", [1, 2, 4])
def test_daubechies_coefficients(moments):
    _, psi, grid = pywt.Wavelet(f"db{moments}").wavefun(level=12)
    for level in (0, 2):
        points = grid / 2**level
        for power, values in ((moments, points**moments / math.factorial(moments)), (None, np.sin(points))):
            size = 1 if power else np.abs((np.sin, np.cos)[moments % 2](points)).max()
            found = abs(np.trapezoid(values * psi * 2 ** (level / 2), points))
            at = {"vanishing_moments": moments, "wavelet_level": level, "derivative_maximum": size}
            sharper = wave.daubechies_interpolated().safe(**at)
            assert found <= sharper <= wave.daubechies_coefficient().safe(**at) * (1 + 1e-12)
    at = {"vanishing_moments": moments, "wavelet_level": 0, "derivative_maximum": 1}
    found = abs(np.trapezoid(grid**moments / math.factorial(moments) * psi, grid))
    assert found > wave.daubechies_interpolated().scaled(TWIN).safe(**at)
    assert found > wave.daubechies_coefficient().scaled(TWIN / 10).safe(**at)  # far from sharp for many moments
