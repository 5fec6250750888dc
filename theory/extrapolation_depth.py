r"""Truncation through depth: a network that sees the last tokens only against the network that sees all.

Two runs of one network: the full one, and one on the last tokens, which keeps the codes and distances of its tokens.
Causal mask. Position i with r kept predecessors: i - r is the first token of the truncated run. e_l(r) bounds
|x^l_i - xt^l_i|, xt of the truncated run, uniformly in i and in the length; e_0 = 0. One head reads keys z and sends
sum_k alpha_k V z_k, k the distance, alpha = softmax(s + b), s_k = <z_(i-k), A z_i> (+ <h_k, z_i>), |s_k| <= B after one
constant per query is taken off; the key at distance k has the error e(r - k).

    LP_r(e) = max sum_{k<=r} alpha_k e(r - k) over softmax(s + b), |s_k| <= B        exact: `theory.box_tilted`
    plain layers     x <- phi(x + V sum_k alpha_k x_(i-k)), Lip phi <= Phi, |x| <= R in both runs, nu = |V|, B = |A| R^2
    pre-norm layers  y = x + sum_h V_h sum_k alpha_k N(x_(i-k)), x <- y + M2 relu(M1 N(y)), N = RMSNorm

A, V, phi may differ by layer and head; constants are then the largest. Letters of notation: w = r + 1 tokens are kept.
"""

from typing import Any

import sympy as sp

from theory.bound import Bound, Relation
from theory.extrapolation import alibi_tail_mass_any_length
from theory.notation import (
    alibi_slope,
    attended_error,
    distance,
    first_scale,
    heads_error,
    key_sensitivity,
    layer_lipschitz,
    layers,
    logit_bound,
    mlp_lipschitz,
    own_error,
    query_sensitivity,
    second_scale,
    tail_mass,
    token_distance,
    token_norm,
    value_diameter,
    value_operator_norm,
    window,
)

OURS = "derived in this project"
LAYER_ERROR = r"|x^{l+1}-\tilde x^{l+1}|"
FINAL_ERROR = r"|x^L-\tilde x^L|"
GRADIENT = r"\|\partial x^L_i/\partial x^0_{i-D}\|"
SOME_WAY: Any = distance >= 1


def norm_two_points() -> Bound:
    """Upper, tight: |N(x) - N(x')| <= |x - x'|/(rho rho')^(1/2), N(x) = x/rho, rho = (|x|^2/d + eps)^(1/2).

    No segment between the points is asked about, so least norms measured on two runs suffice. Equality where |x| =
    |x'|. Proof: X = (x/d^(1/2), eps^(1/2)) has |X| = rho, and |X/|X| - X'/|X'||^2 = (|X - X'|^2 - (|X| - |X'|)^2)/(|X|
    |X'|); N(x)/d^(1/2) are the first d entries of X/|X|, and |X - X'| = |x - x'|/d^(1/2).
    """
    bound = token_distance / sp.sqrt(first_scale * second_scale)
    return Bound(r"|N(x)-N(x')|", Relation.AT_MOST, bound, OURS)


def truncated_head() -> Bound:
    """Upper, tight: |o - ot| <= D_v A_w + (|V| + kappa D_v) LP_r(e) + upsilon D_v e(r)/2 for one head, any bias.

    o: all keys, full run; ot: the last w = r + 1, truncated run; e: error of z. A_w: mass of the full run beyond w,
    D_v: a diameter that serves the values V z of the full run, and those of the kept keys of the truncated run; |s_k -
    st_k| <= kappa e(r-k) + upsilon e(r): kappa = max |A z_i|, upsilon = max |A^T z_k + h_k|, one maximum over the full
    run, the other over the truncated one, as s - st = <z_k - zt_k, A z_i> + <A^T zt_k + h_k, z_i - zt_i>. Proof: (1)
    `theory.extrapolation.truncation`: dropping far keys moves o by at most A_w D_v. (2) With the weights of the full
    run on the kept keys, sum alpha_k V(z_k - zt_k) <= |V| LP. (3) The rest is sum_k (alpha_k - alphat_k) V zt_k. Let
    logits go straight from st to s, both centred: they stay in the box, and so alpha(t) in the set of LP. The
    derivative is sum_k alpha_k(t) (V zt_k - mean) (s_k - st_k). Keys: at most D_v kappa LP. Query: along any unit
    vector a covariance of two readings with ranges D_v and 2 upsilon e(r), hence at most their product over 4. Attained
    with e = 0 by one value near and another far.
    """
    moved = (value_operator_norm + key_sensitivity * value_diameter) * attended_error
    bound = value_diameter * tail_mass + moved + query_sensitivity * value_diameter * own_error / 2
    return Bound(r"|o-\tilde o|", Relation.AT_MOST, bound, OURS)


def depth_step() -> Bound:
    """Upper, sharp, whatever the length: plain ALiBi layers, w = r + 1 tokens kept, e_(l+1)(r) <= Phi [(1 + nu B)
    e_l(r) + 2 nu R/(1 + e^(-2B) (e^(mw) - 1)) + nu (1 + 2B) LP_r(e_l)].

    Proof: `truncated_head` with z = x, D_v <= 2 nu R, kappa, upsilon <= |A| R, B = |A| R^2, and the mass of
    `theory.extrapolation.alibi_tail_mass_any_length`; |x - xt| adds e_l(r), and phi multiplies by Phi. Approached in
    the first layer as the length grows.
    """
    nu, B = value_operator_norm, logit_bound
    fresh = 2 * nu * token_norm * alibi_tail_mass_any_length().expression
    bound = layer_lipschitz * ((1 + nu * B) * own_error + fresh + nu * (1 + 2 * B) * attended_error)
    return Bound(LAYER_ERROR, Relation.AT_MOST, bound, OURS)


def depth_closed_form(layers: int = 2) -> Bound:
    """Upper, sharp, whatever the length: e_L(r) <= 2 nu R e^(2B - m(r+1)) sum_{k<L} Phi^(k+1) sum_{j<=k} C(k,j) (1
    + nu B)^(k-j) (nu (1 + 2B) e^(2B))^j C(r+j, j), plain ALiBi layers, r = w - 1, L = `layers`: it decays like
    r^(L-1) e^(-mr).

    Proof: in `depth_step` A_w <= e^(2B - mw), and LP_r(e) <= e^(2B) sum_k e^(-mk) e(r-k), because alpha_k <= e^(2B)
    pi_k and pi_k = e^(-mk)/(1 + ... + e^(-mr)). So g_l(r) = e^(mr) e_l(r) has g_(l+1) <= Phi [(1 + nu B) g_l + nu (1 +
    2B) e^(2B) S g_l + D], (S g)(r) = sum_{j<=r} g(j), D = 2 nu R e^(2B-m). Hence g_L <= sum_{k<L} Phi^(k+1) (1 + nu B +
    nu (1 + 2B) e^(2B) S)^k D, and S^j of the constant 1 is C(r+j, j). Approached by one layer with B = 0.
    """
    nu, B = value_operator_norm, logit_bound
    _positive(layers)
    kept, spread = 1 + nu * B, nu * (1 + 2 * B) * sp.exp(2 * B)
    total = sp.Add(
        *(
            layer_lipschitz ** (k + 1) * sp.binomial(k, j) * kept ** (k - j) * spread**j * _choose(window - 1 + j, j)
            for k in range(layers)
            for j in range(k + 1)
        )
    )
    first = 2 * nu * token_norm * sp.exp(2 * B - alibi_slope * window)
    return Bound(FINAL_ERROR, Relation.AT_MOST, first * total, OURS)


def depth_without_growth(layers: int = 2) -> Bound:
    """Upper, wrong: that L layers lose no more than L times the largest loss of one: L Phi^L 2 nu R e^(2B - m(r+1)).

    Kept to be refuted: errors of the keys are attended to again, and `depth_closed_form` has the factor r^(L-1).
    """
    _positive(layers)
    first = 2 * value_operator_norm * token_norm * sp.exp(2 * logit_bound - alibi_slope * window)
    wrong = layers * layer_lipschitz**layers * first
    return Bound(FINAL_ERROR, Relation.AT_MOST, wrong, "false: compare depth_closed_form")


def pre_norm_step() -> Bound:
    """Upper, tight: |x' - xt'| <= (1 + mu/(rho rhot)^(1/2)) (|x - xt| + sum_h |o_h - ot_h|), pre-norm layer, mu = |M2|
    |M1|.

    rho, rhot: of y at this position in the two runs. Attained without MLP where one head alone differs. Proof: |y - yt|
    <= |x - xt| + sum_h |o_h - ot_h|, relu has the Lipschitz constant 1, and `norm_two_points` for N(y). Each head by
    `truncated_head` with z = N(x), whose error is at most that of x over (rho rhot)^(1/2) of x: tokens lie in a ball
    for every x, so no radius is assumed.
    """
    grown = 1 + mlp_lipschitz / sp.sqrt(first_scale * second_scale)
    return Bound(LAYER_ERROR, Relation.AT_MOST, grown * (own_error + heads_error), OURS)


def gradient_closed_form(layers: int = 2) -> Bound:
    """Upper, whatever the length: |d x^L_i/d x^0_(i-D)| <= Phi^L e^(-mD) sum_{j=1}^L C(L,j) (1 + nu B)^(L-j) (nu (1 +
    2B) e^(2B))^j C(D+j-1, j-1), D >= 1, plain ALiBi layers, phi differentiable at the point, L = `layers`.

    Spectral norm; one run, |x| <= R, B = |A| R^2. Proof: d x^(l+1)_i = Dphi [dx_i + V sum_k alpha_k dx_(i-k) + V sum_k
    alpha_k (x_(i-k) - mean) (<dx_(i-k), A x_i> + <x_(i-k), A dx_i>)], so the norms g_l(i, j) obey g_(l+1)(i, j) <= Phi
    [(1 + nu B) g_l(i, j) + nu (1 + 2B) sum_k alpha_k g_l(i-k, j)], term by term as in `truncated_head`. With alpha_k <=
    e^(2B - mk) and g_0(i, j) = 1 at i = j, else 0, e^(mD) g_L is at most Phi^L (1 + nu B + nu (1 + 2B) e^(2B) S)^L
    applied to 1 at D = 0, and S^j of that is C(D+j-1, j-1) at D >= 1.
    """
    nu, B = value_operator_norm, logit_bound
    _positive(layers)
    kept, spread = 1 + nu * B, nu * (1 + 2 * B) * sp.exp(2 * B)
    total = sp.Add(
        *(
            sp.binomial(layers, j) * kept ** (layers - j) * spread**j * _choose(distance + j - 1, j - 1)
            for j in range(1, layers + 1)
        )
    )
    bound = layer_lipschitz**layers * sp.exp(-alibi_slope * distance) * total
    return Bound(GRADIENT, Relation.AT_MOST, bound, OURS, SOME_WAY)


def receptive_field() -> Bound:
    """Upper, tight: L layers that attend to distances below w read the last L (w - 1) + 1 tokens at most.

    Proof: x^(l+1)_i reads x^l at distances up to w - 1. Attained where no weight or gain on the way is zero.
    """
    return Bound("|\\{j:\\partial x^L_i/\\partial x^0_j\\neq 0\\}|", Relation.AT_MOST, layers * (window - 1) + 1, OURS)


def _choose(top: sp.Expr, count: int) -> sp.Expr:
    """C(top, count) as a polynomial of `top`."""
    return sp.Mul(*(top - t for t in range(count))) / sp.factorial(count)


def _positive(layers: int) -> None:
    if layers < 1:
        raise ValueError(f"layers must be at least 1, got {layers}: use layers=1")


EXTRAPOLATION_DEPTH_BOUNDS = {
    "norm-two-points": norm_two_points,
    "truncated-head": truncated_head,
    "depth-step": depth_step,
    "depth-closed-form": depth_closed_form,
    "pre-norm-step": pre_norm_step,
    "gradient-closed-form": gradient_closed_form,
    "receptive-field": receptive_field,
}
EXTRAPOLATION_DEPTH_REFUTED = {"depth-without-growth": depth_without_growth}
