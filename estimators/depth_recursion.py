"""The recursion of `theory.extrapolation_depth` in numbers: largest weighted means, and errors by kept predecessors.

Sums and products of nonnegative numbers only: relative rounding stays below `SLIP`, and results are raised by it.
"""

import math

import numpy as np
from jaxtyping import Float64, Int

Array = np.ndarray
SLIP = 1e-10
LARGEST_EXPONENT = 600.0  # e^-600 still is a float with all digits


def largest_means(
    bias: Float64[Array, "Q K"], logit_bound: float | Float64[Array, " Q"], errors: Float64[Array, " K"]
) -> Float64[Array, " Q"]:
    """LP of every query: max sum_k alpha_k e_k over alpha = softmax(s + b), |s_k| <= B, -infinity is no key.

    The best weights are u = e^(b+B) on the largest errors and l = e^(b-B) on the others (`theory.box_tilted`), so the
    largest of K ratios; ValueError where a query sees no key or numbers are not usable. B may differ by query.
    """
    b, e = np.asarray(bias, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    if not (np.isfinite(e).all() and (e >= 0).all()):
        raise ValueError("errors must be finite and nonnegative: pass upper bounds of norms")
    reach = np.broadcast_to(np.asarray(logit_bound, dtype=np.float64), b.shape[:1])[:, None]
    top = b.max(axis=1, keepdims=True)
    if not np.isfinite(top).all() or not (np.isfinite(reach).all() and (reach >= 0).all()):
        raise ValueError("every query needs a key with a finite bias, and a finite logit_bound >= 0: check the mask")
    order = np.argsort(-e, kind="stable")
    e = e[order]
    # Weights over e^(top + B): the heaviest is 1, so nothing overflows.
    high = np.exp(b[:, order] - top)
    low = high * np.exp(-2 * reach)
    raised, kept = _through(high), _after(low)
    moments = _through(high * e) + _after(low * e)
    masses = raised + kept
    # No key raised yet and all others below the floats: the next ratio is larger.
    return np.divide(moments, masses, out=np.zeros_like(moments), where=masses > 0).max(axis=1) * (1 + SLIP)


def _through(terms: Array) -> Array:
    """Sums over the first 1 .. K columns."""
    return np.cumsum(terms, axis=1)


def _after(terms: Array) -> Array:
    """Sums over the columns after the first 1 .. K: summed from the far end, not by difference."""
    sums = np.cumsum(terms[:, ::-1], axis=1)[:, ::-1]
    return np.concatenate([sums[:, 1:], np.zeros((terms.shape[0], 1))], axis=1)


def alibi_mass(slope: float, logit_bound: float, window: Int[Array, "*r"] | int) -> Float64[Array, "*r"]:
    """1/(1 + e^(-2B) (e^(mw) - 1)), whatever the length: `theory.extrapolation.alibi_tail_mass_any_length`."""
    if not (0 < slope < math.inf and 0 <= logit_bound < math.inf):
        raise ValueError(f"need slope > 0 and logit_bound >= 0, got {slope} and {logit_bound}: use slope=0.5")
    exponent = slope * np.asarray(window, dtype=np.float64)
    if float(np.max(exponent)) > LARGEST_EXPONENT:
        raise ValueError(f"weights e^-{float(np.max(exponent)):.0f} are no floats with all digits: use a smaller slope")
    far = np.exp(-exponent)
    return np.asarray(far / (far + np.exp(-2 * logit_bound) * -np.expm1(-exponent)))


def plain_errors(
    *,
    layers: int,
    kept: int,
    slope: float,
    logit_bound: float,
    value_norm: float,
    token_norm: float,
    layer_lipschitz: float = 1.0,
) -> Float64[Array, "layers kept"]:
    """Row l - 1: upper bounds of e_l(0) .. e_l(kept-1), l = 1 .. L, plain ALiBi layers, by the steps of `depth_step`.

    Sharper than the closed form: the weighted mean LP is the largest one, not that of e^(2B - mk).
    """
    if kept < 1:
        raise ValueError(f"kept must be at least 1, got {kept}: keep at least the token itself")
    fresh = 2 * value_norm * token_norm * alibi_mass(slope, logit_bound, np.arange(1, kept + 1))
    return _rows(layers, np.zeros(kept), fresh, slope, logit_bound, value_norm, layer_lipschitz)


def plain_gradients(
    *, layers: int, reach: int, slope: float, logit_bound: float, value_norm: float, layer_lipschitz: float = 1.0
) -> Float64[Array, "layers reach"]:
    """Row l - 1: upper bounds of |d x^l_i/d x^0_(i-D)|, D = 0 .. reach-1, plain ALiBi layers, whatever the length.

    The recursion of `plain_errors` with g_0(D) = 1 at D = 0, else 0, and nothing fresh: the keys nearer than D or at D
    carry g(D - k), those farther carry 0, which only dilutes.
    """
    if reach < 1:
        raise ValueError(f"reach must be at least 1, got {reach}: a token depends on itself")
    start = np.zeros(reach)
    start[0] = 1.0
    return _rows(layers, start, np.zeros(reach), slope, logit_bound, value_norm, layer_lipschitz)


def _rows(layers: int, errors: Array, fresh: Array, slope: float, B: float, nu: float, gain: float) -> Array:
    """The steps, from e_0 = `errors`."""
    if layers < 1:
        raise ValueError(f"layers must be at least 1, got {layers}: use layers=1")
    if not (0 <= nu < math.inf and 0 <= gain < math.inf and (fresh >= 0).all()):
        raise ValueError(f"norms and Lipschitz constants must be nonnegative, got {nu} and {gain}: pass upper bounds")
    alibi_mass(slope, B, errors.size)  # checks the numbers
    distances = np.subtract.outer(np.arange(errors.size), np.arange(errors.size))
    bias, rows = np.where(distances >= 0, -slope * distances, -np.inf), []
    for _ in range(layers):
        attended = largest_means(bias, B, errors)
        errors = gain * ((1 + nu * B) * errors + fresh + nu * (1 + 2 * B) * attended) * (1 + SLIP)
        rows.append(errors)
    return np.stack(rows)
