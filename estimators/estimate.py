"""Intervals with a stated confidence, and the constructors that make them from data.

Every constructor of a mean takes `lower_values[k] <= g_k <= upper_values[k]` for exact but unknown i.i.d.
g_k in [minimum, maximum], and covers the mean of g with probability at least `confidence`. Only the g_k need
be i.i.d.: the two arrays may depend on all the data (one optimiser shared by all draws). Where the g_k are
known, pass them twice. All results are clipped to [minimum, maximum], which contains the mean with
certainty, and are widened by 1e-12 of the larger of |minimum|, |maximum| and the range for rounding.
"""

import html
import math
from dataclasses import dataclass
from typing import Any

from scipy.stats import beta

from estimators.intervals import Values, betting_bound, checked, empirical_bernstein_radius

ROUNDING = 1e-12
BETTING_SHARE, OTHER_SHARE = 0.8, 0.1  # of delta, in `best`


@dataclass(frozen=True)
class Estimate:
    """`lower <= quantity <= upper` with probability at least `confidence` over the random draws of `method`.

    confidence 1 means certain up to the correctness of the code; upper = inf means that nothing is known
    above.
    """

    lower: float
    upper: float
    confidence: float
    method: str

    def __post_init__(self) -> None:
        for name in ("lower", "upper", "confidence"):
            object.__setattr__(self, name, float(getattr(self, name)))
        if math.isnan(self.lower) or math.isnan(self.upper):
            raise ValueError(f"{self.method}: an end of the interval is NaN: check the computation before it")
        if self.lower > self.upper:
            raise ValueError(
                f"{self.method}: lower {self.lower} exceeds upper {self.upper}: swap them or find the fault"
            )
        if not 0 < self.confidence <= 1:
            raise ValueError(f"confidence must be in (0, 1], got {self.confidence}: use for example 0.99")

    @property
    def width(self) -> float:
        return self.upper - self.lower

    def __contains__(self, value: float) -> bool:
        return self.lower <= value <= self.upper

    def __str__(self) -> str:
        certainty = "certain" if self.confidence == 1 else f"confidence {self.confidence:.6g}"
        right = f"{self.upper:.6g}]" if math.isfinite(self.upper) else "inf)"
        return f"[{self.lower:.6g}, {right} ({certainty}; {self.method})"

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(str(self))}</code>"


def exact(value: float, rounding: float = 0.0, method: str = "exact") -> Estimate:
    """[value - rounding, value + rounding], `rounding` a bound on the floating-point error of `value`, same
    units."""
    if not (math.isfinite(value) and math.isfinite(rounding) and rounding >= 0):
        raise ValueError(f"an exact value needs a finite value and rounding >= 0, got {value} and {rounding}")
    if rounding == 0:
        return Estimate(value, value, 1.0, method)
    return Estimate(
        math.nextafter(value - rounding, -math.inf), math.nextafter(value + rounding, math.inf), 1.0, method
    )


def at_least(witness: float, method: str) -> Estimate:
    """[witness, inf): all that a search for a supremum can say."""
    return Estimate(witness, math.inf, 1.0, method)


def _finish(lower: float, upper: float, minimum: float, maximum: float, confidence: float, method: str) -> Estimate:
    hair = ROUNDING * max(abs(minimum), abs(maximum), maximum - minimum)
    # Two one-sided bounds may cross, with probability at most 1 - confidence; any interval may be returned
    # then.
    low, high = min(lower, upper) - hair, max(lower, upper) + hair
    return Estimate(min(max(low, minimum), maximum), max(min(high, maximum), minimum), confidence, method)


def _around_mean(lower: Values, upper: Values, radius: float) -> tuple[float, float]:
    return float(lower.mean()) - radius, float(upper.mean()) + radius


def hoeffding(
    lower_values: Any, upper_values: Any, *, minimum: float, maximum: float, confidence: float = 0.99
) -> Estimate:
    """mean -+ (b - a) sqrt(ln(2/delta)/(2 K)), delta = 1 - confidence (Hoeffding, JASA 58, 1963, Theorem
    2)."""
    lower, upper = checked(lower_values, upper_values, minimum, maximum, confidence)
    radius = (maximum - minimum) * math.sqrt(math.log(2 / (1 - confidence)) / (2 * lower.size))
    return _finish(*_around_mean(lower, upper, radius), minimum, maximum, confidence, "Hoeffding")


def mcdiarmid(
    lower_values: Any,
    upper_values: Any,
    *,
    minimum: float,
    maximum: float,
    sub_gaussian_scale: float,
    confidence: float = 0.99,
) -> Estimate:
    """mean -+ s sqrt(2 ln(2/delta)/K), delta = 1 - confidence, for E exp(t (g - E g)) <= exp(t^2 s^2/2), all
    real t.

    Then P(|mean g - E g| >= t) <= 2 exp(-K t^2/(2 s^2)). For g = sup_f (1/n) sum_i eps_i f(x_i) with
    |f(x_i)| <= M_i, changing one sign moves g by at most 2 M_i/n, and the martingale proof of McDiarmid
    (1989) gives s = sqrt(sum_i M_i^2)/n.
    """
    lower, upper = checked(lower_values, upper_values, minimum, maximum, confidence)
    radius = _sub_gaussian_radius(sub_gaussian_scale, lower.size, (1 - confidence) / 2)
    return _finish(*_around_mean(lower, upper, radius), minimum, maximum, confidence, "McDiarmid")


def _sub_gaussian_radius(scale: float, count: int, delta: float) -> float:
    if not (math.isfinite(scale) and scale >= 0):
        raise ValueError(f"sub_gaussian_scale must be finite and >= 0, got {scale}: for signs, sqrt(sum M_i^2)/n")
    return scale * math.sqrt(2 * math.log(1 / delta) / count)


def empirical_bernstein(
    lower_values: Any, upper_values: Any, *, minimum: float, maximum: float, confidence: float = 0.99
) -> Estimate:
    """mean -+ sd sqrt(2 ln(4/delta)/K) + 7 (b - a) ln(4/delta)/(3 (K - 1)), delta = 1 - confidence, delta/2
    per side.

    Maurer and Pontil (2009), Theorem 4, with the standard deviation of the unknown g_k bounded from their
    intervals: `estimators.intervals.empirical_bernstein_radius`. One draw gives [minimum, maximum].
    """
    lower, upper = checked(lower_values, upper_values, minimum, maximum, confidence)
    radius = empirical_bernstein_radius(lower, upper, maximum - minimum, (1 - confidence) / 2)
    return _finish(*_around_mean(lower, upper, radius), minimum, maximum, confidence, "empirical Bernstein")


def _betting_ends(
    lower: Values, upper: Values, minimum: float, maximum: float, alpha: float, scale: float | None
) -> tuple[float, float]:
    span = maximum - minimum
    if span == 0:
        return minimum, maximum
    # Means near `minimum` leave bets against large values no room: the upper end wants the boldest bet.
    below = betting_bound(lower - minimum, span, alpha, boldest=0.02, truncated_share=0.3, sub_gaussian_scale=scale)
    above = betting_bound(maximum - upper, span, alpha, boldest=0.3, truncated_share=0.85, sub_gaussian_scale=scale)
    return minimum + below, maximum - above


def betting(
    lower_values: Any,
    upper_values: Any,
    *,
    minimum: float,
    maximum: float,
    confidence: float = 0.99,
    sub_gaussian_scale: float | None = None,
) -> Estimate:
    """Hedged capital with a fixed mixture of bets, delta/2 per side: proof in
    `estimators.intervals.betting_bound`.

    About 1.3 to 1.5 times the width of the central limit theorem (99 %, 2,000 draws), plus about
    (b - a) ln(2/delta)/K at an end that lies far from its end of the range: no method can exclude a mass of
    that size at `maximum` that the draws have missed. `sub_gaussian_scale` (see `mcdiarmid`) limits that
    mass, and narrows that end accordingly.
    """
    lower, upper = checked(lower_values, upper_values, minimum, maximum, confidence)
    if sub_gaussian_scale is not None:
        _sub_gaussian_radius(sub_gaussian_scale, lower.size, 0.5)
    ends = _betting_ends(lower, upper, minimum, maximum, (1 - confidence) / 2, sub_gaussian_scale)
    return _finish(*ends, minimum, maximum, confidence, "betting")


def best(
    lower_values: Any,
    upper_values: Any,
    *,
    minimum: float,
    maximum: float,
    confidence: float = 0.99,
    sub_gaussian_scale: float | None = None,
) -> Estimate:
    """Intersection of McDiarmid (if the scale is given), empirical Bernstein and betting; `method` names
    both winners.

    delta = 1 - confidence is split over the methods (betting 80 %, the others 10 % each) and equally over the
    two sides, so that by the union bound all ends hold together with probability at least `confidence`, and
    the choice among them may depend on the data. The shares are fixed: betting wins nearly always, and what
    the others get costs it little.
    """
    lower, upper = checked(lower_values, upper_values, minimum, maximum, confidence)
    scaled = sub_gaussian_scale is not None
    side = (1 - confidence) / 2
    radius = empirical_bernstein_radius(lower, upper, maximum - minimum, OTHER_SHARE * side)
    ends = {"empirical Bernstein": _around_mean(lower, upper, radius)}
    if scaled:
        radius = _sub_gaussian_radius(sub_gaussian_scale, lower.size, OTHER_SHARE * side)
        ends["McDiarmid"] = _around_mean(lower, upper, radius)
    ends["betting"] = _betting_ends(lower, upper, minimum, maximum, BETTING_SHARE * side, sub_gaussian_scale)
    low = max(ends, key=lambda name: ends[name][0])
    high = min(ends, key=lambda name: ends[name][1])
    method = low if low == high else f"lower: {low}, upper: {high}"
    return _finish(ends[low][0], ends[high][1], minimum, maximum, confidence, method)


def clopper_pearson(successes: int, trials: int, confidence: float = 0.99) -> Estimate:
    """Exact interval for a success probability, delta/2 per side (Clopper and Pearson, Biometrika 26, 1934).

    Ends are beta quantiles: B(delta/2; k, n - k + 1) and B(1 - delta/2; k + 1, n - k); 0 at k = 0, 1 at k =
    n.
    """
    if trials < 1 or not 0 <= successes <= trials or int(successes) != successes or int(trials) != trials:
        raise ValueError(f"need whole numbers 0 <= successes <= trials, trials >= 1, got {successes} of {trials}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie strictly between 0 and 1, got {confidence}: use for example 0.99")
    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, successes, trials - successes + 1)) if successes else 0.0
    high = float(beta.isf(tail, successes + 1, trials - successes)) if successes < trials else 1.0
    return _finish(low, high, 0.0, 1.0, confidence, "Clopper-Pearson")
