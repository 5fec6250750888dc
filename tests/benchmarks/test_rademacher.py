"""Speed and memory of the bracket. Run:  pytest -m benchmark tests/benchmarks -s   (writes rademacher.md beside it).

Class `query`, dim 2, n = 64, T = 16, unit-sphere tokens, B_u = B_w = 1, 2,000 draws, 1 % gap. The alternative is one
branch and bound per sign vector in the same JAX code; it is timed on 100 of the sign vectors, chosen by the seed, and
scaled by 20. The two programs are interleaved, five repetitions, median of the paired ratios.
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from estimators.hypotheses import Effort
from estimators.hypotheses_query import Query
from estimators.samples import synthetic_sample
from estimators.signs import draw_signs

TABLE = Path(__file__).with_name("rademacher.md")
DRAWS, SUBSET, REPETITIONS = 2000, 100, 5
RUN = "import resource, sys; from estimators.rademacher import rademacher; from estimators.command_line import run; "
RUN += "status = run(rademacher, sys.argv[1:]); print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss); "
RUN += "sys.exit(status)"
ROWS: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def table():
    yield
    heading = __doc__.strip().split("\n\n", 1)[1] + "\n\n| measured | value | asked |\n|---|---|---|\n"
    TABLE.write_text(heading + "\n".join(ROWS) + "\n", encoding="utf-8")


@pytest.mark.benchmark
@pytest.mark.parametrize("logit_norm", [1.0, 4.0])
def test_shared_boxes_beat_one_search_per_sign_vector(logit_norm):
    from estimators.hypotheses import Constraints

    tokens = synthetic_sample("sphere", samples=64, length=16, dim=2, seed=0).tokens
    query = Query(tokens, tokens, np.zeros(16), Constraints(1.0, logit_norm))
    signs = draw_signs(0, DRAWS, 64)
    effort = Effort(gap=0.01)

    def together():
        return query.suprema(signs, effort)

    def one_by_one():
        return [query.suprema(signs[k : k + 1], effort) for k in range(SUBSET)]

    shared, single = together(), one_by_one()  # compiles both
    for k, one in enumerate(single):
        assert shared.lower[k] <= one.upper[0] * (1 + 1e-12)
        assert one.lower[0] <= shared.upper[k] * (1 + 1e-12)
    ratios = []
    for _ in range(REPETITIONS):
        times = []
        for program in (together, one_by_one):
            started = time.perf_counter()
            program()
            times.append(time.perf_counter() - started)
        ratios.append(times[1] * DRAWS / SUBSET / times[0])
    ratio = float(np.median(ratios))
    span = f"{min(ratios):.0f} to {max(ratios):.0f}"
    ROWS.append(f"| speed-up, B_w = {logit_norm:g} (median; range {span}) | {ratio:.0f} x | 10 x |")
    assert ratio >= 10


@pytest.mark.benchmark
@pytest.mark.parametrize(("arguments", "name"), [([], "default run"), (["--draws", "10000"], "10,000 draws")])
def test_peak_memory_is_bounded(arguments, name):
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", RUN, *arguments], capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - started
    peak = int(done.stdout.rsplit("peak", 1)[1]) / 2**20  # kilobytes on Linux
    ROWS.append(f"| peak memory, {name}, all encodings | {peak:.2f} GB | 2 GB |")
    assert peak < 2
    if not arguments:
        assert seconds < 60
