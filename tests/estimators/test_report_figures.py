"""Figures of a folder: whole ones, edited data, damaged manifests, missing files."""

import base64
import gzip
import json
import os
import re

import pytest

from estimators import figure_files
from estimators.figures_plan import Plot
from estimators.report_figures import LARGEST_SVG, figures_in, first_rows
from estimators.report_gallery import LARGEST_CSV, figures_section

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="40" height="20"/></svg>'
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
ROWS = [{"encoding": "alibi", "length": length, "error": 1 / length} for length in range(1, 12)]


def make(folder, name="tail-mass", rows=ROWS):
    """A figure as `estimators.figures` leaves it."""
    plot = Plot("Tail <mass> & error", lambda quick, kept: rows, lambda rows: None)
    facts = {"quick": True, "seed": 0, "seconds": 1.25}
    figure_files.write_data(folder, name, rows, plot, facts)
    (folder / f"{name}.svg").write_bytes(SVG)
    (folder / f"{name}.png").write_bytes(PNG)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(Plot, "code", lambda self, sources=None: "0123")
    make(tmp_path)
    return tmp_path


def test_a_whole_figure(folder):
    (figure,) = figures_in(folder, {})
    assert figure.problems == ()
    assert (figure.name, figure.media, figure.image) == ("tail-mass", "image/svg+xml", SVG)
    page = figures_section([figure], str(folder))
    assert 'alt="Tail &lt;mass&gt; &amp; error. The data follow."' in page
    assert "<dt>sha256</dt>" in page
    assert "tail-mass: 8 of 11 rows" in page
    assert "Warning" not in page
    data = re.search(r'href="data:text/csv;base64,([^"]*)" download="tail-mass.csv"', page)[1]
    assert base64.b64decode(data) == (folder / "tail-mass.csv").read_bytes()
    image = re.search(r'src="data:image/svg\+xml;base64,([^"]*)"', page)[1]
    assert base64.b64decode(image) == SVG


def test_large_files_are_made_small(folder):
    (folder / "tail-mass.svg").write_bytes(SVG + b" " * LARGEST_SVG)
    make(folder, "long", [{"x": index, "y": index**0.5} for index in range(9000)])
    long, figure = figures_in(folder, {})
    assert (figure.media, figure.image) == ("image/png", PNG)
    assert len(long.data) > LARGEST_CSV
    page = figures_section([long], str(folder))
    packed = re.search(r'href="data:application/gzip;base64,([^"]*)" download="long.csv.gz"', page)[1]
    assert gzip.decompress(base64.b64decode(packed)) == long.data
    assert page == figures_section([long], str(folder))


def test_no_figures_yet(tmp_path):
    for place in (tmp_path, tmp_path / "nowhere"):
        page = figures_section(figures_in(place, {}), str(place))
        assert "No figures were made yet" in page
        assert "<code>python -m estimators.figures</code>" in page


def edit(folder):
    path = folder / "tail-mass.csv"
    path.write_text(path.read_text().replace("alibi,2,0.5", "alibi,2,0.05"))


def cut(folder):
    path = folder / "tail-mass.json"
    path.write_text(path.read_text()[:40])


def without_hash(folder):
    path = folder / "tail-mass.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"sha256": None}))


def without(*endings):
    def change(folder):
        for ending in endings:
            (folder / f"tail-mass{ending}").unlink()

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (edit, "the data tail-mass.csv were edited"),
        (cut, "the manifest tail-mass.json is damaged"),
        (lambda folder: (folder / "tail-mass.json").write_text("[1]"), "is damaged (it holds no object)"),
        (lambda folder: (folder / "tail-mass.json").write_bytes(b"\xff\xfe"), "is damaged"),
        (without_hash, "has no sha256"),
        (without(".csv"), "no tail-mass.csv"),
        (without(".json"), "no tail-mass.json"),
        (without(".svg", ".png"), "no image"),
    ],
)
def test_what_is_wrong_is_told(folder, change, told):
    change(folder)
    (figure,) = figures_in(folder, {})
    (line,) = figure.problems
    assert line.startswith("figure tail-mass: ")
    assert told in line
    assert "python -m estimators.figures tail-mass" in line
    page = figures_section([figure], str(folder))
    assert "Warning: " in page
    assert told in page


def test_an_edit_that_changes_nothing_else_is_seen(folder):
    """The twin: the same bytes are no edit."""
    path = folder / "tail-mass.csv"
    path.write_bytes(path.read_bytes())
    assert figures_in(folder, {})[0].problems == ()
    path.write_bytes(path.read_bytes() + b"\n")
    assert "were edited" in figures_in(folder, {})[0].problems[0]


def test_a_file_is_no_folder(folder):
    with pytest.raises(ValueError, match="is no folder"):
        figures_in(folder / "tail-mass.csv", {})


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_folder(folder):
    folder.chmod(0)
    try:
        with pytest.raises(ValueError, match="cannot be read"):
            figures_in(folder, {})
    finally:
        folder.chmod(0o700)


def test_first_rows():
    assert first_rows(b"a,b\n1,2\n3,4\n", 1) == (["a", "b"], [["1", "2"]], 2)
    for data in (b"", b"\xff", b"a,b\n1\n"):
        assert first_rows(data, 1) == ([], [], 0)


def test_order_outdated_and_missing(folder):
    make(folder, "another")
    plots = {name: Plot("", lambda quick, kept: [], lambda rows: None) for name in ("tail-mass", "third")}
    found = figures_in(folder, plots)
    assert [(one.name, one.outdated) for one in found] == [("tail-mass", False), ("another", False)]
    manifest = folder / "tail-mass.json"
    manifest.write_text(manifest.read_text().replace('"0123"', '"4567"'))
    found = figures_in(folder, plots)
    assert [one.outdated for one in found] == [True, False]
    page = figures_section(found, str(folder), ["third"])
    assert "<code>python -m estimators.figures tail-mass</code> renews it" in page
    assert "Not made yet: third. <code>python -m estimators.figures third</code> makes them." in page
