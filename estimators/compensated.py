"""Matrix products whose rounding is that of twice the precision, for weights that cancel.

Dot2 of Ogita, Rump, Oishi 2005: sums and products are split without error into a float64 and what it lost, which is
summed separately. For n terms |computed - exact| <= u |exact| + gamma_n^2 sum |terms|, u = 2^-53.
"""

import numpy as np
from jaxtyping import Float64, Shaped

Array = np.ndarray
SPLITTER = 2.0**27 + 1


def _split(x: Array) -> tuple[Array, Array]:
    scaled = SPLITTER * x
    high = scaled - (scaled - x)
    return high, x - high


def _product(x: Array, y: Array) -> tuple[Array, Array]:
    """x y and its rounding error, exactly (Dekker)."""
    rounded = x * y
    xh, xl = _split(x)
    yh, yl = _split(y)
    return rounded, xl * yl - (((rounded - xh * yh) - xl * yh) - xh * yl)


def _sum(x: Array, y: Array) -> tuple[Array, Array]:
    """x + y and its rounding error, exactly (Knuth)."""
    rounded = x + y
    part = rounded - x
    return rounded, (x - (rounded - part)) + (y - part)


def product(
    columns: Float64[Array, "N r"], weights: Shaped[Array, "r m"], start: Float64[Array, "N m"] | float = 0.0
) -> Float64[Array, "N m"]:
    """start + S W for weights in float64 or extended precision."""
    high = weights.astype(np.float64)
    low = (weights - high).astype(np.float64)
    total = np.broadcast_to(np.asarray(start, dtype=np.float64), (len(columns), weights.shape[1])).copy()
    lost = np.zeros_like(total)
    for k in range(len(weights)):
        column = columns[:, k, None]
        term, error = _product(column, high[k][None, :])
        total, more = _sum(total, term)
        lost += more + (error + column * low[k][None, :])
    return total + lost
