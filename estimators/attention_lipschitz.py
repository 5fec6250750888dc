"""How far attention moves when tokens move: exact Jacobian norms at points of the ball, and a search for bad points.

The spectral norm of Df(X) at any X of the ball is a lower bound of the Lipschitz constant there; only a theorem gives
an upper one. Power iteration gives a lower bound of the norm itself. Quantities and letters:
`estimators.attention_map`.
"""

import math
from typing import Any

import mpmath
import numpy as np
from jaxtyping import Float64
from scipy.special import lambertw

from estimators.attention_map import (
    AttentionMap,
    Point,
    at,
    attention_map,
    backward_derivative,
    constants,
    forward_derivative,
    jacobian,
    spectral,
)
from estimators.claim import Measurement
from estimators.estimate import Estimate, at_least, exact
from estimators.multiprecision import digits, enclosure, exactly, exponential

Array = np.ndarray
Matrix = list[list[float]]
EPS = 2.0**-52
BOUND_WORDS = ("logit_bound", "value_operator_norm", "column_mass")


def in_ball(tokens: Any, radius: float) -> Float64[Array, "T d"]:
    """Tokens with those outside the ball moved to its surface."""
    x = np.asarray(tokens, dtype=np.float64)
    if x.ndim != 2 or 0 in x.shape or not np.isfinite(x).all():
        raise ValueError(f"tokens must be a finite T x d array, got shape {x.shape}: pass one row per token")
    if not 0 < radius < math.inf:
        raise ValueError(f"radius must be positive and finite, got {radius}: use the largest norm of a token")
    norms = np.linalg.norm(x, axis=1, keepdims=True)
    return x * np.minimum(1.0, radius / np.maximum(norms, np.finfo(float).tiny))


def jacobian_norm(
    *,
    encoding: str,
    tokens: Matrix,
    query: Matrix,
    key: Matrix,
    value: Matrix,
    radius: float,
    causal: bool,
    head: int = 0,
    words: tuple[str, ...] = BOUND_WORDS,
) -> Measurement:
    """|Df(X)| at the tokens (T, d), moved into the ball of `radius`; W_Q, W_K, V are query, key, value (d, d).

    words: which of B, |V|, C and `length` to give. Rounding: logits are wrong by at most 4 d eps (1 + B), weights
    relatively by twice that and 4 T eps, the Jacobian entrywise by that times its size; the factor 8 covers the rest.
    """
    x = in_ball(tokens, radius)
    length, dim = x.shape
    made = attention_map(encoding, *(np.array(m) for m in (query, key, value)), length=length, causal=causal, head=head)
    known = constants(made, radius)
    size = known.value_operator_norm * (math.sqrt(known.column_mass) + 1) * (1 + known.logit_bound)
    rounding = 8 * EPS * (4 * dim * (1 + known.logit_bound) + 4 * length) * size
    found = exact(spectral(jacobian(made, x)), rounding, "singular values of the Jacobian")
    parameters = {**known._asdict(), "length": length}
    return Measurement(found, {word: parameters[word] for word in words}, encoding)


def power_iteration(
    head: AttentionMap, point: Point, start: Float64[Array, "T d"], iterations: int
) -> tuple[Estimate, Array, Array]:
    """[|Df v|, infinity) for the unit direction v found, with v and u = Df v/|Df v|; the start must not be zero."""
    direction = start / np.linalg.norm(start)
    image = forward_derivative(head, point, direction)
    for _ in range(iterations):
        back = backward_derivative(head, point, image)
        if not back.any():
            break
        direction = back / np.linalg.norm(back)
        image = forward_derivative(head, point, direction)
    norm = float(np.linalg.norm(image))
    return at_least(norm, "power iteration on the Jacobian"), direction, image / max(norm, np.finfo(float).tiny)


def ascend(
    head: AttentionMap, tokens: Float64[Array, "T d"], radius: float, *, steps: int, rng: np.random.Generator
) -> Float64[Array, "T d"]:
    """Tokens of the ball with a larger |Df(X)|: projected gradient ascent from `tokens`, each step taken if it gains.

    The gradient of u^T Df(X) v is the derivative along v of Df(X)^T u, by a central difference.
    """
    x, step, small = in_ball(tokens, radius), 0.3 * radius * math.sqrt(len(tokens)), 1e-5 * radius
    start = rng.normal(size=x.shape)
    best, direction, image = power_iteration(head, at(head, x), start, 20)
    for _ in range(steps):
        ahead, behind = (backward_derivative(head, at(head, x + s * small * direction), image) for s in (1, -1))
        slope = ahead - behind
        if not slope.any():
            break
        moved = in_ball(x + step * slope / np.linalg.norm(slope), radius)
        found, along, onto = power_iteration(head, at(head, moved), direction, 6)
        if found.lower > best.lower:
            x, best, direction, image, step = moved, found, along, onto, 1.5 * step
        else:
            step /= 3
    return x


def received_attention(
    *,
    logits: Matrix,
    logit_bound: float,
    causal: bool,
    slope: float = 0.0,
    words: tuple[str, ...] = ("logit_bound", "length"),
) -> Measurement:
    """max_j sum_i alpha_ij, alpha_i = softmax_j(s_ij - slope |i - j|), logits s (T, T) scaled to max |s_ij| = B.

    In 40 digits, so that a bound that is attained is told from one that is broken.
    """
    s = np.asarray(logits, dtype=np.float64)
    length = s.shape[0]
    if s.shape != (length, length) or not np.isfinite(s).all():
        raise ValueError(f"logits must be a finite T x T array, got shape {s.shape}: one row per query")
    if not 0 <= logit_bound < math.inf:
        raise ValueError(f"logit_bound must be finite and nonnegative, got {logit_bound}: it bounds |s_ij|")
    s = s * (logit_bound / max(np.abs(s).max(), np.finfo(float).tiny))
    offsets = np.subtract.outer(np.arange(length), np.arange(length))
    with digits():
        biased = exponential(exactly(s) - mpmath.mpf(slope) * exactly(np.abs(offsets)))
        weights = np.where(causal & (offsets < 0), 0, biased)
        mass = (weights / weights.sum(axis=1, keepdims=True)).sum(axis=0).max()
        found = enclosure(mass, 1e-30 * length, "column sums in 40 digits")
    known = {"logit_bound": logit_bound, "length": length, "alibi_slope": slope}
    return Measurement(found, {word: known[word] for word in words})


def growing_jacobian_norm(*, length: int, logit_bound: float, value_norm: float) -> Measurement:
    """|Df(X)| at x_1 = 0, half of the others e_1, half -e_1, A = B e_1 e_1^T, V = value_norm I; length odd."""
    if length % 2 == 0:
        raise ValueError(f"length must be odd, got {length}: use length={length + 1}")
    tokens = [[0.0, 0.0], *([[(-1.0) ** t, 0.0] for t in range(length - 1)])]
    projection = [[1.0, 0.0], [0.0, 0.0]]
    found = jacobian_norm(
        encoding="none",
        tokens=tokens,
        query=[[logit_bound, 0.0], [0.0, 0.0]],
        key=projection,
        value=[[value_norm, 0.0], [0.0, value_norm]],
        radius=1.0,
        causal=False,
    )
    known = {"length": length, "logit_bound": logit_bound, "value_operator_norm": value_norm}
    return Measurement(found.estimate, known)


def rms_norm_derivative(*, point: list[float], gains: list[float], epsilon: float) -> Measurement:
    """|D(g x/(|x|^2/d + epsilon)^(1/2))| at the point x (d,); at the origin it is diagonal and taken exactly."""
    x, g = np.array(point, dtype=np.float64), np.array(gains, dtype=np.float64)
    if x.shape != g.shape or not epsilon > 0:
        raise ValueError(f"point and gains need one length and epsilon > 0, got {x.shape}, {g.shape}, {epsilon}")
    if x.ndim != 1 or not (np.isfinite(x).all() and np.isfinite(g).all()):
        raise ValueError("point and gains must be lists of finite numbers: pass one number per channel")
    largest = float(np.abs(g).max())
    parameters = {"gain_maximum": largest, "norm_epsilon": epsilon}
    if not x.any():
        with digits():
            return Measurement(enclosure(largest / mpmath.sqrt(epsilon), 1e-30 * largest, "diagonal"), parameters)
    square = float(x @ x) / x.size + epsilon
    derivative = g[:, None] * (np.eye(x.size) - np.outer(x, x) / (x.size * square)) / math.sqrt(square)
    rounding = 8 * EPS * x.size * largest / math.sqrt(square)
    return Measurement(exact(spectral(derivative), rounding, "singular values"), parameters)


def l2_jacobian_norm(*, tokens: Matrix, query: Matrix, value: Matrix) -> Measurement:
    """|Df(X)| of L2 attention with W_K = W_Q = query (d, d): alpha_i = softmax_j(-|y_i - y_j|^2), y = W_Q x/d^(1/4),
    f(X)_i = V W_Q^T sum_j alpha_ij y_j/d^(1/4)."""
    x, w, v = (np.array(array, dtype=np.float64) for array in (tokens, query, value))
    if x.ndim != 2 or not all(np.isfinite(array).all() for array in (x, w, v)):
        raise ValueError(f"tokens must be a finite T x d array, as query and value, got shape {x.shape}")
    length, dim = x.shape
    if w.shape != (dim, dim) or v.shape != (dim, dim):
        raise ValueError(f"query and value must be d x d, d = {dim}, got {w.shape} and {v.shape}: pad them with zeros")
    y = x @ w.T / dim**0.25
    gaps = y[:, None, :] - y[None, :, :]  # (T, T, d)
    weights = np.exp(-np.sum(gaps**2, axis=2))
    weights /= weights.sum(axis=1, keepdims=True)
    centred = y[None, :, :] - (weights @ y)[:, None, :]
    pull = 2 * np.einsum("ij,ija,ijb->ijab", weights, centred, gaps)
    blocks = weights[:, :, None, None] * np.eye(dim) + pull
    blocks[np.arange(length), np.arange(length)] -= pull.sum(axis=1)
    outer, inner = v @ w.T / dim**0.25, w / dim**0.25
    turned = np.einsum("ab,ijbc,cd->iajd", outer, blocks, inner).reshape(length * dim, length * dim)
    # s e^(s+1) = T - 1 at s = W((T-1)/e), rounded up
    spread = float(lambertw((length - 1) / math.e).real) * (1 + 1e-14) + 1e-15
    known = {"length": length, "dim": dim, "attended_spread": spread}
    known |= {"query_operator_norm": spectral(w) * (1 + 1e-14), "value_operator_norm": spectral(v) * (1 + 1e-14)}
    largest = float(np.abs(y).max())
    rounding = 64 * EPS * length * dim * (1 + largest**2) ** 2 * spectral(w) ** 2 * spectral(v)
    return Measurement(exact(spectral(turned), rounding, "singular values of the Jacobian"), known)
