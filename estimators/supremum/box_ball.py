"""Product sets: queries w in an l2 ball times parameters of the encoding in a box or in a ball, and ascent on them.

theta = (w, r): |w|_2 <= radius for the first `split` coordinates, and for the m others |r_m| <= extents_m (box) or
|r|_2 <= reach (ball). Projection and linear maximiser act on the two parts separately. `product_ascent` evaluates
feasible points only, so every value is attained: a witness, never an upper bound.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

from estimators.attention import Head
from estimators.supremum.ascent import INSIDE, STEPS
from estimators.supremum.readout import Ball, maximiser, support


class ProductSet(NamedTuple):
    """{(w, r): |w|_2 <= radius, |r_m| <= extents_m, |r|_2 <= reach}; a box has reach infinity, a ball extents infinity.

    split: number of coordinates of w.
    """

    split: int
    radius: float
    extents: Float64[np.ndarray, " m"]
    reach: float = np.inf

    @property
    def covering_radius(self) -> float:
        """Radius of the smallest centred ball that contains the set."""
        rest = min(self.reach, float(np.linalg.norm(self.extents)))
        return float(np.hypot(self.radius * (self.split > 0), rest))


def ball_ball(split: int, radius: float, size: int, reach: float) -> ProductSet:
    """The product of two l2 balls, of dimensions `split` and `size`."""
    return ProductSet(split, radius, np.full(size, np.inf), reach)


def project(theta, split: int, radius, extents, reach):
    """The nearest point of the product set (box or ball), kept INSIDE by a relative 2^-40 against rounding."""
    return jnp.concatenate(
        [_shrink(theta[..., :split], radius), _shrink(jnp.clip(theta[..., split:], -extents, extents), reach)], axis=-1
    )


def linear_maximiser(gradient, split: int, radius, extents, reach):
    """The point of the product set with the largest inner product with `gradient`, kept INSIDE; 0 where it is 0."""
    first, rest = gradient[..., :split], gradient[..., split:]
    corner = jnp.where(jnp.isfinite(extents), jnp.sign(rest) * extents, _direction(rest) * reach)
    return jnp.concatenate([_direction(first) * radius, corner], axis=-1) * INSIDE


def _direction(vectors):
    norm = jnp.sqrt(jnp.sum(vectors**2, axis=-1, keepdims=True))
    return vectors / jnp.where(norm > 0, norm, 1.0)


def _shrink(vectors, radius):
    norm = jnp.sqrt(jnp.sum(vectors**2, axis=-1, keepdims=True))
    return vectors * jnp.minimum(1.0, radius * INSIDE / jnp.where(norm > 0, norm, 1.0))


def signed_sum(head: Head, signs, theta):
    """S_eps(theta) = sum_i eps_i a_i(theta) for sign vectors (k, n) and one point (k, dim) each: (k, d)."""
    weights = jax.nn.softmax(jnp.einsum("kp,ntp->knt", theta, head.keys) + head.bias, axis=-1)
    return jnp.einsum("knt,ntd->kd", weights * signs[:, :, None], head.values)


Total = Callable[[Any, Any, Any], Any]


@partial(jax.jit, static_argnames=("total", "split", "ball"))
def _climb(data, signs, starts, radius, extents, reach, *, total: Total, split: int, ball: Ball, iterations):
    place = (split, radius, extents, reach)

    def value(theta):
        return support(total(data, signs, theta), ball)

    def objective(theta):  # Danskin: the gradient at a fixed best read-out
        sums = total(data, signs, theta)
        return jnp.sum(sums * jax.lax.stop_gradient(maximiser(sums, ball)))

    masks = (jnp.ones(starts.shape[1]), jnp.arange(starts.shape[1]) < split, jnp.arange(starts.shape[1]) >= split)

    def step(_, state):
        theta, best, reached = state
        gradient = jax.grad(objective)(theta)
        corner = linear_maximiser(gradient, *place)
        candidates = [theta + size * mask * (corner - theta) for mask in masks for size in STEPS]
        candidates = [theta, *candidates, theta + reached[:, None] * corner]
        candidates = jax.vmap(lambda one: project(one, *place))(jnp.stack(candidates))
        values = jax.lax.map(value, candidates)
        winner = jnp.argmax(values, axis=0)
        found = jnp.take_along_axis(candidates, winner[None, :, None], axis=0)[0]
        better = jnp.max(values, axis=0) > best
        reached = jnp.where(better & (winner == len(candidates) - 1), reached * 1.5, reached * 0.5)
        return jnp.where(better[:, None], found, theta), jnp.maximum(best, jnp.max(values, axis=0)), reached

    # The starts are candidates of the first step, so nothing is evaluated before the loop.
    state = (starts, jnp.full(len(starts), -jnp.inf), jnp.full(len(starts), 0.2))
    theta, best, _ = jax.lax.fori_loop(0, iterations + 1, step, state)
    return theta, best


def product_ascent(
    total: Total,
    data: Any,
    signs: Float64[np.ndarray, "k n"],
    product: ProductSet,
    starts: Float64[np.ndarray, "s k dim"],
    ball: Ball,
    *,
    iterations: int,
    block: int = 512,
) -> tuple[Float64[np.ndarray, " k"], Float64[np.ndarray, "k dim"]]:
    """Best value of h(total(data, signs, theta)) reached from each of the starts, and the point that attains it.

    Starts are projected first and count as reached, so the result is never below any of them. Steps go towards the
    linear maximiser of both parts, of w alone and of the encoding's parameters alone, and along the gradient.
    """
    place = (product.split, product.radius, jnp.asarray(product.extents), product.reach)
    best, points = np.full(len(signs), -np.inf), np.zeros(starts.shape[1:])
    for first in range(0, len(signs), block):
        rows = np.minimum(np.arange(first, first + block), len(signs) - 1) if len(signs) > block else slice(None)
        for start in starts:
            begin = project(jnp.asarray(start[rows]), *place)
            theta, value = _climb(
                data, jnp.asarray(signs[rows]), begin, *place[1:], total=total, split=place[0], ball=ball,
                iterations=iterations,
            )  # fmt: skip
            size = min(block, len(signs) - first)
            theta, value = np.asarray(theta)[:size], np.asarray(value)[:size]
            better = value > best[first : first + size]
            best[first : first + size][better] = value[better]
            points[first : first + size][better] = theta[better]
    return best, points
