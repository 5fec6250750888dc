"""Named balls of matrices: size, projection, linear maximiser, random points, and steps for compiled searches.

  frobenius  |M|_F <= R
  spectral   |M|_op <= R
  rank       |M|_F <= R and rank M <= r (not convex; numerically the singular values after the r-th are rounding)
For a gradient G with singular values s_1 >= s_2 >= ... the linear maximisers and the support functions are
  frobenius  R G/|G|_F, R |G|_F;   spectral  R U V^T (polar factor), R sum_k s_k;
  rank       R G_r/|G_r|_F, R (s_1^2 + ... + s_r^2)^(1/2), G_r the truncated singular value decomposition.
Projections: scaling; clipping the singular values; truncation then scaling, which is the nearest point of the rank ball
because C = {rank <= r} is a closed cone: |X - t p|^2 = |X|^2 - 2 t <X, p> + t^2 for unit p in C, least for <X, p>
maximal.
Source: Eckart and Young 1936, von Neumann's trace inequality; derived from them in this project.

The exact functions are NumPy. The compiled `ascend` uses matrix products only: on a CPU, jaxlib's
batched LAPACK kernels wait inside the thread pool that runs them, and two at a time block for ever (seen in 0.10.2).
The last two axes are the matrix.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, cast, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

Kind = Literal["frobenius", "spectral", "rank"]
KINDS: tuple[str, ...] = get_args(Kind)

# Kept below 1 so that rounding (tens of ulps of a norm per step) never leaves the ball.
INSIDE = 1.0 - 2.0**-36
POLAR_STEPS = 18
SUBSPACE_STEPS = 3


@partial(jax.tree_util.register_dataclass, data_fields=["radius"], meta_fields=["kind", "rank"])
@dataclass(frozen=True)
class NormBall:
    """A ball of matrices; `rank` is read by kind `rank` only. The radius may be traced: `norm_ball` checks numbers."""

    kind: Kind
    radius: Any
    rank: int = 0


def norm_ball(kind: str, radius: float, rank: int, shape: tuple[int, int]) -> NormBall:
    """A checked ball of matrices of this shape; ValueError that advises."""
    if kind not in KINDS:
        raise ValueError(f"ball must be one of {', '.join(KINDS)}, got {kind!r}")
    if not 0 <= radius < float("inf"):
        raise ValueError(f"the radius of a ball must be finite and at least 0, got {radius}: use 0 to switch it off")
    if kind == "rank" and not 1 <= rank <= min(shape):
        raise ValueError(
            f"rank must be between 1 and {min(shape)} for {shape[0]} x {shape[1]} matrices, got {rank}: "
            f"use rank={max(1, min(rank, min(shape)))}, or ball=frobenius for no limit on the rank"
        )
    return NormBall(cast(Kind, kind), radius, rank)


def size(ball: NormBall, matrices: Float64[np.ndarray, "*batch a b"]) -> Float64[np.ndarray, "*batch"]:
    """The norm that the radius bounds: operator norm for `spectral`, else Frobenius."""
    return np.asarray(np.linalg.norm(matrices, ord=2 if ball.kind == "spectral" else None, axis=(-2, -1)))


def project(ball: NormBall, matrices: Float64[np.ndarray, "*batch a b"]) -> Float64[np.ndarray, "*batch a b"]:
    """The nearest point of the ball of radius R (1 - 2^-36); matrices inside are returned as they are."""
    if 0 in matrices.shape:
        return matrices
    limit = ball.radius * INSIDE
    if ball.kind == "spectral":
        left, values, right = np.linalg.svd(matrices, full_matrices=False)
        clipped = (left * np.minimum(values, limit)[..., None, :]) @ right
        return np.where((values[..., :1] <= limit)[..., None], matrices, clipped)
    kept = matrices if ball.kind == "frobenius" else _truncated(ball, matrices)
    norm = np.linalg.norm(kept, axis=(-2, -1), keepdims=True)
    return kept * np.minimum(1.0, limit / np.where(norm > 0, norm, 1.0))


def linear_maximiser(ball: NormBall, gradients: Float64[np.ndarray, "*batch a b"]) -> Float64[np.ndarray, "*batch a b"]:
    """A matrix of the ball of radius R (1 - 2^-36) maximising <G, M>; zero where G is zero."""
    if 0 in gradients.shape:
        return gradients
    limit = ball.radius * INSIDE
    if ball.kind == "spectral":
        left, values, right = np.linalg.svd(gradients, full_matrices=False)
        return limit * ((left * (values > 0)[..., None, :]) @ right)
    return limit * np.asarray(_unit(gradients if ball.kind == "frobenius" else _truncated(ball, gradients)))


def support(ball: NormBall, gradients: Float64[np.ndarray, "*batch a b"]) -> Float64[np.ndarray, "*batch"]:
    """max <G, M> over the ball of radius R: R times the dual norm."""
    values = np.linalg.svd(gradients, compute_uv=False)
    if ball.kind == "spectral":
        return ball.radius * values.sum(axis=-1)
    return ball.radius * np.linalg.norm(values if ball.kind == "frobenius" else values[..., : ball.rank], axis=-1)


def random_point(
    ball: NormBall, rng: np.random.Generator, shape: tuple[int, ...], scale: float = 1.0
) -> Float64[np.ndarray, "*batch a b"]:
    """A random matrix of size `scale` R (1 - 2^-36), scale in [0, 1], of rotation-invariant law."""
    if ball.kind == "rank":
        drawn = rng.standard_normal((*shape[:-1], ball.rank))
        drawn = drawn @ rng.standard_normal((*shape[:-2], ball.rank, shape[-1]))
    else:
        drawn = rng.standard_normal(shape)
    if 0 in shape:
        return drawn
    if ball.kind == "spectral":
        return scale * linear_maximiser(ball, drawn)
    return drawn * (scale * ball.radius * INSIDE / np.linalg.norm(drawn, axis=(-2, -1), keepdims=True))


def _truncated(ball: NormBall, matrices):
    left, values, right = np.linalg.svd(matrices, full_matrices=False)
    cut = (left[..., : ball.rank] * values[..., None, : ball.rank]) @ right[..., : ball.rank, :]
    # Decomposing again what already has the rank would only add rounding.
    inside = values[..., ball.rank :].sum(axis=-1) <= 1e-14 * values[..., 0]
    return np.where(inside[..., None, None], matrices, cut)


def ascend(ball: NormBall, point, gradient, reach):
    """A step of relative length `reach` from a point of the ball along a gradient G, inside the ball of radius R (1 -
    2^-36) again; blocks with G = 0 stay. JAX arrays.

    frobenius: projection of M + reach R G/|G|_F. spectral: M + reach/(1 + reach) (R polar(G) - M), a convex combination
    with the linear maximiser. rank: M + reach R G/|G|_F projected on r directions of its row space found by subspace
    iteration, then scaled: X Q Q^T has rank <= r whatever Q (a x r).
    """
    if 0 in point.shape:
        return point
    limit = ball.radius * INSIDE
    if ball.kind == "spectral":
        moving = jnp.any(gradient != 0, axis=(-2, -1), keepdims=True)
        return point + jnp.where(moving, reach / (1.0 + reach), 0.0) * (limit * polar(gradient) - point)
    moved = point + reach * limit * _unit(gradient)
    if ball.kind == "rank":
        transposed = jnp.swapaxes(moved, -1, -2)
        rows = polar(transposed @ _directions(moved.shape[-2], ball.rank))
        rows = jax.lax.fori_loop(0, SUBSPACE_STEPS, lambda _, rows: polar(transposed @ polar(moved @ rows)), rows)
        moved = (moved @ rows) @ jnp.swapaxes(rows, -1, -2)
    norm = jnp.sqrt(jnp.sum(moved**2, axis=(-2, -1), keepdims=True))
    return moved * jnp.minimum(1.0, limit / jnp.where(norm > 0, norm, 1.0))


def polar(matrices):
    """The factor U V^T of M = U S V^T by Newton-Schulz steps X <- (3 X - X X^T X)/2 from M/|M|_F; zero for M = 0.

    Singular values below about 1e-3 |M|_F have not reached 1 when it stops; none exceeds 1, since (3 s - s^3)/2 maps
    [0, 1] to itself, so the result is in the unit spectral ball (to rounding) in any case. JAX arrays.
    """

    def step(_, x):
        return 1.5 * x - 0.5 * x @ (jnp.swapaxes(x, -1, -2) @ x)

    return jax.lax.fori_loop(0, POLAR_STEPS, step, _unit(matrices))


def _directions(rows: int, rank: int):
    # Fixed, so that results depend on nothing but the arguments; generic, so that no row space is missed.
    return jnp.asarray(np.random.default_rng(rows).standard_normal((rows, rank)))


def _unit(matrices):
    # Squares of entries below 1e-154 vanish: scale by the largest entry first.
    largest = jnp.max(jnp.abs(matrices), axis=(-2, -1), keepdims=True)
    scaled = matrices / jnp.where(largest > 0, largest, 1.0)
    norm = jnp.sqrt(jnp.sum(scaled**2, axis=(-2, -1), keepdims=True))
    return scaled / jnp.where(norm > 0, norm, 1.0)
