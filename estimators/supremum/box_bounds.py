"""Upper ends of h(S_eps(w)) on boxes of queries, for many sign vectors at once (dim w <= 4).

Upper end on a box with expansion point x in the ball, half-width r, rho = r sqrt(p), delta = w - x, unit read-out:
every w of the box inside the ball has |delta| <= rho (projection on a convex set is nonexpansive), and
  S(w) = S + J delta + Q[delta, delta]/2 + E3,  |E3| <= R rho^3,  R = sum_i D_v,i D_k,i^3 / 48,
because the third derivative of <u, a_i> along a unit direction is a fourth joint cumulant, at most
D_v D_k^3 / 8 (`theory.softmax.fourth_cumulant`). Alternatively |S(w) - S - J delta| <= H rho^2/2, with
H = sum_i D_v,i D_k,i^2/(6 sqrt3) (`third_cumulant`).
Writing s = S/|S|, g = J^T s, l = max <g, delta> over the box and the ball (the least of |g| rho, the box support
and the ball support B|g| - <g, x>), e = |Q| rho^2/2 + R rho^3, A = <s, Q> + J^T J/|S|:
  (1) |S(w)| <= |S| + |J| rho + min(e, H rho^2/2)
  (2) |S(w)| <= |S| + l + max(lambda_max(A), 0) rho^2/2 + R rho^3 + (2 |J| rho e + e^2)/(2 |S|)
  (3) |S(w)| <= sum_i max_j |v_ij|.
(2) is |S + Delta| <= |S| + <s, Delta> + |Delta|^2/(2|S|); it has no first-order term at an interior maximum and no
second-order one where the maximum is strict, so boxes do not cluster there. For the l1 read-out ball the maximum is
over coordinates, each with its own linear, quadratic and cubic terms.
"""

import itertools
from dataclasses import dataclass
from functools import partial, reduce
from operator import add

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

from estimators.attention import Head, cumulants, symmetric_pairs
from estimators.supremum.ascent import INSIDE
from estimators.supremum.readout import Ball


@dataclass(frozen=True)
class Remainders:
    """Constants of one head: each (d,) per value coordinate for the l1 ball, (1,) for the l2 ball."""

    second: np.ndarray
    third: np.ndarray
    largest: float
    rounding: float
    key_radius: float


def remainders(head: Head, ball: Ball, rounding: float) -> Remainders:
    """Sums over samples of the derivative bounds, inflated by 2^-40 for their own rounding.

    `rounding` bounds the floating-point error of |S_eps| at one query (`estimators.hypotheses`).
    """
    keys, values, _ = (np.asarray(array) for array in head)
    key_diameters = diameters(keys)
    spans = diameters(values)[:, None] if ball == "l2" else values.max(axis=1) - values.min(axis=1)
    norms = np.linalg.norm(values, axis=2).max(axis=1)
    tops = norms if ball == "l2" else np.abs(values).max(axis=(1, 2))
    inflate = 1 + 2.0**-40
    return Remainders(
        second=inflate * np.sum(spans * (key_diameters**2 / (6 * np.sqrt(3.0)))[:, None], axis=0),
        third=inflate * np.sum(spans * (key_diameters**3 / 48)[:, None], axis=0),
        largest=inflate * float(tops.sum()),
        rounding=rounding,
        key_radius=float(np.linalg.norm(keys, axis=2).max()),
    )


def diameters(points: Float64[np.ndarray, "n T p"]) -> Float64[np.ndarray, " n"]:
    """Largest distance between two tokens of each sample."""
    return np.array([np.sqrt(((one[:, None] - one[None]) ** 2).sum(-1)).max() for one in points])


def _total(terms):
    return reduce(add, terms)


def _top_eigenvalue(pairs, dim: int):
    """Upper bound of lambda_max of a symmetric matrix given as a list of scaled pairs; exact for dim <= 2.

    tr/dim + sqrt((dim-1)/dim |A - tr/dim I|_F^2), the deviation written without cancellation.
    """
    rows, columns, _ = symmetric_pairs(dim)
    diagonal = [pair for pair, row, column in zip(pairs, rows, columns, strict=True) if row == column]
    off = [pair**2 for pair, row, column in zip(pairs, rows, columns, strict=True) if row != column]
    gaps = [(a - b) ** 2 / dim for a, b in itertools.combinations(diagonal, 2)]
    trace = _total(diagonal) / dim
    return trace + jnp.sqrt((dim - 1) / dim * _total(off + gaps)) if dim > 1 else trace


def _linear(gradient, points, centres, half_width, rho, radius):
    """max <g, w - x> over the box and the ball; gradient: p arrays (m, k); points and centres (m, p)."""
    norm = jnp.sqrt(_total(part**2 for part in gradient))
    at_point = _total(part * points[:, b, None] for b, part in enumerate(gradient))
    moved = _total(part * (centres - points)[:, b, None] for b, part in enumerate(gradient))
    box = half_width * _total(jnp.abs(part) for part in gradient) + moved
    return jnp.minimum(jnp.minimum(norm * rho, box), radius * norm - at_point)


@partial(jax.jit, static_argnames="ball")
def box_bounds(head: Head, signs, points, centres, half_width, radius, second, third, largest, noise, ball: Ball):
    """Upper ends on every box (m, k) and values at its expansion point (m, k).

    Vector components are Python lists: dimensions are at most 4, and unrolled arithmetic compiles to one loop.
    """
    dim_value, dim = head.values.shape[-1], head.keys.shape[-1]
    boxes, pairs = len(points), dim * (dim + 1) // 2
    stacked = cumulants(head, points, 2).transpose(0, 2, 1).reshape(-1, signs.shape[1]) @ signs.T
    parts = list(stacked.reshape(-1, boxes, len(signs)))
    total, parts = parts[:dim_value], parts[dim_value:]
    jacobian = [parts[a * dim : (a + 1) * dim] for a in range(dim_value)]
    parts = parts[dim_value * dim :]
    quadratic = [parts[a * pairs : (a + 1) * pairs] for a in range(dim_value)]
    # Points are kept INSIDE the ball, hence the last term.
    rho = half_width * jnp.sqrt(1.0 * dim) * (1 + 2.0**-30) + 2 * (1 - INSIDE) * radius
    if ball == "l1":
        value, upper = reduce(jnp.maximum, [jnp.abs(part) for part in total]), -jnp.inf
        for a, sign in itertools.product(range(dim_value), (1.0, -1.0)):
            linear = _linear([sign * part for part in jacobian[a]], points, centres, half_width, rho, radius)
            bend = jnp.maximum(_top_eigenvalue([sign * part for part in quadratic[a]], dim), 0.0)
            curved = jnp.minimum(bend * rho**2 / 2 + third[a] * rho**3, second[a] * rho**2 / 2)
            upper = jnp.maximum(upper, sign * total[a] + linear + curved)
        return jnp.minimum(upper, largest), value
    value = jnp.sqrt(_total(part**2 for part in total))
    firm = value > noise  # s = S/|S| means nothing below the rounding error
    safe = jnp.where(firm, value, 1.0)
    products = [  # J^T J as scaled pairs
        scale * _total(row[b] * row[c] for row in jacobian) for b, c, scale in zip(*symmetric_pairs(dim), strict=True)
    ]
    operator = _root(products)  # |J|_op <= |J^T J|_F^(1/2)
    flattened = _root(
        scale * _total(x * y for x, y in zip(quadratic[a], quadratic[b], strict=True))
        for a, b, scale in zip(*symmetric_pairs(dim_value), strict=True)
    )
    cubic = third[0] * rho**3
    curved = flattened * rho**2 / 2 + cubic
    first = value + operator * rho + jnp.minimum(curved, second[0] * rho**2 / 2)
    direction = [part / safe for part in total]
    gradient = [_total(direction[a] * jacobian[a][b] for a in range(dim_value)) for b in range(dim)]
    form = [
        _total(direction[a] * quadratic[a][q] for a in range(dim_value)) + product / safe
        for q, product in enumerate(products)
    ]
    linear = _linear(gradient, points, centres, half_width, rho, radius)
    bend = jnp.maximum(_top_eigenvalue(form, dim), 0.0) * rho**2 / 2
    both = value + linear + bend + cubic + (2 * operator * rho * curved + curved**2) / (2 * safe)
    return jnp.minimum(jnp.minimum(first, jnp.where(firm & jnp.isfinite(both), both, jnp.inf)), largest), value


def _root(parts):
    return jnp.sqrt(jnp.sqrt(_total(part**2 for part in parts)))
