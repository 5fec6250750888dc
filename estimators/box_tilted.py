"""The largest weighted mean over the box-tilted simplex {softmax(s + b): |s_j| <= B_j}, by a linear programme.

Nothing is sorted here: the programme proposes, 40-digit arithmetic disposes of its rounding on both sides.
"""

from typing import Any

import mpmath
import numpy as np
import sympy as sp
from jaxtyping import Bool
from scipy.optimize import linprog

from estimators.claim import Measurement
from estimators.estimate import Estimate
from estimators.multiprecision import digits, enclosure, exponential
from estimators.softmax_weights import SLIP, Numbers, spread, vector

METHOD = "linear programme and its dual"
GAPS = (28, 20, 14, 10, 6)  # the dual value is tried at 10^-28, 10^-20, ... of the range of y above the witness


def largest_mean(*, values: Numbers, bias: Numbers, radii: Numbers, encoding: str = "") -> Measurement:
    """max sum_j softmax(s+b)_j y_j over |s_j| <= |B_j|, y = `values`, B = `radii`.

    With l = e^(b-B) and u = e^(b+B) it is max sum m y over l tau <= m <= u tau, sum m = 1. Lower end: the solution,
    rounded to a corner of the box and improved. Upper end, by duality: z is at least the maximum iff the largest
    sum_j m_j (y_j - z) over the box is <= 0, tested at values z just above the witness.
    """
    with digits():
        b = vector("bias", bias)
        y, reach = vector("values", values, len(b)), abs(vector("radii", radii, len(b)))
        top = max(b + reach)
        low, high = exponential(b - reach - top), exponential(b + reach - top)
        corner = np.where(_raised(y, low, high), high, low)
        witness = sum(corner * y) / sum(corner)
        # Float64 loses weights below 1e-9 of the largest: steps of Dinkelbach, each no lower, put them right.
        for _ in y:
            corner = np.where(y > witness, high, low)
            witness = max(witness, sum(corner * y) / sum(corner))
        size = spread(y) + abs(witness) * SLIP
        tried = [witness + size * mpmath.mpf(10) ** -gap for gap in GAPS]
        above = next((z for z in tried if _dual(z, y, low, high) <= 0), max(y))
        lower = enclosure(witness, size * SLIP, METHOD).lower
        upper = enclosure(above, size * SLIP, METHOD).upper
    given = {"values": y, "biases": b, "radii": reach}
    exact = {word: [sp.Rational(*float(x).as_integer_ratio()) for x in numbers] for word, numbers in given.items()}
    return Measurement(Estimate(lower, upper, 1.0, METHOD), {}, encoding, exact)


def _dual(z: Any, y: np.ndarray, low: np.ndarray, high: np.ndarray) -> Any:
    """Largest sum_j m_j (y_j - z) over the box, plus its rounding error."""
    over = y - z
    terms = np.where(over > 0, high, low) * over
    return sum(terms) + sum(abs(terms)) * SLIP


def _raised(y: np.ndarray, low: np.ndarray, high: np.ndarray) -> Bool[np.ndarray, " T"]:
    """Positions whose weight the programme puts nearer to its upper end."""
    count = len(y)
    values, lower, upper = (np.array(x, dtype=np.float64) for x in (y, low, high))
    centred = (values - values.mean()) / max(np.ptp(values), np.finfo(float).tiny)
    identity = np.eye(count)
    above = np.concatenate([np.hstack([identity, -upper[:, None]]), np.hstack([-identity, lower[:, None]])])
    solved = linprog(
        [*-centred, 0.0], above, np.zeros(2 * count), np.ones((1, count + 1)) * [*np.ones(count), 0.0], [1.0], (0, None)
    )
    if solved.x is None:
        raise ArithmeticError(f"the linear programme was not solved: {solved.message}")
    mass, scale = solved.x[:count], solved.x[count]
    return 2 * mass > (lower + upper) * scale
