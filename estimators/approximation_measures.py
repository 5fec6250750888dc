"""Worst errors, widths and certificates of approximation as measurements: plain cases in, certified intervals out."""

import math
from typing import Any

import mpmath
import numpy as np
from jaxtyping import Float64

from estimators.best_approximation import best_l2
from estimators.claim import Measurement
from estimators.ellipsoid_widths import difference_error, ellipsoid_error, ellipsoid_widths
from estimators.encoding_tables import code
from estimators.estimate import Estimate, exact
from estimators.sup_approximation import best_sup

Array = np.ndarray
HAIR = 1e-12  # relative rounding allowed for


def rounded(value: float, method: str = "closed form") -> Estimate:
    """A number computed in float64 to about 1e-12 of itself."""
    return exact(float(value), HAIR * abs(float(value)), method)


def difference_width(*, channels: int, length: int) -> Measurement:
    """d_n of {f in R^N: |Delta f|_2 <= 1} from the singular values of the (N-1, N) difference matrix."""
    found = ellipsoid_widths(np.diff(np.eye(length), axis=0))[channels - 1]
    return Measurement(rounded(found, "singular values"), {"channels": channels, "position_count": length})


def worst_of_columns(*, columns: Any, encoding: str = "") -> Measurement:
    """Worst Euclidean error over |Delta f|_2 <= 1 of the constant and the given columns (N, n-1)."""
    table = np.asarray(columns, dtype=np.float64)
    found = difference_error(np.column_stack([np.ones(len(table)), table]))
    return Measurement(found, {"channels": table.shape[1] + 1, "position_count": len(table)}, encoding)


def worst_of_encoding(*, encoding: str, channels: int, length: int) -> Measurement:
    """The same for the first n channels of an encoding, which contain the constant."""
    found = difference_error(code(encoding, channels, length))
    return Measurement(found, {"channels": channels, "position_count": length}, encoding)


def cosine_error(*, values: list[float], channels: int) -> Measurement:
    """Euclidean error of the first n columns of the DCT-II for f (N,)."""
    target = np.asarray(values, dtype=np.float64)
    found = best_l2(target, code("cosine", channels, len(target))).error
    size = float(np.linalg.norm(np.diff(target)))
    at = {
        "channels": channels,
        "position_count": len(target),
        "difference_norm": (size * (1 - HAIR), size * (1 + HAIR)),
    }
    return Measurement(found, at, "cosine")


def ellipsoid_width(*, operator: list[list[float]], channels: int) -> Measurement:
    """Worst error over {|A f|_2 <= 1} of the span of the right singular vectors of A for its n least singular values.

    A (m, N) of rank m; sigma_(n-r+1) of the pseudo-inverse, r = N - m, from its own singular values.
    """
    matrix = np.asarray(operator, dtype=np.float64)
    null = matrix.shape[1] - matrix.shape[0]
    right = np.linalg.svd(matrix)[2]
    found = ellipsoid_error(matrix, right[matrix.shape[1] - channels :].T)
    singular = np.linalg.svd(np.linalg.pinv(matrix), compute_uv=False)
    return Measurement(
        found, {"channels": channels, "null_dim": null, "singular_value": float(singular[channels - null])}
    )


def polynomial_values(places: Float64[Array, " N"], count: int) -> Float64[Array, "N n"]:
    """Chebyshev polynomials of degree below n."""
    return np.polynomial.chebyshev.chebvander(places, count - 1)


def dual_certificate(*, values: list[float], basis: list[list[float]], dual: list[float]) -> Measurement:
    """Best sup error of f (N,) in a basis (N, n); y is the part of `dual` orthogonal to it."""
    target, table = np.asarray(values, dtype=np.float64), np.asarray(basis, dtype=np.float64)
    orthonormal, _ = np.linalg.qr(table)
    y = np.asarray(dual, dtype=np.float64)
    for _ in range(3):
        y = y - orthonormal @ (orthonormal.T @ y)
    norm = float(np.abs(y).sum()) * (1 + HAIR)
    rest = target - orthonormal @ (orthonormal.T @ target)
    # y meets the span only by rounding, in proportion to the size of what is paired.
    pairing = max(abs(float(y @ rest)) - HAIR * norm * float(np.abs(rest).max()), 0.0)
    return Measurement(best_sup(target, table).error, {"dual_pairing": pairing, "dual_norm": norm})


def alternation(*, places: list[float], weights: list[float], sizes: list[float]) -> Measurement:
    """Best sup error by polynomials of degree below n, at n + 1 places, of f = sum c_k T_k + (-1)^i e_i, e_i >= 0."""
    at = np.sort(np.asarray(places, dtype=np.float64))
    error = np.abs(np.asarray(sizes, dtype=np.float64))
    table = polynomial_values(at, len(at) - 1)
    target = table @ np.asarray(weights, dtype=np.float64) + (-1.0) ** np.arange(len(at)) * error
    rounding = 4 * np.finfo(float).eps * float(np.abs(table) @ np.abs(weights) @ np.ones(len(at)) + error.max())
    least = max(float(error.min()) - rounding, 0.0)
    return Measurement(best_sup(target, table).error, {"alternating_error": least})


def sup_error(*, values: list[float], basis: list[list[float]], lengths: bool) -> Measurement:
    """Best sup error; `lengths`: the bound also needs N. The best Euclidean error is the statistic."""
    euclidean = best_l2(values, np.asarray(basis)).error
    at: dict[str, Any] = {"euclidean_error": (euclidean.lower, euclidean.upper)}
    return Measurement(
        best_sup(values, np.asarray(basis)).error, at | ({"position_count": len(values)} if lengths else {})
    )


def projected_rest(*, values: list[float], basis: list[list[float]]) -> Measurement:
    """Best Euclidean error, beside |f|^2 and |Pi f|^2."""
    target, table = np.asarray(values, dtype=np.float64), np.asarray(basis, dtype=np.float64)
    projected = np.linalg.qr(table)[0].T @ target
    energy = math.fsum(target**2)
    seen = min(math.fsum(projected**2), energy)
    error = best_l2(target, table).error
    # Where little is left, the difference of the two energies is known to their rounding only.
    wrong = 16 * float(np.finfo(float).eps) * energy / max(error.upper, 1e-300)
    widened = Estimate(max(error.lower - wrong, 0.0), error.upper + wrong, 1.0, error.method)
    return Measurement(widened, {"target_energy": energy, "projected_energy": seen})


def lebesgue_inequality(*, values: list[float], basis: list[list[float]]) -> Measurement:
    """Largest error of the orthogonal projection on N positions; Lambda is its largest absolute row sum."""
    target, table = np.asarray(values, dtype=np.float64), np.asarray(basis, dtype=np.float64)
    orthonormal, _ = np.linalg.qr(table)
    error = float(np.abs(target - orthonormal @ (orthonormal.T @ target)).max())
    norm = float(np.abs(orthonormal @ orthonormal.T).sum(axis=1).max())
    best = best_sup(target, table).error
    return Measurement(rounded(error), {"lebesgue_constant": norm * (1 + HAIR), "best_error": (best.lower, best.upper)})


def pole_error(*, pole: float, degree: int) -> Measurement:
    """E_n(1/(a-x)) on 400 + n places: Chebyshev points and those where the best error alternates."""
    radius = pole + math.sqrt(pole * pole - 1)
    angles = np.linspace(0, np.pi, 40001)
    turned = np.exp(1j * angles)
    # The best error is proportional to cos(n t + phi), e^(i phi) = (1 - rho e^it)/(e^it - rho); it peaks at whole pi.
    phase = np.unwrap(np.angle(turned**degree * (1 - radius * turned) / (turned - radius)))
    peaks = np.interp(phase[0] + np.pi * np.arange(degree + 2), phase, angles)
    places = np.cos(np.r_[np.linspace(0, np.pi, 400), peaks])
    values = 1 / (pole - places)
    found = best_sup(values, polynomial_values(places, degree + 1)).error
    wrong = 4 * float(np.finfo(float).eps * np.abs(values).max())  # of the values
    widened = Estimate(max(found.lower - wrong, 0.0), found.upper + wrong, 1.0, found.method)
    return Measurement(widened, {"pole": pole, "residue": 1, "degree": degree})


def smooth_jackson(*, frequency: float, phase: float, order: int, degree: int) -> Measurement:
    """Best sup error of sin(w x + phi) on 300 Chebyshev points by polynomials of degree n; |f^(r)| <= w^r."""
    places = np.cos((np.arange(300) + 0.5) * np.pi / 300)
    found = best_sup(np.sin(frequency * places + phase), polynomial_values(places, degree + 1)).error
    largest = frequency**order
    return Measurement(found, {"degree": degree, "smoothness_order": order, "derivative_maximum": largest * (1 + HAIR)})


def _circle_error(values: Array, degree: int) -> Estimate:
    """Best sup error by trigonometric polynomials of degree n on equidistant angles."""
    angles = 2 * np.pi * np.arange(len(values)) / len(values)
    k = np.arange(1, degree + 1)
    table = np.column_stack([np.ones(len(values)), np.cos(np.outer(angles, k)), np.sin(np.outer(angles, k))])
    return best_sup(values, table).error


def euler_spline(*, order: int, degree: int) -> Measurement:
    """Best sup error of the f with f^(r) = +-1, alternating on 2n + 2 arcs: Euler polynomials, peaks included."""
    arcs = degree + 1
    each = 8
    inside = [float(mpmath.eulerpoly(order, mpmath.mpf(k) / each)) / math.factorial(order) for k in range(each)]
    values = np.concatenate([(-1) ** arc * np.array(inside) for arc in range(2 * arcs)]) * (math.pi / arcs) ** order
    return Measurement(
        _circle_error(values, degree), {"degree": degree, "derivative_maximum": 1}, arguments={"order": order}
    )


def hoelder_peaks(exponent: float, degree: int) -> Float64[Array, " N"]:
    """The function of constant 1 that attains `theory.approximation_fourier.hoelder_jackson`, peaks included."""
    arcs, each = 2 * (degree + 1), 8
    steps = np.arange(each)
    near = np.minimum(steps, each - steps) * np.pi / (each * (degree + 1))
    return np.concatenate([(-1) ** arc * (2 * near) ** exponent / 2 for arc in range(arcs)])


def hoelder_error(
    *, places: list[float], heights: list[float], exponent: float, constant: float, degree: int, circle: bool
) -> Measurement:
    """Best sup error of min_i (h_i + L |x - t_i|^alpha), on the circle or (polynomials) on [-1, 1].

    No places, on the circle: of `hoelder_peaks`.
    """
    at, top = np.asarray(places, dtype=np.float64)[:, None], np.asarray(heights, dtype=np.float64)[:, None]
    words = {"degree": degree, "hoelder_exponent": exponent, "hoelder_constant": constant}
    if circle and not places:
        return Measurement(_circle_error(constant * hoelder_peaks(exponent, degree), degree), words)
    if circle:
        angles = 2 * np.pi * np.arange(240) / 240
        gaps = np.abs((angles - at + np.pi) % (2 * np.pi) - np.pi)
        return Measurement(_circle_error((top + constant * gaps**exponent).min(axis=0), degree), words)
    points = np.cos((np.arange(240) + 0.5) * np.pi / 240)
    values = (top + constant * np.abs(points - at) ** exponent).min(axis=0)
    return Measurement(best_sup(values, polynomial_values(points, degree + 1)).error, words)


def markov_constant(degree: int) -> float:
    """Largest |p'|_2/|p|_2 over polynomials of degree K on [-1, 1]: norm of d/dx in orthonormal Legendre polynomials,
    p_k' = 2 sqrt((k+1/2)(j+1/2)) p_j summed over j = k-1, k-3, .."""
    rows, columns = np.arange(degree + 1)[:, None], np.arange(degree + 1)
    below = (rows < columns) & ((columns - rows) % 2 == 1)
    table = np.where(below, 2 * np.sqrt((rows + 0.5) * (columns + 0.5)), 0.0)
    return float(np.linalg.norm(table, 2))


def markov(*, degree: int) -> Measurement:
    """M_K."""
    return Measurement(rounded(markov_constant(degree), "singular values"), {"polynomial_degree": degree})


def sampled_gram(*, degree: int, length: int, condition: bool) -> Measurement:
    """Eigenvalues of the Gram matrix of orthonormal Legendre polynomials of degree <= K at N midpoints: max |lambda-1|,
    or the condition number."""
    places = (2 * np.arange(length) + 1) / length - 1
    scales = np.sqrt((np.arange(degree + 1) + 0.5) * 2 / length)
    table = np.polynomial.legendre.legvander(places, degree) * scales
    singular = np.linalg.svd(table, compute_uv=False) ** 2
    wrong = 1e-13 * length
    at = {"markov_constant": markov_constant(degree) * (1 + HAIR), "position_count": length}
    if condition:
        ends = (singular[0] - wrong) / (singular[-1] + wrong), (singular[0] + wrong) / max(singular[-1] - wrong, 1e-300)
        return Measurement(Estimate(*ends, 1.0, "singular values"), at)
    return Measurement(exact(float(np.abs(singular - 1).max()), wrong, "singular values"), at)
