"""One attention head centred at the query w = 0, with keys kept in factored form.

pi = softmax(b); effective keys z_ij = q_i (x) kt_ij in R^(r e) with kt_ij = k_ij - E_pi k and values vt_ij = v_ij -
E_pi v. A plain query has r = 1 and q_i = 1; a query-key matrix W (r x e, Frobenius ball) has logits q_i^T W k_ij = <vec
W, q_i (x) k_ij>, and z_ij is never formed: <z_ij, z_i'l> = <q_i, q_i'> <kt_ij, kt_i'l>. Exactly
  a_i(w) = a_i(0) + N_i(w)/Z_i(w),  N_i = sum_j pi_j vt_ij e^(t_ij),  Z_i = sum_j pi_j e^(t_ij) >= 1,  t_ij = <w, z_ij>.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64


class Centred(NamedTuple):
    """Arrays of a centred head: sum_j weights_j keys_ij = 0 and sum_j weights_j values_ij = 0 up to rounding."""

    factors: Float64[np.ndarray, "n r"]
    keys: Float64[np.ndarray, "n T e"]
    values: Float64[np.ndarray, "n T d"]
    weights: Float64[np.ndarray, " T"]
    outputs: Float64[np.ndarray, "n d"]

    @property
    def logit_dim(self) -> int:
        """p = r e, the dimension of w."""
        return self.factors.shape[1] * self.keys.shape[2]

    @property
    def key_norms(self) -> Float64[np.ndarray, "n T"]:
        """|z_ij| = |q_i| |kt_ij|."""
        return np.linalg.norm(self.factors, axis=1)[:, None] * np.linalg.norm(self.keys, axis=2)


def centre(keys, values, bias, factors=None) -> Centred:
    """Centre keys (n, T, e) and values (n, T, d) by softmax(bias), bias (T,) finite; factors (n, r) default to ones."""
    keys, values, bias = (np.asarray(array, dtype=np.float64) for array in (keys, values, bias))
    weights = np.exp(bias - bias.max())
    weights /= weights.sum()
    factors = np.ones((len(keys), 1)) if factors is None else np.asarray(factors, dtype=np.float64)
    outputs = np.einsum("t,ntd->nd", weights, values)
    # A second pass removes what rounding of large common parts leaves.
    centred = [array - np.einsum("t,ntx->nx", weights, array)[:, None] for array in (keys, values)]
    centred = [array - np.einsum("t,ntx->nx", weights, array)[:, None] for array in centred]
    return Centred(factors, centred[0], centred[1], weights, outputs)
