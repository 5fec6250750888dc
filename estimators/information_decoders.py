"""Decoders q(p|z) of the position, fitted on sequences of their own: the lower end of I(P; Z) needs no more of them.

Every decoder is a probability on N positions for every z, whatever it was fitted to: ln N + E ln q(P|Z) <= I(P; Z)
(`theory.information.decoder_lower_bound`). They are evaluated in float32 and normalised in float64: rounding changes
the decoder, not the bound. Fitted to activations without noise: it is known, and is added to their covariances.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32, Float64

Array = np.ndarray
Points = Float32[Array, "n d"]
ENTRIES = 1 << 20
SHRINKAGE = (0.1, 0.5)  # of a position's covariance towards the mean of all, quadratic discriminant
HIDDEN, STEPS, BATCH, RATE = 64, 200, 1024, 4e-3


class Decoder(NamedTuple):
    """`logits(z)` are (n, N); the decoder is their softmax."""

    name: str
    logits: Callable[[Points], Float32[Array, "n N"]]


class Moments(NamedTuple):
    """Of every position over the training sequences, without noise."""

    means: Float64[Array, "N d"]
    covariances: Float64[Array, "N d d"]


def moments(train: Float64[Array, "n N d"]) -> Moments:
    """Means, and covariances divided by n."""
    means = train.mean(axis=0)
    centred = (train - means).swapaxes(0, 1)  # (N, n, d)
    return Moments(means, centred.swapaxes(-1, -2) @ centred / len(train))


def linear(found: Moments, sigma: float) -> Decoder:
    """Linear discriminant: Gaussians with one covariance, that of all positions plus sigma^2 I."""
    dim = found.means.shape[1]
    shared = found.covariances.mean(axis=0) + sigma**2 * np.eye(dim)
    directions = np.linalg.solve(shared, found.means.T)  # (d, N)
    levels = -0.5 * (found.means.T * directions).sum(axis=0)
    weights, levels = directions.astype(np.float32), levels.astype(np.float32)
    return Decoder("linear discriminant", lambda z: z @ weights + levels)


def quadratic(found: Moments, sigma: float, shrinkage: float) -> Decoder:
    """Quadratic discriminant: covariance (1-a) C_p + a C + sigma^2 I at every position, a the shrinkage."""
    dim = found.means.shape[1]
    shared = shrinkage * found.covariances.mean(axis=0) + sigma**2 * np.eye(dim)
    values, vectors = np.linalg.eigh((1 - shrinkage) * found.covariances + shared)
    values = np.maximum(values, sigma**2 / 2)  # rounding only
    whitening = (vectors / np.sqrt(values)[:, None]).astype(np.float32)  # (N, d, d)
    shifts = np.einsum("nd,nde->ne", found.means, whitening).astype(np.float32)
    levels = (-0.5 * np.log(values).sum(axis=1)).astype(np.float32)
    joined = np.ascontiguousarray(whitening.transpose(1, 0, 2).reshape(dim, -1))

    def logits(z: Points) -> Array:
        rows = max(1, ENTRIES // joined.shape[1])
        parts = []
        for start in range(0, len(z), rows):
            white = (z[start : start + rows] @ joined).reshape(-1, *shifts.shape) - shifts
            parts.append(levels - 0.5 * np.einsum("qnd,qnd->qn", white, white))
        return np.concatenate(parts)

    return Decoder(f"quadratic discriminant, shrinkage {shrinkage:g}", logits)


def mixture(train: Float64[Array, "n N d"], sigma: float) -> Decoder:
    """The posterior if the training contents were all: at every position n Gaussians of variance sigma^2."""
    contents, positions, dim = train.shape
    centre = train.mean(axis=(0, 1))
    atoms = ((train - centre) / sigma).reshape(-1, dim).astype(np.float32)
    halves = np.einsum("kd,kd->k", atoms, atoms) / 2
    shift = (centre / sigma).astype(np.float32)

    def logits(z: Points) -> Array:
        rows = max(1, ENTRIES // len(atoms))
        parts = []
        for start in range(0, len(z), rows):
            made = (z[start : start + rows] / np.float32(sigma) - shift) @ atoms.T
            made -= halves
            top = made.max(axis=1, keepdims=True)
            np.exp(made - top, out=made)
            means = made.reshape(-1, contents, positions).mean(axis=1)
            parts.append(np.log(np.maximum(means, np.float32(1e-30))) + top)
        return np.concatenate(parts)

    return Decoder(f"mixture of {contents} contents", logits)


def perceptron(train: Float64[Array, "n N d"], sigma: float, seed: int) -> Decoder:
    """Softmax of a linear map and one hidden layer on [z, z^2, |z|^2, ln|z|^2], Adam, fresh noise at every step."""
    positions, dim = train.shape[1:]
    centre = train.mean(axis=(0, 1))
    scale = np.sqrt(train.var(axis=(0, 1)) + sigma**2)
    flat = jnp.asarray(((train - centre) / scale).reshape(-1, dim), dtype=jnp.float32)
    noise = jnp.asarray(sigma / scale, dtype=jnp.float32)
    weights = jax.tree.map(np.asarray, _trained(flat, noise, jax.random.key(seed), positions))
    shift, factor = centre.astype(np.float32), (1 / scale).astype(np.float32)
    return Decoder("perceptron", lambda z: _logits(weights, (z - shift) * factor, np))


def _logits(weights: dict[str, Any], z: Any, library: Any) -> Any:
    square = library.mean(z**2, axis=-1, keepdims=True)
    features = library.concatenate([z, z**2 - 1, square - 1, library.log(square + 1e-6)], axis=-1)
    hidden = library.tanh(features @ weights["in"] + weights["shift"])
    return features @ weights["linear"] + hidden @ weights["out"] + weights["level"]


@partial(jax.jit, static_argnames=("positions",))
def _trained(flat: jax.Array, noise: jax.Array, key: jax.Array, positions: int) -> dict[str, jax.Array]:
    dim = flat.shape[1]
    wide = 2 * dim + 2
    first, second, draws = jax.random.split(key, 3)
    start = {
        "in": jax.random.normal(first, (wide, HIDDEN), jnp.float32) / math.sqrt(wide),
        "shift": jnp.zeros(HIDDEN, jnp.float32),
        "linear": jnp.zeros((wide, positions), jnp.float32),
        "out": 0.1 * jax.random.normal(second, (HIDDEN, positions), jnp.float32) / math.sqrt(HIDDEN),
        "level": jnp.zeros(positions, jnp.float32),
    }

    def loss(weights: dict[str, jax.Array], z: jax.Array, labels: jax.Array) -> jax.Array:
        scores = jax.nn.log_softmax(_logits(weights, z, jnp))
        return -jnp.take_along_axis(scores, labels[:, None], axis=1).mean()

    def step(state: Any, index: jax.Array) -> Any:
        weights, mean, square = state
        pick, jitter = jax.random.split(jax.random.fold_in(draws, index))
        rows = jax.random.randint(pick, (BATCH,), 0, flat.shape[0])
        z = flat[rows] + noise * jax.random.normal(jitter, (BATCH, dim), jnp.float32)
        slopes = jax.grad(loss)(weights, z, rows % positions)
        mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, slopes)
        square = jax.tree.map(lambda v, g: 0.99 * v + 0.01 * g**2, square, slopes)
        time = index.astype(jnp.float32)
        rate = RATE * 0.5 * (1 + jnp.cos(jnp.pi * time / STEPS))
        late, early = 1 - 0.99 ** (time + 1), 1 - 0.9 ** (time + 1)

        def moved(w: jax.Array, m: jax.Array, v: jax.Array) -> jax.Array:
            return (w - rate * (m / early) / (jnp.sqrt(v / late) + 1e-8)).astype(jnp.float32)

        return (jax.tree.map(moved, weights, mean, square), mean, square), None

    zeros = jax.tree.map(jnp.zeros_like, start)
    (weights, _, _), _ = jax.lax.scan(step, (start, zeros, zeros), jnp.arange(STEPS))
    return weights


def log_probabilities(logits: Float32[Array, "n N"], sharpness: float) -> Float64[Array, "n N"]:
    """ln softmax(sharpness x logits), normalised in float64."""
    scaled = sharpness * np.asarray(logits, dtype=np.float64)
    scaled -= scaled.max(axis=1, keepdims=True)
    return scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
