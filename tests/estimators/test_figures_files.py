"""The CSV of a figure, its parts in a store, a run that is killed, and the looks of encodings."""

import colorsys
import math
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.command_line import run
from estimators.figure_files import as_csv, from_csv
from estimators.figure_style import LOOKS, WIDTH, line, look, panels, style
from estimators.figures import figures
from estimators.figures_all import FIGURES, chosen
from estimators.figures_plan import Kept, checked, number
from estimators.store import Store
from theory.encodings import ENCODINGS

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), min_size=1)
CELLS = st.one_of(st.none(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5))
def test_a_csv_reads_back_as_it_was_written_or_is_refused(pairs):
    rows = [{"a": a, "b": b} for a, b in pairs]
    try:
        text = as_csv(rows)
    except ValueError:
        assert any(isinstance(cell, str) for pair in pairs for cell in pair)
        return
    back = from_csv(text)
    assert back == rows
    assert [[type(cell) for cell in row.values()] for row in back] == [[type(cell) for cell in pair] for pair in pairs]
    assert as_csv(back) == text


def test_numbers_keep_every_digit_and_their_kind():
    rows = [{"a": 0.1 + 0.2, "b": 5e-324, "c": -0.0, "d": 3, "e": 3.0, "f": 10**30}]
    back = from_csv(as_csv(rows))[0]
    assert repr(back) == repr(rows[0])
    assert math.copysign(1, back["c"]) == -1
    for text in ("1", "1.5", ""):
        with pytest.raises(ValueError, match="reads as a number"):
            as_csv([{"a": text}])
    assert from_csv(as_csv([{"a": "nan", "b": "1_000", "c": "inf"}])) == [{"a": "nan", "b": "1_000", "c": "inf"}]


def test_rows_are_checked():
    for wrong in ([], [{"a": 1}, {"b": 1}], [{"a": True}], [{"a": np.float64(1)}, {"a": math.nan}]):
        with pytest.raises(ValueError, match="f"):
            checked(wrong, "f")
    found = checked([{"a": np.float64(0.1), "b": -math.inf}], "f")
    assert type(found[0]["a"]) is float
    assert found[0]["b"] is None
    assert number({"a": None}, "a") == math.inf
    with pytest.raises(ValueError, match="not a number"):
        number({"a": "x"}, "a")


def test_parts_are_computed_once_by_figure_parameters_and_code(tmp_path):
    calls = []

    def part(*, index):
        calls.append(index)
        return [{"x": index}]

    store = Store(tmp_path / "s.sqlite")
    first = Kept("f", "c", store)
    assert first(part, index=1) == first(part, index=1) == [{"x": 1}]
    assert (first.computed, first.reused) == (1, 1)
    again = Kept("f", "c", store)
    again(part, index=1)
    assert (again.computed, again.reused) == (0, 1)
    Kept("f", "other code", store)(part, index=1)
    Kept("other figure", "c", store)(part, index=1)
    Kept("f", "c", store)(part, index=2)
    assert calls == [1, 1, 1, 2]


SCRIPT = """
import sys, time
from pathlib import Path
from estimators import figures_all
from estimators.command_line import run
from estimators.figures import figures
from estimators.figures_plan import Plot

log = Path(sys.argv.pop(1)) if __name__ == "__main__" else Path("/dev/null")

def part(*, index):
    with log.open("a") as stream:
        stream.write(f"{index}\\n")
    time.sleep(0.2 if __name__ == "__main__" else 0)
    return [{"x": index, "y": index / 7}]

def data(quick, kept):
    return [row for index in range(12) for row in kept(part, index=index)]

def draw(rows):
    import matplotlib.pyplot as plt
    figure, axes = plt.subplots(figsize=(2, 2))
    axes.plot([row["x"] for row in rows], [row["y"] for row in rows])
    return figure

data.__module__ = "estimators.figures_plan"
SLOW = Plot("", data, draw)
if __name__ == "__main__":
    figures_all.FIGURES.clear()
    figures_all.FIGURES["slow"] = SLOW
    sys.exit(run(figures))
"""


def test_a_killed_run_goes_on_where_it_was(tmp_path, monkeypatch):
    (tmp_path / "script_of_figures.py").write_text(SCRIPT)
    words = ["--output-dir", str(tmp_path / "killed"), "--store", str(tmp_path / "s.sqlite")]

    def started():
        given = [sys.executable, str(tmp_path / "script_of_figures.py"), str(tmp_path / "killed.log"), *words]
        return subprocess.Popen(given, env=os.environ | {"PYTHONPATH": os.getcwd()}, stdout=subprocess.DEVNULL)

    log = tmp_path / "killed.log"
    process = started()
    end = time.monotonic() + 60
    while (not log.exists() or len(log.read_text().split()) < 4) and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    begun = log.read_text().split()
    assert 4 <= len(begun) < 12
    assert not (tmp_path / "killed" / "slow.csv").exists()
    assert started().wait() == 0
    # Only the part that was being computed is computed again.
    finished = len(begun) - 1
    after = log.read_text().split()[len(begun) :]
    assert after in ([str(k) for k in range(finished, 12)], [str(k) for k in range(finished + 1, 12)])
    monkeypatch.syspath_prepend(tmp_path)
    import script_of_figures

    monkeypatch.setattr("estimators.figures_all.FIGURES", {"slow": script_of_figures.SLOW})
    assert run(figures, ["--output-dir", str(tmp_path / "whole"), "--store", "none"]) == 0
    csv = [(tmp_path / name / "slow.csv").read_bytes() for name in ("killed", "whole")]
    assert csv[0] == csv[1]


def test_every_encoding_has_a_look_of_its_own():
    assert list(LOOKS) == list(ENCODINGS)
    assert len({one.colour for one in LOOKS.values()}) == len(LOOKS)
    assert len({(one.marker, one.hollow) for one in LOOKS.values()}) == len(LOOKS)
    assert line("alibi:slope=1/2")["color"] == look("alibi").colour
    with pytest.raises(ValueError, match="LOOKS"):
        look("unheard")
    for name, one in LOOKS.items():
        red, green, blue = (int(one.colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
        assert colorsys.rgb_to_hls(red, green, blue)[1] < 0.75, name  # seen on white paper


def test_style_is_left_as_it_was():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    with style():
        assert mpl.rcParams["text.usetex"] is False
        figure, axes = panels(3, 2)
    assert dict(mpl.rcParams) == before
    assert figure.get_size_inches()[0] == WIDTH
    assert len(axes) == 3


def test_names_of_figures():
    assert list(chosen(["ledger", "brackets", "ledger"])) == ["brackets", "ledger"]
    assert list(chosen([])) == list(FIGURES)
    assert len({plot.data for plot in FIGURES.values()}) == len(FIGURES)
