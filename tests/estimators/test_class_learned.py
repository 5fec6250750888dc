"""Classes with trained biases and tables against grids of their parameters and all 2^n signs."""

import itertools
import math

import numpy as np
import pytest
from learned_oracle import bias_oracle, table_oracle

from estimators.class_brackets import query_class
from estimators.class_learned import biases, inclusion, larger_class, table

SAMPLES, LENGTH, DIM = 3, 3, 2
SIGNS = np.array(list(itertools.product((-1.0, 1.0), repeat=SAMPLES)))
RNG = np.random.default_rng(0)
TOKENS = RNG.normal(size=(SAMPLES, LENGTH, DIM))
LINE = RNG.normal(size=(SAMPLES, LENGTH, 1))


def disc(radius, rings, angles):
    """Points of the disc, its edge included."""
    turns = np.linspace(0, 2 * math.pi, angles, endpoint=False)
    circle = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    return np.concatenate([[[0.0, 0.0]], *(radius * k / rings * circle for k in range(1, rings + 1))])


def mean(suprema, scale=1.0):
    return float(scale * np.mean(suprema))


def test_two_learned_biases_on_a_grid():
    found = biases(tokens=LINE.tolist(), buckets=[0, 1, 1], bias_bound=0.7, logit_norm=0.5, readout_norm=2.0)
    parameters = np.array(list(itertools.product(np.linspace(-0.5, 0.5, 41), np.linspace(-1.4, 1.4, 41))))
    rows = parameters[:, 1:] * np.array([1.0, 0.0, 0.0])
    true = mean(bias_oracle(LINE, SIGNS, parameters[:, :1], rows), 2.0)
    assert true <= found.estimate.upper
    assert found.estimate.lower <= true * 1.005
    assert found.parameters["bias_count"] == 2
    # Without the common shift: both buckets from -0.7 to 0.7 reach no more.
    pairs = np.array(list(itertools.product((-0.5, 0.0, 0.5), (-0.7, 0.0, 0.7), (-0.7, 0.0, 0.7))))
    rows = pairs[:, 1:2] * [1.0, 0.0, 0.0] + pairs[:, 2:] * [0.0, 1.0, 1.0]
    assert mean(bias_oracle(LINE, SIGNS, pairs[:, :1], rows), 2.0) <= found.estimate.upper


def test_a_learned_slope_on_a_grid_contains_the_fixed_one():
    case = {"tokens": LINE.tolist(), "logit_norm": 0.5}
    found = larger_class(encoding="alibi:slope=1/2", encoding_radius=0.25, **case)
    parameters = np.array(list(itertools.product(np.linspace(-0.5, 0.5, 41), np.linspace(0.25, 0.75, 41))))
    rows = parameters[:, 1:] * np.array([-2.0, -1.0, 0.0])
    true = mean(bias_oracle(LINE, SIGNS, parameters[:, :1], rows))
    assert true <= found.upper
    assert found.lower <= true * 1.005
    inside = inclusion(encoding="alibi:slope=1/2", encoding_radius=0.25, inside="alibi:slope=1/2", **case)
    assert inside.estimate == found
    assert inside.parameters["inner_complexity"][0] <= found.upper
    assert inside.parameters["inner_complexity"] == (
        query_class(encoding="alibi:slope=1/2", **case).estimate.lower,
        query_class(encoding="alibi:slope=1/2", **case).estimate.upper,
    )


def random_tables(radius, count):
    draws = RNG.normal(size=(count, LENGTH, DIM))
    return radius * draws / np.linalg.norm(draws, axis=(1, 2), keepdims=True)


def test_learned_table_at_zero_logits_is_attained_by_the_best_table():
    found = table(tokens=TOKENS.tolist(), table_norm=0.6, logit_norm=0.0, readout_norm=2.0)
    suprema = []
    for signs in SIGNS:  # P = table_norm times the direction of sum_i eps_i pi (sum_i eps_i a_i)^T
        still = signs @ TOKENS.mean(axis=1)
        best = np.outer(np.full(3, 1 / 3), signs.sum() * still)
        best *= 0.6 / np.linalg.norm(best)
        suprema.append(table_oracle(TOKENS, signs[None], np.zeros((1, DIM)), best[None])[0])
    true = mean(suprema, 2.0)
    assert true in found.estimate or true == pytest.approx(found.estimate.lower, rel=1e-13)
    assert found.estimate.width < 1e-13
    others = table_oracle(TOKENS, SIGNS, np.zeros((300, DIM)), random_tables(0.6, 300))
    assert mean(others, 2.0) <= found.estimate.upper


def test_learned_table_with_logits_is_between_its_ends():
    found = table(tokens=TOKENS.tolist(), table_norm=0.6, logit_norm=0.5).estimate
    queries = disc(0.5, 4, 12)
    tables = np.concatenate([random_tables(0.6, len(queries) - 1), np.zeros((1, LENGTH, DIM))])
    assert mean(table_oracle(TOKENS, SIGNS, queries, tables)) <= found.upper
    fixed = query_class(tokens=TOKENS.tolist(), logit_norm=0.5).estimate
    assert found.lower >= fixed.lower
    sizes = np.linalg.norm(TOKENS, axis=2).max(axis=1).sum() + SAMPLES * 0.6
    assert found.upper <= sizes / SAMPLES * (1 + 1e-9)
    turned = table(tokens=TOKENS.tolist(), table_norm=0.6, logit_norm=0.5, in_query=True)
    assert turned.estimate.upper <= sizes / SAMPLES * (1 + 1e-9)
    assert turned.parameters["query_maximum"] == pytest.approx((np.linalg.norm(TOKENS[:, -1], axis=1).max() + 0.6,) * 2)


CASE = {"tokens": TOKENS.tolist()}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: table(**CASE, table_norm=1.0, encoding="rotary"), "use an additive encoding"),
        (lambda: table(**CASE, table_norm=-1.0), "table_norm"),
        (lambda: biases(**CASE, buckets=[0, 1, 2], bias_bound=1.0), "use fewer buckets"),
        (lambda: biases(**CASE, buckets=[0, 1], bias_bound=1.0), "one bucket per token"),
        (lambda: table(**CASE, table_norm=math.nan), "table_norm"),
        (lambda: biases(**CASE, buckets=[0, 1, 1], bias_bound=-1.0), "bias_bound"),
        (
            lambda: inclusion(encoding="sinusoidal", encoding_radius=0.1, inside="none", **CASE),
            "no parameter that is linear in the logits",
        ),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
