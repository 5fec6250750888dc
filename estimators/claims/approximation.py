"""Claims of theory section 4: widths, series, cells and wavelets, sampling, certificates. One line per statement.

Not here: widths over classes of functions on an interval or circle, and jumps on an interval, which no finite
measurement decides; their tests are in tests/theory/test_approximation.py.
"""

from functools import partial

from estimators import approximation_measures as measures
from estimators import cell_errors, series_errors
from estimators.claim import Claim
from estimators.claims import approximation_cases as cases
from estimators.claims import approximation_series_cases as series_cases
from theory import approximation, approximation_fourier, approximation_polynomial, approximation_wavelet

SPLINE = ("places", "weights")

WIDTHS: dict[str, Claim] = {
    "approximation-difference-width": Claim(
        approximation.difference_width, measures.difference_width, cases.sizes, tight=True
    ),
    "approximation-worst-difference-error": Claim(
        approximation.worst_difference_error, measures.worst_of_columns, cases.columns, ("columns",), tight=True
    ),
    "approximation-cosine-worst-error": Claim(
        approximation.cosine_worst_error, measures.worst_of_encoding, cases.cosine_sizes, tight=True
    ),
    "approximation-haar-worst-error": Claim(
        approximation.haar_worst_error, measures.worst_of_encoding, cases.haar_sizes, tight=True
    ),
    "approximation-every-orthonormal-code": Claim(
        approximation.every_orthonormal_code, measures.worst_of_encoding, cases.other_codes, true=False
    ),
    "approximation-difference-error": Claim(
        approximation.difference_error, measures.cosine_error, cases.sequences, ("values",), tight=True
    ),
    "approximation-ellipsoid-width": Claim(
        approximation.ellipsoid_width, measures.ellipsoid_width, cases.operators, ("operator",), tight=True
    ),
    "approximation-dual-certificate": Claim(
        approximation.dual_certificate,
        measures.dual_certificate,
        cases.duals,
        ("values", "basis", "dual"),
        tight=True,
    ),
    "approximation-alternation": Claim(
        approximation.alternation, measures.alternation, cases.alternating, ("weights", "sizes"), tight=True
    ),
    "approximation-sup-above-euclidean": Claim(
        approximation.sup_above_euclidean, measures.sup_error, cases.equal_errors, ("values", "basis"), tight=True
    ),
    "approximation-sup-below-euclidean": Claim(
        approximation.sup_below_euclidean, measures.sup_error, cases.single_errors, ("values", "basis"), tight=True
    ),
    "approximation-projected-rest": Claim(
        approximation.projected_rest, measures.projected_rest, cases.projections, ("values", "basis"), tight=True
    ),
}

POLYNOMIALS: dict[str, Claim] = {
    "chebyshev-coefficient": Claim(
        approximation_polynomial.chebyshev_coefficient,
        series_errors.polynomial_coefficient,
        partial(series_cases.spline_coefficients, "chebyshev"),
        SPLINE,
        tight=True,
    ),
    "chebyshev-variation": Claim(
        approximation_polynomial.chebyshev_variation,
        series_errors.chebyshev_error,
        partial(series_cases.spline_degrees, (1, 2, 3)),
        SPLINE,
    ),
    "chebyshev-product": Claim(
        approximation_polynomial.chebyshev_product,
        series_errors.chebyshev_error,
        partial(series_cases.spline_degrees, (1, 2, 3)),
        SPLINE,
    ),
    "chebyshev-analytic": Claim(
        approximation_polynomial.chebyshev_analytic,
        series_errors.pole_series,
        partial(series_cases.poles, "sup"),
        ("share",),
    ),
    "polynomial-pole-error": Claim(
        approximation_polynomial.pole_error, measures.pole_error, cases.pole_degrees, tight=True
    ),
    "legendre-coefficient": Claim(
        approximation_polynomial.legendre_coefficient,
        series_errors.polynomial_coefficient,
        partial(series_cases.spline_coefficients, "legendre"),
        SPLINE,
    ),
    "legendre-error": Claim(
        approximation_polynomial.legendre_error,
        series_errors.legendre_error,
        series_cases.spline_tails,
        SPLINE,
        tight=True,
    ),
    "legendre-variation": Claim(
        approximation_polynomial.legendre_variation,
        series_errors.legendre_error,
        partial(series_cases.spline_degrees, (0, 1, 2, 3)),
        SPLINE,
    ),
    "legendre-analytic": Claim(
        approximation_polynomial.legendre_analytic,
        series_errors.pole_series,
        partial(series_cases.poles, "l2"),
        ("share",),
    ),
    "legendre-lebesgue": Claim(
        approximation_polynomial.legendre_lebesgue, series_errors.lebesgue_constant, series_cases.degrees
    ),
    "legendre-sup": Claim(
        approximation_polynomial.legendre_sup, measures.lebesgue_inequality, cases.bases, ("values", "basis")
    ),
    "polynomial-jackson": Claim(
        approximation_polynomial.algebraic_jackson, measures.smooth_jackson, cases.waves, ("frequency", "phase")
    ),
    "polynomial-hoelder": Claim(
        approximation_polynomial.hoelder_jackson,
        measures.hoelder_error,
        partial(cases.hoelder_functions, False),
        ("places", "heights"),
    ),
    "polynomial-markov": Claim(
        approximation_polynomial.markov_bound, measures.markov, cases.derivative_degrees, tight=True
    ),
    "legendre-sampling-eigenvalues": Claim(
        approximation_polynomial.sampling_eigenvalues, measures.sampled_gram, partial(cases.grams, False)
    ),
    "legendre-sampling-condition": Claim(
        approximation_polynomial.sampling_condition, measures.sampled_gram, partial(cases.grams, True)
    ),
}

FOURIER: dict[str, Claim] = {
    "fourier-coefficient": Claim(
        approximation_fourier.fourier_coefficient,
        series_errors.fourier_coefficient,
        series_cases.circle_coefficients,
        SPLINE,
        tight=True,
    ),
    "fourier-variation": Claim(
        approximation_fourier.fourier_variation,
        series_errors.fourier_error,
        partial(series_cases.circle_degrees, (1, 2, 3), "sup"),
        SPLINE,
    ),
    "fourier-variation-mean": Claim(
        approximation_fourier.fourier_variation_mean,
        series_errors.fourier_error,
        partial(series_cases.circle_degrees, (0, 1, 2), "l2"),
        SPLINE,
    ),
    "fourier-strip": Claim(
        approximation_fourier.fourier_strip, series_errors.strip_error, series_cases.strips, ("decay",)
    ),
    "fourier-sawtooth-upper": Claim(
        approximation_fourier.sawtooth_upper, series_errors.sawtooth_error, series_cases.sawteeth, ("jump",)
    ),
    "fourier-sawtooth-lower": Claim(
        approximation_fourier.sawtooth_lower, series_errors.sawtooth_error, series_cases.sawteeth, ("jump",)
    ),
    "fourier-jumps-like-one": Claim(
        approximation_fourier.jumps_like_one, series_errors.fourier_error, series_cases.square_waves, true=False
    ),
    "fourier-gibbs-overshoot": Claim(
        approximation_fourier.gibbs_overshoot,
        series_errors.gibbs_overshoot,
        partial(series_cases.overshoots, False),
        ("jump",),
        tight=True,
    ),
    "fourier-gibbs-limit": Claim(
        approximation_fourier.gibbs_limit,
        series_errors.gibbs_overshoot,
        partial(series_cases.overshoots, True),
        ("jump",),
    ),
    "fourier-jackson": Claim(
        approximation_fourier.periodic_jackson, measures.euler_spline, cases.euler_splines, tight=True
    ),
    "fourier-hoelder": Claim(
        approximation_fourier.hoelder_jackson,
        measures.hoelder_error,
        partial(cases.hoelder_functions, True),
        ("places", "heights", "constant"),
        tight=True,
    ),
}

WAVELETS: dict[str, Claim] = {
    "cells-hoelder-projection": Claim(
        approximation_wavelet.hoelder_projection,
        cell_errors.cone_error,
        partial(cases.cones, True, False),
        ("place",),
        tight=True,
    ),
    "cells-hoelder-best": Claim(
        approximation_wavelet.hoelder_best,
        cell_errors.cone_error,
        partial(cases.cones, False, False),
        ("place",),
        tight=True,
    ),
    "cells-lipschitz": Claim(
        approximation_wavelet.lipschitz_best,
        cell_errors.cone_error,
        partial(cases.cones, False, True),
        ("place",),
        tight=True,
    ),
    "cells-sobolev": Claim(
        approximation_wavelet.sobolev_projection,
        cell_errors.cosine_sum_error,
        cases.cosine_sums,
        ("weights",),
        tight=True,
    ),
    "cells-variation": Claim(
        approximation_wavelet.variation_projection, cell_errors.step_error, cases.steps, ("heights",), tight=True
    ),
    "free-cells-variation": Claim(
        approximation_wavelet.free_cells, cell_errors.free_cell_error, cases.paths, ("path",), tight=True
    ),
    "haar-terms-step": Claim(approximation_wavelet.haar_terms, cell_errors.step_terms, cases.step_places, tight=True),
    "cells-second-order": Claim(
        approximation_wavelet.smooth_by_cells, cell_errors.line_by_cells, cases.lines, true=False
    ),
    "daubechies-coefficient": Claim(
        approximation_wavelet.daubechies_coefficient, cell_errors.wavelet_moment, cases.moments
    ),
    "daubechies-interpolated": Claim(
        approximation_wavelet.daubechies_interpolated, cell_errors.wavelet_moment, cases.moments
    ),
}

CLAIMS: dict[str, Claim] = WIDTHS | POLYNOMIALS | FOURIER | WAVELETS
