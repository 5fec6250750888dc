"""The SQLite file of a store: opening it, its schema, one-line errors, and reading what a damaged file still holds."""

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

VERSION = 1
_APPLICATION = 0x50454253
_PATIENCE = 60.0
_MAGIC = b"SQLite format 3\0"
_SHORTEST_FILE = 512
_UNREADABLE = (sqlite3.DatabaseError, UnicodeDecodeError)
_RIGHTS = "check the permissions of the file and its folder, or give another --store"
COLUMNS = ("key", "task", "code", "parameters", "seed", "result", "seconds", "created", "command", "versions", "digest")
ALL_ROWS = f"SELECT {', '.join(COLUMNS)} FROM results ORDER BY number"
_CREATE = """
CREATE TABLE results (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE, task TEXT NOT NULL, code TEXT NOT NULL, parameters TEXT NOT NULL, seed INTEGER,
    result TEXT NOT NULL, seconds REAL NOT NULL, created TEXT NOT NULL, command TEXT NOT NULL, versions TEXT NOT NULL,
    digest TEXT NOT NULL
)
"""
# key, task, code, digest and the names of the columns are longer than this in every row.
_SHORTEST_ROW = 200


@contextmanager
def opened(path: Path, *, write: bool) -> Iterator[sqlite3.Connection]:
    """A connection for one operation, so that no thread, fork or killed process can leave one behind.

    Raises:
        ValueError: the file is damaged, of another program, or of a newer version of this one.
        OSError: a full disk, missing permissions, a lock that another process holds for a minute.
    """
    # A connection that may write also cleans up after itself, so that the store is one file again.
    writable = write or (os.access(path, os.W_OK) and os.access(path.resolve().parent, os.W_OK))
    with told(path), closing(_connection(path, "rw" if writable else "ro")) as connection:
        _check_version(path, connection)
        yield connection


def create(path: Path) -> None:
    """Makes an empty store where there is none, or checks that the one there is sound and can be written."""
    with told(path), closing(_connection(path, "rwc")) as connection:
        if not _is_empty(connection):
            _check_version(path, connection)
            if (found := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                raise ValueError(damaged(path, found))
        _switch_to_wal(connection)
        with transaction(connection):
            # Another process may have been first.
            if _is_empty(connection):
                connection.execute(_CREATE)
                connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                connection.execute(f"PRAGMA user_version = {VERSION}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, and one writer at a time."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk has already rolled back.
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


@contextmanager
def told(path: Path, *, hopeless: bool = False) -> Iterator[None]:
    """Errors of SQLite as one line that says what to do; `hopeless` if reading rows one by one was tried already."""
    try:
        yield
    except UnicodeDecodeError as error:
        # Python cannot read a message of SQLite that quotes damaged bytes.
        raise ValueError(damaged(path, "its schema is malformed", hopeless=hopeless)) from error
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            kept = "results finished before are kept: free space on the disk, or give another --store"
            raise OSError(f"{path} cannot be read or written ({error}): {kept}") from error
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")):
            wait = f"another process has held it for {_PATIENCE:.0f} seconds: end that process, or give another --store"
            raise OSError(f"{path} is locked: {wait}") from error
        if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
            raise OSError(f"{path} cannot be opened ({error}): {_RIGHTS}") from error
        if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR", "SQLITE_FORMAT")):
            raise ValueError(damaged(path, error, hopeless=hopeless)) from error
        if name:
            raise OSError(f"{path} cannot be used ({error}): give another --store") from error
        raise


def salvage(path: Path) -> tuple[list[tuple], int]:
    """Every row of a store that can still be read, and how many are lost at least.

    Rows are read in order, then one by one around what cannot be read. Whether their content is what was written is
    not judged here: `estimators.store` compares digests.
    """
    select = f"SELECT number, {', '.join(COLUMNS)} FROM results"
    rows: dict[int, tuple] = {}
    with told(path, hopeless=True), closing(_connection(path, "ro", broken=True)) as connection:
        _check_version(path, connection)
        most = (size(path) + size(_log(path))) // _SHORTEST_ROW
        stored, stopped = newest(connection), False
        if stored is None or not 0 <= stored <= most:
            stored = None  # that number is damaged itself
        try:
            for row in connection.execute(f"{select} ORDER BY number"):
                rows[row[0]] = row
        except _UNREADABLE:
            stopped = True
        if stopped:
            for number in range(_largest(rows, most) + 1, (most if stored is None else stored) + 1):
                with suppress(*_UNREADABLE):
                    for row in connection.execute(f"{select} WHERE number = ?", (number,)):
                        rows[row[0]] = row
    lost = max(stored or 0, _largest(rows, most)) - len(rows)
    return [rows[number][1:] for number in sorted(rows)], max(lost, int(stopped))


def _largest(numbers: Iterable[int], most: int) -> int:
    """The largest of the numbers of rows that can be one."""
    return max((number for number in numbers if number <= most), default=0)


def size(path: Path) -> int:
    """Bytes of a file, 0 if there is none: another process may remove its log at any moment."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _log(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _connection(path: Path, mode: str, *, broken: bool = False) -> sqlite3.Connection:
    _check_head(path)
    logged = size(_log(path)) > 0
    # Where SQLite cannot make its shared memory it needs none: nobody can write there.
    alone = mode == "ro" and not logged and (broken or not os.access(path.resolve().parent, os.W_OK))
    return _connect(path, "ro&immutable=1" if alone else mode, broken)


def _check_head(path: Path) -> None:
    """SQLite takes a few bytes for an empty database, and would write over them."""
    if not path.is_file():
        return
    try:
        with open(path, "rb") as file:
            head = file.read(_SHORTEST_FILE)
    except OSError as error:
        raise OSError(f"{path} cannot be opened ({error.strerror}): {_RIGHTS}") from error
    if head and not head.startswith(_MAGIC):
        raise ValueError(f"{path} is no SQLite file: give another --store, or move it away")
    if 0 < len(head) < _SHORTEST_FILE:
        raise ValueError(f"{path} is cut off and holds nothing that can be read: move it away")


def _connect(path: Path, mode: str, broken: bool) -> sqlite3.Connection:
    # Default durability (synchronous = FULL): a result that was stored survives a loss of power.
    address = f"{path.resolve().as_uri()}?mode={mode}"
    connection = sqlite3.connect(address, uri=True, timeout=_PATIENCE, isolation_level=None)
    # Text that is no UTF-8 any more shows in the digest of its row.
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    if broken:
        # Without it SQLite reads nothing of a file that is shorter than its header says.
        connection.execute("PRAGMA writable_schema = ON")
    return connection


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Readers and a writer do not wait for each other, where the file system can; else SQLite's older journal."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
            return
        except sqlite3.OperationalError as error:
            # SQLite does not wait by itself when two processes switch at once.
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > end:
                raise
            time.sleep(0.01)


def _is_empty(connection: sqlite3.Connection) -> bool:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return version == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone()


def _check_version(path: Path, connection: sqlite3.Connection) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != _APPLICATION:
        kind = "an SQLite file of another kind" if path.stat().st_size else "an empty file"
        raise ValueError(f"{path} is not a store of results but {kind}: give another --store")
    if version > VERSION:
        raise ValueError(
            f"{path} was written by a newer version (its schema is {version}, this one knows {VERSION}): "
            "upgrade positional-encoding-bounds, or give another --store"
        )


def newest(connection: sqlite3.Connection) -> int | None:
    """How many rows were ever stored, None if that is lost; rows are never deleted."""
    with suppress(*_UNREADABLE):
        row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'results'").fetchone()
        found = 0 if row is None else row[0]
        return found if isinstance(found, int) else None
    return None


def damaged(path: Path, reason: object, *, hopeless: bool = False) -> str:
    """The line for a file that is not what was written."""
    repair = f"python -m estimators.results repair --store {path} keeps it aside and saves every row that can be read"
    advice = "no row of it can be read, move it away" if hopeless else repair
    return f"{path} is damaged ({' '.join(str(reason).split())}): {advice}"
