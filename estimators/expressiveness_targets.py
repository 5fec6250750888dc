"""Sequence-to-sequence targets on S symbols with values v_0 .. v_(S-1) in [-1, 1], and the sequences to learn them
from.

Symbols a (n, T), x_i = v[a_i]. Targets g(a) (n, T), one real number for every position i = 0 .. T-1:
  shift          g_i = x_(i-1), g_0 = 0
  reversal       g_i = x_(T-1-i)
  prefix-mean    g_i = (x_0 + .. + x_i)/(i+1)
  windowed-mean  g_i = (x_i + x_(i-1) + x_(i-2))/3, tokens before the first count as 0
  induction      g_i = x_(j+1) for the largest j < i with a_j = a_i; 0 where there is none
  sorting        g_i = the i-th smallest of x_0 .. x_(T-1)
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64, Int64

SYMBOLS = 6
WINDOW = 3
# One sequence in so many repeats one symbol: such sequences decide the comparison with the obstruction.
CONSTANT_EVERY = 4

Symbols = Int64[np.ndarray, "n T"]
Values = Float64[np.ndarray, "n T"]


def symbol_values() -> Float64[np.ndarray, " S"]:
    """v_s, equidistant from -1 to 1."""
    return np.linspace(-1.0, 1.0, SYMBOLS)


def shift(symbols: Symbols) -> Values:
    """The token before; 0 at the first position."""
    x = symbol_values()[symbols]
    return np.concatenate([np.zeros_like(x[:, :1]), x[:, :-1]], axis=1)


def reversal(symbols: Symbols) -> Values:
    """The tokens in reverse order."""
    return symbol_values()[symbols[:, ::-1]]


def prefix_mean(symbols: Symbols) -> Values:
    """The mean of the tokens up to this one; of whole numbers first, so that constant sequences round to one number."""
    mean = np.cumsum(symbols, axis=1) / np.arange(1, symbols.shape[1] + 1)
    return 2 * mean / (SYMBOLS - 1) - 1


def windowed_mean(symbols: Symbols) -> Values:
    """The sum of the last three tokens over three."""
    x, length = np.pad(symbol_values()[symbols], ((0, 0), (WINDOW - 1, 0))), symbols.shape[1]
    return np.sum([x[:, k : k + length] for k in range(WINDOW)], axis=0) / WINDOW


def induction(symbols: Symbols) -> Values:
    """The token that followed the last earlier occurrence of this symbol; 0 at a first occurrence."""
    length = symbols.shape[1]
    earlier = (symbols[:, :, None] == symbols[:, None, :]) & np.tri(length, k=-1, dtype=bool)  # (n, i, j), j < i
    last = np.where(earlier, np.arange(length), -1).max(axis=2)
    following = np.take_along_axis(symbol_values()[symbols], last + 1, axis=1)
    return np.where(last >= 0, following, 0.0)


def sorting(symbols: Symbols) -> Values:
    """The tokens in ascending order of value."""
    return symbol_values()[np.sort(symbols, axis=1)]


TARGETS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "shift": shift,
    "reversal": reversal,
    "prefix-mean": prefix_mean,
    "windowed-mean": windowed_mean,
    "induction": induction,
    "sorting": sorting,
}


def constant_sequences(length: int) -> Symbols:
    """Every sequence of one repeated symbol (S, T)."""
    return np.repeat(np.arange(SYMBOLS)[:, None], length, axis=1)


def target_spreads(length: int) -> dict[str, Float64[np.ndarray, " S"]]:
    """D_g = max_ij |g_i - g_j| of every target on every constant sequence; `theory.expressiveness` halves it."""
    return {name: np.ptp(one(constant_sequences(length)), axis=1) for name, one in TARGETS.items()}


def draw_sequences(rng: np.random.Generator, count: int, length: int) -> Symbols:
    """Independent uniform symbols (count, T); every fourth sequence repeats its first symbol."""
    symbols = rng.integers(SYMBOLS, size=(count, length))
    symbols[::CONSTANT_EVERY] = symbols[::CONSTANT_EVERY, :1]
    return symbols
