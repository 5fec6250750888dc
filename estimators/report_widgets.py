"""Parts that several sections of a report use: sections, verdicts, filters."""

import re
from collections.abc import Iterable

from estimators.report_html import Child, Markup, tag


def verdict(text: str) -> Markup:
    """A verdict whose colour repeats its words."""
    return tag("span", text, class_=f"verdict {re.split(r'[ :]', text)[0]}")


def section(name: str, title: str, *children: Child) -> Markup:
    return tag("section", tag("h2", title, id=f"{name}-title"), *children, id=name, aria_labelledby=f"{name}-title")


def choice(form: str, key: str, label: str, options: Iterable[str]) -> Markup:
    """A labelled list of values for one filter; its first entry is all."""
    found = [tag("option", "all", value=""), *(tag("option", one, value=one) for one in options)]
    name = f"{form}-{key}"
    return tag("div", tag("label", label, for_=name), tag("select", found, id=name, name=key))


def filters(form: str, noun: str, label: str, rows: str, *choices: Markup) -> Markup:
    """A form that the script shows and wires to the elements that `rows` selects; without the script all are shown."""
    text = tag("input", id=f"{form}-text", name="text", type="search", autocomplete="off", spellcheck="false")
    return tag(
        "form",
        choices,
        tag("div", tag("label", "text", for_=f"{form}-text"), text),
        tag("button", "Show all", type="reset"),
        tag("p", class_="count", role="status", aria_live="polite"),
        id=form,
        hidden=True,
        aria_label=label,
        role="search",
        data_rows=rows,
        data_noun=noun,
    )
