"""The evidence file and what is read from it: round trip, damage, findings on made-up ensembles that go both ways."""

import json

import pytest

from estimators.claims.sources import CORRECTED, OPEN, SOURCES, if_trained, judge_source
from estimators.command_line import run
from estimators.trained_evidence import PLACE, Evidence, as_csv, load, rows_of, trained_evidence
from estimators.trained_findings import CONTROL, LOOK_UPS, ORTHOGONAL, Finding, findings, packaged_findings


def row(task, encoding, length, values, steps=(), *, measure="score", horizon=None, where="all", train=32):
    return Evidence(task, measure, encoding, length, where, train, 600, horizon, tuple(values), tuple(steps))


def ends(task, encoding, start, end, steps=(), **options):
    return [row(task, encoding, 32, start, steps, **options), row(task, encoding, 256, end, steps, **options)]


def found(rows, name):
    return next((one for one in findings(rows) if one.name == name), None)


def test_round_trip(tmp_path):
    rows = [
        row("shift-1", "alibi:slope=1", 32, (1 / 3, 1.0), (50, None), horizon=12.0),
        row("text", "none", 256, (4.25,), measure="sliding", train=64),
    ]
    place = tmp_path / "e.csv"
    place.write_text(as_csv(rows))
    assert load(place) == tuple(rows)
    assert load(tmp_path / "absent.csv") == ()


@pytest.mark.parametrize("change", [("0.5", "nan"), ("0.5", "x"), (",32,", ",many,"), ("50", "50;50;50")])
def test_a_damaged_file_names_its_line(tmp_path, change):
    place = tmp_path / "e.csv"
    text = as_csv([row("shift-1", "none", 32, (0.5,), (50,))])
    place.write_text(text.replace(*change))
    with pytest.raises(ValueError, match="line 2 is damaged"):
        load(place)


def test_documents_of_the_command_are_collected(tmp_path, capsys):
    result = {"task": "shift-1", "encoding": "none", "length": 32, "position_range": "all", "values": [0.5, 0.75]}
    result |= {"predicted_horizon": None, "steps_to_threshold": [50, None]}
    document = {"command": "extrapolation", "parameters": {"train_length": 32, "steps": 600}, "results": [result]}
    source, place = tmp_path / "x.json", tmp_path / "e.csv"
    source.write_text(json.dumps(document))
    assert run(trained_evidence, ["--json", str(source), "--output", str(place)]) == 0
    assert load(place) == (row("shift-1", "none", 32, (0.5, 0.75), (50, None)),)
    assert "1 rows of 1 runs" in capsys.readouterr().out
    source.write_text("{")
    assert run(trained_evidence, ["--json", str(source), "--output", str(place)]) == 2
    source.write_text("{}")
    assert run(trained_evidence, ["--json", str(source), "--output", str(place)]) == 2
    assert "no document of python -m estimators.extrapolation" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("end", "verdict"), [((0.99, 0.99, 1.0), "holds"), ((0.5, 0.51, 0.5), "violated"), ((0.97, 0.93, 1.0), "undecided")]
)
def test_local_tasks_kept_or_not(end, verdict):
    rows = ends("shift-1", "alibi", (1.0, 1.0, 1.0), end)
    assert found(rows, "trained-local-kept").verdict == verdict
    # Tasks that were not learned in range say nothing.
    assert found(ends("shift-1", "alibi", (0.5, 0.5, 0.5), end), "trained-local-kept") is None


def test_one_undecided_comparison_leaves_a_finding_undecided():
    kept = ends("shift-1", "alibi", (1.0,) * 6, (1.0,) * 6)
    open_ = ends("shift-1", "alibi:slope=1", (1.0,) * 6, (0.97, 0.91, 1.0, 0.97, 0.91, 1.0))
    assert found(kept, "trained-local-kept").verdict == "holds"
    assert found([*kept, *open_], "trained-local-kept").verdict == "undecided"


def test_a_global_task_against_its_ceiling():
    low, high = (0.15, 0.16, 0.15), (0.9, 0.9, 0.91)
    for end, verdict in ((low, "holds"), (high, "violated")):
        rows = ends("reversal", "alibi:slope=1", (0.3, 0.3, 0.3), end, horizon=20.0)
        assert found(rows, "trained-global-ceiling").verdict == verdict
    wide = ends("reversal", "alibi:slope=1", (0.3, 0.3, 0.3), high, horizon=400.0)
    assert found(wide, "trained-global-ceiling") is None


def look_ups(orthogonal, control, sinusoidal):
    rows = []
    for task in LOOK_UPS:
        every = [*((code, orthogonal) for code in ORTHOGONAL), (CONTROL, control), ("sinusoidal", sinusoidal)]
        for code, steps in every:
            rows += ends(task, code, (1.0,) * 5, (0.2,) * 5, steps)
    return rows


FAST, SLOW = (75, 75, 100, 75, 75), (None, 575, None, 575, None)


def test_speed_of_learning_and_its_explanation():
    rows = look_ups(FAST, FAST, SLOW)
    assert found(rows, "trained-orthogonal-faster").verdict == "holds"
    assert found(rows, "trained-no-family").verdict == "holds"
    assert found(look_ups(SLOW, SLOW, FAST), "trained-orthogonal-faster").verdict == "violated"
    assert found(look_ups(FAST, SLOW, SLOW), "trained-no-family").verdict == "violated"
    assert found(look_ups(FAST, FAST, FAST), "trained-orthogonal-faster").verdict == "undecided"


def test_gain_beyond_the_training_length():
    def rows(score):
        made = []
        for task in ("majority", "shift-1"):
            made += ends(task, "sinusoidal", (1.0,) * 4, (0.4, 0.41, 0.4, 0.4))
            for code in ("legendre", *ORTHOGONAL):
                made += ends(task, code, (1.0,) * 4, (score,) * 4)
        return made

    assert found(rows(0.9), "trained-orthogonal-beyond").verdict == "holds"
    assert found(rows(0.2), "trained-orthogonal-beyond").verdict == "violated"


def test_text_in_both_modes():
    def rows(alibi):
        made = []
        for mode in ("sliding", "non-overlapping"):
            made += ends("text", "sinusoidal", (4.0,) * 3, (4.5, 4.51, 4.5), measure=mode)
            made += ends("text", "alibi", (4.0,) * 3, alibi[mode], measure=mode)
        return made

    good, bad = (3.9, 3.91, 3.9), (4.9, 4.9, 4.91)
    assert found(rows({"sliding": good, "non-overlapping": good}), "trained-text-alibi").verdict == "holds"
    assert found(rows({"sliding": good, "non-overlapping": bad}), "trained-text-alibi").verdict == "violated"


def test_no_evidence_no_findings():
    assert findings([]) == []


def test_findings_never_stand_in_for_checks():
    needs = if_trained(CORRECTED, ("trained-x", "holds"))
    assert needs({"a": "holds", "trained-x": "holds"}) == CORRECTED
    assert needs({"a": "violated", "trained-x": "holds"}) == OPEN
    assert needs({"a": "holds", "trained-x": "undecided"}) == OPEN
    assert needs({"a": "holds"}) == OPEN


def test_sources_without_evidence_stay_undecided_and_say_so():
    source = next(one for one in SOURCES if one.id == "K4a")
    standings = dict.fromkeys(source.checks, "holds")
    assert judge_source(source, standings, trained=[]).verdict == OPEN
    needed = [
        Finding("trained-orthogonal-faster", "a", "holds", "b"),
        Finding("trained-no-family", "a", "holds", "b"),
        Finding("trained-orthogonal-beyond", "a", "violated", "c 1.5"),
    ]
    judged = judge_source(source, standings, trained=needed)
    assert judged.verdict == CORRECTED
    assert "c 1.5" in judged.because
    assert len(judged.evidence) == 3


def test_the_package_carries_evidence_for_every_source_that_names_it():
    assert PLACE.exists(), "run python -m estimators.extrapolation and python -m estimators.trained_evidence"
    names = {one.name for one in packaged_findings()}
    for source in SOURCES:
        assert set(source.evidence) <= names, source.id
    assert all(len(one.because) > 20 for one in packaged_findings())


def test_rows_of_refuses_other_documents():
    with pytest.raises(ValueError, match="no document"):
        rows_of({"command": "information", "results": [1]})
