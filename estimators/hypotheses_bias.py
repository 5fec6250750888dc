"""The hypothesis class in which biases of the encoding are learned together with the query and the read-out.

  LearnedBias    f_{u,w,delta}(X_i) = <u, a_i(w, delta)>, logits <w, k_ij> + b_j + sum_m delta_m phi_mj, delta in a box
with |u| <= B_u in the read-out ball and |w|_2 <= B_w. f and -f both belong to the class because u may change sign; the
box need not be symmetric. `estimators.hypotheses_learned.learned` makes it from an encoding.
"""

from dataclasses import dataclass
from functools import cached_property

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

from estimators.attention import Head
from estimators.hypotheses import (
    AbstractHeadHypotheses,
    Constraints,
    Effort,
    MeanUppers,
    Suprema,
    ordered,
    power_of_two,
)
from estimators.hypotheses_query import Query
from estimators.hypotheses_table import SLIP, contained_lower
from estimators.learned_encoding import LogitFeatures, extend
from estimators.linear_control import widened
from estimators.sampling import Control
from estimators.supremum import certificates, product_certificates
from estimators.supremum.ascent import ascent, ball_pool, pool_values
from estimators.supremum.box_ball import ProductSet, linear_maximiser, product_ascent, signed_sum
from estimators.supremum.box_bounds import diameters
from estimators.supremum.branch_and_bound import MOST_DIMENSIONS
from estimators.supremum.centred import centre
from estimators.supremum.expected import expected
from estimators.supremum.portfolio import Portfolio
from estimators.supremum.product_search import product_branch_and_bound
from estimators.supremum.readout import support
from theory.bound import Bound
from theory.rademacher import QUERY_BOUNDS, QUERY_CERTIFICATES
from theory.widths import gaussian_comparison


def learned_bias_width(ball: str = "l2") -> Bound:
    """U6 for learned biases, upper: R_hat <= sqrt(pi/2)/n [(sigma_v omega(U))^(2/3) + (B_u Lam B_w m_p)^(2/3)
    + (B_u Lam_phi omega)^(2/3)]^(3/2), omega = sqrt(2/pi) sum_m h_m, for K equal buckets times sqrt(1 - 1/K).

    Lam_phi^2 = sum_i (D_i D_phi/4)^2, h_m the half-widths, D_phi the diameter of {phi_j} (sqrt2 for buckets). Proof:
    d f/d delta_m = Cov(<u, v>, phi_m), of norm at most D_i D_phi/4 over m; the width of the box; comparison by blocks.
    `theory.rademacher_learned.learned_bias` is the case of buckets; here slopes and boxes of any sides are included.
    [...]^(3/2) is the statistic `gaussian_supremum` (`product_certificates`), where omega(U), D_i know the ball.
    """
    return gaussian_comparison()


@dataclass(frozen=True, kw_only=True)
class LearnedBias(AbstractHeadHypotheses):
    """Biases linear in learned parameters: the head of `extend`, its query (w, delta) in ball x box.

    Exact to the gap of `effort` by branch and bound over the product set if its dimension is at most 4. Otherwise
    ascent below and, above, certificates for ball x box; those of `query` hold with the covering ball of `radius`.
    fixed, without: the classes contained in this one (None where the box is too small for no encoding at all).
    """

    split: int
    extents: Float64[np.ndarray, " m"]
    own: Float64[np.ndarray, " m"]
    fixed: Query
    without: Query | None
    certificates = QUERY_CERTIFICATES | {"U6-bias": learned_bias_width}
    bounds = QUERY_BOUNDS | {"U6-bias": learned_bias_width}

    @cached_property
    def product(self) -> ProductSet:
        """The parameter set in the units of `head`."""
        unit = power_of_two(self.keys)
        return ProductSet(self.split, self.constraints.logit_norm * unit, self.extents * unit)

    @property
    def radius(self) -> float:
        return self.product.covering_radius * certificates.INFLATION

    @cached_property
    def reaches(self) -> product_certificates.Reaches:
        """Suprema of logit changes over ball x box."""
        return product_certificates.reaches(self.head, self.product, self.constraints.readout_ball)

    @cached_property
    def statistics(self) -> dict[str, tuple[float, float]]:
        ball, found = self.constraints.readout_ball, super().statistics
        third = product_certificates.third_cumulant_sum(self.reaches) / (self.radius**2 or 1.0)
        hull = product_certificates.hull_radii(self.head, self.linear.outputs, self.reaches, ball).sum()
        blocks = self.readout_norm * product_certificates.gaussian_supremum(self.head, self.product, self.reaches, ball)
        upper = {
            "third_cumulant_sum": min(third, found["third_cumulant_sum"][1]),
            "hull_radius_sum": float(hull),
            "gaussian_supremum": blocks,
        }
        return found | {word: (value * (1 - SLIP), value * (1 + SLIP)) for word, value in upper.items()}

    @property
    def exact(self) -> bool:
        """Whether branch and bound is within reach."""
        return self.product.split + len(self.product.extents) <= MOST_DIMENSIONS

    def expected_uppers(self, failure: float, seed: int, signs) -> MeanUppers:
        """Those of the covering ball of `radius`, a larger class: U9, U10, U11 know nothing of boxes."""
        if self.exact:
            return MeanUppers({})
        whole = centre(self.head.keys, self.head.values, self.head.bias)
        portfolio = Portfolio(whole, failure=0.0 if signs is not None else failure / 2, seed=seed)
        found = expected(portfolio, self.radius, failure=failure / 2, seed=seed, signs=signs).uppers
        scale = self.readout_norm / len(self.values) * certificates.INFLATION
        return MeanUppers({name: (value + self.rounding) * scale for name, value in found.items()})

    def control(self, seed: int) -> Control | None:
        """That of the fixed encoding, which is a member of the class."""
        inner = self.fixed.control(seed)
        return widened(inner, self.largest_values) if inner else None

    def suprema(self, signs, effort: Effort) -> Suprema:
        exact = self.exact
        ball, n = self.constraints.readout_ball, len(self.values)
        starts = self._starts(signs, effort, exact)
        witness, _ = product_ascent(
            signed_sum, self.head, signs, self.product, starts, ball, iterations=4 if exact else effort.iterations
        )
        upper, name = self._single_certificates(signs)
        lower, finished = np.maximum(witness - self.rounding, 0.0), True
        if exact:
            head, product, rounding = self._search_head()
            floor = 1e-3 * effort.gap * max(self.statistics["value_bound_sum"][1], np.finfo(float).tiny) / np.sqrt(n)
            search = product_branch_and_bound(
                head, signs, product, ball, witness, gap=effort.gap, floor=floor, rounding=rounding,
                budget=effort.budget,
            )  # fmt: skip
            lower, finished = np.maximum(lower, search.lower), search.finished
            if search.upper.mean() < upper.mean():
                name = "branch-and-bound"
            upper = np.minimum(upper, search.upper)
        scale = self.readout_norm / n
        if not (exact and finished):
            inner = contained_lower([self.fixed, self.without], signs, effort) / (scale or 1.0)
            lower = np.maximum(lower, inner - self.rounding)
        lower, upper = ordered(lower, upper, self.rounding)
        return Suprema(lower * scale, upper * scale, name, finished)

    def _search_head(self) -> tuple[Head, ProductSet, float]:
        """The same head in coordinates where equal cubes move logits equally: learned keys are rescaled by a power of
        two until their diameter is that of the content keys."""
        keys, split = np.asarray(self.head.keys), self.split
        ranges = float(diameters(keys[..., :split]).max()), float(diameters(keys[:1, :, split:])[0])
        if not (split and ranges[0] > 0 and ranges[1] > 0):
            return self.head, self.product, self.rounding
        factor = float(np.ldexp(1.0, int(np.round(np.log2(ranges[0] / ranges[1])))))
        scaled = np.concatenate([keys[..., :split], keys[..., split:] * factor], axis=2)
        product = self.product._replace(extents=self.product.extents / factor)
        return self.head._replace(keys=jnp.asarray(scaled)), product, self.rounding

    def _starts(self, signs, effort: Effort, exact: bool) -> Float64[np.ndarray, "s k e"]:
        """The witness of the fixed encoding first, then the best of a pool and of linearised maximisers.

        The latter are linear maximisers of <u, J theta> over the product set for u along S_0 and along both
        directions of the first left singular vector of J.
        """
        ball, place, unit = self.constraints.readout_ball, self.product, power_of_two(self.keys)
        restarts, points = (1, effort.pool_points // 2) if exact else (max(effort.restarts, 1), effort.pool_points)
        _, queries = ascent(
            self.fixed.head, signs, self.fixed.radius, ball, restarts=1, iterations=4 if exact else effort.iterations,
            pool_points=points, seed=effort.seed,
        )  # fmt: skip
        # A query of `fixed` is in the units of its own keys.
        queries = queries[:, : self.split] * (unit / power_of_two(self.fixed.keys))
        fixed = np.concatenate([queries, np.tile(self.own * unit, (len(signs), 1))], axis=1)
        pool = ball_pool(max(self.split, 1), place.radius, points, effort.seed)[:, : self.split]
        rng = np.random.default_rng(np.random.SeedSequence([effort.seed, len(place.extents), 1]))
        corners = rng.uniform(-1, 1, (len(pool), len(place.extents)))
        corners[::2] = np.sign(corners[::2])
        pool = np.concatenate([pool, corners * place.extents], axis=1)
        values = pool_values(self.head, signs, pool, ball)
        order = np.argsort(-values, axis=1)[:, :restarts]
        found, values = pool[order], np.take_along_axis(values, order, axis=1)
        if not exact:
            jacobian = np.einsum("kn,ndp->kdp", signs, self.linear.jacobians)
            first = np.linalg.svd(jacobian, full_matrices=False)[0][..., 0]
            readouts = np.stack([signs @ self.linear.outputs, first, -first], axis=1)
            more = linear_maximiser(jnp.asarray(np.einsum("kcd,kdp->kcp", readouts, jacobian)), *place)
            more = np.asarray(more)
            scores = [support(signed_sum(self.head, signs, jnp.asarray(more[:, c])), ball) for c in range(3)]
            found = np.concatenate([found, more], axis=1)
            order = np.argsort(-np.concatenate([values, np.stack(scores, axis=1)], axis=1), axis=1)[:, :restarts]
            found = np.take_along_axis(found, order[..., None], axis=1)
        return np.concatenate([fixed[None], found.transpose(1, 0, 2)])

    def _single_certificates(self, signs):
        """Upper ends for single sign vectors in units of sum_i a_i: least of U1, U5 and U8 over ball x box."""
        ball, known = self.constraints.readout_ball, {word: ends[1] for word, ends in self.statistics.items()}
        frozen = np.asarray(support(jnp.asarray(signs @ self.linear.outputs), ball)) + self.rounding
        slope = product_certificates.product_linear_upper(self.linear, signs, self.product, ball)
        curved = product_certificates.third_cumulant_sum(self.reaches) / 2
        options = {
            "U1-trivial": np.full(len(signs), known["value_bound_sum"]),
            "U5-taylor": slope * certificates.INFLATION
            + curved
            + self.rounding * (1 + 4 * self.radius * self.key_size),
            "U8-hull": frozen + known["hull_radius_sum"],
        }
        winner = min(options, key=lambda option: float(options[option].mean()))
        return np.min(list(options.values()), axis=0), winner


def learned_bias(keys, values, parameters: LogitFeatures, constraints: Constraints) -> LearnedBias:
    """The class with learned biases `parameters` for keys (n, T, p) and values (n, T, d)."""
    more = extend(keys, parameters, constraints.logit_norm)
    fixed = Query(keys, values, parameters.bias, constraints)
    none = Query(keys, values, np.zeros(keys.shape[1]), constraints) if parameters.contains_none else None
    return LearnedBias(
        more.keys, values, more.bias, constraints,
        split=more.split, extents=more.extents, own=more.own, fixed=fixed, without=none,
    )  # fmt: skip
