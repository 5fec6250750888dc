"""`python -m estimators.figures`: files, statuses, --check, --reuse-data, and one line for bad input."""

import hashlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from estimators import figures as module
from estimators.command_line import run
from estimators.figure_files import problem
from estimators.figures import figures
from estimators.figures_all import FIGURES
from estimators.figures_plan import Kept, Plot
from estimators.provenance import Sources, project_sources

ROOT = Path(module.__file__).parent.parent
NAME = "small"


def rows(quick, kept):
    return [row for k in range(3 if quick else 5) for row in kept(part, index=k)]


def part(*, index):
    return [{"encoding": "none", "x": index, "upper": 0.1 * index, "note": None if index else "first"}]


def drawn(found):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(2, 2))
    axes.plot([row["x"] for row in found], [row["upper"] for row in found])
    return figure


# The version of a figure's code is that of a module of the project.
rows.__module__ = "estimators.figures_plan"
SMALL = Plot("a line", rows, drawn)


@pytest.fixture
def only(monkeypatch, tmp_path):
    """One small figure; calls the command with its files in a folder."""
    monkeypatch.setattr("estimators.figures_all.FIGURES", {NAME: SMALL})

    def call(*words):
        given = ("--output-dir", tmp_path / "out", "--store", tmp_path / "s.sqlite", *words)
        return run(figures, [str(word) for word in given])

    return call


def test_files_and_manifest(only, tmp_path, capsys):
    assert only(NAME) == 0
    out = tmp_path / "out"
    assert sorted(path.suffix for path in out.iterdir()) == [".csv", ".json", ".pdf", ".png", ".svg"]
    text = (out / "small.csv").read_bytes()
    assert text == b"encoding,x,upper,note\nnone,0,0.0,first\nnone,1,0.1,\nnone,2,0.2,\n"
    manifest = json.loads((out / "small.json").read_text())
    assert manifest["sha256"] == hashlib.sha256(text).hexdigest()
    assert manifest["parameters"] == {"part": {"index": [0, 1, 2]}}
    assert manifest["parts"] == {"computed": 3, "reused": 0}
    assert (manifest["size"], manifest["seed"], manifest["dtype"], manifest["rows"]) == ("quick", 0, "float64", 3)
    assert manifest.keys() >= {"command", "seconds", "device", "versions", "code", "columns"}
    assert only("--check") == 0
    assert "1 of 1" in capsys.readouterr().out


def test_same_bytes_again_and_without_a_store(only, tmp_path):
    assert only("--json", tmp_path / "a.json") == 0
    out, first = tmp_path / "out", {}
    for ending in ("csv", "svg", "pdf", "png"):
        first[ending] = (out / f"small.{ending}").read_bytes()
    assert only("--json", tmp_path / "b.json") == 0
    assert json.loads((tmp_path / "b.json").read_text())["figures"][0]["reused"] == 3
    assert only("--store", "none") == 0
    assert {ending: (out / f"small.{ending}").read_bytes() for ending in first} == first


def test_data_of_another_version_are_told(only, tmp_path, monkeypatch, capsys):
    assert only() == 0
    monkeypatch.setattr("estimators.figures_all.FIGURES", {NAME: Plot("", rows, lambda found: found[0]["new column"])})
    capsys.readouterr()
    assert only("--reuse-data") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "computes them again" in said


def test_paper_has_its_own_size(only, tmp_path):
    assert only("--paper") == 0
    assert json.loads((tmp_path / "out" / "small.json").read_text())["size"] == "paper"
    assert len((tmp_path / "out" / "small.csv").read_text().splitlines()) == 6


def test_data_alone_redraws_the_figure(only, tmp_path, monkeypatch):
    assert only() == 0
    out = tmp_path / "out"
    first = (out / "small.svg").read_bytes()
    (out / "small.svg").unlink()
    assert only("--check") == 1
    monkeypatch.setattr("estimators.figures_all.FIGURES", {NAME: Plot("", forbidden, drawn)})
    assert only("--reuse-data") == 0
    assert (out / "small.svg").read_bytes() == first


def forbidden(quick, kept):
    raise AssertionError("computed")


@pytest.mark.parametrize("ending", [".csv", ".json"])
def test_check_tells_what_is_missing(only, tmp_path, capsys, ending):
    assert only() == 0
    (tmp_path / "out" / f"small{ending}").unlink()
    capsys.readouterr()
    assert only("--check") == 1
    said = capsys.readouterr().out
    assert said.startswith(f"small: missing: no small{ending}")
    assert only("--reuse-data") == 2


def test_edited_data(only, tmp_path, capsys):
    assert only() == 0
    path = tmp_path / "out" / "small.csv"
    path.write_text(path.read_text().replace("0.2", "0.3"))
    capsys.readouterr()
    assert only("--check", "--json", tmp_path / "c.json") == 1
    assert "small: edited: small.csv in" in capsys.readouterr().out
    assert json.loads((tmp_path / "c.json").read_text())["figures"][0]["problem"] == "edited"
    assert only("--reuse-data") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "was edited" in said
    assert only() == 0  # the store still has its parts
    assert only("--check") == 0


@pytest.mark.parametrize("text", ["", "[]", "{", '{"sha256": 3}', "\udcff"])
def test_a_manifest_that_cannot_be_read(only, tmp_path, capsys, text):
    assert only() == 0
    (tmp_path / "out" / "small.json").write_bytes(text.encode(errors="surrogateescape"))
    capsys.readouterr()
    assert only("--check") == 1
    assert "small: edited: " in capsys.readouterr().out
    assert only("--reuse-data") == 2


def test_a_changed_constant_is_found(tmp_path):
    """In a copy of the sources: by the figure whose data depend on it, and not by one whose data do not."""
    for package in ("theory", "estimators"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    before = Sources(tmp_path, ("theory", "estimators"))
    plots = {"look-up-norm": FIGURES["look-up-norm"], NAME: SMALL}
    for name, plot in plots.items():
        (tmp_path / f"{name}.csv").write_text("x\n1\n")
        told = {"sha256": hashlib.sha256(b"x\n1\n").hexdigest(), "code": plot.code(before)}
        (tmp_path / f"{name}.json").write_text(json.dumps(told))
        for ending in ("svg", "pdf", "png"):
            (tmp_path / f"{name}.{ending}").touch()
    assert [problem(tmp_path, name, plot, before) for name, plot in plots.items()] == [None] * 2
    path = tmp_path / "estimators" / "lookup.py"
    text = path.read_text()
    assert "EPS = 2.0**-52" in text
    path.write_text(text.replace("EPS = 2.0**-52", "EPS = 2.0**-51"))
    after = Sources(tmp_path, ("theory", "estimators"))
    found = [problem(tmp_path, name, plot, after) for name, plot in plots.items()]
    assert found[1] is None
    assert found[0][0] == "outdated"
    assert "python -m estimators.figures look-up-norm" in found[0][1]


def test_how_a_figure_looks_is_no_part_of_its_data():
    for name, plot in FIGURES.items():
        modules = project_sources().modules(plot.data.__module__)
        assert f"{plot.data.__module__}_drawn" not in modules, name
        assert not {"estimators.figure_style", "estimators.figure_files", "estimators.figures_all"} & {*modules}, name


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("bracket",), "no figure 'bracket': did you mean brackets?"),
        (("zzz",), "no figure 'zzz': --list shows all names"),
        (("--quick", "--paper"), "give one of them"),
        (("--check", "--reuse-data"), "give one of them"),
        (("--check", "--list"), "give one of them"),
        (("--quik",), "did you mean --quick?"),
        (("brackets", "--reuse-data", "--output-dir", "/proc/figures"), "give another folder with --output-dir"),
    ],
)
def test_bad_input_is_one_line(capsys, words, said):
    assert run(figures, list(words)) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.count("\n") == 1
    assert said in found.err


def test_a_folder_that_is_a_file(tmp_path, capsys):
    (tmp_path / "out").touch()
    assert run(figures, ["ledger", "--output-dir", str(tmp_path / "out")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_store_of_a_newer_version(only, tmp_path, capsys):
    assert only() == 0
    with sqlite3.connect(tmp_path / "s.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    capsys.readouterr()
    assert only() == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "newer version" in said


def test_list(capsys):
    assert run(figures, ["--list", "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)["figures"]
    assert [one["figure"] for one in told] == list(FIGURES)
    assert len(told) >= 12
    assert run(figures, ["--list", "ledger"]) == 0
    assert "brackets" not in capsys.readouterr().out


def test_names_may_stand_anywhere(only, tmp_path):
    assert only("--quick", NAME, "--json", tmp_path / "a.json") == 0
    assert only(NAME, "--quick") == 0
    assert len(json.loads((tmp_path / "a.json").read_text())["figures"]) == 1


def test_a_nan_is_refused(only, monkeypatch, capsys):
    def broken(quick, kept):
        return kept(wrong)

    def wrong():
        return [{"x": float("nan")}]

    broken.__module__ = "estimators.figures_plan"
    monkeypatch.setattr("estimators.figures_all.FIGURES", {NAME: Plot("", broken, drawn)})
    assert only() == 2
    assert "NaN" in capsys.readouterr().err


def test_without_a_store_infinities_are_empty_too():
    def one():
        return [{"x": float("inf"), "y": 1}]

    assert Kept("f", "c")(one) == [{"x": None, "y": 1}]
