"""Norm-based bounds of the literature in the norms of their own classes, where `theory.rademacher_baselines` takes l2.

What could be read of the five papers named there is still their titles and abstracts, and tables of later papers that
state orders without constants: single-layer softmax attention after Trauger and Tewari does not depend on T, on d only
through logarithms, and on the size of the tokens by the third power. No theorem with constants was seen, so nothing is
marked as cited; the order is reproduced by the derivation below (`theory.asymptotics`).
"""

import sympy as sp

from theory.bound import Bound, Relation
from theory.notation import dim, key_maximum, logit_dim, logit_norm, readout_norm, sample_size, value_maximum

QUANTITY = r"\hat{\mathfrak R}(\mathcal F)"


def maurey_head_entrywise() -> Bound:
    """Upper, after Trauger and Tewari, for |u|_1 <= B_u and logit parameters with sum |w_jk| <= B (entrywise l1):
    R_hat <= (A/sqrt n) [4 + 6 ln(n) (s^(2/3) + t^(2/3))^(3/2) + 12 (ln 2d + ln 2p)^(1/2)].

    A = B_u V, V = max|v_ij|_2, K = max|k_ij|_2 (with a query-key matrix k = q (x) k), s^2 = ln 2d, t^2 = (B K)^2 ln 2p,
    p = dim w: no T, and no power of a dimension. Proof (Maurey): means of m signed vertices cover the two balls to
    B_u/sqrt m and B/sqrt m in |.|_2, so ln N_u(eps) <= ceil(A^2/eps^2) ln 2d on the values, and ln N_w likewise on
    the keys; |softmax s - softmax s'|_1 <= |s - s'|_inf makes them a cover of the head at eps = eps_u + A eps_w; the
    best split gives A^2 (s^(2/3) + t^(2/3))^3/eps^2 + ln 2d + ln 2p, ceil(x) <= x + 1; Dudley from A/sqrt n to A.
    """
    readout, query = sp.sqrt(sp.log(2 * dim)), logit_norm * key_maximum * sp.sqrt(sp.log(2 * logit_dim))
    third = sp.Rational(2, 3)
    chained = 6 * sp.log(sample_size) * (readout**third + query**third) ** sp.Rational(3, 2)
    bracket = 4 + chained + 12 * sp.sqrt(sp.log(2 * dim) + sp.log(2 * logit_dim))
    reference = "derived in this project, after Trauger and Tewari, arXiv 2310.13088"
    return Bound(QUANTITY, Relation.AT_MOST, readout_norm * value_maximum / sp.sqrt(sample_size) * bracket, reference)


LITERATURE_BOUNDS = {"after-Trauger-Tewari-entrywise": maurey_head_entrywise}
