"""Attention beyond a distance, and the largest weight, of one query: exact for given logits.

Keys are ordered by distance k = 0 .. T-1, weights are softmax(s + b), |s_k| <= B. Sums over far keys are formed for
themselves and compared in logarithms: one minus the rest would lose every digit below 1e-16.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64

from estimators.claim import Measurement
from estimators.estimate import exact
from estimators.features import bias_row
from theory.encodings import parse
from theory.encodings.base import AbstractBiasEncoding
from theory.encodings.kerple import KerpleLog, KerplePower

EPS = float(np.finfo(np.float64).eps)
DIM = 8  # of encodings of which only the biases are read
LARGEST_ODDS = 600.0  # |ln(far/near)|: beyond it a mass is no longer a float with all digits
SPLIT_WORDS = ("tail_ratio", "logit_bound")

Row = Float64[np.ndarray, " T"]


@functools.lru_cache(maxsize=512)
def bias_by_distance(specification: str, length: int, head: int = 0) -> Row:
    """b(0) .. b(length-1) of the last of `length` queries, zeros for an encoding that is no bias."""
    encoding = parse(specification, dim=DIM, train_length=length, heads=max(head + 1, 8))
    row = np.zeros(length)
    if isinstance(encoding, AbstractBiasEncoding):
        row = np.array(bias_row(encoding, length, head)[::-1])
    row.setflags(write=False)
    return row


def scaled_logits(logits: Sequence[float], logit_bound: float) -> Row:
    """The logits times the factor that makes their largest size B; zeros stay zero."""
    s = np.asarray(logits, dtype=np.float64)
    if s.ndim != 1 or s.size < 1 or not np.isfinite(s).all():
        raise ValueError(f"logits must be finite numbers, one per key, got shape {s.shape}: pass a list")
    if not (math.isfinite(logit_bound) and logit_bound >= 0):
        raise ValueError(f"logit_bound must be finite and nonnegative, got {logit_bound}: it bounds |s_k|")
    size = float(np.abs(s).max())
    # Rounding may pass B by one unit.
    return np.clip(s / size * logit_bound, -logit_bound, logit_bound) if size > 0 else s


def row_of(bias: Sequence[float] | None, encoding: str, length: int, head: int) -> Row:
    """The biases given, or those of the encoding; ValueError unless there is one per key."""
    row = bias_by_distance(encoding, length, head) if bias is None else np.asarray(bias, dtype=np.float64)
    if row.shape != (length,) or not np.isfinite(row).all():
        raise ValueError(f"bias must be {length} finite numbers, got shape {row.shape}: pass one per key")
    return row


def log_sum(exponents: Row) -> float:
    """ln sum_k e^(x_k)."""
    top = float(exponents.max())
    return top + math.log(math.fsum(np.exp(exponents - top)))


def log_odds(exponents: Row, window: int) -> float:
    """ln(far/near), the sums of e^x at distances from `window` on and below; -infinity if no key is far."""
    if not 1 <= window <= exponents.size or int(window) != window:
        raise ValueError(f"window must be a whole number from 1 to {exponents.size}, got {window}: keep that many keys")
    if window == exponents.size:
        return -math.inf
    odds = log_sum(exponents[window:]) - log_sum(exponents[:window])
    if abs(odds) > LARGEST_ODDS:
        raise ValueError(f"far keys weigh e^{odds:.0f} times the near ones: use smaller biases or another window")
    return odds


def relative_error(exponents: Row) -> float:
    """Of a ratio of sums of e^x: every exponent is a sum of products, each rounded."""
    return EPS * (8 * float(np.abs(exponents).max()) + 32)


def largest_mass(bias: Row, window: int, logit_bound: float) -> float:
    """sup A_w over |s| <= B, at s = B from `window` on and -B below."""
    return share(log_odds(bias, window) + 2 * logit_bound)


def share(odds: float) -> float:
    """r/(1 + r), odds = ln r."""
    return 1 / (1 + math.exp(-odds)) if odds > 0 else math.exp(odds) / (1 + math.exp(odds))


def words_of(encoding: str, row: Row, window: int, head: int) -> dict[str, Any]:
    """What the statements may ask of a row of biases, by word; an oscillation is rounded up."""
    ratio, error = math.exp(log_odds(row, window)), relative_error(row)
    known: dict[str, Any] = {
        "tail_ratio": (ratio * (1 - error), ratio * (1 + error)),
        "length": row.size,
        "window": window,
        "bias_oscillation": float(np.ptp(row)) * (1 + EPS),
    }
    if row.size > 1 and row[1] < 0:
        known["alibi_slope"] = -float(row[1])
    code = parse(encoding, dim=DIM, train_length=row.size, heads=max(head + 1, 8)) if encoding else None
    if isinstance(code, KerpleLog | KerplePower):
        rate, shape = code.parameters(head)
        known |= {"kerple_rate": float(rate), "kerple_shape": float(shape)}
    return known


def tail_mass(
    *,
    logits: Sequence[float],
    logit_bound: float,
    window: int,
    encoding: str = "",
    head: int = 0,
    bias: Sequence[float] | None = None,
    words: tuple[str, ...] = SPLIT_WORDS,
) -> Measurement:
    """A_w at logits scaled to max |s_k| = B, with the biases of `encoding` or those given, both by distance (T,).

    words: the parameters that the bound asks for. ValueError for a window outside 1 .. T and for masses that no float
    holds.
    """
    s = scaled_logits(logits, logit_bound)
    row = row_of(bias, encoding, s.size, head)
    mass = share(log_odds(s + row, window))
    found = exact(mass, mass * relative_error(np.abs(s) + np.abs(row)), "sums of far and near weights")
    known = words_of(encoding, row, window, head) | {"logit_bound": logit_bound}
    return Measurement(found, {word: known[word] for word in words}, encoding)


def largest_weight(
    *,
    logits: Sequence[float],
    logit_bound: float,
    encoding: str = "",
    head: int = 0,
    bias: Sequence[float] | None = None,
) -> Measurement:
    """max_k alpha_k at logits scaled to max |s_k| = B; arguments as `tail_mass`."""
    s = scaled_logits(logits, logit_bound)
    row = row_of(bias, encoding, s.size, head)
    top = int(np.argmax(s + row))
    others = np.delete(s + row, top)
    weight = share(float((s + row)[top]) - log_sum(others)) if others.size else 1.0
    found = exact(weight, weight * relative_error(np.abs(s) + np.abs(row)), "largest softmax weight")
    known = words_of(encoding, row, row.size, head) | {"logit_bound": logit_bound}
    return Measurement(found, {word: known[word] for word in ("logit_bound", "bias_oscillation", "length")}, encoding)


def ascended(row: Row, window: int, logits: Row, logit_bound: float, *, sign: float = 1.0, steps: int = 40) -> Row:
    """Logits in [-1, 1] (units of B) after projected gradient ascent of sign * A_w."""
    s, far = np.array(logits, dtype=np.float64), np.arange(row.size) >= window
    for _ in range(steps):
        exponents = row + logit_bound * s
        weights = np.exp(exponents - exponents.max())
        weights /= weights.sum()
        slope = sign * weights * (far - weights[far].sum())
        if not slope.any():
            break
        # Steps of one size per key: weights span many orders of magnitude.
        s = np.clip(s + 0.2 * np.sign(slope), -1.0, 1.0)
    return s
