"""Brackets of one head at several values of a variable, in arrays of one shape, so that one compiled search serves.

Samples beyond n get zero values, which add nothing to any sum; tokens of a shorter sequence are repeated equally often,
which leaves every attention output as it is; channels beyond d are zero. Statistics of bounds are those of the sample
without padding.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from estimators.bracket import Bracket, bracket, evaluate
from estimators.certificates import attained_mean
from estimators.estimate import Estimate
from estimators.features import read_out_query, template
from estimators.hypotheses import AbstractHeadHypotheses, Constraints, Effort
from estimators.hypotheses_query import head_hypotheses
from estimators.rates_statements import MAKERS
from estimators.samples import synthetic_sample
from estimators.supremum.certificates import INFLATION
from theory.encodings.base import AbstractEncoding

Tokens = Float64[np.ndarray, "n T d"]
Signs = Float64[np.ndarray, "k n"]
SLIP = 1e-15


@dataclass(frozen=True)
class Measured:
    """estimate: certified bracket of R_hat; its method is what gave the upper end. attained: mean attained value, an
    estimate without an error. values: bound -> its value on this sample."""

    estimate: Estimate
    attained: float
    values: dict[str, float]


@dataclass(frozen=True)
class HeadCase:
    """Where a head is measured. kind: frozen, query or bilinear. power: mean square of an additive table. used: samples
    that count. padded: (T, d) of the arrays, multiples of the T and not below the d of `tokens`."""

    kind: str
    tokens: Tokens
    encoding: AbstractEncoding
    used: int
    padded: tuple[int, int]
    power: float = 1.0
    logit_norm: float = 1.0

    def hypotheses(self) -> AbstractHeadHypotheses:
        keys, values, bias = map(np.asarray, template(self.encoding, self.tokens, power=self.power))
        repeats, missing = self.padded[0] // self.tokens.shape[1], self.padded[1] - self.tokens.shape[2]
        wider = ((0, 0), (0, 0), (0, missing))
        keys, values = (np.pad(np.repeat(array, repeats, axis=1), wider) for array in (keys, values))
        values[self.used :] = 0.0
        queries = np.pad(np.asarray(read_out_query(self.encoding, self.tokens, power=self.power)), wider[1:])
        constraints = Constraints(logit_norm=self.logit_norm)
        return head_hypotheses(self.kind, keys, values, np.repeat(bias, repeats), constraints, queries)

    def measure(
        self, signs: Signs, confidence: float, bounds: Iterable[str], *, enumerated: bool = False, gap: float = 0.01
    ) -> Measured:
        """R_hat of the first `used` samples, 1/`used` in front, and the values of these bounds (`MAKERS`)."""
        made = self.hypotheses()
        found = bracket(made, signs, enumerated=enumerated, confidence=confidence, effort=Effort(gap=gap))
        known, factor = self._statistics(made), len(self.tokens) / self.used
        values = {name: evaluate(MAKERS[name](), known) for name in bounds}
        return Measured(_scaled(found, factor), attained_mean(found) * factor, values)

    def _statistics(self, made: AbstractHeadHypotheses) -> dict[str, tuple[float, float]]:
        dim = self.tokens.shape[2]
        sizes = {"sample_size": self.used, "dim": dim, "logit_dim": dim**2 if self.kind == "bilinear" else dim}
        found = {word: (float(size), float(size)) for word, size in sizes.items()}
        for word, array in (("value_maximum", made.head.values), ("key_maximum", made.head.keys)):
            largest = float(np.linalg.norm(np.asarray(array), axis=2).max())
            found[word] = (largest / INFLATION, largest * INFLATION)
        return made.statistics | found


def _scaled(found: Bracket, factor: float) -> Estimate:
    one = found.estimate
    lower, upper = one.lower * factor * (1 - SLIP), one.upper * factor * (1 + SLIP)
    return Estimate(lower, upper, one.confidence, found.certificate)


def sphere(samples: int, length: int, dim: int, seed: int) -> Tokens:
    """Independent uniform unit vectors."""
    return synthetic_sample("sphere", samples=samples, length=length, dim=dim, seed=seed).tokens


def rotations(samples: int, length: int, dim: int, seed: int) -> Tokens:
    """X_i = Q_i X, independent uniform rotations Q_i of one sequence X of `sphere`. Norms, distances and weights, hence
    all statistics, are the same for every sample without encoding, with biases, and for d = 2 with rotary encodings."""
    base = sphere(1, length, dim, seed)[0]
    generator = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(1,))))
    q, r = np.linalg.qr(generator.standard_normal((samples, dim, dim)))
    q = q * np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :]  # uniform, for any convention of the factors
    q[:, :, 0] *= np.sign(np.linalg.det(q))[:, None]
    return np.einsum("tj,nij->nti", base, q)
