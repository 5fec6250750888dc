"""The series of `estimators.rates`: classes, values of their variable, and the bounds they are compared with.

Tokens are unit vectors. In n the samples are independent rotations of one sequence, so that bounds follow their power
of n exactly (`rotations`); elsewhere all tokens are independent.
"""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from estimators import rates_statements as growth
from estimators.bracket import bracket, evaluate
from estimators.certificates import attained_mean
from estimators.enumerated_classes import linear_class
from estimators.estimate import Estimate
from estimators.hypotheses import Constraints, Effort
from estimators.hypotheses_transformer import transformer_hypotheses
from estimators.rates_heads import HeadCase, Measured, Signs, rotations, sphere
from estimators.rates_statements import MAKERS, Statement
from estimators.signs import all_sign_classes, draw_signs
from estimators.transformer import Architecture
from theory.encodings import parse
from theory.encodings.base import AbstractAdditiveEncoding, AbstractBiasEncoding, AbstractEncoding

SAMPLES, LENGTH, DIM = 64, 16, 2  # the shape that heads share
COUNTS, LENGTHS, SLOPES = (8.0, 16.0, 32.0, 64.0), (2.0, 4.0, 8.0, 16.0), (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0, 2.0)
DIMS, EXACT_DIM, DIM_SAMPLES, DIM_LENGTH = (2.0, 4.0, 8.0), 4, 16, 4
DEPTHS, DEPTH_SAMPLES, DEPTH_DIM, VALUE_NORM = (1.0, 2.0, 4.0), 16, 4, 0.2
DEPTH_SHARE = 4  # of the draws: each costs a search over all matrices
DEPTH_EFFORT = Effort(restarts=1, iterations=10)
SCALES, BILINEAR_SAMPLES, BILINEAR_LENGTH, BILINEAR_NORM, BILINEAR_GAP = (4.0, 8.0, 16.0, 32.0, 64.0), 6, 4, 0.25, 0.05
LINEAR_SAMPLES, LINEAR_DIM = 12, 16
OF_QUERY = ("khintchine", "U2-width", "U3-contraction", "U5-taylor")


@dataclass(frozen=True)
class Settings:
    """encoding: of all series but those in c (`scaled`) and in m. draws: sign vectors where they are not enumerated."""

    encoding: str
    scaled: str
    draws: int
    seed: int


@dataclass(frozen=True)
class Series:
    """R_hat of one class at the values x of `variable`. measure(x, confidence): its bracket there."""

    variable: str
    title: str
    note: str
    x: tuple[float, ...]
    measure: Callable[[float, float], Measured]
    statements: list[Statement]


def _parsed(name: str, dim: int) -> AbstractEncoding:
    return parse(name, dim=dim, train_length=LENGTH, heads=8)


@functools.lru_cache(maxsize=4)
def _signs(seed: int, draws: int, samples: int) -> Signs:
    return draw_signs(seed, draws, samples)


def in_sample_size(settings: Settings) -> Iterator[Series]:
    """Frozen and query head against n."""
    encoding, tokens = _parsed(settings.encoding, DIM), rotations(SAMPLES, LENGTH, DIM, settings.seed)
    for kind, bounds in (("frozen", ("khintchine", "linear")), ("query", (*OF_QUERY, "covering"))):

        def measure(x: float, confidence: float, kind: str = kind, bounds: tuple[str, ...] = bounds) -> Measured:
            case = HeadCase(kind, tokens, encoding, int(x), (LENGTH, DIM))
            return case.measure(_signs(settings.seed, settings.draws, SAMPLES), confidence, bounds)

        note = f"rotations of one sequence, T = {LENGTH}, d = {DIM}"
        yield Series(
            "sample_size", f"{kind}, {settings.encoding}", note, COUNTS, measure, growth.in_sample_size(*bounds)
        )


def in_length(settings: Settings) -> Iterator[Series]:
    """Frozen and query head against T."""
    encoding, tokens = _parsed(settings.encoding, DIM), sphere(SAMPLES, LENGTH, DIM, settings.seed)
    statements = {"frozen": growth.in_length("linear"), "query": growth.in_length(*OF_QUERY[1:])}
    if settings.encoding == "none":
        statements["frozen"].append(growth.in_length_averaged("linear"))
    if not isinstance(encoding, AbstractBiasEncoding):
        statements["query"].append(growth.in_length_bounded("U3-contraction"))
    for kind, compared in statements.items():

        def measure(x: float, confidence: float, kind: str = kind, compared: list[Statement] = compared) -> Measured:
            case = HeadCase(kind, tokens[:, : int(x)], encoding, SAMPLES, (LENGTH, DIM))
            bounds = dict.fromkeys(one.bound for one in compared)
            return case.measure(_signs(settings.seed, settings.draws, SAMPLES), confidence, bounds)

        yield Series("length", f"{kind}, {settings.encoding}", f"n = {SAMPLES}, d = {DIM}", LENGTHS, measure, compared)


def in_dim(settings: Settings) -> Iterator[Series]:
    """Query head against d: exact up to 4, certificates above."""
    encodings = {dim: _parsed(settings.encoding, dim) for dim in map(int, DIMS)}

    def measure(x: float, confidence: float) -> Measured:
        dim, room = int(x), EXACT_DIM if x <= EXACT_DIM else int(DIMS[-1])
        tokens = sphere(DIM_SAMPLES, DIM_LENGTH, dim, settings.seed)
        case = HeadCase("query", tokens, encodings[dim], DIM_SAMPLES, (DIM_LENGTH, room))
        return case.measure(_signs(settings.seed, settings.draws, DIM_SAMPLES), confidence, OF_QUERY)

    note = f"n = {DIM_SAMPLES}, T = {DIM_LENGTH}; exact for d <= {EXACT_DIM}, certificates above"
    yield Series("dim", f"query, {settings.encoding}", note, DIMS, measure, growth.in_dimension(*OF_QUERY))


def in_depth(settings: Settings) -> Iterator[Series]:
    """Transformer against L: attained below, certificates above, which lie far apart for L > 2."""
    encoding = _parsed(settings.encoding, DEPTH_DIM)
    tokens = sphere(DEPTH_SAMPLES, DIM_LENGTH, DEPTH_DIM, settings.seed)

    def made(layers: int):
        architecture = Architecture(DEPTH_DIM, layers=layers, value_norm=VALUE_NORM, logit_norm=1.0)
        return transformer_hypotheses(encoding, tokens, Constraints(), architecture, first_head=0)

    covered = "U7-depth" in made(1).bounds

    def measure(x: float, confidence: float) -> Measured:
        hypotheses, signs = made(int(x)), _signs(settings.seed, max(2, settings.draws // DEPTH_SHARE), DEPTH_SAMPLES)
        found = bracket(hypotheses, signs, enumerated=False, confidence=confidence, effort=DEPTH_EFFORT)
        values = {"U1-trivial": float(hypotheses.largest_values.mean())}
        if covered:
            values["U7-depth"] = found.bounds["U7-depth"].value
        one = found.estimate
        estimate = Estimate(one.lower, one.upper, one.confidence, found.certificate)
        return Measured(estimate, attained_mean(found), values)

    note = f"n = {DEPTH_SAMPLES}, T = {DIM_LENGTH}, d = {DEPTH_DIM}, nu = {VALUE_NORM:g}; upper ends wide for L > 2"
    statements = [one for one in growth.in_depth() if covered or one.bound != "U7-depth"]
    yield Series("layers", f"transformer, {settings.encoding}", note, DEPTHS, measure, statements)


def in_encoding_scale(settings: Settings) -> Iterator[Series]:
    """A linear class, and a head with bilinear logits, against the scale c of an additive code of mean square 1."""
    encoding = _parsed(settings.scaled, DIM)
    if not isinstance(encoding, AbstractAdditiveEncoding):
        raise ValueError(f"{settings.scaled} has no scale: use an additive encoding such as sinusoidal")
    points = sphere(LINEAR_SAMPLES, 1, LINEAR_DIM, settings.seed)[:, 0]
    _parsed(settings.scaled, LINEAR_DIM)

    def linear(x: float, confidence: float) -> Measured:
        del confidence
        found, root = linear_class(tokens=points, encoding=settings.scaled, power=x**2), LINEAR_SAMPLES**0.5
        energy = tuple(LINEAR_SAMPLES * end for end in found.parameters["mean_power"])
        known = {"feature_energy": energy, "sample_size": (LINEAR_SAMPLES,) * 2, "parameter_norm": (1, 1)}
        one = found.estimate
        estimate = Estimate(one.lower / root * (1 - 1e-15), one.upper / root * (1 + 1e-15), 1.0, one.method)
        bounds = {name: evaluate(MAKERS[name](), known) for name in ("linear-upper", "linear-lower")}
        return Measured(estimate, (estimate.lower + estimate.upper) / 2, bounds)

    note = f"n = {LINEAR_SAMPLES}, d = {LINEAR_DIM}, all signs"
    compared = growth.in_scale("linear-upper", "linear-lower")
    yield Series("encoding_scale", f"linear, {settings.scaled}", note, SCALES, linear, compared)
    tokens, bounds = sphere(BILINEAR_SAMPLES, BILINEAR_LENGTH, DIM, settings.seed), ("U2-width", "after-Trauger-Tewari")

    def bilinear(x: float, confidence: float) -> Measured:
        shape = (BILINEAR_LENGTH, DIM)
        case = HeadCase("bilinear", tokens, encoding, BILINEAR_SAMPLES, shape, x**2, BILINEAR_NORM)
        signs = all_sign_classes(BILINEAR_SAMPLES)
        return case.measure(signs, confidence, (*bounds, "covering", "U1-trivial"), enumerated=True, gap=BILINEAR_GAP)

    note = f"n = {BILINEAR_SAMPLES}, T = {BILINEAR_LENGTH}, d = {DIM}, B_w = {BILINEAR_NORM:g}, all signs"
    compared = growth.in_scale(*bounds, "covering", "U1-trivial", bilinear=True)
    yield Series("encoding_scale", f"bilinear, {settings.scaled}", note, SCALES, bilinear, compared)


def in_alibi_slope(settings: Settings) -> Iterator[Series]:
    """Query head against the slope m of ALiBi."""
    tokens, bounds = sphere(SAMPLES, LENGTH, DIM, settings.seed), ("U2-width", "covering")

    def measure(x: float, confidence: float) -> Measured:
        case = HeadCase("query", tokens, _parsed(f"alibi:slope={x}", DIM), SAMPLES, (LENGTH, DIM))
        return case.measure(_signs(settings.seed, settings.draws, SAMPLES), confidence, bounds)

    note = f"n = {SAMPLES}, T = {LENGTH}, d = {DIM}"
    yield Series("alibi_slope", "query, alibi", note, SLOPES, measure, growth.in_alibi_slope(*bounds))


VARIABLES: dict[str, Callable[[Settings], Iterator[Series]]] = {
    "sample_size": in_sample_size,
    "length": in_length,
    "dim": in_dim,
    "layers": in_depth,
    "encoding_scale": in_encoding_scale,
    "alibi_slope": in_alibi_slope,
}
