"""theory/rademacher_learned.py: gradients in a table and in biases by differences, widths against draws."""

import math

import numpy as np
import pytest

from theory import rademacher_learned as learned
from theory.rademacher import width

VALUES = {
    "sample_size": 64,
    "dim": 3,
    "logit_dim": 3,
    "length": 8,
    "readout_norm": 1.5,
    "logit_norm": 0.75,
    "value_energy": 70.0,
    "value_diameter_energy": 90.0,
    "covariance_lipschitz": 8.0,
    "plain_covariance_lipschitz": 6.0,
    "query_maximum": 1.25,
    "table_norm": 0.5,
    "bias_bound": 0.5,
    "bias_count": 4,
}
COUNTS = {"sample_size", "dim", "logit_dim", "length", "bias_count"}
FACTOR = math.sqrt(2) / 4


def at(bound, **changes):
    return {symbol.name: (VALUES | changes)[symbol.name] for symbol in bound.symbols}


@pytest.mark.parametrize("ball", ["l2", "l1"])
@pytest.mark.parametrize("name", learned.LEARNED_BOUNDS)
def test_bounds_print_evaluate_certified_and_increase(name, ball):
    bound = learned.LEARNED_BOUNDS[name](ball)
    lower, upper = bound.certified(**at(bound))
    base = bound.evaluate(**at(bound))
    assert lower * (1 - 1e-12) <= base <= upper * (1 + 1e-12)
    assert (upper - lower) / upper < 1e-11
    assert r"\mathfrak" in bound._repr_latex_()
    for word in at(bound):
        if word not in COUNTS:
            assert bound.evaluate(**at(bound, **{word: VALUES[word] * 1.25})) >= base * (1 - 1e-15), word
            assert bound.safe(**at(bound, **{word: 0})) >= 0


def test_without_training_the_learned_bounds_are_the_width_bound():
    plain = width().evaluate(**at(width()))
    for name, word in (("U6-table", "table_norm"), ("U6-table-query", "table_norm"), ("U6-bias", "bias_bound")):
        bound = learned.LEARNED_BOUNDS[name]()
        assert bound.evaluate(**at(bound, **{word: 0})) == pytest.approx(plain)


def gradient(f, shape):
    """Norm of the gradient at 0, by central differences."""
    found = np.empty(shape)
    for index in np.ndindex(shape):
        change = np.zeros(shape)
        change[index] = 1e-5
        found[index] = (f(change) - f(-change)) / 2e-5
    return np.linalg.norm(found)


def test_blocks_by_differences():
    """Gradients in a table (keys, values; the query too) and in bucket biases against their Lipschitz constants."""
    rng, ratios = np.random.default_rng(11), {"table": 0.0, "query": 0.0, "bias": 0.0}
    for _ in range(300):
        length = int(rng.integers(2, 6))
        x, u = rng.normal(size=(length, 2)), rng.normal(size=2)
        if rng.random() < 0.5:  # two clusters: the extremal case of the biases
            x = np.sign(x[:, :1]) * u + 1e-3 * x
        u /= np.linalg.norm(u)
        w, matrix = rng.choice([0.1, 1.0, 4.0]) * rng.normal(size=2), rng.normal(size=(2, 2))
        buckets, bias = rng.integers(0, 3, length), rng.normal(size=3) * rng.choice([0.0, 1.0])

        def output(tokens, logits, u=u):
            alpha = np.exp(logits - logits.max())
            return alpha / alpha.sum() @ tokens @ u

        def table(p, x=x, w=w, shift=bias[buckets], output=output):
            return output(x + p, (x + p) @ w + shift)

        def query(p, x=x, matrix=matrix, shift=bias[buckets], output=output):
            return output(x + p, (x + p) @ matrix.T @ (x + p)[-1] + shift)

        def biases(change, x=x, w=w, bias=bias, buckets=buckets, output=output):
            return output(x, x @ w + (bias + change)[buckets])

        span = np.ptp(x @ u)
        wide = max(np.linalg.norm(first - second) for first in x for second in x)
        size, slope = np.linalg.norm(matrix.T @ x[-1]), np.linalg.norm(matrix, 2)
        limits = {
            "table": 1 + FACTOR * np.linalg.norm(w) * span,
            "query": 1 + FACTOR * size * span + slope * span * wide / 4,
            "bias": max(FACTOR * span, 1e-3),
        }
        slopes = {"table": gradient(table, x.shape), "query": gradient(query, x.shape), "bias": gradient(biases, (3,))}
        for name in ratios:
            ratios[name] = max(ratios[name], slopes[name] / limits[name])
    assert 0.5 < ratios["table"] <= 1 + 1e-6
    assert 0.5 < ratios["query"] <= 1 + 1e-6
    assert 0.95 < ratios["bias"] <= 1 + 1e-6


def test_bias_width_is_that_of_the_projected_box():
    g = np.random.default_rng(0).normal(size=(40000, 5))
    found = np.abs(g - g.mean(1, keepdims=True)).sum(1)
    only = dict.fromkeys(("value_energy", "covariance_lipschitz"), 0)
    bound = learned.learned_bias()
    factor = math.sqrt(math.pi / 2) / 64 * FACTOR * 1.5 * math.sqrt(90) * 0.5
    half = 5 * found.std() / math.sqrt(len(found))
    assert abs(bound.safe(**at(bound, **only, bias_count=5)) / factor - found.mean()) < half
    assert 5 * math.sqrt(2 / math.pi) - found.mean() > 10 * half  # the width without projection is another one
    assert bound.safe(**at(bound, **only, bias_count=1)) == 0  # one bias shared by all positions does nothing
