"""Confidence sequences: the capital is a supermartingale, and no way to stop makes the interval wrong too often."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from estimators.anytime import Bets, log_capital, running_bound, spread_bets, until
from estimators.concentration import convex_scale

ALPHA, RUNS = 0.1, 600
ALLOWED = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / RUNS)


def suprema(n: int = 100):
    """The sharpest sign supremum of test_concentration, its law and its scale, in units of n."""
    size, plus = n // 2 + 10, np.arange(n + 1)
    values = math.sqrt(2 / n) * np.minimum(size, 2 * plus - size)
    return (values - values.min()) / n, binom.pmf(plus, n, 0.5), convex_scale(2 * size / n) / n


def laws():
    """Values >= 0, probabilities, span, scale: two-point, rare large values, rare zeros, sign suprema and mirrored."""
    values, law, scale = suprema()
    span = float(values.max())
    return [
        (np.array([0.0, 1.0]), np.array([0.5, 0.5]), 1.0, 0.5),
        (np.array([0.05, 1.0]), np.array([0.99, 0.01]), 1.0, 0.5),
        (np.array([0.0, 0.4]), np.array([0.02, 0.98]), 1.0, 0.2),
        (values, law, span, scale),
        (span - values, law, span, scale),
    ]


def factors(x, m: float, bets: Bets):
    """Every factor of the statement, plainly: (..., J)."""
    x = np.asarray(x)[..., None]
    truncated = np.isfinite(bets.offsets)
    offset, length = np.where(truncated, bets.offsets, 0.0), np.where(truncated, bets.lengths, 1.0)
    rise = np.where(truncated, np.maximum(offset + x - m, 0) / length, x / m)
    return 1 - bets.stakes + bets.stakes * rise


def test_every_factor_has_mean_at_most_one():
    tight, used = 0.0, 0
    for values, law, span, scale in laws():
        mean = float(law @ values)
        bets = spread_bets(10_000, 0.05, span, scale)
        assert bets.weights.sum() == pytest.approx(1)
        used += int(np.isfinite(bets.offsets).any())
        means = law @ factors(values, mean, bets)
        assert means.max() <= 1 + 1e-12
        for offset in bets.offsets[np.isfinite(bets.offsets)]:
            tight = max(tight, float(law @ np.maximum(offset + values - mean, 0)) / offset)
    assert used >= 2
    assert tight > 1 + 1e-5  # twin: without the surplus r the truncated factors are unfair


def test_capital_against_the_formula():
    rng = np.random.default_rng(0)
    x = rng.random(37)
    bets = spread_bets(1000, 0.05, 1.0, 0.1)
    for m in (0.2, 0.5, 0.8):
        plain = float(bets.weights @ factors(x, m, bets).prod(axis=0))
        assert log_capital(x, bets, m) == pytest.approx(math.log(plain), abs=1e-9)


def test_capital_rises_with_values_and_falls_with_the_mean():
    rng = np.random.default_rng(1)
    bets = spread_bets(500, 0.05, 1.0, 0.1)
    for _ in range(50):
        x = rng.random(60) ** 3
        less = np.maximum(x - 0.1 * rng.random(60), 0)
        m = 0.05 + 0.9 * rng.random()
        assert log_capital(less, bets, m) <= log_capital(x, bets, m) + 1e-12
        assert log_capital(x, bets, 1.1 * m) <= log_capital(x, bets, m) + 1e-12
        assert running_bound(less, 1.0, 0.05, bets) <= running_bound(x, 1.0, 0.05, bets) + 1e-8


def test_the_end_is_where_the_capital_says():
    x = np.random.default_rng(2).beta(2.0, 6.0, size=80)
    bets = spread_bets(1000, 0.01, 1.0)
    end = running_bound(x, 1.0, 0.01, bets)
    assert float(bets.weights @ factors(x, end, bets).prod(axis=0)) == pytest.approx(100, rel=1e-5)


@pytest.mark.parametrize("case", range(5))
def test_ville(case):
    """The path of the capital at the true mean, over all numbers of draws; twin: a bet that is not fair."""
    values, law, span, scale = laws()[case]
    mean, rng = float(law @ values), np.random.default_rng(3)
    bets = spread_bets(1000, ALPHA, span, scale)
    logs = np.log(np.maximum(factors(values, mean, bets), 1e-300))  # (values, J)
    unfair = np.log(np.maximum(factors(values, 0.93 * mean, bets), 1e-300))
    crossed = wrong = 0
    for _ in range(RUNS):
        k = rng.choice(values.size, 1000, p=law)
        crossed += (np.exp(np.cumsum(logs[k], axis=0)) @ bets.weights).max() >= 1 / ALPHA
        if case == 0:
            wrong += (np.exp(np.cumsum(unfair[k], axis=0)) @ bets.weights).max() >= 1 / ALPHA
    assert crossed / RUNS <= ALLOWED
    if case == 0:
        assert wrong / RUNS > ALLOWED


def sampler(rng, values, law, blur: float = 0.0, top: float = math.inf):
    def draw(first, count):
        x = rng.choice(values, count, p=law)
        return np.maximum(x - blur * rng.random(count), 0.0), np.minimum(x + blur * rng.random(count), top)

    return draw


def miss_rate(case: int, repetitions: int, wrong: float = 1.0) -> float:
    values, law, span, scale = laws()[case]
    mean, rng, missed = float(law @ values), np.random.default_rng(4), 0
    for _ in range(repetitions):
        found = until(
            sampler(rng, values, law, 0.01 * span, span),
            relative_halfwidth=0.1,
            minimum=0.0,
            maximum=span,
            most_draws=600,
            confidence=0.9,
            scale=scale / wrong,
            first_batch=20,
            growth=1.6,
            stop_at_gap=False,
        )
        missed += not found.estimate.lower <= mean <= found.estimate.upper
    return missed / repetitions


def test_coverage_when_stopping_at_the_target():
    assert miss_rate(1, 40) <= 0.1 + 3 * math.sqrt(0.09 / 40)


@pytest.mark.slow
@pytest.mark.parametrize("case", range(5))
def test_coverage_when_stopping_at_the_target_at_length(case):
    assert miss_rate(case, 500) <= 0.1 + 3 * math.sqrt(0.09 / 500)


def test_coverage_needs_a_true_scale():
    """Twin of the coverage tests: rare large values, ruled out by a scale that is far too small."""
    assert miss_rate(1, 40, wrong=100.0) > 0.3


def test_until_reaches_the_target_with_few_draws():
    values, law, scale = suprema()
    mean, asked = float(law @ values), []
    base = sampler(np.random.default_rng(6), values, law)

    def draw(first, count):
        asked.append((first, count))
        return base(first, count)

    found = until(
        draw, relative_halfwidth=0.01, minimum=0.0, maximum=1.0, most_draws=50_000, confidence=0.99, scale=scale
    )
    assert found.reached
    assert mean in found.estimate
    assert found.estimate.width / 2 <= 0.0101 * mean
    deviation = math.sqrt(float(law @ (values - mean) ** 2))
    normal = (2.576 * deviation / (0.01 * mean)) ** 2
    assert found.draws < 5 * normal + 2000
    assert [first for first, _ in asked] == [0, *np.cumsum([count for _, count in asked])[:-1]]
    assert sum(count for _, count in asked) == found.draws
    # The same draws are a fraction of what an interval without the scale needs.
    blind = until(draw, relative_halfwidth=0.01, minimum=0.0, maximum=1.0, most_draws=found.draws, confidence=0.99)
    assert not blind.reached
    assert "most_draws" in blind.estimate.method


def test_until_stops_at_a_gap():
    rng = np.random.default_rng(7)

    def draw(first, count):
        x = 0.4 + 0.02 * rng.random(count)
        return x * 0.9, x * 1.1

    known = {"relative_halfwidth": 0.01, "minimum": 0.0, "maximum": 1.0, "most_draws": 20_000}
    found = until(draw, **known)
    assert not found.reached
    assert found.draws < 2000
    assert "gap" in found.estimate.method
    assert 0.41 in found.estimate
    assert until(draw, stop_at_gap=False, **known).reached


def test_bad_arguments():
    known = {"relative_halfwidth": 0.1, "minimum": 0.0, "maximum": 1.0, "most_draws": 100}

    def draw(first, count):
        return np.full(count, 0.5), np.full(count, 0.5)

    assert until(draw, **(known | {"minimum": 0.5, "maximum": 0.5})).reached
    with pytest.raises(ValueError, match="growth"):
        until(draw, growth=1.0, **known)
    with pytest.raises(ValueError, match="asked for"):
        until(lambda first, count: (np.zeros(1), np.zeros(1)), **known)
    with pytest.raises(ValueError, match="outside"):
        until(lambda first, count: (np.full(count, 2.0), np.full(count, 2.0)), **known)
