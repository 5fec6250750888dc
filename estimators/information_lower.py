"""The lower end of I(P; Z): ln N + E ln q'(P|Z) of a decoder chosen on sequences of its own, tested on others.

q' = (1-e) q + e/N for a decoder q of `estimators.information_decoders`, so that scores lie in [ln e, ln N]. A score is
the mean over a few positions of one test sequence: these are independent, and the bound on their mean is by betting.
"""

import math

import numpy as np
from jaxtyping import Float64

from estimators.estimate import betting, clopper_pearson
from estimators.information_decoders import (
    SHRINKAGE,
    Decoder,
    Moments,
    linear,
    log_probabilities,
    mixture,
    perceptron,
    quadratic,
)
from estimators.information_groups import stratified

Array = np.ndarray
ASKED = 8  # positions of one sequence
UNIFORM = (0.5, 0.2, 0.05, 0.01, 0.002)  # share e of uniform
SHARPNESS = (0.3, 0.6, 1.0)
KERNELS = 128  # most contents of a mixture decoder
GAP = 0.1  # nats


def lower_end(
    training: Float64[Array, "n1 N d"],
    selection: Float64[Array, "n2 N d"],
    test: Float64[Array, "n3 N d"],
    known: Moments,
    sigma: float,
    *,
    alpha: float,
    rng: np.random.Generator,
    seed: int,
    upper: float,
) -> tuple[float, str, float]:
    """A lower end that fails with probability at most alpha, its method, and Fano's bound of the same decoder.

    The perceptron is tried only where the other decoders stay more than .1 nats below `upper`.
    """
    positions = test.shape[1]
    ceiling, count = math.log(positions), len(test)
    made = [linear(known, sigma), *(quadratic(known, sigma, share) for share in SHRINKAGE)]
    made.append(mixture(training[:KERNELS], sigma))
    points, labels = _noisy(selection, sigma, rng)

    def rated(decoder: Decoder) -> tuple[float, Decoder, float, float]:
        choices, logits = [], decoder.logits(points.reshape(-1, points.shape[-1]))
        for sharpness in SHARPNESS:
            logs = log_probabilities(logits, sharpness)
            own = np.take_along_axis(logs, labels.reshape(-1, 1), axis=1).reshape(labels.shape)
            for share in UNIFORM:
                means = _scores(own, share, ceiling).mean(axis=1)
                deviation = float(means.std(ddof=1)) if len(means) > 1 else ceiling
                price = deviation * math.sqrt(2 * math.log(1 / alpha) / count)
                price += 0.7 * (ceiling - math.log(share)) * math.log(1 / alpha) / count
                choices.append((float(means.mean()) - price, sharpness, share))
        value, sharpness, share = max(choices)
        return value, decoder, sharpness, share

    best = max((rated(one) for one in made), key=lambda one: one[0])
    if best[0] < upper - GAP:
        best = max(best, rated(perceptron(training, sigma, seed)), key=lambda one: one[0])
    _, decoder, sharpness, share = best
    points, labels = _noisy(test, sigma, rng)
    logs = log_probabilities(decoder.logits(points.reshape(-1, points.shape[-1])), sharpness)
    own = np.take_along_axis(logs, labels.reshape(-1, 1), axis=1).reshape(labels.shape)
    values = _scores(own, share, ceiling).mean(axis=1)
    minimum = math.log(share)
    values = np.clip(values, minimum, ceiling)  # rounding only
    end = betting(values, values, minimum=minimum, maximum=ceiling, confidence=1 - 2 * alpha).lower
    column = rng.integers(labels.shape[1], size=count)
    rows = np.arange(count)
    guesses = logs.argmax(axis=1).reshape(labels.shape)
    fano = _fano(int((guesses[rows, column] == labels[rows, column]).sum()), count, positions, alpha)
    if end <= 0:
        return 0.0, "nonnegative", fano
    return end, f"{decoder.name}, {share:g} uniform", fano


def _noisy(part: Float64[Array, "n N d"], sigma: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Noisy points (n, q, d) in float32 and their positions (n, q)."""
    labels = stratified(rng, len(part), part.shape[1], min(part.shape[1], ASKED))
    points = part[np.arange(len(part))[:, None], labels]
    return (points + sigma * rng.standard_normal(points.shape)).astype(np.float32), labels


def _scores(own: Array, share: float, ceiling: float) -> Array:
    """ln N + ln((1-e) q + e/N), in [ln e, ln N]."""
    return np.logaddexp(math.log1p(-share) + own + ceiling, math.log(share))


def _fano(right: int, count: int, positions: int, alpha: float) -> float:
    """`theory.information.fano` at the Clopper-Pearson lower end of the accuracy; 0 if that is below 1/N."""
    a = clopper_pearson(right, count, confidence=1 - 2 * alpha).lower
    if a <= 1 / positions:
        return 0.0
    rest = (1 - a) * math.log((1 - a) / (positions - 1)) if a < 1 else 0.0
    return max(math.log(positions) + a * math.log(a) + rest, 0.0)
