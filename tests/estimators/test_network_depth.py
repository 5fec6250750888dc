"""A network on its last tokens against theorem: the run itself, the constants, no violation, and what violates."""

import dataclasses
import itertools

import numpy as np
import pytest

from estimators.network import embedded, layer_run, layer_runs
from estimators.network_depth import depth_report, depth_rows, kept_positions, rows_as_dicts, two_runs
from estimators.network_member import Model, random_member
from estimators.network_steps import grown, heads_error, layer_constants
from theory.encodings import ENCODINGS

MODEL = Model(symbols=5, outputs=1, dim=8, layers=2, heads=2, mlp_width=6)
T = 20


def inputs(length=T, count=2):
    return np.random.default_rng(0).integers(0, 5, (count, length))


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("name", ENCODINGS)
def test_no_encoding_violates_the_theorem(name, causal):
    model = dataclasses.replace(MODEL, causal=causal)
    member = random_member(name, model, train_length=T)
    for row in depth_report(member, inputs(), kept=[1, 7, T - 1, T]):
        assert row.verdict == "holds"
        assert row.error_measured <= min(row.error_bound, row.ceiling)
        assert row.kept < T or row.error_measured == row.error_bound == row.rounding == 0


def test_steep_biases_make_the_bound_small():
    model = dataclasses.replace(MODEL, layers=1)
    member = random_member("alibi:slope=2", model, train_length=T)
    rows = depth_report(member, inputs(), kept=[3, 6, 9])
    assert [row.kept for row in rows] == [3, 6, 9]
    for one, other in itertools.pairwise(rows):
        assert other.error_bound < one.error_bound / 300
        assert other.error_measured < one.error_measured / 30
    assert rows[1].error_bound < rows[1].ceiling / 10


def test_the_truncated_run_keeps_distances_and_codes():
    """A network with ALiBi, rotations or relative vectors does on the last tokens what it does on a short input; one
    with an additive code does not: its tokens keep the codes of their places."""
    for name, same in (("alibi", True), ("rotary", True), ("relative", True), ("t5", True), ("sinusoidal", False)):
        member, x = random_member(name, MODEL, train_length=T), inputs()
        kept = kept_positions(member.positions(T), 6)
        tokens = member.network.embedding[x[:, -6:]] + kept.table
        for layer in range(2):
            tokens = layer_run(member.network, kept, layer, tokens).leaving
        alone = list(layer_runs(member.network, member.positions(6), x[:, -6:]))[-1].leaving
        assert np.allclose(tokens, alone, rtol=1e-9) is same
        long = list(layer_runs(member.network, member.positions(T), x))[-1].leaving[:, -1]
        moved = np.linalg.norm(long - tokens[:, -1], axis=1).max()
        assert two_runs(member, member.positions(T), x, 6).errors[-1] == pytest.approx(moved, rel=1e-9)


@pytest.mark.parametrize("name", ["alibi:slope=1", "rotary", "relative", "none"])
def test_every_kept_token_and_every_head_is_below_its_bound(name):
    """Not only the last one: the recursion bounds all positions and heads of one layer from the errors before it."""
    member, x, kept = random_member(name, MODEL, train_length=T), inputs(), 9
    made = member.positions(T)
    short = kept_positions(made, kept)
    full = embedded(member.network, made, x)
    rest = full[:, T - kept :]
    for layer in range(2):
        runs = layer_run(member.network, made, layer, full), layer_run(member.network, short, layer, rest)
        constants = layer_constants(member.network, made, layer, *runs)
        errors = np.linalg.norm(full[:, T - kept :] - rest, axis=-1).max(axis=0)
        heads = heads_error(constants, errors)
        moved = np.linalg.norm(runs[0].heads[:, :, T - kept :] - runs[1].heads, axis=-1).sum(axis=1).max(axis=0)
        assert (moved <= heads + 1e-12).all()
        full, rest = (run.leaving for run in runs)
        assert (np.linalg.norm(full[:, T - kept :] - rest, axis=-1) <= grown(constants, errors, heads) + 1e-12).all()


@pytest.mark.parametrize("word", ["tail", "diameter", "after_gain", "mlp", "value_norm"])
def test_constants_that_are_too_small_are_violated_or_not_needed(word):
    member = random_member("alibi:slope=1/2", MODEL, train_length=T)
    runs = two_runs(member, member.positions(T), inputs(), 3)

    def shrunk(one):
        if word in one._fields:
            return one._replace(**{word: getattr(one, word) * 1e-4})
        return one._replace(heads=tuple(h._replace(**{word: getattr(h, word) * 1e-4}) for h in one.heads))

    rows = depth_rows("", T, 3, dataclasses.replace(runs, constants=tuple(map(shrunk, runs.constants))))
    verdicts = {row.verdict for row in rows}
    # Only the first two are what all of the error comes from; factors of the others are not 10^4 too large.
    assert ("violated" in verdicts) is (word in ("tail", "diameter"))


def test_a_bound_that_is_too_small_is_violated():
    member = random_member("none", MODEL, train_length=T)
    runs = two_runs(member, member.positions(T), inputs(), 3)
    larger = dataclasses.replace(runs, errors=tuple(1000 * error for error in runs.errors))
    assert {row.verdict for row in depth_rows("none", T, 3, larger)} == {"violated"}


def test_without_mlp_and_rows():
    model = dataclasses.replace(MODEL, mlp_width=0)
    rows = depth_report(random_member("alibi", model, train_length=T), inputs(), kept=[4])
    assert [row.verdict for row in rows] == ["holds", "holds"]
    assert rows_as_dicts(rows)[1]["layer"] == 1


@pytest.mark.parametrize("kept", [[0], [T + 1], []])
def test_bad_numbers_of_tokens(kept):
    with pytest.raises(ValueError, match="numbers of tokens from 1 to 20"):
        depth_report(random_member("none", MODEL, train_length=T), inputs(), kept=kept)


def test_bad_inputs():
    member = random_member("none", MODEL, train_length=T)
    with pytest.raises(ValueError, match="give whole sequences"):
        depth_report(member, inputs()[:0], kept=[1])
    with pytest.raises(ValueError, match="knows symbols"):
        depth_report(member, inputs() + 5, kept=[1])
