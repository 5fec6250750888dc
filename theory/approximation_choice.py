"""Which statements of `theory.approximation` apply to a target, decided from its smoothness (`FunctionClass`).

Families of spaces, by the span of the first n channels with the constant counted: polynomial (Legendre, Chebyshev,
discrete Legendre), cosine (DCT-II), trigonometric (1, cos, sin of period 2), cells (Haar), other.

Norms: sup; l2; sobolev, the worst Euclidean error over {f in R^N: |Delta f|_2 <= 1}, whatever the target. Without
`positions` sup and l2 are over [-1, 1], where the target is taken. With `positions` = N they are over N equidistant
points there (ends included, or midpoints of equal cells), l2 Euclidean without 1/N.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import sympy as sp

from theory import approximation, approximation_fourier, approximation_polynomial, approximation_wavelet
from theory.bound import Bound, Relation
from theory.composition import substitute
from theory.function_classes import FunctionClass
from theory.notation import channels
from theory.points import holds

FAMILIES: Mapping[str, str] = {  # encoding -> family
    **dict.fromkeys(("legendre", "chebyshev"), "polynomial"),
    "cosine": "cosine",
    "haar": "cells",
}
SPACES = ("polynomial", "cosine", "trigonometric", "cells", "other")
NORMS = ("sup", "l2", "sobolev")
LENGTH = sp.Integer(2)  # of [-1, 1]
POWER_OF_TWO: Any = sp.Eq(sp.Mod(sp.Integer(2) ** 40, channels), 0)
Found = Iterator[tuple[str, Bound]]


def applicable(function: FunctionClass, norm: str, family: str, positions: int | None = None) -> dict[str, Bound]:
    """Statements about the best approximation of `function` in n channels: name -> bound with `channels` free only.

    Upper bounds, lower ones and equalities (`Bound.relation`) with their assumptions on n (`theory.points.holds`). A
    name ends in the order or radius that was used. For a class of functions (no formula) they are about its worst
    member. ValueError for an unknown norm or family, and for the sobolev norm without positions.
    """
    if norm not in NORMS or family not in SPACES:
        raise ValueError(
            f"norm {norm!r}, family {family!r}: norms are {', '.join(NORMS)}, families {', '.join(SPACES)}"
        )
    if norm == "sobolev":
        if positions is None:
            raise ValueError("the sobolev norm is over positions: pass positions=N")
        return {name: bound.subs(position_count=positions) for name, bound in _worst(family)}
    found = dict(_lower(function, norm, family)) if positions is None else {}
    over = "l2" if norm == "l2" and positions is None else "sup"
    for name, bound in _upper(function, over, family):
        if positions is not None:
            bound = _weakened(bound, Relation.AT_MOST)
            factor = sp.sqrt(positions) if norm == "l2" else sp.Integer(1)
            bound = dataclasses.replace(bound, expression=factor * bound.expression)
        found[name] = bound
    if norm == "l2" and positions is not None:
        found |= dict(_differences(function, family, positions))
    return found


def tightest(bounds: Mapping[str, Bound], channels: int) -> dict[str, tuple[str, float]]:
    """{"lower": (name, value), "upper": (name, value)} at n channels, of the bounds whose assumptions hold; a side
    without any is left out. Values are certified from the side that claims least."""
    best: dict[str, tuple[str, float]] = {}
    for name, bound in bounds.items():
        point: Any = {"channels": channels} if bound.symbols else {}
        if bound.assumptions != sp.true and not holds(bound, point):
            continue
        low, high = bound.certified(**point)
        if bound.relation is not Relation.AT_MOST and ("lower" not in best or low > best["lower"][1]):
            best["lower"] = name, low
        if bound.relation is not Relation.AT_LEAST and ("upper" not in best or high < best["upper"][1]):
            best["upper"] = name, high
    return best


def _weakened(bound: Bound, relation: Relation) -> Bound:
    """An equality as the inequality that is needed."""
    return dataclasses.replace(bound, relation=relation)


def _worst(family: str) -> Found:
    yield "approximation-worst-difference-error", approximation.worst_difference_error()
    if family == "cosine":
        yield "approximation-cosine-worst-error", approximation.cosine_worst_error()
    if family == "cells":
        equal = approximation.haar_worst_error()
        yield "approximation-haar-worst-error", dataclasses.replace(equal, assumptions=equal.assumptions & POWER_OF_TWO)


def _at(statement: Bound, degree: Any, **words: Any) -> Bound:
    """The statement at numbers, its degree in terms of n; in this order, as a zero number takes the degree away."""
    return substitute(statement, {"degree": degree}).subs(**words)


def _lower(function: FunctionClass, norm: str, family: str) -> Found:
    """What no space, or none of the family, can beat on the interval."""
    known = function.smoothness
    if function.expression is None and norm == "sup" and "hoelder" in known:
        words = _hoelder(known) | {"interval_length": LENGTH}
        yield "approximation-hoelder-width", _weakened(approximation.hoelder_width().subs(**words), Relation.AT_LEAST)
    if function.expression is None and norm == "l2" and known.get("sobolev", (0, 0))[0] == 1:
        bound = approximation.sobolev_width().subs(interval_length=LENGTH)
        bound = dataclasses.replace(bound, expression=known["sobolev"][1] * bound.expression)
        yield "approximation-sobolev-width", _weakened(bound, Relation.AT_LEAST)
    if norm == "sup" and "jump" in known and family in ("polynomial", "cosine", "trigonometric"):
        yield "approximation-jump-obstruction", approximation.jump_obstruction().subs(jump_size=known["jump"])


def _hoelder(known: Mapping[str, Any], stretched: Any = 1) -> dict[str, Any]:
    """alpha and L of f(c u), c = `stretched`."""
    exponent, constant = known["hoelder"]
    return {"hoelder_exponent": exponent, "hoelder_constant": constant * stretched**exponent}


def _upper(function: FunctionClass, norm: str, family: str) -> Found:
    known = function.smoothness
    if family == "polynomial":
        yield from _polynomial(known, norm)
    if family == "cosine":
        yield from _series("even_variation", known, norm, channels - 1)
        if norm == "sup" and "hoelder" in known:  # of f(2 phi/pi - 1)
            bound = _at(approximation_fourier.hoelder_jackson(), channels - 1, **_hoelder(known, 2 / sp.pi))
            yield "fourier-hoelder", bound
        if norm == "l2" and known.get("sobolev", (0, 0))[0] == 1:
            words = {"derivative_norm": known["sobolev"][1], "interval_length": LENGTH}
            yield "cells-sobolev", approximation_wavelet.sobolev_projection().subs(**words)
    if family == "trigonometric":
        degree = sp.floor((channels - 1) / 2)
        yield from _series("periodic_variation", known, norm, degree)
        if norm == "sup" and "strip" in known:
            words = dict(zip(("strip_width", "function_bound"), known["strip"], strict=True))
            yield "fourier-strip", _at(approximation_fourier.fourier_strip(), degree, **words)
    if family == "cells":
        yield from _cells(known, norm)


def _polynomial(known: Mapping[str, Any], norm: str) -> Found:
    degree, sup = channels - 1, norm == "sup"
    of_variation = approximation_polynomial.chebyshev_product if sup else approximation_polynomial.legendre_variation
    for order, size in known.get("variation", {}).items():
        if order or not sup:
            name = "chebyshev-product" if sup else "legendre-variation"
            yield f"{name} nu={order}", _at(of_variation(), degree, variation_order=order, variation=size)
    analytic = approximation_polynomial.chebyshev_analytic if sup else approximation_polynomial.legendre_analytic
    for radius, size in known.get("ellipse", ()):
        if size > 0:
            name = f"{'chebyshev' if sup else 'legendre'}-analytic rho={radius}"
            yield name, _at(analytic(), degree, ellipse_radius=radius, function_bound=size)
    if not sup:
        return
    for order, size in known.get("derivative", {}).items():
        words = {"smoothness_order": order, "derivative_maximum": size}
        yield f"polynomial-jackson r={order}", _at(approximation_polynomial.algebraic_jackson(), degree, **words)
    if "hoelder" in known and known["hoelder"][0] != 1:
        yield "polynomial-hoelder", _at(approximation_polynomial.hoelder_jackson(), degree, **_hoelder(known))
    if "pole" in known:
        words = {"pole": known["pole"], "residue": known["residue"]}
        yield "polynomial-pole-error", _at(approximation_polynomial.pole_error(), degree, **words)


def _series(word: str, known: Mapping[str, Any], norm: str, degree: Any) -> Found:
    """Fourier series of the periodic or of the even continuation; L2(-1, 1) is L2 of the circle over sqrt(pi)."""
    if word not in known:
        return
    order, size = known[word]
    words = {"variation_order": order, "variation": size}
    if norm == "l2":
        bound = _at(approximation_fourier.fourier_variation_mean(), degree, **words)
        bound = dataclasses.replace(bound, expression=bound.expression / sp.sqrt(sp.pi))
        yield f"fourier-variation-mean r={order}", bound
    elif order:
        yield f"fourier-variation r={order}", _at(approximation_fourier.fourier_variation(), degree, **words)


def _cells(known: Mapping[str, Any], norm: str) -> Found:
    """The first n Haar functions span 2^floor(log2 n) > n/2 equal cells."""
    found: list[tuple[str, Bound]] = []
    cell = {"interval_length": LENGTH}
    if norm == "sup" and "hoelder" in known:
        found.append(("cells-hoelder-best", approximation_wavelet.hoelder_best().subs(**_hoelder(known), **cell)))
    if norm == "l2" and known.get("sobolev", (0, 0))[0] == 1:
        bound = approximation_wavelet.sobolev_projection().subs(derivative_norm=known["sobolev"][1], **cell)
        found.append(("cells-sobolev", bound))
    if norm == "l2" and 0 in known.get("variation", {}):
        bound = approximation_wavelet.variation_projection().subs(variation=known["variation"][0], **cell)
        found.append(("cells-variation", bound))
    for name, bound in found:
        fewer = bound.expression.subs(channels, (channels + 1) / 2)
        yield name, dataclasses.replace(bound, assumptions=bound.assumptions & POWER_OF_TWO)
        yield f"{name} any n", dataclasses.replace(bound, expression=fewer)


def _differences(function: FunctionClass, family: str, positions: int) -> Found:
    """|Delta f|_2 <= 2 L/sqrt(N-1), from steps of at most 2/(N-1)."""
    if family not in ("cosine", "cells") or "lipschitz" not in function.smoothness or positions < 2:
        return
    size = 2 * function.smoothness["lipschitz"] / sp.sqrt(positions - 1)
    bound = approximation.difference_error().subs(difference_norm=size, position_count=positions)
    whole: Any = POWER_OF_TWO & sp.Eq(sp.Mod(sp.Integer(positions), channels), 0) if family == "cells" else sp.true
    yield "approximation-difference-error", dataclasses.replace(bound, assumptions=bound.assumptions & whole)
