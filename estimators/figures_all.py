"""Every figure, one line each: its data, its drawing, and what it shows."""

import difflib
from collections.abc import Iterable

from estimators import (
    figures_approximation,
    figures_approximation_drawn,
    figures_complexity,
    figures_complexity_drawn,
    figures_encodings,
    figures_encodings_drawn,
    figures_extrapolation,
    figures_extrapolation_drawn,
    figures_information,
    figures_information_drawn,
    figures_ledger,
    figures_ledger_drawn,
    figures_text,
    figures_text_drawn,
)
from estimators.figures_plan import Plot

FIGURES: dict[str, Plot] = {
    "encoding-tables": Plot(
        "tables of additive codes and relative vectors", figures_encodings.tables, figures_encodings_drawn.tables
    ),
    "encoding-kernels": Plot(
        "biases by distance, and rotary's mean kernel", figures_encodings.kernels, figures_encodings_drawn.kernels
    ),
    "brackets": Plot(
        "certified complexity of one head under every encoding, with bounds of the literature",
        figures_complexity.brackets,
        figures_complexity_drawn.brackets,
    ),
    "exponents": Plot(
        "certified complexity against n, T, logit norm and encoding scale, with fitted exponents",
        figures_complexity.exponents,
        figures_complexity_drawn.exponents,
    ),
    "order-of-bounds": Plot(
        "order of the bound U3 against the certified order of complexities",
        figures_complexity.order,
        figures_complexity_drawn.order,
    ),
    "approximation": Plot(
        "certified approximation error against channels, with widths and bounds",
        figures_approximation.errors,
        figures_approximation_drawn.errors,
    ),
    "look-up-norm": Plot(
        "least norm of a score matrix that looks up the next position",
        figures_approximation.look_up_norms,
        figures_approximation_drawn.look_up_norms,
    ),
    "tail-mass": Plot(
        "attention beyond a window and truncation error of a network, with the theorems' curves",
        figures_extrapolation.tails,
        figures_extrapolation_drawn.tails,
    ),
    "accuracy-by-length": Plot(
        "accuracy of trained networks by length, local and global tasks",
        figures_extrapolation.accuracy,
        figures_extrapolation_drawn.accuracy,
    ),
    "bits-by-position": Plot(
        "bits per byte by position, both modes of evaluation", figures_text.by_position, figures_text_drawn.by_position
    ),
    "information-by-layer": Plot(
        "positional information after every layer",
        figures_information.by_layer,
        figures_information_drawn.by_layer,
    ),
    "information-by-noise": Plot(
        "positional information of codes against noise, with what no code passes",
        figures_information.against_noise,
        figures_information_drawn.against_noise,
    ),
    "ledger": Plot("the claims ledger as a table", figures_ledger.ledger, figures_ledger_drawn.ledger),
}


def chosen(names: Iterable[str]) -> dict[str, Plot]:
    """The figures of these names, each once, in the order of `FIGURES`; all for no name.

    ValueError with the nearest name for an unknown one.
    """
    wanted = list(names)
    for name in wanted:
        if name not in FIGURES:
            near = difflib.get_close_matches(name, FIGURES, 1)
            advice = f"did you mean {near[0]}?" if near else "--list shows all names"
            raise ValueError(f"no figure {name!r}: {advice}")
    return {name: plot for name, plot in FIGURES.items() if not wanted or name in wanted}
