"""Drawing of the figures of positional information."""

import math

from matplotlib.figure import Figure

from estimators.figure_style import band, grey, handles, legend_below, line, panels, unique
from estimators.figures_plan import Rows, number, numbers


def by_layer(rows: Rows) -> Figure:
    """Intervals along the residual stream."""
    figure, (panel,) = panels(1, 1, height=3.3)
    names = unique([row["encoding"] for row in rows])
    sites = unique([(row["layer"], row["site"]) for row in rows])
    for name in names:
        own = [row for row in rows if row["encoding"] == name]
        x = [float(sites.index((row["layer"], row["site"]))) for row in own]
        low, high = numbers(own, "lower"), numbers(own, "upper")
        band(panel, x, low, high, str(name))
        panel.plot(x, [(a + b) / 2 for a, b in zip(low, high, strict=True)], **line(str(name), label=str(name)))
    ceiling = math.log(number(rows[0], "positions"))
    panel.axhline(ceiling, color="black", linestyle="--", linewidth=1, label=r"$\ln N$")
    panel.set_ylim(-0.03 * ceiling, 1.06 * ceiling)
    panel.set_xticks(range(len(sites)), ["embedded" if layer == 0 else f"layer {layer}" for layer, _ in sites])
    panel.set_ylabel(r"$I(P; H + \sigma Z)$ (nats)")
    noise, count = number(rows[0], "noise"), int(number(rows[0], "positions"))
    panel.set_title(f"random causal network, $N$ = {count} random bits, noise {noise:g} of the root-mean-square")
    panel.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def against_noise(rows: Rows) -> Figure:
    """Left: information; right: the share of the bound that is reached."""
    figure, (left, right) = panels(2, 2, height=3.0, extra=0.5)
    bound = {number(row, "noise"): number(row, "upper") for row in rows if row["encoding"] is None}
    names = unique([row["encoding"] for row in rows if row["encoding"] is not None])
    for name in names:
        own = [row for row in rows if row["encoding"] == name]
        x = numbers(own, "noise")
        for panel, scale in ((left, [1.0] * len(x)), (right, [bound[noise] for noise in x])):
            low, high = ([end / s for end, s in zip(numbers(own, w), scale, strict=True)] for w in ("lower", "upper"))
            band(panel, x, low, high, str(name))
            panel.plot(x, [(a + b) / 2 for a, b in zip(low, high, strict=True)], **line(str(name), markersize=4))
    left.plot(list(bound), list(bound.values()), "--", color="black")
    right.axhline(1, linestyle="--", color="black", linewidth=1.2)
    for panel in (left, right):
        panel.set_xscale("log")
        panel.set_xticks([0.05, 0.1, 0.2, 0.5, 1], ["0.05", "0.1", "0.2", "0.5", "1"])
        panel.minorticks_off()
        panel.set_xlabel(r"noise $\sigma$ (codes of mean square 1)")
    left.set_ylabel(r"$I(P; p_P + \sigma Z)$ (nats)")
    right.set_ylabel("share of the bound")
    count, dim = int(number(rows[0], "positions")), int(number(rows[0], "dim"))
    left.set_title(f"$N$ = {count} positions, $d$ = {dim} channels")
    right.set_title(r"against $\min\{\ln N, \frac{d}{2}\ln(1 + \frac{1}{d\sigma^2})\}$")
    shown = [
        *handles([str(name) for name in names]),
        grey("no code of this power passes it", linestyle="--", color="black"),
    ]
    legend_below(figure, shown, columns=3)
    return figure
