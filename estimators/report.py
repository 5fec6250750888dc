"""Command: one HTML page of the ledger, figures with their data, bounds with their sources, and the environment."""

import sys
from pathlib import Path

from estimators.claims import CLAIMS
from estimators.claims.sources import SOURCES
from estimators.command_line import console, run
from estimators.figures_all import FIGURES
from estimators.ledger import check_all, named
from estimators.ledger_report import tell
from estimators.provenance import command, project_sources
from estimators.report_bounds import entries
from estimators.report_figures import RUN, Figure, figures_in
from estimators.report_ledger import Checked, checked, read_ledger
from estimators.report_page import page
from estimators.results import check_writable, versions, write_text
from theory.statements import STATEMENTS

LARGE = 6_000_000


def report(
    *,
    output: Path = Path("report.html"),
    figures: Path = Path("notebooks/figures"),
    claim: list[str] | None = None,
    ledger: Path | None = None,
    seed: int = 0,
) -> int:
    """Write one self-contained HTML page: the ledger with filters, every figure with its data and command, each bound
    with its assumptions and source, and the environment. It loads nothing, so it can be sent and opened anywhere.

    Exit status 3 if something is wrong with a figure, which the page says too; 130 for Ctrl-C while the claims are
    checked: the page then has those that are finished.

    Args:
        output (PATH): the page, `-` for standard output
        figures (FOLDER): what `python -m estimators.figures` wrote; the page says so if there is nothing
        claim (NAME): check only these; every bound is shown all the same
        ledger (FILE): show the ledger that `python -m estimators --json FILE` wrote, and check nothing
        seed: of random cases

    Examples:
        python -m estimators.report
        python -m estimators --json ledger.json; python -m estimators.report --ledger ledger.json
        python -m estimators.report --claim alibi-tail-mass --figures notebooks/figures --output alibi.html
    """
    if ledger is not None and (claim is not None or seed != 0):
        raise ValueError("--ledger shows what a file says: leave out --claim and --seed")
    if seed < 0:
        raise ValueError(f"seed must be at least 0, got {seed}: use --seed 0")
    if ledger is not None and ledger.exists() and ledger.resolve() == output.resolve():
        raise ValueError(f"{output} is the ledger to be read: give the page another name with --output report.html")
    check_writable(output)
    claims = CLAIMS if claim is None else named(CLAIMS, claim)
    drawn = figures_in(figures, FIGURES)
    missing = [name for name in FIGURES if name not in {one.name for one in drawn}]
    if ledger is None:
        parameters = {"seed": seed} | ({} if claim is None else {"claim": claim})
        found = check_all(claims, seed=seed)
        if not found.outcomes and found.interrupted:
            raise KeyboardInterrupt
        shown = checked(found, SOURCES, parameters, versions())
    else:
        shown = read_ledger(ledger, CLAIMS, SOURCES)
    text = page(
        shown,
        CLAIMS,
        entries(STATEMENTS, CLAIMS, shown.ledger),
        drawn,
        str(figures),
        missing=missing,
        versions=versions(),
        code=project_sources().version("estimators.report"),
        command=command(),
        origin=None if ledger is None else ledger.name,
    )
    write_text(output, text)
    if str(output) != "-":
        size = len(text.encode()) / 1e6
        console().print(f"{output}: {len(shown.ledger.outcomes)} claims, {len(drawn)} figures, {size:.1f} MB")
    return _tell(shown, drawn, missing, figures, len(text.encode()), fresh=ledger is None)


def _tell(shown: Checked, drawn: list[Figure], missing: list[str], folder: Path, size: int, *, fresh: bool) -> int:
    """On standard error what a reader should know besides; the exit status."""
    log = console(error=True)
    problems = [line for one in drawn for line in one.problems]
    for line in problems:
        log.print(line, soft_wrap=True)
    for one in drawn:
        if one.outdated:
            log.print(f"figure {one.name}: its code changed since: {RUN} {one.name} renews it", soft_wrap=True)
    if not drawn:
        log.print(f"no figures in {folder}: {RUN} makes them", soft_wrap=True)
    elif missing:
        log.print(f"figures not made yet: {RUN} {' '.join(missing)} makes them", soft_wrap=True)
    for name in shown.changed:
        log.print(f"{name}: its statement changed since the ledger was made: check it again", soft_wrap=True)
    if size > LARGE:
        log.print(f"the page has {size / 1e6:.1f} MB: keep fewer figures in {folder} for one to send", soft_wrap=True)
    tell(shown.ledger)
    interrupted = fresh and shown.ledger.interrupted
    return 130 if interrupted else 3 if problems else 0


if __name__ == "__main__":
    sys.exit(run(report))
