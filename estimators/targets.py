"""Targets of approximation as values on N positions: formulas, a seeded Brownian path, files of numbers.

Position i = 0 .. N-1 stands at the midpoint x_i = (2i + 1)/N - 1 of one of N equal cells of [-1, 1].
"""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sympy as sp
from jaxtyping import Float64

from theory.function_classes import FunctionClass, function
from theory.function_text import x

Array = np.ndarray
SUFFIXES = (".npy", ".csv", ".txt")


@dataclass(frozen=True)
class Target:
    """values (N,) at the midpoints. known: what is stated and derived of it, None for values from a file."""

    name: str
    values: Float64[Array, " N"]
    known: FunctionClass | None


def midpoints(length: int) -> Float64[Array, " N"]:
    """x_i = (2i + 1)/N - 1, each rounded once. ValueError for fewer than one position."""
    if length < 1:
        raise ValueError(f"length must be at least 1, got {length}: use --length 256")
    return (2 * np.arange(length) + 1 - length) / length


def target(text: str, length: int, *, seed: int = 0) -> Target:
    """A name of `theory.function_classes.FUNCTIONS`, a formula in x, or the path of a file with `length` numbers.

    ValueError in one line for what does not parse, has other symbols, is not finite, is a class of functions instead
    of one, or has another number of values.
    """
    if is_file(text):
        values = from_file(Path(text))
        if len(values) != length:
            raise ValueError(f"{text} has {len(values)} values: use --length {len(values)}, or leave --length out")
        return Target(text, values, None)
    known = function(text)
    return Target(text, values_of(known, length, seed=seed), known)


def is_file(text: str) -> bool:
    """Whether a target is the path of a file: by its suffix .npy, .csv or .txt."""
    return Path(text).suffix.lower() in SUFFIXES


def values_of(known: FunctionClass, length: int, *, seed: int = 0) -> Float64[Array, " N"]:
    """f(x_i) (N,). A path that needs a seed is a Brownian motion on [-1, 1] that starts in 0 at -1."""
    at = midpoints(length)
    if known.random:
        steps = np.random.default_rng(seed).standard_normal(length)
        # The first midpoint is half a step from the end.
        return np.cumsum(steps * np.sqrt(np.r_[1.0, np.full(length - 1, 2.0)] / length))
    if known.expression is None:
        raise ValueError(
            f"{known.name} is a class of functions, not one: use --norm sobolev for its worst case, or a member such "
            "as --target abs"
        )
    compiled = sp.lambdify(x, known.expression, ["scipy", "numpy"])
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found: Any = np.asarray(compiled(at))
        except (TypeError, ZeroDivisionError, OverflowError, AttributeError) as error:
            raise ValueError(f"target {known.name!r} cannot be evaluated: write another formula in x") from error
    if np.iscomplexobj(found) or found.dtype == object:
        raise ValueError(f"target {known.name!r} is not real on [-1, 1]: restrict it, for example with abs(x)")
    values = np.broadcast_to(found.astype(np.float64), at.shape).copy()
    if not np.isfinite(values).all():
        where = at[~np.isfinite(values)][0]
        raise ValueError(f"target {known.name!r} is not finite at x = {where:.6g}: shift its pole out of [-1, 1]")
    return values


def from_file(path: Path) -> Float64[Array, " N"]:
    """One series of numbers from .npy, or from text with one number a line or separated by commas or spaces."""
    if not path.is_file():
        raise ValueError(f"no file {path}: check the path")
    try:
        if path.suffix.lower() == ".npy":
            read = np.load(path, allow_pickle=False)
        else:
            read = np.array([float(word) for word in path.read_text(encoding="utf-8").replace(",", " ").split()])
        values = np.asarray(read, dtype=np.float64).squeeze()
    except (ValueError, TypeError, EOFError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no file of numbers: save one series of values as .npy, .csv or .txt") from error
    if values.ndim == 0:
        values = values.reshape(1)
    if values.ndim != 1 or values.size == 0:
        raise ValueError(f"{path} has shape {values.shape}: save one series of values")
    if not np.isfinite(values).all():
        raise ValueError(f"{path} has NaN or infinity at position {int(np.argmin(np.isfinite(values)))}: correct it")
    return values
