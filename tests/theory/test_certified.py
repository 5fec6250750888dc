import math
from fractions import Fraction

import hypothesis.strategies as st
import pytest
import sympy as sp
from hypothesis import given, settings

from theory import certified, interval_arithmetic
from theory.certified import enclose, exact_number

x = sp.Symbol("x", positive=True)
y = sp.Symbol("y", nonnegative=True)
k = sp.Symbol("k", integer=True)
ARITHMETICS = ["arb", "mpmath"]
FIFTY = 50


def contains(interval, truth):
    """Exact comparison, up to the last of the 50 digits of `truth`."""
    lower, upper = (sp.Rational(end) if math.isfinite(end) else end for end in interval)
    slack = abs(sp.Rational(truth)) * sp.Rational(1, 10 ** (FIFTY - 5))
    return bool(lower <= sp.Rational(truth) + slack) and bool(upper >= sp.Rational(truth) - slack)


def grow(parts):
    pair = st.tuples(parts, parts)
    return st.one_of(
        pair.map(lambda p: p[0] + p[1]),
        pair.map(lambda p: p[0] - p[1]),
        pair.map(lambda p: p[0] * p[1]),
        pair.map(lambda p: p[0] / (1 + p[1] ** 2)),
        pair.map(lambda p: sp.Min(*p)),
        pair.map(lambda p: sp.Max(*p)),
        pair.map(lambda p: sp.Piecewise((p[0], p[0] < p[1]), (p[1] + 1, True))),
        parts.map(lambda p: sp.sqrt(sp.Abs(p))),
        parts.map(lambda p: (1 + p**2) ** sp.Rational(-2, 3)),
        parts.map(lambda p: (1 + p**2) ** sp.sqrt(2)),
        parts.map(lambda p: sp.log(1 + sp.Abs(p))),
        parts.map(lambda p: sp.exp(sp.Min(p, 3))),
        parts.map(sp.cos),
        parts.map(sp.tanh),
        parts.map(lambda p: sp.gamma(sp.Rational(1, 2) + sp.Min(sp.Abs(p), 9))),
        parts.map(lambda p: sp.loggamma(1 + sp.Min(sp.Abs(p), 9))),
        parts.map(lambda p: sp.Sum(1 / (k + sp.Abs(p)), (k, 1, 4))),
    )


LEAVES = st.one_of(st.just(x), st.just(y), st.just(sp.pi), st.fractions(-3, 3, max_denominator=50).map(sp.Rational))
EXPRESSIONS = st.recursive(LEAVES, grow, max_leaves=4)
POINTS = st.tuples(st.floats(0.01, 5), st.one_of(st.just(0.0), st.floats(1e-6, 5)))


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@settings(max_examples=120, deadline=None, derandomize=True)
@given(expression=EXPRESSIONS, point=POINTS)
def test_random_expressions_are_enclosed(arithmetic, expression, point):
    values = {x: point[0], y: point[1]}
    exact = {symbol: sp.Rational(value) for symbol, value in values.items()}
    # Not Sum.doit: it expands (1 + 1/p)^q as polynomials of as many terms as q, tens of gigabytes for some q.
    explicit = expression.replace(sp.Sum, lambda term, limits: sp.Add(*(term.subs(k, i) for i in range(1, 5))))
    truth = sp.N(explicit.subs(exact), FIFTY)
    interval = enclose(expression, values, arithmetic=arithmetic)
    assert interval[0] <= interval[1]
    assert contains(interval, truth)
    if abs(truth) > 1e-30:
        assert interval[1] - interval[0] <= 1e-12 * abs(truth)


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_one_third_lies_inside_and_its_float_does_not_do(arithmetic):
    lower, upper = enclose(x / 3, {x: 1}, arithmetic=arithmetic)
    assert Fraction(lower) < Fraction(1, 3) < Fraction(upper)
    assert upper == math.nextafter(lower, 1)
    rounded = sp.Rational(1 / 3)  # what a printer of floats passes on
    lower, upper = enclose(x * rounded, {x: 1}, arithmetic=arithmetic)
    assert not Fraction(lower) <= Fraction(1, 3) <= Fraction(upper)


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize(
    ("expression", "value", "truth"),
    [
        (sp.sqrt(x), 4, 2),
        ((sp.pi * y) ** sp.Rational(2, 3), {y: 0}, 0),
        (y**x, {x: 2.5, y: 0}, 0),
        (x ** (-3), 2, sp.Rational(1, 8)),
        (sp.Sum(sp.Sum(k * y, (k, 1, x)), (y, 1, 3)), 4, 60),
        (sp.Product(k, (k, 1, x)), 5, 120),
        (sp.Sum(k, (k, 1, 0)), 1, 0),
        (sp.factorial(x), 5, 120),
        (sp.binomial(x, sp.floor(x / 2)), 13, 1716),
        (sp.Piecewise((1, x < sp.Rational(1, 3)), (2, True)), sp.Rational(1, 3), 2),
        (sp.Piecewise((1, (x > 1) & ~(x > 3)), (2, True)), 2, 1),
        (sp.Piecewise((1, sp.Eq(x, 2) | (x > 5)), (2, True)), 2, 1),
        (sp.Piecewise((1, sp.ITE(x > 1, x < 3, x > 5)), (2, True)), 2, 1),
        (sp.Max(x, sp.exp(x), sp.pi), 1, sp.pi),
        (sp.cosh(x) ** 2 - sp.sinh(x) ** 2, 3, 1),
        (sp.tan(x), 1, sp.tan(1)),
        (sp.exp(sp.EulerGamma * 0 + x) - sp.E, 2, sp.exp(2) - sp.E),
        (sp.sqrt(x) / 10**400, 2, 0),
    ],
)
def test_known_values(arithmetic, expression, value, truth):
    values = value if isinstance(value, dict) else {x: value}
    interval = enclose(expression, values, arithmetic=arithmetic)
    assert interval[1] - interval[0] <= 1e-12 * max(1, abs(truth))
    if expression.has(10**400):
        assert interval == (0.0, math.ulp(0.0))
    else:
        assert contains(interval, sp.N(truth, FIFTY))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (sp.erf(x), 0.3),
        (sp.erfc(x), 6.5),
        (sp.zeta(2, x), 0.3),
        (sp.legendre(k, x), 0.3),
        (sp.LambertW(x), 2.0),
        (sp.atan(x), 9.0),
        (sp.coth(x), 0.2),
        (sp.EulerGamma * x, 1.5),
    ],
)
def test_special_functions_of_arb(expression, value):
    interval = enclose(expression, {x: value, k: 7})
    assert contains(interval, sp.N(expression.subs({x: sp.Rational(value), k: 7}), FIFTY))


def test_precision_is_raised_against_cancellation():
    tiny = sp.Rational(1, 10**40)
    lower, upper = enclose(sp.log(1 + x) - sp.log(1), {x: tiny})
    assert 0.999999e-40 < lower <= upper < 1.000001e-40
    cancelled = sp.sqrt(1 + x) - 1
    assert enclose(cancelled, {x: tiny})[1] < 0.51e-40
    zero = sp.sin(x) ** 2 + sp.cos(x) ** 2 - 1
    lower, upper = enclose(zero, {x: 1})
    assert lower <= 0 <= upper < 1e-300


def test_ends_beyond_the_floats():
    largest = float.fromhex("0x1.fffffffffffffp+1023")
    assert enclose(sp.exp(x), {x: 10**6}) == (largest, math.inf)
    assert enclose(-sp.exp(x), {x: 10**6}) == (-math.inf, -largest)
    assert enclose(-sp.exp(-x), {x: 10**6}) == (-math.ulp(0.0), 0.0)


def test_without_python_flint_mpmath_serves(monkeypatch):
    monkeypatch.setattr(interval_arithmetic, "flint", None)
    assert contains(enclose(sp.exp(x), {x: 1}), sp.N(sp.E, FIFTY))
    with pytest.raises(ValueError, match="certify"):
        enclose(sp.erf(x), {x: 1})
    with pytest.raises(ValueError, match="certify"):
        enclose(x, {x: 1}, arithmetic="arb")


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize(
    ("expression", "values", "advice"),
    [
        (sp.Float(0.1) * x, {x: 1}, "sp.Rational"),
        (x + y, {x: 1}, "symbol y has no value"),
        (sp.Function("f")(x), {x: 1}, "f has no certified evaluation"),
        (sp.Sum(1 / k**2, (k, 1, sp.oo)), {}, "needs whole ends"),
        (sp.Sum(k, (k, 1, x)), {x: 2.5}, "needs whole ends"),
        (1 / (sp.sin(x) ** 2 + sp.cos(x) ** 2 - 1), {x: 1}, "do not decide"),
        (sp.sqrt(x - sp.pi), {x: 3}, "do not decide"),
        (sp.log(x - 4), {x: 3}, "do not decide"),
        (sp.Piecewise((1, sp.sin(x) ** 2 + sp.cos(x) ** 2 < 1), (2, True)), {x: 1}, "do not decide whether"),
        (x, {x: math.nan}, "finite"),
        (x, {x: "1"}, "real number"),
        (x, {x: True}, "real number"),
        (x, {x: [1, 2]}, "one real number"),
    ],
)
def test_what_cannot_be_enclosed_is_refused(arithmetic, expression, values, advice):
    with pytest.raises(ValueError, match=advice):
        enclose(expression, values, arithmetic=arithmetic)


def test_unknown_arithmetic_and_names():
    with pytest.raises(ValueError, match="mpmath"):
        enclose(x, {x: 1}, arithmetic="floats")
    assert enclose(x, {"x": Fraction(1, 4)}) == (0.25, 0.25)
    assert exact_number("x", 0.1) == sp.Rational(3602879701896397, 36028797018963968)
    assert exact_number("x", sp.sqrt(2)) == sp.sqrt(2)
    assert certified.exact_number("x", sp.Float(0.5)) == sp.Rational(1, 2)


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_wide_intervals_keep_both_ends(arithmetic):
    """In `enclose` intervals are too narrow for floats to show an end that is taken from the wrong side."""
    use = interval_arithmetic.ARITHMETICS[arithmetic]()

    def ends(interval):
        return [mantissa * 2.0**exponent for mantissa, exponent in map(use.dyadic, use.ends(interval))]

    low, high = use.interval(1, 2), use.interval(0, 3)
    assert ends(use.extreme([low, high], min)) == pytest.approx([0, 2], abs=1e-8)
    assert ends(use.extreme([low, high], max)) == pytest.approx([1, 3], abs=1e-8)
    half = use.interval(1, 1) / 2
    assert ends(use.power(use.interval(0, 4), half, True)) == pytest.approx([0, 2], abs=1e-8)
    assert use.signs(use.interval(-1, 1)) == (-1, 1)
    with pytest.raises(interval_arithmetic.Undecided):
        use.power(use.interval(-1, 4), half, False)
    with pytest.raises(interval_arithmetic.Undecided):
        use.power(high, -half, True)
