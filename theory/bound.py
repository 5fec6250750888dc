"""A bound: what is bounded, from which side, by which symbolic expression, under which assumptions, by whose
proof. Least and largest of several bounds; substitution and sums are in `theory.composition`."""

import dataclasses
import difflib
import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sympy as sp

from theory import notation
from theory.certified import enclose, exact_number


class Relation(enum.Enum):
    """How the quantity (left) relates to the expression (right)."""

    AT_MOST = "<="
    AT_LEAST = ">="
    EQUAL = "="

    @property
    def latex(self) -> str:
        return {"<=": r"\leq", ">=": r"\geq", "=": "="}[self.value]


class Proof(enum.Enum):
    """Where the proof is: written in this project, in a cited source that was looked up, or quoted from
    memory."""

    DERIVED = "derived here"
    CITED = "cited"
    RECALLED = "recalled"


DOMAIN = {  # SymPy assumption -> words of the error message, in the order in which they are checked
    "integer": "an integer",
    "positive": "positive",
    "nonnegative": "nonnegative",
    "negative": "negative",
    "nonpositive": "nonpositive",
    "nonzero": "nonzero",
    "even": "even",
    "odd": "odd",
    "real": "real",
}


def _in_domain(symbol: sp.Symbol, given: Any) -> sp.Expr:
    """The exact value of `given` if it satisfies the assumptions of `symbol`, which SymPy's own `subs`
    ignores."""
    value = exact_number(symbol.name, given)
    for assumption, words in DOMAIN.items():
        required = symbol.assumptions0.get(assumption)
        if required is not None and getattr(value, f"is_{assumption}") is not required:
            wanted = words if required else f"not {words}"
            raise ValueError(f"{symbol.name} must be {wanted}, got {given}: pass a value in its domain")
    return value


@dataclass(frozen=True)
class Bound:
    """`quantity relation expression`, for example R_hat <= V_1 B_u / n.

    quantity: LaTeX of the left-hand side. expression: SymPy, free symbols from `theory.notation` (the words
    are the keywords of the methods below). reference: source, or "derived in this project". assumptions:
    SymPy Boolean beyond what the symbols themselves assume. proof: where the proof is.

    Values are exact numbers: a float stands for the rational number it stores. An unknown or missing
    keyword, or a value outside the assumptions, raises ValueError.
    """

    quantity: str
    relation: Relation
    expression: sp.Expr
    reference: str
    assumptions: sp.Basic = sp.true
    proof: Proof = Proof.DERIVED

    def __post_init__(self) -> None:
        object.__setattr__(self, "expression", sp.sympify(self.expression))
        object.__setattr__(self, "assumptions", sp.sympify(self.assumptions))
        if self.expression.atoms(sp.Float):
            raise ValueError(
                f"bound on {self.quantity} contains a float, which is not the number it is printed as: "
                "write sp.Rational(1, 3) instead of 1/3"
            )

    @property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """Free symbols of the expression and of the assumptions, sorted by word."""
        free = self.expression.free_symbols | self.assumptions.free_symbols
        return tuple(sorted((s for s in free if isinstance(s, sp.Symbol)), key=lambda s: s.name))

    def _exact(self, values: dict[str, Any]) -> dict[Any, Any]:
        known = self.named(values)
        exact: dict[Any, Any] = {known[w]: _in_domain(known[w], value) for w, value in values.items()}
        if self.assumptions.subs(exact) == sp.false:
            raise ValueError(
                f"bound on {self.quantity} assumes {self.assumptions}, which is false for "
                + ", ".join(f"{word} = {value}" for word, value in values.items())
            )
        return exact

    def named(self, given: Iterable[str]) -> dict[str, sp.Symbol]:
        """Word -> symbol of this bound; ValueError, with the nearest word, if one of `given` is none of them."""
        known = {symbol.name: symbol for symbol in self.symbols}
        for word in given:
            if word not in known:
                near = difflib.get_close_matches(word, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"it depends on {', '.join(known) or 'nothing'}"
                raise ValueError(f"bound on {self.quantity} has no symbol {word!r}: {hint}")
        return known

    def _complete(self, values: dict[str, Any]) -> dict[Any, Any]:
        exact = self._exact(values)
        missing = [symbol.name for symbol in self.symbols if symbol not in exact]
        if missing:
            raise ValueError(f"bound on {self.quantity} also needs {', '.join(missing)}: pass them as keywords")
        if self.assumptions.subs(exact) != sp.true:
            raise ValueError(f"bound on {self.quantity} assumes {self.assumptions}, which cannot be decided here")
        return exact

    def subs(self, **values: Any) -> "Bound":
        """The bound with some symbols replaced by exact values; the others stay free."""
        exact = self._exact(values)
        return dataclasses.replace(
            self, expression=self.expression.subs(exact), assumptions=self.assumptions.subs(exact)
        )

    def evaluate(self, **values: Any) -> float:
        """Floating-point value of the expression: for display and plots, not for verdicts."""
        number = sp.N(self.expression.subs(self._complete(values)).doit(), 17)
        if not number.is_comparable:
            raise ValueError(f"bound on {self.quantity} is {number}, not a real number, for {values}")
        return float(number)

    def certified(self, **values: Any) -> tuple[float, float]:
        """Floats (lower, upper) that contain the exact value of the expression."""
        return enclose(self.expression, self._complete(values))

    def safe(self, **values: Any) -> float:
        """The end of the enclosure at which the claim says least: upper for AT_MOST, lower for AT_LEAST.

        A claim of equality has no such end: ValueError, use `certified`.
        """
        if self.relation is Relation.EQUAL:
            raise ValueError(f"an equality for {self.quantity} has no safe side: use certified() and compare both ends")
        lower, upper = self.certified(**values)
        return upper if self.relation is Relation.AT_MOST else lower

    def scaled(self, factor: Any) -> "Bound":
        """The same claim about `factor` times the expression: the falsified twin is
        `bound.scaled(Rational(1, 100))`."""
        exact = exact_number("factor", factor)
        return dataclasses.replace(self, expression=exact * self.expression, reference=f"{factor} x ({self.reference})")

    @property
    def latex(self) -> str:
        """The statement as LaTeX that matplotlib reads too, without the signs that begin and end mathematics."""
        return f"{notation.portable(self.quantity)} {self.relation.latex} {notation.latex(self.expression)}"

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex}$"

    def _repr_markdown_(self) -> str:
        """The statement, its assumptions, the word of every letter, its source and where its proof is."""
        lines = [f"$$\\displaystyle {self.latex}$$"]
        if self.assumptions != sp.true:
            lines.append(f"if ${notation.latex(self.assumptions)}$")
        if self.symbols:
            words = (f"${notation.latex(symbol)}$ `{symbol.name}`" for symbol in self.symbols)
            lines.append("where " + ", ".join(words))
        source = re.sub(r"([\\`*_<>\[\]$|])", r"\\\1", " ".join(self.reference.split()))
        return "\n\n".join([*lines, f"{source} (proof: {self.proof.value})"])

    def __str__(self) -> str:
        condition = "" if self.assumptions == sp.true else f" if {self.assumptions}"
        return (
            f"{self.quantity} {self.relation.value} {self.expression}{condition}  "
            f"[{self.reference}; {self.proof.value}]"
        )


def weakest_proof(bounds: Iterable[Bound]) -> Proof:
    """The status of a statement that rests on all of these."""
    return max((bound.proof for bound in bounds), key=list(Proof).index)


def _combine(bounds: Iterable[Bound], relation: Relation, choose: Any) -> Bound:
    several = list(bounds)
    if not several:
        raise ValueError("no bounds were given: pass at least one")
    if len({bound.quantity for bound in several}) > 1:
        raise ValueError(f"bounds on different quantities cannot be combined: {sorted({b.quantity for b in several})}")
    for bound in several:
        if bound.relation not in (relation, Relation.EQUAL):
            raise ValueError(
                f"'{bound}' is not of the kind quantity {relation.value} expression: "
                "use minimum() for upper bounds and maximum() for lower bounds"
            )
    return Bound(
        quantity=several[0].quantity,
        relation=relation,
        expression=choose(*(bound.expression for bound in several)),
        reference=f"{choose.__name__.lower()} of: " + "; ".join(bound.reference for bound in several),
        assumptions=sp.And(*(bound.assumptions for bound in several)),  # type: ignore[arg-type]  # Boolean
        proof=weakest_proof(several),
    )


def minimum(bounds: Iterable[Bound]) -> Bound:
    """The smallest of several upper bounds on one quantity, itself an upper bound where all assumptions
    hold."""
    return _combine(bounds, Relation.AT_MOST, sp.Min)


def maximum(bounds: Iterable[Bound]) -> Bound:
    """The largest of several lower bounds on one quantity, itself a lower bound where all assumptions
    hold."""
    return _combine(bounds, Relation.AT_LEAST, sp.Max)
