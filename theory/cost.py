"""Cost of an encoding: its operations over those of one attention layer without encoding.

The layer has T tokens of d channels and h heads of d/h: queries, keys, values and output, 4 products of 2 T d^2
operations, and scores and mixture, 2 T^2 d each, for all pairs of tokens. A product (m x k)(k x n) counts 2 m k n
operations, an elementwise addition, multiplication or function of m numbers m. Softmax, masks and whatever else a
Transformer does come on top of the layer, so that each share is an upper bound. Tables, biases and angles are computed
once, before the first token, and are not counted.
"""

from collections.abc import Callable

import sympy as sp

from theory.bound import Bound, Relation
from theory.notation import dim, heads, length

OURS = "derived in this project"
LAYER = 8 * length * dim**2 + 4 * length**2 * dim


def _share(kind: str, operations: sp.Expr) -> Bound:
    quantity = rf"\mathrm{{ops}}(\mathrm{{{kind}}})/\mathrm{{ops}}(\mathrm{{layer}})"
    return Bound(quantity, Relation.AT_MOST, sp.cancel(operations / LAYER), OURS)


def additive_share() -> Bound:
    """Upper: any additive table costs at most 1/(8d + 4T) of one layer, once and not per layer.

    T d additions, whatever the table holds: sinusoidal, orthogonal and learned codes cost the same.
    """
    return _share("additive", length * dim)


def bias_share() -> Bound:
    """Upper: any bias of the logits costs at most h T/(8d^2 + 4T d) of each layer, h T^2 additions."""
    return _share("bias", heads * length**2)


def rotary_share() -> Bound:
    """Upper: rotary costs at most 3/(4d + 2T) of each layer.

    A pair of coordinates takes 4 multiplications and 2 additions; queries and keys have T d coordinates each.
    """
    return _share("rotary", 6 * length * dim)


def relative_share() -> Bound:
    """Upper: relative key vectors cost at most T/(4d + 2T) + h T/(8d^2 + 4T d) of each layer: half of it for long
    inputs.

    The products q_i^T r_(i-j) of all heads are 2 T^2 d operations, adding them to the logits h T^2.
    """
    return _share("relative", 2 * length**2 * dim + heads * length**2)


COST_BOUNDS: dict[str, Callable[[], Bound]] = {
    "cost-additive-share": additive_share,
    "cost-bias-share": bias_share,
    "cost-rotary-share": rotary_share,
    "cost-relative-share": relative_share,
}
