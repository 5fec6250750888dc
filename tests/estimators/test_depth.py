"""U7 for Transformers of any depth: gradients against automatic differentiation, whole bounds against attained values
under all signs, adversarial perturbations; each check rejects its falsified twin."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from two_layer_oracle import climb, transformer_vector

from estimators.supremum.depth import ball_width, depth_upper

DIM, LENGTH = 2, 3

# Architecture of the oracle, the same in words of depth_upper, mask or bias.
ARCHITECTURES = {
    "one layer": ({"layers": 1, "heads": 1}, {}, "none"),
    "two layers, causal": ({"layers": 2, "heads": 1}, {}, "causal"),
    "two heads, alibi": ({"layers": 1, "heads": 2}, {}, "alibi"),
    "mlp": ({"layers": 1, "heads": 1}, {"mlp_width": 3, "mlp_radii": (0.8, 0.6)}, "none"),
    "no residual": ({"layers": 2, "heads": 1, "residual": False}, {}, "none"),
    "norm, mlp": ({"layers": 2, "heads": 1, "norm": 1e-2}, {"mlp_width": 3, "mlp_radii": (0.8, 0.6)}, "causal"),
    "final norm": ({"layers": 1, "heads": 1, "norm": 0.5, "final_norm": True}, {}, "none"),
    "rotary": ({"layers": 2, "heads": 1, "angles": True}, {}, "causal"),
    "relative": ({"layers": 1, "heads": 1, "relative": True}, {}, "none"),
}
NU, OM = 0.7, 1.1


def words(name):
    """Keywords of depth_upper for an architecture."""
    built, more, _ = ARCHITECTURES[name]
    renamed = {"norm": "norm_epsilon"}
    found = {renamed.get(word, word): value for word, value in built.items() if word not in ("angles", "relative")}
    found |= more | {"value_radius": NU, "logit_radius": OM}
    return found | ({"key_table": largest_relative()} if "relative" in built else {})


def relative_table():
    return np.random.default_rng(8).standard_normal((LENGTH, LENGTH, DIM))


def largest_relative():
    return float(np.linalg.norm(relative_table(), axis=2).max())


def bias_of(kind):
    i = np.arange(LENGTH)
    if kind == "causal":
        return np.where(i[:, None] >= i[None], 0.0, -np.inf)
    return -0.5 * np.abs(i[:, None] - i[None]) if kind == "alibi" else np.zeros((LENGTH, LENGTH))


@partial(jax.jit, static_argnames="name")
def _output(name, parameters, x):
    built, _, kind = ARCHITECTURES[name]
    built = dict(built)
    if built.pop("angles", False):
        built["angles"] = 0.9 * jnp.arange(LENGTH)[:, None] * jnp.ones((1, DIM // 2))
    if built.pop("relative", False):
        built["relative"] = jnp.asarray(relative_table())
    return transformer_vector(parameters, x, jnp.asarray(bias_of(kind)), **built)


VECTORS = {name: partial(_output, name) for name in ARCHITECTURES}


def blocks(name):
    """Shapes and Frobenius radii of every parameter of the oracle."""
    built, more, _ = ARCHITECTURES[name]
    shapes, radii = {}, {}
    for layer in range(built["layers"]):
        for head in range(built["heads"]):
            for letter, radius in (("W", OM), ("V", NU)):
                shapes[f"{letter}{layer}{head}"], radii[f"{letter}{layer}{head}"] = (DIM, DIM), radius
        if "mlp_width" in more:
            width, (first, second) = more["mlp_width"], more["mlp_radii"]
            shapes |= {f"M1{layer}": (width, DIM), f"M2{layer}": (DIM, width)}
            radii |= {f"M1{layer}": first, f"M2{layer}": second}
    return shapes, radii


def tokens(seed, n=3):
    """Random tokens of norms from small to large; two opposite points, which make covariances largest."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, LENGTH, DIM)) * np.array([0.1, 0.5, 1.0])[rng.integers(0, 3, n)][:, None, None]
    x[0] = np.where(np.arange(LENGTH)[:, None] % 2 == 0, x[0, :1], -x[0, :1])
    return x


def random_parameters(name, count, seed):
    rng = np.random.default_rng(seed)
    shapes, radii = blocks(name)
    found = {}
    for block, shape in shapes.items():
        matrix = rng.standard_normal((count, *shape))
        matrix[::2] = rng.standard_normal((len(matrix[::2]), shape[0], 1)) * rng.standard_normal(
            (len(matrix[::2]), 1, shape[1])
        )
        size = np.where(rng.random(count) < 0.7, 1.0, rng.random(count))
        found[block] = radii[block] * size[:, None, None] * matrix / np.linalg.norm(matrix, axis=(1, 2), keepdims=True)
    return {block: jnp.asarray(value) for block, value in found.items()}


def claimed_gradient(found, block, name, radii):
    """sup |d output / d block| for one sample, read back from the part of depth_upper."""
    heads = ARCHITECTURES[name][0]["heads"]
    key = f"{block[:2]}_{block[2:]}" if block.startswith("M") else block[:2]
    shape = blocks(name)[0][block]
    count = 1 if block.startswith("M") else heads
    return found.parts[f"block/{key}"] / count**1.5 / ball_width("frobenius", radii[block], *shape)


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name not in ("one layer", "rotary")])
def test_gradients_against_autodiff(name):
    radii = blocks(name)[1]
    parameters = random_parameters(name, 150, 1)
    jacobians = jax.jit(jax.vmap(jax.jacrev(VECTORS[name]), in_axes=(0, None)))
    tightest = 0.0
    for x in tokens(2):
        for adversarial in (0.0, 0.3):
            push = np.random.default_rng(3).standard_normal(x.shape)
            moved = x + adversarial * push / np.linalg.norm(push, axis=1, keepdims=True)
            found = depth_upper(x[None], **words(name), adversarial=adversarial)
            slopes = jacobians(parameters, jnp.asarray(moved))
            for block, slope in slopes.items():
                size = np.linalg.norm(np.asarray(slope).reshape(len(slope), DIM, -1), 2, axis=(1, 2)).max()
                claimed = claimed_gradient(found, block, name, radii)
                assert size <= claimed * (1 + 1e-9), block
                tightest = max(tightest, size / claimed)
            outputs = np.asarray(jax.vmap(VECTORS[name], (0, None))(parameters, jnp.asarray(moved)))
            assert np.linalg.norm(outputs, axis=1).max() <= found.parts["U1-trivial"]
    assert tightest > 0.25


@pytest.mark.parametrize("name", ["one layer", "two heads, alibi", "norm, mlp", "rotary", "relative"])
def test_never_below_attained_values_under_all_signs(name):
    x = tokens(4)
    signs = np.array(list(itertools.product([1.0, -1.0], repeat=3)))[:4]
    shapes, radii = blocks(name)
    attained = climb(VECTORS[name], x, signs, radii, shapes, restarts=2, iterations=15).mean()
    found = depth_upper(x, **words(name))
    bounds = {key: value for key, value in found.parts.items() if key.startswith("U")}
    assert all(value >= attained for value in bounds.values())
    assert found.value == min(bounds.values())
    assert found.value / 8 < attained


def test_spectral_balls_against_attained_values():
    x, name = tokens(5), "two layers, causal"
    shapes, radii = blocks(name)
    signs = np.array(list(itertools.product([1.0, -1.0], repeat=3)))[:4]
    attained = climb(VECTORS[name], x, signs, radii, shapes, spectral=tuple(shapes), restarts=2, iterations=15).mean()
    found = depth_upper(x, **words(name), value_ball="spectral", logit_ball="spectral")
    assert attained <= found.value
    assert found.value / 8 < attained
    frobenius = depth_upper(x, **words(name))
    low = depth_upper(x, **words(name), value_ball=1, logit_ball=1)
    assert frobenius.parts["U7-comparison"] <= found.parts["U7-comparison"]
    assert low.parts["U7-comparison"] <= frobenius.parts["U7-comparison"]


def test_many_samples_are_won_by_the_comparison():
    """Small radii: the residual path dominates and the bound is within a factor two of the frozen network."""
    x = np.random.default_rng(6).standard_normal((200, LENGTH, DIM))
    x /= np.linalg.norm(x, axis=2, keepdims=True)
    signs = np.random.default_rng(7).choice([-1.0, 1.0], (40, 200))
    frozen = np.linalg.norm(np.einsum("kn,nd->kd", signs, x[:, -1]), axis=1).mean()
    found = depth_upper(x, layers=2, value_radius=0.02, logit_radius=0.1)
    assert found.certificate == "U7-residual"
    assert np.linalg.norm(x[:, -1]) <= found.value < 2 * frozen


@pytest.mark.parametrize("name", ["one layer", "norm, mlp"])
def test_adversarial_class_on_a_grid_of_attacks(name):
    """Complexity of max over attacks of f, for finitely many parameters and attacks: below the bound for all signs."""
    x, reach = tokens(9), 0.4
    rng = np.random.default_rng(10)
    parameters = random_parameters(name, 400, 11)
    attacks = rng.standard_normal((20, *x.shape))
    attacks *= reach / np.linalg.norm(attacks, axis=-1, keepdims=True)
    over_samples = jax.vmap(VECTORS[name], (None, 0))
    outputs = np.stack(
        [np.asarray(jax.vmap(over_samples, (0, None))(parameters, jnp.asarray(x + push))) for push in attacks]
    )
    readouts = rng.standard_normal((400, DIM))
    readouts /= np.linalg.norm(readouts, axis=1, keepdims=True)
    worst = np.einsum("amnd,md->amn", outputs, readouts).max(axis=0)
    signs = np.array(list(itertools.product([1.0, -1.0], repeat=3)))
    attained = (worst @ signs.T).max(axis=0).mean()
    robust = depth_upper(x, **words(name), adversarial=reach)
    assert attained <= robust.value
    assert robust.value > depth_upper(x, **words(name)).value


def test_norm_makes_the_bound_free_of_the_token_scale_and_wrong_input_is_explained():
    x = np.random.default_rng(12).standard_normal((4, LENGTH, DIM))
    settings = {"layers": 3, "value_radius": 0.5, "logit_radius": 1.0, "norm_epsilon": 1e-6, "final_norm": True}
    near, far = depth_upper(x, **settings), depth_upper(1e6 * x, **settings)
    assert near.parts["U1-trivial"] <= 4 * np.sqrt(DIM) * (1 + 1e-8)
    # Far from the origin the norm hardly moves: its Lipschitz constant uses the lower bound on |x|.
    assert far.parts["block/V2"] < 1e-4 * near.parts["block/V2"]
    with pytest.raises(ValueError, match="final_norm needs"):
        depth_upper(x, layers=1, value_radius=1.0, logit_radius=1.0, final_norm=True)
    with pytest.raises(ValueError, match="layers 0"):
        depth_upper(x, layers=0, value_radius=1.0, logit_radius=1.0)
    with pytest.raises(ValueError, match="rank of at least 1"):
        depth_upper(x, layers=1, value_radius=1.0, logit_radius=1.0, value_ball=0)
