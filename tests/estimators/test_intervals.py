"""The one-sided bounds behind the intervals of `estimators.estimate`."""

import math

import numpy as np
import pytest

from estimators import intervals
from estimators.estimate import betting


def test_standard_deviation_of_unknown_values_is_bounded():
    rng = np.random.default_rng(5)
    for _ in range(200):
        truth = rng.random(int(rng.integers(2, 20)))
        below, above = rng.random((2, truth.size)) * 0.3
        exactly = intervals.empirical_bernstein_radius(truth, truth, 1.0, 0.05)
        assert intervals.empirical_bernstein_radius(truth - below, truth + above, 1.0, 0.05) >= exactly - 1e-12


def test_truncated_betting_is_valid_at_the_edge_of_its_assumption():
    """Signs times s are sub-Gaussian with scale s and nothing smaller."""
    rng = np.random.default_rng(8)
    hits = 0
    for _ in range(400):
        sample = 0.5 + 0.1 * rng.choice([-1.0, 1.0], 200)
        hits += 0.5 in betting(sample, sample, minimum=0.0, maximum=1.0, confidence=0.95, sub_gaussian_scale=0.1)
    assert hits / 400 >= 0.95


def test_truncation_needs_the_scale_to_be_true():
    """Falsified twin: rare large values with a scale far too small are excluded, wrongly."""
    rng = np.random.default_rng(9)
    covered = 0
    for _ in range(100):
        sample = np.where(rng.random(200) < 0.01, 1.0, 0.1 + 0.002 * rng.random(200))
        interval = betting(sample, sample, minimum=0.0, maximum=1.0, confidence=0.95, sub_gaussian_scale=0.002)
        covered += 0.01 + 0.99 * 0.101 in interval
    assert covered < 90


def test_betting_capital_at_its_bound():
    """The returned end is where the capital, written out plainly, reaches 1/alpha."""
    sample = np.random.default_rng(10).beta(2.0, 6.0, size=40)
    alpha, boldest = 0.01, 0.02
    end = intervals.betting_bound(sample, 1.0, alpha, boldest=boldest, truncated_share=0.3)
    stakes, weights = intervals._bets(40, alpha, intervals.VARIATION, boldest)
    assert weights.sum() == pytest.approx(1)
    capital = sum(w * math.prod(1 - c + c * x / end for x in sample) for c, w in zip(stakes, weights, strict=True))
    assert capital == pytest.approx(1 / alpha, rel=1e-5)
    assert capital >= 1 / alpha
