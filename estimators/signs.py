"""Rademacher sign vectors: i.i.d. draws that depend only on (seed, index), and exact enumeration."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

MOST_ENUMERATED = 20
DEFAULT_ENUMERATED = 14


def draw_signs(seed: int, draws: int, sample_size: int, *, first: int = 0) -> Float64[np.ndarray, "draws n"]:
    """`draws` independent uniform sign vectors, shape (draws, sample_size), entries -1.0 or 1.0.

    Row k depends on (seed, first + k, sample_size) only, so a run that is extended, split or moved to
    another device uses the same draws, and every encoding sees the same ones.
    """
    if draws < 1:
        raise ValueError(f"draws must be at least 1, got {draws}")
    key = jax.random.key(seed)

    def one(index):
        return jax.random.rademacher(jax.random.fold_in(key, index), (sample_size,), dtype=jnp.int8)

    return np.asarray(jax.vmap(one)(jnp.arange(first, first + draws)), dtype=np.float64)


def all_sign_classes(sample_size: int) -> Float64[np.ndarray, "classes n"]:
    """All 2^(n-1) sign vectors with first sign +1.

    Every supremum over a symmetric class takes the same value at eps and -eps, so the mean over these
    equals the mean over all 2^n. Refuses n > 20 (over half a million vectors).
    """
    if sample_size > MOST_ENUMERATED:
        raise ValueError(
            f"draws=exact enumerates 2^(n-1) sign vectors and stops at n = {MOST_ENUMERATED}, got n = "
            f"{sample_size}: use --draws 2000, or fewer samples"
        )
    bits = np.arange(2 ** (sample_size - 1))[:, None] >> np.arange(sample_size - 1)[None, :]
    rest = 1.0 - 2.0 * (bits & 1)
    return np.concatenate([np.ones((len(rest), 1)), rest], axis=1)
