"""theory/widths.py against Gaussian draws, exact values and enumerated complexities.

Also the covers and Dudley's integral of theory/classical.py, against packings and a disc.
"""

import itertools
import math

import numpy as np
import pytest
import sympy as sp

from theory import classical, widths
from theory.bound import Bound, Proof, Relation
from theory.notation import cover_scale, jacobian_energy, parameter_count, parameter_norm

TWIN = sp.Rational(1, 100)
SIDES = [(1, 1), (1, 4), (3, 2), (5, 5)]


def mean_interval(draws):
    """(lower, upper) five standard errors around the mean."""
    half = 5 * draws.std() / np.sqrt(len(draws))
    return draws.mean() - half, draws.mean() + half


def signs(n):
    return np.array(list(itertools.product((-1.0, 1.0), repeat=n)))


@pytest.mark.parametrize("dim", [1, 2, 3, 10, 200])
def test_norm_mean_lies_between_its_bounds(dim):
    low, high = Bound("m_d", Relation.EQUAL, widths.gaussian_norm_mean(dim), "").certified()
    upper, lower = widths.norm_mean_upper(), widths.norm_mean_lower()
    assert lower.safe(dim=dim) <= low <= high <= upper.safe(dim=dim)
    assert low > upper.scaled(TWIN).safe(dim=dim)
    assert high < lower.scaled(100).safe(dim=dim)
    if dim == 200:  # both are asymptotically sharp
        assert low > upper.scaled(sp.Rational(95, 100)).safe(dim=dim)
        assert high < lower.scaled(sp.Rational(105, 100)).safe(dim=dim)


def test_norm_mean_is_exact_in_small_dimensions():
    assert sp.simplify(widths.gaussian_norm_mean(1) - sp.sqrt(2 / sp.pi)) == 0
    assert sp.simplify(widths.gaussian_norm_mean(3) - 4 / sp.sqrt(2 * sp.pi)) == 0
    product = widths.gaussian_norm_mean(parameter_count) * widths.gaussian_norm_mean(parameter_count + 1)
    assert sp.gammasimp(product / parameter_count) == 1
    with pytest.raises(ValueError, match="positive integer"):
        widths.gaussian_norm_mean(0)


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_vector_widths_against_draws(count):
    g = np.random.default_rng(count).normal(size=(20000, count))
    cases = {
        "l2": (widths.l2_ball(), 2 * np.linalg.norm(g, axis=1)),
        "l1": (widths.l1_ball(), 2 * np.abs(g).max(axis=1)),
        "box": (widths.box(), 2 * np.abs(g).sum(axis=1)),
    }
    for bound, suprema in cases.values():
        low, high = mean_interval(suprema)
        value_low, value_high = bound.certified(parameter_count=count, parameter_norm=2)
        assert low <= value_high
        assert low > bound.scaled(TWIN).certified(parameter_count=count, parameter_norm=2)[1]
        if bound.relation is Relation.EQUAL or count == 1:
            assert value_low <= high
            assert low > 0.95 * value_high  # a constant 5 % smaller is refuted


@pytest.mark.parametrize(("rows", "columns"), SIDES)
def test_matrix_widths_against_draws(rows, columns):
    g = np.random.default_rng(rows).normal(size=(6000, rows, columns))
    singular = np.linalg.svd(g, compute_uv=False)
    words = {"rows": rows, "columns": columns, "parameter_norm": 1}
    least = min(rows, columns)
    cases = [
        (widths.nuclear_ball(), words, singular[:, 0], least == 1),
        (widths.spectral_ball(), words, singular.sum(axis=1), least == 1),
    ]
    for rank in range(1, least + 1):
        top = np.sqrt((singular[:, :rank] ** 2).sum(axis=1))
        cases.append((widths.frobenius_low_rank(), {**words, "rank": rank}, top, rank == least))
    for bound, values, suprema, exact in cases:
        low, high = mean_interval(suprema)
        assert low <= bound.safe(**values)
        assert low > bound.scaled(TWIN).safe(**values)
        if exact:
            assert bound.certified(**values)[0] <= high
            assert low > bound.scaled(sp.Rational(95, 100)).safe(**values)


def test_matrix_widths_improve_on_the_usual_square_roots():
    values = {"rows": 4, "columns": 9, "parameter_norm": 1}
    assert widths.nuclear_ball().safe(**values) < 2 + 3
    assert widths.spectral_ball().safe(**values) < 2 * 6
    assert widths.frobenius_low_rank().safe(**values, rank=1) < 2 + 3
    with pytest.raises(ValueError, match="assumes"):
        widths.frobenius_low_rank().safe(**values, rank=5)


def test_gaussian_comparison_is_attained_by_one_sample_and_two_signs():
    comparison = widths.gaussian_comparison()
    value = comparison.evaluate(sample_size=1, gaussian_supremum=sp.sqrt(2 / sp.pi))  # E max(g, -g)
    assert value == pytest.approx(1, abs=1e-10)
    short = comparison.scaled(sp.Rational(95, 100))
    assert short.safe(sample_size=1, gaussian_supremum=sp.sqrt(2 / sp.pi)) < 1


def test_sudakov_fernique_bounds_a_product_class():
    """f_{u,w}(x_i) = <u, x_i> + tanh<w, z_i>: Lam_u^2 = sum |x_i|^2, Lam_w^2 = sum |z_i|^2, radii 1 and 2."""
    rng = np.random.default_rng(5)
    n = 6
    x, z = rng.normal(size=(n, 2)), rng.normal(size=(n, 2)) / 4
    angle = np.linspace(0, 2 * np.pi, 200)
    disc = np.concatenate([r * np.stack([np.cos(angle), np.sin(angle)], 1) for r in (0.5, 1, 1.5, 2)])
    eps = signs(n)
    exact_u = np.linalg.norm(eps @ x, axis=1)
    seen_w = (eps @ np.tanh(disc @ z.T).T).max(axis=1)  # a search: from below
    lower = (exact_u + seen_w).mean() / n
    ball = widths.l2_ball()
    bound = widths.sudakov_fernique(
        [
            (sp.Rational(float(np.linalg.norm(x))), ball.subs(parameter_norm=1, parameter_count=2)),
            (sp.Rational(float(np.linalg.norm(z))), ball.subs(parameter_norm=2, parameter_count=2)),
        ]
    )
    assert lower <= bound.safe(sample_size=n) <= 4 * lower
    assert lower > bound.scaled(TWIN).safe(sample_size=n)


def test_one_block_of_one_parameter_is_attained():
    """F = {t x: |t| <= 1}, n = 1: R_hat = |x| and the bound is sqrt(pi/2) |x| m_1 = |x|."""
    bound = widths.sudakov_fernique([(3, widths.l2_ball().subs(parameter_norm=1, parameter_count=1))])
    assert bound.evaluate(sample_size=1) == pytest.approx(3, abs=1e-10)


def test_block_weights_are_optimal():
    a, b, theta = sp.symbols("a b theta", positive=True)
    bound = widths.sudakov_fernique([(a**3, 1), (b**3, 1)]).expression / sp.sqrt(sp.pi / 2)
    process = a**3 / sp.sqrt(theta) + b**3 / sp.sqrt(1 - theta)
    best = theta - a**2 / (a**2 + b**2)
    slope = sp.diff(process, theta).subs(theta, theta - best)
    numbers = {a: sp.Rational(2), b: sp.Rational(5)}
    assert abs(float(slope.subs(numbers))) < 1e-9
    size = next(iter(bound.free_symbols - {a, b}))
    gap = (bound.subs(size, 1) - process.subs(theta, theta - best)).subs(numbers)
    assert float(gap) == pytest.approx(0, abs=1e-9)


def test_sudakov_fernique_refuses_what_it_cannot_use():
    lower = widths.norm_mean_lower()
    with pytest.raises(ValueError, match="from below"):
        widths.sudakov_fernique([(1, lower)])
    with pytest.raises(ValueError, match="no blocks"):
        widths.sudakov_fernique([])
    with pytest.raises(ValueError, match="nonnegative"):
        widths.sudakov_fernique([(-1, parameter_norm)])
    kept = widths.sudakov_fernique([(sp.sqrt(jacobian_energy), widths.frobenius_low_rank())])
    assert kept.assumptions == widths.frobenius_low_rank().assumptions


def test_anisotropic_bound_on_a_linear_class():
    """Linear class: M = sum x_i x_i^T; at n = 1 in one dimension the slack is sqrt(pi/2) exactly."""
    rng = np.random.default_rng(6)
    x = rng.normal(size=(7, 3)) * [3, 0.3, 0.1]
    exact = 2 * np.linalg.norm(signs(7) @ x, axis=1).mean() / 7
    bound = widths.anisotropic()
    words = {"parameter_norm": 2, "gradient_trace": float((x**2).sum()), "sample_size": 7}
    assert exact <= bound.safe(**words) <= 2 * exact
    assert exact > bound.scaled(TWIN).safe(**words)
    one = bound.evaluate(parameter_norm=1, gradient_trace=1, sample_size=1)
    assert one == pytest.approx(np.sqrt(np.pi / 2), abs=1e-10)


def greedy_packing(points, scale):
    """Size of a maximal subset with mutual distances above 2 scale: at most N(scale), centres anywhere."""
    chosen = []
    for point in points:
        if all(np.abs(point - other).max() > 2 * scale for other in chosen):
            chosen.append(point)
    return len(chosen)


@pytest.mark.parametrize("scale", [0.05, 0.2, 0.5, 0.9, 2.0])
def test_covers_are_larger_than_packings(scale):
    """In sup norm over the inputs e_1, e_2 the l2 disc and the l1 diamond of radius 1 are plane figures."""
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 81)] * 2), axis=-1).reshape(-1, 2)
    disc, diamond = grid[np.linalg.norm(grid, axis=1) <= 1], grid[np.abs(grid).sum(axis=1) <= 1]
    zhang = classical.zhang_cover()
    words = {"parameter_norm": 1, "cover_scale": scale}
    packed = math.log(greedy_packing(disc, scale))
    assert packed <= zhang.safe(**words, input_norm=1, sample_size=2)
    assert packed <= classical.ball_cover().safe(**words, parameter_count=2)  # |.|_inf <= |.|_2
    rows = math.log(greedy_packing(diamond, scale))
    assert rows <= classical.matrix_cover().safe(**words, input_norm=1, rows=1, columns=2)


def test_covers_divided_by_a_hundred_are_violated():
    words = {"parameter_norm": 1, "cover_scale": 0.9}
    interval = math.log(2)  # [-1, 1] cannot be covered by one interval of radius 0.9
    assert interval > classical.ball_cover().scaled(TWIN).safe(**words, parameter_count=1)
    assert interval > classical.matrix_cover().scaled(TWIN).safe(**words, input_norm=1, rows=1, columns=1)
    # +-sqrt(n) x on n orthogonal inputs: the cube of side 2/sqrt(n) needs 2^n centres below its half side
    n = 400
    below = {"parameter_norm": 1, "input_norm": 1, "sample_size": n, "cover_scale": 0.99 / math.sqrt(n)}
    zhang = classical.zhang_cover()
    assert n * math.log(2) <= zhang.safe(**below)
    assert n * math.log(2) > zhang.scaled(sp.Rational(1, 1000)).safe(**below)
    assert zhang.proof is Proof.RECALLED


def test_maurey_cover_reaches_every_matrix_it_claims():
    """The means of k = ceil(1/eps^2) matrices +-E_jk come within eps in Frobenius norm of every |W|_11 <= 1."""
    rng = np.random.default_rng(9)
    scale = 0.6
    k = math.ceil(1 / scale**2)
    vertices = np.concatenate([np.eye(4), -np.eye(4)])
    centres = np.array([np.mean(c, axis=0) for c in itertools.combinations_with_replacement(vertices, k)])
    words = {"parameter_norm": 1, "input_norm": 1, "cover_scale": scale, "rows": 2, "columns": 2}
    assert math.log(len(centres)) <= classical.matrix_cover().safe(**words)
    for _ in range(300):
        w = rng.normal(size=4) * (rng.random(4) < 0.7)
        w = w / max(np.abs(w).sum(), 1e-9) * rng.random() ** 0.2
        assert np.linalg.norm(centres - w, axis=1).min() <= scale


def test_dudley_bounds_a_ball_and_closes_its_integral():
    """Linear class in R^2 with sum x_i x_i^T = n I: |f_w|_n = |w|, so its entropy is that of the unit disc."""
    n = 8
    angle = 2 * np.pi * np.arange(n) / n
    x = math.sqrt(2) * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    exact = np.linalg.norm(signs(n) @ x, axis=1).mean() / n
    entropy = classical.ball_cover().subs(parameter_norm=1, parameter_count=2).expression
    words = {"class_radius": 1, "sample_size": n}
    for cut in (0, sp.Rational(1, 10)):
        kept, closed = (classical.dudley(entropy, cut, closed=flag) for flag in (False, True))
        assert exact <= kept.evaluate(**words) <= closed.evaluate(**words)
        assert exact > closed.scaled(TWIN).safe(**words)
        assert exact > kept.scaled(TWIN).evaluate(**words)
    with pytest.raises(ValueError, match="assumes"):
        classical.dudley(entropy).evaluate(**words, chaining_cut=2)


def test_closed_dudley_refuses_an_integral_it_cannot_do():
    with pytest.raises(ValueError, match="closed=False"):
        classical.dudley(sp.Function("H")(cover_scale), closed=True)
