"""Verdicts on the source's claims: every check named exists, every verdict has its sentence."""

import itertools

import pytest

from estimators.claims import CLAIMS
from estimators.claims.sources import (
    CORRECTED,
    OPEN,
    REFUTED,
    SOURCES,
    SUPPORTED,
    Source,
    check_sources,
    if_all_stand,
    judge_source,
    judge_sources,
    undecided,
)

VERDICTS = {SUPPORTED, REFUTED, CORRECTED, OPEN}
TOY = Source("K1", "text", ("a", "b"), if_all_stand(CORRECTED, REFUTED), {CORRECTED: "so.", REFUTED: "not so."})


@pytest.mark.parametrize(
    ("standings", "verdict", "because"),
    [
        ({"a": "holds", "b": "refuted"}, CORRECTED, "so."),
        ({"a": "violated", "b": "refuted"}, REFUTED, "not so."),
        ({"a": "undecided", "b": "violated"}, REFUTED, "not so."),
        ({"a": "holds", "b": "not refuted"}, OPEN, "b (not refuted)"),
        ({"a": "error", "b": "refuted"}, OPEN, "a (error)"),
        ({"a": "holds"}, OPEN, "Not checked in this run: b."),
    ],
)
def test_verdicts(standings, verdict, because):
    found = judge_source(TOY, standings)
    assert found.verdict == verdict
    assert because in found.because
    assert found.checks == ("a", "b")


def test_without_checks_or_whatever_they_say():
    later = Source("K5", "text", (), undecided, {OPEN: "needs training."})
    assert judge_source(later, {}).because == "needs training."
    partly = Source("D2", "text", ("a",), undecided, {OPEN: "needs training."})
    assert judge_source(partly, {"a": "holds"}).because == "needs training."
    assert judge_source(partly, {"a": "violated"}).because == "A check that it rests on does not stand: a (violated)."


def test_only_sources_that_rest_on_chosen_checks():
    other = Source("K2", "text", ("c",), undecided, {OPEN: "x"})
    assert [one.id for one in judge_sources([TOY, other], {"c": "holds"}, only=["c"])] == ["K2"]
    assert [one.id for one in judge_sources([TOY, other], {})] == ["K1", "K2"]


def test_unknown_checks_and_double_ids_are_errors():
    check_sources([TOY], ["a", "b"])
    with pytest.raises(ValueError, match="K1 rests on 'b', which is no claim"):
        check_sources([TOY], ["a"])
    with pytest.raises(ValueError, match="did you mean alpha-b"):
        check_sources([Source("K1", "", ("alpha-a",), undecided, {})], ["alpha-b"])
    with pytest.raises(ValueError, match="K1 is there twice"):
        check_sources([TOY, TOY], ["a", "b"])


def test_the_sources_are_complete_and_rest_on_claims_of_the_ledger():
    check_sources(SOURCES, CLAIMS)
    assert [one.id for one in SOURCES] == ["K1", "K2", "K3", "K4a", "K4b", "K5", "D1", "D2", "D3", "D4"]
    for source in SOURCES:
        assert len(set(source.checks)) == len(source.checks)
        assert set(source.because) <= VERDICTS
        assert all(text.endswith(".") and len(text) > 30 for text in source.because.values())
        for words in itertools.product(("holds", "refuted", "violated", "undecided", "error", "not refuted"), repeat=2):
            standings = dict(zip(source.checks, itertools.cycle(words), strict=False))
            found = judge_source(source, standings)
            assert found.verdict in VERDICTS
            assert found.because
    # nothing of the ledger trains a model or reads a text: without evidence from trained networks these stay open
    open_ = {
        one.id for one in SOURCES if judge_source(one, dict.fromkeys(one.checks, "holds"), trained=[]).verdict == OPEN
    }
    assert {"K4a", "K5", "D1", "D4"} <= open_
