"""How much one content of a group moves I(P; Z|g), in nats: why the upper ends of sampled groups are narrow.

A group g holds M contents; Z comes from a uniform member, so that W_p = (1/M) sum_m W_p,m. P is uniform on N positions
and independent of g. Notation and `group_conditional_upper`: `theory.information`.
"""

import sympy as sp

from theory.bound import Bound, Relation
from theory.information import OURS
from theory.notation import position_count, set_size

DIFFERENCE = r"|I(P;Z\mid g)-I(P;Z\mid g')|"
SEVERAL = sp.Ge(set_size, 2)


def group_difference() -> Bound:
    """Upper: |I_g - I_g'| <= (ln N)/M + h(1/M) for groups of M >= 2 contents that differ in one, M = |A|.

    h(x) = -x ln x - (1-x) ln(1-x) <= x (1 + ln(1/x)). Proof: let B tell whether Z comes from the one that differs, I_-
    the information of the M-1 others and I_1 of that one. P and B are independent, so I(P; Z|B) = I(P; Z) + I(P; B|Z),
    and 0 <= I(P; B|Z) <= h(1/M). I(P; Z|B) = (1-1/M) I_- + I_1/M with 0 <= I_1 <= ln N. Hence I_g lies in
    [(1-1/M) I_- - h(1/M), (1-1/M) I_- + (ln N)/M], whatever that content is. By McDiarmid's inequality I_g of
    independent contents is sub-Gaussian with scale M^(1/2) ((ln N)/M + h(1/M))/2.
    """
    x = 1 / set_size
    entropy = -x * sp.log(x) - (1 - x) * sp.log(1 - x)
    return Bound(DIFFERENCE, Relation.AT_MOST, sp.log(position_count) / set_size + entropy, OURS, assumptions=SEVERAL)


INFORMATION_FLOW_BOUNDS = {"group-difference": group_difference}
