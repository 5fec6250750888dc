"""Every registered statement: symbols, print, certified evaluation against 50 digits, errors that name the wrong."""

import re

import pytest
import sympy as sp
from matplotlib.mathtext import MathTextParser

from theory import notation, statements
from theory.bound import Relation
from theory.certified import enclose
from theory.points import admissible_points, breaking_point
from theory.statements import STATEMENTS

FORM = re.compile(r"\b(upper|lower|exact|tight|sharp|equality)\b", flags=re.IGNORECASE)
HALF_DIGITS = sp.Rational(1, 10**45)  # of the 50-digit value, its own error
MATHTEXT = MathTextParser("path")
each = pytest.mark.parametrize("name", STATEMENTS)


@each
def test_symbols_are_registered_and_the_docstring_says_the_form(name):
    bound = STATEMENTS[name]()
    for symbol in bound.symbols:
        assert notation.SYMBOLS.get(symbol.name) == symbol, symbol
    text = STATEMENTS[name].__doc__ or ""
    assert FORM.search(text.split("\n\n")[0]), f"{name} does not say upper, lower or exact"
    assert bound.reference


@each
def test_latex_renders_in_mathtext(name):
    bound = STATEMENTS[name]()
    MATHTEXT.parse(f"${bound.latex}$")
    assert "_" not in notation.latex(bound.expression).replace(r"\_", "") or not re.search(
        "|".join(rf"\b{symbol.name}\b" for symbol in bound.symbols if "_" in symbol.name) or r"$^", bound.latex
    )


def contained(name, count, seed):
    bound = STATEMENTS[name]()
    for point in admissible_points(bound, count, seed):
        exact = [(symbol, sp.Rational(point[symbol.name])) for symbol in bound.symbols]
        truth = sp.N(bound.expression.subs(exact).doit(), 50)
        assert truth.is_comparable, f"{name} has no real value at {point}"
        error = abs(sp.Rational(truth)) * HALF_DIGITS
        for arithmetic in ("arb", "mpmath"):
            lower, upper = (sp.sympify(end) for end in enclose(bound.expression, point, arithmetic=arithmetic))
            assert sp.Rational(lower) <= sp.Rational(truth) + error if lower.is_finite else lower < 0
            assert sp.Rational(upper) >= sp.Rational(truth) - error if upper.is_finite else upper > 0
        if bound.relation is not Relation.EQUAL:
            assert bound.safe(**point) == bound.certified(**point)[bound.relation is Relation.AT_MOST]


@each
def test_certified_evaluation_contains_50_digits(name):
    contained(name, 3, 0)


@pytest.mark.slow
@each
def test_certified_evaluation_contains_50_digits_at_20_points(name):
    contained(name, 20, 1)


@each
def test_values_outside_the_assumptions_are_errors_that_name_them(name):
    bound = STATEMENTS[name]()
    point = admissible_points(bound, 1, 2)[0] if bound.symbols else {}
    for symbol in bound.symbols:
        wrong = -1 if symbol.is_nonnegative else 1 if symbol.is_nonpositive else "much"
        with pytest.raises(ValueError, match=symbol.name):
            bound.certified(**point | {symbol.name: wrong})
        if symbol.is_integer:
            with pytest.raises(ValueError, match=f"{symbol.name} must be an integer"):
                bound.certified(**point | {symbol.name: 2.5})
        with pytest.raises(ValueError, match=f"also needs {symbol.name}"):
            bound.certified(**{word: value for word, value in point.items() if word != symbol.name})
    broken = breaking_point(bound)
    if bound.assumptions != sp.true:
        assert broken is not None, f"no point breaks {bound.assumptions}: is it needed?"
        for method in (bound.certified, bound.evaluate):
            with pytest.raises(ValueError, match=re.escape(f"assumes {bound.assumptions}")):
                method(**broken)


def test_two_statements_of_one_name_are_refused():
    with pytest.raises(ValueError, match="'covering'"):
        statements._merged({"covering": STATEMENTS["covering"]}, {"covering": STATEMENTS["U2-width"]})
    same = {"U2-width": STATEMENTS["U2-width"]}
    assert statements._merged(same, same) == same
