"""How far a Rademacher complexity strays from its mean, over the signs and over the data, and what it says about the
risk.

R_hat(F) = E_eps sup_f (1/n) sum_i eps_i f(x_i), R_n its mean over the sample. A class is assumed separable, so that
suprema are measurable.
"""

import sympy as sp

from theory.bound import Bound, Relation
from theory.notation import (
    deviation,
    draws,
    empirical_risk,
    failure_probability,
    function_bound,
    function_energy,
    rademacher_complexity,
    sample_size,
)

OURS = "derived in this project"
PROPER_PROBABILITY = failure_probability < 1


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


CONCENTRATION_BOUNDS = {
    "sign-tail": sign_tail,
    "sign-radius": sign_radius,
    "data-tail": data_tail,
    "generalisation": generalisation,
    "generalisation-sharper": generalisation_sharper,
}
