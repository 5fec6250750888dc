"""Intervals of positional information where every content is listed: coverage of known values, widths, bounds."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from estimators.discrete_channels import information, normalised
from estimators.gaussian_codes import line_information, sampled_information
from estimators.information_exact import bounds, exact_informations

FAR = 30.0  # standard deviations between the symbols of a discrete channel


def test_exact_intervals_are_narrow_and_cover():
    """Deterministic codes against quadrature, and against one antithetic sampler in more channels."""
    rng = np.random.default_rng(0)
    for dim in (1, 3):
        code = rng.standard_normal((20, dim))
        padded = np.concatenate([code, np.zeros((20, 1))], axis=1)  # no quadrature: one channel too many
        for one in exact_informations(padded[None], [0.05, 0.3, 1.0, 3.0], confidence=0.95):
            assert one.information.width <= 0.01
            if dim == 1:
                assert line_information(code, one.sigma).lower in one.information
            else:
                other = sampled_information(code, one.sigma, groups=4000, seed=1)
                assert max(one.information.lower, other.lower) <= min(one.information.upper, other.upper)
    (line,) = exact_informations(code[None, :, :1], [0.3])
    assert line.method_lower == "quadrature"
    assert line.information.width < 1e-9


def test_listed_contents_against_enumeration():
    """Atoms far apart are symbols: I(P; Z) of a mixture over contents is that of a discrete channel."""
    rng = np.random.default_rng(2)
    contents, positions, symbols = 6, 4, 3
    table = rng.integers(symbols, size=(contents, positions))
    rows = [[float((table[:, p] == s).mean()) for s in range(symbols)] for p in range(positions)]
    atoms = FAR * table[..., None].astype(float)
    (found,) = exact_informations(atoms, [1.0], confidence=0.99, sigma=[1.0])
    with mpmath.workdps(30):
        assert float(information(normalised(rows))) in found.information
    assert found.information.width <= 0.011
    assert found.content_information == pytest.approx(_content(table, rows), abs=0.15)


def _content(table, rows):
    return float(np.mean([-sum(w * math.log(w) for w in row if w > 0) for row in rows]))


def exactly_covered(repetitions, confidence):
    """How many intervals of a code, and of a mixture over 6 contents, contain the truth."""
    code = np.linspace(-1, 1, 12)[:, None] ** 3
    table = np.random.default_rng(2).integers(3, size=(6, 4))
    rows = [[float((table[:, p] == s).mean()) for s in range(3)] for p in range(4)]
    cases = {
        "code": (np.concatenate([code, 0 * code], axis=1)[None], line_information(code, 0.15).lower, 0.15),
        "contents": (FAR * table[..., None].astype(float), float(information(normalised(rows))), 1.0),
    }
    inside = []
    for atoms, truth, sigma in cases.values():
        found = [
            exact_informations(atoms, [1.0], sigma=[sigma], seed=seed, confidence=confidence)[0].information
            for seed in range(repetitions)
        ]
        assert max(one.width for one in found) <= 0.011
        inside.append(sum(truth in one for one in found))
    return min(inside)


def test_exact_intervals_cover():
    assert exactly_covered(30, 0.9) >= int(binom.ppf(0.02, 30, 0.9))


@pytest.mark.slow
def test_exact_intervals_cover_in_ninety_nine_of_a_hundred():
    assert exactly_covered(300, 0.99) >= int(binom.ppf(0.01, 300, 0.99))


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 20), st.integers(1, 3), st.floats(0.05, 5), st.integers(0, 10**6))
def test_bounds_without_draws_hold(positions, dim, size, seed):
    """Pairwise forms and the cap against the sampled value of random codes; the pairwise lower one is below them."""
    code = size * np.random.default_rng(seed).standard_normal((positions, dim))
    code -= code.mean(axis=0)
    lower, upper = bounds(code[None])
    assert 0 <= max(lower.values()) <= min(upper.values())
    drawn = sampled_information(code, 1.0, groups=300, seed=seed, confidence=1 - 1e-9)
    assert max(lower.values()) <= drawn.upper
    assert drawn.lower <= min(upper.values())
