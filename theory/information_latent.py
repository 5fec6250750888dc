"""The latent position of a content-free causal head: H_i = sum_k alpha_ik v_k, its i values i.i.d. N(0, s^2 I_d).

Given the position, H_i is N(0, v_i I_d) with v_i = s^2 sum_k alpha_ik^2: the position is in the variance alone,
although no encoding was added to the values. alpha_i = softmax of the biases of i keys. Information in nats.
"""

from collections.abc import Sequence
from typing import Any

import sympy as sp

from theory.bound import Bound, Relation
from theory.certified import exact_number
from theory.information import INFORMATION, OURS
from theory.information_codes import PAIRWISE, separation
from theory.notation import alibi_slope, dim, seen_count, value_scale, variance_ratio

VARIANCE = r"v_i"


def variance_without_encoding() -> Bound:
    """Exact: v_i = s^2/i without encoding, the mean of i values."""
    return Bound(VARIANCE, Relation.EQUAL, value_scale**2 / seen_count, OURS)


def variance_with_alibi() -> Bound:
    """Exact: v_i = s^2 tanh(m/2)/tanh(i m/2) for ALiBi of slope m > 0.

    Proof: alpha_k = (1-q) q^k/(1-q^i), q = e^-m, so v_i/s^2 = (1-q)^2 (1-q^(2i))/((1-q^2)(1-q^i)^2)
    = [(1-q)/(1+q)] [(1+q^i)/(1-q^i)]. It tends to s^2/i as m -> 0.
    """
    ratio = sp.tanh(alibi_slope / 2) / sp.tanh(seen_count * alibi_slope / 2)
    return Bound(VARIANCE, Relation.EQUAL, value_scale**2 * ratio, OURS)


def variance_alibi_limit() -> Bound:
    """Lower, sharp: v_i >= s^2 tanh(m/2) for ALiBi of slope m > 0, the limit as i grows: far positions look alike."""
    return Bound(VARIANCE, Relation.AT_LEAST, value_scale**2 * sp.tanh(alibi_slope / 2), OURS)


def variance_floor() -> Bound:
    """Lower, tight: v_i >= s^2/i for every bias, equality iff all i keys weigh the same (Cauchy-Schwarz)."""
    return Bound(VARIANCE, Relation.AT_LEAST, value_scale**2 / seen_count, OURS)


def _exact(variances: Sequence[Any] | None) -> list[Any]:
    if variances is None:
        return [sp.Integer(1), variance_ratio]
    exact = [exact_number("variances", v) for v in variances]
    if any(not v.is_positive for v in exact):
        raise ValueError("variances must be positive: pass v_i of every position, noise included")
    return exact


def _log(ratio: sp.Expr) -> sp.Expr:
    """ln, unevaluated: SymPy would factor the numerator of every ratio of floats."""
    return sp.S.Zero if ratio == 1 else sp.log(ratio, evaluate=False)


def latent_pairwise_upper(variances: Sequence[Any] | None = None) -> Bound:
    """Upper: I(P; H) <= -E_p ln E_q e^(-KL(p|q)), KL(p|q) = (d/2)(r - 1 - ln r), r = v_p/v_q, q = p included.

    variances: v_i (N,), exact positive numbers, sigma^2 added where noise is; default two positions of ratio v_2/v_1.
    Proof: `theory.information_codes.pairwise_upper`, with the divergence of N(0, v_p I_d) from N(0, v_q I_d).
    """
    v = _exact(variances)
    divergences = [[dim * (p / q - 1 - _log(p / q)) / 2 for q in v] for p in v]
    return Bound(INFORMATION, Relation.AT_MOST, separation(divergences), PAIRWISE)


def latent_pairwise_lower(variances: Sequence[Any] | None = None) -> Bound:
    """Lower: I(P; H) >= -E_p ln E_q e^(-BD(p,q)), e^(-BD) = (4 v_p v_q/(v_p + v_q)^2)^(d/4), q = p included.

    Arguments as `latent_pairwise_upper`; proof: `theory.information_codes.pairwise_lower`.
    """
    v = _exact(variances)
    divergences = [[-dim * _log(4 * p * q / (p + q) ** 2) / 4 for q in v] for p in v]
    return Bound(INFORMATION, Relation.AT_LEAST, separation(divergences), PAIRWISE)


INFORMATION_LATENT_BOUNDS = {
    "latent-variance-none": variance_without_encoding,
    "latent-variance-alibi": variance_with_alibi,
    "latent-variance-alibi-limit": variance_alibi_limit,
    "latent-variance-floor": variance_floor,
    "latent-pairwise-upper": latent_pairwise_upper,
    "latent-pairwise-lower": latent_pairwise_lower,
}
