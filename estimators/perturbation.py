"""Moves of the free numbers of a case: what a search for a counterexample may try."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64

from estimators.claim import Case

COPY, NEGATE, RESCALE, ONE, GROUP, ALL = range(6)


def free_numbers(case: Case, free: Sequence[str]) -> list[list[float | int]]:
    """The finite numbers of each free entry, in order; ValueError for an entry that the case lacks or that holds
    anything but numbers."""
    found = []
    for name in free:
        if name not in case:
            raise ValueError(f"the free entry {name!r} is missing from a case: make `free` of {', '.join(case)}")
        numbers: list[float | int] = []
        _walk(case[name], name, numbers, None)
        found.append(numbers)
    return found


def with_numbers(case: Case, free: Sequence[str], numbers: Sequence[Sequence[float | int]]) -> Case:
    """The case with the finite numbers of its free entries replaced, in the order of `free_numbers`."""
    changed = dict(case)
    for name, group in zip(free, numbers, strict=True):
        changed[name] = _walk(case[name], name, [], iter(group))
    return changed


def _walk(value: Any, name: str, numbers: list[float | int], replace: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_walk(item, name, numbers, replace) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"the free entry {name!r} holds {value!r}: only numbers can be moved, take it out of `free`")
    if not math.isfinite(value):
        return value
    numbers.append(value)
    return value if replace is None else next(replace)


def moved(rng: np.random.Generator, numbers: Sequence[Sequence[float | int]], step: float) -> list[list[float | int]]:
    """One random move of relative size `step`: all numbers, one group, one number, a group rescaled, or, whatever the
    step, a number copied onto another one or negated. Integers stay integers and move by at least 1."""
    groups = [np.array(group, dtype=np.float64) for group in numbers]
    filled = [index for index, group in enumerate(groups) if group.size]
    if not filled:
        raise ValueError("there is no number to move: the free entries of this case are empty")
    chosen = int(rng.choice(filled))
    kind = int(rng.choice(6, p=(0.1, 0.05, 0.15, 0.3, 0.2, 0.2)))
    group = groups[chosen]
    place = int(rng.integers(group.size))
    if kind == COPY and group.size > 1:
        group[place] = group[rng.integers(group.size)]
    elif kind == NEGATE:
        group[place] = -group[place]
    elif kind == RESCALE:
        group *= math.exp(step * rng.standard_normal())
    elif kind == ONE:
        group[place] += step * max(abs(group[place]), _scale(group)) * rng.standard_normal()
    else:
        for index in filled if kind == ALL else [chosen]:
            groups[index] += step * _scale(groups[index]) * rng.standard_normal(groups[index].size)
    return [_typed(rng, old, new) for old, new in zip(numbers, groups, strict=True)]


def _scale(group: Float64[np.ndarray, " k"]) -> float:
    return float(np.sqrt(np.mean(group**2))) or 1.0


def _typed(rng: np.random.Generator, old: Sequence[float | int], new: Float64[np.ndarray, " k"]) -> list[float | int]:
    typed: list[float | int] = []
    for before, after in zip(old, new.tolist(), strict=True):
        if isinstance(before, int):
            rounded = round(after)
            nudge = int(rng.choice((-1, 1))) if rounded == before and after != before else 0
            typed.append(rounded + nudge)
        else:
            typed.append(after)
    return typed
