"""Data of the figures of extrapolation: far attention of networks beside theorems, and trained networks by length."""

import dataclasses
import itertools
from typing import Any

import numpy as np

from estimators.extrapolation_findings import score_rows
from estimators.extrapolation_runs import Plan
from estimators.extrapolation_runs import run as run_plan
from estimators.figures_plan import SEED, Kept, Rows
from estimators.network_bounds import network_report
from estimators.network_member import Member, Model, random_member
from estimators.tasks import find_task
from estimators.training_job import Settings

FAR = ("alibi", "kerple-power", "kerple-log:r1=2", "t5", "none", "rotary")
SYMBOLS, DIM, HEADS = 16, 32, 4
QUERY_SCALE = 1.0
TRAIN_LENGTH, LENGTH, PAPER_LENGTH = 32, 256, 1024
SEQUENCES, PAPER_SEQUENCES = 2, 8
CONFIDENCE = 0.95
TASKS, PAPER_TASKS = ("shift-1", "majority"), ("shift-1", "window-sum-4", "reversal", "majority")
TRAINED = ("none", "sinusoidal", "rotary", "alibi", "legendre", "random-orthogonal:beyond=clip")
PAPER_TRAINED = (*TRAINED, "t5", "kerple-log", "haar", "cosine")


def tails(quick: bool, kept: Kept) -> Rows:
    """Every head of a random network of one layer with scaled queries: measured attention beyond a window and the
    movement of the head's output without it, beside the theorems at the measured logit bound: encoding, head, length,
    window, logit_bound, mass, mass_bound, mass_least, mass_least_bound, moved, moved_bound, verdict."""
    length, count = (LENGTH, SEQUENCES) if quick else (PAPER_LENGTH, PAPER_SEQUENCES)
    parts = [kept(_tails, encoding=name, length=length, sequences=count, seed=SEED) for name in FAR]
    return list(itertools.chain(*parts))


def _tails(*, encoding: str, length: int, sequences: int, seed: int) -> Rows:
    member = _scaled(random_member(encoding, Model(SYMBOLS, 1, DIM, 1, HEADS), train_length=TRAIN_LENGTH, seed=seed))
    inputs = np.random.default_rng(seed).integers(SYMBOLS, size=(sequences, length))
    rows: Rows = []
    for one in network_report(member, inputs):
        shared: dict[str, Any] = {"encoding": encoding, "head": one.head, "length": length, "window": one.window}
        shared |= {"logit_bound": one.logit_bound, "mass": one.tail_mass_measured, "mass_bound": one.tail_mass_bound}
        shared |= {"mass_least": one.tail_mass_least, "mass_least_bound": one.tail_mass_least_bound}
        shared |= {"moved": one.truncation_measured, "moved_bound": one.truncation_bound, "verdict": one.verdict}
        rows.append(shared)
    return rows


def _scaled(member: Member) -> Member:
    network = member.network
    return dataclasses.replace(member, network=network._replace(queries=network.queries * QUERY_SCALE))


def accuracy(quick: bool, kept: Kept) -> Rows:
    """Trained networks on longer sequences: task, reach (tokens a local task looks back, none for a global one), kind,
    encoding, seeds, length, mean, lower, upper (Student's t over seeds), confidence, chance, train_length."""
    tasks, encodings, seeds, steps = (TASKS, TRAINED, 5, 400) if quick else (PAPER_TASKS, PAPER_TRAINED, 8, 800)
    parts = [
        kept(_accuracy, task=task, encoding=encoding, seeds=seeds, steps=steps, seed=SEED)
        for task in tasks
        for encoding in encodings
    ]
    return list(itertools.chain(*parts))


def _accuracy(*, task: str, encoding: str, seeds: int, steps: int, seed: int) -> Rows:
    plan = Plan(
        tasks=(task,),
        encodings=(encoding,),
        train_length=TRAIN_LENGTH,
        test_lengths=(32, 64, 128),
        seeds=seeds,
        seed=seed,
        sequences=32,
        rates=(0.003,),
        mixed=task == "reversal",
    )
    trained, scores = run_plan(plan, Settings(steps=steps))
    known = find_task(task)
    rows: Rows = []
    for one in score_rows(plan, trained, scores, {}, CONFIDENCE):
        if one.position_range != "all":
            continue
        shared: dict[str, Any] = {"task": task, "reach": known.reach, "kind": known.kind, "encoding": encoding}
        ends = {"lower": one.estimate.lower, "upper": one.estimate.upper, "confidence": one.estimate.confidence}
        mean = float(np.mean(one.values))
        shared |= {"seeds": one.seed_count, "length": one.length, "mean": mean} | ends
        rows.append(shared | {"chance": one.chance, "train_length": TRAIN_LENGTH})
    return rows
