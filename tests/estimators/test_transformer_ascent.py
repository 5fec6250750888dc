"""Lower ends over the Transformer class: attained, feasible, exact where a closed form exists, and reproducible."""

import dataclasses

import numpy as np
import pytest

from estimators.layer_features import layer_features
from estimators.signs import draw_signs
from estimators.supremum import transformer_ascent as module
from estimators.supremum.norm_balls import size
from estimators.supremum.transformer_ascent import identity_witness, transformer_ascent, transformer_witness
from estimators.transformer import Architecture, Parameters, forward
from theory.encodings import parse

N, T, D, H = 6, 4, 4, 2
TOKENS = np.random.default_rng(0).normal(size=(N, T, D))
SIGNS = draw_signs(0, 4, N)
TWO = Architecture(dim=D, layers=2, heads=H)
FEATURES = layer_features(parse("alibi", dim=D, train_length=T, heads=H), TOKENS, heads=H)
EFFORT = {"restarts": 2, "iterations": 12, "pool_points": 8}
KINDS = {
    "frobenius": {},
    "spectral": {"ball": "spectral", "normalise": True},
    "rank": {"ball": "rank", "rank": 1, "mlp_width": 3},
}


def attained(architecture, features, signs, parameters):
    """|sum_i eps_i x^L_T,i| of the returned parameters by the public forward pass."""
    found = []
    for k, one in enumerate(signs):
        blocks = Parameters(*(block[k] for block in parameters))
        found.append(np.linalg.norm(one @ np.asarray(forward(architecture, features, blocks))))
    return np.array(found)


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_attained_at_feasible_parameters(kind):
    architecture = dataclasses.replace(TWO, **KINDS[kind])
    found = transformer_witness(architecture, FEATURES, SIGNS, **EFFORT)
    np.testing.assert_allclose(attained(architecture, FEATURES, SIGNS, found.parameters), found.values, rtol=1e-12)
    assert found.failed == 0
    for ball, blocks in zip(architecture.balls, found.parameters, strict=True):
        if blocks.size:
            assert np.all(size(ball, blocks) < ball.radius)
            if ball.kind == "rank":
                values = np.linalg.svd(blocks, compute_uv=False)
                assert np.all(values[..., ball.rank :] <= 1e-12 * ball.radius)
    # A start of the pool is the origin, so the identity's value |sum eps x_T| is a floor; the ascent must beat it.
    floor = np.linalg.norm(SIGNS @ np.asarray(FEATURES.tokens)[:, -1], axis=1)
    assert np.all(found.values > 1.05 * floor)


def test_zero_attention_is_the_identity():
    """nu = 0, no MLP: exactly |sum eps x_T|; a wrong sign vector is caught."""
    none = dataclasses.replace(TWO, value_norm=0.0)
    values, _ = transformer_ascent(none, FEATURES, SIGNS, **EFFORT)
    expected = np.linalg.norm(SIGNS @ TOKENS[:, -1], axis=1)
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    assert not np.allclose(values, np.linalg.norm(-np.abs(SIGNS) @ TOKENS[:, -1], axis=1))


def single_layer(**fields):
    return Architecture(dim=D, layers=1, heads=H, **fields)


def frozen_heads(features):
    """S^h(0) (K, H, d): attention weights softmax_j(b_h(T-1-j)), values x_j."""
    bias = np.asarray(features.bias)[:, -1]
    weights = np.exp(bias - bias.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    return np.einsum("kn,ht,ntd->khd", SIGNS, weights, np.asarray(features.tokens))


@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("ball", ["frobenius", "spectral"])
def test_one_layer_without_logits_is_closed_form(ball, residual):
    """W = 0: |sum eps x_T| + nu sum_h |S^h(0)|, the first term only with residual connections; in the spectral ball
    too, since max_V |V S| = nu |S|."""
    nu = 0.8
    architecture = single_layer(ball=ball, logit_norm=0.0, value_norm=nu, residual=residual)
    values, failed = transformer_ascent(architecture, FEATURES, SIGNS, restarts=2, iterations=60, pool_points=8)
    exact = nu * np.linalg.norm(frozen_heads(FEATURES), axis=2).sum(axis=1)
    exact += np.linalg.norm(SIGNS @ TOKENS[:, -1], axis=1) if residual else 0.0
    assert failed == 0
    assert np.all(values <= exact * (1 + 1e-12))
    np.testing.assert_allclose(values, exact, rtol=1e-6)
    assert np.all(values > exact / 1.01)  # a bound 1 % too small would be refuted


def test_one_channel_against_a_grid():
    """One layer and head, d = 1: f = x_T + V sum_j alpha_j(W) x_j, |V| <= 1, |W| <= 3: a grid over W is exact."""
    tokens = np.random.default_rng(5).normal(size=(N, T, 1))
    features = layer_features(parse("none", dim=1, train_length=T), tokens, heads=1)
    architecture = Architecture(dim=1, logit_norm=3.0)
    values, _ = transformer_ascent(architecture, features, SIGNS, restarts=16, iterations=60, pool_points=32)
    grid = np.linspace(-3.0, 3.0, 60001)[:, None, None]
    logits = grid * tokens[None, :, -1:, 0] * tokens[None, :, :, 0]
    alpha = np.exp(logits - logits.max(axis=2, keepdims=True))
    heads = (alpha * tokens[None, :, :, 0]).sum(axis=2) / alpha.sum(axis=2)
    exact = np.abs(SIGNS @ tokens[:, -1, 0]) + np.abs(heads @ SIGNS.T).max(axis=0)
    assert np.all(values <= exact * (1 + 1e-6))
    np.testing.assert_allclose(values, exact, rtol=1e-6)


def test_larger_balls_never_lower_the_value():
    small = transformer_witness(TWO, FEATURES, SIGNS, **EFFORT)
    large = dataclasses.replace(TWO, logit_norm=1.3, value_norm=1.2)
    values, _ = transformer_ascent(large, FEATURES, SIGNS, **EFFORT, warm=small.parameters)
    assert np.all(values >= small.values)
    # The twin: without warm starts and without steps the larger class may well come out lower.
    poor, _ = transformer_ascent(large, FEATURES, SIGNS, restarts=1, iterations=0, pool_points=8)
    assert np.any(poor < small.values)
    # Warm starts outside the balls are brought inside.
    again = transformer_witness(
        dataclasses.replace(TWO, value_norm=0.5), FEATURES, SIGNS, **EFFORT, warm=small.parameters
    )
    assert again.parameters is not None
    assert np.all(np.linalg.norm(again.parameters.values, axis=(-2, -1)) < 0.5)


def test_values_do_not_depend_on_the_other_signs_or_the_batch():
    values, _ = transformer_ascent(TWO, FEATURES, SIGNS, **EFFORT)
    again, _ = transformer_ascent(TWO, FEATURES, SIGNS, **EFFORT)
    np.testing.assert_array_equal(values, again)
    first, _ = transformer_ascent(TWO, FEATURES, SIGNS[:3], **EFFORT)
    np.testing.assert_allclose(first, values[:3], rtol=1e-12)
    batched, _ = transformer_ascent(TWO, FEATURES, SIGNS, **EFFORT, chunk=3)
    np.testing.assert_allclose(batched, values, rtol=1e-9)
    kept = transformer_witness(TWO, FEATURES, SIGNS, **EFFORT)
    np.testing.assert_allclose(kept.values, values, rtol=1e-12)
    other, _ = transformer_ascent(TWO, FEATURES, SIGNS, **EFFORT, seed=1)
    assert not np.array_equal(values, other)
    np.testing.assert_allclose(transformer_ascent(TWO, FEATURES, -SIGNS, **EFFORT)[0], values, rtol=1e-9)


def test_small_memory_splits_the_sign_vectors(monkeypatch):
    whole = transformer_witness(TWO, FEATURES, SIGNS, **EFFORT)
    monkeypatch.setattr(module, "KEPT_BYTES", 1.0)
    monkeypatch.setattr(module, "WORKING_BYTES", 1.0)
    split = transformer_witness(TWO, FEATURES, SIGNS, **EFFORT)
    np.testing.assert_allclose(split.values, whole.values, rtol=1e-12)
    assert split.failed == 0


def test_overflowing_restarts_are_counted_and_never_become_numbers():
    wild = dataclasses.replace(TWO, logit_norm=1e308, value_norm=1e5)
    values, failed = transformer_ascent(wild, FEATURES, SIGNS, restarts=4, iterations=12, pool_points=8)
    assert failed > 0
    assert np.all(np.isfinite(values))
    floor = np.linalg.norm(SIGNS @ TOKENS[:, -1], axis=1)
    assert np.all(values >= floor * (1 - 1e-12))
    huge = FEATURES._replace(tokens=FEATURES.tokens * 1e200)
    with pytest.raises(ValueError, match="divide the tokens"):
        transformer_ascent(TWO, huge, SIGNS, **EFFORT)


def test_identity_witness_of_the_adversarial_class():
    """max over unit-ball u of sum eps_i sup_{|delta| <= rho} <u, x_i + delta>, by brute force over u in the plane."""
    tokens = np.random.default_rng(2).normal(size=(3, 2, 2))
    features = layer_features(parse("none", dim=2, train_length=2), tokens, heads=1)
    signs = np.array([[1.0, 1.0, 1.0], [1.0, -1.0, -1.0], [-1.0, -1.0, -1.0]])
    angle = np.linspace(0, 2 * np.pi, 20001)
    for rho in (0.0, 0.4, 3.0):
        found = identity_witness(Architecture(dim=2), features, signs, rho)
        for k, eps in enumerate(signs):
            best = max(
                np.max(eps @ (tokens[:, -1] @ (scale * np.array([np.cos(angle), np.sin(angle)])) + rho * scale))
                for scale in (0.0, 0.5, 1.0)
            )
            assert found[k] == pytest.approx(best, abs=1e-6)
    with pytest.raises(ValueError, match="residual=True"):
        identity_witness(Architecture(dim=2, residual=False), features, signs, 0.1)


def test_errors_advise():
    for fields, advice in [
        ({"restarts": 0}, "restarts=1"),
        ({"iterations": -1}, "iterations=0"),
        ({"pool_points": 0}, "pool_points=1"),
        ({"chunk": 0}, "chunk=1"),
    ]:
        with pytest.raises(ValueError, match=advice):
            transformer_ascent(TWO, FEATURES, SIGNS, **fields)
    with pytest.raises(ValueError, match="one row per sign vector"):
        transformer_ascent(TWO, FEATURES, SIGNS[:, :3])
    blocks = transformer_witness(TWO, FEATURES, SIGNS, **EFFORT).parameters
    with pytest.raises(ValueError, match="warm parameters must have shape"):
        transformer_ascent(TWO, FEATURES, SIGNS[:2], warm=blocks)
    with pytest.raises(ValueError, match="drop the failed"):
        transformer_ascent(TWO, FEATURES, SIGNS, warm=blocks._replace(values=blocks.values * np.nan))
