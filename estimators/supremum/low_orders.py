"""Exact Bombieri norms of the Taylor coefficients a_3 = N_3 - Z_2 N_1 and a_4 = N_4 - Z_2 N_2 - Z_3 N_1.

All parts are weighted sums of powers of the linear forms t_j = <w, z_j>. In the Bombieri inner product
  <t_{j1} .. t_{jq}, t_{l1} .. t_{lq}> = permanent(G_{ja lb})/q!,   <F, t_j^q> = F(z_j)  (reproducing property),
G_jl = <z_j, z_l>, so cross terms with N_q are evaluations at the z_j, and squares are contractions of at most four
indices, each a product of T x T matrices. This replaces the triangle inequality |a_3| <= nu_3 + zeta_2 nu_1, which
loses a
factor 3 at order 3 and 5 at order 4.
"""

import numpy as np
from jaxtyping import Float64

UP = 1 + 1e-11


def quotient_orders(
    gram_values: Float64[np.ndarray, "n T T"],
    gram_keys: Float64[np.ndarray, "n T T"],
    weights: Float64[np.ndarray, " T"],
    numerators: Float64[np.ndarray, "n q"],
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Upper ends of |a_{i,3}|_F and |a_{i,4}|_F; `numerators` holds nu_{i,1}, nu_{i,2}, ...

    Letters: V = gram_values, G = gram_keys, D = diag(weights); sums over j, l of weights and W_jl = pi_j pi_l V_jl.
    """
    key, one = gram_keys, weights
    square = key**2
    weighted = gram_values * np.outer(one, one)
    step = key * one  # G D
    path = step @ step @ key  # G D G D G
    row_two, row_three = square @ one, (key**3) @ one  # 2 Z_2(z_j), 6 Z_3(z_j)
    energy_two = np.einsum("j,nj->n", one, row_two)
    energy_three = np.einsum("j,nj->n", one, row_three)

    def pairing(matrix):
        return (weighted * matrix).sum((1, 2))

    def size(matrix):
        return np.abs(weighted * matrix).sum((1, 2))

    first, second = pairing(key), pairing(square)
    first_at = (gram_values * one * key).sum(2)  # <vt_j, N_1(z_j)>
    second_at = (gram_values * one * square).sum(2) / 2  # <vt_j, N_2(z_j)>

    cross = np.einsum("j,nj->n", one, row_two / 2 * first_at) / 6
    own = (2 * energy_two * first + 4 * pairing(path)) / 24
    scale = numerators[:, 2] ** 2 + (2 * energy_two * size(key) + 4 * size(np.abs(path))) / 12
    third = numerators[:, 2] ** 2 - 2 * cross + own + 1e-12 * scale

    cross = np.einsum("j,nj->n", one, row_two / 2 * second_at + row_three / 6 * first_at) / 24
    rows = np.einsum("njl,nj,nl->n", weighted, row_two, row_two)
    two_two = (4 * energy_two * second + 16 * pairing(key * path) + 4 * rows) / 384
    three_one = (6 * energy_three * first + 18 * pairing((step @ (square * one)) @ key)) / 864
    inner = np.einsum("njl,nl->nj", step, row_two)  # sum_m pi_m G_jm row_two_m
    mixed = (12 * pairing(step @ step @ square) + 12 * np.einsum("njl,njl,nj->n", weighted, key, inner)) / 576
    scale = (
        numerators[:, 3] ** 2
        + (4 * energy_two * size(square) + 16 * size(np.abs(key * path))) / 384
        + np.einsum("njl,nj,nl->n", np.abs(weighted), row_two, row_two) / 96
        + (6 * np.abs(energy_three) * size(key) + 18 * size(np.abs(step) @ (square * one) @ np.abs(key))) / 864
        + (12 * size(np.abs(step) @ np.abs(step) @ square) + 12 * size(key) * np.abs(inner).max(1)) / 288
        + np.einsum("j,nj->n", one, np.abs(row_two) * np.abs(second_at) + np.abs(row_three * first_at)) / 6
    )
    fourth = numerators[:, 3] ** 2 - 2 * cross + two_two + three_one + 2 * mixed + 1e-12 * scale
    return np.sqrt(np.maximum(third, 0.0)) * UP, np.sqrt(np.maximum(fourth, 0.0)) * UP
