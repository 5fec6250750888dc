"""Drawing of the figures of encodings themselves."""

import numpy as np
from matplotlib.figure import Figure

from estimators.figure_style import GREY, grey, legend_below, line, panels, unique
from estimators.figures_plan import Rows, number, numbers


def tables(rows: Rows) -> Figure:
    """A heat map for each encoding, all with one scale."""
    names = unique([row["encoding"] for row in rows])
    figure, axes = panels(len(names), 4, height=1.75, extra=0.2, sharey=True)
    largest = max(np.abs(numbers(rows, "value")))
    # Few entries are as large as the largest: the scale ends where 99 % of them lie.
    top = float(np.quantile(np.abs(numbers(rows, "value")), 0.99))
    image = None
    for name, panel in zip(names, axes, strict=True):
        own = [row for row in rows if row["encoding"] == name]
        shape = [int(max(numbers(own, word))) + 1 for word in ("position", "channel")]
        table = np.zeros(shape)
        for row in own:
            table[int(number(row, "position")), int(number(row, "channel"))] = number(row, "value")
        image = panel.imshow(table.T, aspect="auto", cmap="RdBu_r", vmin=-top, vmax=top, interpolation="nearest")
        panel.grid(False)
        panel.set_title(f"{name}" + (" (by distance)" if own[0]["kind"] == "relative" else ""))
        panel.set_xticks([0, shape[0] // 2, shape[0] - 1])
    figure.supxlabel("position $t$", fontsize=9)
    figure.supylabel("channel $k$", fontsize=9)
    if image is not None:
        bar = figure.colorbar(image, ax=axes, shrink=0.6, pad=0.01, extend="both" if largest > top else "neither")
        bar.set_label(r"$p_k(t)$, mean $|p(t)|^2 = 1$")
    return figure


def kernels(rows: Rows) -> Figure:
    """Biases of a steep, a middle and a flat head; rotary's mean kernel."""
    heads = unique([row["head"] for row in rows if row["kind"] == "bias"])
    figure, axes = panels(len(heads) + 1, 2, height=2.4, extra=0.5)
    names = unique([row["encoding"] for row in rows if row["kind"] == "bias"])
    for head, panel in zip(heads, axes, strict=False):
        for name in names:
            own = [row for row in rows if (row["encoding"], row["head"], row["kind"]) == (name, head, "bias")]
            every = max(1, len(own) // 8)
            panel.plot(numbers(own, "distance"), numbers(own, "lower"), markevery=every, **line(str(name)))
        panel.set_title(f"bias $b_h(D)$ of head {int(float(head)) + 1} of 8")
        panel.set_ylabel("bias (nats)")
        panel.set_yscale("symlog", linthresh=1.0)
    panel = axes[-1]
    for dash, dim in zip(("-", "--"), unique([row["head"] for row in rows if row["kind"] != "bias"]), strict=False):
        own = [row for row in rows if (row["kind"], row["head"]) == ("mean kernel", dim)]
        changed = {"linestyle": dash, "marker": "", "label": f"$d = {dim}$"}
        panel.plot(numbers(own, "distance"), numbers(own, "lower"), **line("rotary", **changed))
    panel.axhline(0, color=GREY, linewidth=0.8)
    panel.set_title(r"rotary: mean kernel $\frac{2}{d}\sum_j \cos(D\theta_j)$")
    panel.set_ylabel("kernel")
    panel.legend(loc="upper right")
    for panel in axes:
        panel.set_xlabel("distance $D$ (tokens)")
    said = {name: f"{name} (random parameters)" for name in ("t5", "fire")}
    handles = [grey(said.get(str(name), str(name)), **line(str(name))) for name in names]
    legend_below(figure, handles, columns=3)
    return figure
