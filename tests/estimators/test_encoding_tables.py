"""Tables of codes by enumeration of their rows, and the closest sinusoidal codes over 10^6 positions."""

import itertools
import math

import mpmath
import numpy as np
import pytest

from estimators.encoding_tables import (
    closest_approach,
    code,
    distinct_rows,
    frequencies,
    gram_condition,
    sinusoidal_closest,
    table_report,
)


def squared(dim, lag):
    """|p_{t+k} - p_t|^2 from the codes themselves, in 30 digits."""
    with mpmath.workdps(30):
        total = mpmath.mpf(0)
        for i in range(dim // 2):
            w = mpmath.mpf(10000) ** (-mpmath.mpf(2 * i) / dim)
            total += (mpmath.sin(w * (lag + 5)) - mpmath.sin(w * 5)) ** 2 + (
                mpmath.cos(w * (lag + 5)) - mpmath.cos(w * 5)
            ) ** 2
        return total


@pytest.mark.parametrize(("dim", "known"), [(8, 169646), (16, 615746), (32, 1)])
def test_closest_sinusoidal_codes_up_to_a_million(dim, known):
    lag, distance = closest_approach(dim)
    assert lag == known
    with mpmath.workdps(30):
        true = mpmath.sqrt(squared(dim, known))
        assert mpmath.mpf(distance.lower) <= true <= mpmath.mpf(distance.upper)
    assert distance.width < 1e-15
    neighbour = float(mpmath.sqrt(squared(dim, 1)))
    if dim == 8:
        assert neighbour / distance.lower == pytest.approx(291, abs=0.5)
    assert distance.lower <= neighbour


@pytest.mark.parametrize("dim", [2, 4, 6])
def test_closest_approach_by_enumeration(dim):
    lags = np.arange(7, 3000)
    squares = (4 * np.sin(np.outer(10000.0 ** (-2 * np.arange(dim // 2) / dim) / 2, lags)) ** 2).sum(axis=0)
    lag, distance = closest_approach(dim, first=7, last=2999)
    assert lag == lags[squares.argmin()]
    assert distance.lower == pytest.approx(math.sqrt(squares.min()), rel=1e-9)
    assert sinusoidal_closest(dim=dim, first=7, last=2999).estimate == distance
    assert closest_approach(dim, first=7, last=7)[0] == 7


@pytest.mark.parametrize("seed", range(3))
def test_report_by_enumeration(seed):
    rows = np.random.default_rng(seed).normal(size=(7, 3))
    rows[4] = rows[2] + 1e-3
    found = table_report(rows)
    pairs = list(itertools.combinations(range(7), 2))
    distances = [math.dist(rows[i], rows[j]) for i, j in pairs]
    assert found.closest == pytest.approx(min(distances))
    assert found.closest_pair == pairs[int(np.argmin(distances))] == (2, 4)
    norm = np.linalg.norm
    cosines = [abs(rows[i] @ rows[j]) / (norm(rows[i]) * norm(rows[j])) for i, j in pairs]
    assert found.coherence == pytest.approx(max(cosines))
    assert found.rank == np.linalg.matrix_rank(rows) == 3
    assert found.condition == pytest.approx(np.linalg.cond(rows))
    assert found.distinct == 7


def test_report_of_dependent_and_equal_rows():
    rows = np.array([[1.0, 2.0], [2.0, 4.0], [1.0, 2.0], [0.0, 0.0]])
    found = table_report(rows)
    assert (found.rank, found.condition, found.distinct) == (1, math.inf, 3)
    assert (found.closest, found.closest_pair) == (0.0, (0, 2))
    assert found.coherence == pytest.approx(1.0)


def test_codes_have_mean_power_one_and_distinct_rows_are_counted():
    for name in ("sinusoidal", "legendre", "haar"):
        assert (code(name, 8, 16) ** 2).sum() / 16 == pytest.approx(1.0)
    found = distinct_rows(encoding="haar", dim=4, length=16, words=("dim",))
    rows = code("haar", 4, 16)
    assert found.estimate.lower == len({tuple(np.round(row, 9)) for row in rows}) < 16
    assert found.parameters == {"dim": 4}


@pytest.mark.parametrize("name", ["legendre", "cosine"])
def test_condition_of_the_gram_matrix(name):
    rows = code(name, 6, 20)
    eigenvalues = np.linalg.eigvalsh(rows.T @ rows)
    found = gram_condition(encoding=name, dim=6, length=20).estimate
    assert found.lower == pytest.approx(eigenvalues[-1] / eigenvalues[0], rel=1e-9)
    assert found.width < 1e-9 * found.lower
    assert 1.001 * found.upper not in found


def test_frequencies():
    np.testing.assert_allclose(frequencies(8), [1.0, 0.1, 0.01, 0.001], rtol=1e-14)
    np.testing.assert_allclose(frequencies(4, 100.0), [1.0, 0.1], rtol=1e-14)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: table_report(np.ones((1, 3))), "add positions"),
        (lambda: table_report(np.full((3, 3), math.nan)), "finite table"),
        (lambda: frequencies(7), "use dim=8"),
        (lambda: frequencies(0), "use dim=2"),
        (lambda: closest_approach(8, first=0), "use first=1"),
        (lambda: closest_approach(8, first=9, last=3), "use first=1"),
        (lambda: gram_condition(encoding="legendre", dim=8, length=4), "use a smaller dim"),
        (lambda: code("alibi", 4, 8), "not additive"),
        (lambda: code("sinusoid", 4, 8), "unknown encoding"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
