"""Every registered statement of the theory: name -> function that returns its bound for symbols.

The names are those of tables, claims and commands. A topic joins by its dict literal, one line below; two topics must
not give one name to two statements.
"""

from collections.abc import Callable, Mapping

from theory.attention import ATTENTION_BOUNDS
from theory.bound import Bound
from theory.information import INFORMATION_BOUNDS
from theory.information_codes import INFORMATION_CODE_BOUNDS
from theory.information_latent import INFORMATION_LATENT_BOUNDS
from theory.information_stress import INFORMATION_STRESS_BOUNDS
from theory.normaliser import NORMALISER_BOUNDS
from theory.rademacher import FROZEN_BOUNDS, QUERY_BOUNDS, QUERY_CERTIFICATES
from theory.rademacher_baselines import BASELINE_BOUNDS, DEPTH_BASELINES, VC_BASELINES
from theory.rademacher_depth import DEPTH_BOUNDS, ONE_LAYER_BOUNDS
from theory.rademacher_encodings import ENCODING_COMPLEXITY_BOUNDS, REFUTED_COMPLEXITY_BOUNDS
from theory.rademacher_learned import LEARNED_BOUNDS
from theory.rademacher_literature import LITERATURE_BOUNDS
from theory.rademacher_series import SERIES_BOUNDS, SERIES_LEMMAS

Statement = Callable[..., Bound]


def _merged(*topics: Mapping[str, Statement]) -> dict[str, Statement]:
    found: dict[str, Statement] = {}
    for topic in topics:
        for name, statement in topic.items():
            if found.setdefault(name, statement) is not statement:
                raise ValueError(f"two statements are called {name!r}: rename one in its topic's dict literal")
    return found


STATEMENTS: dict[str, Statement] = _merged(
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
    INFORMATION_BOUNDS,
    INFORMATION_CODE_BOUNDS,
    INFORMATION_LATENT_BOUNDS,
    INFORMATION_STRESS_BOUNDS,
)
