"""`python -m estimators.information`: sites of networks, tables, files, statuses."""

import dataclasses
import json
import math

import numpy as np
import pytest

from estimators import information_lower
from estimators import information_run as running
from estimators.claim import checks
from estimators.claims.information_flow import CLAIMS
from estimators.command_line import run
from estimators.counterexample import replay, save
from estimators.estimate import Estimate
from estimators.gaussian_codes import line_information, sampled_information
from estimators.information import information
from estimators.information_bracket import Position
from estimators.information_flow import Row, changes
from estimators.information_report import advice, cell
from estimators.information_run import measured
from estimators.information_sites import Inputs, activations
from estimators.network_member import Model, random_member

SMALL = ("--length", 4, "--dim", 4, "--layers", 1, "--heads", 2, "--noise", 0.3)
KEYS = {"encoding", "layer", "site", "noise", "lower", "upper", "confidence", "method_lower", "method_upper"}
KEYS |= {"content_information", "points", "sigma", "inputs", "fano", "inconclusive"}


@pytest.fixture(autouse=True)
def no_perceptron(monkeypatch):
    """Saves its compilation."""
    monkeypatch.setattr(information_lower, "GAP", math.inf)


def call(*words):
    return run(information, [str(word) for word in words])


def document(capsys, *words):
    assert call(*words, "--json", "-") == 0
    return json.loads(capsys.readouterr().out)


def test_listed_inputs(tmp_path, capsys):
    """Two symbols, four positions: every interval is exact, and causal attention lets information without an encoding
    rise from 0."""
    paths = tmp_path / "i.json", tmp_path / "i.png"
    words = ("--encoding", "none", "cosine", "--site", "residual", "after-attention", *SMALL)
    assert call(*words, "--json", paths[0], "--figure", paths[1]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "all 16 contents are listed".capitalize() in shown
    assert "Certified that it rises" in shown
    assert paths[1].stat().st_size > 20_000
    found = json.loads(paths[0].read_text())
    assert found["parameters"]["length"] == 4
    assert {"jax", "python"} <= set(found["versions"])
    results = found["results"]
    places = [(0, "embedded"), (1, "after-attention"), (1, "residual")]
    assert [(one["encoding"], one["layer"], one["site"]) for one in results] == [
        (name, *place) for name in ("none", "cosine") for place in places
    ]
    for one in results:
        assert set(one) >= KEYS
        assert one["inputs"] == "listed"
        assert 0 <= one["lower"] <= one["upper"] <= math.log(4)
        assert one["upper"] - one["lower"] <= 0.01
        assert one["confidence"] >= 1 - 0.05 / 6 - 1e-12
        assert set(one["points"]) == {"ross", "gao"}
    assert results[0]["lower"] == 0
    rises = [one for one in found["flow"] if one["encoding"] == "none" and one["to"]["site"] == "after-attention"]
    assert rises[0]["sign"] == "rises"
    assert len(found["flow"]) == 4


def test_sampled_inputs(capsys):
    """Layer 0 is exact, the others are not; the joint confidence is split evenly."""
    words = ("--encoding", "none", "--length", 16, "--dim", 4, "--layers", 1, "--heads", 2, "--sequences", 256)
    found = document(capsys, *words, "--noise", 0.3, 1, "--points", "none", "--tolerance", 0.01)
    assert [one["inputs"] for one in found["results"]] == ["own token"] * 2 + ["sampled"] * 2
    first, _, second, _ = found["results"]
    assert first["upper"] <= 0.01
    assert second["confidence"] == pytest.approx(1 - 0.05 / 4)
    assert second["inconclusive"]
    assert "--sequences" in second["advice"]
    assert second["points"] == {}
    model = Model(symbols=2, outputs=1, dim=4, layers=1, heads=2, mlp_width=4)
    embedding = random_member("none", model, train_length=16).network.embedding
    assert first["sigma"] == pytest.approx(0.3 * math.sqrt(np.mean(embedding**2)))


def test_one_known_sequence_is_a_deterministic_code(capsys):
    found = document(capsys, "--encoding", "haar", "--inputs", "fixed", *SMALL, "--points", "none")
    model = Model(symbols=2, outputs=1, dim=4, layers=1, heads=2, mlp_width=4)
    member = random_member("haar", model, train_length=4)
    content = Inputs("fixed", 4, 2).all(member.network)
    for one, (_, _, held) in zip(found["results"], activations(member, content, ("residual",)), strict=True):
        code = np.asarray(held)[0]
        assert one["sigma"] == pytest.approx(0.3 * math.sqrt(np.mean(code**2)))
        other = sampled_information(code, one["sigma"])
        assert max(one["lower"], other.lower) <= min(one["upper"], other.upper)
        assert one["upper"] - one["lower"] <= 0.01
        assert one["content_information"] == 0


def test_gaussian_inputs_at_layer_0(capsys):
    """x^0 = p + N(0, I/d) in one channel: quadrature at noise (sigma^2 + 1)^(1/2)."""
    words = ("--length", 8, "--dim", 1, "--layers", 1, "--heads", 1, "--noise", 0.5, "--sequences", 128)
    found = document(capsys, "--encoding", "cosine:constant=false", "--inputs", "gaussian", *words)["results"][0]
    model = Model(symbols=2, outputs=1, dim=1, layers=1, heads=1, mlp_width=1)
    table = random_member("cosine:constant=false", model, train_length=8).positions(8).table
    sigma = 0.5 * math.sqrt(np.mean(table**2) + 1)
    assert found["sigma"] == pytest.approx(sigma)
    truth = line_information(table, math.sqrt(sigma**2 + 1))
    assert found["lower"] == pytest.approx(truth.lower, abs=1e-9)
    assert found["content_information"] == pytest.approx(math.log1p(1 / sigma**2) / 2)


def test_own_activations(tmp_path, capsys):
    """A code in one channel from a file."""
    code = np.linspace(-1, 1, 6)[:, None]
    path = tmp_path / "H.npy"
    np.save(path, np.repeat(code[None], 300, axis=0).astype(np.float32))
    found = document(capsys, "--activations", path, "--noise", 0.5)
    assert found["parameters"]["length"] == 6
    (one,) = found["results"]
    truth = line_information(code, one["sigma"]).lower
    assert one["lower"] <= truth <= one["upper"]
    assert one["encoding"] == str(path)
    assert found["flow"] == []


def test_text(tmp_path, capsys):
    path = tmp_path / "t.txt"
    path.write_text("the cat sat on the mat. " * 400)
    found = document(capsys, "--text", path, "--encoding", "none", *SMALL, "--sequences", 128, "--points", "none")
    assert [one["inputs"] for one in found["results"]] == ["sampled", "sampled"]
    assert "independence" in found["note"]


def row(layer, site, lower, upper, method="ln N", content=5.0):
    ends = Estimate(lower, upper, 0.99, "made up")
    return Row("none", layer, site, "sampled", Position(0.3, 0.1, ends, "decoder", method, content, 5.5), {})


def test_changes_and_their_signs():
    rows = [row(1, "residual", 0.5, 0.6), row(0, "embedded", 0.0, 0.1), row(1, "after-attention", 0.8, 0.9)]
    found = changes([*rows, row(1, "mlp", 3.0, 4.0), row(2, "residual", 0.55, 0.7)])
    assert [one.sign for one in found] == ["rises", "falls", "undecided"]
    assert [one.start for one in found] == [(0, "embedded"), (1, "after-attention"), (1, "residual")]
    assert found[0].change.lower == pytest.approx(0.7)
    assert found[0].change.upper == pytest.approx(0.9)
    assert found[0].change.confidence == pytest.approx(0.98)


def test_wide_intervals_are_marked_with_advice():
    assert cell(row(0, "residual", 0.1, 0.9), 0.5) == "[0.100 0.900]?"
    assert cell(row(0, "residual", 0.1, 0.4), 0.5) == "[0.100 0.400]"
    assert cell(row(0, "residual", 0.12345, 0.12345), 0.5) == "[0.123 0.124]"
    assert "at least 5.0 nats: raise --noise" in advice(row(0, "residual", 0.0, 4.0))
    assert advice(row(0, "residual", 0.0, 4.0, "64 groups of 8", 1.0)).startswith(
        "content information 1.0 nats: give more"
    )
    listed = dataclasses.replace(row(0, "residual", 0.0, 4.0), law="listed")
    assert advice(listed) == "raise --noise"


def test_a_rise_with_depth_is_saved_and_replayed(tmp_path):
    """The counterexample to `information never increases with depth`, in a network."""
    name = "information-never-rises-in-a-network"
    path = save(tmp_path, next(iter(checks(name, CLAIMS[name]))))
    again = replay(path, CLAIMS)
    assert again.reproduced
    assert again.same_numbers
    assert again.check.lower > again.check.bound + 0.1


def test_interruption_keeps_what_is_finished(monkeypatch, capsys):
    def stopped(members, task):
        yield from list(measured(members, task))[:1]
        raise KeyboardInterrupt

    monkeypatch.setattr("estimators.information.measured", stopped)
    assert call("--encoding", "none", *SMALL) == 130
    captured = capsys.readouterr()
    assert "0 in" in captured.out
    assert captured.err == "interrupted: 1 of 2 sites are missing\n"


def test_same_seed_same_numbers(capsys):
    words = ("--encoding", "alibi", *SMALL, "--points", "none")
    first, second, third = (document(capsys, *words, "--seed", seed)["results"] for seed in (0, 0, 1))
    assert first == second != third


def test_trained_networks_by_name(monkeypatch, capsys, tmp_path):
    model = Model(symbols=2, outputs=1, dim=4, layers=1, heads=2)
    made = [("copy", random_member(name, model, train_length=4)) for name in ("none", "alibi")]
    monkeypatch.setattr("estimators.training_checkpoint.load_members", lambda folder: made)
    words = ("--checkpoint", tmp_path, "--length", 4, "--noise", 1, "--points", "none")
    found = document(capsys, *words, "--encoding", "alibi")
    names = {one["encoding"] for one in found["results"]}
    assert len(names) == 1
    assert names.pop().startswith("copy/alibi:")
    assert call(*words, "--encoding", "rotary") == 2
    assert "holds none of rotary" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--encoding", "sinusoidall"), "use 'sinusoidal'"),
        (("--noise", 0), "noise must be positive"),
        (("--noise", "nan"), "finite"),
        (("--noise", -1), "noise must be positive"),
        (("--noise", 1e-12), "between 1e-09 and 1e+09"),
        (("--activations", "a", "--encoding", "none"), "leave them out"),
        (("--site", "residul"), "after-attention"),
        (("--site", "embedded"), "layer 0 is always shown"),
        (("--length", 1), "use --length 2"),
        (("--layers", 0), "use --layers 1"),
        (("--sequences", 63), "use --sequences 64"),
        (("--heads", 3), "use heads=2"),
        (("--points", "rosss"), "ross"),
        (("--confidence", 1), "use --confidence 0.95"),
        (("--tolerance", 0), "use --tolerance 0.5"),
        (("--symbols", 0), "use --symbols 2"),
        (("--seed", -1), "use --seed 0"),
        (("--inputs", "words"), "symbols"),
        (("--activations", "missing.npy"), "no file missing.npy"),
        (("--checkpoint", "missing"), "no checkpoint folder missing"),
        (("--checkpoint", "a", "--activations", "b"), "one of them"),
        (("--text", "t", "--inputs", "gaussian"), "one of them"),
        (("--figure", "x.txt"), "end the name in .png"),
    ],
)
def test_bad_arguments(words, told, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call("--dim", 4, "--heads", 2, *words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert told in captured.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("held", "told"),
    [
        (np.ones((100, 4)), "(n, T, d)"),
        (np.ones((100, 1, 4)), "one position"),
        (np.ones((10, 4, 4)), "at least 64"),
        (np.ones((100, 4, 4)), "constant"),
        (np.full((100, 4, 4), np.nan), "NaN"),
    ],
)
def test_bad_activations(held, told, capsys, tmp_path):
    path = tmp_path / "H.npy"
    np.save(path, held)
    assert call("--activations", path) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert told in captured.err
    path.write_bytes(path.read_bytes()[:100])
    assert call("--activations", path) == 2
    assert "truncated" in capsys.readouterr().err


def test_points_of_few_contents():
    """Fewer contents than observations: codes far apart are told to ln N."""
    task = running.Task(Inputs("symbols", 4, 2), ("residual",), (1.0,), 100, 0.95, ("ross",), 0)
    apart = 100 * np.arange(4.0)[None, :, None].repeat(5, axis=0)
    assert running.points_of(apart, 1.0, task)["ross"].value == pytest.approx(math.log(4), abs=0.05)


@pytest.mark.slow
def test_processes_give_the_same_numbers(monkeypatch):
    """Two networks in two processes: the same rows in the same order."""
    model = Model(symbols=2, outputs=1, dim=4, layers=1, heads=2)
    members = running.random_members(["none", "alibi"], model, 4, 0)
    task = running.Task(Inputs("symbols", 4, 2), ("residual",), (1.0,), 100, 0.95, (), 0)
    alone = list(measured(members, task))
    monkeypatch.setattr(running, "LARGE", 0)
    assert list(measured(members, task)) == alone


def test_without_mask_and_encoding_no_layer_tells_the_position(capsys):
    """Independent symbols under a permutation-equivariant network: 0 at every site."""
    found = document(capsys, "--encoding", "none", "--no-causal", "--site", "heads", "residual", *SMALL)
    assert len(found["results"]) == 3
    assert all(one["upper"] <= 0.01 for one in found["results"])
