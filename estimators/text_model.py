"""Bits per byte of a predictor on documents in two modes, by length and by position in the window.

Every mode scores bytes of the same passages (`estimators.text_batches.scored_passages`: T bytes of context, T bytes to
score). A scored byte has the loss -log2 q(byte | visible bytes).

non-overlapping, length L: the T bytes are predicted in blocks of L positions; position t = 0 .. L-1 of a block sees the
  t + 1 bytes before its target that belong to the block, nothing else.
sliding, length L, stride s: a window of L positions ends before every run of s bytes; its last s positions predict the
  run, so that every scored byte sees L - s + 1 to L bytes, and exactly L at stride 1.

Means are over documents, each with its own mean, so that intervals are over independent documents. With `smoothed`,
the same for q' = (1 - e) q + e/V, e = 1/64, whose loss lies in [0, log2(V/e)]: its interval needs no assumption beyond
independent documents. As q' >= (1 - e) q, the mean loss of q itself is at least the lower end minus log2(1/(1 - e)).
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float64, Int, UInt8

from estimators.document_means import bounded, document_means, student
from estimators.samples import positive
from estimators.text_batches import Passages
from estimators.text_predictor import Predict, target_log_probabilities

Array = np.ndarray
Mode = Literal["sliding", "non-overlapping"]
UNIFORM_SHARE = 1 / 64


@dataclass(frozen=True)
class TextRow:
    """Bits per byte at positions first .. last of a window (from 0; position t sees at most t + 1 bytes).

    `lower`, `upper`: Student's interval over documents for the mean of `per_document`, which lists them by `names` of
    the losses. `smoothed`: mean, interval and share e of the smoothed predictor.
    """

    mode: Mode
    length: int
    stride: int
    position_range: tuple[int, int]
    documents: int
    bytes_scored: int
    mean: float
    lower: float
    upper: float
    confidence: float
    method: str
    smoothed: dict[str, Any]
    per_document: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class TextLosses:
    """Losses of one mode and length: k scored bytes, their window positions, documents and bits, plain and smoothed."""

    mode: Mode
    length: int
    stride: int
    names: tuple[str, ...]
    symbols: int
    position: Int[Array, " k"]
    document: Int[Array, " k"]
    bits: Float64[Array, " k"]

    def row(self, first: int = 0, last: int | None = None, *, confidence: float = 0.95) -> TextRow:
        """The mean over scored bytes at positions first .. last, all by default; ValueError where none is scored."""
        last = self.length - 1 if last is None else last
        inside = (self.position >= first) & (self.position <= last)
        if not inside.any():
            raise ValueError(f"no byte is scored at positions {first} to {last} in mode {self.mode}: it scores "
                             f"{self.position.min()} to {self.position.max()}")  # fmt: skip
        bits, document = self.bits[inside], self.document[inside]
        means = document_means(bits, document, len(self.names))
        found = student(means, confidence=confidence, minimum=0.0)
        smooth = document_means(smoothed_bits(bits, self.symbols), document, len(self.names))
        sure = bounded(smooth, maximum=math.log2(self.symbols / UNIFORM_SHARE), confidence=confidence)
        return TextRow(
            *(self.mode, self.length, self.stride),
            position_range=(max(first, int(self.position.min())), last),
            documents=len(self.names),
            bytes_scored=len(bits),
            mean=float(means.mean()),
            lower=found.lower,
            upper=found.upper,
            confidence=found.confidence,
            method=found.method,
            smoothed=smoothed_row(float(smooth.mean()), sure),
            per_document=tuple(means.tolist()),
        )

    def rows(self, train_length: int | None = None, *, confidence: float = 0.95) -> list[TextRow]:
        """All positions together, then, where there are several, those of `position_ranges` with a scored byte."""
        found = [self.row(confidence=confidence)]
        if self.position.min() == self.position.max():
            return found
        ranges = [
            (first, last)
            for first, last in position_ranges(self.length, train_length)
            if ((self.position >= first) & (self.position <= last)).any()
        ]
        return found + [self.row(*ends, confidence=confidence) for ends in ranges if len(ranges) > 1]


def smoothed_bits(bits: Float64[Array, "*k"], symbols: int) -> Float64[Array, "*k"]:
    """-log2((1 - e) 2^-bits + e/V)."""
    return -np.log2((1 - UNIFORM_SHARE) * np.exp2(-bits) + UNIFORM_SHARE / symbols)


def smoothed_row(mean: float, interval: Any) -> dict[str, Any]:
    """What a row says about the smoothed predictor."""
    ends = {"lower": interval.lower, "upper": interval.upper, "confidence": interval.confidence}
    return {"uniform_share": UNIFORM_SHARE, "mean": mean, **ends, "method": interval.method}


def position_ranges(length: int, train_length: int | None = None) -> list[tuple[int, int]]:
    """(0, 0), (1, 1), (2, 3), (4, 7) ... up to length - 1, cut also at the training length; both ends included."""
    edges = {0, length} | {2**power for power in range(length.bit_length()) if 2**power < length}
    if train_length is not None and train_length < length:
        edges.add(train_length)
    ordered = sorted(edges)
    return [(first, after - 1) for first, after in pairwise(ordered)]


def non_overlapping(predict: Predict, passages: Passages, length: int) -> TextLosses:
    """Every scored byte of the passages in blocks of `length` positions; the last block of a passage may be shorter.

    Raises:
        ValueError: length outside 1 .. T, or what `predict` returned (`target_log_probabilities`).
    """
    T, length = passages.length, _checked_length(passages, length)
    blocks = -(-T // length)
    text = np.pad(passages.text, ((0, 0), (0, blocks * length - T)))
    count = len(text)
    inputs = text[:, T - 1 : T - 1 + blocks * length].reshape(count * blocks, length)
    targets = text[:, T : T + blocks * length].reshape(count * blocks, length)
    scored = np.broadcast_to(np.arange(blocks * length) < T, (count, blocks * length)).reshape(-1, length)
    document = np.repeat(passages.document, blocks)
    return _losses("non-overlapping", length, length, predict, passages, inputs, targets, scored, document)


def sliding(
    predict: Predict, passages: Passages, length: int, *, stride: int = 1, scored: int = 64, seed: int = 0
) -> TextLosses:
    """About `scored` bytes of each passage, drawn from the seed in runs of `stride`, each at the end of a window.

    The runs do not depend on the length: losses of one seed and stride at several lengths are of the same bytes. Costs
    N scored/stride windows of `length`.

    Raises:
        ValueError: length outside 1 .. T, stride outside 1 .. length, or what `predict` returned.
    """
    T, length = passages.length, _checked_length(passages, length)
    stride, scored = positive("stride", stride), positive("scored", scored)
    if stride > length:
        raise ValueError(f"stride must be at most the length {length}, got {stride}: use stride={length} or less")
    rng = np.random.default_rng([positive("seed", seed, least=0), 0x72756E])
    number = min(-(-scored // stride), T // stride)
    runs = np.stack([np.sort(rng.permutation(T // stride)[:number]) for _ in range(len(passages.text))])  # (N, number)
    ends = T + (runs + 1) * stride - 1  # index of the last target of each run
    window = np.take_along_axis(passages.text[:, None], ends[..., None] + np.arange(-length, 1), axis=-1)
    flat = window.reshape(-1, length + 1)
    inputs, targets = flat[:, :-1], flat[:, -stride:]
    document = np.repeat(passages.document, number)
    every = np.ones(targets.shape, dtype=bool)
    return _losses("sliding", length, stride, predict, passages, inputs, targets, every, document)


def _losses(
    mode: Mode,
    length: int,
    stride: int,
    predict: Predict,
    passages: Passages,
    inputs: UInt8[Array, "n T"],
    targets: UInt8[Array, "n P"],
    scored: Bool[Array, "n P"],
    document: Int[Array, " n"],
) -> TextLosses:
    logs, symbols = target_log_probabilities(predict, inputs, targets, scored)
    row, column = np.nonzero(scored)
    position = column + length - targets.shape[1]
    bits = np.maximum(-logs[row, column], 0.0) / math.log(2)
    return TextLosses(mode, length, stride, passages.names, symbols, position, document[row], bits)


def _checked_length(passages: Passages, length: int) -> int:
    length = positive("length", length)
    if length > passages.length:
        raise ValueError(f"passages hold {passages.length} bytes of context, got length {length}: draw passages of "
                         f"length={length}")  # fmt: skip
    return length
