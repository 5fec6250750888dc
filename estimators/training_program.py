"""The compiled programs of training: one for all encodings, tasks, masks, rates and seeds of the same shape.

The network is that of `estimators.network`, in float32: products of matrices may run in bfloat16, positions (tables,
biases, angles) and softmax never do. Encoding, mask and loss are arrays. Loss: mean cross entropy in nats over scored
positions, or half the mean square of output 0 for numbers. Adam (Kingma and Ba 2015; optax), gradients clipped to norm
1, rate rising over 20 steps and then falling linearly to a tenth at the last step.

Letters: s steps, n sequences, T tokens, d channels, V symbols, H heads, k channels of a head, O outputs.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float32, Int32

from estimators.network import EPSILON
from estimators.network_weights import Weights

WARM_UP, FINAL_SHARE, CLIP = 20, 0.1, 1.0
F32 = jnp.float32


class Encoded(NamedTuple):
    """An encoding and a mask at one length, float32. Indices say which row of the encoding's own numbers is read;
    `own` is 1 where table, relative vectors or biases are such numbers; `turned`, `shifted`: whether rotations and
    relative vectors are in use."""

    table: Float32[Array, "T d"]
    bias: Float32[Array, "H T T"]
    cosine: Float32[Array, "T half"]
    sine: Float32[Array, "T half"]
    relative: Float32[Array, "offsets k"]
    mix: Float32[Array, "T N"]
    relative_index: Int32[Array, " offsets"]
    bias_index: Int32[Array, "T T"]
    own: Float32[Array, "three"]
    turned: Array
    shifted: Array


class Batch(NamedTuple):
    """Sequences with what is asked of them. `share` is 1 where a position is scored; `present` 0 for real tokens and
    -infinity for padding."""

    inputs: Int32[Array, "n T"]
    targets: Float32[Array, "n T"]
    share: Float32[Array, "n T"]
    present: Float32[Array, "n T"]


class Goal(NamedTuple):
    """What a task asks: `classes` is 0 for outputs in use and -infinity for the others; `numbers` is 1 for numbers."""

    classes: Float32[Array, " O"]
    numbers: Float32[Array, ""]


class State(NamedTuple):
    """Everything that one member carries from step to step."""

    weights: Weights
    moments: Any
    step: Int32[Array, ""]


def norm(x):
    """RMSNorm without gain."""
    return x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + F32(EPSILON))


def product(a, b, low: bool):
    """a b in float32, or with both rounded to bfloat16 first."""
    if low:
        a, b = a.astype(jnp.bfloat16), b.astype(jnp.bfloat16)
    return jnp.matmul(a, b, preferred_element_type=F32)


def attend(encoded: Encoded, relative, bias, present, q, k, v, low: bool):
    """Attention of (n, T, H, k) arrays; weights are divided by their sum after the product with the values."""
    n, length, heads, width = q.shape
    half = width // 2

    def turn(x):
        first, second, rest = x[..., :half], x[..., half : 2 * half], x[..., 2 * half :]
        cosine, sine = encoded.cosine[:, None], encoded.sine[:, None]
        return jnp.concatenate([first * cosine - second * sine, first * sine + second * cosine, rest], axis=-1)

    q, k = jax.lax.cond(encoded.turned, lambda a, b: (turn(a), turn(b)), lambda a, b: (a, b), q, k)
    q, k, v = (x.transpose(0, 2, 1, 3).reshape(n * heads, length, width) for x in (q * F32(width**-0.5), k, v))
    logits = product(q, k.swapaxes(1, 2), low)

    def shift(q):
        rows = product(q, relative.T, low)  # (n H, T, 2T-1): column T-1+D is read by key s-D
        padded = jnp.pad(rows, ((0, 0), (0, 0), (0, 1)))
        # Row s wants columns s+T-1, s+T-2, .., s: reversed rows of length 2T, read as one row shifted by one each.
        flat = padded[..., ::-1].reshape(n * heads, -1)[:, length:]
        return flat[:, : length * (2 * length - 1)].reshape(n * heads, length, 2 * length - 1)[..., :length]

    moved = jax.lax.cond(encoded.shifted, shift, lambda q: jnp.zeros_like(logits), q)
    logits = (logits + moved).reshape(n, heads, length, length) + (bias + present[:, None, None, :])
    weights = jnp.exp(logits - jax.lax.stop_gradient(logits.max(axis=-1, keepdims=True)))
    mixed = product(weights.reshape(n * heads, length, length), v, low) / weights.sum(-1).reshape(n * heads, length, 1)
    return mixed.reshape(n, heads, length, width).transpose(0, 2, 1, 3).reshape(n, length, heads * width)


def outputs(weights: Weights, encoded: Encoded, inputs, present, low: bool = False):
    """The output at every position (n, T, O)."""
    (n, length), (layers, dim) = inputs.shape, weights.out.shape[:2]
    heads = weights.bias.shape[0]
    own = encoded.own
    table = encoded.table + own[0] * (encoded.mix @ weights.table)
    relative = encoded.relative + own[1] * weights.relative[encoded.relative_index]
    bias = encoded.bias + own[2] * weights.bias[:, encoded.bias_index]
    x = (weights.embedding[inputs] + table).reshape(n * length, dim)
    for layer in range(layers):
        qkv = product(norm(x), weights.qkv[layer], low).reshape(n, length, 3, heads, dim // heads)
        mixed = attend(encoded, relative, bias, present, qkv[:, :, 0], qkv[:, :, 1], qkv[:, :, 2], low)
        x = x + product(mixed.reshape(n * length, dim), weights.out[layer], low)
        if weights.mlp_in.shape[2]:
            hidden = jax.nn.relu(product(norm(x), weights.mlp_in[layer], low))
            x = x + product(hidden, weights.mlp_out[layer], low)
    return (product(norm(x), weights.read, low) + weights.level).reshape(n, length, -1)


def losses(weights: Weights, encoded: Encoded, goal: Goal, batch: Batch, low: bool):
    """Mean loss over scored positions."""
    found = outputs(weights, encoded, batch.inputs, batch.present, low)

    def entropy(found):
        logits = found + goal.classes
        top = jax.lax.stop_gradient(logits.max(axis=-1, keepdims=True))
        chosen = jnp.take_along_axis(logits, batch.targets.astype(jnp.int32)[..., None], axis=-1)[..., 0]
        return jnp.log(jnp.exp(logits - top).sum(axis=-1)) + top[..., 0] - chosen

    def squares(found):
        return (found[..., 0] - batch.targets) ** 2 / 2

    each = jax.lax.cond(goal.numbers > 0, squares, entropy, found)
    return (each * batch.share).sum() / jnp.maximum(batch.share.sum(), 1)


def _optimiser() -> optax.GradientTransformation:
    return optax.chain(optax.clip_by_global_norm(CLIP), optax.scale_by_adam(b1=0.9, b2=0.98, eps=1e-8))


def start_state(weights: Weights) -> State:
    """Step 0."""
    small = jax.tree.map(lambda block: jnp.asarray(block, F32), weights)
    return State(small, _optimiser().init(small), jnp.zeros((), jnp.int32))


def rate_share(step, total):
    """The share of the learning rate at a step: warm-up, then a line to `FINAL_SHARE`."""
    now = step.astype(F32)
    falling = 1 - (1 - F32(FINAL_SHARE)) * jnp.minimum(now / total, 1)
    return jnp.minimum((now + 1) / WARM_UP, 1) * falling


@functools.partial(jax.jit, static_argnames=("low",))
def train_chunk(state: State, encoded: Encoded, goal: Goal, batches: Batch, rate, total, low: bool = False):
    """As many steps as `batches` has; the state after them and the loss of every step."""
    return _steps(state, encoded, goal, batches, rate, total, low)


def _steps(state, encoded, goal, batches, rate, total, low):
    optimiser = _optimiser()

    def step(state: State, batch: Batch):
        value, slope = jax.value_and_grad(losses)(state.weights, encoded, goal, batch, low)
        moves, moments = optimiser.update(slope, state.moments)
        pace = -rate * rate_share(state.step, total)
        weights = jax.tree.map(lambda block, move: block + pace * move, state.weights, moves)
        return State(weights, moments, state.step + 1), value

    return jax.lax.scan(step, state, batches)


@functools.partial(jax.jit, static_argnames=("low",))
def train_together(states: State, encoded: Encoded, goal: Goal, batches: Batch, rates, totals, low: bool = False):
    """`train_chunk` of stacked members at once (leading axis of every argument)."""
    return jax.vmap(functools.partial(_steps, low=low))(states, encoded, goal, batches, rates, totals)


@jax.jit
def evaluate(weights: Weights, encoded: Encoded, inputs, present):
    """Outputs (n, T, O) of one member."""
    return outputs(weights, encoded, inputs, present)
