"""The forward pass against plain loops over samples, positions and heads, with the encodings' own SymPy formulas."""

import dataclasses
import functools

import numpy as np
import pytest

from estimators.features import template
from estimators.layer_features import Features, layer_features
from estimators.transformer import Architecture, Parameters, entering, forward, last_layer
from theory.encodings import ENCODINGS, parse
from theory.encodings.base import (
    AbstractAdditiveEncoding,
    AbstractBiasEncoding,
    AbstractRelativeEncoding,
    AbstractRotaryEncoding,
)

N, T, D, H = 3, 5, 4, 2
TOKENS = np.random.default_rng(0).normal(size=(N, T, D))
BASE = Architecture(dim=D, layers=2, heads=H)
WIRINGS = {
    "plain": {},
    "no residual": {"residual": False},
    "norm": {"normalise": True},
    "mlp": {"mlp_width": 3},
    "all": {"mlp_width": 3, "normalise": True},
    "all, no residual": {"mlp_width": 3, "normalise": True, "residual": False},
}


def encoding_of(name):
    return parse(name, dim=D, train_length=T, heads=H)


def drawn(architecture, seed=1):
    rng = np.random.default_rng(seed)
    return Parameters(*(rng.normal(size=shape) for shape in architecture.shapes))


def scaled(rows, training):
    return np.array(rows, dtype=float) / np.sqrt(np.mean(np.sum(np.array(training, dtype=float) ** 2, axis=1)))


@functools.cache
def bias_of(encoding, distance, head, query):
    return float(encoding.bias(distance, head, query))


def oracle(encoding, architecture, parameters, tokens=TOKENS):
    """x^L at the last position, written from the docstring with loops."""
    length, dim = tokens.shape[1:]
    outputs = []
    for x in tokens:
        x = x.copy()
        vectors = {}
        if isinstance(encoding, AbstractAdditiveEncoding):
            table = [[encoding.feature(t, k) for k in range(dim)] for t in range(length)]
            x += scaled(table, table)
        if isinstance(encoding, AbstractRelativeEncoding):
            training = [[encoding.feature(t, k) for k in range(dim)] for t in range(encoding.train_length)]
            for delta in range(1 - length, length):
                vectors[delta] = scaled([[encoding.feature(delta, k) for k in range(dim)]], training)[0]

        def norm(y):
            scale = np.sqrt(sum(y**2) / len(y) + architecture.epsilon)
            return y / scale if architecture.normalise else y

        def key(z, delta):
            if isinstance(encoding, AbstractRelativeEncoding):
                return z + vectors[delta]  # noqa: B023
            if isinstance(encoding, AbstractRotaryEncoding):
                turned = z.copy()
                for k in range(dim // 2):
                    a, b = encoding.pair(k)
                    phi = delta * float(encoding.angle(k))
                    turned[a] = np.cos(phi) * z[a] - np.sin(phi) * z[b]
                    turned[b] = np.sin(phi) * z[a] + np.cos(phi) * z[b]
                return turned
            return z

        for layer in range(architecture.layers):
            z = [norm(one) for one in x]
            after = []
            for s in range(length):
                y = x[s].copy() if architecture.residual else np.zeros(dim)
                seen = range(s + 1) if architecture.causal else range(length)
                for head in range(architecture.heads):
                    scores = []
                    for j in seen:
                        score = z[s] @ parameters.logits[layer, head] @ key(z[j], s - j)
                        if isinstance(encoding, AbstractBiasEncoding):
                            score += bias_of(encoding, s - j, head, s if encoding.name == "fire" else 0)
                        scores.append(score)
                    alpha = np.exp(np.array(scores) - max(scores))
                    mixed = sum(a * z[j] for a, j in zip(alpha / alpha.sum(), seen, strict=True))
                    y = y + parameters.values[layer, head] @ mixed
                if architecture.mlp_width:
                    hidden = np.maximum(parameters.mlp_in[layer] @ norm(y), 0)
                    y = (y if architecture.residual else 0) + parameters.mlp_out[layer] @ hidden
                after.append(y)
            x = np.array(after)
        outputs.append(x[-1])
    return np.array(outputs)


def features_of(encoding, architecture, tokens=TOKENS) -> Features:
    return layer_features(encoding, tokens, heads=architecture.heads, causal=architecture.causal)


def agrees(encoding, architecture, tokens=TOKENS):
    parameters = drawn(architecture)
    found = np.asarray(forward(architecture, features_of(encoding, architecture, tokens), parameters))
    return np.allclose(found, oracle(encoding, architecture, parameters, tokens), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("name", ENCODINGS)
def test_every_encoding_agrees_with_loops(name, causal):
    architecture = dataclasses.replace(BASE, causal=causal)
    assert agrees(encoding_of(name), architecture)


@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("name", ["legendre", "relative", "rotary:pairing=half-split", "alibi"])
def test_every_wiring_agrees_with_loops(name, wiring):
    assert agrees(encoding_of(name), dataclasses.replace(BASE, **WIRINGS[wiring]))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda f: f._replace(bias=f.bias * 1.01),
        lambda f: f._replace(sine=-f.sine),
        lambda f: f._replace(relative=f.relative[::-1]),
        lambda f: f._replace(tokens=f.tokens[:, ::-1]),
    ],
)
def test_the_oracle_catches_wrong_features(spoil):
    """A falsified twin for each kind of array: at least one encoding must disagree."""
    parameters = drawn(BASE)
    wrong = []
    for name in ("alibi", "rotary", "relative", "sinusoidal"):
        truth = oracle(encoding_of(name), BASE, parameters)
        found = forward(BASE, spoil(features_of(encoding_of(name), BASE)), parameters)
        wrong.append(not np.allclose(np.asarray(found), truth, rtol=1e-6))
    assert any(wrong)


@pytest.mark.parametrize("name", ["none", "haar", "relative", "rotary", "kerple-log"])
def test_one_layer_is_the_template_head(name):
    """<u, V a_i(w)> with w = W^T q_i: the keys, values and bias of `estimators.features.template`."""
    one = Architecture(dim=D, heads=1, residual=False)
    encoding = parse(name, dim=D, train_length=T, heads=1)
    parameters = drawn(one)
    keys, values, bias = map(np.asarray, template(encoding, TOKENS))
    logits = np.einsum("nd,de,nje->nj", values[:, -1], parameters.logits[0, 0], keys) + bias
    alpha = np.exp(logits - logits.max(axis=1, keepdims=True))
    mixed = np.einsum("nj,njd->nd", alpha / alpha.sum(axis=1, keepdims=True), values)
    found = np.asarray(forward(one, features_of(encoding, one), parameters))
    np.testing.assert_allclose(found, mixed @ parameters.values[0, 0].T, rtol=1e-11)


@pytest.mark.parametrize("name", ["none", "relative", "rotary", "alibi", "cosine"])
@pytest.mark.parametrize("wiring", [{}, {"normalise": True}])
def test_the_last_layer_is_a_sum_of_bilinear_heads(name, wiring):
    """x^L = tokens + sum_h V_h sum_j softmax_j(<q, W_h k_j> + b_hj) v_j, from `last_layer` alone; and the maximum over
    V and u is |sum eps tokens| + nu sum_h |S^h|, attained by rank-one V_h."""
    architecture = dataclasses.replace(BASE, **wiring)
    parameters = drawn(architecture)
    features = features_of(encoding_of(name), architecture)
    head = last_layer(architecture, features, parameters)
    parts = []
    for h in range(H):
        logits = np.einsum("nd,de,nje->nj", head.queries, parameters.logits[1, h], head.keys) + head.bias[h]
        alpha = np.exp(logits - logits.max(axis=1, keepdims=True))
        parts.append(np.einsum("nj,njd->nd", alpha / alpha.sum(axis=1, keepdims=True), head.values))
    found = np.asarray(forward(architecture, features, parameters))
    mixed = sum(part @ parameters.values[1, h].T for h, part in enumerate(parts))
    np.testing.assert_allclose(found, head.tokens + mixed, rtol=1e-10)
    np.testing.assert_array_equal(head.tokens, entering(architecture.wiring, features, parameters)[:, -1])

    signs, nu = np.array([1.0, -1.0, 1.0]), 0.7
    total = signs @ np.asarray(head.tokens)
    best = np.linalg.norm(total) + nu * sum(np.linalg.norm(signs @ part) for part in parts)
    aligned = np.array([np.outer(total, signs @ part) for part in parts])
    aligned *= nu / np.linalg.norm(aligned, axis=(1, 2), keepdims=True)
    values = parameters.values.copy()
    values[1] = aligned
    attained = signs @ np.asarray(forward(architecture, features, parameters._replace(values=values)))
    np.testing.assert_allclose(np.linalg.norm(attained), best, rtol=1e-12)


def test_beyond_the_training_length():
    rng = np.random.default_rng(3)
    longer = rng.normal(size=(2, 7, D))
    for name in ("rotary", "alibi", "fire", "relative:clip_distance=2"):
        assert agrees(encoding_of(name), BASE, longer)
    with pytest.raises(ValueError, match="train_length=7"):
        layer_features(encoding_of("alibi:beyond=refuse"), longer, heads=H)
    with pytest.raises(ValueError, match="beyond"):
        layer_features(encoding_of("relative:beyond=refuse"), longer, heads=H)


def test_causal_outputs_ignore_later_tokens_of_lower_layers():
    """With V = 0 in the last layer and residual connections, x^L_T = x^1_T; without a mask an early token sees all."""
    encoding, changed = encoding_of("alibi"), TOKENS.copy()
    changed[:, 2] += 1.0
    for causal, same in ((True, True), (False, False)):
        architecture = dataclasses.replace(BASE, causal=causal)
        before, after = (
            np.asarray(entering(architecture.wiring, features_of(encoding, architecture, x), drawn(architecture)))
            for x in (TOKENS, changed)
        )
        assert np.array_equal(before[:, :2], after[:, :2]) == same


@pytest.mark.parametrize(
    ("fields", "advice"),
    [
        ({"layers": 0}, "layers=1"),
        ({"heads": 0}, "heads=1"),
        ({"mlp_width": -1}, "mlp-width=0"),
        ({"logit_norm": -1.0}, "logit-norm is the radius"),
        ({"value_norm": float("nan")}, "at least 0"),
        ({"mlp_norm": float("inf")}, "finite"),
        ({"epsilon": 0.0}, "1e-6"),
        ({"ball": "rank", "rank": 5}, "rank=4"),
        ({"ball": "rank", "heads": 3}, "heads=2"),
        ({"rank": 2}, "ball=rank"),
    ],
)
def test_errors_advise(fields, advice):
    with pytest.raises(ValueError, match=advice):
        Architecture(**{"dim": D, **fields})


def test_features_that_do_not_fit_are_refused():
    features = layer_features(encoding_of("none"), TOKENS, heads=H)
    for other in (dataclasses.replace(BASE, causal=False), dataclasses.replace(BASE, heads=1)):
        with pytest.raises(ValueError, match="causal="):
            forward(other, features, drawn(other))
    with pytest.raises(ValueError, match="logits must have shape"):
        forward(BASE, features, drawn(dataclasses.replace(BASE, layers=3)))
    with pytest.raises(ValueError, match="heads=4"):
        layer_features(encoding_of("alibi"), TOKENS, heads=4)
    with pytest.raises(ValueError, match="dim=4"):
        layer_features(parse("none", dim=6, train_length=T), TOKENS, heads=H)
    with pytest.raises(ValueError, match="clean"):
        layer_features(encoding_of("none"), TOKENS * np.nan, heads=H)
