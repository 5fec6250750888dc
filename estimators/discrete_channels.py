"""I(P; Z) of small discrete channels by enumeration, in nats, to 40 digits: P uniform on the rows of W, W_pz = P(z|p).

Rows are nonnegative weights and are divided by their sums here, so that any nonnegative array is a channel.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import mpmath

from estimators.claim import Measurement
from estimators.estimate import Estimate, exact

DIGITS = 40
CANCELLED = 1e-35  # absolute error of sums of numbers of order 1 in 40 digits
GROUPS_LIMIT = 4096
Real = Any  # mpmath.mpf, which has no type that checkers know
Rows = Sequence[Sequence[Any]]


def normalised(weights: Rows) -> list[list[Real]]:
    """Rows divided by their sums, in 40 digits; ValueError for negative entries and for rows of zeros."""
    rows = [[mpmath.mpf(w) for w in row] for row in weights]
    if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        raise ValueError("a channel has rows of one positive length, one per position: pass a rectangular list")
    if any(not (mpmath.isfinite(w) and w >= 0) for row in rows for w in row) or any(not any(row) for row in rows):
        raise ValueError("weights must be finite and nonnegative, and no row all zero: pass P(z|p), or any multiple")
    return [[w / mpmath.fsum(row) for w in row] for row in rows]


def information(channel: Rows) -> Real:
    """mean_p sum_z W_pz ln(W_pz/Wbar_z)."""
    count = len(channel)
    means = [mpmath.fsum(column) / count for column in zip(*channel, strict=True)]
    terms = (w * mpmath.log(w / mean) for row in channel for w, mean in zip(row, means, strict=True) if w > 0)
    return mpmath.fsum(terms) / count


def around(value: Real) -> Estimate:
    """A number known to 1e-35 as an interval of floats."""
    found = float(value)
    return exact(found, math.ulp(found) + CANCELLED, "enumeration")


def ends(value: Real) -> tuple[float, float]:
    """Floats around a nonnegative number known to 1e-35."""
    found = around(value)
    return max(found.lower, 0.0), max(found.upper, 0.0)


def channel_information(*, channel: Any) -> Measurement:
    """I of a channel; position_count, mean_p TV(W_p, Wbar) and the success probability of the best decoder."""
    with mpmath.workdps(DIGITS):
        rows = normalised(channel)
        columns = list(zip(*rows, strict=True))
        means = [mpmath.fsum(column) / len(rows) for column in columns]
        gaps = (abs(w - mean) for row in rows for w, mean in zip(row, means, strict=True))
        parameters = {
            "position_count": len(rows),
            "mean_total_variation": ends(mpmath.fsum(gaps) / (2 * len(rows))),
            "success_probability": ends(mpmath.fsum(map(max, columns)) / len(rows)),
        }
        return Measurement(around(information(rows)), parameters)


def processed_channel(*, channel: Any, kernel: Any) -> Measurement:
    """I(P; f(Z)) for a channel f given by rows P(f(z)|z); position_information is I(P; Z)."""
    with mpmath.workdps(DIGITS):
        first, second = normalised(channel), normalised(kernel)
        if len(second) != len(first[0]):
            raise ValueError(f"the kernel has {len(second)} rows for {len(first[0])} symbols: give one per symbol of Z")
        after = [[mpmath.fdot(row, column) for column in zip(*second, strict=True)] for row in first]
        return Measurement(around(information(after)), {"position_information": ends(information(first))})


def _mixed(decoder: Rows, uniform_share: float, count: int) -> list[list[Real]]:
    """q'(p|z) = (1 - e) q(p|z) + e/N, rows z."""
    if not 0 < uniform_share <= 1:
        raise ValueError(f"uniform_share must lie in (0, 1], got {uniform_share}: use for example 0.01")
    share = mpmath.mpf(uniform_share)
    rows = normalised(decoder)
    if len(rows[0]) != count:
        raise ValueError(f"the decoder has {len(rows[0])} positions, the channel {count}: give q(p|z) as rows z")
    return [[(1 - share) * q + share / count for q in row] for row in rows]


def _score(channel: Rows, decoder: Rows) -> Real:
    """E ln q(P|Z); -infinity where a possible position has probability zero."""
    pairs = ((w, decoder[z][p]) for p, row in enumerate(channel) for z, w in enumerate(row) if w > 0)
    return mpmath.fsum(w * mpmath.log(q) if q > 0 else -mpmath.inf for w, q in pairs) / len(channel)


def decoded_channel(*, channel: Any, decoder: Any, uniform_share: float) -> Measurement:
    """I of a channel, and the exact mean score decoder_score = E ln q'(P|Z) of a decoder mixed with uniform.

    decoder: rows z of weights of the positions; the columns of the channel make it the posterior.
    """
    with mpmath.workdps(DIGITS):
        rows = normalised(channel)
        score = _score(rows, _mixed(decoder, uniform_share, len(rows)))
        low, high = ends(-score)
        parameters = {"position_count": len(rows), "decoder_score": (-high, -low)}
        return Measurement(around(information(rows)), parameters)


def decoder_loss(*, decoder: Any, uniform_share: float) -> Measurement:
    """max over p and z of ln(1/(N q'(p|z)))."""
    with mpmath.workdps(DIGITS):
        count = len(decoder[0])
        least = min(min(row) for row in _mixed(decoder, uniform_share, count))
        return Measurement(around(-mpmath.log(count * least)), {"uniform_share": uniform_share})


def mixing_cost(*, channel: Any, decoder: Any, uniform_share: float) -> Measurement:
    """E ln q(P|Z) - E ln q'(P|Z) for a decoder that gives every possible position a positive probability."""
    with mpmath.workdps(DIGITS):
        rows = normalised(channel)
        plain = _score(rows, normalised(decoder))
        if not mpmath.isfinite(plain):
            raise ValueError("the decoder excludes a possible position: its score is -infinity, only q' has one")
        cost = plain - _score(rows, _mixed(decoder, uniform_share, len(rows)))
        return Measurement(around(cost), {"uniform_share": uniform_share})


def grouped_channel(*, channels: Any, group_size: int) -> Measurement:
    """I(P; Z) for content x uniform on the given channels W_x, and conditional_information = I(P; Z | G).

    G is a group of `group_size` independent contents; Z comes from a uniform member. All groups are enumerated.
    """
    if group_size < 1 or len(channels) ** group_size > GROUPS_LIMIT:
        raise ValueError(
            f"groups of {group_size} from {len(channels)} contents: keep 1 <= contents^size <= {GROUPS_LIMIT}"
        )
    with mpmath.workdps(DIGITS):
        several = [normalised(channel) for channel in channels]
        groups = itertools.product(several, repeat=group_size)
        inside = mpmath.fsum(information(_mean(group)) for group in groups) / len(several) ** group_size
        whole = information(_mean(several))
        return Measurement(around(whole), {"conditional_information": ends(inside)})


def _mean(channels: Sequence[Rows]) -> list[list[Real]]:
    share = mpmath.mpf(1) / len(channels)
    positions = zip(*channels, strict=True)
    return [[share * mpmath.fsum(entries) for entries in zip(*rows, strict=True)] for rows in positions]
