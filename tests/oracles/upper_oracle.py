"""Rigorous upper bound of the query supremum by branch and bound on squares: partner of query_oracle."""

import math

import numpy as np
from query_oracle import _prepare, oracle_supremum


def _value_and_slope(keys, values, bias, signs, w):
    """S = sum_i eps_i a_i at each w (P, 2): |S|, |J^T S| and |J|_F, J = sum_i eps_i Cov_i(v, k)."""
    scores = np.transpose(keys, (1, 0, 2)) @ w.T + np.broadcast_to(bias, keys.shape[:2]).T[:, :, None]
    p = np.exp(scores - scores.max(axis=0))
    p /= p.sum(axis=0)

    def average(z):  # z (n, T) -> (n, P)
        return (p * z.T[:, :, None]).sum(axis=0)

    mean_k = [average(keys[:, :, e]) for e in range(2)]
    mean_v = [average(values[:, :, c]) for c in range(values.shape[2])]
    S = np.stack([(signs.T * m).sum(axis=0) for m in mean_v])
    J = np.stack([np.stack([(signs.T * (average(keys[:, :, e] * values[:, :, c]) - mean_k[e] * m)).sum(axis=0)
                            for e in range(2)]) for c, m in enumerate(mean_v)])  # fmt: skip
    pull = np.sqrt(((S[:, None] * J).sum(axis=0) ** 2).sum(axis=0))
    return np.sqrt((S**2).sum(axis=0)), pull, np.sqrt((J**2).sum(axis=(0, 1)))


def oracle_supremum_upper(keys, values, bias, signs, B_w, B_u=1.0, readout="l2", *, lower=None, n_grid=16,
                          levels=18, budget=200_000, tolerance=1e-6):  # fmt: skip
    """Upper bound of g(eps) for every row of signs, rigorous up to double rounding.

    Squares of half diagonal rho cover the disc. In each, |S| is at most the smaller of
        |S(c)| + L rho                                                L = sum_i D_v,i D_k,i / 4
        sqrt(|S(c)|^2 + 2 rho |J^T S| + rho^2 |J|_F^2) + M rho^2 / 2  M = sum_i D_v,i D_k,i^2 / 4
    and sum_i max_j |v_ij|. D are the diameters of the tokens per sample: Da[u] = Cov(v, k.u) has norm at most
    D_v D_k / 4 and D2a[u, u] = Cov(v, (k.u - mean)^2) at most D_v D_k^2 / 4 for unit u (Popoviciu).
    Squares that cannot beat `lower` (feasible values, by default oracle_supremum) by `tolerance` relative
    are dropped (the result is never below lower (1 + tolerance)) and the others cut in four, at most `levels`
    times or until a batch of 16 sign vectors has more than `budget` (sign, square) pairs.
    """
    signs = np.atleast_2d(np.asarray(signs, dtype=np.float64))
    if lower is None:
        lower = oracle_supremum(keys, values, bias, signs, B_w, B_u, readout)
    lower, (keys, parts, bias) = np.asarray(lower, dtype=float), _prepare(keys, values, bias, readout)
    out = lower * (1 + tolerance)
    for part in parts:
        for s in range(0, len(signs), 16):
            batch = slice(s, s + 16)
            floor = out[batch] * len(keys) / B_u
            bound = _bound(keys, part, bias, signs[batch], B_w, floor, n_grid, levels, budget)
            out[batch] = np.maximum(out[batch], bound * B_u / len(keys))
    return out


def _diameter(z):
    """Largest distance between two tokens of each sample: z (n, T, d) -> (n,)."""
    return np.linalg.norm(z[:, :, None] - z[:, None], axis=-1).max(axis=(1, 2))


def _bound(keys, values, bias, signs, B_w, floor, n_grid, levels, budget):
    """max(floor, upper bound of max_w |sum_i eps_i a_i(w)|_2) for one batch of sign vectors."""
    D_k, D_v = _diameter(keys), _diameter(values)
    trivial = np.linalg.norm(values, axis=-1).max(axis=1).sum()
    L, M = (D_v * D_k).sum() / 4, (D_v * D_k**2).sum() / 4
    half = B_w / n_grid
    line = -B_w + half * (2 * np.arange(n_grid) + 1)
    centre = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    owner, centre = np.repeat(np.arange(len(signs)), len(centre)), np.tile(centre, (len(signs), 1))
    result = np.array(floor)
    for level in range(levels + 1):
        touches = np.hypot(*np.maximum(np.abs(centre) - half, 0).T) <= B_w * (1 + 1e-12)
        owner, centre = owner[touches], centre[touches]
        rho, bound = half * math.sqrt(2), np.empty(len(owner))
        for s in range(0, len(owner), 8000):
            cut = slice(s, s + 8000)
            size, pull, norm = _value_and_slope(keys, values, bias, signs[owner[cut]], centre[cut])
            second = np.sqrt(size**2 + 2 * rho * pull + (rho * norm) ** 2) + M * rho**2 / 2
            bound[cut] = np.minimum(np.minimum(size + L * rho, second), trivial)
        keep = bound > floor[owner]
        owner, centre, bound = owner[keep], centre[keep], bound[keep]
        if level == levels or 4 * len(owner) > budget or not len(owner):
            break
        half /= 2
        corners = half * np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)])
        owner, centre = np.repeat(owner, 4), (centre[:, None] + corners).reshape(-1, 2)
    np.maximum.at(result, owner, bound)
    return result
