"""Data of the figures of encodings themselves: their tables, and the kernels of the distance."""

from typing import Any

import numpy as np

from estimators.beyond_range import rotary_kernel
from estimators.features import additive_table, relative_table
from estimators.figures_plan import Kept, Rows
from estimators.tail_mass import bias_by_distance
from theory.encodings import ENCODINGS, parse
from theory.encodings.base import AbstractAdditiveEncoding, AbstractBiasEncoding, AbstractRelativeEncoding

DIM, LENGTH, DISTANCES = 16, 32, 64
PAPER_LENGTH, PAPER_DISTANCES = 64, 256
HEADS = (0, 3, 7)  # of 8: of the steepest, a middle and the flattest one
ROTARY_DIMS = (16, 64)


def tables(quick: bool, kept: Kept) -> Rows:
    """Additive codes and relative vectors at mean square 1: encoding, kind, position (a distance for relative vectors),
    channel, value."""
    length = LENGTH if quick else PAPER_LENGTH
    return kept(_tables, dim=DIM, length=length)


def _tables(*, dim: int, length: int) -> Rows:
    rows: Rows = []
    for name in ENCODINGS:
        made = parse(name, dim=dim, train_length=length)
        if isinstance(made, AbstractAdditiveEncoding):
            kind, table = "additive", np.asarray(additive_table(made, length, power=1))
        elif isinstance(made, AbstractRelativeEncoding):
            # Row j is the vector at distance length - 1 - j.
            kind, table = "relative", np.asarray(relative_table(made, length, power=1))[::-1]
        else:
            continue
        for (position, channel), value in np.ndenumerate(table):
            one: dict[str, Any] = {"encoding": name, "kind": kind, "position": position, "channel": channel}
            rows.append(one | {"value": float(value)})
    return rows


def kernels(quick: bool, kept: Kept) -> Rows:
    """Biases b(D) of three heads, and rotary's mean kernel (2/d) sum_j cos(D theta_j): encoding, kind, head (the dim d
    for rotary), distance, lower, upper."""
    return kept(_kernels, distances=DISTANCES if quick else PAPER_DISTANCES)


def _kernels(*, distances: int) -> Rows:
    rows: Rows = []
    for name in ENCODINGS:
        if not isinstance(parse(name, dim=DIM, train_length=distances), AbstractBiasEncoding):
            continue
        for head in HEADS:
            for distance, value in enumerate(bias_by_distance(name, distances, head)):
                ends = {"lower": float(value), "upper": float(value)}
                rows.append({"encoding": name, "kind": "bias", "head": head, "distance": distance} | ends)
    for dim in ROTARY_DIMS:
        for distance in range(distances):
            found = rotary_kernel(encoding="rotary", dim=dim, distance=distance).estimate
            ends = {"lower": found.lower, "upper": found.upper}
            rows.append({"encoding": "rotary", "kind": "mean kernel", "head": dim, "distance": distance} | ends)
    return rows
