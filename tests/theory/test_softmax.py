"""theory/softmax.py against random and adversarial weights, and the algebra of its proofs."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from scipy.optimize import linprog

from theory import box_tilted, softmax
from theory.bound import Relation
from theory.notation import logit_bound

HUNDREDTH = sp.Rational(1, 100)


def weights_of(s):
    e = np.exp(s - s.max())
    return e / e.sum()


def cumulants(alpha, y, t):
    """|cumulants| (y,t), (y,t,t), (y,t,t,t) under alpha; norm of the logit gradient of the mean of y."""
    yc, tc = y - alpha @ y, t - alpha @ t
    first = alpha @ (yc * tc)
    return (
        abs(first),
        abs(alpha @ (yc * tc**2)),
        abs(alpha @ (yc * tc**3) - 3 * first * (alpha @ tc**2)),
        np.linalg.norm(alpha * yc),
    )


CUMULANTS = {
    "covariance": (softmax.covariance(), 0),
    "third": (softmax.third_cumulant(), 1),
    "fourth": (softmax.fourth_cumulant(), 2),
    "gradient": (softmax.weight_gradient(), 3),
}
SKEWED = (1 - 1 / np.sqrt(3)) / 2
EXTREMAL = {"covariance": 0.5, "third": SKEWED, "fourth": 0.5, "gradient": 0.5}


def cumulant_bound(bound, y_range, t_range):
    words = {"readout_diameter": y_range, "logit_diameter": t_range}
    return bound.safe(**{symbol.name: words[symbol.name] for symbol in bound.symbols})


@pytest.mark.parametrize("name", CUMULANTS)
def test_cumulant_bounds_survive_random_and_adversarial_search(name):
    bound, which = CUMULANTS[name]
    unit = cumulant_bound(bound, 1, 1)
    rng = np.random.default_rng(0)
    worst = 0.0
    for size, _ in itertools.product((2, 3, 4, 7), range(4000)):
        alpha = rng.dirichlet(np.full(size, rng.choice([0.2, 0.5, 1.0, 3.0])))
        t = rng.random(size) ** rng.choice([0.2, 1.0, 5.0])
        t[0], t[-1] = 0, 1
        y = t if rng.random() < 0.2 else rng.integers(0, 2, size).astype(float)
        if np.ptp(y) == 1:
            worst = max(worst, cumulants(alpha, y, t)[which])
    assert worst <= unit
    assert worst >= 0.95 * unit  # the search comes close, so a constant 5 % smaller is refuted


@pytest.mark.parametrize("name", CUMULANTS)
def test_cumulant_bounds_are_attained_by_two_atoms(name):
    bound, which = CUMULANTS[name]
    p = EXTREMAL[name]
    y, t = np.array([0.0, 3.0]), np.array([0.0, 2.0])
    value = cumulants(np.array([1 - p, p]), y, t)[which]
    assert value == pytest.approx(cumulant_bound(bound, 3, 2), abs=1e-10)
    assert value > cumulant_bound(bound.scaled(sp.Rational(95, 100)), 3, 2)
    assert value > cumulant_bound(bound.scaled(HUNDREDTH), 3, 2)


def test_fourth_cumulant_is_the_third_derivative_of_the_mean():
    s = sp.Symbol("s")
    alpha, y, t = sp.Matrix([1, 2, 4]) / 7, sp.Matrix([0, 3, 1]), sp.Matrix([2, 0, 1])
    tilted = [alpha[j] * sp.exp(s * t[j]) for j in range(3)]
    mean = sum(tilted[j] * y[j] for j in range(3)) / sum(tilted)
    exact = sp.simplify(sp.diff(mean, s, 3).subs(s, 0))
    numbers = [np.array(list(v), float) for v in (alpha, y, t)]
    assert abs(float(exact)) == pytest.approx(cumulants(*numbers)[2], abs=1e-12)


def test_fourth_cumulant_of_an_indicator_decomposes_as_in_the_proof():
    p, d, v1, v0, k1, k0, s = sp.symbols("p d v1 v0 k1 k0 s")
    shift = d * s + (v1 - v0) * s**2 / 2 + (k1 - k0) * s**3 / 6
    probability = p * sp.exp(shift) / (1 - p + p * sp.exp(shift))
    q = 1 - p
    claim = p * q * ((1 - 6 * p * q) * d**3 + 3 * (q - p) * d * (v1 - v0) + k1 - k0)
    assert sp.simplify(sp.diff(probability, s, 3).subs(s, 0) - claim) == 0


def test_fourth_cumulant_certificate_has_no_negative_coefficient():
    a, b, c = sp.symbols("a b D")
    one = a + b + c
    total = c**3 / 2 + a * (b + c) ** 2 + b * (a + c) ** 2
    cross = c * b * (a + c)
    form = total * one**3 / 2 - total**2 - sp.Rational(9, 4) * cross**2
    assert min(sp.Poly(sp.expand(form * one**7), a, b, c).coeffs()) >= 0
    assert sp.Rational(1, 24) + 2 / (27 * sp.sqrt(3)) < sp.Rational(1, 8)
    tightened = sp.Rational(95, 100) * total * one**3 / 2 - total**2 - sp.Rational(9, 4) * cross**2
    assert tightened.subs({a: 0, b: 0, c: 1}) < 0  # at the extremal point the constant cannot be smaller


@pytest.mark.parametrize("radius", [0.0, 0.3, 2.0])
def test_tilt_lemma_bounds_hold_and_are_attained(radius):
    rng = np.random.default_rng(1)
    b = rng.normal(size=6) * 2
    pi = weights_of(b)
    upper = [softmax.largest_weight().safe(bias_weight=p, logit_bound=radius) for p in pi]
    lower = [softmax.smallest_weight().safe(bias_weight=p, logit_bound=radius) for p in pi]
    for _ in range(300):
        alpha = weights_of(b + radius * rng.uniform(-1, 1, 6))
        assert np.all(alpha <= np.array(upper) + 1e-12)
        assert np.all(alpha >= np.array(lower) - 1e-12)
    for j in range(6):
        s = np.full(6, -radius)
        s[j] = radius
        assert weights_of(b + s)[j] == pytest.approx(upper[j], abs=1e-10)
        assert weights_of(b - s)[j] == pytest.approx(lower[j], abs=1e-10)
    assert pi[0] > softmax.largest_weight().scaled(HUNDREDTH).safe(bias_weight=pi[0], logit_bound=radius)
    total = sum(upper)
    assert total <= softmax.effective_length().safe(length=6, logit_bound=radius) + 1e-12
    assert total <= softmax.effective_length_ceiling().safe(length=6, logit_bound=radius) + 1e-12


def test_effective_length_is_attained_without_bias():
    one = softmax.largest_weight_without_bias().evaluate(length=9, logit_bound=0.7)
    bound = softmax.effective_length()
    assert 9 * one == pytest.approx(bound.evaluate(length=9, logit_bound=0.7), abs=1e-10)
    assert 9 * one > bound.scaled(sp.Rational(95, 100)).safe(length=9, logit_bound=0.7)
    general = softmax.largest_weight().evaluate(bias_weight=Fraction(1, 9), logit_bound=0.7)
    assert one == pytest.approx(general, abs=1e-12)


def test_every_softmax_bound_divided_by_a_hundred_is_violated():
    s, radius = np.array([1.0, -1.0]) * 0.3, 0.3
    alpha = weights_of(s)
    cases = [
        (softmax.largest_weight_without_bias(), alpha[0], {"length": 2, "logit_bound": radius}),
        (softmax.effective_length_ceiling(), 2 * alpha[0], {"length": 2, "logit_bound": radius}),
        (softmax.total_variation(), alpha[0] - alpha[1], {"logit_oscillation": 4 * radius}),
        (softmax.weight_change(), 2 * (alpha[0] - alpha[1]), {"logit_distance": 2 * radius}),
    ]
    for bound, seen, words in cases:
        assert bound.scaled(HUNDREDTH).safe(**words) < seen <= bound.safe(**words) + 1e-12
    lower = softmax.smallest_weight()
    assert alpha[1] < lower.scaled(100).safe(bias_weight=0.5, logit_bound=radius)


def test_an_improper_weight_is_refused():
    with pytest.raises(ValueError, match="assumes"):
        softmax.largest_weight().evaluate(bias_weight=1.5, logit_bound=1)


def test_softmax_perturbation_holds_and_is_sharp():
    rng = np.random.default_rng(2)
    variation, change = softmax.total_variation(), softmax.weight_change()
    for _ in range(400):
        size = int(rng.integers(2, 9))
        s, shift = rng.normal(size=size) * 3, rng.normal(size=size) * rng.choice([1e-3, 0.3, 3.0])
        distance = np.abs(weights_of(s) - weights_of(s + shift)).sum()
        assert distance / 2 <= variation.evaluate(logit_oscillation=float(np.ptp(shift))) + 1e-12
        assert distance <= change.evaluate(logit_distance=float(np.abs(shift).max())) + 1e-12
    h = 0.8
    s = np.array([h, -h]) / 2
    assert np.abs(weights_of(s) - weights_of(-s)).sum() / 2 == pytest.approx(
        variation.evaluate(logit_oscillation=2 * h), abs=1e-10
    )
    tiny = np.array([1.0, -1.0]) * 1e-3
    moved = np.abs(weights_of(tiny) - weights_of(-tiny)).sum()
    assert moved > change.scaled(sp.Rational(95, 100)).safe(logit_distance=2e-3)


@pytest.mark.parametrize("p", [1, 2, 3, np.inf])
def test_softmax_lipschitz_constant_is_one_half(p):
    constant = softmax.lipschitz_constant()
    assert constant.relation is Relation.EQUAL
    half = constant.evaluate()
    rng = np.random.default_rng(3)
    for _ in range(500):
        s, shift = rng.normal(size=5) * 2, rng.normal(size=5) * rng.choice([1e-3, 1.0])
        moved = np.linalg.norm(weights_of(s + shift) - weights_of(s), p)
        assert moved <= half * np.linalg.norm(shift, p) + 1e-12
    tiny = np.array([1.0, -1.0]) * 1e-5
    moved = np.linalg.norm(weights_of(tiny) - weights_of(-tiny), p)
    assert moved == pytest.approx(half * np.linalg.norm(2 * tiny, p), rel=1e-9)


def random_box(rng, size):
    lower = [Fraction(int(v), 7) for v in rng.integers(1, 20, size)]
    upper = [l + Fraction(int(v), 5) for l, v in zip(lower, rng.integers(0, 30, size), strict=True)]
    values = [Fraction(int(v), 3) for v in rng.integers(-9, 10, size)]
    return values, lower, upper


@pytest.mark.parametrize("size", [1, 2, 5, 8])
def test_box_tilted_maximum_equals_enumeration_and_linear_programme(size):
    rng = np.random.default_rng(size)
    for _ in range(8):
        values, lower, upper = random_box(rng, size)
        best, alpha = box_tilted.box_tilted_maximum(values, lower, upper)
        assert sum(alpha) == 1
        assert sum(a * y for a, y in zip(alpha, values, strict=True)) == best
        assert all(alpha[j] * lower[k] <= alpha[k] * upper[j] for j, k in itertools.product(range(size), repeat=2))
        corners = (
            sum(m * y for m, y in zip(corner, values, strict=True)) / sum(corner)
            for corner in itertools.product(*zip(lower, upper, strict=True))
        )
        assert best == max(corners)
        rows = np.zeros((size * size, size))
        for row, (j, k) in enumerate(itertools.product(range(size), repeat=2)):
            rows[row, j] += float(lower[k])
            rows[row, k] -= float(upper[j])
        programme = linprog(
            [-float(y) for y in values], rows, np.zeros(size * size), np.ones((1, size)), [1], (0, None)
        )
        assert -programme.fun == pytest.approx(float(best), abs=1e-9)


def test_box_tilted_support_is_symbolic_in_the_logit_radius():
    bound = box_tilted.box_tilted_support([3, -1, 2, 2], [0, -1, -2, -3], [logit_bound] * 4)
    low, high = bound.certified(logit_bound=Fraction(1, 2))
    rng = np.random.default_rng(4)
    y, b = np.array([3.0, -1, 2, 2]), -np.arange(4.0)
    seen = max(weights_of(b + rng.choice([-0.5, 0.5], 4)) @ y for _ in range(400))
    assert seen == pytest.approx(low, abs=1e-10)
    assert high - low < 1e-12
    assert seen > bound.scaled(sp.Rational(95, 100)).certified(logit_bound=Fraction(1, 2))[1]
    at_zero = box_tilted.box_tilted_support([3, -1, 2, 2], [0, -1, -2, -3], [0] * 4).evaluate()
    assert at_zero == pytest.approx(weights_of(b) @ y, abs=1e-12)


@pytest.mark.parametrize(
    ("lower", "upper", "message"),
    [([1, 1], [2, 2], "lengths"), ([0, 1, 1], [1, 1, 1], "0 < lower"), ([2, 1, 1], [1, 1, 1], "0 < lower")],
)
def test_box_tilted_maximum_refuses_a_bad_box(lower, upper, message):
    with pytest.raises(ValueError, match=message):
        box_tilted.box_tilted_maximum([1, 2, 3], lower, upper)
    with pytest.raises(ValueError, match="nonnegative"):
        box_tilted.box_tilted_support([1, 2], [0, 0], [1, -1])
