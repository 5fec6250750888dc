"""One attention head as a map of token sequences, with its exact Jacobian: NumPy, any encoding.

f(X)_i = V sum_j alpha_ij z_j, z_j = x_j + p_j, alpha_i = softmax_j(<z_j, A_D z_i> + <h_D, z_i> + b_ij), D = i - j,
over the keys j that query i sees. A_D = W_K^T R_D W_Q, R_D = I unless rotary; h_D = W_Q^T W_K r_D for relative vectors
r. The scale 1/sqrt(d_k) is part of W_Q. p, h, b are 0 where an encoding has none. Letters: T tokens, d channels.
"""

import functools
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from estimators.layer_features import layer_features
from theory.encodings import parse

Array = np.ndarray


class AttentionMap(NamedTuple):
    """interaction[T-1+D] = A_D, shift[T-1+D] = h_D; bias is -infinity where query i must not see key j."""

    interaction: Float64[Array, "offsets d d"]
    shift: Float64[Array, "offsets d"]
    bias: Float64[Array, "T T"]
    code: Float64[Array, "T d"]
    value: Float64[Array, "d d"]


class Constants(NamedTuple):
    """Of a map on tokens |x_j| <= R: B, |V| and C = max_j sum_i abar_ij (`theory.attention`)."""

    logit_bound: float
    value_operator_norm: float
    column_mass: float


@functools.lru_cache(maxsize=256)
def encoding_arrays(specification: str, length: int, dim: int, causal: bool, head: int) -> tuple[Array, ...]:
    """Additive table (mean power 1), bias, rotations R_D by offset, relative vectors r_D by offset (mean power 1)."""
    encoding = parse(specification, dim=dim, train_length=length, heads=max(head + 1, 8))
    features = layer_features(encoding, np.zeros((1, length, dim)), heads=1, first_head=head, causal=causal)
    tokens, bias, cosine, sine, partner, relative = (np.asarray(array) for array in features[:6])
    eye = np.eye(dim)
    forward = [cosine[t][:, None] * eye + sine[t][:, None] * partner for t in range(length)]
    rotations = np.stack([m.T for m in forward[:0:-1]] + forward)  # (2T-1, d, d): R_-D = R_D^T
    arrays = (tokens[0], bias[0], rotations, relative)
    for array in arrays:
        array.setflags(write=False)
    return arrays


def attention_map(
    specification: str,
    query: Float64[Array, "d d"],
    key: Float64[Array, "d d"],
    value: Float64[Array, "d d"],
    *,
    length: int,
    causal: bool,
    head: int = 0,
) -> AttentionMap:
    """The head W_Q = query, W_K = key, V = value with the encoding NAME[:key=value,...] trained on `length` tokens.

    ValueError where the matrices are not square and of one size.
    """
    query, key, value = (np.asarray(matrix, dtype=np.float64) for matrix in (query, key, value))
    dim = value.shape[0]
    if any(matrix.shape != (dim, dim) for matrix in (query, key, value)):
        raise ValueError(
            f"query, key and value must be d x d, got {query.shape}, {key.shape}, {value.shape}: pad them with zeros"
        )
    code, bias, rotations, relative = encoding_arrays(specification, length, dim, causal, head)
    return AttentionMap(key.T @ rotations @ query, relative @ (key.T @ query), bias, code, value)


def constants(head: AttentionMap, radius: float) -> Constants:
    """B, |V|, C for tokens in the ball of `radius`, rounded up."""
    up = 1 + 1e-13
    size = radius + np.linalg.norm(head.code, axis=1).max()
    relative = np.linalg.norm(head.shift, axis=1).max()
    bound = up * float(spectral(head.interaction) * size**2 + relative * size)
    return Constants(bound, up * float(spectral(head.value)), up * float(column_mass(head.bias, bound)))


def spectral(matrices: Float64[Array, "*batch d d"]) -> float:
    """The largest singular value of the matrices."""
    return float(np.linalg.norm(matrices, 2, axis=(-2, -1)).max())


def column_mass(bias: Float64[Array, "T T"], logit_bound: float) -> float:
    """C = max_j sum_i abar_ij, abar = pi/(pi + (1-pi) e^(-2B)), pi = softmax of the rows of `bias`."""
    weights = np.exp(bias - bias.max(axis=1, keepdims=True))
    others = weights.sum(axis=1, keepdims=True) - weights
    tilted = weights / (weights + np.exp(-2 * logit_bound) * np.maximum(others, 0.0))
    return float(tilted.sum(axis=0).max())


class Point(NamedTuple):
    """What the Jacobian at X needs: z (T, d), alpha (T, T), m = alpha z, G_ij = A_D z_i and H_ij = A_D^T z_j + h_D."""

    tokens: Float64[Array, "T d"]
    weights: Float64[Array, "T T"]
    means: Float64[Array, "T d"]
    to_key: Float64[Array, "T T d"]
    to_query: Float64[Array, "T T d"]


def at(head: AttentionMap, tokens: Float64[Array, "T d"]) -> Point:
    """The point X of the map."""
    length = head.bias.shape[0]
    offsets = np.subtract.outer(np.arange(length), np.arange(length)) + length - 1
    z = np.asarray(tokens, dtype=np.float64) + head.code
    interaction = head.interaction[offsets]  # (T, T, d, d)
    to_key = np.einsum("ijab,ib->ija", interaction, z)
    to_query = np.einsum("ijab,ja->ijb", interaction, z) + head.shift[offsets]
    logits = np.einsum("ija,ja->ij", to_key, z) + np.einsum("ijb,ib->ij", head.shift[offsets], z) + head.bias
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    return Point(z, weights, weights @ z, to_key, to_query)


def outputs(head: AttentionMap, tokens: Float64[Array, "T d"]) -> Float64[Array, "T d"]:
    """f(X)."""
    return at(head, tokens).means @ head.value.T


def forward_derivative(head: AttentionMap, point: Point, moved: Float64[Array, "*k T d"]) -> Float64[Array, "*k T d"]:
    """Df(X) applied to directions dX."""
    logits = np.einsum("ija,...ja->...ij", point.to_key, moved) + np.einsum("ijb,...ib->...ij", point.to_query, moved)
    tilted = point.weights * logits
    means = point.weights @ moved + tilted @ point.tokens - tilted.sum(axis=-1)[..., None] * point.means
    return means @ head.value.T


def backward_derivative(head: AttentionMap, point: Point, weight: Float64[Array, "T d"]) -> Float64[Array, "T d"]:
    """Df(X)^T applied to U: the gradient of <U, f(X)>."""
    pulled = weight @ head.value
    centred = pulled @ point.tokens.T - np.sum(pulled * point.means, axis=1)[:, None]
    tilted = point.weights * centred
    back = point.weights.T @ pulled
    back += np.einsum("ij,ija->ja", tilted, point.to_key)
    return back + np.einsum("ij,ijb->ib", tilted, point.to_query)


def jacobian(head: AttentionMap, tokens: Float64[Array, "T d"]) -> Float64[Array, "outputs inputs"]:
    """Df(X) as a (T d) x (T d) matrix, tokens major."""
    point = at(head, tokens)
    size = point.tokens.size
    basis = np.eye(size).reshape(size, *point.tokens.shape)
    return forward_derivative(head, point, basis).reshape(size, size).T
