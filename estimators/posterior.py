"""What an observation tells about a uniform position: KL(posterior | uniform), and its mean over the real line."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from scipy.special import xlogy

CHUNK = 1 << 20  # entries of one block of logits
ENTRIES_LIMIT = 30_000_000
STRIP_PHASE = 2.0  # spread of the phases of the components on the edge of the strip, below pi
TRUNCATION = 1e-18  # mass left out on either side
ULP = 2.0**-52
LOGIT_ULPS = 4.0  # relative rounding error of one logit, in units of ULP


class Divergence(NamedTuple):
    """KL(softmax(row) | uniform) in nats, its rounding error, and ln mean exp of the row."""

    value: Float64[np.ndarray, " rows"]
    rounding: Float64[np.ndarray, " rows"]
    log_mean: Float64[np.ndarray, " rows"]


def divergence(logits: Float64[np.ndarray, "rows N"]) -> Divergence:
    """mean_q (rho_q ln rho_q - rho_q + 1), rho_q = N softmax_q: a mean of nonnegative terms, so nothing cancels.

    rounding: first-order effect of a relative error of every logit, |d KL| <= sum_q post_q |ln post_q + H| |d logit_q|.
    """
    count = logits.shape[1]
    top = logits.max(axis=1, keepdims=True)
    weights = np.exp(logits - top)
    mean = weights.mean(axis=1, keepdims=True)
    ratios = weights / mean  # (rows, N), mean 1
    products = xlogy(ratios, ratios)
    value = (products - (ratios - 1)).mean(axis=1)
    # The exact value lies in [0, ln N]; only rounding can leave it.
    value = np.clip(value, 0.0, math.log(count))
    moved = np.abs(products - ratios * value[:, None]) * (np.abs(logits) * LOGIT_ULPS + 4)
    return Divergence(value, ULP * (moved.mean(axis=1) + 4 * value), (top + np.log(mean))[:, 0])


def strip_step(half_width: float, edge_norm: float, target: float = TRUNCATION) -> tuple[float, float]:
    """Step h of the trapezoidal rule on the real line, and its error 2 M/(e^(2 pi a/h) - 1) <= target.

    For integrands analytic in |Im x| < a = half_width with int |F(x + i y)| dx <= M = edge_norm there (Trefethen and
    Weideman, SIAM Review 56, 2014, Theorem 5.1).
    """
    step = 2 * math.pi * half_width / math.log1p(2 * edge_norm / target)
    return step, target


def edge_norm(count: int, phase: float) -> float:
    """ln N + 2/e + ln(1/cos(phase/2)) + phase >= E |ln r_P| on the edge of the strip, r_p = W_p/Wbar continued to it.

    There the components W_p differ in phase by at most `phase` < pi, so |Wbar| >= cos(phase/2) mean_p |W_p| and
    |arg r_p| <= phase; for the moduli rho alone E |ln rho_P| <= I + 2/e <= ln N + 2/e, as rho ln rho >= -1/e.
    """
    return math.log(count) + 2 / math.e + math.log(1 / math.cos(phase / 2)) + phase


def grid(first: float, last: float, step: float, count: int) -> Float64[np.ndarray, " M"]:
    """first, first + step, .. up to last or one step beyond; ValueError where `count` posteriors there are too many."""
    nodes = math.ceil((last - first) / step) + 1
    if nodes * count > ENTRIES_LIMIT:
        raise ValueError(
            f"the quadrature needs {nodes} nodes for {count} positions: raise the noise, or use fewer positions"
        )
    return first + step * np.arange(nodes)


def integrate(
    nodes: Float64[np.ndarray, " M"],
    log_weights: Float64[np.ndarray, " M"],
    logits: Callable[[Float64[np.ndarray, " rows"]], Float64[np.ndarray, "rows N"]],
    count: int,
) -> tuple[float, float]:
    """sum_k e^(log_weights_k) [mean_q e^(logits_kq)] KL(softmax(logits_k) | uniform), and its rounding error."""
    total = rounding = 0.0
    rows = max(1, CHUNK // count)
    for start in range(0, nodes.size, rows):
        part = slice(start, start + rows)
        found = divergence(logits(nodes[part]))
        mass = np.exp(log_weights[part] + found.log_mean)
        size = np.abs(log_weights[part]) + np.abs(found.log_mean) + 4
        total += float(mass @ found.value)
        rounding += float(mass @ (found.rounding + LOGIT_ULPS * ULP * size * found.value))
    return total, rounding
