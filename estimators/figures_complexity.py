"""Data of the figures of Rademacher complexity: certified brackets, symbolic bounds, exponents, and their order."""

import itertools
from typing import Any, cast

from estimators.bracket import bracket, evaluate
from estimators.class_brackets import HeadClass
from estimators.estimate import Estimate
from estimators.figures_plan import SEED, Kept, Rows
from estimators.hypotheses import Constraints, Effort
from estimators.hypotheses_query import Query
from estimators.rademacher_blocks import choose_sample, choose_signs, head_block
from estimators.rates_cases import LENGTH, OF_QUERY, SAMPLES, VARIABLES, Settings
from estimators.rates_fit import fitted_slope
from estimators.rates_heads import HeadCase, sphere
from estimators.signs import draw_signs
from theory import rademacher_baselines
from theory.encodings import ENCODINGS, parse
from theory.encodings.base import AbstractAdditiveEncoding

CONFIDENCE = 0.99
QUICK_DRAWS, PAPER_DRAWS = 400, 4000
RATE_DRAWS, PAPER_RATE_DRAWS = 100, 1000
# Bounds of the literature, each as our reading of the paper it is named after.
LITERATURE = {
    "after-Edelman": rademacher_baselines.zhang_head,
    "after-Trauger-Tewari": rademacher_baselines.maurey_head,
    "after-Truong": rademacher_baselines.low_rank_head,
}
OF_BLOCK: dict[str, Any] = {"heads": 8, "head": 0, "power": 1.0, "keys_only": False, "train": None}
RATE_VARIABLES = ("sample_size", "length", "encoding_scale")
LOGIT_NORMS = (0.25, 0.5, 1.0, 2.0, 4.0)
# Slopes of ALiBi under which the order of U3 and that of the truth can be compared, and classes without a slope.
ORDERED = ("none", *(f"alibi:slope={slope}" for slope in ("4", "2", "1", "1/2", "1/4", "1/16")), "rotary", "sinusoidal")


def brackets(quick: bool, kept: Kept) -> Rows:
    """One attention head under every encoding on windows of text, all other things equal: encoding, kind (interval or
    bound), name, relation, lower, upper, confidence. The bounds `after-...` and `covering` are of the literature."""
    draws = QUICK_DRAWS if quick else PAPER_DRAWS
    parts = [kept(_text_head, encoding=name, draws=draws, samples=64, length=16, seed=SEED) for name in ENCODINGS]
    return list(itertools.chain(*parts))


def order(quick: bool, kept: Kept) -> Rows:
    """U3 against the certified bracket, on unit-sphere tokens; columns as `brackets`."""
    draws = QUICK_DRAWS if quick else PAPER_DRAWS
    parts = [kept(_sphere_head, encoding=name, draws=draws, samples=64, length=16, seed=SEED) for name in ORDERED]
    return list(itertools.chain(*parts))


def _text_head(*, encoding: str, draws: int, samples: int, length: int, seed: int) -> Rows:
    return _head(encoding, choose_sample(None, None, None, 0.0, None, samples, length, 2, seed), draws, seed)


def _sphere_head(*, encoding: str, draws: int, samples: int, length: int, seed: int) -> Rows:
    return _head(encoding, choose_sample(None, None, "sphere", 0.0, None, samples, length, 2, seed), draws, seed)


def _head(encoding: str, sample: Any, draws: int, seed: int) -> Rows:
    signs = choose_signs("query", draws, len(sample.tokens), seed, None)
    block = head_block("query", [encoding], sample, signs, Constraints(), **OF_BLOCK)
    (asked,) = block.asked
    found = bracket(
        asked.hypotheses, block.signs, enumerated=block.enumerated, confidence=CONFIDENCE, effort=Effort(seed=seed)
    )
    one = found.estimate
    rows: Rows = [_row(encoding, "interval", found.certificate, "contains", one.lower, one.upper, one.confidence)]

    def relation_of(name: str) -> Any:
        return asked.hypotheses.bounds[name]("l2").relation

    for name, judged in found.bounds.items():
        rows.append(_row(encoding, "bound", name, relation_of(name), judged.value, judged.value, 1.0))
    known = HeadClass(cast(Query, asked.hypotheses)).statistics
    words = {word: value if isinstance(value, tuple) else (value, value) for word, value in known.items()}
    for name, statement in LITERATURE.items():
        value = evaluate(statement(), words)
        rows.append(_row(encoding, "bound", name, statement().relation, value, value, 1.0))
    return rows


def _row(encoding: str, kind: str, name: str, relation: Any, lower: float, upper: float, confidence: float) -> dict:
    said = str(getattr(relation, "value", relation))
    ends = {"lower": lower, "upper": upper, "confidence": confidence}
    return {"encoding": encoding, "kind": kind, "name": name, "relation": said} | ends


def exponents(quick: bool, kept: Kept) -> Rows:
    """One head against n, T, B_w and the scale c of an additive code: variable, series, encoding, note, kind (point,
    bound or slope), name, x, lower, upper, confidence. A slope encloses the least-squares slope over the range."""
    draws = RATE_DRAWS if quick else PAPER_RATE_DRAWS
    names = [f"{variable}/{number}" for variable in RATE_VARIABLES for number in range(2)]
    rows: Rows = []
    for name in names:
        variable, number = name.split("/")
        points = len(next(itertools.islice(_series(variable, draws), int(number), None)).x)
        parts = [kept(_point, series=name, index=index, draws=draws) for index in range(points)]
        rows += _with_slope(list(itertools.chain(*parts)))
    for encoding in ("none", "rotary", "alibi", "sinusoidal"):
        parts = [kept(_logit_norm, encoding=encoding, logit_norm=x, draws=draws, seed=SEED) for x in LOGIT_NORMS]
        rows += _with_slope(list(itertools.chain(*parts)))
    return rows


def _series(variable: str, draws: int) -> Any:
    return VARIABLES[variable](Settings("none", "sinusoidal", draws, SEED))


def _each(points: int) -> float:
    """Confidence of a point such that all of a series hold together."""
    return 1 - (1 - CONFIDENCE) / points


def _point(*, series: str, index: int, draws: int) -> Rows:
    variable, number = series.split("/")
    one = next(itertools.islice(_series(variable, draws), int(number), None))
    found = one.measure(one.x[index], _each(len(one.x)))
    kind, encoding = one.title.split(", ")
    return _measured(variable, kind, encoding, one.note, one.x[index], found)


def _logit_norm(*, encoding: str, logit_norm: float, draws: int, seed: int) -> Rows:
    made = parse(encoding, dim=2, train_length=LENGTH, heads=8)
    case = HeadCase("query", sphere(SAMPLES, LENGTH, 2, seed), made, SAMPLES, (LENGTH, 2), logit_norm=logit_norm)
    names = OF_QUERY if isinstance(made, AbstractAdditiveEncoding) or encoding == "none" else OF_QUERY[:2]
    found = case.measure(draw_signs(seed, draws, SAMPLES), _each(len(LOGIT_NORMS)), names)
    return _measured("logit_norm", "query", encoding, f"n = {SAMPLES}, T = {LENGTH}, d = 2", logit_norm, found)


def _measured(variable: str, series: str, encoding: str, note: str, x: float, found: Any) -> Rows:
    shared: dict[str, Any] = {"variable": variable, "series": series, "encoding": encoding, "note": note}
    one = found.estimate
    ends = {"lower": one.lower, "upper": one.upper, "confidence": one.confidence}
    rows: Rows = [shared | {"kind": "point", "name": one.method, "x": x} | ends]
    for name, value in found.values.items():
        ends = {"lower": value, "upper": value, "confidence": 1.0}
        rows.append(shared | {"kind": "bound", "name": name, "x": x} | ends)
    return rows


def _with_slope(rows: Rows) -> Rows:
    points = [row for row in rows if row["kind"] == "point"]
    # An end that was infinite is an empty cell; a slope needs a number.
    places = [cast(float, row["x"]) for row in points]
    found = fitted_slope(places, [_estimate(row) for row in points])
    ends = {"lower": found.lower, "upper": found.upper, "confidence": found.confidence}
    return [*rows, points[0] | {"kind": "slope", "name": found.method, "x": None} | ends]


def _estimate(row: dict) -> Any:
    upper = float("inf") if row["upper"] is None else row["upper"]
    return Estimate(row["lower"], upper, row["confidence"], row["name"])
