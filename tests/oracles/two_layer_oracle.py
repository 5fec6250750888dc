"""Transformers written out plainly, and a strong ascent over their parameters: lower ends for U7, U12 and U13.

Independent of the certificates: no closed form but the read-out, no bound, only attained values.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
SIZES = (1.0, 0.5, 0.15, 0.04)


def attend(queries, keys, values, matrix, bias):
    """sum_j softmax_j(q_s^T W k_j + b_sj) v_j for one sample: (T, d)."""
    return jax.nn.softmax(queries @ matrix @ keys.T + bias, axis=-1) @ values


def two_layer_vector(parameters, x, bias):
    """x'_T + V2 h for one sample; f is its product with u."""
    V1, V2, W1, W2 = (parameters[name] for name in ("V1", "V2", "W1", "W2"))
    first = x + attend(x, x, x, W1, bias) @ V1.T
    weights = jax.nn.softmax(first @ W2.T @ first[-1] + bias[-1])
    return first[-1] + V2 @ (weights @ first)


def rms_norm(x, epsilon):
    return x / jnp.sqrt(jnp.mean(x**2, axis=-1, keepdims=True) + epsilon)


def transformer_vector(parameters, x, bias, *, layers, heads, residual=True, norm=None, final_norm=False, angles=None,
                       relative=None):  # fmt: skip
    """Last token of a general pre-norm transformer. angles (T, d/2): rotary; relative (T, T, d): added to keys."""
    for layer in range(layers):
        inner = x if norm is None else rms_norm(x, norm)
        change = jnp.zeros_like(x)
        for head in range(heads):
            matrix, value = parameters[f"W{layer}{head}"], parameters[f"V{layer}{head}"]
            turned = inner if angles is None else rotate(inner, angles)
            logits = turned @ matrix @ turned.T + bias
            if relative is not None:
                logits = logits + jnp.einsum("sd,std->st", turned @ matrix, relative)
            change = change + (jax.nn.softmax(logits, axis=-1) @ inner) @ value.T
        x = x + change if residual else change
        if f"M1{layer}" in parameters:
            inner = x if norm is None else rms_norm(x, norm)
            change = jax.nn.relu(inner @ parameters[f"M1{layer}"].T) @ parameters[f"M2{layer}"].T
            x = x + change if residual else change
    last = x[-1]
    return rms_norm(last, norm) if final_norm else last


def rotate(x, angles):
    even, odd = x[:, 0::2], x[:, 1::2]
    turned = jnp.stack(
        [even * jnp.cos(angles) - odd * jnp.sin(angles), even * jnp.sin(angles) + odd * jnp.cos(angles)], -1
    )
    return turned.reshape(x.shape)


def maximiser(gradient, radii, spectral):
    """The point of the product of balls farthest along the gradient: Frobenius, or spectral for names in `spectral`."""

    def one(name, value):
        if name in spectral:
            left, _, right = jnp.linalg.svd(value, full_matrices=False)
            return radii[name] * left @ right
        norm = jnp.sqrt(jnp.sum(value**2))
        return radii[name] * value / jnp.where(norm > 0, norm, 1.0)

    return {name: one(name, value) for name, value in gradient.items()}


def climb(vector, tokens, signs, radii, shapes, *extra, spectral=(), restarts=3, iterations=40, seed=0):
    """Best |sum_i eps_i vector(theta, x_i, *extra)| over parameters for every row of signs (k, n): (k,), attained.

    One program is compiled per function `vector` and shapes; radii, tokens, signs and extra are traced.
    """
    rng = np.random.default_rng(seed)
    starts = {name: jnp.asarray(rng.standard_normal((restarts, *shape))) for name, shape in sorted(shapes.items())}
    radii = {name: jnp.asarray(float(value)) for name, value in radii.items()}
    extra = tuple(jnp.asarray(array) for array in extra)
    signs = jnp.asarray(np.asarray(signs, dtype=float))
    return np.asarray(_climb(vector, jnp.asarray(tokens), signs, radii, starts, extra, tuple(spectral), iterations))


@partial(jax.jit, static_argnames=("vector", "spectral", "iterations"))
def _climb(vector, tokens, signs, radii, starts, extra, spectral, iterations):
    def value(parameters, eps):
        total = jnp.einsum("n,nd->d", eps, jax.vmap(lambda x: vector(parameters, x, *extra))(tokens))
        return jnp.sqrt(jnp.sum(total**2) + 1e-300)

    def run(eps, start):
        point = maximiser(start, radii, spectral)

        def step(state, _):
            point, best = state
            target = maximiser(jax.grad(value)(point, eps), radii, spectral)
            trials = [jax.tree.map(lambda a, b, size=size: a + size * (b - a), point, target) for size in SIZES]
            stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), point, *trials)
            found = jax.vmap(lambda theta: value(theta, eps))(stacked)
            winner = jnp.argmax(found)
            return (jax.tree.map(lambda leaf: leaf[winner], stacked), jnp.maximum(best, found[winner])), None

        (_, best), _ = jax.lax.scan(step, (point, value(point, eps)), length=iterations)
        return best

    def over_restarts(eps):
        return jnp.max(jax.lax.map(lambda start: run(eps, start), starts))

    return jax.lax.map(over_restarts, signs)


def two_layer_suprema(tokens, bias, signs, nu, om, **effort):
    """Attained sup over |V| <= nu, |W| <= om (Frobenius) for every row of signs; pairs give each layer its own."""
    (nu1, nu2), (om1, om2) = ((v, v) if np.isscalar(v) else v for v in (nu, om))
    radii = {"V1": nu1, "V2": nu2, "W1": om1, "W2": om2}
    shapes = {name: (tokens.shape[2],) * 2 for name in radii}
    return climb(two_layer_vector, tokens, signs, radii, shapes, bias, **effort)


def head_vector(parameters, x, row):
    """Att_T(W; x) of one sample."""
    return jax.nn.softmax(x @ parameters["W"].T @ x[-1] + row) @ x


def head_suprema(tokens, bias_row, signs, om, **effort):
    """Attained sup_{|W| <= om} |sum_i eps_i Att_T(W; x_i)|: the plug-in for Att(om) in tables, never a certificate."""
    return climb(head_vector, tokens, signs, {"W": om}, {"W": (tokens.shape[2],) * 2}, bias_row, **effort)


def ball(rng, radius, shape, count):
    """Points on spheres of random radius, half of them of rank one."""
    found = rng.standard_normal((count, *shape))
    if len(shape) == 2:
        found[::2] = rng.standard_normal((len(found[::2]), shape[0], 1)) * rng.standard_normal(
            (len(found[::2]), 1, shape[1])
        )
    found /= np.sqrt((found**2).sum(axis=tuple(range(1, found.ndim)), keepdims=True))
    size = np.where(rng.random(count) < 0.7, 1.0, rng.random(count))
    return radius * found * size.reshape(-1, *[1] * len(shape))


def remainder(blocks, x, bias, linear):
    """R1 + R2 for free y, z, V1, W1, W2."""
    y, z, V1, W1, W2 = blocks
    g = attend(x, x, x, W1, bias)
    first = x + g @ V1.T
    alpha = jax.nn.softmax(first @ W2.T @ first[-1] + bias[-1])
    plain = jax.nn.softmax(x @ W2.T @ x[-1] + bias[-1])
    weights = jax.nn.softmax(bias, axis=-1)
    means, last = weights @ x, weights[-1]
    base = last @ means
    if linear:
        spread = jnp.einsum("st,stc,std->scd", weights, x[None] - means[:, None], x[None] - means[:, None])
        base = base + jnp.einsum("s,scd,sd->c", last, spread, x @ W1)
    return y @ ((alpha - plain) @ x) + z @ (alpha @ g - base)


@partial(jax.jit, static_argnames="linear")
def remainder_slopes(points, x, bias, linear):
    slope = jax.grad(lambda blocks, one: remainder(blocks, one, bias, linear))
    return jax.vmap(jax.vmap(slope, (0, None)), (None, 0))(points, x)


@jax.jit
def laplacian_blocks(points, x, bias):
    """Laplacians of (sum alpha_s x_s, sum alpha_s g_s) in W2, P, Q, S, W1: (n, m, 5, 2, d)."""

    def second_layer(blocks, one):
        W2, P, Q, S, W1 = blocks
        g = attend(one, one, one, W1, bias)
        logits = one @ W2.T @ one[-1] + one @ P.T @ g[-1] + g @ Q.T @ one[-1] + g @ S.T @ g[-1] + bias[-1]
        alpha = jax.nn.softmax(logits)
        return jnp.stack([alpha @ one, alpha @ g])

    def traces(blocks, one):
        def trace(index):
            def part(flat):
                replaced = list(blocks)
                replaced[index] = flat.reshape(blocks[index].shape)
                return second_layer(replaced, one)

            return jnp.trace(jax.hessian(part)(blocks[index].ravel()), axis1=-2, axis2=-1)

        return jnp.stack([trace(index) for index in range(5)])

    return jax.vmap(jax.vmap(traces, (0, None)), (None, 0))(points, x)
