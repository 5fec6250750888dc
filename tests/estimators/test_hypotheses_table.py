"""The class with a learned table against dense grids and random search in plain NumPy, and against exact cases."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from learned_oracle import NORMS, bias_oracle, table_oracle

from estimators.bracket import bracket, judge
from estimators.hypotheses import Constraints, Effort
from estimators.hypotheses_learned import learned
from estimators.hypotheses_table import LearnedTable
from estimators.signs import all_sign_classes
from theory.encodings import parse

TOKENS = np.random.default_rng(3).standard_normal((5, 4, 1))


def check_bounds(made, found):
    for key, judged in found.bounds.items():
        relation = made.bounds[key]("l2").relation
        wrong = judged.value / 100 if relation.value == "<=" else judged.value * 100
        assert judged.verdict == "holds", key
        assert judge(wrong, relation, found.estimate).verdict == "violated", key


@pytest.mark.parametrize(("ball", "length", "dim"), [("l2", 2, 1), pytest.param("l1", 3, 2, marks=pytest.mark.slow)])
def test_table_without_logits_is_exact(ball, length, dim):
    """B_w = 0: f = <u, mean_j (x_ij + p_j)>, so the supremum is (h(S_0) + |sum eps| rho / sqrt T)/n."""
    tokens = np.random.default_rng(4).standard_normal((5, length, dim))
    signs, encoding = all_sign_classes(5), parse("learned", dim=dim, train_length=length)
    made = learned(encoding, tokens, Constraints(2.0, 0.0, ball), encoding_radius=0.7, around="zero")
    total = signs @ tokens.mean(axis=1)
    expected = 2.0 * (NORMS[ball](total) + np.abs(signs.sum(axis=1)) * 0.7 / math.sqrt(length)) / 5
    found = made.suprema(signs, Effort())
    assert found.lower == pytest.approx(expected, rel=1e-6)
    assert found.upper == pytest.approx(expected, rel=1e-9)
    assert (found.lower <= expected * (1 + 1e-12)).all()


@pytest.mark.parametrize("radius", [0.2, 1.0])
def test_small_table_holds_a_dense_grid(radius):
    """T = 2, d = 1: three parameters, on a grid of the disc and of the interval."""
    tokens, signs = TOKENS[:, :2], all_sign_classes(5)
    angle, size, query = (
        part.ravel()
        for part in np.meshgrid(np.linspace(0, 2 * np.pi, 97), np.linspace(0, radius, 5), np.linspace(-1.0, 1.0, 41))
    )
    tables = (size[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1))[..., None]
    value = table_oracle(tokens, signs, query[:, None], tables)
    made = learned(parse("learned", dim=1, train_length=2), tokens, Constraints(1.0, 1.0),
                   encoding_radius=radius, around="zero")  # fmt: skip
    found = made.suprema(signs, Effort())
    assert (value <= found.upper * (1 + 1e-12)).all()
    assert (found.lower >= value * (1 - 1e-9)).all()
    assert (found.lower <= value * 1.01 + 1e-9).all()
    if radius == 1.0:  # a twin that forgets the table is caught
        assert (value > dataclasses.replace(made, table_radius=0.0).suprema(signs, Effort()).upper).any()


@pytest.mark.parametrize("keys_only", [False, True])
def test_bounds_of_a_table_hold_and_their_twins_are_violated(keys_only):
    encoding = parse("legendre", dim=1, train_length=2)
    made = learned(encoding, TOKENS[:, :2], Constraints(1.0, 0.5), encoding_radius=1.0, keys_only=keys_only)
    assert isinstance(made, LearnedTable)
    found = bracket(made, all_sign_classes(5), enumerated=True)
    assert found.estimate.lower > 0
    check_bounds(made, found)


def test_keys_only_table_holds_random_parameters():
    """Values stay the tokens; relative vectors are such a table, read by distance."""
    tokens, signs, rng = TOKENS[:, :2], all_sign_classes(5), np.random.default_rng(0)
    made = learned(parse("relative:clip_distance=4", dim=1, train_length=2), tokens, encoding_radius=1.0, around="zero")
    assert isinstance(made, LearnedTable)
    assert made.keys_only
    found = made.suprema(signs, Effort())
    queries = rng.uniform(-1, 1, (20_000, 1))
    tables = rng.standard_normal((20_000, 2))
    tables /= np.maximum(np.linalg.norm(tables, axis=1, keepdims=True), 1)
    # <w, x_j + p_j>: a bias row w p_j for keys of one channel.
    value = bias_oracle(tokens, signs, queries, queries * tables)
    assert (value <= found.upper * (1 + 1e-12)).all()
    assert (found.lower >= value * 0.999).all()
    assert (found.lower <= value * 1.02).all()


def test_every_gradient_obeys_the_constant_of_u6():
    """|d f/d P|_F <= |u| (1 + sqrt2/4 D B_w) by central differences; a constant without the logit part is caught."""
    rng, step = np.random.default_rng(9), 1e-6
    worst = 0.0
    for _ in range(60):
        tokens, table, query = 3 * rng.standard_normal((3, 1)), rng.standard_normal((3, 1)), 6 * rng.standard_normal(1)

        def value(moved, tokens=tokens, query=query):
            points = tokens + moved
            weights = np.exp(points @ query - (points @ query).max())
            return float(weights @ points[:, 0] / weights.sum())

        moves = [np.eye(3)[j][:, None] * step for j in range(3)]
        gradient = np.array([(value(table + move) - value(table - move)) / (2 * step) for move in moves])
        spread = max(abs(a - b) for a, b in itertools.combinations((tokens + table)[:, 0], 2))
        assert np.linalg.norm(gradient) <= 1 + math.sqrt(2) / 4 * spread * np.linalg.norm(query) + 1e-6
        worst = max(worst, float(np.linalg.norm(gradient)))
    assert worst > 1.1
