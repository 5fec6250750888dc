"""Cases of the claims on classical tools: random, with many ties, extremal, and where a search ends."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from estimators import classical_objectives as objectives
from estimators.adversary import Objective, highest
from estimators.claim import Case
from estimators.sign_means import all_signs

Rng = np.random.Generator
KNOTS = (-0.5, 0.5)
BELOW = 1 - 2.0**-20  # a tail at a value that is taken begins below it, whatever the rounding
RARE = 0.25  # chance of the point that a small sample may miss


def count(thorough: bool) -> int:
    return 40 if thorough else 4


def found(objective: Objective, numbers: int, rng: Rng, thorough: bool) -> np.ndarray:
    """What climbs from random starts end at, one row."""
    starts = rng.standard_normal((30 if thorough else 2, numbers))
    return highest(objective, starts, rng, generations=150, candidates=32)[None]


def random_set(rng: Rng, most_samples: int = 6) -> np.ndarray:
    """2 to 8 vectors, some of them sparse, one-sided or symmetric about 0."""
    size, n = int(rng.integers(2, 5)), int(rng.integers(1, most_samples + 1))
    vectors = rng.choice([0.1, 1.0, 10.0]) * rng.standard_normal((size, n))
    kind = int(rng.integers(4))
    if kind == 0:
        vectors[1:] *= rng.random((size - 1, n)) < 0.5
    return np.abs(vectors) if kind == 1 else np.concatenate([vectors, -vectors]) if kind == 2 else vectors


def corners(n: int) -> np.ndarray:
    """+-e_k in R^n."""
    return np.concatenate([np.eye(n), -np.eye(n)])


def sets(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Finite sets; cubes, corners and one vector, whose complexity is 0; where a search for a large share ends."""
    for _ in range(count(thorough)):
        yield {"vectors": random_set(rng).tolist()}
    for vectors in (all_signs(1), all_signs(4), np.eye(8), corners(8), np.array([[1.0, 2.0, -1.0]])):
        yield {"vectors": vectors.tolist()}
    for size, n in ((2, 1), (4, 2), (4, 4)):
        best = found(partial(objectives.massart_share, size=size), size * n, rng, thorough)
        yield {"vectors": best.reshape(size, n).tolist()}


def contractions(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Random bends; phi_i(t) = +-L t, which attains the bound; |t|; where a search ends, with and without ties."""
    for _ in range(count(thorough)):
        vectors, knots = random_set(rng), np.sort(rng.standard_normal(3))
        slopes = rng.standard_normal((vectors.shape[1], 4))
        yield {"vectors": vectors.tolist(), "knots": knots.tolist(), "slopes": slopes.tolist()}
    for vectors, side in ((all_signs(2), (3.0, -3.0)), (corners(3), (0.5, 0.5, 0.5)), (all_signs(1), (1.0,))):
        slopes = np.repeat(np.array(side)[:, None], 2, axis=1)
        yield {"vectors": vectors.tolist(), "knots": [0.0], "slopes": slopes.tolist()}
        yield {"vectors": vectors.tolist(), "knots": [0.0], "slopes": (slopes * [1.0, -1.0]).tolist()}
    for size, n in ((3, 2), (4, 3)):
        objective = partial(objectives.contraction_share, size=size, samples=n, knots=np.array(KNOTS))
        vectors, slopes = objectives.contraction_parts(
            found(objective, size * n + n * (len(KNOTS) + 1), rng, thorough), size, n, len(KNOTS)
        )
        yield {"vectors": vectors[0].tolist(), "knots": list(KNOTS), "slopes": slopes[0].tolist()}


def vector_contractions(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Distances plus softmax means of random vectors; distances alone where a search ends; two
    points, which attain the bound where they differ by (1, 1) and their distance is that from the centre."""
    for _ in range(count(thorough)):
        size, n, k = int(rng.integers(2, 7)), int(rng.integers(1, 5)), int(rng.integers(1, 4))
        centres, values = rng.standard_normal((2, n, k))
        vectors, gain = rng.standard_normal((size, n, k)), float(rng.choice([0.0, 1.0, -0.3]))
        case = {"vectors": vectors.tolist(), "centres": centres.tolist(), "values": (values * (k > 1)).tolist()}
        yield case | {"gain": gain if k > 1 else 1.0}
    for size, n, k in ((2, 1, 2), (3, 2, 2)):
        objective = partial(objectives.vector_share, size=size, samples=n)
        vectors, centres = objectives.vector_parts(found(objective, (size + 1) * n * k, rng, thorough), size, n)
        case = {"vectors": vectors[0].tolist(), "centres": centres[0].tolist()}
        yield case | {"values": np.zeros((n, k)).tolist(), "gain": 1.0}
    for one in ([1.0], [1.0, 1.0]):
        line = np.array([[np.zeros(len(one))], [one]])
        case = {"vectors": line.tolist(), "centres": [[-2.0] * len(one)], "values": [[0.0] * len(one)]}
        yield case | {"gain": 1.0}


def masked_attention(n: int, radius: float) -> Case:
    """2n tokens with keys +-e_i and values +-1, of which sample i sees the two of its own: outputs are tanh w_i."""
    keys, bias, values = np.zeros((n, 2 * n, n)), np.full((n, 2 * n), -1000.0), np.zeros((n, 2 * n))
    for i in range(n):
        for place, side in ((2 * i, 1.0), (2 * i + 1, -1.0)):
            keys[i, place, i], bias[i, place], values[i, place] = side, 0.0, side
    case = {"keys": keys.tolist(), "bias": bias.tolist(), "values": values.tolist()}
    return case | {"weights": (radius * all_signs(n)).tolist()}


def shared_signs(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Random heads; where a search for the largest share ends; masked attention on 2, 4 and 6 samples."""
    for n, length, d in ((2, 2, 1), (3, 3, 3)):
        objective, numbers = (
            partial(objectives.shared_sign_share, samples=n, length=length, dim=d),
            n * length * (d + 2),
        )
        for best in (rng.standard_normal((1, numbers)), found(objective, numbers, rng, False)):
            parts = objectives.attention_parts(best, n, length, d)
            case = {word: part[0].tolist() for word, part in zip(("keys", "bias", "values"), parts, strict=True)}
            yield case | {"weights": all_signs(d).tolist()}
    for n in (2, 4, 6):
        yield masked_attention(n, 0.2)


def offsets(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Random sets, and {-1, 1} halved, where the left side is 1/4 and the right one 0."""
    for _ in range(count(thorough)):
        yield {"vectors": random_set(rng).tolist(), "slope": float(rng.uniform(-1, 1))}
    yield {"vectors": [[-1.0], [1.0]], "slope": 0.5}


def features(
    extreme: tuple[np.ndarray, ...], searched: tuple[Objective, ...], rng: Rng, thorough: bool
) -> Iterator[Case]:
    """Random features, the extremal ones, and where searches over 3 samples in the plane end."""
    for _ in range(count(thorough)):
        n, d = int(rng.integers(1, 8)), int(rng.integers(1, 5))
        rows = rng.choice([0.1, 1.0, 10.0], (n, 1)) * rng.standard_normal((n, d))
        yield {"features": rows.tolist(), "radius": float(rng.uniform(0.1, 3))}
    for rows in extreme:
        yield {"features": rows.tolist(), "radius": float(rng.uniform(0.5, 2))}
    for objective in searched:
        yield {"features": found(objective, 6, rng, thorough).reshape(3, 2).tolist(), "radius": 1.0}


ORTHOGONAL, PARALLEL = np.eye(3), np.array([[1.0, 2.0], [1.0, 2.0]])
balls_l2 = partial(
    features,
    (ORTHOGONAL, PARALLEL),
    tuple(partial(objectives.linear_share, samples=3, side=side) for side in (1, -1)),
)
balls_l1 = partial(features, (ORTHOGONAL, all_signs(3)), (partial(objectives.corner_share, samples=3),))


def both_complexities(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Sets in R^1 and R^2 (G_hat exact) and beyond (drawn); {-1, 1}, cubes, corners; triangles where searches end."""
    for most in (2, 6):
        for _ in range(count(thorough)):
            yield {"vectors": random_set(rng, most).tolist()}
    for vectors in (all_signs(1), all_signs(2), all_signs(3), corners(2), corners(6)):
        yield {"vectors": vectors.tolist()}
    for side in (1, -1):
        best = found(partial(objectives.gaussian_share, side=side), 6, rng, thorough)
        yield {"vectors": best.reshape(3, 2).tolist()}


def sign_draws(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Means of 1 to 3 draws, all outcomes, and of 50, simulated; one constant function."""
    for draws in (1, 2, 3):
        for _ in range(count(thorough) // 2):
            yield {"vectors": random_set(rng, 4).tolist(), "draws": draws}
    yield {"vectors": random_set(rng).tolist(), "draws": 50, "repetitions": 4000}
    for n, draws in ((1, 1), (4, 1), (8, 2), (1, 16)):
        yield {"vectors": np.ones((1, n)).tolist(), "draws": draws}


def sign_tails(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Deviations of 0 to 2.5 times the scale sqrt(sum M_i^2/K)/n; and of that scale itself, for one function on one
    sample, where the bound is 2/sqrt(e) and the chance 1."""
    for case in sign_draws(rng, thorough):
        most = np.abs(np.array(case["vectors"])).max(axis=0)
        for share in (0.0, 0.5, BELOW, 2.5):
            yield case | {"deviation": share * float(np.linalg.norm(most)) / most.size / case["draws"] ** 0.5}


def sign_radii(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Failure probabilities of 0.01 to 0.9."""
    for case in sign_draws(rng, thorough):
        for chance in (0.01, 0.25, 0.9):
            yield case | {"failure_probability": chance}


def populations(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Random tables in [0, 1] on 2 to 4 points, samples of 1 to 4; a point that is rarely seen."""
    for _ in range(count(thorough)):
        points, n = int(rng.integers(2, 5)), int(rng.integers(1, 5))
        table, law = rng.random((int(rng.integers(1, 5)), points)), rng.uniform(0.1, 1.0, points)
        yield {"table": table.tolist(), "chances": law.tolist(), "sample_size": n}
    for n in (1, 3, 6):
        yield {"table": [[0.0, 1.0], [0.0, 0.0]], "chances": [1.0 - RARE, RARE], "sample_size": n}


def data_tails(rng: Rng, thorough: bool) -> Iterator[Case]:
    """The same without their sign; and a fair coin that shows f and -f or 0, where R_hat strays by 1/2 always."""
    for case in populations(rng, thorough):
        for share in (0.0, 0.5, 1.0):
            yield case | {"table": (2 * np.array(case["table"]) - 1).tolist(), "deviation": share / case["sample_size"]}
    for n in (1, 2, 4):
        for deviation in (0.5 * BELOW, 0.25):
            case = {"table": [[1.0, 0.0], [-1.0, 0.0]], "chances": [0.5, 0.5], "sample_size": n}
            yield case | {"deviation": deviation}


def risks(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Failure probabilities of 0.05 to 0.9."""
    for case in populations(rng, thorough):
        for chance in (0.05, 0.5, 0.9):
            yield case | {"failure_probability": chance}


def vector_covers(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Balls in R^1 to R^3, from the scale at which one ball does not do."""
    for dim, ratios in ((1, (0.9, 1.0, 1.01, 7.5, 300.0)), (2, (1.01, 3.0, 20.0)), (3, (1.01, 2.0, 6.0))):
        for ratio in (*ratios, *rng.uniform(1, max(ratios), 10 if thorough else 1)):
            scale = float(rng.uniform(0.1, 2))
            yield {"dim": dim, "radius": float(ratio * scale), "scale": scale}


def matrix_covers(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Matrices of up to 6 entries."""
    for rows, columns in ((1, 1), (1, 2), (2, 2), (2, 3)):
        for ratio in (0.9, 1.01, 1.5, *rng.uniform(1, 2, 10 if thorough else 1)):
            yield {"rows": rows, "columns": columns, "radius": float(ratio), "input_norm": 0.5, "scale": 0.5}


def orthogonal_covers(rng: Rng, thorough: bool) -> Iterator[Case]:
    """1 to 4 orthogonal inputs."""
    for n in (1, 2, 3, 4):
        for ratio in (0.9, 1.001, 1.5, 3.0, *rng.uniform(1, 4, 10 if thorough else 1)):
            yield {"sample_size": n, "radius": float(2 * ratio), "input_norm": 0.5, "scale": 1.0}
