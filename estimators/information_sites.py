"""What a network holds at each site of each layer, for laws of inputs that can be sampled, or listed entirely.

A content x (n, T, d) is what the tokens bring before the table of the encoding is added, x^0 = x + p. Laws of contents:
  symbols   every token independent and uniform on V symbols, through the embedding of the network
  fixed     one sequence of such symbols, known: a deterministic code at every site
  gaussian  independent tokens N(0, I_d/d), placed directly as x, not through the embedding
  text      windows of a corpus, bytes through the embedding: independent only as far as the corpus allows
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

from estimators.corpus import text_windows
from estimators.network import EPSILON, SITES, Network, Positions
from estimators.network_member import Member

Array = np.ndarray
Law = Literal["symbols", "fixed", "gaussian", "text"]
BLOCK = 16  # sequences run together at most: their logits stay in the cache
LOGITS = 1 << 25  # of one block
LISTED = 4096  # most contents that are listed entirely


@dataclass(frozen=True)
class Inputs:
    """The law of the contents at one length; `seed` makes the draws, `text` the corpus (None: the standard library).

    symbols: V of the law, at most those of the network; bytes for text.
    """

    law: Law
    length: int
    symbols: int
    seed: int = 0
    text: Path | None = None

    @property
    def count(self) -> int | None:
        """How many contents the law has, equally probable; None if infinite or unknown."""
        if self.law == "fixed":
            return 1
        return self.symbols**self.length if self.law == "symbols" else None

    @property
    def listed(self) -> bool:
        return self.count is not None and self.count <= LISTED

    def draw(self, network: Network, count: int) -> Float64[Array, "n T d"]:
        """`count` contents; those of fewer are the first ones."""
        rng = np.random.default_rng([self.seed, 0x696E70])
        dim = network.embedding.shape[1]
        if self.law == "gaussian":
            return rng.standard_normal((count, self.length, dim)) / np.sqrt(dim)
        if self.law == "text":
            windows, _ = text_windows(self.text, samples=count, length=self.length, generator=rng)
            return network.embedding[np.asarray(windows, dtype=np.int64)]
        if self.law == "fixed":
            return np.repeat(self.all(network), count, axis=0)
        return network.embedding[rng.integers(self.symbols, size=(count, self.length))]

    def all(self, network: Network) -> Float64[Array, "n T d"]:
        """Every content of the law once; ValueError where they are too many to list."""
        if not self.listed:
            raise ValueError(f"the law has {self.count or 'infinitely many'} contents, at most {LISTED} can be listed")
        if self.law == "fixed":
            rng = np.random.default_rng([self.seed, 0x666978])
            return network.embedding[rng.integers(self.symbols, size=(1, self.length))]
        codes = np.arange(self.symbols**self.length)[:, None] // self.symbols ** np.arange(self.length) % self.symbols
        return network.embedding[codes]

    def tokens(self, network: Network) -> Float64[Array, "V T d"]:
        """Every content of one token, at all positions: the law of x^0 at a position, whatever the others are."""
        return np.repeat(network.embedding[: self.symbols, None], self.length, axis=1)


def layer_sites(
    network: Network, positions: Positions, layer: int, x: Float64[Array, "n T d"], sites: Sequence[str]
) -> dict[str, Float64[Array, "n T c"]]:
    """`estimators.network.layer_run` in blocks of sequences, keeping `sites` only; `heads` has H d channels."""
    width = x.shape[2] * network.values.shape[1]
    found = {site: np.empty((*x.shape[:2], width if site == "heads" else x.shape[2])) for site in sites}
    matrices = tuple(part[layer] for part in network[1:6])
    size = min(BLOCK, max(1, LOGITS // (network.values.shape[1] * x.shape[1] ** 2)))
    for start in range(0, x.shape[0], size):
        block = x[start : start + size]
        padded = np.concatenate([block, np.zeros((size - len(block), *x.shape[1:]))])  # one compiled shape
        made = _block(matrices, positions, padded, bool(positions.relative.any()), "heads" in sites)
        for site in sites:
            found[site][start : start + len(block)] = np.asarray(made[site])[: len(block)]
    return found


def _norm(x: Any) -> jax.Array:
    return x / jnp.sqrt(jnp.mean(x**2, axis=-1, keepdims=True) + EPSILON)


@partial(jax.jit, static_argnames=("relative", "heads_too"))
def _block(matrices: tuple[Any, ...], positions: Any, x: Any, relative: bool, heads_too: bool) -> dict[str, jax.Array]:
    queries, keys, values, mlp_in, mlp_out = matrices
    count, length, dim = x.shape
    heads, width = queries.shape[:2]
    half = positions.cosine.shape[1]
    z = _norm(jnp.asarray(x))

    def split(matrix: Any) -> jax.Array:
        made = z.reshape(-1, dim) @ matrix.reshape(heads * width, dim).T
        made = made.reshape(count, length, heads, width).swapaxes(1, 2)  # (n, H, T, k)
        first, second = made[..., :half], made[..., half : 2 * half]
        cosine, sine = positions.cosine, positions.sine
        parts = [first * cosine - second * sine, first * sine + second * cosine, made[..., 2 * half :]]
        return jnp.concatenate(parts, axis=-1)

    query = split(queries)
    logits = query @ split(keys).swapaxes(-1, -2) + positions.bias
    if relative:
        offsets = np.subtract.outer(np.arange(length), np.arange(length)) + length - 1
        shifts = query @ positions.relative.T  # (n, H, T, offsets)
        logits += jnp.take_along_axis(shifts, jnp.broadcast_to(offsets, logits.shape), axis=-1)
    weights = jax.nn.softmax(logits, axis=-1)
    mixed = (weights.reshape(count, -1, length) @ z).reshape(count, heads, length, dim).swapaxes(1, 2)
    joined = values.swapaxes(1, 2).reshape(heads * dim, dim)  # rows (h, channel read)
    attention = (mixed.reshape(-1, heads * dim) @ joined).reshape(count, length, dim)
    after = jnp.asarray(x) + attention
    mlp = jnp.maximum(_norm(after) @ mlp_in.T, 0.0) @ mlp_out.T
    found = {"attention": attention, "after-attention": after, "mlp": mlp, "residual": after + mlp}
    if heads_too:
        found["heads"] = jnp.einsum("nthd,hed->nthe", mixed, values).reshape(count, length, heads * dim)
    return found


def activations(
    member: Member, content: Float64[Array, "n T d"], sites: Sequence[str], layers: int | None = None
) -> Iterator[tuple[int, str, Float64[Array, "n T c"]]]:
    """(0, "embedded", x^0), then (l, site, H) for l = 1 .. L and the wanted sites in the order of `SITES`."""
    check_sites(sites)
    positions = member.positions(content.shape[1])
    x = content + positions.table
    yield 0, "embedded", x
    for layer in range(member.network.queries.shape[0] if layers is None else layers):
        found = layer_sites(member.network, positions, layer, x, [*dict.fromkeys([*sites, "residual"])])
        x = found["residual"]
        for site in SITES:
            if site in sites and site in found:
                yield layer + 1, site, found[site]


def check_sites(sites: Sequence[str]) -> None:
    """ValueError for names that are no sites of a layer."""
    for site in sites:
        if site not in SITES or site == "embedded":
            raise ValueError(f"unknown site {site!r}: use one of {', '.join(SITES[1:])}; layer 0 is always shown")


def radius(network: Network, layer: int, site: str, content: float, table: float) -> float:
    """A bound on |H| at a site for every input, from |x^0| <= content + table: |Norm(x)| <= sqrt(d), weights sum to 1.

    With a_l = sqrt(d) sum_h |V_h| and m_l = sqrt(d) |M1| |M2| (operator norms): |x^l| <= |x^(l-1)| + a_l + m_l.
    """
    root = np.sqrt(network.embedding.shape[1])
    reach = content + table

    def size(matrix: Array) -> float:
        return float(np.linalg.norm(matrix, 2)) if matrix.size else 0.0

    for index in range(layer):
        each = [root * size(matrix) for matrix in network.values[index]]
        attention, mlp = sum(each), root * size(network.mlp_in[index]) * size(network.mlp_out[index])
        if index == layer - 1:
            parts = {"heads": float(np.linalg.norm(each)), "attention": attention, "mlp": mlp}
            parts |= {"after-attention": reach + attention, "residual": reach + attention + mlp}
            return parts[site] * (1 + 1e-9)
        reach += attention + mlp
    return reach * (1 + 1e-9)
