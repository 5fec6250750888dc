"""estimators/adversary.py on functions whose maximum is known."""

import numpy as np
import pytest

from estimators.adversary import climb, highest


def bowl(points):
    return -((points - np.array([1.0, -2.0, 0.5])) ** 2).sum(axis=1)


@pytest.mark.parametrize("seed", range(3))
def test_climb_finds_the_top_of_a_bowl(seed):
    found = climb(bowl, np.full(3, 5.0), np.random.default_rng(seed))
    assert found == pytest.approx([1.0, -2.0, 0.5], abs=1e-4)


@pytest.mark.parametrize("start", [[0.0, 3.0], [-1.0, 1e-3]])
def test_climb_meets_ties_exactly(start):
    """The top of -|x - y| is a tie, which copied numbers hit; a Gaussian step never does."""
    found = climb(lambda x: -np.abs(x[:, 0] - x[:, 1]), np.array(start), np.random.default_rng(0))
    assert found[0] == found[1]


def test_climb_never_loses_height_and_passes_over_what_is_undefined():
    def undefined(points):
        return np.where(points[:, 0] > 1, np.nan, np.where(points[:, 0] > 0.9, np.inf, points[:, 0]))

    for start in (-3.0, 0.5):
        found = climb(undefined, np.array([start]), np.random.default_rng(1), generations=60)
        assert max(start, 0.85) <= found[0] <= 0.9
    lost = climb(lambda x: np.full(len(x), np.nan), np.array([2.0, 1.0]), np.random.default_rng(1), generations=5)
    assert lost.tolist() == [2.0, 1.0]


def test_climb_crosses_scales():
    found = climb(lambda x: -np.abs(np.log10(np.abs(x[:, 0])) - 2), np.array([1e-2]), np.random.default_rng(2))
    assert abs(found[0]) == pytest.approx(1e2, rel=1e-3)


def test_same_generator_same_point():
    one, same, other = (climb(bowl, np.zeros(3), np.random.default_rng(s), generations=9) for s in (4, 4, 5))
    assert (one == same).all()
    assert (one != other).any()


def test_highest_is_the_best_of_its_starts():
    """Two hills, the higher one at 4; a short climb from -4 stays on the lower one."""

    def hills(points):
        x = points[:, 0]
        return np.maximum(1 - 100 * np.abs(x + 4), 2 - 100 * np.abs(x - 4))

    starts = np.array([[-4.0], [3.99], [-3.99]])
    assert highest(hills, starts, np.random.default_rng(0), generations=40)[0] == pytest.approx(4, abs=1e-3)
    assert highest(hills, starts[:1], np.random.default_rng(0), generations=1)[0] == pytest.approx(-4, abs=0.1)


@pytest.mark.parametrize("start", [np.zeros((2, 2)), np.zeros(0), np.array([1.0, np.nan])])
def test_bad_starts_are_refused(start):
    with pytest.raises((ValueError, TypeError), match="start"):
        climb(bowl, start, np.random.default_rng(0))
