"""theory/rademacher_depth.py: gradients by differences, two layers by search, one layer exactly."""

import itertools
import math

import numpy as np
import pytest
import sympy as sp

from theory import rademacher_depth as depth
from theory.bound import Relation
from theory.notation import symbol

MAKERS = {**depth.DEPTH_BOUNDS, **depth.ONE_LAYER_BOUNDS}
VALUES = {
    "sample_size": 64,
    "dim": 3,
    "readout_norm": 1.5,
    "logit_norm": 0.75,
    "value_norm": 0.5,
    "token_norm": 1.0,
    "token_diameter": 1.75,
    "residual_mean": 8.0,
    "head_sum": 3.0,
    "attention_mean": 4.0,
    "double_path_mean": 2.0,
    "path_jacobian_mean": 0.5,
    "path_remainder": 7.0,
    "linear_path_remainder": 6.0,
    "smoothed_width": 9.0,
    "laplacian_integral": 2.0,
}
COUNTS = {"sample_size", "dim"}


def at(bound, **changes):
    return {symbol.name: (VALUES | changes)[symbol.name] for symbol in bound.symbols}


@pytest.mark.parametrize("ball", ["l2", "l1"])
@pytest.mark.parametrize("name", MAKERS)
def test_bounds_print_evaluate_certified_and_increase(name, ball):
    bound = MAKERS[name](ball)
    lower, upper = bound.certified(**at(bound))
    base = bound.evaluate(**at(bound))
    assert lower * (1 - 1e-12) <= base <= upper * (1 + 1e-12)
    assert (upper - lower) / upper < 1e-11
    assert r"\mathfrak" in bound._repr_latex_()
    for word in at(bound):
        if word not in COUNTS:
            assert bound.evaluate(**at(bound, **{word: VALUES[word] * 1.25})) >= base * (1 - 1e-15), word
            assert bound.certified(**at(bound, **{word: 0}))[1] >= 0


def mixed(alpha, y, t, s):
    return alpha @ ((y - alpha @ y) * (t - alpha @ t) * (s - alpha @ s))


def test_mixed_third_cumulant_is_sharp_and_the_equal_one_does_not_do():
    bound = depth.mixed_third_cumulant()
    points = np.array([p for p in itertools.product((-0.5, 0.5), repeat=3) if np.prod(p) > 0])
    worst = abs(mixed(np.full(4, 0.25), *points.T))
    unit = {"readout_diameter": 1, "logit_diameter": 1}
    assert worst == pytest.approx(bound.safe(**unit))
    assert worst > 1 / (6 * math.sqrt(3)) * 1.29  # the constant of equal directions is refuted
    rng = np.random.default_rng(0)
    for _ in range(3000):
        alpha, readings = rng.dirichlet(np.full(5, rng.choice([0.3, 1.0]))), rng.integers(0, 2, (3, 5)).astype(float)
        assert abs(mixed(alpha, *readings)) <= bound.safe(**unit) * (1 + 1e-12)


def softmax(s):
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attend(w, x):
    """Att_s(W; x) for every s."""
    return softmax(x @ w @ x.T) @ x


def network(blocks, x):
    """x^L_T of the depth class from (V, W) pairs, times u."""
    u, *pairs = blocks
    for v, w in zip(pairs[::2], pairs[1::2], strict=True):
        x = x + attend(w, x) @ v.T
    return u @ x[-1]


def ball(rng, shape, radius):
    point = rng.normal(size=shape)
    return radius * point / np.linalg.norm(point)


def tokens(rng, length=4, d=2, radius=1.0):
    x = rng.normal(size=(length, d))
    if rng.random() < 0.5:  # opposite clusters: the largest diameter, where covariances are largest
        x = np.sign(rng.normal(size=(length, 1))) * ball(rng, d, 1.0) + 1e-2 * x
    return radius * x / np.linalg.norm(x, axis=1).max()


def diameter(x):
    return max(np.linalg.norm(a - b) for a, b in itertools.product(x, x))


def slope(f, blocks, which):
    """Norm of the gradient in one block, by central differences."""
    step, gradient = 1e-5, np.empty(blocks[which].size)
    for k in range(len(gradient)):
        change = np.zeros(len(gradient))
        change[k] = step
        moved = [
            [b + sign * change.reshape(b.shape) if i == which else b for i, b in enumerate(blocks)] for sign in (1, -1)
        ]
        gradient[k] = (f(moved[0]) - f(moved[1])) / (2 * step)
    return float(np.linalg.norm(gradient))


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_residual_gradients_by_differences(layers):
    rng = np.random.default_rng(layers)
    parts, ratios = depth.residual_gradients(layers), {}
    words = ("value_norm", "logit_norm", "token_norm", "token_diameter", "readout_norm")
    functions = {name: sp.lambdify([symbol(w) for w in words], part[0]) for name, part in parts.items()}
    for _ in range(150):
        nu, om, radius = rng.choice([0.1, 0.5, 1.0]), rng.choice([0.1, 1.0, 3.0]), rng.choice([0.5, 1.0])
        x = tokens(rng, radius=radius)
        blocks = [ball(rng, 2, 1.0)] + [ball(rng, (2, 2), r) for _ in range(layers) for r in (nu, om)]
        for k, name in enumerate(parts):
            limit = functions[name](nu, om, radius, diameter(x), 1.0)
            found = slope(lambda b, x=x: network(b, x), blocks, k)
            assert found <= limit * (1 + 1e-5) + 1e-8, name
            ratios[name] = max(ratios.get(name, 0.0), found / limit)
    assert ratios["u"] > 0.5
    assert min(ratios.values()) > 0.1  # no constant is ten times too large, so a twin divided by 10 falls


def two_layer_parts(blocks, x, linear):
    """R1 + R2 of U12 for free y, z."""
    y, z, v1, w1, w2 = blocks
    zero = np.zeros_like(w1)
    g, mean = attend(w1, x), attend(zero, x)
    shifted = x + g @ v1.T
    alpha, alpha0 = softmax(shifted[-1] @ w2 @ shifted.T), softmax(x[-1] @ w2 @ x.T)
    rest = (alpha - alpha0) @ x @ y + (alpha @ g - mean.mean(0)) @ z
    if linear:
        covariance = (x - x.mean(0)).T @ (x - x.mean(0)) / len(x)
        rest -= z @ covariance @ (x.mean(0) @ w1)
    return rest


@pytest.mark.parametrize("linear", [False, True])
def test_path_gradients_by_differences(linear):
    rng, ratios = np.random.default_rng(7), {}
    words = ("value_norm", "logit_norm", "token_norm", "token_diameter")
    functions = {
        name: sp.lambdify([symbol(w) for w in words], part, "numpy")
        for name, part in depth.path_gradients(linear).items()
    }
    for _ in range(400):
        nu, om = rng.choice([0.1, 0.5, 1.0]), rng.choice([0.1, 0.5, 1.0, 3.0])
        x = tokens(rng)
        radii = {"y": nu, "z": nu**2, "V1": nu, "W1": om, "W2": om}
        blocks = [ball(rng, 2 if name in "yz" else (2, 2), radius) for name, radius in radii.items()]
        for k, name in enumerate(radii):
            limit = float(functions[name](nu, om, 1.0, diameter(x)))
            found = slope(lambda b, x=x: two_layer_parts(b, x, linear), blocks, k)
            assert found <= limit * (1 + 1e-5) + 1e-8, name
            ratios[name] = max(ratios.get(name, 0.0), found / limit)
    assert min(ratios.values()) > 0.02
    assert max(ratios.values()) > 0.3


def test_two_layers_reduce_to_paths_and_the_bound_holds():
    """f = <u, x> + <c, g> + <y, alpha x> + <z, alpha g> exactly; then n R_hat against U12, with U5 for Att."""
    rng = np.random.default_rng(3)
    n, d = 6, 2
    x = [tokens(rng, length=5) for _ in range(n)]
    for nu, om in ((0.1, 0.1), (0.3, 0.3)):
        for sample in x:
            u, v1, w1, v2, w2 = [ball(rng, 2, 1.0)] + [ball(rng, (2, 2), r) for r in (nu, om, nu, om)]
            g = attend(w1, sample)
            shifted = sample + g @ v1.T
            alpha = softmax(shifted[-1] @ w2 @ shifted.T)
            y = v2.T @ u
            direct = u @ sample[-1] + (v1.T @ u) @ g[-1] + y @ (alpha @ sample) + (v1.T @ y) @ (alpha @ g)
            assert network([u, v1, w1, v2, w2], sample) == pytest.approx(direct, abs=1e-12)
        signs = np.array(list(itertools.product((-1.0, 1.0), repeat=n)))
        means = [np.stack([s.mean(0) for s in x]), np.stack([s[-1] for s in x])]
        jacobians = [np.kron((s - s.mean(0)).T @ (s - s.mean(0)) / len(s), s[-1]) for s in x]
        slopes = [np.kron((s - s.mean(0)).T @ (s - s.mean(0)) / len(s), s.mean(0)) for s in x]
        widest = max(map(diameter, x))
        curved = sum(diameter(s) ** 3 for s in x) * om**2 / (12 * math.sqrt(3))
        words = {"sample_size": n, "dim": d, "value_norm": nu, "logit_norm": om, "token_norm": 1.0}
        words["token_diameter"] = widest
        remainders = [depth.path_width(flag).safe(**words) for flag in (False, True)]
        given = {
            "sample_size": n,
            "readout_norm": 1,
            "value_norm": nu,
            "logit_norm": om,
            "residual_mean": np.linalg.norm(signs @ means[1], axis=1).mean(),
            "attention_mean": np.linalg.norm(signs @ means[0], axis=1).mean()
            + om * math.sqrt(sum((j**2).sum() for j in jacobians))
            + curved,
            "double_path_mean": np.linalg.norm(signs @ means[0], axis=1).mean(),
            "path_jacobian_mean": math.sqrt(sum((j**2).sum() for j in slopes)),
            "path_remainder": remainders[0],
            "linear_path_remainder": remainders[1],
        }
        best = np.full(len(signs), -np.inf)
        for _ in range(60):
            v1, w1, v2, w2 = (ball(rng, (2, 2), r) for r in (nu, om, nu, om))
            hidden = [sample + attend(w1, sample) @ v1.T for sample in x]
            ends = np.stack([(sample + attend(w2, sample) @ v2.T)[-1] for sample in hidden])
            best = np.maximum(best, np.linalg.norm(signs @ ends, axis=1))
        truth = best.mean() / n
        bound = depth.path()
        assert truth <= bound.safe(**given)
        assert truth > bound.scaled(sp.Rational(1, 2)).safe(**given)
        assert truth <= depth.residual_depth(2).safe(**words | {"readout_norm": 1})


def test_divergence_of_two_layers():
    words = {"dim": 2, "value_norm": 0.5, "logit_norm": 0.75}
    scales = {"W2": 0.5, "S": sp.Rational(1, 4)}
    found = depth.two_layer_divergence(sp.Rational(1, 2), sp.Rational(1, 3), scales)
    total = 2 * math.log(1 + 9 / 2)
    for name, radius in {"W2": 0.75, "P": 0.375, "Q": 0.375, "S": 0.1875, "W1": 0.75}.items():
        tau = float(scales.get(name, 1)) / 2
        prior = tau**2 + radius**2 / 4  # KL of N(W, tau^2 I) from N(0, prior I) in dimension 4, |W| = radius
        total += 0.5 * (4 * tau**2 / prior + radius**2 / prior - 4 + 4 * math.log(prior / tau**2))
    assert float(sp.N(found.subs({symbol(w): v for w, v in words.items()}))) == pytest.approx(total)
    with pytest.raises(ValueError, match="smoothed blocks"):
        depth.two_layer_divergence(1, scales={"V1": 1})


@pytest.mark.parametrize("read_out", ["l2", "l1"])
def test_one_layer_is_exact(read_out):
    """Two heads, W from finite sets: the supremum over u and V_1, V_2 by projected ascent equals the formula."""
    rng = np.random.default_rng(5)
    n, d, norms = 3, 2, (0.7, 0.4)
    last, heads = rng.normal(size=(n, d)), rng.normal(size=(2, 4, n, d))  # head, W, sample, channel
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=n)))
    s0, sums = signs @ last, np.einsum("kn,hwnd->khwd", signs, heads)
    sizes = np.linalg.norm(sums, axis=3).max(2)
    given = {
        "sample_size": n,
        "readout_norm": 1.5,
        "residual_mean": np.linalg.norm(s0, axis=1, ord=2 if read_out == "l2" else np.inf).mean(),
        "head_sum": (sizes @ norms).mean(),
    }
    bound = depth.one_layer(read_out)
    assert bound.relation is Relation.EQUAL
    low, high = bound.certified(**given)
    angles = np.linspace(0, 2 * np.pi, 4001)
    units = np.stack([np.cos(angles), np.sin(angles)], 1)
    if read_out == "l1":
        units = np.concatenate([np.eye(2), -np.eye(2)])
    found = []
    for k in range(len(signs)):
        best = -np.inf
        for choice in itertools.product(range(4), repeat=2):
            rest = sum(
                # V = nu u s^T/(|u||s|) is the best matrix for this u; spelled out as a matrix
                np.einsum("ua,uab,b->u", units, norm * units[:, :, None] * (s / np.linalg.norm(s))[None, None], s)
                for norm, s in zip(norms, (sums[k, h, w] for h, w in enumerate(choice)), strict=True)
            )
            best = max(best, (units @ s0[k] + rest).max())
        found.append(1.5 * best / n)
    assert np.mean(found) <= high * (1 + 1e-12)
    assert np.mean(found) > low * (1 - 1e-6)
    random = np.full(len(signs), -np.inf)
    for _, k in itertools.product(range(50), range(len(signs))):
        moved = sum(ball(rng, (d, d), r) @ sums[k, h, rng.integers(4)] for h, r in enumerate(norms))
        random[k] = max(random[k], 1.5 / n * units[rng.integers(len(units))] @ (s0[k] + moved))
    assert np.mean(random) <= high


def test_depth_of_given_blocks():
    bound = depth.depth([(2, 1, 1), (3, sp.Rational(1, 2), 4)])
    widths = [2 * math.sqrt(2 / math.pi), 1.5 * math.sqrt(2) * math.gamma(2.5) / math.gamma(2)]
    expected = math.sqrt(math.pi / 2) * sum(x ** (2 / 3) for x in widths) ** 1.5 / 10
    assert bound.evaluate(sample_size=10) == pytest.approx(expected)
    for make in (depth.path, depth.two_layer_semigroup, depth.one_layer):
        with pytest.raises(ValueError, match="l2 or l1"):
            make("linf")
    with pytest.raises(ValueError, match="at least 1"):
        depth.residual_gradients(0)
