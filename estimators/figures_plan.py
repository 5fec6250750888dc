"""What a figure is: a function that computes rows, one that draws them, and finished parts that are kept in a store."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from estimators.provenance import Sources, module_of, project_sources
from estimators.store import Store, Task

SEED = 0  # of every figure: of signs, samples, networks and their data

Cell = str | int | float | None
Row = dict[str, Cell]
Rows = list[Row]


@dataclass
class Kept:
    """Runs the parts of one figure, each once: a part that a store has is read from it.

    A part is found by figure, function, parameters and the code version of the module of the figure's data, so that a
    run that was killed goes on with its first unfinished part. Without a store every part is computed. `computed` and
    `reused` count parts; `parameters` holds the values that each parameter of a part took; `advance(description)` is
    called after each.
    """

    figure: str
    code: str
    store: Store | None = None
    advance: Callable[[str], Any] = lambda description: None
    computed: int = 0
    reused: int = 0
    parameters: dict[str, dict[str, list[Any]]] = field(default_factory=dict)

    def __call__(self, part: Callable[..., Rows], **parameters: Any) -> Rows:
        """The rows of `part(**parameters)`; an infinite number becomes None, with a store and without one."""
        for word, value in parameters.items():
            taken = self.parameters.setdefault(part.__name__.lstrip("_"), {}).setdefault(word, [])
            if value not in taken:
                taken.append(value)
        task = Task(f"figures.{self.figure}.{part.__name__}", self.code)
        before = self.computed

        def compute() -> Rows:
            self.computed += 1
            return checked(part(**parameters), self.figure)

        found = compute() if self.store is None else self.store.cached(task, parameters, compute)
        self.reused += self.computed == before
        self.advance(f"{self.figure} {' '.join(str(one) for one in parameters.values())}"[:60])
        return found


Data = Callable[[bool, Kept], Rows]


@dataclass(frozen=True)
class Plot:
    """One figure. data(quick, kept): its rows, small where `quick`; draw(rows): the Matplotlib figure of rows that were
    read back from the CSV; about: one line on what it shows."""

    about: str
    data: Data
    draw: Callable[[Rows], Any]

    def code(self, sources: Sources | None = None) -> str:
        """The version of every module that the data depend on (`estimators.provenance.Sources`); drawing is none."""
        return (sources or project_sources()).version(module_of(self.data))


def checked(rows: Sequence[Row], figure: str) -> Rows:
    """The rows with infinite numbers as None. ValueError for NaN, other values than cells, rows of other columns."""
    if not rows:
        raise ValueError(f"{figure}: a part without rows cannot be drawn: give it at least one case")
    names = list(rows[0])
    found: Rows = []
    for row in rows:
        if list(row) != names:
            raise ValueError(f"{figure}: a row has columns {list(row)}, another {names}: give all rows the same")
        found.append({name: _cell(value, f"{figure}: {name}") for name, value in row.items()})
    return found


def _cell(value: Any, where: str) -> Cell:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{where} is {type(value).__name__}, not a number or text: convert it")
    if value != value:
        raise ValueError(f"{where} is NaN, which is no result: please report this with your command")
    if value in (float("inf"), float("-inf")):
        return None
    return int(value) if isinstance(value, int) else float(value)


def numbers(rows: Rows, name: str) -> list[float]:
    """One column as floats; ValueError for a cell that is none."""
    return [number(row, name) for row in rows]


def number(row: Row, name: str) -> float:
    """A cell as float; an empty one is infinity."""
    value = row[name]
    if value is None:
        return float("inf")
    if isinstance(value, str):
        raise ValueError(f"{name} is {value!r}, not a number: do not edit the CSV of a figure")
    return float(value)
