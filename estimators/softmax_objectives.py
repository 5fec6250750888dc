"""The quantities of `softmax_weights` and `softmax_cumulants` for many cases at once, in float64: what searches climb.

A case is one row of numbers: the lists of the case one after the other, of equal lengths. Quantities that bounds
compare with ranges are divided by them, so that a search needs no constraint.
"""

import numpy as np
from jaxtyping import Float64

from estimators.adversary import Points

Scores = Float64[np.ndarray, " candidates"]
Rows = Float64[np.ndarray, "candidates T"]


def parts(points: Points, count: int) -> list[Rows]:
    """The `count` lists of every case."""
    return np.split(points, count, axis=1)


def _softmax(logits: Rows) -> Rows:
    grown = np.exp(logits - logits.max(axis=1, keepdims=True))
    return grown / grown.sum(axis=1, keepdims=True)


def _centred(alpha: Rows, readings: Rows) -> Rows:
    return readings - (alpha * readings).sum(axis=1, keepdims=True)


def cumulant_share(points: Points, *, order: int) -> Scores:
    """|cumulant|/(D_y D_t^order) of (logits, values, keys)."""
    logits, y, t = parts(points, 3)
    alpha = _softmax(logits)
    yc, tc = _centred(alpha, y), _centred(alpha, t)
    found = (alpha * yc * tc**order).sum(axis=1)
    if order == 3:
        found -= 3 * (alpha * yc * tc).sum(axis=1) * (alpha * tc**2).sum(axis=1)
    return abs(found) / (np.ptp(y, axis=1) * np.ptp(t, axis=1) ** order)


def mixed_share(points: Points) -> Scores:
    """|E y~ t~ s~|/(D_y max(D_t, D_s)^2) of (logits, values, keys, others)."""
    logits, *readings = parts(points, 4)
    alpha = _softmax(logits)
    y, t, s = (_centred(alpha, one) for one in readings)
    ranges = [np.ptp(one, axis=1) for one in readings]
    return abs((alpha * y * t * s).sum(axis=1)) / (ranges[0] * np.maximum(ranges[1], ranges[2]) ** 2)


def gradient_share(points: Points) -> Scores:
    """|(alpha_j y~_j)_j|_2/D_y of (logits, values)."""
    logits, y = parts(points, 2)
    alpha = _softmax(logits)
    return np.linalg.norm(alpha * _centred(alpha, y), axis=1) / np.ptp(y, axis=1)


def moved(points: Points, oscillation: float) -> tuple[Rows, Rows]:
    """(logits, other) of (logits, direction): the direction scaled to this oscillation and added."""
    logits, direction = parts(points, 2)
    return logits, logits + direction * (oscillation / np.ptp(direction, axis=1, keepdims=True))


def variation(points: Points, *, oscillation: float) -> Scores:
    """TV of the two ends of a move."""
    logits, other = moved(points, oscillation)
    return abs(_softmax(logits) - _softmax(other)).sum(axis=1) / 2


def boxed(points: Points, radius: float) -> tuple[Rows, Rows]:
    """(bias, logits) with the logits clipped to [-radius, radius]."""
    bias, logits = parts(points, 2)
    return bias, np.clip(logits, -radius, radius)


def tilted(points: Points, *, bias: Float64[np.ndarray, " T"], radius: float) -> Scores:
    """Weight of position 0 at the clipped logits, at this bias; a radius below 0 gives minus the weight."""
    logits = np.clip(points, -abs(radius), abs(radius))
    return np.copysign(1.0, radius) * _softmax(bias + logits)[:, 0]


def spread_length(points: Points, *, radius: float) -> Scores:
    """T_eff of a bias: the sum of the largest weights under |s_k| <= radius."""
    weights = _softmax(points)
    grown = weights * np.exp(radius)
    return (grown / (grown + (1 - weights) * np.exp(-radius))).sum(axis=1)


def normalised_variation(points: Points) -> Scores:
    """TV/Z of (bias, logits), logits centred under softmax(bias)."""
    bias, logits = parts(points, 2)
    pi = _softmax(bias)
    grown = pi * np.exp(_centred(pi, logits))
    normaliser = grown.sum(axis=1, keepdims=True)
    return abs(grown / normaliser - pi).sum(axis=1) / 2 / normaliser[:, 0]


def centred_logits(points: Points, largest: float) -> tuple[Rows, Rows]:
    """(bias, logits): centred under softmax(bias), then scaled to max |t_j| = largest."""
    bias, logits = parts(points, 2)
    t = _centred(_softmax(bias), logits)
    return bias, t * (largest / abs(t).max(axis=1, keepdims=True))


def normaliser(points: Points, *, largest: float) -> Scores:
    """Z of the scaled case."""
    bias, t = centred_logits(points, largest)
    return (_softmax(bias) * np.exp(t)).sum(axis=1)
