"""Names, specifications, rules and refusals of every encoding."""

import dataclasses
import pickle
from fractions import Fraction

import pytest
import sympy as sp

from theory.encodings import ENCODINGS, parse, specification
from theory.encodings.base import PROPERTIES, AbstractAdditiveEncoding, AbstractBiasEncoding

NAMES = """
none sinusoidal learned relative rotary alibi t5 kerple-log kerple-power sandwich fire haar daubechies ricker
legendre chebyshev cosine random-orthogonal gaussian information-optimal
""".split()  # noqa: SIM905


def test_names_and_their_order():
    assert list(ENCODINGS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_described_and_carried_back(name):
    encoding = parse(name, dim=4, train_length=8)
    assert encoding.name == name
    assert (encoding.dim, encoding.train_length) == (4, 8)
    # The full text overrides the arguments, so it must restore the encoding whatever they are.
    assert parse(specification(encoding), dim=2, train_length=2, heads=2) == encoding
    assert type(encoding).__doc__ is not None
    assert "Properties:" in type(encoding).__doc__
    assert encoding.properties | encoding.undecided <= set(PROPERTIES)
    assert hash(encoding) == hash(pickle.loads(pickle.dumps(encoding)))
    assert dataclasses.replace(encoding, dim=6).dim == 6


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("alibi:slope=0.1", "slope", sp.Rational(1, 10)),
        ("alibi:slope=1/3", "slope", sp.Rational(1, 3)),
        ("alibi:slope=none", "slope", None),
        ("alibi:heads=3", "heads", 3),
        ("sinusoidal:base=500,order=concatenated", "order", "concatenated"),
        ("t5:bidirectional=true", "bidirectional", True),
        ("legendre: form=orthonormal , beyond=clip", "beyond", "clip"),
        ("learned:train_length=3,dim=5", "train_length", 3),
        ("gaussian:seed=-7", "seed", -7),
    ],
)
def test_values_are_read_by_type(text, key, value):
    encoding = parse(text, dim=4, train_length=8)
    assert getattr(encoding, key) == value
    assert parse(specification(encoding), dim=1, train_length=1) == encoding


def test_numbers_become_exact():
    slopes = [ENCODINGS["alibi"](dim=2, train_length=4, slope=s).slope for s in (0.1, "0.1", Fraction(1, 10))]
    assert slopes == [sp.Rational(1, 10)] * 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alibbi", "'alibi'"),
        ("sinusodal:base=2", "'sinusoidal'"),
        ("", "unknown encoding ''"),
        ("alibi:slop=1", "no key 'slop': use one of dim, train_length, beyond, heads, slope"),
        ("haar:heads=4", "no key 'heads'"),
        ("alibi:slope", "key=value"),
        ("alibi:slope=1,slope=2", "twice"),
        ("alibi:slope=steep", "slope must be a number such as 2, 0.5 or 1/3 or none, got 'steep'"),
        ("alibi:slope=1/0", "slope must be a number"),
        ("alibi:slope=inf", "slope must be a number"),
        ("alibi:slope=nan", "slope must be a number"),
        ("alibi:slope=-1", "slope must be positive"),
        ("t5:buckets=3.5", "buckets must be an integer"),
        ("t5:bidirectional=maybe", "true or false"),
        ("legendre:form=cooked", "raw|normalised|orthonormal"),
        ("legendre:beyond=never", "extend, clip, rescale, refuse"),
        ("learned:beyond=extend", "clip, rescale, refuse"),
        ("rotary:beyond=clip", "extend, rescale, refuse"),
        ("rotary:dim=5", "dim must be even for rotary, got 5: use dim=6"),
        ("sinusoidal:dim=3", "dim must be even for sinusoidal, got 3: use dim=4"),
        ("daubechies:order=1", "encoding haar"),
        ("daubechies:order=11", "order must be 2 to 10"),
        ("legendre:train_length=1", "train_length of at least 2"),
        ("chebyshev:train_length=1", "train_length of at least 2"),
        ("information-optimal:train_length=1", "train_length=2"),
        ("cosine:train_length=1,beyond=rescale", "rescale needs train_length of at least 2"),
        ("none:dim=0", "dim must be at least 1"),
        ("none:train_length=0", "train_length must be at least 1"),
        ("alibi:heads=0", "heads must be at least 1"),
        ("kerple-power:r2=3", "r2 must be in (0, 2]"),
        ("kerple-power:r2=0.12345", "four decimals"),
        ("random-orthogonal:centred=true,dim=8", "centred=false"),
        ("information-optimal:noise=exponential,correlation=1", "correlation must be in (0, 1)"),
    ],
)
def test_errors_advise(text, message):
    with pytest.raises(ValueError, match=r"\S") as caught:
        parse(text, dim=4, train_length=8)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_positions_beyond_the_training_length():
    at = {rule: parse(f"legendre:beyond={rule}", dim=2, train_length=5) for rule in ("extend", "clip", "rescale")}
    assert [at["extend"].position(t, 9) for t in (0, 4, 8)] == [0, 4, 8]
    assert [at["clip"].position(t, 9) for t in (0, 4, 8, -8)] == [0, 4, 4, -4]
    assert [at["rescale"].position(t, 9) for t in (0, 1, 8)] == [0, sp.Rational(1, 2), 4]
    assert all(encoding.position(3, 5) == 3 for encoding in at.values())


def test_refusal_names_the_way_out():
    with pytest.raises(ValueError, match=r"learned is defined for 8 positions, got length 16: use beyond=clip, or"):
        parse("learned", dim=2, train_length=8).position(0, 16)
    assert parse("learned", dim=2, train_length=8).position(7, 8) == 7


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("legendre", "chebyshev", "information-optimal")])
def test_one_position_is_enough_where_nothing_is_rescaled(name):
    encoding = parse(name, dim=4, train_length=1)
    if isinstance(encoding, AbstractAdditiveEncoding):
        assert all(sp.N(encoding.feature(0, k)).is_finite for k in range(4))


def test_channels_and_heads_that_do_not_exist():
    for name in NAMES:
        encoding = parse(name, dim=4, train_length=8)
        if isinstance(encoding, AbstractAdditiveEncoding):
            for k in (-1, 4):
                with pytest.raises(ValueError, match="channels 0 to 3"):
                    encoding.feature(0, k)
        if isinstance(encoding, AbstractBiasEncoding):
            for head in (-1, 8):
                with pytest.raises(ValueError, match="heads 0 to 7"):
                    encoding.bias(0, head)


@pytest.mark.parametrize("name", ["sinusoidal", "legendre", "chebyshev", "cosine", "ricker", "haar"])
def test_closed_forms_accept_a_symbol(name):
    encoding = parse(name, dim=4, train_length=8)
    t = sp.Symbol("t", real=True)
    for k in range(4):
        assert sp.simplify(encoding.feature(t, k).subs(t, 3) - encoding.feature(3, k)) == 0


def test_tables_refuse_a_symbol():
    for name in ("learned", "t5", "relative", "daubechies"):
        encoding = parse(name, dim=4, train_length=8)
        ask = encoding.bias if isinstance(encoding, AbstractBiasEncoding) else encoding.feature
        with pytest.raises(ValueError, match="rational number, not t"):
            ask(sp.Symbol("t"), 0)


def test_missing_channels_are_zero():
    for text in ("haar", "daubechies", "cosine", "legendre:form=orthonormal", "information-optimal"):
        encoding = parse(text, dim=6, train_length=4)
        assert [encoding.feature(1, k) == 0 for k in (4, 5)] == [True, True]
