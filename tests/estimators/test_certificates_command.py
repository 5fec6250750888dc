"""`python -m estimators.certificates`: rows are kept, not computed twice, and judged against their targets."""

import dataclasses

import pytest

from estimators import certificates as module
from estimators.certificates import Classes, certificates, design
from estimators.certificates_report import verdict
from estimators.certificates_table import Cell, Row, read_rows
from estimators.command_line import run

CELLS = [Cell("query", 5, 8, 4, radius, 0.0, "none", "sphere") for radius in (0.25, 1.0)]
CELLS.append(Cell("two-layer", 4, 6, 3, 0.5, 0.1, "alibi", "sphere"))


def call(table, *arguments):
    return run(certificates, ["--table", str(table), "--draws", "70", *map(str, arguments)])


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "design", lambda name: CELLS)
    return tmp_path / "table.csv"


def test_rows_are_kept_and_the_command_goes_on_where_it_stopped(table, monkeypatch, capsys):
    honest, calls = module.compute, []

    def counted(*arguments):
        calls.append(arguments[0])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return honest(*arguments)

    monkeypatch.setattr(module, "compute", counted)
    assert call(table) == 130
    assert "goes on from there" in capsys.readouterr().err
    assert [row.label for row in read_rows(table)] == [cell.label for cell in CELLS[:2]]
    assert call(table) == 0
    assert calls[3:] == CELLS[2:]
    rows = read_rows(table)
    assert [row.label for row in rows] == [cell.label for cell in CELLS]
    assert all(0 < row.lower <= row.upper and row.lower <= row.attained for row in rows)
    assert rows[0].upper < rows[1].upper  # a larger radius, a larger class
    assert call(table) == 0
    assert len(calls) == 4
    assert table.with_suffix(".png").stat().st_size > 5000
    assert "two-layer" in table.with_suffix(".md").read_text()


def test_radii_share_a_head():
    classes = Classes(0)
    first, second = classes(CELLS[0]), classes(CELLS[1])
    assert first.head is second.head
    assert first.portfolios is second.portfolios
    assert second.constraints.logit_norm == 1.0
    assert first.suprema is not second.suprema


def row(**changes):
    cell = dict(zip(("kind", "dim", "samples", "length"), ("query", 16, 64, 16), strict=True))
    cell |= {"logit_norm": 1.0, "value_norm": 0.0, "encoding": "none", "sample": "text"}
    found = {"draws": 9, "seed": 0, "confidence": 0.99, "lower": 1.0, "upper": 1.7, "attained": 1.0, "ratio": 1.7}
    return Row(**(cell | found | {"ratio_attained": 1.7, "certificate": "U9, Q = 3", "made_with": "x"} | changes))


def test_the_worst_row_decides_whether_a_target_is_met():
    good = row()
    assert verdict([good]).endswith("met")
    bad = dataclasses.replace(good, upper=1.8, ratio=1.8, ratio_attained=1.8)
    assert verdict([good, bad]).endswith("falls short")
    assert verdict([dataclasses.replace(good, dim=8)]) == ""


@pytest.mark.parametrize(
    ("content", "advice"),
    [("a,b\n1,2\n", "another --table"), ("HEAD1\nquery,5\n", "line 2"), ("HEAD1\nquery,5", "broken off")],
)
def test_a_table_that_was_not_written_by_the_command(table, capsys, content, advice):
    from estimators.certificates_table import COLUMNS

    table.write_text(content.replace("HEAD1", ",".join(COLUMNS)))
    assert call(table) == 2
    captured = capsys.readouterr().err
    assert len(captured.splitlines()) == 1
    assert advice in captured


def test_bad_flags(table, capsys):
    for flags, advice in (
        (["--only", "quadratic"], "a cell is called"),
        (["--draws", "1"], "--draws 200"),
        (["--confidence", "1"], "0.99"),
        (["--table", "x.txt"], ".csv"),
    ):
        assert call(table, *flags) == 2
        assert advice in capsys.readouterr().err


def test_designs():
    core, full = design("core"), design("full")
    assert len(set(core)) == len(core)
    assert set(core) < set(full)
    assert len(full) == 5 * 3 * 2 * 5 * 4 * 2 + 5 * 2 * 4
