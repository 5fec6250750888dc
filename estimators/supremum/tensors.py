"""Homogeneous parts as explicit tensors for draws of coefficients, and upper bounds of their injective norms.

For coefficients c (signs or standard Gaussians) M_q = sum_i c_i N_{i,q} in R^(d x p x ... x p). Needed is
max_{|u| = |w| = 1} |<M_q, u (x) w^q>|; every flattening's operator norm bounds it. Splitting off the identity
direction e
= vec(I)/sqrt p of a pair of slots, in which every w (x) w has the same share 1/sqrt p, is sharper:
  |M(ww)| <= |M e|/sqrt p + sqrt(1 - 1/p) |M - M e e^T|.
"""

from collections.abc import Iterator
from math import factorial
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from estimators.supremum.centred import Centred

UP = 1 + 1e-11
LARGEST_BLOCK = 4e6  # floats of per-sample tensors formed at once
LARGEST_RESULT = 8e7  # floats of the tensors of all draws
LARGEST_KEPT = 6e7  # floats of the tensors of all samples


def tensor_size(dim: int, logit_dim: int, order: int) -> int:
    return dim * logit_dim**order


def affordable(samples: int, draws: int, length: int, dim: int, logit_dim: int, order: int) -> bool:
    """Whether the tensors of `draws` coefficient vectors fit and take no more than about ten seconds of products."""
    size = tensor_size(dim, logit_dim, order)
    return draws * size <= LARGEST_RESULT and samples * size * (draws + length) <= 2e11


def effective_keys(head: Centred, part: slice) -> Float64[np.ndarray, "m T p"]:
    """z_ij = q_i (x) kt_ij for a block of samples, columns ordered (r, e)."""
    keys = head.keys[part]
    m, length, e = keys.shape
    joined = head.factors[part][:, None, :, None] * keys[:, :, None, :]
    return joined.reshape(m, length, e * head.factors.shape[1])


def sample_tensors(head: Centred, order: int, *, quotient: bool = False) -> Iterator[tuple[slice, np.ndarray]]:
    """Blocks of samples with N_{i,order} flattened to (m, d p^order); with `quotient` the coefficients of a_i itself,
    a_2 = N_2 and a_3 = N_3 - Z_2 a_1, symmetric in the p-slots."""
    n, length, d = head.values.shape
    p = head.logit_dim
    size = tensor_size(d, p, order)
    block = int(max(1, min(n, LARGEST_BLOCK // max(size, length * d * p))))
    for first in range(0, n, block):
        part = slice(first, min(first + block, n))
        keys = effective_keys(head, part)  # (m, T, p)
        m = len(keys)
        weighted = head.values[part] * head.weights[:, None]
        left = weighted
        for _ in range(order - 1):
            left = (left[..., None] * keys[:, :, None, :]).reshape(m, length, -1)
        tensor = left.transpose(0, 2, 1) @ keys / factorial(order)  # (m, d p^(q-1), p)
        if quotient and order == 3:
            jacobian = (weighted.transpose(0, 2, 1) @ keys).reshape(m, d, p, 1, 1)
            spread = ((keys * head.weights[:, None]).transpose(0, 2, 1) @ keys / 2).reshape(m, 1, 1, p, p)
            product = jacobian * spread
            product = (product + product.transpose(0, 1, 3, 2, 4) + product.transpose(0, 1, 4, 3, 2)) / 3
            tensor = tensor.reshape(product.shape) - product
        yield part, tensor.reshape(m, size)


class Survey(NamedTuple):
    """sum_i c_i N_{i,q} of shape (k, d, p^q) for every coefficient vector, and the weak variance: an upper bound of
    sup_{|u| = |w| = 1} sum_i <N_{i,q}, u (x) w^q>^2."""

    tensors: Float64[np.ndarray, "k d p_q"]
    weak_variance: float


def survey(head: Centred, coefficients: Float64[np.ndarray, "k n"], order: int, *, quotient: bool = False) -> Survey:
    """One pass over the samples. The weak variance is the least of the top eigenvalues of the Gram matrix between
    samples (where the samples' tensors fit into memory) and of sum_i N_i^T N_i on one p-slot."""
    n, _, d = head.values.shape
    p = head.logit_dim
    size = tensor_size(d, p, order)
    total, side, energy = np.zeros((len(coefficients), size)), np.zeros((p, p)), 0.0
    kept = [] if n * size <= LARGEST_KEPT and n * n * size <= 4e10 else None
    for part, block in sample_tensors(head, order, quotient=quotient):
        total += coefficients[:, part] @ block
        rows = block.reshape(-1, p)
        side += rows.T @ rows
        energy += float((block**2).sum())
        if kept is not None:
            kept.append(block)
    options = [np.linalg.eigvalsh(side)[-1]]
    if kept is not None:
        stack = np.concatenate(kept)
        options.append(np.linalg.eigvalsh(stack @ stack.T)[-1])
    weak = max(float(min(options)), 0.0) * UP + 1e-11 * energy
    return Survey(total.reshape(len(coefficients), d, p**order), weak)


def operator_norms(matrices: Float64[np.ndarray, "k a b"]) -> Float64[np.ndarray, " k"]:
    """Largest singular values, rounded up, by the smaller Gram matrix."""
    if matrices.shape[1] > matrices.shape[2]:
        matrices = matrices.transpose(0, 2, 1)
    gram = matrices @ matrices.transpose(0, 2, 1)
    trace = np.trace(gram, axis1=1, axis2=2)
    return np.sqrt(np.maximum(np.linalg.eigvalsh(gram)[:, -1], 0) + 1e-13 * trace) * UP


def injective_upper(tensors: Float64[np.ndarray, "k d p_q"], logit_dim: int, order: int) -> Float64[np.ndarray, " k"]:
    """An upper bound of max_{u, w} |<M, u (x) w^order>| for every draw: the least of several flattenings."""
    k, d, _ = tensors.shape
    p = logit_dim
    if order == 1:
        return operator_norms(tensors)
    options = [operator_norms(tensors.reshape(k, -1, p))]
    if p**2 <= 4096:
        rows = tensors.reshape(k, -1, p * p)  # (k, d p^(q-2), p^2)
        identity = np.eye(p).reshape(-1) / np.sqrt(p)
        along = rows @ identity  # (k, d p^(q-2))
        rest = rows - along[..., None] * identity
        shared = injective_upper(along.reshape(k, d, -1), p, order - 2) if order > 2 else np.linalg.norm(along, axis=1)
        options.append((shared / np.sqrt(p) + np.sqrt(1 - 1 / p) * operator_norms(rest)) * UP)
    return np.min(options, axis=0)
