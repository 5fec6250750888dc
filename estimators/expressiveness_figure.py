"""The figure of `python -m estimators.expressiveness`."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from estimators.expressiveness_tables import EQUAL
from estimators.expressiveness_targets import TARGETS

# Okabe and Ito's colour-blind safe palette: one colour and marker for every kind.
STYLES = {
    "none": ("X", "#000000"),
    "bias": ("s", "#0072B2"),
    "relative": ("D", "#CC79A7"),
    "rotary": ("^", "#E69F00"),
    "additive": ("o", "#D55E00"),
}
FLOOR = 1e-17


def draw(rows: Sequence[Any], path: Path) -> None:
    """Equal rows, look-up against smooth functions and, of trained networks, error over bound and errors."""
    trained = any(row.trained for row in rows)
    height = 1.8 + 0.23 * len(rows)
    figure, panels = plt.subplots(1 + trained, 2, squeeze=False, figsize=(14, height * (1 + trained)))
    figure.set_layout_engine("constrained")
    _equal_rows(panels[0, 0], rows)
    points = _two_criteria(panels[0, 1], rows)
    if trained:
        _over_bound(panels[1, 0], rows)
        _errors(panels[1, 1], rows)
    figure.draw_without_rendering()  # the layout decides where points are, and so where names are free
    _label(panels[0, 1], points)
    try:
        figure.savefig(path, dpi=140)
    finally:
        plt.close(figure)


def _names(axes: Axes, rows: Sequence[Any]) -> None:
    axes.set_yticks(range(len(rows)), [row.structure.encoding for row in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.5, -0.5)


def _equal_rows(axes: Axes, rows: Sequence[Any]) -> None:
    for k, row in enumerate(rows):
        marker, colour = STYLES[row.structure.kind]
        axes.plot(max(row.structure.row_spread, FLOOR), k, marker, color=colour)
        axes.plot(max(row.structure.permutation_spread, FLOOR), k, marker, color=colour, fillstyle="none")
    axes.axvline(EQUAL, color="black", linestyle="--", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlabel("largest relative difference; dashed: 1e-12")
    axes.set_title("filled: equal tokens stay equal; open: permutation equivariance", fontsize=9)
    axes.grid(alpha=0.3)
    _names(axes, rows)
    for kind, (marker, colour) in STYLES.items():
        if any(row.structure.kind == kind for row in rows):
            axes.plot([], [], marker, color=colour, label=kind)
    axes.legend(fontsize=7, loc="center")


def _two_criteria(axes: Axes, rows: Sequence[Any]) -> list[tuple[float, float, str]]:
    """Draws the points, and returns them with their names."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("look-up of the next position: least |A| at margin 1 (bar: certified interval)")
    axes.set_ylabel(r"smooth function $e^x$: relative error in the span")
    axes.set_title("additive codes by two criteria: lower left is better in both", fontsize=9)
    axes.grid(alpha=0.3)
    shown, without = [], []
    for row in rows:
        found, smooth = row.structure.operator, row.structure.smooth
        if found is None or smooth is None:
            continue
        if math.isinf(found.lower):
            without.append(row.structure.encoding)
            continue
        x, y = found.lower, max(smooth.upper, FLOOR)
        end = found.upper if math.isfinite(found.upper) else 10 * x
        axes.plot([x, end], [y, y], color=STYLES["additive"][1], linewidth=3, alpha=0.5)
        axes.plot(x, y, "o", color=STYLES["additive"][1])
        shown.append((x, y, row.structure.encoding))
    axes.margins(0.12)
    axes.autoscale_view()  # else labels are placed for other limits
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    if without:
        axes.text(0.02, 0.02, f"two positions share a code: {', '.join(without)}", fontsize=8, transform=axes.transAxes)
    return shown


def _label(axes: Axes, points: list[tuple[float, float, str]]) -> None:
    """Names beside points, at the first of several places that is free."""
    places = [(dx, dy) for step in range(6) for dx in (6, -6) for dy in (4 + 10 * step, -11 - 10 * step)]
    scale = 72 / axes.figure.dpi
    spots = [axes.transData.transform((x, y)) * scale for x, y, _ in points]
    taken = [(left - 3, left + 3, low - 3, low + 3) for left, low in spots]
    edges = axes.bbox.x0 * scale, axes.bbox.x1 * scale
    for (left, low), (x, y, name) in zip(spots, points, strict=True):
        width = 4.8 * len(name)
        for dx, dy in places:
            start = left + dx - (width if dx < 0 else 0)
            box = (start, start + width, low + dy, low + dy + 8)
            free = not any(box[0] < b and a < box[1] and box[2] < d and c < box[3] for a, b, c, d in taken)
            if free and edges[0] < box[0] and box[1] < edges[1]:
                break
        taken.append(box)
        far = {"arrowstyle": "-", "linewidth": 0.5} if abs(dy) > 12 else None
        side = "right" if dx < 0 else "left"
        axes.annotate(name, (x, y), xytext=(dx, dy), textcoords="offset points", fontsize=8, ha=side, arrowprops=far)


def _over_bound(axes: Axes, rows: Sequence[Any]) -> None:
    bounded = [
        name for name in TARGETS if any(one.bound > 0 for row in rows for one in row.trained if one.target == name)
    ]
    colours = dict(zip(bounded, ("#0072B2", "#009E73", "#D55E00", "#CC79A7", "#E69F00", "#999999"), strict=False))
    for k, row in enumerate(rows):
        for one in row.trained:
            if one.target in colours:
                place = k + 0.2 * (one.layers - 1.5)
                marker = "o" if one.layers == 1 else "s"
                axes.plot(
                    one.least_ratio, [place] * len(one.least_ratio), marker, color=colours[one.target], markersize=4
                )
    axes.axvline(1, color="black", linestyle="--", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlabel("trained network: error on constant sequences over the obstruction's bound, every seed")
    axes.set_title(
        "circles: 1 layer, squares: 2; left of the line is impossible where equal rows stay equal", fontsize=9
    )
    axes.grid(alpha=0.3)
    for name, colour in colours.items():
        axes.plot([], [], "o", color=colour, label=name)
    axes.legend(fontsize=7)
    _names(axes, rows)


def _errors(axes: Axes, rows: Sequence[Any]) -> None:
    depths = sorted({one.layers for row in rows for one in row.trained})
    columns = [(name, layers) for name in TARGETS for layers in depths]
    means = np.full((len(rows), len(columns)), np.nan)
    for k, row in enumerate(rows):
        for one in row.trained:
            means[k, columns.index((one.target, one.layers))] = np.mean(one.error)
    image = axes.imshow(means, aspect="auto", cmap="cividis_r", vmin=0, vmax=1)
    for (k, column), value in np.ndenumerate(means):
        axes.text(
            column, k, f"{value:.2f}", ha="center", va="center", fontsize=6, color="white" if value > 0.55 else "black"
        )
    axes.set_xticks(
        range(len(columns)), [f"{name} {layers}" for name, layers in columns], rotation=40, ha="right", fontsize=7
    )
    axes.set_title("error of trained networks, mean over seeds (1: best constant), by target and layers", fontsize=9)
    _names(axes, rows)
    axes.figure.colorbar(image, ax=axes, fraction=0.03)
