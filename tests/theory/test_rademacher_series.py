"""theory/rademacher_series.py: tensors against power series, bounds against enumerated signs."""

import itertools
import math

import numpy as np
import pytest
import sympy as sp

from theory import rademacher_series as series
from theory.normaliser import normalised_variation

MAKERS = series.SERIES_BOUNDS
VALUES = {
    "sample_size": 64,
    "readout_norm": 1.5,
    "trust_region_mean": 9.0,
    "tensor_sum": 2.0,
    "series_remainder": 0.5,
    "high_order_width": 1.0,
    "low_order_width": 6.0,
    "normaliser_width": 2.5,
    "normaliser_spread": 0.25,
    "smoothed_width": 12.0,
    "laplacian_integral": 4.0,
    "divergence": 5.0,
    "weak_variance": 30.0,
    "weak_value_energy": 20.0,
    "value_energy": 60.0,
    "dim": 4,
    "logit_dim": 3,
    "logit_norm": 1.25,
    "smoothing_scale": 0.75,
    "readout_scale": 0.5,
    "mixing": 0.75,
    "largest_normaliser": 1.75,
    "exponent": 1.5,
    "series_order": 6,
    "series_radius": 1.75,
    "majorant_energy": 3.0,
}
FALLING = {
    "sample_size",
    "dim",
    "logit_dim",
    "smoothing_scale",
    "readout_scale",
    "mixing",
    "series_order",
    "series_radius",
}


def at(bound, **changes):
    return {symbol.name: (VALUES | changes)[symbol.name] for symbol in bound.symbols}


@pytest.mark.parametrize("make", [*MAKERS.values(), *series.SERIES_LEMMAS.values()])
def test_bounds_print_evaluate_certified_and_increase(make):
    bound = make()
    lower, upper = bound.certified(**at(bound))
    assert (upper - lower) / upper < 1e-11
    assert lower * (1 - 1e-12) <= bound.evaluate(**at(bound)) <= upper * (1 + 1e-12)
    assert bound._repr_latex_().startswith("$")
    for symbol in bound.symbols:
        if symbol.name not in FALLING:
            more = bound.evaluate(**at(bound, **{symbol.name: VALUES[symbol.name] * 1.25}))
            assert more >= bound.evaluate(**at(bound)) * (1 - 1e-15), symbol


@pytest.mark.parametrize("name", MAKERS)
def test_both_read_out_balls_share_the_statement(name):
    assert MAKERS[name]("l1").expression == MAKERS[name]("l2").expression
    with pytest.raises(ValueError, match="l2 or l1"):
        MAKERS[name]("linf")
    zero = dict.fromkeys(at(MAKERS[name]()), 0) | {"sample_size": 3}
    assert MAKERS[name]().safe(**zero) == 0


def head(seed, n=4, length=3, p=2, d=2, scale=1.0):
    rng = np.random.default_rng(seed)
    keys, values = rng.normal(size=(n, length, p)), rng.normal(size=(n, length, d))
    keys /= np.linalg.norm(keys, axis=2, keepdims=True) / scale
    values /= np.linalg.norm(values, axis=2, keepdims=True)
    pi = rng.dirichlet(np.full(length, 2.0))
    return pi, keys - (pi @ keys)[:, None], values - (pi @ values)[:, None], pi @ values, values


def norms(pi, keys, values, order):
    """nu_iq and zeta_ip from Gram matrices (n, order)."""
    gram, weight = keys @ keys.transpose(0, 2, 1), pi[:, None] * pi
    inner = values @ values.transpose(0, 2, 1)
    powers = [gram**q for q in range(1, order + 1)]
    factorials = [math.factorial(q) for q in range(1, order + 1)]
    nu = [np.sqrt(np.maximum((weight * inner * g).sum((1, 2)), 0)) / f for g, f in zip(powers, factorials, strict=True)]
    zeta = [np.sqrt(np.maximum((weight * g).sum((1, 2)), 0)) / f for g, f in zip(powers, factorials, strict=True)]
    return np.array(nu).T, np.array(zeta).T


def bombieri(polynomial, order):
    """Frobenius norm of the symmetric tensor of each degree of a vector of polynomials in two variables."""
    weights = [math.factorial(a) * math.factorial(q - a) / math.factorial(q) for q in [order] for a in range(order + 1)]
    return math.sqrt(sum(weights[a] * (polynomial[a, order - a] ** 2).sum() for a in range(order + 1)))


def test_beta_bounds_the_tensors_of_attention():
    """Degree by degree, a = N/Z as power series in two variables; leaving Z out is caught."""
    order, ratios, naive = 6, [], []
    for seed in range(40):
        pi, keys, values, _, _ = head(seed, n=1, scale=2.0)
        t, v = keys[0], values[0]
        shape = (order + 1, order + 1)
        n_part, z_part = np.zeros((*shape, 2)), np.zeros(shape)
        for a, b in itertools.product(range(order + 1), repeat=2):
            if a + b <= order:
                mono = pi * t[:, 0] ** a * t[:, 1] ** b / (math.factorial(a) * math.factorial(b))
                n_part[a, b], z_part[a, b] = mono @ v, mono.sum()
        found = np.zeros_like(n_part)
        for q in range(1, order + 1):
            for a in range(q + 1):
                b = q - a
                lower = sum(
                    z_part[i, j] * found[a - i, b - j]
                    for i, j in itertools.product(range(a + 1), range(b + 1))
                    if i + j > 0
                )
                found[a, b] = n_part[a, b] - lower
        nu, zeta = norms(pi, keys, values, order)
        beta = [float(x) for x in series.bombieri_coefficients(list(nu[0]), list(zeta[0]))]
        size = [bombieri(found, q) for q in range(1, order + 1)]
        ratios.append(max(s / x for s, x in zip(size, beta, strict=True)))
        naive.append(max(s / x for s, x in zip(size, nu[0], strict=True)))
    assert 0.5 < max(ratios) <= 1 + 1e-9
    assert max(naive) > 1.05


def suprema(pi, keys, values, outputs, radius):
    """Mean over all signs of the largest |sum eps_i a_i(w)| on a grid of the disc: a lower end of the truth."""
    angles, radii = np.linspace(0, 2 * np.pi, 24, endpoint=False), np.linspace(0.1, 1, 8) * radius
    grid = np.array([(r * np.cos(a), r * np.sin(a)) for r, a in itertools.product(radii, angles)] + [(0.0, 0.0)])
    logits = np.einsum("itp,wp->wit", keys, grid)
    alpha = pi * np.exp(logits)
    a = np.einsum("wit,itd->wid", alpha / alpha.sum(2, keepdims=True), values) + outputs
    signs = np.array(list(itertools.product((-1.0, 1.0), repeat=len(keys))))
    linear = np.einsum("t,itd,itp->idp", pi, values, keys)
    s0, jacobian = signs @ outputs, np.einsum("ki,idp->kdp", signs, linear)
    return np.linalg.norm(np.einsum("ki,wid->kwd", signs, a), axis=2).max(1).mean(), s0, jacobian


def trust(s0, jacobian, radius):
    """Upper end of E max |S_0 + Jw|: triangle inequality with the operator norm."""
    return (np.linalg.norm(s0, axis=1) + radius * np.linalg.norm(jacobian, 2, axis=(1, 2))).mean()


@pytest.mark.parametrize(("scale", "radius"), [(0.25, 1.0), (0.5, 1.0), (1.0, 1.0)])
def test_series_bound_on_enumerated_signs(scale, radius):
    order = 14
    for seed in range(4):
        pi, keys, values, outputs, _ = head(seed, scale=scale)
        truth, s0, jacobian = suprema(pi, keys, values, outputs, radius)
        nu, zeta = norms(pi, keys, values, order)
        outer = 1.5 * radius
        size = outer * np.linalg.norm(keys, axis=2)
        above = np.exp(size) - sum(size**q / math.factorial(q) for q in range(order + 1))
        powers = outer ** np.arange(1, order + 1)
        small = (zeta * powers)[:, 1:].sum(1) + above @ pi
        if small.max() >= 1:
            assert scale == 1.0
            continue
        majorant = ((nu * powers).sum(1) + (above * np.linalg.norm(values, axis=2)) @ pi) / (1 - small)
        beta = np.array([series.bombieri_coefficients(list(x), list(z)) for x, z in zip(nu, zeta, strict=True)], float)
        degree = radius ** np.arange(2, order + 1)
        tail = series.series_tail().safe(
            logit_norm=radius, series_radius=outer, series_order=order, majorant_energy=(majorant**2).sum()
        )
        words = {
            "sample_size": 1,
            "readout_norm": 1,
            "trust_region_mean": trust(s0, jacobian, radius),
            "tensor_sum": 0,
            "series_remainder": (np.linalg.norm(beta[:, 1:], axis=0) * degree).sum() + tail,
        }
        bound = series.taylor_bombieri()
        assert truth <= bound.safe(**words)
        assert truth > bound.scaled(sp.Rational(1, 3)).safe(**words)


@pytest.mark.parametrize("radius", [0.5, 2.0])
def test_division_free_bound_on_enumerated_signs(radius):
    order, kappa = 20, float(normalised_variation()[1])
    for seed, theta, m in itertools.product(range(3), (0.0, 0.6, 1.0), (1, 2)):
        pi, keys, values, outputs, raw = head(seed)
        truth, s0, jacobian = suprema(pi, keys, values, outputs, radius)
        nu, zeta = norms(pi, keys, values, order)
        spans = np.array([max(np.linalg.norm(x - y) for x, y in itertools.combinations(v, 2)) for v in raw])
        size = radius * np.linalg.norm(keys, axis=2)
        above = float(sp.N(series.exponential_tail(order, sp.Rational(float(size.max()))), 20))
        powers = radius ** np.arange(1, order + 1)
        x = np.linalg.norm(nu, axis=0) * powers
        y = np.linalg.norm(kappa * spans[:, None] * zeta, axis=0) * powers
        largest = (np.exp(size) @ pi).max()
        words = {
            "sample_size": 1,
            "readout_norm": 1,
            "trust_region_mean": trust(s0, theta * jacobian, radius),
            "tensor_sum": theta * x[1] * (m == 2),
            "high_order_width": x[m:].sum() + above * np.linalg.norm((pi * np.linalg.norm(values, axis=2)).sum(1)),
            "low_order_width": x[:m].sum(),
            "normaliser_spread": series.spread().certified(mixing=theta, largest_normaliser=largest)[1],
            "normaliser_width": y[1:].sum() + above * kappa * np.linalg.norm(spans),
        }
        bound = series.division_free()
        assert truth <= bound.safe(**words)
        assert truth > bound.scaled(sp.Rational(1, 40)).safe(**words)


def test_smoothed_and_semigroup_on_enumerated_signs():
    """One query coordinate, scalar values: P_tau by Gauss-Hermite; the smoothed sum and the whole chain."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    for seed, radius in itertools.product(range(3), (0.5, 3.0)):
        n, tau0, sigma = 6, 1.0, 0.6
        pi, keys, values, outputs, raw = head(seed, n=n, p=1, d=1)
        signs = np.array(list(itertools.product((-1.0, 1.0), repeat=n)))

        def sums(w, pi=pi, keys=keys, values=values, outputs=outputs):
            alpha = pi * np.exp(np.multiply.outer(w, keys[:, :, 0]))
            return (alpha * values[:, :, 0]).sum(-1) / alpha.sum(-1) + outputs[:, 0]

        grid = np.linspace(-radius, radius, 81)
        smooth = np.einsum("g,wgi->wi", weights, sums(grid[:, None] + tau0 * nodes))
        energy = (raw**2).max((1, 2)).sum()
        words = {"dim": 1, "logit_dim": 1, "logit_norm": radius, "readout_scale": sigma, "value_energy": energy}
        lemma, words = series.smoothed(), words | {"smoothing_scale": tau0, "weak_value_energy": energy}
        assert np.abs(signs @ smooth.T).max(1).mean() <= lemma.safe(**words)
        assert np.abs(signs @ smooth.T).max(1).mean() > lemma.scaled(sp.Rational(1, 6)).safe(**words)
        span, spread_of_keys = np.ptp(raw[:, :, 0], axis=1), np.ptp(keys[:, :, 0], axis=1)
        laplacian = (span * spread_of_keys**2 / 4) ** 2  # |Cov(v, |k - mean|^2)| <= D_v D_k^2/4
        ends = np.linspace(0, tau0**2, 41)
        steps = []
        for left in ends[:-1]:
            if left == 0:
                steps.append(np.sqrt(laplacian).sum())
                continue
            kl = series.divergence_bound().certified(
                dim=1, logit_dim=1, logit_norm=radius, smoothing_scale=math.sqrt(left), readout_scale=sigma
            )[1]
            steps.append(min(math.sqrt(2 * kl * laplacian.sum() * (1 + sigma**2)), np.sqrt(laplacian).sum()))
        integral = 0.5 * sum(steps) * (ends[1] - ends[0])
        bound = series.semigroup()
        given = {
            "sample_size": 1,
            "readout_norm": 1,
            "smoothed_width": lemma.safe(**words),
            "laplacian_integral": integral,
        }
        truth = np.abs(signs @ sums(grid).T).max(1).mean()
        assert truth <= bound.safe(**given)
        assert truth > bound.scaled(sp.Rational(1, 8)).safe(**given)
