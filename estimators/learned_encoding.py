"""Encodings whose own parameters are learned, as parameter sets of one head read at the last position.

Two shapes. *Linear in the logits*: b_j = bias_j + sum_m delta_m phi_mj with delta in a box; (w, delta) is then one
query with keys (k_ij, phi_j), so the head keeps its form (`extend`).
  t5            phi_m = indicator of bucket m, delta_m in [-rho, rho]: every bucket bias within rho of the encoding's
  alibi         phi = -D, the slope within rho of the encoding's and not below 0
  kerple-log    phi = -log(1 + r2 D), kerple-power  phi = -D^r2: r1 within rho of the encoding's, at least 0; r2 fixed
D = T-1-j is the distance to the key. Slopes and r1 are cut at 0 because the encodings are defined for positive ones: a
negative slope favours distant tokens and is no member of the family. The box contains the encoding itself (delta = 0).
*Tables*: rows p_j added to keys and values, within Frobenius distance rho of the encoding's table (`table_of`).
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from estimators.features import additive_table, bias_row, relative_table
from estimators.supremum.box_bounds import diameters
from theory.encodings.alibi import Alibi
from theory.encodings.base import AbstractAdditiveEncoding, AbstractEncoding, AbstractRelativeEncoding
from theory.encodings.kerple import KerpleLog, KerplePower
from theory.encodings.t5 import T5

TRAINABLE = (
    "trainable parameters are known for t5 (bucket biases), alibi (slope), kerple-log and kerple-power (r1), learned "
    "and every other additive table, and relative with clip_distance of at least length - 1"
)


@dataclass(frozen=True)
class LogitFeatures:
    """Learned biases b_j = bias_j + sum_m delta_m features_mj, lower_m <= delta_m <= upper_m, delta = 0 the encoding.

    contains_none: whether some delta of the box makes all b_j equal, so that the class without encoding is included.
    """

    features: Float64[np.ndarray, "m T"]
    bias: Float64[np.ndarray, " T"]
    lower: Float64[np.ndarray, " m"]
    upper: Float64[np.ndarray, " m"]
    contains_none: bool


def logit_features(encoding: AbstractEncoding, length: int, radius: float, head: int = 0) -> LogitFeatures:
    """The learned biases of `encoding` in the last row of `length` tokens, each within `radius` of its fixed value.

    Features that are the same at every token change no weight and are left out; two buckets act through the difference
    of their biases only and become one feature. ValueError for an encoding without such parameters.
    """
    check_radius(radius)
    if isinstance(encoding, T5):
        bias = np.asarray(bias_row(encoding, length, head), dtype=np.float64)
        buckets = [encoding.bucket(encoding.position(distance, length)) for distance in range(length - 1, -1, -1)]
        used = sorted(set(buckets))
        features = np.array([[float(bucket == one) for bucket in buckets] for one in used])
        reach = radius
        if len(used) == 2:
            features, reach = features[:1], 2 * radius
        features = features[np.ptp(features, axis=1) > 0]
        ends = np.full(len(features), float(reach))
        return LogitFeatures(features, bias, -ends, ends, bool(np.ptp(bias) <= 2 * radius))
    if isinstance(encoding, Alibi):
        own, one = float(encoding.head_slope(head)), dataclasses.replace(encoding, slope=1)
    elif isinstance(encoding, KerpleLog | KerplePower):
        r1, r2 = encoding.parameters(head)
        own, one = float(r1), dataclasses.replace(encoding, r1=1, r2=r2, seed=None)
    else:
        raise ValueError(f"{encoding.name} has no parameter that is linear in the logits: {TRAINABLE}; use one of them")
    features = np.asarray(bias_row(one, length, head), dtype=np.float64)[None]
    bias = np.asarray(bias_row(encoding, length, head), dtype=np.float64)
    chosen = features[np.ptp(features, axis=1) > 0]
    lower, upper = (np.full(len(chosen), end) for end in (-min(radius, own), float(radius)))
    return LogitFeatures(chosen, bias, lower, upper, radius >= own or not len(chosen))


def table_of(
    encoding: AbstractEncoding, length: int, *, power: float | int | None = 1.0
) -> tuple[Float64[np.ndarray, "T d"], bool]:
    """The table (T, d) that is learned in place of `encoding`, and whether it acts on the keys only.

    Additive encodings: row p(j), keys and values. Relative vectors: row r(T-1-j), keys only. ValueError where two rows
    would be the same parameter, or for an encoding without a table.
    """
    if length > encoding.train_length:
        raise ValueError(
            f"a learned table has {encoding.train_length} rows, got {length} tokens: use train_length={length}"
        )
    if isinstance(encoding, AbstractAdditiveEncoding):
        return np.asarray(additive_table(encoding, length, power=power), dtype=np.float64), False
    if isinstance(encoding, AbstractRelativeEncoding):
        clip: Any = getattr(encoding, "clip_distance", length)
        if clip < length - 1:
            raise ValueError(
                f"{encoding.name} shares one vector between all distances from {clip} on, and tied rows are not "
                f"implemented: use clip_distance={length - 1}"
            )
        return np.asarray(relative_table(encoding, length, power=power), dtype=np.float64), True
    raise ValueError(f"{encoding.name} has no table to learn: {TRAINABLE}; use one of them, or train no encoding")


@dataclass(frozen=True)
class ExtendedHead:
    """Keys (k_ij, phi_j / scale) and bias such that theta = (w, scale (delta - middle)) is one linear query.

    The set is |w| <= logit_norm (the first `split` coordinates; none where w has no effect), |theta_m| <= extents_m.
    own: the coordinates of the encoding itself. Multiplying by `scale`, a power of two, is exact.
    """

    keys: Float64[np.ndarray, "n T e"]
    bias: Float64[np.ndarray, " T"]
    split: int
    extents: Float64[np.ndarray, " m"]
    own: Float64[np.ndarray, " m"]


def extend(keys: Float64[np.ndarray, "n T p"], learned: LogitFeatures, logit_norm: float) -> ExtendedHead:
    """The head with learned biases as further coordinates of the query.

    `scale` nearly minimises (B^2 + scale^2 |h|^2)(D_k^2 + D_phi^2/scale^2), h the half-widths of the box, the squared
    logit range of the covering ball: scale^2 = B D_phi/(|h| D_k), and the minimum is B D_k + |h| D_phi.
    """
    free = learned.upper > learned.lower
    features, lower, upper = learned.features[free], learned.lower[free], learned.upper[free]
    middle, half = (lower + upper) / 2, (upper - lower) / 2
    unit = max(float(np.abs(keys).max()), np.finfo(float).tiny)
    key_range = float(diameters(keys / unit).max()) * unit
    feature_range = float(diameters(features.T[None]).max()) if len(features) else 0.0
    bias = learned.bias + middle @ features
    inert = len(features) > 0 and (logit_norm == 0 or key_range == 0)
    scale = 1.0
    if len(features) and not inert:
        ratio = np.log2(logit_norm) + np.log2(feature_range) - np.log2(np.linalg.norm(half)) - np.log2(key_range)
        scale = float(np.ldexp(1.0, int(np.clip(np.round(ratio / 2), -500, 500))))
    columns = np.broadcast_to(features.T / scale, (*keys.shape[:2], len(features)))
    kept = keys[:, :, :0] if inert else keys
    return ExtendedHead(
        np.concatenate([kept, columns], axis=2),
        bias,
        kept.shape[2],
        half * scale,
        np.clip(-middle, -half, half) * scale,
    )


def check_radius(radius: float) -> None:
    """ValueError unless `radius` is the size of a parameter set."""
    if not (np.isfinite(radius) and radius >= 0):
        raise ValueError(f"encoding-radius is the size of a parameter set, got {radius}: use a finite number >= 0")
