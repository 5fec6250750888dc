"""theory/classical.py against enumerated signs, samples and explicit classes.

Its covers and Dudley's integral are tested with the widths, in test_widths.py.
"""

import itertools
import math

import numpy as np
import pytest
import sympy as sp

from theory import classical, concentration

TWIN = sp.Rational(1, 100)
SHORT = sp.Rational(95, 100)


def signs(n):
    return np.array(list(itertools.product((-1.0, 1.0), repeat=n)))


def complexity(values):
    """R_hat of a finite class: values (functions, n)."""
    n = values.shape[1]
    return (signs(n) @ values.T).max(axis=1).mean() / n


def classes(seed):
    """Random, sparse, one-sided, symmetric and hypercube classes on at most six samples."""
    rng = np.random.default_rng(seed)
    for size, n in itertools.product((1, 2, 5, 30), (1, 3, 6)):
        values = rng.normal(size=(size, n)) * rng.choice([0.1, 1, 10], size=(size, 1))
        yield values
        yield np.abs(values)
        yield values * (rng.random((size, n)) < 0.3)
        yield np.concatenate([values, -values])
    yield signs(5)


def test_massart():
    bound = classical.massart()
    for values in classes(0):
        radius = float(np.linalg.norm(values, axis=1).max())
        words = {"set_size": len(values), "set_radius": radius, "sample_size": values.shape[1]}
        assert complexity(values) <= bound.safe(**words) + 1e-12
    cube = {"set_size": 32, "set_radius": sp.sqrt(5), "sample_size": 5}
    assert complexity(signs(5)) > bound.scaled(TWIN).safe(**cube)
    one = np.array([[1.0, 2.0, -1.0]])
    assert complexity(one) == pytest.approx(bound.safe(set_size=1, set_radius=3, sample_size=3), abs=1e-10)


def test_scalar_contraction():
    bound = classical.scalar_contraction()
    maps = [np.tanh, np.abs, np.sin, lambda t: np.clip(t, -0.5, 2), lambda t: 3 - t, np.cos]
    for values, phi in itertools.product(classes(1), maps):
        inner = max(complexity(values), 0.0)
        assert complexity(phi(values)) <= bound.safe(lipschitz=1, inner_complexity=inner) + 1e-12
    linear = complexity(3 * signs(3))
    assert linear == pytest.approx(bound.safe(lipschitz=3, inner_complexity=1), abs=1e-10)
    for twin in (SHORT, TWIN):
        assert linear > bound.scaled(twin).safe(lipschitz=3, inner_complexity=1)


def vector_inner(vectors):
    """E sup (1/n) sum_ik eps_ik f_k(x_i) of a finite class: vectors (functions, n, coordinates)."""
    count, n, coordinates = vectors.shape
    return complexity(vectors.reshape(count, n * coordinates)) * coordinates


def test_vector_contraction():
    bound = classical.vector_contraction()
    maps = [
        lambda s: np.linalg.norm(s, axis=-1),
        lambda s: s.max(axis=-1),
        lambda s: s.sum(axis=-1) / math.sqrt(s.shape[-1]),
    ]
    rng = np.random.default_rng(2)
    for size, (n, k) in itertools.product((2, 6, 25), ((1, 3), (3, 2), (4, 3))):
        vectors = rng.normal(size=(size, n, k))
        inner = vector_inner(vectors)
        for h in maps:
            assert complexity(h(vectors)) <= bound.safe(lipschitz=1, inner_complexity=inner) + 1e-12
    line = np.array([[[1.0]], [[-1.0]]])
    twin = bound.scaled(TWIN)
    assert complexity(line[..., 0]) > twin.safe(lipschitz=1, inner_complexity=vector_inner(line))


def attention(logits, values):
    """sum_j softmax_j(logits) values_j; logits (functions, n, T), values (n, T)."""
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (e * values).sum(axis=-1) / e.sum(axis=-1)


def test_scalar_contraction_of_vector_valued_attention_is_violated():
    """The misuse: one sign per sample in front of a vector of logits. Sample i attends to two tokens with
    keys +-e_i and values +-1, so f_w(x_i) = tanh(w_i), and the map is 1/sqrt2-Lipschitz in the logits."""
    n, radius = 4, 0.4
    rng = np.random.default_rng(3)
    w = np.concatenate([signs(n) * radius / math.sqrt(n), 0.2 * rng.normal(size=(40, n)) / math.sqrt(n)])
    w = w / np.maximum(1, np.linalg.norm(w, axis=1, keepdims=True) / radius)
    logits = np.stack([w, -w], axis=-1)  # (functions, n, 2)
    values = np.broadcast_to([1.0, -1.0], (n, 2))
    attended = complexity(attention(logits, values))
    assert attended == pytest.approx(math.tanh(radius / 2), abs=1e-12)

    lipschitz = math.sqrt(2) / 4 * 2  # weight_gradient() at D_y = 2
    shared_sign = complexity(logits.sum(axis=-1))  # eps_i in front of the sum of the logits: zero
    norm_of_sum = radius / n * math.sqrt(2)  # E sup_w |sum_i eps_i s_i(w)|_2 / n over the whole ball, exactly
    for misused in (shared_sign, norm_of_sum):
        wrong = classical.scalar_contraction().safe(lipschitz=lipschitz, inner_complexity=misused)
        assert attended > 1.5 * wrong
    right = classical.vector_contraction().safe(lipschitz=lipschitz, inner_complexity=vector_inner(logits))
    assert attended <= right


def test_linear_classes():
    rng = np.random.default_rng(4)
    for n, d in itertools.product((1, 2, 5, 8), (1, 3)):
        x = rng.normal(size=(n, d)) * rng.choice([0.01, 1, 10], size=(n, 1))
        sums = signs(n) @ x
        words = {"parameter_norm": 2, "sample_size": n}
        exact = classical.linear_l2().evaluate(**words, sign_sum_norm=np.linalg.norm(sums, axis=1).mean())
        energy = float((x**2).sum())
        upper = classical.linear_l2_upper().safe(**words, feature_energy=energy)
        lower = classical.linear_l2_lower().safe(**words, feature_energy=energy)
        assert lower - 1e-12 <= exact <= upper + 1e-12
        exact_l1 = classical.linear_l1().evaluate(**words, sign_sum_maximum=np.abs(sums).max(axis=1).mean())
        column = float(np.linalg.norm(x, axis=0).max())
        upper_l1 = classical.linear_l1_upper().safe(**words, column_norm=column, dim=d)
        assert upper_l1 / 100 < exact_l1 <= upper_l1
        extreme = np.concatenate([np.eye(d), -np.eye(d)]) * 2
        assert complexity(extreme @ x.T) == pytest.approx(exact_l1, abs=1e-10)


def test_linear_l2_is_tight_on_both_sides():
    words = {"parameter_norm": 1, "sample_size": 2, "feature_energy": 2}
    upper, lower = classical.linear_l2_upper(), classical.linear_l2_lower()
    orthogonal = np.linalg.norm(signs(2) @ np.eye(2), axis=1).mean() / 2
    parallel = np.abs(signs(2).sum(axis=1)).mean() / 2
    assert orthogonal == pytest.approx(upper.evaluate(**words), abs=1e-10)
    assert parallel == pytest.approx(lower.evaluate(**words), abs=1e-10)
    for twin in (SHORT, TWIN):
        assert orthogonal > upper.scaled(twin).safe(**words)
        assert parallel < lower.scaled(1 / twin).safe(**words)


def test_sign_tail_and_radius():
    values = np.array([[1.0, 1, 1, 1], [-1, -1, -1, -1], [1, -1, 0, 0]])
    suprema = (signs(4) @ values.T).max(axis=1) / 4
    draws = 3
    means = np.array([np.mean(c) for c in itertools.product(suprema, repeat=draws)])
    away = np.abs(means - suprema.mean())
    words = {"draws": draws, "sample_size": 4, "function_energy": 4}
    tail = concentration.sign_tail()
    for t in (0.01, 0.1, 0.2, 0.3, 0.5):
        assert (away >= t).mean() <= tail.safe(**words, deviation=t)
    assert (away >= 0.1).mean() > tail.scaled(TWIN).safe(**words, deviation=0.1)
    for delta in (0.5, 0.1, 0.01):
        radius = concentration.sign_radius().safe(**words, failure_probability=delta)
        assert (away > radius).mean() <= delta
        assert tail.evaluate(**words, deviation=radius) == pytest.approx(delta, abs=1e-10)
    twin = concentration.sign_radius().scaled(TWIN).safe(**words, failure_probability=0.1)
    assert (away > twin).mean() > 0.1


def enumerated_samples(table, probabilities, n):
    """For every sample of size n: its probability, R_hat, and sup_g (E g - mean g); table (functions,
    points).
    """
    truth = table @ probabilities
    chances, complexities, gaps = [], [], []
    for points in itertools.product(range(table.shape[1]), repeat=n):
        values = table[:, points]
        chances.append(probabilities[list(points)].prod())
        complexities.append(complexity(values))
        gaps.append((truth - values.mean(axis=1)).max())
    return np.array(chances), np.array(complexities), np.array(gaps)


def test_changing_one_sample_moves_the_complexity_by_the_half_claimed_by_data_tail():
    rng = np.random.default_rng(5)
    worst = 0.0
    for _ in range(200):
        size, n = int(rng.integers(1, 8)), int(rng.integers(1, 5))
        values = rng.choice([-1.0, 0.0, 0.3, 1.0], size=(size, n))
        changed = values.copy()
        changed[:, 0] = rng.choice([-1.0, 0.0, 0.5, 1.0], size=size)
        worst = max(worst, n * abs(complexity(values) - complexity(changed)))
    assert worst <= 1 + 1e-12  # M = 1: at most M/n, where the usual statement has 2M/n
    spread, constant = np.array([[1.0], [-1.0]]), np.array([[1.0], [1.0]])
    assert complexity(spread) - complexity(constant) == pytest.approx(1, abs=1e-12)


def test_data_tail():
    table = np.array([[1.0, 0, -1], [-1, 0, 1], [1, 0, 1]])
    chances, complexities, _ = enumerated_samples(table, np.array([0.3, 0.5, 0.2]), 5)
    away = np.abs(complexities - chances @ complexities)
    bound = concentration.data_tail()
    for t in (0.01, 0.1, 0.2, 0.4, 0.6):
        assert chances @ (away >= t) <= bound.safe(sample_size=5, function_bound=1, deviation=t)
    twin = bound.scaled(TWIN).safe(sample_size=5, function_bound=1, deviation=0.1)
    assert chances @ (away >= 0.1) > twin


@pytest.mark.parametrize("build", [concentration.generalisation, concentration.generalisation_sharper])
def test_generalisation(build):
    rng = np.random.default_rng(6)
    zero = {"empirical_risk": 0, "rademacher_complexity": 0}
    for size in (1, 2, 6):
        table = rng.random((size, 3)).round()
        chances, complexities, gaps = enumerated_samples(table, rng.dirichlet(np.ones(3)), 5)
        for delta in (0.9, 0.5, 0.1, 0.01):
            slack = build().safe(**zero, sample_size=5, failure_probability=delta)
            assert chances @ (gaps > 2 * complexities + slack) <= delta
    chances, complexities, gaps = enumerated_samples(np.array([[0.0, 1.0]]), np.array([0.5, 0.5]), 5)
    twin = build().scaled(TWIN).safe(**zero, sample_size=5, failure_probability=0.1)
    assert chances @ (gaps > 2 * complexities + twin) > 0.1


def test_the_sharper_generalisation_bound_is_smaller():
    words = {"empirical_risk": 0, "rademacher_complexity": 0, "sample_size": 100, "failure_probability": 0.05}
    usual, sharper = concentration.generalisation(), concentration.generalisation_sharper()
    assert sharper.safe(**words) < 0.61 * usual.certified(**words)[0]
    with pytest.raises(ValueError, match="assumes"):
        usual.safe(**{**words, "failure_probability": 1.5})


def test_gaussian_and_rademacher_complexities():
    g = np.random.default_rng(7).normal(size=(40000, 6))
    upper, lower = classical.rademacher_by_gaussian(), classical.gaussian_by_rademacher()
    for values in classes(8):
        n = values.shape[1]
        suprema = (g[:, :n] @ values.T).max(axis=1) / n
        mean, half, exact = suprema.mean(), 5 * suprema.std() / 200, complexity(values)
        low, high = mean - half, mean + half
        assert exact <= upper.safe(gaussian_complexity=max(high, 0.0)) + 1e-12
        assert low <= lower.safe(rademacher_complexity=max(exact, 0.0), sample_size=n) + 1e-12
    pair = sp.sqrt(2 / sp.pi)  # F = {-1, 1}, n = 1: G_hat = E|g|, R_hat = 1
    assert upper.evaluate(gaussian_complexity=pair) == pytest.approx(1, abs=1e-10)
    assert upper.scaled(SHORT).safe(gaussian_complexity=pair) < 1
    assert float(pair) > lower.scaled(TWIN).safe(rademacher_complexity=1, sample_size=1)
