"""Misuses of the classical tools and of the cumulant bounds, kept because they are wrong: each is refuted by a case.

R_hat(F) = E_eps sup_f (1/n) sum_i eps_i f(x_i): 1/n and no absolute value.
"""

import sympy as sp

from theory.bound import Bound, Relation
from theory.notation import inner_complexity, lipschitz, logit_diameter, readout_diameter

OURS = "derived in this project"


def shared_sign_contraction() -> Bound:
    """Upper, refuted: R_hat(h o F) <= L E sup_f |(1/n) sum_i eps_i f(x_i)|_2, one sign per sample for all coordinates.

    h_i: l2 -> R, L-Lipschitz, f vector-valued, `inner_complexity` the mean on the right: "scalar contraction holds for
    vectors, with the norm of the sum". Wrong for softmax attention under a mask: of 2n tokens, sample i sees two of its
    own, with logits +-w_i and values +-1, so h_i(f_w(x_i)) = tanh w_i. For w in {+-c}^n R_hat = tanh c and L = 1/sqrt2,
    but the mean on the right is c sqrt(2/n). `theory.classical.vector_contraction`, with a sign per sample and
    coordinate, is right.
    """
    quantity = r"\hat{\mathfrak R}(h\circ\mathcal F)"
    return Bound(quantity, Relation.AT_MOST, lipschitz * inner_complexity, OURS)


def offset_contraction() -> Bound:
    """Upper, refuted: E sup_f (1/n) sum_i [eps_i phi(f_i) - phi(f_i)^2] <= L E sup_f (1/n) sum_i [eps_i f_i - f_i^2].

    phi: R -> R, L-Lipschitz, `inner_complexity` the mean on the right: "contraction holds for offset complexities".
    Wrong, because contraction shrinks the offset too: n = 1, F = {-1, 1}, phi(t) = t/2 give 1/4 on the left and 0 on
    the right.
    """
    quantity = r"\hat{\mathfrak R}_{\mathrm{off}}(\phi\circ\mathcal F)"
    return Bound(quantity, Relation.AT_MOST, lipschitz * inner_complexity, OURS)


def equal_direction_constant() -> Bound:
    """Upper, refuted: |E y~ t~ s~| <= D_y D_t^2/(6 sqrt3) for three readings with D_s = D_t: "the constant of equal
    directions holds for mixed ones".

    Wrong: three +-1/2 readings, uniform on the four points with product +1/8, give 1/8 > 0.0962. Right for t = s
    (`theory.softmax.third_cumulant`); 1/8 is right for all (`theory.rademacher_depth.mixed_third_cumulant`).
    """
    quantity = r"|\mathbb E_\alpha\tilde y\tilde t\tilde s|"
    return Bound(quantity, Relation.AT_MOST, readout_diameter * logit_diameter**2 / (6 * sp.sqrt(3)), OURS)


MISUSED_BOUNDS = {
    "shared-sign-contraction": shared_sign_contraction,
    "offset-contraction": offset_contraction,
    "equal-direction-constant": equal_direction_constant,
}
