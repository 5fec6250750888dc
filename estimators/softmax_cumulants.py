"""How far the weights of softmax move a mean: cumulants of readings, and the normaliser. One case, 40-digit arithmetic.

alpha = softmax of `logits`; y = `values` and t = `keys` are readings of the positions, y~ = y - E_alpha y. Ranges are
given as (lower, upper). Readings that are constant are refused: all these quantities are then trivial.
"""

import math
from typing import Any

import numpy as np

from estimators.claim import Measurement
from estimators.estimate import Estimate
from estimators.multiprecision import digits, enclosure, exponential
from estimators.softmax_weights import METHOD, SLIP, Numbers, ends, spread, vector, weights

MOST_ORDER = 3


def _centred(alpha: np.ndarray, readings: np.ndarray) -> np.ndarray:
    return readings - sum(alpha * readings)


def _reading(word: str, numbers: Numbers, length: int) -> np.ndarray:
    found = vector(word, numbers, length)
    if spread(found) == 0:
        raise ValueError(f"{word} must not be constant, got {numbers[0]} everywhere: move one of its numbers")
    return found


def _size(found: Any, scale: Any) -> Estimate:
    """|found|, whose error is at most `scale` times `SLIP`."""
    low = enclosure(abs(found), scale * SLIP, METHOD)
    return Estimate(max(low.lower, 0.0), low.upper, 1.0, METHOD)


def cumulant(*, logits: Numbers, values: Numbers, keys: Numbers, order: int) -> Measurement:
    """|cumulant of y once and t `order` times|: E y~ t~, E y~ t~^2, or E y~ t~^3 - 3 E[y~ t~] E[t~^2]."""
    if order not in range(1, MOST_ORDER + 1):
        raise ValueError(f"order must be 1, 2 or 3, got {order}: higher cumulants are not in the theory")
    with digits():
        s = vector("logits", logits)
        y, t = _reading("values", values, len(s)), _reading("keys", keys, len(s))
        alpha = weights(s)
        yc, tc = _centred(alpha, y), _centred(alpha, t)
        found = sum(alpha * yc * tc**order)
        if order == MOST_ORDER:
            found -= 3 * sum(alpha * yc * tc) * sum(alpha * tc**2)
        # Centring loses digits where the readings are large compared with their range.
        scale = (max(abs(y)) + spread(y)) * (max(abs(t)) + spread(t)) ** order
        ranges = {"readout_diameter": ends(spread(y)), "logit_diameter": ends(spread(t))}
        return Measurement(_size(found, 8 * scale), ranges)


def mixed_cumulant(*, logits: Numbers, values: Numbers, keys: Numbers, others: Numbers) -> Measurement:
    """|E y~ t~ s~|, s = `others`; D_t is the larger of the ranges of t and s."""
    with digits():
        s = vector("logits", logits)
        readings = [_reading(*given, len(s)) for given in (("values", values), ("keys", keys), ("others", others))]
        alpha = weights(s)
        y, t, r = (_centred(alpha, one) for one in readings)
        scale = math.prod(max(abs(one)) + spread(one) for one in readings)
        diameter = max(spread(readings[1]), spread(readings[2]))
        ranges = {"readout_diameter": ends(spread(readings[0])), "logit_diameter": ends(diameter)}
        return Measurement(_size(sum(alpha * y * t * r), 8 * scale), ranges)


def weight_gradient(*, logits: Numbers, values: Numbers) -> Measurement:
    """|(alpha_j y~_j)_j|_2, the gradient of E_alpha y in the logits."""
    with digits():
        s = vector("logits", logits)
        y = _reading("values", values, len(s))
        alpha = weights(s)
        found = sum((alpha * _centred(alpha, y)) ** 2) ** 0.5
        size = _size(found, 8 * (max(abs(y)) + spread(y)))
        return Measurement(size, {"readout_diameter": ends(spread(y))})


def normalised_variation(*, bias: Numbers, logits: Numbers, words: tuple[str, ...] = ()) -> Measurement:
    """TV(alpha, pi)/Z for pi = softmax(bias), t = `logits` less their mean under pi, alpha = softmax(bias + t),
    Z = E_pi e^t. words: () or ("logit_oscillation",)."""
    with digits():
        pi, t = _tilt(bias, logits)
        grown = pi * exponential(t)
        normaliser = sum(grown)
        found = sum(abs(grown / normaliser - pi)) / 2 / normaliser
        known = {"logit_oscillation": ends(spread(t))}
        return Measurement(_size(found, 1), {word: known[word] for word in words})


def normaliser(*, bias: Numbers, logits: Numbers, words: tuple[str, ...]) -> Measurement:
    """Z = E_pi e^t, as in `normalised_variation`. words: ("exponent",) for max |t_j|, ("logit_oscillation",)."""
    with digits():
        pi, t = _tilt(bias, logits)
        found = sum(pi * exponential(t))
        known = {"exponent": ends(max(abs(t))), "logit_oscillation": ends(spread(t))}
        return Measurement(enclosure(found, found * SLIP, METHOD), {word: known[word] for word in words})


def _tilt(bias: Numbers, logits: Numbers) -> tuple[np.ndarray, np.ndarray]:
    b = vector("bias", bias)
    pi = weights(b)
    return pi, _centred(pi, _reading("logits", logits, len(b)))
