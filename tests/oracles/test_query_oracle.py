"""Self-checks of the brute-force oracle (independent of the library)."""

import itertools
import json
import math

import mpmath
import numpy as np
import pytest
from adversarial import KINDS, adversarial_tokens
from query_oracle import (
    attention,
    frozen_complexity,
    identical_complexity,
    oracle_arrays,
    oracle_complexity,
    oracle_supremum,
    sign_classes,
)
from record_oracle_values import DATA, ENCODINGS, SAMPLES, sample
from scipy.optimize import minimize
from upper_oracle import oracle_supremum_upper

ENTRIES = json.loads((DATA / "oracle_values.json").read_text())["entries"]


def arrays_of(entry):
    x = np.load(DATA / f"{entry['array']}.npy")
    return oracle_arrays(entry["name"], x, **entry["parameters"])


def objective(arrays, eps, w, readout):
    """g at given feasible queries, written with plain loops over samples: arrays, eps (n,), w (P, d)."""
    keys, values, bias = arrays
    total = 0.0
    for sign, k, v in zip(eps, keys, values, strict=True):
        p = np.exp(w @ k.T + bias)
        total = total + sign * (p @ v) / p.sum(axis=1, keepdims=True)
    return np.linalg.norm(total, axis=1, ord=2 if readout == "l2" else np.inf) / len(keys)


@pytest.mark.parametrize("n", range(1, 11))
def test_random_walk_mean(n):
    mean = np.mean([abs(sum(e)) for e in itertools.product((-1, 1), repeat=n)])
    assert identical_complexity(1.0, n) == pytest.approx(mean / n, rel=1e-14)
    x = adversarial_tokens("identical", n, 3, 2, n)
    keys, values, bias = oracle_arrays("alibi", x)
    a = np.linalg.norm(attention(keys, values, bias, np.zeros((1, 2)))[0, :, 0])
    assert frozen_complexity(keys, values, bias) == pytest.approx(identical_complexity(a, n), rel=1e-13)
    assert oracle_complexity(keys, values, bias, 0.0) == pytest.approx(identical_complexity(a, n), rel=1e-13)


def test_softmax_in_fifty_digits():
    x = sample("sample_n6_T5_d2")[:1, :3]
    keys, values, bias = oracle_arrays("kerple-log", x)
    w = np.array([1.25, -0.75])
    with mpmath.workdps(50):
        e = []
        for j in range(3):
            score = sum(mpmath.mpf(float(w[c])) * mpmath.mpf(float(keys[0, j, c])) for c in range(2))
            e.append(mpmath.exp(score - mpmath.log(1 + (2 - j))))
        exact = [sum(e[j] * mpmath.mpf(float(x[0, j, c])) for j in range(3)) / sum(e) for c in range(2)]
    got = attention(keys, values, bias, w[None])[0, :, 0]
    assert np.max(np.abs(got - [float(v) for v in exact])) < 4e-16


def test_encodings():
    x = sample("sample_n6_T5_d2")
    keys, values, _ = oracle_arrays("rotary", x)
    assert np.array_equal(keys[:, -1], x[:, -1])
    assert np.allclose(np.linalg.norm(keys, axis=2), np.linalg.norm(x, axis=2))
    turn = np.array([[math.cos(1), -math.sin(1)], [math.sin(1), math.cos(1)]])
    assert np.allclose(keys[:, -3], x[:, -3] @ (turn @ turn).T)
    keys, values, _ = oracle_arrays("sinusoidal", np.zeros((1, 7, 3)))
    assert np.mean(np.sum(keys**2, axis=2)) == pytest.approx(1)
    keys, values, _ = oracle_arrays("sinusoidal", np.zeros((1, 7, 4)), unit_power=False, keys_only=True)
    expected = [math.sin(5), math.cos(5), math.sin(0.05), math.cos(0.05)]
    assert np.allclose(keys[0, 5], expected)
    assert not values.any()
    assert np.allclose(oracle_arrays("alibi", x, slope=2.0)[2], [-8, -6, -4, -2, 0])
    assert np.allclose(oracle_arrays("kerple-power", x, r1=2.0, r2=0.5)[2], -2 * np.sqrt([4, 3, 2, 1, 0]))


def test_committed_arrays_are_the_seeded_ones():
    for name in SAMPLES:
        assert np.array_equal(np.load(DATA / f"{name}.npy"), sample(name))
    assert len(ENTRIES) == len(SAMPLES) * len(ENCODINGS) * 6


@pytest.mark.parametrize("entry", [e for e in ENTRIES if "n6" in e["array"]], ids=lambda e: e["encoding"])
def test_grid_refined_twice_and_upper_bound(entry):
    arrays, signs = arrays_of(entry), sign_classes(6)
    fine = oracle_complexity(*arrays, entry["B_w"], 1.0, entry["readout"], n_r=96, n_phi=384, n_best=10)
    assert fine == pytest.approx(entry["value"], rel=1e-9)
    upper = oracle_supremum_upper(*arrays, signs, entry["B_w"], 1.0, entry["readout"]).mean()
    assert entry["frozen"] < entry["value"] <= upper <= entry["value"] * (1 + 2e-6)


@pytest.mark.parametrize("entry", ENTRIES[::5], ids=lambda e: f"{e['array']}-{e['encoding']}")
def test_random_and_scipy_queries_do_not_exceed(entry):
    arrays, rng, B = arrays_of(entry), np.random.default_rng(1), entry["B_w"]
    signs = sign_classes(len(arrays[0]))
    signs = signs[rng.choice(len(signs), 6, replace=False)]
    g = oracle_supremum(*arrays, signs, B, 1.0, entry["readout"])
    angle, radius = rng.uniform(0, 2 * np.pi, 20000), B * rng.uniform(size=20000) ** 0.5
    radius[::4] = B
    w = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    for eps, value in zip(signs, g, strict=True):
        f = objective(arrays, eps, w, entry["readout"])
        assert f.max() <= value * (1 + 1e-12)
        start = f.argmax()

        def negative(u, eps=eps):
            radius = min(max(u[0], 0), B)  # polar, clipped: every evaluated query is feasible
            query = radius * np.array([[np.cos(u[1]), np.sin(u[1])]])
            return -objective(arrays, eps, query, entry["readout"])[0]

        polished = minimize(negative, [radius[start], angle[start]], method="Nelder-Mead",
                            options={"xatol": 1e-9, "fatol": 1e-15, "maxiter": 400})  # fmt: skip
        assert -polished.fun <= value * (1 + 1e-10)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [1, 2])
def test_adversarial_families(kind, d):
    x = adversarial_tokens(kind, 5, 4, d, 3)
    arrays, rng, signs = oracle_arrays("alibi", x), np.random.default_rng(2), sign_classes(5)
    scale = np.linalg.norm(x, axis=2).max()
    g = oracle_supremum(*arrays, signs, 2.0)
    fine = oracle_supremum(*arrays, signs, 2.0, n_r=96, n_phi=384, n_best=10)
    assert np.all(np.abs(g - fine) <= 1e-9 * np.abs(fine) + 1e-15 * scale)
    upper = oracle_supremum_upper(*arrays, signs, 2.0, lower=g, budget=20_000)
    assert np.all(g <= upper)
    w = rng.standard_normal((4000, d))
    w *= 2.0 * rng.uniform(size=(4000, 1)) ** 3 / np.linalg.norm(w, axis=1, keepdims=True)
    values = attention(*arrays, w)
    for eps, value, top in zip(signs, g, upper, strict=True):
        f = np.linalg.norm(np.tensordot(eps, values, 1), axis=0).max() / 5
        assert f <= value * (1 + 1e-10) + 1e-15 * scale
        assert f <= top
    if kind == "identical":
        sup = oracle_supremum(*arrays, np.ones((1, 5)), 2.0)[0]
        assert g.mean() == pytest.approx(identical_complexity(sup, 5), rel=1e-10)
