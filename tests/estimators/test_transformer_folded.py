"""The folded forward pass against the plain one, in values and gradients, and where it does not hold."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from estimators.layer_features import layer_features
from estimators.signs import draw_signs
from estimators.supremum import transformer_ascent as module
from estimators.supremum.transformer_folded import folded_outputs, folds
from estimators.transformer import Architecture, Parameters, outputs
from theory.encodings import parse

N, T, D = 3, 5, 4
TOKENS = np.random.default_rng(0).normal(size=(N, T, D))
TWO = Architecture(dim=D, layers=2)


def features_of(name, architecture):
    encoding = parse(name, dim=D, train_length=T, heads=architecture.heads)
    return layer_features(encoding, TOKENS, heads=architecture.heads, causal=architecture.causal)


def difference(features, architecture):
    rng = np.random.default_rng(1)
    parameters = Parameters(*(rng.normal(size=shape) for shape in architecture.shapes))

    def of(function):
        def norm(blocks):
            return jnp.sum(jnp.array([1.0, -1.0, 1.0]) @ function(architecture.wiring, features, blocks) ** 2)

        return jax.jit(jax.value_and_grad(norm))(parameters)

    pairs = zip(jax.tree.leaves(of(folded_outputs)), jax.tree.leaves(of(outputs)), strict=True)
    return max(float(jnp.max(jnp.abs(a - b) / jnp.max(jnp.abs(b)))) for a, b in pairs if a.size)


@pytest.mark.parametrize(
    ("name", "wiring", "layers"),
    [
        ("none", {}, 2),
        ("none", {"causal": False}, 3),
        ("alibi", {"residual": False}, 2),
        ("alibi", {}, 3),
        ("cosine", {"causal": False}, 2),
        ("cosine", {"residual": False}, 3),
    ],
)
def test_values_and_gradients_are_those_of_the_plain_pass(name, wiring, layers):
    architecture = dataclasses.replace(TWO, layers=layers, **wiring)
    features = features_of(name, architecture)
    assert folds(architecture, features)
    assert difference(features, architecture) < 1e-10


@pytest.mark.parametrize("name", ["rotary", "relative"])
def test_it_is_refused_where_it_does_not_hold(name):
    assert not folds(TWO, features_of(name, TWO))
    assert difference(features_of(name, TWO), TWO) > 1e-6
    for fields in ({"layers": 1}, {"heads": 2}, {"mlp_width": 3}, {"normalise": True}):
        other = dataclasses.replace(TWO, **fields)
        assert not folds(other, features_of("none", other))


def test_the_ascent_is_the_same_with_and_without(monkeypatch):
    signs, features = draw_signs(0, 4, N), features_of("alibi", TWO)
    effort = {"restarts": 2, "iterations": 12, "pool_points": 8}
    folded = module.transformer_ascent(TWO, features, signs, **effort)[0]
    monkeypatch.setattr(module, "folds", lambda *_: False)
    np.testing.assert_allclose(module.transformer_ascent(TWO, features, signs, **effort)[0], folded, rtol=1e-9)
