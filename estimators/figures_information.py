"""Data of the figures of positional information: along the layers of a network, and of codes against noise."""

import itertools
from typing import Any

from estimators.figures_plan import SEED, Kept, Rows
from estimators.gaussian_codes import encoding_code, sampled_information
from estimators.information_run import Task, each_confidence, measured, random_members
from estimators.information_sites import Inputs
from estimators.network_member import Model
from theory.information_codes import gaussian_code_bound

CONFIDENCE = 0.95
LAYERED = ("none", "sinusoidal", "rotary", "alibi", "t5", "legendre")
LENGTH, PAPER_LENGTH = 6, 8  # all 2^length contents are listed: posteriors are exact
LAYERS, DIM, HEADS, SYMBOLS = 3, 32, 4, 2
NOISE = (0.3,)
CODES = ("sinusoidal", "legendre", "haar", "cosine", "gaussian", "random-orthogonal", "information-optimal")
LEVELS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.45, 0.7, 1.0, 1.5)
POSITIONS, CODE_DIM, GROUPS = 32, 16, 1000
PAPER_POSITIONS, PAPER_CODE_DIM, PAPER_GROUPS = 64, 32, 4000


def by_layer(quick: bool, kept: Kept) -> Rows:
    """I(P; H + sigma Z) in nats after every layer of a random causal network on random bits, sigma relative to the
    root-mean-square: encoding, layer, site, noise, lower, upper, confidence, positions. All hold together."""
    length = LENGTH if quick else PAPER_LENGTH
    parts = [kept(_by_layer, encoding=name, length=length, layers=LAYERS, seed=SEED) for name in LAYERED]
    return list(itertools.chain(*parts))


def _by_layer(*, encoding: str, length: int, layers: int, seed: int) -> Rows:
    model = Model(symbols=SYMBOLS, outputs=1, dim=DIM, layers=layers, heads=HEADS, mlp_width=DIM)
    inputs = Inputs("symbols", length, SYMBOLS, seed)
    confidence = each_confidence(CONFIDENCE, len(LAYERED))
    task = Task(inputs, ("residual",), NOISE, 4096, confidence, (), seed)
    rows: Rows = []
    for one in itertools.chain(*measured(random_members([encoding], model, length, seed), task)):
        found = one.found.information
        shared: dict[str, Any] = {"encoding": encoding, "layer": one.layer, "site": one.site, "noise": one.found.noise}
        shared |= {"lower": found.lower, "upper": found.upper, "confidence": found.confidence}
        rows.append(shared | {"positions": length})
    return rows


def against_noise(quick: bool, kept: Kept) -> Rows:
    """I(P; p_P + sigma Z) in nats of additive codes of mean square 1, and what no code of that power passes: encoding
    (empty for the bound), noise, lower, upper (at most the bound), confidence, positions, dim."""
    sizes = (POSITIONS, CODE_DIM, GROUPS) if quick else (PAPER_POSITIONS, PAPER_CODE_DIM, PAPER_GROUPS)
    positions, dim, groups = sizes
    parts = [
        kept(_against_noise, encoding=name, positions=positions, dim=dim, groups=groups, seed=SEED) for name in CODES
    ]
    return [*itertools.chain(*parts), *kept(_optimum, positions=positions, dim=dim)]


def _against_noise(*, encoding: str, positions: int, dim: int, groups: int, seed: int) -> Rows:
    table = encoding_code(encoding, dim, positions, 1.0)
    each = each_confidence(CONFIDENCE, len(CODES) * len(LEVELS))
    rows: Rows = []
    for noise in LEVELS:
        found = sampled_information(table, noise, groups=groups, seed=seed, confidence=each)
        upper = max(found.lower, min(found.upper, _most(positions, dim, noise)))
        ends = {"lower": found.lower, "upper": upper, "confidence": found.confidence}
        rows.append({"encoding": encoding, "noise": noise} | ends | {"positions": positions, "dim": dim})
    return rows


def _optimum(*, positions: int, dim: int) -> Rows:
    rows: Rows = []
    for noise in LEVELS:
        ends = {"lower": 0.0, "upper": _most(positions, dim, noise), "confidence": 1.0}
        rows.append({"encoding": None, "noise": noise} | ends | {"positions": positions, "dim": dim})
    return rows


def _most(positions: int, dim: int, noise: float) -> float:
    """Of every code of mean square 1, whose centred power is 1 at most, in which the bound increases."""
    point: Any = {"position_count": positions, "dim": dim, "code_power": 1, "noise_scale": noise}
    return gaussian_code_bound().certified(**point)[1]
