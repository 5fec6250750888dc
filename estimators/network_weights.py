"""The numbers that training moves, in the layout of the fast program, and the network that they stand for."""

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Float

from estimators.network import Network
from estimators.network_positions import Numbers

Arrays = jax.Array | np.ndarray


class Weights(NamedTuple):
    """Columns of `qkv` are W_Q, W_K, W_V, each with its H heads of k channels one after the other; rows of `out` are
    those of W_O. `table`, `relative` and `bias` are the encoding's own numbers, as in
    `estimators.network_positions.Numbers`: 0 for an encoding without any."""

    embedding: Float[Arrays, "V d"]
    qkv: Float[Arrays, "L d three_d"]
    out: Float[Arrays, "L d d"]
    mlp_in: Float[Arrays, "L d m"]
    mlp_out: Float[Arrays, "L m d"]
    read: Float[Arrays, "d O"]
    level: Float[Arrays, " O"]
    table: Float[Arrays, "N d"]
    relative: Float[Arrays, "groups k"]
    bias: Float[Arrays, "H groups"]


def initial_weights(
    *, symbols: int, outputs: int, dim: int, layers: int, mlp_width: int, numbers: Numbers, seed: int
) -> Weights:
    """Entries N(0, 1/(channels read)); outputs of the blocks are shrunk by (2 L)^(1/2).

    A token of the residual stream then has mean square about that of its embedding, and content logits deviation 1.
    All encodings of one seed start from the same matrices.
    """
    rng = np.random.default_rng([seed, 0x6E6574])
    depth = np.sqrt(2 * layers)

    def normal(*shape: int, reads: int) -> np.ndarray:
        return rng.normal(size=shape) / np.sqrt(max(reads, 1))

    return Weights(
        embedding=normal(symbols, dim, reads=dim),
        qkv=normal(layers, dim, 3 * dim, reads=dim),
        out=normal(layers, dim, dim, reads=dim) / depth,
        mlp_in=normal(layers, dim, mlp_width, reads=dim),
        mlp_out=normal(layers, mlp_width, dim, reads=mlp_width) / depth,
        read=normal(dim, outputs, reads=dim),
        level=np.zeros(outputs),
        table=numbers.table,
        relative=numbers.relative,
        bias=numbers.bias,
    )


def network_of(weights: Weights, heads: int) -> Network:
    """The network in float64; W_Q/sqrt(k) and W_O W_V of every head."""
    embedding, qkv, out, mlp_in, mlp_out, read, level = (np.asarray(block, dtype=np.float64) for block in weights[:7])
    layers, dim = out.shape[:2]
    width = dim // heads
    query, key, value = (block.reshape(layers, dim, heads, width) for block in np.split(qkv, 3, axis=2))
    out = out.reshape(layers, heads, width, dim)
    return Network(
        embedding=embedding,
        queries=query.transpose(0, 2, 3, 1) / np.sqrt(width),
        keys=key.transpose(0, 2, 3, 1),
        values=np.einsum("lhke,ldhk->lhed", out, value),
        mlp_in=mlp_in.transpose(0, 2, 1),
        mlp_out=mlp_out.transpose(0, 2, 1),
        read=read.T,
        level=level,
    )


def numbers_of(weights: Weights) -> Numbers:
    """The encoding's own numbers in float64."""
    return Numbers(*(np.asarray(block, dtype=np.float64) for block in (weights.table, weights.relative, weights.bias)))
