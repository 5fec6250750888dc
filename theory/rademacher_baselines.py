"""What norm-based bounds of the literature say about the same head: covering numbers and Dudley's integral, explicit.

Template class and R_hat as in `theory.rademacher` (1/n, no absolute value): f = <u, sum_j softmax_j(<w, k_ij> + b_ij)
v_ij>, |w|_2 <= B_w = B, |u| <= B_u in the l2 ball (the l1 ball lies in it). A query-key matrix W in the Frobenius ball
is the case k_ij -> q_i (x) k_ij of dimension d_1 d_2. Keys may be centred per sample.

What was read, and what was not. Of the five papers below only titles and abstracts could be looked up
here, not the theorems; none of their constants is quoted, and where an abstract has O(.) no constant is invented. Each
bound is derived here from the covering number that the paper is known for, and says "after". A proof that rests on
Zhang's cover, which is quoted from memory, is marked recalled.
  Edelman, Goel, Kakade, Zhang, ICML 2022, arXiv 2110.10090: capacity grows with log T only (abstract).
  Trauger, Tewari, AISTATS 2024, arXiv 2310.13088: covers of bounded linear maps, independent of T (abstract).
  Truong, arXiv 2410.11500: rank-dependent covers, O(1/sqrt n) instead of O(log n/sqrt n), independent of T (abstract).
  He, Xing, arXiv 2512.09275: a completely trainable encoding enlarges the gap (abstract).
  Yang, Srebro, Li, COLT 2026: the VC dimension of depth-L Transformers with W parameters is O(L W log(T W)) (abstract).
"""

import sympy as sp

from theory.bound import Bound, Proof, Relation
from theory.notation import (
    columns,
    covariance_lipschitz,
    dim,
    key_maximum,
    length,
    logit_dim,
    logit_norm,
    rank,
    readout_norm,
    rows,
    sample_size,
    table_norm,
    value_diameter_energy,
    value_energy,
    value_maximum,
    vc_dimension,
)
from theory.rademacher_depth import residual_gradients

QUANTITY = r"\hat{\mathfrak R}(\mathcal F)"
TWO_THIRDS = sp.Rational(2, 3)


def _positive(expression: sp.Expr, radius: sp.Expr) -> sp.Expr:
    """The bound, and 0 where every function is 0."""
    return sp.Piecewise((expression, radius > 0), (0, True))


def _polynomial(radius: sp.Expr, blocks: list[tuple[sp.Expr, sp.Expr]]) -> sp.Expr:
    """Dudley for ln N(eps) <= sum_b p_b ln(1 + c_b/eps), (p_b, c_b) in blocks, on (0, r):
    (12/sqrt n) (r sum_b p_b [r ln(1 + c_b/r) + c_b ln(1 + r/c_b)])^(1/2), by Cauchy-Schwarz. Increasing in r and c_b.
    """

    def area(c: sp.Expr) -> sp.Expr:
        return sp.Piecewise((radius * sp.log(1 + c / radius) + c * sp.log(1 + radius / c), c > 0), (0, True))

    total = sp.Add(*(size * area(c) for size, c in blocks))
    return _positive(12 / sp.sqrt(sample_size) * sp.sqrt(radius * total), radius)


def _readout_dimension(ball: str) -> sp.Expr:
    if ball not in ("l2", "l1"):
        raise ValueError(f"ball must be l2 or l1, got {ball!r}")
    return dim if ball == "l2" else sp.Integer(1)


def zhang_head(ball: str = "l2") -> Bound:
    """Upper, after Edelman et al.:
    R_hat <= (A/sqrt n) [4 + 36 (1 + beta^(2/3))^(3/2) ln(n) sqrt(ln((8 rho + 6) n T + 1))].

    A = B_u V, V = max|v_ij|, K = max|k_ij|, beta = B K, rho = sqrt n (1 + beta^(2/3)) max(1, beta^(1/3)). Logarithmic
    in T, no dimension. Proof: Zhang's covers of {<w, k_ij>} and of {<u, v_ij>} on n T points in the maximum norm
    (`theory.classical.zhang_cover`) at eps_w and eps_u; |softmax s - softmax s'|_1 <= |s - s'|_inf (`theory.softmax`;
    the common constant 2 would give beta -> 2 beta in the first bracket) makes them a cover at eps = eps_u + A eps_w.
    The best split gives ln N <= 36 A^2 (1 + beta^(2/3))^3/eps^2 times the logarithm, which is largest at the smallest
    eps; Dudley from A/sqrt n to A, the largest value of |f|.
    """
    _readout_dimension(ball)
    beta = logit_norm * key_maximum
    grown = 1 + beta**TWO_THIRDS
    ratio = sp.sqrt(sample_size) * grown * sp.Max(1, beta ** sp.Rational(1, 3))
    logarithm = sp.log((8 * ratio + 6) * sample_size * length + 1)
    bracket = 4 + 36 * grown ** sp.Rational(3, 2) * sp.log(sample_size) * sp.sqrt(logarithm)
    reference = "after Edelman, Goel, Kakade and Zhang, arXiv 2110.10090; constants derived here from Zhang 2002"
    bound = readout_norm * value_maximum / sp.sqrt(sample_size) * bracket
    return Bound(QUANTITY, Relation.AT_MOST, bound, reference, proof=Proof.RECALLED)


def maurey_head(ball: str = "l2") -> Bound:
    """Upper, after Trauger and Tewari:
    R_hat <= (A/sqrt n) [4 + 6 ln(n) (s^(2/3) + t^(2/3))^(3/2) + 12 (ln 2d + ln 2p)^(1/2)].

    A and beta as for `zhang_head`, s^2 = d ln 2d (l1 read-out: ln 2d), t^2 = beta^2 p ln 2p, p = dim w. No T at all;
    for w in an l1 ball (entrywise for a matrix) of radius B, t^2 = beta^2 ln 2p holds instead.
    Proof (Maurey, `theory.classical.matrix_cover`): the l2 ball lies in the l1 ball of radius sqrt(p) B; means of k
    signed vertices cover it to sqrt(p) B/sqrt k in |.|_2, for all inputs at once; ceil(x) <= x + 1. Composition, split
    and Dudley's ends as for `zhang_head`, and sqrt(a + b) <= sqrt a + sqrt b.
    """
    readout = sp.sqrt(_readout_dimension(ball) * sp.log(2 * dim))
    query = logit_norm * key_maximum * sp.sqrt(logit_dim * sp.log(2 * logit_dim))
    chained = 6 * sp.log(sample_size) * (readout**TWO_THIRDS + query**TWO_THIRDS) ** sp.Rational(3, 2)
    bracket = 4 + chained + 12 * sp.sqrt(sp.log(2 * dim) + sp.log(2 * logit_dim))
    reference = "derived in this project, after Trauger and Tewari, arXiv 2310.13088"
    bound = readout_norm * value_maximum / sp.sqrt(sample_size) * bracket
    return Bound(QUANTITY, Relation.AT_MOST, bound, reference)


def _head_scales() -> tuple[sp.Expr, sp.Expr]:
    """B_u sigma_v/sqrt n, the largest norm of f in L2(P_n), and B_u Lambda/sqrt n, its Lipschitz constant in w."""
    root = sp.sqrt(sample_size)
    return readout_norm * sp.sqrt(value_energy) / root, readout_norm * covariance_lipschitz / root


def low_rank_head(ball: str = "l2") -> Bound:
    """Upper, after Truong: query-key matrices W (d_1 x d_2) of rank <= r, |W|_F <= B; no T and no ln n.

    ln N(eps) <= d ln(1 + 4 s/eps) + r (d_1 + d_2 + 1) ln(1 + 12 B l/eps) in L2(P_n), s = B_u sigma_v/sqrt n, l = B_u
    Lambda/sqrt n; Dudley on (0, s). Lambda = `covariance_lipschitz` of the keys q_i (x) k_ij; it bounds |f - f'| along
    the segment, whose matrices may have any rank, because covariances are bounded for all logits.
    Proof: W = X diag(y) Z^T with orthonormal columns, |y| <= B. Separated subsets of the sets of X and Z in the largest
    column norm and of the ball of y, at eps/3 (y: B eps/3), have at most (1 + 6/eps)^(dimension) points; |W - W'|_F <=
    |(X-X') diag y|_F + |y - y'| + |diag(y') (Z-Z')^T|_F <= B eps. Half of eps for each block.
    """
    _readout_dimension(ball)
    spread, slope = _head_scales()
    blocks = [(dim, 4 * spread), (rank * (rows + columns + 1), 12 * logit_norm * slope)]
    reference = "derived in this project, after Truong, arXiv 2410.11500"
    assumptions = sp.And(rank <= rows, rank <= columns)
    return Bound(QUANTITY, Relation.AT_MOST, _polynomial(spread, blocks), reference, assumptions)


def trainable_table(ball: str = "l2") -> Bound:
    """Upper, after He and Xing: the covering bound with a learned table P (T x d), |P|_F <= B_P, in keys and values.

    It exceeds the same bound at B_P = 0, as in their abstract; the classes are nested, so the truth is ordered so too.

    ln N(eps) <= d ln(1 + 6 s/eps) + p ln(1 + 6 B l/eps) + T d ln(1 + 6 B_P l_P/eps), l_P = Lam_P/sqrt n of
    `theory.rademacher_learned.learned_additive`; statistics are suprema over P. Proof: a third of eps for each block,
    `theory.classical.ball_cover`, Dudley on (0, s).
    """
    _readout_dimension(ball)
    spread, slope = _head_scales()
    by_table = sp.sqrt(2) / 4 * logit_norm * sp.sqrt(value_diameter_energy / sample_size)
    table = readout_norm * (1 + by_table)
    blocks = [(dim, 6 * spread), (logit_dim, 6 * logit_norm * slope), (length * dim, 6 * table_norm * table)]
    reference = "derived in this project, after He and Xing, arXiv 2512.09275"
    return Bound(QUANTITY, Relation.AT_MOST, _polynomial(spread, blocks), reference)


def residual_layers(layers: int = 2, ball: str = "l2") -> Bound:
    """Upper, after the depth recursions of Edelman et al. and of Trauger and Tewari: the depth class of
    `theory.rademacher_depth`, ln N(eps) <= sum_b p_b ln(1 + 2 (2L+1) R_b L_b/eps) over u, V_l, W_l.

    L_b = sup|grad_b f| (`residual_gradients`), R_b the radius. The product of the layers' Lipschitz constants, which
    stands in front of norm-based covers, enters only logarithmically here; so for many layers or large radii this is
    below `theory.rademacher_depth.residual_depth`, which is linear in the gradients (both may exceed the trivial B_u
    R_x (1 + nu)^L then). Proof: a (2L+1)-th of eps for each block, `theory.classical.ball_cover`; Dudley on (0, B_u
    R_x (1+nu)^L).
    """
    _readout_dimension(ball)
    parts = residual_gradients(layers)
    radius = readout_norm * parts["u"][0]
    blocks = [(size, 2 * len(parts) * limit * slope) for slope, limit, size in parts.values()]
    reference = "derived in this project, after arXiv 2110.10090 and 2310.13088"
    return Bound(QUANTITY, Relation.AT_MOST, _polynomial(radius, blocks), reference)


def two_residual_layers(ball: str = "l2") -> Bound:
    """Upper: two layers of `residual_layers`."""
    return residual_layers(2, ball)


def vc_dimension_bound() -> Bound:
    """Upper, {-1, 1}-valued classes, VC dimension d_VC <= n: R_hat <= sqrt(2 d_VC ln(e n/d_VC)/n) (Sauer, Massart).

    Yang, Srebro and Li give d_VC = O(L W log(T W)) for depth L, W parameters and any fixed encoding, none included; the
    constant is not known to us, so d_VC is a word here and no number is invented.
    """
    bound = sp.sqrt(2 * vc_dimension * sp.log(sp.E * sample_size / vc_dimension) / sample_size)
    reference = "Sauer 1972, Massart 2000; VC dimension after Yang, Srebro and Li, COLT 2026"
    return Bound(QUANTITY, Relation.AT_MOST, bound, reference, vc_dimension <= sample_size)


BASELINE_BOUNDS = {
    "after-Edelman": zhang_head,
    "after-Trauger-Tewari": maurey_head,
    "after-Truong": low_rank_head,
    "after-He-Xing": trainable_table,
}
DEPTH_BASELINES = {"covering-depth": two_residual_layers}
"""Classes other than one head; `residual_layers` takes any number of layers."""
VC_BASELINES = {"after-Yang-Srebro-Li": vc_dimension_bound}
"""Of {-1, 1}-valued classes."""
