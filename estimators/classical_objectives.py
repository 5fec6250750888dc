"""The quantities of `classical_classes` for many cases at once, divided so that they need no constraint: what searches
climb. A case is one row of numbers."""

import math

import numpy as np
from jaxtyping import Float64

from estimators.adversary import Points
from estimators.classical_classes import GRADIENT, attended, bent, logits_of, shared_sign_mean
from estimators.sign_means import all_signs, complexity

Scores = Float64[np.ndarray, " candidates"]


def massart_share(points: Points, *, size: int) -> Scores:
    """R_hat(A) n/(r_A sqrt(2 ln|A|)) of |A| = `size` vectors."""
    vectors = points.reshape(len(points), size, -1)
    radii = np.linalg.norm(vectors, axis=2).max(axis=1)
    return complexity(vectors) * vectors.shape[2] / (radii * math.sqrt(2 * math.log(size)))


def contraction_parts(points: Points, size: int, samples: int, kinks: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (candidates, m, n) and slopes (candidates, n, k + 1)."""
    vectors, slopes = np.split(points, [size * samples], axis=1)
    return vectors.reshape(-1, size, samples), slopes.reshape(-1, samples, kinks + 1)


def contraction_share(points: Points, *, size: int, samples: int, knots: Float64[np.ndarray, " k"]) -> Scores:
    """R_hat(phi o A)/(L R_hat(A))."""
    vectors, slopes = contraction_parts(points, size, samples, len(knots))
    return complexity(bent(vectors, knots, slopes)) / (np.abs(slopes).max(axis=(1, 2)) * complexity(vectors))


def vector_parts(points: Points, size: int, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (candidates, m, n, k) and centres (candidates, n, k)."""
    all_parts = points.reshape(len(points), size + 1, samples, -1)
    return all_parts[:, :size], all_parts[:, size]


def vector_share(points: Points, *, size: int, samples: int) -> Scores:
    """R_hat of |s - c_i|_2 over E sup (1/n) sum_ik eps_ik s_ik."""
    vectors, centres = vector_parts(points, size, samples)
    flat = vectors.reshape(len(points), size, -1)
    image = np.linalg.norm(vectors - centres[:, None], axis=-1)
    return complexity(image) / (complexity(flat) * vectors.shape[3])


def attention_parts(points: Points, samples: int, length: int, dim: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keys (candidates, n, T, d), bias and values (candidates, n, T)."""
    keys, bias, values = np.split(points, [samples * length * dim, samples * length * (dim + 1)], axis=1)
    shape = (-1, samples, length)
    return keys.reshape(*shape, dim), bias.reshape(shape), values.reshape(shape)


def shared_sign_share(points: Points, *, samples: int, length: int, dim: int) -> Scores:
    """R_hat of attention over (sqrt2/4) D_v E sup |(1/n) sum eps_i s_i(w)|_2, one sign per sample, w in {-1, 1}^d."""
    keys, bias, values = attention_parts(points, samples, length, dim)
    logits = logits_of(keys, all_signs(dim))
    image = attended(logits + bias[:, None], np.broadcast_to(values[:, None], logits.shape))
    lipschitz = GRADIENT * np.ptp(values, axis=2).max(axis=1)
    return complexity(image) / (lipschitz * shared_sign_mean(logits))


def linear_share(points: Points, *, samples: int, side: int) -> Scores:
    """E|sum eps_i x_i|_2/(sum |x_i|^2)^(1/2); side -1 gives minus it."""
    features = points.reshape(len(points), samples, -1)
    norms = np.linalg.norm(all_signs(samples) @ features, axis=-1).mean(axis=-1)
    return side * norms / np.sqrt((features**2).sum(axis=(1, 2)))


def corner_share(points: Points, *, samples: int) -> Scores:
    """E|sum eps_i x_i|_inf/(max_k |X_k|_2 sqrt(2 ln 2d))."""
    features = points.reshape(len(points), samples, -1)
    most = np.abs(all_signs(samples) @ features).max(axis=-1).mean(axis=-1)
    return most / (np.linalg.norm(features, axis=1).max(axis=1) * math.sqrt(2 * math.log(2 * features.shape[2])))


def gaussian_share(points: Points, *, side: int) -> Scores:
    """R_hat/G_hat of three points in the plane (n = 2): G_hat is the perimeter of the triangle/(4 sqrt(2 pi)). side -1
    gives minus it."""
    corners = points.reshape(-1, 3, 2)
    perimeter = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).sum(axis=1)
    return side * complexity(corners) / (perimeter / (4 * math.sqrt(2 * math.pi)))
