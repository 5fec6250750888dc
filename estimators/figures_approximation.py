"""Data of the figures of approximation: certified errors beside widths and bounds, and norms of look-ups."""

import itertools
from typing import Any

from estimators.approximation_lookup import look_ups
from estimators.approximation_rows import Norm, rows_of
from estimators.figures_plan import Kept, Rows
from estimators.targets import target as named_target

CHANNELS, PAPER_CHANNELS = (1, 2, 4, 8, 16, 32), (1, 2, 4, 8, 16, 32, 64)
LENGTH, PAPER_LENGTH = 128, 256
TARGETS: tuple[tuple[str, Norm], ...] = (("abs", "l2"), ("abs", "sup"), ("runge", "sup"), ("ball", "sobolev"))
SPANNING = ("cosine", "haar", "daubechies", "legendre:form=orthonormal", "chebyshev", "sinusoidal", "random-orthogonal")
CODES = ("sinusoidal", "legendre", "chebyshev", "cosine", "haar", "ricker", "gaussian", "random-orthogonal")
POSITIONS, PAPER_POSITIONS = (4, 8, 16, 32), (4, 8, 16, 32, 64)


def errors(quick: bool, kept: Kept) -> Rows:
    """Best approximation of |x| and 1/(1 + 25 x^2) by the first n channels, and the worst case over |Delta f| <= 1:
    encoding, target, norm, channels, lower, upper, width, bound (the least that applies), bound_name. A `sobolev` error
    of a code without the constant is that with the constant added (constant_added 1)."""
    length, counts = (LENGTH, CHANNELS) if quick else (PAPER_LENGTH, PAPER_CHANNELS)
    parts = [
        kept(_errors, encoding=encoding, target=target, norm=norm, length=length, channels=list(counts))
        for target, norm in TARGETS
        for encoding in SPANNING
    ]
    return list(itertools.chain(*parts))


def _errors(*, encoding: str, target: str, norm: Norm, length: int, channels: list[int]) -> Rows:
    targets = [] if norm == "sobolev" else [named_target(target, length)]
    rows: Rows = []
    for one in rows_of(encoding, targets, [norm], channels, length, lambda *_, **__: None):
        error = one.with_constant or one.error
        tightest = one.tightest
        shared: dict[str, Any] = {"encoding": encoding, "target": target, "norm": norm, "length": length}
        shared |= {"channels": one.channels, "lower": error.lower, "upper": error.upper, "width": one.width}
        bound = None if tightest is None else one.bounds[tightest]
        rows.append(
            shared | {"bound": bound, "bound_name": tightest, "constant_added": int(one.with_constant is not None)}
        )
    return rows


def look_up_norms(quick: bool, kept: Kept) -> Rows:
    """Least Frobenius norm of a score matrix that looks up the next of N positions at margin 1, N channels, codes of
    mean square 1: encoding, positions, lower, upper; none of a code that two positions share."""
    sizes = POSITIONS if quick else PAPER_POSITIONS
    return list(itertools.chain(*[kept(_norms, encoding=name, positions=n) for name in CODES for n in sizes]))


def _norms(*, encoding: str, positions: int) -> Rows:
    (found,) = look_ups([encoding], positions)
    ends = (None, None) if found.norm is None else (found.norm.lower, found.norm.upper)
    return [{"encoding": encoding, "positions": positions, "lower": ends[0], "upper": ends[1]}]
