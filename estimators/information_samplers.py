"""Samplers (labels, points) with their exact mutual information in nats: known truth for point estimators.

Truth: enumeration of cells where the likelihood ratios are constant, quadrature with an error bound, or invariance: a
strictly monotone or an invertible map, a permutation of the labels and independent channels leave it unchanged.
"""

import functools
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import mpmath
import numpy as np
from jaxtyping import Float64, Int

from estimators.discrete_channels import channel_information
from estimators.estimate import Estimate
from estimators.gaussian_codes import line_information
from estimators.latent_position import encoding_variances, latent_information

Labels = Int[np.ndarray, " n"]
Points = Float64[np.ndarray, "n _"]
Conditional = Callable[[np.random.Generator, Labels], Points]
Real = int | float
Map = Callable[[Points], Points]


@dataclass(frozen=True)
class Sampler:
    """Labels uniform on 0 .. label_count - 1, points drawn given them, and I(label; point).

    conditional: (rng, labels) -> points, row by row independent. tied: points repeat.
    """

    name: str
    information: Estimate
    label_count: int
    conditional: Conditional
    tied: bool = False

    def draw(self, rng: np.random.Generator, count: int) -> tuple[Labels, Points]:
        if count < 1:
            raise ValueError(f"count must be at least 1, got {count}: use for example 1000")
        labels = rng.integers(self.label_count, size=count)
        return labels, self.conditional(rng, labels)


# Base cases


def uniform_blocks(name: str, blocks: Sequence[tuple[Real, Real]]) -> Sampler:
    """Z uniform on the interval of its label. Densities are constant between the ends: I is that of the cell."""
    ends = sorted({mpmath.mpf(end) for block in blocks for end in block})
    cells = list(itertools.pairwise(ends))
    channel = [[b - a if low <= a and b <= high else 0 for a, b in cells] for low, high in blocks]
    bounds = np.array(blocks, dtype=np.float64)
    return Sampler(
        name,
        channel_information(channel=channel).estimate,
        len(blocks),
        lambda rng, labels: rng.uniform(bounds[labels, 0], bounds[labels, 1])[:, None],
    )


def truncated_exponentials(name: str, ends: Sequence[Real]) -> Sampler:
    """Z exponential of rate 1, given Z < the end of its label: likelihood ratios are constant between the ends."""
    cuts = [mpmath.mpf(0), *sorted({mpmath.mpf(end) for end in ends})]
    with mpmath.workdps(40):
        cells = [mpmath.exp(-a) - mpmath.exp(-b) for a, b in itertools.pairwise(cuts)]
    channel = [[mass if b <= end else 0 for mass, b in zip(cells, cuts[1:], strict=True)] for end in ends]
    masses = -np.expm1(-np.array(ends, dtype=np.float64))
    return Sampler(
        name,
        channel_information(channel=channel).estimate,
        len(ends),
        lambda rng, labels: -np.log1p(-rng.random(labels.size) * masses[labels])[:, None],
    )


def gaussian_line(name: str, means: Sequence[Real], noise_scale: float) -> Sampler:
    """Z normal around the mean of its label."""
    code = np.array(means, dtype=np.float64)[:, None]
    return Sampler(
        name,
        line_information(code, noise_scale),
        len(means),
        lambda rng, labels: code[labels] + noise_scale * rng.standard_normal((labels.size, 1)),
    )


def scale_mixture(name: str, variances: Sequence[Real], dim: int) -> Sampler:
    """Z ~ N(0, v I_d), v the variance of its label: the latent position of a content-free head."""
    deviations = np.sqrt(np.array(variances, dtype=np.float64))
    return Sampler(
        name,
        latent_information([float(v) for v in variances], dim),
        len(variances),
        lambda rng, labels: deviations[labels, None] * rng.standard_normal((labels.size, dim)),
    )


def gamma_rates(name: str, rates: Sequence[Real], shape: int) -> Sampler:
    """Z gamma of the given whole shape with the rate of its label.

    It is half the squared norm of 2 shape normals of variance 1/rate: sufficient there, so both informations agree.
    """
    table = np.array(rates, dtype=np.float64)
    return Sampler(
        name,
        latent_information([1 / rate for rate in rates], 2 * shape),
        len(rates),
        lambda rng, labels: (rng.gamma(shape, size=labels.size) / table[labels])[:, None],
    )


def embedded_channel(name: str, weights: Sequence[Sequence[int]], symbols: Any) -> Sampler:
    """Z is a symbol of a discrete channel shown as a fixed vector, without noise: every point repeats."""
    table = np.array(symbols, dtype=np.float64)
    sums = np.cumsum(np.array(weights, dtype=np.int64), axis=1)

    def conditional(rng: np.random.Generator, labels: Labels) -> Points:
        drawn = rng.integers(sums[labels, -1])  # whole weights: exact probabilities
        return table[(drawn[:, None] >= sums[labels]).sum(axis=1)]

    return Sampler(name, channel_information(channel=weights).estimate, len(weights), conditional, tied=True)


def zero_inflated(name: str, inner: Sampler, share: float) -> Sampler:
    """Z = 0 with probability `share`, whatever the label, else as `inner`, which never gives 0: I = (1 - share) inner.

    Z tells which case it is, and that is independent of the label.
    """
    kept = inner.information

    def conditional(rng: np.random.Generator, labels: Labels) -> Points:
        return np.where(rng.random(labels.size)[:, None] < share, 0.0, inner.conditional(rng, labels))

    truth = _outward((1 - share) * kept.lower, (1 - share) * kept.upper, kept.method)
    return replace(inner, name=name, information=truth, conditional=conditional, tied=True)


def hurdle(name: str, weights: Sequence[tuple[int, int]]) -> Sampler:
    """Z = 0 with the first weight of the label over their sum, else exponential of rate 1: only Z = 0 or not tells."""
    table = np.array(weights, dtype=np.int64)

    def conditional(rng: np.random.Generator, labels: Labels) -> Points:
        drawn = rng.integers(table.sum(axis=1)[labels])
        return np.where(drawn < table[labels, 0], 0.0, rng.exponential(size=labels.size))[:, None]

    return Sampler(name, channel_information(channel=weights).estimate, len(weights), conditional, tied=True)


def side_by_side(name: str, first: Sampler, second: Sampler) -> Sampler:
    """Label (p, q), points of p beside points of q: the informations of independent pairs add."""
    a, b = first.information, second.information

    def conditional(rng: np.random.Generator, labels: Labels) -> Points:
        p, q = np.divmod(labels, second.label_count)
        return np.hstack([first.conditional(rng, p), second.conditional(rng, q)])

    truth = _outward(a.lower + b.lower, a.upper + b.upper, a.method if a.method == b.method else "sum")
    return Sampler(name, truth, first.label_count * second.label_count, conditional, first.tied or second.tied)


def independent(name: str, label_count: int, dim: int) -> Sampler:
    """Z standard normal whatever the label: I = 0."""
    return Sampler(
        name, Estimate(0.0, 0.0, 1.0, "independence"), label_count, lambda rng, p: rng.standard_normal((p.size, dim))
    )


def _outward(lower: float, upper: float, method: str) -> Estimate:
    """Two roundings at most: moved outward by two ulps."""
    low = math.nextafter(math.nextafter(lower, -math.inf), -math.inf)
    return Estimate(low, math.nextafter(math.nextafter(upper, math.inf), math.inf), 1.0, method)


# The same truth by invariance


def mapped(name: str, inner: Sampler, change: Map) -> Sampler:
    """Points pushed through an injective map."""
    return replace(inner, name=name, conditional=lambda rng, labels: change(inner.conditional(rng, labels)))


def rotation(dim: int, seed: int) -> Map:
    """Multiplication by an orthogonal matrix."""
    turned = np.linalg.qr(np.random.default_rng(seed).standard_normal((dim, dim)))[0]
    return lambda points: points @ turned


def affine(dim: int, seed: int, condition: float) -> Map:
    """x -> A x + 1, A of singular values from 1 to 1/condition."""
    rng = np.random.default_rng(seed)
    left, right = (np.linalg.qr(rng.standard_normal((dim, dim)))[0] for _ in range(2))
    matrix = left * np.geomspace(1, 1 / condition, dim) @ right
    return lambda points: points @ matrix + 1.0


def on_circle(points: Points) -> Points:
    """z in [0, 2 pi) -> (cos z, sin z): points on a curve, without a density in the plane."""
    return np.hstack([np.cos(points), np.sin(points)])


def padded(name: str, inner: Sampler, channels: int) -> Sampler:
    """Standard normal channels added that are independent of everything."""

    def conditional(rng: np.random.Generator, labels: Labels) -> Points:
        return np.hstack([inner.conditional(rng, labels), rng.standard_normal((labels.size, channels))])

    return replace(inner, name=name, conditional=conditional, tied=False)


def relabelled(name: str, inner: Sampler, seed: int) -> Sampler:
    """Labels permuted."""
    order = np.random.default_rng(seed).permutation(inner.label_count)
    return replace(inner, name=name, conditional=lambda rng, labels: inner.conditional(rng, order[labels]))


@functools.cache
def samplers() -> Mapping[str, Sampler]:
    """By name, first the base cases."""
    equal = uniform_blocks("uniform-blocks", [(0.75 * p, 0.75 * p + 1) for p in range(6)])
    unequal = uniform_blocks("unequal-blocks", [(0, 4), (0, 1), (1, 3), (2.5, 3.5), (-1, 8)])
    arcs = uniform_blocks("arcs", [(0, 3), (1, 4), (2, 6), (5, 6.25)])
    line = gaussian_line("gaussian-line", [0, 1, 2, 3, 4, 5, 6, 7], 0.5)
    uneven = gaussian_line("uneven-line", [-3, -2.5, 0, 0.25, 4], 0.7)
    plane = side_by_side("gaussian-plane", gaussian_line("", [0, 1, 2], 0.4), gaussian_line("", [0, 1, 3, 4], 0.6))
    scales = scale_mixture("scale-mixture", [1, 1 / 4, 1 / 16, 1 / 64], 4)
    codebook = [[0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3], [1, 1, 1]]
    channel = embedded_channel("embedded-channel", [[4, 1, 0, 0, 1], [0, 3, 1, 0, 2], [1, 0, 0, 5, 0]], codebook)
    base = [
        *(equal, unequal, line, uneven, plane, scales, channel),
        truncated_exponentials("truncated-exponentials", [0.5, 1, 2, 8]),
        scale_mixture("latent-none", encoding_variances("none", 8, 0, 1.0, 0.0), 1),
        scale_mixture("latent-alibi", encoding_variances("alibi:slope=1/4", 16, 0, 1.0, 0.0), 8),
        gamma_rates("exponential-rates", [1, 4, 16, 64], 1),
        gamma_rates("gamma-rates", [1, 2, 4, 8, 16], 5),
        zero_inflated("zero-inflated-line", line, 0.4),
        hurdle("hurdle", [(9, 1), (5, 5), (1, 9), (0, 1)]),
        independent("independent", 8, 4),
    ]
    moved = [
        mapped("arcs-on-circle", arcs, on_circle),
        mapped("monotone-line", line, lambda z: np.sinh(z - 3.5)),
        mapped("monotone-exponentials", base[10], np.log),
        mapped("rotated-plane", plane, rotation(2, 1)),
        mapped("rotated-scales", scales, rotation(4, 2)),
        mapped("affine-plane", plane, affine(2, 3, 10.0)),
        padded("padded-plane", plane, 2),
        mapped("rotated-padded-line", padded("", line, 15), rotation(16, 4)),
        relabelled("relabelled-line", line, 5),
    ]
    return MappingProxyType({sampler.name: sampler for sampler in base + moved})
