"""The Transformer class: f(X) = <u, x^L_T>, |u|_2 <= readout_norm, x^L as in `estimators.transformer`.

Lower ends are attained by ascent (`estimators.supremum.transformer_ascent`), less a bound on the rounding of the
forward pass (`estimators.supremum.forward_error`). Upper ends, with q_i >= |x^L_T,i| and m_i >= |x^L_T,i - x_T,i| from
the norm recursions of `estimators.supremum.depth`:
  one sign vector   sum_i q_i;  with residual connections |sum_i eps_i x_T,i| + sum_i m_i
  their mean        U1 and U7 for every class;
    one layer, no MLP: E|sum eps_i x_T,i| [residual] + nu sum_h E sup_W |S^h(W)|, exact (`last_layer`), each head by U9,
    U10 or U11 (`estimators.supremum.expected`); W in the spectral ball of radius R has |W|_F <= R sqrt(d);
    more layers, residual, no MLP: the same for the first layer, and m_i of the others ("U1-first-layer");
    two layers, one head, residual, no MLP or norm, Frobenius or rank ball, no rotary or relative encoding: U12, U13.

Adversarial class, rho = `adversarial`: F = {X -> sup over |delta_s|_2 <= rho of f(X + delta)}, delta moves the tokens
with their additive table. It is not symmetric, so g(eps) = sup_F sum_i eps_i F(X_i) is not g(-eps); ends are those of
(g(eps) + g(-eps))/2, which has the same mean over signs. Lower ends are those of V = 0, M2 = 0 (`identity_witness`), 0
without residual connections: where eps_i = -1 an inner maximum would need an upper bound. Upper ends: q_i and m_i hold
for perturbed inputs, and |F(X_i) - <u, x_T,i>| <= m_i.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float64

from estimators.hypotheses import AbstractHypotheses, Constraints, Effort, MeanUppers, Suprema, ordered
from estimators.linear_control import residual_control
from estimators.sampling import Control
from estimators.supremum.certificates import INFLATION, UNIT
from estimators.supremum.depth import DepthUpper
from estimators.supremum.depth_class import depth_of
from estimators.supremum.forward_error import attained
from estimators.supremum.last_head import head_upper
from estimators.supremum.transformer_ascent import identity_witness, transformer_witness
from estimators.supremum.two_layers import two_layers
from estimators.supremum.two_layers_paths import softmax_rows
from estimators.transformer import (
    Architecture,
    Features,
    LastHead,
    Parameters,
    check,
    last_layer,
    layer_features,
)
from theory.bound import Bound
from theory.encodings.base import AbstractEncoding
from theory.rademacher import khintchine
from theory.rademacher_baselines import residual_layers
from theory.rademacher_depth import residual_depth

POOL_POINTS = 64
STEPS = 2  # of the ascent for each of `Effort.iterations`: 40 by default, which deep networks need
KEPT_BYTES = 5e8  # of the parameters found for the sign vectors searched together


@dataclass(frozen=True)
class TransformerHypotheses(AbstractHypotheses):
    """See the module. constraints: read-out norm only; logit_norm and value_norm are those of the architecture.

    failures: failed restarts (NaN or infinity met) of every search so far; `failed_restarts` is their sum.
    """

    architecture: Architecture
    features: Features
    constraints: Constraints = field(default_factory=Constraints)
    adversarial: float = 0.0
    failures: list[int] = field(default_factory=list, init=False, repr=False, compare=False)

    certificates: ClassVar[dict[str, Callable[..., Bound]]] = {}

    def __post_init__(self) -> None:
        check(self.architecture, self.features)
        if self.constraints.readout_ball != "l2":
            raise ValueError("the Transformer class has the l2 read-out ball only: use readout-ball=l2")
        if not 0 <= self.adversarial < np.inf:
            raise ValueError(f"adversarial is a radius, got {self.adversarial}: use a finite number of at least 0")

    @property
    def failed_restarts(self) -> int:
        """Restarts of all searches so far that met NaN or infinity; none of them gave a number."""
        return sum(self.failures)

    @cached_property
    def tokens(self) -> Float64[np.ndarray, "n T d"]:
        """The tokens with their additive table."""
        return np.asarray(self.features.tokens)

    @cached_property
    def depth(self) -> DepthUpper:
        """U1 and U7 for the unit read-out, not divided by n, and sizes of outputs."""
        return depth_of(self.architecture, self.features, self.adversarial)

    @cached_property
    def largest_values(self) -> Float64[np.ndarray, " n"]:
        return self.constraints.readout_norm * self.depth.sizes

    def suprema(self, signs, effort: Effort) -> Suprema:
        last, scale = self.tokens[:, -1], self.constraints.readout_norm / len(self.tokens)
        slack = UNIT * (sum(last.shape) + 8) * float(np.linalg.norm(last, axis=1).sum())
        upper, name = np.full(len(signs), float(self.depth.sizes.sum())), "U1-trivial"
        if self.architecture.residual:
            split = np.linalg.norm(signs @ last, axis=1) + slack + float(self.depth.moved.sum())
            upper, name = np.minimum(upper, split), "U1-residual"
        if self.adversarial == 0:
            lower = self._attained(signs, effort)
        elif self.architecture.residual:
            both = (identity_witness(self.architecture, self.features, s, self.adversarial) for s in (signs, -signs))
            lower = np.maximum(sum(both) / 2 * (1 - 1e-12) - slack, 0.0)
        else:
            lower = np.zeros(len(signs))
        lower, upper = ordered(lower, upper * INFLATION, slack)
        return Suprema(lower * scale * (1 - 1e-15), upper * scale * INFLATION, name)

    def _attained(self, signs, effort: Effort) -> Float64[np.ndarray, " k"]:
        together = max(1, int(KEPT_BYTES // (8 * sum(int(np.prod(shape)) for shape in self.architecture.shapes))))
        values = []
        for first in range(0, len(signs), together):
            part = signs[first : first + together]
            found = transformer_witness(
                self.architecture,
                self.features,
                part,
                restarts=effort.restarts,
                iterations=STEPS * effort.iterations,
                seed=effort.seed,
                pool_points=POOL_POINTS,
            )
            self.failures.append(found.failed)
            assert found.parameters is not None
            values.append(attained(self.architecture, self.features, part, found.parameters))
        return np.concatenate(values)

    def control(self, seed: int) -> Control | None:
        """|sum eps_i x_T,i|, with residual connections: the class contains <u, x_T>, so it never exceeds g."""
        if not self.architecture.residual or self.adversarial > 0:
            return None
        return residual_control(self.tokens[:, -1], self.depth.moved, self.constraints.readout_norm, seed)

    def expected_uppers(self, failure: float, seed: int, signs) -> MeanUppers:
        found = {name: value for name, value in self.depth.parts.items() if name.startswith("U")}
        a, last = self.architecture, self.tokens[:, -1]
        frozen = float(np.sqrt(np.sum(last**2))) * INFLATION  # E|sum eps x_T| <= (sum |x_T|^2)^(1/2)
        if signs is not None:
            frozen = min(frozen, float(np.linalg.norm(signs @ last, axis=1).mean()) * INFLATION)
        if self.adversarial == 0 and not a.mlp_width and (a.residual or a.layers == 1):
            heads = self._heads(failure, seed, signs)
            first = (frozen if a.residual else 0.0) + a.value_norm * sum(heads) * INFLATION
            if a.layers == 1:
                found["one-layer"] = first
            else:
                later = self.depth.moved - depth_of(replace(a, layers=1), self.features).moved * (1 - 1e-12)
                found["U1-first-layer"] = first + float(later.sum()) * INFLATION
            if a.layers == 2 and self._plain and a.ball != "spectral":
                bias, head = np.asarray(self.features.bias)[0], heads[0]
                parts = two_layers(self.tokens, bias, a.value_norm, a.logit_norm, lambda _: head, frozen=frozen).parts
                found |= {name: parts[name] for name in ("U12-paths", "U13-semigroup")}
        scale = self.constraints.readout_norm / len(last)
        return MeanUppers({name: value * scale * INFLATION for name, value in found.items()})

    @property
    def _plain(self) -> bool:
        """The depth class of `theory.rademacher_depth`: one head, residual, no MLP, no norm, tokens as keys."""
        a = self.architecture
        turned = bool(self.features.turned) or bool(self.features.shifted)
        return a.heads == 1 and a.residual and not a.mlp_width and not a.normalise and not turned

    @cached_property
    def _head(self) -> LastHead:
        """Queries, keys, values and biases of the heads of the first layer, at the last position."""
        one = replace(self.architecture, layers=1)
        return LastHead(*map(np.asarray, last_layer(one, self.features, Parameters(*map(np.zeros, one.shapes)))))

    def _heads(self, failure: float, seed: int, signs) -> list[float]:
        """E sup_W |S^h(W)| from above for every head of one layer; all hold with probability at least 1 - failure."""
        a, head = self.architecture, self._head
        radius = a.logit_norm * (np.sqrt(a.dim) * INFLATION if a.ball == "spectral" else 1.0)
        rows, which = np.unique(head.bias, axis=0, return_inverse=True)
        uppers = [head_upper(head, row, radius, failure / len(rows), seed, signs) for row in rows]
        return [uppers[row] for row in which.reshape(-1)]

    @property
    def bounds(self) -> dict[str, Callable[..., Bound]]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Those of the depth class; none for other architectures, spectral balls, rotary or relative encodings."""
        a = self.architecture
        if not self._plain or a.ball == "spectral" or self.adversarial > 0:
            return {}
        return {
            "khintchine": khintchine,
            "U7-depth": partial(residual_depth, a.layers),
            "covering-depth": partial(residual_layers, a.layers),
        }

    @cached_property
    def statistics(self) -> dict[str, tuple[float, float]]:
        """Words of the bounds. frozen_energy is for khintchine: E sup >= (frozen_energy/2)^(1/2), unit read-out.

        It is (|x_T| + nu sum_h |a^h(0)|)^2 with norms over the sample: the class contains <u, x_T + sum_h V_h a^h(0)>
        (zero W, V of other layers, M2), of supremum |S_x| + nu sum_h |S^h|, each mean at least its norm/sqrt2. Without
        residual connections the first term is absent and only one layer without MLP is of use; adversarially, only
        the first term is (its form <u, x_T> + rho |u| has a mean supremum of at least E|S_x|).
        """
        a, tokens = self.architecture, self.tokens
        norms = np.linalg.norm(tokens, axis=2)
        least = float(np.linalg.norm(norms[:, -1])) if a.residual else 0.0
        error = 0.0
        if self.adversarial == 0 and (a.residual or (a.layers == 1 and not a.mlp_width)):
            values, biases = np.asarray(self._head.values), np.asarray(self._head.bias)
            outputs = np.einsum("ht,ntd->hnd", softmax_rows(biases), values)
            least += a.value_norm * float(np.linalg.norm(outputs, axis=(1, 2)).sum())
            size = float(np.linalg.norm(np.linalg.norm(values, axis=2).max(axis=1)))
            most = float(np.abs(biases[np.isfinite(biases)]).max())
            error = a.value_norm * a.heads * UNIT * (2 * sum(values.shape[1:]) + 20 + 8 * most) * size
        diameter = max(float(np.linalg.norm(x[:, None] - x[None], axis=2).max()) for x in tokens)
        exact = {
            "sample_size": len(tokens),
            "dim": a.dim,
            "readout_norm": self.constraints.readout_norm,
            "logit_norm": a.logit_norm,
            "value_norm": a.value_norm,
        }
        return {word: (float(value), float(value)) for word, value in exact.items()} | {
            "frozen_energy": (max(least / INFLATION - error, 0.0) ** 2, (least * INFLATION + error) ** 2),
            "token_norm": (float(norms.max()) / INFLATION, float(norms.max()) * INFLATION),
            "token_diameter": (diameter / INFLATION, diameter * INFLATION),
        }


def transformer_hypotheses(
    encoding: AbstractEncoding,
    tokens: Any,
    constraints: Constraints,
    architecture: Architecture,
    *,
    power: float | int | None = 1.0,
    adversarial: float = 0.0,
    first_head: int | None = None,
) -> TransformerHypotheses:
    """The class of `architecture` with `encoding` in every layer, on tokens (n, T, d); `power` and `first_head` as in
    `layer_features`.

    ValueError where sizes or heads do not fit, or the read-out ball is not l2.
    """
    features = layer_features(
        encoding,
        tokens,
        heads=architecture.heads,
        first_head=first_head,
        causal=architecture.causal,
        power=power,
    )
    return TransformerHypotheses(architecture, features, constraints, adversarial)
