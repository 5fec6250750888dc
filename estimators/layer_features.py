"""What every layer of a Transformer needs to know of a positional encoding, as arrays.

One compiled program serves every encoding: additive tables are added to the tokens; biases, angles and relative vectors
are arrays that are zero where an encoding has none.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float64

from estimators.feature_forms import relative_form
from estimators.features import additive_table, bias_matrix, relative_table, rotation_angles
from theory.encodings.base import (
    AbstractAdditiveEncoding,
    AbstractBiasEncoding,
    AbstractEncoding,
    AbstractRelativeEncoding,
    AbstractRotaryEncoding,
)

Arrays = jax.Array | np.ndarray


class Features(NamedTuple):
    """Tokens and encoding as arrays, so that one compiled program serves every encoding.

    bias holds -inf where query s must not see key j. cosine and sine are of the angles of position s, once per
    channel; partner (d x d, entries -1, 0, 1) turns by a right angle in every pair: R_s x = cosine_s x + sine_s
    (partner x). Row T-1+D of `relative` is r_D. turned, shifted: whether rotations or relative
    vectors are in use at all.
    """

    tokens: Float64[Arrays, "n T d"]
    bias: Float64[Arrays, "H T T"]
    cosine: Float64[Arrays, "T d"]
    sine: Float64[Arrays, "T d"]
    partner: Float64[Arrays, "d d"]
    relative: Float64[Arrays, "offsets d"]
    turned: Bool[Arrays, ""]
    shifted: Bool[Arrays, ""]


def layer_features(
    encoding: AbstractEncoding,
    tokens: Any,
    *,
    heads: int,
    first_head: int | None = None,
    causal: bool = True,
    power: float | int | None = 1.0,
) -> Features:
    """What every layer of a Transformer with `heads` heads needs to know of `encoding` on tokens (n, T, d).

    first_head: take the biases of this head of the encoding and the next ones; None takes all and asks for as many
    heads as the Transformer has. `power` as in `estimators.features.template`. ValueError where sizes or heads do not
    fit.
    """
    x = np.asarray(tokens, dtype=np.float64)
    if x.ndim != 3 or 0 in x.shape:
        raise ValueError(f"tokens must have shape (n, T, d), n, T, d >= 1, got {x.shape}: use tokens[None] for one")
    if not np.isfinite(x).all():
        raise ValueError("tokens must be finite, got NaN or infinity: clean the sample first")
    _, length, dim = x.shape
    if dim != encoding.dim:
        raise ValueError(f"{encoding.name} has dim {encoding.dim}, tokens have {dim}: use dim={dim}")
    for t in range(length):
        encoding.position(t, length)  # refuses lengths that the encoding refuses
    bias = np.zeros((heads, length, length))
    cosine, sine, partner = np.ones((length, dim)), np.zeros((length, dim)), np.zeros((dim, dim))
    relative = np.zeros((2 * length - 1, dim))
    if isinstance(encoding, AbstractAdditiveEncoding):
        x = x + np.asarray(additive_table(encoding, length, power=power))
    elif isinstance(encoding, AbstractRelativeEncoding):
        relative = _offset_table(encoding, length, power)
    elif isinstance(encoding, AbstractRotaryEncoding):
        angles = np.asarray(rotation_angles(encoding, length))
        for k in range(dim // 2):
            first, second = encoding.pair(k)
            partner[second, first], partner[first, second] = 1.0, -1.0
            cosine[:, [first, second]] = np.cos(angles[:, k : k + 1])
            sine[:, [first, second]] = np.sin(angles[:, k : k + 1])
    elif isinstance(encoding, AbstractBiasEncoding):
        if first_head is None and encoding.heads != heads:
            raise ValueError(f"{encoding.name} has {encoding.heads} heads, the Transformer {heads}: use heads={heads}")
        first = first_head or 0
        if not 0 <= first <= encoding.heads - heads:
            raise ValueError(
                f"{encoding.name} has {encoding.heads} heads, the Transformer needs {heads} from head {first} on: use "
                f"heads={first + heads} or more"
            )
        bias = np.asarray(bias_matrix(encoding, length, causal=causal))[first : first + heads]
    if causal:
        bias = np.where(np.tri(length, dtype=bool), bias, -np.inf)
    arrays = (x, bias, cosine, sine, partner, relative)
    flags = isinstance(encoding, AbstractRotaryEncoding), isinstance(encoding, AbstractRelativeEncoding)
    return Features(*map(jnp.asarray, arrays), *map(jnp.asarray, flags))


def _offset_table(encoding: AbstractRelativeEncoding, length: int, power: float | int | None) -> np.ndarray:
    """Row length-1+D is r_D, D = 1-length .. length-1, scaled as `relative_table` scales the rows D >= 0."""
    offsets = [encoding.position(offset, length) for offset in range(1 - length, length)]
    table, raw, scaled = (
        relative_form(encoding, offsets),
        *(np.linalg.norm(relative_table(encoding, length, power=p)) for p in (None, power)),
    )
    return table * (scaled / raw if raw > 0 else 1.0)


def rotated(features: Features, x, rows, *, back: bool):
    """x turned by the angles of its positions, backwards if `back`; rows selects the positions of the second axis."""
    sign = -1.0 if back else 1.0
    middle = (slice(None), *[None] * (x.ndim - 3)) if x.ndim > 2 else ()

    def turn(x):
        cosine, sine = features.cosine[rows], sign * features.sine[rows]
        return x * cosine[middle] + (x @ features.partner.T) * sine[middle]

    return jax.lax.cond(features.turned, turn, lambda x: x, x)
