"""Cases of the claims on length extrapolation: heads of every encoding, random and extreme logits, small tasks."""

import functools
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float64

from estimators.claim import Case
from estimators.features import read_out_query, template
from estimators.local_tasks import sequences
from estimators.tail_mass import DIM, ascended, bias_by_distance
from estimators.truncation import worst_values
from theory.encodings import ENCODINGS, parse
from theory.encodings.base import AbstractAdditiveEncoding, AbstractBiasEncoding
from theory.encodings.kerple import KerpleLog, KerplePower

Row = Float64[np.ndarray, " T"]
BIASES = tuple(n for n in ENCODINGS if isinstance(parse(n, dim=DIM, train_length=8), AbstractBiasEncoding))
ADDITIVE = tuple(n for n in ENCODINGS if isinstance(parse(n, dim=DIM, train_length=8), AbstractAdditiveEncoding))
ALIBI = ("alibi:slope=3", "alibi:slope=1/2", "alibi:slope=1/16", "alibi:slope=1/256")
SUMMABLE_LOG = ("kerple-log:r1=9/8,r2=1/2", "kerple-log:r1=2,r2=1", "kerple-log:r1=6,r2=2")
FLAT_LOG = ("kerple-log", "kerple-log:r1=1/2,r2=1/4")
FAINTEST = 500.0  # ln of near over far weights: beyond it masses are no floats
POWER = ("kerple-power", "kerple-power:r1=1,r2=1/2", "kerple-power:r1=1/8,r2=2")


@functools.lru_cache(maxsize=64)
def _content(name: str, length: int, seed: int) -> tuple[float, ...]:
    encoding = parse(name, dim=DIM, train_length=length)
    tokens = np.random.default_rng(seed).normal(size=(1, length, DIM))
    keys = np.asarray(template(encoding, tokens).keys)[0]
    query = np.asarray(read_out_query(encoding, tokens))[0]
    return tuple((keys @ query)[::-1].tolist())


def content_logits(name: str, length: int, rng: np.random.Generator) -> Row:
    """<k_j, q> of random tokens by distance: additive codes, relative vectors and rotations are in them."""
    return np.array(_content(name, length, int(rng.integers(4))))


def far_or_near(length: int, window: int, sign: float) -> Row:
    """sign from distance `window` on and -sign below: the logits at which the tail mass is extreme."""
    return np.where(np.arange(length) >= window, sign, -sign)


def split_logits(
    row: Row, name: str, window: int, bound: float, sign: float, rng: np.random.Generator
) -> Iterator[Row]:
    """Extreme, of random tokens, random, and found by ascent."""
    random = rng.uniform(-1, 1, size=row.size)
    yield far_or_near(row.size, window, sign)
    yield content_logits(name or "none", row.size, rng)
    yield random
    yield ascended(row, window, random, bound, sign=sign)


def splits(
    sign: float, names: Sequence[str], lengths: Sequence[int], rng: np.random.Generator, thorough: bool
) -> Iterator[Case]:
    """Heads of the encodings of these names, at several windows."""
    for name in names:
        heads = (0, 5) if name in BIASES else (0,)
        for head in heads:
            for length in (*lengths, 10 * max(lengths)) if thorough else lengths:
                row = bias_by_distance(name, length, head)
                windows: set[int] = {1, 4, length // 2} | ({length - 1, length} if thorough else set())
                for window in sorted(windows):
                    if window < length and row[window:].max() < row[:window].max() - FAINTEST:
                        continue
                    bound = float(rng.choice([0.0, 0.5, 1.0, 3.0]))
                    for s in split_logits(row, name, window, bound, sign, rng):
                        case = {"encoding": name, "head": head, "logits": s.tolist(), "logit_bound": bound}
                        yield case | {"window": window}


def power_splits(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """KERPLE-power heads at the windows from which on r_1 r_2 w^r_2 > 1 - r_2."""
    for case in splits(1.0, POWER, (24, 80), rng, thorough):
        code = parse(case["encoding"], dim=DIM, train_length=8)
        if not isinstance(code, KerpleLog | KerplePower):
            raise TypeError(f"{case['encoding']} has no r_1 and r_2: POWER must name KERPLE encodings only")
        rate, shape = (float(value) for value in code.parameters(case["head"]))
        if rate * shape * case["window"] ** shape > 1 - shape:
            yield case


def every_split(sign: float, rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Heads of every encoding, and biases of no encoding: spikes, rising with the distance."""
    yield from splits(sign, tuple(ENCODINGS), (24,), rng, thorough)
    for trial in range(40 if thorough else 4):
        row = rng.normal(size=16) * 3 + trial % 3 * np.arange(16) / 4
        for s in split_logits(row, "", 3, 1.0, sign, rng):
            yield {"bias": row.tolist(), "logits": s.tolist(), "logit_bound": 1.0, "window": 3}


def weights(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Every encoding; and one key above all others, which attains the bound."""
    for name in ENCODINGS:
        for length in (24, 160) if thorough else (24,):
            row = bias_by_distance(name, length, 5 if name in BIASES else 0)
            top = np.where(np.arange(length) == int(np.argmax(row)), 1.0, -1.0)
            for s in (top, content_logits(name, length, rng)):
                yield {"encoding": name, "head": 5 if name in BIASES else 0, "logits": s.tolist(), "logit_bound": 1.0}
    for length in (2, 9, 300):
        spike = np.where(np.arange(length) == length // 2, 1.0, -1.0)
        bias = (float(rng.uniform(0, 2)) * spike).tolist()
        yield {"bias": bias, "logits": spike.tolist(), "logit_bound": float(rng.uniform(0, 2))}


def flat_splits(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Every encoding in growing length; and a step of the bias at the window, which attains the bound."""
    yield from splits(-1.0, tuple(ENCODINGS), (24,), rng, thorough)
    yield from splits(-1.0, ("none", "t5"), (96,), rng, False)
    yield from splits(-1.0, ("none",), (1500,), rng, False)
    for length, window in ((12, 3), (400, 3)):
        near = far_or_near(length, window, -1.0)
        yield {"bias": (near / 2).tolist(), "logits": near.tolist(), "logit_bound": 1.5, "window": window}


def escapes(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Heads in which the unseen distances weigh at least as much as those of training, at 16 times the length."""
    train, length = 64, 1024
    for name in ENCODINGS:
        for head in (0, 5) if name in BIASES else (0,):
            weighed = np.exp(bias_by_distance(name, length, head))
            if weighed[train:].sum() >= weighed[:train].sum():
                case = {"encoding": name, "head": head, "train_length": train, "length": length, "tolerance": 0.01}
                yield case | {"logit_bound": float(rng.uniform(0, 1))}


def horizon_slopes(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """The slopes of eight heads at 1 %, and random ones."""
    for bound in (0.0, 1.0):
        for head in range(1, 9):
            yield {"slope": 2.0**-head, "logit_bound": bound, "tolerance": 0.01}
    for _ in range(40 if thorough else 4):
        slope, tolerance = float(np.exp(rng.uniform(-4, 1))), float(10 ** rng.uniform(-6, -0.1))
        yield {"slope": slope, "logit_bound": float(rng.uniform(0, 4)), "tolerance": tolerance}


def sums(names: Sequence[str], rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Sums from several windows on."""
    for name in names:
        for window in (1, 7, 100, *(rng.integers(1, 1000, size=10).tolist() if thorough else [])):
            yield {"encoding": name, "window": window}


def power_sums(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Given and random parameters."""
    for name in POWER:
        yield {"encoding": name}
    for _ in range(20 if thorough else 2):
        rate, shape = rng.integers(4, 64, size=2) / 32
        yield {"encoding": f"kerple-power:r1={rate},r2={shape}"}


def truncated(names: Sequence[str], lengths: Sequence[int], rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Heads of these encodings with random values, and with one value near and another far."""
    for name in names:
        for length in (*lengths, *([60] if thorough else [])):
            for window in (2, length // 2):
                bound = float(rng.choice([0.0, 1.0, 2.0]))
                extreme = far_or_near(length, window, 1.0)
                for s, v in (
                    (content_logits(name, length, rng), rng.normal(size=(length, 2))),
                    (extreme, np.array(worst_values(length, window, 2))),
                ):
                    case = {"encoding": name, "logits": s.tolist(), "values": v.tolist(), "logit_bound": bound}
                    yield case | {"window": window}


def growing_arguments(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Degrees 0 to 60 at x = 1, next to it, and far from it."""
    for degree in (0, 1, 2, 7, 31, 60):
        for point in (1.0, 1 + 2.0**-20, 65 / 63, 2.0, 50.0, *(1 + 10 ** rng.uniform(-4, 2, 10) if thorough else [])):
            yield {"degree": degree, "point": float(point)}


def legendre_sizes(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Dimensions 2 to 64 (thorough: 256)."""
    for dim in (2, 3, 8, 32, 64, *([128, 256] if thorough else [])):
        for train_length in (2, 64, 512):
            yield {"dim": dim, "train_length": train_length}


def legendre_ends(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Last training position of the normalised form."""
    for dim in (2, 8, 32, *([64] if thorough else [])):
        for train_length in (2, 64, 300):
            yield {"encoding": "legendre:form=normalised", "dim": dim, "train_length": train_length}


def unseen_legendre(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """First unseen positions, rule `extend`."""
    for dim in (2, 8, 32):
        for after in (0, 1, 8):
            yield {"encoding": "legendre:beyond=extend", "dim": dim, "train_length": 64, "position": 64 + after}


def repeated_codes(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Wavelets of compact support that go on, and every additive encoding whose rule is `clip`."""
    for dim, train_length in ((16, 16), (16, 12), (8, 16), *([(64, 64), (64, 50)] if thorough else [])):
        for name in ("haar:beyond=extend", "daubechies:beyond=extend", "daubechies:order=2,beyond=extend"):
            yield {"encoding": name, "dim": dim, "train_length": train_length, "length": 60}
        for name in ADDITIVE:
            if "clip" in parse(name, dim=dim, train_length=train_length).rules:
                yield {"encoding": f"{name}:beyond=clip", "dim": dim, "train_length": train_length, "length": 40}


def periods(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Training lengths from 1 to 100000, several bases."""
    for base in (10000, 100, 2):
        for dim in (2, 16, 32, *([128] if thorough else [])):
            for train_length in (1, 6, 7, 64, 512, *(rng.integers(1, 10**5, size=10).tolist() if thorough else [])):
                yield {"encoding": f"sinusoidal:base={base}", "dim": dim, "train_length": train_length}


def rotations(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Distances 1 to 10000."""
    for dim in (2, 8, 64):
        for distance in (1, 3, 40, 1000, *(rng.integers(1, 10**4, size=10).tolist() if thorough else [])):
            yield {"encoding": "rotary", "dim": dim, "distance": distance}


def head_table(
    content: Float64[np.ndarray, " V"], readings: Float64[np.ndarray, " V"], slope: float, count: int
) -> Float64[np.ndarray, " S"]:
    """Output of a causal ALiBi head at the last of `count` tokens, for every sequence of symbols: logit content[x],
    value readings[x]."""
    tokens = sequences(content.size, count)
    scores = np.exp(content[tokens] - slope * np.arange(count)[::-1])
    return (scores * readings[tokens]).sum(axis=1) / scores.sum(axis=1)


def transfers(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """ALiBi heads on a windowed mean, random tables, and a constant shift, which attains the bound."""
    for symbols, count, window in ((2, 6, 3), (3, 4, 2), (2, 3, 3), *([(2, 12, 5)] * 5 if thorough else [])):
        law = rng.uniform(0.2, 1.0, size=symbols).tolist()
        readings, size = rng.normal(size=symbols), symbols**window
        content, slope = rng.normal(size=symbols), float(rng.uniform(0.1, 1.5))
        target = readings[sequences(symbols, window)].mean(axis=1)
        pairs = [
            (head_table(content, readings, slope, count), head_table(content, readings, slope, window)),
            (rng.normal(size=symbols**count), rng.normal(size=size)),
            (np.tile(target + 1.0, symbols ** (count - window)) + 0.25, target + 1.0),
        ]
        for f, short in pairs:
            case = {"predictions": f.tolist(), "window_predictions": short.tolist(), "targets": target.tolist()}
            yield case | {"weights": law, "count": count, "window": window}


def floors(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """ALiBi heads on prefix sums, random tables, the conditional mean, and a parity, for which the bound is tight."""
    for symbols, count, window in ((2, 5, 2), (3, 4, 2), (2, 4, 4), *([(2, 12, 5)] * 5 if thorough else [])):
        law = rng.uniform(0.2, 1.0, size=symbols).tolist()
        readings, tokens = rng.normal(size=symbols), sequences(symbols, count)
        total = readings[tokens].sum(axis=1)
        chance = np.array(law)[tokens].prod(axis=1).reshape(-1, symbols**window)
        mean = (chance * total.reshape(chance.shape)).sum(axis=0) / chance.sum(axis=0)
        head = head_table(rng.normal(size=symbols), readings, 0.7, count)
        for f, y in (
            (head, total),
            (rng.normal(size=total.size), rng.normal(size=total.size)),
            (np.tile(mean, len(chance)), total),
        ):
            shape = {"weights": law, "count": count, "window": window}
            yield {"predictions": f.tolist(), "targets": y.tolist()} | shape
    for share in (0.0, 0.3, 1.0):
        y = 1.0 - 2.0 * (sequences(2, 5).sum(axis=1) % 2)
        shape = {"weights": [1.0, 1.0], "count": 5, "window": 2}
        yield {"predictions": (share * y).tolist(), "targets": y.tolist()} | shape


def linear_tasks(task: str, rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Coefficients of a copy (from distance 4), a prefix sum or a prefix mean of tokens with random values and laws."""
    for symbols, count in ((2, 6), (3, 5), *([(2, 12), (4, 6)] if thorough else [])):
        rows = {"copy": np.eye(count)[count - 5], "sum": np.ones(count), "mean": np.ones(count) / count}
        for window in (1, 3, *(() if task == "copy" else (count - 1,))):
            case = {"coefficients": rows[task].tolist(), "values": rng.normal(size=symbols).tolist()}
            yield case | {"weights": rng.uniform(0.2, 1.0, size=symbols).tolist(), "window": window}


def parities(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Fair and biased bits."""
    for count in (1, 3, 8, *([14] if thorough else [])):
        for probability in (0.0, 0.5, 0.9, float(rng.random())):
            for window in {1, (count + 1) // 2, count}:
                yield {"probability": probability, "count": count, "window": window}


def reversals(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """All windows of short sequences."""
    for symbols, length in ((2, 5), (2, 8), (3, 4), *([(2, 12), (3, 7)] if thorough else [])):
        for window in range(1, length + 1):
            yield {"symbols": symbols, "length": length, "window": window}


def reversal_heads(lengths: Sequence[int], rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Steep and flat slopes, small and large logits."""
    for length in lengths:
        for slope, bound in ((1.0, 0.0), (0.5, 2.0), (1 / 64, 4.0)):
            yield {"slope": slope, "logit_bound": bound, "length": length}


def reversal_slopes(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Slopes 2^-1 to 2^-6 and random ones."""
    for slope in (2.0**-1, 2.0**-4, 2.0**-6, *np.exp(rng.uniform(-3, 0, size=10 if thorough else 2)).tolist()):
        for bound in (0.0, 1.0, 2.5):
            yield {"slope": slope, "logit_bound": bound}
