"""Command: try to break one statement, by a search over the inputs and parameters of its cases."""

import json as jsonlib
import math
import sys
import time
from fractions import Fraction
from pathlib import Path

from estimators.check_text import margin, nearness, settled
from estimators.claim import Check, Claim, check
from estimators.claims import CLAIMS
from estimators.command_line import console, progress, run
from estimators.counterexample import save
from estimators.falsification import Search, explore
from estimators.ledger import named
from estimators.ledger_document import check_entry
from estimators.results import check_writable, versions, write_json

DEFAULT_SECONDS = 20.0
ADVICE = "Not finding a violation proves nothing: the proof, not the search, is what a bound rests on."


def falsify(
    name: str,
    /,
    *,
    seconds: float | None = None,
    evaluations: int | None = None,
    factor: str = "1",
    seed: int = 0,
    counterexamples: Path | None = None,
    json: Path | None = None,
) -> int:
    """Try to break one statement of the ledger: search for the inputs and parameters of smallest slack.

    The search starts from the cases of the claim, moves the numbers it is allowed to move, and keeps what brings the
    bound nearer to the measured interval. Exit status: 1 if a true statement is broken, else 0.

    Args:
        name (CLAIM): one of `python -m estimators --list`
        seconds: time to search (default: 20, or no limit with --evaluations)
        evaluations: cases to measure; the result then depends on --seed only
        factor (P/Q): search against this multiple of the bound (a lower bound is divided by it): how far is its
            constant from the best one?
        seed: of the search
        counterexamples (FOLDER): where a violated case is saved (default for a true statement: the current folder)
        json (PATH): write the result as JSON, `-` for standard output

    Examples:
        python -m estimators.falsify softmax-total-variation
        python -m estimators.falsify softmax-total-variation --factor 9/10 --evaluations 2000 --json -
    """
    claim = named(CLAIMS, [name])[name]
    exact = read_factor(factor)
    for flag, given in (("--seconds", seconds), ("--evaluations", evaluations)):
        if given is not None and not given > 0:
            raise ValueError(f"{flag} must be positive, got {given}: use --seconds 20 or --evaluations 1000")
    if json is not None:
        check_writable(json)
    if counterexamples is not None:
        counterexamples.mkdir(parents=True, exist_ok=True)
    allowed = seconds if seconds is not None else DEFAULT_SECONDS if evaluations is None else math.inf
    started = time.monotonic()
    with progress(name, evaluations) as advance:
        state = Search(
            measure=lambda case: check(name, claim, case, exact),
            evaluations_allowed=math.inf if evaluations is None else float(evaluations),
            deadline=started + allowed,
            advance=advance,
        )
        explore(state, claim, name, seed)
    best = state.best
    if best is None:
        if state.interrupted:
            raise KeyboardInterrupt
        raise ValueError(f"no case of {name} could be measured: {state.first_rejection or 'the budget is too small'}")
    violated, saved = best.verdict == "violated", None
    if violated and (counterexamples is not None or (claim.true and exact == 1)):
        saved = save(counterexamples or Path(), best, str(exact))
    taken = time.monotonic() - started
    if json is not None:
        found = {"claim": name, "true": claim.true, "factor": str(exact), "slack_at_most": margin(best)}
        found |= {"verdict": best.verdict, "check": check_entry(best), "saved": saved, "says": ADVICE}
        found |= {word: getattr(state, word) for word in ("evaluations", "rejected", "climbs", "interrupted")}
        write_json(json, found | {"seconds": taken, "seed": seed, "versions": versions()})
    if json is None or str(json) != "-":
        _show(claim, state, best, exact, taken, saved)
    if violated and claim.true and exact == 1:
        return 1
    return 130 if state.interrupted else 0


def read_factor(text: str) -> Fraction:
    """A positive fraction such as 1/100 or 0.9."""
    try:
        factor = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"--factor must be a fraction, got {text!r}: use for example 9/10") from None
    if factor <= 0:
        raise ValueError(f"--factor must be positive, got {text}: use for example 9/10")
    return factor


def _show(claim: Claim, state: Search, best: Check, factor: Fraction, seconds: float, saved: Path | None) -> None:
    out = console()
    against = best.claim if factor == 1 else f"{factor} x {best.claim}"
    kept = "" if claim.true else ", kept because it is wrong"
    out.print(
        f"{against} ({best.proof}{kept}): {nearness(best)}, {settled(best)}, in {state.evaluations} "
        f"cases ({state.rejected} not admissible), {state.climbs} climbs, {seconds:.1f} s"
    )
    out.print(
        f"bound {best.bound:.10g}, interval [{best.lower:.10g}, {best.upper:.10g}] ({best.method}) {best.encoding}"
    )
    text = jsonlib.dumps(best.case)
    out.print(f"case: {text if len(text) <= 600 else text[:600] + ' ... (complete with --json)'}")
    if saved is not None:
        out.print(f"saved: {saved} (python -m estimators --replay {saved})")
    if best.verdict != "violated":
        out.print(ADVICE)


if __name__ == "__main__":
    sys.exit(run(falsify))
