"""The other criterion beside approximation: how large a score matrix must be that looks up the next position."""

from dataclasses import dataclass

from estimators.encoding_tables import code
from estimators.estimate import Estimate
from estimators.lookup import least_norm, problem
from theory.encodings import parse
from theory.encodings.base import AbstractAdditiveEncoding

POSITIONS = 32


@dataclass(frozen=True)
class LookUp:
    """norm: least |A|_F with p_i^T A p_(i+1) >= 1 + p_i^T A p_j for all j != i + 1 mod N, for codes of mean power 1;
    None where two positions have one code. N = `positions`, as many channels."""

    encoding: str
    positions: int
    norm: Estimate | None


def look_ups(encodings: list[str], positions: int = POSITIONS) -> list[LookUp]:
    """For additive encodings without a channel number of their own; others are left out."""
    found = []
    for name in encodings:
        one = parse(name, dim=positions, train_length=positions)
        if not isinstance(one, AbstractAdditiveEncoding) or one.dim != positions or one.train_length != positions:
            continue
        table = code(name, positions, positions)
        try:
            norm = least_norm(problem(table, table, [(i + 1) % positions for i in range(positions)]), 2.0)
        except ValueError:
            norm = None
        found.append(LookUp(name, positions, norm))
    return found
