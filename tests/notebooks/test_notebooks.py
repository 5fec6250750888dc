"""Every notebook runs from top to bottom with small parameters, and is stored without outputs."""

import ast
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).parents[2]
NOTEBOOKS = {path.stem: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
SMALL: dict[str, dict[str, Any]] = {  # instead of the values of the cell tagged `parameters`
    "start_here": {"samples": 4, "length": 4},
    "rademacher": {"encodings": ["none", "alibi", "legendre"], "samples": 4, "length": 4},
    "approximation": {"encodings": ["cosine", "sinusoidal"], "targets": ["runge"], "channels": [1, 2, 4], "length": 16},
    "expressiveness": {"encodings": ["none", "sinusoidal", "alibi"], "length": 8, "dim": 4, "depth": 2},
    "extrapolation": {
        "encodings": ["none", "alibi"],
        "tasks": ["shift-1"],
        "train_length": 8,
        "test_lengths": [8, 16],
        "seeds": 2,
        "steps": 50,
        "rates": [0.003],
    },
    "information": {"encodings": ["none", "alibi"], "layers": 1, "length": 4, "dim": 4, "noise": [1.0]},
    "ledger": {"names": ["softmax-total-variation", "classical-shared-sign-contraction"], "evaluations": 20},
    "own_class": {"samples": 4, "length": 4},
}
SLOW = {"extrapolation", "information"}  # more than ten seconds of compilation


def _read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOKS[name], as_version=4)


def _parameters(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    found = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(found) == 1
    return found[0]


def _assigned(source: str) -> list[str]:
    """Names assigned at the top level of a cell that holds nothing but assignments."""
    names: list[str] = []
    for line in ast.parse(source).body:
        assert isinstance(line, ast.Assign)
        for goal in line.targets:
            names += [node.id for node in ast.walk(goal) if isinstance(node, ast.Name)]
    return names


def run_with(name: str, values: dict[str, Any]) -> nbformat.NotebookNode:
    """The notebook executed with the values put after its parameters."""
    notebook = _read(name)
    cell = _parameters(notebook)
    cell.source += "\n" + "\n".join(f"{word} = {value!r}" for word, value in values.items())
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
    return notebook


def _texts(notebook: nbformat.NotebookNode) -> str:
    """All outputs as one text, each in the form that Jupyter shows."""
    parts = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {"text/plain": output.get("text", "")})
            kind = next(kind for kind in ("text/html", "text/markdown", "image/png", "text/plain") if kind in data)
            parts += [data[kind]] if kind.startswith("text") else []
    return "\n".join(parts)


def test_the_notebooks_are_those_with_small_parameters():
    assert set(NOTEBOOKS) == set(SMALL)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_valid_and_stored_without_outputs(name):
    notebook = _read(name)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
    assert not re.search(r"/(home|root|work|tmp|Users)/", NOTEBOOKS[name].read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_small_values_replace_known_parameters(name):
    assert set(SMALL[name]) <= set(_assigned(_parameters(_read(name)).source))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in NOTEBOOKS]
)
def test_a_notebook_runs(name):
    done = run_with(name, SMALL[name])
    for cell in done.cells:
        for output in cell.get("outputs", []):
            assert output["output_type"] != "error"
            assert output.get("name") != "stderr", output["text"]
    text = _texts(done)
    assert "[" in text, "a notebook shows intervals"
    assert not re.search(r"\bnan\b", text, flags=re.IGNORECASE)
    assert not re.search(r"error: ", text, flags=re.IGNORECASE), "a ledger shows what its measurements raised"
    assert not re.search(r" at 0x[0-9a-f]{6,}", text), "an object without a display is shown"


def test_a_notebook_that_breaks_is_found():
    with pytest.raises(CellExecutionError, match="stops at n = 20"):
        run_with("own_class", {"samples": 40})
