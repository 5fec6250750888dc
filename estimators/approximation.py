"""Command: certified errors of best approximation by the channels of encodings, beside widths, bounds and rates."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from estimators.approximation_figure import draw
from estimators.approximation_lookup import LookUp, look_ups
from estimators.approximation_rates import Rate, rate_of
from estimators.approximation_report import as_document, show
from estimators.approximation_rows import Norm, Row, rows_of, statements_for
from estimators.approximation_spans import check_channels, check_pair, family
from estimators.command_line import console, progress, run
from estimators.results import check_outputs, versions, write_json
from estimators.targets import Target, from_file, is_file, target

LENGTH = 256
ENCODINGS = (
    "cosine",
    "haar",
    "daubechies",
    "legendre:form=orthonormal",
    "chebyshev",
    "sinusoidal",
    "random-orthogonal",
    "gaussian",
)


def approximation(
    *,
    encoding: list[str] = [*ENCODINGS],  # noqa: B006  (read only, shown in --help)
    target: list[str] = ["abs", "runge"],  # noqa: B006
    norm: list[Norm] = ["l2", "sup", "sobolev"],  # noqa: B006
    channels: list[int] = [1, 2, 4, 8, 16, 32],  # noqa: B006
    length: int | None = None,
    seed: int = 0,
    json: Path | None = None,
    figure: Path | None = None,
) -> int:
    """Best approximation of functions of the position by the first n channels of encodings, with certified errors.

    Targets are taken at the midpoints of N equal cells of [-1, 1]. l2: Euclidean error over the positions, without 1/N;
    sup: largest error; sobolev: worst Euclidean error over all f with |Delta f|_2 <= 1, the constant counted as a
    channel, infinite where it is not in the span. Every error is an interval: lower end by duality, upper end attained.
    Beside it: the Kolmogorov width that no encoding can beat on the worst member of the target's class, the bounds that
    apply to the target by its smoothness, the fitted rate, and how large a score matrix a look-up needs.

    Args:
        encoding (NAME[:key=value,...]): additive ones; bias and rotary ones with targets memory-..., by the kernels of
            the distance that n heads span
        target (NAME|FORMULA|FILE): a name such as abs, runge, step, chirp, brownian or memory-reciprocal, a formula in
            x such as "exp(-x**2)*sin(5*x)", or a file of N values (.npy, .csv, .txt)
        norm: l2, sup or sobolev; sobolev is the worst case over its class, whatever the target
        channels (N): numbers n of channels
        length (N): positions; the values of a file if one is given, else 256
        seed: of the Brownian path
        json (PATH): write everything as JSON, `-` for standard output
        figure (PATH): draw errors, widths and bounds (.png, .pdf or .svg)

    Examples:
        python -m estimators.approximation
        python -m estimators.approximation --target "exp(-x**2)*sin(5*x)" --norm sup --channels 2 4 8 16
        python -m estimators.approximation --encoding alibi rotary --target memory-reciprocal --norm sup --length 128
        python -m estimators.approximation --norm sobolev --length 1024 --json widths.json --figure widths.png
    """
    parameters = dict(locals())
    started = time.perf_counter()
    if seed < 0:
        raise ValueError(f"seed must be at least 0, got {seed}: use --seed 0")
    check_outputs(json, figure)
    encodings, names, norms = list(dict.fromkeys(encoding)), list(dict.fromkeys(target)), list(dict.fromkeys(norm))
    size = _length(length, names)
    counts = check_channels(channels, size)
    for one in encodings:
        for name in names:
            for each in norms:
                check_pair(one, size, name, each)
    targets = [] if norms == ["sobolev"] else [_target(name, size, seed) for name in names]
    rows: list[Row] = []
    looked: list[LookUp] = []
    interrupted = False
    total = len(encodings) * len(counts) * sum(1 if one == "sobolev" else len(targets) for one in norms)
    with progress("approximation", total) as advance:
        try:
            for one in encodings:
                rows.extend(rows_of(one, targets, norms, counts, size, advance))
            looked = look_ups(encodings)
        except KeyboardInterrupt:
            interrupted = True
    if not rows:
        raise KeyboardInterrupt
    rates = _rates(rows, targets, size)
    document = as_document(rows, rates, looked, parameters | {"length": size})
    if json is not None:
        seconds = time.perf_counter() - started
        write_json(json, document | {"versions": versions(), "interrupted": interrupted, "seconds": seconds})
    if figure is not None:
        draw(rows, size, figure)
    if json is None or str(json) != "-":
        show(rows, rates, looked, size)
    if interrupted:
        console(error=True).print(f"interrupted: {total - len(rows)} of {total} results are missing")
        return 130
    return 0


def _length(length: int | None, names: Sequence[str]) -> int:
    if length is not None:
        if length < 1:
            raise ValueError(f"length must be at least 1, got {length}: use --length {LENGTH}")
        return length
    files = [name for name in names if is_file(name)]
    return len(from_file(Path(files[0]))) if files else LENGTH


def _target(name: str, length: int, seed: int) -> Target:
    # The flag of the command hides the function of that name.
    return target(name, length, seed=seed)


def _rates(rows: list[Row], targets: Sequence[Target], length: int) -> list[Rate]:
    known = {one.name: one for one in targets}
    groups: dict[tuple[str, str, Norm], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.encoding, row.target, row.norm), []).append(row)
    found: list[Rate] = []
    for (encoding, name, norm), group in groups.items():
        one = None if norm == "sobolev" else known[name]
        found.append(rate_of(group, statements_for(one, norm, family(encoding, length), length)))
    return sorted(found, key=lambda rate: [row.target + row.norm for row in rows].index(rate.target + rate.norm))


if __name__ == "__main__":
    sys.exit(run(approximation))
