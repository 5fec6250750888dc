"""Lower ends for max_{|w| <= B} h(S_eps(w)): a shared pool of queries, then ascent for every sign vector at once.

Only feasible queries are evaluated, so every value is attained: a witness, never an upper bound.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

from estimators.attention import Head, attention_weights, head_outputs
from estimators.supremum.readout import Ball, maximiser, support

# Kept below 1 so that rounded projections and steps (tens of ulps, p/2 more in a norm) never leave the ball.
INSIDE = 1.0 - 2.0**-40
STEPS = (1.0, 0.5, 0.15)


def ball_pool(dim: int, radius: float, points: int, seed: int) -> Float64[np.ndarray, "m p"]:
    """Queries spread over the ball: the origin, the axes, and seeded directions at radii B, B/2 and B/4."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, dim]))
    directions = rng.standard_normal((points, dim))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    directions[1::2] = -directions[0 : len(directions) - 1 : 2] if points > 1 else directions[1::2]
    axes = np.concatenate([np.eye(dim), -np.eye(dim)])
    scales = np.where(np.arange(points) % 4 < 2, 1.0, np.where(np.arange(points) % 8 < 4, 0.5, 0.25))
    pool = np.concatenate([np.zeros((1, dim)), axes, directions * scales[:, None]])
    return pool * radius * INSIDE


def pool_values(head: Head, signs, pool, ball: Ball, block: int = 64) -> Float64[np.ndarray, "k m"]:
    """h(S_eps(w)) for every sign vector and pool query; attention is evaluated once for all sign vectors."""
    signs = jnp.asarray(signs)
    columns = []
    for start in range(0, len(pool), block):
        part = pool[start : start + block]
        padded = np.zeros((block, pool.shape[1]))
        padded[: len(part)] = part
        columns.append(np.asarray(_pool_block(head, signs, jnp.asarray(padded), ball))[:, : len(part)])
    return np.concatenate(columns, axis=1)


@partial(jax.jit, static_argnames="ball")
def _pool_block(head: Head, signs, queries, ball: Ball):
    return support(jnp.einsum("kn,mnd->kmd", signs, head_outputs(head, queries)), ball)


def _project(queries, radius):
    norm = jnp.sqrt(jnp.sum(queries**2, axis=-1, keepdims=True))
    return queries * jnp.minimum(1.0, radius * INSIDE / jnp.where(norm > 0, norm, 1.0))


def _value(head: Head, signs, queries, ball: Ball):
    weights = attention_weights(head, queries) * signs[:, :, None]
    return support(jnp.einsum("knt,ntd->kd", weights, head.values), ball)


def _value_and_gradient(head: Head, signs, queries, ball: Ball):
    weights = attention_weights(head, queries)
    signed = weights * signs[:, :, None]
    total = jnp.einsum("knt,ntd->kd", signed, head.values)
    projected = jnp.einsum("kd,ntd->knt", maximiser(total, ball), head.values)
    centred = projected - jnp.sum(weights * projected, axis=-1, keepdims=True)
    return support(total, ball), jnp.einsum("knt,ntp->kp", signed * centred, head.keys)


@partial(jax.jit, static_argnames=("ball", "iterations"))
def _climb(head: Head, signs, starts, radius, ball: Ball, iterations: int):
    """Steps towards the linear maximiser B g/|g| and along the projected gradient; keeps the best so far."""

    def step(state, _):
        queries, best, reach = state
        _, gradient = _value_and_gradient(head, signs, queries, ball)
        norm = jnp.sqrt(jnp.sum(gradient**2, axis=-1, keepdims=True))
        direction = radius * INSIDE * gradient / jnp.where(norm > 0, norm, 1.0)
        candidates = [queries + size * (direction - queries) for size in STEPS]
        candidates.append(_project(queries + reach[:, None] * direction, radius))
        values = jnp.stack([_value(head, signs, candidate, ball) for candidate in candidates])
        winner = jnp.argmax(values, axis=0)
        found = jnp.take_along_axis(jnp.stack(candidates), winner[None, :, None], axis=0)[0]
        value = jnp.max(values, axis=0)
        better = value > best
        reach = jnp.where(better & (winner == len(STEPS)), reach * 1.5, reach * 0.5)
        return (jnp.where(better[:, None], found, queries), jnp.maximum(best, value), reach), None

    start = (starts, _value(head, signs, starts, ball), jnp.full(len(starts), 0.2))
    (queries, best, _), _ = jax.lax.scan(step, start, length=iterations)
    return queries, best


def ascent(
    head: Head,
    signs: Float64[np.ndarray, "k n"],
    radius: float,
    ball: Ball,
    *,
    restarts: int = 4,
    iterations: int = 25,
    pool_points: int = 240,
    seed: int = 0,
    starts: Float64[np.ndarray, "k p"] | None = None,
) -> tuple[Float64[np.ndarray, " k"], Float64[np.ndarray, "k p"]]:
    """Best value of h(S_eps(w)) found for each sign vector, and the query that attains it.

    The best `restarts` queries of a pool shared by all sign vectors are the starts, and row k of `starts`, if given,
    one
    more for sign vector k. Shapes: signs (k, n);
    returns values (k,) and queries (k, p), |w| <= radius.
    """
    dim = head.keys.shape[-1]
    if radius == 0:
        pool = np.zeros((1, dim))
        return pool_values(head, signs, pool, ball)[:, 0], np.zeros((len(signs), dim))
    pool = ball_pool(dim, radius, pool_points, seed)
    n, length, _ = head.keys.shape
    block = int(max(1, min(1024, 2e7 // (n * length))))
    best = np.empty(len(signs))
    queries = np.empty((len(signs), dim))
    for first in range(0, len(signs), block):
        part = signs[first : first + block]
        padded = np.concatenate([part, np.ones((block - len(part), n))]) if len(signs) > block else part
        values = pool_values(head, padded, pool, ball)
        order = np.argsort(-values, axis=1)[:, :restarts]
        size = len(part)
        best[first : first + size] = -np.inf
        chosen = [pool[order[:, rank]] for rank in range(order.shape[1])]
        if starts is not None:
            own = np.zeros((len(padded), dim))
            own[:size] = starts[first : first + size]
            chosen.append(own)
        for one in chosen:
            found, value = _climb(head, jnp.asarray(padded), jnp.asarray(one), radius, ball, iterations)
            found, value = np.asarray(found)[:size], np.asarray(value)[:size]
            better = value > best[first : first + size]
            best[first : first + size][better] = value[better]
            queries[first : first + size][better] = found[better]
    return best, queries
