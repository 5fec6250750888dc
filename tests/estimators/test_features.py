"""Arrays of every encoding against 30-digit SymPy, and their use in the template class."""

import jax.numpy as jnp
import numpy as np
import orthax
import pytest
import sympy as sp

from estimators.features import (
    additive_table,
    bias_matrix,
    bias_row,
    relative_table,
    rotation_angles,
    template,
)
from theory.encodings import ENCODINGS, parse
from theory.encodings.base import (
    AbstractAdditiveEncoding,
    AbstractBiasEncoding,
    AbstractRelativeEncoding,
    AbstractRotaryEncoding,
)

VARIANTS = [
    "sinusoidal:base=50,order=concatenated",
    "learned:std=2,seed=5",
    "relative:clip_distance=3",
    "rotary:pairing=half-split,base=100",
    "alibi:slope=0.3",
    "alibi:heads=12",
    "t5:bidirectional=true,max_distance=20,buckets=8",
    "kerple-log:seed=1",
    "kerple-power:seed=1",
    "kerple-power:r2=0.5",
    "sandwich:first=1,width=6",
    "fire:threshold=5,width=4",
    "haar:constant=false",
    "haar:train_length=7",
    "haar:train_length=12,dim=20",
    "daubechies:order=2",
    "daubechies:order=10,constant=false",
    "daubechies:train_length=11,dim=18",
    "ricker:width=1/3,dim=5",
    "legendre:form=normalised",
    "legendre:form=orthonormal",
    "legendre:form=orthonormal,constant=false,dim=18",
    "legendre:train_length=40,dim=40",
    "legendre:form=orthonormal,train_length=40,dim=40",
    "chebyshev:constant=false",
    "chebyshev:train_length=40,dim=40",
    "cosine:constant=false,dim=18",
    "random-orthogonal:centred=true",
    "random-orthogonal:dim=20",
    "information-optimal:dim=18",
    "information-optimal:noise=brownian",
    "information-optimal:noise=exponential,correlation=0.9",
    "information-optimal:noise=exponential,correlation=0.1,noise_variance=20",
]
SPECIFICATIONS = [*ENCODINGS, *VARIANTS]


def read(text, **defaults):
    return parse(text, **{"dim": 8, "train_length": 16, **defaults})


def with_every_rule():
    for text in SPECIFICATIONS:
        for rule in type(read(text)).rules:
            if rule != "refuse":
                yield f"{text}{',' if ':' in text else ':'}beyond={rule}"


def digits(expression):
    return float(sp.N(expression, 30))


def assert_close(array, expected):
    """Relative to the largest entry of the row: every form is allowed to lose 1e-12 of it."""
    expected = np.array(expected)
    np.testing.assert_allclose(array, expected, rtol=0, atol=1e-12 * max(1e-3, np.abs(expected).max()))


@pytest.mark.parametrize("text", list(with_every_rule()))
def test_arrays_are_the_symbolic_formula(text):
    encoding = read(text)
    known = encoding.train_length
    for length in (known, known + known // 2 + 1):
        picked = sorted({0, 1, known // 2, known - 1, min(known, length - 1), length - 2, length - 1})
        read_at = {t: encoding.position(t, length) for t in picked}
        if isinstance(encoding, AbstractAdditiveEncoding):
            table = additive_table(encoding, length)
            assert table.shape == (length, encoding.dim)
            assert table.dtype == jnp.float64
            for t in picked:
                assert_close(table[t], [digits(encoding.feature(read_at[t], k)) for k in range(encoding.dim)])
        elif isinstance(encoding, AbstractRelativeEncoding):
            table = relative_table(encoding, length)
            for d in picked:
                expected = [digits(encoding.feature(read_at[d], k)) for k in range(encoding.dim)]
                assert_close(table[length - 1 - d], expected)
        elif isinstance(encoding, AbstractRotaryEncoding):
            angles = rotation_angles(encoding, length)
            assert angles.shape == (length, encoding.dim // 2)
            for t in picked:
                expected = [digits(encoding.angle(k) * read_at[t]) for k in range(encoding.dim // 2)]
                assert_close(angles[t], expected)
        elif isinstance(encoding, AbstractBiasEncoding):
            matrix = np.asarray(bias_matrix(encoding, length, causal=False))
            assert matrix.shape == (encoding.heads, length, length)
            for head in (0, encoding.heads - 1):
                row = bias_row(encoding, length, head)
                np.testing.assert_allclose(row, matrix[head, -1], atol=1e-15)
                expected = [digits(encoding.bias(read_at[d], head, length - 1)) for d in picked]
                assert_close(row[length - 1 - np.array(picked)], expected)
            query, later = length // 3, length - 1
            value = digits(encoding.bias(encoding.position(query - later, length), 1, query))
            assert matrix[1, query, later] == pytest.approx(value, abs=1e-12)


def test_causal_bias_is_minus_infinity_after_the_query():
    for text in ("alibi", "t5", "fire"):
        causal, full = (np.asarray(bias_matrix(read(text), 20, causal=c)) for c in (True, False))
        after = np.triu(np.ones((20, 20), bool), 1)
        assert (causal[:, after] == -np.inf).all()
        np.testing.assert_array_equal(causal[:, ~after], full[:, ~after])


@pytest.mark.parametrize("text", SPECIFICATIONS)
def test_refuse_refuses_and_says_what_to_do(text):
    encoding = read(f"{text}{',' if ':' in text else ':'}beyond=refuse")
    length = encoding.train_length + 1
    with pytest.raises(ValueError, match=f"got length {length}: use .*train_length={length}"):
        template(encoding, np.ones((2, length, encoding.dim)))
    template(encoding, np.ones((2, length - 1, encoding.dim)))


@pytest.mark.parametrize("text", SPECIFICATIONS)
@pytest.mark.parametrize("power", [1.0, 2.5])
def test_mean_power_over_the_training_positions(text, power):
    encoding = read(text)
    if isinstance(encoding, AbstractAdditiveEncoding):
        table = additive_table
    elif isinstance(encoding, AbstractRelativeEncoding):
        table = relative_table
    else:
        return
    scaled = np.asarray(table(encoding, encoding.train_length, power=power))
    assert np.mean(np.sum(scaled**2, axis=1)) == pytest.approx(power, rel=1e-12)
    raw = np.asarray(table(encoding, encoding.train_length))
    np.testing.assert_allclose(scaled * np.linalg.norm(raw), raw * np.linalg.norm(scaled), atol=1e-9)


def test_power_scales_by_one_factor_beyond_too():
    encoding = read("legendre")
    raw, scaled = (np.asarray(additive_table(encoding, 24, power=p)) for p in (None, 1.0))
    np.testing.assert_allclose(scaled / raw, (scaled / raw)[0, 0], rtol=1e-12)


def test_no_power_is_an_error_not_nan():
    zero = read("haar:constant=false,train_length=1", dim=2)
    with pytest.raises(ValueError, match=r"zero at every training position.*power=None"):
        additive_table(zero, 1, power=1.0)
    for power in (0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="power must be a positive number or None"):
            additive_table(read("cosine"), 4, power=power)


def test_overflow_is_an_error_not_infinity():
    with pytest.raises(ValueError, match="legendre overflows float64 at length 4000: use beyond=clip"):
        additive_table(read("legendre", dim=128), 4000)


def test_tables_are_for_their_kind():
    with pytest.raises(ValueError, match="alibi is not additive encoding: use template"):
        additive_table(read("alibi"), 4)
    with pytest.raises(ValueError, match="cosine is not a bias encoding"):
        bias_row(read("cosine"), 4)
    with pytest.raises(ValueError, match="length must be at least 1, got 0"):
        additive_table(read("cosine"), 0)
    with pytest.raises(ValueError, match="heads 0 to 7, got 8"):
        bias_row(read("fire"), 4, head=8)


@pytest.mark.parametrize(
    ("name", "recurrence"),
    [("legendre", orthax.legendre.legvander), ("chebyshev", orthax.chebyshev.chebvander)],
)
def test_polynomials_are_those_of_orthax(name, recurrence):
    encoding = read(name, dim=32, train_length=64)
    expected = recurrence(jnp.linspace(-1, 1, 64), 31)
    np.testing.assert_allclose(additive_table(encoding, 64), expected, atol=1e-12)


def test_legendre_beyond_its_interval():
    """Theory 5.6: norm 644 at the first unseen position for N = 64, d = 32."""
    norms = np.linalg.norm(additive_table(read("legendre", dim=32, train_length=64), 65), axis=1)
    assert norms[64] == pytest.approx(644, abs=0.5)
    assert norms[:64].max() == pytest.approx(np.sqrt(32))


def test_sampled_legendre_is_not_orthogonal_but_the_discrete_form_is():
    """Theory 3.4: condition number of the Gram matrix 1.5e4 at N = 64, d = 32."""
    sampled = np.asarray(additive_table(read("legendre", dim=32, train_length=64), 64))
    assert np.linalg.cond(sampled.T @ sampled) == pytest.approx(1.5e4, rel=0.02)
    discrete = np.asarray(additive_table(read("legendre:form=orthonormal", dim=64, train_length=64), 64))
    np.testing.assert_allclose(discrete.T @ discrete, np.eye(64), atol=1e-13)
    q, r = np.linalg.qr(sampled)
    np.testing.assert_allclose(discrete[:, :32], q * np.sign(np.diag(r)), atol=1e-10)
