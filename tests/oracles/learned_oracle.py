"""Attention with learned biases or a learned table in plain NumPy: the best of given parameters per sign vector."""

import numpy as np

NORMS = {"l2": lambda sums: np.linalg.norm(sums, axis=-1), "l1": lambda sums: np.abs(sums).max(axis=-1)}


def outputs(keys, values, logits):
    """a_i for every row of parameters: logits (m, n, T)."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.einsum("mnt,ntd->mnd", weights / weights.sum(axis=-1, keepdims=True), values)


def bias_oracle(tokens, signs, queries, biases, ball="l2"):
    """Largest (1/n) h(sum_i eps_i a_i) over pairs of a query (m, d) and a bias row (m, T), for every sign vector."""
    logits = np.einsum("md,ntd->mnt", queries, tokens) + biases[:, None]
    sums = np.einsum("kn,mnd->kmd", signs, outputs(tokens, tokens, logits))
    return NORMS[ball](sums).max(axis=1) / len(tokens)


def table_oracle(tokens, signs, queries, tables, ball="l2"):
    """The same for a learned table: tables (m, T, d) are added to keys and values."""
    moved = tokens[None] + tables[:, None]
    logits = np.einsum("md,mntd->mnt", queries, moved)
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    sums = np.einsum("kn,mnt,mntd->kmd", signs, weights, moved, optimize=True)
    return NORMS[ball](sums).max(axis=1) / len(tokens)
