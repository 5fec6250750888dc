"""Files that commands write: told beforehand if they cannot be, complete or untouched, JSON without NaN or infinity."""

import dataclasses
import json
import math
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np


def check_writable(path: str | Path) -> None:
    """ValueError of one line unless `path` is `-` or can be written; call it before long work."""
    if str(path) == "-":
        return
    path = Path(path)
    folder = path.resolve().parent
    if path.is_dir():
        raise ValueError(f"{path} is a folder: give the name of a file in it")
    if not folder.is_dir():
        raise ValueError(f"no folder {folder}: create it with mkdir -p, or give another path")
    needed = [path] if path.exists() else [folder]
    if path.is_file():
        needed.append(folder)  # a file is replaced, a device or a pipe is written to
    if not all(os.access(place, os.W_OK) for place in needed):
        raise ValueError(f"{path} cannot be written: check the permissions of {folder}, or give another path")


def check_outputs(json: Path | None, figure: Path | None) -> None:
    """ValueError of one line unless both files of a command can be written and the figure's ending is a format that
    can be drawn; call it before long work."""
    for path in (json, figure):
        if path is not None:
            check_writable(path)
    if figure is not None and figure.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise ValueError(f"cannot draw {figure}: end the name in .png, .pdf or .svg")


def write_json(path: str | Path, document: Any) -> None:
    """Writes one strict JSON document to a file, or to standard output for `-`.

    Numbers keep every digit. NumPy and JAX scalars and arrays become numbers and lists, dataclasses objects,
    paths texts. JSON has no infinity: an infinite number, such as an upper end nobody certified, is `null`.
    A file is complete or untouched: it is written beside its place and renamed.

    Raises:
        ValueError: a NaN, named by its place in the document; a place that cannot be written.
        TypeError: a value or key that JSON has no form for, named by its place.
    """
    write_text(path, json.dumps(plain(document, "document"), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(path: str | Path, text: str) -> None:
    """Writes a text file that is complete or untouched, or to standard output for `-`; ValueError if it cannot."""
    if str(path) == "-":
        sys.stdout.write(text)
        return
    check_writable(path)
    place = Path(path).resolve()
    if place.exists() and not place.is_file():
        # Renaming onto a device or a pipe would replace it by a file.
        with _told(path):
            place.write_text(text, encoding="utf-8")
        return
    write_beside(path, lambda beside: beside.write_text(text, encoding="utf-8"))


def write_beside(path: str | Path, fill: Callable[[Path], Any]) -> None:
    """Has `fill` write a file beside `path`, which then takes its place; ValueError of one line if it cannot."""
    check_writable(path)
    place = Path(path).resolve()
    with _told(path):
        beside = place.with_name(f".{secrets.token_hex(8)}.tmp")
        try:
            fill(beside)
            if place.exists():
                shutil.copymode(place, beside)
            os.replace(beside, place)
        finally:
            beside.unlink(missing_ok=True)


@contextmanager
def _told(path: str | Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ValueError(f"cannot write {path}: {error.strerror or error}: give another path") from error


def plain(value: Any, where: str, *, finite: bool = False) -> Any:
    """`value` in the types of JSON; `where` names it in the errors of `write_json`.

    An infinity becomes None; with `finite` it is refused.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    elif isinstance(value, np.ndarray | np.generic | jax.Array):
        value = np.asarray(value).tolist()
    if isinstance(value, dict):
        if wrong := [key for key in value if not isinstance(key, str)]:
            raise TypeError(f"{where}: the key {wrong[0]!r} is not a text")
        return {str(key): plain(item, f"{where}.{key}", finite=finite) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, f"{where}[{index}]", finite=finite) for index, item in enumerate(value)]
    if isinstance(value, float):
        if math.isnan(value):
            raise ValueError(f"{where} is NaN, which is no result: please report this with your command")
        if finite and math.isinf(value):
            raise ValueError(f"{where} is infinite, which JSON has no number for: give it as the text '{value}'")
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{where}: JSON has no form for {type(value).__name__}")
