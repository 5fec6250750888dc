"""theory/extrapolation.py: closed forms against sums, known horizons, limits in the length, bad input."""

import mpmath
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import extrapolation as ex
from theory.notation import alibi_slope, kerple_rate, kerple_shape, length, logit_bound, window

HORIZONS = {0: (10, 19, 37, 74, 148, 295, 590, 1179), 1: (14, 27, 53, 106, 212, 423, 845, 1689)}
ONE_PERCENT = sp.Rational(1, 100)
small = st.fractions(min_value=sp.Rational(1, 20), max_value=3, max_denominator=64)


def value(bound, **given_values):
    low, high = bound.certified(**given_values)
    assert high - low <= max(1e-12 * abs(high), 1e-300)
    return (low + high) / 2


def weights(slope, count):
    with mpmath.workdps(50):
        return [mpmath.exp(-mpmath.mpf(slope.numerator) / slope.denominator * k) for k in range(count)]


@settings(max_examples=20, deadline=None)
@given(small, st.fractions(min_value=0, max_value=2, max_denominator=8), st.integers(1, 8), st.integers(0, 20))
def test_alibi_masses_are_those_of_the_sums(slope, bound, w, more):
    point = {"alibi_slope": slope, "logit_bound": bound, "window": w, "length": w + more}
    terms = weights(slope, w + more)
    near, far = mpmath.fsum(terms[:w]), mpmath.fsum(terms[w:])
    tilt = mpmath.exp(2 * mpmath.mpf(bound.numerator) / bound.denominator)
    upper, lower = value(ex.alibi_tail_mass(), **point), value(ex.alibi_tail_mass_lower(), **point)
    assert upper == pytest.approx(float(far / (far + near / tilt)), rel=1e-10, abs=1e-300)
    assert lower == pytest.approx(float(far / (far + near * tilt)), rel=1e-10, abs=1e-300)
    assert lower <= upper * (1 + 1e-12)
    ratio = {"logit_bound": bound, "tail_ratio": sp.Rational(*float(far / near).as_integer_ratio())}
    assert value(ex.tail_mass_upper(), **ratio) == pytest.approx(upper, rel=1e-10)
    assert value(ex.tail_mass_lower(), **ratio) == pytest.approx(lower, rel=1e-10)
    del point["length"]
    always, simple = value(ex.alibi_tail_mass_any_length(), **point), value(ex.alibi_tail_mass_simple(), **point)
    assert upper <= always * (1 + 1e-12)
    assert always <= simple * (1 + 1e-12)


def test_closed_forms_come_from_sums_and_pass_to_their_limits():
    near, far = ex.bias_sums(lambda k: -alibi_slope * k)
    at = {alibi_slope: sp.Rational(1, 3), window: 4, length: 9}
    assert sp.N(near.subs(at) - sum(sp.exp(-sp.Rational(k, 3)) for k in range(4)), 30, chop=True) == 0
    assert sp.N(far.subs(at) - sum(sp.exp(-sp.Rational(k, 3)) for k in range(4, 9)), 30, chop=True) == 0
    forever = value(ex.alibi_tail_mass_any_length(), alibi_slope=0.5, logit_bound=1, window=4)
    assert value(ex.alibi_tail_mass(), alibi_slope=0.5, logit_bound=1, window=4, length=200) == pytest.approx(forever)
    assert sp.limit(ex.flat_tail_mass().expression, length, sp.oo) == 1
    assert sp.limit(ex.dispersion().expression, length, sp.oo) == 0
    assert sp.limit(ex.kerple_log_divergence().expression, length, sp.oo) == 1


@pytest.mark.parametrize("bound", HORIZONS)
def test_horizons_of_the_eight_slopes(bound):
    point = {"logit_bound": bound, "tail_tolerance": ONE_PERCENT}
    slopes = [sp.Rational(1, 2**head) for head in range(1, 9)]
    exact = [value(ex.alibi_horizon(), alibi_slope=m, **point) for m in slopes]
    assert tuple(exact) == HORIZONS[bound]
    simple = [value(ex.alibi_horizon_simple(), alibi_slope=m, **point) for m in slopes]
    assert all(a >= b for a, b in zip(simple, exact, strict=True))
    if bound == 1:
        assert simple[-2:] == [846, 1691]


@settings(max_examples=20, deadline=None)
@given(small, st.fractions(min_value=0, max_value=3, max_denominator=8), st.fractions(min_value=1e-4, max_value=0.9))
def test_horizon_is_the_least_window(slope, bound, tolerance):
    found = value(ex.alibi_horizon(), alibi_slope=slope, logit_bound=bound, tail_tolerance=tolerance)
    point = {"alibi_slope": slope, "logit_bound": bound}
    assert ex.alibi_tail_mass_any_length().certified(window=int(found), **point)[0] <= tolerance
    if found > 1:
        assert ex.alibi_tail_mass_any_length().certified(window=int(found) - 1, **point)[1] > tolerance


@settings(max_examples=15, deadline=None)
@given(st.fractions(min_value=sp.Rational(11, 10), max_value=6, max_denominator=16), small, st.integers(1, 40))
def test_hurwitz_sum_telescopes(rate, shape, w):
    sums = [value(ex.kerple_log_tail_sum(), kerple_rate=rate, kerple_shape=shape, window=w + k) for k in (0, 1)]
    assert sums[0] - sums[1] == pytest.approx(float((1 + shape * w) ** -float(rate)), rel=1e-9)
    mass = value(ex.kerple_log_tail_mass(), kerple_rate=rate, kerple_shape=shape, window=w, logit_bound=0)
    near = sum(float(1 + shape * k) ** -float(rate) for k in range(w))
    assert mass == pytest.approx(sums[0] / (sums[0] + near), rel=1e-10)


@settings(max_examples=15, deadline=None)
@given(st.fractions(min_value=0.25, max_value=3, max_denominator=8), st.sampled_from([sp.Rational(1, 2), 1, 2]))
def test_power_sums_lie_between_their_bounds(rate, shape):
    with mpmath.workdps(20):
        total = float(mpmath.nsum(lambda k: mpmath.exp(-float(rate) * k ** float(shape)), [0, mpmath.inf]))
    point = {"kerple_rate": rate, "kerple_shape": shape}
    upper, lower = value(ex.kerple_power_sum(), **point), value(ex.kerple_power_sum_lower(), **point)
    assert lower <= total * (1 + 1e-9)
    assert total <= upper * (1 + 1e-9)
    assert total > value(ex.kerple_power_sum().scaled(sp.Rational(1, 100)), **point)
    at = {kerple_rate: rate, kerple_shape: shape}
    for w in (2, 9):
        tail = total - sum(float(sp.exp(-rate * sp.Integer(k) ** shape)) for k in range(w))
        near = total - tail
        if not ex.kerple_power_tail_mass().assumptions.subs(at | {window: w}):
            continue
        bound = value(ex.kerple_power_tail_mass(), window=w, logit_bound=0, **point)
        assert tail / total <= bound + 1e-9
        assert near >= 1


def test_outside_the_assumptions():
    with pytest.raises(ValueError, match=r"tail_tolerance < 1"):
        ex.alibi_horizon().certified(alibi_slope=1, logit_bound=0, tail_tolerance=1.5)
    with pytest.raises(ValueError, match="window <= length"):
        ex.alibi_tail_mass().certified(alibi_slope=1, logit_bound=0, window=5, length=4)
    with pytest.raises(ValueError, match="kerple_rate > 1"):
        ex.kerple_log_tail_sum().certified(kerple_rate=1, kerple_shape=1, window=3)
    with pytest.raises(ValueError, match="alibi_slope must be positive"):
        ex.alibi_tail_sum().certified(alibi_slope=0, window=3)
    assert ex.tail_mass_upper().expression.has(logit_bound)
