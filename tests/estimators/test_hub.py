"""Hugging Face data sets, written here in their own formats and read back; no network."""

import json
import sys

import pytest

from estimators import hub
from estimators.hub import hub_documents, hub_pairs

TEXTS = {"train": ["first text", "zweiter Text äöü", "", "third"], "test": ["fourth", "first text", "fifth"]}


def advice(call, *parts):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        call()
    message = str(error.value)
    assert "\n" not in message
    for part in parts:
        assert part in message, (part, message)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The library, kept from the network and from the cache of the user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("HF_DATASETS_OFFLINE", "1")
        found = pytest.importorskip("datasets", reason="needs the extra hub")
        patch.setattr(found.config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))
        patch.setattr(found.config, "HF_HUB_OFFLINE", True)
        yield found


@pytest.fixture
def saved(library, tmp_path):
    table = {split: library.Dataset.from_dict({"text": texts, "n": list(range(len(texts)))})
             for split, texts in TEXTS.items()}  # fmt: skip
    library.DatasetDict(table).save_to_disk(tmp_path / "saved")
    return tmp_path / "saved"


def test_a_saved_data_set_with_its_own_splits(saved):
    found = hub_documents(saved)
    assert [document.text.decode() for document in found.train] == ["first text", "zweiter Text äöü", "third"]
    assert [document.text for document in found.test] == [b"fourth", b"fifth"]
    said = json.loads(json.dumps(found.description))
    assert (said["empty"], said["test_in_train"], said["rows_unread"]) == (1, 1, 0)
    assert "own splits" in said["split"]
    swapped = hub_documents(saved, train="test", test="train")
    assert [document.text for document in swapped.train] == [b"fourth", b"first text", b"fifth"]


def test_the_limit_stops_at_whole_rows_and_is_said(saved):
    found = hub_documents(saved, limit=11)
    assert len(found.train) == 2
    assert found.description["rows_unread"] == 2 + 1
    advice(lambda: hub_documents(saved, limit=0), "limit")


def test_one_split_is_split_by_the_text(library, tmp_path):
    texts = [f"text {index}" for index in range(40)]
    library.Dataset.from_dict({"body": texts}).save_to_disk(tmp_path / "one")
    found = hub_documents(tmp_path / "one", column="body", test_share=0.3)
    assert sorted(d.text.decode() for d in found.train + found.test) == sorted(texts)
    assert 3 < len(found.test) < 25
    assert "SHA-256" in found.description["split"]


def test_a_folder_of_data_files(library, tmp_path):
    for split, texts in TEXTS.items():
        lines = [json.dumps({"text": text}) for text in texts]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
    found = hub_documents(tmp_path)
    assert [document.text for document in found.test] == [b"fourth", b"fifth"]


def test_pairs(library, tmp_path):
    rows = {"document": ["a", "b", " ", "c"], "summary": ["A", "B", "C", ""]}
    second = library.Dataset.from_dict({"document": ["d", "a"], "summary": ["D", "A"]})
    table = library.DatasetDict(train=library.Dataset.from_dict(rows), test=second)
    table.save_to_disk(tmp_path / "pairs")
    found = hub_pairs(tmp_path / "pairs", source="document")
    assert [(pair.source, pair.summary) for pair in found.train] == [(b"a", b"A"), (b"b", b"B")]
    assert [(pair.source, pair.summary) for pair in found.test] == [(b"d", b"D")]
    assert (found.description["blank"], found.description["test_in_train"]) == (2, 1)
    table["train"].save_to_disk(tmp_path / "alone")
    alone = hub_pairs(tmp_path / "alone", source="document", test_share=0.5)
    assert {pair.source for pair in alone.train + alone.test} == {b"a", b"b"}
    assert alone.description["blank"] == 2


def test_bad_input_is_told_in_one_line(library, saved, tmp_path):
    advice(lambda: hub_documents(saved, column="txt"), "no column txt", "use one of text, n")
    advice(lambda: hub_documents(saved, train="dev"), "no split dev", "train, test")
    advice(lambda: hub_documents(saved, test="dev"), "no split dev", "train, test")
    advice(lambda: hub_documents(saved, column="n"), "row 0", "int in n", "not a text")
    advice(lambda: hub_documents(tmp_path / "none"), "cannot load the data set")
    advice(lambda: hub_documents("no-such-owner/no-such-data-set"), "cannot load the data set")
    (tmp_path / "empty").mkdir()
    advice(lambda: hub_documents(tmp_path / "empty"), "cannot load the data set")
    state = next((saved / "train").glob("*.arrow"))
    state.write_bytes(state.read_bytes()[:20])
    advice(lambda: hub_documents(saved), "cannot load the data set")


def test_without_the_extra_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    for call in (hub_documents, hub_pairs):
        advice(lambda call=call: call("any"), "pip install 'positional-encoding-bounds[hub]'")
    assert hub.ADVICE.count("\n") == 0
