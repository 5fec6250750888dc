"""Intervals over seeds: coverage where the assumption holds, exact p-values by hand, bad input."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.seed_statistics import holm, paired_differences, seed_mean, sign_flip


def test_student_interval_by_hand():
    # mean 2, deviation 1, n = 3, t quantile 4.302652729911275: radius 4.3027/sqrt(3).
    found = seed_mean([1.0, 2.0, 3.0])
    assert found.lower == pytest.approx(2 - 4.302652729911275 / math.sqrt(3))
    assert found.upper == pytest.approx(2 + 4.302652729911275 / math.sqrt(3))
    assert "assumes normal" in found.method


def test_coverage_of_normal_seed_means_and_its_failure_at_a_tenth_of_the_width():
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(4000, 4))
    found = [seed_mean(row.tolist(), confidence=0.9) for row in draws]
    covered = np.mean([one.lower <= 0 <= one.upper for one in found])
    assert 0.885 <= covered <= 0.915
    short = np.mean([abs(row.mean()) <= one.width / 20 for row, one in zip(draws, found, strict=True)])
    assert short < 0.3


def test_equal_scores_leave_the_floor_and_one_seed_leaves_everything():
    assert seed_mean([0.5, 0.5, 0.5], floor=0.01).width > 0.01
    one = seed_mean([0.7], least=0.0, most=1.0)
    assert (one.lower, one.upper) == (0, 1)


def test_cut_ends_are_said():
    found = seed_mean([0.99, 1.0], least=0.0, most=1.0)
    assert found.upper == 1
    assert "cut at the possible range" in found.method


@pytest.mark.parametrize("values", [[], [math.nan, 1.0], [0.5, 2.0]])
def test_bad_scores(values):
    with pytest.raises(ValueError, match=r"seed|scores"):
        seed_mean(values, least=0.0, most=1.0)


def test_sign_flip_by_enumeration():
    assert sign_flip([1.0, 2.0, 3.0]) == 2 / 8  # only +++ and --- are as large
    assert sign_flip([1.0, -1.0]) == 1
    assert sign_flip([0.0, 0.0, 0.0]) == 1


def test_sign_flip_is_valid_under_symmetry():
    rng = np.random.default_rng(1)
    values = np.array([sign_flip(rng.normal(size=5)) for _ in range(800)])
    for level in (0.0625, 0.125, 0.25):
        assert np.mean(values <= level) <= level + 4 * math.sqrt(level / 800)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.9]) == [1.0, 1.0]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_between_the_value_and_bonferroni(values):
    for value, adjusted in zip(values, holm(values), strict=True):
        assert value - 1e-12 <= adjusted <= min(1.0, len(values) * value) + 1e-12


def test_paired_differences_share_a_family():
    a, b = [0.9, 0.8, 0.85, 0.9], [0.5, 0.45, 0.4, 0.5]
    (alone,) = paired_differences([(a, b)])
    two = paired_differences([(a, b), (b, a)])
    assert two[0].estimate.width > alone.estimate.width
    assert alone.sign == 1
    assert two[1].sign == -1
    assert two[0].estimate.lower == pytest.approx(-two[1].estimate.upper)
    assert paired_differences([(a, a)])[0].sign == 0


def test_common_noise_cancels_in_pairs():
    noise = np.random.default_rng(2).normal(size=6)
    found = paired_differences([((noise + 0.01).tolist(), noise.tolist())])[0]
    assert found.sign == 1
    assert found.estimate.width < 1e-9


def test_unpaired_lengths_are_refused():
    with pytest.raises(ValueError, match="finite"):
        paired_differences([([math.nan], [1.0])])
