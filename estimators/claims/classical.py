"""Claims of the classical tools: contraction, linear classes, covers, concentration, Gaussian widths and comparison."""

from collections.abc import Callable
from functools import partial

import sympy as sp

from estimators import classical_classes as classes
from estimators import classical_tails as tails
from estimators import covers
from estimators import gaussian_widths as measured
from estimators.claim import Cases, Claim, Measurement
from estimators.claims import classical_cases as cases
from estimators.claims import width_cases
from theory import classical, concentration, misuses, widths
from theory.bound import Bound

SET, LINEAR, RISK = ("vectors",), ("features", "radius"), ("table", "chances", "failure_probability")
COVER = ("radius", "input_norm", "scale")
BALL, MATRIX = ("dim", "radius"), ("rows", "columns", "radius")
PRODUCT = ("left", "right", "left_radius", "right_radius")
# From one ball to two, where it is nearest, Zhang's bound is 36 ln(15)/ln 2 = 141 times ln N.
ZHANG = sp.Rational(1, 200)


def _worded(
    statement: Callable[[], Bound], measure: Callable[..., Measurement], made: Cases, *free: str, tight: bool = False
) -> Claim:
    """The claim, with a measurement that finds the words of its statement."""
    words = tuple(symbol.name for symbol in statement().symbols)
    return Claim(statement, partial(measure, words=words), made, free, tight=tight)


def _linear(statement: Callable[[], Bound], tight: bool = False) -> Claim:
    return _worded(statement, classes.linear_l2, cases.balls_l2, *LINEAR, tight=tight)


CLAIMS: dict[str, Claim] = {
    "classical-massart": Claim(classical.massart, classes.massart, cases.sets, SET),
    "classical-scalar-contraction": Claim(
        classical.scalar_contraction, classes.scalar_contraction, cases.contractions, ("vectors", "slopes"), tight=True
    ),
    "classical-vector-contraction": Claim(
        classical.vector_contraction,
        classes.vector_contraction,
        cases.vector_contractions,
        ("vectors", "centres", "values", "gain"),
        tight=True,
    ),
    "classical-shared-sign-contraction": Claim(
        misuses.shared_sign_contraction,
        classes.attention_with_shared_signs,
        cases.shared_signs,
        ("keys", "weights", "values"),
        true=False,
    ),
    "classical-offset-contraction": Claim(
        misuses.offset_contraction, classes.offset_contraction, cases.offsets, ("vectors", "slope"), true=False
    ),
    "classical-dudley-linear": _linear(classical.dudley_linear),
    "classical-linear-l2": _linear(classical.linear_l2, tight=True),
    "classical-linear-l2-upper": _linear(classical.linear_l2_upper, tight=True),
    "classical-linear-l2-lower": _linear(classical.linear_l2_lower, tight=True),
    "classical-linear-l1": _worded(classical.linear_l1, classes.linear_l1, cases.balls_l1, *LINEAR, tight=True),
    "classical-linear-l1-upper": _worded(classical.linear_l1_upper, classes.linear_l1, cases.balls_l1, *LINEAR),
    "classical-rademacher-by-gaussian": _worded(
        classical.rademacher_by_gaussian, classes.rademacher_and_gaussian, cases.both_complexities, *SET, tight=True
    ),
    "classical-gaussian-by-rademacher": _worded(
        classical.gaussian_by_rademacher, classes.rademacher_and_gaussian, cases.both_complexities, *SET
    ),
    "classical-zhang-cover": Claim(
        classical.zhang_cover, covers.orthogonal_cover, cases.orthogonal_covers, COVER, twin=ZHANG
    ),
    "classical-matrix-cover": Claim(classical.matrix_cover, covers.matrix_cover, cases.matrix_covers, COVER),
    "classical-ball-cover": Claim(classical.ball_cover, covers.ball_cover, cases.vector_covers, ("radius", "scale")),
    "concentration-sign-tail": Claim(
        concentration.sign_tail, tails.sign_tail, cases.sign_tails, ("vectors", "deviation")
    ),
    "concentration-sign-radius": Claim(
        concentration.sign_radius, tails.sign_radius, cases.sign_radii, ("vectors", "failure_probability")
    ),
    "concentration-data-tail": Claim(
        concentration.data_tail, tails.data_tail, cases.data_tails, ("table", "chances", "deviation")
    ),
    "concentration-generalisation": Claim(concentration.generalisation, tails.generalisation, cases.risks, RISK),
    "concentration-generalisation-sharper": Claim(
        concentration.generalisation_sharper, tails.generalisation, cases.risks, RISK
    ),
    "width-gaussian-norm-upper": Claim(widths.norm_mean_upper, measured.norm_of_gaussian, width_cases.dims, ("dim",)),
    "width-gaussian-norm-lower": Claim(widths.norm_mean_lower, measured.norm_of_gaussian, width_cases.dims, ("dim",)),
    "width-l2-ball": Claim(widths.l2_ball, measured.l2_ball, width_cases.balls, BALL, tight=True),
    "width-l1-ball": Claim(widths.l1_ball, measured.l1_ball, width_cases.balls, BALL, tight=True),
    "width-box": Claim(widths.box, measured.box, width_cases.balls, BALL, tight=True),
    "width-low-rank": Claim(
        widths.frobenius_low_rank, measured.low_rank, width_cases.ranked, (*MATRIX, "rank"), tight=True
    ),
    "width-nuclear-ball": Claim(widths.nuclear_ball, measured.nuclear_ball, width_cases.matrices, MATRIX, tight=True),
    "width-spectral-ball": Claim(
        widths.spectral_ball, measured.spectral_ball, width_cases.matrices, MATRIX, tight=True
    ),
    "width-gaussian-comparison": Claim(
        widths.gaussian_comparison, measured.comparison, width_cases.processes, ("vectors", "process"), tight=True
    ),
    "width-sudakov-fernique": Claim(widths.sudakov_fernique, measured.bilinear_class, width_cases.products, PRODUCT),
    "width-anisotropic": Claim(widths.anisotropic, measured.sine_class, width_cases.sines, LINEAR),
}
