"""HTML by nested calls: text and attribute values are escaped unless they are markup that these calls made."""

import html
from collections.abc import Iterable
from typing import TypeAlias

_VOID = ("br", "col", "hr", "img", "input", "link", "meta")


class Markup(str):
    """HTML that is put into a page as it is."""

    __slots__ = ()


Child: TypeAlias = "str | Iterable[str] | None"  # None puts nothing


def inner(*children: Child) -> Markup:
    """The children one after another, escaped where they are text."""
    found: list[str] = []
    for child in children:
        if isinstance(child, str):
            found.append(child if isinstance(child, Markup) else html.escape(child, quote=False))
        elif child is not None:
            found.append(inner(*child))
    return Markup("".join(found))


def tag(name: str, /, *children: Child, **attributes: str | bool | None) -> Markup:
    """One element. Attributes: `class_` is class and `data_topic` data-topic; True writes the bare name, None and False
    nothing."""
    words = [name]
    for key, value in attributes.items():
        shown = key.rstrip("_").replace("_", "-")
        if value is True:
            words.append(shown)
        elif value is not None and value is not False:
            words.append(f'{shown}="{html.escape(value)}"')
    opening = f"<{' '.join(words)}>"
    return Markup(opening if name in _VOID else f"{opening}{inner(*children)}</{name}>")


def table(
    caption: str,
    headings: Iterable[str],
    rows: Iterable[Markup],
    *,
    right: Iterable[str] = (),
    class_: str | None = None,
) -> Markup:
    """A table in a region that the keyboard can scroll. `rows`: `tr` elements; `right`: headings of numbers."""
    numbers = tuple(right)
    heads = [tag("th", one, scope="col", class_="number" if one in numbers else None) for one in headings]
    body = tag("table", tag("caption", caption), tag("thead", tag("tr", heads)), tag("tbody", rows), class_=class_)
    return tag("div", body, class_="scroll", role="region", aria_label=caption, tabindex="0")


def definitions(pairs: Iterable[tuple[str, Child]]) -> Markup:
    """A list of terms, each with its description."""
    return tag("dl", [tag("div", tag("dt", term), tag("dd", told)) for term, told in pairs])
