"""What one pre-norm layer does to the difference of two runs, from constants measured on both.

`theory.extrapolation_depth`: `truncated_head` for every head with z = N(x), then `pre_norm_step`; no difference exceeds
the sum of the two norms measured (`ceiling`). Positions are those of the w kept tokens, oldest first. Letters: H heads,
d channels, w kept tokens, T tokens of the full run.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from estimators.depth_heads import diameter
from estimators.depth_recursion import SLIP, largest_means
from estimators.network import EPSILON, LayerRun, Network, Positions

Array = np.ndarray
EPS = 2.0**-52
UP = 1 + 1e-13


class HeadConstants(NamedTuple):
    """Of one head, the largest over sequences; by query where they have the length w.

    tail: bound of the attention on keys before the kept ones, from the biases and the query's B (`tail_mass_upper`).
    reach: half the range of the content logits of the kept keys, in both runs. bias: of query and key. ceiling: |o| +
    |ot|. diameter: of V z, all tokens of the full run, kept ones of the other. The last three: |V|, kappa, upsilon.
    """

    tail: Float64[Array, " w"]
    reach: Float64[Array, " w"]
    bias: Float64[Array, "w w"]
    ceiling: Float64[Array, " w"]
    diameter: float
    value_norm: float
    key_sensitivity: float
    query_sensitivity: float


class LayerConstants(NamedTuple):
    """token_gain and after_gain: largest 1/(rho rho')^(1/2) of x and of y by position; ceiling: |x'| + |xt'|; mlp: |M2|
    |M1|; rounding: of a token that leaves the layer."""

    heads: tuple[HeadConstants, ...]
    token_gain: Float64[Array, " w"]
    after_gain: Float64[Array, " w"]
    ceiling: Float64[Array, " w"]
    mlp: float
    rounding: float


def layer_constants(
    network: Network, positions: Positions, layer: int, full: LayerRun, short: LayerRun
) -> LayerConstants:
    """Measured on the full run and on the run of its last w tokens; pass one run twice for derivatives at it."""
    count, heads = short.entering.shape[1], positions.bias.shape[0]
    mlp = _norm(network.mlp_in[layer]) * _norm(network.mlp_out[layer])
    size = max(float(np.abs(x).max()) for run in (full, short) for x in (run.entering, run.leaving))
    exponents = float(np.abs(full.content).max() + np.abs(positions.bias[np.isfinite(positions.bias)]).max())
    rounding = 64 * EPS * (full.entering.shape[1] + 4 * (1 + exponents)) * (size + mlp) * (1 + mlp + heads)
    kept = slice(full.entering.shape[1] - count, None)
    return LayerConstants(
        tuple(_head(network, positions, layer, head, full, short) for head in range(heads)),
        _gain(full.entering[:, kept], short.entering),
        _gain(full.after_attention[:, kept], short.after_attention),
        _ceiling(full.leaving[:, kept], short.leaving),
        mlp,
        rounding,
    )


def _head(
    network: Network, positions: Positions, layer: int, head: int, full: LayerRun, short: LayerRun
) -> HeadConstants:
    length, count = full.entering.shape[1], short.entering.shape[1]
    cut = length - count
    bias = positions.bias[head, cut:]  # (w, T)
    content = full.content[:, head, cut:]  # (n, w, T)
    seen = np.isfinite(bias)
    kept = seen[:, cut:]
    reach = np.maximum(_half_range(content[..., cut:], kept), _half_range(short.content[:, head], kept))
    Q, K, V = network.queries[layer, head], network.keys[layer, head], network.values[layer, head]
    largest_shift = float(np.linalg.norm(positions.relative, axis=1).max())
    if positions.sine.any():
        # Rotations stand between Q and K: norms of the factors.
        key = _norm(K) * _largest(full.normalised @ Q.T)
        query = _norm(Q) * (_largest(short.normalised @ K.T) + largest_shift)
    else:
        key = _largest(full.normalised @ (K.T @ Q).T)
        shift = _largest(positions.relative @ Q) if largest_shift else 0.0
        query = _largest(short.normalised @ (K.T @ Q)) + shift
    values = [np.einsum("ntd,ed->nte", run.normalised, V) for run in (full, short)]
    spread = max(diameter(one) for value in values for one in value)
    tail = _tail(bias, cut, _half_range(content, seen))
    ceiling = _ceiling(full.heads[:, head, cut:], short.heads[:, head])
    return HeadConstants(tail, reach, bias[:, cut:], ceiling, spread, _norm(V), key, query)


def _tail(bias: Float64[Array, "w T"], cut: int, reach: Float64[Array, " w"]) -> Float64[Array, " w"]:
    """T/(T + e^(-2B) H), T over the keys before the cut, H over the others; 0 where nothing is cut."""
    weights = np.exp(bias - bias.max(axis=1, keepdims=True))
    far = weights[:, :cut].sum(axis=1)
    near = np.exp(-2 * reach) * weights[:, cut:].sum(axis=1)
    return np.divide(far, far + near, out=np.zeros_like(far), where=far > 0) * (1 + SLIP)


def heads_error(constants: LayerConstants, errors: Float64[Array, " w"]) -> Float64[Array, " w"]:
    """sum_h |o_h - ot_h| by position, from bounds of |x - xt|."""
    total = np.zeros_like(errors)
    for head, moved in zip(constants.heads, heads_moved(constants, errors), strict=True):
        total += np.minimum(moved + head.diameter * head.tail, head.ceiling)
    return total * (1 + SLIP)


def heads_moved(constants: LayerConstants, errors: Float64[Array, " w"]) -> list[Float64[Array, " w"]]:
    """By head, what moved tokens add: `truncated_head` without its first term."""
    moved, found = constants.token_gain * errors, []
    for head in constants.heads:
        attended = largest_means(head.bias, head.reach, moved)
        own = head.query_sensitivity * head.diameter * moved / 2
        found.append((head.value_norm + head.key_sensitivity * head.diameter) * attended + own)
    return found


def grown(constants: LayerConstants, errors: Float64[Array, " w"], heads: Float64[Array, " w"]) -> Float64[Array, " w"]:
    """`pre_norm_step` by position: (1 + mu gain of y) (e + sum over heads), raised by rounding."""
    return (1 + constants.mlp * constants.after_gain) * (errors + heads) * (1 + SLIP)


def linear(constants: LayerConstants, errors: Float64[Array, " w"]) -> Float64[Array, " w"]:
    """The step where no key is cut and no norm caps: for derivatives (constants of one run taken twice), rounding."""
    moved = heads_moved(constants, errors)
    return grown(constants, errors, np.sum(moved, axis=0) * (1 + SLIP))


def _ceiling(first: Float64[Array, "n w d"], second: Float64[Array, "n w d"]) -> Float64[Array, " w"]:
    return UP * (np.linalg.norm(first, axis=-1) + np.linalg.norm(second, axis=-1)).max(axis=0)


def _gain(first: Float64[Array, "n w d"], second: Float64[Array, "n w d"]) -> Float64[Array, " w"]:
    scales = [np.mean(x**2, axis=-1) + EPSILON for x in (first, second)]
    return UP * ((scales[0] * scales[1]) ** -0.25).max(axis=0)


def _half_range(content: Float64[Array, "n w K"], seen: np.ndarray) -> Float64[Array, " w"]:
    """Of the logits that each query sees, largest over sequences."""
    high = np.where(seen, content, -np.inf).max(axis=-1)
    low = np.where(seen, content, np.inf).min(axis=-1)
    return UP * (high - low).max(axis=0) / 2


def _largest(vectors: Float64[Array, "*batch d"]) -> float:
    return UP * float(np.linalg.norm(vectors, axis=-1).max())


def _norm(matrix: Float64[Array, "rows columns"]) -> float:
    """The largest singular value; 0 for a matrix without rows."""
    return UP * float(np.linalg.norm(matrix, 2)) if 0 not in matrix.shape else 0.0
