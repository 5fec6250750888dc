"""Finite and linear classes for the classical tools: complexities by enumeration of all signs, in float64.

R_hat = E sup (1/n) sum_i eps_i f(x_i): 1/n and no absolute value. A finite class is given by its values, `vectors`
(m, n).
"""

import math
from typing import Any

import numpy as np
from jaxtyping import Float

from estimators.claim import Measurement
from estimators.estimate import Estimate, exact
from estimators.sign_means import (
    ENUMERATED,
    EPS,
    all_signs,
    between,
    complexity,
    complexity_error,
    energy,
    euclidean,
    finite_array,
    gaussian_complexity,
)

GRADIENT = math.sqrt(2) / 4  # a softmax mean of readings of range D is this times D Lipschitz in the logits, l2
SMOOTH = 64 * EPS  # relative error of an exponential, a root and a short sum


def massart(*, vectors: Any) -> Measurement:
    """R_hat of a finite set; |A|, max |a|_2, n."""
    a = finite_array("vectors", vectors, 2)
    found = exact(float(complexity(a)), complexity_error(a), ENUMERATED)
    words = {"set_size": len(a), "set_radius": euclidean(a, a.shape[1]), "sample_size": a.shape[1]}
    return Measurement(found, words)


def bent(
    t: Float[np.ndarray, "*sets m n"], knots: Float[np.ndarray, " k"], slopes: Float[np.ndarray, "*sets n pieces"]
) -> Float[np.ndarray, "*sets m n"]:
    """phi_i(t), 0 at 0: piecewise linear with kinks at the sorted `knots` and slope slopes[i, p] on piece p."""
    rows = slopes[..., None, :, :]
    bends = np.maximum(t[..., None] - knots, 0) - np.maximum(-knots, 0)
    return rows[..., 0] * t + (np.diff(rows, axis=-1) * bends).sum(axis=-1)


def scalar_contraction(*, vectors: Any, knots: Any, slopes: Any) -> Measurement:
    """R_hat of phi o A; L = max |slopes| and R_hat of A. phi_i as in `bent`: slopes (n, k + 1), knots (k,)."""
    a, kinks = finite_array("vectors", vectors, 2), np.sort(finite_array("knots", knots, 1))
    steep = finite_array("slopes", slopes, 2)
    if steep.shape != (a.shape[1], len(kinks) + 1):
        wanted = (a.shape[1], len(kinks) + 1)
        raise ValueError(f"slopes must have shape {wanted}, got {steep.shape}: one row per sample, one more than knots")
    image, lipschitz = bent(a, kinks, steep), float(np.abs(steep).max())
    inner = between(float(complexity(a)), complexity_error(a))
    if lipschitz == 0 or inner[0] == 0:
        raise ValueError("the set or its image is one point, which has complexity 0: move a vector or a slope")
    size = lipschitz * (np.abs(a).max() + np.abs(kinks).max())
    error = complexity_error(image) + 8 * EPS * (len(kinks) + 1) ** 2 * size
    found = exact(float(complexity(image)), error, ENUMERATED)
    return Measurement(found, {"lipschitz": lipschitz, "inner_complexity": inner})


def attended(logits: Float[np.ndarray, "*m n T"], values: Float[np.ndarray, "*m n T"]) -> Float[np.ndarray, "*m n"]:
    """Softmax means of the values."""
    grown = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (grown * values).sum(axis=-1) / grown.sum(axis=-1)


def vector_contraction(*, vectors: Any, centres: Any, values: Any, gain: float) -> Measurement:
    """R_hat of h_i(s) = gain |s - c_i|_2 + softmax(s) . v_i on `vectors` (m, n, k); c and v are (n, k).

    L = |gain| + (sqrt2/4) max_i range(v_i); inner complexity with a sign for each sample and coordinate.
    """
    s = finite_array("vectors", vectors, 3)
    c, v = finite_array("centres", centres, 2), finite_array("values", values, 2)
    if c.shape != s.shape[1:] or v.shape != s.shape[1:]:
        raise ValueError(f"centres and values must have the shape {s.shape[1:]} of a vector: {c.shape} and {v.shape}")
    image = gain * np.linalg.norm(s - c, axis=-1) + attended(s, np.broadcast_to(v, s.shape))
    size = abs(gain) * float(np.linalg.norm(np.abs(s) + np.abs(c), axis=-1).max()) + float(np.abs(v).max())
    error = complexity_error(image) + SMOOTH * s.shape[2] * size * (1 + float(np.abs(s).max()))
    lipschitz = abs(gain) + GRADIENT * float(np.ptp(v, axis=1).max())
    flat = s.reshape(len(s), -1)
    inner = between(float(complexity(flat)) * s.shape[2], complexity_error(flat) * s.shape[2])
    words = {"lipschitz": between(lipschitz, 4 * EPS * lipschitz), "inner_complexity": inner}
    return Measurement(exact(float(complexity(image)), error, ENUMERATED), words)


def shared_sign_mean(vectors: Float[np.ndarray, "*sets m n k"]) -> Float[np.ndarray, "*sets"]:
    """E sup_f |(1/n) sum_i eps_i f(x_i)|_2, one sign per sample."""
    n = vectors.shape[-2]
    sums = np.einsum("en,...mnk->...mek", all_signs(n), vectors)
    return np.asarray(np.linalg.norm(sums, axis=-1).max(axis=-2).mean(axis=-1) / n)


def logits_of(
    keys: Float[np.ndarray, "*sets n T d"], weights: Float[np.ndarray, "m d"]
) -> Float[np.ndarray, "*sets m n T"]:
    """<w, k_ij> for every w."""
    return np.moveaxis(keys @ weights.T, -1, -3)


def attention_with_shared_signs(*, keys: Any, weights: Any, bias: Any, values: Any) -> Measurement:
    """R_hat of w -> softmax_j(<w, k_ij> + b_ij) . v_i on the `weights` (m, d); keys (n, T, d), bias and values (n, T).

    L = (sqrt2/4) max_i range(v_i); the misused inner complexity of the logits has one sign per sample.
    """
    k, w = finite_array("keys", keys, 3), finite_array("weights", weights, 2)
    b, v = finite_array("bias", bias, 2), finite_array("values", values, 2)
    if b.shape != k.shape[:2] or v.shape != k.shape[:2] or w.shape[1] != k.shape[2]:
        raise ValueError(f"keys are (n, T, d), bias and values (n, T), weights (m, d): {k.shape}, {b.shape}, {w.shape}")
    s = logits_of(k, w)
    image = attended(s + b, np.broadcast_to(v, s.shape))
    size = float((np.abs(w) @ np.abs(k).max(axis=(0, 1))).max())
    error = complexity_error(image) + SMOOTH * sum(k.shape[1:]) * float(np.abs(v).max()) * (1 + size + np.abs(b).max())
    lipschitz, shared = GRADIENT * float(np.ptp(v, axis=1).max()), float(shared_sign_mean(s))
    words = {
        "lipschitz": between(lipschitz, 4 * EPS * lipschitz),
        "inner_complexity": between(shared, EPS * (sum(k.shape) + 8) * math.sqrt(k.shape[1]) * size),
    }
    return Measurement(exact(float(complexity(image)), error, ENUMERATED), words)


def offset_contraction(*, vectors: Any, slope: float) -> Measurement:
    """E max_a (1/n) sum_i [eps_i phi(a_i) - phi(a_i)^2] for phi(t) = slope t, and the same without phi; 0 is in A."""
    a = np.concatenate([finite_array("vectors", vectors, 2), np.zeros((1, np.shape(vectors)[1]))])

    def mean(t: np.ndarray) -> float:
        return float((t @ all_signs(t.shape[1]).T - (t**2).sum(axis=1, keepdims=True)).max(axis=0).mean()) / t.shape[1]

    size = float(np.abs(a).max())
    errors = [EPS * (a.shape[1] + 16) * (x + x**2) for x in (abs(slope) * size, size)]
    words = {"lipschitz": abs(slope), "inner_complexity": between(mean(a), errors[1])}
    return Measurement(exact(mean(slope * a), errors[0], ENUMERATED), words)


def _sums(features: Any) -> tuple[np.ndarray, np.ndarray, float]:
    """x (n, d), sum_i eps_i x_i for all signs, and the rounding error of its coordinates."""
    x = finite_array("features", features, 2)
    return x, all_signs(len(x)) @ x, EPS * (len(x) + 2) * float(np.abs(x).sum(axis=0).max())


def linear_l2(*, features: Any, radius: float, words: tuple[str, ...]) -> Measurement:
    """R_hat of {x -> <w, x>: |w|_2 <= B}, B = |radius|, `features` (n, d).

    For every sign vector S = sum eps_i x_i: <w, S> at w = B S/|S| is a lower end of the supremum, and by duality
    (mu B^2 + |S|^2/mu)/2 is an upper end for every mu > 0. words: symbols wanted. sign_sum_norm is one number, for an
    equality; the interval of R_hat is wide enough for its rounding error too.
    """
    x, sums, error = _sums(features)
    n, d = x.shape
    b, sizes = abs(radius), np.linalg.norm(sums, axis=1)
    if b == 0 or not x.any():
        raise ValueError("the class is {0}: make the radius and a feature nonzero")
    lengths = np.maximum(sizes, np.finfo(float).tiny)
    primal = b * float(((sums / lengths[:, None]) * sums).sum(axis=1).mean()) / n
    mu = lengths / b
    dual = float(((mu * b**2 + sizes**2 / mu) / 2).mean()) / n
    slack = 2 * b / n * (error * math.sqrt(d) + EPS * (d + 16) * float(sizes.max()))
    top = float(np.linalg.norm(x, 2)) * b / math.sqrt(n)
    known = {
        "parameter_norm": b,
        "sample_size": n,
        "parameter_count": d,
        "sign_sum_norm": float(sizes.mean()),
        "feature_energy": energy(x),
        "class_radius": between(top, EPS * 8 * (n + d) * top),
    }
    found = Estimate(primal - slack, dual + slack, 1.0, ENUMERATED)
    return Measurement(found, {word: known[word] for word in words})


def linear_l1(*, features: Any, radius: float, words: tuple[str, ...]) -> Measurement:
    """R_hat of {x -> <w, x>: |w|_1 <= B}: the finite class of the 2d corners +-B e_k.

    words: symbols wanted. sign_sum_maximum is one number, for an equality; R_hat is wide enough for its rounding too.
    """
    x, sums, error = _sums(features)
    n, d = x.shape
    b = abs(radius)
    if b == 0 or not x.any():
        raise ValueError("the class is {0}: make the radius and a feature nonzero")
    corners, most = b * np.concatenate([x.T, -x.T]), np.abs(sums).max(axis=1)
    known = {
        "parameter_norm": b,
        "sample_size": n,
        "dim": d,
        "sign_sum_maximum": float(most.mean()),
        "column_norm": euclidean(x.T, n),
    }
    slack = complexity_error(corners) + b / n * (error + 16 * EPS * float(most.max()))
    found = exact(float(complexity(corners)), slack, ENUMERATED)
    return Measurement(found, {word: known[word] for word in words})


def rademacher_and_gaussian(*, vectors: Any, seed: int = 0, words: tuple[str, ...]) -> Measurement:
    """words = ("gaussian_complexity",): R_hat, compared with G_hat; ("rademacher_complexity", "sample_size"): G_hat."""
    a = finite_array("vectors", vectors, 2)
    if (a == a[0]).all():
        raise ValueError("the set is one point, which has complexity 0: move a vector")
    signs = exact(float(complexity(a)), complexity_error(a), ENUMERATED)
    normal = gaussian_complexity(a, seed)
    known = {
        "gaussian_complexity": (normal.lower, normal.upper),
        "rademacher_complexity": (max(signs.lower, 0.0), signs.upper),
        "sample_size": a.shape[1],
    }
    found = signs if "gaussian_complexity" in words else normal
    method = f"{signs.method}; {normal.method}"
    return Measurement(
        Estimate(found.lower, found.upper, normal.confidence, method), {word: known[word] for word in words}
    )
