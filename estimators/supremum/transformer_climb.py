"""The compiled part of `estimators.supremum.transformer_ascent`: one program climbs for all sign vectors and
restarts."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from estimators.layer_features import Features
from estimators.supremum.norm_balls import ascend, random_point
from estimators.supremum.transformer_folded import folded_outputs
from estimators.transformer import Balls, Parameters, Wiring, outputs

GROW, SHRINK, FIRST_STEP = 1.5, 0.4, 1.0
# Largest scales of (W, V, M1, M2) of successive starts, in units of the radii.
SCALES = ((1.0, 1.0, 1.0, 1.0), (0.3, 1.0, 1.0, 1.0), (0.1, 1.0, 1.0, 1.0), (1.0, 0.5, 1.0, 0.5))


def starting_points(balls: Balls, shapes, seed: int, count: int) -> Parameters:
    """Feasible parameters with a leading axis `count`; number s depends on (seed, s) only, number 0 is the origin."""
    points = []
    for start in range(count):
        rng = np.random.default_rng(np.random.SeedSequence([seed, start]))
        scales = np.array(SCALES[start % len(SCALES)]) * (start > 0)
        scales[0] *= rng.uniform()
        blocks = zip(balls, shapes, scales, strict=True)
        points.append([random_point(ball, rng, shape, float(scale)) for ball, shape, scale in blocks])
    return Parameters(*(np.stack(block) for block in zip(*points, strict=True)))


def _outputs(folded: bool, wiring: Wiring, features: Features, parameters: Parameters):
    return (folded_outputs if folded else outputs)(wiring, features, parameters)


def _climb(run: tuple[bool, Wiring, Features], signs, balls: Balls, start: Parameters, iterations):
    """Best value, its parameters and whether every number met on the way was finite, from one start and signs (n,)."""

    def step(_, state):
        parameters, gradient, value, reach, sound = state
        blocks = zip(balls, parameters, gradient, strict=True)
        candidate = Parameters(*(ascend(ball, block, slope, reach) for ball, block, slope in blocks))
        total, pullback = jax.vjp(lambda blocks: signs @ _outputs(*run, blocks), candidate)
        found = jnp.sqrt(jnp.sum(total**2))
        better = found > value

        def onwards():
            # At S = 0 every unit u is a maximiser; the first axis gives a gradient that can leave the point.
            unit = total / jnp.where(found > 0, found, 1.0)
            direction = jnp.where(found > 0, unit, jnp.zeros_like(total).at[0].set(1.0))
            return candidate, pullback(direction)[0]

        # One member alone never computes the gradient of a step that it refuses; side by side members do.
        parameters, gradient = jax.lax.cond(better, onwards, lambda: (parameters, gradient))
        reach = reach * jnp.where(better, GROW, SHRINK)
        return parameters, gradient, jnp.maximum(found, value), reach, sound & jnp.isfinite(found)

    # The first of iterations + 1 steps has no gradient yet and only evaluates the start: one program, compiled once.
    none = jax.tree.map(jnp.zeros_like, start)
    state = (start, none, jnp.asarray(-jnp.inf), jnp.asarray(FIRST_STEP / GROW), jnp.asarray(True))
    parameters, _, value, _, sound = jax.lax.fori_loop(0, iterations + 1, step, state)
    return value, parameters, sound


@partial(jax.jit, static_argnames=("folded", "wiring", "chunk"))
def climb_members(
    folded: bool,
    wiring: Wiring,
    features: Features,
    balls: Balls,
    signs,
    starts: Parameters,
    count,
    iterations,
    chunk,
):
    """Climb for members m < count, with signs[m] from starts[m]: values (M,), parameters (M, ...) and soundness (M,).

    Arrays are padded to a bucket, the loop is not: it ends at `count`. `chunk`, a divisor of M, run side by side.
    folded: what `transformer_folded.folds` answers.
    """

    def one(signs, start):
        return _climb((folded, wiring, features), signs, balls, start, iterations)

    def block(b, kept):
        window = partial(jax.lax.dynamic_slice_in_dim, start_index=b * chunk, slice_size=chunk)
        mine = jax.tree.map(window, (signs, starts))
        if chunk == 1:
            found = jax.tree.map(lambda array: array[None], one(*jax.tree.map(lambda array: array[0], mine)))
        else:
            found = jax.vmap(one)(*mine)
        return jax.tree.map(
            lambda array, new: jax.lax.dynamic_update_slice_in_dim(array, new, b * chunk, 0), kept, found
        )

    members = len(signs)
    empty = (jnp.zeros(members), jax.tree.map(jnp.zeros_like, starts), jnp.zeros(members, dtype=bool))
    return jax.lax.fori_loop(0, (count + chunk - 1) // chunk, block, empty)


@partial(jax.jit, static_argnames=("folded", "wiring", "chunk"))
def start_values(folded: bool, wiring: Wiring, features: Features, signs, points: Parameters, chunk: int):
    """|S_eps| (starts, K) at every point; attention is evaluated once for all sign vectors."""

    def one(parameters):
        total = signs @ _outputs(folded, wiring, features, parameters)
        return jnp.sqrt(jnp.sum(total**2, axis=-1))

    return jax.lax.map(one, points, batch_size=chunk if chunk > 1 else None)
