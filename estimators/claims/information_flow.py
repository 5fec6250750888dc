"""Claims of theory sections 6.2 and 6.3 about layers of networks and groups of contents."""

from collections.abc import Iterator

import numpy as np

from estimators.claim import Case, Claim
from estimators.information_flow import layer_information, replaced_content
from theory import information, information_flow


def replacements(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Random channels; a content that tells the position among M - 1 that do not, and the reverse."""
    for size in (2, 5, 20):
        nothing, all_of_it = [[1.0] * 4] * 4, (np.eye(4) + 1e-9).tolist()
        yield {"channels": [nothing] * size, "replacement": all_of_it}
        yield {"channels": [all_of_it] * size, "replacement": np.roll(all_of_it, 1, axis=0).tolist()}
        for _ in range(20 if thorough else 2):
            several = rng.dirichlet(np.full(5, 0.2), size=(size + 1, 4)) + 1e-12
            yield {"channels": several[1:].tolist(), "replacement": several[0].tolist()}


def rising(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Layers at which I is certified to rise: causal attention tells the position without an encoding."""
    for seed in range(3 if thorough else 1):
        yield {"encoding": "none", "layer": 0, "noise": 0.3, "seed": seed}
    yield {"encoding": "alibi", "layer": 0, "noise": 0.3}


def falling(rng: np.random.Generator, thorough: bool) -> Iterator[Case]:
    """Layers at which I is certified to fall: what attention adds covers the table."""
    for seed in (1, 2, 3) if thorough else (2,):
        yield {"encoding": "sinusoidal", "layer": 0, "noise": 1.0, "seed": seed}


CLAIMS: dict[str, Claim] = {
    "information-group-difference": Claim(
        information_flow.group_difference, replaced_content, replacements, free=("channels", "replacement")
    ),
    "information-never-rises-in-a-network": Claim(
        information.depth_never_raises, layer_information, rising, true=False
    ),
    "information-never-falls-in-a-network": Claim(
        information.depth_never_lowers, layer_information, falling, true=False
    ),
}
