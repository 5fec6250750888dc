"""Documents, their split, and windows: what they contain, and one line of advice for every bad input."""

import hashlib
import inspect
import json
import os
from pathlib import Path

import numpy as np
import pytest

from estimators.text_batches import scored_passages, training_windows
from estimators.text_documents import Document, Documents, in_test, rows_split, text_documents, two_parts


def advice(call, *parts):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        call()
    message = str(error.value)
    assert "\n" not in message
    for part in parts:
        assert part in message, (part, message)


def folder_of(tmp_path, texts):
    for name, text in texts.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text)
    return tmp_path


@pytest.fixture(scope="module")
def library():
    return text_documents()


# ---- the standard library


def test_the_standard_library_is_split_by_the_hash_of_the_file_name(library):
    root = Path(os.__file__).parent
    for part, share in ((library.train, 0.0), (library.test, 1.0)):
        for document in part:
            number = int(hashlib.sha256(document.name.encode()).hexdigest()[:16], 16) / 16**16
            assert (number < 0.2) == bool(share)
            assert document.text == (root / document.name).read_bytes()
    assert 0.1 < len(library.test) / (len(library.train) + len(library.test)) < 0.3
    assert not {d.name for d in library.train} & {d.name for d in library.test}
    # The rule itself must not change between versions: results of other machines would be of other splits.
    assert [in_test(name, 0.2) for name in ("argparse.py", "bz2.py", "json/decoder.py", "subprocess.py")] == [
        *(False, True, False, True)
    ]


def test_what_the_description_says(library):
    said = json.loads(json.dumps(library.description, allow_nan=False))
    assert said["train_bytes"] == sum(len(d.text) for d in library.train)
    assert said["test_documents"] == len(library.test)
    assert said["tables"] > 50
    assert not any(d.name.startswith("encodings/") for d in library.train + library.test)
    assert 0 < said["shared_line_share"] < 0.1
    library.require(train_length=32, test_length=1024)
    advice(lambda: library.require(train_length=32, test_length=10**6), "test length 1000000 needs 2000000")


# ---- a folder, a file, rows


def test_a_folder(tmp_path):
    names = [f"{index}.txt" for index in range(20)] + ["deep/er.txt"]
    found = text_documents(folder_of(tmp_path, {name: name.encode() * 9 for name in names}), test_share=0.3)
    assert sorted(d.name for d in found.train + found.test) == sorted(names)
    assert all(in_test(d.name, 0.3) for d in found.test)
    assert not any(in_test(d.name, 0.3) for d in found.train)
    assert found.description["left_out"] == 0


def test_one_file_is_cut_between_characters(tmp_path):
    text = "äöü€" * 25  # 9 bytes per period
    file = folder_of(tmp_path, {"one.txt": text.encode()}) / "one.txt"
    for share in (0.5, 0.2, 0.11, 0.013):
        found = text_documents(file, test_share=share)
        assert len(found.train) == len(found.test) == 1
        first, second = found.train[0].text, found.test[0].text
        assert (first + second).decode() == text
        first.decode()
        assert 0 <= len(second) - share * len(text.encode()) <= 3.5
        assert "cut once" in found.description["split"]


def test_equal_and_empty_documents_are_left_out_and_counted(tmp_path):
    train = [Document("a", b"same"), Document("b", b"")]
    found = two_parts(train, [Document("c", b"same"), Document("d", b"own")], corpus="x", split="y")
    assert [d.name for d in found.test] == ["d"]
    assert (found.description["test_in_train"], found.description["empty"]) == (1, 1)


def test_lines_of_test_that_occur_in_train():
    line = b"a line of more than twenty bytes\n"
    train = [Document("a", b"  " + line + b"short\n")]
    test = [Document("b", line + b"short\n" + b"another line of more than twenty bytes\n")]
    found = two_parts(train, test, corpus="x", split="y")
    assert found.description["shared_line_share"] == len(line) / len(test[0].text)


def test_rows_with_one_text_share_a_part():
    texts = [f"text {index % 40}" for index in range(80)]
    found = rows_split(texts, corpus="x", test_share=0.4)
    assert not {d.text for d in found.train} & {d.text for d in found.test}
    assert found.description["test_in_train"] == 0
    assert len(found.train) + len(found.test) == 80


def test_bad_places(tmp_path):
    advice(lambda: text_documents(tmp_path / "none"), "no text at", "give an existing")
    folder_of(tmp_path / "latin", {"a.txt": b"caf\xe9", "b.txt": b"x"})
    advice(lambda: text_documents(tmp_path / "latin"), "a.txt", "0xe9 at offset 3 is not UTF-8", "iconv")
    advice(lambda: text_documents(tmp_path / "latin" / "a.txt"), "is not UTF-8")
    (tmp_path / "empty").mkdir()
    advice(lambda: text_documents(tmp_path / "empty"), "holds no files")
    folder_of(tmp_path / "blank", {"a.txt": b""})
    advice(lambda: text_documents(tmp_path / "blank" / "a.txt"), "train part", "is empty")
    one_sided = folder_of(tmp_path / "few", {f"{i}.txt": b"text" for i in range(9) if not in_test(f"{i}.txt", 0.2)})
    advice(lambda: text_documents(one_sided), "the test part", "is empty", "one file, which is cut in two")
    for share in (0.0, 1.0, float("nan")):
        advice(lambda share=share: text_documents(test_share=share), "test_share")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable(tmp_path):
    file = folder_of(tmp_path, {"a.txt": b"text"}) / "a.txt"
    file.chmod(0)
    advice(lambda: text_documents(file), "cannot read", "permissions")


def test_too_short_for_a_length():
    found = Documents((Document("a", b"x" * 33),), (Document("b", b"y" * 64),), {"corpus": "x"})
    found.require(train_length=32, test_length=32)
    advice(lambda: found.require(train_length=33, test_length=32), "train length 33 needs 34", "up to 32")
    advice(lambda: found.require(train_length=32, test_length=33), "test length 33 needs 66", "up to 32")


# ---- windows to train on


def constant_documents(sizes):
    """Document i consists of byte i: a window that leaves it is not constant."""
    return [Document(str(index), bytes([index]) * size) for index, size in enumerate(sizes)]


def test_windows_stay_inside_one_document():
    documents = constant_documents([40, 8, 9, 3, 200])
    found = training_windows(documents, steps=50, batch=40, length=8, seed=3)
    every = np.concatenate([found.inputs, found.targets[..., -1:]], axis=-1).reshape(-1, 9)
    assert (every == every[:, :1]).all()
    assert found.scored.all()
    assert found.inputs.dtype == found.targets.dtype == np.int32
    # weights n - length: 32, 0, 1, 0, 192 of 225
    share = np.bincount(every[:, 0], minlength=5) / len(every)
    assert share[1] == share[3] == 0
    assert abs(share[0] - 32 / 225) < 5 * np.sqrt(32 / 225 / 2000)
    assert share[2] > 0


def test_its_falsified_twin():
    """The same bytes as one document give windows of several bytes, which the check above sees."""
    joined = [Document("joined", b"".join(document.text for document in constant_documents([40, 8, 9, 3, 200])))]
    every = training_windows(joined, steps=50, batch=40, length=8, seed=3).inputs.reshape(-1, 8)
    assert not (every == every[:, :1]).all()


def test_targets_are_the_next_bytes_and_every_place_occurs():
    text = bytes(range(100))
    found = training_windows([Document("a", text)], steps=100, batch=20, length=10)
    np.testing.assert_array_equal(found.targets, found.inputs + 1)
    assert set(found.inputs[..., 0].ravel()) == set(range(90))
    assert found.targets.max() == 99


def test_fewer_steps_are_the_first_ones():
    documents = constant_documents([40, 50])
    few, many = (training_windows(documents, steps=steps, batch=4, length=8, seed=1) for steps in (3, 9))
    np.testing.assert_array_equal(few.inputs, many.inputs[:3])
    other = training_windows(documents, steps=3, batch=4, length=8, seed=2)
    assert (other.inputs != few.inputs).any()


def test_no_window_of_train_lies_in_test(tmp_path):
    """Cut at byte 80 of 100: inputs and targets of training never reach the test bytes."""
    file = folder_of(tmp_path, {"a.txt": bytes(range(1, 101))}) / "a.txt"
    found = text_documents(file, test_share=0.2)
    drawn = training_windows(found.train, steps=200, batch=20, length=7)
    assert drawn.targets.max() == 80
    assert scored_passages(found.test, length=10).text.min() == 81


def test_windows_advise():
    documents = constant_documents([40, 8])
    advice(lambda: training_windows(documents, steps=1, batch=1, length=40), "no document has 41 bytes", "has 40")
    advice(lambda: training_windows([], steps=1, batch=1, length=40), "no document")
    for bad in ({"steps": 0}, {"batch": 0}, {"length": 0}, {"seed": -1}):
        sizes = {"steps": 1, "batch": 1, "length": 4, "seed": 0} | bad
        advice(lambda sizes=sizes: inspect.unwrap(training_windows)(documents, **sizes), next(iter(bad)))


# ---- passages to score


def test_passages_are_pieces_of_their_documents_and_score_no_byte_twice():
    rng = np.random.default_rng(0)
    documents = [Document(str(i), rng.bytes(size)) for i, size in enumerate((15, 16, 40, 100))]
    found = scored_passages(documents, length=8, per_document=50)
    assert found.names == ("1", "2", "3")
    assert found.too_short == 1
    assert np.bincount(found.document).tolist() == [1, 4, 11]
    for row, index in zip(found.text, found.document, strict=True):
        assert bytes(row) in {d.name: d.text for d in documents}[found.names[index]]
    halves = [(index, bytes(row[8:])) for row, index in zip(found.text, found.document, strict=True)]
    assert len(set(halves)) == len(halves) == 16


def test_passages_of_a_document_do_not_depend_on_the_others():
    rng = np.random.default_rng(0)
    documents = [Document(str(i), rng.bytes(100)) for i in range(9)]
    all_nine = scored_passages(documents, length=8, seed=5)
    alone = scored_passages(documents[3:4], length=8, seed=5)
    np.testing.assert_array_equal(alone.text[0], all_nine.text[3])
    few = scored_passages(documents, length=8, seed=5, limit=4)
    assert (len(few.names), few.unused) == (4, 5)
    assert {bytes(row) for row in few.text} <= {bytes(row) for row in all_nine.text}


def test_passages_advise():
    documents = constant_documents([40, 8])
    advice(lambda: scored_passages(documents, length=21), "no document has 42 bytes", "lengths up to 20")
    advice(lambda: scored_passages([], length=21), "no document has 42 bytes")
    for bad in ({"length": 0}, {"per_document": 0}, {"limit": 0}, {"seed": -1}):
        sizes = {"length": 4} | bad
        advice(lambda sizes=sizes: inspect.unwrap(scored_passages)(documents, **sizes), next(iter(bad)))
