"""What the heads of a network do with far keys: logit bounds, values, attention mass and output beyond every window.

Distances are |s - t|. Logits and weights are those of `estimators.network` in float64, taken as they are; every mass is
the sum of its far weights, never one minus the rest. Letters: n sequences, T tokens, H heads, L layers, w window.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int

from estimators.depth_heads import diameter
from estimators.network import LayerRun, Network, Positions, layer_runs, softmax

Array = np.ndarray
EPS = 2.0**-52
UP = 1 + 1e-13
BLOCK = 1 << 22  # weights of one layer held at a time
MOST_QUERIES = 128  # at which outputs of a window are compared


@dataclass(frozen=True)
class HeadTails:
    """One head of one layer, at its worst query over the sequences measured.

    logit_bound: half the range of the content logits (without bias) that one query sees: the least B that some constant
    per query makes true. masses[w], w = 0 .. T-1: most attention of a query on distances >= w; least_masses[w]: least
    attention of the last query. value_norm, value_diameter: of V z over the tokens of one sequence. truncations:
    |o - o_w| for w in `windows`, o_w the output of the head that sees distances below w, at evenly spaced queries, the
    last among them (all, up to 128). exponent: largest |content| + |bias|, which sets the rounding of weights.
    """

    layer: int
    head: int
    length: int
    logit_bound: float
    value_norm: float
    value_diameter: float
    masses: Float64[Array, " T"]
    least_masses: Float64[Array, " T"]
    windows: tuple[int, ...]
    truncations: tuple[float, ...]
    exponent: float

    @property
    def relative_error(self) -> float:
        """Of a mass: exponents are rounded, then summed."""
        return EPS * (8 * self.exponent + self.length + 32)

    def horizon(self, tolerance: float) -> int:
        """The least w >= 1 with at most `tolerance` of the attention beyond it at every query; T leaves out nothing."""
        within = np.flatnonzero(self.masses[1:] <= tolerance)
        return int(within[0]) + 1 if within.size else self.length


@dataclass(frozen=True)
class BiasTails:
    """Of the biases of one length: largest[h, w] is max over queries of T_w/H_w, last[h, w] that of the last query,
    oscillation[h] the range of the biases that the last query sees. Column 0 is not used (nothing is near)."""

    largest: Float64[Array, "H T"]
    last: Float64[Array, "H T"]
    oscillation: Float64[Array, " H"]


def by_distance(weights: Float64[Array, "*batch T T"]) -> Float64[Array, "*batch T T"]:
    """Entry (s, k): the weights of query s on keys at distance k, before and after it."""
    found = _before(weights)
    after = np.triu(weights, 1)
    # Turned around, a key after its query is one before it.
    return found + _before(after[..., ::-1, ::-1])[..., ::-1, :] if after.any() else found


def _before(weights: Float64[Array, "*batch T T"]) -> Float64[Array, "*batch T T"]:
    """Entry (s, k) is weight (s, s - k) or 0: read in rows of 2T - 1, row s of 2T entries moves to the left by s."""
    length = weights.shape[-1]
    padded = np.concatenate([weights[..., ::-1], np.zeros_like(weights)], axis=-1)
    flat = padded.reshape(*weights.shape[:-2], -1)[..., length - 1 : length - 1 + length * (2 * length - 1)]
    return flat.reshape(*weights.shape[:-1], 2 * length - 1)[..., :length]


def far_sums(weights: Float64[Array, "*batch T"]) -> Float64[Array, "*batch T"]:
    """Entry w: the sum over distances >= w of weights by distance, from the farthest on."""
    return np.cumsum(weights[..., ::-1], axis=-1)[..., ::-1]


def bias_tails(positions: Positions) -> BiasTails:
    """T_w/H_w of every head; infinite, which says nothing, where the near weights are below the floats."""
    bias = positions.bias
    weights = by_distance(np.exp(bias - bias.max(axis=-1, keepdims=True)))
    near = np.zeros_like(weights)
    near[..., 1:] = np.cumsum(weights, axis=-1)[..., :-1]
    far = far_sums(weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(far > 0, far / near, 0.0)
    last = bias[:, -1]
    seen = np.isfinite(last)
    spread = np.where(seen, last, -np.inf).max(axis=1) - np.where(seen, last, np.inf).min(axis=1)
    return BiasTails(ratio.max(axis=1), ratio[:, -1], spread * UP)


def default_windows(length: int, train_length: int) -> tuple[int, ...]:
    """Powers of two and the training length, below `length`."""
    powers = [1 << k for k in range(length.bit_length()) if 1 << k < length]
    return tuple(sorted({*powers, *([train_length] if train_length < length else [])}))


def head_tails(
    network: Network,
    positions: Positions,
    inputs: Int[Array, "n T"],
    windows: Sequence[int],
) -> list[HeadTails]:
    """Every head of every layer, layers first. Sequences go in groups, so memory does not grow with their number.

    ValueError for windows outside 1 .. T-1, and for inputs as in `estimators.network.embedded`.
    """
    symbols = np.asarray(inputs)
    length, heads = positions.table.shape[0], positions.bias.shape[0]
    wrong = [w for w in windows if not (1 <= w < length and int(w) == w)]
    if wrong:
        raise ValueError(f"windows must be whole numbers from 1 to {length - 1}, got {wrong[0]}: keep that many tokens")
    group = max(1, BLOCK // (heads * length**2))
    found: dict[tuple[int, int], HeadTails] = {}
    for start in range(0, max(len(symbols), 1), group):
        for layer, run in enumerate(layer_runs(network, positions, symbols[start : start + group])):
            for one in _layer_tails(network, positions, run, layer, tuple(map(int, windows))):
                before = found.get((layer, one.head))
                found[layer, one.head] = one if before is None else _worse(before, one)
    return list(found.values())


def _layer_tails(
    network: Network, positions: Positions, run: LayerRun, layer: int, windows: tuple[int, ...]
) -> Iterator[HeadTails]:
    seen = np.isfinite(positions.bias)[None]
    high = np.where(seen, run.content, -np.inf).max(axis=-1)
    low = np.where(seen, run.content, np.inf).min(axis=-1)
    size = np.where(seen, np.abs(run.content) + np.abs(np.where(seen, positions.bias, 0.0)), 0.0)
    masses = far_sums(by_distance(run.weights))
    values = np.einsum("ntd,hed->nhte", run.normalised, network.values[layer])
    lost = _truncations(run.content + positions.bias, run.weights, values, windows)
    length = run.weights.shape[-1]
    for head in range(run.weights.shape[1]):
        yield HeadTails(
            layer=layer,
            head=head,
            length=length,
            logit_bound=float((high - low)[:, head].max()) / 2 * UP,
            value_norm=float(np.linalg.norm(values[:, head], axis=-1).max()) * UP,
            value_diameter=max(map(diameter, values[:, head])) * UP,
            masses=masses[:, head].max(axis=(0, 1)),
            least_masses=masses[:, head, -1].min(axis=0),
            windows=windows,
            truncations=tuple(lost[:, head].max(axis=0).tolist()),
            exponent=float(size[:, head].max()),
        )


def _truncations(
    logits: Float64[Array, "n H T T"],
    weights: Float64[Array, "n H T T"],
    values: Float64[Array, "n H T d"],
    windows: tuple[int, ...],
) -> Float64[Array, "n H windows"]:
    """max |o - o_w| over queries: o - o_w = sum_far alpha v - A_w o_w has only small terms, so no digits cancel."""
    length = weights.shape[-1]
    queries = np.unique(np.linspace(0, length - 1, min(length, MOST_QUERIES)).round().astype(int))
    distances = np.abs(np.subtract.outer(queries, np.arange(length)))
    chosen, scores = weights[:, :, queries], logits[:, :, queries]
    found = np.zeros((*weights.shape[:2], len(windows)))
    for column, window in enumerate(windows):
        far = np.where(distances >= window, chosen, 0.0)
        kept = softmax(np.where(distances >= window, -np.inf, scores)) @ values
        moved = far @ values - far.sum(axis=-1, keepdims=True) * kept
        found[..., column] = np.linalg.norm(moved, axis=-1).max(axis=-1)
    return found


def _worse(one: HeadTails, other: HeadTails) -> HeadTails:
    """The same head at its worst over both groups of sequences."""
    return HeadTails(
        layer=one.layer,
        head=one.head,
        length=one.length,
        logit_bound=max(one.logit_bound, other.logit_bound),
        value_norm=max(one.value_norm, other.value_norm),
        value_diameter=max(one.value_diameter, other.value_diameter),
        masses=np.maximum(one.masses, other.masses),
        least_masses=np.minimum(one.least_masses, other.least_masses),
        windows=one.windows,
        truncations=tuple(map(max, zip(one.truncations, other.truncations, strict=True))),
        exponent=max(one.exponent, other.exponent),
    )
