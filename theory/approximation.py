r"""Function approximation by n encoding channels: what no encoding can beat (Kolmogorov widths), and certificates.

A linear read-out of n channels reaches an n-dimensional space of functions of the position. d_n(K) is the least worst
error over a class K that any such space can have: the physical limit. Delta f are the N - 1 differences of f on N
positions; norms on positions are Euclidean, so without 1/N. Intervals have the length `interval_length`.

A space that misses the null space of A (the constants, for Delta) has infinite worst error over {|A f| <= 1}.
Rates of polynomials, Fourier series and wavelets: `theory.approximation_polynomial`, `_fourier` and `_wavelet`; which
statement applies to which target: `theory.approximation_choice`.
"""

from typing import Any

import sympy as sp

from theory.approximation_fourier import FOURIER_BOUNDS, FOURIER_REFUTED, favard_constant
from theory.approximation_polynomial import POLYNOMIAL_BOUNDS
from theory.approximation_wavelet import WAVELET_BOUNDS, WAVELET_REFUTED
from theory.bound import Bound, Proof, Relation
from theory.notation import (
    alternating_error,
    channels,
    difference_norm,
    dual_norm,
    dual_pairing,
    euclidean_error,
    hoelder_constant,
    hoelder_exponent,
    interval_length,
    jump_size,
    null_dim,
    position_count,
    projected_energy,
    singular_value,
    smoothness_order,
    target_energy,
)

OURS = "derived in this project"
WIDTH = r"d_n(\{|\Delta f|_2\leq 1\})"
WORST = r"\max_{|\Delta f|_2\leq 1}|f-\Pi_Pf|_2"
SUP_ERROR = r"\min_c|f-Pc|_\infty"
FEWER: Any = channels < position_count


def _difference_width() -> sp.Expr:
    return 1 / (2 * sp.sin(sp.pi * channels / (2 * position_count)))


def difference_width() -> Bound:
    """Exact: d_n({f in R^N: |Delta f|_2 <= 1}) = 1/(2 sin(pi n/(2N))), 1 <= n < N.

    Proof: the singular values of Delta are 2 sin(pi k/(2N)), k = 1 .. N-1; `ellipsoid_width` with r = 1.
    """
    return Bound(WIDTH, Relation.EQUAL, _difference_width(), OURS, FEWER)


def worst_difference_error() -> Bound:
    """Lower, tight: whatever n channels an encoding has, some f with |Delta f|_2 <= 1 is missed by 1/(2 sin(pi n/2N)).

    The constant counts as a channel. Equality for the cosine code.
    """
    return Bound(WORST, Relation.AT_LEAST, _difference_width(), OURS, FEWER)


def cosine_worst_error() -> Bound:
    """Exact: the first n columns of the DCT-II, the constant included, attain the width 1/(2 sin(pi n/(2N))).

    Proof: they are the right singular vectors of Delta.
    """
    return Bound(WORST, Relation.EQUAL, _difference_width(), OURS, FEWER)


def haar_worst_error() -> Bound:
    """Exact: functions constant on n cells of N/n positions (Haar, n a power of two) attain 1/(2 sin(pi n/(2N))).

    Proof: cells of m = N/n positions have the worst error 1/(2 sin(pi/(2m))) each (`difference_width` at n = 1), and
    |Delta f|^2 within the cells sums to at most 1.
    """
    divides: Any = sp.Eq(sp.Mod(position_count, channels), 0)
    whole: Any = sp.And(FEWER, divides)
    return Bound(WORST, Relation.EQUAL, _difference_width(), OURS, whole)


def difference_error() -> Bound:
    """Upper, tight: the cosine code of n channels, or n equal Haar cells, misses f by |Delta f|_2/(2 sin(pi n/(2N))).

    Equality for f the next column of the DCT-II.
    """
    return Bound(r"|f-\Pi_Pf|_2", Relation.AT_MOST, difference_norm * _difference_width(), OURS, FEWER)


def ellipsoid_width() -> Bound:
    """Exact: d_n({|A f| <= 1}) = sigma_(n-r+1)(A^+) for n >= r = dim null(A); for n < r it is infinite.

    Attained by null(A) and the first n - r left singular vectors of A^+. The worst error of any span that contains
    null(A) is |(I - Pi)A^+|. Proof: modulo null(A) the class is the image of the unit ball under A^+; Eckart, Young.
    """
    return Bound(r"d_n(\{|Af|\leq 1\})", Relation.EQUAL, singular_value, OURS, channels >= null_dim)


def every_orthonormal_code() -> Bound:
    """Exact, wrong: that every code of n orthonormal columns with the constant attains the width 1/(2 sin(pi n/(2N))).

    Kept to be refuted: discrete Legendre and random orthogonal columns do not.
    """
    return Bound(WORST, Relation.EQUAL, _difference_width(), "false: compare cosine_worst_error", FEWER)


def periodic_sobolev_width() -> Bound:
    """Exact: d_n({|f^(r)|_2 <= 1}) in L2, period 2 pi, is ceil(n/2)^(-r): d_(2m-1) = d_(2m) = m^(-r).

    Attained by 1, cos, sin, .., of frequency below m. Proof: f^(r) multiplies frequency k, which two functions have,
    by k^r; `ellipsoid_width`.
    """
    bound = sp.ceiling(channels / 2) ** (-smoothness_order)
    return Bound(r"d_n(W_2^r(\mathbb{T}),L_2)", Relation.EQUAL, bound, OURS)


def periodic_favard_width(order: int = 2) -> Bound:
    """Exact: d_n({|f^(r)|_inf <= 1}) in the sup norm, period 2 pi, is K_r ceil(n/2)^(-r), r = `order`.

    Attained by trigonometric polynomials (`theory.approximation_fourier.periodic_jackson`) for odd n. The lower bound
    is Tikhomirov's (perfect splines and Borsuk's theorem), quoted from memory.
    """
    bound = favard_constant(order) * sp.ceiling(channels / 2) ** (-order)
    quantity = rf"d_n(W_\infty^{{{order}}}(\mathbb{{T}}),L_\infty)"
    return Bound(quantity, Relation.EQUAL, bound, "after Tikhomirov 1960 (from memory)", proof=Proof.RECALLED)


def sobolev_width() -> Bound:
    """Exact: d_n({|f'|_2 <= 1}) in L2 on an interval of length l is l/(pi n).

    Attained by cos(pi k x/l), k < n, and by n equal cells. Proof: the eigenvalues of -f'' with f' = 0 at the ends.
    """
    return Bound(r"d_n(W_2^1,L_2)", Relation.EQUAL, interval_length / (sp.pi * channels), OURS)


def hoelder_width() -> Bound:
    """Exact: d_n({|f(s) - f(t)| <= L |s-t|^alpha}) in the sup norm is (L/2)(l/n)^alpha, 0 < alpha <= 1; L l/(2n) for
    Lipschitz functions.

    Attained by n equal cells (`theory.approximation_wavelet.hoelder_best`). Proof of the lower bound: a space of
    dimension n has weights y on n + 1 points l/n apart that annihilate it; f = (L/2)(l/n)^alpha sgn y_i there extends
    to the class, and |f - p| >= sum y f/sum|y| (`dual_certificate`).
    """
    bound = hoelder_constant / 2 * (interval_length / channels) ** hoelder_exponent
    return Bound(r"d_n(\mathrm{Lip}_\alpha,L_\infty)", Relation.EQUAL, bound, OURS, hoelder_exponent <= 1)


def discrete_lipschitz_width() -> Bound:
    """Exact: d_n({f in R^N: |f_(i+1) - f_i| <= 1}) in the sup norm is floor((N-1)/n)/2, n < N.

    Attained by n cells of at most ceil(N/n) positions. The lower bound as for `hoelder_width`, on n + 1 positions that
    far apart.
    """
    bound = sp.floor((position_count - 1) / channels) / 2
    return Bound(r"d_n(\{|\Delta f|_\infty\leq 1\})", Relation.EQUAL, bound, OURS, FEWER)


def dual_certificate() -> Bound:
    """Lower, tight: the sup error is at least |sum y_i f_i|/sum|y_i| for every y orthogonal to the span.

    Proof: sum y_i f_i = sum y_i (f_i - p_i). Equality for the best y, the solution of the dual linear programme.
    """
    return Bound(SUP_ERROR, Relation.AT_LEAST, dual_pairing / dual_norm, OURS)


def alternation() -> Bound:
    """Lower, tight: an error that alternates in sign at n + 1 points, with size at least e at each, shows E >= e.

    For spaces of dimension n without a non-zero member of n zeros (polynomials of degree below n). Proof (de la Vallee
    Poussin): a better one would differ from this one by a member with n sign changes.
    """
    return Bound(SUP_ERROR, Relation.AT_LEAST, alternating_error, OURS)


def sup_above_euclidean() -> Bound:
    """Lower, tight: the best sup error on N positions is at least the best Euclidean error over sqrt N."""
    return Bound(SUP_ERROR, Relation.AT_LEAST, euclidean_error / sp.sqrt(position_count), OURS)


def sup_below_euclidean() -> Bound:
    """Upper, tight: the best sup error on N positions is at most the best Euclidean error. Equality for f at a single
    position that the channels do not reach."""
    return Bound(SUP_ERROR, Relation.AT_MOST, euclidean_error, OURS)


def projected_rest() -> Bound:
    """Exact: the squared Euclidean error is |f|^2 - |Pi f|^2 (Pythagoras)."""
    bound = sp.sqrt(target_energy - projected_energy)
    return Bound(r"\min_c|f-Pc|_2", Relation.EQUAL, bound, OURS, projected_energy <= target_energy)


def jump_obstruction() -> Bound:
    """Lower, sharp: continuous channels miss a jump of size J by at least J/2 in the sup norm on the interval.

    Any number of channels (polynomials, Fourier series, sinusoids); not so on N positions. Equality for sign(x) and
    p = 0.
    """
    return Bound(r"\inf_p|f-p|_\infty", Relation.AT_LEAST, jump_size / 2, OURS)


WIDTHS_AND_CERTIFICATES = {
    "approximation-difference-width": difference_width,
    "approximation-worst-difference-error": worst_difference_error,
    "approximation-cosine-worst-error": cosine_worst_error,
    "approximation-haar-worst-error": haar_worst_error,
    "approximation-difference-error": difference_error,
    "approximation-ellipsoid-width": ellipsoid_width,
    "approximation-periodic-sobolev-width": periodic_sobolev_width,
    "approximation-periodic-favard-width": periodic_favard_width,
    "approximation-sobolev-width": sobolev_width,
    "approximation-hoelder-width": hoelder_width,
    "approximation-discrete-lipschitz-width": discrete_lipschitz_width,
    "approximation-dual-certificate": dual_certificate,
    "approximation-alternation": alternation,
    "approximation-sup-above-euclidean": sup_above_euclidean,
    "approximation-sup-below-euclidean": sup_below_euclidean,
    "approximation-projected-rest": projected_rest,
    "approximation-jump-obstruction": jump_obstruction,
}
APPROXIMATION_BOUNDS = WIDTHS_AND_CERTIFICATES | POLYNOMIAL_BOUNDS | FOURIER_BOUNDS | WAVELET_BOUNDS
APPROXIMATION_REFUTED = (
    {"approximation-every-orthonormal-code": every_orthonormal_code} | FOURIER_REFUTED | WAVELET_REFUTED
)
