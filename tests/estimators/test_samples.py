"""Samples: what they contain, that they can be reproduced, and one helpful line for every bad input."""

import inspect
import io
import json
import os
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from estimators import corpus
from estimators.samples import Sample, array_sample, byte_embedding, positive, synthetic_sample, text_sample


@contextmanager
def advises(*parts: str):
    """The block raises ValueError with one line that holds every part."""
    with pytest.raises(ValueError) as error:  # noqa: PT011
        yield
    message = str(error.value)
    assert "\n" not in message
    for part in parts:
        assert part in message, (part, message)


def unchecked(function):
    """Without the run-time check of types, which only tests have: what a user's bad value meets."""
    return inspect.unwrap(function)


def decode(tokens: np.ndarray, table: np.ndarray) -> list[bytes]:
    """Windows of bytes back from their vectors."""
    nearest = np.argmin(((tokens[:, :, None, :] - table) ** 2).sum(-1), axis=-1)
    return [bytes(row.astype(np.uint8)) for row in nearest]


# ---- text


def test_standard_library_windows_are_real_text_of_many_modules():
    sample = text_sample(samples=64, length=16, dim=3, seed=1)
    assert sample.tokens.shape == (64, 16, 3)
    assert sample.tokens.dtype == np.float64
    np.testing.assert_allclose(np.linalg.norm(sample.tokens, axis=-1), 1, atol=1e-12)
    sources = b"".join(file.read_bytes() for file in corpus._standard_library().files)
    windows = decode(sample.tokens, byte_embedding(3, 1))
    assert all(window in sources for window in windows)
    assert len(set(windows)) > 50
    assert sample.details["files"] >= 20
    assert "standard library of Python 3" in sample.source
    assert sample.details["python"] in sample.source
    json.dumps(sample.details, allow_nan=False)


def test_standard_library_files_hold_no_tests_and_no_installed_packages():
    root = Path(os.__file__).parent
    files = corpus._standard_library().files
    folders = {folder for file in files for folder in file.relative_to(root).parts[:-1]}
    assert len(files) > 100
    assert not folders & {"test", "tests", "site-packages", "dist-packages"}
    assert list(files) == sorted(files, key=lambda file: file.relative_to(root).as_posix())


def test_same_seed_same_sample_and_another_seed_another():
    first, again = (text_sample(samples=8, length=8, dim=2, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first.tokens, again.tokens)
    assert first.details == again.details
    other = text_sample(samples=8, length=8, dim=2, seed=6)
    assert other.details["sha256"] != first.details["sha256"]
    assert not np.array_equal(byte_embedding(2, 5), byte_embedding(2, 6))


def test_smaller_sample_is_the_beginning_of_a_larger_one(tmp_path: Path):
    file = tmp_path / "a.txt"
    file.write_bytes(bytes(range(32, 127)) * 3)
    for path in (None, file):
        small, large = (text_sample(path, samples=n, length=4, dim=2, seed=3).tokens for n in (7, 40))
        np.testing.assert_array_equal(small, large[:7])
    small, large = (synthetic_sample("sphere", samples=n, length=4, dim=2, correlation=0.5) for n in (7, 40))
    np.testing.assert_array_equal(small.tokens, large.tokens[:7])


def test_all_windows_of_a_file_are_its_pieces_each_once(tmp_path: Path):
    text = "".join(f"{i:04d}" for i in range(50)).encode()
    file = tmp_path / "a.txt"
    file.write_bytes(text + b"xy")
    sample = text_sample(file, samples=50, length=4, dim=8)
    windows = decode(sample.tokens, byte_embedding(8))
    pieces = [text[i : i + 4] for i in range(0, 200, 4)]
    assert sorted(windows) == pieces
    assert windows != pieces
    assert sample.source == str(file)


def test_first_window_is_uniform_over_all_windows(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"01")
    (tmp_path / "b").write_bytes(b"2")
    (tmp_path / "c").write_bytes(b"345")
    table = byte_embedding(4)
    count = dict.fromkeys((b"0", b"1", b"2", b"3", b"4", b"5"), 0)
    for seed in range(600):
        generator = np.random.Generator(np.random.Philox(seed))
        windows, _ = corpus.text_windows(tmp_path, samples=2, length=1, generator=generator)
        for window in decode(table[windows], table):
            count[window] += 1
    # 1,200 draws over 6 windows: 200 each, standard deviation 12 (two draws without replacement).
    assert all(140 < times < 260 for times in count.values()), count


def test_folder_is_searched_and_windows_stay_inside_files(tmp_path: Path):
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / ".git" / "x").write_bytes(b"\0\0\0\0")
    (tmp_path / "__pycache__" / "y.pyc").write_bytes(b"\0\0\0\0")
    (tmp_path / ".hidden").write_bytes(b"\xff\xff\xff\xff")
    (tmp_path / "link").symlink_to(tmp_path / "sub")
    (tmp_path / "a.txt").write_bytes(b"aaaaa")
    (tmp_path / "sub" / "b.txt").write_bytes(b"bbbbbbb")
    (tmp_path / "sub" / "deep" / "c.md").write_bytes(b"cc")
    sample = text_sample(tmp_path, samples=3, length=3, dim=4)
    assert sorted(decode(sample.tokens, byte_embedding(4))) == [b"aaa", b"bbb", b"bbb"]
    assert sample.details["left_out"] == 4
    assert sample.details["files_available"] == 3
    assert sample.details["files"] == 2
    assert sample.details["bytes_available"] == 14


def test_characters_of_several_bytes_are_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(corpus, "_CHUNK", 2)  # pieces end inside characters
    file = tmp_path / "a.txt"
    text = "größer ∑ 🙂 ok" * 3
    file.write_text(text, encoding="utf-8")
    sample = text_sample(file, samples=1, length=len(text.encode()), dim=4)
    assert decode(sample.tokens, byte_embedding(4)) == [text.encode()]


@pytest.mark.parametrize(
    ("content", "offset", "byte"),
    [
        (b"abc\xff" + b"d" * 20, 3, "0xff"),
        ("añ".encode("latin-1") + b"ccccccc", 1, "0xf1"),
        ("12345∑".encode()[:-1], 5, "0xe2"),  # the file ends inside a character
        ("123∑".encode()[:-1] + b"xxxxx", 3, "0xe2"),
        (b"1234567\x80", 7, "0x80"),
    ],
)
@pytest.mark.parametrize("chunk", [1, 2, 3, 1 << 20])
def test_not_utf8_names_file_and_offset(tmp_path, monkeypatch, content, offset, byte, chunk):
    monkeypatch.setattr(corpus, "_CHUNK", chunk)
    file = tmp_path / "a.txt"
    file.write_bytes(content)
    where = f"byte {byte} at offset {offset} is not UTF-8"
    with advises(str(file), where, "is this a binary file?", "iconv"):
        text_sample(file, samples=1, length=2, dim=2)


@pytest.mark.parametrize("chunk", [2, 1 << 20])
def test_nul_bytes_are_binary_wherever_they_are(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr(corpus, "_CHUNK", chunk)
    (tmp_path / "a.txt").write_bytes(b"text " * 100)
    (tmp_path / "b.bin").write_bytes(b"text\n\0")
    for seed in range(5):  # the error does not depend on where the windows fall
        with advises("b.bin", "NUL byte at offset 5", "is this a binary file?", "out of the folder"):
            text_sample(tmp_path, samples=1, length=4, dim=2, seed=seed)


@pytest.mark.parametrize(
    ("content", "samples", "length", "parts"),
    [
        (b"", 1, 4, ["is empty", "at least 4 bytes"]),
        (b"short", 1, 16, ["holds 5 bytes", "one window of 16", "length=5 or less", "longer text"]),
        (b"x" * 100, 7, 16, ["holds 100 bytes", "6 windows of 16", "not for 7", "samples=6"]),
    ],
)
def test_too_little_text_says_how_much_there_is(tmp_path, content, samples, length, parts):
    file = tmp_path / "a.txt"
    file.write_bytes(content)
    with advises(str(file), *parts):
        text_sample(file, samples=samples, length=length, dim=2)
    if samples > 1:  # what it advises works
        assert text_sample(file, samples=6, length=length, dim=2).tokens.shape == (6, 16, 2)


def test_many_short_files_are_too_little(tmp_path: Path):
    for name in "abc":
        (tmp_path / name).write_bytes(b"1234567")
    with advises("21 bytes in 3 files, the longest 7", "length=7 or less"):
        text_sample(tmp_path, samples=1, length=8, dim=2)
    with advises("standard library", "not for 100000000"):
        text_sample(samples=10**8, length=16, dim=2)


def test_text_that_is_missing_or_no_file(tmp_path: Path):
    with advises("none.txt", "existing UTF-8 file or folder"):
        text_sample(tmp_path / "none.txt", samples=1, length=1, dim=2)
    with advises(str(tmp_path), "holds no files"):
        text_sample(tmp_path, samples=1, length=1, dim=2)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with advises("pipe is not a regular file", "write the text to a file first"):
            text_sample(path, samples=1, length=1, dim=2)
    (tmp_path / "pipe").unlink()
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    with advises("broken"):
        text_sample(tmp_path, samples=1, length=1, dim=2)


def test_unreadable_text_is_an_error_where_the_user_named_it(tmp_path, monkeypatch):
    file = tmp_path / "secret.txt"
    file.write_text("some text")

    def refuse(name, *rest):
        raise PermissionError(13, "Permission denied", str(name))

    monkeypatch.setattr(corpus, "open", refuse, raising=False)
    for path in (file, tmp_path):
        with advises(f"cannot read {file}", "Permission denied", "permissions"):
            text_sample(path, samples=1, length=2, dim=2)


def test_unreadable_folder_is_an_error_not_a_gap(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("some text")
    (tmp_path / "locked").mkdir()
    scan = os.scandir

    def refuse(path):
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with advises("locked", "Permission denied"):
        text_sample(tmp_path, samples=1, length=2, dim=2)


def test_standard_library_files_that_are_no_text_are_passed_over(tmp_path, monkeypatch):
    (tmp_path / "os.py").write_bytes(b"good")
    (tmp_path / "bad.py").write_bytes(b"\xff" * 400)
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "no.py").write_bytes(b"hidden")
    monkeypatch.setattr(os, "__file__", str(tmp_path / "os.py"))
    sample = text_sample(samples=1, length=4, dim=2)
    assert decode(sample.tokens, byte_embedding(2)) == [b"good"]
    with advises("standard library", "samples=1"):
        text_sample(samples=2, length=4, dim=2)
    (tmp_path / "os.py").unlink()
    (tmp_path / "bad.py").unlink()
    with advises("without its sources", "give a text file"):
        text_sample(samples=1, length=4, dim=2)


def test_file_that_shrinks_while_it_is_read(tmp_path, monkeypatch):
    file = tmp_path / "a.txt"
    file.write_text("x" * 64)
    places = corpus._places

    def shrink(*arguments):
        found = places(*arguments)
        file.write_text("")
        return found

    monkeypatch.setattr(corpus, "_places", shrink)
    with advises("became shorter"):
        text_sample(file, samples=1, length=16, dim=2)


# ---- embedding


def test_byte_embedding_is_unit_norm_and_independent_of_the_sample():
    table = byte_embedding(5, seed=2)
    assert table.shape == (256, 5)
    np.testing.assert_allclose(np.linalg.norm(table, axis=1), 1, atol=1e-12)
    assert np.linalg.matrix_rank(table) == 5
    # Directions are uniform: the mean vector of 256 has norm about 1/16.
    assert np.linalg.norm(table.mean(0)) < 0.2
    other_use_of_the_seed = synthetic_sample("sphere", samples=256, length=1, dim=5, seed=2).tokens[:, 0]
    assert not np.allclose(table, other_use_of_the_seed)
    windows = text_sample(samples=4, length=4, dim=5, seed=2).details["sha256"]
    assert windows == text_sample(samples=4, length=4, dim=9, seed=2).details["sha256"]


def test_embedding_file_is_used_as_it_is(tmp_path: Path):
    table = np.arange(512, dtype=np.float32).reshape(256, 2)
    np.save(tmp_path / "e.npy", table)
    (tmp_path / "a.txt").write_bytes(b"AZ")
    for dim in (None, 2):
        sample = text_sample(tmp_path / "a.txt", samples=1, length=2, dim=dim, embedding=tmp_path / "e.npy")
        np.testing.assert_array_equal(sample.tokens, [[[130, 131], [180, 181]]])
    assert len(sample.details["embedding"]["sha256"]) == 64


def test_bad_embeddings(tmp_path: Path):
    def fails(array, *parts, dim=None):
        np.save(tmp_path / "e.npy", array)
        with advises("e.npy", *parts):
            text_sample(samples=1, length=2, dim=dim, embedding=tmp_path / "e.npy")

    fails(np.ones((255, 2)), "(255, 2)", "(256, d)")
    fails(np.ones(256), "(256,)", "(256, d)")
    fails(np.ones((256, 0)), "(256, 0)")
    fails(np.ones((256, 4)), "not 3", "use dim=4", dim=3)
    fails(np.full((256, 4), np.nan), "1024 NaN")
    with advises("dim is missing"):
        text_sample(samples=1, length=2)


# ---- arrays


def test_array_is_read_as_float64(tmp_path: Path):
    for array in (np.arange(24).reshape(2, 3, 4), np.arange(6, dtype=np.float32).reshape(1, 2, 3, order="F")):
        np.save(tmp_path / "x.npy", array)
        sample = array_sample(tmp_path / "x.npy")
        np.testing.assert_array_equal(sample.tokens, array)
        assert sample.tokens.dtype == np.float64
        assert not sample.tokens.flags.writeable
        assert sample.source == str(tmp_path / "x.npy")
        json.dumps(sample.details, allow_nan=False)


def saved(array, pickled=False) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=pickled)
    return stream.getvalue()


BAD = np.ones((2, 3, 4))
BAD[0, 1, 2], BAD[1, 0, 0], BAD[1, 2, 3] = np.nan, np.inf, -np.inf


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"", ["is empty", "numpy.save"]),
        (b"1,2,3\n4,5,6\n", ["not a .npy file", "numpy.save"]),
        (b"PK\x03\x04 an archive", ["not a .npy file"]),
        (b"\x93NUMPY", ["damaged or truncated"]),
        (saved(np.ones((2, 3, 4)))[:-1], ["damaged or truncated", "copy the file again"]),
        (saved(np.ones((2, 3, 4)))[:40], ["damaged or truncated"]),
        (saved(np.ones((2, 3, 4))).replace(b"(2, 3, 4)", b"(2, 3, 4x"), ["damaged or truncated"]),
        (saved(np.ones((2, 3, 4))).replace(b"(2, 3, 4), ", b"(2, -3, 4),"), ["damaged or truncated"]),
        (saved(np.ones((2, 3, 4))).replace(b"(2, 3, 4), }   ", b"(2**9,9**9)}   "), ["damaged or truncated"]),
        (saved(np.array([[[{}]]]), pickled=True), ["Python objects"]),
        (saved(np.ones((2, 3))), ["(2, 3)", "(n, T, d)"]),
        (saved(np.float64(3)), ["()", "(n, T, d)"]),
        (saved(np.ones((2, 3, 4, 5))), ["(2, 3, 4, 5)", "(n, T, d)"]),
        (saved(np.ones((0, 3, 4))), ["(0, 3, 4)", "at least 1"]),
        (saved(np.ones((2, 3, 0))), ["(2, 3, 0)", "at least 1"]),
        (saved(np.ones((2, 3, 4), complex)), ["complex128", "array.real"]),
        (saved(np.full((2, 3, 4), "a")), ["<U1", "not real"]),
        (saved(np.ones((2, 3, 4), bool)), ["bool", "astype(float)"]),
        (saved(BAD), ["1 NaN and 2 infinite of 24", "first at index (0, 1, 2)"]),
        (saved(np.full((1, 1, 1), np.longdouble("1e4000"))), ["1 infinite"]),
        (saved(np.full((1, 2, 3), 1e200)), ["1e+200", "overflow", "rescale"]),
    ],
)
def test_bad_arrays(tmp_path, content, parts):
    path = tmp_path / "x.npy"
    path.write_bytes(content)
    with advises(str(path), *parts):
        array_sample(path)


def test_array_that_is_missing_or_a_folder(tmp_path: Path):
    with advises("no file", "none.npy"):
        array_sample(tmp_path / "none.npy")
    with advises("is a folder"):
        array_sample(tmp_path)


def test_a_pickle_is_never_executed(tmp_path: Path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    for content in (saved(np.array([[[Bomb()]]]), pickled=True), __import__("pickle").dumps(Bomb())):
        (tmp_path / "x.npy").write_bytes(content)
        with pytest.raises(ValueError):  # noqa: PT011
            array_sample(tmp_path / "x.npy")
    assert not (tmp_path / "executed").exists()


def test_sample_checks_and_copies_what_it_is_given():
    tokens = np.ones((2, 3, 4))
    sample = Sample(tokens)
    tokens[:] = 7
    assert (sample.tokens == 1).all()
    with pytest.raises(ValueError, match="read-only"):
        sample.tokens[0, 0, 0] = 2
    for bad in (np.ones((2, 3)), np.ones((1, 1, 1), complex), np.full((1, 1, 1), np.nan)):
        sample = object.__new__(Sample)
        with advises("mine"):
            unchecked(Sample.__init__)(sample, bad, "mine")


# ---- synthetic


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.9])
def test_gaussian_has_variance_and_correlation(correlation):
    sample = synthetic_sample("gaussian", samples=4000, length=6, dim=5, correlation=correlation, seed=2)
    x = sample.tokens
    # Standard errors: about 0.01 (relative) for 20,000 values per position.
    np.testing.assert_allclose(x.var(axis=(0, 2)) * 5, 1, atol=0.05)
    for lag in (1, 3):
        measured = 5 * (x[:, lag:] * x[:, :-lag]).mean(axis=(0, 2))
        np.testing.assert_allclose(measured, correlation**lag, atol=0.05)
    between_samples = 5 * (x[1:] * x[:-1]).mean()
    assert abs(between_samples) < 0.02
    assert sample.details["correlation"] == correlation


@pytest.mark.parametrize("dim", [1, 2, 7])
def test_sphere_is_on_the_sphere_and_uniform(dim):
    x = synthetic_sample("sphere", samples=3000, length=3, dim=dim, correlation=0.5, seed=4).tokens
    np.testing.assert_allclose(np.linalg.norm(x, axis=-1), 1, atol=1e-12)
    np.testing.assert_allclose(np.einsum("nti,ntj->ij", x, x) / 9000, np.eye(dim) / dim, atol=0.03)
    np.testing.assert_allclose(x.mean(axis=(0, 1)), 0, atol=0.06)
    neighbours = (x[:, 1:] * x[:, :-1]).sum(-1).mean()
    assert 0.25 < neighbours < 0.5  # smaller than that of the Gaussian, as documented


def test_synthetic_seed():
    drawn = [synthetic_sample("sphere", samples=3, length=4, dim=2, seed=seed).tokens for seed in (1, 1, 2)]
    one, same, other = drawn
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("correlation", [-0.1, 1.0, float("nan"), "0.5", True, None])
def test_bad_correlation(correlation):
    with advises("correlation", "use correlation=0.5"):
        unchecked(synthetic_sample)("gaussian", samples=2, length=2, dim=2, correlation=correlation)


def test_unknown_kind_names_the_nearest():
    with advises("'gausian'", "did you mean 'gaussian'?"):
        unchecked(synthetic_sample)("gausian", samples=2, length=2, dim=2)
    with advises("use one of sphere, gaussian"):
        unchecked(synthetic_sample)("xyz", samples=2, length=2, dim=2)


# ---- numbers


@pytest.mark.parametrize("name", ["samples", "length", "dim"])
@pytest.mark.parametrize("value", [0, -3, 2.0, 2.5, "4", True, float("nan"), None])
def test_bad_sizes(name, value):
    sizes = {"samples": 2, "length": 2, "dim": 2} | {name: value}
    calls = [lambda: unchecked(synthetic_sample)("sphere", **sizes), lambda: unchecked(text_sample)(**sizes)]
    for call in calls:
        with advises(name):
            call()


def test_sizes_may_be_numpy_integers_and_seeds_any_natural_number():
    assert positive("samples", np.int32(3)) == 3
    sample = unchecked(synthetic_sample)("sphere", samples=np.int64(2), length=2, dim=2, seed=2**80)
    assert sample.tokens.shape == (2, 2, 2)
    for seed in (-1, 1.5, "a"):
        with pytest.raises(ValueError, match="seed must be"):
            unchecked(text_sample)(samples=1, length=2, dim=2, seed=seed)
