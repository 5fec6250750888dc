"""How far means of sign draws, complexities of samples and risks stray: exact by enumeration, or by simulation.

A finite class is given by its values: `vectors` (m, n) on one sample, or `table` (m, points) on a finite population
with weights `chances`. Probabilities and quantiles are intervals: values nearer to a threshold than their rounding
error count on both sides of it.
"""

import itertools
import math
from typing import Any

import numpy as np
from jaxtyping import Float64
from scipy.stats import binom

from estimators.claim import Measurement
from estimators.estimate import Estimate, clopper_pearson, exact
from estimators.sign_means import EPS, between, complexity, energy, finite_array, suprema

CONFIDENCE = 1 - 1e-6
MOST_OUTCOMES = 300_000


def _strays(vectors: Any, draws: int, repetitions: int, seed: int) -> tuple[Float64[np.ndarray, " k"], float, dict]:
    """|mean of `draws` suprema - R_hat| of every outcome, or of `repetitions` simulated ones; its rounding error."""
    a = finite_array("vectors", vectors, 2)
    if not a.any():
        raise ValueError("every vector is 0, so nothing strays: move one of them")
    n = a.shape[1]
    values = suprema(a) / n
    if draws < 1 or (repetitions == 0 and len(values) ** draws > MOST_OUTCOMES):
        raise ValueError(f"{draws} draws of {len(values)} signs: needs 1 draw at least, and `repetitions` beyond a few")
    if repetitions == 0:
        means = np.zeros(1)
        for _ in range(draws):
            means = np.add.outer(means, values / draws).ravel()
    else:
        rng = np.random.default_rng(seed)
        means = values[rng.integers(len(values), size=(repetitions, draws))].mean(axis=1)
    error = EPS * (n + draws + 32) * float(np.abs(a).max())
    words = {"draws": draws, "sample_size": n, "function_energy": energy(np.abs(a).max(axis=0))}
    return np.abs(means - values.mean()), error, words


def sign_tail(*, vectors: Any, draws: int, deviation: float, repetitions: int = 0, seed: int = 0) -> Measurement:
    """P(|mean of K draws - R_hat| >= t), K = draws, t = |deviation|: enumerated, or Clopper-Pearson at 1 - 1e-6."""
    strays, error, words = _strays(vectors, draws, repetitions, seed)
    t = abs(deviation)
    surely, perhaps = int((strays >= t + error).sum()), int((strays >= t - error).sum())
    words["deviation"] = t
    if repetitions == 0:
        found = Estimate(surely / len(strays), perhaps / len(strays), 1.0, "all outcomes")
    else:
        low, high = (clopper_pearson(count, repetitions, CONFIDENCE) for count in (surely, perhaps))
        found = Estimate(low.lower, high.upper, CONFIDENCE, "Clopper-Pearson")
    return Measurement(found, words)


def sign_radius(
    *, vectors: Any, draws: int, failure_probability: float, repetitions: int = 0, seed: int = 0
) -> Measurement:
    """(1 - delta)-quantile of |mean of K draws - R_hat|: the least r that it exceeds with probability at most delta.

    Simulated: order statistics between binomial quantiles, at 1 - 1e-6.
    """
    delta = _probability(failure_probability)
    strays, error, words = _strays(vectors, draws, repetitions, seed)
    words["failure_probability"] = delta
    ordered, count = np.sort(strays), len(strays)
    if repetitions == 0:
        value = float(ordered[_quantile(np.full(count, 1 / count), delta, 0.0)])  # 1/count is a power of 1/2: no slip
        return Measurement(Estimate(max(value - error, 0.0), value + error, 1.0, "all outcomes"), words)
    side = (1 - CONFIDENCE) / 2
    first, last = int(binom.ppf(side, count, 1 - delta)), int(binom.isf(side, count, 1 - delta)) + 1
    low = float(ordered[first - 1]) - error if first >= 1 else 0.0
    high = float(ordered[last - 1]) + error if last <= count else math.inf
    return Measurement(Estimate(max(low, 0.0), high, CONFIDENCE, "order statistics"), words)


def _probability(delta: float) -> float:
    if not 0 < delta < 1:
        raise ValueError(f"failure_probability must lie strictly between 0 and 1, got {delta}: use for example 0.05")
    return delta


def _quantile(chances: Float64[np.ndarray, " k"], delta: float, slip: float) -> int:
    """Index of the first of the sorted outcomes beyond which lies a mass of at most delta (summed from the tail), or
    one before it if the masses, wrong by at most `slip`, leave that open."""
    beyond = np.concatenate([np.cumsum(chances[::-1])[::-1][1:], [0.0]])
    return int(np.argmax(beyond <= delta + slip))


def _samples(
    table: Any, chances: Any, sample_size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
    """The table, the chances of its points, for every sample of size n its chance and values (samples, m, n), and the
    largest rounding error of a sum of chances."""
    values, mass = finite_array("table", table, 2), np.abs(finite_array("chances", chances, 1))
    if len(mass) != values.shape[1] or mass.sum() == 0:
        raise ValueError(f"chances must be {values.shape[1]} numbers, not all 0, got {len(mass)}: one per column")
    if sample_size < 1 or len(mass) ** sample_size > MOST_OUTCOMES / 100:
        raise ValueError(f"{len(mass)} points and sample size {sample_size} have too many samples, or none: use fewer")
    mass = mass / mass.sum()
    points = np.array(list(itertools.product(range(len(mass)), repeat=sample_size)))
    slip = EPS * (len(points) + sample_size * (len(mass) + 4))
    return values, mass, mass[points].prod(axis=1), np.moveaxis(values[:, points], 0, 1), slip


def data_tail(*, table: Any, chances: Any, sample_size: int, deviation: float) -> Measurement:
    """P(|R_hat - E R_hat| >= t) over all samples of size n, t = |deviation|; M = max |table|."""
    values, _, weight, samples, slip = _samples(table, chances, sample_size)
    found = complexity(samples)
    most, t = float(np.abs(values).max()), abs(deviation)
    error = (EPS * (2 * sample_size + 64) + slip) * most
    strays = np.abs(found - weight @ found)
    low, high = (float(weight[strays >= t + shift].sum()) for shift in (error, -error))
    words = {"sample_size": sample_size, "function_bound": most, "deviation": t}
    return Measurement(Estimate(max(low - slip, 0.0), min(high + slip, 1.0), 1.0, "all samples"), words)


def generalisation(*, table: Any, chances: Any, sample_size: int, failure_probability: float) -> Measurement:
    """E g for the worst g of a [0,1]-valued class on the sample at the (1 - delta)-quantile of
    sup_g (E g - mean_i g(x_i)) - 2 R_hat; with mean_i g(x_i) and R_hat of that sample."""
    delta = _probability(failure_probability)
    values, mass, weight, samples, slip = _samples(table, chances, sample_size)
    if values.min() < 0 or values.max() > 1:
        raise ValueError(f"table must lie in [0, 1], got {values.min()} to {values.max()}: rescale its rows")
    truth, means, complexities = values @ mass, samples.mean(axis=2), complexity(samples)
    gaps = (truth - means).max(axis=1) - 2 * complexities
    order = np.argsort(gaps, kind="stable")
    chosen = int(order[_quantile(weight[order], delta, slip)])
    worst = int(np.argmax(truth - means[chosen]))
    error = EPS * (sample_size + len(mass) + 64)
    words = {
        "empirical_risk": between(float(means[chosen, worst]), error),
        "rademacher_complexity": between(max(float(complexities[chosen]), 0.0), error),
        "sample_size": sample_size,
        "failure_probability": delta,
    }
    return Measurement(exact(float(truth[worst]), error, "all samples"), words)
