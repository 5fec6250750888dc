"""What `python -m estimators.rademacher` shows: tables on the terminal and the figure of intervals and bounds."""

import math
from pathlib import Path

import matplotlib.pyplot as plt
from rich.table import Table

from estimators.bracket import Bracket
from estimators.command_line import console
from estimators.estimate import Estimate
from estimators.samples import Sample

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


def show(
    shown: dict[str, Bracket],
    differences: dict[str, Estimate],
    sample: Sample,
    draws: int,
    enumerated: bool,
    confidence: float,
    reference: str,
) -> None:
    """Print the intervals, the verdict on every symbolic bound, the paired differences and how to read them."""
    out = console()
    n, length, dim = sample.tokens.shape
    signs = f"all {draws} sign classes" if enumerated else f"{draws} sign draws"
    out.print(f"{sample.source}: n = {n} sequences of T = {length} tokens, d = {dim}; {signs}")
    intervals = Table(title="Empirical Rademacher complexity", title_justify="left")
    for heading in ("encoding", "interval", "upper end by", "gap", "sampling ±"):
        side = "left" if heading in ("encoding", "upper end by") else "right"
        intervals.add_column(heading, overflow="fold", justify=side)
    for label, one in shown.items():
        mark = "" if one.suprema.finished else " (budget)"
        intervals.add_row(
            label,
            _ends(one.estimate),
            one.certificate + mark,
            f"{one.optimisation_gap:.2%}",
            "none" if one.enumerated else f"{one.sampling_halfwidth:.4f}",
        )
    out.print(intervals)
    bounds = next(iter(shown.values())).bounds
    verdicts = Table(title="Symbolic bounds: how many times too weak (at least), and verdict", title_justify="left")
    verdicts.add_column("encoding", overflow="fold")
    for name in bounds:
        heading = f"{name} ≤" if name in LOWER_BOUNDS else f"≤ {name}"
        verdicts.add_column(heading, overflow="fold", justify="right")
    for label, one in shown.items():
        cells = [f"{_at_least(judged.slack)} {judged.verdict}" for judged in one.bounds.values()]
        verdicts.add_row(label, *cells)
    out.print(verdicts)
    if differences:
        table = Table(title=f"Paired difference to `{reference}`, same signs", title_justify="left")
        for heading in ("encoding", "interval", "reads"):
            table.add_column(heading, justify="right" if heading == "interval" else "left")
        for label, one in differences.items():
            reads = "larger" if one.lower > 0 else "smaller" if one.upper < 0 else "undecided"
            table.add_row(label, _ends(one, 5), reads)
        out.print(table)
    out.print(reading(shown, enumerated, confidence))


def reading(shown: dict[str, Bracket], enumerated: bool, confidence: float) -> str:
    """How the intervals, the slacks and the verdicts are to be read."""
    together = max(0.0, 1 - len(shown) * (1 - confidence))
    certain = (
        "with certainty (all sign vectors were enumerated)"
        if enumerated
        else f"with confidence {confidence:g}, over the draw of the signs"
        + (f" (all {len(shown)} at once: {together:.3g})" if len(shown) > 1 else "")
    )
    left = sum(not one.suprema.finished for one in shown.values())
    budget = f" {left} searches ran out of budget: valid, but wider (raise --budget)." if left else ""
    large = next(iter(shown.values())).certificate not in ("exact", "branch-and-bound")
    wide = " Where the upper end is a certificate, the truth may lie far below it." if large else ""
    return (
        f"How to read it: each interval contains the complexity of the stated class on these sequences {certain}. The "
        "number beside a verdict says how many times too weak the bound is at least. `holds`: confirmed here by "
        "numbers, which is no proof; `violated`: refuted, at that confidence; `undecided`: the interval contains the "
        f"bound.{budget}{wide}"
    )


def draw_figure(shown: dict[str, Bracket], sample: Sample, path: Path, parameters: dict) -> None:
    """Intervals as bars and symbolic bounds as markers on one logarithmic axis; format from the file's ending."""
    names = list(shown)
    figure, axes = plt.subplots(figsize=(8, 1.9 + ROW_HEIGHT * len(names)), layout="constrained")
    for row, one in enumerate(shown.values()):
        low, high = one.estimate.lower, one.estimate.upper
        if high > 0:
            left = max(low, high * 1e-6)
            axes.barh(row, high - left, left=left, height=0.55, color=INTERVAL_COLOUR, zorder=3)
    for name in next(iter(shown.values())).bounds:
        marker, colour = STYLES.get(name, (".", "#999999"))
        values = [one.bounds[name].value for one in shown.values()]
        side = "lower bound" if name in LOWER_BOUNDS else "upper bound"
        axes.plot(values, range(len(names)), marker, color=colour, label=f"{name} ({side})", markersize=6, zorder=2)
    axes.set_xscale("log")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="x", alpha=0.3)
    n, length, dim = sample.tokens.shape
    axes.set_xlabel("empirical Rademacher complexity")
    confidence = next(iter(shown.values())).estimate.confidence
    certain = "certain" if confidence == 1 else f"{confidence:.4g} confidence each"
    axes.set_title(
        f"class {parameters['hypotheses']}, n = {n}, T = {length}, d = {dim}, $B_u$ = {parameters['readout_norm']:g}, "
        f"$B_w$ = {parameters['logit_norm']:g}\nblack bars: certified intervals ({certain})",
        fontsize=10,
    )
    figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    try:
        figure.savefig(path, dpi=160)
    finally:
        plt.close(figure)


def check_figure(path: Path) -> None:
    """ValueError unless the file's ending is a format that can be drawn; call it before long work."""
    if path.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise ValueError(f"cannot draw {path}: end the name in .png, .pdf or .svg")
