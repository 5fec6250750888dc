"""Classes whose complexity is a sum over sign vectors, and norms of encodings: exact, by enumeration or quadrature.

linear      {x -> <w, x>: |w|_2 <= 1} on features x_i + p(i), i = 0 .. n-1: R_hat = E|sum eps_i (x_i + p(i))|/n
relaxation  R_box = E sup_u (1/n) sum_i max_{a in P_i} eps_i <u, a>, |u|_1 <= readout_norm, every output of a head
            free in its own polytope P_i of weighted means with logits |<w, k_ij>| <= logit_norm |k_ij|
patterns    finite classes with values -1 and 1 on n points of a line, of known VC dimension
"""

import math
from typing import Any

import numpy as np
import sympy as sp
from jaxtyping import Float64

from estimators.claim import Measurement
from estimators.class_brackets import head_class, quotient, relative
from estimators.estimate import Estimate, exact
from estimators.feature_forms import additive_form
from estimators.features import additive_table
from estimators.signs import all_sign_classes
from estimators.supremum.certificates import UNIT, box_tilted_support
from theory.encodings import parse
from theory.encodings.base import AbstractAdditiveEncoding

METHOD = "all sign classes"
MOST_COMBINATIONS = 10**6


def features(tokens: Any, encoding: str, power: float | None) -> Float64[np.ndarray, "n d"]:
    """x_i + p(i) with the table scaled to mean power `power`, None for not scaled."""
    x = np.asarray(tokens, dtype=np.float64)
    if x.ndim != 2 or x.size == 0 or not np.isfinite(x).all():
        raise ValueError(f"tokens must be a finite n x d array, got shape {x.shape}: pass one row per sample")
    made = parse(encoding, dim=x.shape[1], train_length=max(len(x), 2))
    if not isinstance(made, AbstractAdditiveEncoding):
        return x
    return x + np.asarray(additive_table(made, len(x), power=power))


def scaled_complexity(x: Float64[np.ndarray, "n d"]) -> Estimate:
    """sqrt(n) R_hat/B = E|sum eps_i x_i|/sqrt(n)."""
    root = math.sqrt(len(x))
    value = float(np.linalg.norm(all_sign_classes(len(x)) @ x, axis=1).mean()) / root
    rounding = UNIT * (sum(x.shape) + 8) * float(np.linalg.norm(x, axis=1).sum()) / root
    return exact(value, rounding, METHOD)


def linear_class(*, tokens: Any, encoding: str = "none", power: float = 1.0) -> Measurement:
    """sqrt(n) R_hat/B and the mean power."""
    x = features(tokens, encoding, power)
    parameters = {"mean_power": relative(float((x**2).sum()) / len(x))}
    return Measurement(scaled_complexity(x), parameters, encoding)


def equal_power(*, tokens: Any, others: Any, encodings: list[str], power: float = 1.0) -> Measurement:
    """R_hat/R_hat' of two linear classes whose features are scaled to mean power 1."""
    found = []
    for given, encoding in zip((tokens, others), encodings, strict=True):
        x = features(given, encoding, power)
        size = math.sqrt(float((x**2).sum()) / len(x))
        if size == 0:
            raise ValueError("all features are 0 and have no power: move a token")
        found.append(scaled_complexity(x / size))
    return Measurement(quotient(*found), {}, " / ".join(encodings))


def rank_one(*, code: list[float], flips: list[int]) -> Measurement:
    """The linear class on features +-p, p = `code`, with the signs `flips`, none of them 0."""
    if 0 in flips:
        raise ValueError("flips are the signs of the codes: use 1 and -1")
    if not np.isfinite(code).all():
        raise ValueError(f"the code must be finite, got {code}: leave out the channels that are not")
    x = np.sign(flips)[:, None] * np.asarray(code, dtype=np.float64)
    value = scaled_complexity(x)
    # The word is a number, so its rounding belongs to the estimate.
    estimate = exact(value.lower / 2 + value.upper / 2, value.width + 1e-13 * value.upper, METHOD)
    return Measurement(estimate, {"mean_power": float((x[0] ** 2).sum()), "sample_size": len(x)})


def norm_order(*, encodings: list[str], dim: int, length: int) -> Measurement:
    """sqrt(n) (R_hat - R_hat') of the linear classes on two codes, unscaled, n = `length`, the one of smaller largest
    norm first; the two largest norms are upper bounds of sqrt(n) R_hat."""
    codes = [features(np.zeros((length, dim)), one, None) for one in encodings]
    codes = sorted(codes, key=lambda x: float(np.linalg.norm(x, axis=1).max()))
    first, second = map(scaled_complexity, codes)
    bounds = [float(np.linalg.norm(x, axis=1).max()) for x in codes]
    estimate = Estimate(first.lower - second.upper, first.upper - second.lower, 1.0, METHOD)
    return Measurement(estimate, {"first_bound": bounds[0], "second_bound": bounds[1]}, " against ".join(encodings))


def power_at(*, encoding: str, dim: int, position: int, train_length: int) -> Measurement:
    """|p(t)|^2, unscaled."""
    if not 0 <= position < train_length:
        raise ValueError(f"position must be one of 0 .. {train_length - 1}, got {position}: use a longer train_length")
    powers, made = _powers(encoding, dim, train_length)
    return _power(float(powers[position]), dim, made)


def largest_power(*, encoding: str, dim: int, train_length: int) -> Measurement:
    """max_t |p(t)|^2 over the training positions, unscaled."""
    powers, made = _powers(encoding, dim, train_length)
    return _power(float(powers.max()), dim, made)


def mean_power(*, encoding: str, dim: int, train_length: int) -> Measurement:
    """(1/2) int_{-1}^1 |p|^2 of an encoding that is a polynomial of degree < dim on positions mapped to [-1, 1]: by
    Gauss-Legendre quadrature with dim nodes, which is exact."""
    made = parse(encoding, dim=dim, train_length=train_length)
    if not isinstance(made, AbstractAdditiveEncoding):
        raise ValueError(f"{encoding} is not additive and has no table: use legendre")
    nodes, weights = np.polynomial.legendre.leggauss(dim)
    at = [sp.Rational(*float(node).as_integer_ratio()) for node in (nodes + 1) * (train_length - 1) / 2]
    return _power(float(weights @ (additive_form(made, at) ** 2).sum(axis=1)) / 2, dim, encoding)


def _powers(encoding: str, dim: int, train_length: int) -> tuple[Float64[np.ndarray, " T"], str]:
    made = parse(encoding, dim=dim, train_length=train_length)
    return (np.asarray(additive_table(made, train_length, power=None)) ** 2).sum(axis=1), encoding


def _power(value: float, dim: int, encoding: str) -> Measurement:
    # Recurrences and sines lose a few units in the last place per channel.
    return Measurement(exact(value, 64 * UNIT * dim * dim, "closed form"), {"dim": dim}, encoding)


def relaxation(
    *, tokens: Any, encoding: str = "none", logit_norm: float = 1.0, readout_norm: float = 1.0, copies: int = 1
) -> Measurement:
    """R_box of `copies` copies of the sample, exact: the best u is a vertex of the l1 ball, and equal samples count by
    how many of their signs are +1. Words: those of `theory.rademacher_encodings.hull_floor` and `hull_decay`."""
    if copies < 1 or not 0 <= logit_norm < math.inf:
        given = f"got {copies} and {logit_norm}"
        raise ValueError(f"copies must be at least 1 and logit_norm finite and nonnegative, {given}: use copies=1")
    ranges = _ranges(tokens, encoding, logit_norm)
    value = _relaxed(ranges, copies) * readout_norm
    once = relative(_relaxed(ranges, 1) * readout_norm)
    n = ranges.shape[1]
    words = {
        "half_range_sum": relative(copies * float(((ranges[0] + ranges[1]) / 2).sum(axis=0).max())),
        "relaxed_complexity": once,
        "readout_norm": readout_norm,
        "sample_size": n * copies,
        "repetitions": copies,
    }
    return Measurement(exact(value, 1e-13 * value, METHOD), words, encoding)


def _ranges(tokens: Any, encoding: str, logit_norm: float) -> Float64[np.ndarray, "2 n d"]:
    """max and -min over P_i of every coordinate."""
    query = head_class(tokens=tokens, encoding=encoding).query
    keys = query.keys - query.keys.mean(axis=1, keepdims=True)
    reach = logit_norm * np.linalg.norm(keys, axis=2)
    coordinates = [query.values[:, :, a] for a in range(query.values.shape[2])]

    def largest(sign: int) -> Float64[np.ndarray, "n d"]:
        return np.stack([box_tilted_support(sign * one, query.bias, reach) for one in coordinates], axis=-1)

    return np.stack([largest(1), largest(-1)])


def _relaxed(ranges: Float64[np.ndarray, "2 n d"], copies: int) -> float:
    """E max over vertices +-e_a of the mean over samples and copies."""
    above, below = ranges
    n = len(above)
    if (copies + 1) ** n > MOST_COMBINATIONS:
        raise ValueError(f"{copies} copies of {n} samples have too many sign counts: use fewer samples or copies")
    counts = np.stack(np.meshgrid(*[np.arange(copies + 1)] * n, indexing="ij"), -1).reshape(-1, n)
    weights = np.array([math.comb(copies, k) / 2**copies for k in range(copies + 1)])[counts].prod(axis=1)
    plus = counts @ above + (copies - counts) @ below
    minus = counts @ below + (copies - counts) @ above
    return float(weights @ np.maximum(plus, minus).max(axis=1)) / (n * copies)


def patterns(*, family: str, points: int) -> Measurement:
    """R_hat of thresholds (VC dimension 1), intervals (2) or all functions (`points`) on distinct points of a line."""
    if points < 1:
        raise ValueError(f"points must be at least 1, got {points}: use points=4")
    place, cuts = np.arange(points), range(points + 1)
    if family == "thresholds":
        rows, dimension = [np.where(place < cut, 1.0, -1.0) for cut in cuts], 1
    elif family == "intervals":
        inside = [(place >= low) & (place < high) for low in cuts for high in cuts if low <= high]
        rows, dimension = [np.where(one, 1.0, -1.0) for one in inside], 2
    elif family == "all":
        rows, dimension = list(_cube(points)), points
    else:
        raise ValueError(f"no family of functions {family!r}: use thresholds, intervals or all")
    value = float((_cube(points) @ np.array(rows).T).max(axis=1).mean()) / points
    return Measurement(exact(value, 1e-14, METHOD), {"vc_dimension": dimension, "sample_size": points})


def _cube(points: int) -> Float64[np.ndarray, "k n"]:
    half = all_sign_classes(points)
    return np.concatenate([half, -half])
