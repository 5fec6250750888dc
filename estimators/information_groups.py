"""The upper end of I(P; Z): exact mixtures over groups of contents, their covariances, and how much content Z holds.

P is uniform on N positions, Z = H + sigma Z' at that position. Everything here is in units of sigma, in nats. For a
group g of M contents, independent of P, I(P; Z) <= E_g I(P; Z|g), and given g the law of Z at p is a mixture of M
Gaussians (`theory.information.group_conditional_upper`). Letters: G groups, M contents of one, d channels.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int
from scipy.special import xlogy

from estimators.gaussian_codes import ENTROPY_SPREAD
from estimators.posterior import ULP

Array = np.ndarray
ENTRIES = 1 << 20  # of one block of logits
POSITIONS = 64  # most positions asked in one group


class Values(NamedTuple):
    """Independent values of mean at least I(P; Z), a bound on their rounding errors, and a sub-Gaussian scale."""

    values: Float64[Array, " G"]
    rounding: float
    scale: float | None = None


def stratified(rng: np.random.Generator, count: int, positions: int, asked: int) -> Int[Array, "count asked"]:
    """floor((j + u_j) N/q), j = 0 .. q-1, u_j independent: a uniform entry of each row is uniform on 0 .. N-1."""
    starts = rng.random((count, asked)) + np.arange(asked)
    return np.minimum((starts * (positions / asked)).astype(np.int64), positions - 1)


def group_scale(size: int, positions: int, asked: int) -> float:
    """s with E exp(t (v - E v)) <= exp(t^2 s^2/2) for the value v of a random group: s^2 = M c^2/4 + (ln N)^2/(4 q).

    Given g, v is a mean of q independent numbers in [0, ln N] (Hoeffding). I_g = I(P; Z|g) moves by at most
    c = (ln N)/M + h(1/M) when one content is replaced (McDiarmid; `theory.information_flow.group_difference`).
    """
    ceiling = math.log(positions)
    entropy = math.log(size) / size - (1 - 1 / size) * math.log1p(-1 / size) if size > 1 else 0.0
    difference = min(ceiling / size + entropy, ceiling)
    return math.sqrt(size * difference**2 / 4 + ceiling**2 / (4 * asked))


def divergences(logits: Float64[Array, "*rows N"]) -> Float64[Array, "*rows"]:
    """KL(softmax | uniform) along the last axis, in [0, ln N]; -infinity gives weight 0."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    ratios = weights / weights.mean(axis=-1, keepdims=True)
    value = (xlogy(ratios, ratios) - (ratios - 1)).mean(axis=-1)
    return np.clip(value, 0.0, math.log(logits.shape[-1]))  # the exact value lies there: rounding only


def rounding_error(reach: float, dim: int, positions: int) -> float:
    """Of a divergence, from logits z.h - |h|^2/2 with |z|, |h| <= reach, each wrong by at most (d + 8) ulps of reach^2.

    d KL = sum_q post_q (ln post_q + H) d logit_q, and the standard deviation of ln post is at most ln(N-1)/2 + .6628.
    """
    if positions < 2:
        return 0.0
    return 2 * ULP * (dim + 8) * reach**2 * (math.log(positions - 1) / 2 + ENTROPY_SPREAD) + 1e-13


def log_means(
    points: Float64[Array, "*B q d"], atoms: Float64[Array, "*B K N d"], halves: Float64[Array, "*B K N"]
) -> Float64[Array, "*B q N"]:
    """ln mean_k exp(z.h_kp - |h_kp|^2/2) for every point z and position p; `halves` are |h|^2/2."""
    *lead, contents, positions, dim = atoms.shape
    flat = atoms.reshape(*lead, contents * positions, dim)
    logits = points @ flat.swapaxes(-1, -2)
    logits -= halves.reshape(*lead, 1, contents * positions)
    top = logits.max(axis=-1, keepdims=True)
    logits -= top
    np.exp(logits, out=logits)
    means = logits.reshape(*lead, -1, contents, positions).mean(axis=-2)
    with np.errstate(divide="ignore"):  # a position far from z has weight 0
        return np.log(means) + top


def group_values(groups: Float64[Array, "G M N d"], rng: np.random.Generator) -> Values:
    """ln N - H(P|z, g), averaged over one z from a uniform member at each of up to 64 spread positions of a group."""
    count, size, positions, dim = groups.shape
    asked = min(positions, POSITIONS)
    values = np.empty(count)
    rows = max(1, ENTRIES // (asked * size * positions))
    centre = groups[0].mean(axis=(0, 1))  # of one group: smaller logits, the same posteriors
    reach = 0.0
    for start in range(0, count, rows):
        part = groups[start : start + rows] - centre
        index = np.arange(len(part))[:, None]
        at = stratified(rng, len(part), positions, asked)
        member = rng.integers(size, size=at.shape)
        points = part[index, member, at] + rng.standard_normal((*at.shape, dim))
        squares = np.einsum("gmnd,gmnd->gmn", part, part)
        reach = max(reach, float(squares.max()), float(np.einsum("gqd,gqd->gq", points, points).max()))
        found = divergences(log_means(points, part, squares / 2))
        values[start : start + rows] = found.mean(axis=-1)
    return Values(values, rounding_error(math.sqrt(reach), dim, positions), group_scale(size, positions, asked))


def cap_values(groups: Float64[Array, "G M N d"]) -> Values:
    """(1/2) ln det(I + C_g), C_g the covariance of all members and positions: at least I(P; Z|g), without any draw."""
    count, size, positions, dim = groups.shape
    values, largest = np.empty(count), 0.0
    for index in range(count):
        flat = groups[index].reshape(size * positions, dim)
        flat = flat - flat.mean(axis=0)
        smaller = flat.T @ flat if dim <= len(flat) else flat @ flat.T
        logarithm = np.linalg.slogdet(np.eye(len(smaller)) + smaller / (size * positions))[1]
        values[index] = logarithm / 2
        largest = max(largest, float(np.trace(smaller)) / (size * positions))
    return Values(np.maximum(values, 0.0), 20 * ULP * dim * (1 + largest))


def content_information(pool: Float64[Array, "K N d"], rng: np.random.Generator, *, asked: int = 4) -> float:
    """I(X; Z|P) from K contents: mean of ln p(z|x, p) - ln mean_k p(z|x_k, p), `asked` points for each position.

    A point estimate. Its expectation is at most ln K and at most I(X; Z|P): near ln K it only says "at least".
    """
    contents, positions, dim = pool.shape
    pool = pool - pool.mean(axis=(0, 1))
    total = 0.0
    for at in range(positions):
        atoms = pool[:, at]
        member = rng.integers(contents, size=asked)
        points = atoms[member] + rng.standard_normal((asked, dim))
        logits = points @ atoms.T - np.einsum("kd,kd->k", atoms, atoms) / 2
        own = logits[np.arange(asked), member]
        total += float((own - log_mean_exp(logits)).sum())
    return max(total / (positions * asked), 0.0)


def log_mean_exp(logits: Float64[Array, "*rows K"]) -> Float64[Array, "*rows"]:
    """ln mean exp along the last axis."""
    top = logits.max(axis=-1)
    return top + np.log(np.exp(logits - top[..., None]).mean(axis=-1))
