"""Claims of theory section 3.7: attention as a map of token sequences. One line per statement."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from estimators.attention_lipschitz import (
    ascend,
    growing_jacobian_norm,
    in_ball,
    jacobian_norm,
    l2_jacobian_norm,
    received_attention,
    rms_norm_derivative,
)
from estimators.attention_map import attention_map
from estimators.claim import Case, Claim
from theory import attention
from theory.encodings import ENCODINGS, parse
from theory.encodings.base import AbstractBiasEncoding, AbstractRelativeEncoding

NO_BIAS = tuple(
    name
    for name in ENCODINGS
    if not isinstance(parse(name, dim=4, train_length=8), (AbstractBiasEncoding, AbstractRelativeEncoding))
)
MATRICES = ("tokens", "query", "key", "value")


def _tokens(rng: np.random.Generator, shape: str, length: int, dim: int) -> np.ndarray:
    """Unit tokens: random directions, or one token against all others (all queries can then look at one key)."""
    if shape == "random":
        return in_ball(1e9 * rng.normal(size=(length, dim)), 1.0)
    tokens = np.zeros((length, dim))
    tokens[:, 0] = 1.0
    tokens[0, 0] = -1.0
    return tokens + 1e-3 * rng.normal(size=tokens.shape)


def _maps(
    names: tuple[str, ...], masks: tuple[bool, ...], lengths: tuple[int, ...], rng: np.random.Generator, thorough: bool
) -> Iterator[Case]:
    """Heads of every encoding at random points and at points found by ascent, |W_K^T W_Q| = 1/4, 1 and 2."""
    dim = 4
    for name in names:
        for causal in masks:
            for length in lengths:
                for trial in range(10 if thorough else 1):
                    query, key, value = rng.normal(size=(3, dim, dim))
                    if rng.random() < 0.5:
                        key, query = np.eye(dim), -np.eye(dim)
                    query = query * rng.choice([0.25, 1.0, 2.0]) / np.linalg.norm(key.T @ query, 2)
                    value = value / np.linalg.norm(value, 2)
                    head = attention_map(name, query, key, value, length=length, causal=causal)
                    tokens = _tokens(rng, ("random", "cluster")[trial % 2], length, dim)
                    for x in (tokens, ascend(head, tokens, 1.0, steps=60 if thorough else 8, rng=rng)):
                        yield {
                            "encoding": name,
                            "tokens": x.tolist(),
                            "query": query.tolist(),
                            "key": key.tolist(),
                            "value": value.tolist(),
                            "radius": 1.0,
                            "causal": causal,
                        }


def every_map(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Every encoding, causal or not."""
    yield from _maps(tuple(ENCODINGS), (True, False), (6, 16) if thorough else (6,), rng, thorough)


def causal_maps_without_bias(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Encodings without bias under the causal mask, in growing length."""
    yield from _maps(NO_BIAS, (True,), (8,), rng, thorough)
    yield from _maps(("none", "rotary"), (True,), (16, 32, 64), rng, thorough)


def plain_maps(masks: tuple[bool, ...], rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """No encoding."""
    yield from _maps(("none",), masks, (2, 5, 12, 24), rng, thorough)


def logits(slopes: tuple[float, ...], causal: bool, rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random logits, and the worst ones: B at the first (or middle) key, -B at the others."""
    for slope in slopes:
        for length in (2, 7, 30, *([100] if thorough else [])):
            for bound in (0.25, 1.0, 2.5):
                column = 0 if causal else length // 2
                worst = np.where(np.arange(length) == column, 1.0, -1.0) * np.ones((length, 1))
                for s in (worst, *rng.uniform(-1, 1, size=(10 if thorough else 1, length, length))):
                    case = {"logits": s.tolist(), "logit_bound": bound, "causal": causal}
                    yield case | ({"slope": slope} if slope else {})


def long_logits(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Causal heads that look at the first token, in growing length."""
    for length in (4, 20, 60):
        row = np.where(np.arange(length) == 0, 1.0, -1.0)
        yield {"logits": np.tile(row, (length, 1)).tolist(), "logit_bound": 1.0, "causal": True}


def rms_points(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random points of all sizes, and the origin, where the bound is attained."""
    for dim in (1, 3, 8):
        for size in (0.0, *10.0 ** rng.uniform(-4, 2, size=20 if thorough else 3)):
            yield {
                "point": (size * rng.normal(size=dim)).tolist(),
                "gains": rng.normal(size=dim).tolist(),
                "epsilon": float(10 ** rng.uniform(-8, 0)),
            }


def l2_heads(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random heads; and one token amid the others at the distance where they distract it most."""
    for length in (2, 6, 16):
        for trial in range(20 if thorough else 4):
            dim = 3
            tokens = rng.normal(size=(length, dim)) * rng.choice([0.1, 1.0, 3.0])
            query, value = np.eye(dim), np.eye(dim)
            if trial % 2:
                query, value = rng.normal(size=(2, dim, dim))
            else:
                tokens = np.outer(rng.choice([-1.0, 1.0], size=length), [1.0, 0.0, 0.0])
                tokens = tokens * rng.uniform(0.5, 2.5) + 1e-3 * rng.normal(size=tokens.shape)
                tokens[0] = 0.0
            yield {"tokens": tokens.tolist(), "query": query.tolist(), "value": value.tolist()}


def radii(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """B from 0 to 300: the derivative grows with it."""
    for length in (3, 9, *([51] if thorough else [])):
        for bound in (0.0, 1.0, 20.0, 300.0):
            yield {"length": length, "logit_bound": bound, "value_norm": float(rng.uniform(0.5, 2.0))}


MASS_FREE = ("logits",)
SLOPES = (0.00390625, 0.25, 1.0, 3.0)
CAUSAL_WORDS = ("logit_bound", "value_operator_norm")
BASELINE_WORDS = (*CAUSAL_WORDS, "length")
ALIBI_WORDS = ("logit_bound", "alibi_slope")

CLAIMS: dict[str, Claim] = {
    "attention-lipschitz": Claim(attention.lipschitz, jacobian_norm, every_map, MATRICES),
    "attention-lipschitz-causal": Claim(
        attention.lipschitz_causal, partial(jacobian_norm, words=CAUSAL_WORDS), causal_maps_without_bias, MATRICES
    ),
    "attention-unmasked-mass": Claim(
        attention.unmasked_mass, received_attention, partial(logits, (0.0,), False), MASS_FREE, tight=True
    ),
    "attention-causal-mass": Claim(
        attention.causal_mass, received_attention, partial(logits, (0.0,), True), MASS_FREE, tight=True
    ),
    "attention-causal-mass-logarithm": Claim(
        attention.causal_mass_logarithm, received_attention, partial(logits, (0.0,), True), MASS_FREE
    ),
    "attention-alibi-causal-mass": Claim(
        attention.alibi_causal_mass,
        partial(received_attention, words=ALIBI_WORDS),
        partial(logits, SLOPES, True),
        MASS_FREE,
    ),
    "attention-alibi-symmetric-mass": Claim(
        attention.alibi_symmetric_mass,
        partial(received_attention, words=ALIBI_WORDS),
        partial(logits, SLOPES, False),
        MASS_FREE,
    ),
    "attention-causal-mass-without-length": Claim(
        attention.causal_mass_without_length,
        partial(received_attention, words=("logit_bound",)),
        long_logits,
        MASS_FREE,
        true=False,
    ),
    "attention-rms-norm": Claim(attention.rms_norm, rms_norm_derivative, rms_points, ("point", "gains"), tight=True),
    "attention-ball-baseline": Claim(
        attention.ball_baseline,
        partial(jacobian_norm, words=BASELINE_WORDS),
        partial(plain_maps, (True, False)),
        MATRICES,
    ),
    "attention-mean-field-baseline": Claim(
        attention.mean_field_baseline,
        partial(jacobian_norm, words=CAUSAL_WORDS),
        partial(plain_maps, (False,)),
        MATRICES,
    ),
    "attention-l2-baseline": Claim(
        attention.l2_attention_baseline, l2_jacobian_norm, l2_heads, ("tokens", "query", "value")
    ),
    "attention-growth-with-radius": Claim(attention.growth_with_radius, growing_jacobian_norm, radii, ("logit_bound",)),
}
