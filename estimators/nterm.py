"""Nonlinear approximation: the best n terms of an orthonormal wavelet basis, chosen for the function.

For an orthonormal basis with coefficients c_k = <f, psi_k> the best n terms are those of the n largest |c_k|, and the
Euclidean error is (sum of the other c_k^2)^(1/2), exactly.
"""

from typing import Any

import numpy as np
from jaxtyping import Float64

from estimators.estimate import Estimate
from estimators.span import EPS, checked_values, gamma

Array = np.ndarray
METHOD = "largest coefficients"


def best_terms(values: Any, basis: Any, terms: int) -> Estimate:
    """Least |f - sum of n basis vectors|_2 over the choice of the n vectors and their weights.

    f (N,), basis (N, N) with orthonormal columns up to rounding; ValueError for other bases or n outside 0 .. N.
    """
    return best_terms_of(values, basis, [terms])[0]


def best_terms_of(values: Any, basis: Any, terms: list[int]) -> list[Estimate]:
    """`best_terms` for several n at once."""
    table = np.asarray(basis, dtype=np.float64)
    length = len(table)
    if table.shape != (length, length):
        raise ValueError(f"n-term approximation needs a complete basis (N, N), got shape {table.shape}: add channels")
    tilt = float(np.linalg.norm(table.T @ table - np.eye(length))) + gamma(length) * length
    if not tilt < 1e-6:
        raise ValueError("n-term approximation needs orthonormal columns: use a power of two of positions")
    if not all(0 <= n <= length for n in terms):
        raise ValueError(f"terms must be 0 to {length}, got {terms}: choose fewer")
    target = checked_values(values, length)
    coefficients = table.T @ target
    size = float(np.linalg.norm(target))
    squares = np.sort(coefficients**2)
    # Summed from the smallest, so that small rests keep their digits.
    rests = np.r_[0.0, np.sqrt(np.cumsum(squares))]
    found: list[Estimate] = []
    for n in terms:
        wrong = (tilt + length * EPS) * size
        found.append(
            Estimate(max(float(rests[length - n]) - wrong, 0.0), float(rests[length - n]) + wrong, 1.0, METHOD)
        )
    return found


def jump_terms(length: int, place: int) -> Float64[Array, " N"]:
    """A step at a position: 0 before `place`, 1 from it on."""
    if not 0 <= place <= length:
        raise ValueError(f"place must be 0 to {length}, got {place}: choose one inside")
    return (np.arange(length) >= place).astype(np.float64)
