"""`python -m estimators.approximation`: flags, files, statuses, and the sweep of errors against widths and bounds."""

import json
import math

import numpy as np
import pytest

from estimators import approximation as module
from estimators.approximation import approximation
from estimators.approximation_rates import rate_of
from estimators.approximation_report import interval, outward
from estimators.approximation_rows import Row, statements_for
from estimators.approximation_spans import family, spans
from estimators.command_line import run
from estimators.ellipsoid_widths import difference_width
from estimators.estimate import Estimate
from estimators.targets import midpoints, target

KEYS = {"encoding", "target", "norm", "channels", "lower", "upper", "width", "bounds", "rank", "condition"}


def call(*words):
    return run(approximation, [str(word) for word in words])


@pytest.fixture
def no_look_up(monkeypatch):
    """Saves the seconds of the second criterion."""
    monkeypatch.setattr(module, "look_ups", lambda encodings: [])


def results(capsys, *words):
    assert call(*words, "--json", "-") == 0
    return json.loads(capsys.readouterr().out)


def test_the_command(tmp_path, capsys):
    paths = tmp_path / "a.json", tmp_path / "a.png"
    given = ("--encoding", "cosine", "haar", "gaussian", "--target", "abs", "--channels", 2, 4, 8, "--length", 64)
    assert call(*given, "--json", paths[0], "--figure", paths[1]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for words in ("Euclidean error of abs", "Largest error of abs", "Worst error", "Two criteria", "Rates:"):
        assert words in shown
    assert paths[1].stat().st_size > 20_000
    document = json.loads(paths[0].read_text())
    assert len(document["results"]) == 3 * 3 * 3
    for one in document["results"]:
        assert one.keys() >= KEYS
        assert one["rank"] == one["channels"]
    assert document["parameters"]["length"] == 64
    assert document["seconds"] < 60
    orders = {(one["encoding"], one["norm"]): one["order"] for one in document["rates"]}
    assert orders["cosine", "sobolev"] == orders["haar", "sup"] == "n^(-1)"
    assert orders["gaussian", "sup"] == "-"


def test_cosine_and_haar_attain_the_width(capsys, no_look_up):
    found = results(capsys, "--norm", "sobolev", "--encoding", "cosine", "haar", "--channels", 1, 4, 16, "--length", 64)
    for one in found["results"]:
        width = 1 / (2 * math.sin(math.pi * one["channels"] / 128))
        assert one["width"] == pytest.approx(width, rel=1e-13)
        assert one["lower"] == pytest.approx(width, rel=1e-10)
        assert one["upper"] == pytest.approx(width, rel=1e-10)
        assert list(one["bounds"].values()) == [pytest.approx(width, rel=1e-13)]


def test_without_the_constant_the_worst_case_is_infinite(capsys, no_look_up):
    names = ("sinusoidal", "gaussian", "cosine:constant=false")
    found = results(capsys, "--norm", "sobolev", "--encoding", *names, "--channels", 4, 16, "--length", 32)
    for one in found["results"]:
        assert one["upper"] is None
        assert one["lower"] >= one["width"]
        assert one["ratio"] is None
        assert one["with_constant"]["upper"] >= difference_width(one["channels"] + 1, 32) * (1 - 1e-9)
        assert one["bounds"] == {}


def test_one_position_a_channel(capsys, no_look_up):
    found = results(capsys, "--encoding", "sinusoidal", "cosine", "--channels", 16, "--length", 16)
    assert all(one["upper"] <= 1e-10 for one in found["results"] if one["encoding"] == "cosine")


def test_the_smallest_cases(capsys, no_look_up):
    """One position, and a constant target: the constant channel has no error."""
    given = ("--encoding", "cosine", "haar", "--channels", 1)
    for words in (("--length", 1), ("--target", "3", "--norm", "l2", "sup", "--length", 8)):
        assert all(one["upper"] <= 1e-14 for one in results(capsys, *given, *words)["results"])


def test_memory_kernels(capsys, no_look_up):
    """n ALiBi heads, e^(-2^(-8h/n) D), and n rotary angles, cos(10000^(-k/n) D), at D = 16 (1 + x)."""
    found = results(
        capsys,
        *("--encoding", "alibi", "rotary", "t5", "kerple-log", "--target", "memory-exponential", "--norm", "l2"),
        *("--channels", 1, 4, "--length", 64),
    )["results"]
    distances = 16 * (1 + midpoints(64))
    kernel = np.exp(-distances)
    for n, alibi, rotary in ((1, found[0], found[2]), (4, found[1], found[3])):
        slopes, angles = 2.0 ** (-8 * np.arange(1, n + 1) / n), 10000.0 ** (-np.arange(n) / n)
        for one, atoms in (
            (alibi, np.exp(-np.outer(distances, slopes))),
            (rotary, np.cos(np.outer(distances, angles))),
        ):
            error = np.linalg.norm(kernel - atoms @ np.linalg.lstsq(atoms, kernel, rcond=None)[0])
            assert one["upper"] == pytest.approx(error, rel=1e-9)
            assert one["lower"] == pytest.approx(error, rel=1e-9)


def test_sinusoids_have_their_own_frequencies():
    """n channels are those of the encoding with n channels; an even number is rounded up for odd n."""
    found = spans("sinusoidal", [3, 4], 16)
    t = np.arange(16)
    wanted = np.stack([np.sin(t), np.cos(t), np.sin(t / 100), np.cos(t / 100)], axis=1)
    for n in (3, 4):
        inside = wanted[:, :n] - found[n].orthonormal @ (found[n].orthonormal.T @ wanted[:, :n])
        assert np.abs(inside).max() < 1e-12


def test_files_set_the_length(tmp_path, capsys, no_look_up):
    path = tmp_path / "f.npy"
    values = np.random.default_rng(0).standard_normal(40)
    np.save(path, values)
    found = results(capsys, "--target", path, "--encoding", "cosine", "--norm", "l2", "--channels", 3)
    assert found["parameters"]["length"] == 40
    table = np.stack([np.cos(np.pi * k * (np.arange(40) + 0.5) / 40) for k in range(3)], axis=1)
    rest = values - table @ np.linalg.lstsq(table, values, rcond=None)[0]
    assert found["results"][0]["upper"] == pytest.approx(np.linalg.norm(rest), rel=1e-10)
    assert found["results"][0]["bounds"] == {}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--target", "exp("), "does not parse"),
        (("--target", "y + x"), "only variable is x"),
        (("--target", "log(x)"), "x = -1"),
        (("--target", "1/x"), "not finite"),
        (("--target", "lipschitz"), "--norm sobolev"),
        (("--target", "missing.npy"), "no file missing.npy"),
        (("--channels", 300), "300 channels exceed 256 positions"),
        (("--channels", 0), "at least 1"),
        (("--length", 0), "at least 1"),
        (("--encoding", "cosin"), "cosine"),
        (("--encoding", "alibi"), "use an additive encoding"),
        (("--encoding", "rotary", "--target", "memory-log", "--norm", "sobolev"), "use an additive encoding"),
        (("--encoding", "none"), "use an additive encoding"),
        (("--encoding", "relative"), "use an additive encoding"),
        (("--encoding", "cosine:dim=2", "--channels", 4), "leave dim out"),
        (("--norm", "l3"), "l2"),
        (("--seed", -1), "at least 0"),
        (("--figure", "a.xyz"), "a.xyz"),
    ],
)
def test_bad_input_is_told_in_one_line(words, told, capsys):
    assert call(*words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert told in captured.err


def test_interruption_keeps_what_is_finished(monkeypatch, capsys):
    def stopped(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "look_ups", stopped)
    given = ("--encoding", "cosine", "--norm", "sobolev", "--channels", 2, "--length", 16)
    assert call(*given) == 130
    assert "interrupted" in capsys.readouterr().err
    monkeypatch.setattr(module, "rows_of", stopped)
    assert call(*given) == 130


def test_fitted_rates():
    """Errors n^-2 exactly; the order and own slope of the bound beside them."""
    made = [
        Row("haar", "abs", "sup", n, Estimate(n**-2.0, n**-2.0, 1.0, ""), 1.0, {"b": 3 / n}, {}, n, 1.0)
        for n in (2, 4, 8)
    ]
    bound = statements_for(target("abs", 64), "sup", family("haar", 64), 64)["cells-hoelder-best"]
    found = rate_of(made, {"b": bound})
    assert found.slope is not None
    assert found.slope.lower <= -2 <= found.slope.upper
    assert found.slope.width < 1e-9
    assert found.exponent == -1
    assert found.own == pytest.approx(-1)
    assert found.order == "n^(-1)"
    assert {found.limit, found.over_range} <= {"faster by 1.000", "faster by 0.999"}
    geometric = statements_for(target("entire", 64), "sup", "polynomial", 64)["chebyshev-analytic rho=2"]
    assert rate_of(made, {"b": geometric}).order == "0.5^n"
    assert rate_of(made, {"b": geometric}).limit == "slower"
    assert rate_of(made[:2], {"b": bound}).slope is None


def test_numbers_are_rounded_outwards():
    assert outward(0.123456, -1) == "0.1234"
    assert outward(0.123456, 1) == "0.1235"
    assert outward(0.0, 1) == "0"
    assert outward(math.inf, 1) == "inf"
    assert interval(Estimate(9.9999, 9.99991, 1.0, "")) == "[9.999, 10]"
    assert interval(Estimate(1.23456e-9, 1.23456e-9, 1.0, "")) == "[1.234e-09, 1.235e-09]"
