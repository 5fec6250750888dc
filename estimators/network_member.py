"""One network with its encoding, at any length: random at its initialisation, or one member of a trained ensemble."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int

from estimators.network import Network, Positions, outputs
from estimators.network_positions import Numbers, initial_numbers, network_encoding, positions, trainable
from estimators.network_weights import Weights, initial_weights, network_of
from theory.encodings import specification
from theory.encodings.base import AbstractEncoding

Array = np.ndarray


@dataclass(frozen=True)
class Model:
    """Sizes of a network. outputs: classes, or 1 where it predicts numbers. mlp_width 0: no MLP. power: mean |p|^2 of
    additive tables and relative vectors over the training length; token embeddings start at mean |E_a|^2 = 1."""

    symbols: int
    outputs: int
    dim: int = 32
    layers: int = 2
    heads: int = 4
    mlp_width: int = 64
    causal: bool = True
    power: float = 1.0

    def __post_init__(self) -> None:
        for word, least in (("symbols", 1), ("outputs", 1), ("dim", 1), ("layers", 1), ("heads", 1), ("mlp_width", 0)):
            if getattr(self, word) < least:
                raise ValueError(f"{word} must be at least {least}, got {getattr(self, word)}: use {word}={least}")
        if self.dim % self.heads:
            fitting = max(h for h in range(1, self.heads + 1) if self.dim % h == 0)
            raise ValueError(f"heads must divide dim, got dim {self.dim} and heads {self.heads}: use heads={fitting}")
        if not 0 < self.power < np.inf:
            raise ValueError(f"power must be a positive number, got {self.power}: use power=1")


@dataclass(frozen=True, eq=False)
class Member:
    """A network with its encoding. `seed` made its first matrices; `steps` counts its training steps, 0 if random."""

    model: Model
    encoding: AbstractEncoding
    network: Network
    numbers: Numbers
    seed: int = 0
    steps: int = 0

    @property
    def specification(self) -> str:
        return specification(self.encoding)

    def positions(self, length: int) -> Positions:
        """What the encoding contributes at `length` tokens; ValueError where it is not defined there."""
        model = self.model
        numbers = self.numbers if trainable(self.encoding) else None
        sizes = {"dim": model.dim, "heads": model.heads, "causal": model.causal, "power": model.power}
        return positions(self.encoding, length, numbers=numbers, **sizes)

    def outputs(self, inputs: Int[Array, "n T"]) -> Float64[Array, "n T O"]:
        """The output at every position, in float64."""
        return outputs(self.network, self.positions(np.asarray(inputs).shape[1]), inputs)


def initial_network(model: Model, numbers: Numbers, seed: int) -> Network:
    """The network of `seed` before training (`estimators.network_weights.initial_weights`)."""
    return network_of(start(model, numbers, seed), model.heads)


def start(model: Model, numbers: Numbers, seed: int) -> Weights:
    """The weights of `seed` before training."""
    sizes = {word: getattr(model, word) for word in ("symbols", "outputs", "dim", "layers", "mlp_width")}
    return initial_weights(**sizes, numbers=numbers, seed=seed)


def random_member(
    encoding: str, model: Model, *, train_length: int, seed: int = 0, beyond: str | None = None
) -> Member:
    """The network of `seed` before training, with the encoding `NAME[:key=value,...]`."""
    sizes = {"dim": model.dim, "heads": model.heads, "train_length": train_length, "causal": model.causal}
    made = network_encoding(encoding, beyond=beyond, **sizes)
    numbers = initial_numbers(made, dim=model.dim, heads=model.heads, power=model.power)
    return Member(model, made, initial_network(model, numbers, seed), numbers, seed)
