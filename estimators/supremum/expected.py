"""The mean over signs of a head's supremum, bounded above by the least of U9, U10, U11 and U14, with its confidence.

U11 is certain. The others contain E max |S_0 + theta J w|, a mean of cheap draws: the certificate and theta are chosen
on pilot draws that are used for nothing else, the mean is taken over fresh draws, and its upper end covers their
sampling error (`estimators.estimate.best` with the convex concentration of `estimators.concentration`). With all
2^(n-1) sign classes that mean is exact and the tensor norms are bounded without draws, so nothing is random. The
linearised supremum is also the control of the ascent's values (`estimators.linear_control`). Units: sums over samples,
unit read-out.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from estimators.concentration import convex_scale
from estimators.estimate import Estimate, best
from estimators.signs import draw_signs
from estimators.supremum.portfolio import LITTLE, Portfolio
from estimators.supremum.semigroup import semigroup
from estimators.supremum.trust_region import jacobian_norms, trust_region, weak_variance

PILOT = 64
# Above the first, terms of U9 and U10 overflow; above the second, squares of logits in U11 do.
SERIES_LOGIT, LARGEST_LOGIT = 200.0, 1e50
MOST_DRAWS, FEWEST_DRAWS = 8192, 1024
WORK = 2e10  # products in the sign sums of one mean
PILOT_STREAM, MEAN_STREAM = 104729, 1299709  # added to the seed: independent of the signs of the bracket


@dataclass(frozen=True)
class Expected:
    """uppers: names -> upper ends of E max_w |S_eps(w)|; excess: upper end of E max |S_eps(w)| - E max |S_0 + J w|. All
    hold together up to the failure probability asked for."""

    uppers: dict[str, float]
    excess: float


def linear_means(
    portfolio: Portfolio, radius: float, slopes: list[float], failure: float, seed: int
) -> dict[float, Estimate]:
    """Intervals for E max |S_0 + slope J w| from fresh draws; each upper end fails with probability failure."""
    linear = portfolio.linear
    n, d, _ = linear.covariances.shape
    work = n * d * portfolio.head.logit_dim
    draws = int(np.clip(WORK // work, FEWEST_DRAWS, MOST_DRAWS))
    signs = draw_signs(seed + MEAN_STREAM, draws, n)
    values = trust_region(linear, signs, radius, slopes).upper
    found = {}
    for column, slope in zip(values.T, slopes, strict=True):
        sizes = np.linalg.norm(linear.outputs, axis=1) + slope * radius * jacobian_norms(linear)
        scale = convex_scale(weak_variance(linear, slope * radius), sizes)
        most = max(float(sizes.sum()) * (1 + 1e-9), float(column.max()))
        # The interval splits its failure probability over two ends, of which the upper one is used.
        confidence = 1 - 2 * failure
        found[slope] = best(column, column, minimum=0.0, maximum=most, confidence=confidence, sub_gaussian_scale=scale)
    return found


def expected(
    portfolio: Portfolio,
    radius: float,
    *,
    failure: float,
    seed: int,
    signs: Float64[np.ndarray, "k n"] | None = None,
) -> Expected:
    """U9, U10, U11 and U14 of a head at `radius`, those that apply to logits of this size: none beyond 1e50.
    `failure`: of the mean of the linearised supremum, beside that of the portfolio. `signs`: all sign classes, if they
    are enumerated (then nothing is random, if the portfolio's own failure is 0)."""
    head = portfolio.head
    logit = radius * float(head.key_norms.max())
    if not logit <= LARGEST_LOGIT:
        return Expected({}, np.inf)
    if logit > SERIES_LOGIT:
        return Expected({"U11-semigroup": semigroup(head, radius)}, np.inf)
    pilot = signs if signs is not None else draw_signs(seed + PILOT_STREAM, PILOT, len(head.outputs))
    chosen, typical = portfolio.choose(radius, pilot)
    if signs is not None:
        mean = float(trust_region(portfolio.linear, signs, radius, (chosen.slope,)).upper.mean())
    else:
        mean = linear_means(portfolio, radius, [chosen.slope], failure, seed)[chosen.slope].upper
    uppers = {chosen.name: (mean + chosen.excess) * (1 + 1e-12)}
    # Where little is lost, U11 loses more: it is searched for elsewhere only.
    if chosen.excess > LITTLE * typical:
        uppers["U11-semigroup"] = semigroup(head, radius, flow=portfolio.flow(radius))
    return Expected(uppers, min(option.excess for option in portfolio.series_options(radius) if option.slope == 1.0))
