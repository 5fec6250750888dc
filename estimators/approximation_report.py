"""What `python -m estimators.approximation` shows: its tables, how to read them, the JSON document and the figure."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from estimators.approximation_lookup import LookUp
from estimators.approximation_rates import Rate
from estimators.approximation_rows import Norm, Row
from estimators.command_line import console
from estimators.estimate import Estimate
from estimators.rates_report import ends

DIGITS = 4
TITLES = {
    "l2": "Euclidean error of {target} on {length} positions",
    "sup": "Largest error of {target} on {length} positions",
    "sobolev": "Worst error over |Delta f|_2 <= 1 on {length} positions",
}


def title_of(target: str, norm: Norm, length: int) -> str:
    """What the rows of one table or panel are about."""
    return TITLES[norm].format(target=target if len(target) <= 40 else target[:37] + "...", length=length)


def outward(value: float, side: int, digits: int = DIGITS) -> str:
    """A number with so many significant digits, rounded down (side -1) or up (side 1)."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - digits + 1)
    scaled = value / unit
    return f"{(math.floor(scaled) if side < 0 else math.ceil(scaled)) * unit:.{digits}g}"


def interval(estimate: Estimate, digits: int = DIGITS) -> str:
    """Both ends rounded outwards."""
    return f"[{outward(estimate.lower, -1, digits)}, {outward(estimate.upper, 1, digits)}]"


def grouped(rows: Sequence[Row]) -> dict[tuple[str, Norm], list[Row]]:
    """Rows of one table or panel: by target and norm."""
    found: dict[tuple[str, Norm], list[Row]] = {}
    for row in rows:
        found.setdefault((row.target, row.norm), []).append(row)
    return found


def show(rows: Sequence[Row], rates: Sequence[Rate], looked: Sequence[LookUp], length: int) -> None:
    """Print every table and how to read them."""
    tables = [_errors(group, title_of(target, norm, length)) for (target, norm), group in grouped(rows).items()]
    if any(row.terms for row in rows):
        tables.append(_nonlinear([row for row in rows if row.terms]))
    tables += [_rates(rates)] if rates else []
    tables += [_criteria(rows, looked)] if looked else []
    out = console()
    for table in tables:
        out.print(table)
        out.print()
    out.print(READING)


def _table(title: str, headings: Sequence[str], left: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in left else "right", overflow="fold")
    return table


def _errors(rows: Sequence[Row], title: str) -> Table:
    headings = ("encoding", "n", "error", "width", "error/width", "bound", "by", "bound/error", "rank", "condition")
    table = _table(title, headings, ("encoding", "by"))
    previous = None
    for index, row in enumerate(rows):
        last = index + 1 == len(rows) or rows[index + 1].encoding != row.encoding
        cells = ["" if row.encoding == previous else row.encoding, str(row.channels), _error(row), f"{row.width:.4g}"]
        cells.append("-" if row.ratio is None else f"{row.ratio:.4g}")
        bound = row.tightest
        if bound is None:
            cells += ["-", "", "-"]
        else:
            value = row.bounds[bound]
            cells += [f"{value:.4g}", bound.removeprefix("approximation-")]
            cells.append(f"{value / row.error.upper:.3g}" if 0 < row.error.upper < math.inf else "-")
        table.add_row(*cells, str(row.rank), f"{row.condition:.3g}", end_section=last)
        previous = row.encoding
    return table


def _error(row: Row) -> str:
    if row.with_constant is not None:
        return f"inf; with 1: {interval(row.with_constant)}"
    return interval(row.error)


def _nonlinear(rows: Sequence[Row]) -> Table:
    title = "Nonlinear: best n terms of the complete wavelet basis, Euclidean error"
    table = _table(title, ("target", "encoding", "n", "first n", "best n", "first/best"), ("target", "encoding"))
    for row in rows:
        if row.terms is not None:
            gain = f"{row.error.upper / row.terms.lower:.4g}" if row.terms.lower > 0 else "-"
            cells = row.target[:40], row.encoding, str(row.channels), interval(row.error), interval(row.terms), gain
            table.add_row(*cells)
    return table


def _rates(rates: Sequence[Rate]) -> Table:
    headings = ("target", "norm", "encoding", "n", "exponent of error", "bound", "order", "error falls")
    left = ("target", "norm", "encoding", "n", "bound", "order", "error falls", "over the range")
    table = _table("Rates: fitted over the range, and of the least bound", (*headings, "own slope", left[-1]), left)
    previous = None
    for rate in rates:
        points = f"{rate.points[0]}..{rate.points[-1]}" if rate.slope else "-"
        slope = "-" if rate.slope is None else ends(rate.slope)
        group = (rate.target, rate.norm)
        cells = ["", ""] if group == previous else [rate.target[:24], rate.norm]
        cells += [rate.encoding, points, slope, (rate.bound or "-").removeprefix("approximation-"), rate.order]
        own = "-" if rate.own is None else f"{rate.own:.3f}"
        table.add_row(*cells, rate.limit or "-", own, rate.over_range or "-")
        previous = group
    return table


def _criteria(rows: Sequence[Row], looked: Sequence[LookUp]) -> Table:
    """Errors at the largest n beside the look-up norm, best first in each."""
    most = max(row.channels for row in rows)
    groups = {key: [row for row in group if row.channels == most] for key, group in grouped(rows).items()}
    title = f"Two criteria: error of {most} channels over that of the best, and least look-up matrix (rank in brackets)"
    table = Table(title=title, title_justify="left")
    table.add_column("encoding")
    for target, norm in groups:
        table.add_column("worst case" if norm == "sobolev" else f"{target[:24]} {norm}", justify="right")
    table.add_column(f"|A|_F, {looked[0].positions} positions", justify="right")
    look = {one.encoding: one.norm.upper if one.norm else math.inf for one in looked}
    for name in dict.fromkeys(row.encoding for row in rows):
        cells = [name]
        for group in groups.values():
            errors = {row.encoding: row.error.upper for row in group}
            cells.append(_ranked(errors, name, relative=True))
        cells.append(_ranked(look, name, relative=False))
        table.add_row(*cells)
    return table


def _ranked(values: Mapping[str, float], name: str, *, relative: bool) -> str:
    if name not in values:
        return "-"
    value, least = values[name], min(values.values())
    place = 1 + sum(other < value * (1 - 1e-6) for other in values.values())
    if not math.isfinite(value):
        return f"infinite ({place})"
    shown = value / least if relative and least > 0 else value
    return f"{shown:.4g} ({place})"


READING = (
    "How to read it: `error` contains the error of the best combination of the first n channels, certified: lower "
    "end by a dual vector, upper end attained. `width` is the least worst error of any n channels over a class that "
    "holds the target: all f with the same |Delta f|_2 (Euclidean), with the same largest step (largest error), or "
    "with |Delta f|_2 <= 1 (worst error). No encoding beats it on all of the class; error/width below 1 shows a "
    "target that is easier than the worst. `bound` is the least of the upper bounds that apply to the target by its "
    "smoothness; none is used where channels are dependent in float64 (rank below n). `inf; with 1` is infinite, as "
    "the constant is not in the span, and then the error with a constant as one more channel. Exponents are "
    "least-squares slopes of ln error against ln n over this range, from the certified ends; `order` is that of the "
    "bound as n grows (n far below N), `own slope` that of its values over the same n. The look-up of the next "
    "position (margin 1, codes of mean power 1) is the other criterion: it asks for codes far apart and not for "
    "smooth ones, so a code can be last at one and among the first at the other."
)


def as_document(
    rows: Sequence[Row], rates: Sequence[Rate], looked: Sequence[LookUp], parameters: dict[str, Any]
) -> dict[str, Any]:
    """Everything, numbers unrounded; infinite ones become null."""
    return {
        "parameters": parameters,
        "results": [_entry(row) for row in rows],
        "rates": [_rate_entry(rate) for rate in rates],
        "look_up": looked,
    }


def _entry(row: Row) -> dict[str, Any]:
    return {
        "encoding": row.encoding,
        "target": row.target,
        "norm": row.norm,
        "channels": row.channels,
        "lower": row.error.lower,
        "upper": row.error.upper,
        "method": row.error.method,
        "width": row.width,
        "ratio": row.ratio,
        "bounds": row.bounds,
        "lower_bounds": row.below,
        "rank": row.rank,
        "condition": row.condition,
        "best_terms": row.terms,
        "with_constant": row.with_constant,
    }


def _rate_entry(rate: Rate) -> dict[str, Any]:
    growth = rate.growth
    return {
        "encoding": rate.encoding,
        "target": rate.target,
        "norm": rate.norm,
        "points": rate.points,
        "slope": rate.slope,
        "bound": rate.bound,
        "order": rate.order,
        "leading": None if growth is None else str(growth.leading),
        "exponent": rate.exponent,
        "own_slope": rate.own,
        "limit": rate.limit,
        "over_range": rate.over_range,
    }
