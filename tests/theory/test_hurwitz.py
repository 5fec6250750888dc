"""theory/hurwitz.py contains Arb's values, is as narrow as its precision, and says where it is not defined."""

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.hurwitz import hurwitz_zeta
from theory.interval_arithmetic import MpmathIntervals
from theory.undecided import Undecided

flint = pytest.importorskip("flint")


@settings(max_examples=30, deadline=None)
@given(st.floats(1.001, 30), st.floats(0.01, 60), st.sampled_from([30, 60, 120]))
def test_contains_the_value_of_arb(exponent, shift, digits):
    intervals = MpmathIntervals()
    with flint.ctx.workdps(digits + 30), mpmath.workdps(digits + 40):
        mantissa, power = flint.arb(exponent).zeta(flint.arb(shift)).mid().man_exp()
        truth = mpmath.ldexp(mpmath.mpf(int(mantissa)), int(power))
        with intervals.precision(digits):
            found = hurwitz_zeta(mpmath.iv.mpf(exponent), mpmath.iv.mpf(shift))
        low, high = (mpmath.ldexp(mpmath.mpf(m), e) for m, e in map(intervals.dyadic, intervals.ends(found)))
        assert low <= truth <= high
        assert high - low <= truth * mpmath.mpf(10) ** (6 - digits)


@pytest.mark.parametrize(("exponent", "shift"), [(1, 2), (0.5, 2), (2, 0), (2, -1)])
def test_outside_its_domain(exponent, shift):
    with pytest.raises(Undecided, match="s > 1"):
        hurwitz_zeta(mpmath.iv.mpf(exponent), mpmath.iv.mpf(shift))
