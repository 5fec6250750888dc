"""`python -m estimators`: flags, files, statuses, replay."""

import json
import re

import pytest
from toy_claims import honest, with_faults

from estimators import __main__ as module
from estimators import ledger
from estimators.claims.sources import SUPPORTED, Source, if_all_stand
from estimators.command_line import run

SOURCES = (
    Source("K1", "both", ("toy-tight", "toy-wrong"), if_all_stand(SUPPORTED), {SUPPORTED: "because."}),
    Source("K2", "one", ("toy-quarter",), if_all_stand(SUPPORTED), {SUPPORTED: "since."}),
)


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    monkeypatch.setattr(module, "CLAIMS", honest())
    monkeypatch.setattr(module, "SOURCES", SOURCES)


@pytest.fixture
def faults(monkeypatch):
    monkeypatch.setattr(module, "CLAIMS", with_faults())


def call(*words):
    return run(module.estimators, [str(word) for word in words])


def test_everything_is_written(tmp_path, capsys):
    names = [tmp_path / name for name in ("x.json", "x.md", "x.tex")]
    assert call("--json", names[0], "--markdown", names[1], "--latex", names[2]) == 0
    out = capsys.readouterr().out
    assert "toy-tight" in out
    assert "because." in out
    document = json.loads(names[0].read_text())
    assert [one["id"] for one in document["sources"]] == ["K1", "K2"]
    assert [one["verdict"] for one in document["sources"]] == [SUPPORTED] * 2
    assert document["parameters"]["json"] == str(names[0])
    assert names[1].read_text().startswith("# Claims ledger")
    assert r"\begin{longtable}" in names[2].read_text()


@pytest.mark.parametrize(("flag", "start"), [("--json", "{"), ("--markdown", "# Claims"), ("--latex", "% needs")])
def test_standard_output_holds_the_document_alone(capsys, flag, start):
    assert call(flag, "-") == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(start)
    assert "How to read it: each row" not in captured.out or flag == "--markdown"
    assert captured.err == ""
    if flag == "--json":
        json.loads(captured.out)


def test_chosen_claims_and_sources_that_rest_on_them(capsys):
    assert call("--claim", "toy-wrong", "--claim", "toy-tight", "--json", "-") == 0
    document = json.loads(capsys.readouterr().out)
    assert [one["claim"] for one in document["claims"]] == ["toy-tight", "toy-wrong"]
    assert [one["id"] for one in document["sources"]] == ["K1"]
    assert call("--claim", "toy-wrong", "--json", "-") == 0
    (source,) = json.loads(capsys.readouterr().out)["sources"]
    assert source["because"] == "Not checked in this run: toy-tight."


def test_thorough_and_seed_reach_the_cases(capsys):
    def cases(*words):
        assert call("--claim", "toy-quarter", "--json", "-", *words) == 0
        return [one["case"] for one in json.loads(capsys.readouterr().out)["checks"]]

    assert len(cases("--thorough")) == 10 * len(cases())
    assert cases() == cases("--seed", "0") != cases("--seed", "1")


def test_statuses(faults, capsys):
    assert call("--claim", "toy-broken", "toy-failing") == 1
    assert call("--claim", "toy-failing", "toy-quarter") == 3
    assert "error: toy-failing: RuntimeError: no convergence" in capsys.readouterr().err
    assert call("--claim", "toy-survivor", "toy-recalled") == 0


def test_twins(capsys, tmp_path):
    assert call("--twins", "--counterexamples", tmp_path) == 0
    assert "wrong itself" in capsys.readouterr().out
    assert len(list(tmp_path.glob("*-twin-*.json"))) == 4


def test_list(capsys):
    assert call("--list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(honest())
    assert lines[1].startswith("toy-tight (tight): Upper, tight: TV")
    assert lines[4].startswith("toy-wrong (wrong): Wrong")


def test_counterexamples_and_replay(tmp_path, capsys):
    folder = tmp_path / "new" / "found"
    assert call("--counterexamples", folder) == 0
    files = sorted(folder.glob("*.json"))
    assert 0 < len(files) <= 4
    assert f"{len(files)} counterexamples in {folder}" in capsys.readouterr().err
    assert call("--replay", files[0]) == 0
    line = capsys.readouterr().out
    assert re.match(r"reproduced: toy-wrong, a statement kept because it is wrong: quantity in \[", line)
    assert "the saved numbers" in line
    assert call("--replay", files[0], "--json", "-") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["reproduced"]
    assert document["check"]["verdict"] == "violated"


def test_replay_of_a_repaired_statement_is_status_3(tmp_path, capsys, monkeypatch):
    call("--counterexamples", tmp_path)
    monkeypatch.setattr(module, "CLAIMS", {"toy-wrong": honest()["toy-quarter"]})
    capsys.readouterr()
    assert call("--replay", next(tmp_path.glob("*.json"))) == 3
    assert capsys.readouterr().out.startswith("not reproduced: toy-wrong")


def test_interruption_saves_what_is_finished(tmp_path, capsys, monkeypatch):
    honest_check = ledger.check_claim

    def interrupted(name, claim, **options):
        if name == stop:
            raise KeyboardInterrupt
        return honest_check(name, claim, **options)

    monkeypatch.setattr(ledger, "check_claim", interrupted)
    stop = "toy-searched"
    path = tmp_path / "x.json"
    assert call("--json", path) == 130
    document = json.loads(path.read_text())
    assert document["interrupted"]
    assert document["missing"] == ["toy-searched", "toy-shaped", "toy-wrong"]
    assert len(document["claims"]) == 2
    assert document["sources"][0]["because"] == "Not checked in this run: toy-wrong."
    assert "interrupted: 3 claims were not checked" in capsys.readouterr().err
    stop, path = "toy-quarter", tmp_path / "y.json"
    assert call("--json", path) == 130
    assert not path.exists()


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["--claim", "toy-tigt"], "no claim 'toy-tigt': did you mean toy-tight?"),
        (["--json", "-", "--latex", "-"], "only one of --json, --markdown and --latex can be -"),
        (["--latex", "x.tex", "--twins"], "leave one of the two out"),
        (["--markdown", "/nowhere/x.md"], "no folder /nowhere"),
        (["--replay", "missing.json"], "missing.json: No such file or directory"),
        (["--claims", "x"], "did you mean --claim?"),
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
