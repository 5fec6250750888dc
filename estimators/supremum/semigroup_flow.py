"""The heat flow of one attention head: what U11 and U14 share (theorem in `estimators.supremum.semigroup`).

K(s, c), the offsets c_i, the weak variances of a and of its Laplacian over the noise, and the integral of the theorem
between consecutive scales, for keys of norm at most 1. Notation of `estimators.supremum.centred`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import comb, sqrt
from typing import NamedTuple

import numpy as np

from estimators.supremum.centred import Centred
from estimators.supremum.semigroup_joint import LARGEST_PAIR, Tokens, joint_variance, sort_tokens
from estimators.supremum.semigroup_variances import (
    distance_variances,
    largest_mean,
    logit_distances,
    squared_diameters,
    weak_variance,
    weight_caps,
)

RELATIVE = 1e-9
READOUT_SCALES = np.geomspace(0.05, 50.0, 61)
LARGEST_SCALE = 8.0
CELLS = 22
CELLS_PER_OCTAVE = 2
SUBCELLS = 16
NEGLIGIBLE = 1e-3  # share of the trivial bound


@dataclass(frozen=True)
class Geometry:
    """What every scale needs, for keys of norm at most 1. third: bounds of |Delta a_i|; gains: G_i; distances: the
    vectors of length `reach`, where `joint_variance` is affordable."""

    reach: np.ndarray
    distances: np.ndarray | None
    odds: np.ndarray
    gains: np.ndarray
    third: np.ndarray
    dim: int


def geometry_of(head: Centred) -> Geometry:
    gains = distance_variances(head.factors, head.keys, squared_diameters(head.keys))
    third = np.sqrt(squared_diameters(head.values) * gains) / 2  # |Cov(y, s)| <= sd(y) sd(s), sd(y) <= D_v/2
    n, length, _ = head.keys.shape
    distances, odds = logit_distances(head.keys, head.weights)
    reach = np.linalg.norm(head.factors, axis=1)[:, None] * np.linalg.norm(distances, axis=2) * (1 + 1e-12)
    full = None
    if head.logit_dim * head.values.shape[2] <= LARGEST_PAIR:
        full = np.einsum("nr,nte->ntre", head.factors, distances).reshape(n, length, -1)
    # w acts through the span of the keys, and centred keys of one sample span T - 1 dimensions.
    return Geometry(reach, full, odds, gains, third * (1 + 1e-11), min(head.logit_dim, n * max(length - 1, 1)))


class Spread(NamedTuple):
    """Values v_ij - c_i, the weight of each sample in the sum of squares, and the tokens for `joint_variance`."""

    values: np.ndarray
    gains: np.ndarray
    tokens: Tokens | None


def spread_of(geometry: Geometry, values, gains) -> Spread:
    full = geometry.distances
    return Spread(values, gains, None if full is None else sort_tokens(full, values, geometry.odds, gains))


def offsets(head: Centred):
    """(name, v_ij - c_i, bound of E|sum_i eps_i c_i|) for c_i = 0, the mean of a_i(0), and a_i(0)."""
    n = len(head.values)
    mean = head.outputs.mean(axis=0)
    flips = n * comb(n - 1, (n - 1) // 2) / 2 ** (n - 1)  # E|sum eps_i|
    raw = head.values + head.outputs[:, None]
    common = flips * float(np.linalg.norm(mean))
    yield "none", raw, 0.0
    yield "common", raw - mean, common * (1 + 1e-11)
    rest = sqrt(float(np.sum((head.outputs - mean) ** 2)))
    yield "outputs", head.values, min(sqrt(float(np.sum(head.outputs**2))), common + rest) * (1 + 1e-11)


def entropy(geometry: Geometry, radius: float, square) -> np.ndarray:
    """p ln(1 + B^2/(p s^2))/2 for s^2 = `square` > 0."""
    return np.asarray(geometry.dim / 2 * np.log1p(radius**2 / (geometry.dim * square)))


def pac(cost_of_query, weak: float, total: float, dim: int) -> np.ndarray:
    """min over the grid of c^2 = t/d of sqrt(2 (k + d ln(1 + 1/t)/2)(weak + t total/d)), k = `cost_of_query`."""
    cost = np.asarray(cost_of_query)[..., None] + dim / 2 * np.log1p(1 / READOUT_SCALES)
    return np.asarray(np.sqrt(2 * np.min(cost * (weak + READOUT_SCALES * total / dim), axis=-1)))


def unit_keys(head: Centred) -> tuple[Centred, float]:
    """The head with keys divided by their largest norm, and that norm: logits want the radius times it."""
    largest, scale = float(head.key_norms.max()), float(np.linalg.norm(head.factors, axis=1).max())
    return head._replace(keys=head.keys * (scale / largest), factors=head.factors / scale), largest


def flow_scales(largest: float) -> np.ndarray:
    return largest * 2.0 ** (-np.arange(CELLS, -1, -1) / CELLS_PER_OCTAVE)


def moments(geometry: Geometry, spread: Spread, radius: float, low: float, high: float, cubes: bool):
    """Upper bounds of sum_i gains_i E alpha <u, v>^2 for the worst u and w, and of sum_i gains_i E alpha |v|^2."""
    values, gains, tokens = spread
    caps = weight_caps(geometry.reach, geometry.odds, radius, low, high)
    total = float(np.sum(gains * largest_mean(np.sum(values**2, axis=2), caps)))
    weak = weak_variance(values, caps, gains, cubes=cubes)
    return weak if tokens is None else min(weak, joint_variance(tokens, radius, low, high)), total


def least_spread(geometry: Geometry, options, radius: float) -> Spread:
    """The centring with the least H at a middling scale: Var_alpha <u, v> is that of v - c for every c."""
    spreads = [spread_of(geometry, values, geometry.gains) for values in options]
    return min(spreads, key=lambda spread: moments(geometry, spread, radius, 0.5, 0.5, False)[0])


def flow_cell(geometry: Geometry, spread: Spread, radius: float, low: float, high: float, cubes: bool = False):
    """H and an upper bound of the integral of the theorem over low^2 <= r <= high^2: K decreases in r."""
    weak, total = moments(geometry, spread, radius, low, high, cubes)
    edges = np.linspace(low**2, high**2, SUBCELLS + 1)
    total = min(total, float(np.sum(geometry.third**2)))
    bound = pac(entropy(geometry, radius, edges[:-1]), weak, total, spread.values.shape[2])
    return weak, float(np.sum(np.diff(edges) * np.minimum(bound, geometry.third.sum()))) / 2


class Flow:
    """The heat flow of one head, keys of norm at most 1: H and the steps of the integral between consecutive scales,
    each computed once. It serves every split a = h + rest whose rest the flow leaves alone."""

    def __init__(self, head: Centred, radius: float, largest: float = LARGEST_SCALE) -> None:
        self.radius, self.geometry = radius, geometry_of(head)
        # Smaller scales save nothing of the integral and cost entropy.
        scales = flow_scales(largest)
        raw = np.linalg.norm(head.values + head.outputs[:, None], axis=2).max(axis=1).sum()
        negligible = self.geometry.third.sum() * scales**2 / 2 <= NEGLIGIBLE * raw
        self.scales = scales[min(max(int(negligible.sum()) - 1, 0), len(scales) - 2) :]
        self.curved = least_spread(self.geometry, [values for _, values, _ in offsets(head)], radius)
        self.width = head.values.shape[2]
        self._cells: list[tuple[float, float]] = []

    @property
    def start(self) -> float:
        """The integral up to the first scale."""
        return float(self.geometry.third.sum()) * float(self.scales[0]) ** 2 / 2

    def cell(self, index: int) -> tuple[float, float]:
        """(H, integral) from scale number `index` to the next one."""
        while len(self._cells) <= index:
            low, high = self.scales[len(self._cells) : len(self._cells) + 2]
            self._cells.append(flow_cell(self.geometry, self.curved, self.radius, low, high))
        return self._cells[index]

    def integrals(self) -> Iterator[tuple[float, float]]:
        """(scale, integral up to it), upwards."""
        total = self.start
        for index, scale in enumerate(self.scales[1:]):
            total += self.cell(index)[1]
            yield float(scale), total * (1 + RELATIVE)

    def cost(self, scale: float, weak: float, total: float) -> float:
        """min over c of sqrt(2 K(scale, c) (weak + c^2 total))."""
        return float(pac(entropy(self.geometry, self.radius, scale**2), weak, total, self.width))


def head_flow(head: Centred, radius: float) -> "Flow | None":
    """The heat flow of a head; None where its logits are all 0."""
    if radius * float(head.key_norms.max()) == 0:
        return None
    scaled, largest = unit_keys(head)
    return Flow(scaled, radius * largest)
