"""No encoding: positions enter through a causal mask at most."""

from dataclasses import dataclass
from typing import ClassVar

from theory.encodings.base import AbstractEncoding


@dataclass(frozen=True, kw_only=True)
class NoEncoding(AbstractEncoding):
    """Keys and values are the tokens, the bias is 0 (NoPE).

    Properties: interactions do not depend on positions at all, so they are Toeplitz; not injective.
    Beyond the training length nothing changes. Source: Haviv et al. 2022 (arXiv 2203.16634).
    """

    name: ClassVar[str] = "none"
    rules: ClassVar[tuple[str, ...]] = ("extend", "refuse")

    @property
    def properties(self) -> frozenset[str]:
        return frozenset({"toeplitz"})
