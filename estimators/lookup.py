"""How large a score matrix a look-up needs: least Frobenius and operator norm of A, certified from both sides.

Scores q_i^T A k_j of queries q (M, d) and keys k (N, d), target pi(i) of every query; constraints <A, G_ij> >= 1,
G_ij = q_i (k_pi(i) - k_j)^T for j != pi(i). For any Schatten norm, with p* = p/(p-1),

    sum lambda / |sum lambda_ij G_ij|_p*  <=  min |A|_p  <=  |A|_p / min_ij <A, G_ij>   (lambda >= 0, margin of A > 0).

p = 2 is the Frobenius norm, p = infinity the largest singular value. For finite p the dual is a smooth concave problem
in lambda >= 0, solved by L-BFGS-B; its result certifies both ends. p = infinity: p = 2, 4, .. 64 in turn, and closed
forms.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float64
from scipy.optimize import minimize

from estimators.claim import Measurement
from estimators.estimate import Estimate

Array = np.ndarray
EPS = 2.0**-52
EXPONENTS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)


class Problem(NamedTuple):
    """Queries (M, d), keys (N, d), targets (M,), and where lambda may be positive (M, N): not at the targets."""

    queries: Float64[Array, "M d"]
    keys: Float64[Array, "N d"]
    targets: Array
    free: Array


def problem(queries: Any, keys: Any, targets: Any) -> Problem:
    """ValueError unless there are two keys or more, and one target among them for every query."""
    q, k = (np.asarray(array, dtype=np.float64) for array in (queries, keys))
    chosen = np.asarray(targets, dtype=int)
    if q.ndim != 2 or k.ndim != 2 or q.shape[1] != k.shape[1] or len(k) < 2 or len(q) < 1:
        raise ValueError(f"queries must be M x d and keys N x d, N >= 2, got {q.shape} and {k.shape}: add positions")
    if not (np.isfinite(q).all() and np.isfinite(k).all()):
        raise ValueError("queries and keys must be finite: leave out the positions whose codes are not")
    if chosen.shape != (len(q),) or chosen.min() < 0 or chosen.max() >= len(k):
        raise ValueError(f"targets must be {len(q)} numbers of keys, 0 .. {len(k) - 1}, got {list(targets)}")
    free = np.ones((len(q), len(k)), dtype=bool)
    free[np.arange(len(q)), chosen] = False
    return Problem(q, k, chosen, free)


def _combined(made: Problem, weights: Array) -> Array:
    """sum lambda_ij G_ij (d, d)."""
    moved = -weights
    moved[np.arange(len(weights)), made.targets] += weights.sum(axis=1)
    return made.queries.T @ moved @ made.keys


def _margins(made: Problem, scores: Array) -> Array:
    """<A, G_ij> (M, N), infinite at the targets."""
    table = made.queries @ scores @ made.keys.T
    gaps = table[np.arange(len(table)), made.targets][:, None] - table
    return np.where(made.free, gaps, np.inf)


def _schatten(singular: Array, exponent: float) -> float:
    top = float(singular.max())
    if top == 0 or math.isinf(exponent):
        return top
    return top * float(np.sum((singular / top) ** exponent) ** (1 / exponent))


def _scale(made: Problem) -> float:
    return float(np.linalg.norm(made.queries, axis=1).max() * np.linalg.norm(made.keys, axis=1).max())


def lower_end(made: Problem, weights: Array, exponent: float) -> float:
    """sum lambda/|sum lambda G|_p*, rounded down: an entry of it is off by (M+N) eps sum lambda |q| |k| at most."""
    total = float(weights.sum())
    rank = min(made.queries.shape[1], len(made.queries))
    dual = 1.0 if math.isinf(exponent) else exponent / (exponent - 1)
    norm = _schatten(np.linalg.svd(_combined(made, weights.copy()), compute_uv=False), dual)
    wrong = 4 * (sum(made.free.shape) + rank) * rank * EPS * total * _scale(made)
    return total * (1 - 1e-14) / (norm + wrong)


def upper_end(made: Problem, scores: Array, exponent: float) -> float:
    """|A|_p/margin, rounded up; infinity where the margin is not positive."""
    singular = np.linalg.svd(scores, compute_uv=False)
    wrong = 8 * len(scores) * EPS * float(singular.max()) * _scale(made)
    least = float(_margins(made, scores).min()) - wrong
    return _schatten(singular, exponent) * (1 + 1e-14) / least if least > 0 else math.inf


def _dual_ascent(made: Problem, start: Array, exponent: float, steps: int) -> tuple[Array, Array]:
    """lambda that maximises sum lambda - |sum lambda G|_p*^2/2, and the A of least |A|_p that belongs to it."""
    dual = exponent / (exponent - 1)

    def best_scores(weights: Array) -> tuple[float, Array]:
        left, singular, right = np.linalg.svd(_combined(made, weights.copy()))
        norm = _schatten(singular, dual)
        shape = (singular / norm) ** (dual - 1) * norm if norm > 0 else singular
        return norm, (left * shape) @ right

    def objective(flat: Array) -> tuple[float, Array]:
        norm, scores = best_scores(flat.reshape(start.shape))
        slope = np.where(made.free, _margins(made, scores) - 1, 0.0)
        return norm**2 / 2 - float(flat.sum()), slope.ravel()

    norm, _ = best_scores(start)
    first = (start * (start.sum() / norm**2 if norm > 0 else 1.0)).ravel()
    bounds = [(0.0, None if free else 0.0) for free in made.free.ravel()]
    options = {"maxiter": steps, "maxfun": 2 * steps, "maxcor": 20, "ftol": 1e-15, "gtol": 1e-10}
    found = minimize(objective, first, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    weights = np.where(made.free, found.x.reshape(start.shape), 0.0)
    return weights, best_scores(weights)[1]


def _known_scores(made: Problem) -> Iterator[Array]:
    """Score matrices that are best for some codes: the orthogonal one nearest to q_i -> k_pi(i), and centred sums."""
    aimed = made.queries.T @ made.keys[made.targets]
    left, _, right = np.linalg.svd(aimed)
    yield left @ right
    yield aimed - made.queries.T @ np.broadcast_to(made.keys.mean(axis=0), made.queries.shape)


def pair_distances(made: Problem) -> tuple[float, float]:
    """|q_i - q_i'| and |k_pi(i) - k_pi(i')| of the two queries of different targets with the least product.

    (infinity, infinity) where all queries have one target.
    """
    aims = made.keys[made.targets]
    first, second = (np.linalg.norm(rows[:, None] - rows[None], axis=2) for rows in (made.queries, aims))
    several = made.targets[:, None] != made.targets[None]
    if not several.any():
        return math.inf, math.inf
    product = np.where(several, first * second, np.inf)
    i, other = np.unravel_index(product.argmin(), product.shape)
    return float(first[i, other]), float(second[i, other])


def least_norm(made: Problem, exponent: float, *, steps: int = 300) -> Estimate:
    """min |A|_p at margin 1; exponent 2 (Frobenius) or infinity (operator norm), or any p > 1.

    steps: of L-BFGS-B for each exponent; 0 leaves closed forms. The upper end is infinity where no matrix with a
    margin was found (codes that are nearly dependent).
    """
    if not exponent > 1:
        raise ValueError(f"exponent must be above 1, got {exponent}: use 2 for Frobenius, inf for the operator norm")
    several = EXPONENTS if math.isinf(exponent) else (exponent,)
    uniform = np.where(made.free, 1.0, 0.0)
    product = math.prod(pair_distances(made))
    if product == 0:
        raise ValueError("two queries, or their targets, have one code: no matrix tells them apart; drop one of them")
    # lambda = 1 at (i, pi(i')), (i', pi(i)): the sum of the two G has rank one, all its Schatten norms are the product
    low = max(2 * (1 - 1e-13) / product, lower_end(made, uniform, exponent))
    high = min(upper_end(made, scores, exponent) for scores in _known_scores(made))
    weights = uniform
    for one in several:
        if steps == 0 or high <= low * (1 + 1e-9):
            break
        weights, scores = _dual_ascent(made, weights, one, steps)
        if not weights.any():
            break
        low, high = max(low, lower_end(made, weights, exponent)), min(high, upper_end(made, scores, exponent))
    return Estimate(low, high, 1.0, "dual certificate and feasible matrix")


def _lookup(table: Any, targets: Sequence[int]) -> Problem:
    """Queries are the positions i with targets[i] >= 0, keys all positions of the table (N, d)."""
    rows, chosen = np.asarray(table, dtype=np.float64), np.asarray(targets, dtype=int)
    if rows.ndim != 2 or chosen.shape != (len(rows),) or max(targets) >= len(rows):
        raise ValueError(
            f"a table (N, d) needs one target per row, -1 for no query, got {rows.shape} and {chosen.tolist()}"
        )
    return problem(rows[chosen >= 0], rows, chosen[chosen >= 0])


def _at_margin(found: Estimate, margin: float) -> Estimate:
    if not 0 < margin < math.inf:
        raise ValueError(f"margin must be positive and finite, got {margin}: use margin=1")
    return Estimate(margin * found.lower * (1 - EPS), margin * found.upper * (1 + EPS), found.confidence, found.method)


def pair_look_up(
    *, table: list[list[float]], targets: list[int], margin: float, steps: int = 60, encoding: str = ""
) -> Measurement:
    """min |A| for a look-up, with the distances of the pair that bounds it best (`theory.lookup.operator_norm`)."""
    made = _lookup(table, targets)
    first, second = pair_distances(made)
    known = {"margin": margin, "query_distance": first, "key_distance": second}
    return Measurement(_at_margin(least_norm(made, math.inf, steps=steps), margin), known, encoding)


def shift_look_up(
    *, table: list[list[float]], shift: int, margin: float, steps: int = 60, encoding: str = ""
) -> Measurement:
    """min |A| for pi(i) = i + shift where that is a position, with the closest distance of two positions."""
    length = len(table)
    made = _lookup(table, [i + shift if 0 <= i + shift < length else -1 for i in range(length)])
    known = {"margin": margin, "closest_distance": closest_distance(made.keys)}
    return Measurement(_at_margin(least_norm(made, math.inf, steps=steps), margin), known, encoding)


def compared_look_up(
    *, table: list[list[float]], reference: list[list[float]], margin: float, encoding: str = ""
) -> Measurement:
    """min |A| for pi(i) = i, by closed forms, with the closest distance of two rows of another table."""
    found = least_norm(_lookup(table, range(len(table))), math.inf, steps=0)
    known = {"margin": margin, "closest_distance": closest_distance(np.asarray(reference, dtype=np.float64))}
    return Measurement(_at_margin(found, margin), known, encoding)


def closest_distance(rows: Float64[Array, "N d"]) -> float:
    """min |p_i - p_j| over i != j."""
    if rows.ndim != 2 or len(rows) < 2:
        raise ValueError(f"two rows are the least that have a distance, got shape {rows.shape}: add positions")
    distances = np.linalg.norm(rows[:, None] - rows[None], axis=2)
    return float(distances[~np.eye(len(rows), dtype=bool)].min())


def orthonormal_look_up(
    *,
    table: list[list[float]],
    targets: list[int],
    margin: float,
    exponent: float,
    words: tuple[str, ...] = ("margin", "position_count"),
    encoding: str = "",
) -> Measurement:
    """min |A| (exponent infinity) or min |A|_F (2) for the orthonormal rows nearest to the table's (N, d), N <= d."""
    rows = np.asarray(table, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[0] > rows.shape[1]:
        raise ValueError(f"orthonormal rows need N <= d, got shape {rows.shape}: use fewer positions")
    left, _, right = np.linalg.svd(rows, full_matrices=False)
    known = {"margin": margin, "position_count": len(rows)}
    found = least_norm(_lookup(left @ right, targets), exponent)
    return Measurement(_at_margin(found, margin), {word: known[word] for word in words}, encoding)
