"""Hypothesis classes with their norm constraints, stated once and used by search and bounds alike.

A class answers three questions, and `estimators.rademacher` asks nothing else, so a new class joins without a change
there: how large can |f(X_i)| get (M_i), between which ends does sup_f sum_i eps_i f(X_i)/n lie for each sign vector,
and which symbolic bounds apply with which statistics.

  frozen   f_u(X_i) = <u, a_i(0)>: attention fixed by the encoding, exact
  query    f_{u,w}(X_i) = <u, a_i(w)>, a_i(w) = sum_j softmax_j(<w, k_ij> + b_j) v_ij, |w|_2 <= B_w
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
from estimators.supremum import certificates
from estimators.supremum.ascent import ascent
from estimators.supremum.branch_and_bound import MOST_DIMENSIONS, branch_and_bound
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

    @property
    @abstractmethod
    def statistics(self) -> dict[str, float]:
        """Words of `theory.notation` -> values on this sample."""


@dataclass(frozen=True)
class AbstractHeadHypotheses(AbstractHypotheses):
    """What `frozen` and `query` share: keys (n, T, p), values (n, T, d), bias (T,)."""

    keys: Float64[np.ndarray, "n T p"]
    values: Float64[np.ndarray, "n T d"]
    bias: Float64[np.ndarray, " T"]
    constraints: Constraints = Constraints()

    @cached_property
    def head(self) -> Head:
        return make_head(self.keys, self.values, self.bias)

    @cached_property
    def linear(self) -> certificates.Linearisation:
        return certificates.linearise(self.head)

    @property
    @abstractmethod
    def radius(self) -> float:
        """Radius of the set of queries w."""

    @cached_property
    def largest_values(self) -> Float64[np.ndarray, " n"]:
        sizes = np.asarray(support(self.head.values, self.constraints.readout_ball)).max(axis=1)
        return self.constraints.readout_norm * sizes * certificates.INFLATION

    @cached_property
    def rounding(self) -> float:
        """Floating-point error of |S_eps(0)|: sums of n T products, softmax of logits up to max |b|."""
        n, length, _ = self.head.values.shape
        spread = float(np.abs(np.asarray(self.head.bias)).max())
        norms = float(np.linalg.norm(np.asarray(self.head.values), axis=2).max(axis=1).sum())
        return 2.0**-52 * (2 * n * length + 20 + 8 * spread) * norms

    @cached_property
    def statistics(self) -> dict[str, float]:
        radii = {"readout_norm": self.constraints.readout_norm, "logit_norm": self.radius}
        return certificates.statistics(self.head, self.linear, self.radius, self.constraints.readout_ball) | radii


class Frozen(AbstractHeadHypotheses):
    """f_u(X_i) = <u, a_i(0)>: the supremum over u is closed form, so both ends differ by rounding only."""

    certificates = theory.rademacher.FROZEN_CERTIFICATES
    bounds = theory.rademacher.FROZEN_BOUNDS

    @property
    def radius(self) -> float:
        return 0.0

    def suprema(self, signs, effort: Effort) -> Suprema:
        n = len(self.largest_values)
        value = np.asarray(support(jnp.asarray(signs @ self.linear.outputs), self.constraints.readout_ball))
        scale = self.constraints.readout_norm / n
        return Suprema(
            np.maximum(value - self.rounding, 0) * scale,
            np.minimum((value + self.rounding) * scale, self.largest_values.mean()),
            "exact",
        )


class Query(AbstractHeadHypotheses):
    """f_{u,w}(X_i) = <u, a_i(w)>, |w|_2 <= logit_norm: branch and bound for dim w <= 4, else ascent, certificates."""

    certificates = theory.rademacher.QUERY_CERTIFICATES
    bounds = theory.rademacher.QUERY_BOUNDS

    @property
    def radius(self) -> float:
        return self.constraints.logit_norm

    def suprema(self, signs, effort: Effort) -> Suprema:
        exact = self.head.keys.shape[-1] <= MOST_DIMENSIONS
        ball, n = self.constraints.readout_ball, len(self.largest_values)
        witness, _ = ascent(
            self.head,
            signs,
            self.radius,
            ball,
            restarts=1 if exact else effort.restarts,
            iterations=4 if exact else effort.iterations,
            pool_points=effort.pool_points // (2 if exact else 1),
            seed=effort.seed,
        )
        upper, name = self._single_certificates(signs)
        lower, finished = np.maximum(witness - self.rounding_at_radius, 0.0), True
        if exact:
            largest = self.statistics["value_bound_sum"]
            search = branch_and_bound(
                self.head,
                signs,
                self.radius,
                ball,
                witness,
                gap=effort.gap,
                floor=1e-3 * effort.gap * max(largest, np.finfo(float).tiny) / np.sqrt(n),
                key_scale=float(np.linalg.norm(self.keys, axis=2).max()),
                budget=effort.budget,
            )
            lower, finished = np.maximum(lower, search.lower), search.finished
            if search.upper.mean() < upper.mean():
                name = "branch-and-bound"
            upper = np.minimum(upper, search.upper)
        scale = self.constraints.readout_norm / n
        return Suprema(lower * scale, np.maximum(upper, lower) * scale, name, finished)

    @cached_property
    def rounding_at_radius(self) -> float:
        dim = self.head.values.shape[-1]
        reach = self.radius * float(np.linalg.norm(self.keys, axis=2).max())
        norms = float(np.linalg.norm(np.asarray(self.head.values), axis=2).max(axis=1).sum())
        return self.rounding + 2.0**-52 * 4 * (dim + 3) * reach * norms

    def _single_certificates(self, signs):
        """Upper ends for single sign vectors, in units of sum_i a_i: the least of U1, U5 and U8, and which won."""
        ball, known = self.constraints.readout_ball, self.statistics
        frozen = np.asarray(support(jnp.asarray(signs @ self.linear.outputs), ball))
        slope = certificates.linear_upper(self.linear, signs, self.radius, ball)
        options = {
            "U1-trivial": np.full(len(signs), known["value_bound_sum"]),
            "U5-taylor": slope * certificates.INFLATION
            + self.radius**2 * known["third_cumulant_sum"] / 2 * certificates.INFLATION
            + self.rounding_at_radius,
            "U8-hull": frozen + known["hull_radius_sum"] + self.rounding_at_radius,
        }
        winner = min(options, key=lambda option: float(options[option].mean()))
        return np.min(list(options.values()), axis=0), winner


HYPOTHESES = {"frozen": Frozen, "query": Query}
