"""The ledger as LaTeX, ready to paste: tables, and every statement as a numbered equation."""

from collections.abc import Iterable, Mapping, Sequence

import sympy as sp

from estimators.claim import Claim
from estimators.claims.sources import SourceVerdict
from estimators.ledger import Ledger, Outcome
from estimators.ledger_document import symbolic
from estimators.ledger_report import CLAIMS_TITLE, RIGHT, SOURCES_TITLE
from estimators.ledger_rows import HEADINGS, SOURCE_HEADINGS, row, source_row
from theory import notation

PREAMBLE = r"% needs \usepackage{amsmath,amssymb,longtable}; written by python -m estimators --latex"
PARAGRAPH = "p{.24\\linewidth}"
_ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
    **{mark: f"${mark}$" for mark in "<>|"},
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "∞": r"$\infty$",
}


def escape_latex(text: str) -> str:
    """Text that LaTeX prints as it is; may break after a hyphen only, as names should."""
    return "".join(_ESCAPES.get(character, character) for character in " ".join(text.split()))


def latex(ledger: Ledger, claims: Mapping[str, Claim], sources: Sequence[SourceVerdict]) -> str:
    """Both tables and the equations, labelled eq:CLAIM."""
    parts = [PREAMBLE, _table(CLAIMS_TITLE, HEADINGS, (row(one) for one in ledger.outcomes), ("encodings", "verdict"))]
    if sources:
        wide = ("claim of the source", "because", "checks")
        parts.append(_table(SOURCES_TITLE, SOURCE_HEADINGS, (source_row(one) for one in sources), wide))
    parts += [text for one in ledger.outcomes if (text := _statement(one, claims[one.claim]))]
    return "\n\n".join(parts) + "\n"


def _table(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], wide: Sequence[str]) -> str:
    columns = "".join(PARAGRAPH if name in wide else "r" if name in RIGHT else "l" for name in headings)
    lines = [rf"\begin{{longtable}}{{{columns}}}", rf"\caption{{{escape_latex(title)}}}\\", r"\hline"]
    lines += [_line(headings), r"\hline", r"\endhead", *map(_line, rows), r"\hline", r"\end{longtable}"]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return " & ".join(escape_latex(cell) for cell in cells) + r" \\"


def _statement(outcome: Outcome, claim: Claim) -> str:
    bound = symbolic(outcome, claim)
    if bound is None:
        return ""
    condition = "" if bound.assumptions == sp.true else rf" \quad\text{{if }} {notation.latex(bound.assumptions)}"
    mark = f"{outcome.form}, {bound.proof.value}: {bound.reference}; {outcome.standing}"
    return "\n".join(
        [
            rf"\paragraph{{{escape_latex(outcome.claim)}}} ({escape_latex(mark)})",
            rf"\begin{{equation}}\label{{eq:{outcome.claim}}}",
            f"  {bound.latex}{condition}",
            r"\end{equation}",
        ]
    )
