"""Drawing of the claims ledger as a table."""

import textwrap
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from estimators.figure_style import WIDTH, unique
from estimators.figures_plan import Rows, number

COLOURS = {"holds": "#009E73", "supported": "#009E73", "refuted": "#0072B2", "supported with a correction": "#A86500"}
WRONG, OPEN = "#D55E00", "#7F7F7F"
WORDS = ("holds", "refuted", "undecided", "violated", "not refuted", "error")
LINE = 0.155  # inches
LETTERS = 60  # of a claim of the source in one line


def ledger(rows: Rows) -> Figure:
    """Above: the source paper's claims with their verdicts; below: all claims of this project by topic."""
    claims = [row for row in rows if row["kind"] == "claim"]
    sources = [row for row in rows if row["kind"] == "source"]
    texts = [textwrap.wrap(str(row["text"]), LETTERS) for row in sources]
    topics = unique([row["topic"] for row in claims])
    upper = LINE * (sum(map(len, texts)) + 0.8 * len(texts) + 3)
    lower = LINE * 1.35 * (len(topics) + 4)
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(WIDTH, upper + lower), height_ratios=[upper, lower], gridspec_kw={"hspace": 0.0}
    )
    figure.subplots_adjust(left=0.01, right=0.99, top=1 - 0.05 / (upper + lower), bottom=0.01)
    _sources(top, sources, texts, upper)
    _topics(bottom, claims, [str(topic) for topic in topics])
    return figure


def _sources(axes: Axes, rows: Rows, texts: list[list[str]], height: float) -> None:
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(height, 0)
    y = LINE
    _line(
        axes, y, ((0.0, "id"), (0.06, "claim of the source paper (paraphrased)"), (0.71, "verdict here")), weight="bold"
    )
    y += 0.9 * LINE
    for row, lines in zip(rows, texts, strict=True):
        axes.axhline(y - 0.55 * LINE, color="#BBBBBB", linewidth=0.6)
        y += 0.4 * LINE
        verdict = str(row["verdict"])
        _line(axes, y, ((0.0, str(row["name"])),), weight="bold")
        axes.text(0.71, y, verdict, color=_colour(verdict), fontsize=8.5, weight="bold", va="center")
        for text in lines:
            _line(axes, y, ((0.06, text),))
            y += LINE
        y += 0.4 * LINE


def _topics(axes: Axes, rows: Rows, topics: list[str]) -> None:
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(len(topics) + 3.4, -0.6)
    words = [word for word in WORDS if any(row["verdict"] == word for row in rows)]
    places = np.linspace(0.42, 0.99, len(words) + 3)
    heads = ["claims", "cases", *words, "median slack"]
    _line(axes, 0.0, ((0.0, "claims of this project by topic"),), weight="bold")
    for x, word in zip(places, heads, strict=True):
        axes.text(x, 0, word, ha="right", va="center", fontsize=8.5, weight="bold", color=_colour(word, "black"))
    for place, topic in enumerate([*topics, "all"], start=1):
        own = [row for row in rows if topic in (row["topic"], "all")]
        axes.axhline(place - 0.5, color="#BBBBBB" if topic != "all" else "black", linewidth=0.6)
        counts = Counter(str(row["verdict"]) for row in own)
        upper = sorted(number(row, "slack") for row in own if row["slack"] is not None and row["form"] == "upper")
        slack = f"{upper[len(upper) // 2]:.3g}" if upper else "-"
        cells = [
            str(len(own)),
            f"{sum(int(number(row, 'cases')) for row in own)}",
            *[str(counts[w] or "-") for w in words],
        ]
        _line(axes, float(place), ((0.0, topic.replace("_", " ")),), weight="bold" if topic == "all" else "normal")
        for x, cell in zip(places, [*cells, slack], strict=True):
            axes.text(x, place, cell, ha="right", va="center", fontsize=8.5)
    notes = (
        "holds, supported: confirmed by numbers, which prove nothing; refuted: a statement kept because it is wrong.",
        "Slack: how many times too weak an upper bound is on its worst case. Every claim is in the CSV of this figure.",
    )
    for line, text in enumerate(notes):
        axes.text(0, len(topics) + 2.0 + 0.85 * line, text, fontsize=7.5, va="center", color="#555555")


def _line(axes: Axes, y: float, cells: tuple[tuple[float, str], ...], weight: str = "normal") -> None:
    for x, text in cells:
        axes.text(x, y, text, fontsize=8.5, va="center", weight=weight)


def _colour(word: str, otherwise: str = OPEN) -> str:
    return WRONG if word in ("violated", "not refuted", "error") else COLOURS.get(word, otherwise)
