"""Jacobian norms of attention by complex steps, attention received in 50 digits, and the ascent."""

import math

import mpmath
import numpy as np
import pytest
import sympy as sp

from estimators.attention_lipschitz import (
    ascend,
    growing_jacobian_norm,
    in_ball,
    jacobian_norm,
    l2_jacobian_norm,
    power_iteration,
    received_attention,
    rms_norm_derivative,
)
from estimators.attention_map import at, attention_map
from estimators.claim import Claim, check
from theory import attention

CASE = {"encoding": "none", "radius": 1.0, "causal": False}


def largest(function, point):
    """Largest singular value of the derivative, by complex steps: nothing cancels."""
    columns = []
    for place in np.ndindex(point.shape):
        moved = point.astype(complex)
        moved[place] += 1e-30j
        columns.append(function(moved).imag.ravel() / 1e-30)
    return float(np.linalg.norm(np.stack(columns, axis=1), 2))


def softmax(logits):
    raised = np.exp(logits - logits.real.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def plain(x, query, key, value):
    return softmax((x @ query.T) @ (x @ key.T).T) @ x @ value.T


def draw(seed, length=5, dim=3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(length, dim)), *rng.normal(size=(3, dim, dim))


def contains(estimate, value, width=1e-9):
    return value in estimate and estimate.width < width * max(1.0, value)


@pytest.mark.parametrize("seed", range(3))
def test_jacobian_norm_without_encoding(seed):
    x, query, key, value = draw(seed)
    case = CASE | {"tokens": x.tolist(), "query": query.tolist(), "key": key.tolist(), "value": value.tolist()}
    found = jacobian_norm(**case, words=("length", "logit_bound", "value_operator_norm", "column_mass"))
    inside = x * np.minimum(1, 1 / np.linalg.norm(x, axis=1))[:, None]
    assert contains(found.estimate, largest(lambda t: plain(t, query, key, value), inside))
    assert found.parameters["length"] == 5
    assert found.parameters["logit_bound"] == pytest.approx(np.linalg.norm(key.T @ query, 2))
    assert check("", Claim(attention.lipschitz, jacobian_norm, lambda *_: []), case).verdict == "holds"


def test_growth_with_radius_and_its_twin():
    claim = Claim(attention.growth_with_radius, growing_jacobian_norm, lambda *_: [])
    for bound in (0.0, 1.0, 30.0):
        tokens = np.array([[0.0, 0.0], *([[(-1.0) ** t, 0.0] for t in range(4)])])
        matrix = np.diag([bound, 0.0])
        true = largest(lambda x, m=matrix: plain(x, m, np.diag([1.0, 0.0]), 2 * np.eye(2)), tokens)
        case = {"length": 5, "logit_bound": bound, "value_norm": 2.0}
        assert contains(growing_jacobian_norm(**case).estimate, true)
        assert check("", claim, case).verdict == "holds"
        assert check("", claim, case, factor=sp.Rational(1, 100)).verdict == "violated"


@pytest.mark.parametrize("causal", [True, False])
def test_received_attention_in_50_digits(causal):
    s = np.random.default_rng(2).normal(size=(4, 4))
    found = received_attention(logits=s.tolist(), logit_bound=1.7, causal=causal, slope=0.25)
    with mpmath.workdps(50):
        columns = [mpmath.mpf(0)] * 4
        for i in range(4):
            keys = range(i + 1 if causal else 4)
            raised = [mpmath.exp(mpmath.mpf(x) - abs(i - j) / mpmath.mpf(4)) for j, x in enumerate(_scaled(s, 1.7)[i])]
            for j in keys:
                columns[j] += raised[j] / sum(raised[k] for k in keys)
        true = max(columns)
        assert mpmath.mpf(found.estimate.lower) <= true <= mpmath.mpf(found.estimate.upper)
    assert found.estimate.width < 1e-14


def _scaled(s, bound):
    return s * (bound / np.abs(s).max())


def test_bound_on_received_attention_is_attained_and_its_twin_fails():
    length, bound = 6, 1.25
    worst = np.where(np.arange(length) == 2, 1.0, -1.0) * np.ones((length, 1))
    claim = Claim(attention.unmasked_mass, received_attention, lambda *_: [])
    case = {"logits": worst.tolist(), "logit_bound": bound, "causal": False}
    closed = length / (1 + (length - 1) * math.exp(-2 * bound))
    assert received_attention(**case).estimate.lower == pytest.approx(closed, rel=1e-14)
    assert check("", claim, case).slack == pytest.approx(1, abs=1e-12)
    assert check("", claim, case, factor=sp.Rational(99, 100)).verdict == "violated"


@pytest.mark.parametrize("dim", [1, 4])
def test_rms_norm_derivative(dim):
    rng = np.random.default_rng(dim)
    for size in (1e-3, 1.0, 50.0):
        x, gains = size * rng.normal(size=dim), rng.normal(size=dim)
        found = rms_norm_derivative(point=x.tolist(), gains=gains.tolist(), epsilon=1e-4)
        true = largest(lambda t, g=gains: g * t / np.sqrt(np.mean(t * t) + 1e-4), x)
        assert found.estimate.lower - 1e-12 * true <= true <= found.estimate.upper + 1e-12 * true
        assert found.estimate.width < 1e-9 * true + 1e-12
    gains = [0.5, -2.0]
    origin = rms_norm_derivative(point=[0.0, 0.0], gains=gains, epsilon=0.01)
    assert origin.estimate.lower == pytest.approx(20.0, rel=1e-15)
    claim = Claim(attention.rms_norm, rms_norm_derivative, lambda *_: [])
    case = {"point": [0.0, 0.0], "gains": gains, "epsilon": 0.01}
    assert check("", claim, case, factor=sp.Rational(99, 100)).verdict == "violated"


@pytest.mark.parametrize("seed", range(3))
def test_l2_attention(seed):
    x, query, _, value = draw(seed, length=4, dim=2)

    def function(tokens):
        y = tokens @ query.T / 2**0.25
        squares = np.sum((y[:, None] - y[None]) ** 2, axis=2)
        return softmax(-squares) @ y @ query @ value.T / 2**0.25

    found = l2_jacobian_norm(tokens=x.tolist(), query=query.tolist(), value=value.tolist())
    assert contains(found.estimate, largest(function, x))
    spread = found.parameters["attended_spread"]
    assert spread * math.exp(spread + 1) == pytest.approx(3, rel=1e-12)


def test_power_iteration_approaches_the_norm_from_below():
    x, query, key, value = draw(7)
    head = attention_map("none", query, key, value, length=5, causal=False)
    true = largest(lambda t: plain(t, query, key, value), x)
    start = np.random.default_rng(0).normal(size=x.shape)
    found, direction, image = power_iteration(head, at(head, x), start, 200)
    assert true * (1 - 1e-6) < found.lower <= true * (1 + 1e-12)
    assert found.upper == math.inf
    assert np.linalg.norm(direction) == pytest.approx(1)
    assert np.linalg.norm(image) == pytest.approx(1)


def test_ascent_stays_in_the_ball_and_gains():
    x, query, key, value = draw(8)
    head = attention_map("none", 2 * query, key, value, length=5, causal=False)
    start = in_ball(x, 0.8)
    found = ascend(head, x, 0.8, steps=15, rng=np.random.default_rng(0))
    assert np.linalg.norm(found, axis=1).max() <= 0.8 * (1 + 1e-12)
    norms = [largest(lambda t: plain(t, 2 * query, key, value), one) for one in (start, found)]
    assert norms[1] > 1.05 * norms[0]


def test_only_tokens_outside_the_ball_move():
    found = in_ball([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]], 1.0)
    np.testing.assert_allclose(found, [[0.6, 0.8], [0.3, 0.4], [0.0, 0.0]], atol=1e-15)


EYE = np.eye(2).tolist()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: in_ball([1.0, 2.0], 1.0), "one row per token"),
        (lambda: in_ball([[math.nan]], 1.0), "finite"),
        (lambda: in_ball([[1.0]], 0.0), "use the largest norm"),
        (lambda: in_ball([[1.0]], math.nan), "use the largest norm"),
        (lambda: received_attention(logits=[[1.0, 2.0]], logit_bound=1.0, causal=True), "one row per query"),
        (lambda: received_attention(logits=[[math.nan]], logit_bound=1.0, causal=True), "finite"),
        (lambda: received_attention(logits=[[1.0]], logit_bound=math.nan, causal=True), "logit_bound"),
        (lambda: growing_jacobian_norm(length=4, logit_bound=1.0, value_norm=1.0), "length=5"),
        (lambda: rms_norm_derivative(point=[1.0], gains=[1.0, 2.0], epsilon=1.0), "one length"),
        (lambda: rms_norm_derivative(point=[1.0], gains=[1.0], epsilon=0.0), "epsilon > 0"),
        (lambda: rms_norm_derivative(point=[math.nan], gains=[1.0], epsilon=1.0), "finite"),
        (lambda: l2_jacobian_norm(tokens=[[1.0, 2.0]], query=[[1.0]], value=EYE), "d x d"),
        (lambda: l2_jacobian_norm(tokens=[[math.nan, 2.0]], query=EYE, value=EYE), "finite"),
        (lambda: jacobian_norm(**CASE, tokens=[[]], query=EYE, key=EYE, value=EYE), "one row per token"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
