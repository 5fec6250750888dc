"""Exact brackets of one-head classes on small samples: all sign classes, branch and bound, no bound of the theory.

  query    f_{u,w}(X_i) = <u, a_i(w)>, a_i(w) = sum_j softmax_j(<w, k_ij> + b_j) v_ij, |w|_2 <= logit_norm
  frozen   f_u(X_i) = <u, a_i(0)>
with |u|_2 (l2) or |u|_1 (l1) <= readout_norm and R_hat = E_eps sup (1/n) sum_i eps_i f(X_i): 1/n, no absolute value.
A case holds tokens (n, T, d), the specification of an encoding, radii, and `queries` (n, r) where logits are
q_i^T W k_ij instead, |W|_F <= logit_norm. The bracket of a case is computed once, whatever is compared with it.

n <= 12 (2^(n-1) sign classes) and r d <= 4, or d <= 4 for plain queries.
"""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float64

from estimators.attention import make_head
from estimators.claim import Measurement
from estimators.estimate import Estimate, exact
from estimators.features import template
from estimators.hypotheses import Constraints, power_of_two
from estimators.hypotheses_query import Query
from estimators.signs import all_sign_classes
from estimators.supremum import certificates
from estimators.supremum.ascent import ascent
from estimators.supremum.box_bounds import diameters
from estimators.supremum.branch_and_bound import branch_and_bound
from theory.encodings import parse

MOST_SAMPLES = 12
GAP, BUDGET = 1e-3, 20_000
POOL_POINTS, CLIMBS = 120, 4
METHOD = "all sign classes, branch and bound"
SLIP = 1e-14  # relative error of the mean of 2^(n-1) numbers


@dataclass(frozen=True)
class HeadClass:
    """One head on one sample. Everything is computed when it is first asked for, and once.

    lower, upper: ends of sup (1/n) sum eps_i f for every sign class, query class. outputs: a_i(0). statistics: words of
    `theory.rademacher` and `theory.rademacher_baselines` -> sizes or (lower, upper), for the unit read-out.
    """

    query: Query
    factors: Float64[np.ndarray, "n r"] | None = None

    @cached_property
    def ends(self) -> tuple[Float64[np.ndarray, " k"], Float64[np.ndarray, " k"]]:
        """Ascent and branch and bound alone: `Query.suprema` also uses U1, U5 and U8, which are judged here."""
        query, signs = self.query, self.signs
        ball, n = query.constraints.readout_ball, signs.shape[1]
        witness, _ = ascent(
            query.head, signs, query.radius, ball, restarts=1, iterations=CLIMBS, pool_points=POOL_POINTS, seed=0
        )
        size = float(np.linalg.norm(np.asarray(query.head.values), axis=2).max(axis=1).sum())
        found = branch_and_bound(
            query.head,
            signs,
            query.radius,
            ball,
            witness,
            gap=GAP,
            floor=1e-3 * GAP * max(size, np.finfo(float).tiny) / np.sqrt(n),
            rounding=query.rounding,
            budget=BUDGET,
        )
        scale = query.readout_norm / n
        lower = np.maximum(np.maximum(witness - query.rounding, found.lower), 0.0)
        return lower * scale, np.maximum(found.upper, lower) * scale

    @property
    def signs(self) -> Float64[np.ndarray, "k n"]:
        return all_sign_classes(len(self.query.values))

    @property
    def lower(self) -> Float64[np.ndarray, " k"]:
        return self.ends[0]

    @property
    def upper(self) -> Float64[np.ndarray, " k"]:
        return self.ends[1]

    @property
    def estimate(self) -> Estimate:
        return Estimate(max(0.0, self.lower.mean() * (1 - SLIP)), self.upper.mean() * (1 + SLIP), 1.0, METHOD)

    @cached_property
    def outputs(self) -> Float64[np.ndarray, "n d"]:
        return np.asarray(self.query.linear.outputs) * power_of_two(self.query.values)

    @cached_property
    def statistics(self) -> dict[str, Any]:
        query, limits = self.query, self.query.constraints
        plain = make_head(query.keys, query.values, query.bias)
        linear = certificates.linearise(plain)
        found: dict[str, Any] = certificates.statistics(plain, linear, limits.logit_norm, limits.readout_ball)
        n, length, dim = query.values.shape
        queries = self.factors.shape[1] if self.factors is not None else 1
        measured = {
            "value_maximum": np.linalg.norm(query.values, axis=2).max(),
            "key_maximum": np.linalg.norm(query.keys, axis=2).max(),
            "value_diameter_energy": (diameters(query.values) ** 2).sum(),
        }
        sizes = {
            "sample_size": n,
            "length": length,
            "dim": dim,
            "logit_dim": query.keys.shape[2],
            "rows": queries,
            "columns": query.keys.shape[2] // queries,
            "rank": min(queries, query.keys.shape[2] // queries),
            "readout_norm": limits.readout_norm,
            "logit_norm": limits.logit_norm,
        }
        ends = {word: (float(value[0]), float(value[1])) for word, value in found.items() if word not in sizes}
        return ends | sizes | {word: relative(float(value)) for word, value in measured.items()}


def head_class(
    *,
    tokens: Any,
    encoding: str = "none",
    logit_norm: float = 1.0,
    readout_norm: float = 1.0,
    readout_ball: str = "l2",
    power: float | None = 1.0,
    queries: Any = None,
) -> HeadClass:
    """The head of a case, from the cache where the same case was met before."""
    return _cached(
        json.dumps(
            {
                "tokens": np.asarray(tokens, dtype=np.float64).tolist(),
                "encoding": encoding,
                "radii": [float(readout_norm), float(logit_norm), readout_ball],
                "power": power,
                "queries": None if queries is None else np.asarray(queries, dtype=np.float64).tolist(),
            }
        )
    )


@functools.lru_cache(maxsize=1024)
def _cached(text: str) -> HeadClass:
    case = json.loads(text)
    tokens = np.asarray(case["tokens"])
    readout_norm, logit_norm, ball = case["radii"]
    if tokens.ndim != 3 or len(tokens) > MOST_SAMPLES:
        raise ValueError(f"tokens must be (n, T, d) with n <= {MOST_SAMPLES}, got {tokens.shape}: use fewer samples")
    made = parse(case["encoding"], dim=tokens.shape[2], train_length=max(tokens.shape[1], 2))
    keys, values, bias = map(np.asarray, template(made, tokens, power=case["power"]))
    factors = None if case["queries"] is None else np.asarray(case["queries"])
    if factors is not None:
        if factors.ndim != 2 or len(factors) != len(keys):
            raise ValueError(f"queries must have shape ({len(keys)}, r), got {factors.shape}: use one row a sample")
        keys = (factors[:, None, :, None] * keys[:, :, None, :]).reshape(*keys.shape[:2], -1)
    return HeadClass(Query(keys, values, bias, Constraints(readout_norm, logit_norm, ball)), factors)


def relative(value: float, error: float = certificates.RELATIVE_ERROR) -> tuple[float, float]:
    """Ends of a nonnegative number known to this relative error."""
    return value * (1 - error), value * (1 + error)


def query_class(**case: Any) -> Measurement:
    """R_hat of the query class, and every statistic of the sample."""
    found = head_class(**case)
    return Measurement(found.estimate, found.statistics, case.get("encoding", "none"), _ball(case))


def frozen_class(**case: Any) -> Measurement:
    """R_hat of the frozen class, exact; the outputs a_i(0) as computed are its data."""
    still: dict[str, Any] = case | {"logit_norm": 0.0}
    found = head_class(**still)
    sums, ball = found.signs @ found.outputs, case.get("readout_ball", "l2")
    norms = np.linalg.norm(sums, axis=1) if ball == "l2" else np.abs(sums).max(axis=1)
    value = float(norms.mean()) * found.statistics["readout_norm"] / len(found.outputs)
    size = float(np.abs(found.outputs).sum()) * found.statistics["readout_norm"] / len(found.outputs)
    rounding = certificates.UNIT * (sum(found.outputs.shape) + 4) * size
    energy = (found.outputs**2).sum(axis=0)
    pick = energy.sum() if ball == "l2" else energy.max()
    parameters = found.statistics | {"frozen_energy": relative(float(pick))}
    estimate = exact(value, rounding, "all sign classes")
    return Measurement(estimate, parameters, case.get("encoding", "none"), _ball(case))


def _ball(case: dict[str, Any]) -> dict[str, str]:
    return {"ball": case.get("readout_ball", "l2")}


def difference(first: HeadClass, second: HeadClass) -> Estimate:
    """R_hat(first) - R_hat(second) on common signs."""
    slip = SLIP * float(first.upper.mean() + second.upper.mean())
    lower, upper = first.lower - second.upper, first.upper - second.lower
    return Estimate(lower.mean() - slip, upper.mean() + slip, 1.0, METHOD)


def quotient(first: Estimate, second: Estimate) -> Estimate:
    """first / second for nonnegative quantities; infinite above where the second may be 0."""
    upper = first.upper / second.lower if second.lower > 0 else np.inf
    if second.upper <= 0:
        raise ValueError("the second complexity is 0: use tokens that are not all 0")
    return Estimate(first.lower / second.upper * (1 - SLIP), upper * (1 + SLIP), 1.0, first.method)


def on_sphere(tokens: Any) -> list:
    """Tokens scaled to unit norm; ValueError for a zero token."""
    array = np.asarray(tokens, dtype=np.float64)
    sizes = np.linalg.norm(array, axis=-1, keepdims=True)
    if not np.all(sizes > 0):
        raise ValueError("a token is 0 and cannot be scaled to norm 1: move it")
    return (array / sizes).tolist()


def case_pair(encodings: Sequence[str], **case: Any) -> tuple[HeadClass, HeadClass]:
    """The heads of two encodings on the same tokens."""
    first, second = encodings
    return head_class(encoding=first, **case), head_class(encoding=second, **case)
