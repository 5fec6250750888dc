"""The exact inner maximum over the read-out: h(S) = max_{u in U} <u, S> for U the unit l2 or l1 ball.

Scaling by the read-out norm B_u happens once, in `estimators.hypotheses`.
"""

from typing import Literal

import jax.numpy as jnp

Ball = Literal["l2", "l1"]


def support(vectors, ball: Ball, axis: int = -1):
    """Dual norm along `axis`: |S|_2 for the l2 ball, max |S_a| for the l1 ball."""
    if ball == "l2":
        return jnp.sqrt(jnp.sum(vectors**2, axis=axis))
    return jnp.max(jnp.abs(vectors), axis=axis)


def maximiser(vectors, ball: Ball):
    """A unit read-out u attaining h(S) along the last axis; zero where S = 0 for the l2 ball."""
    if ball == "l2":
        norm = jnp.sqrt(jnp.sum(vectors**2, axis=-1, keepdims=True))
        return vectors / jnp.where(norm > 0, norm, 1.0)
    best = jnp.argmax(jnp.abs(vectors), axis=-1)
    chosen = jnp.arange(vectors.shape[-1]) == best[..., None]
    return jnp.where(chosen, jnp.where(vectors < 0, -1.0, 1.0), 0.0)
