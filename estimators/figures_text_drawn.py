"""Drawing of the figure of loss by position on text."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from estimators.figure_style import GREY, grey, handles, legend_below, look, panels, unique
from estimators.figures_plan import Row, Rows, number

GAP = 0.6  # between the positions of blocks and those of the sliding mode


def by_position(rows: Rows) -> Figure:
    """A panel for each length of window: ranges of positions side by side, means as lines, their intervals as bands."""
    lengths = unique([row["length"] for row in rows])
    figure, axes = panels(len(lengths), 1, height=2.5, extra=0.5, sharey=True)
    names = [str(name) for name in unique([row["encoding"] for row in rows])]
    for length, panel in zip(lengths, axes, strict=True):
        _panel(panel, [row for row in rows if row["length"] == length], names)
        panel.set_title(f"windows of {length} bytes")
    steps, documents = int(number(rows[0], "steps")), int(number(rows[0], "documents"))
    # A line and a band, as in the panels: the means there have no markers.
    shown = [grey(str(one.get_label()), color=one.get_color(), linewidth=3) for one in handles(names)]
    shown.append(grey("training length", linestyle="--", linewidth=1))
    shown.append(grey(f"band: 95 %, {documents} documents; {steps} training steps", linewidth=6, alpha=0.3))
    legend_below(figure, shown, columns=3)
    return figure


def _panel(panel: Axes, rows: Rows, names: list[str]) -> None:
    ranges = unique([(row["mode"], number(row, "first"), number(row, "last")) for row in rows])
    ranges.sort(key=lambda one: (one[0] == "sliding", one[1]))
    places = [place + GAP * (one[0] == "sliding") for place, one in enumerate(ranges)]
    for one, place in zip(ranges, places, strict=True):
        for row in rows:
            if (row["mode"], number(row, "first"), number(row, "last")) == one:
                _step(panel, row, place + (names.index(str(row["encoding"])) - len(names) / 2 + 0.5) * 0.8 / len(names))
    train = number(rows[0], "train_length")
    beyond = [place for one, place in zip(ranges, places, strict=True) if one[1] >= train and one[0] != "sliding"]
    if beyond:
        panel.axvline(min(beyond) - 0.5, color=GREY, linestyle="--", linewidth=1)
    panel.set_xticks(places, [_label(*one) for one in ranges])
    panel.grid(axis="x", visible=False)
    panel.set_xlim(-0.6, places[-1] + 0.6)
    panel.set_xlabel("position in the window (bytes before it)")
    panel.set_ylabel("bits per byte")


def _step(panel: Axes, row: Row, place: float) -> None:
    colour, half = look(str(row["encoding"])).colour, 0.09
    low, high, mean = (number(row, word) for word in ("lower", "upper", "mean"))
    panel.fill_between([place - half, place + half], low, high, color=colour, alpha=0.25, linewidth=0)
    panel.plot([place - half, place + half], [mean] * 2, color=colour, linewidth=2, solid_capstyle="butt")


def _label(mode: str, first: float, last: float) -> str:
    text = f"{first:g}" if first == last else f"{first:g}-{last:g}"
    return f"sliding\n{text}" if mode == "sliding" else text
