"""Texts such as "exp(-x**2)*sin(5*x)" as SymPy expressions in x, read without running them.

The text is parsed to Python's syntax tree and every node is looked up in a list of what is allowed: numbers, x, pi, e,
+ - * / **, and the functions below. Nothing is evaluated, imported or looked up by attribute.
"""

import ast
import difflib
import operator
from collections.abc import Callable
from typing import Any

import sympy as sp

x = sp.Symbol("x", real=True)
LONGEST_TEXT, LARGEST_BITS, LARGEST_POWER = 1000, 4096, 100
CONSTANTS: dict[str, sp.Expr] = {"x": x, "pi": sp.pi, "e": sp.E, "E": sp.E}
ELEMENTARY = (
    *("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh"),
    *("asin", "acos", "atan", "sqrt", "sign"),
)
ONE = {
    **{word: getattr(sp, word) for word in ELEMENTARY},
    "ln": sp.log,
    "abs": sp.Abs,
    "Abs": sp.Abs,
}
SEVERAL = {"min": sp.Min, "Min": sp.Min, "max": sp.Max, "Max": sp.Max}
OPERATORS: dict[Any, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def _refused(text: str, why: str) -> ValueError:
    return ValueError(f"target {text[:60]!r}: {why}")


def parsed(text: str) -> sp.Expr:
    """The expression in `x` that the text says; decimals are the exact decimal numbers.

    ValueError in one line: not an expression, a symbol other than x, an unknown function, a number or power too large.
    """
    if len(text) > LONGEST_TEXT:
        raise _refused(text, f"longer than {LONGEST_TEXT} characters: shorten it, or pass a file of values")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        found = _built(tree, text)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise _refused(text, "does not parse: write an expression in x such as exp(-x**2)*sin(5*x)") from error
    except ZeroDivisionError as error:
        raise _refused(text, "divides by zero: correct it") from error
    if found.has(sp.zoo, sp.nan, sp.oo, -sp.oo):
        raise _refused(text, "is not finite for any x: correct it")
    return found


def _built(node: Any, text: str) -> Any:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return _number(value, text)
        case ast.Name(id=word):
            if word not in CONSTANTS:
                raise _refused(text, f"has the symbol {word!r}: the only variable is x, on [-1, 1]")
            return CONSTANTS[word]
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=inner):
            return -_built(inner, text) if isinstance(node.op, ast.USub) else _built(inner, text)
        case ast.BinOp(op=ast.Pow(), left=left, right=right):
            return _power(_built(left, text), _built(right, text), text)
        case ast.BinOp(op=ast.BitXor()):
            raise _refused(text, "has ^: write powers as x**2")
        case ast.BinOp(op=op, left=left, right=right) if type(op) in OPERATORS:
            return _small(OPERATORS[type(op)](_built(left, text), _built(right, text)), text)
        case ast.Call(func=ast.Name(id=word), args=[_, *_], keywords=[]):
            return _called(word, [_built(part, text) for part in node.args], text)
    raise _refused(
        text, f"has {ast.unparse(node)[:40]!r}, which is not allowed: use numbers, x, + - * / ** and functions"
    )


def _called(word: str, parts: list[Any], text: str) -> Any:
    if word in SEVERAL:
        return SEVERAL[word](*parts)
    if word not in ONE:
        near = difflib.get_close_matches(word, [*ONE, *SEVERAL], n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted({*ONE, *SEVERAL}))}"
        raise _refused(text, f"has the function {word!r}: {hint}")
    if len(parts) != 1:
        raise _refused(text, f"gives {word} {len(parts)} arguments: it takes one")
    return ONE[word](parts[0])


def _number(value: int | float, text: str) -> sp.Rational:
    if isinstance(value, float) and not abs(value) < 1e100:
        raise _refused(text, f"has the number {value}: use numbers below 1e100")
    return _small(sp.Rational(repr(value)) if isinstance(value, float) else sp.Integer(value), text)


def _small(found: Any, text: str) -> Any:
    if isinstance(found, sp.Rational) and max(abs(found.p), found.q).bit_length() > LARGEST_BITS:
        raise _refused(text, "has a number of more than 1200 digits: scale it down")
    return found


def _power(base: Any, exponent: Any, text: str) -> Any:
    if isinstance(exponent, sp.Rational) and abs(exponent) > LARGEST_POWER:
        raise _refused(text, f"has the power {exponent}: powers up to {LARGEST_POWER} are allowed")
    if not exponent.free_symbols and not isinstance(exponent, sp.Rational) and not abs(sp.N(exponent)) < LARGEST_POWER:
        raise _refused(text, f"has the power {exponent}: powers up to {LARGEST_POWER} are allowed")
    if base == 0 and exponent.is_negative:
        raise ZeroDivisionError
    return _small(base**exponent, text)
