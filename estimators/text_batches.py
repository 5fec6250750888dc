"""Windows of bytes to train a causal network on, and passages to score one on; none crosses a document or the split."""

import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int, UInt8
from numpy.lib.stride_tricks import sliding_window_view

from estimators.samples import positive
from estimators.text_documents import Document

Array = np.ndarray
BYTES = 256  # the alphabet: bytes 0 .. 255, no mark at the start of a document or of a window


class Batches(NamedTuple):
    """Training data: input t predicts target t where `scored` holds. Positions that are not scored hold a target 0."""

    inputs: Int[Array, "steps batch T"]
    targets: Int[Array, "steps batch T"]
    scored: Bool[Array, "steps batch T"]


class Passages(NamedTuple):
    """What every mode, length and model is scored on: N passages of T bytes of context and T bytes to score.

    `document` is the index of the passage's document in `names`; `too_short` counts documents under 2 T bytes, `unused`
    those beyond the number asked for.
    """

    text: UInt8[Array, "N twice"]
    document: Int[Array, " N"]
    names: tuple[str, ...]
    too_short: int
    unused: int

    @property
    def length(self) -> int:
        """T, the longest length these passages can be scored at."""
        return self.text.shape[1] // 2


def training_windows(documents: Sequence[Document], *, steps: int, batch: int, length: int, seed: int = 0) -> Batches:
    """Windows of length + 1 bytes: the first `length` are inputs, the last `length` targets, int32, all scored.

    Every place of every document with room for a window is equally likely, with replacement, so that a document of n
    bytes has weight n - length; shorter ones are never drawn. Fewer steps of one seed are the first ones of more.

    Raises:
        ValueError: sizes below 1, or no document of length + 1 bytes.
    """
    steps, batch, length = positive("steps", steps), positive("batch", batch), positive("length", length)
    places = np.array([max(len(document.text) - length, 0) for document in documents], dtype=np.int64)
    ends = np.cumsum(places)
    if not len(ends) or ends[-1] == 0:
        longest = max((len(document.text) for document in documents), default=0)
        raise ValueError(f"no document has {length + 1} bytes, the longest has {longest}: use a shorter length")
    rng = np.random.default_rng([positive("seed", seed, least=0), 0x77696E])
    drawn = rng.integers(0, ends[-1], size=(steps, batch))
    chosen = np.searchsorted(ends, drawn, side="right")  # document of each window
    inside = drawn - (ends - places)[chosen]
    starts = np.cumsum([0, *(len(document.text) for document in documents)])[chosen] + inside
    joined = np.frombuffer(b"".join(document.text for document in documents), dtype=np.uint8)
    windows = sliding_window_view(joined, length + 1)[starts].astype(np.int32)  # (steps, batch, length + 1)
    return Batches(windows[..., :-1], windows[..., 1:], np.ones((steps, batch, length), dtype=bool))


def scored_passages(
    documents: Sequence[Document], *, length: int, per_document: int = 1, limit: int = 100, seed: int = 0
) -> Passages:
    """Passages of 2 `length` bytes at random places of each document, no scored byte twice.

    The scored halves lie at multiples of `length`, the first at byte `length`: a document of n bytes has
    floor(n/length) - 1 of them. At most `limit` documents are used, and `per_document` passages of each; both are drawn
    from the seed and do not depend on how many are asked for of the other documents.

    Raises:
        ValueError: sizes below 1, or no document of 2 `length` bytes.
    """
    length, per_document = positive("length", length), positive("per_document", per_document)
    seed = positive("seed", seed, least=0)
    long = [document for document in documents if len(document.text) >= 2 * length]
    if not long:
        longest = max((len(document.text) for document in documents), default=0)
        raise ValueError(f"no document has {2 * length} bytes ({length} of context, {length} to score), the longest "
                         f"has {longest}: use lengths up to {longest // 2}, or longer text")  # fmt: skip
    order = np.random.default_rng([seed, 0x646F63]).permutation(len(long))[: positive("limit", limit)]
    used = [long[index] for index in sorted(order)]
    rows, owners = [], []
    for index, document in enumerate(used):
        rng = np.random.default_rng([seed, zlib.crc32(document.name.encode(errors="surrogateescape"))])
        slots = rng.permutation(len(document.text) // length - 1)[:per_document]
        for slot in sorted(slots.tolist()):
            rows.append(np.frombuffer(document.text, np.uint8, count=2 * length, offset=slot * length))
            owners.append(index)
    names = tuple(document.name for document in used)
    return Passages(np.stack(rows), np.array(owners), names, len(documents) - len(long), len(long) - len(used))
