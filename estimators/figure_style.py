"""One look for all figures: mathtext, no LaTeX, one colour, dash and marker per encoding, intervals as bands.

Hues are colour-blind safe families (Okabe and Ito, Tol) and lightness differs within a family, so that grey print reads
too; dash and marker tell apart what colour does not.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

WIDTH = 7.2  # inches: a page; at half of it the letters are still 4.5 points or more
PIXELS = 200
GREY = "#555555"


class Look(NamedTuple):
    """Of one encoding."""

    colour: str
    dash: Any
    marker: str
    hollow: bool = False


SHORT, LONG, DOTS, MIXED = (0, (3, 1.2)), (0, (6, 1.5)), (0, (1, 1.2)), (0, (5, 1.2, 1, 1.2))
LOOKS: dict[str, Look] = {
    "none": Look("#000000", "-", "o"),
    "sinusoidal": Look("#0072B2", "-", "s"),
    "learned": Look("#7F7F7F", SHORT, "X"),
    "relative": Look("#AA4499", LONG, "P"),
    "rotary": Look("#D55E00", "-", "D"),
    "alibi": Look("#009E73", "-", "^"),
    "t5": Look("#999933", SHORT, "v"),
    "kerple-log": Look("#117733", LONG, "<"),
    "kerple-power": Look("#5AAE61", MIXED, ">"),
    "sandwich": Look("#B8A000", DOTS, "h"),
    "fire": Look("#A50F15", LONG, "p"),
    "haar": Look("#CC79A7", SHORT, "s", True),
    "daubechies": Look("#882255", MIXED, "^", True),
    "ricker": Look("#E8879C", DOTS, "v", True),
    "legendre": Look("#E69F00", "-", "d"),
    "chebyshev": Look("#8C510A", LONG, "D", True),
    "cosine": Look("#56B4E9", SHORT, "o", True),
    "random-orthogonal": Look("#332288", MIXED, "P", True),
    "gaussian": Look("#9970AB", DOTS, "X", True),
    "information-optimal": Look("#2C9C98", LONG, "h", True),
}
# Bounds are grey, those of the literature lighter, and told apart by their markers: hues mean encodings.
OURS, THEIRS = "#333333", "#8A8A8A"
BOUNDS: dict[str, tuple[str, str]] = {
    "khintchine": (">", OURS),
    "linear": ("1", OURS),
    "linear-upper": ("1", OURS),
    "linear-lower": ("2", OURS),
    "U1-trivial": ("P", OURS),
    "U2-width": ("s", OURS),
    "U3-contraction": ("^", OURS),
    "U5-taylor": ("D", OURS),
    "covering": ("X", THEIRS),
    "after-Truong": ("o", THEIRS),
    "after-Trauger-Tewari": ("v", THEIRS),
    "after-Edelman": ("<", THEIRS),
}
PARAMETERS: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "text.usetex": False,
    "mathtext.fontset": "dejavusans",
    "axes.grid": True,
    "grid.alpha": 0.3,
    "grid.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "lines.linewidth": 1.4,
    "lines.markersize": 5,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "positional-encoding-bounds",
}


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib's defaults with the settings above, whatever the user's own are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(PARAMETERS)
        yield


def look(encoding: str) -> Look:
    """Of `NAME[:key=value,...]`: that of its name. ValueError for an unknown one."""
    name = encoding.partition(":")[0]
    if name not in LOOKS:
        raise ValueError(f"no look for the encoding {name!r}: add it to estimators.figure_style.LOOKS")
    return LOOKS[name]


def line(encoding: str, **changed: Any) -> dict[str, Any]:
    """Keywords of `Axes.plot` for an encoding."""
    found = look(encoding)
    face = "white" if found.hollow else found.colour
    return {
        "color": found.colour,
        "linestyle": found.dash,
        "marker": found.marker,
        "markerfacecolor": face,
        "markeredgewidth": 1.0,
    } | changed


def panels(
    count: int, columns: int, *, height: float = 2.4, extra: float = 0.0, **options: Any
) -> tuple[Figure, list[Axes]]:
    """A figure of page width with `count` panels in rows of `columns`; extra: inches more for legends."""
    rows = -(-count // columns)
    figure, axes = plt.subplots(
        rows, columns, squeeze=False, figsize=(WIDTH, height * rows + extra), layout="constrained", **options
    )
    for one in axes.flat[count:]:
        one.set_axis_off()
    return figure, list(axes.flat[:count])


def plain_log(axis: Any) -> None:
    """Plain numbers on a logarithmic axis of few decades, where powers of ten alone would leave one or two."""
    low, high = sorted(axis.get_view_interval())
    if high / low < 300:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 50 else (1, 3)))
        axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())


def band(axes: Axes, x: Sequence[float], lower: Sequence[float], upper: Sequence[float], encoding: str) -> None:
    """Both ends of intervals as a band with a thin edge, so that narrow ones are seen too."""
    top = np.asarray(upper, dtype=float)
    shown = np.where(np.isfinite(top), top, np.nan)
    axes.fill_between(x, lower, shown, color=look(encoding).colour, alpha=0.18, linewidth=0.4)


def legend_below(figure: Figure, handles: Sequence[Any], columns: int = 4) -> None:
    """One legend for all panels, under them."""
    figure.legend(handles=list(handles), loc="outside lower center", ncols=columns, handlelength=2.6, columnspacing=1.2)


def handles(encodings: Sequence[str], **changed: Any) -> list[Line2D]:
    """Legend entries in the given order; `changed` as in `line`."""
    return [Line2D([], [], label=name, **line(name, **changed)) for name in encodings]


def grey(label: str, **options: Any) -> Line2D:
    """A legend entry that is no encoding."""
    return Line2D([], [], label=label, **({"color": GREY, "linewidth": 1.2} | options))


def unique(values: Sequence[Any]) -> list[Any]:
    """In order of first appearance."""
    return list(dict.fromkeys(values))
