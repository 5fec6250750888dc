"""Gaussian widths E sup_t <g, t> of balls, and what they bound: quadrature, or sampled means with an interval."""

import functools
import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import sympy as sp
from jaxtyping import Float64

from estimators.claim import Measurement
from estimators.estimate import Estimate, best
from estimators.multiprecision import digits, enclosure
from estimators.sign_means import (
    DRAWS,
    ENUMERATED,
    EPS,
    FAILURE,
    all_signs,
    between,
    complexity,
    complexity_error,
    energy,
    finite_array,
    gaussian_complexity,
)

QUADRATURE = "quadrature"
QUADRATURE_ERROR = 1e-18  # relative; tanh-sinh at 40 digits estimates 1e-30 and less
MOST_DIM, MOST_SIDE = 500, 16
ROUNDING = 1e-12  # relative, of a singular value
GRID = 41  # points a side of the grid over a ball


def _counted(**sizes: int) -> None:
    for word, size in sizes.items():
        if not 1 <= size <= MOST_DIM:
            raise ValueError(f"{word} must be a whole number from 1 to {MOST_DIM}, got {size}")


@functools.cache
def norm_mean(dim: int) -> Any:
    """E|g|_2 in R^dim by quadrature of the density r^(dim-1) e^(-r^2/2)."""
    _counted(dim=dim)
    with digits():
        # Scaled by its value at the mode of the numerator, sqrt(dim), so that no term is huge.
        centre = mpmath.sqrt(dim)
        nodes = [0, centre / 2, centre, centre + 3, centre + 14, centre + 40]

        def density(power: int) -> Callable[[Any], Any]:
            return lambda r: (
                mpmath.exp(power * mpmath.log(r / centre) - (r * r - dim) / 2)
                if r
                else (power == 0) * mpmath.exp(mpmath.mpf(dim) / 2)
            )

        above, below = (mpmath.quad(density(power), nodes) for power in (dim, dim - 1))
        return centre * above / below


@functools.cache
def largest_mean(count: int) -> Any:
    """E max_k |g_k| of `count` numbers: the integral of 1 - erf(x/sqrt2)^count."""
    _counted(count=count)
    with digits():
        return mpmath.quad(lambda x: 1 - mpmath.erf(x / mpmath.sqrt(2)) ** count, [0, 1, 3, 6, 12, 20])


def _multiple(radius: float, mean: Any) -> Estimate:
    """|radius| times a mean found by quadrature."""
    with digits():
        value = mpmath.mpf(abs(radius)) * mean
        return enclosure(value, value * QUADRATURE_ERROR, QUADRATURE)


def norm_of_gaussian(*, dim: int) -> Measurement:
    """m_d = E|g|_2."""
    return Measurement(_multiple(1.0, norm_mean(dim)), {"dim": dim})


def l2_ball(*, dim: int, radius: float) -> Measurement:
    """E sup over |w|_2 <= B = B E|g|_2."""
    return Measurement(_multiple(radius, norm_mean(dim)), {"parameter_count": dim, "parameter_norm": abs(radius)})


def l1_ball(*, dim: int, radius: float) -> Measurement:
    """E sup over |w|_1 <= B = B E max|g_k|."""
    return Measurement(_multiple(radius, largest_mean(dim)), {"parameter_count": dim, "parameter_norm": abs(radius)})


def box(*, dim: int, radius: float) -> Measurement:
    """E sup over |w_k| <= B = B p E|g_1|."""
    _counted(dim=dim)
    found = _multiple(radius, dim * norm_mean(1))
    return Measurement(found, {"parameter_count": dim, "parameter_norm": abs(radius)})


@functools.cache
def _singular_values(rows: int, columns: int, seed: int) -> Float64[np.ndarray, "draws k"]:
    if max(rows, columns) > MOST_SIDE:
        raise ValueError(
            f"matrices of more than 1 row are drawn up to {MOST_SIDE} x {MOST_SIDE}, got {rows}, {columns}"
        )
    return np.linalg.svd(np.random.default_rng(seed).standard_normal((DRAWS, rows, columns)), compute_uv=False)


@functools.cache
def _share(rows: int, columns: int, largest: int, order: int, seed: int) -> Estimate:
    """E (sum of s_k^order over the `largest` singular values)^(1/order)/|G|_F, order 1 or 2, from draws of G."""
    values, small = _singular_values(rows, columns, seed), min(rows, columns)
    shares = np.linalg.norm(values[:, :largest], ord=order, axis=1) / np.linalg.norm(values, axis=1)
    ends = (math.sqrt(largest / small), 1.0) if order == 2 else (largest / small, math.sqrt(largest))
    low, high = (np.clip(shares * (1 + slip), *ends) for slip in (-ROUNDING, ROUNDING))
    return best(low, high, minimum=ends[0], maximum=ends[1], confidence=1 - FAILURE)


def _matrix(rows: int, columns: int, radius: float, largest: int, order: int, seed: int) -> Estimate:
    """B E (sum of s_k^order over the `largest` singular values)^(1/order), order 1 or 2, G of d_1 x d_2 normals.

    |G|_F is independent of G/|G|_F: the mean is E|G|_F, by quadrature, times the mean of a share that hardly varies.
    """
    _counted(rows=rows, columns=columns, rank=largest)
    small, norm = min(rows, columns), _multiple(radius, norm_mean(rows * columns))
    if small == 1 or (largest >= small and order == 2):
        return norm
    share = _share(rows, columns, largest, order, seed)
    ends = norm.lower * share.lower, norm.upper * share.upper
    return Estimate(ends[0] * (1 - EPS), ends[1] * (1 + EPS), share.confidence, f"{QUADRATURE}; {share.method}")


def low_rank(*, rows: int, columns: int, rank: int, radius: float, seed: int = 0) -> Measurement:
    """E sup over |W|_F <= B, rank W <= r: B E (sum of the r largest s_k^2)^(1/2)."""
    found = _matrix(rows, columns, radius, rank, 2, seed)
    return Measurement(found, {"rows": rows, "columns": columns, "rank": rank, "parameter_norm": abs(radius)})


def nuclear_ball(*, rows: int, columns: int, radius: float, seed: int = 0) -> Measurement:
    """E sup over the nuclear ball: B E|G|_op."""
    found = _matrix(rows, columns, radius, 1, 2, seed)
    return Measurement(found, {"rows": rows, "columns": columns, "parameter_norm": abs(radius)})


def spectral_ball(*, rows: int, columns: int, radius: float, seed: int = 0) -> Measurement:
    """E sup over |W|_op <= B: B E|G|_nuclear."""
    found = _matrix(rows, columns, radius, min(rows, columns), 1, seed)
    return Measurement(found, {"rows": rows, "columns": columns, "parameter_norm": abs(radius)})


def comparison(*, vectors: Any, process: Any, seed: int = 0) -> Measurement:
    """R_hat of a finite class, f_t(x_i) = vectors[t, i], beside E max Y of Y_t = c <g, process[t]>.

    c is the least factor with |f_t - f_t'|_2 <= c |process[t] - process[t']|_2 for all pairs, rounded up.
    """
    a, z = finite_array("vectors", vectors, 2), finite_array("process", process, 2)
    if len(a) != len(z):
        raise ValueError(f"process must have {len(a)} rows, one per function, got {len(z)}")
    apart = [np.linalg.norm(one[:, None] - one[None, :], axis=2) for one in (a, z)]
    pairs = ~np.eye(len(a), dtype=bool)
    if len(a) < 2 or (apart[1][pairs] == 0).any():
        raise ValueError("process must give different functions different points: move one of its rows")
    factor = float((apart[0][pairs] / apart[1][pairs]).max()) * (1 + EPS * (16 + a.shape[1] + z.shape[1]))
    width = gaussian_complexity(z, seed)
    found = Estimate(*_enumerated(a), width.confidence, f"{ENUMERATED}; {width.method}")
    ends = [end * z.shape[1] * factor for end in (width.lower, width.upper)]
    supremum = (math.nextafter(ends[0], 0.0), math.nextafter(ends[1] * (1 + 2 * EPS), math.inf))
    return Measurement(found, {"sample_size": a.shape[1], "gaussian_supremum": supremum})


def _enumerated(vectors: Float64[np.ndarray, "m n"]) -> tuple[float, float]:
    value, error = float(complexity(vectors)), complexity_error(vectors)
    return max(value - error, 0.0), value + error


def bilinear_class(*, left: Any, right: Any, left_radius: float, right_radius: float) -> Measurement:
    """R_hat of f(x_i) = <u, x_i> <w, z_i> on two l2 balls: B_u B_w E|sum eps_i x_i z_i^T|_op/n, exactly.

    arguments: the blocks (Lam_b, omega_b): Lam_u = B_w (sum |x_i|^2 |z_i|^2)^(1/2), omega_u = B_u E|g|, rounded up.
    """
    x, z = finite_array("left", left, 2), finite_array("right", right, 2)
    n, b_u, b_w = len(x), abs(left_radius), abs(right_radius)
    if len(z) != n or b_u * b_w == 0:
        raise ValueError(f"right must have {n} rows, and both radii must not be 0, got {len(z)}, {b_u} and {b_w}")
    sums = np.einsum("en,nd,nf->edf", all_signs(n), x, z)
    norms = np.linalg.norm(sums, ord=2, axis=(1, 2))
    size = float((np.linalg.norm(x, axis=1) * np.linalg.norm(z, axis=1)).sum())
    value = b_u * b_w * float(norms.mean()) / n
    error = EPS * (n + 8 * sum(x.shape) + 8 * sum(z.shape)) * b_u * b_w * size / n
    aggregate = between(math.sqrt(float(((x**2).sum(axis=1) * (z**2).sum(axis=1)).sum())), EPS * 16 * n * size)[1]
    widths = [_multiple(b, norm_mean(one.shape[1])).upper for b, one in ((b_u, x), (b_w, z))]
    # Multiplied as exact numbers: the blocks are as large as they are written, not as float64 rounds them.
    blocks = [
        (sp.Rational(aggregate) * sp.Rational(other), sp.Rational(width))
        for other, width in ((b_w, widths[0]), (b_u, widths[1]))
    ]
    found = Estimate(max(value - error, 0.0), value + error, 1.0, ENUMERATED)
    return Measurement(found, {"sample_size": n}, arguments={"blocks": blocks})


def sine_class(*, features: Any, radius: float) -> Measurement:
    """R_hat of f_w(x_i) = sin<w, x_i> on |w|_2 <= B in R^1 or R^2, by a grid: no point of the ball is farther than its
    step from a grid point of the ball, and the sum is (sum |x_i|)-Lipschitz. M = sum x_i x_i^T has |grad f| <= |x_i|.
    """
    x, b = finite_array("features", features, 2), abs(radius)
    n, d = x.shape
    if d > 2 or b == 0:
        raise ValueError(f"features must have 1 or 2 columns and the radius must not be 0, got {d} and {b}")
    sides = [np.linspace(-b, b, GRID if d == 2 else GRID**2)] * d
    grid = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, d)
    step = 2 * b / (len(sides[0]) - 1) * math.sqrt(d)
    inside = grid[np.linalg.norm(grid, axis=1) <= b * (1 + 4 * EPS)]
    value = float(complexity(np.sin(inside @ x.T)))
    error = EPS * (n + 32) * (1 + b * float(np.abs(x).sum(axis=1).max()))
    above = value + step * float(np.linalg.norm(x, axis=1).sum()) / n
    found = Estimate(max(value - error, 0.0), above + error, 1.0, f"{ENUMERATED}, grid")
    return Measurement(found, {"parameter_norm": b, "gradient_trace": energy(x), "sample_size": n})
