"""Statements wired to their measurements, one line each: the only place that knows both sides."""

from collections.abc import Mapping

from estimators.claim import Claim
from estimators.claims.approximation import CLAIMS as APPROXIMATION
from estimators.claims.attention import CLAIMS as ATTENTION
from estimators.claims.classical import CLAIMS as CLASSICAL
from estimators.claims.complexity import CLAIMS as COMPLEXITY
from estimators.claims.cost import CLAIMS as COST
from estimators.claims.expressiveness import CLAIMS as EXPRESSIVENESS
from estimators.claims.extrapolation import CLAIMS as EXTRAPOLATION
from estimators.claims.extrapolation_depth import CLAIMS as EXTRAPOLATION_DEPTH
from estimators.claims.information import CLAIMS as INFORMATION
from estimators.claims.information_flow import CLAIMS as INFORMATION_FLOW
from estimators.claims.softmax import CLAIMS as SOFTMAX


def merged(*topics: Mapping[str, Claim]) -> dict[str, Claim]:
    """One dict of all topics, in order; ValueError for a name that two of them use."""
    claims: dict[str, Claim] = {}
    for topic in topics:
        if twice := sorted(claims.keys() & topic.keys()):
            raise ValueError(f"claim {twice[0]!r} is there twice: rename one of the two")
        claims |= topic
    return claims


CLAIMS: dict[str, Claim] = merged(
    SOFTMAX,
    CLASSICAL,
    ATTENTION,
    COMPLEXITY,
    EXPRESSIVENESS,
    APPROXIMATION,
    EXTRAPOLATION,
    EXTRAPOLATION_DEPTH,
    INFORMATION,
    INFORMATION_FLOW,
    COST,
)
