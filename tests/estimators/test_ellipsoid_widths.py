"""Worst errors over classes and Kolmogorov widths against singular values and closed forms."""

import numpy as np
import pytest

from estimators.ellipsoid_widths import (
    difference_error,
    difference_width,
    ellipsoid_error,
    ellipsoid_widths,
    lipschitz_width,
)
from estimators.encoding_tables import code
from estimators.estimate import Estimate
from estimators.sup_approximation import best_sup


@pytest.mark.parametrize("length", [64, 60])
def test_cosine_and_equal_cells_attain_the_width(length):
    for n in (4, 10, 12, 20, 30, 32):
        width = difference_width(n, length)
        spans = [code("cosine", n, length)]
        if length % n == 0:
            spans.append(np.kron(np.eye(n), np.ones((length // n, 1))))
        if length == 64 and n in (4, 32):
            spans.append(code("haar", n, length))
        for basis in spans:
            found = difference_error(basis)
            assert found.lower == pytest.approx(width, rel=1e-10)
            assert found.upper == pytest.approx(width, rel=1e-10)


def test_the_width_is_a_singular_value_and_no_span_beats_it():
    length = 48
    steps = np.diff(np.eye(length), axis=0)
    singular = np.linalg.svd(np.linalg.pinv(steps), compute_uv=False)
    rng = np.random.default_rng(4)
    widths = ellipsoid_widths(steps)
    for n in range(1, length):
        assert difference_width(n, length) == pytest.approx(singular[n - 1], rel=1e-10)
        assert widths[n - 1] == pytest.approx(singular[n - 1], rel=1e-10)
        if n % 8 == 1:
            basis = np.column_stack([np.ones(length), rng.standard_normal((length, n - 1))])
            assert difference_error(basis).lower >= singular[n - 1] * (1 - 1e-9)
    assert difference_width(length, length) == widths[-1] == 0


def test_ellipsoids_of_second_differences():
    """null(A) = linear sequences, so the width is infinite at n = 1."""
    length = 40
    bend = np.diff(np.eye(length), n=2, axis=0)
    singular = np.linalg.svd(np.linalg.pinv(bend), compute_uv=False)
    widths = ellipsoid_widths(bend)
    assert np.isinf(widths[0])
    assert widths[1:-2] == pytest.approx(singular[: length - 3], rel=1e-9)
    right = np.linalg.svd(bend)[2]
    lines = np.stack([np.ones(length), np.arange(length)], axis=1)
    for n in (2, 5, 11):
        best = np.column_stack([lines, right[::-1][2:n].T])
        found = ellipsoid_error(bend, best)
        assert found.lower == pytest.approx(widths[n - 1], rel=1e-8)
        assert found.upper == pytest.approx(widths[n - 1], rel=1e-8)
        assert ellipsoid_error(bend, code("chebyshev", n, length)).upper >= widths[n - 1] * (1 - 1e-9)
    assert ellipsoid_error(bend, code("cosine", 9, length)).lower == np.inf


def test_the_table_of_worst_errors():
    """Theory 4.1: widths and Legendre at N = 64."""
    for n, width, polynomial in ((4, 5.10, 5.56), (8, 2.56, 3.05), (16, 1.31, 1.66), (32, 0.71, 0.89)):
        assert difference_width(n, 64) == pytest.approx(width, abs=5e-3)
        assert difference_error(code("legendre", n, 64)).upper == pytest.approx(polynomial, abs=5e-3)
    assert difference_error(code("sinusoidal", 4, 64)) == Estimate(np.inf, np.inf, 1.0, "singular values")
    with_constant = np.column_stack([np.ones(64), code("sinusoidal", 4, 64)])
    assert difference_error(with_constant).upper == pytest.approx(7.1, abs=0.05)


@pytest.mark.parametrize("encoding", ["cosine", "haar", "chebyshev", "daubechies"])
@pytest.mark.parametrize("n", [1, 8, 17])
def test_inertia_agrees_with_singular_values(encoding, n):
    basis = code(encoding, n, 128)
    dense, counted = difference_error(basis), difference_error(basis, dense=1)
    assert counted.lower <= dense.upper
    assert dense.lower <= counted.upper <= dense.upper * (1 + 1e-6)


def test_many_positions_by_inertia():
    found = difference_error(code("haar", 16, 8192))
    assert found.lower <= difference_width(16, 8192) <= found.upper <= found.lower * (1 + 1e-7)


def test_lipschitz_width_is_attained_and_not_beaten():
    rng = np.random.default_rng(6)
    for length, n in ((30, 5), (31, 5), (33, 4), (20, 19), (17, 1)):
        width = lipschitz_width(n, length)
        cells = np.zeros((length, n))
        cells[np.arange(length), np.arange(length) * n // length] = 1
        step = (length - 1) // n
        assert best_sup(np.arange(length), cells).error.upper == pytest.approx((-(-length // n) - 1) / 2, rel=1e-9)
        # Any span misses the member whose signs on n + 1 positions are those of a vector orthogonal to it.
        basis = rng.standard_normal((length, n))
        places = np.arange(n + 1) * step
        orthogonal = np.linalg.svd(basis[places].T)[2][-1]
        member = np.interp(np.arange(length), places, np.sign(orthogonal) * step / 2)
        assert np.abs(np.diff(member)).max() <= 1 + 1e-12
        assert best_sup(member, basis).error.lower >= width * (1 - 1e-9)
        assert width == step / 2
