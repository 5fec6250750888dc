"""Conventions against the official formulas, written here a second time, and against other libraries."""

import math

import mpmath
import numpy as np
import pytest
import pywt
import sympy as sp

from theory.encodings import parse
from theory.encodings.daubechies import scaling_filter
from theory.encodings.draw import gaussian_table, orthonormal_table, uniforms

FROZEN_GAUSSIAN = ((sp.Rational(151920957975, 1099511627776), sp.Rational(1434804567861, 1099511627776)),)
FROZEN_UNIFORM = (sp.Rational(593590607553409, 1125899906842624),)


def official_slopes(heads):
    def of_power_of_two(n):
        start = 2 ** (-(2 ** -(math.log2(n) - 3)))
        return [start * start**i for i in range(n)]

    if math.log2(heads).is_integer():
        return of_power_of_two(heads)
    below = 2 ** math.floor(math.log2(heads))
    return of_power_of_two(below) + official_slopes(2 * below)[0::2][: heads - below]


@pytest.mark.parametrize("heads", [1, 2, 3, 6, 8, 12, 16, 20])
def test_alibi_slopes_are_the_official_ones(heads):
    encoding = parse("alibi", dim=2, train_length=4, heads=heads)
    slopes = [float(encoding.head_slope(h)) for h in range(heads)]
    np.testing.assert_allclose(slopes, official_slopes(heads), rtol=1e-13)


def test_alibi_slopes_of_8_and_12_heads_in_full():
    eight = [sp.Rational(1, 2**n) for n in range(1, 9)]
    assert [parse("alibi", dim=2, train_length=4).head_slope(h) for h in range(8)] == eight
    twelve = parse("alibi", dim=2, train_length=4, heads=12)
    extra = [sp.Integer(2) ** sp.Rational(-n, 2) for n in (1, 3, 5, 7)]
    assert [twelve.head_slope(h) for h in range(12)] == eight + extra
    assert twelve.bias(3, 1) == -sp.Rational(3, 4)


def official_bucket(relative_position, bidirectional, num_buckets=32, max_distance=128):
    """mesh-tensorflow's rule in float32; relative_position = memory - query."""
    index = 0
    n = -relative_position
    if bidirectional:
        num_buckets //= 2
        index += int(n < 0) * num_buckets
        n = abs(n)
    else:
        n = max(n, 0)
    max_exact = num_buckets // 2
    if n < max_exact:
        return index + n
    ratio = np.log(np.float32(n) / np.float32(max_exact)) / np.float32(math.log(max_distance / max_exact))
    return index + min(max_exact + int(ratio * np.float32(num_buckets - max_exact)), num_buckets - 1)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_t5_buckets_are_the_official_ones(bidirectional):
    encoding = parse(f"t5:bidirectional={bidirectional}", dim=2, train_length=4)
    distances = range(-300, 301)
    ours = [encoding.bucket(d) for d in distances]
    assert ours == [official_bucket(-d, bidirectional) for d in distances]


def test_t5_buckets_in_full():
    one_way = parse("t5", dim=2, train_length=4)
    first_of_bucket = {b: next(d for d in range(200) if one_way.bucket(d) == b) for b in range(32)}
    late = [16, 19, 21, 24, 27, 31, 35, 40, 46, 52, 59, 67, 77, 87, 99, 113]
    assert list(first_of_bucket.values()) == [*range(16), *late]
    both = parse("t5:bidirectional=true", dim=2, train_length=4)
    assert [both.bucket(d) for d in (0, 7, 8, 16, 64, 127, 1000)] == [0, 7, 8, 10, 14, 15, 15]
    assert [both.bucket(-d) for d in (1, 8, 1000)] == [17, 24, 31]


def test_rotary_pairs_and_angles():
    interleaved = parse("rotary", dim=6, train_length=4)
    half_split = parse("rotary:pairing=half-split", dim=6, train_length=4)
    assert [interleaved.pair(k) for k in range(3)] == [(0, 1), (2, 3), (4, 5)]
    assert [half_split.pair(k) for k in range(3)] == [(0, 3), (1, 4), (2, 5)]
    assert [interleaved.angle(k) for k in range(3)] == [
        1,
        10000 ** sp.Rational(-1, 3),
        10000 ** sp.Rational(-2, 3),
    ]


def test_sinusoidal_channel_order():
    t = sp.Symbol("t")
    interleaved, concatenated = (
        parse(f"sinusoidal:order={o}", dim=4, train_length=4) for o in ("interleaved", "concatenated")
    )
    assert [interleaved.feature(t, k) for k in range(4)] == [
        sp.sin(t),
        sp.cos(t),
        sp.sin(t / 100),
        sp.cos(t / 100),
    ]
    assert [concatenated.feature(t, k) for k in range(4)] == [
        sp.sin(t),
        sp.sin(t / 100),
        sp.cos(t),
        sp.cos(t / 100),
    ]


def test_sandwich_is_the_gram_matrix_of_sinusoids():
    width, base, heads = 128, 1e4, 12
    omega = base ** (-2 * np.arange(width // 2) / width)
    table = np.concatenate([np.sin(np.outer(range(20), omega)), np.cos(np.outer(range(20), omega))], axis=1)
    official = table @ table.T
    encoding = parse("sandwich", dim=2, train_length=4, heads=heads)
    for head in (0, 5, 11):
        for i, j in ((7, 7), (19, 3)):
            assert float(encoding.bias(i - j, head)) == pytest.approx(
                official[i, j] / ((head + 1) * 8 / heads), rel=1e-12
            )


def test_kerple_formulas():
    log = parse("kerple-log:r1=2,r2=3", dim=2, train_length=4)
    power = parse("kerple-power:r1=2,r2=0.5", dim=2, train_length=4)
    assert log.bias(5, 0) == -2 * sp.log(16)
    assert log.bias(-5, 0) == log.bias(5, 7)
    assert power.bias(9, 0) == -6
    drawn = parse("kerple-log:seed=3", dim=2, train_length=4)
    assert len({drawn.bias(5, h) for h in range(8)}) == 8


def test_fire_formula():
    encoding = parse("fire:threshold=8,width=3,heads=2", dim=2, train_length=4)
    first, offsets, second, last = (np.array(part, dtype=float) for part in encoding.layers())
    for distance, query in ((0, 0), (3, 5), (3, 20), (20, 20)):
        x = math.log(0.1 * distance + 1) / math.log(0.1 * max(8, query) + 1)
        expected = (second @ np.maximum(first * x + offsets, 0) + last) / math.sqrt(3)
        got = [float(encoding.bias(distance, head, query)) for head in range(2)]
        np.testing.assert_allclose(got, expected, rtol=1e-12)
    assert encoding.bias(3, 0) == encoding.bias(3, 0, 8) != encoding.bias(3, 0, 9)


def test_relative_vectors_are_clipped():
    encoding = parse("relative:clip_distance=3", dim=2, train_length=8)
    assert encoding.feature(3, 0) == encoding.feature(100, 0) != encoding.feature(2, 0)
    assert encoding.feature(-3, 0) == encoding.feature(-100, 0) != encoding.feature(3, 0)


@pytest.mark.parametrize("order", range(2, 11))
def test_daubechies_filters_are_pywavelets(order):
    np.testing.assert_allclose([float(h) for h in scaling_filter(order)], pywt.Wavelet(f"db{order}").rec_lo, atol=2e-12)


@pytest.mark.parametrize("order", range(1, 11))
def test_daubechies_filters_are_orthogonal_with_vanishing_moments(order):
    with mpmath.workdps(50):
        h = scaling_filter(order)
        for shift in range(order):
            overlap = mpmath.fsum(a * b for a, b in zip(h, h[2 * shift :], strict=False))
            assert abs(overlap - (shift == 0)) < mpmath.mpf(10) ** -45
        for moment in range(order):
            total = mpmath.fsum((-1) ** n * n**moment * value for n, value in enumerate(h))
            assert abs(total) < mpmath.mpf(10) ** -30


@pytest.mark.parametrize("order", [2, 4, 10])
def test_daubechies_columns_are_pywavelets_transform(order):
    size, depth = 32, 5
    encoding = parse(f"daubechies:order={order}", dim=size, train_length=size)
    table = np.array([[float(encoding.feature(t, k)) for k in range(size)] for t in range(size)])
    for level in range(depth):
        blocks = [np.zeros(1)] + [np.zeros(2**j) for j in range(depth)]
        blocks[1 + level][0] = 1
        column = pywt.waverec(blocks, f"db{order}", mode="periodization")
        # The library places its filters otherwise on the circle: the same wavelets, shifted.
        gaps = [np.abs(np.roll(column, s) - table[:, 2**level]).max() for s in range(size)]
        assert min(gaps) < 1e-11


def test_draws_are_frozen():
    """These numbers are part of the definition: a change of them changes every seeded encoding."""
    assert gaussian_table("learned", 0, 1, 2, sp.Rational(1)) == FROZEN_GAUSSIAN
    assert uniforms("fire", 0, 1) == FROZEN_UNIFORM
    assert gaussian_table("a", 1, 4, 3, sp.Rational(2))[:2] == gaussian_table("a", 1, 2, 3, sp.Rational(2))
    assert gaussian_table("a", 1, 2, 2, sp.Rational(1)) != gaussian_table("b", 1, 2, 2, sp.Rational(1))
    assert gaussian_table("a", 1, 2, 2, sp.Rational(1)) != gaussian_table("a", 2, 2, 2, sp.Rational(1))


def test_gaussian_draws_are_standard_normal():
    draws = np.array(gaussian_table("test", 0, 1, 4000, sp.Rational(1)), dtype=float).ravel()
    ordered = np.sort(draws)
    normal = np.array([0.5 * math.erfc(-x / math.sqrt(2)) for x in ordered])
    # Kolmogorov-Smirnov: the distance of 4000 draws stays below 1.63/sqrt(4000) with 99 %.
    assert np.abs(normal - (np.arange(4000) + 0.5) / 4000).max() < 1.63 / math.sqrt(4000)


@pytest.mark.parametrize("centred", [False, True])
def test_random_orthogonal_is_orthonormal_in_exact_arithmetic(centred):
    table = sp.Matrix(orthonormal_table("test", 0, 12, 5, centred))
    assert max(abs(x) for x in table.T * table - sp.eye(5)) < sp.Rational(1, 10**14)
    if centred:
        assert max(abs(x) for x in sp.ones(1, 12) * table) < sp.Rational(1, 10**14)
