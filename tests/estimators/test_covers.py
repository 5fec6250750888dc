"""estimators/covers.py against known covering numbers, points of the ball, and cells counted one by one."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators import covers

# The least radius of 3, 4, 5 and 7 equal discs that cover the unit disc.
DISCS = {3: math.sqrt(3) / 2, 4: math.sqrt(2) / 2, 5: 0.6093828640, 7: 0.5}


@given(st.integers(1, 400), st.floats(0.01, 10))
@settings(max_examples=40, deadline=None)
def test_segment_needs_as_many_balls_as_its_length_says(parts, scale):
    radius = (parts - 0.3) * scale
    found = covers.ball_cover(dim=1, radius=radius, scale=scale).estimate
    assert math.log(parts) in found
    assert found.width <= 1e-10


@pytest.mark.parametrize("count", DISCS)
def test_disc(count):
    """A hair above the least radius `count` discs do, a hair below one more is needed."""
    for scale, least in ((DISCS[count] * 1.0001, 1), (DISCS[count] * 0.9999, count + 1)):
        found = covers.ball_cover(dim=2, radius=3.0, scale=3.0 * scale).estimate
        assert found.upper >= math.log(least)
        assert found.lower <= math.log(count + (least > count))
    assert found.lower > 0


def test_one_ball_does_up_to_its_radius():
    assert covers.ball_cover(dim=3, radius=1.0, scale=1.0).estimate.upper == 0
    assert covers.ball_cover(dim=3, radius=1.0, scale=math.nextafter(1.0, 0)).estimate.lower > 0.69
    # 0.1 times 3 exceeds 0.3 by less than float64 can say of the product.
    product = Fraction(0.1) * 3
    scale = float(product)
    found = covers.matrix_cover(rows=1, columns=1, radius=0.1, input_norm=3.0, scale=scale).estimate
    assert (found.lower > 0) == (product > Fraction(scale))


def cells(dim, radius, half, order, shifted):
    """Cells that meet the ball, by their nearest points: one at a time."""
    far = int(radius / (2 * half)) + 2
    found = 0
    for index in itertools.product(range(-far, far + 1), repeat=dim):
        gaps = (max(abs(2 * half * (i + (0.5 if k < shifted else 0))) - half, 0.0) for k, i in enumerate(index))
        found += sum(gap**order for gap in gaps) <= radius**order
    return found


@pytest.mark.parametrize(("dim", "order"), [(1, 2), (2, 1), (2, 2), (3, 1), (3, 2)])
@pytest.mark.parametrize("radius", [0.31, 1.07, 2.23])
def test_lattice_counts_the_cells_of_its_best_shift(dim, order, radius):
    least = min(cells(dim, radius, 0.5, order, shifted) for shifted in range(dim + 1))
    assert covers.lattice_cover(dim, radius, 0.5, order) == least


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("dim", [2, 3])
def test_points_of_the_ball_meet_no_more_cells_than_the_cover_has(dim, order):
    rng, radius, half = np.random.default_rng(0), 2.3, 0.4
    points = rng.uniform(-radius, radius, (40_000, dim))
    points = points[(np.abs(points) ** order).sum(axis=1) <= radius**order]
    seen = [
        len(np.unique(np.floor(points / (2 * half) + np.where(np.arange(dim) < shifted, 0.0, 0.5)), axis=0))
        for shifted in range(dim + 1)
    ]
    assert 0.8 * covers.lattice_cover(dim, radius, half, order) <= min(seen)
    assert min(seen) <= covers.lattice_cover(dim, radius, half, order)


@pytest.mark.parametrize("dim", [1, 2, 3])
@given(ratio=st.floats(1.001, 5))
@settings(max_examples=15, deadline=None)
def test_separated_points_and_volumes_fit_below_the_upper_end(dim, ratio):
    """Points more than 2 eps apart need a ball each: a greedy packing is below ln N, so below the upper end."""
    found = covers.ball_cover(dim=dim, radius=ratio, scale=1.0).estimate
    kept: list[np.ndarray] = []
    for point in np.random.default_rng(0).uniform(-ratio, ratio, (800, dim)):
        if np.linalg.norm(point) <= ratio and all(np.linalg.norm(point - other) > 2 for other in kept):
            kept.append(point)
    assert math.log(max(len(kept), 1)) <= found.upper
    assert found.lower >= dim * math.log(ratio) * (1 - 1e-9)


def test_squares_cover_a_disc():
    """Two orthogonal inputs: four squares of half side .51 cover the unit disc, and its area asks for pi/.51^2/4."""
    found = covers.orthogonal_cover(sample_size=2, radius=2.0, input_norm=0.5, scale=0.51).estimate
    assert math.log(4) in found
    assert found.upper == pytest.approx(math.log(4))
    assert found.lower == pytest.approx(math.log(math.pi / 1.02**2))


@pytest.mark.parametrize("ratio", [1.5, 2.5, 7.3])
def test_one_input_and_one_entry_are_segments(ratio):
    for found in (
        covers.orthogonal_cover(sample_size=1, radius=ratio, input_norm=2.0, scale=2.0),
        covers.matrix_cover(rows=1, columns=1, radius=ratio, input_norm=2.0, scale=2.0),
    ):
        assert math.log(math.ceil(ratio)) in found.estimate
        assert found.estimate.width < 1e-10


def test_matrix_cover_is_that_of_its_l1_ball():
    """Two entries: the l1 ball of radius 1 is a square of diagonal 2, which four discs of radius 1/2 cover, and fewer
    do not."""
    found = covers.matrix_cover(rows=1, columns=2, radius=1.0, input_norm=2.0, scale=1.0001).estimate
    assert found.upper == pytest.approx(math.log(4))
    assert found.lower == pytest.approx(math.log(2))


@pytest.mark.parametrize("dim", [1, 2, 3, 6])
def test_balls_on_the_axes_cover_an_l1_ball_of_twice_their_radius(dim):
    """Sparse points of the l1 ball of radius 2 are the far ones; at 2.1 some point is missed, and more balls are
    counted."""
    rng = np.random.default_rng(0)
    points = rng.standard_exponential((20_000, dim)) * (rng.random((20_000, dim)) < 0.5)
    points = 2 * np.concatenate([points[points.any(axis=1)], np.eye(dim)])
    points *= 1 / np.abs(points / 2).sum(axis=1, keepdims=True)
    nearest = np.linalg.norm(points[:, None] - np.eye(dim), axis=2).min(axis=1)
    assert nearest.max() <= 1 + 1e-12
    assert (1.05 * nearest).max() > 1
    case = {"rows": 1, "columns": dim, "input_norm": 1.0, "scale": 1.0}
    assert covers.matrix_cover(**case, radius=2.0).estimate.upper <= math.log(2 * dim) * (1 + 1e-9)
    if dim == 6:
        assert covers.matrix_cover(**case, radius=2.1).estimate.upper > math.log(2 * dim) + 1


@pytest.mark.parametrize("bad", [0.0, -1.0, math.inf, math.nan])
def test_bad_sizes_are_refused(bad):
    with pytest.raises(ValueError, match="radius must be positive"):
        covers.ball_cover(dim=2, radius=bad, scale=1.0)
    with pytest.raises(ValueError, match="cells"):
        covers.ball_cover(dim=3, radius=1.0, scale=1e-4)
