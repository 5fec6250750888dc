"""Cases of the claims on approximation: random, extremal and those in which a bound is attained."""

import math
from collections.abc import Iterator
from itertools import product

import numpy as np

from estimators.claim import Case
from estimators.claims.expressiveness import ADDITIVE
from estimators.encoding_tables import code

EXPONENTS = (0.3, 0.5, 1.0)


def _count(thorough: bool) -> int:
    return 20 if thorough else 2


def sizes(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """n < N."""
    for length, channels in ((2, 1), (12, 5), (64, 8), (64, 63), *([(256, 16), (300, 7)] if thorough else [])):
        yield {"length": length, "channels": channels}


def cosine_sizes(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    for case in sizes(rng, thorough):
        yield {"encoding": "cosine"} | case


def haar_sizes(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Powers of two."""
    for length, channels in product((8, 64, *([256] if thorough else [])), (1, 4)):
        yield {"encoding": "haar", "length": length, "channels": channels}


def other_codes(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Orthonormal columns with the constant among them, at fewer channels than positions."""
    for length, channels in ((16, 4), (64, 8)):
        yield {"encoding": "legendre:form=orthonormal", "length": length, "channels": channels}


def columns(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Channels of every additive encoding beside the constant, random ones, and the cosine code."""
    length, dim = 24, 4
    for name in ADDITIVE:
        yield {"columns": np.asarray(code(name, dim, length)).tolist(), "encoding": name}
    for _ in range(_count(thorough)):
        shape = int(rng.integers(4, 20)), int(rng.integers(1, 3))
        yield {"columns": rng.standard_normal(shape).tolist()}
    yield {"columns": np.asarray(code("cosine:constant=false", 3, 16)).tolist(), "encoding": "cosine"}


def sequences(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random walks and noise for the cosine code; and the column that comes next."""
    for channels in (1, 4):
        for _ in range(_count(thorough)):
            yield {"values": rng.standard_normal(16).tolist(), "channels": channels}
            yield {"values": np.cumsum(rng.standard_normal(16)).tolist(), "channels": channels}
        yield {"values": np.asarray(code("cosine", 16, 16))[:, channels].tolist(), "channels": channels}


def operators(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Differences of first, second and third order, and random matrices; n from dim null(A) on."""
    for order in (1, 2, 3):
        for channels in range(order, order + 3):
            yield {"operator": np.diff(np.eye(12), n=order, axis=0).tolist(), "channels": channels}
    for _ in range(_count(thorough)):
        yield {"operator": rng.standard_normal((6, 8)).tolist(), "channels": 3}


def bases(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random values and bases."""
    for length, count in ((2, 1), (6, 2), (12, 5)):
        for _ in range(_count(thorough)):
            table = rng.standard_normal((length, count))
            yield {"values": rng.standard_normal(length).tolist(), "basis": table.tolist()}


def projections(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Those of which enough is left."""
    yield from (case for case in bases(rng, thorough) if len(case["values"]) > 2)


def duals(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random weightings; and n + 1 positions, where there is only one."""
    for case in bases(rng, thorough):
        yield case | {"dual": rng.standard_normal(len(case["values"])).tolist()}
    for count in (1, 4):
        table = rng.standard_normal((count + 1, count)).tolist()
        yield {"values": rng.standard_normal(count + 1).tolist(), "basis": table, "dual": [1.0] + [0.0] * count}


def alternating(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Errors of alternating sign at n + 1 places: of random sizes, and of one."""
    for count in (1, 3, 6):
        places, weights = np.linspace(-1, 1, count + 1) * 0.9, rng.standard_normal(count)
        for least in (*rng.uniform(0, 1, _count(thorough)), 1.0):
            size = rng.uniform(least, 1, count + 1) if least < 1 else np.ones(count + 1)
            yield {"places": places.tolist(), "weights": weights.tolist(), "sizes": size.tolist()}


def equal_errors(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random; and the error of one size everywhere, against the constant: E_2 = sqrt N E_inf."""
    for case in bases(rng, thorough):
        yield case | {"lengths": True}
    yield {"values": [1.0, -1.0] * 4, "basis": np.ones((8, 1)).tolist(), "lengths": True}


def single_errors(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random; and values at one position that the channels do not reach."""
    for case in bases(rng, thorough):
        yield case | {"lengths": False}
    yield {"values": [0.0, 3.0, 0.0], "basis": [[1.0], [0.0], [2.0]], "lengths": False}


def pole_degrees(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    for pole, degree in product((17 / 16, 1.25, 3.0), (0, 1, 4)):
        yield {"pole": pole, "degree": degree}


def derivative_degrees(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    for degree in (1, 2, 5, 20, *([60] if thorough else [])):
        yield {"degree": degree}


def waves(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Sines of random frequency and phase."""
    for order, further in product((1, 2, 3), (0, 2, 6)):
        for _ in range(_count(thorough)):
            frequency, phase = float(rng.uniform(0.5, 9)), float(rng.uniform(0, 6.28))
            yield {"frequency": frequency, "phase": phase, "order": order, "degree": order - 1 + further}


def euler_splines(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    for order, degree in product((1, 2, 3, 4), (0, 1, 5)):
        yield {"order": order, "degree": degree}


def hoelder_functions(circle: bool, rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Least functions above random cones; and, on the circle, the extremal one."""
    for exponent, degree in product(EXPONENTS, (0, 2, 7)):
        fixed = {"exponent": exponent, "degree": degree, "circle": circle}
        for _ in range(_count(thorough)):
            places, heights = rng.uniform(-1, 1, 4).tolist(), rng.uniform(0, 1, 4).tolist()
            yield {"places": places, "heights": heights, "constant": float(rng.uniform(0.5, 3))} | fixed
        if circle:
            yield {"places": [], "heights": [], "constant": 2.0} | fixed


def grams(condition: bool, rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """K/sqrt N = 1, 1.5, 2, 3; the condition only where the bound speaks, 2 M_K < N."""
    for length in (16, 64, *([256, 1024] if thorough else [])):
        for share in (0.5, 1.0) if condition else (1.0, 1.5, 2.0, 3.0):
            degree = max(round(share * math.sqrt(length)), 1)
            if not condition or (degree + 1) * math.sqrt(degree * (degree + 2)) < length:
                yield {"degree": degree, "length": length, "condition": condition}


def cones(projected: bool, plain: bool, rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """L |x - t|^alpha on n cells: t at an end, at a border of cells, and anywhere."""
    for exponent, channels in product((1.0,) if plain else EXPONENTS, (1, 4, 7)):
        interval, constant = float(rng.uniform(0.5, 3)), float(rng.uniform(0.1, 4))
        for place in (0.0, interval / channels, *rng.uniform(0, interval, _count(thorough))):
            case = {"place": float(place), "exponent": exponent, "constant": constant, "interval": interval}
            yield case | {"channels": channels, "projected": projected, "plain": plain}


def cosine_sums(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random sums of cosines; and the single one of frequency n."""
    for channels in (1, 4):
        interval = float(rng.uniform(0.5, 3))
        for _ in range(_count(thorough)):
            yield {"weights": rng.standard_normal(6).tolist(), "interval": interval, "channels": channels}
        yield {"weights": [0.0] * (channels - 1) + [1.5], "interval": interval, "channels": channels}


def steps(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random heights; and one step in the middle of a cell."""
    for channels in (1, 3):
        interval = float(rng.uniform(0.5, 3))
        for _ in range(_count(thorough)):
            yield {"heights": rng.standard_normal(7).tolist(), "interval": interval, "channels": channels}
        yield {"heights": [0.0] + [2.0] * (2 * channels - 1), "interval": interval, "channels": channels}


def paths(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random paths; and monotone ones."""
    for channels in (1, 3, 8):
        for _ in range(_count(thorough)):
            yield {"path": np.cumsum(rng.standard_normal(12)).tolist(), "channels": channels}
        yield {"path": np.cumsum(rng.exponential(size=5)).tolist(), "channels": channels}


def step_places(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """A step anywhere; and in the middle of a cell of every level up to the last used one."""
    length = 64
    for channels in (1, 2, 4):
        for place in rng.integers(1, length, _count(thorough)):
            yield {"length": length, "place": int(place), "channels": channels}
        middle = sum(length >> (level + 1) for level in range(channels))
        yield {"length": length, "place": middle, "channels": channels}


def lines(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    for channels in (1, 5):
        yield {"slope": 1.0, "interval": 2.0, "channels": channels}


def moments(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    for count, level in product((1, 2, 3, 4, *([6, 8] if thorough else [])), (0, 3)):
        yield {"moments": count, "level": level}
