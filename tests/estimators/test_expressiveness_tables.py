"""Structures of encodings against loops, closed forms and enumeration; the obstruction and its twin."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize, nnls

from estimators import expressiveness_tables as tables
from estimators.attention_map import encoding_arrays
from estimators.equivariance import draw_layers, network
from estimators.expressiveness_tables import horizon, look_up, smooth_error, structure, vectors
from theory.encodings import ENCODINGS, parse
from theory.encodings.base import AbstractAdditiveEncoding

N, DIM, DEPTH = 6, 4, 4
ADDITIVE = [name for name in ENCODINGS if isinstance(parse(name, dim=DIM, train_length=N), AbstractAdditiveEncoding)]
LOGIT_ONLY = [name for name in ENCODINGS if name not in ADDITIVE]


@pytest.fixture(scope="module")
def found():
    names = ("none", "alibi", "t5", "rotary", "relative", "haar", "cosine", "gaussian")
    return {name: structure(name, length=N, dim=DIM, depth=DEPTH) for name in names}


def test_equal_tokens_stay_equal_exactly_for_what_acts_through_logits(found):
    def spreads(name):
        return [tables.row_spread(name, N, DIM, DEPTH, k, causal) for k in range(3) for causal in (False, True)]

    assert len(LOGIT_ONLY) >= 9
    for name in LOGIT_ONLY:
        assert max(spreads(name)) <= 1e-12
    for name in ADDITIVE:  # the twin: a code must break it
        assert min(spreads(name)) > 1e-2
    for name, one in found.items():
        assert one.row_spread == max(spreads(name))
        assert one.logit_only == one.equal_rows == (name in LOGIT_ONLY)


def test_only_no_encoding_is_permutation_equivariant(found):
    assert [name for name, one in found.items() if one.equivariant] == ["none"]
    for name in ENCODINGS:
        assert (tables.permutation_spread(name, N, DIM, DEPTH, 0) <= 1e-12) == (name == "none")


@pytest.mark.parametrize("name", ["alibi", "cosine"])
def test_spreads_are_those_of_the_network(name):
    rng = np.random.default_rng([3, 1])
    token = rng.normal(size=DIM)
    arrays = encoding_arrays(name, N, DIM, True, 0)
    rows = network(draw_layers(3, DEPTH, DIM), arrays, np.array([token] * N), rounded=True)
    true = max(abs(a - b).max() for a in rows for b in rows) / abs(rows).max()
    assert tables.row_spread(name, N, DIM, DEPTH, 3, True) == pytest.approx(true, abs=1e-13)
    tokens = np.random.default_rng([3, 2]).normal(size=(N, DIM))
    layers, free = draw_layers(3, DEPTH, DIM), encoding_arrays(name, N, DIM, False, 0)
    order = [N - 1, *range(N - 1)]
    rows, moved = (network(layers, free, x, rounded=True) for x in (tokens, tokens[order]))
    true = abs(moved - rows[order]).max() / abs(rows).max()
    assert tables.permutation_spread(name, N, DIM, DEPTH, 3) == pytest.approx(true, rel=1e-12)


def test_kinds_and_what_has_a_table(found):
    kinds = {name: one.kind for name, one in found.items()}
    assert [kinds[name] for name in ("none", "rotary", "relative", "t5", "haar")] == [
        "none",
        "rotary",
        "relative",
        "bias",
        "additive",
    ]
    assert found["none"].table is None
    assert found["none"].operator is None
    assert found["alibi"].operator is None
    assert found["alibi"].smooth is None
    assert found["alibi"].table.rank == 1  # b_h(D) = -m_h D
    assert found["rotary"].table.coherence < 1 - 1e-6
    for one in found.values():
        if one.operator is not None:
            assert one.operator.lower <= one.operator.upper <= one.frobenius.upper
            assert one.operator.lower <= one.frobenius.lower


def test_tables_are_at_mean_power_one_and_ranks_are_those_of_the_singular_values(found):
    for name in ("cosine", "gaussian", "relative"):
        rows = vectors(parse(name, dim=DIM, train_length=N), N)
        rows = rows / math.sqrt((rows**2).sum(axis=1).mean())
        gaps = [np.linalg.norm(rows[i] - rows[j]) for i in range(N) for j in range(i)]
        assert found[name].table.closest == pytest.approx(min(gaps), rel=1e-12)
        assert found[name].table.rank == np.linalg.matrix_rank(rows)
        assert found[name].table.condition == pytest.approx(np.linalg.cond(rows), rel=1e-9)


@pytest.mark.parametrize(
    ("name", "length", "dim", "distinct", "searched"),
    [
        ("haar", 16, 8, 1, 128),  # cells of two positions
        ("cosine", 8, 4, 8, 64),  # cos(pi k (t + 1/2)/N) is even about t = N - 1/2
        ("learned", 8, 4, 8, 8),  # refuses other positions
        ("relative", 8, 4, 17, 64),  # clipped at distance 16
        ("t5:buckets=8,max_distance=16", 8, 4, 5, 64),  # 4 and 5 share the first logarithmic bucket
        ("sinusoidal", 8, 4, 64, 64),
        ("kerple-log", 8, 4, 64, 64),  # neighbours differ by 1/250 of their size at the end, and differ
    ],
)
def test_horizons_known_in_closed_form(name, length, dim, distinct, searched):
    found = horizon(parse(name, dim=dim, train_length=length), length)
    assert (found.distinct, found.searched) == (distinct, searched)


def test_orthonormal_codes_look_up_at_the_known_norms():
    operator, frobenius = look_up("cosine", "additive", 8, 8)
    assert operator.lower == pytest.approx(1, rel=1e-9)
    assert operator.upper == pytest.approx(1, rel=1e-9)
    # N - 1 queries of N orthonormal rows: sum_i p_i (p_(i+1) - pbar)^T, |.|_F^2 = (N-1)(1 - 1/N)
    assert frobenius.lower <= math.sqrt(7 * 7 / 8) * (1 + 1e-9)
    assert frobenius.upper >= math.sqrt(7 * 7 / 8) * (1 - 1e-9)
    assert frobenius.width < 1e-3


def test_frobenius_norm_of_the_next_position_by_least_distance_programming():
    rows = vectors(parse("gaussian", dim=4, train_length=5), 5)
    rows = rows / math.sqrt((rows**2).sum(axis=1).mean())
    gaps = np.array(
        [np.outer(rows[i], rows[i + 1] - rows[j]).ravel() for i in range(4) for j in range(5) if j != i + 1]
    )
    goal = np.r_[np.zeros(16), 1.0]
    residual = np.vstack([gaps.T, np.ones(len(gaps))]) @ nnls(np.vstack([gaps.T, np.ones(len(gaps))]), goal)[0] - goal
    scores = -residual[:-1] / residual[-1]
    assert (gaps @ scores).min() > 1 - 1e-8
    _, frobenius = look_up("gaussian", "additive", 5, 4)
    assert frobenius.lower <= np.linalg.norm(scores) * (1 + 1e-6)
    assert frobenius.upper >= np.linalg.norm(scores) * (1 - 1e-6)
    assert frobenius.width < 0.05 * frobenius.lower


def test_sinusoidal_shift_is_twice_over_the_closest_distance_squared():
    operator, _ = look_up("sinusoidal", "additive", 8, 8)
    closest = min(
        sum(4 * math.sin(10000 ** (-i / 4) * lag / 2) ** 2 for i in range(4)) / 4 for lag in range(1, 7)
    )  # power 4 before scaling; lags that two queries have
    assert operator.lower == pytest.approx(2 / closest, rel=1e-6)
    assert operator.upper == pytest.approx(2 / closest, rel=1e-6)


@pytest.mark.parametrize("name", ["relative", "rotary"])
def test_offset_vectors_by_quadratic_programming(name):
    operator, frobenius = look_up(name, name, 4, DIM)
    if name == "relative":
        rows = encoding_arrays(name, 4, DIM, False, 0)[3]
    else:
        theta = np.array([1.0, 0.01])
        rows = np.array([[*np.cos(theta * lag), *np.sin(theta * lag)] for lag in range(-3, 4)])
    rows = rows / math.sqrt((rows**2).sum(axis=1).mean())
    gaps = rows[2] - np.delete(rows, 2, axis=0)  # D = -1 is row 2 of -3 .. 3
    # The dual of the hard margin: the distance of u_(-1) from the hull of the others is 1/|w|.
    hull = minimize(
        lambda a: float(((a @ gaps) ** 2).sum()),
        np.full(6, 1 / 6),
        bounds=[(0, 1)] * 6,
        constraints={"type": "eq", "fun": lambda a: a.sum() - 1},
        options={"ftol": 1e-16, "maxiter": 500},
    )
    true = 1 / math.sqrt(hull.fun)
    assert true == pytest.approx(operator.lower, rel=1e-3)
    assert operator.upper <= frobenius.upper <= true * (1 + 1e-3)


def test_two_positions_with_one_code_cannot_be_looked_up():
    operator, frobenius = look_up("haar", "additive", 8, 4)
    assert math.isinf(operator.lower)
    assert math.isinf(frobenius.lower)
    assert math.isfinite(look_up("haar", "additive", 8, 8)[0].upper)


def test_smooth_functions_by_least_squares_and_the_opposite_order():
    values = np.exp(np.linspace(-1, 1, 12))
    for name in ("legendre", "gaussian"):
        rows = vectors(parse(name, dim=4, train_length=12), 12)
        rest = values - rows @ np.linalg.lstsq(rows, values, rcond=None)[0]
        true = np.linalg.norm(rest) / np.linalg.norm(values)
        estimate = smooth_error(name, 12, 4)
        assert estimate.lower <= true * (1 + 1e-9)
        assert true * (1 - 1e-9) <= estimate.upper
        assert estimate.width < 1e-6
    # A random code is far worse for a smooth function, and far better for a look-up.
    assert smooth_error("gaussian", 12, 4).lower > 100 * smooth_error("legendre", 12, 4).upper
    assert look_up("random-orthogonal", "additive", 8, 8)[0].upper < look_up("legendre", "additive", 8, 8)[0].lower


def test_more_channels_than_positions_leave_out_the_smooth_error():
    found = structure("cosine", length=3, dim=4, depth=1)
    assert found.smooth is None
    assert found.operator is not None


@pytest.mark.parametrize(
    ("name", "advice"), [("sinusoidal:dim=6", "use dim=4"), ("rottary", "rotary"), ("learned:train_length=3", "clip")]
)
def test_bad_encodings(name, advice):
    with pytest.raises(ValueError, match=advice):
        structure(name, length=N, dim=DIM, depth=1)
