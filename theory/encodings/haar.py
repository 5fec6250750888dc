"""Haar wavelets."""

from dataclasses import dataclass
from typing import Any, ClassVar

import sympy as sp

from theory.encodings.base import AbstractAdditiveEncoding
from theory.encodings.cells import grid_size, level_and_shift, wavelet_properties
from theory.encodings.exact import rational


@dataclass(frozen=True, kw_only=True)
class Haar(AbstractAdditiveEncoding):
    """Haar functions on [0, 1) sampled at x = (t + 1/2)/N, N = train_length, divided by sqrt N:
    h_0 = 1; h_k(x) = 2^(j/2) on [m, m + 1/2) 2^-j, -2^(j/2) on [m + 1/2, m + 1) 2^-j, else 0, where k = 2^j +
    m.

    `constant` = false drops h_0. Let M be the least power of two >= N: functions k >= M are finer than the
    grid, and their channels are zero.
    Properties: whole levels (a power of two of functions) have constant norm; N a power of two: orthonormal
    columns; truncated (fewer than M functions) it is not injective, complete it is. Other N: the samples are
    not orthogonal. Beyond the training length the functions vanish (`extend`).
    Source: Haar 1910; as an encoding after Li, arXiv 2506.06398.
    """

    name: ClassVar[str] = "haar"
    constant: bool = True

    @property
    def properties(self) -> frozenset[str]:
        functions = min(self.dim + (not self.constant), grid_size(self.train_length))
        whole_levels = {"constant-norm"} if functions & (functions - 1) == 0 else set()
        return wavelet_properties(self.dim, self.train_length, self.constant) | whole_levels

    def feature(self, t: Any, k: int) -> sp.Expr:
        k = self._channel(k) + (not self.constant)
        t, length, size = sp.sympify(t), self.train_length, grid_size(self.train_length)
        if k >= size:
            return sp.Integer(0)
        doubled = 2 * t + 1  # 2 N x, so that comparisons with cell borders stay among rationals
        if k == 0:
            return sp.Piecewise((1 / sp.sqrt(length), (doubled >= 0) & (doubled < 2 * length)), (0, True))
        level, shift = level_and_shift(k)
        width = rational(2 * length, 2**level)
        height = sp.sqrt(rational(2**level, length))
        return sp.Piecewise(
            (0, doubled < shift * width),
            (height, doubled < (shift + rational(1, 2)) * width),
            (-height, doubled < (shift + 1) * width),
            (0, True),
        )
