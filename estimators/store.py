"""Results kept in one SQLite file: found again by task, parameters and code version, extended seed by seed."""

import hashlib
import json
import operator
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np

from estimators import store_file
from estimators.output_files import check_writable, plain
from estimators.provenance import Sources, command, module_of, project_sources, versions

_LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True)
class Task:
    """What is computed: a name, and the version of the code that computes it (any text that changes with the code)."""

    name: str
    code: str


def task_of(function: Callable, name: str | None = None, sources: Sources | None = None) -> Task:
    """The task of a function: its module and name, and the version of every module that its module imports.

    A changed constant in one of them, a comment too, is another task. Values that a closure or a partial holds are not
    seen: they belong in the parameters.
    """
    module = module_of(function)
    code = (sources or project_sources()).version(module)
    return Task(name or f"{module}.{getattr(function, '__qualname__', '?')}", code)


@dataclass(frozen=True)
class Record:
    """One finished result with its provenance.

    `parameters` are without the seed, `result` is a JSON document, `seconds` the time it took, `created` the time it
    was stored (UTC), `versions` those of Python and packages, with platform, device and dtype.
    """

    key: str
    task: str
    code: str
    parameters: dict[str, Any]
    seed: int | None
    result: Any
    seconds: float
    created: str
    command: str
    versions: dict[str, str]


class NotStored(OSError):
    """A finished result that the store could not take, on a full disk or in a damaged file; it is in `result`."""

    def __init__(self, message: str, result: Any) -> None:
        super().__init__(message)
        self.result = result


class Store:
    """Finished results in an SQLite file, each found by (task, parameters, seed, code version).

    Results and parameters are documents as `write_json` writes them: numbers keep every digit, arrays are lists, NaN is
    refused. An infinity in a result becomes None, for the first caller as for later ones; in parameters, where it could
    not be told from None, it is refused. A parameter named `seed` is the seed.

    The same key is stored once: of two processes that compute it at once, the first one's result stays and both get it.
    Every result is on disk when its call returns, so that a killed process loses only what it was computing. A store
    may be used by several threads and processes at once, on a disk of one machine (SQLite's locks do not hold on every
    network folder).

    Raises (all methods):
        ValueError: a damaged file, one of another program or of a newer version; NaN; a wrong seed.
        OSError: a full disk, missing permissions, a lock held for a minute by another process; where a result was
            finished, NotStored, which holds it.
        TypeError: what JSON has no form for.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        """Opens `path`, or makes an empty store there; with `read_only` it must be there."""
        self.path = Path(path)
        if read_only:
            check_file(self.path)
            with store_file.opened(self.path, write=False):
                pass
        elif str(path) == "-":
            raise ValueError("a store cannot be standard output: give the name of a file")
        else:
            check_writable(self.path)
            store_file.create(self.path)

    def get(self, task: Task, parameters: Mapping[str, Any], *, seed: int | None = None) -> Record | None:
        """The stored result, or None."""
        return self._read([_key(task, *_split(parameters, seed))])[0]

    def put(
        self, task: Task, parameters: Mapping[str, Any], result: Any, *, seconds: float, seed: int | None = None
    ) -> Record:
        """Stores a finished result that took `seconds`; returns the record, an older one if the key has one."""
        given, seed = _split(parameters, seed)
        result, seconds = plain(result, "result"), plain(seconds, "seconds", finite=True)
        row = (_key(task, given, seed), task.name, task.code, _text(given), seed)
        row += (json.dumps(result, allow_nan=False), seconds)
        row += (datetime.now(UTC).isoformat(timespec="milliseconds"), command(), _text(versions()))
        try:
            with store_file.opened(self.path, write=True) as connection, store_file.transaction(connection):
                return self._record(insert(connection, (*row, digest(row))))
        except (OSError, ValueError) as error:
            raise NotStored(str(error), result) from error

    def cached(
        self, task: Task, parameters: Mapping[str, Any], compute: Callable[[], Any], *, seed: int | None = None
    ) -> Any:
        """The stored result if there is one, else that of `compute()`, which is stored."""
        record = self.get(task, parameters, seed=seed)
        if record is None:
            started = time.perf_counter()
            result = compute()
            record = self.put(task, parameters, result, seconds=time.perf_counter() - started, seed=seed)
        return record.result

    def missing(self, task: Task, parameters: Mapping[str, Any], seeds: Iterable[SupportsIndex]) -> list[int]:
        """Those of the seeds, ascending, that have no stored result."""
        wanted = _ascending(seeds)
        found = self._read([_key(task, *_split(parameters, seed)) for seed in wanted])
        return [seed for seed, record in zip(wanted, found, strict=True) if record is None]

    def extended(
        self, task: Task, parameters: Mapping[str, Any], seeds: Iterable[SupportsIndex], compute: Callable[[int], Any]
    ) -> list[Any]:
        """Results of all seeds in ascending order, each once; `compute(seed)` runs for those that are missing only.

        A seed may number a block of draws. The list, and so any value made from it, does not depend on the order or
        the runs in which its parts were computed.
        """
        wanted = _ascending(seeds)
        for seed in self.missing(task, parameters, wanted):
            # Asks again: another process may have finished this part by now.
            self.cached(task, parameters, lambda seed=seed: compute(seed), seed=seed)
        found = self._read([_key(task, *_split(parameters, seed)) for seed in wanted])
        return [record.result for record in found if record is not None]

    def records(self) -> list[Record]:
        """All results in the order in which they were stored; ValueError if one is damaged."""
        with store_file.opened(self.path, write=False) as connection:
            rows = connection.execute(store_file.ALL_ROWS).fetchall()
        return [self._record(row) for row in rows]

    def _read(self, keys: Sequence[str]) -> list[Record | None]:
        with store_file.opened(self.path, write=False) as connection:
            select = f"SELECT {', '.join(store_file.COLUMNS)} FROM results WHERE key = ?"
            rows = [connection.execute(select, (key,)).fetchone() for key in keys]
        return [None if row is None else self._record(row) for row in rows]

    def _record(self, row: tuple) -> Record:
        if not sound(row):
            raise ValueError(store_file.damaged(self.path, f"row {str(row[0])[:12]} is not what was written"))
        return record_of(row)


def check_file(path: Path) -> None:
    """ValueError of one line unless there is a file."""
    if not path.is_file():
        raise ValueError(f"no store {path}: give the file of one with --store")


def record_of(row: Sequence[Any]) -> Record:
    key, task, code, parameters, seed, result, seconds, created, line, made_with, _ = row
    result, parameters = json.loads(result), json.loads(parameters)
    return Record(key, task, code, parameters, seed, result, seconds, created, line, json.loads(made_with))


def insert(connection: sqlite3.Connection, row: tuple) -> tuple:
    """The row of that key, inserted unless the key has one; within a transaction."""
    # Not ON CONFLICT: a number that is used up without a row would read as a lost row.
    names = ", ".join(store_file.COLUMNS)
    found = connection.execute(f"SELECT {names} FROM results WHERE key = ?", (row[0],)).fetchone()
    if found is None:
        connection.execute(f"INSERT INTO results ({names}) VALUES ({', '.join('?' * len(row))})", row)
    return found or row


def digest(row: Sequence[Any]) -> str:
    return hashlib.sha256(_text(list(row)).encode()).hexdigest()


def sound(row: Sequence[Any]) -> bool:
    """Whether a row is what was written: SQLite does not notice a changed byte within a value."""
    try:
        return digest(row[:-1]) == row[-1]
    except (TypeError, ValueError):
        return False


def _split(parameters: Mapping[str, Any], seed: int | None) -> tuple[dict[str, Any], int | None]:
    given = dict(parameters)
    if "seed" in given:
        if seed is not None:
            raise ValueError("the seed is given twice: leave it out of the parameters")
        seed = given.pop("seed")
    if seed is not None:
        whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
        if not whole or not 0 <= seed <= _LARGEST_SEED:
            raise ValueError(f"seed must be an integer from 0 to 2^63 - 1, got {seed!r}: use seed=0")
        seed = int(seed)
    return plain(given, "parameters", finite=True), seed


def _ascending(seeds: Iterable[SupportsIndex]) -> list[int]:
    return sorted({operator.index(seed) for seed in seeds})


def _key(task: Task, parameters: Mapping[str, Any], seed: int | None) -> str:
    return hashlib.sha256(_text([task.name, task.code, parameters, seed]).encode()).hexdigest()


def _text(document: Any) -> str:
    # Sorted names: the order of keyword arguments is no part of a key. ASCII: SQLite refuses half a surrogate pair.
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
