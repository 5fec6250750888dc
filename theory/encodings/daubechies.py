"""Daubechies wavelets on a periodic dyadic grid."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import mpmath
import sympy as sp

from theory.encodings.base import AbstractAdditiveEncoding, require_number
from theory.encodings.cells import cell, grid_size, level_and_shift, wavelet_properties
from theory.encodings.exact import Real, rational

DIGITS = 50
BITS = 140


@lru_cache(maxsize=16)
def scaling_filter(order: int) -> tuple[Real, ...]:
    """h_0 .. h_2p-1, p = order: the extremal-phase filter with p vanishing moments and sum sqrt 2, to 50
    digits.

    Spectral factorisation: H(z) = c (1 + z)^p prod (z - z_i), with z_i the roots inside the unit circle of
    sum_{k<p} C(p-1+k, k) y^k at y = (2 - z - 1/z)/4. Coefficients of falling powers of z, as printed by
    Daubechies.
    """
    with mpmath.workdps(2 * DIGITS):
        polynomial = [mpmath.binomial(order - 1 + k, k) for k in reversed(range(order))]
        roots = mpmath.polyroots(polynomial, maxsteps=500, extraprec=400) if order > 1 else []
        coefficients = [mpmath.mpc(1)]
        factors = [mpmath.mpc(-1)] * order
        for y in roots:
            half = 1 - 2 * y
            offset = mpmath.sqrt(half**2 - 1)
            factors.append(min(half + offset, half - offset, key=abs))
        for root in factors:
            shifted = [mpmath.mpc(0), *coefficients]
            coefficients = [a - root * b for a, b in zip([*coefficients, mpmath.mpc(0)], shifted, strict=True)]
        scale = mpmath.sqrt(2) / mpmath.fsum(coefficients)
        return tuple(mpmath.re(scale * c) for c in coefficients)


@lru_cache(maxsize=128)
def prototype(order: int, level: int, depth: int) -> tuple[int, ...]:
    """The wavelet of shift 0 at `level` (-1: the scaling function) on a periodic grid of 2^depth points, in
    units of 2^-140: the periodised cascade s_j+1[n] = sum_m h[n - 2m] s_j[m], begun by s_0 = 1 or by g[n] =
    (-1)^n h[2p-1-n]."""
    with mpmath.workdps(DIGITS):
        low = [int(mpmath.nint(mpmath.ldexp(h, BITS))) for h in scaling_filter(order)]
    high = [(-1) ** n * low[-1 - n] for n in range(2 * order)]
    if level < 0:
        signal, scale = [1 << BITS], 0
    else:
        scale = level + 1
        signal = [0] * (1 << scale)
        for n, g in enumerate(high):
            signal[n % len(signal)] += g
    for _ in range(scale, depth):
        finer = [0] * (2 * len(signal))
        for m, s in enumerate(signal):
            for n, h in enumerate(low):
                finer[(2 * m + n) % len(finer)] += s * h
        signal = [value >> BITS for value in finer]
    return tuple(signal)


@dataclass(frozen=True, kw_only=True)
class Daubechies(AbstractAdditiveEncoding):
    """Columns of the periodised inverse discrete wavelet transform with p = `order` vanishing moments (2 to
    10).

    M = 2^J is the least power of two >= N = train_length. On the periodic grid 0 .. M-1 channel 0 is the
    constant M^-1/2 and channel k = 2^j + m is the wavelet of level j (coarse to fine), shifted by m 2^(J-j),
    from the cascade of
    `prototype`: exact to 40 digits, no interpolation. Position t reads the grid point floor((2t + 1) M /
    (2N)), which is t itself if N = M, times sqrt(M/N). `constant` = false drops channel 0. Channels k >= M do
    not exist and are zero.
    Properties: N a power of two: orthonormal columns, and p discrete vanishing moments away from the
    wrap-around.
    Beyond the training length `extend` goes round the grid (aliases with period N).
    Source: Daubechies 1988, "Orthonormal bases of compactly supported wavelets"; as an encoding after Li,
    arXiv 2506.06398.
    """

    name: ClassVar[str] = "daubechies"
    undecided: ClassVar[frozenset[str]] = frozenset({"injective"})
    order: int = 4
    constant: bool = True

    def _validate(self) -> None:
        self._require(2 <= self.order <= 10, f"order must be 2 to 10, got {self.order}: use order=4, or encoding haar")

    @property
    def properties(self) -> frozenset[str]:
        return wavelet_properties(self.dim, self.train_length, self.constant)

    def grid_value(self, point: int, k: int) -> sp.Rational:
        """Channel k (constant counted as 0) at a point of the periodic grid, exactly as stored."""
        size = grid_size(self.train_length)
        if k >= size:
            return sp.Integer(0)
        depth = size.bit_length() - 1
        level, shift = level_and_shift(k) if k else (-1, 0)
        values = prototype(self.order, level, depth)
        return rational(values[(point - (shift << (depth - level) if k else 0)) % size], 2**BITS)

    def feature(self, t: Any, k: int) -> sp.Expr:
        k = self._channel(k) + (not self.constant)
        t = require_number(self, t)
        scale = sp.sqrt(rational(grid_size(self.train_length), self.train_length))
        return scale * self.grid_value(cell(t, self.train_length), k)
