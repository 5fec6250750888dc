"""What `python -m estimators.information` measures: networks, their inputs, and one job for each site of each layer."""

import dataclasses
import math
import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from estimators.information_bracket import brackets
from estimators.information_exact import exact_informations
from estimators.information_flow import Row
from estimators.information_groups import stratified
from estimators.information_points import METHODS, point_estimates
from estimators.information_sites import LISTED, Inputs, activations, check_sites, radius
from estimators.network_member import Member, Model, random_member

Array = np.ndarray
WORKERS = 4  # processes at most: each holds the activations of one network
LARGE = 100_000_000  # numbers of one site of all layers and networks, from which processes pay
POINTS = 8, 512  # observations of a point estimate: for each position, and at most
ARRAY = "array"


@dataclass(frozen=True)
class Task:
    """What is measured on every network. confidence: of all intervals together; points: methods beside them."""

    inputs: Inputs
    sites: tuple[str, ...]
    noise: tuple[float, ...]
    sequences: int
    confidence: float
    points: tuple[str, ...]
    seed: int


def check_points(points: Sequence[str]) -> tuple[str, ...]:
    """The methods, none of them for the word `none`; ValueError for others."""
    if list(points) == ["none"]:
        return ()
    wrong = [name for name in points if name not in METHODS]
    if wrong:
        raise ValueError(f"unknown point estimator {wrong[0]!r}: use {', '.join(METHODS)}, or none")
    return tuple(dict.fromkeys(points))


def each_confidence(confidence: float, cells: int) -> float:
    """1 - (1 - confidence)/cells: together they hold with at least `confidence`."""
    return 1 - (1 - confidence) / cells


def random_members(encodings: Sequence[str], model: Model, length: int, seed: int) -> list[tuple[str, Member]]:
    """One network for each encoding, all with the same matrices; ValueError where an encoding does not fit."""
    made = []
    for one in encodings:
        member = random_member(one, model, train_length=length, seed=seed)
        member.positions(length)
        made.append((one, member))
    return made


def trained_members(folder: Path, encodings: Sequence[str] | None, length: int) -> list[tuple[str, Member]]:
    """The members of a checkpoint folder, named task/encoding/seed; only those of `encodings` where given."""
    from estimators.training_checkpoint import load_members

    made = []
    for task, member in load_members(folder):
        names = (member.specification, member.specification.partition(":")[0])
        if encodings is None or any(name in encodings for name in names):
            member.positions(length)
            made.append((f"{task}/{_short(member.specification)}/{member.seed}", member))
    if not made:
        raise ValueError(f"{folder} holds none of {', '.join(encodings or [])}: leave --encoding out to see all")
    return made


def _short(specification: str) -> str:
    """Without the sizes, which all members share."""
    name, _, options = specification.partition(":")
    kept = [one for one in options.split(",") if one.partition("=")[0] not in ("", "dim", "heads", "train_length")]
    return f"{name}:{','.join(kept)}" if kept else name


def measured(members: Sequence[tuple[str, Member]], task: Task) -> Iterator[list[Row]]:
    """The rows of one site of one layer at a time, one for each noise, in order; large tasks in several processes."""
    check_sites(task.sites)
    layers = [member.network.queries.shape[0] for _, member in members]
    cells = len(task.noise) * sum(1 + depth * len(task.sites) for depth in layers)
    confidence = each_confidence(task.confidence, cells)
    given = [(name, member, task, confidence) for name, member in members]
    work = sum(layers) * task.sequences * task.inputs.length * members[0][1].model.dim
    workers = min(WORKERS, os.cpu_count() or 1, len(members))
    if workers < 2 or work < LARGE:
        for one in given:
            yield from member_rows(*one)
        return
    for library in ("OPENBLAS", "MKL", "OMP"):  # read by the workers: threads inside processes wait for each other
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _deaf)
    try:
        for job in [pool.submit(all_rows, *one) for one in given]:
            yield from job.result()
    except BaseException:
        for worker in multiprocessing.active_children():
            worker.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _deaf() -> None:
    """Ctrl-C is for the parent, which ends the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def all_rows(name: str, member: Member, task: Task, confidence: float) -> list[list[Row]]:
    """`member_rows` of a whole network."""
    return list(member_rows(name, member, task, confidence))


def member_rows(name: str, member: Member, task: Task, confidence: float) -> Iterator[list[Row]]:
    """The rows of every site of one network."""
    for measure, *given in _jobs(name, member, task, confidence):
        yield measure(*given)


def _jobs(name: str, member: Member, task: Task, confidence: float) -> Iterator[Any]:
    inputs, network = task.inputs, member.network
    if inputs.symbols > network.embedding.shape[0]:
        how = "use a network of bytes" if inputs.law == "text" else "use fewer --symbols"
        raise ValueError(f"{name} knows {network.embedding.shape[0]} symbols, got {inputs.symbols}: {how}")
    listed = inputs.listed
    content = inputs.all(network) if listed else inputs.draw(network, task.sequences)
    table = member.positions(inputs.length).table
    most = float(np.linalg.norm(network.embedding, axis=1).max()) if inputs.law != "gaussian" else math.inf
    reach = float(np.linalg.norm(table, axis=1).max())
    for layer, site, held in activations(member, content, task.sites):
        if listed:
            yield _listed, name, layer, site, held, task, confidence, "listed", table
        elif layer == 0 and inputs.law == "symbols":
            yield _listed, name, layer, site, inputs.tokens(network) + table, task, confidence, "own token", table
        elif layer == 0 and inputs.law == "gaussian":
            yield _gaussian, name, table, task, confidence
        else:
            bound = radius(network, layer, site, most, reach)
            yield _sampled, name, layer, site, held, task, confidence, bound


def _listed(
    name: str, layer: int, site: str, atoms: Array, task: Task, confidence: float, law: str, table: Array
) -> list[Row]:
    found = exact_informations(atoms, list(task.noise), confidence=confidence, seed=task.seed)
    best = [best_code(table, one.sigma) if layer == 0 else None for one in found]
    points = [points_of(atoms, one.sigma, task) for one in found]
    return [Row(name, layer, site, law, *each) for each in zip(found, points, best, strict=True)]


def _gaussian(name: str, table: Array, task: Task, confidence: float) -> list[Row]:
    """x^0 = p + N(0, I/d): a deterministic code in noise of variance sigma^2 + 1/d."""
    dim = table.shape[1]
    size = math.sqrt(float(np.mean(table**2)) + 1 / dim)
    wide = [math.sqrt((one * size) ** 2 + 1 / dim) for one in task.noise]
    rows = []
    found = exact_informations(table[None], list(task.noise), confidence=confidence, seed=task.seed, sigma=wide)
    for one, noisy in zip(found, wide, strict=True):
        sigma = one.noise * size
        content = dim / 2 * math.log1p(1 / (dim * sigma**2))
        held = dataclasses.replace(one, sigma=sigma, content_information=content, content_limit=math.inf)
        rows.append(
            Row(name, 0, "embedded", "Gaussian", held, points_of(table[None], noisy, task), best_code(table, noisy))
        )
    return rows


def _sampled(name: str, layer: int, site: str, held: Array, task: Task, confidence: float, bound: float) -> list[Row]:
    found = brackets(held, task.noise, confidence=confidence, seed=task.seed, radius=bound)
    return [Row(name, layer, site, "sampled", one, points_of(held, one.sigma, task)) for one in found]


def measured_array(activations_: Float64[Array, "S N d"], name: str, task: Task) -> list[Row]:
    """The user's activations: independent sequences of an unknown law."""
    found = brackets(
        activations_, task.noise, confidence=each_confidence(task.confidence, len(task.noise)), seed=task.seed
    )
    return [Row(name, 0, ARRAY, "sampled", one, points_of(activations_, one.sigma, task)) for one in found]


def points_of(held: Float64[Array, "K N d"], sigma: float, task: Task) -> dict[str, Any]:
    """Point estimates from noisy observations of uniform positions, each of its own sequence where there are enough."""
    if not task.points:
        return {}
    rng = np.random.default_rng([task.seed, 0x707473])
    positions = held.shape[1]
    count = min(POINTS[0] * positions, POINTS[1]) if positions <= POINTS[1] // 4 else 4 * positions
    labels = stratified(rng, 1, positions, count)[0]
    rows = rng.permutation(len(held))[:count] if len(held) >= count else rng.integers(len(held), size=count)
    points = held[rows, labels] + sigma * rng.standard_normal((count, held.shape[2]))
    return dict(point_estimates(labels, points, seed=task.seed, methods=task.points))


def best_code(table: Float64[Array, "N d"], sigma: float) -> float | None:
    """min{ln N, (r/2) ln(1 + P/(r sigma^2))}, r = min(d, N-1), P the centred power of the table; None for none.

    `theory.information_codes.gaussian_code_bound`; contents are independent of P, and adding them to Z loses nothing
    but information.
    """
    positions, dim = table.shape
    power = float(((table - table.mean(axis=0)) ** 2).sum()) / positions
    rank = min(dim, positions - 1)
    return min(math.log(positions), rank / 2 * math.log1p(power / (rank * sigma**2))) if power > 0 else None


def cost_note(inputs: Inputs) -> str:
    """How the law of the contents is treated, for people."""
    if inputs.listed:
        return f"all {inputs.count} contents are listed: posteriors are exact"
    if inputs.law == "symbols":
        return f"contents are drawn; {LISTED} at most would be listed (symbols^length): layer 0 alone is exact"
    if inputs.law == "gaussian":
        return "contents are drawn; layer 0 alone is exact"
    return (
        "windows of the text are drawn without replacement and treated as independent draws of its windows: the "
        "intervals are about that law, and only as good as that independence"
    )
