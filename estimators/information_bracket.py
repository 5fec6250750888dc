"""The interval of I_sigma(P; H) from sampled activations, two-sided, with a stated confidence.

Definition. P is uniform on N positions, H the activation at that position of a random sequence, Z = H + sigma Z', Z'
standard normal in d channels, I in nats. sigma = noise x root-mean-square of H over sequences, positions and channels,
as estimated on the training sequences: given those it is a fixed number, and the interval is about I at that number.

Sequences must be independent. They are split at random: training (decoders, sigma, choice of M), selection (of a
decoder), test (the lower end), groups (the upper end). delta = 1 - confidence: half for each end; of the upper half .9
goes to the mixtures of groups and .1 to the second-moment cap.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float64

from estimators.estimate import Estimate, betting
from estimators.information_decoders import Moments, moments
from estimators.information_groups import POSITIONS, Values, cap_values, content_information, group_scale, group_values
from estimators.information_lower import lower_end

Array = np.ndarray
LEAST = 64  # sequences
NOISE = 1e-9, 1e9
SHARES = {"training": 1 / 8, "selection": 1 / 16, "test": 5 / 16}  # the rest are groups
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1024, 4096)  # M
FEWEST_GROUPS = 32
PILOTS = 16  # groups of each M tried
MIXTURE_SHARE = 0.9  # of the upper half of delta


@dataclass(frozen=True)
class Position:
    """I_sigma at one noise. content_information is a point estimate of I(X; Z|P), at most `content_limit` = ln K.

    fano: a lower end from the accuracy of the same decoder, at its own confidence; it is no part of the interval.
    crossed: the two ends came out in the wrong order, of probability at most 1 - confidence; both are then reported.
    """

    noise: float
    sigma: float
    information: Estimate
    method_lower: str
    method_upper: str
    content_information: float
    content_limit: float
    fano: float | None = None
    crossed: bool = False


@dataclass(frozen=True)
class Split:
    """The four disjoint parts of the sequences."""

    training: Float64[Array, "n1 N d"]
    selection: Float64[Array, "n2 N d"]
    test: Float64[Array, "n3 N d"]
    groups: Float64[Array, "n4 N d"]


def checked(activations: Any) -> Float64[Array, "S N d"]:
    """ValueError, with advice, unless the activations can be measured."""
    given = np.asarray(activations)
    if given.dtype.kind not in "iuf" or given.ndim != 3 or 0 in given.shape:
        raise ValueError(f"activations need shape (sequences, positions, channels), got {given.shape}: reshape them")
    given = given.astype(np.float64, copy=False)
    if not np.isfinite(given).all():
        raise ValueError("activations contain NaN or infinite numbers: find the layer that made them")
    if given.shape[1] < 2:
        raise ValueError("activations have one position, which carries 0 nats: give at least two positions")
    if given.shape[0] < LEAST:
        raise ValueError(f"got {given.shape[0]} sequences, the split needs at least {LEAST}: use more sequences")
    if float(np.ptp(given, axis=(0, 1)).max()) == 0:
        raise ValueError("activations are constant: they carry 0 nats, check the layer or site they came from")
    return given


def check_noise(noise: Sequence[float]) -> None:
    """ValueError unless all are positive, and float64 can tell them from none."""
    for one in noise:
        if not 0 < one < math.inf:
            raise ValueError(f"noise must be positive, got {one}: use for example noise 0.3 (1: as large as the site)")
        if not NOISE[0] <= one <= NOISE[1]:
            raise ValueError(f"noise must be between {NOISE[0]:g} and {NOISE[1]:g}, got {one}: use noise 0.3")


def split(activations: Float64[Array, "S N d"], rng: np.random.Generator) -> Split:
    """The parts of `SHARES`, at random."""
    order = rng.permutation(len(activations))
    stops = np.cumsum([int(share * len(activations)) for share in SHARES.values()])
    training, selection, test, groups = (activations[part] for part in np.split(order, stops))
    return Split(training, selection, test, groups)


def scale_of(activations: Float64[Array, "S N d"]) -> float:
    """Root-mean-square over sequences, positions and channels; ValueError if it is 0."""
    peak = float(np.abs(activations).max())  # squares of numbers near 1e-200 are 0
    size = peak * math.sqrt(float(np.mean((activations / peak) ** 2))) if peak > 0 else 0.0
    if size == 0:
        raise ValueError("the site is zero everywhere, so that noise relative to it is zero: choose another --site")
    return size


def brackets(
    activations: Any,
    noise: Sequence[float],
    *,
    confidence: float = 0.95,
    seed: int = 0,
    radius: float = math.inf,
) -> list[Position]:
    """One interval for each noise, each of the given confidence by itself; activations (S, N, d).

    `radius` bounds |H| for every input, where something does: it narrows the second-moment cap.
    """
    given = checked(activations)
    check_noise(noise)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie strictly between 0 and 1, got {confidence}: use for example 0.95")
    rng = np.random.default_rng([seed, 0x626B])
    parts = split(given, rng)
    size = scale_of(parts.training)
    parts = Split(*(part / size for part in (parts.training, parts.selection, parts.test, parts.groups)))
    known = moments(parts.training)
    found = [_bracket(parts, known, one, 1 - confidence, rng, seed, radius / size) for one in noise]
    return [replace(one, sigma=one.noise * size) for one in found]


def _bracket(
    parts: Split,
    known: Moments,
    sigma: float,
    delta: float,
    rng: np.random.Generator,
    seed: int,
    radius: float,
) -> Position:
    upper, method_upper = upper_end(parts, sigma, delta / 2, rng, radius)
    lower, method_lower, fano = lower_end(
        parts.training, parts.selection, parts.test, known, sigma, alpha=delta / 2, rng=rng, seed=seed, upper=upper
    )
    pool = np.concatenate([parts.training, parts.selection]) / sigma
    content = content_information(pool, rng)
    low, high = min(lower, upper), max(lower, upper)
    found = Estimate(low, high, 1 - delta, f"lower: {method_lower}; upper: {method_upper}")
    limit = math.log(len(pool))
    return Position(sigma, sigma, found, method_lower, method_upper, content, limit, fano, lower > upper)


def upper_end(
    parts: Split, sigma: float, alpha: float, rng: np.random.Generator, radius: float = math.inf
) -> tuple[float, str]:
    """An upper end that fails with probability at most alpha: the least of ln N, the mixtures and the cap."""
    positions, dim = parts.groups.shape[1:]
    ceiling = math.log(positions)
    size = group_size(parts, sigma, MIXTURE_SHARE * alpha, rng)
    count = len(parts.groups) // size
    groups = parts.groups[: count * size].reshape(count, size, positions, dim) / sigma
    ends = {"ln N": ceiling}
    ends[f"{count} groups of {size}"] = _mean_above(group_values(groups, rng), ceiling, MIXTURE_SHARE * alpha)
    least = 0.5 * dim * math.log1p((radius / sigma) ** 2 / dim) if math.isfinite(radius) else math.inf
    if least < ceiling or float(cap_values(groups[:4]).values.mean()) < 2 * ceiling:  # otherwise ln N is less
        capped = cap_values(groups)
        ends["second-moment cap"] = _mean_above(capped, min(ceiling, least), (1 - MIXTURE_SHARE) * alpha)
    best = min(ends, key=lambda name: ends[name])
    return ends[best], best


def _mean_above(found: Values, largest: float, alpha: float) -> float:
    """Upper confidence bound for the mean of min(value, largest): `largest` bounds the mean of every group."""
    low, high = found.values - found.rounding, found.values + found.rounding
    low, high = (np.clip(ends, 0.0, largest) for ends in (low, high))
    found_ends = betting(
        low, high, minimum=0.0, maximum=largest, confidence=1 - 2 * alpha, sub_gaussian_scale=found.scale
    )
    return found_ends.upper


def group_size(parts: Split, sigma: float, alpha: float, rng: np.random.Generator) -> int:
    """M with the least expected upper end, from pilot groups of the training and selection sequences."""
    pilot = np.concatenate([parts.training, parts.selection]) / sigma
    ceiling, logarithm = math.log(pilot.shape[1]), math.log(1 / alpha)
    best, least = 1, math.inf
    for size in SIZES:
        count, pilots = len(parts.groups) // size, min(len(pilot) // size, PILOTS)
        if count < FEWEST_GROUPS or pilots < 2:
            break
        made = group_values(pilot[: pilots * size].reshape(pilots, size, *pilot.shape[1:]), rng).values
        spread = float(made.std(ddof=1))
        scale = group_scale(size, pilot.shape[1], min(pilot.shape[1], POSITIONS))
        # What a bet must insure against: values near ln N, or far outside the scale. 1.5 as measured on `betting`.
        rare = min(ceiling, 1.5 * scale * math.sqrt(2 * max(math.log(count / logarithm), 0.0)))
        end = float(made.mean()) + spread * math.sqrt(2 * logarithm / count) + rare * logarithm / count
        if end < least:
            best, least = size, end
        elif end > 1.5 * least:
            break
    return best
