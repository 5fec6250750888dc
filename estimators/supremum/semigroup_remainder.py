"""The semigroup certificate of an attention head minus its linear part (U14): averages inside a sample are kept.

U11 (`estimators.supremum.semigroup`) with the linear part taken out exactly. The heat flow leaves linear functions
alone, so P_s a_i = P_s h_i + a_i(0) + theta J_i w for h_i(x) = a_i(x) - a_i(0) - theta J_i x, and
  E sup |sum_i eps_i <u, a_i(w)>| <= E max_w |S_0 + theta J w| + min_c sqrt(2 K(s, c) (V + c^2 V')) + integral of U11,
V >= sup sum_i E <u, h_i(w + s g)>^2, V' >= sup sum_i E |h_i(w + s g)|^2, which this file bounds.

Notation of `estimators.supremum.centred`, y_ij = <u, vt_ij>, |u| <= 1, |w| <= B, x = w + s g, g standard normal. For
0 <= theta <= 1/2, with t = <x, z_ij>,
  h_i = N_i/Z_i - theta N_{i,1},  N_{i,1}(x) = J_i x,  M_i = N_i - N_{i,1} = sum_j pi_j vt_ij (e^t - 1 - t),
and Z_i >= 1 gives |<u, h_i>| <= |<u, M_i>| + (1 - theta) |<u, J_i x>|. By Minkowski in L2(samples x noise)
  (sum_i E <u, h_i(w + s g)>^2)^(1/2) <= |M| + (1 - theta) |N_1|,
  |N_1|^2 = sum_i <u, J_i w>^2 + s^2 sum_i |J_i^T u|^2,  |M| <= sum_q (B^q/q!) S_q^(1/2),
  S_q >= sum_i sum_jl pi_j pi_l K_q(j,l) y_ij y_il <w,z_ij>^q <w,z_il>^q for all |u|, |w| <= 1.
*Proof of the bound of |M|.* Hermite expansion in g: with E_j = exp(s^2 |z_j|^2/2) the coefficient of degree r of e^t -
1 - t is s^r z^(r) (E_j e^<w,z> - [r = 0](1 + <w,z>) - [r = 1]), z^(r) the r-fold tensor, and squares sum with weights
1/r!. Its part of degree q in w has the coefficients c_rqj = E_j - [r + q <= 1], and the sum over r is closed:
  K_q = E_j E_l e^(s^2 <z_j,z_l>) for q >= 2, minus E_j + E_l - 1 for q = 1,
  K_0 = E_j E_l (e^(s^2 <z_j,z_l>) - 1 - s^2 <z_j,z_l>) + (1 + s^2 <z_j,z_l>)(E_j - 1)(E_l - 1);
Minkowski over q. All but one slot of w are relaxed to Frobenius norms, <w,z_j>^(q-1) <w,z_l>^(q-1) becomes
<z_j,z_l>^(q-1), which leaves a quadratic form in u (x) w. The same with u summed out bounds sum_i E |h_i|^2. No maximum
over the tokens of a sample is taken: averages inside a sample are kept. Derived in this project.
"""

from math import factorial, sqrt
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from estimators.supremum.centred import Centred
from estimators.supremum.semigroup_flow import Flow, unit_keys
from estimators.supremum.semigroup_joint import rank_one_top
from estimators.supremum.series import exponential_tail
from estimators.supremum.tensors import effective_keys

THETAS = (0.0, 0.25, 0.5)
SMALLEST_SCALE, HOPELESS = 0.08, 1.1  # scales of a key of norm 1
LARGEST_LOGIT = 12.0  # above, powers of the logits cost more than U11 loses
LARGEST_FORM = 600  # side of the quadratic form in u (x) w
LARGEST_ORDER = 24
BLOCK = 64
UNIT = 2.0**-52
UP = 1 + 1e-10


class Forms(NamedTuple):
    """Upper bounds over |u| = |w| = 1 of a sum of squares linear in u and w: both unit, u summed out."""

    weak: float
    total: float


def _top(matrix, scale: float) -> float:
    """Largest eigenvalue of a positive semidefinite matrix, inflated by the rounding of the sum that made it."""
    return max(float(np.linalg.eigvalsh(matrix)[-1]), 0.0) + scale


class Remainder:
    """|M| and |N_1| of one head for every radius and scale; keys of norm at most 1."""

    def __init__(self, head: Centred) -> None:
        self.head = head
        n, length, self.dim = head.values.shape
        self.count = n * length
        self.joint = self.dim * head.logit_dim <= LARGEST_FORM
        self.jacobians = self._forms(lambda part, gram: np.ones_like(gram), 1)
        self.flat = self._jacobian_energy()

    def _jacobian_energy(self) -> Forms:
        """Top of sum_i J_i J_i^T and sum_i |J_i|^2: the noise s g is isotropic."""
        total, energy = np.zeros((self.dim, self.dim)), 0.0
        for first in range(0, len(self.head.values), BLOCK):
            part = slice(first, first + BLOCK)
            keys, values = self._arrays(part)
            jacobian = values.transpose(0, 2, 1) @ keys
            total += np.einsum("ndp,nep->de", jacobian, jacobian)
            energy += float(np.sum(jacobian**2))
        slack = 8 * UNIT * (self.count + 8 * self.dim) * energy
        return Forms(_top(total, slack) * UP, energy * UP)

    def _arrays(self, part: slice):
        """Keys z_ij and pi_j vt_ij of a block of samples."""
        keys = effective_keys(self.head, part)
        return keys, self.head.values[part] * self.head.weights[:, None]

    def _forms(self, kernel, order: int) -> Forms:
        """Bounds of S_order for the kernel K(part, <z_j, z_l>); K = 1 and order 1 give the form in the Jacobians."""
        d, p = self.dim, self.head.logit_dim
        by_value, by_key = np.zeros((d, d)), np.zeros((p, p)) if order else np.zeros((1, 1))
        paired = np.zeros((d * p, d * p)) if self.joint and order else None
        energy = 0.0
        for first in range(0, len(self.head.values), BLOCK):
            part = slice(first, first + BLOCK)
            keys, values = self._arrays(part)
            gram = keys @ keys.transpose(0, 2, 1)
            inner = kernel(part, gram) * gram ** max(order - 1, 0)  # (m, T, T)
            products = values @ values.transpose(0, 2, 1)
            last = gram if order else np.ones_like(gram)
            by_value += np.einsum("njd,nje->de", values, (inner * last) @ values)
            energy += float(np.einsum("njl,njl,njl->", np.abs(inner), np.abs(products), np.abs(last)))
            if not order:
                by_key += np.sum(inner * products)
                continue
            by_key += np.einsum("njp,njq->pq", keys, (inner * products) @ keys, optimize=True)
            if paired is not None:
                features = (values[..., :, None] * keys[..., None, :]).reshape(*values.shape[:2], -1)
                moved = (inner @ features).reshape(-1, d * p)
                paired += features.reshape(-1, d * p).T @ moved
        slack = 16 * UNIT * (self.count + 8 * d * p) * energy
        total = _top((by_key + by_key.T) / 2, slack)
        weak = min(_top((by_value + by_value.T) / 2, slack), total)
        if paired is not None:
            weak = min(weak, rank_one_top((paired + paired.T) / 2, d, p) + slack)
        return Forms(weak * UP, total * UP)

    def norms(self, radius: float, scale: float) -> tuple[Forms, Forms]:
        """(|M|, |N_1|) at this radius and scale s: roots of the sums of squares."""
        squares = self.head.key_norms**2
        weak = total = 0.0
        for order in range(LARGEST_ORDER + 1):
            found = self._forms(self._kernel(order, scale, squares), order)
            weight = radius**order / factorial(order)
            weak, total = weak + weight * sqrt(found.weak), total + weight * sqrt(found.total)
            rest = self._beyond(order, radius, scale)
            if rest <= 1e-3 * weak:
                break
        linear = self.jacobians
        size = tuple(
            sqrt(radius**2 * along + scale**2 * around) * UP for along, around in zip(linear, self.flat, strict=True)
        )
        return Forms((weak + rest) * UP, (total + rest) * UP), Forms(*size)

    def _kernel(self, order: int, scale: float, squares: Float64[np.ndarray, "n T"]):
        def kernel(part: slice, gram):
            raised = np.expm1(scale**2 * squares[part] / 2)  # E - 1
            left, right = raised[:, :, None], raised[:, None, :]
            shared = scale**2 * gram
            full = (1 + left) * (1 + right)
            if order >= 2:
                return full * np.exp(shared)
            if order == 1:
                return full * np.expm1(shared) + left * right
            # e^x - 1 - x loses digits only where it is below rounding of the rest.
            return full * (np.expm1(shared) - shared) + (1 + shared) * left * right

        return kernel

    def _beyond(self, order: int, radius: float, scale: float) -> float:
        """sum over degrees above `order` of (B^q/q!) S_q^(1/2), with |y| <= |vt| and |t| <= B |z|."""
        sizes = self.head.key_norms
        tails = exponential_tail(order, radius * sizes) * np.exp(scale**2 * sizes**2)
        masses = self.head.weights * np.linalg.norm(self.head.values, axis=2)
        return float(np.sqrt(np.sum(np.sum(masses * tails, axis=1) ** 2))) * UP


def remainder_variances(remainder: Remainder, radius: float, scale: float) -> dict[float, Forms]:
    """theta -> (V, V') at this radius and scale."""
    high, low = remainder.norms(radius, scale)
    return {
        theta: Forms(*((above + (1 - theta) * below) ** 2 * UP for above, below in zip(high, low, strict=True)))
        for theta in THETAS
    }


def remainder_semigroup(head: Centred, radius: float, flow: Flow | None = None) -> dict[float, float]:
    """theta -> least over the scales of smoothing cost plus integral: what U14 adds to E max |S_0 + theta J w|.

    Scales are searched upwards until the integral alone exceeds the best, or the cost rises for good. Nothing is
    returned for logits so large that powers of them cost more than U11 loses. flow: see `semigroup_flow.head_flow`.
    """
    largest = float(head.key_norms.max())
    if radius * largest == 0:
        return dict.fromkeys(THETAS, 0.0)
    if radius * largest > LARGEST_LOGIT:
        return {}
    scaled, _ = unit_keys(head)
    flow = flow or Flow(scaled, radius * largest)
    remainder = Remainder(scaled)
    best = dict.fromkeys(THETAS, np.inf)
    for scale, integral in flow.integrals():
        if scale < SMALLEST_SCALE:
            continue
        if integral >= max(best.values()):
            break
        found = remainder_variances(remainder, radius * largest, scale)
        values = {theta: (integral + flow.cost(scale, *forms)) * UP for theta, forms in found.items()}
        best = {theta: min(best[theta], values[theta]) for theta in THETAS}
        if values[THETAS[-1]] > HOPELESS * best[THETAS[-1]]:
            break
    return best
