"""U14 against exact signs, and its weak variances against automatic expectations over the noise."""

import numpy as np
import pytest
from semigroup_oracle import RADII, attained, directions, outputs, random_head, shattering

from estimators.signs import all_sign_classes
from estimators.supremum.centred import centre
from estimators.supremum.portfolio import Portfolio, largest_normalisers
from estimators.supremum.semigroup_remainder import THETAS, Remainder, remainder_semigroup, remainder_variances
from estimators.supremum.trust_region import linear_part, trust_region


def certified(head, radius, theta):
    signs = all_sign_classes(len(head.values))
    return float(trust_region(linear_part(head), signs, radius, (theta,)).upper.mean())


@pytest.fixture(scope="module")
def cases():
    heads = [random_head(seed) for seed in range(40)]
    return [
        (head, radius, attained(head, radius))
        for head in heads
        for radius in RADII
        if remainder_semigroup(head, radius)
    ]


def test_no_enumerated_truth_exceeds_the_certificate(cases):
    checked, ratios = 0, []
    for head, radius, truth in cases:
        for theta, excess in remainder_semigroup(head, radius).items():
            ratios.append(truth / (certified(head, radius, theta) + excess))
            checked += 1
    assert checked > 150
    assert max(ratios) <= 1 + 1e-12
    assert max(ratios) > 0.9  # tight where nothing can move


def test_the_linear_part_alone_is_caught(cases):
    """The twin without the excess is below the truth somewhere."""
    assert any(certified(head, radius, theta) < 0.99 * truth for head, radius, truth in cases for theta in THETAS)


@pytest.mark.slow
def test_no_enumerated_truth_exceeds_the_certificate_at_length():
    for seed in range(2000, 2400):
        head = random_head(seed)
        for radius in RADII:
            truth = attained(head, radius)
            for theta, excess in remainder_semigroup(head, radius).items():
                assert truth <= (certified(head, radius, theta) + excess) * (1 + 1e-12)


def noisy_squares(head, w, scale, theta):
    """E_g of h_i(w + s g) h_i(w + s g)^T by Gauss-Hermite quadrature, (n, d, d); logits of dimension 1 or 2."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(24)
    weights = weights / weights.sum()
    p = head.logit_dim
    grid = np.stack(np.meshgrid(*[nodes] * p, indexing="ij"), -1).reshape(-1, p)
    mass = np.prod(np.stack(np.meshgrid(*[weights] * p, indexing="ij"), -1).reshape(-1, p), axis=1)
    points = w + scale * grid
    part = linear_part(head)
    jacobian = np.einsum("nde,nr->ndre", part.covariances, head.factors).reshape(*part.outputs.shape, -1)
    rest = outputs(head, points) - head.outputs - theta * np.einsum("ndp,mp->mnd", jacobian, points)
    return np.einsum("m,mnd,mne->nde", mass, rest, rest)


@pytest.mark.parametrize("seed", range(6))
def test_variances_dominate_quadrature_and_their_quarter_does_not(seed):
    rng = np.random.default_rng(seed)
    dim, n = 1 + seed % 2, 3
    keys = rng.standard_normal((n, 4, dim))
    keys /= np.linalg.norm(keys, axis=2).max()
    head = centre(keys, rng.standard_normal((n, 4, 2)), rng.standard_normal(4))
    # Keys of norm 1 are assumed nowhere but in the choice of scales.
    remainder, shares = Remainder(head), []
    for radius, scale in ((0.3, 0.2), (1.0, 0.5), (2.0, 0.5), (1.0, 1.0)):
        for theta, found in remainder_variances(remainder, radius, scale).items():
            around = radius * (directions(dim, 40, seed) if dim > 1 else np.array([[-1.0], [1.0], [0.5]]))
            sums = [noisy_squares(head, w, scale, theta).sum(axis=0) for w in around]
            weak = max(np.linalg.eigvalsh(matrix)[-1] for matrix in sums)
            total = max(np.trace(matrix) for matrix in sums)
            assert weak <= found.weak * (1 + 1e-9)
            assert total <= found.total * (1 + 1e-9)
            shares.append(weak / found.weak)
    assert max(shares) > 0.25  # so a quarter of the bound is caught


def test_kernels_are_the_sums_over_hermite_degrees():
    """K_q from its definition, degree by degree."""
    rng = np.random.default_rng(0)
    keys = rng.standard_normal((1, 3, 2)) / 2
    head = centre(keys, rng.standard_normal((1, 3, 2)), np.zeros(3))
    scale, gram = 0.7, head.keys[0] @ head.keys[0].T
    raised = np.exp(scale**2 * np.diag(gram) / 2)
    for order in range(4):
        total, factor = np.zeros((3, 3)), 1.0
        for degree in range(40):
            factor = factor if degree == 0 else factor / degree
            coefficient = raised - (1.0 if degree + order <= 1 else 0.0)
            total += scale ** (2 * degree) * factor * np.outer(coefficient, coefficient) * gram**degree
        found = Remainder(head)._kernel(order, scale, head.key_norms**2)(slice(0, 1), gram[None])[0]
        np.testing.assert_allclose(found, total, rtol=1e-10, atol=1e-13)


def test_normalisers_dominate_and_are_attained_by_one_pair():
    rng = np.random.default_rng(3)
    for seed in range(8):
        head = random_head(seed + 100)
        effective = np.einsum("nr,nte->ntre", head.factors, head.keys).reshape(*head.keys.shape[:2], -1)
        for radius in (0.3, 1.0, 3.0):
            points = rng.standard_normal((400, head.logit_dim))
            points *= radius / np.linalg.norm(points, axis=1, keepdims=True)
            with np.errstate(over="ignore"):
                sums = np.einsum("t,mnt->mn", head.weights, np.exp(np.einsum("mp,ntp->mnt", points, effective)))
            assert np.all(sums.max(axis=0) <= largest_normalisers(head, radius))
    pair = centre(np.array([[[1.0], [-1.0]]]), np.ones((1, 2, 1)), np.zeros(2))
    assert largest_normalisers(pair, 2.0)[0] == pytest.approx((np.exp(2) + np.exp(-2)) / 2, rel=0.6)


def test_portfolio_tries_it_where_the_others_lose():
    rng = np.random.default_rng(0)
    tokens = rng.standard_normal((64, 8, 8))
    tokens /= np.linalg.norm(tokens, axis=2, keepdims=True)
    portfolio = Portfolio(centre(tokens, tokens, np.zeros(8)), draws=64)
    pilot = rng.choice([-1.0, 1.0], (16, 64))
    assert portfolio.choose(0.25, pilot)[0].name.startswith("U9")
    assert portfolio.choose(2.0, pilot)[0].name.startswith("U14")


def test_a_head_that_cannot_move_costs_nothing_and_huge_logits_step_aside():
    still = centre(np.ones((3, 2, 2)), np.arange(12.0).reshape(3, 2, 2), np.zeros(2))
    assert set(remainder_semigroup(still, 1.0).values()) == {0.0}
    assert remainder_semigroup(shattering(3), 1e6) == {}
