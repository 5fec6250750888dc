"""What a damaged store still holds: its readable rows, and a new store made of them while the old file is kept."""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from estimators import store_file
from estimators.output_files import check_writable
from estimators.store import Record, check_file, insert, record_of, sound


@dataclass(frozen=True)
class Repair:
    """`aside` is where the damaged file went, None if nothing was wrong; `lost` counts rows, at least."""

    aside: Path | None
    saved: int
    lost: int


def readable(path: Path) -> tuple[list[Record], int]:
    """All rows of a store that are what was written, in their order, and how many are lost at least.

    Raises:
        ValueError: no file, no SQLite file, one of another program or of a newer version.
    """
    rows, lost = _rows(path)
    return [record_of(row) for row in rows], lost


def repair(path: Path) -> Repair:
    """Replaces a damaged store by one of its readable rows; the old file stays beside it as NAME.damaged-N.

    Nothing happens to a sound one. Let no other process use the store meanwhile.
    """
    rows, lost = _rows(path)
    if not lost and _is_sound(path):
        return Repair(None, len(rows), 0)
    check_writable(path)
    fresh = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        copy(rows, fresh)
        aside = _move_aside(path)
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    return Repair(aside, len(rows), lost)


def copy(rows: list[tuple], path: Path) -> None:
    """Adds rows to the store at `path`, which is made if there is none."""
    store_file.create(path)
    with store_file.opened(path, write=True) as connection, store_file.transaction(connection):
        for row in rows:
            insert(connection, row)


def _rows(path: Path) -> tuple[list[tuple], int]:
    check_file(path)
    with suppress(ValueError):
        # As other processes may be writing: one view of the file, with its locks.
        with store_file.opened(path, write=False) as connection:
            connection.execute("BEGIN")
            rows, newest = connection.execute(store_file.ALL_ROWS).fetchall(), store_file.newest(connection)
        if len(rows) == newest and all(map(sound, rows)):
            return rows, 0
    rows, lost = store_file.salvage(path)
    kept = [row for row in rows if sound(row)]
    return kept, lost + len(rows) - len(kept)


def _is_sound(path: Path) -> bool:
    try:
        with store_file.opened(path, write=False) as connection:
            return connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok"
    except ValueError:
        return False


def _move_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    os.replace(path, aside)
    for ending in ("-wal", "-shm"):
        # A log left behind would be taken for one of the new file.
        if (beside := path.with_name(path.name + ending)).exists():
            os.replace(beside, aside.with_name(aside.name + ending))
    return aside
