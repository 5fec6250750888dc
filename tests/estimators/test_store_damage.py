"""Damaged stores: told with what to do, never overwritten, every readable row saved; other and newer files refused."""

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.store import NotStored, Store, Task
from estimators.store_repair import readable, repair

TASK = Task("toy", "1")
ROWS = 40


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("original") / "results.sqlite")
    store.extended(TASK, {"n": 2}, range(ROWS), lambda seed: [seed] * 300)
    return store.path


@pytest.fixture
def path(original, tmp_path):
    return Path(shutil.copy(original, tmp_path))


def cut(path):
    """Two thirds of the file."""
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size * 2 // 3)


def overwrite(path):
    """Zeros over four pages in the middle."""
    with open(path, "r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(bytes(4 * 4096))


def change(path):
    """One digit of one result, which SQLite does not notice."""
    data = path.read_bytes()
    assert data.count(b"[31, 31, 31, ") >= 1
    path.write_bytes(data.replace(b"[31, 31, 31, ", b"[31, 37, 31, "))


def foreign(path):
    """Bytes that are no UTF-8 within a result."""
    path.write_bytes(path.read_bytes().replace(b"[31, 31, 31, ", b"[31, \xff\xfe, 31, "))


def edit(path):
    """By another program."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE results SET result = '0' WHERE seed = 31")


@pytest.mark.parametrize("damage", [cut, overwrite, change, foreign, edit])
def test_a_damaged_store_is_told_kept_aside_and_its_rows_are_saved(path, damage):
    damage(path)
    before = path.read_bytes()
    with pytest.raises(
        ValueError, match=r"results\.sqlite is damaged \(.*python -m estimators\.results repair --store"
    ):
        Store(path).extended(TASK, {"n": 2}, range(ROWS), pytest.fail)
    assert path.read_bytes() == before
    records, lost = readable(path)
    assert {record.seed: record.result for record in records}.items() <= {n: [n] * 300 for n in range(ROWS)}.items()
    assert len(records) + lost == ROWS
    assert 1 <= lost <= (1 if damage in (change, foreign, edit) else ROWS // 2)
    assert path.read_bytes() == before
    done = repair(path)
    assert (done.saved, done.lost) == (len(records), lost)
    assert done.aside == path.with_name("results.sqlite.damaged-1")
    assert done.aside.read_bytes() == before
    store = Store(path)
    assert store.records() == records
    assert len(store.missing(TASK, {"n": 2}, range(ROWS))) == lost
    store.extended(TASK, {"n": 2}, range(ROWS), lambda seed: [seed] * 300)
    assert repair(path).aside is None
    assert sorted(os.listdir(path.parent)) == ["results.sqlite", "results.sqlite.damaged-1"]
    damage(path)
    assert repair(path).aside == path.with_name("results.sqlite.damaged-2")
    assert done.aside.read_bytes() == before


def test_rows_are_found_when_the_count_of_rows_is_lost(path, monkeypatch):
    monkeypatch.setattr("estimators.store_file.newest", lambda connection: None)
    overwrite(path)
    records, lost = readable(path)
    assert len(records) > ROWS // 2
    assert {0, ROWS - 1} <= {record.seed for record in records}
    assert len(records) + lost == ROWS


@pytest.mark.parametrize("size", [1, 20, 100, 600, 4096, 5000])
def test_a_stump_is_told_and_kept(path, size):
    with open(path, "r+b") as file:
        file.truncate(size)
    before = path.read_bytes()
    for use in (lambda: Store(path), lambda: Store(path, read_only=True).records()):
        with pytest.raises(ValueError, match=r"is (no SQLite file|cut off|damaged)"):
            use()
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["results.sqlite"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**20), st.binary(min_size=1, max_size=40)), min_size=1, max_size=6))
def test_whatever_bytes_change_no_wrong_result_comes_back(original, tmp_path_factory, changes):
    """Either what was written, or one line; never an error of SQLite itself."""
    path = Path(shutil.copy(original, tmp_path_factory.mktemp("damaged")))
    data = bytearray(path.read_bytes())
    for place, content in changes:
        place %= len(data)
        data[place : place + len(content)] = content[: len(data) - place]
    path.write_bytes(data)
    for use in (
        lambda: Store(path).records(),
        lambda: readable(path)[0],
        lambda: (repair(path), Store(path).records())[1],
    ):
        line, records = "results.sqlite", []
        try:
            records = use()
        except (ValueError, OSError) as error:
            line = str(error)
        assert all(record.result == [record.seed] * 300 for record in records)
        assert "results.sqlite" in line
        assert "\n" not in line


def test_rows_that_are_gone_are_lost(path):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM results WHERE seed IN (3, 39)")
    records, lost = readable(path)
    assert (len(records), lost) == (ROWS - 2, 2)


@pytest.mark.parametrize("count", [10**15, -5, "'x'", "NULL"])
def test_a_damaged_count_of_rows_is_not_believed(path, count):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE sqlite_sequence SET seq = {count}")
    assert len(readable(path)[0]) == ROWS
    overwrite(path)
    records, lost = readable(path)
    assert len(records) + lost == ROWS


def test_a_sound_store_is_not_repaired(path):
    before = path.read_bytes()
    assert repair(path).aside is None
    assert (path.read_bytes(), os.listdir(path.parent)) == (before, ["results.sqlite"])


def logged(path, folder):
    """The files of a store as a process that was killed with its log beside it leaves them; one row more."""
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM results").fetchone()
        Store(path).put(TASK, {"n": 2}, [ROWS] * 300, seconds=0.0, seed=ROWS)
        for ending in ("", "-wal"):
            shutil.copy(f"{path}{ending}", folder)
    return folder / path.name


def test_rows_that_are_only_in_the_log_are_kept(path, tmp_path_factory):
    there = logged(path, tmp_path_factory.mktemp("killed"))
    assert there.with_name("results.sqlite-wal").stat().st_size > 0
    assert str([ROWS] * 300).encode() not in there.read_bytes()
    assert Store(there).missing(TASK, {"n": 2}, range(ROWS + 1)) == []
    assert os.listdir(there.parent) == ["results.sqlite"]


def test_rows_that_are_only_in_the_log_of_a_damaged_store_are_saved(path, tmp_path_factory):
    there = logged(path, tmp_path_factory.mktemp("killed"))
    overwrite(there)
    done = repair(there)
    assert done.saved + done.lost == ROWS + 1
    assert done.lost > 0
    assert Store(there).missing(TASK, {"n": 2}, [0, ROWS]) == []


def test_the_log_of_a_damaged_store_goes_aside_with_it(path):
    """Left beside the new file, it would be played into that."""
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM results").fetchone()
        Store(path).put(TASK, {"n": 2}, [ROWS] * 300, seconds=0.0, seed=ROWS)
        edit(path)
        done = repair(path)
    assert (done.saved, done.lost) == (ROWS, 1)
    assert done.aside is not None
    assert done.aside.with_name(done.aside.name + "-wal").stat().st_size > 0
    assert not path.with_name("results.sqlite-wal").exists()
    assert Store(path).missing(TASK, {"n": 2}, range(ROWS + 1)) == [31]


def test_damage_is_told_before_long_work(path):
    """Of pages that nobody has asked for yet."""
    overwrite(path)
    with pytest.raises(ValueError, match="is damaged"):
        Store(path)


def every_use(path):
    yield lambda: Store(path)
    yield lambda: Store(path, read_only=True)
    yield lambda: readable(path)
    yield lambda: repair(path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"name,value\na,1\n" * 100, "is no SQLite file: give another --store, or move it away"),
        (b"SQLite format 3\0" + b"x" * 5000, r"is damaged \(file is not a database\)"),
        (b"SQLite format 3\0" + b"x" * 50, "is cut off and holds nothing that can be read: move it away"),
        (b"x", "is no SQLite file: give another --store, or move it away"),
    ],
)
def test_a_file_of_another_kind_is_refused_and_kept(tmp_path, content, told):
    path = tmp_path / "results.sqlite"
    path.write_bytes(content)
    for use in every_use(path):
        with pytest.raises(ValueError, match=told):
            use()
    assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["results.sqlite"]


def test_a_database_of_another_program_is_refused_and_kept(tmp_path):
    path = tmp_path / "bookmarks.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE results (a)")
    before = path.read_bytes()
    for use in every_use(path):
        with pytest.raises(ValueError, match="is not a store of results but an SQLite file of another kind"):
            use()
    assert path.read_bytes() == before


def test_a_store_of_a_newer_version_is_refused_and_kept(path):
    store = Store(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    before = path.read_bytes()
    for use in [*every_use(path), store.records]:
        with pytest.raises(ValueError, match=r"newer version \(its schema is 2, this one knows 1\): upgrade"):
            use()
    with pytest.raises(NotStored, match="newer version") as told:
        store.put(TASK, {}, [1], seconds=0.0)
    assert told.value.result == [1]
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_store_but_is_none_to_read(tmp_path):
    path = tmp_path / "results.sqlite"
    path.touch()
    with pytest.raises(ValueError, match="is not a store of results but an empty file"):
        Store(path, read_only=True)
    assert Store(path).records() == []


@contextmanager
def ordinary_user():
    """Root may write anywhere."""
    root = os.getuid() == 0
    if root:
        os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        if root:
            os.setresuid(0, 0, 0)


@pytest.mark.skipif(not hasattr(os, "setresuid"), reason="no users to change to")
def test_a_read_only_folder_is_read_and_told(path):
    folder = Path(tempfile.mkdtemp())
    try:
        there = Path(shutil.copy(path, folder))
        there.chmod(0o444)
        folder.chmod(0o555)
        with ordinary_user():
            assert len(Store(there, read_only=True).records()) == len(readable(there)[0]) == ROWS
            for place in (there, folder / "new.sqlite"):
                with pytest.raises(ValueError, match="cannot be written: check the permissions"):
                    Store(place)
        assert os.listdir(folder) == ["results.sqlite"]
        # Writable when it was opened, not any more.
        folder.chmod(0o777)
        there.chmod(0o666)
        with ordinary_user():
            store = Store(there)
        there.chmod(0o444)
        folder.chmod(0o555)
        with ordinary_user(), pytest.raises(OSError, match="check the permissions of the file and its folder"):
            store.put(TASK, {}, 1, seconds=0.0)
        there.chmod(0)
        with ordinary_user(), pytest.raises(OSError, match="check the permissions of the file and its folder"):
            Store(there, read_only=True)
    finally:
        folder.chmod(0o700)
        shutil.rmtree(folder)
