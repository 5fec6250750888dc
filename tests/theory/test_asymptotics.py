"""theory/asymptotics.py and leading_term.py: known expansions, ratios to the leading term far out, all statements."""

import mpmath
import pytest
import sympy as sp

from theory import notation as word
from theory import rademacher, widths
from theory.asymptotics import Asymptotics, asymptotics
from theory.leading_term import Undetermined
from theory.points import admissible_points
from theory.rademacher_series import exponential_tail
from theory.statements import STATEMENTS

n, d, c, b, m = word.sample_size, word.dim, word.encoding_scale, word.logit_norm, word.token_norm
T, pi = word.length, word.bias_weight
HALF = sp.Rational(1, 2)
# The sign of a leading coefficient depends on other symbols, or a sum or zeta function has no leading term here.
UNDETERMINED = {
    *("attention-causal-mass", "fano", "gaussian-code-bound", "latent-pairwise-upper", "latent-pairwise-lower"),
    *("alibi-tail-mass", "alibi-tail-mass-lower", "alibi-horizon", "alibi-horizon-simple", "alibi-reversal-weight"),
    *("kerple-power-tail-mass", "kerple-log-tail-sum", "kerple-log-tail-mass", "unfinished-periods"),
    *("rotary-mean-kernel", "rotary-uniform-decay", "prefix-parity-accuracy", "reversal-accuracy"),
    *("approximation-difference-width", "approximation-worst-difference-error", "approximation-cosine-worst-error"),
    *("approximation-haar-worst-error", "approximation-difference-error", "approximation-every-orthonormal-code"),
    *("chebyshev-coefficient", "chebyshev-product", "legendre-coefficient", "polynomial-jackson"),
    *("legendre-variation", "daubechies-coefficient", "daubechies-interpolated"),
    "approximation-discrete-lipschitz-width",
}


@pytest.mark.parametrize(
    ("expression", "symbol", "at_zero", "leading"),
    [
        (widths.gaussian_norm_mean(), d, False, sp.sqrt(d)),
        (widths.gaussian_norm_mean(n * d), d, False, sp.sqrt(n * d)),
        (widths.gaussian_norm_mean(d**2), d, False, d),
        (sp.gamma(d / 2) / sp.gamma((d + 3) / 2), d, False, (d / 2) ** sp.Rational(-3, 2)),
        (sp.gamma(d + 1) / sp.gamma(d), d, False, d),
        (sp.binomial(2 * d, d), d, False, 4**d / sp.sqrt(sp.pi * d)),
        (sp.factorial(d), d, False, sp.sqrt(2 * sp.pi) * d ** (d + HALF) * sp.exp(-d)),
        (sp.sqrt(1 + c**2), c, False, c),
        (sp.sqrt(1 + c**2), c, True, 1),
        (sp.sqrt(1 + c**2) - 1, c, True, c**2 / 2),
        (sp.sqrt(1 + c**2) - c, c, False, 1 / (2 * c)),
        ((1 + c) ** 3 - c**3, c, False, 3 * c**2),
        (sp.log(1 + b / n), n, False, b / n),
        (sp.log(2 * n * T), n, False, sp.log(n)),
        (sp.log(c), c, True, -sp.log(1 / c)),
        (c * sp.sqrt(sp.log(1 + 1 / c)), c, True, c * sp.sqrt(sp.log(1 / c))),
        (sp.exp(2 * b) / (sp.exp(2 * b) + T - 1), b, False, 1),
        (1 - sp.exp(2 * b) / (sp.exp(2 * b) + T - 1), b, False, (T - 1) * sp.exp(-2 * b)),
        (pi / (pi + (1 - pi) * sp.exp(2 * b)), b, False, pi / (1 - pi) * sp.exp(-2 * b)),
        (sp.exp(2 * b + sp.sqrt(b) + sp.log(b) / 2 + 1), b, False, sp.E * sp.sqrt(b) * sp.exp(2 * b + sp.sqrt(b))),
        (sp.tanh(b / 4), b, True, b / 4),
        (sp.tanh(b / 4), b, False, 1),
        (sp.cosh(b), b, False, sp.exp(b) / 2),
        (sp.cosh(b) - 1, b, True, b**2 / 2),
        (sp.erfc(b), b, False, sp.exp(-(b**2)) / (sp.sqrt(sp.pi) * b)),
        (sp.zeta(2, n + 1), n, False, 1 / n),
        (exponential_tail(3, b), b, True, b**4 / 24),
        (sp.ceiling(4 / c + 2), c, True, 4 / c),
        (sp.ceiling(4 / c + 2), c, False, 3),
        (sp.floor(2 - 1 / c), c, False, 1),
        (sp.Min(n, sp.exp(2 * b)), b, False, n),
        (sp.Max(n * b, b**2, 7), b, False, b**2),
        (sp.Max(n * b, 2 * b), b, False, b * sp.Max(n, 2)),
        (sp.Max(-b, -1), b, False, -1),
        (sp.Min(-b, 1), b, False, -b),
        (sp.Piecewise((b, b < 3), (b**2, b > n), (0, True)), b, False, b**2),
        (sp.Piecewise((b, (b < 3) | sp.Eq(b, 5)), (1, True)), b, True, b),
        (sp.Sum(1 / (2 * sp.Dummy("k") + 1), (sp.Dummy("k"), 0, d)) * 0 + d, d, False, d),
        (sp.Sum(T, (sp.Symbol("k"), 1, d)), d, False, T * d),
        (sp.Abs(1 - b), b, False, b),
        (word.alibi_slope + 1, b, False, word.alibi_slope + 1),
    ],
)
def test_known_expansions(expression, symbol, at_zero, leading):
    found = asymptotics(expression, symbol, at_zero=at_zero)
    assert sp.simplify(found.leading / leading) == 1
    if symbol in expression.free_symbols and not expression.has(sp.gamma, sp.factorial, sp.binomial, sp.zeta):
        base = 10**6 if found.exponential == 0 else 30
        given = {s: sp.Rational(1, 3) for s in expression.free_symbols if s != symbol and not s.is_integer}
        given |= {s: 5 for s in expression.free_symbols if s != symbol and s.is_integer}
        given[symbol] = sp.Rational(1, base) if at_zero else sp.Integer(base)
        ratio = sp.N(expression.subs(given).doit() / found.leading.subs(given), 20)
        assert abs(ratio - 1) < 0.3  # logarithms are slow


def test_the_rate_of_u2_and_how_it_prints():
    found = asymptotics(rademacher.width(), "logit_norm")
    assert isinstance(found, Asymptotics)
    assert (found.exponent, found.log_power, found.exponential) == (1, 0, 0)
    assert found.order == b
    assert found._repr_latex_().endswith(r"(B_w\to \infty)$")
    assert asymptotics(rademacher.width(), word.value_energy, at_zero=True)._repr_latex_().endswith(r"\to 0)$")


def test_what_has_no_leading_term_is_refused():
    for expression in (sp.log(sp.log(3 + b)), sp.sin(b), sp.exp(sp.sqrt(sp.log(2 + b))), sp.gamma(b + 1 / (1 + b))):
        with pytest.raises(Undetermined):
            asymptotics(expression, b)
    with pytest.raises(Undetermined, match="sign"):
        asymptotics(sp.exp(b * (m - n)) + 1, b)
    with pytest.raises(Undetermined, match="closed form"):
        asymptotics(sp.Sum(sp.exp(-(sp.Symbol("k") ** 2)), (sp.Symbol("k"), 0, d)), d)
    with pytest.raises(ValueError, match="does not tend to 0"):
        asymptotics(rademacher.width(), "sample_size", at_zero=True)
    with pytest.raises(ValueError, match="did you mean 'logit_norm'"):
        asymptotics(rademacher.width(), "logit_nrm")


def _value(expression, given):
    point = [int(one) if one.is_integer else mpmath.mpf(one.p) / one.q for one in given.values()]
    return sp.lambdify(list(given), expression, modules="mpmath", cse=True)(*point)


def far_out(bound, symbol, at_zero):
    """bound / leading term at two points, far out and farther: tends to 1, in powers or in logarithms; None outside the
    assumptions, and at special values where the term vanishes or is infinite.

    No digits hold 1 + e^-x at huge points: exponentials of the symbol itself are taken at moderate ones.
    """
    found = asymptotics(bound, symbol, at_zero=at_zero)
    if found.exponential != 0:
        return None
    given = {s: sp.Rational(admissible_points(bound, 1, seed=3)[0][s.name] or 1) for s in bound.symbols if s != symbol}
    ratios = []
    digits = 100 if bound.expression.has(sp.zeta) else 2500  # zeta is slow
    with mpmath.workdps(digits):
        far = {symbol: sp.Rational(1, 10**30) if at_zero else sp.Integer(10**30)}
        inner = [node.args[0] for node in bound.expression.atoms(sp.exp, sp.tanh) if symbol in node.free_symbols]
        grown = any(abs(_value(argument, given | far)) > 1000 for argument in inner)
        for size in (1000, 2000) if grown else (10**30, 10**60):
            far = {symbol: sp.Rational(1, size) if at_zero else sp.Integer(size)}
            try:
                leading = _value(found.leading, given | far)
            except ZeroDivisionError:
                return None
            if leading == 0 or bound.assumptions.subs(given | far) == sp.false:
                return None
            ratios.append(complex(_value(bound.expression, given | far) / leading))
    return ratios


def _far(bound):
    """Symbols and limits at which the bound can be evaluated far out: a sum over that many terms cannot."""
    counted = {s for node in bound.expression.atoms(sp.Sum, sp.Product) for s in node.free_symbols if s.is_integer}
    for symbol in sorted(bound.expression.free_symbols - counted, key=str):
        for at_zero in (False, True):
            if not (at_zero and symbol.is_integer) and not symbol.is_nonpositive:
                yield symbol, at_zero


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_statement_is_asymptotic_to_its_leading_term(name):
    bound = STATEMENTS[name]()
    for symbol, at_zero in _far(bound):
        try:
            ratios = far_out(bound, symbol, at_zero)
        except Undetermined:
            if name not in UNDETERMINED:
                raise
            continue
        if ratios is not None and not any(one.imag for one in ratios):  # complex: outside the bound's assumptions
            near, nearer = (abs(one - 1) for one in ratios)
            assert nearer < max(1e-14, 0.8 * near), (symbol, at_zero, ratios)
