import itertools
import math

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from estimators.estimate import (
    Estimate,
    at_least,
    best,
    betting,
    clopper_pearson,
    empirical_bernstein,
    exact,
    hoeffding,
    mcdiarmid,
)

REPETITIONS = 2000
DRAWS = 60


def supremum_like(rng, shape):
    """Mean .08, standard deviation .02 in [0, 1], as suprema over sign vectors are."""
    return np.minimum(rng.gamma(16.0, 0.005, size=shape), 1.0)


LAWS = {
    "rare": (lambda rng, shape: (rng.random(shape) < 0.05).astype(float), 0.05),
    "coin": (lambda rng, shape: (rng.random(shape) < 0.5).astype(float), 0.5),
    "beta": (lambda rng, shape: rng.beta(2.0, 5.0, size=shape), 2 / 7),
    "supremum": (supremum_like, 0.08),
}
METHODS = {
    "hoeffding": hoeffding,
    "mcdiarmid": lambda *both, **options: mcdiarmid(*both, sub_gaussian_scale=0.5, **options),  # Hoeffding's lemma
    "bernstein": empirical_bernstein,
    "betting": betting,
    "best": lambda *both, **options: best(*both, sub_gaussian_scale=0.5, **options),
}


def unit(method, lower, upper=None, confidence=0.95):
    return method(lower, lower if upper is None else upper, minimum=0.0, maximum=1.0, confidence=confidence)


def coverage(method, samples, mean, shrink=1.0):
    known = {}  # coins give few different samples up to order
    hits = 0
    for sample in np.sort(samples, axis=1):
        interval = known.get(sample.tobytes()) or unit(method, sample)
        known[sample.tobytes()] = interval
        middle, half = (interval.lower + interval.upper) / 2, interval.width / 2 * shrink
        hits += middle - half <= mean <= middle + half
    return hits / len(samples)


# `best` costs as much as betting, of which it is a stricter version: one continuous law is enough.
@pytest.mark.parametrize(
    ("method", "law"), [pair for pair in itertools.product(METHODS, LAWS) if pair != ("best", "beta")]
)
def test_nominal_95_percent_covers_at_least_95_percent(method, law):
    draw, mean = LAWS[law]
    samples = draw(np.random.default_rng(1), (REPETITIONS, DRAWS))
    assert coverage(METHODS[method], samples, mean) >= 0.95


@pytest.mark.parametrize("law", ["coin", "beta"])
def test_an_interval_ten_times_narrower_does_not_cover(law):
    draw, mean = LAWS[law]
    samples = draw(np.random.default_rng(2), (200, DRAWS))
    for method in METHODS.values():
        assert coverage(method, samples, mean, shrink=0.1) < 0.8


def smeared(sample, rng):
    """Intervals around the sample that depend on all of it: every value may pull towards the others."""
    middle = np.median(sample)
    lower = np.where(sample > middle, np.minimum(sample, sample.mean()), sample)
    upper = np.where(sample <= middle, np.maximum(sample, sample.mean() * rng.random()), sample)
    return lower, upper


@pytest.mark.parametrize("law", ["rare", "beta", "supremum"])
@pytest.mark.parametrize("method", METHODS)
def test_intervals_that_depend_on_all_the_data_still_cover(method, law):
    draw, mean = LAWS[law]
    rng = np.random.default_rng(3)
    samples = draw(rng, (300, DRAWS))
    covered = [mean in unit(METHODS[method], *smeared(sample, rng)) for sample in samples]
    assert np.mean(covered) >= 0.95


@pytest.mark.parametrize("method", METHODS)
def test_widening_the_observations_widens_the_interval(method):
    """What the proofs rest on: monotone in every observation. Midpoints in place of the ends would fail."""
    rng = np.random.default_rng(4)
    for _ in range(50):
        sample = rng.beta(1.0, 4.0, size=int(rng.integers(2, 80)))
        room = rng.random(sample.size) * rng.integers(0, 2, sample.size)
        known = unit(METHODS[method], sample)
        vague = unit(METHODS[method], sample * (1 - room), sample + room * (1 - sample))
        assert vague.lower <= known.lower + 1e-9
        assert vague.upper >= known.upper - 1e-9


def halves_over_normal(interval, sample, confidence):
    half = norm.isf((1 - confidence) / 2) * sample.std(ddof=1) / math.sqrt(sample.size)
    return (sample.mean() - interval.lower) / half, (interval.upper - sample.mean()) / half


def test_betting_width_where_it_matters():
    """K = 2000, 99 %, sd .02 of the range: near the normal width, plus the mass that no draw can exclude."""
    rng = np.random.default_rng(6)
    for mean in (0.05, 0.1):
        sample = rng.gamma((mean / 0.02) ** 2, 0.02**2 / mean, size=2000)
        below, above = halves_over_normal(unit(betting, sample, confidence=0.99), sample, 0.99)
        assert 1.0 < below < 1.5
        half = norm.isf(0.005) * sample.std() / math.sqrt(2000)
        assert 1.0 < above < 1.35 + math.log(2 / 0.01) / 2000 / half
        narrowed = betting(sample, sample, minimum=0.0, maximum=1.0, confidence=0.99, sub_gaussian_scale=1 / 8)
        assert halves_over_normal(narrowed, sample, 0.99)[1] < 1.85


@pytest.mark.parametrize("law", LAWS)
def test_betting_is_not_absurdly_wide(law):
    sample = LAWS[law][0](np.random.default_rng(7), 2000)
    below, above = halves_over_normal(unit(betting, sample), sample, 0.95)
    missed = math.log(2 / 0.05) / 2000 / (norm.isf(0.025) * sample.std() / math.sqrt(2000))
    assert 1.0 < below < 2.0
    assert 1.0 < above < 2.0 + (missed if law == "supremum" else 0.0)


def test_known_values():
    zeros = np.zeros(50)
    assert unit(hoeffding, zeros).upper == pytest.approx(math.sqrt(math.log(40) / 100))
    assert unit(METHODS["mcdiarmid"], zeros).upper == pytest.approx(0.5 * math.sqrt(2 * math.log(40) / 50))
    assert unit(empirical_bernstein, zeros).upper == pytest.approx(7 * math.log(80) / (3 * 49))
    pair = np.array([0.25, 0.75])
    wide = empirical_bernstein(pair, pair, minimum=-100.0, maximum=100.0, confidence=0.95)
    radius = math.sqrt(0.125) * math.sqrt(math.log(80)) + 7 * 200 * math.log(80) / 3
    assert radius > 100
    assert (wide.lower, wide.upper) == (-100.0, 100.0)
    many = np.tile(pair, 5000)
    radius = many.std(ddof=1) * math.sqrt(2 * math.log(80) / 10_000) + 7 * math.log(80) / (3 * 9999)
    assert unit(empirical_bernstein, many).upper == pytest.approx(0.5 + radius)


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 10), (10, 10), (97, 400)])
def test_clopper_pearson_against_scipy(successes, trials):
    ours = clopper_pearson(successes, trials, 0.95)
    reference = binomtest(successes, trials).proportion_ci(0.95, "exact")
    assert (ours.lower, ours.upper) == pytest.approx((reference.low, reference.high), abs=1e-9)
    assert ours.lower <= reference.low
    assert ours.upper >= reference.high


def test_clopper_pearson_textbook():
    assert clopper_pearson(0, 10, 0.95).upper == pytest.approx(1 - 0.025 ** (1 / 10))
    assert clopper_pearson(5, 10, 0.95).lower == pytest.approx(0.1871, abs=5e-5)


def test_best_is_the_intersection_and_names_its_ends():
    sample = supremum_like(np.random.default_rng(11), 2000)
    options = {"minimum": 0.0, "maximum": 1.0}
    chosen = best(sample, sample, confidence=0.99, sub_gaussian_scale=1 / 8, **options)
    most, few = 1 - 0.8 * 0.01, 1 - 0.1 * 0.01  # shares of delta
    parts = [
        mcdiarmid(sample, sample, confidence=few, sub_gaussian_scale=1 / 8, **options),
        empirical_bernstein(sample, sample, confidence=few, **options),
        betting(sample, sample, confidence=most, sub_gaussian_scale=1 / 8, **options),
    ]
    assert chosen.lower == pytest.approx(max(part.lower for part in parts), abs=1e-9)
    assert chosen.upper == pytest.approx(min(part.upper for part in parts), abs=1e-9)
    assert chosen.method == "betting"
    few = best(sample[:2], sample[:2], confidence=0.99, sub_gaussian_scale=1 / 50, **options)
    assert "McDiarmid" in few.method


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("count", [1, 2, 50])
def test_constant_and_tiny_samples(method, value, count):
    interval = unit(METHODS[method], np.full(count, value))
    assert 0 <= interval.lower <= value <= interval.upper <= 1
    assert interval.width > 0
    point = METHODS[method](np.full(count, 0.3), np.full(count, 0.3), minimum=0.3, maximum=0.3, confidence=0.95)
    assert (point.lower, point.upper) == (0.3, 0.3)


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"lower": [], "upper": []}, "not empty"),
        ({"lower": [0.1, math.nan]}, "NaN"),
        ({"lower": [0.3, 0.2]}, "exceeds"),
        ({"upper": [0.2, 1.2]}, "minimum and a maximum"),
        ({"lower": [0.1]}, "equally long"),
        ({"confidence": 1.0}, "0.99"),
        ({"confidence": 0.0}, "0.99"),
        ({"minimum": 2.0}, "minimum <= maximum"),
        ({"maximum": math.inf}, "finite"),
    ],
)
def test_bad_input_is_explained(change, advice):
    given = {
        "lower": [0.1, 0.2],
        "upper": [0.2, 0.2],
        "minimum": 0.0,
        "maximum": 1.0,
        "confidence": 0.9,
    } | change
    lower, upper = given.pop("lower"), given.pop("upper")
    for method in METHODS.values():
        with pytest.raises(ValueError, match=advice):
            method(lower, upper, **given)


@pytest.mark.parametrize("scale", [-1.0, math.nan, math.inf])
def test_bad_scale_is_explained(scale):
    for method in (mcdiarmid, betting, best):
        with pytest.raises(ValueError, match="sub_gaussian_scale"):
            method([0.1], [0.1], minimum=0.0, maximum=1.0, sub_gaussian_scale=scale)


def test_estimate_refuses_nonsense_and_prints():
    for lower, upper, confidence in [(1.0, 0.0, 0.9), (math.nan, 1.0, 0.9), (0.0, 1.0, 0.0), (0.0, 1.0, 1.1)]:
        with pytest.raises(ValueError, match=r"confidence|lower|NaN"):
            Estimate(lower, upper, confidence, "test")
    for successes, trials in [(3, 2), (-1, 2), (0, 0)]:
        with pytest.raises(ValueError, match="trials"):
            clopper_pearson(successes, trials)
    assert str(at_least(0.25, "ascent")) == "[0.25, inf) (certain; ascent)"
    assert str(Estimate(0.1, 0.2, 0.99, "betting")) == "[0.1, 0.2] (confidence 0.99; betting)"
    assert "&lt;" in Estimate(0.1, 0.2, 0.99, "<x>")._repr_html_()
    known = exact(1 / 3, 1e-15)
    assert known.lower < 1 / 3 < known.upper
    assert known.confidence == 1
    assert exact(0.5).width == 0
    with pytest.raises(ValueError, match="rounding"):
        exact(math.nan)
