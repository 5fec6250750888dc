"""Complexity bounds as objects: they print, evaluate certified, grow with their statistics, and compose."""

import pytest
import sympy as sp

from theory import rademacher
from theory.bound import Relation

MAKERS = {**rademacher.QUERY_CERTIFICATES, **rademacher.QUERY_BOUNDS, **rademacher.FROZEN_BOUNDS}
VALUES = {
    "sample_size": 64,
    "dim": 3,
    "logit_dim": 3,
    "readout_norm": 1.5,
    "logit_norm": 0.75,
    "value_energy": 70.0,
    "value_bound_sum": 64.0,
    "covariance_lipschitz": 8.0,
    "tilted_key_energy": 300.0,
    "tilted_value_energy": 150.0,
    "frozen_energy": 9.0,
    "jacobian_energy": 4.0,
    "third_cumulant_sum": 40.0,
    "third_cumulant_energy": 5.0,
    "hull_radius_sum": 30.0,
}


def at(bound, **changes):
    return {symbol.name: (VALUES | changes)[symbol.name] for symbol in bound.symbols}


@pytest.mark.parametrize("ball", ["l2", "l1"])
@pytest.mark.parametrize("name", MAKERS)
def test_bounds_print_and_evaluate_certified(name, ball):
    bound = MAKERS[name](ball)
    lower, upper = bound.certified(**at(bound))
    assert lower <= bound.evaluate(**at(bound)) <= upper or upper - lower < 1e-12
    assert (upper - lower) / upper < 1e-11
    assert r"\mathfrak" in bound._repr_latex_()
    assert bound.safe(**at(bound)) == (upper if bound.relation is Relation.AT_MOST else lower)


@pytest.mark.parametrize("ball", ["l2", "l1"])
@pytest.mark.parametrize("name", MAKERS)
def test_bounds_increase_in_every_statistic(name, ball):
    """`estimators.bracket.evaluate` rounds statistics up (down for lower bounds) on the strength of this."""
    bound = MAKERS[name](ball)
    base = bound.evaluate(**at(bound))
    for symbol in bound.symbols:
        if symbol.name not in ("sample_size", "dim", "logit_dim"):
            assert bound.evaluate(**at(bound, **{symbol.name: VALUES[symbol.name] * 1.25})) >= base, symbol


@pytest.mark.parametrize("ball", ["l2", "l1"])
@pytest.mark.parametrize("name", MAKERS)
def test_bounds_are_finite_where_norms_vanish(name, ball):
    bound = MAKERS[name](ball)
    for word in ("logit_norm", "readout_norm", "value_energy", "covariance_lipschitz", "frozen_energy"):
        if word in at(bound):
            assert bound.evaluate(**at(bound, **{word: 0})) >= 0
            assert bound.safe(**at(bound, **{word: 0})) >= 0


def test_taylor_remainder_is_the_smaller_of_two():
    for size in (4, 10**6):
        scale = {"sample_size": size, "third_cumulant_sum": size, "third_cumulant_energy": sp.sqrt(size)}
        worst, compared = rademacher.taylor_remainder().args
        chosen = rademacher.taylor_remainder().subs(
            {symbol: (VALUES | scale)[symbol.name] for symbol in rademacher.taylor_remainder().free_symbols}
        )
        both = [
            sp.N(part.subs({symbol: (VALUES | scale)[symbol.name] for symbol in part.free_symbols}))
            for part in (worst, compared)
        ]
        assert sp.N(chosen) == pytest.approx(min(both))


def test_covering_integral_is_an_upper_bound_of_the_entropy_integral():
    from scipy.integrate import quad
    from sympy.utilities.lambdify import lambdify

    bound = rademacher.covering()
    values = at(bound)
    n, d = values["sample_size"], values["dim"]
    spread = values["readout_norm"] * (values["value_energy"] / n) ** 0.5
    slope = values["readout_norm"] * values["logit_norm"] * values["covariance_lipschitz"] / n**0.5
    x = sp.Symbol("x", positive=True)
    entropy = lambdify(x, sp.sqrt(d * sp.log(1 + 4 * spread / x) + d * sp.log(1 + 4 * slope / x)))
    integral = quad(entropy, 0, spread)[0] * 12 / n**0.5
    assert integral <= bound.evaluate(**values) <= 1.2 * integral
