"""x^L at the last position with the layer below the last one folded into it: the values of `estimators.transformer`.

For one head per layer, Norm the identity, no MLP, keys neither turned nor shifted. With z_k what enters layer L-1, A
its weights and r = 1 with residual connections, else 0, the last layer reads x^(L-1)_j = r z_j + V sum_k A_jk z_k only
in
  <q, x^(L-1)_j> = r <q, z_j> + sum_k A_jk <V^T q, z_k>,
  sum_j alpha_j x^(L-1)_j = r sum_j alpha_j z_j + V sum_k (sum_j alpha_j A_jk) z_k,
so x^(L-1) is formed at the last position only, and the gradient at A is a sum of two outer products: of the products of
matrices in layer 1 of 2, two of four remain, and two of five in the gradient. Derived in this project.
"""

import jax
import jax.numpy as jnp

from estimators.layer_features import Features
from estimators.transformer import Architecture, Parameters, Wiring, entering


def folds(architecture: Architecture, features: Features) -> bool:
    """Whether `folded_outputs` holds; reads numbers of `features`, so not for use inside a compiled program."""
    plain = not architecture.normalise and architecture.mlp_width == 0 and architecture.heads == 1
    return plain and architecture.layers > 1 and not features.turned and not features.shifted


def folded_outputs(wiring: Wiring, features: Features, parameters: Parameters):
    """`estimators.transformer.outputs` (n, d) where `folds`."""
    z = entering(wiring, features, Parameters(*(block[:-1] for block in parameters)))
    bias = features.bias[0]
    (logits, last_logits), (values, last_values) = parameters.logits[-2:, 0], parameters.values[-2:, 0]
    scores = jnp.einsum("nse,nje->nsj", jnp.einsum("nsd,de->nse", z, logits), z)
    weights = jax.nn.softmax(scores + bias, axis=-1)
    last = jnp.einsum("nk,nkd->nd", weights[:, -1], z) @ values.T
    last = last + z[:, -1] if wiring.residual else last

    query = last @ last_logits
    onto = jnp.einsum("nd,nkd->nk", query @ values, z)
    scores = jnp.einsum("nk,njk->nj", onto, weights)
    scores = scores + jnp.einsum("nd,njd->nj", query, z) if wiring.residual else scores
    alpha = jax.nn.softmax(scores + bias[-1], axis=-1)

    mixed = jnp.einsum("nk,nkd->nd", jnp.einsum("nj,njk->nk", alpha, weights), z) @ values.T
    mixed = mixed + jnp.einsum("nj,njd->nd", alpha, z) if wiring.residual else mixed
    found = mixed @ last_values.T
    return found + last if wiring.residual else found
