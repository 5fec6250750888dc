"""Chebyshev, Legendre and Fourier series of splines and of functions with a pole: coefficients in closed form, errors.

Splines are given by their kinks. On [-1, 1]: f = sum_i w_i (x - t_i)_+^r/r!, so f^(r) is a step function of variation
sum |w_i|. On the circle: f^(r) is the step function of mean zero with jumps w_i (their mean is taken off) at t_i.
"""

import math

import numpy as np
from jaxtyping import Float64
from scipy.special import roots_jacobi, zeta

from estimators.approximation_measures import HAIR, rounded
from estimators.claim import Measurement
from estimators.estimate import Estimate

Array = np.ndarray
TERMS = 1500  # coefficients that are summed; the rest by the size of the last ones
SAMPLES = 601
METHOD = "coefficients in closed form"


def chebyshev_series(places: Array, weights: Array, order: int, count: int) -> Float64[Array, " n"]:
    """a_1 .. a_(count) of the spline; a_k(f) = (a_(k-1)(f') - a_(k+1)(f'))/(2k), exact for k > r."""
    k = np.arange(1, count + order + 1)
    found = 2 / (np.pi * k) * (np.sin(np.outer(k, np.arccos(places))) @ weights)
    for _ in range(order):
        below, above = np.r_[np.nan, found[:-2]], found[1:]
        found = (below - above) / (2 * k[: len(above)])
    return found[:count]


def legendre_series(places: Array, weights: Array, order: int, count: int) -> Float64[Array, " n"]:
    """a_1 .. a_(count) of the spline; a_k(f) = a_(k-1)(f')/(2k-1) - a_(k+1)(f')/(2k+3), exact for k > r."""
    table = np.polynomial.legendre.legvander(places, count + order + 1)
    found = (table[:, :-2] - table[:, 2:]).T @ weights / 2
    k = np.arange(1, len(found) + 1)
    for _ in range(order):
        below, above = np.r_[np.nan, found[:-2]], found[1:]
        found = below / (2 * k[: len(above)] - 1) - above / (2 * k[: len(above)] + 3)
    return found[:count]


def _spline(places: list[float], weights: list[float]) -> tuple[Array, Array, float]:
    at, size = np.clip(np.asarray(places, dtype=np.float64), -1, 1), np.asarray(weights, dtype=np.float64)
    return at, size, float(np.abs(size).sum())


def polynomial_coefficient(
    *, series: str, places: list[float], weights: list[float], order: int, index: int
) -> Measurement:
    """|a_k| of a spline, k > r; series: chebyshev or legendre."""
    at, size, variation = _spline(places, weights)
    make = chebyshev_series if series == "chebyshev" else legendre_series
    found = abs(float(make(at, size, order, index)[index - 1]))
    wrong = HAIR * found + 1e-15 * variation
    words = {"coefficient_index": index, "variation_order": order, "variation": variation}
    return Measurement(Estimate(max(found - wrong, 0.0), found + wrong, 1.0, METHOD), words)


def chebyshev_error(*, places: list[float], weights: list[float], order: int, degree: int) -> Measurement:
    """|f - f_n|_inf of a spline, r >= 1: lower end at 601 angles, upper end the sum of |a_k|."""
    at, size, variation = _spline(places, weights)
    series = chebyshev_series(at, size, order, TERMS)[degree:]
    k = np.arange(degree + 1, TERMS + 1)
    rest = 2 * variation / (np.pi * order * math.prod(TERMS - i for i in range(order)))  # of the terms beyond
    angles = np.linspace(0, np.pi, SAMPLES)
    error = np.zeros(SAMPLES)
    for start in range(0, len(k), 500):
        error += np.cos(np.outer(angles, k[start : start + 500])) @ series[start : start + 500]
    low, high = float(np.abs(error).max()) - rest, math.fsum(np.abs(series)) + rest
    words = {"degree": degree, "variation_order": order, "variation": variation}
    return Measurement(Estimate(max(low * (1 - HAIR), 0.0), high * (1 + HAIR), 1.0, METHOD), words)


def legendre_error(
    *, places: list[float], weights: list[float], order: int, degree: int, by: str = "variation"
) -> Measurement:
    """|f - f_n|_2 of a spline, by Gauss-Legendre between the kinks, where (f - f_n)^2 is a polynomial.

    by: variation, or tail for the statistic sum_{k>n} 2 a_k^2/(2k+1), of 1,500 terms and a bound on the rest.
    """
    at, size, variation = _spline(places, weights)
    nodes, mass = np.polynomial.legendre.leggauss(max(degree, order) + 1)
    edges = np.unique(np.r_[-1.0, at, 1.0])
    half = np.diff(edges)[:, None] / 2
    points = (edges[:-1, None] + half * (nodes + 1)).ravel()
    carried = (half * mass).ravel()
    values = (size * np.clip(points[:, None] - at, 0, None) ** order * (points[:, None] > at)).sum(axis=1)
    values = values / math.factorial(order)
    table = np.polynomial.legendre.legvander(points, degree) * np.sqrt(np.arange(degree + 1) + 0.5)
    rest = values - table @ (table.T @ (carried * values))
    error = math.sqrt(math.fsum(carried * rest**2))
    wrong = HAIR * error + 1e-14 * variation
    estimate = Estimate(max(error - wrong, 0.0), error + wrong, 1.0, "Gauss quadrature")
    if by == "variation":
        return Measurement(estimate, {"degree": degree, "variation_order": order, "variation": variation})
    count = 1500
    squares = legendre_series(at, size, order, count)[degree:] ** 2 * 2 / (2 * np.arange(degree + 1, count + 1) + 1)
    beyond = 4 * variation**2 / (math.pi * (2 * order + 1)) * (count - order) ** (-2 * order - 1.0)
    return Measurement(estimate, {"coefficient_tail": math.fsum(squares) + beyond / 4})


def pole_series(*, pole: float, share: float, degree: int, norm: str) -> Measurement:
    """Chebyshev (sup) or Legendre (L2) error of 1/(a-x); rho lies between 1 and a + sqrt(a^2-1) at the given share."""
    radius = pole + math.sqrt(pole * pole - 1)
    inner = radius**share
    largest = 1 / (pole - (inner + 1 / inner) / 2)
    words = {"ellipse_radius": inner, "function_bound": largest * (1 + 1e-9), "degree": degree}
    if norm == "sup":  # all coefficients 2 rho^-k/sqrt(a^2-1) are positive: the error is their sum, at x = 1
        found = 2 * radius**-degree / ((radius - 1) * math.sqrt(pole * pole - 1))
        return Measurement(rounded(found), words)
    nodes, mass = np.polynomial.legendre.leggauss(degree + 90)
    table = np.polynomial.legendre.legvander(nodes, degree) * np.sqrt(np.arange(degree + 1) + 0.5)
    values = 1 / (pole - nodes)
    rest = values - table @ (table.T @ (mass * values))
    error = math.sqrt(math.fsum(mass * rest**2))
    wrong = 1e-9 * error + 1e-13 * float(values.max())
    return Measurement(Estimate(max(error - wrong, 0.0), error + wrong, 1.0, "Gauss quadrature"), words)


def lebesgue_constant(*, degree: int) -> Measurement:
    """Lambda_n of the Legendre projection: int |K(1, t)| dt, between the zeros of K(1, t), Jacobi's (1, 0)."""
    zeros = roots_jacobi(degree, 1, 0)[0] if degree else np.empty(0)
    edges = np.r_[-1.0, zeros, 1.0]
    table = np.polynomial.legendre.legvander(edges, degree + 1)
    integral = edges / 2  # of 1/2, then of (k + 1/2) P_k
    for k in range(1, degree + 1):
        integral = integral + (table[:, k + 1] - table[:, k - 1]) / 2
    return Measurement(rounded(float(np.abs(np.diff(integral)).sum())), {"degree": degree})


def _circle(places: list[float], weights: list[float], order: int, count: int) -> tuple[Array, float]:
    """|c_1| .. |c_count| of the spline on the circle, and the variation of f^(r)."""
    jumps = np.asarray(weights, dtype=np.float64)
    jumps = jumps - jumps.mean()
    k = np.arange(1, count + 1)
    series = np.exp(-1j * np.outer(k, np.asarray(places))) @ jumps / (2 * np.pi * (1j * k) ** (order + 1))
    return series, float(np.abs(jumps).sum())


def fourier_coefficient(*, places: list[float], weights: list[float], order: int, index: int) -> Measurement:
    """|c_k| of a spline on the circle."""
    series, variation = _circle(places, weights, order, index)
    found = float(np.abs(series[-1]))
    wrong = HAIR * found + 1e-15 * variation
    words = {"coefficient_index": index, "variation_order": order, "variation": variation}
    return Measurement(Estimate(max(found - wrong, 0.0), found + wrong, 1.0, METHOD), words)


def fourier_error(
    *, places: list[float], weights: list[float], order: int, degree: int, norm: str, by: str = "variation"
) -> Measurement:
    """|f - S_n f|, sup (r >= 1) or L2, of a spline on the circle. by: variation, or jump for max |J| (r = 0)."""
    series, variation = _circle(places, weights, order, TERMS)
    sizes = np.abs(series[degree:])
    last = variation / (2 * math.pi)
    if norm == "sup":
        beyond = 2 * last / (order * TERMS**order)
        angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
        waves = np.exp(1j * np.outer(angles, np.arange(degree + 1, TERMS + 1)))
        error = 2 * np.real(waves @ series[degree:])
        low, high = float(np.abs(error).max()) - beyond, 2 * math.fsum(sizes) + beyond
    else:
        square = 4 * math.pi * math.fsum(sizes**2)
        beyond = 4 * math.pi * last**2 / ((2 * order + 1) * TERMS ** (2 * order + 1))
        low, high = math.sqrt(square), math.sqrt(square + beyond)
    estimate = Estimate(max(low * (1 - HAIR), 0.0), high * (1 + HAIR), 1.0, METHOD)
    if by == "jump":
        return Measurement(estimate, {"degree": degree, "jump_size": variation / 2})
    return Measurement(estimate, {"degree": degree, "variation_order": order, "variation": variation})


def strip_error(*, decay: float, share: float, degree: int) -> Measurement:
    """Sup error of (1-r^2)/(1 - 2r cos t + r^2), c_k = r^|k|: 2 r^(n+1)/(1-r), at t = 0; a = share ln(1/r)."""
    width = -share * math.log(decay)
    largest = (1 - decay**2) / (1 - 2 * decay * math.cosh(width) + decay**2)
    words = {"strip_width": width, "function_bound": largest * (1 + 1e-9), "degree": degree}
    return Measurement(rounded(2 * decay ** (degree + 1) / (1 - decay)), words)


def sawtooth_error(*, jump: float, degree: int) -> Measurement:
    """L2 error of the sawtooth, J (zeta(2, n+1)/pi)^(1/2)."""
    found = jump * math.sqrt(float(zeta(2, degree + 1)) / math.pi)
    return Measurement(rounded(found), {"degree": degree, "jump_size": jump})


def gibbs_overshoot(*, jump: float, degree: int, limit: bool = False) -> Measurement:
    """Largest value of S_n of the sawtooth less J/2: samples, then golden section. limit: the bound needs J only."""
    k = np.arange(1, degree + 1)

    def height(angle: float) -> float:
        return float((np.sin(k * angle) / k).sum())

    angles = np.linspace(0, np.pi, 40 * (degree + 1))[1:]
    best = angles[int(np.argmax([height(angle) for angle in angles]))]
    low, high = best - angles[0], best + angles[0]
    golden = (math.sqrt(5) - 1) / 2
    for _ in range(60):
        left, right = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, right) if height(left) > height(right) else (left, high)
    found = jump * (height((low + high) / 2) / math.pi - 0.5)
    estimate = Estimate(found - 1e-13 * jump, found + 1e-13 * jump, 1.0, "largest of samples, golden section")
    return Measurement(estimate, {"jump_size": jump} | ({} if limit else {"degree": degree}))
