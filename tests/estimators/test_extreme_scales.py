"""Counterexamples of a review, kept: underflow, cancellation, overflow and tiny sums must not break a certificate."""

import math
from fractions import Fraction

import numpy as np
import pytest

from estimators.bracket import bracket
from estimators.hypotheses import Constraints, Effort, Frozen, ordered
from estimators.hypotheses_query import Query
from estimators.signs import all_sign_classes
from estimators.supremum.box_bounds import _top_eigenvalue
from estimators.supremum.certificates import box_tilted_support


def enumerated(hypotheses, **options):
    return bracket(hypotheses, all_sign_classes(len(hypotheses.keys)), enumerated=True, **options).estimate


def scalar(values, keys=None, bias=None, cls=Query, **constraints):
    values = np.array(values, dtype=float).reshape(1, -1, 1)
    keys = np.zeros_like(values) if keys is None else np.array(keys, dtype=float).reshape(1, values.shape[1], -1)
    bias = np.zeros(values.shape[1]) if bias is None else np.array(bias, dtype=float)
    return cls(keys, values, bias, Constraints(**constraints))


def test_box_tilted_support_survives_wide_boxes():
    assert box_tilted_support(np.array([[1.0, 0.0]]), np.zeros(2), np.array([[1.0, 800.0]]))[0] == 1.0


def test_hull_with_huge_keys_keeps_the_maximiser():
    found = enumerated(scalar([0, 0, 1], keys=[[1000, 1000], [-1000, -1000], [100, -100]]))
    assert found.lower <= 1 <= found.upper
    assert found.lower > 0.99


@pytest.mark.parametrize("cls", [Frozen, Query])
@pytest.mark.parametrize("values", [(0.1, 0.2, -0.3), (1e16, 2, -1e16), (1e16, 3, -1e16)])
def test_cancelling_values(values, cls):
    exact = abs(float(sum(map(Fraction, values)) / 3))
    found = enumerated(scalar(values, cls=cls))
    assert found.lower <= exact <= found.upper


@pytest.mark.parametrize("bias", [(0, 0, -356), (0, 0, -365), (0, 0, -700), (700, 700, 0)])
def test_tiny_sums_give_no_nan(bias):
    found = enumerated(scalar([1, -1, 5], keys=[1, -1, 0], bias=bias))
    assert found.lower <= math.tanh(1) * (1 + 1e-12)
    assert found.upper >= math.tanh(1) * (1 - 1e-12)
    assert found.upper / found.lower < 1.02


@pytest.mark.parametrize("ball", ["l2", "l1"])
@pytest.mark.parametrize("exponent", [-540, -300, -100, 100, 300])
def test_powers_of_two_only_scale_the_result(exponent, ball):
    rng = np.random.default_rng(8)
    keys = rng.standard_normal((3, 4, 2)) / 2
    values = rng.standard_normal((3, 4, 2))
    values += 0.05 * rng.standard_normal((3, 4, 2)) - values.mean(1, keepdims=True)
    scale = math.ldexp(1.0, exponent)
    plain = Query(keys, values, np.zeros(4), Constraints(1.0, 1.0, ball)).suprema(all_sign_classes(3), Effort())
    for scaled in (
        Query(keys, values * scale, np.zeros(4), Constraints(1.0, 1.0, ball)),
        Query(keys * scale, values * scale, np.zeros(4), Constraints(1.0, 1 / scale, ball)),
    ):
        found = scaled.suprema(all_sign_classes(3), Effort())
        np.testing.assert_array_equal(found.lower, plain.lower * scale)
        np.testing.assert_array_equal(found.upper, plain.upper * scale)


def test_many_key_dimensions_round_within_the_allowance():
    dim, radius, x = 20000, 3.0, 1.9972
    keys = np.stack([np.full(dim, x), np.full(dim, -x)])[None]
    bias = np.array([0.0, 2 * radius * x * math.sqrt(dim)])
    query = Query(keys, np.array([[[1.0], [-1.0]]]), bias, Constraints(1.0, radius))
    assert query.rounding > 3.98e-10 / query.readout_norm


def test_top_eigenvalue_near_a_multiple_of_the_identity():
    rng = np.random.default_rng(0)
    for dim in (2, 3, 4):
        for _ in range(200):
            noise = rng.standard_normal((dim, dim)) * 1e-8
            matrix = 1.3 * np.eye(dim) + noise + noise.T
            rows, columns = np.triu_indices(dim)
            pairs = matrix[rows, columns] * np.where(rows == columns, 1, np.sqrt(2))
            assert float(_top_eigenvalue(list(pairs), dim)) >= np.linalg.eigvalsh(matrix)[-1] - 1e-15


def test_contradictions_are_reported_not_hidden():
    with pytest.raises(ValueError, match="fault of this program"):
        ordered(np.array([1.0]), np.array([0.5]), 1e-9)
    low, high = ordered(np.array([1.0 + 1e-13]), np.array([1.0]), 1e-12)
    assert low <= high
