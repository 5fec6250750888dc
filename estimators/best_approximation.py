"""Best approximation in the Euclidean norm by a combination of given columns, with both ends certified.

For values f (N,) and columns S (N, r): upper end |f - S c|_2 of the weights c found, lower end by duality: for every y
and every c', |f - S c'|_2 >= (|<y, f>| - |<y, S c'>|)/|y|_2. With g = f - S c and y = g less its projection, the best
combination S c' of g has |S c'| <= |g|, so |<y, S c'>| <= |g| |(S T)^T y| / sigma_min(S T). The ends hold for the
float64 arrays as given; dependent columns are left out (`estimators.span`).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Shaped

from estimators.estimate import Estimate
from estimators.span import Span, checked_values, gamma, residual, span_of

Array = np.ndarray
REFINEMENTS = 2
METHOD = "orthogonal factorisation, dual"


@dataclass(frozen=True)
class Approximation:
    """error: certified interval. weights (d,): the combination that attains `error.upper`, rounded to float64.
    rank, condition: of the basis (`estimators.span.Span`)."""

    error: Estimate
    weights: Float64[Array, " d"]
    rank: int
    condition: float


@dataclass(frozen=True)
class Fit:
    """Least-squares weights c (r,) of f/scale in extended precision, scale a power of two; rest g = f/scale - S c, and
    a bound on its rounding at every position."""

    scale: float
    weights: Shaped[Array, " r"]
    rest: Float64[Array, " N"]
    rounding: Float64[Array, " N"]


def least_squares(values: Float64[Array, " N"], span: Span) -> Fit:
    """Least-squares weights in the span, refined twice with residuals in extended precision."""
    largest = float(np.abs(values).max())
    scale = math.ldexp(1.0, math.frexp(largest)[1]) if largest > 0 else 1.0
    target = values / scale
    weights = np.zeros(span.rank, dtype=np.longdouble)
    rest, rounding = target, np.zeros_like(target)
    for _ in range(1 + REFINEMENTS):
        trial = weights + span.transform @ (span.orthonormal.T @ rest)
        found, wrong = residual(target, span.columns, trial)
        if np.linalg.norm(found) >= np.linalg.norm(rest):
            break
        weights, rest, rounding = trial, found, wrong
    return Fit(scale, weights, rest, rounding)


def without_span(vector: Float64[Array, " N *m"], span: Span) -> Float64[Array, " N *m"]:
    """The part of a vector, or of every column, that is orthogonal to the span, projected twice."""
    for _ in range(2):
        vector = vector - span.orthonormal @ (span.orthonormal.T @ vector)
    return vector


def leak(vector: Float64[Array, " N"], span: Span) -> float:
    """A bound on |(S T)^T y|_2 / sigma_min(S T): at most this much of <y, p> comes from p in the span, |p|_2 <= 1.

    Infinite where the basis is too ill-conditioned to say.
    """
    if span.rank == 0:
        return 0.0
    if span.least == 0:
        return math.inf
    size = float(np.linalg.norm(vector)) * (1 + 1e-6)
    seen = float(np.linalg.norm(span.orthonormal.T @ vector)) * (1 + 1e-6)
    rounding = gamma(len(vector)) * 1.01 * math.sqrt(span.rank) * size
    return (seen + rounding + span.deviation * size) / span.least


def best_l2(values: Any, basis: Any) -> Approximation:
    """min_c |f - A c|_2 for values f (N,) and a basis A (N, d), an array or a `Span`.

    ValueError for values or a basis that are not finite, of other shapes, or more channels than positions.
    """
    span = basis if isinstance(basis, Span) else span_of(basis)
    fit = least_squares(checked_values(values, span.positions), span)
    length = span.positions
    slack = gamma(length + 2)
    wrong = float(np.linalg.norm(fit.rounding)) * (1 + slack)
    size = float(np.linalg.norm(fit.rest))
    upper = size * (1 + slack) + wrong
    lower = 0.0
    if span.rank < length and size > 0:
        dual = without_span(fit.rest, span)
        norm = float(np.linalg.norm(dual)) * (1 + slack)
        if norm > 0:
            seen = abs(float(dual @ fit.rest)) - slack * norm * size * (1 + slack)
            lower = max((seen - size * (1 + slack) * leak(dual, span)) / norm - wrong, 0.0)
    tiny = 2.0**-1000  # products below the range of float64
    ends = max(lower * (1 - 4 * slack) - tiny, 0.0) * fit.scale, (upper * (1 + 4 * slack) + tiny) * fit.scale
    error = Estimate(ends[0], math.nextafter(ends[1], math.inf), 1.0, METHOD)
    return Approximation(error, span.weights(fit.weights * fit.scale), span.rank, span.condition)
