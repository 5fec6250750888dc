"""Classes that are sums over signs: all 2^n of them, Fractions, corners of the logits, quadrature in mpmath."""

import itertools
import math

import mpmath
import numpy as np
import pytest
import sympy as sp

from estimators.claim import Claim, check
from estimators.enumerated_classes import (
    equal_power,
    features,
    largest_power,
    linear_class,
    mean_power,
    norm_order,
    patterns,
    power_at,
    rank_one,
    relaxation,
    scaled_complexity,
)
from theory import rademacher_encodings

RNG = np.random.default_rng(0)
TOKENS = RNG.normal(size=(5, 4))


def by_signs(x):
    """E|sum eps_i x_i|/sqrt(n) over all 2^n signs, one at a time."""
    signs = itertools.product((-1, 1), repeat=len(x))
    return float(np.mean([np.linalg.norm(np.array(s) @ x) for s in signs])) / math.sqrt(len(x))


def sinusoidal(count, dim, scale):
    angles = np.arange(count)[:, None] * 10000.0 ** (-2 * np.arange(dim // 2) / dim)
    return np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(count, dim) * scale


def test_linear_class_with_a_scaled_table():
    x = TOKENS + sinusoidal(5, 4, math.sqrt(2.25 / 2))
    np.testing.assert_allclose(features(TOKENS, "sinusoidal", 2.25), x, atol=1e-12)
    np.testing.assert_array_equal(features(TOKENS, "alibi", 1.0), TOKENS)
    found = linear_class(tokens=TOKENS.tolist(), encoding="sinusoidal", power=2.25)
    assert found.estimate.lower == pytest.approx(by_signs(x), rel=1e-12)
    assert by_signs(TOKENS) in scaled_complexity(TOKENS)
    assert found.parameters["mean_power"] == pytest.approx(((x**2).sum() / 5,) * 2)
    # Khintchine: between the root mean power over sqrt 2 and itself
    power = math.sqrt((x**2).sum() / 5)
    assert power / math.sqrt(2) <= found.estimate.upper
    assert power / 100 < found.estimate.lower <= power


def test_ratio_at_equal_power():
    others = RNG.normal(size=(5, 4))
    found = equal_power(tokens=TOKENS.tolist(), others=others.tolist(), encodings=["none", "sinusoidal"])
    x, y = TOKENS, others + sinusoidal(5, 4, 1 / math.sqrt(2))
    true = by_signs(x) / math.sqrt((x**2).sum()) / (by_signs(y) / math.sqrt((y**2).sum()))
    assert found.estimate.lower == pytest.approx(true, rel=1e-11)
    assert true in found.estimate
    assert true * 1.001 not in found.estimate


@pytest.mark.parametrize("flips", [[1], [1, -1], [-1, -1, 1, -1, 1]])
def test_rank_one_codes_walk_on_a_line(flips):
    code, n = [0.6, -0.8, 2.0], len(flips)
    found = rank_one(code=code, flips=flips)
    walk = sum(math.comb(n, k) * abs(n - 2 * k) for k in range(n + 1)) / 2**n  # E|sum eps_i|
    true = walk * math.hypot(*code) / math.sqrt(n)
    assert true in found.estimate
    assert found.parameters == {"mean_power": pytest.approx(5.0), "sample_size": n}
    case = {"code": code, "flips": flips}
    claim = Claim(rademacher_encodings.rank_one_code, rank_one, lambda *_: [])
    assert check("", claim, case).verdict == "holds"
    assert check("", claim, case, factor=sp.Rational(99, 100)).verdict == "violated"


def test_order_of_norms_by_signs():
    found = norm_order(encodings=["legendre", "sinusoidal"], dim=4, length=6)
    sine = sinusoidal(6, 4, 1.0)
    legendre = np.polynomial.legendre.legvander(2 * np.arange(6) / 5 - 1, 3)
    true = by_signs(sine) - by_signs(legendre)
    assert found.estimate.lower == pytest.approx(true, abs=1e-12)
    assert found.parameters["first_bound"] == pytest.approx(math.sqrt(2))
    assert found.parameters["second_bound"] == pytest.approx(2.0)


def test_powers_of_codes():
    assert 4.0 in power_at(encoding="sinusoidal", dim=8, position=37, train_length=64).estimate
    power = sum(float(mpmath.legendre(k, 2 * 5 / 9 - 1)) ** 2 for k in range(6))
    found = power_at(encoding="legendre", dim=6, position=5, train_length=10).estimate
    assert power in found
    assert 1.001 * power not in found
    assert 6.0 in largest_power(encoding="legendre", dim=6, train_length=10).estimate
    mean = mean_power(encoding="legendre", dim=5, train_length=9).estimate
    true = mpmath.quad(lambda x: mpmath.fsum(mpmath.legendre(k, x) ** 2 for k in range(5)), [-1, 1]) / 2
    assert float(true) in mean
    assert mean.lower == pytest.approx(sum(1 / (2 * k + 1) for k in range(5)), rel=1e-9)


def hull(tokens, row, reach):
    """max and -min of every coordinate of the weighted means, over all corners of the logits."""
    above, below = [], []
    for x in tokens:
        radii = reach * np.linalg.norm(x - x.mean(axis=0), axis=1)
        means = []
        for corner in itertools.product((-1, 1), repeat=len(x)):
            raised = np.exp(row + np.array(corner) * radii)
            means.append(raised @ x / raised.sum())
        above.append(np.max(means, axis=0))
        below.append(-np.min(means, axis=0))
    return np.array(above), np.array(below)


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize(("encoding", "row"), [("none", np.zeros(3)), ("alibi:slope=1/2", np.array([-1.0, -0.5, 0.0]))])
def test_relaxed_class_over_all_signs_and_vertices(copies, encoding, row):
    tokens = RNG.normal(size=(2, 3, 2))
    found = relaxation(tokens=tokens.tolist(), encoding=encoding, logit_norm=0.7, readout_norm=3.0, copies=copies)
    above, below = (np.repeat(one, copies, axis=0) for one in hull(tokens, row, 0.7))
    values = []
    for signs in itertools.product((1, -1), repeat=2 * copies):
        best = 0.0
        for axis, turn in itertools.product(range(2), (1, -1)):
            terms = [above[i, axis] if s * turn > 0 else below[i, axis] for i, s in enumerate(signs)]
            best = max(best, float(np.mean(terms)))
        values.append(best)
    assert np.mean(values) * 3 == pytest.approx(found.estimate.lower, rel=1e-12)
    assert found.estimate.width < 1e-11
    half = ((above + below) / 2).sum(axis=0).max()
    assert found.parameters["half_range_sum"] == pytest.approx((half,) * 2)
    assert found.parameters["sample_size"] == 2 * copies
    assert found.parameters["repetitions"] == copies


@pytest.mark.parametrize("points", [1, 3, 5])
def test_patterns_by_their_definitions(points):
    line = range(points)
    families = {
        "thresholds": {tuple(1 if x < c else -1 for x in line) for c in range(points + 1)},
        "intervals": {
            tuple(1 if a <= x <= b else -1 for x in line) for a in range(points + 1) for b in range(-1, points)
        },
        "all": set(itertools.product((-1, 1), repeat=points)),
    }
    for family, rows in families.items():
        found = patterns(family=family, points=points)
        signs = itertools.product((-1, 1), repeat=points)
        true = float(np.mean([max(np.dot(s, row) for row in rows) for s in signs])) / points
        assert true in found.estimate, family
        assert found.parameters["vc_dimension"] == {"thresholds": 1, "intervals": 2, "all": points}[family]
    assert patterns(family="all", points=points).estimate.lower == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rank_one(code=[1.0], flips=[1, 0]), "use 1 and -1"),
        (lambda: rank_one(code=[math.nan], flips=[1]), "finite"),
        (lambda: linear_class(tokens=[1.0]), "one row per sample"),
        (lambda: linear_class(tokens=[[math.nan, 0.0]]), "one row per sample"),
        (lambda: linear_class(tokens=[[1.0, 0.0]], encoding="sinus"), "unknown encoding"),
        (lambda: equal_power(tokens=[[0.0]], others=[[1.0]], encodings=["none", "none"]), "move a token"),
        (lambda: patterns(family="circles", points=3), "use thresholds, intervals or all"),
        (lambda: patterns(family="all", points=0), "points"),
        (lambda: relaxation(tokens=np.ones((3, 2, 1)).tolist(), copies=1000), "use fewer samples or copies"),
        (lambda: relaxation(tokens=np.ones((3, 2, 1)).tolist(), copies=0), "copies"),
        (lambda: relaxation(tokens=np.ones((3, 2, 1)).tolist(), logit_norm=-1.0), "logit_norm"),
        (lambda: power_at(encoding="legendre", dim=2, position=9, train_length=9), "position"),
        (lambda: power_at(encoding="legendre", dim=2, position=-1, train_length=9), "position"),
        (lambda: largest_power(encoding="alibi", dim=2, train_length=9), "not additive"),
        (lambda: mean_power(encoding="alibi", dim=2, train_length=9), "not additive"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
