"""Ensembles of small Transformers, trained at once with one compiled program; deterministic and resumable.

On a CPU every member runs by itself, as many side by side as there are cores: their arrays fit the cache, where stacked
ones do not. On an accelerator members are stacked (`vmap`) in groups, one group for each device. Data depend on task,
seed and step only, so all encodings of one seed see the same sequences and start from the same matrices, and an
interrupted run resumes to the identical result.
"""

import functools
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from estimators.tasks import Examples
from estimators.training_arrays import batch_arrays, bucket, encoded_arrays, goal_arrays
from estimators.training_checkpoint import Checkpoints
from estimators.training_job import Check, Job, Lessons, Settings, Trained, done, first_weights, member_of, score
from estimators.training_program import Batch, State, evaluate, start_state, train_chunk, train_together

GROUP = 64  # members stacked on one accelerator
PILOT_SEED = 1_000_000  # pilots see other sequences and start from other matrices
RATES = (0.001, 0.003, 0.01)

Advance = Callable[..., None]


class Stopped(Exception):
    """A member ended because another one failed or the user interrupted."""


def train(
    jobs: Sequence[Job],
    settings: Settings,
    *,
    checkpoint: Path | None = None,
    advance: Advance | None = None,
    stacked: bool | None = None,
    workers: int | None = None,
) -> list[Trained]:
    """Trains all jobs, in the order given.

    checkpoint: a folder in which every member is kept and from which it resumes; ValueError for one of another
    configuration or a damaged file. advance(steps) is called as steps are done. stacked: vmap or one by one; None
    chooses by platform. workers: members trained side by side, None for as many as there are cores.
    """
    if not jobs:
        raise ValueError("nothing to train: give at least one job")
    stored = Checkpoints(checkpoint, settings) if checkpoint is not None else None
    lock, stop = threading.Lock(), threading.Event()

    def moved(steps: int) -> None:
        if stop.is_set():
            raise Stopped
        if advance is not None:
            with lock:
                advance(steps)

    if stacked is None:
        stacked = jax.default_backend() != "cpu"
    devices = jax.local_devices()
    groups = _groups(jobs) if stacked else [[k] for k in range(len(jobs))]
    side_by_side = len(devices) if stacked else min(len(jobs), workers or os.cpu_count() or 1)
    pool = ThreadPoolExecutor(max(1, side_by_side))
    try:
        runs = []
        for place, group in enumerate(groups):
            work = _train_stacked if stacked else _train_one
            mine = [jobs[k] for k in group], settings, stored, moved
            runs.append(pool.submit(_on, devices[place % len(devices)], work, *mine))
        found: dict[int, Trained] = {}
        for group, run in zip(groups, runs, strict=True):
            found.update(zip(group, run.result(), strict=True))
        return [found[k] for k in range(len(jobs))]
    finally:
        stop.set()  # after an error or Ctrl-C the other members end at their next check; what is saved stays
        pool.shutdown(wait=True, cancel_futures=True)


def choose_rates(
    pairs: Sequence[Job], settings: Settings, *, steps: int, rates: Sequence[float] = RATES, **options: Any
) -> list[float]:
    """The learning rate of every job by pilots of `steps` steps, one for each rate, of a seed of their own.

    Rule: the rate that reaches the threshold first, else the one with the largest last held-out score; of equals the
    smaller. Only task and encoding of `pairs` are read.
    """
    ladder = sorted(rates)
    pilots = [
        job._replace(seed=PILOT_SEED, rate=rate, limit=min(steps, settings.steps)) for job in pairs for rate in ladder
    ]
    runs = train(pilots, settings, **options)
    chosen = []
    for place in range(len(pairs)):
        mine = runs[place * len(ladder) : (place + 1) * len(ladder)]
        never = settings.steps + 1
        chosen.append(min(mine, key=lambda run: (run.steps_to_threshold or never, -run.score, run.rate)).rate)
    return chosen


def predict(trained: Trained, lessons: Lessons, examples: Examples) -> np.ndarray:
    """Outputs (n, T, O), float32, at the length of `examples`; ValueError where the encoding is not defined."""
    member, length = trained.member, examples.inputs.shape[1]
    padded = bucket(length)
    encoded = encoded_arrays(member.encoding, lessons.model, length, padded)
    batch = batch_arrays(*examples, padded=padded)
    found = np.asarray(evaluate(trained.record["weights"], encoded, batch.inputs, batch.present))[:, :length]
    if not np.isfinite(found).all():
        raise ValueError(f"{member.encoding.name} overflows at {length} tokens: use beyond=clip, or shorter tests")
    return found


def _on(device: Any, function: Callable, *arguments: Any) -> Any:
    with jax.default_device(device):
        return function(*arguments)


def _groups(jobs: Sequence[Job]) -> list[list[int]]:
    """Jobs that one compiled program can hold: same sizes, same number of steps."""
    kinds: dict[Any, list[int]] = {}
    for place, job in enumerate(jobs):
        model = job.lessons.model
        sizes = model.symbols, model.outputs, model.dim, model.layers, model.heads, model.mlp_width
        kinds.setdefault((sizes, job.encoding.train_length, job.limit), []).append(place)
    return [group[k : k + GROUP] for group in kinds.values() for k in range(0, len(group), GROUP)]


@functools.lru_cache(maxsize=256)
def _material(lessons: Lessons, seed: int, chunk: int, settings: Settings) -> Batch:
    """The sequences of one chunk of steps."""
    drawn = lessons.draw(seed * 1_000_003 + chunk, settings.chunk * settings.batch)
    shape = settings.chunk, settings.batch
    inputs, targets, scored, lengths = (block.reshape(*shape, *block.shape[1:]) for block in drawn)
    return batch_arrays(inputs, targets, scored, lengths)


@functools.lru_cache(maxsize=64)
def _held_out(lessons: Lessons) -> Batch:
    return batch_arrays(*lessons.check)


def _check(job: Job, state: State, encoded: Any, losses: np.ndarray) -> Check:
    batch = _held_out(job.lessons)
    found = np.asarray(evaluate(state.weights, encoded, batch.inputs, batch.present))
    loss = float(np.mean(losses))
    if not (np.isfinite(loss) and np.isfinite(found).all()):
        raise ValueError(
            f"training of {job.encoding.name} on {job.lessons.name} diverged at rate {job.rate:g}: use a smaller rate"
        )
    return Check(int(state.step), score(job.lessons, found, job.lessons.check), loss)


def _finish(job: Job, state: State, checks: list[Check]) -> Trained:
    weights = jax.tree.map(np.asarray, state.weights)
    member = member_of(job.lessons.model, job.encoding, job.seed, weights, int(state.step))
    label, record = job.label or job.encoding.name, {"weights": state.weights}
    return Trained(member, job.lessons.name, label, job.rate, tuple(checks), job.lessons.threshold, record)


def _train_one(jobs: list[Job], settings: Settings, stored: Checkpoints | None, moved: Advance) -> list[Trained]:
    (job,) = jobs
    model = job.lessons.model
    encoded = encoded_arrays(job.encoding, model, job.encoding.train_length)
    goal = goal_arrays(model, job.lessons.outputs, job.lessons.kind)
    state, checks, finished = start_state(first_weights(job)), [], False
    if stored is not None:
        state, checks, finished = stored.load(job, state)
    last, rate, total = job.limit or settings.steps, jnp.float32(job.rate), jnp.float32(settings.steps)
    moved(int(state.step))
    while not finished and int(state.step) < last:
        batches = _material(job.lessons, job.seed, int(state.step) // settings.chunk, settings)
        state, losses = train_chunk(state, encoded, goal, batches, rate, total, low=settings.low)
        checks.append(_check(job, state, encoded, np.asarray(losses)))
        finished = done(checks, settings, job.lessons) or int(state.step) >= last
        moved(settings.chunk)
        if stored is not None:
            stored.save(job, state, checks, finished)
    moved(last - int(state.step))
    return [_finish(job, state, checks)]


def _train_stacked(jobs: list[Job], settings: Settings, stored: Checkpoints | None, moved: Advance) -> list[Trained]:
    """All jobs of a group step together until the last one is done; each result is taken when its own job is."""
    model = jobs[0].lessons.model
    each = [encoded_arrays(job.encoding, job.lessons.model, job.encoding.train_length) for job in jobs]
    goals = [goal_arrays(model, job.lessons.outputs, job.lessons.kind) for job in jobs]
    states, checks = [start_state(first_weights(job)) for job in jobs], [[] for _ in jobs]
    finished = [False] * len(jobs)
    if stored is not None:
        for k, job in enumerate(jobs):
            states[k], checks[k], finished[k] = stored.load(job, states[k])
    last = jobs[0].limit or settings.steps
    while open_ := [k for k in range(len(jobs)) if not finished[k]]:
        # A member that resumed behind the others catches up first, so that all of a call stand at one step.
        behind = min(int(states[k].step) for k in open_)
        now = [k for k in open_ if int(states[k].step) == behind]
        # Places of the others are filled, since the size of a stack would change compiled code and last digits.
        filled = now + [now[0]] * (len(jobs) - len(now))
        batches = [_material(jobs[k].lessons, jobs[k].seed, behind // settings.chunk, settings) for k in filled]
        rates = jnp.asarray([jobs[k].rate for k in filled], jnp.float32)
        totals = jnp.full(len(filled), settings.steps, jnp.float32)
        moving = (_stack([found[k] for k in filled]) for found in (states, each, goals))
        together, losses = train_together(*moving, _stack(batches), rates, totals, low=settings.low)
        for place, k in enumerate(now):
            states[k] = jax.tree.map(lambda leaf, place=place: leaf[place], together)
            checks[k].append(_check(jobs[k], states[k], each[k], np.asarray(losses[place])))
            finished[k] = done(checks[k], settings, jobs[k].lessons) or int(states[k].step) >= last
            moved(settings.chunk if not finished[k] else settings.chunk + last - int(states[k].step))
            if stored is not None:
                stored.save(jobs[k], states[k], checks[k], finished[k])
    return [_finish(job, state, found) for job, state, found in zip(jobs, states, checks, strict=True)]


def _stack(trees: list[Any]) -> Any:
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)
