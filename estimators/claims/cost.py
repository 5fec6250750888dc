"""Claims of theory.cost: what an encoding adds to one attention layer. One line per statement."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from estimators.claim import Case, Claim
from estimators.cost import added_share
from theory import cost
from theory.encodings import ENCODINGS, parse
from theory.encodings.base import (
    AbstractAdditiveEncoding,
    AbstractBiasEncoding,
    AbstractRelativeEncoding,
    AbstractRotaryEncoding,
)

SIZES = ((8, 64, 1), (64, 32, 4))  # (length, dim, heads)
FREE = ("length", "dim", "heads")


def _layers(kind: Any, rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Every encoding of the kind in layers of fixed sizes; thorough: of random ones too."""
    names = [name for name in ENCODINGS if isinstance(parse(name, dim=8, train_length=8), kind)]
    more = [(int(rng.integers(2, 65)), int(2 ** rng.integers(3, 7)), int(2 ** rng.integers(0, 3))) for _ in range(18)]
    for length, dim, heads in (*SIZES, *(more if thorough else ())):
        for name in names:
            yield {"encoding": name, "length": length, "dim": dim, "heads": heads}


CLAIMS: dict[str, Claim] = {
    "cost-additive-share": Claim(cost.additive_share, added_share, partial(_layers, AbstractAdditiveEncoding), FREE),
    "cost-bias-share": Claim(cost.bias_share, added_share, partial(_layers, AbstractBiasEncoding), FREE),
    "cost-rotary-share": Claim(cost.rotary_share, added_share, partial(_layers, AbstractRotaryEncoding), FREE),
    "cost-relative-share": Claim(cost.relative_share, added_share, partial(_layers, AbstractRelativeEncoding), FREE),
}
