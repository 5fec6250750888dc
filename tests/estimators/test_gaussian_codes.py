"""Information of codes in Gaussian noise, against mpmath, known values and one another."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.gaussian_codes import (
    code_information,
    code_statistics,
    encoding_code,
    exact_squared_distances,
    line_information,
    sampled_information,
)
from estimators.posterior import divergence
from theory import information, information_codes

TWIN = information_codes.sp.Rational(1, 100)


def by_mpmath(code, noise_scale):
    """ln N - E H(post) by adaptive quadrature in 30 digits."""
    with mpmath.workdps(30):
        means = [mpmath.mpf(p) / mpmath.mpf(noise_scale) for p in code]

        def integrand(z):
            densities = [mpmath.npdf(z, m) for m in means]
            mixture = mpmath.fsum(densities) / len(means)
            return mpmath.fsum(f * mpmath.log(f / mixture) for f in densities if f > 0) / len(means)

        breaks = sorted({min(means) - 12, *means, max(means) + 12})
        return float(mpmath.quad(integrand, breaks))


@pytest.mark.parametrize(("height", "known"), [(0.3, 0.043), (3.0, 0.689)])
def test_binary_code_in_unit_noise(height, known):
    found = line_information([[-height], [height]], 1.0)
    assert found.width < 1e-12
    assert found.lower == pytest.approx(known, abs=5e-4)
    assert by_mpmath([-height, height], 1.0) in found


@pytest.mark.parametrize(
    ("code", "noise_scale"),
    [([0.0, 1.0, 5.0], 0.3), ([-2.0, -1.9, 0.4, 7.0], 1.0), ([1e6, 1e6 + 1], 0.5), ([-1e-3, 1e-3], 1.0)],
)
def test_quadrature_contains_the_30_digit_value(code, noise_scale):
    found = line_information([[p] for p in code], noise_scale)
    truth = by_mpmath(code, noise_scale)
    assert found.lower <= truth <= found.upper
    assert found.width < 1e-12
    assert truth > found.upper / 100


def test_repeated_and_distant_codes_give_the_logarithm_of_their_number():
    code = np.repeat([0.0, 100.0, 200.0], [4, 4, 4])[:, None]
    assert math.log(3) in line_information(code, 1.0)
    assert line_information([[2.0]] * 5, 1.0).upper == 0.0


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=2, max_size=6), st.floats(0.3, 3))
def test_every_bound_holds_on_random_lines(code, noise_scale):
    found = code_information(code=[[p] for p in code], noise_scale=noise_scale)
    estimate, words = found.estimate, found.parameters
    squares = found.arguments["squared_distances"]
    words = words | {name: words[name][1] for name in ("code_power", "code_determinant")}
    for upper in (
        information_codes.pairwise_upper(squares),
        information_codes.second_moment_cap(),
        information_codes.gaussian_code_bound(),
        information.information_ceiling(),
    ):
        assert estimate.lower <= upper.safe(**{s.name: words[s.name] for s in upper.symbols}) + 1e-13
    lower = information_codes.pairwise_lower(squares)
    assert estimate.upper >= lower.safe(**{s.name: words[s.name] for s in lower.symbols}) - 1e-13


def test_twins_of_the_bounds_fail_on_a_line():
    found = code_information(code=[[0.0], [1.0], [2.0]], noise_scale=1.0)
    words = found.parameters | {name: found.parameters[name][1] for name in ("code_power", "code_determinant")}
    squares = found.arguments["squared_distances"]
    for upper in (
        information_codes.pairwise_upper(squares),
        information_codes.second_moment_cap(),
        information_codes.gaussian_code_bound(),
    ):
        twin = upper.scaled(TWIN)
        assert found.estimate.lower > twin.safe(**{s.name: words[s.name] for s in twin.symbols})
    twin = information_codes.pairwise_lower(squares).scaled(100)
    assert found.estimate.upper < twin.safe(noise_scale=1.0)


@pytest.mark.parametrize("noise_scale", [0.1, 0.5, 5.0])
def test_sampling_covers_the_exact_value_of_a_turned_line(noise_scale):
    rng = np.random.default_rng(0)
    line = rng.standard_normal((12, 1))
    direction = np.array([[0.6, 0.8, 0.0]])
    exact = line_information(line, noise_scale)
    sampled = sampled_information(line @ direction + 7.0, noise_scale, groups=1500, confidence=0.999)
    assert sampled.lower <= exact.lower
    assert exact.upper <= sampled.upper
    assert sampled.width < 0.04
    assert exact.lower > sampled.upper / 100


def test_sampling_is_right_on_average_and_reproducible():
    line = np.random.default_rng(1).standard_normal((6, 1))
    exact = line_information(line, 1.0)
    ends = [sampled_information(line, 1.0, groups=200, seed=seed, confidence=0.9) for seed in range(60)]
    assert sum(exact.lower in end for end in ends) >= 54
    assert ends[0] == sampled_information(line, 1.0, groups=200, seed=0, confidence=0.9)
    assert ends[0] != ends[1]


@pytest.mark.parametrize(
    ("encoding", "low", "high"),
    [
        ("sinusoidal", 1.633, 1.640),
        ("legendre", 1.908, 1.917),
        ("legendre:form=normalised", 2.125, 2.133),
        ("haar", 3.052, 3.061),
        ("cosine", 3.331, 3.339),
        ("random-orthogonal", 3.439, 3.449),
    ],
)
def test_known_intervals_at_64_positions_and_32_channels(encoding, low, high):
    found = sampled_information(encoding_code(encoding, 32, 64, 1.0), 0.3, groups=700, confidence=0.95)
    assert found.lower <= high
    assert low <= found.upper
    assert found.width < 0.06


def test_statistics_of_a_flat_code_and_exact_distances():
    code = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]) + 5.0
    words = code_statistics(code, 0.5)
    assert words["code_power"][0] <= 1.0 <= words["code_power"][1]
    assert words["code_determinant"][0] <= 9.0 <= words["code_determinant"][1]
    assert exact_squared_distances(code)[0] == [0, 4, 2, 2]


def test_divergence_of_a_row_of_logits():
    logits = np.log(np.array([[0.5, 0.25, 0.25], [1.0, 1.0, 1.0], [1.0, 1e-200, 1e-200]]))
    found = divergence(logits)
    entropies = [1.5 * math.log(2), math.log(3), 0.0]
    assert found.value == pytest.approx([math.log(3) - h for h in entropies], abs=1e-14)
    assert found.log_mean == pytest.approx(np.log([1 / 3, 1.0, 1 / 3]), abs=1e-14)
    near = divergence(np.array([[0.0, 1e-6]]))
    assert abs(near.value[0] - 1e-12 / 8) < max(near.rounding[0], 1e-21)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: line_information([[1.0, 2.0]], 1.0), "use sampled_information"),
        (lambda: line_information([1.0, 2.0], 1.0), "one row per position"),
        (lambda: line_information([[1.0], [math.inf]], 1.0), "must be finite"),
        (lambda: line_information([[1.0], [2.0]], 0.0), "must be positive"),
        (lambda: line_information([[0.0], [1e6]], 0.001), "raise the noise"),
        (lambda: sampled_information([[1.0], [2.0]], 1.0, groups=0), "at least 1"),
        (lambda: code_information(encoding="alibi", dim=2, length=4, noise_scale=1.0), "not additive"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
