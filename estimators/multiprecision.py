"""NumPy arrays of mpmath numbers: 40-digit arithmetic where float64 rounding would hide an equality.

Products, sums and `@` of such arrays (dtype object) are NumPy's own; the functions here are the rest. Work inside
`with digits():`.
"""

import contextlib
import math
from typing import Any

import mpmath
import numpy as np

from estimators.estimate import Estimate

DIGITS = 40
exponential: Any = np.frompyfunc(mpmath.exp, 1, 1)
square_root: Any = np.frompyfunc(mpmath.sqrt, 1, 1)


def digits() -> contextlib.AbstractContextManager[Any]:
    """Context in which mpmath carries 40 decimal digits."""
    return mpmath.workdps(DIGITS)


def exactly(array: Any) -> np.ndarray:
    """The float64 numbers of an array as mpmath numbers, unchanged."""
    return np.frompyfunc(mpmath.mpf, 1, 1)(np.asarray(array, dtype=np.float64))


def enclosure(value: Any, error: Any, method: str) -> Estimate:
    """The floats next to value -+ error, outwards; `error` (a number of either kind) bounds the rounding error of the
    mpmath number `value`."""
    low, high = value - error, value + error
    lower, upper = float(low), float(high)
    lower = math.nextafter(lower, -math.inf) if mpmath.mpf(lower) > low else lower
    upper = math.nextafter(upper, math.inf) if mpmath.mpf(upper) < high else upper
    return Estimate(lower, upper, 1.0, method)
