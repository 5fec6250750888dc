"""Controls and the intervals made with them: inequalities on all sign vectors, coverage by simulation."""

import dataclasses

import numpy as np
import pytest

from estimators.bracket import bracket, paired_difference
from estimators.features import template
from estimators.hypotheses import Constraints, Effort
from estimators.hypotheses_query import Query, bilinear
from estimators.linear_control import linear_values, remainder_sizes
from estimators.sampling import Control, Drawn, Ends, sampled_difference, sampled_mean
from estimators.signs import all_sign_classes, draw_signs
from estimators.supremum.trust_region import linear_part
from theory.encodings import ENCODINGS, parse

SIGNS = all_sign_classes(7)


def query(name, radius, ball="l2", seed=0):
    tokens = np.random.default_rng(seed).standard_normal((7, 4, 2))
    encoding = parse(name, dim=2, train_length=4)
    keys, values, bias = (np.asarray(array) for array in template(encoding, tokens))
    return Query(keys, values, bias, Constraints(1.5, radius, ball))


def exact_ends(made) -> Ends:
    found = made.suprema(SIGNS, Effort(gap=1e-3))
    return Ends(found.lower, found.upper)


@pytest.mark.parametrize("ball", ["l2", "l1"])
@pytest.mark.parametrize("name", sorted(ENCODINGS))
def test_the_supremum_stays_within_the_remainders_of_its_control(name, ball):
    """|g - h| <= sum rho_i for every sign vector and E|g - h| is dominated; a hundredth of either is caught."""
    made = query(name, 0.8, ball)
    control = made.control(0)
    g, h = exact_ends(made), control.values(SIGNS)
    assert np.all(h.lower <= h.upper)
    assert np.all(h.upper - h.lower <= 1e-9 * h.upper)
    scale = made.readout_norm / 7
    largest = remainder_sizes(made.centred, linear_part(made.centred), made.radius).sum() * scale
    assert np.all(g.lower - h.upper <= largest)
    assert np.all(h.lower - g.upper <= largest)
    assert np.maximum(g.lower - h.upper, h.lower - g.upper).max() > largest / 100
    assert (g.lower - h.upper).mean() <= control.known.above.mean
    assert (h.lower - g.upper).mean() <= control.known.below.mean
    assert g.upper.max() <= control.known.maximum * (1 + 1e-9)
    assert h.upper.max() <= control.known.control_maximum


def test_the_control_of_the_l1_ball_is_the_best_vertex():
    made = query("alibi", 1.3, "l1")
    linear = linear_part(made.centred)
    found = linear_values(linear, SIGNS, made.radius, "l1")
    directions = np.random.default_rng(0).standard_normal((2000, 2))
    directions *= made.radius / np.linalg.norm(directions, axis=1, keepdims=True)
    start = SIGNS @ linear.outputs
    slope = np.einsum("kn,nde,nr->kdre", SIGNS, linear.covariances, linear.factors).reshape(len(SIGNS), 2, -1)
    dense = np.abs(start[:, :, None] + slope @ directions.T).max(axis=(1, 2))
    assert np.all(dense <= found.upper)
    assert np.all(dense >= found.lower * (1 - 1e-4))


def drawn_from(g: Ends, h: Ends, control: Control, rng, draws: int, cheap: int, *, bias: float = 0.0) -> Drawn:
    """Draws with replacement from the classes of sign vectors, which are equally likely."""
    chosen, other = rng.integers(0, len(SIGNS), draws), rng.integers(0, len(SIGNS), cheap)
    shifted = Ends(h.lower[other] + bias, h.upper[other] + bias)
    fresh = dataclasses.replace(control, cheap=shifted)
    return Drawn(Ends(*(e[chosen] for e in g)), control.known, fresh, Ends(*(e[chosen] for e in h)), draws // 10)


@pytest.mark.slow
@pytest.mark.parametrize("radius", [0.4, 3.0])
def test_coverage_of_means_and_differences(radius):
    """At least nominal over 200 repetitions at 90 %; a control whose mean is shifted is caught."""
    rng = np.random.default_rng(1)
    first, second = query("alibi", radius), query("none", radius)
    one, two = ((exact_ends(m), m.control(0).values(SIGNS), m.control(0)) for m in (first, second))
    truth, other = float(one[0].lower.mean()), float(two[0].lower.mean())
    slip = float((one[0].upper - one[0].lower + two[0].upper - two[0].lower).mean())
    missed = np.zeros(3, dtype=int)
    for _ in range(200):
        seed = rng.integers(2**31)
        a = drawn_from(*one, np.random.default_rng(seed), 150, 1000)
        b = drawn_from(*two, np.random.default_rng(seed), 150, 1000)
        wrong = drawn_from(*one, np.random.default_rng(seed), 150, 1000, bias=truth)
        estimate, difference = sampled_mean(a, 0.9), sampled_difference(a, b, 0.9)
        shifted = sampled_mean(wrong, 0.9)
        missed[0] += not estimate.lower - slip <= truth <= estimate.upper + slip
        missed[1] += not difference.lower - slip <= truth - other <= difference.upper + slip
        missed[2] += not shifted.lower - slip <= truth <= shifted.upper + slip
    assert missed[0] <= 20
    assert missed[1] <= 20
    if radius < 1:  # where the control carries weight
        assert missed[2] > 100


def test_a_control_narrows_what_it_resembles():
    made = query("alibi", 0.3)
    signs = draw_signs(0, 400, 7)
    found = made.suprema(signs, Effort(gap=1e-3))
    control = made.control(0)
    drawn = Drawn(Ends(found.lower, found.upper), control.known, control, control.values(signs), 40)
    narrow = sampled_mean(drawn, 0.99)
    wide = sampled_mean(drawn._replace(control=None, h=None), 0.99)
    assert narrow.width < wide.width / 2


@pytest.mark.slow
def test_differences_above_four_dimensions_use_attained_values_and_controls_only():
    """The certified excess stands in for the upper ends of single sign vectors, which are far too weak there."""
    rng = np.random.default_rng(0)
    tokens = rng.standard_normal((24, 4, 6)) / np.sqrt(6)
    moved = tokens + np.array([2.0, 0, 0, 0, 0, 0])
    constraints = Constraints(1.0, 0.3)
    signs = draw_signs(0, 300, 24)
    brackets = [
        bracket(bilinear(x, x, np.zeros(4), constraints, tokens[:, -1]), signs, enumerated=False)
        for x in (moved, tokens)
    ]
    found = paired_difference(*brackets, 0.99)
    centre = brackets[0].suprema.lower.mean() - brackets[1].suprema.lower.mean()
    # 300 draws know the mean less well than the control does.
    assert found.lower - 0.01 <= centre <= found.upper + 0.01
    assert found.lower > 0  # decided
    direct = sampled_difference(brackets[0].drawn, brackets[1].drawn, 0.99)
    assert found.width < direct.width
    reverse = paired_difference(brackets[1], brackets[0], 0.99)
    assert reverse.lower == pytest.approx(-found.upper, abs=0.1 * found.width)
