"""Theorems against trained networks: how far the heads can look and do look, and whether every bound on far keys holds.

Head (l, h): the least w with at most 1 % of the attention on distances >= w. Predicted: for all content logits of half
range B, the head's own measured on test sequences, from the biases (theory 5.1, 5.2: exact); only where the biases are
summable (5.3), since otherwise no window works at every length. Seen: from the attention itself, at the worst query of
those sequences. Of the network: 1 + sum_l max_h (w_lh - 1), the receptive field of hard windows of these sizes.
"""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from estimators.network_bounds import NetworkReport, network_report
from estimators.network_member import Member
from theory.encodings.alibi import Alibi
from theory.encodings.base import AbstractEncoding
from theory.encodings.kerple import KerpleLog, KerplePower

SEQUENCES = 4


@dataclass(frozen=True)
class Windows:
    """Of one network: tokens, and the rows of `estimators.network_bounds` they come from."""

    predicted: float | None
    seen: float
    rows: tuple[NetworkReport, ...]


@dataclass(frozen=True)
class BoundCheck:
    """All comparisons of measured tail mass and truncation error with their bounds, of all networks looked at. slack:
    bound over measured, where the measured number is above 1e-6."""

    networks: int
    length: int
    bounds: int
    violated: int
    undecided: int
    least_slack: float | None
    median_slack: float | None


def summable(encoding: AbstractEncoding) -> bool:
    """Whether sum_k e^b(k) is finite in every head, at every length."""
    if encoding.beyond != "extend":
        return False
    if isinstance(encoding, KerpleLog):
        return all(encoding.parameters(head)[0] > 1 for head in range(encoding.heads))
    return isinstance(encoding, Alibi | KerplePower)


def network_windows(member: Member, inputs: np.ndarray) -> Windows:
    """Windows and bounds of a network at the length of `inputs`, on the first four sequences."""
    rows = tuple(network_report(member, np.asarray(inputs)[:SEQUENCES]))
    seen = _field((row.layer, row.horizon_measured) for row in rows)
    if not summable(member.encoding):
        return Windows(None, seen, rows)
    return Windows(_field((row.layer, row.horizon_at_length) for row in rows), seen, rows)


def bound_check(windows: Sequence[Windows]) -> BoundCheck | None:
    """One line over all networks; None if there is none."""
    rows = [row for one in windows for row in one.rows]
    if not rows:
        return None
    ratios = [row.tail_mass_bound / row.tail_mass_measured for row in rows if row.tail_mass_measured > 1e-6]
    ratios += [row.truncation_bound / row.truncation_measured for row in rows if row.truncation_measured > 1e-6]
    verdicts = [row.verdict for row in rows]
    return BoundCheck(
        networks=len(windows),
        length=rows[0].length,
        bounds=len(rows),
        violated=verdicts.count("violated"),
        undecided=verdicts.count("undecided"),
        least_slack=min(ratios, default=None),
        median_slack=statistics.median(ratios) if ratios else None,
    )


def bound_line(found: BoundCheck) -> str:
    """What `bound_check` found, for people."""
    wrong = f"{found.violated} VIOLATED" if found.violated else "none violated"
    open_ = f", {found.undecided} undecided" if found.undecided else ""
    slack = ""
    if found.least_slack is not None:
        slack = f"; bound over measured: median {found.median_slack:.3g}, least {found.least_slack:.4g}"
    return (
        f"Theorems against {found.networks} trained networks at {found.length} tokens: {found.bounds} heads and "
        f"windows, tail mass, truncation error and horizon: {wrong}{open_}{slack}"
    )


def as_rows(windows: Sequence[tuple[str, str, int, Windows]]) -> list[dict[str, Any]]:
    """(task, encoding, seed, windows) for the JSON document: one row for each network."""
    return [
        {"task": task, "encoding": encoding, "seed": seed, "predicted": one.predicted, "seen": one.seen}
        for task, encoding, seed, one in windows
    ]


def _field(windows: Iterable[tuple[int, int]]) -> float:
    widest: dict[int, int] = {}
    for layer, window in windows:
        widest[layer] = max(widest.get(layer, 1), window)
    return 1.0 + sum(window - 1 for window in widest.values())
