"""Classes with a trained encoding on small samples: learned biases, learned tables, and what they contain.

  biases   <u, a_i(w, delta)>, logits <w, x_ij> + b_j + delta_bucket(j), |delta_m| <= bias_bound; or one learned slope
  table    <u, sum_j alpha_ij (x_ij + p_j)>, |P - P0|_F <= table_norm, logits <w, x_ij + p_j>, or q_i^T W (x_ij + p_j)
           with q_i = x_iT + p_T
Cases hold tokens (n, T, d) and radii as in `estimators.class_brackets`; the read-out ball is l2. All sign classes are
enumerated. Learned biases are exact up to a small gap while d plus the number of free biases is at most 4. For tables
the interval is closed form at logit_norm 0, sup = |sum eps_i a_i| + |sum eps_i| |pi|_2 table_norm, and otherwise goes
from what is attained to an expansion at zero logits or the norms of the values.
"""

from typing import Any

import numpy as np
from jaxtyping import Float64

from estimators.claim import Measurement
from estimators.class_brackets import GAP, HeadClass, head_class, relative
from estimators.estimate import Estimate, exact
from estimators.features import template
from estimators.hypotheses import Constraints, Effort, power_of_two
from estimators.hypotheses_bias import LearnedBias, learned_bias
from estimators.learned_encoding import LogitFeatures, logit_features
from estimators.signs import all_sign_classes
from estimators.supremum.box_bounds import diameters
from estimators.supremum.certificates import INFLATION, UNIT
from estimators.supremum.table_ball import table_upper
from theory.encodings import parse

EFFORT = Effort(gap=GAP, restarts=1, iterations=10, pool_points=120)
METHOD = "all sign classes, "


def biases(
    *, tokens: Any, buckets: list[int], bias_bound: float, logit_norm: float = 1.0, readout_norm: float = 1.0
) -> Measurement:
    """Learned biases of the buckets of positions (bucket number of each token), and the words of U6 for them."""
    array = np.asarray(tokens, dtype=np.float64)
    if array.ndim != 3 or len(buckets) != array.shape[1]:
        raise ValueError(
            f"tokens must be (n, T, d), got {array.shape}, and buckets T numbers: pass one bucket per token"
        )
    _radius("bias_bound", bias_bound)
    used = sorted(set(buckets))
    columns = np.array([[float(bucket == one) for bucket in buckets] for one in used])
    # A common shift changes nothing: two buckets act through their difference alone.
    columns, reach = (columns[:1], 2 * bias_bound) if len(used) == 2 else (columns, bias_bound)
    ends = np.full(len(columns), float(reach))
    free = LogitFeatures(columns, np.zeros(len(buckets)), -ends, ends, True)
    found = _solved(learned_bias(array, array, free, Constraints(readout_norm, logit_norm)))
    values, keys = diameters(array), diameters(array)
    measured = {
        "value_energy": (np.linalg.norm(array, axis=2).max(axis=1) ** 2).sum(),
        "covariance_lipschitz": np.linalg.norm(values * keys / 4),
        "value_diameter_energy": (values**2).sum(),
    }
    sizes = _sizes(array, logit_norm, readout_norm) | {"bias_bound": bias_bound, "bias_count": len(used)}
    return Measurement(found, sizes | {word: relative(float(value)) for word, value in measured.items()}, "t5")


def _radius(word: str, size: float) -> None:
    if not 0 <= size < np.inf:
        raise ValueError(f"{word} must be finite and at least 0, got {size}: it is the radius of a ball")


def larger_class(
    *, tokens: Any, encoding: str, encoding_radius: float, logit_norm: float = 1.0, readout_norm: float = 1.0
) -> Estimate:
    """R_hat where the slope (alibi) or r1 (kerple) is learned within `encoding_radius` of the encoding's own."""
    array = np.asarray(tokens, dtype=np.float64)
    made = parse(encoding, dim=array.shape[2], train_length=array.shape[1])
    keys = np.asarray(template(made, array).keys)
    free = logit_features(made, array.shape[1], encoding_radius)
    return _solved(learned_bias(keys, array, free, Constraints(readout_norm, logit_norm)))


def _solved(learned: LearnedBias) -> Estimate:
    if not learned.exact:
        raise ValueError("more than 4 parameters besides the read-out cannot be solved exactly: use fewer buckets")
    ends = learned.suprema(all_sign_classes(len(learned.values)), EFFORT)
    return Estimate(ends.lower.mean() * (1 - 1e-14), ends.upper.mean() * (1 + 1e-14), 1.0, METHOD + "branch and bound")


def inclusion(*, encoding: str, encoding_radius: float, inside: str, **case: Any) -> Measurement:
    """R_hat of the class with the learned encoding, and that of the fixed encoding `inside` as `inner_complexity`."""
    larger = larger_class(encoding=encoding, encoding_radius=encoding_radius, **case)
    inner = head_class(encoding=inside, **case).estimate
    return Measurement(larger, {"inner_complexity": (inner.lower, inner.upper)}, encoding)


def table(
    *,
    tokens: Any,
    table_norm: float,
    encoding: str = "none",
    logit_norm: float = 1.0,
    readout_norm: float = 1.0,
    in_query: bool = False,
) -> Measurement:
    """A learned table around the encoding's, and the words of U6 and of the bound after He and Xing; `in_query`:
    bilinear logits with the table in the query too. ValueError unless keys and values are the same vectors."""
    _radius("table_norm", table_norm)
    base = head_class(tokens=tokens, encoding=encoding, logit_norm=logit_norm, readout_norm=readout_norm)
    x, bias = np.asarray(base.query.values), np.asarray(base.query.bias)
    if not np.array_equal(x, base.query.keys):
        raise ValueError(f"a table joins keys and values, which differ for {encoding}: use an additive encoding")
    signs, n = all_sign_classes(len(x)), len(x)
    weights = np.exp(bias - bias.max())
    weights /= weights.sum()
    norms = np.linalg.norm(x, axis=2)
    size = float(norms.max(axis=1).sum()) + n * table_norm
    slack = UNIT * (2 * x.shape[1] + n + 20) * size
    pull = np.abs(signs.sum(axis=1)) * float(np.linalg.norm(weights)) * table_norm
    still = np.linalg.norm(signs @ np.einsum("t,ntd->nd", weights, x), axis=1) + pull
    scale = readout_norm / n
    spans, key_spans = diameters(x) + np.sqrt(2) * table_norm, diameters(base.query.keys) + np.sqrt(2) * table_norm
    if logit_norm == 0:
        estimate = exact(float(still.mean()) * scale, slack * scale, METHOD + "closed form")
    elif in_query:
        ends = float(still.mean() - slack) * scale, size * scale * INFLATION
        estimate = Estimate(*ends, 1.0, METHOD + "norms of values")
    else:
        # The fixed encoding is a member, and so is every table at zero logits.
        least = np.maximum(base.lower / (scale or 1.0), still - slack)
        estimate = _expanded(base, least, signs, table_norm, size, spans, key_spans, scale)
    queries = float(norms[:, -1].max()) + table_norm
    factor = queries if in_query else 1.0
    measured = {
        "value_energy": ((norms.max(axis=1) + table_norm) ** 2).sum(),
        "covariance_lipschitz": factor * np.linalg.norm(spans * key_spans / 4),
        "plain_covariance_lipschitz": np.linalg.norm(spans * key_spans / 4),
        "value_diameter_energy": (spans**2).sum(),
        "query_maximum": queries,
    }
    sizes = _sizes(x, logit_norm, readout_norm) | {"table_norm": table_norm, "length": x.shape[1]}
    sizes["logit_dim"] = x.shape[2] ** 2 if in_query else x.shape[2]
    return Measurement(estimate, sizes | {word: relative(float(value)) for word, value in measured.items()}, encoding)


def _expanded(
    base: HeadClass, least: Float64[np.ndarray, " k"], signs, reach: float, size: float, spans, key_spans, scale: float
) -> Estimate:
    """[attained, expansion at zero logits], in the scaled units of `base.query.head`."""
    query = base.query
    unit = power_of_two(query.values)
    options = table_upper(query.head, 1.0, signs, query.radius, reach / unit, spans / unit, key_spans / unit, "l2")
    slip = query.rounding * (1 + 4 * query.radius * (query.key_size + reach / unit))
    upper = np.min([one * INFLATION + slip for one in options.values()], axis=0) * unit
    upper = np.maximum(np.minimum(upper, size * INFLATION), least)
    return Estimate(float(least.mean()) * scale, float(upper.mean()) * scale * INFLATION, 1.0, METHOD + "expansion")


def _sizes(x: Float64[np.ndarray, "n T d"], logit_norm: float, readout_norm: float) -> dict[str, Any]:
    sizes = {"sample_size": len(x), "dim": x.shape[2], "logit_dim": x.shape[2]}
    return sizes | {"logit_norm": logit_norm, "readout_norm": readout_norm}
