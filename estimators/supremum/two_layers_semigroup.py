"""U13 (DPB): the second layer as one function of free logit blocks, bounded by a smoothing semigroup and PAC-Bayes.

Class and letters as in `two_layers_paths`: f = <u, x_T> + <c, g_T(W1)> + G, G = sum_s alpha_s Y_s with
Y_s = <y, x_s> + <z, g_s> and logits of alpha that are linear in four matrices,
  l_s = x_T^T W2 x_s + g_T^T P x_s + x_T^T Q g_s + g_T^T S g_s + b_Ts,   P = V1^T W2, Q = W2 V1, S = V1^T W2 V1,
|W2| <= om2, |P|, |Q| <= nu1 om2, |S| <= nu1^2 om2, |W1| <= om1, |y| <= nu2, |z| <= nu1 nu2. All blocks are freed: G is
a fixed smooth function of (y, z, theta), theta = (W2, P, Q, S, W1), on a Euclidean space, and the class only grows.

Theorem (derived in this project). For noise scales tau_b, sigma_y, sigma_z > 0, free to choose,
  E sup sum_i eps_i f_i <= E|S_0| + nu1 Att(om1) + min{ nu2 (1 + nu1) sum_i r_i,
    sqrt(2 K(1) V) + int_0^1 min[ sqrt(2 K(s^2 = t) H(t))/2, A(t)/2 ] dt },
  K = sum_b d^2/2 ln(1 + R_b^2/(d^2 tau_b^2 t)) + d/2 ln(1 + 1/(d sigma_y^2)) + d/2 ln(1 + 1/(d sigma_z^2)),
  V = (nu2 sqrt Wy + nu1 nu2 sqrt Wz)^2 + (nu2^2 sigma_y^2 + nu1^2 nu2^2 sigma_z^2) sum_i r_i^2,
  H = sum_i (nu2 a_i + nu1 nu2 b_i)^2 + sigma_y^2 nu2^2 a_i^2 + sigma_z^2 nu1^2 nu2^2 b_i^2,  A = sum_i nu2 a_i + nu1
  nu2 b_i,
with a_i, b_i >= the L2 norms, over noise of scales tau_b sqrt t, of the vectors of <y, .>, <z, .> in L G = sum_b
tau_b^2 Laplacian_b G, and Wy >= sup_|e|=1 sum_i E <e, E_alpha x>^2, Wz the same for g.
Proof. d/dt P_t G = P_t L G/2 for G smoothed by noise of variance tau_b^2 t, so G = P_1 G - (1/2) int_0^1 P_t L G dt.
For posteriors Q (Gaussian around the parameters, prior centred with variance tau_b^2 t + R_b^2/d^2, y and z with noise
nu2 sigma_y, nu1 nu2 sigma_z) and fixed h_i: E sup_Q sum eps_i int h_i dQ <= sqrt(2 K V), V = sup_Q sum int h_i^2 dQ
(Donsker-Varadhan for lam sum eps h - lam^2 sum h^2/2, whose exponential has mean at most 1 as cosh x <= e^(x^2/2)).
P_t F at the parameters is int F dQ, linear in (y, z), so their noise has mean zero and adds its variance to h^2.

Constants, with r >= |x_s|, q = |x_T|, D >= diam x >= diam g, F = min(r^2, D^2/2) >= E|x~|^2, |Cov(x, x)|_F, E|g~|^2,
c1 = r D^2/4 >= |grad_W1 <e, g_s>|, F1 = r F^(1) >= (sum_a |d_a g_s|^2)^(1/2) = |x_s| |Cov(x, x)|_F, and
  k = (D/2) min(D^2/2, (r^2 - min|x|^2)/2 + 2 sqrt m) >= |E e~x |x~|^2| (also Cov(<e, g>, |x~|^2)), c2 = r^2 k >= |Lap
  g_s|,
m = max_{0<=v<=r} (r v - v^2)(v^2 + min(r v, -min <x_j, x_k>)) >= Var <x, E x>: |x~|^2 = |x|^2 - 2 <x, E x> + |E x|^2
and Bhatia-Davis, Var <= (max - mean)(mean - min), with v = |E x|, mean v^2, max <= r v. (min <x_j, x_k> <= r v too, as
<x, E x> >= min <x_j, x_k>.)
Logit blocks: sum tau_b^2 Lap_b G = Cov(Y, |k~|^2), |k~_s|^2 = (tau_W2^2 q^2 + tau_P^2 |g_T|^2) |x~_s|^2 + (tau_Q^2 q^2
+ tau_S^2 |g_T|^2) |g~_s|^2: h = (tau_W2^2 q^2 + tau_P^2 r^2) k + (tau_Q^2 q^2 + tau_S^2 r^2) D^3/4.
W1: Lap G = E Lap Y + 2 sum_a Cov(d_a Y, d_a l) + E Y~ |grad~ l|^2 + Cov(Y, Lap l), where
  d_a l_s = <P x_s + S g_s, d_a g_T> + <w, d_a g_s>,  w = Q^T x_T + S^T g_T,
  Lap l_s = <P x_s + S g_s, Lap g_T> + <w, Lap g_s> + 2 sum_a <d_a g_T, S d_a g_s>,
so with rho = sqrt F (|P| + |S|) + |w|: E|grad~ l|^2 <= (c1 rho)^2, sd(Lap l) <= c2 rho + 2 |S| F1^2,
  h_y = D c1^2 rho^2 + (D/2)(c2 rho + 2 |S| F1^2),  h_z = c2 + 2 c1^2 rho + h_y,  a = h + tau_W1^2 h_y, b = h +
  tau_W1^2 h_z.
|P|, |S|, |w| are random: Minkowski in L4 (rho enters squared; no independence needed) with |N|_op <= 2 sqrt d + 2 in L4
for a Gaussian N (Gordon, and |X - EX|_4 <= 16^(1/4) for a 1-Lipschitz X), |N x|_4 = |x| (d^2 + 2d)^(1/4) for fixed x:
  |P| <= nu1 om2 + tau_P sqrt t (2 sqrt d + 2), |S| alike with nu1^2 om2, |w| <= q (nu1 om2 + tau_Q sqrt t
  (d^2+2d)^(1/4)) + r |S|.
Weak variances: <e, E_alpha x>^2 <= E_alpha <e, x>^2 and E alpha_s <= cap_s, so Wy <= lambda_max(sum cap x x^T); both
Wy and Wz are at most sqrt(n M4), M4 >= sup_e sum_is <e, x_is>^4 (hull of x), and at most sum r^2. cap: given W1, the
logit of s minus the mean of the others by pi is Gaussian, mean at most mu = om2 (q d_s + nu1 r d_s + nu1 q D + nu1^2 r
D), d_s = |x_s - mean of the others|, variance at most V_s = (tau_W2^2 q^2 + tau_P^2 r^2) d_s^2 + (tau_Q^2 q^2 +
tau_S^2 r^2) D^2, and alpha_s <= logistic(that - log((1-pi)/pi)) by Jensen; E logistic(m + sqrt(V) xi) increases in m,
and in V while m <= 0, and is at most logistic(m) for m > 0. All integrals are upper sums.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from scipy.optimize import minimize
from scipy.special import expit, ndtr

from estimators.supremum.two_layers_paths import Geometry, Radii

EDGES = np.concatenate([[-40.0], np.linspace(-4.5, 4.5, 25), [40.0]])
# Largest d for which the d(d+1)/2-dimensional eigenvalue of M4 is worth its time.
QUARTIC_DIM = 32
NOISE = np.logspace(-2.5, 0.75, 27)


class Constants(NamedTuple):
    """Per sample, all (n,) but `gaps` d_s (n, T); quartic: sqrt(n M4) or infinity; cubic: k; product: F."""

    cubic: Float64[np.ndarray, " n"]
    product: Float64[np.ndarray, " n"]
    gaps: Float64[np.ndarray, "n T"]
    quartic: float


def mean_variance(shape: Geometry) -> Float64[np.ndarray, " n"]:
    """m >= Var <x, E x>: upper sum over cells of v, the first factor by its maximum, the second at the right end."""
    edges = np.linspace(0.0, 1.0, 201)
    left, right = edges[:-1], edges[1:]
    peak = np.clip(0.5, left, right)
    factor = peak - peak**2
    r = shape.size[:, None]
    second = np.maximum(right**2 * r**2 + np.minimum(r**2 * right, -shape.least_product[:, None]), 0.0)
    return (factor * r**2 * second).max(axis=1)


def quartic_form(tokens: Float64[np.ndarray, "n T d"]) -> float:
    """M4 >= sup_|e|=1 sum <e, x>^4. The form is w^T A w at w = e e^T, |w| = 1, whose part along I/sqrt d is
    1/sqrt d: at most A_00/d + 2 sqrt((1-1/d)/d) |A_0| + (1 - 1/d) lambda_max of the rest."""
    x = tokens.reshape(-1, tokens.shape[2])
    dim = x.shape[1]
    rows, columns = np.triu_indices(dim)
    pairs = x[:, rows] * x[:, columns] * np.where(rows == columns, 1.0, np.sqrt(2.0))
    along = np.where(rows == columns, 1 / np.sqrt(dim), 0.0)
    form = pairs.T @ pairs
    image = form @ along
    first = float(along @ image)
    across = image - first * along
    rest = form - np.outer(along, image) - np.outer(image, along) + first * np.outer(along, along)
    share = 1 - 1 / dim
    top = max(float(np.linalg.eigvalsh(rest)[-1]), 0.0) * share
    error = 1e-12 * float(np.trace(form))
    return first / dim + 2 * np.sqrt(share / dim) * float(np.linalg.norm(across)) + top + error


def constants(shape: Geometry) -> Constants:
    """What does not depend on radii and noise."""
    r, D = shape.size, shape.diameter
    spread = (r**2 - np.minimum(shape.smallest, r) ** 2) / 2 + 2 * np.sqrt(mean_variance(shape))
    total = np.einsum("s,nsd->nd", shape.weights, shape.tokens)
    rest = np.maximum(1 - shape.weights, 1e-300)
    gaps = np.linalg.norm(shape.tokens - total[:, None], axis=2) / rest[None, :]
    quartic = np.inf
    if shape.tokens.shape[2] <= QUARTIC_DIM:
        quartic = float(np.sqrt(len(shape.tokens) * quartic_form(shape.tokens)))
    return Constants(
        cubic=D / 2 * np.minimum(D**2 / 2, spread),
        product=np.minimum(r**2, D**2 / 2),
        # A nearly complete weight leaves the mean of the others to rounding.
        gaps=np.where(rest > 1e-4, np.minimum(gaps * (1 + 1e-10) + 1e-10 * r[:, None], D[:, None]), D[:, None]),
        quartic=quartic,
    )


def logistic_mean(centre, deviation):
    """Upper bound of E logistic(centre + deviation xi), xi standard normal; of logistic(centre) where centre > 0.

    Cells of xi: where the logistic is convex its chord, where concave its value, both at the cell's mean; else the end.
    """
    low, high = EDGES[:-1], EDGES[1:]
    mass = ndtr(high) - ndtr(low)
    mean = (np.exp(-(low**2) / 2) - np.exp(-(high**2) / 2)) / np.sqrt(2 * np.pi) / mass
    share = np.clip((mean - low) / (high - low), 0.0, 1.0)
    ends = expit(centre[..., None] + deviation[..., None] * EDGES)
    chord = ends[..., :-1] * (1 - share) + ends[..., 1:] * share
    convex = centre[..., None] + deviation[..., None] * high <= 0
    value = (np.where(convex, chord, ends[..., 1:]) * mass).sum(axis=-1)
    return np.where(centre > 0, expit(centre), np.minimum(value, 1.0)) * (1 + 1e-10) + 1e-14


class Noise(NamedTuple):
    """Scales tau_b of the Gaussian noise of the five logit blocks."""

    w2: float
    p: float
    q: float
    s: float
    w1: float


def weak_variances(shape: Geometry, known: Constants, radii: Radii, tau: Noise) -> tuple[float, float]:
    """Wy and Wz at the scale t = 1."""
    nu, om = radii.nu1, radii.om2
    r, q, D = (array[:, None] for array in (shape.size, shape.last, shape.diameter))
    mean = om * ((q + nu * r) * known.gaps + nu * (q + nu * r) * D)
    near, far = (tau.w2 * q) ** 2 + (tau.p * r) ** 2, (tau.q * q) ** 2 + (tau.s * r) ** 2
    deviation = np.sqrt(near * known.gaps**2 + far * D**2)
    caps = logistic_mean(mean - np.clip(shape.others, -1e300, 1e300), deviation)
    moment = np.einsum("ns,nsc,nsd->cd", caps, shape.tokens, shape.tokens)
    every = min(float(np.sum(shape.size**2)), known.quartic)
    return min(every, float(np.linalg.eigvalsh(moment)[-1]) * (1 + 1e-10)), every


def laplacians(shape: Geometry, known: Constants, radii: Radii, tau: Noise, t) -> tuple[np.ndarray, np.ndarray]:
    """a and b (..., n): L2 norms of the coefficients of y and z in sum_b tau_b^2 Lap_b G at noise sqrt t."""
    nu, om, dim = radii.nu1, radii.om2, shape.tokens.shape[2]
    r, q, D = shape.size, shape.last, shape.diameter
    noise, root = np.sqrt(np.asarray(t))[..., None], np.sqrt(known.product)
    operator = noise * (2 * np.sqrt(dim) + 2)
    norm_p, norm_s = nu * om + tau.p * operator, nu**2 * om + tau.s * operator
    w = q * (nu * om + tau.q * noise * (dim**2 + 2 * dim) ** 0.25) + r * norm_s
    rho = root * (norm_p + norm_s) + w
    c1, c2, f1 = r * D**2 / 4, r**2 * known.cubic, r * known.product
    h = ((tau.w2 * q) ** 2 + (tau.p * r) ** 2) * known.cubic + ((tau.q * q) ** 2 + (tau.s * r) ** 2) * D**3 / 4
    h_y = D * (c1 * rho) ** 2 + D / 2 * (c2 * rho + 2 * norm_s * f1**2)
    h_z = c2 + 2 * c1**2 * rho + h_y
    return h + tau.w1**2 * h_y, h + tau.w1**2 * h_z


def divergence(dim: int, radii: Radii, tau: Noise, t):
    """KL of the five matrix blocks at noise sqrt t."""
    nu, om = radii.nu1, radii.om2
    sizes = (om, nu * om, nu * om, nu**2 * om, radii.om1)
    ratios = np.array([size / (dim * scale) for size, scale in zip(sizes, tau, strict=True)])
    return dim**2 / 2 * np.log1p(ratios**2 / np.asarray(t)[..., None]).sum(axis=-1)


def smoothed(shape: Geometry, known: Constants, radii: Radii, tau: Noise, cells: int) -> tuple[float, float]:
    """The PAC-Bayes term at t = 1 and the integral, for one choice of noise; the noise of y and z is optimised."""
    dim, energy = shape.tokens.shape[2], float(np.sum(shape.size**2))
    ny, nz = radii.nu2, radii.nu1 * radii.nu2
    sy, sz = np.meshgrid(NOISE, NOISE, indexing="ij")
    outer = dim / 2 * (np.log1p(1 / (dim * sy**2)) + np.log1p(1 / (dim * sz**2)))
    wy, wz = weak_variances(shape, known, radii, tau)
    variance = (ny * np.sqrt(wy) + nz * np.sqrt(wz)) ** 2 + ((ny * sy) ** 2 + (nz * sz) ** 2) * energy
    first = float(np.sqrt(2 * (divergence(dim, radii, tau, 1.0) + outer) * variance).min())
    edges = np.linspace(0.0, 1.0, cells + 1) ** 2
    # KL decreases and the Laplacians increase with t: left and right ends of each cell.
    a, b = laplacians(shape, known, radii, tau, edges[1:])
    worst = (ny * a + nz * b).sum(axis=1)
    main, noise_y, noise_z = ((ny * a + nz * b) ** 2).sum(axis=1), ((ny * a) ** 2).sum(1), ((nz * b) ** 2).sum(1)
    level = np.maximum(edges[:-1], 1e-12)
    matrices = divergence(dim, radii, tau, level)
    weak = main[:, None] + noise_y[:, None] * sy.ravel() ** 2 + noise_z[:, None] * sz.ravel() ** 2
    bound = np.sqrt(2 * (matrices[:, None] + outer.ravel()) * weak).min(axis=1)
    bound[0] = worst[0]
    return first, float(np.sum(np.minimum(bound, worst) * np.diff(edges))) / 2


def semigroup(shape: Geometry, radii: Radii, frozen: float, head: float, *, searches: int = 120) -> dict[str, float]:
    """U13 with its parts. frozen >= E|S_0|, head >= Att(om1); `searches`: trials of noise scales, all valid."""
    known = constants(shape)
    ceiling = float(np.sum(shape.size)) * radii.nu2 * (1 + radii.nu1)
    parts = {"frozen": frozen, "heads": radii.nu1 * head}
    # The search runs on few samples and cells; only its winner is evaluated in full.
    few = slice(None, None, max(1, len(shape.tokens) // 32))
    small = shape._replace(
        **{name: getattr(shape, name)[few] for name in ("tokens", "query", "size", "smallest", "last", "diameter")}
    )
    scale = len(shape.tokens) / len(small.tokens)
    partial = known._replace(
        cubic=known.cubic[few], product=known.product[few], gaps=known.gaps[few], quartic=known.quartic / scale
    )
    length = np.sqrt(float(np.mean(shape.size**2)))
    unit = np.array([0.5, 0.1, 0.1, 0.05, 0.1]) / max(length, 1e-300) ** 2

    def cost(logs):
        return float(np.log(sum(smoothed(small, partial, radii, Noise(*(unit * np.exp(np.clip(logs, -12, 8)))), 16))))

    best, chosen = np.inf, np.zeros(5)
    for start in (np.zeros(5), np.array([0.5, -1.0, -1.0, -1.0, -1.0])):
        if radii.nu2 == 0 or length == 0:
            break
        options = {"maxfev": searches, "initial_simplex": start + 0.7 * np.vstack([np.zeros(5), np.eye(5)])}
        found = minimize(cost, start, method="Nelder-Mead", options=options)
        if found.fun < best:
            best, chosen = float(found.fun), np.asarray(found.x)
    first, integral = smoothed(shape, known, radii, Noise(*(unit * np.exp(np.clip(chosen, -12, 8)))), 256)
    second = min(first + integral, ceiling)
    detail = {"pac_bayes": first, "laplacian": integral, "second_layer": second}
    return parts | detail | {"total": frozen + radii.nu1 * head + second}
