"""The figure of `python -m estimators.approximation`: errors, widths and bounds against the number of channels."""

import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from estimators.approximation_report import grouped, title_of
from estimators.approximation_rows import Row

COLUMNS = 3
# Okabe and Ito's colour-blind safe palette.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#999999", "#000000")
MARKERS = "os^Dv<>P"


def draw(rows: Sequence[Row], length: int, path: Path) -> None:
    """One log-log panel for each target and norm: certified errors, the width, and the least bounds dotted."""
    groups = grouped(rows)
    columns = min(COLUMNS, len(groups))
    count = -(-len(groups) // columns)
    figure, panels = plt.subplots(count, columns, squeeze=False, figsize=(4.9 * columns + 2.2, 3.9 * count))
    figure.set_layout_engine("constrained")
    for axes in panels.flat[len(groups) :]:
        axes.set_axis_off()
    names = list(dict.fromkeys(row.encoding for row in rows))
    for ((target, norm), group), axes in zip(groups.items(), panels.flat, strict=False):
        _panel(axes, group, names, title_of(target, norm, length))
    handles = [
        Line2D([], [], color=COLOURS[i % 8], marker=MARKERS[i % 8], markersize=5, markerfacecolor="none", label=name)
        for i, name in enumerate(names)
    ]
    handles.append(Line2D([], [], color="black", linestyle="--", label="width of the class"))
    handles.append(Line2D([], [], color="#555555", linestyle=":", label="least bound (colour of encoding)"))
    if any(row.with_constant for row in rows):
        handles.append(Line2D([], [], color="#555555", linestyle="-.", label="infinite; with a constant added"))
    figure.legend(handles=handles, loc="outside right upper", fontsize=8, frameon=False)
    try:
        figure.savefig(path, dpi=140)
    finally:
        plt.close(figure)


def _panel(axes: Axes, rows: Sequence[Row], names: Sequence[str], title: str) -> None:
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    every = sorted({row.channels for row in rows})
    for index, name in enumerate(names):
        style = {"color": COLOURS[index % 8], "linewidth": 1.2}
        own = [row for row in rows if row.encoding == name]
        errors = [row.with_constant or row.error for row in own]
        seen = [(row.channels, one) for row, one in zip(own, errors, strict=True) if 0 < one.upper < math.inf]
        n, high = [k for k, _ in seen], [one.upper for _, one in seen]
        low = [max(one.lower, 1e-3 * one.upper) for _, one in seen]
        dash = "-." if any(row.with_constant for row in own) else "-"
        # Hollow markers of falling size show curves that coincide.
        size = max(9 - index, 3)
        axes.plot(n, high, dash, marker=MARKERS[index % 8], markersize=size, markerfacecolor="none", **style)
        axes.vlines(n, low, high, color=COLOURS[index % 8], linewidth=3, alpha=0.5)
        bounded = [(row.channels, row.bounds[row.tightest]) for row in own if row.tightest]
        axes.plot([k for k, _ in bounded], [value for _, value in bounded], linestyle=":", **style)
    by_count = {row.channels: row.width for row in rows if row.width > 0}
    axes.plot(list(by_count), list(by_count.values()), "--", color="black", linewidth=1.2)
    finite = np.array([row.error.upper for row in rows if 0 < row.error.upper < math.inf])
    if finite.size:
        # Bounds far outside the errors would squeeze them.
        axes.set_ylim(max(finite.min() * 0.5, 1e-17), max(finite.max(), *by_count.values(), 0.0) * 3)
    axes.set_xticks(every, [str(n) for n in every])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(alpha=0.3)
    axes.set_xlabel("channels n")
    axes.set_title(title, fontsize=9)
