"""Tables of results: every digit in CSV, types in Parquet, dimensions in xarray; advice where a package is absent."""

import csv
import importlib
import io
import json
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from estimators.results import export_results
from estimators.store import Record, Store, Task
from estimators.store_tables import columns, to_xarray, write_table


def records(*results, parameters=None):
    return [
        Record(
            f"{number:064}",
            "toy",
            "c0de",
            parameters or {"n": 3},
            number,
            one,
            0.25,
            "2026-01-01",
            "python",
            {"jax": "1"},
        )
        for number, one in enumerate(results)
    ]


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_objects_are_spread_over_columns_and_lists_are_cells(tmp_path):
    made = records(
        {"a": {"lower": 0.1, "upper": None}, "list": [1, [2]]}, {"a": {"lower": 1}, "more": True, "none": {}}, "text"
    )
    write_table("csv", made, tmp_path / "x.csv")
    rows = read(tmp_path / "x.csv")
    assert list(rows[0]) == [
        *("key", "task", "code", "parameters.n", "seed"),
        *("result.a.lower", "result.a.upper", "result.list", "result.more", "result.none", "result"),
        *("seconds", "created", "command", "versions.jax"),
    ]
    assert [row["result.a.lower"] for row in rows] == ["0.1", "1", ""]
    assert [row["result.list"] for row in rows] == ["[1, [2]]", "", ""]
    assert [row["result.more"] for row in rows] == ["", "true", ""]
    assert [row["result"] for row in rows] == ["", "", "text"]
    assert {row["result.a.upper"] for row in rows} == {row["result.none"] for row in rows} == {""}
    assert rows[1]["seed"] == "1"


@settings(deadline=None)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5),
    st.text(st.characters(codec="utf-8")),
)
@example([0.1], "\r")
@example([0.1, -0.0], '"a\r\n,')
def test_csv_keeps_every_digit_and_letter(tmp_path_factory, numbers, text):
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    write_table("csv", records(*({"x": number, "text": text} for number in numbers)), path)
    rows = read(path)
    assert [repr(float(row["result.x"])) for row in rows] == [repr(number) for number in numbers]
    assert {row["result.text"] for row in rows} == {text}


def test_two_values_of_one_name_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"two values of result 0{12} are named result\.a\.b: use export --json"):
        write_table("csv", records({"a": {"b": 1}, "a.b": 2}), tmp_path / "x.csv")


def test_no_results_are_a_table_without_rows(capsys):
    write_table("csv", [], "-")
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == [list(columns([]))]


def test_the_same_results_are_the_same_bytes(tmp_path):
    for name in "ab":
        write_table("csv", records({"x": 1 / 3}, {"y": "ä\n"}), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    ("kind", "package", "ending"), [("parquet", "pyarrow", ".parquet"), ("netcdf", "xarray", ".nc")]
)
def test_an_absent_package_is_told(tmp_path, monkeypatch, kind, package, ending):
    def absent(name):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(ValueError, match=rf"needs? {package}: pip install {package}, or export CSV"):
        write_table(kind, records(1), tmp_path / f"x{ending}")
    path = Store(tmp_path / "results.sqlite").path
    with pytest.raises(ValueError, match=f"pip install {package}"):
        export_results(store=path, output=tmp_path / f"x{ending}")
    assert not (tmp_path / f"x{ending}").exists()


MIXED = (
    {"x": 1 / 3, "n": 1, "big": 2**60, "huge": 2**70, "both": 1, "flag": True, "word": "ä", "any": 1, "list": [1, 2.5]},
    {"x": None, "n": -2, "big": 1, "huge": 1, "both": 0.5, "flag": False, "word": None, "any": "1", "list": [3, None]},
)


def test_parquet_keeps_types(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    write_table("parquet", records(*MIXED), tmp_path / "x.parquet")
    table = parquet.read_table(tmp_path / "x.parquet")
    assert table.num_rows == 2
    found = {name: table[f"result.{name}"].to_pylist() for name in MIXED[0]}
    assert found == {
        "x": [1 / 3, None],
        "n": [1, -2],
        "big": [2**60, 1],
        "huge": [str(2**70), "1"],
        "both": [1.0, 0.5],
        "flag": [True, False],
        "word": ["ä", None],
        "any": ["1", "1"],
        "list": ["[1, 2.5]", "[3, null]"],
    }
    assert table["seed"].to_pylist() == [0, 1]
    write_table("parquet", [], tmp_path / "none.parquet")
    assert parquet.read_table(tmp_path / "none.parquet").num_rows == 0


def test_xarray_and_its_file(tmp_path):
    xarray = pytest.importorskip("xarray")
    made = records(*({**one, "table": [[1, 2], [3, 4], [5, 6]], "ragged": [[1], [2, 3]]} for one in MIXED))
    data = to_xarray(made)
    write_table("netcdf", made, tmp_path / "x.nc")
    with xarray.open_dataset(tmp_path / "x.nc", engine="scipy") as file:
        read_back = file.load()
    for found in (data, read_back):
        assert found.sizes["result"] == 2
        assert list(found["key"].values) == [one.key for one in made]
        assert found["result.x"].values[0] == 1 / 3
        assert math.isnan(found["result.x"].values[1])
        assert list(found["result.n"].values) == [1, -2]
        assert list(found["result.big"].values) == [str(2**60), "1"]
        assert list(found["result.huge"].values) == [str(2**70), "1"]
        assert list(found["result.flag"].values) == [True, False]
        assert list(found["result.word"].values) == ["ä", ""]
        assert found["result.table"].values.tolist() == 2 * [[[1, 2], [3, 4], [5, 6]]]
        assert json.loads(str(found["result.ragged"].values[0])) == [[1], [2, 3]]
        np.testing.assert_array_equal(found["result.list"].values, [[1, 2.5], [3, np.nan]])
    write_table("netcdf", [], tmp_path / "none.nc")
    with xarray.open_dataset(tmp_path / "none.nc", engine="scipy") as file:
        assert file.sizes["result"] == 0


def test_results_of_several_tasks_share_a_table(tmp_path):
    store = Store(tmp_path / "results.sqlite")
    store.put(Task("a", "1"), {"n": 1}, {"x": 1}, seconds=0.0)
    store.put(Task("b", "1"), {"m": 2}, 0.5, seconds=0.0, seed=4)
    assert export_results(store=store.path, output=tmp_path / "x.csv") == 0
    one, two = read(tmp_path / "x.csv")
    assert (one["parameters.n"], one["parameters.m"], one["result.x"], one["result"], one["seed"]) == (
        "1",
        "",
        "1",
        "",
        "",
    )
    assert (two["parameters.n"], two["parameters.m"], two["result.x"], two["result"], two["seed"]) == (
        "",
        "2",
        "",
        "0.5",
        "4",
    )
