"""Documents and pairs from a Hugging Face data set, local or by name, with the extra `hub` (the `datasets` library)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from estimators.samples import positive
from estimators.summaries import Pair, Pairs, split_pairs
from estimators.summaries import two_parts as two_parts_of_pairs
from estimators.text_documents import Document, Documents, rows_split, two_parts

ADVICE = "Hugging Face data sets need the extra hub: pip install 'positional-encoding-bounds[hub]'"
LIMIT = 50_000_000  # bytes read of each split


def hub_documents(
    place: str | Path,
    *,
    column: str = "text",
    train: str = "train",
    test: str | None = None,
    config: str | None = None,
    limit: int = LIMIT,
    test_share: float = 0.2,
) -> Documents:
    """Every row's text in `column` is one document.

    `place` is a folder written by `save_to_disk`, a folder of data files, or a name on the hub, which is downloaded.
    `train` and `test` are its splits; `test` None takes the split named test, and if there is none, rows of `train` are
    split by the SHA-256 of their text. Rows are read in order until a split has `limit` bytes; `rows_unread` counts the
    rest.

    Raises:
        ValueError: the extra is missing; no such place, split, column; rows that are not text; an empty part.
    """
    splits = _splits(place, config, train)
    first, unread = _column_texts(splits, train, (column,), place, limit)
    corpus = f"{place} ({column})"
    test = test or ("test" if "test" in splits and train != "test" else None)
    if test is None:
        texts = [row[0] for row in first]
        return rows_split(texts, corpus=corpus, test_share=test_share, rows_unread=unread)
    second, more = _column_texts(splits, test, (column,), place, limit)
    parts = [
        [Document(f"{split} {row}", texts[0].encode()) for row, texts in enumerate(rows)]
        for split, rows in ((train, first), (test, second))
    ]
    said = f"the data set's own splits {train} and {test}"
    return two_parts(*parts, corpus=corpus, split=said, rows_unread=unread + more)


def hub_pairs(
    place: str | Path,
    *,
    source: str = "source",
    summary: str = "summary",
    train: str = "train",
    test: str | None = None,
    config: str | None = None,
    limit: int = LIMIT,
    test_share: float = 0.2,
) -> Pairs:
    """Every row is a pair of the columns `source` and `summary`, else as `hub_documents`. Rows where one of the two is
    blank are left out and counted in `blank`."""
    splits = _splits(place, config, train)
    found, unread = _column_texts(splits, train, (source, summary), place, limit)
    filled = [(a, b) for a, b in found if a.strip() and b.strip()]
    corpus, blank = f"{place} ({source}, {summary})", len(found) - len(filled)
    test = test or ("test" if "test" in splits and train != "test" else None)
    if test is None:
        counts = {"rows_unread": unread, "blank": blank}
        return split_pairs(filled, corpus=corpus, test_share=test_share, **counts)
    second, more = _column_texts(splits, test, (source, summary), place, limit)
    filled_second = [(a, b) for a, b in second if a.strip() and b.strip()]
    counts = {"rows_unread": unread + more, "blank": blank + len(second) - len(filled_second)}
    parts = [
        [Pair(f"{split} {row}", a.encode(), b.encode()) for row, (a, b) in enumerate(rows)]
        for split, rows in ((train, filled), (test, filled_second))
    ]
    said = f"the data set's own splits {train} and {test}"
    return two_parts_of_pairs(*parts, corpus=corpus, split=said, **counts)


def _splits(place: str | Path, config: str | None, train: str) -> Mapping[str, Any]:
    """Name of split -> data set; a data set without splits is its own split `train`."""
    try:
        import datasets  # an extra: not every user has it
    except ImportError:
        raise ValueError(ADVICE) from None
    datasets.disable_progress_bars()
    folder = Path(place)
    try:
        saved = any((folder / name).is_file() for name in ("dataset_info.json", "dataset_dict.json", "state.json"))
        found = datasets.load_from_disk(str(folder)) if saved else datasets.load_dataset(str(place), name=config)
    except Exception as error:  # whatever the library and what it stands on raise; all of it is about `place`
        detail = " ".join(str(error).split())[:300] or type(error).__name__
        raise ValueError(f"cannot load the data set {place}: {detail}: give a folder written by save_to_disk, a folder "
                         "of data files, or a name on the hub that can be reached") from None  # fmt: skip
    return {str(name): table for name, table in found.items()} if isinstance(found, dict) else {train: found}


def _column_texts(
    splits: Mapping[str, Any], split: str, columns: tuple[str, ...], place: str | Path, limit: int
) -> tuple[list[tuple[str, ...]], int]:
    """The texts of the columns, row by row, and how many rows were not read."""
    limit = positive("limit", limit)
    if split not in splits:
        raise ValueError(f"{place} has no split {split}: use one of {', '.join(map(str, splits))}")
    table = splits[split]
    if missing := [name for name in columns if name not in table.column_names]:
        raise ValueError(f"{place}, {split}, has no column {missing[0]}: use one of {', '.join(table.column_names)}")
    rows: list[tuple[str, ...]] = []
    read = 0
    for row in table.select_columns(list(columns)):
        if read >= limit:
            break
        texts = tuple(row[name] for name in columns)
        if wrong := [text for text in texts if not isinstance(text, str)]:
            raise ValueError(f"{place}, {split}, row {len(rows)}: {type(wrong[0]).__name__} in {', '.join(columns)}, "
                             "not a text: choose columns of text")  # fmt: skip
        rows.append(texts)
        read += sum(len(text.encode()) for text in texts)
    return rows, len(table) - len(rows)
