"""Every property an encoding states is measured on its arrays, and every other property is seen to fail."""

import numpy as np
import pytest

from estimators.features import additive_table, bias_matrix, relative_table, rotation_angles, template
from theory.encodings import ENCODINGS, parse
from theory.encodings.base import (
    AbstractAdditiveEncoding,
    AbstractBiasEncoding,
    AbstractRelativeEncoding,
    AbstractRotaryEncoding,
)

TOLERANCE = 1e-9

SPECIFICATIONS = [
    *ENCODINGS,
    "sinusoidal:order=concatenated",
    "sinusoidal:dim=24",
    "learned:dim=15",
    "learned:dim=20",
    "relative:clip_distance=4",
    "alibi:slope=0.01",
    "t5:buckets=8,max_distance=10",
    "t5:train_length=18",
    "kerple-log:seed=2",
    "kerple-power:seed=2",
    "sandwich:first=1",
    "fire:threshold=4",
    "haar:dim=16",
    "haar:dim=20",
    "haar:constant=false",
    "haar:constant=false,dim=15",
    "haar:dim=6",
    "haar:constant=false,dim=7",
    "haar:train_length=12,dim=11",
    "haar:train_length=12,constant=false,dim=15",
    "haar:train_length=12",
    "haar:train_length=12,dim=16",
    "daubechies:order=2,dim=16",
    "daubechies:order=10,constant=false",
    "daubechies:order=3,constant=false,dim=20",
    "daubechies:train_length=13",
    "daubechies:train_length=13,dim=16",
    "ricker:dim=3",
    "ricker:train_length=200",
    "legendre:form=normalised",
    "legendre:form=orthonormal",
    "legendre:form=orthonormal,dim=16",
    "legendre:form=orthonormal,dim=19",
    "legendre:form=orthonormal,constant=false",
    "legendre:form=orthonormal,constant=false,dim=15",
    "legendre:constant=false",
    "chebyshev:constant=false",
    "cosine:dim=16",
    "cosine:dim=19",
    "cosine:constant=false",
    "cosine:constant=false,dim=15",
    "cosine:constant=false,dim=19",
    "random-orthogonal:dim=16",
    "random-orthogonal:dim=20",
    "random-orthogonal:centred=true",
    "random-orthogonal:centred=true,dim=15",
    "gaussian:dim=16",
    "information-optimal:dim=15",
    "information-optimal:dim=20",
    "information-optimal:noise=brownian",
    "information-optimal:noise=brownian,train_length=17,dim=5",
    "information-optimal:noise=exponential",
    "information-optimal:noise=exponential,correlation=0.95,train_length=17",
    "information-optimal:noise=exponential,noise_variance=100",
]


def constant(values):
    return bool(np.ptp(values, axis=0).max() < TOLERANCE)


def constant_diagonals(matrix):
    size = len(matrix)
    return all(np.ptp(np.diagonal(matrix, offset)) < TOLERANCE for offset in range(1 - size, size))


def flat(covariance):
    return bool(np.abs(covariance - covariance[0, 0] * np.eye(len(covariance))).max() < TOLERANCE < covariance[0, 0])


def distinct(rows):
    gaps = np.linalg.norm(rows[:, None] - rows[None], axis=-1) + np.eye(len(rows))
    return bool(gaps.min() > TOLERANCE)


def shifts_linearly(table):
    before, after = table[:-1], table[1:]
    fitted = before @ np.linalg.lstsq(before, after, rcond=1e-10)[0]
    return bool(np.abs(fitted - after).max() < 1e-7)


def measured(encoding):
    size = encoding.train_length
    if isinstance(encoding, AbstractAdditiveEncoding):
        table = np.asarray(additive_table(encoding, size))
        gram = table.T @ table
        centred = table - table.mean(axis=0)
        covariance = centred.T @ centred
        yes = {
            "toeplitz": constant_diagonals(table @ table.T),
            "shift-equivariant": shifts_linearly(table),
            "orthogonal-columns": np.abs(gram - np.diag(np.diag(gram))).max() < TOLERANCE,
            "orthonormal-columns": np.abs(gram - np.eye(encoding.dim)).max() < TOLERANCE,
            "centred": np.abs(table.sum(axis=0)).max() < TOLERANCE,
            "flat-spectrum": flat(covariance),
            "constant-norm": constant(np.linalg.norm(table, axis=1)),
            "injective": distinct(table),
        }
    elif isinstance(encoding, AbstractBiasEncoding):
        matrices = np.asarray(bias_matrix(encoding, size, causal=False))
        by_distance = matrices[0, -1, ::-1]
        yes = {
            "toeplitz": all(map(constant_diagonals, matrices)),
            "injective": distinct(by_distance[:, None]),
            "monotone": all((np.diff(m[-1, ::-1]) <= TOLERANCE).all() for m in matrices),
        }
    elif isinstance(encoding, AbstractRotaryEncoding):
        angles = np.asarray(rotation_angles(encoding, size))
        gram = np.cos(angles[:, None] - angles[None]).sum(axis=-1)
        tokens = np.ones((1, size, encoding.dim))
        yes = {
            "toeplitz": constant_diagonals(gram),
            "constant-norm": constant(np.linalg.norm(template(encoding, tokens).keys[0], axis=1)),
            "injective": distinct(np.concatenate([np.cos(angles), np.sin(angles)], axis=1)),
        }
    elif isinstance(encoding, AbstractRelativeEncoding):
        table = np.asarray(relative_table(encoding, size))
        shorter = np.asarray(relative_table(encoding, size - 3))
        # The vector of a distance must not depend on where the query stands.
        yes = {"toeplitz": np.array_equal(table[3:], shorter), "injective": distinct(table)}
    else:
        keys, values, bias = template(encoding, np.ones((1, size, encoding.dim)))
        yes = {"toeplitz": constant(keys[0]) and constant(values[0]) and constant(bias[:, None])}
    return {word for word, holds in yes.items() if holds}


@pytest.mark.parametrize("text", SPECIFICATIONS)
def test_stated_properties_hold_and_the_others_fail(text):
    encoding = parse(text, dim=8, train_length=16)
    holds = measured(encoding)
    assert encoding.properties <= holds
    assert holds <= encoding.properties | encoding.undecided


def test_every_property_is_seen_to_hold_and_to_fail():
    """Otherwise the comparison above would prove nothing about that word."""
    from theory.encodings.base import PROPERTIES

    seen = [parse(text, dim=8, train_length=16) for text in SPECIFICATIONS]
    for word in PROPERTIES:
        assert any(word in encoding.properties for encoding in seen)
        assert any(word not in encoding.properties | encoding.undecided for encoding in seen)


def test_centred_random_walk_has_the_stated_spectrum():
    """Brownian and exponential noise: directions are eigenvectors of the centred covariance, quietest first."""
    size, dim = 12, 6
    centre = np.eye(size) - 1 / size
    steps = np.arange(size)
    covariances = {
        "brownian": np.minimum.outer(steps, steps) + 1.0,
        "exponential,correlation=0.8": 0.8 ** np.abs(np.subtract.outer(steps, steps)),
    }
    for noise, covariance in covariances.items():
        encoding = parse(f"information-optimal:noise={noise}", dim=dim, train_length=size)
        spectrum = np.linalg.eigvalsh(centre @ covariance @ centre)[1:]
        scale = (size - 1) / spectrum.sum()
        np.testing.assert_allclose([float(x) for x in encoding.noise_levels()], spectrum * scale, rtol=1e-11)
        table = np.asarray(additive_table(encoding, size))
        np.testing.assert_allclose(
            centre @ covariance @ centre @ table * scale, table * (spectrum * scale)[:dim], atol=1e-11
        )
        assert np.sum(table**2) == pytest.approx(size, rel=1e-12)


def information(table, noise):
    return np.linalg.slogdet(np.eye(len(table)) + np.linalg.pinv(noise, rcond=1e-9) @ table @ table.T)[1] / 2


@pytest.mark.parametrize("text", ["brownian", "exponential,correlation=0.9", "exponential,noise_variance=30"])
def test_no_other_code_carries_more_information(text):
    size, dim = 10, 4
    encoding = parse(f"information-optimal:noise={text}", dim=dim, train_length=size)
    steps = np.arange(size)
    rho = float(encoding.correlation)
    if encoding.noise == "brownian":
        covariance = np.minimum.outer(steps, steps) + 1.0
    else:
        covariance = rho ** np.abs(np.subtract.outer(steps, steps))
    centre = np.eye(size) - 1 / size
    noise = centre @ covariance @ centre
    noise *= float(encoding.noise_variance) * (size - 1) / np.trace(noise)
    table = np.asarray(additive_table(encoding, size))
    best = information(table, noise)
    random = np.random.default_rng(0)
    for step in np.repeat([0.01, 0.1, 1.0, 30.0], 200):
        other = centre @ (table + step * random.normal(size=table.shape))
        other *= np.sqrt(size) / np.linalg.norm(other)
        assert information(other, noise) < best
