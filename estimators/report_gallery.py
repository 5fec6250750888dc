"""Figures as a report shows them: image, data to download, command and manifest."""

import base64
import gzip
from collections.abc import Sequence

from estimators.report_figures import RUN, Figure, first_rows
from estimators.report_html import Markup, definitions, inner, table, tag
from estimators.report_widgets import section

SHOWN_ROWS = 8
LARGEST_CSV = 150_000  # bytes; a larger one is compressed


def figures_section(figures: Sequence[Figure], folder: str, missing: Sequence[str] = ()) -> Markup:
    """Every figure with its data and command, and how to make those that are missing."""
    if not figures:
        how = tag("p", f"No figures were made yet in {folder}. ", tag("code", RUN), " makes them.", class_="note")
        return section("figures", "Figures", how)
    shown = [_figure(one, f"figure-{number}") for number, one in enumerate(figures, 1)]
    if missing:
        command = tag("code", " ".join([RUN, *missing]))
        shown.append(tag("p", f"Not made yet: {', '.join(missing)}. ", command, " makes them.", class_="note"))
    return section("figures", "Figures", shown)


def _figure(figure: Figure, anchor: str) -> Markup:
    title = tag("h3", figure.name, id=f"{anchor}-title")
    parts = [title]
    for one in figure.problems:
        parts.append(tag("p", tag("strong", "Warning: "), one, class_="warning"))
    if figure.outdated:
        again = tag("code", f"{RUN} {figure.name}")
        parts.append(tag("p", "The code of its data changed since it was made: ", again, " renews it.", class_="note"))
    about = figure.about or figure.name
    if figure.image is not None:
        image = tag("img", src=data_link(figure.image, figure.media), alt=f"{about}. The data follow.")
        parts.append(tag("figure", tag("div", image, class_="paper"), tag("figcaption", about)))
    else:
        parts.append(tag("p", about))
    parts.append(definitions(_facts(figure)))
    if figure.data is not None:
        names, rows, count = first_rows(figure.data, SHOWN_ROWS)
        if names:
            cells = [tag("tr", [tag("td", cell, class_="number") for cell in row]) for row in rows]
            caption = f"{figure.name}: {min(SHOWN_ROWS, count)} of {count} rows"
            parts.append(tag("details", tag("summary", "First rows of the data"), table(caption, names, cells)))
    return tag("article", parts, id=anchor, aria_labelledby=f"{anchor}-title")


def _facts(figure: Figure) -> list[tuple[str, Markup]]:
    facts: list[tuple[str, Markup]] = []
    if figure.command:
        facts.append(("command", tag("code", figure.command)))
    if figure.data is not None:
        facts.append(("data", _download(figure.name, figure.data)))
    left_out = ("figure", "about", "command", "columns", "versions")
    for word, value in figure.manifest.items():
        if word not in left_out:
            facts.append((word, inner(_plain(value))))
    versions = figure.manifest.get("versions")
    if isinstance(versions, dict):
        facts.append(("versions", inner(_plain(versions))))
    return facts


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{word}: {_plain(one)}" for word, one in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _download(name: str, data: bytes) -> Markup:
    file, media, content = f"{name}.csv", "text/csv", data
    if len(data) > LARGEST_CSV:
        # Without a time stamp, so that one CSV gives one page.
        file, media, content = f"{name}.csv.gz", "application/gzip", gzip.compress(data, 9, mtime=0)
    size = f"{max(1, round(len(content) / 1000))} kB"
    return tag("a", f"Download {file} ({size})", href=data_link(content, media), download=file)


def data_link(content: bytes, media: str) -> str:
    return f"data:{media};base64,{base64.b64encode(content).decode()}"
