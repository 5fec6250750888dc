"""What is trained: a task as lessons, a job (lessons, encoding, seed, rate), the settings, and what comes out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from estimators.network_member import Member, Model, start
from estimators.network_positions import initial_numbers
from estimators.network_weights import Weights, network_of, numbers_of
from estimators.tasks import Examples
from theory.encodings.base import AbstractEncoding


@dataclass(frozen=True, eq=False)
class Lessons:
    """A task as training sees it.

    `draw(seed, count)` gives fresh training sequences, `check` the held-out ones that decide when a member is done.
    outputs and kind are those of the task ("symbols": classes, "numbers": a real number). threshold: the score that
    counts as learned, accuracy for symbols, share of the variance explained for numbers; None where there is none.
    """

    name: str
    model: Model
    outputs: int
    kind: str
    draw: Callable[[int, int], Examples]
    check: Examples
    threshold: float | None = 0.99


@dataclass(frozen=True)
class Settings:
    """steps: at most so many; every `chunk` steps the held-out score is taken. A member stops once the score has been
    at least `solved` at two checks in a row. low: products in bfloat16."""

    steps: int = 600
    batch: int = 32
    chunk: int = 25
    solved: float = 0.999
    low: bool = False

    def __post_init__(self) -> None:
        for word in ("steps", "batch", "chunk"):
            if getattr(self, word) < 1:
                raise ValueError(f"{word} must be at least 1, got {getattr(self, word)}: use {word}=1 or more")
        if self.steps % self.chunk:
            more = -(-self.steps // self.chunk) * self.chunk
            raise ValueError(f"steps must be a multiple of {self.chunk}, got {self.steps}: use steps={more}")


class Job(NamedTuple):
    """One network to train. `limit` stops it early (pilot runs) while rates fall as if all steps were to come; `label`
    is the encoding as the user wrote it."""

    lessons: Lessons
    encoding: AbstractEncoding
    seed: int
    rate: float
    limit: int | None = None
    label: str = ""


class Check(NamedTuple):
    """The held-out score after so many steps, and the mean training loss of the steps before it."""

    step: int
    score: float
    loss: float


@dataclass(frozen=True, eq=False)
class Trained:
    """One trained member and how it got there."""

    member: Member
    task: str
    label: str
    rate: float
    checks: tuple[Check, ...]
    threshold: float | None
    record: dict[str, Any] = field(default_factory=dict)

    @property
    def steps_to_threshold(self) -> int | None:
        """The first check whose score reached the threshold; None if none did."""
        if self.threshold is None:
            return None
        return next((check.step for check in self.checks if check.score >= self.threshold), None)

    @property
    def score(self) -> float:
        """The last held-out score."""
        return self.checks[-1].score


def first_weights(job: Job) -> Weights:
    """The weights before training."""
    model = job.lessons.model
    return start(model, initial_numbers(job.encoding, dim=model.dim, heads=model.heads, power=model.power), job.seed)


def member_of(model: Model, encoding: AbstractEncoding, seed: int, weights: Weights, steps: int) -> Member:
    """The network that `weights` stand for."""
    return Member(model, encoding, network_of(weights, model.heads), numbers_of(weights), seed, steps)


def score(lessons: Lessons, found: np.ndarray, examples: Examples) -> float:
    """Accuracy over scored positions, or the share of their variance that is explained."""
    if lessons.kind == "symbols":
        right = found[..., : lessons.outputs].argmax(axis=-1) == examples.targets
        return float(right[examples.scored].mean())
    targets = examples.targets[examples.scored]
    spread = float(targets.var())
    return 1 - float(((found[..., 0][examples.scored] - targets) ** 2).mean()) / spread if spread > 0 else 0.0


def done(checks: list[Check], settings: Settings, lessons: Lessons) -> bool:
    """Solved at two checks in a row."""
    if lessons.threshold is None or len(checks) < 2:
        return False
    return min(check.score for check in checks[-2:]) >= settings.solved
