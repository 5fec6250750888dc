"""Command: results kept in a store, listed, shown, exported, repaired; and what every command writes its own with."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from rich.table import Table

from estimators.command_line import console, run_one_of
from estimators.output_files import check_outputs, check_writable, write_json, write_text
from estimators.provenance import versions
from estimators.store import Record
from estimators.store_repair import readable
from estimators.store_repair import repair as repaired
from estimators.store_tables import FORMATS, write_table

__all__ = ["check_outputs", "check_writable", "versions", "write_json", "write_text"]

DEFAULT_STORE = Path("results.sqlite")
SHOWN_KEY = 12
SHORTEST_KEY = 4


def list_results(*, store: Path = DEFAULT_STORE, task: list[str] | None = None, json: Path | None = None) -> int:
    """List the results of a store, one line each, without their values. Exit status 3 if rows of it are lost.

    Args:
        store (PATH): file of the results
        task (NAME): only these
        json (PATH): write the list as JSON, `-` for standard output

    Examples:
        python -m estimators.results list
    """
    if json is not None:
        check_writable(json)
    records, lost = _records(store, task)
    if json is not None:
        lines = [{name: value for name, value in vars(one).items() if name != "result"} for one in records]
        write_json(json, {"store": store, "results": lines, "lost": lost})
    if json is None or str(json) != "-":
        _show(records)
    return _tell_lost(store, lost)


def show_result(key: str, /, *, store: Path = DEFAULT_STORE, json: Path = Path("-")) -> int:
    """Show one result with all its provenance as JSON. Exit status 3 if rows of the store are lost.

    Args:
        key (KEY): as listed, or its first letters
        store (PATH): file of the results
        json (PATH): where to write, `-` for standard output

    Examples:
        python -m estimators.results show 0123456789ab
    """
    check_writable(json)
    records, lost = _records(store, None)
    if len(key) < SHORTEST_KEY:
        raise ValueError(f"a key needs at least {SHORTEST_KEY} letters, got {key!r}: use list to see the keys")
    found = [one for one in records if one.key.startswith(key.lower())]
    if not found:
        raise ValueError(f"no result {key} in {store}: use list to see the keys")
    if len(found) > 1:
        raise ValueError(f"{len(found)} results begin with {key}: give more letters of the key")
    write_json(json, found[0])
    return _tell_lost(store, lost)


def export_results(
    *,
    store: Path = DEFAULT_STORE,
    task: list[str] | None = None,
    format: Literal["csv", "parquet", "netcdf"] | None = None,
    output: Path = Path("-"),
    json: Path | None = None,
) -> int:
    """Export results with their provenance, one row each. Exit status 3 if rows of the store are lost.

    A document within a result is spread over columns such as result.upper; a list is one cell of JSON. An empty cell is
    an absent value or null, which is what an infinite one was stored as.

    Args:
        store (PATH): file of the results; what can be read of a damaged one is exported
        task (NAME): only these
        format: csv, parquet (needs pyarrow) or netcdf (needs xarray); otherwise by the ending of the output, .csv,
            .parquet or .nc
        output (PATH): where to write, `-` for CSV on standard output
        json (PATH): write everything as JSON, `-` for standard output, and no table unless an output is given

    Examples:
        python -m estimators.results export
        python -m estimators.results export --output results.parquet
        python -m estimators.results export --task estimators.rates.rates --json rates.json
    """
    # Standard output is for one of the two.
    table = json is None or str(output) != "-"
    kind = _format(format, output) if table else None
    for path in (output, json):
        if path is not None:
            check_writable(path)
    records, lost = _records(store, task)
    if kind is not None:
        write_table(kind, records, output)
    if json is not None:
        write_json(json, {"store": store, "results": records, "lost": lost})
    return _tell_lost(store, lost)


def repair_store(*, store: Path = DEFAULT_STORE, json: Path | None = None) -> int:
    """Replace a damaged store by one of every row that can be read; the damaged file stays beside it.

    Args:
        store (PATH): file of the results, which no other process may be using
        json (PATH): write what was done as JSON, `-` for standard output

    Examples:
        python -m estimators.results repair --store results.sqlite
    """
    if json is not None:
        check_writable(json)
    done = repaired(store)
    if json is not None:
        write_json(json, done)
    if json is None or str(json) != "-":
        told = f"{store} is sound: nothing was changed"
        if done.aside is not None:
            told = f"{store}: {done.saved} results saved, at least {done.lost} lost; the old file is {done.aside}"
        console().print(told, soft_wrap=True)
    return 0


def _records(store: Path, tasks: Sequence[str] | None) -> tuple[list[Record], int]:
    records, lost = readable(store)
    names = {one.task for one in records}
    if unknown := [name for name in tasks or () if name not in names]:
        known = ", ".join(sorted(names)) or "none"
        raise ValueError(f"no result of {unknown[0]} in {store}: its tasks are {known}")
    return [one for one in records if tasks is None or one.task in tasks], lost


def _format(format: str | None, output: Path) -> str:
    if format is None and str(output) != "-" and output.suffix not in FORMATS.values():
        raise ValueError(f"no format for {output}: end the name in {', '.join(FORMATS.values())}, or give --format")
    by_ending = {ending: name for name, ending in FORMATS.items()}
    kind = format or by_ending.get(output.suffix, "csv")
    if str(output) == "-" and kind != "csv":
        raise ValueError(f"{kind} cannot go to standard output: give --output results{FORMATS[kind]}")
    return kind


def _show(records: Sequence[Record]) -> None:
    table = Table(expand=True)
    for name in ("key", "task", "parameters", "seed", "code", "seconds", "created"):
        # One line a result: parameters are cut where the others leave no room.
        table.add_column(name, no_wrap=True, overflow="ellipsis", ratio=1 if name == "parameters" else None)
    for one in records:
        parameters = ", ".join(f"{name}={value}" for name, value in one.parameters.items())
        seed = "" if one.seed is None else str(one.seed)
        created = one.created[:19].replace("T", " ")
        table.add_row(one.key[:SHOWN_KEY], one.task, parameters, seed, one.code[:8], f"{one.seconds:.3g}", created)
    console().print(table)


def _tell_lost(store: Path, lost: int) -> int:
    if not lost:
        return 0
    advice = f"python -m estimators.results repair --store {store} keeps the rest"
    console(error=True).print(f"{store} is damaged, at least {lost} results are lost: {advice}", soft_wrap=True)
    return 3


def results(argv: Sequence[str] | None = None) -> int:
    words = {"list": list_results, "show": show_result, "export": export_results, "repair": repair_store}
    return run_one_of(words, argv)


if __name__ == "__main__":
    sys.exit(results())
