"""Pairs (source, summary) as sequences of symbols to train on, and in buckets by length of the source to score.

A pair is the sequence  source bytes, SEPARATOR, summary bytes, END  over V = 258 symbols; the summary bytes and END are
scored, each as one symbol. At length T the summary has at most M bytes (`summary_limit`) and the source at most
T - M - 1, whatever the length of its own summary, so that no position tells how long the summary will be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int

from estimators.samples import positive
from estimators.summaries import Pair
from estimators.text_batches import Batches

Array = np.ndarray
SEPARATOR, END, SYMBOLS = 256, 257, 258
SUMMARY_LIMIT = 80  # bytes; longer than 99 % of the first lines of docstrings in the standard library


@dataclass(frozen=True)
class Bucket:
    """The test pairs whose sources have `source_range` = (least, most) bytes; scored as sequences of `length`."""

    length: int
    source_range: tuple[int, int]
    pairs: tuple[Pair, ...]


def source_room(length: int, summary_limit: int = SUMMARY_LIMIT) -> int:
    """T - M - 1, the most source bytes at length T; ValueError unless at least 1."""
    room = positive("length", length) - positive("summary_limit", summary_limit) - 1
    if room < 1:
        raise ValueError(f"length {length} leaves no room for a source beside {summary_limit} summary bytes and the "
                         f"separator: use lengths of at least {summary_limit + 2}")  # fmt: skip
    return room


def sequence(source: bytes, summary: bytes) -> list[int]:
    """source, SEPARATOR, summary, END."""
    return [*source, SEPARATOR, *summary, END]


def read_sequence(symbols: Sequence[int] | Int[Array, " T"]) -> tuple[bytes, bytes]:
    """The source and the summary of a sequence; ValueError unless it has one SEPARATOR and ends at its first END."""
    given = np.asarray(symbols).tolist()
    if given.count(SEPARATOR) != 1 or given.count(END) != 1 or given[-1] != END:
        raise ValueError(f"no sequence of a pair: need one {SEPARATOR} and one {END}, at the end")
    cut = given.index(SEPARATOR)
    return bytes(given[:cut]), bytes(given[cut + 1 : -1])


def clipped(source: bytes, room: int) -> bytes:
    """The first `room` bytes, less what they hold of a character that goes on."""
    if len(source) <= room:
        return source
    while room and source[room] & 0xC0 == 0x80:
        room -= 1
    return source[:room]


def training_pairs(
    pairs: Sequence[Pair],
    *,
    steps: int,
    batch: int,
    length: int,
    summary_limit: int = SUMMARY_LIMIT,
    long: Literal["leave-out", "clip"] = "leave-out",
    seed: int = 0,
) -> tuple[Batches, dict[str, int]]:
    """Pairs drawn uniformly with replacement, as inputs and targets of `length`, filled up behind END; and counts.

    Pairs with a summary of more than M bytes are left out, those with a longer source than `source_room` too, or
    `long="clip"` keeps the beginning of the source. Counts: `pairs` to draw from, `summary_too_long`, `source_too_long`
    (left out), `source_clipped`.

    Raises:
        ValueError: bad sizes, or no pair that fits.
    """
    steps, batch, room = positive("steps", steps), positive("batch", batch), source_room(length, summary_limit)
    short = [pair for pair in pairs if len(pair.summary) <= summary_limit]
    over = sum(len(pair.source) > room for pair in short)
    kept = [pair for pair in short if long == "clip" or len(pair.source) <= room]
    if not kept:
        raise ValueError(f"none of {len(pairs)} pairs fits length {length} ({room} source bytes, {summary_limit} of "
                         'summary): use a longer length, or long="clip"')  # fmt: skip
    fitted = [Pair(pair.document, clipped(pair.source, room), pair.summary) for pair in kept]
    inputs, targets, scored = padded(fitted, length)
    rng = np.random.default_rng([positive("seed", seed, least=0), 0x736D])
    drawn = rng.integers(0, len(kept), size=(steps, batch))
    cut = over if long == "clip" else 0
    counts = {"pairs": len(kept), "summary_too_long": len(pairs) - len(short), "source_too_long": over - cut}
    return Batches(inputs[drawn], targets[drawn], scored[drawn]), counts | {"source_clipped": cut}


def padded(pairs: Sequence[Pair], length: int) -> tuple[Int[Array, "n T"], Int[Array, "n T"], Bool[Array, "n T"]]:
    """Inputs, targets and what is scored of every pair; behind the sequence inputs are END and nothing is scored."""
    inputs = np.full((len(pairs), length), END, dtype=np.int32)
    targets, scored = np.zeros_like(inputs), np.zeros(inputs.shape, dtype=bool)
    for row, pair in enumerate(pairs):
        symbols, separator = sequence(pair.source, pair.summary), len(pair.source)
        last = len(symbols) - 1
        inputs[row, :last] = symbols[:-1]
        targets[row, separator:last] = symbols[separator + 1 :]
        scored[row, separator:last] = True
    return inputs, targets, scored


def buckets(
    pairs: Sequence[Pair], lengths: Sequence[int], summary_limit: int = SUMMARY_LIMIT
) -> tuple[list[Bucket], dict[str, int]]:
    """Every pair in the bucket of the shortest length its source fits, nothing clipped; empty buckets are left out.

    Counts: `summary_too_long`, and `source_too_long` for the longest length.

    Raises:
        ValueError: a length without room for a source, or no pair that fits any length.
    """
    ordered = sorted(set(lengths))
    rooms = [source_room(length, summary_limit) for length in ordered]
    short = [pair for pair in pairs if len(pair.summary) <= summary_limit]
    found = []
    for length, below, room in zip(ordered, [0, *rooms[:-1]], rooms, strict=True):
        inside = tuple(pair for pair in short if below < len(pair.source) <= room)
        found += [Bucket(length, (below + 1, room), inside)] if inside else []
    if not found:
        raise ValueError(f"no pair fits the lengths {' '.join(map(str, ordered))}: use longer ones, or another "
                         "summary_limit")  # fmt: skip
    fitting = sum(len(bucket.pairs) for bucket in found)
    return found, {"summary_too_long": len(pairs) - len(short), "source_too_long": len(short) - fitting}
