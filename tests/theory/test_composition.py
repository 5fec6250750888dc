"""theory/composition.py: substitution that cannot flatter, sums; and what it refuses."""

import pytest
import sympy as sp

from theory.bound import Bound, Proof, Relation, minimum
from theory.composition import substitute, total
from theory.notation import (
    covariance_lipschitz,
    dim,
    failure_probability,
    key_maximum,
    length,
    logit_norm,
    rank,
    readout_norm,
    rows,
    sample_size,
    token_norm,
    value_bound_sum,
    value_energy,
    value_maximum,
)
from theory.rademacher import covering, khintchine, trivial, width
from theory.rademacher_baselines import vc_dimension_bound
from theory.rademacher_series import series_tail
from theory.widths import gaussian_norm_mean, norm_mean_lower, norm_mean_upper

UP, LOW, EQUAL = Relation.AT_MOST, Relation.AT_LEAST, Relation.EQUAL
ENERGY = Bound(r"\sigma_v^2", UP, sample_size * value_maximum**2, "maxima", proof=Proof.RECALLED)


def quantity(relation, expression, **more):
    return Bound("q", relation, expression, "ours", **more)


def test_an_expression_is_another_name():
    renamed = substitute(width(), {"value_energy": sample_size * value_maximum**2, "dim": 2 * dim})
    assert renamed.relation is UP
    assert renamed.assumptions == sp.true
    assert renamed.reference == width().reference
    given = {"readout_norm": 1, "sample_size": 8, "covariance_lipschitz": 2, "logit_norm": 1, "logit_dim": 3}
    direct = width().safe(**given, value_energy=8 * 0.5**2, dim=6)
    assert renamed.safe(**given, value_maximum=0.5, dim=3) == direct
    exchanged = {"value_energy": key_maximum, "key_maximum": value_energy}
    swapped = substitute(quantity(UP, value_energy - key_maximum), exchanged)
    assert swapped.expression == key_maximum - value_energy


def test_what_is_unknown_of_an_expression_becomes_an_assumption():
    shifted = substitute(trivial(), {"value_bound_sum": token_norm - logit_norm})
    given = {"readout_norm": 1, "sample_size": 1}
    assert shifted.safe(**given, token_norm=2, logit_norm=0.5) == 1.5
    with pytest.raises(ValueError, match="which is false for"):
        shifted.safe(**given, token_norm=1, logit_norm=2)
    with pytest.raises(ValueError, match="value_bound_sum must be nonnegative"):
        substitute(trivial(), {"value_bound_sum": sp.Integer(-1)})
    with pytest.raises(ValueError, match="sample_size must be an integer"):
        substitute(trivial(), {"sample_size": token_norm})
    with pytest.raises(ValueError, match="did you mean 'value_bound_sum'"):
        substitute(trivial(), {"value_bound": sp.Integer(1)})


def test_an_upper_bound_of_a_statistic_keeps_an_upper_bound():
    joined = substitute(width(), {"value_energy": ENERGY})
    assert joined.relation is UP
    assert joined.proof is Proof.RECALLED
    assert "value_energy: maxima" in joined.reference
    given = {"readout_norm": 1, "sample_size": 8, "covariance_lipschitz": 2, "logit_norm": 1, "logit_dim": 3, "dim": 2}
    for energy in (0, 1.0, 8 * 0.25):  # any statistic that its bound allows
        assert width().safe(**given, value_energy=energy) <= joined.safe(**given, value_maximum=0.5)
    with pytest.raises(ValueError, match="wrong side: it makes the expression larger"):
        substitute(khintchine(), {"frozen_energy": ENERGY})


def test_the_four_sides():
    falling = quantity(UP, readout_norm / value_energy)
    below = quantity(LOW, 1 + readout_norm)
    assert substitute(falling, {"value_energy": below}).relation is UP
    with pytest.raises(ValueError, match="wrong side"):
        substitute(falling, {"value_energy": ENERGY})
    exact = quantity(EQUAL, sp.sqrt(value_energy))
    assert substitute(exact, {"value_energy": ENERGY}).relation is UP
    assert substitute(exact, {"value_energy": below}).relation is LOW
    assert substitute(exact, {"value_energy": quantity(EQUAL, below.expression)}).relation is EQUAL
    both = quantity(EQUAL, value_energy / readout_norm)
    with pytest.raises(ValueError, match="wrong side"):  # numerator up, denominator up: neither
        substitute(both, {"value_energy": ENERGY, "readout_norm": quantity(UP, key_maximum)})
    assert substitute(both, {"value_energy": ENERGY, "readout_norm": quantity(LOW, 1 + key_maximum)}).relation is UP
    unused = quantity(EQUAL, value_energy, assumptions=readout_norm > 1)
    assert substitute(unused, {"readout_norm": quantity(LOW, 2 + key_maximum)}).relation is EQUAL


def test_norm_means_bound_widths():
    """m_d as a statistic: d/sqrt(d+1) <= m_d <= sqrt d give bounds without Gamma functions."""
    stated = quantity(EQUAL, readout_norm * value_energy)  # value_energy plays the role of m_d
    upper, lower = (substitute(stated, {"value_energy": make()}) for make in (norm_mean_upper, norm_mean_lower))
    for size in (1, 2, 7, 100):
        truth = sp.N(gaussian_norm_mean(sp.Integer(size)), 20)
        assert lower.safe(readout_norm=1, dim=size) <= truth <= upper.safe(readout_norm=1, dim=size)


def test_monotonicity_that_is_undecided_must_be_stated():
    upper = quantity(UP, key_maximum)
    with pytest.raises(ValueError, match=r"monotone=\{'covariance_lipschitz': 1\}"):
        substitute(covering(), {"covariance_lipschitz": upper})
    found = substitute(covering(), {"covariance_lipschitz": upper}, monotone={"covariance_lipschitz": 1})
    assert found.relation is UP
    assert covariance_lipschitz not in found.symbols
    for wrong in (-1, 2):
        with pytest.raises(ValueError, match="is wrong for"):
            substitute(width(), {"value_energy": ENERGY}, monotone={"value_energy": wrong})


def test_assumptions_must_follow():
    radius = quantity(UP, key_maximum)
    stated = {"logit_norm": 1}
    kept = substitute(series_tail(), {"logit_norm": radius}, monotone=stated)
    assert kept.assumptions == (key_maximum < sp.Symbol("series_radius", positive=True))
    with pytest.raises(ValueError, match="does not show"):
        substitute(series_tail(), {"series_radius": radius}, monotone={"series_radius": 1})
    # d_VC <= a lower bound of n implies d_VC <= n.
    shown = substitute(vc_dimension_bound(), {"sample_size": quantity(LOW, 1 + length)}, monotone={"sample_size": -1})
    assert shown.relation is UP
    assert length in shown.assumptions.free_symbols
    equality = quantity(UP, rank, assumptions=sp.Eq(rank, rows))
    with pytest.raises(ValueError, match="does not show"):
        substitute(equality, {"rank": quantity(UP, dim)})


def test_a_lower_bound_below_the_domain_is_an_assumption():
    falling = quantity(UP, readout_norm / (1 + value_energy))
    found = substitute(falling, {"value_energy": quantity(LOW, key_maximum - 1)})
    assert found.evaluate(readout_norm=1, key_maximum=3) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="false"):
        found.evaluate(readout_norm=1, key_maximum=0.5)


def test_sums_over_blocks():
    tail = Bound("t", UP, logit_norm, "b", failure_probability < 1, proof=Proof.RECALLED)
    both = total([trivial(), tail])
    assert both.quantity == trivial().quantity + "+t"
    assert both.relation is UP
    assert both.proof is Proof.RECALLED
    assert both.reference.startswith("sum of: derived in this project; b")
    given = {"readout_norm": 2, "value_bound_sum": 3, "sample_size": 4, "logit_norm": 0.25, "failure_probability": 0.5}
    assert both.safe(**given) == 1.75
    with pytest.raises(ValueError, match="false"):
        both.safe(**given | {"failure_probability": 2})
    exact = quantity(EQUAL, readout_norm)
    assert total([exact, exact], "2q").relation is EQUAL
    assert total([exact, khintchine()]).relation is LOW
    blocks = [substitute(trivial(), {"value_bound_sum": k * value_bound_sum}) for k in (1, 2, 3)]
    heads = total(blocks, r"\sum_h\hat{\mathfrak R}(\mathcal F_h)")
    assert heads.expression == 6 * readout_norm * value_bound_sum / sample_size
    assert minimum([heads, heads]).expression == heads.expression


@pytest.mark.parametrize(
    ("bounds", "advice"),
    [
        ([], "at least one"),
        ([trivial(), khintchine()], "upper and lower"),
        ([trivial(), width()], "name their sum"),
    ],
)
def test_sums_that_say_nothing_are_refused(bounds, advice):
    with pytest.raises(ValueError, match=advice):
        total(bounds)


def test_the_sum_of_true_bounds_is_true_and_its_twin_falls():
    """R_hat of two one-parameter heads: signs of n = 3 samples, sup u |u| <= 1 of constants, is E|sum eps|/n = 1/2."""
    one = substitute(trivial(), {"value_bound_sum": sp.Integer(3), "sample_size": sp.Integer(3)})
    both = total([one, one], "R_1+R_2")
    truth = 2 * sp.Rational(1, 2)
    assert truth <= both.safe(readout_norm=1)
    assert truth > both.scaled(sp.Rational(1, 100)).safe(readout_norm=1)
    assert value_energy not in both.symbols
