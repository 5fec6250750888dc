"""No certificate is ever below a value that is attained; wrong certificates are caught by the same test."""

import dataclasses

import numpy as np
import pytest
from adversarial import KINDS, adversarial_tokens

from estimators.attention import cumulants, head_outputs
from estimators.bracket import evaluate
from estimators.hypotheses import Constraints, Effort
from estimators.hypotheses_query import Query
from estimators.signs import all_sign_classes
from estimators.supremum import branch_and_bound as engine
from estimators.supremum.ascent import ascent, pool_values
from estimators.supremum.certificates import box_tilted_support, largest_weights, linear_upper

# Few shapes, so that few programs are compiled.
SHAPES = [(1, 2, 1), (2, 3, 2), (5, 4, 2), (4, 3, 3)]
FAMILIES = ("gaussian", "sphere", *KINDS)


def configuration(index):
    """A random or adversarial class: keys and values differ for every third one, biases for every second."""
    rng = np.random.default_rng(index)
    n, length, dim = SHAPES[index % len(SHAPES)]
    family = FAMILIES[(index // len(SHAPES)) % len(FAMILIES)]
    if family in KINDS:
        keys = adversarial_tokens(family, n, length, dim, index)
    else:
        keys = rng.standard_normal((n, length, dim))
        if family == "sphere":
            keys /= np.linalg.norm(keys, axis=-1, keepdims=True)
    values = rng.standard_normal(keys.shape) if index % 3 == 0 else keys
    bias = rng.standard_normal(length) * 2 if index % 2 else np.zeros(length)
    ball = ("l2", "l1")[rng.integers(2)]
    return Query(keys, values, bias, Constraints(1.0, float(rng.choice([0.1, 0.5, 1, 3, 8])), ball))


def attained(query, signs):
    """Best value found by ascent and a fresh pool, per sign vector, in units of sum_i f(X_i)."""
    ball = query.constraints.readout_ball
    value, _ = ascent(query.head, signs, query.radius, ball, restarts=2, iterations=15, pool_points=40, seed=9)
    dim = query.keys.shape[-1]
    pool = np.random.default_rng(4).standard_normal((64, dim))
    pool *= query.radius / np.maximum(np.linalg.norm(pool, axis=1, keepdims=True), 1e-300)
    pool[::2] *= np.random.default_rng(5).random((32, 1))
    found = np.maximum(value, pool_values(query.head, signs, pool * (1 - 1e-15), ball).max(axis=1))
    return found * query.readout_norm


def upper_ends(query, signs):
    """Every certificate of this class: name -> upper end of the mean, or per sign vector."""
    n, ball = len(query.keys), query.constraints.readout_ball
    means = {name: n * evaluate(make(ball), query.statistics) for name, make in query.certificates.items()}
    means |= {
        name: n * evaluate(make(ball), query.statistics)
        for name, make in query.bounds.items()
        if make(ball).relation.value == "<="
    }
    single = {"all": query.suprema(signs, Effort(gap=0.05, budget=2000)).upper * n}
    linear = linear_upper(query.linear, signs, query.radius, ball) * query.readout_norm
    remainder = query.radius**2 * query.statistics["third_cumulant_sum"][1] / 2 * query.readout_norm
    single["U5"] = linear + remainder
    twins = {f"{name}/4": value / 4 for name, value in means.items()}
    twins |= {"linear part alone": linear, "U5, constant/4": linear + remainder / 4}
    return means, single, twins


def check_range(indices):
    caught = set()
    for index in indices:
        query = configuration(index)
        signs = all_sign_classes(len(query.keys))
        truth = attained(query, signs)
        rounding = 2 * query.rounding * query.readout_norm
        means, single, twins = upper_ends(query, signs)
        for name, value in means.items():
            assert truth.mean() <= value * (1 + 1e-12) + rounding, (index, name)
        for name, value in single.items():
            assert (truth <= value * (1 + 1e-12) + rounding).all(), (index, name)
        lower = query.suprema(signs, Effort(gap=0.05, budget=2000)).lower * len(query.keys)
        assert (lower <= single["all"]).all()
        for name, value in twins.items():
            compared = truth if np.ndim(value) else truth.mean()
            if np.any(compared > np.asarray(value) * (1 + 1e-9) + rounding):
                caught.add(name)
    return caught, set(twins)


def test_no_certificate_is_below_an_attained_value():
    caught, twins = check_range(range(120))
    assert "linear part alone" in caught
    assert "U1-trivial/4" in caught
    assert "U5, constant/4" in caught
    assert {"U2-width/4", "U3-contraction/4", "U4-mixed/4", "U8-hull/4"} <= caught, twins - caught


@pytest.mark.slow
def test_no_certificate_is_below_an_attained_value_in_2000_configurations():
    check_range(range(2000))


def brute_force(query, signs, per_axis=61):
    axes = [np.linspace(-query.radius, query.radius, per_axis)] * query.keys.shape[-1]
    grid = np.stack(np.meshgrid(*axes), -1).reshape(-1, query.keys.shape[-1])
    grid = grid[np.linalg.norm(grid, axis=1) <= query.radius]
    return pool_values(query.head, signs, grid, query.constraints.readout_ball).max(axis=1) * query.readout_norm


@pytest.mark.parametrize("ball", ["l2", "l1"])
@pytest.mark.parametrize("constant", ["second", "third"])
def test_branch_and_bound_with_a_wrong_constant_is_caught(monkeypatch, ball, constant):
    """Remainders set to zero must produce an upper end below a value on a plain grid; the true ones never do."""
    found = {}
    for wrong in (False, True):
        if wrong:
            honest = engine.remainders

            def broken(*arguments, honest=honest):
                constants = honest(*arguments)
                zero = {"second": 0 * constants.second, "third": 0 * constants.third, "rounding": 0.0}
                kept = {"second": constants.second * 0 if constant == "second" else constants.second}
                return dataclasses.replace(constants, **(zero if constant == "third" else kept | {"rounding": 0.0}))

            monkeypatch.setattr(engine, "remainders", broken)
        violated = False
        for seed in range(12):
            rng = np.random.default_rng(seed)
            keys = rng.standard_normal((4, 3, 2)) * 3
            query = Query(keys, rng.standard_normal((4, 3, 2)), np.zeros(3), Constraints(1.0, 4.0, ball))
            signs = all_sign_classes(4)
            upper = query.suprema(signs, Effort(gap=0.2, pool_points=2)).upper * 4
            violated |= bool((brute_force(query, signs) > upper * (1 + 1e-9)).any())
        found[wrong] = violated
    assert found == {False: False, True: True}


def test_tighter_gap_and_larger_budget_only_narrow():
    query = Query(*(np.random.default_rng(0).standard_normal((2, 6, 4, 2))), np.zeros(4), Constraints(1.0, 3.0))
    signs = all_sign_classes(6)
    widths = []
    for effort in (Effort(budget=30), Effort(gap=0.1), Effort(gap=0.01), Effort(gap=0.001)):
        found = query.suprema(signs, effort)
        assert (brute_force(query, signs) <= found.upper * 6 * (1 + 1e-12)).all()
        widths.append((found.upper - found.lower).mean())
    assert widths == sorted(widths, reverse=True)
    assert not query.suprema(signs, Effort(budget=30)).finished


def test_larger_dimension_uses_certificates():
    rng = np.random.default_rng(0)
    tokens = rng.standard_normal((6, 4, 8)) / 3
    found = Query(tokens, tokens, np.zeros(4)).suprema(all_sign_classes(6), Effort())
    assert found.certificate in ("U1-trivial", "U5-taylor", "U8-hull")
    assert (found.lower <= found.upper).all()


def test_cumulants_are_derivatives():
    rng = np.random.default_rng(0)
    query = Query(rng.standard_normal((3, 5, 2)), rng.standard_normal((3, 5, 3)), rng.standard_normal(5))
    point, step = np.array([[0.3, -0.8]]), 1e-4
    rows = np.asarray(cumulants(query.head, point, 2))[:, :, 0].T  # (n, 3 + 6 + 9)

    def output(shift):
        return np.asarray(head_outputs(query.head, point + np.asarray(shift)))[0]

    for b, e in enumerate(np.eye(2)):
        slope = (output(step * e) - output(-step * e)) / (2 * step)
        np.testing.assert_allclose(rows[:, 3:9].reshape(3, 3, 2)[:, :, b], slope, atol=1e-7)
    e, f = np.eye(2) * step
    mixed = (output(e + f) - output(e - f) - output(f - e) + output(-e - f)) / (4 * step**2)
    np.testing.assert_allclose(rows[:, 9:].reshape(3, 3, 3)[:, :, 1] / np.sqrt(2), mixed, atol=1e-6)


def test_box_tilted_support_equals_a_linear_programme():
    from scipy.optimize import linprog

    rng = np.random.default_rng(0)
    for _ in range(20):
        scores, bias, reach = rng.standard_normal(5), rng.standard_normal(5), rng.random(5) * 3
        low, high = np.exp(bias - reach), np.exp(bias + reach)
        rows = [(np.eye(5)[j] * low[k] - np.eye(5)[k] * high[j]) for j in range(5) for k in range(5) if j != k]
        solved = linprog(-scores, A_ub=np.array(rows), b_ub=np.zeros(20), A_eq=np.ones((1, 5)), b_eq=[1.0])
        assert box_tilted_support(scores[None], bias, reach[None])[0] == pytest.approx(-solved.fun, abs=1e-9)


def test_largest_weights_are_never_exceeded_and_attained_for_two_tokens():
    rng = np.random.default_rng(0)
    keys, bias = rng.standard_normal((4, 5, 3)), rng.standard_normal(5)
    query = Query(keys, keys, bias)
    from estimators.attention import attention_weights

    pool = rng.standard_normal((500, 3))
    pool *= 2 / np.linalg.norm(pool, axis=1, keepdims=True)
    weights = np.asarray(attention_weights(query.head, pool)).max(axis=0)
    bounds = largest_weights(keys, bias, 2.0)
    assert (weights <= bounds).all()
    pair = largest_weights(keys[:, :2], bias[:2], 2.0)
    toward = keys[:, 0] - keys[:, 1]
    best = 1 / (1 + np.exp(bias[1] - bias[0] - 2.0 * np.linalg.norm(toward, axis=1)))
    np.testing.assert_allclose(pair[:, 0], best, atol=1e-12)
