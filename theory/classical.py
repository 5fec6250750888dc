"""Classical tools: bounds on Rademacher complexities and covering numbers, and what a complexity says about
the risk.

R_hat(F) = E_eps sup_f (1/n) sum_i eps_i f(x_i): 1/n and no absolute value (the same for F = -F). G_hat has
standard normal g_i instead of the signs. |.|_n is the norm (mean_i f(x_i)^2)^(1/2). N(eps) is the least
number of closed balls of radius eps that cover, their centres anywhere. A class is assumed separable, so
that suprema are measurable.

Not valid: scalar contraction of a function of several logits (softmax attention); use `vector_contraction`.
"""

import sympy as sp

from theory.bound import Bound, Proof, Relation
from theory.notation import (
    chaining_cut,
    class_radius,
    column_norm,
    columns,
    cover_scale,
    deviation,
    dim,
    draws,
    empirical_risk,
    failure_probability,
    feature_energy,
    function_bound,
    function_energy,
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
PROPER_PROBABILITY = failure_probability < 1


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
    """Upper: E sup (1/n) sum_i eps_i h_i(f(x_i)) <= sqrt2 L E sup (1/n) sum_ik eps_ik f_k(x_i).

    h_i: l2 -> R, L-Lipschitz; `inner_complexity` has one independent sign eps_ik per sample and coordinate.
    Proof: h(s) - h(s') <= L|s-s'|_2 <= sqrt2 L E|sum_k eps_k (s_k - s'_k)| (`linear_l2_lower`); then as for
    one real argument, sample by sample, the mean over eps_k taken outside the supremum.
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
    """Upper: R_hat <= (B_p/n) max_k |X_k|_2 sqrt(2 ln 2d): Massart on the 2d vectors +-X_k of coordinate k.
    """
    bound = parameter_norm / sample_size * column_norm * sp.sqrt(2 * sp.log(2 * dim))
    return Bound(QUANTITY, Relation.AT_MOST, bound, OURS)


def sign_tail() -> Bound:
    """Upper: P(|mean of K draws - R_hat| >= t) <= 2 exp(-K n^2 t^2 / (2 sum M_i^2)), M_i = sup_f |f(x_i)|.

    Each draw: sup_f (1/n) sum eps_i f(x_i), fresh signs. Proof: flipping one sign moves the mean by 2 M_i/(n
    K) at most; McDiarmid. It holds for the exact suprema: a search or a certificate inherits it by
    monotonicity.
    """
    exponent = draws * sample_size**2 * deviation**2 / (2 * function_energy)
    quantity = r"P(|\bar R_K-\hat{\mathfrak R}|\ge t)"
    return Bound(quantity, Relation.AT_MOST, 2 * sp.exp(-exponent), OURS, assumptions=function_energy > 0)


def sign_radius() -> Bound:
    """Upper: with probability 1-delta, |mean of K draws - R_hat| <= (sqrt(sum M_i^2)/n) sqrt(2
    ln(2/delta)/K).
    """
    radius = sp.sqrt(function_energy) / sample_size * sp.sqrt(2 * sp.log(2 / failure_probability) / draws)
    quantity = r"|\bar R_K-\hat{\mathfrak R}|"
    return Bound(quantity, Relation.AT_MOST, radius, OURS, assumptions=PROPER_PROBABILITY)


def data_tail() -> Bound:
    """Upper: P(|R_hat - E R_hat| >= t) <= 2 exp(-2 n t^2 / M^2), samples independent, |f| <= M for all f.

    Four times the usual exponent n t^2/(2 M^2). Proof: with A(f) the terms of the other samples, the mean
    over eps_i of sup (A + eps_i f(x_i)/n) lies in [sup A, sup A + M/n] whatever x_i is (lower end: the mean
    of two suprema is at least the supremum of the mean), so changing x_i moves R_hat by M/n, not 2M/n;
    McDiarmid. A class with range [c-M, c+M] will do, for a constant leaves R_hat unchanged.
    """
    exponent = 2 * sample_size * deviation**2 / function_bound**2
    quantity = r"P(|\hat{\mathfrak R}-\mathfrak R_n|\ge t)"
    return Bound(quantity, Relation.AT_MOST, 2 * sp.exp(-exponent), OURS)


def generalisation() -> Bound:
    """Upper: with probability 1-delta, for all g in a class of [0,1]-valued functions at once,
    E g <= mean_i g(x_i) + 2 R_hat + 3 sqrt(ln(2/delta)/(2n)), x_i i.i.d.

    The form of the textbooks; `generalisation_sharper` is smaller and proves it.
    """
    slack = 3 * sp.sqrt(sp.log(2 / failure_probability) / (2 * sample_size))
    bound = empirical_risk + 2 * rademacher_complexity + slack
    reference = "after Mohri, Rostamizadeh and Talwalkar, Foundations of Machine Learning, chapter 3"
    return Bound(r"\mathbb Eg", Relation.AT_MOST, bound, reference, PROPER_PROBABILITY)


def generalisation_sharper() -> Bound:
    """Upper: as `generalisation`, with slack 2 sqrt(ln(1/delta)/(2n)): 2 for 3 and 1/delta for 2/delta.

    Proof: Z = sup_g (E g - mean g) - 2 R_hat has E Z <= 0 by symmetrisation. Changing one x_i moves the
    first term by 1/n and R_hat by 1/(2n) (see `data_tail`; g - 1/2 is bounded by 1/2), so Z by 2/n: one use
    of McDiarmid.
    """
    slack = sp.sqrt(2 * sp.log(1 / failure_probability) / sample_size)
    bound = empirical_risk + 2 * rademacher_complexity + slack
    return Bound(r"\mathbb Eg", Relation.AT_MOST, bound, OURS, PROPER_PROBABILITY)


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
