"""Theorems on far keys against networks: no violation at any encoding and length, and rows that can be violated."""

import dataclasses
import json

import numpy as np
import pytest

from estimators.network_bounds import NetworkReport, mass_curve, network_report, report_rows, table
from estimators.network_member import Model, random_member
from estimators.network_statements import ALIBI, FLAT, HERE, statement_of
from estimators.network_tails import bias_tails, head_tails
from estimators.results import write_json
from theory import extrapolation
from theory.encodings import ENCODINGS

MODEL = Model(symbols=5, outputs=1, dim=8, layers=2, heads=2, mlp_width=6)
TRAIN = 8


def inputs(length, count=2):
    return np.random.default_rng(0).integers(0, 5, (count, length))


@pytest.mark.parametrize("name", ENCODINGS)
def test_no_encoding_violates_a_theorem_at_any_length(name):
    try:
        member = random_member(name, MODEL, train_length=TRAIN)
        rows = network_report(member, inputs(5 * TRAIN))
    except ValueError:
        member = random_member(name, MODEL, train_length=TRAIN, beyond="clip")
        rows = network_report(member, inputs(5 * TRAIN))
    rows += network_report(member, inputs(TRAIN), windows=[1, 3])
    assert {row.verdict for row in rows} == {"holds"}
    for row in rows:
        assert row.slack >= 1
        assert row.tail_mass_least_bound <= row.tail_mass_least <= row.tail_mass_measured <= row.tail_mass_bound <= 1
        assert row.truncation_measured <= row.truncation_bound
        assert row.horizon_measured <= row.horizon_at_length <= row.length
        assert (row.horizon_predicted is None) == (row.slope is None)
        if row.horizon_predicted is not None:
            assert row.horizon_at_length <= row.horizon_predicted


def test_numbers_of_an_alibi_head():
    member = random_member("alibi:slope=1/2", MODEL, train_length=TRAIN)
    row = network_report(member, inputs(24), tolerance=0.05, windows=[6])[0]
    point = {"alibi_slope": 0.5, "logit_bound": row.logit_bound, "window": 6, "length": 24}
    assert row.tail_mass_bound == pytest.approx(extrapolation.alibi_tail_mass().safe(**point), rel=1e-10)
    horizon = extrapolation.alibi_horizon().evaluate(alibi_slope=0.5, logit_bound=row.logit_bound, tail_tolerance=0.05)
    assert row.horizon_predicted == horizon
    assert (row.statement, row.slope, row.window, row.length) == (ALIBI, 0.5, 6, 24)
    assert row.truncation_bound == pytest.approx(row.tail_mass_measured * row.value_diameter, rel=1e-9)


def test_statements_on_all_lengths():
    kinds = {
        "alibi": "alibi-tail-mass-any-length",
        "kerple-power": "kerple-power-tail-mass",
        "kerple-log:r1=2,r2=1": "kerple-log-tail-mass",
        "kerple-log:r1=1,r2=1": "kerple-log-divergence",
        "rotary": "flat-tail-mass",
        "t5": "flat-tail-mass",
    }
    for name, statement in kinds.items():
        member = random_member(name, MODEL, train_length=TRAIN)
        rows = network_report(member, inputs(24), windows=[6, 12])
        assert {row.statement for row in rows} == {statement}
        assert {row.verdict for row in rows} == {"holds"}
        for row in rows:
            upper = statement.endswith(("any-length", "kerple-power-tail-mass", "kerple-log-tail-mass"))
            measured = row.tail_mass_measured if upper else row.tail_mass_least
            assert (measured <= row.statement_value) if upper else (row.statement_value <= measured)
    clipped = random_member("alibi", MODEL, train_length=TRAIN, beyond="clip")
    assert statement_of(clipped.encoding, 0, clipped.positions(TRAIN)).name == ALIBI
    assert statement_of(clipped.encoding, 0, clipped.positions(3 * TRAIN)).name == FLAT


def test_upper_statements_need_a_causal_mask():
    """On both sides of a query twice as many keys are far, and the bound of one side is too small."""
    both = dataclasses.replace(MODEL, causal=False)
    for name, statement in (("alibi", HERE), ("kerple-power", HERE), ("kerple-log:r1=2,r2=1", HERE), ("none", FLAT)):
        member = random_member(name, both, train_length=TRAIN)
        rows = network_report(member, inputs(24))
        assert {(row.statement, row.horizon_predicted) for row in rows} == {(statement, None)}
        assert {row.verdict for row in rows} == {"holds"}
    member = random_member("alibi:slope=1/2", both, train_length=41)
    member = dataclasses.replace(member, network=member.network._replace(queries=0 * member.network.queries))
    row = network_report(member, inputs(41), windows=[5])[0]
    one_side = extrapolation.alibi_tail_mass_any_length().safe(alibi_slope=0.5, logit_bound=0, window=5)
    assert row.tail_mass_measured > 1.2 * one_side
    assert row.tail_mass_measured == pytest.approx(row.tail_mass_bound, rel=1e-9)


def test_curve_of_the_theorem():
    member = random_member("alibi", MODEL, train_length=TRAIN)
    made = member.positions(12)
    one = head_tails(member.network, made, inputs(12), [1, 5])[1]
    curve = mass_curve(one, bias_tails(made))
    rows = report_rows(member.encoding, "alibi", made, [one])
    assert curve[[1, 5]] == pytest.approx([row.tail_mass_bound for row in rows], rel=1e-9)
    assert (one.masses <= curve * (1 + 1e-12)).all()


@pytest.mark.parametrize("scale", [30.0, 1000.0])
@pytest.mark.parametrize("name", ["alibi:slope=4", "rotary", "relative", "kerple-power"])
def test_logits_of_any_size(name, scale):
    """Saturated heads attain the bounds: rounding must not read as a violation, and weights underflow."""
    for causal in (True, False):
        member = random_member(name, dataclasses.replace(MODEL, causal=causal), train_length=TRAIN)
        network = member.network._replace(queries=scale * member.network.queries)
        rows = network_report(dataclasses.replace(member, network=network), inputs(32))
        assert "violated" not in {row.verdict for row in rows}
        assert sum(row.verdict == "holds" for row in rows) > 0.8 * len(rows)
        assert all(np.isfinite([row.slack, row.tail_mass_bound, row.truncation_bound]).all() for row in rows)


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (lambda one: {"logit_bound": 0.0}, True),
        (lambda one: {"masses": np.minimum(1.0, 1.5 * one.masses + 1e-3)}, True),
        (lambda one: {"least_masses": one.least_masses * 1e-6}, True),
        (lambda one: {"value_diameter": one.value_diameter / 100}, True),
        (lambda one: {"truncations": tuple(50 * x for x in one.truncations)}, True),
        (lambda one: {"value_norm": one.value_norm / 100}, False),
        (lambda one: {"logit_bound": 2 * one.logit_bound}, False),
    ],
)
@pytest.mark.parametrize("name", ["alibi:slope=1", "none", "rotary"])
def test_a_wrong_measurement_comes_out_violated(name, change, broken):
    """Masses near 1 leave no room below 1, so `none` shows it by the last query or the first window."""
    member, x = random_member(name, MODEL, train_length=TRAIN), inputs(16)
    made = member.positions(16)
    found = [dataclasses.replace(one, **change(one)) for one in head_tails(member.network, made, x, [1, 4, 12])]
    rows = report_rows(member.encoding, member.specification, made, found)
    assert ("violated" in {row.verdict for row in rows}) is broken


def test_the_worst_logits_nearly_attain_the_bound():
    """Keys of old tokens aligned with every query, those of new tokens against it: the mass comes near its supremum."""
    model = Model(symbols=2, outputs=1, dim=2, layers=1, heads=1, mlp_width=0)
    member = random_member("alibi:slope=1/2", model, train_length=24)
    network = member.network._replace(
        embedding=np.array([[1.0, 0.0], [-1.0, 0.0]]),
        queries=np.array([[[[-1.0, 0.0], [0.0, 0.0]]]]),
        keys=np.eye(2)[None, None],
        values=np.eye(2)[None, None],
    )
    x = np.array([[1] * 20 + [0] * 4])
    row = network_report(dataclasses.replace(member, network=network), x, windows=[4])[0]
    assert row.verdict == "holds"
    assert row.slack == pytest.approx(1.0, rel=1e-3)
    assert row.truncation_measured == pytest.approx(row.truncation_bound, rel=1e-3)


def test_rows_as_json_and_as_a_table(tmp_path):
    member = random_member("rotary", MODEL, train_length=TRAIN)
    rows = network_report(member, inputs(12))
    write_json(tmp_path / "rows.json", {"rows": rows})
    read = json.loads((tmp_path / "rows.json").read_text())["rows"]
    assert [NetworkReport(**one) for one in read] == rows
    names, values = table(rows)
    assert len(values) == len(rows)
    assert all(len(line) == len(names) for line in values)
    assert values[0][names.index("verdict")] == "holds"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: network_report(m, inputs(4)[:0]), "give whole sequences"),
        (lambda m: network_report(m, inputs(1)), "no key is far"),
        (lambda m: network_report(m, inputs(12), tolerance=0.0), "use 0.01"),
        (lambda m: network_report(m, inputs(12), tolerance=float("nan")), "use 0.01"),
        (lambda m: network_report(m, inputs(12), windows=[12]), "from 1 to 11"),
        (lambda m: network_report(m, inputs(12) + 5), "knows symbols"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(random_member("none", MODEL, train_length=TRAIN))


def test_a_length_that_the_encoding_refuses():
    member = random_member("legendre", MODEL, train_length=TRAIN, beyond="refuse")
    with pytest.raises(ValueError, match="beyond"):
        network_report(member, inputs(12))
