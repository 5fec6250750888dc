"""Command: every figure of the project, each with the CSV it was drawn from and a manifest of where that came from."""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from estimators.command_line import console, progress, run
from estimators.figure_files import check_folder, data_text, problem, write_data, write_images
from estimators.figures_all import FIGURES, chosen
from estimators.figures_plan import SEED, Kept, Plot
from estimators.output_files import check_writable, write_json
from estimators.store import Store

DEFAULT_FOLDER, DEFAULT_STORE = Path("notebooks/figures"), Path("results.sqlite")


def figures(
    names: Sequence[str] = (),
    /,
    *,
    list_: bool = False,
    quick: bool = False,
    paper: bool = False,
    output_dir: Path = DEFAULT_FOLDER,
    store: Path | None = DEFAULT_STORE,
    reuse_data: bool = False,
    check: bool = False,
    json: Path | None = None,
) -> int:
    """Make figures as SVG, PDF and PNG, each with the CSV it was drawn from and a manifest (parameters, versions).

    Images are drawn from the CSV alone, and two runs give the same CSV, byte for byte. Finished parts of a figure are
    kept in a store, so that an interrupted run goes on where it ended. Exit status: 1 where --check finds something.

    Args:
        names (NAME): figures, all if none is named; --list shows them
        list_: show the names and what each figure shows, and make nothing
        quick: small sizes, minutes for all; the default
        paper: larger sizes, hours for all
        output_dir (DIR): where the files are
        store (PATH): finished parts of figures; `none` keeps none
        reuse_data: draw the CSV that are there, and compute nothing
        check: say whether each CSV is there, as it was computed, and made by the present code; make nothing
        json (PATH): write what was made or found as JSON, `-` for standard output

    Examples:
        python -m estimators.figures
        python -m estimators.figures brackets look-up-norm --paper
        python -m estimators.figures --reuse-data
        python -m estimators.figures --check
    """
    plots = chosen(names)
    if quick and paper:
        raise ValueError("--quick and --paper are two sizes: give one of them")
    if sum((list_, check, reuse_data)) > 1:
        raise ValueError("--list, --check and --reuse-data are three things to do: give one of them")
    if json is not None:
        check_writable(json)
    quiet = str(json) == "-"
    if list_:
        return _told([{"figure": name, "about": plot.about} for name, plot in plots.items()], json, quiet)
    if check:
        return _check(plots, output_dir, json, quiet)
    check_folder(output_dir)
    entries: list[dict[str, Any]] = []
    # The store first: one that cannot be used is said before the long work.
    kept_in = Store(store) if store is not None and not reuse_data else None
    if reuse_data:
        for name in plots:
            data_text(output_dir, name)
    with progress("figures", len(plots)) as advance:
        for name, plot in plots.items():
            advance(0, description=name)
            entries.append(_made(name, plot, output_dir, kept_in, not paper, reuse_data, advance))
            advance(1)
    return _told(entries, json, quiet)


def _made(
    name: str, plot: Plot, folder: Path, store: Store | None, quick: bool, reuse: bool, advance: Any
) -> dict[str, Any]:
    started, facts = time.perf_counter(), {"computed": 0, "reused": 0}
    if not reuse:
        kept = Kept(name, plot.code(), store, lambda words: advance(0, description=words))
        rows = plot.data(quick, kept)
        facts = {"computed": kept.computed, "reused": kept.reused}
        size = {"size": "quick" if quick else "paper", "parameters": kept.parameters, "seed": SEED}
        write_data(folder, name, rows, plot, size | {"seconds": time.perf_counter() - started, "parts": facts})
    write_images(folder, name, plot)
    return {"figure": name, **facts, "seconds": time.perf_counter() - started, "file": folder / f"{name}.svg"}


def _check(plots: Mapping[str, Plot], folder: Path, json: Path | None, quiet: bool) -> int:
    found = {name: problem(folder, name, plot) for name, plot in plots.items()}
    if json is not None:
        told = [{"figure": name, "problem": one and one[0], "line": one and one[1]} for name, one in found.items()]
        write_json(json, {"figures": told})
    wrong = {name: one for name, one in found.items() if one is not None}
    if not quiet:
        for name, one in wrong.items():
            console().print(f"{name}: {one[0]}: {one[1]}", soft_wrap=True, markup=False, highlight=False)
        console().print(f"{len(found) - len(wrong)} of {len(found)} figures are what the present code makes")
    return 1 if wrong else 0


def _told(entries: list[dict[str, Any]], json: Path | None, quiet: bool) -> int:
    if json is not None:
        write_json(json, {"figures": entries})
    if not quiet:
        table = Table()
        for heading in entries[0]:
            table.add_column(heading, overflow="fold")
        for entry in entries:
            table.add_row(*[f"{cell:.1f}" if isinstance(cell, float) else str(cell) for cell in entry.values()])
        console().print(table)
    return 0


__all__ = ["FIGURES", "figures"]

if __name__ == "__main__":
    sys.exit(run(figures))
