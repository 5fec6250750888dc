"""Networks without absolute positions: symmetry held exactly, broken by codes and BOS; layers against plain loops."""

import math

import mpmath
import numpy as np
import pytest

from estimators.attention_map import encoding_arrays
from estimators.equivariance import (
    constant_sequence_error,
    draw_layers,
    network,
    permutation_agreement,
    row_agreement,
    start_weight,
    start_weight_step,
)
from estimators.multiprecision import digits

DIM = 4
TOKEN = [0.3, -1.0, 0.5, 2.0]


def in_loops(layers, arrays, tokens):
    """The network of the module's docstring, one position at a time."""
    code, bias, rotations, relative = arrays
    length, dim = tokens.shape

    def norm(v):
        return v / math.sqrt(v @ v / dim + 1e-6)

    x = [tokens[i] + code[i] for i in range(length)]
    for w, v, first, second in layers:
        z, after = [norm(row) for row in x], []
        for i in range(length):
            keys = [j for j in range(length) if np.isfinite(bias[i, j])]
            at = [length - 1 + i - j for j in keys]
            logits = [
                (z[j] + relative[o]) @ (rotations[o] @ (w @ z[i])) + bias[i, j] for j, o in zip(keys, at, strict=True)
            ]
            weights = np.exp(logits) / np.exp(logits).sum()
            y = x[i] + v @ sum(a * z[j] for a, j in zip(weights, keys, strict=True))
            after.append(y + second @ np.maximum(first @ norm(y), 0))
        x = after
    return np.array(x)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("name", ["none", "sinusoidal", "alibi", "rotary", "relative"])
def test_network_is_the_one_in_loops_in_both_precisions(name, causal):
    tokens = np.random.default_rng(0).normal(size=(3, DIM))
    layers, arrays = draw_layers(1, 2, DIM), encoding_arrays(name, 3, DIM, causal, 0)
    true = in_loops(layers, arrays, tokens)
    np.testing.assert_allclose(network(layers, arrays, tokens, rounded=True), true, atol=1e-12)
    with digits():
        found = network(layers, arrays, tokens)
    np.testing.assert_allclose(found.astype(float), true, atol=1e-12)


def test_layers_are_normal_over_the_root_of_the_dimension_and_reproducible():
    (w, v, first, second), *_ = draw_layers(0, 3, 64)
    assert (w.shape, v.shape, first.shape, second.shape) == ((64, 64), (64, 64), (128, 64), (64, 128))
    for matrix in (w, v, first, second):
        assert np.std(matrix) == pytest.approx(1 / 8, rel=0.05)
    np.testing.assert_array_equal(draw_layers(0, 3, 64)[0][0], w)
    assert not np.array_equal(draw_layers(1, 3, 64)[0][0], w)


@pytest.mark.parametrize("name", ["none", "alibi", "rotary", "relative"])
def test_equal_tokens_stay_equal_without_a_table_or_a_start(name):
    case = {"encoding": name, "token": TOKEN, "length": 3, "causal": True, "depth": 2, "seed": 3}
    found = row_agreement(**case).estimate
    assert 1.0 in found
    assert found.width < 1e-14
    behind = row_agreement(**case, start=[1.0, 0.0, -1.0, 0.0]).estimate
    assert behind.upper < 1 - 1e-4


def test_a_table_tells_equal_tokens_apart():
    case = {"token": TOKEN, "length": 3, "causal": False, "depth": 1, "seed": 3}
    assert row_agreement(encoding="sinusoidal", **case).estimate.upper < 1 - 1e-3


def test_permutations_commute_only_without_encoding_and_mask():
    tokens = np.random.default_rng(5).normal(size=(4, DIM)).tolist()
    case = {"tokens": tokens, "permutation": [2, 0, 3, 1], "depth": 2, "seed": 1}
    assert 1.0 in permutation_agreement(encoding="none", causal=False, **case).estimate
    assert permutation_agreement(encoding="none", causal=True, **case).estimate.upper < 1 - 1e-4
    assert permutation_agreement(encoding="alibi", causal=False, **case).estimate.upper < 1 - 1e-4


def test_agreement_is_one_less_the_relative_difference():
    tokens = np.random.default_rng(5).normal(size=(3, DIM))
    layers, arrays = draw_layers(1, 1, DIM), encoding_arrays("alibi", 3, DIM, False, 0)
    rows, moved = (in_loops(layers, arrays, x) for x in (tokens, tokens[[1, 2, 0]]))
    true = 1 - np.abs(moved - rows[[1, 2, 0]]).max() / np.abs(rows).max()
    found = permutation_agreement(
        encoding="alibi", tokens=tokens.tolist(), permutation=[1, 2, 0], causal=False, depth=1, seed=1
    )
    assert found.estimate.lower == pytest.approx(true, abs=1e-12)


def test_error_on_a_constant_sequence_is_half_the_spread_of_the_target():
    target = np.random.default_rng(0).normal(size=(3, DIM))
    spread = np.ptp(target, axis=0).max()
    case = {"token": TOKEN, "target": target.tolist(), "causal": True, "depth": 1, "seed": 0}
    found = constant_sequence_error(encoding="none", **case)
    assert found.estimate.lower == pytest.approx(spread / 2, rel=1e-14)
    low, high = found.parameters["target_spread"]
    assert low <= spread * (1 + 1e-15)
    assert high >= spread * (1 - 1e-15)
    # With a table the rows differ, and the error need not be half the spread.
    other = constant_sequence_error(encoding="sinusoidal", **case)
    assert abs(other.estimate.lower - spread / 2) > 1e-3


def test_weight_of_the_start_in_50_digits():
    found = start_weight(logits=[0.5, -1.0, 0.25], logit_bound=2.0)
    with mpmath.workdps(50):
        raised = [mpmath.exp(2 * mpmath.mpf(x)) for x in (0.5, -1.0, 0.25)]
        true = raised[0] / sum(raised)
        assert mpmath.mpf(found.estimate.lower) <= true <= mpmath.mpf(found.estimate.upper)
    assert found.parameters == {"tokens_after_start": 2, "logit_bound": 2.0}
    assert found.estimate.width < 1e-15
    attained = start_weight(logits=[1.0, *[-1.0] * 5], logit_bound=1.5).estimate
    assert attained.lower == pytest.approx(1 / (1 + 5 * math.exp(-3)), rel=1e-15)


@pytest.mark.parametrize("count", [0, 1, 6, 50])
def test_step_of_the_weight_of_the_start(count):
    found = start_weight_step(tokens_after_start=count).estimate
    true = 1 / ((count + 1) * (count + 2))
    assert true in found
    assert found.width < 1e-3 * true
    assert 1.01 * true not in found


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda permutation=(0, 0): permutation_agreement(
                encoding="none", tokens=[[1.0], [2.0]], permutation=list(permutation), causal=False, depth=1, seed=0
            ),
            "use a shuffled range",
        ),
        (
            lambda: row_agreement(encoding="nothing", token=TOKEN, length=2, causal=False, depth=1, seed=0),
            "unknown encoding",
        ),
        (lambda: row_agreement(encoding="none", token=[math.nan], length=2, causal=False, depth=1, seed=0), "finite"),
        (lambda: row_agreement(encoding="none", token=TOKEN, length=0, causal=False, depth=1, seed=0), "length"),
        (lambda: start_weight(logits=[], logit_bound=1.0), "BOS first"),
        (lambda: start_weight(logits=[math.nan], logit_bound=1.0), "finite"),
        (lambda: start_weight(logits=[1.0], logit_bound=-1.0), "logit_bound"),
        (lambda: start_weight_step(tokens_after_start=-1), "use 0 or more"),
        (
            lambda: constant_sequence_error(
                encoding="none", token=TOKEN, target=[[math.nan] * 4], causal=True, depth=1, seed=0
            ),
            "finite",
        ),
        (
            lambda: constant_sequence_error(
                encoding="none", token=TOKEN, target=[[1.0, 2.0]], causal=True, depth=1, seed=0
            ),
            "target must be",
        ),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
