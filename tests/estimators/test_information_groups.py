"""Parts of the intervals: values of groups, decoders, content information, and the statements behind them."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.claim import check, checks
from estimators.claims.information_flow import CLAIMS
from estimators.information_decoders import linear, log_probabilities, mixture, moments, perceptron, quadratic
from estimators.information_exact import exact_informations
from estimators.information_groups import (
    cap_values,
    content_information,
    divergences,
    group_scale,
    group_values,
    stratified,
)
from estimators.information_lower import _fano
from estimators.latent_position import latent_information


def test_group_values_are_the_information_of_their_mixture():
    """Their mean over many draws of one group against an interval of the listed law of the same contents."""
    group = np.random.default_rng(0).standard_normal((3, 5, 2)) * 2
    values = group_values(np.repeat(group[None], 6000, axis=0), np.random.default_rng(1))
    (exact,) = exact_informations(group, [1.0], sigma=[1.0], confidence=0.999)
    radius = 4 * values.values.std() / math.sqrt(6000)
    assert exact.information.lower - radius <= values.values.mean() <= exact.information.upper + radius
    assert cap_values(group[None]).values[0] >= exact.information.lower
    assert values.values.std() <= group_scale(3, 5, 5)


def test_group_values_fall_to_the_information():
    """I(P; Z|g) decreases in M towards I(P; Z): averages over M = 1, 8, 64 of a content-free head."""
    values = np.random.default_rng(0).standard_normal((6400, 8))
    held = (values.cumsum(axis=1) / np.arange(1, 9))[..., None]
    means = [
        group_values(held.reshape(-1, size, 8, 1) / 0.1, np.random.default_rng(1)).values.mean() for size in (1, 8, 64)
    ]
    assert means[0] > means[1] > means[2] > latent_information([1 / i + 0.01 for i in range(1, 9)], 1).lower


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 8), st.integers(2, 30), st.integers(0, 10**6))
def test_the_scale_of_a_group_bounds_what_one_content_moves(positions, size, seed):
    rng = np.random.default_rng(seed)
    several = rng.dirichlet(np.full(5, rng.choice([0.05, 0.5])), size=(size + 1, positions)) + 1e-15

    def of(group):
        rows = group.mean(axis=0)
        return float((rows * np.log(rows / rows.mean(axis=0))).sum() / positions)

    moved = abs(of(several[1:]) - of(several[[0, *range(2, size + 1)]]))
    x = 1 / size
    assert moved <= math.log(positions) * x - x * math.log(x) - (1 - x) * math.log(1 - x) + 1e-9


def test_strata_leave_every_position_its_share():
    rng = np.random.default_rng(0)
    drawn = stratified(rng, 20_000, 7, 3)
    shares = np.bincount(drawn.ravel(), minlength=7) / drawn.size
    assert np.abs(shares - 1 / 7).max() < 0.006
    assert (stratified(rng, 5, 7, 7) == np.arange(7)).all()


def test_divergences_stay_in_their_range():
    logits = np.array([[0.0, 0.0, 0.0], [0.0, -np.inf, -np.inf], [1e4, 0.0, -1e4], [-1e300, -1e300, 0.0]])
    assert divergences(logits) == pytest.approx([0, math.log(3), math.log(3), math.log(3)])


def test_decoders_are_probabilities_and_learn():
    """Two positions of different variance: all but the linear one tell them apart."""
    rng = np.random.default_rng(0)
    train = rng.standard_normal((400, 2, 3)) * np.array([1.0, 4.0])[:, None]
    known = moments(train)
    z = np.array([[0.0, 0.0, 0.0], [9.0, 9.0, 9.0]], dtype=np.float32)
    for decoder in (quadratic(known, 0.1, 0.1), mixture(train, 1.0), perceptron(train, 0.1, 0)):
        logs = log_probabilities(decoder.logits(z), 1.0)
        assert np.exp(logs).sum(axis=1) == pytest.approx([1, 1], abs=1e-12)
        assert logs.argmax(axis=1).tolist() == [0, 1]
    logs = log_probabilities(linear(known, 0.1).logits(z), 1.0)
    assert np.exp(logs).sum(axis=1) == pytest.approx([1, 1], abs=1e-12)


def test_content_information_of_known_cases():
    rng = np.random.default_rng(0)
    far = 1e4 * rng.standard_normal((16, 4, 2))
    assert content_information(far, rng, asked=50) == pytest.approx(math.log(16), abs=1e-6)
    wide = rng.standard_normal((4000, 4, 1)) * 2  # (1/2) ln(1 + 4)
    assert content_information(wide, rng, asked=500) == pytest.approx(math.log(5) / 2, abs=0.06)
    assert content_information(np.zeros((5, 4, 1)), rng) == 0


def test_fano_against_its_formula():
    assert _fano(0, 50, 4, 0.01) == 0
    assert 0 < _fano(45, 50, 4, 0.01) < math.log(4) - 0.3
    assert _fano(50_000, 50_000, 4, 0.01) == pytest.approx(math.log(4), abs=0.01)


@pytest.mark.parametrize("name", CLAIMS)
def test_flow_claims(name):
    """The statement behind the scale of groups, and networks in which depth raises and lowers the information."""
    claim = CLAIMS[name]
    found = list(checks(name, claim))
    assert {one.verdict for one in found} == ({"holds"} if claim.true else {"violated"})
    assert all(json.loads(json.dumps(one.case)) == one.case for one in found)
    if claim.true:
        assert min(one.slack for one in found) < 2.5
        assert "violated" in [check(name, claim, one.case, claim.twin).verdict for one in found]
