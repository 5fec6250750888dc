"""What a network holds at its sites, and the laws of its inputs."""

import numpy as np
import pytest

from estimators.information_sites import LISTED, Inputs, layer_sites, radius
from estimators.network import layer_run
from estimators.network_member import Model, random_member


@pytest.mark.parametrize("encoding", ["none", "rotary", "relative", "alibi", "sinusoidal"])
@pytest.mark.parametrize("causal", [True, False])
def test_sites_are_those_of_the_network(encoding, causal):
    model = Model(symbols=3, outputs=1, dim=8, layers=2, heads=2, mlp_width=8, causal=causal)
    member = random_member(encoding, model, train_length=6)
    content = Inputs("symbols", 6, 3).draw(member.network, 20)
    positions = member.positions(6)
    x = content + positions.table
    sites = ("heads", "attention", "after-attention", "mlp", "residual")
    for layer in range(2):
        wanted, found = (
            layer_run(member.network, positions, layer, x),
            layer_sites(member.network, positions, layer, x, sites),
        )
        heads = np.moveaxis(wanted.heads, 1, 2)
        assert found["heads"] == pytest.approx(heads.reshape(20, 6, -1), abs=1e-12)
        assert found["attention"] == pytest.approx(heads.sum(axis=2), abs=1e-12)
        assert found["after-attention"] == pytest.approx(wanted.after_attention, abs=1e-12)
        assert found["mlp"] == pytest.approx(wanted.mlp, abs=1e-12)
        assert found["residual"] == pytest.approx(wanted.leaving, abs=1e-12)
        for site in sites:
            most, reach = (float(np.linalg.norm(a, axis=-1).max()) for a in (content, positions.table))
            size = float(np.linalg.norm(found[site], axis=-1).max())
            assert size <= radius(member.network, layer + 1, site, most, reach)
        x = wanted.leaving


def test_laws_of_inputs():
    model = Model(symbols=3, outputs=1, dim=4, layers=1, heads=1)
    network = random_member("none", model, train_length=4).network
    every = Inputs("symbols", 4, 3)
    assert every.count == 81
    assert len(np.unique(every.all(network).reshape(81, -1), axis=0)) == 81
    drawn = Inputs("symbols", 4, 3, seed=1)
    assert (drawn.draw(network, 9)[:5] == drawn.draw(network, 5)).all()
    assert Inputs("fixed", 4, 3).listed
    assert not Inputs("symbols", 64, 2).listed
    assert Inputs("gaussian", 4, 3).count is None
    assert Inputs("gaussian", 500, 3).draw(network, 50).var() == pytest.approx(1 / 4, rel=0.05)
    with pytest.raises(ValueError, match=str(LISTED)):
        Inputs("symbols", 64, 2).all(network)
