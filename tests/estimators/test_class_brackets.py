"""Brackets of one-head classes against grids of queries, all 2^n signs and the oracles of learned parameters."""

import itertools
import math

import numpy as np
import pytest
import sympy as sp
from learned_oracle import NORMS, bias_oracle, outputs

from estimators.claim import Claim, check
from estimators.class_brackets import (
    case_pair,
    difference,
    frozen_class,
    head_class,
    on_sphere,
    query_class,
    quotient,
    relative,
)
from estimators.class_series import contraction, remainder, semigroup, taylor
from estimators.estimate import exact
from theory import rademacher_series

SAMPLES, LENGTH, DIM = 3, 3, 2
SIGNS = np.array(list(itertools.product((-1.0, 1.0), repeat=SAMPLES)))
RNG = np.random.default_rng(0)
TOKENS = RNG.normal(size=(SAMPLES, LENGTH, DIM))
LINE = RNG.normal(size=(SAMPLES, LENGTH, 1))
SLOPE = np.array([-1.0, -0.5, 0.0])  # alibi:slope=1/2, seen from the last of three positions


def disc(radius, rings=16, angles=48):
    """Points of the disc, its edge included."""
    turns = np.linspace(0, 2 * math.pi, angles, endpoint=False)
    circle = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    return np.concatenate([[[0.0, 0.0]], *(radius * k / rings * circle for k in range(1, rings + 1))])


def interval(radius, points=2001):
    return np.linspace(-radius, radius, points)[:, None]


def mean(suprema, scale=1.0):
    return float(scale * np.mean(suprema))


@pytest.mark.parametrize("ball", ["l2", "l1"])
@pytest.mark.parametrize(("encoding", "row"), [("none", np.zeros(3)), ("alibi:slope=1/2", SLOPE)])
def test_query_class_on_a_grid_of_queries(ball, encoding, row):
    found = query_class(tokens=TOKENS.tolist(), encoding=encoding, logit_norm=1.0, readout_norm=3.0, readout_ball=ball)
    true = mean(bias_oracle(TOKENS, SIGNS, disc(1.0), np.broadcast_to(row, (len(disc(1.0)), 3)), ball), 3.0)
    # The grid attains nearly all of the supremum; branch and bound leaves 0.1 %.
    assert true <= found.estimate.upper
    assert found.estimate.lower <= true * 1.003
    assert found.estimate.width < 2e-3 * true
    assert found.arguments == {"ball": ball}
    sizes = np.linalg.norm(TOKENS, axis=2)
    assert found.parameters["value_maximum"] == pytest.approx((sizes.max(),) * 2)
    assert found.parameters["sample_size"] == SAMPLES
    apart = [max(math.dist(a, b) for a in x for b in x) for x in TOKENS]
    assert found.parameters["value_diameter_energy"] == pytest.approx((sum(d**2 for d in apart),) * 2)


def test_scalar_query_class_is_certified_by_a_fine_grid():
    found = query_class(tokens=LINE.tolist(), logit_norm=2.0).estimate
    grid = interval(2.0)
    true = mean(bias_oracle(LINE, SIGNS, grid, np.zeros((len(grid), 3))))
    step = 4.0 / (len(grid) - 1)
    slope = float((np.ptp(LINE[..., 0], axis=1) ** 2 / 4).mean())  # |d a_i/dw| <= variance
    assert true <= found.upper
    assert found.lower <= true + step / 2 * slope


def test_products_of_queries_and_keys():
    queries = RNG.normal(size=(SAMPLES, 1))
    found = query_class(tokens=TOKENS.tolist(), queries=queries.tolist(), logit_norm=0.8)
    grid = disc(0.8)
    logits = np.einsum("md,n,ntd->mnt", grid, queries[:, 0], TOKENS)
    sums = np.einsum("kn,mnd->kmd", SIGNS, outputs(TOKENS, TOKENS, logits))
    true = mean(NORMS["l2"](sums).max(axis=1), 1 / SAMPLES)
    assert true <= found.estimate.upper
    assert found.estimate.lower <= true * 1.003
    assert (found.parameters["rows"], found.parameters["columns"], found.parameters["rank"]) == (1, 2, 1)


@pytest.mark.parametrize("ball", ["l2", "l1"])
def test_frozen_class_over_all_signs(ball):
    found = frozen_class(
        tokens=TOKENS.tolist(), encoding="alibi:slope=1/2", logit_norm=5.0, readout_norm=2.0, readout_ball=ball
    )
    weights = np.exp(SLOPE) / np.exp(SLOPE).sum()
    still = np.einsum("t,ntd->nd", weights, TOKENS)
    true = mean(NORMS[ball](SIGNS @ still), 2.0 / SAMPLES)
    assert true in found.estimate
    assert found.estimate.width < 1e-13
    energy = (still**2).sum(axis=0)
    assert found.parameters["frozen_energy"] == pytest.approx((energy.sum() if ball == "l2" else energy.max(),) * 2)


def test_difference_quotient_and_cache():
    first, second = case_pair(["none", "alibi:slope=1/2"], tokens=TOKENS.tolist(), logit_norm=1.0)
    gap = difference(first, second)
    assert gap.lower <= first.estimate.upper - second.estimate.lower
    assert gap.upper >= first.estimate.lower - second.estimate.upper
    assert gap.lower == pytest.approx((first.lower - second.upper).mean(), abs=1e-12)
    assert gap.upper == pytest.approx((first.upper - second.lower).mean(), abs=1e-12)
    assert difference(first, first).lower <= 0 <= difference(first, first).upper
    assert head_class(tokens=TOKENS, encoding="none", logit_norm=1.0) is first
    assert quotient(exact(6.0, 0.1), exact(2.0, 0.1)).lower == pytest.approx(5.9 / 2.1)
    assert quotient(exact(6.0, 0.1), exact(2.0, 0.1)).upper == pytest.approx(6.1 / 1.9)
    assert quotient(exact(1.0), exact(0.0, 0.1)).upper == math.inf
    assert np.linalg.norm(on_sphere(TOKENS), axis=2) == pytest.approx(np.ones((3, 3)))
    low, high = relative(2.0)
    assert low < 2.0 < high < low * (1 + 1e-6)


@pytest.mark.parametrize(
    ("statement", "measure", "choice"),
    [
        (rademacher_series.taylor_bombieri, taylor, {"order": 2}),
        (rademacher_series.division_free, contraction, {"mixing": 0.5, "kept": 2}),
        (rademacher_series.semigroup, semigroup, {}),
        (rademacher_series.remainder_semigroup, remainder, {"mixing": 0.25}),
    ],
)
def test_series_bounds_hold_and_their_twins_fail(statement, measure, choice):
    case = {"tokens": TOKENS.tolist(), "logit_norm": 0.25, **choice}
    claim = Claim(statement, measure, lambda *_: [])
    one = check("", claim, case)
    assert one.verdict == "holds"
    assert check("", claim, case, factor=sp.Rational(1, 100)).verdict == "violated"
    true = mean(bias_oracle(TOKENS, SIGNS, disc(0.25), np.zeros((len(disc(0.25)), 3))))
    assert one.lower <= true * 1.003
    assert true <= one.upper
    assert true <= one.bound


def test_linear_part_of_the_series_by_its_own_oracle():
    from series_oracle import centre, trust_region

    head = centre(TOKENS, TOKENS, np.zeros(LENGTH))
    for word, slope, measured in (
        ("taylor", 1.0, taylor(tokens=TOKENS.tolist(), logit_norm=0.25, order=2)),
        ("contraction", 0.5, contraction(tokens=TOKENS.tolist(), logit_norm=0.25, mixing=0.5, kept=1)),
    ):
        true = [
            trust_region(signs @ head.start, slope * np.tensordot(signs, head.slopes, axes=(0, 0)), 0.25)
            for signs in SIGNS
        ]
        assert measured.parameters["trust_region_mean"] == pytest.approx(np.mean(true), rel=1e-6), word
        assert measured.parameters["trust_region_mean"] >= np.mean(true) * (1 - 1e-9)


CASE = {"tokens": TOKENS.tolist()}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: head_class(tokens=[[1.0]]), "use fewer samples"),
        (lambda: head_class(tokens=np.zeros((13, 2, 1))), "use fewer samples"),
        (lambda: head_class(tokens=[[[math.nan]]]), "finite"),
        (lambda: head_class(**CASE, encoding="alibbi"), "unknown encoding"),
        (lambda: head_class(**CASE, logit_norm=-1.0), "at least 0"),
        (lambda: head_class(**CASE, queries=[[1.0]]), "one row a sample"),
        (lambda: on_sphere([[0.0, 0.0]]), "move it"),
        (lambda: quotient(exact(1.0), exact(0.0)), "not all 0"),
        (lambda: taylor(**CASE, order=2, logit_norm=50.0), "use a smaller one"),
        (lambda: taylor(**CASE, order=99, logit_norm=0.1), "order"),
        (lambda: semigroup(**CASE, logit_norm=0.0), "above 0"),
        (lambda: remainder(**CASE, mixing=0.3, logit_norm=0.5), "mixing"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
