"""The normaliser of softmax attention: how large a change of the weights can be relative to it.

pi is a probability vector, E_pi t = 0, alpha proportional to pi e^t, Z = E_pi e^t >= 1 (Jensen). Attention centred at
zero logits reads a - a(0) = N/Z; `theory.rademacher_series.division_free` removes the division and pays for it with
|<u, a - a(0)>|/Z <= (TV(alpha, pi)/Z) D, D the range of <u, v_j>. The constant kappa* bounds TV/Z for all pi and t.
"""

import math
from fractions import Fraction
from functools import cache

import sympy as sp

from theory.bound import Bound, Relation
from theory.certified import enclose
from theory.notation import exponent, logit_oscillation

OURS = "derived in this project"
RATIO = r"\operatorname{TV}(\alpha,\pi)/Z"
WIDTH = Fraction(1, 10**7)  # of the bracket of the maximiser; kappa* is known to about its square
DIGITS = 10**12

_Y = sp.Symbol("y", positive=True)


def extremal_value() -> sp.Expr:
    """G(y) = y/(y^2+1) (y/(y-1))^p (y+1)^(p-1), p = y(y-1)/(y^2+1), y > 1: TV/Z of the best tilt at two-point weight p.

    The two-point law: weight p on t = (1-p) s, weight 1-p on t = -p s, e^s = y(y+1)/(y-1).
    """
    weight = _Y * (_Y - 1) / (_Y**2 + 1)
    return _Y / (_Y**2 + 1) * (_Y / (_Y - 1)) ** weight * (_Y + 1) ** (weight - 1)


def extremal_slope() -> sp.Expr:
    """h(y) = ln(y(y+1)/(y-1)) - y - 1/y, a decreasing function of y > 1 whose only zero maximises G."""
    return sp.log(_Y * (_Y + 1) / (_Y - 1)) - _Y - 1 / _Y


def _at(expression: sp.Expr, y: Fraction) -> tuple[float, float]:
    return enclose(expression, {_Y: y})


def _rises(y: Fraction) -> bool:
    """Whether h(y) > 0, decided by interval arithmetic."""
    low, high = _at(extremal_slope(), y)
    if not (low > 0 or high < 0):
        raise ValueError(f"interval arithmetic does not decide the sign of h at {y}: start from another bracket")
    return low > 0


@cache
def extremal_point() -> tuple[Fraction, Fraction]:
    """Fractions (y_1, y_2), at most 1e-7 apart, with h(y_1) > 0 > h(y_2): the maximiser of G lies between them."""
    low, high = Fraction(5, 4), Fraction(3, 2)
    if not _rises(low) or _rises(high):
        raise ValueError("interval arithmetic does not bracket the maximiser: reinstall mpmath or python-flint")
    while high - low > WIDTH:
        middle = (low + high) / 2
        low, high = (middle, high) if _rises(middle) else (low, middle)
    return low, high


@cache
def normalised_variation() -> tuple[sp.Rational, sp.Rational]:
    """(lower, upper), at most 1e-11 apart, around kappa* = sup TV(alpha, pi)/Z = 0.29478035...; both ends certified.

    Proof. ln Z = sum_j pi_j ln(pi_j/alpha_j) = KL(pi | alpha), because E_pi t = 0; so TV/Z = TV e^(-KL). With A the
    event alpha_j > pi_j, p = pi(A), a = alpha(A): TV = a - p, and KL >= kl(p | a) by data processing (equality for two
    points). Hence kappa* = max over 0 < p < a < 1 of f = (a-p) e^(-kl(p | a)). For fixed p, f vanishes at a = p and
    a = 1, and d ln f/da = 1/(a-p) - (a-p)/(a(1-a)) has one zero in (p, 1): (a-p)^2 = a(1-a). Write it as a =
    y^2/(y^2+1), p = y(y-1)/(y^2+1); y -> p is increasing from (1, inf) onto (0, 1), as dp/dy = (y^2+2y-1)/(y^2+1)^2 >
    0, so every p is covered, and f = G(y). By the envelope theorem d ln G/dy = h(y) dp/dy, h = ln(odds ratio) -
    1/(a-p). h' = 1/y + 1/y^2 - 1 - 2/(y^2-1) < 0: for y >= golden ratio the first three terms are <= 0, below it they
    are < 1 and the last is > 1. So G increases up to the zero of h and decreases after it. With h(y_1) > 0 > h(y_2)
    and 0 < dp/dy <= 1:  G(y_1) <= kappa* <= G(y_1) exp((y_2 - y_1) h(y_1)). Both ends are rounded outwards to 12
    decimals.
    """
    low, high = extremal_point()
    least = _at(extremal_value(), low)[0]
    gap = sp.Rational(high.numerator, high.denominator) - sp.Rational(low.numerator, low.denominator)
    most = _at(extremal_value() * sp.exp(gap * extremal_slope()), low)[1]
    below, above = math.floor(Fraction(least) * DIGITS), math.ceil(Fraction(most) * DIGITS)
    return sp.Rational(below, DIGITS), sp.Rational(above, DIGITS)  # type: ignore[return-value]


def variation() -> Bound:
    """Upper, tight: TV(alpha, pi)/Z <= kappa* for every pi and every t with E_pi t = 0.

    Proof at `normalised_variation`. Attained by two points, weight 0.19243..., logit gap 2.11801.... Without centring
    of t it is false (t -> -infinity).
    """
    return Bound(RATIO, Relation.AT_MOST, normalised_variation()[1], OURS)


def variation_small_logits() -> Bound:
    """Upper: TV(alpha, pi)/Z <= min{kappa*, tanh(osc t / 4)}: better than kappa* for osc t < 1.215.

    Proof: Z >= 1 and TV <= tanh(osc/4) (`theory.softmax.total_variation`). In attention osc t_i <= |w| D_k,i, so the
    constants kappa_i of the division-free bound may be chosen sample by sample.
    """
    bound = sp.Min(normalised_variation()[1], sp.tanh(logit_oscillation / 4))
    return Bound(RATIO, Relation.AT_MOST, bound, OURS)


def growth() -> Bound:
    """Upper, tight: Z = E_pi e^t <= cosh x if E_pi t = 0 and |t_j| <= x.

    Proof: e^t <= cosh x + (t/x) sinh x on [-x, x] by convexity; the mean of t is 0. Attained by +-x with equal weights.
    Up to a factor 2 below e^x; it may be combined with Z <= E_pi e^|t| by taking the least.
    """
    return Bound("Z", Relation.AT_MOST, sp.cosh(exponent), OURS)


def growth_by_range() -> Bound:
    """Upper: Z <= e^(osc(t)^2/8) if E_pi t = 0 (Hoeffding's lemma): the second derivative of ln E e^(ct) in c is a
    variance, at most osc^2/4.
    """
    return Bound("Z", Relation.AT_MOST, sp.exp(logit_oscillation**2 / 8), OURS + ", after Hoeffding 1963")


NORMALISER_BOUNDS = {
    "variation": variation,
    "variation-small-logits": variation_small_logits,
    "growth": growth,
    "growth-by-range": growth_by_range,
}
