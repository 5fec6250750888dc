"""Complexity of one head with a trainable encoding (U6): a learned table of positions, or learned biases.

Class, R_hat and statistics as in `theory.rademacher`; D_v,i is the diameter of the values of sample i. The blocks of
the width bound U2 (read-out u, query w) get one more, by Gaussian comparison (`theory.widths.sudakov_fernique`). The l1
read-out ball lies in the l2 ball, which covers the new block. Everything is derived in this project.
"""

import sympy as sp

from theory.bound import Bound
from theory.notation import (
    bias_bound,
    bias_count,
    covariance_lipschitz,
    dim,
    length,
    logit_dim,
    logit_norm,
    plain_covariance_lipschitz,
    query_maximum,
    readout_norm,
    sample_size,
    table_norm,
    value_diameter_energy,
    value_energy,
)
from theory.rademacher import readout_width
from theory.widths import gaussian_norm_mean, sudakov_fernique


def learned_additive(ball: str = "l2") -> Bound:
    """U6, upper: learned table P (length x dim), |P|_F <= B_P, added to keys and values; query w, |w| <= B_w.

    The blocks of U2 and (Lam_P, B_P m_{T d}), Lam_P = B_u (sqrt n + (sqrt2/4) B_w (sum_i D_v,i^2)^(1/2)). The words
    value_energy, covariance_lipschitz and value_diameter_energy are suprema over P. P = 0 must be the encoding's
    centre; dim is the width of the tokens. Proof: dP moves the values by (sum_j alpha_j^2)^(1/2) |dP| <= |dP| and the
    logits by <w, dp_j>, which moves the output by |(alpha_j y~_j)_j| B_w |dP| <= (sqrt2/4) D_v,i B_w |dP|; Minkowski
    over i.
    """
    table = sp.sqrt(sample_size) + sp.sqrt(2) / 4 * logit_norm * sp.sqrt(value_diameter_energy)
    return _with_table(ball, readout_norm * table)


def learned_additive_query(ball: str = "l2") -> Bound:
    """U6, upper: as `learned_additive` with a query-key matrix |W|_F <= B_w and the table in the query token too.

    Lam_P = B_u (sqrt n + (sqrt2/4) B_w q (sum_i D_v,i^2)^(1/2) + B_w Lam_0), q >= |q_i| (`query_maximum`), Lam_0^2 =
    sum_i (D_v,i D_k,i/4)^2 (`plain_covariance_lipschitz`), all suprema over P; covariance_lipschitz contains |q_i|.
    Proof: keys see the query W^T q_i, |W^T q_i| <= B_w q; a change dp of the query moves the logits by dp^T W k_j, and
    the output by |Cov(y, dp^T W k)| <= D_v,i B_w D_k,i |dp|/4.
    """
    by_keys = sp.sqrt(2) / 4 * logit_norm * query_maximum * sp.sqrt(value_diameter_energy)
    return _with_table(ball, readout_norm * (sp.sqrt(sample_size) + by_keys + logit_norm * plain_covariance_lipschitz))


def _head_blocks(ball: str) -> list[tuple[sp.Expr, sp.Expr]]:
    query = (readout_norm * covariance_lipschitz, logit_norm * gaussian_norm_mean(logit_dim))
    return [(sp.sqrt(value_energy), readout_width(ball)), query]


def _with_table(ball: str, aggregate: sp.Expr) -> Bound:
    table = (aggregate, table_norm * gaussian_norm_mean(length * dim))
    return sudakov_fernique([*_head_blocks(ball), table])


def learned_bias(ball: str = "l2") -> Bound:
    """U6, upper: K learned biases in [-beta, beta], shared by buckets of positions; the blocks of U2 and
    ((sqrt2/4) B_u (sum_i D_i^2)^(1/2), beta sqrt(2 K (K-1)/pi)), D_i the diameter of the values.

    covariance_lipschitz is a supremum over the biases too (D_i D_k,i/4 is one). Proof: the gradient in the buckets sums
    alpha_j y~_j over each; its positive and its negative entries each sum to at most E|y~|/2 <= D/4 in absolute value,
    so its norm is at most (sqrt2/4) D. It is orthogonal to (1, ..., 1), as softmax ignores a common shift, so the
    comparison process needs only the projected Gaussian: E|g - mean g|_1 = K sqrt(2/pi) sqrt(1 - 1/K).
    """
    slope = sp.sqrt(2) / 4 * readout_norm * sp.sqrt(value_diameter_energy)
    width = bias_bound * sp.sqrt(2 * bias_count * (bias_count - 1) / sp.pi)
    return sudakov_fernique([*_head_blocks(ball), (slope, width)])


LEARNED_BOUNDS = {"U6-table": learned_additive, "U6-table-query": learned_additive_query, "U6-bias": learned_bias}
