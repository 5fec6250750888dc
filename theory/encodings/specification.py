"""The text form of an encoding: `NAME[:key=value,...]`, read and written."""

import difflib
import types
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Union, get_args, get_origin

import sympy as sp

from theory.encodings.base import Encoding
from theory.encodings.exact import accepted, field_types, rational


def build(
    encodings: Mapping[str, Callable[..., Encoding]],
    specification: str,
    *,
    dim: int,
    train_length: int,
    heads: int,
) -> Encoding:
    """The encoding that `specification` names; see `theory.encodings.parse`."""
    name, _, options = specification.strip().partition(":")
    if name not in encodings:
        near = difflib.get_close_matches(name.lower(), encodings, n=1, cutoff=0.0)[0]
        raise ValueError(f"unknown encoding {name!r}: use {near!r}, or one of {', '.join(encodings)}")
    kind = encodings[name]
    if not isinstance(kind, type):
        raise TypeError(f"{name} is not an encoding class")
    types_of = field_types(kind)
    given: dict[str, Any] = {"dim": dim, "train_length": train_length}
    if "heads" in types_of:
        given["heads"] = heads
    seen: set[str] = set()
    for option in options.split(",") if options.strip() else []:
        key, equals, text = (part.strip() for part in option.partition("="))
        if not equals or not key:
            raise ValueError(f"{name}: cannot read {option.strip()!r}: write key=value, separated by commas")
        if key not in types_of:
            raise ValueError(f"{name} has no key {key!r}: use one of {', '.join(types_of)}")
        if key in seen:
            raise ValueError(f"{name}: {key} is given twice: give it once")
        seen.add(key)
        try:
            given[key] = _read(text, types_of[key])
        except (TypeError, ValueError, ZeroDivisionError):
            raise ValueError(f"{name}: {key} must be {accepted(types_of[key])}, got {text!r}") from None
    return kind(**given)


def specification(encoding: Encoding) -> str:
    """The full text form, defaults included: `parse` of it gives an equal encoding."""
    values = {field.name: getattr(encoding, field.name) for field in fields(encoding)}
    options = ",".join(f"{key}={_write(value)}" for key, value in values.items())
    return f"{encoding.name}:{options}"


def _read(text: str, hint: Any) -> Any:
    if get_origin(hint) in (Union, types.UnionType):
        parts = get_args(hint)
        if type(None) in parts and text.lower() == "none":
            return None
        return _read(text, next(part for part in parts if part is not type(None)))
    if hint is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    if hint is int:
        return int(text)
    if hint is sp.Rational:
        return rational(text)
    return text


def _write(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)
