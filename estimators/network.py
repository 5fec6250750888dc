"""One Transformer, random or trained, as plain float64 arrays with everything that happens inside it.

Token a_s at position s = 0 .. T-1 enters as x^0_s = E[a_s] + p_s. Layer l = 1 .. L, heads h = 1 .. H of width k:
  z = Norm(x^(l-1)),   s^h_st = <R_s Q z_s, R_t K z_t + r_(s-t)>,   alpha^h_st = softmax_t(s^h_st + b^h_st)
  y_s = x_s + sum_h V_h sum_t alpha^h_st z_t,   x^l_s = y_s + M2 relu(M1 Norm(y)_s)
  output_s = U Norm(x^L)_s + c
s are the content logits; Q stands for W_Q/sqrt(k), V_h for W_O W_V of the head. Norm is RMSNorm without gain,
x/(|x|^2/d + epsilon)^(1/2). R_s turns channel pairs (j, j + k/2) of a head by the angles of position s (rotary only); r
are relative vectors (`relative` only); b is -infinity where query s does not see key t. With W = Q^T K this is
`estimators.transformer`, read at every position.

Letters: n sequences, T tokens, d channels, V symbols, L layers, H heads, k channels of a head, m MLP rows, O outputs.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int

Array = np.ndarray
EPSILON = 1e-6
SITES = ("embedded", "heads", "attention", "after-attention", "mlp", "residual")


class Network(NamedTuple):
    """The matrices of a network; `queries` hold the factor 1/sqrt(k)."""

    embedding: Float64[Array, "V d"]
    queries: Float64[Array, "L H k d"]
    keys: Float64[Array, "L H k d"]
    values: Float64[Array, "L H d d"]
    mlp_in: Float64[Array, "L m d"]
    mlp_out: Float64[Array, "L d m"]
    read: Float64[Array, "O d"]
    level: Float64[Array, " O"]


class Positions(NamedTuple):
    """What the encoding and the mask contribute at one length T; row T-1+D of `relative` is r_D, D = s - t."""

    table: Float64[Array, "T d"]
    bias: Float64[Array, "H T T"]
    cosine: Float64[Array, "T half"]
    sine: Float64[Array, "T half"]
    relative: Float64[Array, "offsets k"]


class LayerRun(NamedTuple):
    """One layer on n sequences. `content` are the logits without bias; `mixed` is sum_t alpha_st z_t of every head."""

    entering: Float64[Array, "n T d"]
    normalised: Float64[Array, "n T d"]
    content: Float64[Array, "n H T T"]
    weights: Float64[Array, "n H T T"]
    mixed: Float64[Array, "n H T d"]
    heads: Float64[Array, "n H T d"]
    after_attention: Float64[Array, "n T d"]
    mlp: Float64[Array, "n T d"]
    leaving: Float64[Array, "n T d"]


def norm(x: Float64[Array, "*batch d"]) -> Float64[Array, "*batch d"]:
    """RMSNorm without gain along the last axis."""
    return x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + EPSILON)


def turned(x: Float64[Array, "*batch T k"], positions: Positions) -> Float64[Array, "*batch T k"]:
    """R_s x_s: pair (j, j + k/2) turned by the angles of its position."""
    half = positions.cosine.shape[1]
    first, second = x[..., :half], x[..., half : 2 * half]
    cosine, sine = positions.cosine, positions.sine
    return np.concatenate([first * cosine - second * sine, first * sine + second * cosine, x[..., 2 * half :]], axis=-1)


def softmax(logits: Float64[Array, "*batch T"]) -> Float64[Array, "*batch T"]:
    """Along the last axis; -infinity gives weight 0."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def embedded(network: Network, positions: Positions, inputs: Int[Array, "n T"]) -> Float64[Array, "n T d"]:
    """x^0; ValueError for symbols that the network does not know and for lengths other than that of `positions`."""
    symbols, length = np.asarray(inputs), positions.table.shape[0]
    if symbols.ndim != 2 or symbols.shape[1] != length or symbols.shape[0] == 0:
        raise ValueError(f"inputs must have shape (n, {length}) with n >= 1, got {symbols.shape}: give whole sequences")
    known = network.embedding.shape[0]
    if symbols.min() < 0 or symbols.max() >= known:
        raise ValueError(f"the network knows symbols 0 to {known - 1}, got {symbols.min()} to {symbols.max()}")
    return network.embedding[symbols] + positions.table


def layer_run(network: Network, positions: Positions, layer: int, x: Float64[Array, "n T d"]) -> LayerRun:
    """One layer, l = layer + 1, with everything inside it."""
    length = x.shape[1]
    z = norm(x)
    query = np.einsum("ntd,hkd->nhtk", z, network.queries[layer])
    query = turned(query, positions)
    key = turned(np.einsum("ntd,hkd->nhtk", z, network.keys[layer]), positions)
    content = query @ key.swapaxes(-1, -2)
    if positions.relative.any():
        offsets = np.subtract.outer(np.arange(length), np.arange(length)) + length - 1
        shifts = query @ positions.relative.T  # (n, H, T, offsets)
        content = content + np.take_along_axis(shifts, np.broadcast_to(offsets, content.shape), axis=-1)
    weights = softmax(content + positions.bias)
    mixed = weights @ z[:, None]
    heads = np.einsum("nhtd,hed->nhte", mixed, network.values[layer])
    after = x + heads.sum(axis=1)
    mlp = np.maximum(norm(after) @ network.mlp_in[layer].T, 0.0) @ network.mlp_out[layer].T
    return LayerRun(x, z, content, weights, mixed, heads, after, mlp, after + mlp)


def layer_runs(network: Network, positions: Positions, inputs: Int[Array, "n T"]) -> Iterator[LayerRun]:
    """Every layer in order; only one is held at a time."""
    x = embedded(network, positions, inputs)
    for layer in range(network.queries.shape[0]):
        run = layer_run(network, positions, layer, x)
        yield run
        x = run.leaving


def read_out(network: Network, x: Float64[Array, "n T d"]) -> Float64[Array, "n T O"]:
    """U Norm(x) + c."""
    return norm(x) @ network.read.T + network.level


def outputs(network: Network, positions: Positions, inputs: Int[Array, "n T"]) -> Float64[Array, "n T O"]:
    """The output at every position."""
    x = embedded(network, positions, inputs)
    for run in layer_runs(network, positions, inputs):
        x = run.leaving
    return read_out(network, x)
