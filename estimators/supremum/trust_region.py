"""The degree-1 trust region: max_{|w| <= B} |S_0 + theta J w|_2 for every sign vector, bounded by its dual.

S_0 = sum_i eps_i a_i(0), J = sum_i eps_i Cov_pi(v_i, z_i). With J J^T = U diag(lambda) U^T and y = U^T S_0 every mu >
max lambda gives (weak duality)
  max_{|w| <= B} |S_0 + J w|^2 <= mu B^2 + sum_a mu y_a^2 / (mu - lambda_a),
and the infimum over mu equals the maximum (strong duality holds for one quadratic constraint). The returned value is
the
dual one, so it is an upper bound however badly mu was searched for. Its maximiser J^T U (y/(mu - lambda)), scaled to
the
ball, is a query whose attained value bounds the supremum of the nonlinear class from below.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

from estimators.supremum.centred import Centred

UNIT = 2.0**-52
BISECTIONS = 60
LARGEST_STACK = 4e7  # floats of the stacked Jacobians kept at once
LARGEST_BATCH = 2e7  # floats of J for one batch of sign vectors


class Linear(NamedTuple):
    """a_i(0) (n, d), Cov_pi(v_i, k_i) (n, d, e) and q_i (n, r): J_i = Cov_pi(v_i, k_i) (x) q_i."""

    outputs: Float64[np.ndarray, "n d"]
    covariances: Float64[np.ndarray, "n d e"]
    factors: Float64[np.ndarray, "n r"]


def linear_part(head: Centred) -> Linear:
    """Value and derivative of every a_i at w = 0."""
    weighted = head.values * head.weights[:, None]
    return Linear(head.outputs, np.einsum("ntd,nte->nde", weighted, head.keys), head.factors)


class TrustRegion(NamedTuple):
    """Dual values (k, m) for every sign vector and every slope theta; for the last slope queries (k, p) and what they
    attain (k,), rounded down: a lower end of the same maximum (0 where queries were not asked for)."""

    upper: Float64[np.ndarray, "k m"]
    queries: Float64[np.ndarray, "k p"]
    attained: Float64[np.ndarray, " k"]


@partial(jax.jit, static_argnames="with_queries")
def _dual(total, jacobian, radius, slopes, with_queries: bool):
    """total (k, d), jacobian (k, d, p), slopes (m,)."""
    d, p = jacobian.shape[1:]
    gram = jnp.einsum("kdp,kep->kde", jacobian, jacobian)
    # Rounding of the products and of the eigenvalues is covered by raising every eigenvalue.
    lift = 4 * (p + 40 * d) * UNIT * jnp.trace(gram, axis1=1, axis2=2)
    values, vectors = jnp.linalg.eigh(gram)
    values = jnp.maximum(values, 0.0) + lift[:, None] + jnp.finfo(jnp.float64).tiny
    along = jnp.einsum("kd,kda->ka", total, vectors)
    size = jnp.sqrt(jnp.sum(total**2, axis=-1))

    def solve(theta):
        eigen = theta**2 * values + jnp.finfo(jnp.float64).tiny  # (k, d)
        top = eigen[:, -1]
        gaps = top[:, None] - eigen  # exact to one rounding, so mu - lambda is too
        slack = jnp.finfo(jnp.float64).tiny ** 0.25
        most = jnp.log(jnp.sqrt(top) * (size + slack) / radius + top * 1e-14 + slack)
        least = most - 80.0

        def halve(_, ends):
            low, high = ends
            middle = (low + high) / 2
            slope = jnp.sum(eigen * along**2 / (gaps + jnp.exp(middle)[:, None]) ** 2, axis=-1)
            right = slope > radius**2  # the dual still falls: mu must grow
            return jnp.where(right, middle, low), jnp.where(right, high, middle)

        _, high = jax.lax.fori_loop(0, BISECTIONS, halve, (least, most))
        excess = jnp.exp(high)
        mu = top + excess
        dual = mu * radius**2 + jnp.sum(mu[:, None] * along**2 / (gaps + excess[:, None]), axis=-1)
        upper = jnp.sqrt(dual) * (1 + 1e-12) + 1e-13 * size
        return upper, along / (gaps + excess[:, None])

    upper, inner = jax.vmap(solve)(slopes)  # (m, k), (m, k, d)
    if not with_queries:
        return upper.T, jnp.zeros((len(total), 0)), jnp.zeros(len(total))
    queries = jnp.einsum("kdp,kda,ka->kp", jacobian, vectors, inner[-1])
    norm = jnp.sqrt(jnp.sum(queries**2, axis=-1, keepdims=True))
    queries = queries / jnp.where(norm > 0, norm, 1.0)
    attained = total + slopes[-1] * radius * jnp.einsum("kdp,kp->kd", jacobian, queries)
    return upper.T, queries, jnp.sqrt(jnp.sum(attained**2, axis=-1)) * (1 - 1e-12)


@jax.jit
def _stacked(signs, stack):
    return signs @ stack


@jax.jit
def _joined(signs, covariances, factors):
    flat = covariances.reshape(len(covariances), -1)

    def one(sign):
        return (flat * sign[:, None]).T @ factors  # (d e, r)

    return jax.lax.map(one, signs)


def sign_jacobians(linear: Linear, signs) -> Float64[jax.Array, "k d p"]:
    """J = sum_i eps_i J_i with columns ordered (r, e), p = r e."""
    n, d, e = linear.covariances.shape
    r = linear.factors.shape[1]
    if n * d * e * r <= LARGEST_STACK:
        stack = np.einsum("nde,nr->ndre", linear.covariances, linear.factors).reshape(n, -1)
        return _stacked(signs, stack).reshape(len(signs), d, r * e)
    joined = _joined(signs, linear.covariances, linear.factors).reshape(len(signs), d, e, r)
    return joined.transpose(0, 1, 3, 2).reshape(len(signs), d, r * e)


def trust_region(
    linear: Linear, signs: Float64[np.ndarray, "k n"], radius: float, slopes=(1.0,), *, with_queries: bool = False
) -> TrustRegion:
    """Upper ends of max_{|w| <= radius} |S_0 + theta J w| for every theta in `slopes`, and maximisers for the last."""
    n, d, e = linear.covariances.shape
    p = e * linear.factors.shape[1]
    slopes = jnp.asarray(slopes, dtype=jnp.float64)
    batch = int(max(1, min(2048, LARGEST_BATCH // (d * p))))
    uppers, queries, lowers = [], [], []
    slack = arithmetic_slack(linear, radius * float(jnp.max(slopes)))
    for first in range(0, len(signs), batch):
        part = jnp.asarray(signs[first : first + batch])
        size = len(part)
        if len(signs) > batch and size < batch:
            part = jnp.concatenate([part, jnp.ones((batch - size, n))])
        total = part @ jnp.asarray(linear.outputs)
        if radius == 0 or p == 0:
            found = jnp.sqrt(jnp.sum(total**2, axis=-1))[:, None].repeat(len(slopes), 1) * (1 + 1e-12)
            direction = jnp.zeros((len(part), p if with_queries else 0))
            attained = found[:, -1] * (1 - 2e-12)
        else:
            found, direction, attained = _dual(total, sign_jacobians(linear, part), radius, slopes, with_queries)
        uppers.append(np.asarray(found)[:size] + slack)
        queries.append(np.asarray(direction)[:size] * radius)
        lowers.append(np.maximum(np.asarray(attained)[:size] - slack, 0.0))
    return TrustRegion(np.concatenate(uppers), np.concatenate(queries), np.concatenate(lowers))


def jacobian_norms(linear: Linear) -> Float64[np.ndarray, " n"]:
    """|J_i|_op = |Cov(v_i, k_i)|_op |q_i|, rounded up."""
    operator = np.linalg.norm(linear.covariances, 2, axis=(1, 2))
    return operator * np.linalg.norm(linear.factors, axis=1) * (1 + 1e-12)


def arithmetic_slack(linear: Linear, radius: float) -> float:
    """Rounding of S_0 and J w: sums over n samples of terms whose sizes add up."""
    n = len(linear.outputs)
    sizes = np.linalg.norm(linear.outputs, axis=1) + radius * jacobian_norms(linear)
    return float(UNIT * (2 * n + 100) * sizes.sum())


def weak_variance(linear: Linear, radius: float) -> float:
    """An upper bound of sup_{|u| <= 1, |w| <= radius} sum_i <u, a_i(0) + J_i w>^2, the square of the Lipschitz constant
    of eps -> max |S_0 + J w| (`estimators.concentration`).

    The root is at most the root for a_i(0), the top eigenvalue of sum a_i a_i^T, plus radius times the root for J_i:
    the least of the top eigenvalues of sum J_i J_i^T and of the Gram matrix <J_i, J_i'>.
    """
    outputs, covariances, factors = linear
    frozen = np.linalg.eigvalsh(outputs.T @ outputs)[-1]
    sizes = (factors**2).sum(1)
    left = np.einsum("nde,nge,n->dg", covariances, covariances, sizes)
    options = [np.linalg.eigvalsh(left)[-1]]
    flat = covariances.reshape(len(covariances), -1)
    if len(flat) <= 2048:
        options.append(np.linalg.eigvalsh((flat @ flat.T) * (factors @ factors.T))[-1])
    total = (np.sqrt(max(frozen, 0.0)) + radius * np.sqrt(max(min(options), 0.0))) ** 2
    energy = (outputs**2).sum() + radius**2 * (flat**2).sum(1) @ sizes
    return float(total * (1 + 1e-9) + 1e-12 * energy)
