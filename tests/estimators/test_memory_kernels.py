"""Kernels of the distance by sums of heads against a second linear programme, a grid search and closed forms."""

import math

import mpmath
import numpy as np
import pytest
from scipy.optimize import linprog, minimize_scalar

from estimators.memory_kernels import (
    best_combination,
    best_exponentials,
    constant_error,
    exponential_error,
    head_errors,
    reciprocal,
)

DISTANCES = np.arange(24.0)
KERNEL = 1 / (1 + DISTANCES)


def by_linprog(kernel, atoms):
    """min_a max |K - a phi|, the epigraph form as it stands."""
    ones = np.ones((len(kernel), 1))
    rows = np.vstack([np.hstack([atoms.T, -ones]), np.hstack([-atoms.T, -ones])])
    cost = np.r_[np.zeros(len(atoms)), 1.0]
    return linprog(cost, A_ub=rows, b_ub=np.r_[kernel, -kernel], bounds=(None, None)).fun


@pytest.mark.parametrize("slopes", [[0.5], [0.5, 0.25], [1.0, 0.5, 0.25, 0.125]])
def test_fixed_heads_by_a_second_programme(slopes):
    found = head_errors(KERNEL, slopes)
    true = by_linprog(KERNEL, np.exp(-np.outer(slopes, DISTANCES)))
    assert found.lower - 1e-8 <= true <= found.upper + 1e-8
    assert found.width < 1e-7 * found.upper
    assert found.lower > found.upper / 100


def test_random_atoms_and_a_kernel_they_span():
    rng = np.random.default_rng(0)
    atoms = rng.normal(size=(3, 12))
    kernel = rng.normal(size=12)
    found = best_combination(kernel, atoms)
    assert found.lower - 1e-8 <= by_linprog(kernel, atoms) <= found.upper + 1e-8
    spanned = best_combination(np.array([2.0, -1.0, 0.5]) @ atoms, atoms)
    assert spanned.lower <= 1e-14
    assert spanned.upper < 1e-13


@pytest.mark.parametrize("length", [3, 10, 200])
def test_constant_error_is_half_the_range(length):
    found = constant_error(length=length).estimate
    assert (length - 1) / (2 * length) in found
    assert 1.01 * (length - 1) / (2 * length) not in found
    assert found.width < 1e-8


def test_one_free_exponential_by_a_search_over_its_slope():
    found, slopes = best_exponentials(reciprocal, 1, 24)
    search = minimize_scalar(
        lambda m: by_linprog(KERNEL, np.exp(-m * DISTANCES)[None]),
        bounds=(0.05, 3),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert found.lower - 1e-7 <= search.fun <= found.upper + 1e-7
    assert found.width < 1e-9
    assert slopes[0] == pytest.approx(search.x, rel=1e-3)


@pytest.mark.parametrize("terms", [2, 3])
def test_free_exponentials_are_bracketed_by_what_their_slopes_reach(terms):
    found, slopes = best_exponentials(reciprocal, terms, 24)
    assert len(slopes) == terms
    assert found.width < 1e-6 * found.upper
    reached = head_errors(KERNEL, slopes)
    assert reached.lower <= found.upper * (1 + 1e-6)
    # Any other slopes do worse than the lower end.
    for factor in (0.5, 0.9, 1.2):
        assert head_errors(KERNEL, factor * slopes).upper > found.lower
    fewer, _ = best_exponentials(reciprocal, terms - 1, 24)
    assert found.upper < fewer.lower
    measured = exponential_error(terms=terms, length=24)
    assert measured.estimate == found
    assert measured.parameters == {"kernel_terms": terms, "length": 24}


def test_a_sum_of_exponentials_is_matched():
    def kernel(d):
        return mpmath.exp(-d / mpmath.mpf(2)) + 2 * mpmath.exp(-d / mpmath.mpf(10))

    found, slopes = best_exponentials(kernel, 2, 30)
    assert found.upper < 1e-9
    assert found.lower <= found.upper
    assert slopes == pytest.approx([0.1, 0.5], rel=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: best_combination(KERNEL, np.ones((2, 24))), "use fewer"),
        (lambda: best_combination(np.full(24, math.nan), np.ones((1, 24))), "finite"),
        (lambda: best_combination(KERNEL, np.full((1, 24), math.inf)), "finite"),
        (lambda: best_combination(KERNEL[:2], np.eye(2)), "T > k"),
        (lambda: best_exponentials(reciprocal, 0, 24), "use length"),
        (lambda: best_exponentials(reciprocal, 2, 4), "use length=5"),
        (lambda: head_errors(KERNEL, [0.5, 0.5]), "slopes farther apart"),
        (lambda: constant_error(length=1), "T > k"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
