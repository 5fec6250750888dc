"""Tables, Markdown, LaTeX and JSON of the ledger: rounding that cannot flatter, escaping, and the document's fields."""

import dataclasses
import json
import math
import re
from fractions import Fraction

import matplotlib.mathtext
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from toy_claims import with_faults

from estimators.check_text import bound_text, interval, slack_text
from estimators.claim import Claim, Measurement
from estimators.claims.sources import OPEN, SUPPORTED, Source, if_all_stand, judge_sources
from estimators.estimate import exact
from estimators.ledger import check_all, check_claim
from estimators.ledger_document import _number, as_document, symbolic
from estimators.ledger_latex import escape_latex, latex
from estimators.ledger_report import escape_markdown, markdown, show, tell
from estimators.ledger_rows import findings, rounded, row, twin_row
from estimators.results import write_json
from theory.rademacher_encodings import bound_order

CLAIMS = with_faults()
STANDINGS = {"toy-quarter": "holds", "toy-wrong": "refuted"}
SOURCE = Source("K1", "50 % of {a_b} & c", tuple(STANDINGS), if_all_stand(SUPPORTED), {SUPPORTED: "since x^2 ~ #1"})
SOURCES = judge_sources([SOURCE], STANDINGS)


@pytest.fixture(scope="module")
def ledger():
    return check_all(CLAIMS)


@given(st.floats(-1e300, 1e300, allow_nan=False), st.integers(2, 6))
def test_rounding_is_outward_and_near(value, digits):
    low, high = (float(rounded(value, up, digits)) for up in (False, True))
    slack = 1e-9 * abs(value)
    assert low <= value + slack
    assert high >= value - slack
    assert high - low <= 2.1 * abs(value) * 10.0 ** (1 - digits) or abs(value) < 1e-300


def test_rounding_of_particular_numbers():
    assert rounded(0.123456, True) == "0.12346"
    assert rounded(0.123456, False) == "0.12345"
    assert rounded(-0.123456, False) == "-0.12346"
    assert rounded(1 + 1e-12, True) == rounded(1 - 1e-12, False) == "1"
    assert rounded(1 + 1e-8, True) == "1.0001"
    assert [rounded(value, True) for value in (0.0, math.inf, -math.inf, 1.0)] == ["0", "∞", "-∞", "1"]


def test_cells(ledger):
    found = {one.claim: dict(zip(HEADINGS, row(one), strict=True)) for one in ledger.outcomes}
    assert found["toy-tight"]["slack"] == "1"
    assert found["toy-tight"]["form"] == "tight"
    assert found["toy-quarter"]["encodings"] == "code0, code1, code2 and 1 more"
    assert found["toy-shaped"]["encodings"] == "-"
    assert found["toy-searched"]["interval"].endswith(", ∞)")
    assert found["toy-searched"]["slack"].startswith("≤ ")
    assert found["toy-wrong"]["verdict"] == "refuted"
    assert found["toy-wrong"]["proof"] == "-"
    assert found["toy-recalled"]["verdict"] == "violated (recalled, not proved)"
    assert found["toy-broken"]["verdict"] == "violated"
    assert found["toy-failing"]["verdict"] == "error: RuntimeError: no convergence"
    assert found["toy-slack"]["verdict"] == "holds (equality not attained)"
    nothing = check_claim("x", dataclasses.replace(CLAIMS["toy-tight"], cases=lambda rng, thorough: []))
    assert row(nothing)[3:6] == ("-", "-", "-")
    assert twin_row(nothing)[2:5] == ("-", "-", "-")


def test_encodings_are_shown_by_name():
    outcome = check_claim("toy-quarter", CLAIMS["toy-quarter"])
    long = dataclasses.replace(outcome.checks[0], encoding="alibi:slope=1/2,heads=8 against none:dim=4")
    other = dataclasses.replace(long, encoding="alibi:slope=1/4 against none")
    shown = row(dataclasses.replace(outcome, checks=(long, other)))
    assert shown[2] == "alibi against none"


def test_sides_of_rounding():
    check = check_claim("toy-quarter", CLAIMS["toy-quarter"]).checks[0]
    upper = dataclasses.replace(check, bound=0.123456, lower=0.1, upper=0.100001)
    assert bound_text(upper) == "≤ 0.12346"
    assert bound_text(dataclasses.replace(upper, relation=">=")) == "≥ 0.12345"
    assert interval(upper) == "[0.1, 0.10001]"
    assert slack_text(dataclasses.replace(upper, slack=1.23456)) == "1.2345"
    assert slack_text(dataclasses.replace(upper, relation="=", slack=1.5)) == "off by 5.0e-01"


def test_terminal(ledger, capsys):
    show(ledger, SOURCES)
    tell(ledger)
    captured = capsys.readouterr()
    for part in (*CLAIMS, "How to read it", "K1", "since x^2", "10 claims on 39 cases", "1 error", "1 refuted"):
        assert part in captured.out, part
    lines = captured.err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["error", "violated", "not refuted"]
    assert "toy-broken" in lines[1]
    twins = check_all(CLAIMS, twins=True)
    show(twins, [], twins=True)
    tell(dataclasses.replace(twins, missing=("a", "b")), twins=True)
    captured = capsys.readouterr()
    assert "wrong itself" in captured.out
    assert "not violated: toy-survivor" in captured.err
    assert "interrupted: 2 claims were not checked, from a on" in captured.err


def test_markdown(ledger):
    text = markdown(ledger, SOURCES, seed=3)
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(CLAIMS) + 2 + 1
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {10, 6}
    assert "Seed 3" in text
    assert "x^2 ~ #1" in text
    assert escape_markdown("a|b\n*c* `d` <e>") == r"a\|b \*c\* \`d\` \<e\>"


def test_latex_escapes_and_balances(ledger):
    text = latex(ledger, CLAIMS, SOURCES)
    assert r"50 \% of \{a\_b\} \& c" in text
    assert r"since x\textasciicircum{}2 \textasciitilde{} \#1" in text
    assert r"a\_b \& 100\% \{wrong\}" in text
    assert escape_latex("\\ ~ ≤ ∞ <|$") == r"\textbackslash{} \textasciitilde{} $\le$ $\infty$ $<$$|$\$"
    bare = re.sub(r"\\[{}%&#$_\\]", "", text)
    assert bare.count("{") == bare.count("}")
    for name in ("longtable", "equation"):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}") > 0
    for line in text.split(r"\endhead")[1].split(r"\hline")[0].strip().splitlines():
        assert len(re.findall(r"(?<!\\)&", line)) == 8
        assert line.endswith(r" \\")
    assert not re.search(r"[^\x00-\x7f]", text)
    assert r"\label{eq:toy-tight}" in text
    assert r"\quad\text{if }" in text


def test_equations_render(ledger):
    text = latex(ledger, CLAIMS, [])
    equations = re.findall(r"\\label\{eq:[^}]*\}\n  (.*)\n", text)
    assert len(equations) == len(CLAIMS)
    parser = matplotlib.mathtext.MathTextParser("agg")
    for equation in equations:
        parser.parse(f"${equation.split(chr(92) + 'quad')[0]}$")


def test_statement_whose_shape_depends_on_the_case():
    outcome = check_claim("toy-shaped", CLAIMS["toy-shaped"])
    assert str(symbolic(outcome, CLAIMS["toy-shaped"]).expression) == "3*logit_distance"
    assert symbolic(dataclasses.replace(outcome, checks=()), CLAIMS["toy-shaped"]) is None


def test_document(ledger, tmp_path):
    write_json(tmp_path / "x.json", as_document(ledger, CLAIMS, SOURCES, {"seed": 5}))
    found = json.loads((tmp_path / "x.json").read_text())
    first = found["checks"][0]
    words = "claim encoding parameters bound lower upper relation slack proof verdict confidence method case"
    assert set(words.split()) <= set(first)
    assert first["parameters"]["logit_oscillation"] > 0
    assert len(found["checks"]) == sum(len(one.checks) for one in ledger.outcomes)
    assert found["sources"] == [
        {
            "id": "K1",
            "statement": SOURCE.statement,
            "verdict": SUPPORTED,
            "checks": list(SOURCE.checks),
            "because": SOURCE.because[SUPPORTED],
            "evidence": [],
        }
    ]
    claims = {one["claim"]: one for one in found["claims"]}
    assert claims["toy-tight"]["attained"]
    assert r"\tanh" in claims["toy-tight"]["latex"]
    assert claims["toy-failing"]["error"]
    assert found["seed"] == 5
    assert {"seconds", "versions", "interrupted", "missing"} <= set(found)


def test_exact_parameters_in_json():
    given_ = (1, 2.5, sp.Integer(3), Fraction(1, 2), Fraction(1, 3), sp.sqrt(2), (sp.Rational(1, 7), 1.0))
    assert [_number(value) for value in given_] == [1, 2.5, 3, 0.5, "1/3", "sqrt(2)", ["1/7", 1.0]]


HEADINGS = ("claim", "form", "encodings", "bound", "interval", "slack", "verdict", "proof", "cases")


def test_source_that_is_open():
    (one,) = judge_sources([SOURCE], {"toy-quarter": "holds"})
    assert one.verdict == OPEN
    assert "toy-wrong" in one.because


def test_a_reversed_order_is_told():
    def pair(*, gap):
        words = {"first_bound": 0.9, "second_bound": 1.0}
        return Measurement(exact(gap, 1e-12), words, "alibi:slope=0.5 against none")

    claims = {
        "order": Claim(bound_order, pair, lambda rng, thorough: [{"gap": 0.25}, {"gap": -0.5}], true=False),
        "kept": Claim(bound_order, pair, lambda rng, thorough: [{"gap": -0.5}], true=False),
    }
    (found,) = findings(check_all(claims))
    assert found.startswith("order: the bound is 0.9 for alibi and 1 for none")
    assert "larger by at least 0.25" in found
    assert "on 1 of 2 samples" in found
