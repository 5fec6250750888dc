"""One bilinear head with everything below it frozen: E sup_W |sum_i eps_i sum_j softmax_j(q_i^T W k_ij + b_j) v_ij|_2
over |W|_F <= radius, from above, with probability at least 1 - failure. Not divided by n.
"""

import numpy as np
from jaxtyping import Float64

from estimators.hypotheses import power_of_two
from estimators.supremum.centred import centre
from estimators.supremum.certificates import INFLATION, UNIT
from estimators.supremum.expected import expected
from estimators.supremum.portfolio import Portfolio
from estimators.transformer import LastHead


def head_upper(
    head: LastHead,
    bias: Float64[np.ndarray, " T"],
    radius: float,
    failure: float,
    seed: int,
    signs: Float64[np.ndarray, "k n"] | None,
) -> float:
    """Least of the trivial bound, U9, U10 and U11 for one head with bias (T,).

    Certain if `signs` are all sign classes; None for a mean over random signs.
    Queries, keys and values are divided by powers of two, which is exact, so no power of them overflows. Rounding as in
    `AbstractHeadHypotheses.rounding`: sums of n T products, softmax of T logits, each of dot products of d terms.
    """
    seen = np.isfinite(bias)
    arrays = [np.asarray(head.queries), np.asarray(head.keys)[:, seen], np.asarray(head.values)[:, seen]]
    units = [power_of_two(array) for array in arrays]
    queries, keys, values = (array / unit for array, unit in zip(arrays, units, strict=True))
    bias, radius = bias[seen] - bias[seen].max(), radius * units[0] * units[1]
    n, length, dim = values.shape
    logit = radius * float((np.linalg.norm(queries, axis=1) * np.linalg.norm(keys, axis=2).max(axis=1)).max())
    sizes = float(np.linalg.norm(values, axis=2).max(axis=1).sum())
    error = UNIT * (2 * n * length + 20 + 4 * (2 * dim + 3) * (logit + float(np.abs(bias).max()))) * sizes
    centred, uppers = centre(keys, values, bias, queries), [np.inf]
    portfolio = Portfolio(centred, failure=0.0 if signs is not None else failure / 2, seed=seed)
    uppers += expected(portfolio, radius, failure=failure / 2, seed=seed, signs=signs).uppers.values()
    # Means of values never exceed the largest, whatever rounding does to logits.
    return min(min(uppers) + error, sizes) * units[2] * INFLATION
