"""Claims of theory section 2.3, what encodings can and cannot change in a complexity; joined by `complexity`."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from estimators import class_learned
from estimators import enumerated_classes as enumerated
from estimators.claim import Case, Cases, Claim, Measurement
from estimators.claims.complexity_cases import (
    ADDITIVE,
    BIASED,
    EVERY,
    LENGTH,
    SHARED,
    Rng,
    gaussian,
    large,
    lone,
    sphere,
)
from estimators.class_brackets import HeadClass, case_pair, difference, head_class, on_sphere, quotient
from estimators.estimate import Estimate
from estimators.features import read_out_query
from theory import rademacher, rademacher_baselines
from theory import rademacher_encodings as encodings
from theory.bound import Bound
from theory.encodings import parse

Statement = Callable[..., Bound]
BIAS_FREE: dict[str, Statement] = {
    "covering": rademacher.covering,
    "U2-width": rademacher.width,
    "after-Edelman": rademacher_baselines.zhang_head,
    "after-Trauger-Tewari": rademacher_baselines.maurey_head,
    "after-Truong": rademacher_baselines.low_rank_head,
}
GROWING = {name: BIAS_FREE[name] for name in ("U2-width", "after-Trauger-Tewari")}
NORM_ONLY = {name: BIAS_FREE[name] for name in ("after-Edelman", "after-Trauger-Tewari")}
NORM_ONLY["U1-trivial"] = rademacher.trivial


def wired(statement: Statement, measure: Callable[..., Measurement], cases: Cases, *free: str, **options: Any) -> Claim:
    """The claim, with the words of its statement picked from all those that `measure` finds."""

    def restricted(**case: Any) -> Measurement:
        found = measure(**case)
        words = [symbol.name for symbol in statement(**found.arguments).symbols]
        return replace(found, parameters={word: found.parameters[word] for word in words})

    return Claim(statement, restricted, cases, free, **options)


def value(statement: Statement, head: HeadClass) -> Estimate:
    """The number that an upper bound says of a head, from the ends of its statistics, in which it increases."""
    bound, ends = statement(ball=head.query.constraints.readout_ball), []
    for side in (0, 1):
        known = {symbol.name: head.statistics[symbol.name] for symbol in bound.symbols}
        exact = {word: one[side] if isinstance(one, tuple) else one for word, one in known.items()}
        ends.append(bound.certified(**exact)[side])
    return Estimate(ends[0], ends[1], 1.0, "interval arithmetic")


def bias_free(*, bound: str, encoding: str, **case: Any) -> Measurement:
    """U(b)/U(0) for an encoding that is a bias."""
    with_bias, without = (value(BIAS_FREE[bound], head) for head in case_pair((encoding, "none"), **case))
    return Measurement(quotient(with_bias, without), {}, encoding)


def masked(*, bound: str, tokens: Any, kept: list[int], **case: Any) -> Measurement:
    """U over the kept positions divided by U over all."""
    fewer = [[sample[position] for position in kept] for sample in tokens]
    found = [value(BIAS_FREE[bound], head_class(tokens=one, **case)) for one in (fewer, tokens)]
    return Measurement(quotient(*found), {})


def _grown(tokens: Any, encoding: str, scale: float, degree: int, **case: Any) -> HeadClass:
    """The head on tokens and table times `scale`; degree 3: the encoded last token is the query."""
    x = scale * np.asarray(tokens, dtype=np.float64)
    queries = None
    if degree == 3:
        made = parse(encoding, dim=x.shape[2], train_length=x.shape[1])
        queries = np.asarray(read_out_query(made, x, power=scale**2))
    return head_class(tokens=x, encoding=encoding, power=scale**2, queries=queries, **case)


def growth(*, bound: str, scale: float, degree: int, **case: Any) -> Measurement:
    """U(cX)/U(X)."""
    found = [value(GROWING[bound], _grown(scale=one, degree=degree, **case)) for one in (scale, 1.0)]
    return Measurement(quotient(*found), {"token_scale": scale}, case["encoding"], {"degree": degree})


def grown_truth(*, scale: float, **case: Any) -> Measurement:
    """R_hat(cX), with the words of U1 of X and R_hat(X)."""
    small, grown = (_grown(scale=one, degree=2, **case) for one in (1.0, scale))
    inner = {"inner_complexity": (small.estimate.lower, small.estimate.upper), "token_scale": scale}
    return Measurement(grown.estimate, small.statistics | inner, case["encoding"])


def grown_power(**case: Any) -> Measurement:
    """The same for a power of c, logits <w, k>."""
    return replace(grown_truth(**case), arguments={"degree": 2})


def fixed(*, encoding: str, **case: Any) -> Measurement:
    """R_hat with a fixed encoding, and without."""
    first, second = case_pair((encoding, "none"), **case)
    inner = {"inner_complexity": (second.estimate.lower, second.estimate.upper)}
    return Measurement(first.estimate, inner, encoding)


def rotated_bound(*, bound: str, **case: Any) -> Measurement:
    """U(rotary)/U(none)."""
    found = [value(NORM_ONLY[bound], head) for head in case_pair(("rotary", "none"), **case)]
    return Measurement(quotient(*found), {}, "rotary")


def rotated_truth(**case: Any) -> Measurement:
    """R_hat(rotary)/R_hat(none), certified."""
    first, second = case_pair(("rotary", "none"), **case)
    return Measurement(quotient(first.estimate, second.estimate), {}, "rotary")


def ordered(*, tokens: Any, pair: list[str], **case: Any) -> Measurement:
    """R_hat - R_hat' of two encodings on unit tokens and common signs, that of the smaller U3 first."""
    both = case_pair(pair, tokens=on_sphere(tokens), **case)
    bounds = [value(rademacher.contraction, head) for head in both]
    first, second = (0, 1) if bounds[0].upper <= bounds[1].upper else (1, 0)
    words = {"first_bound": bounds[first].upper, "second_bound": bounds[second].lower}
    return Measurement(difference(both[first], both[second]), words, f"{pair[first]} against {pair[second]}")


def biased_samples(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Every bias, two slopes of ALiBi far apart, every covering bound."""
    for bound in BIAS_FREE:
        for encoding in (*BIASED, "alibi:slope=0.00390625", "alibi:slope=50"):
            yield {"bound": bound, "encoding": encoding, "tokens": gaussian(rng).tolist(), "logit_norm": 1.0}


def masks(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Causal masks read at every position: the first tokens are kept."""
    for bound in BIAS_FREE:
        for count in (1, LENGTH // 2, LENGTH):
            kept = list(range(count))
            yield {"bound": bound, "tokens": gaussian(rng).tolist(), "kept": kept, "logit_norm": 1.0}


def scales(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Tokens times 1 to 1000; the limit is approached where logits are large from the start."""
    for bound in GROWING:
        for degree in (2, 3):
            for scale, norm in ((1.0, 1.0), (2.0, 1.0), (8.0, 0.1), (1000.0, 1e12)):
                encoding = str(rng.choice(EVERY))
                tokens = sphere(rng).tolist()
                case = {"bound": bound, "degree": degree, "scale": scale, "logit_norm": norm}
                yield case | {"encoding": encoding, "tokens": tokens}


def grown(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Growing tokens: random ones, and equal tokens of one sample, which attain linear growth."""
    for scale in (1.0, 3.0, 10.0):
        for encoding in EVERY if thorough else ("none", "alibi", "rotary", "cosine"):
            yield {"tokens": sphere(rng).tolist(), "encoding": encoding, "logit_norm": 0.5, "scale": scale}
        yield {"tokens": lone(rng).tolist(), "encoding": "none", "logit_norm": 0.5, "scale": scale}


def overgrown(rng: Rng, thorough: bool) -> Iterator[Case]:
    """c = 12: a polynomial of degree 2 or more is far above."""
    for encoding in ("none", "alibi", "rotary"):
        yield {"tokens": sphere(rng).tolist(), "encoding": encoding, "logit_norm": 0.5, "scale": 12.0}


def codes(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Every additive code with and without tokens; two equal and two orthogonal vectors, which attain the ends."""
    for encoding in ADDITIVE:
        for size in (0.0, 0.7, *rng.uniform(0, 2, 18 if thorough else 0)):
            yield {"tokens": (size * rng.standard_normal((8, 4))).tolist(), "encoding": encoding, "power": 1.0}
    one = rng.standard_normal(4)
    across = np.array([-one[1], one[0], -one[3], one[2]])
    for other in (one, across):
        tokens = np.zeros((8, 4))
        tokens[0], tokens[1] = one, other
        yield {"tokens": tokens.tolist(), "encoding": "none"}


def pairs_of_codes(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Neighbouring additive codes on common tokens; orthogonal against equal vectors."""
    for pair in zip(ADDITIVE, (*ADDITIVE[1:], ADDITIVE[0]), strict=True):
        for _ in range(10 if thorough else 1):
            tokens = (0.5 * rng.standard_normal((8, 4))).tolist()
            yield {"tokens": tokens, "others": tokens, "encodings": list(pair)}
    line, square = np.zeros((8, 4)), np.zeros((8, 4))
    line[:2, 0] = square[0, 0] = square[1, 1] = 1.0
    yield {"tokens": square.tolist(), "others": line.tolist(), "encodings": ["none", "none"]}


def lines(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Codes +-p on 1 to 14 positions."""
    for count in range(1, 15):
        flips = [int(flip) for flip in rng.choice([-1, 1], count)]
        yield {"code": rng.standard_normal(3).tolist(), "flips": flips}


def rotations(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Unit tokens."""
    for _ in range(20 if thorough else 3):
        yield {"tokens": sphere(rng).tolist(), "logit_norm": 1.0}


def rotation_bounds(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Every bound of norms only, tokens of several sizes."""
    for bound in NORM_ONLY:
        for make in (sphere, gaussian, large):
            yield {"bound": bound, "tokens": make(rng).tolist(), "logit_norm": 1.0}


def alibi_pairs(rng: Rng, thorough: bool) -> Iterator[Case]:
    """ALiBi's first slope against none, on random unit tokens."""
    for norm in (0.25, 1.0):
        for _ in range(20 if thorough else 2):
            yield {"tokens": sphere(rng).tolist(), "pair": ["alibi:slope=0.5", "none"], "logit_norm": norm}


def nested(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Learned slopes, the fixed encoding and none inside them."""
    count = 4 if thorough else 1
    for tokens in (sphere(np.random.default_rng(SHARED + k)).tolist() for k in range(count)):
        for encoding in ("alibi", "kerple-log", "kerple-power"):
            case = {"encoding": encoding, "tokens": tokens, "logit_norm": 1.0}
            yield case | {"encoding_radius": 2.0, "inside": "none"}
            yield case | {"encoding_radius": 0.25, "inside": encoding}


def silenced(rng: Rng, thorough: bool) -> Iterator[Case]:
    """A last token of 0: a steep bias looks at nothing else, and every output is nearly 0."""
    for _ in range(10 if thorough else 2):
        tokens = sphere(rng)
        tokens[:, -1] = 0.0
        yield {"tokens": tokens.tolist(), "encoding": "alibi:slope=4", "logit_norm": 0.5}


def powers(least: int, encoding: str, rng: Rng, thorough: bool) -> Iterator[Case]:
    """Channels from `least` on."""
    for dim in (2, 4, 8, 16, 32):
        if dim >= least:
            yield {"encoding": encoding, "dim": dim, "train_length": 64}


def places(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Sinusoidal codes at random positions."""
    for case in powers(2, "sinusoidal", rng, thorough):
        yield case | {"position": int(rng.integers(64))}


def order_of_norms(rng: Rng, thorough: bool) -> Iterator[Case]:
    """Codes alone, raw Legendre against sinusoidal, on 12 positions."""
    yield from ({"encodings": ["legendre", "sinusoidal"], "dim": dim, "length": 12} for dim in (4, 6, 8))


def boxes(copies: tuple[int, ...], rng: Rng, thorough: bool) -> Iterator[Case]:
    """Copies of two random samples, every third encoding; and of tokens +-x, symmetric about 0."""
    line = [[[one, 0.0], [-one, 0.0]] for one in (1.0, 0.5)]
    for count in copies:
        for encoding in EVERY if thorough else EVERY[::3]:
            yield {"tokens": sphere(rng)[:2].tolist(), "encoding": encoding, "copies": count}
        yield {"tokens": line, "encoding": "none", "copies": count}


SAMPLE = ("tokens",)

ENCODING_CLAIMS: dict[str, Claim] = {
    "complexity-bias-free-covering": wired(encodings.bias_free_covering, bias_free, biased_samples, *SAMPLE),
    "complexity-masked-covering": wired(encodings.masked_covering, masked, masks, *SAMPLE, tight=True),
    "complexity-radius-growth": wired(encodings.radius_growth, growth, scales, *SAMPLE, tight=True),
    "complexity-truth-growth": wired(encodings.truth_growth, grown_truth, grown, *SAMPLE, tight=True),
    "complexity-polynomial-truth": wired(encodings.polynomial_truth, grown_power, overgrown, *SAMPLE, true=False),
    "complexity-linear-power-upper": wired(
        encodings.linear_power_upper, enumerated.linear_class, codes, *SAMPLE, tight=True
    ),
    "complexity-linear-power-lower": wired(
        encodings.linear_power_lower, enumerated.linear_class, codes, *SAMPLE, tight=True
    ),
    "complexity-equal-power-ratio": wired(
        encodings.equal_power_ratio, enumerated.equal_power, pairs_of_codes, "tokens", "others", tight=True
    ),
    "complexity-rank-one-code": wired(encodings.rank_one_code, enumerated.rank_one, lines, "code"),
    "complexity-inclusion": wired(encodings.inclusion, class_learned.inclusion, nested, *SAMPLE),
    "complexity-fixed-inclusion": wired(encodings.fixed_inclusion, fixed, silenced, *SAMPLE, true=False),
    "complexity-norm-bounds-ignore-rotations": wired(
        encodings.norm_bounds_ignore_rotations, rotated_bound, rotation_bounds, *SAMPLE
    ),
    "complexity-rotations-change-nothing": wired(
        encodings.rotations_change_nothing, rotated_truth, rotations, *SAMPLE, true=False
    ),
    "complexity-order-of-u3": wired(encodings.bound_order, ordered, alibi_pairs, *SAMPLE, true=False),
    "complexity-order-of-norms": wired(encodings.bound_order, enumerated.norm_order, order_of_norms, true=False),
    "complexity-sinusoidal-power": wired(encodings.sinusoidal_power, enumerated.power_at, places, "position"),
    "complexity-legendre-largest-power": wired(
        encodings.legendre_largest_power, enumerated.largest_power, partial(powers, 2, "legendre")
    ),
    "complexity-legendre-mean-power": wired(
        encodings.legendre_mean_power, enumerated.mean_power, partial(powers, 2, "legendre")
    ),
    "complexity-mean-power-order": wired(
        encodings.mean_power_order, enumerated.mean_power, partial(powers, 4, "legendre")
    ),
    "complexity-largest-power-order": wired(
        encodings.largest_power_order, enumerated.mean_power, partial(powers, 4, "legendre"), true=False
    ),
    "complexity-hull-floor": wired(
        encodings.hull_floor, enumerated.relaxation, partial(boxes, (1, 4, 64)), *SAMPLE, tight=True
    ),
    "complexity-hull-decay": wired(
        encodings.hull_decay, enumerated.relaxation, partial(boxes, (16, 256)), *SAMPLE, true=False
    ),
}
