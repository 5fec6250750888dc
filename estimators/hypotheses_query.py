"""Hypothesis classes of one head whose attention is learned: a query w, or a query-key matrix W.

Exact by branch and bound up to dimension 4. Above, the lower end comes from ascent started at the maximisers of the
linearised class, the upper end from U9, U10, U11 (`estimators.supremum.expected`) and from `theory.rademacher`.
"""

from abc import abstractmethod
from dataclasses import dataclass, field, replace
from functools import cached_property

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

import theory.rademacher
from estimators.hypotheses import (
    AbstractHeadHypotheses,
    Constraints,
    Effort,
    Frozen,
    MeanUppers,
    Suprema,
    ordered,
    power_of_two,
)
from estimators.linear_control import linear_control
from estimators.sampling import Control
from estimators.supremum import certificates
from estimators.supremum.ascent import INSIDE, ascent
from estimators.supremum.box_bounds import diameters
from estimators.supremum.branch_and_bound import MOST_DIMENSIONS, branch_and_bound
from estimators.supremum.centred import Centred, centre
from estimators.supremum.expected import expected
from estimators.supremum.portfolio import Portfolio
from estimators.supremum.readout import support
from estimators.supremum.trust_region import linear_part, trust_region

GENTLE = 2.0  # radius times key diameter up to which the ascent starts from the linearised maximiser only
MOST_PRODUCTS = 3e8  # floats of the vectors q_i (x) k_ij that the search keeps


@dataclass(frozen=True)
class AbstractQueryHypotheses(AbstractHeadHypotheses):
    """f_{u,w}(X_i) = <u, a_i(w)>, |w|_2 <= logit_norm: branch and bound for dim w <= 4; else ascent from below, the
    certificates of `estimators.supremum.expected` and those of `theory.rademacher` from above."""

    certificates = theory.rademacher.QUERY_CERTIFICATES
    bounds = theory.rademacher.QUERY_BOUNDS

    portfolios: dict[tuple[float, int], Portfolio] = field(default_factory=dict, init=False, repr=False, compare=False)

    def with_logit_norm(self, logit_norm: float) -> "AbstractQueryHypotheses":
        """The same head with another radius, sharing what does not depend on it."""
        other = replace(self, constraints=replace(self.constraints, logit_norm=logit_norm))
        shared = ("head", "linear", "centred", "key_size", "portfolios")
        vars(other).update({name: getattr(self, name) for name in shared})
        return other

    def portfolio(self, failure: float, seed: int) -> Portfolio:
        """U9 and U10 of this head at every radius; `failure` is that of its tensor norms, 0 for none drawn."""
        key = (failure, seed)
        if key not in self.portfolios:
            self.portfolios[key] = Portfolio(self.centred, failure=failure, seed=seed)
        return self.portfolios[key]

    @property
    def radius(self) -> float:
        return self.constraints.logit_norm * power_of_two(self.keys)

    def suprema(self, signs, effort: Effort) -> Suprema:
        exact = self.head.keys.shape[-1] <= MOST_DIMENSIONS
        ball, n = self.constraints.readout_ball, len(self.values)
        # Where logits are small, the linearised maximiser is nearly the best start: others gain less than 0.03 %.
        gentle = not exact and self.radius * float(np.median(diameters(np.asarray(self.head.keys)))) <= GENTLE
        witness, _ = ascent(
            self.head,
            signs,
            self.radius,
            ball,
            starts=None if exact else self._linear_maximisers(signs),
            restarts=0 if gentle else 1 if exact else effort.restarts,
            iterations=4 if exact else effort.iterations // (2 if gentle else 1),
            pool_points=1 if gentle else effort.pool_points // (2 if exact else 1),
            seed=effort.seed,
        )
        upper, name = self._single_certificates(signs)
        lower, finished = np.maximum(witness - self.rounding, 0.0), True
        if exact:
            largest = self.statistics["value_bound_sum"][1]
            search = branch_and_bound(
                self.head,
                signs,
                self.radius,
                ball,
                witness,
                gap=effort.gap,
                floor=1e-3 * effort.gap * max(largest, np.finfo(float).tiny) / np.sqrt(n),
                rounding=self.rounding,
                budget=effort.budget,
            )
            lower, finished = np.maximum(lower, search.lower), search.finished
            if search.upper.mean() < upper.mean():
                name = "branch-and-bound"
            upper = np.minimum(upper, search.upper)
        lower, upper = ordered(lower, upper, self.rounding)
        scale = self.readout_norm / n
        return Suprema(lower * scale, upper * scale, name, finished)

    @cached_property
    @abstractmethod
    def centred(self) -> Centred:
        """The head centred at w = 0, in the units of `head`."""

    def _linear_maximisers(self, signs):
        """Maximisers of the linearised suprema, strictly inside the ball: starts for the ascent."""
        found = trust_region(linear_part(self.centred), signs, self.radius, with_queries=True)
        return found.queries * INSIDE

    def control(self, seed: int) -> Control | None:
        scale, ball = self.readout_norm / len(self.values), self.constraints.readout_ball
        return linear_control(self.centred, self.radius, ball, scale, self.largest_values, self.rounding, seed)

    def expected_uppers(self, failure: float, seed: int, signs) -> MeanUppers:
        if self.head.keys.shape[-1] <= MOST_DIMENSIONS:
            return MeanUppers({})
        scale = self.readout_norm / len(self.values)
        portfolio = self.portfolio(0.0 if signs is not None else failure / 2, seed)
        found = expected(portfolio, self.radius, failure=failure / 2, seed=seed, signs=signs)

        def certified(value: float) -> float:
            return (value + self.rounding) * scale * certificates.INFLATION

        return MeanUppers({name: certified(value) for name, value in found.uppers.items()}, certified(found.excess))

    def _single_certificates(self, signs):
        """Upper ends for single sign vectors, in units of sum_i a_i: the least of U1, U5 and U8, and which won."""
        ball, known = self.constraints.readout_ball, {word: ends[1] for word, ends in self.statistics.items()}
        frozen = np.asarray(support(jnp.asarray(signs @ self.linear.outputs), ball)) + self.rounding
        slope = certificates.linear_upper(self.linear, signs, self.radius, ball) * certificates.INFLATION
        curved = self.radius**2 * known["third_cumulant_sum"] / 2
        options = {
            "U1-trivial": np.full(len(signs), known["value_bound_sum"]),
            "U5-taylor": slope + curved + self.rounding * (1 + 4 * self.radius * self.key_size),
            "U8-hull": frozen + known["hull_radius_sum"],
        }
        winner = min(options, key=lambda option: float(options[option].mean()))
        return np.min(list(options.values()), axis=0), winner


class Query(AbstractQueryHypotheses):
    """The query w itself is learned."""

    @cached_property
    def centred(self) -> Centred:
        return centre(self.head.keys, self.head.values, self.head.bias)


@dataclass(frozen=True)
class Bilinear(AbstractQueryHypotheses):
    """A query-key matrix W (r x e) is learned: `keys` are the vectors q_i (x) k_ij (n, T, r e), see `bilinear`; the
    certificates work with `queries` (n, r) and `factor_keys` (n, T, e) and never form products of them."""

    queries: Float64[np.ndarray, "n r"] = field(kw_only=True)
    factor_keys: Float64[np.ndarray, "n T e"] = field(kw_only=True)

    @cached_property
    def centred(self) -> Centred:
        seen = np.isfinite(self.bias)
        keys = self.factor_keys[:, seen] / power_of_two(self.keys)
        return centre(keys, self.head.values, self.head.bias, self.queries)


def bilinear(keys, values, bias, constraints: Constraints, queries) -> Bilinear:
    """The class with logits q_i^T W k_ij + b_j for queries (n, r) and keys (n, T, e), |W|_F <= logit_norm."""
    queries, keys = (np.asarray(array, dtype=np.float64) for array in (queries, keys))
    n, length, e = keys.shape
    if queries.ndim != 2 or len(queries) != n or not np.isfinite(queries).all():
        raise ValueError(f"queries must be finite of shape ({n}, r), got {queries.shape}: one query for each sample")
    if n * length * e * queries.shape[1] > MOST_PRODUCTS:
        raise ValueError(
            f"bilinear keeps n T dim^2 = {n * length * e * queries.shape[1]:.1e} numbers for its search, more than "
            f"{MOST_PRODUCTS:.0e}: use fewer samples, a shorter length or a smaller dim"
        )
    products = (queries[:, None, :, None] * keys[:, :, None, :]).reshape(n, length, -1)
    return Bilinear(products, values, bias, constraints, queries=queries, factor_keys=keys)


def head_hypotheses(kind: str, keys, values, bias, constraints: Constraints, queries=None) -> AbstractHeadHypotheses:
    """The class `kind` of one head; `queries` (n, r) belong to bilinear."""
    if kind == "bilinear":
        return bilinear(keys, values, bias, constraints, queries)
    return {"frozen": Frozen, "query": Query}[kind](keys, values, bias, constraints)
