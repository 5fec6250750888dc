"""Two attention layers on scalar tokens, solved to a small gap: branch and bound over the three parameters that matter.

Depth class of `theory.rademacher_depth` at d = 1: x'_s = x_s + V1 g_s, g_s = Att_s(W1; x), f = u (x'_T + V2 h), h =
sum_s alpha_s x'_s, alpha = softmax_s(x'_T W2 x'_s + b_Ts), |V_l| <= nu, |W_l| <= om, |u| <= 1. For signs eps the best u
and V2 are closed form: sup sum eps_i f_i = max over (V1, W1, W2) of |sum eps x'_T| + nu |sum eps h|.

Per sample, with r >= |x_s|, q = |x_T|, D the diameter, t = q + nu r >= |x'_T|, E = (1 + nu) D >= diam x' and c =
r D^2/4 >= |dg_s/dW1|, derivatives are at most
  x'_T:  r (V1),  nu q D^2/4 (W1)
  h:     r + om E (r E + t D)/4 (V1),  nu c + om nu E (q D^2 E/4 + 2 t c)/4 (W1),  t E^2/4 (W2)
since |Cov(y, s)| <= range range/4; so the maximum over a box is at most the value at its centre plus derivative bounds
times half-widths. One layer: max over W of |sum eps g_T|, by a grid with the same bound.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

GAP = 0.02
MOST_BOXES = 120_000
LEVELS = 60
GRID = 2001
ROUNDING = 1e-12  # relative, of sums of n T^2 terms of bounded size


class Ends(NamedTuple):
    """Lower and upper ends for every sign vector."""

    lower: Float64[np.ndarray, " k"]
    upper: Float64[np.ndarray, " k"]


def attention(
    tokens: Float64[np.ndarray, "n T"], bias: Float64[np.ndarray, "T T"], logit: Float64[np.ndarray, " m"]
) -> Float64[np.ndarray, "m n T"]:
    """g_s of every sample for every W1 in `logit`."""
    scores = logit[:, None, None, None] * tokens[:, :, None] * tokens[:, None, :] + bias
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.einsum("mnst,nt->mns", weights, tokens) / weights.sum(axis=-1)


def one_layer(tokens, bias, logit_norm: float, signs: Float64[np.ndarray, "k n"]) -> Ends:
    """max over |W| <= logit_norm of |sum eps_i g_iT(W)|."""
    grid = np.linspace(-logit_norm, logit_norm, GRID)
    outputs = attention(tokens, bias, grid)[:, :, -1]
    best = np.abs(outputs @ signs.T).max(axis=0)
    spread = np.ptp(tokens, axis=1)
    slope = float(np.sum(np.abs(tokens[:, -1]) * spread**2 / 4))
    slack = ROUNDING * float(np.abs(tokens).max(axis=1).sum())
    return Ends(np.maximum(best - slack, 0.0), best + slope * logit_norm / (GRID - 1) + slack)


def two_layers(
    tokens: Float64[np.ndarray, "n T"],
    bias: Float64[np.ndarray, "T T"],
    value_norm: float,
    logit_norm: float,
    signs: Float64[np.ndarray, "k n"],
    gap: float = GAP,
) -> Ends:
    """sup of sum eps_i f_i for every sign vector, |u| = 1; the upper end is at most 1 + gap times the lower one, unless
    more than MOST_BOXES boxes are needed."""
    limits = np.array([value_norm, logit_norm, logit_norm])
    slopes = _slopes(tokens, value_norm, logit_norm)
    size = (1 + value_norm) ** 2 * float(np.abs(tokens).max(axis=1).sum())
    centres, half = np.zeros((1, 3)), limits.copy()
    lower, upper = np.zeros(len(signs)), np.zeros(len(signs))
    for level in range(LEVELS):
        values = _objective(tokens, bias, value_norm, centres, signs)
        lower = np.maximum(lower, values.max(axis=0))
        bounds = values + float(slopes @ half)
        alive = bounds > (1 + gap) * lower + 1e-9 * size
        last = level == LEVELS - 1 or 2 * alive.any(axis=1).sum() > MOST_BOXES
        dropped = bounds if last else np.where(alive, 0.0, bounds)
        upper = np.maximum(upper, dropped.max(axis=0))
        if last or not alive.any():
            break
        kept, axis = centres[alive.any(axis=1)], int(np.argmax(slopes * half))
        half[axis] /= 2
        step = np.zeros(3)
        step[axis] = half[axis]
        centres = np.concatenate([kept - step, kept + step])
    slack = ROUNDING * size
    return Ends(np.maximum(lower - slack, 0.0), np.maximum(upper, lower) + slack)


def _slopes(tokens, nu: float, om: float) -> Float64[np.ndarray, " 3"]:
    """Derivative bounds of the objective in V1, W1 and W2, summed over the samples."""
    r, q, d = np.abs(tokens).max(axis=1), np.abs(tokens[:, -1]), np.ptp(tokens, axis=1)
    t, e, c = q + nu * r, (1 + nu) * d, r * d**2 / 4
    value = r + nu * (r + om * e * (r * e + t * d) / 4)
    first = nu * q * d**2 / 4 + nu * (nu * c + om * nu * e * (q * d**2 * e / 4 + 2 * t * c) / 4)
    return np.array([value.sum(), first.sum(), float((nu * t * e**2 / 4).sum())]) * (1 + ROUNDING)


def _objective(tokens, bias, nu: float, points, signs) -> Float64[np.ndarray, "m k"]:
    value, first, second = points.T
    moved = tokens + value[:, None, None] * attention(tokens, bias, first)  # (m, n, T)
    scores = second[:, None, None] * moved[:, :, -1:] * moved + bias[-1]
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    mean = np.sum(weights * moved, axis=-1) / weights.sum(axis=-1)
    return np.abs(moved[:, :, -1] @ signs.T) + nu * np.abs(mean @ signs.T)
