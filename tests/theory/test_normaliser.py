"""theory/normaliser.py: kappa* against mpmath, a grid and random distributions; twins 2 % smaller must fall."""

import math
import time

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import normaliser
from theory.bound import Bound, Relation

TWIN = sp.Rational(100, 102)


def by_tilt(p, s):
    """The two-point law in the form of weight p and gap s."""
    up, down = mpmath.e ** ((1 - p) * s), mpmath.e ** (-p * s)
    return p * (1 - p) * (up - down) / (p * up + (1 - p) * down) ** 2


def test_constant_against_thirty_digits():
    with mpmath.workdps(40):
        root = mpmath.findroot(lambda y: mpmath.log(y * (y + 1) / (y - 1)) - y - 1 / y, 1.4)
        p, s = root * (root - 1) / (root**2 + 1), root + 1 / root
        value = by_tilt(p, s)
        slopes = mpmath.diff(by_tilt, (p, s), (1, 0)), mpmath.diff(by_tilt, (p, s), (0, 1))
        assert max(map(abs, slopes)) < mpmath.mpf(10) ** -25
        low, high = normaliser.normalised_variation()
        assert mpmath.mpf(low.p) / low.q < value < mpmath.mpf(high.p) / high.q
        assert high - low <= sp.Rational(1, 10**11)
        first, last = normaliser.extremal_point()
        assert mpmath.mpf(first.numerator) / first.denominator < root < mpmath.mpf(last.numerator) / last.denominator
    assert abs(float(low) - 0.29478035) < 1e-9
    assert abs(float(p) - 0.192433) < 1e-6
    assert abs(float(s) - 2.118017) < 1e-6


def test_closed_form_is_the_maximum_over_the_tilt():
    for y in (1.01, 1.2, 1.5, 3.0, 20.0):
        p = y * (y - 1) / (y * y + 1)
        best = max(float(by_tilt(p, s)) for s in np.geomspace(0.05, 60, 4000))
        closed = float(sp.N(normaliser.extremal_value().subs(sp.Symbol("y", positive=True), sp.Float(y, 20))))
        assert best <= closed * (1 + 1e-12)
        assert best > closed * (1 - 1e-4)


def test_no_grid_point_exceeds_the_constant():
    high = float(normaliser.normalised_variation()[1])
    p = np.concatenate([np.geomspace(1e-12, 0.5, 400), 1 - np.geomspace(1e-12, 0.5, 400)])[:, None]
    a = np.concatenate([np.geomspace(1e-12, 0.5, 400), 1 - np.geomspace(1e-12, 0.5, 400)])[None]
    with np.errstate(all="ignore"):
        values = (a - p) * (a / p) ** p * ((1 - a) / (1 - p)) ** (1 - p)
    values = values[(a > p) & np.isfinite(values)]
    assert values.max() <= high
    assert values.max() > high * 0.999


def test_certified_end_is_fast_and_cached():
    normaliser.normalised_variation.cache_clear()
    normaliser.extremal_point.cache_clear()
    start = time.perf_counter()
    first = normaliser.normalised_variation()
    assert time.perf_counter() - start < 3
    assert normaliser.normalised_variation() is first


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.floats(1e-6, 1.0), st.floats(-30.0, 30.0)), min_size=1, max_size=6),
    st.floats(0.01, 1.0),
)
def test_lemmas_hold_for_random_distributions(atoms, shrink):
    pi = np.array([weight for weight, _ in atoms])
    pi /= pi.sum()
    t = shrink * np.array([value for _, value in atoms])
    t = t - pi @ t
    log_z = float(np.log(pi @ np.exp(t - t.max())) + t.max())
    alpha = pi * np.exp(t - log_z)
    value = 0.5 * np.abs(alpha - pi).sum() * math.exp(-log_z)
    osc, size = float(np.ptp(t)), float(np.abs(t).max())
    assert log_z >= -1e-12
    assert value <= normaliser.variation().safe() * (1 + 1e-12)
    assert value <= normaliser.variation_small_logits().safe(logit_oscillation=osc) * (1 + 1e-9) + 1e-13
    assert log_z <= math.log(normaliser.growth().evaluate(exponent=size)) + 1e-9
    assert log_z <= osc**2 / 8 + 1e-9


def two_points(p, s):
    pi, t = np.array([p, 1 - p]), np.array([(1 - p) * s, -p * s])
    z = pi @ np.exp(t)
    return 0.5 * np.abs(pi * np.exp(t) / z - pi).sum() / z


def test_the_twin_falls_at_the_extremal_law_only():
    extremal = two_points(0.192433, 2.118017)
    assert extremal <= normaliser.variation().safe()
    assert extremal > normaliser.variation().scaled(TWIN).safe()
    small = normaliser.variation_small_logits()
    assert two_points(0.5, 0.1) <= small.safe(logit_oscillation=0.1)
    assert two_points(0.5, 0.1) > small.scaled(TWIN).safe(logit_oscillation=0.1)


def test_growth_is_attained_and_its_twin_falls():
    pi, t = np.array([0.5, 0.5]), np.array([1.5, -1.5])
    z = float(pi @ np.exp(t))
    assert z <= normaliser.growth().safe(exponent=1.5) * (1 + 1e-15)
    assert z > normaliser.growth().scaled(TWIN).safe(exponent=1.5)
    assert float(pi @ np.exp(t / 5)) > normaliser.growth_by_range().scaled(TWIN).safe(logit_oscillation=0.6)


def test_centring_is_needed():
    pi, t = np.array([0.5, 0.5]), np.array([-1.0, -3.0])
    alpha = pi * np.exp(t) / (pi @ np.exp(t))
    assert 0.5 * np.abs(alpha - pi).sum() / (pi @ np.exp(t)) > normaliser.variation().safe()


@pytest.mark.parametrize("name", normaliser.NORMALISER_BOUNDS)
def test_bounds_print(name):
    bound = normaliser.NORMALISER_BOUNDS[name]()
    assert isinstance(bound, Bound)
    assert bound.relation is Relation.AT_MOST
    assert r"\le" in bound._repr_latex_()
