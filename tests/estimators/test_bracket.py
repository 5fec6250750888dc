"""Exactly solvable cases of the bracket, to 1e-9."""

import itertools
import math

import numpy as np
import pytest

from estimators.bracket import bracket, judge, paired_difference
from estimators.estimate import Estimate
from estimators.features import template
from estimators.hypotheses import Constraints, Effort, Frozen
from estimators.hypotheses_query import Query
from estimators.signs import all_sign_classes, draw_signs
from estimators.supremum.ascent import pool_values
from theory.bound import Relation
from theory.encodings import ENCODINGS, parse

TOKENS = np.random.default_rng(5).standard_normal((7, 4, 2))


def enumerated(hypotheses, **options):
    return bracket(hypotheses, all_sign_classes(len(hypotheses.keys)), enumerated=True, **options)


def frozen_by_hand(keys, values, bias, ball):
    """(1/n) E |sum_i eps_i a_i(0)| over all 2^n sign vectors, in plain Python loops over NumPy rows."""
    weights = np.exp(bias) / np.exp(bias).sum()
    outputs = [weights @ one for one in values]
    norm = np.linalg.norm if ball == "l2" else (lambda vector: np.abs(vector).max())
    total = sum(
        norm(sum(sign * output for sign, output in zip(signs, outputs, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(outputs))
    )
    return total / 2 ** len(outputs) / len(outputs)


@pytest.mark.parametrize("ball", ["l2", "l1"])
@pytest.mark.parametrize("name", ENCODINGS)
def test_frozen_equals_enumeration(name, ball):
    arrays = [np.asarray(a) for a in template(parse(name, dim=2, train_length=4), TOKENS)]
    found = enumerated(Frozen(*arrays, Constraints(3.0, 1.0, ball)), ball=ball).estimate
    expected = 3.0 * frozen_by_hand(*arrays, ball)
    assert found.lower <= expected * (1 + 1e-12)
    assert expected * (1 - 1e-12) <= found.upper
    assert found.upper - found.lower < 1e-9 * expected


@pytest.mark.parametrize("ball", ["l2", "l1"])
@pytest.mark.parametrize("name", ["none", "alibi", "sinusoidal", "rotary"])
def test_zero_logit_norm_equals_frozen(name, ball):
    arrays = [np.asarray(a) for a in template(parse(name, dim=2, train_length=4), TOKENS)]
    frozen = enumerated(Frozen(*arrays, Constraints(1.0, 1.0, ball)), ball=ball).estimate
    query = enumerated(Query(*arrays, Constraints(1.0, 0.0, ball)), ball=ball).estimate
    assert query.lower == pytest.approx(frozen.lower, abs=1e-9)
    assert query.upper == pytest.approx(frozen.upper, abs=1e-9)


@pytest.mark.parametrize("n", [1, 2, 5, 10, 14])
def test_identical_inputs_are_a_random_walk(n):
    one = np.random.default_rng(n).standard_normal((1, 3, 2))
    tokens = np.repeat(one, n, axis=0)
    found = enumerated(Frozen(tokens, tokens, np.zeros(3), Constraints(2.0))).estimate
    expected = 2.0 * np.linalg.norm(one[0].mean(0)) * math.comb(n - 1, (n - 1) // 2) / 2 ** (n - 1)
    assert found.lower == pytest.approx(expected, abs=1e-9)
    assert found.upper == pytest.approx(expected, abs=1e-9)


def test_identical_inputs_query_scales_the_longest_output():
    """S_eps = (sum eps) a(w): the supremum is |sum eps| max_w |a(w)|, and w does not depend on the signs."""
    tokens = np.repeat(np.random.default_rng(0).standard_normal((1, 3, 2)), 6, axis=0)
    found = enumerated(Query(tokens, tokens, np.zeros(3)), effort=Effort(gap=1e-3)).estimate
    single = enumerated(Query(tokens[:1], tokens[:1], np.zeros(3)), effort=Effort(gap=1e-6)).estimate
    walk = math.comb(5, 2) / 2**5
    assert found.lower <= single.upper * walk * (1 + 1e-9)
    assert found.upper >= single.lower * walk * (1 - 1e-9)
    assert found.upper / found.lower < 1.002


def test_finite_pool_obeys_massart():
    """E max over a finite pool of queries with u fixed, enumerated, against r sqrt(2 ln |A|)/n, and its twin / 100."""
    head = Query(TOKENS, TOKENS, np.zeros(4)).head
    pool = np.random.default_rng(1).standard_normal((20, 2))
    from estimators.attention import head_outputs

    values = np.asarray(head_outputs(head, pool))[..., 0]  # (pool, n): first coordinate, u = e_1
    signs = np.concatenate([all_sign_classes(7), -all_sign_classes(7)])
    mean = (signs @ values.T).max(axis=1).mean() / 7
    massart = np.linalg.norm(values, axis=1).max() * math.sqrt(2 * math.log(20)) / 7
    assert mean <= massart
    assert mean > massart / 100
    both = pool_values(head, signs, pool, "l1")
    assert (both.max(axis=1) >= (signs @ values.T).max(axis=1) - 1e-12).all()


def test_sampled_interval_contains_the_enumerated_value():
    hypotheses = Query(TOKENS, TOKENS, np.zeros(4))
    exact = enumerated(hypotheses).estimate
    sampled = bracket(hypotheses, draw_signs(0, 4000, 7), enumerated=False)
    assert sampled.estimate.lower <= exact.upper
    assert exact.lower <= sampled.estimate.upper
    assert 0 < sampled.sampling_halfwidth < 0.05
    assert exact.confidence == 1.0


def test_paired_difference_contains_the_exact_one_and_is_narrower():
    bias = -0.7 * np.arange(4.0)[::-1]
    first, second = Query(TOKENS, TOKENS, bias), Query(TOKENS, TOKENS, np.zeros(4))
    exact = paired_difference(enumerated(first), enumerated(second), 0.99)
    signs = draw_signs(3, 4000, 7)
    one, two = (bracket(h, signs, enumerated=False) for h in (first, second))
    sampled = paired_difference(one, two, 0.99)
    assert sampled.lower <= exact.upper
    assert exact.lower <= sampled.upper
    unpaired = (one.estimate.upper - two.estimate.lower) - (one.estimate.lower - two.estimate.upper)
    assert sampled.upper - sampled.lower < unpaired
    with pytest.raises(ValueError, match="same sign vectors"):
        paired_difference(one, enumerated(second), 0.99)


@pytest.mark.parametrize(
    ("value", "relation", "verdict"),
    [
        (3.0, Relation.AT_MOST, "holds"),
        (2.0, Relation.AT_MOST, "holds"),
        (1.5, Relation.AT_MOST, "undecided"),
        (0.5, Relation.AT_MOST, "violated"),
        (0.5, Relation.AT_LEAST, "holds"),
        (1.5, Relation.AT_LEAST, "undecided"),
        (2.5, Relation.AT_LEAST, "violated"),
    ],
)
def test_verdicts_compare_intervals(value, relation, verdict):
    assert judge(value, relation, Estimate(1.0, 2.0, 0.99, "test")).verdict == verdict


def test_signs_do_not_depend_on_how_many_are_drawn():
    assert (draw_signs(1, 100, 9)[40:] == draw_signs(1, 60, 9, first=40)).all()
    assert abs(draw_signs(1, 4000, 9).mean()) < 0.02


def test_hand_made_bad_arrays_are_refused():
    with pytest.raises(ValueError, match="finite"):
        enumerated(Query(TOKENS * np.nan, TOKENS, np.zeros(4)))
    with pytest.raises(ValueError, match="masked"):
        enumerated(Query(TOKENS, TOKENS, np.full(4, -np.inf)))
    with pytest.raises(ValueError, match="signs must have shape"):
        bracket(Query(TOKENS, TOKENS, np.zeros(4)), np.ones((3, 5)), enumerated=False)


def test_masked_tokens_are_ignored():
    bias = np.array([-np.inf, 0.0, 0.0, 0.0])
    masked = enumerated(Query(TOKENS, TOKENS, bias)).estimate
    dropped = enumerated(Query(TOKENS[:, 1:], TOKENS[:, 1:], np.zeros(3))).estimate
    assert (masked.lower, masked.upper) == (dropped.lower, dropped.upper)
