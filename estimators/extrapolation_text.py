"""Encodings on real text beyond the training length: bits per byte in both modes, use of context, summaries.

Every (encoding, seed) is one network. A row is a mean over seeds with Student's interval over seeds; each seed's value
is a mean over test documents. All networks score the same bytes. The split, the mode and the corpus are named.
"""

import importlib.util
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from estimators.estimate import Estimate
from estimators.extrapolation_findings import REFERENCES
from estimators.extrapolation_runs import Plan, train_chosen
from estimators.network_positions import check_lengths, network_encoding
from estimators.seed_statistics import Difference, paired_differences, seed_mean
from estimators.summary_batches import SYMBOLS, source_room
from estimators.text_batches import BYTES, scored_passages
from estimators.text_results import summary_results, text_results
from estimators.text_training import (
    documents_of,
    pairs_of,
    predictor,
    summary_lessons,
    text_lessons,
    text_model,
)
from estimators.training_job import Job, Lessons, Settings, Trained

Kind = Literal["text", "summary"]
FLOOR = 1e-3  # bits: the least deviation over seeds that is believed
PASSAGES, SCORED, LARGEST_STRIDE = 48, 16, 32


@dataclass(frozen=True)
class TextSummary:
    """Bits per byte (or a ROUGE F-measure) of one encoding over seeds. `measure`: sliding, non-overlapping,
    context-use, summary, or rouge1, rouge2, rougeL. length: tokens, or visible bytes for context-use."""

    task: str
    measure: str
    encoding: str
    length: int
    position_range: str
    estimate: Estimate
    values: tuple[float, ...]
    scored: int
    documents: int


@dataclass(frozen=True)
class TextRun:
    """All rows of one kind, differences to the references at the longest length, and what was read."""

    kind: Kind
    rows: list[TextSummary]
    compared: list[tuple[str, str, str, Difference]]
    trained: list[Trained]
    description: dict[str, Any]


def check_text(plan: Plan, kind: Kind, text: str | None) -> tuple[Any, Lessons, Job]:
    """The material and lessons of a plan; ValueError, before any work, where text or encodings do not reach."""
    model = text_model(dim=plan.dim, layers=plan.layers, heads=plan.heads, power=plan.power)
    longest = max(plan.test_lengths)
    if kind == "text":
        material = documents_of(text)
        material.require(train_length=plan.train_length, test_length=longest)
        lessons = text_lessons(material, model, plan.train_length)
    else:
        source_room(min(plan.test_lengths))
        if importlib.util.find_spec("rouge_score") is None:
            # Said here, not after the networks are trained.
            wanted = "pip install 'positional-encoding-bounds[summaries]'"
            raise ValueError(f"the task summary scores with the package rouge-score, which is missing: {wanted}")
        material = pairs_of(text)
        lessons = summary_lessons(material, model, plan.train_length)
    return material, lessons, Job(lessons, _encodings(plan)[0], plan.seed, plan.rates[0])


def _encodings(plan: Plan) -> list[Any]:
    made = [
        network_encoding(
            words, dim=plan.dim, heads=plan.heads, train_length=plan.train_length, causal=True, beyond=plan.beyond
        )
        for words in plan.encodings
    ]
    for encoding in made:
        check_lengths(encoding, max(plan.test_lengths))
    return made


def run_text(
    plan: Plan,
    settings: Settings,
    kind: Kind,
    text: str | None,
    confidence: float,
    *,
    checkpoint: Path | None = None,
    advance: Callable[..., None] | None = None,
) -> TextRun:
    """Pilots, training and scoring. There is no threshold: rates are chosen by held-out accuracy of the next symbol."""
    material, lessons, first = check_text(plan, kind, text)
    pairs = [
        first._replace(encoding=encoding, label=words)
        for words, encoding in zip(plan.encodings, _encodings(plan), strict=True)
    ]
    _, trained = train_chosen(plan, pairs, settings, checkpoint=checkpoint, advance=advance)
    score = _text_values if kind == "text" else _summary_values
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = list(pool.map(lambda one: score(plan, lessons, one, material, confidence), trained))
    rows = _rows(plan, kind, found, confidence)
    return TextRun(kind, rows, _compared(plan, kind, rows, confidence), trained, material.description)


Value = tuple[str, int, str, float, int, int]  # measure, length, position range, value, scored, documents


def _text_values(plan: Plan, lessons: Lessons, one: Trained, material: Any, confidence: float) -> list[Value]:
    passages = scored_passages(material.test, length=max(plan.test_lengths), limit=PASSAGES, seed=plan.seed)
    found = text_results(
        predictor(one, lessons, BYTES),
        passages,
        plan.test_lengths,
        train_length=plan.train_length,
        stride=LARGEST_STRIDE,
        scored=SCORED,
        confidence=confidence,
        seed=plan.seed,
    )
    values: list[Value] = []
    seen = set()
    for row in found["results"]:
        name = "all" if (row.mode, row.length) not in seen else f"{row.position_range[0]}-{row.position_range[1]}"
        seen.add((row.mode, row.length))
        values.append((row.mode, row.length, name, row.mean, row.bytes_scored, row.documents))
    values += [
        ("context-use", row.visible, "all", row.mean, row.bytes_scored, row.documents) for row in found["context_use"]
    ]
    return values


def _summary_values(plan: Plan, lessons: Lessons, one: Trained, material: Any, confidence: float) -> list[Value]:
    found = summary_results(
        predictor(one, lessons, SYMBOLS), material.test, plan.test_lengths, limit=PASSAGES, decoded=8, seed=plan.seed
    )
    values: list[Value] = []
    for row in found["results"]:
        size = f"sources of {row.source_range[0]}-{row.source_range[1]} bytes"
        values.append(("summary", row.length, size, row.mean, row.bytes_scored, row.documents))
        for name, score in (row.rouge or {}).items():
            values.append((name, row.length, size, score["mean"], row.pairs, row.documents))
    return values


def _rows(plan: Plan, kind: Kind, found: Sequence[list[Value]], confidence: float) -> list[TextSummary]:
    rows = []
    for place, encoding in enumerate(plan.encodings):
        seeds = found[place * plan.seeds : (place + 1) * plan.seeds]
        for values in zip(*seeds, strict=True):
            measure, length, where, _, scored, documents = values[0]
            numbers = tuple(float(value[3]) for value in values)
            limits = {"least": 0.0, "most": 1.0 if measure.startswith("rouge") else np.inf}
            estimate = seed_mean(numbers, confidence=confidence, floor=FLOOR, **limits)
            rows.append(TextSummary(kind, measure, encoding, length, where, estimate, numbers, scored, documents))
    return rows


def _compared(
    plan: Plan, kind: Kind, rows: Sequence[TextSummary], confidence: float
) -> list[tuple[str, str, str, Difference]]:
    """(measure, encoding, reference, difference) at the training and the longest test length, all positions."""
    lengths = {plan.train_length, max(plan.test_lengths)}
    measures = {"text": ("sliding", "non-overlapping"), "summary": ("summary",)}[kind]
    main = [row for row in rows if row.measure in measures and row.length in lengths]
    main = [row for row in main if kind == "summary" or row.position_range == "all"]
    named = [
        (row, other)
        for row in main
        for other in main
        if (row.measure, row.length, row.position_range) == (other.measure, other.length, other.position_range)
        if other.encoding != row.encoding and other.encoding.partition(":")[0] in REFERENCES
    ]
    found = paired_differences([(a.values, b.values) for a, b in named], confidence=confidence, floor=FLOOR)
    return [
        (f"{a.measure}, {a.length} tokens", a.encoding, b.encoding, difference)
        for (a, b), difference in zip(named, found, strict=True)
    ]


def text_document(run: TextRun) -> list[dict[str, Any]]:
    """Rows for `results[]` of the JSON document."""
    return [
        {
            "task": row.task,
            "measure": row.measure,
            "encoding": row.encoding,
            "seed_count": len(row.values),
            "length": row.length,
            "position_range": row.position_range,
            "mean": float(np.mean(row.values)),
            **{key: value for key, value in asdict(row.estimate).items()},
            "values": row.values,
            "scored": row.scored,
            "documents": row.documents,
            "steps_to_threshold": None,
            "predicted_horizon": None,
        }
        for row in run.rows
    ]
