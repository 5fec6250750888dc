"""What `python -m estimators.rademacher` shows: tables on the terminal and the figure of intervals and bounds."""

import math
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from rich.table import Table

from estimators.bracket import Bracket
from estimators.command_line import console
from estimators.estimate import Estimate
from estimators.rademacher_blocks import Block

LOWER_BOUNDS = ("khintchine",)

ROW_HEIGHT = 0.32
INTERVAL_COLOUR = "#000000"
# Okabe and Ito's colour-blind safe palette; one marker each, so that print in grey reads too.
STYLES = {
    "khintchine": (">", "#009E73"),
    "linear": ("o", "#56B4E9"),
    "U1-trivial": ("P", "#999999"),
    "U2-width": ("s", "#0072B2"),
    "U3-contraction": ("^", "#E69F00"),
    "U5-taylor": ("D", "#CC79A7"),
    "covering": ("X", "#D55E00"),
    "U6-bias": ("v", "#009E73"),
    "U6-table": ("v", "#009E73"),
    "U7-depth": ("s", "#0072B2"),
    "covering-depth": ("X", "#D55E00"),
}


def _ends(estimate: Estimate, digits: int = 4) -> str:
    """Both ends rounded outwards, so that what is printed contains what was certified."""
    unit = 10**digits
    low, high = math.floor(estimate.lower * unit) / unit, math.ceil(estimate.upper * unit) / unit
    return f"[{low:.{digits}f}, {high:.{digits}f}]"


def _at_least(value: float) -> str:
    """Three digits, rounded down."""
    if not math.isfinite(value) or value <= 0:
        return f"{value:.3g}"
    unit = 10.0 ** (2 - math.floor(math.log10(value)))
    return f"{math.floor(value * unit) / unit:.3g}"


def show(block: Block, confidence: float, until: float | None = None) -> None:
    """Print the intervals, the verdict on every symbolic bound, the paired differences and how to read them."""
    out = console()
    n, length, dim = block.sample.tokens.shape
    out.print(block.title)
    most = len(block.signs)
    signs = f"all {most} sign classes" if block.enumerated else f"{most} sign draws" + (" at most" if until else "")
    out.print(f"{block.sample.source}: n = {n} sequences of T = {length} tokens, d = {dim}; {signs}")
    for note in block.notes:
        out.print(note)
    out.print(_intervals(block, until))
    verdicts = _verdicts(block.shown)
    if verdicts is not None:
        out.print(verdicts)
    differences = list(block.differences(confidence))
    if differences:
        table = Table(title="Paired differences, same signs", title_justify="left")
        for heading in ("encoding", "minus", "interval", "reads"):
            table.add_column(heading, justify="right" if heading == "interval" else "left", overflow="fold")
        for one, found in differences:
            reads = "larger" if found.lower > 0 else "smaller" if found.upper < 0 else "undecided"
            table.add_row(one.label, one.reference, _ends(found, 5), reads)
        out.print(table)
    out.print(reading(block, confidence, until))
    out.print()


def _intervals(block: Block, until: float | None) -> Table:
    table = Table(title="Empirical Rademacher complexity", title_justify="left")
    headings = ["encoding", "interval", "upper end by", "upper / lower", "sampling ±"] + ["draws"] * bool(until)
    for heading in headings:
        table.add_column(heading, overflow="fold", justify="left" if heading in headings[::2][:2] else "right")
    for label, one in block.shown.items():
        mark = "" if one.suprema.finished else " (budget)"
        low, high = one.estimate.lower, one.estimate.upper
        ratio = math.ceil(1000 * high / low) / 1000 if low > 0 else math.inf if high > 0 else 1.0
        row = [label, _ends(one.estimate), one.certificate + mark, f"{ratio:.3f}" if ratio < 10 else f"{ratio:.1f}"]
        row.append("none" if one.enumerated else f"{one.sampling_halfwidth:.4f}")
        table.add_row(*row, *[str(len(one.suprema.lower))] * bool(until))
    return table


def _verdicts(shown: dict[str, Bracket]) -> Table | None:
    names = list(dict.fromkeys(name for one in shown.values() for name in one.bounds))
    if not names:
        return None
    table = Table(title="Symbolic bounds: how many times too weak (at least), and verdict", title_justify="left")
    table.add_column("encoding", overflow="fold")
    for name in names:
        table.add_column(f"{name} ≤" if name in LOWER_BOUNDS else f"≤ {name}", overflow="fold", justify="right")
    for label, one in shown.items():
        judged = [one.bounds.get(name) for name in names]
        table.add_row(label, *("-" if cell is None else f"{_at_least(cell.slack)} {cell.verdict}" for cell in judged))
    return table


def reading(block: Block, confidence: float, until: float | None = None) -> str:
    """How the intervals, the slacks and the verdicts are to be read."""
    shown = block.shown
    together = max(0.0, 1 - len(shown) * (1 - confidence))
    certain = (
        "with certainty (all sign vectors were enumerated)"
        if block.enumerated
        else f"with confidence {confidence:g}, over the draw of the signs"
        + (f" (all {len(shown)} at once: {together:.3g})" if len(shown) > 1 else "")
    )
    parts = [
        f"How to read it: each interval contains the complexity of the stated class on these sequences {certain}. The "
        "number beside a verdict says how many times too weak the bound is at least. `holds`: confirmed here by "
        "numbers, which is no proof; `violated`: refuted, at that confidence; `undecided`: the interval contains the "
        "bound."
    ]
    left = sum(not one.suprema.finished for one in shown.values())
    if left:
        parts.append(f"{left} searches ran out of budget: valid, but wider (raise --budget).")
    if any(one.certificate not in ("exact", "branch-and-bound") for one in shown.values()):
        parts.append("Where the upper end is a certificate, the truth may lie far below it.")
    if len({len(one.bounds) for one in shown.values()}) > 1:
        parts.append("`-`: the bound does not cover that encoding.")
    if until is not None and not block.enumerated:
        reached = [one.sampling_halfwidth <= until * float(one.suprema.lower.mean()) for one in shown.values()]
        if not all(reached):
            parts.append(
                f"{reached.count(False)} of {len(reached)} did not reach --until-halfwidth {until:g}: valid, but wider "
                "(raise --draws)."
            )
    if block.failed_restarts:
        failed = ", ".join(f"{label} {count}" for label, count in block.failed_restarts.items())
        parts.append(f"Failed restarts of the ascent (NaN or infinity; they gave no number): {failed}.")
    return " ".join(parts)


def draw_figure(blocks: list[Block], path: Path, parameters: dict) -> None:
    """One panel for each block: intervals as bars, symbolic bounds as markers; format from the file's ending."""
    rows = [len(block.shown) for block in blocks]
    height = sum(1.7 + ROW_HEIGHT * count for count in rows)
    figure, panels = plt.subplots(
        len(blocks),
        squeeze=False,
        figsize=(8, height),
        layout="constrained",
        height_ratios=[count + 3 for count in rows],
    )
    for block, axes in zip(blocks, panels[:, 0], strict=True):
        _panel(axes, block, parameters)
    try:
        figure.savefig(path, dpi=160)
    finally:
        plt.close(figure)


def _panel(axes: Axes, block: Block, parameters: dict) -> None:
    shown = block.shown
    for row, one in enumerate(shown.values()):
        low, high = one.estimate.lower, one.estimate.upper
        if high > 0:
            left = max(low, high * 1e-6)
            axes.barh(row, high - left, left=left, height=0.55, color=INTERVAL_COLOUR, zorder=3)
    for name in dict.fromkeys(name for one in shown.values() for name in one.bounds):
        marker, colour = STYLES.get(name, (".", "#999999"))
        points = [(one.bounds[name].value, row) for row, one in enumerate(shown.values()) if name in one.bounds]
        side = "lower bound" if name in LOWER_BOUNDS else "upper bound"
        axes.plot(*zip(*points, strict=True), marker, color=colour, label=f"{name} ({side})", markersize=6, zorder=2)
    axes.set_xscale("log")
    axes.set_yticks(range(len(shown)), list(shown))
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.grid(axis="x", alpha=0.3)
    n, length, dim = block.sample.tokens.shape
    axes.set_xlabel("empirical Rademacher complexity")
    confidence = next(iter(shown.values())).estimate.confidence
    certain = "certain" if confidence == 1 else f"{confidence:.4g} confidence each"
    norms = f"$B_u$ = {parameters['readout_norm']:g}, $B_w$ = {parameters['logit_norm']:g}"
    if block.kind == "transformer":
        norms += f", $\\nu$ = {parameters['value_norm']:g}, {parameters['layers']} layers"
    axes.set_title(
        f"class {block.kind}, n = {n}, T = {length}, d = {dim}, {norms}\nblack bars: certified intervals ({certain})",
        fontsize=10,
    )
    if axes.get_legend_handles_labels()[1]:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8, frameon=False)
