"""Exact or attained truths for falsifying upper certificates of one attention head: plain NumPy and mpmath.

Conventions of series_oracle.py: E max_{|w| <= B} |sum_i eps_i a_i(w)|, unit read-out ball, NOT divided by n. Whatever
a search returns here is attained by a feasible w, so it is a lower end of the truth and no slack is needed.
Every family is a function of a seed: families of arrays with all signs enumerable (n <= 6), heads embedded in
dimension p whose truth is three-dimensional, bilinear heads with materialised keys, and the switchboard.
"""

import itertools
import math
from functools import cache
from typing import Any, NamedTuple

import mpmath
import numpy as np
from query_oracle import sign_classes


class Case(NamedTuple):
    """keys (n, T, p), values (n, T, d), bias (T,)."""

    keys: np.ndarray
    values: np.ndarray
    bias: np.ndarray


# ---------------------------------------------------------------- lemma kappa* and the trust region


def kappa_two_point(p: Any, s: Any) -> Any:
    """TV(alpha, pi)/Z of the centred two-point law, mass p, logit gap s = ln x: p(1-p)(x-1) x^p/(1+p(x-1))^2."""
    return p * (1 - p) * np.expm1(s) * np.exp(p * s) / (1 + p * np.expm1(s)) ** 2


def kappa_best_gap(p: Any) -> Any:
    """The maximising s at mass p: c x^2 - (1 + 2c) x + c = 0, that is 2 sinh(s/2) = c^(-1/2)."""
    return 2 * np.arcsinh(0.5 / np.sqrt(p * (1 - p)))


@cache
def kappa_ceiling(target: str = "0.29479") -> bool:
    """True when kappa* <= target is proved by bisecting p in interval arithmetic; s is eliminated in closed form.

    With h = e^(s/2) = (c^(-1/2) + (1/c + 4)^(1/2))/2, u = p(h^2 - 1): max over s = (1-p) h^(2p) u/(1+u)^2 =: V(p),
    and (ln V)' = 1/p - 1/(1-p) + 2 ln h - 2 (h^2 - 1)/(1 + u) (envelope), used in mean-value form on every cell.
    Ends: p <= .01 gives V <= h^(2p)/4 <= (1.0302/p)^p/4 <= .262, increasing in p; p >= .99 gives V <= (1-p) h^(2p)/u
    = (1-p) h^(2p-1) c^(1/2)/p <= (1-p)(1 + c^(1/2))/p <= .012.
    """
    iv: Any = mpmath.iv  # mpmath has no usable annotations
    ceiling = iv.log(iv.mpf(target)).a

    def half_gap(p: Any) -> Any:
        c = iv.mpf(1) / 4 - (p - iv.mpf(1) / 2) ** 2  # p(1-p) without the dependency of the two factors
        return (1 / iv.sqrt(c) + iv.sqrt(1 / c + 4)) / 2

    cells = [(mpmath.mpf(k) / 128, mpmath.mpf(k + 1) / 128) for k in range(1, 127)]
    while cells:
        a, b = cells.pop()
        p, middle = iv.mpf([a, b]), iv.mpf((a + b) / 2)
        h, x = half_gap(middle), half_gap(p) ** 2
        value = iv.log(middle * (1 - middle)) + iv.log(h**2 - 1) + 2 * middle * iv.log(h)
        value -= 2 * iv.log(1 + middle * (h**2 - 1))
        slope = 1 / p - 1 / (1 - p) + iv.log(x) - 2 * (x - 1) / (1 + p * (x - 1))
        if (value + slope * (p - middle)).b < ceiling:
            continue
        if b - a < mpmath.mpf(2) ** -30:
            return False
        cells += [(a, (a + b) / 2), ((a + b) / 2, b)]
    return True


def trust_region_mpmath(offset: Any, slope: Any, radius: float, digits: int = 40) -> float:
    """max_{|w| <= B} |S_0 + J w|, attained: (mu - J^T J) w = J^T S_0, |w| = B, mu bisected with `digits` digits."""
    with mpmath.workdps(digits):
        s, j = mpmath.matrix(np.asarray(offset).tolist()), mpmath.matrix(np.asarray(slope).tolist())
        eigenvalues, vectors = mpmath.eigsy(j.T * j)
        c = vectors.T * (j.T * s)
        lam, size = max(eigenvalues), range(len(c))
        floor = mpmath.mpf(10) ** (-digits // 2)

        def solution(step: Any) -> list[Any]:
            return [c[k] / (lam - eigenvalues[k] + step) for k in size]

        low, high = floor, mpmath.norm(c) / radius + floor
        for _ in range(6 * digits):
            middle = mpmath.sqrt(low * high)
            low, high = (middle, high) if mpmath.norm(solution(middle)) > radius else (low, middle)
        w = solution(high)
        lacking = mpmath.mpf(radius) ** 2 - sum(x * x for x in w)  # hard case: the rest goes along the top vector
        top = max(size, key=lambda k: eigenvalues[k])
        w[top] = mpmath.sqrt(w[top] ** 2 + max(lacking, 0)) * (1 if c[top] >= 0 else -1)
        return float(mpmath.norm(s + j * (vectors * mpmath.matrix(w))))


# ---------------------------------------------------------------- attained suprema


def outputs(case: Case, w: np.ndarray) -> np.ndarray:
    """a_i(w) at the rows of w (P, p): (n, d, P), straight from the softmax of the uncentred logits."""
    scores = np.einsum("ntp,kp->ntk", case.keys, w) + case.bias[None, :, None]
    alpha = np.exp(scores - scores.max(axis=1, keepdims=True))
    alpha /= alpha.sum(axis=1, keepdims=True)
    return np.einsum("ntk,ntd->ndk", alpha, case.values)


def ball_grid(dim: int, radius: float, fineness: int = 24) -> np.ndarray:
    """Points of the ball: spheres (Fibonacci in dimension 3) at `fineness`/2 radii, denser near the surface."""
    if dim == 1:
        return np.linspace(-radius, radius, 16 * fineness + 1)[:, None]
    radii = radius * np.sqrt(np.linspace(0, 1, fineness // 2 + 1))
    if dim == 2:
        angle = np.arange(4 * fineness) * (np.pi / (2 * fineness))
        sphere = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    elif dim == 3:
        k = np.arange(fineness**2) + 0.5
        height, angle = 1 - 2 * k / fineness**2, np.pi * (1 + math.sqrt(5)) * k
        across = np.sqrt(1 - height**2)
        sphere = np.stack([across * np.cos(angle), across * np.sin(angle), height], axis=1)
    else:
        raise ValueError(f"a grid needs 1 <= dim <= 3, got {dim}: embed the case with `embedded`")
    return np.concatenate([r * sphere for r in radii])


def attained(case: Case, signs: np.ndarray, radius: float, fineness: int = 24) -> np.ndarray:
    """max over the grid of |sum_i eps_i a_i(w)| for every row of signs, then one finer grid around each winner."""
    grid = ball_grid(case.keys.shape[2], radius, fineness)
    a = outputs(case, grid)
    field = np.linalg.norm(np.tensordot(signs, a, axes=(1, 0)), axis=1)
    best, where = field.max(axis=1), field.argmax(axis=1)
    local = ball_grid(case.keys.shape[2], 3 * radius / fineness, 8)
    for row, sign in enumerate(signs):
        w = grid[where[row]] + local
        w *= np.minimum(1, radius / np.maximum(np.linalg.norm(w, axis=1, keepdims=True), 1e-300))
        best[row] = max(best[row], np.linalg.norm(np.tensordot(sign, outputs(case, w), axes=(0, 0)), axis=0).max())
    return best


def expected_truth(case: Case, radius: float, fineness: int = 24) -> float:
    """E max_w |sum_i eps_i a_i(w)| over all sign classes from below (g is even, so classes with eps_1 = 1 suffice)."""
    return float(np.mean(attained(case, sign_classes(len(case.keys)), radius, fineness)))


# ---------------------------------------------------------------- families


def _generic(rng: np.random.Generator, n: int, T: int, d: int, p: int) -> Case:
    return Case(rng.standard_normal((n, T, p)), rng.standard_normal((n, T, d)), rng.standard_normal(T))


def _clusters(rng: np.random.Generator, n: int, T: int, d: int, p: int) -> Case:
    case, owner = _generic(rng, n, T, d, p), rng.integers(2, size=(n, T, 1))
    centres = rng.standard_normal((2, p))
    keys = np.where(owner == 0, centres[0], centres[1]) + 0.05 * case.keys
    return Case(keys, np.where(owner == 0, 1.0, -1.0) + 0.05 * case.values, 0.3 * case.bias)


def _far_token(rng: np.random.Generator, n: int, T: int, d: int, p: int) -> Case:
    keys, values, _ = _generic(rng, n, T, d, p)
    keys, values = 0.1 * keys, 0.1 * values
    keys[:, 0], values[:, 0] = rng.standard_normal(p) * 2, rng.standard_normal((n, d))
    return Case(keys, values, np.where(np.arange(T) == 0, -rng.uniform(0, 4), 0.0))


def _collinear(rng: np.random.Generator, n: int, T: int, d: int, p: int) -> Case:
    keys, _, bias = _generic(rng, n, T, d, p)
    return Case(keys[:, :, :1] * rng.standard_normal(p), keys[:, :, :1] * rng.standard_normal(d), bias)


def _opposite_pairs(rng: np.random.Generator, n: int, T: int, d: int, p: int) -> Case:
    keys, values, _ = _generic(rng, n, T, d, p)
    half = T // 2
    keys[:, half : 2 * half], values[:, half : 2 * half] = -keys[:, :half], -values[:, :half]
    return Case(keys, values, np.zeros(T))


def _identical(rng: np.random.Generator, n: int, T: int, d: int, p: int) -> Case:
    keys, values, bias = _generic(rng, n, T, d, p)
    return Case(np.repeat(keys[:1], n, axis=0), np.repeat(values[:1], n, axis=0), bias)


def _tiny_values(rng: np.random.Generator, n: int, T: int, d: int, p: int) -> Case:
    keys, values, bias = _generic(rng, n, T, d, p)
    return Case(keys, values * np.where(rng.random((n, T, 1)) < 0.7, 1e-9, 1.0), bias)


def _common_mean(rng: np.random.Generator, n: int, T: int, d: int, p: int) -> Case:
    keys, values, bias = _generic(rng, n, T, d, p)
    return Case(keys + 10 * rng.standard_normal(p), values + 10 * rng.standard_normal(d), bias)


def _orthonormal(rng: np.random.Generator, n: int, T: int, d: int, p: int) -> Case:
    case, size = _generic(rng, n, T, d, p), max(T, p)
    turns = np.stack([np.linalg.qr(rng.standard_normal((size, size)))[0][:T, :p] for _ in range(n)])
    return Case(turns, case.values, np.zeros(T))


def _heavy_bias(rng: np.random.Generator, n: int, T: int, d: int, p: int) -> Case:
    keys, values, _ = _generic(rng, n, T, d, p)
    return Case(keys, values, -rng.choice([0.5, 1.0, 3.0]) * np.arange(T)[::-1])


def _rare_pair(rng: np.random.Generator, n: int, T: int, d: int, p: int) -> Case:
    """Two opposite clusters of mass q and 1 - q, the same in all samples: every term of the series has one sign."""
    direction, q = rng.standard_normal(p), rng.uniform(0.05, 0.45)
    side = np.where(np.arange(T) == 0, 1.0, 0.0)[None, :, None] * rng.uniform(0.8, 1.2, (n, 1, 1))
    bias = np.where(np.arange(T) == 0, math.log(q), math.log((1 - q) / (T - 1)))
    return Case(side * direction, side * rng.standard_normal(d), bias)


FAMILIES = {
    "generic": _generic,
    "clusters": _clusters,
    "far_token": _far_token,
    "collinear": _collinear,
    "opposite_pairs": _opposite_pairs,
    "identical": _identical,
    "tiny_values": _tiny_values,
    "common_mean": _common_mean,
    "orthonormal": _orthonormal,
    "heavy_bias": _heavy_bias,
    "rare_pair": _rare_pair,
}


def family(name: str, seed: int, n: int = 3, T: int = 4, d: int = 2, p: int = 2) -> Case:
    """The named family at a seed; keys have norm of order one except where the family says otherwise."""
    return FAMILIES[name](np.random.default_rng([seed, n, T, d, p]), n, T, d, p)


def embedded(case: Case, dim: int, seed: int) -> Case:
    """The case with its keys mapped isometrically into R^dim: w acts through its projection, so the truth is equal."""
    frame = np.linalg.qr(np.random.default_rng(seed).standard_normal((dim, case.keys.shape[2])))[0]
    return case._replace(keys=case.keys @ frame.T)


def bilinear(
    seed: int, n: int = 4, T: int = 4, d: int = 2, e: int = 2, r: int = 1
) -> tuple[np.ndarray, np.ndarray, Case]:
    """(factors (n, r), keys (n, T, e), case with the materialised keys factors_i (x) keys_ij of length r e)."""
    rng = np.random.default_rng([seed, n, T, d, e, r])
    factors, keys = rng.standard_normal((n, r)), rng.standard_normal((n, T, e)) / math.sqrt(e)
    effective = np.einsum("nr,nte->ntre", factors, keys).reshape(n, T, r * e)
    return factors, keys, Case(effective, rng.standard_normal((n, T, d)), 0.5 * rng.standard_normal(T))


# ---------------------------------------------------------------- switchboard


def switchboard(n: int, reach: float, rest: float, lift: float = 1.0) -> Case:
    """A head whose numerators are equal in all samples and whose normalisers have one private switch each.

    Tokens +-lift e_0 carry values +-1 with mass (1 - rest)/2 each, tokens +-reach e_i the value 0 with mass rest/2
    each; d = 1, p = n + 1. N_i = (1 - rest) sinh(lift w_0) for all i, Z_i = (1 - rest) cosh(lift w_0) + rest
    cosh(reach w_i): raising w_i removes sample i, so sums do not cancel. A bound that ignores Z falls here.
    """
    keys, values = np.zeros((n, 4, n + 1)), np.zeros((n, 4, 1))
    keys[:, 0, 0], keys[:, 1, 0] = lift, -lift
    keys[np.arange(n), 2, 1 + np.arange(n)], keys[np.arange(n), 3, 1 + np.arange(n)] = reach, -reach
    values[:, 0], values[:, 1] = 1.0, -1.0
    bias = np.log(np.repeat([(1 - rest) / 2, rest / 2], 2))
    return Case(keys, values, bias)


def switchboard_classes(n: int) -> tuple[np.ndarray, np.ndarray]:
    """One sign vector per number of minus signs 0..n and its probability: samples are exchangeable."""
    signs = np.where(np.arange(n)[None] < np.arange(n + 1)[:, None], -1.0, 1.0)
    return signs, np.array([math.comb(n, k) for k in range(n + 1)]) / 2**n


def switchboard_truth(case: Case, radius: float, angles: int = 64) -> float:
    """E over all 2^n signs of an attained value: silence the samples of the smaller sign class, w_i equal on it."""
    n = len(case.keys)
    signs, probability = switchboard_classes(n)
    total = 0.0
    for sign, weight in zip(signs, probability, strict=True):
        silent = sign < 0 if np.sum(sign < 0) <= n / 2 else sign > 0
        phi = np.linspace(0, math.pi / 2, angles)[:, None]
        w = np.concatenate([np.cos(phi), np.sin(phi) * silent / math.sqrt(max(silent.sum(), 1))], axis=1) * radius
        total += weight * np.abs(np.tensordot(sign, outputs(case, w), axes=(0, 0))).max()
    return float(total)


def all_signs(n: int) -> np.ndarray:
    """All 2^n sign vectors."""
    return np.array(list(itertools.product((1.0, -1.0), repeat=n)))
