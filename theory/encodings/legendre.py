"""Legendre polynomials, continuous and discrete."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import sympy as sp

from theory.encodings.base import AbstractAdditiveEncoding, orthonormal_properties
from theory.encodings.exact import rational


@dataclass(frozen=True, kw_only=True)
class Legendre(AbstractAdditiveEncoding):
    """Polynomials of degree k = 0 .. dim-1 in x = 2t/(N-1) - 1, N = train_length, so that positions fill [-1,
    1].

    `form`: raw P_k(x); normalised sqrt(2k+1) P_k(x), orthonormal for the uniform law on [-1, 1] but not on
    the grid; orthonormal: the discrete (Gram, Chebyshev 1864) polynomials, orthonormal on 0 .. N-1,
    p_k(t) = k! sum_i (-1)^(k-i) C(N-1-i, k-i) C(k+i, k) C(t, i) / sqrt((N+k)! / ((2k+1) (N-k-1)!)),
    which exist for k < N; further channels are zero. `constant` = false drops degree 0.
    Properties: polynomials of degree < d are closed under shifts: shift-equivariant (with the constant);
    degree 1 makes it injective; orthonormal form: orthonormal columns.
    Beyond the training length `extend` grows like (x + sqrt(x^2-1))^k. Source: Szego, "Orthogonal
    Polynomials", section 2.8; as an encoding after Li, arXiv 2506.06398.
    """

    name: ClassVar[str] = "legendre"
    form: Literal["raw", "normalised", "orthonormal"] = "raw"
    constant: bool = True

    def _validate(self) -> None:
        self._require(
            self.train_length >= 2 or self.form == "orthonormal",
            "mapping positions to [-1, 1] needs train_length of at least 2, got 1: use form=orthonormal",
        )

    @property
    def properties(self) -> frozenset[str]:
        held: frozenset[str] = frozenset()
        if self.form == "orthonormal":
            columns = self.train_length - (not self.constant)
            held = orthonormal_properties(columns, self.dim, self.train_length, centred=not self.constant)
        return held | polynomial_properties(self.dim, self.constant)

    def feature(self, t: Any, k: int) -> sp.Expr:
        degree, length = self._channel(k) + (not self.constant), self.train_length
        t = sp.sympify(t)
        if self.form != "orthonormal":
            value = sp.legendre(degree, 2 * t / (length - 1) - 1)
            return sp.sqrt(2 * degree + 1) * value if self.form == "normalised" else value
        if degree >= length:
            return sp.Integer(0)
        terms, falling = [], sp.Integer(1)
        for i in range(degree + 1):
            weight = sp.binomial(length - 1 - i, degree - i) * sp.binomial(degree + i, degree)
            terms.append((-1) ** (degree - i) * weight * falling)
            falling = falling * (t - i) / (i + 1)
        return sp.factorial(degree) * sp.Add(*terms) / sp.sqrt(gram_norm(degree, length))


def gram_norm(degree: int, length: int) -> sp.Rational:
    """sum_t t_k(t)^2 over t = 0 .. N-1 of the discrete Chebyshev polynomial: (N+k)! / ((2k+1) (N-k-1)!)."""
    return rational(sp.ff(length + degree, 2 * degree + 1), 2 * degree + 1)


def polynomial_properties(dim: int, constant: bool) -> frozenset[str]:
    """What the span of the polynomials of degree below dim (or 1 .. dim without the constant) implies."""
    held = {"shift-equivariant"} if constant else set()
    return frozenset(held | ({"injective"} if dim + (not constant) >= 2 else set()))
