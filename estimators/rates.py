"""Command: exponents of certified complexities in n, T, d, L, an encoding's scale and slope, against derived ones."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from estimators.command_line import console, progress, run
from estimators.rates_cases import VARIABLES, Series, Settings
from estimators.rates_report import Fitted, as_document, draw, show
from estimators.results import check_outputs, versions, write_json
from theory.encodings import parse
from theory.encodings.base import AbstractAdditiveEncoding

Variable = Literal["sample_size", "length", "dim", "layers", "encoding_scale", "alibi_slope"]
FEWEST_DRAWS = 8
DEFAULT_SCALED = "sinusoidal"


def rates(
    *,
    variable: list[Variable] = [*VARIABLES],  # type: ignore[list-item]  # noqa: B006  (keys of VARIABLES are str; read only, shown in --help)
    encoding: str = "none",
    draws: int = 200,
    confidence: float = 0.99,
    seed: int = 0,
    json: Path | None = None,
    figure: Path | None = None,
) -> int:
    """Fit the exponents of Rademacher complexities in one variable and compare them with those of bounds.

    Every point is a certified bracket of R_hat = E sup (1/n) sum eps_i f(X_i) on unit-sphere tokens. Interval
    arithmetic over the brackets encloses the least-squares slope of ln R_hat against the logarithm of the variable,
    without Gaussian errors: the slope over this range, not an asymptotic exponent. That of a bound is derived from its
    formula. Classes: one head (frozen, query, bilinear), a linear class, the Transformer; radii are 1 if not stated.

    Args:
        variable (NAME): sample_size n, length T, dim d, layers L, encoding_scale c of an additive code, alibi_slope m
        encoding (NAME[:key=value,...]): of the rows in n, T, d and L; an additive one also of those in c, which are
            sinusoidal otherwise
        draws (K): sign vectors at each point where they are not enumerated; a quarter of them for the Transformer
        confidence: of each slope, shared by its points
        seed: of tokens, signs and search
        json (PATH): write everything as JSON, `-` for standard output
        figure (PATH): draw brackets, fitted lines and bounds (.png, .pdf or .svg)

    Examples:
        python -m estimators.rates
        python -m estimators.rates --variable sample_size length --encoding alibi --draws 1000
        python -m estimators.rates --variable encoding_scale --encoding legendre --figure rates.png --json rates.json
    """
    parameters = dict(locals())
    started = time.perf_counter()
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie strictly between 0 and 1, got {confidence}: use 0.99")
    if draws < FEWEST_DRAWS:
        raise ValueError(f"draws must be at least {FEWEST_DRAWS}, got {draws}: use --draws 200")
    if seed < 0:
        raise ValueError(f"seed must be at least 0, got {seed}: use --seed 0")
    check_outputs(json, figure)
    additive = isinstance(parse(encoding, dim=2, train_length=2, heads=8), AbstractAdditiveEncoding)
    settings = Settings(encoding, encoding if additive else DEFAULT_SCALED, draws, seed)
    wanted = [one for name in dict.fromkeys(variable) for one in VARIABLES[name](settings)]
    rows: list[Fitted] = []
    interrupted = False
    with progress("rates", sum(len(one.x) for one in wanted)) as advance:
        try:
            for one in wanted:
                rows.append(_fitted(one, confidence, advance))
        except KeyboardInterrupt:
            interrupted = True
    if not rows:
        raise KeyboardInterrupt
    document = as_document(rows, parameters) | {"versions": versions(), "interrupted": interrupted}
    if json is not None:
        write_json(json, document | {"seconds": time.perf_counter() - started})
    if figure is not None:
        draw(rows, figure)
    if json is None or str(json) != "-":
        show(rows, confidence)
    if interrupted:
        console(error=True).print(f"interrupted: {len(wanted) - len(rows)} of {len(wanted)} classes are missing")
        return 130
    return 0


def _fitted(one: Series, confidence: float, advance: Callable[..., None]) -> Fitted:
    each = 1 - (1 - confidence) / len(one.x)
    points = []
    for x in one.x:
        points.append(one.measure(x, each))
        advance(1, description=f"{one.variable} {one.title}")
    return Fitted(one, points)


if __name__ == "__main__":
    sys.exit(run(rates))
