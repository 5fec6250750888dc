"""InfoNCE with a small trained critic: a point estimate of I(label; vector) in nats, at most ln(batch)."""

import functools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from estimators.information_nearest import as_classes, as_points

SHARES = 0.5, 0.75  # training until the first, choice of the step until the second, value from the rest
LEAST = 8  # points of a part
RATE, FIRST_MOMENT, SECOND_MOMENT, GUARD = 1e-2, 0.9, 0.999, 1e-8  # Adam (Kingma and Ba, 2015)


class Critic(NamedTuple):
    """f(p, z) = output[:, p] . tanh([z, (z^2 - 1)/sqrt 2] hidden + offset) + direct[:, p] . [..] + constant[p]."""

    hidden: Float[Array, "q h"]
    offset: Float[Array, " h"]
    output: Float[Array, "h C"]
    direct: Float[Array, "q C"]
    constant: Float[Array, " C"]


def _scores(critic: Critic, features: Float[Array, "b q"]) -> Float[Array, "b C"]:
    hidden = jnp.tanh(features @ critic.hidden + critic.offset)
    return hidden @ critic.output + features @ critic.direct + critic.constant


def _value(critic: Critic, features: Float[Array, "b q"], classes: Int[Array, " b"]) -> Float[Array, ""]:
    """mean_i [f(p_i, z_i) - ln mean_j e^f(p_j, z_i)] over one batch: at most ln b, as j = i is one of the terms."""
    table = _scores(critic, features)[:, classes]  # (b, b): row z_i, column p_j
    gaps = table - jnp.diagonal(table)[:, None]
    top = gaps.max(axis=1, keepdims=True)  # at least 0; exactly 0 for a critic that says nothing, and then so is all
    return -jnp.mean(jnp.log(jnp.mean(jnp.exp(gaps - top), axis=1)) + top[:, 0])


@functools.partial(jax.jit, static_argnames=("class_count", "hidden", "steps", "batch", "checks"))
def _trained(key, features, classes, held_features, held_classes, *, class_count, hidden, steps, batch, checks):
    """The critic of the best of `checks` moments by its value on held-out batches, the untrained zero one included."""
    first, second, rest = jax.random.split(key, 3)
    width = features.shape[1]
    start = Critic(
        2 * jax.random.normal(first, (width, hidden)) / math.sqrt(width),
        2 * jax.random.normal(second, (hidden,)),
        jnp.zeros((hidden, class_count)),
        jnp.zeros((width, class_count)),
        jnp.zeros(class_count),
    )
    slope = jax.grad(lambda critic, z, p: -_value(critic, z, p))

    def step(state, index):
        critic, first_moment, second_moment = state
        rows = jax.random.choice(jax.random.fold_in(rest, index), len(classes), (batch,), replace=False)
        gradient = slope(critic, features[rows], classes[rows])
        first_moment = jax.tree.map(lambda m, g: FIRST_MOMENT * m + (1 - FIRST_MOMENT) * g, first_moment, gradient)
        second_moment = jax.tree.map(
            lambda v, g: SECOND_MOMENT * v + (1 - SECOND_MOMENT) * g**2, second_moment, gradient
        )
        ahead, spread = 1 - FIRST_MOMENT ** (index + 1.0), 1 - SECOND_MOMENT ** (index + 1.0)
        critic = jax.tree.map(
            lambda c, m, v: c - RATE * (m / ahead) / (jnp.sqrt(v / spread) + GUARD),
            critic,
            first_moment,
            second_moment,
        )
        return (critic, first_moment, second_moment), None

    def check(carried, block):
        state, best, highest = carried
        state, _ = jax.lax.scan(step, state, block)
        value = _mean_value(state[0], held_features, held_classes)
        best = jax.tree.map(lambda new, old: jnp.where(value > highest, new, old), state[0], best)
        return (state, best, jnp.maximum(value, highest)), None

    zeros = jax.tree.map(jnp.zeros_like, start)
    blocks = jnp.arange(steps).reshape(checks, -1)
    (_, best, _), _ = jax.lax.scan(check, ((start, zeros, zeros), start, 0.0), blocks)
    return best


def _mean_value(critic: Critic, features: Float[Array, "m b q"], classes: Int[Array, "m b"]) -> Float[Array, ""]:
    return jnp.mean(jax.lax.map(lambda one: _value(critic, *one), (features, classes)))


_held_out = jax.jit(_mean_value)


def infonce(
    labels: Any, points: Any, *, seed: int, batch: int = 128, steps: int = 400, hidden: int = 32, checks: int = 10
) -> float:
    """Mean over held-out batches of mean_i ln [e^f(p_i, z_i)/mean_j e^f(p_j, z_i)] <= ln(batch).

    van den Oord, Li and Vinyals (2018), recalled: for a critic f fixed before, the expectation is at most I. The critic
    is trained by Adam on one half of the points, the step chosen on a quarter, the value taken from the last quarter in
    batches of `batch` or of all its points; a critic that learns nothing scores 0. Never above ln(batch), which is
    below ln N where batch < N. steps: a multiple of checks. Deterministic for a seed.
    """
    table = as_points(points)
    classes = as_classes(labels, len(table))
    if len(table) < LEAST / (1 - SHARES[1]):
        raise ValueError(f"infonce splits the points in 4 and needs {4 * LEAST}, got {len(table)}: use more points")
    for name, given, least in (("batch", batch, 2), ("steps", steps, 1), ("hidden", hidden, 1), ("checks", checks, 1)):
        if given < least or int(given) != given:
            raise ValueError(f"{name} must be a whole number of at least {least}, got {given}: leave it at its default")
    if steps % checks:
        raise ValueError(f"steps must be a multiple of checks, got {steps} and {checks}: use steps={10 * checks}")
    order = np.random.default_rng(seed).permutation(len(table))
    train, choose, test = np.split(order, [int(share * len(table)) for share in SHARES])
    centre, spread = table[train].mean(axis=0), table[train].std(axis=0)
    scaled = (table - centre) / np.where(spread > 0, spread, 1.0)
    # Clipped only as input of the critic: one outlier must not decide its weights.
    scaled = np.clip(scaled, -10.0, 10.0)
    features = np.hstack([scaled, (scaled**2 - 1) / math.sqrt(2)])
    critic = _trained(
        jax.random.key(seed),
        features[train],
        classes[train],
        *_batches(features, classes, choose, batch),
        class_count=int(classes.max()) + 1,
        hidden=hidden,
        steps=steps,
        batch=min(batch, train.size),
        checks=checks,
    )
    return float(_held_out(critic, *_batches(features, classes, test, batch)))


def _batches(features: Any, classes: Any, rows: Any, batch: int) -> tuple[Any, Any]:
    """Whole batches of the given rows, or one of all of them."""
    size = min(batch, rows.size)
    kept = rows[: rows.size // size * size].reshape(-1, size)
    return features[kept], classes[kept]
