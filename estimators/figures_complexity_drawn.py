"""Drawing of the figures of Rademacher complexity."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import NullFormatter, NullLocator

from estimators.figure_style import (
    BOUNDS,
    GREY,
    WIDTH,
    band,
    grey,
    handles,
    legend_below,
    line,
    look,
    panels,
    plain_log,
    unique,
)
from estimators.figures_plan import Row, Rows, number, numbers

LETTERS = {
    "sample_size": "sample size $n$",
    "length": "tokens $T$",
    "logit_norm": "logit norm $B_w$",
    "encoding_scale": "encoding scale $c$",
}
TINY = 1e-12


def _bound(name: str) -> tuple[str, str]:
    return BOUNDS.get(name, (".", GREY))


def brackets(rows: Rows) -> Figure:
    """One line per encoding: its interval as a thick band, every bound as a symbol, all on one logarithmic axis."""
    import matplotlib.pyplot as plt

    names = unique([row["encoding"] for row in rows])
    figure, axes = plt.subplots(figsize=(WIDTH, 0.24 * len(names) + 1.9), layout="constrained")
    bounds = unique([row["name"] for row in rows if row["kind"] == "bound"])
    for place, name in enumerate(names):
        own = [row for row in rows if row["encoding"] == name]
        for row in own:
            if row["kind"] == "interval":
                low, high = max(number(row, "lower"), TINY), number(row, "upper")
                axes.plot([low, high], [place] * 2, color=look(str(name)).colour, linewidth=6, solid_capstyle="butt")
            else:
                marker, colour = _bound(str(row["name"]))
                axes.plot(number(row, "upper"), place, marker, color=colour, markersize=5, markerfacecolor="none")
    axes.set_xscale("log")
    axes.set_yticks(range(len(names)), [str(name) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(r"empirical Rademacher complexity $\hat{\mathfrak{R}}$ of one head, and its bounds")
    shown: list[Any] = [Patch(color=GREY, label="certified interval, 99 % each")]
    for name in bounds:
        marker, colour = _bound(str(name))
        lower = any(row["name"] == name and row["relation"] == ">=" for row in rows)
        label = f"{name} (lower)" if lower else str(name)
        shown.append(
            Line2D([], [], linestyle="none", marker=marker, color=colour, markerfacecolor="none", label=label)
        )
    legend_below(figure, shown, columns=3)
    return figure


def order(rows: Rows) -> Figure:
    """U3 against the truth, with the pairs whose order is reversed; the same encodings side by side."""
    figure, (left, right) = panels(2, 2, height=3.3, extra=0.5)
    truth = {str(row["encoding"]): row for row in rows if row["kind"] == "interval"}
    bound = {str(row["encoding"]): number(row, "upper") for row in rows if row["name"] == "U3-contraction"}
    steps = [name for name in truth if name.startswith("alibi")]
    slopes = [_slope(name) for name in steps]
    band(left, slopes, [number(truth[n], "lower") for n in steps], [number(truth[n], "upper") for n in steps], "alibi")
    ends = [[number(truth[n], end) for n in steps] for end in ("lower", "upper")]
    left.plot(slopes, np.sqrt(np.prod(ends, axis=0)), **line("alibi", label=r"truth $\hat{\mathfrak{R}}$, 99 % band"))
    left.plot(slopes, [bound[n] for n in steps], **line("alibi", linestyle=":", markerfacecolor="white"))
    left.axhspan(
        number(truth["none"], "lower"), number(truth["none"], "upper"), color="black", alpha=0.15, linewidth=0.4
    )
    left.axhline(bound["none"], color="black", linewidth=0.9, linestyle=":")
    left.set_xscale("log", base=2)
    left.set_yscale("log")
    left.set_xlabel("ALiBi slope $m$")
    left.set_ylabel("complexity and bound")
    left.set_xticks(slopes, [name.partition("slope=")[2] for name in steps])
    left.xaxis.set_minor_locator(NullLocator())
    plain_log(left.yaxis)
    left.set_title("as the slope grows, bound and truth move apart")
    for name, row in truth.items():
        marked = line(name, linestyle="", markersize=6)
        low, high = number(row, "lower"), number(row, "upper")
        right.plot([bound[name]] * 2, [low, high], color=look(name).colour, linewidth=3, alpha=0.5)
        right.plot(bound[name], math.sqrt(low * high), **marked)
        if name.startswith("alibi"):
            label, place = f"$m$ = {name.partition('slope=')[2]}", (bound[name], math.sqrt(low * high))
            if _slope(name) < 1:
                right.annotate(label, place, (-6, 0), textcoords="offset points", ha="right", va="center")
            else:  # beside others of nearly the same height
                right.annotate(label, (bound[name], high), (0, 3), textcoords="offset points", ha="center")
    right.set_xscale("log")
    right.set_xlabel("bound U3")
    right.set_ylabel(r"$\hat{\mathfrak{R}}$, certified at 99 %")
    right.set_title(_reversals(truth, bound))
    right.xaxis.set_major_formatter("{x:g}")
    right.xaxis.set_minor_formatter(NullFormatter())
    right.set_xlim(0.2, 2.4)
    right.set_xticks([0.2, 0.3, 0.5, 1, 2])
    names = unique([name.partition(":")[0] for name in truth])
    shown = [one for one in handles(names) if one.get_label() != "alibi"]
    shown.append(Line2D([], [], label=r"alibi (slope $m$)", **line("alibi")))
    shown.append(grey("bound U3 of alibi", **line("alibi", linestyle=":", markerfacecolor="white")))
    shown.append(grey("bound U3 of none", linestyle=":", color="black"))
    legend_below(figure, shown, columns=3)
    return figure


def _slope(name: str) -> float:
    top, _, bottom = name.partition("slope=")[2].partition("/")
    return float(top) / float(bottom or 1)


def _reversals(truth: dict[str, Row], bound: dict[str, float]) -> str:
    pairs = [(a, b) for a in truth for b in truth if bound[a] < bound[b]]
    wrong = [(a, b) for a, b in pairs if number(truth[a], "lower") > number(truth[b], "upper")]
    return f"{len(wrong)} of {len(pairs)} pairs reversed (99 % for each interval)"


def exponents(rows: Rows) -> Figure:
    """One panel per series: brackets as bands, bounds, and the fitted exponent."""
    series = unique([(row["variable"], row["series"], row["note"]) for row in rows])
    figure, axes = panels(len(series), 3, height=2.45)
    names = unique([row["name"] for row in rows if row["kind"] == "bound"])
    encodings = unique([row["encoding"] for row in rows])
    for (variable, kind, note), panel in zip(series, axes, strict=True):
        own = [row for row in rows if (row["variable"], row["series"], row["note"]) == (variable, kind, note)]
        _series(panel, own, str(variable))
        several = unique([row["encoding"] for row in own])
        whose = f"\nbounds of {several[0]}" if len(several) > 1 else ""
        panel.set_title(f"{kind}: {_short(str(note))}{whose}", fontsize=8)
    shown: list[Line2D] = handles([str(name) for name in encodings])
    for name in names:
        marker, colour = _bound(str(name))
        shown.append(grey(str(name), marker=marker, color=colour, linewidth=0.8, markersize=4, linestyle=":"))
    # In the empty places of the last row.
    free = figure.axes[len(series)]
    free.legend(handles=shown, loc="center left", ncols=2, handlelength=2.6).set_in_layout(False)
    return figure


def _short(note: str) -> str:
    words = {"rotations of one sequence, ": "", ", all signs": "", "n =": "$n$ =", "T =": "$T$ =", "d =": "$d$ ="}
    for old, new in (words | {", B_w = 0.25": "", "B_w": "$B_w$"}).items():
        note = note.replace(old, new)
    return note


def _series(panel: Axes, rows: Rows, variable: str) -> None:
    panel.set_xscale("log", base=2)
    panel.set_yscale("log")
    told = []
    for name in unique([row["encoding"] for row in rows]):
        own = [row for row in rows if row["encoding"] == name]
        points = [row for row in own if row["kind"] == "point"]
        x, low, high = (numbers(points, word) for word in ("x", "lower", "upper"))
        band(panel, x, low, high, str(name))
        panel.plot(x, np.sqrt(np.array(low) * np.array(high)), **line(str(name), markersize=4))
        (slope,) = [row for row in own if row["kind"] == "slope"]
        least, most = math.floor(number(slope, "lower") * 100), math.ceil(number(slope, "upper") * 100)
        ends = f"[{least / 100:.2f}, {most / 100:.2f}]"
        told.append((name, ends))
    bounds = [row for row in rows if row["kind"] == "bound" and row["encoding"] == told[0][0]]
    for name in unique([row["name"] for row in bounds]):
        own = [row for row in bounds if row["name"] == name]
        marker, colour = _bound(str(name))
        panel.plot(
            numbers(own, "x"), numbers(own, "upper"), ":", marker=marker, color=colour, linewidth=0.8, markersize=4
        )
    ticks = unique([row["x"] for row in rows if row["kind"] == "point"])
    panel.set_xticks(ticks, [f"{x:g}" for x in ticks])
    panel.xaxis.set_minor_locator(NullLocator())
    panel.set_xlabel(LETTERS[variable])
    text = "\n".join(f"{name}: {ends}" if len(told) > 1 else f"exponent {ends}" for name, ends in told)
    low, high = panel.get_ylim()
    # Room above the curves for the exponents.
    panel.set_ylim(low, high * (high / low) ** (0.1 + 0.09 * len(told)))
    plain_log(panel.yaxis)
    panel.text(0.03, 0.97, text, transform=panel.transAxes, fontsize=7, va="top")
