"""The certified bracket of the empirical Rademacher complexity of any class in `estimators.hypotheses`.

R_hat(F) = E_eps g(eps), g(eps) = sup_f (1/n) sum_i eps_i f(X_i): 1/n, no absolute value. For each sign vector the class
certifies g_lo <= g <= g_hi. With all 2^(n-1) sign classes R_hat lies between the two means. With K i.i.d. draws the
interval also covers the sampling error, for the exact g: nothing is assumed of the optimiser (estimators.estimate).
Certificates that bound R_hat itself may replace the upper end: the symbolic ones have no sampling error, those of
`expected_uppers` get a quarter of the failure probability.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from estimators.control import Known
from estimators.display import html_table, interval_text, rounded
from estimators.estimate import Estimate
from estimators.hypotheses import AbstractHypotheses, Effort, Suprema, ordered
from estimators.sampling import (
    FEWEST,
    Control,
    Drawn,
    Ends,
    Stage,
    doubling_stages,
    sampled_difference,
    sampled_mean,
    single_stage,
)
from estimators.verdict import JUDGEMENT_HEADINGS, Judgement, judge, ratio
from theory.bound import Bound, Relation
from theory.rademacher import khintchine

SIGN_BLOCK = 2048
MEAN_SHARE = 0.25  # of the failure probability, for bounds of the mean itself, if the class has any


@dataclass(frozen=True)
class Bracket:
    """An interval for R_hat and where it comes from.

    certificate: what gave the upper end. optimisation_gap: mean g_hi / mean g_lo - 1, or with a bound of the mean in
    place of mean g_hi where the class has one. sampling_halfwidth: the most that the sampling error of the sign draws
    adds at one end of [mean g_lo, mean g_hi]; 0 for enumerated signs. mean_upper, excess: upper ends of R_hat, and of
    R_hat minus the mean of the control (`estimators.hypotheses.MeanUppers`).
    """

    estimate: Estimate
    certificate: str
    optimisation_gap: float
    sampling_halfwidth: float
    certificates: dict[str, float]
    bounds: dict[str, Judgement]
    suprema: Suprema
    drawn: Drawn
    enumerated: bool
    mean_upper: float
    excess: float
    stages: tuple[Stage, ...]

    def _repr_html_(self) -> str:
        """The interval, what gave its upper end, and every bound with its verdict."""
        estimate, rows = self.estimate, [(name, *judged.cells) for name, judged in self.bounds.items()]
        certainty = "certain" if estimate.confidence == 1 else f"confidence {estimate.confidence:.6g}"
        caption = (
            f"R_hat in {interval_text(estimate)} ({certainty}; {estimate.method}; upper end by {self.certificate}; the "
            f"sampling of signs adds at most {rounded(self.sampling_halfwidth, True)})"
        )
        return html_table(("bound", *JUDGEMENT_HEADINGS), rows, caption=caption, right=JUDGEMENT_HEADINGS[:2])


def evaluate(bound: Bound, statistics: dict[str, tuple[float, float]]) -> float:
    """The side of the bound that cannot flatter it, for statistics known as intervals.

    Every bound of this topic is increasing in its statistics (tested), so upper bounds get their upper ends.
    """
    end = 1 if bound.relation is Relation.AT_MOST else 0
    return bound.safe(**{symbol.name: statistics[symbol.name][end] for symbol in bound.symbols})


def bracket(
    hypotheses: AbstractHypotheses,
    signs: Float64[np.ndarray, "k n"],
    *,
    enumerated: bool,
    ball: str = "l2",
    confidence: float = 0.99,
    effort: Effort | None = None,
    advance: Callable[[], None] = lambda: None,
    until_halfwidth: float | None = None,
) -> Bracket:
    """Bracket R_hat of `hypotheses` from sign vectors `signs` (all classes if `enumerated`, else i.i.d. draws).

    Sign vectors are processed in blocks, so memory does not grow with their number; results do not depend on the
    block. until_halfwidth: stop at the first of `doubling_stages` at which the sampling error is at most this share of
    the mean; all stages share the failure probability, so the interval holds whenever it stops.
    Raises ValueError for shapes that do not fit.
    """
    if signs.ndim != 2 or signs.shape[1] != len(hypotheses.largest_values):
        raise ValueError(f"signs must have shape (draws, {len(hypotheses.largest_values)}), got {signs.shape}")
    if until_halfwidth is not None and not (until_halfwidth > 0 and not enumerated):
        raise ValueError(
            f"until-halfwidth {until_halfwidth} must be above 0 and needs drawn signs: all sign vectors have no "
            "sampling error"
        )
    effort = effort or Effort()
    largest = hypotheses.largest_values
    control = None if enumerated or len(signs) < FEWEST else hypotheses.control(effort.seed)
    stages = single_stage(len(signs)) if until_halfwidth is None else doubling_stages(len(signs))
    found = hypotheses.expected_uppers(MEAN_SHARE * (1 - confidence), effort.seed, signs if enumerated else None)
    uppers = found.uppers
    share = (1 - MEAN_SHARE if uppers else 1.0) * (1 - confidence) / len(stages)
    parts: list[Suprema] = []
    controls: list[Ends] = []
    done = 0
    for stage in stages:
        # Pilot draws choose how the others are used, so no search may share work between the two.
        for first, last in _blocks(done, stage, bool(control)):
            parts.append(hypotheses.suprema(signs[first:last], effort))
            advance()
        controls += [control.values(signs[done : stage.draws])] if control else []
        done = stage.draws
        suprema = _joined(parts, float(largest.mean()))
        means = float(suprema.lower.mean()), float(suprema.upper.mean())
        h = Ends(*map(np.concatenate, zip(*controls, strict=True))) if control else None
        drawn = Drawn(Ends(suprema.lower, suprema.upper), _known(largest, control), control, h, stage.pilot)
        if enumerated:
            # The mean of 2^(n-1) <= 2^19 pairwise-summed terms is exact to far less than this.
            sampled = Estimate(max(0.0, means[0] * (1 - 1e-14)), means[1] * (1 + 1e-14), 1.0, "all sign vectors")
            halfwidth = 0.0
        else:
            sampled = sampled_mean(drawn, 1 - share)
            halfwidth = max(0.0, sampled.upper - means[1], means[0] - sampled.lower)
        if until_halfwidth is not None and halfwidth <= until_halfwidth * means[0]:
            break
    values = uppers | {
        name: evaluate(make(ball), hypotheses.statistics) for name, make in hypotheses.certificates.items()
    }
    floor = evaluate(khintchine(ball), hypotheses.statistics)
    winner = min(values, key=lambda name: values[name])
    certificate = winner if values[winner] < sampled.upper else suprema.certificate
    upper = min(values[winner], sampled.upper)
    lower = max(floor, sampled.lower)
    if enumerated:
        lower, upper = ordered(lower, upper, 1e-12)
    elif lower > upper:
        # Certain ends against sampled ones: possible with probability at most 1 - confidence.
        lower, upper = floor, values[winner]
    estimate = Estimate(lower, upper, 1.0 if enumerated else confidence, sampled.method)
    judged = {
        name: judge(evaluate(make(ball), hypotheses.statistics), make(ball).relation, estimate)
        for name, make in hypotheses.bounds.items()
    }
    return Bracket(
        estimate,
        certificate,
        ratio(min(means[1], *uppers.values()) if uppers else means[1], means[0]) - 1,
        halfwidth,
        values,
        judged,
        suprema,
        drawn,
        enumerated,
        min(uppers.values(), default=np.inf),
        found.excess,
        tuple(stages),
    )


def _blocks(done: int, stage: Stage, piloted: bool) -> list[tuple[int, int]]:
    """Ends of the blocks of sign vectors of this stage; the pilot draws are blocks of their own."""
    cut = stage.pilot if piloted and done < stage.pilot < stage.draws else done
    starts = [*range(done, cut, SIGN_BLOCK), *range(cut, stage.draws, SIGN_BLOCK)]
    return list(zip(starts, [*starts[1:], stage.draws], strict=True))


def _joined(parts: list[Suprema], most: float) -> Suprema:
    # |f| <= M_i always holds, so clipping at mean M_i only removes rounding.
    names = [part.certificate for part in parts]
    return Suprema(
        np.minimum(np.concatenate([part.lower for part in parts]), most),
        np.minimum(np.concatenate([part.upper for part in parts]), most),
        max(names, key=names.count),
        all(part.finished for part in parts),
    )


def _known(largest: Float64[np.ndarray, " n"], control: Control | None) -> Known:
    """The range of g and McDiarmid's scale, unless the control knows more."""
    if control is not None:
        return control.known
    scale = float(np.sqrt((largest**2).sum()) / len(largest))
    return Known(minimum=0.0, maximum=float(largest.mean()), scale=scale, control_scale=0.0)


def paired_difference(first: Bracket, second: Bracket, confidence: float) -> Estimate:
    """Interval for R_hat(first) - R_hat(second), both computed from the same sign vectors at this confidence.

    The differences of g over the sign vectors are themselves i.i.d. in [-mean M_second, mean M_first], and the
    difference of the controls is their control. Where both complexities have certified upper ends E g <= mean_upper
    and E g <= E h + excess, single sign vectors are known less well, and R_hat(1) - R_hat(2) is at least
    E g_1 - mean_upper_2 and E(g_1 - h_2) - excess_2; its negative likewise: only attained values and controls are left.
    The certified ends fail with at most MEAN_SHARE of the failure probability for each bracket.
    """
    if first.stages != second.stages or first.enumerated != second.enumerated:
        raise ValueError("paired differences need two brackets from the same sign vectors")
    if first.enumerated:
        lower = first.suprema.lower - second.suprema.upper
        upper = first.suprema.upper - second.suprema.lower
        slip = 1e-14 * (float(first.suprema.upper.mean()) + float(second.suprema.upper.mean()))
        return Estimate(float(lower.mean()) - slip, float(upper.mean()) + slip, 1.0, "all sign vectors")
    # Brackets that stopped early have a stage in common: the earlier of the two.
    draws = min(len(first.suprema.lower), len(second.suprema.lower))
    stage = next(stage for stage in first.stages if stage.draws == draws)
    one, two = (found.drawn.first(*stage) for found in (first, second))
    stages = len(first.stages)
    if not np.isfinite(first.mean_upper + second.mean_upper):
        return replace(sampled_difference(one, two, 1 - (1 - confidence) / stages), confidence=confidence)
    # Each interval below is used at one end, so two of them fail as often as one, and there are two pairs.
    kept = 1 - (1 - 2 * MEAN_SHARE) * (1 - confidence) / stages / 2
    lows = [sampled_mean(one, kept).lower - second.mean_upper]
    highs = [first.mean_upper - sampled_mean(two, kept).lower]
    if np.isfinite(first.excess + second.excess) and one.h and two.h:
        lows.append(sampled_difference(one, two.linear(), kept).lower - second.excess)
        highs.append(sampled_difference(one.linear(), two, kept).upper + first.excess)
    low, high = max(lows), min(highs)
    return Estimate(min(low, high), max(low, high), confidence, "attained values against certified means")
