"""How far back a network looks: derivatives of its last token by every token that enters, beside their bound.

d x^L_T/d x^0_j in the spectral norm, by reverse differentiation of the layers of `estimators.network`. The bound is the
recursion of `estimators.network_steps` on derivatives: an error that starts at token j alone and no key that is cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64, Int

from estimators.estimate import Estimate
from estimators.network import EPSILON, Network, Positions, embedded, layer_run
from estimators.network_member import Member
from estimators.network_steps import LayerConstants, layer_constants, linear
from estimators.verdict import judge
from theory.bound import Relation

Array = np.ndarray


@dataclass(frozen=True)
class GradientReport:
    """At one distance from the last token: largest |d x^L_T/d x^0_j| over sequences, and its bound. rounding: of the
    derivative; a bound below it is undecided."""

    encoding: str
    length: int
    distance: int
    gradient_measured: float
    gradient_bound: float
    rounding: float
    slack: float
    verdict: str


def hard_window(positions: Positions, window: int) -> Positions:
    """The same with keys at distances from `window` on hidden; ValueError for a window below 1."""
    if window < 1 or int(window) != window:
        raise ValueError(f"window must be a whole number of at least 1, got {window}: a query sees itself")
    length = positions.table.shape[0]
    near = np.abs(np.subtract.outer(np.arange(length), np.arange(length))) < window
    return positions._replace(bias=np.where(near, positions.bias, -np.inf))


def gradient_norms(network: Network, positions: Positions, inputs: Int[Array, "n T"]) -> Float64[Array, "n T"]:
    """|d x^L_T/d x^0_j| for every token j of every sequence: one compilation per size."""
    tokens = embedded(network, positions, inputs)
    blocks = [np.asarray(_jacobian(network, positions, jnp.asarray(x))) for x in tokens]  # (d, T, d) each
    return np.stack([np.linalg.norm(np.swapaxes(block, 0, 1), 2, axis=(1, 2)) for block in blocks])


def gradient_bounds(network: Network, positions: Positions, inputs: Int[Array, "n T"]) -> Float64[Array, " T"]:
    """Upper bounds of |d x^L_T/d x^0_j| by token j, from constants measured on these sequences together."""
    return _spread(run_constants(network, positions, inputs), positions.table.shape[0])


def run_constants(network: Network, positions: Positions, inputs: Int[Array, "n T"]) -> tuple[LayerConstants, ...]:
    """Of every layer of one run."""
    x, found = embedded(network, positions, inputs), []
    for layer in range(network.queries.shape[0]):
        run = layer_run(network, positions, layer, x)
        found.append(layer_constants(network, positions, layer, run, run))
        x = run.leaving
    return tuple(found)


def gradient_report(
    member: Member, inputs: Int[Array, "n T"], *, distances: Sequence[int] | None = None
) -> list[GradientReport]:
    """A member on whole sequences of symbols (n, T), by distance from the last token: all by default.

    For short sequences: the derivative takes d backward passes, its bound n H T^3 operations. ValueError for distances
    outside 0 .. T-1 and for inputs that the member refuses.
    """
    symbols = np.asarray(inputs)
    if symbols.ndim != 2 or 0 in symbols.shape:
        raise ValueError(f"inputs must have shape (n, T), n, T >= 1, got {symbols.shape}: give whole sequences")
    length = symbols.shape[1]
    chosen = range(length) if distances is None else distances
    wrong = [k for k in chosen if not (0 <= k < length and int(k) == k)]
    if wrong:
        raise ValueError(
            f"distances must be whole numbers from 0 to {length - 1}, got {wrong[0]}: the last token looks back"
        )
    positions = member.positions(length)
    measured = gradient_norms(member.network, positions, symbols).max(axis=0)
    constants = run_constants(member.network, positions, symbols)
    return gradient_rows(member.specification, measured, _spread(constants, length), chosen)


def gradient_rows(
    specification: str, measured: Float64[Array, " T"], bounds: Float64[Array, " T"], distances: Sequence[int]
) -> list[GradientReport]:
    """Norms by token beside bounds by token. Rounding: the terms of a derivative without their signs add up to its
    bound at most, so a relative error of the terms is one of the bound."""
    length, rows = measured.size, []
    for distance in map(int, distances):
        norm, bound = float(measured[length - 1 - distance]), float(bounds[length - 1 - distance])
        slack = bound * 1e-12 * (1 + length / 64)
        judged = judge(bound, Relation.AT_MOST, Estimate(max(0.0, norm - slack), norm + slack, 1.0, "reverse mode"))
        rows.append(GradientReport(specification, length, distance, norm, bound, slack, judged.slack, judged.verdict))
    return rows


def _spread(constants: Sequence[LayerConstants], length: int) -> Float64[Array, " T"]:
    found = np.zeros(length)
    for token in range(length):
        errors = np.zeros(length)
        errors[token] = 1.0
        for one in constants:
            errors = linear(one, errors)
        found[token] = errors[-1]
    return found


def _last(network: Any, positions: Any, x: Any) -> Any:
    """x^L of the last token of one sequence (T, d)."""
    length, half = x.shape[0], positions.cosine.shape[1]
    offsets = np.subtract.outer(np.arange(length), np.arange(length)) + length - 1

    def norm(y: Any) -> Any:
        return y / jnp.sqrt(jnp.mean(y**2, axis=-1, keepdims=True) + EPSILON)

    def turned(y: Any) -> Any:
        first, second, rest = y[..., :half], y[..., half : 2 * half], y[..., 2 * half :]
        cosine, sine = positions.cosine, positions.sine
        return jnp.concatenate([first * cosine - second * sine, first * sine + second * cosine, rest], axis=-1)

    for layer in range(network.queries.shape[0]):
        z = norm(x)
        query = turned(jnp.einsum("td,hkd->htk", z, network.queries[layer]))
        key = turned(jnp.einsum("td,hkd->htk", z, network.keys[layer]))
        content = jnp.einsum("hsk,htk->hst", query, key) + jnp.einsum(
            "hsk,stk->hst", query, positions.relative[offsets]
        )
        weights = jax.nn.softmax(content + positions.bias, axis=-1)
        y = x + jnp.einsum("hst,td,hed->se", weights, z, network.values[layer])
        x = y + jax.nn.relu(norm(y) @ network.mlp_in[layer].T) @ network.mlp_out[layer].T
    return x[-1]


_jacobian = jax.jit(jax.jacrev(_last, argnums=2))
