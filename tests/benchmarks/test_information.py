"""Speed and memory of the point estimators. Run:  pytest -m benchmark tests/benchmarks/test_information.py -s

50,000 points in 16 dimensions around a Gaussian code of 64 labels; k = 3. Ross for the labels, KSG for the label's rank
plus uniform noise against the vector. First alternative: a NumPy loop over points that computes all distances of one
point at a time, on 100 of the points, scaled by 500. Second: k-d trees of SciPy, a tree per class and one of all points
for Ross, one of all coordinates for KSG's neighbours (in the maximum norm, so that the value differs) and one for its
counts, all points in one call, on 250 query points scaled by 200; the building of the trees counts once. Programs
interleaved, three repetitions, median of the paired ratios of processor seconds, which a shared machine disturbs less;
linear algebra on one thread, the trees on all. Radii and counts of the first alternative are checked to be ours, point
by point, for 100 of 10,000 points.

Exponents: least squares of ln processor seconds (least of two runs) on ln N at d = 16, N = 4,000 to 16,000, and on
ln d at N = 4,000, d = 16 to 256. Memory: peak of a process of its own, less what it held before.
"""

import math
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import KDTree
from scipy.special import digamma

from estimators.information_nearest import ksg, ross
from estimators.information_neighbours import counts, nearest, nearest_of_class

TABLE = Path(__file__).with_name("information.md")
COUNT, DIM, CLASSES, NEIGHBOURS, LOOPED, QUERIED, REPETITIONS = 50_000, 16, 64, 3, 100, 250, 3
RUN = """
import resource, sys
import numpy as np
from estimators.information_nearest import ksg, ross
rng = np.random.default_rng(0)
labels, points = rng.integers(64, size=50_000), rng.standard_normal((50_000, 16))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
ross(labels, points) if sys.argv[1] == "ross" else ksg(labels + rng.random(50_000), points)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
ROWS: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def table():
    yield
    heading = __doc__.strip().split("\n\n", 1)[1] + "\n\n| measured | value | asked |\n|---|---|---|\n"
    TABLE.write_text(heading + "\n".join(ROWS) + "\n", encoding="utf-8")


def drawn(count, dim):
    rng = np.random.default_rng(0)
    code = rng.standard_normal((CLASSES, dim))
    labels = rng.integers(CLASSES, size=count)
    return labels, code[labels] + rng.standard_normal((count, dim))


LABELS, POINTS = drawn(COUNT, DIM)
RANKS = LABELS + np.random.default_rng(1).random(COUNT)
SOME = np.random.default_rng(2).permutation(COUNT)


def looped_ross(labels, points, rows):
    """Distance to the k-th of the class, and the number of others as near, of some points."""
    radii, reached = np.empty(len(rows)), np.empty(len(rows), dtype=int)
    for place, i in enumerate(rows):
        distances = np.sqrt(((points - points[i]) ** 2).sum(axis=1))
        radii[place] = np.partition(distances[labels[i] == labels], NEIGHBOURS)[NEIGHBOURS]
        reached[place] = (distances <= radii[place]).sum() - 1
    return radii, reached


def looped_ksg(ranks, points, rows):
    """Joint distance to the k-th, and the numbers strictly nearer in each variable."""
    x = ranks / ranks.std()
    y = points / math.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean())
    found = np.empty((len(rows), 3))
    for place, i in enumerate(rows):
        first, second = np.abs(x - x[i]), np.sqrt(((y - y[i]) ** 2).sum(axis=1))
        radius = np.partition(np.maximum(first, second), NEIGHBOURS)[NEIGHBOURS]
        found[place] = radius, (first < radius).sum() - 1, (second < radius).sum() - 1
    return x[:, None], y, found


def treed_ross(rows):
    """Processor seconds of building, and of queries scaled to all points."""
    started = time.process_time()
    everything = KDTree(POINTS)
    trees = [KDTree(POINTS[np.equal(LABELS, p)]) for p in range(CLASSES)]
    built = time.process_time()
    radii = np.empty(len(rows))
    for p in range(CLASSES):
        own = LABELS[rows] == p
        radii[own] = trees[p].query(POINTS[rows[own]], NEIGHBOURS + 1, workers=-1)[0][:, NEIGHBOURS]
    reached = everything.query_ball_point(POINTS[rows], radii, workers=-1, return_length=True)
    assert digamma(reached).mean() > 0
    return built - started + (time.process_time() - built) * COUNT / len(rows)


def treed_ksg(rows):
    started = time.process_time()
    pairs = np.hstack([RANKS[:, None] / RANKS.std(), POINTS])
    joint, vectors, line = KDTree(pairs), KDTree(POINTS), np.sort(pairs[:, 0])
    built = time.process_time()
    radii = joint.query(pairs[rows], NEIGHBOURS + 1, p=np.inf, workers=-1)[0][:, NEIGHBOURS]
    reached = vectors.query_ball_point(POINTS[rows], radii, p=np.inf, workers=-1, return_length=True)
    inside = np.searchsorted(line, pairs[rows, 0] + radii) - np.searchsorted(line, pairs[rows, 0] - radii)
    assert (digamma(reached) + digamma(inside)).mean() > 0
    return built - started + (time.process_time() - built) * COUNT / len(rows)


def seconds_of(program, *arguments):
    started = time.process_time()
    program(*arguments)
    return time.process_time() - started


def row(name, ratios, asked):
    ratio = float(np.median(ratios))
    short = "" if ratio >= asked else ", falls short"
    ROWS.append(f"| {name} (median; range {min(ratios):.1f} to {max(ratios):.1f}) | {ratio:.1f} x{short} | {asked} x |")
    print(ROWS[-1])
    return ratio


@pytest.mark.benchmark
def test_radii_and_counts_are_those_of_the_loop():
    rows = np.arange(0, 10_000, 100)
    labels, points, ranks = LABELS[:10_000], POINTS[:10_000], RANKS[:10_000]
    found = nearest_of_class(points, labels, NEIGHBOURS)
    radii, reached = looped_ross(labels, points, rows)
    np.testing.assert_allclose(found.radii[rows], radii, rtol=1e-12)
    np.testing.assert_array_equal(counts(points, found.closed)[rows], reached)
    x, y, expected = looped_ksg(ranks, points, rows)
    found = nearest([x, y], NEIGHBOURS)
    np.testing.assert_allclose(found.radii[rows], expected[:, 0], rtol=1e-12)
    for place, part in enumerate((x, y)):
        np.testing.assert_array_equal(counts(part, found.opened)[rows], expected[:, place + 1])


@pytest.mark.benchmark
def test_ross_and_ksg_beat_a_loop_and_trees():
    ratios = {name: [] for name in ("ross loop", "ross trees", "ksg loop", "ksg trees")}
    for repetition in range(REPETITIONS):
        rows = SOME[repetition * QUERIED : (repetition + 1) * QUERIED]
        ours = seconds_of(lambda: ross(LABELS, POINTS))
        ratios["ross loop"].append(seconds_of(looped_ross, LABELS, POINTS, rows[:LOOPED]) * COUNT / LOOPED / ours)
        ratios["ross trees"].append(treed_ross(rows) / ours)
        ours = seconds_of(lambda: ksg(RANKS, POINTS))
        ratios["ksg loop"].append(seconds_of(looped_ksg, RANKS, POINTS, rows[:LOOPED]) * COUNT / LOOPED / ours)
        ratios["ksg trees"].append(treed_ksg(rows) / ours)
    found = [
        row("Ross against a loop over points", ratios["ross loop"], 5),
        row("KSG against a loop over points", ratios["ksg loop"], 5),
        row("Ross against k-d trees", ratios["ross trees"], 1),
        row("KSG against k-d trees", ratios["ksg trees"], 1),
    ]
    assert min(found[:2]) >= 5


@pytest.mark.benchmark
@pytest.mark.parametrize("name", ["ross", "ksg"])
def test_memory_is_bounded(name):
    done = subprocess.run([sys.executable, "-c", RUN, name], capture_output=True, text=True, check=True)
    peak = int(done.stdout) / 2**10  # kilobytes on Linux
    pairs = COUNT**2 * 8 / 2**20
    ROWS.append(f"| peak memory of {name}, above its data | {peak:.0f} MB ({pairs:.0f} MB for all pairs) | 1000 MB |")
    print(ROWS[-1])
    assert peak < 1000


def exponent(sizes, seconds):
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


@pytest.mark.benchmark
def test_cost_in_points_and_dimensions():
    by_count = [drawn(count, DIM) for count in (4000, 8000, 16_000)]
    by_dim = [drawn(4000, dim) for dim in (16, 64, 256)]
    for name, program in (("Ross", ross), ("KSG", lambda p, z: ksg(p + 0.5 * np.sin(1e4 * np.arange(len(p))), z))):
        for axis, given in (("N", by_count), ("d", by_dim)):
            times = [min(seconds_of(program, *one) for _ in range(2)) for one in given]
            sizes = [one[1].shape[axis == "d"] for one in given]
            found = exponent(sizes, times)
            ROWS.append(f"| exponent of {name} in {axis}, {sizes[0]} to {sizes[-1]} | {found:.2f} | - |")
            print(ROWS[-1])
            assert found < 2.5
