"""Where a number comes from: versions of what made it, the command line, and the source text that it depends on."""

import ast
import functools
import hashlib
import inspect
import platform
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path

import jax

_PACKAGES = ("jax", "jaxlib", "numpy", "scipy", "sympy", "positional-encoding-bounds")


def versions() -> dict[str, str]:
    """Versions of Python and of every package a number depends on, platform, device and default dtype."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    device = jax.devices()[0]
    found |= {"platform": platform.platform(), "device": f"{device.platform}: {device.device_kind}"}
    return found | {"dtype": str(jax.numpy.result_type(float))}


def command() -> str:
    """The command line of this process as it would be typed, without the folders of this machine's Python."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    program = (
        Path(sys.argv[0] if sys.argv else "").name if spec is None else f"-m {spec.name.removesuffix('.__main__')}"
    )
    return " ".join(["python", *([program] if program else []), *map(shlex.quote, sys.argv[1:])])


class Sources:
    """Source texts of the packages below `root`, read once: a process runs the code that it started with.

    The code version of a module is the SHA-256 of the names and texts of all modules of `packages` that it imports,
    directly or through others, and of itself. Import statements are found wherever they stand, in functions too, and
    importing a.b.c runs a and a.b. Not seen: names imported from a text (importlib), data files, other packages, whose
    versions every record carries instead.
    """

    def __init__(self, root: str | Path, packages: Sequence[str]) -> None:
        self.root = Path(root)
        self._texts: dict[str, tuple[str, bool]] = {}
        for package in packages:
            for path in sorted((self.root / package).rglob("*.py")):
                parts = path.relative_to(self.root).with_suffix("").parts
                name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                # Text mode: a checkout with other line ends is the same code.
                self._texts[name] = (path.read_text(encoding="utf-8"), path.name == "__init__.py")
        if not self._texts:
            raise ValueError(f"no modules of {', '.join(packages)} in {self.root}: give the folder that holds them")
        self._imports: dict[str, frozenset[str]] = {}
        self._versions: dict[str, str] = {}

    def modules(self, module: str) -> list[str]:
        """Names of the modules that `module` depends on, itself included, sorted."""
        if module not in self._texts:
            raise ValueError(
                f"{module} is no module in {self.root}: name the task and its code version yourself, Task(name, code)"
            )
        found: set[str] = set()
        waiting = {module}
        while waiting:
            found |= waiting
            waiting = {name for one in waiting for name in self._imported(one)} - found
        return sorted(found)

    def version(self, module: str) -> str:
        """SHA-256, in hexadecimal, of every source text that `module` depends on."""
        if module not in self._versions:
            digest = hashlib.sha256()
            for name in self.modules(module):
                text = self._texts[name][0].encode()
                digest.update(f"{name} {len(text)}\n".encode() + text)
            self._versions[module] = digest.hexdigest()
        return self._versions[module]

    def _imported(self, module: str) -> frozenset[str]:
        if module not in self._imports:
            text, package = self._texts[module]
            parent = module if package else module.rpartition(".")[0]
            names = {module, *_imported_names(ast.parse(text), parent)}
            # Importing a.b.c runs a and a.b first.
            parts = [name.split(".") for name in names]
            ancestors = {".".join(one[:end]) for one in parts for end in range(1, len(one) + 1)}
            self._imports[module] = frozenset(ancestors & self._texts.keys())
        return self._imports[module]


def _imported_names(tree: ast.Module, parent: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = parent.split(".")[: len(parent.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            yield base
            # A name imported from a package may be a module of it.
            yield from (f"{base}.{name.name}" for name in node.names)


@functools.cache
def project_sources() -> Sources:
    """The sources of `theory` and `estimators` as this process found them."""
    return Sources(Path(__file__).resolve().parent.parent, ("theory", "estimators"))


def module_of(function: Callable) -> str:
    """The importable name of the module that defines `function`, also when that module runs as `__main__`."""
    module = getattr(inspect.unwrap(function), "__module__", None) or "?"
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return spec.name if module == "__main__" and spec is not None else module
