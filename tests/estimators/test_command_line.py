"""Commands: flags from parameters, one-line errors, exit statuses, progress."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest

from estimators import command_line
from estimators.command_line import console, progress, run

PROGRAM = f"python -m {__name__}"
calls: list[dict] = []


def toy(
    *,
    encoding: list[str] = ["none", "rotary"],  # noqa: B006
    hypotheses: Literal["frozen", "query"] = "query",
    draws: int | Literal["exact"] = 2000,
    power: float | None = 1.0,
    gap: float = 0.01,
    orders: tuple[int, ...] = (),
    text: Path | None = None,
    keys_only: bool = False,
    causal: bool = True,
    lambda_: int | str = 3,
) -> int | None:
    """Brackets 100 % of the complexity.

    Not in the help.

    Args:
        encoding (NAME[:key=value,...]): encodings to compare,
            or all
        draws: sign vectors, 50 % of them negative
        gap: relative gap

    Returns:
        Nothing of interest.

    Examples:
        python -m toy --encoding alibi
          continued
    """
    calls.append(dict(locals()))


@pytest.fixture(autouse=True)
def forget():
    calls.clear()


def fails(capsys, function, *words: str, status: int = 2) -> str:
    """Runs the command, which must fail with one line on standard error; the line without the program."""
    assert run(function, list(words)) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.endswith("\n")
    assert captured.err.startswith(f"{PROGRAM}: ")
    return captured.err.removeprefix(f"{PROGRAM}: ").rstrip("\n")


def raising(error: BaseException):
    def command(*, seed: int = 0) -> None:
        raise error

    return command


# ---- flags


def test_without_flags_the_defaults_of_the_function_hold():
    assert run(toy, []) == 0
    assert calls == [dict(toy.__kwdefaults__)]


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        ("--encoding alibi", "encoding", ["alibi"]),
        ("--encoding alibi:slope=0.5 t5 --encoding fire", "encoding", ["alibi:slope=0.5", "t5", "fire"]),
        ("--hypotheses frozen", "hypotheses", "frozen"),
        ("--draws 12", "draws", 12),
        ("--draws=12", "draws", 12),
        ("--draws exact", "draws", "exact"),
        ("--power 2", "power", 2.0),
        ("--power none", "power", None),
        ("--gap 1e-3", "gap", 1e-3),
        ("--gap -1", "gap", -1.0),
        ("--gap -1e-3", "gap", -1e-3),
        ("--gap -.5E2", "gap", -50.0),
        ("--orders 2 -4 6", "orders", [2, -4, 6]),
        ("--text none", "text", Path("none")),
        ("--keys-only", "keys_only", True),
        ("--no-causal", "causal", False),
        ("--causal", "causal", True),
        ("--lambda 4", "lambda_", 4),
        ("--lambda x", "lambda_", "x"),
    ],
)
def test_flags_become_values(words, name, value):
    assert run(toy, words.split()) == 0
    assert calls[0].pop(name) == value
    assert calls[0] == {key: item for key, item in toy.__kwdefaults__.items() if key != name}


def test_values_have_the_type_of_the_annotation():
    run(toy, ["--power", "2", "--draws", "2", "--text", "a"])
    assert [type(calls[0][name]) for name in ("power", "draws")] == [float, int]
    assert isinstance(calls[0]["text"], Path)


def test_command_line_of_the_process_is_the_default(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["x", "--gap", "0.5"])
    assert run(toy) == 0
    assert calls[0]["gap"] == 0.5


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("--drows 3", "unknown flag --drows: did you mean --draws?"),
        ("--hypothesis=frozen", "unknown flag --hypothesis: did you mean --hypotheses?"),
        ("--key-only", "unknown flag --key-only: did you mean --keys-only?"),
        ("--hyp frozen", "unknown flag --hyp: --help lists the flags"),
        ("-q", "unknown flag -q: --help lists the flags"),
        ("--zzz", "unknown flag --zzz: --help lists the flags"),
        ("alibi", "unexpected argument 'alibi': values follow a flag, --help lists the flags"),
        ("--draws 1 2", "unexpected argument '2': values follow a flag, --help lists the flags"),
        ("--draws", "argument --draws: expected one argument"),
        ("--encoding", "argument --encoding: expected at least one argument"),
        ("--draws 1.5", "argument --draws: expected an integer or 'exact', got '1.5'"),
        ("--draws exat", "argument --draws: expected an integer or 'exact', got 'exat', did you"),
        ("--hypotheses froze", "argument --hypotheses: expected 'frozen' or 'query', got 'froze', did"),
        ("--gap wide", "argument --gap: expected a finite number, got 'wide'"),
        ("--gap nan", "argument --gap: expected a finite number, got 'nan'"),
        ("--gap inf", "argument --gap: expected a finite number, got 'inf'"),
        ("--gap -inf", "argument --gap: expected a finite number, got '-inf'"),
        ("--gap 1e999", "argument --gap: expected a finite number, got '1e999'"),
        ("--power nope", "argument --power: expected a finite number or 'none', got 'nope', did"),
        ("--orders 2 x", "argument --orders: expected an integer, got 'x'"),
    ],
)
def test_bad_arguments_are_one_line_with_advice(capsys, words, line):
    assert fails(capsys, toy, *words.split()).startswith(f"error: {line}")
    assert calls == []


def test_parameter_without_default_is_required(capsys):
    def command(*, text: Path) -> None: ...

    assert fails(capsys, command) == "error: the following arguments are required: --text"
    assert run(command, ["--text", "a"]) == 0


def test_positional_only_parameters_are_words_without_a_flag(capsys):
    seen = []

    def command(name: str, count: int, /, *, seed: int = 0) -> None:
        """Takes a name.

        Args:
            name (WHO): of whom
        """
        seen.append((name, count, seed))

    assert run(command, ["x", "3"]) == run(command, ["--seed", "-2", "y", "-3"]) == run(command, ["z", "4", "--seed=1"])
    assert seen == [("x", 3, 0), ("y", -3, -2), ("z", 4, 1)]
    assert fails(capsys, command) == "error: the following arguments are required: WHO, COUNT"
    assert fails(capsys, command, "x", "y") == "error: argument COUNT: expected an integer, got 'y'"
    assert fails(capsys, command, "x", "3", "4").startswith("error: unexpected argument '4'")
    assert fails(capsys, command, "x", "3", "--sed", "1").startswith("error: unknown flag --sed: did you mean --seed?")
    assert run(command, ["--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: {PROGRAM} WHO COUNT [--flag value ...]\n")
    assert re.search(r"WHO +of whom", text)


def test_sequences_and_optional_lists():
    seen = []

    def command(*, a: Sequence[float] = (), b: list[str] | None = None, c: bool | None = None) -> None:
        seen.append((a, b, c))

    assert run(command, []) == run(command, ["--a", "1", "2", "--b", "x", "--no-c"]) == 0
    assert seen == [((), None, None), ([1.0, 2.0], ["x"], False)]


def test_what_cannot_become_a_flag_is_the_developers_error():
    def untyped(*, a=1): ...

    def positional(a: int): ...

    def complicated(*, a: dict[str, int]): ...

    def pair(*, a: tuple[int, int] = (1, 2)): ...

    def optional_word(a: int = 1, /): ...

    def several_words(a: list[int], /): ...

    def yes_or_no(a: bool, /): ...

    for function in (untyped, positional, complicated, pair, optional_word, several_words, yes_or_no):
        with pytest.raises(TypeError):
            run(function, [])


# ---- help


def test_help_shows_docstring_flags_defaults_and_examples(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert run(toy, ["--help"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert calls == []
    text = re.sub(r"\x1b\[[0-9;]*m", "", captured.out)
    assert text.startswith(f"usage: {PROGRAM} [--flag value ...]\n\nBrackets 100 % of the complexity.\n")
    for part in (
        "--encoding NAME[:key=value,...]",
        "encodings to compare, or all (default: none rotary)",
        "--hypotheses frozen|query",
        "--draws N|exact",
        "sign vectors, 50 % of them negative (default: 2000)",
        "--power X|none",
        "relative gap (default: 0.01)",
        "--text PATH\n",
        "--keys-only, --no-keys-only",
        "(default: off)",
        "(default: on)",
        "\nexamples:\n  python -m toy --encoding alibi\n    continued\n",
    ):
        assert part in text, part
    assert "Not in the help" not in text
    assert "Nothing of interest" not in text


def test_function_without_docstring_has_help(capsys):
    assert run(raising(ValueError("no")), ["-h"]) == 0
    assert "--seed N" in capsys.readouterr().out


# ---- errors of the function, statuses


def test_status_is_what_the_function_returns():
    def command(*, status: int | None = None) -> int | None:
        return status

    assert [run(command, words) for words in ([], ["--status", "0"], ["--status", "1"])] == [0, 0, 1]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("dim must be even, got 5: use dim=6"), "dim must be even, got 5: use dim=6"),
        (ValueError("two\n  lines\r\n\tjoined"), "two lines joined"),
        (ValueError(), "ValueError"),
        (FileNotFoundError(2, "No such file or directory", "x.npy"), "x.npy: No such file or directory"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError("odd"), "odd"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "'utf-8' codec"),
        (MemoryError("8 EiB"), "not enough memory: use fewer or shorter samples (8 EiB)"),
    ],
)
def test_errors_of_the_function_are_one_line(capsys, error, line):
    assert fails(capsys, raising(error)).startswith(f"error: {line}")


def test_interrupt_is_one_line_and_130(capsys):
    assert fails(capsys, raising(KeyboardInterrupt()), status=130) == "interrupted"


@pytest.mark.parametrize("error", [TypeError("bug"), AssertionError("bug"), KeyError("bug"), SystemExit(3)])
def test_bugs_are_not_hidden(error):
    with pytest.raises(type(error)):
        run(raising(error), [])


SCRIPT = '''
import sys
from estimators import command_line
def main(*, lines: int = 0, rich: bool = False, wrong: bool = False) -> None:
    """A toy."""
    with command_line.progress("work", 2) as advance:
        advance()
        advance(1, "more")
    if wrong:
        raise ValueError("use less")
    write = command_line.console().print if rich else lambda line: sys.stdout.write(line + "\\n")
    for i in range(lines):
        write(f"line {i}")
if __name__ == "__main__":
    sys.exit(command_line.run(main))
'''


def shell(folder: Path, line: str) -> subprocess.CompletedProcess:
    for place in (folder / "toy.py", folder / "package" / "__main__.py"):
        place.parent.mkdir(exist_ok=True)
        place.write_text(SCRIPT)
    root = Path(command_line.__file__).parent.parent
    environment = os.environ | {"PYTHONPATH": f"{folder}:{root}", "PYTHON": sys.executable}
    command = ["bash", "-o", "pipefail", "-c", line]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("flag", ["", "--rich"])
def test_reader_that_leaves_is_no_error(tmp_path, flag):
    done = shell(tmp_path, f'"$PYTHON" -m toy --lines 9000 {flag} | head -1')
    assert (done.returncode, done.stdout, done.stderr) == (141, "line 0\n", "")


def test_program_name_as_main_module_package_and_script(tmp_path):
    done = shell(tmp_path, '"$PYTHON" -m toy --wrong; "$PYTHON" -m package --wrong; "$PYTHON" toy.py --wrong')
    names = ["python -m toy", "python -m package", "python toy.py"]
    assert done.stderr.splitlines() == [f"{name}: error: use less" for name in names]
    assert (done.returncode, done.stdout) == (2, "")


def test_developer_mode_shows_where_an_error_came_from(tmp_path):
    done = shell(tmp_path, '"$PYTHON" -X dev -W ignore -m toy --wrong')
    assert "Traceback" in done.stderr
    assert "ValueError: use less" in done.stderr


# ---- progress and console


def test_progress_is_silent_when_redirected_and_a_bar_on_a_terminal(capsys, monkeypatch):
    with progress("draws", 3) as advance:
        advance()
        advance(2, description="last")
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress("draws", 3) as advance:
        advance()
        sys.stdout.write("result\n")
        advance(2, description="last")
    captured = capsys.readouterr()
    assert captured.out == "result\n"
    assert "last" in captured.err
    assert "3/3" in captured.err


def test_redirected_console_neither_cuts_nor_interprets(capsys):
    line = "[bold]encoding[/bold] " + "x" * 130
    console().print(line)
    console(error=True).print("log")
    assert capsys.readouterr() == (line + "\n", "log\n")
