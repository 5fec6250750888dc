"""Complexity of deep networks: any depth (U7), one layer exactly, two layers (U12, U13).

Depth class, one head per layer, tokens x_1..x_T of one sample, read at the last position T, any bias or mask b:
  x^(l+1)_s = x^l_s + V_l Att_s(W_l; x^l),  Att_s(W; x) = sum_j softmax_j(x_s^T W x_j + b_sj) x_j,  f = <u, x^L_T>,
|u| <= B_u, |V_l|_F <= nu (`value_norm`), |W_l|_F <= B_w (`logit_norm`). R_x >= |x_ij| (`token_norm`) and D_x >= diam
{x_ij}_j (`token_diameter`), at most 2 R_x, hold for every sample. R_hat as in `theory.rademacher`: 1/n, no absolute
value; words for means and widths are sums over samples, NOT divided by n, for B_u = 1. The read-out set is the l2 ball;
the l1 ball lies inside it, so every upper bound holds for it. MLPs and normalisation layers are not covered.
Lemmas (`theory.softmax`): a mean moves by its diameter times tanh(osc/4); |Cov(y, t)| <= D_y D_t/4; |E y~ t~^2| <= D_y
D_t^2/(6 sqrt3); `mixed_third_cumulant` for two different directions. Everything is derived in this project.
"""

from collections.abc import Iterable

import sympy as sp

from theory.bound import Bound, Relation
from theory.notation import (
    attention_mean,
    dim,
    double_path_mean,
    head_sum,
    laplacian_integral,
    linear_path_remainder,
    logit_diameter,
    logit_norm,
    path_jacobian_mean,
    path_remainder,
    readout_diameter,
    readout_norm,
    readout_scale,
    residual_mean,
    sample_size,
    smoothed_width,
    token_diameter,
    token_norm,
    value_norm,
)
from theory.rademacher import readout_width
from theory.widths import gaussian_norm_mean, sudakov_fernique

QUANTITY = r"\hat{\mathfrak R}(\mathcal F)"
OURS = "derived in this project"
CUBE = 6 * sp.sqrt(3)
Expression = sp.Expr | int


def mixed_third_cumulant() -> Bound:
    """Upper, sharp: |E y~ t~ s~| <= D_y D_t D_s/8 for three readings, here with D_s = D_t: the mixed second derivative.

    Larger than the D_y D_t^2/(6 sqrt3) of equal directions, which is false here: three +-1/2 readings, uniform on the
    four points with product +1/8, give 1/8. Proof: Hoelder, and E|y~|^3 is convex in y, so at most its value p(1-p)(1 -
    2p(1-p)) D_y^3 <= D_y^3/8 for two atoms.
    """
    bound = readout_diameter * logit_diameter**2 / 8
    return Bound(r"|\mathbb E_\alpha\tilde y\tilde t\tilde s|", Relation.AT_MOST, bound, OURS)


def depth(blocks: Iterable[tuple[Expression, Expression, Expression]]) -> Bound:
    """U7, upper: R_hat <= sqrt(pi/2)/n (sum_b (Lam_b R_b m_{p_b})^(2/3))^(3/2), from triples (Lam_b, R_b, p_b).

    Parameters in a product of l2 (Frobenius) balls of radius R_b in dimension p_b, Lam_b^2 >= sum_i sup |grad_b
    f(x_i)|^2 with the supremum over the whole product. Proof: the product is convex, so increments are bounded by the
    gradients; `theory.widths.sudakov_fernique` with the width R_b m_{p_b}. Adversarial class: the supremum also over
    the inputs.
    """
    return sudakov_fernique(
        (aggregate, sp.sympify(radius) * gaussian_norm_mean(size)) for aggregate, radius, size in blocks
    )


def residual_gradients(layers: int) -> dict[str, tuple[sp.Expr, sp.Expr, sp.Expr]]:
    """Blocks u, V1, W1, V2, ... of the depth class -> (sup |grad f(x_i)| in the block, radius, dimension).

    |x^l_s| <= R_l = R_x (1 + nu)^l and diam x^l <= D_l = D_x (1 + nu)^l, as attention outputs lie in the hull of the
    tokens. Att moves by at most R_l |dV| in V Att, by nu R_l D_l^2/4 |dW|, and by (1 + B_w D_l (D_l + 2 R_l)/4)
    max|dx|.
    """
    if layers < 1:
        raise ValueError(f"layers must be at least 1, got {layers}")
    growth = 1 + value_norm
    sizes = [token_norm * growth**l for l in range(layers + 1)]
    widths = [token_diameter * growth**l for l in range(layers)]
    carried = [
        1 + value_norm * (1 + logit_norm * width * (width + 2 * size) / 4)
        for size, width in zip(sizes[:-1], widths, strict=True)
    ]
    blocks: dict[str, tuple[sp.Expr, sp.Expr, sp.Expr]] = {"u": (sizes[layers], readout_norm, dim)}
    for l in range(layers):
        later = readout_norm * sp.Mul(*carried[l + 1 :])
        blocks[f"V{l + 1}"] = (later * sizes[l], value_norm, dim**2)
        blocks[f"W{l + 1}"] = (later * value_norm * sizes[l] * widths[l] ** 2 / 4, logit_norm, dim**2)
    return blocks


def residual_depth(layers: int = 2, ball: str = "l2") -> Bound:
    """U7 for the depth class, upper, every constant explicit: Lam_b = sqrt(n) times `residual_gradients`."""
    parts = residual_gradients(layers)
    parts["u"] = (parts["u"][0], readout_width(ball) / gaussian_norm_mean(dim), dim)
    return depth((sp.sqrt(sample_size) * slope, radius, size) for slope, radius, size in parts.values())


def one_layer(ball: str = "l2") -> Bound:
    """Exact: f = <u, x_T + sum_h V_h a^h(W_h)>, |V_h|_F <= nu_h (or spectral), each W_h in a set of its own:
    R_hat = (B_u/n) (E h(S_x) + sum_h nu_h E max_W |S^h(W)|_2), S_x = sum eps_i x_iT, S^h(W) = sum eps_i a_i^h(W).

    h is |.|_2 for the l2 ball and |.|_inf for the l1 ball. Proof: the best V_h is nu_h (u/|u|) (x) S^h/|S^h|, of rank
    one, for every u; what remains, <u, S_x> + |u| sum_h nu_h |S^h|, is largest at u = B_u S_x/|S_x|, or at the best
    vertex of the l1 ball, all of which have |u|_2 = B_u. So H heads of one layer need H one-head suprema, no more.
    """
    if ball not in ("l2", "l1"):
        raise ValueError(f"ball must be l2 or l1, got {ball!r}")
    return Bound(QUANTITY, Relation.EQUAL, readout_norm / sample_size * (residual_mean + head_sum), OURS)


def path_gradients(linear: bool = False) -> dict[str, sp.Expr]:
    """sup |d(R1 + R2)/d block| of U12 for y, z, V1, W1, W2: what is left of two layers when the paths are subtracted.

    With y = V2^T u, z = V1^T y, g = Att(W1; x) and alpha the second layer's weights, alpha0 those at V1 = 0, pi those
    at zero logits, xbar = Att(0; x): R1 = <y, sum (alpha - alpha0)_s x_s>, R2 = <z, sum alpha_s g_s - sum pi_s xbar_s
    [- its derivative along W1 at 0, if `linear`]>. The logits of alpha are x_T^T W2 x_s plus a change of range e. V1
    moves them by (dV g_T)^T W2 x'_s + x'_T^T W2 dV g_s, W1 by the same with V1 dg, |dg_s| <= c1 |dW|; W2 enters alpha0
    too: covariances with the range e/B_w and a difference of covariances along a path of range e
    (`mixed_third_cumulant`).
    """
    r, d, nu, om = token_norm, token_diameter, value_norm, logit_norm
    top = r * (1 + nu)  # |x'_T|
    change = om * nu * (r * d + top * d)
    content = sp.tanh(om * top * d * (1 + nu) / 4)
    slope = r * d**2 / 4
    by_value = om * (r * d * (1 + nu) + top * d)
    by_logit = om * nu * slope * (d * (1 + nu) + 2 * top)
    both = (nu * d + nu**2 * d) / 4
    frozen = d * (om * r * d) ** 2 / (2 * CUBE) if linear else d * sp.tanh(om * r * d / 4)
    direct = sp.Min(2 * slope, 2 * slope * content + om * r**2 * d**3 / 8) if linear else slope
    mixed = nu * (d * nu * (r * d + top * d) / 4 + r * d**2 * sp.Min(change / 8, sp.Rational(1, 2)))
    return {
        "y": d * sp.tanh(change / 4),
        "z": d * content + frozen,
        "V1": both * by_value,
        "W1": both * by_logit + nu**2 * direct,
        "W2": mixed + nu**2 * d * top * d * (1 + nu) / 4,
    }


def path_width(linear: bool = False) -> Bound:
    """Upper: E sup sum_i eps_i (R1 + R2)(x_i) for |u| <= 1 (`path_remainder`, or `linear_path_remainder` if `linear`).

    Comparison over y, z, V1, W1, W2, taken as free in balls of radius nu, nu^2, nu, B_w, B_w (which only enlarges the
    class), Lam_b = sqrt(n) times `path_gradients`; or the trivial n (nu sup|R1|/|y| + nu^2 sup|R2|/|z|).
    """
    slopes = path_gradients(linear)
    radii = {"y": value_norm, "z": value_norm**2, "V1": value_norm, "W1": logit_norm, "W2": logit_norm}
    sizes = {"y": dim, "z": dim, "V1": dim**2, "W1": dim**2, "W2": dim**2}
    compared = depth((sp.sqrt(sample_size) * slopes[name], radii[name], sizes[name]) for name in slopes).expression
    trivial = sample_size * (value_norm * slopes["y"] + value_norm**2 * slopes["z"])
    quantity = r"\mathbb E\sup\sum_i\varepsilon_i(R_1+R_2)(x_i)"
    return Bound(quantity, Relation.AT_MOST, sp.Min(sample_size * compared, trivial), OURS)


def path(ball: str = "l2") -> Bound:
    """U12 (PATH), upper, two layers: R_hat <= (B_u/n) {E|S_x| + 2 nu Att + nu^2 E|S_PiPi| + min(path_remainder,
    linear_path_remainder + nu^2 B_w E|J~|_op)}.

    Att = E max_{|W|_F <= B_w} |sum eps_i a_i(W)|, one head on the input tokens with keys x_T (x) x_s (U9-U11); S_PiPi =
    sum eps_i sum_s pi_s xbar_is; J~ = sum eps_i sum_s pi_s Cov_{pi_s}(x, x_s (x) x); remainders: `path_width`.
    Different radii nu_l, B_w,l: take the largest.
    Proof: with c = V1^T u, y = V2^T u, z = V1^T y, f = <u, x_T> + <c, g_T> + <y, sum alpha_s x_s> + <z, sum alpha_s
    g_s> exactly, |c|, |y| <= nu and |z| <= nu^2. Subtract the paths <c, g_T>, <y, sum alpha0_s x_s> (one head each)
    and <z, sum pi_s xbar_s>; suprema of a sum are at most the sum of suprema.
    """
    paths = residual_mean + 2 * value_norm * attention_mean + value_norm**2 * double_path_mean
    linear = linear_path_remainder + value_norm**2 * logit_norm * path_jacobian_mean
    return _upper(paths + sp.Min(path_remainder, linear), ball)


def two_layer_divergence(
    share: Expression, readout: Expression = readout_scale, scales: dict[str, Expression] | None = None
) -> sp.Expr:
    """KL(s) of U13: sum_b (d^2/2) ln(1 + R_b^2/(d^2 tau_b^2 s^2)) + d ln(1 + 1/(d sigma^2)), s = `share` in (0, 1].

    Blocks: W2 and W1 (radius B_w), P = V1^T W2 and Q = W2 V1 (nu B_w), S = V1^T W2 V1 (nu^2 B_w), d^2 parameters each,
    smoothed at scale tau_b s (`scales`; 1 where not given); read-outs y and z, at sigma times their radii nu, nu^2.
    """
    radii = {"W2": logit_norm, "P": value_norm * logit_norm, "Q": value_norm * logit_norm, "W1": logit_norm}
    radii["S"] = value_norm**2 * logit_norm
    given = scales or {}
    if set(given) - set(radii):
        raise ValueError(f"unknown blocks {sorted(set(given) - set(radii))}: the smoothed blocks are {sorted(radii)}")
    total = dim * sp.log(1 + 1 / (dim * sp.sympify(readout) ** 2))
    for name, radius in radii.items():
        scale = sp.sympify(given.get(name, 1)) * sp.sympify(share)
        total += dim**2 * sp.log(1 + radius**2 / (dim**2 * scale**2)) / 2
    return total


def two_layer_semigroup(ball: str = "l2") -> Bound:
    """U13 (DPB), upper, two layers, R_x = 1: R_hat <= (B_u/n) {E|S_x| + nu Att + smoothed_width + laplacian_integral}.

    smoothed_width = sqrt(2 KL(1) ((nu + nu^2)^2 W + sigma^2 n (nu^2 + nu^4))), W >= sup_e sum_i max_s <e, x_is>^2;
    laplacian_integral = int_0^1 min{sqrt(2 KL(sqrt r) H (1 + sigma^2)), sqrt(n H)}/2 dr; KL: `two_layer_divergence`; H
    = sum_i H_i^2, H_i >= the norm in L2(noise) of sum_b tau_b^2 Delta_b G_i for |y| <= nu, |z| <= nu^2.
    Proof: f = <u, x_T> + <c, g_T> + G as for `path`, and the logits of alpha are linear in the free blocks W2, P, Q, S
    with features x_T (x) x_s, g_T (x) x_s, x_T (x) g_s, g_T (x) g_s. G = <y, sum alpha x> + <z, sum alpha g> is
    smoothed along the heat flow of (W2, P, Q, S, W1) as in `theory.rademacher_series.semigroup`; it is linear in y and
    z.
    """
    return _upper(residual_mean + value_norm * attention_mean + smoothed_width + laplacian_integral, ball)


def _upper(total: sp.Expr, ball: str) -> Bound:
    if ball not in ("l2", "l1"):
        raise ValueError(f"ball must be l2 or l1, got {ball!r}: both use the statistics of the l2 ball")
    return Bound(QUANTITY, Relation.AT_MOST, readout_norm / sample_size * total, OURS)


def two_layer_depth(ball: str = "l2") -> Bound:
    """U7 for two layers of the depth class, upper: see `residual_depth`."""
    return residual_depth(2, ball)


DEPTH_BOUNDS = {"U7-depth": two_layer_depth, "U12-paths": path, "U13-semigroup": two_layer_semigroup}
ONE_LAYER_BOUNDS = {"one-layer": one_layer}
