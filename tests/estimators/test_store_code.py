"""The code version of a task: the source text of every module that its module imports, and of no other."""

import functools
import importlib.machinery
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

from estimators import rates
from estimators.provenance import Sources, command, module_of, project_sources
from estimators.store import Store, Task, task_of

ROOT = Path(__file__).parents[2]

FILES = {
    "theory/__init__.py": "",
    "theory/constants.py": "HALF = 0.5\n",
    "theory/encodings/__init__.py": "from theory.encodings import rotary\n",
    "theory/encodings/base.py": "",
    "theory/encodings/rotary.py": "from .base import *\nfrom ..limits import edge\n",
    "theory/limits.py": "edge = 1\n",
    "theory/unused.py": "",
    "estimators/__init__.py": "import json\n",
    "estimators/direct.py": "import theory.constants as c\n\n\ndef mean(): return c.HALF\n",
    "estimators/through.py": "from estimators import direct\nfrom theory.encodings.base import x\n",
    "estimators/late.py": "def f():\n    if True:\n        from estimators.through import direct\n",
    "estimators/round.py": "import estimators.robin\n",
    "estimators/robin.py": "import estimators.round\n",
    "estimators/alone.py": "import numpy.theory.unused\n",
}
ENCODINGS = {"theory.encodings", "theory.encodings.base", "theory.encodings.rotary", "theory.limits"}
DIRECT = {"estimators", "estimators.direct", "theory", "theory.constants"}


@pytest.fixture
def root(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def read(root):
    return Sources(root, ("theory", "estimators"))


@pytest.mark.parametrize(
    ("module", "wanted"),
    [
        ("estimators.direct", DIRECT),
        ("estimators.through", DIRECT | ENCODINGS | {"estimators.through"}),
        ("estimators.late", DIRECT | ENCODINGS | {"estimators.through", "estimators.late"}),
        ("estimators.round", {"estimators", "estimators.round", "estimators.robin"}),
        ("estimators.alone", {"estimators", "estimators.alone"}),
        ("theory.encodings.rotary", {"theory"} | ENCODINGS),
        ("estimators", {"estimators"}),
    ],
)
def test_modules_that_are_imported_directly_or_through_others(root, module, wanted):
    assert set(read(root).modules(module)) == wanted


@pytest.mark.parametrize("changed", sorted(name for name in FILES))
def test_a_changed_text_changes_the_version_of_what_depends_on_it_and_of_nothing_else(root, changed):
    before = read(root)
    path = root / changed
    path.write_text(path.read_text() + "# another\n")
    after = read(root)
    name = changed.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    for module in ("estimators.direct", "estimators.through", "estimators.late", "estimators.round", "theory.limits"):
        assert (before.version(module) != after.version(module)) == (name in before.modules(module))
        assert len(after.version(module)) == 64


def test_a_changed_constant_of_a_copy_of_this_project_changes_the_key(tmp_path):
    """A module that `estimators.rates` does not import changes nothing."""
    for package in ("theory", "estimators"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignore)
    first = task_of(rates.rates, sources=read(tmp_path))
    assert (
        first == task_of(rates.rates) == Task("estimators.rates.rates", project_sources().version("estimators.rates"))
    )
    store = Store(tmp_path / "results.sqlite")
    store.put(first, {"draws": 200}, 1, seconds=0.0)
    other = tmp_path / "estimators" / "adversary.py"
    assert "estimators.adversary" not in project_sources().modules("estimators.rates")
    other.write_text(other.read_text() + "X = 1\n")
    assert store.get(task_of(rates.rates, sources=read(tmp_path)), {"draws": 200}) is not None
    constant = tmp_path / "estimators" / "rates_cases.py"
    constant.write_text(constant.read_text() + "X = 1\n")
    changed = task_of(rates.rates, sources=read(tmp_path))
    assert (changed.name, changed.code == first.code) == (first.name, False)
    assert store.get(changed, {"draws": 200}) is None
    assert store.get(first, {"draws": 200}) is not None


def test_line_ends_and_the_place_of_the_sources_do_not_matter(root, tmp_path_factory):
    before = read(root).version("estimators.late")
    for path in root.rglob("*.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    elsewhere = shutil.move(root, tmp_path_factory.mktemp("elsewhere") / "copy")
    assert read(elsewhere).version("estimators.late") == before


def test_a_process_keeps_the_version_of_the_code_it_started_with(root):
    sources = read(root)
    before = sources.version("estimators.direct")
    (root / "theory/constants.py").write_text("HALF = 0.6\n")
    assert sources.version("estimators.direct") == before


def test_imports_of_this_project_are_those_that_python_makes():
    """A fresh process that imports a command loads no module of the project that its version leaves out."""
    code = (
        "import sys, estimators.rates; print(*(m for m in sys.modules if m.split('.')[0] in ('theory', 'estimators')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert len(loaded) > 50
    assert loaded <= set(project_sources().modules("estimators.rates"))


def test_functions_whose_code_is_not_known_are_refused(root):
    with pytest.raises(ValueError, match=r"functools is no module in .*: name the task and its code version yourself"):
        task_of(functools.partial(rates.rates))
    with pytest.raises(ValueError, match=r"is no module in .*: name the task"):
        task_of(lambda: 1)
    with pytest.raises(ValueError, match=r"no modules of theory in .*: give the folder that holds them"):
        Sources(root / "estimators", ("theory",))


def test_a_command_that_runs_as_main_is_the_same_task(monkeypatch):
    def command_of_main():
        pass

    main = types.ModuleType("__main__")
    main.__spec__ = importlib.machinery.ModuleSpec("estimators.rates", None)
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.setattr(sys, "argv", ["/somewhere/rates.py", "--draws", "100"])
    command_of_main.__module__ = "__main__"
    assert module_of(command_of_main) == module_of(rates.rates) == "estimators.rates"
    assert task_of(command_of_main, "rates").code == task_of(rates.rates).code
    assert command() == "python -m estimators.rates --draws 100"
    main.__spec__ = None
    assert command() == "python rates.py --draws 100"
    with pytest.raises(ValueError, match=r"__main__ is no module in .*: name the task"):
        task_of(command_of_main)
