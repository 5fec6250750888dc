"""Plain ALiBi layers x <- phi(x + V sum_k alpha_k x_(i-k)), seen in full and on their last tokens: what is lost.

alpha_i = softmax_k(<x_(i-k), A x_i> - m k), causal; phi(x) = Phi x, shortened to norm `radius` where that is given, has
the Lipschitz constant Phi. Constants of `theory.extrapolation_depth` are measured on both runs: R is the largest norm
of a layer's input, B = |A| R^2. Letters: T tokens, d channels, L layers, w kept tokens.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from estimators.claim import Measurement
from estimators.depth_recursion import SLIP, largest_means, plain_errors, plain_gradients
from estimators.estimate import Estimate, exact

Array = np.ndarray
Matrix = list[list[float]]
EPS = 2.0**-52
UP = 1 + 1e-13
STEP = 1e-30  # of the complex step: derivatives without cancellation


class Plain(NamedTuple):
    """A and V (L, d, d), m, Phi, the radius of phi (infinity: none), and how far back a query sees (0: all)."""

    interactions: Any
    values: Any
    slope: float
    gain: float
    radius: float
    reach: int = 0


class Constants(NamedTuple):
    """Of two runs, rounded up: |V|, B, R, Phi."""

    value_operator_norm: float
    logit_bound: float
    token_norm: float
    layer_lipschitz: float


def network(
    interactions: list[Matrix], values: list[Matrix], slope: float, gain: float = 1.0, radius: float = 0.0
) -> Plain:
    """The layers; radius 0: phi does not shorten. ValueError for wrong shapes and numbers."""
    A, V = np.array(interactions, dtype=np.float64), np.array(values, dtype=np.float64)
    if A.ndim != 3 or A.shape != V.shape or A.shape[1] != A.shape[2] or 0 in A.shape:
        raise ValueError(f"interactions and values must be L x d x d, got {A.shape} and {V.shape}: one pair per layer")
    if not (np.isfinite(A).all() and np.isfinite(V).all()):
        raise ValueError("interactions and values must be finite: remove NaN and infinity")
    if not (0 < slope < math.inf and 0 <= gain < math.inf and 0 <= radius < math.inf):
        raise ValueError(f"need slope > 0, gain and radius >= 0, got {slope}, {gain}, {radius}: use slope=0.5, gain=1")
    return Plain(A, V, float(slope), float(gain), float(radius) or math.inf)


def checked_tokens(tokens: Matrix, made: Plain) -> Array:
    """Tokens (T, d) as an array; ValueError unless finite and of the network's channels."""
    x = np.array(tokens, dtype=np.float64)
    dim = made.values.shape[1]
    if x.ndim != 2 or x.shape[0] < 1 or x.shape[1] != dim or not np.isfinite(x).all():
        raise ValueError(f"tokens must be a finite T x {dim} array, got shape {x.shape}: pass one row per token")
    return x


def runs(made: Plain, x: Array) -> list[Array]:
    """x^0 .. x^L of tokens (..., T, d), real or complex."""
    length = x.shape[-2]
    distances = np.subtract.outer(np.arange(length), np.arange(length))
    seen = (distances >= 0) & (distances < (made.reach or length))
    bias, found = np.where(seen, -made.slope * distances, -np.inf), [x]
    for A, V in zip(made.interactions, made.values, strict=True):
        logits = (x @ A.T) @ np.swapaxes(x, -1, -2) + bias
        weights = np.exp(logits - logits.real.max(axis=-1, keepdims=True))
        weights = weights / weights.sum(axis=-1, keepdims=True)
        x = made.gain * (x + weights @ x @ V.T)
        if made.radius < math.inf:
            size = np.sqrt((x**2).sum(axis=-1, keepdims=True))
            x = np.where(size.real > made.radius, x * (made.radius / np.where(size == 0, 1.0, size)), x)
        found.append(x)
    return found


def constants(made: Plain, *several: list[Array]) -> Constants:
    """Measured on these runs."""
    radius = UP * max(float(np.linalg.norm(x, axis=-1).max()) for run in several for x in run[:-1])
    norms = [float(np.linalg.norm(m, 2, axis=(-2, -1)).max()) for m in (made.values, made.interactions)]
    return Constants(UP * norms[0], UP * norms[1] * radius**2, radius, made.gain)


def rounding(made: Plain, known: Constants, length: int) -> float:
    """How wrong a token may be after all layers: an error of one layer, grown by every layer's Lipschitz constant."""
    nu, B = known.value_operator_norm, known.logit_bound
    grown = max(1.0, known.layer_lipschitz * (1 + nu * (2 + 3 * B)))
    return 32 * EPS * (length + 4 * (1 + B)) * known.token_norm * (1 + nu) * grown ** len(made.values)


def truncation(
    *,
    tokens: Matrix,
    interactions: list[Matrix],
    values: list[Matrix],
    slope: float,
    window: int,
    gain: float = 1.0,
    radius: float = 0.0,
    step: bool = False,
) -> Measurement:
    """|x^L - xt^L| of the last token, xt from the last `window` tokens alone; for `depth_closed_form`.

    With `step` the words are those of `depth_step` for the last layer: measured errors before it, and their LP.
    """
    made = network(interactions, values, slope, gain, radius)
    x = checked_tokens(tokens, made)
    if not 1 <= window <= len(x) or int(window) != window:
        raise ValueError(f"window must be a whole number from 1 to {len(x)}, got {window}: keep that many tokens")
    full, short = runs(made, x), runs(made, x[len(x) - window :])
    known = constants(made, full, short)
    slack = rounding(made, known, len(x))
    lost = [np.linalg.norm(a[len(x) - window :] - b, axis=1) for a, b in zip(full, short, strict=True)]
    error = float(lost[-1][-1])
    found = Estimate(max(0.0, error - slack), error + slack, 1.0, "two runs in float64")
    words = {**known._asdict(), "alibi_slope": slope, "window": window}
    if not step:
        return Measurement(found, words, f"alibi:slope={slope}", {"layers": len(made.values)})
    before = lost[-2] + (slack if len(lost) > 2 else 0.0)
    bias = -slope * np.arange(window)[None, ::-1]
    words |= {
        "own_error": float(before[-1]),
        "attended_error": float(largest_means(bias, known.logit_bound, before)[0]),
    }
    return Measurement(found, words, f"alibi:slope={slope}")


def recursion(
    *, layers: int, window: int, slope: float, logit_bound: float, value_norm: float, token_norm: float, gain: float
) -> Measurement:
    """e_L(window - 1) of the recursion, which the closed form is never below."""
    given = {"slope": slope, "logit_bound": logit_bound, "value_norm": value_norm, "token_norm": token_norm}
    error = plain_errors(layers=layers, kept=window, layer_lipschitz=gain, **given)[-1, -1]
    words = {"alibi_slope": slope, "logit_bound": logit_bound, "value_operator_norm": value_norm, "window": window}
    words |= {"token_norm": token_norm, "layer_lipschitz": gain}
    found = exact(float(error), float(error) * (3 * layers) * SLIP, "recursion in float64")
    return Measurement(found, words, f"alibi:slope={slope}", {"layers": layers})


def gradients(made: Plain, x: Array, tokens: Sequence[int]) -> Array:
    """d x^L/d x^0_j of the last token for each j of `tokens`, (J, d, d), rows are outputs: complex steps, no
    differences."""
    length, dim = x.shape
    steps = np.eye(length * dim).reshape(length, dim, length, dim)[list(tokens)]
    ends = runs(made, x + 1j * STEP * steps)[-1][..., -1, :]  # (J, d, d), inputs before outputs
    return np.swapaxes(np.imag(ends) / STEP, -1, -2)


def gradient(
    *,
    tokens: Matrix,
    interactions: list[Matrix],
    values: list[Matrix],
    slope: float,
    distance: int,
    gain: float = 1.0,
    radius: float = 0.0,
) -> Measurement:
    """|d x^L_T/d x^0_(T-D)|, spectral norm, D = `distance` >= 1.

    Rounding: all terms of the derivative without their signs add up to the recursion at most.
    """
    made = network(interactions, values, slope, gain, radius)
    x = checked_tokens(tokens, made)
    if not 1 <= distance < len(x):
        raise ValueError(f"distance must be from 1 to {len(x) - 1}, got {distance}: the last token looks back")
    known = constants(made, runs(made, x))
    norm = float(np.linalg.norm(gradients(made, x, [len(x) - 1 - distance])[0], 2))
    nu, B, layers = known.value_operator_norm, known.logit_bound, len(made.values)
    bounds = plain_gradients(
        layers=layers, reach=distance + 1, slope=slope, logit_bound=B, value_norm=nu, layer_lipschitz=gain
    )
    slack = 64 * EPS * layers * (len(x) + 8 * (1 + B)) * float(bounds[-1, -1])
    words = {"value_operator_norm": nu, "logit_bound": B, "layer_lipschitz": gain}
    words |= {"alibi_slope": slope, "distance": distance}
    found = Estimate(max(0.0, norm - slack), norm + slack, 1.0, "complex steps")
    return Measurement(found, words, f"alibi:slope={slope}", {"layers": layers})


def tokens_read(
    *, tokens: Matrix, interactions: list[Matrix], values: list[Matrix], slope: float, window: int
) -> Measurement:
    """How many tokens the last one depends on where queries see distances below `window`: derivatives other than 0."""
    made = network(interactions, values, slope)
    x = checked_tokens(tokens, made)
    if window < 1:
        raise ValueError(f"window must be at least 1, got {window}: a query sees itself")
    moves = gradients(made._replace(reach=window), x, range(len(x)))
    read = int((moves != 0).any(axis=(1, 2)).sum())
    return Measurement(exact(float(read), 0.0, "complex steps"), {"layers": len(made.values), "window": window})
