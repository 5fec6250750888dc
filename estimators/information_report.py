"""What `python -m estimators.information` shows: one table for each noise, changes along the stream, the document."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from estimators.command_line import console
from estimators.information_flow import Change, Row, changes
from estimators.information_points import disagreement

SHORT = {"embedded": "in", "after-attention": "after attention", "residual": "residual"}


def wide(row: Row, tolerance: float) -> bool:
    """Whether an interval is called inconclusive."""
    return row.found.information.width > tolerance


def advice(row: Row) -> str:
    """What would narrow a wide interval."""
    found = row.found
    if row.law != "sampled":
        return "raise --noise"
    full = found.content_information > 0.8 * found.content_limit
    held = f"content information {'at least ' if full else ''}{found.content_information:.1f} nats"
    if found.method_upper == "ln N" or found.content_information > 3:
        return f"{held}: raise --noise, give more --sequences, or list the inputs (fewer --symbols, shorter --length)"
    return f"{held}: give more --sequences, or list the inputs (fewer --symbols, shorter --length)"


def title(row: Row) -> str:
    """Layer and site in words."""
    return f"{row.layer} {SHORT.get(row.site, row.site)}"


def show(rows: Sequence[Row], length: int, tolerance: float, confidence: float) -> None:
    """Print the tables and how to read them."""
    out = console()
    places = list(dict.fromkeys(title(row) for row in rows))
    for noise in dict.fromkeys(row.found.noise for row in rows):
        table = Table(
            title=f"I_sigma(P; H) in nats, noise {noise:g} x root-mean-square of the site", title_justify="left"
        )
        table.add_column("encoding", overflow="fold")
        for place in places:
            table.add_column(place, justify="right")
        for encoding in dict.fromkeys(row.encoding for row in rows):
            own = {title(row): row for row in rows if row.encoding == encoding and row.found.noise == noise}
            table.add_row(encoding, *(cell(own[place], tolerance) if place in own else "-" for place in places))
        out.print(table)
    for line in (*_optima(rows), *_flow(changes(rows)), *_inconclusive(rows, tolerance), *_impossible(rows)):
        out.print(line)
    out.print(reading(length, tolerance, confidence, len(rows)))


def cell(row: Row, tolerance: float) -> str:
    """Both ends rounded outwards to three decimals, and a question mark where they lie too far apart."""
    found = row.found.information
    low, high = math.floor(found.lower * 1000) / 1000, math.ceil(found.upper * 1000) / 1000
    return f"[{low:.3f} {high:.3f}]{'?' if wide(row, tolerance) else ''}"


def _optima(rows: Sequence[Row]) -> list[str]:
    """Which table keeps most of the position at layer 0, and what none of its power exceeds."""
    lines = []
    for noise in dict.fromkeys(row.found.noise for row in rows):
        several = [(row, row.optimum) for row in rows if row.optimum is not None and row.found.noise == noise]
        if several:
            best, most = max(several, key=lambda one: one[0].found.information.lower)
            lines.append(
                f"Layer 0, noise {noise:g}: most in {best.encoding}, {cell(best, math.inf)}; no table of its power, "
                f"whatever the contents, holds more than {math.ceil(most * 1000) / 1000:.3f}"
            )
    return lines


def _flow(found: Sequence[Change]) -> list[str]:
    """How many steps are certified to rise and to fall, and the largest of each."""
    lines = []
    for sign in ("rises", "falls"):
        several = [(min(abs(one.change.lower), abs(one.change.upper)), one) for one in found if one.sign == sign]
        if several:
            least, most = max(several, key=lambda one: one[0])
            largest = max(abs(most.change.lower), abs(most.change.upper))
            start, to = (f"{layer} {SHORT.get(site, site)}" for layer, site in (most.start, most.to))
            lines.append(
                f"Certified that it {sign}: {len(several)} of {len(found)} steps, most {most.encoding} at noise "
                f"{most.noise:g} from {start} to {to}, by {least:.3f} to {largest:.3f} nats"
            )
    undecided = sum(one.sign == "undecided" for one in found)
    return [*lines, f"Sign undecided: {undecided} of {len(found)} steps"] if found else []


def _inconclusive(rows: Sequence[Row], tolerance: float) -> list[str]:
    several = [row for row in rows if wide(row, tolerance)]
    if not several:
        return []
    worst = max(several, key=lambda row: row.found.information.width)
    return [
        f"? inconclusive, wider than {tolerance:g}: {len(several)} of {len(rows)}. Widest: {worst.encoding}, "
        f"{title(worst)}, noise {worst.found.noise:g}; {advice(worst)}"
    ]


def _impossible(rows: Sequence[Row]) -> list[str]:
    """Point estimates that cannot be: above ln N, negative, or outside an interval."""
    outside: dict[str, int] = {}
    total: dict[str, int] = {}
    for row in rows:
        for name, point in row.points.items():
            total[name] = total.get(name, 0) + 1
            if point.value not in row.found.information:
                outside[name] = outside.get(name, 0) + 1
    return [
        f"Point estimates of {name}: {outside.get(name, 0)} of {total[name]} lie outside the interval" for name in total
    ]


def reading(length: int, tolerance: float, confidence: float, count: int) -> str:
    """How to read the tables."""
    return (
        f"How to read it: P is uniform on {length} positions, ln N = {math.log(length):.3f} nats; H is what the site "
        "holds there, P is to be told from H + sigma Z'. All "
        f"{count} intervals hold together with probability {confidence:g}: the rest is split evenly over encodings, "
        "layers, sites and noises, and half of each share goes to either end. Lower ends: a decoder of the position on "
        "sequences it has not seen, or exact posteriors; upper ends: exact mixtures over groups of contents, "
        "covariances, ln N. Noise is relative to each site: a rise or fall is one of what can be told at that noise. "
        f"A question mark: wider than {tolerance:g}, nothing concluded. Point estimates are no bounds."
    )


def as_document(rows: Sequence[Row], tolerance: float, parameters: dict[str, Any]) -> dict[str, Any]:
    """Everything, numbers unrounded."""
    return {
        "parameters": parameters,
        "results": [_entry(row, tolerance) for row in rows],
        "flow": [_change(one) for one in changes(rows)],
    }


def _entry(row: Row, tolerance: float) -> dict[str, Any]:
    found = row.found
    points = {name: dataclasses.asdict(point) for name, point in row.points.items()}
    for name, point in row.points.items():
        points[name]["inside_interval"] = point.value in found.information
    entry = {
        "encoding": row.encoding,
        "layer": row.layer,
        "site": row.site,
        "noise": found.noise,
        "sigma": found.sigma,
        "inputs": row.law,
        "lower": found.information.lower,
        "upper": found.information.upper,
        "confidence": found.information.confidence,
        "method_lower": found.method_lower,
        "method_upper": found.method_upper,
        "content_information": found.content_information,
        "content_information_at_most": found.content_limit,
        "fano": found.fano,
        "crossed": found.crossed,
        "inconclusive": wide(row, tolerance),
        "points": points,
        "optimum": row.optimum,
        "disagreement": disagreement(row.points) if row.points else [],
    }
    return entry | ({"advice": advice(row)} if wide(row, tolerance) else {})


def _change(one: Change) -> dict[str, Any]:
    places = {word: {"layer": place[0], "site": place[1]} for word, place in (("start", one.start), ("to", one.to))}
    ends = {"lower": one.change.lower, "upper": one.change.upper, "sign": one.sign}
    return {"encoding": one.encoding, "noise": one.noise, **places, **ends}
