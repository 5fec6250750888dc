"""Parameter sets of trainable encodings: arrays against the encodings' own formulae, products against brute force."""

import dataclasses

import numpy as np
import pytest

from estimators.attention import head_outputs, make_head
from estimators.features import additive_table, bias_row, relative_table
from estimators.learned_encoding import extend, logit_features, table_of
from estimators.supremum.box_ball import ProductSet, ball_ball, linear_maximiser, project
from estimators.supremum.certificates import Linearisation, linearise
from estimators.supremum.product_certificates import hull_radii, product_linear_upper, reaches
from estimators.supremum.product_search import first_cubes, meets
from theory.encodings import parse

LENGTH = 6


def made(specification, length=LENGTH):
    return parse(specification, dim=2, train_length=length)


@pytest.mark.parametrize(
    ("name", "key", "values"),
    [
        ("alibi:slope=0.5", "slope", (0.1, 0.75)),
        ("kerple-log:r1=1,r2=0.5", "r1", (0.2, 1.5)),
        ("kerple-power:r1=0.5,r2=1.5", "r1", (0.1, 0.9)),
    ],
)
def test_a_moved_slope_is_the_encoding_with_that_slope(name, key, values):
    encoding = made(name)
    learned = logit_features(encoding, LENGTH, 0.75)
    own = float(getattr(encoding, key))
    for value in values:
        expected = np.asarray(bias_row(dataclasses.replace(encoding, **{key: value}), LENGTH))
        assert learned.bias + (value - own) * learned.features[0] == pytest.approx(expected, abs=1e-12)
    assert learned.upper == pytest.approx([0.75])
    assert learned.lower == pytest.approx([-min(own, 0.75)])
    assert learned.contains_none == (own <= 0.75)
    assert np.ptp(learned.bias + learned.lower[0] * learned.features[0]) == pytest.approx(0) or own > 0.75


def test_drawn_kerple_parameters_and_heads_are_the_centre():
    encoding = made("kerple-log:seed=3")
    learned = logit_features(encoding, LENGTH, 0.1, head=5)
    r1 = float(encoding.parameters(5)[0])
    assert learned.bias == pytest.approx(r1 * learned.features[0], rel=1e-12)
    alibi = logit_features(made("alibi"), LENGTH, 0.1, head=2)
    assert alibi.bias == pytest.approx(2.0**-3 * alibi.features[0])


def test_buckets_are_indicators_of_the_used_ones():
    encoding = made("t5:buckets=4,max_distance=12")
    learned = logit_features(encoding, LENGTH, 0.5)
    buckets = [encoding.bucket(distance) for distance in range(LENGTH - 1, -1, -1)]
    assert learned.features.sum(axis=0) == pytest.approx(1)
    assert len(learned.features) == len(set(buckets))
    for one in range(LENGTH):
        for two in range(LENGTH):
            same = bool((learned.features[:, one] == learned.features[:, two]).all())
            assert same == (buckets[one] == buckets[two])
    assert logit_features(encoding, LENGTH, 10.0).contains_none
    assert not logit_features(encoding, LENGTH, 1e-3).contains_none


def test_two_buckets_become_one_difference():
    learned = logit_features(made("t5:buckets=2"), LENGTH, 0.5)
    assert learned.features.shape == (1, LENGTH)
    assert (learned.lower[0], learned.upper[0]) == (-1.0, 1.0)
    assert not len(logit_features(made("t5", 1), 1, 0.5).features)
    assert not len(logit_features(made("alibi", 1), 1, 0.5).features)


def test_tables_are_those_of_the_encodings():
    table, keys_only = table_of(made("sinusoidal"), LENGTH, power=2.0)
    assert (table == np.asarray(additive_table(made("sinusoidal"), LENGTH, power=2.0))).all()
    assert not keys_only
    relative = made("relative:clip_distance=5")
    table, keys_only = table_of(relative, LENGTH, power=None)
    assert (table == np.asarray(relative_table(relative, LENGTH))).all()
    assert keys_only


def test_what_cannot_be_learned_is_refused_with_advice():
    for name in ("rotary", "sandwich", "fire", "none"):
        with pytest.raises(ValueError, match=r"t5 \(bucket biases\), alibi \(slope\)"):
            logit_features(made(name), LENGTH, 1.0)
    with pytest.raises(ValueError, match="no table to learn"):
        table_of(made("rotary"), LENGTH)
    with pytest.raises(ValueError, match="clip_distance=5"):
        table_of(made("relative:clip_distance=2"), LENGTH)
    with pytest.raises(ValueError, match="train_length=8"):
        table_of(made("sinusoidal"), 8)
    for radius in (-1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="encoding-radius"):
            logit_features(made("alibi"), LENGTH, radius)


@pytest.mark.parametrize("unit", [1.0, 1e-90, 1e90])
def test_extended_keys_give_the_same_logits(unit):
    keys, rng = unit * np.random.default_rng(0).standard_normal((3, LENGTH, 2)), np.random.default_rng(1)
    learned = logit_features(made("alibi:slope=0.5"), LENGTH, 2.0)
    more = extend(keys, learned, 0.7 / unit)
    middle, half = (learned.lower + learned.upper) / 2, (learned.upper - learned.lower) / 2
    scale = more.extents / half
    assert scale[0] == 2.0 ** np.round(np.log2(scale[0]))
    query = rng.standard_normal(2) / unit
    for delta in (0.0, -0.5, 2.0):
        theta = np.concatenate([query, scale * (delta - middle)])
        logits = more.keys @ theta + more.bias
        assert logits == pytest.approx(keys @ query + learned.bias + delta * learned.features[0], abs=1e-12)
    assert more.own == pytest.approx(-scale * middle)
    assert (np.abs(more.own) <= more.extents).all()


def test_queries_without_effect_are_left_out():
    keys, learned = np.ones((2, LENGTH, 3)), logit_features(made("alibi"), LENGTH, 0.1)
    assert extend(keys, learned, 1.0).split == 0
    assert extend(np.random.default_rng(0).standard_normal(keys.shape), learned, 0.0).keys.shape == (2, LENGTH, 1)
    fixed = logit_features(made("alibi"), LENGTH, 0.0)
    assert extend(keys, fixed, 1.0).keys.shape == keys.shape


def place(product):
    return product.split, product.radius, product.extents, product.reach


SETS = [ProductSet(2, 1.5, np.array([0.3, 2.0])), ball_ball(2, 0.5, 3, 2.0), ProductSet(0, 1.0, np.array([1.0]))]


@pytest.mark.parametrize("product", SETS, ids=["box", "ball", "box only"])
def test_projection_and_linear_maximiser_against_random_members(product):
    rng, dim = np.random.default_rng(0), product.split + len(product.extents)
    members = np.asarray(project(4 * rng.standard_normal((4000, dim)), *place(product)))
    for part, bound in ((members[:, : product.split], product.radius), (members[:, product.split :], product.reach)):
        assert (np.linalg.norm(part, axis=1) <= bound).all()
    assert (np.abs(members[:, product.split :]) <= product.extents).all()
    assert (np.linalg.norm(members, axis=1) <= product.covering_radius).all()
    points = 3 * rng.standard_normal((20, dim))
    nearest, best = (np.asarray(f(points, *place(product))) for f in (project, linear_maximiser))
    distances = np.linalg.norm(points[:, None] - members[None], axis=2).min(axis=1)
    assert (np.linalg.norm(points - nearest, axis=1) <= distances + 1e-9).all()
    assert ((points * best).sum(axis=1) >= (points @ members.T).max(axis=1) - 1e-9).all()
    assert np.asarray(project(best, *place(product))) == pytest.approx(best, rel=1e-9)
    # A set half as large is caught by both comparisons.
    half = product._replace(radius=product.radius / 2, extents=product.extents / 2, reach=product.reach / 2)
    short = np.asarray(linear_maximiser(points, *place(half)))
    assert ((points * short).sum(axis=1) < (points @ members.T).max(axis=1) - 1e-9).any()


@pytest.mark.parametrize("extents", [[0.3], [4.0], [0.01, 0.5], [1.0]])
def test_first_cubes_cover_the_product_set(extents):
    product = ProductSet(2, 1.0, np.array(extents))
    centres, half_width = first_cubes(product)
    members = np.asarray(
        project(3 * np.random.default_rng(0).standard_normal((2000, 2 + len(extents))), *place(product))
    )
    inside = (np.abs(members[:, None] - centres[None]) <= half_width).all(axis=2)
    assert inside.any(axis=1).all()
    # A cube that holds a member meets the set; one far away does not.
    assert meets(product, centres, half_width)[inside.any(axis=0)].all()
    assert not meets(product, centres + 10.0, half_width).any()
    corner = np.concatenate([[0.9, 0.9], np.zeros(len(extents))])[None]
    assert not meets(product, corner, 0.1)[0]
    assert meets(product, corner, 0.21)[0]


@pytest.mark.parametrize("ball", ["l2", "l1"])
def test_linearised_upper_end_holds_and_is_reached_for_l1(ball):
    """max h(S_0 + J theta) over ball x box: every random member below it; l1 attains it at a linear maximiser."""
    rng, product = np.random.default_rng(4), ProductSet(2, 1.5, np.array([0.5, 1.0]))
    linear = Linearisation(rng.standard_normal((5, 2)), rng.standard_normal((5, 2, 4)))
    signs = rng.choice([-1.0, 1.0], (6, 5))
    upper = product_linear_upper(linear, signs, product, ball)
    total, jacobian = signs @ linear.outputs, np.einsum("kn,ndp->kdp", signs, linear.jacobians)
    members = np.asarray(project(4 * rng.standard_normal((20_000, 4)), *place(product)))
    sums = total[:, None] + np.einsum("kdp,mp->kmd", jacobian, members)
    reached = (np.linalg.norm(sums, axis=2) if ball == "l2" else np.abs(sums).max(axis=2)).max(axis=1)
    assert (reached <= upper * (1 + 1e-9)).all()
    assert (reached >= upper * (0.75 if ball == "l2" else 0.97)).all()
    half = product._replace(extents=product.extents / 2)
    assert (reached > product_linear_upper(linear, signs, half, ball)).any()


@pytest.mark.parametrize("ball", ["l2", "l1"])
def test_reaches_and_hulls_hold_on_random_members(ball):
    rng, product = np.random.default_rng(5), ProductSet(2, 0.5, np.array([0.3, 0.6]))
    features = np.broadcast_to(rng.standard_normal((LENGTH, 2)), (4, LENGTH, 2))
    keys = np.concatenate([rng.standard_normal((4, LENGTH, 2)), features], axis=2)
    head = make_head(keys, rng.standard_normal((4, LENGTH, 2)), rng.standard_normal(LENGTH))
    far, outputs = reaches(head, product, ball), linearise(head).outputs
    members = np.asarray(project(rng.standard_normal((3000, 4)), *place(product)))
    logits = np.einsum("mp,ntp->mnt", members, np.asarray(head.keys))
    assert (np.abs(logits).max(axis=0) <= far.tokens).all()
    assert (np.abs(logits).max(axis=0) >= 0.8 * far.tokens).mean() > 0.5
    ranges = np.ptp(logits, axis=2).max(axis=0)
    assert (ranges <= far.ranges).all()
    assert (ranges >= 0.8 * far.ranges).all()
    moved = np.asarray(head_outputs(head, members)) - outputs
    moved = (np.linalg.norm(moved, axis=2) if ball == "l2" else np.abs(moved).max(axis=2)).max(axis=0)
    assert (moved <= hull_radii(head, outputs, far, ball)).all()
    short = reaches(head, product._replace(radius=0.05, extents=product.extents / 10), ball)
    assert (moved > hull_radii(head, outputs, short, ball)).all()
