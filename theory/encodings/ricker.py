"""Ricker (Mexican hat) wavelets."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import sympy as sp

from theory.encodings.base import AbstractAdditiveEncoding
from theory.encodings.exact import rational


@dataclass(frozen=True, kw_only=True)
class Ricker(AbstractAdditiveEncoding):
    """p_k(t) = s^-1/2 psi((x - c)/s), psi(u) = 2/(sqrt 3 pi^(1/4)) (1 - u^2) e^(-u^2/2), x = (t + 1/2)/N, N =
    train_length.

    Centres and widths are dyadic: k + 1 = 2^j + m, c = (m + 1/2)/2^j, s = `width`/2^j.
    Properties: injective for three channels or more (checked, not proved); not orthogonal.
    Beyond the training length the tails go on and vanish. Source: Ricker 1953; as an encoding after Li, arXiv
    2506.06398.
    """

    name: ClassVar[str] = "ricker"
    width: sp.Rational = field(default=rational(1, 4))

    def _validate(self) -> None:
        self._require(self.width > 0, f"width must be positive, got {self.width}: use width=0.25")

    @property
    def properties(self) -> frozenset[str]:
        return frozenset({"injective"} if self.dim >= 3 or self.train_length == 1 else ())

    def feature(self, t: Any, k: int) -> sp.Expr:
        k = self._channel(k)
        level = (k + 1).bit_length() - 1
        shift = k + 1 - (1 << level)
        centre, width = rational(2 * shift + 1, 2 ** (level + 1)), self.width / 2**level
        # One rational slope and offset: u = a t + b, without cancellation between large terms.
        u = sp.sympify(t) / (self.train_length * width) + (rational(1, 2 * self.train_length) - centre) / width
        return 2 / (sp.sqrt(3 * width) * sp.pi ** rational(1, 4)) * (1 - u**2) * sp.exp(-(u**2) / 2)
