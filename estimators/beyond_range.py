"""What encodings do beyond the training length: Legendre polynomials, codes that repeat, periods, rotations."""

import math
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
from jaxtyping import Float64

from estimators.claim import Measurement
from estimators.estimate import Estimate, exact
from estimators.features import additive_table, rotation_angles
from estimators.multiprecision import digits, enclosure
from estimators.tail_mass import EPS
from theory.encodings import parse
from theory.encodings.rotary import Rotary
from theory.encodings.sinusoidal import Sinusoidal

SAME = 1e-9  # codes nearer than this, relative to the largest, count as one
BISECTIONS = 80
LARGEST_DEGREE = 2000
MOST_POSITIONS = 200_000


def legendre_value(*, degree: int, point: float) -> Measurement:
    """P_k(x) at the float x >= 1, by the recurrence in exact fractions."""
    if not 0 <= degree <= LARGEST_DEGREE or int(degree) != degree or not 1 <= point < math.inf:
        given = f"got {degree} and {point}: use degree=3, point=1.5"
        raise ValueError(f"need a degree from 0 to {LARGEST_DEGREE} and a finite point >= 1, {given}")
    x = Fraction(point)
    before, now = Fraction(0), Fraction(1)
    for k in range(degree):
        before, now = now, ((2 * k + 1) * x * now - k * before) / (k + 1)
    rounded = float(now)
    ends = (
        rounded if Fraction(rounded) <= now else math.nextafter(rounded, -math.inf),
        rounded if Fraction(rounded) >= now else math.nextafter(rounded, math.inf),
    )
    return Measurement(Estimate(*ends, 1.0, "exact fractions"), {"polynomial_degree": degree, "argument": point})


def legendre_square(dim: int, point: Any) -> Any:
    """sum_{k<d} P_k(x)^2 by the recurrence, in the arithmetic of `point`."""
    before, now, total = 0 * point, 1 + 0 * point, 0 * point
    for k in range(dim):
        total += now * now
        before, now = now, ((2 * k + 1) * point * now - k * before) / (k + 1)
    return total


def doubling_point(*, dim: int, train_length: int) -> Measurement:
    """s_2: unseen positions (a real number) after which |(P_0, ..., P_{d-1})| is 2 sqrt d.

    Bisection in 40 digits of a function that increases; in the recurrence near x = 1 at most 2 log10 d of them go.
    """
    if not 2 <= dim <= LARGEST_DEGREE or train_length < 2:
        given = f"got {dim} and {train_length}: use dim=32, train_length=64"
        raise ValueError(f"need dim from 2 to {LARGEST_DEGREE} and train_length >= 2, {given}")
    with digits():
        low, high = mpmath.mpf(0), mpmath.mpf(4)  # c = s d^2/(N-1), x = 1 + 2 c/d^2
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            doubled = legendre_square(dim, 1 + 2 * middle / dim**2) >= 4 * dim
            low, high = (low, middle) if doubled else (middle, high)
        found = enclosure(high * (train_length - 1) / dim**2, 1e-20 * train_length, "bisection in 40 digits")
    return Measurement(found, {"dim": dim, "position_count": train_length})


def _positions(count: int) -> int:
    """`count`, if as many positions can be listed."""
    if not 1 <= count <= MOST_POSITIONS:
        raise ValueError(f"{count} positions are asked for: use 1 to {MOST_POSITIONS}")
    return count


def code_norm(*, encoding: str, dim: int, train_length: int, position: int) -> Measurement:
    """|p(t)|_2 of an additive encoding at one position, unscaled."""
    row = np.asarray(additive_table(parse(encoding, dim=dim, train_length=train_length), _positions(position + 1)))[-1]
    size = float(np.linalg.norm(row))
    found = exact(size, 1e-11 * size, "array of the encoding")
    return Measurement(found, {"dim": dim}, encoding)


def end_norm(*, encoding: str, dim: int, train_length: int) -> Measurement:
    """|p(N-1)|_2, the last training position."""
    found = code_norm(encoding=encoding, dim=dim, train_length=train_length, position=train_length - 1)
    return Measurement(found.estimate, {"dim": dim, "position_count": train_length}, encoding)


def distinct_codes(*, encoding: str, dim: int, train_length: int, length: int) -> Measurement:
    """How many different codes the positions 0 .. length-1 have; codes nearer than 1e-9 of the largest are one."""
    table = np.asarray(additive_table(parse(encoding, dim=dim, train_length=train_length), _positions(length)))
    kept: list[np.ndarray] = []
    scale = float(np.abs(table).max()) or 1.0
    for row in table:
        if all(np.abs(row - other).max() > SAME * scale for other in kept):
            kept.append(row)
    return Measurement(exact(float(len(kept))), {"position_count": train_length}, encoding)


def unfinished_periods(*, encoding: str, dim: int, train_length: int) -> Measurement:
    """How many sine and cosine pairs turn by less than 2 pi over `train_length` steps, from their code at t = 1."""
    code = parse(encoding, dim=dim, train_length=max(train_length, 2))
    if not isinstance(code, Sinusoidal):
        raise ValueError(f"{encoding} is not sinusoidal: use sinusoidal, or sinusoidal:base=100")
    row = np.asarray(additive_table(code, 2))[1]
    pairs = row.reshape(-1, 2) if code.order == "interleaved" else row.reshape(2, -1).T
    turn = np.arctan2(pairs[:, 0], pairs[:, 1]) * train_length / (2 * math.pi)
    ends = [float(np.sum(turn < 1 + sign * 1e-12)) for sign in (-1, 1)]
    known = {"dim": dim, "position_count": train_length, "frequency_base": float(code.base)}
    return Measurement(Estimate(ends[0], ends[1], 1.0, "angles of the code"), known, encoding)


def rotation(encoding: str, dim: int, distance: int) -> tuple[Float64[np.ndarray, "d d"], float]:
    """R_D and the base of the angles; ValueError for another encoding than rotary."""
    code = parse(encoding, dim=dim, train_length=_positions(distance + 1))
    if not isinstance(code, Rotary):
        raise ValueError(f"{encoding} is not rotary: use rotary, or rotary:base=500000")
    angles = np.asarray(rotation_angles(code, distance + 1))[-1]
    turned = np.zeros((dim, dim))
    for k, angle in enumerate(angles):
        first, second = code.pair(k)
        turned[first, first] = turned[second, second] = math.cos(angle)
        turned[second, first] = math.sin(angle)
        turned[first, second] = -math.sin(angle)
    return turned, float(code.base)


def rotary_score(*, encoding: str, dim: int, distance: int, words: tuple[str, ...] = ()) -> Measurement:
    """max <q, R_D k> over unit q and k: the largest singular value of R_D."""
    turned, base = rotation(encoding, dim, distance)
    largest = float(np.linalg.norm(turned, 2))
    known = {"dim": dim, "distance": distance, "frequency_base": base}
    return Measurement(exact(largest, 64 * dim * EPS, "singular value"), {w: known[w] for w in words}, encoding)


def rotary_kernel(*, encoding: str, dim: int, distance: int) -> Measurement:
    """tr R_D/d = E <q, R_D q> over the unit sphere."""
    turned, base = rotation(encoding, dim, distance)
    mean = float(np.trace(turned)) / dim
    rounding = EPS * (4 * distance + 64)  # angles are rounded once more by the factor D
    known = {"dim": dim, "distance": distance, "frequency_base": base}
    return Measurement(exact(mean, rounding, "trace of the rotation"), known, encoding)


def kernel_sign_changes(*, encoding: str, dim: int, length: int) -> list[int]:
    """Distances D <= length - 1 at which the mean kernel tr R_D/d has another sign than at D - 1."""
    angles = np.asarray(rotation_angles(parse(encoding, dim=dim, train_length=_positions(length)), length))
    # (length, d/2)
    negative = np.cos(angles).mean(axis=1) < 0
    return (np.flatnonzero(negative[1:] != negative[:-1]) + 1).tolist()
