"""Command: certified upper ends against attained lower ends over sizes, radii, encodings and samples, as a table."""

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from estimators.bracket import Bracket, bracket
from estimators.certificates_report import draw, write_summary
from estimators.certificates_table import (
    HEAD_TARGETS,
    TWO_LAYER_TARGETS,
    Cell,
    Row,
    append_row,
    cell_key,
    read_rows,
)
from estimators.command_line import console, progress, run
from estimators.features import read_out_query, template
from estimators.hypotheses import AbstractHypotheses, Constraints, Effort
from estimators.hypotheses_query import AbstractQueryHypotheses, head_hypotheses
from estimators.hypotheses_transformer import transformer_hypotheses
from estimators.results import check_writable, versions
from estimators.samples import synthetic_sample, text_sample
from estimators.signs import draw_signs
from estimators.transformer import Architecture
from theory.encodings import parse

ENCODINGS = ("none", "alibi", "rotary", "sinusoidal")
HEADS = (("query", 8), ("query", 16), ("query", 64), ("bilinear", 8), ("bilinear", 16))
SAMPLES = ("text", "sphere")
TWO_LAYER_SHARE = 2  # of the draws: each costs a search over four matrices


def _heads(kind: str, dim: int, samples: int, length: int) -> Iterator[Cell]:
    for encoding, sample, radius in itertools.product(ENCODINGS, SAMPLES, HEAD_TARGETS):
        yield Cell(kind, dim, samples, length, radius, 0.0, encoding, sample)


def _two_layers(encodings: tuple[str, ...]) -> Iterator[Cell]:
    for encoding, sample, (value, logit) in itertools.product(encodings, SAMPLES, TWO_LAYER_TARGETS):
        yield Cell("two-layer", 16, 256, 16, logit, value, encoding, sample)


def design(name: str) -> list[Cell]:
    """Cells in the order in which they are computed: short work first.

    core: n 64 and 256 at T 16 for all classes but 16 x 16, which has n 64; dim 16 also with n 1,024 or T 64; two layers
    without encoding. full: every combination.
    """
    cells = [*_heads("query", 16, 256, 16), *_two_layers(("none",)), *_heads("query", 16, 64, 16)]
    for samples in (64, 256):
        for kind, dim in HEADS[:4]:
            cells += _heads(kind, dim, samples, 16)
    cells += [*_heads("query", 16, 256, 64), *_heads("bilinear", 16, 64, 16), *_heads("query", 16, 1024, 16)]
    if name == "full":
        for (kind, dim), samples, length in itertools.product(HEADS, (64, 256, 1024), (16, 64)):
            cells += _heads(kind, dim, samples, length)
        cells += _two_layers(ENCODINGS)
    return list(dict.fromkeys(cells))


class Classes:
    """Makes the class of a cell; radii of one head share what does not depend on them."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.last: tuple[Cell, AbstractQueryHypotheses] | None = None

    def __call__(self, cell: Cell) -> AbstractHypotheses:
        if self.last is not None:
            before, made = self.last
            if cell.kind != "two-layer" and _same_head(before, cell):
                return made.with_logit_norm(cell.logit_norm)
        tokens = self._tokens(cell)
        heads = 8
        encoding = parse(cell.encoding, dim=cell.dim, train_length=cell.length, heads=heads)
        if cell.kind == "two-layer":
            architecture = Architecture(cell.dim, layers=2, value_norm=cell.value_norm, logit_norm=cell.logit_norm)
            return transformer_hypotheses(encoding, tokens, Constraints(), architecture, first_head=0)
        keys, values, bias = map(np.asarray, template(encoding, tokens))
        queries = np.asarray(read_out_query(encoding, tokens))
        constraints = Constraints(logit_norm=cell.logit_norm)
        made = head_hypotheses(cell.kind, keys, values, bias, constraints, queries)
        if isinstance(made, AbstractQueryHypotheses):
            self.last = cell, made
        return made

    def _tokens(self, cell: Cell) -> np.ndarray:
        if cell.sample == "text":
            return text_sample(None, samples=cell.samples, length=cell.length, dim=cell.dim, seed=self.seed).tokens
        return synthetic_sample("sphere", samples=cell.samples, length=cell.length, dim=cell.dim, seed=self.seed).tokens


def _same_head(first: Cell, second: Cell) -> bool:
    words = ("kind", "dim", "samples", "length", "encoding", "sample")
    return all(getattr(first, word) == getattr(second, word) for word in words)


def compute(cell: Cell, hypotheses: AbstractHypotheses, draws: int, seed: int, confidence: float) -> Row:
    """One row of the table."""
    count = draws // TWO_LAYER_SHARE if cell.kind == "two-layer" else draws
    signs = draw_signs(seed, count, cell.samples)
    found = bracket(hypotheses, signs, enumerated=False, confidence=confidence, effort=Effort(seed=seed))
    low, high, attained = found.estimate.lower, found.estimate.upper, attained_mean(found)
    made_with = " ".join(f"{name}={version}" for name, version in versions().items() if name in ("jax", "numpy"))
    return Row(
        **vars(cell),
        draws=draws,
        seed=seed,
        confidence=confidence,
        lower=low,
        upper=high,
        attained=attained,
        ratio=high / low,
        ratio_attained=high / attained,
        certificate=found.certificate,
        made_with=made_with,
    )


def attained_mean(found: Bracket) -> float:
    """The mean attained value, an estimate without its error: over the draws, less what the control says they are off
    by."""
    value = float(found.suprema.lower.mean())
    control, h = found.drawn.control, found.drawn.h
    if control is None or h is None:
        return value
    return value - float(h.lower.mean()) + float(control.cheap.lower.mean())


def certificates(
    *,
    table: Path = Path("docs/certificates.csv"),
    design_name: Literal["core", "full"] = "core",
    draws: int = 200,
    confidence: float = 0.99,
    only: str | None = None,
    seed: int = 0,
) -> int:
    """Certified upper end against attained lower end of R_hat, for heads of any dimension and two-layer Transformers.

    One row per class, sample, encoding and radius, both ends with their sampling error, and the certificate that won.
    Finished rows are kept in --table and not computed again, so the command may be interrupted at any time. A summary
    (.md) and a figure (.png) are written beside the table, from the table alone.

    Args:
        table (PATH.csv): where rows are kept
        design_name: `core` is the committed part, `full` every combination (hours)
        draws: sign vectors per row; two layers use half of them
        confidence: of every interval
        only (TEXT): compute only cells whose name contains this, for example `bilinear` or `alibi sphere`
        seed: of samples, signs and search

    Examples:
        python -m estimators.certificates
        python -m estimators.certificates --design-name full --only "query dim=64"
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie strictly between 0 and 1, got {confidence}: use 0.99")
    if draws < 2 * TWO_LAYER_SHARE:
        raise ValueError(f"draws must be at least {2 * TWO_LAYER_SHARE}, got {draws}: use --draws 200")
    if table.suffix != ".csv":
        raise ValueError(f"{table} must end in .csv: summary and figure take its name")
    check_writable(table.with_suffix(".md"))
    known = {row.key for row in read_rows(table)}
    cells = [cell for cell in design(design_name) if only is None or only in cell.label]
    if not cells:
        raise ValueError(f"no cell contains {only!r}: a cell is called for example {design('core')[0].label!r}")
    missing = [cell for cell in cells if cell_key(cell, draws, seed, confidence) not in known]
    classes, interrupted = Classes(seed), False
    with progress("cells", len(missing)) as advance:
        try:
            for cell in missing:
                append_row(table, compute(cell, classes(cell), draws, seed, confidence))
                advance(1, description=cell.label)
        except KeyboardInterrupt:
            interrupted = True
    rows = read_rows(table)
    if rows:
        done = {row.key for row in rows}
        left = sum(cell_key(cell, draws, seed, confidence) not in done for cell in design("core"))
        summary = write_summary(rows, table.with_suffix(".md"), left)
        draw(rows, table.with_suffix(".png"))
        console().print(summary)
    if interrupted:
        console(error=True).print(f"interrupted: finished rows are in {table}; the same command goes on from there")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(run(certificates))
