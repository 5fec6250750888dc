"""Numbers for the lemmas behind U9-U14: changes of measure, divergences, tails; plain NumPy."""

import math

import numpy as np

from estimators.claim import Measurement
from estimators.class_brackets import relative
from estimators.estimate import exact
from estimators.signs import all_sign_classes

ROUNDING = 1e-13  # relative, of short sums


def chosen_function(*, functions: list[list[float]]) -> Measurement:
    """E_eps max_k sum_i eps_i h_k(x_i): posteriors that choose one of m functions, prior uniform, KL = ln m."""
    h = np.asarray(functions, dtype=np.float64)
    if h.ndim != 2 or h.size == 0 or not np.isfinite(h).all():
        raise ValueError(f"functions must be a finite m x n array, got shape {h.shape}: pass one row per function")
    half = all_sign_classes(h.shape[1])
    value = float((np.concatenate([half, -half]) @ h.T).max(axis=1).mean())
    words = {"divergence": relative(math.log(len(h))), "weak_variance": relative(float((h**2).sum(axis=1).max()))}
    return Measurement(exact(value, ROUNDING * float(np.abs(h).sum())), words)


def divergence(
    *, logit_norm: float, smoothing_scale: float, readout_scale: float, logit_dim: int, dim: int
) -> Measurement:
    """Largest KL(N(w, tau^2 I) x N(u, sigma^2 I) | prior) over |w| <= B, |u| <= 1, by its general formula on a grid of
    norms that contains both ends."""
    if not (min(smoothing_scale, readout_scale) > 0 and min(logit_dim, dim) >= 1 and logit_norm >= 0):
        given = f"got {smoothing_scale}, {readout_scale}, {logit_dim}, {dim}, {logit_norm}"
        raise ValueError(f"scales must be positive, dimensions at least 1 and logit_norm nonnegative, {given}")
    total = 0.0
    for radius, scale, size in ((logit_norm, smoothing_scale, logit_dim), (1.0, readout_scale, dim)):
        prior = scale**2 + radius**2 / size
        norms = np.linspace(0.0, radius, 33)
        values = size * scale**2 / prior - size + norms**2 / prior + size * np.log(prior / scale**2)
        total += float(values.max()) / 2
    words = {"logit_norm": logit_norm, "smoothing_scale": smoothing_scale, "readout_scale": readout_scale}
    estimate = exact(total, ROUNDING * (total + logit_dim + dim))
    return Measurement(estimate, words | {"logit_dim": logit_dim, "dim": dim})


def spread(*, mixing: float, largest_normaliser: float) -> Measurement:
    """max |1/z - theta| over 1 <= z <= Z_max, at both ends and on a grid."""
    if not 1 <= largest_normaliser < math.inf:
        raise ValueError(f"largest_normaliser must be at least 1, got {largest_normaliser}: E e^t is, for E t = 0")
    z = np.linspace(1.0, largest_normaliser, 101)
    value = float(np.abs(1 / z - mixing).max())
    return Measurement(exact(value, 1e-15), {"mixing": mixing, "largest_normaliser": largest_normaliser})


def exponential_tail(*, exponent: float, order: int) -> Measurement:
    """e^x - sum_{q <= order} x^q/q! as the sum of its own terms."""
    if not (0 <= exponent < math.inf and order >= 0):
        raise ValueError(f"exponent must be finite and nonnegative and order at least 0, got {exponent} and {order}")
    last = order + 60 + int(4 * exponent)
    # x^q/q! as a product: a factorial beyond 170! is no float.
    terms = np.cumprod(exponent / np.arange(1, last + 1))[order:]
    value = math.fsum(terms)
    return Measurement(
        exact(value, (ROUNDING + 2.0**-51 * last) * value), {"exponent": exponent, "series_order": order}
    )


def series_tail(*, coefficients: list[list[float]], order: int, logit_norm: float, series_radius: float) -> Measurement:
    """sum_{q > order} B^q (sum_i beta_iq^2)^(1/2) for the coefficients |beta_iq|, row i, column q - 1."""
    beta = np.abs(np.asarray(coefficients, dtype=np.float64))
    if beta.ndim != 2 or not np.isfinite(beta).all():
        raise ValueError(f"coefficients must be a finite n x q array, got shape {beta.shape}: one row per sample")
    degrees = np.arange(1, beta.shape[1] + 1)
    kept = degrees > order
    value = float(np.linalg.norm(beta[:, kept], axis=0) @ logit_norm ** degrees[kept].astype(float))
    energy = float(((beta @ series_radius ** degrees.astype(float)) ** 2).sum())
    words = {"majorant_energy": relative(energy), "series_order": order}
    return Measurement(
        exact(value, ROUNDING * value), words | {"logit_norm": logit_norm, "series_radius": series_radius}
    )
