r"""Polynomials of degree n on [-1, 1]: Chebyshev and Legendre series, best approximation, Legendre codes on a grid.

f_n is the series cut after degree n, E_n(f) the least sup error of any polynomial of degree n. V_nu (`variation`, of
order `variation_order`) is the total variation of f^(nu), with f, .., f^(nu-1) absolutely continuous. Norms in L2 are
over [-1, 1] with dx. E_rho is the ellipse with foci -1, 1 and semi-axes of sum rho > 1.
"""

from typing import Any

import sympy as sp

from theory.bound import Bound, Proof, Relation
from theory.notation import (
    best_error,
    coefficient_index,
    coefficient_tail,
    degree,
    derivative_maximum,
    ellipse_radius,
    function_bound,
    hoelder_constant,
    hoelder_exponent,
    lebesgue_constant,
    markov_constant,
    pole,
    polynomial_degree,
    position_count,
    residue,
    smoothness_order,
    variation,
    variation_order,
)

OURS = "derived in this project"
TREFETHEN = "after Trefethen, Approximation Theory and Approximation Practice, chapters 7 and 8"
WANG = "after Wang 2018 (a sharper bound for Legendre expansions); derived in this project"
CHEBYSHEV_ERROR = r"|f-f_n|_\infty"
LEGENDRE_ERROR = r"|f-f_n|_2"
BEST = r"E_n(f)"
HALF = sp.Rational(1, 2)
OUTSIDE: Any = ellipse_radius > 1


def _falling(last: sp.Expr, count: sp.Expr) -> sp.Expr:
    """last (last - 1) .. (last - count + 1)."""
    return sp.gamma(last + 1) / sp.gamma(last - count + 1)


def chebyshev_coefficient() -> Bound:
    """Upper, tight: |a_k| <= 2 V_nu/(pi k (k-1) .. (k-nu)), k > nu.

    Proof: nu = 0 by one partial integration of (2/pi) int f(cos t) cos(kt) dt; then induction by a_k(f) =
    (a_(k-1)(f') - a_(k+1)(f'))/(2k). Equality for sign(x), nu = 0, odd k.
    """
    bound = 2 * variation / (sp.pi * _falling(coefficient_index, variation_order + 1))
    return Bound(r"|a_k|", Relation.AT_MOST, bound, TREFETHEN, coefficient_index > variation_order)


def chebyshev_variation() -> Bound:
    """Upper: |f - f_n|_inf <= 2 V_nu/(pi nu (n-nu)^nu), nu >= 1, n > nu.

    Proof: `chebyshev_product`, each factor at least n - nu.
    """
    bound = 2 * variation / (sp.pi * variation_order * (degree - variation_order) ** variation_order)
    allowed = sp.And(variation_order >= 1, degree > variation_order)
    return Bound(CHEBYSHEV_ERROR, Relation.AT_MOST, bound, TREFETHEN, allowed)


def chebyshev_product() -> Bound:
    """Upper: |f - f_n|_inf <= 2 V_nu/(pi nu n (n-1) .. (n-nu+1)), 1 <= nu <= n; sharper than `chebyshev_variation`.

    Proof: the bounds of `chebyshev_coefficient` beyond n telescope.
    """
    bound = 2 * variation / (sp.pi * variation_order * _falling(degree, variation_order))
    allowed = sp.And(variation_order >= 1, degree >= variation_order)
    return Bound(CHEBYSHEV_ERROR, Relation.AT_MOST, bound, OURS, allowed)


def chebyshev_analytic() -> Bound:
    """Upper: f analytic with |f| <= M in E_rho has |f - f_n|_inf <= 2 M rho^(-n)/(rho - 1).

    Proof: f((z + 1/z)/2) is analytic for 1/rho < |z| < rho, so |a_k| <= 2 M rho^(-k); a geometric series.
    """
    bound = 2 * function_bound * ellipse_radius**-degree / (ellipse_radius - 1)
    return Bound(CHEBYSHEV_ERROR, Relation.AT_MOST, bound, TREFETHEN, OUTSIDE)


def legendre_analytic() -> Bound:
    """Upper: f analytic with |f| <= M in E_rho has |f - f_n|_2 <= 2 sqrt2 M rho^(-n)/(rho - 1).

    Proof: the Legendre series is the best in L2, and |g|_2 <= sqrt2 |g|_inf for the Chebyshev series' error.
    """
    bound = 2 * sp.sqrt(2) * function_bound * ellipse_radius**-degree / (ellipse_radius - 1)
    return Bound(LEGENDRE_ERROR, Relation.AT_MOST, bound, OURS, OUTSIDE)


def pole_error() -> Bound:
    """Exact: E_n(c/(a-x)) = |c| (a - sqrt(a^2-1))^n/(a^2-1), a > 1; the same for c/(a+x).

    rho = a + sqrt(a^2-1), so the rate of `chebyshev_analytic` is right. Proof (Chebyshev): with x = cos t and q =
    1/rho, q^n cos(nt + phi)/(a^2-1), phi(t) of winding number 1, is an error of this form that alternates n + 2 times.
    """
    bound = residue * (pole - sp.sqrt(pole**2 - 1)) ** degree / (pole**2 - 1)
    return Bound(r"E_n(\frac{c}{a-x})", Relation.EQUAL, bound, "after Chebyshev; derived in this project", pole > 1)


def legendre_coefficient() -> Bound:
    """Upper: |a_k| <= 2 V_nu/sqrt(pi (2k-2nu-1)) prod_{i=1}^nu 1/(k-i+1/2), k > nu.

    The ratio tends to 1 for |x|: 0.9995 at k = 4000. Proof: a_k(f) = a_(k-1)(f')/(2k-1) - a_(k+1)(f')/(2k+3) reduces
    nu to 0, where a_k is -1/2 of the integral of P_(k+1) - P_(k-1) against df. That difference is a multiple of y =
    (1-x^2) P_k', with (1-x^2) y'' + k(k+1) y = 0, so its maxima fall from x = 0 on (Sonin): |y|^2 <= P_k'(0)^2 +
    k(k+1) P_k(0)^2, and |P_2j(0)| <= (pi (j+1/4))^(-1/2).
    """
    root = sp.sqrt(sp.pi * (2 * coefficient_index - 2 * variation_order - 1))
    bound = 2 * variation / (root * _falling(coefficient_index - HALF, variation_order))
    return Bound(r"|a_k|", Relation.AT_MOST, bound, WANG, coefficient_index > variation_order)


def legendre_error() -> Bound:
    """Exact: |f - f_n|_2 = (sum_{k>n} 2 a_k^2/(2k+1))^(1/2), which is the least error in L2 (Parseval)."""
    return Bound(LEGENDRE_ERROR, Relation.EQUAL, sp.sqrt(coefficient_tail), OURS)


def legendre_variation() -> Bound:
    """Upper: |f - f_n|_2 <= 2 V_nu/sqrt(pi (2nu+1)) (n-nu)^(-nu-1/2), n > nu: n^(-1/2) for a jump, n^(-3/2) for |x|.

    Proof: `legendre_error` and `legendre_coefficient`, whose squares are at most (4/pi) V^2 (k-nu-1/2)^(-2nu-2); the
    sum over k > n is at most the integral from n - nu (convexity).
    """
    power = variation_order + HALF
    bound = 2 * variation / sp.sqrt(sp.pi * (2 * variation_order + 1)) * (degree - variation_order) ** (-power)
    return Bound(LEGENDRE_ERROR, Relation.AT_MOST, bound, OURS, degree > variation_order)


def legendre_lebesgue() -> Bound:
    """Upper: the Legendre projection to degree n has sup norm Lambda_n <= n + 1; it grows like 1.596 sqrt n.

    Proof: int |K(x, t)| dt <= sqrt2 K(x, x)^(1/2) <= sqrt2 ((n+1)^2/2)^(1/2). Equality at n = 0.
    """
    return Bound(r"\Lambda_n", Relation.AT_MOST, degree + 1, OURS)


def legendre_sup() -> Bound:
    """Upper: |f - f_n|_inf <= (1 + Lambda_n) E_n(f) for the Legendre series (any projection; Lebesgue's inequality)."""
    return Bound(CHEBYSHEV_ERROR, Relation.AT_MOST, (1 + lebesgue_constant) * best_error, OURS)


def algebraic_jackson() -> Bound:
    """Upper: E_n(f) <= (pi/2)^r |f^(r)|_inf/((n+1) n .. (n-r+2)), n >= r - 1.

    Proof: r = 1 by `theory.approximation_fourier.periodic_jackson`, as f(cos t) has a derivative of at most |f'|_inf
    and its best approximation is even. Then E_n(f) <= (pi/2) E_(n-1)(f')/(n+1): take the integral of the best
    polynomial for f' off f.
    """
    bound = (sp.pi / 2) ** smoothness_order * derivative_maximum / _falling(degree + 1, smoothness_order)
    reference = "after Jackson and Favard; derived in this project"
    return Bound(BEST, Relation.AT_MOST, bound, reference, degree + 1 >= smoothness_order)


def hoelder_jackson() -> Bound:
    """Upper: E_n(f) <= (L/2)(pi/(n+1))^alpha for |f(s) - f(t)| <= L |s-t|^alpha, 0 < alpha <= 1.

    Proof: f(cos t) is no rougher, and `theory.approximation_fourier.hoelder_jackson` (Korneichuk).
    """
    bound = hoelder_constant / 2 * (sp.pi / (degree + 1)) ** hoelder_exponent
    reference = "from Korneichuk, Doklady 1962, equation (1)"
    return Bound(BEST, Relation.AT_MOST, bound, reference, hoelder_exponent <= 1, proof=Proof.CITED)


def markov_bound() -> Bound:
    """Upper: |p'|_2 <= M_K |p|_2 for degree K with M_K <= (K+1) sqrt(K(K+2))/2; equality at K = 1, where M_K = sqrt3.

    Proof: the Frobenius norm of d/dx in orthonormal Legendre polynomials, sum_{k<=K} k (k+1) (2k+1)/2. M_K ~ K^2/pi.
    """
    bound = (polynomial_degree + 1) * sp.sqrt(polynomial_degree * (polynomial_degree + 2)) / 2
    return Bound(r"M_K", Relation.AT_MOST, bound, OURS)


def _share() -> sp.Expr:
    return 2 * markov_constant / position_count


def sampling_eigenvalues() -> Bound:
    """Upper: Gram matrix of orthonormal Legendre polynomials of degree <= K at N midpoints of equal cells of [-1, 1],
    weight 2/N: |lambda - 1| <= (2/N) M_K.

    M_K: the best constant in |p'|_2 <= M_K |p|_2. Proof: the midpoint rule errs by at most (h/2) int |(p^2)'| <= h
    |p|_2 |p'|_2, h = 2/N. So K^2 << N keeps the code orthogonal; else use the discrete polynomials.
    """
    return Bound(r"\max|\lambda-1|", Relation.AT_MOST, _share(), OURS)


def sampling_condition() -> Bound:
    """Upper: that Gram matrix has condition at most (1 + delta)/(1 - delta), delta = 2 M_K/N < 1."""
    share = _share()
    return Bound(
        r"\mathrm{cond}", Relation.AT_MOST, (1 + share) / (1 - share), OURS, 2 * markov_constant < position_count
    )


POLYNOMIAL_BOUNDS = {
    "chebyshev-coefficient": chebyshev_coefficient,
    "chebyshev-variation": chebyshev_variation,
    "chebyshev-product": chebyshev_product,
    "chebyshev-analytic": chebyshev_analytic,
    "polynomial-pole-error": pole_error,
    "legendre-coefficient": legendre_coefficient,
    "legendre-error": legendre_error,
    "legendre-variation": legendre_variation,
    "legendre-analytic": legendre_analytic,
    "legendre-lebesgue": legendre_lebesgue,
    "legendre-sup": legendre_sup,
    "polynomial-jackson": algebraic_jackson,
    "polynomial-hoelder": hoelder_jackson,
    "polynomial-markov": markov_bound,
    "legendre-sampling-eigenvalues": sampling_eigenvalues,
    "legendre-sampling-condition": sampling_condition,
}
