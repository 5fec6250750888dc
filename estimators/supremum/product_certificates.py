"""Upper ends for a head with linear logits over ball x box (`ProductSet`), sharper than those of its covering ball.

theta = (w, r), |w| <= B, |r_m| <= e_m, keys (k_ij, phi_j), bias b at the centre of the box. Over the set, exactly,
  sup |<theta, z_ij>| = B |k_ij| + sum_m e_m |phi_mj|            (`reach`)
  sup |<theta, z_ij - z_il>| = B |k_ij - k_il| + sum_m e_m |phi_mj - phi_ml|; its largest value over j, l is L_i
while the covering ball pays (B^2 + |e|^2)^(1/2) for every direction. `D_i` is the largest range of <u, v_ij>.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64
from scipy.special import gammaln

from estimators.attention import Head
from estimators.supremum.box_ball import ProductSet
from estimators.supremum.box_bounds import diameters
from estimators.supremum.certificates import INFLATION, Linearisation, box_tilted_support, output_errors
from estimators.supremum.readout import Ball, support

THIRD = 6 * np.sqrt(3.0)  # |third cumulant| <= D_y D_t^2 / THIRD (theory.softmax)


class Reaches(NamedTuple):
    """`reach` of every token, L_i and D_i of every sample."""

    tokens: Float64[np.ndarray, "n T"]
    ranges: Float64[np.ndarray, " n"]
    spans: Float64[np.ndarray, " n"]


def reaches(head: Head, product: ProductSet, ball: Ball) -> Reaches:
    """Suprema of logit changes over the product set, and the ranges of the read values, rounded upwards."""
    content, features = _parts(head, product)
    tokens = product.radius * np.linalg.norm(content, axis=2) + np.abs(features) @ product.extents
    steps = np.abs(features[:, None] - features[None]) @ product.extents
    pairs = [product.radius * np.sqrt(((one[:, None] - one[None]) ** 2).sum(-1)) + steps for one in content]
    return Reaches(tokens * INFLATION, np.array([one.max() for one in pairs]) * INFLATION, value_spans(head, ball))


def value_spans(head: Head, ball: Ball) -> Float64[np.ndarray, " n"]:
    """D_i, the largest range of <u, v_ij> over unit read-outs: a diameter (l2) or the largest coordinate range (l1)."""
    values = np.asarray(head.values)
    found = diameters(values) if ball == "l2" else (values.max(axis=1) - values.min(axis=1)).max(axis=1)
    return found * INFLATION


def third_cumulant_sum(far: Reaches) -> float:
    """sum_i D_i L_i^2/(6 sqrt3): twice the largest remainder of the expansion in theta at the centre."""
    return float((far.spans * far.ranges**2).sum()) / THIRD * INFLATION


def hull_radii(head: Head, outputs, far: Reaches, ball: Ball) -> Float64[np.ndarray, " n"]:
    """Upper bound of max h(a_i(theta) - a_i(0)): box-tilted simplex by coordinates, or D_i tanh(L_i/4)."""
    _, values, bias = (np.asarray(array) for array in head)
    boxed = []
    for a in range(values.shape[2]):
        above = box_tilted_support(values[:, :, a], bias, far.tokens) - outputs[:, a]
        below = box_tilted_support(-values[:, :, a], bias, far.tokens) + outputs[:, a]
        boxed.append(np.maximum(np.maximum(above, below), 0.0))
    box = np.asarray(support(jnp.asarray(np.array(boxed).T), ball))
    return np.minimum(box, far.spans * np.tanh(far.ranges / 4)) * INFLATION + 2 * output_errors(head)


def gaussian_supremum(head: Head, product: ProductSet, far: Reaches, ball: Ball) -> float:
    """(sum_b (Lam_b omega_b)^(2/3))^(3/2) over the blocks u, w and r, for the unit read-out ball.

    Blocks: sigma_v with the width of the read-out ball; (sum_i (D_i D_k,i/4)^2)^(1/2) with B m_p; the same with the
    diameter of {phi_j} and the width sqrt(2/pi) sum_m e_m of the box. Where sum_m phi_mj is the same at every token
    (buckets), adding a constant to r changes nothing, so only the projection of the Gaussian off (1, ..., 1) counts:
    the width of M equal sides shrinks by sqrt(1 - 1/M).
    """
    values = np.asarray(head.values)
    content, features = _parts(head, product)
    dim = values.shape[2]
    width = norm_mean(dim) if ball == "l2" else min(norm_mean(dim), np.sqrt(2 * np.log(2 * dim)))
    read = np.sqrt((values**2).sum(-1).max(1).sum()) * width
    query = np.linalg.norm(far.spans * diameters(content) / 4) * product.radius * norm_mean(max(product.split, 1))
    count, box = len(product.extents), product.extents.sum() * np.sqrt(2 / np.pi)
    if count > 1 and np.ptp(features.sum(axis=1)) == 0 and np.ptp(product.extents) == 0:
        box *= np.sqrt(1 - 1 / count)
    learned = np.linalg.norm(far.spans) * diameters(features[None])[0] / 4 * box
    return float(sum(block ** (2 / 3) for block in (read, query, learned)) ** 1.5) * INFLATION


def product_linear_upper(linear: Linearisation, signs, product: ProductSet, ball: Ball) -> Float64[np.ndarray, " k"]:
    """Upper end of max h(S_0 + J theta) over the product set for every sign vector.

    l1 read-out ball, exactly: max over rows a of |S_0a| + B |J_w,a| + sum_m e_m |J_am|. l2: |S_0| + B |J_w|_op + the
    least of sum_m e_m |J_m| (columns) and sqrt(M) times the operator norm of the columns e_m J_m, for M features.
    """
    split, extents = product.split, product.extents
    total = np.asarray(support(jnp.asarray(signs @ linear.outputs), ball))
    jacobian = np.einsum("kn,ndp->kdp", signs, linear.jacobians)
    query, learned = jacobian[..., :split], jacobian[..., split:] * extents
    if ball == "l1":
        rows = product.radius * np.linalg.norm(query, axis=2) + np.abs(learned).sum(axis=2)
        return np.asarray(jnp.max(jnp.abs(signs @ linear.outputs) + rows, axis=1))
    columns = np.linalg.norm(learned, axis=1).sum(axis=1)
    together = np.linalg.norm(learned, 2, axis=(1, 2)) * np.sqrt(len(extents)) if len(extents) else columns
    turned = np.linalg.norm(query, 2, axis=(1, 2)) * product.radius if split else 0.0
    return total + turned + np.minimum(columns, together)


def norm_mean(dim: int) -> float:
    """m_d = E|g|_2 in dimension d (theory.widths)."""
    return float(np.sqrt(2) * np.exp(gammaln((dim + 1) / 2) - gammaln(dim / 2))) * INFLATION


def _parts(head: Head, product: ProductSet) -> tuple[np.ndarray, np.ndarray]:
    keys = np.asarray(head.keys)
    return keys[..., : product.split], keys[0, :, product.split :]
