"""Claims of theory sections 2.2 and 2.3: complexity bounds U1-U14, and what encodings can and cannot change."""

from collections.abc import Iterator

import numpy as np
import sympy as sp

from estimators import class_entrywise, class_layers, class_learned, class_series, class_smoothed, series_lemmas
from estimators import enumerated_classes as enumerated
from estimators.claim import Case, Claim
from estimators.claims.complexity_cases import (
    ADDITIVE,
    LENGTH,
    Rng,
    gentle,
    heads,
    lone,
    moving,
    products,
    scalars,
    sphere,
    still,
)
from estimators.claims.complexity_encodings import ENCODING_CLAIMS, wired
from estimators.class_brackets import frozen_class, query_class
from theory import rademacher, rademacher_baselines, rademacher_depth, rademacher_learned, rademacher_literature
from theory import rademacher_series as series


def learned_biases(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Two buckets of every size, small and large biases."""
    for cut in range(1, LENGTH) if thorough else (1, 3):
        for bias_bound in (0.1, 2.0):
            buckets = [int(position >= cut) for position in range(LENGTH)]
            make = lone if bias_bound > 1 and cut == 1 else sphere
            yield {"tokens": make(rng).tolist(), "buckets": buckets, "bias_bound": bias_bound, "logit_norm": 0.5}


def tables(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Learned tables around every additive code, at zero logits, where the class is solved exactly, and small ones."""
    for encoding in ("none", *ADDITIVE):
        for norm in (0.0, 0.5):
            for reach in (0.1, 1.0, *rng.uniform(0, 3, 8 if thorough else 0)):
                case = {"encoding": encoding, "table_norm": float(reach), "logit_norm": norm}
                yield case | {"tokens": sphere(rng).tolist()}


def tables_in_queries(rng: Rng, thorough: bool) -> Iterator[Case]:
    """The same with the table in the query."""
    yield from (case | {"in_query": True} for case in tables(rng, thorough))


def depths(rng: Rng, thorough: bool) -> Iterator[Case]:
    """One and two layers of the samples of `scalars`."""
    for case in scalars(rng, thorough):
        yield from (case | {"layers": layers} for layers in (1, 2))


def single_layers(rng: Rng, thorough: bool) -> Iterator[Case]:
    """One scalar sample among zeros, with one or two heads; equal tokens."""
    for encoding in ("none", "alibi", "t5", "kerple-log"):
        for norms in ([0.5], [0.3, 1.0]):
            x = np.zeros((3, 4, 1))
            x[1] = rng.uniform(-1, 1, (4, 1))
            yield {"tokens": x.tolist(), "encoding": encoding, "value_norms": norms, "logit_norm": 2.0}
            x = np.repeat(rng.standard_normal((3, 1, 2)), 4, axis=1)
            yield {"tokens": x.tolist(), "encoding": encoding, "value_norms": norms, "logit_norm": 2.0}


def orders(rng: Rng, thorough: bool) -> Iterator[Case]:
    """U9 up to order 1 and 3."""
    for place, case in enumerate(gentle(rng, thorough)):
        yield case | {"order": (1, 3)[place % 2]}


def mixings(rng: Rng, thorough: bool) -> Iterator[Case]:
    """U10 with theta = 0, 1/2, .8 and 1, m = 1 and 2."""
    for place, case in enumerate((*gentle(rng, thorough), *moving(rng, thorough))):
        yield case | {"mixing": (0.5, 0.8, 0.0, 1.0)[place % 4], "kept": 1 + place % 2}


def halves(rng: Rng, thorough: bool) -> Iterator[Case]:
    """U14 with theta = 0, 1/4 and 1/2."""
    for place, case in enumerate(moving(rng, thorough)):
        yield case | {"mixing": (0.5, 0.25, 0.0)[place % 3]}


def point_sets(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Classes of known VC dimension on 2 to 9 points."""
    for points in (2, 5, 9):
        yield from ({"family": family, "points": points} for family in ("thresholds", "intervals", "all"))


def smoothings(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Scalar tokens, equal and opposite ones; small and large scales."""
    for place in range(60 if thorough else 8):
        x = rng.uniform(-1.0, 1.0, (5, 4, 1))
        x = np.repeat(x[:1], 5, axis=0) if place % 4 == 1 else np.repeat(x[:, :1], 4, axis=1) if place % 4 == 2 else x
        scales = dict(
            zip(("logit_norm", "smoothing_scale", "readout_scale"), 2.0 ** rng.uniform(-2, 1, 3), strict=True)
        )
        yield {"tokens": x.tolist()} | {word: float(size) for word, size in scales.items()}


def functions(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Random functions, one function, and all sign patterns."""
    for count in (1, 4, 30):
        yield {"functions": rng.standard_normal((count, 6)).tolist()}
    yield {"functions": (1.0 - 2.0 * ((np.arange(64)[:, None] >> np.arange(6)) & 1)).tolist()}


def gaussians(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Radii, scales and dimensions of all sizes."""
    for _ in range(100 if thorough else 10):
        words = dict(zip(("logit_norm", "smoothing_scale", "readout_scale"), 2.0 ** rng.uniform(-4, 4, 3), strict=True))
        yield {word: float(size) for word, size in words.items()} | {
            "logit_dim": int(rng.integers(1, 40)),
            "dim": int(rng.integers(1, 40)),
        }


def spreads(rng: Rng, thorough: bool) -> Iterator[Case]:
    """theta in [0, 1.5], Z_max up to 20."""
    for mixing in (0.0, 0.5, 1.0, *rng.uniform(0, 1.5, 50 if thorough else 5)):
        yield {"mixing": float(mixing), "largest_normaliser": float(1 + rng.exponential(5.0))}


def tails(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Small x, where the remainder is its first term, to large."""
    for order in (0, 2, 7):
        yield from ({"exponent": float(x), "order": order} for x in (1e-7, *rng.uniform(0, 8, 30 if thorough else 3)))


def coefficient_lists(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Random coefficients, and one coefficient just above the order with r far above B, where little is lost."""
    for _ in range(50 if thorough else 5):
        size = rng.uniform(0, 1, (3, 9)) * 2.0 ** -np.arange(9)
        yield {"coefficients": size.tolist(), "order": 4, "logit_norm": 0.7, "series_radius": float(rng.uniform(1, 3))}
    one = np.zeros((2, 5))
    one[:, 4] = 1.0
    yield {"coefficients": one.tolist(), "order": 4, "logit_norm": 0.1, "series_radius": 1e6}


SAMPLE = ("tokens",)
WEAK = sp.Rational(1, 10**5)  # covering bounds of the literature are hundreds of times above these classes

CLAIMS: dict[str, Claim] = {
    "complexity-u1-trivial": wired(rademacher.trivial, query_class, heads, *SAMPLE, tight=True),
    "complexity-u2-width": wired(rademacher.width, query_class, heads, *SAMPLE),
    "complexity-u3-contraction": wired(rademacher.contraction, query_class, heads, *SAMPLE),
    "complexity-u4-mixed": wired(rademacher.mixed_blocks, query_class, heads, *SAMPLE),
    "complexity-u5-taylor": wired(rademacher.taylor, query_class, heads, *SAMPLE, tight=True),
    "complexity-u8-hull": wired(rademacher.hull, query_class, heads, *SAMPLE, tight=True),
    "complexity-khintchine": wired(rademacher.khintchine, query_class, heads, *SAMPLE, tight=True),
    "complexity-covering": wired(rademacher.covering, query_class, heads, *SAMPLE, twin=WEAK),
    "complexity-frozen-linear": wired(rademacher.frozen_linear, frozen_class, still, *SAMPLE, tight=True),
    "complexity-frozen-khintchine": wired(rademacher.khintchine, frozen_class, still, *SAMPLE, tight=True),
    "complexity-frozen-trivial": wired(rademacher.trivial, frozen_class, still, *SAMPLE, tight=True),
    "complexity-after-edelman": wired(rademacher_baselines.zhang_head, query_class, heads, *SAMPLE, twin=WEAK),
    "complexity-after-trauger-tewari": wired(rademacher_baselines.maurey_head, query_class, heads, *SAMPLE, twin=WEAK),
    "complexity-after-trauger-tewari-entrywise": wired(
        rademacher_literature.maurey_head_entrywise, class_entrywise.entrywise_class, moving, *SAMPLE, twin=WEAK
    ),
    "complexity-after-truong": wired(rademacher_baselines.low_rank_head, query_class, products, *SAMPLE, twin=WEAK),
    "complexity-after-he-xing": wired(
        rademacher_baselines.trainable_table, class_learned.table, tables, *SAMPLE, twin=WEAK
    ),
    "complexity-vc-dimension": wired(rademacher_baselines.vc_dimension_bound, enumerated.patterns, point_sets),
    "complexity-u6-table": wired(rademacher_learned.learned_additive, class_learned.table, tables, *SAMPLE),
    "complexity-u6-table-query": wired(
        rademacher_learned.learned_additive_query, class_learned.table, tables_in_queries, *SAMPLE
    ),
    "complexity-u6-bias": wired(rademacher_learned.learned_bias, class_learned.biases, learned_biases, *SAMPLE),
    "complexity-u7-depth": wired(rademacher_depth.residual_depth, class_layers.depth, depths, *SAMPLE),
    "complexity-covering-depth": wired(
        rademacher_baselines.residual_layers, class_layers.depth, depths, *SAMPLE, twin=WEAK
    ),
    "complexity-one-layer": wired(rademacher_depth.one_layer, class_layers.one_layer, single_layers),
    "complexity-u9-series": wired(series.taylor_bombieri, class_series.taylor, orders, *SAMPLE, tight=True),
    "complexity-u10-division-free": wired(series.division_free, class_series.contraction, mixings, *SAMPLE),
    "complexity-u11-semigroup": wired(series.semigroup, class_series.semigroup, moving, *SAMPLE),
    "complexity-u12-paths": wired(rademacher_depth.path, class_layers.two_layers, scalars, *SAMPLE, tight=True),
    "complexity-u13-semigroup": wired(rademacher_depth.two_layer_semigroup, class_layers.two_layers, scalars, *SAMPLE),
    "complexity-u14-remainder-semigroup": wired(series.remainder_semigroup, class_series.remainder, halves, *SAMPLE),
    "complexity-change-of-measure": wired(
        series.change_of_measure, series_lemmas.chosen_function, functions, "functions"
    ),
    "complexity-smoothed": wired(series.smoothed, class_smoothed.smoothed_head, smoothings, *SAMPLE),
    "complexity-divergence": wired(
        series.divergence_bound, series_lemmas.divergence, gaussians, "logit_norm", "smoothing_scale", "readout_scale"
    ),
    "complexity-spread": wired(series.spread, series_lemmas.spread, spreads, "mixing", "largest_normaliser"),
    "complexity-exponential-tail": wired(
        series.exponential_tail_bound, series_lemmas.exponential_tail, tails, "exponent", tight=True
    ),
    "complexity-series-tail": wired(
        series.series_tail, series_lemmas.series_tail, coefficient_lists, "coefficients", tight=True
    ),
} | ENCODING_CLAIMS
