"""Cost shares: known values and limits."""

import sympy as sp

from theory.cost import additive_share, bias_share, relative_share, rotary_share
from theory.notation import dim, heads, length


def test_shares_as_printed():
    assert sp.simplify(additive_share().expression - 1 / (8 * dim + 4 * length)) == 0
    assert sp.simplify(rotary_share().expression - 3 / (4 * dim + 2 * length)) == 0
    assert sp.simplify(bias_share().expression - heads * length / (8 * dim**2 + 4 * length * dim)) == 0
    relative = length / (4 * dim + 2 * length) + heads * length / (8 * dim**2 + 4 * length * dim)
    assert sp.simplify(relative_share().expression - relative) == 0


def test_additive_share_of_a_layer_of_a_large_model():
    assert additive_share().evaluate(dim=512, length=512) == 1 / 6144


def test_relative_vectors_cost_half_of_a_long_layer():
    share = relative_share().subs(heads=1, dim=10**6).expression
    assert abs(sp.limit(share, length, sp.oo) - sp.Rational(1, 2)) < sp.Rational(1, 10**5)
