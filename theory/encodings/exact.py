"""Parameters of encodings as exact numbers: construction, conversion and what a field accepts."""

import operator
import types
from dataclasses import fields
from functools import cache
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import sympy as sp

Real = Any
"""An mpmath number; mpmath has no types."""
Table = tuple[tuple[sp.Rational, ...], ...]


def rational(numerator: Any, denominator: Any = 1) -> sp.Rational:
    """The finite exact number numerator/denominator; ValueError for division by zero or infinity."""
    number = sp.Rational(numerator, denominator)
    if not (isinstance(number, sp.Rational) and number.is_finite):
        raise ValueError(f"{numerator}/{denominator} is not a finite rational number")
    return cast(sp.Rational, number)


@cache
def field_types(kind: type) -> dict[str, Any]:
    """Resolved type of every dataclass field of `kind`."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def accepted(hint: Any) -> str:
    """What a field of type `hint` accepts, in words."""
    if get_origin(hint) is Literal:
        return "|".join(get_args(hint))
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(accepted(part) for part in get_args(hint))
    words = {int: "an integer", bool: "true or false", sp.Rational: "a number such as 2, 0.5 or 1/3"}
    return words.get(hint, "none" if hint is type(None) else str(hint))


def convert(value: Any, hint: Any) -> Any:
    """`value` as the field type `hint`: numbers become exact (0.1 is 1/10). TypeError or ValueError if it
    does not fit."""
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ValueError(value)
        return value
    if get_origin(hint) in (Union, types.UnionType):
        parts = get_args(hint)
        if value is None and type(None) in parts:
            return None
        return convert(value, next(part for part in parts if part is not type(None)))
    if hint is bool:
        if not isinstance(value, bool):
            raise TypeError(value)
        return value
    if isinstance(value, bool):
        raise TypeError(value)
    if hint is int:
        return operator.index(value)
    if isinstance(value, float):
        value = repr(float(value))
    return rational(value if isinstance(value, (str, sp.Basic)) else str(value))
