"""Command and reader of the evidence from trained networks: one CSV of scores by seed, made from runs of the commands.

A row: task, measure (score, or for text bits per byte in one of the two modes), encoding as it was written, length,
range of positions, training length, steps at most, the window predicted for summable biases, and by seed the values and
the steps to the threshold (empty where it was not reached). The file is part of the package, so that the ledger can be
read without training anything; `estimators.trained_findings` judges it.
"""

import csv
import functools
import io
import json as json_module
import math
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from estimators.command_line import console, run
from estimators.results import check_writable, write_text

PLACE = Path(__file__).with_name("evidence") / "trained.csv"
SEPARATOR = ";"


@dataclass(frozen=True)
class Evidence:
    """One row of the file."""

    task: str
    measure: str
    encoding: str
    length: int
    position_range: str
    train_length: int
    steps: int
    horizon: float | None
    values: tuple[float, ...]
    steps_to_threshold: tuple[int | None, ...]


def load(place: Path = PLACE) -> tuple[Evidence, ...]:
    """All rows; none if the file is absent. ValueError for a damaged file, with its line."""
    if not place.exists():
        return ()
    rows = []
    try:
        with open(place, encoding="utf-8", newline="") as stream:
            for number, words in enumerate(csv.DictReader(stream), 2):
                try:
                    rows.append(_read(words))
                except (ValueError, TypeError, KeyError, AttributeError) as error:
                    raise ValueError(f"{place}, line {number} is damaged: restore the file") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"cannot read {place}: restore the file") from error
    return tuple(rows)


@functools.cache
def packaged() -> tuple[Evidence, ...]:
    """The rows that come with the package."""
    return load()


def _read(words: dict[str, str]) -> Evidence:
    values = tuple(float(word) for word in words["values"].split(SEPARATOR))
    reached = words["steps_to_threshold"].split(SEPARATOR) if words["steps_to_threshold"] else []
    if not all(map(math.isfinite, values)) or (reached and len(reached) != len(values)):
        raise ValueError("values must be finite, one for each seed")
    return Evidence(
        task=words["task"],
        measure=words["measure"],
        encoding=words["encoding"],
        length=int(words["length"]),
        position_range=words["position_range"],
        train_length=int(words["train_length"]),
        steps=int(words["steps"]),
        horizon=float(words["horizon"]) if words["horizon"] else None,
        values=values,
        steps_to_threshold=tuple(int(word) if word else None for word in reached),
    )


def rows_of(document: dict[str, Any]) -> list[Evidence]:
    """The rows of one JSON document of `python -m estimators.extrapolation`; ValueError for another document."""
    if document.get("command") != "extrapolation" or not document.get("results"):
        raise ValueError("no document of python -m estimators.extrapolation --json: give one with results")
    parameters, found = document["parameters"], []
    for row in document["results"]:
        found.append(
            Evidence(
                task=row["task"],
                measure=row.get("measure", "score"),
                encoding=row["encoding"],
                length=row["length"],
                position_range=row["position_range"],
                train_length=parameters["train_length"],
                steps=parameters["steps"],
                horizon=row["predicted_horizon"],
                values=tuple(row["values"]),
                steps_to_threshold=tuple(row["steps_to_threshold"] or ()),
            )
        )
    return found


def as_csv(rows: list[Evidence]) -> str:
    """The text of the file; numbers keep every digit."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([one.name for one in fields(Evidence)])
    for row in rows:
        reached = SEPARATOR.join("" if step is None else str(step) for step in row.steps_to_threshold)
        values = SEPARATOR.join(map(repr, row.values))
        horizon = "" if row.horizon is None else repr(row.horizon)
        sizes = row.train_length, row.steps, horizon
        writer.writerow([row.task, row.measure, row.encoding, row.length, row.position_range, *sizes, values, reached])
    return stream.getvalue()


def trained_evidence(*, json: list[Path], output: Path = PLACE) -> int:
    """Collect runs of `python -m estimators.extrapolation --json` into the evidence that the ledger reads.

    Args:
        json (PATH): documents of that command
        output (PATH): the CSV to write; the package's own if not given

    Examples:
        python -m estimators.trained_evidence --json tasks.json text.json
    """
    check_writable(output)
    rows: list[Evidence] = []
    for path in json:
        try:
            document = json_module.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(f"{path} is no JSON document that can be read: give one of --json") from error
        rows += rows_of(document)
    write_text(output, as_csv(rows))
    console().print(f"{len(rows)} rows of {len(json)} runs are in {output}")
    return 0


if __name__ == "__main__":
    sys.exit(run(trained_evidence))
