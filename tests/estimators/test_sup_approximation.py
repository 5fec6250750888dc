"""Largest errors of best approximation against a Remez exchange, enumeration and closed forms."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import chebyshev

from estimators.encoding_tables import code
from estimators.sup_approximation import best_sup
from estimators.targets import midpoints, target


def remez(values, x, degree, steps=200):
    """Best polynomial on the points x by single exchange: the reference of degree + 2 points is moved to the largest
    error until that is the levelled one. The levelled error bounds the best from below at every step."""
    table = chebyshev.chebvander(x, degree)
    spread = (1 - np.cos(np.pi * np.arange(degree + 2) / (degree + 1))) / 2
    places = np.round(spread * (len(x) - 1)).astype(int)
    signs = (-1.0) ** np.arange(degree + 2)
    for _ in range(steps):
        solved = np.linalg.solve(np.column_stack([table[places], signs]), values[places])
        error, level = values - table @ solved[:-1], abs(solved[-1])
        worst = int(np.argmax(np.abs(error)))
        if abs(error[worst]) <= level * (1 + 1e-12):
            return level
        places = exchanged(places, worst, error)
    raise AssertionError("the exchange did not end")


def exchanged(places, worst, error):
    """The reference with the position of the largest error, its signs alternating again."""
    if worst < places[0] or worst > places[-1]:
        side = 0 if worst < places[0] else -1
        if np.sign(error[worst]) == np.sign(error[places[side]]):
            places = places.copy()
            places[side] = worst
            return places
        return np.r_[worst, places[:-1]] if side == 0 else np.r_[places[1:], worst]
    after = int(np.searchsorted(places, worst))
    near = after if np.sign(error[worst]) == np.sign(error[places[after]]) else after - 1
    places = places.copy()
    places[near] = worst
    return places


@pytest.mark.parametrize("name", ["abs", "runge"])
@pytest.mark.parametrize(("length", "degree"), [(101, 3), (200, 8), (400, 17)])
def test_a_remez_exchange_agrees(name, length, degree):
    x = np.linspace(-1, 1, length)
    values = np.abs(x) if name == "abs" else 1 / (1 + 25 * x**2)
    truth = remez(values, x, degree)
    found = best_sup(values, chebyshev.chebvander(x, degree)).error
    assert found.lower - 1e-8 <= truth <= found.upper + 1e-8
    assert found.width <= 1e-10 * found.upper


def test_the_best_parabola_of_abs():
    """x^2 + 1/8 misses |x| by 1/8 at -1, -1/2, 0, 1/2, 1 with alternating signs."""
    x = np.linspace(-1, 1, 81)
    found = best_sup(np.abs(x), np.vander(x, 4))
    assert found.error.lower == pytest.approx(1 / 8, rel=1e-11)
    assert found.error.upper == pytest.approx(1 / 8, rel=1e-11)
    assert found.weights == pytest.approx([0, 1, 0, 1 / 8], abs=1e-10)


def enumerated(values, basis):
    """Largest over all d + 1 positions of the best error there (Helly): |<y, f>|/|y|_1, y orthogonal to the columns."""
    best = 0.0
    for places in itertools.combinations(range(len(values)), basis.shape[1] + 1):
        y = np.linalg.svd(basis[list(places)].T)[2][-1]
        best = max(best, abs(y @ values[list(places)]) / np.abs(y).sum())
    return best


@given(st.integers(0, 10**6), st.integers(3, 8), st.integers(1, 3), st.integers(-40, 40))
@settings(max_examples=40, deadline=None)
def test_enumeration_of_references(seed, rows, columns, power):
    rng = np.random.default_rng(seed)
    basis, values = rng.standard_normal((rows, min(columns, rows - 1))), rng.standard_normal(rows) * 10.0**power
    truth, found = enumerated(values, basis), best_sup(values, basis)
    assert found.error.lower <= truth * (1 + 1e-10)
    assert truth * (1 - 1e-10) <= found.error.upper
    assert found.error.width <= 1e-6 * found.error.upper
    attained = np.abs(values - basis @ found.weights).max()
    assert attained == pytest.approx(found.error.upper, rel=1e-9)
    # Twins: neither end may be moved.
    assert truth > found.error.lower * 0.999
    assert found.error.lower > truth * 0.999


def test_constants_and_cells():
    rng = np.random.default_rng(0)
    values = rng.standard_normal(60)
    constant = best_sup(values, np.ones((60, 1)))
    assert constant.error.upper == pytest.approx(np.ptp(values) / 2, rel=1e-12)
    assert constant.error.lower == pytest.approx(np.ptp(values) / 2, rel=1e-11)
    parts = values.reshape(6, 10)
    cells = best_sup(values, np.kron(np.eye(6), np.ones((10, 1))))
    assert cells.error.upper == pytest.approx(np.ptp(parts, axis=1).max() / 2, rel=1e-12)
    assert cells.error.lower == pytest.approx(np.ptp(parts, axis=1).max() / 2, rel=1e-11)


@pytest.mark.parametrize("n", [1, 2, 8, 16])
def test_cells_on_lipschitz_functions(n):
    """L/(2n) on [0, 1], attained by L x on closed cells; a Lipschitz function with turns stays below."""
    slope, inside = 3.0, np.linspace(0, 1, 9)
    x = (np.arange(n)[:, None] + inside) / n  # every cell with both its ends
    basis = np.kron(np.eye(n), np.ones((9, 1)))
    found = best_sup(slope * x.ravel(), basis).error
    assert found.lower == pytest.approx(slope / (2 * n), rel=1e-10)
    assert found.upper == pytest.approx(slope / (2 * n), rel=1e-10)
    turned = slope * np.abs(x.ravel() - 0.3)
    assert best_sup(turned, basis).error.upper <= slope / (2 * n) * (1 + 1e-10)


@pytest.mark.parametrize("encoding", ["chebyshev", "haar", "cosine", "gaussian", "sinusoidal", "ricker"])
def test_the_gap_is_small(encoding):
    for name in ("abs", "runge", "step", "brownian"):
        values = target(name, 128).values
        for n in (2, 8, 16):
            found = best_sup(values, code(encoding, n, 128)).error
            assert found.width <= max(1e-6 * found.upper, 1e-14)


@pytest.mark.parametrize("encoding", ["chebyshev", "gaussian", "cosine"])
@pytest.mark.parametrize("name", ["abs", "brownian", "step"])
def test_the_exchange_agrees_with_one_programme(encoding, name):
    basis, values = code(encoding, 12, 600), target(name, 600).values
    direct, exchange = best_sup(values, basis, direct=600).error, best_sup(values, basis, direct=40).error
    assert exchange.lower <= direct.upper
    assert direct.lower <= exchange.upper
    assert max(direct.width, exchange.width) <= 1e-8 * direct.upper


def test_nearly_dependent_columns():
    """32 sinusoids on 256 positions: the kept ones have a condition near 1e13, still the gap is small."""
    for name in ("abs", "brownian"):
        found = best_sup(target(name, 256).values, code("sinusoidal", 32, 256))
        assert 16 < found.rank < 32
        assert found.error.width <= 1e-6 * found.error.upper


def test_the_exchange_on_equal_errors():
    """Cells: many positions reach the largest error, and the best combination is not unique."""
    values = target("brownian", 4096).values
    parts = values.reshape(16, 256)
    found = best_sup(values, np.kron(np.eye(16), np.ones((256, 1)))).error
    assert found.lower == pytest.approx(np.ptp(parts, axis=1).max() / 2, rel=1e-6)
    assert found.upper == pytest.approx(np.ptp(parts, axis=1).max() / 2, rel=1e-12)


def test_many_positions():
    """Beyond 4,096 positions; the error of the continuous problem, x^2 + 1/8, is near."""
    x = midpoints(20_000)
    found = best_sup(np.abs(x), chebyshev.chebvander(x, 3)).error
    assert found.upper == pytest.approx(1 / 8, abs=1e-4)
    assert found.width <= 1e-6 * found.upper


def test_members_of_the_span_and_small_errors():
    x = midpoints(64)
    basis = chebyshev.chebvander(x, 9)
    assert best_sup(np.zeros(64), basis).error.upper <= 1e-290
    found = best_sup(basis @ np.arange(10.0) + 1e-9 * np.abs(x), basis).error
    small = best_sup(np.abs(x), basis).error
    assert found.upper == pytest.approx(1e-9 * small.upper, rel=1e-4)
    assert best_sup(np.arange(5.0), np.eye(5)).error.upper <= 1e-14
    assert best_sup(np.arange(5.0), np.zeros((5, 1))).error.upper == pytest.approx(4, rel=1e-12)
    assert best_sup(np.arange(5.0), np.zeros((5, 1))).error.lower == pytest.approx(4, rel=1e-12)


def test_the_sup_error_lies_between_euclidean_ones():
    from estimators.best_approximation import best_l2

    values = target("runge", 100).values
    for n in (3, 9):
        basis = code("cosine", n, 100)
        sup, mean = best_sup(values, basis).error, best_l2(values, basis).error
        assert mean.lower / 10 <= sup.upper
        assert sup.lower <= mean.upper
