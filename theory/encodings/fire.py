"""FIRE: a small network of the interpolated distance."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import sympy as sp

from theory.encodings.base import AbstractBiasEncoding
from theory.encodings.draw import uniforms
from theory.encodings.exact import rational

Weights = tuple[sp.Rational, ...]


@dataclass(frozen=True, kw_only=True)
class Fire(AbstractBiasEncoding):
    """b_h(i, D) = MLP_h(psi(|D|) / psi(max(L, i))), psi(x) = log(c x + 1), c = `scale`, L = `threshold`, i
    the query.

    MLP: 1 -> `width` -> heads with ReLU between, trainable; here its weights and offsets are drawn from
    `seed`, uniform on +-1 (first layer) and on +-1/sqrt(width) (second), PyTorch's default. The official code
    adds 1e-6 to psi(max(L, i)) against division by zero; L > 0 makes that needless. `query` = None means a
    query at or below the threshold.
    Properties: Toeplitz iff every training query is at or below L. Beyond the training length the
    interpolation, its purpose, goes on. Source: Li et al., "Functional Interpolation for Relative Positions
    Improves Long Context Transformers", arXiv 2310.04418 (c = 0.1, L = 512, width 32 at initialisation).
    """

    name: ClassVar[str] = "fire"
    rules: ClassVar[tuple[str, ...]] = ("extend", "refuse")
    undecided: ClassVar[frozenset[str]] = frozenset({"injective", "monotone"})
    scale: sp.Rational = field(default=rational(1, 10))
    threshold: sp.Rational = field(default=rational(512))
    width: int = 32
    seed: int = 0

    def _validate(self) -> None:
        self._require(self.scale > 0, f"scale must be positive, got {self.scale}: use scale=0.1")
        self._require(self.threshold > 0, f"threshold must be positive, got {self.threshold}: use threshold=512")
        self._require(self.width > 0, f"width must be positive, got {self.width}: use width=32")

    @property
    def properties(self) -> frozenset[str]:
        return frozenset({"toeplitz"} if self.train_length - 1 <= self.threshold else ())

    def layers(self) -> tuple[Weights, Weights, tuple[Weights, ...], Weights]:
        """(first weights, first offsets, second weights by head, second offsets); the second layer's are in
        units of 1/sqrt(width)."""
        width = self.width
        draws = [rational(2 * u - 1) for u in uniforms(self.name, self.seed, 2 * width + self.heads * (width + 1))]
        second = draws[2 * width :]
        rows = tuple(tuple(second[head * width : (head + 1) * width]) for head in range(self.heads))
        return (
            tuple(draws[:width]),
            tuple(draws[width : 2 * width]),
            rows,
            tuple(second[self.heads * width :]),
        )

    def psi(self, x: Any) -> sp.Expr:
        """log(c x + 1)."""
        return sp.log(self.scale * sp.sympify(x) + 1)

    def bias(self, distance: Any, head: int, query: Any = None) -> sp.Expr:
        head = self._head(head)
        query = self.threshold if query is None else sp.Max(self.threshold, sp.sympify(query))
        x = self.psi(sp.Abs(sp.sympify(distance))) / self.psi(query)
        weights, offsets, rows, last = self.layers()
        hidden = [sp.Max(0, w * x + b) for w, b in zip(weights, offsets, strict=True)]
        total = sp.Add(last[head], *[w * h for w, h in zip(rows[head], hidden, strict=True)])
        return total / sp.sqrt(self.width)
