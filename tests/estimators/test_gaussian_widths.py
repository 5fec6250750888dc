"""estimators/gaussian_widths.py against Gamma functions, known means of singular values, and exact suprema."""

import itertools
import math

import mpmath
import numpy as np
import pytest
import sympy as sp

from estimators import gaussian_widths as widths
from theory.widths import gaussian_norm_mean

# G 2 x 2 has singular values |z| + |w| and ||z| - |w||, z and w independent complex normals with E|z| = sqrt(pi)/2.
SPECTRAL_2, NUCLEAR_2 = math.sqrt(math.pi), 2 * math.sqrt(math.pi) - math.sqrt(math.pi / 2)


@pytest.mark.parametrize("dim", [1, 2, 3, 10, 77, 500])
def test_norm_mean_is_a_quotient_of_gammas(dim):
    with mpmath.workdps(40):
        truth = mpmath.sqrt(2) * mpmath.gamma(mpmath.mpf(dim + 1) / 2) / mpmath.gamma(mpmath.mpf(dim) / 2)
        assert abs(widths.norm_mean(dim) / truth - 1) < widths.QUADRATURE_ERROR / 10
    found = widths.l2_ball(dim=dim, radius=-1.5)
    assert 1.5 * float(truth) == pytest.approx(found.estimate.lower, rel=1e-15)
    assert found.estimate.width <= 1e-15 * found.estimate.upper
    assert found.parameters == {"parameter_count": dim, "parameter_norm": 1.5}
    assert float(gaussian_norm_mean(dim).evalf(20)) == pytest.approx(found.estimate.lower / 1.5, rel=1e-15)


def test_largest_mean_of_few():
    """E max |g| is sqrt(2/pi) of one and 2/sqrt(pi) of two; of 60, against draws."""
    with mpmath.workdps(30):
        assert abs(widths.largest_mean(1) - mpmath.sqrt(2 / mpmath.pi)) < 1e-25
        assert abs(widths.largest_mean(2) - 2 / mpmath.sqrt(mpmath.pi)) < 1e-25
    draws = np.abs(np.random.default_rng(0).standard_normal((40_000, 60))).max(axis=1)
    assert float(widths.largest_mean(60)) == pytest.approx(draws.mean(), abs=5 * draws.std() / 200)


def test_box_is_a_sum():
    found = widths.box(dim=7, radius=2.0).estimate
    assert 14 * math.sqrt(2 / math.pi) == pytest.approx(found.lower, rel=1e-15)
    assert found.width < 1e-14


@pytest.mark.parametrize("seed", range(3))
def test_two_by_two_matrices(seed):
    case = {"rows": 2, "columns": 2, "radius": 3.0, "seed": seed}
    for found, truth in (
        (widths.nuclear_ball(**case), SPECTRAL_2),
        (widths.low_rank(**case, rank=1), SPECTRAL_2),
        (widths.spectral_ball(**case), NUCLEAR_2),
    ):
        assert 3 * truth in found.estimate
        assert 3 * truth * 0.97 not in found.estimate
        assert 3 * truth * 1.03 not in found.estimate
    assert widths.low_rank(**case, rank=2).estimate.upper == pytest.approx(3 * float(widths.norm_mean(4)), rel=1e-15)


@pytest.mark.parametrize(("rows", "columns"), [(3, 2), (4, 4), (2, 7)])
def test_matrices_against_other_draws(rows, columns):
    g = np.random.default_rng(99).standard_normal((20_000, rows, columns))
    s = np.linalg.svd(g, compute_uv=False)
    case = {"rows": rows, "columns": columns, "radius": 1.0}
    pairs = [(widths.nuclear_ball(**case), s[:, 0]), (widths.spectral_ball(**case), s.sum(axis=1))]
    pairs += [(widths.low_rank(**case, rank=r), (s[:, :r] ** 2).sum(axis=1) ** 0.5) for r in range(1, s.shape[1])]
    for found, suprema in pairs:
        error = 5 * suprema.std() / len(suprema) ** 0.5
        assert found.estimate.lower - error <= suprema.mean() <= found.estimate.upper + error
        assert found.estimate.width < 0.04 * suprema.mean()


@pytest.mark.parametrize("count", [1, 4])
def test_one_row_is_a_vector(count):
    for measure in (widths.nuclear_ball, widths.spectral_ball):
        for rows, columns in ((1, count), (count, 1)):
            found = measure(rows=rows, columns=columns, radius=1.0).estimate
            assert float(widths.norm_mean(count)) in found
            assert found.width < 1e-15


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: widths.norm_of_gaussian(dim=0), "dim must"),
        (lambda: widths.box(dim=501, radius=1.0), "dim must"),
        (lambda: widths.nuclear_ball(rows=17, columns=2, radius=1.0), "16 x 16"),
        (lambda: widths.low_rank(rows=3, columns=3, rank=0, radius=1.0), "rank must"),
        (lambda: widths.comparison(vectors=[[1.0], [0.0]], process=[[1.0], [1.0]]), "different points"),
        (lambda: widths.comparison(vectors=[[1.0]], process=[[1.0], [1.0]]), "one per function"),
        (lambda: widths.bilinear_class(left=[[1.0]], right=[[1.0]], left_radius=0.0, right_radius=1.0), "radii"),
        (lambda: widths.sine_class(features=[[1.0, 1.0, 1.0]], radius=1.0), "1 or 2 columns"),
    ],
)
def test_bad_sizes_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("scale", [0.25, 1.0, 3.0])
def test_comparison_takes_the_least_factor(scale):
    """{-1, 1} against itself, shrunk or grown: E max Y = sqrt(2/pi) whatever the scale of the process."""
    found = widths.comparison(vectors=[[-1.0], [1.0]], process=[[-scale], [scale]])
    assert 1.0 in found.estimate
    low, high = found.parameters["gaussian_supremum"]
    assert low <= math.sqrt(2 / math.pi) <= high
    assert high - low < 1e-13


def test_comparison_is_limited_by_the_worst_pair():
    """Points 0, 1, 3 against 0, 1, 2: the last pair asks for c = 2, so E max Y = 2 E max over {0, 2} of t g."""
    found = widths.comparison(vectors=[[0.0], [1.0], [3.0]], process=[[0.0], [1.0], [2.0]])
    assert found.parameters["gaussian_supremum"] == pytest.approx((4 / math.sqrt(2 * math.pi),) * 2)
    assert 1.5 in found.estimate


def test_bilinear_class_by_its_definition():
    rng = np.random.default_rng(1)
    x, z = rng.normal(size=(4, 2)), rng.normal(size=(4, 3))
    found = widths.bilinear_class(left=x.tolist(), right=z.tolist(), left_radius=2.0, right_radius=-0.5)
    grid = np.linspace(0, np.pi, 40_000)
    directions = np.stack([np.cos(grid), np.sin(grid)], 1)  # sup over w is a norm, over u a grid of the half circle
    total = 0.0
    for eps in itertools.product((-1, 1), repeat=4):
        total += np.linalg.norm(directions @ (x.T @ (np.array(eps)[:, None] * z)), axis=1).max()
    assert found.estimate.lower == pytest.approx(total / 16 / 4, rel=1e-7)
    assert found.estimate.width < 1e-12
    aggregate = math.sqrt(sum((a @ a) * (b @ b) for a, b in zip(x, z, strict=True)))
    blocks = [(float(lam), float(omega)) for lam, omega in found.arguments["blocks"]]
    assert blocks[0] == pytest.approx((0.5 * aggregate, 2 * math.sqrt(math.pi / 2)))
    assert blocks[1] == pytest.approx((2 * aggregate, 0.5 * 4 / math.sqrt(2 * math.pi)))


def test_bilinear_blocks_are_not_below_the_truth():
    found = widths.bilinear_class(left=[[3.0]], right=[[1.0]], left_radius=1.0, right_radius=1.0)
    for lam, omega in found.arguments["blocks"]:
        assert lam >= 3
        assert omega >= sp.sqrt(2 / sp.pi)
        assert omega <= sp.sqrt(2 / sp.pi) * (1 + sp.Rational(1, 10**15))


@pytest.mark.parametrize("radius", [0.05, 1.0, 2.0, 9.0])
def test_sine_of_one_sample(radius):
    found = widths.sine_class(features=[[1.0]], radius=-radius)
    truth = math.sin(min(radius, math.pi / 2))
    assert truth in found.estimate
    assert found.estimate.width < 0.01 * radius
    assert found.parameters["gradient_trace"] == pytest.approx((1.0, 1.0))


@pytest.mark.parametrize("radius", [0.05, 1.0, 2.0])
def test_sine_of_two_orthogonal_samples(radius):
    """sin w_1 + sin w_2 on a disc is largest at w_1 = w_2 (concave there), for any signs."""
    found = widths.sine_class(features=[[1.0, 0.0], [0.0, 1.0]], radius=radius)
    assert math.sin(radius / math.sqrt(2)) in found.estimate
    assert found.estimate.width < 0.08 * radius
    assert found.estimate.lower > 0.98 * math.sin(radius / math.sqrt(2))
