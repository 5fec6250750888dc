"""estimators/sign_means.py against fractions, the convex hull of SciPy, quadrature and closed forms."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.integrate import quad
from scipy.spatial import ConvexHull
from scipy.stats import norm

from estimators import sign_means

numbers = st.floats(-1e3, 1e3, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-6)
sets = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=4), elements=numbers)
planes = arrays(np.float64, st.tuples(st.integers(2, 7), st.just(2)), elements=numbers)


def exact_complexity(vectors):
    """R_hat as a fraction, by the definition."""
    n = vectors.shape[1]
    rows = [[Fraction(x) for x in row] for row in vectors.tolist()]
    total = sum(
        max(sum(e * x for e, x in zip(eps, row, strict=True)) for row in rows)
        for eps in itertools.product((-1, 1), repeat=n)
    )
    return Fraction(total) / n / 2**n


@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_all_signs_are_all_of_them_once(n):
    rows = sign_means.all_signs(n)
    assert rows.shape == (2**n, n)
    assert {tuple(row) for row in rows} == set(itertools.product((-1.0, 1.0), repeat=n))


@given(sets)
@settings(max_examples=60, deadline=None)
def test_complexity_is_the_mean_over_all_signs(vectors):
    off = abs(Fraction(float(sign_means.complexity(vectors))) - exact_complexity(vectors))
    assert off <= Fraction(sign_means.complexity_error(vectors))


def test_complexity_of_known_sets():
    assert sign_means.complexity(sign_means.all_signs(4)) == 1
    assert sign_means.complexity(np.array([[3.0, -1.0, 2.0]])) == 0
    assert sign_means.complexity(np.concatenate([np.eye(5), -np.eye(5)])) == pytest.approx(1 / 5, abs=1e-15)
    stacked = np.stack([sign_means.all_signs(2), 3 * sign_means.all_signs(2)])
    assert sign_means.complexity(stacked).tolist() == [1.0, 3.0]


def test_complexity_error_is_small():
    vectors = np.random.default_rng(0).standard_normal((5, 6))
    assert sign_means.complexity_error(vectors) < 1e-13 * np.abs(vectors).max()


@given(planes)
@settings(max_examples=60, deadline=None)
def test_perimeter_is_that_of_scipy(points):
    found = sign_means.hull_perimeter(points)
    # Area spread enough: the hull code of SciPy refuses flat sets.
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    if spread[-1] > 1e-3 * spread[0] > 0:
        assert found == pytest.approx(ConvexHull(points).area, rel=1e-9)
    far = max(math.dist(a, b) for a in points for b in points)
    assert 2 * far * (1 - 1e-9) <= found <= math.pi * far * (1 + 1e-9)


def test_perimeter_of_flat_sets_and_of_repeated_points():
    assert sign_means.hull_perimeter(np.array([[0.0, 0.0], [3.0, 4.0], [1.5, 2.0], [3.0, 4.0]])) == pytest.approx(10)
    assert sign_means.hull_perimeter(np.array([[1.0, 2.0]] * 3)) == 0
    assert sign_means.hull_perimeter(np.array([[0.0, 0], [0, 1], [1, 1], [1, 0], [0.5, 0.5], [0, 0]])) == 4


@given(planes)
@settings(max_examples=20, deadline=None)
def test_gaussian_complexity_in_the_plane_is_the_integral_of_the_support_function(points):
    """E max <g, a> = E|g| times the mean of max <u, a> over 20,000 directions u; E|g| = sqrt(pi/2)."""
    angle = 2 * math.pi * (np.arange(20_000) + 0.5) / 20_000
    support = (np.stack([np.cos(angle), np.sin(angle)], 1) @ (points - points.mean(axis=0)).T).max(axis=1)
    found, size = sign_means.gaussian_complexity(points, 0), np.abs(points).max()
    assert found.confidence == 1
    assert abs(found.upper - math.sqrt(math.pi / 2) * support.mean() / 2) <= 1e-6 * size + 1e-300
    assert found.width <= 1e-13 * size + 1e-300


@given(arrays(np.float64, st.tuples(st.integers(1, 6), st.just(1)), elements=numbers))
@settings(max_examples=30, deadline=None)
def test_gaussian_complexity_on_one_sample(points):
    truth = float(np.ptp(points)) / math.sqrt(2 * math.pi)
    found = sign_means.gaussian_complexity(points, 0)
    hair = 1e-14 * float(np.abs(points).max())
    assert found.lower - hair <= truth <= found.upper + hair


@pytest.mark.parametrize("seed", range(5))
def test_drawn_gaussian_complexity_contains_the_truth(seed):
    n = 6
    corners = np.concatenate([np.eye(n), -np.eye(n)])
    largest = quad(lambda x: 1 - (2 * norm.cdf(x) - 1) ** n, 0, 12)[0] / n
    for vectors, truth in ((corners, largest), (sign_means.all_signs(n), math.sqrt(2 / math.pi))):
        found = sign_means.gaussian_complexity(vectors, seed)
        assert truth in found
        assert 0.8 * truth not in found
        assert 1.2 * truth not in found
        moved = sign_means.gaussian_complexity(vectors + 5.0, seed)  # a shift leaves it unchanged
        assert moved.lower == pytest.approx(found.lower, rel=1e-9)


@given(sets.filter(lambda a: a.any()))
@settings(max_examples=40, deadline=None)
def test_statistics_contain_their_exact_values(array):
    squares = [[Fraction(x) ** 2 for x in row] for row in array.tolist()]
    low, high = (Fraction(end) for end in sign_means.energy(array))
    assert low <= sum(map(sum, squares)) <= high
    low, high = (Fraction(end) for end in sign_means.euclidean(array, array.shape[1]))
    assert low**2 <= max(map(sum, squares)) <= high**2
    assert high - low <= Fraction(1, 10**13) * high


def test_between_is_outside_and_not_negative():
    low, high = sign_means.between(1.0, 1e-3)
    assert low < 0.999 < 1.001 < high
    assert sign_means.between(0.0, 1.0)[0] == 0


@pytest.mark.parametrize(
    ("numbers", "words"),
    [([1.0], "2 axes"), ([[]], "2 axes"), ([[math.nan]], "finite"), ([[math.inf]], "finite"), ([[1e200]], "rescale")],
)
def test_bad_arrays_are_refused(numbers, words):
    with pytest.raises(ValueError, match=words):
        sign_means.finite_array("vectors", numbers, 2)


def test_too_many_samples_are_refused():
    with pytest.raises(ValueError, match="1 to 12"):
        sign_means.all_signs(13)
