"""Smoothness constants of a formula in x on [-1, 1], derived: kinks, variations, derivatives, ellipses of analyticity.

A word is left out where nothing was shown; numbers are exact or rounded up (`theory.function_pieces`).
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from theory.function_pieces import Piece, pieces, rounded_up
from theory.function_ranges import Singular, cells, enclosure, iv, size, span
from theory.function_text import x

HIGHEST, HIGHEST_OF_SPLINES = 3, 4  # derivatives looked at
RADII: tuple[Any, ...] = (
    *(sp.Rational(17, 16), sp.Rational(9, 8), sp.Rational(5, 4), sp.Rational(3, 2)),
    *map(sp.Integer, (2, 3, 4, 6, 8, 12)),
)
BISECTIONS = 2  # between the last radius that was shown and the first that was not
ARCS, HALVINGS, RECTANGLES, SPLITS = 48, 5, 8, 5
LARGEST_MAXIMUM, NEAR = 1e9, 1.001  # arcs within this factor of a value on the ellipse are not halved


def derived(expression: Any) -> Mapping[str, Any]:
    """Constants under the words of `theory.function_classes`, as far as they were found."""
    parts = pieces(expression)
    if parts is None:
        return {}
    found: dict[str, Any] = {}
    levels = _levels(parts)
    variation = {level.order: level.variation for level in levels if level.continuous and level.variation is not None}
    derivative = {level.order: level.largest for level in levels if level.continuous and level.order}
    if derivative:
        found |= {"lipschitz": derivative[1], "hoelder": (sp.Integer(1), derivative[1]), "derivative": derivative}
        found["sobolev"] = (1, sp.sqrt(sp.Add(*(part.derivative(1).energy for part in parts))))
    if 0 in variation:
        found["variation"] = variation
        found["periodic_variation"] = _periodic(levels)
        found["even_variation"] = _even(levels)
    kinks: dict[Any, Any] = {}
    for level in levels:
        for place, step in level.jumps.items():
            kinks.setdefault(place, (place, level.order, step))
    if kinks:
        found["kinks"] = tuple(kinks[place] for place in sorted(kinks))
    broken = [step for _, order, step in kinks.values() if order == 0]
    if len(broken) == 1:
        found["jump"] = broken[0]
    if len(parts) == 1:
        found |= {word: value for word, value in (("ellipse", _ellipses(expression)),) if value} | _pole(expression)
    return found


@dataclass(frozen=True)
class _Level:
    """f^(order). continuous: whether f, .., f^(order-1) have no jumps. ends: its values at -1 and 1. variation: None
    where none was shown, which ends the list."""

    order: int
    continuous: bool
    largest: Any
    variation: Any
    jumps: Mapping[Any, Any]
    ends: tuple[Any, Any]

    @property
    def wrap(self) -> Any:
        return sp.simplify(sp.Abs(self.ends[1] - self.ends[0]))


def _levels(parts: tuple[Piece, ...]) -> list[_Level]:
    """Derivatives up to the first of which nothing was shown."""
    found: list[_Level] = []
    continuous = True
    polynomial = all(part.expression.is_polynomial(x) for part in parts)
    for order in range((HIGHEST_OF_SPLINES if polynomial else HIGHEST) + 1):
        pieces_of = [part.derivative(order) for part in parts]
        try:
            largest: Any = sp.Max(*(one.largest for one in pieces_of))
            steps = {b.low: sp.simplify(sp.Abs(b.at(b.low) - a.at(a.high))) for a, b in itertools.pairwise(pieces_of)}
            ends = pieces_of[0].at(sp.Integer(-1)), pieces_of[-1].at(sp.Integer(1))
        except (Singular, TypeError):
            break
        jumps = {place: step for place, step in steps.items() if step != 0}
        try:
            total: Any = sp.simplify(sp.Add(*(one.variation for one in pieces_of), *jumps.values()))
        except (Singular, TypeError):
            found.append(_Level(order, continuous, largest, None, jumps, ends))
            break
        found.append(_Level(order, continuous, largest, total, jumps, ends))
        continuous = continuous and not jumps
    return found


def _periodic(levels: list[_Level]) -> tuple[int, Any]:
    """(r, V_r) of f(theta/pi) with period 2 pi, for the largest r that was shown."""
    last = levels[0]
    for level in levels[1:]:
        if not level.continuous or last.wrap != 0 or level.variation is None:
            break
        last = level
    return last.order, sp.simplify((last.variation + last.wrap) / sp.pi**last.order)


def _even(levels: list[_Level]) -> tuple[int, Any]:
    """(r, V_r) of f(2 phi/pi - 1), 0 <= phi <= pi, continued evenly: r <= 1 is looked at."""
    if len(levels) < 2 or not levels[1].continuous or levels[1].variation is None:
        return 0, 2 * levels[0].variation
    first, last = levels[1].ends
    return 1, sp.simplify(4 / sp.pi * (levels[1].variation + sp.Abs(first) + sp.Abs(last)))


def _pole(expression: Any) -> dict[str, Any]:
    """a and |c| if the formula is c/(a - x) or c/(a + x), a > 1."""
    top, bottom = (sp.sympify(part) for part in sp.fraction(sp.together(expression)))
    if x in top.free_symbols or not bottom.is_polynomial(x) or sp.Poly(bottom, x).degree() != 1:
        return {}
    slope = bottom.coeff(x, 1)
    place = sp.Abs((bottom - slope * x) / slope).expand()
    return {"pole": place, "residue": sp.Abs(top / slope)} if place > 1 else {}


def _ellipses(expression: Any) -> tuple[tuple[Any, Any], ...]:
    """((rho, M), ..) for radii up to the first at which the formula was not shown to be analytic, and some between."""
    found: list[tuple[Any, Any]] = []
    below: Any = sp.Integer(1)
    for radius in RADII:
        above, largest = radius, largest_on_ellipse(expression, radius)
        if largest is not None:
            found.append((radius, largest))
            below = radius
            continue
        for _ in range(BISECTIONS):
            middle = (below + above) / 2
            largest = largest_on_ellipse(expression, middle)
            if largest is None:
                above = middle
            else:
                found.append((middle, largest))
                below = middle
        break
    return tuple(found)


def largest_on_ellipse(expression: Any, radius: Any) -> Any | None:
    """Upper bound on |f| inside the ellipse of foci -1, 1 and semi-axes of sum `radius`; None where it was not shown to
    be analytic there. Rectangles that cover it show the first, arcs of the edge the second (maximum principle)."""
    major, minor = (radius + 1 / radius) / 2, (radius - 1 / radius) / 2
    try:
        for low, high in cells(-major, major, RECTANGLES):
            for bottom, top in cells(sp.Integer(0), minor, RECTANGLES // 2):
                _analytic(expression, (low, high, bottom, top), (major, minor), SPLITS)
        arcs, largest = list(cells(sp.Integer(0), sp.Integer(1), ARCS)), 0.0
        for halving in range(HALVINGS + 1):
            tops = [size(enclosure(expression, _arc(low, high, major, minor))) for low, high in arcs]
            reached = max(size(enclosure(expression, _arc(low, low, major, minor))) for low, _ in arcs)
            open_ = {arc for arc, top in zip(arcs, tops, strict=True) if top > reached * NEAR and halving < HALVINGS}
            largest = max([largest, *(top for arc, top in zip(arcs, tops, strict=True) if arc not in open_)])
            arcs = [half for a, b in sorted(open_) for half in ((a, (a + b) / 2), ((a + b) / 2, b))]
            if not arcs:
                break
    except (Singular, ZeroDivisionError, ValueError):
        return None
    return rounded_up(largest) if largest < LARGEST_MAXIMUM else None


def _arc(low: Any, high: Any, major: Any, minor: Any) -> Any:
    """A rectangle around the points of the ellipse at angles pi low .. pi high."""
    angle = span(low, high) * iv.pi
    return iv.mpc(iv.cos(angle) * span(major, major), iv.sin(angle) * span(minor, minor))


def _analytic(expression: sp.Expr, box: tuple[Any, Any, Any, Any], axes: tuple[Any, Any], halvings: int) -> None:
    """`Singular` unless the formula is shown to be analytic on the part of the box inside the ellipse."""
    low, high, bottom, top = box
    nearest = min(abs(low), abs(high)) if low * high > 0 else 0
    if (nearest / axes[0]) ** 2 + (bottom / axes[1]) ** 2 > 1:
        return
    try:
        if math.isfinite(size(enclosure(expression, iv.mpc(span(low, high), span(bottom, top))))):
            return
    except (Singular, ZeroDivisionError, ValueError):
        pass
    if halvings == 0:
        raise Singular("a singularity in the ellipse")
    across, up = (low + high) / 2, (bottom + top) / 2
    for a, b in ((low, across), (across, high)):
        for c, d in ((bottom, up), (up, top)):
            _analytic(expression, (a, b, c, d), axes, halvings - 1)
