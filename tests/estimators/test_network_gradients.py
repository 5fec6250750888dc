"""Derivatives of a network against differences, exact zeros outside a hard window, bounds that hold and twins that
do not."""

import dataclasses
import itertools

import numpy as np
import pytest

from estimators.network import embedded, layer_run
from estimators.network_gradients import (
    gradient_bounds,
    gradient_norms,
    gradient_report,
    gradient_rows,
    hard_window,
)
from estimators.network_member import Model, random_member
from theory import extrapolation_depth

MODEL = Model(symbols=5, outputs=1, dim=4, layers=2, heads=2, mlp_width=6)
T = 9
KINDS = ("alibi:slope=1", "rotary", "relative", "t5", "sinusoidal", "none")


def inputs(count=2):
    return np.random.default_rng(0).integers(0, 5, (count, T))


@pytest.mark.parametrize("name", KINDS)
def test_derivatives_against_differences(name):
    member, x, h = random_member(name, MODEL, train_length=T), inputs(), 1e-6
    made = member.positions(T)
    tokens = embedded(member.network, made, x)

    def last(moved):
        for layer in range(2):
            moved = layer_run(member.network, made, layer, moved).leaving
        return moved[:, -1]

    found = gradient_norms(member.network, made, x)
    for j in (0, 5, T - 1):
        columns = []
        for c in range(4):
            step = np.zeros_like(tokens)
            step[:, j, c] = h
            columns.append((last(tokens + step) - last(tokens - step)) / (2 * h))
        slopes = np.linalg.norm(np.stack(columns, axis=-1), 2, axis=(1, 2))
        np.testing.assert_allclose(found[:, j], slopes, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("name", KINDS)
def test_bounds_hold(name, causal):
    member = random_member(name, dataclasses.replace(MODEL, causal=causal), train_length=T)
    rows = gradient_report(member, inputs())
    assert [row.distance for row in rows] == list(range(T))
    assert {row.verdict for row in rows} == {"holds"}
    for row in rows:
        assert 0 < row.gradient_measured <= row.gradient_bound
    assert gradient_report(member, inputs(), distances=[3]) == rows[3:4]


def test_bounds_fall_with_the_distance_where_biases_are_steep():
    rows = gradient_report(random_member("alibi:slope=4", MODEL, train_length=T), inputs())
    for one, other in itertools.pairwise(rows[3:]):
        assert other.gradient_bound < one.gradient_bound / 10
        assert other.gradient_measured < one.gradient_measured


@pytest.mark.parametrize("window", [1, 2, 3])
@pytest.mark.parametrize("name", ["alibi", "rotary", "relative"])
def test_nothing_comes_from_outside_a_hard_window(name, window):
    member, x = random_member(name, MODEL, train_length=T), inputs()
    made = hard_window(member.positions(T), window)
    read = extrapolation_depth.receptive_field().evaluate(layers=2, window=window)
    for found in (gradient_norms(member.network, made, x).min(axis=0), gradient_bounds(member.network, made, x)):
        assert (found[: T - int(read)] == 0).all()
        assert (found[T - int(read) :] > 0).all()


def test_larger_derivatives_are_violated():
    member, x = random_member("alibi:slope=1", MODEL, train_length=T), inputs()
    made = member.positions(T)
    norms, bounds = gradient_norms(member.network, made, x).max(axis=0), gradient_bounds(member.network, made, x)
    assert {row.verdict for row in gradient_rows("", norms, bounds, range(T))} == {"holds"}
    assert {row.verdict for row in gradient_rows("", 2 * bounds, bounds, range(T))} == {"violated"}
    # Loose by the norms of two layers, so the usual twin of a hundredth says nothing here.
    assert (bounds / norms).max() < 1e8


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: gradient_report(m, inputs()[:0]), "give whole sequences"),
        (lambda m: gradient_report(m, inputs(), distances=[T]), "from 0 to 8"),
        (lambda m: gradient_report(m, inputs(), distances=[-1]), "got -1"),
        (lambda m: hard_window(m.positions(T), 0), "a query sees itself"),
        (lambda m: gradient_report(m, inputs() + 5), "knows symbols"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(random_member("none", MODEL, train_length=T))
