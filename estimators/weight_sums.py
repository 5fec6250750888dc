"""Sums of e^b(k) over all distances from one on, added term by term, the rest enclosed by integrals."""

import math

import numpy as np
from scipy.special import gamma, gammaincc

from estimators.claim import Measurement
from estimators.estimate import Estimate
from estimators.feature_forms import bias_form
from estimators.tail_mass import DIM, EPS
from theory.encodings import parse
from theory.encodings.alibi import Alibi
from theory.encodings.base import AbstractBiasEncoding
from theory.encodings.kerple import KerpleLog, KerplePower

TERMS = 100_000
METHOD = "terms added, the rest between integrals"


def _terms(encoding: AbstractBiasEncoding, head: int, start: int) -> np.ndarray:
    """e^b(k), k = start .. start + TERMS - 1; ValueError for a negative start."""
    if start < 0:
        raise ValueError(f"window must be at least 0, got {start}: it is a distance")
    distances = np.arange(start, start + TERMS, dtype=np.float64)
    return np.exp(bias_form(encoding, distances, head, None))


def _enclosed(terms: np.ndarray, least: float, most: float) -> Estimate:
    """sum of the terms + [least, most], widened by the rounding of exponents up to 745 (smaller terms vanish)."""
    total = math.fsum(terms)
    exponents = -np.log(np.maximum(terms, 1e-320))
    error = EPS * (math.fsum(terms * (4 * np.abs(exponents) + 16)) + 64 * most)
    return Estimate(total + least - error, total + most + error, 1.0, METHOD)


def alibi_sum(*, encoding: str, window: int, head: int = 0) -> Measurement:
    """sum_{k>=w} e^(-mk); ratios of terms give the rest."""
    code = parse(encoding, dim=DIM, train_length=64, heads=max(head + 1, 8))
    if not isinstance(code, Alibi):
        raise ValueError(f"{encoding} is not alibi: use alibi:slope=0.5")
    terms = _terms(code, head, window)
    slope = float(code.head_slope(head))
    rest = float(terms[-1]) / math.expm1(slope) * (1 + 1e-9)
    return Measurement(_enclosed(terms, 0.0, rest), {"alibi_slope": slope, "window": window}, encoding)


def kerple_log_sum(*, encoding: str, window: int, head: int = 0) -> Measurement:
    """sum_{k>=w} (1 + r_2 k)^(-r_1), r_1 > 1: a convex term is above its trapezium and below its midpoint integral."""
    code = parse(encoding, dim=DIM, train_length=64, heads=max(head + 1, 8))
    if not isinstance(code, KerpleLog):
        raise ValueError(f"{encoding} is not kerple-log: use kerple-log:r1=2,r2=0.5")
    rate, shape = (float(value) for value in code.parameters(head))
    if rate <= 1:
        raise ValueError(f"the sum has no end for r1 = {rate}: use r1 above 1")

    def integral(x: float) -> float:
        return (1 + shape * x) ** (1 - rate) / (shape * (rate - 1))

    stop = float(window + TERMS)
    least = integral(stop) + (1 + shape * stop) ** -rate / 2
    most = integral(stop - 0.5)
    found = _enclosed(_terms(code, head, window), least, most)
    return Measurement(found, {"kerple_rate": rate, "kerple_shape": shape, "window": window}, encoding)


def kerple_power_sum(*, encoding: str, head: int = 0) -> Measurement:
    """sum_{k>=0} e^(-r_1 k^r_2): decreasing terms, the rest by incomplete gamma functions."""
    code = parse(encoding, dim=DIM, train_length=64, heads=max(head + 1, 8))
    if not isinstance(code, KerplePower):
        raise ValueError(f"{encoding} is not kerple-power: use kerple-power:r1=0.5,r2=1")
    rate, shape = (float(value) for value in code.parameters(head))

    def integral(x: float) -> float:
        order = 1 / shape
        return float(gammaincc(order, rate * x**shape) * gamma(order)) / (shape * rate**order)

    slack = 1e-10  # relative, of the incomplete gamma function
    found = _enclosed(_terms(code, head, 0), integral(float(TERMS)) * (1 - slack), integral(TERMS - 1.0) * (1 + slack))
    return Measurement(found, {"kerple_rate": rate, "kerple_shape": shape}, encoding)
