"""One head and its Jacobian against a head written in loops and differentiated by complex steps."""

import cmath
import inspect
import itertools
import math

import numpy as np
import pytest

from estimators.attention_map import (
    at,
    attention_map,
    backward_derivative,
    column_mass,
    constants,
    encoding_arrays,
    forward_derivative,
    jacobian,
    outputs,
    spectral,
)
from theory.encodings import ENCODINGS

LENGTH, DIM = 4, 4


def draw(seed=0, length=LENGTH, dim=DIM):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(length, dim)), *rng.normal(size=(3, dim, dim))


def by_hand(x, query, value, code, logit, seen):
    """f(X) with logit(i, j, q_i, z_j), written row by row, analytic in X."""
    z = x + code
    rows = []
    for i in range(len(x)):
        keys = [j for j in range(len(x)) if seen(i, j)]
        raised = np.exp([logit(i, j, query @ z[i], z[j]) for j in keys])
        weights = raised / raised.sum()
        rows.append(value @ sum(w * z[j] for w, j in zip(weights, keys, strict=True)))
    return np.stack(rows)


def derivative(function, x, step=1e-30):
    """The Jacobian by complex steps: no difference is taken, so nothing cancels."""
    columns = []
    for place in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[place] += 1j * step
        columns.append(function(moved).imag.ravel() / step)
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("name", ENCODINGS)
def test_jacobian_is_the_derivative_by_complex_steps(name, causal):
    x, query, key, value = draw(len(name))
    code, bias, rotations, relative = encoding_arrays(name, LENGTH, DIM, causal, 0)
    origin = LENGTH - 1

    def logit(i, j, q, z):
        offset = origin + i - j
        return z @ key.T @ (rotations[offset] @ q) + (key @ relative[offset]) @ q + bias[i, j]

    def seen(i, j):
        return np.isfinite(bias[i, j])

    def function(tokens):
        return by_hand(tokens, query, value, code, logit, seen)

    head = attention_map(name, query, key, value, length=LENGTH, causal=causal)
    np.testing.assert_allclose(outputs(head, x), function(x), rtol=0, atol=1e-12)
    true = derivative(function, x)
    np.testing.assert_allclose(jacobian(head, x), true, rtol=0, atol=1e-11)
    assert np.isfinite(bias).all() != causal
    rng = np.random.default_rng(1)
    moved, weight = rng.normal(size=(2, LENGTH, DIM))
    point = at(head, x)
    np.testing.assert_allclose(forward_derivative(head, point, moved).ravel(), true @ moved.ravel(), atol=1e-11)
    np.testing.assert_allclose(backward_derivative(head, point, weight).ravel(), true.T @ weight.ravel(), atol=1e-11)


@pytest.mark.parametrize(("head", "slope"), [(0, 0.5), (2, 0.125)])
def test_alibi_subtracts_its_slope_times_the_distance(head, slope):
    x, query, key, value = draw(3)
    made = attention_map("alibi", query, key, value, length=LENGTH, causal=True, head=head)
    found = by_hand(x, query, value, 0, lambda i, j, q, z: (key @ z) @ q - slope * (i - j), lambda i, j: j <= i)
    np.testing.assert_allclose(outputs(made, x), found, atol=1e-12)


def test_rotary_turns_query_and_key_by_their_positions():
    x, query, key, value = draw(4)
    made = attention_map("rotary", query, key, value, length=LENGTH, causal=False)

    def turned(v, position):
        pairs = [complex(*v[k : k + 2]) for k in range(0, DIM, 2)]
        return [p * cmath.exp(1j * position * 10000 ** (-2 * k / DIM)) for k, p in enumerate(pairs)]

    for i in range(LENGTH):
        logits = [
            sum((a.conjugate() * b).real for a, b in zip(turned(query @ x[i], i), turned(key @ x[j], j), strict=True))
            for j in range(LENGTH)
        ]
        weights = np.exp(logits) / np.exp(logits).sum()
        np.testing.assert_allclose(outputs(made, x)[i], value @ (weights @ x), atol=1e-12)


def test_sinusoidal_table_has_mean_power_one():
    code, bias, rotations, relative = encoding_arrays("sinusoidal", 5, DIM, False, 0)
    angles = np.arange(5)[:, None] * [1.0, 0.01]
    expected = np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(5, DIM) / math.sqrt(2)
    np.testing.assert_allclose(code, expected, atol=1e-14)
    assert not bias.any()
    assert not relative.any()
    np.testing.assert_array_equal(rotations, np.broadcast_to(np.eye(DIM), rotations.shape))


@pytest.mark.parametrize("name", ["none", "sinusoidal", "rotary", "alibi", "relative"])
def test_no_logit_of_the_ball_passes_the_logit_bound(name):
    _, query, key, value = draw(5)
    head = attention_map(name, query, key, value, length=LENGTH, causal=False)
    bound = constants(head, 1.5).logit_bound
    rng, largest = np.random.default_rng(0), 0.0
    for _ in range(300):
        x = rng.normal(size=(LENGTH, DIM))
        point = at(head, 1.5 * x / np.linalg.norm(x, axis=1, keepdims=True))
        logits = np.log(point.weights) - head.bias
        largest = max(largest, float(np.ptp(logits, axis=1).max()) / 2)
    assert bound / 100 < largest <= bound


def test_logit_bound_without_encoding_is_attained():
    _, query, key, value = draw(6)
    head = attention_map("none", query, key, value, length=2, causal=False)
    left, singular, right = np.linalg.svd(key.T @ query)
    best = (1.5 * left[:, 0]) @ (key.T @ query) @ (1.5 * right[0])
    found = constants(head, 1.5)
    assert found.logit_bound == pytest.approx(singular[0] * 2.25, rel=1e-12)
    assert best <= found.logit_bound <= best * (1 + 1e-12)
    assert found.value_operator_norm == pytest.approx(math.sqrt(np.linalg.eigvalsh(value.T @ value)[-1]))


@pytest.mark.parametrize("name", ["none", "alibi"])
@pytest.mark.parametrize("causal", [True, False])
def test_column_mass_is_the_largest_over_all_corners_of_the_logits(name, causal):
    bias, bound = encoding_arrays(name, 3, DIM, causal, 0)[1], 0.7
    columns = np.zeros((3, 3))
    for i in range(3):
        for corner in itertools.product((-bound, bound), repeat=3):
            raised = np.exp(bias[i] + corner)
            columns[i] = np.maximum(columns[i], raised / raised.sum())
    true = columns.sum(axis=0).max()
    assert column_mass(bias, bound) == pytest.approx(true, rel=1e-13)
    assert column_mass(bias, 0.99 * bound) < true


def test_spectral_norm_is_the_largest_of_a_stack():
    stack = np.stack([np.diag([1.0, -3.0]), np.diag([2.0, 0.5])])
    assert spectral(stack) == pytest.approx(3.0)
    assert spectral(stack[1]) == pytest.approx(2.0)


def test_matrices_of_different_size_are_refused():
    unchecked = inspect.unwrap(attention_map)  # the shapes are checked in tests only
    with pytest.raises(ValueError, match="pad them with zeros"):
        unchecked("none", np.eye(2), np.eye(2), np.eye(3), length=2, causal=False)
    with pytest.raises(ValueError, match="pad them with zeros"):
        unchecked("none", np.ones((1, 2)), np.ones((1, 2)), np.eye(2), length=2, causal=False)
    with pytest.raises(ValueError, match="use 'alibi'"):
        attention_map("alibbi", np.eye(2), np.eye(2), np.eye(2), length=2, causal=False)
