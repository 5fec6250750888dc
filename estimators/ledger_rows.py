"""What every table of the ledger says: cells of text, from outcomes and source verdicts."""

import math
import re
from collections.abc import Sequence

from estimators.check_text import bound_text, interval, slack_text
from estimators.claims.sources import SourceVerdict
from estimators.display import html_table, rounded
from estimators.ledger import Ledger, Outcome
from theory.bound import Proof

HEADINGS = ("claim", "form", "encodings", "bound", "interval", "slack", "verdict", "proof", "cases")
SOURCE_HEADINGS = ("id", "claim of the source", "verdict", "because", "checks")
TWIN_HEADINGS = ("statement", "factor", "bound", "interval", "slack", "verdict", "cases")
ENCODINGS_SHOWN = 3

READING = (
    "How to read it: each row is the case on which a statement comes nearest to being violated, of all its cases. The "
    "interval contains the measured quantity; a search alone ends at ∞. Numbers are rounded to the safe side. slack: "
    "how many times too weak the bound is on that case, at least (≤: at most, where only a search measured it; for an "
    "equality the relative distance). `holds` (where the bound is attained: to 1e-9, for rounding) and `supported` are "
    "confirmed by numbers, which prove nothing: the proof is in the statement's docstring or in the source that its "
    "proof mark cites; `recalled` was not looked up. `violated` refutes; `undecided`: the interval contains the bound. "
    "`refuted`: a statement kept because it is wrong, and shown to be."
)


def encodings_text(outcome: Outcome) -> str:
    """Names without their keys, the first three."""
    found = list(dict.fromkeys(re.sub(r":\S*", "", encoding) for encoding in outcome.encodings))
    more = len(found) - ENCODINGS_SHOWN
    return ", ".join(found[:ENCODINGS_SHOWN]) + (f" and {more} more" if more > 0 else "") or "-"


def verdict_text(outcome: Outcome) -> str:
    """The standing, and what else the reader must know of it."""
    text = outcome.standing
    if outcome.verdict == "violated" and outcome.true and not outcome.broken:
        text += f" ({Proof.RECALLED.value}, not proved)"
    if outcome.error:
        text += f": {outcome.error}"
    elif outcome.true and outcome.tight and outcome.verdict != "violated" and not outcome.attained:
        text += " (equality not attained)"
    return text


def row(outcome: Outcome) -> tuple[str, ...]:
    """Cells under HEADINGS."""
    worst = outcome.worst
    measured = ("-",) * 3 if worst is None else (bound_text(worst), interval(worst), slack_text(worst))
    proof = worst.proof if worst is not None and outcome.true else "-"
    cells = (outcome.claim, outcome.form, encodings_text(outcome), *measured, verdict_text(outcome), proof)
    return (*cells, str(len(outcome.checks)))


def twin_row(outcome: Outcome) -> tuple[str, ...]:
    """Cells under TWIN_HEADINGS."""
    worst = outcome.worst
    measured = ("-",) * 3 if worst is None else (bound_text(worst), interval(worst), slack_text(worst))
    verdict = outcome.verdict + (f": {outcome.error}" if outcome.error else "")
    factor = f"x {outcome.factor}" if outcome.true else "wrong itself"
    return (outcome.claim, factor, *measured, verdict, str(len(outcome.checks)))


def source_row(source: SourceVerdict) -> tuple[str, ...]:
    """Cells under SOURCE_HEADINGS."""
    return (source.id, source.statement, source.verdict, source.because, ", ".join(source.checks) or "-")


def findings(ledger: Ledger) -> list[str]:
    """Orders that came out reversed: what a bound says of two classes, and what their certified brackets say."""
    return [sentence for one in ledger.outcomes if (sentence := _reversed_order(one))]


def _reversed_order(outcome: Outcome) -> str:
    worst = outcome.worst
    if worst is None or worst.verdict != "violated" or not {"first_bound", "second_bound"} <= worst.parameters.keys():
        return ""
    first, second = (name.split(":")[0] for name in worst.encoding.split(" against "))
    bounds = [f"{float(worst.parameters[word]):.4g}" for word in ("first_bound", "second_bound")]
    times = sum(check.verdict == "violated" for check in outcome.checks)
    return (
        f"{outcome.claim}: the bound is {bounds[0]} for {first} and {bounds[1]} for {second}, but the complexity of "
        f"{first} is larger by at least {rounded(worst.lower, False)}: the order of the certified brackets is the "
        f"reverse of the order of the bounds, on {times} of {len(outcome.checks)} samples."
    )


def summary(ledger: Ledger, twins: bool = False) -> str:
    """One line of counts."""
    words = [one.verdict if twins else one.standing for one in ledger.outcomes]
    counts = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(sorted(words)))
    cases = sum(len(one.checks) for one in ledger.outcomes)
    what = "twins" if twins else "claims"
    return f"{len(words)} {what} on {cases} cases in {math.ceil(ledger.seconds)} s: {counts or 'none'}"


def html_ledger(outcomes: Sequence[Outcome]) -> str:
    """The table of claims for Jupyter."""
    return html_table(HEADINGS, [row(one) for one in outcomes], right=("bound", "interval", "slack", "cases"))
