"""Drawing of the figures of approximation."""

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from estimators.figure_style import GREY, band, grey, handles, legend_below, line, look, panels, plain_log, unique
from estimators.figures_plan import Rows, number, numbers

TITLES = {
    ("abs", "l2"): "$|x|$: Euclidean error",
    ("abs", "sup"): "$|x|$: largest error",
    ("runge", "sup"): "Runge's $1/(1+25x^2)$: largest error",
    ("ball", "sobolev"): r"worst case over $|\Delta f|_2 \leq 1$",
}


def errors(rows: Rows) -> Figure:
    """A log-log panel for each target and norm."""
    groups = unique([(row["target"], row["norm"]) for row in rows])
    names = unique([row["encoding"] for row in rows])
    figure, axes = panels(len(groups), 2, height=2.7, extra=0.6)
    for (target, norm), panel in zip(groups, axes, strict=True):
        group = [row for row in rows if (row["target"], row["norm"]) == (target, norm)]
        panel.set_xscale("log", base=2)
        panel.set_yscale("log")
        for place, name in enumerate(names):
            own = [row for row in group if row["encoding"] == name and number(row, "upper") < float("inf")]
            if not own:
                continue
            n, low, high = (numbers(own, word) for word in ("channels", "lower", "upper"))
            band(panel, n, [max(a, 1e-3 * b) for a, b in zip(low, high, strict=True)], high, str(name))
            added = any(row["constant_added"] for row in own)
            # Hollow markers of falling size show curves that coincide.
            size = {"markersize": max(9 - place, 3), "markerfacecolor": "none", "linewidth": 0.9 if added else 1.4}
            panel.plot(n, high, **line(str(name), **size))
            bounded = [row for row in own if row["bound"] is not None]
            panel.plot(numbers(bounded, "channels"), numbers(bounded, "bound"), ":", color=look(str(name)).colour)
        width = {number(row, "channels"): number(row, "width") for row in group if number(row, "width") > 0}
        panel.plot(list(width), list(width.values()), "--", color="black", linewidth=1.6)
        counts = sorted({number(row, "channels") for row in group})
        panel.set_xticks(counts, [f"{n:g}" for n in counts])
        panel.xaxis.set_minor_locator(NullLocator())
        panel.set_title(TITLES.get((str(target), str(norm)), f"{target}, {norm}"))
        panel.set_xlabel("channels $n$")
        panel.set_ylabel("error")
        highest = [number(row, "upper") for row in group if number(row, "upper") < float("inf")]
        panel.set_ylim(min(highest) * 0.5, max(*highest, *width.values()) * 3)
        plain_log(panel.yaxis)
    shown = handles([str(name) for name in names], markerfacecolor="none")
    shown.append(grey("width of the class", linestyle="--", color="black", linewidth=1.6))
    shown.append(grey("least bound (colour of encoding)", linestyle=":"))
    legend_below(figure, shown, columns=3)
    return figure


def look_up_norms(rows: Rows) -> Figure:
    """Norms against N on doubly logarithmic axes, with the least one any orthonormal code has."""
    figure, (panel,) = panels(1, 1, height=3.4)
    panel.set_xscale("log", base=2)
    panel.set_yscale("log")
    names = unique([row["encoding"] for row in rows])
    missing = []
    for place, name in enumerate(names):
        own = [row for row in rows if row["encoding"] == name and number(row, "lower") < float("inf")]
        if not own:
            missing.append(name)
            continue
        n, low, high = (numbers(own, word) for word in ("positions", "lower", "upper"))
        band(panel, n, low, high, str(name))
        found = [x for x, top in zip(n, high, strict=True) if top < float("inf")]
        # Hollow markers of falling size show curves that coincide.
        size = {"markersize": max(10 - place, 4), "markerfacecolor": "none"}
        panel.plot(n, low, **line(str(name), label=str(name), **size))
        panel.plot(found, [top for top in high if top < float("inf")], linewidth=0.6, color=look(str(name)).colour)
    sizes = sorted({number(row, "positions") for row in rows})
    panel.set_xticks(sizes, [f"{n:g}" for n in sizes])
    panel.xaxis.set_minor_locator(NullLocator())
    plain_log(panel.yaxis)
    panel.set_xlabel("positions $N$, with as many channels")
    panel.set_ylabel(r"least $|A|_F$ at margin 1 (band: certified)")
    panel.set_title("size of the score matrix that looks up the next position, codes of mean square 1")
    panel.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    if missing:
        text = f"two positions share a code: {', '.join(map(str, missing))}"
        panel.text(0.02, 0.02, text, transform=panel.transAxes, fontsize=8, color=GREY)
    return figure
