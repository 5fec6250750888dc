"""Targets of approximation on [-1, 1]: functions, and classes whose worst member counts, each with its smoothness.

What a bound may use is in `smoothness`, exact constants under these words (a missing word: not known to hold):

* lipschitz: L, |f(s) - f(t)| <= L |s - t|.
* hoelder: (alpha, L), |f(s) - f(t)| <= L |s - t|^alpha.
* variation: {nu: V}: f, .., f^(nu-1) absolutely continuous, f^(nu) of total variation at most V on [-1, 1].
* derivative: {r: S}: f^(r-1) absolutely continuous, |f^(r)| <= S almost everywhere.
* sobolev: (r, S): f^(r-1) absolutely continuous, f^(r) of norm at most S in L2(-1, 1).
* ellipse: ((rho, M), ..): analytic with |f| <= M inside the ellipse with foci -1, 1 and semi-axes of sum rho.
* pole: a > 1 if f = c/(a - x) or c/(a + x), and its `residue` |c|.
* jump: the size J of the only jump of f. kinks: ((place, order, size), ..), the jumps of f^(order).
* periodic_variation: (r, V_r) and strip: (a, M): of g(theta) = f(theta/pi), continued with period 2 pi; g^(r) has
  variation at most V_r over one period, wrap-around included; |g| <= M and analytic for |Im theta| < a.
* even_variation: (r, V_r): of f(2 phi/pi - 1), 0 <= phi <= pi, continued evenly with period 2 pi.

What SymPy can derive from the formula is derived (`theory.function_smoothness`); the rest is stated in FUNCTIONS.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy as sp

from theory.function_ranges import require_finite
from theory.function_smoothness import derived
from theory.function_text import parsed, x

HORIZON = 32  # distances 0 .. 32 of the memory kernels, D = 16 (1 + x)
DISTANCE = sp.Rational(HORIZON, 2) * (1 + x)
ONE, HALF = sp.Integer(1), sp.Rational(1, 2)


@dataclass(frozen=True)
class FunctionClass:
    """One target. expression: formula in `x` on [-1, 1], or None for a class of functions (its worst member counts)
    and for a path that needs a seed. stated: smoothness that is not derived from the formula."""

    name: str
    expression: sp.Expr | None
    stated: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def smoothness(self) -> Mapping[str, Any]:
        """Derived and stated constants; the words are in the docstring of the module."""
        found = {} if self.expression is None else derived(self.expression)
        return {**found, **self.stated}

    @property
    def random(self) -> bool:
        """Whether values need a seed."""
        return self.expression is None and not self.stated


_ALL = (
    FunctionClass("abs", sp.Abs(x)),
    FunctionClass("runge", 1 / (1 + 25 * x**2)),
    FunctionClass("analytic", 1 / (sp.Rational(5, 4) - x)),
    FunctionClass("entire", sp.exp(x)),
    FunctionClass("chirp", sp.sin(20 * x**2)),
    *(FunctionClass(f"spline-{k}", sp.Max(x, 0) ** (k + 1)) for k in (1, 2, 3)),
    FunctionClass("step", sp.sign(x)),
    FunctionClass("hoelder-half", sp.sqrt(sp.Abs(x)), {"hoelder": (HALF, ONE), "variation": {0: 2 * ONE}}),
    FunctionClass("sawtooth", x),
    FunctionClass(
        "periodic", 3 / (5 - 4 * sp.cos(sp.pi * x)), {"strip": (sp.log(sp.Rational(3, 2)), sp.Rational(9, 2))}
    ),
    FunctionClass("log", sp.log(sp.Rational(9, 8) + x)),
    FunctionClass("memory-reciprocal", 1 / (1 + DISTANCE)),
    FunctionClass("memory-exponential", sp.exp(-DISTANCE)),
    FunctionClass("memory-log", -sp.log(1 + DISTANCE)),
    FunctionClass("lipschitz", None, {"lipschitz": ONE, "hoelder": (ONE, ONE), "derivative": {1: ONE}}),
    FunctionClass("hoelder", None, {"hoelder": (HALF, ONE)}),
    FunctionClass("sobolev", None, {"sobolev": (1, ONE)}),
    FunctionClass(
        "bounded-variation",
        None,
        {"variation": {0: ONE}, "periodic_variation": (0, 2 * ONE), "even_variation": (0, 2 * ONE)},
    ),
    FunctionClass("brownian", None),
)
FUNCTIONS: dict[str, FunctionClass] = {one.name: one for one in _ALL}


def function(text: str) -> FunctionClass:
    """The target of this name, or the one that a formula in x says, such as exp(-x**2)*sin(5*x) (`parsed`).

    ValueError in one line: does not parse, other symbols, not finite or not real somewhere on [-1, 1].
    """
    if text in FUNCTIONS:
        return FUNCTIONS[text]
    near = difflib.get_close_matches(text, FUNCTIONS, n=1)
    try:
        expression = parsed(text)
        require_finite(expression, text)
    except ValueError as error:
        if near:
            raise ValueError(f"{error} (or did you mean {near[0]!r}?)") from error
        raise
    return FunctionClass(text, expression)
