"""Kernelised relative biases, logarithmic and power."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import sympy as sp

from theory.encodings.base import AbstractBiasEncoding
from theory.encodings.draw import uniforms
from theory.encodings.exact import rational


@dataclass(frozen=True, kw_only=True)
class _AbstractKerple(AbstractBiasEncoding):
    """r1, r2 > 0 shared by all heads; with `seed` each head draws its own, as the official code initialises
    them."""

    seed: int | None = None

    @property
    def properties(self) -> frozenset[str]:
        return frozenset({"toeplitz", "injective", "monotone"})

    def _drawn(self, head: int) -> tuple[sp.Rational, sp.Rational]:
        """The head's two uniform draws, scale first, rounded up to multiples of 1/1024, hence positive."""
        # SymPy cannot simplify n**(p/q) for the q = 2^53 of a raw draw in reasonable time.
        draws = uniforms(self.name, self.seed or 0, 2 * self.heads)[2 * head : 2 * head + 2]
        return rational(sp.ceiling(1024 * draws[0]), 1024), rational(sp.ceiling(1024 * draws[1]), 1024)


@dataclass(frozen=True, kw_only=True)
class KerpleLog(_AbstractKerple):
    """b_h(D) = -r1 log(1 + r2 |D|), r1, r2 > 0.

    The paper trains r1, r2 per head from r1 ~ U(0, 2), r2 ~ U(0, 1): `seed` draws these; the default is their
    mean, r1 = 1, r2 = 1/2.
    Properties: Toeplitz, injective, monotone; sum_k e^b(k) is finite iff r1 > 1. Beyond: the formula goes on.
    Source: Chi et al., "KERPLE", arXiv 2205.09921, and its ParallelKerpleLog.
    """

    name: ClassVar[str] = "kerple-log"
    r1: sp.Rational = field(default=rational(1))
    r2: sp.Rational = field(default=rational(1, 2))

    def _validate(self) -> None:
        self._require(self.r1 > 0, f"r1 must be positive, got {self.r1}: use r1=1")
        self._require(self.r2 > 0, f"r2 must be positive, got {self.r2}: use r2=0.5")

    def parameters(self, head: int) -> tuple[sp.Rational, sp.Rational]:
        """(r1, r2) of the head."""
        head = self._head(head)
        if self.seed is None:
            return self.r1, self.r2
        first, second = self._drawn(head)
        return rational(2 * first), second

    def bias(self, distance: Any, head: int, query: Any = None) -> sp.Expr:
        r1, r2 = self.parameters(head)
        return -r1 * sp.log(1 + r2 * sp.Abs(sp.sympify(distance)))


@dataclass(frozen=True, kw_only=True)
class KerplePower(_AbstractKerple):
    """b_h(D) = -r1 |D|^r2, r1 > 0, 0 < r2 <= 2 (the range in which the kernel is conditionally positive
    definite).

    The paper trains r1, r2 per head from r1 ~ U(0, 1), r2 ~ U(0, 2): `seed` draws these; the default is their
    mean, r1 = 1/2, r2 = 1.
    Properties: Toeplitz, injective, monotone; sum_k e^b(k) is finite. Beyond: the formula goes on.
    Source: Chi et al., "KERPLE", arXiv 2205.09921, and its ParallelKerplePower.
    """

    name: ClassVar[str] = "kerple-power"
    r1: sp.Rational = field(default=rational(1, 2))
    r2: sp.Rational = field(default=rational(1))

    def _validate(self) -> None:
        self._require(self.r1 > 0, f"r1 must be positive, got {self.r1}: use r1=0.5")
        self._require(0 < self.r2 <= 2, f"r2 must be in (0, 2], got {self.r2}: use r2=1")
        self._require(int(self.r2.q) <= 10**4, f"r2 may have four decimals, got {self.r2}: round it")

    def parameters(self, head: int) -> tuple[sp.Rational, sp.Rational]:
        """(r1, r2) of the head."""
        head = self._head(head)
        if self.seed is None:
            return self.r1, self.r2
        first, second = self._drawn(head)
        return first, rational(2 * second)

    def bias(self, distance: Any, head: int, query: Any = None) -> sp.Expr:
        r1, r2 = self.parameters(head)
        return -r1 * sp.Abs(sp.sympify(distance)) ** r2
