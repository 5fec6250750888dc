"""The bracket of `query` against an oracle written separately in plain NumPy (tests/oracles)."""

import json
from pathlib import Path

import numpy as np
import pytest
from adversarial import KINDS, adversarial_tokens
from query_oracle import oracle_arrays, oracle_supremum, sign_classes

from estimators.features import template
from estimators.hypotheses import Constraints, Effort
from estimators.hypotheses_query import Query
from estimators.signs import all_sign_classes
from theory.encodings import ENCODINGS, parse

DATA = Path(__file__).parents[1] / "data"
RECORDED = json.loads((DATA / "oracle_values.json").read_text())["entries"]
# The oracle's values are attained up to its own polishing error.
POLISH = 1e-8


def check(keys, values, bias, constraints, value):
    found = Query(keys, values, bias, constraints).suprema(all_sign_classes(len(keys)), Effort(gap=1e-3))
    lower, upper = found.lower.mean(), found.upper.mean()
    assert found.finished
    assert lower <= value * (1 + POLISH)
    assert value <= upper * (1 + 1e-12)
    assert upper <= lower * 1.0011 + 1e-12


@pytest.mark.parametrize("array", sorted({entry["array"] for entry in RECORDED}))
@pytest.mark.parametrize("readout", ["l2", "l1"])
def test_recorded_values_lie_inside_at_a_tenth_of_a_percent(array, readout):
    tokens = np.load(DATA / f"{array}.npy")
    chosen = [entry for entry in RECORDED if entry["array"] == array and entry["readout"] == readout]
    assert len(chosen) == 18
    for entry in chosen:
        arrays = oracle_arrays(entry["name"], tokens, **entry["parameters"])
        check(*arrays, Constraints(entry["B_u"], entry["B_w"], readout), entry["value"])


@pytest.mark.parametrize("name", ENCODINGS)
def test_every_encoding_contains_the_oracle(name):
    tokens = np.load(DATA / "sample_n6_T5_d2.npy")
    arrays = [np.asarray(a) for a in template(parse(name, dim=2, train_length=5), tokens)]
    value = oracle_supremum(*arrays, sign_classes(6), 2.0).mean()
    check(*arrays, Constraints(1.0, 2.0), value)


@pytest.mark.parametrize(
    ("oracle", "specification", "options"),
    [
        (("none", {}), "none", {}),
        (("alibi", {"slope": 0.5}), "alibi:slope=0.5", {}),
        (("sinusoidal", {"unit_power": True}), "sinusoidal", {}),
        (("sinusoidal", {"unit_power": False, "keys_only": True}), "sinusoidal", {"power": None, "keys_only": True}),
        (("rotary", {}), "rotary", {}),
        (("kerple-log", {"r1": 1.0, "r2": 1.0}), "kerple-log:r1=1,r2=1", {}),
        (("kerple-power", {"r1": 1.0, "r2": 0.5}), "kerple-power:r1=1,r2=0.5", {}),
    ],
)
def test_template_arrays_equal_the_oracles(oracle, specification, options):
    tokens = np.random.default_rng(2).standard_normal((3, 6, 4))
    name, parameters = oracle
    expected = oracle_arrays(name, tokens, **parameters)
    found = template(parse(specification, dim=4, train_length=6), tokens, **options)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.asarray(one), other, atol=1e-13)


@pytest.mark.parametrize("ball", ["l2", "l1"])
@pytest.mark.parametrize("kind", KINDS)
def test_adversarial_tokens(kind, ball):
    tokens = adversarial_tokens(kind, 5, 3, 2, 1)
    value = oracle_supremum(tokens, tokens, np.zeros(3), sign_classes(5), 1.0, 1.0, ball)
    found = Query(tokens, tokens, np.zeros(3), Constraints(1.0, 1.0, ball)).suprema(sign_classes(5), Effort())
    size = max(1.0, float(np.abs(tokens).max()))
    assert (value <= found.upper + 1e-12 * size).all()
    # The oracle may miss a maximum between huge keys; a witness is feasible, so it may exceed it.
    assert (found.lower <= found.upper).all()
    if kind != "huge_norm":
        assert (found.lower <= value * (1 + 1e-6) + 1e-9).all()
