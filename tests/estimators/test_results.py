"""Results: strict JSON, files that are complete or untouched, versions."""

import dataclasses
import json
import os
import re
import stat
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from estimators.results import check_writable, versions, write_json


@dataclasses.dataclass(frozen=True)
class Interval:
    lower: float
    upper: float


def test_json_is_strict_and_keeps_every_digit(tmp_path):
    document = {
        "third": 1 / 3,
        "big": 2**70,
        "numpy": [np.float64(0.1), np.int32(3), np.bool_(True), np.arange(4).reshape(2, 2)],
        "single": np.float32(0.1),
        "jax": jnp.array([1.5, jnp.inf]),
        "interval": Interval(-np.inf, np.inf),
        "path": Path("a") / "b",
        "tuple": (1, None, "größer"),
    }
    path = tmp_path / "x.json"
    write_json(path, document)
    read = json.loads(path.read_text(encoding="utf-8"), parse_constant=lambda name: pytest.fail(name))
    assert read == {
        "third": 1 / 3,
        "big": 2**70,
        "numpy": [0.1, 3, True, [[0, 1], [2, 3]]],
        "single": float(np.float32(0.1)),
        "jax": [1.5, None],
        "interval": {"lower": None, "upper": None},
        "path": "a/b",
        "tuple": [1, None, "größer"],
    }
    assert os.listdir(tmp_path) == ["x.json"]


def test_json_to_standard_output(capsys):
    check_writable("-")
    write_json("-", {"a": 1})
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"a": 1}
    assert captured.out.endswith("}\n")


@pytest.mark.parametrize(
    ("document", "error", "where"),
    [
        ({"results": [{}, {"upper": float("nan")}]}, ValueError, "document.results[1].upper is NaN"),
        ({"a": np.array([[0.0], [np.nan]])}, ValueError, "document.a[1][0] is NaN"),
        ({"a": object()}, TypeError, "document.a: JSON has no form for object"),
        ({"a": 1j}, TypeError, "document.a: JSON has no form for complex"),
        ({"a": {1: 2}}, TypeError, "document.a: the key 1 is not a text"),
    ],
)
def test_json_refuses_what_it_cannot_say_and_keeps_the_old_file(tmp_path, document, error, where):
    path = tmp_path / "x.json"
    path.write_text("old")
    with pytest.raises(error, match=re.escape(where)):
        write_json(path, document)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["x.json"]


def test_json_replaces_a_file_at_once_with_its_mode_and_through_a_link(tmp_path):
    path, link = tmp_path / "x.json", tmp_path / "link.json"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_json(link, [1])
    assert link.is_symlink()
    assert json.loads(path.read_text()) == [1]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_new_json_file_has_the_usual_mode(tmp_path):
    (tmp_path / "plain").write_text("")
    write_json(tmp_path / "x.json", [])
    assert (tmp_path / "x.json").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "x.json"
    path.write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ValueError, match=r"cannot write .*x\.json: No space left on device"):
        write_json(path, [1])
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["x.json"]


def test_json_to_a_pipe_writes_into_it_and_keeps_it(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_json(pipe, [1])
    assert json.loads(os.read(reader, 100)) == [1]
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_places_that_cannot_be_written_are_told_before(tmp_path, monkeypatch):
    for check in (check_writable, lambda path: write_json(path, [])):
        with pytest.raises(ValueError, match=r"no folder .*none: create it with mkdir -p"):
            check(tmp_path / "none" / "x.json")
        with pytest.raises(ValueError, match="is a folder: give the name of a file in it"):
            check(tmp_path)
        with pytest.raises(ValueError, match="is a folder"):
            check("")
    check_writable(tmp_path / "x.json")
    assert os.listdir(tmp_path) == []
    # Root may write anywhere, so a refusal is simulated.
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place) not in (tmp_path, Path("/dev")))
    with pytest.raises(ValueError, match=r"x\.json cannot be written: check the permissions"):
        check_writable(tmp_path / "x.json")
    check_writable("/dev/null")


def test_versions_name_everything_a_number_depends_on():
    found = versions()
    wanted = {"python", "jax", "jaxlib", "numpy", "scipy", "sympy", "positional-encoding-bounds"}
    assert set(found) == wanted | {"platform", "device", "dtype"}
    assert found["numpy"] == np.__version__
    assert found["dtype"] == "float64"
    assert "not installed" not in found.values()
    json.dumps(found)
