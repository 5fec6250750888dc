"""The figure of `python -m estimators.extrapolation`: scores against length, one panel for each task."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from estimators.extrapolation_findings import Row
from estimators.figure_style import GREY, line, style
from estimators.tasks import find_task

COLUMNS = 2
LOWEST = -0.05  # scores of numbers below it leave the panel, which its title says


def draw(rows: Sequence[Row], train_length: int, path: Path) -> None:
    """Mean scores with bands of the intervals; chance dotted, the training length dashed."""
    tasks = list(dict.fromkeys(row.task for row in rows))
    names = list(dict.fromkeys(row.encoding for row in rows))
    columns = min(COLUMNS, len(tasks))
    count = -(-len(tasks) // columns)
    with style():
        figure, panels = plt.subplots(count, columns, squeeze=False, figsize=(3.6 * columns + 2.4, 2.9 * count))
        figure.set_layout_engine("constrained")
        for axes in panels.flat[len(tasks) :]:
            axes.set_axis_off()
        for task, axes in zip(tasks, panels.flat, strict=False):
            _panel(axes, [row for row in rows if row.task == task and row.position_range == "all"], names, train_length)
        handles = [Line2D([], [], label=name, **look_of(name, names)) for name in names]
        handles += [
            Line2D([], [], color=GREY, linestyle=":", label="chance"),
            Line2D([], [], color=GREY, linestyle="--", label="training length"),
        ]
        figure.legend(handles=handles, loc="outside right upper")
        try:
            figure.savefig(path, dpi=160)
        finally:
            plt.close(figure)


def look_of(encoding: str, names: Sequence[str]) -> dict[str, Any]:
    """The line of an encoding; a second one of the same name, with other options, is dotted and its marker inverted."""
    name = encoding.partition(":")[0]
    same = [one for one in names if one.partition(":")[0] == name]
    found = line(encoding, markersize=4.5, linewidth=1.2)
    if same.index(encoding):
        face = found["color"] if found["markerfacecolor"] == "white" else "white"
        found |= {"linestyle": ":", "markerfacecolor": face}
    return found


def _panel(axes: Axes, rows: Sequence[Row], names: Sequence[str], train_length: int) -> None:
    task = find_task(rows[0].task.removesuffix("-mixed"))
    lengths = sorted({row.length for row in rows})
    axes.set_xscale("log", base=2)
    for name in names:
        own = sorted((row for row in rows if row.encoding == name), key=lambda row: row.length)
        at, look = [row.length for row in own], look_of(name, names)
        axes.plot(at, [statistics.fmean(row.values) for row in own], **look)
        low, high = [row.estimate.lower for row in own], [row.estimate.upper for row in own]
        axes.fill_between(at, low, high, color=look["color"], alpha=0.15, linewidth=0)
    if task.kind == "symbols":
        axes.plot(lengths, [task.chance(n) for n in lengths], color=GREY, linestyle=":", linewidth=1)
    axes.axvline(train_length, color=GREY, linestyle="--", linewidth=1)
    axes.set_ylim(LOWEST, 1.05)
    axes.set_xticks(lengths, [str(n) for n in lengths])
    axes.minorticks_off()
    axes.set_xlabel("tokens")
    axes.set_ylabel("accuracy" if task.kind == "symbols" else "variance explained")
    reach = "global" if task.reach is None else f"local, looks back {task.reach}"
    lost = any(statistics.fmean(row.values) < LOWEST for row in rows)
    axes.set_title(f"{rows[0].task} ({reach}{'; some scores lie below' if lost else ''})")
