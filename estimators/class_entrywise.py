"""One head whose logit parameter lies in an l1 ball: R_hat between points of that ball and the l2 ball around it."""

from typing import Any

import numpy as np
from jaxtyping import Float64

from estimators.claim import Measurement
from estimators.class_brackets import METHOD, SLIP, HeadClass, head_class
from estimators.classical_classes import attended, logits_of
from estimators.estimate import Estimate

RINGS, STEPS = 4, 16


def points_of_l1_ball(dim: int, radius: float) -> Float64[np.ndarray, "m d"]:
    """The origin, the 2d corners, and points on the edges between +-e_1 and every other corner, on several rings."""
    corners = np.concatenate([np.eye(dim), -np.eye(dim)])
    shares = np.linspace(0, 1, STEPS + 1)[:, None, None]
    edges = [shares * corners[None] + (1 - shares) * corners[None, [k]] for k in (0, dim)]
    sphere = np.concatenate([one.reshape(-1, dim) for one in edges])
    rings = [radius * ring / RINGS * sphere for ring in range(1, RINGS + 1)]
    # Rounding must not carry a point out of the ball.
    return np.concatenate([np.zeros((1, dim)), *rings]) * (1 - 4 * np.finfo(float).eps)


def attained(found: HeadClass, points: Float64[np.ndarray, "m d"]) -> float:
    """E_eps max over `points` and |u|_1 <= B_u of (1/n) sum eps_i <u, a_i(w)>: a lower end."""
    query = found.query
    logits = logits_of(query.keys, points) + query.bias
    outputs = np.stack([attended(logits, np.broadcast_to(v, logits.shape)) for v in np.moveaxis(query.values, 2, 0)])
    sums = np.abs(np.einsum("en,dmn->edm", found.signs, outputs)).max(axis=(1, 2))
    return float(sums.mean()) * query.constraints.readout_norm / len(query.values)


def entrywise_class(**case: Any) -> Measurement:
    """R_hat of {|u|_1 <= B_u, |w|_1 <= logit_norm}; the case is that of `class_brackets`, without `queries`."""
    found = head_class(**case, readout_ball="l1")
    limits = found.query.constraints
    lower = attained(found, points_of_l1_ball(found.query.keys.shape[2], limits.logit_norm))
    size = float(np.abs(found.query.values).max()) * limits.readout_norm
    method = f"{METHOD} on the l2 ball; points of the l1 ball"
    estimate = Estimate(max(0.0, lower - 1e3 * SLIP * size), found.estimate.upper, 1.0, method)
    return Measurement(estimate, found.statistics, case.get("encoding", "none"))
