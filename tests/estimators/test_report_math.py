"""LaTeX of the theory as MathML: nothing is lost, against a count of letters and constructions that reads the LaTeX."""

import re
import unicodedata
from collections import Counter
from xml.etree import ElementTree

import pytest
import sympy as sp

from estimators.report_math import mathml
from theory import notation
from theory.statements import STATEMENTS

SMALL = (
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu"
    "|xi|pi|rho|sigma|tau|upsilon|phi|chi|psi|omega"
)
LARGE = "Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Upsilon|Phi|Psi|Omega"
GREEK = re.compile(rf"\\(?:(?:var)?(?:{SMALL})|{LARGE})(?![a-zA-Z])")
NAMES = "log|ln|exp|sin|cos|tan|sinh|cosh|tanh|max|min|sup|inf|det|dim|lim|ker|deg|gcd|arg|Pr|bmod"
COMMANDS = re.compile(rf"\\(?!(?:{NAMES})(?![a-zA-Z]))[a-zA-Z]+")


def in_latex(tex):
    """Letters, digits and constructions by a reading of the LaTeX that shares nothing with the converter."""
    found = Counter({"frac": tex.count(r"\frac"), "root": tex.count(r"\sqrt"), "sum": tex.count(r"\sum")})
    found["greek"] = len(GREEK.findall(tex))
    found["bar"] = len(re.findall(r"(?<!\\)\|", tex))
    found["leq"] = len(re.findall(r"\\leq?(?![a-z])", tex))
    tex = tex.replace(r"\ell", " l")
    words = COMMANDS.sub(" ", tex)
    found.update(letter for letter in words.replace("\\bmod", "mod") if letter.isascii() and letter.isalnum())
    return +found


def in_mathml(text):
    root = ElementTree.fromstring(text)
    found = Counter(element.tag for element in root.iter())
    found = Counter({"frac": found["mfrac"], "root": found["msqrt"] + found["mroot"]})
    for token in unicodedata.normalize("NFKC", "".join(root.itertext())):
        name = unicodedata.name(token, "")
        if token.isascii() and token.isalnum():
            found[token] += 1
        for key, start in (("greek", "GREEK"), ("bar", "VERTICAL LINE"), ("sum", "N-ARY SUM"), ("leq", "LESS-THAN OR")):
            found[key] += name.startswith(start)
    return +found


FORMULAS = {name: statement() for name, statement in STATEMENTS.items()}


def test_nothing_of_any_statement_is_lost():
    for name, bound in FORMULAS.items():
        texts = [bound.latex] + ([] if bound.assumptions == sp.true else [notation.latex(bound.assumptions)])
        texts += [notation.LETTERS[symbol] for symbol in bound.symbols if symbol in notation.LETTERS]
        for tex in texts:
            made = mathml(tex, block=True)
            assert "\\" not in made, name
            assert in_mathml(made) == in_latex(tex), f"{name}: {tex}"


def test_every_letter_of_the_notation_has_a_form():
    for letter in notation.LETTERS.values():
        assert in_mathml(mathml(letter)) == in_latex(letter), letter


def test_a_lost_letter_is_seen():
    tex = r"\frac{B_u}{n}"
    assert in_mathml(mathml(tex)) == in_latex(tex)
    assert in_mathml(mathml(r"\frac{B}{n}")) != in_latex(tex)
    assert in_mathml(mathml(r"B_u n")) != in_latex(tex)


def test_spaces_and_slant_of_tex():
    assert mathml("2 n").count("mspace") == 0
    assert mathml(r"n \log n").count("<mspace") == 2
    assert mathml(r"\log{\left(n \right)}").count("<mspace") == 0
    assert '<mi mathvariant="normal">Γ</mi>' in mathml(r"\Gamma")
    assert "<mi>γ</mi>" in mathml(r"\gamma")
    assert mathml("a |b| c").count('lspace="0" rspace="0"') == 2
    assert 'lspace="0"' not in mathml(r"a \mid b")
    assert mathml("x", block=True).startswith('<math display="block">')


@pytest.mark.parametrize("wrong", [r"\nosuchcommand", r"\frac{1}{", r"\left( x"])
def test_what_has_no_form_is_one_line(wrong):
    with pytest.raises(ValueError, match="no MathML for") as caught:
        mathml(wrong)
    assert "\n" not in str(caught.value)
