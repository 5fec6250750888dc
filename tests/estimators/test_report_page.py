"""The page of a report: whole, loading nothing, leading nowhere, with every statement and row, and readable by ear."""

import base64
import hashlib
import itertools
import re

import pytest
import sympy as sp
from html_reader import Reader
from toy_claims import honest

from estimators import report as module
from estimators.claims.sources import OPEN, SUPPORTED, Source, if_all_stand, undecided
from estimators.command_line import run
from theory.statements import STATEMENTS

SOURCES = (
    Source("K1", "both <b>", ("toy-tight", "toy-wrong"), if_all_stand(SUPPORTED), {SUPPORTED: "because."}),
    Source("D4", "none", (), undecided, {OPEN: "nothing is checked."}),
)


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CLAIMS", honest())
        patch.setattr(module, "SOURCES", SOURCES)
        words = ["--output", str(folder / "report.html"), "--figures", str(folder / "figures")]
        assert run(module.report, words) == 0
    return (folder / "report.html").read_text()


@pytest.fixture(scope="module")
def page(text):
    return Reader(text)


def test_elements_are_closed_in_order(text, page):
    assert page.errors == []
    assert Reader(text.replace("</table>", "", 1)).errors
    assert Reader("<p><b></p></b>").errors


def test_ids_are_unique_and_links_resolve(page):
    ids = [one["id"] for one in page.elements if "id" in one]
    assert len(set(ids)) == len(ids)
    assert all(" " not in one for one in ids)
    for one in page.elements:
        for attribute in ("for", "aria-labelledby"):
            assert attribute not in one or one[attribute] in ids
        if one["tag"] == "a":
            assert one["href"].startswith("#") or one["href"].startswith("data:")
            assert one["href"].startswith("data:") or one["href"][1:] in ids


def test_nothing_is_loaded(text, page):
    for one in page.elements:
        assert one["tag"] not in ("link", "iframe", "object", "embed", "base", "audio", "video")
        assert one.get("src", "data:").startswith("data:")
        assert not {"style", "srcset", "action"} & one.keys()
        assert not [word for word in one if word.startswith("on")]
    (style,), (script,) = page.all("style"), page.all("script")
    assert not re.search(r"url\(|@import|https?:", style["text"])
    assert not re.search(r"https?:|fetch|XMLHttp|import\(", script["text"])
    (policy,) = page.all("meta", http_equiv="Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy["content"].split(";"))
    assert rules.pop("default-src") == "'none'"
    assert rules.pop("img-src") == "data:"
    for name, one in (("style-src", style), ("script-src", script)):
        assert rules.pop(name) == f"'sha256-{base64.b64encode(hashlib.sha256(one['text'].encode()).digest()).decode()}'"
    assert set(rules.values()) == {"'none'"}
    # Only MathML's own name, if any, may look like an address.
    assert not re.search(r"https?://", text)


def test_every_statement_with_assumptions_and_source(page):
    articles = {one["id"]: one for one in page.all("article") if one["id"].startswith("bound-")}
    assert {f"bound-{name}" for name in STATEMENTS} <= articles.keys()
    conditions = {f"bound-{name}": False for name in STATEMENTS}
    for one in page.all("p", class_="condition"):
        assert one["text"].startswith("if ")
        conditions[one["article"]] = True
    for name, statement in STATEMENTS.items():
        bound, shown = statement(), articles[f"bound-{name}"]
        assert bound.reference in " ".join(shown["text"].split())
        assert bound.latex in shown["text"]
        assert conditions[f"bound-{name}"] == (bound.assumptions != sp.true), name
        for symbol in bound.symbols:
            assert symbol.name in shown["text"]
    assert len(page.all("math")) > len(STATEMENTS)
    # A statement that only a claim knows, whose shape depends on the case.
    assert "toy-shaped" in articles["bound-toy-shaped"]["text"]
    assert "kept because it is wrong" in articles["bound-toy-wrong"]["text"]


def test_rows_of_claims_and_of_the_source(page):
    rows = {one["id"]: one for one in page.all("tr") if "id" in one}
    assert [name for name in rows if name.startswith("claim-")] == [f"claim-{name}" for name in honest()]
    assert rows["claim-toy-wrong"]["data-verdict"] == "refuted"
    assert rows["claim-toy-quarter"]["data-encoding"] == "code0|code1|code2|code3"
    assert "∞)" in rows["claim-toy-searched"]["text"]
    assert "both <b>" in rows["source-K1"]["text"]
    assert "supported" in rows["source-K1"]["text"]
    assert "nothing is checked." in rows["source-D4"]["text"]


def test_a_screen_reader_finds_its_way(page):
    (html,) = page.all("html")
    assert html["lang"] == "en"
    for landmark in ("header", "nav", "main", "h1", "title"):
        assert len(page.all(landmark)) == 1
    levels = [int(one["tag"][1]) for one in page.elements if re.fullmatch("h[1-6]", one["tag"])]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert {one["scope"] for one in page.all("th")} == {"col", "row"}
    assert len(page.all("caption")) == len(page.all("table"))
    fields = page.all("select") + page.all("input")
    assert {one["id"] for one in fields} == {one["for"] for one in page.all("label")}
    assert all(one["aria-live"] == "polite" for one in page.all(role="status"))
    assert all("hidden" in one for one in page.all("form"))  # until the script runs, all is shown
    assert not page.all("tr", hidden=None)


def test_colours_have_contrast(page):
    def luminance(colour):
        parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
        return sum(weight * one for weight, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    def contrast(first, second):
        low, high = sorted((luminance(first), luminance(second)))
        return (high + 0.05) / (low + 0.05)

    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    (style,) = page.all("style")
    schemes = re.findall(r":root \{(.*?)\}", style["text"], flags=re.DOTALL)
    assert len(schemes) == 3  # light, dark, print
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+): (#\w{6})", scheme))
        for back in ("back", "band", "warn"):
            for front in ("text", "soft", "link", "good", "bad", "open"):
                assert contrast(colours[front], colours[back]) >= 4.5, (front, back)
        assert "focus" not in colours or contrast(colours["focus"], colours["back"]) >= 3


def test_no_figures_yet(text):
    assert "No figures were made yet in" in text
    assert "<code>python -m estimators.figures</code>" in text
