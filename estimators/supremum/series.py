"""Norms of the homogeneous parts of N_i and Z_i, and of the Taylor coefficients of a_i, by Gram matrices.

  N_i(w) = sum_q N_{i,q}(w), N_{i,q} = sum_j pi_j vt_ij t_ij^q / q!      Z_i(w) = 1 + sum_{q>=2} Z_{i,q}(w)
  nu_{i,q} = |N_{i,q}|_F, zeta_{i,q} = |Z_{i,q}|_F as symmetric tensors: q!^2 nu^2 = sum_jl pi_j pi_l <vt_j,vt_l>
  <z_j,z_l>^q
  a_{i,q} = N_{i,q} - sum_{p=2}^{q-1} Z_{i,p} a_{i,q-p}     from Z_i (a_i - a_i(0)) = N_i; Z_{i,1} = 0 as keys are
  centred
  |a_{i,q}|_F exactly for q <= 4 (`low_orders`), above |a_{i,q}|_F <= beta_{i,q} = nu_{i,q} + sum_p m_{i,p,q-p}
  beta_{i,q-p}
with the multipliers m of `estimators.supremum.multipliers`. Orders above ORDERS are bounded through exponential tails.
"""

from dataclasses import dataclass
from functools import cached_property
from math import factorial

import numpy as np
from jaxtyping import Float64
from scipy.special import gammainc

from estimators.supremum.centred import Centred
from estimators.supremum.low_orders import quotient_orders
from estimators.supremum.multipliers import flattened_norms, multiplier_beyond, multipliers

ORDERS = 30
START = 12  # the degree from which one multiplier serves all
UP = 1 + 1e-11
UNIT = 2.0**-52


def exponential_tail(order: int, size) -> np.ndarray:
    """e^x - sum_{q <= order} x^q/q! for x >= 0, without cancellation and rounded up: e^x P(order + 1, x), P the
    regularised lower incomplete gamma function."""
    with np.errstate(over="ignore"):
        return np.exp(size) * gammainc(order + 1, size) * (1 + 1e-10)


@dataclass(frozen=True)
class Series:
    """Coefficient norms of orders 1..ORDERS for every sample (column q - 1 is order q), rounded up.

    coefficients: beta_{i,q} >= |a_{i,q}|_F. repeated: for every degree p (index p - 2) an upper bound of the multiplier
    at every degree of at least START.
    """

    numerators: Float64[np.ndarray, "n q"]
    normalisers: Float64[np.ndarray, "n q"]
    coefficients: Float64[np.ndarray, "n q"]
    repeated: Float64[np.ndarray, "n p"]
    masses: Float64[np.ndarray, " T"]
    value_masses: Float64[np.ndarray, "n T"]
    key_norms: Float64[np.ndarray, "n T"]

    def tail(self, order: int, radius: float, *, values: bool) -> Float64[np.ndarray, " n"]:
        """sum_{q > order} |N_{i,q}|_F radius^q (or |Z_{i,q}|_F without values), for every sample."""
        masses = self.value_masses if values else self.masses
        return (masses * exponential_tail(order, radius * self.key_norms)).sum(1) * UP

    @cached_property
    def largest_radius(self) -> float:
        """No r above this is tried: the multipliers' series passes 1 there."""
        sizes = self.repeated.max(axis=0)
        orders = np.arange(2, 2 + len(sizes))
        grid = np.geomspace(1e-6, 1e6, 600)
        with np.errstate(over="ignore"):
            inside = np.array([(sizes * r**orders).sum() < 1 for r in grid])
        return float(grid[inside].max()) if inside.any() else 0.0

    def beyond(self, radius: float) -> float:
        """sum_{q > ORDERS} radius^q (sum_i |a_{i,q}|_F^2)^(1/2), or infinity outside the radius of convergence.

        For r > radius let b_i = sum_{q > ORDERS} beta_{i,q} r^q. Splitting the recursion at degree START,
          b_i <= nu-tail + m_i(r) (sum_{START <= s <= ORDERS} beta_{i,s} r^s + b_i)
                 + sum_{s < START} beta_{i,s} r^s sum_{p > ORDERS - s} zeta_{i,p} r^p,
        m_i(r) = sum_p m_{i,p} r^p with the multiplier that serves all s >= START. If m_i(r) < 1 the partial sums of b_i
        stay below the solution, and orders above ORDERS cost at most (radius/r)^(ORDERS+1) b_i.
        """
        best = np.inf
        orders = np.arange(1, ORDERS + 1)
        for r in radius * np.geomspace(1.01, 8.0, 40):
            if r >= self.largest_radius:
                break
            with np.errstate(over="ignore", invalid="ignore"):
                steps = self.repeated @ r ** np.arange(2, ORDERS + 1) + self.tail(ORDERS, r, values=False)
                if not np.all(steps < 1 - 1e-9):
                    break
                powers = self.coefficients * r**orders
                low = np.zeros(len(powers))
                for s in range(1, START):
                    low += powers[:, s - 1] * self.tail(ORDERS - s, r, values=False)
                source = self.tail(ORDERS, r, values=True) + steps * powers[:, START - 1 :].sum(1) + low
                size = np.sqrt(((source / (1 - steps)) ** 2).sum())
            if np.isfinite(size):
                best = min(best, float(size * (radius / r) ** (ORDERS + 1) * (1 + 1e-8)))
        return best

    def orders_between(self, radius: float, last: int) -> float:
        """sum_{last < q <= ORDERS} radius^q (sum_i beta_{i,q}^2)^(1/2)."""
        sizes = np.sqrt((self.coefficients[:, last:] ** 2).sum(0))
        return float((sizes * radius ** np.arange(last + 1, ORDERS + 1)).sum() * UP)

    def remainder(self, radius: float, last: int) -> float:
        """An upper bound of E sup_{|w| <= radius} |sum_i eps_i sum_{q > last} a_{i,q}(w)|; infinity where the series
        cannot be certified to converge."""
        return 0.0 if radius == 0 else self.orders_between(radius, last) + self.beyond(radius)


def series(head: Centred, block: int = 64) -> Series:
    """Norms of all orders; blocks of samples bound the memory at block T^2 floats."""
    n, length, _ = head.values.shape
    pairs = np.outer(head.weights, head.weights)
    numerators, normalisers = np.empty((n, ORDERS)), np.empty((n, ORDERS))
    coefficients, repeated = np.empty((n, ORDERS)), np.empty((n, ORDERS - 1))
    highest = 6 if length <= 32 else 4
    for first in range(0, n, block):
        part = slice(first, min(first + block, n))
        gram_keys = head.keys[part] @ head.keys[part].transpose(0, 2, 1)
        gram_keys *= (head.factors[part] ** 2).sum(1)[:, None, None]
        gram_values = head.values[part] @ head.values[part].transpose(0, 2, 1)
        nu = _norms(gram_values * pairs, gram_keys)
        zeta = _norms(np.broadcast_to(pairs, gram_keys.shape), gram_keys)
        zeta[:, 0] = 0.0
        beta = nu.copy()
        exact = quotient_orders(gram_values, gram_keys, head.weights, nu)
        beta[:, 2], beta[:, 3] = np.minimum(beta[:, 2] + zeta[:, 1] * nu[:, 0], exact[0]), exact[1]
        factors = {}
        for p in range(2, ORDERS):
            if p <= highest:
                half = {k: flattened_norms(gram_keys, head.weights, p, k) for k in range(1, p // 2 + 1)}
                flat = [half[min(k, p - k)] for k in range(1, p)]
                factors[p] = multipliers(zeta[:, p - 1], flat, p, ORDERS)
                repeated[part, p - 2] = multiplier_beyond(zeta[:, p - 1], flat, factors[p], p, START)
            else:
                factors[p] = np.broadcast_to(zeta[:, p - 1], (ORDERS, len(zeta)))
                repeated[part, p - 2] = zeta[:, p - 1]
        repeated[part, ORDERS - 2] = zeta[:, ORDERS - 1]
        for q in range(5, ORDERS + 1):
            for p in range(2, q):
                beta[:, q - 1] += factors[p][q - p] * beta[:, q - p - 1]
        numerators[part], normalisers[part], coefficients[part] = nu, zeta, beta * UP
    value_masses = head.weights * np.linalg.norm(head.values, axis=2) * UP
    return Series(numerators, normalisers, coefficients, repeated, head.weights, value_masses, head.key_norms * UP)


def _norms(base: np.ndarray, gram: np.ndarray) -> np.ndarray:
    """Roots of sum_jl base_jl gram_jl^q / q!^2 for q = 1 .. ORDERS, rounded up."""
    largest = float(np.abs(gram).max())
    scale = largest if largest > 0 else 1.0
    found = np.empty((len(gram), ORDERS))
    power = np.ones_like(gram)
    for q in range(1, ORDERS + 1):
        power = power * (gram / scale)
        term = base * power
        # Terms of both signs: the rounding is relative to the sum of absolute values.
        error = q * UNIT * (8 * gram.shape[1] ** 2 + 4096) * np.abs(term).sum((1, 2))
        found[:, q - 1] = np.sqrt(np.maximum(term.sum((1, 2)), 0.0) + error) * scale ** (q / 2) / factorial(q)
    return found * UP
