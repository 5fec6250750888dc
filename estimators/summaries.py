"""Pairs of a source and its summary: functions of the standard library and the first lines of their docstrings, or any.

From a module come its top-level functions and the methods of its classes, from `def` to the end, dedented, without
decorators and docstring; nested functions stay inside. The syntax tree of what is left is compared with the original.
"""

import ast
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from estimators.text_documents import RULE, Documents, checked_share, in_test, text_documents

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Pair:
    """Two texts as bytes. `document` names what is independent of other pairs: a module, or a row of a table."""

    document: str
    source: bytes
    summary: bytes


@dataclass(frozen=True)
class Pairs:
    """Pairs to train on, others to test on, and JSON-able `description`: corpus, rule of the split, counts."""

    train: tuple[Pair, ...]
    test: tuple[Pair, ...]
    description: dict[str, Any]


def docstring_pairs(documents: Documents | None = None, *, test_share: float = 0.2) -> Pairs:
    """Pairs from documents of Python, by default the standard library: a module's pairs are in the part of the module.

    Left out and counted in the description: `modules_not_parsed`, functions `without_docstring`, those whose body is
    `only_docstring`, and `not_separable` ones, whose text without docstring and indentation has another syntax tree.
    """
    documents = text_documents(test_share=test_share) if documents is None else documents
    counts: Counter[str] = Counter(modules_not_parsed=0, without_docstring=0, only_docstring=0, not_separable=0)
    parts = []
    for part in (documents.train, documents.test):
        found = [pair for document in part for pair in module_pairs(document.name, document.text, counts)]
        parts.append(found)
    description = documents.description
    return two_parts(*parts, corpus=f"docstrings of {description['corpus']}", split=description["split"], **counts)


def module_pairs(name: str, text: bytes, counts: Counter[str]) -> Iterator[Pair]:
    """The pairs of one module in the order of its text; what is left out is added to `counts`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the parser's remarks on the style of the text
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        counts["modules_not_parsed"] += 1
        return
    lines = text.splitlines(keepends=True)
    for node in _functions(tree.body):
        summary = (ast.get_docstring(node) or "").split("\n")[0].strip()
        if not summary:
            counts["without_docstring"] += 1
        elif len(node.body) == 1:
            counts["only_docstring"] += 1
        elif (source := without_docstring(lines, node)) is None:
            counts["not_separable"] += 1
        else:
            yield Pair(name, source, summary.encode())


def without_docstring(lines: Sequence[bytes], node: Function) -> bytes | None:
    """The dedented text of a function without its docstring; None unless its syntax tree is that of the rest."""
    string, after = node.body[0], node.body[1]
    first, end = node.lineno - 1, node.end_lineno or node.lineno
    if string.end_lineno == after.lineno:  # docstring and statement on one line: what precedes the docstring stays
        shared = lines[string.lineno - 1][: string.col_offset] + lines[after.lineno - 1][after.col_offset :]
        kept = [*lines[first : string.lineno - 1], shared, *lines[after.lineno : end]]
    else:
        kept = [*lines[first : string.lineno - 1], *lines[string.end_lineno or string.lineno : end]]
    indent = node.col_offset
    bare = [line[indent:] if not line[:indent].strip() else line for line in kept]
    text = b"".join(line if line.strip() else b"\n" for line in bare).strip() + b"\n"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rest = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError):
        return None
    if len(rest) != 1 or not isinstance(rest[0], Function) or ast.get_docstring(rest[0]) is not None:
        return None
    fields = [name for name in node._fields if name not in ("body", "decorator_list")]
    same = _same(node.body[1:], rest[0].body) and all(_same(getattr(node, f), getattr(rest[0], f)) for f in fields)
    return text if same and type(node) is type(rest[0]) else None


def _same(first: Any, second: Any) -> bool:
    """Equal syntax trees, whatever their places in the text."""
    if first is second:
        return True
    if type(first) is not type(second):
        return False
    if isinstance(first, ast.AST):
        return all(_same(getattr(first, name, None), getattr(second, name, None)) for name in first._fields)
    if isinstance(first, list):
        return len(first) == len(second) and all(map(_same, first, second))
    return first == second


def two_parts(train: Iterable[Pair], test: Iterable[Pair], *, corpus: str, split: str, **more: Any) -> Pairs:
    """Both parts, described. Test pairs whose source occurs in train are left out and counted in `test_in_train`.

    Raises:
        ValueError: a part without pairs.
    """
    first, given = tuple(train), tuple(test)
    seen = {pair.source for pair in first}
    second = tuple(pair for pair in given if pair.source not in seen)
    for part, found, other in (("train", first, second), ("test", second, first)):
        if not found:
            raise ValueError(f"the {part} part of {corpus} has no pairs ({len(other)} in the other part): give more "
                             "pairs, or another test_share")  # fmt: skip
    described = {"corpus": corpus, "split": split, "train_pairs": len(first), "test_pairs": len(second)}
    return Pairs(first, second, described | {"test_in_train": len(given) - len(second)} | more)


def split_pairs(rows: Iterable[tuple[str, str]], *, corpus: str, test_share: float = 0.2, **more: Any) -> Pairs:
    """Rows (source, summary), each its own document, split by the SHA-256 of the source: equal sources share a part."""
    checked_share(test_share)
    parts: tuple[list[Pair], list[Pair]] = ([], [])
    for row, (source, summary) in enumerate(rows):
        parts[in_test(source, test_share)].append(Pair(f"row {row}", source.encode(), summary.encode()))
    return two_parts(*parts, corpus=corpus, split=RULE.format(what="the source", share=test_share), **more)


def _functions(body: Iterable[ast.stmt]) -> Iterator[Function]:
    for node in body:
        if isinstance(node, Function):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body)
