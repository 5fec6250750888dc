"""One attention head read at one position: weighted means and their exact derivatives in the query.

a_i(w) = sum_j alpha_ij(w) v_ij,   alpha_i(w) = softmax_j(<w, k_ij> + b_j).

Letters: n samples, T tokens, p = dim of keys and query, d = dim of values, m = number of query points.
The derivatives are joint cumulants under alpha_i(w) (see `theory.softmax`):
  first   Cov(v, k)                                    shape (d, p)
  second  E (v - Ev)(k - Ek)(k - Ek)^T                 shape (d, p, p), symmetric in the last two
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

Arrays = jax.Array | np.ndarray


class Head(NamedTuple):
    """Arrays of one head: keys (n, T, p) centred per sample, values (n, T, d), bias (T,), all finite.

    Centring keys changes no weight (softmax is shift invariant) and keeps logits and rounding small.
    """

    keys: Float64[Arrays, "n T p"]
    values: Float64[Arrays, "n T d"]
    bias: Float64[Arrays, " T"]


def make_head(keys, values, bias) -> Head:
    """Drop tokens with bias -infinity and centre keys at the middle of their bounding box."""
    keys, values, bias = (np.asarray(array, dtype=np.float64) for array in (keys, values, bias))
    seen = np.isfinite(bias)
    if not seen.any():
        raise ValueError("every token is masked at the read-out position: at least one bias must be finite")
    if not (np.isfinite(keys).all() and np.isfinite(values).all()) or np.any(bias[~seen] > 0):
        raise ValueError("keys, values and bias must be finite (bias may also be -infinity)")
    keys, values, bias = keys[:, seen], values[:, seen], bias[seen]
    middle = (keys.max(axis=1, keepdims=True) + keys.min(axis=1, keepdims=True)) / 2
    return Head(jnp.asarray(keys - middle), jnp.asarray(values), jnp.asarray(bias - bias.max()))


def attention_weights(head: Head, queries: Float64[Arrays, "m p"]) -> Float64[Arrays, "m n T"]:
    """softmax_j(<w, k_ij> + b_j) for every query w and sample i."""
    logits = jnp.einsum("mp,ntp->mnt", queries, head.keys) + head.bias
    return jax.nn.softmax(logits, axis=-1)


@jax.jit
def head_outputs(head: Head, queries: Float64[Arrays, "m p"]) -> Float64[Arrays, "m n d"]:
    """a_i(w) for every query and sample."""
    return jnp.einsum("mnt,ntd->mnd", attention_weights(head, queries), head.values)


def symmetric_pairs(dim: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and weights of the upper triangle; weights sqrt2 off the diagonal keep Frobenius norms."""
    rows, columns = np.triu_indices(dim)
    return rows, columns, np.where(rows == columns, 1.0, np.sqrt(2.0))


@partial(jax.jit, static_argnames="order")
def cumulants(head: Head, queries: Float64[Arrays, "m p"], order: int) -> Float64[Arrays, "c n m"]:
    """Value, first and (order = 2) second derivative of a_i at every query, stacked along the first axis.

    Rows: d values; then d * p first derivatives, value index major; then d * p(p+1)/2 second derivatives in
    the order and scaling of `symmetric_pairs`. The stacked layout lets one matrix product with a sign matrix
    form S_eps, J_eps and the second derivative of every sign vector.
    """
    weights = attention_weights(head, queries)  # (m, n, T)
    means = jnp.einsum("mnt,ntd->mnd", weights, head.values)
    values = head.values[None] - means[:, :, None, :]  # (m, n, T, d)
    keys = head.keys[None] - jnp.einsum("mnt,ntp->mnp", weights, head.keys)[:, :, None, :]
    m, n, _ = means.shape
    weighted = weights[..., None] * values
    rows = [means, jnp.einsum("mntd,mntp->mndp", weighted, keys).reshape(m, n, -1)]
    if order == 2:
        left, right, scale = symmetric_pairs(head.keys.shape[-1])
        pairs = keys[..., left] * keys[..., right] * scale
        rows.append(jnp.einsum("mntd,mntq->mndq", weighted, pairs).reshape(m, n, -1))
    return jnp.concatenate(rows, axis=-1).transpose(2, 1, 0)
