"""LaTeX of the theory as MathML, which browsers draw and screen readers read without a network."""

import re
from xml.etree import ElementTree

from latex2mathml.converter import convert

from estimators.report_html import Markup

_THIN = "0.167em"
_NAME = re.compile("[A-Za-z]{2,}")
_BARS = ("|", "‖", "∥")
_SPACED = ("mi", "mn", "msub", "msup", "msubsup", "msqrt", "mroot", "mfrac", "mover", "munderover", "munder")


def mathml(latex: str, *, block: bool = False) -> Markup:
    """One formula as a `math` element; ValueError for LaTeX that has no MathML here."""
    try:
        root = ElementTree.fromstring(convert(latex, display="block" if block else "inline"))
    except Exception as wrong:  # the converter raises classes of its own, IndexError and others
        raise ValueError(f"no MathML for {latex!r}: write it with the commands of theory.notation") from wrong
    if left := [text for text in root.itertext() if "\\" in text]:
        raise ValueError(f"no MathML for {left[0]!r} in {latex!r}: write it with the commands of theory.notation")
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        # Core MathML lays bars out as relations wherever they stand inside a row; `\mid` is another character.
        if element.tag == "mo" and element.text in _BARS and element.get("form") is None:
            element.set("lspace", "0")
            element.set("rspace", "0")
        if element.tag == "mo" and _NAME.fullmatch(element.text or ""):
            element.tag = "mi"  # an unknown operator gets the space of a relation
            element.attrib.clear()
        elif element.tag == "mi" and "Α" <= (element.text or "") <= "Ω":
            element.set("mathvariant", "normal")  # as TeX has it; a browser would slant it
    for element in list(root.iter()):
        _space_functions(element)
    return Markup(ElementTree.tostring(root, encoding="unicode", short_empty_elements=False))


def _space_functions(row: ElementTree.Element) -> None:
    """TeX's thin space around the name of a function, which MathML's identifiers have not."""
    if row.tag not in ("mrow", "math", "msqrt"):
        return
    found: list[ElementTree.Element] = []
    for element in list(row):
        side_by_side = found and found[-1].tag in _SPACED and element.tag in _SPACED
        if side_by_side and (_is_function(found[-1]) or _is_function(element)):
            found.append(ElementTree.Element("mspace", width=_THIN))
        found.append(element)
    row[:] = found


def _is_function(element: ElementTree.Element) -> bool:
    base = element
    while base.tag in ("msub", "msup", "msubsup", "munder") and len(base):
        base = base[0]
    return base.tag == "mi" and _NAME.fullmatch(base.text or "") is not None
