"""theory/approximation_choice.py: what applies to a target, against best errors of all families."""

import math

import numpy as np
import pytest
import sympy as sp
from numpy.polynomial import chebyshev as cheb
from programme_oracle import best_sup

from theory.approximation_choice import FAMILIES, NORMS, SPACES, applicable, tightest
from theory.function_classes import FUNCTIONS, function
from theory.function_text import x


def family_basis(family, grid, count):
    if family == "polynomial":
        return cheb.chebvander(grid, count - 1)
    if family == "cosine":
        return np.cos(np.outer(np.arccos(np.cos(np.pi * (grid + 1) / 2)), np.arange(count)))
    if family == "trigonometric":
        orders = np.arange(1, (count - 1) // 2 + 1)
        angles = np.pi * np.outer(grid, orders)
        return np.c_[np.ones(len(grid)), np.cos(angles), np.sin(angles)]
    index = np.minimum(((grid + 1) / 2 * 2 ** math.floor(math.log2(count))).astype(int), count - 1)
    return np.eye(count)[index][:, : index.max() + 1]


@pytest.mark.parametrize("name", [n for n, one in FUNCTIONS.items() if one.expression is not None])
def test_no_error_beyond_what_applies(name):
    """Best sup and L2 errors on positions and, on fine grids, on the interval, for all families and n."""
    one, checked = FUNCTIONS[name], 0
    at = sp.lambdify(x, one.expression, "numpy")
    fine = (np.arange(4096) + 0.5) / 2048 - 1
    coarse = np.linspace(-1, 1, 65)
    for family in ("polynomial", "cosine", "trigonometric", "cells"):
        for count in (1, 3, 4, 8):
            basis = family_basis(family, coarse, count)
            sup = tightest(applicable(one, "sup", family, 65), count)
            if "upper" in sup:
                assert best_sup(at(coarse), basis) <= sup["upper"][1] * (1 + 1e-7) + 1e-12, (family, count, sup)
            mean = tightest(applicable(one, "l2", family), count)
            if "upper" in mean:
                table = family_basis(family, fine, count)
                rest = at(fine) - table @ np.linalg.lstsq(table, at(fine), rcond=None)[0]
                found = math.sqrt(2 * np.mean(rest**2))
                assert found <= mean["upper"][1] * (1 + 2e-3) + 1e-12, (family, count, mean)
                checked += found > mean["upper"][1] / 100
    assert checked or name == "hoelder-half"


def test_choice_by_smoothness():
    found = applicable(FUNCTIONS["abs"], "sup", "polynomial")
    assert set(found) == {"chebyshev-product nu=1", "polynomial-jackson r=1"}
    assert all({s.name for s in bound.symbols} == {"channels"} for bound in found.values())
    assert applicable(FUNCTIONS["brownian"], "sup", "polynomial") == {}
    step = applicable(FUNCTIONS["step"], "sup", "polynomial")
    assert tightest(step, 9) == {"lower": ("approximation-jump-obstruction", 1.0)}
    assert applicable(FUNCTIONS["step"], "sup", "cells") == {}
    assert applicable(FUNCTIONS["step"], "sup", "polynomial", 64) == {}
    pole = tightest(applicable(function("1/(1.25 - x)"), "sup", "polynomial"), 6)
    assert pole["lower"][1] == pytest.approx(pole["upper"][1], rel=1e-12) == pytest.approx(2.0**-5 / 0.5625)
    ball = tightest(applicable(FUNCTIONS["lipschitz"], "sup", "cosine"), 7)
    assert ball["lower"][1] == pytest.approx(ball["upper"][1]) == pytest.approx(1 / 7)
    worst_case = tightest(applicable(FUNCTIONS["abs"], "sobolev", "cells", 64), 8)
    assert worst_case["lower"][1] == pytest.approx(worst_case["upper"][1], rel=1e-12)
    assert "upper" not in tightest(applicable(FUNCTIONS["abs"], "sobolev", "cells", 64), 6)
    assert "upper" not in tightest(applicable(FUNCTIONS["abs"], "sobolev", "other", 64), 8)
    for norm, family, words in (
        ("l1", "cells", "norm 'l1'"),
        ("sup", "haar", "family 'haar'"),
        ("sobolev", "cells", "positions"),
    ):
        with pytest.raises(ValueError, match=words):
            applicable(FUNCTIONS["abs"], norm, family)
    assert set(FAMILIES.values()) <= set(SPACES)
    assert NORMS == ("sup", "l2", "sobolev")


@pytest.mark.parametrize("text", ["0", "2", "max(x, 1)", "pi*x", "sign(x) + sign(x - 1/2)", "abs(x)**1.25", "acos(x)"])
def test_any_target_has_an_answer_and_constants_have_no_error(text):
    target = function(text)
    for family in SPACES:
        for norm in ("sup", "l2"):
            for positions in (None, 32):
                found = tightest(applicable(target, norm, family, positions), 4)
                if text in ("0", "2", "max(x, 1)") and family in ("polynomial", "cells"):
                    assert found["upper"][1] == 0
