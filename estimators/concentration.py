"""Convex concentration of suprema over random signs: sub-Gaussian at the scale of one function, not of the range.

Z = sup_(t in T) sum_i eps_i t_i, T in R^n bounded, eps_i independent signs, L^2 >= sup_T |t|_2^2 (the weak variance).

**Theorem** (derived in this project; constant of the one-point lemma sharp, see below). For every real x
    ln E e^(x (Z - E Z)) <= x^2 L^2,   hence   P(Z - E Z >= u), P(E Z - Z >= u) <= e^(-u^2/(4 L^2)).
McDiarmid has sum_i sup_T t_i^2 / 2 in place of L^2. Only L enters: no largest coordinate, no symmetry of T.

*Proof.* For convex f on [-1,1]^n let Qf(x) = min over y in [-1,1]^n of f(y) + |x - y|^2/4. Claim, E over the signs:
    (a) E e^(Qf) <= e^(E f),     (b) E e^(-f) <= e^(-E Qf).
n = 1: f lies below its chord, which raises Qf and keeps f(-1), f(1); constants drop out; so f(y) = a (y + 1), a >= 0,
Qf(-1) = 0, Qf(1) = 2a - a^2 for a <= 1 and 1 beyond. (a) reads e^(-a) + e^(a - a^2) <= 2: the derivative is <= 0
because ln(1 - 2a) <= -2a - 2a^2 <= a^2 - 2a; for a > 1, (1 + e)/2 < e. (b) reads cosh a <= e^(a^2/2); for a > 1,
(1 + e^(-2a))/2 < e^(-1/2). Step n - 1 -> n, E' and Q' in the first n - 1 coordinates, f_s = f(., s):
Qf(x', s) = min_r Q'f_r(x') + (s - r)^2/4. (a) E' e^(Qf(., s)) <= min_r e^((s - r)^2/4) E' e^(Q'f_r) <= e^((Q_1 h)(s)),
h(r) = E' f_r convex; then n = 1. (b) E' e^(-f_s) <= e^(-h(s)), h(r) = E' Q'f_r, convex as a partial minimum of a
jointly convex function; n = 1 gives e^(-E Q_1 h), and Q_1 h(s) = min_r E'[Q'f_r + (s - r)^2/4] >= E' Qf(., s).
Now f = |x| Z, Z the supremum extended to [-1,1]^n: Z(y) >= Z(x) - L |x - y|, so Qf >= |x| Z - x^2 L^2. In (a) and (b)
this is the theorem for x > 0 and x < 0. QED  (Infimum convolution: Maurey 1991; the two-point constant is ours.)

*Sharp.* T = {sqrt(2/n) 1_A: |A| = m}, m = n/2 + c sqrt n: L^2 = 2m/n -> 1, but Z = sqrt(2/n) min(m, sum eps_i + n - m)
has variance -> 2 as n, then c, grow. Hence x^2 L^2/2, true for linear and for Gaussian suprema, is false for signs.
The log-Sobolev inequality and Herbst's argument give the same upper tail, and a lower one with e^(x max|t_i|) losses.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from estimators.estimate import Estimate, mcdiarmid
from estimators.intervals import betting_bound

HAIR = 1 + 1e-12  # far above what the roundings of one formula lose
DISTANCES = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0)


def convex_scale(weak_variance: float, largest_values: Float64[np.ndarray, " n"] | None = None) -> float:
    """s with ln E e^(x (Z - E Z)) <= x^2 s^2/2 for all real x: sqrt(2) L, or sqrt(sum M_i^2) (McDiarmid) if less.

    weak_variance >= sup_T sum_i t_i^2; largest_values[i] = M_i >= sup_T |t_i|. Units of Z: for Z/n divide s by n.
    """
    if not (math.isfinite(weak_variance) and weak_variance >= 0):
        raise ValueError(f"weak_variance must be finite and >= 0, got {weak_variance}: pass a bound on sup sum t_i^2")
    scale = math.sqrt(2 * weak_variance)
    if largest_values is not None:
        scale = min(scale, math.sqrt(float(np.sum(np.square(largest_values)))))
    return scale * HAIR


@dataclass(frozen=True)
class SubGaussian:
    """What is known of a random X from above: E X <= mean and ln E e^(x (X - E X)) <= x^2 scale^2/2 for x >= 0.

    scale = inf means that only the mean is known. Sums and nonnegative multiples may be dependent in any way:
    by Hoelder's inequality scales add.
    """

    mean: float
    scale: float

    def __post_init__(self) -> None:
        if math.isnan(self.mean) or not self.scale >= 0:
            raise ValueError(f"need a mean and a scale >= 0, got {self.mean} and {self.scale}: see convex_scale")

    def __add__(self, other: "SubGaussian") -> "SubGaussian":
        return SubGaussian(self.mean + other.mean, self.scale + other.scale)

    def __mul__(self, factor: float) -> "SubGaussian":
        if not factor >= 0:
            raise ValueError(f"only upper tails are known: multiply by a factor >= 0, got {factor}")
        return SubGaussian(factor * self.mean, factor * self.scale) if factor else SubGaussian(0.0, 0.0)

    def tail(self, level: float) -> float:
        """P(X >= level) <= e^(-u^2/(2 s^2)), u = level - mean; 1 for u <= 0."""
        deviation = level - self.mean
        if deviation <= 0:
            return 1.0
        if self.scale == 0:
            return 0.0
        return min(1.0, math.exp(-((deviation / self.scale) ** 2) / 2) * HAIR)

    def excess(self, level: float) -> float:
        """E (X - level)_+ <= min over x > 0 of e^(s^2 x^2/2 - u x - 1)/x, u = level - mean.

        (y)_+ <= e^(x y - 1)/x for every real y. The minimum is at x = (u + sqrt(u^2 + 4 s^2))/(2 s^2); any x is valid,
        so the minimisation needs no care. A factor 2 to e below the integral of `tail`. Decreases in level and
        increases in mean, with slopes at most 1, also for levels below the mean.
        """
        deviation = level - self.mean
        if math.isinf(self.scale) or self.mean == math.inf:
            return math.inf
        if self.scale == 0:
            return max(0.0, -deviation) * HAIR
        ratio = deviation / self.scale
        root = math.sqrt(ratio**2 + 4)
        rate = (ratio + root) / 2 if ratio >= 0 else 2 / (root - ratio)  # x s, without cancellation
        exponent = rate**2 / 2 - ratio * rate - 1
        return self.scale / rate * math.exp(exponent) * HAIR + 1e-15 * (abs(level) + abs(self.mean))

    def levels(self) -> tuple[float, ...]:
        """Levels at which clipping X may pay."""
        return tuple(self.mean + distance * self.scale for distance in DISTANCES)


@dataclass(frozen=True)
class Excess:
    """E (X - level)_+ <= value with probability at least `confidence`, for one level: what draws can tell of a tail."""

    level: float
    value: float
    confidence: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.level) and self.value >= 0 and 0 < self.confidence <= 1):
            raise ValueError(f"need a finite level, a value >= 0 and a confidence, got {self}: see excess_from_draws")

    def shifted(self, factor: float, shift: float) -> "Excess":
        """The same for factor X + shift, factor >= 0."""
        return Excess(factor * self.level + shift, factor * self.value * HAIR, self.confidence)

    def excess(self, level: float) -> float:
        """E (X - level)_+: it decreases in level with slope at most 1. The slip covers a rounded level."""
        slip = 1e-15 * (abs(level) + abs(self.level))
        return self.value + max(0.0, self.level - level) + slip

    def levels(self) -> tuple[float, ...]:
        return (self.level,)


def excess_from_draws(upper_values: Any, tail: SubGaussian, *, level: float, confidence: float = 0.999) -> Excess:
    """Upper bound for E (X - level)_+ from i.i.d. draws X_k <= upper_values[k], far below what `tail` alone gives.

    (X - level)_+ <= min((X - level)_+, cap) + (X - level - cap)_+, cap = s sqrt(2 ln K): betting bounds the first mean,
    `tail` the second. level, s and K must be fixed before these draws (level from pilot draws); tail.mean may be an end
    of an interval from the same draws, if that interval is accounted for in the union bound. Without any draw above
    `level` the first part is about cap ln(1/delta)/K.
    """
    values = np.asarray(upper_values, dtype=np.float64)
    if values.ndim != 1 or values.size < 2 or np.isnan(values).any() or not 0 < confidence < 1:
        raise ValueError(f"need at least 2 draws without NaN and a confidence in (0, 1), got shape {values.shape}")
    if not 0 < tail.scale < math.inf:
        raise ValueError(f"tail needs a finite scale > 0, got {tail.scale}: see convex_scale")
    cap = tail.scale * math.sqrt(2 * math.log(values.size))
    room = cap - np.clip(values - level, 0.0, cap)
    known = betting_bound(room, cap, 1 - confidence, boldest=0.6, truncated_share=0.0)
    return Excess(level, (cap - known + tail.excess(level + cap)) * HAIR + 1e-14 * cap, confidence)


def convex_concentration(
    lower_values: Any,
    upper_values: Any,
    *,
    minimum: float,
    maximum: float,
    scale: float,
    side: str = "both",
    confidence: float = 0.99,
) -> Estimate:
    """Interval for E g from i.i.d. draws lower_values <= g <= upper_values: mean -+ s sqrt(2 ln(1/alpha)/K).

    `scale` s of g as from `convex_scale` (for g = Z/n, convex_scale(...)/n). The sum of K draws is K E g + Y with
    ln E e^(x Y) <= K x^2 s^2/2, and Chernoff's bound is least at x = sqrt(2 ln(1/alpha)/K)/s. side "both":
    alpha = delta/2 each; "lower" or "upper": alpha = delta on that side, the other end is `minimum` or `maximum`.
    """
    if side not in ("both", "lower", "upper"):
        raise ValueError(f"side must be both, lower or upper, got {side!r}: choose one")
    known = {"minimum": minimum, "maximum": maximum, "sub_gaussian_scale": scale}
    # One side at level delta is half of a two-sided interval at 2 delta.
    widened = confidence if side == "both" else 2 * confidence - 1
    if widened <= 0:
        raise ValueError(f"one-sided bounds need confidence > 1/2, got {confidence}: use for example 0.99")
    found = mcdiarmid(lower_values, upper_values, confidence=widened, **known)
    return dataclasses.replace(
        found,
        lower=minimum if side == "upper" else found.lower,
        upper=maximum if side == "lower" else found.upper,
        confidence=confidence,
        method="convex concentration",
    )
