"""Command: do Transformers trained on short sequences work on longer ones, encoding by encoding."""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from estimators import extrapolation_figure, extrapolation_text_report
from estimators.command_line import console, progress, run
from estimators.extrapolation_findings import comparisons, rule_checks, score_rows
from estimators.extrapolation_report import as_comparisons, as_results, show
from estimators.extrapolation_runs import TEST_SEED, Plan, Scores, check_plan, total_steps
from estimators.extrapolation_runs import run as run_plan
from estimators.extrapolation_text import Kind, TextRun, check_text, run_text, text_document
from estimators.extrapolation_windows import SEQUENCES, Windows, as_rows, bound_check, bound_line, network_windows
from estimators.results import check_outputs, versions, write_json
from estimators.tasks import draw, find_task
from estimators.training import RATES
from estimators.training_job import Settings, Trained
from theory.encodings.base import Beyond

TASKS = ("shift-1", "window-sum-4", "reversal", "majority")
ENCODINGS = (
    *("none", "sinusoidal", "rotary", "alibi", "alibi:slope=1"),
    *("legendre", "haar", "random-orthogonal:beyond=clip"),
)
WINDOW_MEMBERS = 1  # of a task and encoding, at whose attention we look


def extrapolation(
    *,
    task: list[str] = [*TASKS],  # noqa: B006  (read only, shown in --help)
    encoding: list[str] = [*ENCODINGS],  # noqa: B006
    train_length: int = 32,
    test_lengths: list[int] = [32, 64, 128, 256],  # noqa: B006
    seeds: int = 3,
    seed: int = 0,
    power: float = 1.0,
    beyond: Beyond | None = None,
    mixed: bool = False,
    steps: int = 400,
    rate: list[float] = [*RATES],  # noqa: B006
    dim: int = 32,
    layers: int = 2,
    heads: int = 4,
    sequences: int = 64,
    bfloat16: bool = False,
    confidence: float = 0.95,
    text: str | None = None,
    checkpoint: Path | None = None,
    json: Path | None = None,
    figure: Path | None = None,
) -> int:
    """Train small Transformers on short sequences, test them on longer ones, and compare with the theory.

    For every task and encoding: accuracy by length with intervals over seeds, the steps it took to learn, how far the
    heads can look by their bias and measured logits and how far they do look, differences to no encoding and to a
    random orthogonal code seed by seed, and whether the local/global rule held. All encodings have the same power, the
    same first matrices and the same sequences; the learning rate is chosen for each by pilot runs. Exit status: 1 if a
    trained network violates a theorem on its tail mass, truncation error or horizon.

    Args:
        task (NAME): tasks of estimators.tasks; text: bytes of real text; summary: a function's docstring
        encoding (NAME[:key=value,...]): encodings to compare; tables need a rule beyond the training length
        train_length (N): tokens of training sequences
        test_lengths (N): tokens of test sequences
        seeds (K): networks for each task and encoding
        seed: of the first network; the others follow
        power: mean |p|^2 of additive codes and relative vectors
        beyond: rule beyond the training length for every encoding that has it; none leaves each its own
        mixed: train on all lengths up to the training length
        steps: of training at most, a multiple of 25; solved networks stop early
        rate: learning rates that pilots choose from; one alone is taken as it is
        dim (d): channels
        layers (L): layers
        heads (H): heads; must divide dim
        sequences (n): test sequences for each length
        bfloat16: round matrix products of training to bfloat16; positions and softmax never are
        confidence: of the intervals
        text (PATH): for text and summary: a file, a folder, CSV or JSONL pairs, or hub:NAME for a Hugging Face data
            set; the standard library's sources if not given
        checkpoint (DIR): keep every network there and resume from there
        json (PATH): write everything as JSON, `-` for standard output
        figure (PATH): draw scores against length (.png, .pdf or .svg)

    Examples:
        python -m estimators.extrapolation
        python -m estimators.extrapolation --task reversal --mixed --seeds 5 --steps 1000
        python -m estimators.extrapolation --encoding alibi alibi:slope=1 none --test-lengths 32 256 1024 --json x.json
        python -m estimators.extrapolation --task text --train-length 128 --test-lengths 128 256 512 --dim 64
        python -m estimators.extrapolation --task text --train-length 512 --test-lengths 512 8192 --dim 256 --layers 6
    """
    parameters = dict(locals())
    started = time.perf_counter()
    check_outputs(json, figure)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}: use 0.95")
    kinds: list[Kind] = [kind for kind in get_args(Kind) if kind in task]
    plan = Plan(
        tasks=tuple(name for name in task if name not in kinds),
        encodings=tuple(encoding),
        train_length=train_length,
        test_lengths=tuple(sorted(test_lengths)),
        seeds=seeds,
        seed=seed,
        power=power,
        beyond=beyond,
        mixed=mixed,
        dim=dim,
        layers=layers,
        heads=heads,
        sequences=sequences,
        rates=tuple(rate),
    )
    settings = Settings(steps=steps, low=bfloat16)
    if text is not None and not kinds:
        raise ValueError("--text is read by the tasks text and summary only: add --task text")
    check_plan(plan, with_tasks=bool(plan.tasks) or not kinds)
    for kind in kinds:
        check_text(plan, kind, text)
    found = _run(plan, settings, kinds, text, confidence, checkpoint)
    rows = score_rows(plan, found.trained, found.scores, found.predicted, confidence)
    compared, rules = comparisons(plan, rows, confidence), rule_checks(plan, rows)
    checked = bound_check([one for *_, one in found.windows])
    if json is not None:
        document: dict[str, Any] = {
            "command": "extrapolation",
            "parameters": parameters,
            "results": [*as_results(rows), *(row for run_ in found.texts for row in text_document(run_))],
            "differences": as_comparisons(compared),
            "rule": rules,
            "windows": as_rows(found.windows),
            "bounds": checked,
            "text": [{"kind": run_.kind, **run_.description} for run_ in found.texts],
            "versions": versions(),
            "interrupted": found.interrupted,
            "seconds": time.perf_counter() - started,
        }
        write_json(json, document)
    if figure is not None and rows:
        extrapolation_figure.draw(rows, train_length, figure)
    if json is None or str(json) != "-":
        for run_ in found.texts:
            extrapolation_text_report.show(run_, train_length)
        if rows:
            show(rows, compared, rules, found.seen, train_length)
        if checked is not None:
            console().print(bound_line(checked))
    if found.interrupted:
        kept = f"finished networks are in {checkpoint}" if checkpoint else "--checkpoint DIR would keep networks"
        console(error=True).print(f"interrupted: the tasks after these are missing; {kept}")
        return 130
    return 1 if checked is not None and checked.violated else 0


@dataclass
class _Found:
    """What has been finished so far."""

    trained: list[Trained] = field(default_factory=list)
    scores: list[Scores] = field(default_factory=list)
    texts: list[TextRun] = field(default_factory=list)
    windows: list[tuple[str, str, int, Windows]] = field(default_factory=list)
    interrupted: bool = False

    @property
    def predicted(self) -> dict[tuple[str, str], float]:
        """The largest predicted window of the networks looked at."""
        found: dict[tuple[str, str], float] = {}
        for task, encoding, _, one in self.windows:
            if one.predicted is not None:
                found[task, encoding] = max(one.predicted, found.get((task, encoding), 0.0))
        return found

    @property
    def seen(self) -> dict[tuple[str, str], float]:
        """The largest window seen."""
        found: dict[tuple[str, str], float] = {}
        for task, encoding, _, one in self.windows:
            found[task, encoding] = max(one.seen, found.get((task, encoding), 0.0))
        return found


def _run(
    plan: Plan, settings: Settings, kinds: list[Kind], text: str | None, confidence: float, checkpoint: Path | None
) -> _Found:
    """Task by task, so that an interruption leaves whole tasks."""
    found, parts = _Found(), len(plan.tasks) + len(kinds)
    with progress("training steps", total_steps(plan, settings, parts)) as advance:
        try:
            for name in plan.tasks:
                part = replace(plan, tasks=(name,))
                trained, scores = run_plan(part, settings, checkpoint=checkpoint, advance=advance)
                windows = _windows(plan, trained)
                found.trained += trained
                found.scores += scores
                found.windows += windows
            for kind in kinds:
                options: dict[str, Any] = {"checkpoint": checkpoint, "advance": advance}
                found.texts.append(run_text(plan, settings, kind, text, confidence, **options))
        except KeyboardInterrupt:
            if not found.trained and not found.texts:
                raise
            found.interrupted = True
    return found


def _windows(plan: Plan, trained: list[Trained]) -> list[tuple[str, str, int, Windows]]:
    """Windows and theorems at the longest test length, of the first seeds."""

    def look(one: Trained) -> tuple[str, str, int, Windows]:
        task = find_task(one.task.removesuffix("-mixed"))
        examples = draw(task, TEST_SEED, SEQUENCES, max(plan.test_lengths))
        return one.task, one.label, one.member.seed, network_windows(one.member, examples.inputs)

    looked_at = [one for one in trained if one.member.seed < plan.seed + WINDOW_MEMBERS]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(look, looked_at))


if __name__ == "__main__":
    sys.exit(run(extrapolation))
