"""Data of the table figure of the claims ledger: every claim with its worst case, and the source paper's verdicts."""

import itertools
from typing import Any

from estimators import claims
from estimators.check_text import margin
from estimators.claims.sources import SOURCES, judge_sources
from estimators.figures_plan import SEED, Kept, Rows
from estimators.ledger import check_claim

TOPICS = {word.lower(): one for word, one in vars(claims).items() if word.isupper() and word != "CLAIMS"}


def ledger(quick: bool, kept: Kept) -> Rows:
    """kind (claim or source), name, topic, verdict, form, relation, bound, lower, upper (of the case that comes nearest
    to a violation), slack (how many times too weak the bound is there; infinite ones are empty), proof, cases, text."""
    parts = [kept(_claim, claim=name, seed=SEED, thorough=not quick) for name in claims.CLAIMS]
    rows = list(itertools.chain(*parts))
    standings = {str(row["name"]): str(row["verdict"]) for row in rows}
    for one in judge_sources(SOURCES, standings):
        blank: dict[str, Any] = dict.fromkeys(rows[0])
        rows.append(blank | {"kind": "source", "name": one.id, "verdict": one.verdict, "text": one.statement})
    return rows


def _claim(*, claim: str, seed: int, thorough: bool) -> Rows:
    found = check_claim(claim, claims.CLAIMS[claim], seed=seed, thorough=thorough)
    worst = found.worst
    topic = next((word for word, names in TOPICS.items() if claim in names), "other")
    shared: dict[str, Any] = {"kind": "claim", "name": claim, "topic": topic, "verdict": found.standing}
    shared |= {"form": found.form}
    measured: dict[str, Any] = dict.fromkeys(("relation", "bound", "lower", "upper", "slack", "proof"))
    if worst is not None:
        measured |= {"relation": worst.relation, "bound": worst.bound, "lower": worst.lower, "upper": worst.upper}
        measured |= {"slack": margin(worst), "proof": worst.proof if found.true else None}
    return [shared | measured | {"cases": len(found.checks), "text": found.error or None}]
