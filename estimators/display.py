"""What results look like in Jupyter: HTML tables, and numbers rounded to the safe side."""

import html
import math
from collections.abc import Collection, Iterable, Sequence

from estimators.estimate import Estimate

DIGITS, NEAR = 5, 1e-9


def rounded(value: float, up: bool, digits: int = DIGITS) -> str:
    """`digits` significant digits, rounded up or down; to the nearest where that is within 1e-9 of the number."""
    if not math.isfinite(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    shown = float(f"{value:.{digits}g}")
    beyond = value - shown if up else shown - value
    if beyond > NEAR * abs(value):
        unit = 10.0 ** (math.floor(math.log10(abs(value))) - digits + 1)
        shown += unit if up else -unit
    return f"{shown:.{digits}g}"


def interval_text(estimate: Estimate, digits: int = DIGITS) -> str:
    """Both ends rounded outwards; an infinite end is open."""
    left = f"[{rounded(estimate.lower, False, digits)}" if math.isfinite(estimate.lower) else "(-∞"
    right = f"{rounded(estimate.upper, True, digits)}]" if math.isfinite(estimate.upper) else "∞)"
    return f"{left}, {right}"


def html_table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], *, caption: str = "", right: Collection[str] = ()
) -> str:
    """One HTML table; every cell is shown as text. right: headings of the columns of numbers.

    ValueError for a row that has not as many cells as there are headings.
    """
    sides = [" style='text-align:right'" if heading in right else " style='text-align:left'" for heading in headings]
    lines = ["<table>"]
    if caption:
        lines.append(f"<caption style='text-align:left;white-space:nowrap'>{html.escape(caption)}</caption>")
    lines.append(f"<thead><tr>{_cells('th scope=col', headings, sides)}</tr></thead><tbody>")
    for row in rows:
        if len(row) != len(headings):
            raise ValueError(f"a row has {len(row)} cells for {len(headings)} headings: give one cell for each")
        lines.append(f"<tr>{_cells('td', row, sides)}</tr>")
    return "\n".join([*lines, "</tbody></table>"])


def _cells(tag: str, texts: Iterable[object], sides: Iterable[str]) -> str:
    end = tag.split()[0]
    return "".join(f"<{tag}{side}>{html.escape(str(text))}</{end}>" for text, side in zip(texts, sides, strict=True))
