"""Worst errors over classes of sequences, and Kolmogorov widths: what no n channels can beat.

Ellipsoid {f in R^N : |A f|_2 <= 1}, r = dim null(A). If the channels span null(A), the worst Euclidean error is
|(I - Pi) A^+|_2, Pi the projection on their span, else it is infinite. The width over all spans of n channels is d_n =
sigma_(n-r+1)(A^+) for n >= r (sigma_1 the largest), else infinite. For differences, (Delta f)_i = f_(i+1) - f_i,
d_n = 1/(2 sin(pi n/(2N))). Lipschitz class {|f_(i+1) - f_i| <= 1} in the largest error: d_n = floor((N-1)/n)/2; n equal
cells attain it.
"""

import math
from typing import Any

import numpy as np
from jaxtyping import Float64
from scipy.fft import dct
from scipy.sparse.linalg import LinearOperator, eigsh

from estimators.best_approximation import best_l2, without_span
from estimators.estimate import Estimate, exact
from estimators.span import EPS, Span, span_of

Array = np.ndarray
DENSE = 768
NEAR = 1e-9  # relative distance at which a vector counts as in the span
METHOD = "singular values"
LANCZOS = "Lanczos vector, inertia"
MARGINS = (1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)  # far above rounding of the signs that are counted


def difference_width(channels: int, positions: int) -> float:
    """d_n = 1/(2 sin(pi n/(2N))) of {f in R^N : |Delta f|_2 <= 1} in the Euclidean norm; 0 at n = N, n >= 1."""
    _check(channels, positions)
    return 0.0 if channels == positions else 1 / (2 * math.sin(math.pi * channels / (2 * positions)))


def lipschitz_width(channels: int, positions: int) -> float:
    """d_n = floor((N-1)/n)/2 of {f in R^N : |f_(i+1) - f_i| <= 1} in the largest error.

    Proof: n cells of at most ceil(N/n) positions, each with the mean of its extremes, err by (ceil(N/n) - 1)/2 =
    floor((N-1)/n)/2 at most. On n + 1 positions at distance s = floor((N-1)/n) every values in [-s/2, s/2] are taken by
    a member, and the unit ball of an (n+1)-dimensional space has width 1.
    """
    _check(channels, positions)
    return ((positions - 1) // channels) / 2


def ellipsoid_widths(operator: Any) -> Float64[Array, " N"]:
    """d_1 .. d_N of {|A f|_2 <= 1} for A (m, N), from the singular values of A; infinite below dim null(A)."""
    matrix = _operator(operator)
    length = matrix.shape[1]
    singular = np.zeros(length)
    found = np.linalg.svd(matrix, compute_uv=False)
    singular[: len(found)] = found
    rising = np.sort(singular)
    zero = rising <= max(matrix.shape) * EPS * rising[-1]
    rising[zero] = 0.0
    with np.errstate(divide="ignore"):
        # sigma_(n-r+1)(A^+) is one over the (n+1)-th smallest singular value of A
        return np.r_[1 / rising[1:], 0.0]


def ellipsoid_error(operator: Any, basis: Any) -> Estimate:
    """Largest |f - Pi f|_2 over {|A f|_2 <= 1} for A (m, N) and a basis (N, d); infinite if null(A) is not spanned."""
    matrix = _operator(operator)
    span = basis if isinstance(basis, Span) else span_of(basis)
    if matrix.shape[1] != span.positions:
        raise ValueError(f"the operator acts on {matrix.shape[1]} positions, the basis has {span.positions}")
    _, singular, right = np.linalg.svd(matrix)
    rank = int(np.sum(singular > max(matrix.shape) * EPS * singular[0]))
    if any(not in_span(vector, span) for vector in right[rank:]):
        return Estimate(math.inf, math.inf, 1.0, METHOD)
    inverse = right[:rank].T / singular[:rank]
    return _without(span, inverse, 1 / float(singular[rank - 1]))


def in_span(vector: Float64[Array, " N"], basis: Span) -> bool:
    """Whether a vector is within 1e-9 of its length of the numerical span."""
    return float(np.linalg.norm(without_span(vector, basis))) <= NEAR * float(np.linalg.norm(vector))


def difference_error(basis: Any, *, dense: int = DENSE) -> Estimate:
    """Largest |f - Pi f|_2 over {|Delta f|_2 <= 1}; infinite if the constant is not in the span.

    Up to `dense` positions: singular values. Beyond: lower end attained by a vector, upper end mu where no eigenvalue
    of Delta^T Delta + (Pi - I)/mu^2 is negative: one count of signs in the cosine basis, where Delta^T Delta is
    diagonal.
    """
    span = basis if isinstance(basis, Span) else span_of(basis)
    length = span.positions
    if not in_span(np.ones(length), span):
        return Estimate(math.inf, math.inf, 1.0, METHOD)
    if span.rank == length:
        return exact(0.0, 8 * EPS * length**2, METHOD)
    if length <= dense:
        steps = np.tril(np.ones((length, length - 1)), -1)  # f from its differences, up to a constant
        inverse = steps - steps.mean(axis=0)
        return _without(span, inverse, difference_width(1, length))
    return _by_inertia(span)


def _without(span: Span, inverse: Array, size: float) -> Estimate:
    """|(I - Pi) A^+|_2 for A^+ (N, m) of norm `size`."""
    projected = without_span(inverse, span)
    square = np.linalg.eigvalsh(projected.T @ projected)[-1]
    found = math.sqrt(max(float(square), 0.0))
    wrong = 8 * EPS * math.sqrt(span.positions) * size + size * _tilt(span) + span.positions * EPS * found
    return exact(found, wrong, METHOD) if wrong < found else Estimate(0.0, found + wrong, 1.0, METHOD)


def _tilt(span: Span) -> float:
    """How far two projections computed from B are off that on the span, in norm."""
    gram = span.orthonormal.T @ span.orthonormal - np.eye(span.rank)
    return float(np.linalg.norm(gram)) ** 2 + 2 * span.deviation


def _by_inertia(span: Span) -> Estimate:
    length = span.positions

    def project(vector: Array) -> Array:
        return vector - span.orthonormal @ (span.orthonormal.T @ vector)

    def apply(vector: Array) -> Array:
        return project(_solved(project(np.ravel(vector))))

    start = project(np.random.default_rng(0).standard_normal(length))
    operator = LinearOperator((length, length), matvec=apply, dtype=np.float64)  # type: ignore[call-arg]  # SciPy makes it in __new__
    tolerance: Any = 1e-10
    vector = eigsh(operator, k=1, which="LA", v0=start, tol=tolerance)[1][:, 0]
    extremal = _solved(project(vector))
    slope = float(np.linalg.norm(np.diff(extremal)))
    lower = best_l2(extremal, span).error.lower / slope * (1 - 1e-11)
    # The constant, in the null space of both terms, is left out: it has no sign to count.
    constant = span.orthonormal.T @ np.ones((length, 1))
    centred = span.orthonormal @ np.linalg.qr(constant, mode="complete")[0][:, 1:]
    cosines = np.asarray(dct(centred, type=2, norm="ortho", axis=0))[1:]
    spectrum = 4 * np.sin(np.pi * np.arange(1, length) / (2 * length)) ** 2
    for margin in MARGINS:
        upper = lower * (1 + margin)
        if _no_negative(cosines, spectrum - 1 / upper**2, 1 / upper**2):
            return Estimate(lower, upper, 1.0, LANCZOS)
    return Estimate(lower, difference_width(1, length), 1.0, LANCZOS)


def _solved(rest: Array) -> Array:
    """(Delta^T Delta)^+ of the centred vector, by two sums."""
    solved = -np.r_[0.0, np.cumsum(np.cumsum(rest - rest.mean())[:-1])]
    return solved - solved.mean()


def _no_negative(cosines: Array, diagonal: Array, factor: float) -> bool:
    """Whether diag(d) + factor Q Q^T has no negative eigenvalue, by Haynsworth's inertia formula."""
    scaled = cosines / diagonal[:, None]
    small = np.eye(cosines.shape[1]) / factor + cosines.T @ scaled
    return int(np.sum(np.linalg.eigvalsh(small) < 0)) == int(np.sum(diagonal < 0))


def _operator(operator: Any) -> Array:
    matrix = np.asarray(operator, dtype=np.float64)
    if matrix.ndim != 2 or 0 in matrix.shape or not np.isfinite(matrix).all() or not matrix.any():
        raise ValueError(f"an operator is a finite matrix (m, N) other than 0, got shape {matrix.shape}")
    return matrix


def _check(channels: int, positions: int) -> None:
    if not 1 <= channels <= positions:
        raise ValueError(f"{channels} channels for {positions} positions: use 1 to {positions} channels")
