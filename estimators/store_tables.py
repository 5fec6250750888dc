"""Results as a table, one row each: CSV, Parquet, and xarray with its NetCDF file."""

import csv
import importlib
import io
import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from estimators.output_files import write_beside, write_text
from estimators.store import Record

FORMATS = {"csv": ".csv", "parquet": ".parquet", "netcdf": ".nc"}
_EXACT = 2**53


def columns(records: Sequence[Record]) -> dict[str, list[Any]]:
    """Name of a column to its cells, one a record, None where a record has no such value.

    Objects within parameters, result and versions are spread over columns named by their place, such as result.upper.

    Raises:
        ValueError: two places of a record have one name.
    """
    rows = []
    for record in records:
        row: dict[str, Any] = {}
        for item in fields(Record):
            _spread(item.name, getattr(record, item.name), row, record.key)
        rows.append(row)
    names = dict.fromkeys(name for row in rows for name in row)
    groups = [item.name for item in fields(Record)]
    # Columns that only later records have stand with their group.
    ordered = sorted(names, key=lambda name: groups.index(name.partition(".")[0]))
    return {name: [row.get(name) for row in rows] for name in ordered or groups}


def write_table(kind: str, records: Sequence[Record], path: str | Path) -> None:
    """Writes `csv`, `parquet` or `netcdf`; a file is complete or untouched, CSV alone may go to `-`.

    Raises:
        ValueError: a package is not installed; a place that cannot be written.
    """
    {"csv": _write_csv, "parquet": _write_parquet, "netcdf": _write_netcdf}[kind](records, path)


def to_xarray(records: Sequence[Record]) -> Any:
    """An xarray Dataset over the dimension `result`, with the keys as its coordinate.

    Numbers are float64 (integers that it cannot hold exactly are texts), None among them NaN; lists of numbers of one
    shape in every record are arrays with further dimensions; anything else is a text, None the empty one.
    """
    xarray = _optional("xarray", "NetCDF and xarray need")
    table = columns(records)
    made = {}
    for name, cells in table.items():
        array = _array(cells)
        made[name] = (("result", *(f"{name}[{axis}]" for axis in range(1, array.ndim))), array)
    return xarray.Dataset({name: one for name, one in made.items() if name != "key"}, {"key": made["key"]})


def _spread(name: str, value: Any, row: dict[str, Any], key: str) -> None:
    if isinstance(value, dict) and value:
        for part, inner in value.items():
            _spread(f"{name}.{part}", inner, row, key)
        return
    if name in row:
        raise ValueError(f"two values of result {key[:12]} are named {name}: use export --json instead of a table")
    row[name] = None if value == {} else value


def _write_csv(records: Sequence[Record], path: str | Path) -> None:
    table = columns(records)
    stream = io.StringIO()
    for row in [tuple(table), *zip(*table.values(), strict=True)]:
        cells = [_text(cell) for cell in row]
        # Python quotes a carriage return only where it is the end of a line.
        quoting = csv.QUOTE_ALL if any("\r" in cell for cell in cells) else csv.QUOTE_MINIMAL
        csv.writer(stream, lineterminator="\n", quoting=quoting).writerow(cells)
    write_text(path, stream.getvalue())


def _write_parquet(records: Sequence[Record], path: str | Path) -> None:
    pyarrow = _optional("pyarrow", "Parquet needs")
    parquet = _optional("pyarrow.parquet", "Parquet needs")
    table = pyarrow.table({name: pyarrow.array(_typed(cells)) for name, cells in columns(records).items()})
    write_beside(path, lambda beside: parquet.write_table(table, beside))


def _write_netcdf(records: Sequence[Record], path: str | Path) -> None:
    data = to_xarray(records)
    # NetCDF 3 by SciPy, which every installation has; it refuses names with a slash.
    write_beside(path, lambda beside: data.to_netcdf(beside, engine="scipy"))


def _typed(cells: list[Any]) -> list[Any]:
    """Cells of one type: booleans, 64-bit integers, floats or texts, None among them."""
    given = [cell for cell in cells if cell is not None]
    if all(isinstance(cell, bool) for cell in given) and given:
        return cells
    numbers = all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in given) and bool(given)
    if numbers and all(isinstance(cell, int) and -(2**63) <= cell < 2**63 for cell in given):
        return cells
    if numbers and all(isinstance(cell, float) or abs(cell) <= _EXACT for cell in given):
        return [None if cell is None else float(cell) for cell in cells]
    return [None if cell is None else _text(cell) for cell in cells]


def _array(cells: list[Any]) -> np.ndarray:
    typed = _typed(cells)
    if typed and all(isinstance(cell, list) and cell for cell in cells):
        leaves, shapes = zip(*(_leaves(cell) for cell in cells), strict=True)
        if len(set(shapes)) == 1 and None not in shapes and all(_fits(leaf) for one in leaves for leaf in one):
            return np.array([[np.nan if leaf is None else leaf for leaf in one] for one in leaves], float).reshape(
                (len(cells), *shapes[0])
            )
    given = [cell for cell in typed if cell is not None]
    if given and all(isinstance(cell, bool) for cell in given) and len(given) == len(typed):
        return np.array(typed)
    if given and all(_fits(cell) for cell in given):
        return np.array([np.nan if cell is None else cell for cell in typed], float)
    return np.array(["" if cell is None else _text(cell) for cell in typed], str)


def _fits(cell: Any) -> bool:
    if isinstance(cell, bool) or not isinstance(cell, int | float | None):
        return False
    return not isinstance(cell, int) or abs(cell) <= _EXACT


def _leaves(value: Any) -> tuple[list[Any], tuple[int, ...] | None]:
    """Entries of nested lists and their shape, None if they are ragged."""
    if not isinstance(value, list):
        return [value], ()
    parts = [_leaves(item) for item in value]
    shapes = {shape for _, shape in parts}
    leaves = [leaf for inner, _ in parts for leaf in inner]
    if len(shapes) != 1 or None in shapes:
        return leaves, None
    (inner,) = shapes
    return leaves, (len(value), *(inner or ()))


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False, allow_nan=False)


def _optional(name: str, need: str) -> Any:
    package = name.partition(".")[0]
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ValueError(f"{need} {package}: pip install {package}, or export CSV") from error
