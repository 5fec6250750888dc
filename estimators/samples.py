"""Samples of token sequences, shape (n, T, d): real text, arrays from a file, synthetic."""

import difflib
import hashlib
import math
import operator
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float

from estimators.corpus import text_windows

SyntheticKind = Literal["sphere", "gaussian"]

# The largest number whose square still leaves room for sums over samples, positions and channels.
_LARGEST = 1e100


@dataclass(frozen=True, eq=False)
class Sample:
    """Token sequences, checked and read-only.

    `tokens` is (n, T, d) float64: n sequences of T tokens of dimension d, each at least 1; any real NumPy or
    JAX array of that rank is accepted and copied. `source` is for people, `details` is JSON-able provenance.

    Raises:
        ValueError: wrong rank, an empty axis, not real, or a NaN, infinite or too large number.
    """

    tokens: Float[np.ndarray, "samples length dim"]
    source: str = "array"
    details: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tokens", _tokens(np.asarray(self.tokens), self.source))


def text_sample(
    path: str | Path | None = None,
    *,
    samples: int,
    length: int,
    dim: int | None = None,
    embedding: str | Path | None = None,
    seed: int = 0,
) -> Sample:
    """Windows of real text; every byte of UTF-8 becomes one vector.

    `path` None takes the standard library sources of the running Python, otherwise a UTF-8 file or a folder
    (searched to its leaves; hidden files, `__pycache__` and links to folders are left out and counted in
    `details["left_out"]`). The `samples` windows have `length` bytes, do not overlap, and lie each inside
    one file. The windows of a smaller sample are the first ones of a larger sample of the same seed.

    Without `embedding` the 256 byte vectors are Gaussian directions of norm 1 in `dim` dimensions, drawn from
    the seed independently of the windows. `embedding` is a `.npy` file of shape (256, d), used as it is;
    `dim` is then d or None.

    Raises:
        ValueError: bad numbers, unreadable or binary text, too little text, a bad embedding; with advice.
    """
    samples, length = positive("samples", samples), positive("length", length)
    seed = positive("seed", seed, least=0)
    if dim is not None:
        dim = positive("dim", dim)
    if embedding is not None:
        table, described = _embedding_file(Path(embedding), dim)
    elif dim is not None:
        table, described = byte_embedding(dim, seed), {"kind": "seeded Gaussian directions of norm 1"}
    else:
        raise ValueError("dim is missing: give dim, or an embedding file of shape (256, dim)")
    stream = _generator(seed, "windows")
    windows, details = text_windows(path, samples=samples, length=length, generator=stream)
    details = {"kind": "text", **details, "seed": seed, "embedding": described}
    return Sample(table[windows], str(details["text"]), details)


def byte_embedding(dim: int, seed: int = 0) -> Float[np.ndarray, "256 dim"]:
    """One unit vector per byte: rows of a Gaussian matrix divided by their norms."""
    return _unit(_generator(seed, "embedding").standard_normal((256, positive("dim", dim))))


def array_sample(path: str | Path) -> Sample:
    """The array of shape (n, T, d) in a `.npy` file, cast to float64. Pickled objects are never loaded.

    Raises:
        ValueError: missing, a folder, no `.npy` file, truncated, wrong rank, empty, not real, not finite.
    """
    path = Path(path)
    tokens = _tokens(_load(path), str(path))
    return Sample(tokens, str(path), {"kind": "array", "file": str(path), "sha256": _sha256(path)})


def synthetic_sample(
    kind: SyntheticKind, *, samples: int, length: int, dim: int, correlation: float = 0.0, seed: int = 0
) -> Sample:
    """Random tokens with correlated neighbours.

    `gaussian`: every channel is a stationary AR(1) sequence of variance 1/d whose values k tokens apart have
    correlation `correlation**k`; so E|x|^2 = 1. `sphere`: those tokens divided by their norms, uniform on the
    unit sphere; `correlation` is then that of the Gaussian before normalising, and the tokens' own
    E<x_t, x_(t+1)> is smaller (zero stays zero). Sequences are independent, and those of a smaller sample are
    the first ones of a larger sample of the same seed.

    Raises:
        ValueError: unknown kind, sizes below 1 or no integers, correlation outside [0, 1).
    """
    kinds = get_args(SyntheticKind)
    if kind not in kinds:
        near = difflib.get_close_matches(str(kind), kinds, 1)
        advice = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(kinds)}"
        raise ValueError(f"unknown kind of synthetic sample {kind!r}: {advice}")
    shape = positive("samples", samples), positive("length", length), positive("dim", dim)
    if isinstance(correlation, bool) or not isinstance(correlation, int | float | np.number):
        raise ValueError(f"correlation must be a number, got {correlation!r}: use correlation=0.5")
    if not 0 <= correlation < 1:
        raise ValueError(f"correlation must be in [0, 1), got {correlation}: use correlation=0.5")
    tokens = _generator(seed, "synthetic").standard_normal(shape) / math.sqrt(dim)
    fresh = math.sqrt(1 - correlation**2)
    for t in range(1, length):
        tokens[:, t] = correlation * tokens[:, t - 1] + fresh * tokens[:, t]
    if kind == "sphere":
        tokens = _unit(tokens)
    details = {
        "kind": kind,
        "correlation": float(correlation),
        "seed": int(seed),
        "sha256": hashlib.sha256(tokens.tobytes()).hexdigest(),
    }
    return Sample(tokens, f"synthetic {kind}, correlation {correlation:g}", details)


def positive(name: str, value: Any, least: int = 1) -> int:
    """`value` as an integer of at least `least`; ValueError that names the parameter otherwise."""
    try:
        number = None if isinstance(value, bool | np.bool_) else operator.index(value)
    except TypeError:
        number = None
    if number is None:
        raise ValueError(f"{name} must be an integer, got {value!r}: use for example {name}={max(least, 16)}")
    if number < least:
        raise ValueError(f"{name} must be at least {least}, got {number}: use {name}={least} or more")
    return number


def _generator(seed: Any, purpose: str) -> np.random.Generator:
    """Independent streams of one seed, told apart by name."""
    key = zlib.crc32(purpose.encode())
    sequence = np.random.SeedSequence(positive("seed", seed, least=0), spawn_key=(key,))
    return np.random.Generator(np.random.Philox(sequence))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _embedding_file(path: Path, dim: int | None) -> tuple[np.ndarray, dict[str, Any]]:
    table = _real(_load(path), str(path))
    if table.ndim != 2 or table.shape[0] != 256 or table.shape[1] < 1:
        raise ValueError(f"{path}: shape {table.shape} is not (256, d): save one row for each byte")
    width = table.shape[1]
    if dim not in (None, width):
        raise ValueError(f"{path} embeds into {width} dimensions, not {dim}: use dim={width}")
    return table, {"kind": "file", "file": str(path), "sha256": _sha256(path)}


def _load(path: Path) -> np.ndarray:
    """The array of a `.npy` file as it is stored; ValueError of one line otherwise."""
    how = "save one with numpy.save(path, array)"
    if path.is_dir():
        raise ValueError(f"{path} is a folder: give a .npy file in it")
    if not path.exists():
        raise ValueError(f"no file {path}: give an existing .npy file, or {how}")
    try:
        with open(path, "rb") as stream:
            magic = stream.read(6)
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}: check its permissions") from None
    if magic != b"\x93NUMPY":
        raise ValueError(f"{path} {'is not a .npy file' if magic else 'is empty'}: {how}")
    try:
        # Mapped, not read: a header that promises more than the file holds fails before it is allocated.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a damaged header ends in whatever NumPy's parser meets first
        if "Python objects" in str(error):
            raise ValueError(f"{path} holds Python objects, not numbers: save array.astype(float)") from None
        raise ValueError(f"{path} is damaged or truncated: copy the file again, or {how}") from None
    return np.array(array)


def _tokens(array: np.ndarray, name: str) -> Float[np.ndarray, "samples length dim"]:
    """A read-only float64 copy; ValueError unless it is a sample."""
    tokens = _real(array, name)
    if tokens.ndim != 3 or 0 in tokens.shape:
        raise ValueError(
            f"{name}: shape {tokens.shape} is not (n, T, d) with n, T, d at least 1: save an array of n "
            "sequences of T tokens with d numbers each"
        )
    tokens.setflags(write=False)
    return tokens


def _real(array: np.ndarray, name: str) -> np.ndarray:
    """A float64 copy; ValueError unless all numbers are real, finite and not huge."""
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{name} holds {array.dtype} numbers, not real ones: save array.real.astype(float)")
    with np.errstate(over="ignore"):
        numbers = np.array(array, dtype=np.float64)
    good = np.isfinite(numbers)
    if not good.all():
        bad = numbers[~good]
        nan = int(np.isnan(bad).sum())
        first = tuple(int(i) for i in np.argwhere(~good)[0])
        raise ValueError(
            f"{name}: {nan} NaN and {len(bad) - nan} infinite of {numbers.size} numbers, the first at index "
            f"{first}: replace them"
        )
    if numbers.size and (largest := float(np.abs(numbers).max())) > _LARGEST:
        raise ValueError(f"{name}: the largest number is {largest:.3g}, squares overflow: rescale it")
    return numbers


def _sha256(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
