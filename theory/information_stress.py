"""Stress of embedding the positions' output distributions: S(p) = sum_{i<j} (|p_i - p_j| - H_ij)^2 / sum_{i<j} H_ij^2.

H_ij = |sqrt(mu_i) - sqrt(mu_j)|_2 is the Hellinger chord of two distributions, mu_1 .. mu_N not all equal. Classical
multidimensional scaling (MDS) in dimension d: B = -(1/2) J (H^2) J, J = I - 1/N, eigenvalues lambda_1 >= lambda_2 >=
.., coordinates sqrt(lambda_k) u_k, k <= d. Chords are Euclidean distances, so B is positive semidefinite, rank <= N-1.
"""

import sympy as sp

from theory.bound import Bound, Proof, Relation
from theory.information import OURS, SEVERAL
from theory.notation import embedding_stress, position_count, unexplained_share


def scaling_stress() -> Bound:
    """Upper: the stress of classical MDS in dimension d is at most sum_{k>d} lambda_k / sum_k lambda_k.

    Proof: MDS projects the points sqrt(mu_i), so 0 <= |p_i - p_j| <= H_ij and (H - |p|)^2 <= H^2 - |p|^2; sum over
    pairs, with sum_{i<j} H_ij^2 = N tr B and sum_{i<j} |p_i - p_j|^2 = N sum_{k<=d} lambda_k.
    """
    return Bound(r"\mathcal S(\mathrm{MDS})", Relation.AT_MOST, unexplained_share, OURS)


def full_dimension_fit() -> Bound:
    """Exact: 1 - S(MDS) = 1, zero stress, for d >= N - 1, whatever the distributions: it is evidence of nothing there.

    Proof: `scaling_stress`, B has rank at most N - 1.
    """
    return Bound(r"1-\mathcal S(\mathrm{MDS})", Relation.EQUAL, sp.Integer(1), OURS)


def one_hot_optimum() -> Bound:
    """Exact: the least stress of N one-hot distributions in dimension 1 is (N-2)/(3N); N = 3: 1/9.

    Attained at p_i = sqrt2 (2i - N - 1)/N; N = 3: (-2 sqrt2/3, 0, 2 sqrt2/3). Proof: the min over p of
    sum (|p_i - p_j| - H)^2 is the min over orders of the least squares sum_{i<j} (p_j - p_i - H)^2, as
    (|x| - H)^2 <= (+-x - H)^2 with equality in the order of p. All H = sqrt2, so all orders agree: p_i as above, and
    the residual is sum H^2 - N sum p_i^2 = N(N-1) - 2(N^2-1)/3.
    """
    expression = (position_count - 2) / (3 * position_count)
    return Bound(r"\min_p\mathcal S(p)", Relation.EQUAL, expression, OURS, assumptions=SEVERAL)


def one_hot_scaling() -> Bound:
    """Exact: the least stress of classical MDS of N one-hot distributions in dimension 1, over the choice of
    eigenvectors, is (N - 2 sqrt(2(N^2-1)/(3N)))/(N-1); N = 3: 1/6.

    Proof: B = J, so MDS returns any unit vector x orthogonal to the constant. Then sum (x_i - x_j)^2 = N, and
    sum |x_i - x_j| = sum (2i - N - 1) x_(i) <= sqrt(N(N^2-1)/3), attained. The best x is the optimum of
    `one_hot_optimum` at a smaller scale.
    """
    count = position_count
    expression = (count - 2 * sp.sqrt(2 * (count**2 - 1) / (3 * count))) / (count - 1)
    return Bound(r"\min\mathcal S(\mathrm{MDS})", Relation.EQUAL, expression, OURS, assumptions=SEVERAL)


def scaling_minimises_stress() -> Bound:
    """Upper, wrong: classical MDS has the least stress, S(MDS) <= S(q) for every embedding q of the same dimension.

    Refuted by three one-hot distributions in dimension 1: 1/6 against 1/9. MDS minimises the strain |B - P P^T|_F.
    """
    source = "after Cirrincione, arXiv 2604.05217"
    return Bound(r"\mathcal S(\mathrm{MDS})", Relation.AT_MOST, embedding_stress, source, proof=Proof.RECALLED)


INFORMATION_STRESS_BOUNDS = {
    "stress-of-scaling": scaling_stress,
    "stress-zero-in-full-dimension": full_dimension_fit,
    "stress-one-hot-optimum": one_hot_optimum,
    "stress-one-hot-scaling": one_hot_scaling,
}
INFORMATION_STRESS_FALLACIES = {"mds-minimises-stress": scaling_minimises_stress}
