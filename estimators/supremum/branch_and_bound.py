"""Exact max_{|w| <= B} h(S_eps(w)) to a chosen gap, for many sign vectors at once (dim w <= 4).

Boxes of queries are shared: a_i(w) and its first two derivatives do not depend on the signs, so they are
evaluated once per box and S_eps, J_eps and the second derivative Q_eps of every sign vector still alive there
follow by one matrix product. `estimators.supremum.box_bounds` states and proves the bounds on a box.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

from estimators.attention import Head
from estimators.supremum.ascent import INSIDE
from estimators.supremum.box_bounds import Remainders, box_bounds, remainders
from estimators.supremum.readout import Ball

MOST_DIMENSIONS = 4
SIGN_BUCKETS = (16, 64, 256, 1024, 2048)


@dataclass(frozen=True)
class Search:
    """Result for k sign vectors: lower and upper ends of max_w h(S_eps(w)) and the number of box evaluations."""

    lower: Float64[np.ndarray, " k"]
    upper: Float64[np.ndarray, " k"]
    evaluations: int
    finished: bool


def branch_and_bound(
    head: Head,
    signs: Float64[np.ndarray, "k n"],
    radius: float,
    ball: Ball,
    start: Float64[np.ndarray, " k"],
    *,
    gap: float,
    floor: float,
    rounding: float,
    budget: int = 400_000,
    block: int = 2048,
) -> Search:
    """Bracket max_{|w| <= radius} h(S_eps(w)) for each row of `signs`, from witnesses `start`.

    A box is dropped for a sign vector once its upper end is at most (1 + gap) * witness + floor, floor > 0 so
    that a vanishing sum is pruned too. `budget` caps box evaluations per sign vector; what is left in the queue
    when it runs out counts with its own upper end, so the result is valid, only wider (finished = False).
    """
    constants = remainders(head, ball, rounding)
    parts = [
        _search_block(head, signs[i : i + block], radius, ball, start[i : i + block], gap, floor, budget, constants)
        for i in range(0, len(signs), block)
    ]
    return Search(
        np.concatenate([part.lower for part in parts]),
        np.concatenate([part.upper for part in parts]),
        sum(part.evaluations for part in parts),
        all(part.finished for part in parts),
    )


def _search_block(head, signs, radius, ball, start, gap, floor, budget, constants: Remainders) -> Search:
    count, (n, length, dim) = len(signs), head.keys.shape
    chunk = int(np.clip(4e6 // (n * length * max(4, dim)), 1, 64))
    lower = np.maximum(start - constants.rounding, 0.0)
    upper = lower.copy()
    centres = np.zeros((1, dim))
    boxes, owners, inherited = np.zeros(count, int), np.arange(count), np.full(count, np.inf)
    half_width, evaluations, finished = float(radius), 0, True
    moves = np.stack(np.meshgrid(*[[-0.5, 0.5]] * dim, indexing="ij"), -1).reshape(-1, dim)
    while len(boxes):
        rho = half_width * np.sqrt(dim)
        error = constants.rounding * (1 + 2 * rho * constants.key_radius) ** 2
        bounds = np.empty(len(boxes))
        edges = np.searchsorted(boxes, np.arange(0, len(centres) + chunk, chunk))
        for index, first in enumerate(range(0, len(centres), chunk)):
            pairs = slice(edges[index], edges[index + 1])
            rows, place = np.unique(owners[pairs], return_inverse=True)
            above, value = _chunk(
                head, signs[rows], centres[first : first + chunk], chunk, half_width, radius, ball, constants
            )
            bounds[pairs] = above[boxes[pairs] - first, place] + error
            lower[rows] = np.maximum(lower[rows], value.max(axis=0) - error)
        evaluations += len(boxes)
        bounds = np.minimum(bounds, inherited)
        keep = bounds > (1 + gap) * lower[owners] + floor
        if radius == 0:
            keep[:] = False
        if evaluations + keep.sum() * len(moves) > budget * count:
            finished = not keep.any()
            keep[:] = False
        np.maximum.at(upper, owners[~keep], bounds[~keep])
        boxes, owners, inherited = boxes[keep], owners[keep], bounds[keep]
        centres, boxes, owners, inherited, half_width = _split(centres, boxes, owners, inherited, half_width, moves)
        inside = np.linalg.norm(np.maximum(np.abs(centres) - half_width, 0.0), axis=1) <= radius
        stays = inside[boxes]
        renumber = np.cumsum(inside) - 1
        centres, boxes = centres[inside], renumber[boxes[stays]]
        owners, inherited = owners[stays], inherited[stays]
    return Search(lower, np.maximum(upper, lower), evaluations, finished)


def _split(centres, boxes, owners, inherited, half_width, moves):
    """Children of every box that is alive for some sign vector, with the pairs that inherit them."""
    alive, parents = np.unique(boxes, return_inverse=True)
    children = (centres[alive][:, None] + moves[None] * half_width).reshape(-1, centres.shape[1])
    count = len(moves)
    # Pairs stay sorted by box: stable sort of (parent, move) keys.
    keys = (parents[:, None] * count + np.arange(count)).ravel()
    order = np.argsort(keys, kind="stable")
    return children, keys[order], np.repeat(owners, count)[order], np.repeat(inherited, count)[order], half_width / 2


def _chunk(head, signs, centres, chunk, half_width, radius, ball, constants: Remainders):
    """Bounds of one padded chunk of boxes for one padded group of sign vectors, as NumPy arrays."""
    norms = np.linalg.norm(centres, axis=1, keepdims=True)
    points = centres * np.minimum(1.0, radius * INSIDE / np.where(norms > 0, norms, 1.0))
    bucket = next((size for size in SIGN_BUCKETS if size >= len(signs)), len(signs))
    padded = np.zeros((bucket, signs.shape[1]))
    padded[: len(signs)] = signs
    grow = [(0, chunk - len(centres)), (0, 0)]
    above, value = box_bounds(
        head,
        jnp.asarray(padded),
        jnp.asarray(np.pad(points, grow)),
        jnp.asarray(np.pad(centres, grow)),
        half_width,
        radius,
        jnp.asarray(constants.second),
        jnp.asarray(constants.third),
        constants.largest,
        constants.rounding,
        ball,
    )
    size = (slice(len(centres)), slice(len(signs)))
    return np.asarray(above)[size], np.asarray(value)[size]
