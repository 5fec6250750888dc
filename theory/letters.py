"""How symbols are registered and printed: one word in code, one letter in print."""

import difflib
import re

import sympy as sp
from sympy.printing.latex import LatexPrinter

SYMBOLS: dict[str, sp.Symbol] = {}
LETTERS: dict[sp.Symbol, str] = {}
_BARE = re.compile(r"(\\(?:mathbb|mathcal|mathfrak|mathbf|sqrt|overline|frac(?:\{[^{}]*\})?))\s*(\w)")
_SPELLINGS = {
    r"\le": r"\leq",
    r"\ge": r"\geq",
    r"\int\limits": r"\int",
    r"\square": r"{\mathrm{box}}",
    r"\bmod": r"\;\mathrm{mod}\;",
}
_SPELLING = re.compile("(?:" + "|".join(map(re.escape, _SPELLINGS)) + r")(?![a-zA-Z])")


def register(word: str, letter: str, **assumptions: bool) -> sp.Symbol:
    """A new symbol: its word in code, its letter in print, what is assumed of it; ValueError for a word in use."""
    made = sp.Symbol(word, **assumptions)
    if word in SYMBOLS:
        raise ValueError(f"symbol {word!r} is defined twice: choose another word")
    SYMBOLS[word] = made
    LETTERS[made] = portable(letter)
    return made


def portable(tex: str) -> str:
    """The same LaTeX in the spelling that matplotlib's mathtext reads too: arguments in braces, leq and geq."""
    braced = _BARE.sub(r"\1{\2}", _BARE.sub(r"\1{\2}", tex))  # twice: both parts of a fraction
    return _SPELLING.sub(lambda found: _SPELLINGS[found[0]], braced)


class _Printer(LatexPrinter):
    def _print_Piecewise(self, expr: sp.Piecewise) -> str:
        """Pieces in one line: mathtext has no environments."""
        *pieces, last = [(self._print(value), condition) for value, condition in expr.args]  # type: ignore[misc]
        shown = [rf"{value}\;\mathrm{{if}}\;{self._print(condition)}" for value, condition in pieces]
        otherwise = last[1] == sp.true
        shown.append(rf"{last[0]}\;\mathrm{{{'otherwise' if otherwise else 'if'}}}")
        if not otherwise:
            shown[-1] += rf"\;{self._print(last[1])}"
        return r"\left\{" + r",\;".join(shown) + r"\right."


def symbol(word: str) -> sp.Symbol:
    """The symbol registered under `word`; ValueError with the nearest word if there is none."""
    if word in SYMBOLS:
        return SYMBOLS[word]
    near = difflib.get_close_matches(word, SYMBOLS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "add one line to theory/notation.py"
    raise ValueError(f"unknown symbol {word!r}: {hint}")


def latex(expression: sp.Basic) -> str:
    """LaTeX of an expression with every registered word replaced by its letter in print, also for mathtext."""
    return portable(_Printer({"symbol_names": LETTERS}).doprint(expression))
