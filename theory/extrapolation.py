r"""How much attention a head can put on far keys, as the number of keys grows.

One query, T keys at distances k = 0 .. T-1, content logits |s_k| <= B (with every additive, relative or rotary term in
them), bias b(k). A_w is the attention on distances >= w, w >= 1. H_w = sum_{k<w} e^b(k), T_w = sum_{w<=k<T} e^b(k).
A head extrapolates uniformly iff sup A_w over logits and T tends to 0 as w grows, that is, iff sum_k e^b(k) is finite:

    ALiBi -m k               T_w geometric: finite               `alibi_tail_sum`
    KERPLE-log               finite iff r_1 > 1, Hurwitz zeta    `kerple_log_tail_sum`, `kerple_log_divergence`
    KERPLE-power             finite for all r_1, r_2 > 0         `kerple_power_sum`
    none, additive, rotary,  bounded, so T_w grows without end   `flat_tail_mass`, `dispersion`
    relative vectors, T5, Sandwich, FIRE
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import sympy as sp

from theory.bound import Bound, Relation
from theory.notation import (
    alibi_slope,
    bias_oscillation,
    kerple_rate,
    kerple_shape,
    length,
    logit_bound,
    tail_mass,
    tail_ratio,
    tail_tolerance,
    value_diameter,
    window,
)

OURS = "derived in this project"
MASS = r"A_w"
HORIZON = r"w(\epsilon)"
OUTPUT = r"|o-o_w|"
TILT = sp.exp(2 * logit_bound)
INSIDE: Any = sp.Le(window, length)
TOLERATED: Any = tail_tolerance < 1
SUMMABLE: Any = kerple_rate > 1
K = sp.Dummy("k", integer=True, nonnegative=True)


def bias_sums(bias: Callable[[sp.Expr], sp.Expr], stop: sp.Expr | int = length) -> tuple[sp.Expr, sp.Expr]:
    """(H_w, T_w) of e^bias(k) below w and from w to stop - 1, in closed form where SymPy finds one."""

    def total(first: sp.Expr | int, last: sp.Expr | int) -> Any:
        found: Any = sp.summation(sp.exp(bias(K)), (K, first, last))
        pieces: Any = found.args
        return pieces[-1][0] if isinstance(found, sp.Piecewise) else found  # the first piece is a geometric ratio of 1

    return total(0, window - 1), total(window, stop - 1)


def largest_tail(near: sp.Expr | int, far: sp.Expr | int) -> sp.Expr:
    """T_w/(T_w + e^(-2B) H_w)."""
    return far / (far + near / TILT)


def smallest_tail(near: sp.Expr | int, far: sp.Expr | int) -> sp.Expr:
    """T_w/(T_w + e^(2B) H_w)."""
    return far / (far + TILT * near)


@cache
def alibi_sums() -> tuple[sp.Expr, sp.Expr]:
    """(1 - e^(-mw), e^(-mw) - e^(-mT)): H_w and T_w of ALiBi without their common factor 1/(1 - e^(-m))."""
    near, far = bias_sums(lambda k: -alibi_slope * k)
    common = 1 - sp.exp(-alibi_slope)
    return near * common, far * common


def tail_mass_upper() -> Bound:
    """Upper, tight: A_w <= 1/(1 + e^(-2B) H_w/T_w), any bias; rho = T_w/H_w.

    Attained at s = B from distance w on and -B below: A_w rises in the former logits and falls in the latter.
    """
    return Bound(MASS, Relation.AT_MOST, largest_tail(1, tail_ratio), OURS)


def tail_mass_lower() -> Bound:
    """Lower, tight: A_w >= 1/(1 + e^(2B) H_w/T_w), any bias, attained at s = -B from distance w on and B below."""
    return Bound(MASS, Relation.AT_LEAST, smallest_tail(1, tail_ratio), OURS)


def alibi_tail_mass() -> Bound:
    """Upper, tight: ALiBi of slope m, T keys: T_w/H_w = (e^(-mw) - e^(-mT))/(1 - e^(-mw)) in `tail_mass_upper`."""
    return Bound(MASS, Relation.AT_MOST, largest_tail(*alibi_sums()), OURS, INSIDE)


def alibi_tail_mass_lower() -> Bound:
    """Lower, tight: ALiBi of slope m, T keys: `tail_mass_lower` with the ratio of `alibi_tail_mass`."""
    return Bound(MASS, Relation.AT_LEAST, smallest_tail(*alibi_sums()), OURS, INSIDE)


def alibi_tail_mass_any_length() -> Bound:
    """Upper, sharp, whatever the length: A_w <= 1/(1 + e^(-2B) (e^(mw) - 1)) for ALiBi; approached as T grows."""
    return Bound(MASS, Relation.AT_MOST, largest_tail(sp.exp(alibi_slope * window) - 1, 1), OURS)


def alibi_tail_mass_simple() -> Bound:
    """Upper, whatever the length: A_w <= e^(2B - mw) for ALiBi, since e^(-2B) (e^(mw) - 1) >= e^(mw - 2B) - 1."""
    return Bound(MASS, Relation.AT_MOST, sp.exp(2 * logit_bound - alibi_slope * window), OURS)


def truncation() -> Bound:
    """Upper, tight: |o - o_w| <= A_w D_v, o the output, o_w that of the head that sees distances below w only.

    D_v = diam{v_k}. Proof: o = (1 - A_w) o_w + A_w o_far, two means of values. Attained by two values, one near and one
    far. For |v| <= V, D_v <= 2V.
    """
    return Bound(OUTPUT, Relation.AT_MOST, tail_mass * value_diameter, OURS)


def alibi_truncation() -> Bound:
    """Upper, sharp, whatever the length: |o - o_w| <= D_v/(1 + e^(-2B) (e^(mw) - 1)) for ALiBi.

    `truncation` with `alibi_tail_mass_any_length`; approached as T grows.
    """
    bound = value_diameter * alibi_tail_mass_any_length().expression
    return Bound(OUTPUT, Relation.AT_MOST, bound, OURS)


def alibi_horizon() -> Bound:
    """Exact: the least w with A_w <= eps for all logits and all lengths is ceil(ln(1 + e^(2B) (1-eps)/eps)/m).

    ALiBi of slope m, 0 < eps < 1. Proof: `alibi_tail_mass_any_length` is a supremum; solve for w.
    """
    wanted = sp.log(1 + TILT * (1 - tail_tolerance) / tail_tolerance) / alibi_slope
    return Bound(HORIZON, Relation.EQUAL, sp.ceiling(wanted), OURS, TOLERATED)


def alibi_horizon_simple() -> Bound:
    """Upper: w(eps) <= ceil((2B + ln(1/eps))/m), from `alibi_tail_mass_simple`."""
    simple = sp.ceiling((2 * logit_bound - sp.log(tail_tolerance)) / alibi_slope)
    return Bound(HORIZON, Relation.AT_MOST, simple, OURS, TOLERATED)


def alibi_tail_sum() -> Bound:
    """Exact: sum_{k>=w} e^(-mk) = e^(-mw)/(1 - e^(-m)), ALiBi without end."""
    total = sp.exp(-alibi_slope * window) / (1 - sp.exp(-alibi_slope))
    return Bound(r"\sum_{k\geq w}e^{b(k)}", Relation.EQUAL, total, OURS)


def _hurwitz() -> sp.Expr:
    return sp.zeta(kerple_rate, window + 1 / kerple_shape) / kerple_shape**kerple_rate


def kerple_log_tail_sum() -> Bound:
    """Exact: sum_{k>=w} (1 + r_2 k)^(-r_1) = r_2^(-r_1) zeta(r_1, w + 1/r_2), Hurwitz zeta, KERPLE-log, r_1 > 1."""
    return Bound(r"\sum_{k\geq w}e^{b(k)}", Relation.EQUAL, _hurwitz(), OURS, SUMMABLE)


def kerple_log_tail_mass() -> Bound:
    """Upper, sharp, whatever the length: KERPLE-log, r_1 > 1: `tail_mass_upper` with T_w of `kerple_log_tail_sum`.

    It falls like w^(1 - r_1) only. Approached as T grows.
    """
    near: Any = sp.Sum((1 + kerple_shape * K) ** (-kerple_rate), (K, 0, window - 1))
    return Bound(MASS, Relation.AT_MOST, largest_tail(near, _hurwitz()), OURS, SUMMABLE)


def kerple_log_divergence() -> Bound:
    """Lower: KERPLE-log, r_1 <= 1: A_w >= 1/(1 + e^(2B) w r_2/ln((1 + r_2 T)/(1 + r_2 w))): it tends to 1 as T grows.

    Proof: H_w <= w, and T_w >= sum_{w<=k<T} 1/(1 + r_2 k) >= the integral from w to T, in `tail_mass_lower`.
    """
    far = sp.log((1 + kerple_shape * length) / (1 + kerple_shape * window))
    bound = smallest_tail(kerple_shape * window, far)
    return Bound(MASS, Relation.AT_LEAST, bound, OURS, sp.And(INSIDE, kerple_rate <= 1))


def _power_integral() -> sp.Expr:
    """int_0^infinity e^(-r_1 x^r_2) dx."""
    return sp.gamma(1 + 1 / kerple_shape) / kerple_rate ** (1 / kerple_shape)


def kerple_power_sum() -> Bound:
    """Upper: sum_{k>=0} e^(-r_1 k^r_2) <= 1 + Gamma(1 + 1/r_2) r_1^(-1/r_2), KERPLE-power: finite for all r_1, r_2 > 0.

    Proof: the terms decrease; compare with the integral over [0, infinity).
    """
    return Bound(r"\sum_{k\geq 0}e^{b(k)}", Relation.AT_MOST, 1 + _power_integral(), OURS)


def kerple_power_sum_lower() -> Bound:
    """Lower: sum_{k>=0} e^(-r_1 k^r_2) >= max(1, Gamma(1 + 1/r_2) r_1^(-1/r_2)), KERPLE-power.

    Proof as `kerple_power_sum`, with the integral over [k, k+1] below the k-th term.
    """
    return Bound(r"\sum_{k\geq 0}e^{b(k)}", Relation.AT_LEAST, sp.Max(1, _power_integral()), OURS)


def kerple_power_tail_mass() -> Bound:
    """Upper, any length: A_w <= F/(F + e^(-2B)) for KERPLE-power, F = e^(-r_1 w^r_2) (1 + w^(1-r_2)/(r_1 r_2 - c)).

    c = max(0, 1 - r_2) w^(-r_2); r_2 <= 2, and r_1 r_2 > c, which holds from some w on. Proof: H_w >= 1 and T_w <= F:
    its first term plus the integral from w, a r_1^(-a) Gamma(a, z) with a = 1/r_2, z = r_1 w^r_2, where
    Gamma(a, z) = z^(a-1) e^-z int (1 + t/z)^(a-1) e^-t dt and (1 + t/z)^(a-1) <= e^(t max(0, a-1)/z).
    """
    slack = sp.Max(0, 1 - kerple_shape) / window**kerple_shape
    first = sp.exp(-kerple_rate * window**kerple_shape)
    far = first * (1 + window ** (1 - kerple_shape) / (kerple_rate * kerple_shape - slack))
    admissible = sp.And(kerple_shape <= 2, kerple_rate * kerple_shape > slack)
    return Bound(MASS, Relation.AT_MOST, largest_tail(1, far), OURS, admissible)


def flat_tail_mass() -> Bound:
    """Lower, tight: A_w >= (T-w)/(T - w + w e^(2B + Delta)), Delta = max b - min b: it tends to 1 as T grows.

    So no window serves all lengths if the bias is bounded: none, additive, relative, rotary, T5, Sandwich, FIRE.
    Attained where the bias is Delta higher below w, with the logits of `tail_mass_lower`.
    """
    bound = smallest_tail(window * sp.exp(bias_oscillation), length - window)
    return Bound(MASS, Relation.AT_LEAST, bound, OURS, INSIDE)


def dispersion() -> Bound:
    """Upper, tight: max_k alpha_k <= 1/(1 + (T-1) e^(-2B - Delta)), Delta = max b - min b: bounded biases disperse.

    Attained by one key with logit B and bias Delta above all others, whose logits are -B.
    """
    bound = 1 / (1 + (length - 1) * sp.exp(-2 * logit_bound - bias_oscillation))
    return Bound(r"\max_k\alpha_k", Relation.AT_MOST, bound, OURS)


def flat_window() -> Bound:
    """Upper, wrong for bounded biases: the window that holds 1 - eps of the attention at the training length does so at
    every length.

    Kept to be refuted on them (compare `flat_tail_mass`); true with the horizon of a summable bias.
    """
    return Bound(MASS, Relation.AT_MOST, tail_tolerance, "false: compare flat_tail_mass", TOLERATED)


EXTRAPOLATION_BOUNDS = {
    "tail-mass": tail_mass_upper,
    "tail-mass-lower": tail_mass_lower,
    "alibi-tail-mass": alibi_tail_mass,
    "alibi-tail-mass-lower": alibi_tail_mass_lower,
    "alibi-tail-mass-any-length": alibi_tail_mass_any_length,
    "alibi-tail-mass-simple": alibi_tail_mass_simple,
    "truncation": truncation,
    "alibi-truncation": alibi_truncation,
    "alibi-horizon": alibi_horizon,
    "alibi-horizon-simple": alibi_horizon_simple,
    "alibi-tail-sum": alibi_tail_sum,
    "kerple-log-divergence": kerple_log_divergence,
    "kerple-power-sum": kerple_power_sum,
    "kerple-power-sum-lower": kerple_power_sum_lower,
    "kerple-power-tail-mass": kerple_power_tail_mass,
    "flat-tail-mass": flat_tail_mass,
    "dispersion": dispersion,
}
# Apart, because the 50 digits of SymPy's Hurwitz zeta are not 50 where it is small: Arb and `theory.hurwitz` are right.
EXTRAPOLATION_ZETA_BOUNDS = {
    "kerple-log-tail-sum": kerple_log_tail_sum,
    "kerple-log-tail-mass": kerple_log_tail_mass,
}
EXTRAPOLATION_REFUTED = {"flat-window": flat_window}
