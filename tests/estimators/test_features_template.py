"""Keys, values and biases of the template class, written a second time from the table of theory section 1."""

import jax.numpy as jnp
import numpy as np
import pytest

from estimators.features import additive_table, bias_row, relative_table, template
from theory.encodings import ENCODINGS, parse
from theory.encodings.base import AbstractAdditiveEncoding, AbstractBiasEncoding

TOKENS = np.random.default_rng(0).normal(size=(3, 7, 6))


def read(text, **defaults):
    return parse(text, **{"dim": 6, "train_length": 7, **defaults})


@pytest.mark.parametrize("name", ENCODINGS)
def test_shapes_and_where_the_encoding_enters(name):
    encoding = read(name)
    keys, values, bias = template(encoding, TOKENS)
    assert (keys.shape, values.shape, bias.shape) == ((3, 7, 6), (3, 7, 6), (7,))
    assert keys.dtype == values.dtype == bias.dtype == jnp.float64
    if isinstance(encoding, AbstractAdditiveEncoding):
        table = additive_table(encoding, 7, power=1.0)
        np.testing.assert_array_equal(keys, TOKENS + table)
        np.testing.assert_array_equal(values, keys)
        only = template(encoding, TOKENS, keys_only=True)
        np.testing.assert_array_equal(only.keys, keys)
        np.testing.assert_array_equal(only.values, TOKENS)
    else:
        np.testing.assert_array_equal(values, TOKENS)
    if isinstance(encoding, AbstractBiasEncoding):
        np.testing.assert_array_equal(keys, TOKENS)
        np.testing.assert_array_equal(bias, bias_row(encoding, 7))
        np.testing.assert_array_equal(template(encoding, TOKENS, head=3).bias, bias_row(encoding, 7, 3))
    else:
        assert not bias.any()


def test_heads_differ():
    encoding = read("alibi")
    assert not np.array_equal(template(encoding, TOKENS).bias, template(encoding, TOKENS, head=3).bias)


def test_no_encoding_changes_nothing():
    keys, values, bias = template(read("none"), TOKENS)
    np.testing.assert_array_equal(keys, TOKENS)
    np.testing.assert_array_equal(values, TOKENS)
    assert not bias.any()


def test_bias_is_read_from_the_last_position():
    np.testing.assert_allclose(template(read("alibi:slope=2"), TOKENS).bias, [-12, -10, -8, -6, -4, -2, 0])


def test_relative_vectors_run_backwards_and_are_scaled():
    encoding = read("relative:clip_distance=2")
    raw = np.array([[float(encoding.feature(min(d, 2), k)) for k in range(6)] for d in range(7)])
    np.testing.assert_allclose(relative_table(encoding, 7), raw[::-1], rtol=1e-14)
    scaled = raw[::-1] / np.sqrt(np.mean(np.sum(raw**2, axis=1)))
    np.testing.assert_allclose(template(encoding, TOKENS).keys, TOKENS + scaled, rtol=1e-13)
    np.testing.assert_allclose(template(encoding, TOKENS, power=None).keys, TOKENS + raw[::-1], rtol=1e-13)


@pytest.mark.parametrize("pairing", ["interleaved", "half-split"])
def test_rotary_turns_keys_counter_clockwise_by_their_distance(pairing):
    keys = np.asarray(template(read(f"rotary:pairing={pairing}"), TOKENS).keys)
    for j in range(7):
        for k in range(3):
            a, b = (2 * k, 2 * k + 1) if pairing == "interleaved" else (k, k + 3)
            phi = (6 - j) * 10000 ** (-2 * k / 6)
            turn = np.array([[np.cos(phi), -np.sin(phi)], [np.sin(phi), np.cos(phi)]])
            np.testing.assert_allclose(keys[:, j, [a, b]], TOKENS[:, j, [a, b]] @ turn.T, atol=1e-13)
    np.testing.assert_array_equal(keys[:, -1], TOKENS[:, -1])


def test_rotary_scores_agree_with_rotated_queries_and_keys():
    """<R_i q, R_j x> for rotations by minus the position equals <q, R_{i-j} x>: the template's key."""
    encoding = read("rotary")
    keys = np.asarray(template(encoding, TOKENS).keys)
    complex_tokens = TOKENS[..., 0::2] + 1j * TOKENS[..., 1::2]
    query = complex_tokens[:, 0]
    theta = 10000.0 ** (-2 * np.arange(3) / 6)
    at = np.exp(-1j * np.outer(np.arange(7), theta))
    scores = np.real(np.sum(np.conj(query * at[6])[:, None] * (complex_tokens * at), axis=-1))
    plain = np.stack([query.real, query.imag], axis=-1).reshape(3, 6)
    np.testing.assert_allclose(np.einsum("nd,ntd->nt", plain, keys), scores, atol=1e-12)


def test_numpy_jax_lists_and_integers_are_accepted():
    encoding = read("cosine")
    for tokens in (jnp.asarray(TOKENS), TOKENS.tolist(), TOKENS):
        np.testing.assert_array_equal(template(encoding, tokens).keys, template(encoding, TOKENS).keys)
    whole = np.ones((2, 7, 6), dtype=int)
    assert template(encoding, whole).keys.dtype == jnp.float64


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (TOKENS[0], "shape (n, T, d), got (7, 6)"),
        (TOKENS[:0], "must not be empty"),
        (TOKENS[:, :0], "must not be empty"),
        (np.where(TOKENS > 1, np.nan, TOKENS), "must be finite"),
        (np.where(TOKENS > 1, np.inf, TOKENS), "must be finite"),
        (TOKENS + 1j, "must be real"),
        (np.full((2, 7, 6), "a"), "must be real"),
        (TOKENS[..., :4], "cosine has dim 6, tokens have 4: use dim=4"),
    ],
)
def test_bad_tokens(tokens, message):
    with pytest.raises(ValueError, match=r"\S") as caught:
        template(read("cosine"), tokens)
    assert message in str(caught.value)
