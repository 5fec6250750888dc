"""Files of a figure: its CSV, the images drawn from it alone, and a manifest that says where the numbers came from."""

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Any, Literal

import matplotlib.pyplot as plt

from estimators.figure_style import PIXELS, style
from estimators.figures_plan import Plot, Rows
from estimators.output_files import write_beside, write_json, write_text
from estimators.provenance import Sources, command, versions

IMAGES = (".svg", ".pdf", ".png")
# Neither a date nor the name of a library in an image: one CSV gives one image.
METADATA: dict[str, dict[str, Any]] = {
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    ".png": {"Software": None},
}
RUN = "python -m estimators.figures"


def check_folder(folder: Path) -> None:
    """Makes the folder; ValueError of one line if it cannot be made or written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable.tmp"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ValueError(
            f"{folder} cannot be written ({error.strerror or error}): give another folder with --output-dir"
        ) from error


def as_csv(rows: Rows) -> str:
    """One line per row under a line of names; floats keep every digit, None is an empty cell, an empty text is not
    allowed. ValueError for rows that could not be read back as they are."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _written(value) for name, value in row.items()})
    return stream.getvalue()


def from_csv(text: str) -> Rows:
    """The rows of `as_csv`: a cell that reads as a number is one."""
    return [{name: _read(cell) for name, cell in row.items()} for row in csv.DictReader(io.StringIO(text))]


def _written(value: Any) -> str:
    text = "" if value is None else repr(value) if isinstance(value, float) else str(value)
    if _read(text) != value or type(_read(text)) is not type(value):
        raise ValueError(f"the text {value!r} reads as a number or as nothing in a CSV: write it otherwise")
    return text


def _read(cell: str) -> str | int | float | None:
    if cell == "":
        return None
    for kind in (int, float):
        try:
            value = kind(cell)
        except ValueError:
            continue
        # Texts such as 1_000 or nan are no numbers here.
        if repr(value) == cell and value == value and abs(value) != float("inf"):
            return value
    return cell


def write_data(folder: Path, name: str, rows: Rows, plot: Plot, facts: dict[str, Any]) -> None:
    """CSV and manifest. facts: quick or paper, seed, seconds, counts of parts."""
    text, made = as_csv(rows), versions()
    manifest = {
        "figure": name,
        "about": plot.about,
        "command": command(),
        **facts,
        "columns": list(rows[0]),
        "rows": len(rows),
        "sha256": digest(text),
        "code": plot.code(),
        "dtype": made.pop("dtype"),
        "device": made.pop("device"),
        "versions": made,
    }
    # The manifest last: without it a CSV counts as missing.
    (folder / f"{name}.json").unlink(missing_ok=True)
    write_text(folder / f"{name}.csv", text)
    write_json(folder / f"{name}.json", manifest)


def write_images(folder: Path, name: str, plot: Plot) -> None:
    """Draws the CSV of the folder as SVG, PDF and PNG; the same rows give the same bytes on one machine.

    ValueError of one line for data that are missing, were edited, or are not what the present code draws.
    """
    rows = from_csv(data_text(folder, name))
    with style():
        try:
            figure = plot.draw(rows)
        except (KeyError, IndexError, TypeError) as error:
            # Columns that another version wrote.
            advice = f"{RUN} {name} computes them again"
            raise ValueError(f"the data of {name} are not what the present code draws ({error!r}): {advice}") from error
        try:
            for ending in IMAGES:
                write_beside(
                    folder / f"{name}{ending}",
                    lambda path, ending=ending: figure.savefig(
                        path, format=ending[1:], dpi=PIXELS, metadata=METADATA[ending]
                    ),
                )
        finally:
            plt.close(figure)


def data_text(folder: Path, name: str) -> str:
    """The text of the CSV; ValueError of one line if it is missing, unreadable or was edited."""
    problem, text = _stored(folder, name)
    if problem:
        raise ValueError(f"{problem[1]}: {RUN} {name} computes it again")
    return text


Problem = tuple[Literal["missing", "edited", "outdated", "undrawn"], str]


def problem(folder: Path, name: str, plot: Plot, sources: Sources | None = None) -> Problem | None:
    """What is wrong with the files of a figure, as a word and a line; None if nothing is."""
    found, _ = _stored(folder, name)
    if found:
        return found
    manifest = _manifest(folder, name)
    if manifest.get("code") != plot.code(sources):
        return "outdated", f"{name}.csv was made by other code than the present: {RUN} {name} computes it again"
    absent = [ending for ending in IMAGES if not (folder / f"{name}{ending}").is_file()]
    if absent:
        return "undrawn", f"no {name}{absent[0]} in {folder}: {RUN} {name} --reuse-data draws it"
    return None


def _stored(folder: Path, name: str) -> tuple[Problem | None, str]:
    path = folder / f"{name}.csv"
    if not path.is_file() or not (folder / f"{name}.json").is_file():
        kind = ".json" if path.is_file() else ".csv"
        return ("missing", f"no {name}{kind} in {folder}"), ""
    try:
        # Line ends are part of the digest.
        text = path.read_bytes().decode()
        expected = _manifest(folder, name)["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return ("edited", f"{name}.csv or its manifest cannot be read ({' '.join(str(error).split())})"), ""
    if digest(text) != expected:
        return ("edited", f"{name}.csv in {folder} was edited: it is not what was computed"), ""
    return None, text


def _manifest(folder: Path, name: str) -> dict[str, Any]:
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
