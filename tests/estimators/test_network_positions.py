"""What encodings contribute to a network: trained numbers in place of the formula, lengths beyond training, errors."""

import numpy as np
import pytest

from estimators.features import additive_table, bias_matrix
from estimators.network_positions import (
    GROUPS,
    bias_groups,
    check_lengths,
    initial_numbers,
    interpolation,
    network_encoding,
    offset_groups,
    positions,
    trainable,
)
from theory.encodings import ENCODINGS, parse

SIZES = {"dim": 8, "heads": 2}
TRAIN = 8
LEARNING = ("learned", "relative", "t5")


def made(words, beyond=None, causal=True):
    return network_encoding(words, train_length=TRAIN, causal=causal, beyond=beyond, **SIZES)


def arrays(encoding, length, numbers=None, causal=True):
    return positions(encoding, length, causal=causal, numbers=numbers, **SIZES)


@pytest.mark.parametrize("name", ENCODINGS)
def test_numbers_of_the_formula_are_the_formula(name):
    encoding = made(name)
    numbers = initial_numbers(encoding, **SIZES)
    for length in (1, 5, TRAIN):
        for plain, given in zip(arrays(encoding, length), arrays(encoding, length, numbers), strict=True):
            np.testing.assert_allclose(given, plain, rtol=1e-12, atol=1e-14)
    assert trainable(encoding) is (name in LEARNING)


@pytest.mark.parametrize("name", LEARNING)
def test_trained_numbers_count(name):
    encoding = made(name)
    numbers = initial_numbers(encoding, **SIZES)
    moved = type(numbers)(*(x + 1.0 for x in numbers))
    before, after = arrays(encoding, TRAIN, numbers), arrays(encoding, TRAIN, moved)
    field = {"learned": "table", "relative": "relative", "t5": "bias"}[name]
    for word in before._fields:
        one, other = getattr(before, word), getattr(after, word)
        seen = np.isfinite(one)
        if word == field:
            np.testing.assert_allclose(other[seen], one[seen] + 1.0, rtol=1e-12)
        else:
            np.testing.assert_array_equal(other, one)


def test_kinds_go_to_their_places():
    table, bias = arrays(made("sinusoidal"), 5).table, arrays(made("alibi"), 5, causal=False).bias
    np.testing.assert_allclose(table, additive_table(made("sinusoidal"), 5, power=1.0), rtol=1e-12)
    np.testing.assert_allclose(bias, bias_matrix(made("alibi"), 5, causal=False), rtol=1e-12)
    np.testing.assert_allclose(bias[:, 4, 1], -3 * np.array([1 / 16, 1 / 256]), rtol=1e-12)
    turned = arrays(made("rotary"), 5)
    assert turned.cosine.shape == (5, 2)
    np.testing.assert_allclose(turned.cosine**2 + turned.sine**2, 1.0, rtol=1e-12)
    np.testing.assert_allclose(turned.sine[3, 0], np.sin(3.0), rtol=1e-12)
    relative = arrays(made("relative"), 5).relative
    assert relative.shape == (9, 4)
    causal = arrays(made("none"), 3).bias
    np.testing.assert_array_equal(np.isfinite(causal[1]), np.tri(3, dtype=bool))
    assert not arrays(made("none"), 3, causal=False).bias.any()


def test_one_length_is_the_start_of_a_longer_one_under_extend():
    for words in ("sinusoidal", "alibi", "rotary", "kerple-log", "t5"):
        short, long = (arrays(made(words), length) for length in (TRAIN, 3 * TRAIN))
        np.testing.assert_allclose(long.table[:TRAIN], short.table, rtol=1e-12)
        np.testing.assert_allclose(long.bias[:, :TRAIN, :TRAIN], short.bias, rtol=1e-12)
        np.testing.assert_allclose(long.sine[:TRAIN], short.sine, rtol=1e-12)


def test_rules_beyond_the_training_length():
    clipped = arrays(made("legendre", beyond="clip"), 2 * TRAIN).table
    np.testing.assert_allclose(clipped[TRAIN:], np.broadcast_to(clipped[TRAIN - 1], (TRAIN, 8)), rtol=1e-12)
    assert np.abs(arrays(made("legendre", beyond="extend"), 2 * TRAIN).table).max() > 10 * np.abs(clipped).max()
    # The specification's own rule stays; an encoding without the rule keeps its own.
    assert made("legendre:beyond=clip", beyond="extend").beyond == "clip"
    assert made("fire", beyond="clip").beyond == "extend"
    with pytest.raises(ValueError, match="beyond"):
        check_lengths(made("legendre", beyond="refuse"), TRAIN + 1)
    check_lengths(made("legendre", beyond="refuse"), TRAIN)
    spread = arrays(made("learned", beyond="rescale"), 2 * TRAIN - 1, initial_numbers(made("learned"), **SIZES)).table
    np.testing.assert_allclose(spread[::2], arrays(made("learned"), TRAIN).table, rtol=1e-12)
    np.testing.assert_allclose(spread[1], (spread[0] + spread[2]) / 2, rtol=1e-12)


def test_interpolation_and_groups():
    weights = interpolation(made("learned", beyond="rescale"), 2 * TRAIN - 1)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-12)
    offsets = offset_groups(made("relative:clip_distance=2"), 5)
    assert offsets.tolist() == [0, 0, 0, 1, 2, 3, 4, 4, 4]
    groups = bias_groups(made("t5"), 6)
    assert groups.shape == (6, 6)
    assert groups[5, 5] == groups[0, 0]
    assert made("t5", causal=False).bidirectional
    assert not made("t5").bidirectional


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: network_encoding("none", dim=8, heads=3, train_length=4), "heads must divide dim"),
        (lambda: network_encoding("none", dim=0, heads=1, train_length=4), "use dim=8"),
        (lambda: network_encoding("nothing", dim=8, heads=2, train_length=4), "unknown encoding"),
        (lambda: network_encoding("rotary", dim=6, heads=2, train_length=4), "even"),
        (lambda: offset_groups(made("relative:clip_distance=40"), 4), "use clip_distance=31"),
        (lambda: bias_groups(parse("t5:buckets=128", dim=8, train_length=8, heads=2), 4), f"use buckets={GROUPS}"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
