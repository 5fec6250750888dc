"""Rotary position embedding (RoPE)."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import sympy as sp

from theory.encodings.base import AbstractRotaryEncoding
from theory.encodings.exact import rational


@dataclass(frozen=True, kw_only=True)
class Rotary(AbstractRotaryEncoding):
    """theta_k = base^(-2k/d), k = 0 .. d/2 - 1, d = dim (even): channel pair k at position t is turned by t
    theta_k, (x, y) -> (x cos - y sin, x sin + y cos).

    `pairing`: interleaved pairs channels (2k, 2k+1) as the paper does; half-split pairs (k, k + d/2) as
    GPT-NeoX and the Hugging Face models do.
    Properties: <R_s q, R_t k> depends on s - t only (Toeplitz); rotations keep norms; injective, because
    theta_0 = 1.
    Beyond the training length the angles go on (`extend`), or positions are interpolated (`rescale`; Chen et
    al. 2023, arXiv 2306.15595, with the last position mapped to the last trained one).
    Source: Su et al., "RoFormer", arXiv 2104.09864.
    """

    name: ClassVar[str] = "rotary"
    rules: ClassVar[tuple[str, ...]] = ("extend", "rescale", "refuse")
    base: sp.Rational = field(default=rational(10000))
    pairing: Literal["interleaved", "half-split"] = "interleaved"

    def _validate(self) -> None:
        if self.dim % 2:
            raise ValueError(f"dim must be even for rotary, got {self.dim}: use dim={self.dim + 1}")
        self._require(self.base > 1, f"base must be above 1, got {self.base}: use base=10000")

    @property
    def properties(self) -> frozenset[str]:
        return frozenset({"toeplitz", "constant-norm", "injective"})

    def angle(self, k: int) -> sp.Expr:
        if not 0 <= k < self.dim // 2:
            raise ValueError(f"rotary has angles 0 to {self.dim // 2 - 1}, got {k}: use dim={2 * k + 2} or more")
        return self.base ** rational(-2 * k, self.dim)

    def pair(self, k: int) -> tuple[int, int]:
        return (2 * k, 2 * k + 1) if self.pairing == "interleaved" else (k, k + self.dim // 2)
