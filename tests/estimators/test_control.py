"""Control variates on enumerated populations, all sign vectors of small sets: every mean and every tail is exact."""

import math

import numpy as np
import pytest

from estimators.concentration import Excess, SubGaussian, convex_scale, excess_from_draws
from estimators.control import Draws, Known, Plan, _lower_end, controlled, paired, plan
from estimators.estimate import Estimate, best

CONFIDENCE, REPETITIONS = 0.9, 400
ALLOWED = 0.05 + 3 * math.sqrt(0.05 * 0.95 / REPETITIONS)


def population(seed: int, n: int = 10, noise: float = 0.15):
    """g = sup of T, h = sup of a perturbed T, over all signs, divided by n; and what is known of them."""
    rng = np.random.default_rng(seed)
    signs = 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1) - 1
    points = rng.normal(size=(12, n)) * (rng.random((12, n)) < 0.6) * 0.4
    near = points + noise * 0.4 * rng.normal(size=points.shape)
    g, h = ((signs @ np.concatenate([part, -part]).T).max(axis=1) / n for part in (points, near))
    scale, control = (convex_scale(float((part**2).sum(axis=1).max())) / n for part in (points, near))
    rest = convex_scale(float(((points - near) ** 2).sum(axis=1).max())) / n
    # g - h <= sup over t of <eps, t - t'>, a supremum of its own; likewise h - g.
    size = float((signs @ np.concatenate([points - near, near - points]).T).max(axis=1).mean() / n)
    reach = float(np.abs(points).max(axis=0).sum() / n)
    known = Known(minimum=0.0, maximum=reach, scale=scale, control_scale=control, control_minimum=0.0)
    tight = Known(
        minimum=0.0,
        maximum=reach,
        scale=scale,
        control_scale=control,
        control_minimum=0.0,
        above=SubGaussian(size, rest),
        below=SubGaussian(size, rest),
        control_excess=Excess(float(np.quantile(h, 0.9)), float(np.maximum(h - np.quantile(h, 0.9), 0).mean())),
    )
    return g, h, known, tight


def rare(seed: int):
    """g in {0.05, 1} with probability 0.01 of 1, h unrelated except that it hides the rare value half of the time."""
    rng = np.random.default_rng(seed)
    g = np.where(np.arange(10_000) < 100, 1.0, 0.05)
    h = np.where((g == 1) & (rng.random(10_000) < 0.5), 1.0, 0.05 * rng.random(10_000))
    return g, h, Known(minimum=0.0, maximum=1.0, control_scale=0.5, control_minimum=0.0, control_maximum=1.0)


def misses(g, h, known, *, draws=100, pilot=20, mean_shift=0.0, blur=0.0, repetitions=REPETITIONS):
    """Share of intervals whose lower end, and whose upper end, is wrong. The interval for E h is exact, or shifted."""
    rng, mean = np.random.default_rng(0), float(g.mean())
    control = Estimate(float(h.mean()) + mean_shift, float(h.mean()) + mean_shift, 1.0, "enumerated")
    low = high = 0
    for _ in range(repetitions):
        k = rng.integers(g.size, size=draws)
        down = np.maximum(g[k] - blur * rng.random(draws), known.minimum)
        up = np.minimum(g[k] + blur * rng.random(draws), known.maximum)
        found = controlled(down, up, h[k], h[k], known=known, control_mean=control, pilot=pilot, confidence=CONFIDENCE)
        low, high = low + (found.lower > mean), high + (found.upper < mean)
    return low / repetitions, high / repetitions


def test_coverage_on_sign_suprema():
    g, h, _, tight = population(1)
    assert max(misses(g, h, tight, blur=0.01)) <= ALLOWED


@pytest.mark.slow
@pytest.mark.parametrize("blur", [0.0, 0.01])
def test_coverage_on_sign_suprema_at_length(blur):
    for seed in (1, 2, 3):
        g, h, known, tight = population(seed)
        assert max(misses(g, h, known, blur=blur)) <= ALLOWED
        assert max(misses(g, h, tight, blur=blur)) <= ALLOWED


def test_coverage_with_rare_large_values():
    g, h, known = rare(2)
    assert max(misses(g, h, known)) <= ALLOWED


def test_coverage_needs_a_true_scale_and_a_true_control_mean():
    """Falsified twins of the two coverage tests."""
    g, h, _ = rare(2)
    liar = Known(minimum=0.0, maximum=1.0, scale=0.002, control_scale=0.002, control_minimum=0.0)
    assert misses(g, h, liar, draws=600, repetitions=100)[1] > 0.05 + 3 * math.sqrt(0.05 * 0.95 / 100)
    g, h, _, tight = population(1)
    assert misses(g, h, tight, mean_shift=0.05, repetitions=60)[0] > 0.3
    assert misses(g, h, tight, mean_shift=-0.05, repetitions=60)[1] > 0.3


def tail_ratios(g, h, known: Known, rng) -> float:
    """Largest E(-D - a)_+ or E(D - a)_+ over what the tails say, by enumeration, at least one draw must be beyond a."""
    control, worst = Estimate(float(h.mean()), float(h.mean()), 1.0, "enumerated"), 0.0
    for weight in (0.0, 0.4, 1.0, 1.3):
        for lower in (True, False):
            x = weight * h - g if lower else g - weight * h
            for slack in (0.0, 0.02):
                for tail in known.tails(weight, lower, -float(x.mean()) - slack, control):
                    for level in np.quantile(x, [0.0, 0.3, 0.7, 0.95]) + 0.01 * rng.random(4):
                        truth = float(np.maximum(x - level, 0).mean())
                        assert truth <= tail.excess(level) * (1 + 1e-12) + 1e-15
                        worst = max(worst, truth / tail.excess(level) if truth else 0.0)
    return worst


def test_tails_dominate_by_enumeration():
    """What clipping can lose is never understated; twin: a quarter of it would be."""
    rng, worst = np.random.default_rng(3), 0.0
    for seed in range(12):
        g, h, known, tight = population(seed, n=8, noise=0.3)
        worst = max(worst, tail_ratios(g, h, tight, rng))
        tail_ratios(g, h, known, rng)
    g, h, known = rare(4)
    tail_ratios(g, h, known, rng)
    assert worst > 0.25


def test_tails_of_paired_differences_dominate():
    (g1, h1, _, first), (g2, h2, _, second) = population(5, n=8), population(6, n=8)
    known = paired(first, second)
    g, h = g1 - g2, h1 - h2
    tail_ratios(g, h, known, np.random.default_rng(5))
    assert known.minimum <= g.min()
    assert g.max() <= known.maximum


@pytest.mark.slow
def test_coverage_of_paired_differences():
    (g1, h1, _, first), (g2, h2, _, second) = population(5, n=8), population(6, n=8)
    assert max(misses(g1 - g2, h1 - h2, paired(first, second))) <= ALLOWED


def test_good_controls_narrow_and_bad_ones_hardly_hurt():
    g, h, _, tight = population(7, noise=0.05)
    rng = np.random.default_rng(7)
    k = rng.integers(g.size, size=1500)
    control = Estimate(float(h.mean()), float(h.mean()), 1.0, "enumerated")
    plain = best(g[k], g[k], minimum=0.0, maximum=tight.maximum, sub_gaussian_scale=tight.scale)
    good = controlled(g[k], g[k], h[k], h[k], known=tight, control_mean=control)
    assert good.width < 0.5 * plain.width
    wrong = rng.permutation(h)
    useless = Known(minimum=0.0, maximum=tight.maximum, scale=tight.scale, control_scale=0.5, control_minimum=0.0)
    bad = controlled(g[k], g[k], wrong[k], wrong[k], known=useless, control_mean=control)
    assert bad.width < 1.35 * plain.width


def test_the_plan_sees_pilot_draws_only():
    g, h, _, tight = population(8)
    k = np.random.default_rng(8).integers(g.size, size=300)
    control = Estimate(float(h.mean()), float(h.mean()), 1.0, "enumerated")

    def weights(x, y):
        return controlled(x, x, y, y, known=tight, control_mean=control, pilot=50).method

    x, y = g[k].copy(), h[k].copy()
    before = weights(x, y)
    x[50:], y[50:] = x[50:][::-1] * 0.5, y[50:] * 0.1
    assert weights(x, y) == before
    x[:50] = x[0]
    assert weights(x, y) != before


def test_lower_end_is_monotone_in_the_bounds():
    """Validity for unknown g rests on it."""
    g, h, known, tight = population(9)
    rng = np.random.default_rng(9)
    k = rng.integers(g.size, size=200)
    control = Estimate(float(h.mean()) - 0.002, float(h.mean()) + 0.002, 1.0, "enumerated")
    exact = Draws(g[k], g[k], h[k], h[k])
    loose = Draws(*(array + sign * 0.02 * rng.random(200) for array, sign in zip(exact, (-1, 1, -1, 1), strict=True)))
    for lower in (True, False):
        chosen = plan(exact, tight, control, count=200, alpha=0.01, lower=lower)
        ends = [_lower_end(draws, chosen, tight, control, 0.01, lower) for draws in (exact, loose)]
        assert ends[1] <= ends[0]
        wide = Estimate(control.lower - 0.01, control.upper + 0.01, 1.0, "wider")
        assert _lower_end(exact, chosen, tight, wide, 0.01, lower) <= ends[0]
        assert _lower_end(exact, chosen, known, control, 0.01, lower) <= ends[0]
    without = Plan(0.0, -known.minimum, 0.03, 0.0)
    assert 0 < _lower_end(exact, without, known, control, 0.01, True) <= g[k].mean()


def test_estimated_control_mean_and_excess_share_delta():
    g, h, known, _ = population(10)
    rng = np.random.default_rng(10)
    cheap, k = h[rng.integers(h.size, size=20_000)], rng.integers(g.size, size=400)
    control = best(cheap, cheap, minimum=0.0, maximum=3.0, confidence=0.998, sub_gaussian_scale=known.control_scale)
    tail = SubGaussian(control.upper, known.control_scale)
    excess = excess_from_draws(cheap, tail, level=float(np.quantile(h, 0.99)), confidence=0.998)
    fields = {
        name: getattr(known, name) for name in ("minimum", "maximum", "scale", "control_scale", "control_minimum")
    }
    informed = Known(**fields, control_excess=excess)
    found = controlled(g[k], g[k], h[k], h[k], known=informed, control_mean=control, confidence=0.99)
    assert float(g.mean()) in found
    assert found.confidence == 0.99
    with pytest.raises(ValueError, match="nothing is left"):
        controlled(g[k], g[k], h[k], h[k], known=informed, control_mean=control, confidence=0.9965)


def test_bad_arguments():
    x = np.linspace(0.1, 0.4, 50)
    known, mean = Known(minimum=0.0, maximum=1.0, control_scale=0.1), Estimate(0.2, 0.3, 1.0, "known")
    with pytest.raises(ValueError, match="one control per draw"):
        controlled(x, x, x[1:], x[1:], known=known, control_mean=mean)
    with pytest.raises(ValueError, match="pilot"):
        controlled(x, x, x, x, known=known, control_mean=mean, pilot=50)
    with pytest.raises(ValueError, match="finite interval"):
        controlled(x, x, x, x, known=known, control_mean=Estimate(0.1, math.inf, 1.0, "?"))
    with pytest.raises(ValueError, match="outside"):
        controlled(x - 1, x, x, x, known=known, control_mean=mean)
    with pytest.raises(ValueError, match="finite"):
        Known(minimum=0.0, maximum=math.inf, control_scale=1.0)
    with pytest.raises(ValueError, match="scales"):
        Known(minimum=0.0, maximum=1.0, control_scale=-1.0)


def test_constant_draws():
    x, mean = np.full(100, 0.25), Estimate(0.25, 0.25, 1.0, "known")
    known = Known(minimum=0.0, maximum=1.0, control_scale=0.01, control_minimum=0.0, scale=0.01)
    assert 0.25 in controlled(x, x, x, x, known=known, control_mean=mean)
