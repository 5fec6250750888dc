"""Tasks whose target at position i depends on all of x_1 .. x_i: no window carries them to longer sequences.

Scores average over positions: with i <= w everything is seen, beyond it only the law of the i - w others is known.
"""

import math

import numpy as np
from scipy.stats import binom

from estimators.samples import positive
from estimators.tasks_base import Layout, Task, centred_levels, make_task, statement, uniform
from theory.extrapolation_tasks import prefix_mean_floor, prefix_parity_accuracy, prefix_sum_floor


def _all(length: int) -> np.ndarray:
    return np.ones((1, length), dtype=bool)


def _unseen(length: int, window: int) -> np.ndarray:
    """i - w, or 0: how many tokens lie before the window, for every position."""
    return np.maximum(np.arange(1, length + 1) - window, 0)


def prefix_parity_task() -> Task:
    """y_i = x_1 + ... + x_i mod 2, fair bits. Two layers of this size do not learn it."""

    def score(length: int, window: int) -> float:
        seen = np.maximum(np.arange(1, length + 1), window)
        words = {"seen_count": seen, "window": window, "bit_probability": 0.5}
        return float(statement(prefix_parity_accuracy(), **words).mean())

    return make_task(
        name="prefix-parity",
        description="whether the number of ones so far is odd",
        symbols=2,
        outputs=2,
        sizes=uniform(2),
        layout=lambda raw, length: Layout(raw, np.cumsum(raw, axis=1) % 2, _all(length)),
        chance=lambda length: 0.5,
        score=score,
        learnable=False,
    )


def walk_task(name: str, modulus: int, steps: list[int], description: str, *, learnable: bool = False) -> Task:
    """y_i = s(x_1) + ... + s(x_i) mod m, uniform symbols with the given steps s; a regular language like parity."""
    table = np.asarray(steps)
    step = np.bincount(table % modulus, minlength=modulus) / table.size

    def likeliest(unseen: np.ndarray) -> float:
        """Mean over positions of the largest probability of the sum of that many steps."""
        law, best = np.eye(modulus)[0], [1.0]
        for _ in range(int(unseen.max())):
            law = np.sum([p * np.roll(law, k) for k, p in enumerate(step)], axis=0)
            best.append(float(law.max()))
        return float(np.asarray(best)[unseen].mean())

    return make_task(
        name=name,
        description=description,
        symbols=table.size,
        outputs=modulus,
        sizes=uniform(table.size),
        layout=lambda raw, length: Layout(raw, np.cumsum(table[raw], axis=1) % modulus, _all(length)),
        chance=lambda length: likeliest(_unseen(length, 0)),
        score=lambda length, window: likeliest(_unseen(length, window)),
        learnable=learnable,
    )


def modular_sum_task(modulus: int) -> Task:
    """y_i = x_1 + ... + x_i mod m, uniform on 0 .. m-1: one unseen token hides it altogether, accuracy 1/m."""
    words = f"the sum of all tokens so far mod {positive('modulus', modulus, least=2)}"
    return walk_task(f"modular-sum-{modulus}", modulus, list(range(modulus)), words)


def cycle_task(places: int) -> Task:
    """The place on a cycle after moves stay, forward, back (cycle navigation), told after every move. In range the walk
    does not go far, so forward minus back can be counted: it is learned, unlike sums that wrap around often."""
    words = f"the place on a cycle of {positive('places', places, least=2)} after moves stay, forward, back"
    return walk_task(f"cycle-navigation-{places}", places, [0, 1, -1], words, learnable=True)


def majority_task() -> Task:
    """y_i = 1 if more than i/2 of x_1 .. x_i are ones, else 0 (also at a tie), fair bits."""

    def score(length: int, window: int) -> float:
        """Best guess from the ones among the last w: E max(p, 1 - p), p = P(more than i/2 - s of the others)."""
        total = 0.0
        for i in range(1, length + 1):
            seen = min(window, i)
            ones = np.arange(seen + 1)
            p = binom.sf(i // 2 - ones, i - seen, 0.5)
            total += float(np.sum(binom.pmf(ones, seen, 0.5) * np.maximum(p, 1 - p)))
        return total / length

    def layout(raw: np.ndarray, length: int) -> Layout:
        return Layout(raw, 2 * np.cumsum(raw, axis=1) > np.arange(1, length + 1), _all(length))

    return make_task(
        name="majority",
        description="whether more than half of the bits so far are ones",
        symbols=2,
        outputs=2,
        sizes=uniform(2),
        layout=layout,
        chance=lambda length: score(length, 0),
        score=score,
    )


def prefix_sum_task(symbols: int = 4, unit_length: int = 32) -> Task:
    """y_i = x_1 + ... + x_i, values of mean 0 and variance v = 1/unit_length: Var y_i = i v is 1 at i = unit_length."""
    variance = 1 / positive("unit_length", unit_length)
    levels = centred_levels(symbols, variance)

    def score(length: int, window: int) -> float:
        seen = np.maximum(np.arange(1, length + 1), window)
        words = {"seen_count": seen, "window": window, "token_variance": variance}
        return float(statement(prefix_sum_floor(), **words).mean())

    return make_task(
        name="prefix-sum",
        description=f"the sum of all values so far, of variance 1/{unit_length} each",
        symbols=symbols,
        outputs=1,
        kind="numbers",
        sizes=uniform(symbols),
        layout=lambda raw, length: Layout(raw, np.cumsum(levels[raw], axis=1), _all(length)),
        chance=lambda length: variance * (length + 1) / 2,
        score=score,
    )


def prefix_mean_task(symbols: int = 4) -> Task:
    """y_i = (x_1 + ... + x_i)/i, values of mean 0 and variance v = 1: Var y_i = 1/i."""
    levels = centred_levels(symbols)

    def score(length: int, window: int) -> float:
        seen = np.maximum(np.arange(1, length + 1), window)
        words = {"seen_count": seen, "window": window, "token_variance": 1.0}
        return float(statement(prefix_mean_floor(), **words).mean())

    def layout(raw: np.ndarray, length: int) -> Layout:
        return Layout(raw, np.cumsum(levels[raw], axis=1) / np.arange(1, length + 1), _all(length))

    return make_task(
        name="prefix-mean",
        description="the mean of all values so far, of variance 1 each",
        symbols=symbols,
        outputs=1,
        kind="numbers",
        sizes=uniform(symbols),
        layout=layout,
        chance=lambda length: math.fsum(1 / i for i in range(1, length + 1)) / length,
        score=score,
    )
