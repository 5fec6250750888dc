"""Intervals of positional information from samples and from listed laws: coverage of known values, ends, bad input."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binom

from estimators import information_lower
from estimators.discrete_channels import information, normalised
from estimators.gaussian_codes import line_information, sampled_information
from estimators.information_bracket import brackets, scale_of, split
from estimators.information_exact import exact_informations
from estimators.information_sites import Inputs, activations
from estimators.latent_position import encoding_biases, encoding_variances, latent_information
from estimators.network_member import Model, random_member

FAR = 30.0  # standard deviations between the symbols of a discrete channel


def heads(rng, encoding, length, sequences):
    """What a content-free causal head makes of i.i.d. normal values (6.7), and the exact information in one channel."""
    variances = np.array(encoding_variances(encoding, length, 0, 1.0, 0.0))
    weights = np.zeros((length, length))
    for i in range(length):
        weights[i, : i + 1] = np.exp(encoding_biases(encoding, i + 1))
    weights /= weights.sum(axis=1, keepdims=True)
    drawn = (rng.standard_normal((sequences, length)) @ weights.T)[..., None]
    return drawn, lambda sigma: latent_information(list(variances + sigma**2), 1)


def gaussian_code(rng, sequences):
    """A deterministic code in one channel; its information by quadrature."""
    code = np.linspace(-1, 1, 12)[:, None] ** 3
    return np.repeat(code[None], sequences, axis=0), lambda sigma: line_information(code, sigma)


def channel(rng, sequences):
    """A discrete channel as points that noise does not confuse; its information by enumeration."""
    weights = np.random.default_rng(5).dirichlet(np.full(4, 0.5), size=6)
    steps = weights.cumsum(axis=1)[:, :-1]
    symbols = (rng.random((sequences, 6, 1)) > steps).sum(axis=2)
    truth = float(information(normalised(weights.tolist())))
    return FAR * symbols[..., None].astype(float), lambda sigma: truth


@pytest.fixture(autouse=True)
def no_perceptron(request, monkeypatch):
    """It is compiled anew for every shape; the slow tests, and one of the decoders, train it."""
    if "slow" not in request.keywords:
        monkeypatch.setattr(information_lower, "GAP", math.inf)


KNOWN = {
    "none, 16": lambda rng, count: heads(rng, "none", 16, count),
    "none, 64": lambda rng, count: heads(rng, "none", 64, count),
    "alibi, 16": lambda rng, count: heads(rng, "alibi:slope=0.25", 16, count),
    "alibi, 64": lambda rng, count: heads(rng, "alibi:slope=0.25", 64, count),
    "code": gaussian_code,
    "channel": channel,
}


def covered(name, noise, repetitions, sequences, confidence):
    """How many intervals contain the truth; every one keeps to [0, ln N] and names its methods."""
    inside = 0
    for seed in range(repetitions):
        held, truth = KNOWN[name](np.random.default_rng([7, seed]), sequences)
        (found,) = brackets(held, [noise], confidence=confidence, seed=seed)
        exact = truth(found.sigma)
        low, high = (exact, exact) if isinstance(exact, float) else (exact.lower, exact.upper)
        ends = found.information
        assert 0 <= ends.lower <= ends.upper <= math.log(held.shape[1]) + 1e-9
        assert found.method_lower
        assert found.method_upper
        inside += ends.lower <= high and low <= ends.upper and not found.crossed
    return inside


@pytest.mark.parametrize(("name", "noise"), [("none, 16", 0.3), ("code", 0.2), ("channel", 0.01)])
def test_intervals_cover_what_is_known(name, noise):
    """30 repetitions at 90 %: fewer than 23 would have probability below 2 % if the coverage were 90 %."""
    assert covered(name, noise, 30, 256, 0.9) >= int(binom.ppf(0.02, 30, 0.9))


@pytest.mark.slow
@pytest.mark.parametrize("name", KNOWN)
def test_intervals_cover_in_ninety_nine_of_a_hundred(name):
    """300 repetitions at 99 %: fewer than 292 would have probability below 1 % if the coverage were 99 %."""
    noise = {"channel": 0.01}.get(name, 0.3)
    assert covered(name, noise, 300, 512, 0.99) >= int(binom.ppf(0.01, 300, 0.99))


def test_sampled_and_listed_laws_agree():
    """One network, its inputs once drawn and once listed: the intervals meet at every layer."""
    model = Model(symbols=2, outputs=1, dim=4, layers=2, heads=2, mlp_width=4)
    member, inputs = random_member("alibi", model, train_length=6), Inputs("symbols", 6, 2)
    listed = activations(member, inputs.all(member.network), ("residual",))
    drawn = activations(member, inputs.draw(member.network, 2000), ("residual",))
    for (layer, _, all_of_it), (_, _, some) in zip(listed, drawn, strict=True):
        (one,) = brackets(np.asarray(some), [0.3], confidence=0.999)
        (exact,) = exact_informations(np.asarray(all_of_it), [0.3], confidence=0.999, sigma=[one.sigma])
        assert one.information.lower <= exact.information.upper
        assert exact.information.lower <= one.information.upper
        assert exact.information.lower >= 0.1 * (layer > 0)


def test_a_wrong_answer_would_be_seen():
    """The falsified twin: intervals of one head do not contain the information of another at the same length."""
    rng = np.random.default_rng(3)
    code = rng.standard_normal((12, 2))
    (found,) = brackets(np.repeat(code[None], 1024, axis=0), [0.3], confidence=0.99)
    truth = sampled_information(code, found.sigma)
    assert found.information.lower <= truth.upper
    assert truth.lower <= found.information.upper
    assert sampled_information(code, 2 * found.sigma).upper < found.information.lower
    assert sampled_information(code, found.sigma / 3).lower > found.information.upper


def test_widths_of_sampled_intervals():
    """Content information below 3 nats: width at most .10 at 95 %, from 40,000 sequences of one channel."""
    held, truth = heads(np.random.default_rng(1), "none", 16, 40_000)
    (found,) = brackets(held, [0.3], confidence=0.95)
    assert found.content_information <= 3
    assert found.information.width <= 0.10
    assert found.information.lower <= truth(found.sigma).lower <= found.information.upper
    assert found.fano < found.information.lower


def test_limits_of_the_noise():
    code = np.random.default_rng(0).standard_normal((32, 4))
    for contents in (code[None], np.stack([code, code])):
        small, large = exact_informations(contents, [1e-6, 1e6], confidence=0.95)
        assert small.information.lower >= math.log(32) - 0.01
        assert small.information.upper <= math.log(32) + 1e-9
        assert large.information.lower == 0
        assert large.information.upper <= 1e-9
    sampled = brackets(np.repeat(code[None], 600, axis=0), [1e-3, 1e6], radius=float(np.abs(code).sum()))
    assert sampled[0].information.lower >= math.log(32) - 0.3
    assert sampled[1].information.upper <= 1e-6
    assert sampled[1].method_upper == "second-moment cap"


def test_splits_are_disjoint_and_sigma_is_of_training_alone():
    held = np.arange(200.0).reshape(200, 1, 1).repeat(2, axis=1)
    parts = split(held, np.random.default_rng(0))
    several = [part[:, 0, 0].tolist() for part in (parts.training, parts.selection, parts.test, parts.groups)]
    assert sorted(itertools.chain(*several)) == list(range(200))
    assert [len(one) for one in several] == [25, 12, 62, 101]
    assert scale_of(parts.training) == pytest.approx(math.sqrt(np.mean(parts.training**2)))


def test_same_seed_same_numbers():
    held, _ = heads(np.random.default_rng(0), "none", 8, 128)
    assert brackets(held, [0.3], seed=1) == brackets(held, [0.3], seed=1)
    assert brackets(held, [0.3], seed=1) != brackets(held, [0.3], seed=2)


@pytest.mark.parametrize("unit", [1e-250, 1e90])
def test_units_do_not_matter(unit):
    held, _ = heads(np.random.default_rng(0), "none", 8, 128)
    (plain,), (scaled,) = (brackets(unit_ * held, [0.3]) for unit_ in (1.0, unit))
    assert scaled.sigma == pytest.approx(unit * plain.sigma, rel=1e-12)
    assert scaled.information.lower == pytest.approx(plain.information.lower, abs=1e-4)
    assert scaled.information.upper == pytest.approx(plain.information.upper, abs=1e-6)
    (plain,), (scaled,) = (exact_informations(unit_ * held[:3], [0.3]) for unit_ in (1.0, unit))
    assert scaled.information.lower == pytest.approx(plain.information.lower, abs=1e-6)


@pytest.mark.parametrize("noise", [1e-9, 1e9])
def test_extreme_noise_gives_no_nan(noise):
    held, _ = heads(np.random.default_rng(0), "none", 8, 128)
    for (one,) in (brackets(held, [noise]), brackets(held + 1e6, [noise]), exact_informations(held[:4], [noise])):
        assert 0 <= one.information.lower <= one.information.upper <= math.log(8)
        assert 0 <= one.content_information <= one.content_limit + 1e-9


@pytest.mark.parametrize(
    ("held", "told"),
    [
        (np.zeros((100, 4)), "shape"),
        (np.zeros((100, 0, 4)), "shape"),
        (np.ones((100, 1, 4)), "one position"),
        (np.random.default_rng(0).random((63, 4, 2)), "at least 64"),
        (np.ones((100, 4, 2)), "constant"),
        (np.where(np.arange(800).reshape(100, 4, 2) == 5, np.nan, 1.0), "NaN"),
        (np.full((100, 4, 2), np.inf), "infinite"),
        (np.array(["a"] * 8).reshape(2, 2, 2), "shape"),
    ],
)
def test_bad_activations_are_told(held, told):
    with pytest.raises(ValueError, match=told):
        brackets(held, [0.3])


@pytest.mark.parametrize("noise", [0.0, -1.0, math.nan, math.inf])
def test_bad_noise_is_told(noise):
    held = np.random.default_rng(0).random((100, 4, 2))
    with pytest.raises(ValueError, match="positive"):
        brackets(held, [noise])
    with pytest.raises(ValueError, match="positive"):
        exact_informations(held, [noise])
    with pytest.raises(ValueError, match="between 1e-09"):
        brackets(held, [1e-10])
    with pytest.raises(ValueError, match="confidence"):
        brackets(held, [1.0], confidence=1.0)
