"""A weak variance that knows that one query cannot align with all tokens at once.

`semigroup_variances.weight_caps` bounds every attention weight by its value for the query that favours this token. Here
the weight is bounded by a quadratic of its own logit distance, so that the sum over tokens keeps the query in common.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from estimators.supremum.semigroup_variances import TOKEN_BLOCK, UNIT, square_features, weight_caps

KNOTS = 32
WIDTH = 1.04
LARGEST_PAIR = 600


class Tokens(NamedTuple):
    """All tokens of all samples in one row, weighed by `gains`: logit distances D (N, p) and values v (N, d).

    bins: (N,) index of the pair (position, range of |D|); reach: (bins, 2) ends of |D| in each; odds: (bins,). prices:
    how much the linear and the quadratic part of a majorant cost, in units of the constant one.
    """

    distances: Float64[np.ndarray, "N p"]
    values: Float64[np.ndarray, "N d"]
    gains: Float64[np.ndarray, "3 N"]
    bins: np.ndarray
    reach: Float64[np.ndarray, "bins 2"]
    odds: Float64[np.ndarray, " bins"]
    prices: tuple[float, float]


def sort_tokens(distances, values, odds, gains) -> Tokens:
    """Tokens of logit distances (n, T, p), values (n, T, d), odds (T,), gains (n,), binned by |D| up to `WIDTH`."""
    n, length, p = distances.shape
    reach = np.linalg.norm(distances, axis=2)
    floor = max(float(reach.max()), 1e-300) * 1e-3
    level = np.floor(np.log(np.maximum(reach, floor)) / np.log(WIDTH)).astype(int)
    labels = np.stack([np.broadcast_to(np.arange(length), level.shape), level]).reshape(2, -1)
    keys, bins = np.unique(labels, axis=1, return_inverse=True)
    bins = bins.reshape(-1)
    ends = np.stack([np.full(keys.shape[1], np.inf), np.zeros(keys.shape[1])], axis=1)
    np.minimum.at(ends[:, 0], bins, reach.reshape(-1) * (1 - 1e-12))
    np.maximum.at(ends[:, 1], bins, reach.reshape(-1) * (1 + 1e-12))
    ends[:, 1] = np.maximum(ends[:, 1], 1e-100)
    far = ends[bins, 1]
    weights = np.repeat(gains, length) / np.stack([np.ones_like(far), far, far**2])
    tokens = Tokens(
        distances.reshape(-1, p), values.reshape(n * length, -1), weights, bins, ends, odds[keys[0]], (0.0, 0.0)
    )
    constant, linear, quadratic = joint_terms(tokens, weights)
    return tokens._replace(prices=(linear / constant, quadratic / constant) if constant > 0 else (1.0, 1.0))


def majorants(tokens: Tokens, radius: float, low: float, high: float) -> Float64[np.ndarray, "3 bins"]:
    """Coefficients (c0, c1, c2), each (bins,), of c0 + c1 x + c2 x^2 >= E_g alpha(w + tau g) for x = <w, D>/(radius R)
    in [-1, 1], R the largest |D| of the bin, all low <= tau <= high and |w| <= radius; c1, c2 >= 0.

    alpha(w + tau g) <= F(<w, D> + tau |D| xi) (`weight_caps`), whose mean over xi is Phi(x). At the knots x_k, h apart,
    Phi_k comes from `weight_caps`; |F''| <= F gives Phi <= chord + (radius R h)^2 Phi_(k+1)/8 between knots, monotony
    Phi <= Phi_(k+1), and the quadratic is at least its chord - c2 h^2/4, so with P_k the larger of the two end values
    of these covers at x_k, c0 = max_k [P_k - c1 x_k - c2 x_k^2] + c2 h^2/4 does for every c1, c2. Chosen from a grid by
    `prices`. Derived in this project.
    """
    knots = np.linspace(-1.0, 1.0, KNOTS + 1)
    far = tokens.reach[:, 1]
    grid = np.broadcast_to(far, (len(knots), len(far)))
    phi = weight_caps(grid, tokens.odds, radius * knots[:, None], low / (1.001 * WIDTH), high)
    wide = tokens.reach[:, 0] * 1.001 * WIDTH < far  # the bin of the shortest distances, which may be 0
    if wide.any():
        phi[:, wide] = weight_caps(grid[:, wide], tokens.odds[wide], radius * knots[:, None], 0.0, high)
    step = 2.0 / KNOTS
    bump = (radius * far * step) ** 2 / 8 * phi[1:]
    flat = phi[:-1] + bump >= phi[1:]
    left, right = np.where(flat, phi[1:], phi[:-1] + bump), np.where(flat, phi[1:], phi[1:] + bump)
    phi = np.maximum(np.concatenate([left, right[-1:]]), np.concatenate([left[:1], right]))
    rise = np.maximum(phi[-1] - phi[0], 0.0)
    best, chosen = np.full(len(far), np.inf), np.zeros((3, len(far)))
    curves = np.linspace(0.0, 1.4, 15)[:, None] * rise
    bends = knots[:, None, None] ** 2 * curves
    for slope in np.linspace(0.0, 0.5, 6):
        tilts = slope * rise
        heights = np.max((phi - tilts * knots[:, None])[:, None] - bends, axis=0) + curves * step**2 / 4
        costs = heights + tokens.prices[0] * tilts + tokens.prices[1] * curves
        pick = np.argmin(costs, axis=0)[None]
        cost, c0, c2 = (np.take_along_axis(array, pick, axis=0)[0] for array in (costs, heights, curves))
        chosen = np.where(cost < best, np.stack([c0, tilts, c2]), chosen)
        best = np.minimum(best, cost)
    return chosen * (1 + 1e-11)


def rank_one_top(gram, rows: int, columns: int) -> float:
    """An upper bound of max x^T G x over x = u (x) w, |u| = |w| = 1, for a positive semidefinite G.

    With e the top eigenvector, reshaped to a matrix M: <u (x) w, e>^2 <= |M|_op^2 = a, so x^T G x <= a mu + (1 - a) nu
    for the two largest eigenvalues mu >= nu.
    """
    eigenvalues, vectors = np.linalg.eigh(gram)
    share = min(1.0, float(np.linalg.norm(vectors[:, -1].reshape(rows, columns), 2)) ** 2 + 1e-9)
    below = max(float(eigenvalues[-2]), 0.0) if len(gram) > 1 else 0.0
    return share * float(eigenvalues[-1]) + (1 - share) * below


def joint_terms(tokens: Tokens, weights) -> Float64[np.ndarray, "3"]:
    """Upper bounds over |u| = |w| = 1 of sum_m weights_km <w, D_m>^k <u, v_m>^2 for k = 0, 1, 2; weights (3, N)."""
    p, d = tokens.distances.shape[1], tokens.values.shape[1]
    flat, mixed, paired = np.zeros((d, d)), np.zeros((p, d * (d + 1) // 2)), np.zeros((p * d, p * d))
    for first in range(0, len(tokens.values), TOKEN_BLOCK):
        block = slice(first, first + TOKEN_BLOCK)
        x, y, (zero, one, two) = tokens.distances[block], tokens.values[block], weights[:, block, None]
        flat += (zero * y).T @ y
        mixed += (one * x).T @ square_features(y)
        products = (np.sqrt(two) * y)[:, :, None] * x[:, None, :]
        products = products.reshape(len(y), -1)
        paired += products.T @ products
    squares = np.sum(tokens.values**2, axis=1)
    sizes = np.linalg.norm(tokens.distances, axis=1)
    scale = np.array([np.sum(row * squares * sizes**k) for k, row in enumerate(weights)])
    slack = 8 * UNIT * (len(squares) + 8 * len(paired)) * scale
    # <u, v>^2 = <sym^2 u, sym^2 v>; the part of sym^2 u along the identity has length 1/sqrt d.
    rows, columns = np.triu_indices(d)
    identity = (rows == columns) / np.sqrt(d)
    along = mixed @ identity
    rest = np.linalg.norm(mixed - np.outer(along, identity), 2) * np.sqrt(1 - 1 / d)
    top = np.array(
        [np.linalg.eigvalsh(flat)[-1], np.linalg.norm(along) / np.sqrt(d) + rest, rank_one_top(paired, d, p)]
    )
    return top * (1 + 1e-10) + slack


def joint_variance(tokens: Tokens, radius: float, low: float, high: float) -> float:
    """An upper bound of max over |u| <= 1, |w| <= radius of sum_m gains_m E_g alpha_m(w + tau g) <u, v_m>^2 for every
    low <= tau <= high: alpha_m below its `majorants`, then the three sums of `joint_terms`."""
    coefficients = majorants(tokens, radius, low, high)
    return float(joint_terms(tokens, coefficients[:, tokens.bins] * tokens.gains).sum())
