"""`python -m estimators.report`: the page by either way, statuses, bad input."""

import json
import re

import pytest
from html_reader import Reader
from toy_claims import honest

from estimators import __main__ as ledger_command
from estimators import ledger as ledger_module
from estimators import report as module
from estimators.claims.sources import OPEN, SUPPORTED, Source, if_all_stand, undecided
from estimators.command_line import run
from theory.softmax import SOFTMAX_BOUNDS

SOURCES = (
    Source("K1", "both <b>", ("toy-tight", "toy-wrong"), if_all_stand(SUPPORTED), {SUPPORTED: "because."}),
    Source("D4", "none", (), undecided, {OPEN: "nothing is checked."}),
)


def call(*words):
    return run(module.report, [str(word) for word in words])


@pytest.fixture(autouse=True)
def toy(monkeypatch):
    monkeypatch.setattr(module, "CLAIMS", honest())
    monkeypatch.setattr(module, "SOURCES", SOURCES)
    monkeypatch.setattr(module, "STATEMENTS", SOFTMAX_BOUNDS)
    monkeypatch.setattr(module, "FIGURES", {})


def test_a_page_from_a_file_is_the_page_and_is_the_same_twice(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(ledger_command, "CLAIMS", honest())
    monkeypatch.setattr(ledger_command, "SOURCES", SOURCES)
    assert run(ledger_command.estimators, ["--json", str(tmp_path / "ledger.json")]) == 0
    capsys.readouterr()

    def made(*words):
        assert call("--output", "-", "--figures", tmp_path / "none", *words) == 0
        captured = capsys.readouterr()
        assert captured.err == f"no figures in {tmp_path / 'none'}: python -m estimators.figures makes them\n"
        return captured.out

    once, again = (made("--ledger", tmp_path / "ledger.json") for _ in range(2))
    assert once == again
    fresh = made()

    def body(text):  # all but command, parameters and seconds
        return re.sub(r"in \d+ s", "", text.split('<section id="environment"')[0])

    assert body(once) == body(fresh)


def test_chosen_claims(tmp_path, capsys):
    assert call("--claim", "toy-wrong", "--output", tmp_path / "x.html", "--figures", tmp_path) == 0
    page = Reader((tmp_path / "x.html").read_text())
    assert len([one for one in page.all("tr") if one.get("id", "").startswith("claim-")]) == 1
    assert "Not part of this ledger: 4 of 5 claims" in "".join(one["text"] for one in page.all("p"))
    assert capsys.readouterr().out.startswith(f"{tmp_path / 'x.html'}: 1 claims, 0 figures, ")


def test_damaged_figures_are_told_and_the_page_is_written(tmp_path, capsys):
    (tmp_path / "tail.json").write_text("{")
    (tmp_path / "tail.csv").write_text("a\n1\n")
    assert call("--claim", "toy-wrong", "--output", tmp_path / "x.html", "--figures", tmp_path) == 3
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("figure tail: the manifest tail.json is damaged (")
    assert "the manifest tail.json is damaged" in (tmp_path / "x.html").read_text()


def test_interruption_keeps_what_is_finished(tmp_path, capsys, monkeypatch):
    honest_check = ledger_module.check_claim

    def interrupted(name, claim, **options):
        if name == "toy-searched":
            raise KeyboardInterrupt
        return honest_check(name, claim, **options)

    monkeypatch.setattr(ledger_module, "check_claim", interrupted)
    assert call("--output", tmp_path / "x.html", "--figures", tmp_path / "none") == 130
    assert "Interrupted: 3 claims were not checked: toy-searched" in (tmp_path / "x.html").read_text()
    assert "interrupted: 3 claims were not checked" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["--claim", "toy-tigt"], "no claim 'toy-tigt': did you mean toy-tight?"),
        (["--output", "/nowhere/x.html"], "no folder /nowhere"),
        (["--output", "."], "is a folder"),
        (["--figures", "file.txt"], "file.txt is no folder"),
        (["--ledger", "missing.json"], "missing.json: No such file or directory"),
        (["--ledger", "file.txt"], "file.txt is damaged or cut off"),
        (["--ledger", "."], "Is a directory"),
        (["--ledger", "file.txt", "--output", "file.txt"], "is the ledger to be read"),
        (["--ledger", "file.txt", "--claim", "toy-tight"], "leave out --claim and --seed"),
        (["--seed", "-1"], "use --seed 0"),
        (["--figure", "x"], "did you mean --figures?"),
    ],
)
def test_bad_arguments(capsys, words, advice, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.txt").write_text("claims")
    assert call(*words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert advice in captured.err
    assert [one.name for one in tmp_path.iterdir()] == ["file.txt"]


def test_the_ledger_of_another_version_is_told(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(ledger_command, "CLAIMS", honest())
    monkeypatch.setattr(ledger_command, "SOURCES", SOURCES)
    path = tmp_path / "ledger.json"
    assert run(ledger_command.estimators, ["--json", str(path)]) == 0
    document = json.loads(path.read_text())
    document["versions"]["numpy"] = "0.1"
    document["claims"][0]["latex"] += "+1"
    path.write_text(json.dumps(document))
    capsys.readouterr()
    assert call("--ledger", path, "--output", tmp_path / "x.html", "--figures", tmp_path / "none") == 0
    assert "toy-quarter: its statement changed since the ledger was made" in capsys.readouterr().err
    text = (tmp_path / "x.html").read_text()
    assert "toy-quarter: its statement in the code is another than the one that was checked" in text
    assert re.search(r"<td>0\.1</td><td>[^<]* <strong>\(differs\)</strong>", text)
