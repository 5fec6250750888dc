"""Depth of a network against theorem: the run on the last tokens alone beside the full run, and beside its bound.

The truncated run keeps the codes, rotations, distances and biases that its tokens have in the full run, so only the
older tokens are missing: its first token keeps the additive code of its place, a bias that depends on the query's
position keeps that position. e_0 = 0 therefore. The bound needs no radius and no slope: tails come from the biases and
the measured B of a query, so it holds for every encoding; it is small where the biases are steep.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from estimators.estimate import Estimate
from estimators.network import Positions, embedded, layer_run
from estimators.network_member import Member
from estimators.network_steps import UP, LayerConstants, grown, heads_error, layer_constants, linear
from estimators.verdict import judge_bound
from theory import extrapolation_depth

Array = np.ndarray


@dataclass(frozen=True)
class DepthReport:
    """After layers 0 .. `layer`, at the last position, when the last `kept` of `length` tokens run alone.

    error_measured: largest |x - xt| over sequences. error_bound: by the recursion, from constants of both runs.
    ceiling: largest |x| + |xt|, which needs no theorem: a bound above it says nothing. rounding: of the error; a bound
    below it is undecided. slack: bound over upper end of the error.
    """

    encoding: str
    layer: int
    length: int
    kept: int
    error_measured: float
    error_bound: float
    ceiling: float
    rounding: float
    slack: float
    verdict: str


@dataclass(frozen=True)
class TwoRuns:
    """By layer: the constants of both runs, and the largest |x - xt| of the last position after it over sequences."""

    constants: tuple[LayerConstants, ...]
    errors: tuple[float, ...]


def kept_positions(positions: Positions, kept: int) -> Positions:
    """What the encoding contributes to the last `kept` tokens when they run alone, at their own places."""
    length = positions.table.shape[0]
    cut = length - kept
    return Positions(
        positions.table[cut:],
        positions.bias[:, cut:, cut:],
        positions.cosine[cut:],
        positions.sine[cut:],
        positions.relative[cut : 2 * length - 1 - cut],
    )


def two_runs(member: Member, positions: Positions, inputs: Int[Array, "n T"], kept: int) -> TwoRuns:
    """The full run and that of the last `kept` tokens, layer by layer."""
    network, length = member.network, positions.table.shape[0]
    short = kept_positions(positions, kept)
    x = embedded(network, positions, inputs)
    xt = x[:, length - kept :]
    constants, errors = [], []
    for layer in range(network.queries.shape[0]):
        full = layer_run(network, positions, layer, x)
        truncated = layer_run(network, short, layer, xt) if kept < length else full
        constants.append(layer_constants(network, positions, layer, full, truncated))
        x, xt = full.leaving, truncated.leaving
        errors.append(float(np.linalg.norm(x[:, -1] - xt[:, -1], axis=1).max()))
    return TwoRuns(tuple(constants), tuple(errors))


def depth_report(member: Member, inputs: Int[Array, "n T"], *, kept: Sequence[int]) -> list[DepthReport]:
    """Every layer at the last position, for each number of kept tokens.

    inputs: whole sequences of symbols (n, T); memory grows like n H T^2. ValueError for numbers of kept tokens outside
    1 .. T, lengths that the encoding refuses, and symbols that the network does not know.
    """
    symbols = np.asarray(inputs)
    if symbols.ndim != 2 or 0 in symbols.shape:
        raise ValueError(f"inputs must have shape (n, T), n, T >= 1, got {symbols.shape}: give whole sequences")
    length = symbols.shape[1]
    wrong = [count for count in kept if not (1 <= count <= length and int(count) == count)]
    if wrong or not len(kept):
        raise ValueError(f"kept must name numbers of tokens from 1 to {length}, got {wrong or 'none'}: use {length}")
    positions, rows = member.positions(length), []
    for count in map(int, kept):
        runs = two_runs(member, positions, symbols, count)
        rows += depth_rows(member.specification, length, count, runs)
    return rows


def depth_rows(specification: str, length: int, kept: int, runs: TwoRuns) -> list[DepthReport]:
    """The recursion through the layers, from e_0 = 0, and its value at the last position beside the error there."""
    errors, wrong, rows = np.zeros(kept), np.zeros(kept), []
    for layer, (constants, measured) in enumerate(zip(runs.constants, runs.errors, strict=True)):
        heads = heads_error(constants, errors)
        scale = float(1 / constants.after_gain[-1]) / UP
        point: Any = {"own_error": float(errors[-1]), "heads_error": float(heads[-1]), "mlp_lipschitz": constants.mlp}
        point |= {"first_scale": scale, "second_scale": scale}
        # Rounding of a layer grows in the later ones as any error of a token does. One run has no difference.
        wrong = linear(constants, wrong) + constants.rounding
        rounding = 2 * float(wrong[-1]) if kept < length else 0.0
        found = Estimate(max(0.0, measured - rounding), measured + rounding, 1.0, "two runs in float64")
        judged = judge_bound(extrapolation_depth.pre_norm_step(), point, found)
        rows.append(
            DepthReport(
                encoding=specification,
                layer=layer,
                length=length,
                kept=kept,
                error_measured=measured,
                error_bound=judged.value,
                ceiling=float(constants.ceiling[-1]),
                rounding=rounding,
                slack=judged.slack,
                verdict=judged.verdict,
            )
        )
        errors = np.minimum(grown(constants, errors, heads), constants.ceiling)
    return rows


def rows_as_dicts(rows: Sequence[DepthReport]) -> list[dict[str, Any]]:
    """Rows for JSON."""
    return [dataclasses.asdict(row) for row in rows]
