"""Weak variances of one attention head: upper bounds of sup over queries and read-outs of a sum of squares.

Shapes: n samples, T tokens, d value channels. Notation of `estimators.supremum.centred`. Everything here is an upper
bound in exact arithmetic of a quantity that is then inflated for rounding.
"""

from math import sqrt

import numpy as np
from jaxtyping import Float64
from scipy.special import ndtr

UNIT = 2.0**-52
NODES = np.linspace(-7.0, 7.0, 71)
LARGEST_CUBE = 1000
LARGEST_DUAL = 600  # side of the form of fourth moments up to which its dual is solved
TOKEN_BLOCK = 4096


def weight_caps(reach, odds, radius, low: float, high: float) -> Float64[np.ndarray, "n T"]:
    """cap_ij >= E_g alpha_ij(w + tau g) for all |w| <= radius and low <= tau <= high, D from `logit_distances`.

    The other tokens weigh at least (1 - pi_j) exp of their mean logit (Jensen), so alpha_ij(w) <= F(<w, D>), F(x) =
    1/(1 + e^(odds - x)) increasing, D = z_ij minus the mean of the others; <w, D> <= radius |D| and <g, D> = |D| xi, xi
    normal. E F(|D| (radius + tau xi)) is bounded cell by cell in xi. Where xi > 0
    the largest value has tau = high, elsewhere tau = low. With m the mean of xi in the cell (a, b) a first-order Taylor
    term vanishes, |F''| <= F and Var(xi | cell) = 1 + (a phi(a) - b phi(b))/P(cell) - m^2 <= (b - m)(m - a), so the
    cell mean is at most min{F(b), F(m) + (tau D)^2 Var F(b)/2}, F(x) short for F(D (radius + tau x)); beyond the last
    node F <= 1.
    `radius` may be an array that broadcasts to `reach`. Derived in this project.
    """
    positive = NODES[NODES > -1e-9]
    positive[0] = 0.0
    tail = ndtr(-positive)
    density = np.exp(-(positive**2) / 2) / np.sqrt(2 * np.pi)
    mass = tail[:-1] - tail[1:]
    mean = np.clip((density[:-1] - density[1:]) / mass, positive[:-1], positive[1:])
    moment = positive * density
    exact = 1 + (moment[:-1] - moment[1:]) / mass - mean**2 + 1e-14 / mass
    spread = np.minimum((positive[1:] - mean) * (mean - positive[:-1]), exact * (1 + 1e-9)) / 2
    flat, level = reach.reshape(-1), np.broadcast_to(odds - reach * radius, reach.shape).reshape(-1)
    total = np.empty(flat.shape)
    for first in range(0, len(flat), TOKEN_BLOCK):
        block = slice(first, first + TOKEN_BLOCK)
        slope, depth = flat[block], level[block]
        total[block] = tail[-1] * (1 + _share(slope, depth, -low * positive[-1:])[0])
        for tau, right, middle in ((high, positive[1:], mean), (low, -positive[:-1], -mean)):
            edge = _share(slope, depth, tau * right)
            curved = edge * (spread[:, None] * (tau * slope) ** 2)
            total[block] += mass @ np.minimum(edge, _share(slope, depth, tau * middle) + curved)
    return np.minimum(total * (1 + 1e-11), 1.0).reshape(reach.shape)


def _share(slope, depth, distance):
    """1/(1 + e^(depth - slope x)) for x in `distance` (N,), slope and depth (m,): shape (N, m)."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(depth - distance[:, None] * slope))


def largest_mean(sizes, caps) -> Float64[np.ndarray, " n"]:
    """max sum_j alpha_j s_j over 0 <= alpha_j <= cap_j, sum_j alpha_j <= 1, for sizes s_ij >= 0: fill greedily."""
    order = np.argsort(-sizes, axis=1)
    sorted_sizes, sorted_caps = np.take_along_axis(sizes, order, axis=1), np.take_along_axis(caps, order, axis=1)
    before = np.cumsum(sorted_caps, axis=1) - sorted_caps
    return np.sum(sorted_sizes * np.clip(1.0 - before, 0.0, sorted_caps), axis=1) * (1 + 1e-11)


def square_features(vectors):
    """Coordinates of sym^2 x in an orthonormal basis: (N, d) -> (N, d(d+1)/2); inner products are <x, y>^2."""
    rows, columns = np.triu_indices(vectors.shape[1])
    return vectors[:, rows] * vectors[:, columns] * np.where(rows == columns, 1.0, np.sqrt(2.0))


def _cube_indices(dim: int):
    """Indices a <= b <= c and the square roots of their multiplicities."""
    a, b, c = np.array([(i, j, k) for i in range(dim) for j in range(i, dim) for k in range(j, dim)]).T
    distinct = 1 + (a != b) + (b != c).astype(int)
    return a, b, c, np.sqrt(np.array([0, 1, 3, 6])[distinct])


def _cube_features(vectors):
    """Coordinates of sym^3 x in an orthonormal basis; inner products are <x, y>^3."""
    a, b, c, scale = _cube_indices(vectors.shape[1])
    return vectors[:, a] * vectors[:, b] * vectors[:, c] * scale


def _trace_space(dim: int, power: int):
    """Rows spanning E = {sym(h (x) I)} (power 3, dimension d) or span(I) (power 2), and |P_E sym^power u|^2, |u| = 1.

    <sym^3 u, sym(h (x) I)> = <h, u> and |sym(h (x) I)|^2 = |h|^2 (d + 2)/3; <sym^2 u, I> = 1 and |I|^2 = d.
    """
    if power == 2:
        rows, columns = np.triu_indices(dim)
        return (rows == columns).astype(float)[None], 1.0 / dim
    a, b, c, scale = _cube_indices(dim)
    basis = np.zeros((dim, len(a)))
    index = np.arange(len(a))
    for left, right, single in ((a, b, c), (a, c, b), (b, c, a)):
        np.add.at(basis, (single, index), (left == right) * scale / 3)
    return basis, 3.0 / (dim + 2)


def largest_moment(vectors, masses, power: int) -> float:
    """An upper bound of max over |u| = 1 of sum_m masses_m <u, x_m>^(2 power), power 1 (exact), 2 or 3.

    C = sum_m masses_m (sym^p x_m)(sym^p x_m)^T and s = sym^p u, |s| = 1. For power 2 and 3 the part of s in E
    (`_trace_space`) has a known length a, so s^T C s <= a^2 mu + (1 - a^2) nu whenever C <= mu on E plus nu on its
    complement. By Schur's complement nu > lambda_max(C_FF) and mu = lambda_max(C_EE + C_EF (nu - C_FF)^-1 C_FE) do;
    every nu gives a bound, the best is kept. For power 2 this is the exact dual of the trust region problem on the
    slice. Derived in this project.
    """
    features = {1: lambda x: x, 2: square_features, 3: _cube_features}[power]
    gram = np.zeros((1, 1))
    for first in range(0, len(vectors), TOKEN_BLOCK):
        part = features(vectors[first : first + TOKEN_BLOCK]) * np.sqrt(masses[first : first + TOKEN_BLOCK, None])
        gram = gram + part.T @ part
    slack = 8 * UNIT * (len(vectors) + 8 * len(gram)) * float(np.trace(gram))
    if power == 1:
        return float(np.linalg.eigvalsh(gram)[-1]) + slack
    basis, share = _trace_space(vectors.shape[1], power)
    if power == 2 and len(gram) > LARGEST_DUAL:
        return _moment_beside_identity(gram, basis[0] / np.linalg.norm(basis[0]), share) * (1 + 1e-9) + slack
    split = np.linalg.qr(basis.T, mode="complete")[0]
    rotated = split.T @ gram @ split
    k = len(basis)
    if k == len(gram):
        return share * float(np.linalg.eigvalsh(gram)[-1]) + slack
    eigenvalues, vectors_f = np.linalg.eigh(rotated[k:, k:])
    cross = rotated[:k, k:] @ vectors_f
    top, scale = max(float(eigenvalues[-1]), 0.0), float(np.trace(gram))
    levels = top + (scale if scale > 0 else 1.0) * np.geomspace(1e-7, 1.0, 48)
    inner = rotated[:k, :k] + np.einsum(
        "kf,gf,lf->gkl", cross, 1 / (levels[:, None] - eigenvalues), cross, optimize=True
    )
    heads = np.maximum(np.linalg.eigvalsh(inner)[:, -1], 0.0)
    return float(np.min(share * heads + (1 - share) * levels)) * (1 + 1e-9) + slack


def _moment_beside_identity(gram, identity, share: float) -> float:
    """An upper bound of max s^T C s over |s| = 1, <s, e>^2 = share: |C e - e e^T C e| and the top of C beside e each
    taken for itself. Larger than the dual by at most the cross term, and it needs no eigenvectors."""
    along = gram @ identity
    height = float(identity @ along)
    cross = along - height * identity
    beside = gram - np.outer(identity, along) - np.outer(cross, identity)
    top = max(float(np.linalg.eigvalsh((beside + beside.T) / 2)[-1]), 0.0)
    return share * height + 2 * sqrt(share * (1 - share)) * float(np.linalg.norm(cross)) + (1 - share) * top


def weak_variance(values, caps, gains, *, cubes: bool = False) -> float:
    """An upper bound of max over |u| <= 1 of sum_i gains_i sum_j alpha_ij <u, v_ij>^2 for sum_j alpha_ij = 1, alpha <=
    caps.

    The power-mean inequality under the measure gains_i alpha_ij, with s_i = max_j |v_ij|: sum gains alpha y^2 <= (sum_i
    gains_i s_i^2)^(1 - 2/q) (sum gains caps y^q / s_i^(q-2))^(2/q) for q = 2, 4 and, if `cubes`, 6; and never more than
    sum_i gains_i max sum_j alpha_ij |v_ij|^2. Shapes: values (n, T, d), caps (n, T), gains (n,).
    """
    dim = values.shape[2]
    squares = np.sum(values**2, axis=2)
    best = float(np.sum(gains * largest_mean(squares, caps)))
    scale = squares.max(axis=1)
    used = (gains > 0) & (scale > 0)
    if not used.any():
        return best
    total = float(np.sum(gains * scale))
    unit = (values[used] / np.sqrt(scale[used])[:, None, None]).reshape(-1, dim)
    masses = ((gains * scale)[used, None] * caps[used]).reshape(-1)
    powers = [1, 2] + [3] * (cubes and dim * (dim + 1) * (dim + 2) // 6 <= LARGEST_CUBE)
    for power in powers:
        moment = largest_moment(unit, masses, power)
        best = min(best, total ** (1 - 1 / power) * moment ** (1 / power))
    return best * (1 + 1e-10)


def logit_distances(keys, weights):
    """Keys minus the weighted mean of the others, (n, T, e), and ln((1 - pi_j)/pi_j), (T,), for `weight_caps`.

    The heaviest token is summed without itself: 1 - pi_j would lose its digits. pi_j is raised to at least 1e-290,
    which raises caps: softmax weights may have underflowed.
    """
    top = int(np.argmax(weights))
    others = np.delete(weights, top)
    rest = 1 - weights
    rest[top] = others.sum()
    sums = np.einsum("t,nte->ne", weights, keys)
    means = (sums[:, None] - weights[:, None] * keys) / np.maximum(rest, 1e-290)[:, None]
    if rest[top] > 0:
        means[:, top] = np.einsum("t,nte->ne", others / rest[top], np.delete(keys, top, axis=1))
    with np.errstate(divide="ignore"):
        return keys - means, np.log(rest) - np.log(np.maximum(weights, 1e-290))


def squared_diameters(points) -> Float64[np.ndarray, " n"]:
    """max_jl |x_ij - x_il|^2, (n, T, e) -> (n,), inflated."""
    squares = np.sum(points**2, axis=2)
    products = np.einsum("nte,nse->nts", points, points)
    distances = squares[:, :, None] + squares[:, None, :] - 2 * products
    return distances.max(axis=(1, 2)) + 1e-13 * squares.max(axis=1)


def distance_variances(factors, keys, diameters) -> Float64[np.ndarray, " n"]:
    """G_i >= Var_alpha |z_ij - E_alpha z_i|^2 for every alpha in the simplex.

    |z - E z|^2 lies in [0, D^2], so G = D^4/4 (Popoviciu). For any centre x, y_j = z_j - x, r <= |y_j| <= R, m = E y,
    |m| = mu: |z_j - E z|^2 = |y_j|^2 - 2 <y_j, m> + mu^2, and <y_j, m> has mean mu^2 and lies in [-min(c, mu R), mu
    R], c = -min_jl <y_j, y_l> or 0, so (Bhatia-Davis) its standard deviation is at most R^2 sqrt(phi), phi = max over
    0 <= t <= 1 of (t - t^2)(t^2 + min(c/R^2, t)), and G = ((R^2 - r^2)/2 + 2 R^2 sqrt(phi))^2. Centres tried: the
    weighted mean, the mean, the centre of the sphere through the tokens (least squares); the least value counts.
    Derived in this project.
    """
    n, length, dim = keys.shape
    power = np.sum(factors**2, axis=1)
    squares = np.sum(keys**2, axis=2)
    system = np.concatenate([2 * keys, np.ones((n, length, 1))], axis=2)
    middle = np.einsum("nef,nf->ne", np.linalg.pinv(system, rcond=1e-6), squares)[:, :dim]
    grid = np.linspace(0.0, 1.0, 401)
    left, right = grid[:-1], grid[1:]
    hump = np.where(right <= 0.5, right - right**2, left - left**2)
    best = diameters**2 / 4
    for centre in (np.zeros((n, dim)), keys.mean(axis=1), middle):
        shifted = keys - centre[:, None]
        sizes = np.sum(shifted**2, axis=2)
        far, near = sizes.max(axis=1) * (1 + 1e-12), sizes.min(axis=1) * (1 - 1e-12)
        lowest = np.einsum("nte,nse->nts", shifted, shifted).min(axis=(1, 2)) - 1e-13 * far
        ratio = np.maximum(-lowest, 0.0) / np.where(far > 0, far, 1.0)
        phi = np.max(hump * (right**2 + np.minimum(ratio[:, None], right)), axis=1)
        best = np.minimum(best, ((far - near) / 2 + 2 * far * np.sqrt(phi)) ** 2)
    return best * power**2 * (1 + 1e-11)
