"""What the rates of `estimators.rates` are compared with: growth of bounds in one variable, from their formulas.

`theory.growth` says how the statistics grow, `theory.asymptotics` what follows for the bound. R = 1 + c is the largest
norm of a token (`encoding_scale` c, 0 without additive encoding).
"""

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp

from theory import classical, notation, rademacher, rademacher_baselines
from theory.asymptotics import Asymptotics, asymptotics
from theory.bound import Bound, Relation
from theory.composition import substitute
from theory.growth import encoding_statistics, in_encoding_scale, per_sample

LAYERS = sp.Symbol("layers", integer=True, positive=True)
LETTERS = {"sample_size": "n", "length": "T", "dim": "d", "layers": "L", "encoding_scale": "c", "alibi_slope": "m"}
MAKERS: dict[str, Callable[[], Bound]] = {
    "khintchine": rademacher.khintchine,
    "U1-trivial": rademacher.trivial,
    "U2-width": rademacher.width,
    "U3-contraction": rademacher.contraction,
    "U5-taylor": rademacher.taylor,
    "covering": rademacher.covering,
    "linear": rademacher.frozen_linear,
    "after-Trauger-Tewari": rademacher_baselines.maurey_head,
    "linear-upper": classical.linear_l2_upper,
    "linear-lower": classical.linear_l2_lower,
}


@dataclass(frozen=True)
class Statement:
    """A bound and its growth in the variable of a row. bound: name in `MAKERS`, or another name of the values that a
    row has. given: what is assumed of the statistics, empty for the worst case."""

    bound: str
    growth: Asymptotics
    relation: Relation = Relation.AT_MOST
    given: str = ""

    @property
    def exponent(self) -> float:
        """The power of the variable; infinite where the bound grows like an exponential."""
        if self.growth.exponential != 0:
            rising = sp.limit(_at_one(self.growth.exponential, self.growth.variable), self.growth.variable, sp.oo) > 0
            return float("inf") if rising else float("-inf")
        return float(self.growth.exponent)

    @property
    def order(self) -> str:
        """For example n^(-1/2), c ln(c)^(1/2) or exp(L^2), without constants."""
        name = LETTERS[self.growth.variable.name]
        if self.growth.exponential != 0:
            largest = sp.Poly(self.growth.exponential, self.growth.variable).degree()
            return f"exp({name}^{largest})" if largest > 1 else f"exp({name})"
        power, logarithm = self.growth.exponent, self.growth.log_power
        shown = "1" if power == 0 else name if power == 1 else f"{name}^{_exponent(power)}"
        if logarithm == 0:
            return shown
        log = f"ln({name})" + ("" if logarithm == 1 else f"^{_exponent(logarithm)}")
        return log if power == 0 else f"{shown} {log}"


def in_sample_size(*names: str) -> list[Statement]:
    """Statistics that do not depend on n, per sample."""
    return [_statement(name, per_sample(MAKERS[name]()), "sample_size") for name in names]


def in_length(*names: str) -> list[Statement]:
    """The worst case: a token can get all the weight in every sample, sum_j abar_ij = T."""
    return [_statement(name, in_encoding_scale(MAKERS[name]()), "length") for name in names]


def in_length_bounded(name: str) -> Statement:
    """Logits <w, k_ij> without bias: abar_ij <= 1/(1 + (T - 1) e^(-2 B_w R)), so sum_j abar_ij stays bounded."""
    length, radius = notation.length, 1 + notation.encoding_scale
    mass = length / (1 + (length - 1) * sp.exp(-2 * notation.logit_norm * radius))
    bound, known = MAKERS[name](), encoding_statistics()
    found = {s.name: known[s.name].subs(length, mass) for s in bound.symbols if s.name in known}
    return _statement(name, substitute(bound, found), "length", given="no bias")


def in_length_averaged(name: str) -> Statement:
    """Uniform weights on independent centred unit tokens: |a_i(0)|^2 is 1/T in the mean."""
    found = substitute(MAKERS[name](), {"frozen_energy": notation.sample_size / notation.length})
    return _statement(name, found, "length", given="independent tokens")


def in_dimension(*names: str) -> list[Statement]:
    """Tokens of norm at most R in R^d, a query in R^d."""
    found = []
    for name in names:
        bound = in_encoding_scale(MAKERS[name]())
        if notation.logit_dim in bound.symbols:
            bound = substitute(bound, {"logit_dim": notation.dim})
        found.append(_statement(name, bound, "dim"))
    return found


def in_scale(*names: str, bilinear: bool = False) -> list[Statement]:
    """Tokens x + c p, |x|, |p| <= 1; `bilinear`: logits q^T W k of such tokens."""
    return [_statement(name, in_encoding_scale(MAKERS[name](), bilinear), "encoding_scale") for name in names]


def in_alibi_slope(*names: str) -> list[Statement]:
    """Bounds whose formulas do not know the bias."""
    return [_statement(name, MAKERS[name](), "alibi_slope") for name in names]


def in_depth() -> list[Statement]:
    """U1, R_x (1 + nu)^L, and U7, from below by its block V_1 (`theory.rademacher_depth.residual_gradients`).

    That block is nu m_(d^2) B_u R_x prod_{l=1}^{L-1} c_l, c_l >= nu B_w D_l (D_l + 2 R_l)/4 and D_l, R_l ~ (1 + nu)^l.
    """
    trivial = asymptotics(notation.readout_norm * notation.token_norm * (1 + notation.value_norm) ** LAYERS, LAYERS)
    return [Statement("U1-trivial", trivial), Statement("U7-depth", asymptotics(first_value_block(), LAYERS))]


def first_value_block() -> sp.Expr:
    """A lower bound of U7 (one term of its sum) with the number of layers as a symbol."""
    nu, diameter, norm = notation.value_norm, notation.token_diameter, notation.token_norm
    later = nu * notation.logit_norm * diameter * (diameter + 2 * norm) / 4
    product = later ** (LAYERS - 1) * (1 + nu) ** (LAYERS * (LAYERS - 1))
    return notation.readout_norm * nu * norm * product / sp.sqrt(notation.sample_size)


def _statement(name: str, bound: Bound, variable: str, given: str = "") -> Statement:
    return Statement(name, asymptotics(bound, variable), bound.relation, given)


def _at_one(expression: sp.Expr, variable: sp.Symbol) -> sp.Expr:
    """Every other symbol set to 1: decides the sign of a growth whose leading coefficient is positive."""
    return expression.subs({s: 1 for s in expression.free_symbols if s != variable})


def _exponent(power: sp.Expr) -> str:
    return f"({power})" if power.is_Rational and (power < 0 or not power.is_integer) else str(power)
