r"""Attention as a map of token sequences: how far its output moves when the tokens move.

f(X)_i = V sum_j alpha_ij x_j, alpha_i = softmax_j(<x_j, A x_i> + b_ij) over the keys j that query i sees, T tokens in
the ball |x_j| <= R, |A| and |V| largest singular values, A = W_K^T W_Q/sqrt(d_k). B bounds the content logits:

    none, additive, biases   B = |A| R^2 (R includes an additive code)
    rotary                   the same with |A| = max over offsets D of |W_K^T R_D W_Q|/sqrt(d_k)
    relative vectors r       keys x_j + r_{i-j}: B = |A| R (R + max|r|)

Lip is the Lipschitz constant in the Frobenius norm of X on that ball, the supremum of the spectral norm of the
Jacobian Df(X): the ball is convex. pi_i = softmax(b_i), abar_ij = pi_ij/(pi_ij + (1 - pi_ij) e^(-2B)) bounds alpha_ij
(tilt lemma, `theory.softmax`), C = max_j sum_i abar_ij is the most attention that one token can receive, q = e^(-m)
for ALiBi.
"""

from typing import Any

import sympy as sp

from theory.bound import Bound, Proof, Relation
from theory.notation import (
    alibi_slope,
    attended_spread,
    column_mass,
    dim,
    gain_maximum,
    length,
    logit_bound,
    norm_epsilon,
    query_operator_norm,
    value_operator_norm,
)

OURS = "derived in this project"
CASTIN = "after Castin, Ablin and Peyre, How Smooth Is Attention?, ICML 2024, arXiv 2312.14820 (from memory)"
KIM = "after Kim, Papamakarios and Mnih, The Lipschitz Constant of Self-Attention, ICML 2021, arXiv 2006.04710"
JACOBIAN = r"\|Df(X)\|"
RECEIVED = r"\max_j\sum_i\alpha_{ij}"
GROWTH = sp.exp(2 * logit_bound)


def lipschitz() -> Bound:
    """Upper: |Df(X)| <= |V| (sqrt C (1 + B) + B) on the ball, so Lip has the same bound; any encoding, masked or not.

    Proof: with m_i = sum_j alpha_ij x_j, df_i = V [ sum_j alpha_ij dx_j + sum_j alpha_ij (x_j - m_i) <dx_j, A x_i> +
    sum_j alpha_ij (x_j - m_i) <x_j, A dx_i> ]. E|x - m_i|^2 <= R^2 and E|x|^2 <= R^2, so the last sum is at most B
    |dx_i|. By Cauchy-Schwarz the second is at most B (sum_j alpha_ij |dx_j|^2)^(1/2), the first the same without B,
    and sum_ij alpha_ij |dx_j|^2 <= C |dX|^2.
    """
    bound = value_operator_norm * (sp.sqrt(column_mass) * (1 + logit_bound) + logit_bound)
    return Bound(JACOBIAN, Relation.AT_MOST, bound, OURS)


def lipschitz_causal() -> Bound:
    """Upper, whatever the length: |Df(X)| <= |V| (e^B (2 + 2^(5/3) B) + B), causal mask, no bias (none, additive,
    rotary).

    So Lip stays bounded in T although C grows like e^(2B) ln T. Proof, c = e^(2B), queries counted from 1: alpha_ij
    <= c/(c+i-1) <= 1 and the weights of a row sum to 1, so sum_j alpha_ij g_j <= G(1 + (i-1)/c) <= G(i/c) for g >= 0,
    G(t) the mean of the decreasing rearrangement of g over [0, t]. G decreases, so for r > 1 sum_i G(i/c)^r <= c int
    G^r <= c (r/(r-1))^r sum g_j^r (Hardy). First sum of `lipschitz`: g = |dx_j|, r = 2: at most 2 sqrt c |dX|. Second
    sum: Hoelder with exponents 3 and 3/2, E|x - m_i|^3 <= 2R R^2, g = |dx_j|^(3/2), r = 4/3: at most B 2^(1/3)
    (4^(4/3) c)^(1/2) |dX|. Third: B |dX|.
    """
    bound = sp.exp(logit_bound) * (2 + 2 ** sp.Rational(5, 3) * logit_bound) + logit_bound
    return Bound(JACOBIAN, Relation.AT_MOST, value_operator_norm * bound, OURS)


def unmasked_mass() -> Bound:
    """Upper, tight: no mask, no bias: sum_i alpha_ij <= C = T e^(2B)/(e^(2B) + T - 1) <= min(T, e^(2B)).

    Attained where all queries give token j the logit B and the others -B.
    """
    return Bound(RECEIVED, Relation.AT_MOST, length * GROWTH / (GROWTH + length - 1), OURS)


def causal_mass() -> Bound:
    """Upper, tight: causal mask, no bias: sum_i alpha_ij <= C = sum_{i=1}^T e^(2B)/(e^(2B) + i - 1), about e^(2B) ln T.

    C = e^(2B) (psi(e^(2B) + T) - psi(e^(2B))), psi the digamma function. Query i sees i keys; the first token is seen
    by all. Attained where it has the logit B everywhere and the others -B.
    """
    i = sp.Dummy("i", integer=True, positive=True)
    mass: Any = sp.Sum(GROWTH / (GROWTH + i - 1), (i, 1, length))
    return Bound(RECEIVED, Relation.AT_MOST, mass, OURS)


def causal_mass_logarithm() -> Bound:
    """Upper, closed form: causal, no bias: C <= min(T, 1 + e^(2B) ln(1 + (T-1) e^(-2B))).

    Proof: the sum of `causal_mass` from i = 2 on is at most the integral of e^(2B)/(e^(2B) + x) over [0, T-1].
    """
    bound = sp.Min(length, 1 + GROWTH * sp.log(1 + (length - 1) / GROWTH))
    return Bound(RECEIVED, Relation.AT_MOST, bound, OURS)


def alibi_causal_mass() -> Bound:
    """Upper, whatever the length: causal ALiBi: C <= e^(2B) min{1/(1-q), -ln(1 - sqrt q)/sqrt q}, q = e^(-m).

    Proof: abar <= e^(2B) pi and pi_ij = q^(i-j)/(1 + q + ... + q^(i-1)), so the largest column sum of pi is the
    first, sum_k q^k/(1 + ... + q^k) over k >= 0. The denominator is at least 1, and at least (k+1) q^(k/2) (its
    geometric mean). The second form grows like ln(1/m) only, as m -> 0.
    """
    root = sp.exp(-alibi_slope / 2)
    bound = GROWTH * sp.Min(1 / (1 - root**2), -sp.log(1 - root) / root)
    return Bound(RECEIVED, Relation.AT_MOST, bound, OURS)


def alibi_symmetric_mass() -> Bound:
    """Upper, whatever the length: ALiBi without mask, bias -m|i-j|: C <= e^(2B) (1 + q), q = e^(-m).

    Proof: abar <= e^(2B) pi, pi_ij = q^|i-j|/Z_i, Z_i = (1 + q - q^i - q^(T+1-i))/(1-q) is least at the ends,
    (1-q^T)/(1-q), and at most (1 + q - 2 q^((T+1)/2))/(1-q). So sum_i pi_ij <= Z_j/min Z <= 1 + q.
    """
    return Bound(RECEIVED, Relation.AT_MOST, GROWTH * (1 + sp.exp(-alibi_slope)), OURS)


def causal_mass_without_length() -> Bound:
    """Upper, wrong: that under a causal mask without bias a token receives at most e^(2B), as it does without mask.

    Kept to be refuted: `causal_mass` is attained, and exceeds e^(2B) from about T = 1.7 e^(2B) on.
    """
    return Bound(RECEIVED, Relation.AT_MOST, GROWTH, "false: compare causal_mass")


def rms_norm() -> Bound:
    """Upper, tight: N(x) = g x/(|x|^2/d + eps)^(1/2), gains g per channel, has |DN(x)| <= max|g| eps^(-1/2).

    Equality at x = 0. Proof: with rho = (|x|^2/d + eps)^(1/2), DN(x) = diag(g) (I - x x^T/(d rho^2))/rho, and
    0 <= x x^T/(d rho^2) <= I.
    """
    quantity = r"\|D\operatorname{RMSNorm}(x)\|"
    return Bound(quantity, Relation.AT_MOST, gain_maximum / sp.sqrt(norm_epsilon), OURS)


def ball_baseline() -> Bound:
    """Upper: |Df(X)| <= sqrt3 |V| (B^2 (4T + 1) + T)^(1/2) without encoding, masked or not: grows like sqrt T.

    Stated from memory; proof here: the three sums of `lipschitz` with (a+b+c)^2 <= 3(a^2+b^2+c^2), |x_j - m_i| <= 2R,
    and column sums of alpha at most T.
    """
    bound = sp.sqrt(3) * value_operator_norm * sp.sqrt(logit_bound**2 * (4 * length + 1) + length)
    return Bound(JACOBIAN, Relation.AT_MOST, bound, CASTIN, proof=Proof.RECALLED)


def mean_field_baseline() -> Bound:
    """Upper, whatever the length: |Df(X)| <= |V| (1 + 3B) e^(2B), no encoding, no mask.

    Stated from memory (Wasserstein-2 constant on measures on the ball); it follows from `lipschitz` with C <= e^(2B):
    e^B (1 + B) + B <= e^(2B) (1 + 3B).
    """
    bound = value_operator_norm * (1 + 3 * logit_bound) * GROWTH
    return Bound(JACOBIAN, Relation.AT_MOST, bound, CASTIN, proof=Proof.RECALLED)


def l2_attention_baseline() -> Bound:
    r"""Upper: L2 attention, one head, W_K = W_Q: Lip <= sqrt T/sqrt d (4 s + 1) |W_Q|^2 |V| on all of R^(T x d).

    f(X)_i = sum_j softmax_j(-|W_Q(x_i - x_j)|^2/sqrt d) V W_Q^T W_Q x_j/sqrt d, s >= phi^-1(T-1), phi(s) = s e^(s+1).
    Stated from memory; proof here, y = W_Q x/d^(1/4): dm_i = sum_j alpha_ij (dy_j - 2 (y_j - m_i) <y_i - y_j, dy_i -
    dy_j>), and E|y_i - y_j|^2 <= s: it is sum_j t_j e^(-t_j)/(1 + sum_j e^(-t_j)) over T-1 keys, and (t_j - s)
    e^(-t_j) <= e^(-1-s). Terms in dy_j: at most sqrt T (1 + 2s); in dy_i: 2s.
    """
    bound = sp.sqrt(length / dim) * (4 * attended_spread + 1) * query_operator_norm**2 * value_operator_norm
    wide_enough = attended_spread * sp.exp(attended_spread + 1) >= length - 1
    quantity = r"\|Df_{L2}(X)\|"
    return Bound(quantity, Relation.AT_MOST, bound, f"{KIM} (from memory)", wide_enough, Proof.RECALLED)


def growth_with_radius() -> Bound:
    """Lower: |Df(X)| >= |V| (1 + (T-1) B)/T for a certain X in the ball and certain A, V, no mask, no encoding.

    X: x_1 = 0, half of the others Re and half -Re, |e| = 1, T odd; A = |A| e e^T, V = |V| I. So Lip is infinite
    without a bound on the tokens (dot-product attention is not Lipschitz: Kim, Papamakarios and Mnih 2021). Proof:
    the first query is zero, its weights are 1/T, and the block df_1/dx_1 along e is |V| (1/T + |A| Cov(x)), Cov = R^2
    (T-1)/T.
    """
    bound = value_operator_norm * (1 + (length - 1) * logit_bound) / length
    return Bound(JACOBIAN, Relation.AT_LEAST, bound, OURS, sp.Eq(sp.Mod(length, 2), 1))


ATTENTION_BOUNDS = {
    "attention-lipschitz": lipschitz,
    "attention-lipschitz-causal": lipschitz_causal,
    "attention-unmasked-mass": unmasked_mass,
    "attention-causal-mass": causal_mass,
    "attention-causal-mass-logarithm": causal_mass_logarithm,
    "attention-alibi-causal-mass": alibi_causal_mass,
    "attention-alibi-symmetric-mass": alibi_symmetric_mass,
    "attention-rms-norm": rms_norm,
    "attention-ball-baseline": ball_baseline,
    "attention-mean-field-baseline": mean_field_baseline,
    "attention-l2-baseline": l2_attention_baseline,
    "attention-growth-with-radius": growth_with_radius,
}
ATTENTION_REFUTED = {"attention-causal-mass-without-length": causal_mass_without_length}
