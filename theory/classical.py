"""Classical tools: bounds on Rademacher complexities and covering numbers. How far complexities stray and what they
say about the risk is in `theory.concentration`.

R_hat(F) = E_eps sup_f (1/n) sum_i eps_i f(x_i): 1/n and no absolute value (the same for F = -F). G_hat has
standard normal g_i instead of the signs. |.|_n is the norm (mean_i f(x_i)^2)^(1/2). N(eps) is the least
number of closed balls of radius eps that cover, their centres anywhere. A class is assumed separable, so
that suprema are measurable.

Not valid: scalar contraction of a function of several logits (softmax attention, `theory.misuses`); use
`vector_contraction`.
"""

import dataclasses

import sympy as sp

from theory.bound import Bound, Proof, Relation
from theory.notation import (
    chaining_cut,
    class_radius,
    column_norm,
    columns,
    cover_scale,
    dim,
    feature_energy,
    gaussian_complexity,
    inner_complexity,
    input_norm,
    lipschitz,
    parameter_count,
    parameter_norm,
    rademacher_complexity,
    rows,
    sample_size,
    set_radius,
    set_size,
    sign_sum_maximum,
    sign_sum_norm,
)

QUANTITY = r"\hat{\mathfrak R}(\mathcal F)"
ENTROPY = r"\ln\mathcal N(\epsilon)"
OURS = "derived in this project"
TEXTBOOK = "Shalev-Shwartz and Ben-David, Understanding Machine Learning (2014)"
MASSART = f"Massart 2000; {TEXTBOOK}, Lemma 26.8"


def massart() -> Bound:
    """Upper: E max_{a in A} (1/n) sum eps_i a_i <= r_A sqrt(2 ln|A|)/n, A finite in R^n, r_A = max |a|_2.

    r_A may be the radius around any fixed centre: a shift of A does not change the mean. Proof: exponential
    moments, E e^(c eps_i a_i) <= e^(c^2 a_i^2/2), union over A, best c. Equality at |A| = 1.
    """
    bound = set_radius * sp.sqrt(2 * sp.log(set_size)) / sample_size
    return Bound(QUANTITY, Relation.AT_MOST, bound, MASSART, proof=Proof.CITED)


def scalar_contraction() -> Bound:
    """Upper, tight: R_hat(phi o F) <= L R_hat(F) for phi_i: R -> R, each L-Lipschitz (phi_i(0) = 0 is not
    needed).

    One real argument only. With an absolute value around the sum the factor is 2L and phi_i(0) = 0 is needed.
    Equality for phi_i(t) = L t. Proof: one coordinate at a time, sup (phi(t) + A) + sup (-phi(t') + A') <=
    sup L|t-t'| + A + A', and (t, t') may be exchanged.
    """
    reference = f"Ledoux and Talagrand 1991; {TEXTBOOK}, Lemma 26.9"
    quantity = r"\hat{\mathfrak R}(\phi\circ\mathcal F)"
    return Bound(quantity, Relation.AT_MOST, lipschitz * inner_complexity, reference, proof=Proof.CITED)


def vector_contraction() -> Bound:
    """Upper, tight: E sup (1/n) sum_i eps_i h_i(f(x_i)) <= sqrt2 L E sup (1/n) sum_ik eps_ik f_k(x_i).

    h_i: l2 -> R, L-Lipschitz; `inner_complexity` has one independent sign eps_ik per sample and coordinate.
    Proof: h(s) - h(s') <= L|s-s'|_2 <= sqrt2 L E|sum_k eps_k (s_k - s'_k)| (`linear_l2_lower`); then as for
    one real argument, sample by sample, the mean over eps_k taken outside the supremum. Equality for n = 1, the class
    {0, (1, 1)} and h the distance to a point on the line through both, beyond one of them.
    """
    bound = sp.sqrt(2) * lipschitz * inner_complexity
    reference = "after Maurer, A vector-contraction inequality for Rademacher complexities, 2016"
    return Bound(r"\hat{\mathfrak R}(h\circ\mathcal F)", Relation.AT_MOST, bound, reference)


def dudley(entropy: sp.Expr, cut: sp.Expr | int = chaining_cut, closed: bool = False) -> Bound:
    """Upper: R_hat <= 4 delta_0 + (12/sqrt n) int_{delta_0}^{r_F} sqrt(ln N(eps)) d eps, for every cut
    delta_0.

    entropy: upper bound on ln N(eps) of F in |.|_n, an expression in `cover_scale`. r_F = sup_f |f|_n. cut:
    delta_0 <= r_F; 0 where the integral converges. closed: Cauchy-Schwarz, int sqrt(H) <= ((r_F - delta_0)
    int H)^(1/2), with the integral done symbolically; otherwise it stays an Integral, which `evaluate` can
    do and `certified` cannot.
    Proof: covers at r_F 2^-j from the cover {0} at r_F (so 0 need not be in F); links of norm <= 3 r_F 2^-j,
    at most N_j^2 of them, Massart; stop at the last scale above 2 delta_0, so the rest is at most 4 delta_0.
    """
    span = (cover_scale, sp.sympify(cut), class_radius)
    if closed:
        area = sp.integrate(entropy, span)
        if area.has(sp.Integral):
            raise ValueError(f"SymPy cannot integrate {entropy}: pass a simpler upper bound, or closed=False")
        integral = sp.sqrt((class_radius - span[1]) * area)
    else:
        integral = sp.Integral(sp.sqrt(entropy), span)
    bound = 4 * span[1] + 12 / sp.sqrt(sample_size) * integral
    return Bound(QUANTITY, Relation.AT_MOST, bound, OURS + ", after Dudley 1967", span[1] <= class_radius)


def dudley_linear() -> Bound:
    """Upper: {x -> <w, x>: |w|_2 <= B_p}, p parameters, has R_hat <= 12 r_F sqrt(p ln(27/4)/n).

    `dudley` at delta_0 = 0. Proof: the class is an ellipsoid of semi-axes at most r_F in |.|_n, so inside a ball of
    that radius (`ball_cover`), and int_0^r ln(1 + 2r/eps) d eps = r ln(27/4).
    """
    bound = dudley(ball_cover().expression.subs(parameter_norm, class_radius), 0, closed=True)
    return dataclasses.replace(bound, expression=sp.simplify(bound.expression))


def linear_l2() -> Bound:
    """Exact: {x -> <w, x>: |w|_2 <= B_p} has R_hat = (B_p/n) E|sum eps_i x_i|_2."""
    return Bound(QUANTITY, Relation.EQUAL, parameter_norm / sample_size * sign_sum_norm, OURS)


def linear_l2_upper() -> Bound:
    """Upper, tight: R_hat <= (B_p/n) (sum |x_i|^2)^(1/2), by Jensen; equality for orthogonal x_i."""
    return Bound(QUANTITY, Relation.AT_MOST, parameter_norm / sample_size * sp.sqrt(feature_energy), OURS)


def linear_l2_lower() -> Bound:
    """Lower, tight: R_hat >= (B_p/(sqrt2 n)) (sum |x_i|^2)^(1/2); equality at n = 2, x_1 = x_2.

    Proof: f(eps) = |sum eps_i x_i| is even, so its Fourier degrees on the cube are 0, 2, 4, ... and the
    Laplacian Lf = sum_i (f - f(flip i))/2 has E f Lf >= 2 (E f^2 - (E f)^2). By the triangle inequality
    sum_i f(flip i) >= (n-2) f, so Lf <= f. Hence (E f)^2 >= E f^2 / 2 = sum |x_i|^2 / 2.
    """
    bound = parameter_norm / sample_size * sp.sqrt(feature_energy / 2)
    reference = "Khintchine-Kahane with the best constant, after Szarek 1976, Latala and Oleszkiewicz 1994"
    return Bound(QUANTITY, Relation.AT_LEAST, bound, reference)


def linear_l1() -> Bound:
    """Exact: {x -> <w, x>: |w|_1 <= B_p} has R_hat = (B_p/n) E|sum eps_i x_i|_inf."""
    return Bound(QUANTITY, Relation.EQUAL, parameter_norm / sample_size * sign_sum_maximum, OURS)


def linear_l1_upper() -> Bound:
    """Upper: R_hat <= (B_p/n) max_k |X_k|_2 sqrt(2 ln 2d): Massart on the 2d vectors +-X_k of coordinate k."""
    bound = parameter_norm / sample_size * column_norm * sp.sqrt(2 * sp.log(2 * dim))
    return Bound(QUANTITY, Relation.AT_MOST, bound, OURS)


def rademacher_by_gaussian() -> Bound:
    """Upper, tight: R_hat <= sqrt(pi/2) G_hat. Proof: E|g_i| = sqrt(2/pi), Jensen. Equality at n = 1, F =
    {-1, 1}.
    """
    return Bound(QUANTITY, Relation.AT_MOST, sp.sqrt(sp.pi / 2) * gaussian_complexity, OURS)


def gaussian_by_rademacher() -> Bound:
    """Upper: G_hat <= sqrt(2 ln 2n) R_hat. Proof: g_i = eps_i |g_i|, contraction by max|g_i|, E max|g_i| <=
    the root.
    """
    bound = sp.sqrt(2 * sp.log(2 * sample_size)) * rademacher_complexity
    return Bound(r"\hat{\mathfrak G}(\mathcal F)", Relation.AT_MOST, bound, OURS)


def zhang_cover() -> Bound:
    """Upper: {x -> <w, x>: |w|_2 <= B_p} on n points |x_i|_2 <= B_x, in max_i |.|, any dimension:
    ln N <= 36 (B_p B_x/eps)^2 ln(2 ceil(4 B_p B_x/eps + 2) n + 1). Source: after Zhang, JMLR 2, 2002 (from
    memory).
    """
    ratio = parameter_norm * input_norm / cover_scale
    bound = 36 * ratio**2 * sp.log(2 * sp.ceiling(4 * ratio + 2) * sample_size + 1)
    return Bound(ENTROPY, Relation.AT_MOST, bound, "after Zhang, JMLR 2 (2002) 527-550", proof=Proof.RECALLED)


def matrix_cover() -> Bound:
    """Upper: {W, d_1 x d_2: sum |W_jk| <= B_p} in sup over |x|_2 <= B_x of |(W - W')x|_2, however many
    inputs: ln N <= ceil(B_p^2 B_x^2/eps^2) ln(2 d_1 d_2).

    Proof (Maurey): W is a mean of the 2 d_1 d_2 matrices +-B_p E_jk; the mean of k draws is within B_p/sqrt
    k of W in Frobenius norm for some draw. (With ln(2 d_1 d_2 + 1), looser: Trauger and Tewari 2024.)
    """
    count = sp.ceiling((parameter_norm * input_norm / cover_scale) ** 2)
    return Bound(ENTROPY, Relation.AT_MOST, count * sp.log(2 * rows * columns), OURS)


def ball_cover() -> Bound:
    """Upper: the l2 ball of radius B_p in R^p has ln N(eps) <= p ln(1 + 2 B_p/eps).

    Proof: a maximal eps-separated set is a cover, and the balls of radius eps/2 around it are disjoint
    inside radius B_p + eps/2: compare volumes.
    """
    bound = parameter_count * sp.log(1 + 2 * parameter_norm / cover_scale)
    return Bound(ENTROPY, Relation.AT_MOST, bound, OURS)


CLASSICAL_BOUNDS = {
    "massart": massart,
    "scalar-contraction": scalar_contraction,
    "vector-contraction": vector_contraction,
    "dudley-linear": dudley_linear,
    "linear-l2": linear_l2,
    "linear-l2-upper": linear_l2_upper,
    "linear-l2-lower": linear_l2_lower,
    "linear-l1": linear_l1,
    "linear-l1-upper": linear_l1_upper,
    "rademacher-by-gaussian": rademacher_by_gaussian,
    "gaussian-by-rademacher": gaussian_by_rademacher,
    "zhang-cover": zhang_cover,
    "matrix-cover": matrix_cover,
    "ball-cover": ball_cover,
}
