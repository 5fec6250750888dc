"""One scalar head whose logit parameter is averaged over a Gaussian: E_eps sup_w |sum_i eps_i P_tau a_i(w)| on grids.

Tokens (n, T, 1), a_i(w) = sum_j softmax_j(w x_ij) x_ij, P_tau a(w) = E a(w + tau g), |w| <= B, |u| <= 1.
"""

from typing import Any

import numpy as np
from jaxtyping import Float64

from estimators.claim import Measurement
from estimators.class_brackets import relative
from estimators.classical_classes import attended
from estimators.estimate import Estimate
from estimators.signs import all_sign_classes

GRID, REACH, NODES = 401, 9.0, 289  # w; |g| and points of the trapezoid rule, whose error falls exponentially
ERROR = 1e-10  # of an average, relative to the largest |x|: far above what the rule misses at these sizes


def averages(
    tokens: Float64[np.ndarray, "n T"], points: Float64[np.ndarray, " m"], scale: float
) -> tuple[Float64[np.ndarray, "n m"], Float64[np.ndarray, "n m"]]:
    """E a_i(w + tau g) and E a_i(w + tau g)^2 at the points w."""
    nodes = np.linspace(-REACH, REACH, NODES)
    weights = np.exp(-(nodes**2) / 2)
    weights = weights / weights.sum()
    w = (points[:, None] + scale * nodes).ravel()
    logits = w[:, None, None] * tokens
    outputs = attended(logits, np.broadcast_to(tokens, logits.shape)).reshape(len(points), NODES, len(tokens))
    return np.einsum("g,mgn->nm", weights, outputs), np.einsum("g,mgn->nm", weights, outputs**2)


def smoothed_head(*, tokens: Any, logit_norm: float, smoothing_scale: float, readout_scale: float) -> Measurement:
    """The mean supremum, and V_w = sup_w sum_i E a_i(w + tau g)^2 from above."""
    x = np.asarray(tokens, dtype=np.float64)
    if x.ndim != 3 or x.shape[2] != 1 or not np.isfinite(x).all() or len(x) > 12:
        raise ValueError(f"tokens must be finite numbers (n, T, 1), n <= 12, got shape {x.shape}: use scalar tokens")
    if not min(logit_norm, smoothing_scale, readout_scale) > 0 or smoothing_scale * np.abs(x).max() > 4:
        raise ValueError(
            "logit_norm and both scales must be positive, and smoothing_scale max|x| at most 4: change them"
        )
    x = x[:, :, 0]
    points = np.linspace(-logit_norm, logit_norm, GRID)
    half = logit_norm / (GRID - 1)  # no w is farther from a grid point
    first, second = averages(x, points, smoothing_scale)
    sums = np.abs(all_sign_classes(len(x)) @ first).max(axis=1)
    widths, sizes = np.ptp(x, axis=1), np.abs(x).max(axis=1)
    slopes = widths**2 / 4  # |a_i'| <= D_v D_k/4, and of a_i^2 at most 2 |a_i| times that
    lower, error = float(sums.mean()), ERROR * float(sizes.sum())
    found = Estimate(max(0.0, lower - error), lower + half * float(slopes.sum()) + error, 1.0, "all signs, grid")
    weak = float(second.sum(axis=0).max()) + half * float(2 * sizes @ slopes) + ERROR * float((sizes**2).sum())
    words = {"weak_value_energy": weak, "value_energy": relative(float((sizes**2).sum())), "logit_dim": 1, "dim": 1}
    radii = {"logit_norm": logit_norm, "smoothing_scale": smoothing_scale, "readout_scale": readout_scale}
    return Measurement(found, words | radii)
