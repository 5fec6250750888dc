"""Command: what each encoding lets a Transformer compute, what it forbids, and what small trained networks reach."""

import itertools
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from estimators.command_line import console, progress, run
from estimators.expressiveness_report import Row, as_document, draw, faults, show
from estimators.expressiveness_tables import structure
from estimators.expressiveness_training import Training
from estimators.expressiveness_training import train as train_networks
from estimators.results import check_outputs, versions, write_json
from theory.encodings import ENCODINGS, parse

LARGEST = 64
LAYERS = (1, 2)
WORKERS = 2
LIMITS = {"length": (2, LARGEST), "dim": (1, LARGEST), "depth": (1, 32), "seeds": (2, 64), "steps": (1, 100_000)}


def expressiveness(
    *,
    encoding: list[str] = [*ENCODINGS],  # noqa: B006  (read only, shown in --help)
    length: int = 16,
    dim: int = 8,
    depth: int = 4,
    train: bool = True,
    causal: bool = False,
    seeds: int = 4,
    steps: int = 350,
    seed: int = 0,
    json: Path | None = None,
    figure: Path | None = None,
) -> int:
    """Show what each positional encoding lets a Transformer compute and what it forbids.

    One row for each encoding: do equal tokens stay equal (every encoding that acts through the logits alone, at any
    depth), is the network permutation equivariant, how independent and distinct are the encoding's vectors, how large a
    score matrix does a look-up need (certified interval), how well do the codes fit a smooth function. Then networks of
    one and two layers, trained on six sequence-to-sequence targets, against the lower bound that equal rows force on
    constant sequences. Exit status: 1 if an encoding that acts through the logits alone tells equal tokens apart, or a
    network trained with it gets below that bound.

    Args:
        encoding (NAME[:key=value,...]): all of them if not given
        length (N): positions, 2 to 64
        dim (d): channels, up to 64; even for sinusoidal and rotary
        depth (L): layers of the random networks that show symmetries
        train: train small networks
        causal: train them under a causal mask
        seeds (K): networks trained for each encoding, depth and target, at least 2; their range is shown
        steps: of training
        seed: of networks and sequences
        json (PATH): write everything as JSON, `-` for standard output
        figure (PATH): draw symmetries, look-ups and errors (.png, .pdf or .svg)

    Examples:
        python -m estimators.expressiveness
        python -m estimators.expressiveness --encoding sinusoidal cosine haar --length 32 --dim 16 --no-train
        python -m estimators.expressiveness --encoding none alibi learned --seeds 8 --json x.json --figure x.png
    """
    parameters = dict(locals())
    started = time.perf_counter()
    for word, (least, most) in LIMITS.items():
        if not least <= parameters[word] <= most:
            raise ValueError(
                f"{word} must be between {least} and {most}, got {parameters[word]}: "
                f"use --{word} {min(max(parameters[word], least), most)}"
            )
    if seed < 0:
        raise ValueError(f"seed must be at least 0, got {seed}: use --seed 0")
    check_outputs(json, figure)
    wanted = list(dict.fromkeys(encoding))
    for one in wanted:
        parse(one, dim=dim, train_length=length)
    training = Training(length, dim, seeds, steps, causal=causal, seed=seed) if train else None
    rows: list[Row] = []
    interrupted = False
    with progress("expressiveness", len(wanted)) as advance:
        try:
            for row in _rows(wanted, length, dim, depth, seed, training):
                rows.append(row)
                advance(1, description=row.structure.encoding)
        except KeyboardInterrupt:
            interrupted = True
    if not rows:
        raise KeyboardInterrupt
    seconds = time.perf_counter() - started
    if json is not None:
        found = as_document(rows, parameters) | {"versions": versions(), "interrupted": interrupted}
        write_json(json, found | {"seconds": seconds})
    if figure is not None:
        draw(rows, figure)
    if json is None or str(json) != "-":
        show(rows, seeds)
    log = console(error=True)
    for line in faults(rows):
        log.print(line)
    if interrupted:
        log.print(f"interrupted: {len(wanted) - len(rows)} of {len(wanted)} encodings are missing")
        return 130
    return 1 if faults(rows) else 0


def _rows(
    encodings: list[str], length: int, dim: int, depth: int, seed: int, training: Training | None
) -> Iterator[Row]:
    """Networks are trained by other threads meanwhile: compiled programs let go of the interpreter."""
    pool = ThreadPoolExecutor(WORKERS)
    try:
        jobs = {
            (one, layers): pool.submit(train_networks, one, training, layers)
            for one in encodings
            for layers in LAYERS
            if training
        }
        for one in encodings:
            found = structure(one, length=length, dim=dim, depth=depth, seed=seed)
            trained = [job.result() for (name, _), job in jobs.items() if name == one]
            yield Row(found, tuple(itertools.chain(*trained)))
    finally:
        pool.shutdown(cancel_futures=True)


if __name__ == "__main__":
    sys.exit(run(expressiveness))
