"""Intervals for the mean of a supremum over random signs, with the linearised supremum of the class as a control.

g = sup_f (1/n) sum_i eps_i f(X_i) is expensive; h, the same supremum for the class linearised at zero logits, has a
closed form, so its mean is known from thousands of cheap draws. g - h is small, and dominated on both sides by suprema
of remainders, so its mean needs few draws (`estimators.control`). Nothing is assumed of how good the control is: its
weight is chosen on pilot draws that are used for nothing else, and 0 is among the choices.

Which method is used depends on the number of draws only, never on their values: below `FEWEST` draws, or without a
control, `estimators.estimate.best`; else `estimators.control.controlled`.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from estimators.concentration import SubGaussian
from estimators.control import Known, controlled, paired
from estimators.estimate import Estimate, best

FEWEST = 60
CONTROL_SHARE = 0.2  # of delta, for the mean of the control where nothing else pays for it


class Ends(NamedTuple):
    """lower_k <= value_k <= upper_k for k sign vectors."""

    lower: Float64[np.ndarray, " k"]
    upper: Float64[np.ndarray, " k"]

    def __sub__(self, other: "Ends") -> "Ends":
        return Ends(self.lower - other.upper, self.upper - other.lower)


@dataclass(frozen=True)
class Control:
    """A control h for g, in the units of g.

    known: what holds for every draw. values: signs (k, n) -> ends of h. cheap: ends of h on i.i.d. draws that are
    independent of all others; the same draws for every class with the same seed and sizes.
    """

    known: Known
    values: Callable[[Float64[np.ndarray, "k n"]], Ends]
    cheap: Ends

    def mean(self, confidence: float) -> Estimate:
        """Interval for E h from the cheap draws."""
        return _cheap_mean(self.cheap, self.known, confidence)


def _cheap_mean(cheap: Ends, known: Known, confidence: float) -> Estimate:
    low, high = known.control_minimum, known.control_maximum
    ends = (np.clip(end, low, high) for end in cheap)
    scale = known.control_scale
    return best(*ends, minimum=low, maximum=high, confidence=confidence, sub_gaussian_scale=scale)


class Stage(NamedTuple):
    """After `draws` draws an interval is made, the first `pilot` of them being pilot draws."""

    draws: int
    pilot: int


def single_stage(draws: int) -> list[Stage]:
    """All draws at once; a tenth of them chooses weights and clipping points, and nothing else."""
    return [Stage(draws, max(20, draws // 10))]


def doubling_stages(most: int, first: int = 100) -> list[Stage]:
    """first, 2 first, 4 first ... draws, the last cut at `most`; fixed before any draw is seen. Pilot draws are those
    of an earlier stage, at most a fifth of all: what was searched together stays together.

    Intervals at level delta/len(stages) each hold together with probability at least 1 - delta (union bound), so one
    may stop at whichever stage one likes.
    """
    counts = [first]
    while counts[-1] < most:
        counts.append(min(2 * counts[-1], most))
    if most <= first:
        return single_stage(most)
    ends = [max(20, first // 10), *counts]
    return [Stage(count, max(end for end in ends if end <= max(ends[0], count // 5))) for count in counts]


class Drawn(NamedTuple):
    """Draws of g: their ends, what is known of g, its control, the ends of the control on the same draws, and how many
    draws at the beginning are pilot draws, whose ends were computed without the others."""

    g: Ends
    known: Known
    control: Control | None
    h: Ends | None
    pilot: int

    def first(self, count: int, pilot: int) -> "Drawn":
        """The first `count` draws."""
        g, h = (ends and Ends(*(end[:count] for end in ends)) for ends in (self.g, self.h))
        assert g is not None
        return self._replace(g=g, h=h, pilot=pilot)

    def linear(self) -> "Drawn":
        """The control in place of g."""
        if self.h is None:
            raise ValueError("these draws have no control: pass draws of a class that has one")
        known = self.known
        exact = SubGaussian(0.0, 0.0)
        swapped = dataclasses.replace(
            known,
            minimum=known.control_minimum,
            maximum=known.control_maximum,
            scale=known.control_scale,
            above=exact,
            below=exact,
        )
        return self._replace(g=self.h, known=swapped)


def sampled_mean(drawn: Drawn, confidence: float) -> Estimate:
    """Interval for E g from i.i.d. draws."""
    g, known, control, h, pilot = drawn
    if control is None or h is None or len(g.lower) < FEWEST:
        return best(
            *g,
            minimum=known.minimum,
            maximum=known.maximum,
            confidence=confidence,
            sub_gaussian_scale=known.scale,
        )
    mean = control.mean(1 - CONTROL_SHARE * (1 - confidence))
    return controlled(*g, *h, known=known, control_mean=mean, pilot=pilot, confidence=confidence)


def sampled_difference(first: Drawn, second: Drawn, confidence: float) -> Estimate:
    """Interval for E g1 - E g2 from the same sign vectors, with the difference of the controls as control, if both have
    one from the same cheap draws."""
    known, difference, h, control = paired(first.known, second.known), first.g - second.g, None, None
    if first.control and second.control and first.h and second.h:
        cheap = first.control.cheap, second.control.cheap
        if cheap[0].lower.shape == cheap[1].lower.shape:
            control, h = Control(known, first.control.values, cheap[0] - cheap[1]), first.h - second.h
    return sampled_mean(Drawn(difference, known, control, h, first.pilot), confidence)
