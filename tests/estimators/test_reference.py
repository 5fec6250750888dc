"""The reference pages: one of every statement and encoding, complete, linked, the same each time, without a network."""

import html
import re
from html.parser import HTMLParser

import pytest

from estimators.command_line import run
from estimators.reference import reference
from estimators.reference_pages import docstring_html, encoding_page, first_line, formula, prose
from theory.encodings import ENCODINGS, parse
from theory.statements import STATEMENTS

pdoc_render = pytest.importorskip("pdoc.render")
NAMES = [
    "alibi-tail-mass",
    "U2-width",
    "rotary-mean-kernel",
    "equal-direction-constant",
    "alibi",
    "legendre",
    "learned",
]


class _Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.loaded: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "a" and given.get("href"):
            self.found.append(given["href"])
        if tag in ("script", "img", "link", "iframe"):
            self.loaded.append(given.get("src") or given.get("href") or "")

    def handle_data(self, data):
        self.text += data


def _words(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    assert run(reference, ["--output-dir", str(folder), "--name", *NAMES]) == 0
    return folder


def _check(folder, names):
    """Every page has its docstring; every link of every page leads to a page; nothing is loaded from elsewhere."""
    for path in folder.rglob("*.html"):
        read = _Links(path.read_text(encoding="utf-8"))
        for link in read.found:
            target = link.partition("#")[0]
            assert not target or target.startswith("https://pdoc.dev") or (path.parent / target).exists(), (path, link)
        assert not [one for one in read.loaded if re.match(r"(https?:)?//", one)], path
    for name in names:
        group, held = ("bounds", STATEMENTS[name]) if name in STATEMENTS else ("encodings", ENCODINGS[name])
        text = _words(_Links((folder / "reference" / group / f"{name}.html").read_text(encoding="utf-8")).text)
        assert _words(first_line(held.__doc__).replace("`", "")) in text, name
        assert f"{name}.html" in (folder / "reference" / f"{group}.html").read_text(encoding="utf-8")


def test_pages_are_complete_and_need_no_network(pages):
    _check(pages, NAMES)
    assert len(list((pages / "reference").rglob("*.html"))) == len(NAMES) + 2


@pytest.mark.slow
def test_every_statement_and_encoding_has_a_page(tmp_path):
    assert run(reference, ["--output-dir", str(tmp_path)]) == 0
    _check(tmp_path, [*STATEMENTS, *ENCODINGS])
    for name, statement in STATEMENTS.items():
        page = (tmp_path / "reference" / "bounds" / f"{name}.html").read_text(encoding="utf-8")
        assert f'aria-label="{html.escape(statement().latex)}"' in page, name


def test_a_bound_has_its_formula_letters_source_and_check(pages):
    page = (pages / "reference" / "bounds" / "alibi-tail-mass.html").read_text(encoding="utf-8")
    bound = STATEMENTS["alibi-tail-mass"]()
    assert f'aria-label="{html.escape(bound.latex)}"' in page
    for symbol in bound.symbols:
        assert f">{symbol.name}</td>" in page
    assert "integer positive" in page
    assert html.escape(bound.reference) in page
    assert "python -m estimators --claim alibi-tail-mass" in page


def test_an_assumption_that_mathtext_cannot_draw_is_shown_as_code():
    assert formula(r"\unknowncommand x", "x < 1") == "<code>x &lt; 1</code>"
    assert formula(r"x \leq 1").startswith("<svg")


def test_an_encoding_shows_its_formulas_properties_and_rule():
    page = encoding_page("alibi")
    for head in range(4):
        assert f'aria-label="b_{head}(D) = ' in page
    for word in parse("alibi", dim=4, train_length=16).properties:
        assert f">{word}</td>" in page
    assert "Beyond the training length: extend" in page
    assert "given by a table" in encoding_page("learned")


def test_the_same_pages_each_time(pages, tmp_path):
    formula.cache_clear()
    assert run(reference, ["--output-dir", str(tmp_path), "--name", *NAMES]) == 0
    for path in pages.rglob("*"):
        if path.is_file():
            assert (tmp_path / path.relative_to(pages)).read_bytes() == path.read_bytes()


def test_docstrings_are_prose_and_not_markup():
    shown = prose("Upper: <u, a_i> *is* `small`.\n\n    an indented line\n    b < c")
    assert "&lt;u, a_i&gt; *is* <code>small</code>." in shown
    assert "an indented line" in shown
    assert "b &lt; c" in shown
    assert docstring_html("a < b") == "<p>a &lt; b</p>"


def test_pdoc_is_left_as_it_was(pages):
    assert pdoc_render.env.filters["to_html"]("*a*").strip() == "<p><em>a</em></p>"


def test_wrong_arguments_end_with_one_line(tmp_path, capsys):
    assert run(reference, ["--output-dir", str(tmp_path), "--name", "alibi-tail-mas"]) == 2
    assert "did you mean alibi-tail-mass?" in capsys.readouterr().err
    taken = tmp_path / "file"
    taken.write_text("x")
    assert run(reference, ["--output-dir", str(taken), "--name", "alibi"]) == 2
    error = capsys.readouterr().err
    assert "is a file" in error
    assert error.count("\n") == 1
