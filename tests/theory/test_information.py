"""theory/information*.py: closed forms against definitions, the order of bounds, values named in the theory."""

import itertools
import math
from fractions import Fraction

import pytest
import sympy as sp

from theory import information, information_codes, information_latent, information_stress
from theory.bound import Proof, Relation
from theory.notation import alibi_slope, seen_count

TWIN = sp.Rational(1, 100)
TRUE = (
    information.INFORMATION_BOUNDS
    | information_codes.INFORMATION_CODE_BOUNDS
    | information_latent.INFORMATION_LATENT_BOUNDS
    | information_stress.INFORMATION_STRESS_BOUNDS
)
FALSE = information.INFORMATION_FALLACIES | information_stress.INFORMATION_STRESS_FALLACIES


@pytest.mark.parametrize("name", TRUE | FALSE)
def test_statements_say_their_form_and_wrong_ones_say_wrong(name):
    statement = (TRUE | FALSE)[name]
    first = statement.__doc__.split(":")[0]
    word = {Relation.AT_MOST: "Upper", Relation.AT_LEAST: "Lower", Relation.EQUAL: "Exact"}[statement().relation]
    assert first.split(",")[0] == word
    assert ("wrong" in first) is (name in FALSE)
    assert (statement().proof is Proof.DERIVED) is (name in TRUE)


def alibi_by_sum(count, slope):
    weights = [sp.exp(-slope * k) for k in range(count)]
    return sum(w**2 for w in weights) / sum(weights) ** 2


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_alibi_variance_is_the_sum_of_squared_weights(count):
    bound = information_latent.variance_with_alibi()
    for slope in (sp.Rational(1, 256), sp.Rational(1, 4), sp.Integer(2)):
        low, high = bound.certified(alibi_slope=slope, seen_count=count, value_scale=3)
        direct = float(9 * alibi_by_sum(count, slope))
        assert low == pytest.approx(direct, rel=1e-12)
        assert high == pytest.approx(direct, rel=1e-12)
        assert bound.scaled(TWIN).certified(alibi_slope=slope, seen_count=count, value_scale=3)[1] < direct


def test_alibi_variance_has_the_limits_of_no_encoding_and_of_long_sequences():
    exact = information_latent.variance_with_alibi().expression
    assert sp.limit(exact, alibi_slope, 0) == information_latent.variance_without_encoding().expression
    far = exact.subs({alibi_slope: sp.Rational(1, 4)})
    limit = information_latent.variance_alibi_limit().expression.subs({alibi_slope: sp.Rational(1, 4)})
    assert sp.simplify((sp.limit(far, seen_count, sp.oo) - limit).rewrite(sp.exp)) == 0
    values = {"alibi_slope": Fraction(1, 4), "value_scale": 1}
    lower = information_latent.variance_alibi_limit()
    for count in (1, 10, 40):
        low, _ = information_latent.variance_with_alibi().certified(seen_count=count, **values)
        assert low >= lower.safe(**values)
        assert low < lower.scaled(100).safe(**values)


def test_pairwise_bounds_of_two_codes_are_the_default_and_order_correctly():
    for distance, noise in ((Fraction(1, 2), 1), (3, Fraction(1, 3)), (0, 1)):
        squares = [[0, distance**2], [distance**2, 0]]
        for statement in (information_codes.pairwise_upper, information_codes.pairwise_lower):
            symbolic = statement().evaluate(code_distance=distance, noise_scale=noise)
            given = statement(squares)
            words = {symbol.name: noise for symbol in given.symbols}  # equal codes leave no noise
            assert given.evaluate(**words) == pytest.approx(symbolic, abs=1e-15)
        upper = information_codes.pairwise_upper().evaluate(code_distance=distance, noise_scale=noise)
        lower = information_codes.pairwise_lower().evaluate(code_distance=distance, noise_scale=noise)
        assert 0 <= lower <= upper <= math.log(2)
    assert upper == 0


def test_pairwise_bounds_use_q_equal_p_so_that_distant_codes_reach_ln_n():
    count = 5
    squares = [[0 if i == j else 10**4 for j in range(count)] for i in range(count)]
    for statement in (information_codes.pairwise_upper, information_codes.pairwise_lower):
        assert statement(squares).evaluate(noise_scale=1) == pytest.approx(math.log(count), abs=1e-12)


def test_pairwise_bounds_of_variances_agree_with_the_divergences():
    variances = [Fraction(1), Fraction(1, 3), Fraction(5, 2)]
    total_upper = total_lower = 0.0
    for p in variances:
        divergences = [1.5 * (float(p / q) - 1 - math.log(p / q)) for q in variances]
        distances = [1.5 * math.log((p + q) / (2 * math.sqrt(p * q))) for q in variances]
        total_upper -= math.log(sum(math.exp(-d) for d in divergences) / 3) / 3
        total_lower -= math.log(sum(math.exp(-d) for d in distances) / 3) / 3
    assert information_latent.latent_pairwise_upper(variances).evaluate(dim=3) == pytest.approx(total_upper, abs=1e-12)
    assert information_latent.latent_pairwise_lower(variances).evaluate(dim=3) == pytest.approx(total_lower, abs=1e-12)
    two = information_latent.latent_pairwise_lower().evaluate(dim=3, variance_ratio=4)
    assert two == pytest.approx(information_latent.latent_pairwise_lower([2, 8]).evaluate(dim=3), abs=1e-12)


def test_rank_makes_the_gaussian_bound_smaller_than_with_all_channels():
    words = {"position_count": 4, "code_power": 1, "noise_scale": 1}
    bound = information_codes.flat_spectrum_cap()
    assert bound.evaluate(dim=6, **words) == pytest.approx(1.5 * math.log(1 + 1 / 3), abs=1e-14)
    assert bound.evaluate(dim=6, **words) < 3 * math.log(1 + 1 / 6)
    assert bound.evaluate(dim=2, **words) == pytest.approx(math.log(1.5), abs=1e-14)
    least = information_codes.gaussian_code_bound().evaluate(dim=6, **(words | {"noise_scale": Fraction(1, 100)}))
    assert least == pytest.approx(math.log(4), abs=1e-14)


def test_fano_is_the_decoder_bound_of_a_guess():
    count, success = 5, Fraction(7, 10)
    score = float(success) * math.log(success) + 0.3 * math.log(Fraction(3, 40))
    decoder = information.decoder_lower_bound().evaluate(position_count=count, decoder_score=score)
    assert information.fano().evaluate(position_count=count, success_probability=success) == pytest.approx(decoder)
    chance = information.fano().certified(position_count=count, success_probability=Fraction(1, 5))
    assert chance == pytest.approx((0, 0), abs=1e-15)


def line_stress(points, chord):
    pairs = list(itertools.combinations(points, 2))
    return sum((abs(a - b) - chord) ** 2 for a, b in pairs) / (len(pairs) * chord**2)


def test_stress_of_three_one_hot_distributions():
    optimum, scaling = information_stress.one_hot_optimum(), information_stress.one_hot_scaling()
    assert sp.nsimplify(optimum.subs(position_count=3).expression) == sp.Rational(1, 9)
    assert sp.simplify(scaling.subs(position_count=3).expression) == sp.Rational(1, 6)
    root = sp.sqrt(2)
    assert sp.simplify(line_stress([-2 * root / 3, 0, 2 * root / 3], root)) == sp.Rational(1, 9)
    assert sp.simplify(line_stress([-1 / root, 0, 1 / root], root)) == sp.Rational(1, 6)
    for count in range(3, 12):
        assert optimum.evaluate(position_count=count) < scaling.evaluate(position_count=count)


@pytest.mark.parametrize("count", [2, 4, 5])
def test_stress_formulas_hold_at_their_embeddings(count):
    root = sp.sqrt(2)
    ranks = [2 * i - count - 1 for i in range(1, count + 1)]
    best = sp.simplify(line_stress([root * r / count for r in ranks], root))
    assert best == information_stress.one_hot_optimum().subs(position_count=count).expression
    length = sp.sqrt(sum(r**2 for r in ranks))
    scaled = line_stress([r / length for r in ranks], root)
    assert sp.simplify(scaled - information_stress.one_hot_scaling().subs(position_count=count).expression) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: information_codes.pairwise_upper([[0, 1], [1]]), "one row and one column per position"),
        (lambda: information_codes.pairwise_lower([[0, -1], [-1, 0]]), "must be nonnegative"),
        (lambda: information_codes.pairwise_lower([[0, math.nan], [1, 0]]), "must be finite"),
        (lambda: information_latent.latent_pairwise_upper([1, 0]), "must be positive"),
        (lambda: information.fano().safe(position_count=1, success_probability=Fraction(1, 2)), "assumes"),
        (lambda: information.fano().safe(position_count=2, success_probability=2), "assumes"),
        (lambda: information.decoder_loss_ceiling().safe(uniform_share=2), "assumes"),
        (lambda: information_codes.second_moment_cap().safe(code_determinant=-1), "must be positive"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
