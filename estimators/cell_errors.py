"""Functions constant on cells, n-term Haar sums and Daubechies coefficients: errors as measurements.

An interval [0, l] is cut into n cells. Errors are those on the interval, not on samples: by closed forms, or exact for
functions that are linear between given points.
"""

import itertools
import math
from collections.abc import Callable

import numpy as np

from estimators.approximation_measures import HAIR, rounded
from estimators.claim import Measurement
from estimators.encoding_tables import code
from estimators.estimate import Estimate
from estimators.nterm import best_terms, jump_terms
from theory.encodings.daubechies import scaling_filter

Array = np.ndarray
BISECTIONS = 100


def _cone(place: float, exponent: float) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """|x - t|^alpha and its integral from t."""
    return (
        lambda x: abs(x - place) ** exponent,
        lambda x: math.copysign(abs(x - place) ** (1 + exponent), x - place) / (1 + exponent),
    )


def cone_error(
    *,
    place: float,
    exponent: float,
    constant: float,
    interval: float,
    channels: int,
    projected: bool,
    plain: bool = False,
) -> Measurement:
    """Sup error of L |x - t|^alpha by constants on n cells of [0, l]: the best ones, or (projected) the means.

    plain: the bound is for Lipschitz functions, alpha = 1.
    """
    value, integral = _cone(place, exponent)
    width = interval / channels
    worst = 0.0
    for cell in range(channels):
        low, high = cell * width, (cell + 1) * width
        ends = [value(low), value(high), *([0.0] if low < place < high else [])]
        middle = (max(ends) + min(ends)) / 2
        if projected:
            middle = (integral(high) - integral(low)) / width
        worst = max(worst, max(ends) - middle, middle - min(ends))
    words = {"channels": channels, "interval_length": interval}
    lipschitz = {"lipschitz": constant} if plain else {"hoelder_exponent": exponent, "hoelder_constant": constant}
    return Measurement(rounded(constant * worst), words | lipschitz)


def cosine_sum_error(*, weights: list[float], interval: float, channels: int) -> Measurement:
    """L2 error of sum_k c_k cos(pi k x/l), k >= 1, by its means over n cells."""
    size = np.asarray(weights, dtype=np.float64)
    k = np.arange(1, len(size) + 1)
    edges = np.arange(channels + 1) / channels
    means = np.diff(np.sin(np.pi * np.outer(edges, k)), axis=0) @ (size / (np.pi * k)) * channels
    energy = interval * float(size @ size) / 2
    square = energy - interval / channels * math.fsum(means**2)
    error = math.sqrt(max(square, 0.0))
    slope = math.sqrt(interval / 2) * math.pi / interval * float(np.linalg.norm(k * size))
    wrong = min(4e-15 * energy / max(error, 1e-300), math.sqrt(4e-15 * energy)) + HAIR * error
    words = {"channels": channels, "interval_length": interval, "derivative_norm": slope * (1 + HAIR)}
    return Measurement(Estimate(max(error - wrong, 0.0), error + wrong, 1.0, "closed form"), words)


def step_error(*, heights: list[float], interval: float, channels: int) -> Measurement:
    """L2 error of a function of equal steps of these heights by its means over n cells."""
    steps = np.asarray(heights, dtype=np.float64)
    rows = np.repeat(steps, channels).reshape(channels, -1)
    square = math.fsum(((rows - rows.mean(axis=1, keepdims=True)) ** 2).ravel())
    error = math.sqrt(interval * square / rows.size)
    variation = math.fsum(np.abs(np.diff(steps)))
    words = {"channels": channels, "interval_length": interval, "variation": variation}
    return Measurement(rounded(error), words)


def _pieces(path: Array, half: float) -> int:
    """Least number of cells on each of which the linear interpolation of `path` has a range of at most 2 half."""
    count, low, high = 1, float(path[0]), float(path[0])
    for start, stop in itertools.pairwise(map(float, path)):
        while max(high, stop) - min(low, stop) > 2 * half:
            cut = low + 2 * half if stop > start else high - 2 * half
            count, low, high = count + 1, cut, cut
            if count > len(path) * 1000:
                return count
        low, high = min(low, stop), max(high, stop)
    return count


def free_cell_error(*, path: list[float], channels: int) -> Measurement:
    """Best sup error of the linear interpolation of a path by functions constant on n cells of any lengths.

    A greedy walk finds the least number of cells for an error; the error by bisection.
    """
    points = np.asarray(path, dtype=np.float64)
    variation = math.fsum(np.abs(np.diff(points)))
    low, high = 0.0, float(np.ptp(points)) / 2 * (1 + HAIR) + 1e-300
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if middle > 0 and variation / middle < 1e4 and _pieces(points, middle) <= channels:
            high = middle
        else:
            low = middle
    estimate = Estimate(low * (1 - HAIR), high * (1 + HAIR), 1.0, "greedy cells, bisection")
    return Measurement(estimate, {"variation": variation, "channels": channels})


def step_terms(*, length: int, place: int, channels: int) -> Measurement:
    """Best n-term Haar error of a step of height 1 on N positions, l = N."""
    basis = np.asarray(code("haar", length, length))
    found = best_terms(jump_terms(length, place), basis, channels)
    return Measurement(found, {"jump_size": 1, "interval_length": length, "channels": channels}, "haar")


def line_by_cells(*, slope: float, interval: float, channels: int) -> Measurement:
    """Sup error of a line by constants on n cells, beside |f''| = 0."""
    words = {"derivative_maximum": 0, "interval_length": interval, "channels": channels}
    return Measurement(rounded(abs(slope) * interval / (2 * channels)), words)


def wavelet_moment(*, moments: int, level: int) -> Measurement:
    """|<f, psi_jk>| of f = x^p/p!, so |f^(p)| = 1, from the filter of the Daubechies wavelet (p = 1: Haar).

    Moments of the scaling function: (2^q - 1) mu_q = sum_{i<q} C(q, i) mu_i sum_k k^(q-i) h_k/sqrt2; those of psi the
    same with g_k = (-1)^k h_(2p-1-k), and no term left out.
    """
    low = [float(h) for h in scaling_filter(moments)]
    high = [(-1) ** k * low[-1 - k] for k in range(len(low))]

    def step(taps: list[float], power: int, known: list[float]) -> float:
        return math.fsum(
            math.comb(power, i) * known[i] * k ** (power - i) * tap / math.sqrt(2)
            for k, tap in enumerate(taps)
            for i in range(len(known))
        )

    scaling = [1.0]
    for power in range(1, moments + 1):
        scaling.append(step(low, power, scaling) / (2**power - 1))
    moment = abs(step(high, moments, scaling)) / 2**moments / math.factorial(moments)
    found = moment * 2.0 ** (-level * (moments + 0.5))
    wrong = 1e-9 * found
    words = {"vanishing_moments": moments, "wavelet_level": level, "derivative_maximum": 1}
    return Measurement(Estimate(found - wrong, found + wrong, 1.0, "moments of the filter"), words, "daubechies")
