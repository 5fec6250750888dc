r"""What encodings other than biases do beyond the training length N: Legendre, wavelets, sinusoidal, rotary.

Position t is read at x = 2t/(N-1) - 1 by polynomials: x = 1 is the last training position N-1, and s positions after it
x = 1 + 2s/(N-1). R_D is the rotation of a rotary key at distance D. Rule beyond the training length: `extend`.
"""

from typing import Any

import sympy as sp

from theory.bound import Bound, Relation
from theory.notation import (
    argument,
    dim,
    distance,
    frequency_base,
    polynomial_degree,
    position_count,
)

OURS = "derived in this project"
POLYNOMIAL = r"P_k(x)"
POSITION_NORM = r"|p(t)|"
DOUBLING = r"s_2"
KERNEL = r"\frac{1}{d}\operatorname{tr}R_D"
BEYOND: Any = argument >= 1
EVEN: Any = sp.Eq(sp.Mod(dim, 2), 0)
ANGLES: Any = sp.And(EVEN, frequency_base > 1)
SEVERAL: Any = sp.And(dim >= 2, position_count >= 2)
DOUBLING_FLOOR, DOUBLING_CEILING = sp.Rational(931, 500), sp.Rational(51, 20)


def legendre_growth() -> Bound:
    """Upper, tight: P_k(x) <= (x + sqrt(x^2 - 1))^k for x >= 1; equality at x = 1 and for k = 0.

    Proof: Laplace's P_k(x) = (1/pi) int_0^pi (x + sqrt(x^2 - 1) cos phi)^k dphi, and cos <= 1.
    """
    bound = (argument + sp.sqrt(argument**2 - 1)) ** polynomial_degree
    return Bound(POLYNOMIAL, Relation.AT_MOST, bound, OURS, BEYOND)


def legendre_growth_lower() -> Bound:
    """Lower, tight: P_k(x) >= x^k for x >= 1; equality at x = 1 and for k <= 1.

    Proof: Jensen in Laplace's integral, u -> u^k being convex on u >= 0.
    """
    return Bound(POLYNOMIAL, Relation.AT_LEAST, argument**polynomial_degree, OURS, BEYOND)


def legendre_doubling_lower() -> Bound:
    """Lower, sharp: |p| of raw Legendre reaches 2 sqrt d, twice its norm in training, at s_2 >= 1.862 (N-1)/d^2.

    p = (P_0, ..., P_{d-1}); s_2, real, counts positions from N-1 on; |p| exceeds sqrt d at every s > 0 (d >= 2). The
    constant is the root of F(c) = 4, 1.86258..., rounded down, and s_2 d^2/(N-1) tends to it as d grows. Proof: with
    a = s/(N-1), P_k = sum_j (k+j)!/((k-j)! j!^2) a^j <= I_0(2 sqrt(k(k+1) a)), since (k+j)!/(k-j)! <= (k(k+1))^j. I_0^2
    is convex in k + 1/2, so |p|^2 <= int_0^d I_0(2 y sqrt a)^2 dy = d F(a d^2), F(c) = sum_j C(2j,j) c^j/(j!^2 (2j+1)).
    """
    bound = DOUBLING_FLOOR * (position_count - 1) / dim**2
    return Bound(DOUBLING, Relation.AT_LEAST, bound, OURS, SEVERAL)


def legendre_doubling_upper() -> Bound:
    """Upper: the s_2 of `legendre_doubling_lower` is at most 2.55 (N-1)/(d^2 - 1), raw Legendre.

    Proof: P_k >= 1 + k(k+1) a, so |p|^2/d >= 1 + 2c/3 + c^2 (3d^2 - 2)/(15 (d^2 - 1)) >= 1 + 2c/3 + c^2/5, c = a (d^2 -
    1), which is 4 at c = 2.5497...
    """
    bound = DOUBLING_CEILING * (position_count - 1) / (dim**2 - 1)
    return Bound(DOUBLING, Relation.AT_MOST, bound, OURS, SEVERAL)


def legendre_normalised_peak() -> Bound:
    """Exact: normalised Legendre sqrt(2k+1) P_k, k < d, has |p(0)| = |p(N-1)| = d, sqrt d times its root mean square.

    The mean is over the uniform law on [-1, 1], where |p|^2 has mean d: the ends leave the usual range in training.
    """
    return Bound(r"|p(N-1)|", Relation.EQUAL, dim, OURS, SEVERAL)


def legendre_stays_in_range() -> Bound:
    """Upper, wrong beyond the training length: |p(t)| <= sqrt d for raw Legendre, as at every training position.

    Kept to be refuted: `legendre_growth_lower` gives |p|^2 >= sum_k x^(2k) > d for x > 1 and d >= 2.
    """
    return Bound(POSITION_NORM, Relation.AT_MOST, sp.sqrt(dim), "false: compare legendre_growth_lower")


def distinct_codes() -> Bound:
    """Upper, tight: compactly supported wavelets give at most N + 1 distinct codes to positions 0, 1, 2, ...

    Those that end at the grid (Haar) give one code, 0, to all positions from N on; those that go round it (Daubechies)
    and every encoding with the rule `clip` give at most N. So of any N + 2 positions two look alike. Attained by Haar
    with a complete basis, d >= N a power of two.
    """
    return Bound(r"|\{p(t)\}|", Relation.AT_MOST, position_count + 1, OURS)


def unfinished_periods() -> Bound:
    """Exact: d/2 - min(d/2, max(0, f+1)) of the d/2 sinusoidal pairs have a period 2 pi b^(2k/d) above N.

    f = floor((d/2) ln(N/(2 pi))/ln b). In training these pairs are never seen through a whole turn. 11 of 16 at N = 64,
    d = 32, b = 10000. No period equals N: b^(2k/d) is algebraic for rational b.
    """
    whole = sp.floor(dim * sp.log(position_count / (2 * sp.pi)) / (2 * sp.log(frequency_base)))
    count = dim / 2 - sp.Min(dim / 2, sp.Max(0, whole + 1))
    return Bound(r"|\{k:2\pi b^{2k/d}>N\}|", Relation.EQUAL, count, OURS, ANGLES)


def rotary_largest_score() -> Bound:
    """Exact: max <q, R_D k> over unit q and k is 1 at every distance D (q = R_D k): no uniform decay."""
    return Bound(r"\max_{|q|=|k|=1}\langle q,R_Dk\rangle", Relation.EQUAL, sp.Integer(1), OURS)


def mean_kernel() -> sp.Expr:
    """(2/d) sum_{k<d/2} cos(D b^(-2k/d))."""
    k = sp.Dummy("k", integer=True, nonnegative=True)
    total: Any = sp.Sum(sp.cos(distance * frequency_base ** (-2 * k / dim)), (k, 0, dim / 2 - 1))
    return 2 * total / dim


def rotary_mean_kernel() -> Bound:
    """Exact: E <q, R_D q> = tr R_D/d = (2/d) sum_{k<d/2} cos(D b^(-2k/d)) for q uniform on the unit sphere.

    It falls from 1 and changes sign; only this average decays, not the scores (`rotary_largest_score`).
    """
    return Bound(KERNEL, Relation.EQUAL, mean_kernel(), OURS, ANGLES)


def rotary_uniform_decay() -> Bound:
    """Upper, wrong: that all rotary scores of unit vectors decay as their average does, <q, R_D k> <= |tr R_D|/d.

    Kept to be refuted: compare rotary_largest_score.
    """
    quantity = r"\max_{|q|=|k|=1}\langle q,R_Dk\rangle"
    return Bound(quantity, Relation.AT_MOST, sp.Abs(mean_kernel()), "false: compare rotary_largest_score", ANGLES)


EXTRAPOLATION_LIMIT_BOUNDS = {
    "legendre-growth": legendre_growth,
    "legendre-growth-lower": legendre_growth_lower,
    "legendre-doubling-lower": legendre_doubling_lower,
    "legendre-doubling-upper": legendre_doubling_upper,
    "legendre-normalised-peak": legendre_normalised_peak,
    "distinct-codes": distinct_codes,
    "unfinished-periods": unfinished_periods,
    "rotary-largest-score": rotary_largest_score,
    "rotary-mean-kernel": rotary_mean_kernel,
}
EXTRAPOLATION_LIMITS_REFUTED = {
    "legendre-stays-in-range": legendre_stays_in_range,
    "rotary-uniform-decay": rotary_uniform_decay,
}
