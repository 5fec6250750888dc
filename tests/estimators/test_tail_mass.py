"""Mass beyond a window, sums over all distances, truncated outputs: 50 digits, corners of logits, zeta functions."""

import itertools
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.tail_mass import ascended, bias_by_distance, largest_mass, largest_weight, scaled_logits, tail_mass
from estimators.truncation import truncation_error, worst_values
from estimators.weight_sums import alibi_sum, kerple_log_sum, kerple_power_sum

few = settings(max_examples=25, deadline=None)
number = st.floats(-5, 5).map(lambda x: round(x, 3))
cases = st.integers(2, 6).flatmap(
    lambda n: st.tuples(
        st.lists(number, min_size=n, max_size=n), st.lists(number, min_size=n, max_size=n), st.integers(1, n)
    )
)


def inside(estimate, value, relative=1e-12):
    """Encloses a 50-digit number, in a narrow interval."""
    narrow = estimate.width <= relative * float(abs(value)) + 1e-20
    return mpmath.mpf(estimate.lower) <= value <= mpmath.mpf(estimate.upper) and narrow


def softmax(exponents):
    raised = [mpmath.exp(mpmath.mpf(x)) for x in exponents]
    return [x / mpmath.fsum(raised) for x in raised]


@few
@given(cases, st.floats(0, 3))
def test_masses_in_50_digits(case, bound):
    logits, bias, window = case
    s = scaled_logits(logits, bound)
    assert np.abs(s).max() <= bound
    assert not any(logits) or np.abs(s).max() == bound
    with mpmath.workdps(50):
        alpha = softmax([mpmath.mpf(a) + mpmath.mpf(b) for a, b in zip(s.tolist(), bias, strict=True)])
        far = mpmath.fsum(alpha[window:])
        found = tail_mass(
            logits=logits, logit_bound=bound, window=window, bias=bias, words=("length", "window", "tail_ratio")
        )
        assert inside(found.estimate, far)
        assert found.parameters["length"] == len(bias)
        raised = [mpmath.exp(mpmath.mpf(b)) for b in bias]
        ratio = mpmath.fsum(raised[window:]) / mpmath.fsum(raised[:window])
        low, high = found.parameters["tail_ratio"]
        assert mpmath.mpf(low) <= ratio <= mpmath.mpf(high)
        weight = largest_weight(logits=logits, logit_bound=bound, bias=bias)
        assert inside(weight.estimate, max(alpha))
        assert weight.parameters["bias_oscillation"] == pytest.approx(max(bias) - min(bias), rel=1e-14)
        corners = itertools.product((-bound, bound), repeat=len(bias))
        largest = max(
            mpmath.fsum(softmax([mpmath.mpf(c) + b for c, b in zip(one, bias, strict=True)])[window:])
            for one in corners
        )
        assert largest_mass(np.array(bias), window, bound) == pytest.approx(float(largest), rel=1e-12)
        assert found.estimate.lower <= float(largest) * (1 + 1e-12)


def test_a_mass_far_below_rounding_keeps_its_digits():
    found = tail_mass(logits=[0.0, 0.0], logit_bound=0.0, window=1, bias=[0.0, -100.0]).estimate
    assert found.lower == pytest.approx(math.exp(-100), rel=1e-12)
    assert 1 - 1 / (1 + math.exp(-100)) == 0.0


def test_biases_of_encodings_by_distance():
    np.testing.assert_allclose(bias_by_distance("alibi:slope=1/4", 5), -0.25 * np.arange(5))
    np.testing.assert_array_equal(bias_by_distance("sinusoidal", 3), 0.0)
    np.testing.assert_allclose(bias_by_distance("kerple-log:r1=2,r2=1/2", 4), -2 * np.log1p(0.5 * np.arange(4)))
    found = tail_mass(
        encoding="kerple-log:r1=2,r2=1/2",
        logits=[0.0] * 4,
        logit_bound=1.0,
        window=2,
        words=("kerple_rate", "kerple_shape"),
    )
    assert found.parameters == {"kerple_rate": 2.0, "kerple_shape": 0.5}
    slope = tail_mass(encoding="alibi:slope=1/4", logits=[0.0] * 4, logit_bound=1.0, window=2, words=("alibi_slope",))
    assert slope.parameters == {"alibi_slope": 0.25}


def test_ascent_reaches_the_largest_and_the_least_mass():
    row = bias_by_distance("alibi:slope=1/4", 6)
    start = np.random.default_rng(0).uniform(-1, 1, 6)
    for sign in (1.0, -1.0):
        s = ascended(row, 2, start, 1.5, sign=sign)
        found = tail_mass(logits=(1.5 * s).tolist(), logit_bound=1.5, window=2, bias=row.tolist()).estimate
        assert found.lower == pytest.approx(largest_mass(row, 2, sign * 1.5), rel=1e-9)


@pytest.mark.parametrize(("slope", "window"), [("1/2", 0), ("1/2", 7), ("4", 1), ("1/256", 1000)])
def test_sum_of_alibi_weights(slope, window):
    with mpmath.workdps(50):
        m = mpmath.mpf(float(eval_fraction(slope)))
        true = mpmath.exp(-m * window) / (1 - mpmath.exp(-m))
        assert inside(alibi_sum(encoding=f"alibi:slope={slope}", window=window).estimate, true, 1e-10)


def test_sum_of_slow_alibi_weights_has_a_rest_that_counts():
    found = alibi_sum(encoding="alibi:slope=1/65536", window=0).estimate
    with mpmath.workdps(30):
        true = 1 / (1 - mpmath.exp(-mpmath.mpf(1) / 65536))
    assert found.upper == pytest.approx(float(true), rel=1e-8)
    assert mpmath.mpf(found.lower) <= true <= mpmath.mpf(found.upper)


def eval_fraction(text):
    over, _, under = text.partition("/")
    return int(over) / int(under or 1)


@pytest.mark.parametrize(("rate", "shape", "window"), [("2", "1/2", 1), ("3/2", "1", 10), ("5", "2", 0)])
def test_sum_of_kerple_log_weights_by_the_zeta_function(rate, shape, window):
    found = kerple_log_sum(encoding=f"kerple-log:r1={rate},r2={shape}", window=window)
    with mpmath.workdps(50):
        r, c = mpmath.mpf(eval_fraction(rate)), mpmath.mpf(eval_fraction(shape))
        true = c**-r * mpmath.zeta(r, window + 1 / c)
        assert inside(found.estimate, true, 1e-7)
    assert found.parameters["kerple_rate"] == eval_fraction(rate)


@pytest.mark.parametrize(("rate", "shape"), [("1/2", "1"), ("1", "2"), ("1/2", "1/2")])
def test_sum_of_kerple_power_weights(rate, shape):
    found = kerple_power_sum(encoding=f"kerple-power:r1={rate},r2={shape}").estimate
    with mpmath.workdps(40):
        r, c = mpmath.mpf(eval_fraction(rate)), mpmath.mpf(eval_fraction(shape))
        if c == 1:
            true = 1 / (1 - mpmath.exp(-r))
        elif c == 2:
            true = (1 + mpmath.jtheta(3, 0, mpmath.exp(-r))) / 2
        else:
            true = mpmath.nsum(lambda k: mpmath.exp(-r * k**c), [0, mpmath.inf], method="e")
        assert inside(found, true, 1e-8)


@few
@given(cases, st.floats(0.1, 3), st.integers(1, 3), st.integers(0, 1000))
def test_truncated_output_in_50_digits(case, bound, dim, seed):
    logits, bias, window = case
    values = np.random.default_rng(seed).normal(size=(len(bias), dim)).tolist()
    found = truncation_error(logits=logits, values=values, logit_bound=bound, window=window, bias=bias)
    with mpmath.workdps(50):
        exponents = [
            mpmath.mpf(a) + mpmath.mpf(b) for a, b in zip(scaled_logits(logits, bound).tolist(), bias, strict=True)
        ]
        outputs = []
        for count in (len(bias), window):
            alpha = softmax(exponents[:count])
            outputs.append(
                [mpmath.fsum(a * mpmath.mpf(v[c]) for a, v in zip(alpha, values, strict=False)) for c in range(dim)]
            )
        moved = mpmath.sqrt(mpmath.fsum((x - y) ** 2 for x, y in zip(*outputs, strict=True)))
        slack = mpmath.mpf(10) ** -25
        assert found.estimate.lower - slack <= moved <= found.estimate.upper + slack
        assert found.estimate.width <= 1e-14 * float(moved) + 1e-25
        low, high = found.parameters["tail_mass"]
        assert mpmath.mpf(low) - slack <= mpmath.fsum(softmax(exponents)[window:]) <= mpmath.mpf(high) + slack
    apart = max(math.dist(v, w) for v in values for w in values)
    assert found.parameters["value_diameter"] == pytest.approx((apart, apart), rel=1e-12)
    # The bound, and its twin at the values that attain it
    assert found.estimate.lower <= found.parameters["tail_mass"][1] * found.parameters["value_diameter"][1] * (
        1 + 1e-14
    )


def test_worst_values_attain_the_whole_tail_mass():
    for window in (1, 3):
        found = truncation_error(
            logits=[0.5, -1.0, 0.25, 1.0],
            values=worst_values(4, window, 2),
            logit_bound=1.0,
            window=window,
            encoding="alibi:slope=1/2",
        )
        assert found.parameters["value_diameter"] == pytest.approx((1.0, 1.0))
        assert found.estimate.lower == pytest.approx(found.parameters["tail_mass"][0], rel=1e-14)
        assert found.estimate.lower > 0.99 * found.parameters["tail_mass"][1]


ONE = {"logits": [0.0, 0.0], "logit_bound": 1.0, "window": 1}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scaled_logits([], 1.0), "pass a list"),
        (lambda: scaled_logits([math.nan], 1.0), "finite"),
        (lambda: scaled_logits([1.0], -1.0), "it bounds"),
        (lambda: scaled_logits([1.0], math.nan), "it bounds"),
        (lambda: tail_mass(**ONE | {"window": 0}, bias=[0.0, 0.0]), "keep that many keys"),
        (lambda: tail_mass(**ONE | {"window": 3}, bias=[0.0, 0.0]), "keep that many keys"),
        (lambda: tail_mass(**ONE, bias=[0.0]), "one per key"),
        (lambda: tail_mass(**ONE, bias=[0.0, math.nan]), "one per key"),
        (lambda: tail_mass(**ONE, bias=[0.0, -700.0]), "use smaller biases"),
        (lambda: tail_mass(**ONE, encoding="alibbi"), "unknown encoding"),
        (lambda: truncation_error(**ONE, bias=[0.0, 0.0], values=[[1.0]]), "one per key"),
        (lambda: truncation_error(**ONE, bias=[0.0, 0.0], values=[[1.0], [math.inf]]), "finite"),
        (lambda: alibi_sum(encoding="kerple-log", window=1), "use alibi"),
        (lambda: alibi_sum(encoding="alibi:slope=1/2", window=-1), "window must be"),
        (lambda: kerple_log_sum(encoding="alibi", window=1), "use kerple-log"),
        (lambda: kerple_log_sum(encoding="kerple-log:r1=1,r2=1", window=1), "use r1 above 1"),
        (lambda: kerple_log_sum(encoding="kerple-log:r1=2,r2=1", window=-2), "window must be"),
        (lambda: kerple_power_sum(encoding="alibi"), "use kerple-power"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
