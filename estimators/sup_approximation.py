"""Best approximation in the largest error over all positions, by linear programming, with both ends certified.

min_c max_t |f(t) - (A c)(t)| = max { <y, f> : A^T y = 0, sum |y_t| = 1 }. Upper end: the error of the weights found,
at all positions. Lower end: a weighting y, projected onto the orthogonal complement of the columns; what is left of A^T
y by rounding is subtracted, so the solver's tolerance does not enter. With g = f - A c the best combination p of g has
max |p| <= 2 max |g|, so |<y, p>| <= 2 sqrt(N) max |g| `leak(y)`.

Solutions of linear programmes are levelled: where the weighting lives on few positions, weights that make the error
there equal in size and of the signs of y, and the weighting orthogonal to the columns, are found anew by linear
algebra. Many positions: the programme is solved on some of them, the positions of the largest errors join, until the
lower end from some and the upper end from all positions meet (exchange method).
"""

import math
from typing import Any

import numpy as np
from scipy.optimize import linprog

from estimators.best_approximation import Approximation, Fit, leak, least_squares, without_span
from estimators.estimate import Estimate
from estimators.span import Span, checked_values, gamma, residual, span_of

Array = np.ndarray
DIRECT = 512  # positions at a time of the first programme; all of them where there are no more
GAP = 1e-12  # relative, at which the search ends
ROUNDS = 60
METHOD = "linear programme, dual"


def best_sup(values: Any, basis: Any, *, direct: int = DIRECT) -> Approximation:
    """min_c max_t |f(t) - (A c)(t)| for values f (N,) and a basis A (N, d), an array or a `Span`.

    With more than `direct` positions the exchange method begins with about that many. ValueError for values or a basis
    that are not finite, of other shapes, more channels than positions, or a programme that cannot be solved.
    """
    span = basis if isinstance(basis, Span) else span_of(basis)
    fit = least_squares(checked_values(values, span.positions), span)
    search = _Search(span, fit)
    if search.size > 0 and span.rank < span.positions:
        search.run(max(direct, 3 * (span.rank + 1)))
    ends = max(search.lower, 0.0) * fit.scale, search.upper * fit.scale
    tiny = 2.0**-1000
    error = Estimate(max(ends[0] - tiny, 0.0), math.nextafter(ends[1] + tiny, math.inf), 1.0, METHOD)
    return Approximation(error, span.weights(search.weights * fit.scale), span.rank, span.condition)


class _Search:
    """The best ends so far of the problem scaled by `fit.scale`. weights (r,): base and a step, which together attain
    `upper`; their sum rounds once more."""

    def __init__(self, span: Span, fit: Fit):
        self.span, self.weights = span, fit.weights
        self.rest, self.rounding = fit.rest, fit.rounding
        self.target = fit.rest
        self.wrong = float(fit.rounding.max())
        # Programmes of tiny errors are solved badly: the rest of the least-squares fit is scaled to 1.
        self.size = float(np.abs(fit.rest).max())
        self.upper = float((np.abs(fit.rest) + fit.rounding).max()) * (1 + 4 * 2.0**-53)
        self.lower = 0.0
        self.base = fit.weights
        # Rows of about unit length whatever N.
        self.rows = span.orthonormal * math.sqrt(span.positions)

    def run(self, count: int) -> None:
        chosen = self._first(count)
        for _ in range(ROUNDS):
            dual, shift = _programme(self.rows[chosen], self.target[chosen] / self.size)
            error = self._take(chosen, dual, shift)
            levelled = _levelled(self.rows[chosen], self.target[chosen] / self.size, dual)
            if levelled is not None:
                self._take(chosen, *levelled)
            if len(chosen) == self.span.positions or self.lower >= self.upper * (1 - GAP):
                return
            added = _peaks(error, chosen, self.lower * (1 + GAP), 2 * (self.span.rank + 1) + 32)
            if added.size == 0:
                return
            chosen = np.union1d(chosen, added)

    def _first(self, count: int) -> Array:
        """Positions spread like the extrema of Chebyshev polynomials, and those of the largest rests."""
        length = self.span.positions
        if length <= count:
            return np.arange(length)
        spread = (1 - np.cos(np.pi * np.arange(count // 2) / (count // 2 - 1))) / 2
        largest = np.argsort(-np.abs(self.target), kind="stable")[: count // 2]
        return np.union1d(np.round(spread * (length - 1)).astype(int), largest)

    def _take(self, chosen: Array, dual: Array, shift: Array) -> Array:
        """Certify both ends from a weighting on the chosen positions and weights of the rows; the error everywhere."""
        weighting = np.zeros(self.span.positions)
        weighting[chosen] = dual
        self.lower = max(self.lower, self._certified(weighting))
        step = self.span.transform @ (shift * (self.size * math.sqrt(self.span.positions)))
        error, wrong = residual(self.target, self.span.columns, step)
        largest = float((np.abs(error) + wrong).max()) * (1 + 4 * 2.0**-53) + self.wrong
        if largest < self.upper:
            self.upper, self.weights = largest, self.base + step
        return error

    def _certified(self, weighting: Array) -> float:
        """|<y, g>| less everything that rounding may have added, divided by sum |y|."""
        y = without_span(weighting, self.span)
        mass, slack = float(np.abs(y).sum()), gamma(len(y) + 2)
        if not (math.isfinite(mass) and mass > 0):
            return 0.0
        seen = abs(float(y @ self.target)) - slack * mass * self.size * 1.01
        lost = 2.02 * math.sqrt(len(y)) * self.size * leak(y, self.span)
        return (seen - lost) / (mass * (1 + slack)) * (1 - 2 * slack) - self.wrong


def _programme(rows: Array, target: Array) -> tuple[Array, Array]:
    """max <y, g> with R^T y = 0 and sum |y| = 1 for rows R (m, r): y, and the weights of the columns (r,)."""
    count, rank = rows.shape
    if rank == 0:
        place = int(np.argmax(np.abs(target)))
        return np.eye(count)[place] * np.sign(target[place]), np.zeros(0)
    equations = np.vstack([np.hstack([rows.T, -rows.T]), np.ones((1, 2 * count))])
    for tolerance in (1e-10, 1e-7):
        options = {"primal_feasibility_tolerance": tolerance, "dual_feasibility_tolerance": tolerance}
        found = linprog(
            np.r_[-target, target],
            A_eq=equations,
            b_eq=np.r_[np.zeros(rank), 1.0],
            bounds=(0, None),
            method="highs",
            options=options,
        )
        if found.status == 0:
            return found.x[:count] - found.x[count:], -found.eqlin.marginals[:-1]
    raise ValueError(f"the linear programme failed ({found.message}): use fewer channels or another basis")


def _levelled(rows: Array, target: Array, dual: Array) -> tuple[Array, Array] | None:
    """The solution of the programme from its support, by linear algebra; None where the support says too little."""
    support = np.flatnonzero(np.abs(dual) > 1e-9 * np.abs(dual).max())
    if len(support) < 2 or len(support) > rows.shape[1] + 1:
        return None
    active = rows[support]
    left = np.linalg.svd(active, full_matrices=True)[0]
    y = np.zeros(len(rows))
    y[support] = left[:, -1] * np.sign(left[:, -1] @ target[support] or 1.0)
    system = np.hstack([active, np.sign(y[support])[:, None]])
    return y, np.linalg.lstsq(system, target[support], rcond=None)[0][:-1]


def _peaks(error: Array, chosen: Array, least: float, count: int) -> Array:
    """Positions of the largest errors above `least` that are not chosen yet, local maxima first."""
    size = np.abs(error)
    over = size > least
    over[chosen] = False
    padded = np.r_[-1.0, size, -1.0]
    local = over & (size >= padded[:-2]) & (size >= padded[2:])
    order = np.argsort(-np.where(local, 2, 1) * size * over, kind="stable")[:count]
    return order[over[order]]
