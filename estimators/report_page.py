"""The page of a report: one HTML file that loads nothing."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources

from estimators.claim import Claim
from estimators.report_bounds import Entry, bounds_section
from estimators.report_figures import Figure
from estimators.report_gallery import figures_section
from estimators.report_html import Markup, inner, tag
from estimators.report_ledger import Checked
from estimators.report_sections import environment_section, ledger_section, sources_section

TITLE = "Positional encodings: bounds against numbers"
PARTS = {
    "sources": "Source paper",
    "ledger": "Ledger",
    "figures": "Figures",
    "bounds": "Bounds",
    "environment": "Environment",
}
LEAD = (
    "Statements of the theory of positional encodings in Transformers, each measured by code that does not know it, "
    "and what that says of the claims of arXiv 2506.06398v1. A number can refute a statement and never proves one."
)


def page(
    checked: Checked,
    claims: Mapping[str, Claim],
    topics: Mapping[str, Sequence[Entry]],
    figures: Sequence[Figure],
    folder: str,
    *,
    missing: Sequence[str],
    versions: Mapping[str, str],
    code: str,
    command: str,
    origin: str | None,
) -> str:
    """The whole document.

    folder, missing: where figures were looked for, and names of those that are not there. origin: file of the ledger,
    None if it was checked now. versions, code, command: of this page.
    """
    outcomes = {one.claim: one for one in checked.ledger.outcomes}
    entry_of = {claim: entry.name for several in topics.values() for entry in several for claim in entry.claims}
    body = [
        sources_section(checked.sources, outcomes),
        ledger_section(checked, claims, entry_of),
        figures_section(figures, folder, missing),
        bounds_section(topics, outcomes),
        environment_section(checked, versions, code, command, origin),
    ]
    style, script = _text("report.css"), _text("report.js")
    links = [tag("li", tag("a", title, href=f"#{name}")) for name, title in PARTS.items()]
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", TITLE),
        tag("style", Markup(style)),
    ]
    content = [
        tag("a", "Skip to the content", href="#content", class_="skip"),
        tag("header", tag("h1", TITLE), tag("p", LEAD)),
        tag("nav", tag("ul", links), aria_label="Sections"),
        tag("main", body, id="content", tabindex="-1"),
        tag("script", Markup(script)),
    ]
    document = tag("html", "\n", tag("head", head), "\n", tag("body", [inner(one, "\n") for one in content]), lang="en")
    return f"<!DOCTYPE html>\n{document}\n"


def _policy(style: str, script: str) -> str:
    """Nothing is loaded, and only this style and this script run."""

    def sha(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{sha(style)}'; script-src 'sha256-{sha(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _text(name: str) -> str:
    return resources.files("estimators").joinpath(name).read_text(encoding="utf-8")
