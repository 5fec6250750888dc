"""The box-tilted simplex {softmax(s + b): |s_j| <= B_j}: its largest weighted mean, by sorting.

A position with b = -infinity is removed beforehand (its weight is 0 for every s).
"""

from collections.abc import Sequence
from fractions import Fraction

import sympy as sp

from theory.bound import Bound, Relation

OURS = "derived in this project"


def _prefixes(values: Sequence[object], *others: Sequence[object]) -> list[int]:
    """Positions by decreasing value, after checking that all sequences have one positive length."""
    if not values or any(len(other) != len(values) for other in others):
        raise ValueError(
            f"the lengths {[len(values), *(len(other) for other in others)]} must be equal and positive: "
            "pass one number per position"
        )
    # Numbers, of any type that compares: int, Fraction, SymPy.
    return sorted(range(len(values)), key=lambda j: values[j], reverse=True)  # type: ignore[arg-type, return-value]


def box_tilted_maximum(
    values: Sequence[int | Fraction], lower: Sequence[int | Fraction], upper: Sequence[int | Fraction]
) -> tuple[Fraction, tuple[Fraction, ...]]:
    """Exact: the largest sum_j alpha_j y_j over the box-tilted simplex, and an alpha that attains it.

    values: y (T,), any sign. lower, upper: l and u (T,), 0 < l_j <= u_j, the box of the unnormalised weights
    e^(s_j + b_j): l = e^(b-B), u = e^(b+B) up to one common factor. The set {m / sum m: l <= m <= u} is the
    polytope {alpha in simplex: alpha_j l_k <= alpha_k u_j for all j, k}: alpha is proportional to such an m
    iff max_k alpha_k/u_k <= min_j alpha_j/l_j. The ratio sum m y / sum m exceeds z iff sum m (y - z) > 0,
    which is largest for m = u where y > z and l where y < z: the best of the T prefixes in decreasing y. O(T
    log T).
    """
    order = _prefixes(values, lower, upper)
    box = [(Fraction(l), Fraction(u)) for l, u in zip(lower, upper, strict=True)]
    for j, (l, u) in enumerate(box):
        if not 0 < l <= u:
            raise ValueError(f"0 < lower <= upper is needed at position {j}, got {l} and {u}: remove masked positions")
    weights = [l for l, _ in box]
    mass = sum(weights)
    moment = sum((w * Fraction(values[j]) for j, w in enumerate(weights)), Fraction(0))
    best, best_count = moment / mass, 0
    for count, j in enumerate(order, start=1):
        mass += box[j][1] - box[j][0]
        moment += (box[j][1] - box[j][0]) * Fraction(values[j])
        if moment / mass > best:
            best, best_count = moment / mass, count
    for j in order[:best_count]:
        weights[j] = box[j][1]
    total = sum(weights)
    return best, tuple(w / total for w in weights)


def box_tilted_support(
    values: Sequence[sp.Expr | int], biases: Sequence[sp.Expr | int], radii: Sequence[sp.Expr | int]
) -> Bound:
    """Exact: max sum_j softmax(s+b)_j y_j over |s_j| <= B_j, as the largest of T ratios (see
    `box_tilted_maximum`).

    values: comparable exact numbers y (T,). biases b and radii B >= 0 (T,): numbers or expressions, such as
    -m (i-j).
    """
    order = _prefixes([sp.sympify(value) for value in values], biases, radii)
    if any(sp.sympify(radius).is_negative for radius in radii):
        raise ValueError(f"radii must be nonnegative, got {list(radii)}: they bound |s_j|")
    box = [(sp.sympify(bias), sp.sympify(radius)) for bias, radius in zip(biases, radii, strict=True)]
    low, high = [sp.exp(b - r) for b, r in box], [sp.exp(b + r) for b, r in box]
    ratios = []
    for count in range(1, len(order) + 1):
        raised = set(order[:count])
        weights = [high[j] if j in raised else low[j] for j in range(len(order))]
        moment = sp.Add(*(w * sp.sympify(y) for w, y in zip(weights, values, strict=True)))
        ratios.append(moment / sp.Add(*weights))
    # evaluate=False: SymPy would try to order the ratios symbolically, in time exponential in their size
    largest = ratios[0] if len(ratios) == 1 else sp.Max(*ratios, evaluate=False)
    return Bound(r"\max_{|s_j|\le B_j}\sum_j\operatorname{softmax}(s+b)_jy_j", Relation.EQUAL, largest, OURS)
