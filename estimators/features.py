"""Encodings as float64 arrays: tables, biases, angles, and the keys, values and biases of the template class.

Positions beyond the training length follow the encoding's rule `beyond`. Arrays come from the SymPy formulae
of `theory.encodings` through `estimators.feature_forms`.
"""

import math
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from estimators.feature_forms import Positions, additive_form, bias_form, floats, relative_form
from theory.encodings.base import (
    AbstractAdditiveEncoding,
    AbstractBiasEncoding,
    AbstractEncoding,
    AbstractRelativeEncoding,
    AbstractRotaryEncoding,
)
from theory.encodings.fire import Fire

Kind = TypeVar("Kind", bound=AbstractEncoding)


class TemplateArrays(NamedTuple):
    """Keys (n, T, d), values (n, T, d) and bias (T,) of a read-out at the last position."""

    keys: Float[Array, "n T d"]
    values: Float[Array, "n T d"]
    bias: Float[Array, " T"]


def additive_table(
    encoding: AbstractEncoding, length: int, *, power: float | int | None = None
) -> Float[Array, "length dim"]:
    """Rows p(0) .. p(length-1). `power` scales all rows by one factor so that the mean of |p(t)|^2 over the
    training positions is `power`."""
    code = _expect(encoding, AbstractAdditiveEncoding, "additive")
    table = _finite(additive_form(code, _read_at(code, range(_length(length)), length)), code, length)
    if power is not None:
        training = additive_form(code, _training(code))
        table = table * _power_factor(training, power, code)
    return jnp.asarray(table)


def relative_table(
    encoding: AbstractEncoding, length: int, *, power: float | int | None = None
) -> Float[Array, "length dim"]:
    """Row j is r(length-1-j), the vector of key j seen from the last position; `power` as in
    `additive_table`, over the distances 0 .. train_length-1."""
    code = _expect(encoding, AbstractRelativeEncoding, "relative")
    table = relative_form(code, _read_at(code, _distances(length), length))
    if power is not None:
        training = relative_form(code, _training(code))
        table = table * _power_factor(training, power, code)
    return jnp.asarray(table)


def bias_matrix(encoding: AbstractEncoding, length: int, *, causal: bool = True) -> Float[Array, "heads length length"]:
    """Entry (h, i, j) is b_h(i - j); with `causal` it is -inf for keys after the query, j > i."""
    code = _expect(encoding, AbstractBiasEncoding, "a bias")
    length = _length(length)
    span = _read_at(code, range(1 - length, length), length)
    offsets = np.subtract.outer(np.arange(length), np.arange(length))  # (length, length)
    at = floats(span)
    heads = []
    for head in range(code.heads):
        if isinstance(code, Fire) and length - 1 > code.threshold:
            rows = [bias_form(code, at[query : query + length][::-1], head, query) for query in range(length)]
            heads.append(np.stack(rows))
        else:
            heads.append(bias_form(code, span, head, None)[offsets + length - 1])
    matrix = _finite(np.stack(heads), code, length)  # (heads, length, length)
    return jnp.asarray(np.where(offsets < 0, -np.inf, matrix) if causal else matrix)


def bias_row(encoding: AbstractEncoding, length: int, head: int = 0) -> Float[Array, " length"]:
    """Biases of the last position: entry j is b_head(length-1-j)."""
    code = _expect(encoding, AbstractBiasEncoding, "a bias")
    row = bias_form(code, _read_at(code, _distances(length), length), head, length - 1)
    return jnp.asarray(_finite(row, code, length))


def rotation_angles(encoding: AbstractEncoding, length: int) -> Float[Array, "length pairs"]:
    """Entry (t, k) is t theta_k, in radians, for t a position or a distance and k = 0 .. dim/2 - 1."""
    code = _expect(encoding, AbstractRotaryEncoding, "rotary")
    positions = floats(_read_at(code, range(_length(length)), length))
    angles = np.array([float(code.angle(k)) for k in range(code.dim // 2)])
    return jnp.asarray(np.outer(positions, angles))


def template(
    encoding: AbstractEncoding,
    tokens: Any,
    *,
    head: int = 0,
    power: float | int | None = 1.0,
    keys_only: bool = False,
) -> TemplateArrays:
    """Keys, values and bias of read-out at the last position for `tokens` (n, T, d), by the table of theory
    section 1.

    none: x, x, 0; additive: x + p, x + p (`keys_only`: values x), 0; relative: x_j + r(T-1-j), x, 0; rotary:
    R(T-1-j) x_j, x, 0; biases: x, x, b_head(T-1-j). `power` scales p and r (None: not at all); the others
    have none.
    """
    x = _tokens(tokens, encoding)
    length = x.shape[1]
    bias = jnp.zeros(length)
    if isinstance(encoding, AbstractAdditiveEncoding):
        keys = x + additive_table(encoding, length, power=power)
        return TemplateArrays(keys, x if keys_only else keys, bias)
    if isinstance(encoding, AbstractRelativeEncoding):
        return TemplateArrays(x + relative_table(encoding, length, power=power), x, bias)
    if isinstance(encoding, AbstractRotaryEncoding):
        return TemplateArrays(_rotate(encoding, x, rotation_angles(encoding, length)[::-1]), x, bias)
    if isinstance(encoding, AbstractBiasEncoding):
        return TemplateArrays(x, x, bias_row(encoding, length, head))
    _read_at(encoding, range(length), length)
    return TemplateArrays(x, x, bias)


def read_out_query(encoding: AbstractEncoding, tokens: Any, *, power: float | int | None = 1.0) -> Float[Array, "n d"]:
    """The query token q_i of bilinear logits q_i^T W k_ij: x_T, with its additive code p(T-1) where there is one.

    Rotary keys are R(T-1-j) x_j, so W stands for W_Q^T W_K with both rotated by their own position.
    """
    x = _tokens(tokens, encoding)
    if isinstance(encoding, AbstractAdditiveEncoding):
        return x[:, -1] + additive_table(encoding, x.shape[1], power=power)[-1]
    return x[:, -1]


def _rotate(encoding: AbstractRotaryEncoding, x: Any, angles: Any) -> Any:
    first, second = (np.array(side) for side in zip(*map(encoding.pair, range(encoding.dim // 2)), strict=True))
    cosine, sine = jnp.cos(angles), jnp.sin(angles)  # (T, d/2)
    turned = jnp.zeros_like(x).at[..., first].set(x[..., first] * cosine - x[..., second] * sine)
    return turned.at[..., second].set(x[..., first] * sine + x[..., second] * cosine)


def _length(length: int) -> int:
    if operator.index(length) < 1:
        raise ValueError(f"length must be at least 1, got {length}: use length=1 or more")
    return operator.index(length)


def _training(encoding: AbstractEncoding) -> Positions:
    return _read_at(encoding, range(encoding.train_length), encoding.train_length)


def _distances(length: int) -> range:
    return range(_length(length) - 1, -1, -1)


def _read_at(encoding: AbstractEncoding, positions: Sequence[int], length: int) -> Positions:
    return [encoding.position(t, length) for t in positions]


def _expect(encoding: AbstractEncoding, kind: type[Kind], word: str) -> Kind:
    if not isinstance(encoding, kind):
        name = getattr(encoding, "name", encoding)
        raise ValueError(f"{name} is not {word} encoding: use template(), which handles every kind")
    return encoding


def _finite(array: np.ndarray, encoding: AbstractEncoding, length: int) -> np.ndarray:
    if not np.isfinite(array).all():
        raise ValueError(
            f"{encoding.name} overflows float64 at length {length}: use beyond=clip, or train_length={length}"
        )
    return array


def _power_factor(training: np.ndarray, power: float | int, encoding: AbstractEncoding) -> float:
    if not (isinstance(power, (int, float)) and 0 < power < math.inf):
        raise ValueError(f"power must be a positive number or None, got {power!r}: use power=1.0")
    mean = float(np.mean(np.sum(training**2, axis=-1)))
    if mean <= 0:
        raise ValueError(
            f"{encoding.name} is zero at every training position and cannot be scaled to power {power}: "
            "use power=None, or a larger train_length or dim"
        )
    return math.sqrt(power / mean)


def _tokens(tokens: Any, encoding: AbstractEncoding) -> Any:
    x = np.asarray(tokens)
    if x.ndim != 3:
        raise ValueError(f"tokens must have shape (n, T, d), got {x.shape}: use tokens[None] for one sequence")
    if 0 in x.shape:
        raise ValueError(f"tokens must not be empty, got shape {x.shape}: use n, T, d of at least 1")
    if not (np.issubdtype(x.dtype, np.integer) or np.issubdtype(x.dtype, np.floating)):
        raise ValueError(f"tokens must be real numbers, got {x.dtype}: convert them to float64")
    if not np.isfinite(x).all():
        raise ValueError("tokens must be finite, got NaN or infinity: clean the sample first")
    if x.shape[2] != encoding.dim:
        raise ValueError(f"{encoding.name} has dim {encoding.dim}, tokens have {x.shape[2]}: use dim={x.shape[2]}")
    return jax.device_put(x.astype(np.float64))
