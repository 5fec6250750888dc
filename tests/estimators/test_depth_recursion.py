"""Largest weighted means against exact fractions, recursions against closed forms, networks against both."""

import dataclasses
import math
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.claim import checks, overall
from estimators.claims.extrapolation_depth import CLAIMS
from estimators.depth_heads import diameter
from estimators.depth_plain import gradients, network, runs, truncation
from estimators.depth_recursion import alibi_mass, largest_means, plain_errors, plain_gradients
from estimators.verdict import judge_bound
from theory import extrapolation, extrapolation_depth
from theory.box_tilted import box_tilted_maximum
from theory.notation import SYMBOLS

few = settings(max_examples=25, deadline=None)
CONSTANTS = {"slope": 0.3, "logit_bound": 0.4, "value_norm": 0.7}


@few
@given(
    st.lists(st.tuples(st.integers(0, 9), st.floats(-3, 3)), min_size=1, max_size=7),
    st.floats(0, 2),
    st.integers(0, 3),
)
def test_largest_means_in_exact_fractions(keys, bound, hidden):
    errors, bias = [e for e, _ in keys], [b for _, b in keys]
    low, high = ([Fraction(math.exp(b + sign * bound)) for b in bias] for sign in (-1, 1))
    truth = box_tilted_maximum(errors, low, high)[0]
    row = np.array(bias + [-np.inf] * hidden)[None]
    found = largest_means(row, bound, np.array([*errors, *[50] * hidden], dtype=float))
    assert float(truth) <= found[0] <= float(truth) * (1 + 1e-9) + 1e-300


def test_largest_means_of_several_queries_and_of_heavy_biases():
    errors, bias = np.array([3.0, 0.0, 1.0]), np.array([[0.0, -1.0, 2.0], [-np.inf, -1.0, 2.0]])
    together = largest_means(bias, np.array([0.5, 2.0]), errors)
    apart = [largest_means(bias[:1], 0.5, errors)[0], largest_means(bias[1:], 2.0, errors)[0]]
    np.testing.assert_allclose(together, apart, rtol=1e-15)
    np.testing.assert_allclose(largest_means(bias + 800.0, 1.0, errors), largest_means(bias, 1.0, errors), rtol=1e-12)
    assert largest_means(bias, 400.0, errors) == pytest.approx([3.0, 1.0], rel=1e-9)


@few
@given(st.integers(1, 4), st.integers(1, 12))
def test_recursions_lie_below_their_closed_forms(layers, kept):
    found = plain_errors(layers=layers, kept=kept, token_norm=2.0, layer_lipschitz=1.5, **CONSTANTS)
    words = {"alibi_slope": 0.3, "logit_bound": 0.4, "value_operator_norm": 0.7, "layer_lipschitz": 1.5}
    closed = extrapolation_depth.depth_closed_form(layers).safe(window=kept, token_norm=2, **words)
    assert 0 < found[-1, -1] <= closed * (1 + 1e-9)
    spread = plain_gradients(layers=layers, reach=kept + 1, layer_lipschitz=1.5, **CONSTANTS)
    bound = extrapolation_depth.gradient_closed_form(layers).safe(distance=kept, **words)
    assert 0 < spread[-1, -1] <= bound * (1 + 1e-9)
    for w in (1, kept):
        mass = extrapolation.alibi_tail_mass_any_length().evaluate(alibi_slope=0.3, logit_bound=0.4, window=w)
        assert alibi_mass(0.3, 0.4, w) == pytest.approx(mass, rel=1e-12)


def plain(layers=2, dim=2, radius=0.0, seed=0, length=9):
    rng = np.random.default_rng(seed)
    A, V = rng.normal(size=(2, layers, dim, dim)) / 2
    return network(A.tolist(), V.tolist(), 0.4, 1.2, radius), rng.normal(size=(length, dim))


@pytest.mark.parametrize("radius", [0.0, 1.0])
def test_plain_layers_by_loops(radius):
    made, x = plain(radius=radius)
    found = runs(made, x)
    for A, V, before, after in zip(made.interactions, made.values, found, found[1:], strict=False):
        for i, query in enumerate(before):
            scores = [math.exp(before[j] @ A @ query - 0.4 * (i - j)) for j in range(i + 1)]
            mean = sum(s * before[j] for j, s in enumerate(scores)) / sum(scores)
            y = 1.2 * (query + V @ mean)
            y *= min(1.0, radius / np.linalg.norm(y)) if radius else 1.0
            np.testing.assert_allclose(after[i], y, rtol=1e-12)


def test_derivatives_against_differences():
    made, x = plain(radius=1.5)
    found, h = gradients(made, x, range(9)), 1e-6
    for j in (0, 4, 8):
        for c in range(2):
            step = np.zeros_like(x)
            step[j, c] = h
            slope = (runs(made, x + step)[-1][-1] - runs(made, x - step)[-1][-1]) / (2 * h)
            np.testing.assert_allclose(found[j][:, c], slope, rtol=1e-5, atol=1e-9)


def test_errors_of_a_network_lie_below_the_recursion_at_every_number_of_tokens():
    made, x = plain(layers=3, radius=1.5, length=14)
    given_ = {"interactions": made.interactions.tolist(), "values": made.values.tolist(), "slope": 0.4}
    for kept in range(1, 15):
        found = truncation(tokens=x.tolist(), window=kept, gain=1.2, radius=1.5, **given_)
        words = found.parameters
        bounds = plain_errors(
            layers=3,
            kept=kept,
            slope=0.4,
            logit_bound=words["logit_bound"],
            value_norm=words["value_operator_norm"],
            token_norm=words["token_norm"],
            layer_lipschitz=1.2,
        )
        assert found.estimate.upper <= bounds[-1, -1]
    assert found.estimate.lower == 0.0


@pytest.mark.parametrize("name", CLAIMS)
def test_claims_stand_and_their_twins_fall(name):
    claim = CLAIMS[name]
    found = list(checks(name, claim))
    if not claim.true:
        assert overall(one.verdict for one in found) == "violated"
        return
    assert "violated" not in {one.verdict for one in found}
    assert "violated" in {one.verdict for one in checks(name, claim, factor=claim.twin)}
    assert not claim.tight or min(one.slack for one in found) <= 1 + 1e-6


@pytest.mark.parametrize(
    ("name", "word", "share"),
    [
        ("truncated-head", "tail_mass", 0.9),
        ("truncated-head", "value_operator_norm", 0.9),
        ("truncated-head", "key_sensitivity", 0.9),
        ("truncated-head", "query_sensitivity", 0.9),
        ("truncated-head", "attended_error", 0.9),
        ("depth-step", "own_error", 0.5),
        ("depth-step", "attended_error", 0.5),
        ("depth-step", "token_norm", 0.9),
        ("pre-norm-step", "mlp_lipschitz", 0.9),
        ("pre-norm-step", "heads_error", 0.9),
        ("pre-norm-step", "own_error", 0.9),
        ("norm-two-points", "token_distance", 0.9),
    ],
)
def test_no_term_of_a_step_can_be_smaller(name, word, share):
    claim = CLAIMS[name]
    bound = claim.statement()
    smaller = dataclasses.replace(
        bound, expression=bound.expression.subs(SYMBOLS[word], sp.Rational(str(share)) * SYMBOLS[word])
    )
    verdicts = set()
    for case in claim.cases(np.random.default_rng(0), False):
        found = claim.measure(**case)
        verdicts.add(judge_bound(smaller, found.parameters, found.estimate).verdict)
    assert "violated" in verdicts


def test_diameter_is_never_too_small():
    rng = np.random.default_rng(0)
    for size in (1e-9, 1.0, 1e6):
        x = rng.normal(size=(7, 3)) * size + 10
        truth = max(np.linalg.norm(a - b) for a in x for b in x)
        assert truth <= diameter(x) <= truth * (1 + 1e-6) + 1e-5


TOKENS, EYE = [[1.0, 0.0], [0.0, 1.0]], [[[1.0, 0.0], [0.0, 1.0]]]
PLAIN = {"tokens": TOKENS, "interactions": EYE, "values": EYE, "slope": 1.0, "window": 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tokens": [[math.nan, 0.0]]}, "finite"),
        ({"tokens": [[1.0]]}, "one row per token"),
        ({"values": [[[1.0]]]}, "one pair per layer"),
        ({"values": [[[math.inf, 0.0], [0.0, 1.0]]]}, "remove NaN"),
        ({"slope": 0.0}, "use slope=0.5"),
        ({"window": 0}, "keep that many tokens"),
        ({"window": 3}, "keep that many tokens"),
    ],
)
def test_bad_networks_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        truncation(**PLAIN | change)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: largest_means(np.full((1, 2), -np.inf), 1.0, np.ones(2)), "check the mask"),
        (lambda: largest_means(np.zeros((1, 2)), -1.0, np.ones(2)), "logit_bound"),
        (lambda: largest_means(np.zeros((1, 2)), 1.0, np.array([1.0, math.nan])), "nonnegative"),
        (lambda: plain_errors(layers=0, kept=1, token_norm=1.0, **CONSTANTS), "use layers=1"),
        (lambda: plain_errors(layers=1, kept=0, token_norm=1.0, **CONSTANTS), "keep at least"),
        (lambda: plain_gradients(layers=1, reach=0, **CONSTANTS), "depends on itself"),
        (lambda: alibi_mass(0.0, 1.0, 1), "use slope=0.5"),
        (lambda: alibi_mass(2.0, 1.0, 301), "use a smaller slope"),
        (lambda: plain_errors(layers=1, kept=1, token_norm=-1.0, **CONSTANTS), "pass upper bounds"),
        (lambda: plain_gradients(layers=1, reach=1, **CONSTANTS | {"value_norm": -1.0}), "pass upper bounds"),
    ],
)
def test_bad_numbers_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
