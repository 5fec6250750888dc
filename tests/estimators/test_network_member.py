"""A network with its encoding: sizes, the same start for all encodings of a seed, any length."""

import numpy as np
import pytest

from estimators.network import layer_runs, outputs
from estimators.network_member import Model, random_member
from theory.encodings import ENCODINGS

MODEL = Model(symbols=5, outputs=3, dim=8, layers=2, heads=2, mlp_width=6)


def inputs(length, count=2, seed=0):
    return np.random.default_rng(seed).integers(0, MODEL.symbols, (count, length))


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_member_is_its_network_with_its_positions(name):
    member = random_member(name, MODEL, train_length=8, seed=3)
    x = inputs(8)
    found = member.outputs(x)
    assert found.shape == (2, 8, 3)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found, outputs(member.network, member.positions(8), x))
    assert member.steps == 0
    again = random_member(member.specification, MODEL, train_length=8, seed=3)
    np.testing.assert_array_equal(again.outputs(x), found)


def test_encodings_of_one_seed_start_from_the_same_matrices():
    one, other = (random_member(name, MODEL, train_length=8, seed=1) for name in ("alibi", "rotary"))
    for a, b in zip(one.network, other.network, strict=True):
        np.testing.assert_array_equal(a, b)
    different = random_member("alibi", MODEL, train_length=8, seed=2)
    assert not np.allclose(different.network.queries, one.network.queries)


def test_tokens_keep_their_size_through_the_layers():
    model = Model(symbols=50, outputs=1, dim=64, layers=6, heads=4, mlp_width=128)
    member = random_member("none", model, train_length=16)
    x = np.random.default_rng(0).integers(0, 50, (4, 16))
    runs = list(layer_runs(member.network, member.positions(16), x))
    squares = [float((run.leaving**2).sum(axis=-1).mean()) for run in runs]
    entering = float((runs[0].entering ** 2).sum(axis=-1).mean())
    assert entering == pytest.approx(1.0, rel=0.2)
    assert max(squares) < 60 * entering
    content = np.concatenate([run.content.ravel() for run in runs])
    assert 0.5 < content.std() < 2.0


def test_longer_than_trained():
    for name in ("alibi", "sinusoidal", "rotary", "none"):
        member = random_member(name, MODEL, train_length=8)
        long = member.outputs(inputs(40))
        np.testing.assert_allclose(long[:, :8], member.outputs(inputs(40)[:, :8]), rtol=1e-9)
    refusing = random_member("legendre", MODEL, train_length=8, beyond="refuse")
    with pytest.raises(ValueError, match="beyond"):
        refusing.outputs(inputs(9))


def test_without_mlp_and_shapes():
    model = Model(symbols=2, outputs=1, dim=4, layers=1, heads=1, mlp_width=0)
    member = random_member("none", model, train_length=2)
    assert member.network.mlp_in.shape == (1, 0, 4)
    assert member.network.values.shape == (1, 1, 4, 4)
    assert member.outputs(np.array([[0, 1]])).shape == (1, 2, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"symbols": 0}, "use symbols=1"),
        ({"outputs": 0}, "use outputs=1"),
        ({"layers": 0}, "use layers=1"),
        ({"mlp_width": -1}, "use mlp_width=0"),
        ({"dim": 9}, "use heads=1"),
        ({"power": 0.0}, "use power=1"),
        ({"power": float("nan")}, "use power=1"),
    ],
)
def test_sizes_that_do_not_fit(change, message):
    with pytest.raises(ValueError, match=message):
        Model(**{"symbols": 5, "outputs": 3, "dim": 8, "layers": 2, "heads": 2} | change)
