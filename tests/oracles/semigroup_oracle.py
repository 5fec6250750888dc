"""Heads of few samples and what is attained over all their signs, from the definitions."""

import numpy as np
from adversarial import KINDS, adversarial_tokens

from estimators.signs import all_sign_classes
from estimators.supremum.centred import centre

RADII = (0.5, 2.0, 5.0)


def directions(dim, points, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((points, dim))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def queries(dim, radius):
    """Dense in dimension 1 and 2, seeded in dimension 3 and more."""
    if dim == 1:
        return np.linspace(-radius, radius, 401)[:, None]
    around = (
        directions(dim, 700) if dim > 2 else np.stack([f(np.linspace(0, 2 * np.pi, 181)) for f in (np.cos, np.sin)], 1)
    )
    return np.concatenate([radius * size * around for size in (0, 0.25, 0.5, 0.75, 1)])


def outputs(head, points):
    """a_i(w), (m, n, d), from the definition."""
    effective = np.einsum("nr,nte->ntre", head.factors, head.keys).reshape(*head.keys.shape[:2], -1)
    logits = np.einsum("mp,ntp->mnt", points, effective) + np.log(head.weights)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    weights /= weights.sum(axis=2, keepdims=True)
    return np.einsum("mnt,ntd->mnd", weights, head.values + head.outputs[:, None])


def attained(head, radius):
    """E_eps max_w |sum_i eps_i a_i(w)| over feasible queries, all sign classes: never above the truth. In dimension 3
    the best query of every class is improved by shrinking random steps."""
    signs, points = all_sign_classes(len(head.values)), queries(head.logit_dim, radius)
    totals = np.linalg.norm(np.einsum("kn,mnd->kmd", signs, outputs(head, points)), axis=2)
    best, rng = totals.max(axis=1), np.random.default_rng(1)
    if head.logit_dim == 3:
        found = points[totals.argmax(axis=1)]
        for step in 0.3 * radius * 0.7 ** np.arange(8):
            tried = found[:, None] + step * rng.standard_normal((len(found), 12, 3))
            size = np.linalg.norm(tried, axis=2, keepdims=True)
            tried *= np.minimum(1, radius / size)
            value = outputs(head, tried.reshape(-1, 3)).reshape(len(found), 12, *head.outputs.shape)
            value = np.linalg.norm(np.einsum("kn,kmnd->kmd", signs, value), axis=2)
            winner = value.argmax(axis=1)
            better = value.max(axis=1) > best
            found = np.where(better[:, None], tried[np.arange(len(found)), winner], found)
            best = np.maximum(best, value.max(axis=1))
    return float(best.mean())


def random_head(seed):
    """Random shapes n <= 6, T <= 5, dimensions <= 3, one of several token laws, biases, scales and factors."""
    rng = np.random.default_rng(seed)
    n, length, dim, width = (int(rng.integers(low, high)) for low, high in ((2, 7), (1, 6), (1, 4), (1, 4)))
    kind = ("sphere", "gaussian", "shared", "shatter", *KINDS)[seed % (4 + len(KINDS))]
    bias = rng.choice([0.0, 0.5, 3.0]) * -np.arange(length)[::-1].astype(float)
    if kind == "shatter":
        keys = np.zeros((n, 2, dim))
        keys[np.arange(n), 0, np.arange(n) % dim], keys[np.arange(n), 1, np.arange(n) % dim] = 1, -1
        return centre(keys, np.tile([[[1.0], [-1.0]]], (n, 1, 1)) * np.ones(width), np.zeros(2))
    if kind in KINDS:
        keys = adversarial_tokens(kind, n, length, dim, seed)
        return centre(keys / 1e4 if kind == "huge_norm" else keys, keys, bias)
    keys, values = rng.standard_normal((n, length, dim)), rng.standard_normal((n, length, width))
    if kind == "sphere":
        keys /= np.linalg.norm(keys, axis=2, keepdims=True)
        values = keys
    if kind == "shared":
        values = 0.1 * values + rng.standard_normal((length, width))
    factors = rng.standard_normal((n, 3)) if dim == 1 and seed % 3 == 0 else None
    return centre(keys, values, bias, factors)


def shattering(n):
    keys = np.stack([[row, -row] for row in np.eye(n)])
    return centre(keys, np.tile([[[1.0], [-1.0]]], (n, 1, 1)), np.zeros(2))
