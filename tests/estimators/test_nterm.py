"""Best n terms of wavelet bases against enumeration and PyWavelets."""

import itertools

import numpy as np
import pytest
import pywt

from estimators.best_approximation import best_l2
from estimators.encoding_tables import code
from estimators.nterm import best_terms, best_terms_of, jump_terms
from estimators.targets import midpoints


def test_best_terms_by_enumeration():
    rng = np.random.default_rng(5)
    basis, values = code("daubechies:order=2", 8, 8), rng.standard_normal(8)
    for n in range(9):
        subsets = itertools.combinations(range(8), n)
        least = min(np.linalg.norm(values - basis[:, list(s)] @ (basis[:, list(s)].T @ values)) for s in subsets)
        found = best_terms(values, basis, n)
        assert found.lower - 1e-14 <= least <= found.upper + 1e-14
        assert found.width <= 1e-11


def test_best_terms_by_pywavelets():
    values = np.abs(midpoints(256)) ** 0.5 + midpoints(256)
    squares = np.sort(np.concatenate(pywt.wavedec(values, "haar")) ** 2)[::-1]
    for n in (4, 16, 100):
        found = best_terms(values, code("haar", 256, 256), n)
        assert found.lower <= np.sqrt(squares[n:].sum()) * (1 + 1e-12)
        assert found.upper == pytest.approx(np.sqrt(squares[n:].sum()), abs=1e-9)


def test_best_daubechies_terms_by_pywavelets():
    """Wavelets of one level are shifts of the library's, which places its filters otherwise on the circle."""
    size, depth = 64, 6
    basis = code("daubechies:order=4", size, size, power=None)
    values = np.exp(midpoints(size)) * np.sign(midpoints(size) - 0.3)
    coefficients = [values.sum() / np.sqrt(size)]
    for level in range(depth):
        blocks = [np.zeros(1)] + [np.zeros(2**j) for j in range(depth)]
        blocks[1 + level][0] = 1
        column = pywt.waverec(blocks, "db4", mode="periodization")
        start = min(range(size), key=lambda s: np.abs(np.roll(column, s) - basis[:, 2**level]).max())
        coefficients += [values @ np.roll(column, start + m * size // 2**level) for m in range(2**level)]
    squares = np.sort(np.square(coefficients))[::-1]
    for n in (3, 10, 40):
        assert best_terms(values, basis, n).upper == pytest.approx(np.sqrt(squares[n:].sum()), abs=1e-9)


def test_one_jump_needs_a_term_a_level():
    """A jump next to the end of a dyadic grid: log2 N + 1 terms are exact, the first n miss it by far."""
    values, basis = jump_terms(256, 171), code("haar", 256, 256, power=None)
    found = best_terms_of(values, basis, [*range(1, 10)])
    assert found[8].upper <= 1e-10
    errors = [one.upper for one in found[:8]]
    assert all(b <= a / 1.1 for a, b in itertools.pairwise(errors))
    assert best_l2(values, basis[:, :9]).error.lower > 1
