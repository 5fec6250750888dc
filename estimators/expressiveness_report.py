"""What `python -m estimators.expressiveness` shows: two tables, how to read them, the JSON document, the figure."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from estimators.command_line import console
from estimators.estimate import Estimate
from estimators.expressiveness_figure import draw
from estimators.expressiveness_tables import EQUAL, Structure
from estimators.expressiveness_targets import TARGETS
from estimators.expressiveness_training import Trained

__all__ = ["Row", "as_document", "draw", "faults", "over_seeds", "show"]


@dataclass(frozen=True)
class Row:
    """One encoding; `trained` has an entry for every depth and target, none without training."""

    structure: Structure
    trained: tuple[Trained, ...]


def over_seeds(values: Sequence[float]) -> Estimate:
    """[least, largest] of K independent networks: contains the median over seeds with probability 1 - 2^(1-K)."""
    if len(values) < 2:
        raise ValueError(f"a range over seeds needs two of them, got {len(values)}: use --seeds 2")
    return Estimate(min(values), max(values), 1 - 2.0 ** (1 - len(values)), f"range of {len(values)} seeds")


def faults(rows: Sequence[Row]) -> list[str]:
    """One line for every contradiction of `theory.expressiveness`: there should be none."""
    lines = []
    for row in rows:
        found = row.structure
        if not found.logit_only:
            continue
        if not found.equal_rows:
            lines.append(f"{found.encoding} tells equal tokens apart by {found.row_spread:.3g}, which none may")
        lines += [
            f"{found.encoding} with {one.layers} layers is below the bound on {one.target}, which none may"
            for one in row.trained
            if one.below
        ]
    return lines


def show(rows: Sequence[Row], seeds: int) -> None:
    """Print the tables and how to read them."""
    out = console()
    out.print(_structures(rows))
    if any(row.trained for row in rows):
        out.print(_errors(rows))
    for line in (*_orders(rows), reading(rows, seeds)):
        out.print(line)


def _structures(rows: Sequence[Row]) -> Table:
    table = Table(title="Symmetries, vectors, look-ups", title_justify="left")
    table.add_column("encoding", overflow="fold")
    for heading in ("equal rows", "permuted", "rank", "condition", "coherence", "closest", "distinct"):
        table.add_column(heading, justify="right")
    for heading in ("look-up |A|", "look-up |A|_F", "smooth error"):
        table.add_column(heading, justify="right")
    for row in rows:
        one, seen = row.structure, row.structure.table
        cells = [one.encoding, _held(one.row_spread), _held(one.permutation_spread)]
        if seen is None or one.horizon is None:
            cells += ["-"] * 5
        else:
            more = ">=" if one.horizon.distinct == one.horizon.searched else ""
            cells += [str(seen.rank), _short(seen.condition), f"{seen.coherence:.3f}", _short(seen.closest)]
            cells.append(f"{more}{one.horizon.distinct}")
        table.add_row(*cells, *(_ends(estimate) for estimate in (one.operator, one.frobenius, one.smooth)))
    return table


def _errors(rows: Sequence[Row]) -> Table:
    table = Table(title="Trained networks: error of the target, mean [least largest over seeds]", title_justify="left")
    table.add_column("encoding", overflow="fold")
    table.add_column("L", justify="right")
    for heading in (*TARGETS, "error/bound"):
        table.add_column(heading, justify="right")
    for row in rows:
        depths = sorted({one.layers for one in row.trained})
        for layers in depths:
            several = [one for one in row.trained if one.layers == layers]
            least = min(min(one.least_ratio) for one in several)
            name = row.structure.encoding if layers == depths[0] else ""
            cells = [_mean(one.error) for one in several]
            table.add_row(name, str(layers), *cells, _down(least), end_section=layers == depths[-1])
    return table


def _mean(values: Sequence[float]) -> str:
    spread = over_seeds(values)
    return f"{sum(values) / len(values):.2f} [{spread.lower:.2f} {spread.upper:.2f}]"


def _held(spread: float) -> str:
    return f"yes {spread:.0e}" if spread <= EQUAL else f"no {spread:.2g}"


def _short(value: float) -> str:
    return "inf" if math.isinf(value) else f"{value:.3g}"


def _down(value: float) -> str:
    """Rounded down, so that no ratio below 1 reads as 1."""
    return "-" if math.isinf(value) else f"{math.floor(value * 1000) / 1000:.3f}"


def _ends(estimate: Estimate | None) -> str:
    """Both ends rounded outwards to three digits; one number where they round to the same."""
    if estimate is None:
        return "-"
    if math.isinf(estimate.lower):
        return "impossible"
    low, high = (_outwards(value, rule) for value, rule in ((estimate.lower, math.floor), (estimate.upper, math.ceil)))
    return f"[{low}, {high}]"


def _outwards(value: float, rule: Callable[[float], int]) -> str:
    if value == 0 or math.isinf(value):
        return f"{value:g}"
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    return f"{rule(value / unit) * unit:.3g}"


def _orders(rows: Sequence[Row]) -> list[str]:
    """Look-up and smooth functions rank additive codes differently: both orders, by middles of the intervals."""
    both = [row.structure for row in rows if row.structure.operator and row.structure.smooth]
    if len(both) < 2:
        return []

    def order(key: Callable[[Structure], float]) -> str:
        return ", ".join(one.encoding for one in sorted(both, key=key))

    smooth = order(lambda one: one.smooth.lower if one.smooth else math.inf)
    look_up = order(lambda one: one.operator.lower if one.operator else math.inf)
    return [
        f"Look-up, least |A| first (by lower ends; intervals that overlap decide nothing): {look_up}.",
        f"Smooth function, least error first: {smooth}.",
    ]


def reading(rows: Sequence[Row], seeds: int) -> str:
    """How to read the tables."""
    text = (
        f"How to read it: `equal rows`: outputs on equal tokens agree to {EQUAL:g} of their size (float64, random "
        "networks with and without causal mask); `permuted`: f(PX) = P f(X) without mask; the number is the largest "
        "difference. rank to closest: of the encoding's vectors at mean power 1, by position (additive) or by distance "
        "(biases: over 8 heads, unscaled); `distinct`: how many leading positions differ pairwise, >= where none "
        "coincide that were searched. `look-up`: least norm of a score matrix that finds the next position with margin "
        "1, between a dual and a primal certificate; for relative and rotary the least vector of a head that does not "
        "look at content. `smooth error`: of e^x in the span of the codes, relative."
    )
    if not any(row.trained for row in rows):
        return text
    return text + (
        " Errors: root mean square on new sequences, 1 is the best constant output. `error/bound`: the least, over "
        "targets, seeds and constant sequences, of the largest error over D_g/2, which nothing that keeps equal rows "
        "equal gets below; a code may. Targets that are constant there (reversal, prefix-mean, sorting) bound nothing. "
        f"The range of {seeds} seeds contains the median over seeds with probability {1 - 2.0 ** (1 - seeds):.4g}; the "
        "networks are small and trained for seconds: errors say what was found, not what is possible."
    )


def as_document(rows: Sequence[Row], parameters: dict[str, Any]) -> dict[str, Any]:
    """Everything, numbers unrounded; infinite ones are null."""
    return {"parameters": parameters, "results": [_entry(row) for row in rows]}


def _entry(row: Row) -> dict[str, Any]:
    found = row.structure
    plain = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    plain |= {"logit_only": found.logit_only, "equal_rows": found.equal_rows, "equivariant": found.equivariant}
    trained = [
        {
            "target": one.target,
            "layers": one.layers,
            "error_mean": sum(one.error) / len(one.error),
            "error_over_seeds": over_seeds(one.error),
            "error": one.error,
            "constant_error": one.constant,
            "bound": one.bound,
            "error_over_bound": one.least_ratio,
            "below_bound": one.below,
        }
        for one in row.trained
    ]
    return plain | {"trained": trained}
