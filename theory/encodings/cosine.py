"""Discrete cosine transform, type II."""

from dataclasses import dataclass
from typing import Any, ClassVar

import sympy as sp

from theory.encodings.base import AbstractAdditiveEncoding, orthonormal_properties
from theory.encodings.exact import rational


def cosine_column(t: Any, k: int, length: int) -> sp.Expr:
    """Column k of the orthonormal DCT-II on `length` points at position t."""
    if k == 0:
        return 1 / sp.sqrt(length)
    return sp.sqrt(rational(2, length)) * sp.cos(sp.pi * k * (2 * sp.sympify(t) + 1) / (2 * length))


@dataclass(frozen=True, kw_only=True)
class Cosine(AbstractAdditiveEncoding):
    """p_k(t) = sqrt(2/N) cos(pi k (t + 1/2)/N), p_0 = N^-1/2, N = train_length: the columns of the DCT-II.

    `constant` = false drops k = 0. Columns exist for k < N; further channels are zero.
    Properties: orthonormal columns; injective as soon as k = 1 is in it.
    Beyond the training length `extend` mirrors the code: p(2N - 1 - t) = p(t). Source: Ahmed, Natarajan, Rao
    1974.
    """

    name: ClassVar[str] = "cosine"
    constant: bool = True

    @property
    def properties(self) -> frozenset[str]:
        columns = self.train_length - (not self.constant)
        held = orthonormal_properties(columns, self.dim, self.train_length, centred=not self.constant)
        return held | ({"injective"} if self.dim + (not self.constant) >= 2 else set())

    def feature(self, t: Any, k: int) -> sp.Expr:
        k = self._channel(k) + (not self.constant)
        return sp.Integer(0) if k >= self.train_length else cosine_column(t, k, self.train_length)
