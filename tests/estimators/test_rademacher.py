"""The command: what it prints and writes, and one helpful line for every bad input."""

import json
import subprocess
import sys

import numpy as np
import pytest

from estimators.command_line import run
from estimators.rademacher import rademacher
from theory.encodings import ENCODINGS

TRANSFORMER = ["--hypotheses", "transformer", "--dim", "4"]
FAST = ["--samples", "6", "--length", "4", "--synthetic", "sphere"]


def call(*arguments):
    """The command, for the query class unless the arguments name another."""
    chosen = [] if "--hypotheses" in arguments else ["--hypotheses", "query"]
    return run(rademacher, [str(argument) for argument in (*arguments, *chosen)])


@pytest.fixture
def tokens(tmp_path):
    path = tmp_path / "tokens.npy"
    np.save(path, np.random.default_rng(0).standard_normal((5, 3, 2)))
    return path


def test_json_document(capsys, tokens):
    assert call("--sample", tokens, "--encoding", "none", "alibi:slope=0.5", "rotary", "--json", "-") == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["encoding"] for row in document["results"]] == ["none", "alibi:slope=0.5", "rotary"]
    for row in document["results"]:
        assert 0 < row["lower"] <= row["upper"]
        assert row["confidence"] == 1.0
        assert row["hypotheses"] == "query"
        assert row["sampling_halfwidth"] == 0
        assert row["certificate"] in {"branch-and-bound", *row["certificates"]}
        assert set(row["bounds"]) == set(row["verdicts"]) == set(row["slacks"])
        assert set(row["verdicts"].values()) == {"holds"}
        assert 0 <= row["optimisation_gap"] <= 0.0101
    assert "slope=1/2" in document["results"][1]["specification"]
    assert [row["encoding"] for row in document["differences"]] == ["alibi:slope=0.5", "rotary"]
    assert {row["reference"] for row in document["differences"]} == {"none"}
    assert document["blocks"][0]["samples"] == 5
    assert {"versions", "seed", "seconds"} <= set(document)


def test_all_encodings_and_figure(capsys, tmp_path):
    for name in ("figure.png", "figure.svg", "figure.pdf"):
        assert call(*FAST, "--hypotheses", "frozen", "--figure", tmp_path / name) == 0
        assert (tmp_path / name).stat().st_size > 5000
    printed = capsys.readouterr().out
    for name in ENCODINGS:
        assert name in printed
    assert "How to read it" in printed
    assert "violated" not in printed.split("How to read it")[0]


def test_same_seed_same_numbers_and_other_encodings_do_not_change_a_row(capsys):
    arguments = [*FAST, "--samples", "20", "--draws", "50", "--json", "-", "--encoding"]
    documents = []
    for encodings in (["alibi"], ["none", "alibi"], ["alibi"]):
        assert call(*arguments, *encodings) == 0
        documents.append(json.loads(capsys.readouterr().out))
    rows = [next(row for row in document["results"] if row["encoding"] == "alibi") for document in documents]
    assert rows[0] == rows[1] == rows[2]
    assert documents[0]["differences"] == documents[1]["differences"]


def test_query_class_is_exactly_the_stated_one(capsys, tokens):
    """Against the separate oracle, from file to JSON: no scaling, distance T-1-j, radii as given."""
    from query_oracle import oracle_arrays, oracle_complexity

    x = np.load(tokens)
    for specification, name, parameters in (
        ("alibi:slope=0.25", "alibi", {"slope": 0.25}),
        ("rotary", "rotary", {}),
        ("sinusoidal", "sinusoidal", {"unit_power": False}),
    ):
        flags = ["--logit-norm", 2, "--readout-norm", 3, "--power", "none", "--gap", "0.001"]
        assert call("--sample", tokens, "--encoding", specification, *flags, "--json", "-") == 0
        row = json.loads(capsys.readouterr().out)["results"][0]
        value = oracle_complexity(*oracle_arrays(name, x, **parameters), 2.0, 3.0)
        assert row["lower"] * (1 - 1e-8) <= value <= row["upper"]


BAD = {
    "unknown encoding": (["--encoding", "alibbi"], "alibi"),
    "odd dim for rotary": (["--encoding", "rotary", "--dim", "3"], "use dim="),
    "no samples": (["--samples", "0"], "samples"),
    "no tokens": (["--length", "0"], "length"),
    "rescaling needs two positions": (["--encoding", "legendre", "--length", "1"], "2"),
    "negative readout norm": (["--readout-norm", "-1"], "at least 0"),
    "negative logit norm": (["--logit-norm", "-0.5"], "at least 0"),
    "too many signs to enumerate": (["--samples", "21", "--draws", "exact"], "--draws 2000"),
    "no draws": (["--draws", "0"], "at least 1"),
    "confidence 1": (["--confidence", "1"], "between 0 and 1"),
    "confidence 0": (["--confidence", "0"], "between 0 and 1"),
    "gap 0": (["--gap", "0"], "gap"),
    "negative gap": (["--gap", "-1"], "gap"),
    "NaN gap": (["--gap", "nan"], "gap"),
    "power 0": (["--power", "0", "--encoding", "sinusoidal"], "power"),
    "refused length": (["--encoding", "learned:train_length=3,beyond=refuse"], "learned"),
    "unknown key": (["--encoding", "alibi:slop=1"], "slope"),
    "unknown hypotheses": (["--hypotheses", "quadratic"], "query"),
    "unknown flag": (["--encodings", "none"], "--encoding"),
    "two sources": (["--text", "x", "--sample", "y"], "exclude"),
    "missing folder": (["--json", "/nonexistent/x.json"], "mkdir"),
    "wrong figure ending": (["--figure", "figure.docx"], ".png"),
    "head out of range": (["--encoding", "alibi", "--head", "9"], "head"),
    "rank above dimension": ([*TRANSFORMER, "--matrix-ball", "rank", "--rank", "5"], "rank=4"),
    "rank without its ball": ([*TRANSFORMER, "--rank", "2"], "ball=rank"),
    "heads do not divide dim": ([*TRANSFORMER, "--matrix-ball", "rank", "--attention-heads", "3"], "heads=2"),
    "more heads than biases": ([*TRANSFORMER, "--encoding", "alibi", "--attention-heads", "9"], "9 or more"),
    "no layers": ([*TRANSFORMER, "--layers", "0"], "layers"),
    "negative value norm": ([*TRANSFORMER, "--value-norm", "-1"], "at least 0"),
    "l1 Transformer": ([*TRANSFORMER, "--readout-ball", "l1"], "--hypotheses query"),
    "keys only in a Transformer": ([*TRANSFORMER, "--keys-only"], "--hypotheses query"),
    "adversarial head": (["--adversarial", "0.1"], "--hypotheses transformer"),
    "negative adversarial radius": ([*TRANSFORMER, "--adversarial", "-0.1"], "adversarial"),
    "train a Transformer": ([*TRANSFORMER, "--train-encoding", "0.1"], "--hypotheses query"),
    "nothing to train": (["--encoding", "rotary", "--train-encoding", "0.1"], "trainable"),
    "negative training radius": (["--encoding", "t5", "--train-encoding", "-0.1"], "encoding-radius"),
    "until nothing": (["--until-halfwidth", "0"], "0.02"),
    "until with all signs": (["--until-halfwidth", "0.1", "--draws", "exact"], "--until-halfwidth"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_status_2(case, capsys):
    arguments, advice = BAD[case]
    defaults = [] if "--text" in arguments else FAST
    assert call(*defaults, *arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1, captured.err
    assert advice in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (np.full((2, 3, 2), np.nan), "NaN"),
        (np.full((2, 3, 2), np.inf), "infin"),
        (np.zeros((2, 3)), "(n, T, d)"),
        (np.zeros((0, 3, 2)), "at least 1"),
        (b"\x93NUMPY\x01\x00v\x00{'descr'", "npy"),
        (b"not an array", "npy"),
    ],
)
def test_bad_sample_file(tmp_path, capsys, content, advice):
    path = tmp_path / "bad.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content)
    assert call("--sample", path) == 2
    captured = capsys.readouterr()
    assert len(captured.err.splitlines()) == 1
    assert advice.lower() in captured.err.lower()


def test_bad_text(tmp_path, capsys):
    binary, short = tmp_path / "binary.txt", tmp_path / "short.txt"
    binary.write_bytes(b"\x00\xff\xfe" * 100)
    short.write_text("abc")
    for path in (binary, short, tmp_path / "missing"):
        assert call("--text", path) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_text_changes_the_numbers(tmp_path, capsys):
    path = tmp_path / "text.txt"
    path.write_text("to be or not to be, that is the question. " * 40)
    assert call("--text", path, "--encoding", "none", "--samples", "5", "--json", "-") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["blocks"][0]["sample"]["source"].endswith("text.txt")
    assert document["results"][0]["upper"] > 0


def test_zero_norms_give_zero(capsys):
    for flags in (["--readout-norm", "0"], ["--readout-norm", "0", "--hypotheses", "frozen"]):
        assert call(*FAST, "--encoding", "none", *flags, "--json", "-") == 0
        row = json.loads(capsys.readouterr().out)["results"][0]
        assert (row["lower"], row["upper"]) == (0, 0)


@pytest.mark.parametrize(("after", "finished"), [(1, []), (2, ["alibi"]), (3, ["alibi", "rotary"])])
def test_interrupt_saves_what_is_finished(monkeypatch, capsys, after, finished):
    from estimators import rademacher_blocks as module

    calls, honest = [], module.bracket

    def interrupted(*arguments, **options):
        if len(calls) == after:
            raise KeyboardInterrupt
        calls.append(1)
        return honest(*arguments, **options)

    monkeypatch.setattr(module, "bracket", interrupted)
    assert call(*FAST, "--encoding", "alibi", "rotary", "t5", "--json", "-") == 130
    captured = capsys.readouterr()
    assert "interrupted" in captured.err
    if finished:
        document = json.loads(captured.out)
        assert [row["encoding"] for row in document["results"]] == finished
        assert document["interrupted"] is True


def test_as_a_module_from_a_shell(tmp_path, tokens):
    command = [sys.executable, "-m", "estimators.rademacher", "--sample", str(tokens), "--encoding", "none"]
    command += ["--hypotheses", "frozen", "transformer", "--layers", "1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert "none" in done.stdout


def test_two_blocks_and_their_document(capsys, tmp_path):
    path = tmp_path / "both.json"
    flags = ["--hypotheses", "query", "transformer", "--dim", "4", "--draws", "30", "--value-norm", "0.1"]
    figure = tmp_path / "both.png"
    assert call(*FAST, *flags, "--encoding", "none", "rotary", "--json", path, "--figure", figure) == 0
    printed = capsys.readouterr().out
    assert printed.count("How to read it") == 2
    assert figure.stat().st_size > 5000
    document = json.loads(path.read_text())
    assert [block["hypotheses"] for block in document["blocks"]] == ["query", "transformer"]
    assert [row["hypotheses"] for row in document["results"]] == ["query", "query", "transformer", "transformer"]
    rows = {(row["hypotheses"], row["encoding"]): row for row in document["results"]}
    # Radius .1 of both layers around the identity, whose complexity is that of <u, x_T>.
    assert rows["transformer", "none"]["lower"] > 0
    assert rows["transformer", "none"]["upper"] < np.inf
    assert rows["transformer", "none"]["bounds"]
    assert not rows["transformer", "rotary"]["bounds"]  # the symbolic bounds do not cover rotations


def test_the_adversarial_class_is_larger(capsys):
    uppers = []
    for radius in ("0", "0.5"):
        flags = [*TRANSFORMER, "--encoding", "none", "--draws", "30", "--adversarial", radius, "--json", "-"]
        assert call(*FAST, *flags) == 0
        uppers.append(json.loads(capsys.readouterr().out)["results"][0]["upper"])
    assert uppers[1] > uppers[0] * 1.2


@pytest.mark.slow
def test_trained_encodings_are_compared_with_fixed_ones(capsys, monkeypatch):
    from estimators import rademacher_blocks as module

    flags = ["--encoding", "alibi:slope=0.5", "t5", "--train-encoding", "0.5", "--dim", "1", "--json", "-"]
    assert call(*FAST, *flags) == 0
    document = json.loads(capsys.readouterr().out)
    names = [row["encoding"] for row in document["results"]]
    assert names == ["alibi:slope=0.5", "alibi:slope=0.5, trained", "t5", "t5, trained"]
    larger = [row for row in document["differences"] if "trained" in row["encoding"]]
    assert [row["reference"] for row in larger] == ["alibi:slope=0.5", "t5"]
    assert all(row["upper"] > 0 for row in larger)
    monkeypatch.setattr(module, "ENCODINGS", {name: ENCODINGS[name] for name in ("none", "rotary", "t5")})
    assert call(*FAST, "--train-encoding", "0.1", "--encoding", "all", "--samples", "3") == 0
    assert "not trainable, fixed only: rotary" in capsys.readouterr().out


def test_until_halfwidth_stops_early_and_says_when_it_did_not(capsys):
    flags = ["--samples", "20", "--length", "4", "--synthetic", "sphere", "--encoding", "none", "--json", "-"]
    assert call(*flags, "--until-halfwidth", "0.1") == 0
    row = json.loads(capsys.readouterr().out)["results"][0]
    assert row["signs"] < 8 * 4000
    assert row["sampling_halfwidth"] <= 0.1 * row["upper"]
    assert call(*flags[:-2], "--until-halfwidth", "0.0001", "--draws", "200") == 0
    assert "did not reach" in capsys.readouterr().out
