"""One head, one norm and one pre-norm layer in two runs, against the steps of `theory.extrapolation_depth`."""

import math
from typing import Any

import mpmath
import numpy as np

from estimators.claim import Measurement
from estimators.depth_recursion import largest_means
from estimators.estimate import Estimate
from estimators.multiprecision import digits, enclosure, exactly

Matrix = list[list[float]]
EPS = 2.0**-52
UP, DOWN = 1 + 1e-13, 1 - 1e-13
WORKING_ERROR = 1e-30


def array(word: str, given: Any, *shape: int | None) -> np.ndarray:
    """`given` as finite floats of this shape; None is any size of at least 1."""
    found = np.array(given, dtype=np.float64)
    fits = found.ndim == len(shape) and all(s in (None, n) and n >= 1 for s, n in zip(shape, found.shape, strict=True))
    if not fits or not np.isfinite(found).all():
        wanted = " x ".join("n" if size is None else str(size) for size in shape)
        raise ValueError(f"{word} must be finite numbers of shape {wanted}, got shape {found.shape}: check its size")
    return found


def norm_distance(*, first: list[float], second: list[float], epsilon: float) -> Measurement:
    """|N(x) - N(x')|, N(x) = x/(|x|^2/d + epsilon)^(1/2), in 40 digits."""
    x = array("first", first, None)
    y = array("second", second, x.size)
    if not 0 < epsilon < math.inf:
        raise ValueError(f"epsilon must be positive, got {epsilon}: use 1e-6")
    with digits():
        points = [exactly(x), exactly(y)]
        scales = [mpmath.sqrt((p**2).sum() / x.size + mpmath.mpf(epsilon)) for p in points]
        apart = mpmath.sqrt(((points[0] - points[1]) ** 2).sum())
        moved = mpmath.sqrt(((points[0] / scales[0] - points[1] / scales[1]) ** 2).sum())
        error = WORKING_ERROR * math.sqrt(x.size) if apart else 0.0
        found = enclosure(moved, error, "two points in 40 digits")
        known = {"token_distance": enclosure(apart, WORKING_ERROR * float(apart), "").upper}
        words = ("first_scale", "second_scale")
        known |= {w: enclosure(s, WORKING_ERROR * float(s), "").lower for w, s in zip(words, scales, strict=True)}
    return Measurement(found, known)


def diameter(points: np.ndarray) -> float:
    """The largest distance of two rows (..., T, d), per leading index the largest of all; rounded up."""
    squares = (points**2).sum(axis=-1)
    gaps = squares[..., :, None] + squares[..., None, :] - 2 * (points @ np.swapaxes(points, -1, -2))
    return math.sqrt(max(float(gaps.max()), 0.0) + 8 * EPS * (points.shape[-1] + 2) * float(squares.max()))


def truncated_head(
    *,
    tokens: Matrix,
    short: Matrix,
    interaction: Matrix,
    value: Matrix,
    bias: list[float],
    query_shift: list[float] | None = None,
) -> Measurement:
    """|o - ot| of the last of T tokens: full run `tokens` (T, d), truncated run `short` (w, d), w <= T.

    alpha = softmax_k(<z_k + h, A z_i> + b_k), A = interaction, h = query_shift (d,; none: 0), biases (T,) in the order
    of the tokens, values V z_k, V = `value` (o, d).
    """
    z = array("tokens", tokens, None, None)
    length, dim = z.shape
    zt = array("short", short, None, dim)
    window = len(zt)
    A, V = array("interaction", interaction, dim, dim), array("value", value, None, dim)
    b, h = array("bias", bias, length), array("query_shift", query_shift or [0.0] * dim, dim)
    if window > length:
        raise ValueError(f"the truncated run has {window} tokens, the full one {length}: keep at most all")
    runs = [((x + h) @ (A @ x[-1]), x, b[length - len(x) :]) for x in (z, zt)]
    outputs, weights = [], []
    for logits, x, row in runs:
        raised = np.exp(logits + row - (logits + row).max())
        weights.append(raised / raised.sum())
        outputs.append(weights[-1] @ x @ V.T)
    kept = [runs[0][0][length - window :], runs[1][0]]
    reach = max(float(np.ptp(s)) / 2 for s in kept) * UP + 1e-300
    errors = np.linalg.norm(z[length - window :] - zt, axis=1) * UP
    attended = float(largest_means(b[None, length - window :], reach, errors)[0])
    known = {
        "value_diameter": max(diameter(z @ V.T), diameter(zt @ V.T)),
        "tail_mass": math.fsum(weights[0][: length - window]) * UP,
        "value_operator_norm": float(np.linalg.norm(V, 2)) * UP,
        "key_sensitivity": float(np.linalg.norm(A @ z[-1])) * UP,
        "attended_error": attended,
        "query_sensitivity": float(np.linalg.norm((zt + h) @ A, axis=1).max()) * UP,
        "own_error": float(errors[-1]),
    }
    moved = float(np.linalg.norm(outputs[0] - outputs[1]))
    exponents = max(float(np.abs(s).max() + np.abs(row).max()) for s, _, row in runs)
    size = max(float(np.abs(x).max()) for x in outputs) + known["value_diameter"]
    slack = 8 * EPS * (length + dim * (1 + exponents)) * size
    return Measurement(Estimate(max(0.0, moved - slack), moved + slack, 1.0, "two runs in float64"), known)


def pre_norm_layer(
    *,
    token: list[float],
    short: list[float],
    heads: Matrix,
    short_heads: Matrix,
    mlp_in: Matrix,
    mlp_out: Matrix,
    epsilon: float,
) -> Measurement:
    """|x' - xt'|, x' = y + M2 relu(M1 N(y)), y = x + sum_h o_h: x (d,), o (H, d) of one position in two runs."""
    x = array("token", token, None)
    xt = array("short", short, x.size)
    o = array("heads", heads, None, x.size)
    ot = array("short_heads", short_heads, len(o), x.size)
    inner = array("mlp_in", mlp_in, None, x.size)
    outer = array("mlp_out", mlp_out, x.size, len(inner))
    if not 0 < epsilon < math.inf:
        raise ValueError(f"epsilon must be positive, got {epsilon}: use 1e-6")
    after = (x + o.sum(axis=0), xt + ot.sum(axis=0))
    scales = [math.sqrt(float(y @ y) / x.size + epsilon) for y in after]
    leaving = [y + outer @ np.maximum(inner @ (y / s), 0.0) for y, s in zip(after, scales, strict=True)]
    mlp = float(np.linalg.norm(inner, 2) * np.linalg.norm(outer, 2)) * UP
    known = {"own_error": float(np.linalg.norm(x - xt)) * UP, "mlp_lipschitz": mlp}
    known |= {"heads_error": float(np.linalg.norm(o - ot, axis=1).sum()) * UP}
    known |= {"first_scale": scales[0] * DOWN, "second_scale": scales[1] * DOWN}
    moved = float(np.linalg.norm(leaving[0] - leaving[1]))
    size = max(float(np.abs(y).max()) for y in (*after, *leaving)) + mlp * math.sqrt(x.size)
    slack = 8 * EPS * (x.size + len(inner) + len(o)) * size
    return Measurement(Estimate(max(0.0, moved - slack), moved + slack, 1.0, "two runs in float64"), known)
