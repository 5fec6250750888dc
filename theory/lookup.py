r"""What it costs a head to look positions up: the norm of A for scores p_i^T A p_j that single out the target pi(i).

p_1 .. p_N are the codes of the positions; g is the margin, the least p_i^T A p_pi(i) - p_i^T A p_j over the queries i
and the keys j other than the target. |A| is the largest singular value, |A|_F the Frobenius norm; both scale with g.
A shift is pi(i) = i + k for the i that have one. Comparisons of codes are at equal mean power.
"""

import sympy as sp

from theory.bound import Bound, Relation
from theory.notation import (
    attention_deficit,
    closest_distance,
    dim,
    key_distance,
    margin,
    position_count,
    query_distance,
)

OURS = "derived in this project"
OPERATOR_NORM = r"\min_A\|A\|"
FROBENIUS_NORM = r"\min_A\|A\|_F"
DISTINCT = r"\#\{p_1,\dots,p_N\}"
SEVERAL = position_count >= 2


def operator_norm() -> Bound:
    """Lower, sharp: |A| >= 2g/(|p_i - p_i'| |p_pi(i) - p_pi(i')|) for any queries i, i' with different targets.

    Proof: (p_i - p_i')^T A (p_pi(i) - p_pi(i')) is the sum of two score differences of at least g each. Equality for
    shifts of shift-invariant codes (`shift_norm`) and for orthonormal rows (`orthonormal_operator_norm`).
    """
    return Bound(OPERATOR_NORM, Relation.AT_LEAST, 2 * margin / (query_distance * key_distance), OURS)


def shift_norm() -> Bound:
    """Exact: min |A| = 2g/delta^2 for a shift by k of codes with p_{t+1} = M p_t, M orthogonal (sinusoidal).

    delta = min |p_i - p_j| over different positions, attained by two that are queries. Proof: A = c M^(-k) or its
    inverse gives scores c <p_{i+k}, p_j>, so the margin c delta^2/2 at |A| = c; `operator_norm` at the two closest is
    the converse.
    """
    return Bound(OPERATOR_NORM, Relation.EQUAL, 2 * margin / closest_distance**2, OURS)


def orthonormal_operator_norm() -> Bound:
    """Exact: min |A| = g for orthonormal rows p_i (N <= d) and every permutation pi, N >= 2.

    Proof: A = g sum_i p_i p_pi(i)^T has the scores g at the target and 0 elsewhere; `operator_norm` with distances
    sqrt2.
    """
    return Bound(OPERATOR_NORM, Relation.EQUAL, margin, OURS, SEVERAL)


def orthonormal_frobenius_norm() -> Bound:
    """Exact: min |A|_F = g sqrt(N-1) for orthonormal rows p_i (N <= d) and every permutation pi, N >= 2.

    Attained by A = g sum_i p_i (p_pi(i) - pbar)^T. Proof: sum over all i and j of the score differences is
    N <sum_i p_i (p_pi(i) - pbar)^T, A> >= g N (N-1), and that matrix has Frobenius norm sqrt(N-1).
    """
    return Bound(FROBENIUS_NORM, Relation.EQUAL, margin * sp.sqrt(position_count - 1), OURS, SEVERAL)


def orthogonal_never_larger() -> Bound:
    """Upper, wrong: that codes with orthonormal columns need no larger |A| than sinusoidal ones, 2g/delta^2, for
    pi(i) = i.

    delta: the closest distance of the sinusoidal code. True for N <= d, refuted for N >> d: the discrete cosine code
    has neighbours at distance N^-2 near the ends, so the norm grows like N^4; the sinusoidal one does not depend on
    N.
    """
    return Bound(OPERATOR_NORM, Relation.AT_MOST, 2 * margin / closest_distance**2, "false: compare operator_norm")


def margin_needed() -> Bound:
    """Lower, sharp: weight 1 - eta on the target needs g >= ln((1-eta)/eta), eta < 1.

    Proof: (1-eta)/eta = 1/sum_j e^(-gap_j) <= e^g, g the least gap. Equality for one other key.
    """
    bound = sp.log((1 - attention_deficit) / attention_deficit)
    return Bound(r"\min_j(s_{\pi(i)}-s_j)", Relation.AT_LEAST, bound, OURS, attention_deficit < 1)


def target_weight() -> Bound:
    """Lower, tight: margin g gives the target at least the weight 1/(1 + (N-1) e^(-g)) among N keys.

    So g >= ln((N-1)(1-eta)/eta) suffices for 1 - eta. Equality where all other keys have the same score.
    """
    bound = 1 / (1 + (position_count - 1) * sp.exp(-margin))
    return Bound(r"\alpha_{i,\pi(i)}", Relation.AT_LEAST, bound, OURS)


def haar_distinct_rows() -> Bound:
    """Exact: the Haar code of d channels (with the constant) on N = 2^n positions has min(d, N) different rows.

    Proof: h_0 .. h_(d-1), d = 2^j + r, are constant on d cells: 2^j of them, r halved. They separate all cells.
    """
    return Bound(DISTINCT, Relation.EQUAL, sp.Min(dim, position_count), OURS)


def truncated_haar_injective() -> Bound:
    """Exact, wrong: that a Haar code of d < N channels tells all N positions apart. Kept to be refuted."""
    return Bound(DISTINCT, Relation.EQUAL, position_count, "false: compare haar_distinct_rows", dim < position_count)


def legendre_grid_orthogonal() -> Bound:
    """Exact, wrong: that normalised Legendre polynomials at N equidistant points have orthogonal columns of one norm.

    Their Gram matrix would have condition 1. Kept to be refuted: 10402 at N = 64, d = 32 (14739 for raw P_k).
    """
    return Bound(r"\mathrm{cond}(P^{\top}P)", Relation.EQUAL, sp.Integer(1), "false")


LOOKUP_BOUNDS = {
    "lookup-operator-norm": operator_norm,
    "lookup-shift-norm": shift_norm,
    "lookup-orthonormal-operator-norm": orthonormal_operator_norm,
    "lookup-orthonormal-frobenius-norm": orthonormal_frobenius_norm,
    "lookup-margin-needed": margin_needed,
    "lookup-target-weight": target_weight,
    "haar-distinct-rows": haar_distinct_rows,
}
LOOKUP_REFUTED = {
    "lookup-orthogonal-never-larger": orthogonal_never_larger,
    "haar-truncated-injective": truncated_haar_injective,
    "legendre-grid-orthogonal": legendre_grid_orthogonal,
}
