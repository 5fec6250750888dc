"""The figure of `python -m estimators.extrapolation`: scores against length, one panel for each task."""

import statistics
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from estimators.approximation_figure import COLOURS, MARKERS
from estimators.extrapolation_findings import Row
from estimators.tasks import find_task

COLUMNS = 2


def draw(rows: Sequence[Row], train_length: int, path: Path) -> None:
    """Mean scores with bands of the intervals; chance dotted, the training length dashed."""
    tasks = list(dict.fromkeys(row.task for row in rows))
    names = list(dict.fromkeys(row.encoding for row in rows))
    columns = min(COLUMNS, len(tasks))
    count = -(-len(tasks) // columns)
    figure, panels = plt.subplots(count, columns, squeeze=False, figsize=(4.6 * columns + 2.0, 3.3 * count))
    figure.set_layout_engine("constrained")
    for axes in panels.flat[len(tasks) :]:
        axes.set_axis_off()
    for task, axes in zip(tasks, panels.flat, strict=False):
        _panel(axes, [row for row in rows if row.task == task and row.position_range == "all"], names, train_length)
    handles = [
        Line2D([], [], color=COLOURS[i % 8], marker=MARKERS[i % 8], markersize=5, markerfacecolor="none", label=name)
        for i, name in enumerate(names)
    ]
    handles += [
        Line2D([], [], color="#555555", linestyle=":", label="chance"),
        Line2D([], [], color="#555555", linestyle="--", label="training length"),
    ]
    figure.legend(handles=handles, loc="outside right upper", fontsize=8, frameon=False)
    try:
        figure.savefig(path, dpi=140)
    finally:
        plt.close(figure)


def _panel(axes: Axes, rows: Sequence[Row], names: Sequence[str], train_length: int) -> None:
    task = find_task(rows[0].task.removesuffix("-mixed"))
    lengths = sorted({row.length for row in rows})
    axes.set_xscale("log", base=2)
    for index, name in enumerate(names):
        own = sorted((row for row in rows if row.encoding == name), key=lambda row: row.length)
        at = [row.length for row in own]
        means = [statistics.fmean(row.values) for row in own]
        colour = COLOURS[index % 8]
        axes.plot(
            at, means, color=colour, marker=MARKERS[index % 8], markersize=5, markerfacecolor="none", linewidth=1.2
        )
        low, high = [row.estimate.lower for row in own], [row.estimate.upper for row in own]
        axes.fill_between(at, low, high, color=colour, alpha=0.18, linewidth=0)
    if task.kind == "symbols":
        axes.plot(lengths, [task.chance(n) for n in lengths], color="#555555", linestyle=":", linewidth=1)
    axes.axvline(train_length, color="#555555", linestyle="--", linewidth=1)
    axes.set_ylim(-0.05, 1.05)
    axes.set_xticks(lengths, [str(n) for n in lengths])
    axes.minorticks_off()
    axes.set_xlabel("tokens")
    axes.set_ylabel("accuracy" if task.kind == "symbols" else "variance explained")
    reach = "global" if task.reach is None else f"local, looks back {task.reach}"
    axes.set_title(f"{rows[0].task} ({reach})", fontsize=10)
