"""U12 (PATH): paths through two attention layers with residuals, subtracted exactly; the rest by comparison.

Class, for tokens x (T, d) of one sample, read at the last position T, any bias b (T, T), -infinity for a mask:
  g_s = Att_s(W1; x) = sum_j softmax_j(x_s^T W1 x_j + b_sj) x_j,   x'_s = x_s + V1 g_s,
  f = <u, x'_T + V2 h>,   h = sum_s alpha_s x'_s,   alpha = softmax_s(x'_T^T W2 x'_s + b_Ts),
  |u| <= 1, |V_l|_F <= nu_l, |W_l|_F <= om_l.
Reduction, exact: with c = V1^T u, y = V2^T u, z = V1^T y (norms nu1, nu2, nu1 nu2)
  f = <u, x_T> + <c, g_T> + <y, sum alpha_s x_s> + <z, sum alpha_s g_s>.
Written alpha0 for alpha at V1 = 0, pi for softmax(b) by rows and xbar_s = sum_j pi_sj x_j, the paths are <u, x_T>,
<c, g_T>, <y, sum alpha0_s x_s> (two one-layer heads) and <z, sum_s pi_Ts xbar_s>. What is left is
  R1 = <y, sum (alpha_s - alpha0_s) x_s>,   R2 = <z, sum alpha_s g_s - sum pi_Ts xbar_s [- linear part]>,
where the linear part in W1, sum_s pi_Ts Cov_pi_s(x, x_s^T W1 x), may be subtracted too at its own cost.

Theorem (derived in this project). E sup sum_i eps_i f_i <= E|S_0| + nu1 Att(om1) + nu2 Att(om2)
  + nu1 nu2 E|sum eps xbarbar| + min{ F(R), F(R - linear) + nu1 nu2 om1 E|sum eps J|_op, sum_i sup|R_i| },
F = sqrt(pi/2) (sum_b (Lam_b R_b m_b)^(2/3))^(3/2) (`theory.widths`) over the blocks y, z, V1, W1, W2, which are taken
as free: y and z are functions of u, V1, V2, and freeing them only enlarges the class. Here E|sum eps c_i| <=
(sum |c_i|^2)^(1/2), |J|_op <= |J|_F, and Lam_b^2 = sum_i sup |d R_i / d b|^2, with per sample r >= |x_s|, q = |x_T|,
D >= diam x, D_g >= diam g, all sums over the tokens that the last row sees directly or through another row:
  s1 = D tanh(om1 r D/4) >= |g_s - xbar_s|,  D_g = min(D, diam xbar + 2 s1),  t = q + nu1 r >= |x'_T|,
  e = om2 nu1 (r D + t D_g) >= range of the logit change,  l2 = om2 t (D + nu1 D_g) >= range of content logits,
  c1 = r D^2/4 >= |dg_s/dW1|,  v = om2 (r (D + nu1 D_g) + t D_g),  w = om2 nu1 c1 (D + nu1 D_g + 2 t);
  y:  D tanh(e/4)                                    z:  D_g tanh(l2/4) + s1   [D (om1 r D)^2/(12 sqrt3) for s1]
  V1: (nu2 D + nu1 nu2 D_g) v/4                      W1: (nu2 D + nu1 nu2 D_g) w/4 + nu1 nu2 c1
                                                         [c1 -> 2 c1 tanh(l2/4) + om1 r^2 D^3/8]
  W2: nu2 (D nu1 (r D + t D_g)/4 + q D^2 min(e/8, 1/2)) + nu1 nu2 D_g t (D + nu1 D_g)/4.
Proof. Means change by diameter times tanh(osc/4); |Cov(y, t)| <= D_y D_t/4; a second derivative along one direction is
at most D_y D_t^2/(6 sqrt3) (all in `theory.softmax`). A mixed one, |E y~ t~ s~|, is at most D_y D_t D_s/8: Hoelder and
E|y~|^3 <= p(1-p)(1-2p(1-p)) D_y^3 <= D_y^3/8 (convexity: two end points). It is sharp: three +-1/2 readings, uniform
on the four points with product +1/8; so D_y D_t D_s/(6 sqrt3) is false for mixed derivatives. V1: the logit moves by
(dV g_T)^T W2 x'_s + x'_T^T W2 dV g_s, range v|dV|. W1: dg_s = Cov(x, x_s^T dW x) <= c1, so |dg_s - dg_s'| <= 2 c1, and
the logit moves by (V1 dg_T)^T W2 x'_s + x'_T^T W2 V1 dg_s, range w|dW|. W2: Cov_alpha(y, x'_T dW x'_s) -
Cov_alpha0(y, x_T dW x_s) is a covariance with the range nu1 (r D + t D_g) plus a difference of covariances along a
path of range e. The parameter set is convex, so increments are bounded by gradients. Norms of tokens are arbitrary.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from theory.widths import gaussian_norm_mean

UNIT = 2.0**-52
# Sums of terms of one sign: far above their relative rounding error.
INFLATION = 1 + 1e-10


class Radii(NamedTuple):
    """Frobenius radii: values nu1, nu2 of V1, V2 and logits om1, om2 of W1, W2."""

    nu1: float
    nu2: float
    om1: float
    om2: float


class Geometry(NamedTuple):
    """What the certificates read off one sample set; `size` r, `last` q, `diameter` D, `spread` diam xbar, all (n,)."""

    tokens: Float64[np.ndarray, "n T d"]
    query: Float64[np.ndarray, "n d"]
    size: Float64[np.ndarray, " n"]
    smallest: Float64[np.ndarray, " n"]
    last: Float64[np.ndarray, " n"]
    diameter: Float64[np.ndarray, " n"]
    spread: Float64[np.ndarray, " n"]
    twice: Float64[np.ndarray, " n"]
    slope: Float64[np.ndarray, " n"]
    others: Float64[np.ndarray, " T"]
    weights: Float64[np.ndarray, " T"]
    least_product: Float64[np.ndarray, " n"]


def softmax_rows(bias: Float64[np.ndarray, "S T"]) -> Float64[np.ndarray, "S T"]:
    """softmax along the last axis; -infinity gives weight 0."""
    weights = np.exp(bias - bias.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def geometry(tokens: Float64[np.ndarray, "n T d"], bias: Float64[np.ndarray, "T T"]) -> Geometry:
    """Drop what the last position never sees, and measure the rest.

    others: log((1 - pi_Ts)/pi_Ts). least_product: min <x_j, x_k>. twice: |sum_s pi_Ts xbar_s|. slope: |J|_F of
    J = sum_s pi_Ts Cov_pi_s(x, x_s (x) x). Rounded up by a few units in the last place of the token norms.
    """
    rows = np.flatnonzero(np.isfinite(bias[-1]))
    if not len(rows) or not np.isfinite(bias[rows]).any(axis=1).all():
        raise ValueError("a position that is read sees no token: give every such row of the bias a finite entry")
    seen = np.flatnonzero(np.isfinite(bias[rows]).any(axis=0) | np.isin(np.arange(len(bias)), rows))
    place = np.searchsorted(seen, rows)
    averaged, query = tokens[:, seen], tokens[:, -1]
    error = UNIT * (4 * (tokens.shape[2] + tokens.shape[1]) + 8 * _largest_finite(bias[rows]))
    norms = np.linalg.norm(averaged, axis=2)
    last = np.linalg.norm(query, axis=1)
    size = np.maximum(norms.max(axis=1), last) * INFLATION
    smallest = norms.min(axis=1) * (1 - 1e-10)
    weights = np.zeros(len(seen))
    weights[place] = softmax_rows(bias[-1:, rows])[0]
    others = np.full(len(seen), np.inf)
    for row in rows:
        rest = np.delete(bias[-1, rows], np.searchsorted(rows, row))
        top = rest.max(initial=-np.inf)
        total = top + np.log(np.sum(np.exp(rest - top))) if len(rest) else -np.inf
        others[np.searchsorted(seen, row)] = total - bias[-1, row]
    by_row = softmax_rows(bias[np.ix_(rows, seen)])
    means = np.einsum("st,ntd->nsd", by_row, averaged)
    diameter, least, slope = np.empty(len(tokens)), np.empty(len(tokens)), np.empty(len(tokens))
    spread = np.empty(len(tokens))
    for i, x in enumerate(averaged):
        products = x @ x.T
        least[i] = products.min()
        diameter[i] = _diameter(x)
        spread[i] = _diameter(means[i])
        centred = x[None] - means[i][:, None]
        covariances = np.einsum("st,stc,std->scd", by_row, centred, centred)
        carried = weights[place, None] * x[place]
        flat = covariances.reshape(len(rows), -1)
        slope[i] = np.sqrt(max(np.sum((carried @ carried.T) * (flat @ flat.T)), 0.0))
    grown = error * size
    return Geometry(
        tokens=averaged,
        query=query,
        size=size,
        smallest=smallest,
        last=last * INFLATION,
        diameter=diameter * INFLATION + 2 * grown,
        spread=spread * INFLATION + 2 * grown,
        twice=np.linalg.norm(np.einsum("s,nsd->nd", weights[place], means), axis=1) * INFLATION + 2 * grown,
        slope=slope * INFLATION + np.sqrt(error * sum(tokens.shape[1:])) * size * diameter**2 + 16 * grown * size**2,
        others=others,
        weights=weights,
        least_product=least - grown * size,
    )


def _largest_finite(bias) -> float:
    return float(np.abs(bias[np.isfinite(bias)]).max())


def _diameter(points) -> float:
    """Largest distance, from differences: products would cancel for nearly equal points."""
    return max(float(np.linalg.norm(points - one, axis=1).max()) for one in points)


def norm_mean(dimension: int) -> float:
    """m_d = E|g|_2 rounded up; sqrt(d) where the gamma functions would lose digits."""
    return float(gaussian_norm_mean(dimension).evalf(17)) * (1 + 1e-14) if dimension <= 10**6 else np.sqrt(dimension)


def comparison(blocks: list[tuple[float, float, float]]) -> float:
    """sqrt(pi/2) (sum_b (Lam_b R_b m_b)^(2/3))^(3/2) of triples (Lam, radius, m): `theory.widths.sudakov_fernique`."""
    total = sum((aggregate * radius * width) ** (2 / 3) for aggregate, radius, width in blocks)
    return float(np.sqrt(np.pi / 2) * total**1.5)


def remainder_gradients(shape: Geometry, radii: Radii, linear: bool) -> dict[str, Float64[np.ndarray, " n"]]:
    """Per sample, sup |d(R1 + R2)/d block| for the blocks y, z, V1, W1, W2; `linear`: linear part subtracted."""
    nu1, nu2, om1, om2 = radii
    r, q, D = shape.size, shape.last, shape.diameter
    shift = D * np.tanh(om1 * r * D / 4)
    D_g = np.minimum(D, shape.spread + 2 * shift)
    t = q + nu1 * r
    change = om2 * nu1 * (r * D + t * D_g)
    content = np.tanh(om2 * t * (D + nu1 * D_g) / 4)
    c1 = r * D**2 / 4
    by_value = om2 * (r * (D + nu1 * D_g) + t * D_g)
    by_logit = om2 * nu1 * c1 * (D + nu1 * D_g + 2 * t)
    both = (nu2 * D + nu1 * nu2 * D_g) / 4
    direct = np.minimum(2 * c1, 2 * c1 * content + om1 * r**2 * D**3 / 8) if linear else c1
    return {
        "y": D * np.tanh(change / 4),
        "z": D_g * content + (D * (om1 * r * D) ** 2 / (12 * np.sqrt(3.0)) if linear else shift),
        "V1": both * by_value,
        "W1": both * by_logit + nu1 * nu2 * direct,
        "W2": nu2 * (D * nu1 * (r * D + t * D_g) / 4 + q * D**2 * np.minimum(change / 8, 0.5))
        + nu1 * nu2 * D_g * t * (D + nu1 * D_g) / 4,
    }


def paths(
    shape: Geometry, radii: Radii, frozen: float, heads: tuple[float, float], twice: float, slope: float
) -> dict[str, float]:
    """U12 with its parts. frozen >= E|S_0|, heads >= Att(om1), Att(om2), twice and slope >= the expectations above."""
    nu1, nu2, om1, _ = radii
    dim = shape.tokens.shape[2]
    vector, matrix = norm_mean(dim), norm_mean(dim**2)
    widths = {
        "y": nu2 * vector,
        "z": nu1 * nu2 * vector,
        "V1": nu1 * matrix,
        "W1": om1 * matrix,
        "W2": radii.om2 * matrix,
    }
    values = []
    for linear, extra in ((False, 0.0), (True, nu1 * nu2 * om1 * slope)):
        gradients = remainder_gradients(shape, radii, linear)
        blocks = [(float(np.linalg.norm(gradients[name])), 1.0, width) for name, width in widths.items()]
        largest = float(np.sum(nu2 * gradients["y"] + nu1 * nu2 * gradients["z"]))
        values.append(min(comparison(blocks), largest) + extra)
    parts = {
        "frozen": frozen,
        "heads": nu1 * heads[0] + nu2 * heads[1],
        "twice": nu1 * nu2 * twice,
        "remainder": min(values),
    }
    return parts | {"total": float(sum(parts.values()))}
