"""Attention with linear biases."""

from dataclasses import dataclass
from typing import Any, ClassVar

import sympy as sp

from theory.encodings.base import AbstractBiasEncoding
from theory.encodings.exact import rational


@dataclass(frozen=True, kw_only=True)
class Alibi(AbstractBiasEncoding):
    """b_h(D) = -m_h |D|, m_h = 2^(-8(h+1)/H), h = 0 .. H-1, H = `heads` a power of two.

    For other H the official code takes the slopes of the power of two H' below H, then every other slope of
    2H' heads, from its first. `slope` gives one slope to all heads instead.
    Properties: Toeplitz, injective, monotone; sum_k e^b(k) is finite. Beyond the training length the line
    goes on.
    Source: Press, Smith, Lewis, "Train Short, Test Long", arXiv 2108.12409, and its get_slopes.
    """

    name: ClassVar[str] = "alibi"
    slope: sp.Rational | None = None

    def _validate(self) -> None:
        if self.slope is not None:
            self._require(self.slope > 0, f"slope must be positive, got {self.slope}: use slope=0.5, or encoding none")

    @property
    def properties(self) -> frozenset[str]:
        return frozenset({"toeplitz", "injective", "monotone"})

    def head_slope(self, head: int) -> sp.Expr:
        """m_head, exactly."""
        head = self._head(head)
        if self.slope is not None:
            return self.slope
        below = 1 << (self.heads.bit_length() - 1)
        exponent = (
            rational(8 * (head + 1), below) if head < below else rational(8 * (2 * (head - below) + 1), 2 * below)
        )
        return sp.Integer(2) ** -exponent

    def bias(self, distance: Any, head: int, query: Any = None) -> sp.Expr:
        return -self.head_slope(head) * sp.Abs(sp.sympify(distance))
