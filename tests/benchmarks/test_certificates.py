"""Speed and memory of the certificates. Run:  pytest -m benchmark tests/benchmarks -s   (writes certificates.md).

U9 with U10 at logit radius 1: n = 256, d = T = 16, unit-sphere tokens, no encoding; coefficient norms, norms of tensors
from 2,048 draws of order 1 and 2 and 64 of order 3, the choice among all options on 64 sign vectors, and the linearised
mean of the chosen one from 8,192. The alternative is the same in plain NumPy, with explicit tensors and one draw at a
time (`tests/oracles/series_oracle.py`); its work draw by draw is timed on a sixteenth of the draws and scaled by 16.
Both are interleaved, three repetitions, median of the paired ratios.
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import series_oracle as so

from estimators.hypotheses import Constraints
from estimators.hypotheses_query import Query
from estimators.samples import synthetic_sample
from estimators.signs import draw_signs
from estimators.supremum.expected import linear_means
from estimators.supremum.portfolio import THETAS, Portfolio

TABLE = Path(__file__).with_name("certificates.md")
RADIUS, SECOND, THIRD, PILOT, MEAN, SHARE, REPETITIONS = 1.0, 2048, 64, 64, 8192, 16, 3
RUN = "import resource, sys; from estimators.rademacher import rademacher; from estimators.command_line import run; "
RUN += "status = run(rademacher, sys.argv[1:]); print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss); "
RUN += "sys.exit(status)"
ROWS: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def table():
    yield
    heading = __doc__.strip().split("\n\n", 1)[1] + "\n\n| measured | value | asked |\n|---|---|---|\n"
    TABLE.write_text(heading + "\n".join(ROWS) + "\n", encoding="utf-8")


def ours(query: Query) -> float:
    portfolio = Portfolio(query.centred, failure=0.001, seed=0)
    chosen, _ = portfolio.choose(query.radius, draw_signs(1, PILOT, len(query.values)))
    mean = linear_means(portfolio, query.radius, [chosen.slope], 0.001, 0)[chosen.slope]
    return (mean.lower + mean.upper) / 2 + chosen.excess


def plain(tokens: np.ndarray, radius: float) -> tuple[float, float]:
    """The same certificates by the formulas, one draw at a time: value, and seconds with SHARE of the draws scaled."""
    started = time.perf_counter()
    n, length, _ = tokens.shape
    head = so.centre(tokens, tokens, np.zeros(length))
    weighted = head._replace(vt=so.KAPPA * so.value_diameters(head)[:, None, None] * np.ones((n, length, 1)))
    x, y = so.widths(head, radius, "schatten4")
    rest = so.remainders(head, radius)
    pilot, slopes = draw_signs(1, PILOT, n), head.slopes
    means = {theta: so._linear(head, pilot, radius, theta, None) for theta in {*THETAS, 1.0}}
    fixed = time.perf_counter() - started
    started = time.perf_counter()
    signs, gaussians = draw_signs(2, SECOND // SHARE, n), np.random.default_rng(0).standard_normal((SECOND // SHARE, n))
    second, third = so.flat_mean(head, signs, 2), so.flat_mean(head, signs[: THIRD // SHARE], 3)
    x[1] = min(x[1], radius * np.mean([so.operator_norm(np.tensordot(g, slopes, axes=(0, 0))) for g in gaussians]))
    for q, draws in ((2, gaussians), (3, gaussians[: THIRD // SHARE])):
        x[q] = min(x[q], radius**q * so.flat_mean(head, draws, q))
        y[q] = min(y[q], radius**q * so.flat_mean(weighted, draws, q))
    options = {("U9", 1.0, Q): rest[Q] for Q in (1, 2, 3)}
    options["U9", 1.0, 2] += radius**2 * second
    options["U9", 1.0, 3] += radius**2 * second + radius**3 * third
    for theta in THETAS:
        for m in (1, 2):
            compared = np.sqrt(np.pi / 2) * so.contraction(head, radius, theta, m, x, y)
            options["U10", theta, m] = compared + (m == 2) * theta * radius**2 * second
    chosen = min(options, key=lambda key: options[key] + means[key[1]])
    mean = so._linear(head, draw_signs(3, MEAN // SHARE, n), radius, chosen[1], None)
    return mean + options[chosen], fixed + SHARE * (time.perf_counter() - started)


@pytest.mark.benchmark
def test_certificates_beat_plain_numpy():
    tokens = synthetic_sample("sphere", samples=256, length=16, dim=16, seed=0).tokens
    ours(Query(tokens, tokens, np.zeros(16), Constraints(1.0, RADIUS)))  # compiles
    ratios = []
    for _ in range(REPETITIONS):
        started = time.perf_counter()
        value = ours(Query(tokens, tokens, np.zeros(16), Constraints(1.0, RADIUS)))
        seconds = time.perf_counter() - started
        other, longer = plain(tokens, RADIUS)
        ratios.append(longer / seconds)
    ratio = float(np.median(ratios))
    span = f"{min(ratios):.1f} to {max(ratios):.1f}"
    # Ours adds the sampling error of the tensor norms, but its coefficient norms are sharper (exact to order 4).
    assert 0.75 * other < value < 1.05 * other
    ROWS.append(f"| U9 and U10 against plain NumPy (median; range {span}) | {ratio:.1f} x | 5 x |")
    ROWS.append(f"| certified value, ours / plain NumPy | {value / other:.4f} | |")
    assert ratio >= 5


@pytest.mark.benchmark
def test_peak_memory_of_long_samples_is_bounded():
    flags = ["--hypotheses", "query", "--encoding", "none", "--samples", "1024", "--length", "64", "--dim", "16"]
    done = subprocess.run(
        [sys.executable, "-c", RUN, *flags, "--draws", "200"], capture_output=True, text=True, check=True
    )
    peak = int(done.stdout.rsplit("peak", 1)[1]) / 2**20  # kilobytes on Linux
    ROWS.append(f"| peak memory, n = 1,024, T = 64, d = 16, 200 draws | {peak:.2f} GB | 6 GB |")
    assert peak < 6
