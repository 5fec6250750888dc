"""Additive encodings given by a table of numbers instead of a formula."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import sympy as sp

from theory.encodings.base import AbstractAdditiveEncoding, Beyond, require_number
from theory.encodings.exact import Table


@dataclass(frozen=True, kw_only=True)
class AbstractTableEncoding(AbstractAdditiveEncoding):
    """p(t) is row t of a table (train_length x dim).

    At a fraction between two rows (rule `rescale`) it is their linear interpolation; outside the table
    nothing is defined, so there is no rule `extend` and the default is `refuse`.
    """

    rules: ClassVar[tuple[str, ...]] = ("clip", "rescale", "refuse")
    beyond: Beyond = "refuse"

    @abstractmethod
    def table(self) -> Table:
        """The exact table, train_length rows of dim entries."""

    def feature(self, t: Any, k: int) -> sp.Expr:
        t, k, rows = require_number(self, t), self._channel(k), self.table()
        if not 0 <= t <= self.train_length - 1:
            raise ValueError(f"{self.name} has positions 0 to {self.train_length - 1}, got {t}: use beyond=clip")
        below = int(t.p // t.q)
        if t.q == 1:
            return rows[below][k]
        weight = t - below
        return (1 - weight) * rows[below][k] + weight * rows[below + 1][k]


def generic_table_properties(dim: int, train_length: int) -> frozenset[str]:
    """What a table with independent continuous entries has almost surely."""
    independent_rows = {"shift-equivariant"} if dim >= train_length - 1 else set()
    return frozenset({"injective"} | independent_rows)
