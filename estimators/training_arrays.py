"""Encodings, goals and examples as the float32 arrays that `estimators.training_program` takes."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float64, Int

from estimators.network_member import Model
from estimators.network_positions import (
    bias_groups,
    interpolation,
    offset_groups,
    positions,
    trainable,
)
from estimators.training_program import Batch, Encoded, Goal
from theory.encodings.base import AbstractEncoding, AbstractRelativeEncoding, AbstractRotaryEncoding
from theory.encodings.learned import Learned
from theory.encodings.t5 import T5

Array = np.ndarray
LONGEST_CODE = 1e12


def encoded_arrays(encoding: AbstractEncoding, model: Model, length: int, padded: int | None = None) -> Encoded:
    """The encoding at `length` tokens, in arrays for `padded` tokens: no query sees a padded key, but the first."""
    size = length if padded is None else padded
    heads, width = model.heads, model.dim // model.heads
    found = positions(encoding, length, dim=model.dim, heads=heads, causal=model.causal, power=model.power)
    own = np.zeros(3)
    mix, offsets = np.zeros((size, encoding.train_length)), np.zeros(2 * size - 1, dtype=np.int32)
    buckets = np.zeros((size, size), dtype=np.int32)
    table, bias, relative = (np.array(block) for block in (found.table, found.bias, found.relative))
    if trainable(encoding):
        if isinstance(encoding, Learned):
            own[0], table = 1, np.zeros_like(table)
            mix[:length] = interpolation(encoding, length)
        elif isinstance(encoding, AbstractRelativeEncoding):
            own[1], relative = 1, np.zeros_like(relative)
            offsets[size - length : size + length - 1] = offset_groups(encoding, length)
        elif isinstance(encoding, T5):
            own[2], bias = 1, np.where(np.isinf(bias), bias, 0.0)
            buckets[:length, :length] = bias_groups(encoding, length)
    whole_bias = np.full((heads, size, size), -np.inf)
    whole_bias[:, :length, :length] = bias
    whole_bias[:, length:, 0] = 0.0  # rows of padding, never scored, must have a key
    cosine, sine = np.ones((size, width // 2)), np.zeros((size, width // 2))
    cosine[:length], sine[:length] = found.cosine, found.sine
    whole_table, whole_relative = np.zeros((size, model.dim)), np.zeros((2 * size - 1, width))
    whole_table[:length] = _representable(table)
    whole_relative[size - length : size + length - 1] = relative
    return Encoded(
        table=_float(whole_table),
        bias=_float(whole_bias),
        cosine=_float(cosine),
        sine=_float(sine),
        relative=_float(whole_relative),
        mix=_float(mix),
        relative_index=jnp.asarray(offsets, jnp.int32),
        bias_index=jnp.asarray(buckets, jnp.int32),
        own=_float(own),
        turned=jnp.asarray(isinstance(encoding, AbstractRotaryEncoding)),
        shifted=jnp.asarray(isinstance(encoding, AbstractRelativeEncoding)),
    )


def _float(block: Array) -> jnp.ndarray:
    return jnp.asarray(block.astype(np.float32))


def _representable(table: Array) -> Array:
    """Rows longer than 1e12 (polynomials far beyond their interval) at length 1e12.

    Squares of longer ones overflow float32. The network cannot tell them apart there: Norm takes the length away, and
    what a layer adds, of order 10, is below the rounding of 1e12 as well as of anything longer.
    """
    sizes = np.abs(table).max(axis=1, keepdims=True, initial=1.0)
    norms = sizes * np.linalg.norm(table / sizes, axis=1, keepdims=True)
    return np.where(norms > LONGEST_CODE, table / np.maximum(norms, 1e-300) * LONGEST_CODE, table)


def goal_arrays(model: Model, outputs: int, kind: str) -> Goal:
    """The first `outputs` outputs are in use."""
    if kind not in ("symbols", "numbers"):
        raise ValueError(f"kind must be symbols or numbers, got {kind!r}")
    if not 1 <= outputs <= model.outputs:
        raise ValueError(f"the network has {model.outputs} outputs, the task {outputs}: use outputs={outputs}")
    classes = np.where(np.arange(model.outputs) < outputs, 0.0, -np.inf)
    return Goal(jnp.asarray(classes, jnp.float32), jnp.asarray(float(kind == "numbers"), jnp.float32))


def batch_arrays(
    inputs: Int[Array, "*batch T"],
    targets: Float64[Array, "*batch T"],
    scored: Bool[Array, "*batch T"],
    lengths: Int[Array, "*batch"],
    padded: int | None = None,
) -> Batch:
    """Examples as arrays, padded on the right."""
    inputs, targets, scored = np.asarray(inputs), np.asarray(targets), np.asarray(scored)
    length = inputs.shape[-1]
    present = np.where(np.arange(length) < np.asarray(lengths)[..., None], 0.0, -np.inf)
    more = [(0, 0)] * (inputs.ndim - 1) + [(0, (padded or length) - length)]
    blocks = (
        np.pad(inputs, more).astype(np.int32),
        np.pad(targets, more).astype(np.float32),
        np.pad(scored, more).astype(np.float32),
        np.pad(present, more).astype(np.float32),
    )
    return Batch(*map(jnp.asarray, blocks))


def bucket(length: int) -> int:
    """The least length of a compiled evaluation that holds `length` tokens: 32, 64, 128, .. so that one compilation
    serves all lengths of a bucket."""
    return max(32, 1 << (length - 1).bit_length())


