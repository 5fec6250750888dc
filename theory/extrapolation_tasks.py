r"""Which tasks a model that sees w tokens can carry to longer sequences.

The prediction f(x_1 .. x_i) at position i is (w, delta)-local if it is within delta of a function of x_{i-w+1} .. x_i,
for every input. An ALiBi head is, with delta = `theory.extrapolation.alibi_truncation`. Positions count from 1, i >= w.
Tokens are i.i.d. where a task says so; v is their variance. Risk is the mean loss.
"""

import sympy as sp

from theory.bound import Bound, Relation
from theory.extrapolation import OURS, TILT
from theory.notation import (
    alibi_slope,
    bit_probability,
    length,
    locality_defect,
    seen_count,
    token_variance,
    unseen_variance,
    vocabulary_size,
    window,
)

FLOOR = r"\mathbb E\operatorname{Var}(y_i\mid x_{i-w+1},\ldots,x_i)"
REVERSED = r"\min_i\max_s\alpha_{i,T+1-i}"
SEEN = sp.Ge(seen_count, window)
INSIDE = sp.Le(window, length)


def local_transfer() -> Bound:
    """Upper, tight: |R_i - R_w| <= delta: the risk at any position i >= w is that of a sequence of w tokens, to delta.

    Assumes stationary tokens, |f(x_1 .. x_i) - f(x_{i-w+1} .. x_i)| <= delta, a target that is a function of the last w
    tokens, and a loss that is 1-Lipschitz in the prediction. Proof: shift the window to the start. Attained by f =
    f_w + delta >= y, f_w its prediction on w tokens, and the absolute loss.
    """
    return Bound(r"|R_i-R_w|", Relation.AT_MOST, locality_defect, OURS)


def nonlocal_floor() -> Bound:
    """Lower, tight: E (f - y)^2 >= max(0, sqrt(E Var(y | last w tokens)) - delta)^2, any (w, delta)-local f.

    Proof: ||f - y|| >= ||g - y|| - ||f - g|| in L2, g the function of the window within delta of f, and ||g - y||^2 is
    at least the mean conditional variance. Attained by f = E[y | window] + delta sign(y - E[y | window]) where
    |y - E[y | window]| is constant and at least delta.
    """
    bound = sp.Max(0, sp.sqrt(unseen_variance) - locality_defect) ** 2
    return Bound(r"\mathbb E(f-y)^2", Relation.AT_LEAST, bound, OURS)


def copy_floor() -> Bound:
    """Exact: copying x_{i-D} from a distance D >= w, i.i.d. tokens: E Var = v, the token is not seen."""
    return Bound(FLOOR, Relation.EQUAL, token_variance, OURS)


def prefix_sum_floor() -> Bound:
    """Exact: y_i = x_1 + ... + x_i, i.i.d. tokens: E Var = (i - w) v, which grows with the position."""
    return Bound(FLOOR, Relation.EQUAL, (seen_count - window) * token_variance, OURS, SEEN)


def prefix_mean_floor() -> Bound:
    """Exact: y_i = (x_1 + ... + x_i)/i, i.i.d. tokens: E Var = (i - w) v/i^2, largest at i = 2w: v/(4w)."""
    return Bound(FLOOR, Relation.EQUAL, (seen_count - window) * token_variance / seen_count**2, OURS, SEEN)


def prefix_parity_accuracy() -> Bound:
    """Exact: best accuracy for the parity of x_1 .. x_i, i.i.d. bits with P(1) = p, from w bits: (1 + |1-2p|^(i-w))/2.

    Chance for fair bits (i > w); for others it tends to 1/2 as i grows. Proof: E (-1)^(sum of the i - w others) is
    (1-2p)^(i-w), whatever the window holds.
    """
    best = (1 + sp.Abs(1 - 2 * bit_probability) ** (seen_count - window)) / 2
    quantity = r"\max_f\mathbb P(f=x_1\oplus\cdots\oplus x_i)"
    return Bound(quantity, Relation.EQUAL, best, OURS, sp.And(SEEN, bit_probability <= 1))


def reversal_accuracy() -> Bound:
    """Exact: best mean accuracy of reversal, y_i = x_{T+1-i}, from tokens at distance |i-j| < w: (n + (T-n)/|V|)/T.

    n = w if T - w is even, else w - 1: the positions with |T+1-2i| < w. Tokens i.i.d. uniform on |V| symbols, w <= T.
    So it is at most w/T + (1 - w/T)/|V|, and tends to chance as T grows.
    """
    seen = window - (1 - (-1) ** (length - window)) / 2
    best = (seen + (length - seen) / vocabulary_size) / length
    return Bound(r"\max_f\frac{1}{T}\sum_i\mathbb P(f_i=x_{T+1-i})", Relation.EQUAL, best, OURS, INSIDE)


def alibi_reversal_weight() -> Bound:
    """Exact: the most weight that a symmetric ALiBi head, |logits| <= B, can put on token T+1-i, at the worst i.

    1/(1 + e^(-2B) (e^(m(T-1)) - 1)/(1 - e^(-m))), at i = 1 and i = T. Proof: logit B there and -B elsewhere. In the
    first half the others weigh S_i/q^(T+1-2i) - 1 times the target, S_i = sum_j q^|i-j|, q = e^-m. S_{i+1} = S_i + q^i
    - q^(T-i), and q^2 S_{i+1} <= S_i since S_i >= S_1 = (1 - q^T)/(1 - q).
    """
    others = (sp.exp(alibi_slope * (length - 1)) - 1) / (1 - sp.exp(-alibi_slope))
    return Bound(REVERSED, Relation.EQUAL, 1 / (1 + others / TILT), OURS)


def alibi_reversal_length() -> Bound:
    """Exact: the longest T at which one symmetric ALiBi head with values e_x and read-out by the largest entry can
    reverse every sequence without error: ceil(ln(1 + (1 - e^(-m)) e^(2B))/m).

    |logits| <= B, two symbols or more. Proof: all other tokens may be one other symbol, so it needs weight above 1/2 on
    every target; solve `alibi_reversal_weight`.
    """
    reach = sp.log(1 + (1 - sp.exp(-alibi_slope)) * TILT) / alibi_slope
    return Bound(r"T_{\max}", Relation.EQUAL, sp.ceiling(reach), OURS)


def alibi_reverses_any_length() -> Bound:
    """Lower, wrong for long sequences: that an ALiBi head can put half its weight on every token to be reversed.

    Kept to be refuted, and with it that ALiBi solves reversal at any length: compare `alibi_reversal_length`; |logits|
    <= B.
    """
    return Bound(REVERSED, Relation.AT_LEAST, sp.Rational(1, 2), "false: compare alibi_reversal_length")


EXTRAPOLATION_TASK_BOUNDS = {
    "local-transfer": local_transfer,
    "nonlocal-floor": nonlocal_floor,
    "copy-floor": copy_floor,
    "prefix-sum-floor": prefix_sum_floor,
    "prefix-mean-floor": prefix_mean_floor,
    "prefix-parity-accuracy": prefix_parity_accuracy,
    "reversal-accuracy": reversal_accuracy,
    "alibi-reversal-weight": alibi_reversal_weight,
    "alibi-reversal-length": alibi_reversal_length,
}
EXTRAPOLATION_TASKS_REFUTED = {"alibi-reverses-any-length": alibi_reverses_any_length}
