"""Theorems on far keys against a network: measured tail mass, truncation and horizon of every head, beside the bounds.

The bounds take the measured logit bound B of a head and its biases at the length measured (any encoding); they are
evaluated certified, on the side that cannot flatter them, so a verdict `violated` would refute a theorem or show a
fault. Statements: `theory.extrapolation`.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int

from estimators.claim import overall
from estimators.depth_recursion import SLIP
from estimators.estimate import Estimate, exact
from estimators.network import Positions
from estimators.network_member import Member
from estimators.network_statements import Statement, statement_of
from estimators.network_tails import UP, BiasTails, HeadTails, bias_tails, default_windows, head_tails
from estimators.verdict import Judgement, judge, judge_bound
from theory import extrapolation
from theory.bound import Relation
from theory.encodings.base import AbstractEncoding

TINY = 1e-300  # beyond what underflow hides in a sum


@dataclass(frozen=True)
class NetworkReport:
    """One head and one window w. Measured numbers are the worst over queries and sequences; lengths in tokens.

    logit_bound: half the range of a query's content logits. horizon_predicted: ALiBi under a causal mask, the least w
    that leaves out at most `tolerance` for all |s| <= B and all lengths; None where no such w is known.
    horizon_at_length: the same at this length, from the biases of any encoding. horizon_measured: the least w that did.
    statement, statement_value: what the theory says of all lengths, `estimators.network_statements` (an upper bound of
    tail_mass_measured, or for biases that are not summable a lower one of tail_mass_least). tail_mass_least: the last
    query's, tail_mass_least_bound: its lower bound. truncation_bound: measured mass times value diameter. slack: the
    least ratio of an upper bound to what it bounds, 1 or more where all hold. verdict: of all comparisons.
    """

    encoding: str
    layer: int
    head: int
    statement: str
    statement_value: float | None
    slope: float | None
    length: int
    window: int
    tolerance: float
    logit_bound: float
    value_norm: float
    value_diameter: float
    horizon_predicted: int | None
    horizon_at_length: int
    horizon_measured: int
    tail_mass_measured: float
    tail_mass_bound: float
    tail_mass_least: float
    tail_mass_least_bound: float
    truncation_measured: float
    truncation_bound: float
    slack: float
    verdict: str


COLUMNS = ("layer", "head", "statement", "slope", "length", "window", "logit_bound", "horizon_predicted")
COLUMNS += ("horizon_measured", "tail_mass_measured", "tail_mass_bound", "truncation_measured", "truncation_bound")
COLUMNS += ("slack", "verdict")


def network_report(
    member: Member,
    inputs: Int[np.ndarray, "n T"],
    *,
    tolerance: float = 0.01,
    windows: Sequence[int] | None = None,
) -> list[NetworkReport]:
    """Every layer, head and window of a member on whole sequences of symbols, whatever their length.

    windows: default powers of two and the training length. ValueError for lengths that the encoding refuses, symbols
    that the network does not know, and a tolerance outside (0, 1).
    """
    symbols = np.asarray(inputs)
    if symbols.ndim != 2 or 0 in symbols.shape:
        raise ValueError(f"inputs must have shape (n, T), n, T >= 1, got {symbols.shape}: give whole sequences")
    length = symbols.shape[1]
    if length < 2:
        raise ValueError("inputs have 1 token: give at least 2, or no key is far")
    made = member.positions(length)
    chosen = default_windows(length, member.encoding.train_length) if windows is None else windows
    tails = head_tails(member.network, made, symbols, chosen)
    return report_rows(member.encoding, member.specification, made, tails, tolerance=tolerance)


def report_rows(
    encoding: AbstractEncoding,
    specification: str,
    positions: Positions,
    tails: Sequence[HeadTails],
    *,
    tolerance: float = 0.01,
) -> list[NetworkReport]:
    """Measurements of `estimators.network_tails.head_tails` beside the theorems."""
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance must lie between 0 and 1, got {tolerance}: use 0.01")
    biases = bias_tails(positions)
    statements = [statement_of(encoding, head, positions) for head in range(positions.bias.shape[0])]
    return [
        row for one in tails for row in _head_rows(specification, one, biases, statements[one.head], float(tolerance))
    ]


def mass_curve(one: HeadTails, biases: BiasTails) -> Float64[np.ndarray, " T"]:
    """Upper bounds of `one.masses` at w = 0 .. T-1 in float64, for curves: the rows have certified ones."""
    ratio = biases.largest[one.head]
    with np.errstate(divide="ignore"):
        odds = np.log(ratio) + 2 * one.logit_bound
    return np.append(1.0, 1 / (1 + np.exp(-odds[1:])))


def _head_rows(
    specification: str, one: HeadTails, biases: BiasTails, statement: Statement, tolerance: float
) -> list[NetworkReport]:
    raised = 1 + one.relative_error
    largest = biases.largest[one.head]
    at_length = _horizon(largest * raised, one.logit_bound, tolerance)
    measured = one.horizon(tolerance)
    seen = exact(float(measured), 0.0, "tail sums")
    predicted, judgements = None, [judge(float(at_length), Relation.AT_MOST, seen)]
    if statement.slope is not None:
        point: Any = {
            "alibi_slope": statement.words["alibi_slope"],
            "logit_bound": one.logit_bound,
            "tail_tolerance": tolerance,
        }
        predicted = round(extrapolation.alibi_horizon().certified(**point)[1])
        judgements.append(judge(float(predicted), Relation.AT_MOST, seen))
    rows = []
    for window, moved in zip(one.windows, one.truncations, strict=True):
        upper, lower, truncated, always = _judged(one, biases, window, moved, statement)
        several = [*judgements, upper, lower, truncated, *([always] if always else [])]
        rows.append(
            NetworkReport(
                encoding=specification,
                layer=one.layer,
                head=one.head,
                statement=statement.name,
                statement_value=always.value if always else None,
                slope=statement.slope,
                length=one.length,
                window=window,
                tolerance=tolerance,
                logit_bound=one.logit_bound,
                value_norm=one.value_norm,
                value_diameter=one.value_diameter,
                horizon_predicted=predicted,
                horizon_at_length=at_length,
                horizon_measured=measured,
                tail_mass_measured=float(one.masses[window]),
                tail_mass_bound=upper.value,
                tail_mass_least=float(one.least_masses[window]),
                tail_mass_least_bound=lower.value,
                truncation_measured=moved,
                truncation_bound=truncated.value,
                slack=min(upper.slack, truncated.slack),
                verdict=overall(j.verdict for j in several),
            )
        )
    return rows


def _judged(
    one: HeadTails, biases: BiasTails, window: int, moved: float, statement: Statement
) -> tuple[Judgement, Judgement, Judgement, Judgement | None]:
    """Tail mass from above, that of the last query from below, the truncated output, the statement on all lengths."""
    error = one.relative_error
    mass, ratio = float(one.masses[window]), float(biases.largest[one.head, window])
    found = _mass(mass, error)
    if math.isfinite(ratio):
        point = {"tail_ratio": ratio * (1 + error) + TINY, "logit_bound": one.logit_bound}
        upper = judge_bound(extrapolation.tail_mass_upper(), point, found)
    else:
        upper = judge(1.0, Relation.AT_MOST, found)
    least = _mass(float(one.least_masses[window]), error)
    last = float(biases.last[one.head, window])
    point = {"tail_ratio": last * (1 - error) if math.isfinite(last) else 1 / TINY, "logit_bound": one.logit_bound}
    lower = judge_bound(extrapolation.tail_mass_lower(), point, least)
    always = statement.at(
        logit_bound=one.logit_bound,
        window=window,
        length=one.length,
        bias_oscillation=float(biases.oscillation[one.head]),
    )
    judged = None
    if always is not None:
        judged = judge_bound(*always, found if always[0].relation is Relation.AT_MOST else least)
    slack = error * mass * 2 * one.value_norm + TINY
    # Any number above the diameter serves: so far above it that rounding of an output that attains the bound is inside.
    spread = {"tail_mass": found.upper, "value_diameter": one.value_diameter + 4 * error * one.value_norm}
    distance = Estimate(max(0.0, moved - slack), moved + slack, 1.0, "two outputs in float64")
    return upper, lower, judge_bound(extrapolation.truncation(), spread, distance), judged


def _mass(mass: float, error: float) -> Estimate:
    """A sum of weights with its relative error; what underflow hides is below `TINY`/2."""
    upper = min(1.0, mass * (1 + error) + TINY / 2)
    return Estimate(min(upper, mass * (1 - error)), upper, 1.0, "sums of far weights")


def _horizon(ratios: np.ndarray, logit_bound: float, tolerance: float) -> int:
    """The least w >= 1 at which 1/(1 + e^(-2B)/ratio) <= tolerance; the length leaves out nothing."""
    allowed = math.log(tolerance) - math.log1p(-tolerance) - 2 * logit_bound * UP - SLIP
    with np.errstate(divide="ignore"):
        within = np.flatnonzero(np.log(ratios[1:]) <= allowed)
    return int(within[0]) + 1 if within.size else ratios.size


def table(rows: Sequence[NetworkReport]) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Names and values of the columns that people read; `dataclasses.asdict` of a row has all of them."""
    return COLUMNS, [tuple(dataclasses.asdict(row)[name] for name in COLUMNS) for row in rows]
