"""Data of the figure of loss by position on text, in both modes of evaluation, of small networks trained on bytes."""

import itertools
from typing import Any

from estimators.figures_plan import SEED, Kept, Rows
from estimators.network_positions import network_encoding
from estimators.text_batches import BYTES, scored_passages
from estimators.text_model import non_overlapping, sliding
from estimators.text_training import documents_of, predictor, text_lessons, text_model
from estimators.training import train
from estimators.training_job import Job, Settings

TRAIN_LENGTH, TEST_LENGTH, STRIDE = 32, 128, 16
DIM, LAYERS, HEADS, RATE = 32, 2, 4, 0.003
STEPS, PAPER_STEPS = 200, 2000
DOCUMENTS, PAPER_DOCUMENTS = 60, 400
ENCODINGS = ("none", "sinusoidal", "rotary", "alibi")


def by_position(quick: bool, kept: Kept) -> Rows:
    """Bits per byte in ranges of positions of windows longer than those trained on: encoding, mode, length, stride,
    train_length, first, last, mean, lower, upper (Student's t over documents), confidence, documents, steps."""
    steps, documents = (STEPS, DOCUMENTS) if quick else (PAPER_STEPS, PAPER_DOCUMENTS)
    parts = [kept(_by_position, encoding=one, steps=steps, documents=documents, seed=SEED) for one in ENCODINGS]
    return list(itertools.chain(*parts))


def _by_position(*, encoding: str, steps: int, documents: int, seed: int) -> Rows:
    texts = documents_of(None)
    lessons = text_lessons(texts, text_model(dim=DIM, layers=LAYERS, heads=HEADS, power=1.0), TRAIN_LENGTH)
    made = network_encoding(encoding, causal=True, beyond=None, dim=DIM, heads=HEADS, train_length=TRAIN_LENGTH)
    (trained,) = train([Job(lessons, made, seed, RATE, label=encoding)], Settings(steps=steps))
    passages = scored_passages(texts.test, length=TEST_LENGTH, per_document=2, limit=documents, seed=seed)
    predict = predictor(trained, lessons, BYTES)
    rows: Rows = []
    for length in (TRAIN_LENGTH, TEST_LENGTH):
        slid = sliding(predict, passages, length, stride=STRIDE, scored=TEST_LENGTH, seed=seed)
        for one in slid.rows(TRAIN_LENGTH) + non_overlapping(predict, passages, length).rows(TRAIN_LENGTH):
            first, last = one.position_range
            if one.mode == "non-overlapping" and (first, last) == (0, length - 1):
                continue
            shared: dict[str, Any] = {"encoding": encoding, "mode": one.mode, "length": length, "stride": one.stride}
            shared |= {"train_length": TRAIN_LENGTH, "first": first, "last": last, "mean": one.mean}
            shared |= {"lower": one.lower, "upper": one.upper, "confidence": one.confidence}
            rows.append(shared | {"documents": len(one.per_document), "steps": steps})
    return rows
