"""What a content-free causal head tells about the position: H_i ~ N(0, v_i I_d), position i uniform on 1 .. N, in nats.

v_i = s^2 sum_k alpha_ik^2 for attention weights alpha_i = softmax(biases) over i keys and values N(0, s^2 I_d).
"""

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import gammainccinv, gammaincinv, gammaln

from estimators.claim import Measurement
from estimators.estimate import Estimate, exact
from estimators.features import bias_row
from estimators.posterior import STRIP_PHASE, TRUNCATION, ULP, edge_norm, grid, integrate, strip_step
from theory.encodings import parse
from theory.encodings.base import AbstractBiasEncoding

WIDEST_STRIP = 1.0  # below pi/2
Biases = Sequence[float]


def variance(biases: Biases, value_scale: float) -> Estimate:
    """v = s^2 sum_k softmax(b)_k^2 by exactly rounded sums of float64 weights."""
    row = np.asarray(biases, dtype=np.float64)
    if row.ndim != 1 or row.size == 0 or not np.isfinite(row).all():
        raise ValueError(f"biases must be a row of finite numbers, got shape {row.shape}: leave masked keys out")
    if not (value_scale > 0 and math.isfinite(value_scale)):
        raise ValueError(f"value_scale must be positive, got {value_scale}: use value_scale=1")
    shifted = row - row.max()
    weights = np.exp(shifted)
    total, squares = math.fsum(weights), math.fsum(weights**2)
    value = value_scale**2 * squares / total**2
    # Relative error of one e^b: 2 ulps of exp, and 2 |b| ulps of the biases; it enters both sums twice.
    errors = 2 * ULP * (1 + np.abs(shifted))
    relative = 2 * float(weights**2 @ errors) / squares + 2 * float(weights @ errors) / total
    return exact(value, value * (relative + 8 * ULP), "sum of squared weights")


@functools.lru_cache(maxsize=4096)
def encoding_biases(encoding: str, count: int, head: int = 0) -> tuple[float, ...]:
    """Biases of the `count` keys of a causal head, most distant first; zeros for encodings that have none."""
    made = parse(encoding, dim=2, train_length=count)
    if not isinstance(made, AbstractBiasEncoding):
        return (0.0,) * count
    return tuple(np.asarray(bias_row(made, count, head)).tolist())


def encoding_variances(encoding: str, positions: int, head: int, value_scale: float, noise_scale: float) -> list[float]:
    """v_i + sigma^2 for i = 1 .. positions."""
    rows = (encoding_biases(encoding, i, head) for i in range(1, positions + 1))
    return [variance(row, value_scale).lower + noise_scale**2 for row in rows]


def latent_information(variances: Sequence[float], dim: int) -> Estimate:
    """Exact I(i; H_i) by the trapezoidal rule in x, S = |H|^2 = kappa ln(1 + e^x); errors of rule, ends and rounding.

    With rates b_i = 1/(2 v_i), S has density s^(d/2-1) b_i^(d/2) e^(-b_i s)/Gamma(d/2). On |Im x| <= a < pi/2,
    |Im s| <= kappa a and |arg s| <= a, so the phases of the components differ by at most kappa a (b_max - b_min), and
    int |density(s(x)) s'(x)| dx <= (cos a)^(-max(1, d/2)), integrating over Re s instead.
    """
    given = np.asarray(variances, dtype=np.float64)
    if given.ndim != 1 or given.size == 0 or not (np.isfinite(given) & (given > 0)).all():
        raise ValueError("variances must be positive numbers, one per position: add noise where one is zero")
    if dim < 1 or int(dim) != dim:
        raise ValueError(f"dim must be a whole number of at least 1, got {dim}: use dim=1")
    rates, shape = 1 / (2 * given), dim / 2
    spread = float(np.ptp(rates))
    if spread == 0:
        return exact(0.0)
    half_width = min(WIDEST_STRIP, 1 / math.sqrt(shape)) if dim > 2 else WIDEST_STRIP
    scale = min(STRIP_PHASE / (half_width * spread), (1 + shape) / float(rates.max()))
    norm = math.cos(half_width) ** -max(1.0, shape) * edge_norm(given.size, scale * half_width * spread)
    step, error = strip_step(half_width, norm)
    low = float(gammaincinv(shape, TRUNCATION)) / float(rates.max())
    high = float(gammainccinv(shape, TRUNCATION)) / float(rates.min())
    first, last = _inverse(low / scale), _inverse(high / scale)
    x = grid(first, last, step, given.size)
    s = scale * np.logaddexp(0.0, x)
    log_slope = math.log(scale) - np.logaddexp(0.0, -x)  # ds/dx
    log_weights = math.log(step) + log_slope + (shape - 1) * np.log(s) - float(gammaln(shape))
    constants = shape * np.log(rates)
    value, rounding = integrate(s, log_weights, lambda nodes: constants - nodes[:, None] * rates, given.size)
    # A relative error of a rate moves ln density by |d/2 - b s|, at most d on average.
    total = error + 4 * math.log(given.size) * TRUNCATION + rounding + 4 * ULP * dim * (1 + value)
    return exact(value, total, "quadrature")


def _inverse(y: float) -> float:
    """x with ln(1 + e^x) = y."""
    return y + math.log(-math.expm1(-y)) if y > 1e-300 else math.log(y)


def alibi_variance(*, alibi_slope: float, seen_count: int, value_scale: float) -> Measurement:
    """v_i of ALiBi by the sum."""
    if alibi_slope <= 0:
        raise ValueError(f"alibi_slope must be positive, got {alibi_slope}: use head_variance with equal biases for 0")
    found = variance([-alibi_slope * k for k in range(seen_count)], value_scale)
    words = {"alibi_slope": alibi_slope, "seen_count": seen_count, "value_scale": value_scale}
    return Measurement(found, words, f"alibi:slope={alibi_slope}")


def head_variance(
    *, value_scale: float, biases: Any = None, encoding: str = "", seen_count: int = 0, head: int = 0
) -> Measurement:
    """v_i of a head with the given biases, or with those of an encoding at its `seen_count`-th position."""
    row = encoding_biases(encoding, seen_count, head) if biases is None else biases
    words = {"seen_count": len(row), "value_scale": value_scale}
    return Measurement(variance(row, value_scale), words, encoding)


def head_information(
    *,
    dim: int,
    variances: Any = None,
    encoding: str = "",
    length: int = 0,
    head: int = 0,
    value_scale: float = 1.0,
    noise_scale: float = 0.0,
) -> Measurement:
    """I of a content-free head, from its variances or from an encoding; code_determinant where there is noise."""
    v = encoding_variances(encoding, length, head, value_scale, noise_scale) if variances is None else variances
    parameters: dict[str, Any] = {"dim": dim, "position_count": len(v)}
    if noise_scale > 0:
        logarithm = dim * math.log(math.fsum(v) / len(v) / noise_scale**2)
        error = 8 * ULP * (dim + abs(logarithm))
        parameters["code_determinant"] = (math.exp(logarithm - error), math.exp(logarithm + error))
    return Measurement(latent_information(v, dim), parameters, encoding, {"variances": list(v)})
