"""Least norms of score matrices against least-distance programming, a polygonal linear programme and known values."""

import itertools
import math

import mpmath
import numpy as np
import pytest
import sympy as sp
from scipy.optimize import linprog, nnls

from estimators.claim import Claim, check
from estimators.encoding_tables import code
from estimators.lookup import (
    closest_distance,
    compared_look_up,
    least_norm,
    lower_end,
    orthonormal_look_up,
    pair_distances,
    pair_look_up,
    problem,
    shift_look_up,
    upper_end,
)
from theory import lookup

SIDES = 240


def draw(seed, queries=4, keys=4, dim=2):
    rng = np.random.default_rng(seed)
    return problem(rng.normal(size=(queries, dim)), rng.normal(size=(keys, dim)), rng.permutation(keys)[:queries])


def constraints(made):
    """G_ij as rows, one for every query and wrong key, by definition."""
    pairs = itertools.product(range(len(made.queries)), range(len(made.keys)))
    return np.array(
        [
            np.outer(made.queries[i], made.keys[made.targets[i]] - made.keys[j]).ravel()
            for i, j in pairs
            if j != made.targets[i]
        ]
    )


def least_frobenius(made):
    """min |A|_F by least-distance programming (Lawson and Hanson): nonnegative least squares."""
    rows = constraints(made)
    matrix = np.vstack([rows.T, np.ones(len(rows))])
    target = np.r_[np.zeros(rows.shape[1]), 1.0]
    residual = matrix @ nnls(matrix, target)[0] - target
    scores = -residual[:-1] / residual[-1]
    assert (rows @ scores).min() > 1 - 1e-8
    return float(np.linalg.norm(scores))


def least_operator(made):
    """(low, high) around min |A| of 2 x 2 matrices: |A| = |z| + |w|, rotations z and reflections w in the plane, each
    length at least and at most cos(pi/sides) times less than the largest projection on `SIDES` directions."""
    basis = np.array([[1, 0, 0, 1], [0, -1, 1, 0], [1, 0, 0, -1], [0, 1, 1, 0]]).T  # (4, Re z, Im z, Re w, Im w)
    angles = 2 * math.pi * np.arange(SIDES) / SIDES
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    zero, one = np.zeros((SIDES, 2)), np.ones((SIDES, 1))
    rows = [np.hstack([circle, zero, -one, 0 * one]), np.hstack([zero, circle, 0 * one, -one])]
    margins = -np.hstack([constraints(made) @ basis, np.zeros((len(constraints(made)), 2))])
    found = linprog(
        [0, 0, 0, 0, 1, 1],
        A_ub=np.vstack([*rows, margins]),
        b_ub=np.r_[np.zeros(2 * SIDES), -np.ones(len(margins))],
        bounds=(None, None),
    )
    assert found.status == 0
    return found.fun * (1 - 1e-7), found.fun / math.cos(math.pi / SIDES) * (1 + 1e-7)


def solvable():
    """Seeds of random look-ups that some 2 x 2 matrix performs."""
    return [seed for seed in range(12) if _solvable(draw(seed))][:2]


def _solvable(made):
    return linprog(np.zeros(4), -constraints(made), -np.ones(12), bounds=(None, None)).status == 0


@pytest.mark.parametrize("dim", [3, 6])
@pytest.mark.parametrize("seed", range(2))
def test_frobenius_norm_by_least_distance_programming(dim, seed):
    made = draw(seed, queries=3, dim=dim)
    found, true = least_norm(made, 2.0), least_frobenius(made)
    assert found.lower * (1 - 1e-9) <= true <= found.upper * (1 + 1e-9)
    assert found.width < 1e-4 * true
    assert found.lower > true / 100


def test_operator_norm_by_a_linear_programme():
    seeds = solvable()
    assert len(seeds) >= 2
    for seed in seeds:
        made = draw(seed)
        found, (low, high) = least_norm(made, math.inf, steps=40), least_operator(made)
        assert found.lower <= high
        assert found.upper >= low
        assert found.width < 0.05 * low
        assert found.lower > high / 100


def test_one_dimension_is_solved_by_hand():
    # a (k_2 - k_1) >= 1 and 2 a (k_1 - k_2) fails: with targets (1, 1) a = 1/min(q)
    made = problem([[1.0], [2.0]], [[0.0], [4.0]], [1, 1])
    for exponent in (2.0, math.inf):
        assert 0.25 in least_norm(made, exponent)


@pytest.mark.parametrize("exponent", [2.0, 4.0, math.inf])
def test_each_end_is_a_certificate_for_itself(exponent):
    made, rng = draw(1, queries=3, keys=4, dim=4), np.random.default_rng(0)
    found, rows = least_norm(made, exponent), constraints(draw(1, queries=3, keys=4, dim=4))
    for _ in range(20):
        weights = np.where(made.free, rng.exponential(size=made.free.shape), 0.0)
        singular = np.linalg.svd((weights[made.free] @ rows).reshape(4, 4), compute_uv=False)
        dual = 1 if math.isinf(exponent) else exponent / (exponent - 1)
        value = weights.sum() / (singular**dual).sum() ** (1 / dual)
        assert lower_end(made, weights, exponent) == pytest.approx(value, rel=1e-11)
        assert lower_end(made, weights, exponent) <= found.upper
        scores = rng.normal(size=(4, 4))
        margin = (rows @ scores.ravel()).min()
        assert (upper_end(made, scores, exponent) == math.inf) == (margin <= 0)
    scores = np.linalg.lstsq(rows, np.ones(len(rows)), rcond=None)[0].reshape(4, 4)
    margin = (rows @ scores.ravel()).min()
    assert margin > 0
    sizes = np.linalg.svd(scores, compute_uv=False)
    norm = sizes.max() if math.isinf(exponent) else (sizes**exponent).sum() ** (1 / exponent)
    assert upper_end(made, scores, exponent) == pytest.approx(norm / margin, rel=1e-10)
    assert upper_end(made, scores, exponent) >= found.lower


@pytest.mark.parametrize("shift", [0, 1, -5])
def test_sinusoidal_shifts_at_32(shift):
    with mpmath.workdps(30):  # power d/2 = 16 before scaling
        gap = 4 * mpmath.fsum(mpmath.sin(mpmath.mpf(10000) ** (-mpmath.mpf(i) / 16) / 2) ** 2 for i in range(16))
        known = float(2 / (gap / 16))
    assert known == pytest.approx(23.3117, abs=5e-5)
    case = {"table": code("sinusoidal", 32, 32).tolist(), "shift": shift, "margin": 1.0}
    found = shift_look_up(**case).estimate
    assert found.lower == pytest.approx(known, rel=1e-6)
    assert found.upper == pytest.approx(known, rel=1e-6)
    claim = Claim(lookup.shift_norm, shift_look_up, lambda *_: [])
    assert check("", claim, case | {"margin": 3.0}).bound == pytest.approx(3 * known)
    assert check("", claim, case, factor=sp.Rational(99, 100)).verdict == "violated"


@pytest.mark.parametrize("count", [2, 5, 9])
def test_orthonormal_rows(count):
    table = np.random.default_rng(count).normal(size=(count, 9)).tolist()
    case = {"table": table, "targets": list(range(count))[::-1], "margin": 2.0}
    frobenius = orthonormal_look_up(**case, exponent=2.0)
    assert frobenius.estimate.lower == pytest.approx(2 * math.sqrt(count - 1), rel=1e-9)
    assert frobenius.estimate.upper == pytest.approx(2 * math.sqrt(count - 1), rel=1e-9)
    assert frobenius.parameters == {"margin": 2.0, "position_count": count}
    operator = orthonormal_look_up(**case, exponent=math.inf).estimate
    assert operator.lower == pytest.approx(2.0, rel=1e-9)
    assert operator.upper == pytest.approx(2.0, rel=1e-9)


def test_distances_of_pairs_by_enumeration():
    made = draw(5, queries=4, keys=6, dim=3)
    pairs = itertools.combinations(range(4), 2)
    norm, q, k = np.linalg.norm, made.queries, made.keys[made.targets]
    true = min((norm(q[i] - q[j]) * norm(k[i] - k[j]), norm(q[i] - q[j])) for i, j in pairs)
    first, second = pair_distances(made)
    assert (first * second, first) == pytest.approx(true)
    table = made.keys
    closest = min(norm(table[i] - table[j]) for i, j in itertools.combinations(range(6), 2))
    assert closest_distance(table) == pytest.approx(closest)
    assert pair_distances(problem([[1.0], [2.0]], [[0.0], [4.0]], [1, 1])) == (math.inf, math.inf)


def test_a_pair_bounds_the_operator_norm():
    table = code("cosine", 4, 4).tolist()
    found = pair_look_up(table=table, targets=[1, 2, -1, 0], margin=1.0)
    product = found.parameters["query_distance"] * found.parameters["key_distance"]
    assert found.estimate.upper >= 2 / product
    other = compared_look_up(table=table, reference=[[0.0], [3.0], [4.5]], margin=2.0)
    assert other.parameters["closest_distance"] == 1.5
    assert other.estimate.upper >= 2 * found.estimate.lower / 100


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: problem([[1.0]], [[1.0]], [0]), "add positions"),
        (lambda: problem([1.0], [[1.0], [2.0]], [0]), "add positions"),
        (lambda: problem([[math.nan]], [[1.0], [2.0]], [0]), "finite"),
        (lambda: problem([[1.0]], [[1.0], [2.0]], [2]), "0 .. 1"),
        (lambda: problem([[1.0]], [[1.0], [2.0]], [0, 1]), "0 .. 1"),
        (lambda: least_norm(draw(0), 1.0), "use 2 for Frobenius"),
        (lambda: least_norm(draw(0), math.nan), "use 2 for Frobenius"),
        (lambda: least_norm(problem([[1.0], [1.0]], [[1.0], [2.0]], [0, 1]), 2.0), "drop one"),
        (lambda: pair_look_up(table=[[1.0], [2.0]], targets=[0], margin=1.0), "one target per row"),
        (lambda: pair_look_up(table=[[1.0], [2.0]], targets=[-1, -1], margin=1.0), "add positions"),
        (lambda: pair_look_up(table=[[1.0], [2.0]], targets=[0, 1], margin=-1.0), "margin must be positive"),
        (lambda: shift_look_up(table=[[1.0], [2.0]], shift=2, margin=1.0), "add positions"),
        (lambda: shift_look_up(table=[], shift=0, margin=1.0), "one target per row"),
        (lambda: compared_look_up(table=[[1.0], [2.0]], reference=[[1.0]], margin=1.0), "two rows"),
        (
            lambda: orthonormal_look_up(table=[[1.0], [2.0]], targets=[0, 1], margin=1.0, exponent=2.0),
            "use fewer positions",
        ),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
