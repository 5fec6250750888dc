"""Claims of theory sections 1.1 to 1.4 and of the lemma kappa*: softmax weights and the means they form."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from estimators import box_tilted as measured_box
from estimators import softmax_cumulants as cumulants
from estimators import softmax_objectives as objectives
from estimators import softmax_weights as weights
from estimators.adversary import Objective, Points, highest
from estimators.claim import Case, Claim
from estimators.features import bias_row
from theory import box_tilted, misuses, normaliser, rademacher_depth, softmax
from theory.bound import Bound
from theory.encodings import ENCODINGS, parse
from theory.encodings.base import AbstractBiasEncoding

TRAINED = 16
BIASES = tuple(name for name in ENCODINGS if isinstance(parse(name, dim=4, train_length=TRAINED), AbstractBiasEncoding))
SKEWED = math.log((3 - math.sqrt(3)) / (3 + math.sqrt(3)))  # log odds of the weight (1 - 1/sqrt3)/2
KAPPA_WEIGHT, KAPPA_GAP = 0.192433451, 2.118017354
ORDERS = (1, 1.5, 2, 3, 10, "inf")


def _count(thorough: bool) -> int:
    return 40 if thorough else 4


def _found(objective: Objective, numbers: int, rng: np.random.Generator, thorough: bool) -> Points:
    """What climbs from random starts end at, one row."""
    starts = rng.standard_normal((30 if thorough else 6, numbers))
    return highest(objective, starts, rng)[None]


def _case(words: tuple[str, ...], rows: list[np.ndarray], **fixed: object) -> Case:
    return {word: row[0].tolist() for word, row in zip(words, rows, strict=True)} | fixed


def _biases(rng: np.random.Generator, thorough: bool) -> Iterator[tuple[str, np.ndarray]]:
    """The bias of every encoding that has one, seen from the last of T positions, and random ones."""
    for length in (5, 16) if thorough else (5,):
        for name in BIASES:
            yield name, np.asarray(bias_row(parse(name, dim=4, train_length=TRAINED), length), dtype=np.float64)
    for _ in range(_count(thorough)):
        yield "", 2 * rng.standard_normal(int(rng.integers(1, 7)))


def tilts(side: int, rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Logits in [-B, B]: random, found by a search, and the extremal ones; side 1 for large weights, -1 for small."""
    for name, bias in _biases(rng, thorough):
        radius = float(rng.choice([0.0, 0.3, 1.0, 3.0]))
        objective = partial(objectives.tilted, bias=bias, radius=side * radius)
        best = np.clip(_found(objective, bias.size, rng, False)[0], -radius, radius) if name == BIASES[0] else None
        extreme = np.where(np.arange(bias.size) == 0, radius, -radius) * side
        for logits in (rng.uniform(-radius, radius, bias.size), best, extreme):
            if logits is not None:
                yield {"bias": bias.tolist(), "logits": logits.tolist(), "position": 0, "encoding": name}


def tilts_without_bias(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    for length in (1, 2, 7, 40):
        for radius in (0.2, 2.0):
            worst = np.where(np.arange(length) == 0, radius, -radius)
            for logits in (worst, *rng.uniform(-radius, radius, size=(_count(thorough) // 4, length))):
                yield {"bias": [0.0] * length, "logits": logits.tolist()}


def lengths(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """T_eff of every bias, of the flattest one found by a search, and of none."""
    for name, bias in _biases(rng, thorough):
        yield {"bias": bias.tolist(), "logit_bound": float(rng.choice([0.1, 1.0, 3.0])), "encoding": name}
    for radius in (0.1, 1.0):
        flat = _found(partial(objectives.spread_length, radius=radius), 4, rng, thorough)
        yield {"bias": flat[0].tolist(), "logit_bound": radius}
    for length, radius in ((1, 1.0), (9, 0.0), (9, 0.5), (200, 2.0), (3, 5.0)):
        yield {"bias": [0.0] * length, "logit_bound": radius, "encoding": "none"}


def moves(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Two logit vectors: random, at the end of a search for the largest change, and +-osc/4 at two positions."""
    for _ in range(_count(thorough)):
        size, scale = int(rng.integers(2, 8)), rng.choice([1e-3, 0.3, 3.0])
        logits = 3 * rng.standard_normal(size)
        yield {"logits": logits.tolist(), "other": (logits + scale * rng.standard_normal(size)).tolist()}
    for oscillation in (1e-4, 0.3, 4.0):
        found = _found(partial(objectives.variation, oscillation=oscillation), 8, rng, thorough)
        logits, other = (row[0] for row in objectives.moved(found, oscillation))
        middle = (logits.max() + logits.min()) / 2
        yield {"logits": (logits - middle).tolist(), "other": (other - middle).tolist()}
        logits, other = balanced(logits, other)
        yield {"logits": logits.tolist(), "other": other.tolist()}
    for step in (1e-5, 0.4, 5.0):
        yield {"logits": [step / 4, -step / 4], "other": [-step / 4, step / 4]}


def balanced(logits: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same weights with the smallest |s - s'|_inf: softmax does not see a constant."""
    change = logits - other
    return logits - (change.max() + change.min()) / 2, other


def pairs_of_every_order(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    for order in ORDERS:
        for size in (2, 3, 6):
            for case in moves(rng, False) if thorough else [{}]:
                logits, other = rng.standard_normal((2, size))
                yield {"logits": logits.tolist(), "other": other.tolist()} | case | {"order": order}


def boxes(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random readings, one indicator and one with ties, under every bias; radii of every size."""
    for name, bias in _biases(rng, thorough):
        radii = rng.uniform(0, rng.choice([0.0, 0.5, 4.0]), bias.size)
        for values in (rng.standard_normal(bias.size), np.round(rng.standard_normal(bias.size))):
            yield {"values": values.tolist(), "bias": bias.tolist(), "radii": radii.tolist(), "encoding": name}


def readings(
    objective: Objective,
    words: tuple[str, ...],
    extreme: Case,
    fixed: Case,
    rng: np.random.Generator,
    thorough: bool,
) -> Iterator[Case]:
    """Random weights and readings, the ends of a search, and the known extremal case."""
    for _ in range(_count(thorough)):
        size = int(rng.integers(2, 7))
        yield {word: (2 * rng.standard_normal(size)).tolist() for word in words} | fixed
    for size in (2, 5):
        found = _found(objective, len(words) * size, rng, thorough)
        yield _case(words, objectives.parts(found, len(words)), **fixed)
    yield extreme | fixed


def _two_atoms(log_odds: float) -> Case:
    return {"logits": [0.0, log_odds], "values": [0.0, 3.0], "keys": [0.0, 2.0]}


def centred(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Laws pi and tilts t: random, huge, where a search for the largest TV/Z ends, and the extremal two points."""
    for _ in range(_count(thorough)):
        size = int(rng.integers(2, 7))
        logits = rng.choice([0.01, 1.0, 30.0]) * rng.standard_normal(size)
        yield {"bias": rng.standard_normal(size).tolist(), "logits": logits.tolist()}
    yield _case(("bias", "logits"), objectives.parts(_found(objectives.normalised_variation, 8, rng, thorough), 2))
    odds = math.log(KAPPA_WEIGHT / (1 - KAPPA_WEIGHT))
    for gap in (KAPPA_GAP, 1e-3, 1.2):
        yield {"bias": [odds, 0.0], "logits": [gap, 0.0]}
    yield {"bias": [0.0, 0.0], "logits": [1e-3, -1e-3]}


def grown(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Tilts for Z: random, at the end of a search with max |t| fixed, and +-x with equal weights."""
    yield from (case for case in centred(rng, thorough) if max(map(abs, case["logits"])) < 20)
    for largest in (0.1, 2.0):
        found = _found(partial(objectives.normaliser, largest=largest), 8, rng, thorough)
        yield _case(("bias", "logits"), list(objectives.centred_logits(found, largest)))
        yield {"bias": [0.0, 0.0], "logits": [largest, -largest]}


TILT, MOVE, LAW = ("bias", "logits"), ("logits", "other"), ("bias", "logits")
CUMULANT, GRADIENT = ("logits", "values", "keys"), ("logits", "values")
MIXED = (*CUMULANT, "others")
FOUR_POINTS: Case = {
    "logits": [0.0] * 4,
    "values": [0.5, 0.5, -0.5, -0.5],
    "keys": [0.5, -0.5, 0.5, -0.5],
    "others": [0.5, -0.5, -0.5, 0.5],
}


def _cumulant(statement: Callable[..., Bound], order: int, log_odds: float) -> Claim:
    objective = partial(objectives.cumulant_share, order=order)
    cases = partial(readings, objective, CUMULANT, _two_atoms(log_odds), {"order": order})
    return Claim(statement, cumulants.cumulant, cases, CUMULANT, tight=True)


CLAIMS: dict[str, Claim] = {
    "softmax-largest-weight": Claim(softmax.largest_weight, weights.tilted_weight, partial(tilts, 1), TILT, tight=True),
    "softmax-smallest-weight": Claim(
        softmax.smallest_weight, weights.tilted_weight, partial(tilts, -1), TILT, tight=True
    ),
    "softmax-largest-weight-without-bias": Claim(
        softmax.largest_weight_without_bias,
        partial(weights.tilted_weight, words=("length", "logit_bound")),
        tilts_without_bias,
        ("logits",),
        tight=True,
    ),
    "softmax-effective-length": Claim(
        softmax.effective_length, weights.effective_length, lengths, ("bias", "logit_bound"), tight=True
    ),
    "softmax-effective-length-ceiling": Claim(
        softmax.effective_length_ceiling, weights.effective_length, lengths, ("bias", "logit_bound")
    ),
    "softmax-total-variation": Claim(softmax.total_variation, weights.total_variation, moves, MOVE, tight=True),
    "softmax-weight-change": Claim(softmax.weight_change, weights.weight_change, moves, MOVE, tight=True),
    "softmax-lipschitz": Claim(
        softmax.lipschitz_constant, weights.lipschitz_constant, pairs_of_every_order, MOVE, tight=True
    ),
    "softmax-covariance": _cumulant(softmax.covariance, 1, 0.0),
    "softmax-third-cumulant": _cumulant(softmax.third_cumulant, 2, SKEWED),
    "softmax-fourth-cumulant": _cumulant(softmax.fourth_cumulant, 3, 0.0),
    "softmax-weight-gradient": Claim(
        softmax.weight_gradient,
        cumulants.weight_gradient,
        partial(readings, objectives.gradient_share, GRADIENT, {"logits": [0.0, 0.0], "values": [0.0, 3.0]}, {}),
        GRADIENT,
        tight=True,
    ),
    "softmax-mixed-third-cumulant": Claim(
        rademacher_depth.mixed_third_cumulant,
        cumulants.mixed_cumulant,
        partial(readings, objectives.mixed_share, MIXED, FOUR_POINTS, {}),
        MIXED,
        tight=True,
    ),
    "softmax-equal-direction-constant": Claim(
        misuses.equal_direction_constant,
        cumulants.mixed_cumulant,
        partial(readings, objectives.mixed_share, MIXED, FOUR_POINTS, {}),
        MIXED,
        true=False,
    ),
    "softmax-box-tilted-support": Claim(
        box_tilted.box_tilted_support, measured_box.largest_mean, boxes, ("values", "bias", "radii"), tight=True
    ),
    "softmax-normalised-variation": Claim(
        normaliser.variation, cumulants.normalised_variation, centred, LAW, tight=True
    ),
    "softmax-normalised-variation-small-logits": Claim(
        normaliser.variation_small_logits,
        partial(cumulants.normalised_variation, words=("logit_oscillation",)),
        centred,
        LAW,
    ),
    "softmax-normaliser-growth": Claim(
        normaliser.growth, partial(cumulants.normaliser, words=("exponent",)), grown, LAW, tight=True
    ),
    "softmax-normaliser-growth-by-range": Claim(
        normaliser.growth_by_range, partial(cumulants.normaliser, words=("logit_oscillation",)), grown, LAW
    ),
}
