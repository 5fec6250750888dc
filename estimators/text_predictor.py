"""The predictor of the next symbol that text is scored with, and a check of everything it returns.

A predictor maps inputs (n, T) of symbols 0 .. V-1 to log-probabilities (n, T, V); entry t is its distribution of the
symbol after input t, and may depend on inputs 0 .. t only. Nothing here or in its callers depends on how it was made.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Integer
from scipy.special import logsumexp

Array = np.ndarray
Predict = Callable[[Array], Any]

TOKENS_AT_ONCE = 1 << 15  # inputs of one call: 33 MB of float32 log-probabilities at V = 256
CAUSAL = 1e-2  # change of a log-probability from symbols after it that rounding is allowed
NORMALISED = 1e-3  # |ln sum of probabilities| allowed; what float32 leaves over some hundred symbols is far below


def target_log_probabilities(
    predict: Predict,
    inputs: Integer[Array, "n T"],
    targets: Integer[Array, "n P"],
    scored: Bool[Array, "n P"],
) -> tuple[Float64[Array, "n P"], int]:
    """ln q(target) at the last P of T positions where `scored`, 0 elsewhere, in nats; and the number V of symbols.

    Distributions are normalised in float64, which removes the rounding of float32 log-probabilities. All calls have one
    shape (the last is filled up with copies of the last row), so that a compiled predictor compiles once per T. Where
    more than the last position is scored, one more call finds out whether the first half of the positions depends on
    the second half, for such a predictor sees its targets.

    Raises:
        ValueError: inputs without rows, a result of another shape, NaN or not normalised where scored, a symbol
            beyond V, a predictor that is not causal.
    """
    count, length = inputs.shape
    if not count:
        raise ValueError("nothing to score: give at least one sequence")
    window = targets.shape[1]
    rows = max(1, min(count, TOKENS_AT_ONCE // length))
    found, symbols = np.zeros((count, window)), 0
    for start in range(0, count, rows):
        stop = min(start + rows, count)
        index = np.minimum(np.arange(start, start + rows), count - 1)
        here = scored[start:stop]
        wanted = targets[start:stop][here].astype(np.int64)
        given = np.asarray(predict(np.ascontiguousarray(inputs[index], dtype=np.int32)))
        symbols = checked_symbols(given, (rows, length), int(wanted.max(initial=0)))
        if start == 0 and window > 1:
            _require_causal(predict, inputs[index], given)
        logs = normalised(given[: stop - start, length - window :][here])
        found[start:stop][here] = np.take_along_axis(logs, wanted[:, None], axis=1)[:, 0]
    return found, symbols


def _require_causal(predict: Predict, inputs: Integer[Array, "n T"], given: Array) -> None:
    half = inputs.shape[1] // 2
    other = np.ascontiguousarray(inputs, dtype=np.int32).copy()
    other[:, half:] = other[:, half:] == 0  # differs from the input everywhere
    with np.errstate(invalid="ignore"):  # equal infinities
        moved = np.abs(np.asarray(predict(other))[:, :half] - given[:, :half])
    if (moved > CAUSAL).any():
        raise ValueError("predict is not causal: what it says at a position changes with later symbols, so it may see "
                         "what it predicts; use a causal network")  # fmt: skip


def checked_symbols(given: Array, shape: tuple[int, int], largest: int) -> int:
    """V; ValueError unless `given` is (*shape, V) with V > largest."""
    if given.ndim != 3 or given.shape[:2] != shape:
        raise ValueError(f"predict must return log-probabilities ({shape[0]}, {shape[1]}, V), got {given.shape}: "
                         "give the distribution of the next symbol at every position")  # fmt: skip
    if largest >= given.shape[2]:
        raise ValueError(f"predict knows symbols 0 to {given.shape[2] - 1}, the text holds {largest}: "
                         f"use a network of at least {largest + 1} symbols")  # fmt: skip
    return given.shape[2]


def normalised(logs: Array) -> Float64[Array, "k V"]:
    """Rows of log-probabilities with sum of exponentials 1; ValueError if they were not so up to rounding."""
    logs = logs.astype(np.float64)
    if np.isnan(logs).any():
        raise ValueError("predict returned NaN: the network has diverged, train it at a smaller learning rate")
    if not logs.size:
        return logs
    totals = logsumexp(logs, axis=1, keepdims=True)
    worst = float(totals.flat[np.abs(totals).argmax()])
    if not abs(worst) <= NORMALISED:
        raise ValueError(f"the probabilities of predict sum to {math.exp(min(worst, 700.0)):.6g}, not to 1: "
                         "return jax.nn.log_softmax(logits)")  # fmt: skip
    return logs - totals
