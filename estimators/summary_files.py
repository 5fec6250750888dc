"""Pairs of a source and its summary from CSV and JSON Lines files with the columns `source` and `summary`."""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from estimators.corpus import check_text
from estimators.summaries import Pairs, checked_share, split_pairs

COLUMNS = "source", "summary"
LONGEST_FIELD = 1 << 27


def pairs_from(path: str | Path, *, test_share: float = 0.2) -> Pairs:
    """Pairs of a UTF-8 file `.csv` (first line: names of the columns) or `.jsonl` (an object per line).

    Further columns are ignored; blank lines are passed over. Every row is its own document; the split is by the SHA-256
    of the source.

    Raises:
        ValueError: no such file, not UTF-8, another ending, a missing column, and, with its line, what is malformed,
            has a field too few or too many, or an empty or non-text source or summary; an empty file or part.
    """
    path = Path(path)
    checked_share(test_share)
    readers = {".csv": _csv_rows, ".jsonl": _json_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ValueError(f"{path} has no ending .csv or .jsonl: save the pairs as one of them, with the columns source "
                         "and summary")  # fmt: skip
    if path.is_dir():
        raise ValueError(f"{path} is a folder: give a .csv or .jsonl file in it")
    if not path.exists():
        raise ValueError(f"no file {path}: give an existing .csv or .jsonl file")
    check_text(path)
    rows = [_checked(row, f"{path}, line {line}") for line, row in reader(path)]
    if not rows:
        raise ValueError(f"{path} holds no pairs: give one row per pair, with the columns source and summary")
    return split_pairs(rows, corpus=str(path), test_share=test_share)


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    before = csv.field_size_limit(LONGEST_FIELD)
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            names = next(reader, None)
            if names is None:
                return
            _columns(names, f"{path}, line 1")
            line = reader.line_num
            for row in reader:
                begins, line = line + 1, reader.line_num
                if not row:
                    continue
                if len(row) != len(names):
                    raise ValueError(f"{path}, line {begins}: {len(row)} fields, but {len(names)} columns: put fields "
                                     "with commas or line breaks in double quotes")  # fmt: skip
                yield begins, dict(zip(names, row, strict=True))
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}: write a double quote in a field twice") from None
    finally:
        csv.field_size_limit(before)


def _json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with open(path, encoding="utf-8-sig") as stream:
        for line, text in enumerate(stream, 1):
            if not text.strip():
                continue
            try:
                row = json.loads(text)
            except (ValueError, RecursionError) as error:
                detail = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
                raise ValueError(f"{path}, line {line} is not JSON ({detail}): write one object per line, "
                                 "with source and summary") from None  # fmt: skip
            if not isinstance(row, dict):
                raise ValueError(f"{path}, line {line} is no JSON object: write "
                                 '{"source": "...", "summary": "..."}')  # fmt: skip
            _columns(row, f"{path}, line {line}")
            yield line, row


def _columns(names: Iterable[str], where: str) -> None:
    names = list(names)
    if missing := [name for name in COLUMNS if name not in names]:
        had = ", ".join(map(str, names)) or "none"
        raise ValueError(f"{where}: no column {' and no column '.join(missing)} (columns: {had[:200]}): name the "
                         "columns source and summary")  # fmt: skip


def _checked(row: dict[str, Any], where: str) -> tuple[str, str]:
    for name in COLUMNS:
        if not isinstance(row[name], str):
            raise ValueError(f"{where}: {name} is {type(row[name]).__name__}, not a text: put it in double quotes")
        if not row[name].strip():
            raise ValueError(f"{where}: {name} is empty: fill it in, or delete the line")
        if any(0xD800 <= ord(character) <= 0xDFFF for character in row[name]):
            raise ValueError(f"{where}: {name} has half a surrogate pair: write the character itself")
    return row["source"], row["summary"]
