"""Statistics of U9, U10, U11 and U14 on a small sample, with the exact bracket of `estimators.class_brackets`.

Upper ends of the words of `theory.rademacher_series`: sums over samples, in the units of the case. All sign classes are
enumerated and tensor norms are bounded without draws, so nothing is random. A case is that of `class_brackets` (query
class, l2 read-out) with the free choices of the statement: `order` (U9), `mixing` and `kept` (U10), `mixing` (U14).
"""

from typing import Any

import numpy as np

from estimators.claim import Measurement
from estimators.class_brackets import HeadClass, head_class
from estimators.signs import all_sign_classes
from estimators.supremum.portfolio import Portfolio, largest_normalisers
from estimators.supremum.semigroup_flow import Flow, entropy, moments, offsets, pac, spread_of, unit_keys
from estimators.supremum.semigroup_remainder import Remainder, remainder_variances
from estimators.supremum.series import ORDERS
from estimators.supremum.trust_region import trust_region

UP = 1 + 1e-9


def taylor(*, order: int, **case: Any) -> Measurement:
    """U9 with the orders 2 .. `order` as tensors. ValueError where the series cannot be certified to converge."""
    found = head_class(**case)
    portfolio, radius = _portfolio(found), found.query.radius
    known = portfolio.means.sign_quotients
    if order != 1 and order not in known:
        raise ValueError(f"order must be 1 or one of {', '.join(map(str, known))}, got {order}: use order=2")
    tensors = sum(radius**q * portfolio.means.sign_quotients[q] for q in range(2, order + 1))
    rest = portfolio.series.remainder(radius, order)
    if not np.isfinite(rest):
        raise ValueError(f"the series of U9 may diverge at logit_norm {case.get('logit_norm')}: use a smaller one")
    words = {"trust_region_mean": _linear_mean(found, 1.0), "tensor_sum": tensors, "series_remainder": rest}
    return _measured(found, words, case)


def contraction(*, mixing: float, kept: int, **case: Any) -> Measurement:
    """U10 with theta = `mixing`, m = `kept`."""
    found = head_class(**case)
    portfolio, radius = _portfolio(found), found.query.radius
    powers = radius ** np.arange(1, ORDERS + 1)
    values, normalisers = portfolio.means.values * powers, portfolio.means.normalisers * powers
    beyond = float(np.linalg.norm(portfolio.series.tail(ORDERS, radius, values=True)))
    tail = float(np.linalg.norm(portfolio.kappa * portfolio.series.tail(ORDERS, radius, values=False)))
    largest = float(largest_normalisers(portfolio.head, radius).max())
    words = {
        "trust_region_mean": _linear_mean(found, mixing),
        "tensor_sum": mixing * radius**2 * portfolio.means.sign_quotients[2] if kept == 2 else 0.0,
        "high_order_width": float(values[kept:].sum()) + beyond,
        "low_order_width": float(values[:kept].sum()),
        "normaliser_width": float(normalisers[1:].sum()) + tail,
    }
    measured = _measured(found, words, case)
    return _with(measured, "normaliser_spread", max(1 - mixing, mixing - 1 / largest) * UP)


def semigroup(**case: Any) -> Measurement:
    """U11 at the best of its scales."""
    found = head_class(**case)
    flow, head = _flow(found)
    best = (np.inf, 0.0, 0.0)
    options = [(spread_of(flow.geometry, values, np.ones(len(values))), offset) for _, values, offset in offsets(head)]
    for scale, integral in flow.integrals():
        if integral >= best[0]:
            break
        cost = entropy(flow.geometry, flow.radius, scale**2)
        for spread, offset in options:
            weak, total = moments(flow.geometry, spread, flow.radius, scale, scale, False)
            smooth = offset + float(pac(cost, weak, total, flow.width))
            best = min(best, (smooth + integral, smooth, integral))
    return _measured(found, {"smoothed_width": best[1], "laplacian_integral": best[2]}, case)


def remainder(*, mixing: float, **case: Any) -> Measurement:
    """U14 with theta = `mixing`, one of 0, 1/4, 1/2, at the best of its scales."""
    found = head_class(**case)
    flow, head = _flow(found)
    rest = Remainder(head)
    best = (np.inf, 0.0, 0.0)
    for scale, integral in flow.integrals():
        if integral >= best[0]:
            break
        variances = remainder_variances(rest, flow.radius, scale)
        if mixing not in variances:
            raise ValueError(f"mixing must be one of {', '.join(map(str, variances))}, got {mixing}: use mixing=0.25")
        smooth = flow.cost(scale, *variances[mixing])
        best = min(best, (smooth + integral, smooth, integral))
    words = {"smoothed_width": best[1], "laplacian_integral": best[2]}
    return _measured(found, words | {"trust_region_mean": _linear_mean(found, mixing)}, case)


def _portfolio(found: HeadClass) -> Portfolio:
    return found.query.portfolio(0.0, 0)


def _linear_mean(found: HeadClass, slope: float) -> float:
    """E max_{|w| <= B} |S_0 + slope J w| over all sign classes, from above."""
    signs = all_sign_classes(len(found.outputs))
    linear = _portfolio(found).linear
    return float(trust_region(linear, signs, found.query.radius, (slope,)).upper.mean()) * (1 + 1e-12)


def _flow(found: HeadClass) -> tuple[Flow, Any]:
    head, radius = found.query.centred, found.query.radius
    largest = float(head.key_norms.max())
    if radius * largest == 0:
        raise ValueError("all logits are 0 and nothing is smoothed: use distinct tokens and a logit_norm above 0")
    scaled, _ = unit_keys(head)
    return Flow(scaled, radius * largest), scaled


def _measured(found: HeadClass, words: dict[str, float], case: dict[str, Any]) -> Measurement:
    """Words, sums of values, in the units of the case: values were divided by a power of two."""
    limits = found.query.constraints
    unit = found.query.readout_norm / (limits.readout_norm or 1.0)
    parameters = {word: float(value) * unit * UP for word, value in words.items()}
    sizes = {"sample_size": len(found.outputs), "readout_norm": limits.readout_norm}
    return Measurement(found.estimate, parameters | sizes, case.get("encoding", "none"))


def _with(measured: Measurement, word: str, value: float) -> Measurement:
    return Measurement(measured.estimate, measured.parameters | {word: value}, measured.encoding)
