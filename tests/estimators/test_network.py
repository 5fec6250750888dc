"""estimators/network.py against the independent compiled Transformer of estimators/transformer.py, and its parts."""

import numpy as np
import pytest

from estimators.layer_features import layer_features
from estimators.network import Network, Positions, embedded, layer_runs, norm, outputs, read_out, softmax
from estimators.network_positions import network_encoding, positions
from estimators.transformer import Architecture, Parameters, forward
from theory.encodings import ENCODINGS
from theory.encodings.base import AbstractRelativeEncoding, AbstractRotaryEncoding

N, T, D, L, M, SYMBOLS = 3, 6, 4, 2, 5, 7
INPUTS = np.random.default_rng(0).integers(0, SYMBOLS, (N, T))


def drawn(heads, seed=1, width=M):
    rng = np.random.default_rng(seed)
    k = D // heads
    shapes = [(SYMBOLS, D), (L, heads, k, D), (L, heads, k, D), (L, heads, D, D), (L, width, D), (L, D, width), (3, D)]
    return Network(*(rng.normal(size=shape) for shape in shapes), rng.normal(size=3))


def places(encoding, heads, causal, power=1.0):
    return positions(encoding, T, dim=D, heads=heads, causal=causal, power=power)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("width", [0, M])
@pytest.mark.parametrize("name", ENCODINGS)
def test_the_last_token_is_that_of_the_other_transformer(name, width, causal):
    """W = Q^T K. Rotations and relative vectors act on Q z and K z here, on z there: one head of width d with K = I,
    and for rotations K = P, Q = P W^T, P = diag(1, .., -1, ..) as the two turn in opposite directions."""
    words = {"rotary": "rotary:pairing=half-split"}.get(name, name)
    kind = network_encoding(words, dim=D, heads=1, train_length=T, causal=causal)
    inside = isinstance(kind, AbstractRotaryEncoding | AbstractRelativeEncoding)
    heads = 1 if inside else 2
    encoding = network_encoding(words, dim=D, heads=heads, train_length=T, causal=causal)
    network = drawn(heads, width=width)
    if inside:
        flip = np.ones(D)
        flip[D // 2 :] = -1.0 if isinstance(encoding, AbstractRotaryEncoding) else 1.0
        network = network._replace(keys=np.broadcast_to(np.diag(flip), (L, 1, D, D)))
    logits = np.einsum("lhka,lhkb->lhab", network.queries, network.keys)
    found = list(layer_runs(network, places(encoding, heads, causal), INPUTS))[-1].leaving[:, -1]
    if isinstance(encoding, AbstractRotaryEncoding):
        logits = np.einsum("lhka,k->lhak", network.queries, flip)
    shape = {"dim": D, "layers": L, "heads": heads, "mlp_width": width, "causal": causal}
    architecture = Architecture(**shape, normalise=True)
    features = layer_features(encoding, network.embedding[INPUTS], heads=heads, causal=causal)
    parameters = Parameters(logits, network.values, network.mlp_in, network.mlp_out)
    np.testing.assert_allclose(found, np.asarray(forward(architecture, features, parameters)), rtol=1e-9, atol=1e-11)


def test_what_a_layer_reports_adds_up():
    network = drawn(2)
    encoding = network_encoding("alibi", dim=D, heads=2, train_length=T)
    made = places(encoding, 2, True)
    x = embedded(network, made, INPUTS)
    for run in layer_runs(network, made, INPUTS):
        np.testing.assert_array_equal(run.entering, x)
        np.testing.assert_allclose(run.weights.sum(axis=-1), 1.0, rtol=1e-12)
        assert not np.triu(run.weights, 1).any()
        z = run.normalised
        np.testing.assert_allclose((z**2).mean(axis=-1), 1.0, atol=1e-4)
        np.testing.assert_allclose(run.mixed, np.einsum("nhst,ntd->nhsd", run.weights, z), rtol=1e-12)
        np.testing.assert_allclose(run.after_attention, run.entering + run.heads.sum(axis=1), rtol=1e-12)
        np.testing.assert_allclose(run.leaving, run.after_attention + run.mlp, rtol=1e-12)
        x = run.leaving
    np.testing.assert_allclose(outputs(network, made, INPUTS), norm(x) @ network.read.T + network.level, rtol=1e-12)
    np.testing.assert_array_equal(outputs(network, made, INPUTS), read_out(network, x))


def test_a_causal_network_does_not_see_what_follows():
    network = drawn(2)
    encoding = network_encoding("rotary", dim=D, heads=2, train_length=T)
    changed = INPUTS.copy()
    changed[:, -2:] = (changed[:, -2:] + 1) % SYMBOLS
    one, other = (outputs(network, places(encoding, 2, True), x) for x in (INPUTS, changed))
    np.testing.assert_allclose(one[:, :-2], other[:, :-2], rtol=1e-12)
    assert not np.allclose(one[:, -2:], other[:, -2:])
    both = [outputs(network, places(encoding, 2, False), x)[:, 0] for x in (INPUTS, changed)]
    assert not np.allclose(*both)


def test_softmax_of_large_and_hidden_logits():
    found = softmax(np.array([[1000.0, 999.0, -np.inf], [-np.inf, -2000.0, -np.inf]]))
    e = np.exp(1)
    np.testing.assert_allclose(found, [[e / (1 + e), 1 / (1 + e), 0.0], [0.0, 1.0, 0.0]], rtol=1e-12)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.zeros((2, T + 1), dtype=int), "give whole sequences"),
        (np.zeros((0, T), dtype=int), "give whole sequences"),
        (np.full((1, T), SYMBOLS), "knows symbols 0 to 6"),
        (np.full((1, T), -1), "got -1"),
    ],
)
def test_inputs_that_do_not_fit(inputs, message):
    made = places(network_encoding("none", dim=D, heads=2, train_length=T), 2, True)
    with pytest.raises(ValueError, match=message):
        embedded(drawn(2), made, inputs)


def test_positions_are_a_value():
    made = places(network_encoding("none", dim=D, heads=2, train_length=T), 2, True)
    assert isinstance(made, Positions)
    assert not made.table.any()
    assert not made.relative.any()
