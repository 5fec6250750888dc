"""Sandwich: the bias that sinusoidal encodings induce on each other."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import sympy as sp

from theory.encodings.base import AbstractBiasEncoding
from theory.encodings.exact import rational


@dataclass(frozen=True, kw_only=True)
class Sandwich(AbstractBiasEncoding):
    """b_h(D) = (1/rho_h) sum_i cos(D base^(-2i/w)), rho_h = 8(h+1)/H, H = `heads`, w = `width` (even), w/2
    terms.

    The terms are i = first .. first + w/2 - 1: `first` = 0 as in the paper's code (which multiplies
    sinusoidal tables), 1 as in its displayed formula.
    Properties: Toeplitz; injective (Lindemann-Weierstrass: equal sums of cosines at algebraic angles have
    equal angles, hence equal sums of squares D^2 sum omega_i^2); not monotone in general. Beyond: the formula
    goes on.
    Source: Chi, Fan, Rudnicky, Ramadge, "Dissecting Transformer Length Extrapolation via the Lens of
    Receptive Field Analysis", arXiv 2212.10356 (w = 128, base 10000).
    """

    name: ClassVar[str] = "sandwich"
    undecided: ClassVar[frozenset[str]] = frozenset({"monotone"})
    base: sp.Rational = field(default=rational(10000))
    width: int = 128
    first: int = 0

    def _validate(self) -> None:
        self._require(self.base > 1, f"base must be above 1, got {self.base}: use base=10000")
        if self.width < 2 or self.width % 2:
            raise ValueError(f"width must be even and positive for sandwich, got {self.width}: use width=128")
        self._require(self.first in (0, 1), f"first must be 0 or 1, got {self.first}: use first=0")

    @property
    def properties(self) -> frozenset[str]:
        return frozenset({"toeplitz", "injective"})

    def bias(self, distance: Any, head: int, query: Any = None) -> sp.Expr:
        distance = sp.sympify(distance)
        ratio = rational(8 * (self._head(head) + 1), self.heads)
        terms = range(self.first, self.first + self.width // 2)
        return sp.Add(*[sp.cos(distance * self.base ** rational(-2 * i, self.width)) for i in terms]) / ratio
