"""Horizons and reversal against exhaustive search over windows, lengths and corners of the logits."""

import itertools
import math

import mpmath
import numpy as np
import pytest

from estimators.horizons import (
    alibi_horizon,
    escaped_mass,
    first_within,
    reversal_length,
    reversal_share,
    reversal_weight,
    symmetric_row,
    training_window,
    window_masses,
)


def endless_mass(slope, bound, window):
    """sup A_w over all lengths and logits: geometric series in 50 digits."""
    odds = mpmath.exp(2 * mpmath.mpf(bound)) / mpmath.expm1(mpmath.mpf(slope) * window)
    return odds / (1 + odds)


@pytest.mark.parametrize(
    ("slope", "bound", "tolerance"), [(0.5, 0.0, 0.01), (0.5, 1.0, 0.01), (0.0625, 2.0, 0.001), (3.0, 0.3, 0.4)]
)
def test_alibi_horizon_is_the_first_window_that_suffices(slope, bound, tolerance):
    found = alibi_horizon(slope=slope, logit_bound=bound, tolerance=tolerance).estimate
    with mpmath.workdps(50):
        true = next(w for w in itertools.count(1) if endless_mass(slope, bound, w) <= tolerance)
    assert found.lower == found.upper == true
    with mpmath.workdps(50):
        assert true == 1 or endless_mass(slope, bound, true - 1) > tolerance


def test_masses_of_all_windows_by_corners():
    row, bound = np.array([0.0, -0.4, 0.3, -1.0]), 0.8
    found = window_masses(np.exp(row), bound, 0.0)
    for window in range(1, 5):
        masses = []
        for corner in itertools.product((-bound, bound), repeat=4):
            raised = np.exp(row + corner)
            masses.append(raised[window:].sum() / raised.sum())
        assert found[window - 1] == pytest.approx(max(masses), rel=1e-13, abs=1e-300)
    assert first_within(found, float(found[1])) == 2
    assert first_within(found, float(found[1]) * 0.999) == 3


@pytest.mark.parametrize("encoding", ["none", "alibi:slope=1/4", "kerple-log:r1=2,r2=1"])
def test_window_at_one_length_and_what_escapes_at_another(encoding):
    window = training_window(encoding, 0, 16, 0.5, 0.2)
    found = escaped_mass(encoding=encoding, head=0, train_length=16, length=40, logit_bound=0.5, tolerance=0.2)
    k = np.arange(40.0)
    bias = {"none": 0 * k, "alibi:slope=1/4": -k / 4, "kerple-log:r1=2,r2=1": -2 * np.log1p(k)}[encoding]

    def mass(length, w):
        raised = np.exp(bias[:length])
        return float(math.e * raised[w:].sum() / (math.e * raised[w:].sum() + raised[:w].sum()))

    assert mass(16, window) <= 0.2 < mass(16, window - 1)
    assert mass(40, window) == pytest.approx(found.estimate.lower, rel=1e-12)
    assert mass(40, window) in found.estimate
    assert 1.001 * mass(40, window) not in found.estimate
    assert (found.estimate.lower > 0.2) == (encoding != "alibi:slope=1/4")


def least_best_weight(slope, bound, length):
    """min over queries of the best weight of the mirrored token, over all corners of the logits."""
    least = 1.0
    for i in range(length):
        best = 0.0
        for corner in itertools.product((-bound, bound), repeat=length):
            raised = np.exp(-slope * np.abs(i - np.arange(length)) + corner)
            best = max(best, raised[length - 1 - i] / raised.sum())
        least = min(least, best)
    return least


@pytest.mark.parametrize("length", [1, 2, 3, 6])
def test_reversal_by_corners(length):
    found = reversal_weight(slope=0.5, logit_bound=1.2, length=length)
    true = least_best_weight(0.5, 1.2, length)
    assert found.estimate.lower == pytest.approx(true, rel=1e-12)
    assert true * (1 - 1e-14) <= found.estimate.upper
    assert found.parameters == {"alibi_slope": 0.5, "logit_bound": 1.2, "length": length}
    np.testing.assert_allclose(symmetric_row(0.5, length), -0.5 * np.arange(length))


@pytest.mark.parametrize(("slope", "bound"), [(1.0, 1.0), (0.5, 2.0), (2.0, 0.0)])
def test_longest_reversal_is_the_last_length_above_one_half(slope, bound):
    found = reversal_length(slope=slope, logit_bound=bound).estimate
    true = 1
    while least_best_weight(slope, bound, true + 1) > 0.5:
        true += 1
    assert found.lower == found.upper == true


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: alibi_horizon(slope=0.0, logit_bound=1.0, tolerance=0.1), "use tolerance=0.01"),
        (lambda: alibi_horizon(slope=math.nan, logit_bound=1.0, tolerance=0.1), "use tolerance=0.01"),
        (lambda: alibi_horizon(slope=0.5, logit_bound=math.inf, tolerance=0.1), "use tolerance=0.01"),
        (lambda: alibi_horizon(slope=0.5, logit_bound=1.0, tolerance=1.0), "use tolerance=0.01"),
        (lambda: alibi_horizon(slope=1e-6, logit_bound=1.0, tolerance=0.1), "use a steeper slope"),
        (lambda: first_within(np.array([0.5, 0.4]), 0.1), "list more keys"),
        (lambda: symmetric_row(0.0, 4), "use slope=0.5"),
        (lambda: symmetric_row(0.5, 0), "use slope=0.5"),
        (lambda: reversal_share(np.zeros(2), -1.0), "nonnegative"),
        (lambda: reversal_share(np.zeros(2), math.nan), "nonnegative"),
        (lambda: reversal_length(slope=0.001, logit_bound=4.0), "use a steeper one"),
        (lambda: training_window("alibbi", 0, 4, 1.0, 0.1), "unknown encoding"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
