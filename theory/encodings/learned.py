"""Learned absolute positions, at their initialisation."""

from dataclasses import dataclass, field
from typing import ClassVar

import sympy as sp

from theory.encodings.draw import gaussian_table
from theory.encodings.exact import Table, rational
from theory.encodings.table import AbstractTableEncoding, generic_table_properties


@dataclass(frozen=True, kw_only=True)
class Learned(AbstractTableEncoding):
    """p(t) = row t of a trainable table P (train_length x dim), drawn i.i.d. N(0, std^2) from `seed`.

    Properties: injective (almost surely). Undefined beyond the training length: refuse, clip or rescale.
    Source: Gehring et al. 2017 (arXiv 1705.03122); std 0.02 as in Radford et al. 2019 (GPT-2) and BERT.
    """

    name: ClassVar[str] = "learned"
    std: sp.Rational = field(default=rational(1, 50))
    seed: int = 0

    def _validate(self) -> None:
        self._require(self.std > 0, f"std must be positive, got {self.std}: use std=0.02")

    @property
    def properties(self) -> frozenset[str]:
        return generic_table_properties(self.dim, self.train_length)

    def table(self) -> Table:
        return gaussian_table(self.name, self.seed, self.train_length, self.dim, self.std)
