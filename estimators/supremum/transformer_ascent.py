"""Lower ends for sup over the Transformer class: max over parameters of |sum_i eps_i x^L_T,i|, for many sign vectors.

The read-out is closed form: max_{|u|_2 <= 1} <u, S> = |S|. Every value is attained at parameters strictly inside their
balls (up to the rounding of the forward pass): a witness, never an upper bound.

Starts come from a pool of random parameters shared by all sign vectors: start s depends on (seed, s) only, x^L is
evaluated once per start, and one matrix product scores it for every sign vector. From the best starts of each sign
vector one climbs: with G the gradient of <u*, S>, u* = S/|S| (envelope theorem), every block steps towards its linear
maximiser and back into its ball (`norm_balls.ascend`) by a length that grows by 1.5 where the value rises and shrinks
to
0.4 of it elsewhere. One value with its gradient per step; the best point so far is kept.

Members (sign vector, restart) are independent and run a few at a time, so memory does not grow with their number.
Adversarial classes {X -> sup_{|delta_s| <= rho} f(X + delta)} have upper bounds only, except for `identity_witness`:
where eps_i = -1 a lower end of the supremum needs an upper bound of an inner maximum, which no search attains.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float64

from estimators.layer_features import Features
from estimators.supremum.norm_balls import project
from estimators.supremum.transformer_climb import climb_members, start_values, starting_points
from estimators.supremum.transformer_folded import folds
from estimators.transformer import Architecture, Parameters, check

WORKING_BYTES = 4e9
KEPT_BYTES = 5e8


class Witness(NamedTuple):
    """Attained values (K,), parameters that attain them (leading axis K; None if not kept), number of failed
    restarts."""

    values: Float64[np.ndarray, " K"]
    parameters: Parameters | None
    failed: int


def transformer_ascent(
    architecture: Architecture,
    features: Features,
    signs: Float64[np.ndarray, "K n"],
    *,
    restarts: int = 4,
    iterations: int = 40,
    seed: int = 0,
    chunk: int | None = None,
    pool_points: int = 64,
    warm: Parameters | None = None,
) -> tuple[Float64[np.ndarray, " K"], int]:
    """Lower ends (K,) of max |sum_i eps_i x^L_T,i| over the class, attained and nonnegative, and the number of failed
    restarts (those that met NaN or infinity; they contribute nothing).

    warm: parameters with a leading axis K, one more start for each sign vector (projected on the balls): with those of
    a
    smaller class the result is never below that class's. chunk: members at a time (None: chosen for the platform); it
    changes results by rounding at most, and a sign vector's value does not depend on the other rows of `signs`.
    ValueError where shapes do not fit or every start overflows.
    """
    found = _search(architecture, features, signs, restarts, iterations, seed, chunk, pool_points, warm, keep=False)
    return found.values, found.failed


def transformer_witness(
    architecture: Architecture,
    features: Features,
    signs: Float64[np.ndarray, "K n"],
    *,
    restarts: int = 4,
    iterations: int = 40,
    seed: int = 0,
    chunk: int | None = None,
    pool_points: int = 64,
    warm: Parameters | None = None,
) -> Witness:
    """As `transformer_ascent`, with the parameters that attain the values."""
    return _search(architecture, features, signs, restarts, iterations, seed, chunk, pool_points, warm, keep=True)


def identity_witness(
    architecture: Architecture, features: Features, signs: Float64[np.ndarray, "K n"], perturbation: float
) -> Float64[np.ndarray, " K"]:
    """Attained lower ends for the adversarial class {X -> sup_{|delta_s|_2 <= rho} f(X + delta)}, rho = `perturbation`.

    With V = 0 and M2 = 0 (residual connections on) f(X) = <u, x_T>, whose adversarial form is <u, x_T> + rho |u|; over
    |u| <= 1, sum_i eps_i (<u, x_T,i> + rho |u|) is at most max(0, |sum_i eps_i x_T,i| + rho sum_i eps_i), attained.
    """
    check(architecture, features)
    if not architecture.residual:
        raise ValueError("without residual connections V = 0 is the zero function: use residual=True")
    if not 0 <= perturbation < np.inf:
        raise ValueError(f"perturbation is a radius, got {perturbation}: use a finite number of at least 0")
    sums = np.linalg.norm(signs @ np.asarray(features.tokens)[:, -1], axis=1)
    return np.maximum(0.0, sums + perturbation * signs.sum(axis=1))


def _search(architecture, features, signs, restarts, iterations, seed, chunk, pool_points, warm, *, keep) -> Witness:
    _check_request(architecture, features, signs, restarts, iterations, chunk, pool_points, warm)
    workers, chunk = _plan(architecture, features, chunk)
    count, restarts = len(signs), min(restarts, pool_points)
    balls, shapes = architecture.balls, architecture.shapes
    run = folds(architecture, features), architecture.wiring, features
    points = starting_points(balls, shapes, seed, pool_points)
    padded = [_padded(signs, count), Parameters(*(_padded(block, pool_points) for block in points))]
    pool = np.asarray(start_values(*run, *padded, chunk))[:pool_points, :count]
    pool = np.where(np.isfinite(pool), pool, -np.inf)
    if not np.isfinite(pool.max(axis=0)).all():
        raise ValueError("every start overflows: divide the tokens by their largest entry, or use smaller radii")
    order = np.argsort(-pool, axis=0, kind="stable")[:restarts]  # (restarts, K)
    # The best start stands in where every restart fails; elsewhere a restart from it is at least as good.
    best, failed = pool.max(axis=0), 0
    kept = Parameters(*(block[order[0]] for block in points)) if keep else None
    groups = [(points, order)]
    if warm is not None:
        blocks = zip(balls, warm, strict=True)
        warm = Parameters(*(project(ball, np.asarray(block, dtype=np.float64)) for ball, block in blocks))
        groups.append((warm, np.arange(count)[None]))
    together = max(1, int(KEPT_BYTES // (8 * sum(int(np.prod(shape)) for shape in shapes) * restarts)))
    for points, order in groups:
        for first in range(0, count, together):
            starts = order[:, first : first + together]
            draws = np.tile(np.arange(first, first + starts.shape[1]), len(starts))
            members = signs[draws], Parameters(*(block[starts.reshape(-1)] for block in points))
            values, parameters, sound = _run((*run, balls), members, iterations, workers, chunk)
            failed += int((~sound).sum())
            for member in np.flatnonzero(sound & (values > best[draws])):
                draw = draws[member]
                if values[member] > best[draw]:
                    best[draw] = values[member]
                    for into, found in zip(kept or (), parameters, strict=kept is not None):
                        into[draw] = found[member]
    return Witness(best, kept, failed)


def _check_request(architecture, features, signs, restarts, iterations, chunk, pool_points, warm) -> None:
    check(architecture, features)
    n = features.tokens.shape[0]
    if signs.ndim != 2 or signs.shape[1] != n or not len(signs):
        raise ValueError(f"signs must have shape (draws, {n}), got {signs.shape}: one row per sign vector")
    chunk = 1 if chunk is None else chunk
    least = {
        "restarts": (restarts, 1),
        "iterations": (iterations, 0),
        "pool_points": (pool_points, 1),
        "chunk": (chunk, 1),
    }
    for word, (value, smallest) in least.items():
        if value < smallest:
            raise ValueError(f"{word} must be at least {smallest}, got {value}: use {word}={smallest}")
    for block, shape in zip(warm or (), architecture.shapes, strict=warm is not None):
        if block.shape != (len(signs), *shape):
            raise ValueError(f"warm parameters must have shape {(len(signs), *shape)}, got {block.shape}")
        if not np.isfinite(block).all():
            raise ValueError("warm parameters must be finite: drop the failed ones")


def _plan(architecture: Architecture, features: Features, chunk: int | None) -> tuple[int, int]:
    """Workers, and members that each takes at a time: the one place that asks for the platform. On a CPU one member per
    core, whose arrays stay in the cache and need no synchronisation; elsewhere one worker and a wide batch."""
    n, length, dim = features.tokens.shape
    per_token = architecture.heads * (6 * length + 6 * dim) + 8 * dim + 4 * architecture.mlp_width
    fitting = int(max(1, WORKING_BYTES // (8 * n * length * per_token * architecture.layers)))
    if jax.default_backend() != "cpu":
        return 1, chunk or min(fitting, 256)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, fitting // (chunk or 1))), chunk or 1


def _padded(array, count: int, multiple: int = 1):
    """Zeros appended up to the power of two from `count` on, at least 8: one compiled program per such length."""
    rows = -(-max(8, 1 << (count - 1).bit_length()) // multiple) * multiple
    return np.concatenate([array, np.zeros((rows - len(array), *array.shape[1:]))])


def _run(run, members, iterations, workers, chunk):
    """Values, parameters and soundness of every member (signs, start), in order; workers take contiguous shares."""
    total = len(members[0])
    share = -(-total // workers)

    def work(first):
        mine = jax.tree.map(lambda array: _padded(array[first : first + share], share, chunk), members)
        found = climb_members(*run, *mine, min(share, total - first), iterations, chunk)
        return jax.tree.map(lambda array: np.asarray(array)[: min(share, total - first)], found)

    with ThreadPoolExecutor(workers) as threads:
        parts = list(threads.map(work, range(0, total, share)))
    return jax.tree.map(lambda *pieces: np.concatenate(pieces), *parts)
