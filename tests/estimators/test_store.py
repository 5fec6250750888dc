"""A store of results: found again by task, parameters, seed and code; extended seed by seed; JSON documents."""

import math
import re
import sqlite3
from contextlib import suppress

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.output_files import plain
from estimators.provenance import versions
from estimators.store import NotStored, Record, Store, Task
from estimators.store_file import opened, transaction

TASK = Task("estimators.toy.mean", "0123")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results.sqlite")


def never():
    pytest.fail("computed again")


# ---- keys


def test_a_finished_result_is_not_computed_again(store):
    assert store.get(TASK, {"n": 3}) is None
    first = store.cached(TASK, {"n": 3}, lambda: {"upper": np.float64(1 / 3), "draws": (1, 2)})
    assert first == {"upper": 1 / 3, "draws": [1, 2]}
    assert store.cached(TASK, {"n": 3}, never) == first
    assert Store(store.path).cached(TASK, {"n": 3}, never) == first
    assert Store(store.path, read_only=True).get(TASK, {"n": 3}).result == first


@pytest.mark.parametrize(
    ("task", "parameters", "seed"),
    [
        (Task("estimators.toy.other", "0123"), {"n": 3}, 0),
        (Task("estimators.toy.mean", "0124"), {"n": 3}, 0),
        (TASK, {"n": 4}, 0),
        (TASK, {"n": "3"}, 0),
        (TASK, {"n": 3, "m": None}, 0),
        (TASK, {}, 0),
        (TASK, {"n": 3}, 1),
        (TASK, {"n": 3}, None),
    ],
)
def test_another_task_code_parameter_or_seed_is_another_result(store, task, parameters, seed):
    store.put(TASK, {"n": 3}, 1, seconds=0.0, seed=0)
    assert store.get(task, parameters, seed=seed) is None
    store.put(task, parameters, 2, seconds=0.0, seed=seed)
    assert store.get(TASK, {"n": 3}, seed=0).result == 1
    assert store.get(task, parameters, seed=seed).result == 2


def test_the_order_of_parameters_and_the_kind_of_array_do_not_matter(store):
    store.put(TASK, {"a": [1.5, 2.5], "b": {"x": 1, "y": 2}}, 1, seconds=0.0)
    assert store.get(TASK, {"b": {"y": np.int64(2), "x": 1}, "a": jnp.array([1.5, 2.5])}).result == 1


def test_a_parameter_named_seed_is_the_seed(store):
    store.put(TASK, {"n": 3, "seed": np.int64(5)}, 1, seconds=0.0)
    record = store.get(TASK, {"n": 3}, seed=5)
    assert (record.parameters, record.seed) == ({"n": 3}, 5)
    with pytest.raises(ValueError, match="the seed is given twice"):
        store.get(TASK, {"seed": 5}, seed=5)


@pytest.mark.parametrize("seed", [-1, 2**63, 1.0, True, "1"])
def test_a_seed_is_an_integer(store, seed):
    with pytest.raises(ValueError, match=re.escape(f"seed must be an integer from 0 to 2^63 - 1, got {seed!r}")):
        store.get(TASK, {"seed": seed})


# ---- documents


def test_a_record_says_where_its_number_comes_from(store, monkeypatch):
    monkeypatch.setattr("sys.argv", ["/somewhere/toy.py", "--text", "a b"])
    record = store.put(TASK, {"n": 3}, [1], seconds=1.5, seed=2)
    assert isinstance(record, Record)
    assert (record.task, record.code, record.parameters, record.seed) == (TASK.name, TASK.code, {"n": 3}, 2)
    assert (record.result, record.seconds) == ([1], 1.5)
    assert record.versions == versions()
    assert {"jax", "device", "dtype"} <= record.versions.keys()
    assert record.command.startswith("python ")
    assert record.command.endswith(" --text 'a b'")
    assert "/somewhere" not in record.command
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", record.created)
    assert re.fullmatch("[0-9a-f]{64}", record.key)
    assert store.records() == [record] == [store.get(TASK, {"n": 3}, seed=2)]


numbers = st.floats(allow_nan=False) | st.integers() | st.booleans() | st.none() | st.text()
documents = st.recursive(numbers, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@settings(max_examples=40, deadline=None)
@given(documents, st.dictionaries(st.text().filter(lambda name: name != "seed"), st.integers() | st.text()))
def test_documents_come_back_exactly(tmp_path_factory, document, parameters):
    """As JSON writes them: every digit, infinities as None, whatever the text."""
    store = Store(tmp_path_factory.mktemp("store") / "a#?%.sqlite")
    record = store.put(TASK, parameters, document, seconds=0.0)
    wanted = plain(document, "document")
    assert repr(record.result) == repr(wanted)
    assert repr(store.get(TASK, parameters).result) == repr(wanted)
    assert store.get(TASK, parameters).parameters == parameters


def test_an_infinite_result_is_none_from_the_first_call_on(store):
    for _ in range(2):
        assert store.cached(TASK, {}, lambda: {"upper": math.inf, "lower": jnp.array([-jnp.inf, 1])}) == {
            "upper": None,
            "lower": [None, 1.0],
        }


def test_nan_and_infinite_parameters_are_refused_and_nothing_is_stored(store):
    with pytest.raises(ValueError, match=re.escape("result.upper[1] is NaN")):
        store.cached(TASK, {}, lambda: {"upper": [1, math.nan]})
    with pytest.raises(ValueError, match=re.escape("parameters.n is NaN")):
        store.cached(TASK, {"n": math.nan}, never)
    with pytest.raises(ValueError, match=re.escape("parameters.n[0] is infinite, which JSON has no number for")):
        store.cached(TASK, {"n": [-math.inf]}, never)
    with pytest.raises(TypeError, match="result: JSON has no form for object"):
        store.cached(TASK, {}, object)
    assert store.records() == []


def test_a_failed_computation_stores_nothing(store):
    with pytest.raises(ZeroDivisionError):
        store.cached(TASK, {}, lambda: 1 / 0)
    assert store.cached(TASK, {}, lambda: 1) == 1


def test_the_first_result_of_a_key_stays(store):
    first = store.put(TASK, {}, 1, seconds=1.0)
    assert store.put(TASK, {}, 2, seconds=2.0) == first
    assert store.records() == [first]


# ---- seeds


def mean_of(parts):
    return sum(part["sum"] for part in parts) / len(parts)


def block(seed):
    return {"sum": float(np.random.default_rng(seed).standard_normal(100).sum())}


def test_more_seeds_extend_a_result(store):
    asked = []

    def compute(seed):
        asked.append(seed)
        return block(seed)

    store.extended(TASK, {"n": 3}, [0, 1], compute)
    assert store.missing(TASK, {"n": 3}, np.arange(5)) == [2, 3, 4]
    parts = store.extended(TASK, {"n": 3}, range(5), compute)
    assert asked == [0, 1, 2, 3, 4]
    assert parts == [block(seed) for seed in range(5)]
    assert store.extended(TASK, {"n": 3}, [3, 1, 3], never) == [parts[1], parts[3]]
    assert store.missing(TASK, {"n": 4}, [0]) == [0]
    assert store.missing(Task(TASK.name, "changed"), {"n": 3}, [0]) == [0]


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(6)), st.integers(0, 6))
def test_the_order_of_computing_does_not_matter(tmp_path_factory, order, cut):
    store = Store(tmp_path_factory.mktemp("store") / "results.sqlite")
    for seed in order[:cut]:
        store.put(TASK, {}, block(seed), seconds=0.0, seed=seed)
    parts = store.extended(TASK, {}, order + order[:1], block)
    assert mean_of(parts) == mean_of([block(seed) for seed in range(6)])


def test_a_part_that_another_process_finished_meanwhile_is_taken(store):
    def compute(seed):
        if seed == 0:
            store.put(TASK, {}, "other", seconds=0.0, seed=1)
        return "own"

    assert store.extended(TASK, {}, [0, 1], compute) == ["own", "other"]


def test_an_interrupted_extension_keeps_its_parts(store):
    def compute(seed):
        if seed == 2:
            raise KeyboardInterrupt
        return seed

    with pytest.raises(KeyboardInterrupt):
        store.extended(TASK, {}, range(4), compute)
    assert store.missing(TASK, {}, range(4)) == [2, 3]


# ---- places


def test_no_store_to_read_and_no_place_to_write(tmp_path):
    with pytest.raises(ValueError, match=r"no store .*none\.sqlite: give the file of one with --store"):
        Store(tmp_path / "none.sqlite", read_only=True)
    with pytest.raises(ValueError, match="no folder"):
        Store(tmp_path / "none" / "results.sqlite")
    with pytest.raises(ValueError, match="is a folder"):
        Store(tmp_path)
    with pytest.raises(ValueError, match="cannot be standard output"):
        Store("-")
    assert list(tmp_path.iterdir()) == []


def test_a_transaction_that_fails_leaves_nothing(store):
    kept = store.put(TASK, {}, 1, seconds=0.0)
    with opened(store.path, write=True) as connection, suppress(KeyboardInterrupt), transaction(connection):
        connection.execute("DELETE FROM results")
        raise KeyboardInterrupt
    assert store.records() == [kept]


def test_a_result_that_cannot_be_stored_is_not_lost(store, monkeypatch):
    connect = sqlite3.connect

    def full(*words, **named):
        connection = connect(*words, **named)
        connection.execute("PRAGMA max_page_count = 12")
        return connection

    monkeypatch.setattr(sqlite3, "connect", full)
    kept, told = [], None
    while told is None:
        text = "x" * 3000 + str(len(kept))
        try:
            kept.append(store.put(TASK, {}, text, seconds=0.0, seed=len(kept)))
        except NotStored as error:
            told = error
    assert re.search("database or disk is full.*results finished before are kept: free space", str(told))
    assert told.result == text
    assert len(kept) > 5
    monkeypatch.undo()
    assert store.records() == kept
    assert store.cached(TASK, {}, lambda: 1, seed=99) == 1
