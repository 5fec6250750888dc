"""Cases of the claims of theory sections 6.1-6.7 and 6.9: random ones, and those near which a bound is attained."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from estimators.claim import Case
from theory.encodings import ENCODINGS, Encoding, specification
from theory.encodings.base import AbstractAdditiveEncoding, AbstractBiasEncoding

NEARLY = 1e-9  # how far near-extremal cases stay from equality, so that rounding does not decide the verdict


def _times(thorough: bool, few: int) -> range:
    return range(10 * few if thorough else few)


def _stochastic(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Rows drawn from a Dirichlet law, concentrated or not, no entry exactly zero."""
    return rng.dirichlet(np.full(columns, rng.choice([0.2, 1.0, 5.0])), size=rows) + 1e-12


def channels(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random channels; a binary one that is nearly useless, one nearly noiseless, one nearly symmetric."""
    yield {"channel": [[0.5 + 5e-4, 0.5 - 5e-4], [0.5 - 5e-4, 0.5 + 5e-4]]}
    yield {"channel": (np.eye(4) + NEARLY).tolist()}
    symmetric = 0.6 * np.eye(4) + 0.1
    symmetric[0] += [0.0, 1e-5, -1e-5, 0.0]
    yield {"channel": symmetric.tolist()}
    for _ in _times(thorough, 12):
        yield {"channel": _stochastic(rng, int(rng.integers(2, 6)), int(rng.integers(2, 7))).tolist()}


def processed(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random channels and maps; a permutation of the symbols with rare errors."""
    channel = _stochastic(rng, 3, 4)
    yield {"channel": channel.tolist(), "kernel": (np.eye(4)[[2, 0, 3, 1]] + NEARLY).tolist()}
    for _ in _times(thorough, 12):
        symbols = int(rng.integers(2, 6))
        channel, kernel = _stochastic(rng, 3, symbols), _stochastic(rng, symbols, int(rng.integers(1, 5)))
        yield {"channel": channel.tolist(), "kernel": kernel.tolist()}


def decoded(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random decoders; the posterior, nearly unmixed."""
    for _ in _times(thorough, 6):
        count, symbols = int(rng.integers(2, 6)), int(rng.integers(2, 6))
        channel = _stochastic(rng, count, symbols)
        yield {"channel": channel.tolist(), "decoder": channel.T.tolist(), "uniform_share": 1e-6}
        decoder = _stochastic(rng, symbols, count)
        yield {"channel": channel.tolist(), "decoder": decoder.tolist(), "uniform_share": float(rng.uniform(0.01, 0.9))}


def mixed(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Posteriors of random channels and of one nearly noiseless, mixed with little and with much."""
    for share in (0.01, 0.5, 0.99):
        certain = (np.eye(5) + NEARLY).tolist()
        yield {"channel": certain, "decoder": certain, "uniform_share": share}
        for _ in _times(thorough, 3):
            channel = _stochastic(rng, int(rng.integers(2, 6)), int(rng.integers(2, 6)))
            yield {"channel": channel.tolist(), "decoder": channel.T.tolist(), "uniform_share": share}


def decoders(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random decoders; one that nearly excludes a position."""
    yield {"decoder": [[1.0, NEARLY, 1.0], [1.0, 2.0, 3.0]], "uniform_share": 0.1}
    for _ in _times(thorough, 10):
        decoder = _stochastic(rng, int(rng.integers(1, 6)), int(rng.integers(2, 6)))
        yield {"decoder": decoder.tolist(), "uniform_share": float(rng.uniform(0.01, 0.9))}


def grouped(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random contents in groups of 1, 2 and 3; contents that nearly do not matter."""
    channel = _stochastic(rng, 3, 3)
    for size in (1, 2, 3):
        yield {"channels": [channel.tolist(), (channel + 1e-6 * _stochastic(rng, 3, 3)).tolist()], "group_size": size}
        for _ in _times(thorough, 2):
            yield {"channels": [_stochastic(rng, 3, 3).tolist() for _ in range(3)], "group_size": size}


def lines(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Codes in one dimension: two close points, evenly spaced, clustered and random ones, at low and high noise."""
    yield {"code": [[-0.05], [0.05]], "noise_scale": 1.0}
    yield {"code": [[-5.8], [5.8]], "noise_scale": 1.0}
    yield {"code": [[float(k)] for k in range(8)], "noise_scale": 0.5}
    yield {"code": [[0.0], [0.01], [5.0], [5.01]], "noise_scale": 0.5}
    for _ in _times(thorough, 8):
        noise_scale = float(rng.choice([0.2, 0.5, 1.0, 3.0]))
        code = rng.standard_normal((int(rng.integers(3, 9)), 1)) * noise_scale * rng.choice([0.3, 1.0, 2.0])
        yield {"code": code.tolist(), "noise_scale": noise_scale}


def quantised(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Codes in one dimension read through one cut, through many, and through random ones."""
    yield {"code": [[-0.3], [0.3]], "noise_scale": 1.0, "cuts": [0.0]}
    yield {"code": [[-0.3], [0.3]], "noise_scale": 1.0, "cuts": np.linspace(-4, 4, 60).tolist()}
    for case in lines(rng, thorough):
        yield case | {"cuts": rng.normal(scale=2.0, size=int(rng.integers(1, 6))).tolist()}


def additive_encodings(dim: int, length: int) -> list[Encoding]:
    """Every additive encoding, and its centred form (without the constant) where it has one."""
    found: list[Encoding] = []
    for make in ENCODINGS.values():
        made = make(dim=dim, train_length=length)
        if not isinstance(made, AbstractAdditiveEncoding):
            continue
        words = {field.name for field in dataclasses.fields(made)}
        found.append(made)
        if "constant" in words:
            found.append(make(dim=dim, train_length=length, constant=False))
        if "centred" in words and dim < length:  # that many centred orthogonal columns exist
            found.append(make(dim=dim, train_length=length, centred=True))
    return found


def additive(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """All additive encodings at unit power, with fewer channels than positions and with more, neither nearly noiseless
    nor drowned: there the bounds are attained more closely than sampling resolves, and `lines` are exact."""
    sizes = ((4, 8), (6, 4)) + (((16, 32),) if thorough else ())
    groups = 4000 if thorough else 2000
    for dim, length in sizes:
        for made in additive_encodings(dim, length):
            for noise_scale in (0.25, 0.4) if thorough else (0.3,):
                words = {"dim": dim, "length": length, "noise_scale": noise_scale, "groups": groups}
                yield {"encoding": specification(made)} | words


def _spectra(flat: bool, thorough: bool) -> Iterator[Case]:
    for dim, length in ((4, 8), (2, 16)) + (((16, 32), (32, 64)) if thorough else ()):
        for made in additive_encodings(dim, length):
            if ("flat-spectrum" in made.properties) is flat:
                for noise_scale in (0.1, 1.0):
                    words = {"dim": dim, "length": length, "noise_scale": noise_scale}
                    yield {"encoding": specification(made)} | words


def flat_spectra(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """All additive encodings of flat spectrum."""
    yield from _spectra(True, thorough)


def other_spectra(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """All other additive encodings."""
    yield from _spectra(False, thorough)


def tables(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random codes, with fewer channels than positions and with more; orthonormal centred ones, slightly disturbed."""
    for _ in _times(thorough, 8):
        count, dim = int(rng.integers(3, 9)), int(rng.integers(2, 6))
        code = rng.standard_normal((count, dim)) * rng.choice([0.1, 1.0, 10.0], size=dim)
        yield {"code": code.tolist(), "noise_scale": float(rng.choice([0.1, 1.0]))}
    draws = rng.standard_normal((8, 3))
    columns, _ = np.linalg.qr(draws - draws.mean(axis=0))
    yield {"code": (columns + 1e-5 * rng.standard_normal((8, 3))).tolist(), "noise_scale": 0.3}


def _count_and_scale(rng: np.random.Generator) -> Case:
    return {"seen_count": int(rng.integers(2, 65)), "value_scale": float(rng.uniform(0.1, 3.0))}


def plain_heads(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Content-free heads without encoding."""
    for _ in _times(thorough, 8):
        yield {"encoding": "none"} | _count_and_scale(rng)


def alibi_heads(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """ALiBi heads of three default slopes and of random ones; one so long that its limit is nearly reached."""
    yield {"alibi_slope": 1.0, "seen_count": 18, "value_scale": 1.0}
    slopes = [2.0**-8, 0.25, 0.5] + [float(np.exp(rng.uniform(-6, 1))) for _ in _times(thorough, 8)]
    for slope in slopes:
        case = _count_and_scale(rng)
        # beyond slope x count = 25 the limit is reached to rounding
        yield case | {"alibi_slope": slope, "seen_count": min(case["seen_count"], int(25 / slope))}


def biased_heads(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random biases, nearly equal ones among them."""
    yield {"biases": (1e-5 * rng.standard_normal(7)).tolist(), "value_scale": 1.0}
    for _ in _times(thorough, 10):
        biases = rng.standard_normal(int(rng.integers(2, 20))) * rng.choice([0.1, 1.0, 5.0])
        yield {"biases": biases.tolist(), "value_scale": float(rng.uniform(0.1, 3.0))}


def bias_encodings() -> list[str]:
    """Names of the encodings that are biases."""
    return [name for name, make in ENCODINGS.items() if isinstance(make(dim=2, train_length=4), AbstractBiasEncoding)]


def encoding_heads(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Heads of every encoding by biases."""
    for name in bias_encodings():
        for head in (0, 3, 7) if thorough else (0, 7):
            for count in (2, 5, 16):
                yield {"encoding": name, "head": head, "seen_count": count, "value_scale": 1.0}


def latents(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Two nearly equal variances and two very different ones, those of averaging, and random ones."""
    yield {"variances": [1.0, 1.01], "dim": 1}
    yield {"variances": [1 / i for i in range(1, 9)], "dim": 1}
    yield {"variances": [1.0, 0.01], "dim": 20}
    for _ in _times(thorough, 6):
        variances = np.exp(rng.uniform(-1, 1, size=int(rng.integers(2, 7))) * rng.choice([0.3, 3.0]))
        yield {"variances": variances.tolist(), "dim": int(rng.choice([1, 2, 8]))}


def encoding_latents(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Content-free heads of every encoding by biases, and of none."""
    for name in ["none", *bias_encodings()]:
        for dim in (1, 8) if thorough else (1,):
            yield {"encoding": name, "length": 16 if thorough else 8, "dim": dim, "noise_scale": 0.2}


def one_hot(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """3 to 6 (8) one-hot distributions; 2 have stress zero."""
    for count in range(3, 9 if thorough else 7):
        yield {"position_count": count}


def distributions(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """One-hot and random distributions embedded in fewer than N - 1 dimensions."""
    for count in (3, 4, 6):
        yield {"distributions": np.eye(count).tolist(), "dim": 1}
    for _ in _times(thorough, 10):
        count = int(rng.integers(3, 7))
        yield {"distributions": _stochastic(rng, count, 8).tolist(), "dim": int(rng.integers(1, count - 1))}


def full_dimensions(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """One-hot and random distributions embedded in N - 1 dimensions and in more."""
    yield {"distributions": np.eye(5).tolist(), "dim": 4}
    for _ in _times(thorough, 10):
        count = int(rng.integers(2, 7))
        yield {"distributions": _stochastic(rng, count, 8).tolist(), "dim": int(rng.integers(count - 1, count + 2))}


def better_embeddings(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Three one-hot distributions against (-2 sqrt2/3, 0, 2 sqrt2/3); random ones against the best embedding found."""
    witness = 2 * np.sqrt(2) / 3 * np.array([[-1.0], [0.0], [1.0]])
    yield {"distributions": np.eye(3).tolist(), "dim": 1, "embedding": witness.tolist()}
    for dim in (1, 2):
        for _ in _times(thorough, 2):
            yield {"distributions": _stochastic(rng, 6, 8).tolist(), "dim": dim}


def gains(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """h -> 10 h at +-.3 and unit noise."""
    yield {"code": [[-0.3], [0.3]], "gain": 10.0, "noise_scale": 1.0}


def first_layers(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """One averaging head, and one of ALiBi, on i.i.d. inputs."""
    for slope in (0.0, 0.25):
        biases = [[-slope * (i - k) for k in range(1, i + 1)] for i in range(1, 17)]
        yield {"biases": biases, "dim": 1, "value_scale": 1.0, "noise_scale": 0.0}


def alternating(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """+1, -1, +1, ... under one averaging head."""
    yield {"code": [[float((-1) ** i)] for i in range(16)], "noise_scale": 0.5}
