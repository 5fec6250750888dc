"""The Transformer class in brackets: every encoding and wiring, exactly solvable cases, attacks, falsified twins."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from estimators.bracket import bracket, evaluate
from estimators.hypotheses import Constraints, Effort
from estimators.hypotheses_query import bilinear
from estimators.hypotheses_transformer import TransformerHypotheses, transformer_hypotheses
from estimators.layer_features import layer_features
from estimators.signs import all_sign_classes, draw_signs
from estimators.supremum.forward_error import attained
from estimators.supremum.norm_balls import random_point
from estimators.supremum.transformer_ascent import transformer_witness
from estimators.transformer import Architecture, Parameters, forward
from theory.encodings import ENCODINGS, parse
from theory.rademacher import khintchine

N, T, D = 4, 4, 2
TOKENS = np.random.default_rng(0).standard_normal((N, T, D))
SIGNS = all_sign_classes(N)
PLAIN = Architecture(dim=D, layers=2, value_norm=0.3, logit_norm=0.4)
EFFORT = Effort(iterations=8)
WIRINGS = {
    "two heads": Architecture(dim=D, heads=2, value_norm=0.4),
    "spectral": Architecture(dim=D, ball="spectral", normalise=True, causal=False),
    "rank, mlp": Architecture(dim=D, heads=2, ball="rank", mlp_width=3, normalise=True),
    "no residual": Architecture(dim=D, heads=2, residual=False, value_norm=0.8),
}
NORM = 1.7


def make(name, architecture=PLAIN, **options):
    encoding = parse(name, dim=D, train_length=T, heads=architecture.heads)
    return transformer_hypotheses(encoding, TOKENS, Constraints(NORM), architecture, **options)


def enumerated(hypotheses, effort=EFFORT):
    return bracket(hypotheses, SIGNS, enumerated=True, effort=effort)


def random_parameters(architecture, count, seed=1):
    rng = np.random.default_rng(seed)
    blocks = zip(architecture.balls, architecture.shapes, strict=True)
    return (
        [Parameters(*(random_point(ball, rng, shape) for ball, shape in blocks))]
        if count == 1
        else [random_parameters(architecture, 1, seed + s)[0] for s in range(count)]
    )


def check_against_search(hypotheses, found, count=100):
    """Ends in order, and above what random feasible parameters attain; a hundredth of them is not."""
    outputs = np.array(
        [
            np.asarray(forward(hypotheses.architecture, hypotheses.features, p))
            for p in random_parameters(hypotheses.architecture, count)
        ]
    )
    assert np.all(NORM * np.linalg.norm(outputs, axis=2) <= hypotheses.largest_values)
    values = NORM / N * np.linalg.norm(np.einsum("kn,mnd->kmd", SIGNS, outputs), axis=2).max(axis=1)
    assert np.all(values <= found.suprema.upper)
    assert np.all(found.suprema.lower <= found.suprema.upper)
    assert min(found.certificates.values()) >= max(values.mean(), found.suprema.lower.mean())
    # The search is better than random parameters, so its lower end is no trivial one.
    assert found.estimate.lower >= 0.98 * values.mean()
    assert found.estimate.lower <= found.estimate.upper
    assert all(judged.verdict == "holds" for judged in found.bounds.values())
    assert min(found.certificates.values()) / 100 < values.mean()
    assert found.suprema.upper.mean() / 100 < values.mean()


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_encoding_is_bracketed(name):
    hypotheses = make(name)
    found = enumerated(hypotheses)
    check_against_search(hypotheses, found, 40)
    assert found.estimate.confidence == 1.0
    assert hypotheses.failed_restarts == 0
    # Bounds of the depth class are judged exactly where they were proved.
    plain = not (hypotheses.features.turned or hypotheses.features.shifted)
    assert (set(found.bounds) == {"khintchine", "U7-depth", "covering-depth"}) == plain
    assert ("U12-paths" in found.certificates) == plain
    # Twin: the frozen path alone is exceeded, so what the certificates add to it is needed.
    frozen = NORM / N * np.linalg.norm(SIGNS @ hypotheses.tokens[:, -1], axis=1).mean()
    assert frozen < found.estimate.lower < min(found.certificates.values())


@pytest.mark.parametrize("wiring", WIRINGS)
def test_every_wiring_is_bracketed(wiring):
    hypotheses = make("alibi", WIRINGS[wiring])
    found = enumerated(hypotheses)
    check_against_search(hypotheses, found)
    assert found.bounds == {}
    assert ("one-layer" in found.certificates) == (wiring != "rank, mlp")
    assert evaluate(khintchine("l2"), hypotheses.statistics) <= found.suprema.upper.mean()


@pytest.mark.parametrize("residual", [True, False])
def test_without_logits_one_layer_is_exact(residual):
    """W = 0: |S_x| + nu sum_h |S^h(0)|, S^h(0) means by the bias alone."""
    architecture = Architecture(dim=D, heads=2, logit_norm=0.0, value_norm=0.6, residual=residual)
    hypotheses = make("alibi", architecture)
    found = enumerated(hypotheses, Effort(iterations=20))
    weights = np.exp(np.asarray(hypotheses.features.bias)[:, -1])
    means = np.einsum("ht,ntd->hnd", weights / weights.sum(axis=1, keepdims=True), TOKENS)
    exact = 0.6 * np.linalg.norm(np.einsum("kn,hnd->khd", SIGNS, means), axis=2).sum(axis=1).mean()
    exact += residual * np.linalg.norm(SIGNS @ TOKENS[:, -1], axis=1).mean()
    assert found.certificates["one-layer"] == pytest.approx(NORM / N * exact, rel=1e-8)
    assert found.estimate.lower == pytest.approx(NORM / N * exact, rel=1e-3)
    assert found.estimate.lower <= NORM / N * exact <= found.estimate.upper
    floor = evaluate(khintchine("l2"), hypotheses.statistics)
    assert 0.5 * found.estimate.lower < floor <= found.estimate.lower


@pytest.mark.parametrize("name", ["alibi", "rotary", "relative"])
def test_one_layer_agrees_with_branch_and_bound(name):
    """R_hat = E|S_x| + nu R_hat(bilinear head), the head by branch and bound (dim W = 4)."""
    architecture = Architecture(dim=D, value_norm=0.9, logit_norm=0.7)
    hypotheses = make(name, architecture)
    found = enumerated(hypotheses, Effort(iterations=20))
    head = hypotheses._head
    one = bilinear(head.keys, head.values, head.bias[0], Constraints(NORM, 0.7), head.queries)
    exact = bracket(one, SIGNS, enumerated=True, effort=Effort(gap=0.02)).estimate
    start = NORM / N * np.linalg.norm(SIGNS @ TOKENS[:, -1], axis=1).mean()
    assert start + 0.9 * exact.lower <= found.estimate.upper
    assert found.certificates["one-layer"] >= start + 0.9 * exact.lower
    assert 0.99 * (start + 0.9 * exact.lower) <= found.estimate.lower <= (start + 0.9 * exact.upper) * (1 + 1e-9)
    # Twin: with a wrong radius of V the intervals do not meet.
    assert start + 0.5 * exact.upper < found.estimate.lower


def test_many_samples_are_won_by_bounds_of_the_mean():
    n = 60
    tokens, signs = np.random.default_rng(3).standard_normal((n, 3, D)), draw_signs(0, 400, n)
    architecture = replace(PLAIN, value_norm=0.05, logit_norm=0.05)
    encoding = parse("none", dim=D, train_length=3, heads=1)
    found = transformer_hypotheses(encoding, tokens, Constraints(), architecture).expected_uppers(0.01, 0, None).uppers
    frozen = np.linalg.norm(signs @ tokens[:, -1], axis=1).mean() / n
    assert min(found, key=lambda name: found[name]) == "U12-paths"
    # Jensen's inequality and small radii: near the frozen network, above it, and far below the trivial bounds.
    assert frozen < found["U12-paths"] < 1.5 * frozen
    assert found["U7-residual"] > 1.2 * found["U12-paths"]


def attacked(hypotheses, parameters, directions, reach, rng):
    """max over attacks of <u, x^L(X + delta)>, the unperturbed input included: (n,) for every u and parameters."""
    values = []
    for push in (0.0, *rng.standard_normal((6, N, T, D))):
        size = np.linalg.norm(push, axis=-1, keepdims=True) if np.ndim(push) else 1.0
        features = hypotheses.features._replace(tokens=hypotheses.features.tokens + reach * push / size)
        outputs = [np.asarray(forward(hypotheses.architecture, features, p)) for p in parameters]
        values.append(np.einsum("mnd,md->mn", outputs, directions))
    return np.max(values, axis=0)


@pytest.mark.parametrize("wiring", ["two heads", "no residual"])
def test_adversarial_class(wiring):
    reach, rng = 0.5, np.random.default_rng(4)
    plain, robust = (make("alibi", WIRINGS[wiring], adversarial=size) for size in (0.0, reach))
    found = enumerated(robust)
    parameters = random_parameters(robust.architecture, 60)
    directions = rng.standard_normal((60, D))
    directions *= NORM / np.linalg.norm(directions, axis=1, keepdims=True)
    worst = attacked(robust, parameters, directions, reach, rng)
    assert np.all(np.abs(worst) <= robust.largest_values)
    both = np.array(list(itertools.product([1.0, -1.0], repeat=N)))
    assert (worst @ both.T).max(axis=0).mean() / N <= found.estimate.upper
    assert np.all(robust.largest_values > plain.largest_values)
    assert np.all(robust.suprema(SIGNS, EFFORT).upper > plain.suprema(SIGNS, EFFORT).upper)
    assert set(found.certificates) == {key for key in robust.depth.parts if key.startswith("U")}
    assert (worst @ both.T).max(axis=0).mean() / N > found.estimate.upper / 100
    # Below: V = 0, whose adversarial form is <u, x_T> + rho |u|, averaged over both signs by hand.
    sums = np.linalg.norm(both @ TOKENS[:, -1], axis=1) + reach * both.sum(axis=1)
    expected = NORM / N * np.maximum(sums, 0.0).mean() if robust.architecture.residual else 0.0
    assert found.estimate.lower == pytest.approx(expected, rel=1e-9)
    assert robust.bounds == {}


def test_rounding_of_the_forward_pass_is_subtracted():
    """Against the same parameters in extended precision: computed values can exceed exact ones, certified never."""
    architecture = replace(PLAIN, value_norm=1.0, logit_norm=3.0)
    hypotheses = make("none", architecture)
    found = transformer_witness(architecture, hypotheses.features, SIGNS, restarts=2, iterations=16)
    certified = attained(architecture, hypotheses.features, SIGNS, found.parameters)
    exact = np.array([precise(SIGNS[k], Parameters(*(b[k] for b in found.parameters))) for k in range(len(SIGNS))])
    assert np.any(found.values > exact)
    assert np.all(certified <= exact)
    assert np.all(certified >= exact * (1 - 1e-9))


def precise(signs, parameters):
    """|sum eps x^2_T| for a causal, unnormalised, one-headed network in extended precision."""
    total = np.zeros(D, dtype=np.longdouble)
    for sign, x in zip(signs, TOKENS.astype(np.longdouble), strict=True):
        for logits, values in zip(parameters.logits[:, 0], parameters.values[:, 0], strict=True):
            scores = np.where(np.tri(T, dtype=bool), x @ logits.astype(np.longdouble) @ x.T, -np.inf)
            weights = np.exp(scores - scores.max(axis=1, keepdims=True))
            x = x + (weights / weights.sum(axis=1, keepdims=True)) @ x @ values.astype(np.longdouble).T
        total += sign * x[-1]
    return np.sqrt((total**2).sum())


def test_a_diverging_ascent_is_counted_and_gives_no_number():
    hypotheses = make("none", replace(PLAIN, logit_norm=1e308, value_norm=1e5))
    found = hypotheses.suprema(SIGNS, Effort(restarts=4, iterations=8))
    assert hypotheses.failed_restarts > 0
    assert np.isfinite([*found.lower, *found.upper]).all()
    assert np.all(found.lower >= 0)


@pytest.mark.parametrize("logit_norm", [1e3, 1e30, 1e160])
def test_any_logit_norm_has_finite_ends(logit_norm):
    hypotheses = make("none", Architecture(dim=D, logit_norm=logit_norm, value_norm=0.5))
    uppers = hypotheses.expected_uppers(0.01, 0, SIGNS).uppers
    assert np.isfinite(list(uppers.values())).all()
    # At W = 0 the class is the frozen one: it is inside.
    inside = make("none", Architecture(dim=D, logit_norm=0.0, value_norm=0.5)).expected_uppers(0.01, 0, SIGNS).uppers
    assert inside["one-layer"] <= uppers["one-layer"] <= uppers["U1-trivial"] * (1 + 1e-6)


def test_errors_advise():
    one = parse("none", dim=D, train_length=T, heads=1)
    with pytest.raises(ValueError, match="use readout-ball=l2"):
        transformer_hypotheses(one, TOKENS, Constraints(readout_ball="l1"), PLAIN)
    with pytest.raises(ValueError, match="make them with heads=2"):
        TransformerHypotheses(replace(PLAIN, heads=2), layer_features(one, TOKENS, heads=1))
    alibi = parse("alibi", dim=D, train_length=T, heads=3)
    with pytest.raises(ValueError, match="use heads=2"):
        transformer_hypotheses(alibi, TOKENS, Constraints(), replace(PLAIN, heads=2))
    with pytest.raises(ValueError, match="adversarial is a radius"):
        make("none", adversarial=-1.0)
    with pytest.raises(ValueError, match="use rank=2"):
        replace(PLAIN, ball="rank", rank=5)
    with pytest.raises(ValueError, match="use heads=2"):
        replace(PLAIN, ball="rank", heads=3)
