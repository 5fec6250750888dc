"""Discrete channels by enumeration, against closed forms and the bounds they attain."""

import math

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.discrete_channels import (
    channel_information,
    decoded_channel,
    decoder_loss,
    grouped_channel,
    mixing_cost,
    processed_channel,
)
from theory import information

SYMMETRIC = [[0.7, 0.1, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1], [0.1, 0.1, 0.7, 0.1], [0.1, 0.1, 0.1, 0.7]]
WEIGHTS = st.lists(st.lists(st.integers(1, 9), min_size=3, max_size=3), min_size=2, max_size=4)


def test_binary_symmetric_channel():
    found = channel_information(channel=[[9, 1], [1, 9]])
    truth = math.log(2) + 0.9 * math.log(0.9) + 0.1 * math.log(0.1)
    assert truth == pytest.approx(found.estimate.lower, abs=1e-15)
    assert found.parameters["mean_total_variation"] == pytest.approx((0.4, 0.4))
    assert found.parameters["success_probability"] == pytest.approx((0.9, 0.9))


def test_tiny_information_keeps_its_digits():
    found = channel_information(channel=[[0.5 + 2.0**-30, 0.5 - 2.0**-30], [0.5 - 2.0**-30, 0.5 + 2.0**-30]])
    assert found.estimate.lower == pytest.approx(2 * 2.0**-60, rel=1e-14)


def test_fano_is_attained_by_the_symmetric_channel():
    found = channel_information(channel=SYMMETRIC)
    bound = information.fano()
    words = {"position_count": 4, "success_probability": found.parameters["success_probability"][0]}
    assert bound.safe(**words) == pytest.approx(found.estimate.lower, abs=1e-10)
    assert bound.safe(**words) <= found.estimate.upper
    assert bound.scaled(100).safe(**words) > found.estimate.upper


@settings(max_examples=25, deadline=None)
@given(WEIGHTS)
def test_floor_ceiling_and_fano_hold_on_random_channels(channel):
    found = channel_information(channel=channel)
    floor = information.information_floor().safe(mean_total_variation=found.parameters["mean_total_variation"][0])
    success = found.parameters["success_probability"][0]
    fano = information.fano().safe(position_count=len(channel), success_probability=success)
    assert 0 <= floor <= found.estimate.upper
    assert fano <= found.estimate.upper + 1e-14
    assert found.estimate.lower <= information.information_ceiling().safe(position_count=len(channel))


@settings(max_examples=15, deadline=None)
@given(WEIGHTS, st.lists(st.lists(st.integers(1, 9), min_size=2, max_size=2), min_size=3, max_size=3))
def test_a_kernel_lowers_and_a_permutation_keeps(channel, kernel):
    lowered = processed_channel(channel=channel, kernel=kernel)
    assert lowered.estimate.lower <= lowered.parameters["position_information"][1] + 1e-15
    kept = processed_channel(channel=channel, kernel=[[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    assert kept.estimate.lower <= kept.parameters["position_information"][1]
    assert kept.estimate.upper >= kept.parameters["position_information"][0]


@settings(max_examples=15, deadline=None)
@given(WEIGHTS, st.floats(0.01, 1))
def test_decoders_never_exceed_the_information_and_the_posterior_attains_it(channel, share):
    columns = [list(column) for column in zip(*channel, strict=True)]
    for decoder in (columns, columns[::-1]):
        found = decoded_channel(channel=channel, decoder=decoder, uniform_share=share)
        words = {"position_count": len(channel), "decoder_score": found.parameters["decoder_score"][0]}
        assert information.decoder_lower_bound().safe(**words) <= found.estimate.upper + 1e-14
        cost = mixing_cost(channel=channel, decoder=decoder, uniform_share=share / 2)
        assert cost.estimate.lower <= information.mixing_loss().safe(uniform_share=share / 2)
    normal = [[w / sum(row) for w in row] for row in channel]
    exact = decoded_channel(
        channel=normal, decoder=[list(c) for c in zip(*normal, strict=True)], uniform_share=2.0**-40
    )
    low = math.log(len(channel)) + exact.parameters["decoder_score"][0]
    assert low == pytest.approx(exact.estimate.lower, abs=1e-10)


def test_decoder_loss_reaches_the_share_of_uniform():
    found = decoder_loss(decoder=[[1, 0, 0], [1, 1, 1]], uniform_share=0.25)
    assert found.estimate.lower == pytest.approx(math.log(4), abs=1e-14)
    twin = information.decoder_loss_ceiling().scaled(sp.Rational(1, 100))
    assert found.estimate.lower > twin.safe(uniform_share=0.25)


def test_groups_bound_the_information_and_larger_groups_bound_it_better():
    rng = np.random.default_rng(0)
    contents = [(rng.dirichlet(np.ones(3), size=3)).tolist() for _ in range(3)]
    several = [grouped_channel(channels=contents, group_size=size) for size in (1, 2, 3, 4)]
    ends = [found.parameters["conditional_information"][1] for found in several]
    assert ends == sorted(ends, reverse=True)
    assert ends[-1] > several[0].estimate.upper
    mean = np.mean(contents, axis=0)
    assert channel_information(channel=mean.tolist()).estimate.lower == pytest.approx(several[0].estimate.lower)
    alone = np.mean([channel_information(channel=c).estimate.lower for c in contents])
    assert alone == pytest.approx(ends[0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: channel_information(channel=[[1, 2], [1]]), "rectangular"),
        (lambda: channel_information(channel=[[1, -2]]), "nonnegative"),
        (lambda: channel_information(channel=[[1, 2], [0, 0]]), "no row all zero"),
        (lambda: processed_channel(channel=[[1, 2]], kernel=[[1]]), "one per symbol"),
        (lambda: decoded_channel(channel=[[1, 2]], decoder=[[1, 1]], uniform_share=0.5), "rows z"),
        (lambda: decoder_loss(decoder=[[1, 2]], uniform_share=0.0), "uniform_share"),
        (lambda: mixing_cost(channel=[[1], [1]], decoder=[[1, 0]], uniform_share=0.5), "score is -infinity"),
        (lambda: grouped_channel(channels=[[[1]]] * 5, group_size=6), "contents"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
