"""Values of the Transformer class with a proved bound on their rounding error: lower ends that floating point cannot
make too large.

For given parameters (floats, hence exact points of the class) x^L is evaluated once more, and e_s >= |computed x_s -
exact x_s| is carried along with the norms that were met. u = 2^-52 (twice the unit roundoff), E = max_s e_s, r = max_s
|z_s|, rk = r + max|relative vector|, |b| the largest finite bias, |W| = min(|W|_F, radius) >= |W|_op:
  Norm     e_z = 2 e/s + (d + 8) u |z|, s >= computed s - e/sqrt(d), s(x) = (|x|^2/d + epsilon)^(1/2), because N(x) -
           N(x') = (x - x')/s(x) + N(x') (s(x') - s(x))/s(x), |N| <= sqrt(d), s is 1/sqrt(d)-Lipschitz; or e_z = e
  logits   eta_s = |W| (e_zs rk + |z_s| E) + (6 d + 40) u |W|_F |z_s| rk + 4 u |b|: bilinear; dot products of d terms
  weights  |alpha - alpha'|_1 <= eta (`theory.softmax`) + u (2 A + 2 T + 40), A = 2 |W| |z_s| rk + 2 |b| >= their range
  output   sum_h |V_h| min{E + r (eta + u (2 A + 3 T + 40)), 2 r} + (H d + 8) u |V_h|_F r
  MLP      |M2| |M1| e_z + (2 d + 2 m + 16) u |M1|_F |M2|_F |z|;   every sum u |result| more.
In the rank ball the search keeps the singular values after the r-th at rounding only; `excess` is their Frobenius norm,
and the nearest matrix of rank r, which is in the ball, moves logits by excess |z_s| rk and outputs by excess r.
The order of evaluation does not matter: sums of k terms err by at most k u times the sum of sizes. Derived in this
project.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

from estimators.layer_features import Features
from estimators.supremum.norm_balls import NormBall
from estimators.transformer import Architecture, Parameters, Wiring, attend, normalised

UNIT = 2.0**-52
UP = 1 + 1e-10


def attained(
    architecture: Architecture, features: Features, signs: Float64[np.ndarray, "K n"], parameters: Parameters
) -> Float64[np.ndarray, " K"]:
    """Lower ends of |sum_i eps_i x^L_T,i| at parameters with a leading axis K, rounding subtracted, at least 0."""
    balls = architecture.balls
    excess = tuple(_excess(ball, np.asarray(block)) for ball, block in zip(balls[:2], parameters[:2], strict=True))
    radii = tuple(float(ball.radius) for ball in balls)
    found = np.asarray(_lower(architecture.wiring, features, signs, parameters, excess, radii))
    return np.where(np.isfinite(found), np.maximum(found, 0.0), 0.0)


def _excess(ball: NormBall, blocks: Float64[np.ndarray, "K L H d d"]) -> Float64[np.ndarray, "K L H"]:
    """Distance to the matrices of rank at most r, rounded up; 0 in the other balls."""
    if ball.kind != "rank":
        return np.zeros(blocks.shape[:3])
    values = np.linalg.svd(blocks, compute_uv=False)
    return (np.linalg.norm(values[..., ball.rank :], axis=-1) + 16 * blocks.shape[-1] * UNIT * values[..., 0]) * UP


def _frobenius(matrices):
    return jnp.sqrt(jnp.sum(matrices**2, axis=(-2, -1))) * UP


def _norms(x):
    return jnp.sqrt(jnp.sum(x**2, axis=-1)) * UP


def _norm_errors(wiring: Wiring, x, error):
    """Norm of x (n, T, d), its size (n, T) and its error (n, T) for an x known to `error` (n, T)."""
    z = normalised(wiring, x)
    sizes = _norms(z)
    if wiring.normalise:
        dim = x.shape[-1]
        scale = jnp.sqrt(jnp.mean(x**2, axis=-1) + wiring.epsilon) / UP - error / np.sqrt(dim)
        scale = jnp.maximum(scale, np.sqrt(wiring.epsilon) / UP)
        error = jnp.minimum(2 * error / scale, 2 * np.sqrt(dim)) * UP + (dim + 8) * UNIT * sizes
    return z, sizes + error, error


def _attention(wiring: Wiring, features: Features, logits, values, x, error, excess, radii):
    """sum_h V_h (mixture of values) (n, T, d) and its error (n, T)."""
    _, sizes, error = _norm_errors(wiring, x, error)
    length, dim, heads = *x.shape[1:], len(logits)
    bias = jnp.where(jnp.isfinite(features.bias), jnp.abs(features.bias), 0.0).max()
    size, worst = sizes.max(axis=1, keepdims=True), error.max(axis=1, keepdims=True)
    key = size + _norms(features.relative).max()
    total = jnp.zeros_like(error)
    for head in range(heads):
        whole, outer = _frobenius(logits[head]), _frobenius(values[head])
        operator, carried = jnp.minimum(whole, radii[0] * UP), jnp.minimum(outer, radii[1] * UP)
        moved = operator * (error * key + sizes * worst) + excess[0][head] * sizes * key
        moved += (6 * dim + 40) * UNIT * whole * sizes * key + 4 * UNIT * bias
        spread = 2 * operator * sizes * key + 2 * bias
        mixed = worst + size * (moved + UNIT * (2 * spread + 3 * length + 40))
        total += carried * jnp.minimum(mixed, 2 * size) + excess[1][head] * size
        total += (heads * dim + 8) * UNIT * outer * size
    return attend(wiring, features, logits, values, x, last=False), total * UP


@partial(jax.jit, static_argnames="wiring")
def _lower(wiring: Wiring, features: Features, signs, parameters: Parameters, excess, radii):
    """Value minus error (K,), one member at a time."""

    def one(member):
        signs, parameters, excess = member
        x = features.tokens
        error = jnp.zeros(x.shape[:2])
        for layer, (logits, values, mlp_in, mlp_out) in enumerate(zip(*parameters, strict=True)):
            own = tuple(part[layer] for part in excess)
            added, fresh = _attention(wiring, features, logits, values, x, error, own, radii)
            x = x + added if wiring.residual else added
            error = (error + fresh if wiring.residual else fresh) + UNIT * _norms(x)
            if not mlp_in.shape[0]:
                continue
            z, sizes, inner = _norm_errors(wiring, x, error)
            added = jax.nn.relu(z @ mlp_in.T) @ mlp_out.T
            first, second = _frobenius(mlp_in), _frobenius(mlp_out)
            fresh = jnp.minimum(first, radii[2] * UP) * jnp.minimum(second, radii[3] * UP) * inner
            fresh += (2 * sum(mlp_in.shape) + 16) * UNIT * first * second * sizes
            x = x + added if wiring.residual else added
            error = (error + fresh if wiring.residual else fresh) * UP + UNIT * _norms(x)
        value = jnp.sqrt(jnp.sum((signs @ x[:, -1]) ** 2))
        reach = (len(signs) + x.shape[-1] + 8) * UNIT * _norms(x[:, -1]).sum()
        return value - (error[:, -1].sum() * UP + reach)

    return jax.lax.map(one, (signs, parameters, excess))
