"""Relative position vectors of Shaw et al., on the keys."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import sympy as sp

from theory.encodings.base import AbstractRelativeEncoding, require_number
from theory.encodings.draw import gaussian_table
from theory.encodings.exact import Table, rational


@dataclass(frozen=True, kw_only=True)
class Relative(AbstractRelativeEncoding):
    """r(D) = row clip(D, -K, K) + K of a trainable table (2K+1 x dim), K = `clip_distance`, drawn i.i.d. N(0,
    std^2).

    D = i - j is the distance from key j back to query i (Shaw index by j - i: the same table reversed).
    Properties: Toeplitz; injective on the training distances iff K >= train_length - 1.
    Beyond the training length the clipped table goes on (`extend`); `clip` also holds distances at
    train_length - 1.
    Source: Shaw, Uszkoreit, Vaswani, "Self-Attention with Relative Position Representations", arXiv
    1803.02155 (K = 16 in their experiments).
    """

    name: ClassVar[str] = "relative"
    rules: ClassVar[tuple[str, ...]] = ("extend", "clip", "refuse")
    clip_distance: int = 16
    std: sp.Rational = field(default=rational(1, 50))
    seed: int = 0

    def _validate(self) -> None:
        self._require(self.clip_distance >= 0, f"clip_distance must be 0 or more, got {self.clip_distance}")
        self._require(self.std > 0, f"std must be positive, got {self.std}: use std=0.02")

    @property
    def properties(self) -> frozenset[str]:
        return frozenset({"toeplitz", "injective"} if self.clip_distance >= self.train_length - 1 else {"toeplitz"})

    def table(self) -> Table:
        """The exact table; row K + D is the vector of distance D."""
        return gaussian_table(self.name, self.seed, 2 * self.clip_distance + 1, self.dim, self.std)

    def feature(self, offset: Any, k: int) -> sp.Expr:
        offset = require_number(self, offset)
        if offset.q != 1:
            raise ValueError(f"{self.name} is defined at whole offsets, got {offset}: use an integer")
        clipped = max(-self.clip_distance, min(int(offset), self.clip_distance))
        return self.table()[clipped + self.clip_distance][k]
