"""Residual attention layers on tiny samples: what `theory.rademacher_depth` bounds, with every statistic it needs.

Depth class: x_s <- x_s + V Att_s(W; x), one head a layer, causal, f = <u, x_T>, |u| <= readout_norm, |V|_F <=
value_norm, |W|_F <= logit_norm, any bias. All sign classes are enumerated. What is known of R_hat depends on the case:
  scalar tokens, 1 or 2 layers    a small interval (`estimators.scalar_layers`)
  equal tokens in every sample    (1 + value_norm)^L E|sum eps_i x_i|/n exactly: attention is the identity, and the best
                                  V_l are value_norm times the projection on sum eps_i x_i
  any other                       [attained by ascent, norms of residual branches]
"""

from typing import Any

import numpy as np
from jaxtyping import Float64

from estimators import scalar_layers
from estimators.claim import Measurement
from estimators.class_brackets import relative
from estimators.estimate import Estimate, exact
from estimators.hypotheses import Effort
from estimators.hypotheses_transformer import TransformerHypotheses
from estimators.layer_features import Features, layer_features
from estimators.signs import all_sign_classes
from estimators.supremum import two_layers_paths as two
from estimators.supremum.certificates import UNIT
from estimators.supremum.last_head import head_upper
from estimators.supremum.two_layers_semigroup import semigroup
from estimators.transformer import Architecture, LastHead
from theory.encodings import parse
from theory.encodings.base import AbstractRelativeEncoding, AbstractRotaryEncoding

SEARCHES = 60  # trials of noise scales of U13, all valid
UP = 1 + 1e-9
EFFORT = Effort(restarts=2, iterations=15)


def _tokens(tokens: Any) -> Float64[np.ndarray, "n T d"]:
    array = np.asarray(tokens, dtype=np.float64)
    if array.ndim != 3 or array.size == 0:
        raise ValueError(f"tokens must have shape (n, T, d), got {array.shape}: nest three lists")
    if not np.isfinite(array).all():
        raise ValueError("tokens must be finite: leave out the samples that are not")
    return array


def _checked(**radii: float) -> None:
    for word, size in radii.items():
        if not 0 <= size < np.inf:
            raise ValueError(f"{word} must be finite and at least 0, got {size}: it is the radius of a ball")


def _features(tokens: Any, encoding: str) -> Features:
    """Tokens with their table, and the causal bias (1, T, T)."""
    array = _tokens(tokens)
    made = parse(encoding, dim=array.shape[2], train_length=max(array.shape[1], 2))
    if isinstance(made, (AbstractRotaryEncoding, AbstractRelativeEncoding)):
        raise ValueError(f"in the depth class keys are the tokens, which {made.name} changes: use another encoding")
    return layer_features(made, array, heads=1, first_head=0)


def _equal(x: Float64[np.ndarray, "n T d"]) -> bool:
    return bool(np.all(x == x[:, :1]))


def _mean_norm(x: Float64[np.ndarray, "n d"], signs: Float64[np.ndarray, "k n"]) -> tuple[float, float]:
    """Ends of E|sum eps_i x_i| over all sign classes."""
    value = float(np.linalg.norm(signs @ x, axis=1).mean())
    slack = UNIT * (len(x) + 8) * float(np.linalg.norm(x, axis=1).sum())
    return max(value - slack, 0.0), value + slack


def depth(
    *,
    tokens: Any,
    encoding: str = "none",
    layers: int = 2,
    value_norm: float = 0.3,
    logit_norm: float = 1.0,
    readout_norm: float = 1.0,
) -> Measurement:
    """R_hat of the depth class and the words of U7 and of the covering bound of `layers` layers."""
    _checked(value_norm=value_norm, logit_norm=logit_norm, readout_norm=readout_norm)
    if layers < 1:
        raise ValueError(f"layers must be at least 1, got {layers}: use layers=2")
    features = _features(tokens, encoding)
    x, bias = np.asarray(features.tokens), np.asarray(features.bias)[0]
    truth = _truth(features, layers, value_norm, logit_norm, readout_norm)
    words = _sizes(x, value_norm, logit_norm, readout_norm)
    return Measurement(truth, words | _geometry_words(x, bias), encoding, {"layers": layers})


def _sizes(x, value_norm: float, logit_norm: float, readout_norm: float) -> dict[str, Any]:
    sizes = {"sample_size": len(x), "dim": x.shape[2]}
    return sizes | {"value_norm": value_norm, "logit_norm": logit_norm, "readout_norm": readout_norm}


def _geometry_words(x, bias) -> dict[str, tuple[float, float]]:
    seen = np.isfinite(bias[-1])
    points = x[:, seen]
    widest = np.linalg.norm(points[:, :, None] - points[:, None], axis=-1).max()
    return {"token_norm": relative(float(np.linalg.norm(x, axis=2).max())), "token_diameter": relative(float(widest))}


def two_layers(
    *,
    tokens: Any,
    encoding: str = "none",
    value_norm: float = 0.3,
    logit_norm: float = 1.0,
    readout_norm: float = 1.0,
) -> Measurement:
    """R_hat of two layers and the words of U12 and U13; U13 needs tokens of norm at most 1."""
    _checked(value_norm=value_norm, logit_norm=logit_norm, readout_norm=readout_norm)
    features = _features(tokens, encoding)
    x, bias = np.asarray(features.tokens), np.asarray(features.bias)[0]
    signs = all_sign_classes(len(x))
    radii = two.Radii(value_norm, value_norm, logit_norm, logit_norm)
    shape = two.geometry(x, bias)
    frozen = _mean_norm(x[:, -1], signs)[1]
    attention = _attention(x, bias, logit_norm, signs)
    weights = two.softmax_rows(bias)
    means = np.einsum("st,ntd->nsd", weights, x)
    twice = _mean_norm(np.einsum("s,nsd->nd", weights[-1], means), signs)[1]
    remainders = {}
    for word, linear in (("path_remainder", False), ("linear_path_remainder", True)):
        slopes = two.remainder_gradients(shape, radii, linear)
        vector, matrix = two.norm_mean(x.shape[2]), two.norm_mean(x.shape[2] ** 2)
        widths = {"y": value_norm * vector, "z": value_norm**2 * vector, "V1": value_norm * matrix}
        widths |= {"W1": logit_norm * matrix, "W2": logit_norm * matrix}
        blocks = [(float(np.linalg.norm(slopes[name])), 1.0, width) for name, width in widths.items()]
        largest = float(np.sum(value_norm * slopes["y"] + value_norm**2 * slopes["z"]))
        remainders[word] = min(two.comparison(blocks), largest) * UP
    smooth = semigroup(shape, radii, frozen, attention, searches=SEARCHES)
    words = remainders | {
        "residual_mean": frozen,
        "attention_mean": attention,
        "double_path_mean": twice,
        "path_jacobian_mean": float(np.linalg.norm(shape.slope)) * UP,
        "smoothed_width": smooth["pac_bayes"] * UP,
        "laplacian_integral": smooth["laplacian"] * UP,
    }
    truth = _truth(features, 2, value_norm, logit_norm, readout_norm)
    return Measurement(truth, words | _sizes(x, value_norm, logit_norm, readout_norm), encoding)


def _truth(features: Features, layers: int, nu: float, om: float, readout_norm: float) -> Estimate:
    x, bias = np.asarray(features.tokens), np.asarray(features.bias)[0]
    signs, scale = all_sign_classes(len(x)), readout_norm / len(x)
    if _equal(x):
        low, high = (end * (1 + nu) ** layers * scale for end in _mean_norm(x[:, -1], signs))
        return Estimate(low * (1 - 1e-14), high * (1 + 1e-14), 1.0, "all sign classes, closed form")
    if x.shape[2] == 1 and layers <= 2:
        found = _scalar(x[:, :, 0], bias, layers, nu, om, signs)
        method = "all sign classes, branch and bound"
        return Estimate(found.lower.mean() * scale * (1 - 1e-14), found.upper.mean() * scale * (1 + 1e-14), 1.0, method)
    hypotheses = _transformer(features, layers, nu, om)
    ends = hypotheses.suprema(signs, EFFORT)
    method = "all sign classes, attained by ascent and norms of branches"
    lower, upper = (float(end.mean()) * readout_norm for end in (ends.lower, ends.upper))
    return Estimate(lower * (1 - 1e-14), upper * (1 + 1e-14), 1.0, method)


def _scalar(x, bias, layers: int, nu: float, om: float, signs) -> scalar_layers.Ends:
    if layers == 2:
        return scalar_layers.two_layers(x, bias, nu, om, signs)
    start = np.abs(signs @ x[:, -1])
    head = scalar_layers.one_layer(x, bias, om, signs)
    return scalar_layers.Ends(start + nu * head.lower, (start + nu * head.upper) * UP)


def _transformer(features: Features, layers: int, nu: float, om: float) -> TransformerHypotheses:
    dim = np.asarray(features.tokens).shape[2]
    architecture = Architecture(dim=dim, layers=layers, value_norm=nu, logit_norm=om)
    return TransformerHypotheses(architecture, features)


def _attention(x, bias, om: float, signs) -> float:
    """E max_{|W|_F <= om} |sum eps_i a_i(W)| of one head on the tokens, from above."""
    if _equal(x):
        return _mean_norm(x[:, -1], signs)[1]
    if x.shape[2] == 1:
        return float(scalar_layers.one_layer(x[:, :, 0], bias, om, signs).upper.mean()) * UP
    head = LastHead(tokens=x[:, -1], queries=x[:, -1], keys=x, values=x, bias=bias[-1:])
    return head_upper(head, bias[-1], om, 0.0, 0, signs)


def one_layer(
    *, tokens: Any, encoding: str = "none", value_norms: list[float], logit_norm: float = 1.0, readout_norm: float = 1.0
) -> Measurement:
    """R_hat of one layer with one head for every entry of `value_norms`, exactly, and its two words.

    Scalar tokens of which one sample is not 0, or equal tokens in every sample. In the first case |x_T + sum V_h
    a^h(W_h)| is largest at a corner |V_h| = nu_h, |W_h| = logit_norm, because a^h increases in x_T W_h: all corners are
    tried. ValueError for other tokens.
    """
    array, count = _tokens(tokens), len(value_norms)
    if count < 1:
        raise ValueError("value_norms is empty: pass one norm per head")
    _checked(value_norm=min(value_norms), logit_norm=logit_norm, readout_norm=readout_norm)
    made = parse(encoding, dim=array.shape[2], train_length=max(array.shape[1], 2))
    features = layer_features(made, array, heads=count, first_head=0)
    x, bias, nu = np.asarray(features.tokens), np.asarray(features.bias), np.asarray(value_norms, dtype=np.float64)
    signs, scale = all_sign_classes(len(x)), readout_norm / len(x)
    start = _mean_norm(x[:, -1], signs)[1]
    if _equal(x):
        value = start * (1 + float(nu.sum())) * scale
        head = float(nu @ [_mean_norm(np.einsum("t,ntd->nd", two.softmax_rows(b[-1:])[0], x), signs)[1] for b in bias])
    elif x.shape[2] == 1 and np.sum(np.any(x != 0, axis=(1, 2))) == 1:
        one = x[np.any(x != 0, axis=(1, 2)), :, 0]
        ends = np.array([scalar_layers.attention(one, b, np.array([-logit_norm, logit_norm]))[:, 0, -1] for b in bias])
        head = float(nu @ np.abs(ends).max(axis=1))
        value = _corner(float(one[0, -1]), nu[:, None, None] * np.stack([ends, -ends], axis=-1)) * scale
    else:
        raise ValueError("one layer is solved for equal tokens, or for one scalar sample among zeros: use one of them")
    words = {"residual_mean": start, "head_sum": head, "sample_size": len(x), "readout_norm": readout_norm}
    return Measurement(exact(value, 1e-13 * abs(value), "closed form"), words, encoding, {"ball": "l2"})


def _corner(start: float, moves: Float64[np.ndarray, "h w v"]) -> float:
    """max |start + sum_h moves[h, w_h, v_h]| over all corners."""
    totals = np.array([start])
    for head in moves:
        totals = np.add.outer(totals, head.ravel()).ravel()
    return float(np.abs(totals).max())
