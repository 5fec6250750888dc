"""Softmax: how far logits can move the weights, and how far the weights can move a mean.

alpha = softmax(s + b), b a fixed bias, pi = softmax(b) the weights at zero logits. A position with b =
-infinity is removed beforehand (its weight is 0 for every s), so all pi_j > 0 below. y and t are two
readings of the positions, y~ = y - E_alpha y, t~ = t - E_alpha t, of ranges D_y = max y - min y and D_t. For
vectors, <u, v_j> and <w, k_j> are the readings: D_y <= |u| diam{v_j} and D_t <= |w| diam{k_j}. Every
constant called sharp is attained, or approached.
"""

import sympy as sp

from theory.bound import Bound, Relation
from theory.notation import (
    bias_weight,
    length,
    logit_bound,
    logit_diameter,
    logit_distance,
    logit_oscillation,
    readout_diameter,
)

OURS = "derived in this project"
WEIGHT = r"\operatorname{softmax}(s+b)_j"
PROPER_WEIGHT = sp.And(bias_weight > 0, bias_weight <= 1)
EFFECTIVE_LENGTH = r"T_{\mathrm{eff}}"


def tilted_weight(weight: sp.Expr | int, logit_radius: sp.Expr | int) -> sp.Expr:
    """pi / (pi + (1 - pi) e^(-2B)): the largest weight of a position with weight pi at zero logits, if |s|
    <= B.

    With -B for B it is the smallest weight.
    """
    pi, radius = sp.sympify(weight), sp.sympify(logit_radius)
    return pi / (pi + (1 - pi) * sp.exp(-2 * radius))


def largest_weight() -> Bound:
    """Tilt lemma, upper, tight: |s_k| <= B for all k implies alpha_j <= abar_j = pi_j/(pi_j + (1-pi_j)
    e^(-2B)).

    Proof: alpha_j = pi_j e^(s_j) / sum_k pi_k e^(s_k) increases in s_j and decreases in the others. Attained
    at s_j = B, s_k = -B.
    """
    tilted = tilted_weight(bias_weight, logit_bound)
    return Bound(WEIGHT, Relation.AT_MOST, tilted, OURS, assumptions=PROPER_WEIGHT)


def smallest_weight() -> Bound:
    """Tilt lemma, lower, tight: alpha_j >= pi_j/(pi_j + (1-pi_j) e^(2B)), attained at s_j = -B, s_k = B."""
    tilted = tilted_weight(bias_weight, -logit_bound)
    return Bound(WEIGHT, Relation.AT_LEAST, tilted, OURS, assumptions=PROPER_WEIGHT)


def largest_weight_without_bias() -> Bound:
    """Tilt lemma at pi_j = 1/T, upper, tight: alpha_j <= e^(2B)/(e^(2B) + T - 1), T positions without bias."""
    growth = sp.exp(2 * logit_bound)
    return Bound(WEIGHT, Relation.AT_MOST, growth / (growth + length - 1), OURS)


def effective_length() -> Bound:
    """Upper: T_eff = sum_j abar_j <= T e^(2B)/(T + e^(2B) - 1), equality without bias (pi_j = 1/T).

    T counts the positions of finite bias. Proof: pi -> pi c/(1 + pi(c-1)), c = e^(2B) >= 1, is concave;
    Jensen.
    """
    growth = sp.exp(2 * logit_bound)
    return Bound(EFFECTIVE_LENGTH, Relation.AT_MOST, length * growth / (length + growth - 1), OURS)


def effective_length_ceiling() -> Bound:
    """Upper, looser: T_eff <= min{T, e^(2B)}, since (T-1)(e^(2B)-1) >= 0; both limits are approached."""
    return Bound(EFFECTIVE_LENGTH, Relation.AT_MOST, sp.Min(length, sp.exp(2 * logit_bound)), OURS)


def total_variation() -> Bound:
    """Upper, tight: TV(softmax s, softmax s') <= tanh(osc(s-s')/4), osc = max - min, TV = half the l1
    distance.

    Proof: with p the weight of a set under s, its weight under s' is at most r p/(1 + (r-1)p), r = e^osc;
    the gain is largest at p = 1/(1 + sqrt r), where it is tanh(osc/4). Attained by two positions with
    logits -+osc/4, +-osc/4.
    """
    quantity = r"\operatorname{TV}(\operatorname{softmax}s,\operatorname{softmax}s')"
    return Bound(quantity, Relation.AT_MOST, sp.tanh(logit_oscillation / 4), OURS)


def weight_change() -> Bound:
    """Upper, sharp: |softmax s - softmax s'|_1 <= |s - s'|_inf.

    Proof: 2 tanh(osc/4) <= osc/2 <= |s-s'|_inf. The ratio tends to 1 for two positions and opposite small
    changes.
    """
    quantity = r"|\operatorname{softmax}s-\operatorname{softmax}s'|_1"
    return Bound(quantity, Relation.AT_MOST, logit_distance, OURS)


def lipschitz_constant() -> Bound:
    """Exact: for T >= 2 and every 1 <= p <= infinity, softmax has Lipschitz constant 1/2 from l_p to l_p.

    Proof: the Jacobian diag(alpha) - alpha alpha^T is symmetric, its column j has l1 norm 2 alpha_j
    (1-alpha_j) <= 1/2, Riesz-Thorin covers 1 < p < infinity. Attained at alpha = (1/2, 1/2) in direction
    (1, -1).
    """
    quantity = r"\operatorname{Lip}_{p\to p}(\operatorname{softmax})"
    return Bound(quantity, Relation.EQUAL, sp.Rational(1, 2), OURS)


def covariance() -> Bound:
    """(a) Upper, tight: |Cov_alpha(y, t)| <= D_y D_t / 4, the first derivative of the mean of y along t.

    Proof: Cauchy-Schwarz and Popoviciu's Var <= D^2/4. Attained by two equal atoms, y = t.
    """
    bound = readout_diameter * logit_diameter / 4
    return Bound(r"|\operatorname{Cov}_\alpha(y,t)|", Relation.AT_MOST, bound, OURS)


def weight_gradient() -> Bound:
    """(b) Upper, tight: |(alpha_j y~_j)_j|_2 <= (sqrt2/4) D_y, the gradient of the mean of y in the logits.

    Proof: the positive and the negative entries each sum to E|y~|/2 in absolute value, and l2 <= l1 on each
    part, so the norm is at most E|y~|/sqrt2; E|y~| <= D_y/2 (chord of the convex |.|). Attained by two
    equal atoms.
    """
    return Bound(r"|(\alpha_j\tilde y_j)_j|_2", Relation.AT_MOST, sp.sqrt(2) / 4 * readout_diameter, OURS)


def third_cumulant() -> Bound:
    """(c) Upper, tight: |E y~ t~^2| <= D_y D_t^2 / (6 sqrt3), the second derivative of the mean of y along t.

    Attained by two atoms with weights p, 1-p, p = (1 - 1/sqrt3)/2, y = t: p(1-p)(1-2p) = 1/(6 sqrt3).
    Proof: linear in y, so y is D_y times the indicator of a set A, p = P(A). Scale t to [0, 1]; let x, x'
    be its means on A and off A and d = x - x'. Then E y~ t~^2 <= p(1-p)[(1-2p) d^2 + x(1-x)], as Var(t|A)
    <= x(1-x). Reflecting t, x >= 1/2, hence d^2 <= x^2. If p > 1/2: at most p(1-p)/4 <= 1/16. Otherwise at
    most p(1-p)(x - 2p x^2), largest at x = 1 if p <= 1/4 (the value above) and at x = 1/(4p) if p > 1/4:
    (1-p)/8 <= 3/32 < 1/(6 sqrt3).
    """
    bound = readout_diameter * logit_diameter**2 / (6 * sp.sqrt(3))
    return Bound(r"|\mathbb E_\alpha\tilde y\tilde t^2|", Relation.AT_MOST, bound, OURS)


def fourth_cumulant() -> Bound:
    """(d) Upper, tight: |E y~ t~^3 - 3 E[y~ t~] E[t~^2]| <= D_y D_t^3 / 8, the third derivative along t.

    Attained by two equal atoms, y = t. Proof: linear in y, so y is the indicator of a set A; p = P(A),
    q = 1-p, e = q-p; t in [0, 1] has mean x on A and w off A; u = 1-x, d = x-w = 1-u-w. The third
    derivative of P(A) = sigmoid(logit p + M_1 - M_0), M the conditional cumulant generating functions, is
        kappa = pq [(1-6pq) d^3 + 3 e d (v_1 - v_0) + k_1 - k_0],  v variances, k third central moments.
    On A: v_1 = u s, 0 <= s <= 1-u, k_1 <= u v_1 - v_1^2/u (from E(1-t)(t-c)^2 >= 0 with the best c).
    Off A: v_0 = w r, 0 <= r <= 1-w, -k_0 <= w v_0 - v_0^2/w. So
        kappa <= pq [(1-6pq) d^3 + u((u+3ed)s - s^2) + w((w-3ed)r - r^2)].
    Taking the complement of A changes the sign of kappa, reflecting t as well restores it with -e for e: so
    bound kappa for e >= 0 only.
    If d >= 0: pq(1-6pq) <= 1/24; u(us - s^2) <= u/8, the same for w; 3e pq d us <= d u(1-u)/(2 sqrt3) <=
    2/(27 sqrt3). Sum: d^3/24 + (1-d)/32 + 2/(27 sqrt3) <= 1/24 + 2/(27 sqrt3) < 1/8.
    If d < 0: let D = -d, a = 1-u, b = 1-w, so a+b+D = 1, and S = a(1-a)^2 + b(1-b)^2, Q = D^3/2 + S,
    R = D b(1-b). Dropping -s^2, -r^2, -3eDus and using e^4 <= e^2: 4 kappa <= (1-e^2) Q + 3eR <=
    Q + 9R^2/(4Q) <= 1/2, the last step because Q/2 - Q^2 - 9R^2/4, homogenised by 1 = a+b+D and multiplied
    by (a+b+D)^7, has no negative coefficient (Polya; tests/theory/test_softmax.py expands it).
    """
    quantity = (
        r"|\mathbb E_\alpha\tilde y\tilde t^3"
        r"-3\,\mathbb E_\alpha[\tilde y\tilde t]\,\mathbb E_\alpha[\tilde t^2]|"
    )
    return Bound(quantity, Relation.AT_MOST, readout_diameter * logit_diameter**3 / 8, OURS)


SOFTMAX_BOUNDS = {
    "largest-weight": largest_weight,
    "smallest-weight": smallest_weight,
    "largest-weight-without-bias": largest_weight_without_bias,
    "effective-length": effective_length,
    "effective-length-ceiling": effective_length_ceiling,
    "total-variation": total_variation,
    "weight-change": weight_change,
    "softmax-lipschitz": lipschitz_constant,
    "covariance": covariance,
    "weight-gradient": weight_gradient,
    "third-cumulant": third_cumulant,
    "fourth-cumulant": fourth_cumulant,
}
