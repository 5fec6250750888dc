"""Targets as values: formulas at midpoints, Brownian paths, files, and errors of one line."""

import numpy as np
import pytest

from estimators.targets import from_file, midpoints, target
from theory.function_classes import FUNCTIONS


def test_midpoints():
    assert midpoints(4).tolist() == [-0.75, -0.25, 0.25, 0.75]
    assert midpoints(1).tolist() == [0.0]
    assert (midpoints(999) == -midpoints(999)[::-1]).all()
    with pytest.raises(ValueError, match="length must be at least 1"):
        midpoints(0)


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("abs", np.abs),
        ("runge", lambda x: 1 / (1 + 25 * x**2)),
        ("step", np.sign),
        ("entire", np.exp),
        ("memory-reciprocal", lambda x: 1 / (1 + 16 * (1 + x))),
        ("exp(-x**2)*sin(5*x)", lambda x: np.exp(-(x**2)) * np.sin(5 * x)),
        ("max(x, 0)**2 - 0.1", lambda x: np.maximum(x, 0) ** 2 - 0.1),
        ("3", lambda x: np.full_like(x, 3.0)),
    ],
)
def test_formulas(text, formula):
    found = target(text, 51)
    assert found.name == text
    assert found.known is not None
    np.testing.assert_allclose(found.values, formula(midpoints(51)), rtol=1e-13, atol=1e-15)


def test_every_named_function_has_finite_values():
    for name, one in FUNCTIONS.items():
        if one.expression is not None or one.random:
            assert np.isfinite(target(name, 33).values).all()
        else:
            with pytest.raises(ValueError, match="class of functions"):
                target(name, 33)


def test_brownian_paths():
    """Seeded; increments of variance 2/N, the last value of variance 2 - 1/N."""
    assert (target("brownian", 50, seed=3).values == target("brownian", 50, seed=3).values).all()
    assert (target("brownian", 50, seed=3).values != target("brownian", 50, seed=4).values).any()
    paths = np.stack([target("brownian", 16, seed=seed).values for seed in range(4000)])
    assert paths[:, -1].var() == pytest.approx(2 - 1 / 16, rel=0.1)
    assert np.diff(paths, axis=1).var() == pytest.approx(2 / 16, rel=0.03)
    assert paths[:, 0].var() == pytest.approx(1 / 16, rel=0.1)
    assert np.corrcoef(np.diff(paths, axis=1)[:, 3], paths[:, 3])[0, 1] == pytest.approx(0, abs=0.06)


def test_files(tmp_path):
    values = np.array([0.5, -1.0, 2.25e-3, 7.0])
    np.save(tmp_path / "a.npy", values)
    np.save(tmp_path / "column.npy", values[:, None])
    (tmp_path / "b.csv").write_text("0.5,-1.0,2.25e-3,7\n")
    (tmp_path / "c.txt").write_text("0.5\n-1\n2.25e-3\n\n7.0\n")
    for name in ("a.npy", "column.npy", "b.csv", "c.txt"):
        found = target(str(tmp_path / name), 4)
        assert found.values.tolist() == values.tolist()
        assert found.known is None


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.npy", None, "no file"),
        ("words.csv", "1, two, 3", "no file of numbers"),
        ("empty.txt", "", "one series"),
        ("nan.txt", "1 nan 3", "position 1"),
        ("infinite.csv", "inf,1", "position 0"),
        ("broken.npy", "not an array", "no file of numbers"),
    ],
)
def test_bad_files(tmp_path, name, content, words):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(ValueError, match=words) as found:
        from_file(path)
    assert "\n" not in str(found.value)


def test_files_of_other_shapes(tmp_path):
    np.save(tmp_path / "square.npy", np.ones((2, 2)))
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    for name in ("square.npy", "objects.npy"):
        with pytest.raises(ValueError, match="one series"):
            from_file(tmp_path / name)
    np.save(tmp_path / "a.npy", np.ones(5))
    with pytest.raises(ValueError, match="--length 5"):
        target(str(tmp_path / "a.npy"), 6)


@pytest.mark.parametrize(
    "text",
    [
        "log(x)",
        "1/x",
        "y*x",
        "foo",
        "x.__class__",
        "sqrt(x)",
        "exp(",
        "x^2",
        "1/0",
        "__import__('os')",
        "lambda: x",
        "",
    ],
)
def test_bad_formulas(text):
    with pytest.raises(ValueError, match=r"\S") as found:
        target(text, 8)
    assert "\n" not in str(found.value)
