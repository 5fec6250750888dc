"""Nearest neighbours, counts and the estimators made of them, against loops by the formulas."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import digamma

from estimators.information_nearest import gao, ksg, ross
from estimators.information_neighbours import TIE, counts, nearest, nearest_of_class


def distances(points):
    return np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))


def by_loop_nearest(table, allowed, k):
    """Distance to the k-th of the allowed others, and the number of them as near."""
    radii, within = [], []
    for i, row in enumerate(table):
        others = np.sort(np.delete(row, i)[np.delete(allowed[i], i)])
        radii.append(others[k - 1])
        within.append(int((others <= others[k - 1] * (1 + TIE)).sum()))
    return np.array(radii), np.array(within)


def by_loop_ross(labels, points, k):
    table, n = distances(points), len(points)
    same = labels[:, None] == labels[None]
    radii, within = by_loop_nearest(table, same, k)
    terms = [
        digamma(within[i]) - digamma(same[i].sum()) - digamma((table[i] <= radii[i] * (1 + TIE)).sum() - 1)
        for i in range(n)
    ]
    return digamma(n) + np.mean(terms)


def by_loop_pairs(x, y, k, mixed):
    """KSG 1, or Gao et al. with self-counts."""
    x, y = (p / math.sqrt(((p - p.mean(axis=0)) ** 2).sum(axis=1).mean()) for p in (x, y))
    first, second = distances(x), distances(y)
    joint, n, total = np.maximum(first, second), len(x), 0.0
    for i in range(n):
        radius = np.sort(np.delete(joint[i], i))[k - 1]
        if mixed and radius == 0:
            inside, seen = [(t[i] == 0).sum() for t in (first, second)], (joint[i] == 0).sum()
        else:
            inside, seen = [(np.delete(t[i], i) < radius * (1 - TIE)).sum() + 1 for t in (first, second)], k
        total += digamma(seen) - digamma(inside[0]) - digamma(inside[1])
    return total / n + (math.log(n) if mixed else digamma(n))


CLOUDS = {
    "normal": lambda rng, n, d: rng.standard_normal((n, d)),
    "far from 0": lambda rng, n, d: 1e6 + rng.standard_normal((n, d)),
    "outliers": lambda rng, n, d: rng.standard_cauchy((n, d)) ** 3,
    "lattice": lambda rng, n, d: rng.integers(0, 3, (n, d)).astype(float),
    "one point": lambda rng, n, d: np.full((n, d), 0.3),
}


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("dim", [1, 5, 20])
def test_tree_and_blocks_find_what_loops_find(cloud, dim, monkeypatch):
    rng = np.random.default_rng(dim)
    x = CLOUDS[cloud](rng, 240, dim)
    y = CLOUDS[cloud](rng, 240, 2)
    classes = rng.integers(3, size=240)
    classes[classes == 0] = np.where(np.arange((classes == 0).sum()) < 2, 0, 1)  # a class of two points
    monkeypatch.setattr("estimators.information_blocks.BLOCK", 7000)
    monkeypatch.setattr("estimators.information_blocks.PILOT", 30)
    monkeypatch.setattr("estimators.information_neighbours.CHUNK", 3000)
    everything = np.ones((240, 240), dtype=bool)
    for parts in ([x], [x, y]):
        table = np.max([distances(part) for part in parts], axis=0)
        radii, within = by_loop_nearest(table, everything, 4)
        for tree in (True, False):
            found = nearest(parts, 4, tree=tree)
            np.testing.assert_allclose(found.radii, radii, rtol=1e-12)
            np.testing.assert_array_equal(found.within, within)
            for part in parts:
                own = distances(part)
                for limits in (found.closed, found.opened, 3 * found.closed):
                    expected = np.where(limits >= 0, (own <= limits[:, None]).sum(axis=1) - 1, 0)
                    np.testing.assert_array_equal(counts(part, limits, tree=tree), expected)
    big = classes > 0
    radii, within = by_loop_nearest(distances(x[big]), classes[big, None] == classes[None, big], 4)
    for tree in (True, False):
        found = nearest_of_class(x, classes, 4, tree=tree)
        np.testing.assert_allclose(found.radii[big], radii, rtol=1e-12)
        np.testing.assert_array_equal(found.within[big], within)
        assert np.isinf(found.radii[~big]).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 10), st.booleans())
def test_estimators_are_their_formulas(seed, k, dim, lattice):
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(4), 15)
    points = CLOUDS["lattice" if lattice else "normal"](rng, 60, dim) + (0 if lattice else labels[:, None])
    assert ross(labels, points, neighbours=k) == pytest.approx(by_loop_ross(labels, points, k), abs=1e-12)
    if lattice:
        return
    x = labels[:, None] + rng.standard_normal((60, 2))
    assert ksg(x, points, neighbours=k) == pytest.approx(by_loop_pairs(x, points, k, False), abs=1e-12)
    assert gao(x, points, neighbours=k) == pytest.approx(by_loop_pairs(x, points, k, True), abs=1e-12)
    repeated = np.repeat(points[:10], 6, axis=0)
    x = np.repeat(x[:20], 3, axis=0)
    assert gao(x, repeated, neighbours=2) == pytest.approx(by_loop_pairs(x, repeated, 2, True), abs=1e-12)
    assert gao(labels, points, neighbours=k, label_distance=math.inf) - ross(
        labels, points, neighbours=k
    ) == pytest.approx(math.log(60) - digamma(60), abs=1e-12)


def test_memory_is_bounded_by_blocks():
    rng = np.random.default_rng(15)
    labels, points = rng.integers(4, size=6000), rng.standard_normal((6000, 16))
    tracemalloc.start()
    ross(labels, points)
    ksg(points[:, :8], points[:, 8:])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 120e6  # all pairs would take 288 MB a table
