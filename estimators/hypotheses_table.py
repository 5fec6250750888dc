"""The hypothesis class in which the table of an additive encoding is learned.

  LearnedTable   f_{u,w,P}(X_i) = <u, sum_j alpha_j (x_ij + p_j)>, alpha = softmax(<w, x_ij + p_j>), |P - P0|_F <= rho
with |u| <= B_u in the read-out ball and |w|_2 <= B_w; for keys only, the values are x_ij.
`estimators.hypotheses_learned.learned` makes it from an encoding.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy as sp
from jaxtyping import Float64

from estimators.hypotheses import AbstractHypotheses, Constraints, Effort, Suprema, ordered, power_of_two
from estimators.hypotheses_query import Query
from estimators.linear_control import widened
from estimators.sampling import Control
from estimators.supremum import certificates, product_certificates
from estimators.supremum.ascent import ascent
from estimators.supremum.box_ball import ball_ball, product_ascent
from estimators.supremum.box_bounds import diameters
from estimators.supremum.branch_and_bound import MOST_DIMENSIONS
from estimators.supremum.readout import support
from estimators.supremum.table_ball import TableHead, table_pool, table_signed_sum, table_upper
from theory.bound import Bound
from theory.notation import (
    covariance_lipschitz,
    lipschitz,
    logit_dim,
    logit_norm,
    parameter_count,
    parameter_norm,
    readout_norm,
    value_energy,
)
from theory.rademacher import khintchine, readout_width, trivial
from theory.rademacher_learned import learned_additive
from theory.widths import gaussian_norm_mean, sudakov_fernique

SLIP = 1e-11  # relative rounding of a statistic, generously


def learned_table_width(ball: str = "l2") -> Bound:
    """U6 for a learned table, sample by sample, upper, |P - P0|_F <= rho and all constants suprema over P:
    R_hat <= sqrt(pi/2)/n [(sigma_v omega(U))^(2/3) + (B_u Lam B_w m_p)^(2/3) + (B_u L rho m_(T p))^(2/3)]^(3/2).

    D_i = D_i(P0) + sqrt2 rho, since |p_j - p_l| moves by at most sqrt2 rho (attained); sigma_v^2 = sum_i (max_j |v_ij|
    + rho)^2; Lam^2 = sum_i (D_i D_k,i/4)^2; L^2 = sum_i (1 + sqrt2/4 D_i B_w)^2. Proof: the gradient in row j is
    alpha_j u + alpha_j <u, v_j - a> w; |alpha|_2 <= 1 and |(alpha_j (y_j - ybar))_j|_2 <= sqrt2/4 range(y)
    (theory.softmax). Keys only: D_i and sigma_v of the tokens, and L without its 1. Minkowski over i makes the weaker
    `theory.rademacher_learned.learned_additive` of it; D_i may be the range over the l1 read-out ball.
    """
    blocks = (
        (sp.sqrt(value_energy), readout_width(ball)),
        (readout_norm * covariance_lipschitz, logit_norm * gaussian_norm_mean(logit_dim)),
        (readout_norm * lipschitz, parameter_norm * gaussian_norm_mean(parameter_count)),
    )
    return sudakov_fernique(blocks)


def contained_lower(
    classes: list[Query | None], signs: Float64[np.ndarray, "k n"], effort: Effort
) -> Float64[np.ndarray, " k"]:
    """Largest lower end over contained classes whose supremum is known exactly (at most 4 dimensions); 0 without any.

    A class inside another one has the smaller supremum for every sign vector, so these are lower ends of the larger.
    """
    cheap = [one for one in classes if one is not None and one.keys.shape[2] <= MOST_DIMENSIONS]
    return np.max([np.zeros(len(signs)), *(one.suprema(signs, effort).lower for one in cheap)], axis=0)


@dataclass(frozen=True)
class LearnedTable(AbstractHypotheses):
    """A learned table P in the Frobenius ball of radius `table_radius` around the table inside `fixed`.

    fixed: the class at the initial table, keys x + P0 and values x + P0 (or x: `keys_only`). without: the class
    without encoding where the ball contains the table 0, else None. Ascent over (w, P) below; U1, U5, U6, U8 above.
    """

    fixed: Query
    without: Query | None
    table_radius: float
    keys_only: bool = False
    certificates = {"U1-trivial": trivial, "U6-table": learned_additive, "U6-rows": learned_table_width}  # noqa: RUF012
    bounds = {"khintchine": khintchine, "U6-table": learned_additive, "U6-rows": learned_table_width}  # noqa: RUF012

    @property
    def constraints(self) -> Constraints:
        return self.fixed.constraints

    @property
    def moves(self) -> float:
        """1 where the table is added to the values, else 0."""
        return 0.0 if self.keys_only else 1.0

    @property
    def reach(self) -> float:
        """Radius of the tables in the units of the keys of `fixed.head`."""
        return self.table_radius / power_of_two(self.fixed.keys)

    @cached_property
    def sizes(self) -> Float64[np.ndarray, " n"]:
        """sup h(f's values) = max_j h(v_ij) + rho for every sample, in the units of `fixed.head`."""
        values = support(self.fixed.head.values, self.constraints.readout_ball)
        return (np.asarray(values).max(axis=1) + self.moves * self.reach) * certificates.INFLATION

    @cached_property
    def largest_values(self) -> Float64[np.ndarray, " n"]:
        return self.fixed.readout_norm * self.sizes * certificates.INFLATION

    @cached_property
    def spans(self) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
        """Suprema over P of the range of <u, v_ij> over unit u and of the diameter of the keys."""
        far = np.sqrt(2) * self.reach
        values = product_certificates.value_spans(self.fixed.head, self.constraints.readout_ball)
        keys = diameters(np.asarray(self.fixed.head.keys))
        return (values + self.moves * far) * certificates.INFLATION, (keys + far) * certificates.INFLATION

    @cached_property
    def rounding(self) -> float:
        """Floating-point error of |S_eps| at one point, as for `query`."""
        n, length, dim = self.fixed.head.keys.shape
        logit = self.fixed.radius * (self.fixed.key_size + self.reach)
        norms = (
            np.linalg.norm(np.asarray(self.fixed.head.values), axis=2).max(axis=1).sum() + self.moves * n * self.reach
        )
        return certificates.UNIT * float((2 * n * length + 20 + 4 * (2 * dim + 3) * logit) * norms)

    @cached_property
    def statistics(self) -> dict[str, tuple[float, float]]:
        values, (spans, key_spans) = np.asarray(self.fixed.head.values), self.spans
        n, length, dim = values.shape
        norms = np.linalg.norm(values, axis=2).max(axis=1) + self.moves * self.reach
        found = {
            "value_energy": (norms**2).sum(),
            "value_bound_sum": self.sizes.sum(),
            "covariance_lipschitz": np.linalg.norm(spans * key_spans / 4),
            "value_diameter_energy": ((diameters(values) + np.sqrt(2) * self.moves * self.reach) ** 2).sum(),
            "lipschitz": np.linalg.norm(self.moves + np.sqrt(2) / 4 * spans * self.fixed.radius),
        }
        sizes = {"sample_size": n, "dim": dim, "logit_dim": dim, "parameter_count": length * dim, "length": length}
        radii = {"readout_norm": self.fixed.readout_norm, "logit_norm": self.fixed.radius}
        radii |= {"parameter_norm": self.reach, "table_norm": self.reach}
        return (
            {word: (float(value) * (1 - SLIP), float(value) * (1 + SLIP)) for word, value in found.items()}
            | {word: (value, value) for word, value in (sizes | radii).items()}
            | {"frozen_energy": self.fixed.statistics["frozen_energy"]}
        )

    def control(self, seed: int) -> Control | None:
        """That of the fixed encoding, which is a member of the class."""
        inner = self.fixed.control(seed)
        return widened(inner, self.largest_values) if inner else None

    def suprema(self, signs, effort: Effort) -> Suprema:
        head, ball, length = self.fixed.head, self.constraints.readout_ball, self.fixed.head.keys.shape[1]
        dim = head.keys.shape[2]
        place = ball_ball(dim, self.fixed.radius, length * dim, self.reach)
        # The same settings as `query` of that dimension, so that its witness is the first start.
        short = dim <= MOST_DIMENSIONS
        _, queries = ascent(
            head, signs, self.fixed.radius, ball, restarts=1, iterations=4 if short else effort.iterations,
            pool_points=effort.pool_points // (2 if short else 1), seed=effort.seed,
        )  # fmt: skip
        data = TableHead(head, self.moves)
        begin = np.concatenate([queries, np.zeros((len(signs), length * dim))], axis=1)
        pool = table_pool(data, signs, place, ball, effort.pool_points, max(effort.restarts, 1), effort.seed)
        starts = np.concatenate([begin[None], pool.transpose(1, 0, 2)])
        witness, _ = product_ascent(table_signed_sum, data, signs, place, starts, ball, iterations=effort.iterations)
        options = table_upper(head, self.moves, signs, self.fixed.radius, self.reach, *self.spans, ball)
        slip = self.rounding * (1 + 4 * self.fixed.radius * (self.fixed.key_size + self.reach))
        options = {name: one * certificates.INFLATION + slip for name, one in options.items()}
        options["U1-trivial"] = np.full(len(signs), self.statistics["value_bound_sum"][1])
        name = min(options, key=lambda option: float(options[option].mean()))
        scale = self.fixed.readout_norm / signs.shape[1]
        # The initial table x + P0 was rounded, hence the last term.
        inner = contained_lower([self.fixed, self.without], signs, effort) / (scale or 1.0) - self.rounding
        lower, upper = (
            np.maximum(witness - self.rounding, np.maximum(inner, 0.0)),
            np.min(list(options.values()), axis=0),
        )
        lower, upper = ordered(lower, upper, self.rounding)
        return Suprema(lower * scale, upper * scale, name)
