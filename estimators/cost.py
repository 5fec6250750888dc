"""Operations that an encoding adds to one attention layer, counted in the traced program, not in a formula."""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from estimators.claim import Measurement
from estimators.estimate import exact
from estimators.features import additive_table, bias_matrix, relative_table, rotation_angles
from theory.encodings import parse
from theory.encodings.base import (
    AbstractAdditiveEncoding,
    AbstractBiasEncoding,
    AbstractRelativeEncoding,
    AbstractRotaryEncoding,
)

LARGEST = 512  # length and dim: arrays are made, though nothing is multiplied
ROUNDING = 2.0**-52  # relative, of one division
_ELEMENTWISE = frozenset(
    {"add", "sub", "mul", "div", "neg", "exp", "exp2", "max", "min", "sqrt", "rsqrt", "cos", "sin"}
)
_REDUCTIONS = frozenset({"reduce_sum", "reduce_max"})
_MOVES = frozenset(
    {"broadcast_in_dim", "reshape", "transpose", "slice", "squeeze", "concatenate", "convert_element_type", "gather"}
    | {"stop_gradient", "copy", "expand_dims", "iota", "split", "dynamic_slice", "select_n", "pad"}
)


def layer(
    tokens: Float[Array, "T d"],
    weights: Float[Array, "4 d d"],
    *,
    heads: int,
    table: Float[Array, "T d"] | None = None,
    bias: Float[Array, "heads T T"] | None = None,
    relative: Float[Array, "T T d"] | None = None,
    turns: Float[Array, "2 T 1 pairs"] | None = None,
) -> Float[Array, "T d"]:
    """Multi-head self-attention. relative[i, j]: the vector of key j seen from i; turns: cosines and sines of the
    angles of one head's pairs."""
    length, dim = tokens.shape
    if table is not None:
        tokens = tokens + table
    query, key, value = (
        (tokens @ weights[index]).reshape(length, heads, dim // heads) for index in range(3)
    )  # (T, heads, d/heads)
    if turns is not None:
        query, key = _rotate(query, turns[0], turns[1]), _rotate(key, turns[0], turns[1])
    logits = jnp.einsum("ihk,jhk->hij", query, key) / math.sqrt(dim // heads)
    if relative is not None:
        logits = logits + jnp.einsum("ihk,ijhk->hij", query, relative.reshape(length, length, heads, dim // heads))
    if bias is not None:
        logits = logits + bias
    mixed = jnp.einsum("hij,jhk->ihk", jax.nn.softmax(logits), value)
    return mixed.reshape(length, dim) @ weights[3]


def _rotate(
    vectors: Float[Array, "T heads k"], cosine: Float[Array, "T 1 pairs"], sine: Float[Array, "T 1 pairs"]
) -> Float[Array, "T heads k"]:
    first, second = jnp.split(vectors, 2, axis=-1)
    return jnp.concatenate([first * cosine - second * sine, first * sine + second * cosine], axis=-1)


def operations(function: Callable[..., Any], *arguments: Any) -> int:
    """Operations of the traced program: 2 m k n for a product, one per number of an elementwise operation or reduction,
    none for moving numbers. ValueError for a primitive that is neither."""
    return _count(jax.make_jaxpr(function)(*arguments).jaxpr)


def _count(jaxpr: Any) -> int:
    total = 0
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        inner = [value for value in equation.params.values() if hasattr(value, "jaxpr") or hasattr(value, "eqns")]
        if inner:
            total += sum(_count(getattr(value, "jaxpr", value)) for value in inner)
        elif name == "dot_general":
            contracted = equation.params["dimension_numbers"][0][0]
            depth = math.prod(equation.invars[0].aval.shape[axis] for axis in contracted)
            total += 2 * depth * equation.outvars[0].aval.size
        elif name in _REDUCTIONS:
            total += equation.invars[0].aval.size
        elif name in _ELEMENTWISE:
            total += equation.outvars[0].aval.size
        elif name not in _MOVES:
            raise ValueError(f"no count for the primitive {name!r}: add it to one of the sets of estimators.cost")
    return total


def added_share(*, encoding: str, length: int, dim: int, heads: int) -> Measurement:
    """(operations of the layer with the encoding - without)/(without), exact up to the rounding of the quotient.

    ValueError unless heads divides dim.
    """
    if max(length, dim) > LARGEST:
        raise ValueError(f"length and dim may be {LARGEST} at most, got {length} and {dim}: use a smaller layer")
    if min(length, dim, heads) < 1 or dim % heads:
        raise ValueError(f"heads must divide dim, got {heads} and {dim}: use for example dim=32, heads=4")
    plain = _plain(length, dim, heads)
    arrays = _arrays(encoding, length, dim, heads)
    share = (operations(functools.partial(layer, heads=heads, **arrays), *_inputs(length, dim)) - plain) / plain
    words = {"length": length, "dim": dim, "heads": heads}
    kept = words if "bias" in arrays or "relative" in arrays else {"length": length, "dim": dim}
    return Measurement(exact(share, ROUNDING * share, "traced program"), kept, encoding)


@functools.lru_cache(maxsize=256)
def _plain(length: int, dim: int, heads: int) -> int:
    return operations(functools.partial(layer, heads=heads), *_inputs(length, dim))


def _inputs(length: int, dim: int) -> tuple[jax.ShapeDtypeStruct, jax.ShapeDtypeStruct]:
    return jax.ShapeDtypeStruct((length, dim), float), jax.ShapeDtypeStruct((4, dim, dim), float)


def _arrays(specification: str, length: int, dim: int, heads: int) -> dict[str, Array]:
    rotary = isinstance(parse(specification, dim=2 * heads, train_length=length), AbstractRotaryEncoding)
    made = parse(specification, dim=dim // heads if rotary else dim, train_length=length, heads=heads)
    if isinstance(made, AbstractAdditiveEncoding):
        return {"table": additive_table(made, length)}
    if isinstance(made, AbstractBiasEncoding):
        return {"bias": bias_matrix(made, length)}
    if isinstance(made, AbstractRotaryEncoding):
        angles = rotation_angles(made, length)[:, None]  # (T, 1, pairs)
        return {"turns": jnp.stack([jnp.cos(angles), jnp.sin(angles)])}
    if isinstance(made, AbstractRelativeEncoding):
        rows = relative_table(made, length)  # (T, d), by distance from the last position
        offsets = jnp.clip(jnp.arange(length)[:, None] - jnp.arange(length), 0, length - 1)
        return {"relative": rows[length - 1 - offsets]}
    return {}
