"""What an encoding contributes to a network of `estimators.network` at one length: float64 arrays of one form for all.

Additive codes have d channels; rotations and relative vectors act on the k channels of a head (one set for all heads);
biases are one for each head. Tables and relative vectors are scaled to mean power `power` over the training length.
Learned tables, relative vectors and T5 biases may have been trained: their numbers are then given and replace the draw.
Rotary pairs are half-split whatever the pairing of the encoding: W_Q and W_K are free, so the two are one class.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int

from estimators.feature_forms import relative_form
from estimators.features import additive_table, bias_matrix, relative_table, rotation_angles
from estimators.network import Positions
from theory.encodings import ENCODINGS, parse
from theory.encodings.base import (
    AbstractAdditiveEncoding,
    AbstractBiasEncoding,
    AbstractEncoding,
    AbstractRelativeEncoding,
    AbstractRotaryEncoding,
)
from theory.encodings.learned import Learned
from theory.encodings.t5 import T5

Array = np.ndarray


class Numbers(NamedTuple):
    """An encoding's own numbers: table of `learned` at the training positions, one vector for each distinct relative
    offset, one bias for each bucket and head. Rows are 0 where an encoding has none."""

    table: Float64[Array, "N d"]
    relative: Float64[Array, "groups k"]
    bias: Float64[Array, "H groups"]


GROUPS = 64  # most buckets or clipped offsets that can be trained


def trainable(encoding: AbstractEncoding) -> bool:
    """Whether an encoding has numbers of its own that training moves."""
    return isinstance(encoding, Learned | AbstractRelativeEncoding | T5)


def network_encoding(
    specification: str,
    *,
    dim: int,
    heads: int,
    train_length: int,
    causal: bool = True,
    beyond: str | None = None,
) -> AbstractEncoding:
    """The encoding of a network: dim channels if additive, dim/heads if it acts inside a head.

    `beyond` replaces the rule beyond the training length unless the specification names one; encodings that lack the
    rule keep their own. T5 is bidirectional unless causal. ValueError where sizes do not fit.
    """
    if dim < 1 or heads < 1 or dim % heads:
        raise ValueError(f"heads must divide dim, got dim {dim} and heads {heads}: use dim={max(heads, 1) * 8}")
    name, _, options = specification.strip().partition(":")
    kind = ENCODINGS.get(name)
    inside = isinstance(kind, type) and issubclass(kind, AbstractRotaryEncoding | AbstractRelativeEncoding)
    given = [option for option in options.split(",") if option.strip()]
    keys = {option.partition("=")[0].strip() for option in given}
    if beyond is not None and isinstance(kind, type) and issubclass(kind, AbstractEncoding):
        given += [f"beyond={beyond}"] * (beyond in kind.rules and "beyond" not in keys)
    if kind is T5 and not causal and "bidirectional" not in keys:
        given.append("bidirectional=true")
    words = f"{name}:{','.join(given)}" if given else name
    return parse(words, dim=dim // heads if inside else dim, train_length=train_length, heads=heads)


def check_lengths(encoding: AbstractEncoding, length: int) -> None:
    """ValueError, with advice, where an encoding is not defined at every position of `length` tokens."""
    for t in range(length):
        encoding.position(t, length)


def positions(
    encoding: AbstractEncoding,
    length: int,
    *,
    dim: int,
    heads: int,
    causal: bool,
    power: float | int | None = 1.0,
    numbers: Numbers | None = None,
) -> Positions:
    """The arrays of `encoding` at `length` tokens; `numbers` are its trained ones, None those of its formula."""
    check_lengths(encoding, length)
    width = dim // heads
    table, relative = np.zeros((length, dim)), np.zeros((2 * length - 1, width))
    bias, angles = np.zeros((heads, length, length)), np.zeros((length, width // 2))
    if isinstance(encoding, Learned) and numbers is not None:
        table = interpolation(encoding, length) @ np.asarray(numbers.table, dtype=np.float64)
    elif isinstance(encoding, AbstractAdditiveEncoding):
        table = np.asarray(additive_table(encoding, length, power=power))
    elif isinstance(encoding, AbstractRotaryEncoding):
        angles = np.asarray(rotation_angles(encoding, length))
    elif isinstance(encoding, AbstractRelativeEncoding):
        if numbers is None:
            relative = _offset_vectors(encoding, length, power)
        else:
            relative = np.asarray(numbers.relative, dtype=np.float64)[offset_groups(encoding, length)]
    elif isinstance(encoding, T5) and numbers is not None:
        bias = np.asarray(numbers.bias, dtype=np.float64)[:, bias_groups(encoding, length)]
    elif isinstance(encoding, AbstractBiasEncoding):
        bias = np.asarray(bias_matrix(encoding, length, causal=False))
    if causal:
        bias = np.where(np.tri(length, dtype=bool), bias, -np.inf)
    return Positions(table, bias, np.cos(angles), np.sin(angles), relative)


def initial_numbers(
    encoding: AbstractEncoding, *, dim: int, heads: int, power: float | int | None = 1.0
) -> Numbers:
    """The numbers of the formula, from which training starts; `positions` with them is `positions` without."""
    length, width = encoding.train_length, dim // heads
    table, relative = np.zeros((length, dim)), np.zeros((GROUPS, width))
    bias = np.zeros((heads, GROUPS))
    if isinstance(encoding, Learned):
        table = np.asarray(additive_table(encoding, length, power=power))
    elif isinstance(encoding, AbstractRelativeEncoding):
        reach = max(length, encoding_reach(encoding))
        relative[offset_groups(encoding, reach)] = _offset_vectors(encoding, reach, power)
    elif isinstance(encoding, T5):
        reach = max(length, encoding.max_distance + 1)
        bias[:, bias_groups(encoding, reach)] = np.asarray(bias_matrix(encoding, reach, causal=False))
    return Numbers(table, relative, bias)


def encoding_reach(encoding: AbstractRelativeEncoding) -> int:
    """A length that shows every clipped offset, where the rule beyond the training length allows it."""
    clip_distance = getattr(encoding, "clip_distance", encoding.train_length - 1)
    return clip_distance + 1 if encoding.beyond == "extend" else encoding.train_length


def offset_groups(encoding: AbstractRelativeEncoding, length: int) -> Int[Array, " offsets"]:
    """For D = 1-T .. T-1 the row of `Numbers.relative`: offsets clipped at K share one, K = min(clip_distance, ...)."""
    most = min(getattr(encoding, "clip_distance", GROUPS), GROUPS // 2 - 1)
    if getattr(encoding, "clip_distance", 0) > most:
        raise ValueError(f"{encoding.name} can be trained with clip_distance up to {most}: use clip_distance={most}")
    at = [int(encoding.position(offset, length)) for offset in range(1 - length, length)]
    return np.clip(np.array(at), -most, most) + most


def bias_groups(encoding: T5, length: int) -> Int[Array, "T T"]:
    """The bucket of query s and key t."""
    if encoding.buckets > GROUPS:
        raise ValueError(f"t5 can be trained with up to {GROUPS} buckets, got {encoding.buckets}: use buckets={GROUPS}")
    buckets = [encoding.bucket(encoding.position(offset, length)) for offset in range(1 - length, length)]
    return np.array(buckets)[np.subtract.outer(np.arange(length), np.arange(length)) + length - 1]


def interpolation(encoding: AbstractEncoding, length: int) -> Float64[Array, "T N"]:
    """Row s: the weights of the training positions at position s, by the rule beyond the training length."""
    at = [encoding.position(t, length) for t in range(length)]
    weights = np.zeros((length, encoding.train_length))
    for row, place in enumerate(at):
        below = int(place.p // place.q)
        share = float(place - below)
        weights[row, below] = 1 - share
        if share:
            weights[row, below + 1] = share
    return weights


def _offset_vectors(encoding: AbstractRelativeEncoding, length: int, power: float | int | None) -> Array:
    """Row length-1+D is r_D, scaled as `relative_table` scales the rows D >= 0."""
    offsets = [encoding.position(offset, length) for offset in range(1 - length, length)]
    raw, scaled = (np.linalg.norm(relative_table(encoding, length, power=p)) for p in (None, power))
    return relative_form(encoding, offsets) * (scaled / raw if raw > 0 else 1.0)
