"""What a sequence task is, and exact scores of predictors that see a window of it, by listing all inputs.

Every task is a function of independent uniform raw symbols: a sequence of T tokens is made of R(T) of them, the r-th
uniform on 0 .. sizes(T)[r] - 1. So all inputs of a small length can be listed, each as likely as the others.
Positions count from 1 in docstrings: x_1 .. x_T are tokens, y_i is the target at position i.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import sympy as sp
from jaxtyping import Bool, Float64, Int, Int32

from estimators.samples import positive
from theory.bound import Bound

Kind = Literal["symbols", "numbers"]
MOST_SYMBOLS = 32
LONGEST = 2**20
MOST_TOKENS = 2**28  # of one draw: 2 GiB of targets
MOST_LISTED = 2_000_000  # raw symbols in the table of `listed`


class Examples(NamedTuple):
    """n sequences, padded to T tokens.

    inputs: symbols 0 .. symbols-1. targets: class numbers 0 .. outputs-1 or real numbers, 0 where not scored. scored:
    positions whose output counts. lengths: real tokens; inputs beyond are 0 and never scored.
    """

    inputs: Int32[np.ndarray, "n T"]
    targets: Float64[np.ndarray, "n T"]
    scored: Bool[np.ndarray, "n T"]
    lengths: Int32[np.ndarray, " n"]


class Layout(NamedTuple):
    """Tokens, targets and scored positions made of raw symbols; `scored` is one row where all sequences share it."""

    inputs: Int[np.ndarray, "n T"]
    targets: np.ndarray
    scored: Bool[np.ndarray, "#n T"]


@dataclass(frozen=True)
class Task:
    """A sequence task with exact answers.

    symbols: size of the input alphabet, special marks included. outputs: classes, 1 for numbers. causal: targets look
    only backward. reach: y_i is one and the same function of x_{i-reach+1} .. x_i for every i (None: no such number).
    learnable: two layers of width 32 to 64 are expected to learn it in range. draw: (generator, count, length) ->
    Examples, all of that length. chance: length -> accuracy of the best constant per position, for numbers its mean
    squared error. ceiling: (length, window) -> best accuracy (for numbers least mean squared error) of any predictor
    that knows i and the length and sees x_{i-window+1} .. x_i only (causal) or the x_j with |i-j| < window; None where
    neither a formula nor listing all inputs gives it. Both are means over scored positions, exact to rounding.
    sizes, layout: the raw symbols of a length, and what is made of them.
    """

    name: str
    symbols: int
    outputs: int
    kind: Kind
    causal: bool
    reach: int | None
    least_length: int
    learnable: bool
    draw: Callable[[np.random.Generator, int, int], Examples]
    chance: Callable[[int], float]
    ceiling: Callable[[int, int], float | None]
    description: str
    sizes: Callable[[int], list[int]]
    layout: Callable[[np.ndarray, int], Layout]

    def __post_init__(self) -> None:
        if not 1 <= self.symbols <= MOST_SYMBOLS or self.outputs < 1:
            raise ValueError(f"{self.name}: need 1 to {MOST_SYMBOLS} symbols and an output, got {self.symbols}")

    def checked_length(self, length: int) -> int:
        """`length` if the task is defined at it; ValueError otherwise."""
        if positive("length", length) < self.least_length:
            raise ValueError(
                f"task {self.name} needs at least {self.least_length} tokens, got length {length}: "
                f"use length={self.least_length} or more"
            )
        if length > LONGEST:
            raise ValueError(f"task {self.name}: length {length} is above {LONGEST}: use a shorter one")
        return int(length)


def make_task(
    *,
    name: str,
    description: str,
    symbols: int,
    outputs: int,
    sizes: Callable[[int], list[int]],
    layout: Callable[[np.ndarray, int], Layout],
    chance: Callable[[int], float],
    score: Callable[[int, int], float | None] | None = None,
    kind: Kind = "symbols",
    causal: bool = True,
    reach: int | None = None,
    least_length: int = 1,
    learnable: bool = True,
) -> Task:
    """A task from its raw symbols.

    `score(length, window)` is a formula for the ceiling, 1 <= window < length, or None where it knows none: small
    lengths are then listed. At window >= length every target is seen: 1, or 0 for numbers.
    """

    def draw(generator: np.random.Generator, count: int, length: int) -> Examples:
        positive("count", count)
        task.checked_length(length)
        if count * length > MOST_TOKENS:
            raise ValueError(f"{count} x {length} tokens are more than {MOST_TOKENS}: draw fewer at a time")
        bounds = np.asarray(sizes(length))
        return _examples(layout(generator.integers(bounds, size=(count, bounds.size)), length), length)

    def best(length: int, window: int) -> float | None:
        task.checked_length(length)
        if positive("window", window) >= length:
            return 0.0 if kind == "numbers" else 1.0
        found = None if score is None else score(length, window)
        if found is None and _listable(sizes(length)):
            found = listed_score(task, length, window)
        return None if found is None else float(found)

    task = Task(
        name=name,
        symbols=symbols,
        outputs=outputs,
        kind=kind,
        causal=causal,
        reach=reach,
        least_length=least_length,
        learnable=learnable,
        draw=draw,
        chance=lambda length: float(chance(task.checked_length(length))),
        ceiling=best,
        description=description,
        sizes=sizes,
        layout=layout,
    )
    return task


def _examples(made: Layout, length: int) -> Examples:
    count = len(made.inputs)
    scored = np.broadcast_to(made.scored, (count, length)).copy()
    targets = np.where(scored, made.targets, 0).astype(np.float64)
    return Examples(made.inputs.astype(np.int32), targets, scored, np.full(count, length, dtype=np.int32))


def _listable(sizes: list[int]) -> bool:
    return math.fsum(map(math.log, sizes)) + math.log(len(sizes)) <= math.log(MOST_LISTED)


def listed(task: Task, length: int) -> Examples:
    """Every input of that length, as often as it is likely; ValueError if there are too many."""
    sizes = task.sizes(task.checked_length(length))
    if not _listable(sizes):
        raise ValueError(f"{task.name} has too many inputs of length {length} to list them: use a shorter one")
    raw = np.indices(sizes).reshape(len(sizes), -1).T
    return _examples(task.layout(raw, length), length)


def listed_score(task: Task, length: int, window: int) -> float:
    """Best score of predictors that see a window, over all inputs: the likeliest class, or the mean, per content.

    window 0 sees nothing but i and the length: the chance level.
    """
    found = listed(task, length)
    total = 0.0
    for i in range(length):
        rows = found.scored[:, i]
        if not rows.any():
            continue
        low = max(i - window + 1, 0)
        high = i + 1 if task.causal else min(i + window, length)
        content = _contents(found.inputs[rows, low : high if window else low], task.symbols)
        y = found.targets[rows, i]
        if task.kind == "symbols":
            counts = np.zeros((content.max() + 1, task.outputs), dtype=np.int64)
            np.add.at(counts, (content, y.astype(np.int64)), 1)
            total += int(counts.max(axis=1).sum())
        else:
            means = np.bincount(content, y) / np.bincount(content)
            total += math.fsum((y - means[content]) ** 2)
    return total / int(found.scored.sum())


def _contents(seen: Int32[np.ndarray, "n w"], symbols: int) -> Int[np.ndarray, " n"]:
    """Numbers 0, 1, ... of the distinct rows."""
    code, size = np.zeros(len(seen), dtype=np.int64), 1
    for column in seen.T:
        if size > 2**62 // symbols:
            code = np.unique(code, return_inverse=True)[1]
            size = len(seen)
        code, size = code * symbols + column, size * symbols
    return np.unique(code, return_inverse=True)[1]


def uniform(symbols: int) -> Callable[[int], list[int]]:
    """Sizes of T raw symbols that are the tokens themselves."""
    return lambda length: [symbols] * length


def centred_levels(symbols: int, variance: float = 1.0) -> Float64[np.ndarray, " V"]:
    """Equally spaced values of the symbols, mean 0 and that variance under the uniform law."""
    steps = 2.0 * np.arange(positive("symbols", symbols, least=2)) - (symbols - 1)
    return steps * math.sqrt(3 * variance / (symbols**2 - 1))


def statement(bound: Bound, **words: Any) -> Float64[np.ndarray, "..."]:
    """Values of a statement of the theory at arrays of its words, to rounding; ValueError where it assumes more."""
    arrays = np.broadcast_arrays(*(np.asarray(words[symbol.name], dtype=np.float64) for symbol in bound.symbols))
    if not np.all(sp.lambdify(bound.symbols, bound.assumptions, "numpy")(*arrays)):
        raise ValueError(f"bound on {bound.quantity} assumes {bound.assumptions}: pass words for which it holds")
    values = sp.lambdify(bound.symbols, bound.expression, "numpy")(*arrays)
    return np.broadcast_to(np.asarray(values, dtype=np.float64), arrays[0].shape)


def seen_share(sources: Int[np.ndarray, " s"], positions: Int[np.ndarray, " s"], window: int) -> float:
    """Share of the positions i whose source j has |i - j| < window."""
    return float(np.mean(np.abs(sources - positions) < window))


def rearranged_score(share: float, symbols: int) -> float:
    """Accuracy when a share of the targets is seen and the others are uniform: s + (1 - s)/|V|."""
    return share + (1 - share) / symbols
