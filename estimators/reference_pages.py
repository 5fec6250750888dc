"""The text of the reference pages: one of each statement and each encoding, from its docstring and its formula.

A page is a fragment of HTML. Formulas are SVG drawn by matplotlib's mathtext, so that pages need no network.
"""

import html
import inspect
import io
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

import sympy as sp
from matplotlib import rc_context
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import math_to_image

from estimators.display import html_table
from theory import notation
from theory.bound import Bound
from theory.encodings import ENCODINGS, parse, specification
from theory.encodings.base import (
    PROPERTIES,
    AbstractAdditiveEncoding,
    AbstractBiasEncoding,
    AbstractEncoding,
    AbstractRelativeEncoding,
    AbstractRotaryEncoding,
)

FRAGMENT = "<!-- fragment -->"  # marks a docstring that is HTML already
DIM, LENGTH = 4, 16  # of the encodings shown
SHOWN = 4  # channels or heads
LONGEST = 200  # characters of a formula that is drawn
_CODE = re.compile(r"`([^`]+)`")
DOMAIN = ("integer", "positive", "nonnegative", "negative", "nonpositive")
KINDS = {
    AbstractAdditiveEncoding: "additive: vectors p(t) added to the token at position t",
    AbstractBiasEncoding: "a bias of the logits: b_h(D), D = i - j, for query i and key j in head h",
    AbstractRotaryEncoding: "a rotation: channel pair k at position t is turned by t theta_k",
    AbstractRelativeEncoding: "relative: vectors r(D), D = i - j, added to key j seen from query i",
}


def prose(docstring: str) -> str:
    """A docstring as HTML paragraphs in which only `names` are markup; indented lines stay lines."""
    found = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(docstring)):
        lines = [_CODE.sub(r"<code>\1</code>", html.escape(line.strip())) for line in paragraph.splitlines()]
        breaks = ["<br>\n" if line.startswith(" ") else "\n" for line in paragraph.splitlines()]
        found.append("<p>" + "".join(a + b for a, b in zip(breaks, lines, strict=True)).strip() + "</p>")
    return "\n".join(found)


def docstring_html(text: str) -> str:
    """Pages are HTML already; docstrings of the code are prose in which nothing is markup."""
    return text.removeprefix(FRAGMENT).lstrip() if text.startswith(FRAGMENT) else prose(text)


@lru_cache(maxsize=4096)
def formula(tex: str, otherwise: str = "") -> str:
    """LaTeX as inline SVG with the LaTeX as its label; `otherwise`, or the LaTeX, as code where mathtext cannot."""
    try:
        with io.StringIO() as drawn, rc_context({"svg.hashsalt": "reference"}):
            math_to_image(f"${tex}$", drawn, prop=FontProperties(size=15), dpi=100, format="svg")
            image = drawn.getvalue()
    except ValueError:
        return f"<code>{html.escape(otherwise or tex)}</code>"
    image = re.sub(r"<metadata>.*?</metadata>", "", image[image.index("<svg") :], flags=re.DOTALL)
    label = f'<svg role="img" aria-label="{html.escape(tex)}" style="max-width:100%;height:auto" '
    return re.sub(r"\n\s*", "\n", image.replace("<svg ", label, 1)).strip()


def first_line(docstring: str | None) -> str:
    """The first sentence or paragraph, on one line."""
    return " ".join((docstring or "").split("\n\n")[0].split())


def bound_page(name: str, statement: Callable[..., Bound], claims: Iterable[str]) -> str:
    """The statement, its assumptions, its letters, where its proof is, how to evaluate it and what checks it."""
    bound = statement()
    parts = [f"<p>{formula(bound.latex, str(bound.expression))}</p>"]
    if bound.assumptions != sp.true:
        parts.append(f"<p>if {formula(notation.latex(bound.assumptions), str(bound.assumptions))}</p>")
    parts += [_letters(bound)] if bound.symbols else []
    parts.append(f"<p>Proof: {bound.proof.value}. Source: {html.escape(bound.reference)}.</p>")
    words = ", ".join(f"{symbol.name}=..." for symbol in bound.symbols)
    code = f"from theory.statements import STATEMENTS\n\nbound = STATEMENTS[{name!r}]()\nbound.certified({words})"
    parts.append("<p>Floats (lower, upper) that contain the exact value of the right-hand side:</p>")
    parts.append(f"<pre><code>{html.escape(code)}</code></pre>")
    found = [f"<code>python -m estimators --claim {html.escape(claim)}</code>" for claim in claims]
    parts.append(f"<p>Checked by: {', '.join(found) or 'tests only, no claim of the ledger'}.</p>")
    return "\n".join(parts)


def _letters(bound: Bound) -> str:
    """Rows letter, keyword, domain; the table helper escapes text, so the letters are put in afterwards."""
    rows = [(f"@{place}@", symbol.name, _domain(symbol)) for place, symbol in enumerate(bound.symbols)]
    table = html_table(("letter", "keyword", "domain"), rows)
    for place, symbol in enumerate(bound.symbols):
        table = table.replace(f"@{place}@", formula(notation.latex(symbol), symbol.name))
    return table


def _domain(symbol: sp.Symbol) -> str:
    words = [word for word in DOMAIN if symbol.assumptions0.get(word)]
    if "positive" in words:
        words.remove("nonnegative")
    if "negative" in words:
        words.remove("nonpositive")
    return " ".join(words) or "real"


def example(name: str) -> AbstractEncoding:
    """The encoding of the page, with its defaults and a few channels."""
    return parse(name, dim=DIM, train_length=LENGTH)


def encoding_page(name: str) -> str:
    """The specification with all defaults, kind, first formulas, properties and the rule beyond the training length."""
    made = example(name)
    kind = next((words for kind, words in KINDS.items() if isinstance(made, kind)), "no encoding")
    parts = [f"<p><code>{html.escape(specification(made))}</code></p>", f"<p>Kind: {html.escape(kind)}.</p>"]
    drawn = formulas(made)
    if drawn:
        parts.append(f"<p>With dim {DIM} and train_length {LENGTH}:</p>")
        parts += [f"<p>{formula(tex, plain)}</p>" for tex, plain in drawn]
    else:
        parts.append("<p>It is given by a table or by a formula too long to show here: see the source below.</p>")
    held = [(word, PROPERTIES[word]) for word in sorted(made.properties)]
    parts.append(html_table(("property", "meaning"), held) if held else "<p>It states no property.</p>")
    rules = f"Beyond the training length: {made.beyond}; accepted: {', '.join(made.rules)}."
    return "\n".join([*parts, f"<p>{rules}</p>"])


def formulas(made: AbstractEncoding) -> list[tuple[str, str]]:
    """(LaTeX, plain text) of the first channels, heads or angles; none where there is no short closed form."""
    t, distance = sp.Symbol("t", integer=True, nonnegative=True), sp.Symbol("D", integer=True)
    terms: list[tuple[str, sp.Expr]] = []
    try:
        if isinstance(made, AbstractAdditiveEncoding):
            terms = [(f"p_{k}(t)", made.feature(t, k)) for k in range(SHOWN)]
        elif isinstance(made, AbstractBiasEncoding):
            terms = [(f"b_{h}(D)", made.bias(distance, h)) for h in range(SHOWN)]
        elif isinstance(made, AbstractRotaryEncoding):
            terms = [(rf"\theta_{k}", made.angle(k)) for k in range(made.dim // 2)]
        elif isinstance(made, AbstractRelativeEncoding):
            terms = [(f"r_{k}(D)", made.feature(distance, k)) for k in range(SHOWN)]
    except (TypeError, ValueError):  # a table, or a formula that has cases and needs numbers
        return []
    shown = [(f"{left} = {notation.latex(value)}", f"{left} = {value}") for left, value in terms]
    return shown if all(len(tex) <= LONGEST for tex, _ in shown) else []


def index_page(entries: Mapping[str, Mapping[str, str]], folder: str) -> str:
    """Links to the pages of a folder with their first lines, under one heading for each group."""
    parts = []
    for group, several in entries.items():
        rows = [
            f"<tr><td><a href='{folder}/{name}.html'>{name}</a></td><td>{html.escape(line)}</td></tr>"
            for name, line in several.items()
        ]
        parts += [f"<h2>{html.escape(group)}</h2>"] if group else []
        parts += ["<table><tbody>", *rows, "</tbody></table>"]
    return "\n".join(parts)


def encoding_index() -> dict[str, dict[str, str]]:
    """Encodings by kind, with the first line of each docstring."""
    found: dict[str, dict[str, str]] = {}
    for name, kind in ENCODINGS.items():
        made = example(name)
        words = next((words for kind, words in KINDS.items() if isinstance(made, kind)), "no encoding")
        found.setdefault(words, {})[name] = first_line(kind.__doc__)
    return found
