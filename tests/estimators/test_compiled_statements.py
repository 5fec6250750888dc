"""Every registered statement under jax.jit against mpmath at 40 digits."""

import math

import jax
import mpmath
import pytest
import sympy as sp

from estimators.compiled_bound import compile_bound
from theory.points import admissible_points
from theory.statements import STATEMENTS

WHOLE = sp.Function("whole")


def _with_whole_ends(body, *limits):
    """Python's range takes no mpf, which dim/2 - 1 is."""
    return sp.Sum(body, *((index, WHOLE(first), WHOLE(last)) for index, first, last in limits))


TINY = mpmath.mpf(10) ** -20


@pytest.mark.parametrize("name", STATEMENTS)
def test_compiled_statement_agrees_with_40_digits(name):
    bound = STATEMENTS[name]()
    compiled = compile_bound(bound)
    under_jit = jax.jit(lambda words: compiled(**words))
    expression = bound.expression.replace(sp.Sum, _with_whole_ends)
    exact = sp.lambdify(bound.symbols, expression, modules=[{"whole": int}, "mpmath"])
    for point in admissible_points(bound, 2, 5):
        with mpmath.workdps(40):
            at = {s: int(point[s.name]) if s.is_integer else mpmath.mpf(float(point[s.name])) for s in bound.symbols}
            true = mpmath.mpf(exact(*at.values()))
            # How far rounding of a word moves the value: no form in float64 does better.
            moved = [at | {s: x * (1 + TINY)} for s, x in at.items() if not s.is_integer]
            moves = mpmath.fsum(abs(exact(*one.values()) - true) for one in moved) / TINY
            allowed = float(mpmath.mpf("1e-12") * abs(true) + mpmath.mpf("4e-16") * moves)
            found = float(under_jit({word: float(value) for word, value in point.items()}))
            assert math.isfinite(found)
            assert abs(found - true) <= max(allowed, 1e-300), (point, found, true)
