"""Sinusoidal encoding of the original Transformer."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import sympy as sp

from theory.encodings.base import AbstractAdditiveEncoding
from theory.encodings.exact import rational


@dataclass(frozen=True, kw_only=True)
class Sinusoidal(AbstractAdditiveEncoding):
    """p_2i(t) = sin(omega_i t), p_2i+1(t) = cos(omega_i t), omega_i = base^(-2i/d), i = 0 .. d/2 - 1, d = dim
    (even).

    `order`: interleaved (the paper) or concatenated (all sines, then all cosines; the frequencies stay the
    same, unlike tensor2tensor's, which divides by d/2 - 1).
    Properties: |p(t)|^2 = d/2; <p(s), p(t)> = sum_i cos(omega_i (s - t)) is Toeplitz; p(t+1) = M p(t) with a
    rotation M; injective on the integers, because (sin t, cos t) is.
    Beyond the training length the formula goes on. Source: Vaswani et al., "Attention Is All You Need", arXiv
    1706.03762.
    """

    name: ClassVar[str] = "sinusoidal"
    base: sp.Rational = field(default=rational(10000))
    order: Literal["interleaved", "concatenated"] = "interleaved"

    def _validate(self) -> None:
        if self.dim % 2:
            raise ValueError(f"dim must be even for sinusoidal, got {self.dim}: use dim={self.dim + 1}")
        self._require(self.base > 1, f"base must be above 1, got {self.base}: use base=10000")

    @property
    def properties(self) -> frozenset[str]:
        return frozenset({"toeplitz", "shift-equivariant", "constant-norm", "injective"})

    def feature(self, t: Any, k: int) -> sp.Expr:
        k = self._channel(k)
        half = self.dim // 2
        pair, cosine = (k // 2, k % 2) if self.order == "interleaved" else (k % half, k // half)
        phase = sp.sympify(t) * self.base ** rational(-2 * pair, self.dim)
        return sp.cos(phase) if cosine else sp.sin(phase)
