"""Intervals for means over documents: by hand, that they cover, and where they do not."""

import math

import numpy as np
import pytest

from estimators.document_means import bounded, document_means, student


def test_student_interval_by_hand():
    values = np.array([1.0, 2.0, 4.0])
    found = student(values, confidence=0.95)
    radius = 4.302652729911275 * math.sqrt(7 / 3 / 3)  # tables: t of 2 degrees of freedom, variance 7/3
    assert found.lower == pytest.approx(7 / 3 - radius, rel=1e-9)
    assert found.upper == pytest.approx(7 / 3 + radius, rel=1e-9)
    assert student(values, minimum=0.0).lower == 0


def test_intervals_cover():
    """Independent exponential document losses of mean 2: Student's interval nearly holds, the bounded one does."""
    rng = np.random.default_rng(0)
    plain = np.array([2.0 in student(rng.exponential(2, 30), minimum=0.0) for _ in range(1000)])
    assert 0.90 <= plain.mean() <= 0.97
    law = np.array([0.0, 6.0]), np.array([0.9, 0.1])
    sure = np.array([0.6 in bounded(rng.choice(law[0], 8, p=law[1]), maximum=6.0) for _ in range(300)])
    assert sure.mean() >= 0.95
    # Student's interval does not hold here: most samples have no large value at all.
    assert np.mean([0.6 in student(rng.choice(law[0], 8, p=law[1])) for _ in range(300)]) < 0.7


def test_document_means():
    found = document_means(np.array([1.0, 3.0, 10.0]), np.array([0, 0, 1]), 2)
    assert found.tolist() == [2, 10]
    with pytest.raises(ValueError, match="every one of 3 documents"):
        document_means(np.array([1.0, 3.0, 10.0]), np.array([0, 0, 1]), 3)


@pytest.mark.parametrize(
    ("values", "confidence", "words"),
    [([1.0, np.nan], 0.95, "NaN"), ([], 0.95, "at least one"), ([1.0], 1.0, "confidence"), ([1.0], 0.0, "confidence")],
)
def test_bad_values_are_told(values, confidence, words):
    for interval in (student, lambda given, confidence: bounded(given, maximum=2.0, confidence=confidence)):
        with pytest.raises(ValueError, match=words):
            interval(np.array(values, dtype=float), confidence=confidence)
