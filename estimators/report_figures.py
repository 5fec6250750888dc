"""The figures that `python -m estimators.figures` left in a folder, each with its data, its manifest and what is wrong
with either."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from estimators.figures_plan import Plot

RUN = "python -m estimators.figures"
MEDIA = {".svg": "image/svg+xml", ".png": "image/png"}
LARGEST_SVG = 200_000  # bytes; beyond, the PNG if it is smaller


@dataclass(frozen=True)
class Figure:
    """One figure: image (bytes, media type), CSV as bytes, manifest, and one line per thing that is wrong with it.
    outdated: the code of its data changed since."""

    name: str
    image: bytes | None
    media: str
    data: bytes | None
    manifest: dict[str, Any]
    problems: tuple[str, ...] = ()
    outdated: bool = False

    @property
    def about(self) -> str:
        return self._text("about")

    @property
    def command(self) -> str:
        return self._text("command")

    def _text(self, key: str) -> str:
        value = self.manifest.get(key)
        return value if isinstance(value, str) else ""


def figures_in(folder: Path, plots: Mapping[str, Plot]) -> list[Figure]:
    """Every figure of the folder in the order of `plots`, others after them; none if there is no such folder.

    ValueError of one line if it is a file or cannot be listed.
    """
    if not folder.exists():
        return []
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder: give the one that {RUN} wrote to")
    try:
        places = sorted(folder.iterdir())
    except OSError as error:
        raise ValueError(f"{folder} cannot be read ({error.strerror or error}): check its permissions") from error
    there = {one.stem for one in places if one.suffix in (".json", ".csv", *MEDIA) and one.is_file()}
    names = [*(name for name in plots if name in there), *sorted(there - plots.keys())]
    return [_dated(_figure(folder, name), plots.get(name)) for name in names if not name.startswith(".")]


def _dated(figure: Figure, plot: Plot | None) -> Figure:
    if plot is None or "code" not in figure.manifest:
        return figure
    return replace(figure, outdated=figure.manifest["code"] != plot.code())


def first_rows(data: bytes, count: int) -> tuple[list[str], list[list[str]], int]:
    """Names of the columns, the first rows, and how many rows there are; ([], [], 0) for what is no table."""
    try:
        rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    except (UnicodeDecodeError, csv.Error):
        return [], [], 0
    if not rows or any(len(row) != len(rows[0]) for row in rows):
        return [], [], 0
    return rows[0], rows[1 : count + 1], len(rows) - 1


def _figure(folder: Path, name: str) -> Figure:
    again = f"{RUN} {name} makes it again"
    problems: list[str] = []
    manifest: dict[str, Any] = {}
    text = _bytes(folder / f"{name}.json", problems, again)
    if text is not None:
        try:
            loaded = json.loads(text)
            if not isinstance(loaded, dict):
                raise ValueError("it holds no object")
            manifest = loaded
        except ValueError as error:
            problems.append(f"the manifest {name}.json is damaged ({' '.join(str(error).split())}): {again}")
    data = _bytes(folder / f"{name}.csv", problems, again)
    if data is not None and manifest:
        expected = manifest.get("sha256")
        if not isinstance(expected, str):
            problems.append(f"the manifest {name}.json has no sha256 of the data: {again}")
        elif hashlib.sha256(data).hexdigest() != expected:
            problems.append(f"the data {name}.csv were edited, they are not what was computed: {again}")
    image, media = _image(folder, name, problems)
    return Figure(name, image, media, data, manifest, tuple(f"figure {name}: {one}" for one in problems))


def _image(folder: Path, name: str, problems: list[str]) -> tuple[bytes | None, str]:
    found: dict[str, bytes] = {}
    for ending in MEDIA:
        if (folder / f"{name}{ending}").is_file():
            content = _bytes(folder / f"{name}{ending}", problems, f"{RUN} {name} --reuse-data draws it again")
            if content:
                found[ending] = content
    if not found:
        problems.append(f"no image: {RUN} {name} --reuse-data draws it")
        return None, ""
    sharp = ".svg" in found and (len(found[".svg"]) <= LARGEST_SVG or ".png" not in found)
    ending = ".svg" if sharp else min(found, key=lambda one: len(found[one]))
    return found[ending], MEDIA[ending]


def _bytes(path: Path, problems: list[str], advice: str) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        problems.append(f"no {path.name}: {advice}")
    except OSError as error:
        problems.append(f"{path.name} cannot be read ({error.strerror or error}): check its permissions")
    return None
