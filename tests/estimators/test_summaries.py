"""Pairs of a source and its summary: what they hold, and one line of advice for bad files."""

import ast
import csv
import inspect
import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.summaries import docstring_pairs, module_pairs, split_pairs
from estimators.summary_files import pairs_from
from estimators.text_documents import Document, Documents

MODULE = b'''"""Module."""
import os


@os.decorated
def first(a):
    """First line.

    More.
    """
    return a  # comment


class Outer:
    """No function."""

    def method(self, b: "str" = \'x\') -> int:
        r"""Method's line."""

        if b:

            return 1
        def inner():
            "Inner, which stays."
            return 2
        return inner

    class Inner:
        async def deep(self):
            """
            Second line of the literal.
            """
            await b

def one_line(): "On one line."; return 1

def two(x):
    """Followed."""; y = x
    return y

def only():
    """Nothing else."""

def none():
    return """text
  with lines"""

def blank():
    """   """
    return 3

def less():
    """Text that begins left of the function."""
    return """
left"""
class C:
    def kept_text(self):
        """Dedenting would change this string."""
        return """
    inside
        """
'''


def advice(call, *parts):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        call()
    message = str(error.value)
    assert "\n" not in message
    for part in parts:
        assert part in message, (part, message)


# ---- functions and docstrings


def test_functions_of_a_module():
    counts: Counter[str] = Counter()
    found = {pair.source.split(b"(")[0].split()[-1].decode(): pair for pair in module_pairs("m", MODULE, counts)}
    assert {name: pair.summary.decode() for name, pair in found.items()} == {
        "first": "First line.",
        "method": "Method's line.",
        "deep": "Second line of the literal.",
        "one_line": "On one line.",
        "two": "Followed.",
        "less": "Text that begins left of the function.",
    }
    assert found["first"].source == b"def first(a):\n    return a  # comment\n"
    assert found["deep"].source == b"async def deep(self):\n    await b\n"
    assert found["one_line"].source == b"def one_line(): return 1\n"
    assert found["two"].source == b"def two(x):\n    y = x\n    return y\n"
    assert found["method"].source.startswith(
        b"def method(self, b: \"str\" = 'x') -> int:\n\n    if b:\n\n        return 1\n"
    )
    assert b"Inner, which stays." in found["method"].source
    assert counts == {"without_docstring": 2, "only_docstring": 1, "not_separable": 1}
    assert not list(module_pairs("m", b"def broken(:", counts))
    assert counts["modules_not_parsed"] == 1


@pytest.mark.parametrize("module", [ast, inspect, json.decoder, pytest])
def test_real_modules_give_sources_that_parse_without_the_docstring(module):
    text = inspect.getsource(module).encode()
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for pair in module_pairs("m", text, Counter()):
        (node,) = ast.parse(pair.source).body
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        assert ast.get_docstring(node) is None
        assert pair.summary
        assert pair.summary.split(b"\n") == [pair.summary]
        assert pair.summary in text
        # A second way to the same code: the syntax tree without docstring, written out by `ast`.
        (original,) = [
            other
            for other in functions
            if other.name == node.name
            and (ast.get_docstring(other) or "").split("\n")[0].strip().encode() == pair.summary
            and ast.unparse(other.body[1:]) == ast.unparse(node.body)
        ][:1]
        assert ast.unparse(original.args) == ast.unparse(node.args)


def documents_of(train, test):
    parts = (tuple(Document(f"{part}{i}", text) for i, text in enumerate(texts))
             for part, texts in (("train", train), ("test", test)))  # fmt: skip
    return Documents(*parts, {"corpus": "given", "split": "by hand"})


def function(name, words="Words.", body="return 1"):
    return f'def {name}():\n    """{words}"""\n    {body}\n'.encode()


def test_pairs_stay_in_the_part_of_their_module_and_repeated_sources_leave_test():
    found = docstring_pairs(documents_of([function("a"), function("b")], [function("b", "Other."), function("c")]))
    assert [pair.document for pair in found.train] == ["train0", "train1"]
    assert [(pair.document, pair.source[:5]) for pair in found.test] == [("test1", b"def c")]
    assert found.description["test_in_train"] == 1
    json.dumps(found.description, allow_nan=False)
    advice(
        lambda: docstring_pairs(documents_of([function("a")], [b"x = 1"])), "test part", "no pairs", "1 in the other"
    )


@pytest.mark.slow
def test_pairs_of_the_standard_library():
    found = docstring_pairs()
    assert len(found.train) > 3000
    assert len(found.test) > 500
    assert not {pair.document for pair in found.train} & {pair.document for pair in found.test}
    assert not {pair.source for pair in found.train} & {pair.source for pair in found.test}
    assert found.description["not_separable"] < 50
    short = [pair for pair in found.train if len(pair.summary) <= 80]
    assert len(short) > 0.99 * len(found.train)


# ---- files


def write(tmp_path, name, text):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return tmp_path / name


@given(rows=st.lists(st.tuples(*[st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1)
                                 .filter(str.strip)] * 2), min_size=2, max_size=8))  # fmt: skip
@settings(max_examples=30, deadline=None)
def test_both_formats_round_trip(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("pairs")
    with open(folder / "a.csv", "w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("id", "summary", "source"), *((1, b, a) for a, b in rows)])
    lines = [json.dumps({"source": a, "summary": b, "more": 1}, ensure_ascii=False) for a, b in rows]
    write(folder, "a.jsonl", "\n".join(lines) + "\n\n")
    expected = {(a.encode(), b.encode()) for a, b in rows}
    try:
        wanted = split_pairs(rows, corpus="x", test_share=0.5)
    except ValueError:  # all in one part
        for name in ("a.csv", "a.jsonl"):
            advice(lambda name=name: pairs_from(folder / name, test_share=0.5), "no pairs")
        return
    for name in ("a.csv", "a.jsonl"):
        found = pairs_from(folder / name, test_share=0.5)
        assert {(pair.source, pair.summary) for pair in found.train + found.test} == expected
        assert (found.train, found.test) == (wanted.train, wanted.test)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "source,text\na,b\n", ("line 1", "no column summary", "source, text")),
        ("a.csv", "", ("no pairs",)),
        ("a.csv", "source,summary\n", ("no pairs",)),
        ("a.csv", "source,summary\na,b\nc\n", ("line 3", "1 fields, but 2 columns")),
        ("a.csv", 'source,summary\n"a\nb",c\nd,e,f\n', ("line 4", "3 fields")),
        ("a.csv", 'source,summary\na,b\nc,"d"e\n', ("line 3", "double quote")),
        ("a.csv", 'source,summary\na,"b\n', ("line 2", "double quote")),
        ("a.csv", "source,summary\na,b\nc, \n", ("line 3", "summary is empty")),
        ("a.csv", b"source,summary\na,\xff\n", ("0xff at offset 17 is not UTF-8",)),
        ("a.jsonl", "", ("no pairs",)),
        ("a.jsonl", '{"source": "a", "summary": "b"}\n{"source": \n', ("line 2 is not JSON", "object per line")),
        ("a.jsonl", "[1]\n", ("line 1 is no JSON object",)),
        ("a.jsonl", '\n{"source": "a"}\n', ("line 2", "no column summary")),
        ("a.jsonl", '{"source": "a", "summary": 3}\n', ("line 1", "summary is int")),
        ("a.jsonl", '{"source": "a", "summary": null}\n', ("line 1", "summary is NoneType")),
        ("a.jsonl", '{"source": " ", "summary": "b"}\n', ("line 1", "source is empty")),
        ("a.jsonl", '{"source": "\\ud800", "summary": "b"}\n', ("line 1", "surrogate")),
        ("a.jsonl", "[" * 100_000 + "\n", ("line 1",)),
        ("a.tsv", "source\tsummary\n", ("no ending .csv or .jsonl",)),
    ],
)
def test_bad_files(tmp_path, name, text, words):
    advice(lambda: pairs_from(write(tmp_path, name, text)), *words)


def test_bad_places(tmp_path):
    advice(lambda: pairs_from(tmp_path / "none.csv"), "no file")
    (tmp_path / "folder.csv").mkdir()
    advice(lambda: pairs_from(tmp_path / "folder.csv"), "is a folder")
    file = write(tmp_path, "a.jsonl", '{"source": "a", "summary": "b"}\n')
    advice(lambda: pairs_from(file), "no pairs", "1 in the other part")
    advice(lambda: pairs_from(file, test_share=2.0), "test_share")
