"""One-sided confidence bounds for a mean whose observations are themselves known only as intervals.

Setting of this file. Exact g_1..g_K are i.i.d. in [a, b] with mean mu. Known are l_k <= g_k <= h_k, and the
l_k, h_k may depend on all the data in any way (one optimiser is shared by all draws), so they are neither
independent nor predictable. Every statistic here is therefore monotone in each observation: l_k can stand
for g_k on one side and h_k on the other, whatever produced them.
"""

import functools
import math
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import erfc

Values = NDArray[np.float64]

# The prior over bets is a fixed function of K and alpha, never of the data. It is tuned for nonnegative
# quantities
# whose mean is a small part of the range; elsewhere it costs width, not validity.
VARIATION = 0.4  # standard deviation / (mean - a) at which the bets peak
TRUNCATED_VARIATION = 0.1  # standard deviation / tau at which the truncated bets peak
SPREAD = 0.5  # width of the peak, in units of ln(bet)
LARGEST = 0.97  # largest stake below 1
BETS = 24
BLOCK = 8  # factors multiplied before one logarithm is taken
SLACK = 1e-10  # per observation, in ln(capital): far above what float64 loses


def checked(
    lower_values: Any, upper_values: Any, minimum: float, maximum: float, confidence: float
) -> tuple[Values, Values]:
    """Both arrays in float64; ValueError that says what to do if they cannot enclose values in the range."""
    lower, upper = (np.asarray(v, dtype=np.float64) for v in (lower_values, upper_values))
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie strictly between 0 and 1, got {confidence}: use for example 0.99")
    if not (math.isfinite(minimum) and math.isfinite(maximum) and minimum <= maximum):
        raise ValueError(f"minimum <= maximum must be finite, got [{minimum}, {maximum}]: pass the range of one value")
    if lower.ndim != 1 or lower.shape != upper.shape or lower.size == 0:
        raise ValueError(
            f"lower_values and upper_values must be equally long and not empty, got shapes {lower.shape} and "
            f"{upper.shape}: pass one entry per draw"
        )
    if np.isnan(lower).any() or np.isnan(upper).any():
        raise ValueError("values contain NaN: drop nothing, find the draw that failed (dropping biases the mean)")
    if (lower > upper).any():
        k = int(np.argmax(lower > upper))
        raise ValueError(f"lower_values[{k}] = {lower[k]} exceeds upper_values[{k}] = {upper[k]}: swap the two arrays?")
    if lower.min() < minimum or upper.max() > maximum:
        raise ValueError(
            f"values span [{lower.min()}, {upper.max()}], outside [{minimum}, {maximum}]: pass a minimum and "
            "a maximum that hold for every possible draw, or clip the values to ones that do"
        )
    return lower, upper


def empirical_bernstein_radius(lower: Values, upper: Values, span: float, delta: float) -> float:
    """Radius r with P(mu > mean g + r) <= delta and P(mu < mean g - r) <= delta, from intervals around the
    g_k.

    Maurer and Pontil (COLT 2009, arXiv 0907.3740), Theorem 4: for i.i.d. values in [0, 1], K >= 2, with
    probability at least 1 - delta, mu - mean g <= sqrt(2 V ln(2/delta)/K) + 7 ln(2/delta)/(3 (K - 1)), V the
    unbiased sample variance. Applied to (g - a)/span and to (b - g)/span it gives either side. K = 1 returns
    infinity.

    The g_k are unknown. Let c_k be the midpoint of [l_k, h_k], e_k = g_k - c_k, |e_k| <= r_k = (h_k -
    l_k)/2. The sample standard deviation sd(x) = |x - mean x|_2 / sqrt(K - 1) is a seminorm, and |x - mean
    x|_2 <= |x|_2, hence sd(g) <= sd(c) + sd(e) <= sd(c) + sqrt(K/(K - 1)) rms(r). The radius increases in
    sd: put in the right side.
    """
    count = lower.size
    if count < 2:
        return math.inf
    half = (upper - lower) / 2
    deviation = float(np.std(lower + half, ddof=1)) + math.sqrt(float(np.sum(half**2)) / (count - 1))
    logarithm = math.log(2 / delta)
    return deviation * math.sqrt(2 * logarithm / count) + 7 * span * logarithm / (3 * (count - 1))


def _bets(count: int, alpha: float, variation: float, boldest: float) -> tuple[Values, Values]:
    """Stakes c in (0, 1] and their weights (sum 1), `boldest` of it on c = 1."""
    # Half width and growth are best at c = sqrt(2 ln(1/alpha) / K) (m - a) / sd, if that is below 1.
    peak = min(0.5, math.sqrt(2 * math.log(1 / alpha) / count) / variation)
    stakes = np.geomspace(min(0.01, peak / 50), LARGEST, BETS)
    weights = 1 / (1 + (np.log(stakes / peak) / SPREAD) ** 2)
    return np.append(stakes, 1.0), np.append(weights * (1 - boldest) / weights.sum(), boldest)


def _log_products(rise: Values, stakes: Values) -> Values:
    """sum_k ln(1 - c + c rise_k) for every stake c: (K,), (J,) -> (J,)."""
    padded = np.ones(-(-rise.size // BLOCK) * BLOCK)  # a rise of 1 is a factor of 1
    padded[: rise.size] = rise
    stake, kept = stakes[:, None], (1 - stakes)[:, None]
    product = np.ones((stakes.size, padded.size // BLOCK))  # (J, K/8), small enough for the cache
    factor = np.empty_like(product)
    for slab in padded.reshape(BLOCK, -1):
        np.multiply(stake, slab, out=factor)
        factor += kept
        product *= factor
    with np.errstate(divide="ignore"):  # stake 1 on a zero loses everything: ln 0 = -inf is the right answer
        return np.log(product).sum(axis=1)


def _log_capital_over(
    values: Values,
    bets: tuple[Values, Values],
    near: tuple[Values, Values, float, float] | None,
    threshold: float,
    m: float,
) -> float:
    """ln C(m; values) - threshold, in the notation of `betting_bound`; decreasing in m."""
    stakes, weights = bets
    logs = _log_products(values / m, stakes)
    if near is not None:
        near_stakes, near_weights, tau, surplus = near
        rise = np.maximum(tau + (values - m), 0.0) / (tau + surplus)
        logs = np.append(logs, _log_products(rise, near_stakes))
        weights = np.append(weights, near_weights)
    largest = float(logs.max())  # finite: the stakes below 1 never lose everything
    return largest + math.log(float(weights @ np.exp(logs - largest))) - threshold


def betting_bound(
    values: Values,
    span: float,
    alpha: float,
    *,
    boldest: float,
    truncated_share: float,
    sub_gaussian_scale: float | None = None,
) -> float:
    """Lower confidence bound L for the mean mu of i.i.d. x_k in [0, span], P(mu < L) <= alpha.

    `values` may be any numbers 0 <= values_k <= x_k, depending on all the data in any way. `boldest` is the
    weight of the stake c = 1.

    A fixed-sample version of betting (Waudby-Smith and Ramdas, JRSS B 86, 2024, arXiv 2010.09686), with a
    mixture over constant bets in place of predictable ones because nothing is predictable here. The capital
    against the hypothesis "mean = m" is

        C(m; x) = sum_j weight_j prod_k (1 - c_j + c_j x_k / m),   0 < c_j <= 1,  sum_j weight_j = 1,

    that is, bets lambda_j = c_j / m on x_k - m: as large as is allowed, and many times 1/span where m is
    small.

    Validity. (1) All factors are nonnegative, and at m = mu each has mean 1; the x_k are independent and
    c_j, weight_j are fixed before the data, so E C(mu; x) = 1 and P(C(mu; x) >= 1/alpha) <= alpha (Markov;
    Ville is not needed as K is fixed). (2) Each factor increases in x_k, so C(m; values) <= C(m; x). (3)
    Each factor decreases in m, so {m: C(m; values) >= 1/alpha} is an interval (0, L'] and root finding is
    right. Take any L <= L' in it. If mu < L then C(mu; x) >= C(mu; values) >= C(L; values) >= 1/alpha, which
    has probability at most alpha.

    With `sub_gaussian_scale` s (E exp(t (x - mu)) <= exp(t^2 s^2/2) for all real t) `truncated_share` of the
    weight goes to

        factor 1 - c_j + c_j max(tau + x_k - m, 0) / (tau + r),   r = s sqrt(pi/2) erfc(tau / (s sqrt2)),

    where bets need not insure against values farther than tau below the mean. At m = mu the factor has mean
    at most 1: E max(tau + x - mu, 0) = tau + E max(mu - tau - x, 0), and the last term is the integral of
    P(mu - x > u) <= exp(-u^2/(2 s^2)) over u > tau, which is r. It also increases in x_k and decreases in m.
    tau = s sqrt(2 ln(K/ ln(1/alpha))), fixed before the data, minimises tau ln(1/alpha)/K + r, the price of
    rare values.

    Rounding: L is a point at which the computed ln C exceeds ln(1/alpha) by K * 1e-10, more than float64 can
    lose.
    """
    count, threshold = values.size, math.log(1 / alpha) + values.size * SLACK
    stakes, weights = _bets(count, alpha, VARIATION, boldest)
    scale = sub_gaussian_scale or 0.0
    tau = scale * math.sqrt(2 * max(0.0, math.log(count / math.log(1 / alpha))))
    near = None
    if 1e-3 * span < tau < span:  # otherwise truncation would be no better, or lose digits
        surplus = scale * math.sqrt(math.pi / 2) * float(erfc(tau / (scale * math.sqrt(2))))
        near_stakes, near_weights = _bets(count, alpha, TRUNCATED_VARIATION, 0.3)
        near_stakes[-1] = LARGEST  # with stake 1 a factor can be a rounded difference of equal numbers
        weights, near_weights = (1 - truncated_share) * weights, truncated_share * near_weights
        near = near_stakes, near_weights, tau, surplus

    excess = functools.partial(_log_capital_over, values, (stakes, weights), near, threshold)
    high = float(values.mean())  # there no untruncated product exceeds 1: ln is concave
    if high <= 0 or excess(high) >= 0:
        return max(high, 0.0)
    low = high / 2
    while excess(low) < 0:
        low /= 2
        if low < 1e-12 * span:
            return 0.0
    tolerance = 1e-8 * span
    found, step = cast("float", brentq(excess, low, 2 * low, xtol=tolerance)), tolerance
    while found > low and excess(found) < 0:  # the root may lie on the wrong side, `low` does not
        found, step = max(low, found - step), 2 * step
    return found
