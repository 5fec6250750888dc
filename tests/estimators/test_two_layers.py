"""U12 and U13: reduction, every gradient and Laplacian bound against automatic differentiation, and whole bounds
against attained values under all signs; each check also rejects a falsified twin."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from adversarial import adversarial_tokens
from scipy.integrate import quad
from scipy.special import expit
from two_layer_oracle import (
    attend,
    ball,
    laplacian_blocks,
    remainder_slopes,
    two_layer_suprema,
    two_layer_vector,
)

from estimators.supremum.two_layers import two_layers
from estimators.supremum.two_layers_paths import Radii, geometry, norm_mean, paths, remainder_gradients
from estimators.supremum.two_layers_semigroup import (
    Noise,
    constants,
    laplacians,
    logistic_mean,
    mean_variance,
    quartic_form,
    semigroup,
    weak_variances,
)

DIM, LENGTH, POINTS = 2, 4, 400
SHAPE = (DIM, DIM)


def biases(kind, length=LENGTH):
    i = np.arange(length)
    table = -0.7 * np.abs(i[:, None] - i[None]) if kind.startswith("alibi") else np.zeros((length, length))
    if kind.endswith("causal"):
        table = np.where(i[:, None] >= i[None], table, -np.inf)
    if kind == "random":
        table = 2 * np.random.default_rng(5).standard_normal((length, length))
    return table


def samples(count=16):
    """Unit tokens, opposite clusters (which attain Popoviciu), tokens far from the origin, on a line, at one point."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((count, LENGTH, DIM))
    x[0::4] /= np.linalg.norm(x[0::4], axis=2, keepdims=True)
    pole = rng.standard_normal((len(x[1::4]), 1, DIM))
    x[1::4] = pole * rng.choice([-1.0, 1.0], (len(pole), LENGTH, 1)) + 0.05 * x[1::4]
    x[2::4] += 2.0 * pole
    x[3::4] = pole * rng.standard_normal((len(pole), LENGTH, 1))
    x[-1] = x[-1, :1]
    return x


@pytest.mark.parametrize("kind", ["none", "alibi-causal", "random"])
def test_the_reduction_to_free_blocks_is_exact(kind):
    rng, bias = np.random.default_rng(1), biases(kind)
    for x in samples():
        V1, V2, W1, W2 = rng.standard_normal((4, DIM, DIM))
        u = rng.standard_normal(DIM)
        c, y = V1.T @ u, V2.T @ u
        z, P, Q, S = V1.T @ y, V1.T @ W2, W2 @ V1, V1.T @ W2 @ V1
        g = np.asarray(attend(x, x, x, W1, bias))
        logits = x @ W2.T @ x[-1] + x @ P.T @ g[-1] + g @ Q.T @ x[-1] + g @ S.T @ g[-1] + bias[-1]
        alpha = np.asarray(jax.nn.softmax(logits))
        reduced = u @ x[-1] + c @ g[-1] + y @ (alpha @ x) + z @ (alpha @ g)
        direct = u @ np.asarray(two_layer_vector({"V1": V1, "V2": V2, "W1": W1, "W2": W2}, x, bias))
        assert abs(reduced - direct) <= 1e-13 * (1 + np.abs(x).max() ** 2) * (1 + abs(direct))


@pytest.mark.parametrize(
    ("kind", "radii"),
    [
        ("none", (0.3, 0.3, 0.3, 0.3)),
        ("alibi-causal", (1.0, 0.5, 2.0, 1.0)),
        ("random", (0.2, 1.0, 0.5, 4.0)),
        ("none", (0.05, 0.05, 0.2, 0.2)),
    ],
)
def test_remainder_gradients_against_autodiff(kind, radii):
    rng, bias, x = np.random.default_rng(2), biases(kind), samples()
    radii = Radii(*radii)
    sizes = (radii.nu2, radii.nu1 * radii.nu2, radii.nu1, radii.om1, radii.om2)
    shapes = ((DIM,), (DIM,), SHAPE, SHAPE, SHAPE)
    points = [jnp.asarray(ball(rng, size, shape, POINTS)) for size, shape in zip(sizes, shapes, strict=True)]
    tightest = {}
    for linear in (False, True):
        slopes = remainder_slopes(tuple(points), jnp.asarray(x), jnp.asarray(bias), linear)
        claimed = remainder_gradients(geometry(x, bias), radii, linear)
        for name, slope in zip(claimed, slopes, strict=True):
            found = np.sqrt(np.asarray(slope**2).sum(axis=tuple(range(2, slope.ndim)))).max(axis=1)
            assert np.all(found <= claimed[name] * (1 + 1e-9) + 1e-12), (name, linear)
            ratio = found / np.maximum(claimed[name], 1e-300)
            tightest[name] = max(tightest.get(name, 0.0), float(ratio[claimed[name] > 1e-9].max()))
    # The twins: bounds divided by four are exceeded.
    assert max(tightest.values()) > 0.25
    if kind == "none":
        assert min(tightest[name] for name in ("y", "V1", "W1")) > 0.25


def test_mixed_third_cumulants_reach_one_eighth():
    """The constant 1/(6 sqrt3) of a pure second derivative is exceeded by three different readings."""
    readings = np.array([p for p in itertools.product([-0.5, 0.5], repeat=3) if np.prod(p) > 0])
    centred = readings - readings.mean(axis=0)
    assert np.isclose(centred.prod(axis=1).mean(), 1 / 8)
    assert 1 / (6 * np.sqrt(3)) < 1 / 8


@pytest.mark.parametrize(("kind", "nu", "om"), [("none", 0.5, 0.5), ("alibi-causal", 1.0, 2.0), ("random", 0.2, 4.0)])
def test_laplacians_against_autodiff(kind, nu, om):
    rng, bias, x = np.random.default_rng(3), biases(kind), samples()
    sizes = (om, nu * om, nu * om, nu**2 * om, om)
    points = tuple(jnp.asarray(ball(rng, size, SHAPE, 200)) for size in sizes)
    tau = Noise(0.7, 0.4, 0.5, 0.3, 0.6)
    found = laplacian_blocks(points, jnp.asarray(x), jnp.asarray(bias))
    shape = geometry(x, bias)
    known = constants(shape)
    near = {}
    groups = {"logits": tau._replace(w1=0.0), "W2": Noise(1, 0, 0, 0, 0), "W1": Noise(0, 0, 0, 0, 1), "all": tau}
    for name, scales in groups.items():
        total = np.einsum("b,nmbkd->nmkd", np.asarray(scales) ** 2, np.asarray(found))
        attained = np.linalg.norm(total, axis=3).max(axis=1)  # (n, 2)
        claimed = np.stack(laplacians(shape, known, Radii(nu, 1.0, om, om), scales, 0.0), axis=1)
        assert np.all(attained <= claimed * (1 + 1e-9) + 1e-10), name
        near[name] = float((attained / np.maximum(claimed, 1e-300))[claimed > 1e-9].max())
    assert near["W2"] > 0.25
    assert near["logits"] > 0.25


def test_noise_norms_and_weak_variances():
    rng = np.random.default_rng(4)
    for dim in (1, 2, 5):
        noise = rng.standard_normal((4000, dim, dim))
        operator = np.linalg.norm(noise, 2, axis=(1, 2))
        assert np.mean(operator**4) ** 0.25 <= 2 * np.sqrt(dim) + 2
        column = np.linalg.norm(noise[:, :, 0], axis=1)
        assert np.isclose(np.mean(column**4) ** 0.25, (dim**2 + 2 * dim) ** 0.25, rtol=0.05)
    # E logistic against quadrature; the value itself is attained to a few percent.
    for centre, deviation in itertools.product((-6.0, -2.0, -0.1, 0.0, 1.5), (0.0, 0.3, 1.0, 4.0)):
        exact = quad(lambda v, c=centre, s=deviation: expit(c + s * v) * np.exp(-v * v / 2), -12, 12)[0]
        exact /= np.sqrt(2 * np.pi)
        claimed = float(logistic_mean(np.array(centre), np.array(deviation)))
        assert exact <= claimed
        assert centre > 0 or claimed <= 1.15 * exact
    # Fourth moments against a fine grid of directions.
    x = samples()
    angle = np.linspace(0, np.pi, 2000)
    moment = (np.einsum("ntd,da->nta", x, np.stack([np.cos(angle), np.sin(angle)])) ** 4).sum(axis=(0, 1)).max()
    assert moment <= quartic_form(x) <= 2 * moment
    # Variance of <x, E x> over random weights.
    weights = rng.dirichlet(np.full(LENGTH, 0.3), 2000)
    means = np.einsum("mt,ntd->nmd", weights, x)
    products = np.einsum("ntd,nmd->nmt", x, means)
    variance = (weights * products**2).sum(-1) - (weights * products).sum(-1) ** 2
    claimed = mean_variance(geometry(x, biases("none")))
    assert np.all(variance.max(axis=1) <= claimed + 1e-10)
    assert np.max(variance.max(axis=1)[claimed > 1e-6] / claimed[claimed > 1e-6]) > 0.25


@pytest.mark.parametrize("kind", ["none", "alibi-causal"])
def test_weak_variance_of_the_noisy_head(kind):
    """Wy >= sum_i E <e, E_alpha x>^2 over noise around random centres; divided by four it is not."""
    rng, bias, x = np.random.default_rng(6), biases(kind), samples()
    nu, om, tau = 0.3, 0.8, Noise(0.5, 0.2, 0.2, 0.1, 0.3)
    shape = geometry(x, bias)
    known = constants(shape)
    wy, wz = weak_variances(shape, known, Radii(nu, 1.0, om, om), tau)
    sizes = (om, nu * om, nu * om, nu**2 * om, om)
    largest = 0.0
    for _ in range(5):
        W2, P, Q, S, W1 = (
            ball(rng, size, SHAPE, 1) + scale * rng.standard_normal((200, *SHAPE))
            for size, scale in zip(sizes, tau, strict=True)
        )
        g = np.asarray(jax.vmap(lambda w: jax.vmap(lambda one: attend(one, one, one, w, bias))(jnp.asarray(x)))(W1))
        logits = np.einsum("nd,mde,nse->mns", x[:, -1], W2, x) + np.einsum("mnd,mde,nse->mns", g[:, :, -1], P, x)
        logits += np.einsum("nd,mde,mnse->mns", x[:, -1], Q, g) + np.einsum("mnd,mde,mnse->mns", g[:, :, -1], S, g)
        alpha = np.asarray(jax.nn.softmax(logits + bias[-1], axis=-1))
        for read, claimed in ((np.einsum("mns,nsd->mnd", alpha, x), wy), (np.einsum("mns,mnsd->mnd", alpha, g), wz)):
            attained = np.linalg.eigvalsh(np.einsum("mnd,mne->de", read, read) / len(read))[-1]
            assert attained <= claimed
            largest = max(largest, attained / claimed)
    assert largest > 0.25


def one_layer_upper(x):
    """Least of U1 and U2 by hand: sum max|x|; Sudakov-Fernique with L_i = |q_i| D_i^2/4."""
    r = np.linalg.norm(x, axis=2).max(axis=1)
    diameter = np.linalg.norm(x[:, :, None] - x[:, None], axis=3).max(axis=(1, 2))
    slope = np.linalg.norm(np.linalg.norm(x[:, -1], axis=1) * diameter**2 / 4)
    dim = x.shape[2]

    def bound(radius):
        blocks = (np.linalg.norm(r) * norm_mean(dim)) ** (2 / 3) + (slope * radius * norm_mean(dim**2)) ** (2 / 3)
        return min(float(r.sum()), float(np.sqrt(np.pi / 2) * blocks**1.5))

    return bound


def tokens(family, n, length, dim, seed):
    if family in ("sphere", "gaussian"):
        x = np.random.default_rng(seed).standard_normal((n, length, dim))
        return x / np.linalg.norm(x, axis=2, keepdims=True) if family == "sphere" else x
    return adversarial_tokens(family, n, length, dim, seed)


CASES = [
    (family, kind, nu, om)
    for family, kind in [
        ("sphere", "none"),
        ("sphere", "alibi-causal"),
        ("identical", "random"),
        ("collinear", "none"),
        ("plus_minus_one", "alibi"),
        ("one_special", "none-causal"),
    ]
    for nu, om in [(0.1, 0.1), (0.5, (0.3, 3.0)), ((0.2, 1.0), 1.0)]
]


@pytest.mark.parametrize(("family", "kind", "nu", "om"), CASES)
def test_never_below_attained_values_under_all_signs(family, kind, nu, om):
    n = 4
    x, bias = tokens(family, n, LENGTH, DIM, 7), biases(kind)
    signs = np.array(list(itertools.product([1.0, -1.0], repeat=n)))[: 2 ** (n - 1)]
    attained = two_layer_suprema(x, bias, signs, nu, om, restarts=2, iterations=15).mean()
    frozen = np.linalg.norm(np.einsum("kn,nd->kd", signs, x[:, -1]), axis=1).mean()
    for extra in ({}, {"frozen": frozen}):
        found = two_layers(x, bias, nu, om, one_layer_upper(x), **extra)
        for name in ("U1-trivial", "U12-paths", "U13-semigroup"):
            assert found.parts[name] >= attained * (1 - 1e-9), name
        assert found.value == min(found.parts[name] for name in ("U1-trivial", "U12-paths", "U13-semigroup"))
        # Twin: a fourth of the bound is exceeded.
        assert found.value / 4 < attained


def test_without_its_path_terms_the_bound_is_exceeded():
    """One sample repeated in one sign class: the frozen path alone is exact, so every path is needed."""
    x, bias = tokens("sphere", 1, LENGTH, DIM, 3), biases("none")
    x = x + 1.0
    attained = two_layer_suprema(x, bias, np.ones((1, 1)), 0.3, 0.01, restarts=3, iterations=30).mean()
    found = two_layers(x, bias, 0.3, 0.01, one_layer_upper(x))
    assert found.certificate == "U12-paths"
    parts = {name.split("/")[1]: part for name, part in found.parts.items() if name.startswith("U12-paths/")}
    assert attained <= parts["total"] <= 1.3 * attained
    for missing in ("frozen", "heads"):
        assert parts["total"] - parts[missing] < attained
    shape = geometry(x, bias)
    radii = Radii(0.3, 0.3, 0.01, 0.01)
    assert semigroup(shape, radii, parts["frozen"], 1e9)["total"] > attained
    assert paths(shape, radii, 0.0, (0.0, 0.0), 0.0, 0.0)["total"] < attained


def test_scaling_masks_and_separate_radii():
    x, bias = tokens("gaussian", 5, LENGTH, DIM, 1), biases("alibi-causal")
    upper = one_layer_upper(x)
    base = two_layers(x, bias, 0.3, 0.5, upper)
    # Tokens c x with W/c^2 are the same class times c; c is not a power of two.
    for c in (3.0, 1e-40, 1e60):
        scaled = two_layers(c * x, bias, 0.3, 0.5 / c**2, lambda radius, c=c: c * upper(radius * c**2))
        assert np.isclose(scaled.value, c * base.value, rtol=1e-3)
    # A masked token changes nothing.
    far = np.concatenate([100 * np.ones((5, 1, DIM)), x], axis=1)
    wide = np.full((LENGTH + 1, LENGTH + 1), -np.inf)
    wide[1:, 1:] = bias
    assert np.isclose(two_layers(far, wide, 0.3, 0.5, upper).value, base.value, rtol=1e-9)
    # Larger radii of any block enlarge the class and the certificate.
    for nu, om in (((0.6, 0.3), 0.5), ((0.3, 0.6), 0.5), (0.3, (1.0, 0.5)), (0.3, (0.5, 1.0))):
        assert two_layers(x, bias, nu, om, upper).parts["U12-paths"] > base.parts["U12-paths"]
    assert two_layers(x, bias, 0.0, 1.0, upper).value <= np.sqrt((x[:, -1] ** 2).sum()) * (1 + 1e-8)


def test_a_repeated_sample_and_wrong_input():
    same = np.ones((3, LENGTH, DIM))
    found = two_layers(same, biases("none"), 0.5, 2.0, one_layer_upper(same))
    signs = np.array(list(itertools.product([1.0, -1.0], repeat=3)))
    size = np.abs(signs.sum(axis=1)).mean() * np.sqrt(2.0)
    assert found.value >= size * (1 + 0.5 + 0.5 + 0.25) * (1 - 1e-9)
    with pytest.raises(ValueError, match="nu is the radius"):
        two_layers(same, biases("none"), -1.0, 1.0, one_layer_upper(same))
    blocked = biases("none")
    blocked[1] = -np.inf
    with pytest.raises(ValueError, match="sees no token"):
        two_layers(same, blocked, 1.0, 1.0, one_layer_upper(same))
    with pytest.raises(ValueError, match="finite"):
        two_layers(same, np.full((LENGTH, LENGTH), np.nan), 1.0, 1.0, one_layer_upper(same))
