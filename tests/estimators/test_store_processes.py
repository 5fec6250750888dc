"""Stores and processes: several writers at once, killed ones, full disks lose nothing that was finished."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from estimators.store import Store, Task, insert
from estimators.store_file import opened, size, transaction
from estimators.store_repair import readable

TASK = Task("toy", "1")
START = f"""
import os, signal, sys, time
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from estimators.store import Store, Task
path = Path(sys.argv[1])
task = Task("toy", "1")
"""


def start(code: str, *words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", START + code, *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def test_a_killed_process_loses_only_the_part_it_was_computing(tmp_path):
    path = tmp_path / "results.sqlite"
    killed = start(
        """
def compute(seed):
    if seed == 3:
        print("computing", flush=True)
        time.sleep(60)
    return {"mean": seed / 3}
Store(path).extended(task, {"n": 2}, range(6), compute)
""",
        path,
    )
    assert killed.stdout is not None
    assert killed.stdout.readline() == "computing\n"
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    killed.communicate()
    store, asked = Store(path), []
    assert store.missing(TASK, {"n": 2}, range(6)) == [3, 4, 5]

    def compute(seed):
        asked.append(seed)
        return {"mean": seed / 3}

    parts = store.extended(TASK, {"n": 2}, range(6), compute)
    assert asked == [3, 4, 5]
    assert parts == Store(tmp_path / "other.sqlite").extended(TASK, {"n": 2}, range(6), compute)
    assert readable(path)[1] == 0


def test_a_process_killed_while_it_writes_leaves_the_store_as_before(tmp_path):
    path = tmp_path / "results.sqlite"
    killed = start(
        """
from estimators import store as module
Store(path).put(task, {}, "kept", seconds=0.0, seed=0)
insert = module.insert
def kill(connection, row):
    connection.execute("PRAGMA cache_size = 1")  # writes pages before the end of the transaction
    insert(connection, row)
    os.kill(os.getpid(), signal.SIGKILL)
module.insert = kill
Store(path).put(task, {}, "x" * 100_000, seconds=0.0, seed=1)
""",
        path,
    )
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    store = Store(path)
    assert [record.result for record in store.records()] == ["kept"]
    assert readable(path)[1] == 0
    assert store.cached(TASK, {}, lambda: "again", seed=1) == "again"


def test_processes_killed_at_any_time_leave_finished_results(tmp_path):
    """Every result that the process said was stored is there, and the file is sound."""
    path = tmp_path / "results.sqlite"
    said = 0
    for count in (1, 7, 30):
        killed = start(
            """
store = Store(path)
for seed in range(int(sys.argv[2]), 10_000):
    store.put(task, {}, "x" * 5000, seconds=0.0, seed=seed)
    print(seed, flush=True)
""",
            path,
            said,
        )
        assert killed.stdout is not None
        for _ in range(count):
            killed.stdout.readline()
        killed.send_signal(signal.SIGKILL)
        rest, _ = killed.communicate()
        said += count + rest.count("\n")
        store = Store(path)
        assert store.missing(TASK, {}, range(said)) == []
        assert readable(path)[1] == 0


def test_two_processes_computing_the_same_key_both_finish(tmp_path):
    path = tmp_path / "results.sqlite"
    code = """
own, other = sys.argv[2:]
def compute():
    (path.parent / own).touch()
    while not (path.parent / other).exists():
        time.sleep(0.01)
    return own
print(Store(path).cached(task, {"n": 1}, compute))
"""
    both = [start(code, path, "a", "b"), start(code, path, "b", "a")]
    answers = [finish(one) for one in both]
    assert answers[0] == answers[1]
    assert [record.result for record in Store(path).records()] == [answers[0].strip()]


def test_many_writers_from_the_first_moment_on(tmp_path):
    path = tmp_path / "results.sqlite"
    code = """
(path.parent / f"ready-{sys.argv[2]}").touch()
while len(list(path.parent.glob("ready-*"))) < 3:
    time.sleep(0.001)
store = Store(path)
for seed in range(10):
    store.put(task, {"shared": True}, seed, seconds=0.0, seed=seed)
    store.put(task, {"own": sys.argv[2]}, seed, seconds=0.0, seed=seed)
"""
    for one in [start(code, path, number) for number in range(3)]:
        finish(one)
    store = Store(path)
    assert len(store.records()) == 10 + 3 * 10
    assert readable(path)[1] == 0
    for parameters in ({"shared": True}, *({"own": str(number)} for number in range(3))):
        assert store.extended(TASK, parameters, range(10), pytest.fail) == list(range(10))


def test_a_disk_that_takes_no_more_is_told_and_keeps_what_was_finished(tmp_path):
    """The limit on the size of files stands for the disk: writing beyond it fails within SQLite."""
    path = tmp_path / "results.sqlite"
    failed = start(
        """
import resource
store = Store(path)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
for seed in range(1000):
    store.put(task, {}, "x" * 5000, seconds=0.0, seed=seed)
    print(seed, flush=True)
""",
        path,
    )
    out, err = failed.communicate(timeout=60)
    assert failed.returncode == 1
    assert "NotStored" in err.splitlines()[-1]
    assert "results finished before are kept: free space on the disk, or give another --store" in err.splitlines()[-1]
    said = out.count("\n")
    assert said > 5
    store = Store(path)
    assert store.missing(TASK, {}, range(said)) == []
    assert readable(path)[1] == 0
    assert store.cached(TASK, {}, lambda: 1, seed=5000) == 1


def test_a_lock_held_for_long_is_told(tmp_path, monkeypatch):
    store = Store(tmp_path / "results.sqlite")
    kept = store.put(TASK, {}, 1, seconds=0.0)
    monkeypatch.setattr("estimators.store_file._PATIENCE", 0.1)
    with opened(store.path, write=True) as connection, transaction(connection):
        with pytest.raises(OSError, match="is locked: another process has held it for"):
            store.put(TASK, {}, 2, seconds=0.0, seed=1)
        assert store.records() == [kept]


def test_threads_share_a_store(tmp_path):
    store = Store(tmp_path / "results.sqlite")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda seed: store.put(TASK, {}, seed, seconds=0.0, seed=seed % 10), range(40)))
    assert len(store.records()) == 10


def test_a_store_is_listed_while_it_is_written(tmp_path):
    """A reader sees some finished results, and never a damaged file."""
    store = Store(tmp_path / "results.sqlite")
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(
            lambda: [store.put(TASK, {}, ["x" * 3000] * (1 + seed % 5), seconds=0.0, seed=seed) for seed in range(60)]
        )
        seen = [0]
        while not writing.done():
            records, lost = readable(store.path)
            assert lost == 0
            assert len(records) >= seen[-1]
            seen.append(len(records))
    assert len(writing.result()) == len(readable(store.path)[0]) == 60
    assert len(set(seen)) > 3


def test_no_file_is_left_open_or_beside(tmp_path):
    store = Store(tmp_path / "results.sqlite")
    store.put(TASK, {}, 1, seconds=0.0)
    assert os.listdir(tmp_path) == ["results.sqlite"]
    with opened(store.path, write=True) as connection:
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
        assert mode == "wal"
        with transaction(connection):
            insert(connection, tuple(json.loads('["k", "t", "c", "{}", 0, "1", 0.0, "", "", "{}", ""]')))
    assert os.listdir(tmp_path) == ["results.sqlite"]


def test_a_log_that_vanishes_counts_as_none(tmp_path, monkeypatch):
    """The last reader to leave removes the log between any two looks at it."""
    store = Store(tmp_path / "results.sqlite")
    monkeypatch.setattr(Path, "exists", lambda self, **options: True)
    assert store.put(TASK, {}, [1], seconds=0.0).result == [1]
    assert size(tmp_path / "results.sqlite-wal") == 0
    assert size(tmp_path / "results.sqlite") > 0
