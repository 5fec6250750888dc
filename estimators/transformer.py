"""The norm-bounded Transformer read at its last position, for every positional encoding in one compiled program.

Tokens x_s in R^d, s = 0 .. T-1 (with an additive encoding the input is x_s + p_s). Layer l = 1 .. L, heads h = 1 .. H:
  z = Norm(x^(l-1)),   alpha^h_sj = softmax_j(<z_s, W_lh kappa_sj> + b_h(s - j)),   j <= s if causal, else all j
  y_s = x_s + sum_h V_lh sum_j alpha^h_sj z_j,   x^l_s = y_s + M2_l relu(M1_l Norm(y)_s)  (the last if mlp_width > 0)
  f(X) = <u, x^L_T-1>,   |u|_2 <= B_u (the caller scales by B_u).
kappa_sj = z_j; rotary: R_(s-j) z_j; relative: z_j + r_(s-j). Norm is the identity, or RMSNorm without gain, Norm(x) =
x/(|x|^2/d + epsilon)^(1/2), so |Norm(x)| <= d^(1/2). Without residual connections "x_s +" and "y_s +" are dropped.
W, V (d x d), M1 (mlp_width x d), M2 (d x mlp_width) lie in balls of `estimators.supremum.norm_balls`. There is no
1/sqrt(d) in the logits and no W_O: W and V stand for the products of the usual factors W_Q^T W_K/sqrt(d_k) and W_O W_V;
`rank` with r = d/H is the usual head size (for rotary, W_K = I: R stands between W and z).

Letters: n samples, T tokens, d channels, L layers, H heads, m = mlp_width.
Source: Vaswani et al. 2017 (arXiv 1706.03762); RMSNorm: Zhang and Sennrich 2019 (arXiv 1910.07467).
"""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

from estimators.layer_features import Features, layer_features, rotated
from estimators.supremum.norm_balls import Kind, NormBall, norm_ball

__all__ = ["Architecture", "Features", "Parameters", "forward", "last_layer", "layer_features"]

Arrays = jax.Array | np.ndarray


class Wiring(NamedTuple):
    """What a compiled program depends on besides shapes. epsilon: inside the root of RMSNorm."""

    normalise: bool
    residual: bool
    epsilon: float


class Balls(NamedTuple):
    """The balls of W, V, M1 and M2, in the order of `Parameters`."""

    logits: NormBall
    values: NormBall
    mlp_in: NormBall
    mlp_out: NormBall


class Parameters(NamedTuple):
    """W and V of every layer and head, M1 and M2 of every layer (m = 0 rows without an MLP)."""

    logits: Float64[Arrays, "L H d d"]
    values: Float64[Arrays, "L H d d"]
    mlp_in: Float64[Arrays, "L m d"]
    mlp_out: Float64[Arrays, "L d m"]


@dataclass(frozen=True)
class Architecture:
    """The class: sizes, wiring and balls.

    logit_norm, value_norm, mlp_norm: radii of W, V and of both M1 and M2. `ball` holds for W and V; M1 and M2 lie in
    the spectral ball for `spectral`, else in the Frobenius ball. rank: of `rank` balls only; 0 means d/H.
    """

    dim: int
    layers: int = 1
    heads: int = 1
    mlp_width: int = 0
    normalise: bool = False
    residual: bool = True
    causal: bool = True
    ball: Kind = "frobenius"
    rank: int = 0
    logit_norm: float = 1.0
    value_norm: float = 1.0
    mlp_norm: float = 1.0
    epsilon: float = 1e-6

    def __post_init__(self) -> None:
        for word, least in (("dim", 1), ("layers", 1), ("heads", 1), ("mlp_width", 0), ("rank", 0)):
            if getattr(self, word) < least:
                flag = word.replace("_", "-")
                raise ValueError(f"{flag} must be at least {least}, got {getattr(self, word)}: use {flag}={least}")
        for word in ("logit_norm", "value_norm", "mlp_norm"):
            if not 0 <= getattr(self, word) < np.inf:
                flag = word.replace("_", "-")
                raise ValueError(
                    f"{flag} is the radius of a ball, got {getattr(self, word)}: use a finite number of at least 0"
                )
        if not 0 < self.epsilon < np.inf:
            raise ValueError(f"epsilon must be positive, got {self.epsilon}: use 1e-6")
        if self.ball == "rank" and self.rank == 0 and self.dim % self.heads:
            fitting = max(h for h in range(1, self.heads + 1) if self.dim % h == 0)
            raise ValueError(
                f"heads must divide dim for the default rank dim/heads, got dim {self.dim} and heads {self.heads}: "
                f"use heads={fitting}, or give rank"
            )
        if self.rank and self.ball != "rank":
            raise ValueError(f"rank={self.rank} is read by ball=rank only, got {self.ball}: use ball=rank or rank=0")
        _ = self.balls  # checks the name of the ball and the rank

    @property
    def wiring(self) -> Wiring:
        return Wiring(self.normalise, self.residual, self.epsilon)

    @property
    def balls(self) -> Balls:
        square, rank = (self.dim, self.dim), self.rank or self.dim // self.heads
        outer = "spectral" if self.ball == "spectral" else "frobenius"
        return Balls(
            norm_ball(self.ball, self.logit_norm, rank, square),
            norm_ball(self.ball, self.value_norm, rank, square),
            norm_ball(outer, self.mlp_norm, 0, (self.mlp_width, self.dim)),
            norm_ball(outer, self.mlp_norm, 0, (self.dim, self.mlp_width)),
        )

    def describe(self) -> str:
        """One line for people."""
        norm = {"frobenius": "|{}|_F <= {:g}", "spectral": "|{}|_op <= {:g}", "rank": "|{}|_F <= {:g}"}[self.ball]
        parts = [
            f"{self.layers} layer{'s' * (self.layers > 1)}, {self.heads} head{'s' * (self.heads > 1)}",
            "residual" if self.residual else "no residual connections",
            "causal" if self.causal else "not causal",
            norm.format("W", self.logit_norm),
            norm.format("V", self.value_norm),
        ]
        parts += [f"rank <= {self.rank or self.dim // self.heads}"] * (self.ball == "rank")
        parts += [f"MLP of width {self.mlp_width}, norms <= {self.mlp_norm:g}"] * (self.mlp_width > 0)
        return ", ".join(parts + ["RMSNorm"] * self.normalise)

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the fields of `Parameters`."""
        square = (self.layers, self.heads, self.dim, self.dim)
        return square, square, (self.layers, self.mlp_width, self.dim), (self.layers, self.dim, self.mlp_width)


def check(architecture: Architecture, features: Features) -> None:
    """ValueError where features were made for another architecture."""
    heads, length = features.bias.shape[:2]
    if features.tokens.shape[2] != architecture.dim:
        raise ValueError(
            f"tokens have dim {features.tokens.shape[2]}, the architecture {architecture.dim}: use the same dim"
        )
    masked = length > 1 and bool(np.isneginf(features.bias[0, 0, 1]))
    if heads != architecture.heads or (length > 1 and masked != architecture.causal):
        raise ValueError(
            f"features were made for heads={heads}, causal={masked}: make them with heads={architecture.heads}, "
            f"causal={architecture.causal}"
        )


def normalised(wiring: Wiring, x):
    """Norm along the last axis."""
    if not wiring.normalise:
        return x
    return x / jnp.sqrt(jnp.mean(x**2, axis=-1, keepdims=True) + wiring.epsilon)


def attend(wiring: Wiring, features: Features, logits, values, x, *, last: bool):
    """sum_h V_h sum_j alpha_sj z_j at every position (n, T, d), or at the last one (n, 1, d)."""
    z = normalised(wiring, x)
    length = x.shape[1]
    seen = slice(length - 1, length) if last else slice(None)
    query = jnp.einsum("nsd,hde->nshe", z[:, seen], logits)
    keys = rotated(features, z, slice(None), back=True)
    scores = jnp.einsum("nshe,nje->nshj", rotated(features, query, seen, back=True), keys)

    def shift(query):
        offsets = np.subtract.outer(np.arange(length)[seen], np.arange(length)) + length - 1
        return jnp.einsum("nshe,sje->nshj", query, features.relative[offsets])

    moved = jax.lax.cond(features.shifted, shift, lambda query: jnp.zeros_like(scores), query)
    weights = jax.nn.softmax(scores + moved + features.bias[:, seen].transpose(1, 0, 2), axis=-1)
    mixed = jnp.einsum("nshj,njd->nshd", weights, z)
    return jnp.einsum("nshd,hed->nse", mixed, values)


def _layer(wiring: Wiring, features: Features, parameters: Parameters, layer: int, x, *, last: bool):
    logits, values, mlp_in, mlp_out = (block[layer] for block in parameters)
    y = attend(wiring, features, logits, values, x, last=last)
    if wiring.residual:
        y = y + (x[:, -1:] if last else x)
    if mlp_in.shape[0] == 0:
        return y
    hidden = jax.nn.relu(normalised(wiring, y) @ mlp_in.T) @ mlp_out.T
    return y + hidden if wiring.residual else hidden


def entering(wiring: Wiring, features: Features, parameters: Parameters):
    """x^(L-1) (n, T, d): what enters the last layer."""
    x = features.tokens
    for layer in range(parameters.logits.shape[0] - 1):
        x = _layer(wiring, features, parameters, layer, x, last=False)
    return x


def outputs(wiring: Wiring, features: Features, parameters: Parameters):
    """x^L at the last position (n, d); the last layer is evaluated there only."""
    x = entering(wiring, features, parameters)
    return _layer(wiring, features, parameters, parameters.logits.shape[0] - 1, x, last=True)[:, 0]


class LastHead(NamedTuple):
    """The last layer with everything below it frozen: logits <queries_i, W_h keys_ij> + bias_hj, values z_ij."""

    tokens: Float64[Arrays, "n d"]
    queries: Float64[Arrays, "n d"]
    keys: Float64[Arrays, "n T d"]
    values: Float64[Arrays, "n T d"]
    bias: Float64[Arrays, "H T"]


def last_layer(architecture: Architecture, features: Features, parameters: Parameters) -> LastHead:
    """The bilinear heads of the last layer for given lower layers (those of `parameters`; its last layer is not read).

    With residual connections and no MLP, for every sign vector eps and radius nu of V,
      max_(V, u) |<u, sum_i eps_i x^L_i>| = |sum_i eps_i tokens_i| + nu sum_h |S^h_eps(W_h)|,
      S^h_eps(W) = sum_i eps_i sum_j softmax_j(<queries_i, W keys_ij> + bias_hj) values_ij,
    in all three balls: the triangle inequality, attained by V_h = nu v S_h^T/|S_h| of rank one, v = sum eps x/|.|.
    Without residual connections the first term is absent. Derived in this project.
    """
    check(architecture, features)
    x = entering(architecture.wiring, features, parameters)
    z = normalised(architecture.wiring, x)
    length = x.shape[1]
    last = slice(length - 1, length)
    keys = rotated(features, z, slice(None), back=True)
    # <R_-s W^T z_s, R_-j z_j> = <z_s, W R_(s-j) z_j>: turn the keys forward by the last position.
    angles = features._replace(
        cosine=jnp.broadcast_to(features.cosine[last], features.cosine.shape),
        sine=jnp.broadcast_to(features.sine[last], features.sine.shape),
    )
    keys = rotated(angles, keys, slice(None), back=False)
    return LastHead(x[:, -1], z[:, -1], keys + features.relative[length - 1 :][::-1], z, features.bias[:, -1])


def forward(architecture: Architecture, features: Features, parameters: Parameters) -> Float64[jax.Array, "n d"]:
    """x^L at the last position of every sample. ValueError where shapes do not fit."""
    check(architecture, features)
    for name, block, shape in zip(Parameters._fields, parameters, architecture.shapes, strict=True):
        if block.shape != shape:
            raise ValueError(f"{name} must have shape {shape}, got {block.shape}")
    return _forward(architecture.wiring, features, parameters)


_forward = jax.jit(outputs, static_argnums=0)
