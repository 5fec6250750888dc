import math
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from theory import notation
from theory.bound import Bound, Proof, Relation, maximum, minimum
from theory.notation import (
    draws,
    failure_probability,
    logit_norm,
    readout_norm,
    sample_size,
    value_bound_sum,
    value_energy,
)

QUANTITY = r"\hat R"
TRIVIAL = Bound(QUANTITY, Relation.AT_MOST, readout_norm * value_bound_sum / sample_size, "derived in this project")
HALF = Bound(QUANTITY, Relation.AT_MOST, readout_norm * sp.sqrt(value_energy) / 2, "Someone (2000)", proof=Proof.CITED)
TAIL = Bound(
    r"\tau",
    Relation.AT_MOST,
    sp.sqrt(2 * sp.log(2 / failure_probability) / draws),
    "McDiarmid (1989)",
    assumptions=failure_probability < 1,
    proof=Proof.RECALLED,
)
NUMBERS = {"readout_norm": 0.1, "value_bound_sum": 2, "sample_size": 3}


def test_values_are_exact_and_the_safe_side_does_not_flatter():
    truth = Fraction(0.1) * 2 / 3
    lower, upper = TRIVIAL.certified(**NUMBERS)
    assert Fraction(lower) < truth < Fraction(upper)
    assert upper == math.nextafter(lower, 1)
    assert TRIVIAL.safe(**NUMBERS) == upper
    below = Bound(QUANTITY, Relation.AT_LEAST, TRIVIAL.expression, "derived in this project")
    assert below.safe(**NUMBERS) == lower
    assert TRIVIAL.evaluate(**NUMBERS) == pytest.approx(float(truth), rel=1e-15)
    equal = Bound(QUANTITY, Relation.EQUAL, TRIVIAL.expression, "derived in this project")
    with pytest.raises(ValueError, match="certified"):
        equal.safe(**NUMBERS)


def test_symbols_are_sorted_and_include_those_of_the_assumptions():
    assert [s.name for s in TRIVIAL.symbols] == ["readout_norm", "sample_size", "value_bound_sum"]
    only = Bound("q", Relation.AT_MOST, sp.Integer(1), "r", assumptions=logit_norm < 1)
    assert only.symbols == (logit_norm,)
    assert only.evaluate(logit_norm=0.5) == 1.0


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"sample_size": 0}, "sample_size must be positive"),
        ({"sample_size": 2.5}, "sample_size must be an integer"),
        ({"readout_norm": -0.1}, "readout_norm must be nonnegative"),
        ({"readout_norm": math.nan}, "finite"),
        ({"readout_norm": sp.I}, "readout_norm must be nonnegative"),
        ({"sample_sise": 3}, "did you mean 'sample_size'"),
        ({"temperature": 3}, "it depends on readout_norm"),
    ],
)
def test_values_outside_the_assumptions_are_refused(change, advice):
    for method in (TRIVIAL.evaluate, TRIVIAL.certified, TRIVIAL.safe, TRIVIAL.subs):
        with pytest.raises(ValueError, match=advice):
            method(**NUMBERS | change)


def test_missing_values_and_false_assumptions_are_refused():
    with pytest.raises(ValueError, match="also needs readout_norm, value_bound_sum"):
        TRIVIAL.evaluate(sample_size=3)
    with pytest.raises(ValueError, match=r"which is false for failure_probability = 1\.5"):
        TAIL.certified(failure_probability=1.5, draws=10)
    with pytest.raises(ValueError, match="no symbol"):
        Bound("q", Relation.AT_MOST, sp.Integer(1), "r").evaluate(dim=2)


def test_subs_keeps_the_rest_free():
    partly = TAIL.subs(draws=50)
    assert [s.name for s in partly.symbols] == ["failure_probability"]
    assert partly.assumptions == (failure_probability < 1)
    assert partly.evaluate(failure_probability=0.01) == TAIL.evaluate(failure_probability=0.01, draws=50)
    assert TAIL.subs(failure_probability=0.01).assumptions == sp.true


def test_numpy_scalars_and_fractions_are_numbers():
    given = {"readout_norm": np.float32(0.5), "value_bound_sum": Fraction(1, 3), "sample_size": np.int64(3)}
    assert TRIVIAL.evaluate(**given) == pytest.approx(1 / 18)
    assert TRIVIAL.evaluate(**given | {"readout_norm": np.array(0.5)}) == pytest.approx(1 / 18)


def test_scaled_is_the_falsified_twin():
    twin = TRIVIAL.scaled(sp.Rational(1, 100))
    assert twin.safe(**NUMBERS) == pytest.approx(TRIVIAL.safe(**NUMBERS) / 100)
    assert twin.relation is Relation.AT_MOST
    assert twin.reference == "1/100 x (derived in this project)"


def test_minimum_and_maximum():
    both = minimum([TRIVIAL, HALF])
    assert both.proof is Proof.CITED
    assert "Someone (2000)" in both.reference
    for energy in (0.01, 100.0):
        given = NUMBERS | {"value_energy": energy}
        each = TRIVIAL.evaluate(**NUMBERS), HALF.evaluate(readout_norm=0.1, value_energy=energy)
        assert both.evaluate(**given) == pytest.approx(min(each))
        assert both.safe(**given) == pytest.approx(min(each))
    below = [Bound("q", Relation.AT_LEAST, sp.Integer(n), "r") for n in (1, 2)]
    assert maximum(below).evaluate() == 2
    with pytest.raises(ValueError, match="use minimum"):
        minimum([*below])
    with pytest.raises(ValueError, match="different quantities"):
        minimum([TRIVIAL, TAIL])
    with pytest.raises(ValueError, match="at least one"):
        minimum([])


def test_assumptions_are_joined():
    first = Bound("q", Relation.AT_MOST, sp.Integer(1), "r", assumptions=logit_norm < 2)
    second = Bound("q", Relation.AT_MOST, logit_norm, "r", assumptions=logit_norm < 1)
    with pytest.raises(ValueError, match="is false"):
        minimum([first, second]).evaluate(logit_norm=1.5)


def test_floats_in_an_expression_are_refused():
    with pytest.raises(ValueError, match=r"sp\.Rational"):
        Bound("q", Relation.AT_MOST, logit_norm * 0.1, "r")


def test_printing():
    assert str(TAIL) == (
        r"\tau <= sqrt(2)*sqrt(log(2/failure_probability))/sqrt(draws) if failure_probability < 1  "
        "[McDiarmid (1989); recalled]"
    )
    assert TRIVIAL._repr_latex_() == r"$\displaystyle \hat R \leq \frac{B_u V_1}{n}$"
    assert notation.latex(value_energy**2) == r"\left(\sigma_v^2\right)^{2}"  # not a double superscript


def test_registry():
    assert notation.symbol("sample_size") is sample_size
    with pytest.raises(ValueError, match="did you mean 'logit_norm'"):
        notation.symbol("logit_nrm")
    for word, symbol in notation.SYMBOLS.items():
        assert getattr(notation, word) is symbol, word
        assert symbol.is_nonnegative is not None or symbol.is_real, word
        assert notation.latex(symbol) == notation.LETTERS[symbol]
    with pytest.raises(ValueError, match="twice"):
        notation.register("length", "T", positive=True)
