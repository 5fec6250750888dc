"""What `python -m estimators` shows: tables on the terminal, and the same as Markdown."""

from collections.abc import Iterable, Sequence

from rich.table import Table

from estimators.claims.sources import SourceVerdict
from estimators.command_line import console
from estimators.ledger import Ledger
from estimators.ledger_rows import (
    HEADINGS,
    READING,
    SOURCE_HEADINGS,
    TWIN_HEADINGS,
    findings,
    row,
    source_row,
    summary,
    twin_row,
)
from estimators.results import versions

RIGHT = ("bound", "interval", "slack", "cases")
CLAIMS_TITLE, SOURCES_TITLE = "Claims", "The claims of arXiv 2506.06398v1 (K) and of its digest (D), paraphrased"
TWINS_TITLE = "Falsified twins and wrong statements: each must come out violated"
TWINS_READING = (
    "Each row is a true statement with its bound made that many times stronger, or a statement that is wrong itself, "
    "up to the first case that violates it. A twin that survives means that the check has no teeth."
)
Rows = tuple[str, tuple[str, ...], list[tuple[str, ...]]]  # title, headings, cells


def show(ledger: Ledger, sources: Sequence[SourceVerdict], twins: bool = False) -> None:
    """Print the tables, how to read them, and what went wrong."""
    out = console()
    if ledger.outcomes:
        for title, headings, rows in _tables(ledger, sources, twins):
            out.print(_table(title, headings, rows))
        out.print(TWINS_READING if twins else READING)
    for sentence in [] if twins else findings(ledger):
        out.print(f"Found: {sentence}")
    out.print(summary(ledger, twins))


def tell(ledger: Ledger, twins: bool = False) -> None:
    """On standard error: what was violated, survived, raised or is missing, one line each."""
    log = console(error=True)
    for one in ledger.outcomes:
        if one.error:
            log.print(f"error: {one.claim}: {one.error}")
        if twins and one.verdict not in ("violated", "error"):
            log.print(f"not violated: {one.claim} x {one.factor}: a check that cannot fail shows nothing")
        if not twins and one.broken:
            log.print(f"violated: {one.claim}, a statement marked proved: save the case with --counterexamples FOLDER")
        if not twins and one.standing == "not refuted":
            log.print(f"not refuted: {one.claim}, kept because it is wrong, was not violated by any case")
    if ledger.missing:
        log.print(f"interrupted: {len(ledger.missing)} claims were not checked, from {ledger.missing[0]} on")


def markdown(ledger: Ledger, sources: Sequence[SourceVerdict], seed: int, twins: bool = False) -> str:
    """The tables as one Markdown document."""
    made = ", ".join(f"{name} {version}" for name, version in versions().items() if name in ("python", "numpy", "jax"))
    lines = ["# Claims ledger", "", f"{summary(ledger, twins)}. Seed {seed}; {made}.", ""]
    for title, headings, rows in _tables(ledger, sources, twins):
        lines += [f"## {title}", "", _line(headings)]
        lines.append("|" + "|".join("--:" if heading in RIGHT else ":--" for heading in headings) + "|")
        lines += [*map(_line, rows), ""]
    lines += [f"Found: {escape_markdown(sentence)}\n" for sentence in ([] if twins else findings(ledger))]
    return "\n".join([*lines, TWINS_READING if twins else READING, ""])


def _tables(ledger: Ledger, sources: Sequence[SourceVerdict], twins: bool) -> list[Rows]:
    if twins:
        return [(TWINS_TITLE, TWIN_HEADINGS, [twin_row(one) for one in ledger.outcomes])]
    found: list[Rows] = [(CLAIMS_TITLE, HEADINGS, [row(one) for one in ledger.outcomes])]
    if sources:
        found.append((SOURCES_TITLE, SOURCE_HEADINGS, [source_row(one) for one in sources]))
    return found


def _table(title: str, headings: Iterable[str], rows: Iterable[Iterable[str]]) -> Table:
    table = Table(title=title, title_justify="left", show_lines="because" in headings)
    for heading in headings:
        table.add_column(heading, overflow="fold", justify="right" if heading in RIGHT else "left")
    for cells in rows:
        table.add_row(*cells)
    return table


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(escape_markdown(cell) for cell in cells) + " |"


def escape_markdown(text: str) -> str:
    """Text that a Markdown table shows as it is."""
    for mark in "\\|`*_<>[]":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())
