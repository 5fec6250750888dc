"""Plain NumPy formulas of the series certificates of one attention head, to hold the library against.

Independent of the library on purpose; every number is for a unit read-out ball and NOT divided by n:

    E_eps max_{|w| <= B} |sum_i eps_i a_i(w)|  <=  bound,     a_i(w) = sum_j softmax_j(<w, k_ij> + b_ij) v_ij

values (n, T, d), keys (n, T, p), bias (T,) or (n, T), signs (K, n). Random terms are means over the rows of `signs`
(optionally weighted): exact when the rows are all sign classes, an unbiased estimate when they are draws. Setting:
pi = softmax(b), vt = v - E_pi v, z = k - E_pi k, t = <w, z>, Z = sum pi e^t >= 1, N = sum pi vt e^t, a = a(0) + N/Z.
Derivations are in the docstrings ("derived in this project"); all arithmetic is float64 without outward rounding.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammainc

KAPPA = 0.29479  # above kappa* = .2947803504: lemma kappa*, proved in interval arithmetic by truth_oracle.kappa_ceiling
ORDER = 40
THETAS = tuple(k / 10 for k in range(11))


class Head(NamedTuple):
    """Centred head: pi (n, T), vt (n, T, d), z (n, T, p), start a_i(0) (n, d), slopes Cov_pi(v, k) (n, d, p)."""

    pi: np.ndarray
    vt: np.ndarray
    z: np.ndarray
    start: np.ndarray
    slopes: np.ndarray


def centre(values: Any, keys: Any, bias: Any) -> Head:
    """The centred head; tokens with bias -inf have pi = 0 and are moved to the mean, so they count nowhere."""
    values, keys = np.asarray(values, dtype=np.float64), np.asarray(keys, dtype=np.float64)
    bias = np.broadcast_to(np.asarray(bias, dtype=np.float64), keys.shape[:2])
    pi = np.exp(bias - bias.max(axis=1, keepdims=True))
    pi /= pi.sum(axis=1, keepdims=True)
    start, middle = np.einsum("nt,ntd->nd", pi, values), np.einsum("nt,ntp->np", pi, keys)
    seen = (pi > 0)[:, :, None]
    vt, z = np.where(seen, values - start[:, None], 0.0), np.where(seen, keys - middle[:, None], 0.0)
    return Head(pi, vt, z, start, np.einsum("nt,ntd,ntp->ndp", pi, vt, z))


def value_diameters(head: Head) -> np.ndarray:
    """D_v,i = largest distance between two values of sample i that have weight, shape (n,)."""
    gap = np.linalg.norm(head.vt[:, :, None] - head.vt[:, None], axis=3)
    both = (head.pi[:, :, None] > 0) & (head.pi[:, None] > 0)
    return np.where(both, gap, 0.0).max(axis=(1, 2))


# ---------------------------------------------------------------- trust region


def trust_region(offset: Any, slope: Any, radius: float) -> float:
    """max_{|w| <= B} |S_0 + J w|, from above, by the dual min_{mu > lam} |S_0|^2 + mu B^2 + c^T (mu - J^T J)^-1 c.

    c = J^T S_0, lam the top eigenvalue of J^T J; any mu > lam gives an upper bound (Lagrange), the least is equal
    (S-lemma). The derivative in mu, B^2 - |(mu - J^T J)^-1 c|^2, is increasing: its root is bracketed.
    """
    offset, slope = np.asarray(offset, dtype=np.float64), np.asarray(slope, dtype=np.float64)
    if radius == 0:
        return float(np.linalg.norm(offset))
    left, sigma, _ = np.linalg.svd(slope, full_matrices=False)
    moved = (left.T @ offset) * sigma
    gap = sigma[0] ** 2 - sigma**2

    def derivative(log_step: float) -> float:
        return radius**2 - float(np.sum((moved / (math.exp(log_step) + gap)) ** 2))

    top = np.linalg.norm(moved) / radius
    scale = sigma[0] ** 2 + top
    if scale == 0:
        return float(np.linalg.norm(offset))
    step = 1e-15 * scale  # hard case: the infimum is the limit mu -> lam
    if derivative(math.log(step)) < 0:
        root: Any = brentq(derivative, math.log(step), math.log(2 * max(top, step)), xtol=1e-13)
        step = math.exp(root)
    dual = offset @ offset + (sigma[0] ** 2 + step) * radius**2 + float(np.sum(moved**2 / (step + gap)))
    return math.sqrt(dual)


# ---------------------------------------------------------------- coefficients


def coefficients(values: Any, keys: Any, bias: Any, order: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """nu, zeta, beta, each (n, order + 1), indexed by the degree.

    nu_q = |N_q| = (sum_jl pi_j pi_l <vt_j, vt_l> <z_j, z_l>^q)^(1/2)/q! and zeta_q = |Z_q| are Frobenius norms of
    symmetric tensors; Z (a - a(0)) = N with Z_0 = 1, Z_1 = 0, N_0 = 0 gives a_q = N_q - sum_{p=2}^{q-1} Z_p a_{q-p},
    and |sym(A x B)| <= |A||B|, so |a_q| <= beta_q = nu_q + sum_{p=2}^{q-1} zeta_p beta_{q-p}.
    """
    return _coefficients(centre(values, keys, bias), order)


def _coefficients(head: Head, order: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    inner = head.z @ head.z.transpose(0, 2, 1)
    pair = head.pi[:, :, None] * head.pi[:, None]
    values = pair * (head.vt @ head.vt.transpose(0, 2, 1))
    nu, zeta = np.zeros((len(inner), order + 1)), np.zeros((len(inner), order + 1))
    zeta[:, 0], power = 1.0, np.ones_like(inner)
    for q in range(1, order + 1):
        power = power * inner / q**2
        nu[:, q] = np.sqrt(np.maximum((values * power).sum(axis=(1, 2)), 0.0))
        if q > 1:
            zeta[:, q] = np.sqrt(np.maximum((pair * power).sum(axis=(1, 2)), 0.0))
    beta = np.zeros_like(nu)
    for q in range(1, order + 1):
        beta[:, q] = nu[:, q] + sum(zeta[:, p] * beta[:, q - p] for p in range(2, q))
    return nu, zeta, beta


def exponential_tail(x: Any, order: int) -> Any:
    """e^x - sum_{q <= order} x^q/q! = e^x P(order + 1, x), without cancellation."""
    with np.errstate(over="ignore"):  # an infinite tail is a valid, useless bound
        return np.exp(x) * gammainc(order + 1, x)


# ---------------------------------------------------------------- tensors and their flattenings


def operator_norm(matrix: np.ndarray) -> float:
    """Top singular value, through the smaller Gram matrix."""
    small = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    return math.sqrt(max(float(np.linalg.eigvalsh(small)[-1]), 0.0))


def deflated_norm(matrix: np.ndarray, dim: int) -> float:
    """max_{|w| <= 1} |M vec(w w^T)| for M (rows, dim^2): <e, w w> = |w|^2/sqrt(dim) with e = vec(I)/sqrt(dim)."""
    unit = np.eye(dim).ravel() / math.sqrt(dim)
    along = matrix @ unit
    rest = operator_norm(matrix - np.outer(along, unit))
    return float(np.linalg.norm(along)) / math.sqrt(dim) + math.sqrt(1 - 1 / dim) * rest


def second_order(head: Head, weight: np.ndarray) -> np.ndarray:
    """sum_i weight_i a_{i,2}, a_2 = N_2, as a tensor (d, p, p)."""
    scaled = (weight[:, None] * head.pi).ravel()[:, None] / 2
    vt, z = head.vt.reshape(-1, head.vt.shape[2]), head.z.reshape(-1, head.z.shape[2])
    pairs = (z[:, :, None] * z[:, None]).reshape(len(z), -1)
    return ((scaled * vt).T @ pairs).reshape(vt.shape[1], z.shape[1], z.shape[1])


def third_order(head: Head, weight: np.ndarray) -> np.ndarray:
    """sum_i weight_i a_{i,3}, a_3 = sym(N_3 - Z_2 a_1), as a tensor (d, p, p, p)."""
    d, p = head.vt.shape[2], head.z.shape[2]
    vt, z = head.vt.reshape(-1, d), head.z.reshape(-1, p)
    scaled = (weight[:, None] * head.pi).ravel()[:, None] / 6
    rows = (scaled * vt)[:, :, None] * z[:, None]
    pairs = z[:, :, None] * z[:, None]
    cubic = (rows.reshape(len(z), -1).T @ pairs.reshape(len(z), -1)).reshape(d, p, p, p)
    spread = np.einsum("nt,ntp,ntq->npq", head.pi, head.z, head.z) / 2
    product = np.tensordot(weight[:, None, None] * head.slopes, spread, axes=(0, 0))
    return cubic - (product + product.transpose(0, 2, 1, 3) + product.transpose(0, 2, 3, 1)) / 3


def flat_norm(tensor: np.ndarray) -> float:
    """An upper bound of max <M, u w^q> over unit u, w: least over the flattenings (v w^a | w^b), b = 1, 2."""
    p = tensor.shape[1]
    candidates = [operator_norm(tensor.reshape(-1, p))]
    if tensor.ndim > 2:
        matrix = tensor.reshape(-1, p * p)
        candidates += [operator_norm(matrix), deflated_norm(matrix, p)]
    return min(candidates)


def _mean(numbers: Sequence[float], weights: Any) -> float:
    return float(np.average(np.asarray(numbers), weights=weights))


def _linear(head: Head, signs: np.ndarray, radius: float, theta: float, weights: Any) -> float:
    starts, slopes = signs @ head.start, np.tensordot(signs, head.slopes, axes=(1, 0))
    return _mean([trust_region(s, theta * j, radius) for s, j in zip(starts, slopes, strict=True)], weights)


def flat_mean(head: Head, signs: np.ndarray, degree: int, weights: Any = None) -> float:
    """Mean over the rows of signs of |sum_i eps_i a_{i,degree}|_flat."""
    build = {2: second_order, 3: third_order}[degree]
    return _mean([flat_norm(build(head, row)) for row in signs], weights)


# ---------------------------------------------------------------- U1, U2, U9


def trivial(values: Any, keys: Any, bias: Any) -> float:
    """U1: sum_i max_j |v_ij| over the tokens that have weight."""
    head = centre(values, keys, bias)
    norms = np.where(head.pi > 0, np.linalg.norm(values, axis=2), 0.0)
    return float(norms.max(axis=1).sum())


def width(values: Any, keys: Any, bias: Any, radius: float) -> float:
    """U2: sqrt(pi/2) ((sigma_v m_d)^(2/3) + (Lam B m_p)^(2/3))^(3/2), L_i = D_v,i D_k,i/4, m_d = E|g_d|.

    |<u, a> - <u', a'>| <= |u - u'| max|v| + L_i |w - w'| since da = Cov_alpha(v, k) dw; then Sudakov-Fernique.
    """
    head = centre(values, keys, bias)
    norms = np.where(head.pi > 0, np.linalg.norm(values, axis=2), 0.0).max(axis=1)
    lipschitz = value_diameters(head) * value_diameters(head._replace(vt=head.z)) / 4
    m_d, m_p = (math.sqrt(2) * math.gamma((k + 1) / 2) / math.gamma(k / 2) if k < 300 else math.sqrt(k)
                for k in (head.vt.shape[2], head.z.shape[2]))  # fmt: skip
    blocks = np.linalg.norm(norms) * m_d, np.linalg.norm(lipschitz) * radius * m_p
    return float(math.sqrt(math.pi / 2) * sum(b ** (2 / 3) for b in blocks) ** 1.5)


def remainders(head: Head, radius: float, order: int = ORDER) -> np.ndarray:
    """Entry Q = sum_{q > Q} B^q (sum_i beta_{i,q}^2)^(1/2) with its tail, Q = 0..order; inf beyond the radius.

    beta_i(r) = nu_i(r)/(1 - zeta_i(r)) for any r > B with zeta_i(r) < 1, and beta_{i,q} <= beta_i(r) r^-q.
    """
    nu, zeta, beta = _coefficients(head, order)
    degrees, norms = np.arange(order + 1), np.linalg.norm(head.z, axis=2)
    terms = radius**degrees * np.linalg.norm(beta, axis=0)
    tails = [0.0 if radius == 0 else math.inf]
    for r in radius * (1 + np.geomspace(0.02, 4, 40)):
        beyond = head.pi * exponential_tail(r * norms, order)
        zeta_r = zeta[:, 2:] @ r ** degrees[2:] + beyond.sum(axis=1)
        if radius > 0 and zeta_r.max() < 1:
            nu_r = nu @ r**degrees + (beyond * np.linalg.norm(head.vt, axis=2)).sum(axis=1)
            ratio = radius / r
            tails.append(float(ratio ** (order + 1) / (1 - ratio) * np.linalg.norm(nu_r / (1 - zeta_r))))
    return np.cumsum(terms[::-1])[::-1] - terms + min(tails)


def taylor_bombieri(values: Any, keys: Any, bias: Any, signs: Any, radius: float, Q: int,
                    weights: Any = None, order: int = ORDER) -> float:  # fmt: skip
    """U9: E max|S_0 + J w| + sum_{q=2}^Q B^q E|a_{eps,q}|_flat + sum_{q>Q} B^q (sum_i beta_{i,q}^2)^(1/2), Q = 1, 2, 3.

    E|sum_i eps_i a_{i,q}| <= (sum_i |a_{i,q}|^2)^(1/2) by Jensen and independence. inf when the series has no proof.
    """
    head, signs = centre(values, keys, bias), np.atleast_2d(np.asarray(signs, dtype=np.float64))
    rest = float(remainders(head, radius, order)[Q])
    if math.isinf(rest):
        return math.inf
    flat = sum(radius**q * flat_mean(head, signs, q, weights) for q in range(2, Q + 1))
    return _linear(head, signs, radius, 1.0, weights) + flat + rest


# ---------------------------------------------------------------- U10


def _power(base: np.ndarray, exponent: int) -> np.ndarray:
    """base**exponent by products: numpy's integer power of a float array is ten times slower."""
    out = np.ones_like(base)
    for _ in range(exponent):
        out = out * base
    return out


def schatten(left: np.ndarray, right: np.ndarray, pi: np.ndarray, split: tuple[int, int]) -> float:
    """(E|sum_i g_i M_i|_op^4)^(1/4) from above, M_i = sum_j pi_j (l_j x r_j^a)(r_j^b)^T, (a, b) = split, g Gaussian.

    E tr (G^T G)^2 by Wick = |sum M^T M|^2 + |sum M M^T|^2 + sum_ik tr(M_i^T M_k M_i^T M_k), and the last sum is at
    most the smaller of the first two (Cauchy-Schwarz on M_i^T M_k or on M_k M_i^T). left (n, T, d), right (n, T, p).
    """
    a, b = split
    phi = (left @ left.transpose(0, 2, 1)) * _power(right @ right.transpose(0, 2, 1), a)
    psi = _power(right @ right.transpose(0, 2, 1), b)
    pair = pi[:, :, None] * pi[:, None]
    phi, psi, first, second = pair * phi, pair * psi, 0.0, 0.0
    for i in range(len(pi)):  # pairs (i, k) with k >= i: both sums are symmetric
        between = right[i] @ right[i:].transpose(0, 2, 1)
        c, e = _power(between, b), (left[i] @ left[i:].transpose(0, 2, 1)) * _power(between, a)
        twice = np.where(np.arange(len(c)) == 0, 1.0, 2.0)
        first += float(twice @ np.sum((phi[i] @ c) * (c @ phi[i:]), axis=(1, 2)))
        second += float(twice @ np.sum((psi[i] @ e) * (e @ psi[i:]), axis=(1, 2)))
    first, second = max(first, 0.0), max(second, 0.0)
    return float((first + second + min(first, second)) ** 0.25)


def widths(head: Head, radius: float, x_norms: str = "schatten4", kappa: float = KAPPA, order: int = ORDER,
           gaussians: Any = None, schatten_order: int = 4) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """B^q x_q and B^q y_q for q = 0..order (index = degree), the last entry including all higher orders.

    x_norms: 'frobenius', 'schatten4' (least of it and Frobenius up to `schatten_order`), 'draws' (flattened norms
    of explicit tensors averaged over the rows of `gaussians` for q <= 2: an estimate, for experiments).
    """
    if x_norms not in ("frobenius", "schatten4", "draws"):
        raise ValueError(f"x_norms is 'frobenius', 'schatten4' or 'draws', got {x_norms!r}: choose one of them")
    nu, zeta, _ = _coefficients(head, order)
    weight = kappa * value_diameters(head)
    x, y = np.linalg.norm(nu, axis=0), np.linalg.norm(weight[:, None] * zeta, axis=0)
    y[:2] = 0.0
    if x_norms == "schatten4":
        scaled = weight[:, None, None] * np.ones((*head.pi.shape, 1))
        for q in range(1, schatten_order + 1):
            for a in range(q):
                x[q] = min(x[q], schatten(head.vt, head.z, head.pi, (a, q - a)) / math.factorial(q))
                if 1 <= a <= q - a:  # exchanging a and b exchanges the two sums
                    y[q] = min(y[q], schatten(scaled, head.z, head.pi, (a, q - a)) / math.factorial(q))
    if x_norms == "draws":
        draws = np.atleast_2d(np.asarray(gaussians, dtype=np.float64))
        x[1] = np.mean([operator_norm(np.tensordot(g, head.slopes, axes=(0, 0))) for g in draws])
        x[2] = flat_mean(head, draws, 2)
    power = radius ** np.arange(order + 1)
    x, y = x * power, y * power
    # per token: a far key of a token whose value is the mean costs nothing in X
    beyond = head.pi * exponential_tail(radius * np.linalg.norm(head.z, axis=2), order)
    x[-1] += np.linalg.norm((beyond * np.linalg.norm(head.vt, axis=2)).sum(axis=1))
    y[-1] += np.linalg.norm(weight * beyond.sum(axis=1))
    return x, y


def contraction(head: Head, radius: float, theta: float, m: int, x: np.ndarray, y: np.ndarray) -> float:
    """[X_{>m}^(2/3) + (rho X_{<=m})^(2/3) + Y^(2/3)]^(3/2), rho = max(1 - theta, theta - 1/Zmax); no sqrt(pi/2)."""
    z_max = float((head.pi * np.exp(radius * np.linalg.norm(head.z, axis=2))).sum(axis=1).max())
    rho = max(1 - theta, theta - 1 / z_max)
    blocks = x[m + 1 :].sum(), rho * x[1 : m + 1].sum(), y.sum()
    return float(sum(b ** (2 / 3) for b in blocks) ** 1.5)


def division_free(values: Any, keys: Any, bias: Any, signs: Any, radius: float, theta: float, m: int,
                  x_norms: str = "frobenius", weights: Any = None, kappa: float = KAPPA,
                  gaussians: Any = None) -> float:  # fmt: skip
    """U10: E max|S_0 + theta J w| + theta [m=2] B^2 E|N_{eps,2}|_flat + sqrt(pi/2) * contraction. Any radius.

    a = a(0) + x/z with x = N, z = Z in [1, Zmax]; h = x/z - theta x_lo. For two points ordered so that z >= z':
    dh = dx_hi/z + (1/z - theta) dx_lo - (x'/z'/z) dz and |x'/z'|/z <= |x'/z'|/z' <= kappa* D_v (lemma kappa*).
    Then signs to Gaussians (sqrt(pi/2)), Sudakov-Fernique with three independent blocks, best weights.
    """
    head, signs = centre(values, keys, bias), np.atleast_2d(np.asarray(signs, dtype=np.float64))
    x, y = widths(head, radius, x_norms, kappa, gaussians=gaussians)
    extra = theta * radius**2 * flat_mean(head, signs, 2, weights) if m == 2 and theta > 0 else 0.0
    comparison = math.sqrt(math.pi / 2) * contraction(head, radius, theta, m, x, y)
    return _linear(head, signs, radius, theta, weights) + extra + comparison


def plain_upper(values: Any, keys: Any, bias: Any, signs: Any, radius: float, weights: Any = None,
                x_norms: str = "schatten4", largest_tensor: int = 2**23,
                schatten_order: int = 4) -> tuple[float, str]:  # fmt: skip
    """min(U9 with Q = 1, 2, 3; U10 over 11 theta and m = 1, 2) and the name of the winner, nothing computed twice.

    Third-order tensors with more than `largest_tensor` entries (d p^3) are left out.
    """
    head, signs = centre(values, keys, bias), np.atleast_2d(np.asarray(signs, dtype=np.float64))
    second = radius**2 * flat_mean(head, signs, 2, weights)
    linear = {theta: _linear(head, signs, radius, theta, weights) for theta in THETAS}
    rest, found = remainders(head, radius), {}
    if math.isfinite(rest[0]):
        found["U9 Q=1"] = linear[1.0] + rest[1]
        found["U9 Q=2"] = linear[1.0] + second + rest[2]
        if head.vt.shape[2] * head.z.shape[2] ** 3 <= largest_tensor:
            third = radius**3 * flat_mean(head, signs, 3, weights)
            found["U9 Q=3"] = linear[1.0] + second + third + rest[3]
    x, y = widths(head, radius, x_norms, schatten_order=schatten_order)
    for theta in THETAS:
        for m in (1, 2):
            comparison = math.sqrt(math.pi / 2) * contraction(head, radius, theta, m, x, y)
            found[f"U10 m={m} theta={theta:.1f}"] = linear[theta] + (m == 2) * theta * second + comparison
    winner = min(found, key=lambda name: found[name])
    return float(found[winner]), winner
