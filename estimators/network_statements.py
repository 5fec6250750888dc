"""Which theorem on all lengths applies to a head of a network: summable biases keep their attention, others lose it.

Theory 5.3, `theory.extrapolation`. Upper statements count keys before a query only, so they need a causal mask; lower
ones are about the last query, which has no others.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from estimators.network import Positions
from theory import extrapolation
from theory.bound import Bound
from theory.encodings.alibi import Alibi
from theory.encodings.base import AbstractEncoding
from theory.encodings.kerple import KerpleLog, KerplePower
from theory.points import holds

ALIBI, FLAT, HERE = "alibi-tail-mass-any-length", "flat-tail-mass", "tail-mass"
STATEMENTS = {
    ALIBI: extrapolation.alibi_tail_mass_any_length,
    "kerple-power-tail-mass": extrapolation.kerple_power_tail_mass,
    "kerple-log-tail-mass": extrapolation.kerple_log_tail_mass,
    "kerple-log-divergence": extrapolation.kerple_log_divergence,
    FLAT: extrapolation.flat_tail_mass,
}


class Statement(NamedTuple):
    """A name of `theory.extrapolation` and the encoding's own words in it. `tail-mass`: biases that are summable, or
    cannot be told, without a theorem on all lengths here; what holds at one length always does."""

    name: str
    words: Mapping[str, Any]

    @property
    def slope(self) -> float | None:
        """m of ALiBi, None for others."""
        return float(self.words["alibi_slope"]) if "alibi_slope" in self.words else None

    def at(self, **known: Any) -> tuple[Bound, dict[str, Any]] | None:
        """The bound and its words, from the statement's own and `known`; None without one, or where its assumptions
        fail (KERPLE-power: small windows)."""
        if self.name == HERE:
            return None
        bound, words = STATEMENTS[self.name](), {**known, **self.words}
        point = {symbol.name: words[symbol.name] for symbol in bound.symbols}
        return (bound, point) if holds(bound, point) else None


def statement_of(encoding: AbstractEncoding, head: int, positions: Positions) -> Statement:
    """What the theory says of one head at every length."""
    row = positions.bias[head, -1, ::-1]
    causal = row.size == 1 or not np.isfinite(positions.bias[head, 0, 1:]).any()
    if isinstance(encoding, Alibi):
        slope = encoding.head_slope(head)
        straight = np.allclose(row, -float(slope) * np.arange(row.size), rtol=1e-12, atol=0)
        # With `clip` or `rescale` beyond the training length biases are bounded, or depend on the length.
        if straight and causal:
            return Statement(ALIBI, {"alibi_slope": slope})
        return Statement(HERE if straight else FLAT, {})
    if isinstance(encoding, KerpleLog | KerplePower) and encoding.beyond == "extend":
        rate, shape = encoding.parameters(head)
        words = {"kerple_rate": rate, "kerple_shape": shape}
        if isinstance(encoding, KerpleLog) and rate <= 1:
            return Statement("kerple-log-divergence", words)
        name = "kerple-log-tail-mass" if isinstance(encoding, KerpleLog) else "kerple-power-tail-mass"
        return Statement(name, words) if causal else Statement(HERE, {})
    return Statement(FLAT, {})
