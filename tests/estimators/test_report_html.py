"""Text and attributes come back from a parser as they were given, whatever they hold."""

from html_reader import Reader
from hypothesis import given
from hypothesis import strategies as st

from estimators.report_html import Markup, definitions, inner, table, tag

# A parser replaces carriage returns, NUL and lone surrogates, as a browser does.
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1) | st.sampled_from(
    ["<script>alert(1)</script>", "a & b", "&lt;", '"quoted"', "it's", "</p>", "<!--", "]]>"]
)


@given(TEXTS, TEXTS)
def test_text_and_attributes_are_what_was_given(text, value):
    page = Reader(tag("p", text, title=value))
    (element,) = page.elements
    assert page.errors == []
    assert (element["tag"], element["text"], element["title"]) == ("p", text, value)


@given(st.lists(TEXTS, min_size=1))
def test_lists_and_nesting(texts):
    page = Reader(tag("ul", [tag("li", text) for text in texts], None, "end"))
    assert [one["text"] for one in page.all("li")] == texts
    assert page.all("ul")[0]["text"] == "".join(texts) + "end"


def test_markup_is_put_in_as_it_is():
    assert inner("<b>", Markup("<b>")) == "&lt;b&gt;<b>"
    assert tag("b", tag("i", "<")) == "<b><i>&lt;</i></b>"


def test_attributes():
    made = tag("input", class_="x", data_topic="y", hidden=True, value=None, checked=False, name="z")
    assert made == '<input class="x" data-topic="y" hidden name="z">'


def test_tables_and_definitions():
    page = Reader(table("Rows", ("a", "b"), [tag("tr", tag("td", "1"), tag("td", "2"))], right=("b",)))
    assert [(one["text"], one["scope"], one["class"]) for one in page.all("th", class_="number")] == [
        ("b", "col", "number")
    ]
    assert page.all("div")[0]["aria-label"] == page.all("caption")[0]["text"] == "Rows"
    assert [one["text"] for one in Reader(definitions([("x", "1"), ("y", None)])).all("dd")] == ["1", ""]
