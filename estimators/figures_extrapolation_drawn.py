"""Drawing of the figures of extrapolation."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from estimators.figure_style import GREY, band, grey, handles, legend_below, line, look, panels, unique
from estimators.figures_plan import Rows, number, numbers

LEAST = 1e-16  # smaller masses are not told apart


def tails(rows: Rows) -> Figure:
    """Above: attention beyond a window, steepest and flattest head; below: the movement of the output without it."""
    heads = unique([row["head"] for row in rows])
    chosen = [heads[0], heads[-1]] if len(heads) > 1 else heads
    figure, axes = panels(2 * len(chosen), 2, height=2.5, extra=0.6, sharex=True)
    names = unique([row["encoding"] for row in rows])
    for column, head in enumerate(chosen):
        own = [row for row in rows if row["head"] == head]
        upper, lower = axes[column], axes[column + len(chosen)]
        bound = max(numbers(own, "logit_bound"))
        for panel, word in ((upper, "mass"), (lower, "moved")):
            _curves(panel, own, [str(name) for name in names], word)
        upper.set_title(f"head {int(float(str(head))) + 1}, measured logit bounds up to {bound:.1f}")
        upper.set_ylabel("attention beyond the window")
        lower.set_ylabel("movement of the output")
        lower.set_xlabel("window $w$ (tokens)")
    shown = handles([str(name) for name in names])
    shown += [grey("measured, worst query", marker="o"), grey("theorem at the measured logit bound", linestyle=":")]
    legend_below(figure, shown, columns=4)
    return figure


def _curves(panel: Axes, rows: Rows, names: list[str], word: str) -> None:
    panel.set_xscale("log", base=2)
    panel.set_yscale("log")
    for name in names:
        own = [row for row in rows if row["encoding"] == name]
        w, seen, bound = (numbers(own, one) for one in ("window", word, f"{word}_bound"))
        panel.plot(w, [max(value, LEAST) for value in seen], **line(name, markersize=4))
        panel.plot(w, [max(value, LEAST) for value in bound], ":", color=look(name).colour, linewidth=1.2)
    low, high = panel.get_ylim()
    panel.set_ylim(max(low, LEAST), high)


def accuracy(rows: Rows) -> Figure:
    """Scores against length, one panel per task, local ones first."""
    tasks = sorted(unique([row["task"] for row in rows]), key=lambda task: _reach(rows, task) is None)
    names = unique([row["encoding"] for row in rows])
    figure, axes = panels(len(tasks), 2, height=2.5, extra=0.6, sharey=True)
    for task, panel in zip(tasks, axes, strict=True):
        group = [row for row in rows if row["task"] == task]
        panel.set_xscale("log", base=2)
        for name in names:
            own = [row for row in group if row["encoding"] == name]
            n = numbers(own, "length")
            band(panel, n, numbers(own, "lower"), numbers(own, "upper"), str(name))
            panel.plot(n, numbers(own, "mean"), **line(str(name)))
        chance = {number(row, "length"): number(row, "chance") for row in group}
        panel.plot(list(chance), list(chance.values()), ":", color=GREY)
        panel.axvline(number(group[0], "train_length"), color=GREY, linestyle="--", linewidth=1)
        panel.set_xticks(list(chance), [f"{n:g}" for n in chance])
        panel.xaxis.set_minor_locator(NullLocator())
        reach = _reach(rows, task)
        panel.set_title(f"{task}: " + ("global" if reach is None else f"local, looks back {reach}"))
        panel.set_ylim(-0.03, 1.05)
        panel.set_xlabel("tokens")
    for panel in axes[::2]:
        panel.set_ylabel("accuracy")
    seeds = int(number(rows[0], "seeds"))
    shown = handles([str(name) for name in names])
    shown += [grey("chance", linestyle=":"), grey("training length", linestyle="--", linewidth=1)]
    shown.append(grey(f"band: Student's t, {seeds} seeds", linewidth=6, alpha=0.3))
    legend_below(figure, shown, columns=3)
    return figure


def _reach(rows: Rows, task: object) -> object:
    return next(row["reach"] for row in rows if row["task"] == task)
