"""Positional information of codes in Gaussian noise, I_sigma = I(P; p_P + sigma Z), P uniform on N positions, in nats.

C = mean_i (p_i - pbar)(p_i - pbar)^T is the centred covariance of the code (d x d), P_c = tr C its centred power: a
constant added to all rows changes neither I nor C. Notation and general bounds: `theory.information`.
"""

from collections.abc import Sequence
from typing import Any

import sympy as sp

from theory.bound import Bound, Relation
from theory.certified import exact_number
from theory.information import INFORMATION, OURS, SEVERAL
from theory.notation import code_determinant, code_distance, code_power, dim, noise_scale, position_count

PAIRWISE = "Kolchinsky and Tracey, Entropy 19 (2017) 361, arXiv 1706.02419; proof derived in this project"
CAP = r"\frac{1}{2}\ln\det(I+C/\sigma_Z^2)"
Matrix = Sequence[Sequence[Any]]


def separation(divergences: Matrix) -> sp.Expr:
    """-mean_p ln mean_q e^(-D_pq) for a square matrix D with zero diagonal; q = p is included: at most ln N."""
    count = len(divergences)
    if count < 1 or any(len(row) != count for row in divergences):
        raise ValueError(f"divergences need one row and one column per position, got {[len(r) for r in divergences]}")
    # evaluate=False: SymPy would look for multiples of pi in every exponent and for the sign of every sum, seconds
    sums = [sp.Add(*(sp.exp(-d, evaluate=False) for d in row)) / count for row in divergences]
    return -sp.Add(*(sp.log(total, evaluate=False) for total in sums)) / count


def _squared(distances: Matrix | None) -> Matrix:
    if distances is None:
        return [[0, code_distance**2], [code_distance**2, 0]]
    exact = [[exact_number("squared_distances", d) for d in row] for row in distances]
    if any(d.is_negative for row in exact for d in row):
        raise ValueError("squared_distances must be nonnegative: pass |p_i - p_j|^2")
    return exact


def pairwise_upper(squared_distances: Matrix | None = None) -> Bound:
    """Upper: I_sigma <= -E_p ln E_q e^(-KL(p|q)), KL(p|q) = |p_p - p_q|^2/(2 sigma^2), q = p included.

    squared_distances: |p_i - p_j|^2 (N x N), exact numbers; default two positions at distance |p_1 - p_2|. Both
    pairwise bounds are approached when every two positions coincide or are far apart. Proof, for any laws:
    I = -E_p E_{W_p} ln E_q e^{u_q}, u_q = ln(W_q/W_p). Jensen: ln E_q e^{u_q} is convex in u, E_{W_p} u_q = -KL(p|q).
    """
    scale = 2 * noise_scale**2
    expression = separation([[d / scale for d in row] for row in _squared(squared_distances)])
    return Bound(INFORMATION, Relation.AT_MOST, expression, PAIRWISE)


def pairwise_lower(squared_distances: Matrix | None = None) -> Bound:
    """Lower: I_sigma >= -E_p ln E_q e^(-BD(p,q)), Bhattacharyya distance |p_p - p_q|^2/(8 sigma^2), q = p included.

    Arguments as `pairwise_upper`. Proof, for any laws: with S = E_q sqrt(W_q), W_p/Wbar is the product of sqrt(W_p)/S
    and S sqrt(W_p)/Wbar. By Jensen the first gives -E_{W_p} ln(S/sqrt(W_p)) >= -ln E_q int sqrt(W_p W_q), the second,
    over p and z together, E ln(S sqrt(W_p)/Wbar) >= -ln E_p int W_p Wbar/(S sqrt(W_p)) = -ln int Wbar = 0.
    """
    scale = 8 * noise_scale**2
    expression = separation([[d / scale for d in row] for row in _squared(squared_distances)])
    return Bound(INFORMATION, Relation.AT_LEAST, expression, PAIRWISE)


def second_moment_cap() -> Bound:
    """Upper, sharp: I_sigma <= (1/2) ln det(I + C/sigma^2), C = Cov(H); H may depend on content beside the position.

    Proof: P - H - H + sigma Z is a Markov chain, so I(P; .) <= I(H; H + sigma Z) = h(H + sigma Z) - h(sigma Z), and a
    Gaussian has the largest entropy at given covariance. Never attained by a finite code; for codes without content the
    ratio tends to 1 as C/sigma^2 -> 0.
    """
    return Bound(INFORMATION, Relation.AT_MOST, sp.log(code_determinant) / 2, OURS)


def _flat() -> sp.Expr:
    channels = sp.Min(dim, position_count - 1)
    return channels / 2 * sp.log(1 + code_power / (channels * noise_scale**2))


def gaussian_code_bound() -> Bound:
    """Upper, sharp: I_sigma <= min{ln N, (r/2) ln(1 + P_c/(r sigma^2))}, r = min(d, N-1) >= rank C, P_c = tr C.

    Proof: `information_ceiling`, `second_moment_cap` and `flat_spectrum_cap`. With d in place of r it stays true and is
    weaker for d >= N, since x ln(1 + P/x) increases. The ratio tends to 1 as P_c/sigma^2 -> 0, for a flat spectrum.
    """
    expression = sp.Min(sp.log(position_count), _flat())
    return Bound(INFORMATION, Relation.AT_MOST, expression, OURS, assumptions=SEVERAL)


def flat_spectrum_cap() -> Bound:
    """Upper, tight: (1/2) ln det(I + C/sigma^2) <= (r/2) ln(1 + P_c/(r sigma^2)), r = min(d, N-1).

    Equality iff the r largest eigenvalues of C are equal: for d < N, iff C = (P_c/d) I, that is, columns of one norm,
    orthogonal to each other and to the constant (centre before orthonormalising). Proof: C is centred, so rank C <= r;
    arithmetic and geometric mean of the r factors 1 + lambda_k/sigma^2.
    """
    return Bound(CAP, Relation.AT_MOST, _flat(), OURS, assumptions=SEVERAL)


def flat_spectrum_value() -> Bound:
    """Exact: (1/2) ln det(I + C/sigma^2) = (d/2) ln(1 + P_c/(d sigma^2)) if C = (P_c/d) I, a flat spectrum (d < N)."""
    expression = dim / 2 * sp.log(1 + code_power / (dim * noise_scale**2))
    return Bound(CAP, Relation.EQUAL, expression, OURS)


INFORMATION_CODE_BOUNDS = {
    "code-pairwise-upper": pairwise_upper,
    "code-pairwise-lower": pairwise_lower,
    "second-moment-cap": second_moment_cap,
    "gaussian-code-bound": gaussian_code_bound,
    "flat-spectrum-cap": flat_spectrum_cap,
    "flat-spectrum-value": flat_spectrum_value,
}
