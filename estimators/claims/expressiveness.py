"""Claims of theory sections 3.1 to 3.6: symmetries, look-ups, BOS, memory kernels. One line per statement."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from estimators.claim import Case, Claim
from estimators.encoding_tables import code, distinct_rows, gram_condition, sinusoidal_closest
from estimators.equivariance import (
    constant_sequence_error,
    permutation_agreement,
    row_agreement,
    start_weight,
    start_weight_step,
)
from estimators.lookup import compared_look_up, orthonormal_look_up, pair_look_up, shift_look_up
from estimators.memory_kernels import constant_error, exponential_error
from estimators.target_weight import margin_for_weight, weight_for_margin
from theory import expressiveness, lookup
from theory.encodings import ENCODINGS, parse
from theory.encodings.base import AbstractAdditiveEncoding

ADDITIVE = tuple(name for name in ENCODINGS if isinstance(parse(name, dim=4, train_length=8), AbstractAdditiveEncoding))
LOGITS_ONLY = tuple(name for name in ENCODINGS if name not in ADDITIVE)
DIM, LENGTH = 4, 4


def _row(rng: np.random.Generator, names: tuple[str, ...], start: bool, thorough: bool, causal: bool) -> Iterator[Case]:
    for name in names:
        for depth in range(1, 5) if thorough else (1, 3):
            for seed in range(5 if thorough else 1):
                case = {"encoding": name, "token": rng.normal(size=DIM).tolist(), "length": LENGTH, "causal": causal}
                case |= {"start": rng.normal(size=DIM).tolist()} if start else {}
                yield case | {"depth": depth, "seed": seed}


def equal_tokens(
    names: tuple[str, ...], masks: tuple[bool, ...], start: bool, rng: np.random.Generator, thorough: bool
) -> Iterator[Case]:
    """Sequences of one repeated token, behind a BOS if `start`, for networks of depth up to 4."""
    for causal in masks:
        yield from _row(rng, names, start, thorough, causal)


def permuted_tokens(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """No encoding, no mask."""
    for depth in range(1, 5):
        for seed in range(10 if thorough else 2):
            yield {
                "encoding": "none",
                "tokens": rng.normal(size=(LENGTH, DIM)).tolist(),
                "permutation": rng.permutation(LENGTH).tolist(),
                "causal": False,
                "depth": depth,
                "seed": seed,
            }


def constant_targets(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random targets on sequences of one repeated token."""
    for case in equal_tokens(LOGITS_ONLY, (True, False) if thorough else (True,), False, rng, thorough):
        length = case.pop("length")
        yield case | {"target": rng.normal(size=(length, DIM)).tolist()}


def start_logits(worst: float, rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random logits behind BOS; and worst at BOS, -worst at all others, where the bound is attained."""
    for others in (1, 3, 20, *([200] if thorough else [])):
        for bound in (0.25, 1.0, 3.0):
            for s in (worst * np.r_[1.0, -np.ones(others)], *rng.uniform(-1, 1, (20 if thorough else 2, others + 1))):
                yield {"logits": s.tolist(), "logit_bound": bound}


def counts(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Tokens behind BOS."""
    for count in (0, 1, 2, 7, 60, *([400] if thorough else [])):
        yield {"tokens_after_start": count}


def _table(name: str, dim: int, length: int) -> dict[str, object]:
    return {"encoding": name, "table": code(name, dim, length).tolist()}


def look_ups(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Every additive code: the identity, a shift to the past and a random permutation; sinusoidal at N = d = 32."""
    for name in ADDITIVE:
        for dim, length in ((8, 8), (8, 16), (16, 24)) if thorough else ((8, 10),):
            shift = [t - 2 if t >= 2 else -1 for t in range(length)]
            for targets in (list(range(length)), shift, rng.permutation(length).tolist()):
                case = _table(name, dim, length) | {"targets": targets, "margin": float(rng.uniform(0.5, 5))}
                case |= {"steps": 100 if thorough else 8}
                distinct = len(np.unique(np.round(np.asarray(case["table"]), 9), axis=0))
                if distinct == length:  # no look-up singles out one of two equal codes
                    yield case
    yield _table("sinusoidal", 32, 32) | {"targets": list(range(32)), "margin": 1.0}


def shifts(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Sinusoidal codes: the shift matrix is orthogonal."""
    for dim, length in ((32, 32), (64, 16), (128, 64)) if thorough else ((32, 32), (64, 16)):
        for shift in (0, 1, -1, 5, -7):
            yield _table("sinusoidal", dim, length) | {"shift": shift, "margin": float(rng.uniform(0.5, 5))}


def orthonormal_tables(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Every additive code whose rows are orthonormal at N = d, and random tables (their nearest orthonormal rows)."""
    for size in (8, 32):
        tables = [_table(name, size, size) for name in ADDITIVE]
        for made in tables:
            rows = np.asarray(made["table"])
            if np.allclose(rows @ rows.T, np.eye(size), atol=1e-9):
                yield made | {"targets": rng.permutation(size).tolist(), "margin": float(rng.uniform(0.5, 5))}
    for positions, dim in ((2, 2), (5, 9), (16, 20)):
        for _ in range(10 if thorough else 1):
            yield {
                "table": rng.normal(size=(positions, dim)).tolist(),
                "targets": rng.permutation(positions).tolist(),
                "margin": float(rng.uniform(0.5, 5)),
            }


def long_orthogonal_codes(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Orthogonal columns and N >> d, against the sinusoidal code of the same size at the same power."""
    for dim, length in ((8, 64), (16, 128), *([(16, 512)] if thorough else [])):
        reference = code("sinusoidal", dim, length).tolist()
        yield _table("cosine", dim, length) | {"reference": reference, "margin": 1.0}


def scores(one_gap: Callable[[int], bool], rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random scores with the target ahead; and, where `one_gap`, all others equal, where the bound is attained."""
    for size in (2, 3, 8, 50):
        for lead in (0.01, 1.0, 6.0, 40.0):
            for _ in range(10 if thorough else 1):
                yield {"scores": np.r_[lead, -rng.exponential(size=size - 1)].tolist()}
            if one_gap(size):
                yield {"scores": np.r_[lead, np.zeros(size - 1)].tolist()}


def haar_sizes(truncated: bool, rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Powers of two N, d below (and, unless `truncated`, up to twice) N."""
    for length in (2, 8, 32, *([128] if thorough else [])):
        for dim in sorted({1, length // 2, 3 * length // 4, *([] if truncated else [length, 2 * length])}):
            yield {"encoding": "haar", "dim": dim, "length": length}


def legendre_sizes(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """N = 64, d = 32, and smaller."""
    for dim, length in ((4, 16), (8, 16), (32, 64)):
        yield {"encoding": "legendre:form=normalised", "dim": dim, "length": length}


def sinusoidal_sizes(dims: tuple[int, ...], first: int, rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """All distances from `first` to 10^6; every even number of channels from 18 to 128 if thorough and they hold."""
    for dim in range(18, 129, 2) if thorough and first == 1 and min(dims) >= 18 else dims:
        yield {"dim": dim, "first": first, "last": 1_000_000}


def kernel_sizes(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Numbers of heads and lengths at which the best sum is certified from below too, mostly."""
    for terms, length in ((1, 4), (1, 10), (2, 10), (3, 32), (4, 64), *([(5, 128), (6, 256)] if thorough else [])):
        yield {"terms": terms, "length": length}


def lengths(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Lengths of a kernel."""
    for length in (2, 3, 16, 100, *([1000] if thorough else [])):
        yield {"length": length}


CLAIMS: dict[str, Claim] = {
    "permutation-equivariance": Claim(
        expressiveness.permutation_equivariance, permutation_agreement, permuted_tokens, ("tokens",), tight=True
    ),
    "equal-rows": Claim(
        expressiveness.equal_rows,
        row_agreement,
        partial(equal_tokens, LOGITS_ONLY, (True, False), False),
        ("token",),
        tight=True,
    ),
    "equal-rows-after-start": Claim(
        expressiveness.equal_rows_after_start,
        row_agreement,
        partial(equal_tokens, LOGITS_ONLY, (True,), True),
        ("token", "start"),
        true=False,
    ),
    "equal-rows-with-code": Claim(
        expressiveness.equal_rows_with_code,
        row_agreement,
        partial(equal_tokens, ADDITIVE, (True, False), False),
        ("token",),
        true=False,
    ),
    "constant-sequence-error": Claim(
        expressiveness.constant_sequence_error,
        constant_sequence_error,
        constant_targets,
        ("token", "target"),
        tight=True,
    ),
    "lookup-operator-norm": Claim(lookup.operator_norm, pair_look_up, look_ups, ("table", "margin"), tight=True),
    "lookup-shift-norm": Claim(lookup.shift_norm, shift_look_up, shifts, ("margin",), tight=True),
    "lookup-orthonormal-operator-norm": Claim(
        lookup.orthonormal_operator_norm,
        partial(orthonormal_look_up, exponent=math.inf, words=("margin", "position_count")),
        orthonormal_tables,
        ("table", "margin"),
        tight=True,
    ),
    "lookup-orthonormal-frobenius-norm": Claim(
        lookup.orthonormal_frobenius_norm,
        partial(orthonormal_look_up, exponent=2.0),
        orthonormal_tables,
        ("table", "margin"),
        tight=True,
    ),
    "lookup-orthogonal-never-larger": Claim(
        lookup.orthogonal_never_larger, compared_look_up, long_orthogonal_codes, true=False
    ),
    "lookup-margin-needed": Claim(
        lookup.margin_needed, margin_for_weight, partial(scores, lambda size: size == 2), ("scores",), tight=True
    ),
    "lookup-target-weight": Claim(
        lookup.target_weight, weight_for_margin, partial(scores, lambda size: True), ("scores",), tight=True
    ),
    "haar-distinct-rows": Claim(lookup.haar_distinct_rows, distinct_rows, partial(haar_sizes, False), tight=True),
    "haar-truncated-injective": Claim(
        lookup.truncated_haar_injective, distinct_rows, partial(haar_sizes, True), true=False
    ),
    "legendre-grid-orthogonal": Claim(lookup.legendre_grid_orthogonal, gram_condition, legendre_sizes, true=False),
    "start-weight-upper": Claim(
        expressiveness.start_weight_upper, start_weight, partial(start_logits, 1.0), ("logits",), tight=True
    ),
    "start-weight-lower": Claim(
        expressiveness.start_weight_lower, start_weight, partial(start_logits, -1.0), ("logits",), tight=True
    ),
    "start-weight-step": Claim(expressiveness.start_weight_step, start_weight_step, counts, tight=True),
    "sinusoidal-closest-neighbour": Claim(
        expressiveness.closest_sinusoidal_neighbour,
        sinusoidal_closest,
        partial(sinusoidal_sizes, (18, 32, 128), 1),
        tight=True,
    ),
    "sinusoidal-closest-in-few-channels": Claim(
        expressiveness.closest_in_few_channels, sinusoidal_closest, partial(sinusoidal_sizes, (8, 16), 1), true=False
    ),
    "sinusoidal-repeats": Claim(
        expressiveness.sinusoidal_repeats, sinusoidal_closest, partial(sinusoidal_sizes, (32,), 2), true=False
    ),
    "exponential-kernel-error": Claim(expressiveness.exponential_kernel_error, exponential_error, kernel_sizes),
    "constant-kernel-error": Claim(expressiveness.constant_kernel_error, constant_error, lengths, tight=True),
}
