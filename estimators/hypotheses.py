"""Hypothesis classes with their norm constraints, stated once and used by search and bounds alike.

A class answers three questions, and `estimators.rademacher` asks nothing else, so a new class joins without a change
there: how large can |f(X_i)| get (M_i), between which ends does sup_f sum_i eps_i f(X_i)/n lie for each sign vector,
and which symbolic bounds apply with which statistics.

  frozen   f_u(X_i) = <u, a_i(0)>: attention fixed by the encoding, exact
  query    f_{u,w}(X_i) = <u, a_i(w)>, a_i(w) = sum_j softmax_j(<w, k_ij> + b_j) v_ij, |w|_2 <= B_w
  bilinear the same with logits q_i^T W k_ij + b_j, |W|_F <= B_w, q_i the query token: k_ij becomes q_i (x) k_ij
with |u|_2 <= B_u (readout_ball l2) or |u|_1 <= B_u (l1). Both are symmetric (f and -f), so the supremum is the same at
eps and -eps and never negative.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

import theory.rademacher
from estimators.attention import Head, make_head
from estimators.linear_control import linear_control
from estimators.sampling import Control
from estimators.supremum import certificates
from estimators.supremum.centred import centre
from estimators.supremum.readout import Ball, support
from theory.bound import Bound


@dataclass(frozen=True)
class Constraints:
    """Radii of the parameter sets: |u| <= readout_norm in `readout_ball`, |w|_2 <= logit_norm."""

    readout_norm: float = 1.0
    logit_norm: float = 1.0
    readout_ball: Ball = "l2"

    def __post_init__(self) -> None:
        for word in ("readout_norm", "logit_norm"):
            value = getattr(self, word)
            if not (np.isfinite(value) and value >= 0):
                flag = word.replace("_", "-")
                raise ValueError(f"{flag} is the radius of a ball, got {value}: use a finite number of at least 0")
        if self.readout_ball not in ("l2", "l1"):
            raise ValueError(f"readout-ball must be l2 or l1, got {self.readout_ball!r}")


@dataclass(frozen=True)
class Effort:
    """How hard the search tries. gap: relative optimisation gap of branch and bound; budget: its box evaluations per
    sign vector; restarts, iterations, pool_points: of the ascent; seed: of its pool."""

    gap: float = 0.01
    budget: int = 200_000
    restarts: int = 2
    iterations: int = 20
    pool_points: int = 240
    seed: int = 0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.gap) and self.gap > 0):
            raise ValueError(f"gap is a relative optimisation gap, got {self.gap}: use a number above 0, such as 0.01")
        if self.budget < 1:
            raise ValueError(f"budget must be at least 1 box evaluation per sign vector, got {self.budget}")


@dataclass(frozen=True)
class Suprema:
    """Ends of sup_f (1/n) sum_i eps_i f(X_i) for k sign vectors; `certificate` names what gave the upper ends."""

    lower: Float64[np.ndarray, " k"]
    upper: Float64[np.ndarray, " k"]
    certificate: str
    finished: bool = True


@dataclass(frozen=True)
class MeanUppers:
    """uppers: names -> upper ends of R_hat = E g. excess: an upper end of E g - E h, h the class's control."""

    uppers: dict[str, float]
    excess: float = np.inf


class AbstractHypotheses(ABC):
    """A symmetric class of real functions on n given inputs.

    certificates: names -> functions of the read-out ball giving upper bounds that may supply the upper end.
    bounds: the same for the symbolic bounds to be judged.
    """

    certificates: ClassVar[dict[str, Callable[..., Bound]]]
    bounds: ClassVar[dict[str, Callable[..., Bound]]]

    @property
    @abstractmethod
    def largest_values(self) -> Float64[np.ndarray, " n"]:
        """M_i = sup_f |f(X_i)|, or an upper bound of it."""

    @abstractmethod
    def suprema(self, signs: Float64[np.ndarray, "k n"], effort: Effort) -> Suprema:
        """Certified ends of the supremum for every row of `signs`."""

    def expected_uppers(self, failure: float, seed: int, signs: Float64[np.ndarray, "k n"] | None) -> MeanUppers:
        """Upper ends of R_hat itself, all true together with probability at least 1 - failure; certain for `signs`,
        all sign classes. None by default."""
        del failure, seed, signs
        return MeanUppers({})

    def control(self, seed: int) -> Control | None:
        """A cheap random variable near the supremum, of known mean, to narrow sampling error. None by default."""
        del seed
        return None

    @property
    @abstractmethod
    def statistics(self) -> dict[str, tuple[float, float]]:
        """Words of `theory.notation` -> certified ends on this sample."""


@dataclass(frozen=True)
class AbstractHeadHypotheses(AbstractHypotheses):
    """What `frozen` and `query` share: keys (n, T, p), values (n, T, d), bias (T,)."""

    keys: Float64[np.ndarray, "n T p"]
    values: Float64[np.ndarray, "n T d"]
    bias: Float64[np.ndarray, " T"]
    constraints: Constraints = Constraints()

    # Keys and values are divided by powers of two, which is exact, and the radii multiplied by them: the same class,
    # and no intermediate square or fourth power can overflow or vanish.
    @cached_property
    def head(self) -> Head:
        return make_head(self.keys / power_of_two(self.keys), self.values / power_of_two(self.values), self.bias)

    @cached_property
    def linear(self) -> certificates.Linearisation:
        return certificates.linearise(self.head)

    @cached_property
    def readout_norm(self) -> float:
        """Radius of the read-out ball for the values of `head`."""
        return self.constraints.readout_norm * power_of_two(self.values)

    @property
    @abstractmethod
    def radius(self) -> float:
        """Radius of the set of queries w for the keys of `head`."""

    @cached_property
    def key_size(self) -> float:
        """Largest key norm before centring, in the units of `head`."""
        return float(np.linalg.norm(self.keys / power_of_two(self.keys), axis=2).max())

    @cached_property
    def largest_values(self) -> Float64[np.ndarray, " n"]:
        sizes = np.asarray(support(self.head.values, self.constraints.readout_ball)).max(axis=1)
        return self.readout_norm * sizes * certificates.INFLATION

    @cached_property
    def rounding(self) -> float:
        """Floating-point error of |S_eps(w)| in the units of `head`: sums of n T products, softmax of T logits whose
        own error grows with B max |k| (dot products of p terms) and max |b|."""
        n, length, dim = self.head.keys.shape
        logit = self.radius * self.key_size + float(np.abs(np.asarray(self.head.bias)).max())
        norms = float(np.linalg.norm(np.asarray(self.head.values), axis=2).max(axis=1).sum())
        return certificates.UNIT * (2 * n * length + 20 + 4 * (dim + self.head.values.shape[2] + 3) * logit) * norms

    @cached_property
    def statistics(self) -> dict[str, tuple[float, float]]:
        radii = {"readout_norm": (self.readout_norm, self.readout_norm), "logit_norm": (self.radius, self.radius)}
        return certificates.statistics(self.head, self.linear, self.radius, self.constraints.readout_ball) | radii


def power_of_two(array: np.ndarray) -> float:
    """The power of two just above the largest entry in absolute value; 1 for an array of zeros."""
    largest = float(np.abs(array).max())
    return float(np.ldexp(1.0, int(np.frexp(largest)[1]))) if 0 < largest < np.inf else 1.0


def ordered(lower, upper, tolerance):
    """Both ends, exchanged where they cross by no more than rounding; a larger contradiction is a fault of ours."""
    if np.any(lower > upper * (1 + 1e-9) + tolerance):
        raise ValueError(
            "a certificate contradicts an attained value, which is a fault of this program: please report the command "
            "and the sample"
        )
    return np.minimum(lower, upper), np.maximum(lower, upper)


class Frozen(AbstractHeadHypotheses):
    """f_u(X_i) = <u, a_i(0)>: the supremum over u is closed form, so both ends differ by rounding only."""

    certificates = theory.rademacher.FROZEN_CERTIFICATES
    bounds = theory.rademacher.FROZEN_BOUNDS

    @property
    def radius(self) -> float:
        return 0.0

    def control(self, seed: int) -> Control | None:
        """The supremum itself: what is cheap needs no other."""
        centred = centre(self.head.keys, self.head.values, self.head.bias)
        scale, ball = self.readout_norm / len(self.values), self.constraints.readout_ball
        return linear_control(centred, 0.0, ball, scale, self.largest_values, self.rounding, seed)

    def suprema(self, signs, effort: Effort) -> Suprema:
        value = np.asarray(support(jnp.asarray(signs @ self.linear.outputs), self.constraints.readout_ball))
        scale = self.readout_norm / len(self.values)
        return Suprema(np.maximum(value - self.rounding, 0) * scale, (value + self.rounding) * scale, "exact")
