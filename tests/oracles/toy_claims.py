"""Four small claims about softmax for tests of the ledger: true, tight with an equality case, wrong, and failing."""

import numpy as np

from estimators.claim import Claim, Measurement
from estimators.estimate import at_least, exact
from theory import softmax
from theory.bound import Bound, Proof, Relation
from theory.notation import logit_distance, logit_oscillation


def _softmax(logits):
    weights = np.exp(np.asarray(logits) - np.max(logits))
    return weights / weights.sum()


def distance(*, logits, other, encoding=""):
    change = np.asarray(logits, float) - np.asarray(other, float)
    variation = float(abs(_softmax(logits) - _softmax(other)).sum() / 2)
    return Measurement(exact(variation, 1e-14), {"logit_oscillation": float(np.ptp(change))}, encoding)


def searched(*, logits, other):
    found = 2 * distance(logits=logits, other=other).estimate.lower
    gap = float(abs(np.asarray(logits) - np.asarray(other)).max())
    return Measurement(at_least(found, "witness"), {"logit_distance": gap})


def pairs(rng, thorough):
    for index in range(40 if thorough else 4):
        case = {word: rng.standard_normal(3).tolist() for word in ("logits", "other")}
        yield case | {"encoding": f"code{index}"}


def pairs_and_extreme(rng, thorough):
    yield {"logits": [0.5, -0.5], "other": [-0.5, 0.5]}
    yield from pairs(rng, thorough)


def searched_pairs(rng, thorough):
    for case in pairs(rng, thorough):
        yield {word: case[word] for word in ("logits", "other")}


def eighth():
    """Wrong: TV <= osc/8."""
    return Bound(r"\operatorname{TV}", Relation.AT_MOST, logit_oscillation / 8, "a_b & 100% {wrong}")


def quarter():
    """Upper: TV <= osc/4."""
    return Bound(r"\operatorname{TV}", Relation.AT_MOST, logit_oscillation / 4, "derived", logit_oscillation < 10**6)


def hundredth():
    """Upper: TV <= osc/100, marked proved although it is wrong."""
    return Bound(r"\operatorname{TV}", Relation.AT_MOST, logit_oscillation / 100, "derived")


def hundredth_recalled():
    """Upper: TV <= osc/100, quoted from memory."""
    bound = hundredth()
    return Bound(bound.quantity, bound.relation, bound.expression, "memory", proof=Proof.RECALLED)


def shaped(*, count):
    """Upper: the l1 change is at most `count` times the distance; its shape depends on the case."""
    return Bound(r"|\Delta|", Relation.AT_MOST, count * logit_distance, "derived")


def shaped_measure(*, logits, other):
    found = searched(logits=logits, other=other)
    return Measurement(found.estimate, found.parameters, arguments={"count": len(logits)})


def failing(*, logits, other, encoding=""):
    if encoding == "code2":
        raise RuntimeError("no\n  convergence")
    return distance(logits=logits, other=other, encoding=encoding)


def honest():
    return {
        "toy-quarter": Claim(quarter, distance, pairs, free=("logits", "other")),
        "toy-tight": Claim(softmax.total_variation, distance, pairs_and_extreme, free=("logits", "other"), tight=True),
        "toy-searched": Claim(softmax.weight_change, searched, searched_pairs, free=("logits",)),
        "toy-shaped": Claim(shaped, shaped_measure, searched_pairs),
        "toy-wrong": Claim(eighth, distance, pairs, free=("logits", "other"), true=False),
    }


def with_faults():
    faults = {
        "toy-failing": Claim(quarter, failing, pairs),
        "toy-broken": Claim(hundredth, distance, pairs),
        "toy-recalled": Claim(hundredth_recalled, distance, pairs),
        "toy-survivor": Claim(quarter, distance, pairs, true=False),
        "toy-slack": Claim(softmax.total_variation, distance, pairs, tight=True),
    }
    return honest() | faults
