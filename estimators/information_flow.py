"""Information flow: the change of I_sigma(P; H) from site to site along the residual stream, and its sign.

Noise is relative to the root-mean-square of each site. Attention reads other positions, so I may rise or fall: data
processing bounds only what is done to Z at its own position, after the noise (`theory.information.data_processing`).
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import mpmath
import numpy as np

from estimators.claim import Measurement
from estimators.discrete_channels import DIGITS, around, information, normalised
from estimators.estimate import Estimate
from estimators.information_bracket import Position
from estimators.information_exact import exact_informations
from estimators.information_sites import Inputs, activations
from estimators.network_member import Model, random_member

Sign = Literal["rises", "falls", "undecided"]
STREAM = ("embedded", "after-attention", "residual")  # sites of the residual stream, in the order of a layer


@dataclass(frozen=True)
class Row:
    """One interval: `layer` 0 is what enters the network. law: how the contents were treated.

    optimum: at layer 0 of an additive encoding, what no table of its centred power exceeds, whatever the contents.
    """

    encoding: str
    layer: int
    site: str
    law: str
    found: Position
    points: dict[str, Any]
    optimum: float | None = None


@dataclass(frozen=True)
class Change:
    """I at `to` minus I at `start`, (layer, site) each: certain where both intervals hold."""

    encoding: str
    noise: float
    start: tuple[int, str]
    to: tuple[int, str]
    change: Estimate

    @property
    def sign(self) -> Sign:
        return "rises" if self.change.lower > 0 else "falls" if self.change.upper < 0 else "undecided"


def difference(before: Estimate, after: Estimate) -> Estimate:
    """after - before; confidence by the union bound."""
    confidence = max(before.confidence + after.confidence - 1, 1e-9)
    method = "difference of two intervals"
    return Estimate(after.lower - before.upper, after.upper - before.lower, confidence, method)


def changes(rows: Sequence[Row]) -> list[Change]:
    """Between neighbouring measured sites of the residual stream, by encoding and noise."""
    found = []
    streams: dict[tuple[str, float], list[Row]] = {}
    for row in rows:
        if row.site in STREAM:
            streams.setdefault((row.encoding, row.found.noise), []).append(row)
    for (encoding, noise), several in streams.items():
        several = sorted(several, key=lambda row: (row.layer, STREAM.index(row.site)))
        for before, after in itertools.pairwise(several):
            change = difference(before.found.information, after.found.information)
            found.append(Change(encoding, noise, (before.layer, before.site), (after.layer, after.site), change))
    return found


def layer_information(
    *,
    encoding: str,
    layer: int,
    noise: float,
    symbols: int = 2,
    length: int = 4,
    dim: int = 8,
    heads: int = 2,
    layers: int = 2,
    seed: int = 0,
    confidence: float = 1 - 1e-6,
) -> Measurement:
    """I_sigma after layer `layer` + 1 of a random causal network, all inputs listed; position_information is that of
    `layer`. Symbols are independent and uniform."""
    model = Model(symbols=symbols, outputs=1, dim=dim, layers=layers, heads=heads, mlp_width=2 * dim)
    member = random_member(encoding, model, train_length=length, seed=seed)
    content = Inputs("symbols", length, symbols, seed).all(member.network)
    found = {
        at: exact_informations(np.asarray(held), [noise], confidence=confidence, seed=seed)[0].information
        for at, site, held in activations(member, content, ("residual",), layers)
        if at in (layer, layer + 1)
    }
    before = found[layer]
    parameters = {"position_information": (before.lower, before.upper)}
    return Measurement(found[layer + 1], parameters, member.specification)


def replaced_content(*, channels: Any, replacement: Any) -> Measurement:
    """|I(P; Z|g) - I(P; Z|g')| of a group of channels W_x and the same group with the first one replaced."""
    with mpmath.workdps(DIGITS):
        groups = [[normalised(one) for one in (first, *channels[1:])] for first in (channels[0], replacement)]
        before, after = (information(_mixture(group)) for group in groups)
        parameters = {"position_count": len(channels[0]), "set_size": len(channels)}
        return Measurement(around(abs(before - after)), parameters)


def _mixture(channels: list[list[list[Any]]]) -> list[list[Any]]:
    """Rows (1/M) sum_m W_m(z|p)."""
    rows = zip(*channels, strict=True)
    return [[mpmath.fsum(entries) / len(channels) for entries in zip(*row, strict=True)] for row in rows]
