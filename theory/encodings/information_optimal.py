"""The encoding that maximises information under a power constraint."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, Literal

import mpmath
import sympy as sp

from theory.encodings.base import AbstractAdditiveEncoding, Beyond
from theory.encodings.cosine import cosine_column
from theory.encodings.exact import Real, rational

DIGITS = 50


@dataclass(frozen=True, kw_only=True)
class InformationOptimal(AbstractAdditiveEncoding):
    """Water-filling over the quietest directions of a noise along the positions.

    Problem. A code P (N x d, N = train_length, d = dim) is read through Y = P w + E, w ~ N(0, I_d) a random
    linear read-out and E ~ N(0, S) noise with covariance S (N x N) along the positions; a constant tells
    positions nothing, so both are centred, Q = I - 11^T/N. Maximise I(w; QY) = (1/2) ln det(I + (QSQ)^+ P
    P^T) over centred P with tr(P P^T) = N, that is mean |p(t)|^2 = 1.
    Solution. By Hadamard's inequality in the eigenbasis (lambda_k, u_k) of QSQ off the constant the optimum
    is p_k = sqrt(q_k) u_k on the d smallest lambda_k, q_k = max(0, mu - lambda_k), mu set by sum q_k = N
    (water-filling, Shannon 1949; Cover and Thomas, section 9.4). Channels with q_k = 0, and k >= N - 1, are
    zero.
    White noise: all lambda equal, so q_k = N/d and the centred covariance of the code is I/d, which attains
    I(position; p + sigma Z) <= (d/2) ln(1 + 1/(d sigma^2)) in its Gaussian cap (theory 6.6); any centred
    orthonormal basis is optimal, DCT columns 1 .. d are taken.
    `noise`: white S = I; brownian, a random walk, QSQ = (path Laplacian)^+ with DCT eigenvectors and lambda_k
    = 1/(4 sin^2(pi k/2N)); exponential S_st = correlation^|s-t|, eigenvectors cos(omega tau) - mean and
    sin(omega tau), tau = t - (N-1)/2, omega from `exponential_frequencies`. S is scaled so that the mean of
    lambda_k is `noise_variance`.
    Properties: centred, orthogonal columns; white noise: flat spectrum. The formula goes on beyond the
    training length (`extend`), but is optimal only in range: the default is refuse. Derived in this project,
    after Li, arXiv 2506.06398.
    """

    name: ClassVar[str] = "information-optimal"
    beyond: Beyond = "refuse"
    noise: Literal["white", "brownian", "exponential"] = "white"
    correlation: sp.Rational = field(default=rational(1, 2))
    noise_variance: sp.Rational = field(default=rational(1))

    def _validate(self) -> None:
        self._require(
            self.train_length >= 2,
            "one position has no direction orthogonal to the constant: use train_length=2 or more",
        )
        self._require(
            0 < self.correlation < 1,
            f"correlation must be in (0, 1), got {self.correlation}: use correlation=0.5",
        )
        self._require(
            self.noise_variance > 0,
            f"noise_variance must be positive, got {self.noise_variance}: use noise_variance=1",
        )

    @property
    def properties(self) -> frozenset[str]:
        held = {"centred", "orthogonal-columns"}
        active = sum(power != 0 for power in self.powers())
        if self.noise == "white" or active >= 2:
            held |= {"injective"}
        if active == self.dim and self.noise == "white":
            held |= {"flat-spectrum"}
        if active >= self.train_length - 1:
            held |= {"shift-equivariant"} | ({"toeplitz", "constant-norm"} if self.noise == "white" else set())
        return frozenset(held)

    def powers(self) -> tuple[sp.Expr, ...]:
        """q_k of every channel, largest first; zero for channels that do not exist."""
        length = self.train_length
        count = min(self.dim, length - 1)
        if self.noise == "white":
            active: tuple[sp.Expr, ...] = (rational(length, count),) * count
        else:
            active = water_filling(self.noise_levels()[:count], length)
        return active + (sp.Integer(0),) * (self.dim - len(active))

    def noise_levels(self) -> tuple[Real, ...]:
        """lambda_k in rising order, scaled to mean `noise_variance`, to 50 digits."""
        return _noise_levels(self.noise, self.correlation, self.noise_variance, self.train_length)

    def direction(self, t: Any, k: int) -> sp.Expr:
        """u_k(t), the unit eigenvector of the k-th smallest noise level."""
        length = self.train_length
        if self.noise == "white":
            return cosine_column(t, k + 1, length)
        if self.noise == "brownian":
            return cosine_column(t, length - 1 - k, length)
        index = length - 1 - k
        with mpmath.workdps(DIGITS):
            omega = exponential_frequencies(self.correlation, length)[index - 1]
            half = length * omega
            mean = mpmath.sin(half / 2) / (length * mpmath.sin(omega / 2))
            spread = mpmath.sin(half) / (2 * mpmath.sin(omega))
            square = (
                mpmath.mpf(length) / 2 - spread if index % 2 else mpmath.mpf(length) / 2 + spread - length * mean**2
            )
            norm = mpmath.sqrt(square)
        phase = sp.Float(omega, DIGITS) * (2 * sp.sympify(t) - length + 1) / 2
        wave = sp.sin(phase) if index % 2 else sp.cos(phase) - sp.Float(mean, DIGITS)
        return wave / sp.Float(norm, DIGITS)

    def feature(self, t: Any, k: int) -> sp.Expr:
        power = self.powers()[self._channel(k)]
        return sp.Integer(0) if power == 0 else sp.sqrt(power) * self.direction(t, k)


def water_filling(levels: tuple[Real, ...], total: int) -> tuple[sp.Expr, ...]:
    """q_k = max(0, mu - lambda_k) with sum `total`, for noise levels in rising order."""
    with mpmath.workdps(DIGITS):
        for active in range(len(levels), 0, -1):
            water = (total + mpmath.fsum(levels[:active])) / active
            if water > levels[active - 1]:
                powers = tuple(sp.Float(water - level, DIGITS) for level in levels[:active])
                return powers + (sp.Integer(0),) * (len(levels) - active)
    raise ValueError(f"water-filling needs positive power, got {total}")


@lru_cache(maxsize=64)
def _noise_levels(noise: str, correlation: sp.Rational, variance: sp.Rational, length: int) -> tuple[Real, ...]:
    with mpmath.workdps(DIGITS):
        if noise == "white":
            levels = [mpmath.mpf(1)] * (length - 1)
        elif noise == "brownian":
            levels = [1 / (4 * mpmath.sin(mpmath.pi * k / (2 * length)) ** 2) for k in range(length - 1, 0, -1)]
        else:
            rho = mpmath.mpf(correlation.p) / correlation.q
            levels = [
                (1 - rho**2) / (1 - 2 * rho * mpmath.cos(omega) + rho**2)
                for omega in reversed(exponential_frequencies(correlation, length))
            ]
        scale = mpmath.mpf(variance.p) / variance.q * (length - 1) / mpmath.fsum(levels)
        return tuple(scale * level for level in levels)


@lru_cache(maxsize=64)
def exponential_frequencies(correlation: sp.Rational, length: int) -> tuple[Real, ...]:
    """omega_1 < .. < omega_N-1 in (0, pi) of the centred covariance rho^|s-t| on N points, lambda = (1 -
    rho^2)/|1 - rho e^(i omega)|^2.

    S applied to e^(i omega tau) is lambda e^(i omega tau) less two boundary terms rho^(N-t), rho^(t+1), which
    cancel iff odd k (sine):   sin(a) - rho sin(b) = 0,
    even k (cosine less its mean m): (1 - rho)(cos(a) - rho cos(b)) = m |1 - rho e^(i omega)|^2,
    a = omega (N+1)/2, b = omega (N-1)/2, m = sin(N omega/2)/(N sin(omega/2)); omega_k lies in (k, k+1) pi/N.
    """
    with mpmath.workdps(DIGITS):
        rho = mpmath.mpf(correlation.p) / correlation.q

        def sine(omega: Real) -> Real:
            return mpmath.sin(omega * (length + 1) / 2) - rho * mpmath.sin(omega * (length - 1) / 2)

        def cosine(omega: Real) -> Real:
            mean = mpmath.sin(length * omega / 2) / (length * mpmath.sin(omega / 2))
            edge = mpmath.cos(omega * (length + 1) / 2) - rho * mpmath.cos(omega * (length - 1) / 2)
            return (1 - rho) * edge - mean * (1 - 2 * rho * mpmath.cos(omega) + rho**2)

        return tuple(
            _root(sine if k % 2 else cosine, mpmath.pi * k / length, mpmath.pi * (k + 1) / length)
            for k in range(1, length)
        )


def _root(function: Any, low: Real, high: Real) -> Real:
    return mpmath.findroot(
        function, (low, high), solver="anderson", tol=mpmath.mpf(10) ** (-2 * DIGITS + 10), maxsteps=300
    )
