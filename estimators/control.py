"""Control variates for means of expensive draws, with clipping: the width follows the variance of what is left.

Setting. g_1..g_K i.i.d. in [minimum, maximum], known as l_k <= g_k <= u_k; a control h_k of the same draw, known as
hl_k <= h_k <= hu_k, whose mean is known from many cheap independent draws as an `Estimate`. For any c >= 0 fixed before
the draws that are used, E g = E D + c E h with D = g - c h. The width of a betting interval for E D is its deviation
plus (distance of E D to the end of the range) ln(1/alpha)/K: the range, not the variance, is the bottleneck. Clipping:

    E D >= E max(D, -a) - E (-D - a)_+        (equality), and max(D, -a) >= -a has a short range below,

the last term bounded from what is known of the upper tail of -D = c h - g (`SubGaussian.excess`), by the least of
  range      -D <= c control_maximum - minimum;
  control    -D <= c h - minimum, with the scale of h, or an `Excess` of h measured on cheap draws;
  centred    -D has mean -E D and scale `scale` + c control_scale (Hoelder);
  remainder  -D = c (h - g) - (1 - c) g <= c `below` - (1 - c) minimum for c <= 1, `below` dominating h - g.
"centred" needs a lower bound m <= E D: any one known so far gives a better one, m' = E max(D, -a) - excess(m), and the
iteration starts at m = minimum - c (upper end of E h). For the upper end of E g the same with -D in place of D.

c and a are chosen on the first `pilot` draws, which are used for nothing else; c = 0 is among the choices.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from estimators.concentration import Excess, SubGaussian
from estimators.estimate import Estimate
from estimators.intervals import betting_bound, checked

Values = NDArray[np.float64]
Tail = SubGaussian | Excess

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)  # candidates for c, and the regression coefficient of the pilot draws
ITERATIONS = 60


@dataclass(frozen=True, kw_only=True)
class Known:
    """What holds for every draw, units of g: ranges of g and of h, their sub-Gaussian scales (`convex_scale`), and
    variables that dominate g - h (`above`) and h - g (`below`), if any. Scales hold for both tails. `control_excess`
    bounds E (h - level)_+; it comes from draws independent of the pilot draws and of those that are used."""

    minimum: float
    maximum: float
    control_scale: float
    scale: float = math.inf
    control_minimum: float = -math.inf
    control_maximum: float = math.inf
    above: SubGaussian | None = None
    below: SubGaussian | None = None
    control_excess: Excess | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.minimum) and math.isfinite(self.maximum) and self.minimum <= self.maximum):
            raise ValueError(f"minimum <= maximum must be finite, got [{self.minimum}, {self.maximum}]: range of one g")
        if not (self.scale >= 0 and self.control_scale >= 0 and self.control_minimum <= self.control_maximum):
            raise ValueError(
                "scales must be >= 0 and control_minimum <= control_maximum: see concentration.convex_scale"
            )
        # Hoeffding's lemma: a variable in an interval has half its length for scale.
        object.__setattr__(self, "scale", min(self.scale, (self.maximum - self.minimum) / 2))
        length = (self.control_maximum - self.control_minimum) / 2
        object.__setattr__(self, "control_scale", min(self.control_scale, length))

    def tails(self, weight: float, lower: bool, least: float, control: Estimate) -> list[Tail]:
        """Variables that dominate -D (lower) or D (upper), given `least` <= E D, or <= -E D."""
        # inf * 0 is NaN: without a weight the control has no range.
        far = [weight * end if weight else 0.0 for end in (self.control_minimum, self.control_maximum)]
        both = SubGaussian(-least, self.scale + weight * self.control_scale)
        if lower:
            shift = SubGaussian(-self.minimum, 0.0)
            found: list[Tail] = [both, SubGaussian(far[1] - self.minimum, 0.0)]
            found.append(SubGaussian(control.upper, self.control_scale) * weight + shift)
            if self.control_excess is not None:
                found.append(self.control_excess.shifted(weight, -self.minimum))
            if self.below is not None and weight <= 1:
                found.append(self.below * weight + shift * (1 - weight))
            return found
        value = SubGaussian(min(self.maximum, weight * control.upper - least), self.scale)
        found = [both, SubGaussian(self.maximum - far[0], 0.0), value + SubGaussian(-far[0], 0.0)]
        if self.above is not None and weight <= 1:
            found.append(self.above * weight + value * (1 - weight))
        return found

    def start(self, weight: float, lower: bool, control: Estimate) -> float:
        """A certain lower bound of E D, or of -E D, given the interval for E h."""
        return self.minimum - weight * control.upper if lower else weight * control.lower - self.maximum


class Plan(NamedTuple):
    """Chosen on pilot draws: weight c, clipping point a, share of the boldest bet, and the width it promises."""

    weight: float
    clip: float
    boldest: float
    width: float


class Draws(NamedTuple):
    """Bounds on g_k and h_k, each (K,)."""

    lower: Values
    upper: Values
    control_lower: Values
    control_upper: Values

    def part(self, which: slice) -> "Draws":
        return Draws(*(array[which] for array in self))

    def remainder(self, weight: float, lower: bool) -> Values:
        """Lower bounds on D_k = g_k - c h_k, or on -D_k."""
        if lower:
            return self.lower - weight * self.control_upper
        return weight * self.control_lower - self.upper


def _missing(tails: list[Tail], clip: float) -> float:
    return min(tail.excess(clip) for tail in tails)


def plan(pilot: Draws, known: Known, control: Estimate, *, count: int, alpha: float, lower: bool) -> Plan:
    """The weight and clipping point of least predicted width for `count` further draws, level alpha, one end.

    Predicted width of betting on x = max(D, -a) + a with stake s: s Var x/(2 E x) + E x ln(1/alpha)/(s count), s <= 1.
    Only a heuristic: validity does not depend on it.
    """
    centre = (pilot.lower + pilot.upper) / 2
    control_centre = (pilot.control_lower + pilot.control_upper) / 2
    spread = float(np.var(control_centre))
    slope = float(np.mean((centre - centre.mean()) * (control_centre - control_centre.mean()))) / (spread or 1.0)
    logarithm = math.log(1 / alpha)
    plans: list[Plan] = []  # each better than the one before
    for weight in {*WEIGHTS, max(0.0, slope)}:
        values = pilot.remainder(weight, lower)
        given = weight * (control.upper - control.lower) if weight else 0.0
        given += weight * float(np.mean(pilot.control_upper - pilot.control_lower))
        deviation = float(np.std(values, ddof=1))
        least = max(known.start(weight, lower, control), float(values.mean()) - deviation)
        tails = known.tails(weight, lower, least, control)
        clips = np.array([*{level for tail in tails for level in tail.levels() if math.isfinite(level)}])
        above = np.maximum(values, -clips[:, None]) + clips[:, None]  # (clips, pilot)
        means, variances = above.mean(axis=1), above.var(axis=1) * values.size / (values.size - 1)
        kept = means > 0
        clips, means, variances = clips[kept], means[kept], variances[kept]
        ideal = math.sqrt(2 * logarithm / count) * means / np.sqrt(np.maximum(variances, 1e-30 * means**2))
        stakes = np.minimum(1.0, ideal)
        widths = stakes * variances / (2 * means) + means * logarithm / (stakes * count) + given
        for k in np.argsort(widths):
            if plans and widths[k] >= plans[-1].width:
                break
            width = float(widths[k]) + _missing(tails, float(clips[k]))
            if not plans or width < plans[-1].width:
                boldest = 0.6 if ideal[k] > 0.8 else 0.3 if ideal[k] > 0.4 else 0.03
                plans.append(Plan(float(weight), float(clips[k]), boldest, width))
    if not plans:
        raise ValueError("no finite clipping point: pass a finite control_scale or control range")
    return plans[-1]


def _lower_end(draws: Draws, chosen: Plan, known: Known, control: Estimate, alpha: float, lower: bool) -> float:
    """Lower bound for E g (or for -E g) at level alpha, given that the interval for E h holds."""
    above = np.maximum(draws.remainder(chosen.weight, lower), -chosen.clip) + chosen.clip
    span = float(above.max())  # sets only the numerical tolerance of betting_bound, as no truncated bet is asked for
    clipped = -chosen.clip
    if span > 0:
        clipped += betting_bound(above, span, alpha, boldest=chosen.boldest, truncated_share=0.0)
    least = known.start(chosen.weight, lower, control)
    for _ in range(ITERATIONS):
        missing = _missing(known.tails(chosen.weight, lower, least, control), chosen.clip)
        if clipped - missing <= least:
            break
        least = clipped - missing
    return least + chosen.weight * (control.lower if lower else -control.upper) if chosen.weight else least


def controlled(
    lower_values: Any,
    upper_values: Any,
    control_lower: Any,
    control_upper: Any,
    *,
    known: Known,
    control_mean: Estimate,
    pilot: int | None = None,
    confidence: float = 0.99,
) -> Estimate:
    """Interval for E g from K i.i.d. draws with a control variate (proof: this file). Units of g.

    The first `pilot` draws (default K/10, at least 20) choose c and the clipping points, one pair per end, and are used
    for nothing else. Required: the g_k i.i.d.; `control_mean` from draws independent of these; the bounds of the pilot
    draws computed without the other draws (an optimiser shared by both would leak them into c and a). The bounds of
    the others may depend on all the data. delta = 1 - confidence is split: 1 - control_mean.confidence for E h,
    likewise for control_excess, the rest equally over the two ends.
    """
    lower, upper = checked(lower_values, upper_values, known.minimum, known.maximum, confidence)
    control = np.asarray(control_lower, dtype=np.float64), np.asarray(control_upper, dtype=np.float64)
    low, high = (float(end) for end in (np.min(control[0]), np.max(control[1])))
    below, above = checked(*control, low, high, confidence)
    if below.shape != lower.shape:
        raise ValueError(f"need one control per draw, got {below.shape} for {lower.shape}: pass the same draws")
    if not math.isfinite(control_mean.upper - control_mean.lower):
        raise ValueError("control_mean must be a finite interval: estimate it with estimators.estimate.best")
    failing = 1 - known.control_excess.confidence if known.control_excess else 0.0
    alpha = (control_mean.confidence - failing - confidence) / 2
    if alpha <= 0:
        raise ValueError(
            f"control_mean has confidence {control_mean.confidence}, nothing is left for the draws at {confidence}: "
            f"compute it with confidence {1 - (1 - confidence) / 5:.6g}"
        )
    first = max(20, lower.size // 10) if pilot is None else pilot
    if not 2 <= first < lower.size:
        raise ValueError(f"pilot must be at least 2 and leave draws to use, got {first} of {lower.size}: draw more")
    draws = Draws(lower, upper, below, above)
    used = draws.part(slice(first, None))
    found, weights = [], []
    for side in (True, False):
        chosen = plan(draws.part(slice(0, first)), known, control_mean, count=used.lower.size, alpha=alpha, lower=side)
        found.append(_lower_end(used, chosen, known, control_mean, alpha, side))
        weights.append(chosen.weight)
    hair = 1e-12 * max(abs(known.minimum), abs(known.maximum), abs(low), abs(high))
    low, high = found[0] - hair, -found[1] + hair
    low, high = min(low, high), max(low, high)  # they cross with probability at most 1 - confidence
    low, high = (min(max(end, known.minimum), known.maximum) for end in (low, high))
    return Estimate(low, high, confidence, f"control variate (weights {weights[0]:.3g}, {weights[1]:.3g})")


def paired(first: Known, second: Known) -> Known:
    """What is known of g1 - g2 with control h1 - h2, from what is known of each: ranges subtract, scales add.

    Pass g1 - g2 and h1 - h2 draw by draw to `controlled`, and for control_mean `estimators.estimate.best` of cheap
    paired draws of h1 - h2 with sub_gaussian_scale = control_scale of the result. An Excess is not carried over.
    """
    above = None if first.above is None or second.below is None else first.above + second.below
    below = None if first.below is None or second.above is None else first.below + second.above
    return Known(
        minimum=first.minimum - second.maximum,
        maximum=first.maximum - second.minimum,
        scale=first.scale + second.scale,
        control_scale=first.control_scale + second.control_scale,
        control_minimum=first.control_minimum - second.control_maximum,
        control_maximum=first.control_maximum - second.control_minimum,
        above=above,
        below=below,
    )
