"""theory/monotone.py: every direction that is claimed holds at random points; what is undecided is said so."""

from fractions import Fraction

import pytest
import sympy as sp

from theory import notation as word
from theory.monotone import direction
from theory.points import admissible_points
from theory.statements import STATEMENTS

n, d, r, b = word.sample_size, word.dim, word.value_energy, word.logit_norm
real = sp.Symbol("real", real=True)


@pytest.mark.parametrize(
    ("expression", "symbol", "found"),
    [
        (b / n, n, -1),
        (b / n, b, 1),
        (b / n, d, 0),
        (-sp.sqrt(b), b, -1),
        (3 - b / n, n, 1),
        (b - n, b, 1),
        (sp.exp(-b) * r, b, -1),
        (sp.log(1 + r / b), b, -1),
        ((1 + b) ** sp.Rational(-2, 3), b, -1),
        (real**3, real, 1),
        (real**2, real, None),
        (b * real, b, None),
        (b - b**2, b, None),
        (sp.Min(b, 1 / r), r, -1),
        (sp.Max(b, r) - 1 / r, r, 1),
        (sp.cosh(b), b, 1),
        (sp.cosh(real), real, None),
        (sp.erfc(b), b, -1),
        (2 ** (-b), b, -1),
        (sp.gamma((d + 1) / 2) / sp.gamma(d / 2), d, 1),
        (sp.sqrt(sp.gamma((d + 1) / 2) / sp.gamma(d / 2)), d, 1),
        (sp.gamma(d / 2), d, None),
        (sp.sqrt(sp.log(2 * d * n)) * b, b, 1),
        (sp.ceiling(b * r) * sp.log(2 * d), r, 1),
        (sp.Piecewise((b * r, r > 0), (0, True)), r, 1),
        (sp.Piecewise((b * r, r > 0), (0, True)), b, 1),
        (sp.Piecewise((b * r, r < 3), (0, True)), r, None),
        (sp.Piecewise((-b * r, r > 0), (0, True)), b, None),
        (b / (1 + b), b, 1),
        (sp.tanh(b / 4), b, 1),
        (sp.Sum(b, (sp.Dummy("k"), 1, n)), b, None),
    ],
)
def test_known_directions(expression, symbol, found):
    assert direction(expression, symbol) == found


@pytest.mark.parametrize("name", STATEMENTS)
def test_directions_hold_at_random_points(name):
    """Each symbol is raised at two random points; a wrong sign of any rule would show here."""
    bound = STATEMENTS[name]()
    for point in admissible_points(bound, 2, seed=5):
        base = None
        for symbol in bound.symbols:
            move = direction(bound.expression, symbol)
            if move is None or symbol not in bound.expression.free_symbols:
                continue
            given = [(s, sp.Rational(point[s.name])) for s in bound.symbols]
            base = bound.expression.subs(given) if base is None else base
            step = 1 if symbol.is_integer else Fraction(1, 7)
            value = point[symbol.name] + (step if not symbol.is_nonpositive else -step)
            moved = bound.expression.subs([*((s, v) for s, v in given if s != symbol), (symbol, sp.Rational(value))])
            gain = sp.N(moved.doit() - base.doit(), 20) * (1 if value > point[symbol.name] else -1)
            assert move * gain >= -1e-15 * abs(sp.N(base, 20)), symbol


def test_upper_bounds_of_complexities_increase_in_their_statistics():
    """`estimators.bracket.evaluate` relies on it for intervals of statistics; covers are decided by hand."""
    for name in ("U1-trivial", "U2-width", "U3-contraction", "U4-mixed", "U5-taylor", "U8-hull", "U10-division-free"):
        bound = STATEMENTS[name]()
        for symbol in bound.symbols:
            assert direction(bound.expression, symbol) == (-1 if symbol == n else 1), (name, symbol)
