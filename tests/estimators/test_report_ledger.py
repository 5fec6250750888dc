"""The ledger that a report reads back is the one that was written, and anything else is refused in one line."""

import json
import math

import pytest
from toy_claims import honest, with_faults

from estimators import __main__ as ledger_command
from estimators.claims.sources import SUPPORTED, Source, if_all_stand
from estimators.command_line import run
from estimators.ledger import check_all
from estimators.ledger_document import as_document
from estimators.output_files import write_json
from estimators.report_ledger import checked, read_ledger
from estimators.results import versions

SOURCES = (Source("K1", "both", ("toy-tight", "toy-wrong"), if_all_stand(SUPPORTED), {SUPPORTED: "because."}),)
CLAIMS = honest() | with_faults()


@pytest.fixture(scope="module")
def fresh():
    return check_all(CLAIMS)


@pytest.fixture
def path(fresh, tmp_path):
    write_json(tmp_path / "ledger.json", as_document(fresh, CLAIMS, [], {"seed": 0}))
    return tmp_path / "ledger.json"


def changed(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_what_was_written_is_read(fresh, path):
    found = read_ledger(path, CLAIMS, SOURCES)
    assert found.ledger == type(fresh)(fresh.outcomes, fresh.missing, fresh.seconds)
    assert [one.checks for one in found.ledger.outcomes] == [one.checks for one in fresh.outcomes]
    assert math.isinf(next(one for one in found.ledger.outcomes if one.claim == "toy-searched").worst.upper)
    assert found.sources == checked(fresh, SOURCES, {"seed": 0}, {}).sources
    assert found.made_with == versions()
    assert found.changed == ()


def test_only_the_sources_that_rest_on_chosen_claims(path):
    changed(path, lambda document: document["parameters"].update(claim=["toy-quarter"]))
    assert read_ledger(path, CLAIMS, SOURCES).sources == ()


def test_a_changed_statement_is_told(path):
    now = CLAIMS | {"toy-quarter": CLAIMS["toy-wrong"]}
    assert read_ledger(path, now, SOURCES).changed == ("toy-quarter",)
    gone = {name: claim for name, claim in CLAIMS.items() if name != "toy-tight"}
    assert read_ledger(path, gone, SOURCES).changed == ("toy-tight",)


def set_first(table, word, value):
    def change(document):
        document[table][0][word] = value

    return change


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (set_first("claims", "verdict", "violated"), "was edited, its numbers on toy-quarter"),
        (set_first("claims", "standing", "refuted"), "was edited, its numbers on toy-quarter"),
        (set_first("checks", "verdict", "violated"), "was edited, its numbers on toy-quarter"),
        (lambda document: document["checks"].pop(0), "was edited, its numbers on toy-quarter"),
        (set_first("checks", "verdict", "probably"), "is no ledger of this version"),
        (set_first("checks", "relation", "<"), "is no ledger of this version"),
        (set_first("checks", "lower", "little"), "is no ledger of this version"),
        (set_first("checks", "encoding", 3), "is no ledger of this version"),
        (set_first("checks", "claim", "toy-unknown"), "is no ledger of this version"),
        (lambda document: document["checks"][0].pop("method"), "is no ledger of this version (KeyError: 'method')"),
        (lambda document: document["claims"][0].pop("latex"), "is no ledger of this version (KeyError: 'latex')"),
        (lambda document: document.update(checks=[3]), "is no ledger of this version"),
        (lambda document: document.update(missing=None), "is no ledger of this version"),
        (lambda document: document["versions"].update(jax=3), "is no ledger of this version"),
        (lambda document: document.pop("claims"), "is no ledger"),
        (set_first("checks", "bound", math.nan), "is damaged or cut off (NaN is no number)"),
        (lambda document: document["parameters"].update(twins=True), "holds falsified twins"),
    ],
)
def test_other_files_are_refused(path, change, advice):
    changed(path, change)
    with pytest.raises(ValueError, match="writes one") as caught:
        read_ledger(path, CLAIMS, SOURCES)
    assert advice in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"", "damaged"),
        (b"[]", "no ledger"),
        (b"\xff\xfe\x00", "no text"),
        (b"[" * 200_000, "nested"),
        (b"null", "no led"),
    ],
)
def test_what_is_no_json_is_refused(tmp_path, content, advice):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(ValueError, match=advice):
        read_ledger(tmp_path / "x.json", CLAIMS, SOURCES)


def test_a_file_cut_off_anywhere_is_refused(path):
    whole = path.read_bytes()
    for share in range(1, 20):
        path.write_bytes(whole[: len(whole) * share // 20])
        with pytest.raises(ValueError, match="damaged or cut off"):
            read_ledger(path, CLAIMS, SOURCES)


def test_the_command_that_it_names_writes_one(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger_command, "CLAIMS", honest())
    monkeypatch.setattr(ledger_command, "SOURCES", ())
    assert run(ledger_command.estimators, ["--json", str(tmp_path / "ledger.json")]) == 0
    assert len(read_ledger(tmp_path / "ledger.json", honest(), ()).ledger.outcomes) == len(honest())
