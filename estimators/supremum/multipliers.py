"""How much multiplication by the normaliser's homogeneous parts can enlarge a polynomial, in the Bombieri norm.

For symmetric tensors Z (degree p) and A (degree s, possibly vector valued)
  |Z A|^2 = (1/C(s+p, p)) sum_k C(p,k) C(s,k) |Z contracted k times with A|^2,
and the weights add up to 1 (Vandermonde). A contraction of 0 < k < p slots costs at most omega_k, the operator norm of
Z
flattened (k | p-k); k = 0 costs |Z|_F; contracting all p slots is the adjoint of multiplying a polynomial of degree s
- p.
So mu_s = sup |Z A|^2/|A|^2 over degree s obeys
  C(s+p, p) mu_s <= C(s,p) mu_{s-p} + |Z|_F^2 + sum_{0<k<p} C(p,k) C(s,k) omega_k^2,
for p = 2: mu_s <= (omega^2 s + |Z|_F^2)/(s + 1) for even s. Submultiplicativity, mu_s <= |Z|_F^2, is the case without
contraction; for large s the operator norm decides, which widens the radius of convergence of the Taylor bound U9.
"""

from math import comb, factorial

import numpy as np
from jaxtyping import Float64

UP = 1 + 1e-11
SQUARINGS = 6


def flattened_norms(
    gram: Float64[np.ndarray, "n T T"], weights: Float64[np.ndarray, " T"], degree: int, slots: int
) -> Float64[np.ndarray, " n"]:
    """Operator norms of Z_degree = sum_j pi_j z_j^(x degree)/degree! flattened (slots | degree - slots).

    With Phi, Psi the matrices of z^(x slots), z^(x rest) and D = diag(pi) it is |Phi D Psi^T|: the root of the top
    eigenvalue of P = L^T (Phi^T Phi) L, L L^T = D Psi^T Psi D. Repeated squaring bounds it by tr(P^m)^(1/m), m = 64.
    """
    root = np.sqrt(np.outer(weights, weights))
    left, right = gram**slots * root, gram ** (degree - slots) * root
    lift = 1e-12 * np.einsum("njj->n", right) + np.finfo(float).tiny ** 0.5
    factor = np.linalg.cholesky(right + lift[:, None, None] * np.eye(len(weights)))
    power = factor.transpose(0, 2, 1) @ left @ factor
    top = np.ones(len(gram))
    for step in range(SQUARINGS + 1):
        # Renormalised, so that the rounding of each product stays relative to the trace.
        power = power @ power if step else power
        scale = np.maximum(np.einsum("njj->n", power), np.finfo(float).tiny ** 0.5)
        power = power / scale[:, None, None]
        top *= scale ** (0.5**step)
    return np.sqrt(top * (1 + 1e-10)) / factorial(degree) * UP


def multipliers(
    frobenius: Float64[np.ndarray, " n"], flattened: list[Float64[np.ndarray, " n"]], degree: int, orders: int
) -> Float64[np.ndarray, "s n"]:
    """Roots of mu_0 .. mu_{orders - 1} for every sample. `flattened` holds omega_1 .. omega_{degree - 1}."""
    mu = np.empty((orders, len(frobenius)))
    for s in range(orders):
        total = frobenius**2
        for k in range(1, min(degree - 1, s) + 1):
            total = total + comb(degree, k) * comb(s, k) * flattened[k - 1] ** 2
        if s >= degree:
            total = total + comb(s, degree) * mu[s - degree]
        mu[s] = np.minimum(total / comb(s + degree, degree), frobenius**2) * UP
    return np.sqrt(mu) * UP


def multiplier_beyond(
    frobenius: Float64[np.ndarray, " n"],
    flattened: list[Float64[np.ndarray, " n"]],
    roots: Float64[np.ndarray, "s n"],
    degree: int,
    start: int,
) -> Float64[np.ndarray, " n"]:
    """An upper bound of the multiplier for every s >= start.

    mu_s is a weighted mean of mu_{s-degree}, |Z|_F^2 and the omega_k^2. The share of |Z|_F^2 among the terms k < degree
    decreases in s, so by induction mu_s <= max(mu_start .. mu_{start+degree-1}, share |Z|_F^2 + max omega_k^2).
    """
    share = 1 / sum(comb(degree, k) * comb(start, k) for k in range(degree))
    widest = np.max(flattened, axis=0)
    most = np.maximum((roots[start : start + degree] ** 2).max(axis=0), share * frobenius**2 + widest**2)
    return np.sqrt(np.minimum(most, frobenius**2)) * UP
