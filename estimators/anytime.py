"""Confidence sequences: intervals for a mean that hold at all numbers of draws at once: one may stop when satisfied.

Setting of `estimators.intervals`: i.i.d. g_1, g_2, ... in [a, b] with mean mu, known as l_k <= g_k <= u_k. There the
bets are tuned to a number K of draws fixed beforehand; here the number is found while drawing.

**Statement.** For x_k = g_k - a >= 0 of mean m* = mu - a, fixed stakes 0 < c_j <= 1 and weights w_j of sum 1, let
    C_k(m; x) = sum_j w_j prod_(i <= k) F_j(x_i, m),
    plain     F_j = 1 - c_j + c_j x/m,
    truncated F_j = 1 - c_j + c_j max(tau_j + x - m, 0)/(tau_j + r_j),  r_j >= E (E x - x - tau_j)_+.
Every F_j is >= 0, increases in x, decreases in m, and E F_j(x_i, m*) <= 1. So C_k(m*; x) is a nonnegative
supermartingale of mean <= 1 in the filtration of the x_k; by Ville's inequality P(some k: C_k(m*; x) >= 1/alpha) <=
alpha. Let numbers y_i^(k) <= x_i, known when k draws have been made, depend on everything (an optimiser may improve
old draws), and let L_k satisfy C_k(L_k; y^(k)) >= 1/alpha. If m* < L_k for some k then C_k(m*; x) >= C_k(m*; y^(k))
>= C_k(L_k; y^(k)) >= 1/alpha for that k. Hence P(some k: m* < L_k) <= alpha: nothing is asked of y but to lie below the
path of the x. The running maximum of the L_k is covered by the same event, and so is any stopping time, also one that
depends on the y. For upper ends take x_k = b - g_k.

With the scale s of `estimators.concentration` r_j = SubGaussian(0, s).excess(tau_j)."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from estimators.concentration import SubGaussian
from estimators.estimate import Estimate
from estimators.intervals import SLACK, checked

Values = NDArray[np.float64]

RATIO = 1.6  # between neighbouring stakes: a stake off by sqrt(1.6) costs 3 % of the width
BOLDEST = 0.98  # largest stake below 1
FLOOR = 1e-9  # smallest mean that is looked for, relative to the range
BLOCK = 8  # factors multiplied before one logarithm is taken; each is at least 1 - BOLDEST, at most 1/FLOOR


class Bets(NamedTuple):
    """A mixture fixed before the draws: stakes c, weights w of sum 1, and per stake tau and tau + r, or infinity and 0
    for the plain factor."""

    stakes: Values
    weights: Values
    offsets: Values
    lengths: Values


def spread_bets(most_draws: int, alpha: float, span: float, scale: float = math.inf) -> Bets:
    """Stakes spaced geometrically from half of what is best at `most_draws` for a deviation equal to the mean, to 1.

    No scale is preferred, so no final number of draws is. With a useful `scale` equal weights go to plain factors and
    to truncated ones, tau for numbers of draws 10 and 100 times apart. Depends on nothing random.
    """
    logarithm = math.log(1 / alpha)
    least = min(BOLDEST / 2, math.sqrt(2 * logarithm / most_draws) / 2)
    stakes = np.geomspace(least, BOLDEST, 1 + math.ceil(math.log(BOLDEST / least) / math.log(RATIO)))
    stakes = np.append(stakes, 1.0)
    groups = [(stakes, math.inf, 0.0)]
    counts = [most_draws / 10**power for power in range(3)]
    for count in counts:
        tau = scale * math.sqrt(2 * max(0.0, math.log(count / logarithm)))
        if 1e-3 * span < tau < span:
            # With stake 1 a truncated factor can be a rounded difference of equal numbers.
            groups.append((stakes[:-1], tau, tau + SubGaussian(0.0, scale).excess(tau)))
    sizes = [group[0].size for group in groups]
    return Bets(
        np.concatenate([group[0] for group in groups]),
        np.repeat([1 / (len(groups) * size) for size in sizes], sizes),
        np.repeat([group[1] for group in groups], sizes),
        np.repeat([group[2] for group in groups], sizes),
    )


def _log_products(rise: Values, stakes: Values) -> Values:
    padded = np.ones(-(-rise.size // BLOCK) * BLOCK)
    padded[: rise.size] = rise
    factors = (1 - stakes)[:, None, None] + stakes[:, None, None] * padded.reshape(-1, BLOCK)
    with np.errstate(divide="ignore"):
        return np.log(factors.prod(axis=2)).sum(axis=1)


def log_capital(values: Values, bets: Bets, m: float) -> float:
    """ln C_k(m; values), statement at the top of this file; values (k,) >= 0."""
    logs = np.empty(bets.stakes.size)
    for offset, length in {*zip(bets.offsets.tolist(), bets.lengths.tolist(), strict=True)}:
        which = bets.offsets == offset
        rise = values / m if math.isinf(offset) else np.maximum(offset + (values - m), 0.0) / length
        logs[which] = _log_products(rise, bets.stakes[which])
    largest = float(logs.max())
    return largest + math.log(float(bets.weights @ np.exp(logs - largest)))


def running_bound(values: Values, span: float, alpha: float, bets: Bets) -> float:
    """L with P(some k: m* < L) <= alpha over all numbers k of draws, from 0 <= values <= x <= span.

    A root of ln C(L) = ln(1/alpha) + k 1e-10 (rounding); the capital decreases in L, so any point where it is large
    enough is valid. Not above the mean of the values, where no plain factor product exceeds 1.
    """
    threshold = math.log(1 / alpha) + values.size * SLACK

    def excess(m: float) -> float:
        return log_capital(values, bets, m) - threshold

    high = float(values.mean())
    if high <= FLOOR * span:
        return 0.0
    if excess(high) >= 0:
        return high
    low = high / 2
    while excess(low) < 0:
        low /= 2
        if low < FLOOR * span:
            return 0.0
    found = float(brentq(excess, low, 2 * low, xtol=1e-8 * span))  # pyright: ignore[reportArgumentType]
    step = 1e-8 * span
    while found > low and excess(found) < 0:
        found, step = max(low, found - step), 2 * step
    return found


class Stopped(NamedTuple):
    """`estimate` holds whatever the stopping rule; `reached` tells whether its sampling part is as narrow as asked."""

    estimate: Estimate
    draws: int
    reached: bool


def until(
    draw: Callable[[int, int], tuple[Values, Values]],
    *,
    relative_halfwidth: float,
    minimum: float,
    maximum: float,
    most_draws: int,
    confidence: float = 0.99,
    scale: float = math.inf,
    first_batch: int = 100,
    growth: float = 1.3,
    stop_at_gap: bool = True,
) -> Stopped:
    """Draw until the sampling error is at most `relative_halfwidth` times the mean, or give up; delta/2 per end.

    draw(first, count) returns (l, u) of the draws first .. first + count - 1: i.i.d. g in [minimum, maximum], l <= g
    <= u. `scale` (units of g, see `convex_scale`) must hold for both tails of g. The sampling half-width is half what
    the interval adds to [mean l, mean u], compared with relative_halfwidth times the larger of |mean l| and |mean u|.
    With `stop_at_gap` the search also stops, reached = False, once (mean u - mean l)/2 alone exceeds the target and
    the sampling half-width is below half of that: more draws cannot narrow the interval to the target. `method` of the
    estimate says why it stopped. All intervals of the run hold together.
    """
    if not relative_halfwidth > 0 or most_draws < 1 or first_batch < 1 or not growth > 1:
        raise ValueError("need relative_halfwidth > 0, most_draws >= 1, first_batch >= 1 and growth > 1")
    span, alpha = maximum - minimum, (1 - confidence) / 2
    lower, upper = np.empty(0), np.empty(0)
    low, high = minimum, maximum
    hair = 1e-12 * max(abs(minimum), abs(maximum), span)
    bets = spread_bets(most_draws, alpha, span, scale)
    target = min(most_draws, first_batch)
    while True:
        batch = draw(lower.size, target - lower.size)
        lower, upper = (np.append(old, np.asarray(new)) for old, new in zip((lower, upper), batch, strict=True))
        if lower.size != target:
            raise ValueError(f"draw returned {lower.size} draws in all where {target} were asked for: return `count`")
        checked(lower, upper, minimum, maximum, confidence)
        if span > 0:
            low = max(low, minimum + running_bound(lower - minimum, span, alpha, bets) - hair)
            high = min(high, maximum - running_bound(maximum - upper, span, alpha, bets) + hair)
        means = float(lower.mean()), float(upper.mean())
        gap = (means[1] - means[0]) / 2
        sampling = max(0.0, (high - low) / 2 - gap)
        allowed = relative_halfwidth * max(abs(means[0]), abs(means[1]))
        reason = ""
        if stop_at_gap and gap > allowed and allowed < sampling <= gap / 2:
            reason = "the optimisation gap alone exceeds the target"
        elif sampling <= allowed:
            reason = "target reached"
        elif target == most_draws:
            reason = "most_draws used"
        if reason:
            ends = min(low, high), max(low, high)  # they cross with probability at most 1 - confidence
            estimate = Estimate(*ends, confidence, f"betting at any time; {reason}")
            return Stopped(estimate, lower.size, reason == "target reached")
        target = min(most_draws, math.ceil(target * growth))
