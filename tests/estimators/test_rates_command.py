"""`python -m estimators.rates`: flags, files, statuses."""

import json

import pytest

from estimators import rates as module
from estimators import rates_cases, rates_statements
from estimators.command_line import run
from estimators.estimate import Estimate
from estimators.rates import rates
from estimators.rates_heads import Measured


@pytest.fixture
def tiny(monkeypatch):
    """One small shape for all heads that are run here."""
    monkeypatch.setattr(rates_cases, "SAMPLES", 6)
    monkeypatch.setattr(rates_cases, "LENGTH", 4)
    monkeypatch.setattr(rates_cases, "COUNTS", (3.0, 6.0))
    monkeypatch.setattr(rates_cases, "SLOPES", (0.5, 2.0))


def call(*words):
    return run(rates, [str(word) for word in words])


def test_the_command(tiny, tmp_path, capsys):
    paths = tmp_path / "x.json", tmp_path / "x.png"
    wanted = ("--variable", "sample_size", "alibi_slope", "--draws", 8)
    assert call(*wanted, "--json", paths[0], "--figure", paths[1]) == 0
    shown = capsys.readouterr().out
    assert "over this range of x, not the exponent as x grows" in " ".join(shown.split())
    assert paths[1].stat().st_size > 20_000
    document = json.loads(paths[0].read_text())
    assert [one["class"] for one in document["series"]] == ["frozen, none", "query, none", "query, alibi"]
    for one in document["series"]:
        assert one["slope"]["lower"] <= one["attained_slope"] <= one["slope"]["upper"]
        assert one["slope"]["confidence"] == pytest.approx(0.99)
    frozen = {one["bound"]: one for one in document["series"][0]["statements"]}
    assert frozen["linear"]["own_slope"] == pytest.approx(-0.5, abs=1e-9)
    assert frozen["linear"]["exponent"] == "-1/2"
    covering = {one["bound"]: one for one in document["series"][2]["statements"]}["covering"]
    assert covering["own_slope"] == 0
    assert covering["exponent"] == "0"


def test_interruption_keeps_what_is_finished(monkeypatch, capsys):
    def measure(x, confidence):
        return Measured(Estimate(1.0, 2.0, confidence, ""), 1.0, {"linear": 2.0})

    def stopped(x, confidence):
        raise KeyboardInterrupt

    def two(given):
        for one in (measure, stopped):
            yield rates_cases.Series(
                "sample_size", "toy", "", (1.0, 2.0), one, rates_statements.in_sample_size("linear")
            )

    monkeypatch.setattr(module, "VARIABLES", {"sample_size": two})
    assert call("--variable", "sample_size") == 130
    captured = capsys.readouterr()
    assert "toy" in captured.out
    assert captured.err == "interrupted: 1 of 2 classes are missing\n"


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["--variable", "sampl_size"], "did you mean 'sample_size'?"),
        (["--encoding", "alibbi"], "alibi"),
        (["--draws", "2"], "draws must be at least 8"),
        (["--confidence", "1"], "strictly between 0 and 1"),
        (["--seed", "-1"], "seed must be at least 0"),
        (["--figure", "x.txt"], "end the name in .png"),
        (["--json", "/nowhere/x.json"], "no folder /nowhere"),
        (["--variabel", "dim"], "did you mean --variable?"),
    ],
)
def test_bad_arguments(capsys, words, advice, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call(*words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert advice in captured.err
    assert list(tmp_path.iterdir()) == []
