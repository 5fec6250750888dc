"""U9, U10, U11 and the trust region against an independent plain-NumPy oracle and against attained values."""

import numpy as np
import pytest

from estimators.bracket import bracket
from estimators.hypotheses import Constraints, Effort
from estimators.hypotheses_query import Query, bilinear
from estimators.signs import all_sign_classes, draw_signs
from estimators.supremum.ascent import ascent
from estimators.supremum.centred import centre
from estimators.supremum.expected import expected
from estimators.supremum.low_orders import quotient_orders
from estimators.supremum.multipliers import flattened_norms
from estimators.supremum.portfolio import Portfolio
from estimators.supremum.series import ORDERS, series
from estimators.supremum.tensor_means import schatten_mean
from estimators.supremum.tensors import injective_upper, survey
from estimators.supremum.trust_region import linear_part, sign_jacobians, trust_region, weak_variance


def case(seed, n=4, length=4, dim=2, dim_value=3, spread=1.0):
    rng = np.random.default_rng(seed)
    keys = rng.standard_normal((n, length, dim)) * spread
    return keys, rng.standard_normal((n, length, dim_value)), rng.standard_normal(length)


@pytest.mark.parametrize("seed", range(8))
def test_trust_region_is_the_maximum(seed):
    """A dense grid on the circle never exceeds the dual value and comes within its spacing of it."""
    keys, values, bias = case(seed)
    head = linear_part(centre(keys, values, bias))
    signs = all_sign_classes(4)
    angles = np.linspace(0, 2 * np.pi, 4001)
    circle = 1.7 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    attained = signs @ head.outputs
    linear = np.asarray(sign_jacobians(head, signs))
    grid = np.linalg.norm(attained[:, None] + np.einsum("kdp,mp->kmd", linear, circle), axis=2).max(1)
    found = trust_region(head, signs, 1.7, with_queries=True)
    assert np.all(grid <= found.upper[:, 0])
    assert np.all(found.upper[:, 0] <= grid * (1 + 1e-5))
    best = np.linalg.norm(attained + np.einsum("kdp,kp->kd", linear, found.queries), axis=1)
    assert np.all(best >= found.upper[:, 0] * (1 - 1e-6))
    energy = ((np.einsum("nde,me->mnd", head.covariances, circle) + head.outputs) ** 2).sum((1, 2)).max()
    direct = max(np.linalg.eigvalsh((row := head.outputs + head.covariances @ w).T @ row)[-1] for w in circle[::40])
    assert direct <= weak_variance(head, 1.7) <= 4 * energy


@pytest.mark.parametrize("seed", range(6))
def test_low_orders_are_exact(seed):
    """|a_3|_F and |a_4|_F from Gram matrices equal those of explicit symmetric tensors."""
    keys, values, bias = case(seed, dim=3)
    head = centre(keys, values, bias)
    third = survey(head, np.eye(4), 3, quotient=True).tensors
    gram_keys, gram_values = head.keys @ head.keys.transpose(0, 2, 1), head.values @ head.values.transpose(0, 2, 1)
    exact = quotient_orders(gram_values, gram_keys, head.weights, series(head).numerators)
    np.testing.assert_allclose(exact[0], np.sqrt((third**2).sum((1, 2))), rtol=1e-8)
    # Fourth order by complex sphere averages: |P|_F^2 = C(p+3, 4) E |P(w)|^2.
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((40000, 3)) + 1j * rng.standard_normal((40000, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    for i in range(4):
        t = points @ head.keys[i].T
        power = [(t**q * head.weights) @ head.values[i] / np.prod(range(1, q + 1)) for q in range(5)]
        two, three = (t**2 @ head.weights) / 2, (t**3 @ head.weights) / 6
        fourth = power[4] - two[:, None] * power[2] - three[:, None] * power[1]
        assert exact[1][i] == pytest.approx(np.sqrt(15 * (np.abs(fourth) ** 2).sum(1).mean()), rel=0.05)


@pytest.mark.parametrize("seed", range(6))
def test_series_bounds_the_attained_remainder(seed):
    """|a_i(w) - Taylor polynomial of order 1| <= sum of the certified coefficient norms, and a tenth of it is not."""
    keys, values, bias = case(seed, spread=0.3)
    head = centre(keys, values, bias)
    norms = series(head)
    rng = np.random.default_rng(seed)
    w = rng.standard_normal((500, 2))
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    logits = np.einsum("mp,ntp->mnt", w, head.keys) + np.log(head.weights)
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    moved = np.einsum("mnt,ntd->mnd", weights, head.values)
    linear = np.einsum("nde,me->mnd", linear_part(head).covariances, w)
    attained = np.linalg.norm(moved - linear, axis=2).max(0)
    bound = norms.coefficients[:, 1:].sum(1)
    assert np.all(attained <= bound * (1 + 1e-9) + norms.beyond(1.0))
    assert np.any(attained > bound / 10)


def test_flattenings_bound_injective_norms():
    keys, values, bias = case(3, n=5, dim=3)
    head = centre(keys, values, bias)
    rng = np.random.default_rng(0)
    w = rng.standard_normal((4000, 3))
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    signs = draw_signs(0, 40, 5)
    for order in (1, 2, 3):
        found = survey(head, signs, order)
        power = np.ones((len(w), 1))
        for _ in range(order):
            power = (power[..., None] * w[:, None, :]).reshape(len(w), -1)
        attained = np.linalg.norm(np.einsum("kdp,mp->kmd", found.tensors, power), axis=2).max(1)
        upper = injective_upper(found.tensors, 3, order)
        assert np.all(attained <= upper)
        assert np.all(attained >= upper / 3)
    gauss = rng.standard_normal((400, 5))
    flat = np.linalg.norm(survey(head, gauss, 2).tensors.reshape(400, -1, 3), 2, axis=(1, 2)).mean()
    assert flat <= schatten_mean(head, 2) <= 3 * flat
    gram = head.keys @ head.keys.transpose(0, 2, 1)
    cube = np.einsum("t,nta,ntb,ntc->nabc", head.weights, head.keys, head.keys, head.keys).reshape(5, 3, 9) / 6
    exact = np.linalg.norm(cube, 2, axis=(1, 2))
    bound = flattened_norms(gram, head.weights, 3, 1)
    assert np.all(exact <= bound)
    assert np.all(bound <= exact * 1.05)


@pytest.mark.parametrize("radius", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("seed", range(6))
def test_every_option_bounds_the_enumerated_truth(seed, radius):
    """All options of U9 and U10, and U11, lie above the mean of attained suprema over all sign vectors."""
    keys, values, bias = case(seed, n=5, length=4, spread=(0.5, 1.0, 2.0)[seed % 3])
    query = Query(keys, values, bias, Constraints(logit_norm=radius))
    signs = all_sign_classes(5)
    attained = query.suprema(signs, Effort(gap=0.01)).lower.mean() * 5 / query.readout_norm
    portfolio = Portfolio(query.centred, failure=0.0)
    for option in portfolio.options(query.radius):
        mean = trust_region(portfolio.linear, signs, query.radius, (option.slope,)).upper.mean()
        assert attained <= mean + option.excess
    found = expected(query.portfolio(0.0, 0), query.radius, failure=0.0, seed=0, signs=signs)
    assert attained <= min(found.uppers.values())


def test_the_linear_part_alone_is_no_bound():
    """Falsified twin: U9 without its remainder, U10 without its comparison term."""
    caught = 0
    for seed in range(40):
        keys, values, bias = case(seed, n=3, length=3, spread=2.0)
        query = Query(keys, values, bias, Constraints(logit_norm=2.0))
        signs = all_sign_classes(3)
        attained = query.suprema(signs, Effort()).lower.mean() * 3 / query.readout_norm
        linear = linear_part(query.centred)
        caught += any(
            attained > trust_region(linear, signs, query.radius, (slope,)).upper.mean() for slope in (0.5, 1.0)
        )
    assert caught > 5


@pytest.mark.parametrize("dim", [8, 16])
def test_high_dimension_with_exact_truth(dim):
    """Keys in a 3-dimensional subspace: the truth of dimension 3 holds in dimension 8 and 16."""
    keys, values, bias = case(dim, n=5, length=4, dim=3)
    signs = all_sign_classes(5)
    exact = Query(keys, values, bias).suprema(signs, Effort(gap=0.02))
    frame = np.linalg.qr(np.random.default_rng(1).standard_normal((dim, 3)))[0]
    high = Query(keys @ frame.T, values, bias)
    found = bracket(high, signs, enumerated=True)
    assert found.estimate.lower <= exact.upper.mean() * (1 + 1e-9)
    assert found.estimate.upper >= exact.lower.mean() * (1 - 1e-9)
    assert found.estimate.lower >= 0.97 * exact.lower.mean()


def test_bilinear_is_the_query_class_with_products_as_keys():
    rng = np.random.default_rng(5)
    keys, values, bias = case(5, n=5, length=4, dim=3)
    queries = rng.standard_normal((5, 3)) / 2
    signs = all_sign_classes(5)
    one = bilinear(keys, values, bias, Constraints(), queries)
    products = np.einsum("nr,nte->ntre", queries, keys).reshape(5, 4, 9)
    other = Query(products, values, bias)
    first, second = series(one.centred), series(other.centred)
    np.testing.assert_allclose(first.coefficients[:, :4], second.coefficients[:, :4], rtol=1e-5)
    assert first.coefficients.shape == (5, ORDERS)
    found, same = bracket(one, signs, enumerated=True).estimate, bracket(other, signs, enumerated=True).estimate
    assert found.lower == pytest.approx(same.lower, rel=1e-3)
    assert found.upper == pytest.approx(same.upper, rel=0.05)
    with pytest.raises(ValueError, match="one query for each sample"):
        bilinear(keys, values, bias, Constraints(), queries[:3])


@pytest.mark.slow
def test_draws_cover_and_are_reproducible():
    rng = np.random.default_rng(2)
    tokens = rng.standard_normal((24, 6, 5))
    tokens /= np.linalg.norm(tokens, axis=2, keepdims=True)
    query = Query(tokens, tokens, np.zeros(6))
    signs = draw_signs(0, 300, 24)
    first, again = (bracket(query, signs, enumerated=False) for _ in range(2))
    assert first.estimate == again.estimate
    many = draw_signs(99, 1000, 24)
    value, _ = ascent(query.head, many, query.radius, "l2")
    assert first.estimate.lower <= value.mean() * query.readout_norm / 24 <= first.estimate.upper
    assert first.certificate.startswith("U9")


def test_outside_the_radius_of_convergence_the_series_steps_aside():
    keys, values, bias = case(0, dim=6, spread=3.0)
    portfolio = Portfolio(centre(keys, values, bias), failure=0.0)
    names = {option.name[:3] for option in portfolio.options(2.0)}
    assert names == {"U10"}
    assert series(portfolio.head).remainder(2.0, 3) == np.inf
