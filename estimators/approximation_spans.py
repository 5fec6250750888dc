"""The functions of the position that the first channels, or heads, of an encoding span."""

import math
from collections.abc import Sequence

import numpy as np
import sympy as sp
from jaxtyping import Float64

from estimators.feature_forms import bias_form
from estimators.features import additive_table
from estimators.span import Span, span_of
from theory.approximation_choice import FAMILIES
from theory.encodings import parse
from theory.encodings.base import (
    AbstractAdditiveEncoding,
    AbstractBiasEncoding,
    AbstractEncoding,
    AbstractRotaryEncoding,
)
from theory.encodings.sinusoidal import Sinusoidal
from theory.function_classes import HORIZON

Array = np.ndarray
MEMORY = "memory-"  # names of the targets that are kernels of the distance
WAVELETS = ("haar", "daubechies")
COMPLETE = 2048  # positions up to which a complete wavelet basis is made


def check_channels(channels: Sequence[int], length: int) -> list[int]:
    """The numbers of channels in rising order, once each; ValueError for 0, or more than positions."""
    found = sorted(set(channels))
    if found[0] < 1:
        raise ValueError(f"channels must be at least 1, got {found[0]}: use --channels 1 2 4 8")
    if found[-1] > length:
        raise ValueError(f"{found[-1]} channels exceed {length} positions: use at most {length}, or a larger --length")
    return found


def spans(specification: str, channels: Sequence[int], length: int) -> dict[int, Span]:
    """Channel count -> the span of so many channels on `length` positions, or of so many heads over distances.

    Additive encodings: the first n columns of the table for the largest n; sinusoidal: the table of n channels, since
    its frequencies depend on their number. Bias encodings with n heads: e^(b_h(D)); rotary with n angles: cos(theta_k
    D); at the distances D = 16 (1 + x_i) of the memory targets.
    """
    return {n: span_of(table) for n, table in _tables(specification, list(channels), length).items()}


def kind_of(specification: str, length: int) -> AbstractEncoding:
    """The encoding with two channels; ValueError for `none` and relative vectors, which span nothing here."""
    encoding = parse(specification, dim=2, train_length=max(length, 2))
    if isinstance(encoding, AbstractAdditiveEncoding | AbstractBiasEncoding | AbstractRotaryEncoding):
        return encoding
    raise ValueError(f"{encoding.name} has no channels of the position: use an additive encoding such as cosine")


def check_pair(specification: str, length: int, target: str, norm: str) -> None:
    """ValueError in one line where an encoding of distances meets a target of positions."""
    encoding = kind_of(specification, length)
    if isinstance(encoding, AbstractAdditiveEncoding):
        return
    if norm == "sobolev" or not target.startswith(MEMORY):
        raise ValueError(
            f"{encoding.name} acts on distances and has no channels of the position: use an additive encoding such as "
            "cosine, or --target memory-reciprocal with --norm l2 or sup"
        )


def family(specification: str, length: int) -> str:
    """The family of `theory.approximation_choice` that the channels span; other without the constant."""
    encoding = kind_of(specification, length)
    return FAMILIES.get(encoding.name, "other") if getattr(encoding, "constant", True) else "other"


def has_constant(specification: str, length: int) -> bool:
    """Whether the first channel is the constant. Other channels come near it at most: sinusoids of low frequency to
    within rounding, with large weights."""
    return bool(getattr(kind_of(specification, length), "constant", False))


def complete_wavelets(specification: str, length: int) -> Float64[Array, "N N"] | None:
    """The complete orthonormal basis of a wavelet encoding, None for other encodings, lengths and without constant."""
    encoding = kind_of(specification, length)
    whole = encoding.name in WAVELETS and getattr(encoding, "constant", True) and length & (length - 1) == 0
    if not whole or not 2 <= length <= COMPLETE:
        return None
    return np.asarray(additive_table(parse(specification, dim=length, train_length=length), length))


def _tables(specification: str, channels: list[int], length: int) -> dict[int, Array]:
    encoding = kind_of(specification, length)
    most = channels[-1]
    if isinstance(encoding, Sinusoidal):
        return {n: _additive(specification, n + n % 2, n, length) for n in channels}
    if not isinstance(encoding, AbstractAdditiveEncoding):
        return {n: _distances(specification, n, length) for n in channels}
    table = _additive(specification, most, most, length)
    return {n: table[:, :n] for n in channels}


def _additive(specification: str, dim: int, channels: int, length: int) -> Array:
    encoding = parse(specification, dim=dim, train_length=length)
    if encoding.dim < channels:
        raise ValueError(f"{encoding.name} has {encoding.dim} channels, {channels} are asked for: leave dim out")
    return np.asarray(additive_table(encoding, length))[:, :channels]


def _distances(specification: str, heads: int, length: int) -> Array:
    code = parse(specification, dim=2 * heads, train_length=HORIZON + 1, heads=heads)
    distances = [sp.Rational(HORIZON * (2 * i + 1), 2 * length) for i in range(length)]
    if isinstance(code, AbstractRotaryEncoding):
        at = np.array([float(one) for one in distances])
        return np.stack([np.cos(at * float(code.angle(k))) for k in range(heads)], axis=1)
    if not isinstance(code, AbstractBiasEncoding) or code.heads < heads:
        raise ValueError(f"{code.name} has fewer heads than the {heads} asked for: leave heads out")
    with np.errstate(over="ignore"):
        columns = [np.exp(bias_form(code, distances, head, None)) for head in range(heads)]
    return np.stack([column / (np.abs(column).max() or math.inf) for column in columns], axis=1)
