"""Command: the claims ledger. Every statement of the theory against numbers, and what that says of the source paper."""

import sys
from collections.abc import Mapping
from pathlib import Path

from estimators import counterexample
from estimators.check_text import bound_text, interval
from estimators.claim import Claim, form
from estimators.claims import CLAIMS
from estimators.claims.sources import SOURCES, judge_sources
from estimators.command_line import console, run
from estimators.ledger import Ledger, check_all, exit_status, named
from estimators.ledger_document import as_document, check_entry
from estimators.ledger_latex import latex as as_latex
from estimators.ledger_report import markdown as as_markdown
from estimators.ledger_report import show, tell
from estimators.results import check_writable, versions, write_json, write_text


def estimators(
    *,
    claim: list[str] | None = None,
    thorough: bool = False,
    twins: bool = False,
    list_: bool = False,
    replay: Path | None = None,
    counterexamples: Path | None = None,
    seed: int = 0,
    json: Path | None = None,
    markdown: Path | None = None,
    latex: Path | None = None,
) -> int:
    """Check every statement of the theory of positional encodings against numbers, and judge the source paper's claims.

    Each statement is a symbolic bound with its proof or source; its quantity is measured on random and on extremal
    cases by code that does not know it. Exit status: 1 if a statement marked proved is violated (with --twins: if a
    twin is not), 2 for bad arguments, 3 if a measurement raised an error, 130 for Ctrl-C, which keeps what is finished.

    Args:
        claim (NAME): check only these
        thorough: ten times as many cases
        twins: check instead that every true bound made 100 times stronger, and every wrong statement, is violated
        list_: show the names and first lines of all statements, and check nothing
        replay (FILE): measure a saved counterexample again; exit status 0 if it is one again, 1 if it breaks a true
            statement, 3 if it is none here
        counterexamples (FOLDER): save every violated case there, those of wrong statements too
        seed: of random cases
        json (PATH): write everything as JSON, `-` for standard output
        markdown (PATH): write the tables as Markdown, `-` for standard output
        latex (PATH): write the tables and every bound as LaTeX, `-` for standard output

    Examples:
        python -m estimators
        python -m estimators --claim softmax-total-variation softmax-covariance --thorough
        python -m estimators --twins
        python -m estimators --counterexamples found/ --json ledger.json --latex ledger.tex
        python -m estimators --replay found/softmax-total-variation-0123456789.json
    """
    parameters = {name: value for name, value in locals().items() if value is not None}
    outputs = [path for path in (json, markdown, latex) if path is not None]
    if sum(str(path) == "-" for path in outputs) > 1:
        raise ValueError("only one of --json, --markdown and --latex can be -: give the others a file")
    for path in outputs:
        check_writable(path)
    if replay is not None:
        return _replay(replay, json)
    claims = CLAIMS if claim is None else named(CLAIMS, claim)
    if list_:
        return _list(claims)
    if twins and latex is not None:
        raise ValueError("--latex shows statements, not twins: leave one of the two out")
    if counterexamples is not None:
        counterexamples.mkdir(parents=True, exist_ok=True)
    ledger = check_all(claims, seed=seed, thorough=thorough, twins=twins)
    if not ledger.outcomes and ledger.interrupted:
        raise KeyboardInterrupt
    standings = {one.claim: one.standing for one in ledger.outcomes}
    sources = [] if twins else judge_sources(SOURCES, standings, only=claim)
    if json is not None:
        write_json(json, as_document(ledger, claims, sources, parameters))
    if markdown is not None:
        write_text(markdown, as_markdown(ledger, sources, seed, twins))
    if latex is not None:
        write_text(latex, as_latex(ledger, claims, sources))
    if "-" not in map(str, outputs):
        show(ledger, sources, twins)
    tell(ledger, twins)
    if counterexamples is not None:
        _save(counterexamples, ledger)
    return exit_status(ledger, twins)


def _save(folder: Path, ledger: Ledger) -> None:
    paths, failed = counterexample.save_all(folder, ledger.outcomes)
    log = console(error=True)
    log.print(f"{len(paths)} counterexamples in {folder}")
    for line in failed:
        log.print(f"not saved: {line}")


def _list(claims: Mapping[str, Claim]) -> int:
    out = console()
    for name, one in claims.items():
        first = " ".join((one.statement.__doc__ or "").split("\n\n")[0].split())
        out.print(f"{name} ({form(one) if one.true else 'wrong'}): {first}")
    return 0


def _replay(path: Path, json: Path | None) -> int:
    found = counterexample.replay(path, CLAIMS)
    again = "reproduced" if found.reproduced else "not reproduced"
    if json is not None:
        entry = {"claim": found.claim, "factor": found.factor, "true": found.true, "reproduced": found.reproduced}
        entry |= {"same_numbers": found.same_numbers, "saved": found.found, "made_with": found.made_with}
        write_json(json, entry | {"check": check_entry(found.check, found.factor), "versions": versions()})
    if json is None or str(json) != "-":
        one, times = found.check, "" if found.factor == "1" else f"{found.factor} x "
        same = "the saved numbers" if found.same_numbers else f"saved were {found.found}"
        kind = "" if found.true else ", a statement kept because it is wrong"
        console().print(
            f"{again}: {times}{found.claim}{kind}: quantity in {interval(one)}, bound {bound_text(one)}, "
            f"{one.verdict}; {same}"
        )
    return found.status


if __name__ == "__main__":
    sys.exit(run(estimators))
