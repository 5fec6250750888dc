"""Classes with a learned encoding against dense grids and random search in plain NumPy, and against exact cases."""

import dataclasses

import numpy as np
import pytest
from learned_oracle import bias_oracle

from estimators.bracket import bracket
from estimators.hypotheses import Constraints, Effort
from estimators.hypotheses_bias import LearnedBias, learned_bias
from estimators.hypotheses_learned import inclusion, learned
from estimators.learned_encoding import LogitFeatures
from estimators.signs import all_sign_classes, draw_signs
from estimators.verdict import judge
from theory.encodings import parse

TOKENS = np.random.default_rng(3).standard_normal((5, 4, 1))
FINE = Effort(gap=1e-3)


def grid_pairs(logit_norm, lower, upper, points=251):
    w, r = np.meshgrid(np.linspace(-logit_norm, logit_norm, points), np.linspace(lower, upper, points))
    return w.ravel()[:, None], r.ravel()


DISTANCES = np.arange(4.0)[::-1]
SCALARS = {  # specification, radius -> features of one more unit, parameter range
    ("alibi:slope=0.5", 0.3): (-DISTANCES, 0.2, 0.8),
    ("alibi:slope=0.5", 2.0): (-DISTANCES, 0.0, 2.5),
    ("kerple-log:r1=1,r2=0.5", 0.7): (-np.log1p(DISTANCES / 2), 0.3, 1.7),
    ("kerple-power:r1=0.5,r2=0.5", 1.0): (-np.sqrt(DISTANCES), 0.0, 1.5),
}


@pytest.mark.parametrize(("name", "radius"), SCALARS)
def test_one_slope_and_one_channel_equal_a_dense_grid(name, radius):
    features, least, most = SCALARS[name, radius]
    signs = all_sign_classes(5)
    queries, slopes = grid_pairs(1.5, least, most)
    value = bias_oracle(TOKENS, signs, queries, slopes[:, None] * features)
    made = learned(parse(name, dim=1, train_length=4), TOKENS, Constraints(1.0, 1.5), encoding_radius=radius)
    found = made.suprema(signs, FINE)
    assert found.finished
    assert (value <= found.upper * (1 + 1e-12)).all()
    assert (found.lower <= value * (1 + 1e-4) + 1e-9).all()
    assert (found.upper <= found.lower * 1.0011 + 1e-6).all()


def test_a_search_over_half_the_box_is_caught():
    """The falsified twin of the test above: the same ends, for a set of slopes that is too small."""
    signs = all_sign_classes(5)
    queries, slopes = grid_pairs(1.5, 0.0, 2.5)
    value = bias_oracle(TOKENS, signs, queries, -slopes[:, None] * DISTANCES)
    made = learned(parse("alibi:slope=1.25", dim=1, train_length=4), TOKENS, Constraints(1.0, 1.5), encoding_radius=0.6)
    assert (value > made.suprema(signs, FINE).upper * (1 + 1e-12)).any()


def test_three_dimensions_with_the_l1_read_out_hold_random_parameters_and_are_tight():
    ball = "l1"
    tokens = np.random.default_rng(8).standard_normal((5, 4, 2))
    signs, rng = all_sign_classes(5), np.random.default_rng(0)
    made = learned(
        parse("alibi:slope=0.5", dim=2, train_length=4), tokens, Constraints(1.0, 2.0, ball), encoding_radius=1.0
    )
    found = made.suprema(signs, Effort())
    angles, radii = rng.uniform(0, 2 * np.pi, 20_000), 2 * rng.uniform(0, 1, 20_000) ** 0.3
    queries = radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    slopes = np.clip(rng.uniform(-0.1, 1.6, 20_000), 0.0, 1.5)
    value = bias_oracle(tokens, signs, queries, -slopes[:, None] * DISTANCES, ball)
    assert (value <= found.upper * (1 + 1e-12)).all()
    assert (value >= found.lower * 0.98).all()
    assert found.upper.max() <= found.lower.max() * 1.011
    assert (value > found.upper / 1.05).any()


def test_buckets_in_four_dimensions_hold_random_parameters():
    signs, rng = all_sign_classes(5), np.random.default_rng(1)
    encoding = parse("t5:buckets=4,max_distance=12", dim=1, train_length=4)
    made = learned(encoding, TOKENS, Constraints(1.0, 1.0), encoding_radius=0.5)
    assert isinstance(made, LearnedBias)
    found = made.suprema(signs, Effort(gap=0.02))
    assert found.finished
    assert found.certificate == "branch-and-bound"
    own = np.array([float(encoding.bias(int(distance), 0)) for distance in DISTANCES])
    rows = np.array([[encoding.bucket(int(distance)) == one for one in range(4)] for distance in DISTANCES], float)
    deltas = np.clip(rng.uniform(-0.7, 0.7, (20_000, 4)), -0.5, 0.5)
    queries = np.clip(rng.uniform(-1.3, 1.3, (20_000, 1)), -1.0, 1.0)
    value = bias_oracle(TOKENS, signs, queries, own + deltas @ rows.T)
    assert (value <= found.upper * (1 + 1e-12)).all()
    assert (found.lower >= value * 0.97).all()
    assert (found.upper <= found.lower * 1.021 + 1e-4).all()


def test_certificates_beyond_four_dimensions_hold_random_parameters():
    tokens = np.random.default_rng(2).standard_normal((5, 4, 5))
    signs, rng = all_sign_classes(5), np.random.default_rng(1)
    own = rng.standard_normal(4)
    for norm, loosest in ((0.1, 2.0), (2.0, 4.0)):
        parameters = LogitFeatures(np.eye(4), own, np.full(4, -3 * norm), np.full(4, 3 * norm), False)
        made = learned_bias(tokens, tokens, parameters, Constraints(1.0, norm))
        found = made.suprema(signs, Effort(restarts=3))
        queries = rng.standard_normal((10_000, 5))
        queries *= norm / np.linalg.norm(queries, axis=1, keepdims=True)
        value = bias_oracle(tokens, signs, queries, own + 3 * norm * rng.choice([-1.0, 1.0], (10_000, 4)))
        assert (value <= found.upper).all()
        assert (value <= found.lower * 1.05).all()
        assert (found.upper / found.lower).mean() < loosest
        if norm < 1:  # a twin that forgets the learned biases is caught
            short = dataclasses.replace(made, extents=0 * made.extents).suprema(signs, Effort(restarts=3))
            assert (value > short.upper).any()


@pytest.mark.slow
def test_bounds_of_the_mean_hold_random_parameters():
    """U9 to U11 of the covering ball; those of the fixed encoding are the falsified twin."""
    tokens = np.random.default_rng(2).standard_normal((5, 4, 5))
    signs, rng = all_sign_classes(5), np.random.default_rng(1)
    own = rng.standard_normal(4)
    parameters = LogitFeatures(np.eye(4), own, np.full(4, -0.3), np.full(4, 0.3), False)
    made = learned_bias(tokens, tokens, parameters, Constraints(1.0, 0.1))
    queries = rng.standard_normal((10_000, 5))
    queries *= 0.1 / np.linalg.norm(queries, axis=1, keepdims=True)
    value = bias_oracle(tokens, signs, queries, own + 0.3 * rng.choice([-1.0, 1.0], (10_000, 4))).mean()
    assert value <= min(made.expected_uppers(0.01, 0, signs).uppers.values())
    assert value > min(made.fixed.expected_uppers(0.01, 0, signs).uppers.values())


def test_radius_zero_is_the_fixed_encoding():
    signs = all_sign_classes(5)
    encoding = parse("alibi:slope=0.5", dim=1, train_length=4)
    made = learned(encoding, TOKENS, Constraints(2.0, 1.0), encoding_radius=0.0)
    one, two = made.suprema(signs, FINE), made.fixed.suprema(signs, FINE)
    assert one.upper.mean() == pytest.approx(two.upper.mean(), rel=2e-3)
    assert (one.lower <= two.upper * (1 + 1e-12)).all()
    assert (two.lower <= one.upper * (1 + 1e-12)).all()


def test_zero_logit_norm_learns_only_the_slope():
    """Without a query the supremum runs over one slope: a grid of one dimension."""
    signs, slopes = all_sign_classes(5), np.linspace(0.0, 1.5, 4001)
    value = bias_oracle(TOKENS, signs, np.zeros((4001, 1)), -slopes[:, None] * DISTANCES)
    made = learned(parse("alibi:slope=1", dim=1, train_length=4), TOKENS, Constraints(1.0, 0.0), encoding_radius=0.5)
    coarse = made.suprema(signs, FINE)
    inside = (slopes >= 0.5) & (slopes <= 1.5)
    value = bias_oracle(TOKENS, signs, np.zeros((inside.sum(), 1)), -slopes[inside, None] * DISTANCES)
    assert made.keys.shape[2] == 1
    assert coarse.lower == pytest.approx(value, rel=2e-3, abs=1e-6)
    assert coarse.upper == pytest.approx(value, rel=2e-3, abs=1e-6)


def check_bounds(made, found):
    for key, judged in found.bounds.items():
        relation = made.bounds[key]("l2").relation
        wrong = judged.value / 100 if relation.value == "<=" else judged.value * 100
        assert judged.verdict == "holds", key
        assert judge(wrong, relation, found.estimate).verdict == "violated", key


@pytest.mark.parametrize("name", ["alibi:slope=0.5", "t5:buckets=4,max_distance=12", "kerple-log"])
def test_bounds_of_learned_biases_hold_and_their_twins_are_violated(name):
    made = learned(parse(name, dim=1, train_length=4), TOKENS, Constraints(1.0, 1.0), encoding_radius=0.5)
    found = bracket(made, all_sign_classes(5), enumerated=True, effort=Effort(gap=0.02, budget=5000))
    check_bounds(made, found)


@pytest.mark.parametrize(
    ("name", "radius"), [("alibi:slope=0.5", 0.5), ("t5:buckets=2", 1.0), ("kerple-power", 1.0), ("legendre", 2.5)]
)
def test_inclusion_holds_on_every_sign_vector(name, radius):
    """2.3d: the larger class has the larger complexity, at each sign vector and in the mean."""
    length = 2 if name == "legendre" else 4
    made = learned(parse(name, dim=1, train_length=length), TOKENS[:, :length], encoding_radius=radius)
    for smaller in (made.fixed, made.without):
        compared = inclusion(made, smaller, all_sign_classes(5), enumerated=True)
        assert compared.contradiction <= 1e-12
        assert compared.difference.upper >= 0
        assert (compared.larger.suprema.lower >= compared.smaller.suprema.lower * (1 - 0.011) - 1e-6).all()
    # The twin with the roles exchanged is refuted: here the learned part gains something.
    assert (compared.larger.suprema.lower > compared.smaller.suprema.upper).any()


def test_an_unfinished_search_keeps_the_ends_of_the_contained_classes():
    made = learned(parse("alibi:slope=0.5", dim=1, train_length=4), TOKENS, encoding_radius=0.5)
    signs, effort = all_sign_classes(5), Effort(budget=1)
    found, inner = made.suprema(signs, effort), made.fixed.suprema(signs, effort)
    assert not found.finished
    assert (found.lower >= inner.lower * (1 - 1e-12)).all()
    assert (found.upper >= made.suprema(signs, FINE).lower).all()


def test_inclusion_needs_a_set_that_reaches_no_encoding():
    made = learned(parse("alibi:slope=0.5", dim=1, train_length=4), TOKENS, encoding_radius=0.1)
    with pytest.raises(ValueError, match="larger encoding-radius"):
        inclusion(made, made.without, all_sign_classes(5), enumerated=True)


def test_sampled_bracket_contains_the_enumerated_value():
    made = learned(parse("alibi:slope=0.5", dim=1, train_length=4), TOKENS, encoding_radius=0.5)
    exact = bracket(made, all_sign_classes(5), enumerated=True).estimate
    sampled = bracket(made, draw_signs(0, 16, 5), enumerated=False).estimate
    assert sampled.lower <= exact.upper
    assert exact.lower <= sampled.upper


def test_tokens_of_any_size_give_the_same_class():
    """Tokens times 2^60 with radii divided by it: the same functions, up to the read-out's scale."""
    signs, unit = all_sign_classes(5), 2.0**60
    encoding = parse("alibi:slope=0.5", dim=1, train_length=4)
    small = learned(encoding, TOKENS, Constraints(1.0, 1.0), encoding_radius=0.5).suprema(signs, FINE)
    large = learned(encoding, TOKENS * unit, Constraints(1.0 / unit, 1.0 / unit), encoding_radius=0.5).suprema(
        signs, FINE
    )
    assert large.lower == pytest.approx(small.lower, rel=2e-3)
    assert large.upper == pytest.approx(small.upper, rel=2e-3)
    assert (np.maximum(large.lower, small.lower) <= np.minimum(large.upper, small.upper) * (1 + 1e-12)).all()
