"""`python -m estimators.results list|show|export|repair`: words, flags, files, statuses."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from estimators.command_line import run_one_of
from estimators.results import results
from estimators.store import Store, Task


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Three results in the store that is the default."""
    monkeypatch.chdir(tmp_path)
    store = Store("results.sqlite")
    store.put(Task("estimators.toy.mean", "c0de" * 16), {"encoding": "alibi", "draws": 200}, {"x": 1 / 3}, seconds=1.5)
    for seed in (0, 1):
        store.put(Task("estimators.toy.other", "f00d" * 16), {"n": 2}, {"upper": float("inf")}, seconds=0.0, seed=seed)
    return tmp_path


def output(capsys, *words, status=0):
    assert results([str(word) for word in words]) == status
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def fails(capsys, *words):
    assert results([str(word) for word in words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err.rstrip("\n")


def test_list(folder, capsys):
    shown = output(capsys, "list")
    lines = [line for line in shown.splitlines() if "estimators.toy" in line]
    assert len(lines) == 3
    records = Store("results.sqlite").records()
    for line, record in zip(lines, records, strict=True):
        assert record.key[:12] in line
        assert record.code[:8] in line
        assert record.created[:19].replace("T", " ") in line
    assert "draws=200, encoding=alibi" in lines[0]
    assert "1.5" in lines[0]
    assert output(capsys, "list", "--task", "estimators.toy.other").count("estimators.toy") == 2
    assert os.listdir(folder) == ["results.sqlite"]
    document = json.loads(output(capsys, "list", "--json", "-"))
    assert [one["key"] for one in document["results"]] == [record.key for record in records]
    assert "result" not in document["results"][0]
    assert document["lost"] == 0


def test_show(folder, capsys):
    record = Store("results.sqlite").records()[0]
    for key in (record.key, record.key[:12], record.key[:8].upper()):
        document = json.loads(output(capsys, "show", key))
        assert document == vars(record)
        assert document["result"] == {"x": 1 / 3}
        assert {"dtype", "device", "jax"} <= document["versions"].keys()
    assert output(capsys, "show", record.key, "--json", "one.json") == ""
    assert json.loads(Path("one.json").read_text()) == vars(record)


def test_export(folder, capsys):
    rows = list(csv.DictReader(io.StringIO(output(capsys, "export"))))
    assert [row["result.x"] for row in rows] == [repr(1 / 3), "", ""]
    assert [row["result.upper"] for row in rows] == ["", "", ""]
    assert [row["seed"] for row in rows] == ["", "0", "1"]
    for words in (("--output", "a.csv"), ("--output", "a.txt", "--format", "csv")):
        assert output(capsys, "export", *words, "--task", "estimators.toy.mean") == ""
        assert len(Path(words[1]).read_text().splitlines()) == 2
    document = json.loads(output(capsys, "export", "--json", "-"))
    assert [one["result"] for one in document["results"]] == [{"x": 1 / 3}, {"upper": None}, {"upper": None}]
    output(capsys, "export", "--json", "all.json", "--output", "all.csv")
    assert json.loads(Path("all.json").read_text()) == document
    assert len(Path("all.csv").read_text().splitlines()) == 4


def test_formats_of_optional_packages(folder, capsys):
    pytest.importorskip("pyarrow")
    pytest.importorskip("xarray")
    for name, head in (("a.parquet", b"PAR1"), ("a.nc", b"CDF")):
        assert output(capsys, "export", "--output", name) == ""
        assert Path(name).read_bytes().startswith(head)


def test_damage_is_told_and_the_rest_is_shown(folder, capsys):
    path = Path("results.sqlite")
    key = Store(path).records()[0].key
    path.write_bytes(path.read_bytes().replace(b"0.3333", b"0.4444"))
    for words in (
        ("list",),
        ("export",),
        ("list", "--json", "-"),
        ("export", "--json", "-"),
        ("export", "--output", "a.csv"),
    ):
        assert results(words) == 3
        captured = capsys.readouterr()
        assert captured.err == (
            "results.sqlite is damaged, at least 1 results are lost: "
            "python -m estimators.results repair --store results.sqlite keeps the rest\n"
        )
        assert "0.4444" not in captured.out
    assert f"no result {key} in results.sqlite" in fails(capsys, "show", key)
    assert output(capsys, "repair") == (
        "results.sqlite: 2 results saved, at least 1 lost; the old file is results.sqlite.damaged-1\n"
    )
    assert output(capsys, "repair") == "results.sqlite is sound: nothing was changed\n"
    assert json.loads(output(capsys, "repair", "--json", "-")) == {"aside": None, "saved": 2, "lost": 0}
    assert output(capsys, "list").count("estimators.toy") == 2


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            "",
            "error: expected list|show|export|repair, got nothing: python -m estimators.results --help says what each",
        ),
        ("lst", "error: expected list|show|export|repair, got 'lst': did you mean list?"),
        ("--list", "error: expected list|show|export|repair, got '--list': did you mean list?"),
        ("list --stor x", "list: error: unknown flag --stor: did you mean --store?"),
        ("list --store none.sqlite", "list: error: no store none.sqlite: give the file of one with --store"),
        ("list --store .", "list: error: no store .: give the file of one with --store"),
        (
            "list --task estimators.toy",
            "list: error: no result of estimators.toy in results.sqlite: its tasks are estimators.toy.mean",
        ),
        ("list --json none/a.json", "list: error: no folder"),
        ("show", "show: error: the following arguments are required: KEY"),
        ("show abc", "show: error: a key needs at least 4 letters, got 'abc': use list to see the keys"),
        ("show nokey", "show: error: no result nokey in results.sqlite: use list to see the keys"),
        ("export --output a.xlsx", "export: error: no format for a.xlsx: end the name in .csv, .parquet, .nc, or give"),
        (
            "export --format xlsx",
            "export: error: argument --format: expected 'csv' or 'parquet' or 'netcdf', got 'xlsx'",
        ),
        (
            "export --format parquet",
            "export: error: parquet cannot go to standard output: give --output results.parquet",
        ),
        ("export --output none/a.csv", "export: error: no folder"),
        ("repair --store none.sqlite", "repair: error: no store none.sqlite"),
        ("repair --store text", "repair: error: text is no SQLite file: give another --store, or move it away"),
    ],
)
def test_bad_input_is_one_line(folder, capsys, words, line):
    Path("text").write_text("x" * 600)
    assert fails(capsys, *words.split()).removeprefix("python -m estimators.results").lstrip(": ").startswith(line)


def test_two_keys_with_the_same_beginning(folder, capsys, monkeypatch):
    monkeypatch.setattr("estimators.results.SHORTEST_KEY", 0)
    assert "error: 3 results begin with : give more letters" in fails(capsys, "show", "")


def test_help(capsys):
    shown = output(capsys, "--help")
    for word in ("list", "show", "export", "repair"):
        assert f"python -m estimators.results {word}: " in shown
    assert output(capsys, "show", "--help").startswith(
        "usage: python -m estimators.results show KEY [--flag value ...]\n"
    )


def test_the_first_word_picks_a_function(capsys):
    seen = []

    def one(*, seed: int = 0) -> int:
        seen.append(seed)
        return 3

    def two(name: str, /) -> None:
        seen.append(name)

    assert [run_one_of({"one": one, "two": two}, words) for words in (["one", "--seed", "2"], ["two", "one"])] == [3, 0]
    assert seen == [2, "one"]
    assert run_one_of({"one": one}, ["--help"]) == 0


def test_as_a_module(folder):
    """The module is loaded twice then, as __main__ too."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "estimators.results", "export"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 4
