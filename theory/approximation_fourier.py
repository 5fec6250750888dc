r"""Fourier series: f of period 2 pi, partial sums S_n of frequencies |k| <= n, best trigonometric approximation.

Errors in L2 are over one period with d theta, so for g(x) = f(pi x) in L2(-1, 1) they are divided by sqrt(pi). V_r
(`variation`, of order `variation_order`) is the variation of f^(r) over the circle, with f, .., f^(r-1) absolutely
continuous on it: a function that does not close has r = 0, and its V_0 counts the jump.
"""

import sympy as sp

from theory.bound import Bound, Proof, Relation
from theory.notation import (
    coefficient_index,
    degree,
    derivative_maximum,
    function_bound,
    hoelder_constant,
    hoelder_exponent,
    jump_size,
    strip_width,
    variation,
    variation_order,
)

OURS = "derived in this project"
SUP_ERROR = r"|f-S_nf|_\infty"
MEAN_ERROR = r"|f-S_nf|_2"
BEST = r"\min_p|f-p|_\infty"
HALF = sp.Rational(1, 2)


def favard_constant(order: int) -> sp.Expr:
    """K_r = (4/pi) sum_k ((-1)^k/(2k+1))^(r+1) = (pi/2)^r A_r/r!: 1, pi/2, pi^2/8, pi^3/24, ..

    A_r = 1, 1, 1, 2, 5, .. counts alternating permutations: 2 A_(r+1) = sum_k C(r, k) A_k A_(r-k). ValueError for
    r < 0.
    """
    if order < 0:
        raise ValueError(f"a derivative has an order of at least 0, got {order}: use order=1")
    zigzag = [sp.Integer(1), sp.Integer(1)]
    for r in range(1, order):
        zigzag.append(sum((sp.binomial(r, k) * zigzag[k] * zigzag[r - k] for k in range(r + 1)), sp.Integer(0)) / 2)
    return (sp.pi / 2) ** order * zigzag[order] / sp.factorial(order)


def fourier_coefficient() -> Bound:
    """Upper, tight: |c_k| <= V_r/(2 pi k^(r+1)), k >= 1.

    Proof: r partial integrations, then one against the measure df^(r). Equality for the square wave, r = 0, odd k.
    """
    bound = variation / (2 * sp.pi * coefficient_index ** (variation_order + 1))
    return Bound(r"|c_k|", Relation.AT_MOST, bound, OURS)


def fourier_variation() -> Bound:
    """Upper: |f - S_n f|_inf <= V_r/(pi r (n + 1/2)^r), r >= 1.

    Proof: 2 sum_{k>n} of `fourier_coefficient`, and k^-s is at most its mean on [k - 1/2, k + 1/2] (convexity), so the
    tail starts at n + 1/2. The usual n^r is larger.
    """
    bound = variation / (sp.pi * variation_order * (degree + HALF) ** variation_order)
    return Bound(SUP_ERROR, Relation.AT_MOST, bound, OURS, variation_order >= 1)


def fourier_variation_mean() -> Bound:
    """Upper: |f - S_n f|_2 <= V_r/sqrt(pi (2r+1)) (n + 1/2)^(-r-1/2), r >= 0.

    Proof: 4 pi sum_{k>n} |c_k|^2 and the tail of `fourier_variation`.
    """
    power = variation_order + HALF
    bound = variation / sp.sqrt(sp.pi * (2 * variation_order + 1)) * (degree + HALF) ** (-power)
    return Bound(MEAN_ERROR, Relation.AT_MOST, bound, OURS)


def fourier_strip() -> Bound:
    """Upper: f analytic with |f| <= M for |Im theta| < a has |f - S_n f|_inf <= 2 M e^(-a n)/(e^a - 1).

    Proof: |c_k| <= M e^(-a|k|), the path of integration moved to the edge of the strip; a geometric series.
    """
    bound = 2 * function_bound * sp.exp(-strip_width * degree) / (sp.exp(strip_width) - 1)
    return Bound(SUP_ERROR, Relation.AT_MOST, bound, OURS)


def sawtooth_upper() -> Bound:
    """Upper: the sawtooth of jump J, linear but for one jump per period, has |f - S_n f|_2 <= J/sqrt(pi (n + 1/2)).

    |c_k| = J/(2 pi k) exactly. So half as large as `fourier_variation_mean`, where V_0 = 2J.
    """
    return Bound(MEAN_ERROR, Relation.AT_MOST, jump_size / sp.sqrt(sp.pi * (degree + HALF)), OURS)


def sawtooth_lower() -> Bound:
    """Lower: the sawtooth of jump J has |f - S_n f|_2 >= J/sqrt(pi (n + 1)): Fourier series stay at n^(-1/2)."""
    return Bound(MEAN_ERROR, Relation.AT_LEAST, jump_size / sp.sqrt(sp.pi * (degree + 1)), OURS)


def jumps_like_one() -> Bound:
    """Upper, wrong: that functions whose jumps have size J have |f - S_n f|_2 <= J/sqrt(pi n), n >= 1, like a sawtooth.

    Kept to be refuted: a square wave has two jumps per period, and sqrt2 times that error.
    """
    return Bound(
        MEAN_ERROR, Relation.AT_MOST, jump_size / sp.sqrt(sp.pi * degree), "false: see sawtooth_upper", degree >= 1
    )


def gibbs_overshoot() -> Bound:
    """Exact: S_n of the sawtooth of jump J rises (J/pi) sum_{k=1}^n sin(k pi/(n+1))/k - J/2 above its largest value.

    n >= 1. Proof: (S_n)' is a Dirichlet kernel, so the first maximum after the jump is at pi/(n+1), and it is the
    highest.
    """
    k = sp.Dummy("k", integer=True, positive=True)
    waves = sp.Sum(sp.sin(k * sp.pi / (degree + 1)) / k, (k, 1, degree))
    bound = jump_size * (waves / sp.pi - HALF)
    return Bound(r"\max S_nf-\max f", Relation.EQUAL, bound, OURS, degree >= 1)


def gibbs_limit() -> Bound:
    """Upper: the overshoot of `gibbs_overshoot` is below 0.08949 J for every n; it tends to (Si(pi)/pi - 1/2) J.

    Proof: Si(pi)/pi - 1/2 = 0.0894899, and sum_{k<=n} sin(k t)/k < Si(pi) for 0 < t < pi (Gronwall 1912).
    """
    bound = sp.Rational(8949, 100000) * jump_size
    return Bound(r"\max S_nf-\max f", Relation.AT_MOST, bound, OURS)


def periodic_jackson(order: int = 2) -> Bound:
    """Upper, sharp: trigonometric polynomials of degree n reach f within K_r (n+1)^(-r) |f^(r)|_inf, r = `order` >= 1.

    Proof: f is its mean plus (1/pi) int D(t - s) f^(r)(s) ds, D = sum_k cos(kt - r pi/2)/k^r, so the error is at most
    |f^(r)|_inf/pi times that of D in L1. Let s = sgn cos((n+1)t) for even r, sgn sin((n+1)t) for odd r, and p meet D at
    the 2n + 2 sign changes of s (for r = 1 D jumps at one). D - p has no more: r - 1 times Rolle leaves a sawtooth less
    a p of degree n, with at most 2n + 1 zeros and its jump. So |D - p|_1 = |int D s|, as s is orthogonal to degree n.
    Equality for f^(r) = s (Euler splines).
    """
    bound = favard_constant(order) * (degree + 1) ** (-order) * derivative_maximum
    reference = "after Favard 1937, Akhiezer and Krein 1937; derived in this project"
    return Bound(BEST, Relation.AT_MOST, bound, reference)


def hoelder_jackson() -> Bound:
    """Upper, sharp: trigonometric polynomials of degree n reach f, |f(s) - f(t)| <= L |s-t|^alpha, within (L/2)
    (pi/(n+1))^alpha, 0 < alpha <= 1.

    Korneichuk: half the modulus of continuity at pi/(n+1), if that is concave; alpha = 1 is `periodic_jackson`.
    Equality for (L/2)(2t)^alpha on 0 <= t <= pi/(2n+2), continued oddly, and evenly around its peaks.
    """
    bound = hoelder_constant / 2 * (sp.pi / (degree + 1)) ** hoelder_exponent
    reference = "Korneichuk, The exact constant in D. Jackson's theorem, Doklady 1962, equation (1)"
    return Bound(BEST, Relation.AT_MOST, bound, reference, hoelder_exponent <= 1, proof=Proof.CITED)


FOURIER_BOUNDS = {
    "fourier-coefficient": fourier_coefficient,
    "fourier-variation": fourier_variation,
    "fourier-variation-mean": fourier_variation_mean,
    "fourier-strip": fourier_strip,
    "fourier-sawtooth-upper": sawtooth_upper,
    "fourier-sawtooth-lower": sawtooth_lower,
    "fourier-gibbs-overshoot": gibbs_overshoot,
    "fourier-gibbs-limit": gibbs_limit,
    "fourier-jackson": periodic_jackson,
    "fourier-hoelder": hoelder_jackson,
}
FOURIER_REFUTED = {"fourier-jumps-like-one": jumps_like_one}
