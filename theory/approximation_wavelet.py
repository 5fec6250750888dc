r"""Wavelets: functions constant on n cells (Haar), sums of n Haar functions of any scale, Daubechies coefficients.

n equal cells of an interval of length l (`interval_length`), h = l/n; on N positions, l is N times their spacing and
the sup-norm statements hold as they are. The first n Haar functions span them if n is a power of two.
"""

import sympy as sp

from theory.bound import Bound, Relation
from theory.notation import (
    channels,
    derivative_maximum,
    derivative_norm,
    hoelder_constant,
    hoelder_exponent,
    interval_length,
    jump_size,
    lipschitz,
    vanishing_moments,
    variation,
    wavelet_level,
)

OURS = "derived in this project"
BEST = r"\min_c|f-Pc|_\infty"
PROJECTED = r"|f-\Pi_Pf|_\infty"
MEAN = r"|f-\Pi_Pf|_2"
COEFFICIENT = r"|\langle f,\psi_{jk}\rangle|"
CELL = interval_length / channels
HALF = sp.Rational(1, 2)


def hoelder_projection() -> Bound:
    """Upper, tight: means over n equal cells miss f, |f(s) - f(t)| <= L |s-t|^alpha, by at most L h^alpha/(1+alpha).

    0 < alpha <= 1. Proof: |f - mean| <= (1/h) int L |s-t|^alpha dt, largest at an end of the cell. Equality for
    L x^alpha at 0.
    """
    bound = hoelder_constant * CELL**hoelder_exponent / (1 + hoelder_exponent)
    return Bound(PROJECTED, Relation.AT_MOST, bound, OURS, hoelder_exponent <= 1)


def hoelder_best() -> Bound:
    """Upper, tight: the best constants on n equal cells miss f, |f(s) - f(t)| <= L |s-t|^alpha, by (L/2) h^alpha.

    0 < alpha <= 1. Proof: half the range on a cell. The width of the class (`theory.approximation.hoelder_width`), so
    `hoelder_projection` is not the best for alpha < 1. Equality for L x^alpha.
    """
    bound = hoelder_constant / 2 * CELL**hoelder_exponent
    return Bound(BEST, Relation.AT_MOST, bound, OURS, hoelder_exponent <= 1)


def lipschitz_best() -> Bound:
    """Upper, tight: n equal cells miss an L-Lipschitz f by at most L l/(2n), the width of the class.

    The same for means over cells. Equality for L x.
    """
    return Bound(BEST, Relation.AT_MOST, lipschitz * interval_length / (2 * channels), OURS)


def sobolev_projection() -> Bound:
    """Upper, tight: means over n equal cells miss f by at most |f'|_2 l/(pi n) in L2, the width of the class.

    So do cos(pi k x/l), k < n. Proof: Wirtinger's inequality on every cell; Parseval for the cosines. Equality for
    cos(pi n x/l).
    """
    return Bound(MEAN, Relation.AT_MOST, derivative_norm * CELL / sp.pi, OURS)


def variation_projection() -> Bound:
    """Upper, tight: means over n equal cells miss f of total variation V by at most (V/2) sqrt(l/n) in L2.

    Proof: a variance is at most a quarter of the squared range, and the squared variations of the cells add to at most
    V^2. Equality for a step in the middle of a cell.
    """
    return Bound(MEAN, Relation.AT_MOST, variation / 2 * sp.sqrt(CELL), OURS)


def free_cells() -> Bound:
    """Upper, tight: a continuous f of total variation V is within V/(2n) of a function constant on n cells of its own.

    Nonlinear: cells of equal variation. No smoothness needed. Equality for monotone f.
    """
    return Bound(r"\min|f-p|_\infty", Relation.AT_MOST, variation / (2 * channels), OURS)


def haar_terms() -> Bound:
    """Upper, tight: n Haar functions, the constant among them, miss a step of height J by J sqrt(l) 2^(-(n+1)/2) in L2.

    Chosen for the step: one per level. Proof: the rest is the variance in one cell of length l 2^(1-n), at most J^2/4
    of it. Equality for a step in the middle of that cell. A Fourier series needs n^(-1/2)
    (`theory.approximation_fourier.sawtooth_lower`).
    """
    bound = jump_size * sp.sqrt(interval_length) * 2 ** (-(channels + 1) * HALF)
    return Bound(r"\min_c|f-\sum_{k\leq n}c_k\psi_k|_2", Relation.AT_MOST, bound, OURS)


def smooth_by_cells() -> Bound:
    """Upper, wrong: that n equal cells miss a smooth f by |f''| l^2/(8 n^2) only, as piecewise linear functions do.

    Kept to be refuted: f = x has f'' = 0. One vanishing moment sees one derivative.
    """
    bound = derivative_maximum * CELL**2 / 8
    return Bound(BEST, Relation.AT_MOST, bound, "false: compare lipschitz_best")


def daubechies_coefficient() -> Bound:
    """Upper: |<f, psi_jk>| <= C_p 2^(-j(p+1/2)) |f^(p)|_inf, C_p = ((2p-1)/2)^(p+1/2) sqrt(2/(2p+1))/p!.

    p vanishing moments, support 2p - 1 wide at j = 0 (times 2^-j) and inside the interval, |psi|_2 = 1; p = 1 is Haar.
    Proof: psi does not see the Taylor polynomial at the middle of its support; Cauchy-Schwarz on the remainder.
    """
    bound = _moment_constant() / sp.factorial(vanishing_moments) * derivative_maximum
    return Bound(COEFFICIENT, Relation.AT_MOST, bound, OURS)


def daubechies_interpolated() -> Bound:
    """Upper: the same with C_p = ((2p-1)/2)^(p+1/2) sqrt(2/(2p+1)) 2^p p!/(2p)!, smaller by 2^p p!^2/(2p)!.

    Proof: psi does not see the polynomial that meets f at the p Gauss nodes of its support either; the remainder is at
    most |f^(p)|_inf/p! times the monic Legendre polynomial there, whose norm is smaller than that of x^p by that
    factor.
    """
    shrunk = 2**vanishing_moments * sp.factorial(vanishing_moments) / sp.factorial(2 * vanishing_moments)
    return Bound(COEFFICIENT, Relation.AT_MOST, _moment_constant() * shrunk * derivative_maximum, OURS)


def _moment_constant() -> sp.Expr:
    """Norm of x^p on |x| <= (2p-1)/2, times 2^(-j(p+1/2))."""
    power = vanishing_moments + HALF
    norm = ((2 * vanishing_moments - 1) * HALF) ** power * sp.sqrt(2 / (2 * vanishing_moments + 1))
    return norm * 2 ** (-wavelet_level * power)


WAVELET_BOUNDS = {
    "cells-hoelder-projection": hoelder_projection,
    "cells-hoelder-best": hoelder_best,
    "cells-lipschitz": lipschitz_best,
    "cells-sobolev": sobolev_projection,
    "cells-variation": variation_projection,
    "free-cells-variation": free_cells,
    "haar-terms-step": haar_terms,
    "daubechies-coefficient": daubechies_coefficient,
    "daubechies-interpolated": daubechies_interpolated,
}
WAVELET_REFUTED = {"cells-second-order": smooth_by_cells}
