"""Command: reference pages from the docstrings, one for each statement and each encoding, rendered by pdoc."""

import difflib
import sys
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from estimators.claims import CLAIMS
from estimators.command_line import console, progress, run
from estimators.reference_pages import FRAGMENT, bound_page, encoding_index, encoding_page, first_line, index_page
from theory.encodings import ENCODINGS
from theory.statements import STATEMENTS

ROOT = "reference"
FOLDERS = {
    "bounds": "Statements of the theory, by the module that holds them",
    "encodings": "Positional encodings, by kind",
}


def reference(*, output_dir: Path = Path("reference"), name: list[str] | None = None) -> int:
    """Write the reference pages: one for each bound and each encoding, with an index and a search that need no network.

    A page of a bound shows the formula, its assumptions, the keyword and domain of every letter, the source, where its
    proof is, the claims that check it, the docstring and the code. A page of an encoding shows its formulas, its
    properties, its options and its rule beyond the training length.

    Args:
        output_dir (DIR): folder to write to; pages that are there are replaced
        name (NAME): only these statements and encodings; all of them if not given

    Examples:
        python -m estimators.reference
        python -m estimators.reference --output-dir site --name alibi alibi-tail-mass
    """
    wanted = _wanted(name)
    if output_dir.exists() and not output_dir.is_dir():
        raise ValueError(f"{output_dir} is a file: give the name of a folder")
    render = _renderer()
    modules = {module.__name__: render.module(module) for module in _modules(wanted)}
    with progress("pages", len(modules)) as advance:
        for full_name, module in modules.items():
            _write(output_dir / f"{full_name.replace('.', '/')}.html", render.page(module, modules))
            advance()
    _write(output_dir / "index.html", render.index(modules))
    _write(output_dir / "search.js", render.search(modules))
    console().print(f"{len(modules)} pages, from {output_dir / 'index.html'} on")
    return 0


def _wanted(names: Iterable[str] | None) -> list[str]:
    known = [*STATEMENTS, *ENCODINGS]
    if names is None:
        return known
    given = list(dict.fromkeys(names))
    for one in given:
        if one not in known:
            near = difflib.get_close_matches(one, known, 1)
            hint = f"did you mean {near[0]}?" if near else "python -m estimators --list shows statements"
            raise ValueError(f"no statement or encoding {one!r}: {hint}")
    return given


def _modules(wanted: list[str]) -> list[types.ModuleType]:
    """Modules that hold one object each: pdoc makes one page of a module."""
    checked: dict[Any, list[str]] = {}
    for claim, entry in CLAIMS.items():
        checked.setdefault(entry.statement, []).append(claim)
    pages: list[types.ModuleType] = []
    bounds = {one: STATEMENTS[one] for one in wanted if one in STATEMENTS}
    encodings = {one: ENCODINGS[one] for one in wanted if one in ENCODINGS}
    topics: dict[str, dict[str, str]] = {}
    for one, statement in bounds.items():
        topics.setdefault(statement.__module__, {})[one] = first_line(statement.__doc__)
        page = bound_page(one, statement, checked.get(statement, ()))
        pages.append(_module(f"{ROOT}.bounds.{one}", page, statement))
    for one, kind in encodings.items():
        pages.append(_module(f"{ROOT}.encodings.{one}", encoding_page(one), kind))
    kinds = {group: {k: v for k, v in several.items() if k in encodings} for group, several in encoding_index().items()}
    groups = {"bounds": topics, "encodings": {group: several for group, several in kinds.items() if several}}
    tops = [top for top in groups if groups[top]]
    links = {"": {top: FOLDERS[top] for top in tops}}
    return [
        _module(ROOT, index_page(links, ROOT)),
        *(_module(f"{ROOT}.{top}", f"<p>{FOLDERS[top]}</p>\n{index_page(groups[top], top)}") for top in tops),
        *pages,
    ]


def _module(full_name: str, page: str, held: Any = None) -> types.ModuleType:
    module = types.ModuleType(full_name, f"{FRAGMENT}\n<div>\n{page}\n</div>")
    module.__dict__["__all__"] = [] if held is None else [held.__name__]
    if held is not None:
        setattr(module, held.__name__, held)
    return module


def _renderer() -> Any:
    try:
        from estimators import reference_render
    except ImportError:
        raise ValueError("reference pages are made by pdoc, which is missing: pip install pdoc") from None
    return reference_render


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(run(reference))
