"""Sharper bounds on one attention head: series in the logit parameter (U9, U10), Gaussian smoothing (U11, U14).

Class and R_hat as in `theory.rademacher`; |w|_2 <= B_w = B. pi_i = softmax(b_i), over the finite biases. Keys and
values are centred by pi_i: z_ij = k_ij - E_pi k, vt_ij = v_ij - E_pi v, so that t_ij = <w, z_ij> has mean 0 and
  a_i(w) = a_i(0) + N_i(w)/Z_i(w),  N_i = sum_j pi_ij vt_ij e^(t_ij),  Z_i = sum_j pi_ij e^(t_ij) >= 1.
Homogeneous parts N_iq = sum_j pi_ij vt_ij t_ij^q/q!, Z_iq = sum_j pi_ij t_ij^q/q!, Z_i1 = 0; S_0 = sum eps_i a_i(0),
J = sum_i eps_i Cov_pi(v_i, k_i). |M|_flat is any upper bound of max_{|u|,|w| <= 1} |<M, u (x) w^q>|, such as the
operator norm of a flattening. Every statistic is a sum over the samples, NOT divided by n, for B_u = 1.

The read-out set is the l2 ball of radius B_u, over which sup_u <u, S> = B_u |S|. The l1 ball of the same radius lies
inside it, so each statement holds for it with the same (l2) statistics. A bias with trainable parameters is covered
only if these are coordinates of w. Every statement is derived in this project.
"""

from collections.abc import Sequence

import sympy as sp

from theory.bound import Bound, Relation
from theory.notation import (
    dim,
    divergence,
    exponent,
    high_order_width,
    laplacian_integral,
    largest_normaliser,
    logit_dim,
    logit_norm,
    low_order_width,
    majorant_energy,
    mixing,
    normaliser_spread,
    normaliser_width,
    readout_norm,
    readout_scale,
    sample_size,
    series_order,
    series_radius,
    series_remainder,
    smoothed_width,
    smoothing_scale,
    tensor_sum,
    trust_region_mean,
    value_energy,
    weak_value_energy,
    weak_variance,
)
from theory.widths import sudakov_fernique

QUANTITY = r"\hat{\mathfrak R}(\mathcal F)"
OURS = "derived in this project"


def _scaled(total: sp.Expr, ball: str) -> Bound:
    if ball not in ("l2", "l1"):
        raise ValueError(f"ball must be l2 or l1, got {ball!r}: both use the statistics of the l2 ball")
    return Bound(QUANTITY, Relation.AT_MOST, readout_norm / sample_size * total, OURS)


def taylor_bombieri(ball: str = "l2") -> Bound:
    """U9, upper: R_hat <= (B_u/n) {trust_region_mean + tensor_sum + series_remainder}, for every order Q >= 1.

    trust_region_mean = E max_{|w| <= B} |S_0 + Jw| (theta = 1); tensor_sum = sum_{q=2}^Q B^q E|sum_i eps_i a_iq|_flat,
    a_iq the part of a_i(w) of degree q; series_remainder >= sum_{q>Q} B^q (sum_i beta_iq^2)^(1/2), from
    `bombieri_coefficients` up to an order Q_1 and `series_tail` above it. Assumes sum_{p>=2} zeta_ip r^p < 1 for some
    r > B and every i, zeta_ip = (sum_jl pi_j pi_l <z_j, z_l>^p)^(1/2)/p!: the series of every a_i converges on the
    ball.
    Proof: Z (a - a(0)) = N and Z_1 = 0 give a_q = N_q - sum_{p=2}^{q-1} Z_p a_{q-p}. The Bombieri norm |.| (Frobenius
    norm of the symmetric tensor) is submultiplicative, since the tensor of a product is a symmetrised, that is
    projected, tensor product: |a_iq| <= beta_iq. |P(w)| <= |P| |w|^q and E|sum eps_i a_iq| <= (sum |a_iq|^2)^(1/2).
    """
    return _scaled(trust_region_mean + tensor_sum + series_remainder, ball)


def division_free(ball: str = "l2") -> Bound:
    """U10, upper, any B: R_hat <= (B_u/n) {trust_region_mean + tensor_sum + sqrt(pi/2) [X_{>m}^(2/3) + (rho
    X_{<=m})^(2/3) + Y^(2/3)]^(3/2)}, for every theta >= 0 and m in {1, 2}.

    trust_region_mean = E max_{|w| <= B} |S_0 + theta J w|; tensor_sum = theta [m = 2] B^2 E|sum eps_i N_i2|_flat; X_I =
    sum_{q in I} B^q E|sum g_i N_iq|_flat, g Gaussian; rho = `spread()`; Y = sum_{q>=2} B^q E|sum g_i kappa_i
    Z_iq|_flat, kappa_i >= sup_w |<u, a_i - a_i(0)>|/Z_i: kappa* D_i (`theory.normaliser`), D_i the diameter of the
    values. Orders above Q_1 cost at most (sum_i (sum_j pi_ij |vt_ij|)^2)^(1/2) E in X and (sum_i kappa_i^2)^(1/2) E
    in Y, E = `exponential_tail`(Q_1, B max|z_ij|).
    Proof: split N = x_lo + x_hi by degree, h = <u, N/Z - theta x_lo>. Of two points (u, w), (u', w') let the first have
    the larger z = Z_i. Then h - h' = Dx_hi/z + (1/z - theta) Dx_lo - (<u', N'>/z') Dz/z, and 1/z <= 1, |1/z - theta| <=
    rho, |<u', N'>/z'|/z <= |<u', N'>/z'|/z' <= kappa_i. Gaussian comparison by blocks (`theory.widths`) with the
    processes sum g_i x_hi,i, rho sum g_i x_lo,i and sum g_i kappa_i z_i; the constant 1 of z_i has mean 0.
    """
    blocks = (
        (sp.Integer(1), high_order_width),
        (normaliser_spread, low_order_width),
        (sp.Integer(1), normaliser_width),
    )
    compared = sample_size * sudakov_fernique(blocks).expression
    return _scaled(trust_region_mean + tensor_sum + compared, ball)


def semigroup(ball: str = "l2") -> Bound:
    """U11, upper, any B: R_hat <= (B_u/n) {smoothed_width + laplacian_integral}, for every scale tau_0 > 0.

    smoothed_width >= E sup |sum eps_i P_tau0 a_i(w)|, P_tau a(w) = E a(w + tau g): see `smoothed`. laplacian_integral =
    (1/2) int_0^(tau_0^2) min{sqrt(2 KL(sqrt r, sigma) (H_w + sigma^2 H_t)), A} dr, sigma free at every r, where Delta
    a_i = E_alpha[(v - E_alpha v) |k - E_alpha k|^2] is the Laplacian in w, H_w >= sup_u sum_i sup_alpha <u, Delta
    a_i>^2, H_t >= sum_i sup |Delta a_i|^2 and A >= sum_i sup |Delta a_i|.
    Proof: the heat equation d/dr P_{sqrt r} a = (1/2) P_{sqrt r} Delta a gives a = P_tau0 a - (1/2) int P_{sqrt r}
    Delta a dr; the supremum of a sum is at most the sum of suprema; `change_of_measure` for each r, with posterior
    N(w, r I) x N(u, sigma^2 I). No series, no normaliser, no Gaussian comparison. The integrand decreases in r, so an
    upper Riemann sum with left ends is a bound.
    """
    return _scaled(smoothed_width + laplacian_integral, ball)


def remainder_semigroup(ball: str = "l2") -> Bound:
    """U14, upper, any B: R_hat <= (B_u/n) {trust_region_mean + smoothed_width + laplacian_integral}, for every scale
    tau_0 > 0 and 0 <= theta <= 1/2.

    trust_region_mean = E max_{|w| <= B} |S_0 + theta J w|; smoothed_width >= E sup |sum eps_i P_tau0 h_i(w)|, h_i(x) =
    a_i(x) - a_i(0) - theta J_i x, as in `smoothed` with V_w >= sup sum_i E <u, h_i(w + tau_0 g)>^2; laplacian_integral
    as in `semigroup`.
    Proof: linear functions are their own Gaussian averages, and have no Laplacian: P_tau0 a_i = P_tau0 h_i + a_i(0) +
    theta J_i w, and the integral is that of `semigroup`. V_w is small since h_i = (N_i - N_i1)/Z_i + (1/Z_i - theta)
    N_i1 with Z_i >= 1, so |<u, h_i>| <= |<u, N_i - N_i1>| + (1 - theta) |<u, J_i x>|: sums over the tokens of a sample
    stay inside the square (`estimators.supremum.semigroup_remainder` evaluates their Gaussian means in closed form).
    """
    return _scaled(trust_region_mean + smoothed_width + laplacian_integral, ball)


def gaussian_divergence(
    scale: sp.Expr | int = smoothing_scale,
    readout: sp.Expr | int = readout_scale,
    radius: sp.Expr | int = logit_norm,
) -> sp.Expr:
    """KL(tau, sigma) = (p/2) ln(1 + B^2/(p tau^2)) + (d/2) ln(1 + 1/(d sigma^2)), p = dim w, d = dim u, at most
    B^2/(2 tau^2) + 1/(2 sigma^2).

    The largest KL(N(w, tau^2 I) x N(u, sigma^2 I) | prior) over |w| <= B, |u| <= 1, for the prior N(0, (tau^2 + B^2/p)
    I) x N(0, (sigma^2 + 1/d) I): trace and mean terms add up to the dimension on the sphere, the determinants remain.
    """
    query = logit_dim * sp.log(1 + sp.sympify(radius) ** 2 / (logit_dim * sp.sympify(scale) ** 2)) / 2
    return query + dim * sp.log(1 + 1 / (dim * sp.sympify(readout) ** 2)) / 2


def divergence_bound() -> Bound:
    """Exact: the largest divergence of the posteriors of U11 from their prior; see `gaussian_divergence`."""
    quantity = r"\sup_{|w|\le B_w,|u|\le1}\mathrm{KL}(Q_{w,u}|P)"
    return Bound(quantity, Relation.EQUAL, gaussian_divergence(), OURS)


def change_of_measure() -> Bound:
    """Upper: E_eps sup_Q int sum_i eps_i h_i dQ <= sqrt(2 KL V), over laws Q with KL(Q | P) <= KL, for a prior P that
    does not depend on eps and V = sup_Q int sum_i h_i^2 dQ, h_i any measurable functions with V finite.

    Proof: Donsker-Varadhan for c sum eps_i h_i - (c^2/2) sum h_i^2; its exponential moment under P has mean at most 1
    over eps (cosh x <= e^(x^2/2), Fubini), Jensen; best c = sqrt(2 KL/V). No symmetry and no union bound is needed.
    """
    quantity = r"\mathbb E_\varepsilon\sup_Q\int\sum_i\varepsilon_ih_i\,dQ"
    return Bound(quantity, Relation.AT_MOST, sp.sqrt(2 * divergence * weak_variance), OURS)


def smoothed() -> Bound:
    """Upper: E sup_{|u|<=1,|w|<=B} |sum_i eps_i P_tau a_i(w)| <= sqrt(2 KL(tau, sigma) (V_w + sigma^2 sigma_v^2)).

    V_w >= sup_{u,w} sum_i E_g <u, a_i(w + tau g)>^2. Proof: `change_of_measure` with h_i = <u~, a_i(w~)>: its mean over
    u~ ~ N(u, sigma^2 I) is linear, hence exact, and E<u~, x>^2 = <u, x>^2 + sigma^2 |x|^2, |a_i| <= max_j |v_ij|.
    """
    variance = weak_value_energy + readout_scale**2 * value_energy
    quantity = r"\mathbb E\sup|\sum_i\varepsilon_iP_\tau a_i|"
    return Bound(quantity, Relation.AT_MOST, sp.sqrt(2 * gaussian_divergence() * variance), OURS)


def spread() -> Bound:
    """Exact: rho = max{|1/z - theta|: 1 <= z <= Z_max} = max(1 - theta, theta - 1/Z_max); least, (1 - 1/Z_max)/2, at
    theta = (1 + 1/Z_max)/2. Z_max >= sup_w Z_i(w) over all samples, for example `theory.normaliser.growth`.
    """
    largest = sp.Max(1 - mixing, mixing - 1 / largest_normaliser)
    return Bound(r"\rho", Relation.EQUAL, largest, OURS, assumptions=largest_normaliser >= 1)


def exponential_tail(order: int, x: sp.Expr | int = exponent) -> sp.Expr:
    """e^x - sum_{q <= order} x^q/q!, exactly: what the orders above `order` of e^x are worth.

    It cancels in floating point for small x: evaluate it certified (`theory.certified.enclose`), or use
    `exponential_tail_bound`, which does not cancel.
    """
    if order < 0:
        raise ValueError(f"order must be at least 0, got {order}: it is the last order that is summed")
    argument = sp.sympify(x)
    return sp.exp(argument) - sp.Add(*(argument**q / sp.factorial(q) for q in range(order + 1)))


def exponential_tail_bound() -> Bound:
    """Upper: e^x - sum_{q <= Q_1} x^q/q! <= e^x x^(Q_1+1)/(Q_1+1)! for x >= 0 (Lagrange's remainder)."""
    quantity = r"e^x-\sum_{q\le Q_1}x^q/q!"
    bound = sp.exp(exponent) * exponent ** (series_order + 1) / sp.factorial(series_order + 1)
    return Bound(quantity, Relation.AT_MOST, bound, OURS)


def bombieri_coefficients(values: Sequence[sp.Expr], keys: Sequence[sp.Expr]) -> tuple[sp.Expr, ...]:
    """beta_1, ..., beta_Q of one sample: beta_q = nu_q + sum_{p=2}^{q-1} zeta_p beta_{q-p} >= |a_q| (Bombieri norm).

    values: nu_1, ..., nu_Q, nu_q = (sum_jl pi_j pi_l <vt_j, vt_l> <z_j, z_l>^q)^(1/2)/q!. keys: zeta_1, ..., zeta_Q;
    zeta_1 is 0 for centred keys and not used. Generating function: beta(r) = nu(r)/(1 - zeta(r)), zeta from order 2.
    """
    if len(values) != len(keys):
        raise ValueError(f"{len(values)} value norms and {len(keys)} key norms: pass both up to the same order")
    found: list[sp.Expr] = []
    for q, value in enumerate(values, start=1):
        found.append(sp.sympify(value) + sp.Add(*(keys[p - 1] * found[q - p - 1] for p in range(2, q))))
    return tuple(found)


def series_tail() -> Bound:
    """Upper: sum_{q > Q_1} B^q (sum_i beta_iq^2)^(1/2) <= (B/r)^(Q_1+1)/(1 - B/r) (sum_i beta_i(r)^2)^(1/2), 0 <= B <
    r.

    beta_i(r) = nu_i(r)/(1 - zeta_i(r)) >= sum_q beta_iq r^q needs zeta_i(r) < 1, where zeta_i(r) <= sum_{p=2}^{Q_1}
    zeta_ip r^p + sum_j pi_ij `exponential_tail`(Q_1, r |z_ij|), and nu_i(r) likewise from q = 1 with weights pi_ij
    |vt_ij|. Proof: all terms are nonnegative, so beta_iq r^q <= beta_i(r); geometric series.
    """
    ratio = logit_norm / series_radius
    bound = ratio ** (series_order + 1) / (1 - ratio) * sp.sqrt(majorant_energy)
    quantity = r"\sum_{q>Q_1}B_w^q(\sum_i\beta_{iq}^2)^{1/2}"
    return Bound(quantity, Relation.AT_MOST, bound, OURS, assumptions=logit_norm < series_radius)


SERIES_BOUNDS = {
    "U9-series": taylor_bombieri,
    "U10-division-free": division_free,
    "U11-semigroup": semigroup,
    "U14-remainder-semigroup": remainder_semigroup,
}
SERIES_LEMMAS = {
    "divergence": divergence_bound,
    "change-of-measure": change_of_measure,
    "smoothed": smoothed,
    "spread": spread,
    "exponential-tail": exponential_tail_bound,
    "series-tail": series_tail,
}
