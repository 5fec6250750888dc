"""Tasks whose target looks back a fixed number of tokens: a local predictor carries them to any length."""

import math

import numpy as np

from estimators.samples import positive
from estimators.tasks_base import Layout, Task, centred_levels, make_task, rearranged_score, statement, uniform
from theory.extrapolation_tasks import copy_floor, prefix_sum_floor


def _from(first: int, length: int) -> np.ndarray:
    """Positions i > first are scored, in every sequence."""
    return (np.arange(length) >= first)[None, :]


def _delayed(values: np.ndarray, distance: int) -> np.ndarray:
    return np.roll(values, distance, axis=1)


def shift_task(distance: int, symbols: int = 8) -> Task:
    """y_i = x_{i-distance}, i > distance, uniform symbols. Unseen, it is guessed: accuracy 1/|V|."""
    positive("distance", distance)

    def layout(raw: np.ndarray, length: int) -> Layout:
        return Layout(raw, _delayed(raw, distance), _from(distance, length))

    return make_task(
        name=f"shift-{distance}",
        description=f"the token {distance} back, one of {symbols}",
        symbols=symbols,
        outputs=symbols,
        sizes=uniform(symbols),
        layout=layout,
        chance=lambda length: 1 / symbols,
        score=lambda length, window: rearranged_score(float(window > distance), symbols),
        reach=distance + 1,
        least_length=distance + 1,
    )


def shift_values_task(distance: int, symbols: int = 8) -> Task:
    """y_i = value of x_{i-distance}, i > distance; equally spaced values of variance v = 1: the floor is v."""
    positive("distance", distance)
    levels = centred_levels(symbols)
    floor = float(statement(copy_floor(), token_variance=1.0))

    def layout(raw: np.ndarray, length: int) -> Layout:
        return Layout(raw, _delayed(levels[raw], distance), _from(distance, length))

    return make_task(
        name=f"shift-{distance}-values",
        description=f"the value of the token {distance} back, {symbols} equally spaced values of variance 1",
        symbols=symbols,
        outputs=1,
        kind="numbers",
        sizes=uniform(symbols),
        layout=layout,
        chance=lambda length: floor,
        score=lambda length, window: 0.0 if window > distance else floor,
        reach=distance + 1,
        least_length=distance + 1,
    )


def _window_sums(values: np.ndarray, reach: int) -> np.ndarray:
    """Sums of the last `reach` values; of fewer at the start, where nothing is scored."""
    total = np.cumsum(values, axis=1)
    total[:, reach:] -= total[:, :-reach].copy()
    return total


def window_sum_task(reach: int) -> Task:
    """y_i = x_{i-reach+1} + ... + x_i of fair bits, i >= reach: reach + 1 classes. The start, where fewer bits exist,
    is not scored: without a mark of the first token it would be ambiguous."""
    positive("reach", reach)

    def likeliest(unseen: int) -> float:
        return math.comb(unseen, unseen // 2) / 2**unseen

    def layout(raw: np.ndarray, length: int) -> Layout:
        return Layout(raw, _window_sums(raw, reach), _from(reach - 1, length))

    return make_task(
        name=f"window-sum-{reach}",
        description=f"how many of the last {reach} bits are 1",
        symbols=2,
        outputs=reach + 1,
        sizes=uniform(2),
        layout=layout,
        chance=lambda length: likeliest(reach),
        score=lambda length, window: likeliest(max(reach - window, 0)),
        reach=reach,
        least_length=reach,
    )


def window_mean_task(reach: int, symbols: int = 4) -> Task:
    """y_i = (x_{i-reach+1} + ... + x_i)/sqrt(reach), i >= reach, values of variance 1: the target's variance is 1.

    A sum of `reach` tokens of variance v = 1/reach, of which w are seen: floor (reach - w) v. The start is not scored.
    """
    levels = centred_levels(symbols, 1 / positive("reach", reach))

    def floor(window: int) -> float:
        seen = min(window, reach)
        return float(statement(prefix_sum_floor(), seen_count=reach, window=seen, token_variance=1 / reach))

    def layout(raw: np.ndarray, length: int) -> Layout:
        return Layout(raw, _window_sums(levels[raw], reach), _from(reach - 1, length))

    return make_task(
        name=f"window-mean-{reach}",
        description=f"the mean of the last {reach} values, scaled to variance 1",
        symbols=symbols,
        outputs=1,
        kind="numbers",
        sizes=uniform(symbols),
        layout=layout,
        chance=lambda length: 1.0,
        score=lambda length, window: floor(window),
        reach=reach,
        least_length=reach,
    )
