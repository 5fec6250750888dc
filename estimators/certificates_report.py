"""Summary and figure of `python -m estimators.certificates`, from the rows of its table alone."""

import statistics
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt

from estimators.certificates_table import Row

INTRODUCTION = """# Certified upper ends against attained lower ends

Written by `python -m estimators.certificates` from `{table}` ({count} rows; {made}). Each row of that file is one class
on one sample: both ends of R_hat with their sampling error at {confidence:g}, and the certificate that gave the upper
one. `upper / lower` includes the sampling error of both ends, `upper / attained` only that of the upper end: `attained`
is the mean attained value, an estimate (mean over the draws, corrected by the control variate). The truth lies between;
the ratio says how much is unknown.

The core design has n = 64 and 256 at T = 16 for heads of 8, 16, 64 and 8 x 8 logit parameters, n = 64 for 16 x 16,
n = 1,024 or T = 64 for 16, two layers (d = T = 16, n = 256) without encoding; heads under none, alibi, rotary and
sinusoidal at unit power, on text and on unit-sphere tokens. {missing} `--design-name full` computes the rest.
"""
# Okabe and Ito's colour-blind safe palette, one marker each.
STYLES = (("o", "#0072B2"), ("s", "#E69F00"), ("^", "#009E73"), ("D", "#CC79A7"), ("v", "#D55E00"), ("X", "#56B4E9"))


def _groups(rows: list[Row]) -> dict[tuple[str, str, tuple[float, float]], list[Row]]:
    found: dict[tuple[str, str, tuple[float, float]], list[Row]] = {}
    for row in rows:
        found.setdefault((row.group, row.sample, row.radii), []).append(row)
    order = list(dict.fromkeys(row.group for row in rows))
    return dict(sorted(found.items(), key=lambda item: (order.index(item[0][0]), item[0][1], item[0][2])))


def verdict(rows: list[Row]) -> str:
    """Whether the worst of these rows reaches the target of its radius; empty where none was set."""
    target = rows[0].target
    if target is None:
        return ""
    worst = max(row.ratio_attained for row in rows)
    return f"<= {target:g}: {'met' if worst <= target else 'falls short'}"


def write_summary(rows: list[Row], path: Path, missing: int) -> str:
    """Writes the markdown file, and returns one line for the terminal. missing: cells of the core design not computed
    yet."""
    made = ", ".join(sorted({row.made_with for row in rows}))
    table = path.with_suffix(".csv").name
    left = f"{missing} of its cells are not computed yet: the same command goes on with them." if missing else ""
    lines = [INTRODUCTION.format(table=table, count=len(rows), made=made, confidence=rows[0].confidence, missing=left)]
    lines.append(f"![upper over lower end against the logit radius]({path.with_suffix('.png').name})\n")
    lines.append(
        "| class | sample | value, logit radius | upper / lower: median | worst | upper / attained: median | worst | "
        "target | won most often |"
    )
    lines.append("|---|---|---|---|---|---|---|---|---|")
    verdicts = Counter()
    for (group, sample, (value, logit)), some in _groups(rows).items():
        radii = f"{value:g}, {logit:g}" if value else f"{logit:g}"
        winner = Counter(row.family for row in some).most_common(1)[0][0]
        cells = [group, sample, radii]
        for ratios in ([row.ratio for row in some], [row.ratio_attained for row in some]):
            cells += [f"{statistics.median(ratios):.3g}", f"{max(ratios):.3g}"]
        found = verdict(some)
        verdicts[found.rpartition(": ")[2]] += bool(found)
        lines.append("| " + " | ".join([*cells, found, winner]) + " |")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    met, short = verdicts["met"], verdicts["falls short"]
    return (
        f"{len(rows)} rows in {table}; targets for 16 channels (worst row): {met} met, {short} fall short; see {path}"
    )


def draw(rows: list[Row], path: Path) -> None:
    """Median upper / lower against the logit radius, one line per class, with the range over encodings and sizes."""
    samples = list(dict.fromkeys(row.sample for row in rows))
    figure, panels = plt.subplots(1, len(samples), squeeze=False, sharey=True, figsize=(4.6 * len(samples), 4.2))
    figure.set_layout_engine("constrained")
    names = list(dict.fromkeys(row.group for row in rows if row.kind != "two-layer"))
    for sample, axes in zip(samples, panels[0], strict=True):
        for name, (marker, colour) in zip(names, STYLES, strict=False):
            mine = [row for row in rows if row.group == name and row.sample == sample]
            radii = sorted({row.logit_norm for row in mine})
            ratios = [[row.ratio for row in mine if row.logit_norm == radius] for radius in radii]
            if ratios:
                axes.fill_between(radii, [min(r) for r in ratios], [max(r) for r in ratios], color=colour, alpha=0.12)
                axes.plot(radii, [statistics.median(r) for r in ratios], marker=marker, color=colour, label=name)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_yticks([1, 1.5, 2, 3, 5, 10, 20], ["1", "1.5", "2", "3", "5", "10", "20"])
        axes.minorticks_off()
        axes.set_xticks([0.25, 0.5, 1, 2, 4], ["1/4", "1/2", "1", "2", "4"])
        axes.grid(alpha=0.3)
        axes.set_title(f"{sample}", fontsize=10)
        axes.set_xlabel("logit radius B")
    panels[0][0].set_ylabel("certified upper / lower end, 99 %")
    if names:
        panels[0][0].legend(fontsize=8, frameon=False)
    figure.suptitle("How much is unknown: median over encodings and sizes, shade: range", fontsize=10)
    try:
        figure.savefig(path, dpi=160)
    finally:
        plt.close(figure)
