"""Sections of a report: what the ledger says of the source paper, its rows with filters, and the environment."""

import math
from collections.abc import Mapping, Sequence

from estimators.claim import Claim
from estimators.claims.sources import SourceVerdict
from estimators.ledger import Outcome
from estimators.ledger_report import RIGHT, SOURCES_TITLE
from estimators.ledger_rows import HEADINGS, READING, SOURCE_HEADINGS, findings, row, summary
from estimators.report_bounds import NOT_CHECKED, told, topic_of
from estimators.report_html import Markup, definitions, inner, table, tag
from estimators.report_ledger import Checked
from estimators.report_widgets import choice, filters, section, verdict

TOPIC = "topic"
PARAMETERS = ("claim", "thorough", "seed")  # of the ledger; the others are about its files


def sources_section(sources: Sequence[SourceVerdict], outcomes: Mapping[str, Outcome]) -> Markup:
    """The claims of the source paper, their verdicts and reasons; checks are links into the ledger."""
    if not sources:
        body = tag("p", "No claim of the source paper rests on the statements that were checked.")
        return section("sources", SOURCES_TITLE, body)
    rows = []
    for one in sources:
        checks: list[Markup] = []
        for name in one.checks:
            known = name in outcomes
            link = tag("a", name, href=f"#claim-{name}") if known else inner(name)
            checks.append(tag("li", link, ": ", verdict(outcomes[name].standing) if known else NOT_CHECKED))
        cells = (
            tag("th", one.id, scope="row"),
            *(tag("td", cell) for cell in (one.statement, verdict(one.verdict), one.because)),
            tag("td", tag("ul", checks) if checks else "-"),
        )
        rows.append(tag("tr", cells, id=f"source-{one.id}"))
    return section(
        "sources", SOURCES_TITLE, table("Claims of the source and verdicts", SOURCE_HEADINGS, rows, class_="sources")
    )


def ledger_section(checked: Checked, claims: Mapping[str, Claim], entry_of: Mapping[str, str]) -> Markup:
    """Filters and one row per claim. `entry_of`: claim -> name of its statement among the bounds."""
    outcomes = checked.ledger.outcomes
    topics = {one.claim: topic_of(claims[one.claim].statement) for one in outcomes if one.claim in claims}
    encodings = sorted({name for one in outcomes for name in families(one)})
    controls = (
        choice("claim-filter", TOPIC, TOPIC, dict.fromkeys(topics.values())),
        choice("claim-filter", "encoding", "encoding", encodings),
        choice("claim-filter", "verdict", "verdict", sorted({one.standing for one in outcomes})),
    )
    rows = [_row(one, topics.get(one.claim, ""), entry_of.get(one.claim)) for one in outcomes]
    headings = (HEADINGS[0], TOPIC, *HEADINGS[1:])
    notes = [f"Found: {sentence}" for sentence in findings(checked.ledger)]
    if checked.ledger.missing:
        missing = checked.ledger.missing
        notes.append(f"Interrupted: {len(missing)} claims were not checked: {', '.join(missing)}.")
    if unchecked := [
        name for name in claims if name not in {one.claim for one in outcomes} | {*checked.ledger.missing}
    ]:
        notes.append(
            f"Not part of this ledger: {len(unchecked)} of {len(claims)} claims; every one is under the bounds."
        )
    notes += [
        f"{name}: its statement in the code is another than the one that was checked; check it again."
        for name in checked.changed
    ]
    return section(
        "ledger",
        "The ledger of claims",
        tag("p", summary(checked.ledger), f". Seed {checked.parameters.get('seed', 0)}."),
        filters("claim-filter", "claims", "Filter the claims", "#ledger tbody tr", *controls),
        table("Claims", headings, rows, right=RIGHT, class_="ledger"),
        [tag("p", one, class_="note") for one in notes],
        told(READING),
    )


def families(outcome: Outcome) -> list[str]:
    """The encodings of a claim's cases without their keys, both of a pair."""
    names = [part for one in outcome.encodings for part in one.split(" against ")]
    return list(dict.fromkeys(name.split(":")[0].split()[0] for name in names if name.split(":")[0].strip()))


def _row(outcome: Outcome, topic: str, entry: str | None) -> Markup:
    name, *cells = row(outcome)
    shown: list[Markup] = []
    for heading, cell in zip(HEADINGS[1:], cells, strict=True):
        content = verdict(cell) if heading == "verdict" else cell
        shown.append(tag("td", content, class_="number" if heading in RIGHT else None))
    title = tag("a", name, href=f"#bound-{entry}") if entry else name
    return tag(
        "tr",
        tag("th", title, scope="row"),
        tag("td", topic or "-"),
        shown,
        id=f"claim-{name}",
        data_topic=topic,
        data_encoding="|".join(families(outcome)),
        data_verdict=outcome.standing,
    )


def environment_section(
    checked: Checked, now: Mapping[str, str], code: str, command: str, origin: str | None
) -> Markup:
    """Versions behind the ledger and behind this page, parameters, command and the version of the code."""
    words = list(dict.fromkeys([*now, *checked.made_with]))
    rows = []
    for word in words:
        made, here = checked.made_with.get(word, "-"), now.get(word, "-")
        differs = tag("td", here, " ", tag("strong", "(differs)")) if made != here else tag("td", here)
        rows.append(tag("tr", tag("th", word, scope="row"), tag("td", made), differs))
    known = {word: value for word, value in checked.parameters.items() if word in PARAMETERS and value is not None}
    parameters = ", ".join(f"{word} = {_shown(value)}" for word, value in known.items())
    facts = [
        ("command", tag("code", command)),
        ("ledger", f"read from {origin}" if origin else "checked for this page"),
        ("parameters of the ledger", parameters or "-"),
        ("time of the ledger", f"{math.ceil(checked.ledger.seconds)} s"),
        ("code (SHA-256)", tag("code", code)),
    ]
    return section(
        "environment",
        "Environment",
        definitions(facts),
        table("Versions", ("package", "ledger made with", "page made with"), rows),
    )


def _shown(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
