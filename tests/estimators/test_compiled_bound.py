"""Compiled bounds against SymPy and mpmath: every function that has a form of its own, gradients, errors."""

import math

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.compiled_bound import FUNCTIONS, compile_bound, half_step
from theory import extrapolation, lookup, rademacher, softmax
from theory.bound import Bound, Relation
from theory.notation import dim, length, logit_bound, margin

X, N = sp.Symbol("x", positive=True), sp.Symbol("n", integer=True, positive=True)
K = sp.Symbol("k", integer=True)


def bound(expression):
    return Bound("q", Relation.AT_MOST, expression, "test")


@pytest.mark.parametrize(
    "expression",
    [
        sp.Min(X, 2, X**2),
        sp.Max(X, 2, X**2),
        sp.gamma(X + 1),
        sp.loggamma(X + 2),
        sp.gamma(X + sp.Rational(1, 2)) / sp.gamma(X),
        sp.gamma(X) ** 2 / sp.gamma(X + sp.Rational(1, 2)) ** 2,
        sp.factorial(N),
        sp.binomial(N + 3, 2),
        sp.erf(X),
        sp.erfc(X),
        sp.zeta(X + 2),
        sp.zeta(X + 2, 3),
        sp.LambertW(X),
        sp.ceiling(X),
        sp.floor(X),
        sp.Abs(X - 2),
        sp.sign(X - 2),
        sp.coth(X),
        sp.cot(X),
        sp.log(1 + X / 10**9),
        sp.Sum(1 / K**2, (K, 1, N)),
        sp.Sum(X**K / K, (K, 2, N + 1)),
        sp.Product(1 + X / K, (K, 1, N)),
        sp.Sum(1 / (K * X), (K, 3, 2)),
        sp.Piecewise((X**2, X < 1), (2 * X, X < 3), (sp.Integer(7), True)),
        sp.Sum(sp.Piecewise((sp.Min(K, X), K > 1), (X, True)), (K, 1, N)),
        sp.sqrt(2 * sp.log(N)) * sp.exp(-X),
    ],
    ids=str,
)
def test_every_function_agrees_with_sympy_under_jit(expression):
    found = compile_bound(bound(expression))
    symbols = expression.free_symbols
    for x, n in ((0.3, 1), (0.75, 2), (2.5, 4), (3.25, 9)):
        values = {s.name: v for s, v in ((X, x), (N, n)) if s in symbols}
        true = float(sp.N(expression.subs({X: sp.Rational(x), N: n}).doit(), 30))
        assert float(found(**values)) == pytest.approx(true, rel=1e-12, abs=1e-15)


def test_each_listed_function_is_tried():
    assert {kind.__name__ for kind in FUNCTIONS} == {
        *("Min", "Max", "gamma", "loggamma", "factorial", "binomial", "erf", "erfc", "zeta", "LambertW"),
        *("ceiling", "floor", "Abs", "sign", "coth", "cot"),
    }


@settings(max_examples=60, deadline=None)
@given(st.floats(1e-6, 1e12))
def test_half_step_in_40_digits(x):
    with mpmath.workdps(40):
        true = float(mpmath.exp(mpmath.loggamma(mpmath.mpf(x) + 0.5) - mpmath.loggamma(x)))
    assert float(half_step(x)) == pytest.approx(true, rel=4e-15)


def test_difference_of_two_loggammas_would_lose_digits():
    x = 1e8
    with mpmath.workdps(40):
        true = float(mpmath.exp(mpmath.loggamma(mpmath.mpf(x) + 0.5) - mpmath.loggamma(x)))
    lost = math.exp(math.lgamma(x + 0.5) - math.lgamma(x))
    assert abs(float(half_step(x)) / true - 1) < 4e-15 < abs(lost / true - 1)


REAL = {
    "largest": (softmax.largest_weight(), {"bias_weight": 0.25, "logit_bound": 1.5}),
    "orthonormal": (lookup.orthonormal_frobenius_norm(), {"margin": 2.0, "position_count": 9}),
    "width": (rademacher.width(), None),
    "covering": (rademacher.covering("l1"), None),
    "khintchine": (rademacher.khintchine(), None),
}


@pytest.mark.parametrize("name", REAL)
def test_bounds_of_the_theory(name):
    one, values = REAL[name]
    values = values or {symbol.name: 2 + k for k, symbol in enumerate(one.symbols)}
    assert float(compile_bound(one)(**values)) == pytest.approx(one.evaluate(**values), rel=1e-12)


@pytest.mark.parametrize("bounds", [extrapolation, softmax, lookup, rademacher], ids=lambda module: module.__name__)
def test_tables_of_the_theory_compile(bounds):
    tables = [table for name, table in vars(bounds).items() if name.endswith("BOUNDS") and isinstance(table, dict)]
    compared = 0
    for make in (make for table in tables for make in list(table.values())[:6]):
        one = make()
        values = {symbol.name: 0.25 if "weight" in symbol.name else 2 + k for k, symbol in enumerate(one.symbols)}
        try:
            true = one.evaluate(**values)
        except ValueError:
            continue  # these values are outside the assumptions of the statement
        assert float(compile_bound(one)(**values)) == pytest.approx(true, rel=1e-10), one
        compared += 1
    assert compared >= 4


def test_broadcast_gradient_and_vmap():
    found = compile_bound(bound(margin * sp.exp(-logit_bound) * sp.sqrt(length)))
    margins, lengths = np.array([1.0, 2.0]), np.array([[4.0], [9.0], [16.0]])
    table = found(margin=margins, logit_bound=0.5, length=lengths)
    np.testing.assert_allclose(table, math.exp(-0.5) * margins * np.sqrt(lengths), rtol=1e-14)
    assert table.dtype == jnp.float64
    slope = jax.grad(lambda b: found(margin=3.0, logit_bound=b, length=4.0))(0.5)
    assert float(slope) == pytest.approx(-6 * math.exp(-0.5), rel=1e-14)
    summed = compile_bound(bound(sp.Sum(X / K, (K, 1, N))))
    several = jax.vmap(lambda n: summed(x=2.0, n=n))(jnp.array([1.0, 2.0, 4.0]))
    np.testing.assert_allclose(several, [2.0, 3.0, 2 * (25 / 12)], rtol=1e-14)
    assert float(jax.jacfwd(lambda x: summed(x=x, n=4.0))(2.0)) == pytest.approx(25 / 12)


def test_a_constant_and_its_words():
    assert float(compile_bound(bound(sp.Rational(1, 3)))()) == 1 / 3
    with pytest.raises(ValueError, match="it depends on nothing"):
        compile_bound(bound(sp.Rational(1, 3)))(x=1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "also needs dim, margin: pass them as keywords"),
        ({"dim": 3}, "also needs margin"),
        ({"dim": 3, "margin": 1.0, "margine": 1.0}, "did you mean 'margin'"),
        ({"dim": 3, "margin": 1.0, "zzz": 1.0}, "it depends on dim, margin"),
    ],
)
def test_missing_and_unknown_words(values, message):
    with pytest.raises(ValueError, match=message):
        compile_bound(bound(dim * margin))(**values)


def test_an_integral_has_no_compiled_form():
    with pytest.raises(ValueError, match=r"use Bound\.evaluate"):
        compile_bound(bound(sp.Integral(sp.exp(-K * X), (K, 0, X))))
