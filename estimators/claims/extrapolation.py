"""Claims of theory sections 5.1 to 5.3 and 5.5 to 5.7: length extrapolation. One line per statement."""

from functools import partial

from estimators import beyond_range, horizons, local_tasks, weight_sums
from estimators.claim import Claim
from estimators.claims import extrapolation_cases as cases
from estimators.tail_mass import largest_weight, tail_mass
from estimators.truncation import truncation_error
from theory import extrapolation, extrapolation_limits, extrapolation_tasks

SPLIT = ("logits", "logit_bound", "window")
ALIBI_WORDS = ("alibi_slope", "logit_bound", "window")
LENGTH_WORDS = (*ALIBI_WORDS, "length")
KERPLE_WORDS = ("kerple_rate", "kerple_shape", "logit_bound", "window")
FLAT_WORDS = ("bias_oscillation", "logit_bound", "window", "length")
HORIZON = ("slope", "logit_bound", "tolerance")
OF_LENGTH = ("slope", "logit_bound", "length")

alibi_mass = partial(tail_mass, words=LENGTH_WORDS)
alibi_mass_any_length = partial(tail_mass, words=ALIBI_WORDS)
kerple_mass = partial(tail_mass, words=KERPLE_WORDS)

CLAIMS: dict[str, Claim] = {
    "tail-mass": Claim(extrapolation.tail_mass_upper, tail_mass, partial(cases.every_split, 1.0), SPLIT, tight=True),
    "tail-mass-lower": Claim(
        extrapolation.tail_mass_lower, tail_mass, partial(cases.every_split, -1.0), SPLIT, tight=True
    ),
    "alibi-tail-mass": Claim(
        extrapolation.alibi_tail_mass, alibi_mass, partial(cases.splits, 1.0, cases.ALIBI, (24, 80)), SPLIT, tight=True
    ),
    "alibi-tail-mass-lower": Claim(
        extrapolation.alibi_tail_mass_lower,
        alibi_mass,
        partial(cases.splits, -1.0, cases.ALIBI, (24, 80)),
        SPLIT,
        tight=True,
    ),
    "alibi-tail-mass-any-length": Claim(
        extrapolation.alibi_tail_mass_any_length,
        alibi_mass_any_length,
        partial(cases.splits, 1.0, cases.ALIBI, (24, 100)),
        SPLIT,
        tight=True,
    ),
    "alibi-tail-mass-simple": Claim(
        extrapolation.alibi_tail_mass_simple,
        alibi_mass_any_length,
        partial(cases.splits, 1.0, cases.ALIBI, (24, 100)),
        SPLIT,
    ),
    "truncation": Claim(
        extrapolation.truncation,
        truncation_error,
        partial(cases.truncated, tuple(cases.ENCODINGS), (12,)),
        ("logits", "values", "logit_bound", "window"),
        tight=True,
    ),
    "alibi-truncation": Claim(
        extrapolation.alibi_truncation,
        partial(truncation_error, words=(*ALIBI_WORDS, "value_diameter")),
        partial(cases.truncated, cases.ALIBI, (12, 40)),
        ("logits", "values", "logit_bound", "window"),
        tight=True,
    ),
    "alibi-horizon": Claim(
        extrapolation.alibi_horizon, horizons.alibi_horizon, cases.horizon_slopes, HORIZON, tight=True
    ),
    "alibi-horizon-simple": Claim(
        extrapolation.alibi_horizon_simple, horizons.alibi_horizon, cases.horizon_slopes, HORIZON
    ),
    "alibi-tail-sum": Claim(
        extrapolation.alibi_tail_sum,
        weight_sums.alibi_sum,
        partial(cases.sums, cases.ALIBI[1:]),
        ("window",),
        tight=True,
    ),
    "kerple-log-tail-sum": Claim(
        extrapolation.kerple_log_tail_sum,
        weight_sums.kerple_log_sum,
        partial(cases.sums, cases.SUMMABLE_LOG),
        ("window",),
        tight=True,
    ),
    "kerple-log-tail-mass": Claim(
        extrapolation.kerple_log_tail_mass,
        kerple_mass,
        partial(cases.splits, 1.0, cases.SUMMABLE_LOG, (24, 240)),
        SPLIT,
    ),
    "kerple-log-divergence": Claim(
        extrapolation.kerple_log_divergence,
        partial(tail_mass, words=(*KERPLE_WORDS, "length")),
        partial(cases.splits, -1.0, cases.FLAT_LOG, (24, 240)),
        SPLIT,
    ),
    "kerple-power-sum": Claim(extrapolation.kerple_power_sum, weight_sums.kerple_power_sum, cases.power_sums),
    "kerple-power-sum-lower": Claim(
        extrapolation.kerple_power_sum_lower, weight_sums.kerple_power_sum, cases.power_sums
    ),
    "kerple-power-tail-mass": Claim(extrapolation.kerple_power_tail_mass, kerple_mass, cases.power_splits, SPLIT),
    "flat-tail-mass": Claim(
        extrapolation.flat_tail_mass, partial(tail_mass, words=FLAT_WORDS), cases.flat_splits, SPLIT, tight=True
    ),
    "dispersion": Claim(extrapolation.dispersion, largest_weight, cases.weights, ("logits", "logit_bound"), tight=True),
    "flat-window": Claim(extrapolation.flat_window, horizons.escaped_mass, cases.escapes, ("logit_bound",), true=False),
    "local-transfer": Claim(
        extrapolation_tasks.local_transfer,
        local_tasks.transfer,
        cases.transfers,
        ("predictions", "window_predictions", "targets", "weights"),
        tight=True,
    ),
    "nonlocal-floor": Claim(
        extrapolation_tasks.nonlocal_floor,
        local_tasks.squared_risk,
        cases.floors,
        ("predictions", "targets", "weights"),
        tight=True,
    ),
    "copy-floor": Claim(
        extrapolation_tasks.copy_floor,
        partial(local_tasks.linear_floor, words=("token_variance",)),
        partial(cases.linear_tasks, "copy"),
        ("values", "weights"),
        tight=True,
    ),
    "prefix-sum-floor": Claim(
        extrapolation_tasks.prefix_sum_floor,
        local_tasks.linear_floor,
        partial(cases.linear_tasks, "sum"),
        ("values", "weights"),
        tight=True,
    ),
    "prefix-mean-floor": Claim(
        extrapolation_tasks.prefix_mean_floor,
        local_tasks.linear_floor,
        partial(cases.linear_tasks, "mean"),
        ("values", "weights"),
        tight=True,
    ),
    "prefix-parity-accuracy": Claim(
        extrapolation_tasks.prefix_parity_accuracy,
        local_tasks.parity_accuracy,
        cases.parities,
        ("probability",),
        tight=True,
    ),
    "reversal-accuracy": Claim(
        extrapolation_tasks.reversal_accuracy, local_tasks.reversal_accuracy, cases.reversals, ("window",), tight=True
    ),
    "alibi-reversal-weight": Claim(
        extrapolation_tasks.alibi_reversal_weight,
        horizons.reversal_weight,
        partial(cases.reversal_heads, (1, 2, 9, 40)),
        OF_LENGTH,
        tight=True,
    ),
    "alibi-reversal-length": Claim(
        extrapolation_tasks.alibi_reversal_length,
        horizons.reversal_length,
        cases.reversal_slopes,
        ("slope", "logit_bound"),
        tight=True,
    ),
    "alibi-reverses-any-length": Claim(
        extrapolation_tasks.alibi_reverses_any_length,
        partial(horizons.reversal_weight, words=()),
        partial(cases.reversal_heads, (100,)),
        OF_LENGTH,
        true=False,
    ),
    "legendre-growth": Claim(
        extrapolation_limits.legendre_growth,
        beyond_range.legendre_value,
        cases.growing_arguments,
        ("degree", "point"),
        tight=True,
    ),
    "legendre-growth-lower": Claim(
        extrapolation_limits.legendre_growth_lower,
        beyond_range.legendre_value,
        cases.growing_arguments,
        ("degree", "point"),
        tight=True,
    ),
    "legendre-doubling-lower": Claim(
        extrapolation_limits.legendre_doubling_lower,
        beyond_range.doubling_point,
        cases.legendre_sizes,
        ("dim", "train_length"),
    ),
    "legendre-doubling-upper": Claim(
        extrapolation_limits.legendre_doubling_upper,
        beyond_range.doubling_point,
        cases.legendre_sizes,
        ("dim", "train_length"),
    ),
    "legendre-normalised-peak": Claim(
        extrapolation_limits.legendre_normalised_peak, beyond_range.end_norm, cases.legendre_ends, tight=True
    ),
    "legendre-stays-in-range": Claim(
        extrapolation_limits.legendre_stays_in_range,
        beyond_range.code_norm,
        cases.unseen_legendre,
        ("position",),
        true=False,
    ),
    "distinct-codes": Claim(
        extrapolation_limits.distinct_codes, beyond_range.distinct_codes, cases.repeated_codes, ("length",), tight=True
    ),
    "unfinished-periods": Claim(
        extrapolation_limits.unfinished_periods,
        beyond_range.unfinished_periods,
        cases.periods,
        ("train_length",),
        tight=True,
    ),
    "rotary-largest-score": Claim(
        extrapolation_limits.rotary_largest_score, beyond_range.rotary_score, cases.rotations, ("distance",), tight=True
    ),
    "rotary-mean-kernel": Claim(
        extrapolation_limits.rotary_mean_kernel, beyond_range.rotary_kernel, cases.rotations, ("distance",), tight=True
    ),
    "rotary-uniform-decay": Claim(
        extrapolation_limits.rotary_uniform_decay,
        partial(beyond_range.rotary_score, words=("dim", "distance", "frequency_base")),
        cases.rotations,
        ("distance",),
        true=False,
    ),
}
