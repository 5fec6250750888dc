"""Documents of bytes in two parts, to train on and to test on: standard library sources, a file, a folder, or any rows.

Split rule of named documents: the first 8 bytes of the SHA-256 of the name, read as a big-endian integer and divided by
2^64, are below `test_share` for the test part. A file stays in its part when other files come and go, so the parts of
two patch versions of Python differ only by files that were added, removed or edited.
"""

import hashlib
import math
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from estimators import corpus

RULE = "by the SHA-256 of {what}: test if its first 8 bytes, divided by 2^64, are below {share:g}"
TABLES = "encodings/"  # files of the standard library that are near-copies of each other: they would sit in both parts
SHARED_LINE = 20  # bytes without surrounding blanks from which a line found in both parts is counted


@dataclass(frozen=True)
class Document:
    """One text as bytes; documents are what intervals take as independent."""

    name: str
    text: bytes


@dataclass(frozen=True)
class Documents:
    """Documents to train on, others to test on, and JSON-able `description`: corpus, rule of the split, counts."""

    train: tuple[Document, ...]
    test: tuple[Document, ...]
    description: dict[str, Any]

    def require(self, *, train_length: int, test_length: int) -> None:
        """ValueError unless a window of train_length + 1 bytes, and in test one of 2 test_length bytes, exists.

        The test passage is test_length bytes to score behind test_length bytes of context.
        """
        for part, needed, said in (
            ("train", train_length + 1, f"train length {train_length} needs {train_length + 1}"),
            ("test", 2 * test_length, f"test length {test_length} needs {2 * test_length}, context and scored bytes"),
        ):
            longest = max(len(document.text) for document in getattr(self, part))
            if longest < needed:
                fits = longest - 1 if part == "train" else longest // 2
                advice = f"use {part} lengths up to {fits}, or longer text" if fits else "give longer text"
                raise ValueError(f"the longest {part} document of {self.description['corpus']} has {longest} bytes, "
                                 f"but {said}: {advice}")  # fmt: skip


def in_test(name: str, test_share: float) -> bool:
    """Whether a document of this name belongs to the test part."""
    return (
        int.from_bytes(hashlib.sha256(name.encode(errors="surrogateescape")).digest()[:8], "big") / 2**64 < test_share
    )


def checked_share(test_share: float) -> float:
    """ValueError unless 0 < test_share < 1."""
    if not (math.isfinite(test_share) and 0 < test_share < 1):
        raise ValueError(f"test_share must lie strictly between 0 and 1, got {test_share}: use test_share=0.2")
    return test_share


def two_parts(
    train: Iterable[Document], test: Iterable[Document], *, corpus: str, split: str, **more: Any
) -> Documents:
    """Both parts, described. Empty documents, and test documents equal to one of train, are left out and counted.

    description: `train_documents`, `test_documents`, `train_bytes`, `test_bytes`, `empty`, `test_in_train`, `sha256` of
    both parts, and `shared_line_share`: the share of test bytes in lines of at least 20 bytes that occur in train too,
    which a model can have by heart.

    Raises:
        ValueError: a part without text.
    """
    given = tuple(train), tuple(test)
    first = tuple(document for document in given[0] if document.text)
    seen = {document.text for document in first}
    filled = tuple(document for document in given[1] if document.text)
    second = tuple(document for document in filled if document.text not in seen)
    for part, found, other in (("train", first, second), ("test", second, first)):
        if not found:
            raise ValueError(f"the {part} part of {corpus} is empty ({len(other)} documents in the other part): give "
                             "more text, or another test_share, or one file, which is cut in two")  # fmt: skip
    digest = hashlib.sha256()
    for document in first + second:
        digest.update(len(document.text).to_bytes(8, "big") + document.text)
    described = {
        "corpus": corpus,
        "split": split,
        "train_documents": len(first),
        "test_documents": len(second),
        "train_bytes": sum(len(document.text) for document in first),
        "test_bytes": sum(len(document.text) for document in second),
        "empty": sum(not document.text for part in given for document in part),
        "test_in_train": len(filled) - len(second),
        "shared_line_share": _shared_line_share(first, second),
        "sha256": digest.hexdigest(),
    }
    return Documents(first, second, described | more)


def text_documents(path: str | Path | None = None, *, test_share: float = 0.2) -> Documents:
    """Documents of UTF-8 text, split into train and test.

    `path` None takes the standard library sources of the running Python, a folder every visible file below it: one
    document per file, split by its name relative to the folder (see the top of this file). One file is cut once, at
    the character at or before (1 - test_share) of its bytes; the end is the one test document.

    Files the user names must be UTF-8 without NUL bytes; those of the standard library that are not are counted in
    `not_text`. Its character tables `encodings/`, near-copies of each other, are left out and counted in `tables`.

    Raises:
        ValueError: place missing, unreadable or not text, test_share outside (0, 1), an empty part; with advice.
    """
    checked_share(test_share)
    if path is not None and Path(path).is_file():
        return _cut(Path(path), test_share)
    found = corpus._standard_library() if path is None else corpus._given(Path(path))
    root = Path(os.__file__).parent if path is None else Path(path)
    parts: tuple[list[Document], list[Document]] = ([], [])
    not_text = tables = 0
    for file in found.files:
        name = file.relative_to(root).as_posix()
        if not found.given and name.startswith(TABLES):
            tables += 1
            continue
        try:
            document = Document(name, _text_of(file))
        except ValueError:
            if found.given:
                raise
            not_text += 1
            continue
        parts[in_test(document.name, test_share)].append(document)
    more: dict[str, Any] = {"left_out": found.left_out}
    if not found.given:
        more = {"not_text": not_text, "tables": tables, "python": platform.python_version()}
    rule = RULE.format(what="the file name relative to the folder", share=test_share)
    return two_parts(*parts, corpus=found.name, split=rule, **more)


def rows_split(texts: Sequence[str], *, corpus: str, test_share: float = 0.2, **more: Any) -> Documents:
    """Every text is one document; the split is by the SHA-256 of the text itself, so equal texts share a part."""
    checked_share(test_share)
    parts: tuple[list[Document], list[Document]] = ([], [])
    for row, text in enumerate(texts):
        parts[in_test(text, test_share)].append(Document(f"row {row}", text.encode()))
    return two_parts(*parts, corpus=corpus, split=RULE.format(what="the text", share=test_share), **more)


def _cut(file: Path, test_share: float) -> Documents:
    text = _text_of(file)
    at = round(len(text) * (1 - test_share))
    while 0 < at < len(text) and text[at] & 0xC0 == 0x80:  # inside a character
        at -= 1
    split = f"one file, cut once: bytes 0 to {at - 1} to train, the rest to test"
    parts = [Document(f"{file.name}, start", text[:at])], [Document(f"{file.name}, end", text[at:])]
    return two_parts(*parts, corpus=str(file), split=split)


def _text_of(file: Path) -> bytes:
    """The bytes of a file of UTF-8 text; ValueError if it is not or cannot be read."""
    corpus.check_text(file)
    return file.read_bytes()


def _shared_line_share(train: Sequence[Document], test: Sequence[Document]) -> float:
    known = {line for document in train for line in map(bytes.strip, document.text.splitlines())}
    total = sum(len(document.text) for document in test)
    shared = 0
    for document in test:
        for line in document.text.splitlines(keepends=True):
            bare = line.strip()
            shared += len(line) if len(bare) >= SHARED_LINE and bare in known else 0
    return shared / total
