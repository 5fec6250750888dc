"""What a Transformer without absolute positions cannot tell apart: networks of any depth, run in 40 digits.

Layers l = 1 .. L of theory section 3.2, one head each, z = RMSNorm(x):
  y_i = x_i + V_l sum_j alpha_ij z_j,  alpha_i = softmax_j(<z_j + r_D, W_l z_i> turned by R_D, + b_ij),  D = i - j,
  x_i <- y_i + M2_l relu(M1_l RMSNorm(y_i)),
weights standard normal over sqrt(d), drawn from a seed. The same code runs on float64 arrays and on 40-digit numbers,
in which rounding cannot hide or feign a difference. Letters: T tokens, d channels.
"""

from typing import Any

import mpmath
import numpy as np

from estimators.attention_map import attention_map, encoding_arrays, outputs
from estimators.claim import Measurement
from estimators.estimate import Estimate, exact
from estimators.multiprecision import digits, enclosure, exactly, exponential, square_root

# Far above the rounding of 40 digits after a few layers, far below any true difference.
ROUNDING = 1e-25
NORM_EPSILON = 1e-6

Array = np.ndarray


def draw_layers(seed: int, depth: int, dim: int) -> list[tuple[Array, ...]]:
    """W, V, M1 (2d x d), M2 (d x 2d) of every layer."""
    rng = np.random.default_rng(seed)
    shapes = ((dim, dim), (dim, dim), (2 * dim, dim), (dim, 2 * dim))
    return [tuple(rng.normal(size=shape) / np.sqrt(dim) for shape in shapes) for _ in range(depth)]


def _normalised(x: Array) -> Array:
    root = square_root if x.dtype == object else np.sqrt
    return x / root((x * x).sum(axis=1, keepdims=True) / x.shape[1] + NORM_EPSILON)


def network(
    layers: list[tuple[Array, ...]], arrays: tuple[Array, ...], tokens: Array, *, rounded: bool = False
) -> Array:
    """The outputs at all positions (T, d); arrays: additive table, bias, rotations and relative vectors by offset.

    rounded: in float64; otherwise in 40 digits, as an object array (call inside `multiprecision.digits()`).
    """
    lift: Any = np.asarray if rounded else exactly
    code, bias, rotations, relative = arrays
    length = len(tokens)
    offsets = np.subtract.outer(np.arange(length), np.arange(length)) + length - 1
    seen = np.isfinite(bias)
    bias, rotations, relative = lift(np.where(seen, bias, 0.0)), lift(rotations)[offsets], lift(relative)[offsets]
    x = lift(tokens) + lift(code)
    for layer in layers:
        w, v, first, second = map(lift, layer)
        z = _normalised(x)
        query = z @ w.T  # (T, d)
        turned = (rotations * query[:, None, None, :]).sum(axis=3)  # (T, T, d): R_D W z_i
        logits = (turned * (z[None] + relative)).sum(axis=2) + bias
        raised = np.exp(logits) if rounded else exponential(logits)
        weights = np.where(seen, raised, 0)
        y = x + (weights @ z / weights.sum(axis=1, keepdims=True)) @ v.T
        hidden = np.maximum(_normalised(y) @ first.T, 0)
        x = y + hidden @ second.T
    return x


def _repeated(token: list[float], length: int) -> Array:
    """`length` rows of one token; ValueError unless it is a list of finite numbers."""
    row = np.asarray(token, dtype=np.float64)
    if row.ndim != 1 or row.size == 0 or not np.isfinite(row).all() or length < 1:
        given = f"got shape {row.shape} and {length}"
        raise ValueError(f"need a token of finite numbers and a length of at least 1, {given}: pass one per channel")
    return np.tile(row, (length, 1))


def _run(
    encoding: str, tokens: Array, *, causal: bool, depth: int, seed: int, start: list[float] | None = None
) -> Array:
    """Outputs of the network of that seed; `start` is prepended to the tokens (BOS) and its own output left out."""
    rows = tokens if start is None else np.vstack([start, tokens])
    arrays = encoding_arrays(encoding, len(rows), rows.shape[1], causal, 0)
    return network(draw_layers(seed, depth, rows.shape[1]), arrays, rows)[0 if start is None else 1 :]


def _agreement(difference: Any, size: Any) -> Estimate:
    """1 - max|difference|/max|size| of 40-digit arrays."""
    largest = abs(size).max()
    return enclosure(1 - abs(difference).max() / largest, ROUNDING * (1 + 1 / float(largest)), "network in 40 digits")


def row_agreement(
    *,
    encoding: str,
    token: list[float],
    length: int,
    causal: bool,
    depth: int,
    seed: int,
    start: list[float] | None = None,
) -> Measurement:
    """1 - max_ij |f_i - f_j|_inf / max_i |f_i|_inf on the sequence of `length` equal tokens, after a BOS `start`."""
    tokens = _repeated(token, length)
    with digits():
        rows = _run(encoding, tokens, causal=causal, depth=depth, seed=seed, start=start)
        spread = rows.max(axis=0) - rows.min(axis=0)
        return Measurement(_agreement(spread, rows), {}, encoding)


def permutation_agreement(
    *, encoding: str, tokens: list[list[float]], permutation: list[int], causal: bool, depth: int, seed: int
) -> Measurement:
    """1 - max |f(P X) - P f(X)| / max |f(X)| for a permutation P of the tokens X (T, d)."""
    x = np.asarray(tokens, dtype=np.float64)
    if x.ndim != 2 or not np.isfinite(x).all():
        raise ValueError(f"tokens must be a finite T x d array, got shape {x.shape}: pass one row per token")
    if sorted(permutation) != list(range(len(x))):
        raise ValueError(f"permutation must list 0 .. {len(x) - 1} once each, got {permutation}: use a shuffled range")
    with digits():
        rows = _run(encoding, x, causal=causal, depth=depth, seed=seed)
        moved = _run(encoding, x[permutation], causal=causal, depth=depth, seed=seed)
        return Measurement(_agreement(moved - rows[permutation], rows), {}, encoding)


def constant_sequence_error(
    *, encoding: str, token: list[float], target: list[list[float]], causal: bool, depth: int, seed: int
) -> Measurement:
    """max_i |f_i - g_i|_inf on T equal tokens, for the network whose output is shifted to fit the target g (T, d) best.

    The shift moves the first output to the middle of the target's range in every channel.
    """
    goal = np.asarray(target, dtype=np.float64)
    if goal.ndim != 2 or goal.shape[1] != len(token) or not np.isfinite(goal).all():
        raise ValueError(f"target must be finite, T x {len(token)}, got shape {goal.shape}: one row per position")
    tokens = _repeated(token, len(goal))
    with digits():
        rows = _run(encoding, tokens, causal=causal, depth=depth, seed=seed)
        wanted = exactly(goal)
        middle = (wanted.max(axis=0) + wanted.min(axis=0)) / 2
        error = abs(rows - rows[0] + middle - wanted).max()
        spread = (wanted.max(axis=0) - wanted.min(axis=0)).max()
        known = enclosure(spread, ROUNDING * float(mpmath.mpf(1) + spread), "target")
        found = enclosure(error, ROUNDING * float(1 + abs(rows).max() + spread), "network in 40 digits")
    return Measurement(found, {"target_spread": (known.lower, known.upper)}, encoding)


def start_weight(*, logits: list[float], logit_bound: float) -> Measurement:
    """Attention to the first key (BOS) among keys with these logits, scaled to max |s_j| = B; t = number of the
    others.
    """
    s = np.asarray(logits, dtype=np.float64)
    if s.ndim != 1 or s.size < 1 or not np.isfinite(s).all():
        raise ValueError(f"logits must be a list of finite numbers, got shape {s.shape}: BOS first, then the others")
    if not 0 <= logit_bound < np.inf:
        raise ValueError(f"logit_bound must be finite and nonnegative, got {logit_bound}: it bounds |s_j|")
    s = s * (logit_bound / max(np.abs(s).max(), np.finfo(float).tiny))
    with digits():
        weights = exponential(exactly(s))
        found = enclosure(weights[0] / weights.sum(), 1e-30, "softmax in 40 digits")
    return Measurement(found, {"tokens_after_start": s.size - 1, "logit_bound": logit_bound})


def start_weight_step(*, tokens_after_start: int) -> Measurement:
    """Attention of a content-free causal head (W = 0) to BOS at position t, less that at position t + 1."""
    if tokens_after_start < 0:
        raise ValueError(f"tokens_after_start counts tokens, got {tokens_after_start}: use 0 or more")
    length, nothing = tokens_after_start + 2, np.zeros((1, 1))
    head = attention_map("none", nothing, nothing, np.ones((1, 1)), length=length, causal=True)
    weights = outputs(head, np.eye(length)[:, :1])[:, 0]
    found = exact(weights[-2] - weights[-1], 4 * length * 2.0**-52 * weights[-2], "attention of a content-free head")
    return Measurement(found, {"tokens_after_start": tokens_after_start})
