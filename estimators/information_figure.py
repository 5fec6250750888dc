"""The figure of `python -m estimators.information`: a heat map layer x encoding and curves with bands."""

import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from estimators.figure_style import LOOKS, line
from estimators.information_flow import Row
from estimators.information_report import SHORT, wide

BRIEF = {"after-attention": "att", "attention": "att", "mlp": "mlp", "heads": "heads", "residual": "", "embedded": ""}


def draw(rows: Sequence[Row], length: int, tolerance: float, path: Path) -> None:
    """Above: lower ends as colours, both ends as text, inconclusive ones hatched. Below: both ends along the layers."""
    levels = list(dict.fromkeys(row.found.noise for row in rows))
    encodings = list(dict.fromkeys(row.encoding for row in rows))
    places = list(dict.fromkeys((row.layer, row.site) for row in rows))
    size = max(3.4, 0.62 * len(places) + 1.6) * len(levels) + 2.6, 1.6 + 0.42 * len(encodings) + 3.9
    figure, panels = plt.subplots(
        2, len(levels), squeeze=False, figsize=size, height_ratios=[0.8 + 0.42 * len(encodings), 3.6]
    )
    figure.set_layout_engine("constrained")
    ceiling = math.log(length)
    image = None
    for column, noise in enumerate(levels):
        several = [row for row in rows if row.found.noise == noise]
        image = _map(panels[0, column], several, encodings, places, ceiling, tolerance)
        panels[0, column].set_title(f"noise {noise:g} x root-mean-square", fontsize=9)
        _curves(panels[1, column], several, encodings, places, ceiling)
        if column:
            panels[0, column].set_yticklabels([])
    if image is not None:
        bar = figure.colorbar(image, ax=list(panels[0]), shrink=0.9, pad=0.01)
        bar.set_label("lower end, nats; hatched: inconclusive", fontsize=8)
    handles, labels = panels[1, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right lower", fontsize=8, frameon=False)
    panels[1, 0].set_ylabel("nats; band: the interval")
    try:
        figure.savefig(path, dpi=140)
    finally:
        plt.close(figure)


def _place(layer: int, site: str) -> str:
    brief = BRIEF.get(site, SHORT.get(site, site))
    return f"{layer}\n{brief}" if brief else str(layer)


def _map(
    axes: Axes,
    rows: Sequence[Row],
    encodings: Sequence[str],
    places: Sequence[tuple[int, str]],
    ceiling: float,
    tolerance: float,
) -> AxesImage:
    lower = np.full((len(encodings), len(places)), np.nan)
    for row in rows:
        at = encodings.index(row.encoding), places.index((row.layer, row.site))
        found = row.found.information
        lower[at] = found.lower
        light = found.lower < 0.55 * ceiling
        colour = "white" if light else "black"
        low, high = math.floor(found.lower * 100) / 100, math.ceil(found.upper * 100) / 100
        text = f"{low:.2f}\n{high:.2f}"
        axes.text(at[1], at[0], text, ha="center", va="center", fontsize=6, color=colour, linespacing=0.95)
        if wide(row, tolerance):
            corner = at[1] - 0.5, at[0] - 0.5
            axes.add_patch(Rectangle(corner, 1, 1, fill=False, hatch="//", edgecolor="#999999", alpha=0.6, lw=0))
    image = axes.imshow(lower, aspect="auto", cmap="viridis", vmin=0, vmax=ceiling)
    axes.set_yticks(range(len(encodings)), list(encodings), fontsize=8)
    axes.set_xticks(range(len(places)), [_place(*place) for place in places], fontsize=7)
    return image


def _curves(
    axes: Axes, rows: Sequence[Row], encodings: Sequence[str], places: Sequence[tuple[int, str]], ceiling: float
) -> None:
    for encoding in encodings:
        own = [row for row in rows if row.encoding == encoding]
        x = [places.index((row.layer, row.site)) for row in own]
        low, high = ([getattr(row.found.information, end) for row in own] for end in ("lower", "upper"))
        # Activations of the user's own, or trained networks, have names of their own.
        known = encoding if encoding.partition(":")[0] in LOOKS else "none"
        seen = line(known, markersize=3.5, linewidth=1.6, label=encoding)
        colour = seen["color"]
        axes.fill_between(x, low, high, color=colour, alpha=0.12, linewidth=0)
        axes.plot(x, low, **seen)
        axes.plot(x, high, ":", color=colour, linewidth=0.9)
    axes.axhline(ceiling, color="black", linewidth=0.8, linestyle="--")
    axes.set_ylim(-0.03 * ceiling, 1.05 * ceiling)
    axes.set_xticks(range(len(places)), [_place(*place) for place in places], fontsize=7)
    axes.set_xlabel("layer; solid: lower end, dotted: upper end, dashed: ln N", fontsize=8)
    axes.grid(alpha=0.3)
