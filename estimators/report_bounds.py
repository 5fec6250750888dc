"""Every statement of the theory as a report shows it: formula, assumptions, symbols, source, proof and checks."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sympy as sp

from estimators.check_text import bound_text, interval
from estimators.claim import Claim
from estimators.ledger import Ledger, Outcome
from estimators.ledger_document import check_entry, symbolic
from estimators.ledger_rows import verdict_text
from estimators.report_html import Markup, definitions, inner, tag
from estimators.report_math import mathml
from estimators.report_widgets import choice, filters, section
from theory import notation
from theory.bound import Bound, Proof

# Modules whose name is no topic of its own.
JOINED = {"box": "softmax", "misuses": "classical", "normaliser": "softmax", "lookup": "expressiveness"}
NOT_CHECKED = "not checked in this ledger"


@dataclass(frozen=True)
class Entry:
    """One statement. bound: None where its shape depends on a case and none was checked. claims: names of the claims
    that check it. true: False for a statement kept because it is wrong."""

    name: str
    topic: str
    statement: Callable[..., Bound]
    bound: Bound | None
    claims: tuple[str, ...]
    true: bool


def topic_of(statement: Callable[..., Bound]) -> str:
    """The module of `theory` without what follows an underscore: theory.rademacher_depth is rademacher."""
    name = statement.__module__.rpartition(".")[2].partition("_")[0]
    return JOINED.get(name, name)


def entries(
    statements: Mapping[str, Callable[..., Bound]], claims: Mapping[str, Claim], ledger: Ledger
) -> dict[str, list[Entry]]:
    """{topic: its statements}: the registered ones, then those that only a claim knows, under its name."""
    outcomes = {one.claim: one for one in ledger.outcomes}
    checked_by: dict[int, list[str]] = {}
    for name, claim in claims.items():
        checked_by.setdefault(id(claim.statement), []).append(name)
    named = {id(statement): name for name, statement in statements.items()}
    every = {id(statement): (name, statement) for name, statement in statements.items()}
    for name, claim in claims.items():
        if id(claim.statement) not in named:
            every.setdefault(id(claim.statement), (name, claim.statement))
    found: dict[str, list[Entry]] = {}
    for key, (name, statement) in every.items():
        known = tuple(checked_by.get(key, ()))
        bound = _bound(statement, known, claims, outcomes)
        true = all(claims[one].true for one in known)
        topic = topic_of(statement)
        found.setdefault(topic, []).append(Entry(name, topic, statement, bound, known, true))
    return found


def _bound(
    statement: Callable[..., Bound], known: tuple[str, ...], claims: Mapping[str, Claim], outcomes: dict[str, Outcome]
) -> Bound | None:
    try:
        inspect.signature(statement).bind()
    except TypeError:
        checked = [one for one in known if one in outcomes]
        try:
            return symbolic(outcomes[checked[0]], claims[checked[0]]) if checked else None
        except Exception:
            # A ledger read from a file may hold a case that the present measurement refuses in any way of its own; the
            # page then shows the statement without a formula, which is all that this function is asked for.
            return None
    return statement()


def bounds_section(topics: Mapping[str, Sequence[Entry]], outcomes: Mapping[str, Outcome]) -> Markup:
    """Every statement with its assumptions and source, by topic."""
    count = sum(map(len, topics.values()))
    groups = []
    for topic, several in topics.items():
        title = tag("h3", f"{topic} ({len(several)})", id=f"topic-{topic}-title")
        articles = [inner("\n", _article(one, outcomes)) for one in several]
        groups.append(
            tag(
                "section", title, articles, id=f"topic-{topic}", aria_labelledby=f"topic-{topic}-title", data_group=True
            )
        )
    proofs = {one.bound.proof.value for several in topics.values() for one in several if one.bound and one.true}
    controls = (
        choice("bound-filter", "topic", "topic", topics),
        choice("bound-filter", "proof", "proof", [*sorted(proofs), "wrong"]),
        choice("bound-filter", "checked", "numbers", ["checked", "not checked"]),
    )
    return section(
        "bounds",
        "Bounds, with assumptions and sources",
        tag(
            "p",
            f"{count} statements. derived here: the proof is below the formula; cited: it is in the source, which "
            "was looked up; recalled: the source was not looked up. log is the natural logarithm.",
        ),
        filters("bound-filter", "bounds", "Filter the bounds", "#bounds article", *controls),
        groups,
    )


def _article(entry: Entry, outcomes: Mapping[str, Outcome]) -> Markup:
    """One statement, with an anchor bound-NAME and links to the rows of its claims."""
    bound = entry.bound
    kind = "kept because it is wrong" if not entry.true else bound.proof.value if bound else "shape depends on the case"
    parts = [tag("h4", entry.name, " ", tag("small", f"({kind})"), id=f"bound-title-{entry.name}")]
    if bound is not None:
        parts.append(tag("p", mathml(bound.latex, block=True), class_="formula"))
        if bound.assumptions != sp.true:
            parts.append(tag("p", "if ", mathml(notation.latex(bound.assumptions)), class_="condition"))
    parts += told(inspect.getdoc(entry.statement) or "")
    facts: list[tuple[str, Markup]] = []
    if bound is not None:
        mark = "" if bound.proof is Proof.DERIVED else f" ({bound.proof.value})"
        facts.append(("source", inner(f"{bound.reference}{mark}")))
        if symbols := [_symbol(one) for one in bound.symbols]:
            facts.append(("symbols", tag("ul", symbols, class_="symbols")))
    facts.append(("checked by", _checks(entry, outcomes)))
    if bound is not None:
        facts.append(("LaTeX", tag("code", bound.latex, class_="latex")))
    parts.append(definitions(facts))
    return tag(
        "article",
        parts,
        id=f"bound-{entry.name}",
        aria_labelledby=f"bound-title-{entry.name}",
        data_topic=entry.topic,
        data_proof=bound.proof.value if bound and entry.true else "wrong" if not entry.true else None,
        data_checked="checked" if any(one in outcomes for one in entry.claims) else "not checked",
    )


def _symbol(symbol: sp.Symbol) -> Markup:
    letter = notation.LETTERS.get(symbol, notation.latex(symbol))
    known = [word for word in ("positive", "nonnegative", "negative", "nonpositive") if symbol.assumptions0.get(word)]
    kind = "integer" if symbol.is_integer else "real" if not known and symbol.is_real else ""
    domain = " ".join(one for one in (*known[:1], kind) if one)  # positive says nonnegative too
    return tag("li", mathml(letter), " ", tag("code", symbol.name), f" {domain}" if domain else None)


def _checks(entry: Entry, outcomes: Mapping[str, Outcome]) -> Markup:
    if not entry.claims:
        return inner("no claim: it has a proof or a source, and no number here")
    return tag("ul", [tag("li", _check(name, outcomes.get(name))) for name in entry.claims])


def _check(name: str, outcome: Outcome | None) -> Markup:
    if outcome is None:
        return inner(f"{name}: {NOT_CHECKED}")
    link = tag("a", name, href=f"#claim-{name}")
    worst = outcome.worst
    if worst is None:
        return inner(link, f": {verdict_text(outcome)}")
    numbers = ", ".join(f"{word} = {_short(value)}" for word, value in check_entry(worst)["parameters"].items())
    where = "; ".join(one for one in (worst.encoding, numbers) if one)
    told = (
        f": {verdict_text(outcome)} on {len(outcome.checks)} cases; on the hardest, quantity in {interval(worst)} "
        f"({worst.method}, confidence {worst.confidence:.10g}), bound {bound_text(worst)}"
    )
    return inner(link, told, f"; {where}." if where else ".")


def _short(value: object) -> str:
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_short, value))}]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def told(docstring: str) -> list[Markup]:
    """A docstring as paragraphs; one with indented lines keeps its line ends, words in backticks are code."""
    found = []
    for part in docstring.strip().split("\n\n"):
        lines = part.splitlines()
        kept = any(line.startswith(" ") for line in lines)
        text = part if kept else " ".join(line.strip() for line in lines)
        pieces = re.split(r"`+([^`]+)`+", text)
        shown = [tag("code", piece) if index % 2 else inner(piece) for index, piece in enumerate(pieces)]
        found.append(tag("pre" if kept else "p", shown, class_="statement"))
    return found
