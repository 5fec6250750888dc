"""Suprema over a query and a learned table: theta = (w, P - P0), |w|_2 <= B, |P - P0|_F <= rho.

S_eps(theta) = sum_i eps_i sum_j alpha_ij y_ij, alpha_i = softmax_j(<w, k_ij + dp_j> + b_j), y_ij = v_ij + dp_j, or v_ij
when the table acts on the keys only. Values (k, n, T) are formed, keys and values per sign vector never.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

from estimators.attention import Head
from estimators.supremum.ascent import ball_pool
from estimators.supremum.box_ball import ProductSet
from estimators.supremum.readout import Ball, support

THIRD = 6 * np.sqrt(3.0)  # |third cumulant| <= D_y D_t^2 / THIRD (theory.softmax)


class TableHead(NamedTuple):
    """A head at the initial table; `moves` is 1.0 where the table is added to the values too, else 0.0."""

    head: Head
    moves: float


def table_signed_sum(data: TableHead, signs, theta):
    """S_eps(theta) for sign vectors (k, n) and one point (k, p + T p) each: (k, d)."""
    head, moves = data
    length, dim = head.keys.shape[1:]
    query, table = theta[:, :dim], theta[:, dim:].reshape(-1, length, dim)
    logits = jnp.einsum("kp,ntp->knt", query, head.keys) + jnp.einsum("kp,ktp->kt", query, table)[:, None] + head.bias
    signed = jax.nn.softmax(logits, axis=-1) * signs[:, :, None]
    total = jnp.einsum("knt,ntd->kd", signed, head.values)
    if head.values.shape[2] != dim:  # keys only, with values of another dimension
        return total
    return total + moves * jnp.einsum("kt,ktd->kd", signed.sum(axis=1), table)


def table_pool(
    data: TableHead,
    signs: Float64[np.ndarray, "k n"],
    product: ProductSet,
    ball: Ball,
    points: int,
    best: int,
    seed: int,
) -> Float64[np.ndarray, "k s dim"]:
    """The `best` starts of a pool of queries and tables for every sign vector: tables spread over all tokens and tables
    that move one token only, which is where a strong query gains most."""
    head, moves = data
    keys, values, bias = (np.asarray(array) for array in head)
    length, dim = keys.shape[1:]
    queries = ball_pool(dim, product.radius, points, seed)
    tables = np.random.default_rng(np.random.SeedSequence([seed, length, dim])).standard_normal(
        (len(queries), length, dim)
    )
    tables[::2] *= (np.arange(len(tables[::2]))[:, None] % length == np.arange(length))[..., None]
    tables *= product.reach / np.linalg.norm(tables, axis=(1, 2), keepdims=True)
    sums = []
    for query, table in zip(queries, tables, strict=True):
        weights = np.asarray(jax.nn.softmax(keys @ query + table @ query + bias, axis=-1))  # (n, T)
        outputs = np.einsum("nt,ntd->nd", weights, values) + (moves * weights @ table if moves else 0.0)
        sums.append(np.asarray(support(signs @ outputs, ball)))
    order = np.argsort(-np.array(sums).T, axis=1)[:, :best]
    return np.concatenate([queries, tables.reshape(len(tables), -1)], axis=1)[order]


def table_upper(
    head: Head,
    moves: float,
    signs: Float64[np.ndarray, "k n"],
    radius: float,
    reach: float,
    spans: Float64[np.ndarray, " n"],
    key_spans: Float64[np.ndarray, " n"],
    ball: Ball,
) -> dict[str, Float64[np.ndarray, " k"]]:
    """Upper ends of max h(S_eps(theta)) for every sign vector, from the expansion in the logits at w = 0.

    spans, key_spans: suprema over P of the ranges of <u, y_ij> and of the keys' diameters. With pi = softmax(b), s =
    sum_i eps_i, J = sum_i eps_i Cov_pi(v_i, k_i), columns M_j = pi_j sum_i eps_i (v_ij - E_pi v_i), M'_j likewise for
    keys, and m = moves, for every |w| <= B and |dP|_F <= rho
      h(S) <= h(S_0) + m |s| |pi|_2 rho + min{first order + sum_i D_i (B D_k,i)^2/(12 sqrt3), sum_i D_i tanh(B D_k,i/4)}
      first order = B (|J| + rho |M| + m rho |M'| + m |s| rho^2 max_j pi_j)
    Proof: f at logits tau s is <u, sum softmax(b + tau s) y>; its first derivative at tau = 0 is Cov_pi(y, s), expanded
    in dP: Cov(v, k) + Cov(v, dp) + Cov(dp, k) + Cov(dp, dp); the second is a third cumulant of size D_y D_s^2/(6 sqrt3)
    (theory.softmax). Norms of J, M, M' are operator norms; for the l1 ball those of J and M are the largest row norms.
    """
    keys, values, bias = (np.asarray(array) for array in head)
    weights = np.exp(bias - bias.max())
    weights /= weights.sum()
    outputs = np.einsum("t,ntd->nd", weights, values)
    centred_values = values - outputs[:, None]
    centred_keys = keys - np.einsum("t,ntp->np", weights, keys)[:, None]
    jacobians = np.einsum("t,ntd,ntp->ndp", weights, centred_values, centred_keys)
    size = np.abs(signs.sum(axis=1))
    total, slope = signs @ outputs, np.einsum("kn,ndp->kdp", signs, jacobians)
    columns = weights[:, None] * np.einsum("kn,ntd->ktd", signs, centred_values)
    key_columns = weights[:, None] * np.einsum("kn,ntp->ktp", signs, centred_keys)
    pair = moves * (reach * np.linalg.norm(key_columns, 2, axis=(1, 2)) + size * reach**2 * weights.max())
    if ball == "l2":
        frozen = np.linalg.norm(total, axis=1)
        first = np.linalg.norm(slope, 2, axis=(1, 2)) + reach * np.linalg.norm(columns, 2, axis=(1, 2))
    else:
        frozen = np.abs(total).max(axis=1)
        first = np.linalg.norm(slope, axis=2).max(axis=1) + reach * np.linalg.norm(columns, axis=1).max(axis=1)
    frozen = frozen + moves * size * np.linalg.norm(weights) * reach
    curved = float((spans * (radius * key_spans) ** 2).sum()) / (2 * THIRD)
    return {
        "U5-taylor-table": frozen + radius * (first + pair) + curved,
        "U8-table": frozen + float((spans * np.tanh(radius * key_spans / 4)).sum()),
    }
