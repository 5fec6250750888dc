"""Bounds on the empirical Rademacher complexity of one attention head, as symbolic objects.

Class: f_{u,w}(X_i) = <u, a_i(w)>, a_i(w) = sum_j softmax_j(<w, k_ij> + b_ij) v_ij, |w|_2 <= B_w, u in B_u times the
unit l2 ball or the unit l1 ball. R_hat = E_eps sup (1/n) sum_i eps_i f(X_i): 1/n and no absolute value.

The encoding enters through statistics of the sample (`estimators.supremum.certificates` computes them):
  value_energy            sigma_v^2 = sum_i max_j |v_ij|_2^2
  value_bound_sum         sum_i max_j h(v_ij), h the dual norm of the read-out ball
  covariance_lipschitz    (sum_i (D_i D_k,i/4)^2)^(1/2), D_i = sup_u range_j <u, v_ij> over the unit ball,
                          D_k,i the diameter of the keys of sample i
  tilted_key_energy       sum_ij abar_ij D_i^2 |k_ij - c_i|^2, abar_ij the largest weight token j can get
  tilted_value_energy     sum_ij abar_ij |v_ij|^2 (l2), max over coordinates a of sum_ij abar_ij v_ija^2 (l1)
  frozen_energy           sum_i |a_i(0)|^2 (l2), max over coordinates of sum_i a_i(0)_a^2 (l1)
  jacobian_energy         sum_i |Cov(v_i, k_i)|_F^2 at w = 0
  third_cumulant_sum      sum_i D_i D_k,i^2 / (6 sqrt3)
  third_cumulant_energy   (sum_i (D_i D_k,i^2 / (6 sqrt3))^2)^(1/2)
  hull_radius_sum         sum_i max_w h(a_i(w) - a_i(0)), bounded over the box-tilted simplex
Every statement is derived in this project unless its reference says otherwise.
"""

import sympy as sp

from theory.bound import Bound, Proof, Relation
from theory.notation import (
    covariance_lipschitz,
    dim,
    frozen_energy,
    hull_radius_sum,
    jacobian_energy,
    logit_dim,
    logit_norm,
    readout_norm,
    sample_size,
    third_cumulant_energy,
    third_cumulant_sum,
    tilted_key_energy,
    tilted_value_energy,
    value_bound_sum,
    value_energy,
)
from theory.widths import gaussian_norm_mean, sudakov_fernique

QUANTITY = r"\hat{\mathfrak R}(\mathcal F)"
OURS = "derived in this project"


Block = tuple[sp.Expr, sp.Expr]  # Lipschitz aggregate, Gaussian width


def readout_width(ball: str) -> sp.Expr:
    """E max_{u in U} <g, u>, U = B_u times the unit ball: B_u m_d (l2) or at most B_u min{sqrt(2 ln 2d), m_d} (l1)."""
    if ball == "l2":
        return readout_norm * gaussian_norm_mean(dim)
    return readout_norm * sp.Min(sp.sqrt(2 * sp.log(2 * dim)), gaussian_norm_mean(dim))


def _coordinate_factor(ball: str) -> sp.Expr:
    return sp.Integer(1) if ball == "l2" else sp.sqrt(2 * sp.log(2 * dim))


def _blocks(ball: str) -> tuple[Block, Block, Block, Block]:
    """Blocks for Gaussian comparison: read-out of U2, of U3, query of U2, of U3."""
    one = sp.Integer(1)
    return (
        (sp.sqrt(value_energy), readout_width(ball)),
        (one, readout_norm * _coordinate_factor(ball) * sp.sqrt(tilted_value_energy)),
        (readout_norm * covariance_lipschitz, logit_norm * gaussian_norm_mean(logit_dim)),
        (one, readout_norm * logit_norm * sp.sqrt(tilted_key_energy) / 2),
    )


def _least(first: Block, second: Block) -> Block:
    return sp.Integer(1), sp.Min(first[0] * first[1], second[0] * second[1])


def _compared(*blocks: Block) -> sp.Expr:
    return sudakov_fernique(blocks).expression


def trivial(ball: str = "l2") -> Bound:
    """U1, upper: R_hat <= (B_u/n) sum_i max_j h(v_ij). Proof: a_i(w) is a mean of values."""
    return Bound(QUANTITY, Relation.AT_MOST, readout_norm * value_bound_sum / sample_size, OURS)


def width(ball: str = "l2") -> Bound:
    """U2, upper: sqrt(pi/2)/n [(sigma_v omega(U))^(2/3) + (B_u Lambda B_w m_d)^(2/3)]^(3/2).

    Proof: <u,a> - <u',a'> = <u-u',a> + <u',a-a'>; the first is at most |u-u'| max_j |v_ij|; the second at most
    sup_w |Cov(<u',v_i>,k_i)| |w-w'| <= B_u D_i D_k,i/4 |w-w'|; then Gaussian comparison by blocks.
    No T, no logarithm, no exponential. With one layer it coincides with the general-depth bound (U7).
    """
    readout, _, query, _ = _blocks(ball)
    return Bound(QUANTITY, Relation.AT_MOST, _compared(readout, query), OURS)


def contraction(ball: str = "l2") -> Bound:
    """U3, upper: weighted contraction; T enters only through the effective length sum_j abar_ij.

    Proof: in the coordinates sqrt(abar_ij) s_ij and sqrt(abar_ij) <u, v_ij> the head has gradient at most D_i/2 and 1,
    because sum_j alpha_j^2/abar_j <= 1 and sum_j alpha_j (y_j - ybar)^2 <= D_i^2/4; then Gaussian comparison.
    D_i stands inside the sum, which is never worse than its maximum outside.
    """
    _, readout, _, query = _blocks(ball)
    return Bound(QUANTITY, Relation.AT_MOST, _compared(readout, query), OURS)


def mixed_blocks(ball: str = "l2") -> Bound:
    """U4, upper: the read-out block and the query block are chosen from U2 and U3 independently."""
    wide_readout, tilted_readout, wide_query, tilted_query = _blocks(ball)
    expression = _compared(_least(wide_readout, tilted_readout), _least(wide_query, tilted_query))
    return Bound(QUANTITY, Relation.AT_MOST, expression, OURS)


def taylor_remainder(ball: str = "l2") -> sp.Expr:
    """Least of two bounds on E sup (1/n) sum eps_i r_i, r_i = <u, a_i(w) - a_i(0) - J_i w>.

    Worst case: |r_i| <= B_u B_w^2/2 times the third-cumulant bound H_i. Gaussian comparison: r_i has gradient at most
    B_u B_w H_i in w; in u it has gradient at most B_w^2 H_i/2 (l2), and for the l1 ball, where the supremum sits at a
    vertex B_u (+-e_a) and two vertices differ by at least sqrt2 B_u, increments of at most B_w^2 H_i B_u.
    """
    worst = readout_norm * logit_norm**2 * third_cumulant_sum / (2 * sample_size)
    scale = logit_norm**2 * third_cumulant_energy
    slope = scale / 2 if ball == "l2" else scale / sp.sqrt(2)
    query = (readout_norm * scale, gaussian_norm_mean(logit_dim))
    return sp.Min(worst, _compared((slope, readout_width(ball)), query))


def taylor(ball: str = "l2") -> Bound:
    """U5, upper: linearisation at w = 0 and its remainder.

    (B_u/n) F (frozen_energy)^(1/2) + (B_u B_w/n) (jacobian_energy)^(1/2) + remainder, F = 1 (l2) or sqrt(2 ln 2d) (l1).
    """
    frozen = _coordinate_factor(ball) * sp.sqrt(frozen_energy)
    linear = logit_norm * sp.sqrt(jacobian_energy)
    expression = readout_norm * (frozen + linear) / sample_size + taylor_remainder(ball)
    return Bound(QUANTITY, Relation.AT_MOST, expression, OURS)


def hull(ball: str = "l2") -> Bound:
    """U8, upper: every a_i replaced by its own worst point; does not decay with n, useful for tiny n only.

    (B_u/n) (F (frozen_energy)^(1/2) + sum_i max_w h(a_i(w) - a_i(0))).
    """
    frozen = _coordinate_factor(ball) * sp.sqrt(frozen_energy)
    return Bound(QUANTITY, Relation.AT_MOST, readout_norm * (frozen + hull_radius_sum) / sample_size, OURS)


def covering(ball: str = "l2") -> Bound:
    """Covering-number baseline, upper: Dudley's integral over volumetric covers, every constant explicit.

    |f - f'|_{L2(P_n)} <= (sigma_v |u-u'| + B_u Lambda |w-w'|)/sqrt n; eps/2 covers of both balls give
    ln N(eps) <= d ln(1 + 4 B_u s/eps) + d_w ln(1 + 4 B_u B_w l/eps), s = sigma_v/sqrt n, l = Lambda/sqrt n. The l1
    ball lies in the l2 ball. With R = B_u s the largest norm, Cauchy-Schwarz on (0, R) and
    int_0^R ln(1 + c/x) dx = R ln(1 + c/R) + c ln(1 + R/c), (d_c, c) in {(d, 4 B_u s), (d_w, 4 B_u B_w l)}:
    R_hat <= (12/sqrt n) (R sum_c d_c [R ln(1 + c/R) + c ln(1 + R/c)])^(1/2).
    """
    spread = readout_norm * sp.sqrt(value_energy / sample_size)
    slope = readout_norm * logit_norm * covariance_lipschitz / sp.sqrt(sample_size)

    def integral(constant: sp.Expr) -> sp.Expr:
        ratio = constant / spread
        return spread * (sp.log(1 + ratio) + ratio * sp.log(1 + 1 / ratio))

    frozen = spread * (sp.log(5) + 4 * sp.log(sp.Rational(5, 4)))
    query = sp.Piecewise((integral(4 * slope), slope > 0), (0, True))
    positive = 12 / sp.sqrt(sample_size) * sp.sqrt(spread * (dim * frozen + logit_dim * query))
    # Without values or without read-out every function is 0, and the ratio above is undefined.
    expression = sp.Piecewise((positive, spread > 0), (0, True))
    return Bound(QUANTITY, Relation.AT_MOST, expression, "derived here from Dudley's integral, 12/sqrt n form")


def khintchine(ball: str = "l2") -> Bound:
    """Lower: R_hat >= (B_u/(sqrt2 n)) (frozen_energy)^(1/2), the class contains every read-out of a_i(0).

    Sharp constant 1/sqrt2 of the Khintchine inequality, in Hilbert space for the l2 ball and on the best
    coordinate for the l1 ball. Any fixed query may stand in for w = 0.
    """
    expression = readout_norm * sp.sqrt(frozen_energy) / (sp.sqrt(2) * sample_size)
    reference = "Szarek 1976; Latala and Oleszkiewicz, Studia Math. 109 (1994), for vectors"
    return Bound(QUANTITY, Relation.AT_LEAST, expression, reference, proof=Proof.CITED)


def frozen_linear(ball: str = "l2") -> Bound:
    """Upper, class `frozen`: (B_u/n) F (frozen_energy)^(1/2); Jensen for l2, Massart over 2d points for l1."""
    expression = readout_norm * _coordinate_factor(ball) * sp.sqrt(frozen_energy) / sample_size
    return Bound(QUANTITY, Relation.AT_MOST, expression, "Jensen (l2); Massart 2000 (l1)", proof=Proof.CITED)


# One line per statement: word in tables and JSON -> bound. `certificates` may give the upper end.
QUERY_CERTIFICATES = {
    "U1-trivial": trivial,
    "U2-width": width,
    "U3-contraction": contraction,
    "U4-mixed": mixed_blocks,
    "U5-taylor": taylor,
    "U8-hull": hull,
}
QUERY_BOUNDS = {
    "khintchine": khintchine,
    "U2-width": width,
    "U3-contraction": contraction,
    "U5-taylor": taylor,
    "covering": covering,
}
FROZEN_CERTIFICATES = {"U1-trivial": trivial, "linear": frozen_linear}
FROZEN_BOUNDS = {"khintchine": khintchine, "linear": frozen_linear, "U1-trivial": trivial}
