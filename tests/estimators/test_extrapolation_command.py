"""The command as a user runs it: small sizes, JSON, figure, text, bad input, exit status."""

import json

import pytest

from estimators import extrapolation, extrapolation_text
from estimators.command_line import run

SMALL = [
    *("--train-length", "8", "--dim", "16", "--layers", "1", "--heads", "2", "--steps", "25"),
    *("--seeds", "2", "--rate", "0.01", "--sequences", "8"),
]


def call(*words):
    return run(extrapolation.extrapolation, [*words])


def test_tables_json_and_figure(tmp_path, capsys):
    place, drawn = tmp_path / "x.json", tmp_path / "x.png"
    words = ["--task", "shift-1", "reversal", "--encoding", "none", "alibi:slope=1", "random-orthogonal:beyond=clip"]
    status = call(*words, "--test-lengths", "8", "16", *SMALL, "--json", str(place), "--figure", str(drawn))
    shown = capsys.readouterr().out
    assert status == 0
    for words in ("shift-1: ", "reversal: ", "chance", "How to read this", "Theorems against 6 trained networks"):
        assert words in shown
    document = json.loads(place.read_text())
    results = document["results"]
    keys = {"task", "encoding", "seed_count", "length", "position_range", "mean", "lower", "upper"}
    assert keys | {"steps_to_threshold", "predicted_horizon"} <= set(results[0])
    assert {row["encoding"] for row in results} == {"none", "alibi:slope=1", "random-orthogonal:beyond=clip"}
    assert all(row["lower"] <= row["mean"] <= row["upper"] for row in results)
    assert all((row["predicted_horizon"] is not None) == row["encoding"].startswith("alibi") for row in results)
    assert document["bounds"]["violated"] == 0
    assert document["versions"]["jax"]
    assert drawn.stat().st_size > 10_000


def test_text_and_summaries_from_files(tmp_path, capsys):
    folder = tmp_path / "texts"
    folder.mkdir()
    for k in range(12):
        (folder / f"f{k}.txt").write_text(f"the quick brown fox number {k} jumps over the lazy dog. " * 12)
    place = tmp_path / "t.json"
    words = ["--task", "text", "--text", str(folder), "--encoding", "none", "alibi", "--test-lengths", "8", "16"]
    assert call(*words, *SMALL, "--json", str(place)) == 0
    shown = capsys.readouterr().out
    assert "sliding windows" in shown
    assert "non-overlapping windows" in shown
    assert "visible bytes" in shown
    rows = json.loads(place.read_text())["results"]
    assert {row["measure"] for row in rows} == {"sliding", "non-overlapping", "context-use"}
    pairs = tmp_path / "p.csv"
    lines = "".join(f"def f{k}(x): return x + {k},Add {k} to x.\n" for k in range(60))
    pairs.write_text("source,summary\n" + lines)
    words = ["--task", "summary", "--text", str(pairs), "--encoding", "none", "--test-lengths", "128"]
    assert call(*words, *SMALL, "--train-length", "128", "--json", str(place)) == 0
    rows = json.loads(place.read_text())["results"]
    assert {row["measure"] for row in rows} >= {"summary", "rouge1", "rougeL"}


def test_checkpoints_make_a_second_run_the_same(tmp_path, capsys):
    words = ["--task", "shift-1", "--encoding", "haar", "--test-lengths", "8", "12", *SMALL, "--json", "-"]
    first = call(*words, "--checkpoint", str(tmp_path / "c"))
    one = json.loads(capsys.readouterr().out)
    second = call(*words, "--checkpoint", str(tmp_path / "c"))
    two = json.loads(capsys.readouterr().out)
    assert first == second == 0
    assert one["results"] == two["results"]
    assert call(*words, "--checkpoint", str(tmp_path / "c"), "--steps", "50") == 2
    assert "another configuration" in capsys.readouterr().err


def test_interruption_keeps_finished_tasks(tmp_path, capsys, monkeypatch):
    real = extrapolation.run_plan

    def breaks(plan, *rest, **options):
        if plan.tasks == ("reversal",):
            raise KeyboardInterrupt
        return real(plan, *rest, **options)

    monkeypatch.setattr(extrapolation, "run_plan", breaks)
    place = tmp_path / "x.json"
    words = ["--task", "shift-1", "reversal", "--encoding", "none", "--test-lengths", "8", *SMALL, "--json", str(place)]
    assert call(*words) == 130
    document = json.loads(place.read_text())
    assert document["interrupted"]
    assert {row["task"] for row in document["results"]} == {"shift-1"}
    assert "interrupted" in capsys.readouterr().err


def test_a_violated_theorem_is_exit_status_one(monkeypatch):
    real = extrapolation.bound_check

    def violated(windows):
        found = real(windows)
        return type(found)(**{**vars(found), "violated": 1})

    monkeypatch.setattr(extrapolation, "bound_check", violated)
    assert call("--task", "shift-1", "--encoding", "none", "--test-lengths", "8", *SMALL) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--task", "shft-1"], "did you mean 'shift-1'"),
        (["--encoding", "learned"], "use beyond=clip, or train_length=256"),
        (["--encoding", "random-orthogonal:beyond=refuse"], "is defined for 32 positions"),
        (["--task", "shift-1", "--text", "x"], "--text is read by the tasks text and summary"),
        (["--task", "text", "--text", "/nonexistent"], "no text at"),
        (["--steps", "30"], "use steps=50"),
        (["--confidence", "1"], "between 0 and 1"),
        (["--json", "/nonexistent/x.json"], "no folder"),
        (["--figure", "x.gif"], ".png, .pdf or .svg"),
    ],
)
def test_bad_input_is_one_line(words, message, capsys):
    assert call(*words) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.err.count("\n") == 1
    assert shown.out == ""


def test_a_corpus_shorter_than_the_longest_test_length(tmp_path, capsys):
    short = tmp_path / "a.txt"
    short.write_text("abc " * 50)
    assert call("--task", "text", "--text", str(short), "--encoding", "none") == 2
    assert "the longest test document" in capsys.readouterr().err
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9 " * 2000)
    assert call("--task", "text", "--text", str(tmp_path / "latin.txt"), "--encoding", "none") == 2
    assert "UTF-8" in capsys.readouterr().err


def test_summaries_without_the_package_that_scores_them_are_refused_before_training(monkeypatch, capsys):
    monkeypatch.setattr(extrapolation_text.importlib.util, "find_spec", lambda name: None)
    words = ["--task", "summary", "--encoding", "none", "--train-length", "128", "--test-lengths", "128"]
    assert call(*words) == 2
    assert "positional-encoding-bounds[summaries]" in capsys.readouterr().err
