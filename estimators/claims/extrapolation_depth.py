"""Claims of theory sections 5.4 and 5.8: truncation and gradients through depth. One line per statement."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from estimators import depth_heads, depth_plain
from estimators.claim import Case, Claim
from theory import extrapolation_depth

EPSILON = 1e-6


def split_tokens(length: int, window: int, dim: int) -> np.ndarray:
    """e_1 for the last `window` tokens and -e_1 before: with A = -a I far keys have the logit a, near ones -a."""
    return np.where((np.arange(length) < length - window)[:, None], -1.0, 1.0) * np.eye(dim)[0]


def plain_networks(
    layers: tuple[int, ...], rng: np.random.Generator, thorough: bool, *, length: int = 24
) -> Iterator[Case]:
    """ALiBi layers on tokens split at the window, with the largest tail mass, and random ones; phi with and without a
    ball."""
    for depth in layers:
        for slope, window in ((1.0, 3), (0.5, 6), *(((0.25, 12), (2.0, 2)) if thorough else ())):
            split = split_tokens(length, window, 2)
            for size, nu, radius in ((0.0, 0.5, 0.0), (0.0, 2.0, 0.0), (0.25, 0.5, 0.0), (0.25, -0.5, 1.0)):
                A, V = (np.broadcast_to(c * np.eye(2), (depth, 2, 2)) for c in (-size, nu))
                case = {"tokens": split.tolist(), "interactions": A.tolist(), "values": V.tolist()}
                yield case | {"slope": slope, "window": window, "radius": radius}
            for _ in range(8 if thorough else 2):
                A, V = rng.normal(size=(2, depth, 2, 2)) / 4
                x = rng.normal(size=(length, 2))
                case = {"tokens": x.tolist(), "interactions": A.tolist(), "values": V.tolist(), "slope": slope}
                yield case | {"window": window, "gain": float(rng.uniform(0.5, 1.5)), "radius": 1.5}


def long_steps(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """As `plain_networks`, on enough tokens to come near to the mass of any length."""
    for case in plain_networks((1, 2, 3), rng, thorough, length=48):
        yield case | {"step": True}


def gradient_networks(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """The same networks; the distance is the window."""
    for case in plain_networks((1, 2, 3), rng, thorough):
        yield {word: value for word, value in case.items() if word != "window"} | {"distance": case["window"]}


def recursions(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Constants of one to four layers; flatter slopes for longer windows, or one layer attains the closed form."""
    for layers in (1, 2, 4):
        for window in (1, 5, *((30, 100) if thorough else ())):
            for _ in range(6 if thorough else 2):
                norms = {"logit_bound": float(rng.uniform(0, 1)), "value_norm": float(rng.uniform(0.1, 1))}
                case = {"layers": layers, "window": window, "slope": float(rng.uniform(0.05, 1)) / window**0.5}
                yield case | norms | {"token_norm": float(rng.uniform(0.5, 2)), "gain": 1.0}


def deep_networks(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Layers without content logits that add up the errors of their keys."""
    for depth in (2, 3):
        for nu in (0.5, 3.0):
            V = np.broadcast_to(nu * np.eye(2), (depth, 2, 2))
            case = {"tokens": split_tokens(40, 10, 2).tolist(), "values": V.tolist(), "slope": 1.0, "window": 10}
            yield case | {"interactions": (0 * V).tolist()}


def points(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random points of several sizes, near ones, and points of one norm, where the bound is attained."""
    for _ in range(40 if thorough else 6):
        dim = int(rng.integers(1, 9))
        x, y = rng.normal(size=(2, dim)) * 10.0 ** rng.uniform(-4, 2, size=(2, 1))
        for other in (y, x * (1 + 1e-6), x[::-1], -x):
            yield {"first": x.tolist(), "second": other.tolist(), "epsilon": EPSILON}


def heads(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random heads with errors that grow towards the cut; a value near and another far; a key's logit alone in
    error, a query's, and all values: each of these makes one term of the bound sharp."""
    for trial in range(60 if thorough else 8):
        length, dim = int(rng.integers(2, 14)), int(rng.integers(1, 5))
        window = int(rng.integers(1, length + 1))
        z = rng.normal(size=(length, dim))
        noise = rng.normal(size=(window, dim)) * 10.0 ** rng.uniform(-6, 0) * np.exp(-np.arange(window)[:, None] / 2)
        bias = rng.normal(size=length) if trial % 2 else -rng.uniform(0, 1) * np.arange(length)[::-1]
        case = {"tokens": z.tolist(), "short": (z[length - window :] + noise).tolist(), "bias": bias.tolist()}
        case |= {"interaction": rng.normal(size=(dim, dim)).tolist(), "value": rng.normal(size=(2, dim)).tolist()}
        yield case | {"query_shift": rng.normal(size=dim).tolist()}
    for window, slope in ((1, 0.5), (4, 0.25)):
        z = split_tokens(12, window, 2)
        case = {"tokens": z.tolist(), "short": z[12 - window :].tolist(), "interaction": (-np.eye(2)).tolist()}
        yield case | {"value": np.eye(2).tolist(), "bias": (-slope * np.arange(12)[::-1]).tolist()}
    # Coordinate 1 is the value, 2 the key's part of the logit, 3 the query's.
    value, interaction = np.diag([1.0, 0.0, 0.0]), 50.0 * np.outer([0, 1, 0], [0, 0, 1])
    signs, count = np.array([1.0, -1.0] * 20), 40
    key_alone = np.stack([-np.ones(count), np.zeros(count), np.zeros(count)], axis=1)
    key_alone[7, 0] = key_alone[-1, 2] = 1.0
    query_alone = np.stack([signs, signs, np.zeros(count)], axis=1)
    for z, token, coordinate in ((key_alone, 7, 1), (query_alone, -1, 2)):
        short = z.copy()
        short[token, coordinate] += 1e-5
        case = {"tokens": z.tolist(), "short": short.tolist(), "interaction": interaction.tolist()}
        yield case | {"value": value.tolist(), "bias": [0.0] * count}
    moved = (query_alone + 1e-3 * np.eye(3)[0]).tolist()
    case = {"tokens": query_alone.tolist(), "short": moved, "interaction": (0 * value).tolist()}
    yield case | {"value": value.tolist(), "bias": [0.0] * count}


def layers_of_two_runs(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random tokens and heads, far and near. Without MLP weights the bound is attained where only the token or only one
    head differs; an MLP along an error that is small and at a right angle to the token comes near to it."""
    for trial in range(40 if thorough else 8):
        dim, count, width = 4, 3, 6
        x, o = rng.normal(size=dim), rng.normal(size=(count, dim))
        noise = 10.0 ** rng.uniform(-5, 0)
        xt, ot = x + noise * rng.normal(size=dim), o + noise * rng.normal(size=(count, dim))
        inner = rng.normal(size=(width, dim)) * (trial % 4 > 0)
        case = {"token": x.tolist(), "short": xt.tolist(), "heads": o.tolist(), "short_heads": ot.tolist()}
        case |= {"mlp_in": inner.tolist(), "mlp_out": rng.normal(size=(dim, width)).tolist(), "epsilon": EPSILON}
        yield case
        yield case | {"short_heads": o.tolist()}
        yield case | {"short": x.tolist(), "short_heads": [ot[0].tolist(), *o[1:].tolist()]}
    case = {"token": [1.0, 1e-3], "short": [1.0, 2e-3], "heads": [[0.0, 0.0]], "short_heads": [[0.0, 0.0]]}
    yield case | {"mlp_in": [[0.0, 2.0]], "mlp_out": [[0.0], [3.0]], "epsilon": EPSILON}


def windows(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random networks whose queries see a hard window."""
    for layers in (1, 2, 3):
        for window in (1, 2, 3, *((5,) if thorough else ())):
            A, V = rng.normal(size=(2, layers, 2, 2))
            x = rng.normal(size=(layers * window + 2, 2))
            case = {"tokens": x.tolist(), "interactions": A.tolist(), "values": V.tolist(), "slope": 0.5}
            yield case | {"window": window}


SPREAD = ("tokens", "interactions", "values", "slope")
CLAIMS: dict[str, Claim] = {
    "norm-two-points": Claim(
        extrapolation_depth.norm_two_points, depth_heads.norm_distance, points, ("first", "second"), tight=True
    ),
    "truncated-head": Claim(
        extrapolation_depth.truncated_head,
        depth_heads.truncated_head,
        heads,
        ("tokens", "short", "interaction", "value", "bias"),
        tight=True,
    ),
    "depth-step": Claim(extrapolation_depth.depth_step, depth_plain.truncation, long_steps, SPREAD, tight=True),
    "depth-closed-form": Claim(
        extrapolation_depth.depth_closed_form,
        depth_plain.truncation,
        partial(plain_networks, (1, 2, 3)),
        SPREAD,
        tight=True,
    ),
    "depth-recursion": Claim(
        extrapolation_depth.depth_closed_form,
        depth_plain.recursion,
        recursions,
        ("slope", "logit_bound", "value_norm", "token_norm", "gain"),
    ),
    "pre-norm-step": Claim(
        extrapolation_depth.pre_norm_step,
        depth_heads.pre_norm_layer,
        layers_of_two_runs,
        ("token", "short", "heads", "short_heads", "mlp_in", "mlp_out"),
        tight=True,
    ),
    "gradient-closed-form": Claim(
        extrapolation_depth.gradient_closed_form, depth_plain.gradient, gradient_networks, SPREAD
    ),
    "receptive-field": Claim(
        extrapolation_depth.receptive_field, depth_plain.tokens_read, windows, ("tokens", "interactions"), tight=True
    ),
    "depth-without-growth": Claim(
        extrapolation_depth.depth_without_growth, depth_plain.truncation, deep_networks, ("tokens",), true=False
    ),
}
