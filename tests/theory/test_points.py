"""theory/points.py: admissible, repeatable, exact; zeros and ends are drawn too."""

from fractions import Fraction

import pytest
import sympy as sp

from theory.bound import Bound, Relation
from theory.notation import decoder_score, failure_probability, logit_norm, rank, rows, sample_size
from theory.points import admissible_points, breaking_point, holds


def bound(expression, assumptions=sp.true):
    return Bound("q", Relation.AT_MOST, expression, "r", assumptions=assumptions)


def test_points_lie_in_the_domains_and_hold_the_assumptions():
    constrained = bound(rank + rows + logit_norm + failure_probability, (rank <= rows) & (failure_probability < 1))
    points = admissible_points(constrained, 200, seed=1)
    assert points == admissible_points(constrained, 200, seed=1)
    assert points != admissible_points(constrained, 200, seed=2)
    for point in points:
        assert set(point) == {"rank", "rows", "logit_norm", "failure_probability"}
        assert 1 <= point["rank"] <= point["rows"] <= 48
        assert 0 < point["failure_probability"] < 1
        assert Fraction(float(point["logit_norm"])) == point["logit_norm"]
        constrained.certified(**point)
    assert {0} < {point["logit_norm"] for point in points}
    assert min(point["rows"] for point in points) == 1
    assert max(point["logit_norm"] for point in points) > 10


def test_negative_even_and_odd_symbols():
    assert all(point["decoder_score"] <= 0 for point in admissible_points(bound(decoder_score), 30))
    even = sp.Symbol("even", integer=True, even=True, positive=True)
    odd = sp.Symbol("odd", integer=True, odd=True, positive=True)
    real = sp.Symbol("real", real=True)
    points = admissible_points(bound(even + odd + real), 60)
    assert all(point["even"] % 2 == 0 < point["even"] and point["odd"] % 2 == 1 for point in points)
    assert min(point["real"] for point in points) < 0 < max(point["real"] for point in points)


def test_assumptions_that_fail_are_found_or_refused():
    proper = bound(failure_probability, failure_probability < 1)
    broken = breaking_point(proper)
    assert broken is not None
    assert broken["failure_probability"] >= 1
    assert not holds(proper, broken)
    assert breaking_point(bound(logit_norm)) is None
    assert breaking_point(bound(sample_size, sample_size < 1000)) is None
    with pytest.raises(ValueError, match="no random point satisfies"):
        admissible_points(bound(sample_size, sample_size > 1000), 1)
