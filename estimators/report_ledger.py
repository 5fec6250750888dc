"""The ledger that a report shows: checked now, or read from the JSON that `python -m estimators --json` wrote."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from estimators.claim import Check, Claim
from estimators.claims.sources import Source, SourceVerdict, judge_sources
from estimators.ledger import Ledger, Outcome
from estimators.ledger_document import CHECK_WORDS, symbolic
from theory.bound import Relation

VERDICTS = ("holds", "violated", "undecided")
WRITE = "python -m estimators --json ledger.json writes one"


@dataclass(frozen=True)
class Checked:
    """A ledger, what it says of the source paper, and how it was made. `changed`: claims whose statement is another now
    than when they were checked."""

    ledger: Ledger
    sources: tuple[SourceVerdict, ...]
    parameters: dict[str, Any]
    made_with: dict[str, str]
    changed: tuple[str, ...] = ()


def checked(
    ledger: Ledger,
    sources: Sequence[Source],
    parameters: dict[str, Any],
    made_with: dict[str, str],
    changed: Sequence[str] = (),
) -> Checked:
    """The verdicts on the source's claims from the standings of this ledger."""
    standings = {one.claim: one.standing for one in ledger.outcomes}
    verdicts = judge_sources(sources, standings, only=parameters.get("claim"))
    return Checked(ledger, tuple(verdicts), parameters, made_with, tuple(changed))


def read_ledger(path: Path, claims: Mapping[str, Claim], sources: Sequence[Source]) -> Checked:
    """The ledger of a file; ValueError of one line if it is none, or its verdicts are not those of its numbers."""
    document = _load(path)
    try:
        parameters, made_with = dict(document["parameters"]), _texts(document["versions"])
        ledger = _ledger(document)
        said = {entry["claim"]: entry["latex"] for entry in document["claims"]}
        found = [(one.verdict, one.standing, len(one.checks)) for one in ledger.outcomes]
        stored = [(entry["verdict"], entry["standing"], entry["cases"]) for entry in document["claims"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        told = f"{type(error).__name__}: {error}"
        raise ValueError(f"{path} is no ledger of this version ({told}): {WRITE}") from error
    if parameters.get("twins"):
        raise ValueError(f"{path} holds falsified twins, not the ledger: {WRITE}")
    for one, here, there in zip(ledger.outcomes, found, stored, strict=True):
        if here != there:
            raise ValueError(f"{path} was edited, its numbers on {one.claim} do not give its verdict: {WRITE}")
    changed = [one.claim for one in ledger.outcomes if _changed(one, claims, said[one.claim])]
    return checked(ledger, sources, parameters, made_with, changed)


def _load(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text: {WRITE}") from error
    except RecursionError as error:
        raise ValueError(f"{path} is nested too deeply to be a ledger: {WRITE}") from error
    except ValueError as error:
        raise ValueError(f"{path} is damaged or cut off ({error}): {WRITE}") from error
    if not isinstance(document, dict) or not {"checks", "claims", "versions", "parameters"} <= document.keys():
        raise ValueError(f"{path} is no ledger: {WRITE}")
    return document


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _ledger(document: dict[str, Any]) -> Ledger:
    found: dict[str, list[Check]] = {}
    for entry in document["checks"]:
        found.setdefault(entry["claim"], []).append(_check(entry))
    outcomes = [_outcome(entry, found.get(entry["claim"], [])) for entry in document["claims"]]
    names = {one.claim for one in outcomes}
    if len(names) < len(outcomes) or found.keys() - names:
        raise ValueError("claims and checks do not belong together")
    return Ledger(tuple(outcomes), tuple(map(_text, document["missing"])), float(document["seconds"]))


def _check(entry: dict[str, Any]) -> Check:
    values = {word: entry[word] for word in CHECK_WORDS}
    for word in ("claim", "encoding", "method", "proof"):
        _text(values[word])
    if values["verdict"] not in VERDICTS or values["relation"] not in [one.value for one in Relation]:
        raise ValueError(f"verdict {values['verdict']!r}, relation {values['relation']!r}")
    # JSON has no infinity (`write_json`): a lower end of null is -inf unless the quantity itself is infinite.
    infinite = values["upper"] is None
    for word in ("bound", "lower", "upper", "slack", "confidence"):
        least = word == "lower" and not infinite
        values[word] = (-math.inf if least else math.inf) if values[word] is None else float(values[word])
    return Check(parameters=dict(entry["parameters"]), **values)


def _outcome(entry: dict[str, Any], checks: list[Check]) -> Outcome:
    return Outcome(
        claim=_text(entry["claim"]),
        true=bool(entry["true"]),
        tight=bool(entry["tight"]),
        form=_text(entry["form"]),
        checks=tuple(checks),
        seconds=float(entry["seconds"]),
        error=_text(entry["error"]),
        factor=_text(entry["factor"]),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _texts(values: dict[str, Any]) -> dict[str, str]:
    return {_text(word): _text(value) for word, value in values.items()}


def _changed(outcome: Outcome, claims: Mapping[str, Claim], latex: str | None) -> bool:
    """Whether the statement of the code is another than the one that was checked."""
    if outcome.claim not in claims or latex is None:
        return latex is not None
    try:
        bound = symbolic(outcome, claims[outcome.claim])
    except Exception:  # a saved case that the present measurement refuses belongs to another statement
        return True
    return bound is None or bound.latex != latex
