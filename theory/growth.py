"""How the statistics in a bound grow, so that its rate in the number of samples or in the scale of an encoding can be
derived: `theory.asymptotics` keeps every other symbol fixed.

Tokens of norm at most 1 get an additive code of norm at most c (`encoding_scale`), in keys and values: R = 1 + c.
"""

from collections.abc import Mapping

import sympy as sp

from theory import notation as word
from theory.bound import Bound
from theory.composition import substitute

HALF = sp.Rational(1, 2)
# Statistic -> power of n with which it grows for independent samples: sums 1, roots of sums of squares and means of
# signed sums 1/2.
SAMPLE_GROWTH: Mapping[sp.Symbol, sp.Expr] = dict.fromkeys(
    [
        *(word.value_energy, word.value_coordinate_energy, word.value_bound_sum, word.value_diameter_energy),
        *(word.tilted_key_energy, word.tilted_value_energy, word.frozen_energy, word.jacobian_energy),
        *(word.third_cumulant_sum, word.hull_radius_sum, word.majorant_energy, word.weak_variance),
        *(word.weak_value_energy, word.gradient_trace, word.feature_energy, word.function_energy, word.half_range_sum),
    ],
    sp.Integer(1),
) | dict.fromkeys(
    [
        *(word.covariance_lipschitz, word.plain_covariance_lipschitz, word.third_cumulant_energy, word.frozen_mean),
        *(word.trust_region_mean, word.tensor_sum, word.series_remainder, word.high_order_width, word.low_order_width),
        *(word.normaliser_width, word.smoothed_width, word.laplacian_integral, word.residual_mean, word.head_sum),
        *(word.attention_mean, word.double_path_mean, word.path_jacobian_mean, word.path_remainder),
        *(word.linear_path_remainder, word.gaussian_supremum, word.column_norm, word.sign_sum_norm),
        *(word.sign_sum_maximum, word.set_radius),
    ],
    HALF,
)


def per_sample(bound: Bound) -> Bound:
    """The bound with every statistic s that is a sum over samples written n^g s (`SAMPLE_GROWTH`): s stands for its
    value per sample then, and does not depend on n."""
    found = {s.name: word.sample_size ** SAMPLE_GROWTH[s] * s for s in bound.symbols if s in SAMPLE_GROWTH}
    return substitute(bound, found)


def encoding_statistics(bilinear: bool = False) -> Mapping[str, sp.Expr]:
    """Largest statistics of n samples of T such tokens: |v| <= R, diameters <= 2R, |k| <= R, or with bilinear logits
    q^T W k the products |q (x) k| <= R^2 of diameter <= 2 R^2.

    The weights abar are at most 1. Linear classes x -> <w, x + p>: sum |x_i + p_i|^2 = n (1 + c^2), as for codes
    orthogonal to the tokens (on average, for any codes and centred tokens).
    """
    n, radius = word.sample_size, 1 + word.encoding_scale
    values, keys = 2 * radius, 2 * radius ** (2 if bilinear else 1)
    cube = 6 * sp.sqrt(3)
    return {
        "value_energy": n * radius**2,
        "value_bound_sum": n * radius,
        "value_maximum": radius,
        "value_diameter_energy": n * values**2,
        "key_maximum": keys / 2,
        "covariance_lipschitz": sp.sqrt(n) * values * keys / 4,
        "tilted_value_energy": n * word.length * radius**2,
        "tilted_key_energy": n * word.length * values**2 * keys**2 / 4,
        "frozen_energy": n * radius**2,
        "jacobian_energy": n * (radius * keys / 2) ** 2,
        "third_cumulant_sum": n * values * keys**2 / cube,
        "third_cumulant_energy": sp.sqrt(n) * values * keys**2 / cube,
        "hull_radius_sum": n * values,
        "feature_energy": n * (1 + word.encoding_scale**2),
    }


def in_encoding_scale(bound: Bound, bilinear: bool = False) -> Bound:
    """The bound as a function of the scale c of an additive code, at these statistics: its worst value over such
    samples if it is an upper bound that increases in them, as those of `theory.rademacher` do. Of a lower bound it is
    only the value at the largest statistics."""
    known = encoding_statistics(bilinear)
    found = {s.name: known[s.name] for s in bound.symbols if s.name in known}
    return substitute(bound, found)
