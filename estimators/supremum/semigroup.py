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
from math import sqrt

import numpy as np

from estimators.supremum.centred import Centred
from estimators.supremum.semigroup_flow import (
    LARGEST_SCALE,
    RELATIVE,
    Flow,
    Geometry,
    Spread,
    entropy,
    flow_cell,
    moments,
    offsets,
    pac,
    spread_of,
    unit_keys,
)
from estimators.supremum.semigroup_variances import LARGEST_CUBE

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


def semigroup(head: Centred, radius: float, *, tau: float | None = None, flow: Flow | None = None) -> float:
    """Upper bound of E_eps sup_(|u|<=1,|w|<=radius) |sum_i eps_i <u, a_i(w)>|; `tau` fixes the smoothing scale, `flow`
    is `semigroup_flow.head_flow` if it was made before."""
    return semigroup_parts(head, radius, tau=tau, flow=flow).value


def semigroup_parts(head: Centred, radius: float, *, tau: float | None = None, flow: Flow | None = None) -> Semigroup:
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
    scaled, largest = unit_keys(head)
    if flow is None or tau is not None:
        flow = Flow(scaled, radius * largest, LARGEST_SCALE if tau is None else tau * largest)
    found = _best(scaled, flow, None if tau is None else tau * largest, trivial)
    return replace(found, value=min(found.value, trivial), trivial=trivial, tau=found.tau / largest)


def _best(head: Centred, flow: Flow, tau: float | None, useful: float = np.inf) -> Semigroup:
    """The least certificate over offsets and scales, searched while it may go below `useful`; keys have norm <= 1."""
    geometry, radius, scales, curved = flow.geometry, flow.radius, flow.scales, flow.curved
    options = {
        name: (spread_of(geometry, values, np.ones(len(values))), offset) for name, values, offset in offsets(head)
    }
    best = Semigroup(np.inf, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, "")
    steps = [flow.start]
    alive = list(options)
    for index, high in enumerate(scales[1:]):
        if sum(steps) >= min(best.value, useful) and best.centring:
            break
        laplacian, step = flow.cell(index)
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


def _polish(geometry: Geometry, option, curved, radius: float, scales, steps, best: Semigroup) -> Semigroup:
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
        found, step = flow_cell(geometry, curved, radius, scales[cell - 1], scales[cell], cubes=True)
        steps[cell] = min(steps[cell], step)
        laplacian = found if cell == last else laplacian
    weak, smooth = _smooth(geometry, spread, radius, best.tau, cubes=True)
    integral = sum(steps)
    value = (offset + smooth + integral) * (1 + RELATIVE)
    return replace(best, value=value, smooth=smooth, integral=integral, weak=weak, laplacian=laplacian)


def _smooth(geometry: Geometry, spread: Spread, radius: float, scale: float, cubes: bool = False):
    """V and the term of P_s a."""
    weak, total = moments(geometry, spread, radius, scale, scale, cubes)
    return weak, float(pac(entropy(geometry, radius, scale**2), weak, total, spread.values.shape[2]))
