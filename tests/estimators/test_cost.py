"""Operations counted in traced programs: against counts by hand, and every encoding adds no more than its bound."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.claims.cost import CLAIMS
from estimators.cost import _rotate, added_share, layer, operations
from estimators.ledger import check_claim, check_twin
from theory.encodings import ENCODINGS, parse
from theory.encodings.none import NoEncoding

LENGTH, DIM, HEADS = 8, 16, 2


def test_counts_by_hand():
    a, b = jnp.ones((3, 5)), jnp.ones((5, 7))
    assert operations(lambda x, y: x @ y, a, b) == 2 * 3 * 5 * 7
    assert operations(lambda x: jnp.exp(x.T).sum() + 1.0, a) == 15 + 15 + 1
    assert operations(jax.jit(lambda x: x + x * x), a) == 30
    assert operations(lambda x: jnp.einsum("ij,ij->i", x, x), a) == 2 * 15
    with pytest.raises(ValueError, match="no count for the primitive 'erf'"):
        operations(jax.scipy.special.erf, a)


@given(st.integers(1, 12), st.integers(1, 4), st.sampled_from([1, 2, 4]))
@settings(max_examples=10, deadline=None)
def test_a_layer_costs_what_the_theory_counts_and_its_softmax(length, width, heads):
    dim = width * heads
    tokens, weights = jnp.ones((length, dim)), jnp.ones((4, dim, dim))
    counted = operations(lambda x, w: layer(x, w, heads=heads), tokens, weights)
    products = 8 * length * dim**2 + 4 * length**2 * dim
    assert products < counted <= products + 7 * heads * length**2 + 3 * heads * length + length * dim


@pytest.mark.parametrize(
    ("encoding", "added"),
    [
        ("none", 0),
        ("haar", LENGTH * DIM),
        ("alibi", HEADS * LENGTH**2),
        ("rotary", 6 * LENGTH * DIM),
        ("relative", 2 * LENGTH**2 * DIM + HEADS * LENGTH**2),
    ],
)
def test_added_operations_are_exact(encoding, added):
    tokens, weights = jnp.ones((LENGTH, DIM)), jnp.ones((4, DIM, DIM))
    plain = operations(lambda x, w: layer(x, w, heads=HEADS), tokens, weights)
    found = added_share(encoding=encoding, length=LENGTH, dim=DIM, heads=HEADS)
    assert found.estimate.lower * plain <= added <= found.estimate.upper * plain
    assert found.encoding == encoding


def test_rotation_keeps_norms_and_the_layer_is_softmax_attention():
    rng = np.random.default_rng(0)
    tokens, weights = rng.normal(size=(5, 4)), rng.normal(size=(4, 4, 4))
    query, key, value = (tokens @ weights[index] for index in range(3))
    logits = query @ key.T / 2
    attention = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(
        layer(jnp.asarray(tokens), jnp.asarray(weights), heads=1), attention @ value @ weights[3], atol=1e-10
    )
    angles = rng.normal(size=(5, 1, 2))
    turned = _rotate(jnp.asarray(query)[:, None], jnp.cos(angles), jnp.sin(angles))
    np.testing.assert_allclose(np.linalg.norm(turned[:, 0], axis=1), np.linalg.norm(query, axis=1), atol=1e-10)


def test_every_encoding_has_a_bound():
    covered = {case["encoding"] for claim in CLAIMS.values() for case in claim.cases(np.random.default_rng(0), False)}
    without = {name for name in ENCODINGS if isinstance(parse(name, dim=8, train_length=8), NoEncoding)}
    assert covered | without == set(ENCODINGS)


@pytest.mark.parametrize("name", CLAIMS)
def test_claims_hold_and_their_twins_do_not(name):
    assert check_claim(name, CLAIMS[name]).verdict == "holds"
    assert check_twin(name, CLAIMS[name]).verdict == "violated"


def test_bad_sizes():
    with pytest.raises(ValueError, match="may be 512 at most, got 8 and 1024"):
        added_share(encoding="haar", length=8, dim=1024, heads=1)
    with pytest.raises(ValueError, match="heads must divide dim, got 3 and 16"):
        added_share(encoding="haar", length=8, dim=16, heads=3)
