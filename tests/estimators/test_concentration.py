"""Convex concentration against exact enumeration of all signs; each inequality with a twin that the test catches."""

import math

import numpy as np
import pytest
from scipy.stats import binom, norm

from estimators.concentration import (
    Excess,
    SubGaussian,
    convex_concentration,
    convex_scale,
    excess_from_draws,
)

RATES = np.concatenate([-np.geomspace(0.01, 12, 12), np.geomspace(0.01, 12, 12)])


def all_signs(n: int) -> np.ndarray:
    return 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1) - 1


def log_moments(values, weights, rates):
    centred = rates[:, None] * (values - weights @ values)
    largest = centred.max(axis=1)
    return largest + np.log(np.exp(centred - largest[:, None]) @ weights)


def random_set(rng, n: int) -> np.ndarray:
    size = int(rng.integers(1, 25))
    kind = int(rng.integers(5))
    points = rng.normal(size=(size, n))
    if kind == 1:
        points = (rng.random((size, n)) < rng.random()).astype(float)
    elif kind == 2:
        points = np.sign(points) * (rng.random((size, n)) < 0.3) * rng.choice([1.0, 0.1], size=(size, 1))
    elif kind == 3:
        points = np.abs(points)
    if rng.random() < 0.5:
        points /= np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)
    return np.concatenate([points, -points]) if rng.random() < 0.5 else points


def halves(n: int, surplus: float):
    """Z, its law and its weak variance for T = {sqrt(2/n) 1_A: |A| = m}: Z depends on the number of plus signs only."""
    size, plus = int(n / 2 + surplus * math.sqrt(n)), np.arange(n + 1)
    return math.sqrt(2 / n) * np.minimum(size, 2 * plus - size), binom.pmf(plus, n, 0.5), 2 * size / n


def moment_ratios() -> list[float]:
    """ln E e^(x (Z - EZ)) / (x^2 s^2/2) over random and adversarial sets."""
    rng, found = np.random.default_rng(1), []
    for trial in range(600):
        n = 12 if trial < 3 else int(rng.integers(1, 9))
        points = random_set(rng, n)
        scale = convex_scale(float((points**2).sum(axis=1).max()))
        if scale < 1e-9:
            continue
        values, rates = (all_signs(n) @ points.T).max(axis=1), RATES / scale
        found.append(float((log_moments(values, np.full(2**n, 2.0**-n), rates) / (rates * scale) ** 2 * 2).max()))
    for surplus in (0.5, 1.0, 2.0):
        values, law, variance = halves(10**4, surplus)
        scale, rates = convex_scale(variance), np.array([-1.0, -0.3, -0.1, 0.1, 0.3])
        found.append(float((log_moments(values, law, rates) / (rates * scale) ** 2 * 2).max()))
    return found


def test_sub_gaussian_at_the_weak_variance_and_sharp():
    ratios = moment_ratios()
    assert max(ratios) <= 1
    # Twins: the constant divided by 4, by 2 (the Gaussian one) and even by 1.05 are caught.
    assert max(ratios) > 0.95
    assert max(ratios[:600]) > 0.5


def test_two_point_lemma():
    """E e^(Qf) <= e^(E f), E e^(-f) <= e^(-E Qf) for f = a (y + 1), by brute force over y; twin with a dearer cost."""
    spots = np.linspace(-1, 1, 2001)

    def holds(cost: float) -> bool:
        for slope in np.geomspace(0.01, 20, 60):
            line = slope * (spots + 1)
            low, high = (float((line + cost * (spots - x) ** 2).min()) for x in (-1, 1))
            if math.log((math.exp(low) + math.exp(high)) / 2) > slope + 1e-6:
                return False
            if math.log((1 + math.exp(-2 * slope)) / 2) > -(low + high) / 2 + 1e-6:
                return False
        return True

    assert holds(0.25)
    assert not holds(0.26)


def test_two_sided_tails_by_enumeration():
    rng, worst = np.random.default_rng(2), 0.0
    for _ in range(200):
        n = int(rng.integers(2, 9))
        points = random_set(rng, n)
        scale = convex_scale(float((points**2).sum(axis=1).max()))
        if scale < 1e-9:
            continue
        values = (all_signs(n) @ points.T).max(axis=1)
        for x in (values, -values):
            known = SubGaussian(float(x.mean()), scale)
            for level in x.mean() + scale * np.array([-1.0, 0.0, 0.3, 1.0, 2.0]):
                assert (x >= level).mean() <= known.tail(level) + 1e-12
                truth = np.maximum(x - level, 0).mean()
                assert truth <= known.excess(level) + 1e-12
                worst = max(worst, truth / known.excess(level))
    assert worst > 0.25


def test_excess_against_the_gaussian_and_by_minimisation():
    known = SubGaussian(0.3, 2.0)
    rates = np.geomspace(1e-2, 10, 20_001)
    for level in np.linspace(-6, 10, 40):
        z = (level - 0.3) / 2
        truth = 2 * (norm.pdf(z) - z * norm.sf(z))
        assert truth <= known.excess(level)
        assert known.excess(level) == pytest.approx(np.min(np.exp(2 * rates**2 - 2 * z * rates - 1) / rates), rel=1e-5)
        assert norm.sf(z) <= known.tail(level)
    assert 2 * (norm.pdf(2) - 2 * norm.sf(2)) > known.excess(4.3) / 4  # twin
    assert known.excess(4.3) < 2 * math.sqrt(math.pi / 2) * math.erfc(2 / math.sqrt(2))  # the integral of the tail


def test_excess_decreases_with_slope_at_most_one():
    for known in (SubGaussian(0.1, 0.5), SubGaussian(0.1, 0.0), Excess(0.2, 0.01)):
        levels = np.linspace(-3, 3, 400)
        values = np.array([known.excess(level) for level in levels])
        steps = np.diff(values)
        assert (steps <= 1e-14).all()
        assert (steps >= -np.diff(levels) - 1e-12).all()
    assert SubGaussian(math.inf, 1.0).excess(0.0) == SubGaussian(0.0, math.inf).excess(9.0) == math.inf


def test_sums_and_multiples_of_dependent_variables():
    """2X + 3X of a Gaussian X has exactly the scale of the rule; independence would give less."""
    known = SubGaussian(1.0, 2.0) * 2.0 + SubGaussian(1.0, 2.0) * 3.0
    assert (known.mean, known.scale) == (5.0, 10.0)
    assert SubGaussian(math.inf, math.inf) * 0.0 == SubGaussian(0.0, 0.0)


def test_scale_is_the_least_of_both():
    largest = np.full(4, 0.5)
    assert convex_scale(3.0, largest) == pytest.approx(1.0)
    assert convex_scale(0.125, largest) == pytest.approx(0.5)


def coverage(draw, mean: float, make, repetitions: int = 400) -> tuple[float, float]:
    rng, low, high = np.random.default_rng(3), 0, 0
    for _ in range(repetitions):
        found = make(draw(rng))
        low, high = low + (found.lower > mean), high + (found.upper < mean)
    return low / repetitions, high / repetitions


def test_convex_concentration_covers_at_its_sharpest_case():
    values, law, variance = halves(400, 1.0)
    mean, span = float(law @ values), (float(values.min()), float(values.max()))
    scale = convex_scale(variance)

    def make(sample, used=scale):
        return convex_concentration(sample, sample, minimum=span[0], maximum=span[1], scale=used, confidence=0.9)

    def draw(rng):
        return rng.choice(values, 20, p=law)

    missed = coverage(draw, mean, make)
    tolerance = 3 * math.sqrt(0.05 * 0.95 / 400)
    assert max(missed) <= 0.05 + tolerance
    assert max(coverage(draw, mean, lambda sample: make(sample, scale / 2))) > 0.05 + tolerance  # twin: variance / 4


def test_one_side_has_all_of_delta():
    sample = np.random.default_rng(4).random(50)
    known = {"minimum": 0.0, "maximum": 1.0, "scale": 0.1}
    for side, sign in (("lower", -1), ("upper", 1)):
        found = convex_concentration(sample, sample, side=side, confidence=0.95, **known)
        end = sample.mean() + sign * 0.1 * math.sqrt(2 * math.log(20) / 50)
        assert (found.lower, found.upper)[sign > 0] == pytest.approx(end)
        assert (found.lower, found.upper)[sign < 0] == (0.0 if sign > 0 else 1.0)
        assert found.confidence == 0.95


def test_excess_from_draws_covers_rare_values():
    """Two-point X in [0, 1] (scale 1/2 by Hoeffding's lemma) with values above the level too rare to be seen always."""
    rng, missed, twin = np.random.default_rng(5), 0, 0
    for _ in range(400):
        sample = (rng.random(300) < 0.01).astype(float)
        found = excess_from_draws(sample, SubGaussian(0.01, 0.5), level=0.2, confidence=0.9)
        missed += found.value < 0.008
        twin += found.value / 4 < 0.008
    assert missed / 400 <= 0.1 + 3 * math.sqrt(0.1 * 0.9 / 400)
    assert twin / 400 > 0.2


def test_excess_from_draws_without_rare_values_is_tiny():
    known = SubGaussian(0.0, 0.1)
    found = excess_from_draws(np.zeros(50_000), known, level=0.1, confidence=0.999)
    assert found.value < 0.1 * known.excess(0.1)
    assert found.shifted(2.0, 0.5).excess(0.7) == pytest.approx(2 * found.value)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: convex_scale(-1.0), "weak_variance"),
        (lambda: SubGaussian(0.0, -1.0), "scale"),
        (lambda: SubGaussian(0.0, 1.0) * -1.0, "factor"),
        (lambda: Excess(math.inf, 0.0), "level"),
        (lambda: excess_from_draws([1.0], SubGaussian(0.0, 1.0), level=0.0), "2 draws"),
        (lambda: excess_from_draws([1.0, 2.0], SubGaussian(0.0, 0.0), level=0.0), "scale"),
        (lambda: convex_concentration([0.5], [0.5], minimum=0.0, maximum=1.0, scale=1.0, side="left"), "side"),
        (
            lambda: convex_concentration(
                [0.5], [0.5], minimum=0.0, maximum=1.0, scale=1.0, confidence=0.4, side="upper"
            ),
            "confidence",
        ),
    ],
)
def test_bad_arguments(call, words):
    with pytest.raises(ValueError, match=words):
        call()
