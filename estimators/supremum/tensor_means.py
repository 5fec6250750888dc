"""Upper bounds of the expected injective norms that U9 and U10 use: from draws with their concentration, from Schatten
norms, or from Frobenius norms, whichever is least.

Homogeneous parts do not depend on the radius, so one `TensorMeans` serves every radius. With c signs or standard
Gaussians and ||M|| = max_{|u| = |w| = 1} |<M, u (x) w^q>|:
  sign_quotients[q]   >= E ||sum eps_i a_{i,q}||, q = 2, 3        (a_2 = N_2)
  values[q - 1]       >= E ||sum g_i N_{i,q}||                    x_q of U10
  normalisers[q - 1]  >= E ||sum g_i kappa_i Z_{i,q}||            y_q of U10
Draws, at most `draws` for each: K draws of an upper bound of the norm; eps -> sup of a linear process has the scale
sqrt2 L of
`estimators.concentration`, g -> the same the scale L (Gaussian concentration), L^2 = `Survey.weak_variance`; both bound
the mean of the injective norm, so the concentration is applied to that norm and the excess of the flattening only adds.
Schatten: E |sum g_i M_i|_op^4 <= A + A' + min(A, A'), A = |sum M_i^T M_i|_F^2, A' = |sum M_i M_i^T|_F^2, by Wick's
formula; the third pairing is at most min(A, A') by Cauchy-Schwarz.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from estimators.concentration import convex_scale
from estimators.signs import draw_signs
from estimators.supremum.centred import Centred
from estimators.supremum.series import Series
from estimators.supremum.tensors import affordable, effective_keys, injective_upper, survey, tensor_size

UP = 1 + 1e-10
DRAWN_ORDERS = (1, 2, 3)
DRAW_WORK = {1: 1e7, 2: 1.7e7, 3: 4.3e6}  # entries of all drawn tensors of one order
FEWEST = 32
STREAM = 7919
SCHATTEN_ORDERS = (2, 3, 4)
LARGEST_SIDE = 1024
TERMS = 7  # random means: values of orders 1-3, quotients and normalisers of orders 2 and 3


@dataclass(frozen=True)
class TensorMeans:
    """See the module. `failure` is the probability that any of the random entries is too small."""

    sign_quotients: dict[int, float]
    values: Float64[np.ndarray, " q"]
    normalisers: Float64[np.ndarray, " q"]
    failure: float


def tensor_means(
    head: Centred,
    norms: Series,
    kappa: Float64[np.ndarray, " n"],
    *,
    draws: int = 2048,
    failure: float = 0.001,
    seed: int = 0,
) -> TensorMeans:
    """All expected norms of a head; kappa are the weights of Z in U10."""
    n, length, _ = head.values.shape
    p = head.logit_dim
    weighted = head._replace(values=np.broadcast_to(kappa[:, None, None], (n, length, 1)))
    values = np.sqrt((norms.numerators**2).sum(0)) * UP
    normalisers = np.sqrt(((kappa[:, None] * norms.normalisers) ** 2).sum(0)) * UP
    quotients = {q: float(np.sqrt((norms.coefficients[:, q - 1] ** 2).sum()) * UP) for q in (2, 3)}
    for q in SCHATTEN_ORDERS:
        values[q - 1] = min(values[q - 1], schatten_mean(head, q))
        normalisers[q - 1] = min(normalisers[q - 1], schatten_mean(weighted, q))
    quotients[2] = min(quotients[2], float(values[1]))

    def drawn(part: Centred, q: int, gaussian: bool) -> float:
        """Upper end from draws, or infinity where they would cost too much."""
        size = tensor_size(part.values.shape[2], p, q)
        count = min(draws, int(DRAW_WORK[q] // size))
        if failure == 0 or count < FEWEST or not affordable(n, count, length, part.values.shape[2], p, q):
            return math.inf
        if gaussian:
            seeds = np.random.SeedSequence([seed, STREAM, q])
            coefficients = np.random.default_rng(seeds).standard_normal((count, n))
        else:
            coefficients = draw_signs(seed + STREAM + q, count, n)
        found = survey(part, coefficients, q, quotient=not gaussian)
        scale = math.sqrt(found.weak_variance) if gaussian else convex_scale(found.weak_variance)
        radius = scale * math.sqrt(2 * math.log(TERMS / failure) / count)
        return (float(injective_upper(found.tensors, p, q).mean()) + radius) * UP

    for q in DRAWN_ORDERS:
        values[q - 1] = min(values[q - 1], drawn(head, q, True))
        if q > 1:
            quotients[q] = min(quotients[q], drawn(head, q, False))
            normalisers[q - 1] = min(normalisers[q - 1], drawn(weighted, q, True))
    return TensorMeans(quotients, values, normalisers, failure)


def schatten_mean(head: Centred, order: int) -> float:
    """(A + A' + min(A, A'))^(1/4) for M_i = N_{i,order} flattened (v w^a | w^b), b = order // 2; infinity where neither
    explicit side is small enough.

    With columns Phi_i = (vt_ij (x) z_ij^a)_j, Psi_i = (z_ij^b)_j and D = diag(pi): M_i = Phi_i D Psi_i^T, and sum_i M_i
    M_i^T = X X^T, X = [Phi_i L_i], L_i L_i^T = D Psi_i^T Psi_i D.
    """
    n, length, d = head.values.shape
    p = head.logit_dim
    low = order // 2
    sides = d * p ** (order - low), p**low
    if max(sides) > LARGEST_SIDE or n * length * max(sides) > 5e7:
        return math.inf
    grams = [np.zeros((side, side)) for side in sides]
    for first in range(0, n, 64):
        part = slice(first, min(first + 64, n))
        keys = effective_keys(head, part)
        m = len(keys)
        right = np.ones((m, length, 1))
        for _ in range(low):
            right = (right[..., None] * keys[:, :, None, :]).reshape(m, length, -1)
        left = head.values[part]
        for _ in range(order - low):
            left = (left[..., None] * keys[:, :, None, :]).reshape(m, length, -1)
        for gram, columns, other in ((grams[0], left, right), (grams[1], right, left)):
            inner = (other @ other.transpose(0, 2, 1)) * np.outer(head.weights, head.weights)
            lift = 1e-12 * np.einsum("ntt->n", inner) + np.finfo(float).tiny ** 0.5
            factor = np.linalg.cholesky(inner + lift[:, None, None] * np.eye(length))
            rows = (columns.transpose(0, 2, 1) @ factor).transpose(1, 0, 2).reshape(columns.shape[2], -1)
            gram += rows @ rows.T
    large, small = (float((gram**2).sum()) for gram in grams)
    return float((large + small + min(large, small)) ** 0.25 / math.factorial(order) * (1 + 1e-9))
