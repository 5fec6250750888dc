"""`depth_upper` for the class of an `Architecture` with the encoding of `Features`."""

import numpy as np

from estimators.layer_features import Features
from estimators.supremum.depth import DepthUpper, depth_upper
from estimators.transformer import Architecture


def depth_of(architecture: Architecture, features: Features, adversarial: float = 0.0) -> DepthUpper:
    """U1 and U7 for the unit read-out, not divided by n, and sizes of outputs; relative vectors are added to keys."""
    a = architecture
    ball = (a.rank or a.dim // a.heads) if a.ball == "rank" else a.ball
    return depth_upper(
        np.asarray(features.tokens),
        layers=a.layers,
        heads=a.heads,
        value_radius=a.value_norm,
        logit_radius=a.logit_norm,
        value_ball=ball,
        logit_ball=ball,
        residual=a.residual,
        mlp_width=a.mlp_width,
        mlp_radii=(a.mlp_norm, a.mlp_norm),
        mlp_ball="spectral" if a.ball == "spectral" else "frobenius",
        norm_epsilon=a.epsilon if a.normalise else None,
        key_table=float(np.linalg.norm(np.asarray(features.relative), axis=1).max()),
        adversarial=adversarial,
    )
