"""How well a few attention heads can weigh the past: best sup-norm approximation of a kernel of the distance.

Heads contribute atoms of the distance D = 0 .. T-1, e^(-m D) for an ALiBi head. Fixed atoms: a linear programme, both
ends certified. Free slopes: k-term exponential sums by Remez exchange. Certificates, with K the kernel:

* a weighting y with sum |y_D| = 1 that every atom is orthogonal to: max |K - sum a phi| >= |sum y K|; * two sums of k
exponentials differ by 2k exponentials, which have at most 2k - 1 real zeros: an error that alternates at
  2k + 1 distances, in size at least e, cannot be beaten below e by any slopes and weights (de la Vallee Poussin).
"""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np
from jaxtyping import Float64
from scipy.optimize import least_squares, linprog

from estimators.claim import Measurement
from estimators.estimate import Estimate
from estimators.multiprecision import digits, exactly, exponential

Array = np.ndarray
Kernel = Callable[[Any], Any]
EPS = 2.0**-52
POWERS = (1, 1.5, 2, 3, 4, 6, 8)  # least p-th powers that lead to the largest error
EXCHANGES, NEWTON_STEPS = 30, 30


def reciprocal(distance: Any) -> Any:
    """The kernel 1/(1 + D) of a running mean seen from one position."""
    return 1 / (1 + distance)


def best_combination(kernel: Float64[Array, " T"], atoms: Float64[Array, "k T"]) -> Estimate:
    """min_a max_D |K(D) - sum_h a_h phi_h(D)| for fixed atoms phi (k, T).

    Upper end: the error of the weights found. Lower end: the dual solution made orthogonal to the atoms. Both are
    computed in 40 digits from the float64 solution, for the float64 arrays as given. ValueError for dependent atoms.
    """
    target, basis = np.asarray(kernel, dtype=np.float64), np.asarray(atoms, dtype=np.float64)
    if basis.ndim != 2 or target.shape != basis.shape[1:] or not len(target) > len(basis) > 0:
        raise ValueError(f"k atoms (k, T) and a kernel (T,), T > k, are needed, got {basis.shape} and {target.shape}")
    if not (np.isfinite(target).all() and np.isfinite(basis).all()):
        raise ValueError("the kernel and the atoms must be finite: shorten the distances")
    if np.linalg.matrix_rank(basis) < len(basis):
        raise ValueError(f"{len(basis)} atoms are linearly dependent: use fewer, or slopes farther apart")
    # Centred by the least-squares fit, scaled, in an orthonormal basis: programmes of tiny residual are solved badly.
    orthonormal, triangle = np.linalg.qr(basis.T)
    rest = target - orthonormal @ (orthonormal.T @ target)
    size = float(np.abs(rest).max()) or 1.0
    ones = np.ones((len(target), 1))
    rows = np.vstack([np.hstack([orthonormal, -ones]), np.hstack([-orthonormal, -ones])])
    cost, scaled = np.r_[np.zeros(len(basis)), 1.0], rest / size
    solved = linprog(cost, A_ub=rows, b_ub=np.r_[scaled, -scaled], bounds=(None, None), method="highs")
    if solved.status != 0:
        raise ValueError(f"the linear programme failed ({solved.message}): use fewer atoms or shorter distances")
    dual = np.diff(solved.ineqlin.marginals.reshape(2, -1), axis=0)[0]
    with digits():
        weights = exactly(np.linalg.solve(triangle, orthonormal.T @ target + size * solved.x[:-1]))
        error = abs(exactly(target) - weights @ exactly(basis)).max()
        units: list[Any] = []
        for atom in exactly(basis):
            rest_of_atom = _without(atom, units)
            units.append(rest_of_atom / mpmath.sqrt(rest_of_atom @ rest_of_atom))
        y = _without(_without(exactly(dual), units), units)
        total = abs(y).sum()
        least = abs(y @ exactly(target)) / total if total > 0 else mpmath.mpf(0)
        # y meets the atoms at 10^-35 or less, times the weights of the best combination
        slack = mpmath.mpf(10) ** -25 * (1 + abs(weights).sum())
        ends = max(float((least - slack) * (1 - EPS)), 0.0), float(error * (1 + EPS))
    return Estimate(*ends, 1.0, "linear programme, dual")


def _without(vector: Array, units: list[Any]) -> Array:
    """The part of a vector that is orthogonal to orthonormal ones."""
    for unit in units:
        vector = vector - (unit @ vector) * unit
    return vector


def _terms(distances: Array, logs: Array) -> Array:
    """a_h e^(-m_h D) (k, T) for logs = (ln a, ln m)."""
    amplitudes, slopes = np.exp(logs.reshape(2, -1))
    return amplitudes[:, None] * np.exp(-np.outer(slopes, distances))


def _least_powers(kernel: Array, terms: int) -> Array:
    """A first (ln a, ln m): least squares, then higher powers of the error, from geometrically spaced slopes."""
    distances = np.arange(len(kernel), dtype=np.float64)
    slopes = np.geomspace(0.7 / len(kernel), 1.5, terms) if terms > 1 else np.array([0.5])
    logs = np.log(np.r_[np.full(terms, kernel[0] / terms), slopes])
    for power in POWERS:
        size = float(np.abs(kernel - _terms(distances, logs).sum(axis=0)).max())

        def residual(at: Array, power: float = power, size: float = size) -> Array:
            error = (kernel - _terms(distances, at).sum(axis=0)) / size
            return np.sign(error) * np.abs(error) ** power

        logs = least_squares(residual, logs, xtol=1e-12, ftol=1e-12, max_nfev=300).x
    return logs


def _alternation(error: Array, count: int) -> Array:
    """At most `count` distances at which the error alternates, each the largest of its run of one sign."""
    edges = np.r_[0, np.flatnonzero(np.diff(np.sign(error))) + 1, len(error)]
    peaks = [start + int(np.argmax(np.abs(error[start:stop]))) for start, stop in itertools.pairwise(edges)]
    while len(peaks) > count:
        peaks.pop(0 if abs(error[peaks[0]]) < abs(error[peaks[-1]]) else -1)
    return np.array(peaks)


def _levelled(kernel: Array, logs: Array, peaks: Array) -> Array:
    """Newton's method for an error of one size and alternating sign at the peaks."""
    signs = (-1.0) ** np.arange(len(peaks))
    error = kernel[peaks] - _terms(peaks, logs).sum(axis=0)
    level = float(np.mean(np.abs(error)) * np.sign(error[0]))
    for _ in range(NEWTON_STEPS):
        values = _terms(peaks, logs)
        slopes = np.exp(logs[len(logs) // 2 :])
        jacobian = np.vstack([-values, values * slopes[:, None] * peaks, -signs]).T
        step = np.linalg.lstsq(jacobian, values.sum(axis=0) + level * signs - kernel[peaks], rcond=None)[0]
        step = step * min(1.0, 0.5 / max(float(np.abs(step[:-1]).max()), 1e-300))
        logs, level = logs + step[:-1], level + float(step[-1])
        if float(np.abs(step).max()) < 1e-13:
            break
    return logs


def best_exponentials(kernel: Kernel, terms: int, length: int) -> tuple[Estimate, Float64[Array, " k"]]:
    """min over a, m of max_D |K(D) - sum_h a_h e^(-m_h D)|, D = 0 .. T-1, with k = `terms`; and the slopes m found.

    For kernels that positive sums approximate best (completely monotone ones); both ends hold for any kernel. The
    kernel is called with 40-digit numbers. The lower end is 0 where no alternation was found.
    """
    count = 2 * terms + 1
    if terms < 1 or length < count:
        raise ValueError(f"{terms} exponentials fit {length} distances exactly or are none: use length={count} or more")
    distances = np.arange(length)
    floats = np.array([float(kernel(mpmath.mpf(int(d)))) for d in distances])
    best = (0.0, math.inf)
    logs = _least_powers(floats, terms)
    slopes = np.exp(logs[terms:])
    for _ in range(EXCHANGES):
        low, high, peaks = _certified(kernel, logs, distances, count)
        if high < best[1]:
            slopes = np.exp(logs[terms:])
        gained = low > best[0] or high < best[1]
        best = (max(best[0], low), min(best[1], high))
        if len(peaks) < count or not gained or best[1] <= best[0] * (1 + 1e-12):
            break
        logs = _levelled(floats, logs, peaks)
        if not np.isfinite(logs).all():
            break
    return Estimate(*best, 1.0, "Remez exchange, alternation"), np.sort(slopes)


def _certified(kernel: Kernel, logs: Array, distances: Array, count: int) -> tuple[float, float, Array]:
    """The largest error of the sum; the least error over `count` alternating distances (0 if there are fewer)."""
    with digits():
        amplitudes, slopes = exponential(exactly(logs)).reshape(2, -1)
        at = exactly(distances)
        error = np.array([kernel(d) for d in at]) - amplitudes @ exponential(-np.outer(slopes, at))
        peaks = _alternation(error.astype(float), count)
        high = float(abs(error).max()) * (1 + 2**-50)
        low = float(abs(error[peaks]).min()) * (1 - 2**-50) if len(peaks) == count else 0.0
    return low, high, peaks


def exponential_error(*, terms: int, length: int) -> Measurement:
    """Best k-term exponential sum for 1/(1+D), D = 0 .. length-1."""
    found, _ = best_exponentials(reciprocal, terms, length)
    return Measurement(found, {"kernel_terms": terms, "length": length}, "alibi")


def constant_error(*, length: int) -> Measurement:
    """Best constant for 1/(1+D), D = 0 .. length-1, by the linear programme."""
    kernel = reciprocal(np.arange(length, dtype=np.float64))
    found = best_combination(kernel, np.ones((1, length)))
    # The rounded kernel is off by EPS/2 at most, so its best error is too.
    widened = Estimate(max(found.lower - EPS, 0.0), found.upper + EPS, found.confidence, found.method)
    return Measurement(widened, {"length": length})


def head_errors(kernel: Float64[Array, " T"], slopes: Sequence[float] | Float64[Array, " k"]) -> Estimate:
    """Best combination of ALiBi heads of these slopes for a kernel (T,): `best_combination` of e^(-m D)."""
    return best_combination(kernel, np.exp(-np.outer(np.asarray(slopes, dtype=np.float64), np.arange(len(kernel)))))
