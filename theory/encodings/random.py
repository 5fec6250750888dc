"""Random tables: orthogonal and Gaussian, the controls for every structured code."""

from dataclasses import dataclass
from typing import ClassVar

import sympy as sp

from theory.encodings.base import orthonormal_properties
from theory.encodings.draw import gaussian_table, orthonormal_table
from theory.encodings.exact import Table, rational
from theory.encodings.table import AbstractTableEncoding, generic_table_properties


@dataclass(frozen=True, kw_only=True)
class RandomOrthogonal(AbstractTableEncoding):
    """A uniformly random train_length x dim table with orthonormal columns (dim <= train_length), or with
    orthonormal rows (dim > train_length), from `seed`.

    `centred` makes the columns orthogonal to the constant too; then dim <= train_length - 1.
    Properties: orthonormal columns (rows: constant norm and Gram matrix I); injective almost surely.
    Undefined beyond the training length: refuse, clip or rescale.
    """

    name: ClassVar[str] = "random-orthogonal"
    centred: bool = False
    seed: int = 0

    def _validate(self) -> None:
        most = self.train_length - 1
        self._require(
            not self.centred or self.dim <= most,
            f"centred columns exist for dim up to train_length-1 = {most}, got {self.dim}: use centred=false",
        )

    @property
    def properties(self) -> frozenset[str]:
        if self.dim > self.train_length:
            return frozenset({"toeplitz", "shift-equivariant", "constant-norm", "injective"})
        held = orthonormal_properties(self.dim, self.dim, self.train_length, centred=self.centred)
        return held | generic_table_properties(self.dim, self.train_length)

    def table(self) -> Table:
        if self.dim > self.train_length:
            columns = orthonormal_table(self.name, self.seed, self.dim, self.train_length, False)
            return tuple(zip(*columns, strict=True))
        return orthonormal_table(self.name, self.seed, self.train_length, self.dim, self.centred)


@dataclass(frozen=True, kw_only=True)
class Gaussian(AbstractTableEncoding):
    """A train_length x dim table of i.i.d. N(0, 1/dim) entries from `seed`: mean power about 1.

    Properties: injective almost surely. Undefined beyond the training length: refuse, clip or rescale.
    """

    name: ClassVar[str] = "gaussian"
    seed: int = 0

    @property
    def properties(self) -> frozenset[str]:
        return generic_table_properties(self.dim, self.train_length)

    def table(self) -> Table:
        # A rational within 2^-40 of dim^-1/2 keeps the table exact.
        std = rational(int(sp.integer_nthroot(2**80 // self.dim, 2)[0]), 2**40)
        return gaussian_table(self.name, self.seed, self.train_length, self.dim, std)
