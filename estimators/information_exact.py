"""I_sigma(P; H) where every content is known: K equally probable contents, atoms h_kp (K, N, d), exact posteriors.

I = E KL(post(z) | uniform), z = h_kp + sigma Z' from a uniform atom; the posterior is a finite sum. The mean is taken
over drawn groups of z, spread over the positions: an interval by betting. Beside it, without any draw:
  I <= ln N;   I <= (1/2) ln det(I + C/sigma^2), C the covariance of all atoms (`theory.information_codes`);
  the pairwise forms (`theory.information_codes.pairwise_upper`, `pairwise_lower`) of sets of Gaussians: I(P; Z) is at
  most I(P; Z|X), and I(P; Z) = I(P, X; Z) - I(X; Z|P), each term between its two forms.
One content in one channel: quadrature.
"""

import math
from typing import Any

import numpy as np
from jaxtyping import Float64

from estimators.estimate import Estimate, betting
from estimators.gaussian_codes import line_information
from estimators.information_bracket import Position, check_noise, scale_of
from estimators.information_groups import (
    ENTRIES,
    cap_values,
    content_information,
    divergences,
    log_means,
    rounding_error,
    stratified,
)

Array = np.ndarray
SPREAD = 8  # positions of one group of observations
PILOTS = 128  # groups, for the number of groups only
WIDTH = 0.0075  # aimed at
GROUPS = 512, 40_000
ENTRIES_LIMIT = 400_000_000  # posterior entries of one interval
PAIRS_LIMIT = 60_000_000  # numbers in the pairwise forms
ATOMS_LIMIT = 1 << 19


def exact_informations(
    atoms: Any,
    noise: list[float],
    *,
    confidence: float = 0.95,
    seed: int = 0,
    sigma: list[float] | None = None,
) -> list[Position]:
    """One interval for each noise, each of the given confidence by itself; atoms (K, N, d).

    sigma = noise x the root-mean-square of the atoms, which is that of the law, unless given.
    """
    given = _checked(atoms)
    check_noise(noise)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie strictly between 0 and 1, got {confidence}: use for example 0.95")
    scales = [one * scale_of(given) for one in noise] if sigma is None else sigma
    if not all(0 < one < math.inf for one in scales):
        raise ValueError(f"sigma must be positive, got {scales}: without noise distinct atoms give ln N")
    rng = np.random.default_rng([seed, 0x6578])
    return [_exact(given / s, one, s, confidence, rng) for one, s in zip(noise, scales, strict=True)]


def _checked(atoms: Any) -> Array:
    given = np.asarray(atoms, dtype=np.float64)
    if given.ndim != 3 or 0 in given.shape or given.shape[1] < 2:
        raise ValueError(f"atoms need shape (contents, positions, channels), N >= 2, got {given.shape}")
    if not np.isfinite(given).all():
        raise ValueError("atoms contain NaN or infinite numbers: find the layer that made them")
    if given.shape[0] * given.shape[1] > ATOMS_LIMIT:
        raise ValueError(f"{given.shape[0]} contents of {given.shape[1]} positions: sample them, do not list them")
    return given


def _exact(atoms: Array, noise: float, sigma: float, confidence: float, rng: np.random.Generator) -> Position:
    contents, dim = atoms.shape[0], atoms.shape[2]
    centred = atoms - atoms.mean(axis=(0, 1))
    content = content_information(atoms, rng) if contents > 1 else 0.0
    limit = math.log(contents)
    lower, upper = bounds(centred)
    if contents == 1 and dim == 1:
        found = line_information(atoms[0], 1.0)
        return Position(noise, sigma, found, "quadrature", "quadrature", content, limit)
    best_lower = max(lower, key=lambda name: lower[name])
    best_upper = min(upper, key=lambda name: upper[name])
    if upper[best_upper] - lower[best_lower] > WIDTH / 10:
        drawn = sampled(centred, confidence, rng)
        if drawn.lower > lower[best_lower]:
            lower["posterior at drawn noise"], best_lower = drawn.lower, "posterior at drawn noise"
        if drawn.upper < upper[best_upper]:
            upper["posterior at drawn noise"], best_upper = drawn.upper, "posterior at drawn noise"
    low, high = lower[best_lower], upper[best_upper]
    certain = "posterior at drawn noise" not in (best_lower, best_upper)
    found = Estimate(
        min(low, high), max(low, high), 1.0 if certain else confidence, f"lower: {best_lower}; upper: {best_upper}"
    )
    return Position(noise, sigma, found, best_lower, best_upper, content, limit, crossed=low > high)


def bounds(atoms: Float64[Array, "K N d"]) -> tuple[dict[str, float], dict[str, float]]:
    """Lower and upper ends that need no draw, by name; atoms in units of sigma, centred."""
    contents, positions, dim = atoms.shape
    hair = 1e-12 * (1 + math.log(positions * contents))
    lower, upper = {"nonnegative": 0.0}, {"ln N": math.log(positions)}
    cap = cap_values(atoms[None])
    upper["second-moment cap"] = float(cap.values[0]) + cap.rounding
    if (positions * contents) ** 2 * dim <= PAIRS_LIMIT:
        flat = atoms.reshape(-1, dim)
        every = np.stack([((flat - row) ** 2).sum(axis=1) for row in flat])  # differences: exact for near rows
        blocks = every.reshape(contents, positions, contents, positions)
        same_content = np.einsum("kpkq->kpq", blocks)
        same_position = np.einsum("kplp->pkl", blocks)
        upper["pairwise, given the content"] = _separation(same_content / 2) + hair
        upper["pairwise"] = _separation(every / 2) - _separation(same_position / 8) + hair
        lower["pairwise"] = max(_separation(every / 8) - _separation(same_position / 2) - hair, 0.0)
    return lower, upper


def _separation(divergence: Float64[Array, "*rows n"]) -> float:
    """-mean ln mean_q e^(-D_pq); the diagonal is 0, so no logarithm diverges."""
    return float(-np.log(np.exp(-divergence).mean(axis=-1)).mean()) + 0.0


def sampled(atoms: Float64[Array, "K N d"], confidence: float, rng: np.random.Generator) -> Estimate:
    """Betting on i.i.d. means of KL(post | uniform) over spread positions; pilots, not used again, set their number."""
    contents, positions, _ = atoms.shape
    ceiling = math.log(positions)
    asked = min(SPREAD, positions)
    pilots, _ = drawn_values(atoms, PILOTS, asked, rng)
    logarithm = math.log(2 / (1 - confidence))
    count = 8 * logarithm * float(pilots.var()) / WIDTH**2 + 2 * ceiling * logarithm / WIDTH
    count = min(max(count, GROUPS[0]), GROUPS[1], ENTRIES_LIMIT // (asked * contents * positions))
    values, rounding = drawn_values(atoms, max(int(count), 2), asked, rng)
    low, high = np.maximum(values - rounding, 0.0), np.minimum(values + rounding, ceiling)
    return betting(low, high, minimum=0.0, maximum=ceiling, confidence=confidence)


def drawn_values(
    atoms: Float64[Array, "K N d"], count: int, asked: int, rng: np.random.Generator
) -> tuple[Float64[Array, " count"], float]:
    """`count` independent means of KL(post | uniform), each over `asked` spread positions, and their rounding error."""
    contents, positions, dim = atoms.shape
    halves = (atoms**2).sum(axis=-1) / 2
    values, reach = np.empty(count), float(halves.max()) * 2
    rows = max(1, ENTRIES // (asked * contents * positions))
    for start in range(0, count, rows):
        stop = min(count, start + rows)
        at = stratified(rng, stop - start, positions, asked)
        points = atoms[rng.integers(contents, size=at.shape), at] + rng.standard_normal((*at.shape, dim))
        reach = max(reach, float((points**2).sum(axis=-1).max()))
        found = divergences(log_means(points.reshape(-1, dim), atoms, halves))
        values[start:stop] = found.reshape(at.shape).mean(axis=1)
    return values, rounding_error(math.sqrt(reach), dim, positions)
