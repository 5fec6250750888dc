"""The sweep of errors against widths and bounds: encodings x targets x channels."""

import math

import numpy as np
import pytest

from estimators.approximation_lookup import look_ups
from estimators.approximation_rows import rows_of, widths
from estimators.approximation_spans import complete_wavelets
from estimators.ellipsoid_widths import difference_width
from estimators.targets import target

ADDITIVE = (
    "sinusoidal",
    "learned",
    "haar",
    "daubechies",
    "ricker",
    "legendre",
    "legendre:form=orthonormal",
    "chebyshev",
    "cosine",
    "random-orthogonal",
    "gaussian",
    "information-optimal",
)


def rows(encoding, targets, norms, channels, length):
    return list(rows_of(encoding, targets, norms, channels, length, lambda *given, **named: None))


@pytest.mark.parametrize("encoding", ADDITIVE)
def test_no_worst_error_is_below_the_width(encoding):
    for one in rows(encoding, [], ["sobolev"], [1, 2, 5, 8, 16, 31], 32):
        assert one.error.upper >= one.width * (1 - 1e-10)
        if encoding in ("cosine", "haar") and one.channels in (1, 2, 8, 16):
            assert one.error.lower <= one.width * (1 + 1e-10)


@pytest.mark.parametrize("encoding", ["legendre", "legendre:form=orthonormal", "chebyshev", "cosine", "haar"])
def test_no_error_is_above_its_bound(encoding):
    """Ten targets of all kinds of smoothness; the slack of each family, and the twins bound/1000 that are refuted."""
    names = ("abs", "runge", "entire", "spline-2", "hoelder-half", "step", "analytic", "periodic", "log", "sin(3*x)")
    targets = [target(name, 128) for name in names]
    slack = []
    for one in rows(encoding, targets, ["l2", "sup", "sobolev"], [1, 2, 3, 8, 16], 128):
        for value in one.bounds.values():
            assert one.error.lower <= value * (1 + 1e-10) + 1e-300
            if one.error.lower > 0:
                slack.append(value / one.error.upper)
        for value in one.below.values():
            assert one.error.upper >= value * (1 - 1e-10)
    assert len(slack) > 80
    assert min(slack) >= 1 - 1e-9
    assert min(slack) < 3
    assert np.mean(np.array(slack) / 1000 < 1) > 0.5


def test_class_widths_hold_the_members():
    """l2 and sup widths are those of the smallest class with the target: the cosine code, and cells, stay below."""
    for name in ("abs", "runge", "brownian", "step"):
        one = target(name, 64)
        for row in rows("cosine", [one], ["l2"], [1, 4, 16], 64):
            assert row.error.lower <= row.width * (1 + 1e-12)
        for row in rows("haar", [one], ["l2", "sup"], [1, 4, 16], 64):
            assert row.error.lower <= row.width * (1 + 1e-12)
        steps = np.diff(one.values)
        assert widths("l2", one.values, 5, 64) == pytest.approx(np.linalg.norm(steps) * difference_width(5, 64))
        assert widths("sup", one.values, 5, 64) == pytest.approx(np.abs(steps).max() * 6)


def test_nonlinear_beats_linear_on_a_jump():
    for row in rows("haar", [target("step", 64)], ["l2"], [2, 6], 64):
        assert row.terms is not None
        assert row.terms.lower <= row.error.upper
    shifted = target("sign(x - 0.3)", 64)
    linear = rows("haar", [shifted], ["l2"], [8], 64)[0]
    assert linear.terms is not None
    assert linear.terms.upper < 0.2 * linear.error.lower
    assert rows("cosine", [shifted], ["l2"], [8], 64)[0].terms is None
    assert complete_wavelets("haar", 60) is None


def test_every_additive_encoding():
    """The first n channels, odd numbers too; more channels never hurt where the channels are nested."""
    for name in ADDITIVE:
        found = rows(name, [target("runge", 64)], ["l2"], [1, 3, 6], 64)
        assert [one.rank for one in found] == [1, 3, 6]
        errors = [one.error.upper for one in found]
        assert name == "sinusoidal" or errors[2] <= errors[1] <= errors[0]


def test_the_two_criteria_disagree():
    """Random codes are last at approximation and first at look-up; sinusoids last at look-up."""
    look = {one.encoding: one.norm for one in look_ups(["cosine", "sinusoidal", "random-orthogonal", "alibi"], 16)}
    assert look.keys() == {"cosine", "sinusoidal", "random-orthogonal"}
    assert look["random-orthogonal"].upper == pytest.approx(math.sqrt(15), rel=1e-6)
    assert look["sinusoidal"].lower > 2 * look["random-orthogonal"].upper
    errors = {
        name: rows(name, [target("abs", 64)], ["l2"], [8], 64)[0].error for name in ("cosine", "random-orthogonal")
    }
    assert errors["random-orthogonal"].lower > 10 * errors["cosine"].upper
    # Two positions with one code cannot be told apart.
    assert look_ups(["daubechies", "haar:constant=false"], 4)[0].norm is not None
