"""I(P; p_P + sigma Z) of a code p (N x d) in Gaussian noise, P uniform on its rows, in nats.

One dimension: quadrature with an error bound. More: posteriors at sampled noise, one antithetic pair at every position,
so that the means of such groups are i.i.d. in [0, ln N] with mean I.
"""

import functools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from jaxtyping import Float64

from estimators.claim import Measurement
from estimators.estimate import Estimate, betting, exact
from estimators.features import additive_table
from estimators.posterior import CHUNK, STRIP_PHASE, TRUNCATION, ULP, divergence, edge_norm, grid, integrate, strip_step
from theory.encodings import parse

TAIL = 9.0  # standard deviations kept beyond the outermost code: 2 Q(9) < 1e-18
WIDEST_STRIP = 2.0  # in standard deviations
ENTROPY_SPREAD = 0.6628  # max_x x/(2 cosh(x/2)) = .66274
CONFIDENCE = 1 - 1e-6  # a ledger checks hundreds of intervals together
Code = Sequence[Sequence[float]]


def as_code(code: Any, noise_scale: float) -> Float64[np.ndarray, "N d"]:
    """The code as float64 (N, d) after checks of shape, finiteness and noise."""
    table = np.asarray(code, dtype=np.float64)
    if table.ndim != 2 or 0 in table.shape:
        raise ValueError(f"a code has one row per position and one column per channel, got shape {table.shape}")
    if not np.isfinite(table).all():
        raise ValueError("the code must be finite: check the table it came from")
    if not (noise_scale > 0 and math.isfinite(noise_scale)):
        raise ValueError(f"noise_scale must be positive, got {noise_scale}: without noise distinct codes give ln N")
    return table


@functools.lru_cache(maxsize=256)
def encoding_code(encoding: str, dim: int, length: int, power: float) -> Float64[np.ndarray, "N d"]:
    """Table of an additive encoding, its mean of |p(t)|^2 scaled to `power`."""
    made = parse(encoding, dim=dim, train_length=length)
    table = np.array(additive_table(made, length, power=power))
    table.setflags(write=False)
    return table


def line_information(code: Any, noise_scale: float) -> Estimate:
    """Exact I for d = 1, by the trapezoidal rule; the interval contains its error, truncation and rounding.

    In units of sigma, codes m_p of range D: I = int phi(z) KL(post(z) | uniform) dz, phi the mixture density. On
    |Im z| <= a the phases of the components differ by at most a D, their moduli grow by e^(a^2/2): `edge_norm`.
    """
    table = as_code(code, noise_scale)
    if table.shape[1] != 1:
        raise ValueError(f"quadrature needs one channel, got {table.shape[1]}: use sampled_information")
    means = (table[:, 0] - table.mean()) / noise_scale
    count, spread = means.size, float(np.ptp(means))
    if spread == 0:
        return exact(0.0)
    half_width = min(WIDEST_STRIP, STRIP_PHASE / spread)
    norm = math.exp(half_width**2 / 2) * edge_norm(count, half_width * spread)
    step, error = strip_step(half_width, norm)
    first, last = float(means.min()) - TAIL, float(means.max()) + TAIL
    nodes = grid(first, last, step, count)
    log_weights = np.full(nodes.size, math.log(step / math.sqrt(2 * math.pi)))
    value, rounding = integrate(nodes, log_weights, lambda z: -((z[:, None] - means) ** 2) / 2, count)
    # Rounded means: dI = mean_p dm_p E_p[m_p - E(m|z)], so |dI| <= max |dm_p|, as E|m_P - E(m|z)| <= sigma = 1.
    total = error + 2 * math.log(count) * TRUNCATION + rounding + 4 * ULP * (1 + spread)
    return exact(value, total, "quadrature")


def sampled_information(
    code: Any, noise_scale: float, *, groups: int = 2000, seed: int = 0, confidence: float = CONFIDENCE
) -> Estimate:
    """Interval for I = E KL(post | uniform): betting on `groups` i.i.d. means over positions and pairs of noise +-z.

    KL(post(z) | uniform) is Lipschitz in z with constant (D/2) s, D the diameter of the code over sigma, s the largest
    standard deviation of ln post, s <= ln(N-1)/2 + .6628 (extremal: one atom and N-1 equal ones). Hence a group mean is
    sub-Gaussian with scale (D/2) s/sqrt(N) (Gaussian concentration), which narrows the interval at high noise.
    """
    table = as_code(code, noise_scale)
    count, dim = table.shape
    if groups < 1:
        raise ValueError(f"groups must be at least 1, got {groups}: use for example 2000")
    if count == 1:
        return exact(0.0)
    means = (table - table.mean(axis=0)) / noise_scale
    squares = (means**2).sum(axis=1) / 2
    rng = np.random.default_rng(seed)
    values = np.empty(groups)
    size = max(1, CHUNK // (2 * count * count))
    for start in range(0, groups, size):
        stop = min(groups, start + size)
        noise = rng.standard_normal((stop - start, count, dim))
        observed = np.stack([means + noise, means - noise], axis=1)  # (groups, 2, N, d)
        logits = observed.reshape(-1, dim) @ means.T - squares  # (groups 2 N, N)
        found = divergence(logits).value.reshape(stop - start, -1)
        values[start:stop] = np.minimum(found.mean(axis=1), math.log(count))  # rounding only
    deviation = math.log(count - 1) / 2 + ENTROPY_SPREAD
    lipschitz = math.sqrt(float(squared_distances(means).max())) / 2 * deviation
    scale = lipschitz / math.sqrt(count)
    return betting(
        values, values, minimum=0.0, maximum=math.log(count), confidence=confidence, sub_gaussian_scale=scale
    )


def squared_distances(table: Float64[np.ndarray, "N d"]) -> Float64[np.ndarray, "N N"]:
    """|p_i - p_j|^2 in float64."""
    return ((table[:, None] - table[None]) ** 2).sum(axis=2)


def exact_squared_distances(table: Float64[np.ndarray, "N d"]) -> list[list[Fraction]]:
    """|p_i - p_j|^2 as the rational numbers they are."""
    rows = [[Fraction(x) for x in row] for row in table.tolist()]
    found = [[Fraction(0)] * len(rows) for _ in rows]
    for i, p in enumerate(rows):
        for j in range(i):
            found[i][j] = found[j][i] = sum(((a - b) ** 2 for a, b in zip(p, rows[j], strict=True)), Fraction(0))
    return found


def spectrum(table: Float64[np.ndarray, "N d"], noise_scale: float) -> tuple[float, float, float]:
    """(ln det(I + C/sigma^2), P_c = tr C, relative rounding error of both), C the centred covariance."""
    centred = (table - table.mean(axis=0)) / math.sqrt(table.shape[0])
    values = np.linalg.svd(centred, compute_uv=False) / noise_scale
    # Backward error of centring and of the singular values, relative to the entries of the table.
    error = 20 * ULP * max(table.shape) * (1 + float(np.abs(table).max()) / noise_scale)
    logarithm = float(np.log1p(values**2).sum())
    return logarithm, float((centred**2).sum()), error * (1 + float(values.max()))


@functools.lru_cache(maxsize=256)
def _measured(rows: tuple[tuple[float, ...], ...], noise_scale: float, groups: int, seed: int) -> Estimate:
    if len(rows[0]) == 1:
        return line_information(rows, noise_scale)
    return sampled_information(rows, noise_scale, groups=groups, seed=seed)


def code_information(
    *,
    noise_scale: float,
    code: Any = None,
    encoding: str = "",
    dim: int = 0,
    length: int = 0,
    power: float = 1.0,
    groups: int = 2000,
    seed: int = 0,
) -> Measurement:
    """I of a code, or of an additive encoding of given dim, length and power, with every statistic of its bounds."""
    table = as_code(encoding_code(encoding, dim, length, power) if code is None else code, noise_scale)
    found = _measured(tuple(map(tuple, table.tolist())), noise_scale, groups, seed)
    parameters = code_statistics(table, noise_scale)
    return Measurement(found, parameters, encoding, {"squared_distances": exact_squared_distances(table)})


def code_statistics(table: Float64[np.ndarray, "N d"], noise_scale: float) -> dict[str, Any]:
    """position_count, dim, noise_scale, and intervals of code_power and code_determinant."""
    logarithm, power, error = spectrum(table, noise_scale)
    determinant = (math.exp(logarithm - error), math.exp(logarithm + error))
    return {
        "position_count": table.shape[0],
        "dim": table.shape[1],
        "noise_scale": noise_scale,
        "code_power": (power * (1 - error), power * (1 + error)),
        "code_determinant": determinant,
    }


def gaussian_cap(
    *, noise_scale: float, code: Any = None, encoding: str = "", dim: int = 0, length: int = 0, power: float = 1.0
) -> Measurement:
    """(1/2) ln det(I + C/sigma^2) of a code or of an additive encoding, with code_power as a plain number."""
    table = as_code(encoding_code(encoding, dim, length, power) if code is None else code, noise_scale)
    logarithm, code_power, error = spectrum(table, noise_scale)
    words = {"position_count": table.shape[0], "dim": table.shape[1], "noise_scale": noise_scale}
    estimate = exact(logarithm / 2, error * (1 + table.shape[1]), "singular values")
    return Measurement(estimate, words | {"code_power": code_power}, encoding)
