"""What Jupyter shows: well-formed HTML and LaTeX, numbers rounded to the safe side, nothing interpreted as markup."""

import math
from html.parser import HTMLParser

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.mathtext import MathTextParser

from estimators.bracket import bracket
from estimators.claim import check
from estimators.claims import CLAIMS
from estimators.display import html_table, interval_text, rounded
from estimators.estimate import Estimate
from estimators.hypotheses import Constraints, Frozen
from estimators.ledger import check_all
from estimators.ledger_rows import HEADINGS
from estimators.signs import all_sign_classes
from estimators.verdict import judge
from theory import notation
from theory.bound import Bound, Relation
from theory.statements import STATEMENTS


class _Cells(HTMLParser):
    """Texts of the cells by row; fails where a tag is not closed by its own name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.caption = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data
        if self.open and self.open[-1] == "caption":
            self.caption += data


def _cells(shown) -> _Cells:
    return _Cells(shown._repr_html_())


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=4), st.text())
def test_a_table_shows_its_cells_as_they_are(rows, caption):
    found = _Cells(html_table(("a<b", "c"), rows, caption=caption, right=("c",)))
    clean = [[cell.replace("\r\n", "\n").replace("\r", "\n") for cell in row] for row in rows]
    assert [[cell.replace("\r\n", "\n").replace("\r", "\n") for cell in row] for row in found.rows[1:]] == clean
    assert found.rows[0] == ["a<b", "c"]


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="2 cells for 1 headings"):
        html_table(("a",), [("x", "y")])


@given(st.floats(-1e12, 1e12), st.floats(0, 1e12))
def test_a_shown_interval_contains_the_interval(lower, width):
    estimate = Estimate(lower, lower + width, 0.99, "test")
    low, high = (float(end) for end in interval_text(estimate)[1:-1].split(", "))
    assert low <= estimate.lower + 1e-9 * abs(estimate.lower)
    assert high >= estimate.upper - 1e-9 * abs(estimate.upper)


def test_infinite_ends_are_open():
    assert interval_text(Estimate(0.5, math.inf, 1.0, "search")) == "[0.5, ∞)"
    assert interval_text(Estimate(-math.inf, math.inf, 1.0, "nothing")) == "(-∞, ∞)"
    assert rounded(math.inf, True) == "∞"


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(0)
    keys, bias = rng.standard_normal((5, 3, 2)), np.zeros(3)
    return bracket(Frozen(keys, keys, bias, Constraints()), all_sign_classes(5), enumerated=True)


def test_a_bracket_shows_its_interval_and_every_bound_with_its_verdict(found):
    shown = _cells(found)
    assert interval_text(found.estimate) in shown.caption
    assert "certain" in shown.caption
    assert found.certificate in shown.caption
    assert [row[0] for row in shown.rows[1:]] == list(found.bounds)
    assert [row[3] for row in shown.rows[1:]] == [judged.verdict for judged in found.bounds.values()]
    for row, judged in zip(shown.rows[1:], found.bounds.values(), strict=True):
        assert float(row[2]) <= judged.slack * (1 + 1e-9)


def test_a_verdict_shows_violations_too():
    judged = judge(1.0, Relation.AT_MOST, Estimate(2.0, 4.0, 1.0, "exact"))
    assert _cells(judged).rows[1] == ["1", "0.25", "violated"]


@pytest.fixture(scope="module")
def ledger():
    names = ("softmax-total-variation", "classical-shared-sign-contraction")
    return check_all({name: CLAIMS[name] for name in names})


def test_a_ledger_shows_one_row_for_each_claim(ledger):
    shown = _cells(ledger)
    assert shown.rows[0] == list(HEADINGS)
    assert [row[0] for row in shown.rows[1:]] == [one.claim for one in ledger.outcomes]
    assert [row[HEADINGS.index("verdict")] for row in shown.rows[1:]] == ["holds", "refuted"]
    assert _cells(ledger.outcomes[1]).rows[1:] == shown.rows[2:]


def test_a_check_shows_the_case_and_its_falsified_twin_violated():
    claim = CLAIMS["softmax-total-variation"]
    case = next(iter(claim.cases(np.random.default_rng(0), False)))
    first = _cells(check("softmax-total-variation", claim, case))
    twin = _cells(check("softmax-total-variation", claim, case, sp.Rational(1, 100)))
    assert first.rows[1][0] == twin.rows[1][0] == "softmax-total-variation"
    assert first.rows[1][-1] in ("holds", "undecided")
    assert twin.rows[1][-1] == "violated"


def test_an_assumption_and_every_word_of_a_bound_are_shown():
    bound = STATEMENTS["alibi-tail-mass"]()
    text = bound._repr_markdown_()
    assert text.startswith(f"$$\\displaystyle {bound.latex}$$")
    assert f"if ${notation.latex(bound.assumptions)}$" in text
    for symbol in bound.symbols:
        assert f"`{symbol.name}`" in text
    assert "proof: derived here" in text


def test_marks_of_a_reference_are_not_read_as_markup():
    bound = Bound("Q", Relation.AT_MOST, sp.Integer(1), "A_B *and* [C](d) $x$")
    assert r"A\_B \*and\* \[C\](d) \$x\$" in bound._repr_markdown_()
    assert "if " not in bound._repr_markdown_().partition("\n\n")[2].partition("A")[0]


@pytest.mark.parametrize("name", list(STATEMENTS)[::8])
def test_a_statement_shows_every_part_once(name):
    bound = STATEMENTS[name]()
    parts = bound._repr_markdown_().split("\n\n")
    assert len(parts) == 2 + (bound.assumptions != sp.true) + bool(bound.symbols)
    MathTextParser("path").parse(parts[0].replace("$$\\displaystyle", "$").replace("$$", "$"))
