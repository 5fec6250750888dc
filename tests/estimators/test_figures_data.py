"""Data of the figures at small sizes against known values, and drawings of the committed data."""

import math
from pathlib import Path

import numpy as np
import pytest

from estimators import figures as module
from estimators import figures_approximation as approximation
from estimators import figures_complexity as complexity
from estimators import figures_encodings as encodings
from estimators import figures_extrapolation as extrapolation
from estimators import figures_information as information
from estimators import figures_ledger as ledger
from estimators.figure_files import as_csv, from_csv
from estimators.figure_style import style
from estimators.figures_all import FIGURES
from estimators.figures_plan import checked, number

GALLERY = Path(module.__file__).parent.parent / module.DEFAULT_FOLDER


def test_tables_have_mean_square_1():
    rows = encodings._tables(dim=4, length=8)
    assert {row["encoding"] for row in rows} >= {"sinusoidal", "relative", "legendre", "gaussian"}
    for name in {row["encoding"] for row in rows}:
        values = [row["value"] for row in rows if row["encoding"] == name]
        assert len(values) == 32
        assert sum(np.square(values)) / 8 == pytest.approx(1, rel=1e-12)
    assert [row["value"] for row in rows if row["encoding"] == "haar"][:2] == pytest.approx([0.5, 0.5])


def test_kernels():
    rows = encodings._kernels(distances=3)
    slopes = [row["lower"] for row in rows if (row["encoding"], row["distance"]) == ("alibi", 1)]
    assert slopes == [-0.5, -(2.0**-4), -(2.0**-8)]
    first = [row for row in rows if (row["encoding"], row["distance"]) == ("rotary", 0)]
    assert all(row["lower"] <= 1 <= row["upper"] for row in first)


def test_a_point_of_the_logit_norm_series_and_its_slope():
    rows = []
    for norm in (0.25, 1.0):
        rows += complexity._logit_norm(encoding="none", logit_norm=norm, draws=8, seed=0)
    found = complexity._with_slope(checked(rows, "f"))[-1]
    assert found["kind"] == "slope"
    assert found["confidence"] == pytest.approx(1 - 2 * 0.01 / 5)
    first, last = (row for row in rows if row["kind"] == "point")
    steepest = math.log(last["upper"] / first["lower"]) / math.log(4)
    assert found["upper"] == pytest.approx(steepest, rel=1e-9)
    names = {row["name"] for row in rows if row["kind"] == "bound"}
    assert names == set(complexity.OF_QUERY)
    for row in rows:
        if row["kind"] == "bound" and row["name"] != "khintchine":
            point = first if row["x"] == first["x"] else last
            assert row["upper"] >= point["lower"]


def test_a_head_and_its_bounds():
    rows = complexity._sphere_head(encoding="alibi:slope=2", draws=16, samples=8, length=4, seed=0)
    (interval,) = [row for row in rows if row["kind"] == "interval"]
    assert interval["confidence"] == 0.99
    bounds = {row["name"]: row for row in rows if row["kind"] == "bound"}
    assert bounds.keys() >= {"covering", "U3-contraction", *complexity.LITERATURE}
    for name, row in bounds.items():
        if name == "khintchine":
            assert row["relation"] == ">="
            assert row["upper"] <= interval["upper"]
        else:
            assert row["relation"] == "<="
            assert row["upper"] >= interval["lower"]


def test_errors_meet_the_width():
    rows = approximation._errors(encoding="haar", target="ball", norm="sobolev", length=16, channels=[2, 4])
    for row in rows:
        assert row["lower"] == pytest.approx(row["width"], rel=1e-10)
        assert row["bound"] == pytest.approx(row["width"], rel=1e-10)
    (row,) = approximation._errors(encoding="sinusoidal", target="ball", norm="sobolev", length=16, channels=[4])
    assert row["constant_added"] == 1
    assert row["lower"] >= row["width"] * (1 - 1e-12)


@pytest.mark.parametrize("encoding", ["cosine", "haar", "random-orthogonal"])
def test_orthonormal_codes_look_up_with_the_least_norm(encoding):
    (row,) = approximation._norms(encoding=encoding, positions=8)
    assert row["lower"] == pytest.approx(math.sqrt(7), rel=1e-9)
    assert row["upper"] == pytest.approx(math.sqrt(7), rel=1e-9)


def test_tails_stay_below_their_bounds():
    rows = extrapolation._tails(encoding="alibi", length=40, sequences=1, seed=0)
    assert {row["head"] for row in rows} == {0, 1, 2, 3}
    for row in rows:
        assert row["verdict"] == "holds"
        assert row["mass"] <= row["mass_bound"] * (1 + 1e-9)
        assert row["moved"] <= row["moved_bound"] * (1 + 1e-9)
        assert row["mass_least"] >= row["mass_least_bound"] * (1 - 1e-9)


def test_no_code_passes_the_bound():
    most = {row["noise"]: row["upper"] for row in information._optimum(positions=8, dim=4)}
    assert most[information.LEVELS[0]] == pytest.approx(math.log(8))
    assert most[1.5] == pytest.approx(2 * math.log1p(1 / (4 * 2.25)))
    for row in information._against_noise(encoding="cosine", positions=8, dim=4, groups=20, seed=0):
        assert 0 <= row["lower"] <= row["upper"] <= most[row["noise"]]


def test_a_claim_of_the_ledger():
    (row,) = ledger._claim(claim="softmax-covariance", seed=0, thorough=False)
    assert (row["topic"], row["verdict"], row["form"]) == ("softmax", "holds", "tight")
    assert row["slack"] == pytest.approx(1, abs=1e-6)
    (row,) = ledger._claim(claim="softmax-equal-direction-constant", seed=0, thorough=False)
    assert row["verdict"] == "refuted"


@pytest.mark.parametrize("name", FIGURES)
def test_committed_data_draw_without_clipped_letters(name):
    rows = from_csv((GALLERY / f"{name}.csv").read_bytes().decode())
    assert as_csv(rows).encode() == (GALLERY / f"{name}.csv").read_bytes()
    with style():
        import matplotlib.pyplot as plt

        figure = FIGURES[name].draw(rows)
        try:
            figure.canvas.draw()
            box, size = figure.get_tightbbox(), figure.get_size_inches()
        finally:
            plt.close(figure)
    assert box.x0 > -0.02
    assert box.y0 > -0.02
    assert box.x1 < size[0] + 0.02
    assert box.y1 < size[1] + 0.02


def test_committed_intervals_are_ordered():
    for name in FIGURES:
        for row in from_csv((GALLERY / f"{name}.csv").read_text(encoding="utf-8")):
            if row.get("lower") is not None and row.get("upper") is not None:
                assert number(row, "lower") <= number(row, "upper"), (name, row)
