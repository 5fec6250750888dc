"""Stress of embeddings of distributions: sum_{i<j} (|p_i - p_j| - H_ij)^2 / sum_{i<j} H_ij^2, H the Hellinger chord."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float64

from estimators.claim import Measurement
from estimators.estimate import exact
from estimators.posterior import ULP

LINE_LIMIT = 8  # orders of N points: N!/2
STARTS, STEPS = 12, 400
Square = Float64[np.ndarray, "N N"]


def chords(distributions: Any) -> Square:
    """|sqrt(mu_i) - sqrt(mu_j)|_2; rows of nonnegative weights are divided by their sums."""
    rows = np.asarray(distributions, dtype=np.float64)
    if rows.ndim != 2 or len(rows) < 2 or not np.isfinite(rows).all() or (rows < 0).any():
        raise ValueError(f"pass at least two rows of nonnegative weights, got shape {rows.shape}")
    totals = rows.sum(axis=1, keepdims=True)
    if (totals == 0).any():
        raise ValueError("a row of weights is all zero: it is no distribution")
    found = _distances(np.sqrt(rows / totals))
    if not found.any():
        raise ValueError("all distributions are equal: stress is 0/0, leave them out")
    return found


def _distances(points: Float64[np.ndarray, "N d"]) -> Square:
    return np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))


def stress(points: Float64[np.ndarray, "N d"], chord: Square) -> float:
    """S(p)."""
    return float(((_distances(points) - chord) ** 2).sum() / (chord**2).sum())


def _rounding(count: int) -> float:
    """Absolute error of a stress or a share: coordinates, and eigenvalues, are known to a few ulps of the largest."""
    return 16 * count * ULP


def scaling(chord: Square, dim: int) -> tuple[Float64[np.ndarray, "N dim"], float]:
    """Classical MDS coordinates, and the share sum_{k>dim} lambda_k / sum_k lambda_k left out (0 for dim >= N - 1)."""
    count = len(chord)
    if dim < 1:
        raise ValueError(f"dim must be at least 1, got {dim}: use dim=1")
    centre = np.eye(count) - 1 / count
    values, vectors = np.linalg.eigh(-centre @ chord**2 @ centre / 2)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]  # rounding only: B is positive semidefinite
    kept = min(dim, count - 1)
    points = np.zeros((count, dim))
    points[:, :kept] = vectors[:, :kept] * np.sqrt(values[:kept])
    return points, float(values[kept : count - 1].sum() / values.sum())


def scaling_stress(*, distributions: Any, dim: int) -> Measurement:
    """Stress of classical MDS; unexplained_share is what it leaves out."""
    chord = chords(distributions)
    points, share = scaling(chord, dim)
    rounding = _rounding(len(chord))
    found = exact(stress(points, chord), rounding, "classical MDS")
    return Measurement(found, {"unexplained_share": (max(share - rounding, 0.0), share + rounding)})


def full_dimension_fit(*, distributions: Any, dim: int) -> Measurement:
    """1 - S of classical MDS in dim >= N - 1."""
    chord = chords(distributions)
    if dim < len(chord) - 1:
        raise ValueError(f"{len(chord)} points need {len(chord) - 1} dimensions, got {dim}: use scaling_stress")
    points, _ = scaling(chord, dim)
    return Measurement(exact(1 - stress(points, chord), _rounding(len(chord)), "classical MDS"), {})


def _orders(chord: Square) -> Iterator[Float64[np.ndarray, " N"]]:
    """t_i = sum_{j before i} H_ij - sum_{j after i} H_ij of every order, up to reversal."""
    count = len(chord)
    if count > LINE_LIMIT:
        raise ValueError(f"all orders of {count} points are too many: use at most {LINE_LIMIT}, or optimal_stress")
    for order in itertools.permutations(range(count)):
        if order[0] < order[-1]:
            rank = np.empty(count, dtype=np.int64)
            rank[list(order)] = np.arange(count)
            yield (np.sign(rank[:, None] - rank[None]) * chord).sum(axis=1)


def optimal_line(chord: Square) -> Float64[np.ndarray, "N 1"]:
    """The embedding of least stress in dimension 1, exactly: p = t/N of the order with the largest |t|.

    min_p sum (|p_i - p_j| - H)^2 = min over orders of the least squares sum_{i<j} (p_j - p_i - H)^2 (Defays 1978).
    """
    return (max(_orders(chord), key=lambda t: float(t @ t)) / len(chord))[:, None]


def one_hot_optimum(*, position_count: int) -> Measurement:
    """Least stress of one-hot distributions in dimension 1, over all orders."""
    chord = chords(np.eye(position_count))
    found = stress(optimal_line(chord), chord)
    return Measurement(exact(found, _rounding(position_count), "all orders"), {"position_count": position_count})


def best_scaling_line(chord: Square) -> Float64[np.ndarray, "N 1"]:
    """Classical MDS in dimension 1 with the eigenvector of least stress, where the top eigenvalue is repeated.

    For x = sqrt(lambda) u, u a unit vector of the eigenspace E, sum (x_i - x_j)^2 is fixed, so the stress is least
    where sum H_ij |x_i - x_j| = max over orders of <t, x> is largest: x along the projection of the best t to E.
    """
    count = len(chord)
    centre = np.eye(count) - 1 / count
    values, vectors = np.linalg.eigh(-centre @ chord**2 @ centre / 2)
    space = vectors[:, values >= values[-1] * (1 - 1e-9)]
    along = max((space @ (space.T @ t) for t in _orders(chord)), key=lambda x: float(x @ x))
    return (math.sqrt(values[-1]) * along / np.linalg.norm(along))[:, None]


def one_hot_scaling(*, position_count: int) -> Measurement:
    """Least stress of classical MDS of one-hot distributions in dimension 1, over eigenvectors and orders."""
    chord = chords(np.eye(position_count))
    found = stress(best_scaling_line(chord), chord)
    return Measurement(exact(found, _rounding(position_count), "all orders"), {"position_count": position_count})


def optimal_stress(chord: Square, dim: int, *, seed: int = 0) -> Float64[np.ndarray, "N dim"]:
    """Best embedding found by majorisation (de Leeuw 1977) from classical MDS at two scales and from random starts.

    p <- (1/N) B(p) p, B_ij = -H_ij/|p_i - p_j| off the diagonal, rows summing to zero: the stress never rises. A
    witness, not a certificate; in dimension 1 use `optimal_line`.
    """
    rng = np.random.default_rng(seed)
    first, _ = scaling(chord, dim)
    starts = [first * scale + 1e-3 * rng.standard_normal(first.shape) for scale in (1.0, 1.3)]
    starts += [rng.standard_normal(first.shape) for _ in range(STARTS)]
    return min((_majorised(start, chord) for start in starts), key=lambda p: stress(p, chord))


def _majorised(points: Float64[np.ndarray, "N d"], chord: Square) -> Float64[np.ndarray, "N d"]:
    for _ in range(STEPS):
        gaps = _distances(points)
        ratio = np.divide(chord, gaps, out=np.zeros_like(chord), where=gaps > 0)
        points = (ratio.sum(axis=1)[:, None] * points - ratio @ points) / len(chord)
    return points


def scaling_against(*, distributions: Any, dim: int, embedding: Any = None, seed: int = 0) -> Measurement:
    """Stress of classical MDS (its best one in dimension 1), embedding_stress that of another embedding.

    embedding: (N, dim); None: the exact optimum in dimension 1 up to 8 points, the best one found otherwise.
    """
    chord = chords(distributions)
    line = dim == 1 and len(chord) <= LINE_LIMIT
    if embedding is not None:
        other = np.asarray(embedding, dtype=np.float64)
    else:
        other = optimal_line(chord) if line else optimal_stress(chord, dim, seed=seed)
    if other.shape != (len(chord), dim):
        raise ValueError(f"the embedding must have shape {(len(chord), dim)}, got {other.shape}")
    found = stress(best_scaling_line(chord) if line else scaling(chord, dim)[0], chord)
    rounding = _rounding(len(chord))
    return Measurement(
        exact(found, rounding, "classical MDS"), {"embedding_stress": max(stress(other, chord) - rounding, 0.0)}
    )
