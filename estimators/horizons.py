"""Horizons found by search: the least window that holds all but a given share of the attention."""

import math
from fractions import Fraction

import numpy as np
from jaxtyping import Float64

from estimators.claim import Measurement
from estimators.estimate import Estimate, exact
from estimators.feature_forms import bias_form
from estimators.tail_mass import DIM, EPS, bias_by_distance, largest_mass, relative_error, share
from theory.encodings import parse

MOST_TERMS = 3_000_000
MOST_REVERSED = 300
NEGLIGIBLE = 60.0  # distances are listed until weights are below e^-60 of what matters


def window_masses(weights: Float64[np.ndarray, " K"], logit_bound: float, rest: float) -> Float64[np.ndarray, " K"]:
    """sup A_w over |s| <= B for w = 1 .. K; `rest` is the weight beyond the K keys. Positive sums only."""
    near = np.cumsum(weights)
    far = np.append(np.cumsum(weights[::-1])[::-1][1:], 0.0) + rest
    return far / (far + math.exp(-2 * logit_bound) * near)


def first_within(masses: Float64[np.ndarray, " K"], tolerance: float) -> int:
    """The least w with A_w <= tolerance, from masses of w = 1 .. K."""
    within = np.flatnonzero(masses <= tolerance)
    if not within.size:
        raise ValueError(f"no window of {masses.size} keys leaves out at most {tolerance}: list more keys")
    return int(within[0]) + 1


def alibi_horizon(*, slope: float, logit_bound: float, tolerance: float) -> Measurement:
    """The least w at which A_w <= tolerance for all |s| <= B and all lengths, ALiBi: direct search over w.

    Lengths end where weights are negligible; the rest is between 0 and the geometric series of the last ratio.
    """
    if not (0 < tolerance < 1 and 0 < slope < math.inf and 0 <= logit_bound < math.inf):
        given = f"got {tolerance}, {slope}, {logit_bound}"
        raise ValueError(f"need 0 < tolerance < 1, slope > 0, logit_bound >= 0, {given}: use tolerance=0.01, slope=0.5")
    count = math.ceil((2 * logit_bound - math.log(tolerance) + NEGLIGIBLE) / slope) + 2
    if count > MOST_TERMS:
        raise ValueError(f"{count} distances would be listed, more than {MOST_TERMS}: use a steeper slope")
    encoding = parse(f"alibi:slope={Fraction(slope)}", dim=DIM, train_length=64)
    biases = bias_form(encoding, np.arange(count, dtype=np.float64), 0, None)
    weights = np.exp(biases)
    error = relative_error(biases) + 4 * count * EPS
    rest = 2 * float(weights[-1]) / -math.expm1(biases[-1] - biases[-2])
    least = first_within(window_masses(weights, logit_bound, 0.0) * (1 - error), tolerance)
    most = first_within(window_masses(weights, logit_bound, rest) * (1 + error), tolerance)
    known = {"alibi_slope": slope, "logit_bound": logit_bound, "tail_tolerance": tolerance}
    return Measurement(
        Estimate(float(least), float(most), 1.0, "direct search over windows"), known, f"alibi:slope={slope}"
    )


def training_window(encoding: str, head: int, length: int, logit_bound: float, tolerance: float) -> int:
    """The least w with A_w <= tolerance for all |s| <= B at one length, any encoding."""
    row = bias_by_distance(encoding, length, head)
    return first_within(window_masses(np.exp(row - row.max()), logit_bound, 0.0), tolerance)


def escaped_mass(
    *, encoding: str, head: int, train_length: int, length: int, logit_bound: float, tolerance: float
) -> Measurement:
    """sup A_w at `length` for the w that suffices at `train_length`."""
    window = training_window(encoding, head, train_length, logit_bound, tolerance)
    row = bias_by_distance(encoding, length, head)
    mass = largest_mass(row, window, logit_bound)
    found = exact(mass, mass * relative_error(np.abs(row) + logit_bound), f"extreme logits, w = {window}")
    return Measurement(found, {"tail_tolerance": tolerance}, encoding)


def symmetric_row(slope: float, length: int) -> Float64[np.ndarray, " T"]:
    """ALiBi's b(0) .. b(length-1), which also serve keys after their query."""
    if not (math.isfinite(slope) and slope > 0 and length >= 1):
        raise ValueError(f"need slope > 0 and length >= 1, got {slope} and {length}: use slope=0.5, length=16")
    encoding = parse(f"alibi:slope={Fraction(slope)}", dim=DIM, train_length=64)
    return bias_form(encoding, np.arange(length, dtype=np.float64), 0, None)


def reversal_share(row: Float64[np.ndarray, " T"], logit_bound: float) -> tuple[float, float]:
    """Least over queries i of the largest weight on token T+1-i, |s| <= B, and its error; row: b(0) .. b(T-1)."""
    if not 0 <= logit_bound < math.inf:
        raise ValueError(f"logit_bound must be finite and nonnegative, got {logit_bound}: it bounds |s|")
    length = row.size
    if length == 1:
        return 1.0, 0.0
    offsets = np.abs(np.subtract.outer(np.arange(length), np.arange(length)))
    target = row[offsets[:, ::-1].diagonal()]
    others = row[offsets] + np.where(np.eye(length)[:, ::-1] > 0, -np.inf, 0.0)
    top = others.max(axis=1)
    odds = target + 2 * logit_bound - top - np.log(np.exp(others - top[:, None]).sum(axis=1))
    best = share(float(odds.min()))
    return best, best * (relative_error(np.abs(row) + 2 * logit_bound) + length * EPS) + 2 * math.ulp(0.0)


def reversal_weight(
    *,
    slope: float,
    logit_bound: float,
    length: int,
    words: tuple[str, ...] = ("alibi_slope", "logit_bound", "length"),
) -> Measurement:
    """min_i max_s alpha_{i,T+1-i} of a symmetric ALiBi head."""
    weight, error = reversal_share(symmetric_row(slope, length), logit_bound)
    known = {"alibi_slope": slope, "logit_bound": logit_bound, "length": length}
    found = exact(weight, error, "extreme logits at every query")
    return Measurement(found, {word: known[word] for word in words}, f"alibi:slope={slope}")


def reversal_length(*, slope: float, logit_bound: float) -> Measurement:
    """The longest T at which every token of a symmetric ALiBi head's reversal can get more than half the weight.

    Direct search in T with the extreme logits of every query.
    """
    row = symmetric_row(slope, MOST_REVERSED + 1)
    length, ends = 1, []
    for sign in (-1.0, 1.0):
        while length <= MOST_REVERSED:
            weight, error = reversal_share(row[: length + 1], logit_bound)
            if weight + sign * error <= 0.5:
                break
            length += 1
        else:
            raise ValueError(f"more than {MOST_REVERSED} tokens can be reversed at slope {slope}: use a steeper one")
        ends.append(float(length))
    known = {"alibi_slope": slope, "logit_bound": logit_bound}
    return Measurement(Estimate(ends[0], ends[1], 1.0, "direct search over lengths"), known, f"alibi:slope={slope}")
