"""What positional encodings can and cannot change in a complexity: invariances of bounds, growth, linear classes,
inclusions, norms.

Template class, R_hat (1/n, no absolute value) and statistics as in `theory.rademacher`; X are the tokens, and U(.) is
the value of an upper bound on R_hat, a number computed from statistics of the sample. Two dict literals stand at the
end: statements that hold, and statements that are kept because they are wrong. Everything is derived in this project.
"""

from typing import Any

import sympy as sp

from theory.bound import Bound, Relation
from theory.notation import (
    dim,
    first_bound,
    half_range_sum,
    inner_complexity,
    mean_power,
    readout_norm,
    relaxed_complexity,
    repetitions,
    sample_size,
    second_bound,
    token_scale,
    value_bound_sum,
)

QUANTITY = r"\hat{\mathfrak R}(\mathcal F)"
SCALED = r"\hat{\mathfrak R}(\mathcal F;cX)"
LINEAR = r"\sqrt n\,\hat{\mathfrak R}(\mathcal F)/B_p"
RELAXED = r"\hat{\mathfrak R}_\square"
OURS = "derived in this project"
WIDE = token_scale >= 1


def bias_free_covering() -> Bound:
    """Exact: U(b)/U(0) = 1 for every covering bound of `theory.rademacher` and `theory.rademacher_baselines` and every
    finite bias b, so for every slope of ALiBi.

    Proof: |softmax(s + b) - softmax(s' + b)|_1 <= |s - s'|_inf for every b (`theory.softmax`), and covariances are
    bounded by diameters for every weight, so a cover of the logits is one of the head whatever b is; sizes, radii,
    norms and diameters are all that enters. U3, U5 and U8 do depend on b.
    """
    return Bound(r"U(b)/U(0)", Relation.EQUAL, sp.Integer(1), OURS)


def masked_covering() -> Bound:
    """Upper, tight: U(mask)/U(no mask) <= 1 for the same bounds: a mask removes positions (b = -infinity), and maxima
    and diameters over fewer positions are not larger. Equality where the extreme tokens stay.
    """
    return Bound(r"U(\mathrm{mask})/U(0)", Relation.AT_MOST, sp.Integer(1), OURS)


def radius_growth(degree: int = 3) -> Bound:
    """Upper, sharp: U(cX)/U(X) <= c^degree, c >= 1, for U2 and the bound after Trauger and Tewari; degree 3 where the
    token is query, key and value (logits q^T W k), 2 where the query is a parameter (logits <w, k>). An encoding scaled
    up by c in its norm has this effect at most.

    Proof: U2 is K (a^(2/3) + b^(2/3))^(3/2), the read-out block a grows like c and the query block b like c^degree; the
    other bound likewise. Approached as c -> infinity, or for large logit norms. Not for volumetric covers, which grow
    like c sqrt(ln c) only (`theory.rademacher.covering`).
    """
    return Bound(r"U(cX)/U(X)", Relation.AT_MOST, token_scale**degree, OURS, assumptions=WIDE)


def truth_growth() -> Bound:
    """Upper, tight: R_hat(cX) <= c (B_u/n) sum_i max_j h(v_ij), whatever the logits: a complexity grows linearly in the
    size of the tokens, however fast bounds of it grow. h as in U1; equality as there (one sample of equal tokens).
    """
    bound = token_scale * readout_norm * value_bound_sum / sample_size
    return Bound(SCALED, Relation.AT_MOST, bound, OURS)


def polynomial_truth(degree: int = 3) -> Bound:
    """Lower, refuted: R_hat(cX) >= c^degree R_hat(X), as the leading growth of covering bounds suggests.

    Wrong by `truth_growth`: for large c it is linear in c. `inner_complexity` is R_hat(X).
    """
    expression = token_scale**degree * inner_complexity
    return Bound(SCALED, Relation.AT_LEAST, expression, OURS, assumptions=WIDE)


def linear_power_upper() -> Bound:
    """Upper, tight: sqrt(n) R_hat/B_p <= sqrt(Q) for {x -> <w, x>: |w|_2 <= B_p} on x_i + p_i, Q = sum_i |x_i + p_i|^2
    / n the mean power. By Jensen (`theory.classical.linear_l2_upper`); equality for orthogonal vectors.
    """
    return Bound(LINEAR, Relation.AT_MOST, sp.sqrt(mean_power), OURS)


def linear_power_lower() -> Bound:
    """Lower, tight: sqrt(n) R_hat/B_p >= sqrt(Q/2), by the Khintchine-Kahane inequality with its best constant
    (`theory.classical.linear_l2_lower`); equality for two equal vectors, all others 0.
    """
    reference = "after Szarek 1976, Latala and Oleszkiewicz 1994"
    return Bound(LINEAR, Relation.AT_LEAST, sp.sqrt(mean_power / 2), reference)


def equal_power_ratio() -> Bound:
    """Upper, tight: at equal mean power two encodings differ in the linear class by a factor of sqrt2 at most, so
    R_hat/R_hat' <= sqrt2. From the two statements above; two orthogonal against two equal vectors attain it.
    """
    quantity = r"\hat{\mathfrak R}(\mathcal F)/\hat{\mathfrak R}(\mathcal F')"
    return Bound(quantity, Relation.AT_MOST, sp.sqrt(2), OURS)


def rank_one_code() -> Bound:
    """Exact: sqrt(n) R_hat/B_p = sqrt(Q/n) E|sum_i eps_i| for codes p_i that are all p or -p and no tokens.

    E|sum_i eps_i| = 2 Gamma(m + 1/2)/(sqrt(pi) Gamma(m)), m = ceil(n/2), so the value tends to sqrt(2 Q/pi): a code of
    rank one has .798 of what a code with orthogonal positions has at the same power. Proof: E|S_n| = n C(n-1, m-1)
    2^(1-n), by pairing the last step with the sign of the others; duplication formula.
    """
    pairs = sp.ceiling(sample_size / 2)
    walk = 2 * sp.gamma(pairs + sp.Rational(1, 2)) / (sp.sqrt(sp.pi) * sp.gamma(pairs))
    return Bound(LINEAR, Relation.EQUAL, sp.sqrt(mean_power / sample_size) * walk, OURS)


def inclusion() -> Bound:
    """Lower, tight: R_hat(learned) >= R_hat(contained), `inner_complexity`, where some value of the trained parameters
    gives the contained class: the fixed encoding, or none if 0 is allowed. A supremum over more functions is larger for
    every sign vector. Equality where nothing can be learned (radius 0).
    """
    return Bound(QUANTITY, Relation.AT_LEAST, inner_complexity, OURS)


def fixed_inclusion() -> Bound:
    """Lower, refuted: R_hat(fixed encoding) >= R_hat(no encoding), `inner_complexity`, as if an encoding could only
    enrich a class. Neither class contains the other; rotations and biases can lower the complexity.
    """
    return Bound(QUANTITY, Relation.AT_LEAST, inner_complexity, OURS)


def norm_bounds_ignore_rotations() -> Bound:
    """Exact: U(rotary)/U(none) = 1 for bounds that know sizes, radii and token norms only: U1, and the bounds after
    Edelman et al. and after Trauger and Tewari. Rotations keep norms. Bounds with diameters (U2, U3) do change.
    """
    return Bound(r"U(\mathrm{rotary})/U(\mathrm{none})", Relation.EQUAL, sp.Integer(1), OURS)


def rotations_change_nothing() -> Bound:
    """Exact, refuted: R_hat(rotary)/R_hat(none) = 1, as norm-only bounds suggest."""
    quantity = r"\hat{\mathfrak R}(\mathrm{rotary})/\hat{\mathfrak R}(\mathrm{none})"
    return Bound(quantity, Relation.EQUAL, sp.Integer(1), OURS)


def bound_order() -> Bound:
    """Upper, refuted: R_hat(F_1) - R_hat(F_2) <= 0 wherever an upper bound has U(F_1) <= U(F_2): "the order of bounds
    is the order of truths".

    Wrong for U3 with ALiBi and no encoding on unit vectors: the bias lowers the effective length, and U3 with it, but
    it also destroys the averaging that keeps |sum eps_i a_i| small.
    """
    quantity = r"\hat{\mathfrak R}(\mathcal F_1)-\hat{\mathfrak R}(\mathcal F_2)"
    return Bound(quantity, Relation.AT_MOST, sp.Integer(0), OURS, assumptions=first_bound <= second_bound)


def sinusoidal_power() -> Bound:
    """Exact: |p(t)|^2 = d/2 at every position for sinusoidal encodings: one sin^2 + cos^2 for each of d/2 pairs."""
    return Bound(r"|p(t)|^2", Relation.EQUAL, dim / 2, OURS)


def legendre_largest_power() -> Bound:
    """Exact: max_t |p(t)|^2 = d for raw Legendre polynomials of degree 0 .. d-1: |P_k| <= 1, attained at both ends."""
    return Bound(r"\max_t|p(t)|^2", Relation.EQUAL, dim, OURS)


def legendre_mean_power() -> Bound:
    """Exact: the mean of |p|^2 over [-1, 1] is sum_{k<d} 1/(2k+1) for raw Legendre polynomials, as int P_k^2 =
    2/(2k+1); it is (ln d)/2 + gamma/2 + ln 2 + O(1/d^2) = (ln d)/2 + .98... On N positions, ends included, the mean is
    larger by about (d - sum 1/(2k+1))/N.
    """
    k = sp.Dummy("k", integer=True, nonnegative=True)
    mean: Any = sp.Sum(1 / (2 * k + 1), (k, 0, dim - 1))
    return Bound(r"\frac12\int_{-1}^1|p|^2", Relation.EQUAL, mean, OURS)


def mean_power_order() -> Bound:
    """Upper: the mean power of raw Legendre is at most d/2, that of sinusoidal, for d >= 4, although its largest power
    d is twice as large: rankings by maxima and by means are reversed. At d = 2 both say Legendre (4/3 > 1).

    Proof: sum_{k<4} 1/(2k+1) = 176/105 < 2, and every further channel adds at most 1/9 < 1/2.
    """
    return Bound(r"\frac12\int_{-1}^1|p|^2", Relation.AT_MOST, dim / 2, OURS, assumptions=dim >= 4)


def largest_power_order() -> Bound:
    """Lower, refuted: the mean power of raw Legendre is at least d/2, that of sinusoidal, as its largest power is
    larger: "the order of maxima is the order of means". Wrong for d >= 4 by `mean_power_order`.
    """
    return Bound(r"\frac12\int_{-1}^1|p|^2", Relation.AT_LEAST, dim / 2, OURS, assumptions=dim >= 4)


def hull_floor() -> Bound:
    """Lower, tight: the hull relaxation R_box = E sup_u (1/n) sum_i max_{a in P_i} eps_i <u, a> of a head, every output
    free in its own box-tilted simplex P_i (`theory.softmax`), is at least (B_u/n) sup_u sum_i (max_{P_i} <u, a> -
    min_{P_i} <u, a>)/2, `half_range_sum` for the unit read-out ball.

    It does not decay with n. Proof: E sup_u >= sup_u E, and the mean of the maxima of +<u, a> and -<u, a> is half the
    range. Equality for sets with P_i = -P_i in one dimension.
    """
    return Bound(RELAXED, Relation.AT_LEAST, readout_norm * half_range_sum / sample_size, OURS)


def hull_decay() -> Bound:
    """Upper, refuted: m copies of a sample have R_box <= R_box(sample)/sqrt(m), the decay of a Rademacher complexity:
    "the hull relaxation decays with n". By `hull_floor` it stays above a constant.
    """
    bound = relaxed_complexity / sp.sqrt(repetitions)
    return Bound(RELAXED + r"(m\ \mathrm{copies})", Relation.AT_MOST, bound, OURS)


ENCODING_COMPLEXITY_BOUNDS = {
    "bias-free-covering": bias_free_covering,
    "masked-covering": masked_covering,
    "radius-growth": radius_growth,
    "truth-growth": truth_growth,
    "linear-power-upper": linear_power_upper,
    "linear-power-lower": linear_power_lower,
    "equal-power-ratio": equal_power_ratio,
    "rank-one-code": rank_one_code,
    "inclusion": inclusion,
    "norm-bounds-ignore-rotations": norm_bounds_ignore_rotations,
    "sinusoidal-power": sinusoidal_power,
    "legendre-largest-power": legendre_largest_power,
    "legendre-mean-power": legendre_mean_power,
    "mean-power-order": mean_power_order,
    "hull-floor": hull_floor,
}
REFUTED_COMPLEXITY_BOUNDS = {
    "polynomial-truth": polynomial_truth,
    "fixed-inclusion": fixed_inclusion,
    "rotations-change-nothing": rotations_change_nothing,
    "bound-order": bound_order,
    "largest-power-order": largest_power_order,
    "hull-decay": hull_decay,
}
