"""Semigroup PAC-Bayes (U11): a deterministic certificate for one attention head at any logit radius.

For |u| <= 1, |w| <= B and a_i(w) = sum_j softmax_j(<w, k_ij> + b_j) v_ij (`estimators.supremum.centred`), P_s the
average over w + s g, g standard normal in R^p, and Delta a = E_alpha (v - E v)|k - E k|^2 the Laplacian of a in w:

  Lemma (Donsker-Varadhan). E_eps sup_Q int sum_i eps_i h_i dQ <= sqrt(2 K V), K = sup_Q KL(Q | P), V = sup_Q int sum_i
  h_i^2 dQ, for any measurable h_i and family of laws Q. Proof: for l > 0 and every Q, int (l sum eps_i h_i - l^2 sum
  h_i^2/2) dQ <= KL(Q | P) + ln int exp(same) dP, and E_eps of the last integral is at most 1 (cosh x <= e^(x^2/2)), so
  by Jensen E_eps sup_Q int sum eps_i h_i dQ <= K/l + l V/2. Take l = sqrt(2 K/V).
  Q = N(w, s^2 I) x N(u, c^2 I), P = N(0, (s^2 + B^2/p) I) x N(0, (c^2 + 1/d) I):
  K = K(s, c) = p ln(1 + B^2/(p s^2))/2 + d ln(1 + 1/(d c^2))/2.
  Theorem. E_eps sup_(u,w) |sum_i eps_i <u, a_i(w)>| <= E|sum eps_i c_i| + min_c sqrt(2 K(s, c) (V + c^2 V'))
           + int_0^(s^2) min{min_c sqrt(2 K(sqrt r, c) (H + c^2 H')), A} dr / 2
  for every s > 0 and offsets c_i, where V >= sum_i E <u, a_i(w + s g) - c_i>^2, V' >= sum_i E |a_i - c_i|^2, H, H' are
  the same for Delta a at scale sqrt r, and A >= sum_i |Delta a_i|. Proof: d/dr P_sqrt(r) = Delta/2 P_sqrt(r), so a =
  P_s a - int_0^(s^2) P_sqrt(r) Delta a dr/2; the supremum of a sum is at most the sum of suprema; u is linear, so its
  Gaussian average is exact and E <u + c g, x>^2 = <u, x>^2 + c^2 |x|^2; the Lemma for P_s a and for every r.
Derived in this project. No sampling, no dimension-free union bound, no limit on B: it grows like sqrt(ln B).
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from math import comb, sqrt
from typing import NamedTuple

import numpy as np

from estimators.supremum.centred import Centred
from estimators.supremum.semigroup_joint import LARGEST_PAIR, Tokens, joint_variance, sort_tokens
from estimators.supremum.semigroup_variances import (
    LARGEST_CUBE,
    distance_variances,
    largest_mean,
    logit_distances,
    squared_diameters,
    weak_variance,
    weight_caps,
)

RELATIVE = 1e-9
READOUT_SCALES = np.geomspace(0.05, 50.0, 61)
LARGEST_SCALE = 8.0
CELLS = 22
CELLS_PER_OCTAVE = 2
SUBCELLS = 16
POLISHED = 3
HOPELESS = 1.15
CUBE_WORK = 2e10


@dataclass(frozen=True)
class Semigroup:
    """What the certificate consists of, in the units of sum_i a_i: value = offset + smooth + integral, or `trivial`.

    value: the certified bound. trivial: sum_i max_j |v_ij|. tau: the smoothing scale s. offset, smooth, integral: the
    three terms of the theorem. weak, laplacian: V at s and H on the outermost cell of the integral. centring: the c_i.
    """

    value: float
    trivial: float
    tau: float
    offset: float
    smooth: float
    integral: float
    weak: float
    laplacian: float
    centring: str


def semigroup(head: Centred, radius: float, *, tau: float | None = None) -> float:
    """Upper bound of E_eps sup_(|u|<=1,|w|<=radius) |sum_i eps_i <u, a_i(w)>|; `tau` fixes the smoothing scale."""
    return semigroup_parts(head, radius, tau=tau).value


def semigroup_parts(head: Centred, radius: float, *, tau: float | None = None) -> Semigroup:
    """The certificate and its parts. Raises ValueError unless radius is finite and >= 0 and tau finite and > 0."""
    if not (np.isfinite(radius) and radius >= 0):
        raise ValueError(f"radius bounds the norm of the query, got {radius}: use a finite number of at least 0")
    if tau is not None and not (np.isfinite(tau) and tau > 0):
        raise ValueError(f"tau is a smoothing scale, got {tau}: use a finite number above 0, or leave it out")
    raw = head.values + head.outputs[:, None]
    trivial = float(np.linalg.norm(raw, axis=2).max(axis=1).sum()) * (1 + RELATIVE)
    largest = float(head.key_norms.max())
    if radius * largest == 0:
        still = min(trivial, sqrt(float(np.sum(head.outputs**2))) * (1 + RELATIVE))
        return Semigroup(still, trivial, 0.0, still, 0.0, 0.0, 0.0, 0.0, "outputs")
    scale = float(np.linalg.norm(head.factors, axis=1).max())
    scaled = head._replace(keys=head.keys * (scale / largest), factors=head.factors / scale)
    found = _best(scaled, radius * largest, None if tau is None else tau * largest, trivial)
    return replace(found, value=min(found.value, trivial), trivial=trivial, tau=found.tau / largest)


@dataclass(frozen=True)
class _Geometry:
    """What every scale needs, for keys of norm at most 1. third: bounds of |Delta a_i|; gains: G_i; distances: the
    vectors of length `reach`, where `joint_variance` is affordable."""

    reach: np.ndarray
    distances: np.ndarray | None
    odds: np.ndarray
    gains: np.ndarray
    third: np.ndarray
    dim: int


def _geometry(head: Centred) -> _Geometry:
    gains = distance_variances(head.factors, head.keys, squared_diameters(head.keys))
    third = np.sqrt(squared_diameters(head.values) * gains) / 2  # |Cov(y, s)| <= sd(y) sd(s), sd(y) <= D_v/2
    n, length, _ = head.keys.shape
    distances, odds = logit_distances(head.keys, head.weights)
    reach = np.linalg.norm(head.factors, axis=1)[:, None] * np.linalg.norm(distances, axis=2) * (1 + 1e-12)
    full = None
    if head.logit_dim * head.values.shape[2] <= LARGEST_PAIR:
        full = np.einsum("nr,nte->ntre", head.factors, distances).reshape(n, length, -1)
    # w acts through the span of the keys, and centred keys of one sample span T - 1 dimensions.
    return _Geometry(reach, full, odds, gains, third * (1 + 1e-11), min(head.logit_dim, n * max(length - 1, 1)))


class _Spread(NamedTuple):
    """Values v_ij - c_i, the weight of each sample in the sum of squares, and the tokens for `joint_variance`."""

    values: np.ndarray
    gains: np.ndarray
    tokens: Tokens | None


def _spread(geometry: _Geometry, values, gains) -> _Spread:
    full = geometry.distances
    return _Spread(values, gains, None if full is None else sort_tokens(full, values, geometry.odds, gains))


def _offsets(head: Centred):
    """(name, v_ij - c_i, bound of E|sum_i eps_i c_i|) for c_i = 0, the mean of a_i(0), and a_i(0)."""
    n = len(head.values)
    mean = head.outputs.mean(axis=0)
    flips = n * comb(n - 1, (n - 1) // 2) / 2 ** (n - 1)  # E|sum eps_i|
    raw = head.values + head.outputs[:, None]
    common = flips * float(np.linalg.norm(mean))
    yield "none", raw, 0.0
    yield "common", raw - mean, common * (1 + 1e-11)
    rest = sqrt(float(np.sum((head.outputs - mean) ** 2)))
    yield "outputs", head.values, min(sqrt(float(np.sum(head.outputs**2))), common + rest) * (1 + 1e-11)


def _entropy(geometry: _Geometry, radius: float, square) -> np.ndarray:
    """p ln(1 + B^2/(p s^2))/2 for s^2 = `square` > 0."""
    return np.asarray(geometry.dim / 2 * np.log1p(radius**2 / (geometry.dim * square)))


def _pac(entropy, weak: float, total: float, dim: int) -> np.ndarray:
    """min over the grid of c^2 = t/d of sqrt(2 (entropy + d ln(1 + 1/t)/2)(weak + t total/d)): shape of `entropy`."""
    cost = np.asarray(entropy)[..., None] + dim / 2 * np.log1p(1 / READOUT_SCALES)
    return np.asarray(np.sqrt(2 * np.min(cost * (weak + READOUT_SCALES * total / dim), axis=-1)))


def _best(head: Centred, radius: float, tau: float | None, useful: float = np.inf) -> Semigroup:
    """The least certificate over offsets and scales, searched while it may go below `useful`; keys have norm <= 1."""
    geometry = _geometry(head)
    scales = (LARGEST_SCALE if tau is None else tau) * 2.0 ** (-np.arange(CELLS, -1, -1) / CELLS_PER_OCTAVE)
    options = {
        name: (_spread(geometry, values, np.ones(len(values))), offset) for name, values, offset in _offsets(head)
    }
    curved = _least_spread(geometry, [spread.values for spread, _ in options.values()], radius)
    best = Semigroup(np.inf, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, "")
    steps = [float(geometry.third.sum()) * float(scales[0]) ** 2 / 2]
    alive = list(options)
    for low, high in pairwise(scales):
        if sum(steps) >= min(best.value, useful) and best.centring:
            break
        laplacian, step = _cell(geometry, curved, radius, low, high)
        steps.append(step)
        if tau is not None and high < tau:
            continue
        values = {}
        for name in alive:
            spread, offset = options[name]
            weak, smooth = _smooth(geometry, spread, radius, high)
            values[name] = value = (offset + smooth + sum(steps)) * (1 + RELATIVE)
            if value < best.value:
                best = Semigroup(value, 0.0, float(high), offset, smooth, sum(steps), weak, laplacian, name)
        alive = [name for name in alive if values[name] <= HOPELESS * min(values.values())]
    if best.value > HOPELESS * useful:
        return best
    return _polish(geometry, options[best.centring], curved, radius, scales, steps, best)


def _polish(geometry: _Geometry, option, curved, radius: float, scales, steps, best: Semigroup) -> Semigroup:
    """Sixth moments, which cost the most, for the terms that weigh the most at the scale found."""
    spread, offset = option
    dim = spread.values.shape[2]
    cube = dim * (dim + 1) * (dim + 2) // 6
    if cube > LARGEST_CUBE or spread.values[..., 0].size * cube**2 > CUBE_WORK:
        return best
    last = int(np.argmin(np.abs(scales - best.tau)))
    steps = steps[: last + 1]
    laplacian = best.laplacian
    for cell in range(last, max(last - POLISHED, 0), -1):
        found, step = _cell(geometry, curved, radius, scales[cell - 1], scales[cell], cubes=True)
        steps[cell] = min(steps[cell], step)
        laplacian = found if cell == last else laplacian
    weak, smooth = _smooth(geometry, spread, radius, best.tau, cubes=True)
    integral = sum(steps)
    value = (offset + smooth + integral) * (1 + RELATIVE)
    return replace(best, value=value, smooth=smooth, integral=integral, weak=weak, laplacian=laplacian)


def _moments(geometry: _Geometry, spread: _Spread, radius: float, low: float, high: float, cubes: bool):
    """Upper bounds of sum_i gains_i E alpha <u, v>^2 for the worst u and w, and of sum_i gains_i E alpha |v|^2."""
    values, gains, tokens = spread
    caps = weight_caps(geometry.reach, geometry.odds, radius, low, high)
    total = float(np.sum(gains * largest_mean(np.sum(values**2, axis=2), caps)))
    weak = weak_variance(values, caps, gains, cubes=cubes)
    return weak if tokens is None else min(weak, joint_variance(tokens, radius, low, high)), total


def _smooth(geometry: _Geometry, spread: _Spread, radius: float, scale: float, cubes: bool = False):
    """V and the term of P_s a."""
    weak, total = _moments(geometry, spread, radius, scale, scale, cubes)
    return weak, float(_pac(_entropy(geometry, radius, scale**2), weak, total, spread.values.shape[2]))


def _least_spread(geometry: _Geometry, options, radius: float) -> _Spread:
    """The centring with the least H at a middling scale: Var_alpha <u, v> is that of v - c for every c."""
    spreads = [_spread(geometry, values, geometry.gains) for values in options]
    return min(spreads, key=lambda spread: _moments(geometry, spread, radius, 0.5, 0.5, False)[0])


def _cell(geometry: _Geometry, spread: _Spread, radius: float, low: float, high: float, cubes: bool = False):
    """H and an upper bound of the integral of the theorem over low^2 <= r <= high^2: K decreases in r."""
    weak, total = _moments(geometry, spread, radius, low, high, cubes)
    edges = np.linspace(low**2, high**2, SUBCELLS + 1)
    entropy = _entropy(geometry, radius, edges[:-1])
    bound = _pac(entropy, weak, min(total, float(np.sum(geometry.third**2))), spread.values.shape[2])
    return weak, float(np.sum(np.diff(edges) * np.minimum(bound, geometry.third.sum()))) / 2
