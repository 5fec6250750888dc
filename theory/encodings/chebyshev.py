"""Chebyshev polynomials."""

from dataclasses import dataclass
from typing import Any, ClassVar

import sympy as sp

from theory.encodings.base import AbstractAdditiveEncoding
from theory.encodings.legendre import polynomial_properties


@dataclass(frozen=True, kw_only=True)
class Chebyshev(AbstractAdditiveEncoding):
    """p_k(t) = T_k(x), x = 2t/(N-1) - 1, N = train_length; `constant` = false drops T_0.

    Properties: shift-equivariant (with the constant) and injective like every polynomial basis; |T_k| <= 1 in
    range; on the uniform grid not orthogonal (it is for the weight (1 - x^2)^-1/2).
    Beyond the training length `extend` grows like (x + sqrt(x^2-1))^k / 2. Source: Trefethen, "Approximation
    Theory and Approximation Practice".
    """

    name: ClassVar[str] = "chebyshev"
    constant: bool = True

    def _validate(self) -> None:
        self._require(
            self.train_length >= 2,
            "mapping positions to [-1, 1] needs train_length of at least 2, got 1: use train_length=2",
        )

    @property
    def properties(self) -> frozenset[str]:
        return polynomial_properties(self.dim, self.constant)

    def feature(self, t: Any, k: int) -> sp.Expr:
        degree = self._channel(k) + (not self.constant)
        return sp.chebyshevt(degree, 2 * sp.sympify(t) / (self.train_length - 1) - 1)
