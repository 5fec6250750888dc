"""Gaussian widths of parameter sets and the Sudakov-Fernique bound on the Rademacher complexity built from
them.

Width of a set K: omega(K) = E sup_{t in K} <g, t>, g standard normal. R_hat = E_eps sup_f (1/n) sum_i eps_i
f(x_i): 1/n and no absolute value. Letters: p parameters, d_1 x d_2 matrices, m_d = E|g|_2 in dimension d,
B_p the radius. A width does not change when the set is replaced by its closed convex hull, but a gradient or
Lipschitz supremum does: take those over the hull (the matrices of rank <= r are not convex).
"""

from collections.abc import Iterable

import sympy as sp

from theory.bound import Bound, Proof, Relation
from theory.notation import (
    columns,
    dim,
    gaussian_supremum,
    gradient_trace,
    parameter_count,
    parameter_norm,
    rank,
    rows,
    sample_size,
)

QUANTITY = r"\hat{\mathfrak R}(\mathcal F)"
WIDTH = r"\omega(W)"
OURS = "derived in this project"
FERNIQUE = "Sudakov 1971, Fernique 1975; statement as in arXiv 2109.12137, section 1.1"


def gaussian_norm_mean(dimension: sp.Expr | int = dim) -> sp.Expr:
    """m_d = E|g|_2 = sqrt2 Gamma((d+1)/2) / Gamma(d/2), exact (mean of the chi distribution)."""
    size = sp.sympify(dimension)
    if size.is_positive is False or size.is_integer is False:
        raise ValueError(f"dimension must be a positive integer, got {size}: use the number of coordinates")
    return sp.sqrt(2) * sp.gamma((size + 1) / 2) / sp.gamma(size / 2)


def norm_mean_upper() -> Bound:
    """Upper: m_d <= sqrt(d), by Jensen; the ratio tends to 1."""
    return Bound(r"m_d", Relation.AT_MOST, sp.sqrt(dim), OURS)


def norm_mean_lower() -> Bound:
    """Lower: m_d >= d/sqrt(d+1). Proof: m_d m_(d+1) = d exactly, and m_(d+1) <= sqrt(d+1)."""
    return Bound(r"m_d", Relation.AT_LEAST, dim / sp.sqrt(dim + 1), OURS)


def l2_ball() -> Bound:
    """Exact: width of {|w|_2 <= B_p} in R^p is B_p m_p (the supremum is B_p |g|_2)."""
    return Bound(WIDTH, Relation.EQUAL, parameter_norm * gaussian_norm_mean(parameter_count), OURS)


def l1_ball() -> Bound:
    """Upper: width of {|w|_1 <= B_p} is B_p E max|g_k| <= B_p min{sqrt(2 ln 2p), m_p}; equality at p = 1.

    Proof: exponential moments of the 2p variables +-g_k; |g|_inf <= |g|_2.
    """
    largest = sp.Min(sp.sqrt(2 * sp.log(2 * parameter_count)), gaussian_norm_mean(parameter_count))
    return Bound(WIDTH, Relation.AT_MOST, parameter_norm * largest, OURS)


def box() -> Bound:
    """Exact: width of [-B_p, B_p]^p is B_p E|g|_1 = B_p p sqrt(2/pi)."""
    return Bound(WIDTH, Relation.EQUAL, parameter_norm * parameter_count * sp.sqrt(2 / sp.pi), OURS)


def _spectral_norm_mean() -> sp.Expr:
    """Upper bound min{m_d1 + m_d2, m_(d1 d2)} of E|G|_op, G of d_1 x d_2 standard normals; exact for one
    row or column.

    Proof: |u v^T - u' v'^T|_F^2 <= |u-u'|^2 + |v-v'|^2 on unit spheres, so Sudakov-Fernique compares <u, G
    v> with <g, u> + <h, v> (Gordon); |G|_op <= |G|_F. The usual sqrt(d_1) + sqrt(d_2) is larger, since m_d
    <= sqrt(d).
    """
    by_sides = gaussian_norm_mean(rows) + gaussian_norm_mean(columns)
    return sp.Min(by_sides, gaussian_norm_mean(rows * columns))


def frobenius_low_rank() -> Bound:
    """Upper: width of {|W|_F <= B_p, rank W <= r} is at most B_p min{sqrt(r) (m_d1 + m_d2), m_(d1 d2)}.

    Assumes r <= min(d_1, d_2); exact at r = min(d_1, d_2), where the set is the Frobenius ball.
    Proof: the supremum is B_p (sum of the r largest squared singular values of G)^(1/2) <= B_p sqrt(r)
    |G|_op.
    """
    by_sides = sp.sqrt(rank) * (gaussian_norm_mean(rows) + gaussian_norm_mean(columns))
    width = parameter_norm * sp.Min(by_sides, gaussian_norm_mean(rows * columns))
    return Bound(WIDTH, Relation.AT_MOST, width, OURS, assumptions=sp.And(rank <= rows, rank <= columns))


def nuclear_ball() -> Bound:
    """Upper: width of {|W|_nuclear <= B_p} is B_p E|G|_op <= B_p min{m_d1 + m_d2, m_(d1 d2)}; see Gordon
    above.
    """
    return Bound(WIDTH, Relation.AT_MOST, parameter_norm * _spectral_norm_mean(), OURS)


def spectral_ball() -> Bound:
    """Upper: width of {|W|_op <= B_p} is B_p E|G|_nuclear <= B_p sqrt(min(d_1, d_2)) m_(d1 d2); exact for
    one row.

    Proof: |G|_nuclear <= sqrt(rank G) |G|_F. The usual constant sqrt(d_1 d_2) in place of m_(d1 d2) is
    larger.
    """
    width = parameter_norm * sp.sqrt(sp.Min(rows, columns)) * gaussian_norm_mean(rows * columns)
    return Bound(WIDTH, Relation.AT_MOST, width, OURS)


def gaussian_comparison() -> Bound:
    """Upper: R_hat <= sqrt(pi/2)/n E sup_t Y_t, if sum_i |f_t(x_i) - f_t'(x_i)|^2 <= E(Y_t - Y_t')^2 for
    all t, t'.

    Y: a centred Gaussian process on the parameter set. Proof: E|g| = sqrt(2/pi) and Jensen replace signs by
    Gaussians; the process sum_i g_i f_t(x_i) has increments below those of Y; Sudakov-Fernique. Equality at
    n = 1, F = {-1, 1}.
    """
    bound = sp.sqrt(sp.pi / 2) / sample_size * gaussian_supremum
    return Bound(QUANTITY, Relation.AT_MOST, bound, FERNIQUE, proof=Proof.CITED)


def sudakov_fernique(blocks: Iterable[tuple[sp.Expr | int, sp.Expr | int | Bound]]) -> Bound:
    """Upper: R_hat <= sqrt(pi/2)/n (sum_b (Lam_b omega_b)^(2/3))^(3/2), from pairs (Lam_b, omega_b).

    Assumes |f_t(x_i) - f_t'(x_i)| <= sum_b L_ib |t_b - t'_b|_2 (Frobenius for matrices) for all i, t, t',
    with Lam_b = (sum_i L_ib^2)^(1/2) and omega_b the Gaussian width of block b or an upper bound on it (a
    number, an expression, or a Bound whose assumptions and proof status are inherited).
    Proof: Minkowski gives (sum_b Lam_b |dt_b|)^2; Cauchy-Schwarz with weights theta_b, sum theta_b = 1,
    gives the process Y = sum_b Lam_b theta_b^(-1/2) <g_b, t_b>; theta_b proportional to (Lam_b
    omega_b)^(2/3) is optimal. Equality (beyond the factor sqrt(pi/2)) for one linear block.
    """
    products: list[sp.Expr] = []
    proofs = [Proof.DERIVED]
    assumptions: sp.Basic = sp.true
    for aggregate, width in blocks:
        if isinstance(width, Bound):
            if width.relation is Relation.AT_LEAST:
                raise ValueError(f"'{width}' bounds the width from below: pass an upper bound or an equality")
            proofs.append(width.proof)
            assumptions = sp.And(assumptions, width.assumptions)  # type: ignore[arg-type]
            width = width.expression
        product = sp.sympify(aggregate) * sp.sympify(width)
        if product.is_nonpositive and not product.is_zero:
            raise ValueError(f"Lipschitz aggregate times width is {product}: both must be nonnegative")
        products.append(product)
    if not products:
        raise ValueError("no blocks were given: pass at least one pair (Lipschitz aggregate, width)")
    total = sp.Add(*(product ** sp.Rational(2, 3) for product in products)) ** sp.Rational(3, 2)
    return Bound(
        QUANTITY,
        Relation.AT_MOST,
        sp.sqrt(sp.pi / 2) / sample_size * total,
        OURS + ", from Sudakov-Fernique",
        assumptions=assumptions,
        proof=max(proofs, key=list(Proof).index),
    )


def anisotropic() -> Bound:
    """Upper: R_hat <= sqrt(pi/2) (B_p/n) sqrt(tr M), for the l2 ball of radius B_p.

    Assumes M >= sum_i grad f_i(t) grad f_i(t)^T (positive semidefinite order) at every t of the convex hull
    of the parameter set. Proof: f_i(t) - f_i(t') is the mean of <grad f_i, t-t'> along the segment; Jensen
    gives increments <= (t-t')^T M (t-t'); Y = <M^(1/2) g, t> has E sup Y = B_p E|M^(1/2) g| <= B_p sqrt(tr
    M).
    """
    width = parameter_norm * sp.sqrt(gradient_trace)
    bound = sp.sqrt(sp.pi / 2) * width / sample_size
    return Bound(QUANTITY, Relation.AT_MOST, bound, OURS + ", from Sudakov-Fernique")


WIDTH_BOUNDS = {
    "gaussian-norm-upper": norm_mean_upper,
    "gaussian-norm-lower": norm_mean_lower,
    "l2-ball-width": l2_ball,
    "l1-ball-width": l1_ball,
    "box-width": box,
    "low-rank-width": frobenius_low_rank,
    "nuclear-ball-width": nuclear_ball,
    "spectral-ball-width": spectral_ball,
    "gaussian-comparison": gaussian_comparison,
    "anisotropic": anisotropic,
}
