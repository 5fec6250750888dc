"""Arrays of 40-digit numbers and the floats around them."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.multiprecision import digits, enclosure, exactly, exponential, square_root

finite = st.floats(-1e100, 1e100, allow_nan=False)


@given(st.integers(-(10**45), 10**45), st.integers(1, 10**45))
def test_enclosure_without_error_is_the_two_nearest_floats(numerator, denominator):
    with digits():
        value = mpmath.mpf(numerator) / denominator
        found = enclosure(value, 0, "fraction")
        assert mpmath.mpf(found.lower) <= value <= mpmath.mpf(found.upper)
        # No float lies strictly inside, so anything farther out is excluded.
        assert found.upper <= math.nextafter(found.lower, math.inf)
        assert (found.lower == found.upper) == (mpmath.mpf(found.lower) == value)


@given(finite, st.floats(0, 1e90))
def test_enclosure_is_widened_by_the_error(value, error):
    with digits():
        found = enclosure(mpmath.mpf(value), error, "widened")
        low, high = mpmath.mpf(value) - mpmath.mpf(error), mpmath.mpf(value) + mpmath.mpf(error)
        assert mpmath.mpf(found.lower) <= low
        assert mpmath.mpf(found.upper) >= high
        assert mpmath.mpf(math.nextafter(found.lower, math.inf)) > low
        assert mpmath.mpf(math.nextafter(found.upper, -math.inf)) < high


def test_sum_that_float64_loses():
    with digits():
        total = exactly([1e20, 1.0, -1e20]).sum()
        assert total == 1
        assert enclosure(total, 0, "sum").lower == 1.0
    assert np.sum([1e20, 1.0, -1e20]) == 0.0


def test_functions_carry_40_digits():
    with digits():
        found = exponential(exactly([1.0]))[0]
        root = square_root(exactly([2.0]))[0]
    with mpmath.workdps(60):
        assert abs(found / mpmath.e - 1) < mpmath.mpf(10) ** -39
        assert abs(root / mpmath.sqrt(2) - 1) < mpmath.mpf(10) ** -39
        assert abs(found / mpmath.e - 1) > mpmath.mpf(10) ** -50
    assert mpmath.mp.dps == 15


def test_floats_are_taken_unchanged():
    with digits():
        assert exactly(0.1 * np.ones((2, 3))).shape == (2, 3)
        numerator, denominator = (0.1).as_integer_ratio()
        assert exactly([0.1])[0] == mpmath.mpf(numerator) / denominator


def test_nan_has_no_enclosure():
    with digits(), pytest.raises(ValueError, match="check the computation"):
        enclosure(mpmath.nan, 0, "nan")
