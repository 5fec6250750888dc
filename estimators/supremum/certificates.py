"""Sample statistics that enter the symbolic bounds of `theory.rademacher`, and upper ends for single sign vectors.

All statistics are for the unit read-out ball; sums run over samples i, `D_i` is the largest range of <u, v_ij>.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

from estimators.attention import Head, cumulants
from estimators.supremum.box_bounds import diameters
from estimators.supremum.readout import Ball, support

# Sums of float64 terms of one sign: their relative error stays far below this.
RELATIVE_ERROR = 1e-12
INFLATION = 1 + RELATIVE_ERROR
UNIT = 2.0**-52
SMALLEST_MASS = 1e-280


@dataclass(frozen=True)
class Linearisation:
    """a_i(0) of shape (n, d) and J_i = Cov(v_i, k_i) of shape (n, d, p) at w = 0."""

    outputs: Float64[np.ndarray, "n d"]
    jacobians: Float64[np.ndarray, "n d p"]


def linearise(head: Head) -> Linearisation:
    """Outputs and Jacobians of the head at the query w = 0."""
    dim_value, dim = head.values.shape[-1], head.keys.shape[-1]
    stacked = np.asarray(cumulants(head, jnp.zeros((1, dim)), 1))[:, :, 0].T  # (n, d + d p)
    return Linearisation(stacked[:, :dim_value], stacked[:, dim_value:].reshape(-1, dim_value, dim))


def box_tilted_support(scores, bias, reach) -> Float64[np.ndarray, " n"]:
    """max sum_j alpha_j y_j over {softmax(s + b): |s_j| <= reach_j}, exactly, for scores y of shape (n, T).

    The maximum has s_j = reach_j on the tokens with the largest scores and -reach_j on the others
    (theory.softmax): sort, then try every threshold. bias (T,), reach (n, T). Where all weights of a threshold
    underflow, the largest score stands for it: an upper bound, exact in the limit of wide boxes.
    """
    order = np.argsort(-scores, axis=1)
    sorted_scores = np.take_along_axis(scores, order, axis=1)
    sorted_bias = np.take_along_axis(np.broadcast_to(bias, scores.shape), order, axis=1)
    sorted_reach = np.take_along_axis(reach, order, axis=1)
    top = (sorted_bias + sorted_reach).max(axis=1, keepdims=True)
    high = np.exp(sorted_bias + sorted_reach - top)
    low = np.exp(sorted_bias - sorted_reach - top)

    def sweep(weights_high, weights_low):
        total = weights_low.sum(axis=1, keepdims=True)
        return np.concatenate([total, total + np.cumsum(weights_high - weights_low, axis=1)], axis=1)

    mass = sweep(high, low)
    ratio = sweep(high * sorted_scores, low * sorted_scores) / np.where(mass > SMALLEST_MASS, mass, 1.0)
    return np.where(mass > SMALLEST_MASS, ratio, sorted_scores[:, :1]).max(axis=1)


def largest_weights(keys, bias, radius) -> Float64[np.ndarray, "n T"]:
    """abar_ij >= max_{|w| <= B} alpha_ij(w): 1 / sum_l exp(b_l - b_j - B |k_il - k_ij|)."""
    # The exponent's rounding error is relative in the weight.
    exponent_error = UNIT * (2 * np.abs(bias).max() + radius * diameters(keys) + keys.shape[1])
    rows = []
    for one in keys:
        distances = np.sqrt(((one[:, None] - one[None]) ** 2).sum(-1))
        exponent = bias[None, :] - bias[:, None] - radius * distances  # (j, l)
        top = exponent.max(axis=1, keepdims=True)
        rows.append(np.exp(-top[:, 0]) / np.exp(exponent - top).sum(axis=1))
    return np.array(rows) * (1 + 2 * exponent_error)[:, None]


def hull_radii(head: Head, outputs, radius: float, ball: Ball) -> Float64[np.ndarray, " n"]:
    """Upper bound of max_w h(a_i(w) - a_i(0)): least of the box-tilted simplex by coordinates, total variation
    tanh(B D_k/4) times the diameter (theory.softmax), and the farthest value."""
    keys, values, bias = (np.asarray(array) for array in head)
    reach = radius * np.linalg.norm(keys, axis=2)
    spans = []
    for a in range(values.shape[2]):
        above = box_tilted_support(values[:, :, a], bias, reach) - outputs[:, a]
        below = box_tilted_support(-values[:, :, a], bias, reach) + outputs[:, a]
        spans.append(np.maximum(np.maximum(above, below), 0.0))
    boxed = np.asarray(support(jnp.asarray(np.array(spans).T), ball))
    ranges = diameters(values) if ball == "l2" else (values.max(axis=1) - values.min(axis=1)).max(axis=1)
    turned = ranges * np.tanh(radius * diameters(keys) / 4)
    farthest = np.asarray(support(jnp.asarray(values - outputs[:, None]), ball)).max(axis=1)
    return np.minimum(np.minimum(boxed, turned), farthest) * INFLATION + 2 * output_errors(head)


def output_errors(head: Head) -> Float64[np.ndarray, " n"]:
    """Floating-point error of |a_i(0)|: a softmax of T logits up to max |b| and a sum of T products, which cancel."""
    values, bias = np.asarray(head.values), np.asarray(head.bias)
    norms = np.linalg.norm(values, axis=2).max(axis=1)
    return UNIT * (2 * values.shape[1] + 20 + 8 * np.abs(bias).max()) * norms


def _energy(total: float, error: float) -> tuple[float, float]:
    """Ends of a sum of squares whose root is known to an absolute error."""
    root = np.sqrt(total)
    return float(max(root - error, 0.0) ** 2), float((root + error) ** 2)


def statistics(head: Head, linear: Linearisation, radius: float, ball: Ball) -> dict[str, tuple[float, float]]:
    """Certified ends of the words that the bounds of `theory.rademacher` use.

    Sums of one sign are known to a relative error, those of means of values (which cancel) to an absolute one.
    """
    keys, values, bias = (np.asarray(array) for array in head)
    n, _, dim = values.shape
    coordinate = values.max(axis=1) - values.min(axis=1)
    ranges = diameters(values) if ball == "l2" else coordinate.max(axis=1)
    key_diameters = diameters(keys)
    cumulant = ranges * key_diameters**2 / (6 * np.sqrt(3.0))
    weights = largest_weights(keys, bias, radius)
    centres = (weights[..., None] * keys).sum(1) / weights.sum(1)[:, None]
    spread = ((keys - centres[:, None]) ** 2).sum(-1)
    pick = np.sum if ball == "l2" else np.max
    found = {
        "value_energy": (values**2).sum(-1).max(1).sum(),
        "value_bound_sum": np.asarray(support(jnp.asarray(values), ball)).max(1).sum(),
        "covariance_lipschitz": np.sqrt(((ranges * key_diameters / 4) ** 2).sum()),
        "tilted_key_energy": (weights * spread * ranges[:, None] ** 2).sum(),
        "tilted_value_energy": pick((weights[..., None] * values**2).sum((0, 1))),
        "third_cumulant_sum": cumulant.sum(),
        "third_cumulant_energy": np.sqrt((cumulant**2).sum()),
        "hull_radius_sum": hull_radii(head, linear.outputs, radius, ball).sum(),
    }
    sizes = {"sample_size": n, "dim": dim, "logit_dim": keys.shape[2]}
    errors = output_errors(head)
    key_norms = np.linalg.norm(keys, axis=2).max(axis=1)
    return (
        {word: (value * (1 - RELATIVE_ERROR), value * INFLATION) for word, value in found.items()}
        | {
            "frozen_energy": _energy(pick((linear.outputs**2).sum(0)), float(np.linalg.norm(errors))),
            "jacobian_energy": _energy((linear.jacobians**2).sum(), float(np.linalg.norm(4 * errors * key_norms))),
        }
        | {word: (size, size) for word, size in sizes.items()}
    )


def linear_upper(linear: Linearisation, signs, radius: float, ball: Ball) -> Float64[np.ndarray, " k"]:
    """Upper end of max_w h(S_0 + J w) for every sign vector: h(S_0) + B |J| with the operator norm (l2) or the
    largest row norm (l1). Adding the worst-case Taylor remainder bounds max_w h(S_eps(w)) (U5 for one sign vector)."""
    total = signs @ linear.outputs
    jacobian = np.einsum("kn,ndp->kdp", signs, linear.jacobians)
    slope = np.linalg.norm(jacobian, 2, axis=(1, 2)) if ball == "l2" else np.linalg.norm(jacobian, axis=2).max(1)
    return np.asarray(support(jnp.asarray(total), ball)) + radius * slope
