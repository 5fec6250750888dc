"""theory/extrapolation_depth.py: closed forms against their recursions in 40 digits, the general step against its
special case, the identity behind the norm, limits."""

import mpmath
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import extrapolation_depth as depth
from theory.extrapolation import alibi_tail_mass_any_length
from theory.notation import alibi_slope, logit_bound, token_norm, value_operator_norm, window

few = settings(max_examples=12, deadline=None)
small = st.fractions(min_value=sp.Rational(1, 20), max_value=2, max_denominator=32)
sizes = st.tuples(st.integers(1, 4), small, st.fractions(min_value=0, max_value=1, max_denominator=8), small, small)


def real(x):
    return mpmath.mpf(x.numerator) / x.denominator


@few
@given(sizes, st.integers(1, 9))
def test_closed_form_solves_the_recursion(size, kept):
    """e_(l+1)(r) = Phi [(1 + nu B) e_l(r) + 2 nu R e^(2B - m(r+1)) + nu (1 + 2B) sum_k e^(2B - mk) e_l(r-k)]."""
    layers, slope, bound, nu, gain = size
    with mpmath.workdps(40):
        m, B, v, phi = map(real, (slope, bound, nu, gain))
        errors = [mpmath.mpf(0)] * kept
        for _ in range(layers):
            errors = [
                phi
                * (
                    (1 + v * B) * errors[r]
                    + 2 * v * 3 * mpmath.exp(2 * B - m * (r + 1))
                    + v * (1 + 2 * B) * mpmath.fsum(mpmath.exp(2 * B - m * k) * errors[r - k] for k in range(r + 1))
                )
                for r in range(kept)
            ]
    point = {"alibi_slope": slope, "logit_bound": bound, "value_operator_norm": nu, "layer_lipschitz": gain}
    low, high = depth.depth_closed_form(layers).certified(window=kept, token_norm=3, **point)
    assert float(errors[-1]) == pytest.approx(low, rel=1e-12)
    assert float(errors[-1]) == pytest.approx(high, rel=1e-12)


@few
@given(sizes, st.integers(1, 9))
def test_gradient_closed_form_solves_the_recursion(size, distance):
    layers, slope, bound, nu, gain = size
    with mpmath.workdps(40):
        m, B, v, phi = map(real, (slope, bound, nu, gain))
        g = [mpmath.mpf(int(D == 0)) for D in range(distance + 1)]
        for _ in range(layers):
            spread = [mpmath.fsum(mpmath.exp(2 * B - m * k) * g[D - k] for k in range(D + 1)) for D in range(len(g))]
            g = [phi * ((1 + v * B) * a + v * (1 + 2 * B) * b) for a, b in zip(g, spread, strict=True)]
    point = {"alibi_slope": slope, "logit_bound": bound, "value_operator_norm": nu, "layer_lipschitz": gain}
    assert depth.gradient_closed_form(layers).safe(distance=distance, **point) == pytest.approx(float(g[-1]), rel=1e-12)


def test_the_step_of_plain_layers_is_the_general_head_with_their_constants():
    a, R, nu = sp.Symbol("a", positive=True), token_norm, value_operator_norm
    words = {
        depth.value_diameter: 2 * nu * R,
        depth.key_sensitivity: a * R,
        depth.query_sensitivity: a * R,
        depth.tail_mass: alibi_tail_mass_any_length().expression,
    }
    head = depth.truncated_head().expression.subs(words, simultaneous=True)
    step = depth.layer_lipschitz * (depth.own_error + head)
    logits = {logit_bound: a * R**2}
    assert sp.simplify((step - depth.depth_step().expression).subs(logits)) == 0


def test_growth_with_the_kept_tokens():
    """e^(mr) e_L(r)/r^(L-1) has a limit that is not 0, so the version without growth is too small for large r."""
    values = {token_norm: 1, value_operator_norm: 1, logit_bound: 0, depth.layer_lipschitz: 1, alibi_slope: 1}
    for layers in (1, 2, 3):
        scaled = (depth.depth_closed_form(layers).expression * sp.exp(window) / window ** (layers - 1)).subs(values)
        assert 0 < sp.limit(sp.simplify(scaled), window, sp.oo) < sp.oo
        wrong = (depth.depth_without_growth(layers).expression * sp.exp(window)).subs(values)
        assert not sp.simplify(wrong).free_symbols
    one = [form(1).expression for form in (depth.depth_closed_form, depth.depth_without_growth)]
    assert sp.simplify(one[0] - one[1]) == 0


@few
@given(st.lists(st.tuples(small, small), min_size=1, max_size=4), small)
def test_two_points_of_the_norm(pairs, epsilon):
    with mpmath.workdps(40):
        first, second = ([real(pair[k]) * (-1) ** (k * j) for j, pair in enumerate(pairs)] for k in (0, 1))
        scales = [mpmath.sqrt(mpmath.fsum(x * x for x in p) / len(p) + real(epsilon)) for p in (first, second)]
        apart = mpmath.norm([x - y for x, y in zip(first, second, strict=True)])
        moved = mpmath.norm([x / scales[0] - y / scales[1] for x, y in zip(first, second, strict=True)])
        # The identity of the proof
        gap = len(pairs) * (apart**2 / len(pairs) - (scales[0] - scales[1]) ** 2) / (scales[0] * scales[1])
        last = len(pairs) * real(epsilon) * (1 / scales[0] - 1 / scales[1]) ** 2
        assert mpmath.almosteq(moved**2 + last, gap, 1e-30, 1e-30)
        point = {"token_distance": float(apart), "first_scale": float(scales[0]), "second_scale": float(scales[1])}
        bound = depth.norm_two_points().safe(**point) * (1 + 1e-14) + 1e-300
        assert moved <= bound
        turned = [mpmath.norm(first[::-1]), mpmath.norm(first)]
        assert turned[0] == turned[1]
        flipped = 2 * turned[0] / scales[0]
        equal = {"token_distance": float(2 * turned[0]), "first_scale": point["first_scale"]}
        attained = depth.norm_two_points().safe(second_scale=point["first_scale"], **equal)
        assert attained == pytest.approx(float(flipped), rel=1e-13)


def test_receptive_field_and_what_is_refused():
    assert depth.receptive_field().evaluate(layers=3, window=1) == 1
    assert depth.receptive_field().evaluate(layers=3, window=5) == 13
    for statement in (depth.depth_closed_form, depth.gradient_closed_form, depth.depth_without_growth):
        with pytest.raises(ValueError, match="use layers=1"):
            statement(0)
    point = {"alibi_slope": 1, "logit_bound": 0, "value_operator_norm": 1, "layer_lipschitz": 1}
    with pytest.raises(ValueError, match="distance >= 1"):
        depth.gradient_closed_form(1).certified(distance=0, **point)
