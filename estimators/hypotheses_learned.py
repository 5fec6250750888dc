"""Classes with a trainable encoding: made from an encoding, and compared with the classes they contain.

`LearnedBias` (t5, alibi, kerple) and `LearnedTable` (additive tables, relative vectors) contain the class of the fixed
encoding, and the one without encoding where the parameter set is large enough. A supremum over a larger set is larger,
so their complexity is at least as large: `inclusion` checks it on common signs and measures by how much.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64

from estimators.bracket import Bracket, bracket, paired_difference
from estimators.estimate import Estimate
from estimators.features import template
from estimators.hypotheses import Constraints, Effort
from estimators.hypotheses_bias import LearnedBias, learned_bias
from estimators.hypotheses_query import Query
from estimators.hypotheses_table import LearnedTable
from estimators.learned_encoding import check_radius, logit_features, table_of
from theory.encodings.base import AbstractAdditiveEncoding, AbstractEncoding, AbstractRelativeEncoding


def learned(
    encoding: AbstractEncoding,
    tokens: Float64[np.ndarray, "n T d"],
    constraints: Constraints | None = None,
    *,
    encoding_radius: float = 1.0,
    head: int = 0,
    power: float | int | None = 1.0,
    keys_only: bool = False,
    around: Literal["encoding", "zero"] = "encoding",
) -> LearnedBias | LearnedTable:
    """The class in which the parameters of `encoding` are learned within `encoding_radius` of their values.

    t5: every bucket bias; alibi: the slope; kerple-log, kerple-power: r1 (r2 fixed), slopes and r1 not below 0;
    additive encodings: the table, in Frobenius norm, added to keys and values (`keys_only`: keys), around the table of
    the encoding scaled to `power` or around zero; relative: the vectors of the keys. ValueError for others.
    """
    constraints = constraints or Constraints()
    check_radius(encoding_radius)
    content = np.asarray(template(encoding, tokens, head=head, power=power, keys_only=True).values)
    length = content.shape[1]
    if not isinstance(encoding, AbstractAdditiveEncoding | AbstractRelativeEncoding):
        return learned_bias(content, content, logit_features(encoding, length, encoding_radius, head), constraints)
    table, only_keys = table_of(encoding, length, power=power)
    only_keys, table = only_keys or keys_only, table * (around == "encoding")
    keys = content + table
    fixed = Query(keys, content if only_keys else keys, np.zeros(length), constraints)
    none = Query(content, content, np.zeros(length), constraints)
    inside = np.linalg.norm(table) <= encoding_radius
    return LearnedTable(fixed, none if inside else None, float(encoding_radius), only_keys)


@dataclass(frozen=True)
class Inclusion:
    """A class and one that it contains, on common signs: brackets and the interval of the difference of complexities.

    contradiction: largest lower end of the smaller class minus upper end of the larger one over the sign vectors;
    above 0 the inclusion is refuted. A negative lower end of `difference` is the width of both searches, no refutation.
    """

    larger: Bracket
    smaller: Bracket
    difference: Estimate
    contradiction: float


def inclusion(
    larger: LearnedBias | LearnedTable,
    smaller: Query | None,
    signs: Float64[np.ndarray, "k n"],
    *,
    enumerated: bool,
    confidence: float = 0.99,
    effort: Effort | None = None,
) -> Inclusion:
    """Compare R_hat of a class with that of `larger.fixed` or `larger.without` sign vector by sign vector.

    Theory: sup over a larger set is larger for every sign vector, hence R_hat(larger) >= R_hat(smaller). ValueError if
    `smaller` is None: the parameter set does not reach the class without encoding.
    """
    if smaller is None:
        raise ValueError("the parameter set does not contain the class without encoding: use a larger encoding-radius")
    ball = larger.constraints.readout_ball
    first, second = (
        bracket(one, signs, enumerated=enumerated, ball=ball, confidence=confidence, effort=effort)
        for one in (larger, smaller)
    )
    gap = float((second.suprema.lower - first.suprema.upper).max())
    return Inclusion(first, second, paired_difference(first, second, confidence), gap)
