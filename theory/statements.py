"""Every registered statement of the theory: name -> function that returns its bound for symbols.

The names are those of tables, claims and commands. A topic joins by its dict literal, one line below; two topics must
not give one name to two statements.
"""

from collections.abc import Callable, Mapping

from theory.approximation import APPROXIMATION_BOUNDS, APPROXIMATION_REFUTED
from theory.attention import ATTENTION_BOUNDS, ATTENTION_REFUTED
from theory.bound import Bound
from theory.classical import CLASSICAL_BOUNDS
from theory.concentration import CONCENTRATION_BOUNDS
from theory.cost import COST_BOUNDS
from theory.expressiveness import EXPRESSIVENESS_BOUNDS, EXPRESSIVENESS_REFUTED
from theory.extrapolation import EXTRAPOLATION_BOUNDS, EXTRAPOLATION_REFUTED, EXTRAPOLATION_ZETA_BOUNDS
from theory.extrapolation_depth import EXTRAPOLATION_DEPTH_BOUNDS, EXTRAPOLATION_DEPTH_REFUTED
from theory.extrapolation_limits import EXTRAPOLATION_LIMIT_BOUNDS, EXTRAPOLATION_LIMITS_REFUTED
from theory.extrapolation_tasks import EXTRAPOLATION_TASK_BOUNDS, EXTRAPOLATION_TASKS_REFUTED
from theory.information import INFORMATION_BOUNDS, INFORMATION_FALLACIES
from theory.information_codes import INFORMATION_CODE_BOUNDS
from theory.information_flow import INFORMATION_FLOW_BOUNDS
from theory.information_latent import INFORMATION_LATENT_BOUNDS
from theory.information_stress import INFORMATION_STRESS_BOUNDS, INFORMATION_STRESS_FALLACIES
from theory.lookup import LOOKUP_BOUNDS, LOOKUP_REFUTED
from theory.misuses import MISUSED_BOUNDS
from theory.normaliser import NORMALISER_BOUNDS
from theory.rademacher import FROZEN_BOUNDS, QUERY_BOUNDS, QUERY_CERTIFICATES
from theory.rademacher_baselines import BASELINE_BOUNDS, DEPTH_BASELINES, VC_BASELINES
from theory.rademacher_depth import DEPTH_BOUNDS, ONE_LAYER_BOUNDS
from theory.rademacher_encodings import ENCODING_COMPLEXITY_BOUNDS, REFUTED_COMPLEXITY_BOUNDS
from theory.rademacher_learned import LEARNED_BOUNDS
from theory.rademacher_literature import LITERATURE_BOUNDS
from theory.rademacher_series import SERIES_BOUNDS, SERIES_LEMMAS
from theory.softmax import SOFTMAX_BOUNDS
from theory.widths import WIDTH_BOUNDS

Statement = Callable[..., Bound]


def _merged(*topics: Mapping[str, Statement]) -> dict[str, Statement]:
    found: dict[str, Statement] = {}
    for topic in topics:
        for name, statement in topic.items():
            if found.setdefault(name, statement) is not statement:
                raise ValueError(f"two statements are called {name!r}: rename one in its topic's dict literal")
    return found


STATEMENTS: dict[str, Statement] = _merged(
    SOFTMAX_BOUNDS,
    CLASSICAL_BOUNDS,
    CONCENTRATION_BOUNDS,
    WIDTH_BOUNDS,
    MISUSED_BOUNDS,
    QUERY_CERTIFICATES,
    QUERY_BOUNDS,
    FROZEN_BOUNDS,
    LEARNED_BOUNDS,
    DEPTH_BOUNDS,
    ONE_LAYER_BOUNDS,
    SERIES_BOUNDS,
    SERIES_LEMMAS,
    NORMALISER_BOUNDS,
    BASELINE_BOUNDS,
    DEPTH_BASELINES,
    VC_BASELINES,
    LITERATURE_BOUNDS,
    ENCODING_COMPLEXITY_BOUNDS,
    REFUTED_COMPLEXITY_BOUNDS,
    ATTENTION_BOUNDS,
    ATTENTION_REFUTED,
    EXPRESSIVENESS_BOUNDS,
    EXPRESSIVENESS_REFUTED,
    LOOKUP_BOUNDS,
    LOOKUP_REFUTED,
    EXTRAPOLATION_BOUNDS,
    EXTRAPOLATION_ZETA_BOUNDS,
    EXTRAPOLATION_REFUTED,
    EXTRAPOLATION_LIMIT_BOUNDS,
    EXTRAPOLATION_LIMITS_REFUTED,
    EXTRAPOLATION_TASK_BOUNDS,
    EXTRAPOLATION_TASKS_REFUTED,
    EXTRAPOLATION_DEPTH_BOUNDS,
    EXTRAPOLATION_DEPTH_REFUTED,
    INFORMATION_BOUNDS,
    INFORMATION_FALLACIES,
    INFORMATION_CODE_BOUNDS,
    INFORMATION_LATENT_BOUNDS,
    INFORMATION_STRESS_BOUNDS,
    INFORMATION_STRESS_FALLACIES,
    INFORMATION_FLOW_BOUNDS,
    COST_BOUNDS,
    APPROXIMATION_BOUNDS,
    APPROXIMATION_REFUTED,
)
