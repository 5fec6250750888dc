"""Risks of predictors that see the last w of i tokens, by exact enumeration of all sequences of i symbols.

Tokens are i.i.d. with given weights. Tables have one entry per sequence, the last token fastest: entry
sum_j x_j |V|^(i-j) of a table over x_1 .. x_i.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int

from estimators.claim import Measurement
from estimators.estimate import exact
from estimators.tail_mass import EPS

MOST_SEQUENCES = 300_000

Numbers = Sequence[float]


def sequences(symbols: int, count: int) -> Int[np.ndarray, "S i"]:
    """All sequences of `count` symbols 0 .. symbols-1, the last one fastest."""
    if symbols < 1 or count < 1 or symbols**count > MOST_SEQUENCES:
        raise ValueError(f"{symbols}^{count} sequences cannot be listed: use at most {MOST_SEQUENCES}")
    return np.array(list(itertools.product(range(symbols), repeat=count)))


def distribution(weights: Numbers) -> Float64[np.ndarray, " V"]:
    """Positive weights divided by their sum."""
    given = np.asarray(weights, dtype=np.float64)
    if given.ndim != 1 or not np.isfinite(given).all() or not (given > 0).all():
        raise ValueError(f"weights must be positive numbers, got {weights}: pass one per symbol")
    return given / math.fsum(given)


def sequence_weights(weights: Numbers, count: int) -> Float64[np.ndarray, " S"]:
    """Probabilities of all sequences."""
    return distribution(weights)[sequences(len(weights), count)].prod(axis=1)


def _table(entries: Numbers, size: int, name: str) -> Float64[np.ndarray, " S"]:
    table = np.asarray(entries, dtype=np.float64)
    if table.shape != (size,) or not np.isfinite(table).all():
        raise ValueError(f"{name} must be {size} finite numbers, got shape {table.shape}: one per sequence")
    return table


def _windows(table: np.ndarray, symbols: int, window: int) -> np.ndarray:
    """The table by (what comes before, content of the window)."""
    return table.reshape(-1, symbols**window)


def _checked(count: int, window: int) -> None:
    if not 1 <= window <= count:
        raise ValueError(f"need 1 <= window <= {count}, got {window}: the window is a part of the tokens")


def transfer(
    *, predictions: Numbers, window_predictions: Numbers, targets: Numbers, weights: Numbers, count: int, window: int
) -> Measurement:
    """|R_i - R_w| for the absolute loss: f on i = `count` tokens, f_w and the target on w, tables over sequences.

    delta is the largest |f(x_1 .. x_i) - f_w(last w)|.
    """
    _checked(count, window)
    symbols = len(weights)
    f = _windows(_table(predictions, symbols**count, "predictions"), symbols, window)
    short = _table(window_predictions, symbols**window, "window_predictions")
    wanted = _table(targets, symbols**window, "targets")
    chance = sequence_weights(weights, window)
    before = sequence_weights(weights, count - window) if count > window else np.ones(1)
    # One sum of differences: the difference of two risks would lose what they share.
    changed = (np.abs(f - wanted) - np.abs(short - wanted)) * before[:, None] * chance
    difference = abs(math.fsum(changed.ravel()))
    size = float(max(np.abs(f).max(), np.abs(wanted).max(), np.abs(short).max()))
    defect = float(np.abs(f - short).max())
    found = exact(difference, 16 * EPS * size * (count + 4), "all sequences")
    return Measurement(found, {"locality_defect": defect * (1 + EPS)})


def squared_risk(*, predictions: Numbers, targets: Numbers, weights: Numbers, count: int, window: int) -> Measurement:
    """E (f - y)^2 for tables over x_1 .. x_i, i = `count`; E Var(y | last w tokens), and the least delta for which f is
    (w, delta)-local: half the largest range of f at fixed window."""
    _checked(count, window)
    symbols = len(weights)
    f = _windows(_table(predictions, symbols**count, "predictions"), symbols, window)
    y = _windows(_table(targets, symbols**count, "targets"), symbols, window)
    chance = _windows(sequence_weights(weights, count), symbols, window)
    risk = math.fsum((chance * (f - y) ** 2).ravel())
    unseen, rounding = conditional_variance(y, chance)
    defect = float(np.ptp(f, axis=0).max()) / 2
    size = float(max(np.abs(f).max(), np.abs(y).max()))
    found = exact(risk, 16 * EPS * (count + 4) * size**2, "all sequences")
    known = {"unseen_variance": max(unseen - rounding, 0.0), "locality_defect": defect * (1 + 4 * EPS) + 4 * EPS * size}
    return Measurement(found, known)


def conditional_variance(y: Float64[np.ndarray, "S W"], chance: Float64[np.ndarray, "S W"]) -> tuple[float, float]:
    """E Var(y | column) and a bound on its rounding error."""
    mass = chance.sum(axis=0)
    means = (chance * y).sum(axis=0) / mass
    value = math.fsum((chance * (y - means) ** 2).ravel())
    moved = EPS * (16 + 4 * math.log2(y.size)) * float(np.abs(y).max())  # of y and of a mean
    return value, 2 * moved * math.sqrt(value) + moved**2 + EPS * (16 + 4 * math.log2(y.size)) * value


def linear_floor(
    *,
    coefficients: Numbers,
    values: Numbers,
    weights: Numbers,
    window: int,
    words: tuple[str, ...] = ("token_variance", "seen_count", "window"),
) -> Measurement:
    """E Var(y | last w tokens) of y = sum_j c_j x_j; x_j takes the `values` with the given weights."""
    symbols, count = len(weights), len(coefficients)
    levels = np.asarray(values, dtype=np.float64)
    if levels.shape != (symbols,) or not 1 <= window <= count:
        raise ValueError(f"need one value per weight and 1 <= window <= {count}, got {levels.shape} and {window}")
    if not (np.isfinite(levels).all() and np.isfinite(np.asarray(coefficients, dtype=np.float64)).all()):
        raise ValueError("values and coefficients must be finite: leave the others out")
    tokens = levels[sequences(symbols, count)]
    y = _windows(tokens @ np.asarray(coefficients, dtype=np.float64), symbols, window)
    found, rounding = conditional_variance(y, _windows(sequence_weights(weights, count), symbols, window))
    law = distribution(weights)
    variance = math.fsum(law * (levels - math.fsum(law * levels)) ** 2)
    known = {"token_variance": variance, "seen_count": count, "window": window}
    return Measurement(exact(found, rounding, "all sequences"), {word: known[word] for word in words})


def parity_accuracy(*, probability: float, count: int, window: int) -> Measurement:
    """Best accuracy for the parity of i bits with P(1) = `probability` from the last w: the likelier one per window."""
    if not 0 <= probability <= 1 or not 1 <= window <= count:
        raise ValueError(f"need 0 <= probability <= 1 and window <= count, got {probability}, {window}, {count}")
    bits = sequences(2, count)
    chance = _windows(np.where(bits == 1, probability, 1 - probability).prod(axis=1), 2, window)
    odd = _windows(bits.sum(axis=1) % 2, 2, window)
    best = math.fsum(np.maximum((chance * odd).sum(axis=0), (chance * (1 - odd)).sum(axis=0)))
    known = {"bit_probability": probability, "seen_count": count, "window": window}
    return Measurement(exact(best, 16 * EPS * (count + 4), "all sequences"), known)


def reversal_accuracy(*, symbols: int, length: int, window: int) -> Measurement:
    """Best mean accuracy of reversal from tokens at distance below w, uniform tokens: the likeliest one per content."""
    if not 1 <= window <= length:
        raise ValueError(f"need 1 <= window <= {length}, got {window}: the window counts the position itself")
    tokens = sequences(symbols, length)
    total = 0
    for position in range(length):
        seen = [j for j in range(length) if abs(position - j) < window]
        content = tokens[:, seen] @ symbols ** np.arange(len(seen))
        counts = np.zeros((symbols ** len(seen), symbols), dtype=np.int64)
        np.add.at(counts, (content, tokens[:, length - 1 - position]), 1)
        total += int(counts.max(axis=1).sum())
    accuracy = total / (len(tokens) * length)
    return Measurement(
        exact(accuracy, 2 * EPS, "all sequences"), {"vocabulary_size": symbols, "length": length, "window": window}
    )
