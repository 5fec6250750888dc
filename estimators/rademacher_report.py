"""What `python -m estimators.rademacher` shows: tables on the terminal and the figure of intervals and bounds."""

from pathlib import Path

import matplotlib.pyplot as plt
from rich.table import Table

from estimators.bracket import Bracket
from estimators.command_line import console
from estimators.estimate import Estimate
from estimators.samples import Sample

ROW_HEIGHT = 0.32
MARKERS = {"khintchine": "|", "U2-width": "s", "U3-contraction": "^", "U5-taylor": "D", "covering": "X"}
MARKERS |= {"linear": "o", "U1-trivial": "P"}


def _ends(estimate: Estimate, digits: int = 4) -> str:
    return f"[{estimate.lower:.{digits}f}, {estimate.upper:.{digits}f}]"


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
        intervals.add_column(heading, justify="left" if heading in ("encoding", "upper end by") else "right")
    for label, one in shown.items():
        mark = "" if one.suprema.finished else " (budget)"
        intervals.add_row(
            label,
            _ends(one.estimate),
            one.certificate + mark,
            f"{one.optimisation_gap:.2%}",
            f"{one.sampling_halfwidth:.4f}",
        )
    out.print(intervals)
    bounds = next(iter(shown.values())).bounds
    verdicts = Table(title="Symbolic bounds: at least how many times too weak, and verdict", title_justify="left")
    verdicts.add_column("encoding")
    for name in bounds:
        verdicts.add_column(name, justify="right")
    for label, one in shown.items():
        cells = [f"{judged.slack:.3g} {judged.verdict}" for judged in one.bounds.values()]
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
    """One sentence on what the intervals do and do not say."""
    certain = "with certainty" if enumerated else f"with confidence {confidence:g} each, over the draw of the signs"
    left = sum(not one.suprema.finished for one in shown.values())
    budget = f" {left} searches ran out of budget: their intervals are valid but wider (raise --budget)." if left else ""
    return (
        f"How to read it: each interval contains the complexity of this class on these sequences {certain}; a bound that "
        f"`holds` is confirmed here by numbers, not proved, and one that is `violated` is refuted.{budget}"
    )


def draw_figure(shown: dict[str, Bracket], sample: Sample, path: Path, parameters: dict) -> None:
    """Intervals as bars and symbolic bounds as markers on one logarithmic axis; format from the file's ending."""
    names = list(shown)
    figure, axes = plt.subplots(figsize=(8, 1.6 + ROW_HEIGHT * len(names)), layout="constrained")
    for row, one in enumerate(shown.values()):
        low, high = one.estimate.lower, one.estimate.upper
        if high > 0:
            axes.barh(row, high - low, left=max(low, high * 1e-6), height=0.55, color="#0072B2", zorder=3)
    for name in next(iter(shown.values())).bounds:
        values = [one.bounds[name].value for one in shown.values()]
        axes.plot(values, range(len(names)), MARKERS.get(name, "."), label=name, markersize=6, zorder=2)
    axes.set_xscale("log")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    n, length, dim = sample.tokens.shape
    axes.set_xlabel("empirical Rademacher complexity (interval: bar; symbolic bounds: markers)")
    axes.set_title(
        f"{parameters['hypotheses']}: n = {n}, T = {length}, d = {dim}, "
        f"$B_u$ = {parameters['readout_norm']:g}, $B_w$ = {parameters['logit_norm']:g}",
        fontsize=10,
    )
    figure.legend(loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    try:
        figure.savefig(path, dpi=160)
    except ValueError as error:
        raise ValueError(f"cannot write {path}: end the name in .png, .pdf or .svg") from error
    finally:
        plt.close(figure)
