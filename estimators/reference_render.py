"""pdoc, told that docstrings of this project are prose and not Markdown. Imports pdoc, which only this needs."""

import types
from collections.abc import Mapping
from contextlib import contextmanager

import pdoc.doc
import pdoc.render

from estimators.reference_pages import docstring_html

Modules = Mapping[str, pdoc.doc.Module]


class _Html(str):
    """pdoc asks what it has rendered for a table of contents."""

    toc_html = ""


@contextmanager
def _prose():
    """The two filters through which pdoc passes every docstring, exchanged for the time of one page."""
    filters = pdoc.render.env.filters
    kept = {name: filters[name] for name in ("to_markdown", "to_html")}
    filters |= {"to_markdown": lambda text: text, "to_html": lambda text: _Html(docstring_html(text))}
    try:
        yield
    finally:
        filters |= kept


def module(made: types.ModuleType) -> pdoc.doc.Module:
    """What pdoc renders as one page."""
    return pdoc.doc.Module(made)


def page(made: pdoc.doc.Module, modules: Modules) -> str:
    """One page, with links to the others."""
    with _prose():
        return pdoc.render.html_module(made, modules)


def index(modules: Modules) -> str:
    """The page from which all others are reached."""
    with _prose():
        return pdoc.render.html_index(modules)


def search(modules: Modules) -> str:
    """The index that the search box of every page reads."""
    with _prose():
        return pdoc.render.search_index(modules)
