"""Upper certificates for two attention layers with residuals: the least of U1, U12 (PATH) and U13 (DPB).

E_eps sup_theta sum_i eps_i f_theta(X_i), not divided by n, for the class of `two_layers_paths` with the unit read-out
ball: values are tokens, one head, no MLP, no normalisation, any norms of tokens, any bias with -infinity for masks.
All values are deterministic: E|sum eps_i c_i| is replaced by (sum |c_i|^2)^(1/2) unless the caller knows better.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from estimators.supremum.two_layers_paths import INFLATION, Radii, geometry, paths
from estimators.supremum.two_layers_semigroup import semigroup


@dataclass(frozen=True)
class TwoLayerUpper:
    """value: the certified upper bound; certificate: which one gave it; parts: every term, by certificate/term."""

    value: float
    certificate: str
    parts: dict[str, float]


def _pair(name: str, value: float | tuple[float, float]) -> tuple[float, float]:
    first, second = (float(value), float(value)) if isinstance(value, int | float) else value
    if not (0 <= first < np.inf and 0 <= second < np.inf):
        raise ValueError(f"{name} is the radius of a ball, got {value}: use finite numbers of at least 0")
    return float(first), float(second)


def two_layers(
    tokens: Float64[np.ndarray, "n T d"],
    bias: Float64[np.ndarray, "T T"],
    nu: float | tuple[float, float],
    om: float | tuple[float, float],
    attention_upper: Callable[[float], float],
    *,
    frozen: float | None = None,
    twice: float | None = None,
    slope: float | None = None,
) -> TwoLayerUpper:
    """Least of U1, U12 and U13 for |V_l|_F <= nu, |W_l|_F <= om (a pair gives each layer its own radius).

    attention_upper(radius): an upper bound of E sup_{|W|_F <= radius} |sum_i eps_i a_i(W)|_2 for the bilinear one-layer
    class at the last position, keys and values the tokens, bias its last row. Optional certified upper bounds:
    frozen of E|sum eps x_iT|, twice of E|sum_i eps_i sum_s pi_Ts xbar_is|, slope of E|sum eps_i J_i|_op,
    J_i = sum_s pi_Ts Cov_pi_s(x, x_s (x) x) flattened to d x d^2; the least of each and its deterministic bound is
    used. U1 = E|S_0| + nu1 Att(om1) + nu2 (1 + nu1) sum_i r_i, r_i the largest token norm: |h| <= max_s |x'_s|.
    Rounding: relative 1e-9 and 1e-13 (T + d + max|b|) of the trivial bound are added.
    """
    tokens, bias = np.asarray(tokens, dtype=np.float64), np.asarray(bias, dtype=np.float64)
    if tokens.ndim != 3 or bias.shape != (tokens.shape[1],) * 2:
        raise ValueError(f"tokens {tokens.shape} and bias {bias.shape} must be (n, T, d) and (T, T): stack the rows")
    if not np.isfinite(tokens).all() or np.isnan(bias).any() or np.any(bias == np.inf):
        raise ValueError("tokens must be finite and biases finite or -infinity: remove or mask the position")
    largest = float(np.abs(tokens).max())
    # A power of two: the class with tokens x/s, W s^2 and outputs f/s is the same, and no power overflows.
    unit = float(np.ldexp(1.0, int(np.frexp(largest)[1]))) if largest > 0 else 1.0
    (nu1, nu2), (om1, om2) = _pair("nu", nu), _pair("om", om)
    radii = Radii(nu1, nu2, om1 * unit**2, om2 * unit**2)
    if not np.isfinite(radii).all():
        raise ValueError(f"om times the squared token size overflows ({om}, {unit}): rescale the tokens")
    shape = geometry(tokens / unit, bias)

    def least(given: float | None, energy, power: int = 1) -> float:
        own = float(np.sqrt(np.sum(energy**2))) * INFLATION
        return own if given is None else min(own, float(given) / unit**power)

    start = least(frozen, shape.last)
    heads = (_head(attention_upper, om1, shape.size, unit), _head(attention_upper, om2, shape.size, unit))
    by_paths = paths(shape, radii, start, heads, least(twice, shape.twice), least(slope, shape.slope, 3))
    by_noise = semigroup(shape, radii, start, heads[0])
    everything = float(np.sum(shape.last) + (nu1 + nu2 * (1 + nu1)) * np.sum(shape.size))
    split = start + nu1 * heads[0] + nu2 * (1 + nu1) * float(np.sum(shape.size))
    found = {"U1-trivial": min(everything, split), "U12-paths": by_paths["total"], "U13-semigroup": by_noise["total"]}
    finite = np.abs(bias[np.isfinite(bias)]).max()
    slack = 1e-13 * (sum(tokens.shape[1:]) + float(finite)) * everything
    found = {name: unit * (value * (1 + 1e-9) + slack) for name, value in found.items()}
    winner = min(found, key=lambda name: found[name])
    parts = found | {f"U12-paths/{name}": unit * part for name, part in by_paths.items()}
    parts |= {f"U13-semigroup/{name}": unit * part for name, part in by_noise.items()}
    return TwoLayerUpper(found[winner], winner, parts)


def _head(attention_upper: Callable[[float], float], radius: float, sizes, unit: float) -> float:
    """Att(radius) in units of the scaled tokens, clipped to its trivial bound."""
    value = float(attention_upper(radius)) / unit
    if not value >= 0:
        raise ValueError(f"attention_upper({radius}) returned {value}: it must return an upper bound of a supremum")
    return min(value, float(np.sum(sizes)))
