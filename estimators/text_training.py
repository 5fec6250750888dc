"""Networks trained on bytes of real text and on pairs (source of a function, first line of its docstring).

Both use 258 symbols (256 bytes, a separator, an end mark), so one compiled program serves both.
"""

from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import log_softmax

from estimators.hub import hub_documents, hub_pairs
from estimators.network_member import Model
from estimators.summaries import Pairs, docstring_pairs
from estimators.summary_batches import SUMMARY_LIMIT, SYMBOLS, padded, source_room, training_pairs
from estimators.summary_files import pairs_from
from estimators.tasks import Examples
from estimators.text_batches import Batches, training_windows
from estimators.text_documents import Documents, text_documents
from estimators.text_predictor import Predict
from estimators.training import predict
from estimators.training_job import Lessons, Trained

CHECK_SEED, CHECK_WINDOWS = 3_000_017, 64
HUB = "hub:"


def documents_of(text: str | None) -> Documents:
    """The standard library's sources, a file or folder, or `hub:NAME` for a Hugging Face data set."""
    if text is not None and text.startswith(HUB):
        return hub_documents(text.removeprefix(HUB))
    return text_documents(None if text is None else Path(text))


def pairs_of(text: str | None) -> Pairs:
    """Pairs of the standard library's functions, of a CSV or JSONL file, or of `hub:NAME`."""
    if text is not None and text.startswith(HUB):
        return hub_pairs(text.removeprefix(HUB))
    if text is None:
        return docstring_pairs()
    path = Path(text)
    if path.suffix.lower() in (".csv", ".jsonl"):
        return pairs_from(path)
    return docstring_pairs(text_documents(path))


def text_model(*, dim: int, layers: int, heads: int, power: float) -> Model:
    """A causal network of 258 symbols."""
    return Model(SYMBOLS, SYMBOLS, dim, layers, heads, 4 * dim, True, power)


def text_lessons(documents: Documents, model: Model, length: int) -> Lessons:
    """Next byte on windows of `length` bytes of the training documents; ValueError where none is long enough."""

    def draw(seed: int, count: int) -> Examples:
        return _examples(training_windows(documents.train, steps=1, batch=count, length=length, seed=seed))

    held_out = training_windows(documents.test, steps=1, batch=CHECK_WINDOWS, length=length, seed=CHECK_SEED)
    draw(0, 1)
    return Lessons("text", model, SYMBOLS, "symbols", draw, _examples(held_out), None)


def summary_lessons(pairs: Pairs, model: Model, length: int) -> Lessons:
    """Pairs that fit `length` symbols; ValueError where none does."""

    def draw(seed: int, count: int) -> Examples:
        return _examples(training_pairs(pairs.train, steps=1, batch=count, length=length, seed=seed)[0])

    room = source_room(length)
    fitting = [pair for pair in pairs.test if len(pair.source) <= room and len(pair.summary) <= SUMMARY_LIMIT]
    if not fitting:
        raise ValueError(f"no test pair has a source of at most {room} bytes: use a longer train length")
    inputs, targets, scored = padded(fitting[:CHECK_WINDOWS], length)
    lengths = np.full(len(inputs), length, dtype=np.int32)
    draw(0, 1)
    check = Examples(inputs, targets.astype(np.float64), scored, lengths)
    return Lessons("summary", model, SYMBOLS, "symbols", draw, check, None)


def predictor(trained: Trained, lessons: Lessons, symbols: int) -> Predict:
    """Log-probabilities of the first `symbols` symbols: a network of 258 is asked about 256 bytes on plain text."""

    def found(inputs: np.ndarray) -> Any:
        given = np.asarray(inputs, dtype=np.int32)
        shape = given.shape
        examples = Examples(given, np.zeros(shape), np.ones(shape, bool), np.full(shape[0], shape[1], dtype=np.int32))
        return log_softmax(predict(trained, lessons, examples)[..., :symbols], axis=-1)

    return found


def _examples(batches: Batches) -> Examples:
    inputs, targets, scored = (block.reshape(-1, block.shape[-1]) for block in batches)
    lengths = np.full(len(inputs), inputs.shape[1], dtype=np.int32)
    return Examples(inputs.astype(np.int32), targets.astype(np.float64), scored, lengths)
