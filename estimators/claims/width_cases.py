"""Cases of the claims on Gaussian widths: balls of several sizes, finite processes, classes of one and two blocks."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from estimators import classical_objectives as objectives
from estimators.claim import Case
from estimators.claims.classical_cases import Rng, corners, count, found, random_set
from estimators.sign_means import all_signs

DIMS = (1, 2, 3, 10, 64, 500)
SIDES = ((1, 1), (1, 5), (4, 1), (2, 2), (4, 3), (6, 6))


def dims(rng: Rng, thorough: bool) -> Iterator[Case]:
    for dim in (*DIMS, *(range(4, 50) if thorough else ())):
        yield {"dim": dim}


def balls(rng: Rng, thorough: bool) -> Iterator[Case]:
    for case in dims(rng, thorough):
        yield case | {"radius": float(rng.uniform(0.1, 3))}


def matrices(rng: Rng, thorough: bool) -> Iterator[Case]:
    """One row or column, square and oblong."""
    for rows, columns in (*SIDES, *(((12, 5), (2, 9), (16, 16)) if thorough else ())):
        yield {"rows": rows, "columns": columns, "radius": float(rng.uniform(0.1, 3))}


def ranked(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Every rank; the largest attains the bound."""
    for case in matrices(rng, thorough):
        for rank in range(1, min(case["rows"], case["columns"]) + 1):
            yield case | {"rank": rank}


def processes(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Classes with a process of their own points, of other points; {-1, 1}, which attains the bound; a triangle found
    by a search."""
    for _ in range(count(thorough)):
        vectors = random_set(rng)
        for process in (vectors, rng.standard_normal((len(vectors), 2))):
            yield {"vectors": vectors.tolist(), "process": process.tolist()}
    triangle = found(partial(objectives.gaussian_share, side=1), 6, rng, thorough).reshape(3, 2)
    for vectors in (all_signs(1), all_signs(2), corners(4), triangle):
        yield {"vectors": vectors.tolist(), "process": vectors.tolist()}


def products(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Two linear blocks: random, orthogonal inputs, one sample."""
    for _ in range(count(thorough)):
        n = int(rng.integers(1, 7))
        left, right = (
            rng.standard_normal((n, int(rng.integers(1, 4)))),
            rng.standard_normal((n, int(rng.integers(1, 4)))),
        )
        radii = {"left_radius": float(rng.uniform(0.1, 2)), "right_radius": float(rng.uniform(0.1, 2))}
        yield {"left": left.tolist(), "right": right.tolist()} | radii
    for left, right in ((np.ones((1, 1)), np.ones((1, 1))), (np.eye(4), np.ones((4, 1))), (np.eye(3), np.eye(3))):
        yield {"left": left.tolist(), "right": right.tolist(), "left_radius": 1.0, "right_radius": 1.0}


def sines(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Inputs on a line and in the plane, radii that leave the sine linear and that do not; orthogonal inputs."""
    for radius in (0.05, 1.0, 6.0):
        for d in (1, 2):
            for _ in range(count(thorough) // 4):
                rows = rng.standard_normal((int(rng.integers(1, 8)), d))
                yield {"features": rows.tolist(), "radius": radius}
        yield {"features": np.eye(2).tolist(), "radius": radius}
        yield {"features": [[1.0]], "radius": radius}
