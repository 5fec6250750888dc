"""Every command of this package: flags from keyword-only parameters, one-line errors, progress."""

import argparse
import difflib
import inspect
import math
import os
import re
import sys
import textwrap
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, NoReturn, Union, get_args, get_origin, get_type_hints

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_NEGATIVE = re.compile(r"-(\d+\.?\d*e[-+]?\d+|\.\d+e[-+]?\d+|\d+\.|inf|infinity|nan)", re.IGNORECASE)
_EXPECTED = {int: "an integer", float: "a finite number", str: "a text", Path: "a path"}


def run(function: Callable[..., int | None], argv: Sequence[str] | None = None, word: str = "") -> int:
    """Calls `function` with the flags in `argv` (default: the command line) and returns the exit status.

    Every keyword-only parameter `some_name` is a flag `--some-name`; an absent flag leaves the default of the
    function. Every positional-only parameter is a word without a flag that must be given, or where it is a list with a
    default, any number of words that belong to no flag. Annotations: int, float
    (finite), str, Path, bool (`--x`/`--no-x`), Literal, unions of these, and list, tuple[x, ...] or Sequence of one
    of these (several values, the flag may be repeated). Where the default of `X | None` is not None, `none` gives
    None. The docstring gives the help: first paragraph, Google-style `Args:` (`name: text`, or `name (METAVAR): text`),
    and `Examples:` at the end. `word` is one that stood before the flags (`run_one_of`).

    Status: what the function returns (None is 0); 2 with one line on standard error for bad arguments and
    for ValueError, OSError and MemoryError of the function (`python -X dev -m ...` shows where it came from);
    130 for Ctrl-C; 141, silently, when the reader of the output has gone.
    """
    program = f"{program_name(function)} {word}".rstrip()
    try:
        parser = build_parser(function, program)
        values = _parse(parser, list(sys.argv[1:] if argv is None else argv), _several(function))
        words = [values.pop(name) for name in _positional(function)]
        status = function(*words, **values) or 0
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return _fail(f"{program}: interrupted", 130)
    except BrokenPipeError:
        return _reader_gone()
    except SystemExit as stop:
        # Rich turns a broken pipe into SystemExit(1), which here would read as "a claim is violated".
        if isinstance(stop.__context__, BrokenPipeError):
            return _reader_gone()
        if stop.code not in (None, 0):
            raise
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            return _reader_gone()
        return 0
    except (ValueError, OSError, MemoryError) as error:
        if sys.flags.dev_mode:
            raise
        return _fail(f"{program}: error: {_one_line(error)}", 2)


def run_one_of(functions: Mapping[str, Callable[..., int | None]], argv: Sequence[str] | None = None) -> int:
    """`run` for a command of several functions: the first word names one, the flags after it are its own."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given and given[0] in functions:
        return run(functions[given[0]], given[1:], given[0])
    program = program_name(next(iter(functions.values())))
    words = "|".join(functions)
    if given and given[0] in ("-h", "--help"):

        def overview() -> None:
            for word, function in functions.items():
                console().print(
                    f"{program} {word}: {' '.join(_read_docstring(inspect.getdoc(function) or '')[0].split())}"
                )

        return run(overview, [])
    near = difflib.get_close_matches(given[0].lstrip("-"), functions, 1) if given else []
    advice = f"did you mean {near[0]}?" if near else f"{program} --help says what each does"
    got = repr(given[0]) if given else "nothing"
    return _fail(f"{program}: error: expected {words}, got {got}: {advice}", 2)


def program_name(function: Callable) -> str:
    """`python -m package.module`, also when the module runs as `__main__`; a script keeps its file name."""
    module = function.__module__
    if module == "__main__":
        spec = getattr(sys.modules["__main__"], "__spec__", None)
        if spec is None:
            return f"python {Path(sys.argv[0]).name}"
        module = spec.name
    return f"python -m {module.removesuffix('.__main__')}"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def _positional(function: Callable) -> list[str]:
    parameters = inspect.signature(function).parameters.values()
    return [parameter.name for parameter in parameters if parameter.kind is parameter.POSITIONAL_ONLY]


def _several(function: Callable) -> tuple[str, Any] | None:
    """The positional-only list that takes all words without a flag, and its default; it must stand alone."""
    parameters = inspect.signature(function).parameters
    names = [name for name in _positional(function) if parameters[name].default is not inspect.Parameter.empty]
    return (names[0], parameters[names[0]].default) if names else None


def build_parser(function: Callable, program: str) -> argparse.ArgumentParser:
    """The parser behind `run`. TypeError for an annotation or a parameter that cannot become a flag."""
    description, helps, examples = _read_docstring(inspect.getdoc(function) or "")
    positional = {name: helps.get(name, (None, ""))[0] or name.upper() for name in _positional(function)}
    several = _several(function)
    usage = [f"[{word} ...]" if several and several[0] == name else word for name, word in positional.items()]
    parser = _Parser(
        prog=program,
        usage=" ".join([program.replace("%", "%%"), *usage, "[--flag value ...]"]),
        description=description,
        epilog=examples and "examples:\n" + textwrap.indent(examples, "  "),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    hints = get_type_hints(function)
    for name, parameter in inspect.signature(function).parameters.items():
        required = parameter.default is parameter.empty
        if several and name == several[0]:
            if positional.keys() != {name} or _element(hints.get(name)) != (str, True):
                raise TypeError(f"parameter {name} of {function.__name__} must be a list of texts, the only one")
            continue
        if name not in hints or not (parameter.kind is parameter.KEYWORD_ONLY or (name in positional and required)):
            wanted = "keyword-only, or positional-only without default, and annotated"
            raise TypeError(f"parameter {name} of {function.__name__} must be {wanted}")
        metavar, text = helps.get(name, (None, ""))
        if not required and parameter.default not in (None, ()):
            text += f" (default: {_shown(parameter.default)})"
        help_text = text.strip().replace("%", "%%")
        options: dict[str, Any] = {"required": required, "help": help_text, "dest": name}
        kind, many = _element(hints[name])
        if kind is bool:
            options["action"] = argparse.BooleanOptionalAction
        else:
            convert, shown = _converter(kind, none=parameter.default is not None)
            options |= {"type": convert, "metavar": metavar or shown}
        if name in positional:
            if many or kind is bool:
                raise TypeError(f"parameter {name} of {function.__name__} must be one word: make it keyword-only")
            parser.add_argument(name, type=options["type"], metavar=positional[name], help=help_text)
            continue
        if many:
            options |= {"nargs": "+", "action": "extend"}
        # With a default, `extend` would append to it and an absent flag would hide the function's default.
        parser.add_argument(_flag(name), default=argparse.SUPPRESS, **options)
    return parser


def _parse(
    parser: argparse.ArgumentParser, argv: list[str], several: tuple[str, Any] | None = None
) -> dict[str, Any]:
    values, unknown = parser.parse_known_args(_join_negative(argv))
    flags = [word for word in unknown if word.startswith("-") and word != "--"]
    if several and not flags:
        words = [word for word in unknown if word != "--"]
        return vars(values) | {several[0]: words or several[1]}
    unknown = flags or unknown
    if unknown and unknown[0].startswith("-") and unknown[0] != "--":
        flag = unknown[0].split("=")[0]
        known = [name for action in parser._actions for name in action.option_strings]
        near = difflib.get_close_matches(flag.lstrip("-"), [name.lstrip("-") for name in known], 1)
        advice = f"did you mean --{near[0]}?" if near else "--help lists the flags"
        raise ValueError(f"unknown flag {flag}: {advice}")
    if unknown:
        raise ValueError(f"unexpected argument {unknown[0]!r}: values follow a flag, --help lists the flags")
    return vars(values)


def _join_negative(argv: list[str]) -> list[str]:
    """`--x -1e-3` as `--x=-1e-3`: older argparse takes such a number for a flag."""
    joined: list[str] = []
    for word in argv:
        after_flag = joined and joined[-1].startswith("--") and "=" not in joined[-1]
        if after_flag and _NEGATIVE.fullmatch(word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _flag(name: str) -> str:
    return "--" + name.rstrip("_").replace("_", "-")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _members(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)


def _element(annotation: Any) -> tuple[Any, bool]:
    """The type of one value, and whether there are several. None is left in unions."""
    rest = [member for member in _members(annotation) if member is not types.NoneType]
    origin = get_origin(rest[0])
    if len(rest) == 1 and origin in (list, tuple, Sequence):
        arguments = get_args(rest[0])
        if origin is tuple and arguments[1:] != (Ellipsis,):
            raise TypeError(f"no flag for {annotation}: use tuple[x, ...]")
        return arguments[0], True
    return (bool if rest == [bool] else annotation), False


def _converter(annotation: Any, none: bool) -> tuple[Callable[[str], Any], str]:
    """A function from the word on the command line to the value, and how help shows the value."""
    members = _members(annotation)
    literals = [member for member in members if get_origin(member) is Literal]
    words = {str(word): word for literal in literals for word in get_args(literal)}
    if types.NoneType in members and none:
        words["none"] = None
    # Most particular first, so that "3" is an integer in `str | int`.
    kinds: list[Any] = [kind for kind in (int, float, Path, str) if kind in members]
    if len(kinds) + len(literals) + (types.NoneType in members) < len(members):
        raise TypeError(f"no flag for {annotation}: use int, float, str, bool, Path, Literal, or a list")

    def convert(word: str) -> Any:
        if word in words:
            return words[word]
        for kind in kinds:
            with suppress(ValueError):
                value = kind(word)
                if kind is not float or math.isfinite(value):
                    return value
        near = difflib.get_close_matches(word, words, 1)
        expected = " or ".join([_EXPECTED[kind] for kind in kinds] + [repr(choice) for choice in words])
        hint = f", did you mean {near[0]!r}?" if near else ""
        raise argparse.ArgumentTypeError(f"expected {expected}, got {word!r}{hint}")

    letters = {int: "N", float: "X", str: "NAME", Path: "PATH"}
    shown = "|".join([letters[kind] for kind in kinds] + list(words))
    return convert, shown


def _read_docstring(text: str) -> tuple[str, dict[str, tuple[str | None, str]], str]:
    """Description, {parameter: (metavar or None, help)} and examples of a Google-style docstring."""
    parts = re.split(r"^(Args|Examples?|Returns|Raises|Yields|Notes?):[ ]*\n", text, flags=re.MULTILINE)
    bodies = [inspect.cleandoc("\n" + body) for body in parts[2::2]]
    sections = dict(zip(parts[1::2], bodies, strict=True))
    helps = {}
    for entry in re.split(r"\n(?=\S)", sections.get("Args", "")):
        if found := re.match(r"(\w+)(?: ?\((.*?)\))?:\s*(.*)", entry, flags=re.DOTALL):
            helps[found[1]] = (found[2], " ".join(found[3].split()))
    return parts[0].strip().split("\n\n")[0], helps, sections.get("Examples", sections.get("Example", ""))


def _one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename is not None else error.strerror
    elif isinstance(error, MemoryError):
        text = f"not enough memory: use fewer or shorter samples ({error})"
    else:
        text = str(error) or type(error).__name__
    return " ".join(text.split())


def _fail(line: str, status: int) -> int:
    with suppress(OSError):
        sys.stdout.flush()
    with suppress(OSError):
        sys.stderr.write(line + "\n")
    return status


def _reader_gone() -> int:
    # Python flushes standard output once more at exit, which would print a second error.
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141


def console(*, error: bool = False) -> Console:
    """Rich console on standard output, or error; tables keep 160 columns when redirected to a file."""
    stream = sys.stderr if error else sys.stdout
    return Console(stderr=error, highlight=False, markup=False, width=None if stream.isatty() else 160)


@contextmanager
def progress(description: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """A progress bar on standard error while it is a terminal, otherwise nothing.

    Yields `advance(steps=1, description=None)`, for `with progress("draws", 2000) as advance: advance(100)`.
    `total` None shows a bar without an end. The bar vanishes when the block ends.
    """
    if not sys.stderr.isatty():
        yield lambda steps=1, description=None: None
        return
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    # Rich would otherwise move what is written to standard output over to standard error.
    with Progress(*columns, console=console(error=True), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task(description, total=total)
        yield lambda steps=1, description=None: bar.update(task, advance=steps, description=description)
