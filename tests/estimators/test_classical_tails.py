"""estimators/classical_tails.py against binomial laws and against fractions summed over all samples."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from estimators import classical_tails as tails

CONSTANT = [[1.0, 1.0]]  # its mean over signs is a binomial variable


def away(flips, share):
    """P(|2 X/N - 1| > share), X ~ Binomial(N, 1/2), exactly."""
    count = sum(math.comb(flips, k) for k in range(flips + 1) if abs(Fraction(2 * k, flips) - 1) > share)
    return Fraction(count, 2**flips)


@pytest.mark.parametrize("draws", [1, 2, 3, 6])
@pytest.mark.parametrize("deviation", [0.1, 0.45, 0.9])
def test_tail_of_a_constant_is_binomial(draws, deviation):
    found = tails.sign_tail(vectors=CONSTANT, draws=draws, deviation=-deviation)
    truth = float(away(2 * draws, Fraction(deviation)))
    assert found.estimate.lower == found.estimate.upper == truth
    assert found.parameters["deviation"] == deviation
    assert found.parameters["draws"] == draws
    assert found.parameters["function_energy"] == pytest.approx((2.0, 2.0))


def test_tail_at_a_value_that_is_taken_counts_both_ways():
    """P(|S| >= 1) = 1/2 for the mean of two signs, P(|S| > 1) = 0: rounding decides, so both are in the interval."""
    found = tails.sign_tail(vectors=CONSTANT, draws=1, deviation=1.0).estimate
    assert (found.lower, found.upper) == (0.0, 0.5)
    assert tails.sign_tail(vectors=CONSTANT, draws=1, deviation=0.0).estimate.upper == 1


def test_energy_is_the_sum_of_the_largest_squares():
    found = tails.sign_tail(vectors=[[3.0, 0.0], [-1.0, 2.0]], draws=1, deviation=0.1)
    assert found.parameters["function_energy"] == pytest.approx((13.0, 13.0))
    assert found.parameters["sample_size"] == 2


@pytest.mark.parametrize("seed", range(3))
def test_simulated_tails_and_radii_contain_the_truth(seed):
    many = {"vectors": CONSTANT, "draws": 20, "repetitions": 3000, "seed": seed}
    found = tails.sign_tail(**many, deviation=0.24).estimate
    truth = float(away(40, Fraction(0.24)))
    assert truth in found
    assert truth - 0.07 not in found
    assert truth + 0.07 not in found
    radius = tails.sign_radius(**many, failure_probability=0.1).estimate
    assert radius_of(40, 0.1) in radius
    assert radius.upper < 0.4
    assert 0.1 not in radius
    with pytest.raises(ValueError, match="repetitions"):
        tails.sign_tail(vectors=CONSTANT, draws=20, deviation=0.1)


def radius_of(flips, delta):
    return min(
        abs(2 * k / flips - 1) for k in range(flips + 1) if away(flips, abs(Fraction(2 * k, flips) - 1)) <= delta
    )


@pytest.mark.parametrize("delta", [0.01, 0.25, 0.125, 0.5, 0.99])
@pytest.mark.parametrize("draws", [1, 2, 4])
def test_radius_of_a_constant_is_a_binomial_quantile(draws, delta):
    """Also where delta is a probability that is taken: 1/8 is P(|S| = 1) of 4 signs."""
    found = tails.sign_radius(vectors=CONSTANT, draws=draws, failure_probability=delta).estimate
    assert radius_of(2 * draws, delta) in found
    assert found.width < 1e-13


def test_few_repetitions_say_nothing_above():
    found = tails.sign_radius(vectors=CONSTANT, draws=2, failure_probability=0.01, repetitions=5).estimate
    assert found.upper == math.inf
    assert binom.cdf(4, 5, 0.99) < 1 - 1e-6


@pytest.mark.parametrize("delta", [0.0, 1.0, -0.1, math.nan])
def test_no_probability_is_refused(delta):
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        tails.sign_radius(vectors=CONSTANT, draws=1, failure_probability=delta)


def test_zero_class_is_refused():
    with pytest.raises(ValueError, match="nothing strays"):
        tails.sign_tail(vectors=[[0.0]], draws=1, deviation=0.1)


def samples(table, chances, n):
    """(chance, R_hat, columns) of every sample, in fractions."""
    weights = [Fraction(c) / sum(map(Fraction, chances)) for c in chances]
    rows = [[Fraction(x) for x in row] for row in table]
    for points in itertools.product(range(len(chances)), repeat=n):
        seen = [[row[p] for p in points] for row in rows]
        suprema = [
            max(sum(e * x for e, x in zip(eps, row, strict=True)) for row in seen)
            for eps in itertools.product((-1, 1), repeat=n)
        ]
        yield math.prod(weights[p] for p in points), sum(suprema) / len(suprema) / n, seen


tables = st.lists(st.lists(st.integers(0, 16), min_size=3, max_size=3), min_size=1, max_size=3)
laws = st.lists(st.integers(1, 8), min_size=3, max_size=3)


@given(tables, laws, st.integers(1, 3), st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_data_tail_sums_over_all_samples(table, law, n, parts):
    if not any(map(any, table)):
        table[0][0] = 1
    every = list(samples(table, law, n))
    mean = sum(chance * value for chance, value, _ in every)
    t = parts / 10 + 1e-3
    truth = sum(chance for chance, value, _ in every if abs(value - mean) >= Fraction(t))
    found = tails.data_tail(
        table=[[float(x) for x in row] for row in table], chances=[float(x) for x in law], sample_size=n, deviation=t
    )
    assert float(truth) in found.estimate
    assert found.estimate.width < 1e-12
    assert found.parameters["function_bound"] == max(map(max, table))


@given(tables, laws, st.integers(1, 3), st.sampled_from([0.05, 0.3, 0.7]))
@settings(max_examples=40, deadline=None)
def test_generalisation_reports_the_sample_at_the_quantile(table, law, n, delta):
    unit = [[x / 16 for x in row] for row in table]
    weights = [Fraction(c, sum(law)) for c in law]
    truth = [sum(w * Fraction(x) for w, x in zip(weights, row, strict=True)) for row in unit]
    gaps = []
    for chance, complexity, seen in samples(unit, law, n):
        gaps.append((max(e - sum(row) / n for e, row in zip(truth, seen, strict=True)) - 2 * complexity, chance))
    # Where delta is a mass that samples have, but for the rounding of either, both neighbours are the quantile.
    quantiles = [
        min(gap for gap, _ in gaps if sum(c for g, c in gaps if g > gap) <= Fraction(delta) + slip)
        for slip in (Fraction(1, 10**12), -Fraction(1, 10**12))
    ]
    found = tails.generalisation(table=unit, chances=[float(c) for c in law], sample_size=n, failure_probability=delta)
    words = found.parameters
    said = np.mean([found.estimate.lower, found.estimate.upper])
    said -= np.mean(words["empirical_risk"]) + 2 * np.mean(words["rademacher_complexity"])
    assert any(said == pytest.approx(float(quantile), abs=1e-12) for quantile in quantiles)
    assert any(float(e) in found.estimate for e in truth)
    assert words["sample_size"] == n
    assert words["failure_probability"] == delta


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"table": [[2.0, 0.0]]}, "0, 1"),
        ({"chances": [0.0, 0.0]}, "not all 0"),
        ({"chances": [1.0]}, "one per column"),
        ({"sample_size": 20}, "too many samples"),
        ({"sample_size": 0}, "or none"),
    ],
)
def test_bad_populations_are_refused(change, words):
    case = {"table": [[1.0, 0.0]], "chances": [1.0, 1.0], "sample_size": 2, "failure_probability": 0.5}
    with pytest.raises(ValueError, match=words):
        tails.generalisation(**case | change)
