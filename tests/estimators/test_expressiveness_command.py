"""`python -m estimators.expressiveness`: tables, files, statuses."""

import dataclasses
import json
import math

import numpy as np
import pytest

from estimators import expressiveness as module
from estimators import expressiveness_report as report
from estimators.command_line import run
from estimators.estimate import Estimate
from estimators.expressiveness import expressiveness
from estimators.expressiveness_report import Row, faults, over_seeds
from estimators.expressiveness_tables import structure
from estimators.expressiveness_training import Trained

TINY = ("--length", 4, "--dim", 4, "--depth", 2, "--steps", 4, "--seeds", 2)


def call(*words):
    return run(expressiveness, [str(word) for word in words])


def test_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(module, "LAYERS", (1,))  # one program to compile
    paths = tmp_path / "x.json", tmp_path / "x.png"
    names = "none", "alibi", "cosine:dim=4", "gaussian"
    assert call("--encoding", *names, *TINY, "--json", paths[0], "--figure", paths[1]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "contains the median over seeds with probability 0.5" in shown
    assert "Smooth function, least error first" in shown
    assert paths[1].stat().st_size > 20_000
    document = json.loads(paths[0].read_text())
    assert document["parameters"]["dim"] == 4
    assert "jax" in document["versions"]
    results = {one["encoding"]: one for one in document["results"]}
    assert list(results) == list(names)
    assert [results[name]["equal_rows"] for name in names] == [True, True, False, False]
    assert [results[name]["equivariant"] for name in names] == [True, False, False, False]
    assert results["none"]["table"] is None
    assert results["cosine:dim=4"]["operator"]["lower"] == pytest.approx(1)
    for one in document["results"]:
        assert {(entry["target"], entry["layers"]) for entry in one["trained"]} == {
            (target, layers)
            for target in ("shift", "reversal", "prefix-mean", "windowed-mean", "induction", "sorting")
            for layers in (1,)
        }
        for entry in one["trained"]:
            assert entry["error_over_seeds"]["lower"] == min(entry["error"])
            assert entry["error_over_seeds"]["upper"] == max(entry["error"])
            assert entry["error_mean"] == pytest.approx(np.mean(entry["error"]))
            if one["logit_only"]:
                assert not entry["below_bound"]
                assert min(entry["constant_error"]) >= entry["bound"] * (1 - 1e-9)


def test_without_training_and_standard_output_for_json_only(capsys):
    assert call("--encoding", "haar", "--length", 4, "--dim", 2, "--no-train", "--json", "-") == 0
    document = json.loads(capsys.readouterr().out)
    (one,) = document["results"]
    assert one["trained"] == []
    assert one["operator"]["lower"] is None  # two positions share a code: infinite


def test_a_range_over_seeds_covers_the_median_as_often_as_it_says():
    rng = np.random.default_rng(0)
    draws = rng.exponential(size=(4000, 4))
    covered = np.mean([math.log(2) in over_seeds(row.tolist()) for row in draws])
    confidence = over_seeds([1.0, 2.0, 3.0, 4.0]).confidence
    assert confidence == 0.875
    assert covered == pytest.approx(confidence, abs=0.02)
    with pytest.raises(ValueError, match="--seeds 2"):
        over_seeds([1.0])


def made_up(kind, spread, ratio):
    found = dataclasses.replace(structure("none", length=2, dim=2, depth=1), kind=kind, row_spread=spread)
    return Row(found, (Trained("shift", 2, (0.5, 0.6), (0.4, 0.5), 0.5, (1.5, ratio)),))


def test_contradictions_are_told_and_only_for_what_acts_through_logits(monkeypatch, capsys):
    assert faults([made_up("bias", 1e-15, 1.0), made_up("additive", 1.0, 0.2)]) == []
    lines = faults([made_up("bias", 1e-11, 1.2), made_up("rotary", 0.0, 0.999)])
    assert len(lines) == 2
    assert "tells equal tokens apart" in lines[0]
    assert "2 layers is below the bound on shift" in lines[1]
    monkeypatch.setattr(module, "_rows", lambda *_: iter([made_up("bias", 1e-3, 1.0)]))
    assert call("--encoding", "alibi") == 1
    assert "tells equal tokens apart" in capsys.readouterr().err


def test_interruption_keeps_what_is_finished(monkeypatch, capsys):
    def two(*_):
        yield made_up("none", 0.0, 1.0)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_rows", two)
    assert call("--encoding", "none", "alibi") == 130
    captured = capsys.readouterr()
    assert "none" in captured.out
    assert captured.err == "interrupted: 1 of 2 encodings are missing\n"


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (None, "-"),
        (Estimate(math.inf, math.inf, 1.0, ""), "impossible"),
        (Estimate(1.2345, 1.2345, 1.0, ""), "[1.23, 1.24]"),
        (Estimate(0.0, 1.5e-17, 1.0, ""), "[0, 1.5e-17]"),
        (Estimate(28.36, math.inf, 1.0, ""), "[28.3, inf]"),
    ],
)
def test_ends_are_rounded_outwards(estimate, text):
    assert report._ends(estimate) == text


def test_no_ratio_below_one_reads_as_one():
    assert report._down(0.99996) == "0.999"
    assert report._down(math.inf) == "-"


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["--encoding", "sinusoidall"], "use 'sinusoidal'"),
        (["--dim", "5"], "dim must be even for sinusoidal, got 5: use dim=6"),
        (["--dim", "0"], "use --dim 1"),
        (["--length", "1"], "length must be between 2 and 64, got 1: use --length 2"),
        (["--length", "65"], "use --length 64"),
        (["--depth", "0"], "use --depth 1"),
        (["--seeds", "1"], "seeds must be between 2"),
        (["--steps", "0"], "use --steps 1"),
        (["--seed", "-1"], "seed must be at least 0"),
        (["--encoding", "sinusoidal:dim=4"], "use dim=8"),
        (["--figure", "x.txt"], "end the name in .png"),
        (["--json", "/nowhere/x.json"], "no folder /nowhere"),
        (["--lenght", "3"], "did you mean --length?"),
    ],
)
def test_bad_arguments(capsys, words, advice, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call(*words, "--no-train") == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert advice in captured.err
    assert list(tmp_path.iterdir()) == []
