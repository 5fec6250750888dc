"""Symbolic bounds as compiled JAX functions of their words, in float64: for curves, gradients and searches.

`lambdify` alone prints names that fail under jit (gamma, erf, zeta, binomial, Min of traced numbers, sums with a
symbolic end), so these nodes are given functions of their own first. Not certified: use `Bound.safe` for verdicts.
"""

import difflib
import functools
import itertools
import operator
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import sympy as sp
from jax.scipy import special
from jaxtyping import Array, Float64

from theory.bound import Bound
from theory.monotone import gamma_ratios

SHIFT = 32  # steps of the recurrence before the asymptotic series of `half_step`


def half_step(x: Any) -> Any:
    """Gamma(x + 1/2)/Gamma(x) for x > 0, to a few units of rounding for every x.

    Product of (x+j)/(x+j+1/2), j < 32, times sqrt(z) (1 + 1/(64 z^2) - 19/(8192 z^4) + 631/(524288 z^6)) at z = x +
    127/4; the difference of two loggamma loses the digits of the ratio for large x.
    """
    steps = jnp.arange(SHIFT, dtype=jnp.float64)
    x = jnp.asarray(x, jnp.float64)
    ratio = jnp.prod((x[..., None] + steps) / (x[..., None] + steps + 0.5), axis=-1)
    z = x + (SHIFT - 0.25)
    square = 1 / (z * z)
    return ratio * jnp.sqrt(z) * (1 + square * (1 / 64 + square * (-19 / 8192 + square * (631 / 524288))))


def _gamma(x: Any) -> Any:
    return special.gamma(jnp.asarray(x, jnp.float64))


def _lambert(x: Any) -> Any:
    """Principal branch for x >= 0: Halley's steps from log(1 + x), which is above the root."""

    def step(_: Any, w: Any) -> Any:
        excess = w - x * jnp.exp(-w)
        return w - excess / (w + 1 - (w + 2) * excess / (2 * w + 2))

    return jax.lax.fori_loop(0, 8, step, jnp.log1p(jnp.asarray(x, jnp.float64)))


def _extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *several: functools.reduce(choose, several)


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    sp.Min: _extreme(jnp.minimum),
    sp.Max: _extreme(jnp.maximum),
    sp.gamma: _gamma,
    sp.loggamma: lambda x: special.gammaln(jnp.asarray(x, jnp.float64)),
    sp.factorial: lambda x: _gamma(x + 1.0),
    sp.binomial: lambda n, k: _gamma(n + 1.0) / (_gamma(k + 1.0) * _gamma(n - k + 1.0)),
    sp.erf: special.erf,
    sp.erfc: special.erfc,
    sp.zeta: lambda s, a=1.0: special.zeta(s, jnp.asarray(a, jnp.float64)),
    sp.LambertW: _lambert,
    sp.ceiling: jnp.ceil,
    sp.floor: jnp.floor,
    sp.Abs: jnp.abs,
    sp.sign: jnp.sign,
    sp.coth: lambda x: 1 / jnp.tanh(x),
    sp.cot: lambda x: 1 / jnp.tan(x),
}
_BY_NAME = {f"_{kind.__name__}": function for kind, function in FUNCTIONS.items()}
_BY_NAME |= {"_half_step": half_step, "_log1p": jnp.log1p}


def compile_bound(bound: Bound) -> Callable[..., Float64[Array, "..."]]:
    """The expression of `bound` as a jitted function of keywords, its words; numbers or arrays that broadcast.

    Values are not checked against the assumptions. Works inside jit, grad and vmap (sums with a symbolic end take
    scalars and have no reverse gradient: use vmap, jacfwd). ValueError for a missing or unknown word, and for an
    expression with an integral or another node that has no compiled form.
    """
    symbols = bound.symbols
    words = [symbol.name for symbol in symbols]
    run = jax.jit(_function(bound.expression, symbols))

    def compiled(**values: Any) -> Float64[Array, "..."]:
        if set(values) != set(words):
            _refuse(bound, words, values)
        return run(*(jnp.asarray(values[word], jnp.float64) for word in words))

    return compiled


def _refuse(bound: Bound, words: list[str], values: dict[str, Any]) -> None:
    missing = [word for word in words if word not in values]
    if missing:
        raise ValueError(f"bound on {bound.quantity} also needs {', '.join(missing)}: pass them as keywords")
    unknown = next(word for word in values if word not in words)
    near = difflib.get_close_matches(unknown, words, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"it depends on {', '.join(words) or 'nothing'}"
    raise ValueError(f"bound on {bound.quantity} has no symbol {unknown!r}: {hint}")


def _function(expression: sp.Expr, symbols: tuple[Any, ...]) -> Callable[..., Any]:
    named = dict(_BY_NAME)
    prepared = _prepared(expression, named)
    compiled = sp.lambdify(symbols, prepared, modules=[named, "jax"], cse=True)
    return lambda *values: jnp.asarray(compiled(*values), jnp.float64)


def _prepared(node: Any, named: dict[str, Callable[..., Any]]) -> Any:
    """The tree with functions from `named`, which grows by one for every sum, product and Piecewise."""
    if not node.args:
        return node
    if isinstance(node, sp.Integral):
        raise ValueError(f"{node} has no compiled form: integrate it first, or use Bound.evaluate")
    if isinstance(node, sp.Sum | sp.Product):
        return _repeated(node, named)
    if isinstance(node, sp.Piecewise):
        return _chosen(node, named)
    if isinstance(node, sp.Mul):
        node = _half_steps(node)
    if isinstance(node, sp.log) and 1 in sp.Add.make_args(node.args[0]):
        return sp.Function("_log1p")(_prepared(node.args[0] - 1, named))
    parts = [_prepared(part, named) for part in node.args]
    if node.func in FUNCTIONS:
        return sp.Function(f"_{node.func.__name__}")(*parts)
    return node.func(*parts)


def _half_steps(product: sp.Expr) -> sp.Expr:
    """Gamma(b + 1/2)/Gamma(b) as one function."""
    factors = list(sp.Mul.make_args(product))
    for over, under, argument, step, power in gamma_ratios(factors):
        if step == sp.Rational(1, 2) and over in factors and under in factors:
            factors = [factor for factor in factors if factor not in (over, under)]
            factors.append(sp.Function("_half_step")(argument) ** power)
    return sp.Mul(*factors)


def _repeated(node: Any, named: dict[str, Callable[..., Any]]) -> Any:
    *inner, (index, start, stop) = node.limits
    body = node.func(node.function, *inner) if inner else node.function
    free = sorted(body.free_symbols - {index}, key=str)
    one, empty = _function(body, (index, *free)), 0.0 if isinstance(node, sp.Sum) else 1.0
    combine = operator.add if isinstance(node, sp.Sum) else operator.mul

    def repeated(low: Any, high: Any, *values: Any) -> Any:
        first, last = (jnp.rint(jnp.asarray(end, jnp.float64)).astype(jnp.int64) for end in (low, high))
        step = lambda k, so_far: combine(so_far, one(k.astype(jnp.float64), *values))  # noqa: E731
        return jax.lax.fori_loop(first, last + 1, step, jnp.float64(empty))

    return _call(repeated, [start, stop, *free], named)


def _chosen(node: Any, named: dict[str, Callable[..., Any]]) -> Any:
    free = sorted(node.free_symbols, key=str)
    values = [_function(value, tuple(free)) for value, _ in node.args]
    tests = [sp.lambdify(free, _prepared(test, named), modules=[named, "jax"]) for _, test in node.args]

    def chosen(*given: Any) -> Any:
        found = jnp.nan
        for value, test in reversed(list(zip(values, tests, strict=True))):
            found = jnp.where(test(*given), value(*given), found)
        return found

    return _call(chosen, free, named)


def _call(function: Callable[..., Any], arguments: list[Any], named: dict[str, Callable[..., Any]]) -> Any:
    name = next(f"_node_{k}" for k in itertools.count() if f"_node_{k}" not in named)
    named[name] = function
    return sp.Function(name)(*(_prepared(sp.sympify(argument), named) for argument in arguments))
