"""Bounds made of bounds: substitution that stays on the safe side, and sums; `theory.bound` has least and largest."""

from collections.abc import Iterable, Mapping
from typing import Any

import sympy as sp

from theory.bound import DOMAIN, Bound, Relation, weakest_proof
from theory.monotone import direction


def substitute(
    bound: Bound, replacements: Mapping[str, sp.Expr | int | Bound], monotone: Mapping[str, int] | None = None
) -> Bound:
    """The bound with words replaced by expressions, or by bounds of the statistics that they name.

    An expression is another name for the same number; what its symbol assumes and SymPy does not know of it joins the
    assumptions. A `Bound` moves the expression, so it must move it to the safe side: an upper bound stands in for a
    statistic in which an upper bound increases or a lower bound decreases, a lower bound for the reverse, an equality
    for any; an equality of ours becomes the inequality that is left. Monotonicity is decided by
    `theory.monotone.direction` on the whole domain. Where that is undecided the caller states it: monotone =
    {"sample_size": -1} (1 increases, -1 decreases).

    All words are replaced at once, and equal words of both bounds are equal numbers. References and assumptions are
    joined, and the weakest proof counts. ValueError for unknown words, for values outside a symbol's domain, and where
    the result would say nothing.
    """
    known = bound.named(replacements)
    bound.named(monotone or {})
    relation, conditions, exact, used = bound.relation, [], {}, [bound]
    for word, given in replacements.items():
        symbol = known[word]
        if isinstance(given, Bound):
            relation = _side(bound, symbol, given, (monotone or {}).get(word), relation)
            conditions.append(given.assumptions)
            used.append(given)
        exact[symbol] = given.expression if isinstance(given, Bound) else sp.sympify(given)
        conditions.append(_domain_of(symbol, exact[symbol], given.relation if isinstance(given, Bound) else None))
    names = [word for word, given in replacements.items() if isinstance(given, Bound)]
    inner = [f"{word}: {given.reference}" for word, given in zip(names, used[1:], strict=True)]
    assumptions: Any = [bound.assumptions.subs(exact, simultaneous=True), *conditions]
    return Bound(
        quantity=bound.quantity,
        relation=relation,
        expression=bound.expression.subs(exact, simultaneous=True),
        reference="; ".join([bound.reference, *inner]),
        assumptions=sp.And(*assumptions),
        proof=weakest_proof(used),
    )


def _side(bound: Bound, symbol: sp.Symbol, given: Bound, stated: int | None, so_far: Relation) -> Relation:
    """The relation that `bound` has once `given` stands in for `symbol`; ValueError if it would say nothing."""
    if given.relation is Relation.EQUAL:
        return so_far
    move = direction(bound.expression, symbol)
    if stated is not None and (stated not in (1, -1) or move not in (None, stated)):
        raise ValueError(f"monotone[{symbol.name!r}] = {stated} is wrong for {bound.quantity}: leave it out")
    move = stated if move is None else move
    if move is None:
        raise ValueError(
            f"whether the bound on {bound.quantity} increases in {symbol.name} is not decided here: if it does, pass "
            f"monotone={{{symbol.name!r}: 1}} (-1 if it decreases)"
        )
    rises = (given.relation is Relation.AT_MOST) == (move > 0)
    relation = so_far if move == 0 else Relation.AT_MOST if rises else Relation.AT_LEAST
    if so_far not in (relation, Relation.EQUAL):
        raise ValueError(
            f"'{given}' is on the wrong side: it makes the expression {'larger' if rises else 'smaller'}, which says "
            f"nothing about {bound.quantity}; pass a bound of {symbol.name} from the other side"
        )
    for condition in sp.And.make_args(bound.assumptions):
        if symbol in condition.free_symbols and not _implied(condition, symbol, given.relation):
            raise ValueError(
                f"bound on {bound.quantity} assumes {condition}, which a bound of {symbol.name} does not show: replace "
                "it by an expression or by an equality"
            )
    return relation


def _implied(condition: Any, symbol: sp.Symbol, relation: Relation) -> bool:
    """Whether `condition` at a bound of `symbol` (upper or lower, as `relation` says) implies it at the number."""
    if not isinstance(condition, sp.Lt | sp.Le | sp.Gt | sp.Ge):
        return False
    sides: Any = condition.args
    margin = sides[0] - sides[1] if isinstance(condition, sp.Gt | sp.Ge) else sides[1] - sides[0]
    return direction(margin, symbol) in ((-1, 0) if relation is Relation.AT_MOST else (1, 0))


def _domain_of(symbol: sp.Symbol, replacement: sp.Expr, relation: Relation | None) -> sp.Basic:
    """What `symbol` assumes and SymPy does not know of `replacement`, as a condition; ValueError if it is false.

    relation: of the bound that makes the replacement, None for an expression. Bounds are continued to real numbers, so
    a bound of a count need not be whole; and an upper bound of a positive number, or its equal, is positive.
    """
    checked = {"positive": replacement > 0, "nonnegative": replacement >= 0}
    checked |= {"negative": replacement < 0, "nonpositive": replacement <= 0}
    kept = {Relation.AT_MOST: ("negative", "nonpositive"), Relation.AT_LEAST: ("positive", "nonnegative")}
    wanted = [word for word in DOMAIN if symbol.assumptions0.get(word) is True]
    if relation is not None:
        wanted = [word for word in wanted if word in kept.get(relation, ())]
    conditions: list[Any] = []
    for assumption in wanted:
        known = getattr(replacement, f"is_{assumption}")
        if known is False or (known is None and assumption in ("integer", "even", "odd")):
            raise ValueError(f"{symbol.name} must be {DOMAIN[assumption]}, got {replacement}: pass one in its domain")
        if known is None and assumption in checked:
            conditions.append(checked[assumption])
    return sp.And(*conditions)


def total(bounds: Iterable[Bound], quantity: str | None = None) -> Bound:
    """The sum of bounds on several quantities: one bound on their sum, for example over blocks, heads or layers.

    quantity: LaTeX of the sum; default: the quantities joined by +. All are upper or equal, or all lower or equal; a
    sum of equalities is one. Equal words are equal numbers: where two blocks have a statistic of the same name and
    another value, `substitute` another word first.
    """
    several = list(bounds)
    if not several:
        raise ValueError("no bounds were given: pass at least one")
    sides = {bound.relation for bound in several} - {Relation.EQUAL}
    if len(sides) > 1:
        raise ValueError("upper and lower bounds add up to neither: pass bounds of one side, or equalities")
    names = [bound.quantity for bound in several]
    if quantity is None and len(set(names)) < len(names):
        raise ValueError(f"several bounds are on the same quantity {names[0]}: name their sum, quantity=...")
    conditions: Any = [bound.assumptions for bound in several]
    return Bound(
        quantity=quantity or "+".join(names),
        relation=sides.pop() if sides else Relation.EQUAL,
        expression=sp.Add(*(bound.expression for bound in several)),
        reference="sum of: " + "; ".join(bound.reference for bound in several),
        assumptions=sp.And(*conditions),
        proof=weakest_proof(several),
    )
