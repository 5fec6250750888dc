"""Worst cases by random search: many candidates at once, in float64, on any function of a vector of numbers.

The searches that feed the ledger climb the quantity itself; they know no bound. What they find is measured again, with
its rounding error, before it is judged.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

Points = Float64[np.ndarray, "candidates numbers"]
Objective = Callable[[Points], Float64[np.ndarray, " candidates"]]

FIRST_STEP, LARGEST_STEP, LAST_STEP = 0.5, 3.0, 1e-9
GROWTH, SHRINKAGE = 1.6, 0.7
COPIED = 0.1  # share of candidates in which one number is copied onto another: ranges and ties decide many bounds


def climb(
    objective: Objective,
    start: Float64[np.ndarray, " numbers"],
    rng: np.random.Generator,
    *,
    generations: int = 200,
    candidates: int = 64,
) -> Float64[np.ndarray, " numbers"]:
    """A point of large `objective`, by (1 + candidates) search: steps grow after a success and shrink after a failure.

    objective: (candidates, numbers) -> (candidates,); NaN counts as -infinity. Half of the candidates move all numbers,
    the others one or a few. The same generator gives the same point.
    """
    best = np.array(start, dtype=np.float64)
    if best.ndim != 1 or best.size == 0 or not np.isfinite(best).all():
        raise ValueError(f"start must be a vector of finite numbers, got shape {best.shape}: flatten the case first")
    value, step = _scores(objective, best[None])[0], FIRST_STEP
    for _ in range(generations):
        trial = best + step * _moves(rng, candidates, best.size)
        copied = rng.random(candidates) < COPIED
        where, source = rng.integers(best.size, size=(2, candidates))
        trial[copied, where[copied]] = best[source[copied]]
        scores = _scores(objective, trial)
        first = int(np.argmax(scores))
        better = scores[first] > value
        if better:
            best, value = trial[first], scores[first]
        step = min(step * GROWTH, LARGEST_STEP) if better else step * SHRINKAGE
        if step < LAST_STEP:
            step = FIRST_STEP
    return best


def highest(
    objective: Objective,
    starts: Float64[np.ndarray, "starts numbers"],
    rng: np.random.Generator,
    *,
    generations: int = 200,
    candidates: int = 64,
) -> Float64[np.ndarray, " numbers"]:
    """The best of one climb from each start."""
    found = np.stack([climb(objective, one, rng, generations=generations, candidates=candidates) for one in starts])
    return found[int(np.argmax(_scores(objective, found)))]


def _moves(rng: np.random.Generator, candidates: int, numbers: int) -> Points:
    moves = rng.standard_normal((candidates, numbers))
    share = rng.uniform(0, 0.5, size=(candidates, 1))
    keep = rng.random((candidates, numbers)) < share
    keep[np.arange(candidates), rng.integers(numbers, size=candidates)] = True
    keep[: candidates // 2] = True
    # Step sizes of one generation differ by a factor of 1,000: rates of growth are not known beforehand.
    return moves * keep * 10.0 ** rng.uniform(-2.5, 0.5, size=(candidates, 1))


def _scores(objective: Objective, points: Points) -> Float64[np.ndarray, " candidates"]:
    with np.errstate(all="ignore"):
        return np.nan_to_num(objective(points), nan=-np.inf, posinf=-np.inf)
