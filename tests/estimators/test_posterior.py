"""Quadrature of information: step and edge of the strip, nodes, and the mean of divergences, against mpmath."""

import cmath
import math

import mpmath
import numpy as np
import pytest

from estimators.posterior import ENTRIES_LIMIT, divergence, edge_norm, grid, integrate, strip_step


@pytest.mark.parametrize(("half_width", "norm", "target"), [(1.0, 2.0, 1e-8), (0.3, 10.0, 1e-12)])
def test_step_meets_its_error_exactly(half_width, norm, target):
    step, error = strip_step(half_width, norm, target)
    assert error == target
    bound = 2 * norm / math.expm1(2 * math.pi * half_width / step)
    assert bound == pytest.approx(target, rel=1e-9)
    assert 2 * norm / math.expm1(2 * math.pi * half_width / (1.1 * step)) > target


def test_trapezoidal_rule_with_that_step_is_as_good_as_said():
    # 1/(1 + x^2) is analytic in |Im x| < 1; on |Im x| = 1/2 its l1 norm is below 5.
    step, error = strip_step(0.5, 5.0, 1e-6)
    exact = math.pi / math.tanh(math.pi / step)  # sum over all nodes, in closed form
    assert abs(exact - math.pi) <= error
    coarse = math.pi / math.tanh(math.pi / (4 * step))
    assert abs(coarse - math.pi) > error


@pytest.mark.parametrize("phase", [0.5, 2.0, 3.0])
def test_edge_norm_bounds_random_components_on_the_edge(phase):
    rng, largest = np.random.default_rng(0), 0.0
    for _ in range(400):
        count = int(rng.integers(2, 6))
        sizes, turns = rng.exponential(size=count) ** 3, rng.uniform(-phase / 2, phase / 2, count)
        parts = [a * cmath.exp(1j * t) for a, t in zip(sizes, turns, strict=True)]
        middle = sum(parts) / count
        # E |ln r_P| under the moduli, as the integrand weighs them
        mean = sum(abs(p) * abs(cmath.log(p / middle)) for p in parts) / sum(sizes)
        assert mean <= edge_norm(count, phase)
        largest = max(largest, mean / edge_norm(count, phase))
    assert largest > 0.01


def test_nodes_cover_the_range():
    nodes = grid(-1.0, 2.0, 0.7, 10)
    assert nodes[0] == -1.0
    assert 2.0 <= nodes[-1] < 2.7
    np.testing.assert_allclose(np.diff(nodes), 0.7)
    with pytest.raises(ValueError, match="raise the noise, or use fewer positions"):
        grid(0.0, 1.0, 1.0 / ENTRIES_LIMIT, 2)


def test_divergence_contains_the_40_digit_value_in_its_rounding():
    logits = np.random.default_rng(1).normal(size=(20, 6)) * np.geomspace(1e-6, 50, 20)[:, None]
    found = divergence(logits)
    with mpmath.workdps(40):
        for row, value, rounding, log_mean in zip(logits, *found, strict=True):
            raised = [mpmath.exp(mpmath.mpf(float(x))) for x in row]
            post = [x / mpmath.fsum(raised) for x in raised]
            true = mpmath.log(6) + mpmath.fsum(p * mpmath.log(p) for p in post)
            assert abs(true - mpmath.mpf(float(value))) <= mpmath.mpf(float(rounding))
            assert float(rounding) < 1e-12 * (1 + float(true))
            assert float(mpmath.log(mpmath.fsum(raised) / 6)) == pytest.approx(float(log_mean), rel=1e-13, abs=1e-15)


def test_rounding_covers_logits_that_are_wrong_by_four_units():
    logits = np.array([[700.0, 699.0, 698.0], [50.0, 49.5, 49.0]])
    turned = logits * (1 + 4 * 2.0**-52 * np.array([1.0, -1.0, -1.0]))
    first, second = divergence(logits), divergence(turned)
    moved = np.abs(first.value - second.value)
    assert (moved > 1e-15).all()
    assert (moved <= first.rounding).all()


def test_sum_over_nodes_by_hand_in_blocks_of_any_size(monkeypatch):
    nodes, log_weights = np.linspace(-1, 1, 7), np.linspace(-0.5, 0.5, 7)

    def logits(x):
        return np.outer(x, [1.0, -2.0, 0.5])

    true = 0.0
    for x, weight in zip(nodes, log_weights, strict=True):
        raised = np.exp(x * np.array([1.0, -2.0, 0.5]))
        post = raised / raised.sum()
        true += math.exp(weight) * raised.mean() * float(np.sum(post * np.log(3 * post)))
    total, rounding = integrate(nodes, log_weights, logits, 3)
    assert total == pytest.approx(true, rel=1e-13)
    assert abs(total - true) <= rounding < 1e-12
    monkeypatch.setattr("estimators.posterior.CHUNK", 6)
    assert integrate(nodes, log_weights, logits, 3)[0] == pytest.approx(total, rel=1e-15)
