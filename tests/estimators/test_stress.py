"""Stress of embeddings of distributions: exact optima, classical MDS, and a search that must not beat the optimum."""

import math

import numpy as np
import pytest
import sympy as sp

from estimators.stress import (
    best_scaling_line,
    chords,
    full_dimension_fit,
    one_hot_optimum,
    one_hot_scaling,
    optimal_line,
    optimal_stress,
    scaling,
    scaling_against,
    scaling_stress,
    stress,
)
from theory import information_stress

WITNESS = [[-2 * math.sqrt(2) / 3], [0.0], [2 * math.sqrt(2) / 3]]


def draws(seed, count, outcomes=5):
    return np.random.default_rng(seed).dirichlet(np.full(outcomes, 0.5), size=count)


def test_three_one_hot_distributions():
    chord = chords(np.eye(3))
    assert chord[0, 1] == pytest.approx(math.sqrt(2))
    assert stress(np.array(WITNESS), chord) == pytest.approx(1 / 9, abs=1e-14)
    assert 1 / 9 in one_hot_optimum(position_count=3).estimate
    assert 1 / 6 in one_hot_scaling(position_count=3).estimate
    against = scaling_against(distributions=np.eye(3).tolist(), dim=1, embedding=WITNESS)
    assert against.estimate.lower > against.parameters["embedding_stress"] * 1.49


def test_best_eigenvector_is_found_among_all_directions():
    chord = chords(np.eye(3))
    angles = np.linspace(0, np.pi, 2000)
    basis = np.array([[1, -1, 0], [1, 1, -2]]) / np.sqrt([[2], [6]])
    every = [stress((np.cos(a) * basis[0] + np.sin(a) * basis[1])[:, None], chord) for a in angles]
    assert min(every) == pytest.approx(1 / 6, abs=1e-5)
    assert stress(best_scaling_line(chord), chord) <= min(every)


@pytest.mark.parametrize("count", [3, 4, 5, 6])
def test_one_hot_formulas(count):
    for statement, measure in (
        (information_stress.one_hot_optimum(), one_hot_optimum),
        (information_stress.one_hot_scaling(), one_hot_scaling),
    ):
        found = measure(position_count=count).estimate
        assert found.lower == pytest.approx(statement.evaluate(position_count=count), abs=1e-10)
        assert found.lower > statement.scaled(sp.Rational(1, 100)).evaluate(position_count=count)


@pytest.mark.parametrize("seed", range(4))
def test_search_comes_close_to_the_exact_line_and_never_below(seed):
    chord = chords(draws(seed, 5))
    best = stress(optimal_line(chord), chord)
    found = stress(optimal_stress(chord, 1, seed=seed), chord)
    assert best - 1e-12 <= found <= 1.6 * best
    assert best <= stress(best_scaling_line(chord), chord) + 1e-14


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_scaling_is_bounded_by_what_it_leaves_out(dim):
    rows = draws(7, 6).tolist()
    found = scaling_stress(distributions=rows, dim=dim)
    bound = information_stress.scaling_stress()
    share = found.parameters["unexplained_share"][1]
    assert found.estimate.upper <= bound.safe(unexplained_share=share)
    assert found.estimate.lower > bound.scaled(sp.Rational(1, 100)).safe(unexplained_share=share)
    chord = chords(rows)
    assert stress(optimal_stress(chord, dim), chord) < found.estimate.lower


def test_full_dimension_has_no_stress_whatever_the_distributions():
    for count in (2, 4, 6):
        for dim in (count - 1, count + 2):
            assert 1.0 in full_dimension_fit(distributions=draws(count, count, 9).tolist(), dim=dim).estimate
            assert scaling(chords(draws(count, count, 9)), dim)[1] == 0.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: chords([[1.0, 0.0]]), "at least two rows"),
        (lambda: chords([[1.0, 0.0], [-1.0, 2.0]]), "nonnegative"),
        (lambda: chords([[1.0, 0.0], [0.0, 0.0]]), "no distribution"),
        (lambda: chords([[1.0, 1.0], [2.0, 2.0]]), "all distributions are equal"),
        (lambda: scaling(chords(np.eye(3)), 0), "dim must be at least 1"),
        (lambda: one_hot_optimum(position_count=9), "too many"),
        (lambda: full_dimension_fit(distributions=np.eye(4).tolist(), dim=2), "need 3 dimensions"),
        (lambda: scaling_against(distributions=np.eye(3).tolist(), dim=1, embedding=[[0.0]]), "must have shape"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
