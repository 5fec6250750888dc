"""The truth that travels with each sampler, against means of log likelihood ratios of its own draws."""

import math

import numpy as np
import pytest
from scipy import stats

from estimators import information_samplers as made
from estimators.information_samplers import samplers

DRAWS = 20_000
LINE = [0, 1, 2, 3, 4, 5, 6, 7]


def blocks(ends):
    return lambda z: np.stack([stats.uniform.pdf(z[:, 0], a, b - a) for a, b in ends], axis=1)


def line(means, noise):
    return lambda z: stats.norm.pdf(z[:, :1], np.array(means), noise)


def product(first, second):
    return lambda z: (first(z[:, :1])[:, :, None] * second(z[:, 1:])[:, None, :]).reshape(len(z), -1)


def scales(variances):
    return lambda z: np.stack([stats.norm.pdf(z, 0, math.sqrt(v)).prod(axis=1) for v in variances], axis=1)


def gammas(rates, shape):
    return lambda z: np.stack([stats.gamma.pdf(z[:, 0], shape, scale=1 / rate) for rate in rates], axis=1)


def truncated(ends):
    return lambda z: np.stack([stats.truncexpon.pdf(z[:, 0], end) for end in ends], axis=1)


def with_zeros(shares, inner):
    def densities(z):
        zero = z[:, :1] == 0
        return np.where(zero, np.array(shares), (1 - np.array(shares)) * inner(z))

    return densities


def symbols(weights, codebook):
    table = np.array(weights) / np.sum(weights, axis=1, keepdims=True)
    return lambda z: table[:, (z[:, None] == np.array(codebook)).all(axis=2).argmax(axis=1)].T


def alibi(i, slope=0.25):
    weights = np.exp(-slope * np.arange(i))
    return (weights**2).sum() / weights.sum() ** 2


CODEBOOK = [[0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3], [1, 1, 1]]
PLANE = product(line([0, 1, 2], 0.4), line([0, 1, 3, 4], 0.6))
FOUR = scales([1, 1 / 4, 1 / 16, 1 / 64])
DENSITIES = {
    "uniform-blocks": blocks([(0.75 * p, 0.75 * p + 1) for p in range(6)]),
    "unequal-blocks": blocks([(0, 4), (0, 1), (1, 3), (2.5, 3.5), (-1, 8)]),
    "gaussian-line": line(LINE, 0.5),
    "uneven-line": line([-3, -2.5, 0, 0.25, 4], 0.7),
    "gaussian-plane": PLANE,
    "scale-mixture": FOUR,
    "embedded-channel": symbols([[4, 1, 0, 0, 1], [0, 3, 1, 0, 2], [1, 0, 0, 5, 0]], CODEBOOK),
    "truncated-exponentials": truncated([0.5, 1, 2, 8]),
    "latent-none": scales([1 / i for i in range(1, 9)]),
    "latent-alibi": scales([alibi(i) for i in range(1, 17)]),
    "exponential-rates": gammas([1, 4, 16, 64], 1),
    "gamma-rates": gammas([1, 2, 4, 8, 16], 5),
    "zero-inflated-line": with_zeros([0.4] * 8, line(LINE, 0.5)),
    "hurdle": with_zeros([0.9, 0.5, 0.1, 0.0], lambda z: stats.expon.pdf(z)),
    "independent": lambda z: np.ones((len(z), 8)),
    # The ratios of densities are those at the preimage.
    "arcs-on-circle": lambda z: blocks([(0, 3), (1, 4), (2, 6), (5, 6.25)])(np.arctan2(z[:, 1:], z[:, :1]) % math.tau),
    "monotone-line": lambda z: line(LINE, 0.5)(np.arcsinh(z) + 3.5),
    "monotone-exponentials": lambda z: gammas([1, 4, 16, 64], 1)(np.exp(z)),
    "rotated-plane": lambda z: PLANE(z @ np.linalg.inv(made.rotation(2, 1)(np.eye(2)))),
    "rotated-scales": FOUR,
    "affine-plane": lambda z: PLANE((z - 1) @ np.linalg.inv(made.affine(2, 3, 10.0)(np.eye(2)) - 1)),
    "padded-plane": lambda z: PLANE(z[:, :2]),
    "rotated-padded-line": lambda z: line(LINE, 0.5)(z @ np.linalg.inv(made.rotation(16, 4)(np.eye(16)))),
    "relabelled-line": lambda z: line(np.random.default_rng(5).permutation(8), 0.5)(z),
}


@pytest.mark.parametrize("name", samplers())
def test_truth_is_the_mean_log_likelihood_ratio(name):
    sampler = samplers()[name]
    labels, points = sampler.draw(np.random.default_rng(1), DRAWS)
    densities = DENSITIES[name](points)
    ratios = np.log(densities[np.arange(DRAWS), labels] / densities.mean(axis=1))
    error = 5 * ratios.std() / math.sqrt(DRAWS)
    assert abs(ratios.mean() - sampler.information.lower) <= error + 1e-12
    assert error < 0.04
    assert abs(ratios.mean() - (sampler.information.lower + 0.1)) > error  # the falsified twin


@pytest.mark.parametrize("name", samplers())
def test_draws_are_reproducible_uniform_in_the_label_and_tied_where_said(name):
    sampler = samplers()[name]
    labels, points = sampler.draw(np.random.default_rng(2), 4000)
    again = sampler.draw(np.random.default_rng(2), 4000)
    np.testing.assert_array_equal(labels, again[0])
    np.testing.assert_array_equal(points, again[1])
    assert points.shape[0] == 4000
    assert np.isfinite(points).all()
    assert stats.chisquare(np.bincount(labels, minlength=sampler.label_count)).pvalue > 1e-6
    assert sampler.tied == (len(np.unique(points, axis=0)) < 3900)
    assert sampler.name == name
    assert sampler.information.confidence == 1
    assert sampler.information.width < 1e-11
    assert 0 <= sampler.information.upper <= math.log(sampler.label_count)


def test_known_closed_forms():
    assert math.log(2) / 2 in made.uniform_blocks("", [(0, 2), (1, 3)]).information
    assert math.log(2) in made.uniform_blocks("", [(0, 1), (1, 3)]).information
    nested = made.uniform_blocks("", [(0, 1), (0, 2)]).information  # cells 1/2 and 1/4 of the mixture
    assert nested.lower == pytest.approx(0.5 * math.log(4 / 3) + 0.5 * (0.5 * math.log(2 / 3) + 0.5 * math.log(2)))
    truth = made.truncated_exponentials("", [1.0, 1e3]).information.lower
    mass = 1 - math.exp(-1)
    inside = math.log(2 / (1 + mass))
    assert truth == pytest.approx(0.5 * inside + 0.5 * (mass * (inside + math.log(mass)) + (1 - mass) * math.log(2)))
    assert len(samplers()) >= 12


def test_a_draw_needs_a_count():
    with pytest.raises(ValueError, match="at least 1"):
        samplers()["hurdle"].draw(np.random.default_rng(0), 0)
