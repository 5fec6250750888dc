"""Real text as windows of bytes: the running Python's own sources, a file, or a folder of files."""

import codecs
import hashlib
import os
import platform
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

_CHUNK = 1 << 20
_NO_SOURCES = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__"}


@dataclass(frozen=True)
class Corpus:
    """Files that windows are drawn from.

    `name` is for people; `sizes` are bytes, one per file; `left_out` counts hidden files and folders,
    `__pycache__` and links to folders, which are not searched; `given` says that the user named the place.
    """

    name: str
    files: tuple[Path, ...]
    sizes: tuple[int, ...]
    left_out: int = 0
    given: bool = True


def text_windows(
    path: str | Path | None, *, samples: int, length: int, generator: np.random.Generator
) -> tuple[UInt8[np.ndarray, "samples length"], dict[str, Any]]:
    """Non-overlapping windows of UTF-8 text as bytes, and where they come from.

    `path` is None (standard library sources of the running Python), a file, or a folder that is searched to
    its leaves. Every file is cut into consecutive windows of `length` bytes (the rest of a file is left);
    `samples` of all windows are drawn uniformly without replacement, and a longer draw begins with the
    shorter one. A window never crosses a file border; it may begin or end inside a character.

    Every file the user names must be UTF-8 without NUL bytes, whether a window falls on it or not, so that
    an error does not depend on the seed. Of the standard library only the drawn files are read, and files
    that are not text are passed over.

    Raises:
        ValueError: place missing, unreadable or not text, or too little text; in one line, with advice.
    """
    corpus = _standard_library() if path is None else _given(Path(path))
    if corpus.given:
        for file in corpus.files:
            check_text(file)
    places = _places(corpus, samples, length, generator)
    while not corpus.given and (bad := {file for file, _ in places if not _is_text(file)}):
        kept = [(f, s) for f, s in zip(corpus.files, corpus.sizes, strict=True) if f not in bad]
        corpus = replace(corpus, files=tuple(f for f, _ in kept), sizes=tuple(s for _, s in kept))
        places = _places(corpus, samples, length, generator)
    windows = b"".join(_window(file, offset, length) for file, offset in places)
    details = {
        "text": corpus.name,
        "files": len({file for file, _ in places}),
        "files_available": len(corpus.files),
        "bytes_available": sum(corpus.sizes),
        "left_out": corpus.left_out,
        "sha256": hashlib.sha256(windows).hexdigest(),
    }
    if not corpus.given:
        details["python"] = platform.python_version()
    return np.frombuffer(windows, dtype=np.uint8).reshape(samples, length), details


def check_text(file: Path) -> None:
    """Reads the whole file in pieces; ValueError at the first byte that is NUL or not UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    read, chunk = 0, b""
    try:
        with open(file, "rb") as stream:
            while chunk := stream.read(_CHUNK):
                if (nul := chunk.find(b"\0")) >= 0:
                    raise ValueError(
                        f"{file}: NUL byte at offset {read + nul}: is this a binary file? "
                        "Give UTF-8 text, or move this file out of the folder"
                    )
                decoder.decode(chunk)
                read += len(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        # The decoder holds back the unfinished character of the chunk before: error.object begins with it.
        offset = read - (len(error.object) - len(chunk)) + error.start
        raise ValueError(
            f"{file}: byte 0x{error.object[error.start]:02x} at offset {offset} is not UTF-8: is this a "
            "binary file? Convert other text with: iconv -f LATIN1 -t UTF-8"
        ) from None
    except OSError as error:
        raise ValueError(f"cannot read {file}: {error.strerror}: check its permissions") from None


def _is_text(file: Path) -> bool:
    try:
        check_text(file)
    except ValueError:
        return False
    return True


def _standard_library() -> Corpus:
    root = Path(os.__file__).parent
    files: list[Path] = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - _NO_SOURCES)
        for name in names:
            file = Path(folder, name)
            if name.endswith(".py") and file.is_file():
                files.append(file)
    files.sort(key=lambda file: file.relative_to(root).as_posix())
    sizes = [file.stat().st_size for file in files]
    name = f"standard library of Python {platform.python_version()}"
    if not files:
        raise ValueError(f"the {name} is installed without its sources: give a text file or folder instead")
    return Corpus(name, tuple(files), tuple(sizes), given=False)


def _given(path: Path) -> Corpus:
    """The file or the folder that the user named."""
    left_out = 0
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            files, left_out = _files_below(path)
        else:
            files = [path]
        sizes = [_size(file) for file in files]
    except FileNotFoundError as error:
        raise ValueError(f"no text at {error.filename}: give an existing UTF-8 file or folder") from None
    except OSError as error:
        raise ValueError(f"cannot read {error.filename}: {error.strerror}: check its permissions") from None
    if not files:
        raise ValueError(f"folder {path} holds no files ({left_out} entries left out): give one with text")
    return Corpus(str(path), tuple(files), tuple(sizes), left_out)


def _files_below(root: Path) -> tuple[list[Path], int]:
    """All files below a folder in a fixed order, and how many entries were left out."""

    def stop(error: OSError) -> Iterator[None]:
        raise error

    files: list[Path] = []
    left_out = 0
    for folder, folders, names in os.walk(root, onerror=stop):
        searched = [name for name in folders if name[0] != "." and name != "__pycache__"]
        inside = [name for name in searched if not Path(folder, name).is_symlink()]
        visible = [name for name in names if name[0] != "."]
        left_out += len(folders) - len(inside) + len(names) - len(visible)
        folders[:] = inside
        files += [Path(folder, name) for name in visible]
    return sorted(files, key=lambda file: file.relative_to(root).as_posix()), left_out


def _size(file: Path) -> int:
    status = file.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{file} is not a regular file: write the text to a file first and give that")
    return status.st_size


def _places(corpus: Corpus, samples: int, length: int, generator: np.random.Generator) -> list[tuple[Path, int]]:
    """File and byte offset of `samples` different windows."""
    counts = np.array([size // length for size in corpus.sizes])
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    available, longest = sum(corpus.sizes), max(corpus.sizes, default=0)
    if longest == 0:
        raise ValueError(f"{corpus.name} is empty: give a text of at least {length} bytes")
    if total == 0:
        spread = "" if len(corpus.files) == 1 else f" in {len(corpus.files)} files, the longest {longest}"
        raise ValueError(
            f"{corpus.name} holds {available} bytes{spread}, shorter than one window of {length}: "
            f"use length={longest} or less, or a longer text"
        )
    if total < samples:
        raise ValueError(
            f"{corpus.name} holds {available} bytes, enough for {total} windows of {length} bytes that do "
            f"not overlap, not for {samples}: use samples={total}, a smaller length, or more text"
        )
    places = []
    for slot in _distinct(samples, total, generator):
        index = int(np.searchsorted(ends, slot, side="right"))
        places.append((corpus.files[index], (slot - int(ends[index] - counts[index])) * length))
    return places


def _distinct(count: int, total: int, generator: np.random.Generator) -> list[int]:
    """`count` different integers below `total`, uniform; the first ones do not depend on `count`."""
    moved: dict[int, int] = {}
    drawn = []
    # Fisher-Yates that stores only the entries that moved: `total` may be millions.
    for here, other in enumerate(generator.integers(np.arange(count), total).tolist()):
        drawn.append(moved.get(other, other))
        moved[other] = moved.get(here, here)
    return drawn


def _window(file: Path, offset: int, length: int) -> bytes:
    with open(file, "rb") as stream:
        stream.seek(offset)
        window = stream.read(length)
    if len(window) < length:
        raise ValueError(f"{file} became shorter while it was read: run again when nothing writes to it")
    return window
