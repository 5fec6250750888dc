"""The control of one attention head: the supremum of its class linearised at zero logits.

Units of sums over samples, unit read-out ball, then times `scale`. S_0 = sum eps_i a_i(0), J = sum eps_i Cov_pi(v_i,
z_i):
  h = max_{|w| <= B} |S_0 + J w|_2 for the l2 read-out ball (trust region: dual value above, attained value below),
  h = max_c (|S_0c| + B |J_c|) for the l1 ball, J_c the rows of J: closed form.
Remainders r_i(w) = a_i(w) - a_i(0) - J_i w: |g - h| <= R = max_w |sum eps_i r_i(w)|, and
  |r_i| <= rho_i = min{B^2 D_i D_k,i^2/(12 sqrt3), D_i tanh(B D_k,i/4) + B |J_i|}  (third cumulant; total variation),
  E R <= min{sum rho_i, the Taylor-Bombieri remainder of order 1 (U9, `estimators.supremum.series`)};
R is a convex function of the signs with weak variance at most sum rho_i^2, and so is g with (sqrt(V_h) + |rho|_2)^2,
V_h that of h: sub-Gaussian scales by `estimators.concentration`.
"""

import dataclasses

import numpy as np
from jaxtyping import Float64

from estimators.concentration import SubGaussian, convex_scale
from estimators.control import Known
from estimators.sampling import Control, Ends
from estimators.signs import draw_signs
from estimators.supremum.box_bounds import diameters
from estimators.supremum.centred import Centred
from estimators.supremum.readout import Ball
from estimators.supremum.series import series
from estimators.supremum.trust_region import (
    Linear,
    arithmetic_slack,
    jacobian_norms,
    linear_part,
    sign_jacobians,
    trust_region,
    weak_variance,
)

CHEAP_STREAM = 15485863  # added to the seed: independent of the signs of the bracket and of `expected`
MOST_DRAWS, FEWEST_DRAWS = 131072, 4096
WORK = 2.5e9  # products in the sign sums of the cheap draws, and PER_DRAW d^2 more for each draw
PER_DRAW = 200
BLOCK = 8192
UP = 1 + 1e-9


def cheap_draws(linear: Linear) -> int:
    """Draws for the mean of h: as many as a fixed amount of work allows. Depends on shapes only."""
    n, d, e = linear.covariances.shape
    work = n * d * e * linear.factors.shape[1] + PER_DRAW * d**2
    return int(np.clip(WORK // work, FEWEST_DRAWS, MOST_DRAWS))


def linear_values(linear: Linear, signs: Float64[np.ndarray, "k n"], radius: float, ball: Ball) -> Ends:
    """Ends of h for every sign vector."""
    if ball == "l2":
        found = trust_region(linear, signs, radius, with_queries=True)
        return Ends(np.minimum(found.attained, found.upper[:, 0]), found.upper[:, 0])
    slack, values = arithmetic_slack(linear, radius), []
    for first in range(0, len(signs), BLOCK // 16):
        part = signs[first : first + BLOCK // 16]
        rows = np.linalg.norm(np.asarray(sign_jacobians(linear, part)), axis=2)
        values.append((np.abs(part @ linear.outputs) + radius * rows).max(axis=1))
    value = np.concatenate(values)
    return Ends(np.maximum(value * (1 - 1e-12) - slack, 0.0), value * (1 + 1e-12) + slack)


def remainder_sizes(head: Centred, linear: Linear, radius: float) -> Float64[np.ndarray, " n"]:
    """rho_i >= |a_i(w) - a_i(0) - J_i w| for all |w| <= radius."""
    factors = np.linalg.norm(head.factors, axis=1)
    reach = radius * diameters(head.keys) * factors
    spread = diameters(head.values)
    turned = np.tanh(reach / 4) * spread + radius * jacobian_norms(linear)
    return np.minimum(spread * reach**2 / (12 * np.sqrt(3.0)), turned) * UP


def widened(control: Control, largest_values: Float64[np.ndarray, " n"]) -> Control:
    """The control of a contained class for a larger one: h still exceeds g by no more than R, but not the reverse, and
    of the scale of g only McDiarmid's is known. largest_values: of the larger class."""
    n = len(largest_values)
    scale = float(np.linalg.norm(largest_values)) / n * UP
    known = dataclasses.replace(control.known, maximum=float(largest_values.mean()), scale=scale, above=None)
    return dataclasses.replace(control, known=known)


def linear_control(
    head: Centred,
    radius: float,
    ball: Ball,
    scale: float,
    largest_values: Float64[np.ndarray, " n"],
    rounding: float,
    seed: int,
) -> Control:
    """The control of a head; largest_values: M_i >= |f(X_i)| in the units of f; scale: what one unit of a sum is in
    the units of g; rounding: of sums, as `AbstractHeadHypotheses.rounding`."""
    linear = linear_part(head)
    rho = remainder_sizes(head, linear, radius)
    mean = min(float(rho.sum()), float(series(head).remainder(radius, 1)))
    remainder = SubGaussian((mean + 2 * rounding) * scale * UP, convex_scale(float((rho**2).sum())) * scale)
    variance = weak_variance(linear, radius)
    sizes = np.linalg.norm(linear.outputs, axis=1) + radius * jacobian_norms(linear)
    whole = (np.sqrt(variance) + np.linalg.norm(rho)) ** 2 * UP
    known = Known(
        minimum=0.0,
        maximum=float(largest_values.mean()),
        scale=convex_scale(float(whole) * scale**2, largest_values / len(largest_values)),
        control_scale=convex_scale(variance, sizes) * scale,
        control_minimum=0.0,
        control_maximum=(float(sizes.sum()) * UP + rounding) * scale,
        above=remainder,
        below=remainder,
    )

    def values(signs: Float64[np.ndarray, "k n"]) -> Ends:
        low, high = linear_values(linear, signs, radius, ball)
        return Ends(low * scale, high * scale * (1 + 1e-15))

    n, draws, parts = len(linear.outputs), cheap_draws(linear), []
    for first in range(0, draws, BLOCK):
        parts.append(values(draw_signs(seed + CHEAP_STREAM, min(BLOCK, draws - first), n, first=first)))
    return Control(known, values, Ends(*map(np.concatenate, zip(*parts, strict=True))))


def residual_control(
    last: Float64[np.ndarray, "n d"], moved: Float64[np.ndarray, " n"], readout_norm: float, seed: int
) -> Control:
    """The control of a class g that contains <u, x_i>, |u| <= readout_norm, and f(X_i) - <u, x_i> of norm at most
    moved_i times readout_norm: h = readout_norm |sum eps_i x_i|_2/n, 0 <= g - h <= readout_norm mean moved_i."""
    n, d = last.shape
    head = Centred(np.ones((n, 1)), np.zeros((n, 1, 1)), np.zeros((n, 1, d)), np.ones(1), np.asarray(last))
    sizes = readout_norm * (np.linalg.norm(last, axis=1) + moved) * UP
    control = linear_control(head, 0.0, "l2", readout_norm / n, sizes, 0.0, seed)
    scale = readout_norm / n
    known = dataclasses.replace(
        control.known,
        maximum=float(sizes.mean()),
        scale=float(np.linalg.norm(sizes)) / n * UP,
        above=SubGaussian(float(moved.sum()) * scale * UP, convex_scale(float((moved**2).sum())) * scale),
        below=SubGaussian(1e-12 * float(sizes.mean()), 0.0),
    )
    return dataclasses.replace(control, known=known)
