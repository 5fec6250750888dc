"""Balls of matrices against brute force and closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from estimators.supremum.norm_balls import (
    NormBall,
    ascend,
    linear_maximiser,
    norm_ball,
    polar,
    project,
    random_point,
    size,
    support,
)

BALLS = [NormBall("frobenius", 1.5), NormBall("spectral", 1.5), NormBall("rank", 1.5, 2), NormBall("rank", 1.5, 1)]
RNG = np.random.default_rng(0)
SHAPES = [(4, 4), (3, 5), (5, 3)]


def inside(ball, matrices):
    values = np.linalg.svd(np.asarray(matrices), compute_uv=False)
    norm = values[..., 0] if ball.kind == "spectral" else np.linalg.norm(values, axis=-1)
    low = ball.kind != "rank" or np.all(values[..., ball.rank :] <= 1e-12 * ball.radius)
    return bool(np.all(norm < ball.radius) and low)


def points(ball, shape, count, seed=1):
    """Random points of the ball, on its boundary and inside, by a route of their own."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        left, _, right = np.linalg.svd(rng.normal(size=shape), full_matrices=False)
        values = np.abs(rng.normal(size=min(shape)))
        if ball.kind == "rank":
            values[ball.rank :] = 0
        values *= rng.choice([1.0, rng.uniform()]) / (
            values.max() if ball.kind == "spectral" else np.linalg.norm(values)
        )
        found.append(ball.radius * (left * values) @ right)
    return np.array(found)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ball", BALLS, ids=repr)
def test_projection_is_feasible_and_nearest(ball, shape):
    outside = 3 * RNG.normal(size=(6, *shape))
    found = project(ball, outside)
    assert inside(ball, found)
    distances = np.linalg.norm(outside - found, axis=(1, 2))
    for other in points(ball, shape, 400):
        assert np.all(distances <= np.linalg.norm(outside - other, axis=(1, 2)) + 1e-9)
    halfway = (outside + found) / 2  # a nearer point that is not in the ball: the same test sees the difference
    assert not inside(ball, halfway)
    assert np.all(np.linalg.norm(outside - halfway, axis=(1, 2)) < distances)


@pytest.mark.parametrize("ball", BALLS, ids=repr)
def test_projection_keeps_what_is_inside(ball):
    within = 0.999 * points(ball, (4, 4), 20)
    np.testing.assert_array_equal(project(ball, within), within)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ball", BALLS, ids=repr)
def test_linear_maximiser_attains_the_support_function(ball, shape):
    gradients = RNG.normal(size=(5, *shape))
    found = linear_maximiser(ball, gradients)
    assert inside(ball, found)
    top = support(ball, gradients)
    np.testing.assert_allclose((gradients * found).sum((1, 2)), top, rtol=1e-9)
    for other in points(ball, shape, 400):
        assert np.all((gradients * other).sum((1, 2)) <= top * (1 + 1e-12))
    assert any(np.any((gradients * other).sum((1, 2)) > top / 4) for other in points(ball, shape, 400))
    assert not linear_maximiser(ball, np.zeros((1, *shape))).any()


def test_support_functions_of_a_diagonal_matrix():
    diagonal = np.diag([3.0, 2.0, -1.0])[None]
    assert support(NormBall("frobenius", 2.0), diagonal) == pytest.approx(2 * np.sqrt(14))
    assert support(NormBall("spectral", 2.0), diagonal) == pytest.approx(12)
    assert support(NormBall("rank", 2.0, 1), diagonal) == pytest.approx(6)
    assert support(NormBall("rank", 2.0, 2), diagonal) == pytest.approx(2 * np.sqrt(13))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ball", BALLS, ids=repr)
def test_random_points_have_the_size_asked_for(ball, shape):
    for scale in (1.0, 0.5, 0.0):
        found = random_point(ball, np.random.default_rng(0), (7, *shape), scale)
        assert inside(ball, found)
        np.testing.assert_allclose(size(ball, found), scale * ball.radius, rtol=1e-9)


@pytest.mark.parametrize("ball", BALLS, ids=repr)
def test_steps_stay_inside_and_climb(ball):
    """Repeated steps along a constant gradient come near the linear maximiser; every point on the way is feasible, and
    a step of length 1e-9 moves by about that much: a subspace iteration that misses the row space would jump."""
    shape = (5, 3)
    gradient = jnp.asarray(RNG.normal(size=(3, *shape)))
    point = jnp.asarray(0.3 * linear_maximiser(ball, RNG.normal(size=(3, *shape))))
    step = jax.jit(lambda x, reach: ascend(ball, x, gradient, reach))
    values = [float(jnp.sum(gradient * point))]
    moved = step(point, 1e-9)
    assert 0 < float(jnp.max(jnp.abs(moved - point))) < 1e-5
    for _ in range(40):
        point = step(point, 1.0)
        assert inside(ball, point)
        values.append(float(jnp.sum(gradient * point)))
    assert values[1] > values[0]
    assert values[-1] == pytest.approx(
        float(support(ball, np.asarray(gradient)).sum()), rel=3e-2 if ball.kind == "rank" else 1e-6
    )
    np.testing.assert_allclose(step(point, 0.0), point, atol=1e-5 if ball.kind == "rank" else 1e-13)
    assert inside(ball, step(point, 1e6))


def test_blocks_without_gradient_or_without_entries_stay():
    for ball in BALLS[:2]:
        point = jnp.asarray(project(ball, 0.1 * RNG.normal(size=(3, 3))))
        np.testing.assert_array_equal(ascend(ball, point, jnp.zeros((3, 3)), 1.0), point)
        empty = np.zeros((2, 0, 3))
        for found in (project(ball, empty), linear_maximiser(ball, empty), ascend(ball, empty, empty, 1.0)):
            assert found.shape == (2, 0, 3)
        assert random_point(ball, RNG, (2, 0, 3)).shape == (2, 0, 3)


def test_polar_factor():
    matrix = RNG.normal(size=(4, 5, 3))
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    np.testing.assert_allclose(polar(jnp.asarray(matrix)), left @ right, atol=1e-6)
    hard = np.diag([1.0, 1e-9, 0.0])
    assert np.linalg.norm(np.asarray(polar(jnp.asarray(hard))), 2) <= 1 + 1e-14
    assert np.linalg.norm(np.asarray(polar(jnp.asarray(1e-200 * matrix[0]))), 2) == pytest.approx(1.0)


def test_errors_advise():
    for arguments, advice in [
        (("nuclear", 1.0, 1), "frobenius, spectral, rank"),
        (("frobenius", -1.0, 1), "at least 0"),
        (("spectral", float("nan"), 1), "finite"),
        (("rank", 1.0, 0), "rank=1"),
        (("rank", 1.0, 9), "rank=4"),
    ]:
        with pytest.raises(ValueError, match=advice):
            norm_ball(*arguments, (4, 6))
