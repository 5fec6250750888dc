"""What `python -m estimators.rates` shows: its table, how to read it, the JSON document and the figure."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator
from rich.table import Table

from estimators.command_line import console
from estimators.estimate import Estimate
from estimators.rates_cases import Series
from estimators.rates_fit import (
    AGREES,
    RESOLUTION,
    UNDECIDED,
    Comparison,
    compare,
    fitted_slope,
    local_slopes,
    plain_slope,
)
from estimators.rates_heads import Measured
from estimators.rates_statements import LETTERS, Statement

COLUMNS = 3
# Okabe and Ito's colour-blind safe palette, one marker and one dash each.
STYLES = {
    "khintchine": (">", "#009E73"),
    "linear": ("o", "#56B4E9"),
    "linear-upper": ("o", "#56B4E9"),
    "linear-lower": (">", "#009E73"),
    "U1-trivial": ("P", "#999999"),
    "U2-width": ("s", "#0072B2"),
    "U3-contraction": ("^", "#E69F00"),
    "U5-taylor": ("D", "#CC79A7"),
    "U7-depth": ("s", "#0072B2"),
    "covering": ("X", "#D55E00"),
    "after-Trauger-Tewari": ("v", "#E69F00"),
}


@dataclass(frozen=True)
class Fitted:
    """A series with its brackets: the slope of the truth over this range, and of every bound."""

    series: Series
    points: list[Measured]

    @property
    def slope(self) -> Estimate:
        return fitted_slope(self.series.x, [point.estimate for point in self.points])

    @property
    def attained(self) -> float | None:
        """Slope of the mean attained values: an estimate without an error. None where one of them is 0."""
        values = [point.attained for point in self.points]
        return plain_slope(self.series.x, values) if min(values) > 0 else None

    def own(self, statement: Statement) -> float:
        """Slope of the values of this bound over this range."""
        return plain_slope(self.series.x, [point.values[statement.bound] for point in self.points])

    def verdicts(self, statement: Statement) -> tuple[Comparison, Comparison]:
        """The exponent in the limit, and the bound's own slope over this range, against the slope of the truth."""
        slope = self.slope
        return compare(statement.exponent, slope, statement.relation), compare(
            self.own(statement), slope, statement.relation
        )


def ends(estimate: Estimate, digits: int = 3) -> str:
    """Both ends rounded outwards."""
    unit = 10**digits
    low = math.floor(estimate.lower * unit) / unit if math.isfinite(estimate.lower) else estimate.lower
    high = math.ceil(estimate.upper * unit) / unit if math.isfinite(estimate.upper) else estimate.upper
    return f"[{low:.{digits}f}, {high:.{digits}f}]"


def verdict_text(found: Comparison) -> str:
    """For example `faster by 0.46`, rounded down."""
    word = found.verdict.removeprefix("grows ")
    if found.verdict in (AGREES, UNDECIDED) or math.isinf(found.gap):
        return word
    return f"{word} by {math.floor(found.gap * 1000) / 1000:.3f}"


def show(rows: list[Fitted], confidence: float) -> None:
    """Print the table and how to read it."""
    out, table = console(), Table(title="Exponents: derived, and fitted over the range", title_justify="left")
    for heading in ("in", "class", "slope of truth", "attained", "bound", "order", "own slope", "limit", "over range"):
        right = heading in ("slope of truth", "attained", "own slope")
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for row in rows:
        x, attained = row.series.x, row.attained
        found = f"{LETTERS[row.series.variable]} {x[0]:g}..{x[-1]:g}"
        cells = [found, row.series.title, ends(row.slope), "-" if attained is None else f"{attained:.3f}"]
        for one in row.series.statements:
            given = f" ({one.given})" if one.given else ""
            side = f"{one.bound}{given}"
            limit, over = row.verdicts(one)
            last = one is row.series.statements[-1]
            table.add_row(
                *cells,
                side,
                one.order,
                f"{row.own(one):.3f}",
                verdict_text(limit),
                verdict_text(over),
                end_section=last,
            )
            cells = [""] * 4
    out.print(table)
    for row in rows:
        local = ", ".join(ends(one, 2) for one in local_slopes(row.series.x, [p.estimate for p in row.points]))
        letter = LETTERS[row.series.variable]
        out.print(f"{letter}: {row.series.title} ({row.series.note}); slopes between neighbours {local}")
    out.print(reading(confidence))


def reading(confidence: float) -> str:
    """How to read the table."""
    return (
        "How to read it: `slope of truth` contains the least-squares slope of ln R_hat against ln x over this range of "
        f"x, not the exponent as x grows, with confidence {confidence:g} for each class: interval arithmetic over "
        "certified brackets, union bound over points; nothing is assumed of errors. `attained`: the slope of attained "
        "values, an estimate only. `order` is derived from the bound's formula as x grows, without constants, its "
        "statistics growing as theory.growth states; `own slope` is that of its values on these samples. `limit` and "
        "`over range` compare the order and the own slope with the slope of the truth: `agrees`: inside; `undecided`: "
        f"inside an interval wider than {RESOLUTION:g}, which tells nothing apart; `faster` or `slower`: the bound's "
        "exponent is larger or smaller than the slope of the truth over this range, by at least the number given; a "
        "valid upper bound may grow slower only for a while, a lower bound faster. Upper ends of the Transformer are "
        "certificates far above what is attained, so its interval is wide."
    )


def as_document(rows: list[Fitted], parameters: dict[str, Any]) -> dict[str, Any]:
    """Everything, numbers unrounded."""
    return {"parameters": parameters, "series": [_entry(row) for row in rows]}


def _entry(row: Fitted) -> dict[str, Any]:
    points = [
        {"x": x, "estimate": point.estimate, "attained": point.attained, "bounds": point.values}
        for x, point in zip(row.series.x, row.points, strict=True)
    ]
    statements = []
    for one in row.series.statements:
        limit, over = row.verdicts(one)
        statements.append(
            {
                "bound": one.bound,
                "relation": one.relation.value,
                "given": one.given,
                "order": one.order,
                "leading": str(one.growth.leading),
                "exponent": str(one.growth.exponent),
                "log_power": str(one.growth.log_power),
                "exponential": str(one.growth.exponential),
                "own_slope": row.own(one),
                "limit": limit,
                "over_range": over,
            }
        )
    return {
        "variable": row.series.variable,
        "class": row.series.title,
        "note": row.series.note,
        "slope": row.slope,
        "attained_slope": row.attained,
        "local_slopes": local_slopes(row.series.x, [point.estimate for point in row.points]),
        "points": points,
        "statements": statements,
    }


def draw(rows: list[Fitted], path: Path) -> None:
    """One log-log panel for each class: brackets as bars, the fitted line, the bounds."""
    count = -(-len(rows) // COLUMNS)
    columns = min(COLUMNS, len(rows))
    figure, panels = plt.subplots(count, columns, squeeze=False, figsize=(5.6 * columns, 3.4 * count))
    figure.set_layout_engine("constrained")
    for axes in panels.flat[len(rows) :]:
        axes.set_axis_off()
    for row, axes in zip(rows, panels.flat, strict=False):
        _panel(axes, row)
    confidence = rows[0].slope.confidence
    figure.suptitle(
        f"black: certified brackets ({confidence:.4g} for each panel); dashed: least-squares line over this range",
        fontsize=10,
    )
    try:
        figure.savefig(path, dpi=140)
    finally:
        plt.close(figure)


def _panel(axes: Axes, row: Fitted) -> None:
    x, letter = np.asarray(row.series.x, dtype=float), LETTERS[row.series.variable]
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    low = np.array([point.estimate.lower for point in row.points])
    high = np.array([point.estimate.upper for point in row.points])
    for name in dict.fromkeys(one.bound for one in row.series.statements):
        orders = ", ".join(one.order for one in row.series.statements if one.bound == name)
        marker, colour = STYLES.get(name, (".", "#999999"))
        values = [point.values[name] for point in row.points]
        axes.plot(x, values, marker=marker, color=colour, markersize=4, linewidth=1, label=f"{name}: {_tex(orders)}")
    finite = (low > 0) & np.isfinite(high)
    if finite.all():
        middle = np.sqrt(low * high)
        slope = plain_slope(row.series.x, middle.tolist())
        level = np.exp(np.log(middle).mean() + slope * (np.log(x) - np.log(x).mean()))
        axes.plot(x, level, "--", color="black", linewidth=1, label=f"truth: slope\n{ends(row.slope)}")
    # A bar needs a visible height where both ends nearly coincide.
    axes.plot(x[finite], np.sqrt(low * high)[finite], "_", color="black", markersize=7)
    axes.vlines(x[finite], low[finite], high[finite], color="black", linewidth=4)
    axes.set_xticks(x, [f"{value:g}" for value in x])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(alpha=0.3)
    axes.set_xlabel(f"{letter} ({row.series.variable.replace('_', ' ')})")
    axes.set_ylabel(r"$\hat{\mathfrak{R}}$")
    axes.set_title(f"{row.series.title}\n{row.series.note}", fontsize=8)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=7, frameon=False)


def _tex(order: str) -> str:
    """The order in mathtext."""
    return "$" + order.replace("^(", "^{").replace("exp", r"\exp").replace("ln", r"\,\ln").replace("/2)", "/2}") + "$"
