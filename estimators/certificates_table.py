"""The table of `python -m estimators.certificates`: one class and sample per row, appended as it is found."""

import csv
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

KINDS = ("query", "bilinear", "two-layer")
TARGET_DIM = 16
# What upper / attained should be at most, by (logit_norm,) for heads of 16 channels and (value_norm, logit_norm) else.
HEAD_TARGETS = {0.25: 1.1, 0.5: 1.1, 1.0: 1.75, 2.0: 4.5, 4.0: 7.0}
TWO_LAYER_TARGETS = {(0.1, 0.1): 1.2, (0.1, 1.0): 1.8, (0.3, 0.3): 2.5, (0.5, 0.5): 5.5, (1.0, 1.0): 20.0}


@dataclass(frozen=True)
class Cell:
    """One class on one sample: n = samples, T = length, d = dim channels of a token.

    The learned logit parameter has dim channels for `query`, dim x dim for the others. value_norm is 0 where no value
    matrix is learned.
    """

    kind: str
    dim: int
    samples: int
    length: int
    logit_norm: float
    value_norm: float
    encoding: str
    sample: str

    @property
    def label(self) -> str:
        """What `--only` looks in."""
        value = f" nu={self.value_norm:g}" if self.kind == "two-layer" else ""
        sizes = f"dim={self.dim} n={self.samples} T={self.length}"
        return f"{self.kind} {sizes} B={self.logit_norm:g}{value} {self.encoding} {self.sample}"

    @property
    def group(self) -> str:
        """What a line of the summary is about."""
        return f"query, w in R^{self.dim}" if self.kind == "query" else f"{self.kind}, {self.dim}x{self.dim}"

    @property
    def radii(self) -> tuple[float, float]:
        return self.value_norm, self.logit_norm

    @property
    def target(self) -> float | None:
        """Most that upper / attained should be; None where no target was set."""
        if self.dim != TARGET_DIM:
            return None
        return TWO_LAYER_TARGETS.get(self.radii) if self.kind == "two-layer" else HEAD_TARGETS.get(self.logit_norm)


@dataclass(frozen=True)
class Row(Cell):
    """What was found. lower, upper: ends of the interval, sampling error included; attained: mean attained value, an
    estimate; ratio = upper / lower, ratio_attained = upper / attained; made_with: versions."""

    draws: int
    seed: int
    confidence: float
    lower: float
    upper: float
    attained: float
    ratio: float
    ratio_attained: float
    certificate: str
    made_with: str

    @property
    def key(self) -> tuple[Any, ...]:
        """Two rows of the same key are the same computation."""
        return cell_key(self, self.draws, self.seed, self.confidence)

    @property
    def family(self) -> str:
        """The certificate without its options."""
        return self.certificate.split(",")[0]


COLUMNS = tuple(field.name for field in fields(Row))
_TYPES = {field.name: field.type for field in fields(Row)}


def cell_key(cell: Cell, draws: int, seed: int, confidence: float) -> tuple[Any, ...]:
    return (*(getattr(cell, field.name) for field in fields(Cell)), draws, seed, confidence)


def read_rows(path: Path) -> list[Row]:
    """All rows of the table, none if there is no file. ValueError for anything `append_row` did not write."""
    if not path.exists():
        return []
    advice = "delete that line, or give another --table"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read as a table ({error}): give another --table") from None
    if not text:
        return []
    lines = list(csv.reader(text.splitlines()))
    if tuple(lines[0]) != COLUMNS:
        raise ValueError(f"{path} is not a table of this command, its first line is another: give another --table")
    if not text.endswith("\n"):
        raise ValueError(f"{path}, line {len(lines)}: broken off: {advice}")
    rows: dict[tuple[Any, ...], Row] = {}
    for number, words in enumerate(lines[1:], start=2):
        try:
            row = _row(words)
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}: {advice}") from None
        if row.key in rows:
            raise ValueError(f"{path}, line {number}: the cell is there twice: {advice}")
        rows[row.key] = row
    return list(rows.values())


def _row(words: Sequence[str]) -> Row:
    if len(words) != len(COLUMNS):
        raise ValueError(f"{len(words)} entries instead of {len(COLUMNS)}")
    found: dict[str, Any] = {}
    for name, word in zip(COLUMNS, words, strict=True):
        kind = _TYPES[name]
        try:
            found[name] = kind(word)  # pyright: ignore[reportCallIssue]
        except ValueError:
            raise ValueError(f"{name} is {word!r}, which is no number") from None
        if kind is float and not math.isfinite(found[name]):
            raise ValueError(f"{name} is {word!r}, which is not finite")
    row = Row(**found)
    if row.kind not in KINDS:
        raise ValueError(f"the class {row.kind!r} is unknown")
    same = math.isclose(row.ratio * row.lower, row.upper) and math.isclose(row.ratio_attained * row.attained, row.upper)
    if not (0 < row.lower <= row.upper and row.attained > 0 and same):
        raise ValueError("lower, upper, attained and their ratios do not fit together")
    return row


def append_row(path: Path, row: Row) -> None:
    """Adds one line, and the heading to a new file, and waits until it is on disk."""
    new = not path.exists() or path.stat().st_size == 0
    with open(path, "a", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if new:
            writer.writerow(COLUMNS)
        writer.writerow([repr(value) if isinstance(value, float) else value for value in asdict(row).values()])
        stream.flush()
        os.fsync(stream.fileno())
