"""Claims of theory sections 6.1-6.7 and 6.9: what representations tell about positions. One entry per statement."""

import dataclasses
from collections.abc import Callable
from typing import Any

from estimators import discrete_channels, gaussian_codes, information_layers, latent_position, stress
from estimators.claim import Claim, Measurement
from estimators.claims import information_cases as cases
from theory import information, information_codes, information_latent, information_stress


def picked(measure: Callable[..., Measurement], *words: str, argument: str = "") -> Callable[..., Measurement]:
    """The measurement with the named parameters, and the named argument of the statement, only."""

    def pick(**case: Any) -> Measurement:
        found = measure(**case)
        parameters = {word: found.parameters[word] for word in words}
        return dataclasses.replace(
            found, parameters=parameters, arguments={argument: found.arguments[argument]} if argument else {}
        )

    return pick


CHANNEL, CODE, LATENT = (
    discrete_channels.channel_information,
    gaussian_codes.code_information,
    latent_position.head_information,
)
CEILING = picked(CODE, "position_count")
PAIRWISE = picked(CODE, "noise_scale", argument="squared_distances")
CAP = picked(CODE, "code_determinant")
GAUSSIAN = picked(CODE, "position_count", "dim", "noise_scale", "code_power")
SPECTRUM = picked(gaussian_codes.gaussian_cap, "dim", "noise_scale", "code_power")
LATENT_PAIRWISE = picked(LATENT, "dim", argument="variances")
LINE = ("code", "noise_scale")

CLAIMS: dict[str, Claim] = {
    "information-floor": Claim(
        information.information_floor,
        picked(CHANNEL, "mean_total_variation"),
        cases.channels,
        free=("channel",),
        tight=True,
    ),
    "information-ceiling": Claim(
        information.information_ceiling,
        picked(CHANNEL, "position_count"),
        cases.channels,
        free=("channel",),
        tight=True,
    ),
    "information-fano": Claim(
        information.fano,
        picked(CHANNEL, "position_count", "success_probability"),
        cases.channels,
        free=("channel",),
        tight=True,
    ),
    "information-data-processing": Claim(
        information.data_processing,
        discrete_channels.processed_channel,
        cases.processed,
        free=("channel", "kernel"),
        tight=True,
    ),
    "information-quantised-after-noise": Claim(
        information.data_processing, information_layers.quantised_code, cases.quantised, free=("cuts", *LINE)
    ),
    "information-decoder-lower": Claim(
        information.decoder_lower_bound,
        discrete_channels.decoded_channel,
        cases.decoded,
        free=("channel", "decoder", "uniform_share"),
        tight=True,
    ),
    "information-decoder-loss": Claim(
        information.decoder_loss_ceiling,
        discrete_channels.decoder_loss,
        cases.decoders,
        free=("decoder", "uniform_share"),
        tight=True,
    ),
    "information-mixing-loss": Claim(
        information.mixing_loss,
        discrete_channels.mixing_cost,
        cases.mixed,
        free=("channel", "decoder", "uniform_share"),
    ),
    "information-group-upper": Claim(
        information.group_conditional_upper,
        discrete_channels.grouped_channel,
        cases.grouped,
        free=("channels",),
        tight=True,
    ),
    "code-pairwise-upper": Claim(information_codes.pairwise_upper, PAIRWISE, cases.lines, free=LINE, tight=True),
    "code-pairwise-lower": Claim(information_codes.pairwise_lower, PAIRWISE, cases.lines, free=LINE, tight=True),
    "code-second-moment-cap": Claim(information_codes.second_moment_cap, CAP, cases.lines, free=LINE, tight=True),
    "code-gaussian-bound": Claim(information_codes.gaussian_code_bound, GAUSSIAN, cases.lines, free=LINE, tight=True),
    "encoding-information-ceiling": Claim(information.information_ceiling, CEILING, cases.additive),
    "encoding-pairwise-upper": Claim(information_codes.pairwise_upper, PAIRWISE, cases.additive),
    "encoding-pairwise-lower": Claim(information_codes.pairwise_lower, PAIRWISE, cases.additive),
    "encoding-second-moment-cap": Claim(information_codes.second_moment_cap, CAP, cases.additive),
    "encoding-gaussian-bound": Claim(information_codes.gaussian_code_bound, GAUSSIAN, cases.additive),
    "encoding-flat-spectrum-cap": Claim(
        information_codes.flat_spectrum_cap, gaussian_codes.gaussian_cap, cases.other_spectra
    ),
    "encoding-flat-spectrum-value": Claim(
        information_codes.flat_spectrum_value, SPECTRUM, cases.flat_spectra, tight=True
    ),
    "code-flat-spectrum-cap": Claim(
        information_codes.flat_spectrum_cap, gaussian_codes.gaussian_cap, cases.tables, free=LINE, tight=True
    ),
    "latent-variance-none": Claim(
        information_latent.variance_without_encoding,
        latent_position.head_variance,
        cases.plain_heads,
        free=("seen_count", "value_scale"),
        tight=True,
    ),
    "latent-variance-alibi": Claim(
        information_latent.variance_with_alibi,
        latent_position.alibi_variance,
        cases.alibi_heads,
        free=("alibi_slope", "seen_count", "value_scale"),
        tight=True,
    ),
    "latent-variance-alibi-limit": Claim(
        information_latent.variance_alibi_limit,
        picked(latent_position.alibi_variance, "alibi_slope", "value_scale"),
        cases.alibi_heads,
        free=("alibi_slope", "seen_count", "value_scale"),
        tight=True,
    ),
    "latent-variance-floor": Claim(
        information_latent.variance_floor,
        latent_position.head_variance,
        cases.biased_heads,
        free=("biases", "value_scale"),
        tight=True,
    ),
    "encoding-latent-variance-floor": Claim(
        information_latent.variance_floor, latent_position.head_variance, cases.encoding_heads
    ),
    "latent-pairwise-upper": Claim(
        information_latent.latent_pairwise_upper, LATENT_PAIRWISE, cases.latents, free=("variances",), tight=True
    ),
    "latent-pairwise-lower": Claim(
        information_latent.latent_pairwise_lower, LATENT_PAIRWISE, cases.latents, free=("variances",), tight=True
    ),
    "encoding-latent-pairwise-upper": Claim(
        information_latent.latent_pairwise_upper, LATENT_PAIRWISE, cases.encoding_latents
    ),
    "encoding-latent-pairwise-lower": Claim(
        information_latent.latent_pairwise_lower, LATENT_PAIRWISE, cases.encoding_latents
    ),
    "encoding-latent-second-moment-cap": Claim(
        information_codes.second_moment_cap, picked(LATENT, "code_determinant"), cases.encoding_latents
    ),
    "stress-of-scaling": Claim(
        information_stress.scaling_stress, stress.scaling_stress, cases.distributions, free=("distributions",)
    ),
    "stress-zero-in-full-dimension": Claim(
        information_stress.full_dimension_fit,
        stress.full_dimension_fit,
        cases.full_dimensions,
        free=("distributions",),
        tight=True,
    ),
    "stress-one-hot-optimum": Claim(
        information_stress.one_hot_optimum, stress.one_hot_optimum, cases.one_hot, tight=True
    ),
    "stress-one-hot-scaling": Claim(
        information_stress.one_hot_scaling, stress.one_hot_scaling, cases.one_hot, tight=True
    ),
    "mds-minimises-stress": Claim(
        information_stress.scaling_minimises_stress, stress.scaling_against, cases.better_embeddings, true=False
    ),
    "token-wise-maps-cannot-raise-information": Claim(
        information.token_wise_maps, information_layers.gained_code, cases.gains, true=False
    ),
    "information-never-rises-with-depth": Claim(
        information.depth_never_raises, information_layers.head_on_noise, cases.first_layers, true=False
    ),
    "information-never-falls-with-depth": Claim(
        information.depth_never_lowers, information_layers.averaged_code, cases.alternating, true=False
    ),
}
