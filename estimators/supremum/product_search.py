"""Exact maximum of h(S_eps(theta)) over ball x box to a chosen gap, for many sign vectors at once (dim theta <= 4).

The box around the set is cut into cubes; a cube is dropped when it misses the product set. On a cube with half-width r
and expansion point x = (x_w, x_r), the projection of its centre on the product set, every theta of both has
|theta - x| <= r sqrt(dim), because projections on convex sets do not expand. With the origin moved to (0, x_r), so that
<x_r, features> joins the bias, the common part of cube and set lies in the ball of radius (radius^2 + m r^2)^(1/2)
around the new origin, so `box_bounds` holds there as it stands; the excess over `radius` is of second order in r, and
boxes do not cluster where the ball's surface carries the maximum.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

from estimators.attention import Head
from estimators.supremum.ascent import INSIDE
from estimators.supremum.box_ball import ProductSet
from estimators.supremum.box_bounds import Remainders, box_bounds, remainders
from estimators.supremum.branch_and_bound import SIGN_BUCKETS, Search, _split
from estimators.supremum.readout import Ball

# The longest axis of the set gets at most this many first cubes: thin sets are covered by overhanging cubes.
MOST_CUBES = 8


def first_cubes(product: ProductSet) -> tuple[Float64[np.ndarray, "c dim"], float]:
    """Centres and half-width of equal cubes that cover the product set, ball x box."""
    sides = np.concatenate([np.full(product.split, product.radius), product.extents])
    half_width = float(max(sides.min(), sides.max() / MOST_CUBES))
    counts = np.maximum(np.ceil(sides / half_width * (1 - 1e-12)), 1).astype(int) if half_width > 0 else sides * 0 + 1
    axes = [half_width * (2 * np.arange(count) - count + 1) for count in counts]
    return np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(sides)), half_width * (1 + 1e-12)


def meets(product: ProductSet, centres, half_width: float) -> np.ndarray:
    """Which cubes have a point in common with the product set (never False for one that has)."""
    nearest = np.maximum(np.abs(centres) - half_width, 0.0) * (1 - 1e-12)
    in_ball = np.linalg.norm(nearest[:, : product.split], axis=1) <= product.radius
    return in_ball & (nearest[:, product.split :] <= product.extents).all(axis=1)


def product_branch_and_bound(
    head: Head,
    signs: Float64[np.ndarray, "k n"],
    product: ProductSet,
    ball: Ball,
    start: Float64[np.ndarray, " k"],
    *,
    gap: float,
    floor: float,
    rounding: float,
    budget: int,
) -> Search:
    """Bracket max h(S_eps(theta)) over the product set for each row of `signs`, from witnesses `start`.

    The last keys of `head` are those of the box and the same in every sample. Pruning, `gap`, `floor` and `budget` as
    in `branch_and_bound`: an unfinished search is valid, only wider.
    """
    constants = remainders(head, ball, rounding)
    count, (n, length, dim) = len(signs), head.keys.shape
    chunk = int(np.clip(4e6 // (n * length * max(4, dim)), 1, 64))
    lower = np.maximum(start - rounding, 0.0)
    upper = lower.copy()
    centres, half_width = first_cubes(product)
    boxes, owners = np.repeat(np.arange(len(centres)), count), np.tile(np.arange(count), len(centres))
    inherited, evaluations, finished = np.full(len(boxes), np.inf), 0, True
    moves = np.stack(np.meshgrid(*[[-0.5, 0.5]] * dim, indexing="ij"), -1).reshape(-1, dim)
    while len(boxes):
        error = rounding * (1 + 2 * half_width * np.sqrt(dim) * constants.key_radius) ** 2
        bounds = np.empty(len(boxes))
        edges = np.searchsorted(boxes, np.arange(0, len(centres) + chunk, chunk))
        for index, first in enumerate(range(0, len(centres), chunk)):
            pairs = slice(edges[index], edges[index + 1])
            rows, place = np.unique(owners[pairs], return_inverse=True)
            part = centres[first : first + chunk]
            above, value = _chunk(head, signs[rows], part, chunk, half_width, product, ball, constants)
            bounds[pairs] = above[boxes[pairs] - first, place] + error
            lower[rows] = np.maximum(lower[rows], value.max(axis=0) - error)
        evaluations += len(boxes)
        bounds = np.minimum(bounds, inherited)
        keep = bounds > (1 + gap) * lower[owners] + floor
        if evaluations + keep.sum() * len(moves) > budget * count:
            finished = not keep.any()
            keep[:] = False
        np.maximum.at(upper, owners[~keep], bounds[~keep])
        boxes, owners, inherited = boxes[keep], owners[keep], bounds[keep]
        centres, boxes, owners, inherited, half_width = _split(centres, boxes, owners, inherited, half_width, moves)
        inside = meets(product, centres, half_width)
        stays = inside[boxes]
        renumber = np.cumsum(inside) - 1
        centres, boxes = centres[inside], renumber[boxes[stays]]
        owners, inherited = owners[stays], inherited[stays]
    return Search(lower, np.maximum(upper, lower), evaluations, finished)


def _chunk(head, signs, centres, chunk, half_width, product: ProductSet, ball, constants: Remainders):
    """Bounds of one padded chunk of cubes for one padded group of sign vectors, as NumPy arrays."""
    split = product.split
    norms = np.linalg.norm(centres[:, :split], axis=1, keepdims=True)
    queries = centres[:, :split] * np.minimum(1.0, product.radius * INSIDE / np.where(norms > 0, norms, 1.0))
    shift = np.clip(centres[:, split:], -product.extents, product.extents)
    points = np.concatenate([queries, np.zeros_like(shift)], axis=1)
    moved = np.concatenate([centres[:, :split], centres[:, split:] - shift], axis=1)
    bucket = next((size for size in SIGN_BUCKETS if size >= len(signs)), len(signs))
    padded = np.zeros((bucket, signs.shape[1]))
    padded[: len(signs)] = signs
    grow = [(0, chunk - len(centres)), (0, 0)]
    # One bias row for every cube, which broadcasts against the logits (cubes, n, T).
    bias = head.bias + jnp.pad(jnp.asarray(shift), grow) @ head.keys[0, :, split:].T
    above, value = box_bounds(
        head._replace(bias=bias[:, None, :]),
        jnp.asarray(padded),
        jnp.asarray(np.pad(points, grow)),
        jnp.asarray(np.pad(moved, grow)),
        half_width,
        float(np.sqrt(product.radius**2 * (split > 0) + shift.shape[1] * half_width**2)) * (1 + 1e-12),
        jnp.asarray(constants.second),
        jnp.asarray(constants.third),
        constants.largest,
        constants.rounding,
        ball,
    )
    size = (slice(len(centres)), slice(len(signs)))
    return np.asarray(above)[size], np.asarray(value)[size]
