"""theory/rademacher_baselines.py: closed forms against integrals of the covers, nets on random matrices, one head."""

import itertools
import math

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from theory import rademacher_baselines as baselines
from theory.bound import Proof, Relation
from theory.classical import matrix_cover, zhang_cover
from theory.rademacher import covering
from theory.rademacher_depth import residual_depth

MAKERS = {**baselines.BASELINE_BOUNDS, **baselines.DEPTH_BASELINES}
VALUES = {
    "sample_size": 64,
    "length": 16,
    "dim": 3,
    "logit_dim": 12,
    "rows": 3,
    "columns": 4,
    "rank": 2,
    "readout_norm": 1.5,
    "logit_norm": 0.75,
    "value_norm": 0.5,
    "token_norm": 1.0,
    "token_diameter": 1.75,
    "value_maximum": 1.25,
    "key_maximum": 1.5,
    "value_energy": 70.0,
    "value_diameter_energy": 90.0,
    "covariance_lipschitz": 8.0,
    "table_norm": 0.5,
    "vc_dimension": 10,
}
COUNTS = {"sample_size", "length", "dim", "logit_dim", "rows", "columns", "rank", "vc_dimension"}


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
    assert "after" in bound.reference
    assert bound.relation is Relation.AT_MOST
    for word in at(bound):
        if word not in COUNTS:
            assert bound.evaluate(**at(bound, **{word: VALUES[word] * 1.25})) >= base * (1 - 1e-15), word
            assert bound.safe(**at(bound, **{word: 0})) >= 0


def test_proof_status_says_what_rests_on_memory():
    status = {name: make().proof for name, make in baselines.BASELINE_BOUNDS.items()}
    assert status.pop("after-Edelman") is Proof.RECALLED
    assert set(status.values()) == {Proof.DERIVED}


def entropy_of_split(first, second, scale, eps):
    """Least of first(eps_u) + second(eps_w) over eps_u + scale eps_w = eps."""
    found = minimize_scalar(
        lambda share: first(share * eps) + second((1 - share) * eps / scale), bounds=(1e-3, 1 - 1e-3), method="bounded"
    )
    return found.fun  # type: ignore[attr-defined]  # OptimizeResult is a dict with attributes


def dudley(entropy, radius, n):
    cut = radius / math.sqrt(n)
    grid = np.geomspace(cut, radius, 60)
    values = np.sqrt([entropy(eps) for eps in grid])
    steps = np.diff(grid)
    return [4 * cut + 12 / math.sqrt(n) * (values[k : len(values) - 1 + k] * steps).sum() for k in (1, 0)]


@pytest.mark.parametrize("words", [{}, {"logit_norm": 4.0, "sample_size": 1000}, {"key_maximum": 0.125}])
def test_zhang_head_bounds_the_integral_of_zhangs_cover(words):
    bound = baselines.zhang_head()
    v = VALUES | words
    points, top = v["sample_size"] * v["length"], v["readout_norm"] * v["value_maximum"]

    def cover(norm, size):
        ratio = norm * size
        return lambda e: 36 * (ratio / e) ** 2 * math.log(2 * math.ceil(4 * ratio / e + 2) * points + 1)

    first, second = cover(v["readout_norm"], v["value_maximum"]), cover(v["logit_norm"], v["key_maximum"])
    exact = zhang_cover().evaluate(parameter_norm=1.5, input_norm=1.25, cover_scale=0.5, sample_size=points)
    assert cover(1.5, 1.25)(0.5) == pytest.approx(exact)
    lower, upper = dudley(lambda eps: entropy_of_split(first, second, top, eps), top, v["sample_size"])
    value = bound.safe(**at(bound, **words))
    assert lower <= value <= 1.25 * upper
    assert lower > bound.scaled(sp.Rational(3, 4)).safe(**at(bound, **words))


@pytest.mark.parametrize("words", [{}, {"logit_norm": 4.0, "sample_size": 1000}])
def test_maurey_head_bounds_the_integral_of_maureys_cover(words):
    bound = baselines.maurey_head()
    v = VALUES | words
    top = v["readout_norm"] * v["value_maximum"]

    def cover(norm, size, dimension):
        radius = norm * size * math.sqrt(dimension)
        return lambda e: math.ceil((radius / e) ** 2) * math.log(2 * dimension)

    first = cover(v["readout_norm"], v["value_maximum"], v["dim"])
    second = cover(v["logit_norm"], v["key_maximum"], v["logit_dim"])
    exact = matrix_cover().evaluate(parameter_norm=2 * math.sqrt(3), input_norm=1, cover_scale=0.5, rows=3, columns=1)
    assert cover(2, 1, 3)(0.5) == pytest.approx(exact)
    lower, upper = dudley(lambda eps: entropy_of_split(first, second, top, eps), top, v["sample_size"])
    value = bound.safe(**at(bound, **words))
    assert lower <= value <= 1.4 * upper
    assert lower > bound.scaled(sp.Rational(2, 3)).safe(**at(bound, **words))


def test_polynomial_entropy_integral():
    bound = baselines.low_rank_head()
    v, n = VALUES, VALUES["sample_size"]
    spread = v["readout_norm"] * math.sqrt(v["value_energy"] / n)
    slope = v["readout_norm"] * v["covariance_lipschitz"] / math.sqrt(n)
    blocks = [(v["dim"], 4 * spread), (v["rank"] * 8, 12 * v["logit_norm"] * slope)]
    integral = quad(lambda e: math.sqrt(sum(p * math.log(1 + c / e) for p, c in blocks)), 0, spread)[0]
    value = bound.safe(**at(bound))
    assert 12 / math.sqrt(n) * integral <= value <= 1.2 * 12 / math.sqrt(n) * integral
    with pytest.raises(ValueError, match="false"):
        bound.safe(**at(bound, rank=4))


def test_rank_net_moves_matrices_by_at_most_its_scale():
    """The three steps of the cover of low-rank matrices, with the perturbations that a net allows."""
    rng, worst = np.random.default_rng(0), 0.0
    for _ in range(400):
        rows, columns, rank, eps = 6, 5, 3, rng.choice([0.05, 0.3])
        x, z = (np.linalg.qr(rng.normal(size=(size, rank)))[0] for size in (rows, columns))
        y = rng.normal(size=rank)
        y /= np.linalg.norm(y)
        near = [np.linalg.qr(side + eps / 6 * rng.normal(size=side.shape) / 2)[0] for side in (x, z)]
        near = [new * np.sign(np.sum(new * old, axis=0)) for new, old in zip(near, (x, z), strict=True)]
        other = y + eps / 3 * rng.normal(size=rank) / 4
        other /= max(1.0, np.linalg.norm(other))
        steps = [np.linalg.norm(new - old, axis=0).max() for new, old in zip(near, (x, z), strict=True)]
        moved = np.linalg.norm(x * y @ z.T - near[0] * other @ near[1].T)
        limit = sum(steps) + np.linalg.norm(y - other)
        assert moved <= limit * (1 + 1e-12)
        worst = max(worst, moved / limit)
    assert worst > 0.5


def truth_of_one_head(rng, n=4, length=4, d=2, radius=1.0):
    keys, values = rng.normal(size=(n, length, d)), rng.normal(size=(n, length, d))
    angles, radii = np.linspace(0, 2 * np.pi, 24, endpoint=False), np.linspace(0, 1, 7) * radius
    grid = np.array([(r * np.cos(a), r * np.sin(a)) for r, a in itertools.product(radii, angles)])
    alpha = np.exp(np.einsum("itp,wp->wit", keys, grid))
    a = np.einsum("wit,itd->wid", alpha / alpha.sum(2, keepdims=True), values)
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=n)))
    truth = np.linalg.norm(np.einsum("ki,wid->kwd", signs, a), axis=2).max(1).mean() / n
    spans = np.array([[max(np.linalg.norm(p - q) for p in x for q in x) for x in z] for z in (values, keys)])
    return truth, {
        "sample_size": n,
        "length": length,
        "dim": d,
        "logit_dim": d,
        "rows": d,
        "columns": 1,
        "rank": 1,
        "readout_norm": 1,
        "logit_norm": radius,
        "value_maximum": np.linalg.norm(values, axis=2).max(),
        "key_maximum": np.linalg.norm(keys, axis=2).max(),
        "value_energy": (np.linalg.norm(values, axis=2).max(1) ** 2).sum(),
        "value_diameter_energy": (spans[0] ** 2).sum(),
        "covariance_lipschitz": np.linalg.norm(spans[0] * spans[1] / 4),
        "table_norm": 0,
    }


@pytest.mark.parametrize("name", baselines.BASELINE_BOUNDS)
def test_truth_of_one_head_lies_below_and_the_twin_falls(name):
    bound = baselines.BASELINE_BOUNDS[name]()
    for seed in range(3):
        truth, words = truth_of_one_head(np.random.default_rng(seed))
        given = {symbol.name: words[symbol.name] for symbol in bound.symbols}
        assert truth <= bound.safe(**given)
        assert truth > bound.scaled(sp.Rational(1, 3000)).safe(**given)


def test_lengths_and_ranks_enter_as_the_papers_say():
    zhang, maurey, low = baselines.zhang_head(), baselines.maurey_head(), baselines.low_rank_head()
    longer = zhang.evaluate(**at(zhang, length=10**6)) / zhang.evaluate(**at(zhang, length=10))
    assert 1 < longer < 2  # logarithmic
    assert "length" not in at(maurey) | at(low)
    big = {"rows": 64, "columns": 64, "dim": 64}
    assert low.evaluate(**at(low, rank=2, **big)) < low.evaluate(**at(low, rank=32, **big))
    plain = covering().evaluate(
        **{s.name: (VALUES | {"dim": 64, "logit_dim": 64**2})[s.name] for s in covering().symbols}
    )
    assert low.evaluate(**at(low, rank=2, **big)) < plain
    table = baselines.trainable_table()
    assert table.evaluate(**at(table)) > 1.5 * table.evaluate(**at(table, table_norm=0))


def test_covers_win_only_where_gradients_are_huge():
    """Covers take logarithms of the gradients, Gaussian comparison the gradients: it wins up to two layers here."""
    values = {}
    for layers in (1, 2, 4):
        cover, direct = baselines.residual_layers(layers), residual_depth(layers)
        values[layers] = cover.safe(**at(cover)) / direct.safe(**at(direct))
    assert values[1] > values[2] > 1 > values[4]
    trivial = 1.5 * 1.5**4
    assert min(baselines.residual_layers(4).safe(**at(cover)), residual_depth(4).safe(**at(direct))) > trivial


def test_vc_bound():
    bound = baselines.vc_dimension_bound()
    n = 6
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=n)))
    thresholds = np.array([[1.0] * k + [-1.0] * (n - k) for k in range(n + 1)])  # VC dimension 1
    for functions, dimension in ((signs, n), (thresholds, 1)):
        truth = (signs @ functions.T).max(1).mean() / n
        assert truth <= bound.safe(sample_size=n, vc_dimension=dimension)
        assert truth > bound.scaled(sp.Rational(1, 4)).safe(sample_size=n, vc_dimension=dimension)
    with pytest.raises(ValueError, match="false"):
        bound.safe(sample_size=5, vc_dimension=6)
