"""What heads do with far keys: sums by distance and tails against loops, groups of sequences, bad windows."""

import numpy as np
import pytest

from estimators import network_tails
from estimators.network import layer_runs, softmax
from estimators.network_member import Model, random_member
from estimators.network_tails import bias_tails, by_distance, default_windows, far_sums, head_tails
from theory.extrapolation import alibi_sums
from theory.notation import SYMBOLS

MODEL = Model(symbols=5, outputs=1, dim=8, layers=2, heads=2, mlp_width=6)
BOTH = Model(symbols=5, outputs=1, dim=8, layers=1, heads=2, mlp_width=0, causal=False)


def inputs(length, count=3, seed=0):
    return np.random.default_rng(seed).integers(0, 5, (count, length))


def tails(member, x, windows):
    return head_tails(member.network, member.positions(x.shape[1]), x, windows)


@pytest.mark.parametrize("causal", [True, False])
def test_weights_by_distance(causal):
    weights = np.random.default_rng(0).random((2, 5, 5)) * (np.tri(5) if causal else 1.0)
    found = by_distance(weights)
    for s in range(5):
        for k in range(5):
            keys = {t for t in (s - k, s + k) if 0 <= t < 5}
            np.testing.assert_allclose(found[:, s, k], sum(weights[:, s, t] for t in keys), rtol=1e-15)
    np.testing.assert_allclose(far_sums(found)[..., 0], weights.sum(axis=-1), rtol=1e-12)
    np.testing.assert_allclose(far_sums(found)[..., 3], found[..., 3] + found[..., 4], rtol=1e-12)


@pytest.mark.parametrize("model", [MODEL, BOTH])
@pytest.mark.parametrize("name", ["alibi", "sinusoidal", "rotary", "relative", "t5"])
def test_measurements_by_loops(name, model):
    member, x, windows = random_member(name, model, train_length=9, seed=1), inputs(9), (1, 2, 5)
    made = member.positions(9)
    runs = list(layer_runs(member.network, made, x))
    found = tails(member, x, windows)
    assert [(one.layer, one.head) for one in found] == [(l, h) for l in range(model.layers) for h in range(2)]
    for one in found:
        run, V = runs[one.layer], member.network.values[one.layer, one.head]
        reach, masses, least, lost, sizes, spread = [], np.zeros(9), np.ones(9), np.zeros(3), [], 0.0
        for n in range(3):
            values = run.normalised[n] @ V.T
            sizes.append(np.linalg.norm(values, axis=1).max())
            spread = max(spread, *(np.linalg.norm(a - b) for a in values for b in values))
            for s in range(9):
                keys = range(s + 1) if model.causal else range(9)
                logits = run.content[n, one.head, s, list(keys)]
                reach.append((logits.max() - logits.min()) / 2)
                alpha = run.weights[n, one.head, s]
                for w in range(9):
                    far = [t for t in keys if abs(s - t) >= w]
                    mass = alpha[far].sum()
                    masses[w] = max(masses[w], mass)
                    least[w] = min(least[w], mass) if s == 8 else least[w]
                    if w in windows:
                        near = [t for t in keys if abs(s - t) < w]
                        scores = softmax(run.content[n, one.head, s, near] + made.bias[one.head, s, near])
                        moved = np.linalg.norm(alpha[list(keys)] @ values[list(keys)] - scores @ values[near])
                        lost[windows.index(w)] = max(lost[windows.index(w)], moved)
        assert one.logit_bound == pytest.approx(max(reach), rel=1e-10)
        assert one.logit_bound >= max(reach)
        np.testing.assert_allclose(one.masses, masses, rtol=1e-10, atol=1e-300)
        np.testing.assert_allclose(one.least_masses, least, rtol=1e-10, atol=1e-300)
        np.testing.assert_allclose(one.truncations, lost, rtol=1e-9, atol=1e-13)
        assert one.value_norm == pytest.approx(max(sizes), rel=1e-10)
        assert spread <= one.value_diameter <= spread * (1 + 1e-6)
        horizon = next(w for w in range(1, 10) if w == 9 or masses[w] <= 0.3)
        assert one.horizon(0.3) == horizon


def test_groups_of_sequences_make_no_difference(monkeypatch):
    member, x = random_member("alibi", MODEL, train_length=9), inputs(9, count=5)
    whole = tails(member, x, (2,))
    monkeypatch.setattr(network_tails, "BLOCK", 2 * 9 * 9 * 2)
    for one, other in zip(whole, tails(member, x, (2,)), strict=True):
        np.testing.assert_allclose(one.masses, other.masses, rtol=1e-12)
        np.testing.assert_allclose(one.least_masses, other.least_masses, rtol=1e-12)
        assert one.logit_bound == pytest.approx(other.logit_bound, rel=1e-12)
        assert one.truncations == pytest.approx(other.truncations, rel=1e-9)


def test_masses_far_below_rounding_keep_their_digits():
    member = random_member("alibi:slope=4", MODEL, train_length=32)
    one = tails(member, inputs(32), (31,))[0]
    assert 0 < one.masses[31] < 1e-40
    assert one.truncations[0] <= one.masses[31] * one.value_diameter * (1 + 1e-10)


def test_ratios_of_alibi_are_those_of_the_theorem():
    member = random_member("alibi:slope=1/4", MODEL, train_length=8)
    found = bias_tails(member.positions(12))
    for w in (1, 4, 11):
        at = {SYMBOLS[word]: value for word, value in {"alibi_slope": 0.25, "window": w, "length": 12}.items()}
        near, far = (float(total.subs(at)) for total in alibi_sums())
        assert found.largest[0, w] == pytest.approx(far / near, rel=1e-12)
        assert found.last[1, w] == found.largest[0, w]
    assert found.oscillation[0] == pytest.approx(11 / 4)


def test_windows():
    assert default_windows(2, 8) == (1,)
    assert default_windows(33, 24) == (1, 2, 4, 8, 16, 24, 32)
    member, x = random_member("none", MODEL, train_length=8), inputs(8)
    assert tails(member, x, [])[0].truncations == ()
    for window in (0, 8, -1):
        with pytest.raises(ValueError, match="windows must be whole numbers from 1 to 7"):
            tails(member, x, [window])
    with pytest.raises(ValueError, match="give whole sequences"):
        head_tails(member.network, member.positions(8), inputs(7), [1])
    with pytest.raises(ValueError, match="n >= 1"):
        head_tails(member.network, member.positions(8), inputs(8)[:0], [1])
