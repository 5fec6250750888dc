"""Cases of the claims on series: splines on the interval and on the circle, poles, strips, sawteeth."""

import math
from collections.abc import Iterator
from itertools import product

import numpy as np

from estimators.claim import Case


def _count(thorough: bool) -> int:
    return 20 if thorough else 2


def splines(orders: tuple[int, ...], rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random kinks on [-1, 1]; and one in the middle."""
    for order in orders:
        for _ in range(_count(thorough)):
            count = int(rng.integers(1, 5))
            yield {
                "places": rng.uniform(-0.95, 0.95, count).tolist(),
                "weights": rng.standard_normal(count).tolist(),
                "order": order,
            }
        yield {"places": [0.0], "weights": [2.0], "order": order}


def spline_coefficients(series: str, rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    for case in splines((0, 1, 2, 3), rng, thorough):
        for further in (1, 2, 9, *([60] if thorough else [])):
            yield {"series": series} | case | {"index": case["order"] + further}


def spline_degrees(orders: tuple[int, ...], rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    for case in splines(orders, rng, thorough):
        for further in (1, 6, *([30] if thorough else [])):
            yield case | {"degree": case["order"] + further}


def spline_tails(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Smooth splines, whose coefficients fall fast enough to be summed."""
    for case in spline_degrees((3,), rng, thorough):
        if case["degree"] < 6:
            yield case | {"by": "tail"}


def poles(norm: str, rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """1/(a-x), and ellipses from small ones to almost the largest."""
    for pole, degree, share in product((17 / 16, 1.25, 3.0), (0, 3, 8), (0.3, 0.9)):
        yield {"pole": pole, "degree": degree, "share": share, "norm": norm}


def degrees(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    for degree in (0, 1, 2, 5, 20, *([100, 300] if thorough else [])):
        yield {"degree": degree}


def circle_splines(orders: tuple[int, ...], rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random jumps on the circle; and two opposite ones, a square wave."""
    for order in orders:
        for _ in range(_count(thorough)):
            count = int(rng.integers(2, 6))
            places, weights = rng.uniform(0, 6.28, count).tolist(), rng.standard_normal(count).tolist()
            yield {"places": places, "weights": weights, "order": order}
        yield {"places": [0.0, math.pi], "weights": [1.0, -1.0], "order": order}


def circle_coefficients(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    for case in circle_splines((0, 1, 2), rng, thorough):
        for index in (1, 2, 9):
            yield case | {"index": index}


def circle_degrees(orders: tuple[int, ...], norm: str, rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    for case in circle_splines(orders, rng, thorough):
        for degree in (0, 1, 8, *([50] if thorough else [])):
            yield case | {"degree": degree, "norm": norm}


def square_waves(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    for degree in (1, 2, 10):
        yield {
            "places": [0.0, math.pi],
            "weights": [1.0, -1.0],
            "order": 0,
            "degree": degree,
            "norm": "l2",
            "by": "jump",
        }


def strips(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    for decay, share, degree in product((0.3, 0.8), (0.3, 0.9), (0, 5)):
        yield {"decay": decay, "share": share, "degree": degree}


def sawteeth(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    for degree in (0, 1, 9, 100):
        yield {"jump": float(rng.uniform(0.5, 3)), "degree": degree}


def overshoots(limit: bool, rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    for degree in (1, 2, 9, 60):
        yield {"jump": float(rng.uniform(0.5, 3)), "degree": degree, "limit": limit}
