"""Positional information before and after one map or one layer, in nats: what processing does to it."""

import itertools
import math
from typing import Any

import mpmath
import numpy as np

from estimators.claim import Measurement
from estimators.discrete_channels import around, information
from estimators.gaussian_codes import as_code, line_information
from estimators.latent_position import latent_information, variance

DIGITS = 40


def gained_code(*, code: Any, gain: float, noise_scale: float) -> Measurement:
    """I(P; g p_P + sigma Z) of a code in one dimension after the token-wise map h -> g h, before the noise."""
    table = as_code(code, noise_scale)
    before = line_information(table, noise_scale)
    after = line_information(gain * table, noise_scale)
    return Measurement(after, {"position_information": (before.lower, before.upper)})


def averaged_code(*, code: Any, noise_scale: float) -> Measurement:
    """I after a causal head that averages all tokens so far: position i holds mean_{k<=i} p_k (one dimension)."""
    table = as_code(code, noise_scale)
    before = line_information(table, noise_scale)
    means = np.cumsum(table, axis=0) / np.arange(1, len(table) + 1)[:, None]
    return Measurement(line_information(means, noise_scale), {"position_information": (before.lower, before.upper)})


def head_on_noise(*, biases: Any, dim: int, value_scale: float, noise_scale: float) -> Measurement:
    """I after one content-free causal head on i.i.d. N(0, s^2 I) inputs, which carry none: their law is one.

    biases: row i-1 holds those of the i keys of position i. noise_scale 0 is allowed: the inputs have a density.
    """
    if not 0 <= noise_scale < math.inf:
        raise ValueError(f"noise_scale must be at least 0, got {noise_scale}: use noise_scale=0")
    v = [variance(row, value_scale).lower + noise_scale**2 for row in biases]
    before = latent_information([value_scale**2 + noise_scale**2] * len(v), dim)
    return Measurement(latent_information(v, dim), {"position_information": (before.lower, before.upper)})


def quantised_code(*, code: Any, noise_scale: float, cuts: Any) -> Measurement:
    """I(P; f(p_P + sigma Z)) in one dimension, f(z) the number of cuts below z: a map after the noise."""
    table = as_code(code, noise_scale)
    before = line_information(table, noise_scale)
    with mpmath.workdps(DIGITS):
        edges = [-mpmath.inf, *sorted(map(mpmath.mpf, cuts)), mpmath.inf]
        channel = []
        for (p,) in table.tolist():
            below = [mpmath.ncdf((edge - mpmath.mpf(p)) / mpmath.mpf(noise_scale)) for edge in edges]
            channel.append([high - low for low, high in itertools.pairwise(below)])
        found = around(information(channel))
    return Measurement(found, {"position_information": (before.lower, before.upper)})
