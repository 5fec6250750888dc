"""U7 for Transformers of any depth: parameter gradients by norm recursions, then Gaussian comparison; and U1.

Class, pre-norm, for tokens x (T, d) of one sample, read at the last position with |u|_2 <= 1; additive tables are
already in the tokens. With N the identity or RMSNorm, N(x) = x/(|x|^2/d + eps)^(1/2), every layer is
  x_s <- [x_s +] sum_h V_h sum_j softmax_j((A_s N_s)^T W_h (B_sj N_j + k_sj) + b_hsj) (N_j + v_sj),
  x_s <- [x_s +] M2 relu(M1 N(x_s)),   M1 (m, d), M2 (d, m), if there is an MLP;
A, B isometries (rotary), |k_sj|, |v_sj| bounded (relative tables), b any bias or mask per head, [.] with residuals.
f = <u, x_T>, or <u, N(x_T)>. Each matrix lies in its own ball of radius R: Frobenius, spectral, or Frobenius with rank
at most r; so its operator norm is at most R, also on the hull. om, nu: radii of W, V; mu1, mu2 of M1, M2.

Theorem (derived in this project). E sup sum_i eps_i f_i <= min{ sum_i q_i, F(q), (sum |x_iT|^2)^(1/2) + min(F(m),
sum_i m_i) }, the last only with residuals and no final norm, F(p) = sqrt(pi/2) ((|p| m_d)^(2/3) + sum_b (Lam_b
omega_b)^(2/3))^(3/2), Lam_b^2 = sum_i sup |d x_iT / d b|^2, omega_b Gaussian widths (`theory.widths`), q_i >=
|output|, m_i >= |output - x_iT|. Recursions, for all positions (r, delta) and for a position p in particular (r_p,
delta_p), p = T or any: rho = sup |N|,
  att <= rho_v = rho + |v|,   |d att / d W_h| <= rho_v rho_p rho_k, rho_k = rho + |k|,   |d / d V_h| <= rho_v,
  |d att| <= delta (1 + om rho_v rho_p) + om rho_v rho_k delta_p for a change of the N_j by delta and of N_p by delta_p,
  MLP: mu2 mu1 rho_p; derivatives mu2 rho_p (M1), mu1 rho_p (M2), Lipschitz mu2 mu1.
RMSNorm: |N(x)| = |x|/(|x|^2/d + eps)^(1/2), increasing in |x|; Lipschitz (a^2/d + eps)^(-1/2) on |x| >= a (Jacobian
(I - x x^T/(d s^2))/s, s^2 = |x|^2/d + eps; nothing between two points leaves the bound, since gradients are chained at
one parameter). a shrinks by the size of each residual branch and is 0 without residuals.
Proof. d mean = sum alpha dv + Cov_alpha(v, dlogit), |Cov(e.v, t)| <= sd sd <= (half range)(half range) <= rho_v sup|t
- c|. Gradients are bounded on the convex hull of the parameters, so they bound increments; relu is 1-Lipschitz and its
kinks have measure zero on almost every segment. <u, x_T> is separated exactly: E sup_u sum eps_i <u, x_iT> <=
(sum|x_iT|^2)^(1/2). Adversarial: F_i(theta) = max (or min) of f_theta(x + delta) over |delta_s| <= adversarial. Its
increments are at most the sup of gradients over those inputs, and |F_i - <u, x_iT>| <= m_i with |delta| counted in
m_i: the same bound with all norms |x_s| + adversarial.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float64

from theory import widths

# "frobenius", "spectral", or the rank r of a Frobenius ball of matrices of rank at most r.
MatrixBall = Literal["frobenius", "spectral"] | int
INFLATION = 1 + 1e-9


@dataclass(frozen=True)
class DepthUpper:
    """value: certified upper bound of E sup sum_i eps_i f_i; certificate: its name; parts: every term.

    sizes: q_i >= |output| for every sample; moved: m_i >= |output - x_iT| with residuals and no final norm, else q_i.
    Both hold for perturbed inputs where the class is adversarial.
    """

    value: float
    certificate: str
    parts: dict[str, float]
    sizes: Float64[np.ndarray, " n"]
    moved: Float64[np.ndarray, " n"]


class Pair(NamedTuple):
    """A bound for every position and a bound for the last one, each (n,)."""

    every: Float64[np.ndarray, " n"]
    last: Float64[np.ndarray, " n"]

    def map(self, function) -> "Pair":
        return Pair(function(self.every), function(self.last))


def ball_width(ball: MatrixBall, radius: float, rows: int, columns: int) -> float:
    """Upper bound of the Gaussian width of a ball of rows x columns matrices."""
    if ball == "spectral":
        bound, more = widths.spectral_ball(), {}
    elif ball == "frobenius" or (isinstance(ball, int) and ball >= min(rows, columns)):
        return radius * float(widths.gaussian_norm_mean(rows * columns).evalf(17))
    elif isinstance(ball, int) and ball >= 1:
        bound, more = widths.frobenius_low_rank(), {"rank": ball}
    else:
        raise ValueError(f"ball must be 'frobenius', 'spectral' or a rank of at least 1, got {ball!r}")
    return radius * bound.evaluate(parameter_norm=1, rows=rows, columns=columns, **more)


class _State(NamedTuple):
    """Sup and inf norms, displacement of the last token, and per block (count, width, Pair of gradient bounds)."""

    size: Pair
    least: Pair
    moved: Float64[np.ndarray, " n"]
    blocks: dict[str, tuple[int, float, Pair]]


def _normalised(state: _State, dim: int, epsilon: float | None) -> tuple[Pair, Pair]:
    """Sup of |N| and Lipschitz constant of N."""
    if epsilon is None:
        return state.size, state.size.map(np.ones_like)
    return (
        state.size.map(lambda r: r / np.sqrt(r**2 / dim + epsilon)),
        state.least.map(lambda a: 1 / np.sqrt(a**2 / dim + epsilon)),
    )


def _advance(state: _State, residual: bool, output: Pair, carried: dict[str, Pair], fresh: dict) -> _State:
    """x <- [x +] branch, where the branch has norms `output` and gradients `carried` and, for new blocks, `fresh`."""
    if residual:
        blocks = {
            name: (count, width, Pair(old.every + carried[name].every, old.last + carried[name].last))
            for name, (count, width, old) in state.blocks.items()
        }
        size = Pair(state.size.every + output.every, state.size.last + output.last)
        least = Pair(np.maximum(state.least.every - output.every, 0.0), np.maximum(state.least.last - output.last, 0.0))
    else:
        blocks = {name: (count, width, carried[name]) for name, (count, width, _) in state.blocks.items()}
        size, least = output, output.map(np.zeros_like)
    return _State(size, least, state.moved + output.last, blocks | fresh)


def depth_upper(
    tokens: Float64[np.ndarray, "n T d"],
    *,
    layers: int,
    heads: int = 1,
    value_radius: float,
    logit_radius: float,
    value_ball: MatrixBall = "frobenius",
    logit_ball: MatrixBall = "frobenius",
    residual: bool = True,
    mlp_width: int = 0,
    mlp_radii: tuple[float, float] = (0.0, 0.0),
    mlp_ball: MatrixBall = "frobenius",
    norm_epsilon: float | None = None,
    final_norm: bool = False,
    key_table: float = 0.0,
    value_table: float = 0.0,
    adversarial: float = 0.0,
) -> DepthUpper:
    """Least of U1 and U7, with and without the residual path, for any mask, bias or rotary encoding.

    value_radius, logit_radius: of every V_h and W_h (logits q^T W k, no further scale); mlp_radii of (M1, M2), used if
    mlp_width > 0; norm_epsilon: of RMSNorm before every sub-layer, None for no norm; key_table, value_table: largest
    norm of relative vectors added to keys and values; adversarial: radius of the perturbation of every token.
    """
    tokens = np.asarray(tokens, dtype=np.float64)
    reach = (value_radius, logit_radius, *mlp_radii, key_table, value_table, adversarial)
    if layers < 1 or heads < 1 or mlp_width < 0 or not all(np.isfinite(v) and v >= 0 for v in reach):
        raise ValueError(
            f"layers {layers}, heads {heads} must be at least 1, mlp_width {mlp_width} and radii {reach} finite and at "
            "least 0: correct the sizes"
        )
    if not np.isfinite(tokens).all() or (norm_epsilon is not None and not norm_epsilon > 0):
        raise ValueError(f"tokens must be finite and norm_epsilon ({norm_epsilon}) above 0: use None for no norm")
    if final_norm and norm_epsilon is None:
        raise ValueError("final_norm needs norm_epsilon: pass the epsilon of RMSNorm")
    dim = tokens.shape[2]
    norms = np.linalg.norm(tokens, axis=2)
    last = norms[:, -1]
    state = _State(
        Pair(norms.max(axis=1) + adversarial, last + adversarial),
        Pair(np.maximum(norms.min(axis=1) - adversarial, 0), np.maximum(last - adversarial, 0)).map(
            lambda a: a * (1 - 1e-12)
        ),
        np.full(len(tokens), float(adversarial)),
        {},
    )
    value_width, logit_width = ball_width(value_ball, 1.0, dim, dim), ball_width(logit_ball, 1.0, dim, dim)
    nu, om, (mu1, mu2) = value_radius, logit_radius, mlp_radii
    with np.errstate(over="ignore", invalid="ignore"):
        for layer in range(layers):
            rho, slope = _normalised(state, dim, norm_epsilon)
            rho_v, rho_k = rho.every + value_table, rho.every + key_table
            carried = {}
            for name, (_, _, pair) in state.blocks.items():
                inner = Pair(slope.every * pair.every, slope.last * pair.last)
                carried[name] = Pair(
                    *(
                        heads * nu * (inner.every * (1 + om * rho_v * size) + om * rho_v * rho_k * own)
                        for size, own in zip(rho, inner, strict=True)
                    )
                )
            fresh = {
                f"W{layer}": (heads, om * logit_width, rho.map(lambda p, v=rho_v, k=rho_k: nu * v * p * k)),
                f"V{layer}": (heads, nu * value_width, Pair(rho_v, rho_v)),
            }
            state = _advance(state, residual, Pair(heads * nu * rho_v, heads * nu * rho_v), carried, fresh)
            if mlp_width:
                rho, slope = _normalised(state, dim, norm_epsilon)
                carried = {
                    name: Pair(mu1 * mu2 * slope.every * pair.every, mu1 * mu2 * slope.last * pair.last)
                    for name, (_, _, pair) in state.blocks.items()
                }
                fresh = {
                    f"M1_{layer}": (1, mu1 * ball_width(mlp_ball, 1.0, mlp_width, dim), rho.map(lambda p: mu2 * p)),
                    f"M2_{layer}": (1, mu2 * ball_width(mlp_ball, 1.0, dim, mlp_width), rho.map(lambda p: mu1 * p)),
                }
                state = _advance(state, residual, rho.map(lambda p: mu1 * mu2 * p), carried, fresh)
        output, slope = state.size.last, np.ones(len(tokens))
        if final_norm:
            sizes, slopes = _normalised(state, dim, norm_epsilon)
            output, slope = sizes.last, slopes.last
        aggregates = {
            name: float(count ** (3 / 2) * np.linalg.norm(slope * pair.last) * width)
            for name, (count, width, pair) in state.blocks.items()
        }
        found = {"U1-trivial": float(output.sum()), "U7-comparison": _compare(output, dim, aggregates)}
        if residual and not final_norm:
            start = float(np.linalg.norm(last))
            found["U1-residual"] = start + float(state.moved.sum())
            found["U7-residual"] = start + _compare(state.moved, dim, aggregates)
    found = {name: value * INFLATION if np.isfinite(value) else np.inf for name, value in found.items()}
    winner = min(found, key=lambda name: found[name])
    if not np.isfinite(found[winner]):
        raise ValueError("every bound overflows: rescale the tokens or lower the radii")
    parts = found | {f"block/{name}": part for name, part in aggregates.items()}
    moved = state.moved if residual and not final_norm else output
    return DepthUpper(found[winner], winner, parts, output * INFLATION, moved * INFLATION)


def _compare(readout, dim: int, aggregates: dict[str, float]) -> float:
    """F of the module's theorem; equal blocks of several heads enter as count^(3/2) times one, before the power."""
    first = float(np.linalg.norm(readout)) * float(widths.gaussian_norm_mean(dim).evalf(17))
    total = first ** (2 / 3) + sum(part ** (2 / 3) for part in aggregates.values())
    return float(np.sqrt(np.pi / 2) * total**1.5)
