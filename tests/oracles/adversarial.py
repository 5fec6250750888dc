"""Adversarial token families for stress tests of the query supremum: plain NumPy, seeded."""

import numpy as np

KINDS = ("identical", "plus_minus_one", "one_special", "collinear", "huge_norm", "near_duplicates")


def adversarial_tokens(kind, n, T, d, seed):
    """Tokens (n, T, d), float64.

    identical        all n samples equal (R_hat is a closed form, see identical_complexity)
    plus_minus_one   every coordinate is -1 or +1, so keys tie exactly
    one_special      all n T tokens equal but one: the first token of the last sample
    collinear        keys equal values and lie on one line through the origin
    huge_norm        every token has norm 10^3 to 10^5, log-uniform: saturated softmax
    near_duplicates  identical samples, perturbed by 1e-9 each
    """
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, T, d))
    if kind == "identical":
        return np.broadcast_to(x[:1], x.shape).copy()
    if kind == "plus_minus_one":
        return rng.choice([-1.0, 1.0], size=(n, T, d))
    if kind == "one_special":
        special = x[-1, 0] + 1.0
        x = np.broadcast_to(x[0, 0], x.shape).copy()
        x[-1, 0] = special
        return x
    if kind == "collinear":
        return x[:, :, :1] * (x[0, 0] / np.linalg.norm(x[0, 0]))
    if kind == "huge_norm":
        length = 10.0 ** rng.uniform(3, 5, size=(n, T, 1))
        return length * x / np.linalg.norm(x, axis=2, keepdims=True)
    if kind == "near_duplicates":
        return x[:1] + 1e-9 * rng.standard_normal((n, T, d))
    raise ValueError(f"unknown kind {kind!r}")
