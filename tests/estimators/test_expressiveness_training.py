"""Targets, the model and its training against loops; trained errors against the obstruction, and its twin."""

import dataclasses
import math

import jax
import numpy as np
import pytest

from estimators import expressiveness_training as module
from estimators.attention_map import encoding_arrays
from estimators.expressiveness_targets import (
    SYMBOLS,
    TARGETS,
    constant_sequences,
    draw_sequences,
    symbol_values,
    target_spreads,
)
from estimators.expressiveness_training import (
    Training,
    Weights,
    encoded,
    material,
    obstruction,
    outputs,
    start,
    train,
)

T, DIM = 6, 4
COMPILED = jax.jit(outputs)
SMALL = Training(length=T, dim=DIM, seeds=2, steps=250)


def by_definition(name, a):
    """The target of one sequence, position by position."""
    x = [2 * s / (SYMBOLS - 1) - 1 for s in a]
    found = []
    for i in range(len(a)):
        before = [j for j in range(i) if a[j] == a[i]]
        found.append(
            {
                "shift": x[i - 1] if i else 0,
                "reversal": x[len(a) - 1 - i],
                "prefix-mean": sum(x[: i + 1]) / (i + 1),
                "windowed-mean": sum(x[max(0, i - 2) : i + 1]) / 3,
                "induction": x[max(before) + 1] if before else 0,
                "sorting": sorted(x)[i],
            }[name]
        )
    return found


@pytest.mark.parametrize("name", TARGETS)
def test_targets_by_definition(name):
    symbols = draw_sequences(np.random.default_rng(0), 60, 7)
    true = [by_definition(name, row) for row in symbols.tolist()]
    np.testing.assert_allclose(TARGETS[name](symbols), true, atol=1e-14)


@pytest.mark.parametrize("length", [2, 5, 16])
def test_spreads_on_constant_sequences(length):
    spreads, v = target_spreads(length), np.abs(symbol_values())
    for name in ("reversal", "prefix-mean", "sorting"):  # constant there, exactly
        assert not spreads[name].any()
    np.testing.assert_allclose(spreads["shift"], v)
    np.testing.assert_allclose(spreads["induction"], v)
    np.testing.assert_allclose(spreads["windowed-mean"], v * min(length - 1, 2) / 3)


def test_sequences_are_uniform_and_one_in_four_is_constant():
    symbols = draw_sequences(np.random.default_rng(1), 4000, 5)
    constant = (symbols == symbols[:, :1]).all(axis=1)
    assert constant[::4].all()
    assert constant[np.arange(4000) % 4 > 0].mean() < 0.01
    counts = np.bincount(symbols[np.arange(4000) % 4 > 0].ravel(), minlength=SYMBOLS)
    assert np.abs(counts / counts.mean() - 1).max() < 0.1


def filled(seed, layers):
    """Weights without zeros."""
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda x: np.asarray(x) + 0.3 * rng.normal(size=np.shape(x)), start(rng, SMALL, layers))


def in_loops(name, weights, symbols, *, causal, layers):
    """The model of the module's docstring, one position at a time; additions of trained numbers included."""
    code, bias, rotations, relative = encoding_arrays(name, T, DIM, causal, 0)
    code = code + (weights.code if name == "learned" else 0)
    # All biases of T5 and vectors of these lengths differ, so that every offset has a number of its own.
    index = encoded(name, dataclasses.replace(SMALL, causal=causal))
    if name == "relative":
        relative = relative + weights.relative[np.asarray(index.relative_index)]
    if name == "t5":
        bias = bias + weights.bias[0][np.asarray(index.bias_index)]

    def norm(v):
        return v / math.sqrt(v @ v / DIM + 1e-6)

    x = [weights.embedding[s] + code[i] for i, s in enumerate(symbols)]
    for layer in range(layers):
        w, v = weights.layers.logits[layer, 0], weights.layers.values[layer, 0]
        z, after = [norm(row) for row in x], []
        for i in range(T):
            logits = np.full(T, -np.inf)
            for j in range(T):
                at = T - 1 + i - j
                turned = rotations[at] @ z[j] if name == "rotary" else z[j]
                logits[j] = z[i] @ w @ (turned + relative[at]) + bias[i, j]
            alpha = np.exp(logits) / np.exp(logits).sum()
            y = x[i] + v @ sum(alpha[j] * z[j] for j in range(T))
            hidden = np.maximum(weights.layers.mlp_in[layer] @ norm(y), 0)
            after.append(y + weights.layers.mlp_out[layer] @ hidden)
        x = after
    return np.array([row @ weights.readout + weights.level for row in x])


@pytest.mark.parametrize(
    ("name", "causal", "layers"),
    [
        ("none", False, 1),
        ("sinusoidal", True, 2),
        ("alibi", False, 2),
        ("relative", False, 1),
        ("rotary", True, 2),
        ("learned", False, 1),
        ("t5", True, 1),
    ],
)
def test_model_in_loops(name, causal, layers):
    training = dataclasses.replace(SMALL, causal=causal)
    weights = filled(3, layers)
    symbols = np.random.default_rng(0).integers(SYMBOLS, size=(2, T))
    found = COMPILED(weights, encoded(name, training), symbols)
    true = [in_loops(name, weights, row, causal=causal, layers=layers) for row in symbols]
    np.testing.assert_allclose(found, true, atol=1e-10)


@pytest.mark.parametrize("name", ["none", "alibi", "rotary", "cosine", "learned", "relative", "t5"])
def test_only_what_is_trainable_moves_with_its_weights(name):
    given, symbols = encoded(name, SMALL), np.array([[0, 1, 2, 3, 4, 5]])
    base = filled(0, 1)
    still = COMPILED(base, given, symbols)
    for word, owner in (("code", "learned"), ("relative", "relative"), ("bias", "t5")):
        moved = base._replace(
            **{word: getattr(base, word) + np.random.default_rng(1).normal(size=getattr(base, word).shape)}
        )
        changed = float(abs(COMPILED(moved, given, symbols) - still).max())
        assert (changed > 1e-6) == (name == owner), word


def test_offsets_that_share_a_number_share_it_for_ever():
    given = encoded("relative:clip_distance=2", SMALL)
    index = np.asarray(given.relative_index)  # D = -5 .. 5
    assert len(set(index[:4])) == 1
    assert len(set(index[-4:])) == 1
    assert len(set(index)) == 5
    bias = np.asarray(encoded("t5:buckets=4,max_distance=8", SMALL).bias_index)
    assert bias.shape == (T, T)
    assert len(set(bias[np.triu_indices(T)])) == 1  # later keys share the bucket of distance 0
    assert len(set(bias[:, 0])) == 4


def test_a_first_step_of_adam_moves_by_the_rate_against_the_slope():
    weights = jax.tree.map(np.asarray, start(np.random.default_rng(0), SMALL, 1))
    symbols = np.random.default_rng(1).integers(SYMBOLS, size=(1, 8, T))
    goals = np.full(symbols.shape, 0.7)
    found = module._fit(weights, encoded("none", SMALL), symbols, goals)
    rate = module.RATE / DIM
    assert float(found.level) == pytest.approx(rate, rel=1e-6)  # the output is 0: the slope is -1.4
    rows = outputs(weights._replace(readout=np.eye(DIM)), encoded("none", SMALL), symbols[0])
    np.testing.assert_allclose(found.readout, rate * np.sign(np.asarray(rows).sum(axis=(0, 1))), rtol=1e-5)
    np.testing.assert_array_equal(found.embedding, weights.embedding)  # u = 0: no slope
    assert isinstance(found, Weights)


def test_bound_is_half_the_spread_and_errors_are_counted_by_hand():
    assert obstruction(1.0) == pytest.approx(0.5)
    assert obstruction(1.0) <= 0.5
    wanted = np.zeros((1, 2 + SYMBOLS, 3))
    wanted[0, :2] = [[1, -1, 0], [0, 1, -1]]
    missed = np.zeros_like(wanted)
    missed[0, 0, 0] = 0.6
    missed[0, 2:, 1] = [0.3, 0.6, 0.1, 0.2, 0.9, 0.4]
    spread = np.array([1.0, 0.4, 0.0, 0.0, 2.0, 1.0])
    found = module._errors("shift", 2, missed, wanted, spread)
    assert found.error == pytest.approx([math.sqrt(0.36 / 6) / math.sqrt(4 / 6)])
    assert found.constant == pytest.approx([0.9])
    assert found.bound == pytest.approx(1.0)
    assert found.least_ratio == pytest.approx([0.6])  # 0.3 over 1/2
    assert found.below
    held = module._errors("shift", 2, 2 * missed, wanted, spread)
    assert held.least_ratio == pytest.approx([1.2])
    assert not held.below


TWICE = ("none", "relative", "cosine")  # trained with two layers too


@pytest.fixture(scope="module")
def trained():
    names = ("none", "alibi", "rotary", "relative", "learned", "cosine")
    return {(name, layers): train(name, SMALL, layers) for name in names for layers in (1, 2)[: 1 + (name in TWICE)]}


def test_trained_errors_never_get_below_the_obstruction_without_a_code(trained):
    for (name, _), several in trained.items():
        if name not in ("none", "alibi", "rotary", "relative"):
            continue
        for one in several:
            assert not one.below, (name, one.target)
            assert min(one.least_ratio) >= 1 - 1e-9
            assert min(one.constant) >= one.bound * (1 - 1e-9)


def test_trained_codes_get_below_the_obstruction(trained):
    for name in ("learned", "cosine"):
        shift = trained[name, 1][0]
        assert shift.target == "shift"
        assert shift.below
        assert min(shift.constant) < shift.bound
    bounded = [one.target for one in trained["none", 1] if one.bound > 0]
    assert bounded == ["shift", "windowed-mean", "induction"]
    assert all(one.least_ratio == (math.inf, math.inf) for one in trained["none", 1] if one.bound == 0)


def test_training_learns_what_the_encoding_allows(trained):
    error = {
        (name, layers, one.target): max(one.error) for (name, layers), several in trained.items() for one in several
    }
    assert error["learned", 1, "reversal"] < 0.4
    assert error["none", 1, "reversal"] > 0.85
    assert error["relative", 1, "shift"] < 0.6
    assert error["alibi", 1, "shift"] > 0.7  # symmetric without mask


def test_one_program_for_all_encodings_and_the_same_numbers_again(trained):
    first = train("haar", SMALL, 1)
    size = module._trained_outputs._cache_size()
    train("rotary", SMALL, 1)
    train("t5", SMALL, 1)
    assert module._trained_outputs._cache_size() == size
    assert train("haar", SMALL, 1) == first
    assert train("haar", dataclasses.replace(SMALL, seed=1), 1) != first
    assert first[0].error[0] != first[0].error[1]


def test_material_is_new_for_every_seed_and_ends_with_the_constant_sequences():
    data = material(SMALL)
    assert data.goals.shape == (2, len(TARGETS), 250, 8, T)
    assert not np.array_equal(data.symbols[0], data.symbols[1])
    np.testing.assert_array_equal(data.asked[1, -SYMBOLS:], constant_sequences(T))
    np.testing.assert_allclose(data.goals[1, 1], symbol_values()[data.symbols[1][..., ::-1]])
