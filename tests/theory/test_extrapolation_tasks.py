"""theory/extrapolation_tasks.py: known values, and the reversal of one ALiBi head."""

from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import extrapolation_tasks as tasks
from theory.notation import length


def test_floors_and_accuracies():
    at = {"token_variance": 2, "seen_count": 10, "window": 4}
    assert tasks.prefix_sum_floor().evaluate(**at) == 12
    assert tasks.prefix_mean_floor().evaluate(**at) == pytest.approx(0.12, abs=1e-12)
    assert tasks.prefix_mean_floor().evaluate(token_variance=1, seen_count=8, window=4) == 1 / 16  # v/(4w)
    assert tasks.copy_floor().evaluate(token_variance=3) == 3
    parity = tasks.prefix_parity_accuracy()
    assert parity.evaluate(bit_probability=0.5, seen_count=9, window=4) == 0.5
    assert parity.evaluate(bit_probability=0.5, seen_count=4, window=4) == 1
    assert parity.evaluate(bit_probability=0, seen_count=9, window=4) == 1
    assert parity.evaluate(bit_probability=Fraction(1, 4), seen_count=6, window=4) == 0.625
    assert tasks.nonlocal_floor().evaluate(unseen_variance=4, locality_defect=0.5) == 2.25
    assert tasks.nonlocal_floor().evaluate(unseen_variance=1, locality_defect=2) == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 12), st.integers(0, 12), st.integers(1, 9))
def test_reversal_counts_the_positions_that_are_seen(w, more, symbols):
    total = w + more
    seen = sum(abs(total + 1 - 2 * i) < w for i in range(1, total + 1))
    accuracy = tasks.reversal_accuracy().evaluate(window=w, length=total, vocabulary_size=symbols)
    assert accuracy == pytest.approx((seen + (total - seen) / symbols) / total, abs=1e-12)
    assert accuracy <= w / total + (1 - w / total) / symbols + 1e-12
    assert sp.limit(tasks.alibi_reversal_weight().expression, length, sp.oo) == 0


@settings(max_examples=20, deadline=None)
@given(
    st.fractions(min_value=sp.Rational(1, 50), max_value=2, max_denominator=50),
    st.fractions(min_value=0, max_value=3),
)
def test_reversal_length_is_where_the_weight_falls_to_a_half(slope, bound):
    point = {"alibi_slope": slope, "logit_bound": bound}
    longest = int(tasks.alibi_reversal_length().certified(**point)[1])
    assert tasks.alibi_reversal_weight().certified(length=longest, **point)[1] > 0.5
    assert tasks.alibi_reversal_weight().certified(length=longest + 1, **point)[0] <= 0.5


def test_outside_the_assumptions():
    with pytest.raises(ValueError, match="seen_count >= window"):
        tasks.prefix_sum_floor().evaluate(token_variance=1, seen_count=3, window=4)
    with pytest.raises(ValueError, match="bit_probability <= 1"):
        tasks.prefix_parity_accuracy().evaluate(bit_probability=2, seen_count=4, window=4)
    with pytest.raises(ValueError, match="window <= length"):
        tasks.reversal_accuracy().evaluate(window=4, length=3, vocabulary_size=2)
