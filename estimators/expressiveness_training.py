"""Small attention models trained on sequence-to-sequence targets, and their errors against the obstruction.

Model: x_i = E[a_i] + p_i, L layers of `estimators.transformer` (RMSNorm, residual connections, relu MLP of d rows), the
output <u, x^L_i> + c at every position. One head, the first of the encoding's 8. Loss: mean square over positions and
sequences. Trained: E, the matrices, u, c; the table of `learned`, the vectors of `relative` and the numbers of `t5`;
every other encoding stays at its formula, with tables at mean power 1. Adam (Kingma and Ba 2015), fresh sequences at
every step, rate 0.2/d falling linearly to 0.

One compiled program for every depth serves all encodings: tables, biases and angles are arrays. Targets and seeds are
batch axes; all encodings see the same sequences and start from the same matrices. Letters: T tokens, d channels.
"""

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

from estimators.expressiveness_targets import (
    SYMBOLS,
    TARGETS,
    constant_sequences,
    draw_sequences,
    target_spreads,
)
from estimators.layer_features import Features, layer_features
from estimators.transformer import Parameters, Wiring, entering
from theory import expressiveness
from theory.encodings import parse

WIRING = Wiring(normalise=True, residual=True, epsilon=1e-6)
HEADS = 1
TRAINABLE = ("learned", "relative", "t5")
RATE, DECAY, SECOND_DECAY, TINY = 0.2, 0.9, 0.99, 1e-8
TEST_SEQUENCES = 256
# Equal rows of float64 differ by some 1e-15 in networks of this size.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Training:
    """steps and batch of Adam; `seeds` networks for every target, with matrices and sequences of their own."""

    length: int
    dim: int
    seeds: int = 4
    steps: int = 350
    batch: int = 8
    causal: bool = False
    seed: int = 0


class Weights(NamedTuple):
    """What Adam moves. code, bias, relative: changes of the encoding's own numbers, 0 unless it is trainable."""

    embedding: Any
    layers: Parameters
    readout: Any
    level: Any
    code: Any
    bias: Any
    relative: Any


class Encoded(NamedTuple):
    """An encoding as arrays: features of zero tokens, which number every offset reads, and 1 where it is trained."""

    features: Features
    bias_index: Any
    relative_index: Any
    trained: Any


@dataclass(frozen=True)
class Trained:
    """Errors of one encoding, depth and target, one entry for every seed.

    error: root mean square on new sequences over that of the best constant output. constant: max_i |f_i - g_i| on the
    constant sequence where it is largest. bound: the largest D_g/2 of constant sequences. least_ratio: the least of
    max_i |f_i - g_i| over D_g/2, over constant sequences with D_g > 0; infinity if there is none.
    """

    target: str
    layers: int
    error: tuple[float, ...]
    constant: tuple[float, ...]
    bound: float
    least_ratio: tuple[float, ...]

    @property
    def below(self) -> bool:
        """Whether a seed got below the bound on some constant sequence: impossible where equal rows stay equal."""
        return min(self.least_ratio) < 1 - ROUNDING


def encoded(specification: str, training: Training) -> Encoded:
    """The encoding on `length` tokens. Offsets that share a number before training (clipped vectors, buckets) share
    it for ever."""
    length, dim = training.length, training.dim
    encoding = parse(specification, dim=dim, train_length=length)
    features = layer_features(encoding, np.zeros((1, length, dim)), heads=HEADS, first_head=0, causal=training.causal)
    offsets = np.subtract.outer(np.arange(length), np.arange(length)) + length - 1
    relative = np.asarray(features.relative)
    bias = np.zeros((2 * length - 1, HEADS))
    bias[offsets] = np.where(np.isfinite(features.bias), features.bias, 0.0).transpose(1, 2, 0)
    flags = [encoding.name == name for name in TRAINABLE]
    groups = [np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1) for rows in (bias, relative)]
    return Encoded(features, jnp.asarray(groups[0][offsets]), jnp.asarray(groups[1]), jnp.asarray(flags, dtype=float))


def start(rng: np.random.Generator, training: Training, layers: int) -> Weights:
    """W of deviation 1/d, so that logits of normalised tokens have deviation 1; V, M1, M2, E of deviation d^(-1/2).

    One layer more than `layers`, which is never read: `entering` gives what would enter it, at every position.
    """
    d, deep, offsets = training.dim, layers + 1, 2 * training.length - 1
    square, wide = (deep, HEADS, d, d), (deep, d, d)
    logits = rng.normal(size=square) / d
    values, mlp_in, mlp_out = (rng.normal(size=shape) / np.sqrt(d) for shape in (square, wide, wide))
    return Weights(
        embedding=rng.normal(size=(SYMBOLS, d)) / np.sqrt(d),
        layers=Parameters(logits, values, mlp_in, mlp_out),
        readout=np.zeros(d),
        level=np.zeros(()),
        code=np.zeros((training.length, d)),
        bias=np.zeros((HEADS, offsets)),
        relative=np.zeros((offsets, d)),
    )


def outputs(weights: Weights, given: Encoded, symbols):
    """<u, x^L_i> + c at every position (n, T)."""
    features = given.features
    learned, relative, bucket = given.trained
    tokens = weights.embedding[symbols] + features.tokens + learned * weights.code
    bias = features.bias + bucket * weights.bias[:, given.bias_index]
    moved = features.relative + relative * weights.relative[given.relative_index]
    full = features._replace(tokens=tokens, bias=bias, relative=moved)
    return entering(WIRING, full, weights.layers) @ weights.readout + weights.level


def _fit(weights: Weights, given: Encoded, symbols, goals) -> Weights:
    """Adam on the batches `symbols` (steps, batch, T) with targets `goals` of the same shape."""
    steps = symbols.shape[0]

    def loss(weights, batch, goal):
        return jnp.mean((outputs(weights, given, batch) - goal) ** 2)

    def step(state, now):
        weights, mean, square = state
        batch, goal, count = now
        slope = jax.grad(loss)(weights, batch, goal)
        mean = jax.tree.map(lambda m, g: DECAY * m + (1 - DECAY) * g, mean, slope)
        square = jax.tree.map(lambda s, g: SECOND_DECAY * s + (1 - SECOND_DECAY) * g * g, square, slope)
        rate = RATE / weights.readout.size * (1 - (count - 1) / steps)
        first, second = 1 - DECAY**count, 1 - SECOND_DECAY**count
        moved = jax.tree.map(
            lambda w, m, s: w - rate * (m / first) / (jnp.sqrt(s / second) + TINY), weights, mean, square
        )
        return (moved, mean, square), None

    zero = jax.tree.map(jnp.zeros_like, weights)
    counts = jnp.arange(1, steps + 1, dtype=goals.dtype)
    return jax.lax.scan(step, (weights, zero, zero), (symbols, goals, counts))[0][0]


def _cast(tree, dtype):
    return jax.tree.map(lambda x: x.astype(dtype) if jnp.issubdtype(x.dtype, jnp.floating) else x, tree)


@jax.jit
def _trained_outputs(weights: Weights, given: Encoded, symbols, goals, asked):
    """Outputs (seeds, targets, n, T) on `asked` (seeds, n, T): weights by seed, symbols by seed, goals by seed and
    target."""

    def one(weights, symbols, goals, asked):
        # Half the time; the errors are measured in float64.
        narrow = _cast(weights, jnp.float32), _cast(given, jnp.float32)
        fitted = _fit(narrow[0], narrow[1], symbols, goals.astype(jnp.float32))
        return outputs(_cast(fitted, jnp.float64), given, asked)

    targets = jax.vmap(one, in_axes=(None, None, 0, None))
    return jax.vmap(targets)(weights, symbols, goals, asked)


class Material(NamedTuple):
    """Sequences for every seed: to learn from, and to be asked afterwards, the constant ones last."""

    symbols: np.ndarray
    goals: np.ndarray
    asked: np.ndarray
    wanted: np.ndarray


@functools.lru_cache(maxsize=4)
def material(training: Training) -> Material:
    """The same for every encoding and depth."""
    seen, asked = [], []
    for seed in range(training.seeds):
        rng = np.random.default_rng([training.seed, seed, 1])
        seen.append(draw_sequences(rng, training.steps * training.batch, training.length))
        fresh = rng.integers(SYMBOLS, size=(TEST_SEQUENCES, training.length))
        asked.append(np.concatenate([fresh, constant_sequences(training.length)]))
    shape = (training.steps, training.batch, training.length)
    goals = [[one(rows).reshape(shape) for one in TARGETS.values()] for rows in seen]
    wanted = [[one(rows) for one in TARGETS.values()] for rows in asked]
    symbols = np.stack([rows.reshape(shape) for rows in seen])
    return Material(symbols, np.array(goals), np.array(asked), np.array(wanted))


def train(specification: str, training: Training, layers: int) -> list[Trained]:
    """All targets and seeds of one encoding at one depth."""
    given, data = encoded(specification, training), material(training)
    starts = [start(np.random.default_rng([training.seed, k, 0]), training, layers) for k in range(training.seeds)]
    weights = jax.tree.map(lambda *rows: jnp.asarray(np.stack(rows)), *starts)
    found = np.asarray(_trained_outputs(weights, given, data.symbols, data.goals, data.asked))
    missed = np.abs(found - data.wanted)  # (seeds, targets, n, T)
    if not np.isfinite(missed).all():
        raise ValueError(f"training of {specification} diverged: use a larger --dim, or a shorter --length")
    spreads = target_spreads(training.length)
    return [_errors(name, layers, missed[:, k], data.wanted[:, k], spreads[name]) for k, name in enumerate(TARGETS)]


def _errors(
    target: str,
    layers: int,
    missed: Float64[np.ndarray, "seeds n T"],
    wanted: Float64[np.ndarray, "seeds n T"],
    spread: Float64[np.ndarray, " S"],
) -> Trained:
    fresh, worst = slice(None, -SYMBOLS), missed[:, -SYMBOLS:].max(axis=2)  # (seeds, S)
    size = np.sqrt((missed[:, fresh] ** 2).mean(axis=(1, 2))) / wanted[:, fresh].std(axis=(1, 2))
    halves = np.array([obstruction(one) for one in spread])
    ratios = np.where(halves > 0, worst / np.where(halves > 0, halves, 1.0), np.inf)
    largest, least = worst.max(axis=1), ratios.min(axis=1)
    return Trained(target, layers, _numbers(size), _numbers(largest), float(halves.max()), _numbers(least))


def _numbers(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


@functools.cache
def obstruction(spread: float) -> float:
    """D_g/2: what no network that keeps equal rows equal can get below, rounded down."""
    return expressiveness.constant_sequence_error().safe(target_spread=float(spread))
