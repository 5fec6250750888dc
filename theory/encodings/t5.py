"""T5's bucketed relative bias."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import sympy as sp

from theory.encodings.base import AbstractBiasEncoding, require_number
from theory.encodings.draw import gaussian_table
from theory.encodings.exact import Table, rational


@dataclass(frozen=True, kw_only=True)
class T5(AbstractBiasEncoding):
    """b_h(D) = beta[bucket(D), h], beta (buckets x heads) trainable, drawn i.i.d. N(0, std^2) from `seed`.

    One direction has B = `buckets` (with `bidirectional`: B = buckets/2 for keys up to the query, as many for
    later ones). E = B // 2 buckets hold the distances 0 .. E-1; the others are logarithmic:
    bucket(D) = min(B - 1, E + floor((B - E) log(D/E) / log(max_distance/E))). Without `bidirectional` later
    keys (D < 0) share bucket 0. The floor is taken exactly, by comparing integers.
    Properties: Toeplitz; injective iff every training distance has a bucket of its own.
    Beyond the training length buckets go on, the last one for ever. Source: Raffel et al., arXiv 1910.10683,
    and _relative_position_bucket of its mesh-tensorflow code.
    """

    name: ClassVar[str] = "t5"
    undecided: ClassVar[frozenset[str]] = frozenset({"monotone"})
    buckets: int = 32
    max_distance: int = 128
    bidirectional: bool = False
    std: sp.Rational = field(default=rational(1))
    seed: int = 0

    def _validate(self) -> None:
        least = 4 if self.bidirectional else 2
        self._require(self.buckets >= least, f"buckets must be at least {least}, got {self.buckets}: use buckets=32")
        if self.bidirectional and self.buckets % 2:
            raise ValueError(f"buckets must be even for bidirectional t5, got {self.buckets}: use {self.buckets + 1}")
        exact = self._one_direction // 2
        self._require(
            self.max_distance > exact,
            f"max_distance must exceed {exact}, got {self.max_distance}: use max_distance=128",
        )
        self._require(self.std > 0, f"std must be positive, got {self.std}: use std=1")

    @property
    def _one_direction(self) -> int:
        return self.buckets // 2 if self.bidirectional else self.buckets

    @property
    def properties(self) -> frozenset[str]:
        distinct = len({self.bucket(distance) for distance in range(self.train_length)}) == self.train_length
        return frozenset({"toeplitz", "injective"} if distinct else {"toeplitz"})

    def bucket(self, distance: Any) -> int:
        """The bucket of the distance i - j, exactly."""
        distance = require_number(self, distance)
        later = self.bidirectional and bool(distance < 0)
        distance = abs(distance) if self.bidirectional else max(distance, sp.Integer(0))
        size = self._one_direction
        exact = size // 2
        if distance < exact:
            index = int(distance.p // distance.q)
        else:
            ratio, end, steps = distance / exact, rational(self.max_distance, exact), size - exact
            index = exact
            # floor(steps log(ratio)/log(end)) >= n  iff  ratio^steps >= end^n.
            while index < size - 1 and ratio**steps >= end ** (index - exact + 1):
                index += 1
        return index + size * later

    def table(self) -> Table:
        """beta: one row per bucket, one column per head."""
        return gaussian_table(self.name, self.seed, self.buckets, self.heads, self.std)

    def bias(self, distance: Any, head: int, query: Any = None) -> sp.Expr:
        return self.table()[self.bucket(distance)][self._head(head)]
