"""Certificates U9, U10 and U14 for one attention head at any dimension, and the choice between them.

Setting of `estimators.supremum.centred`; bounds are for E sup sum_i eps_i <u, a_i(w)>, |u| <= 1, |w| <= B (not divided
by n; the l1 read-out ball lies in the l2 ball). S_0 = sum eps_i a_i(0), J = sum eps_i Cov_pi(v_i, z_i).

**U9, Taylor-Bombieri.** E max |S_0 + J w| + sum_{q=2}^{Q} B^q E||sum eps_i a_{i,q}|| + remainder(B, Q), Q = 1, 2, 3.
*Proof.* a_i(w) = a_i(0) + sum_q a_{i,q}(w); |<u, P(w)>| <= B^q ||P|| for order q; above Q the injective norm is at most
the Frobenius norm, and E |sum eps_i a_{i,q}|_F <= (sum |a_{i,q}|_F^2)^(1/2). Needs a convergent majorant
(`estimators.supremum.series`), else it says infinity and steps aside.

**U10, division-free contraction.** With theta in [0, 1], m in {1, 2}, kappa_i = kappa* D_i (`theory.normaliser`), Zmax
>= max_(i,w) Z_i(w) (`largest_normalisers`), rho = max(1 - theta, theta - 1/Zmax):
  E max |S_0 + theta J w| + theta [m = 2] B^2 E||sum eps_i N_{i,2}||
    + sqrt(pi/2) [X_{>m}^(2/3) + (rho X_{<=m})^(2/3) + Y^(2/3)]^(3/2),   X_I = sum_{q in I} B^q x_q, Y = sum B^q y_q.
*Proof.* <u, a_i(w) - a_i(0)> = x/z with x = x_lo + x_hi = <u, N_i(w)>, z = Z_i(w). H = x/z - theta x_lo. For two
parameters with z >= z' (else exchange them): x/z - x'/z' = (x - x')/z + (x'/z')(z' - z)/z, 1/z in [1/Zmax, 1] and
|x'/z'|/z <= |x'/z'|/z' <= kappa_i, so |Delta H| <= |Delta x_hi| + rho |Delta x_lo| + kappa_i |Delta z|. Cauchy-Schwarz
with weights, Gaussian comparison (`theory.widths`), and the best weights give the last term. No radius of convergence.

**U14, semigroup of the remainder.** E max |S_0 + theta J w| + the semigroup certificate of what is left:
`estimators.supremum.semigroup_remainder`. Searched only where U9 and U10 lose much.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Float64

from estimators.supremum.box_bounds import diameters
from estimators.supremum.centred import Centred
from estimators.supremum.semigroup_flow import Flow, head_flow
from estimators.supremum.semigroup_remainder import remainder_semigroup
from estimators.supremum.series import ORDERS, Series, exponential_tail, series
from estimators.supremum.tensor_means import TensorMeans, tensor_means
from estimators.supremum.trust_region import Linear, linear_part, trust_region
from theory.normaliser import normalised_variation

THETAS = tuple(float(theta) for theta in np.linspace(0.0, 1.0, 11))
UP = 1 + 1e-9
LITTLE = 0.5  # of the pilot mean: where U9 or U10 lose less than this, U11 and U14 lose more


@dataclass(frozen=True)
class Option:
    """One certificate: E max |S_0 + slope J w| + excess."""

    name: str
    slope: float
    excess: float


@dataclass(frozen=True)
class Portfolio:
    """U9 and U10 of one head. What does not depend on the radius is computed once.

    At most `draws` coefficient vectors for each tensor norm; `failure` is the probability that one of those norms is
    too
    small, and 0 means that no draws are used.
    """

    head: Centred
    draws: int = 2048
    failure: float = 0.001
    seed: int = 0
    flows: dict[float, Flow | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def linear(self) -> Linear:
        return linear_part(self.head)

    @cached_property
    def series(self) -> Series:
        return series(self.head)

    @cached_property
    def kappa(self) -> Float64[np.ndarray, " n"]:
        return diameters(self.head.values) * float(normalised_variation()[1]) * UP

    @cached_property
    def means(self) -> TensorMeans:
        return tensor_means(self.head, self.series, self.kappa, draws=self.draws, failure=self.failure, seed=self.seed)

    def flow(self, radius: float) -> Flow | None:
        """The heat flow that U11 and U14 share."""
        if radius not in self.flows:
            self.flows.clear()
            self.flows[radius] = head_flow(self.head, radius)
        return self.flows[radius]

    def options(self, radius: float) -> list[Option]:
        """All certificates that apply at this radius: U9 inside its radius of convergence, U10 and U14 always."""
        return self.series_options(radius) + self._remainder(radius)

    def series_options(self, radius: float) -> list[Option]:
        """U9 and U10, from norms that are computed once for every radius."""
        return self._taylor(radius) + self._contraction(radius)

    def _remainder(self, radius: float) -> list[Option]:
        excesses = remainder_semigroup(self.head, radius, self.flow(radius))
        return [
            Option(f"U14-remainder-semigroup, theta = {theta:.2f}", theta, excess * UP)
            for theta, excess in excesses.items()
            if math.isfinite(excess)
        ]

    def _taylor(self, radius: float) -> list[Option]:
        found, excess = [], 0.0
        for last in (1, 2, 3):
            if last > 1:
                excess += radius**last * self.means.sign_quotients[last]
            total = (excess + self.series.remainder(radius, last)) * UP
            if math.isfinite(total):
                found.append(Option(f"U9-taylor-bombieri, Q = {last}", 1.0, total))
        return found

    def _contraction(self, radius: float) -> list[Option]:
        powers = radius ** np.arange(1, ORDERS + 1)
        values, normalisers = self.means.values * powers, self.means.normalisers * powers
        with np.errstate(over="ignore"):
            beyond_values = math.sqrt(float((self.series.tail(ORDERS, radius, values=True) ** 2).sum()))
            tail = self.kappa * self.series.tail(ORDERS, radius, values=False)
            spread = math.sqrt(float((tail**2).sum())) + float(normalisers[1:].sum())
            largest = float(largest_normalisers(self.head, radius).max())
        found = []
        for kept in (1, 2):
            low, high = float(values[:kept].sum()), float(values[kept:].sum()) + beyond_values
            for theta in THETAS:
                rho = max(1 - theta, theta - 1 / largest)
                compared = high ** (2 / 3) + (rho * low) ** (2 / 3) + spread ** (2 / 3)
                excess = math.sqrt(math.pi / 2) * compared**1.5
                excess += theta * radius**2 * self.means.sign_quotients[2] if kept == 2 else 0.0
                if math.isfinite(excess):
                    found.append(Option(f"U10-division-free, theta = {theta:.1f}, m = {kept}", theta, excess * UP))
        return found

    def choose(self, radius: float, pilot: Float64[np.ndarray, "k n"]) -> tuple[Option, float]:
        """The option that is least on pilot sign vectors, which must not be used for its evaluation, and the pilot mean
        of its first term. U14 is tried where the best of the others loses more than `LITTLE`."""
        chosen, typical = self._least(self.series_options(radius), radius, pilot)
        if chosen.excess <= LITTLE * typical:
            return chosen, typical
        return self._least([chosen, *self._remainder(radius)], radius, pilot)

    def _least(self, options: list[Option], radius: float, pilot) -> tuple[Option, float]:
        best: dict[float, Option] = {}
        for option in sorted(options, key=lambda option: -option.excess):
            best[option.slope] = option
        slopes = sorted(best)
        values = trust_region(self.linear, pilot, radius, slopes).upper.mean(axis=0)
        means = dict(zip(slopes, values.tolist(), strict=True))
        chosen = min((best[slope] for slope in slopes), key=lambda option: means[option.slope] + option.excess)
        return chosen, means[chosen.slope]


def largest_normalisers(head: Centred, radius: float) -> Float64[np.ndarray, " n"]:
    """Z_i >= max_{|w| <= B} sum_j pi_j e^(t_ij), t_ij = <w, z_ij>.

    sum_j pi_j t_ij = 0, so Z = 1 + sum_j pi_j f(t_ij), f(t) = e^t - 1 - t. f(t) <= f(|t|) and f(t)/t^2 increases in t
    >= 0, so f(t_ij) <= r_ij t_ij^2 with r_ij = f(c_ij)/c_ij^2, c_ij = B |z_ij| >= |t_ij|; and sum_j pi_j t_ij^2 <= B^2
    lambda_max(sum_j pi_j z_ij z_ij^T). The largest sum_j r_ij pi_j t_ij^2 under these limits fills the tokens of
    largest r first. Derived in this project.
    """
    caps = radius * head.key_norms * UP
    gram = head.keys @ head.keys.transpose(0, 2, 1) * np.sqrt(np.outer(head.weights, head.weights))
    spread = np.linalg.eigvalsh(gram)[:, -1] + 1e-12 * np.einsum("ntt->n", gram)
    budget = radius**2 * np.sum(head.factors**2, axis=1) * spread * UP
    with np.errstate(over="ignore", invalid="ignore"):
        # exponential_tail does not cancel; the limit at 0 is 1/2.
        rates = np.where(caps > 1e-6, exponential_tail(1, caps) / np.maximum(caps, 1e-6) ** 2, 0.5 * (1 + 1e-6))
    order = np.argsort(-rates, axis=1)
    room = np.take_along_axis(head.weights * caps**2, order, axis=1)
    filled = np.clip(budget[:, None] - (np.cumsum(room, axis=1) - room), 0.0, room)
    return (1 + np.sum(np.take_along_axis(rates, order, axis=1) * filled, axis=1)) * UP
