"""Risks behind a window by plain enumeration in exact fractions: parity, copy, reversal, prefix sum."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from estimators.local_tasks import (
    conditional_variance,
    distribution,
    linear_floor,
    parity_accuracy,
    reversal_accuracy,
    sequence_weights,
    sequences,
    squared_risk,
    transfer,
)


def law(weights, count):
    """(sequence, probability) of every sequence, in the order of the tables."""
    total = sum(map(Fraction, weights))
    for x in itertools.product(range(len(weights)), repeat=count):
        yield x, math.prod(Fraction(weights[a]) / total for a in x)


def groups(weights, count, window):
    """Content of the window -> its (sequence, probability) pairs."""
    found = {}
    for x, p in law(weights, count):
        found.setdefault(x[count - window :], []).append((x, p))
    return found


def unseen_variance(target, weights, count, window):
    """E Var(target | window)."""
    total = Fraction(0)
    for pairs in groups(weights, count, window).values():
        mass = sum(p for _, p in pairs)
        mean = sum(p * target(x) for x, p in pairs) / mass
        total += sum(p * (target(x) - mean) ** 2 for x, p in pairs)
    return total


def test_sequences_and_their_probabilities_in_order():
    weights = [1.0, 2.0, 5.0]
    listed = list(law(weights, 3))
    assert sequences(3, 3).tolist() == [list(x) for x, _ in listed]
    np.testing.assert_allclose(sequence_weights(weights, 3), [float(p) for _, p in listed], rtol=1e-14)
    assert distribution([2.0, 6.0]).tolist() == [0.25, 0.75]


@pytest.mark.parametrize("probability", [0.5, 0.3, 0.0])
@pytest.mark.parametrize(("count", "window"), [(1, 1), (4, 1), (6, 4), (6, 6)])
def test_best_accuracy_for_parity(probability, count, window):
    p = Fraction(probability)
    best = Fraction(0)
    for content in itertools.product((0, 1), repeat=window):
        mass = [Fraction(0), Fraction(0)]
        for before in itertools.product((0, 1), repeat=count - window):
            x = before + content
            mass[sum(x) % 2] += math.prod(p if bit else 1 - p for bit in x)
        best += max(mass)
    found = parity_accuracy(probability=probability, count=count, window=window).estimate
    assert float(best) in found
    closed = (1 + abs(1 - 2 * probability) ** (count - window)) / 2
    assert found.lower == pytest.approx(closed, rel=1e-13)
    assert found.width < 1e-12
    assert float(best) * 1.001 not in found


@pytest.mark.parametrize(("symbols", "length", "window"), [(2, 5, 1), (2, 5, 3), (3, 4, 2), (3, 4, 4)])
def test_best_accuracy_for_reversal(symbols, length, window):
    """The mirrored token is seen when |length - 1 - 2 i| < window, else guessed."""
    seen = sum(abs(length - 1 - 2 * i) < window for i in range(length))
    true = (seen + Fraction(length - seen, symbols)) / length
    found = reversal_accuracy(symbols=symbols, length=length, window=window)
    assert found.estimate.lower == pytest.approx(float(true), rel=1e-14)
    assert float(true) in found.estimate
    assert found.parameters == {"vocabulary_size": symbols, "length": length, "window": window}


def task(name, count):
    """Targets on tokens 0, 1, 2: parity, copy of the first token, last token, prefix sum."""
    return {
        "parity": lambda x: Fraction(sum(x) % 2),
        "copy": lambda x: Fraction(x[0]),
        "last": lambda x: Fraction(x[-1]),
        "prefix": lambda x: Fraction(sum(x)),
    }[name]


@pytest.mark.parametrize("window", [1, 3, 4])
@pytest.mark.parametrize("name", ["parity", "copy", "last", "prefix"])
def test_squared_risk_of_a_local_predictor_against_its_floor(name, window):
    weights, count = [1.0, 2.0, 1.0], 4
    target = task(name, count)
    listed = list(law(weights, count))
    rng = np.random.default_rng(window)
    local = {c: Fraction(float(v)) for c, v in zip(groups(weights, count, window), rng.normal(size=81), strict=False)}
    wiggle = {x: Fraction(float(v)) for (x, _), v in zip(listed, 0.01 * rng.normal(size=81), strict=True)}
    predict = {x: local[x[count - window :]] + wiggle[x] for x, _ in listed}
    found = squared_risk(
        predictions=[float(predict[x]) for x, _ in listed],
        targets=[float(target(x)) for x, _ in listed],
        weights=weights,
        count=count,
        window=window,
    )
    risk = sum(p * (predict[x] - target(x)) ** 2 for x, p in listed)
    assert found.estimate.lower == pytest.approx(float(risk), rel=1e-12)
    assert found.estimate.width < 1e-11
    floor = unseen_variance(target, weights, count, window)
    assert found.parameters["unseen_variance"] == pytest.approx(float(floor), rel=1e-9, abs=1e-13)
    assert found.parameters["unseen_variance"] <= float(floor)
    ranges = [[predict[x] for x, _ in pairs] for pairs in groups(weights, count, window).values()]
    defect = max(max(one) - min(one) for one in ranges) / 2
    assert found.parameters["locality_defect"] == pytest.approx(float(defect), rel=1e-9, abs=1e-13)
    # A predictor that ignores the window's outside cannot beat the floor; a doubled floor would be broken by the best.
    assert risk >= (max(Fraction(0), Fraction(math.isqrt(int(floor * 10**12)), 10**6) - defect)) ** 2


@pytest.mark.parametrize("window", [1, 2, 4])
def test_floor_of_linear_targets(window):
    coefficients, values, weights = [1.0, -2.0, 0.5, 3.0], [0.0, 1.0, 5.0], [1.0, 1.0, 2.0]
    found = linear_floor(coefficients=coefficients, values=values, weights=weights, window=window)

    def target(x):
        return sum(Fraction(c) * Fraction(values[a]) for c, a in zip(coefficients, x, strict=True))

    floor = float(unseen_variance(target, weights, 4, window))
    assert floor in found.estimate
    assert floor == 0 or 1.0001 * floor not in found.estimate
    assert found.parameters["token_variance"] == pytest.approx(np.var([0.0, 1.0, 5.0, 5.0]), rel=1e-14)
    assert found.parameters["seen_count"] == 4
    ones = linear_floor(coefficients=[1.0] * 4, values=values, weights=weights, window=window).estimate
    assert ones.lower == pytest.approx((4 - window) * np.var([0.0, 1.0, 5.0, 5.0]), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("window", [1, 2, 3])
def test_transfer_of_the_absolute_loss(window):
    weights, count = [1.0, 3.0], 3
    rng = np.random.default_rng(window)
    f, short, wanted = rng.normal(size=8), rng.normal(size=2**window), rng.normal(size=2**window)
    found = transfer(
        predictions=f.tolist(),
        window_predictions=short.tolist(),
        targets=wanted.tolist(),
        weights=weights,
        count=count,
        window=window,
    )
    risks = [Fraction(0), Fraction(0)]
    defect = 0.0
    for k, (x, p) in enumerate(law(weights, count)):
        at = sum(bit * 2 ** (window - 1 - j) for j, bit in enumerate(x[count - window :]))
        for place, guess in enumerate((f[k], short[at])):
            risks[place] += p * abs(Fraction(float(guess)) - Fraction(float(wanted[at])))
        defect = max(defect, abs(float(f[k] - short[at])))
    assert float(abs(risks[0] - risks[1])) in found.estimate
    assert found.estimate.width < 1e-12
    assert found.parameters["locality_defect"] == pytest.approx(defect, rel=1e-14)
    assert found.estimate.lower <= found.parameters["locality_defect"]


def test_variance_within_columns():
    y, chance = np.array([[1.0, 5.0], [3.0, 5.0]]), np.array([[0.25, 0.25], [0.25, 0.25]])
    value, rounding = conditional_variance(y, chance)
    assert value == pytest.approx(0.5)
    assert rounding < 1e-12


BINARY = {"weights": [1.0, 1.0], "count": 2, "window": 1}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sequences(10, 6), "use at most"),
        (lambda: sequences(0, 2), "cannot be listed"),
        (lambda: distribution([1.0, 0.0]), "one per symbol"),
        (lambda: distribution([1.0, math.nan]), "one per symbol"),
        (lambda: squared_risk(predictions=[1.0], targets=[1.0] * 4, **BINARY), "one per sequence"),
        (lambda: squared_risk(predictions=[math.nan] * 4, targets=[1.0] * 4, **BINARY), "one per sequence"),
        (lambda: squared_risk(predictions=[1.0] * 4, targets=[1.0] * 4, **BINARY | {"window": 0}), "window"),
        (lambda: squared_risk(predictions=[1.0] * 4, targets=[1.0] * 4, **BINARY | {"window": 3}), "window"),
        (
            lambda: transfer(predictions=[1.0] * 4, window_predictions=[1.0], targets=[1.0] * 2, **BINARY),
            "one per sequence",
        ),
        (
            lambda: transfer(predictions=[1.0] * 4, window_predictions=[1.0], targets=[1.0], **BINARY | {"window": 0}),
            "window",
        ),
        (lambda: linear_floor(coefficients=[1.0], values=[1.0], weights=[1.0, 1.0], window=1), "one value per weight"),
        (lambda: linear_floor(coefficients=[1.0], values=[1.0], weights=[1.0], window=2), "window <= 1"),
        (lambda: linear_floor(coefficients=[math.nan], values=[1.0], weights=[1.0], window=1), "finite"),
        (lambda: parity_accuracy(probability=1.5, count=2, window=1), "probability <= 1"),
        (lambda: parity_accuracy(probability=math.nan, count=2, window=1), "probability <= 1"),
        (lambda: parity_accuracy(probability=0.5, count=2, window=3), "window <= count"),
        (lambda: reversal_accuracy(symbols=2, length=3, window=0), "counts the position itself"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
