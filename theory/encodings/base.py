"""The kinds of positional encoding: what a formula is asked for, and what every encoding must say about
itself.

Positions, distances and channels are 0-based. A formula is read at an exact SymPy number, or at a symbol
where a closed form exists; an encoding given by a table has none and says so.
"""

import operator
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import sympy as sp

from theory.encodings.exact import accepted, convert, field_types, rational

Beyond = Literal["extend", "clip", "rescale", "refuse"]
BEYOND: tuple[str, ...] = get_args(Beyond)

PROPERTIES: dict[str, str] = {
    "toeplitz": "interactions of two positions depend on their difference only (Gram matrix, bias, rotation)",
    "shift-equivariant": "one linear map sends p(t) to p(t+1) for every training position t",
    "orthogonal-columns": "distinct channels are orthogonal on the training positions",
    "orthonormal-columns": "channels are orthonormal on the training positions",
    "centred": "every channel sums to zero over the training positions",
    "flat-spectrum": "the centred covariance of p over the training positions is c I with c > 0",
    "constant-norm": "|p(t)| is the same at every training position (rotary: rotations keep norms)",
    "injective": "distinct training positions (distances) are encoded differently",
    "monotone": "the bias never increases with the distance",
}
"""Words an encoding may use in `properties`, each decidable on arrays (of two channels or more) up to rounding."""


@dataclass(frozen=True, kw_only=True)
class AbstractEncoding(ABC):
    """An encoding of positions 0 .. train_length-1 for tokens with `dim` channels.

    `beyond` says how a position t of a sequence of `length` > `train_length` = N is read:
    extend: the formula at t; clip: at min(t, N-1); rescale: at t (N-1)/(length-1), which maps the last
    position to the last trained one; refuse: ValueError. A distance is treated like a position, with its sign
    kept.
    """

    name: ClassVar[str]
    rules: ClassVar[tuple[str, ...]] = BEYOND
    undecided: ClassVar[frozenset[str]] = frozenset()
    dim: int
    train_length: int
    beyond: Beyond = "extend"

    def __post_init__(self) -> None:
        for key, hint in field_types(type(self)).items():
            value = getattr(self, key)
            if key == "beyond" and value not in self.rules:
                raise ValueError(f"{self.name} has no rule beyond={value}: use one of {', '.join(self.rules)}")
            try:
                object.__setattr__(self, key, convert(value, hint))
            except (TypeError, ValueError):
                raise ValueError(f"{self.name}: {key} must be {accepted(hint)}, got {value!r}") from None
        for key in ("dim", "train_length", "heads"):
            if getattr(self, key, 1) < 1:
                raise ValueError(
                    f"{self.name}: {key} must be at least 1, got {getattr(self, key)}: use {key}=1 or more"
                )
        if self.beyond == "rescale" and self.train_length < 2:
            raise ValueError(
                f"{self.name}: beyond=rescale needs train_length of at least 2, got 1: use beyond="
                + next(rule for rule in self.rules if rule != "rescale")
            )
        self._validate()

    def _validate(self) -> None:  # noqa: B027 - most kinds have nothing to check
        """Check the parameters of the kind; ValueError that advises."""

    def _require(self, condition: object, message: str) -> None:
        if not condition:
            raise ValueError(f"{self.name}: {message}")

    @property
    @abstractmethod
    def properties(self) -> frozenset[str]:
        """The words of `PROPERTIES` that hold for these parameters; absent ones fail, except those in
        `undecided`."""

    def position(self, t: Any, length: int) -> sp.Rational:
        """The exact position (or signed distance) at which the formula is read for t in a sequence of
        `length`."""
        t, last = rational(t), sp.Integer(self.train_length - 1)
        if length <= self.train_length or self.beyond == "extend":
            return t
        if self.beyond == "clip":
            return max(-last, min(t, last))
        if self.beyond == "rescale":
            return t * last / (length - 1)
        others = [f"beyond={rule}" for rule in self.rules if rule in ("clip", "extend")][:1]
        raise ValueError(
            f"{self.name} is defined for {self.train_length} positions, got length {length}: "
            f"use {', or '.join([*others, f'train_length={length}'])}"
        )


class AbstractAdditiveEncoding(AbstractEncoding):
    """Vectors p(t) in R^dim added to the token at position t."""

    @abstractmethod
    def feature(self, t: Any, k: int) -> sp.Expr:
        """p_k(t): channel k of the vector at position t."""

    def _channel(self, k: int) -> int:
        if not 0 <= k < self.dim:
            raise ValueError(f"{self.name} has channels 0 to {self.dim - 1}, got {k}: use dim={k + 1} or more")
        return operator.index(k)


@dataclass(frozen=True, kw_only=True)
class AbstractBiasEncoding(AbstractEncoding):
    """Numbers b_h(i - j) added to the attention logit of query i and key j in head h; a negative distance is
    a key after its query."""

    heads: int = 8

    @abstractmethod
    def bias(self, distance: Any, head: int, query: Any = None) -> sp.Expr:
        """b_head(distance). Only FIRE reads `query`, the position i."""

    def _head(self, head: int) -> int:
        if not 0 <= head < self.heads:
            raise ValueError(f"{self.name} has heads 0 to {self.heads - 1}, got {head}: use heads={head + 1} or more")
        return operator.index(head)


class AbstractRotaryEncoding(AbstractEncoding):
    """Angles theta_k: channel pair k of the token at position t is turned by t theta_k."""

    @abstractmethod
    def angle(self, k: int) -> sp.Expr:
        """theta_k in radians per position, k = 0 .. dim/2 - 1."""

    @abstractmethod
    def pair(self, k: int) -> tuple[int, int]:
        """The two channels that theta_k turns, counter-clockwise from the first to the second."""


class AbstractRelativeEncoding(AbstractEncoding):
    """Vectors r(i - j) in R^dim added to the key j seen from the query i."""

    @abstractmethod
    def feature(self, offset: Any, k: int) -> sp.Expr:
        """r_k(offset): channel k of the vector for the offset i - j."""


Encoding = AbstractEncoding


def require_number(encoding: AbstractEncoding, value: Any) -> sp.Rational:
    """`value` as an exact rational; ValueError for a symbol, where `encoding` has no closed form."""
    value = sp.sympify(value)
    if not isinstance(value, sp.Rational):
        raise ValueError(
            f"{encoding.name} is given by a table, not by a closed form: use a rational number, not {value}"
        )
    return value


def orthonormal_properties(columns: int, dim: int, rows: int, *, centred: bool) -> frozenset[str]:
    """What `columns` existing orthonormal columns (the others zero) on `rows` positions imply."""
    held = {"orthogonal-columns"}
    if dim <= columns:
        held |= {"orthonormal-columns", "centred", "flat-spectrum"} if centred else {"orthonormal-columns"}
    elif centred:
        held |= {"centred"}
    if min(columns, dim) >= rows - centred:
        # Rows are then orthonormal, or have Gram matrix I - 1/N when the constant is removed.
        held |= {"toeplitz", "shift-equivariant", "constant-norm", "injective"}
    return frozenset(held)


def power_of_two_above(n: int) -> int:
    """The least power of two that is at least n."""
    return 1 << (n - 1).bit_length()
