"""Tables of `python -m estimators.extrapolation` on real text."""

import statistics
from collections.abc import Sequence

from rich.table import Table

from estimators.command_line import console
from estimators.extrapolation_report import interval
from estimators.extrapolation_text import TextRun, TextSummary

TITLES = {
    "sliding": "Bits per byte, sliding windows (a scored byte sees a whole window less the stride)",
    "non-overlapping": "Bits per byte, non-overlapping windows (the first byte of a window sees one byte)",
    "context-use": "Bits per byte on the same bytes against the number of visible bytes (sliding, stride 1)",
    "summary": "Bits per byte of the summary, the end mark counted as one",
}


def show(run: TextRun, train_length: int) -> None:
    """Print every table of one kind."""
    out = console()
    out.print(_material(run))
    out.print()
    for measure in dict.fromkeys(row.measure for row in run.rows):
        rows = [row for row in run.rows if row.measure == measure]
        out.print(_by_length(measure, [row for row in rows if run.kind == "summary" or row.position_range == "all"]))
        out.print()
        longest = max(row.length for row in rows)
        inside = [row for row in rows if row.length == longest and row.position_range != "all"]
        if run.kind == "text" and inside:
            out.print(_by_position(measure, inside, train_length))
            out.print()
    if run.compared:
        out.print(_compared(run))
        out.print()


def _material(run: TextRun) -> str:
    known = run.description
    split = f"split {known['split']}" if "split" in known else ""
    documents = f"{known.get('train_documents', '?')} training and {known.get('test_documents', '?')} test documents"
    return f"{run.kind}: {known.get('corpus', '')}; {documents}; {split}"


def _table(title: str, headings: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place == 0 else "right", overflow="fold")
    return table


def _by_length(measure: str, rows: Sequence[TextSummary]) -> Table:
    lengths = list(dict.fromkeys((row.length, row.position_range) for row in rows))
    unit = "visible" if measure == "context-use" else "tokens"
    names = [f"{n} {unit}" if where == "all" else f"{n} {unit}, {where}" for n, where in lengths]
    seeds, documents = len(rows[0].values), rows[0].documents
    title = f"{TITLES.get(measure, measure + ' (F-measure of greedy summaries)')}; {seeds} seeds, {documents} documents"
    table = _table(title, ("encoding", *names))
    for encoding in dict.fromkeys(row.encoding for row in rows):
        own = {(row.length, row.position_range): row for row in rows if row.encoding == encoding}
        table.add_row(encoding, *(interval(own[key].estimate) if key in own else "-" for key in lengths))
    return table


def _by_position(measure: str, rows: Sequence[TextSummary], train_length: int) -> Table:
    ranges = list(dict.fromkeys(row.position_range for row in rows))
    title = f"Mean bits per byte by position in windows of {rows[0].length}, {measure}; trained on {train_length}"
    table = _table(title, ("encoding", *ranges))
    for encoding in dict.fromkeys(row.encoding for row in rows):
        own = {row.position_range: row for row in rows if row.encoding == encoding}
        table.add_row(encoding, *(f"{statistics.fmean(own[part].values):.3f}" for part in ranges))
    return table


def _compared(run: TextRun) -> Table:
    confidence = run.compared[0][3].estimate.confidence
    title = f"Differences in bits, seed by seed (below 0: fewer bits); {len(run.compared)} intervals, together at "
    table = _table(f"{title}{confidence:g}", ("what", "encoding", "minus", "difference", "reads"))
    for what, encoding, reference, difference in run.compared:
        reads = {0: "undecided", 1: "worse", -1: "better"}[difference.sign]
        table.add_row(what, encoding, reference, interval(difference.estimate), reads)
    return table
