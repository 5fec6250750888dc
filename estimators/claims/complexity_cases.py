"""Samples on which complexity claims are checked: random ones, and those that attain or strain a bound.

One shape (SAMPLES, LENGTH, DIM) for all, so that programs are compiled once; the fixed samples are the same for every
claim, so that a bracket is computed once.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from estimators.claim import Case
from estimators.class_brackets import on_sphere
from theory.encodings import ENCODINGS, parse
from theory.encodings.base import AbstractAdditiveEncoding, AbstractBiasEncoding, AbstractEncoding

SAMPLES, LENGTH, DIM = 6, 6, 2
SHARED = 2506  # seed of the samples that all claims share
Rng = np.random.Generator


def of_kind(*kinds: type[AbstractEncoding], dim: int = DIM) -> tuple[str, ...]:
    """Names of the encodings of these kinds that exist at `dim`."""
    found = []
    for name in ENCODINGS:
        try:
            made = parse(name, dim=dim, train_length=LENGTH)
        except ValueError:
            continue
        if isinstance(made, kinds):
            found.append(name)
    return tuple(found)


EVERY = of_kind(AbstractEncoding)
ADDITIVE = of_kind(AbstractAdditiveEncoding)
BIASED = of_kind(AbstractBiasEncoding)


def gaussian(rng: Rng) -> np.ndarray:
    return rng.standard_normal((SAMPLES, LENGTH, DIM))


def sphere(rng: Rng) -> np.ndarray:
    return np.asarray(on_sphere(gaussian(rng)))


def identical(rng: Rng) -> np.ndarray:
    """All samples equal."""
    return np.repeat(sphere(rng)[:1], SAMPLES, axis=0)


def opposite(rng: Rng) -> np.ndarray:
    """Tokens x and -x by turns, samples in pairs of opposite sign."""
    half = sphere(rng)[: SAMPLES // 2, :1] * np.where(np.arange(LENGTH) % 2, -1.0, 1.0)[:, None]
    return np.concatenate([half, -half])


def spikes(rng: Rng) -> np.ndarray:
    """One token of every sample eight times as large."""
    x = sphere(rng)
    x[np.arange(SAMPLES), rng.integers(LENGTH, size=SAMPLES)] *= 8.0
    return x


def collinear(rng: Rng) -> np.ndarray:
    """All tokens on one line."""
    return gaussian(rng)[:, :, :1] * sphere(rng)[0, 0]


def large(rng: Rng) -> np.ndarray:
    """Norm 4: logits up to 4, half-saturated attention."""
    return 4.0 * sphere(rng)


def lone(rng: Rng) -> np.ndarray:
    """One sample of equal tokens, all others 0: E|eps x| = |x|."""
    x = np.zeros((SAMPLES, LENGTH, DIM))
    x[0] = sphere(rng)[0, 0]
    return x


def twins(rng: Rng) -> np.ndarray:
    """Two equal samples of equal tokens, all others 0: the extremal case of Khintchine's inequality."""
    x = lone(rng)
    x[1] = x[0]
    return x


def orthogonal(rng: Rng) -> np.ndarray:
    """Two orthogonal samples of equal tokens, all others 0: Jensen's inequality is an equality."""
    x = lone(rng)
    x[1] = x[0][:, ::-1] * np.array([-1.0, 1.0])
    return x


def neighbours(rng: Rng) -> np.ndarray:
    """Tokens of a sample within 1e-6 of each other."""
    return sphere(rng)[:, :1] + 1e-6 * gaussian(rng)


ADVERSARIAL = (gaussian, identical, opposite, spikes, collinear, large, lone, twins, orthogonal, neighbours)


def heads(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Every encoding on unit tokens; adversarial samples without encoding and with ALiBi and rotary; fresh samples."""
    shared = np.random.default_rng(SHARED)
    yield from ({"tokens": sphere(shared).tolist(), "encoding": name, "logit_norm": 1.0} for name in EVERY)
    for make in ADVERSARIAL:
        tokens = make(shared).tolist()
        for name in ("none", "alibi") if make in (lone, twins, orthogonal) else ("none", "alibi", "rotary"):
            yield {"tokens": tokens, "encoding": name, "logit_norm": 1.0}
    yield {"tokens": sphere(shared).tolist(), "encoding": "none", "logit_norm": 4.0, "readout_norm": 3.0}
    yield {"tokens": gaussian(shared).tolist(), "encoding": "alibi", "logit_norm": 1.0, "readout_ball": "l1"}
    yield {"tokens": twins(shared).tolist(), "encoding": "none", "logit_norm": 1.0, "readout_ball": "l1"}
    yield from fresh(shared, 400 if thorough else 0)
    yield from fresh(rng, 20 if thorough else 2)


def fresh(rng: Rng, count: int, names: Sequence[str] = EVERY, largest: float = 4.0) -> Iterator[Case]:
    """Random samples, encodings and radii."""
    for _ in range(count):
        make: Callable[[Rng], np.ndarray] = (sphere, gaussian, spikes, collinear)[int(rng.integers(4))]
        yield {
            "tokens": make(rng).tolist(),
            "encoding": str(rng.choice(names)),
            "logit_norm": float(largest * 2.0 ** rng.uniform(-4, 0)),
        }


def still(rng: Rng, thorough: bool) -> Iterator[Case]:
    """The same without logits, for the frozen class."""
    for case in heads(rng, thorough):
        yield {word: value for word, value in case.items() if word != "logit_norm"}


def products(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Query-key matrices of one row: the query is the first channel of the last token."""
    shared = np.random.default_rng(SHARED + 1)
    cases = [{"tokens": sphere(shared).tolist(), "encoding": name, "logit_norm": 1.0} for name in EVERY[::3]]
    for case in (*cases, *fresh(rng, 80 if thorough else 2)):
        yield case | {"queries": [[sample[-1][0]] for sample in case["tokens"]]}


def gentle(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Every encoding at small logits, where the series of U9 converges; equal tokens, where it is exact."""
    shared = np.random.default_rng(SHARED)
    yield from ({"tokens": sphere(shared).tolist(), "encoding": name, "logit_norm": 0.25} for name in EVERY)
    for make in (opposite, collinear, identical, lone):
        yield {"tokens": make(shared).tolist(), "encoding": "none", "logit_norm": 0.25}
    count = 100 if thorough else 1
    yield from ({**case, "logit_norm": 0.1} for case in fresh(rng, count, ("none", "alibi", "rotary")))


def moving(rng: Rng, thorough: bool) -> Iterator[Case]:
    """A third of the encodings at small, middling and large logits; no equal tokens."""
    shared = np.random.default_rng(SHARED)
    tokens = sphere(shared).tolist()
    for place, name in enumerate(EVERY if thorough else EVERY[::3]):
        yield {"tokens": tokens, "encoding": name, "logit_norm": (0.25, 1.0, 4.0)[place % 3]}
    for make in (identical, collinear, spikes):
        yield {"tokens": make(shared).tolist(), "encoding": "none", "logit_norm": 0.5}
    yield from fresh(rng, 60 if thorough else 1)


def scalars(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Two layers on three samples of three scalar tokens, additive tables and biases; and equal tokens in a plane."""
    shared = np.random.default_rng(SHARED)
    names = ("none", *of_kind(AbstractAdditiveEncoding, AbstractBiasEncoding, dim=1))
    for name in names if thorough else ("none", "alibi", *names[1::4]):
        for _ in range(8 if thorough else 1):
            x = shared.uniform(-1.0, 1.0, (3, 3, 1))
            yield {"tokens": x.tolist(), "encoding": name, "value_norm": 0.3, "logit_norm": 1.0}
    for name in ("none", *BIASED):
        x = np.repeat(shared.uniform(-0.7, 0.7, (3, 1, 2)), 3, axis=1)
        yield {"tokens": x.tolist(), "encoding": name, "value_norm": 0.5, "logit_norm": 2.0}
    x = rng.uniform(-1.0, 1.0, (3, 3, 1))
    yield {"tokens": x.tolist(), "encoding": "none", "value_norm": float(rng.uniform(0, 0.4)), "logit_norm": 0.5}
    if thorough:
        # Attained by ascent only: cannot confirm, only refute.
        yield {"tokens": sphere(rng)[:4, :3].tolist(), "encoding": "none", "value_norm": 0.3, "logit_norm": 1.0}
