"""Residual layers: scalar tokens on grids of (V1, W1, W2), equal tokens in closed form, one layer by its corners."""

import itertools
import math

import numpy as np
import pytest
from two_layer_oracle import two_layer_suprema

from estimators import scalar_layers
from estimators.class_layers import depth, one_layer, two_layers

RNG = np.random.default_rng(3)
TOKENS = RNG.uniform(-1, 1, (3, 3))
SIGNS = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
CAUSAL = np.where(np.tri(3) > 0, 0.0, -np.inf)
ALIBI = CAUSAL - 0.5 * np.abs(np.subtract.outer(np.arange(3), np.arange(3)))


def attend(x, weight, bias):
    """Att_s(W; x) of every sample, sums written out."""
    result = np.zeros_like(x)
    for i, row in enumerate(x):
        for s in range(len(row)):
            raised = [math.exp(row[s] * weight * row[t] + bias[s, t]) for t in range(len(row))]
            result[i, s] = sum(a * t for a, t in zip(raised, row, strict=True)) / sum(raised)
    return result


def last_outputs(x, bias, first, second, w1, w2):
    moved = x + first * attend(x, w1, bias)
    return (moved + second * attend(moved, w2, bias))[:, -1]


@pytest.mark.parametrize("bias", [CAUSAL, ALIBI], ids=["none", "alibi"])
def test_one_attention_layer_on_a_grid(bias):
    found = scalar_layers.one_layer(TOKENS, bias, 1.5, SIGNS)
    grid = np.array([attend(TOKENS, w, bias)[:, -1] for w in np.linspace(-1.5, 1.5, 61)])
    true = np.abs(grid @ SIGNS.T).max(axis=0)
    assert (found.lower <= true * 1.01 + 1e-3).all()
    assert (true <= found.upper).all()
    assert (found.upper - found.lower < 0.01).all()
    np.testing.assert_allclose(scalar_layers.attention(TOKENS, bias, np.array([0.7]))[0], attend(TOKENS, 0.7, bias))


@pytest.mark.parametrize("bias", [CAUSAL, ALIBI], ids=["none", "alibi"])
def test_two_layers_on_a_grid_and_by_ascent(bias):
    nu, om = 0.4, 1.0
    found = scalar_layers.two_layers(TOKENS, bias, nu, om, SIGNS)
    corners = itertools.product((-nu, -nu / 2, nu), (-nu, nu), np.linspace(-om, om, 5), np.linspace(-om, om, 5))
    true = np.abs(np.array([last_outputs(TOKENS, bias, *one) for one in corners]) @ SIGNS.T).max(axis=0)
    assert (true <= found.upper).all()
    assert (found.upper <= found.lower * (1 + scalar_layers.GAP) * (1 + 1e-9) + 1e-8).all()
    climbed = np.array(two_layer_suprema(TOKENS[:, :, None], bias, SIGNS, nu, om, restarts=2, iterations=20))
    assert (climbed <= found.upper + 1e-9).all()
    assert (found.lower <= np.maximum(climbed, true) * 1.01 + 1e-9).all()


def test_slopes_bound_differences_of_the_objective():
    nu, om = 0.4, 1.0
    slopes = scalar_layers._slopes(TOKENS, nu, om)
    limits = np.array([nu, om, om])

    def value(p, signs):
        outputs = [last_outputs(TOKENS, CAUSAL, p[0], sign * nu, p[1], p[2]) for sign in (-1, 1)]
        return max(abs(signs @ one) for one in outputs)

    rng, largest = np.random.default_rng(0), 0.0
    for _ in range(60):
        p = rng.uniform(-limits, limits)
        for k in range(3):
            q = p.copy()
            q[k] = np.clip(p[k] + 0.05, -limits[k], limits[k])
            if q[k] != p[k]:
                rate = abs(value(q, SIGNS[5]) - value(p, SIGNS[5])) / abs(q[k] - p[k])
                largest = max(largest, rate / slopes[k])
    assert 0.01 < largest <= 1


@pytest.mark.parametrize("layers", [1, 2])
def test_depth_class_of_scalars(layers):
    found = depth(tokens=TOKENS[:, :, None].tolist(), layers=layers, value_norm=0.4, logit_norm=1.0, readout_norm=2.0)
    second = (-0.4, 0.4) if layers == 2 else (0.0,)
    grid = itertools.product((-0.4, 0.4), second, np.linspace(-1, 1, 9), np.linspace(-1, 1, 9 if layers == 2 else 1))
    true = np.abs(np.array([last_outputs(TOKENS, CAUSAL, *one) for one in grid]) @ SIGNS.T).max(axis=0).mean() * 2 / 3
    assert true <= found.estimate.upper
    assert found.estimate.lower <= true * 1.02
    assert found.estimate.width < 0.03 * true
    assert found.parameters["token_norm"] == pytest.approx((np.abs(TOKENS).max(),) * 2)
    assert found.parameters["token_diameter"] == pytest.approx((np.ptp(TOKENS, axis=1).max(),) * 2)
    assert found.arguments == {"layers": layers}


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_depth_class_of_equal_tokens_is_attained_by_projections(layers):
    x = RNG.normal(size=(3, 2))
    tokens = np.repeat(x[:, None], 3, axis=1)
    found = depth(tokens=tokens.tolist(), encoding="alibi", layers=layers, value_norm=0.5, logit_norm=1.0)
    suprema = []
    for signs in SIGNS:
        direction = signs @ x / np.linalg.norm(signs @ x)
        y = x.copy()
        for _ in range(layers):
            y = y + 0.5 * np.outer(y @ direction, direction)
        suprema.append(direction @ (signs @ y) / 3)
    assert np.mean(suprema) == pytest.approx(found.estimate.lower, rel=1e-12)
    assert found.estimate.width < 1e-12


def test_words_of_two_layers_on_equal_tokens():
    x = RNG.uniform(0.2, 1, (3, 1, 1))
    tokens = np.repeat(x, 3, axis=1)
    found = two_layers(tokens=tokens.tolist(), value_norm=0.3, logit_norm=1.0)
    frozen = np.abs(SIGNS @ x[:, 0, 0]).mean()
    assert found.estimate.lower == pytest.approx(1.3**2 * frozen / 3, rel=1e-12)
    for word in ("residual_mean", "attention_mean", "double_path_mean"):
        assert found.parameters[word] == pytest.approx(frozen, rel=1e-8)
        assert found.parameters[word] >= frozen * (1 - 1e-12)


def test_one_layer_of_a_lone_sample_by_a_grid():
    tokens = np.zeros((3, 3, 1))
    tokens[1, :, 0] = [0.5, -1.0, 0.8]
    norms = [0.3, 0.6]
    found = one_layer(tokens=tokens.tolist(), value_norms=norms, logit_norm=1.2, readout_norm=2.0)
    row = tokens[1, :, 0]
    grid = [attend(row[None], w, CAUSAL)[0, -1] for w in np.linspace(-1.2, 1.2, 41)]
    # Heads add up, each at its own best sign and weight.
    best = max(
        abs(row[-1] + sum(s * n * a for s, n, a in zip((1, 1), norms, (b, c), strict=True))) for b in grid for c in grid
    )
    worst = max(abs(row[-1] - sum(n * a for n, a in zip(norms, (b, c), strict=True))) for b in grid for c in grid)
    mixed = max(abs(row[-1] + t * (norms[0] * b - norms[1] * c)) for b in grid for c in grid for t in (-1, 1))
    assert found.estimate.lower == pytest.approx(max(best, worst, mixed) * 2 / 3, rel=1e-12)
    assert found.parameters["residual_mean"] == pytest.approx(0.8)
    assert found.parameters["head_sum"] == pytest.approx(0.9 * max(map(abs, grid)))


def test_one_layer_of_equal_tokens():
    x = RNG.normal(size=(3, 2))
    found = one_layer(tokens=np.repeat(x[:, None], 4, axis=1).tolist(), value_norms=[0.5, 0.25])
    assert found.estimate.lower == pytest.approx(1.75 * np.linalg.norm(SIGNS @ x, axis=1).mean() / 3, rel=1e-12)


TENSOR = TOKENS[:, :, None].tolist()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: depth(tokens=TOKENS.tolist()), "nest three lists"),
        (lambda: depth(tokens=[[[math.nan]]]), "finite"),
        (lambda: depth(tokens=TENSOR, encoding="relative"), "use another encoding"),
        (lambda: depth(tokens=TENSOR, encoding="alibbi"), "unknown encoding"),
        (lambda: depth(tokens=TENSOR, layers=0), "layers"),
        (lambda: depth(tokens=TENSOR, value_norm=-0.1), "value_norm"),
        (lambda: two_layers(tokens=TENSOR, logit_norm=math.nan), "logit_norm"),
        (lambda: one_layer(tokens=TENSOR, value_norms=[0.5]), "use one of them"),
        (lambda: one_layer(tokens=TOKENS.tolist(), value_norms=[0.5]), "nest three lists"),
        (lambda: one_layer(tokens=TENSOR, value_norms=[]), "one norm per head"),
        (lambda: one_layer(tokens=TENSOR, value_norms=[-1.0]), "value_norm"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
